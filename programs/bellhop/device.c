/* SPDX-License-Identifier: MIT */
/* bellhop device list, show, files, preview: what only looks. */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { mac_size = 32 };

char *device_path(const char *mac, const char *rest)
{
	static const char start[] = "/api/v1/devices/";
	struct text path = {.data = NULL};

	if (text_add(&path, start, sizeof(start) - 1) < 0 ||
	    text_add_encoded(&path, mac, false) < 0 || text_add(&path, rest, strlen(rest)) < 0) {
		free(path.data);
		(void)fail("out of memory");
		return NULL;
	}
	return path.data;
}

/* --- Showing. --- */

/* "print (learned: fetched 12 times)" */
static void add_form(json_t *device)
{
	const char *form = json_string_value(json_object_get(device, "form_in_force"));
	const char *reason = json_string_value(json_object_get(device, "form_reason"));

	if (form && reason) {
		(void)json_object_set_new(device, "form", json_sprintf("%s (%s)", form, reason));
	}
}

/* "refused (401), 2026-…", or nothing where it was never told. */
static void show_resync(json_t *device)
{
	const char *resync = json_string_value(json_object_get(device, "resync"));
	const char *when = json_string_value(json_object_get(device, "resync_time"));
	json_int_t status = json_integer_value(json_object_get(device, "resync_status"));
	json_t *shown = NULL;

	if (resync && strcmp(resync, "refused") == 0) {
		shown = json_sprintf("refused (%d), %s", (int)status, when ? when : "");
	} else if (resync && strcmp(resync, "none") != 0) {
		shown = json_sprintf("%s, %s", resync, when ? when : "");
	}
	if (shown) {
		json_object_set_new(device, "resync_shown", shown);
	}
}

static void print_device(json_t *device)
{
	static const struct column rows[] = {
		{.title = "MAC", .member = "mac"},
		{.title = "state", .member = "state"},
		{.title = "vendor", .member = "vendor"},
		{.title = "model", .member = "model"},
		{.title = "firmware", .member = "firmware"},
		{.title = "label", .member = "label"},
		{.title = "profile", .member = "profile"},
		{.title = "address", .member = "address"},
		{.title = "interface", .member = "interface"},
		{.title = "identified by", .member = "identified_by"},
		{.title = "certainty", .member = "certainty"},
		{.title = "claimed by rule", .member = "claimed_by"},
		{.title = "pool", .member = "pool"},
		{.title = "extension", .member = "extension"},
		{.title = "bound to", .member = "bound_address"},
		{.title = "form", .member = "form"},
		{.title = "URL shape", .member = "shape_in_force"},
		{.title = "key", .member = "key"},
		{.title = "first seen", .member = "first_seen"},
		{.title = "last seen", .member = "last_seen"},
		{.title = "notified", .member = "notified"},
		{.title = "fetched", .member = "fetched"},
		{.title = "told to fetch", .member = "resync_shown"},
	};

	add_form(device);
	show_resync(device);
	table_print_object(rows, sizeof(rows) / sizeof(rows[0]), device);
	print_settings("settings", json_object_get(device, "settings"));
	print_settings("effective settings", json_object_get(device, "effective_settings"));
}

static int add_show_parameters(struct text *path, const struct arguments *arguments)
{
	int result = text_add_parameter(path, "secrets",
					argument(arguments, OPTION_SECRETS) ? "1" : NULL);

	return result < 0 ? result
			  : text_add_parameter(path, "effective",
					       argument(arguments, OPTION_EFFECTIVE) ? "1" : NULL);
}

int run_device_show(const struct arguments *arguments)
{
	struct text path = {.data = device_path(arguments->words[0], "")};
	json_t *reply = NULL;
	int result;

	if (!path.data) {
		return EXIT_FAILED;
	}
	path.length = strlen(path.data);
	result = add_show_parameters(&path, arguments) < 0
			 ? fail("out of memory")
			 : client_ask(arguments, "GET", path.data, NULL, &reply);
	result = print_reply(arguments, result, reply, print_device);
	free(path.data);
	return result;
}

/* --- Listing: page after page, so that the server never works long on one. --- */

static int list_path(struct text *path, const struct arguments *arguments, const char *after)
{
	static const char start[] = "/api/v1/devices";
	static const struct {
		const char *name;
		uint64_t option;
	} filters[] = {
		{"state", OPTION_STATE},     {"vendor", OPTION_VENDOR}, {"model", OPTION_MODEL},
		{"profile", OPTION_PROFILE}, {"search", OPTION_SEARCH},
	};
	int result = text_add(path, start, sizeof(start) - 1);

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]) && result == 0; i++) {
		result = text_add_parameter(path, filters[i].name,
					    argument(arguments, filters[i].option));
	}
	if (result == 0) {
		result = text_add_parameter(path, "after", after);
	}
	return result == 0 ? add_show_parameters(path, arguments) : result;
}

/* One page; `after` becomes the MAC to go on from, empty after the last. NULL after saying why. */
static json_t *ask_page(const struct arguments *arguments, char after[static mac_size])
{
	struct text path = {.data = NULL};
	json_t *page = NULL;
	const char *next;

	if (list_path(&path, arguments, after[0] ? after : NULL) < 0) {
		(void)fail("out of memory");
	} else if (client_ask(arguments, "GET", path.data, NULL, &page) == EXIT_DONE &&
		   !json_is_array(json_object_get(page, "devices"))) {
		(void)fail("the server's answer is not a list of devices; is that a bellhopd?");
		json_decref(page);
		page = NULL;
	}
	next = json_string_value(json_object_get(page, "next"));
	snprintf(after, mac_size, "%s", next ? next : "");
	free(path.data);
	return page;
}

/* The array that the pages are parts of, an object a line. */
static int print_json_page(const json_t *devices, bool is_first)
{
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device)
	{
		fputs(is_first && i == 0 ? "[\n" : ",\n", stdout);
		if (json_dumpf(device, stdout, JSON_COMPACT) < 0) {
			return fail("the answer cannot be printed");
		}
	}
	return EXIT_DONE;
}

int run_device_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{"MAC", "mac", COLUMN_TEXT, 0},		{"VENDOR", "vendor", COLUMN_TEXT, 3},
		{"MODEL", "model", COLUMN_TEXT, 0},	{"STATE", "state", COLUMN_TEXT, 0},
		{"PROFILE", "profile", COLUMN_TEXT, 2}, {"ADDRESS", "address", COLUMN_TEXT, 0},
		{"SURE", "certainty", COLUMN_TEXT, 4},	{"SEEN", "last_seen", COLUMN_AGE, 1},
		{"LABEL", "label", COLUMN_TEXT, 0},
	};
	struct table table = {.columns = columns, .count = sizeof(columns) / sizeof(columns[0])};
	bool is_json = argument(arguments, OPTION_JSON) != NULL;
	char after[mac_size] = "";
	size_t count = 0;
	int result;

	do {
		json_t *page = ask_page(arguments, after);
		const json_t *devices = json_object_get(page, "devices");

		result = page ? EXIT_DONE : EXIT_FAILED;
		if (page && is_json) {
			result = print_json_page(devices, count == 0);
		} else if (page) {
			table_append(&table, devices);
		}
		count += json_array_size(devices);
		json_decref(page);
	} while (result == EXIT_DONE && after[0]);
	if (!is_json && result == EXIT_DONE && count == 0 && table_terminal_width() != SIZE_MAX) {
		say("there is no such device; a phone that asks for service shows up as new");
	}
	if (is_json && (result == EXIT_DONE || count > 0)) {
		puts(count > 0 ? "\n]" : "[]");
	}
	return result;
}

/* --- Senders that are no device. --- */

int run_device_unidentified(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{"ADDRESS", "address", COLUMN_TEXT, 0},
		{"INTERFACE", "interface", COLUMN_TEXT, 5},
		{"VENDOR", "vendor", COLUMN_TEXT, 3},
		{"MODEL", "model", COLUMN_TEXT, 0},
		{"FIRMWARE", "firmware", COLUMN_TEXT, 4},
		{"NAMES", "named_mac", COLUMN_TEXT, 0},
		{"SURE", "certainty", COLUMN_TEXT, 0},
		{"WHY", "reason", COLUMN_TEXT, 2},
		{"SEEN", "last_seen", COLUMN_AGE, 1},
		{"TIMES", "count", COLUMN_TEXT, 6},
	};

	return print_list(arguments, "/api/v1/unidentified", "unidentified", columns,
			  sizeof(columns) / sizeof(columns[0]));
}

/* --- Files. --- */

int run_device_files(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{.title = "NAME", .member = "name"},
		{.title = "KIND", .member = "kind"},
		{.title = "TYPE", .member = "content_type"},
		{.title = "SECRETS", .member = "has_secrets"},
		{.title = "ESSENTIAL", .member = "is_essential"},
	};
	char *path = device_path(arguments->words[0], "/files");
	int result = path ? print_list(arguments, path, "files", columns,
				       sizeof(columns) / sizeof(columns[0]))
			  : EXIT_FAILED;

	free(path);
	return result;
}

int run_device_preview(const struct arguments *arguments)
{
	bool is_named = arguments->word_count > 1;
	struct text path = {
		.data = device_path(arguments->words[0], is_named ? "/preview/" : "/preview")};
	struct text bytes = {.data = NULL};
	int result = EXIT_FAILED;

	if (path.data) {
		path.length = strlen(path.data);
		result = is_named && text_add_encoded(&path, arguments->words[1], true) < 0
				 ? fail("out of memory")
				 : client_fetch(arguments, path.data, &bytes);
	}
	if (result == EXIT_DONE && bytes.length > 0 &&
	    fwrite(bytes.data, 1, bytes.length, stdout) != bytes.length) {
		result = fail("the file cannot be printed");
	}
	free(bytes.data);
	free(path.data);
	return result;
}

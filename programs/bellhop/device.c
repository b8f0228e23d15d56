/* SPDX-License-Identifier: MIT */
/* bellhop device … */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>
#include <string.h>

/* "/api/v1/devices/MAC" and what follows it, to be freed; NULL after saying why. */
static char *device_path(const char *mac, const char *rest)
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

/* The members that edit a device, from options; NULL after saying why. */
static json_t *edits_from_arguments(const struct arguments *arguments)
{
	static const struct {
		enum option_bit option;
		const char *member;
	} members[] = {
		{OPTION_VENDOR, "vendor"},   {OPTION_MODEL, "model"},
		{OPTION_PROFILE, "profile"}, {OPTION_LABEL, "label"},
		{OPTION_ADDRESS, "address"}, {OPTION_INTERFACE, "interface"},
		{OPTION_FORM, "form"},
	};
	json_t *settings = settings_from_arguments(arguments);
	json_t *body = settings ? json_object() : NULL;

	if (!body) {
		json_decref(settings);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *value = argument(arguments, members[i].option);

		if (value && json_object_set_new(body, members[i].member, json_string(value)) < 0) {
			say("--%s is not UTF-8 text", option_name(members[i].option));
			json_decref(settings);
			json_decref(body);
			return NULL;
		}
	}
	if (json_object_size(settings) > 0) {
		json_object_set_new(body, "settings", settings);
	} else {
		json_decref(settings);
	}
	return body;
}

/* "00908f123456 is claimed". */
static void print_state(const json_t *device)
{
	char number[24];

	(void)table_put(table_text(json_object_get(device, "mac"), number));
	printf(" is ");
	(void)table_put(table_text(json_object_get(device, "state"), number));
	putchar('\n');
}

static int change(const struct arguments *arguments, const char *method, char *path, json_t *body)
{
	json_t *reply = NULL;
	int result;

	if (!path) {
		json_decref(body);
		return EXIT_FAILED;
	}
	result = client_ask(arguments, method, path, body, &reply);
	free(path);
	if (result == EXIT_DONE) {
		if (argument(arguments, OPTION_JSON)) {
			result = print_json(reply);
		} else {
			print_state(reply);
		}
	}
	json_decref(reply);
	return result;
}

int run_device_add(const struct arguments *arguments)
{
	json_t *body = edits_from_arguments(arguments);

	if (!body) {
		return EXIT_FAILED;
	}
	json_object_set_new(body, "mac", json_string(arguments->words[0]));
	return change(arguments, "POST", strdup("/api/v1/devices"), body);
}

int run_device_set(const struct arguments *arguments)
{
	json_t *body = edits_from_arguments(arguments);

	if (body && json_object_size(body) == 0) {
		json_decref(body);
		say("nothing to set; name at least one option, see `bellhop help device set`");
		return EXIT_USAGE;
	}
	return body ? change(arguments, "PATCH", device_path(arguments->words[0], ""), body)
		    : EXIT_FAILED;
}

int run_device_claim(const struct arguments *arguments)
{
	json_t *body = edits_from_arguments(arguments);

	return body ? change(arguments, "POST", device_path(arguments->words[0], "/claim"), body)
		    : EXIT_FAILED;
}

int run_device_block(const struct arguments *arguments)
{
	return change(arguments, "POST", device_path(arguments->words[0], "/block"), NULL);
}

int run_device_unblock(const struct arguments *arguments)
{
	return change(arguments, "POST", device_path(arguments->words[0], "/unblock"), NULL);
}

int run_device_remove(const struct arguments *arguments)
{
	char *path = device_path(arguments->words[0], "");
	json_t *reply = NULL;
	int result = path ? client_ask(arguments, "DELETE", path, NULL, &reply) : EXIT_FAILED;

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		printf("removed %s\n", json_string_value(json_object_get(reply, "removed")));
	}
	json_decref(reply);
	free(path);
	return result;
}

/* --- Showing. --- */

static void print_device(const json_t *device)
{
	static const struct column rows[] = {
		{"MAC", "mac"},
		{"state", "state"},
		{"vendor", "vendor"},
		{"model", "model"},
		{"firmware", "firmware"},
		{"label", "label"},
		{"profile", "profile"},
		{"address", "address"},
		{"interface", "interface"},
		{"identified by", "identified_by"},
		{"bound to", "bound_address"},
		{"form", "form"},
		{"key", "key"},
		{"first seen", "first_seen"},
		{"last seen", "last_seen"},
		{"notified", "notified"},
		{"fetched", "fetched"},
	};

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
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		print_device(reply);
	}
	json_decref(reply);
	free(path.data);
	return result;
}

/* --- Listing: page after page, so that the server never works long on one. --- */

static int list_path(struct text *path, const struct arguments *arguments, const char *after)
{
	static const char start[] = "/api/v1/devices";
	static const struct {
		const char *name;
		enum option_bit option;
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

static int append_pages(const struct arguments *arguments, json_t *devices)
{
	char after[32] = "";
	int result;

	do {
		struct text path = {.data = NULL};
		json_t *page = NULL;
		const char *next;

		result = list_path(&path, arguments, after[0] ? after : NULL) < 0
				 ? fail("out of memory")
				 : client_ask(arguments, "GET", path.data, NULL, &page);
		next = json_string_value(json_object_get(page, "next"));
		snprintf(after, sizeof(after), "%s", next ? next : "");
		if (result == EXIT_DONE &&
		    json_array_extend(devices, json_object_get(page, "devices")) < 0) {
			result = fail("the server's answer is not a list of devices");
		}
		json_decref(page);
		free(path.data);
	} while (result == EXIT_DONE && after[0]);
	return result;
}

int run_device_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{"MAC", "mac"},
		{"VENDOR", "vendor"},
		{"MODEL", "model"},
		{"STATE", "state"},
		{"PROFILE", "profile"},
		{"ADDRESS", "address"},
		{"LAST SEEN", "last_seen"},
		{"LABEL", "label"},
	};
	json_t *devices = json_array();
	int result = append_pages(arguments, devices);

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(devices);
	} else if (result == EXIT_DONE) {
		table_print(columns, sizeof(columns) / sizeof(columns[0]), devices);
	}
	json_decref(devices);
	return result;
}

/* --- Files. --- */

int run_device_files(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{"NAME", "name"},
		{"KIND", "kind"},
		{"TYPE", "content_type"},
		{"SECRETS", "has_secrets"},
		{"ESSENTIAL", "is_essential"},
	};
	char *path = device_path(arguments->words[0], "/files");
	json_t *reply = NULL;
	int result = path ? client_ask(arguments, "GET", path, NULL, &reply) : EXIT_FAILED;
	const json_t *files = json_object_get(reply, "files");

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(files);
	} else if (result == EXIT_DONE) {
		table_print(columns, sizeof(columns) / sizeof(columns[0]), files);
	}
	json_decref(reply);
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

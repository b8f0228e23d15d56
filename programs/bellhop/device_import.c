/* SPDX-License-Identifier: MIT */
/*
 * bellhop device import: the devices of a file of comma-separated values are claimed in one
 * request, which the server carries out as one transaction. What can be seen here is checked here,
 * so that every bad line is named; the server checks the rest, and names them by their lines too.
 */
#include "core/base/address.h"
#include "core/base/csv.h"
#include "core/base/mac.h"
#include "core/fleet/settings.h"
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { arena_bytes_max = 64 << 20, devices_at_once_max = 10000 };

static const char *const members[] = {"mac",	 "vendor",    "model",	   "profile", "label",
				      "address", "interface", "extension", "pool"};

enum { member_count = sizeof(members) / sizeof(members[0]) };

struct import {
	const char *path;
	char *names[csv_fields_max]; /* of the columns; owned */
	bool is_setting[csv_fields_max];
	size_t column_count;
	json_t *devices;
	json_t *seen; /* MACs, with the line of each */
	size_t bad;
};

static void say_bad(struct import *import, unsigned line, const char *what, struct span shown)
{
	say("%s, line %u: %s%s%.*s", import->path, line, what, shown.length > 0 ? ": " : "",
	    (int)(shown.length < 80 ? shown.length : 80), shown.data ? shown.data : "");
	import->bad++;
}

/* --- The first line. --- */

/* The member of that name, or the path of a setting; NULL: neither. */
static char *column_name(struct span field, bool *is_setting)
{
	struct settings scratch = {.items = NULL};
	char problem[256] = "";

	for (size_t i = 0; i < member_count; i++) {
		if (span_equal_nocase(field, span_text(members[i]))) {
			*is_setting = false;
			return strdup(members[i]);
		}
	}
	/* An empty value says whether there is such a path, if not whether it may have that. */
	(void)settings_set(&scratch, field, SPAN(""), problem, sizeof(problem));
	settings_free(&scratch);
	*is_setting = true;
	return span_search(span_text(problem), SPAN("no such setting")) < strlen(problem)
		       ? NULL
		       : strndup(field.data, field.length);
}

static void read_header(struct import *import, const struct csv_row *row)
{
	bool has_mac = false;

	for (size_t i = 0; i < row->count; i++) {
		char *name = column_name(row->fields[i], &import->is_setting[i]);

		if (!name) {
			say_bad(import, row->line,
				"a device has no such column, and no such "
				"setting",
				row->fields[i]);
			continue;
		}
		for (size_t j = 0; j < i; j++) {
			if (import->names[j] && strcmp(import->names[j], name) == 0) {
				say_bad(import, row->line, "a column stands there twice",
					row->fields[i]);
			}
		}
		has_mac |= strcmp(name, "mac") == 0;
		import->names[i] = name;
	}
	import->column_count = row->count;
	if (!has_mac) {
		say_bad(import, row->line, "there is no column mac", SPAN(""));
	}
}

/* --- The others. --- */

static bool check_mac(struct import *import, unsigned line, struct span field)
{
	char text[mac_text_size];
	char what[80];
	struct mac mac;
	const json_t *before;

	if (mac_parse(field, &mac) < 0 || !mac_is_device(mac)) {
		say_bad(import, line, "not the MAC address of a device", field);
		return false;
	}
	mac_text(mac, text);
	before = json_object_get(import->seen, text);
	if (before) {
		snprintf(what, sizeof(what), "the device stands in line %lld, too",
			 (long long)json_integer_value(before));
		say_bad(import, line, what, field);
		return false;
	}
	json_object_set_new(import->seen, text, json_integer(line));
	return true;
}

static bool check_field(struct import *import, unsigned line, size_t column, struct span field)
{
	const char *name = import->names[column];
	struct settings scratch = {.items = NULL};
	struct address address;
	char problem[256] = "";
	int error;

	if (strcmp(name, "mac") == 0) {
		return check_mac(import, line, field);
	}
	if (strcmp(name, "address") == 0 && address_parse(field, &address) < 0) {
		say_bad(import, line, "not an IP address", field);
		return false;
	}
	if (!import->is_setting[column]) {
		return true;
	}
	error = settings_set(&scratch, span_text(name), field, problem, sizeof(problem));
	settings_free(&scratch);
	if (error) {
		say_bad(import, line, problem, SPAN(""));
	}
	return error == 0;
}

static bool add_field(struct import *import, unsigned line, size_t column, struct span field,
		      json_t *device)
{
	json_t *settings = json_object_get(device, "settings");
	json_t *value = json_stringn(field.data, field.length);

	if (!value) {
		say_bad(import, line, "it is not UTF-8 text", SPAN(""));
		return false;
	}
	if (!check_field(import, line, column, field)) {
		json_decref(value);
		return false;
	}
	return json_object_set_new(import->is_setting[column] ? settings : device,
				   import->names[column], value) == 0;
}

static void read_row(struct import *import, const struct csv_row *row)
{
	json_t *device = json_object();
	bool is_good = row->count <= import->column_count;

	if (!is_good) {
		say_bad(import, row->line, "it has more fields than the first line", SPAN(""));
	}
	json_object_set_new(device, "row", json_integer(row->line));
	json_object_set_new(device, "settings", json_object());
	for (size_t i = 0; i < row->count && i < import->column_count; i++) {
		if (row->fields[i].length > 0) {
			is_good &= add_field(import, row->line, i, row->fields[i], device);
		}
	}
	if (is_good && !json_object_get(device, "mac")) {
		say_bad(import, row->line, "it has no MAC", SPAN(""));
		is_good = false;
	}
	if (is_good) {
		json_array_append(import->devices, device);
	}
	json_decref(device);
}

/* EXIT_FAILED: what is wrong is no matter of single rows. */
static int read_rows(struct import *import, struct span text)
{
	struct csv csv = csv_over(text);
	struct arena arena;
	struct csv_row row;
	int result;

	arena_init(&arena, arena_bytes_max);
	while ((result = csv_next(&csv, &arena, &row)) != 0) {
		if (result == -ENOMEM || (result < 0 && import->column_count == 0)) {
			say_bad(import, row.line, "it cannot be read", SPAN(""));
			break;
		}
		if (result < 0) {
			say_bad(import, row.line, "its quotes or fields are not in order",
				SPAN(""));
		} else if (import->column_count > 0) {
			read_row(import, &row);
		} else {
			read_header(import, &row);
			if (import->bad > 0) {
				result = -EINVAL;
				break;
			}
		}
	}
	arena_free(&arena);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

/* --- The request. --- */

static void say_rows(const struct import *import, const json_t *reply)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "rows"), i, row)
	{
		const char *error = json_string_value(json_object_get(row, "error"));
		const char *mac = json_string_value(json_object_get(row, "mac"));

		say("%s, line %lld (%s): %s", import->path,
		    (long long)json_integer_value(json_object_get(row, "row")), mac ? mac : "",
		    error ? error : "");
	}
}

static void print_outcome(const struct import *import, const json_t *reply)
{
	long long devices = json_integer_value(json_object_get(reply, "devices"));
	long long refused = json_integer_value(json_object_get(reply, "refused"));
	bool is_trial = json_is_true(json_object_get(reply, "dry_run"));

	long long passed = refused + (long long)import->bad;
	bool is_one = devices - refused == 1;

	printf("%lld device%s %s", devices - refused, is_one ? "" : "s",
	       is_trial ? "would be claimed"
	       : is_one ? "is claimed"
			: "are claimed");
	if (passed > 0) {
		printf(", %lld row%s %s", passed, passed == 1 ? "" : "s",
		       is_trial	     ? "would be passed over"
		       : passed == 1 ? "was passed over"
				     : "were passed over");
	}
	putchar('\n');
}

static int send(const struct arguments *arguments, struct import *import)
{
	bool is_partial = argument(arguments, OPTION_PARTIAL) != NULL;
	json_t *body = json_object();
	json_t *reply = NULL;
	int result;

	json_object_set(body, "devices", import->devices);
	json_object_set_new(body, "partial", json_boolean(is_partial));
	json_object_set_new(body, "dry_run",
			    json_boolean(argument(arguments, OPTION_DRY_RUN) != NULL));
	result = client_try(arguments, "POST", "/api/v1/devices/import", body, &reply);
	if (reply) {
		say_rows(import, reply);
	}
	if (result != EXIT_DONE && reply) {
		client_say_refusal(reply);
	} else if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		print_outcome(import, reply);
	}
	json_decref(reply);
	return result;
}

/* Of a file with bad lines: what the server would refuse of the others, to be mended as well. */
static void say_what_else(const struct arguments *arguments, struct import *import)
{
	json_t *body = json_pack("{s:O, s:b, s:b}", "devices", import->devices, "partial", true,
				 "dry_run", true);
	json_t *reply = NULL;

	(void)client_try(arguments, "POST", "/api/v1/devices/import", body, &reply);
	if (reply) {
		say_rows(import, reply);
	}
	json_decref(reply);
}

static int import_all(const struct arguments *arguments, struct import *import, struct span text)
{
	size_t count;

	if (read_rows(import, text) != EXIT_DONE) {
		return EXIT_FAILED;
	}
	count = json_array_size(import->devices);
	if (import->bad > 0 && !argument(arguments, OPTION_PARTIAL)) {
		if (count > 0 && count <= devices_at_once_max) {
			say_what_else(arguments, import);
		}
		return fail("nothing was claimed; correct the lines named, or pass over them with "
			    "--partial");
	}
	if (count == 0) {
		return fail("%s names no device", import->path);
	}
	if (count > devices_at_once_max) {
		return fail("%s names %zu devices, and %d can be claimed in one step; split it",
			    import->path, count, devices_at_once_max);
	}
	return send(arguments, import);
}

int run_device_import(const struct arguments *arguments)
{
	struct import import = {.path = arguments->words[0],
				.devices = json_array(),
				.seen = json_object()};
	char *bytes = NULL;
	size_t length = 0;
	int result = csv_file_read(import.path, &bytes, &length);

	if (result == EXIT_DONE) {
		result = import_all(arguments, &import, span_make(bytes, length));
	}
	for (size_t i = 0; i < csv_fields_max; i++) {
		free(import.names[i]);
	}
	json_decref(import.devices);
	json_decref(import.seen);
	free(bytes);
	return result;
}

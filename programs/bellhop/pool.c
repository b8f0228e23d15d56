/* SPDX-License-Identifier: MIT */
/* bellhop pool … */
#include "core/base/csv.h"
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { arena_bytes_max = 64 << 20 };

static const char collection[] = "/api/v1/pools/";

static int pool_path(struct text *path, const char *name)
{
	return text_add_member(path, collection, name, false);
}

int run_pool_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{.title = "NAME", .member = "name"},
		{.title = "SIZE", .member = "size"},
		{.title = "TAKEN", .member = "taken"},
	};

	return print_list(arguments, "/api/v1/pools", "pools", columns,
			  sizeof(columns) / sizeof(columns[0]));
}

/*
 * The pool with all its numbers, page after page. EXIT_FAILED with the server's refusal, or with
 * NULL after saying why.
 */
static int read_pool(const struct arguments *arguments, bool has_secrets, json_t **pool)
{
	char after[64] = "";
	json_t *page = NULL;
	int result;

	*pool = NULL;
	do {
		struct text path = {.data = NULL};

		page = NULL;
		result = pool_path(&path, arguments->words[0]) < 0 ||
					 text_add_parameter(&path, "limit", "10000") < 0 ||
					 text_add_parameter(&path, "secrets",
							    has_secrets ? "1" : NULL) < 0 ||
					 text_add_parameter(&path, "after",
							    after[0] ? after : NULL) < 0
				 ? fail("out of memory")
				 : client_try(arguments, "GET", path.data, NULL, &page);
		free(path.data);
		if (result == EXIT_DONE) {
			const char *next = json_string_value(json_object_get(page, "next"));

			snprintf(after, sizeof(after), "%s", next ? next : "");
		}
		if (result == EXIT_DONE && *pool) {
			json_array_extend(json_object_get(*pool, "numbers"),
					  json_object_get(page, "numbers"));
			json_decref(page);
		} else {
			json_decref(*pool);
			*pool = page;
		}
	} while (result == EXIT_DONE && after[0]);
	return result;
}

int run_pool_show(const struct arguments *arguments)
{
	static const struct column rows[] = {
		{.title = "name", .member = "name"},
		{.title = "size", .member = "size"},
		{.title = "taken", .member = "taken"},
	};
	static const struct column columns[] = {
		{.title = "EXTENSION", .member = "extension"},
		{.title = "DEVICE", .member = "device"},
		{.title = "USERNAME", .member = "username"},
		{.title = "AUTH", .member = "auth_username", .spare = 1},
		{.title = "PASSWORD", .member = "password", .spare = 2},
		{.title = "DISPLAY NAME", .member = "display_name"},
	};
	json_t *pool = NULL;
	const json_t *range;
	size_t i;
	int result = read_pool(arguments, argument(arguments, OPTION_SECRETS), &pool);

	if (result != EXIT_DONE && pool) {
		client_say_refusal(pool);
	} else if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(pool);
	} else if (result == EXIT_DONE) {
		table_print_object(rows, sizeof(rows) / sizeof(rows[0]), pool);
		json_array_foreach(json_object_get(pool, "ranges"), i, range)
		{
			printf("range  %s\n", json_string_value(range));
		}
		table_print(columns, sizeof(columns) / sizeof(columns[0]),
			    json_object_get(pool, "numbers"));
	}
	json_decref(pool);
	return result;
}

/* --- Editing: ranges and rows as they are, with what is given. --- */

/* {"ranges": …, "numbers": …} of the pool that there is; of none, empty ones. NULL: said why. */
static json_t *read_body(const struct arguments *arguments)
{
	json_t *pool = NULL;
	int result = read_pool(arguments, true, &pool);
	json_t *body = json_object();
	json_t *rows = json_array();
	json_t *row;
	size_t i;

	if (result != EXIT_DONE && !pool) {
		json_decref(body);
		json_decref(rows);
		return NULL;
	}
	json_array_foreach(json_object_get(pool, "numbers"), i, row)
	{
		if (json_is_true(json_object_get(row, "row"))) {
			(void)json_object_del(row, "row");
			(void)json_object_del(row, "device");
			json_array_append(rows, row);
		}
	}
	json_object_set_new(body, "numbers", rows);
	if (json_object_get(pool, "ranges")) {
		json_object_set(body, "ranges", json_object_get(pool, "ranges"));
	}
	json_decref(pool);
	return body;
}

static void print_size(json_t *reply)
{
	long long size = (long long)json_integer_value(json_object_get(reply, "size"));

	printf("pool %s has %lld number%s, %lld of them taken\n",
	       json_string_value(json_object_get(reply, "name")), size, size == 1 ? "" : "s",
	       (long long)json_integer_value(json_object_get(reply, "taken")));
}

/* Takes `body` over. */
static int put(const struct arguments *arguments, json_t *body)
{
	struct text path = {.data = NULL};
	json_t *reply = NULL;
	int result;

	if (pool_path(&path, arguments->words[0]) < 0) {
		json_decref(body);
		return fail("out of memory");
	}
	result = client_ask(arguments, "PUT", path.data, body, &reply);
	result = print_reply(arguments, result, reply, print_size);
	free(path.data);
	return result;
}

int run_pool_set(const struct arguments *arguments)
{
	const char *text = argument(arguments, OPTION_RANGE);
	json_t *body;
	json_t *ranges;

	if (!text) {
		say("nothing to set; name --range, or give rows with `bellhop pool import`");
		return EXIT_USAGE;
	}
	body = read_body(arguments);
	if (!body) {
		return EXIT_FAILED;
	}
	ranges = json_array();
	while (*text) {
		size_t length = strcspn(text, ", ");

		if (length > 0) {
			(void)json_array_append_new(ranges, json_stringn(text, length));
		}
		text += length + (text[length] != '\0');
	}
	json_object_set_new(body, "ranges", ranges);
	return put(arguments, body);
}

/* --- Rows of a file. --- */

static const char *const columns[] = {"extension", "username", "auth_username", "password",
				      "display_name"};

enum { column_count = sizeof(columns) / sizeof(columns[0]) };

struct import {
	const char *path;
	size_t column_of[csv_fields_max]; /* of each field; column_count: none */
	size_t field_count;
	json_t *by_extension; /* rows; null: to be left as it is */
	size_t bad;
};

static void say_bad(struct import *import, unsigned line, const char *what)
{
	say("%s, line %u: %s", import->path, line, what);
	import->bad++;
}

static bool read_header(struct import *import, const struct csv_row *row)
{
	bool has_extension = false;

	import->field_count = row->count;
	for (size_t i = 0; i < row->count; i++) {
		size_t column = 0;

		while (column < column_count &&
		       !span_equal_nocase(row->fields[i], span_text(columns[column]))) {
			column++;
		}
		if (column == column_count) {
			say("%s, line %u: a pool has no column %.*s; it has extension, username, "
			    "auth_username, password and display_name",
			    import->path, row->line,
			    (int)(row->fields[i].length < 60 ? row->fields[i].length : 60),
			    row->fields[i].data);
			return false;
		}
		import->column_of[i] = column;
		has_extension |= column == 0;
	}
	if (!has_extension) {
		say("%s, line %u: there is no column extension", import->path, row->line);
	}
	return has_extension;
}

static void read_row(struct import *import, const struct csv_row *row)
{
	json_t *number = json_object();
	const char *extension;

	for (size_t i = 0; i < row->count && i < import->field_count; i++) {
		json_t *value = json_stringn(row->fields[i].data ? row->fields[i].data : "",
					     row->fields[i].length);

		if (!value) {
			say_bad(import, row->line, "it is not UTF-8 text");
			json_decref(number);
			return;
		}
		if (row->fields[i].length > 0) {
			json_object_set_new(number, columns[import->column_of[i]], value);
		} else {
			json_decref(value);
		}
	}
	extension = json_string_value(json_object_get(number, "extension"));
	if (row->count > import->field_count) {
		say_bad(import, row->line, "it has more fields than the first line");
	} else if (!extension) {
		say_bad(import, row->line, "it has no extension");
	} else if (json_object_get(import->by_extension, extension)) {
		say_bad(import, row->line, "its extension stands in another line, too");
	} else {
		json_object_set(import->by_extension, extension, number);
	}
	json_decref(number);
}

static int read_rows(struct import *import, struct span text)
{
	struct csv csv = csv_over(text);
	struct arena arena;
	struct csv_row row;
	bool has_header = false;
	int result;

	arena_init(&arena, arena_bytes_max);
	while ((result = csv_next(&csv, &arena, &row)) != 0) {
		if (result == -ENOMEM) {
			say_bad(import, row.line, "out of memory");
			break;
		}
		if (result < 0) {
			say_bad(import, row.line, "its quotes or fields are not in order");
		} else if (has_header) {
			read_row(import, &row);
		} else if (read_header(import, &row)) {
			has_header = true;
		} else {
			import->bad++;
			break;
		}
	}
	arena_free(&arena);
	if (import->bad == 0 && json_object_size(import->by_extension) == 0) {
		return fail("%s holds no rows", import->path);
	}
	return import->bad == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* The rows of the file in the place of those with the same extension, the others as they are. */
static json_t *merged(json_t *old, json_t *by_extension)
{
	json_t *rows = json_array();
	const char *extension;
	json_t *row;
	size_t i;

	json_array_foreach(old, i, row)
	{
		const char *its = json_string_value(json_object_get(row, "extension"));

		if (its && !json_object_get(by_extension, its)) {
			json_array_append(rows, row);
		}
	}
	json_object_foreach(by_extension, extension, row)
	{
		json_array_append(rows, row);
	}
	return rows;
}

int run_pool_import(const struct arguments *arguments)
{
	struct import import = {.path = arguments->words[1], .by_extension = json_object()};
	char *bytes = NULL;
	size_t length = 0;
	json_t *body = NULL;
	int result = csv_file_read(import.path, &bytes, &length);

	if (result == EXIT_DONE) {
		result = read_rows(&import, span_make(bytes, length));
	}
	if (result == EXIT_DONE) {
		body = read_body(arguments);
		result = body ? EXIT_DONE : EXIT_FAILED;
	}
	if (result == EXIT_DONE) {
		json_object_set_new(body, "numbers",
				    merged(json_object_get(body, "numbers"), import.by_extension));
		result = put(arguments, body);
	}
	json_decref(import.by_extension);
	free(bytes);
	return result;
}

int run_pool_remove(const struct arguments *arguments)
{
	return print_removal(arguments, collection, arguments->words[0], false);
}

/* SPDX-License-Identifier: MIT */
/* A pool out of its JSON. */
#include "core/fleet/pools.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { range_digits_max = 15, pool_bytes_max = 64 << 20 };

struct reading {
	struct number_pool *pool;
	struct writer *problem;
	size_t numbers_max;
	size_t size; /* numbers that there is room for */
};

static int refuse(struct reading *reading, int error, const char *what, struct span shown)
{
	writer_text(reading->problem, what);
	if (shown.length > 0) {
		writer_text(reading->problem, ": ");
		writer_escaped(reading->problem, shown, 80);
	}
	return error;
}

static int too_many(struct reading *reading)
{
	return refuse(reading, -ENOSPC,
		      "there are too many numbers; make fewer or raise pool_numbers in [limits]",
		      SPAN(""));
}

static struct span text_of(const json_t *value)
{
	return json_is_string(value)
		       ? span_make(json_string_value(value), json_string_length(value))
		       : SPAN("");
}

static struct pool_number *add(struct reading *reading)
{
	struct number_pool *pool = reading->pool;

	if (pool->count == reading->size) {
		size_t size = reading->size > 0 ? reading->size * 2 : 64;
		struct pool_number *numbers = realloc(pool->numbers, size * sizeof(*numbers));

		if (!numbers) {
			return NULL;
		}
		pool->numbers = numbers;
		reading->size = size;
	}
	pool->numbers[pool->count] = (struct pool_number){
		.extension = "",
		.username = "",
		.auth_username = "",
		.password = "",
		.display_name = "",
	};
	return &pool->numbers[pool->count++];
}

static int keep(struct reading *reading, const char **place, struct span text)
{
	*place = arena_copy(&reading->pool->arena, text).data;
	return *place ? 0 : -ENOMEM;
}

/* --- Rows. --- */

static int read_member(struct reading *reading, struct pool_number *number, const char *name,
		       const json_t *value)
{
	const struct {
		const char *name;
		const char **place;
	} members[] = {
		{"extension", &number->extension},	   {"username", &number->username},
		{"auth_username", &number->auth_username}, {"password", &number->password},
		{"display_name", &number->display_name},
	};

	if (!json_is_string(value)) {
		return refuse(reading, -EINVAL, "a member of a number is not text",
			      span_text(name));
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(name, members[i].name) == 0) {
			return keep(reading, members[i].place, text_of(value));
		}
	}
	return refuse(reading, -EINVAL,
		      "a number has extension, username, auth_username, password and "
		      "display_name, not",
		      span_text(name));
}

/* That its settings will be taken. */
static int check_row(struct reading *reading, struct pool_number *number)
{
	struct settings scratch = {.items = NULL};
	char problem[256] = "";
	int error;

	if (!pool_extension_is_legal(span_text(number->extension))) {
		return refuse(reading, -EINVAL,
			      "an extension has up to 31 letters, digits and ._-+*#, not",
			      span_text(number->extension));
	}
	if (!number->username[0]) {
		number->username = number->extension;
	}
	error = pool_number_settings(number, &scratch, problem, sizeof(problem));
	settings_free(&scratch);
	if (error) {
		writer_text(reading->problem, "number ");
		writer_text(reading->problem, number->extension);
		writer_text(reading->problem, ": ");
		writer_text(reading->problem, problem);
	}
	return error;
}

static int read_row(struct reading *reading, json_t *row)
{
	struct pool_number *number = add(reading);
	const char *name;
	json_t *value;
	int error = 0;

	if (!number) {
		return -ENOMEM;
	}
	if (!json_is_object(row)) {
		return refuse(reading, -EINVAL, "a number is not an object", SPAN(""));
	}
	number->is_row = true;
	json_object_foreach(row, name, value)
	{
		error = read_member(reading, number, name, value);
		if (error) {
			return error;
		}
	}
	return check_row(reading, number);
}

static int read_rows(struct reading *reading, json_t *rows)
{
	json_t *row;
	size_t i;
	int error = 0;

	if (rows && !json_is_array(rows)) {
		return refuse(reading, -EINVAL, "numbers is not a list", SPAN(""));
	}
	if (json_array_size(rows) > reading->numbers_max) {
		return too_many(reading);
	}
	json_array_foreach(rows, i, row)
	{
		error = read_row(reading, row);
		if (error) {
			return error;
		}
	}
	return 0;
}

/* --- Ranges. --- */

struct digits {
	uint64_t first;
	uint64_t last;
	size_t width; /* leading zeros count */
};

static int parse_range(struct span text, struct digits *range)
{
	size_t at = span_find(text, '-');
	struct span first = span_slice(text, 0, at);
	struct span last = at < text.length ? span_slice(text, at + 1, text.length) : first;

	if (first.length > range_digits_max || last.length > range_digits_max ||
	    span_to_unsigned(first, UINT64_MAX, &range->first) < 0 ||
	    span_to_unsigned(last, UINT64_MAX, &range->last) < 0 || range->first > range->last ||
	    first.length > last.length || (first.data[0] == '0' && first.length != last.length)) {
		return -EINVAL;
	}
	range->width = first.length;
	return 0;
}

static int add_range(struct reading *reading, struct span text)
{
	struct digits range;
	char digits[24];

	if (parse_range(text, &range) < 0) {
		return refuse(reading, -EINVAL, "a range is written as 200-299, not", text);
	}
	if (range.last - range.first >= reading->numbers_max - reading->pool->count) {
		return too_many(reading);
	}
	for (uint64_t n = range.first; n <= range.last; n++) {
		struct pool_number *number = add(reading);
		struct writer w = writer_over(digits, sizeof(digits));

		writer_padded(&w, n, (unsigned)range.width);
		if (!number || keep(reading, &number->extension, writer_span(&w)) < 0) {
			return -ENOMEM;
		}
		number->username = number->extension;
	}
	return 0;
}

static int read_ranges(struct reading *reading, json_t *ranges)
{
	struct number_pool *pool = reading->pool;
	size_t count = json_array_size(ranges);

	if (ranges && (!json_is_array(ranges) || count > pool_ranges_max)) {
		return refuse(reading, -EINVAL, "ranges is not a list of at most 1000", SPAN(""));
	}
	pool->ranges = calloc(count > 0 ? count : 1, sizeof(pool->ranges[0]));
	if (!pool->ranges) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		struct span text = text_of(json_array_get(ranges, i));
		int error = add_range(reading, text);

		if (!error) {
			error = keep(reading, &pool->ranges[i], text);
		}
		if (error) {
			return error;
		}
		pool->range_count++;
	}
	return 0;
}

/* --- All of it. --- */

static int compare_numbers(const void *a, const void *b)
{
	const struct pool_number *first = a;
	const struct pool_number *second = b;
	size_t first_length = strlen(first->extension);
	size_t second_length = strlen(second->extension);
	int order;

	if (first_length != second_length) {
		return first_length < second_length ? -1 : 1;
	}
	order = strcmp(first->extension, second->extension);
	return order != 0 ? order : (int)second->is_row - (int)first->is_row;
}

/* A row goes before what a range says of the same number; two rows of one number are a mistake. */
static int make_unique(struct reading *reading)
{
	struct number_pool *pool = reading->pool;
	size_t kept = 0;

	qsort(pool->numbers, pool->count, sizeof(pool->numbers[0]), compare_numbers);
	for (size_t i = 1; i < pool->count; i++) {
		const struct pool_number *number = &pool->numbers[i];

		if (strcmp(number->extension, pool->numbers[kept].extension) != 0) {
			pool->numbers[++kept] = *number;
		} else if (number->is_row) {
			return refuse(reading, -EINVAL, "two rows have one extension",
				      span_text(number->extension));
		}
	}
	pool->count = pool->count > 0 ? kept + 1 : 0;
	return 0;
}

static int read_members(struct reading *reading, json_t *json)
{
	const char *name;
	json_t *value;
	int error = read_rows(reading, json_object_get(json, "numbers"));

	json_object_foreach(json, name, value)
	{
		if (!error && strcmp(name, "ranges") != 0 && strcmp(name, "numbers") != 0) {
			error = refuse(reading, -EINVAL, "a pool has ranges and numbers, not",
				       span_text(name));
		}
	}
	error = error ? error : read_ranges(reading, json_object_get(json, "ranges"));
	if (!error && reading->pool->count == 0) {
		error = refuse(reading, -EINVAL, "the pool has no numbers; give it a range or rows",
			       SPAN(""));
	}
	error = error ? error : make_unique(reading);
	if (!error) {
		reading->pool->body = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
		error = reading->pool->body ? 0 : -ENOMEM;
	}
	return error;
}

static int read_pool(struct reading *reading, struct span name, struct span body)
{
	json_error_t where;
	json_t *json;
	int error;

	if (!pool_name_is_legal(name) ||
	    span_to_text(name, reading->pool->name, sizeof(reading->pool->name)) < 0) {
		return refuse(reading, -EINVAL, "a pool is named in letters, digits and ._-, not",
			      name);
	}
	json = json_loadb(body.data ? body.data : "", body.length, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(json)) {
		json_decref(json);
		return refuse(reading, -EINVAL, "the pool is not a JSON object", SPAN(""));
	}
	error = read_members(reading, json);
	json_decref(json);
	return error;
}

int number_pool_read(struct span name, struct span body, size_t numbers_max,
		     struct number_pool **pool, struct writer *problem)
{
	struct reading reading = {.pool = calloc(1, sizeof(struct number_pool)),
				  .problem = problem,
				  .numbers_max = numbers_max};
	int error;

	if (!reading.pool) {
		return -ENOMEM;
	}
	arena_init(&reading.pool->arena, pool_bytes_max);
	error = read_pool(&reading, name, body);
	if (error) {
		number_pool_free(reading.pool);
		return error;
	}
	*pool = reading.pool;
	return 0;
}

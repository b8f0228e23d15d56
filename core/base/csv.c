/* SPDX-License-Identifier: MIT */
#include "core/base/csv.h"

#include <errno.h>

static bool is_at(const struct csv *csv, char c)
{
	return csv->rest.length > 0 && csv->rest.data[0] == c;
}

static void advance(struct csv *csv, size_t count)
{
	csv->rest = span_slice(csv->rest, count, csv->rest.length);
}

/* What stands between the fields, by the first row. */
static char separator_of(struct span text)
{
	bool is_quoted = false;
	bool has_semicolon = false;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		is_quoted ^= c == '"';
		if (!is_quoted && c == ',') {
			return ',';
		}
		if (!is_quoted && c == '\n') {
			break;
		}
		has_semicolon |= !is_quoted && c == ';';
	}
	return has_semicolon ? ';' : ',';
}

struct csv csv_over(struct span text)
{
	if (span_starts_with(text, SPAN("\xef\xbb\xbf"))) {
		text = span_slice(text, 3, text.length);
	}
	return (struct csv){.rest = text, .separator = separator_of(text), .line = 1};
}

/* The end of a row, or of the text: true, and the reader is behind it. */
static bool take_end(struct csv *csv)
{
	size_t count = span_starts_with(csv->rest, SPAN("\r\n")) ? 2 : 1;

	if (csv->rest.length == 0) {
		return true;
	}
	if (count == 1 && !is_at(csv, '\n')) {
		return false;
	}
	advance(csv, count);
	csv->line++;
	return true;
}

/* The length of a quoted field up to its last quote, or SIZE_MAX when it does not end. */
static size_t quoted_length(struct span text, size_t *doubled)
{
	*doubled = 0;
	for (size_t i = 1; i < text.length; i++) {
		if (text.data[i] != '"') {
			continue;
		}
		if (i + 1 < text.length && text.data[i + 1] == '"') {
			++*doubled;
			i++;
		} else {
			return i;
		}
	}
	return SIZE_MAX;
}

static int take_quoted(struct csv *csv, struct arena *arena, struct span *field)
{
	size_t doubled;
	size_t end = quoted_length(csv->rest, &doubled);
	char *copy;
	size_t length = 0;

	if (end == SIZE_MAX) {
		return -EINVAL;
	}
	*field = span_slice(csv->rest, 1, end);
	for (size_t i = 0; i < field->length; i++) {
		csv->line += field->data[i] == '\n';
	}
	advance(csv, end + 1);
	if (doubled == 0) {
		return 0;
	}
	copy = arena_allocate(arena, field->length);
	if (!copy) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < field->length; i++) {
		copy[length++] = field->data[i];
		i += field->data[i] == '"';
	}
	*field = span_make(copy, length);
	return 0;
}

static void take_plain(struct csv *csv, struct span *field)
{
	size_t length = 0;

	while (length < csv->rest.length && csv->rest.data[length] != csv->separator &&
	       csv->rest.data[length] != '\n') {
		length++;
	}
	*field = span_slice(csv->rest, 0, length);
	advance(csv, length);
	/* A carriage return before the line feed belongs to the end of the row. */
	if (is_at(csv, '\n') && span_ends_with(*field, SPAN("\r"))) {
		field->length--;
	}
	*field = span_trim(*field);
}

/* To the next row, after a mistake. */
static void skip_row(struct csv *csv)
{
	size_t end = span_find(csv->rest, '\n');

	csv->line += end < csv->rest.length;
	advance(csv, end < csv->rest.length ? end + 1 : end);
}

static int take_row(struct csv *csv, struct arena *arena, struct csv_row *row)
{
	for (;;) {
		struct span field;
		int error = 0;

		if (is_at(csv, '"')) {
			error = take_quoted(csv, arena, &field);
		} else {
			take_plain(csv, &field);
		}
		if (!error && row->count == csv_fields_max) {
			error = -E2BIG;
		}
		if (error) {
			return error;
		}
		row->fields[row->count++] = field;
		if (take_end(csv)) {
			return 1;
		}
		if (!is_at(csv, csv->separator)) {
			return -EINVAL;
		}
		advance(csv, 1);
	}
}

static bool is_empty(const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		if (row->fields[i].length > 0) {
			return false;
		}
	}
	return true;
}

int csv_next(struct csv *csv, struct arena *arena, struct csv_row *row)
{
	int result = 0;

	while (csv->rest.length > 0) {
		row->line = csv->line;
		row->count = 0;
		result = take_row(csv, arena, row);
		if (result < 0) {
			skip_row(csv);
			return result;
		}
		if (!is_empty(row)) {
			return 1;
		}
	}
	return 0;
}

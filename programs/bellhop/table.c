/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/table.h"

#include <stdio.h>
#include <string.h>

/* One column a character: the octets of UTF-8 that go on a character take none. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++) {
		width += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return width;
}

size_t table_put(const char *text)
{
	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;

		putchar(c < 0x20 || c == 0x7f ? '?' : c);
	}
	return width_of(text);
}

const char *table_text(const json_t *value, char number[static 24])
{
	if (json_is_string(value)) {
		return json_string_value(value);
	}
	if (json_is_integer(value)) {
		snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return number;
	}
	if (json_is_boolean(value)) {
		return json_is_true(value) ? "yes" : "no";
	}
	return "";
}

static void put_padded(const char *text, size_t width, bool is_last)
{
	size_t used = table_put(text);

	if (is_last) {
		putchar('\n');
		return;
	}
	for (; used < width + 2; used++) {
		putchar(' ');
	}
}

void table_print(const struct column *columns, size_t column_count, const json_t *list)
{
	size_t widths[table_columns_max] = {0};
	char number[24];
	const json_t *row;
	size_t i;

	if (json_array_size(list) == 0) {
		return;
	}
	for (size_t c = 0; c < column_count; c++) {
		widths[c] = width_of(columns[c].title);
	}
	json_array_foreach(list, i, row)
	{
		for (size_t c = 0; c < column_count; c++) {
			size_t width = width_of(
				table_text(json_object_get(row, columns[c].member), number));

			widths[c] = width > widths[c] ? width : widths[c];
		}
	}
	for (size_t c = 0; c < column_count; c++) {
		put_padded(columns[c].title, widths[c], c + 1 == column_count);
	}
	json_array_foreach(list, i, row)
	{
		for (size_t c = 0; c < column_count; c++) {
			put_padded(table_text(json_object_get(row, columns[c].member), number),
				   widths[c], c + 1 == column_count);
		}
	}
}

void table_print_object(const struct column *rows, size_t row_count, const json_t *object)
{
	size_t width = 0;
	char number[24];

	for (size_t i = 0; i < row_count; i++) {
		size_t title = width_of(rows[i].title);

		width = title > width ? title : width;
	}
	for (size_t i = 0; i < row_count; i++) {
		const char *text = table_text(json_object_get(object, rows[i].member), number);

		if (*text) {
			put_padded(rows[i].title, width, false);
			put_padded(text, 0, true);
		}
	}
}

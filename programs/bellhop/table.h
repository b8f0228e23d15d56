/* SPDX-License-Identifier: MIT */
/* Tables for people: columns as wide as their widest cell; controls become '?'. */
#ifndef BELLHOP_PROGRAMS_TABLE_H
#define BELLHOP_PROGRAMS_TABLE_H

#include <jansson.h>
#include <stdbool.h>

enum { table_columns_max = 8 };

struct column {
	const char *title;
	const char *member; /* of each object of the list */
};

/* Prints the objects of a JSON array, one a line, with a line of titles unless it is empty. */
void table_print(const struct column *columns, size_t column_count, const json_t *list);

/* "title  value" lines of one object's members; members that are empty are left out. */
void table_print_object(const struct column *rows, size_t row_count, const json_t *object);

/* A text as it may go to a terminal. Returns how many columns it took. */
size_t table_put(const char *text);

/* A JSON value as a text: strings as they are, null as "", numbers in `number`. */
const char *table_text(const json_t *value, char number[static 24]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Text for people: tables with columns as wide as their widest cell, cut where a terminal ends (a
 * pipe or a file gets all of it). What a phone or a file says must not steer the terminal:
 * controls, those of Unicode's second block and line separators too, become '?'.
 */
#ifndef BELLHOP_PROGRAMS_TABLE_H
#define BELLHOP_PROGRAMS_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { table_columns_max = 10, table_number_size = 24 };

enum column_form {
	COLUMN_TEXT,
	COLUMN_AGE, /* a time, as "5 min ago" */
};

struct column {
	const char *title;
	const char *member; /* of each object of the list */
	enum column_form form;
	unsigned spare; /* where the terminal is too narrow the greatest goes first; 0: never */
};

/* A table that comes page after page: its columns grow, and what is printed stays. */
struct table {
	const struct column *columns;
	size_t count;
	size_t widths[table_columns_max];
	bool is_hidden[table_columns_max];
	bool has_titles; /* they are printed */
};

/* Prints the objects of a JSON array, one a line; before the first a line of titles. */
void table_append(struct table *table, const json_t *list);

/* The same for a list that is whole; nothing for an empty one. */
void table_print(const struct column *columns, size_t column_count, const json_t *list);

/* "title  value" lines of one object's members; members that are empty are left out. */
void table_print_object(const struct column *rows, size_t row_count, const json_t *object);

/* A text as it may go to a terminal. Returns how many columns it took. */
size_t table_put(const char *text);
size_t table_put_to(FILE *file, const char *text);

/* Columns of the terminal on stdout; SIZE_MAX when it is none. */
size_t table_terminal_width(void);

/* A JSON value as a text: strings as they are, null as "", numbers in `number`. */
const char *table_text(const json_t *value, char number[static table_number_size]);

#endif

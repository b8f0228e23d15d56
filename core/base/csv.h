/* SPDX-License-Identifier: MIT */
/*
 * Comma-separated values (RFC 4180), and what spreadsheets make of them: CRLF or LF ends a row, a
 * field may stand in quotes (a quote inside is doubled, commas and line ends belong to it), a mark
 * of byte order at the start is passed over, and where the first row has a semicolon and no comma
 * outside quotes, semicolons stand between fields. Rows that are empty are passed over.
 */
#ifndef BELLHOP_CORE_BASE_CSV_H
#define BELLHOP_CORE_BASE_CSV_H

#include "core/base/arena.h"

enum { csv_fields_max = 256 };

struct csv {
	struct span rest;
	char separator;
	unsigned line; /* that `rest` begins at, from 1 */
};

struct csv_row {
	unsigned line; /* it begins at */
	size_t count;
	struct span fields[csv_fields_max]; /* in the text, or in the arena where quotes were */
};

/* A reader of a text, which must outlive the fields. */
struct csv csv_over(struct span text);

/*
 * The next row: 1; 0 after the last; -EINVAL a quote that does not end, or something behind one
 * that ends (row->line says where it begins; the reader then stands behind it); -E2BIG more than
 * csv_fields_max fields; -ENOMEM.
 */
int csv_next(struct csv *csv, struct arena *arena, struct csv_row *row);

#endif

/* SPDX-License-Identifier: MIT */
/* How values stand in rows: the same for every table. */
#ifndef BELLHOP_IO_STORE_SQLITE_ROW_H
#define BELLHOP_IO_STORE_SQLITE_ROW_H

#include "io/store_sqlite_internal.h"

/* `text` must live until the statement has run. */
static inline void row_bind_text(sqlite3_stmt *row, int column, const char *text)
{
	sqlite3_bind_text(row, column, text, -1, SQLITE_STATIC);
}

static inline void row_bind_number(sqlite3_stmt *row, int column, uint64_t number)
{
	sqlite3_bind_int64(row, column, (sqlite3_int64)number);
}

/* A column as text that lives until the next step. */
static inline struct span row_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	return span_make((const char *)text, (size_t)sqlite3_column_bytes(row, column));
}

/* Revisions, times, counts: there is always a next one, and it can be written. False: not so. */
static inline bool row_number(sqlite3_stmt *row, int column, uint64_t *number)
{
	sqlite3_int64 value = sqlite3_column_int64(row, column);

	*number = (uint64_t)value;
	return value >= 0 && value <= store_sqlite_number_max;
}

#endif

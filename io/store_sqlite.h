/* SPDX-License-Identifier: MIT */
/*
 * The embedded database: SQLite in WAL mode with synchronous=FULL, so that what was committed is
 * there after a power cut. The schema's version is PRAGMA user_version; older ones are migrated
 * step by step, newer ones refused. One server at a time: a lock file beside the database
 * (PATH.lock) is held for as long as it is open.
 */
#ifndef BELLHOP_IO_STORE_SQLITE_H
#define BELLHOP_IO_STORE_SQLITE_H

#include "io/store_database.h"

struct store_sqlite_options {
	const char *path;  /* the folder must exist; the file is made with 0600 */
	size_t events_max; /* kept; the oldest beyond are removed */
	size_t audit_max;
	unsigned busy_ms;   /* how long to wait for another program's lock */
	unsigned pages_max; /* 0: SQLite's own limit. For tests of a full disk. */
};

enum { store_sqlite_schema_version = 2 };

/*
 * Opens (or makes) the database, checks that it is whole and brings the schema up to date. 0 and
 * `*database`, closed by its class; -EBUSY another server has it, -EIO damaged (nothing is changed
 * or replaced), -EPROTO written by a newer Bellhop, -EACCES, -EROFS, -ENOSPC, -ENOMEM.
 */
int store_sqlite_open(struct store_database **database, const struct store_sqlite_options *options,
		      char *problem, size_t problem_size);

#endif

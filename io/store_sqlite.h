/* SPDX-License-Identifier: MIT */
/*
 * The embedded database: SQLite in WAL mode with synchronous=FULL, so that what was committed is
 * there after a power cut. The schema's version is PRAGMA user_version; older ones are migrated
 * step by step, with a copy kept before each, newer ones are refused. One server at a time: a lock
 * file beside the database (PATH.lock) is held for as long as it is open. It also tells the next
 * start whether the last one ended cleanly; if not, the whole database is checked.
 *
 * What else may lie beside the database PATH:
 *
 *	PATH-wal, PATH-shm         SQLite's own, while it is open or after a crash: part of it
 *	PATH.schema-N              as it was before it was brought from schema N to N + 1
 *	PATH.before-restore-TIME   as it was before another one was put in its place
 *	PATH.part-XXXXXX           being written; what a crash left is removed at the next start
 */
#ifndef BELLHOP_IO_STORE_SQLITE_H
#define BELLHOP_IO_STORE_SQLITE_H

#include "io/store_database.h"

/* Step i brings schema version i to i + 1: SQL, run in one transaction. */
struct store_sqlite_schema {
	const char *const *steps;
	int version; /* how many steps there are */
};

extern const struct store_sqlite_schema store_sqlite_schema;

struct store_sqlite_options {
	const char *path;  /* the folder must exist; the file is made with 0600 */
	size_t events_max; /* kept; the oldest beyond are removed */
	size_t audit_max;
	unsigned busy_ms;   /* how long to wait for another program's lock */
	unsigned pages_max; /* 0: SQLite's own limit. For tests of a full disk. */
	const struct store_sqlite_schema *schema; /* NULL: store_sqlite_schema */
	/* What an operator should read of the opening: that the database is new, that a copy was
	 * kept. May be NULL. */
	void (*tell)(void *context, const char *sentence);
	void *context;
};

/*
 * Opens (or makes) the database, checks it (as a whole when the last end was not clean, or somebody
 * else has written to it since) and brings the schema up to date. 0 and `*database`, closed by its
 * class; -EBUSY another server has it, -EUCLEAN damaged (nothing is changed or replaced), -EPROTO
 * written by a newer Bellhop or another program, -EIO, -EACCES, -EROFS, -ENOSPC, -ENOMEM.
 */
int store_sqlite_open(struct store_database **database, const struct store_sqlite_options *options,
		      char *problem, size_t problem_size);

#endif

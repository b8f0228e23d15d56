/* SPDX-License-Identifier: MIT */
/*
 * What the store wants of a database: load everything, write records in order and durably, be
 * copied and be replaced as a whole. Implemented by store_sqlite. Every call is made by the store's
 * own thread, except open and load, which run before that thread starts, and `copy`, `open_upload`
 * and `take_in`, which may run on any thread beside it.
 *
 * Each function returns 0 or a negative errno with one sentence in `problem` that says what failed
 * and what to do: -ENOSPC disk or database full, -EROFS may not be written, -EIO the disk failed,
 * -EUCLEAN the database is damaged, -EBUSY somebody else holds it, -ENOMEM.
 */
#ifndef BELLHOP_IO_STORE_DATABASE_H
#define BELLHOP_IO_STORE_DATABASE_H

#include "core/admin/event.h"
#include "core/fleet/inventory.h"

struct store_database;

/* One line of the audit log. */
struct store_audit {
	uint64_t utc_ms;
	struct span who;     /* "root (uid 0)" */
	struct span what;    /* "device set" */
	struct span subject; /* a MAC or a name */
	struct span detail;  /* JSON, without the values of secrets */
};

/* What a copy holds, for people. */
struct store_holdings {
	uint64_t devices;
	uint64_t profiles; /* those that were made or edited */
	uint64_t bytes;	   /* of the copy */
	unsigned schema;
};

/* An event read from the database; the text is valid for the call. */
typedef int store_event_fn(void *context, const struct event *event);

struct store_database_class {
	/* Reads all devices and profiles into an empty inventory. */
	int (*load)(struct store_database *database, struct inventory *inventory, char *problem,
		    size_t problem_size);
	/* Hands over the newest `count` events, oldest first; stops when the function fails. */
	int (*load_events)(struct store_database *database, size_t count, store_event_fn *each,
			   void *context, char *problem, size_t problem_size);

	int (*begin)(struct store_database *database, char *problem, size_t problem_size);
	/* The records that a change comes to. */
	int (*write)(struct store_database *database, const struct prepared *prepared,
		     char *problem, size_t problem_size);
	int (*write_event)(struct store_database *database, const struct event *event,
			   char *problem, size_t problem_size);
	int (*write_audit)(struct store_database *database, const struct store_audit *audit,
			   char *problem, size_t problem_size);
	/*
	 * Durable when it returns 0; on failure nothing since `begin` is kept. When the disk takes
	 * nothing at all any more, what was refused may be found after a crash: the sentence says
	 * so then.
	 */
	int (*commit)(struct store_database *database, char *problem, size_t problem_size);
	void (*rollback)(struct store_database *database);
	/*
	 * What can wait until those who waited for a commit were told. A failure loses nothing and
	 * is tried again with a later call.
	 */
	int (*tend)(struct store_database *database, char *problem, size_t problem_size);
	void (*close)(struct store_database *database);

	/*
	 * A consistent copy of what is committed, examined: `*file` is open for reading at its
	 * start, the caller's, and has no name any more. Commits go on meanwhile. -EBUSY while
	 * another copy is made or the database is replaced.
	 */
	int (*copy)(struct store_database *database, int *file, struct store_holdings *holdings,
		    char *problem, size_t problem_size);
	/* A file without a name for the bytes of such a copy, where `take_in` needs not copy it. */
	int (*open_upload)(struct store_database *database, char *problem, size_t problem_size);
	/*
	 * Makes a database of such a file (its only descriptor, taken over, whatever comes of it),
	 * whose bytes nobody needs to trust, beside the one in use: checked as a whole but for its
	 * rows (load checks those), older schemas brought up to date, its events dropped.
	 * `*candidate` is to be loaded, written to, and handed to `replace`, or closed. -EINVAL it
	 * is not one that can be used, and why.
	 */
	int (*take_in)(struct store_database *database, int file, struct store_database **candidate,
		       struct store_holdings *holdings, char *problem, size_t problem_size);
	/*
	 * Puts the candidate, which is taken over, in the place of the database, in one durable
	 * step: whoever opens it after a crash finds the old one or the new one. What was is kept;
	 * `kept` gets its name. On failure the old one stays in use.
	 */
	int (*replace)(struct store_database *database, struct store_database *candidate,
		       uint64_t utc_ms, struct writer *kept, char *problem, size_t problem_size);
};

struct store_database {
	const struct store_database_class *class;
};

#endif

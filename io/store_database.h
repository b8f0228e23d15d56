/* SPDX-License-Identifier: MIT */
/*
 * What the store wants of a database: load everything, write records in order and durably, tell of
 * what others wrote. Implemented by store_sqlite; every call is made by the store's own thread,
 * except open and load, which run before that thread starts.
 *
 * Each function returns 0 or a negative errno with one sentence in `problem` that says what failed
 * and what to do: -ENOSPC disk or database full, -EROFS may not be written, -EIO the disk failed or
 * the database is damaged, -EBUSY somebody else holds it, -ENOMEM.
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
	/* Durable when it returns 0; on failure nothing since `begin` is kept. */
	int (*commit)(struct store_database *database, char *problem, size_t problem_size);
	void (*rollback)(struct store_database *database);
	void (*close)(struct store_database *database);
};

struct store_database {
	const struct store_database_class *class;
};

#endif

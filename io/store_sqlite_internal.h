/* SPDX-License-Identifier: MIT */
/*
 * What the two halves of store_sqlite share: store_sqlite.c opens, migrates and runs transactions,
 * store_sqlite_rows.c turns records into rows and back.
 */
#ifndef BELLHOP_IO_STORE_SQLITE_INTERNAL_H
#define BELLHOP_IO_STORE_SQLITE_INTERNAL_H

#include "io/store_sqlite.h"

#include <sqlite3.h>

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_DEVICE_WRITE,
	STATEMENT_DEVICE_REMOVE,
	STATEMENT_DEVICE_SETTING_WRITE,
	STATEMENT_DEVICE_SETTINGS_REMOVE,
	STATEMENT_PROFILE_WRITE,
	STATEMENT_PROFILE_REMOVE,
	STATEMENT_PROFILE_SETTING_WRITE,
	STATEMENT_PROFILE_SETTINGS_REMOVE,
	STATEMENT_EVENT_WRITE,
	STATEMENT_EVENTS_PRUNE,
	STATEMENT_AUDIT_WRITE,
	STATEMENT_AUDIT_PRUNE,
	STATEMENT_COUNT,
};

struct store_sqlite {
	struct store_database base;
	sqlite3 *connection;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	char *path;
	int lock; /* descriptor of PATH.lock */
	size_t events_max;
	size_t audit_max;
	uint64_t last_event_id; /* written since begin; 0: none */
	bool has_new_audit;
};

extern const char *const store_sqlite_statements[STATEMENT_COUNT];

/*
 * Turns SQLite's result of `doing` ("write to", "read") into a negative errno and a sentence that
 * names the file and the remedy.
 */
int store_sqlite_fault(const struct store_sqlite *store, int code, const char *doing, char *problem,
		       size_t problem_size);

/* Runs a statement that gives no rows, and makes it ready for its next use. */
int store_sqlite_run(struct store_sqlite *store, enum statement which, char *problem,
		     size_t problem_size);

int store_sqlite_load(struct store_database *database, struct inventory *inventory, char *problem,
		      size_t problem_size);
int store_sqlite_load_events(struct store_database *database, size_t count, store_event_fn *each,
			     void *context, char *problem, size_t problem_size);
int store_sqlite_write(struct store_database *database, const struct prepared *prepared,
		       char *problem, size_t problem_size);
int store_sqlite_write_event(struct store_database *database, const struct event *event,
			     char *problem, size_t problem_size);
int store_sqlite_write_audit(struct store_database *database, const struct store_audit *audit,
			     char *problem, size_t problem_size);

#endif

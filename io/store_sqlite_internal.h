/* SPDX-License-Identifier: MIT */
/*
 * What the parts of store_sqlite share:
 *
 *	store_sqlite.c             opens and closes, runs transactions
 *	store_sqlite_connection.c  the connection, and what its errors mean
 *	store_sqlite_files.c       the lock, and the files beside the database
 *	store_sqlite_schema.c      whose database it is, and bringing it up to date
 *	store_sqlite_row.h         how values stand in rows
 *	store_sqlite_rows.c        records become rows
 *	store_sqlite_load.c        rows become records
 *	store_sqlite_rules.c       rules, pools, and who has which number
 *	store_sqlite_forms.c       both, for the table of forms
 *	store_sqlite_copy.c        copies, and what is made of one that is handed in
 *	store_sqlite_replace.c     another one takes the place of the database
 */
#ifndef BELLHOP_IO_STORE_SQLITE_INTERNAL_H
#define BELLHOP_IO_STORE_SQLITE_INTERNAL_H

#include "io/store_sqlite.h"

#include <pthread.h>
#include <sqlite3.h>

enum { store_sqlite_log_frames_max = 1000 }; /* pages in the log before they are moved */

/* Of the numbers in rows that go on rising: what a server of ours never comes to. */
static const sqlite3_int64 store_sqlite_number_max = INT64_C(1) << 62;

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
	STATEMENT_FORM_WRITE,
	STATEMENT_FORMS_REMOVE,
	STATEMENT_EVENT_WRITE,
	STATEMENT_EVENTS_PRUNE,
	STATEMENT_AUDIT_WRITE,
	STATEMENT_AUDIT_PRUNE,
	STATEMENT_RULE_WRITE,
	STATEMENT_RULE_REMOVE,
	STATEMENT_RULE_USED,
	STATEMENT_POOL_WRITE,
	STATEMENT_POOL_REMOVE,
	STATEMENT_NUMBER_WRITE,
	STATEMENT_NUMBER_REMOVE,
	STATEMENT_COUNT,
};

struct store_sqlite {
	struct store_database base;
	struct store_sqlite_options options;
	/* NULL when it could not be opened again; the next transaction tries. */
	sqlite3 *connection;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	char *path;
	const char *name;	 /* of it in sentences: the path, or "the file" of a candidate */
	bool is_candidate;	 /* a database beside the one in use, removed when it is closed */
	bool is_open;		 /* all of it was set up once */
	bool is_suspect;	 /* damage was met: the next start checks the whole database */
	int lock;		 /* descriptor of PATH.lock */
	pthread_mutex_t copying; /* held while a copy is made, or the file replaced */
	uint64_t last_event_id;	 /* written since begin; 0: none */
	bool has_new_audit;
	bool is_unsettled;  /* a commit that failed is still in the log: see store_sqlite.c */
	int log_frames;	    /* in the log after the last commit */
	int log_frames_due; /* so many, and they are moved into the database */
};

extern const char *const store_sqlite_statements[STATEMENT_COUNT];

/* --- store_sqlite_connection.c --- */

/*
 * Turns SQLite's result of `doing` ("write to", "read") into a negative errno and a sentence that
 * names the file and the remedy. SQLite tells that the kernel refused, and not why (or why it did
 * the time before): that is taken from errno, which whoever calls SQLite clears before.
 */
int store_sqlite_fault(const struct store_sqlite *store, int code, const char *doing, char *problem,
		       size_t problem_size);

/* The same for the file called `name`, without a remedy when it is damaged. */
int store_sqlite_fault_of(const char *name, int code, const char *doing, char *problem,
			  size_t problem_size);

/* "put a backup in its place, …", or what suits a candidate. */
const char *store_sqlite_remedy(const struct store_sqlite *store);

/* Runs a statement that gives no rows, and makes it ready for its next use. */
int store_sqlite_run(struct store_sqlite *store, enum statement which, char *problem,
		     size_t problem_size);

/* Runs SQL that gives at most one value, as text in `value` (may be NULL): SQLite's result. */
int store_sqlite_query(sqlite3 *connection, const char *sql, char *value, size_t value_size);

/* Opens a file that is there, for reading and writing: SQLite's result. */
int store_sqlite_open_file(const char *path, sqlite3 **connection);

/* Opens the connection with nothing written yet, so that the database can be looked at first. */
int store_sqlite_attach(struct store_sqlite *store, char *problem, size_t problem_size);

/* What SQLite must never do on our behalf, whatever the database says. 0 or SQLite's result. */
int store_sqlite_harden(sqlite3 *connection);

/* Sets the connection up for our transactions, and prepares the statements. */
int store_sqlite_configure(struct store_sqlite *store, char *problem, size_t problem_size);
int store_sqlite_prepare(struct store_sqlite *store, char *problem, size_t problem_size);

/* All three, for a database that was open before. */
int store_sqlite_connect(struct store_sqlite *store, char *problem, size_t problem_size);

/* Closes the connection. 0, or -EBUSY when the log could not be moved into the database. */
int store_sqlite_disconnect(struct store_sqlite *store);

/* --- store_sqlite_files.c --- */

/* "PATHsuffix" into `path`. 0 or -ENAMETOOLONG with a sentence. */
int store_sqlite_beside(const struct store_sqlite *store, const char *suffix, char *path,
			size_t path_size, char *problem, size_t problem_size);

/*
 * Takes PATH.lock. `*was_closed` says that the database is as a server of ours left it when it
 * ended cleanly.
 */
int store_sqlite_lock(struct store_sqlite *store, bool *was_closed, char *problem,
		      size_t problem_size);

/* Closes PATH.lock; with `is_closed`, notes in it that the end was clean. */
void store_sqlite_unlock(struct store_sqlite *store, bool is_closed);

/* Whether the log of the database is there and holds something. */
bool store_sqlite_has_log(const struct store_sqlite *store);

/* Makes the database's file when it is not there (`*is_new`). */
int store_sqlite_make_file(const struct store_sqlite *store, bool *is_new, char *problem,
			   size_t problem_size);

/* Removes what a crash left beside the database: PATH.part-…, and second names of its file. */
void store_sqlite_sweep(const struct store_sqlite *store);

extern const char store_sqlite_part_suffix[];

/* Makes an empty PATH.part-XXXXXX, 0600: its name, to be freed, in `*path`. */
int store_sqlite_make_part(const struct store_sqlite *store, char **path, char *problem,
			   size_t problem_size);

/* Removes a part, and what SQLite may have left beside it. */
void store_sqlite_remove_part(const char *path);

/* --- store_sqlite_schema.c --- */

/*
 * That the database is ours, no newer than we are, and (`is_whole_check`) whole. A candidate's
 * tables must be exactly ours. `*version` is that of its schema, 0 for an empty one.
 */
int store_sqlite_examine(struct store_sqlite *store, bool is_whole_check, int *version,
			 char *problem, size_t problem_size);

/* Brings the schema up to date; keeps a copy before each step (none of a candidate). */
int store_sqlite_migrate(struct store_sqlite *store, int version, char *problem,
			 size_t problem_size);

/* --- store_sqlite_copy.c --- */

/*
 * Copies what is committed into the empty file `path`, which becomes a database without a log, not
 * synced yet. `holdings` may be NULL.
 */
int store_sqlite_copy_to(struct store_sqlite *store, const char *path,
			 struct store_holdings *holdings, char *problem, size_t problem_size);

int store_sqlite_copy(struct store_database *database, int *file, struct store_holdings *holdings,
		      char *problem, size_t problem_size);
int store_sqlite_open_upload(struct store_database *database, char *problem, size_t problem_size);
int store_sqlite_take_in(struct store_database *database, int file,
			 struct store_database **candidate, struct store_holdings *holdings,
			 char *problem, size_t problem_size);

/* --- store_sqlite_replace.c --- */

int store_sqlite_replace(struct store_database *database, struct store_database *candidate,
			 uint64_t utc_ms, struct writer *kept, char *problem, size_t problem_size);

/* --- store_sqlite.c --- */

/* A struct without connection and lock: NULL without memory. `path` is taken over. */
struct store_sqlite *store_sqlite_new(const struct store_sqlite_options *options, char *path);

/* --- store_sqlite_forms.c --- */

int store_sqlite_write_form(struct store_sqlite *store, const struct prepared *prepared,
			    char *problem, size_t problem_size);
int store_sqlite_load_forms(struct store_sqlite *store, struct inventory *inventory, char *problem,
			    size_t problem_size);

/* --- store_sqlite_rows.c, store_sqlite_load.c --- */

int store_sqlite_load(struct store_database *database, struct inventory *inventory, char *problem,
		      size_t problem_size);

/* A row that cannot be loaded. */
struct row_fault {
	const char *table; /* as people say it: "device" */
	int result;	   /* -ENOMEM; -ENOSPC: the inventory is full; else the row is not ours */
	const char *what;  /* of it is wrong, or */
	const char *why;   /* a sentence that says it */
};

/* Says so; its first column is its name. -ENOMEM, -ENOSPC or -EUCLEAN. */
int store_sqlite_refuse_row(const struct store_sqlite *store, sqlite3_stmt *row,
			    struct row_fault fault, char *problem, size_t problem_size);

/* Calls `load_row` for each row of `sql`, until it returns other than 0. */
typedef int store_sqlite_row_fn(struct store_sqlite *store, sqlite3_stmt *row,
				struct inventory *inventory, char *problem, size_t problem_size);
int store_sqlite_load_rows(struct store_sqlite *store, const char *sql,
			   store_sqlite_row_fn *load_row, struct inventory *inventory,
			   char *problem, size_t problem_size);

int store_sqlite_load_events(struct store_database *database, size_t count, store_event_fn *each,
			     void *context, char *problem, size_t problem_size);
int store_sqlite_write(struct store_database *database, const struct prepared *prepared,
		       char *problem, size_t problem_size);
int store_sqlite_write_event(struct store_database *database, const struct event *event,
			     char *problem, size_t problem_size);
int store_sqlite_write_audit(struct store_database *database, const struct store_audit *audit,
			     char *problem, size_t problem_size);

/* --- store_sqlite_rules.c --- */

/* What a prepared change means for rules, pools and numbers; its device is written before. */
int store_sqlite_write_rules(struct store_sqlite *store, const struct prepared *prepared,
			     char *problem, size_t problem_size);

/* After the profiles and the devices. */
int store_sqlite_load_rules(struct store_sqlite *store, struct inventory *inventory, char *problem,
			    size_t problem_size);

#endif

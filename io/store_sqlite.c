/* SPDX-License-Identifier: MIT */
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void rollback(struct store_database *database)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	char problem[8];

	/* SQLite may have rolled back by itself (disk full, I/O error). */
	if (store->connection && !sqlite3_get_autocommit(store->connection)) {
		(void)store_sqlite_run(store, STATEMENT_ROLLBACK, problem, sizeof(problem));
	}
}

static int prune(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int result = 0;

	if (store->last_event_id > store->options.events_max) {
		sqlite3_bind_int64(store->statements[STATEMENT_EVENTS_PRUNE], 1,
				   (sqlite3_int64)(store->last_event_id -
						   store->options.events_max));
		result = store_sqlite_run(store, STATEMENT_EVENTS_PRUNE, problem, problem_size);
	}
	if (result == 0 && store->has_new_audit) {
		sqlite3_bind_int64(store->statements[STATEMENT_AUDIT_PRUNE], 1,
				   (sqlite3_int64)store->options.audit_max);
		result = store_sqlite_run(store, STATEMENT_AUDIT_PRUNE, problem, problem_size);
	}
	return result;
}

/* A transaction that changes nothing but writes: it takes the place of what is in the log. */
static int commit_nothing(struct store_sqlite *store)
{
	char sql[64];
	int code = store_sqlite_query(store->connection, "BEGIN IMMEDIATE", NULL, 0);

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", store->options.schema->version);
	if (code == SQLITE_OK) {
		code = store_sqlite_query(store->connection, sql, NULL, 0);
	}
	if (code == SQLITE_OK) {
		code = store_sqlite_query(store->connection, "COMMIT", NULL, 0);
	}
	if (code != SQLITE_OK && !sqlite3_get_autocommit(store->connection)) {
		(void)store_sqlite_query(store->connection, "ROLLBACK", NULL, 0);
	}
	return code;
}

static void say_uncertain(char *problem, size_t problem_size)
{
	size_t length = strlen(problem);

	snprintf(
		problem + length, problem_size - length,
		"; if the server ends before the disk takes a change again, this one may be there");
}

/*
 * A commit that failed may stand in the log whole, when it was the sync after it that failed, or
 * the index of the log that could not grow. This connection looks at it no more, but whoever
 * recovers the log after a crash would: a change that was refused would be there. The next commit
 * is written over it, so one is made at once; or all before it is moved into the database and the
 * log emptied. When the disk takes neither, that is left to the next transaction, before it writes.
 */
static int settle(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int code = commit_nothing(store);
	int result = 0;

	if (code != SQLITE_OK) {
		result = store_sqlite_fault(store, code, "write to", problem, problem_size);
		say_uncertain(problem, problem_size);
		if (sqlite3_wal_checkpoint_v2(store->connection, NULL, SQLITE_CHECKPOINT_TRUNCATE,
					      NULL, NULL) == SQLITE_OK) {
			result = 0;
		}
	}
	store->is_unsettled = result < 0;
	return result;
}

static int begin(struct store_database *database, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	int result = 0;

	if (!store->connection) {
		result = store_sqlite_connect(store, problem, problem_size);
	}
	if (result == 0 && store->is_unsettled) {
		result = settle(store, problem, problem_size);
	}
	store->last_event_id = 0;
	store->has_new_audit = false;
	return result == 0 ? store_sqlite_run(store, STATEMENT_BEGIN, problem, problem_size)
			   : result;
}

static int commit(struct store_database *database, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	int result = prune(store, problem, problem_size);
	char ignored[512];

	if (result < 0) {
		rollback(database);
		return result;
	}
	result = store_sqlite_run(store, STATEMENT_COMMIT, problem, problem_size);
	if (result < 0) {
		rollback(database);
		if (!store->is_candidate && settle(store, ignored, sizeof(ignored)) < 0) {
			say_uncertain(problem, problem_size);
		}
	}
	return result;
}

static int tend(struct store_database *database, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	int frames = store->log_frames_due;
	int moved = 0;
	int code;

	if (!store->connection || store->log_frames < frames) {
		return 0;
	}
	errno = 0;
	code = sqlite3_wal_checkpoint_v2(store->connection, NULL, SQLITE_CHECKPOINT_PASSIVE,
					 &frames, &moved);
	/* A reader (a copy that is made) may need the log a while longer. */
	store->log_frames_due = code == SQLITE_OK && moved == frames
					? store_sqlite_log_frames_max
					: store->log_frames + store_sqlite_log_frames_max;
	return code == SQLITE_OK || code == SQLITE_BUSY
		       ? 0
		       : store_sqlite_fault(store, code, "move the log into", problem,
					    problem_size);
}

static void close_database(struct store_database *database)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	bool is_closed;

	if (!store) {
		return;
	}
	is_closed = store_sqlite_disconnect(store) == 0 && store->is_open && !store->is_suspect;
	store_sqlite_unlock(store, is_closed);
	if (store->is_candidate) {
		store_sqlite_remove_part(store->path);
	}
	pthread_mutex_destroy(&store->copying);
	free(store->path);
	free(store);
}

static const struct store_database_class class = {
	.load = store_sqlite_load,
	.load_events = store_sqlite_load_events,
	.begin = begin,
	.write = store_sqlite_write,
	.write_event = store_sqlite_write_event,
	.write_audit = store_sqlite_write_audit,
	.commit = commit,
	.rollback = rollback,
	.tend = tend,
	.close = close_database,
	.copy = store_sqlite_copy,
	.open_upload = store_sqlite_open_upload,
	.take_in = store_sqlite_take_in,
	.replace = store_sqlite_replace,
};

struct store_sqlite *store_sqlite_new(const struct store_sqlite_options *options, char *path)
{
	struct store_sqlite *store = calloc(1, sizeof(*store));

	if (!store || !path) {
		free(store);
		free(path);
		return NULL;
	}
	store->base.class = &class;
	store->options = *options;
	store->options.path = path;
	if (!options->schema) {
		store->options.schema = &store_sqlite_schema;
	}
	store->path = path;
	store->name = path;
	store->lock = -1;
	pthread_mutex_init(&store->copying, NULL);
	return store;
}

static void tell_new(const struct store_sqlite *store)
{
	char sentence[512];

	if (store->options.tell) {
		snprintf(sentence, sizeof(sentence),
			 "there was no database at %s: a new one is made", store->path);
		store->options.tell(store->options.context, sentence);
	}
}

static int open_database(struct store_sqlite *store, char *problem, size_t problem_size)
{
	bool was_closed = false;
	bool is_new = false;
	int version = 0;
	int result = store_sqlite_lock(store, &was_closed, problem, problem_size);

	if (result == 0) {
		result = store_sqlite_make_file(store, &is_new, problem, problem_size);
	}
	if (result == 0) {
		store_sqlite_sweep(store);
		result = store_sqlite_attach(store, problem, problem_size);
	}
	/* Looked at before anything is written to it, the journal mode included. */
	if (result == 0) {
		result = store_sqlite_examine(store, !was_closed, &version, problem, problem_size);
	}
	if (result == 0 && is_new) {
		tell_new(store);
	}
	if (result == 0) {
		result = store_sqlite_configure(store, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_migrate(store, version, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_prepare(store, problem, problem_size);
	}
	store->is_open = result == 0;
	return result;
}

int store_sqlite_open(struct store_database **database, const struct store_sqlite_options *options,
		      char *problem, size_t problem_size)
{
	struct store_sqlite *store = store_sqlite_new(options, strdup(options->path));
	int result;

	if (!store) {
		snprintf(problem, problem_size, "out of memory");
		return -ENOMEM;
	}
	result = open_database(store, problem, problem_size);
	if (result < 0) {
		close_database(&store->base);
		return result;
	}
	*database = &store->base;
	return 0;
}

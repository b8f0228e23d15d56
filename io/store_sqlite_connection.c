/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	log_bytes_kept_max = 64 << 20, /* of its file, when it had to grow (a long copy) */
	value_bytes_max = 32 << 20,    /* of anything in a row; the longest audit line is 16 MiB */
};

const char *store_sqlite_remedy(const struct store_sqlite *store)
{
	return store->is_candidate ? "give another backup"
				   : "put a backup in its place, nothing was changed in it";
}

/* What the kernel's reason comes to. */
static int result_of(int reason)
{
	switch (reason) {
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case EROFS:
	case EACCES:
	case EPERM:
		return -EROFS;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* The kernel did not do what SQLite asked of it. */
static int refused_by_kernel(int reason, int code, const char *what, char *problem,
			     size_t problem_size)
{
	int result = result_of(reason);

	switch (result) {
	case -ENOSPC:
		snprintf(problem, problem_size, "%s: there is no room left; free space on its disk",
			 what);
		break;
	case -EROFS:
		snprintf(problem, problem_size,
			 "%s: it may not be written (%s); check its owner, its folder and whether "
			 "the disk is mounted read-only",
			 what, strerrordesc_np(reason));
		break;
	case -ENOMEM:
		snprintf(problem, problem_size, "%s: %s; try again later", what,
			 strerrordesc_np(reason));
		break;
	default:
		snprintf(problem, problem_size, "%s: %s (%s%sSQLite %d); look at the disk", what,
			 sqlite3_errstr(code), reason ? strerrordesc_np(reason) : "",
			 reason ? ", " : "", code);
		break;
	}
	return result;
}

int store_sqlite_fault_of(const char *name, int code, const char *doing, char *problem,
			  size_t problem_size)
{
	int reason = errno == ENOENT ? 0 : errno; /* of a later look, or nothing */
	char what[filesystem_path_max + 64];

	snprintf(what, sizeof(what), "cannot %s %s", doing, name);
	switch (code & 0xff) {
	case SQLITE_FULL:
		return refused_by_kernel(ENOSPC, code, what, problem, problem_size);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		snprintf(problem, problem_size,
			 "%s: it cannot be opened for writing; check its owner, its folder and its "
			 "disk, and whether that is mounted read-only",
			 what);
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		snprintf(problem, problem_size,
			 "%s: another program holds it; end that program and try again", what);
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		snprintf(problem, problem_size, "%s: the database is damaged (%s)", what,
			 sqlite3_errstr(code));
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return refused_by_kernel(ENOMEM, code, what, problem, problem_size);
	default:
		return refused_by_kernel(reason, code, what, problem, problem_size);
	}
}

int store_sqlite_fault(const struct store_sqlite *store, int code, const char *doing, char *problem,
		       size_t problem_size)
{
	int result = store_sqlite_fault_of(store->name, code, doing, problem, problem_size);

	if (result == -EUCLEAN) {
		size_t length = strlen(problem);

		snprintf(problem + length, problem_size - length, "; %s",
			 store_sqlite_remedy(store));
	}
	return result;
}

int store_sqlite_run(struct store_sqlite *store, enum statement which, char *problem,
		     size_t problem_size)
{
	sqlite3_stmt *statement = store->statements[which];
	int result = 0;
	int code;

	errno = 0;
	code = sqlite3_step(statement);
	if (code != SQLITE_DONE && code != SQLITE_ROW) {
		result = store_sqlite_fault(store, code, "write to", problem, problem_size);
		store->is_suspect = store->is_suspect || (code & 0xff) == SQLITE_CORRUPT ||
				    (code & 0xff) == SQLITE_NOTADB;
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return result;
}

int store_sqlite_query(sqlite3 *connection, const char *sql, char *value, size_t value_size)
{
	sqlite3_stmt *statement = NULL;
	int reason;
	int code;

	errno = 0;
	code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_step(statement);
	}
	if (code == SQLITE_ROW && value) {
		const unsigned char *text = sqlite3_column_text(statement, 0);

		snprintf(value, value_size, "%s", text ? (const char *)text : "");
	}
	reason = errno;
	sqlite3_finalize(statement);
	errno = reason;
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_sqlite_harden(sqlite3 *connection)
{
	sqlite3_extended_result_codes(connection, 1);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, value_bytes_max);
	return store_sqlite_query(connection, "PRAGMA cell_size_check = ON", NULL, 0);
}

int store_sqlite_open_file(const char *path, sqlite3 **connection)
{
	int code;

	errno = 0;
	code = sqlite3_open_v2(path, connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	/* What cannot be opened for writing SQLite opens for reading, and says nothing. */
	return code == SQLITE_OK && sqlite3_db_readonly(*connection, "main") == 1 ? SQLITE_READONLY
										  : code;
}

int store_sqlite_attach(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int code = store_sqlite_open_file(store->path, &store->connection);

	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(store->connection, (int)store->options.busy_ms);
		code = store_sqlite_harden(store->connection);
	}
	return code == SQLITE_OK ? 0
				 : store_sqlite_fault(store, code, "open", problem, problem_size);
}

static int count_frames(void *context, sqlite3 *connection, const char *name, int frames)
{
	struct store_sqlite *store = context;

	(void)connection;
	(void)name;
	store->log_frames = frames;
	return SQLITE_OK;
}

/* The log is moved into the database by `tend`, when nobody waits, and not within a commit. */
static int configure_log(struct store_sqlite *store)
{
	sqlite3 *connection = store->connection;
	char sql[64];

	sqlite3_wal_autocheckpoint(connection, 0);
	sqlite3_wal_hook(connection, count_frames, store);
	store->log_frames = 0;
	store->log_frames_due = store_sqlite_log_frames_max;
	snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit = %d", log_bytes_kept_max);
	return store_sqlite_query(connection, sql, NULL, 0);
}

/* A candidate is synced as a whole before it is used, and is nothing before. */
static int configure_candidate(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int code = store_sqlite_query(store->connection, "PRAGMA journal_mode = MEMORY", NULL, 0);

	if (code == SQLITE_OK) {
		code = store_sqlite_query(store->connection, "PRAGMA synchronous = OFF", NULL, 0);
	}
	return code == SQLITE_OK ? 0
				 : store_sqlite_fault(store, code, "open", problem, problem_size);
}

int store_sqlite_configure(struct store_sqlite *store, char *problem, size_t problem_size)
{
	sqlite3 *connection = store->connection;
	char value[32] = "";
	int code;

	if (store->is_candidate) {
		return configure_candidate(store, problem, problem_size);
	}
	code = store_sqlite_query(connection, "PRAGMA journal_mode = WAL", value, sizeof(value));
	if (code == SQLITE_OK && strcmp(value, "wal") != 0) {
		snprintf(problem, problem_size,
			 "%s cannot be kept in WAL mode on this file system; choose a local disk",
			 store->name);
		return -ENOTSUP;
	}
	if (code == SQLITE_OK) {
		code = store_sqlite_query(connection, "PRAGMA synchronous = FULL", NULL, 0);
	}
	if (code == SQLITE_OK) {
		code = configure_log(store);
	}
	if (code == SQLITE_OK && store->options.pages_max > 0) {
		char sql[64];

		snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %u", store->options.pages_max);
		code = store_sqlite_query(connection, sql, NULL, 0);
	}
	return code == SQLITE_OK ? 0
				 : store_sqlite_fault(store, code, "open", problem, problem_size);
}

int store_sqlite_prepare(struct store_sqlite *store, char *problem, size_t problem_size)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		int code =
			sqlite3_prepare_v3(store->connection, store_sqlite_statements[i], -1,
					   SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);

		if (code != SQLITE_OK) {
			return store_sqlite_fault(store, code, "read", problem, problem_size);
		}
	}
	return 0;
}

int store_sqlite_connect(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int result = store_sqlite_attach(store, problem, problem_size);

	if (result == 0) {
		result = store_sqlite_configure(store, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_prepare(store, problem, problem_size);
	}
	if (result < 0) {
		(void)store_sqlite_disconnect(store);
	}
	return result;
}

int store_sqlite_disconnect(struct store_sqlite *store)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	/* The last connection moves the log into the database and removes it. */
	sqlite3_close(store->connection);
	store->connection = NULL;
	store->is_unsettled = false;
	return !store->is_candidate && store_sqlite_has_log(store) ? -EBUSY : 0;
}

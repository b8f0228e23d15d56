/* SPDX-License-Identifier: MIT */
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* "Bell": tells our databases from others (PRAGMA application_id). */
enum { store_sqlite_application_id = 0x42656c6c };

/* Step i brings schema version i to i + 1. What stands here is never edited, only added to. */
static const char *const migrations[store_sqlite_schema_version] = {
	"CREATE TABLE devices ("
	"  mac TEXT NOT NULL PRIMARY KEY CHECK (length(mac) = 12),"
	"  state TEXT NOT NULL,"
	"  identified_by TEXT NOT NULL,"
	"  form TEXT NOT NULL,"
	"  vendor TEXT NOT NULL,"
	"  model TEXT NOT NULL,"
	"  firmware TEXT NOT NULL,"
	"  profile TEXT NOT NULL,"
	"  label TEXT NOT NULL,"
	"  key TEXT NOT NULL,"
	"  address TEXT NOT NULL,"
	"  interface TEXT NOT NULL,"
	"  bound_address TEXT NOT NULL,"
	"  bound_interface TEXT NOT NULL,"
	"  first_seen_utc_ms INTEGER NOT NULL,"
	"  last_seen_utc_ms INTEGER NOT NULL,"
	"  notified_utc_ms INTEGER NOT NULL,"
	"  fetched_utc_ms INTEGER NOT NULL,"
	"  revision INTEGER NOT NULL,"
	"  fetched_revision INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX devices_by_key ON devices (key) WHERE key <> '';"
	"CREATE TABLE device_settings ("
	"  mac TEXT NOT NULL REFERENCES devices (mac) ON DELETE CASCADE,"
	"  path TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  PRIMARY KEY (mac, path)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE profiles ("
	"  name TEXT NOT NULL PRIMARY KEY,"
	"  parent TEXT NOT NULL,"
	"  revision INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE profile_settings ("
	"  name TEXT NOT NULL REFERENCES profiles (name) ON DELETE CASCADE,"
	"  path TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  PRIMARY KEY (name, path)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE events ("
	"  id INTEGER PRIMARY KEY,"
	"  utc_ms INTEGER NOT NULL,"
	"  level TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  mac TEXT,"
	"  source TEXT,"
	"  text TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE audit ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  utc_ms INTEGER NOT NULL,"
	"  who TEXT NOT NULL,"
	"  what TEXT NOT NULL,"
	"  subject TEXT NOT NULL,"
	"  detail TEXT NOT NULL"
	") STRICT;",
	"ALTER TABLE events ADD COLUMN detail TEXT;",
};

int store_sqlite_fault(const struct store_sqlite *store, int code, const char *doing, char *problem,
		       size_t problem_size)
{
	const char *path = store->path;

	switch (code & 0xff) {
	case SQLITE_FULL:
		snprintf(problem, problem_size,
			 "cannot %s %s: there is no room left; free space on its disk", doing,
			 path);
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		snprintf(problem, problem_size,
			 "cannot %s %s: it may not be written (%s); check its owner, its folder "
			 "and whether the disk is mounted read-only",
			 doing, path, sqlite3_errstr(code));
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		snprintf(problem, problem_size,
			 "cannot %s %s: another program holds it; end that program and try again",
			 doing, path);
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		snprintf(problem, problem_size,
			 "cannot %s %s: the database is damaged (%s); put a backup in its place, "
			 "nothing was changed in it",
			 doing, path, sqlite3_errstr(code));
		return -EIO;
	case SQLITE_NOMEM:
		snprintf(problem, problem_size, "cannot %s %s: out of memory", doing, path);
		return -ENOMEM;
	default:
		snprintf(problem, problem_size, "cannot %s %s: %s (SQLite %d); look at the disk",
			 doing, path,
			 store->connection ? sqlite3_errmsg(store->connection)
					   : sqlite3_errstr(code),
			 code);
		return -EIO;
	}
}

int store_sqlite_run(struct store_sqlite *store, enum statement which, char *problem,
		     size_t problem_size)
{
	sqlite3_stmt *statement = store->statements[which];
	int code = sqlite3_step(statement);
	int result = 0;

	if (code != SQLITE_DONE && code != SQLITE_ROW) {
		result = store_sqlite_fault(store, code, "write to", problem, problem_size);
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return result;
}

static int begin(struct store_database *database, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;

	store->last_event_id = 0;
	store->has_new_audit = false;
	return store_sqlite_run(store, STATEMENT_BEGIN, problem, problem_size);
}

static void rollback(struct store_database *database)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	char problem[8];

	/* SQLite may have rolled back by itself (disk full, I/O error). */
	if (!sqlite3_get_autocommit(store->connection)) {
		(void)store_sqlite_run(store, STATEMENT_ROLLBACK, problem, sizeof(problem));
	}
}

static int prune(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int result = 0;

	if (store->last_event_id > store->events_max) {
		sqlite3_bind_int64(store->statements[STATEMENT_EVENTS_PRUNE], 1,
				   (sqlite3_int64)(store->last_event_id - store->events_max));
		result = store_sqlite_run(store, STATEMENT_EVENTS_PRUNE, problem, problem_size);
	}
	if (result == 0 && store->has_new_audit) {
		sqlite3_bind_int64(store->statements[STATEMENT_AUDIT_PRUNE], 1,
				   (sqlite3_int64)store->audit_max);
		result = store_sqlite_run(store, STATEMENT_AUDIT_PRUNE, problem, problem_size);
	}
	return result;
}

static int commit(struct store_database *database, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	int result = prune(store, problem, problem_size);

	if (result == 0) {
		result = store_sqlite_run(store, STATEMENT_COMMIT, problem, problem_size);
	}
	if (result < 0) {
		rollback(database);
	}
	return result;
}

static void close_database(struct store_database *database)
{
	struct store_sqlite *store = (struct store_sqlite *)database;

	if (!store) {
		return;
	}
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
	}
	sqlite3_close(store->connection);
	if (store->lock >= 0) {
		close(store->lock);
	}
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
	.close = close_database,
};

/* The lock file stays when the server ends: removing it would let two servers lock two files. */
static int take_lock(struct store_sqlite *store, char *problem, size_t problem_size)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s.lock", store->path);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		snprintf(problem, problem_size, "the path of the database is too long");
		return -ENAMETOOLONG;
	}
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock < 0) {
		int result = -errno;

		snprintf(problem, problem_size,
			 "cannot make %s: %s; check that its folder is there and may be written",
			 path, strerror(-result));
		return result;
	}
	if (flock(store->lock, LOCK_EX | LOCK_NB) < 0) {
		int result = errno == EWOULDBLOCK ? -EBUSY : -errno;

		snprintf(problem, problem_size,
			 "%s is in use by another bellhopd; end that one or name another data "
			 "folder ([server] data)",
			 store->path);
		return result;
	}
	return 0;
}

/* Made by us, so that it has 0600 from its first moment; the WAL takes its mode from it. */
static int make_file(const struct store_sqlite *store, char *problem, size_t problem_size)
{
	int file = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (file < 0) {
		int result = -errno;

		snprintf(problem, problem_size, "cannot open %s for writing: %s", store->path,
			 strerror(-result));
		return result;
	}
	close(file);
	return 0;
}

/* Runs SQL that gives at most one value, as text in `value` (may be NULL). */
static int query(struct store_sqlite *store, const char *sql, char *value, size_t value_size)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(store->connection, sql, -1, &statement, NULL);

	if (code == SQLITE_OK) {
		code = sqlite3_step(statement);
	}
	if (code == SQLITE_ROW && value) {
		const unsigned char *text = sqlite3_column_text(statement, 0);

		snprintf(value, value_size, "%s", text ? (const char *)text : "");
	}
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int configure(struct store_sqlite *store, const struct store_sqlite_options *options,
		     char *problem, size_t problem_size)
{
	sqlite3 *connection = store->connection;
	char value[32] = "";
	int code;

	sqlite3_extended_result_codes(connection, 1);
	sqlite3_busy_timeout(connection, (int)options->busy_ms);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	code = query(store, "PRAGMA cell_size_check = ON", NULL, 0);
	if (code == SQLITE_OK) {
		code = query(store, "PRAGMA journal_mode = WAL", value, sizeof(value));
	}
	if (code == SQLITE_OK && strcmp(value, "wal") != 0) {
		snprintf(problem, problem_size,
			 "%s cannot be kept in WAL mode on this file system; choose a local disk",
			 store->path);
		return -ENOTSUP;
	}
	if (code == SQLITE_OK) {
		code = query(store, "PRAGMA synchronous = FULL", NULL, 0);
	}
	if (code == SQLITE_OK && options->pages_max > 0) {
		char sql[64];

		snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %u", options->pages_max);
		code = query(store, sql, NULL, 0);
	}
	return code == SQLITE_OK ? 0
				 : store_sqlite_fault(store, code, "open", problem, problem_size);
}

/* A database that is not ours, is newer than we are, or is not whole is left as it is. */
static int examine(struct store_sqlite *store, int *version, char *problem, size_t problem_size)
{
	char application[32] = "";
	char tables[32] = "";
	char text[32] = "";
	char check[256] = "";
	int code = query(store, "PRAGMA application_id", application, sizeof(application));

	if (code == SQLITE_OK) {
		code = query(store, "SELECT count(*) FROM sqlite_schema", tables, sizeof(tables));
	}
	if (code == SQLITE_OK) {
		code = query(store, "PRAGMA user_version", text, sizeof(text));
	}
	if (code == SQLITE_OK) {
		code = query(store, "PRAGMA quick_check(1)", check, sizeof(check));
	}
	if (code != SQLITE_OK) {
		return store_sqlite_fault(store, code, "read", problem, problem_size);
	}
	if (atoi(tables) > 0 && atoi(application) != store_sqlite_application_id) {
		snprintf(problem, problem_size,
			 "%s is a database of another program; name another file ([store] url)",
			 store->path);
		return -EPROTO;
	}
	*version = atoi(text);
	if (*version > store_sqlite_schema_version || *version < 0) {
		snprintf(problem, problem_size,
			 "%s was written by a newer Bellhop (schema %d, this one knows %d); "
			 "install that version again or put an older backup in its place",
			 store->path, *version, store_sqlite_schema_version);
		return -EPROTO;
	}
	if (strcmp(check, "ok") != 0) {
		snprintf(problem, problem_size,
			 "%s is damaged (%s); put a backup in its place, nothing was changed in it",
			 store->path, check);
		return -EIO;
	}
	return 0;
}

static int migrate(struct store_sqlite *store, int version, char *problem, size_t problem_size)
{
	char sql[128];
	int code = SQLITE_OK;

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", store_sqlite_application_id);
	if (version == 0) {
		code = query(store, sql, NULL, 0);
	}
	for (; version < store_sqlite_schema_version && code == SQLITE_OK; version++) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version + 1);
		code = query(store, "BEGIN IMMEDIATE", NULL, 0);
		if (code == SQLITE_OK) {
			code = sqlite3_exec(store->connection, migrations[version], NULL, NULL,
					    NULL);
		}
		if (code == SQLITE_OK) {
			code = query(store, sql, NULL, 0);
		}
		if (code == SQLITE_OK) {
			code = query(store, "COMMIT", NULL, 0);
		}
		if (code != SQLITE_OK) {
			(void)query(store, "ROLLBACK", NULL, 0);
		}
	}
	return code == SQLITE_OK
		       ? 0
		       : store_sqlite_fault(store, code, "write to", problem, problem_size);
}

static int prepare_statements(struct store_sqlite *store, char *problem, size_t problem_size)
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

static int open_database(struct store_sqlite *store, const struct store_sqlite_options *options,
			 char *problem, size_t problem_size)
{
	int version = 0;
	int result = take_lock(store, problem, problem_size);
	int code;

	if (result == 0) {
		result = make_file(store, problem, problem_size);
	}
	if (result < 0) {
		return result;
	}
	code = sqlite3_open_v2(store->path, &store->connection,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		return store_sqlite_fault(store, code, "open", problem, problem_size);
	}
	/* Looked at before anything is written to it, the journal mode included. */
	result = examine(store, &version, problem, problem_size);
	if (result == 0) {
		result = configure(store, options, problem, problem_size);
	}
	if (result == 0) {
		result = migrate(store, version, problem, problem_size);
	}
	if (result == 0) {
		result = prepare_statements(store, problem, problem_size);
	}
	return result;
}

int store_sqlite_open(struct store_database **database, const struct store_sqlite_options *options,
		      char *problem, size_t problem_size)
{
	struct store_sqlite *store = calloc(1, sizeof(*store));
	int result;

	if (!store) {
		snprintf(problem, problem_size, "out of memory");
		return -ENOMEM;
	}
	store->base.class = &class;
	store->lock = -1;
	store->events_max = options->events_max;
	store->audit_max = options->audit_max;
	store->path = strdup(options->path);
	if (!store->path) {
		snprintf(problem, problem_size, "out of memory");
		result = -ENOMEM;
	} else {
		result = open_database(store, options, problem, problem_size);
	}
	if (result < 0) {
		close_database(&store->base);
		return result;
	}
	*database = &store->base;
	return 0;
}

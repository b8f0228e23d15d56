/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* "Bell": tells our databases from others (PRAGMA application_id). */
enum { application_id = 0x42656c6c };

/* What stands here is never edited, only added to. */
static const char *const steps[] = {
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
	"ALTER TABLE devices ADD COLUMN certainty TEXT NOT NULL DEFAULT 'none';"
	"ALTER TABLE devices ADD COLUMN told_form TEXT NOT NULL DEFAULT 'default';"
	"ALTER TABLE devices ADD COLUMN told_shape TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE devices ADD COLUMN told_both INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE devices ADD COLUMN told_unfetched INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE devices ADD COLUMN resync TEXT NOT NULL DEFAULT 'none';"
	"ALTER TABLE devices ADD COLUMN resync_status INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE devices ADD COLUMN resync_utc_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE devices ADD COLUMN claimed_by TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE rules ("
	"  name TEXT NOT NULL PRIMARY KEY,"
	"  body TEXT NOT NULL,"
	"  used INTEGER NOT NULL,"
	"  used_utc_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE pools ("
	"  name TEXT NOT NULL PRIMARY KEY,"
	"  body TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE device_numbers ("
	"  mac TEXT NOT NULL PRIMARY KEY REFERENCES devices (mac) ON DELETE CASCADE,"
	"  pool TEXT NOT NULL,"
	"  extension TEXT NOT NULL,"
	"  UNIQUE (pool, extension)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE forms ("
	"  vendor TEXT NOT NULL,"
	"  model TEXT NOT NULL,"
	"  firmware TEXT NOT NULL,"
	"  form TEXT NOT NULL,"
	"  shape TEXT NOT NULL,"
	"  evidence TEXT NOT NULL,"
	"  answered INTEGER NOT NULL,"
	"  fetched INTEGER NOT NULL,"
	"  failed INTEGER NOT NULL,"
	"  first_utc_ms INTEGER NOT NULL,"
	"  answered_utc_ms INTEGER NOT NULL,"
	"  fetched_utc_ms INTEGER NOT NULL,"
	"  failed_utc_ms INTEGER NOT NULL,"
	"  suspect_form TEXT NOT NULL,"
	"  suspect_shape TEXT NOT NULL,"
	"  is_pinned INTEGER NOT NULL,"
	"  PRIMARY KEY (vendor, model, firmware)"
	") STRICT, WITHOUT ROWID;",
};

const struct store_sqlite_schema store_sqlite_schema = {steps, sizeof(steps) / sizeof(steps[0])};

/* --- Whose it is. --- */

static int query_number(sqlite3 *connection, const char *sql, int *number)
{
	char text[32] = "";
	int code = store_sqlite_query(connection, sql, text, sizeof(text));

	*number = (int)strtol(text, NULL, 10);
	return code;
}

/* A sentence of a start, or of a restore: what to do is not the same. */
static int refuse(const struct store_sqlite *store, int error, const char *what,
		  const char *what_to_do, char *problem, size_t problem_size)
{
	snprintf(problem, problem_size, "%s %s; %s", store->name, what,
		 store->is_candidate ? "give one that bellhop backup made" : what_to_do);
	return error;
}

static int check_owner(struct store_sqlite *store, int *version, char *problem, size_t problem_size)
{
	char what[128];
	int application = 0;
	int tables = 0;
	int code = query_number(store->connection, "PRAGMA application_id", &application);

	if (code == SQLITE_OK) {
		code = query_number(store->connection, "SELECT count(*) FROM sqlite_schema",
				    &tables);
	}
	if (code == SQLITE_OK) {
		code = query_number(store->connection, "PRAGMA user_version", version);
	}
	if (code != SQLITE_OK) {
		return store_sqlite_fault(store, code, "read", problem, problem_size);
	}
	if ((tables > 0 || store->is_candidate) && application != application_id) {
		return refuse(store, -EPROTO, "is a database of another program",
			      "name another file ([store] url)", problem, problem_size);
	}
	if (*version < 0 || *version > store->options.schema->version) {
		snprintf(what, sizeof(what),
			 "was written by a newer Bellhop (schema %d, this one knows %d)", *version,
			 store->options.schema->version);
		return refuse(store, -EPROTO, what,
			      "install that version again or put an older backup in its place",
			      problem, problem_size);
	}
	return 0;
}

/* --- That a candidate's tables are ours: nothing else in it may ever run. --- */

static int run_steps(sqlite3 *connection, const struct store_sqlite_schema *schema, int from,
		     int to)
{
	int code = SQLITE_OK;

	for (int i = from; i < to && code == SQLITE_OK; i++) {
		code = sqlite3_exec(connection, schema->steps[i], NULL, NULL, NULL);
	}
	return code;
}

/* Rows of the two are the same: SQLITE_OK, SQLITE_MISMATCH, or the error. */
static int compare_rows(sqlite3_stmt *ours, sqlite3_stmt *theirs)
{
	for (;;) {
		int our_code = sqlite3_step(ours);
		int their_code = sqlite3_step(theirs);

		if (our_code == SQLITE_DONE && their_code == SQLITE_DONE) {
			return SQLITE_OK;
		}
		if (our_code != their_code) {
			return their_code == SQLITE_ROW || their_code == SQLITE_DONE
				       ? SQLITE_MISMATCH
				       : their_code;
		}
		if (our_code != SQLITE_ROW) {
			return our_code;
		}
		for (int i = 0; i < sqlite3_column_count(ours); i++) {
			int length = sqlite3_column_bytes(ours, i);
			const void *our_bytes = sqlite3_column_blob(ours, i);

			if (sqlite3_column_bytes(theirs, i) != length ||
			    (length > 0 && memcmp(our_bytes, sqlite3_column_blob(theirs, i),
						  (size_t)length) != 0)) {
				return SQLITE_MISMATCH;
			}
		}
	}
}

/* The tables of statistics, which ANALYZE makes, are harmless. */
static int compare_schemas(sqlite3 *ours, sqlite3 *theirs)
{
	static const char sql[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema "
				  "WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4') "
				  "ORDER BY type, name";
	sqlite3_stmt *our_rows = NULL;
	sqlite3_stmt *their_rows = NULL;
	int code = sqlite3_prepare_v2(ours, sql, -1, &our_rows, NULL);

	if (code == SQLITE_OK) {
		code = sqlite3_prepare_v2(theirs, sql, -1, &their_rows, NULL);
	}
	if (code == SQLITE_OK) {
		code = compare_rows(our_rows, their_rows);
	}
	sqlite3_finalize(our_rows);
	sqlite3_finalize(their_rows);
	return code;
}

static int check_tables(struct store_sqlite *store, int version, char *problem, size_t problem_size)
{
	sqlite3 *ours = NULL;
	int code = sqlite3_open(":memory:", &ours);

	if (code == SQLITE_OK) {
		code = run_steps(ours, store->options.schema, 0, version);
	}
	if (code == SQLITE_OK) {
		code = compare_schemas(ours, store->connection);
	}
	sqlite3_close(ours);
	if (code == SQLITE_MISMATCH) {
		return refuse(store, -EPROTO, "does not have the tables of Bellhop",
			      store_sqlite_remedy(store), problem, problem_size);
	}
	return code == SQLITE_OK ? 0
				 : store_sqlite_fault(store, code, "read", problem, problem_size);
}

/* --- That it is whole. --- */

static int check_whole(struct store_sqlite *store, const char *pragma, const char *expected,
		       char *problem, size_t problem_size)
{
	char found[256] = "";
	int code = store_sqlite_query(store->connection, pragma, found, sizeof(found));

	if (code != SQLITE_OK) {
		return store_sqlite_fault(store, code, "read", problem, problem_size);
	}
	if (strcmp(found, expected) != 0) {
		snprintf(problem, problem_size, "%s is damaged (%s); %s", store->name, found,
			 store_sqlite_remedy(store));
		return -EUCLEAN;
	}
	return 0;
}

/* At the greatest number that SQLite has, no line can follow, and so no change be made. */
static int check_audit(struct store_sqlite *store, char *problem, size_t problem_size)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT 'numbers of the audit log' WHERE "
		 "EXISTS (SELECT * FROM sqlite_sequence WHERE seq > %lld) OR "
		 "EXISTS (SELECT * FROM audit WHERE id > %lld)",
		 store_sqlite_number_max, store_sqlite_number_max);
	return check_whole(store, sql, "", problem, problem_size);
}

/* An upload that was cut within pages that hold nothing yet would pass every other check. */
static int check_length(struct store_sqlite *store, char *problem, size_t problem_size)
{
	struct stat info;
	int page_count = 0;
	int page_size = 0;
	int code = query_number(store->connection, "PRAGMA page_count", &page_count);

	if (code == SQLITE_OK) {
		code = query_number(store->connection, "PRAGMA page_size", &page_size);
	}
	if (code != SQLITE_OK || stat(store->path, &info) != 0) {
		return store_sqlite_fault(store, code != SQLITE_OK ? code : SQLITE_IOERR, "read",
					  problem, problem_size);
	}
	return info.st_size < (off_t)page_count * page_size
		       ? refuse(store, -EUCLEAN, "is damaged (its end is missing)",
				store_sqlite_remedy(store), problem, problem_size)
		       : 0;
}

int store_sqlite_examine(struct store_sqlite *store, bool is_whole_check, int *version,
			 char *problem, size_t problem_size)
{
	int result = check_owner(store, version, problem, problem_size);

	if (result == 0 && store->is_candidate) {
		result = *version == 0 ? refuse(store, -EPROTO, "is empty",
						store_sqlite_remedy(store), problem, problem_size)
				       : check_tables(store, *version, problem, problem_size);
	}
	if (result == 0 && store->is_candidate) {
		result = check_length(store, problem, problem_size);
	}
	/* Of a file that is handed in also every index, and every reference between rows. */
	if (result == 0 && is_whole_check) {
		result = check_whole(store,
				     store->is_candidate ? "PRAGMA integrity_check(1)"
							 : "PRAGMA quick_check(1)",
				     "ok", problem, problem_size);
	}
	if (result == 0 && store->is_candidate) {
		result = check_whole(store, "PRAGMA foreign_key_check", "", problem, problem_size);
	}
	if (result == 0 && store->is_candidate) {
		result = check_audit(store, problem, problem_size);
	}
	return result;
}

/* --- Migration. --- */

/* PATH.schema-N: the database as it is before the step. */
static int keep_copy(struct store_sqlite *store, int version, char *problem, size_t problem_size)
{
	char suffix[32];
	char path[filesystem_path_max];
	char why[2 * filesystem_path_max + 128];
	char *part = NULL;
	int result;

	snprintf(suffix, sizeof(suffix), ".schema-%d", version);
	result = store_sqlite_beside(store, suffix, path, sizeof(path), problem, problem_size);
	if (result == 0) {
		result = store_sqlite_make_part(store, &part, problem, problem_size);
	}
	if (result < 0) {
		return result;
	}
	result = store_sqlite_copy_to(store, part, NULL, why, sizeof(why));
	if (result == 0) {
		result = filesystem_move_into_place(part, path);
		if (result < 0) {
			snprintf(why, sizeof(why), "cannot write %s: %s; look at its disk", path,
				 strerror(-result));
		}
	}
	if (result < 0) {
		store_sqlite_remove_part(part);
		snprintf(problem, problem_size,
			 "no copy of %s could be kept before it is brought up to date: %s; nothing "
			 "was changed in it",
			 store->path, why);
	} else if (store->options.tell) {
		snprintf(why, sizeof(why),
			 "%s is brought from schema %d to %d; what was is kept as %s", store->path,
			 version, version + 1, path);
		store->options.tell(store->options.context, why);
	}
	free(part);
	return result;
}

/* One transaction: a power cut leaves the old schema or the new one. */
static int run_step(struct store_sqlite *store, int version)
{
	sqlite3 *connection = store->connection;
	char sql[128];
	int code = store_sqlite_query(connection, "BEGIN IMMEDIATE", NULL, 0);

	if (code == SQLITE_OK && version == 0) {
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", application_id);
		code = store_sqlite_query(connection, sql, NULL, 0);
	}
	if (code == SQLITE_OK) {
		code = run_steps(connection, store->options.schema, version, version + 1);
	}
	if (code == SQLITE_OK) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version + 1);
		code = store_sqlite_query(connection, sql, NULL, 0);
	}
	if (code == SQLITE_OK) {
		code = store_sqlite_query(connection, "COMMIT", NULL, 0);
	}
	return code;
}

int store_sqlite_migrate(struct store_sqlite *store, int version, char *problem,
			 size_t problem_size)
{
	bool is_kept =
		version > 0 && !store->is_candidate; /* of a new one there is nothing to keep */
	int result = 0;

	for (; version < store->options.schema->version && result == 0; version++) {
		int code;

		if (is_kept) {
			result = keep_copy(store, version, problem, problem_size);
		}
		if (result < 0) {
			break;
		}
		code = run_step(store, version);
		if (code != SQLITE_OK) {
			result = store_sqlite_fault(store, code, "write to", problem, problem_size);
			if (!sqlite3_get_autocommit(store->connection)) {
				(void)store_sqlite_query(store->connection, "ROLLBACK", NULL, 0);
			}
		}
	}
	return result;
}

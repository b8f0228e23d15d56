/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Out. --- */

/* All pages as they are at this moment: commits that come meanwhile are not in the way. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup;
	int finished;
	int code = store_sqlite_query(from, "BEGIN", NULL, 0);

	if (code == SQLITE_OK) {
		code = store_sqlite_query(from, "SELECT count(*) FROM sqlite_schema", NULL, 0);
	}
	if (code != SQLITE_OK) {
		return code;
	}
	backup = sqlite3_backup_init(to, "main", from, "main");
	if (!backup) {
		return sqlite3_errcode(to);
	}
	errno = 0;
	code = sqlite3_backup_step(backup, -1);
	finished = sqlite3_backup_finish(backup);
	return code == SQLITE_DONE ? finished : code;
}

static uint64_t query_count(sqlite3 *connection, const char *sql, int *code)
{
	char text[32] = "";

	if (*code == SQLITE_OK) {
		*code = store_sqlite_query(connection, sql, text, sizeof(text));
	}
	return strtoull(text, NULL, 10);
}

/* What a database holds, but for its bytes. */
static int count_rows(sqlite3 *connection, struct store_holdings *holdings)
{
	int code = SQLITE_OK;

	*holdings = (struct store_holdings){
		.devices = query_count(connection, "SELECT count(*) FROM devices", &code),
		.profiles = query_count(connection, "SELECT count(*) FROM profiles", &code),
		.schema = (unsigned)query_count(connection, "PRAGMA user_version", &code),
	};
	return code;
}

/* A copy of something damaged is no backup. */
static int check_copy(struct store_sqlite *store, sqlite3 *copy, struct store_holdings *holdings,
		      char *problem, size_t problem_size)
{
	char found[256] = "";
	int code = store_sqlite_query(copy, "PRAGMA quick_check(1)", found, sizeof(found));

	if (code == SQLITE_OK && strcmp(found, "ok") != 0) {
		snprintf(problem, problem_size, "%s is damaged (%s); restore a backup of it",
			 store->path, found);
		return -EUCLEAN;
	}
	if (code == SQLITE_OK) {
		code = count_rows(copy, holdings);
	}
	return code == SQLITE_OK
		       ? 0
		       : store_sqlite_fault_of(store->path, code, "copy", problem, problem_size);
}

int store_sqlite_copy_to(struct store_sqlite *store, const char *path,
			 struct store_holdings *holdings, char *problem, size_t problem_size)
{
	struct store_holdings counted;
	sqlite3 *from = NULL;
	sqlite3 *to = NULL;
	int result = 0;
	int code = store_sqlite_open_file(store->path, &from);

	if (code == SQLITE_OK) {
		code = store_sqlite_open_file(path, &to);
	}
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(from, (int)store->options.busy_ms);
		code = store_sqlite_query(to, "PRAGMA synchronous = OFF", NULL, 0);
	}
	if (code == SQLITE_OK) {
		code = copy_pages(from, to);
	}
	/* One file, that can be read where nothing can be written. */
	if (code == SQLITE_OK) {
		code = store_sqlite_query(to, "PRAGMA journal_mode = DELETE", NULL, 0);
	}
	if (code != SQLITE_OK) {
		result = store_sqlite_fault_of(store->path, code, "copy", problem, problem_size);
	}
	sqlite3_close(from);
	if (result == 0) {
		result = check_copy(store, to, holdings ? holdings : &counted, problem,
				    problem_size);
	}
	sqlite3_close(to);
	return result;
}

static int open_copy(const char *path, int *file, struct store_holdings *holdings, char *problem,
		     size_t problem_size)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat info = {.st_size = 0};

	if (descriptor < 0 || fstat(descriptor, &info) < 0) {
		int result = -errno;

		snprintf(problem, problem_size, "the copy cannot be read: %s; try again",
			 strerror(-result));
		if (descriptor >= 0) {
			close(descriptor);
		}
		return result;
	}
	holdings->bytes = (uint64_t)info.st_size;
	*file = descriptor;
	return 0;
}

int store_sqlite_copy(struct store_database *database, int *file, struct store_holdings *holdings,
		      char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	char *part = NULL;
	int result;

	if (pthread_mutex_trylock(&store->copying) != 0) {
		snprintf(problem, problem_size,
			 "a backup or a restore is under way; try again when it is done");
		return -EBUSY;
	}
	result = store_sqlite_make_part(store, &part, problem, problem_size);
	if (result == 0) {
		result = store_sqlite_copy_to(store, part, holdings, problem, problem_size);
		if (result == 0) {
			result = open_copy(part, file, holdings, problem, problem_size);
		}
		store_sqlite_remove_part(part);
		free(part);
	}
	pthread_mutex_unlock(&store->copying);
	return result;
}

/* --- In. --- */

static int refuse_file(int result, char *problem, size_t problem_size)
{
	snprintf(problem, problem_size,
		 "the file cannot be kept beside the database: %s; look at its disk",
		 strerror(-result));
	return result;
}

int store_sqlite_open_upload(struct store_database *database, char *problem, size_t problem_size)
{
	const struct store_sqlite *store = (const struct store_sqlite *)database;
	const char *slash = strrchr(store->path, '/');
	char name[filesystem_path_max];
	int folder = filesystem_open_folder_of(store->path);
	int file;

	if (folder < 0) {
		return refuse_file(folder, problem, problem_size);
	}
	snprintf(name, sizeof(name), "%s%snew", slash ? slash + 1 : store->path,
		 store_sqlite_part_suffix);
	file = filesystem_open_nameless(folder, name, 0600);
	close(folder);
	return file < 0 ? refuse_file(file, problem, problem_size) : file;
}

/* Its NUL counts. SQLite itself would take an empty file for a new database. */
static bool is_database(int file)
{
	static const char magic[] = "SQLite format 3";
	char start[sizeof(magic)];

	return pread(file, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
	       memcmp(start, magic, sizeof(magic)) == 0;
}

/* Gives the file a name that nobody has; should somebody take it meanwhile, that is found. */
static int name_part(const struct store_sqlite *store, int file, char **path, char *problem,
		     size_t problem_size)
{
	char *part = NULL;
	int result = store_sqlite_make_part(store, &part, problem, problem_size);

	if (result < 0) {
		return result;
	}
	result = unlink(part) < 0 ? -errno : filesystem_give_name(file, AT_FDCWD, part);
	if (result < 0) {
		free(part);
		return refuse_file(result, problem, problem_size);
	}
	*path = part;
	return 0;
}

/* Checks the candidate and makes it like one of ours. */
static int prepare_candidate(struct store_sqlite *candidate, struct store_holdings *holdings,
			     char *problem, size_t problem_size)
{
	int version = 0;
	int code;
	int result = store_sqlite_attach(candidate, problem, problem_size);

	if (result == 0) {
		result = store_sqlite_examine(candidate, true, &version, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_configure(candidate, problem, problem_size);
	}
	if (result == 0) {
		result = store_sqlite_migrate(candidate, version, problem, problem_size);
	}
	if (result < 0) {
		return result;
	}
	code = count_rows(candidate->connection, holdings);
	if (code == SQLITE_OK) {
		code = store_sqlite_query(candidate->connection, "DELETE FROM events", NULL, 0);
	}
	if (code != SQLITE_OK) {
		return store_sqlite_fault(candidate, code, "read", problem, problem_size);
	}
	holdings->schema = (unsigned)version; /* as it came */
	return store_sqlite_prepare(candidate, problem, problem_size);
}

/* The part, which is a file of that many bytes, as a candidate. `part` is taken over. */
static int open_candidate(struct store_sqlite *store, char *part, struct store_sqlite **candidate,
			  struct store_holdings *holdings, char *problem, size_t problem_size)
{
	struct store_sqlite *new = store_sqlite_new(&store->options, part);
	int result;

	if (!new) {
		snprintf(problem, problem_size, "out of memory");
		return -ENOMEM;
	}
	new->is_candidate = true;
	new->name = "the file";
	new->options.pages_max = 0;
	new->options.tell = NULL;
	result = prepare_candidate(new, holdings, problem, problem_size);
	if (result < 0) {
		new->base.class->close(&new->base);
		/* What is wrong with it is the giver's matter, not the disk's. */
		return result == -EUCLEAN || result == -EPROTO ? -EINVAL : result;
	}
	*candidate = new;
	return 0;
}

int store_sqlite_take_in(struct store_database *database, int file,
			 struct store_database **candidate, struct store_holdings *holdings,
			 char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	struct store_sqlite *new;
	struct stat info = {.st_size = 0};
	char *part = NULL;
	int result = -EINVAL;

	if (is_database(file) && fstat(file, &info) == 0) {
		result = name_part(store, file, &part, problem, problem_size);
	} else {
		snprintf(problem, problem_size,
			 "the file is no database; give one that bellhop backup made");
	}
	/* Before SQLite has it open: closing it later would let go of SQLite's locks. */
	close(file);
	if (result == 0) {
		result = open_candidate(store, part, &new, holdings, problem, problem_size);
	}
	if (result < 0) {
		return result;
	}
	holdings->bytes = (uint64_t)info.st_size;
	*candidate = &new->base;
	return 0;
}

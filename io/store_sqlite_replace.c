/* SPDX-License-Identifier: MIT */
#include "core/base/time.h"
#include "io/filesystem.h"
#include "io/store_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The candidate as a file that is whole on disk, with nothing beside it. */
static int close_candidate(struct store_sqlite *candidate, char *problem, size_t problem_size)
{
	int file;
	int result = 0;

	(void)store_sqlite_disconnect(candidate);
	if (store_sqlite_has_log(candidate)) {
		snprintf(problem, problem_size, "the file could not be closed; try again");
		return -EIO;
	}
	file = open(candidate->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0 || fsync(file) < 0) {
		result = -errno;
		snprintf(problem, problem_size,
			 "the file could not be written whole: %s; look at the disk",
			 strerror(-result));
	}
	if (file >= 0) {
		close(file);
	}
	return result;
}

/* PATH.before-restore-20261128T153210.123Z */
static int name_kept(const struct store_sqlite *store, uint64_t utc_ms, struct writer *kept,
		     char *problem, size_t problem_size)
{
	char text[time_rfc3339_size];
	struct writer w = writer_over(text, sizeof(text));

	time_write_rfc3339(&w, utc_ms);
	writer_text(kept, store->path);
	writer_text(kept, ".before-restore-");
	for (size_t i = 0; i < w.length; i++) {
		if (text[i] != '-' && text[i] != ':') {
			writer_char(kept, text[i]);
		}
	}
	writer_terminate(kept);
	if (kept->failed) {
		snprintf(problem, problem_size, "the path of the database is too long");
		return -ENAMETOOLONG;
	}
	return 0;
}

/*
 * The old database gets its second name first, and that and the end of its log are durable before
 * the new one takes the first name: a log must never meet a database that is not its own.
 */
static int put_in_place(const char *from, const char *path, const char *kept)
{
	int result = link(path, kept) < 0 ? -errno : filesystem_sync_folder_of(path);

	if (result == 0 && rename(from, path) < 0) {
		result = -errno;
	}
	if (result < 0) {
		unlink(kept);
		return result;
	}
	result = filesystem_sync_folder_of(path);
	if (result < 0) {
		(void)!rename(kept, path);
	}
	return result;
}

static bool log_is_there(const struct store_sqlite *store)
{
	char path[filesystem_path_max];

	return snprintf(path, sizeof(path), "%s-wal", store->path) >= (int)sizeof(path) ||
	       access(path, F_OK) == 0;
}

/* The old database again: what the new one has left beside it must not meet it either. */
static void put_back(const char *path, const char *kept)
{
	static const char *const suffixes[] = {"-wal", "-shm"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[filesystem_path_max + 8];

		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
	(void)!rename(kept, path);
	(void)filesystem_sync_folder_of(path);
}

/* Closes the old database, with nothing left outside its file. */
static int empty_log(struct store_sqlite *store, char *problem, size_t problem_size)
{
	int code = SQLITE_OK;

	if (store->connection) {
		errno = 0;
		code = sqlite3_wal_checkpoint_v2(store->connection, NULL,
						 SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	if (code != SQLITE_OK) {
		return store_sqlite_fault(store, code, "move the log into", problem, problem_size);
	}
	(void)store_sqlite_disconnect(store);
	/* The last to close it removes the log: whoever has it open would write to the new one's.
	 */
	if (log_is_there(store)) {
		snprintf(problem, problem_size,
			 "another program has %s open, or its log cannot be removed; end that "
			 "program and try again",
			 store->path);
		return -EBUSY;
	}
	return 0;
}

static int replace(struct store_sqlite *store, struct store_sqlite *candidate, uint64_t utc_ms,
		   struct writer *kept, char *problem, size_t problem_size)
{
	int result = close_candidate(candidate, problem, problem_size);

	if (result == 0) {
		result = name_kept(store, utc_ms, kept, problem, problem_size);
	}
	if (result < 0) {
		return result;
	}
	result = empty_log(store, problem, problem_size);
	if (result < 0) {
		return result;
	}
	result = put_in_place(candidate->path, store->path, kept->data);
	if (result < 0) {
		snprintf(problem, problem_size,
			 "the file could not be put in the place of %s: %s; look at the disk",
			 store->path, strerror(-result));
		return result;
	}
	result = store_sqlite_connect(store, problem, problem_size);
	if (result < 0) {
		put_back(store->path, kept->data);
	}
	return result;
}

int store_sqlite_replace(struct store_database *database, struct store_database *candidate,
			 uint64_t utc_ms, struct writer *kept, char *problem, size_t problem_size)
{
	struct store_sqlite *store = (struct store_sqlite *)database;
	char ignored[512];
	int result = -EBUSY;

	if (pthread_mutex_trylock(&store->copying) != 0) {
		snprintf(problem, problem_size,
			 "a backup is being made; try again when it is done");
	} else {
		result = replace(store, (struct store_sqlite *)candidate, utc_ms, kept, problem,
				 problem_size);
		/* The old one again; if that fails now, the next transaction tries. */
		if (result < 0 && !store->connection) {
			(void)store_sqlite_connect(store, ignored, sizeof(ignored));
		}
		pthread_mutex_unlock(&store->copying);
	}
	candidate->class->close(candidate);
	return result;
}

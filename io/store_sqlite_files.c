/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"
#include "io/store_sqlite_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { mark_size = 128 };

const char store_sqlite_part_suffix[] = ".part-";
static const char kept_suffix[] = ".before-restore-";

int store_sqlite_beside(const struct store_sqlite *store, const char *suffix, char *path,
			size_t path_size, char *problem, size_t problem_size)
{
	int length = snprintf(path, path_size, "%s%s", store->path, suffix);

	if (length < 0 || (size_t)length >= path_size) {
		snprintf(problem, problem_size, "the path of the database is too long");
		return -ENAMETOOLONG;
	}
	return 0;
}

/* --- The lock, and whether the last end was clean. --- */

/*
 * What tells that nobody has written to the database since: it is in the lock file only while the
 * database is closed.
 */
static int write_mark(const struct store_sqlite *store, char mark[static mark_size])
{
	struct stat info;

	if (stat(store->path, &info) < 0) {
		return -errno;
	}
	snprintf(mark, mark_size, "closed %ju bytes %jd.%09ld inode %ju\n", (uintmax_t)info.st_size,
		 (intmax_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec, (uintmax_t)info.st_ino);
	return 0;
}

static bool is_marked_closed(const struct store_sqlite *store)
{
	char found[mark_size] = "";
	char wanted[mark_size];
	ssize_t length = pread(store->lock, found, sizeof(found) - 1, 0);

	return length > 0 && write_mark(store, wanted) == 0 && strcmp(found, wanted) == 0 &&
	       !store_sqlite_has_log(store);
}

/* The lock file stays when the server ends: removing it would let two servers lock two files. */
int store_sqlite_lock(struct store_sqlite *store, bool *was_closed, char *problem,
		      size_t problem_size)
{
	char path[filesystem_path_max];
	int result = store_sqlite_beside(store, ".lock", path, sizeof(path), problem, problem_size);

	if (result < 0) {
		return result;
	}
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock < 0) {
		result = -errno;
		snprintf(problem, problem_size,
			 "cannot make %s: %s; check that its folder is there and may be written",
			 path, strerror(-result));
		return result;
	}
	if (flock(store->lock, LOCK_EX | LOCK_NB) < 0) {
		result = errno == EWOULDBLOCK ? -EBUSY : -errno;
		snprintf(problem, problem_size,
			 "%s is in use by another bellhopd; end that one or name another data "
			 "folder ([server] data)",
			 store->path);
		return result;
	}
	*was_closed = is_marked_closed(store);
	if (ftruncate(store->lock, 0) < 0) {
		result = -errno;
		snprintf(problem, problem_size, "cannot write %s: %s; look at its disk", path,
			 strerror(-result));
	}
	return result;
}

void store_sqlite_unlock(struct store_sqlite *store, bool is_closed)
{
	char mark[mark_size];

	if (store->lock < 0) {
		return;
	}
	/* Not written is not harmful: the next start then checks the whole database. */
	if (is_closed && write_mark(store, mark) == 0 &&
	    pwrite(store->lock, mark, strlen(mark), 0) != (ssize_t)strlen(mark)) {
		(void)!ftruncate(store->lock, 0);
	}
	close(store->lock);
	store->lock = -1;
}

/* --- The database's own file, and its log. --- */

bool store_sqlite_has_log(const struct store_sqlite *store)
{
	char path[filesystem_path_max];
	char problem[64];
	struct stat info;

	return store_sqlite_beside(store, "-wal", path, sizeof(path), problem, sizeof(problem)) ==
		       0 &&
	       stat(path, &info) == 0 && info.st_size > 0;
}

/* Made by us, so that it has 0600 from its first moment; the log takes its mode from it. */
int store_sqlite_make_file(const struct store_sqlite *store, bool *is_new, char *problem,
			   size_t problem_size)
{
	struct stat info;
	bool is_empty = stat(store->path, &info) < 0 || info.st_size == 0;
	int file;

	/* SQLite would take the log for a stale one and remove it, with all that is in it. */
	if (is_empty && store_sqlite_has_log(store)) {
		snprintf(problem, problem_size,
			 "%s is missing or empty, but its log %s-wal holds changes; put a backup "
			 "in its place and the log away, nothing was changed",
			 store->path, store->path);
		return -EUCLEAN;
	}
	file = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0) {
		int result = -errno;

		snprintf(problem, problem_size,
			 "cannot open %s for writing: %s; check its owner, its folder and its disk",
			 store->path, strerror(-result));
		return result;
	}
	close(file);
	*is_new = is_empty;
	return 0;
}

/* --- What lies beside it for a while. --- */

void store_sqlite_remove_part(const char *path)
{
	static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[filesystem_path_max];

		if (snprintf(name, sizeof(name), "%s%s", path, suffixes[i]) < (int)sizeof(name)) {
			unlink(name);
		}
	}
}

int store_sqlite_make_part(const struct store_sqlite *store, char **path, char *problem,
			   size_t problem_size)
{
	char *name;
	int file;

	if (asprintf(&name, "%s%sXXXXXX", store->path, store_sqlite_part_suffix) < 0) {
		snprintf(problem, problem_size, "out of memory");
		return -ENOMEM;
	}
	file = mkostemp(name, O_CLOEXEC); /* 0600 */
	if (file < 0) {
		int result = -errno;

		snprintf(problem, problem_size,
			 "cannot make a file beside %s: %s; look at its disk", store->path,
			 strerror(-result));
		free(name);
		return result;
	}
	close(file);
	*path = name;
	return 0;
}

/*
 * A kept database that is still the one in use: the server ended between giving it that name and
 * putting another in its place.
 */
static bool is_second_name(int folder, const char *name, const struct stat *database)
{
	struct stat info;

	return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       info.st_ino == database->st_ino && info.st_dev == database->st_dev;
}

void store_sqlite_sweep(const struct store_sqlite *store)
{
	const char *slash = strrchr(store->path, '/');
	const char *base = slash ? slash + 1 : store->path;
	size_t length = strlen(base);
	char folder[filesystem_path_max] = ".";
	struct stat database = {.st_ino = 0};
	DIR *directory;

	if (slash) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - store->path + 1),
			 store->path);
	}
	directory = opendir(folder);
	if (!directory || stat(store->path, &database) < 0) {
		database.st_ino = 0;
	}
	for (struct dirent *e; directory && (e = readdir(directory));) {
		const char *suffix = e->d_name + length;

		if (strncmp(e->d_name, base, length) != 0) {
			continue;
		}
		if (strncmp(suffix, store_sqlite_part_suffix,
			    sizeof(store_sqlite_part_suffix) - 1) == 0 ||
		    (strncmp(suffix, kept_suffix, sizeof(kept_suffix) - 1) == 0 &&
		     is_second_name(dirfd(directory), e->d_name, &database))) {
			unlinkat(dirfd(directory), e->d_name, 0);
		}
	}
	if (directory) {
		closedir(directory);
	}
}

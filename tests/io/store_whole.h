/* SPDX-License-Identifier: MIT */
/* What the tests of the whole database share: copies, restores, and children that are killed. */
#ifndef BELLHOP_TESTS_IO_STORE_WHOLE_H
#define BELLHOP_TESTS_IO_STORE_WHOLE_H

#include "io/filesystem.h"
#include "tests/io/faulty_vfs.h"
#include "tests/io/store_house.h"
#include "tests/test.h"

#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { bytes_max = 64 << 20 };

/* --- Files. --- */

static inline struct span read_file(const char *path)
{
	struct span bytes = {NULL, 0};

	CHECK_EQUAL(0, filesystem_read(path, bytes_max, &bytes));
	return bytes;
}

static inline void write_file(const char *path, struct span bytes)
{
	CHECK_EQUAL(0, filesystem_replace(path, bytes));
}

static inline void free_span(struct span bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

/* How many files there are whose name is `path` and then matches `pattern`; the first to `found`.
 */
static inline size_t count_files(const char *path, const char *pattern, char *found, size_t size)
{
	char whole[256];
	glob_t matches;
	size_t count = 0;

	snprintf(whole, sizeof(whole), "%s%s", path, pattern);
	if (glob(whole, 0, NULL, &matches) == 0) {
		count = matches.gl_pathc;
		if (found) {
			snprintf(found, size, "%s", matches.gl_pathv[0]);
		}
		globfree(&matches);
	}
	return count;
}

static inline bool database_is_whole(const char *path)
{
	char value[64];

	query(path, "PRAGMA integrity_check", value, sizeof(value));
	return strcmp(value, "ok") == 0;
}

/* The bytes of a copy of what is in use. */
static inline struct span copy(struct house *house, struct store_holdings *holdings)
{
	struct span bytes = {NULL, 0};
	struct stat info;
	char path[64];
	int file = -1;
	int result =
		store_copy(house->store, &file, holdings, house->problem, sizeof(house->problem));

	CHECK_EQUAL(0, result);
	if (result < 0) {
		printf("# %s\n", house->problem);
		return bytes;
	}
	CHECK_EQUAL(0, fstat(file, &info));
	CHECK_EQUAL(0600, info.st_mode & 0777);
	CHECK_EQUAL(0, info.st_nlink);
	CHECK_EQUAL(holdings->bytes, info.st_size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	bytes = read_file(path);
	close(file);
	return bytes;
}

struct restoring {
	struct house *house;
	bool is_done;
	int result;
	uint64_t stale;
	struct store_holdings holdings;
	char kept[256];
};

static inline void keep_restored(void *context, int result, const char *problem,
				 const struct store_restored *restored)
{
	struct restoring *restoring = context;

	restoring->is_done = true;
	restoring->result = result;
	restoring->stale = restored->stale;
	restoring->holdings = restored->holdings;
	snprintf(restoring->kept, sizeof(restoring->kept), "%s", restored->kept);
	snprintf(restoring->house->problem, sizeof(restoring->house->problem), "%s", problem);
}

/* Restores what is in the file, and waits for what comes of it. */
static inline int restore_file(struct house *house, int file, struct restoring *restoring)
{
	struct store_restoration *restoration = NULL;
	int result;

	*restoring = (struct restoring){.house = house};
	result = store_restoration_new(house->store, file, &restoration, house->problem,
				       sizeof(house->problem));
	if (result == 0) {
		result = store_client_restore(house->client, restoration, SPAN("restorer"),
					      keep_restored, restoring);
	}
	while (result == 0 && !restoring->is_done) {
		uv_run(&house->loop, UV_RUN_ONCE);
	}
	return result < 0 ? result : restoring->result;
}

/* The same of bytes, uploaded as the admin door does. */
static inline int restore(struct house *house, struct span bytes, struct restoring *restoring)
{
	int file = store_open_upload(house->store, house->problem, sizeof(house->problem));

	CHECK(file >= 0);
	CHECK_EQUAL(0, filesystem_write(file, bytes));
	return restore_file(house, file, restoring);
}

static inline int set_label(struct house *house, unsigned n, struct span label)
{
	return make(house, &(struct change){.kind = CHANGE_DEVICE_SET,
					    .mac = mac_number(n),
					    .fields = FIELD_LABEL,
					    .label = label});
}

/* Runs in a child, which is killed at the n-th write or sync. True when it was. */
static inline bool is_killed(void (*work)(struct house *house, void *context), struct house *house,
			     void *context, int n)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		faulty.kills = true;
		faulty_vfs_begin();
		faulty_vfs_arm(n, 1, 0);
		work(house, context);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	return WIFSIGNALED(status);
}

/* A text with a number in it; valid until the next one. */
__attribute__((format(printf, 1, 2))) static inline const char *text_of(const char *format, ...)
{
	static char text[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return text;
}

#endif

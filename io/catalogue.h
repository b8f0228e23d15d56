/* SPDX-License-Identifier: MIT */
/*
 * The catalogue: files below DATA/files that any claimed phone may fetch by name. The folder is the
 * truth; the inventory's list follows it by CHANGE_FILE_SET and CHANGE_FILE_REMOVE. Only regular
 * files count, links are never followed, names that begin with a dot are nobody's (they are files
 * being written).
 */
#ifndef BELLHOP_IO_CATALOGUE_H
#define BELLHOP_IO_CATALOGUE_H

#include "io/door.h"

#include <sys/stat.h>
#include <uv.h>

/* Opens DATA/files, making it (0750) when it is not there: a descriptor, or a negative errno. */
int catalogue_open_directory(const char *data_directory);

/*
 * Opens one file for reading: below `files_fd` alone (openat2 RESOLVE_BENEATH, no links, no other
 * file system's magic), regular, and fills `info`. A descriptor; -EMFILE, -ENFILE, -ENOMEM
 * or -EIO when this machine cannot at the moment; or -ENOENT for everything that is not to be had.
 */
int catalogue_open_file(int files_fd, struct span name, struct stat *info);

/*
 * A number that is another one whenever the bytes may be others: of inode, size and both times of
 * change to the nanosecond. (Two writes within one tick of the kernel's clock may share theirs.)
 */
uint64_t catalogue_version(const struct stat *info);

/*
 * The open file has the octets that it had when `before` was taken of it. That another took its
 * name (catalogue_add, rename) is no change of it.
 */
bool catalogue_file_is_same(int fd, const struct stat *before);

/* Changed within the last tick of the kernel's clock for files: it may change again unseen. */
bool catalogue_file_is_fresh(const struct stat *info);

/*
 * A file without a name for bytes that are coming in, which catalogue_add can put in place as it
 * is: a descriptor, or a negative errno with one sentence. Until then nothing of it can be seen,
 * and nothing of it stays.
 */
int catalogue_open_upload(int files_fd, char *problem, size_t problem_size);

/*
 * Puts a file in place, whole or not at all: `upload` is synced, gets a name beside the old one and
 * is renamed over it. It is of catalogue_open_upload, and written no more; or another file without
 * a name, which is copied where it lies on another file system. 0 and `*bytes`, or a negative errno
 * with one sentence. `upload` stays the caller's.
 */
int catalogue_add(int files_fd, struct span name, int upload, uint64_t *bytes, char *problem,
		  size_t problem_size);
int catalogue_remove(int files_fd, struct span name, char *problem, size_t problem_size);

struct catalogue;

/*
 * Scans now, removing what a server that ended left unfinished, and posts what differs from the
 * inventory, then watches the folder (inotify) and posts again soon after each change; where it
 * cannot be watched it is scanned again and again, and one warning says so. Of files whose bytes
 * are new the SHA-256 is computed on libuv's thread pool, one after the other, and posted as
 * CHANGE_FILE_HASHED. At most the inventory's files_max are taken; of what is left out or passed
 * over (links, odd names) one warning tells as often as it changes.
 *
 * 0 and `*catalogue`, or a negative errno. `door` must outlive it.
 */
int catalogue_start(struct catalogue **catalogue, uv_loop_t *loop, const struct door *door);

/* Scans at once. 0, or the errno of the scan. */
int catalogue_scan(struct catalogue *catalogue);

struct catalogue_counters {
	uint64_t scans;
	uint64_t hashed;
};

void catalogue_counters(const struct catalogue *catalogue, struct catalogue_counters *counters);

/*
 * What an operator should see to, as of the last scan: a sentence each for files that are left out,
 * entries that are passed over, and a folder that cannot be watched. How many; the sentences live
 * until the loop goes on.
 */
enum { catalogue_warnings_max = 3 };
size_t catalogue_warnings(const struct catalogue *catalogue,
			  const char *sentences[static catalogue_warnings_max]);

/* Its memory goes when the loop has closed its handles and a file being hashed is let go of. */
void catalogue_stop(struct catalogue *catalogue);

#endif

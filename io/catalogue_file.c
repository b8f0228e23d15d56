/* SPDX-License-Identifier: MIT */
#include "io/catalogue_internal.h"
#include "io/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { file_tick_ms = 20 }; /* of the kernel's clock for files: 10 at most */

const char catalogue_part_prefix[] = ".bellhop-part-";

static int open_beneath(int files_fd, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, files_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int catalogue_open_directory(const char *data_directory)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s/files", data_directory) >= (int)sizeof(path)) {
		return -ENAMETOOLONG;
	}
	if (mkdir(path, 0750) != 0 && errno != EEXIST) {
		return -errno;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

uint64_t catalogue_version(const struct stat *info)
{
	const uint64_t parts[] = {
		(uint64_t)info->st_dev,		 (uint64_t)info->st_ino,
		(uint64_t)info->st_size,	 (uint64_t)info->st_mtim.tv_sec,
		(uint64_t)info->st_mtim.tv_nsec, (uint64_t)info->st_ctim.tv_sec,
		(uint64_t)info->st_ctim.tv_nsec,
	};
	uint64_t version = 0;

	/* The steps of splitmix64: every bit of a part reaches all bits of the number. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		version = (version ^ parts[i]) + UINT64_C(0x9e3779b97f4a7c15);
		version = (version ^ (version >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		version = (version ^ (version >> 27)) * UINT64_C(0x94d049bb133111eb);
		version ^= version >> 31;
	}
	return version;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * The time of modification can be set back, that of change cannot; but it moves too when the last
 * name of the file goes, which is how one is replaced, and leaves its octets as they were.
 */
bool catalogue_file_is_same(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	       is_same_time(now.st_mtim, before->st_mtim) &&
	       (is_same_time(now.st_ctim, before->st_ctim) || now.st_nlink != before->st_nlink);
}

bool catalogue_file_is_fresh(const struct stat *info)
{
	struct timespec now;
	int64_t age_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (now.tv_sec - info->st_ctim.tv_sec) * 1000 +
		 (now.tv_nsec - info->st_ctim.tv_nsec) / 1000000;
	return age_ms < file_tick_ms;
}

int catalogue_open_file(int files_fd, struct span name, struct stat *info)
{
	char path[catalogue_name_max + 1];
	int fd;

	if (files_fd < 0 || !catalogue_name_is_legal(name) ||
	    span_to_text(name, path, sizeof(path)) != 0) {
		return -ENOENT;
	}
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	fd = open_beneath(files_fd, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO
			       ? -errno
			       : -ENOENT;
	}
	if (fstat(fd, info) != 0 || !S_ISREG(info->st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

/* A folder that is made has its name survive a power cut: so would the file in it. */
static int make_folder(int parent_fd, const char *name)
{
	if (mkdirat(parent_fd, name, 0750) != 0) {
		return errno == EEXIST ? 0 : -errno;
	}
	return fsync(parent_fd) != 0 ? -errno : 0;
}

/*
 * Makes and opens the folder that `path` lies in; `*last` is the name inside it. Part for part:
 * what is made must not be made behind a link either.
 */
static int open_parent(int files_fd, char *path, const char **last)
{
	int parent_fd = open_beneath(files_fd, ".", O_RDONLY | O_DIRECTORY);
	char *slash;

	*last = path;
	while (parent_fd >= 0 && (slash = strchr(*last, '/'))) {
		int fd;

		*slash = '\0';
		fd = make_folder(parent_fd, *last);
		if (fd == 0) {
			fd = open_beneath(parent_fd, *last, O_RDONLY | O_DIRECTORY);
		}
		*slash = '/';
		close(parent_fd);
		parent_fd = fd;
		*last = slash + 1;
	}
	return parent_fd;
}

/* Beside its place, then renamed over it: readers see the old file or the new one. */
static int replace(int parent_fd, const char *last, int upload)
{
	char temporary[64];
	int error;

	snprintf(temporary, sizeof(temporary), "%s%d", catalogue_part_prefix, upload);
	unlinkat(parent_fd, temporary, 0);
	error = filesystem_give_name(upload, parent_fd, temporary);
	if (error != 0) {
		return error;
	}
	if (renameat(parent_fd, temporary, parent_fd, last) != 0) {
		error = -errno;
		unlinkat(parent_fd, temporary, 0);
		return error;
	}
	return fsync(parent_fd) != 0 ? -errno : 0;
}

static const char *remedy_of(int error)
{
	switch (error) {
	case -ENOSPC:
	case -EDQUOT:
		return "free space on the disk that holds the server's data";
	case -ENOTDIR:
		return "a file has the name of a folder that is wanted; remove it or choose "
		       "another name";
	case -EISDIR:
		return "a folder has that name; choose another one";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return "let the server's user write below the folder files of its data";
	case -ELOOP:
	case -EXDEV:
		return "links are not followed; put folders and files there";
	default:
		return "look at the disk that holds the server's data";
	}
}

static void explain(char *problem, size_t problem_size, const char *what, const char *name,
		    int error)
{
	snprintf(problem, problem_size, "%s %s: %s; %s", what, name, strerrordesc_np(-error),
		 remedy_of(error));
}

int catalogue_open_upload(int files_fd, char *problem, size_t problem_size)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%snew", catalogue_part_prefix);
	fd = filesystem_open_nameless(files_fd, name, 0640);
	if (fd < 0) {
		explain(problem, problem_size, "cannot make", "a file for what is sent", fd);
	}
	return fd;
}

int catalogue_add(int files_fd, struct span name, int upload, uint64_t *bytes, char *problem,
		  size_t problem_size)
{
	char path[catalogue_name_max + 1];
	struct stat info;
	const char *last;
	int parent_fd;
	int error;

	if (!catalogue_name_is_legal(name) || span_to_text(name, path, sizeof(path)) != 0) {
		snprintf(problem, problem_size,
			 "that is no name for a file; use a relative path of at most %d visible "
			 "ASCII characters, no part of which is empty or begins with a dot",
			 catalogue_name_max);
		return -EINVAL;
	}
	parent_fd = open_parent(files_fd, path, &last);
	if (parent_fd < 0) {
		explain(problem, problem_size, "cannot open the folder of", path, parent_fd);
		return parent_fd;
	}
	error = fstat(upload, &info) != 0 ? -errno : replace(parent_fd, last, upload);
	if (error != 0) {
		explain(problem, problem_size, "cannot write", path, error);
	} else {
		*bytes = (uint64_t)info.st_size;
	}
	close(parent_fd);
	return error;
}

int catalogue_remove(int files_fd, struct span name, char *problem, size_t problem_size)
{
	char path[catalogue_name_max + 1];
	struct stat info;
	int fd = catalogue_open_file(files_fd, name, &info);
	const char *last;
	int parent_fd;
	int error = 0;

	if (fd < 0 || span_to_text(name, path, sizeof(path)) != 0) {
		snprintf(problem, problem_size,
			 "there is no such file; `bellhop file list` shows all");
		return -ENOENT;
	}
	close(fd);
	parent_fd = open_parent(files_fd, path, &last);
	if (parent_fd < 0) {
		explain(problem, problem_size, "cannot open the folder of", path, parent_fd);
		return parent_fd;
	}
	if (unlinkat(parent_fd, last, 0) != 0) {
		error = -errno;
		explain(problem, problem_size, "cannot remove", path, error);
	}
	close(parent_fd);
	return error;
}

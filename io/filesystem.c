/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { copy_octets_max = 65536 };

/* Reads until the end or the ceiling; one octet more than allowed tells that there was more. */
static int read_all(int descriptor, char *data, size_t room, size_t *length)
{
	size_t got = 0;

	while (got < room) {
		ssize_t count = read(descriptor, data + got, room - got);

		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			return -errno;
		}
		if (count == 0) {
			break;
		}
		got += (size_t)count;
	}
	*length = got;
	return 0;
}

int filesystem_read(const char *path, size_t bytes_max, struct span *bytes)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat info;
	size_t room = bytes_max + 1;
	size_t length = 0;
	char *data = NULL;
	int error = 0;

	if (descriptor < 0) {
		return -errno;
	}
	if (fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) &&
	    (uint64_t)info.st_size < bytes_max) {
		/* A file that grows meanwhile is read as it was. */
		room = (size_t)info.st_size + 1;
	}
	data = malloc(room + 1);
	error = data ? read_all(descriptor, data, room, &length) : -ENOMEM;
	if (error == 0 && length > bytes_max) {
		error = -EFBIG;
	}
	close(descriptor);
	if (error != 0) {
		free(data);
		return error;
	}
	data[length] = '\0';
	*bytes = span_make(data, length);
	return 0;
}

int filesystem_write(int descriptor, struct span bytes)
{
	while (bytes.length > 0) {
		ssize_t count = write(descriptor, bytes.data, bytes.length);

		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			return count < 0 ? -errno : -EIO;
		}
		bytes.data += count;
		bytes.length -= (size_t)count;
	}
	return 0;
}

int filesystem_open_folder_of(const char *path)
{
	char folder[filesystem_path_max];
	const char *slash = strrchr(path, '/');
	int descriptor;

	if (!slash) {
		snprintf(folder, sizeof(folder), ".");
	} else if (slash == path) {
		snprintf(folder, sizeof(folder), "/");
	} else if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
		   (int)sizeof(folder)) {
		return -ENAMETOOLONG;
	}
	descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return descriptor < 0 ? -errno : descriptor;
}

/* A rename is only durable once its folder is. */
int filesystem_sync_folder_of(const char *path)
{
	int descriptor = filesystem_open_folder_of(path);
	int error = 0;

	if (descriptor < 0) {
		return descriptor;
	}
	if (fsync(descriptor) != 0 && errno != EINVAL) {
		error = -errno;
	}
	close(descriptor);
	return error;
}

int filesystem_replace(const char *path, struct span bytes)
{
	char beside[filesystem_path_max];
	int descriptor;
	int error;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside)) {
		return -ENAMETOOLONG;
	}
	descriptor = mkostemp(beside, O_CLOEXEC);
	if (descriptor < 0) {
		return -errno;
	}
	error = filesystem_write(descriptor, bytes);
	if (error == 0 && fsync(descriptor) != 0) {
		error = -errno;
	}
	if (close(descriptor) != 0 && error == 0) {
		error = -errno;
	}
	if (error == 0 && rename(beside, path) != 0) {
		error = -errno;
	}
	if (error != 0) {
		unlink(beside);
		return error;
	}
	return filesystem_sync_folder_of(path);
}

int filesystem_move_into_place(const char *from, const char *path)
{
	int descriptor = open(from, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (descriptor < 0) {
		return -errno;
	}
	if (fsync(descriptor) != 0) {
		error = -errno;
	}
	close(descriptor);
	if (error == 0 && rename(from, path) != 0) {
		error = -errno;
	}
	return error != 0 ? error : filesystem_sync_folder_of(path);
}

/* --- Files without names. --- */

int filesystem_open_nameless(int folder, const char *name, unsigned mode)
{
	int descriptor = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);

	if (descriptor >= 0) {
		return descriptor;
	}
	/* EISDIR: who does not know O_TMPFILE takes it for O_DIRECTORY. */
	if (errno != EOPNOTSUPP && errno != EISDIR) {
		return -errno;
	}
	unlinkat(folder, name, 0);
	descriptor = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (descriptor < 0) {
		return -errno;
	}
	unlinkat(folder, name, 0);
	return descriptor;
}

static int copy_octets(int from, int to)
{
	char buffer[copy_octets_max];
	off_t at = 0;

	for (;;) {
		ssize_t count = pread(from, buffer, sizeof(buffer), at);
		int error;

		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			return count < 0 ? -errno : 0;
		}
		error = filesystem_write(to, span_make(buffer, (size_t)count));
		if (error != 0) {
			return error;
		}
		at += count;
	}
}

static int copy_to(int file, int folder, const char *name)
{
	struct stat info;
	int copy;
	int error;

	if (fstat(file, &info) != 0) {
		return -errno;
	}
	copy = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      info.st_mode & 0777);
	if (copy < 0) {
		return -errno;
	}
	error = copy_octets(file, copy);
	if (error == 0 && fsync(copy) != 0) {
		error = -errno;
	}
	if (close(copy) != 0 && error == 0) {
		error = -errno;
	}
	if (error != 0) {
		unlinkat(folder, name, 0);
	}
	return error;
}

int filesystem_give_name(int file, int folder, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (fsync(file) != 0) {
		return -errno;
	}
	if (linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) == 0) {
		return 0;
	}
	/* ENOENT: it had a name once; or there is no /proc. EPERM: no hard links here. */
	if (errno == EXDEV || errno == ENOENT || errno == EPERM || errno == EOPNOTSUPP) {
		return copy_to(file, folder, name);
	}
	return -errno;
}

int filesystem_make_folder(const char *path)
{
	struct stat info;

	if (mkdir(path, 0700) == 0) {
		return 0;
	}
	if (errno != EEXIST) {
		return -errno;
	}
	if (stat(path, &info) != 0) {
		return -errno;
	}
	return S_ISDIR(info.st_mode) ? 0 : -ENOTDIR;
}

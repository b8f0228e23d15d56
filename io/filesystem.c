/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A rename is only durable once its folder is. */
int filesystem_sync_folder_of(const char *path)
{
	char folder[filesystem_path_max];
	const char *slash = strrchr(path, '/');
	int descriptor;
	int error = 0;

	if (!slash) {
		snprintf(folder, sizeof(folder), ".");
	} else if (slash == path) {
		snprintf(folder, sizeof(folder), "/");
	} else if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
		   (int)sizeof(folder)) {
		return -ENAMETOOLONG;
	}
	descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0) {
		return -errno;
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

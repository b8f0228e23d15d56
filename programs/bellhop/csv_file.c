/* SPDX-License-Identifier: MIT */
/* A file of comma-separated values, whole. */
#include "programs/bellhop/bellhop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { csv_bytes_max = 32 << 20 };

static int read_all(const char *path, FILE *file, char **bytes, size_t *length)
{
	size_t size = 0;
	char *room = NULL;

	*length = 0;
	for (;;) {
		size_t count;

		if (*length == size) {
			char *larger = size < csv_bytes_max ? realloc(room, size + 65536) : NULL;

			if (!larger) {
				free(room);
				return fail("%s is too long; split it", path);
			}
			room = larger;
			size += 65536;
		}
		count = fread(room + *length, 1, size - *length, file);
		*length += count;
		if (count == 0) {
			break;
		}
	}
	if (ferror(file)) {
		free(room);
		return fail("cannot read %s: %s", path, strerror(errno));
	}
	*bytes = room;
	return EXIT_DONE;
}

int csv_file_read(const char *path, char **bytes, size_t *length)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	int result;

	if (!file) {
		return fail("cannot open %s: %s", path, strerror(errno));
	}
	result = read_all(is_stdin ? "the standard input" : path, file, bytes, length);
	if (!is_stdin) {
		fclose(file);
	}
	return result;
}

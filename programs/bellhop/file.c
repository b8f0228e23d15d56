/* SPDX-License-Identifier: MIT */
/* bellhop file …: the files that any claimed phone may fetch. */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char collection[] = "/api/v1/files/";

static int file_path(struct text *path, const char *name)
{
	return text_add_member(path, collection, name, true);
}

static void print_added(json_t *reply)
{
	printf("added %s, %lld bytes\n", json_string_value(json_object_get(reply, "name")),
	       (long long)json_integer_value(json_object_get(reply, "bytes")));
}

static int upload(const struct arguments *arguments, const char *name, FILE *file)
{
	struct text path = {.data = NULL};
	struct stat info;
	json_t *reply = NULL;
	int result;

	if (fstat(fileno(file), &info) < 0 || !S_ISREG(info.st_mode)) {
		return fail("%s is no regular file; name one", arguments->words[0]);
	}
	result = file_path(&path, name) < 0
			 ? fail("out of memory")
			 : client_upload(arguments, path.data, file, info.st_size, &reply);
	result = print_reply(arguments, result, reply, print_added);
	free(path.data);
	return result;
}

int run_file_add(const struct arguments *arguments)
{
	const char *name = argument(arguments, OPTION_NAME);
	const char *slash = strrchr(arguments->words[0], '/');
	/* Opening a FIFO must not wait for its writer. */
	int fd = open(arguments->words[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	int result;

	if (!file) {
		return fail("cannot open \"%s\": %s; name a file that you may read",
			    arguments->words[0], strerror(errno));
	}
	if (!name) {
		name = slash ? slash + 1 : arguments->words[0];
	}
	result = upload(arguments, name, file);
	fclose(file);
	return result;
}

int run_file_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{.title = "NAME", .member = "name"},
		{.title = "BYTES", .member = "bytes"},
		{.title = "MODIFIED", .member = "modified"},
		{.title = "SHA-256", .member = "sha256"},
	};

	return print_list(arguments, "/api/v1/files", "files", columns,
			  sizeof(columns) / sizeof(columns[0]));
}

int run_file_remove(const struct arguments *arguments)
{
	return print_removal(arguments, collection, arguments->words[0], true);
}

/* SPDX-License-Identifier: MIT */
/* bellhop backup and restore: the server's database as one file. */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char database_path[] = "/api/v1/database";

enum { path_size = 4096 };

/* --- The file that is written. --- */

static int sync_folder_of(const char *path)
{
	char folder[path_size];
	const char *slash = strrchr(path, '/');
	int descriptor;
	int result = 0;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
	descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0 || (fsync(descriptor) < 0 && errno != EINVAL)) {
		result = -errno;
	}
	if (descriptor >= 0) {
		close(descriptor);
	}
	return result;
}

/* Where the file system cannot refuse to replace, the file was looked for before. */
static int move(const char *from, const char *to, bool may_replace)
{
	int result = -1;

	if (!may_replace) {
		result = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
		may_replace = result < 0 && (errno == EINVAL || errno == ENOSYS);
	}
	if (may_replace) {
		result = rename(from, to);
	}
	return result < 0 ? -errno : sync_folder_of(to);
}

static int say_taken(const char *path)
{
	return fail("%s is there already; name another file, or replace it with --force", path);
}

/* Durable under its name, or gone. */
static int put_in_place(FILE *file, const char *part, const char *path, bool may_replace)
{
	int error = fflush(file) != 0 || fsync(fileno(file)) < 0 ? -errno : 0;

	if (error == 0) {
		error = move(part, path, may_replace);
	}
	if (error == -EEXIST) {
		return say_taken(path);
	}
	return error == 0 ? EXIT_DONE : fail("cannot write %s: %s", path, strerror(-error));
}

/* --- Backup. --- */

enum { NUMBER_DEVICES, NUMBER_PROFILES, NUMBER_SCHEMA, NUMBER_BYTES, number_count };

static int tell_backup(const struct arguments *arguments, FILE *out, const char *path,
		       const struct client_number *numbers)
{
	json_t *json;
	int result;

	if (!argument(arguments, OPTION_JSON)) {
		fprintf(out, "%s: %lld devices, %lld profiles, schema %lld, %lld bytes\n", path,
			numbers[NUMBER_DEVICES].value, numbers[NUMBER_PROFILES].value,
			numbers[NUMBER_SCHEMA].value, numbers[NUMBER_BYTES].value);
		return EXIT_DONE;
	}
	json = json_pack("{s:s, s:I, s:I, s:I, s:I}", "file", path, "devices",
			 (json_int_t)numbers[NUMBER_DEVICES].value, "profiles",
			 (json_int_t)numbers[NUMBER_PROFILES].value, "schema",
			 (json_int_t)numbers[NUMBER_SCHEMA].value, "bytes",
			 (json_int_t)numbers[NUMBER_BYTES].value);
	result = json ? print_json(json) : fail("out of memory");
	json_decref(json);
	return result;
}

static int download(const struct arguments *arguments, FILE *file,
		    struct client_number numbers[static number_count])
{
	const struct client_number wanted[number_count] = {
		[NUMBER_DEVICES] = {"Bellhop-Devices", 0},
		[NUMBER_PROFILES] = {"Bellhop-Profiles", 0},
		[NUMBER_SCHEMA] = {"Bellhop-Schema", 0},
		[NUMBER_BYTES] = {"Content-Length", 0},
	};

	memcpy(numbers, wanted, sizeof(wanted));
	return client_download(arguments, database_path, file, numbers, number_count);
}

static int backup_to_stdout(const struct arguments *arguments)
{
	struct client_number numbers[number_count];
	int result;

	if (isatty(STDOUT_FILENO) == 1) {
		return fail("a backup is not for a terminal; send the output to a file");
	}
	result = download(arguments, stdout, numbers);
	if (result == EXIT_DONE && fflush(stdout) != 0) {
		return fail("the answer cannot be written: %s", strerror(errno));
	}
	return result;
}

static int backup_to(const struct arguments *arguments, const char *path)
{
	struct client_number numbers[number_count];
	bool may_replace = argument(arguments, OPTION_FORCE) != NULL;
	char part[path_size];
	int descriptor;
	FILE *file;
	int result;

	if (!may_replace && access(path, F_OK) == 0) {
		return say_taken(path);
	}
	if (snprintf(part, sizeof(part), "%s.XXXXXX", path) >= (int)sizeof(part)) {
		return fail("the path is too long");
	}
	descriptor = mkostemp(part, O_CLOEXEC); /* 0600 */
	file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	if (!file) {
		return fail("cannot write beside %s: %s", path, strerror(errno));
	}
	result = download(arguments, file, numbers);
	if (result == EXIT_DONE) {
		result = put_in_place(file, part, path, may_replace);
	}
	fclose(file);
	if (result != EXIT_DONE) {
		unlink(part);
		return result;
	}
	return tell_backup(arguments, stdout, path, numbers);
}

int run_backup(const struct arguments *arguments)
{
	const char *path = arguments->words[0];

	return strcmp(path, "-") == 0 ? backup_to_stdout(arguments) : backup_to(arguments, path);
}

/* --- Restore. --- */

static void tell_restore(json_t *reply)
{
	json_int_t stale = json_integer_value(json_object_get(reply, "stale"));

	printf("restored %lld devices, %lld profiles (schema %lld)\n",
	       (long long)json_integer_value(json_object_get(reply, "devices")),
	       (long long)json_integer_value(json_object_get(reply, "profiles")),
	       (long long)json_integer_value(json_object_get(reply, "schema")));
	if (stale > 0) {
		printf("%lld of them have fetched since that backup, and are stale now\n",
		       (long long)stale);
	}
	printf("what was is kept by the server as %s\n",
	       json_string_value(json_object_get(reply, "kept")));
}

int run_restore(const struct arguments *arguments)
{
	const char *path = arguments->words[0];
	FILE *file = fopen(path, "re");
	struct stat info;
	json_t *reply = NULL;
	int result;

	if (!file) {
		return fail("cannot open %s: %s", path, strerror(errno));
	}
	if (fstat(fileno(file), &info) < 0 || !S_ISREG(info.st_mode)) {
		fclose(file);
		return fail("%s is not a regular file; name one that bellhop backup made", path);
	}
	result = client_upload(arguments, database_path, file, info.st_size, &reply);
	fclose(file);
	return print_reply(arguments, result, reply, tell_restore);
}

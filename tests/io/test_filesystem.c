/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/bellhop-filesystem-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static unsigned count_files(void)
{
	DIR *directory = opendir(folder);
	unsigned count = 0;

	for (struct dirent *e; directory && (e = readdir(directory));) {
		count += e->d_name[0] != '.';
	}
	closedir(directory);
	return count;
}

static void check_holds(const char *name, struct span expected)
{
	struct span bytes = SPAN("(unread)");

	if (filesystem_read(path_of(name), 4096, &bytes) != 0) {
		test_is_failed = true;
		return;
	}
	CHECK_SPAN(expected, bytes);
	CHECK_EQUAL('\0', bytes.data[bytes.length]);
	free((char *)(uintptr_t)bytes.data);
}

static void replaces_a_file_whole(void)
{
	struct stat info;

	CHECK_EQUAL(0, filesystem_replace(path_of("a"), SPAN("one\0two")));
	check_holds("a", SPAN("one\0two"));
	CHECK_EQUAL(0, filesystem_replace(path_of("a"), SPAN("")));
	check_holds("a", SPAN(""));
	CHECK_EQUAL(0, stat(path_of("a"), &info));
	CHECK_EQUAL(0600, info.st_mode & 0777);
	CHECK_EQUAL(1, count_files());
}

static void a_reader_keeps_the_old_file(void)
{
	char text[8] = "";
	FILE *old;

	CHECK_EQUAL(0, filesystem_replace(path_of("a"), SPAN("old")));
	old = fopen(path_of("a"), "r");
	REQUIRE(old != NULL);
	CHECK_EQUAL(0, filesystem_replace(path_of("a"), SPAN("new")));
	CHECK_EQUAL(3, fread(text, 1, sizeof(text), old));
	CHECK_TEXT("old", span_make(text, 3));
	fclose(old);
	check_holds("a", SPAN("new"));
}

static void leaves_nothing_behind_when_it_fails(void)
{
	char name[64];

	snprintf(name, sizeof(name), "%s", "folder");
	CHECK_EQUAL(0, mkdir(path_of(name), 0700));
	CHECK(filesystem_replace(path_of(name), SPAN("x")) < 0);
	CHECK_EQUAL(2, count_files()); /* "a" and the folder */
	CHECK_EQUAL(-ENOENT, filesystem_replace(path_of("nothing/b"), SPAN("x")));
	CHECK_EQUAL(0, rmdir(path_of(name)));
}

static void reads_up_to_its_ceiling(void)
{
	struct span bytes = SPAN("untouched");

	CHECK_EQUAL(0, filesystem_replace(path_of("a"), SPAN("12345")));
	CHECK_EQUAL(-EFBIG, filesystem_read(path_of("a"), 4, &bytes));
	CHECK_EQUAL(-ENOENT, filesystem_read(path_of("b"), 4, &bytes));
	CHECK_EQUAL(-EISDIR, filesystem_read(folder, 4, &bytes));
	CHECK_EQUAL(-EFBIG, filesystem_read("/dev/zero", 4, &bytes));
	CHECK_TEXT("untouched", bytes);
	CHECK_EQUAL(0, filesystem_read(path_of("a"), 5, &bytes));
	CHECK_TEXT("12345", bytes);
	free((char *)(uintptr_t)bytes.data);
}

static void moves_into_place(void)
{
	char from[256];

	snprintf(from, sizeof(from), "%s", path_of("part"));
	CHECK_EQUAL(0, filesystem_replace(from, SPAN("image")));
	CHECK_EQUAL(0, filesystem_move_into_place(from, path_of("a")));
	check_holds("a", SPAN("image"));
	CHECK_EQUAL(-ENOENT, filesystem_move_into_place(from, path_of("a")));
	check_holds("a", SPAN("image"));
}

static void makes_a_folder_once(void)
{
	CHECK_EQUAL(0, filesystem_make_folder(path_of("f")));
	CHECK_EQUAL(0, filesystem_make_folder(path_of("f")));
	CHECK_EQUAL(-ENOTDIR, filesystem_make_folder(path_of("a")));
	CHECK_EQUAL(-ENOENT, filesystem_make_folder(path_of("x/y")));
	CHECK_EQUAL(0, rmdir(path_of("f")));
}

int main(void)
{
	if (!mkdtemp(folder)) {
		return 1;
	}
	RUN(replaces_a_file_whole);
	RUN(a_reader_keeps_the_old_file);
	RUN(leaves_nothing_behind_when_it_fails);
	RUN(reads_up_to_its_ceiling);
	RUN(moves_into_place);
	RUN(makes_a_folder_once);
	unlink(path_of("a"));
	rmdir(folder);
	return test_end();
}

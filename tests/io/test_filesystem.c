/* SPDX-License-Identifier: MIT */
#include "io/filesystem.h"
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

/* A file of these octets that has no name, in that folder. */
static int make_nameless(const char *path, struct span bytes)
{
	int where = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = filesystem_open_nameless(where, "part", 0640);

	CHECK(file >= 0);
	CHECK_EQUAL(0, filesystem_write(file, bytes));
	close(where);
	return file;
}

static bool is_same_file(int file, const char *path)
{
	struct stat one;
	struct stat other;

	return fstat(file, &one) == 0 && stat(path, &other) == 0 && one.st_ino == other.st_ino &&
	       one.st_dev == other.st_dev;
}

static void a_nameless_file_gets_a_name(void)
{
	int where = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int file = make_nameless(folder, SPAN("upload"));
	unsigned before = count_files();
	struct stat info;

	CHECK_EQUAL(0, filesystem_give_name(file, where, "named"));
	check_holds("named", SPAN("upload"));
	CHECK(is_same_file(file, path_of("named")));
	CHECK_EQUAL(before + 1, count_files());
	CHECK_EQUAL(0, stat(path_of("named"), &info));
	CHECK_EQUAL(0640, info.st_mode & 0777);
	close(file);
	file = make_nameless(folder, SPAN("other"));
	CHECK_EQUAL(-EEXIST, filesystem_give_name(file, where, "named"));
	check_holds("named", SPAN("upload"));
	CHECK_EQUAL(0, unlink(path_of("named")));
	/* AT_FDCWD: by its path. */
	CHECK_EQUAL(0, filesystem_give_name(file, AT_FDCWD, path_of("named")));
	check_holds("named", SPAN("other"));
	CHECK_EQUAL(0, unlink(path_of("named")));
	CHECK(filesystem_give_name(file, AT_FDCWD, path_of("nothing/named")) == -ENOENT);
	CHECK_EQUAL(before, count_files());
	close(file);
	close(where);
}

/* What lies elsewhere, or had a name once, is copied: from its start, whatever was read of it. */
static void what_cannot_have_a_name_is_copied(void)
{
	static char octets[150000];
	int elsewhere = memfd_create("elsewhere", MFD_CLOEXEC);
	int once = open(path_of("once"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int files[] = {elsewhere, once};

	memset(octets, 'o', sizeof(octets));
	CHECK_EQUAL(0, unlink(path_of("once")));
	for (size_t i = 0; i < 2; i++) {
		struct stat info;
		unsigned before = count_files();

		CHECK_EQUAL(0, filesystem_write(files[i], span_make(octets, sizeof(octets))));
		CHECK_EQUAL(0, filesystem_give_name(files[i], AT_FDCWD, path_of("copy")));
		CHECK_EQUAL(0, stat(path_of("copy"), &info));
		CHECK_EQUAL(sizeof(octets), info.st_size);
		CHECK(!is_same_file(files[i], path_of("copy")));
		CHECK_EQUAL(-EEXIST, filesystem_give_name(files[i], AT_FDCWD, path_of("copy")));
		CHECK_EQUAL(0, unlink(path_of("copy")));
		CHECK_EQUAL(before, count_files());
		close(files[i]);
	}
}

/* Nothing of a copy that fails is left. */
static void a_copy_that_fails_leaves_nothing(void)
{
	static char octets[150000];
	int elsewhere = memfd_create("elsewhere", MFD_CLOEXEC);
	unsigned before = count_files();
	struct rlimit unlimited;
	struct rlimit little;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQUAL(0, filesystem_write(elsewhere, span_make(octets, sizeof(octets))));
	REQUIRE(getrlimit(RLIMIT_FSIZE, &unlimited) == 0);
	little = (struct rlimit){.rlim_cur = 100000, .rlim_max = unlimited.rlim_max};
	REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
	CHECK_EQUAL(-EFBIG, filesystem_give_name(elsewhere, AT_FDCWD, path_of("copy")));
	CHECK_EQUAL(0, setrlimit(RLIMIT_FSIZE, &unlimited));
	CHECK_EQUAL(before, count_files());
	close(elsewhere);
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
	umask(022);
	RUN(replaces_a_file_whole);
	RUN(a_reader_keeps_the_old_file);
	RUN(leaves_nothing_behind_when_it_fails);
	RUN(reads_up_to_its_ceiling);
	RUN(moves_into_place);
	RUN(a_nameless_file_gets_a_name);
	RUN(what_cannot_have_a_name_is_copied);
	RUN(a_copy_that_fails_leaves_nothing);
	RUN(makes_a_folder_once);
	unlink(path_of("a"));
	rmdir(folder);
	return test_end();
}

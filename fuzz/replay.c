/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files instead of libFuzzer's inventions: the seeds of the project, and
 * whatever else is named. `./dev test` replays every seed so; a crash found by fuzzing becomes a
 * seed and stays a test. Every input is also cut at a number of places, to reach what a whole
 * message does not.
 */
#include "tests/test.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_input(const uint8_t *data, size_t size)
{
	/* An exact heap block, so that ASan sees the first octet too many. */
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (!copy) {
		abort();
	}
	if (size > 0) {
		memcpy(copy, data, size);
	}
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;
	size_t step;

	if (!file) {
		test_is_failed = true;
		printf("# %s: cannot be opened\n", path);
		return;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run_input(data, size);
	step = size / 64 + 1;
	for (size_t cut = 0; cut < size; cut += step) {
		run_input(data, cut);
	}
}

static unsigned run_directory(const char *path)
{
	DIR *directory = opendir(path);
	unsigned file_count = 0;

	for (struct dirent *e; directory && (e = readdir(directory));) {
		char name[4096];
		struct stat info;

		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (stat(name, &info) == 0 && S_ISREG(info.st_mode)) {
			run_file(name);
			file_count++;
		}
	}
	if (directory) {
		closedir(directory);
	}
	return file_count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat info;

		test_is_failed = false;
		test_count++;
		if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode)) {
			unsigned file_count = run_directory(argv[i]);

			if (file_count == 0) {
				test_is_failed = true;
			}
			printf("# %s: %u files\n", argv[i], file_count);
		} else {
			run_file(argv[i]);
		}
		test_failed_count += test_is_failed;
		printf("%s %u - replay %s\n", test_is_failed ? "not ok" : "ok", test_count,
		       strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i]);
	}
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "io/packs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { pack_file_bytes_max = 1 << 20 };

/* Has a pack in it: a build folder has a folder vendors/ too, without one. */
static bool holds_packs(const char *folder)
{
	DIR *directory = opendir(folder);
	bool is_found = false;

	for (struct dirent *e; directory && !is_found && (e = readdir(directory));) {
		char path[packs_path_max];

		is_found = e->d_name[0] != '.' &&
			   snprintf(path, sizeof(path), "%s/%s/pack.json", folder, e->d_name) <
				   packs_path_max &&
			   access(path, R_OK) == 0;
	}
	if (directory) {
		closedir(directory);
	}
	return is_found;
}

int packs_find_folder(char path[static packs_path_max])
{
	static const char *const places[] = {"/../vendors", "/../share/bellhop/vendors"};
	const char *given = getenv("BELLHOP_VENDORS");
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (given && *given) {
		return snprintf(path, packs_path_max, "%s", given) < packs_path_max &&
				       holds_packs(path)
			       ? 0
			       : -ENOENT;
	}
	if (length <= 0) {
		return -ENOENT;
	}
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int written = snprintf(path, packs_path_max, "%s%s", self, places[i]);

		if (written < packs_path_max && holds_packs(path)) {
			return 0;
		}
	}
	return -ENOENT;
}

static int read_all(int descriptor, size_t size, char *bytes)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(descriptor, bytes + done, size - done);

		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			return count == 0 ? -EIO : -errno;
		}
		done += (size_t)count;
	}
	return 0;
}

/* vendor_read_fn: `context` is the pack's open folder. */
static int read_file(void *context, struct span name, struct arena *arena, struct span *bytes)
{
	const int *folder = context;
	char path[256];
	struct stat info;
	char *memory;
	int descriptor;
	int error;

	if (span_to_text(name, path, sizeof(path)) != 0 || strstr(path, "..") || path[0] == '/') {
		return -ENOENT;
	}
	descriptor = openat(*folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0) {
		return -errno;
	}
	if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
		error = -ENOENT;
		goto out;
	}
	if (info.st_size > pack_file_bytes_max) {
		error = -EFBIG;
		goto out;
	}
	memory = arena_allocate(arena, (size_t)info.st_size + 1);
	error = memory ? read_all(descriptor, (size_t)info.st_size, memory) : -ENOMEM;
	if (error == 0) {
		*bytes = span_make(memory, (size_t)info.st_size);
	}
out:
	close(descriptor);
	return error;
}

int packs_check(const char *path, struct vendor_pack **pack, char *problem, size_t problem_size)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name = strrchr(path, '/');
	int error;

	if (folder < 0) {
		error = -errno;
		snprintf(problem, problem_size, "pack.json: cannot be read: %s", strerror(-error));
		return error;
	}
	problem[0] = '\0';
	error = vendor_pack_load(pack, read_file, &folder, problem, problem_size);
	close(folder);
	if (error != 0) {
		if (problem[0] == '\0') {
			snprintf(problem, problem_size, "%s", strerror(-error));
		}
		return error;
	}
	snprintf((*pack)->folder, sizeof((*pack)->folder), "%s", name ? name + 1 : path);
	return 0;
}

/* The pack that was loaded from that folder before, or NULL. */
static struct vendor_pack *find_before(const struct vendors *before, enum vendor_origin origin,
				       const char *name)
{
	for (size_t i = 0; before && i < before->count; i++) {
		if (before->packs[i]->origin == origin &&
		    strncmp(before->packs[i]->folder, name, sizeof(before->packs[i]->folder) - 1) ==
			    0) {
			return before->packs[i];
		}
	}
	return NULL;
}

/* A broken pack changes nothing: the one that its folder had before stays in use. */
static void keep_before(const struct packs_source *source, struct vendors *vendors,
			const char *path, const char *problem)
{
	struct vendor_pack *before =
		find_before(source->before, source->origin, strrchr(path, '/') + 1);
	bool is_kept = before && vendors_add(vendors, before) == 0;

	char sentence[packs_path_max + 600];

	snprintf(sentence, sizeof(sentence), "%s/%s%s", path, problem,
		 is_kept ? "; the pack as it was loaded before stays" : "");
	if (source->refused) {
		source->refused(source->context, sentence);
	}
}

static int load_one(const struct packs_source *source, struct vendors *vendors, const char *path)
{
	struct vendor_pack *pack = NULL;
	char problem[512];
	int error = packs_check(path, &pack, problem, sizeof(problem));

	if (error == 0) {
		pack->origin = source->origin;
		error = vendors_put(vendors, pack, problem, sizeof(problem));
		if (error != 0) {
			vendor_pack_free(pack);
		}
	}
	if (error != 0 && error != -ENOENT) {
		keep_before(source, vendors, path, problem);
	}
	return error;
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int packs_load(const struct packs_source *source, struct vendors *vendors)
{
	struct dirent **entries;
	int count = scandir(source->folder, &entries, is_name, alphasort);
	int refused = 0;

	if (count < 0) {
		return -errno;
	}
	for (int i = 0; i < count; i++) {
		char path[packs_path_max];
		struct stat info;

		if (snprintf(path, sizeof(path), "%s/%s", source->folder, entries[i]->d_name) <
			    packs_path_max &&
		    stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
			int error = load_one(source, vendors, path);

			refused += error != 0 && error != -ENOENT;
		}
		free(entries[i]);
	}
	free(entries);
	return refused;
}

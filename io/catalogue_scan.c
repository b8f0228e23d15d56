/* SPDX-License-Identifier: MIT */
#include "io/catalogue_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	depth_max = 8,
	path_size = catalogue_name_max + 2, /* with the '/' of a folder, and NUL */
	entries_per_file_max = 4, /* of files_max: folders and what is passed over cost time too */
};

/* One folder on the walk. */
struct place {
	int fd;
	const char *prefix; /* its path, with '/' at the end; "" for DATA/files itself */
	unsigned depth;
};

static void pass_over(struct catalogue_scan *scan, const char *prefix, const char *name,
		      const char *why)
{
	struct writer w = writer_over(scan->first_passed_over, sizeof(scan->first_passed_over) - 1);

	if (scan->passed_over++ > 0) {
		return;
	}
	writer_char(&w, '"');
	writer_escaped(&w, span_text(prefix), 40);
	writer_escaped(&w, span_text(name), 40);
	writer_text(&w, "\" ");
	writer_text(&w, why);
	writer_terminate(&w);
}

/* Room for one more item of a growing list; NULL and the scan's error without memory. */
static void *grow(struct catalogue_scan *scan, void *items, size_t count, size_t *size,
		  size_t item_size)
{
	void *grown;

	if (count < *size) {
		return items;
	}
	grown = reallocarray(items, *size > 0 ? *size * 2 : 64, item_size);
	if (!grown) {
		scan->error = -ENOMEM;
		return NULL;
	}
	*size = *size > 0 ? *size * 2 : 64;
	return grown;
}

static void add_file(struct catalogue_scan *scan, const char *path, const struct stat *info)
{
	struct catalogue_found *files;
	char *name;

	if (scan->count == scan->files_max) {
		scan->left_out++;
		return;
	}
	files = grow(scan, scan->files, scan->count, &scan->size, sizeof(*files));
	if (!files) {
		return;
	}
	scan->files = files;
	name = strdup(path);
	if (!name) {
		scan->error = -ENOMEM;
		return;
	}
	files[scan->count++] = (struct catalogue_found){
		.name = name,
		.bytes = (uint64_t)info->st_size,
		.modified_utc_ms = (uint64_t)info->st_mtim.tv_sec * 1000 +
				   (uint64_t)info->st_mtim.tv_nsec / 1000000,
		.version = catalogue_version(info),
	};
}

static void watch_folder(struct catalogue_scan *scan, int fd)
{
	char path[64];
	int *watches;
	int watch;

	if (scan->inotify_fd < 0) {
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	watch = inotify_add_watch(scan->inotify_fd, path,
				  IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO |
					  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR);
	if (watch < 0) {
		scan->watch_error = -errno;
		return;
	}
	watches = grow(scan, scan->watches, scan->watch_count, &scan->watch_size, sizeof(*watches));
	if (watches) {
		scan->watches = watches;
		watches[scan->watch_count++] = watch;
	}
}

static void walk(struct catalogue_scan *scan, struct place place);

static void take_folder(struct catalogue_scan *scan, const struct place *parent, const char *name,
			const char *path)
{
	char prefix[path_size];
	struct place place = {.prefix = prefix, .depth = parent->depth + 1};

	if (place.depth > depth_max) {
		pass_over(scan, parent->prefix, name, "lies too deep");
		return;
	}
	place.fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place.fd < 0) {
		/* Gone since it was listed: the watch tells. */
		if (errno != ENOENT) {
			pass_over(scan, parent->prefix, name, "cannot be opened");
		}
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s/", path);
	walk(scan, place);
}

static void take_entry(struct catalogue_scan *scan, const struct place *place, const char *name)
{
	char path[path_size];
	struct stat info;
	int length;

	/* Hidden: a file being written, and what an operator wants nobody to see. */
	if (name[0] == '.') {
		if (scan->sweeps &&
		    span_starts_with(span_text(name), span_text(catalogue_part_prefix))) {
			unlinkat(place->fd, name, 0);
		}
		return;
	}
	length = snprintf(path, sizeof(path), "%s%s", place->prefix, name);
	if (length >= (int)sizeof(path) || !catalogue_name_is_legal(span_text(path))) {
		pass_over(scan, place->prefix, name,
			  "has a name that is too long, or not of visible ASCII characters "
			  "without blanks");
		return;
	}
	if (fstatat(place->fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		return;
	}
	if (S_ISREG(info.st_mode)) {
		add_file(scan, path, &info);
	} else if (S_ISDIR(info.st_mode)) {
		take_folder(scan, place, name, path);
	} else {
		pass_over(scan, place->prefix, name,
			  S_ISLNK(info.st_mode) ? "is a link" : "is no regular file");
	}
}

/* Takes the place's descriptor over. Recursion ends at depth_max. */
static void walk(struct catalogue_scan *scan, struct place place)
{
	DIR *directory;

	watch_folder(scan, place.fd);
	directory = fdopendir(place.fd);
	if (!directory) {
		scan->error = -errno;
		close(place.fd);
		return;
	}
	for (struct dirent *e; scan->error == 0 && (e = readdir(directory));) {
		if (scan->entries++ >= scan->files_max * entries_per_file_max + 64) {
			scan->is_partial = true;
			break;
		}
		take_entry(scan, &place, e->d_name);
	}
	closedir(directory);
}

static int compare_found(const void *a, const void *b)
{
	return strcmp(((const struct catalogue_found *)a)->name,
		      ((const struct catalogue_found *)b)->name);
}

static int compare_watches(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void catalogue_scan_walk(struct catalogue_scan *scan, int fd)
{
	walk(scan, (struct place){.fd = fd, .prefix = "", .depth = 1});
	if (scan->count > 0) {
		qsort(scan->files, scan->count, sizeof(*scan->files), compare_found);
	}
	if (scan->watch_count > 0) {
		qsort(scan->watches, scan->watch_count, sizeof(*scan->watches), compare_watches);
	}
}

const struct catalogue_found *catalogue_scan_find(const struct catalogue_scan *scan, char *name)
{
	struct catalogue_found key = {.name = name};

	return scan->count > 0 ? bsearch(&key, scan->files, scan->count, sizeof(key), compare_found)
			       : NULL;
}

bool catalogue_scan_watches(const struct catalogue_scan *scan, int watch)
{
	return scan->watch_count > 0 &&
	       bsearch(&watch, scan->watches, scan->watch_count, sizeof(watch), compare_watches);
}

void catalogue_found_free(struct catalogue_found *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(files[i].name);
	}
	free(files);
}

void catalogue_scan_free(struct catalogue_scan *scan)
{
	catalogue_found_free(scan->files, scan->count);
	free(scan->watches);
}

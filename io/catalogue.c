/* SPDX-License-Identifier: MIT */
#include "io/catalogue.h"

#include "io/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	depth_max = 8,
	files_max = 20000,
	path_size = 256,
	settle_ms = 200, /* a burst of changes is one scan */
	retry_ms = 2000, /* when the store's queue was full */
};

struct found {
	char *name;
	uint64_t bytes;
	uint64_t modified_utc_ms;
};

struct scan {
	struct catalogue *catalogue;
	struct found *files; /* sorted by name after the walk */
	size_t count;
	size_t size;
	int error;
};

struct catalogue {
	const struct door *door;
	int inotify_fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
};

static void add_found(struct scan *scan, const char *path, const struct stat *info)
{
	struct found *files = scan->files;

	if (scan->count == files_max) {
		scan->error = -ENOSPC;
		return;
	}
	if (scan->count == scan->size) {
		size_t size = scan->size > 0 ? scan->size * 2 : 64;

		files = reallocarray(scan->files, size, sizeof(*files));
		if (!files) {
			scan->error = -ENOMEM;
			return;
		}
		scan->files = files;
		scan->size = size;
	}
	files[scan->count] = (struct found){
		.name = strdup(path),
		.bytes = (uint64_t)info->st_size,
		.modified_utc_ms = (uint64_t)info->st_mtim.tv_sec * 1000 +
				   (uint64_t)info->st_mtim.tv_nsec / 1000000,
	};
	if (!files[scan->count].name) {
		scan->error = -ENOMEM;
		return;
	}
	scan->count++;
}

static void watch_directory(struct catalogue *c, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	inotify_add_watch(c->inotify_fd, path,
			  IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |
				  IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR);
}

static void walk(struct scan *scan, int fd, const char *prefix, unsigned depth);

static void take_entry(struct scan *scan, int fd, const char *prefix, const char *name,
		       unsigned depth)
{
	char path[path_size];
	struct stat info;
	int child;

	/* A name that the doors would refuse is not in the catalogue. */
	if (snprintf(path, sizeof(path), "%s%s", prefix, name) >= (int)sizeof(path) ||
	    catalogue_check_name(span_text(path)) != 0 ||
	    fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		return;
	}
	if (S_ISREG(info.st_mode)) {
		add_found(scan, path, &info);
	} else if (S_ISDIR(info.st_mode) && depth < depth_max) {
		child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0 && strlen(path) + 1 < sizeof(path)) {
			strcat(path, "/");
			walk(scan, child, path, depth + 1);
		} else if (child >= 0) {
			close(child);
		}
	}
}

/* Takes `fd` over. */
static void walk(struct scan *scan, int fd, const char *prefix, unsigned depth)
{
	DIR *directory;

	watch_directory(scan->catalogue, fd);
	directory = fdopendir(fd);
	if (!directory) {
		scan->error = -errno;
		close(fd);
		return;
	}
	for (struct dirent *e; scan->error == 0 && (e = readdir(directory));) {
		take_entry(scan, dirfd(directory), prefix, e->d_name, depth);
	}
	closedir(directory);
}

static int compare_found(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static int post(struct catalogue *c, enum change_kind kind, const struct found *file)
{
	struct change change = {.kind = kind,
				.utc_ms = loop_utc_ms(),
				.file = span_text(file->name),
				.bytes = file->bytes,
				.file_utc_ms = file->modified_utc_ms};

	return c->door->post(c->door->context, &change);
}

/* Files of the inventory that the scan did not see, as a list of their own (freed by the caller).
 */
static struct scan find_removed(struct catalogue *c, const struct scan *seen)
{
	struct scan removed = {.catalogue = c};
	const struct catalogue_file *file;
	struct stat no_info = {.st_size = 0};
	size_t cursor = 0;

	while (removed.error == 0 &&
	       (file = inventory_next_file(c->door->files->inventory, &cursor))) {
		struct found key = {.name = file->name};

		if (seen->count == 0 ||
		    !bsearch(&key, seen->files, seen->count, sizeof(key), compare_found)) {
			add_found(&removed, file->name, &no_info);
		}
	}
	return removed;
}

static bool is_known(const struct inventory *inventory, const struct found *file)
{
	const struct catalogue_file *known = inventory_file(inventory, span_text(file->name));

	return known && strcmp(known->name, file->name) == 0 && known->bytes == file->bytes &&
	       known->modified_utc_ms == file->modified_utc_ms;
}

static void free_scan(struct scan *scan)
{
	for (size_t i = 0; i < scan->count; i++) {
		free(scan->files[i].name);
	}
	free(scan->files);
}

/* Posts the difference between what was seen and what the inventory holds. */
static int post_difference(struct catalogue *c, struct scan *seen)
{
	struct scan removed;
	size_t changed_count = 0;
	int error = 0;

	/* What is known moves to the end, so that nothing is posted under the lock. */
	pthread_rwlock_rdlock(c->door->lock);
	removed = find_removed(c, seen);
	for (size_t i = 0; i < seen->count; i++) {
		if (!is_known(c->door->files->inventory, &seen->files[i])) {
			struct found changed = seen->files[i];

			seen->files[i] = seen->files[changed_count];
			seen->files[changed_count++] = changed;
		}
	}
	pthread_rwlock_unlock(c->door->lock);
	for (size_t i = 0; error == 0 && i < removed.count; i++) {
		error = post(c, CHANGE_FILE_REMOVE, &removed.files[i]);
	}
	for (size_t i = 0; error == 0 && i < changed_count; i++) {
		error = post(c, CHANGE_FILE_SET, &seen->files[i]);
	}
	error = error != 0 ? error : removed.error;
	free_scan(&removed);
	return error;
}

static void on_timer(uv_timer_t *timer)
{
	catalogue_scan(timer->data);
}

static void report_failure(const struct catalogue *c, int error)
{
	char text[200];

	snprintf(text, sizeof(text), "the folder DATA/files could not be read whole: %s",
		 strerrordesc_np(-error));
	c->door->report(c->door->context, &(struct effect_report){.level = REPORT_WARNING,
								  .reason = "catalogue_failed",
								  .text = span_text(text)});
}

int catalogue_scan(struct catalogue *catalogue)
{
	struct scan scan = {.catalogue = catalogue};
	int fd = openat(catalogue->door->files_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		scan.error = -errno;
	} else {
		walk(&scan, fd, "", 1);
	}
	/* Half a list would take files away that are there. */
	if (scan.error == 0) {
		if (scan.count > 0) {
			qsort(scan.files, scan.count, sizeof(*scan.files), compare_found);
		}
		scan.error = post_difference(catalogue, &scan);
		if (scan.error == -ENOBUFS) {
			uv_timer_start(&catalogue->timer, on_timer, retry_ms, 0);
		}
	} else {
		report_failure(catalogue, scan.error);
	}
	free_scan(&scan);
	return scan.error;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct catalogue *c = poll->data;
	char buffer[4096];

	(void)events;
	if (status != 0) {
		return;
	}
	/* What changed does not matter: the folder is read again, once it is quiet. */
	while (read(c->inotify_fd, buffer, sizeof(buffer)) > 0) {
	}
	uv_timer_start(&c->timer, on_timer, settle_ms, 0);
}

static void handle_closed(uv_handle_t *handle)
{
	struct catalogue *c = handle->data;

	if (--c->open_handles == 0) {
		close(c->inotify_fd);
		free(c);
	}
}

int catalogue_start(struct catalogue **catalogue, uv_loop_t *loop, const struct door *door)
{
	struct catalogue *c = calloc(1, sizeof(*c));
	int error;

	if (!c) {
		return -ENOMEM;
	}
	c->door = door;
	c->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (c->inotify_fd < 0) {
		error = -errno;
		free(c);
		return error;
	}
	error = uv_poll_init(loop, &c->poll, c->inotify_fd);
	if (error != 0) {
		close(c->inotify_fd);
		free(c);
		return error;
	}
	uv_timer_init(loop, &c->timer);
	c->poll.data = c;
	c->timer.data = c;
	c->open_handles = 2;
	error = uv_poll_start(&c->poll, UV_READABLE, on_event);
	if (error == 0) {
		error = catalogue_scan(c);
		/* A full queue is tried again by itself. */
		error = error == -ENOBUFS ? 0 : error;
	}
	if (error != 0) {
		catalogue_stop(c);
		return error;
	}
	*catalogue = c;
	return 0;
}

void catalogue_stop(struct catalogue *catalogue)
{
	uv_close((uv_handle_t *)&catalogue->poll, handle_closed);
	uv_close((uv_handle_t *)&catalogue->timer, handle_closed);
}

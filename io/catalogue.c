/* SPDX-License-Identifier: MIT */
#include "io/catalogue_internal.h"
#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	settle_ms = 200,      /* a burst of changes is one scan */
	settle_ms_max = 2000, /* a folder that never rests is scanned all the same */
	retry_ms = 2000,      /* when the store's queue was full */
	poll_ms = 10000,      /* between scans of a folder that cannot be watched */
	warning_size = 400,
};

enum warning { WARNING_LEFT_OUT, WARNING_PASSED_OVER, WARNING_POLLED };

struct catalogue {
	const struct door *door;
	int inotify_fd; /* -1: there is none */
	uv_poll_t poll;
	bool is_poll_open;
	bool is_polled; /* the folder cannot be watched whole */
	uv_timer_t timer;
	struct catalogue_hasher hasher;
	unsigned open_handles; /* the hasher counts as one */
	uint64_t dirty_ms; /* the first change since the last scan, on the loop's clock; 0: none */
	int *watches;	   /* of the last scan; sorted */
	size_t watch_count;
	struct catalogue_counters counters;
	char warnings[catalogue_warnings_max][warning_size]; /* by enum warning; empty: none */
};

static void report(const struct catalogue *c, const char *reason, const char *text)
{
	c->door->report(c->door->context, &(struct effect_report){.level = REPORT_WARNING,
								  .reason = reason,
								  .text = span_text(text)});
}

/* Told once, and again when it is another sentence; an empty one takes the warning back. */
static void warn(struct catalogue *c, enum warning which, const char *reason, const char *text)
{
	if (*text && strcmp(c->warnings[which], text) != 0) {
		report(c, reason, text);
	}
	snprintf(c->warnings[which], warning_size, "%s", text);
}

/* --- When to scan. --- */

static void on_timer(uv_timer_t *timer)
{
	(void)catalogue_scan(timer->data);
}

/* Within `ms`; what is to come earlier stays. */
static void scan_within(struct catalogue *c, uint64_t ms)
{
	if (!uv_is_active((uv_handle_t *)&c->timer) || uv_timer_get_due_in(&c->timer) > ms) {
		uv_timer_start(&c->timer, on_timer, ms, 0);
	}
}

/* Once it is quiet, but not put off for ever. */
static void scan_when_quiet(struct catalogue *c)
{
	uint64_t now = uv_now(c->timer.loop);
	uint64_t last;

	c->dirty_ms = c->dirty_ms > 0 ? c->dirty_ms : now;
	last = c->dirty_ms + settle_ms_max;
	if (now + settle_ms < last) {
		uv_timer_start(&c->timer, on_timer, settle_ms, 0);
	} else {
		scan_within(c, last > now ? last - now : 0);
	}
}

static void poll_instead(struct catalogue *c, int error)
{
	char text[warning_size];

	c->is_polled = true;
	snprintf(text, sizeof(text),
		 "DATA/files cannot be watched whole (%s), so that it is looked through every %d "
		 "seconds instead; raise sysctl fs.inotify.max_user_watches (or _instances)",
		 strerrordesc_np(-error), poll_ms / 1000);
	warn(c, WARNING_POLLED, "catalogue_polled", text);
}

/* --- What differs between folder and inventory. --- */

static int post(struct catalogue *c, enum change_kind kind, const struct catalogue_found *file)
{
	struct change change = {.kind = kind,
				.utc_ms = loop_utc_ms(),
				.file = span_text(file->name),
				.bytes = file->bytes,
				.file_utc_ms = file->modified_utc_ms,
				.file_version = file->version};

	return c->door->post(c->door->context, &change);
}

/* What a scan comes to: items are views into the scan, but for `removed`. */
struct difference {
	struct catalogue_found *removed; /* names owned */
	size_t removed_count;
	const struct catalogue_found **changed; /* new ones too */
	size_t changed_count;
	const struct catalogue_found **to_hash;
	size_t to_hash_count;
};

static void difference_free(struct difference *d)
{
	catalogue_found_free(d->removed, d->removed_count);
	free(d->changed);
	free(d->to_hash);
}

/* Files of the inventory that the scan did not see. Lock held. */
static int find_removed(const struct inventory *inventory, const struct catalogue_scan *scan,
			struct difference *d)
{
	const struct catalogue_file *file;
	size_t cursor = 0;

	d->removed = calloc(inventory->files.count + 1, sizeof(*d->removed));
	if (!d->removed) {
		return -ENOMEM;
	}
	while ((file = inventory_next_file(inventory, &cursor))) {
		if (!catalogue_scan_find(scan, file->name)) {
			char *name = strdup(file->name);

			if (!name) {
				return -ENOMEM;
			}
			d->removed[d->removed_count++].name = name;
		}
	}
	return 0;
}

/* Lock held. */
static int find_changed(const struct inventory *inventory, const struct catalogue_scan *scan,
			struct difference *d)
{
	/* As many as there are can be removed, and no more than fit can be there. */
	size_t room = scan->files_max + d->removed_count - inventory->files.count;

	d->changed = calloc(scan->count + 1, sizeof(*d->changed));
	d->to_hash = calloc(scan->count + 1, sizeof(*d->to_hash));
	if (!d->changed || !d->to_hash) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < scan->count; i++) {
		const struct catalogue_found *found = &scan->files[i];
		const struct catalogue_file *known =
			inventory_file(inventory, span_text(found->name));

		/* Another one that differs only in case is not it. */
		if (known && strcmp(known->name, found->name) != 0) {
			known = NULL;
		}
		/* Files that this scan left out may be in the inventory, and have the room. */
		if (!known && room == 0) {
			continue;
		}
		room -= !known;
		if (!known || known->version != found->version) {
			d->changed[d->changed_count++] = found;
		}
		if (!known || known->version != found->version || !known->has_sha256) {
			d->to_hash[d->to_hash_count++] = found;
		}
	}
	return 0;
}

/* A scan that had to stop did not see all that is there. */
static void keep_those_that_are_there(struct catalogue *c, struct difference *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->removed_count; i++) {
		struct stat info;
		int fd = catalogue_open_file(c->door->files_fd, span_text(d->removed[i].name),
					     &info);

		if (fd >= 0) {
			close(fd);
			free(d->removed[i].name);
		} else {
			d->removed[kept++] = d->removed[i];
		}
	}
	d->removed_count = kept;
}

/* Removals first: they make room. */
static int post_all(struct catalogue *c, const struct difference *d)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < d->removed_count; i++) {
		error = post(c, CHANGE_FILE_REMOVE, &d->removed[i]);
	}
	for (size_t i = 0; error == 0 && i < d->changed_count; i++) {
		error = post(c, CHANGE_FILE_SET, d->changed[i]);
	}
	return error;
}

static int hash_all(struct catalogue *c, const struct difference *d)
{
	struct catalogue_found *files = calloc(d->to_hash_count + 1, sizeof(*files));
	size_t count = 0;

	if (!files) {
		return -ENOMEM;
	}
	for (; count < d->to_hash_count; count++) {
		files[count] = *d->to_hash[count];
		files[count].name = strdup(d->to_hash[count]->name);
		if (!files[count].name) {
			catalogue_found_free(files, count);
			return -ENOMEM;
		}
	}
	catalogue_hasher_take(&c->hasher, files, count);
	return 0;
}

static int carry_out(struct catalogue *c, struct catalogue_scan *scan)
{
	const struct inventory *inventory = c->door->files->inventory;
	struct difference d = {.removed = NULL};
	int error;

	/* Nothing is opened or posted under the lock. */
	pthread_rwlock_rdlock(c->door->lock);
	error = find_removed(inventory, scan, &d);
	pthread_rwlock_unlock(c->door->lock);
	if (error == 0 && (scan->is_partial || scan->left_out > 0)) {
		keep_those_that_are_there(c, &d);
	}
	if (error == 0) {
		pthread_rwlock_rdlock(c->door->lock);
		error = find_changed(inventory, scan, &d);
		pthread_rwlock_unlock(c->door->lock);
	}
	if (error == 0) {
		error = post_all(c, &d);
	}
	if (error == 0) {
		error = hash_all(c, &d);
	}
	difference_free(&d);
	return error;
}

/* --- Telling what is not served, when that is other than before. --- */

static void tell_left_out(struct catalogue *c, const struct catalogue_scan *scan)
{
	char text[warning_size] = "";
	size_t count = scan->left_out + scan->is_partial;

	if (count > 0) {
		snprintf(text, sizeof(text),
			 "DATA/files holds more than fits, %s%zu left out; remove files, or raise "
			 "files in [limits]",
			 scan->is_partial ? "at least " : "", count);
	}
	warn(c, WARNING_LEFT_OUT, "catalogue_full", text);
}

static void tell_passed_over(struct catalogue *c, const struct catalogue_scan *scan)
{
	char text[warning_size] = "";

	if (scan->passed_over > 0) {
		snprintf(text, sizeof(text),
			 "%zu of DATA/files cannot be served, for instance %s; put regular files "
			 "there, under names that a phone can ask for",
			 scan->passed_over, scan->first_passed_over);
	}
	warn(c, WARNING_PASSED_OVER, "catalogue_passed_over", text);
}

static void tell_failure(struct catalogue *c, int error)
{
	char text[200];

	snprintf(text, sizeof(text), "the folder DATA/files could not be read: %s",
		 strerrordesc_np(-error));
	report(c, "catalogue_failed", text);
}

/* --- A scan. --- */

/* Folders that were moved away or are gone need no watch any more. */
static void take_watches(struct catalogue *c, struct catalogue_scan *scan)
{
	if (scan->is_partial) {
		return;
	}
	for (size_t i = 0; i < c->watch_count; i++) {
		if (!catalogue_scan_watches(scan, c->watches[i])) {
			inotify_rm_watch(c->inotify_fd, c->watches[i]);
		}
	}
	free(c->watches);
	c->watches = scan->watches;
	c->watch_count = scan->watch_count;
	scan->watches = NULL;
	scan->watch_count = 0;
}

static void take_scan(struct catalogue *c, struct catalogue_scan *scan)
{
	if (c->inotify_fd >= 0) {
		take_watches(c, scan);
	}
	if (scan->watch_error != 0) {
		poll_instead(c, scan->watch_error);
	}
	tell_left_out(c, scan);
	tell_passed_over(c, scan);
	scan->error = carry_out(c, scan);
	if (scan->error == -ENOBUFS) {
		scan_within(c, retry_ms);
	}
}

int catalogue_scan(struct catalogue *catalogue)
{
	struct catalogue *c = catalogue;
	struct catalogue_scan scan = {
		.files_max = c->door->files->inventory->limits.files_max,
		.sweeps = c->counters.scans == 0, /* later, uploads may be under way */
		.inotify_fd = c->inotify_fd,
	};
	int fd = openat(c->door->files_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	c->dirty_ms = 0;
	c->counters.scans++;
	if (fd < 0) {
		scan.error = -errno;
	} else {
		catalogue_scan_walk(&scan, fd);
	}
	/* Half a list would take files away that are there. */
	if (scan.error == 0) {
		take_scan(c, &scan);
	} else {
		tell_failure(c, scan.error);
	}
	if (c->is_polled) {
		scan_within(c, poll_ms);
	}
	catalogue_scan_free(&scan);
	return scan.error;
}

/* --- Watching. --- */

/* That a watch is gone is no change; that events were lost (IN_Q_OVERFLOW) may be any. */
static bool is_change(const char *events, size_t length)
{
	for (size_t at = 0; at + sizeof(struct inotify_event) <= length;) {
		struct inotify_event event;

		memcpy(&event, events + at, sizeof(event));
		if (!(event.mask & IN_IGNORED)) {
			return true;
		}
		at += sizeof(event) + event.len;
	}
	return false;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct catalogue *c = poll->data;
	char buffer[4096];
	bool is_dirty = false;
	ssize_t length;

	(void)events;
	if (status != 0) {
		poll_instead(c, status);
		scan_within(c, poll_ms);
		return;
	}
	/* What changed does not matter: the folder is read again, once it is quiet. */
	while ((length = read(c->inotify_fd, buffer, sizeof(buffer))) > 0) {
		is_dirty |= is_change(buffer, (size_t)length);
	}
	if (is_dirty) {
		scan_when_quiet(c);
	}
}

static void part_closed(void *context)
{
	struct catalogue *c = context;

	if (--c->open_handles > 0) {
		return;
	}
	if (c->inotify_fd >= 0) {
		close(c->inotify_fd);
	}
	free(c->watches);
	free(c);
}

static void handle_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

/* Without a watch the catalogue is a slower one, not none. */
static void open_watch(struct catalogue *c, uv_loop_t *loop)
{
	int error;

	c->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (c->inotify_fd < 0) {
		poll_instead(c, -errno);
		return;
	}
	c->poll.data = c;
	error = uv_poll_init(loop, &c->poll, c->inotify_fd);
	if (error == 0) {
		c->is_poll_open = true;
		c->open_handles++;
		error = uv_poll_start(&c->poll, UV_READABLE, on_event);
	}
	if (error != 0) {
		poll_instead(c, error);
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
	/* Neither of the two can fail in libuv 1. */
	(void)uv_timer_init(loop, &c->timer);
	(void)catalogue_hasher_init(&c->hasher, loop, door);
	c->timer.data = c;
	c->open_handles = 2;
	open_watch(c, loop);
	error = catalogue_scan(c);
	/* A full queue is tried again by itself. */
	if (error != 0 && error != -ENOBUFS) {
		catalogue_stop(c);
		return error;
	}
	*catalogue = c;
	return 0;
}

void catalogue_counters(const struct catalogue *catalogue, struct catalogue_counters *counters)
{
	*counters = catalogue->counters;
	counters->hashed = catalogue->hasher.hashed;
}

size_t catalogue_warnings(const struct catalogue *catalogue,
			  const char *sentences[static catalogue_warnings_max])
{
	size_t count = 0;

	for (size_t i = 0; i < catalogue_warnings_max; i++) {
		if (catalogue->warnings[i][0]) {
			sentences[count++] = catalogue->warnings[i];
		}
	}
	return count;
}

void catalogue_stop(struct catalogue *catalogue)
{
	if (catalogue->is_poll_open) {
		uv_close((uv_handle_t *)&catalogue->poll, handle_closed);
	}
	uv_close((uv_handle_t *)&catalogue->timer, handle_closed);
	catalogue_hasher_stop(&catalogue->hasher, part_closed, catalogue);
}

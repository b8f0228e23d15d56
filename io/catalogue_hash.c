/* SPDX-License-Identifier: MIT */
#include "io/catalogue_internal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	chunk_bytes = 256 << 10,
	/* A file younger than this may be written again without another time of change. */
	young_ms = 200,
};

static void hash_next(struct catalogue_hasher *hasher);

/* --- On the thread pool. --- */

static bool is_young(const struct stat *info)
{
	struct timespec now;
	int64_t age_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (now.tv_sec - info->st_ctim.tv_sec) * 1000 +
		 (now.tv_nsec - info->st_ctim.tv_nsec) / 1000000;
	return age_ms >= 0 && age_ms < young_ms;
}

/* 0, or -ECANCELED when the server is to be stopped. */
static int add_all(struct catalogue_hasher *hasher, EVP_MD_CTX *context, int fd)
{
	char *chunk = malloc(chunk_bytes);
	int result = chunk ? 0 : -ENOMEM;

	while (result == 0) {
		ssize_t count = read(fd, chunk, chunk_bytes);

		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			result = count < 0 ? -errno : 0;
			break;
		}
		if (atomic_load(&hasher->is_stopping)) {
			result = -ECANCELED;
		} else if (EVP_DigestUpdate(context, chunk, (size_t)count) != 1) {
			result = -ENOMEM;
		}
	}
	free(chunk);
	return result;
}

static int hash(struct catalogue_hasher *hasher, int fd)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct stat after;
	int result = -ENOMEM;

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) {
		result = add_all(hasher, context, fd);
	}
	if (result == 0 && EVP_DigestFinal_ex(context, hasher->sha256, NULL) != 1) {
		result = -ENOMEM;
	}
	EVP_MD_CTX_free(context);
	if (result == 0 &&
	    (fstat(fd, &after) != 0 || catalogue_version(&after) != hasher->version)) {
		result = -ESTALE;
	}
	return result;
}

static void work(uv_work_t *request)
{
	struct catalogue_hasher *hasher = request->data;
	struct stat info;
	int fd = catalogue_open_file(hasher->door->files_fd, span_text(hasher->name), &info);

	if (fd < 0) {
		hasher->result = fd;
		return;
	}
	hasher->version = catalogue_version(&info);
	hasher->result = is_young(&info) ? -EAGAIN : hash(hasher, fd);
	close(fd);
}

/* --- On the loop. --- */

static void drop_queue(struct catalogue_hasher *hasher)
{
	/* Names before `next` were handed on. */
	for (size_t i = hasher->next; i < hasher->count; i++) {
		free(hasher->queue[i].name);
	}
	free(hasher->queue);
	hasher->queue = NULL;
	hasher->count = 0;
	hasher->next = 0;
	hasher->young = 0;
}

static void tell(struct catalogue_hasher *hasher)
{
	struct change change = {.kind = CHANGE_FILE_HASHED,
				.file = span_text(hasher->name),
				.file_version = hasher->version};

	memcpy(change.file_sha256, hasher->sha256, sizeof(change.file_sha256));
	/* With a full queue the next scan finds it without a hash, and has it hashed again. */
	(void)hasher->door->post(hasher->door->context, &change);
	hasher->hashed++;
}

/* The timer's handle and the file in hand go in either order. */
static void part_over(struct catalogue_hasher *hasher)
{
	if (!hasher->is_working && hasher->is_timer_closed) {
		hasher->stopped(hasher->context);
	}
}

static void timer_closed(uv_handle_t *handle)
{
	struct catalogue_hasher *hasher = handle->data;

	hasher->is_timer_closed = true;
	part_over(hasher);
}

static void on_timer(uv_timer_t *timer)
{
	hash_next(timer->data);
}

/* The one in hand goes behind the others; when all that wait are young, they get time. */
static void put_off(struct catalogue_hasher *hasher)
{
	struct catalogue_found *last = &hasher->queue[hasher->count - 1];
	struct catalogue_found *place = &hasher->queue[--hasher->next];

	*place = *last;
	*last = (struct catalogue_found){.name = hasher->name, .version = hasher->listed_version};
	hasher->name = NULL;
	if (++hasher->young < hasher->count - hasher->next) {
		hash_next(hasher);
		return;
	}
	hasher->young = 0;
	uv_timer_start(&hasher->timer, on_timer, young_ms, 0);
}

static void work_done(uv_work_t *request, int status)
{
	struct catalogue_hasher *hasher = request->data;

	hasher->is_working = false;
	if (atomic_load(&hasher->is_stopping)) {
		free(hasher->name);
		part_over(hasher);
		return;
	}
	if (status == 0 && hasher->result == 0) {
		tell(hasher);
	}
	if (status == 0 && hasher->result == -EAGAIN && hasher->next > 0) {
		put_off(hasher);
		return;
	}
	/* Whatever else went wrong: it is gone, or has changed, and the next scan sees to it. */
	free(hasher->name);
	hasher->name = NULL;
	hash_next(hasher);
}

static void hash_next(struct catalogue_hasher *hasher)
{
	if (hasher->is_working) {
		return;
	}
	if (hasher->next == hasher->count) {
		drop_queue(hasher);
		return;
	}
	hasher->name = hasher->queue[hasher->next].name;
	hasher->listed_version = hasher->queue[hasher->next].version;
	hasher->work.data = hasher;
	if (uv_queue_work(hasher->loop, &hasher->work, work, work_done) == 0) {
		hasher->is_working = true;
		hasher->next++;
	}
}

int catalogue_hasher_init(struct catalogue_hasher *hasher, uv_loop_t *loop, const struct door *door)
{
	hasher->loop = loop;
	hasher->door = door;
	hasher->timer.data = hasher;
	atomic_init(&hasher->is_stopping, false);
	return uv_timer_init(loop, &hasher->timer);
}

/* The file in hand is not begun anew, and keeps its place for when it is found too young. */
static void keep_place(struct catalogue_hasher *hasher)
{
	for (size_t i = 0; i < hasher->count; i++) {
		struct catalogue_found *file = &hasher->queue[i];

		if (file->version == hasher->listed_version &&
		    strcmp(file->name, hasher->name) == 0) {
			free(file->name);
			*file = hasher->queue[0];
			hasher->queue[0].name = NULL;
			hasher->next = 1;
			return;
		}
	}
}

void catalogue_hasher_take(struct catalogue_hasher *hasher, struct catalogue_found *files,
			   size_t count)
{
	drop_queue(hasher);
	hasher->queue = files;
	hasher->count = count;
	if (hasher->is_working) {
		keep_place(hasher);
	}
	hash_next(hasher);
}

void catalogue_hasher_stop(struct catalogue_hasher *hasher, void (*stopped)(void *context),
			   void *context)
{
	hasher->stopped = stopped;
	hasher->context = context;
	atomic_store(&hasher->is_stopping, true);
	drop_queue(hasher);
	uv_close((uv_handle_t *)&hasher->timer, timer_closed);
}

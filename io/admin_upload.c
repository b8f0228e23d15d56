/* SPDX-License-Identifier: MIT */
/*
 * Uploads through the admin socket: their bodies go into files without names as they come, of which
 * the catalogue's are put in place here and databases in admin_database.c.
 */
#include "io/admin_visit.h"
#include "io/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- At the head. --- */

static enum api_body body_of(const struct http_request *request)
{
	struct arena arena;
	enum api_body body;

	arena_init(&arena, api_arena_bytes_max);
	body = api_body_of(span_text(http_method_name(request->method)), request->path, &arena);
	arena_free(&arena);
	return body;
}

static void refuse_length(struct admin_door *door, struct http_exchange *exchange)
{
	struct visit *visit = admin_visit_new(door, exchange);

	if (visit) {
		api_fail_length(&visit->answer);
		admin_visit_reply(visit);
	}
}

static void receive(struct admin_door *door, struct http_exchange *exchange, int file,
		    const char *problem)
{
	struct visit *visit;

	if (file >= 0) {
		http_exchange_receive(exchange, file, door->options.upload_bytes_max);
		return;
	}
	visit = admin_visit_new(door, exchange);
	if (visit) {
		admin_visit_finish(visit, file, problem);
	}
}

void admin_upload_begin(void *context, struct http_exchange *exchange)
{
	struct admin_door *door = context;
	const struct http_request *request = http_exchange_request(exchange);
	char problem[admin_sentence_size] = "";
	int file;

	if (!http_exchange_peer(exchange)->has_credentials) {
		return; /* turned away when all of it is there, which is little */
	}
	switch (body_of(request)) {
	case API_BODY_JSON:
		if (request->content_length > api_json_body_max) {
			refuse_length(door, exchange);
		}
		break;
	case API_BODY_FILE:
		file = catalogue_open_upload(door->files_fd, problem, sizeof(problem));
		receive(door, exchange, file, problem);
		break;
	case API_BODY_DATABASE:
		file = store_open_upload(door->options.store, problem, sizeof(problem));
		receive(door, exchange, file, problem);
		break;
	}
}

/* --- When all of it is there. --- */

bool admin_upload_take(struct visit *visit)
{
	int file = http_exchange_take_file(visit->exchange, &visit->upload_bytes);

	if (file >= 0 || file == -ENOENT) {
		visit->upload = file;
		return true;
	}
	snprintf(visit->problem, sizeof(visit->problem),
		 "what was sent cannot be kept: %s; look at the disk that holds the server's data",
		 strerror(-file));
	admin_visit_finish(visit, file, visit->problem);
	return false;
}

void admin_upload_drop(struct visit *visit)
{
	if (visit->upload >= 0) {
		close(visit->upload);
		visit->upload = -ENOENT;
	}
}

static void note_version(struct change *change, int files_fd)
{
	struct stat info;
	int fd = catalogue_open_file(files_fd, change->file, &info);

	if (fd >= 0) {
		change->file_version = catalogue_version(&info);
		change->file_utc_ms = (uint64_t)info.st_mtim.tv_sec * 1000 +
				      (uint64_t)info.st_mtim.tv_nsec / 1000000;
		close(fd);
	}
}

void admin_upload_work(struct visit *visit)
{
	struct change *change = visit->answer.change;
	int files_fd = visit->door->files_fd;

	if (visit->upload < 0) { /* a body without an octet is none */
		visit->upload =
			catalogue_open_upload(files_fd, visit->problem, sizeof(visit->problem));
	}
	if (visit->upload < 0) {
		visit->result = visit->upload;
		return;
	}
	visit->result = catalogue_add(files_fd, change->file, visit->upload, &change->bytes,
				      visit->problem, sizeof(visit->problem));
	if (visit->result == 0) {
		note_version(change, files_fd);
	}
	admin_upload_drop(visit); /* here: to let go of a long file that was refused takes long */
}

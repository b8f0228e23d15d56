/* SPDX-License-Identifier: MIT */
#include "io/http_body.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { slice_octets_max = 65536 };

struct http_body {
	int fd;
	struct http_parts parts;
	size_t part; /* the one that is being sent */
	uint64_t part_octets_sent;
	struct stat opened; /* as it was then */
	size_t text_length; /* what stands in the slice before octets of the file */
	uv_fs_t read;
	bool is_reading;
	/* With what stands before and after a part. */
	char slice[slice_octets_max + 2 * http_part_head_max];
};

bool http_body_is_reading(const struct http_connection *c)
{
	return c->body && c->body->is_reading;
}

void http_body_drop(struct http_connection *c)
{
	if (c->body && !c->body->is_reading) {
		close(c->body->fd);
		free(c->body);
		c->body = NULL;
	}
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * The time of modification can be set back, that of change cannot; but it moves too when the last
 * name of the file goes, which is how one is replaced, and leaves its octets as they were.
 */
static bool is_same_file(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	       is_same_time(now.st_mtim, before->st_mtim) &&
	       (is_same_time(now.st_ctim, before->st_ctim) || now.st_nlink != before->st_nlink);
}

static void send_slice(struct http_connection *c, size_t octets)
{
	struct http_body *body = c->body;
	struct writer w = writer_over(body->slice, sizeof(body->slice));

	w.length = body->text_length + octets;
	body->part_octets_sent += octets;
	if (body->part_octets_sent == body->parts.ranges.items[body->part].length) {
		body->part++;
		body->part_octets_sent = 0;
	}
	if (body->part == body->parts.ranges.count) {
		http_parts_write_end(&w, &body->parts);
		c->is_answered_whole = true;
	}
	http_connection_send(c, writer_span(&w), span_make(NULL, 0));
}

static void on_slice(uv_fs_t *request)
{
	struct http_connection *c = request->data;
	ssize_t count = request->result;

	uv_fs_req_cleanup(request);
	c->body->is_reading = false;
	if (c->state == CONNECTION_CLOSING) {
		http_body_drop(c);
		http_connection_free_if_over(c);
		return;
	}
	/* Cut short, or edited in place: the client must see a cut. */
	if (count <= 0 || !is_same_file(c->body->fd, &c->body->opened)) {
		http_connection_close(c);
		return;
	}
	send_slice(c, (size_t)count);
}

void http_body_go_on(struct http_connection *c)
{
	struct http_body *body = c->body;
	const struct http_range *range = &body->parts.ranges.items[body->part];
	uint64_t left = range->length - body->part_octets_sent;
	size_t length = left < slice_octets_max ? (size_t)left : slice_octets_max;
	struct writer w = writer_over(body->slice, http_part_head_max);
	uv_buf_t buffer;

	if (body->part_octets_sent == 0) {
		http_parts_write_head(&w, &body->parts, body->part);
	}
	body->text_length = w.length;
	buffer = uv_buf_init(body->slice + w.length, (unsigned)length);
	body->read.data = c;
	body->is_reading = true;
	if (uv_fs_read(c->server->options.loop, &body->read, body->fd, &buffer, 1,
		       (int64_t)(range->first + body->part_octets_sent), on_slice) != 0) {
		body->is_reading = false;
		http_connection_close(c);
	}
}

/* Takes `fd` over, whatever comes of it. False without memory. */
static bool begin(struct http_connection *c, int fd, const struct stat *opened,
		  const struct http_parts *parts)
{
	struct http_body *body = malloc(sizeof(*body));

	if (!body) {
		close(fd);
		return false;
	}
	body->fd = fd;
	body->opened = *opened;
	body->parts = *parts;
	body->part = 0;
	body->part_octets_sent = 0;
	body->is_reading = false;
	c->body = body;
	return true;
}

void http_exchange_answer_file(struct http_exchange *exchange, const struct http_response *response,
			       int fd, const struct stat *opened, const struct http_parts *parts)
{
	struct http_connection *c = exchange->connection;
	uint64_t length = http_parts_length(parts);
	bool has_body = !http_exchange_is_bodiless(exchange, response->status) && length > 0;

	if (!http_exchange_take_back(exchange)) {
		close(fd);
		return;
	}
	if (!has_body) {
		close(fd);
	} else if (!begin(c, fd, opened, parts)) {
		http_connection_close(c);
		return;
	}
	c->state = CONNECTION_SENDING;
	c->is_answered_whole = !has_body;
	http_connection_send_head(c, response, http_connection_framing(response->status), length,
				  span_make(NULL, 0));
}

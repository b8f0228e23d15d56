/* SPDX-License-Identifier: MIT */
#include "io/http_body.h"

#include "io/catalogue.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
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
	size_t slice_size;
	char slice[]; /* with what stands before and after a part */
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

/* Where the next slice is read to, and from; what stands before it is written already. */
struct place {
	char *room;
	size_t length;
	off_t offset;
};

static struct place next_place(struct http_body *body)
{
	const struct http_range *range = &body->parts.ranges.items[body->part];
	uint64_t left = range->length - body->part_octets_sent;
	struct writer w = writer_over(body->slice, http_part_head_max);

	if (body->part_octets_sent == 0) {
		http_parts_write_head(&w, &body->parts, body->part);
	}
	body->text_length = w.length;
	return (struct place){.room = body->slice + w.length,
			      .length = left < slice_octets_max ? (size_t)left : slice_octets_max,
			      .offset = (off_t)(range->first + body->part_octets_sent)};
}

/* What of it is in the page cache, without waiting for the disk: its length, or 0 or less. */
static ssize_t read_cached(const struct http_body *body, const struct place *place)
{
	struct iovec room = {.iov_base = place->room, .iov_len = place->length};

	return preadv2(body->fd, &room, 1, place->offset, RWF_NOWAIT);
}

/* So many octets were read: what is sent for them, with what stands around. */
static struct span take_slice(struct http_connection *c, size_t octets)
{
	struct http_body *body = c->body;
	struct writer w = writer_over(body->slice, body->slice_size);

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
	return writer_span(&w);
}

static void send_slice(struct http_connection *c, ssize_t count)
{
	if (count < 0) {
		http_connection_cut(c, "the file cannot be read");
		return;
	}
	/* Cut short, or edited in place: the client must see a cut. */
	if (count == 0 || !catalogue_file_is_same(c->body->fd, &c->body->opened)) {
		http_connection_cut(c, "the file has changed");
		return;
	}
	http_connection_send(c, take_slice(c, (size_t)count), span_make(NULL, 0));
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
	send_slice(c, count);
}

void http_body_go_on(struct http_connection *c)
{
	struct http_body *body = c->body;
	struct place place = next_place(body);
	ssize_t count = read_cached(body, &place);
	uv_buf_t buffer;

	if (count > 0) {
		send_slice(c, count);
		return;
	}
	buffer = uv_buf_init(place.room, (unsigned)place.length);
	body->read.data = c;
	body->is_reading = true;
	if (uv_fs_read(c->server->options.loop, &body->read, body->fd, &buffer, 1, place.offset,
		       on_slice) != 0) {
		body->is_reading = false;
		http_connection_close(c);
	}
}

/* The first slice, when it is at hand: it goes out with the head. */
static struct span first_slice(struct http_connection *c)
{
	struct place place = next_place(c->body);
	ssize_t count = read_cached(c->body, &place);

	if (count <= 0 || !catalogue_file_is_same(c->body->fd, &c->body->opened)) {
		return span_make(NULL, 0); /* http_body_go_on will see why */
	}
	return take_slice(c, (size_t)count);
}

/* Takes `fd` over, whatever comes of it. False without memory. */
static bool begin(struct http_connection *c, int fd, const struct stat *opened,
		  const struct http_parts *parts)
{
	uint64_t octets = http_ranges_octets(&parts->ranges);
	size_t slice_size = (octets < slice_octets_max ? (size_t)octets : slice_octets_max) +
			    (size_t)2 * http_part_head_max;
	struct http_body *body = malloc(sizeof(*body) + slice_size);

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
	body->slice_size = slice_size;
	c->body = body;
	return true;
}

void http_exchange_answer_file(struct http_exchange *exchange, const struct http_response *response,
			       int fd, const struct stat *opened, const struct http_parts *parts)
{
	struct http_connection *c = exchange->connection;
	uint64_t length = http_parts_length(parts);
	bool has_body = !http_exchange_is_bodiless(exchange, response->status) && length > 0;
	struct span first = {NULL, 0};

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
	if (has_body) {
		first = first_slice(c);
	}
	http_connection_send_head(c, response, http_connection_framing(response->status), length,
				  first);
}

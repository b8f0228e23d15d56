/* SPDX-License-Identifier: MIT */
#include "io/http_upload.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct http_upload {
	int fd;		       /* -1: taken */
	int error;	       /* writing failed */
	uint64_t octets;       /* written */
	uint64_t octets_timed; /* of them, and of what waits, when the time-out was set */
	uv_fs_t write;
	bool is_writing;
	size_t length; /* in the buffer */
	size_t used;   /* of it, written */
	char buffer[sizeof(((struct stream_scratch *)NULL)->input)];
};

bool http_upload_is_writing(const struct http_connection *c)
{
	return c->upload && c->upload->is_writing;
}

int http_upload_error(const struct http_connection *c)
{
	return c->upload ? c->upload->error : 0;
}

void http_upload_drop(struct http_connection *c)
{
	if (c->upload && !c->upload->is_writing) {
		if (c->upload->fd >= 0) {
			close(c->upload->fd);
		}
		free(c->upload);
		c->upload = NULL;
	}
}

void http_upload_put(struct http_connection *c, struct span piece)
{
	struct http_upload *upload = c->upload;

	assert(piece.length <= sizeof(upload->buffer) - upload->length);
	memcpy(upload->buffer + upload->length, piece.data, piece.length);
	upload->length += piece.length;
}

bool http_upload_is_in_time(struct http_connection *c)
{
	struct http_upload *upload = c->upload;
	uint64_t octets = upload->octets + upload->length - upload->used;
	uint64_t least = upload->octets_timed + c->server->options.upload_octets_min;

	upload->octets_timed = octets;
	return upload->is_writing || octets >= least;
}

static void write_on(struct http_connection *c);

static void on_written(uv_fs_t *request)
{
	struct http_connection *c = request->data;
	struct http_upload *upload = c->upload;
	ssize_t count = request->result;

	uv_fs_req_cleanup(request);
	upload->is_writing = false;
	if (count <= 0) {
		upload->error = count < 0 ? (int)count : -EIO;
	} else {
		upload->octets += (uint64_t)count;
		upload->used += (size_t)count;
		if (upload->used < upload->length && c->state != CONNECTION_CLOSING) {
			write_on(c);
			return;
		}
	}
	upload->length = 0;
	upload->used = 0;
	http_connection_stored(c);
}

/* A disk that becomes full takes a part, and refuses the rest. */
static void write_on(struct http_connection *c)
{
	struct http_upload *upload = c->upload;
	uv_buf_t buffer = uv_buf_init(upload->buffer + upload->used,
				      (unsigned)(upload->length - upload->used));

	upload->write.data = c;
	upload->is_writing = true;
	/* One buffer, and a callback: libuv 1 has nothing to refuse. */
	(void)uv_fs_write(c->server->options.loop, &upload->write, upload->fd, &buffer, 1,
			  (int64_t)upload->octets, on_written);
}

void http_exchange_receive(struct http_exchange *exchange, int fd, uint64_t octets_max)
{
	struct http_connection *c = exchange->connection;

	c->upload = malloc(sizeof(*c->upload));
	if (!c->upload) {
		close(fd);
		http_connection_close(c);
		return;
	}
	c->upload->fd = fd;
	c->upload->error = 0;
	c->upload->octets = 0;
	c->upload->octets_timed = 0;
	c->upload->is_writing = false;
	c->upload->length = 0;
	c->upload->used = 0;
	c->body_max = octets_max;
	http_parser_hand_out_body(c->parser, octets_max);
}

int http_exchange_take_file(struct http_exchange *exchange, uint64_t *octets)
{
	struct http_upload *upload = exchange->connection->upload;
	int fd;

	if (!upload) {
		return -ENOENT;
	}
	if (upload->error != 0) {
		return upload->error;
	}
	fd = upload->fd;
	upload->fd = -1;
	*octets = upload->octets;
	return fd;
}

bool http_upload_flush(struct http_connection *c)
{
	if (!c->upload || c->upload->length == 0) {
		return false;
	}
	stream_read_stop(&c->stream);
	c->state = CONNECTION_STORING;
	write_on(c);
	return true;
}

/* SPDX-License-Identifier: MIT */
#include "io/http_body.h"

#include <stdlib.h>
#include <unistd.h>

enum { slice_size = 65536 };

void http_body_drop(struct http_connection *c)
{
	if (c->file.fd >= 0 && !c->file.is_reading) {
		close(c->file.fd);
		c->file.fd = -1;
		free(c->file.slice);
		c->file.slice = NULL;
		c->file.left = 0;
	}
}

static bool is_same_file(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	       now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

static void on_slice(uv_fs_t *request)
{
	struct http_connection *c = request->data;
	ssize_t count = request->result;

	uv_fs_req_cleanup(request);
	c->file.is_reading = false;
	if (c->state == CONNECTION_CLOSING) {
		http_body_drop(c);
		http_connection_free_if_over(c);
		return;
	}
	/* Cut short, or edited in place: the client must see a cut, not a mixture (R-HTTP-33). */
	if (count <= 0 || !is_same_file(c->file.fd, &c->file.opened)) {
		http_connection_close(c);
		return;
	}
	c->file.offset += (uint64_t)count;
	c->file.left -= (uint64_t)count;
	c->is_answered_whole = c->file.left == 0;
	http_connection_send(c, span_make(c->file.slice, (size_t)count), span_make(NULL, 0));
}

void http_body_read_slice(struct http_connection *c)
{
	size_t length = c->file.left < slice_size ? (size_t)c->file.left : slice_size;
	uv_buf_t buffer = uv_buf_init(c->file.slice, (unsigned)length);

	c->file.read.data = c;
	c->file.is_reading = true;
	if (uv_fs_read(c->server->options.loop, &c->file.read, c->file.fd, &buffer, 1,
		       (int64_t)c->file.offset, on_slice) != 0) {
		c->file.is_reading = false;
		http_connection_close(c);
	}
}

void http_exchange_answer_file(struct http_exchange *exchange, const struct http_response *response,
			       int fd, uint64_t offset, uint64_t length)
{
	struct http_connection *c = exchange->connection;
	bool has_body = !http_exchange_is_bodiless(exchange, response->status) && length > 0;

	if (!http_exchange_take_back(exchange)) {
		close(fd);
		return;
	}
	c->file = (struct http_file){.fd = fd, .offset = offset, .left = has_body ? length : 0};
	c->file.slice = malloc(slice_size);
	if (!c->file.slice || fstat(fd, &c->file.opened) != 0) {
		http_connection_close(c);
		return;
	}
	c->state = CONNECTION_SENDING;
	c->is_answered_whole = !has_body;
	http_connection_send_head(c, response, http_connection_framing(response->status), length,
				  span_make(NULL, 0));
}

/* SPDX-License-Identifier: MIT */
#include "io/stream.h"

#include "io/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

struct stream_write {
	uv_write_t request;
	char data[];
};

int stream_accept(struct stream *stream, uv_stream_t *listener,
		  const struct stream_options *options)
{
	int error;

	*stream = (struct stream){.kind = options->kind,
				  .scratch = options->scratch,
				  .handler = options->handler,
				  .context = options->context};
	if (options->kind == STREAM_UNIX) {
		uv_pipe_init(options->loop, &stream->uv.pipe, 0);
	} else {
		uv_tcp_init(options->loop, &stream->uv.tcp);
	}
	stream->uv.handle.data = stream;
	error = uv_accept(listener, &stream->uv.stream);
	if (error == 0 && options->kind == STREAM_TCP) {
		uv_tcp_nodelay(&stream->uv.tcp, 1);
	}
	return error;
}

/* Reading. */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct stream *stream = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(stream->scratch->input, sizeof(stream->scratch->input));
}

static void on_read(uv_stream_t *uv, ssize_t count, const uv_buf_t *buffer)
{
	struct stream *stream = uv->data;

	if (count < 0) {
		stream->handler->ended(stream->context, count == UV_EOF ? 0 : (int)count);
	} else if (count > 0) {
		stream->handler->read(stream->context, span_make(buffer->base, (size_t)count));
	}
}

int stream_read_start(struct stream *stream)
{
	int error = uv_read_start(&stream->uv.stream, on_room, on_read);

	return error == UV_EALREADY ? 0 : error;
}

void stream_read_stop(struct stream *stream)
{
	uv_read_stop(&stream->uv.stream);
}

/* Writing. */

static void on_written(uv_write_t *request, int status)
{
	struct stream_write *write = (struct stream_write *)request;
	struct stream *stream = request->handle->data;

	free(write);
	if (!stream->is_closing) {
		stream->handler->written(stream->context, status);
	}
}

int stream_write(struct stream *stream, struct span head, struct span body)
{
	struct stream_write *write = malloc(sizeof(*write) + head.length + body.length);
	uv_buf_t buffer;
	int error;

	if (!write) {
		return -ENOMEM;
	}
	if (head.length > 0) {
		memcpy(write->data, head.data, head.length);
	}
	if (body.length > 0) {
		memcpy(write->data + head.length, body.data, body.length);
	}
	buffer = uv_buf_init(write->data, (unsigned)(head.length + body.length));
	error = uv_write(&write->request, &stream->uv.stream, &buffer, 1, on_written);
	if (error != 0) {
		free(write);
	}
	return error;
}

size_t stream_queued(const struct stream *stream)
{
	return uv_stream_get_write_queue_size(&stream->uv.stream);
}

uint64_t stream_unacknowledged(const struct stream *stream)
{
	uv_os_fd_t fd;
	int in_kernel = 0;

	if (uv_fileno(&stream->uv.handle, &fd) != 0 || ioctl(fd, SIOCOUTQ, &in_kernel) != 0) {
		in_kernel = 0;
	}
	return stream_queued(stream) + (uint64_t)in_kernel;
}

/* Ends. */

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	struct stream *stream = shutdown->handle->data;

	if (status != 0 && !stream->is_closing) {
		stream->handler->ended(stream->context, status);
	}
}

int stream_shutdown(struct stream *stream)
{
	return uv_shutdown(&stream->shutdown, &stream->uv.stream, on_shutdown);
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;

	stream->handler->closed(stream->context);
}

void stream_close(struct stream *stream)
{
	if (!stream->is_closing) {
		stream->is_closing = true;
		uv_close(&stream->uv.handle, on_closed);
	}
}

/* Who is there. */

void stream_endpoints(const struct stream *stream, struct endpoint *peer, struct endpoint *local)
{
	struct sockaddr_storage storage = {0};
	int length = sizeof(storage);

	if (stream->kind != STREAM_TCP) {
		return;
	}
	if (uv_tcp_getpeername(&stream->uv.tcp, (struct sockaddr *)&storage, &length) == 0) {
		*peer = udp_from_sockaddr(&storage);
	}
	storage = (struct sockaddr_storage){0};
	length = sizeof(storage);
	if (uv_tcp_getsockname(&stream->uv.tcp, (struct sockaddr *)&storage, &length) == 0) {
		*local = udp_from_sockaddr(&storage);
	}
}

bool stream_credentials(const struct stream *stream, struct ucred *credentials)
{
	socklen_t length = sizeof(*credentials);
	uv_os_fd_t fd;

	return stream->kind == STREAM_UNIX && uv_fileno(&stream->uv.handle, &fd) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &length) == 0;
}

/* SPDX-License-Identifier: MIT */
#include "io/stream.h"

#include "io/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

struct stream_write {
	uv_write_t request;
	bool is_ours;  /* of TLS itself: nobody waits to be told */
	char *records; /* TLS: what is sent in place of `data` */
	char data[];
};

/* Reading: the octets of the network. */

static bool is_open(const struct stream *stream)
{
	return !stream->session || tls_session_outcome(stream->session)->is_open;
}

/* The peer sends no more; `error` as told by the network. */
static void end(struct stream *stream, int error)
{
	bool is_cut = false;

	if (stream->has_ended) {
		return;
	}
	stream->has_ended = true;
	uv_read_stop(&stream->uv.stream);
	if (stream->session) {
		uv_timer_stop(&stream->timer);
		tls_session_give_up(stream->session,
				    error == -ETIMEDOUT ? TLS_FAILURE_TIMED_OUT : TLS_FAILURE_CUT);
		is_cut = !tls_session_peer_left(stream->session);
	}
	stream->handler->ended(stream->context, error == 0 && is_cut ? -ECONNRESET : error);
}

static void pump(struct stream *stream);

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct stream *stream = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(stream->scratch->input, sizeof(stream->scratch->input));
}

static void on_read(uv_stream_t *uv, ssize_t count, const uv_buf_t *buffer)
{
	struct stream *stream = uv->data;
	struct span octets = span_make(buffer->base, count > 0 ? (size_t)count : 0);

	if (count < 0) {
		end(stream, count == UV_EOF ? 0 : (int)count);
	} else if (count > 0 && stream->session) {
		tls_session_feed(stream->session, octets);
		pump(stream);
	} else if (count > 0) {
		stream->handler->read(stream->context, octets);
	}
}

static int read_on(struct stream *stream)
{
	int error = uv_read_start(&stream->uv.stream, on_room, on_read);

	return error == UV_EALREADY ? 0 : error;
}

/* Writing. */

static void settle(struct stream *stream);

static void on_written(uv_write_t *request, int status)
{
	struct stream_write *write = (struct stream_write *)request;
	struct stream *stream = request->handle->data;
	bool is_ours = write->is_ours;

	free(write->records);
	free(write);
	if (stream->is_closing) {
		return;
	}
	if (!is_ours) {
		stream->handler->written(stream->context, status);
	} else if (status != 0) {
		end(stream, status);
	}
	settle(stream);
}

/* Sends what `write` holds, and frees it when that fails. */
static int send_write(struct stream *stream, struct stream_write *write, char *data, size_t length)
{
	uv_buf_t buffer = uv_buf_init(data, (unsigned)length);
	int error = uv_write(&write->request, &stream->uv.stream, &buffer, 1, on_written);

	if (error != 0) {
		free(write->records);
		free(write);
	}
	return error;
}

static int write_plain(struct stream *stream, struct span head, struct span body)
{
	struct stream_write *write = malloc(sizeof(*write) + head.length + body.length);

	if (!write) {
		return -ENOMEM;
	}
	write->is_ours = false;
	write->records = NULL;
	if (head.length > 0) {
		memcpy(write->data, head.data, head.length);
	}
	if (body.length > 0) {
		memcpy(write->data + head.length, body.data, body.length);
	}
	return send_write(stream, write, write->data, head.length + body.length);
}

/* Sends the records that are ready; 0 also when there are none. */
static int write_records(struct stream *stream, bool is_ours)
{
	struct stream_write *write;
	size_t length = 0;
	char *records = tls_session_take_output(stream->session, &length);

	if (!records) {
		return 0;
	}
	write = malloc(sizeof(*write));
	if (!write) {
		free(records);
		return -ENOMEM;
	}
	write->is_ours = is_ours;
	write->records = records;
	return send_write(stream, write, records, length);
}

int stream_write(struct stream *stream, struct span head, struct span body)
{
	int error;

	if (!stream->session) {
		return write_plain(stream, head, body);
	}
	if (head.length + body.length == 0) {
		return -EINVAL;
	}
	error = tls_session_write(stream->session, head);
	if (error == 0) {
		error = tls_session_write(stream->session, body);
	}
	return error != 0 ? error : write_records(stream, false);
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

/* Reading: what is in the records. */

static void on_timer(uv_timer_t *timer);

/* Whether to read on from the network, now that one callback is over. */
static void settle(struct stream *stream)
{
	bool wants;

	if (!stream->session || stream->is_closing || stream->has_ended) {
		return;
	}
	wants = stream->wants_bytes || !is_open(stream);
	if (wants && is_open(stream) && tls_session_has_more(stream->session)) {
		(void)uv_timer_start(&stream->timer, on_timer, 0, 0);
		wants = false;
	}
	if (!wants || stream_queued(stream) > 0) {
		uv_read_stop(&stream->uv.stream);
	} else if (read_on(stream) != 0) {
		end(stream, -EIO);
	}
}

/* One step of the session. True when there may be another. */
static bool step(struct stream *stream)
{
	struct span bytes;
	enum tls_progress progress =
		tls_session_read(stream->session, stream->scratch->plain, &bytes);
	int error = write_records(stream, true);

	if (error != 0) {
		end(stream, error);
		return false;
	}
	switch (progress) {
	case TLS_NEEDS_MORE:
		return false;
	case TLS_OPENED:
		uv_timer_stop(&stream->timer);
		stream->handler->opened(stream->context);
		return true;
	case TLS_BYTES:
		stream->handler->read(stream->context, bytes);
		return true;
	case TLS_ENDED:
		end(stream, 0);
		return false;
	case TLS_BROKEN:
		end(stream, -EPROTO);
		return false;
	}
	return false;
}

/* All that can be done with the octets at hand; what is left over is kept for later. */
static void pump(struct stream *stream)
{
	bool goes_on = true;

	while (goes_on && !stream->is_closing && (stream->wants_bytes || !is_open(stream))) {
		goes_on = step(stream);
	}
	if (!stream->is_closing && !stream->has_ended && tls_session_keep(stream->session) != 0) {
		end(stream, -ENOMEM);
	}
	settle(stream);
}

static void on_timer(uv_timer_t *timer)
{
	struct stream *stream = timer->data;

	if (is_open(stream)) {
		pump(stream);
	} else {
		end(stream, -ETIMEDOUT);
	}
}

int stream_read_start(struct stream *stream)
{
	stream->wants_bytes = true;
	if (!stream->session) {
		return read_on(stream);
	}
	if (stream->has_ended || !is_open(stream)) {
		return 0;
	}
	if (tls_session_has_more(stream->session)) {
		return uv_timer_start(&stream->timer, on_timer, 0, 0);
	}
	return stream_queued(stream) > 0 ? 0 : read_on(stream);
}

void stream_read_stop(struct stream *stream)
{
	stream->wants_bytes = false;
	if (is_open(stream)) {
		uv_read_stop(&stream->uv.stream);
	}
	if (stream->session && is_open(stream)) {
		uv_timer_stop(&stream->timer);
	}
}

const struct tls_outcome *stream_tls(const struct stream *stream)
{
	return stream->session ? tls_session_outcome(stream->session) : NULL;
}

/* Beginning and end. */

static int start_tls(struct stream *stream, const struct stream_options *options)
{
	int error = uv_timer_init(options->loop, &stream->timer);

	if (error != 0) {
		return error;
	}
	stream->timer.data = stream;
	stream->open_handles++;
	error = tls_session_new(&stream->session, options->tls);
	if (error == 0) {
		error = uv_timer_start(&stream->timer, on_timer, options->handshake_timeout_ms, 0);
	}
	return error != 0 ? error : read_on(stream);
}

int stream_accept(struct stream *stream, uv_stream_t *listener,
		  const struct stream_options *options)
{
	int error;

	*stream = (struct stream){.kind = options->kind,
				  .scratch = options->scratch,
				  .handler = options->handler,
				  .context = options->context,
				  .open_handles = 1};
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
	if (error == 0 && options->tls) {
		error = start_tls(stream, options);
	}
	return error;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	struct stream *stream = shutdown->handle->data;

	if (status != 0 && !stream->is_closing) {
		end(stream, status);
	}
}

int stream_shutdown(struct stream *stream)
{
	if (stream->session && tls_session_end(stream->session) == 0) {
		int error = write_records(stream, true);

		if (error != 0) {
			return error;
		}
	}
	return uv_shutdown(&stream->shutdown, &stream->uv.stream, on_shutdown);
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;

	if (--stream->open_handles == 0) {
		tls_session_free(stream->session);
		stream->handler->closed(stream->context);
	}
}

void stream_close(struct stream *stream)
{
	if (stream->is_closing) {
		return;
	}
	stream->is_closing = true;
	if (stream->open_handles == 2) {
		uv_close((uv_handle_t *)&stream->timer, on_closed);
	}
	uv_close(&stream->uv.handle, on_closed);
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

/* SPDX-License-Identifier: MIT */
/*
 * One connected stream of bytes on a libuv loop, accepted from a listener: TCP, TLS over TCP, or a
 * unix socket. Whoever serves a protocol over it knows nothing of sockets and records. Everything
 * belongs to the thread that runs the loop, and no callback comes from within a call to the stream.
 *
 * Over TLS, what the peer sends is read only while nothing that was written waits for it, so that a
 * peer who makes us answer and does not listen (key updates, alerts) costs no more than one read.
 */
#ifndef BELLHOP_IO_STREAM_H
#define BELLHOP_IO_STREAM_H

#include "core/base/address.h"
#include "io/tls_session.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

/* Filled and emptied within one callback: all streams of a loop share one. */
struct stream_scratch {
	char input[65536];
	char plain[tls_plain_size];
};

struct stream_handler {
	/*
	 * TLS only, and once: the handshake is over; nothing is read or may be written before. When
	 * it fails, `ended` comes instead, and stream_tls says why.
	 */
	void (*opened)(void *context);
	/* What the peer sent; valid for the call. Comes between _read_start and _read_stop only. */
	void (*read)(void *context, struct span bytes);
	/*
	 * Nothing more will be read: 0, the peer has finished; -ETIMEDOUT, the handshake took too
	 * long; another negative errno, it is cut, which over TLS is an end without close_notify
	 * too.
	 */
	void (*ended)(void *context, int error);
	/* One stream_write is over: 0, the kernel has taken all of it; else a negative errno. */
	void (*written)(void *context, int error);
	/* After stream_close: the stream's memory may go. */
	void (*closed)(void *context);
};

enum stream_kind { STREAM_TCP, STREAM_UNIX };

struct stream_options {
	uv_loop_t *loop;
	enum stream_kind kind; /* the listener's */
	struct tls *tls;       /* of the listener; NULL: octets go as they are */
	uint64_t handshake_timeout_ms;
	struct stream_scratch *scratch;
	const struct stream_handler *handler;
	void *context; /* of the handler */
};

/* To be embedded; its members are the stream's own. */
struct stream {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	uv_shutdown_t shutdown;
	struct tls_session *session; /* NULL: no TLS */
	uv_timer_t timer; /* TLS: of the handshake; later: to go on with what was read already */
	enum stream_kind kind;
	struct stream_scratch *scratch;
	const struct stream_handler *handler;
	void *context;
	unsigned open_handles;
	bool wants_bytes; /* of TLS: between _read_start and _read_stop */
	bool has_ended;
	bool is_closing;
};

/*
 * Takes the next connection of the listener. 0, or a negative errno; the stream is then useless,
 * and must be closed all the same. Options are copied.
 */
int stream_accept(struct stream *stream, uv_stream_t *listener,
		  const struct stream_options *options);

/* 0 or a negative errno; starting twice is as good as once. */
int stream_read_start(struct stream *stream);
void stream_read_stop(struct stream *stream);

/* NULL: no TLS. Lives as long as the stream. */
const struct tls_outcome *stream_tls(const struct stream *stream);

/* Sends copies of both, in order, at least one octet. 0, and `written` follows once; or a negative
 * errno. */
int stream_write(struct stream *stream, struct span head, struct span body);

/* Octets that were written and wait for the peer; over TLS those of its records. */
size_t stream_queued(const struct stream *stream);

/* The same, and those that the kernel took and the peer has not acknowledged. */
uint64_t stream_unacknowledged(const struct stream *stream);

/*
 * Ends our side behind all that was written, over TLS with close_notify; the peer's can still be
 * read. 0, or a negative errno when it is over already. A fault that shows later is told by
 * `ended`.
 */
int stream_shutdown(struct stream *stream);

/*
 * Ends it now; of the callbacks only `closed` follows. A TLS peer sees a cut, unless
 * stream_shutdown came before and the kernel had room for it.
 */
void stream_close(struct stream *stream);

/* Both ends of a TCP connection; what is not known stays as it is. */
void stream_endpoints(const struct stream *stream, struct endpoint *peer, struct endpoint *local);

/* Who is at the other end of a unix socket; false when the kernel does not say. */
bool stream_credentials(const struct stream *stream, struct ucred *credentials);

#endif

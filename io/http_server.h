/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server on one libuv loop: listeners (TCP or unix socket), connections with their limits
 * and time-outs, and exchanges, each one request and its answer. The phones' door and the admin
 * socket are both made of it; what is answered is the handler's business.
 *
 * Everything here belongs to the thread that runs the loop. Requests of one connection are handed
 * on one at a time and in order; pipelined ones wait in the kernel (R-HTTP-27).
 */
#ifndef BELLHOP_IO_HTTP_SERVER_H
#define BELLHOP_IO_HTTP_SERVER_H

#include "core/base/address.h"
#include "core/http/parts.h"
#include "core/http/request.h"
#include "core/http/response.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <uv.h>

struct http_server;
struct http_exchange;
struct tls;
struct tls_outcome;

/* Who is at the other end. */
struct http_peer {
	struct endpoint source; /* family ADDRESS_NONE on a unix socket */
	struct endpoint local;	/* ours, that was asked */
	bool has_credentials;	/* unix socket: SO_PEERCRED */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	const struct tls_outcome *tls; /* io/tls_session.h; NULL: no TLS */
};

struct http_server_options {
	uv_loop_t *loop;
	size_t connections_max; /* beyond: 503 and close; TLS: close, a handshake is dear */
	size_t connections_per_source_max; /* per IPv4 address or IPv6 /64; not on unix sockets; 0:
					      no cap */
	size_t body_max;	 /* longer request bodies: 413; in memory until the answer is out */
	size_t stream_bytes_max; /* waiting to be read by a slow reader of a stream */
	/*
	 * A whole TLS handshake: close. Its flights cross a line that may lose them: TCP waits 1,
	 * 2, 4 and 8 s before it sends the same again.
	 */
	uint64_t handshake_timeout_ms;
	uint64_t head_timeout_ms; /* from the first octet of a head to its end: 408 */
	/*
	 * From the head to the end of the body: 408. Of a body that goes into a file (see `begin`)
	 * upload_octets_min must come within each, or the rest of it.
	 */
	uint64_t body_timeout_ms;
	uint64_t upload_octets_min;
	/* Between requests: close, unless send_octets_min of the last answer were taken in it. */
	uint64_t idle_timeout_ms;
	/*
	 * Within each send_timeout_ms the peer must take (acknowledge) send_octets_min of an
	 * answer, or the rest of it: else close. So who reads one octet a second is let go after
	 * the first, and a file of n octets takes n / send_octets_min time-outs at most. Streams:
	 * any octet.
	 */
	uint64_t send_timeout_ms;
	uint64_t send_octets_min;
	uint32_t methods; /* 1 << enum http_method; others: 405, body not awaited */
	/*
	 * The head of a request with a body. The handler may have the body put into a file, with
	 * http_exchange_receive; or answer at once, with http_exchange_answer: then the body is not
	 * awaited, and the connection ends; or do nothing. May be NULL.
	 */
	void (*begin)(void *context, struct http_exchange *exchange);
	/*
	 * One whole request, or one whose body its file did not take: http_exchange_take_file says
	 * so, and when not all of it has come, the answer is the last of the connection. The
	 * handler answers with exactly one of the http_exchange_ functions below, now or later on
	 * this thread; the request stays valid until then.
	 */
	void (*handle)(void *context, struct http_exchange *exchange);
	/* The handshake of a TLS connection is over, or failed: see peer->tls. May be NULL. */
	void (*handshake_over)(void *context, const struct http_peer *peer);
	/*
	 * The server has refused something by itself: a request that is not handed on, or a whole
	 * connection. `status` is what the peer is told, 0 when it is only closed; `reason` is a
	 * constant word: the parser's, "method_not_served", "too_slow", "too_many_connections" or
	 * "too_many_from_source". May be NULL.
	 */
	void (*refused)(void *context, const struct http_peer *peer, unsigned status,
			const char *reason);
	void *context;
};

/* How often what happened: for status and metrics. */
struct http_server_counters {
	uint64_t connections; /* accepted, ever */
	uint64_t requests;
	uint64_t bad_requests;	 /* refused by the parser */
	uint64_t timeouts;	 /* of any state */
	uint64_t refused_full;	 /* connections_max was reached */
	uint64_t refused_source; /* connections_per_source_max was reached */
	size_t open;		 /* connections, now */
};

/* The time-outs and caps that suit phones; loop, methods, handle and context are left to set. */
void http_server_defaults(struct http_server_options *options);

/* 0 and `*server`, or -ENOMEM. Options are copied. */
int http_server_new(struct http_server **server, const struct http_server_options *options);

/*
 * Listens. 0, or a negative errno with one sentence in `problem` that names the port or path and
 * the remedy. For a unix socket a stale one (nobody listens) is replaced; `mode` is its permission.
 * `tls` must outlive the server.
 */
int http_server_listen_tcp(struct http_server *server, struct endpoint endpoint, char *problem,
			   size_t problem_size);
int http_server_listen_tls(struct http_server *server, struct endpoint endpoint, struct tls *tls,
			   char *problem, size_t problem_size);
int http_server_listen_unix(struct http_server *server, const char *path, unsigned mode,
			    char *problem, size_t problem_size);

/* The port of the i-th TCP listener (for `:0`), or 0. */
uint16_t http_server_port(const struct http_server *server, size_t i);

const struct http_server_counters *http_server_counters(const struct http_server *server);

/*
 * Closes listeners and connections; `closed` is called from the loop when nothing of the server is
 * left, and the server is gone. Unanswered exchanges must still be answered (nothing is sent).
 */
void http_server_close(struct http_server *server, void (*closed)(void *context), void *context);

/* Of an exchange, until it is answered. */
const struct http_request *http_exchange_request(const struct http_exchange *exchange);
const struct http_peer *http_exchange_peer(const struct http_exchange *exchange);
void *http_exchange_context(const struct http_exchange *exchange); /* of the options */
uv_loop_t *http_exchange_loop(const struct http_exchange *exchange);

/*
 * In `begin`: the body, of at most `octets_max`, is written to `fd` as it comes, from its beginning
 * on. Nothing more is read while the disk is busy, so that it costs little memory, however long it
 * is. `fd` is taken over, and closed when the body does not come to its end. Without memory the
 * connection ends.
 */
void http_exchange_receive(struct http_exchange *exchange, int fd, uint64_t octets_max);

/*
 * In `handle`, once: the file that the body is in, the caller's from now on, and its `*octets`.
 * -ENOENT: the body, if there is one, is in the request. Another negative errno: what writing it
 * failed with; the file is closed with the exchange.
 */
int http_exchange_take_file(struct http_exchange *exchange, uint64_t *octets);

/*
 * Called once when the exchange is over: `is_whole` says that the last octet was taken by the
 * kernel. Set it before answering. `data` is the caller's.
 */
typedef void http_exchange_over_fn(void *data, bool is_whole);
void http_exchange_on_over(struct http_exchange *exchange, http_exchange_over_fn *over, void *data);

/*
 * For `over` when the answer is not whole: the octets of it, head and all, that went on their way,
 * and a constant text that says why no more did.
 */
uint64_t http_exchange_octets_sent(const struct http_exchange *exchange);
const char *http_exchange_cut_reason(const struct http_exchange *exchange);

/* Answers with a body out of memory, which is copied. HEAD, 204 and 304 get no body. */
void http_exchange_answer(struct http_exchange *exchange, const struct http_response *response,
			  struct span body);

/*
 * Answers with those parts of a file (none: with an empty body), read in slices: however big it is,
 * a slow reader costs two of 64 KiB. Takes `fd` over. `opened` is what fstat said of it when its
 * validators were made: a file that is another by now, or becomes one, or is shorter than the parts
 * want, ends the connection, so that the client sees the cut.
 */
void http_exchange_answer_file(struct http_exchange *exchange, const struct http_response *response,
			       int fd, const struct stat *opened, const struct http_parts *parts);

/*
 * Answers with a body that comes bit by bit (events --follow): chunked. After _begin the exchange
 * stays the caller's until _end, which must be called once, also after the peer has gone (see
 * _is_gone and on_over, which then comes at once). _write returns 0, -EPIPE when the peer has gone,
 * or -ENOBUFS when stream_bytes_max are waiting already (the stream is then cut). What the peer
 * sends meanwhile is dropped, and the connection then ends behind the stream.
 */
void http_exchange_stream_begin(struct http_exchange *exchange,
				const struct http_response *response);
int http_exchange_stream_write(struct http_exchange *exchange, struct span bytes);
bool http_exchange_is_gone(const struct http_exchange *exchange);
void http_exchange_stream_end(struct http_exchange *exchange);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One HTTP connection: reading requests one at a time, handing each on, sending its answer, and a
 * time-out on every state. Used by io/http_server.c only; handlers see struct http_exchange.
 *
 *	READING -> STORING -> READING                    what came of a body goes into its file
 *	READING -> HANDLING -> SENDING -> READING        the next request, perhaps read already
 *	                    -> STREAMING -> SENDING
 *	   any  -> LINGERING -> CLOSING                  the answer is out; the peer may leave
 */
#ifndef BELLHOP_IO_HTTP_CONNECTION_H
#define BELLHOP_IO_HTTP_CONNECTION_H

#include "io/http_server.h"
#include "io/stream.h"

enum connection_state {
	CONNECTION_READING,
	CONNECTION_STORING,
	CONNECTION_HANDLING,
	CONNECTION_SENDING,
	CONNECTION_STREAMING,
	CONNECTION_LINGERING,
	CONNECTION_CLOSING,
};

struct http_connection;

/* What the handler holds: one request of one connection. */
struct http_exchange {
	struct http_connection *connection;
	http_exchange_over_fn *over;
	void *over_data;
	bool is_held; /* by the handler: not answered yet, or streaming */
	bool is_streaming;
};

struct http_connection {
	struct http_server *server;
	struct http_connection *next;
	struct http_connection **previous; /* the link that points here */
	struct stream stream;
	uv_timer_t timer;
	enum connection_state state;
	struct http_peer peer;
	struct http_parser *parser;
	char *pending; /* read, and not yet parsed: pipelined requests */
	size_t pending_length;
	size_t pending_used;
	struct http_exchange exchange;
	struct http_body *body;	    /* the file that is being sent, or NULL: io/http_body.c */
	struct http_upload *upload; /* the file that is being received: io/http_upload.c */
	uint64_t body_max;	    /* of the request */
	unsigned writes;	    /* under way */
	uint64_t octets_given;	    /* to the peer, ever */
	uint64_t octets_before;	    /* of them before the answer */
	uint64_t octets_taken;	    /* of them acknowledged when the timer was set */
	size_t lingered;	    /* octets thrown away while LINGERING */
	const char *cut_reason;	    /* why it ends before its time; NULL: it could not be sent */
	bool closes_after;	    /* the answer is the last one */
	bool is_answered_whole;	    /* nothing of the answer is missing but what waits in writes */
	bool is_chunked;	    /* the stream is */
	bool has_ended;		    /* the peer will send no more */
	bool is_refused;	    /* a cap was reached: told 503, in nobody's way */
	bool is_head_timed;
	unsigned open_handles;
};

struct http_listener {
	struct http_server *server;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	enum stream_kind kind;
	struct tls *tls; /* NULL: none */
};

struct http_server {
	struct http_server_options options;
	struct http_server_counters counters;
	struct http_listener listeners[16];
	size_t listener_count;
	size_t open_listeners;
	struct http_connection *connections;
	size_t refused; /* of them, those that a cap refused */
	struct stream_scratch scratch;
	bool is_closing;
	void (*closed)(void *context);
	void *closed_context;
};

/* Accepts from the listener: 0, or a negative errno (counted; nothing is left open). */
int http_connection_accept(struct http_listener *listener);

/* Ends it now, whatever it is doing; _cut: for this reason, a constant text. */
void http_connection_close(struct http_connection *connection);
void http_connection_cut(struct http_connection *connection, const char *reason);

/* Frees it when it is closing and nothing of it is under way any more. */
void http_connection_free_if_over(struct http_connection *connection);

/* What its upload was writing is written, or the upload has an error. */
void http_connection_stored(struct http_connection *connection);

/* Sends copies of both; ends the connection when it cannot. */
void http_connection_send(struct http_connection *connection, struct span head, struct span body);

/* The head of an answer, and as much of its body as is at hand. */
void http_connection_send_head(struct http_connection *connection,
			       const struct http_response *response, enum http_framing framing,
			       uint64_t length, struct span body);

/* How an answer of this status tells its length. */
enum http_framing http_connection_framing(unsigned status);

/* The handler lets go. False when there is nobody left to answer. */
bool http_exchange_take_back(struct http_exchange *exchange);

/* RFC 9110 6.4.1, 9.3.2: answers that never have a body. */
bool http_exchange_is_bodiless(const struct http_exchange *exchange, unsigned status);

/* In io/http_server.c: the connection's memory is gone. */
void http_server_connection_gone(struct http_server *server);

#endif

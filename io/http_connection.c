/* SPDX-License-Identifier: MIT */
#include "io/http_connection.h"

#include "io/http_body.h"
#include "io/http_upload.h"
#include "io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	linger_timeout_ms = 2000,
	linger_octets_max = 256 * 1024,
	over_full_max = 64, /* connections that are told 503; more are just closed */
};

static void run_pending(struct http_connection *c);

/* Ends. */

void http_connection_free_if_over(struct http_connection *c)
{
	struct http_server *server = c->server;

	if (c->state != CONNECTION_CLOSING || c->open_handles > 0 || http_body_is_reading(c) ||
	    http_upload_is_writing(c) || c->exchange.is_held) {
		return;
	}
	http_body_drop(c);
	http_upload_drop(c);
	*c->previous = c->next;
	if (c->next) {
		c->next->previous = c->previous;
	}
	server->counters.open--;
	server->refused -= c->is_refused;
	http_parser_free(c->parser);
	free(c->pending);
	free(c);
	http_server_connection_gone(server);
}

static void handle_closed(struct http_connection *c)
{
	c->open_handles--;
	http_connection_free_if_over(c);
}

static void timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_closed(void *context)
{
	struct http_connection *c = context;

	c->peer.tls = NULL; /* it has gone with the stream */
	handle_closed(c);
}

static void tell_over(struct http_connection *c, bool is_whole)
{
	http_exchange_over_fn *over = c->exchange.over;

	c->exchange.over = NULL;
	if (over) {
		over(c->exchange.over_data, is_whole);
	}
}

static bool is_idle(const struct http_connection *c)
{
	return c->state == CONNECTION_READING && !http_parser_is_inside(c->parser);
}

void http_connection_close(struct http_connection *connection)
{
	if (connection->state == CONNECTION_CLOSING) {
		return;
	}
	if (is_idle(connection)) {
		/* Nothing is under way: a TLS peer is told that this is the end, and no cut. */
		(void)stream_shutdown(&connection->stream);
	}
	connection->state = CONNECTION_CLOSING;
	stream_close(&connection->stream);
	uv_close((uv_handle_t *)&connection->timer, timer_closed);
	http_body_drop(connection);
	tell_over(connection, false);
}

void http_connection_cut(struct http_connection *connection, const char *reason)
{
	if (!connection->cut_reason) {
		connection->cut_reason = reason;
	}
	http_connection_close(connection);
}

/* Time. */

static void on_timer(uv_timer_t *timer);

/* Octets that the peer has acknowledged: more than the kernel took says little of a slow reader. */
static uint64_t octets_taken(const struct http_connection *c)
{
	uint64_t waiting = stream_unacknowledged(&c->stream);

	return c->octets_given > waiting ? c->octets_given - waiting : 0;
}

static bool is_answering(const struct http_connection *c)
{
	return c->state == CONNECTION_SENDING || c->state == CONNECTION_STREAMING;
}

static void set_timer(struct http_connection *c, uint64_t wait_ms)
{
	c->octets_taken = octets_taken(c);
	uv_timer_start(&c->timer, on_timer, wait_ms, 0);
}

/* Sending. */

void http_connection_send(struct http_connection *c, struct span head, struct span body)
{
	if (stream_write(&c->stream, head, body) != 0) {
		http_connection_close(c);
		return;
	}
	c->writes++;
	c->octets_given += head.length + body.length;
	/* An answer's time runs from its first octet on, that of a stream from each piece. */
	if (c->state == CONNECTION_STREAMING ||
	    (c->state == CONNECTION_SENDING && !uv_is_active((uv_handle_t *)&c->timer))) {
		set_timer(c, c->server->options.send_timeout_ms);
	}
}

void http_connection_send_head(struct http_connection *c, const struct http_response *response,
			       enum http_framing framing, uint64_t length, struct span body)
{
	const struct http_request *request = http_parser_request(c->parser);
	struct http_body_facts facts = {framing, length};
	char head[http_response_head_max];
	struct writer w = writer_over(head, sizeof(head));

	c->closes_after = c->closes_after || !request->keeps_alive || response->must_close ||
			  c->server->is_closing ||
			  (framing == HTTP_FRAMING_CHUNKED && request->minor == 0);
	http_response_write_head(&w, response, &facts, request->minor, !c->closes_after,
				 loop_utc_ms());
	if (w.failed) {
		http_connection_close(c);
		return;
	}
	http_connection_send(c, writer_span(&w), body);
}

static void tell_refused(struct http_connection *c, unsigned status, const char *reason)
{
	if (c->server->options.refused) {
		c->server->options.refused(c->server->options.context, &c->peer, status, reason);
	}
}

/* An answer of the connection's own, to what never becomes an exchange; uniform, without a word. */
static void refuse(struct http_connection *c, unsigned status, const char *reason, bool must_close)
{
	struct http_response response = {.status = status, .must_close = must_close};
	char allow[96];
	struct writer w = writer_over(allow, sizeof(allow));

	if (status == 405) {
		for (enum http_method m = METHOD_GET; m <= METHOD_CONNECT; m++) {
			if (c->server->options.methods & 1U << m) {
				writer_text(&w, w.length > 0 ? ", " : "");
				writer_text(&w, http_method_name(m));
			}
		}
		response.allow = writer_span(&w);
	}
	tell_refused(c, status, reason);
	stream_read_stop(&c->stream);
	uv_timer_stop(&c->timer);
	c->state = CONNECTION_SENDING;
	c->is_answered_whole = true;
	http_connection_send_head(c, &response, HTTP_FRAMING_LENGTH, 0, span_make(NULL, 0));
}

static void read_on(struct http_connection *c)
{
	if (c->state != CONNECTION_CLOSING && stream_read_start(&c->stream) != 0) {
		http_connection_close(c);
	}
}

/*
 * Nothing more is answered. What the peer still sends is read and thrown away for a while: closing
 * over unread input resets the connection, and the answer may be lost with it (RFC 9112 9.6).
 */
static void linger(struct http_connection *c)
{
	c->state = CONNECTION_LINGERING;
	if (c->has_ended || stream_shutdown(&c->stream) != 0) {
		http_connection_close(c);
		return;
	}
	set_timer(c, linger_timeout_ms);
	read_on(c);
}

/* With what was read already, then with what comes. */
static void go_on(struct http_connection *c)
{
	run_pending(c);
	if (c->state == CONNECTION_READING) {
		if (c->has_ended) {
			http_connection_close(c);
			return;
		}
		read_on(c);
	}
}

/* The answer is out: on to the next request, or the end. */
static void finish_answer(struct http_connection *c)
{
	http_body_drop(c);
	http_upload_drop(c);
	tell_over(c, true);
	if (c->closes_after) {
		linger(c);
		return;
	}
	http_parser_next(c->parser);
	c->state = CONNECTION_READING;
	c->is_head_timed = false;
	set_timer(c, c->server->options.idle_timeout_ms);
	go_on(c);
}

static void on_written(void *context, int error)
{
	struct http_connection *c = context;

	c->writes--;
	if (error != 0) {
		http_connection_cut(c, "the client left");
	} else if (c->state == CONNECTION_SENDING && c->writes == 0) {
		if (c->is_answered_whole) {
			finish_answer(c);
		} else if (!http_body_is_reading(c)) {
			http_body_go_on(c);
		}
	} else if (c->state == CONNECTION_STREAMING && c->writes == 0) {
		uv_timer_stop(&c->timer);
	}
}

/* Reading. */

/* The handler may take the body into a file, or answer: then it is the end of the connection. */
static void offer_body(struct http_connection *c)
{
	stream_read_stop(&c->stream);
	uv_timer_stop(&c->timer);
	c->state = CONNECTION_HANDLING;
	c->is_answered_whole = false;
	c->closes_after = true;
	c->exchange = (struct http_exchange){.connection = c, .is_held = true};
	c->server->options.begin(c->server->options.context, &c->exchange);
	if (c->state == CONNECTION_HANDLING) {
		c->state = CONNECTION_READING;
		c->closes_after = false;
		read_on(c);
	}
	c->exchange.is_held = false;
}

static void begin_body(struct http_connection *c)
{
	const struct http_request *request = http_parser_request(c->parser);

	c->body_max = c->server->options.body_max;
	if (c->server->options.begin) {
		offer_body(c);
	}
	if (c->state != CONNECTION_READING) {
		return;
	}
	set_timer(c, c->server->options.body_timeout_ms);
	if (request->expects_continue && request->content_length <= c->body_max) {
		http_connection_send(c, SPAN("HTTP/1.1 100 Continue\r\n\r\n"), span_make(NULL, 0));
	}
}

static void take_head(struct http_connection *c)
{
	const struct http_request *request = http_parser_request(c->parser);
	bool has_body = request->is_chunked || request->content_length > 0;

	c->is_head_timed = true; /* its time is over, the body's begins */
	if (!(c->server->options.methods & 1U << request->method)) {
		refuse(c, 405, "method_not_served", has_body);
	} else if (has_body) {
		begin_body(c);
	}
}

static void take_request(struct http_connection *c)
{
	c->server->counters.requests++;
	stream_read_stop(&c->stream);
	uv_timer_stop(&c->timer);
	c->state = CONNECTION_HANDLING;
	c->is_answered_whole = false;
	c->octets_before = c->octets_given;
	c->exchange = (struct http_exchange){.connection = c, .is_held = true};
	c->server->options.handle(c->server->options.context, &c->exchange);
}

/* All that is at hand was read. */
static void await_more(struct http_connection *c)
{
	if (!http_upload_flush(c) && http_parser_is_inside(c->parser) && !c->is_head_timed) {
		c->is_head_timed = true;
		set_timer(c, c->server->options.head_timeout_ms);
	}
}

/* Parses until a request is handed on, a body is being stored, or the bytes are used up. */
static void run(struct http_connection *c, struct span *bytes)
{
	enum http_progress progress = HTTP_HEAD_DONE;

	while (c->state == CONNECTION_READING && progress != HTTP_NEEDS_MORE) {
		progress = http_parser_feed(c->parser, bytes);
		switch (progress) {
		case HTTP_HEAD_DONE:
			take_head(c);
			break;
		case HTTP_BODY_PIECE:
			http_upload_put(c, http_parser_piece(c->parser));
			break;
		case HTTP_REQUEST_DONE:
			/* The parser says so again when the last piece is stored. */
			if (!http_upload_flush(c)) {
				take_request(c);
			}
			break;
		case HTTP_REQUEST_BAD:
			c->server->counters.bad_requests++;
			refuse(c, http_parser_status(c->parser), http_parser_reason(c->parser),
			       true);
			break;
		case HTTP_NEEDS_MORE:
			await_more(c);
			break;
		}
	}
}

static void run_pending(struct http_connection *c)
{
	struct span bytes = span_make(c->pending, c->pending_length);

	bytes = span_slice(bytes, c->pending_used, bytes.length);
	run(c, &bytes);
	c->pending_used = c->pending_length - bytes.length;
	if (bytes.length == 0) {
		free(c->pending);
		c->pending = NULL;
		c->pending_length = 0;
		c->pending_used = 0;
	}
}

/* What follows the request that is being answered waits here; more waits in the kernel. */
static void keep_pending(struct http_connection *c, struct span bytes)
{
	if (bytes.length == 0 || c->state == CONNECTION_CLOSING || c->closes_after) {
		return;
	}
	c->pending = malloc(bytes.length);
	if (!c->pending) {
		http_connection_close(c);
		return;
	}
	memcpy(c->pending, bytes.data, bytes.length);
	c->pending_length = bytes.length;
	c->pending_used = 0;
}

void http_connection_stored(struct http_connection *c)
{
	struct span nothing = {NULL, 0};

	if (c->state == CONNECTION_CLOSING) {
		http_connection_free_if_over(c);
		return;
	}
	c->state = CONNECTION_READING;
	if (http_upload_error(c) == 0) {
		go_on(c);
		return;
	}
	/* What is still to come of the body is not awaited. */
	c->closes_after = http_parser_feed(c->parser, &nothing) != HTTP_REQUEST_DONE;
	take_request(c);
}

static void on_read(void *context, struct span bytes)
{
	struct http_connection *c = context;

	if (c->state == CONNECTION_LINGERING) {
		c->lingered += bytes.length;
		if (c->lingered > linger_octets_max) {
			http_connection_close(c);
		}
	} else if (c->state == CONNECTION_READING) {
		run(c, &bytes);
		keep_pending(c, bytes);
	} else if (c->state == CONNECTION_STREAMING) {
		c->closes_after = true; /* what follows could be the rest of what is dropped here */
	}
}

static void tell_handshake(struct http_connection *c)
{
	if (c->server->options.handshake_over) {
		c->server->options.handshake_over(c->server->options.context, &c->peer);
	}
}

/* From here on the peer may ask. */
static void begin(struct http_connection *c)
{
	set_timer(c, c->server->options.idle_timeout_ms);
	read_on(c);
}

static void on_opened(void *context)
{
	tell_handshake(context);
	begin(context);
}

static void on_ended(void *context, int error)
{
	struct http_connection *c = context;

	c->has_ended = true;
	if (c->peer.tls && !c->peer.tls->is_open) {
		c->server->counters.timeouts += error == -ETIMEDOUT;
		tell_handshake(c);
	}
	/* A request cut short and one that never came are the same to us. */
	http_connection_cut(c, "the client left");
}

/* The peer takes the answer fast enough, or it is the disk that keeps it waiting. */
static bool is_taken_in_time(const struct http_connection *c)
{
	uint64_t least = c->state == CONNECTION_STREAMING ? 1 : c->server->options.send_octets_min;

	return http_body_is_reading(c) || octets_taken(c) >= c->octets_taken + least;
}

/* A body that goes into a file comes fast enough. */
static bool is_sent_in_time(struct http_connection *c)
{
	return (c->state == CONNECTION_READING || c->state == CONNECTION_STORING) && c->upload &&
	       http_upload_is_in_time(c);
}

static void on_timer(uv_timer_t *timer)
{
	struct http_connection *c = timer->data;

	if (is_answering(c) && is_taken_in_time(c)) {
		set_timer(c, c->server->options.send_timeout_ms);
		return;
	}
	if (is_idle(c) && is_taken_in_time(c)) {
		/* The last answer, of which the kernel had much left: who reads it is not idle. */
		set_timer(c, c->server->options.idle_timeout_ms);
		return;
	}
	if (is_sent_in_time(c)) {
		set_timer(c, c->server->options.body_timeout_ms);
		return;
	}
	if (c->state != CONNECTION_LINGERING) {
		c->server->counters.timeouts++;
	}
	if (c->state == CONNECTION_READING && http_parser_is_inside(c->parser)) {
		refuse(c, 408, "too_slow", true);
	} else {
		http_connection_cut(c, "the client takes it too slowly");
	}
}

/* Coming in. */

static void learn_peer(struct http_connection *c)
{
	struct ucred credentials;

	c->peer.tls = stream_tls(&c->stream);
	stream_endpoints(&c->stream, &c->peer.source, &c->peer.local);
	if (stream_credentials(&c->stream, &credentials)) {
		c->peer.has_credentials = true;
		c->peer.uid = credentials.uid;
		c->peer.gid = credentials.gid;
		c->peer.pid = credentials.pid;
	}
}

/* One household: an IPv4 address, or the 64 bits that an IPv6 host is free to vary within. */
static size_t count_from(const struct http_server *server, struct address source)
{
	unsigned bits = source.family == ADDRESS_IPV6 ? 64 : 32;
	size_t count = 0;

	for (const struct http_connection *c = server->connections; c; c = c->next) {
		count += !c->is_refused && address_in_prefix(c->peer.source.address, source, bits);
	}
	return count;
}

/* Which cap is reached, in one word, or NULL. */
static const char *full_reason(struct http_connection *c)
{
	struct http_server *server = c->server;

	/* Those that were refused, and linger, keep nobody else out. */
	if (server->counters.open - server->refused > server->options.connections_max) {
		server->counters.refused_full++;
		return "too_many_connections";
	}
	if (c->peer.source.address.family != ADDRESS_NONE &&
	    server->options.connections_per_source_max > 0 &&
	    count_from(server, c->peer.source.address) >
		    server->options.connections_per_source_max) {
		server->counters.refused_source++;
		return "too_many_from_source";
	}
	return NULL;
}

static void turn_away(struct http_connection *c, const char *reason)
{
	c->is_refused = true;
	if (++c->server->refused > over_full_max || c->peer.tls) {
		tell_refused(c, 0, reason);
		http_connection_close(c);
	} else {
		refuse(c, 503, reason, true);
	}
}

static struct http_connection *new_connection(struct http_server *server)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (!c || http_parser_new(&c->parser, server->options.body_max) != 0) {
		free(c);
		return NULL;
	}
	c->server = server;
	uv_timer_init(server->options.loop, &c->timer);
	c->timer.data = c;
	c->open_handles = 2; /* the stream, the timer */
	c->next = server->connections;
	c->previous = &server->connections;
	if (c->next) {
		c->next->previous = &c->next;
	}
	server->connections = c;
	server->counters.open++;
	server->counters.connections++;
	return c;
}

static int take_stream(struct http_connection *c, struct http_listener *listener)
{
	static const struct stream_handler handler = {on_opened, on_read, on_ended, on_written,
						      on_closed};
	struct stream_options options = {
		.loop = c->server->options.loop,
		.kind = listener->kind,
		.tls = listener->tls,
		.handshake_timeout_ms = c->server->options.handshake_timeout_ms,
		.scratch = &c->server->scratch,
		.handler = &handler,
		.context = c,
	};

	return stream_accept(&c->stream, &listener->uv.stream, &options);
}

int http_connection_accept(struct http_listener *listener)
{
	struct http_server *server = listener->server;
	struct http_connection *c = new_connection(server);
	const char *reason;
	int error;

	if (!c) {
		return -ENOMEM;
	}
	error = take_stream(c, listener);
	if (error != 0) {
		http_connection_close(c);
		return error;
	}
	learn_peer(c);
	reason = full_reason(c);
	if (reason) {
		turn_away(c, reason);
		return -EBUSY;
	}
	c->state = CONNECTION_READING;
	if (!c->peer.tls) {
		begin(c);
	}
	return 0;
}

/* Answers. */

uint64_t http_exchange_octets_sent(const struct http_exchange *exchange)
{
	return exchange->connection->octets_given - exchange->connection->octets_before;
}

const char *http_exchange_cut_reason(const struct http_exchange *exchange)
{
	const char *reason = exchange->connection->cut_reason;

	return reason ? reason : "it could not be sent";
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
	return http_parser_request(exchange->connection->parser);
}

const struct http_peer *http_exchange_peer(const struct http_exchange *exchange)
{
	return &exchange->connection->peer;
}

void *http_exchange_context(const struct http_exchange *exchange)
{
	return exchange->connection->server->options.context;
}

uv_loop_t *http_exchange_loop(const struct http_exchange *exchange)
{
	return exchange->connection->server->options.loop;
}

void http_exchange_on_over(struct http_exchange *exchange, http_exchange_over_fn *over, void *data)
{
	exchange->over = over;
	exchange->over_data = data;
}

bool http_exchange_take_back(struct http_exchange *exchange)
{
	struct http_connection *c = exchange->connection;

	exchange->is_held = false;
	if (c->state != CONNECTION_CLOSING) {
		return true;
	}
	tell_over(c, false);
	http_connection_free_if_over(c);
	return false;
}

bool http_exchange_is_bodiless(const struct http_exchange *exchange, unsigned status)
{
	return http_exchange_request(exchange)->method == METHOD_HEAD || status == 204 ||
	       status == 304;
}

enum http_framing http_connection_framing(unsigned status)
{
	return status == 204 || status == 304 ? HTTP_FRAMING_NONE : HTTP_FRAMING_LENGTH;
}

void http_exchange_answer(struct http_exchange *exchange, const struct http_response *response,
			  struct span body)
{
	struct http_connection *c = exchange->connection;
	struct span sent =
		http_exchange_is_bodiless(exchange, response->status) ? span_make(NULL, 0) : body;

	if (!http_exchange_take_back(exchange)) {
		return;
	}
	c->state = CONNECTION_SENDING;
	c->is_answered_whole = true;
	http_connection_send_head(c, response, http_connection_framing(response->status),
				  body.length, sent);
}

void http_exchange_stream_begin(struct http_exchange *exchange,
				const struct http_response *response)
{
	struct http_connection *c = exchange->connection;

	exchange->is_streaming = true;
	if (c->state == CONNECTION_CLOSING) {
		tell_over(c, false);
		return;
	}
	c->state = CONNECTION_STREAMING;
	c->is_chunked = http_exchange_request(exchange)->minor > 0;
	http_connection_send_head(c, response, HTTP_FRAMING_CHUNKED, 0, span_make(NULL, 0));
	read_on(c); /* to notice when the peer leaves */
}

int http_exchange_stream_write(struct http_exchange *exchange, struct span bytes)
{
	struct http_connection *c = exchange->connection;
	char head[24];
	int head_length;

	if (c->state != CONNECTION_STREAMING) {
		return -EPIPE;
	}
	if (bytes.length == 0 || http_exchange_request(exchange)->method == METHOD_HEAD) {
		return 0;
	}
	if (stream_queued(&c->stream) + bytes.length > c->server->options.stream_bytes_max) {
		http_connection_close(c);
		return -ENOBUFS;
	}
	if (!c->is_chunked) {
		http_connection_send(c, bytes, span_make(NULL, 0));
		return 0;
	}
	head_length = snprintf(head, sizeof(head), "%zx\r\n", bytes.length);
	http_connection_send(c, span_make(head, (size_t)head_length), bytes);
	if (c->state == CONNECTION_STREAMING) {
		http_connection_send(c, SPAN("\r\n"), span_make(NULL, 0));
	}
	return 0;
}

bool http_exchange_is_gone(const struct http_exchange *exchange)
{
	return exchange->connection->state == CONNECTION_CLOSING;
}

void http_exchange_stream_end(struct http_exchange *exchange)
{
	struct http_connection *c = exchange->connection;
	bool has_body = http_exchange_request(exchange)->method != METHOD_HEAD;

	if (!http_exchange_take_back(exchange)) {
		return;
	}
	stream_read_stop(&c->stream);
	c->state = CONNECTION_SENDING;
	c->is_answered_whole = true;
	if (c->is_chunked && has_body) {
		http_connection_send(c, SPAN("0\r\n\r\n"), span_make(NULL, 0));
	} else if (c->writes == 0) {
		finish_answer(c);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.0 and 1.1 requests (RFC 9110, RFC 9112): bytes go in as they arrive, one request at a time
 * comes out, as views into the parser's own buffer. llhttp in strict mode reads the fields of the
 * head; what it lets pass and a strict server must not (obs-fold, bare LF, other protocols, several
 * Hosts, empty names, doubtful framing) is refused here, and the body is read here.
 *
 * A parser serves one connection, for phones' doors and for the admin socket alike. It is fed until
 * it wants more bytes; each request is announced twice, when its head is there and when it is
 * whole. Its body is kept until then, or handed out piece by piece between the two.
 */
#ifndef BELLHOP_CORE_HTTP_REQUEST_H
#define BELLHOP_CORE_HTTP_REQUEST_H

#include "core/base/span.h"

enum { http_head_bytes_max = 8192, http_headers_max = 64 };

/* Methods that we know of; any other token is answered 501 by the parser. */
enum http_method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_PATCH,
	METHOD_OPTIONS,
	METHOD_TRACE,
	METHOD_CONNECT,
};

struct http_header {
	struct span name;  /* as it came; compare without regard to case */
	struct span value; /* without blanks at both ends */
};

/* Views into the parser; valid until http_parser_next or http_parser_free. */
struct http_request {
	enum http_method method;
	unsigned minor;	    /* HTTP/1.minor: 0 or 1 */
	struct span target; /* as it came */
	struct span path;   /* of origin- and absolute-form; begins with '/', still percent-encoded;
			       "*" */
	struct span query;  /* after the '?', or empty */
	struct span host;   /* with port, of an absolute-form target or of Host; may be empty */
	struct http_header headers[http_headers_max];
	size_t header_count;
	uint64_t content_length; /* 0 without a body, and for chunked bodies */
	bool is_chunked;
	bool expects_continue; /* Expect: 100-continue, HTTP/1.1, and a body to come */
	bool keeps_alive;      /* the connection may serve another request */
	struct span body;      /* whole, at HTTP_REQUEST_DONE; empty when it was handed out */
};

enum http_progress {
	HTTP_NEEDS_MORE,
	HTTP_HEAD_DONE,
	HTTP_BODY_PIECE, /* of a body that is handed out */
	HTTP_REQUEST_DONE,
	HTTP_REQUEST_BAD,
};

struct http_parser;

/*
 * 0 and `*parser`, or -ENOMEM. Requests with a body longer than `body_max` end with 413, unless it
 * is handed out.
 */
int http_parser_new(struct http_parser **parser, size_t body_max);
void http_parser_free(struct http_parser *parser);

/*
 * Reads from the front of `*bytes`, which is shortened by what was taken, up to the next event.
 * HTTP_HEAD_DONE comes once for every request, HTTP_REQUEST_DONE after it, also when there is no
 * body (feed an empty span then). After HTTP_REQUEST_BAD nothing more is read.
 */
enum http_progress http_parser_feed(struct http_parser *parser, struct span *bytes);

/*
 * At HTTP_HEAD_DONE: the body of this request is not kept, but handed out as it comes, and may have
 * `body_max` octets. Its pieces are never empty, and have come before HTTP_REQUEST_DONE does.
 */
void http_parser_hand_out_body(struct http_parser *parser, uint64_t body_max);

/* At HTTP_BODY_PIECE: octets of the body, a view into the bytes that were fed. */
struct span http_parser_piece(const struct http_parser *parser);

/* Whether a request has begun that is not done: its first octet, blank lines before it apart, came.
 */
bool http_parser_is_inside(const struct http_parser *parser);

/* The request: its head from HTTP_HEAD_DONE on, all of it at HTTP_REQUEST_DONE. */
const struct http_request *http_parser_request(const struct http_parser *parser);

/* After HTTP_REQUEST_BAD: 400, 413, 414, 417, 431, 501 or 505, and one constant word why. */
unsigned http_parser_status(const struct http_parser *parser);
const char *http_parser_reason(const struct http_parser *parser);

/* Forgets the request and makes ready for the one that follows on the connection. */
void http_parser_next(struct http_parser *parser);

/* The first field with this name, or NULL. */
const struct http_header *http_request_header(const struct http_request *request, struct span name);

/* How many fields have this name. */
size_t http_request_header_count(const struct http_request *request, struct span name);

const char *http_method_name(enum http_method method);

#endif

/* SPDX-License-Identifier: MIT */
#include "core/http/request.h"

#include "core/http/chunked.h"
#include "core/http/request_check.h"

#include <errno.h>
#include <llhttp.h>
#include <stdlib.h>

/* Blank lines that may stand before a request, in octets (R-HTTP-25 asks for one of them). */
enum { blank_octets_max = 8 };

enum state { STATE_HEAD, STATE_HEAD_TOLD, STATE_BODY, STATE_DONE, STATE_BAD };

struct http_parser {
	llhttp_t llhttp;
	enum state state;
	struct http_fault fault;
	struct http_request request;
	char head[http_head_bytes_max];
	size_t head_length;
	size_t line_start; /* in head, of the line being read */
	size_t blank_octets;
	char *body;
	size_t body_size;     /* bytes of `body` */
	uint64_t body_length; /* octets that have come */
	uint64_t body_max;    /* that may come with this request */
	size_t kept_body_max; /* the same of bodies that are kept */
	bool hands_out_body;
	struct span piece; /* the last one that was handed out */
	struct http_chunked chunked;
	bool head_is_parsed;
};

static int on_header_field(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *p = llhttp->data;
	struct http_request *request = &p->request;

	if (request->header_count == http_headers_max) {
		p->fault = (struct http_fault){431, "headers"};
		return -1;
	}
	request->headers[request->header_count++] =
		(struct http_header){.name = span_make(at, length)};
	return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *p = llhttp->data;
	struct span *value;

	if (p->request.header_count == 0) {
		return 0;
	}
	value = &p->request.headers[p->request.header_count - 1].value;
	if (!value->data) {
		value->data = at;
	}
	value->length = (size_t)(at + length - value->data);
	return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
	struct http_parser *p = llhttp->data;

	p->head_is_parsed = true;
	llhttp->upgrade = 0; /* RFC 9110 7.8: Upgrade may be ignored; what follows is still HTTP */
	return 0;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
};

int http_parser_new(struct http_parser **parser, size_t body_max)
{
	struct http_parser *p = calloc(1, sizeof(*p));

	if (!p) {
		return -ENOMEM;
	}
	p->kept_body_max = body_max;
	http_parser_next(p);
	*parser = p;
	return 0;
}

void http_parser_free(struct http_parser *parser)
{
	if (parser) {
		free(parser->body);
		free(parser);
	}
}

void http_parser_next(struct http_parser *parser)
{
	llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
	parser->llhttp.data = parser;
	parser->state = STATE_HEAD;
	parser->fault = (struct http_fault){0, NULL};
	parser->request = (struct http_request){.header_count = 0};
	parser->head_length = 0;
	parser->line_start = 0;
	parser->blank_octets = 0;
	parser->body_length = 0;
	parser->body_max = parser->kept_body_max;
	parser->hands_out_body = false;
	parser->piece = span_make(NULL, 0);
	parser->head_is_parsed = false;
	/* A long body is rare: its room is not kept for the life of the connection. */
	free(parser->body);
	parser->body = NULL;
	parser->body_size = 0;
}

static enum http_progress refuse(struct http_parser *p, unsigned status, const char *reason)
{
	p->fault = (struct http_fault){status, reason};
	p->state = STATE_BAD;
	return HTTP_REQUEST_BAD;
}

/* The whole head lies in one piece, so that every view llhttp gives points into it. */
static enum http_progress parse_head(struct http_parser *p)
{
	enum llhttp_errno error = llhttp_execute(&p->llhttp, p->head, p->head_length);

	if (p->fault.status != 0) {
		return refuse(p, p->fault.status, p->fault.reason);
	}
	if (error == HPE_INVALID_TRANSFER_ENCODING) {
		return refuse(p, 501, "transfer_coding");
	}
	if (error != HPE_OK || !p->head_is_parsed) {
		return refuse(p, 400, "syntax");
	}
	/* llhttp takes the blanks before a value off, not those after it (RFC 9110 5.5). */
	for (size_t i = 0; i < p->request.header_count; i++) {
		p->request.headers[i].value = span_trim(p->request.headers[i].value);
	}
	p->fault = http_check_head(&p->request);
	if (p->fault.status != 0) {
		return refuse(p, p->fault.status, p->fault.reason);
	}
	p->state = STATE_HEAD_TOLD;
	return HTTP_HEAD_DONE;
}

static enum http_progress end_line(struct http_parser *p, bool *is_last)
{
	struct span line = span_make(p->head + p->line_start, p->head_length - p->line_start - 2);

	*is_last = span_is_empty(line);
	if (p->line_start == 0) {
		p->fault = http_check_line(line, &p->request);
		if (p->fault.status != 0) {
			return refuse(p, p->fault.status, p->fault.reason);
		}
	}
	p->line_start = p->head_length;
	return HTTP_NEEDS_MORE;
}

/* Octets that may stand nowhere in a head, and line ends that are not CRLF (RFC 9112 2.2, 5.2). */
static const char *octet_fault(const struct http_parser *p, char c)
{
	bool is_line_start = p->head_length == p->line_start;
	bool follows_cr = p->head_length > 0 && p->head[p->head_length - 1] == '\r';

	if ((c == '\n') != follows_cr) {
		return "line_end";
	}
	if (((unsigned char)c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f) {
		return "control";
	}
	if (is_line_start && p->head_length > 0 && (c == ' ' || c == '\t')) {
		return "obs_fold"; /* R-HTTP-24 */
	}
	return NULL;
}

static enum http_progress feed_head(struct http_parser *p, struct span *bytes)
{
	size_t taken = 0;
	enum http_progress progress = HTTP_NEEDS_MORE;

	while (taken < bytes->length && progress == HTTP_NEEDS_MORE) {
		char c = bytes->data[taken++];
		bool is_last = false;
		const char *wrong;

		if (p->head_length == 0 && (c == '\r' || c == '\n')) {
			if (++p->blank_octets > blank_octets_max) {
				progress = refuse(p, 400, "blank_lines");
			}
			continue;
		}
		wrong = octet_fault(p, c);
		if (wrong) {
			progress = refuse(p, 400, wrong);
			break;
		}
		if (p->head_length == sizeof(p->head)) {
			progress = p->line_start == 0 ? refuse(p, 414, "target_length")
						      : refuse(p, 431, "head_length");
			break;
		}
		p->head[p->head_length++] = c;
		if (c == '\n') {
			progress = end_line(p, &is_last);
			if (is_last && progress == HTTP_NEEDS_MORE) {
				progress = parse_head(p);
			}
		}
	}
	*bytes = span_slice(*bytes, taken, bytes->length);
	return progress;
}

/* Chunks of one octet cost five; extensions and trailers must end some time too. */
static uint64_t overhead_max(const struct http_parser *p)
{
	return 8 * p->body_max + http_head_bytes_max;
}

static enum http_progress begin_body(struct http_parser *p)
{
	if (p->request.content_length > p->body_max) {
		return refuse(p, 413, "body");
	}
	if (!p->request.is_chunked && p->request.content_length == 0) {
		p->state = STATE_DONE;
		return HTTP_REQUEST_DONE;
	}
	http_chunked_init(&p->chunked, p->body_max, overhead_max(p));
	p->state = STATE_BODY;
	return HTTP_NEEDS_MORE;
}

/* What comes is at most body_max in all: the callers have seen to it. False without memory. */
static bool keep_data(struct http_parser *p, struct span data)
{
	size_t length = (size_t)p->body_length;

	if (data.length > p->body_size - length) {
		size_t size = p->body_size * 2 > 4096 ? p->body_size * 2 : 4096;
		char *body;

		size = size < length + data.length ? length + data.length : size;
		size = size > p->kept_body_max ? p->kept_body_max : size;
		body = realloc(p->body, size);
		if (!body) {
			return false;
		}
		p->body = body;
		p->body_size = size;
	}
	memcpy(p->body + length, data.data, data.length);
	return true;
}

/* HTTP_NEEDS_MORE when it was kept, and nothing is to be told. */
static enum http_progress take_data(struct http_parser *p, struct span data)
{
	if (!p->hands_out_body && !keep_data(p, data)) {
		return refuse(p, 413, "memory");
	}
	p->body_length += data.length;
	if (p->hands_out_body) {
		p->piece = data;
		return HTTP_BODY_PIECE;
	}
	return HTTP_NEEDS_MORE;
}

static enum http_progress end_body(struct http_parser *p)
{
	if (!p->hands_out_body) {
		p->request.body = span_make(p->body, (size_t)p->body_length);
	}
	p->state = STATE_DONE;
	return HTTP_REQUEST_DONE;
}

static enum http_progress feed_chunks(struct http_parser *p, struct span *bytes)
{
	enum http_chunked_progress progress = HTTP_CHUNKED_DATA;

	while (progress == HTTP_CHUNKED_DATA) {
		struct span data = {NULL, 0};
		enum http_progress taken = HTTP_NEEDS_MORE;

		progress = http_chunked_read(&p->chunked, bytes, &data);
		if (data.length > 0) {
			taken = take_data(p, data);
		}
		if (taken != HTTP_NEEDS_MORE) {
			return taken;
		}
	}
	switch (progress) {
	case HTTP_CHUNKED_DONE:
		return end_body(p);
	case HTTP_CHUNKED_BAD:
		return refuse(p, 400, "chunk");
	case HTTP_CHUNKED_TOO_LONG:
		return refuse(p, 413, "body");
	case HTTP_CHUNKED_NEEDS_MORE:
	case HTTP_CHUNKED_DATA:
		break;
	}
	return HTTP_NEEDS_MORE;
}

static enum http_progress feed_body(struct http_parser *p, struct span *bytes)
{
	uint64_t left = p->request.content_length - p->body_length;
	enum http_progress taken = HTTP_NEEDS_MORE;
	struct span data;

	if (p->request.is_chunked) {
		return feed_chunks(p, bytes);
	}
	data = span_slice(*bytes, 0, left < SIZE_MAX ? (size_t)left : SIZE_MAX);
	*bytes = span_slice(*bytes, data.length, bytes->length);
	if (data.length > 0) {
		taken = take_data(p, data);
	}
	if (taken != HTTP_NEEDS_MORE) {
		return taken;
	}
	return p->body_length == p->request.content_length ? end_body(p) : HTTP_NEEDS_MORE;
}

enum http_progress http_parser_feed(struct http_parser *parser, struct span *bytes)
{
	enum http_progress progress;

	switch (parser->state) {
	case STATE_HEAD:
		return feed_head(parser, bytes);
	case STATE_HEAD_TOLD:
		progress = begin_body(parser);
		return progress == HTTP_NEEDS_MORE ? feed_body(parser, bytes) : progress;
	case STATE_BODY:
		return feed_body(parser, bytes);
	case STATE_DONE:
		return HTTP_REQUEST_DONE;
	case STATE_BAD:
		break;
	}
	return HTTP_REQUEST_BAD;
}

void http_parser_hand_out_body(struct http_parser *parser, uint64_t body_max)
{
	parser->hands_out_body = true;
	parser->body_max = body_max;
}

struct span http_parser_piece(const struct http_parser *parser)
{
	return parser->piece;
}

bool http_parser_is_inside(const struct http_parser *parser)
{
	return parser->head_length > 0;
}

const struct http_request *http_parser_request(const struct http_parser *parser)
{
	return &parser->request;
}

unsigned http_parser_status(const struct http_parser *parser)
{
	return parser->fault.status;
}

const char *http_parser_reason(const struct http_parser *parser)
{
	return parser->fault.reason;
}

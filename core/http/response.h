/* SPDX-License-Identifier: MIT */
/*
 * Response heads (RFC 9110 6, 8.8, 15; RFC 9112 4). What a head says is given as values; how it is
 * spelt is decided here, in one place, for the phones' doors and for the admin API.
 */
#ifndef BELLHOP_CORE_HTTP_RESPONSE_H
#define BELLHOP_CORE_HTTP_RESPONSE_H

#include "core/base/writer.h"
#include "core/http/request.h"

enum { http_response_head_max = 2048, http_response_headers_max = 8 };

struct http_response {
	unsigned status;
	struct span content_type; /* empty: none is sent */
	struct span etag;	  /* with its quotes; empty: none */
	uint64_t modified_utc_ms; /* 0: no Last-Modified; a later one than now is sent as now */
	struct span allow;	  /* 405 */
	struct http_header
		headers[http_response_headers_max]; /* further ones, written as they are */
	size_t header_count;
	bool must_close; /* close after it, whatever the request asks */
};

/* How the length of the body is told. */
enum http_framing {
	HTTP_FRAMING_LENGTH,  /* Content-Length */
	HTTP_FRAMING_CHUNKED, /* chunked; to HTTP/1.0: until close */
	HTTP_FRAMING_NONE,    /* no body and none told: 1xx, 204, 304 */
};

struct http_body_facts {
	enum http_framing framing;
	uint64_t content_length; /* HTTP_FRAMING_LENGTH */
};

/*
 * Writes status line and fields. `minor` is the request's: to HTTP/1.0 keep-alive is told, chunked
 * is not used. The writer fails when it has no room, or when a value holds a control octet.
 */
void http_response_write_head(struct writer *w, const struct http_response *response,
			      const struct http_body_facts *body, unsigned minor, bool keeps_alive,
			      uint64_t now_utc_ms);

/* "Not Found"; the class's name for a status that is not in the registry. */
const char *http_status_text(unsigned status);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The answer to a GET or HEAD of some content: what conditions and ranges make of it (RFC 9110 13,
 * 14), the fields that say so (RFC 9110 15.3.7, 15.4.5, 15.5.17), and the parts that are sent.
 */
#ifndef BELLHOP_CORE_HTTP_REPLY_H
#define BELLHOP_CORE_HTTP_REPLY_H

#include "core/base/random.h"
#include "core/http/conditional.h"
#include "core/http/parts.h"
#include "core/http/response.h"

struct http_content {
	struct http_validators validators;
	struct span content_type; /* empty: application/octet-stream */
	bool is_private;	  /* nobody but the client may keep it */
};

/* Its fields are views into itself and into the content: do not copy it. */
struct http_reply {
	struct http_response response;
	/*
	 * What of the content is the body: all of it, with a 200; the ranges, with a 206
	 * (http_parts says what stands around several); nothing with any other status.
	 */
	struct http_parts parts;
	char content_range[http_content_range_size];
	char parts_type[http_parts_type_size];
};

/*
 * Fills all of `*reply`: status 200, 206, 304, 412 or 416 and the fields that go with it. Every
 * answer has ETag and Cache-Control (R-HTTP-13), a 200 Accept-Ranges (R-HTTP-21), a 206 of one part
 * and a 416 Content-Range (R-HTTP-17, -18). Content-Type and Last-Modified stand where a body
 * would; after If-Range the client has had the latter. A boundary is drawn from `random`.
 */
void http_reply_make(struct http_reply *reply, const struct http_request *request,
		     const struct http_content *content, uint64_t now_utc_ms,
		     struct random *random);

/* The client has the end of the content when this is out: all of it, or the rest of it. */
bool http_reply_reaches_end(const struct http_reply *reply);

#endif

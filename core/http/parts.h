/* SPDX-License-Identifier: MIT */
/*
 * The body of a 200 or 206: which octets of a representation, and what stands around them when
 * there are several parts (multipart/byteranges, RFC 9110 14.6).
 */
#ifndef BELLHOP_CORE_HTTP_PARTS_H
#define BELLHOP_CORE_HTTP_PARTS_H

#include "core/http/range.h"

enum {
	http_boundary_size = 33,     /* with NUL; RFC 2046 5.1.1 allows 70 characters */
	http_part_type_size = 128,   /* with NUL; a longer Content-Type has no parts */
	http_part_head_max = 512,    /* octets of what stands around a part, at most */
	http_parts_type_size = 80,   /* with NUL */
	http_content_range_size = 72 /* with NUL */
};

struct http_parts {
	uint64_t size;			   /* of the whole representation */
	struct http_ranges ranges;	   /* none: no octets; one: plain; several: multipart */
	char boundary[http_boundary_size]; /* several: of token characters, hard to guess */
	char content_type[http_part_type_size]; /* several: of each */
};

/* The whole of `size` octets. */
struct http_parts http_parts_whole(uint64_t size);

bool http_parts_is_multipart(const struct http_parts *parts);

/* The octets of the body, with all that stands around the parts: its Content-Length. */
uint64_t http_parts_length(const struct http_parts *parts);

/* What stands before the octets of part `i`, and after those of the last; nothing when plain. */
void http_parts_write_head(struct writer *w, const struct http_parts *parts, size_t i);
void http_parts_write_end(struct writer *w, const struct http_parts *parts);

/* The response's Content-Type: multipart/byteranges with the boundary. */
void http_parts_write_type(struct writer *w, const struct http_parts *parts);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The chunked transfer coding (RFC 9112 7.1), read without any of the leniencies by which two
 * parsers come to see different ends: CRLF is the only end of a line, sizes are plain hexadecimal
 * digits, controls stand nowhere, trailers are fields. Extensions and trailers are read over and
 * dropped; both cost, and the cost is bounded.
 */
#ifndef BELLHOP_CORE_HTTP_CHUNKED_H
#define BELLHOP_CORE_HTTP_CHUNKED_H

#include "core/base/span.h"

enum http_chunked_state {
	CHUNKED_SIZE_FIRST,
	CHUNKED_SIZE,
	CHUNKED_SIZE_BLANK,
	CHUNKED_EXTENSION,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_LINE, /* a trailer or the end */
	CHUNKED_TRAILER_NAME,
	CHUNKED_TRAILER_VALUE,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
	CHUNKED_ENDED,
	CHUNKED_REFUSED,
};

struct http_chunked {
	enum http_chunked_state state;
	unsigned digits;
	uint64_t size;		/* of the chunk: octets that are still to come */
	uint64_t data_left;	/* octets of data that may come */
	uint64_t overhead_left; /* octets of everything else that may come */
};

enum http_chunked_progress {
	HTTP_CHUNKED_NEEDS_MORE, /* all octets were taken */
	HTTP_CHUNKED_DATA,	 /* some are data */
	HTTP_CHUNKED_DONE,	 /* the body has ended; what is left follows it */
	HTTP_CHUNKED_BAD,	 /* 400 */
	HTTP_CHUNKED_TOO_LONG,	 /* 413: told as soon as a chunk's size says so */
};

void http_chunked_init(struct http_chunked *chunked, uint64_t data_max, uint64_t overhead_max);

/*
 * Reads from the front of `*bytes`, which is shortened by what was taken, up to the next event.
 * With HTTP_CHUNKED_DATA `*data` is a view of data that was taken. After HTTP_CHUNKED_DONE nothing
 * more is taken; after BAD and TOO_LONG the answer stays BAD.
 */
enum http_chunked_progress http_chunked_read(struct http_chunked *chunked, struct span *bytes,
					     struct span *data);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Byte ranges (RFC 9110 14.1, 14.2): what a Range field asks for, of a representation of so many
 * octets.
 */
#ifndef BELLHOP_CORE_HTTP_RANGE_H
#define BELLHOP_CORE_HTTP_RANGE_H

#include "core/base/writer.h"

/* A field that lists more is ignored, as RFC 9110 14.2 advises (CVE-2011-3192). */
enum { http_ranges_max = 16 };

/* Inside the representation: `length` > 0, and first + length is at most its size. */
struct http_range {
	uint64_t first;
	uint64_t length; /* octets */
};

/* Ranges that neither overlap nor touch, in the order that they were asked for. */
struct http_ranges {
	struct http_range items[http_ranges_max];
	size_t count;
};

enum http_range_answer {
	HTTP_RANGE_IGNORED,	  /* as if there were no Range: everything is sent */
	HTTP_RANGE_PARTS,	  /* `ranges` is filled, with one at least: 206 */
	HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

/*
 * Reads the value of a Range field against a representation of `size` octets. Ignored are: a unit
 * other than bytes, in either case (R-HTTP-15); a value that breaks the grammar, and one whose last
 * position is before its first (R-HTTP-16); more than http_ranges_max ranges; a suffix of an empty
 * representation. Ranges that overlap or touch are joined where the first of them stood (R-HTTP-19,
 * RFC 9110 15.3.7.2). Numbers above 64 bits count as the greatest. `ranges` is written only for
 * HTTP_RANGE_PARTS.
 */
enum http_range_answer http_range_parse(struct span value, uint64_t size,
					struct http_ranges *ranges);

/* The octets of all ranges together. */
uint64_t http_ranges_octets(const struct http_ranges *ranges);

/* Content-Range of a part (`bytes 0-499/1000`), and of a 416 (RFC 9110 14.4). */
void http_range_write(struct writer *w, const struct http_range *range, uint64_t size);
void http_range_write_unsatisfied(struct writer *w, uint64_t size);

#endif

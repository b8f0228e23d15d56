/* SPDX-License-Identifier: MIT */
/*
 * A bounded cursor that text and octets are written through. When something does not fit, the
 * writer fails and stays failed: later calls write nothing, so a message is built without a test on
 * every line and asked once, at the end, whether it is whole. A failed writer never holds half of
 * the piece that did not fit.
 */
#ifndef BELLHOP_CORE_BASE_WRITER_H
#define BELLHOP_CORE_BASE_WRITER_H

#include "core/base/span.h"

struct writer {
	char *data;    /* the caller's buffer */
	size_t size;   /* its bytes */
	size_t length; /* bytes written */
	bool failed;   /* something did not fit; sticky */
};

/* A writer over `size` bytes that the caller owns and keeps alive. */
static inline struct writer writer_over(char *data, size_t size)
{
	return (struct writer){.data = data, .size = size};
}

/* What has been written; valid as long as the buffer. */
static inline struct span writer_span(const struct writer *w)
{
	return span_make(w->data, w->length);
}

/* Room for `count` bytes to be filled by the caller, or NULL (and failed). */
static inline char *writer_reserve(struct writer *w, size_t count)
{
	char *place;

	if (w->failed || count > w->size - w->length) {
		w->failed = true;
		return NULL;
	}
	place = w->data + w->length;
	w->length += count;
	return place;
}

/* Inline in earnest: most of what messages are made of is literals, whose copy is a move or two. */
static inline __attribute__((always_inline)) void writer_put(struct writer *w, struct span bytes)
{
	char *place = writer_reserve(w, bytes.length);

	if (place && bytes.length > 0) {
		memcpy(place, bytes.data, bytes.length);
	}
}

static inline void writer_text(struct writer *w, const char *text)
{
	writer_put(w, span_text(text));
}

static inline void writer_char(struct writer *w, char c)
{
	char *place = writer_reserve(w, 1);

	if (place) {
		*place = c;
	}
}

/* Decimal, without sign or leading zeros. */
void writer_unsigned(struct writer *w, uint64_t value);
void writer_signed(struct writer *w, int64_t value);

/* Decimal, filled with zeros on the left to at least `width` digits. */
void writer_padded(struct writer *w, uint64_t value, unsigned width);

/* Two hexadecimal digits an octet, lower case. */
void writer_hex(struct writer *w, const void *octets, size_t count);

/* Octets in network order. */
void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);

/*
 * Text for a log line or an error: printable ASCII and well-formed UTF-8 as they stand, everything
 * else (controls, quotes, back-slashes, broken UTF-8) as \n, \r, \t, \", \\ or \xHH. At most
 * `length_max` bytes of the source are shown, then "...". (Log injection: security.md B22.)
 */
void writer_escaped(struct writer *w, struct span bytes, size_t length_max);

/*
 * Text as a JSON string with its quotes (RFC 8259 7), whatever the bytes: controls as \u00HH, and
 * each octet that is no well-formed UTF-8 as U+FFFD.
 */
void writer_json(struct writer *w, struct span bytes);

/* Ends with a NUL that does not count in length, so that data can be used as a C string. */
void writer_terminate(struct writer *w);

#endif

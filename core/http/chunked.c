/* SPDX-License-Identifier: MIT */
#include "core/http/chunked.h"

#include "core/http/request_check.h"

enum { digits_max = 16 }; /* of 64 bits */

void http_chunked_init(struct http_chunked *chunked, uint64_t data_max, uint64_t overhead_max)
{
	*chunked = (struct http_chunked){.state = CHUNKED_SIZE_FIRST,
					 .data_left = data_max,
					 .overhead_left = overhead_max};
}

static enum http_chunked_state expect(char c, char expected, enum http_chunked_state next)
{
	return c == expected ? next : CHUNKED_REFUSED;
}

/* chunk-size, and what may follow it (RFC 9112 7.1, 7.1.1). */
static enum http_chunked_state read_size(struct http_chunked *chunked, char c)
{
	int digit = ascii_hex_value(c);

	if (digit >= 0 && chunked->state != CHUNKED_SIZE_BLANK) {
		chunked->size = chunked->size * 16 + (unsigned)digit;
		return ++chunked->digits > digits_max ? CHUNKED_REFUSED : CHUNKED_SIZE;
	}
	if (chunked->state == CHUNKED_SIZE_FIRST) {
		return CHUNKED_REFUSED;
	}
	if (c == ';') {
		return CHUNKED_EXTENSION;
	}
	if (c == ' ' || c == '\t') {
		return CHUNKED_SIZE_BLANK; /* BWS, that only an extension may follow */
	}
	return chunked->state == CHUNKED_SIZE ? expect(c, '\r', CHUNKED_SIZE_LF) : CHUNKED_REFUSED;
}

/* The rest of a line, of which nothing is wanted. */
static enum http_chunked_state skip(char c, enum http_chunked_state same,
				    enum http_chunked_state next)
{
	if (c == '\r') {
		return next;
	}
	return http_is_field_octet(c) ? same : CHUNKED_REFUSED;
}

static enum http_chunked_state read_octet(struct http_chunked *chunked, char c)
{
	switch (chunked->state) {
	case CHUNKED_SIZE_FIRST:
	case CHUNKED_SIZE:
	case CHUNKED_SIZE_BLANK:
		return read_size(chunked, c);
	case CHUNKED_EXTENSION:
		return skip(c, CHUNKED_EXTENSION, CHUNKED_SIZE_LF);
	case CHUNKED_SIZE_LF:
		return expect(c, '\n', chunked->size > 0 ? CHUNKED_DATA : CHUNKED_LINE);
	case CHUNKED_DATA_CR:
		return expect(c, '\r', CHUNKED_DATA_LF);
	case CHUNKED_DATA_LF:
		chunked->digits = 0;
		return expect(c, '\n', CHUNKED_SIZE_FIRST);
	case CHUNKED_LINE:
		return http_is_token_octet(c) ? CHUNKED_TRAILER_NAME
					      : expect(c, '\r', CHUNKED_END_LF);
	case CHUNKED_TRAILER_NAME:
		return http_is_token_octet(c) ? CHUNKED_TRAILER_NAME
					      : expect(c, ':', CHUNKED_TRAILER_VALUE);
	case CHUNKED_TRAILER_VALUE:
		return skip(c, CHUNKED_TRAILER_VALUE, CHUNKED_TRAILER_LF);
	case CHUNKED_TRAILER_LF:
		return expect(c, '\n', CHUNKED_LINE);
	case CHUNKED_END_LF:
		return expect(c, '\n', CHUNKED_ENDED);
	case CHUNKED_DATA:
	case CHUNKED_ENDED:
	case CHUNKED_REFUSED:
		break;
	}
	return CHUNKED_REFUSED;
}

static void take_data(struct http_chunked *chunked, struct span *bytes, struct span *data)
{
	*data = span_slice(*bytes, 0, chunked->size < SIZE_MAX ? (size_t)chunked->size : SIZE_MAX);
	*bytes = span_slice(*bytes, data->length, bytes->length);
	chunked->size -= data->length;
	chunked->data_left -= data->length;
	if (chunked->size == 0) {
		chunked->state = CHUNKED_DATA_CR;
	}
}

enum http_chunked_progress http_chunked_read(struct http_chunked *chunked, struct span *bytes,
					     struct span *data)
{
	while (bytes->length > 0 && chunked->state < CHUNKED_ENDED) {
		if (chunked->state == CHUNKED_DATA) {
			take_data(chunked, bytes, data);
			return HTTP_CHUNKED_DATA;
		}
		chunked->state = read_octet(chunked, bytes->data[0]);
		*bytes = span_slice(*bytes, 1, bytes->length);
		if (chunked->state != CHUNKED_REFUSED &&
		    ((chunked->state == CHUNKED_DATA && chunked->size > chunked->data_left) ||
		     chunked->overhead_left == 0)) {
			chunked->state = CHUNKED_REFUSED;
			return HTTP_CHUNKED_TOO_LONG;
		}
		chunked->overhead_left--;
	}
	if (chunked->state == CHUNKED_REFUSED) {
		return HTTP_CHUNKED_BAD;
	}
	return chunked->state == CHUNKED_ENDED ? HTTP_CHUNKED_DONE : HTTP_CHUNKED_NEEDS_MORE;
}

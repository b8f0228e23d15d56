/* SPDX-License-Identifier: MIT */
/* What ends a chunked body, and what is none. tests/io/test_http_framing.c has the long table. */
#include "core/base/writer.h"
#include "core/http/chunked.h"
#include "tests/guard.h"
#include "tests/test.h"

enum { data_max = 20, overhead_max = 60 };

/* The data, fed `step` octets at a time; `*end` is how the reading ended, `*rest` what follows. */
static struct span read_body(struct span text, size_t step, enum http_chunked_progress *end,
			     struct span *rest)
{
	static char data[data_max];
	struct writer w = writer_over(data, sizeof(data));
	struct http_chunked chunked;

	http_chunked_init(&chunked, data_max, overhead_max);
	*end = HTTP_CHUNKED_NEEDS_MORE;
	for (size_t at = 0; at < text.length;) {
		struct span piece = span_slice(text, at, at + step);
		size_t length = piece.length;

		do {
			struct span part = {NULL, 0};

			*end = http_chunked_read(&chunked, &piece, &part);
			writer_put(&w, part);
		} while (*end == HTTP_CHUNKED_DATA);
		at += length - piece.length;
		if (*end != HTTP_CHUNKED_NEEDS_MORE) {
			*rest = span_slice(text, at, text.length);
			break;
		}
	}
	CHECK(!w.failed);
	return writer_span(&w);
}

/* However it is cut. */
static void check(const char *text, enum http_chunked_progress expected, const char *data,
		  const char *follows)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		enum http_chunked_progress end;
		struct span rest = {NULL, 0};

		CHECK_TEXT(data, read_body(span_text(text), step, &end, &rest));
		CHECK_EQUAL(expected, end);
		if (expected == HTTP_CHUNKED_DONE) {
			CHECK_TEXT(follows, rest);
		}
	}
}

static void reads_chunks_to_their_end_and_no_further(void)
{
	check("0\r\n\r\nGET", HTTP_CHUNKED_DONE, "", "GET");
	check("5\r\nhello\r\n0\r\n\r\n0\r\n\r\n", HTTP_CHUNKED_DONE, "hello", "0\r\n\r\n");
	check("2\r\nhe\r\n3;a=b\r\nllo\r\n0;c\r\nX: y\r\n\r\nGET", HTTP_CHUNKED_DONE, "hello",
	      "GET");
	check("5\r\n0\r\n\r\n\r\n0\r\n\r\n", HTTP_CHUNKED_DONE, "0\r\n\r\n", "");
	check("5\r\nhel", HTTP_CHUNKED_NEEDS_MORE, "hel", "");
}

static void refuses_at_once_what_is_too_long(void)
{
	check("14\r\n01234567890123456789\r\n0\r\n\r\n", HTTP_CHUNKED_DONE, "01234567890123456789",
	      "");
	check("15\r\n", HTTP_CHUNKED_TOO_LONG, "", "");
	check("10\r\n0123456789abcdef\r\n5\r\n", HTTP_CHUNKED_TOO_LONG, "0123456789abcdef", "");
	check("ffffffffffffffff\r\n", HTTP_CHUNKED_TOO_LONG, "", "");
	check("10000000000000000\r\n", HTTP_CHUNKED_BAD, "", "");
	/* 60 octets around the data; then 62. */
	check("1;2345678901234567890123456789012345678901234567890\r\nx\r\n0\r\n\r\n",
	      HTTP_CHUNKED_DONE, "x", "");
	check("1;234567890123456789012345678901234567890123456789012\r\nx\r\n0\r\n\r\n",
	      HTTP_CHUNKED_TOO_LONG, "x", "");
}

static void stays_refused(void)
{
	struct span bytes = SPAN("x0\r\n\r\n");
	struct span data;
	struct http_chunked chunked;

	http_chunked_init(&chunked, data_max, overhead_max);
	CHECK_EQUAL(HTTP_CHUNKED_BAD, http_chunked_read(&chunked, &bytes, &data));
	CHECK_EQUAL(HTTP_CHUNKED_BAD, http_chunked_read(&chunked, &bytes, &data));
	CHECK_TEXT("0\r\n\r\n", bytes);
}

static void read_prefix(struct span input, void *context)
{
	enum http_chunked_progress end;
	struct span rest;

	(void)context;
	(void)read_body(input, SIZE_MAX / 2, &end, &rest);
}

static void reads_no_octet_too_many(void)
{
	guard_each_prefix(SPAN("5 ;a\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n"),
			  read_prefix, NULL);
}

int main(void)
{
	RUN(reads_chunks_to_their_end_and_no_further);
	RUN(refuses_at_once_what_is_too_long);
	RUN(stays_refused);
	RUN(reads_no_octet_too_many);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/http/parts.h"
#include "tests/test.h"

static struct span write_all(struct writer *w, const struct http_parts *parts, struct span content)
{
	for (size_t i = 0; i < parts->ranges.count; i++) {
		const struct http_range *range = &parts->ranges.items[i];

		http_parts_write_head(w, parts, i);
		writer_put(w, span_slice(content, range->first, range->first + range->length));
	}
	http_parts_write_end(w, parts);
	return writer_span(w);
}

static void one_part_is_plain(void)
{
	char text[64];
	struct writer w = writer_over(text, sizeof(text));
	struct http_parts parts = http_parts_whole(5);

	CHECK(!http_parts_is_multipart(&parts));
	CHECK_EQUAL(5, http_parts_length(&parts));
	CHECK_TEXT("hello", write_all(&w, &parts, SPAN("hello")));
	parts = http_parts_whole(0);
	CHECK_EQUAL(0, parts.ranges.count);
	CHECK_EQUAL(0, http_parts_length(&parts));
}

/* RFC 9110 14.6 and 15.3.7.2, octet by octet. */
static void r_http_17_several_parts_are_multipart_byteranges(void)
{
	char text[512];
	struct writer w = writer_over(text, sizeof(text));
	struct http_parts parts = {.size = 10,
				   .ranges = {{{7, 3}, {0, 2}}, 2},
				   .boundary = "B0undary",
				   .content_type = "text/plain"};
	struct span body = write_all(&w, &parts, SPAN("0123456789"));

	CHECK_TEXT("--B0undary\r\n"
		   "Content-Type: text/plain\r\n"
		   "Content-Range: bytes 7-9/10\r\n"
		   "\r\n"
		   "789\r\n"
		   "--B0undary\r\n"
		   "Content-Type: text/plain\r\n"
		   "Content-Range: bytes 0-1/10\r\n"
		   "\r\n"
		   "01\r\n"
		   "--B0undary--\r\n",
		   body);
	CHECK_EQUAL(body.length, http_parts_length(&parts));
	w = writer_over(text, sizeof(text));
	http_parts_write_type(&w, &parts);
	CHECK_TEXT("multipart/byteranges; boundary=B0undary", writer_span(&w));
}

/* The longest of everything fits its buffers. */
static void the_longest_part_has_room(void)
{
	struct http_parts parts = {.size = UINT64_MAX,
				   .ranges = {{{UINT64_MAX - 2, 1}, {UINT64_MAX - 1, 1}}, 2}};
	char head[http_part_head_max];
	char type[http_parts_type_size];
	struct writer w = writer_over(head, sizeof(head));

	memset(parts.boundary, 'b', sizeof(parts.boundary) - 1);
	memset(parts.content_type, 't', sizeof(parts.content_type) - 1);
	http_parts_write_head(&w, &parts, 1);
	CHECK(!w.failed);
	w = writer_over(type, sizeof(type));
	http_parts_write_type(&w, &parts);
	CHECK(!w.failed);
	w = writer_over(head, http_content_range_size);
	http_range_write(&w, &parts.ranges.items[1], parts.size);
	CHECK(!w.failed);
}

int main(void)
{
	RUN(one_part_is_plain);
	RUN(r_http_17_several_parts_are_multipart_byteranges);
	RUN(the_longest_part_has_room);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* The head of each answer to a GET of a file, whole, as it goes over the wire. */
#include "core/http/reply.h"
#include "tests/test.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const uint64_t modified_ms = UINT64_C(784111777) * 1000;
static const uint64_t now_ms = UINT64_C(784111800) * 1000;

#define DATE "Date: Sun, 06 Nov 1994 08:50:00 GMT\r\n"

static struct http_content content;
static struct http_reply reply; /* the last one */

static void prepare(void)
{
	content = (struct http_content){.validators = {SPAN("\"abc\""), modified_ms, 1000},
					.content_type = SPAN("text/plain")};
}

static struct span head(enum http_method method, struct http_header a, struct http_header b)
{
	static char text[http_response_head_max];
	struct writer w = writer_over(text, sizeof(text));
	struct http_request request = {.method = method, .minor = 1};
	struct http_body_facts facts = {HTTP_FRAMING_LENGTH, 0};
	struct random random;

	random_init_number(&random, 1);
	request.headers[0] = a;
	request.headers[1] = b;
	request.header_count = (size_t)(a.name.length > 0) + (b.name.length > 0);
	http_reply_make(&reply, &request, &content, now_ms, &random);
	facts.framing = reply.response.status == 304 ? HTTP_FRAMING_NONE : HTTP_FRAMING_LENGTH;
	facts.content_length = http_parts_length(&reply.parts);
	http_response_write_head(&w, &reply.response, &facts, 1, true, now_ms);
	CHECK(!w.failed);
	return writer_span(&w);
}

static const struct http_header none = {{NULL, 0}, {NULL, 0}};

static struct http_header field(const char *name, const char *value)
{
	return (struct http_header){span_text(name), span_text(value)};
}

static void r_http_5_21_a_200_has_validators_and_accept_ranges(void)
{
	prepare();
	CHECK_TEXT("HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
		   "ETag: \"abc\"\r\n"
		   "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		   "Cache-Control: no-cache\r\n"
		   "Accept-Ranges: bytes\r\n"
		   "Content-Length: 1000\r\n\r\n",
		   head(METHOD_GET, none, none));
	CHECK(http_reply_reaches_end(&reply));
	CHECK_EQUAL(1000, http_ranges_octets(&reply.parts.ranges));
}

/* R-HTTP-4, -14: the same fields, whatever range is asked for. */
static void r_http_4_head_has_the_fields_of_get(void)
{
	static char get[http_response_head_max];

	prepare();
	span_to_text(head(METHOD_GET, none, none), get, sizeof(get));
	CHECK_TEXT(get, head(METHOD_HEAD, none, none));
	CHECK_TEXT(get, head(METHOD_HEAD, field("Range", "bytes=0-9"), none));
}

static void r_http_13_304_has_the_fields_of_a_200_that_guide_a_cache(void)
{
	prepare();
	content.is_private = true;
	CHECK_TEXT("HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"abc\"\r\n"
		   "Cache-Control: private, no-store\r\n\r\n",
		   head(METHOD_GET, field("If-None-Match", "\"abc\""), none));
	CHECK_EQUAL(0, reply.parts.ranges.count);
	CHECK(!http_reply_reaches_end(&reply));
}

static void r_http_11_a_412_has_no_body(void)
{
	prepare();
	CHECK_TEXT("HTTP/1.1 412 Precondition Failed\r\n" DATE "ETag: \"abc\"\r\n"
		   "Cache-Control: no-cache\r\nContent-Length: 0\r\n\r\n",
		   head(METHOD_GET, field("If-Match", "\"x\""), field("Range", "bytes=0-9")));
	CHECK(!http_reply_reaches_end(&reply));
}

static void r_http_17_a_206_of_one_part_has_content_range(void)
{
	prepare();
	CHECK_TEXT("HTTP/1.1 206 Partial Content\r\n" DATE "Content-Type: text/plain\r\n"
		   "ETag: \"abc\"\r\n"
		   "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		   "Cache-Control: no-cache\r\n"
		   "Content-Range: bytes 0-9/1000\r\n"
		   "Content-Length: 10\r\n\r\n",
		   head(METHOD_GET, field("Range", "bytes=0-9"), none));
	CHECK(!http_reply_reaches_end(&reply));
	/* RFC 9110 15.3.7: what the client has from before is not said again. */
	CHECK_TEXT("HTTP/1.1 206 Partial Content\r\n" DATE "Content-Type: text/plain\r\n"
		   "ETag: \"abc\"\r\n"
		   "Cache-Control: no-cache\r\n"
		   "Content-Range: bytes 10-999/1000\r\n"
		   "Content-Length: 990\r\n\r\n",
		   head(METHOD_GET, field("Range", "bytes=10-"), field("If-Range", "\"abc\"")));
	CHECK(http_reply_reaches_end(&reply));
}

static void r_http_17_a_206_of_several_parts_is_multipart(void)
{
	struct span text;

	prepare();
	text = head(METHOD_GET, field("Range", "bytes=0-9,-10"), none);
	CHECK(span_starts_with(text, SPAN("HTTP/1.1 206 ")));
	CHECK(span_search(text, SPAN("\r\nContent-Type: multipart/byteranges; boundary=")) <
	      text.length);
	/* RFC 9110 15.3.7.2: Content-Range stands in the parts, and not here. */
	CHECK_EQUAL(text.length, span_search(text, SPAN("Content-Range")));
	CHECK_TEXT("text/plain", span_text(reply.parts.content_type));
	CHECK_EQUAL(http_boundary_size - 1, strlen(reply.parts.boundary));
	CHECK(http_reply_reaches_end(&reply));
	content.content_type = SPAN("");
	head(METHOD_GET, field("Range", "bytes=-10,0-9"), none);
	CHECK_TEXT("application/octet-stream", span_text(reply.parts.content_type));
	CHECK(!http_reply_reaches_end(&reply));
}

static void boundaries_differ(void)
{
	struct http_request request = {.method = METHOD_GET,
				       .headers = {{SPAN("Range"), SPAN("bytes=0-9,-10")}},
				       .header_count = 1};
	struct http_reply second;
	struct random random;

	prepare();
	random_init_number(&random, 1);
	http_reply_make(&reply, &request, &content, now_ms, &random);
	http_reply_make(&second, &request, &content, now_ms, &random);
	CHECK(strcmp(reply.parts.boundary, second.parts.boundary) != 0);
}

static void r_http_18_a_416_tells_the_size(void)
{
	prepare();
	CHECK_TEXT("HTTP/1.1 416 Range Not Satisfiable\r\n" DATE "ETag: \"abc\"\r\n"
		   "Cache-Control: no-cache\r\n"
		   "Content-Range: bytes */1000\r\n"
		   "Content-Length: 0\r\n\r\n",
		   head(METHOD_GET, field("Range", "bytes=1000-"), none));
	CHECK(!http_reply_reaches_end(&reply));
}

/* R-HTTP-19: the answer with parts is never longer than the one with everything. */
static void r_http_19_tiny_ranges_of_little_get_everything(void)
{
	uint64_t edge;

	prepare();
	head(METHOD_GET, field("Range", "bytes=0-0,-1"), none);
	edge = http_parts_length(&reply.parts);
	CHECK_EQUAL(206, reply.response.status);
	content.validators.size = edge - 2; /* it has one digit less, in two parts */
	head(METHOD_GET, field("Range", "bytes=0-0,-1"), none);
	CHECK_EQUAL(206, reply.response.status);
	CHECK_EQUAL(content.validators.size, http_parts_length(&reply.parts));
	content.validators.size--;
	head(METHOD_GET, field("Range", "bytes=0-0,-1"), none);
	CHECK_EQUAL(200, reply.response.status);
	CHECK_EQUAL(content.validators.size, http_parts_length(&reply.parts));
	/* One range costs nothing more. */
	head(METHOD_GET, field("Range", "bytes=0-0"), none);
	CHECK_EQUAL(206, reply.response.status);
}

static void a_type_too_long_for_parts_gets_everything(void)
{
	static char type[http_part_type_size + 1];

	prepare();
	memset(type, 't', sizeof(type) - 1);
	content.content_type = span_text(type);
	head(METHOD_GET, field("Range", "bytes=0-9,-10"), none);
	CHECK_EQUAL(200, reply.response.status);
	CHECK_EQUAL(1000, http_parts_length(&reply.parts));
	type[http_part_type_size - 1] = '\0';
	content.content_type = span_text(type);
	head(METHOD_GET, field("Range", "bytes=0-9,-10"), none);
	CHECK_EQUAL(206, reply.response.status);
}

int main(void)
{
	RUN(r_http_5_21_a_200_has_validators_and_accept_ranges);
	RUN(r_http_4_head_has_the_fields_of_get);
	RUN(r_http_13_304_has_the_fields_of_a_200_that_guide_a_cache);
	RUN(r_http_11_a_412_has_no_body);
	RUN(r_http_17_a_206_of_one_part_has_content_range);
	RUN(r_http_17_a_206_of_several_parts_is_multipart);
	RUN(boundaries_differ);
	RUN(r_http_18_a_416_tells_the_size);
	RUN(r_http_19_tiny_ranges_of_little_get_everything);
	RUN(a_type_too_long_for_parts_gets_everything);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/http/response.h"
#include "tests/test.h"

static const uint64_t now_ms = UINT64_C(784111777) * 1000;

static void writes_a_file_head(void)
{
	char text[http_response_head_max];
	struct writer w = writer_over(text, sizeof(text));
	struct http_response response = {.status = 200,
					 .content_type = SPAN("text/plain"),
					 .etag = SPAN("\"abc\""),
					 .modified_utc_ms = now_ms - 1000};
	struct http_body_facts body = {HTTP_FRAMING_LENGTH, 1000};

	http_response_write_head(&w, &response, &body, 1, true, now_ms);
	CHECK_TEXT("HTTP/1.1 200 OK\r\n"
		   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		   "Content-Type: text/plain\r\n"
		   "ETag: \"abc\"\r\n"
		   "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
		   "Content-Length: 1000\r\n"
		   "\r\n",
		   writer_span(&w));
}

static void r_http_6_last_modified_is_never_later_than_date(void)
{
	char text[http_response_head_max];
	struct writer w = writer_over(text, sizeof(text));
	struct http_response response = {.status = 304, .modified_utc_ms = now_ms + 5000};
	struct http_body_facts body = {HTTP_FRAMING_NONE, 0};

	http_response_write_head(&w, &response, &body, 0, true, now_ms);
	CHECK_TEXT("HTTP/1.1 304 Not Modified\r\n"
		   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		   "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		   "Connection: keep-alive\r\n"
		   "\r\n",
		   writer_span(&w));
}

static void tells_chunked_to_1_1_only(void)
{
	for (unsigned minor = 0; minor < 2; minor++) {
		char text[http_response_head_max];
		struct writer w = writer_over(text, sizeof(text));
		struct http_response response = {.status = 299, .allow = SPAN("GET")};
		struct http_body_facts body = {HTTP_FRAMING_CHUNKED, 0};

		http_response_write_head(&w, &response, &body, minor, false, now_ms);
		CHECK_TEXT(minor == 0 ? "HTTP/1.1 299 Success\r\n"
					"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
					"Allow: GET\r\nConnection: close\r\n\r\n"
				      : "HTTP/1.1 299 Success\r\n"
					"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
					"Allow: GET\r\nTransfer-Encoding: chunked\r\n"
					"Connection: close\r\n\r\n",
			   writer_span(&w));
	}
}

static void splits_no_response(void)
{
	char text[http_response_head_max];
	struct writer w = writer_over(text, sizeof(text));
	struct http_response response = {.status = 200, .content_type = SPAN("a\r\nSet: b")};
	struct http_body_facts body = {HTTP_FRAMING_LENGTH, 0};

	http_response_write_head(&w, &response, &body, 1, true, now_ms);
	CHECK(w.failed);
}

int main(void)
{
	RUN(writes_a_file_head);
	RUN(r_http_6_last_modified_is_never_later_than_date);
	RUN(tells_chunked_to_1_1_only);
	RUN(splits_no_response);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/http/request.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <dirent.h>

enum { body_max = 1000 };

/* What came of feeding: the status of the refusal, 0 for a whole request, -1 for too little. */
static int feed(struct http_parser *parser, struct span text, size_t step, struct span *rest)
{
	size_t at = 0;

	while (at < text.length) {
		struct span piece = span_slice(text, at, at + step);
		enum http_progress progress = HTTP_HEAD_DONE;

		at += piece.length;
		while (progress != HTTP_NEEDS_MORE) {
			progress = http_parser_feed(parser, &piece);
			if (progress == HTTP_REQUEST_BAD) {
				return (int)http_parser_status(parser);
			}
			if (progress == HTTP_REQUEST_DONE) {
				if (rest) {
					*rest = span_slice(text, at - piece.length, text.length);
				}
				return 0;
			}
		}
	}
	return -1;
}

/* The verdict on a text, the same for every way that it may be cut. */
static int verdict_span(struct span text)
{
	static const size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 7, 64};
	int first = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct http_parser *parser;
		int result;

		if (http_parser_new(&parser, body_max) != 0) {
			abort();
		}
		result = feed(parser, text, steps[i], NULL);
		http_parser_free(parser);
		if (i == 0) {
			first = result;
		} else if (result != first) {
			printf("# cut every %zu: %d, whole: %d\n", steps[i], result, first);
			test_print_span("text", text);
			return -2;
		}
	}
	return first;
}

static int verdict(const char *text)
{
	return verdict_span(span_text(text));
}

static void reads_a_request_of_a_phone(void)
{
	struct http_parser *parser;
	const struct http_request *r;
	struct span rest;
	struct span text =
		SPAN("GET /p/0123/00908F602AAC.cfg?x=1 HTTP/1.1\r\n"
		     "Host: 10.13.4.121:8080\r\n"
		     "Accept: */*\r\n"
		     "User-Agent:   AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC) \t\r\n"
		     "Empty:\r\n"
		     "Connection: close\r\n\r\nGET /next");

	REQUIRE(http_parser_new(&parser, body_max) == 0);
	CHECK_EQUAL(0, feed(parser, text, SIZE_MAX / 2, &rest));
	r = http_parser_request(parser);
	CHECK_EQUAL(METHOD_GET, r->method);
	CHECK_EQUAL(1, r->minor);
	CHECK_TEXT("/p/0123/00908F602AAC.cfg", r->path);
	CHECK_TEXT("x=1", r->query);
	CHECK_TEXT("10.13.4.121:8080", r->host);
	CHECK_EQUAL(5, r->header_count);
	CHECK_TEXT("AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)",
		   http_request_header(r, SPAN("user-agent"))->value);
	CHECK_TEXT("", http_request_header(r, SPAN("EMPTY"))->value);
	CHECK(!r->keeps_alive);
	CHECK_TEXT("GET /next", rest);
	http_parser_free(parser);
}

static void r_http_1_host(void)
{
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"));
	CHECK_EQUAL(0, verdict("GET / HTTP/1.0\r\n\r\n"));
	CHECK_EQUAL(0, verdict("GET / HTTP/1.1\r\nHost:\r\n\r\n"));
	CHECK_EQUAL(0, verdict("GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: [2001:db8::1\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"));
}

static void check_absolute(const char *line, const char *path, const char *host)
{
	char text[256];
	struct http_parser *parser;

	snprintf(text, sizeof(text), "%s\r\nHost: other\r\n\r\n", line);
	REQUIRE(http_parser_new(&parser, body_max) == 0);
	CHECK_EQUAL(0, feed(parser, span_text(text), SIZE_MAX / 2, NULL));
	CHECK_TEXT(path, http_parser_request(parser)->path);
	CHECK_TEXT(host, http_parser_request(parser)->host);
	http_parser_free(parser);
}

static void r_http_2_absolute_form(void)
{
	check_absolute("GET http://a:8080/x/y?q HTTP/1.1", "/x/y", "a:8080");
	check_absolute("GET HTTPS://a HTTP/1.1", "/", "a");
	check_absolute("GET http://a?q HTTP/1.1", "/", "a");
	CHECK_EQUAL(400, verdict("GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET * HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(0, verdict("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"));
}

static void r_http_3_methods(void)
{
	CHECK_EQUAL(501, verdict("FETCH / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(501, verdict("get / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(501, verdict("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(0, verdict("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n"));
}

static void refuses_other_protocols_and_versions(void)
{
	CHECK_EQUAL(400, verdict("SETUP rtsp://a/x RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
	CHECK_EQUAL(400, verdict("OPTIONS sip:a SIP/2.0\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET /x ICE/1.0\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET /x\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET /x HTTP/1.1 \r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET  /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET /x http/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(505, verdict("GET /x HTTP/2.0\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(505, verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	CHECK_EQUAL(505, verdict("GET /x HTTP/1.2\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("\x16\x03\x01\x02"));
}

static void r_http_22_framing(void)
{
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
				 "Content-Length: 5\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\n"
				 "Content-Length: 99999999999999999999\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
				 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
	CHECK_EQUAL(400, verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
	CHECK_EQUAL(501,
		    verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"));
	CHECK_EQUAL(501, verdict("POST / HTTP/1.1\r\nHost: a\r\n"
				 "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"));
	CHECK_EQUAL(413, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n."));
	CHECK_EQUAL(-1, verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcd"));
}

static void check_body(const char *text, const char *body)
{
	for (size_t step = 1; step < 200; step += 9) {
		struct http_parser *parser;

		REQUIRE(http_parser_new(&parser, body_max) == 0);
		CHECK_EQUAL(0, feed(parser, span_text(text), step, NULL));
		CHECK_TEXT(body, http_parser_request(parser)->body);
		http_parser_free(parser);
	}
}

static void reads_bodies(void)
{
	check_body("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "hello");
	check_body("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nTrailer: t\r\n\r\n",
		   "hello");
	CHECK_EQUAL(400, verdict("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				 "zz\r\n"));
}

static void bounds_chunked_bodies(void)
{
	static char text[16 * body_max];
	size_t length =
		(size_t)snprintf(text, sizeof(text),
				 "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
				 "\r\n");

	while (length + 8 < sizeof(text)) {
		memcpy(text + length, "1\r\nx\r\n", 6);
		length += 6;
	}
	CHECK_EQUAL(413, verdict_span(span_make(text, length)));
}

/* What was handed out of a body, and what came of its request: as feed(). */
struct handed_out {
	char octets[16 * body_max];
	size_t length;
	unsigned pieces;
	int result;
};

static void take_piece(struct handed_out *out, struct span piece, struct span fed)
{
	CHECK(piece.length > 0 && out->length + piece.length <= sizeof(out->octets));
	CHECK(piece.data >= fed.data && piece.data + piece.length <= fed.data + fed.length);
	memcpy(out->octets + out->length, piece.data, piece.length);
	out->length += piece.length;
	out->pieces++;
}

/* Feeds `text` cut every `step` octets; its body is handed out, up to `max`. */
static void hand_out(struct handed_out *out, struct http_parser *parser, struct span text,
		     size_t step, uint64_t max)
{
	enum http_progress progress = HTTP_NEEDS_MORE;

	*out = (struct handed_out){.result = -1};
	for (size_t at = 0; at < text.length && out->result == -1;) {
		struct span fed = span_slice(text, at, at + step);
		struct span rest = fed;

		at += fed.length;
		do {
			progress = http_parser_feed(parser, &rest);
			if (progress == HTTP_HEAD_DONE) {
				http_parser_hand_out_body(parser, max);
			} else if (progress == HTTP_BODY_PIECE) {
				take_piece(out, http_parser_piece(parser), fed);
			} else if (progress == HTTP_REQUEST_BAD) {
				out->result = (int)http_parser_status(parser);
			} else if (progress == HTTP_REQUEST_DONE) {
				out->result = 0;
				CHECK_EQUAL(text.length, at - rest.length);
			}
		} while (out->result == -1 && progress != HTTP_NEEDS_MORE);
	}
}

/* Whatever the cuts: the same body and the same verdict, and nothing of it in the request. */
static void check_handed_out(struct span text, uint64_t max, int result, struct span body)
{
	static struct handed_out out;

	for (size_t step = 1; step <= text.length; step++) {
		struct http_parser *parser;

		REQUIRE(http_parser_new(&parser, 3) == 0);
		hand_out(&out, parser, text, step, max);
		CHECK_EQUAL(result, out.result);
		CHECK(span_is_empty(http_parser_request(parser)->body));
		if (result == 0) {
			CHECK(span_equal(body, span_make(out.octets, out.length)));
		} else {
			CHECK(out.length <= max);
		}
		http_parser_free(parser);
	}
}

static void hands_bodies_out(void)
{
	struct span whole = SPAN("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
	struct span chunks = SPAN("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				  "2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nTrailer: t\r\n\r\n");
	struct span none = SPAN("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				"0\r\n\r\n");

	check_handed_out(whole, 5, 0, SPAN("hello"));
	check_handed_out(chunks, 5, 0, SPAN("hello"));
	check_handed_out(none, 0, 0, SPAN(""));
	/* R-HTTP-28: limits and faults are those of bodies that are kept. */
	check_handed_out(whole, 4, 413, SPAN(""));
	check_handed_out(chunks, 4, 413, SPAN(""));
	check_handed_out(span_slice(whole, 0, whole.length - 1), 5, -1, SPAN(""));
	check_handed_out(span_slice(chunks, 0, chunks.length - 1), 5, -1, SPAN(""));
	check_handed_out(SPAN("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			      "2\r\nhe\r\nzz"),
			 5, 400, SPAN(""));
}

/* What holds for one request does not for the next one. */
static void keeps_the_next_body_again(void)
{
	struct span whole = SPAN("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
	struct span rest = SPAN("PUT /y HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
				"PUT /z HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlong");
	static struct handed_out out;
	struct http_parser *parser;

	REQUIRE(http_parser_new(&parser, 3) == 0);
	hand_out(&out, parser, whole, whole.length, 5);
	CHECK_EQUAL(0, out.result);
	CHECK_EQUAL(1, out.pieces);
	http_parser_next(parser);
	CHECK_EQUAL(HTTP_HEAD_DONE, http_parser_feed(parser, &rest));
	CHECK_EQUAL(HTTP_REQUEST_DONE, http_parser_feed(parser, &rest));
	CHECK_TEXT("hi", http_parser_request(parser)->body);
	http_parser_next(parser);
	CHECK_EQUAL(HTTP_HEAD_DONE, http_parser_feed(parser, &rest));
	CHECK_EQUAL(HTTP_REQUEST_BAD, http_parser_feed(parser, &rest));
	CHECK_EQUAL(413, http_parser_status(parser));
	http_parser_free(parser);
}

static void r_http_23_24_25_blanks_and_line_ends(void)
{
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost : a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\nHost: a\n\n"));
	CHECK_EQUAL(400, verdict("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"));
	CHECK_EQUAL(400, verdict_span(SPAN("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n")));
	CHECK_EQUAL(0, verdict("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(0, verdict("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_EQUAL(400, verdict("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
}

static void r_http_28_limits(void)
{
	static char text[20000];
	char many[8000] = "GET / HTTP/1.1\r\nHost: a\r\n";

	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	CHECK_EQUAL(414, verdict_span(span_make(text, sizeof(text))));
	memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
	CHECK_EQUAL(431, verdict_span(span_make(text, sizeof(text))));
	for (int i = 0; i < http_headers_max - 1; i++) {
		strcat(many, "X: y\r\n");
	}
	strcat(many, "\r\n");
	CHECK_EQUAL(0, verdict(many));
	many[strlen(many) - 2] = '\0';
	strcat(many, "X: y\r\n\r\n");
	CHECK_EQUAL(431, verdict(many));
}

static void r_http_29_expect(void)
{
	struct http_parser *parser;
	struct span text = SPAN("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
				"Content-Length: 3\r\n\r\nabc");

	REQUIRE(http_parser_new(&parser, body_max) == 0);
	CHECK_EQUAL(HTTP_HEAD_DONE, http_parser_feed(parser, &text));
	CHECK(http_parser_request(parser)->expects_continue);
	http_parser_free(parser);
	CHECK_EQUAL(417, verdict("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"));
	CHECK_EQUAL(0, verdict("GET / HTTP/1.0\r\nExpect: x\r\n\r\n"));
	CHECK_EQUAL(0, verdict("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"));
}

static void r_http_26_27_pipelined_requests_follow_each_other(void)
{
	struct http_parser *parser;
	struct span rest = SPAN("GET /1 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: "
				"Upgrade\r\n\r\n"
				"PUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
				"GET /3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
				"GET /4 HTTP/1.0\r\n\r\n");
	static const char *const paths[] = {"/1", "/2", "/3", "/4"};
	static const bool keeps[] = {true, true, true, false};

	REQUIRE(http_parser_new(&parser, body_max) == 0);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQUAL(HTTP_HEAD_DONE, http_parser_feed(parser, &rest));
		CHECK_EQUAL(HTTP_REQUEST_DONE, http_parser_feed(parser, &rest));
		CHECK_TEXT(paths[i], http_parser_request(parser)->path);
		CHECK_EQUAL(keeps[i], http_parser_request(parser)->keeps_alive);
		http_parser_next(parser);
		CHECK(!http_parser_is_inside(parser));
	}
	CHECK_EQUAL(0, rest.length);
	http_parser_free(parser);
}

static void feed_prefix(struct span input, void *context)
{
	const bool *hands_out = context;
	struct http_parser *parser;
	struct span rest = input;

	if (http_parser_new(&parser, body_max) != 0) {
		abort();
	}
	while (rest.length > 0) {
		enum http_progress progress = http_parser_feed(parser, &rest);

		if (progress == HTTP_REQUEST_BAD) {
			break;
		}
		if (progress == HTTP_HEAD_DONE && *hands_out) {
			http_parser_hand_out_body(parser, body_max);
		}
		if (progress == HTTP_REQUEST_DONE) {
			http_parser_next(parser);
		}
	}
	http_parser_free(parser);
}

static void reads_no_octet_too_many(void)
{
	for (int i = 0; i < 2; i++) {
		bool hands_out = i == 1;

		guard_each_prefix(SPAN("POST http://a/%41?x HTTP/1.1\r\nHost: a\r\nX-Y: z\r\n"
				       "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
				       "GET / HTTP/1.1\r\nHost: b\r\n\r\n"),
				  feed_prefix, &hands_out);
	}
}

/* The status that a row of the corpus allows the parser to refuse with; 200s pass it. */
static bool corpus_allows(const char *answer, int status)
{
	char text[8];

	if (status == 0) {
		/* Refused by the door, not by the parser: paths, methods, conditions, ranges. */
		return strstr(answer, "20") || strstr(answer, "304") || strstr(answer, "404") ||
		       strstr(answer, "405") || strstr(answer, "416");
	}
	snprintf(text, sizeof(text), "%d", status);
	return strstr(answer, text) != NULL;
}

static void check_corpus_row(const char *folder, char *row)
{
	char *columns[8] = {row};
	char path[8192];
	static char data[100000];
	FILE *file;
	size_t length;
	int status;

	for (size_t i = 1; i < 8; i++) {
		columns[i] = strchr(columns[i - 1], '\t');
		if (!columns[i]) {
			return;
		}
		*columns[i]++ = '\0';
	}
	snprintf(path, sizeof(path), "%s/%s", folder, columns[0]);
	file = fopen(path, "rb");
	if (!file) {
		return;
	}
	length = fread(data, 1, sizeof(data), file);
	fclose(file);
	status = verdict_span(span_make(data, length));
	if (!corpus_allows(columns[6], status)) {
		test_is_failed = true;
		printf("# %s: %d, expected %s\n", columns[0], status, columns[6]);
	}
}

static void gives_the_answers_of_the_corpus(void)
{
	const char *corpus = getenv("BELLHOP_CORPUS");
	const char *source = getenv("BELLHOP_SOURCE");
	char folder[2048];
	char index[4096];
	char row[4096];
	FILE *file;

	if (corpus) {
		snprintf(folder, sizeof(folder), "%s/http-requests", corpus);
	} else {
		snprintf(folder, sizeof(folder), "%s/../shared/corpus/http-requests",
			 source ? source : ".");
	}
	snprintf(index, sizeof(index), "%s/index.tsv", folder);
	file = fopen(index, "r");
	if (!file) {
		test_skip("no corpus");
		return;
	}
	while (fgets(row, sizeof(row), file)) {
		if (strncmp(row, "file\t", 5) != 0) {
			check_corpus_row(folder, row);
		}
	}
	fclose(file);
}

int main(void)
{
	RUN(reads_a_request_of_a_phone);
	RUN(r_http_1_host);
	RUN(r_http_2_absolute_form);
	RUN(r_http_3_methods);
	RUN(refuses_other_protocols_and_versions);
	RUN(r_http_22_framing);
	RUN(reads_bodies);
	RUN(bounds_chunked_bodies);
	RUN(hands_bodies_out);
	RUN(keeps_the_next_body_again);
	RUN(r_http_23_24_25_blanks_and_line_ends);
	RUN(r_http_28_limits);
	RUN(r_http_29_expect);
	RUN(r_http_26_27_pipelined_requests_follow_each_other);
	RUN(reads_no_octet_too_many);
	RUN(gives_the_answers_of_the_corpus);
	return test_end();
}

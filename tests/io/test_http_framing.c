/* SPDX-License-Identifier: MIT */
/*
 * Where one request ends and the next begins, when somebody tries to make us and a proxy before us
 * see it in different places (RFC 9112 11.2). Every case is octets on a connection and all that the
 * server does with them: the answers in order ("200/a": the target that was served) and whether the
 * connection stays open. Nothing after a request that was refused for its framing is answered. Each
 * case is played in one piece, octet by octet, and cut in two at every place.
 */
#include "tests/io/http_house.h"

enum {
	body_max = 100,
	quiet_turns = 6, /* of the loop, with nothing new: it has done all that it will */
	outcome_size = 256,
};

struct framing_case {
	struct span octets;
	const char *outcome;
};

/* The octets, which may hold NUL, and the outcome. */
#define CASE(octets, outcome)                                                                      \
	{                                                                                          \
		{octets, sizeof(octets) - 1}, outcome                                              \
	}

#define HEAD	"GET /a HTTP/1.1\r\nHost: x\r\n"
#define NEXT	"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

/* Without waiting: on loopback what is sent is there. */
static void turn_until_quiet(struct client *client)
{
	for (unsigned quiet = 0; quiet < quiet_turns && !client->is_ended; quiet++) {
		size_t before = client->length;

		uv_run(&house.loop, UV_RUN_NOWAIT);
		hear(client);
		quiet = client->length > before ? 0 : quiet;
	}
}

/* Takes one answer off what was heard and adds it to the outcome; false when there is none. */
static bool take_answer(struct span *heard, struct writer *outcome, bool is_head)
{
	size_t end = span_search(*heard, SPAN("\r\n\r\n"));
	struct span head = span_slice(*heard, 0, end);
	size_t field = span_search(head, SPAN("\r\nContent-Length: "));
	struct span length_text = span_slice(head, field + 18, head.length);
	uint64_t length = 0;

	if (end == heard->length) {
		return false;
	}
	CHECK(span_starts_with(head, SPAN("HTTP/1.1 ")));
	writer_text(outcome, outcome->length > 0 ? " " : "");
	writer_put(outcome, span_slice(head, 9, 12));
	if (field < head.length && !is_head) {
		CHECK_EQUAL(0, span_to_unsigned(span_cut(&length_text, '\r'), 1000, &length));
	}
	writer_put(outcome, span_slice(*heard, end + 4, end + 4 + length));
	*heard = span_slice(*heard, end + 4 + length, heard->length);
	return true;
}

/* All answers; the first has no body when HEAD asked for it. */
static void take_answers(const struct client *client, struct writer *outcome, bool is_head)
{
	struct span heard = span_make(client->received, client->length);

	while (take_answer(&heard, outcome, is_head)) {
		is_head = false;
	}
	CHECK_EQUAL(0, heard.length);
}

static void send_octets(struct client *client, struct span octets)
{
	(void)send(client->fd, octets.data, octets.length, MSG_NOSIGNAL);
	turn_until_quiet(client);
}

/* Plays the octets in pieces that end at `cut`, and every `step` from there. */
static const char *play(struct span octets, size_t cut, size_t step)
{
	static struct client client;
	static char text[outcome_size];
	struct writer outcome = writer_over(text, sizeof(text) - 16);
	size_t answered;

	connect_from(&client, 1);
	for (size_t at = 0; at < octets.length && !client.is_ended;) {
		size_t end = at == 0 ? cut : at + step;

		send_octets(&client, span_slice(octets, at, end));
		at = end;
	}
	answered = client.length;
	if (!client.is_ended && answered > 0) {
		send_octets(&client, SPAN("GET /probe HTTP/1.1\r\nHost: x\r\n\r\n"));
	}
	take_answers(&client, &outcome, span_starts_with(octets, SPAN("HEAD ")));
	if (client.is_ended) {
		writer_text(&outcome, outcome.length > 0 ? " closed" : "closed");
	} else if (answered == 0) {
		writer_text(&outcome, "waits");
	}
	writer_terminate(&outcome);
	CHECK(!outcome.failed);
	hang_up(&client);
	for (unsigned i = 0; i < 4; i++) {
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	return text;
}

static void check_play(const struct framing_case *c, size_t cut, size_t step)
{
	char expected[outcome_size];
	const char *outcome = play(c->octets, cut, step);
	bool is_open = strstr(c->outcome, "closed") == NULL && strcmp(c->outcome, "waits") != 0;

	snprintf(expected, sizeof(expected), "%s%s", c->outcome, is_open ? " 200/probe" : "");
	if (strcmp(expected, outcome) != 0) {
		test_is_failed = true;
		printf("# cut at %zu, then every %zu: \"%s\", expected \"%s\"\n", cut, step,
		       outcome, expected);
		test_print_span("octets", span_slice(c->octets, 0, 400));
	}
}

static void check_case(const struct framing_case *c)
{
	size_t length = c->octets.length;
	size_t cut_step = length < 600 ? 1 : length / 64; /* long ones: not at every place */

	check_play(c, length, 1);
	if (test_is_failed) {
		return;
	}
	check_play(c, 1, 1);
	for (size_t cut = 1; cut < length && !test_is_failed; cut += cut_step) {
		check_play(c, cut, length);
	}
}

static void check_cases(const struct framing_case *cases, size_t count)
{
	bool is_failed = false;

	prepare();
	house.file_size = 0;
	house.options.body_max = body_max;
	open_server();
	for (size_t i = 0; i < count; i++) {
		test_is_failed = false;
		check_case(&cases[i]);
		is_failed = is_failed || test_is_failed;
	}
	test_is_failed = is_failed;
	close_house();
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void r_http_22_two_ways_to_tell_the_length(void)
{
	static const struct framing_case cases[] = {
		/* CL.TE and TE.CL: what a proxy took for a body is no request. */
		CASE(HEAD "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "0\r\n\r\n" NEXT,
		     "400 closed"),
		CASE(HEAD "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n"
			  "0\r\n\r\n" NEXT,
		     "400 closed"),
		CASE(HEAD "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" NEXT,
		     "400 closed"),
		/* TE.TE */
		CASE(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "0\r\n\r\n" NEXT,
		     "501 closed"),
		CASE(HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
			  "0\r\n\r\n" NEXT,
		     "501 closed"),
		CASE(HEAD "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "0\r\n\r\n" NEXT,
		     "501 closed"),
		CASE(HEAD "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" NEXT,
		     "501 closed"),
		CASE(HEAD "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" NEXT,
		     "501 closed"),
		CASE(HEAD "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: xchunked\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: chunkedx\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: gzip\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding:\r\n\r\n" NEXT, "501 closed"),
		CASE(HEAD "Transfer-Encoding: \x0b"
			  "chunked\r\n\r\n" NEXT,
		     "400 closed"),
		CASE(HEAD "Transfer-Encoding : chunked\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "Transfer-Encoding\t: chunked\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD " Transfer-Encoding: chunked\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X: y\n Transfer-Encoding: chunked\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X: y\rTransfer-Encoding: chunked\r\n\r\n" NEXT, "400 closed"),
		CASE("GET /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
		     "400 closed"),
		/* Neither case of letters nor blanks around the value are a difference. */
		CASE(HEAD "tRANSFER-eNCODING:\t ChUnKeD  \r\n\r\n0\r\n\r\n" NEXT, "200/a 200/b"),
		/* Another name altogether. */
		CASE(HEAD "Transfer_Encoding: chunked\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "Transfer-Encodin\xc4\xa1: chunked\r\n\r\n" NEXT, "400 closed"),
	};

	CHECK_CASES(cases);
}

static void r_http_22_content_length(void)
{
	static const struct framing_case cases[] = {
		CASE(HEAD "Content-Length: 3\r\n\r\nxyz" NEXT, "200/a 200/b"),
		CASE(HEAD "Content-Length: 0\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "Content-Length:\t 0003  \r\n\r\nxyz" NEXT, "200/a 200/b"),
		CASE(HEAD "Content-Length: 4\r\n\r\nxyz", "waits"),
		CASE(HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 0\r\ncontent-length: 3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3, 3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3,\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: +3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: -3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: -0\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3 0\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3\t0\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 0x3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3.0\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 3e0\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 1_0\r\n\r\n0123456789" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: \"3\"\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: three\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length:\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "Content-Length : 3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length\x0b: 3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: \xc2\xb3\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 100\r\n\r\n", "waits"),
		CASE(HEAD "Content-Length: 101\r\n\r\n", "413 closed"),
		CASE(HEAD "Content-Length: 9223372036854775807\r\n\r\n", "413 closed"),
		CASE(HEAD "Content-Length: 9223372036854775808\r\n\r\n", "400 closed"),
		CASE(HEAD "Content-Length: 18446744073709551616\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 18446744073709551619\r\n\r\nxyz" NEXT, "400 closed"),
		CASE(HEAD "Content-Length: 4294967299\r\n\r\nxyz" NEXT, "413 closed"),
	};

	CHECK_CASES(cases);
}

static void r_http_22_chunks(void)
{
	static const struct framing_case cases[] = {
		CASE(CHUNKED "0\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "3\r\nxyz\r\n0\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "00000003\r\nxyz\r\n000\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "3\r\nxy", "waits"),
		CASE(CHUNKED "0\r\n", "waits"),
		CASE(CHUNKED "\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED " 3\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3 \r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3 \t;a\r\nxyz\r\n0\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "+3\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "-3\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0x3\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3h\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "g\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3_0\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\0\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "65\r\n", "413 closed"),
		CASE(CHUNKED "7fffffffffffffff\r\n", "413 closed"),
		CASE(CHUNKED "ffffffffffffffff\r\nxyz", "413 closed"),
		CASE(CHUNKED "10000000000000003\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "100000003\r\nxyz\r\n0\r\n\r\n" NEXT, "413 closed"),
		/* Ends of lines: CRLF and nothing else. */
		CASE(CHUNKED "3\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\rxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz\r0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyzw\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz\r\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz\r\n0\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz\r\n0\r\n\n" NEXT, "400 closed"),
		CASE(CHUNKED "3\r\nxyz\r\n0\r\n\r" NEXT, "400 closed"),
		/* Extensions are passed over, but for what would end a line elsewhere. */
		CASE(CHUNKED "3;name=value\r\nxyz\r\n0;x\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "3;a=\"b;c\"\r\nxyz\r\n0\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "3;a\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3;a\rb\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3;a\0\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3;a\x7f\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "3;a=\"\n\"\r\nxyz\r\n0\r\n\r\n" NEXT, "400 closed"),
	};

	CHECK_CASES(cases);
}

static void r_http_22_trailers(void)
{
	static const struct framing_case cases[] = {
		CASE(CHUNKED "0\r\nX: y\r\nZ:\r\n\r\n" NEXT, "200/a 200/b"),
		/* They change nothing of what the head said. */
		CASE(CHUNKED "0\r\nContent-Length: 30\r\nHost: z\r\nConnection: close\r\n\r\n" NEXT,
		     "200/a 200/b"),
		CASE(CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(CHUNKED "0\r\nX: y\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\nX: y\rZ: w\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\nX: y\r\n\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\nX: y\r\n z\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\n X: y\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\nX : y\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\n: y\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\nX\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\nX: \0\r\n\r\n" NEXT, "400 closed"),
		CASE(CHUNKED "0\r\n" NEXT, "400 closed"),
	};

	CHECK_CASES(cases);
}

static void r_http_23_24_25_lines_and_fields(void)
{
	static const struct framing_case cases[] = {
		CASE("\r\n" HEAD "\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "\r\n\r\n" NEXT, "200/a 200/b"),
		CASE("\n" HEAD "\r\n" NEXT, "200/a 200/b"),
		CASE(" " HEAD "\r\n" NEXT, "400 closed"),
		CASE("\t" HEAD "\r\n" NEXT, "400 closed"),
		CASE("GET /a HTTP/1.1\nHost: x\n\n", "400 closed"),
		CASE("GET /a HTTP/1.1\nHost: x\r\n\r\n", "400 closed"),
		CASE("GET /a HTTP/1.1\r\nHost: x\n\r\n", "400 closed"),
		CASE("GET /a HTTP/1.1\r\nHost: x\r\n\n", "400 closed"),
		CASE("GET /a HTTP/1.1\rHost: x\r\r", "400 closed"),
		CASE("GET /a HTTP/1.1\r\r\nHost: x\r\n\r\n", "400 closed"),
		CASE("GET /a HTTP/1.1\r\nHost: x\r\r\n\r\n", "400 closed"),
		CASE("GET /a HTTP/1.1\n\rHost: x\r\n\r\n", "400 closed"),
		CASE(HEAD "X: a\r\n b\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X: a\r\n\tb\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X:\r\n b\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X: a\r\n \r\n\r\n" NEXT, "400 closed"),
		CASE("GET /a HTTP/1.1\r\n Host: x\r\n\r\n", "400 closed"),
		CASE(HEAD "X : a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X\t: a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD ": a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X Y: a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X(: a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X@: a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X[0]: a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "\"X\": a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "X\xe4: a\r\n\r\n" NEXT, "400 closed"),
		CASE(HEAD "!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "X:a\r\nX:\t a \t\r\nX:\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "X: \xe4\xff\x80\r\n\r\n" NEXT, "200/a 200/b"), /* obs-text */
		CASE(HEAD "X: a\tb\r\n\r\n" NEXT, "200/a 200/b"),
	};

	CHECK_CASES(cases);
}

static void controls_stand_nowhere_in_a_head(void)
{
	static const char head[] = "GET /a HTTP/1.1\r\nHost: x\r\nX: yz\r\n\r\n";
	static const char controls[] = {0x00, 0x01, 0x08, 0x0b, 0x0c, 0x0e, 0x1b, 0x1f, 0x7f};
	char text[sizeof(head)];
	struct framing_case one = {span_make(text, sizeof(text) - 1), "400 closed"};

	prepare();
	house.file_size = 0;
	open_server();
	for (size_t i = 0; i < sizeof(controls); i++) {
		for (size_t at = 0; at < sizeof(head) - 1; at++) {
			memcpy(text, head, sizeof(text));
			text[at] = controls[i];
			check_play(&one, one.octets.length, 1);
		}
	}
	close_house();
}

static void r_http_1_host(void)
{
#define HOST(value) "GET /a HTTP/1.1\r\nHost:" value "\r\n\r\n" NEXT
	static const struct framing_case cases[] = {
		CASE("GET /a HTTP/1.1\r\n\r\n" NEXT, "400 closed"),
		CASE("GET /a HTTP/1.0\r\n\r\n" NEXT, "200/a closed"),
		CASE("GET /a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n" NEXT, "400 closed"),
		CASE("GET /a HTTP/1.1\r\nHost: x\r\nhOST: y\r\n\r\n" NEXT, "400 closed"),
		CASE("GET /a HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n" NEXT, "400 closed"),
		CASE(HOST(""), "200/a 200/b"),
		CASE(HOST(" x:80"), "200/a 200/b"),
		CASE(HOST(" x:"), "200/a 200/b"),
		CASE(HOST(" 10.13.4.121:8080"), "200/a 200/b"),
		CASE(HOST(" [fe80::1]:8080"), "200/a 200/b"),
		CASE(HOST(" phone_house.example"), "200/a 200/b"),
		CASE(HOST(" x, y"), "400 closed"),
		CASE(HOST(" x y"), "400 closed"),
		CASE(HOST(" x/a"), "400 closed"),
		CASE(HOST(" u@x"), "400 closed"),
		CASE(HOST(" x?q"), "400 closed"),
		CASE(HOST(" x#f"), "400 closed"),
		CASE(HOST(" x:y"), "400 closed"),
		CASE(HOST(" x:80:80"), "400 closed"),
		CASE(HOST(" x:-1"), "400 closed"),
		CASE(HOST(" x:65536"), "400 closed"),
		CASE(HOST(" [::1"), "400 closed"),
		CASE(HOST(" [::1]x"), "400 closed"),
		CASE(HOST(" [x]"), "400 closed"),
		CASE(HOST(" \"x\""), "400 closed"),
		CASE(HOST(" x\\y"), "400 closed"),
		CASE(HOST(" http://x"), "400 closed"),
	};
#undef HOST

	CHECK_CASES(cases);
}

static void r_http_2_targets(void)
{
#define TARGET(value) "GET " value " HTTP/1.1\r\nHost: x\r\n\r\n" NEXT
	static const struct framing_case cases[] = {
		/* Absolute form; its authority is held to the same rules. */
		CASE(TARGET("http://x/a"), "200/a 200/b"),
		CASE(TARGET("HTTP://y:8080/a?q"), "200/a 200/b"),
		CASE(TARGET("https://x/a"), "200/a 200/b"),
		CASE(TARGET("http://[::1]:80/a"), "200/a 200/b"),
		CASE(TARGET("http://x"), "200/ 200/b"),
		CASE(TARGET("http:///a"), "400 closed"),
		CASE(TARGET("http://u:p@x/a"), "400 closed"),
		CASE(TARGET("http://x:y/a"), "400 closed"),
		CASE(TARGET("http://[::1/a"), "400 closed"),
		CASE(TARGET("http:/x/a"), "400 closed"),
		CASE(TARGET("http:x/a"), "400 closed"),
		CASE(TARGET("ftp://x/a"), "400 closed"),
		CASE(TARGET("file:///etc/passwd"), "400 closed"),
		CASE("GET http://x/a HTTP/1.1\r\n\r\n" NEXT, "400 closed"),
		CASE("GET http://x/a HTTP/1.1\r\nHost: y/z\r\n\r\n" NEXT, "400 closed"),
		/* The other forms. */
		CASE(TARGET("/a?b=c&d"), "200/a 200/b"),
		CASE(TARGET("/%61"), "200/%61 200/b"),
		CASE(TARGET("//a"), "200//a 200/b"),
		CASE(TARGET("*"), "400 closed"),
		CASE(TARGET("a"), "400 closed"),
		CASE(TARGET("/a#b"), "400 closed"),
		CASE(TARGET("#"), "400 closed"),
		CASE(TARGET("?q"), "400 closed"),
		CASE(TARGET("x:80"), "400 closed"),
		CASE(TARGET("/a\xe4"), "400 closed"),
		/* No characters of a URI, but phones send them; the door decides. */
		CASE(TARGET("/a\"b"), "200/a\"b 200/b"),
		CASE(TARGET("/a<b>"), "200/a<b> 200/b"),
		CASE(TARGET("/a\\b"), "200/a\\b 200/b"),
		CASE(TARGET("/a{mac}"), "200/a{mac} 200/b"),
		CASE("CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n" NEXT, "405 200/b"),
		CASE("CONNECT /a HTTP/1.1\r\nHost: x\r\n\r\n" NEXT, "400 closed"),
		CASE("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" NEXT, "405 200/b"),
		CASE("OPTIONS *a HTTP/1.1\r\nHost: x\r\n\r\n" NEXT, "400 closed"),
	};
#undef TARGET

	CHECK_CASES(cases);
}

static void r_http_3_request_lines(void)
{
#define LINE(line) line "\r\nHost: x\r\n\r\n" NEXT
	static const struct framing_case cases[] = {
		CASE(LINE("GET  /a HTTP/1.1"), "400 closed"),
		CASE(LINE("GET /a  HTTP/1.1"), "400 closed"),
		CASE(LINE("GET /a HTTP/1.1 "), "400 closed"),
		CASE(LINE("GET\t/a HTTP/1.1"), "400 closed"),
		CASE(LINE("GET /a\tHTTP/1.1"), "400 closed"),
		CASE(LINE("GET /a /b HTTP/1.1"), "400 closed"),
		CASE(LINE("GET HTTP/1.1"), "400 closed"),
		CASE(LINE("GET  HTTP/1.1"), "400 closed"),
		CASE(LINE("GET"), "400 closed"),
		CASE(LINE("/a HTTP/1.1"), "400 closed"),
		/* HTTP/0.9 */
		CASE("GET /a\r\n", "400 closed"),
		CASE(LINE("GET /a"), "400 closed"),
		/* Versions, and other protocols. */
		CASE(LINE("GET /a HTTP/0.9"), "505 closed"),
		CASE(LINE("GET /a HTTP/1.2"), "505 closed"),
		CASE(LINE("GET /a HTTP/2.0"), "505 closed"),
		CASE(LINE("GET /a HTTP/9.9"), "505 closed"),
		CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 closed"),
		CASE(LINE("GET /a HTTP/1"), "400 closed"),
		CASE(LINE("GET /a HTTP/1."), "400 closed"),
		CASE(LINE("GET /a HTTP/1.10"), "400 closed"),
		CASE(LINE("GET /a HTTP/01.1"), "400 closed"),
		CASE(LINE("GET /a HTTP/1,1"), "400 closed"),
		CASE(LINE("GET /a HTTP 1.1"), "400 closed"),
		CASE(LINE("GET /a http/1.1"), "400 closed"),
		CASE(LINE("GET /a HTTPS/1.1"), "400 closed"),
		CASE(LINE("GET /a SIP/2.0"), "400 closed"),
		CASE(LINE("GET /a RTSP/1.0"), "400 closed"),
		CASE(LINE("SOURCE /a ICE/1.0"), "400 closed"),
		/* Methods: tokens, and case matters (RFC 9110 9.1). */
		CASE(LINE("get /a HTTP/1.1"), "501 closed"),
		CASE(LINE("FETCH /a HTTP/1.1"), "501 closed"),
		CASE(LINE("GETS /a HTTP/1.1"), "501 closed"),
		CASE(LINE("GE /a HTTP/1.1"), "501 closed"),
		CASE(LINE("G(T /a HTTP/1.1"), "400 closed"),
		CASE(LINE("GET: /a HTTP/1.1"), "400 closed"),
		CASE(LINE("G\xc3\x89T /a HTTP/1.1"), "400 closed"),
		CASE(LINE("HEAD /a HTTP/1.1"), "200 200/b"),
		CASE(LINE("PUT /a HTTP/1.1"), "405 200/b"),
		CASE(LINE("DELETE /a HTTP/1.1"), "405 200/b"),
		CASE(LINE("TRACE /a HTTP/1.1"), "405 200/b"),
		CASE(LINE("PATCH /a HTTP/1.1"), "405 200/b"),
		/* A body that is not awaited ends the connection, or it would be the next request.
		 */
		CASE("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n" NEXT, "405 closed"),
		CASE("PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" NEXT,
		     "405 closed"),
		CASE("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", "400 closed"),
	};
#undef LINE

	CHECK_CASES(cases);
}

static void r_http_26_27_connections(void)
{
	static const struct framing_case cases[] = {
		CASE(HEAD "Connection: close\r\n\r\n" NEXT, "200/a closed"),
		CASE(HEAD "Connection: CLOSE\r\n\r\n" NEXT, "200/a closed"),
		CASE(HEAD "Connection: x, close\r\n\r\n" NEXT, "200/a closed"),
		CASE(HEAD "Connection: keep-alive, close\r\n\r\n" NEXT, "200/a closed"),
		CASE(HEAD "Connection: x\r\nConnection: close\r\n\r\n" NEXT, "200/a closed"),
		CASE(HEAD "Connection: closer\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "Connection: keep-alive\r\n\r\n" NEXT, "200/a 200/b"),
		CASE(HEAD "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" NEXT, "200/a 200/b"),
		CASE("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" NEXT, "200/a 200/b"),
		CASE("GET /a HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" NEXT,
		     "200/a closed"),
		CASE("GET /a HTTP/1.0\r\nHost: x\r\n\r\n" NEXT, "200/a closed"),
		/* Good, bad, good: nothing after the bad one is answered. */
		CASE(HEAD "\r\nGET /c HTTP/1.1\r\n\r\n" NEXT, "200/a 400 closed"),
		CASE(HEAD "\r\n" HEAD "X : y\r\n\r\n" NEXT, "200/a 400 closed"),
		CASE(HEAD "\r\nFETCH /c HTTP/1.1\r\nHost: x\r\n\r\n" NEXT, "200/a 501 closed"),
		CASE(HEAD "\r\nGET /c HTTP/3.0\r\nHost: x\r\n\r\n" NEXT, "200/a 505 closed"),
		CASE(HEAD "\r\n" HEAD "Expect: x\r\n\r\n" NEXT, "200/a 417 closed"),
		CASE(HEAD "\r\n" NEXT HEAD "\r\n" HEAD "\r\n" NEXT,
		     "200/a 200/b 200/a 200/a 200/b"),
		CASE(HEAD "Content-Length: 28\r\n\r\n" NEXT NEXT, "200/a 200/b"),
		/* R-HTTP-29 */
		CASE(HEAD "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nxyz" NEXT,
		     "100 200/a 200/b"),
		CASE(HEAD "Expect: 100-continue\r\n\r\n" NEXT, "200/a 200/b"),
		CASE("GET /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n"
		     "Connection: keep-alive\r\n\r\nxyz" NEXT,
		     "200/a 200/b"),
		CASE(HEAD "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n", "413 closed"),
	};

	CHECK_CASES(cases);
}

/* `prefix`, then `fill` as often as makes `length` with `suffix`. */
static struct span padded(const char *prefix, char fill, const char *suffix, size_t length)
{
	static char text[20000];
	size_t before = strlen(prefix);
	size_t after = strlen(suffix);

	memcpy(text, prefix, before);
	memset(text + before, fill, length - before - after);
	memcpy(text + length - after, suffix, after);
	return span_make(text, length);
}

static void check_edge(const char *prefix, const char *suffix, size_t length, const char *outcome)
{
	struct framing_case one = {padded(prefix, 'a', suffix, length), outcome};

	check_case(&one);
}

/* A head has 8192 octets, one less, one more; wherever the edge falls. */
static void r_http_28_edges_of_a_head(void)
{
	static const struct {
		const char *prefix;
		const char *suffix;
		const char *outcome; /* of one that is too long */
	} shapes[] = {
		{HEAD "X: ", "\r\n\r\n", "431 closed"},
		{HEAD "X: y\r\nX", ": y\r\n\r\n", "431 closed"},
		{HEAD "X: ", "\r\nZ: w\r\n\r\n", "431 closed"},
		{"GET /a?", " HTTP/1.1\r\nHost: x\r\n\r\n", "431 closed"},
		{"GET /a HTTP/1.1\r\nHost: ", "\r\n\r\n", "431 closed"},
	};

	prepare();
	house.file_size = 0;
	open_server();
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		for (size_t length = 8191; length <= 8192; length++) {
			check_edge(shapes[i].prefix, shapes[i].suffix, length, "200/a");
		}
		check_edge(shapes[i].prefix, shapes[i].suffix, 8193, shapes[i].outcome);
		check_edge(shapes[i].prefix, shapes[i].suffix, 16384,
			   i == 3 ? "414 closed" : shapes[i].outcome);
	}
	/* A line that never ends. */
	check_edge("GET /", "a", 8192, "waits");
	check_edge("GET /", "a", 8193, "414 closed");
	check_edge(HEAD "X: ", "a", 8192, "waits");
	check_edge(HEAD "X: ", "a", 8193, "431 closed");
	check_edge("a", "a", 8193, "414 closed");
	close_house();
}

static void r_http_28_edges_of_the_number_of_fields(void)
{
	static char text[8192];

	prepare();
	house.file_size = 0;
	open_server();
	for (size_t count = http_headers_max - 1; count <= http_headers_max + 1; count++) {
		struct writer w = writer_over(text, sizeof(text));
		struct framing_case one = {.outcome = count <= http_headers_max ? "200/a"
										: "431 closed"};

		writer_text(&w, HEAD);
		for (size_t i = 1; i < count; i++) {
			writer_text(&w, "X: y\r\n");
		}
		writer_text(&w, "\r\n");
		one.octets = writer_span(&w);
		check_case(&one);
	}
	close_house();
}

/* What chunks cost beside their octets, extensions and trailers, ends some time. */
static void r_http_28_floods_in_chunked_bodies(void)
{
	prepare();
	house.file_size = 0;
	house.options.body_max = body_max;
	open_server();
	check_edge(CHUNKED "3;", "\r\nxyz\r\n0\r\n\r\n", 1000, "200/a");
	check_edge(CHUNKED "3;", "\r\nxyz\r\n0\r\n\r\n", 15000, "413 closed");
	check_edge(CHUNKED "0\r\nX: ", "\r\n\r\n", 1000, "200/a");
	check_edge(CHUNKED "0\r\nX: ", "\r\n\r\n", 15000, "413 closed");
	check_edge(CHUNKED "0\r\n", ": y\r\n\r\n", 15000, "413 closed");
	close_house();
}

int main(void)
{
	RUN(r_http_22_two_ways_to_tell_the_length);
	RUN(r_http_22_content_length);
	RUN(r_http_22_chunks);
	RUN(r_http_22_trailers);
	RUN(r_http_23_24_25_lines_and_fields);
	RUN(controls_stand_nowhere_in_a_head);
	RUN(r_http_1_host);
	RUN(r_http_2_targets);
	RUN(r_http_3_request_lines);
	RUN(r_http_26_27_connections);
	RUN(r_http_28_edges_of_a_head);
	RUN(r_http_28_edges_of_the_number_of_fields);
	RUN(r_http_28_floods_in_chunked_bodies);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * Every row of the decision table in doc/standards.md, by unicast and by multicast; and the
 * SUBSCRIBE of each maker (dialects.md).
 */
#include "core/provision/request_check.h"
#include "tests/guard.h"
#include "tests/provision/harness.h"
#include "tests/test.h"

static struct bench bench;

/* The seed with `from` replaced by `to` and its answer by unicast. 0 is silence; 200 is served. */
struct row {
	const char *name;
	const char *from;
	const char *to;
	unsigned status;
	const char *holds;	 /* the refusal holds this; NULL: nothing in particular */
	bool is_served_by_group; /* the multicast one is served; else it must be silent */
};

static const char via_line[] =
	"Via: SIP/2.0/UDP 10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e\r\n";
static const char contact_line[] = "Contact: <sip:00000001@10.13.2.37:5060>\r\n";
static const char event_line[] =
	"Event: ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n";

#define METHOD(method) "SUBSCRIBE", method

static const struct row rows[] = {
	{"as it is", "", "", 200, NULL, true},
	/* 3, 4: start line, version */
	{"R-3261-4 version", "SIP/2.0\r\n", "SIP/7.0\r\n", 505, NULL, false},
	{"R-3261-4 any case", "SIP/2.0\r\n", "sip/2.0\r\n", 200, NULL, true},
	{"R-3261-3 two blanks", "SUBSCRIBE ", "SUBSCRIBE  ", 400, "SIP/2.0 400 ", false},
	/* 5: top Via */
	{"no Via", via_line, "", 0, NULL, false},
	{"Via without host", "UDP 10.13.2.37:5060", "UDP ", 0, NULL, false},
	/* 6: what every message has */
	{"no From", "From: ", "X-From: ", 0, NULL, false},
	{"no To", "To: <", "X-To: <", 0, NULL, false},
	{"no Call-ID", "Call-ID: ", "X-Call-ID: ", 0, NULL, false},
	{"no CSeq", "CSeq: ", "X-CSeq: ", 0, NULL, false},
	{"two From", "To: <", "From: <sip:x@y>;tag=z\r\nTo: <", 400, "From", false},
	{"two Call-IDs", "To: <", "Call-ID: z\r\nTo: <", 400, "Call-ID", false},
	{"R-3261-38 CSeq of another method", "CSeq: 1 SUBSCRIBE", "CSeq: 1 NOTIFY", 400, "CSeq",
	 false},
	{"R-3261-38 CSeq 2^31", "CSeq: 1 ", "CSeq: 2147483648 ", 400, "CSeq", false},
	{"R-3261-75 short body", "Content-Length: 0", "Content-Length: 1", 400, "Content-Length",
	 false},
	{"R-3261-11 tag twice", ";tag=87", ";tag=1;tag=87", 400, "From", false},
	/* 10: credentials are read and passed over */
	{"Authorization", "Expires: 0", "Authorization: Digest realm=\"x\"\r\nExpires: 0", 200,
	 NULL, true},
	{"broken Authorization", "Expires: 0", "Authorization: \"\r\nExpires: 0", 200, NULL, true},
	/* 12: Request-URI */
	{"R-3261-21 tel", "sip:224.0.1.75:5060 SIP", "tel:1 SIP", 416, NULL, false},
	{"R-3261-21 sips", "sip:224.0.1.75:5060 SIP", "sips:224.0.1.75 SIP", 416, NULL, false},
	{"R-3261-22 foreign", "sip:224.0.1.75:5060 SIP", "sip:198.51.100.9 SIP", 404, NULL, false},
	{"R-MCAST-13 the group", "sip:224.0.1.75:5060 SIP", "sip:224.0.1.75 SIP", 200, NULL, true},
	{"our own address", "sip:224.0.1.75:5060 SIP", "sip:x@10.13.4.121 SIP", 200, NULL, true},
	{"a domain from DHCP", "sip:224.0.1.75:5060 SIP", "sip:intern.snom.de SIP", 200, NULL,
	 true},
	/* 13: dialogs */
	{"R-3261-51 To tag", "To: <sip:224.0.1.75:5060>", "To: <sip:224.0.1.75:5060>;tag=x", 481,
	 NULL, false},
	/* 14: Require */
	{"R-3261-24", "Supported: ", "Require: foo, bar\r\nSupported: ", 420,
	 "\r\nUnsupported: foo, bar\r\n", false},
	{"Require is no list of tokens", "Supported: ", "Require: \"a\r\nSupported: ", 400,
	 "Require", false},
	{"R-3261-25 Proxy-Require is not for us",
	 "Supported: ", "Proxy-Require: x\r\nSupported: ", 200, NULL, true},
	/* 15: content */
	{"R-3261-27", "Supported: ", "Content-Encoding: gzip\r\nSupported: ", 415,
	 "\r\nAccept-Encoding: identity\r\n", false},
	{"identity", "Supported: ", "Content-Encoding: identity\r\nSupported: ", 200, NULL, true},
	{"R-6080-82 a body is passed over", "Content-Length: 0\r\n\r\n",
	 "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi", 200, NULL, true},
	/* 16: Event */
	{"R-6665-11", event_line, "", 489, "\r\nAllow-Events: ua-profile\r\n", false},
	{"R-6665-10", "Event: ua-profile", "Event: presence", 489,
	 "\r\nAllow-Events: ua-profile\r\n", false},
	{"R-6665-44 octet by octet", "Event: ua-profile", "Event: UA-Profile", 489, NULL, false},
	{"R-6665-56 two", "Event: ", "o: ua-profile\r\nEvent: ", 400, "Event", false},
	{"compact", "Event: ", "o:", 200, NULL, true},
	{"open quote", "model=\"440HD\"", "model=\"440HD", 400, "Event", false},
	/* 17: profile-type */
	{"R-6080-91 user", "\"application\"", "\"user\"", 404, NULL, false},
	{"R-6080-91 local-network", "\"application\"", "local-network", 404, NULL, false},
	{"R-DRAFT-7 token", "\"application\"", "device", 200, NULL, true},
	{"none", "profile-type=\"application\";", "", 200, NULL, true},
	{"R-6080-74, R-DRAFT-5, 6", "profile-type",
	 "effective-by=5;app-id=x;document=y;profile-type", 200, NULL, true},
	/* 18: Accept */
	{"R-6665-15", "application/url", "application/sdp", 406, NULL, false},
	{"q=0", "application/url", "application/url;q=0", 406, NULL, false},
	{"R-3261-93 empty", "Accept: application/url", "Accept: ", 406, NULL, false},
	{"R-6665-8 none", "Accept: application/url\r\n", "", 200, NULL, true},
	{"any", "application/url", "*/*", 200, NULL, true},
	{"list", "application/url", "text/plain, application/*;q=0.1", 200, NULL, true},
	{"bad", "application/url", "application", 400, "Accept", false},
	/* 19: Expires; R-6665-4, 6, 13, 14: everything is granted as 0, and never 423 */
	{"R-6080-83 missing", "Expires: 0\r\n", "", 200, NULL, true},
	{"3600", "Expires: 0", "Expires: 3600", 200, NULL, true},
	{"60", "Expires: 0", "Expires: 60", 200, NULL, true},
	{"R-3261-94 the largest", "Expires: 0", "Expires: 4294967295", 200, NULL, true},
	{"word", "Expires: 0", "Expires: never", 400, "Expires", false},
	{"empty", "Expires: 0", "Expires: ", 400, "Expires", false},
	{"two", "Expires: 0", "Expires: 0\r\nExpires: 60", 400, "Expires", false},
	/* 20: Contact */
	{"R-3261-37 none", contact_line, "", 400, "Contact", false},
	{"R-3261-37 two", contact_line, "Contact: <sip:10.13.2.37>, <sip:10.13.2.37>\r\n", 400,
	 "Contact", false},
	{"star", contact_line, "Contact: *\r\n", 400, "Contact", false},
	{"R-MCAST-10 another's", "Contact: <sip:00000001@10.13.2.37", "Contact: <sip:x@10.13.2.38",
	 403, NULL, false},
	{"a name", "Contact: <sip:00000001@10.13.2.37", "Contact: <sip:x@victim.example", 403, NULL,
	 false},
	{"broadcast", "Contact: <sip:00000001@10.13.2.37", "Contact: <sip:x@255.255.255.255", 403,
	 NULL, false},
	{"the group", "Contact: <sip:00000001@10.13.2.37", "Contact: <sip:x@224.0.1.75", 403, NULL,
	 false},
	{"loopback", "Contact: <sip:00000001@10.13.2.37", "Contact: <sip:x@127.0.0.1", 403, NULL,
	 false},
	{"maddr in Contact", ":5060>\r\nUser", ":5060;maddr=203.0.113.66>\r\nUser", 403, NULL,
	 false},
	{"sips Contact", "Contact: <sip:", "Contact: <sips:", 403, NULL, false},
	{"another port", "Contact: <sip:00000001@10.13.2.37:5060",
	 "Contact: <sip:x@10.13.2.37:5999", 200, NULL, true},
	{"R-6665-5 expires of Contact", ":5060>\r\nUser", ":5060>;expires=60\r\nUser", 200, NULL,
	 true},
	{"bad Record-Route", "Supported: ", "Record-Route: nonsense\r\nSupported: ", 400,
	 "Record-Route", false},
	/* what does not matter */
	{"R-3261-34 Max-Forwards 0", "Max-Forwards: 70", "Max-Forwards: 0", 200, NULL, true},
	{"no Max-Forwards", "Max-Forwards: 70\r\n", "", 200, NULL, true},
	{"R-3261-20 junk", "Supported: ", "X-Junk: ;;,,\r\nDate: never\r\nSupported: ", 200, NULL,
	 true},
	{"R-3261-95 Via says TCP", "SIP/2.0/UDP", "SIP / 2.0 / TCP", 200, NULL, true},
	{"R-MCAST-9 maddr of a third party", ";rport;", ";rport;maddr=203.0.113.66;", 200, NULL,
	 true},
	{"no To user, an opaque To", "To: <sip:224.0.1.75:5060>", "To: <tel:1>", 200, NULL, true},
};

/* The row's datagram; an empty `from` changes nothing. */
static struct span row_bytes(const struct row *row, char *text, size_t size)
{
	memcpy(text, bench_seed, sizeof(bench_seed));
	if (row->from[0] && !bench_replace(text, size, row->from, row->to)) {
		printf("# row %s: nothing to replace\n", row->name);
		test_is_failed = true;
	}
	return span_text(text);
}

static bool holds(struct span bytes, const char *text)
{
	return span_search(bytes, span_text(text)) < bytes.length;
}

static void check_row_by_unicast(const struct row *row)
{
	static char text[8192];
	const struct effect_send *sent;
	unsigned status;

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	bench_unicast(&bench);
	CHECK_EQUAL(0, bench_receive(&bench, row_bytes(row, text, sizeof(text))));
	sent = bench_sent(&bench, 0);
	status = bench_status(&bench, 0);
	if (status != row->status || bench_is_served(&bench) != (row->status == 200) ||
	    (row->status != 200 && bench_count_kind(&bench, EFFECT_SEND) != (row->status != 0)) ||
	    (sent && row->holds && !holds(sent->bytes, row->holds)) ||
	    (sent && !endpoint_equal(sent->to, bench.packet.source))) {
		printf("# row %s: %u, expected %u\n", row->name, status, row->status);
		if (sent) {
			test_print_span("answer", sent->bytes);
		}
		test_is_failed = true;
	}
	/* R-3261-31, 33: a tag, and the same octets for a copy. */
	if (sent && row->status != 200) {
		static char first[16384];
		struct span before = span_make(first, sent->bytes.length);

		memcpy(first, sent->bytes.data, sent->bytes.length);
		CHECK(row->status == 481 || holds(before, "To: <sip:224.0.1.75:5060>;tag=") ||
		      strstr(row->name, "tel") || status == 400);
		CHECK_EQUAL(0, bench_receive(&bench, row_bytes(row, text, sizeof(text))));
		REQUIRE(bench_sent(&bench, 0) != NULL);
		CHECK_SPAN(before, bench_sent(&bench, 0)->bytes);
	}
	bench_close(&bench);
}

static void rows_by_unicast(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row_by_unicast(&rows[i]);
	}
}

/* R-MCAST-8: only 2xx leave. */
static void rows_by_multicast(void)
{
	static char text[8192];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		bool is_right;

		bench_open(&bench);
		bench_claim(&bench, bench_mac);
		CHECK_EQUAL(0, bench_receive(&bench, row_bytes(row, text, sizeof(text))));
		is_right =
			row->is_served_by_group ? bench_is_served(&bench) : bench_is_silent(&bench);
		if (!is_right) {
			printf("# row %s by multicast: %u\n", row->name, bench_status(&bench, 0));
			test_is_failed = true;
		}
		bench_close(&bench);
	}
}

static struct span request_of(const char *method)
{
	static char text[2048];

	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), "SUBSCRIBE sip", "METHOD sip"));
	CHECK(bench_replace(text, sizeof(text), "CSeq: 1 SUBSCRIBE", "CSeq: 1 METHOD"));
	while (bench_replace(text, sizeof(text), "METHOD", method) && strstr(text, "METHOD")) {
	}
	return span_text(text);
}

/* Rows 8 and 11; R-3261-18, 19, 81. */
static void methods(void)
{
	static const struct {
		const char *method;
		unsigned status;
	} cases[] = {
		{"INVITE", 405},  {"BYE", 405},	 {"REGISTER", 405},  {"PUBLISH", 405},
		{"REFER", 405},	  {"INFO", 405}, {"PRACK", 405},     {"UPDATE", 405},
		{"MESSAGE", 405}, {"FROB", 501}, {"subscribe", 501}, {"OPTIONS", 200},
		{"ACK", 0},	  {"NOTIFY", 0}, {"CANCEL", 481},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_open(&bench);
		bench_claim(&bench, bench_mac);
		CHECK_EQUAL(0, bench_receive(&bench, request_of(cases[i].method)));
		CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
		bench_unicast(&bench);
		CHECK_EQUAL(0, bench_receive(&bench, request_of(cases[i].method)));
		CHECK_EQUAL(cases[i].status, bench_status(&bench, 0));
		CHECK_EQUAL(cases[i].status != 0, bench_count_kind(&bench, EFFECT_SEND));
		if (cases[i].status == 405 || cases[i].status == 501) {
			CHECK(holds(bench_sent(&bench, 0)->bytes,
				    "\r\nAllow: SUBSCRIBE, OPTIONS, CANCEL\r\n"));
		}
		bench_close(&bench);
	}
}

/* R-3261-82, R-6665-49, 54 */
static void options_tells_what_we_can(void)
{
	static const char *const headers[] = {
		"\r\nAllow: ",		 "\r\nAccept: ",   "\r\nAccept-Encoding: ",
		"\r\nAccept-Language: ", "\r\nSupported:", "\r\nAllow-Events: ua-profile"};

	bench_open(&bench);
	bench_unicast(&bench);
	CHECK_EQUAL(0, bench_receive(&bench, request_of("OPTIONS")));
	REQUIRE(bench_status(&bench, 0) == 200);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		CHECK(holds(bench_sent(&bench, 0)->bytes, headers[i]));
	}
	CHECK(!holds(bench_sent(&bench, 0)->bytes, "\r\nEvent:"));
	bench_close(&bench);
}

/* R-3261-80, R-6665-53: a CANCEL that finds its SUBSCRIBE is answered and changes nothing. */
static void cancel(void)
{
	static struct sip_message m;
	char tag[64];

	for (unsigned i = 0; i < 2; i++) {
		bench_open(&bench);
		bench_claim(&bench, bench_mac);
		if (i == 1) {
			bench_unicast(&bench);
		}
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		REQUIRE(bench_is_served(&bench));
		CHECK_EQUAL(0, sip_message_parse(&m, bench_sent(&bench, 0)->bytes));
		CHECK_EQUAL(0, span_to_text(m.to.tag, tag, sizeof(tag)));
		CHECK_EQUAL(0, bench_receive(&bench, request_of("CANCEL")));
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
		CHECK_EQUAL(200, bench_status(&bench, 0));
		CHECK_EQUAL(0, sip_message_parse(&m, bench_sent(&bench, 0)->bytes));
		CHECK_TEXT(tag, m.to.tag); /* RFC 3261 9.2 */
		CHECK_EQUAL(SIP_METHOD_CANCEL, m.cseq.method);
		/* The NOTIFY goes on. */
		bench_expire(&bench, bench.now_ms + 500);
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
		bench_close(&bench);
	}
}

/* Row 13, R-3261-23 */
static void merged(void)
{
	static char text[2048];

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	bench_unicast(&bench);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), "branch=z9hG4bK", "branch=z9hG4bKother"));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
	CHECK_EQUAL(482, bench_status(&bench, 0));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench.packet.is_multicast = true;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
	CHECK(bench_is_silent(&bench));
	bench_close(&bench);
}

/* Row 1, and what is not SIP. */
static void what_is_not_sip_is_silence(void)
{
	static const struct span datagrams[] = {
		{"", 0},
		{"\r\n\r\n", 4},
		{"\0\0\0\0", 4},
		{"SUBSCRIBE", 9},
		{"\xff\xfe\x01\x02\x80", 5},
		{"SIP/2.0 200 OK\r\n\r\n", 18},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
	};

	bench_open(&bench);
	bench_unicast(&bench);
	for (size_t i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++) {
		CHECK_EQUAL(0, bench_receive(&bench, datagrams[i]));
		CHECK_EQUAL(0, bench.effects.count);
	}
	bench_close(&bench);
}

/* R-3261-40, 41, 45, 46: Record-Route goes into the 200, the route set into the NOTIFY. */
static void route_sets(void)
{
	static char text[2048];
	struct span notify;

	for (unsigned i = 0; i < 2; i++) {
		bench_open(&bench);
		bench_claim(&bench, bench_mac);
		memcpy(text, bench_seed, sizeof(bench_seed));
		CHECK(bench_replace(text, sizeof(text), "Supported: ",
				    i == 0 ? "Record-Route: <sip:p1;lr>, \"x\" <sip:p2;lr>\r\n"
					     "Record-Route: <sip:p3;lr>;a=b\r\nSupported: "
					   : "Record-Route: <sip:p1>\r\n"
					     "Record-Route: <sip:p2;lr>\r\nSupported: "));
		CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
		REQUIRE(bench_is_served(&bench));
		notify = bench_sent(&bench, 1)->bytes;
		if (i == 0) {
			CHECK(holds(bench_sent(&bench, 0)->bytes, "Record-Route: <sip:p3;lr>;a=b"));
			CHECK(span_starts_with(notify,
					       SPAN("NOTIFY sip:00000001@10.13.2.37:5060 ")));
			CHECK(holds(notify, "\r\nRoute: <sip:p1;lr>\r\nRoute: \"x\" <sip:p2;lr>\r\n"
					    "Route: <sip:p3;lr>;a=b\r\n"));
		} else {
			CHECK(span_starts_with(notify, SPAN("NOTIFY sip:p1 SIP/2.0\r\n")));
			CHECK(holds(notify, "\r\nRoute: <sip:p2;lr>\r\n"
					    "Route: <sip:00000001@10.13.2.37:5060>\r\n"));
		}
		bench_close(&bench);
	}
}

/* R-6665-52; and a Contact with a headers part, which no Request-URI may have. */
static void the_notify_repeats_the_events_id(void)
{
	static char text[2048];

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), "ua-profile;", "ua-profile;id=a7;"));
	CHECK(bench_replace(text, sizeof(text), ":5060>\r\nUser", ":5060?Route=x>\r\nUser"));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
	REQUIRE(bench_is_served(&bench));
	CHECK(holds(bench_sent(&bench, 1)->bytes,
		    "\r\nEvent: ua-profile;id=a7;effective-by=0\r\n"));
	CHECK(span_starts_with(bench_sent(&bench, 1)->bytes,
			       SPAN("NOTIFY sip:00000001@10.13.2.37:5060 SIP/2.0\r\n")));
	bench_close(&bench);
}

/* What is echoed is bounded: no message of ours is larger than 16 KiB. */
static void an_answer_that_would_be_too_large_is_not_made(void)
{
	static char text[40000];
	char *at;

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	bench_unicast(&bench);
	memcpy(text, bench_seed, sizeof(bench_seed));
	at = strstr(text, "tag=87");
	memmove(at + 4 + 20000, at + 4, strlen(at + 4) + 1);
	memset(at + 4, 'x', 20000);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	CHECK_EQUAL(2, bench_counted(&bench, "answer_too_large"));
	CHECK_EQUAL(UINT64_MAX, signalling_next_wake(bench.signalling));
	bench_close(&bench);
}

/* ---- the makers ----------------------------------------------------------------------------- */

struct maker {
	const char *name;
	uint8_t address[4];
	uint16_t port;
	struct mac mac;
	const char *uri, *via, *from, *to, *contact, *event, *rest;
};

/* dialects.md A.1 to A.11, with real digits where the print hides them. */
static const struct maker makers[] = {
	{"snom 7",
	 {192, 168, 10, 67},
	 5060,
	 {{0x00, 0x13, 0x5e, 0x87, 0x4b, 0x49}},
	 "sip:MAC%3a00135E874B49@intern.snom.de",
	 "192.168.10.67:5060;rport",
	 "<sip:MAC%3a00135E874B49@intern.snom.de>;tag=658512961",
	 "<sip:MAC%3a00135E874B49@intern.snom.de>",
	 "<sip:192.168.10.67:5060>",
	 "Event: "
	 "ua-profile;profile-type=\"device\";vendor=\"OEM\";model=\"OEM\";version=\"7.1.19\"",
	 "Expires: 0\r\nAccept: application/url\r\n"},
	{"snom 10",
	 {172, 16, 1, 2},
	 5060,
	 {{0x00, 0x04, 0x13, 0xaa, 0xbb, 0xcc}},
	 "sip:MAC%3a000413aabbcc@miko.ru",
	 "172.16.1.2:5060;rport",
	 "<sip:MAC%3a000413aabbcc@miko.ru>;tag=1145111611",
	 "<sip:MAC%3a000413aabbcc@miko.ru>",
	 "<sip:172.16.1.2:5060>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"snom\";model=\"snomD120\";"
	 "version=\"10.1.39.11\"",
	 "Expires: 0\r\nAccept: application/url\r\nUser-Agent: snomD120/10.1.39.11\r\n"},
	{"gigaset",
	 {10, 0, 0, 8},
	 5060,
	 {{0x7c, 0x2f, 0x80, 0x30, 0xd2, 0x1e}},
	 "sip:MAC%3A7C2F8030D21E@local",
	 "10.0.0.8:5060;branch=z9hG4bKg;rport",
	 "<sip:MAC%3A7C2F8030D21E@local>;tag=1",
	 "<sip:MAC%3A7C2F8030D21E@local>",
	 "<sip:10.0.0.8:5060>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"Gigaset\"",
	 "Expires: 0\r\nUser-Agent: Gigaset N870 IP PRO/83.V2.43.0;7C2F8030D21E\r\n"},
	{"yealink",
	 {10, 1, 3, 239},
	 5059,
	 {{0x00, 0x15, 0x65, 0xf4, 0xf9, 0xe1}},
	 "sip:MAC001565f4f9e1@224.0.1.75",
	 "10.1.3.239:5059;branch=z9hG4bK1536537630",
	 "<sip:MAC001565f4f9e1@224.0.1.75>;tag=1536537630",
	 "<sip:MAC001565f4f9e1@224.0.1.75>",
	 "<sip:MAC001565f4f9e1@10.1.3.239:5059>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"yealink\";model=\"W52P\";"
	 "version=\"25.81.0.10\"",
	 "Max-Forwards: 70\r\nUser-Agent: Yealink W52P 25.81.0.10\r\nExpires: 0\r\n"
	 "Accept: application/url\r\n"},
	{"grandstream",
	 {192, 168, 1, 2},
	 5080,
	 {{0xc0, 0x74, 0xad, 0x11, 0x22, 0x33}},
	 "sip:MAC%3AC074AD112233@224.0.1.75",
	 "192.168.1.2:5080;branch=z9hG4bK1611133778;rport",
	 "<sip:MAC%3AC074AD112233@224.0.1.75>;tag=395400190",
	 "<sip:MAC%3AC074AD112233@224.0.1.75>",
	 "<sip:192.168.1.2:5080>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"Grandstream\";model=\"GRP2612W\";"
	 "version=\"1.0.5.67\"",
	 "User-Agent: Grandstream GRP2612W 1.0.5.67\r\nExpires: 0\r\nSupported: replaces, path\r\n"
	 "Accept: application/url\r\n"},
	{"planet",
	 {192, 168, 1, 45},
	 5060,
	 {{0x00, 0x30, 0x4f, 0xa9, 0x99, 0x48}},
	 "sip:MAC=00304fa99948@224.0.1.75",
	 "192.168.1.45:5060;branch=z9hG4bK3102710241234624733",
	 "<sip:MAC=00304fa99948@224.0.1.75>",
	 "<sip:MAC=00304fa99948@224.0.1.75>",
	 "<sip:192.168.1.45:5060>",
	 "Event:ua-profile;profile-type=\"device\";vendor=\"PLANET\";model=\"VIP-2140PT\";"
	 "version=\"2.0.3.2991\"",
	 "Max-Forwards: 70\r\nUser-Agent: PLANET VIP-2140PT\r\nExpires: 0\r\n"
	 "Accept: application/url\r\n"},
	{"fanvil",
	 {10, 0, 0, 9},
	 5060,
	 {{0x0c, 0x38, 0x3e, 0x11, 0x22, 0x33}},
	 "sip:224.0.1.75",
	 "10.0.0.9:5060;branch=z9hG4bKf",
	 "<sip:224.0.1.75>;tag=1",
	 "<sip:224.0.1.75>",
	 "<sip:10.0.0.9:5060>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"Fanvil\";model=\"VOIP PHONE\"",
	 "Expires: 0\r\nUser-Agent: Fanvil X4U 2.4.2 0c:38:3e:11:22:33\r\n"},
	{"panasonic",
	 {10, 0, 0, 10},
	 5060,
	 {{0x08, 0x00, 0x23, 0x11, 0x22, 0x33}},
	 "sip:MAC%3a080023112233@224.0.1.75",
	 "10.0.0.10:5060;branch=z9hG4bKp",
	 "<sip:MAC%3a080023112233@224.0.1.75>;tag=1",
	 "<sip:MAC%3a080023112233@224.0.1.75>",
	 "<sip:10.0.0.10:5060>",
	 "Event: ua-profile;profile-type=\"device\";vender=\"Panasonic\";model=\"KX-UT113\"",
	 "Expires: 0\r\nAccept: application/url\r\n"},
	{"vtech",
	 {10, 0, 0, 11},
	 5170,
	 {{0x00, 0x12, 0x2a, 0x11, 0x22, 0x33}},
	 "sip:MAC:00122a112233@224.0.1.75",
	 "10.0.0.11:5170;branch=z9hG4bKv",
	 "<sip:MAC:00122a112233@224.0.1.75>;tag=1",
	 "<sip:MAC:00122a112233@224.0.1.75>",
	 "<sip:10.0.0.11:5170>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"VTech\"",
	 "Expires: 0\r\nAccept: application/url\r\n"},
	{"atcom",
	 {10, 0, 0, 12},
	 5060,
	 {{0x80, 0x82, 0x87, 0x11, 0x22, 0x33}},
	 "sip:MAC%3a808287112233@224.0.1.75",
	 "10.0.0.12:5060;branch=z9hG4bKa",
	 "<sip:MAC%3a808287112233@224.0.1.75>;tag=1",
	 "<sip:MAC%3a808287112233@224.0.1.75>",
	 "<sip:10.0.0.12:5060>",
	 "Event: ua-profile;profile-type=\"device\";vendor=\"ATCOM\";model=\"ATCOM\"",
	 "Expires: 0\r\nAccept: application/url\r\n"},
};

static struct span maker_bytes(const struct maker *maker, char *text, size_t size)
{
	int length =
		snprintf(text, size,
			 "SUBSCRIBE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s\r\nFrom: %s\r\nTo: %s\r\n"
			 "Call-ID: c%s\r\nCSeq: 20000 SUBSCRIBE\r\n%s\r\nContact: %s\r\n%s"
			 "Content-Length: 0\r\n\r\n",
			 maker->uri, maker->via, maker->from, maker->to, "1", maker->event,
			 maker->contact, maker->rest);

	return span_make(text, (size_t)length);
}

/* R-DRAFT-7 to 14: 200 and NOTIFY, to the port it came from, in both forms. */
static void each_maker_is_served(void)
{
	static char text[4096];
	static struct sip_message m;

	for (size_t i = 0; i < 2 * sizeof(makers) / sizeof(makers[0]); i++) {
		const struct maker *maker = &makers[i / 2];

		bench_open(&bench);
		bench_claim(&bench, maker->mac);
		bench_set_form(&bench, maker->mac, i % 2 ? FORM_PRINT : FORM_RFC);
		memcpy(bench.packet.source.address.octets, maker->address, 4);
		bench.packet.source.port = maker->port;
		bench.packet.link_source = maker->mac;
		CHECK_EQUAL(0, bench_receive(&bench, maker_bytes(maker, text, sizeof(text))));
		if (!bench_is_served(&bench)) {
			printf("# %s is not served\n", maker->name);
			test_is_failed = true;
			bench_close(&bench);
			continue;
		}
		CHECK(holds(bench_sent(&bench, 1)->bytes, "\r\n\r\ntftp://10.13.4.121"));
		CHECK_EQUAL(0, sip_message_parse(&m, bench_sent(&bench, 1)->bytes));
		if (i % 2 == 0) {
			CHECK(m.to.has_tag == (strcmp(maker->name, "planet") != 0)); /* R-3261-42 */
			CHECK(m.from.has_tag);
		}
		/* R-3261-67 for a Via without a branch too */
		CHECK_EQUAL(0, bench_receive(&bench, maker_bytes(maker, text, sizeof(text))));
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
		bench_close(&bench);
	}
}

/* security.md 3.1: every prefix of a datagram, at both ends of a mapping. */
static void receive_prefix(struct span input, void *context)
{
	struct bench *b = context;

	b->now_ms += 40000;
	bench_expire(b, b->now_ms);
	if (bench_receive(b, input) != 0) {
		test_is_failed = true;
	}
}

static void no_prefix_reads_too_far(void)
{
	static char text[4096];

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	bench_unicast(&bench);
	guard_each_prefix(span_text(bench_seed), receive_prefix, &bench);
	CHECK(bench_counted(&bench, "served") >= 2);
	guard_each_prefix(maker_bytes(&makers[0], text, sizeof(text)), receive_prefix, &bench);
	guard_each_prefix(request_of("OPTIONS"), receive_prefix, &bench);
	bench.packet.has_link_source = false;
	guard_each_prefix(span_text(bench_seed), receive_prefix, &bench);
	bench_expire(&bench, bench.now_ms + 1000);
	CHECK_EQUAL(2, bench_counted(&bench, "resolve_timeout"));
	bench_close(&bench);
}

int main(void)
{
	RUN(rows_by_unicast);
	RUN(rows_by_multicast);
	RUN(methods);
	RUN(options_tells_what_we_can);
	RUN(cancel);
	RUN(merged);
	RUN(what_is_not_sip_is_silence);
	RUN(route_sets);
	RUN(the_notify_repeats_the_events_id);
	RUN(an_answer_that_would_be_too_large_is_not_made);
	RUN(each_maker_is_served);
	RUN(no_prefix_reads_too_far);
	return test_end();
}

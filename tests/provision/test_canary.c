/* SPDX-License-Identifier: MIT */
/* The canary: what it sends, what it takes for evidence, and how often it tells. */
#include "core/provision/canary_dialect.h"
#include "core/provision/request_check.h"
#include "core/sip/via.h"
#include "tests/provision/canary_bench.h"

static struct canary_bench b;
static struct sip_message message;
static char call_id[64];

static const struct address rogue = {ADDRESS_IPV4, {10, 13, 9, 9}};

static struct mac any_mac(void)
{
	return (struct mac){{0x00, 0x04, 0x13, 0xab, 0xcd, 0xef}};
}

/* Opens, and has sent one as a Snom. */
static void open_sent(void)
{
	canary_bench_open(&b);
	canary_bench_add_maker(&b, "snom");
	canary_bench_wake(&b);
	REQUIRE(bench_count_kind(&b.bench, EFFECT_SEND) == 1);
	REQUIRE(sip_message_parse(&message, bench_sent(&b.bench, 0)->bytes) == 0);
	REQUIRE(span_to_text(message.call_id, call_id, sizeof(call_id)) == 0);
}

static struct span with_call_id(const char *before, const char *after)
{
	static char text[2048];

	snprintf(text, sizeof(text), "%sCall-ID: %s\r\n%s", before, call_id, after);
	return span_text(text);
}

static struct span response(const char *status)
{
	char before[512];

	snprintf(before, sizeof(before),
		 "SIP/2.0 %s\r\nVia: SIP/2.0/UDP 10.13.4.121:40000;rport=40000\r\n"
		 "From: <sip:x@10.13.4.121>;tag=1\r\nTo: <sip:x@10.13.4.121>;tag=2\r\n",
		 status);
	return with_call_id(before, "CSeq: 1 SUBSCRIBE\r\nServer: Other/1.0\r\n"
				    "Content-Length: 0\r\n\r\n");
}

static struct span notify(const char *url)
{
	char after[512];

	snprintf(after, sizeof(after),
		 "CSeq: 3 NOTIFY\r\nEvent: ua-profile\r\nContent-Type: application/url\r\n"
		 "User-Agent: pnpserv\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(url), url);
	return with_call_id("NOTIFY sip:10.13.4.121:40000 SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 10.13.9.9:5060;branch=z9hG4bKx\r\n"
			    "Max-Forwards: 20\r\nFrom: <sip:x@10.13.4.121>;tag=2\r\n"
			    "To: <sip:x@10.13.4.121>;tag=1\r\n",
			    after);
}

/* The text of the last call's only report; empty when there is none. */
static struct span reported(void)
{
	for (size_t i = 0; i < b.bench.effects.count; i++) {
		if (b.bench.effects.items[i].kind == EFFECT_REPORT) {
			return b.bench.effects.items[i].report.text;
		}
	}
	return SPAN("");
}

static void each_dialect_is_a_request_that_we_would_serve(void)
{
	const struct canary_dialect *dialect;
	size_t count = 0;

	for (; (dialect = canary_dialect_at(count)); count++) {
		char bytes[2048];
		struct writer w = writer_over(bytes, sizeof(bytes));
		struct canary_phone phone = {.mac = any_mac(),
					     .local = {bench_phone, 40000},
					     .number = 7,
					     .call_id = SPAN("0000000007@10.13.2.37"),
					     .tag = SPAN("0011223344556677")};
		struct subscribe subscribe;

		canary_dialect_write(&w, dialect, &phone);
		REQUIRE(!w.failed);
		REQUIRE(sip_message_parse(&message, writer_span(&w)) == 0);
		CHECK_EQUAL(SIP_METHOD_SUBSCRIBE, message.method);
		CHECK_EQUAL(0, subscribe_check(&message, bench_phone, &subscribe).status);
		CHECK_SPAN(phone.tag, message.from.tag);
		CHECK_SPAN(phone.call_id, message.call_id);
		CHECK(address_equal(bench_phone, subscribe.contact.uri.host.address));
		CHECK_EQUAL(40000, subscribe.contact.uri.port);
		CHECK(span_search(writer_span(&w), SPAN("%")) == w.length ||
		      span_search(writer_span(&w), SPAN("%3")) < w.length);
	}
	CHECK_EQUAL(4, count);
}

static void a_round_asks_on_every_road_as_an_unclaimed_phone(void)
{
	canary_bench_open(&b);
	b.road_count = 2;
	canary_bench_add_maker(&b, "snom");
	CHECK(canary_next_wake(b.canary) >= b.bench.now_ms + canary_bench_interval_ms / 2);
	CHECK(canary_next_wake(b.canary) <= b.bench.now_ms + canary_bench_interval_ms * 3 / 2);
	for (int round = 0; round < 20; round++) {
		uint64_t before_ms = b.bench.now_ms;

		canary_bench_wake(&b);
		REQUIRE(bench_count_kind(&b.bench, EFFECT_SEND) == 2);
		for (size_t i = 0; i < 2; i++) {
			const struct effect_send *sent = bench_sent(&b.bench, i);

			CHECK(address_equal(bench_group, sent->to.address));
			CHECK_EQUAL(5060, sent->to.port);
			CHECK_EQUAL(40000, sent->from.port);
			CHECK_EQUAL(2 + i, sent->interface);
			REQUIRE(sip_message_parse(&message, sent->bytes) == 0);
			/* The maker's OUI of seven digits, and a tail of chance. */
			CHECK(span_starts_with(message.from.uri.user, SPAN("MAC%3a0004132")));
			CHECK(canary_is_one(&message));
		}
		CHECK(b.bench.now_ms - before_ms >= canary_bench_interval_ms / 2);
		CHECK(b.bench.now_ms - before_ms <= canary_bench_interval_ms * 3 / 2);
	}
	CHECK_EQUAL(40, canary_counters(b.canary).sent);
	canary_bench_close(&b);
}

static void makers_take_turns_and_none_is_no_canary(void)
{
	bool is_yealink = false;
	bool is_snom = false;

	canary_bench_open(&b);
	canary_bench_wake(&b);
	CHECK_EQUAL(0, b.bench.effects.count);
	CHECK_EQUAL(1, canary_counters(b.canary).no_maker);
	canary_bench_add_maker(&b, "snom");
	canary_bench_add_maker(&b, "yealink");
	canary_bench_add_maker(&b, "nobody");
	for (int i = 0; i < 40; i++) {
		struct span user;

		canary_bench_wake(&b);
		REQUIRE(sip_message_parse(&message, bench_sent(&b.bench, 0)->bytes) == 0);
		user = message.from.uri.user;
		is_snom = is_snom || span_starts_with(user, SPAN("MAC%3a"));
		is_yealink = is_yealink || !span_starts_with(user, SPAN("MAC%3a"));
	}
	CHECK(is_snom && is_yealink);
	canary_bench_close(&b);
}

/* What one Bellhop sends another one neither answers nor lists, by whatever way it comes. */
static void a_bellhop_knows_a_canary(void)
{
	static struct bench other;
	char bytes[2048];
	size_t length;

	open_sent();
	length = bench_sent(&b.bench, 0)->bytes.length;
	memcpy(bytes, bench_sent(&b.bench, 0)->bytes.data, length);
	bench_open(&other);
	other.packet.has_link_source = false;
	CHECK_EQUAL(0, bench_receive(&other, span_make(bytes, length)));
	CHECK_EQUAL(0, other.effects.count);
	CHECK_EQUAL(1, bench_counted(&other, "canary"));
	bench_unicast(&other);
	CHECK_EQUAL(0, bench_receive(&other, span_make(bytes, length)));
	CHECK_EQUAL(0, other.effects.count);
	/* A phone whose tag is as long is a phone. */
	REQUIRE(sip_message_parse(&message, span_make(bytes, length)) == 0);
	*(char *)(uintptr_t)(message.from.tag.data) ^= 1;
	REQUIRE(sip_message_parse(&message, span_make(bytes, length)) == 0);
	CHECK(!canary_is_one(&message));
	bench_close(&other);
	canary_bench_close(&b);
}

static void a_notify_names_the_rogue_at_once_and_without_the_path(void)
{
	struct canary_rogue standing[4];

	open_sent();
	canary_bench_receive(&b, rogue, response("200 OK"));
	CHECK_EQUAL(0, b.bench.effects.count); /* the NOTIFY will say more */
	canary_bench_receive(&b, rogue, notify("http://user:pw@10.13.9.9:88/secret/"));
	CHECK_TEXT("10.13.9.9 on eth0 answers phones that look for their configuration and sends "
		   "them to 10.13.9.9:88; it calls itself pnpserv",
		   reported());
	CHECK(bench_reported(&b.bench, "rogue_responder"));
	/* It is told that there is no such dialog, so that it does not come again and again. */
	REQUIRE(bench_count_kind(&b.bench, EFFECT_SEND) == 1);
	CHECK_EQUAL(481, bench_status(&b.bench, 0));
	CHECK(address_equal(rogue, bench_sent(&b.bench, 0)->to.address));
	CHECK_EQUAL(1, canary_standing(b.canary, b.bench.now_ms, standing, 4));
	CHECK_TEXT("10.13.9.9:88", span_text(standing[0].host));
	CHECK_EQUAL(200, standing[0].status);
	canary_bench_close(&b);
}

static void a_200_alone_is_told_when_no_notify_follows(void)
{
	open_sent();
	canary_bench_receive(&b, rogue, response("200 OK"));
	CHECK(canary_next_wake(b.canary) == b.bench.now_ms + canary_url_wait_ms);
	canary_bench_wake(&b);
	CHECK_TEXT("10.13.9.9 on eth0 accepts phones that look for their configuration (200) and "
		   "names no URL; it calls itself Other/1.0",
		   reported());
	canary_bench_close(&b);
}

static void a_refusal_is_told_too(void)
{
	open_sent();
	canary_bench_receive(&b, rogue, response("100 Trying"));
	CHECK_EQUAL(0, b.bench.effects.count);
	canary_bench_receive(&b, rogue, response("489 Bad Event"));
	CHECK_TEXT("10.13.9.9 on eth0 refuses phones that look for their configuration (489), "
		   "which ends their search; it calls itself Other/1.0",
		   reported());
	canary_bench_close(&b);
}

static void what_is_not_about_ours_is_dropped(void)
{
	open_sent();
	snprintf(call_id, sizeof(call_id), "guessed");
	canary_bench_receive(&b, rogue, response("200 OK"));
	canary_bench_receive(&b, rogue, notify("http://10.13.9.9/"));
	canary_bench_receive(&b, rogue, SPAN("nonsense"));
	canary_bench_receive(&b, rogue, SPAN(""));
	CHECK_EQUAL(3 + 1, canary_counters(b.canary).unmatched);
	CHECK_EQUAL(0, canary_counters(b.canary).answered);
	CHECK_EQUAL(0, b.bench.effects.count);
	canary_bench_close(&b);
}

static void an_answer_that_comes_too_late_is_dropped(void)
{
	open_sent();
	b.bench.now_ms += canary_answer_max_ms + 1;
	canary_bench_receive(&b, rogue, response("200 OK"));
	CHECK_EQUAL(1, canary_counters(b.canary).unmatched);
	canary_bench_close(&b);
}

/* Sends the next canary and takes its Call-ID. */
static void next_round(void)
{
	do {
		canary_bench_wake(&b);
	} while (bench_count_kind(&b.bench, EFFECT_SEND) == 0);
	REQUIRE(sip_message_parse(&message, bench_sent(&b.bench, 0)->bytes) == 0);
	REQUIRE(span_to_text(message.call_id, call_id, sizeof(call_id)) == 0);
}

static void one_address_is_told_once_an_hour_and_stands_while_it_answers(void)
{
	struct canary_rogue standing[4];
	uint64_t told_ms;
	unsigned told = 0;

	open_sent();
	canary_bench_receive(&b, rogue, notify("http://10.13.9.9/"));
	CHECK(bench_reported(&b.bench, "rogue_responder"));
	told_ms = b.bench.now_ms;
	for (next_round(); b.bench.now_ms - told_ms < canary_repeat_ms; next_round()) {
		canary_bench_receive(&b, rogue, notify("http://10.13.9.9/"));
		told += bench_reported(&b.bench, "rogue_responder");
		CHECK_EQUAL(1, canary_standing(b.canary, b.bench.now_ms, standing, 4));
	}
	CHECK_EQUAL(0, told);
	canary_bench_receive(&b, rogue, notify("http://10.13.9.9/"));
	CHECK(bench_reported(&b.bench, "rogue_responder"));
	/* It is switched off. */
	told_ms = b.bench.now_ms;
	while (b.bench.now_ms - told_ms <= 3 * canary_bench_interval_ms) {
		canary_bench_wake(&b);
	}
	CHECK_EQUAL(0, canary_standing(b.canary, b.bench.now_ms, standing, 4));
	canary_bench_close(&b);
}

static void more_rogues_than_room_are_counted(void)
{
	open_sent();
	for (uint8_t i = 0; i < canary_rogues_max + 3; i++) {
		canary_bench_receive(&b, address_ipv4(10, 13, 9, i), notify("http://x/"));
	}
	CHECK_EQUAL(3, canary_counters(b.canary).full);
	canary_bench_close(&b);
}

/* A program's name is shown, and can neither end a line nor forge one. */
static void what_a_rogue_says_is_made_harmless(void)
{
	open_sent();
	canary_bench_receive(&b, rogue,
			     notify("http://a\"\\\x01\xff"
				    "b\r\nc/"));
	CHECK_TEXT("10.13.9.9 on eth0 answers phones that look for their configuration and sends "
		   "them to a????b; it calls itself pnpserv",
		   reported());
	canary_bench_close(&b);
	open_sent();
	canary_bench_receive(&b, rogue, notify("tftp.example/x"));
	CHECK(span_search(reported(), SPAN("sends them to tftp.example;")) < reported().length);
	canary_bench_close(&b);
}

/* Responders of the field count their body wrongly (dialects.md B.1, mcserv): heard all the same.
 */
static void a_broken_notify_is_evidence_too(void)
{
	char text[1024];
	struct span whole;

	open_sent();
	whole = notify("http://10.13.9.9/");
	REQUIRE(span_to_text(whole, text, sizeof(text)) == 0);
	REQUIRE(bench_replace(text, sizeof(text), "Content-Length: 17", "Content-Length: 19"));
	canary_bench_receive(&b, rogue, span_text(text));
	CHECK(span_search(reported(), SPAN("sends them to 10.13.9.9;")) < reported().length);
	CHECK_EQUAL(481, bench_status(&b.bench, 0));
	canary_bench_close(&b);
}

int main(void)
{
	RUN(each_dialect_is_a_request_that_we_would_serve);
	RUN(a_round_asks_on_every_road_as_an_unclaimed_phone);
	RUN(makers_take_turns_and_none_is_no_canary);
	RUN(a_bellhop_knows_a_canary);
	RUN(a_notify_names_the_rogue_at_once_and_without_the_path);
	RUN(a_200_alone_is_told_when_no_notify_follows);
	RUN(a_refusal_is_told_too);
	RUN(what_is_not_about_ours_is_dropped);
	RUN(an_answer_that_comes_too_late_is_dropped);
	RUN(one_address_is_told_once_an_hour_and_stands_while_it_answers);
	RUN(more_rogues_than_room_are_counted);
	RUN(what_a_rogue_says_is_made_harmless);
	RUN(a_broken_notify_is_evidence_too);
	return test_end();
}

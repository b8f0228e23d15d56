/* SPDX-License-Identifier: MIT */
/*
 * The exchange, octet by octet and moment by moment: both forms, copies, timers, resolving,
 * identity, errors of the network, full tables.
 */
#include "tests/provision/harness.h"
#include "tests/test.h"

#include <errno.h>

static struct bench bench;
static const char *root = ".";

/* A response of the phone to the NOTIFY that was sent last. */
static struct span response_to(struct span notify, unsigned status, char *buffer, size_t size)
{
	static struct sip_message m;
	int length;

	CHECK_EQUAL(0, sip_message_parse(&m, notify));
	length = snprintf(buffer, size,
			  "SIP/2.0 %u Whatever\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s\r\n"
			  "Call-ID: %.*s\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n",
			  status, (int)m.via.text.length, m.via.text.data, (int)m.from.text.length,
			  m.from.text.data, (int)m.to.text.length, m.to.text.data,
			  (int)m.call_id.length, m.call_id.data);
	return span_make(buffer, (size_t)length);
}

/* The seed with its first `from` replaced. */
static struct span seed_with(const char *from, const char *to)
{
	static char text[8192];

	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), from, to));
	return span_text(text);
}

static struct span seed_numbered(unsigned number)
{
	static char text[1024];
	char id[64];

	snprintf(id, sizeof(id), "Call-ID: n%u", number);
	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), "Call-ID: 8", id));
	snprintf(id, sizeof(id), "branch=z9hG4bKn%u", number);
	CHECK(bench_replace(text, sizeof(text), "branch=z9hG4bK", id));
	return span_text(text);
}

/* CSeq 2 of the seed's call, with a branch of its own. */
static struct span seed_in_same_call(void)
{
	static char text[1024];

	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), "CSeq: 1", "CSeq: 2"));
	CHECK(bench_replace(text, sizeof(text), "branch=z9hG4bK", "branch=z9hG4bKsecond"));
	return span_text(text);
}

static void open_claimed(void)
{
	bench_open(&bench);
	bench_claim(&bench, bench_mac);
}

static struct notice neighbour_notice(struct mac mac)
{
	return (struct notice){.kind = NOTICE_NEIGHBOUR,
			       .endpoint = {bench_phone, 0},
			       .interface = 2,
			       .mac = mac,
			       .by = IDENTIFIED_BY_NEIGHBOUR};
}

static void the_seed_is_what_the_manual_prints(void)
{
	static char text[2048];
	char directory[1024];

	snprintf(directory, sizeof(directory), "%s/tests/fixtures/sip", root);
	CHECK_EQUAL(579, sizeof(bench_seed) - 1);
	CHECK_TEXT(bench_seed,
		   bench_read_file(directory, "seed-subscribe.sip", text, sizeof(text)));
}

/* Golden exchange of doc/standards.md; R-SEED-1 to 7, R-3581-2, 3, R-MCAST-4, 5. */
static void the_rfc_form_is_the_golden_exchange(void)
{
	char expected[2048];
	struct span tag;
	struct span branch;
	static struct sip_message m;
	const struct effect_send *sent;

	open_claimed();
	CHECK_EQUAL(0, bench_receive(&bench, SPAN("")));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	sent = bench_sent(&bench, 0);
	CHECK_EQUAL(0, sip_message_parse(&m, sent->bytes));
	tag = m.to.tag;
	CHECK(tag.length >= 8); /* R-3261-32 */
	snprintf(expected, sizeof(expected),
		 "SIP/2.0 200 OK\r\n"
		 "Via: SIP/2.0/UDP 10.13.2.37:5060;rport=5060;"
		 "branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e;received=10.13.2.37\r\n"
		 "From: <sip:00000001@10.13.2.37:5060>;"
		 "tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398\r\n"
		 "To: <sip:224.0.1.75:5060>;tag=%.*s\r\n"
		 "Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
		 "CSeq: 1 SUBSCRIBE\r\n"
		 "Contact: <sip:10.13.4.121:5060>\r\n"
		 "Expires: 0\r\n"
		 "Content-Length: 0\r\n\r\n",
		 (int)tag.length, tag.data);
	CHECK_TEXT(expected, sent->bytes);
	CHECK(endpoint_equal((struct endpoint){bench_server, 5060}, sent->from));
	CHECK_EQUAL(2, sent->interface);

	sent = bench_sent(&bench, 1);
	CHECK_EQUAL(0, sip_message_parse(&m, sent->bytes));
	branch = m.via.branch;
	CHECK(span_starts_with(branch, SPAN("z9hG4bK"))); /* R-3261-39 */
	snprintf(expected, sizeof(expected),
		 "NOTIFY sip:00000001@10.13.2.37:5060 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.13.4.121:5060;branch=%.*s;rport\r\n"
		 "Max-Forwards: 70\r\n"
		 "From: <sip:224.0.1.75:5060>;tag=%.*s\r\n"
		 "To: <sip:00000001@10.13.2.37:5060>;"
		 "tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398\r\n"
		 "Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
		 "CSeq: 1 NOTIFY\r\n"
		 "Contact: <sip:10.13.4.121:5060>\r\n"
		 "Event: ua-profile;effective-by=0\r\n"
		 "Subscription-State: terminated;reason=timeout\r\n"
		 "Content-Type: application/url\r\n"
		 "Content-Length: 18\r\n\r\n"
		 "tftp://10.13.4.121",
		 (int)branch.length, branch.data, (int)m.from.tag.length, m.from.tag.data);
	CHECK_TEXT(expected, sent->bytes);
	CHECK(endpoint_equal((struct endpoint){bench_server, 5060}, sent->from));
	CHECK_SPAN(tag, m.from.tag);
	bench_close(&bench);
}

/* The manual's own 200 (368 octets) and NOTIFY (565), headers in its order (dialects.md A.1). */
static void the_print_form_is_what_the_manual_prints(void)
{
	static const char answer[] =
		"SIP/2.0 200 OK\r\n"
		"Via: SIP/2.0/UDP "
		"10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e\r\n"
		"Contact: <sip:10.13.2.37:5060>\r\n"
		"To: <sip:224.0.1.75:5060>\r\n"
		"From: <sip:00000001@10.13.2.37:5060>;"
		"tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398\r\n"
		"Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
		"CSeq: 1 SUBSCRIBE\r\n"
		"Expires: 0\r\n"
		"Content-Length: 0\r\n\r\n";
	static const char notify[] =
		"NOTIFY sip:10.13.2.37:5060 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP "
		"10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e\r\n"
		"Max-Forwards: 20\r\n"
		"Contact: <sip:10.13.4.121:5060>\r\n"
		"To: <sip:224.0.1.75:5060>\r\n"
		"From: <sip:00000001@10.13.2.37:5060>;"
		"tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398\r\n"
		"Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
		"CSeq: 1 NOTIFY\r\n"
		"Content-Type: application/url\r\n"
		"Subscription-State: terminated;reason=timeout\r\n"
		"Event: "
		"ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n"
		"Content-Length: 18\r\n\r\n"
		"tftp://10.13.4.121";

	open_claimed();
	bench_set_form(&bench, bench_mac, FORM_PRINT);
	CHECK_EQUAL(368, sizeof(answer) - 1);
	CHECK_EQUAL(565, sizeof(notify) - 1);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	CHECK_TEXT(answer, bench_sent(&bench, 0)->bytes);
	CHECK_TEXT(notify, bench_sent(&bench, 1)->bytes);
	bench_close(&bench);
}

/* The form: the device's, else that of its maker's pack, else rfc. */
static void the_makers_pack_chooses_the_form(void)
{
	struct vendor_pack *pack = calloc(1, sizeof(*pack));

	REQUIRE(pack != NULL);
	arena_init(&pack->arena, 4096);
	pack->name = SPAN("audiocodes");
	pack->url_max = 128;
	pack->form = FORM_PRINT;
	open_claimed();
	CHECK_EQUAL(0, vendors_add(&bench.inventory.vendors, pack));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	CHECK(span_search(bench_sent(&bench, 1)->bytes, SPAN("Max-Forwards: 70")) <
	      bench_sent(&bench, 1)->bytes.length);
	bench_expire(&bench, bench.now_ms + 64000);
	bench_expire(&bench, bench.now_ms + 1);
	bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_SET,
					      .fields = FIELD_VENDOR,
					      .mac = bench_mac,
					      .vendor = SPAN("audiocodes")});
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	CHECK(span_search(bench_sent(&bench, 1)->bytes, SPAN("Max-Forwards: 20")) <
	      bench_sent(&bench, 1)->bytes.length);
	bench_expire(&bench, bench.now_ms + 64000);
	bench_expire(&bench, bench.now_ms + 1);
	bench_set_form(&bench, bench_mac, FORM_RFC);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	CHECK(span_search(bench_sent(&bench, 1)->bytes, SPAN("Max-Forwards: 70")) <
	      bench_sent(&bench, 1)->bytes.length);
	bench_close(&bench);
}

static void a_server_header_is_added_to_answers(void)
{
	open_claimed();
	signalling_free(bench.signalling);
	bench.options.server_header = SPAN("Bellhop/0.1");
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	CHECK(span_search(bench_sent(&bench, 0)->bytes, SPAN("\r\nServer: Bellhop/0.1\r\n")) <
	      bench_sent(&bench, 0)->bytes.length);
	bench_close(&bench);
}

/* The inventory hears what was seen and that the URL went out; the operator never sees the URL. */
static void a_served_phone_is_recorded(void)
{
	const struct change *seen;

	open_claimed();
	bench.url = SPAN("tftp://%{address}/p/%{key}/x");
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	seen = bench_changed(&bench, CHANGE_DEVICE_SEEN);
	REQUIRE(seen != NULL);
	CHECK(mac_equal(bench_mac, seen->mac));
	CHECK(address_equal(bench_phone, seen->address));
	CHECK_TEXT("eth0", seen->interface);
	CHECK_EQUAL(IDENTIFIED_BY_FRAME, seen->identified_by);
	CHECK_TEXT("440HD", seen->model);
	CHECK_TEXT("2.2.2", seen->firmware);
	REQUIRE(bench_changed(&bench, CHANGE_DEVICE_NOTIFIED) != NULL);
	CHECK(mac_equal(bench_mac, bench_changed(&bench, CHANGE_DEVICE_NOTIFIED)->mac));
	CHECK(bench_reported(&bench, "url_sent"));
	for (size_t i = 0; i < bench.effects.count; i++) {
		if (bench.effects.items[i].kind == EFFECT_REPORT) {
			struct span text = bench.effects.items[i].report.text;

			CHECK(span_search(text, SPAN("/p/")) == text.length);
		}
	}
	bench_change(&bench, seen);
	bench_change(&bench, bench_changed(&bench, CHANGE_DEVICE_NOTIFIED));
	CHECK_EQUAL(DEVICE_NOTIFIED, inventory_device(&bench.inventory, bench_mac)->state);
	bench_close(&bench);
}

/* R-3261-62, 67: the same octets again, no second NOTIFY, for 32 s (Timer J). */
static void a_copy_gets_the_same_octets(void)
{
	char first[1024];
	size_t length;
	static const uint64_t copies_ms[] = {500, 1500, 3500, 31999};
	uint64_t start_ms;

	open_claimed();
	start_ms = bench.now_ms;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	length = bench_sent(&bench, 0)->bytes.length;
	memcpy(first, bench_sent(&bench, 0)->bytes.data, length);
	for (unsigned i = 0; i < 4; i++) {
		bench_expire(&bench, start_ms + copies_ms[i]);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
		REQUIRE(bench_sent(&bench, 0) != NULL);
		CHECK_SPAN(span_make(first, length), bench_sent(&bench, 0)->bytes);
		CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_CHANGE));
	}
	CHECK_EQUAL(4, bench_counted(&bench, "copy_answered"));
	bench_expire(&bench, start_ms + 32000);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

/* R-MCAST-6: the same datagram by two interfaces is one 200 and one NOTIFY. */
static void one_datagram_on_two_interfaces_is_answered_once(void)
{
	open_claimed();
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_served(&bench));
	bench.packet.interface = 3;
	bench.packet.local = address_ipv4(192, 168, 7, 1);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(1, bench_counted(&bench, "copy_by_another_way"));
	/* The phone's next copy is answered where the first one was. */
	bench.packet.interface = 2;
	bench.packet.local = bench_server;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

/* Nobody takes the place of a transaction whose branch he guessed. */
static void another_source_is_another_transaction(void)
{
	open_claimed();
	bench.packet.source.address = address_ipv4(10, 13, 2, 66);
	bench.packet.link_source = (struct mac){{2, 0, 0, 0, 0, 66}};
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_silent(&bench));
	bench.packet.source.address = bench_phone;
	bench.packet.link_source = bench_mac;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_served(&bench));
	/* A copy from another port of the same address is not worth a datagram. */
	bench.packet.source.port = 5999;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_silent(&bench));
	bench_close(&bench);
}

/* The timing table: NOTIFY to a dead phone at 0, .5, 1.5, 3.5, 7.5 … 31.5 s; told at 32 s. */
static void a_notify_is_resent_until_timer_f(void)
{
	static const uint64_t sent_ms[] = {500,	  1500,	 3500,	7500,  11500,
					   15500, 19500, 23500, 27500, 31500};
	char notify[1024];
	size_t length;
	uint64_t start_ms;

	open_claimed();
	start_ms = bench.now_ms;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	length = bench_sent(&bench, 1)->bytes.length;
	memcpy(notify, bench_sent(&bench, 1)->bytes.data, length);
	for (unsigned i = 0; i < 10; i++) {
		CHECK_EQUAL(start_ms + sent_ms[i], signalling_next_wake(bench.signalling));
		bench_expire(&bench, start_ms + sent_ms[i] - 1);
		CHECK(bench_is_silent(&bench));
		bench_expire(&bench, start_ms + sent_ms[i]);
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
		REQUIRE(bench_sent(&bench, 0) != NULL);
		CHECK_SPAN(span_make(notify, length), bench_sent(&bench, 0)->bytes);
		CHECK(endpoint_equal(bench.packet.source, bench_sent(&bench, 0)->to));
	}
	CHECK_EQUAL(start_ms + 32000, signalling_next_wake(bench.signalling));
	bench_expire(&bench, start_ms + 32000);
	CHECK(bench_is_silent(&bench));
	CHECK(bench_reported(&bench, "notify_timeout"));
	CHECK_EQUAL(UINT64_MAX, signalling_next_wake(bench.signalling));
	bench_close(&bench);
}

/* R-3261-58: the phone's 200 ends it, copies are absorbed for 5 s (Timer K). */
static void a_200_ends_the_notify(void)
{
	char text[2048];
	struct span response;
	uint64_t start_ms;

	open_claimed();
	start_ms = bench.now_ms;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	response = response_to(bench_sent(&bench, 1)->bytes, 200, text, sizeof(text));
	bench_unicast(&bench);
	bench.now_ms += 20;
	CHECK_EQUAL(0, bench_receive(&bench, response));
	CHECK_EQUAL(1, bench_counted(&bench, "notify_accepted"));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(start_ms + 20 + 5000, signalling_next_wake(bench.signalling));
	CHECK_EQUAL(0, bench_receive(&bench, response));
	CHECK_EQUAL(1, bench_counted(&bench, "response_copy"));
	bench_expire(&bench, start_ms + 5020);
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, response));
	CHECK_EQUAL(1, bench_counted(&bench, "response_unmatched"));
	bench_close(&bench);
}

/* R-6665-28, 29: whatever the refusal, this subscription is over; the operator hears of it. */
static void a_refusal_ends_the_notify(void)
{
	static const unsigned statuses[] = {301, 401, 403, 404, 405, 407, 408, 410, 416, 480, 481,
					    482, 483, 484, 485, 489, 500, 501, 503, 603, 604};
	char text[2048];

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		open_claimed();
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		REQUIRE(bench_is_served(&bench));
		CHECK_EQUAL(0, bench_receive(&bench, response_to(bench_sent(&bench, 1)->bytes,
								 statuses[i], text, sizeof(text))));
		CHECK(bench_is_silent(&bench));
		CHECK(bench_reported(&bench, "notify_refused"));
		bench_expire(&bench, bench.now_ms + 4999);
		CHECK(bench_is_silent(&bench));
		bench_close(&bench);
	}
}

/* R-3261-54, 60, 74: what is not the response to our NOTIFY changes nothing. */
static void foreign_responses_are_dropped(void)
{
	char text[2048];
	char changed[2048];
	static const char *const swaps[][2] = {
		{"Via: SIP/2.0/UDP 10.13.4.121", "Via: SIP/2.0/UDP 10.13.4.122"},
		{"Via: SIP/2.0/UDP 10.13.4.121:5060", "Via: SIP/2.0/UDP 10.13.4.121:5061"},
		{"branch=z9hG4bK", "branch=z9hG4bKx"},
		{"CSeq: 1 NOTIFY", "CSeq: 1 SUBSCRIBE"},
		{"Via: ", "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKq, "},
		{"\r\nFrom", ", SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKq\r\nFrom"},
		{"\r\nFrom", "\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKq\r\nFrom"},
		{"Content-Length: 0", "Content-Length: 9"},
		{"SIP/2.0 200 ", "SIP/2.0 42949672301 "},
	};

	open_claimed();
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	response_to(bench_sent(&bench, 1)->bytes, 200, text, sizeof(text));
	for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
		strcpy(changed, text);
		CHECK(bench_replace(changed, sizeof(changed), swaps[i][0], swaps[i][1]));
		CHECK_EQUAL(0, bench_receive(&bench, span_text(changed)));
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(0, bench_counted(&bench, "notify_accepted"));
	}
	CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
	CHECK_EQUAL(1, bench_counted(&bench, "notify_accepted"));
	bench_close(&bench);
}

/* The print form: the 200 comes with the phone's own Via or with none; source, Call-ID, CSeq. */
static void the_print_forms_200_is_matched_without_our_via(void)
{
	static const char *const vias[] = {
		"Via: SIP/2.0/UDP "
		"10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e\r\n",
		"",
	};
	char text[2048];

	for (unsigned i = 0; i < 2; i++) {
		open_claimed();
		bench_set_form(&bench, bench_mac, FORM_PRINT);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		REQUIRE(bench_is_served(&bench));
		snprintf(text, sizeof(text),
			 "SIP/2.0 200 OK\r\n%sTo: <sip:224.0.1.75:5060>\r\n"
			 "From: <sip:00000001@10.13.2.37:5060>;tag=x\r\n"
			 "Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
			 "CSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n",
			 vias[i]);
		bench.packet.source.address = address_ipv4(10, 13, 2, 66);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
		CHECK_EQUAL(0, bench_counted(&bench, "notify_accepted"));
		bench.packet.source.address = bench_phone;
		CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
		CHECK_EQUAL(1, bench_counted(&bench, "notify_accepted"));
		bench_expire(&bench, bench.now_ms + 3000);
		CHECK(bench_is_silent(&bench));
		bench_close(&bench);
	}
}

/* audiocodes.md 6.5: 0, 0.5, 1.5, 3.5 s, and no more after 5 s. */
static void the_print_form_stops_after_five_seconds(void)
{
	static const uint64_t sent_ms[] = {500, 1500, 3500};
	uint64_t start_ms;

	open_claimed();
	start_ms = bench.now_ms;
	bench_set_form(&bench, bench_mac, FORM_PRINT);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	for (unsigned i = 0; i < 3; i++) {
		bench_expire(&bench, start_ms + sent_ms[i]);
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	}
	bench_expire(&bench, start_ms + 5000);
	CHECK(bench_is_silent(&bench));
	CHECK(!bench_reported(&bench, "notify_timeout"));
	CHECK_EQUAL(1, bench_counted(&bench, "notify_unanswered"));
	bench_expire(&bench, start_ms + 31000);
	CHECK(bench_is_silent(&bench));
	bench_close(&bench);
}

/* The same Call-ID again, in a new transaction: the phone gets its NOTIFY, the old one is moot. */
static void the_print_form_is_sent_anew_in_the_same_call(void)
{
	uint64_t start_ms;

	open_claimed();
	start_ms = bench.now_ms;
	bench_set_form(&bench, bench_mac, FORM_PRINT);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	bench.now_ms += 400;
	CHECK_EQUAL(0, bench_receive(&bench, seed_with("branch=z9hG4bK", "branch=z9hG4bKnew")));
	CHECK(!bench_is_served(&bench)); /* merged: the same CSeq */
	bench_unicast(&bench);
	CHECK_EQUAL(0, bench_receive(&bench, seed_with("Via: SIP/2.0/UDP 10.13.2.37:5060;rport;"
						       "branch=z9hG4bK-386d4398-6ad00ca2",
						       "Via: SIP/2.0/UDP 10.13.2.37:5060;rport;"
						       "branch=z9hG4bK-386d4398-6ad00ca3")));
	CHECK_EQUAL(482, bench_status(&bench, 0));
	CHECK_EQUAL(0, bench_receive(&bench, seed_in_same_call()));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(1, bench_counted(&bench, "notify_superseded"));
	CHECK_EQUAL(start_ms + 900, signalling_next_wake(bench.signalling));
	bench_close(&bench);
}

/* Hundreds of resends in one moment, and a short list: none is lost, the rest stays due. */
static void a_short_list_of_effects_loses_no_resend(void)
{
	unsigned resent = 0;
	unsigned calls = 0;
	uint64_t due_ms;

	bench_open_with(&bench, 64, 8);
	bench_claim(&bench, bench_mac);
	for (unsigned i = 0; i < 40; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(i)));
		CHECK(bench_is_served(&bench));
	}
	due_ms = bench.now_ms + 500;
	while (signalling_next_wake(bench.signalling) <= due_ms && calls++ < 100) {
		bench_expire(&bench, due_ms);
		resent += (unsigned)bench_count_kind(&bench, EFFECT_SEND);
	}
	CHECK_EQUAL(40, resent);
	CHECK_EQUAL(0, bench.effects.lost);
	CHECK(calls > 1);
	bench_close(&bench);
}

static void a_fetch_stops_resending(void)
{
	for (unsigned i = 0; i < 2; i++) {
		open_claimed();
		bench_set_form(&bench, bench_mac, i == 0 ? FORM_PRINT : FORM_RFC);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		REQUIRE(bench_is_served(&bench));
		CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = NOTICE_FETCHED,
								    .mac = bench_mac}));
		bench_expire(&bench, bench.now_ms + 4000);
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(1, bench_counted(&bench, "notify_fetched"));
		bench_close(&bench);
	}
}

/* R-3261-59, 79: an ICMP error ends this phone's NOTIFY; the next phone is served all the same. */
static void unreachable_ends_one_phone_only(void)
{
	static const struct mac second = {{0, 0x90, 0x8f, 0, 0, 2}};
	struct notice notice = {.kind = NOTICE_UNREACHABLE,
				.endpoint = {bench_phone, 5060},
				.error = ECONNREFUSED};

	open_claimed();
	bench_claim(&bench, second);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	bench.packet.source.address = address_ipv4(10, 13, 2, 38);
	bench.packet.link_source = second;
	CHECK_EQUAL(0, bench_receive(&bench, seed_with("Contact: <sip:00000001@10.13.2.37",
						       "Contact: <sip:00000001@10.13.2.38")));
	REQUIRE(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_notice(&bench, notice));
	CHECK(bench_is_silent(&bench));
	CHECK(bench_reported(&bench, "notify_unreachable"));
	CHECK(mac_equal(bench_mac, bench.effects.items[0].report.mac));
	bench_expire(&bench, bench.now_ms + 500);
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	CHECK(endpoint_equal(bench.packet.source, bench_sent(&bench, 0)->to));
	CHECK_EQUAL(0, bench_notice(&bench, notice));
	CHECK_EQUAL(0, bench.effects.count);
	bench_close(&bench);
}

/* ---- resolving ------------------------------------------------------------------------------ */

static void open_unseen(void)
{
	open_claimed();
	bench.packet.has_link_source = false;
}

/* The first multicast of a phone that the server has never spoken to. */
static void an_unknown_neighbour_is_resolved_first(void)
{
	open_unseen();
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_silent(&bench));
	REQUIRE(bench_count_kind(&bench, EFFECT_RESOLVE) == 1);
	CHECK(address_equal(bench_phone, bench.effects.items[0].resolve.address));
	CHECK_EQUAL(2, bench.effects.items[0].resolve.interface);
	/* R-3261-62: copies are absorbed meanwhile, and nobody is asked twice. */
	bench.now_ms += 500;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(1, bench_counted(&bench, "copy_absorbed"));
	CHECK_EQUAL(0, bench_notice(&bench, neighbour_notice(bench_mac)));
	CHECK(bench_is_served(&bench));
	REQUIRE(bench_changed(&bench, CHANGE_DEVICE_SEEN) != NULL);
	CHECK_EQUAL(IDENTIFIED_BY_NEIGHBOUR,
		    bench_changed(&bench, CHANGE_DEVICE_SEEN)->identified_by);
	CHECK_EQUAL(0, bench_notice(&bench, neighbour_notice(bench_mac)));
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

/* What is in the datagram is gone when the answer comes: the bytes were copied. */
static void a_waiting_request_does_not_need_its_datagram(void)
{
	char text[sizeof(bench_seed)];

	open_unseen();
	memcpy(text, bench_seed, sizeof(text));
	CHECK_EQUAL(0, bench_receive(&bench, span_make(text, sizeof(text) - 1)));
	memset(text, 'x', sizeof(text));
	CHECK_EQUAL(0, bench_notice(&bench, neighbour_notice(bench_mac)));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

static void an_address_is_asked_for_once(void)
{
	open_unseen();
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(i)));
		CHECK_EQUAL(i == 0, bench_count_kind(&bench, EFFECT_RESOLVE));
	}
	bench.packet.interface = 3;
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(3)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_RESOLVE));
	CHECK_EQUAL(0, bench_notice(&bench, neighbour_notice(bench_mac)));
	CHECK_EQUAL(6, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

/* Nobody answers: silence after a second, and the next copy is looked at afresh. */
static void waiting_ends_after_a_second(void)
{
	open_unseen();
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK_EQUAL(bench.now_ms + 1000, signalling_next_wake(bench.signalling));
	bench_expire(&bench, bench.now_ms + 999);
	CHECK_EQUAL(0, bench_counted(&bench, "resolve_timeout"));
	bench_expire(&bench, bench.now_ms + 1);
	CHECK_EQUAL(1, bench_counted(&bench, "resolve_timeout"));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_CHANGE));
	CHECK_EQUAL(UINT64_MAX, signalling_next_wake(bench.signalling));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_RESOLVE));
	bench_close(&bench);
}

/* By unicast the end of the wait is a 403. */
static void what_cannot_be_resolved_is_refused(void)
{
	static const enum notice_kind kinds[] = {NOTICE_NO_NEIGHBOUR, NOTICE_ROUTED};

	for (unsigned i = 0; i < 2; i++) {
		open_unseen();
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = kinds[i],
								    .endpoint = {bench_phone, 0}}));
		CHECK(bench_is_silent(&bench));
		bench_unicast(&bench);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = kinds[i],
								    .endpoint = {bench_phone, 0}}));
		CHECK_EQUAL(403, bench_status(&bench, 0));
		bench_close(&bench);
	}
}

/* `routed = serve`: a MAC that is named, by a phone whose hardware address cannot be seen. */
static void a_routed_phone_is_served_when_configured(void)
{
	open_unseen();
	bench.policy.serves_routed = true;
	CHECK_EQUAL(0, bench_receive(&bench,
				     seed_with("SUBSCRIBE sip:224.0.1.75:5060",
					       "SUBSCRIBE sip:MAC%3a00908f123456@224.0.1.75")));
	CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = NOTICE_ROUTED,
							    .endpoint = {bench_phone, 0}}));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

static void a_bound_address_needs_no_resolving(void)
{
	open_unseen();
	bench_bind(&bench, bench_mac, bench_phone);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(IDENTIFIED_BY_ADDRESS,
		    bench_changed(&bench, CHANGE_DEVICE_SEEN)->identified_by);
	bench_close(&bench);
}

/* ---- who gets nothing ----------------------------------------------------------------------- */

/* A SUBSCRIBE that names another's MAC gets nothing. */
static void naming_anothers_mac_gets_nothing(void)
{
	struct span liar;

	open_claimed();
	bench.packet.link_source = (struct mac){{2, 0, 0, 0, 0, 66}};
	liar = seed_with("SUBSCRIBE sip:224.0.1.75:5060",
			 "SUBSCRIBE sip:MAC%3a00908f123456@224.0.1.75");
	CHECK_EQUAL(0, bench_receive(&bench, liar));
	CHECK(bench_is_silent(&bench));
	CHECK(bench_reported(&bench, "mac_conflict"));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_CHANGE));
	CHECK_EQUAL(1, bench_counted(&bench, "mac_is_not_its_own"));
	bench_unicast(&bench);
	CHECK_EQUAL(0, bench_receive(&bench, liar));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(2, bench_counted(&bench, "mac_is_not_its_own"));
	bench_close(&bench);
}

/* Unclaimed: silence and listed as new, with the MAC that the network showed. */
static void an_unclaimed_phone_is_listed_in_silence(void)
{
	const struct change *seen;

	bench_open(&bench);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_silent(&bench));
	seen = bench_changed(&bench, CHANGE_DEVICE_SEEN);
	REQUIRE(seen != NULL);
	CHECK(mac_equal(bench_mac, seen->mac));
	CHECK(bench_changed(&bench, CHANGE_DEVICE_NOTIFIED) == NULL);
	bench_change(&bench, seen);
	CHECK_EQUAL(DEVICE_NEW, inventory_device(&bench.inventory, bench_mac)->state);
	/* Claimed in time, its next copy is served: a refusal leaves no transaction behind. */
	bench_claim(&bench, bench_mac);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

static void an_ignored_or_blocked_phone_is_not_listed(void)
{
	bench_open(&bench);
	bench.policy.unknown = UNKNOWN_IGNORE;
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK_EQUAL(0, bench.effects.count);
	bench_close(&bench);

	open_claimed();
	bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_BLOCK, .mac = bench_mac});
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(1, bench_counted(&bench, "blocked"));
	bench_close(&bench);
}

/* security.md B15: unclaimed, blocked, another's and unseen look alike. */
static void refusals_look_alike(void)
{
	char first[1024] = "";
	size_t length = 0;

	for (unsigned i = 0; i < 4; i++) {
		bench_open(&bench);
		bench_unicast(&bench);
		if (i >= 1) {
			bench_claim(&bench, bench_mac);
		}
		if (i == 1) {
			bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_BLOCK,
							      .mac = bench_mac});
		}
		if (i == 2) {
			bench.packet.link_source.octets[5] = 9;
		}
		if (i == 3) {
			bench.packet.has_link_source = false;
		}
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		if (i == 3) {
			bench_expire(&bench, bench.now_ms + 1000);
		}
		CHECK_EQUAL(403, bench_status(&bench, 0));
		REQUIRE(bench_sent(&bench, 0) != NULL);
		if (i == 0) {
			length = bench_sent(&bench, 0)->bytes.length;
			memcpy(first, bench_sent(&bench, 0)->bytes.data, length);
		}
		CHECK_SPAN(span_make(first, length), bench_sent(&bench, 0)->bytes);
		bench_close(&bench);
	}
}

/* Never a 200 without its NOTIFY: no URL, no 200, and the operator learns what to mend. */
static void without_a_url_there_is_no_200(void)
{
	static const char *const urls[] = {"tftp://%{nonsense}", "", "http://%{model}/x"};

	for (unsigned i = 0; i < 3; i++) {
		open_claimed();
		bench.url = span_text(urls[i]);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK(bench_is_silent(&bench));
		CHECK(bench_reported(&bench, "url_cannot_be_made"));
		CHECK(bench_changed(&bench, CHANGE_DEVICE_NOTIFIED) == NULL);
		bench_unicast(&bench);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
		CHECK_EQUAL(500, bench_status(&bench, 0));
		bench_close(&bench);
	}
}

/* R-MCAST-14, CVE-2024-2169 */
static void sources_that_cannot_be_phones_are_ignored(void)
{
	static const struct endpoint sources[] = {
		{{4, {10, 13, 4, 121}}, 5060}, /* ourselves */
		{{4, {10, 13, 2, 37}}, 0},	   {{4, {224, 0, 1, 75}}, 5060},
		{{4, {255, 255, 255, 255}}, 5060}, {{4, {0, 0, 0, 0}}, 5060},
	};

	for (unsigned i = 0; i < 5; i++) {
		open_claimed();
		bench_unicast(&bench);
		bench.packet.source = sources[i];
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK_EQUAL(0, bench.effects.count);
		CHECK_EQUAL(1, bench_counted(&bench, i == 0 ? "own_source" : "bad_source"));
		bench_close(&bench);
	}
}

/* ---- bounds --------------------------------------------------------------------------------- */

/* security.md B16: the new one is dropped in silence and counted, those that live go on. */
static void full_tables_drop_the_new_in_silence(void)
{
	bench_open_with(&bench, 2, 64);
	bench_claim(&bench, bench_mac);
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(1)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(2)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(3)));
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(1, bench_counted(&bench, "server_transactions_full"));
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(1)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench_expire(&bench, bench.now_ms + 500);
	CHECK_EQUAL(2, bench_count_kind(&bench, EFFECT_SEND));
	bench_expire(&bench, bench.now_ms + 32000);
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(3)));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

static void each_table_has_its_bound(void)
{
	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	signalling_free(bench.signalling);
	bench.options.client_transactions_max = 1;
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(1)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(2)));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(1, bench_counted(&bench, "client_transactions_full"));
	signalling_free(bench.signalling);
	bench.options.waiting_max = 1;
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	bench.packet.has_link_source = false;
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(1)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_RESOLVE));
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(2)));
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(1, bench_counted(&bench, "waiting_full"));
	/* It left no transaction behind: its next copy is looked at afresh. */
	bench_expire(&bench, bench.now_ms + 1000);
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(2)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_RESOLVE));
	bench_close(&bench);
}

/* 256 KiB of answers are kept; the one that finds no room is not given, and neither its NOTIFY. */
static void kept_answers_are_bounded_in_octets(void)
{
	static char text[20000];
	unsigned served = 0;

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	for (unsigned i = 0; i < 30 && bench_counted(&bench, "answers_full") == 0; i++) {
		size_t length = seed_numbered(i).length;
		char *at;

		memcpy(text, seed_numbered(i).data, length + 1);
		at = strstr(text, "tag=87") + 4;
		memmove(at + 15000, at, strlen(at) + 1);
		memset(at, 'x', 15000);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
		if (bench_is_served(&bench)) {
			served++;
			CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = NOTICE_FETCHED,
									    .mac = bench_mac}));
		}
	}
	CHECK_EQUAL(1, bench_counted(&bench, "answers_full"));
	CHECK(served > 10);
	CHECK(bench_is_silent(&bench));
	bench_expire(&bench, bench.now_ms + 500);
	CHECK(bench_is_silent(&bench));
	bench_expire(&bench, bench.now_ms + 32000);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

/* A list of effects with room for n of them: both datagrams, or none, and then all over again. */
static void a_full_list_of_effects_never_splits_the_two(void)
{
	for (size_t room = 0; room < 6; room++) {
		size_t sent;

		bench_open_with(&bench, 8, room > 0 ? room : 1);
		bench.effects.count_max = room;
		bench_claim(&bench, bench_mac);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		sent = bench_count_kind(&bench, EFFECT_SEND);
		CHECK_EQUAL(room < 2 ? 0 : 2, sent);
		if (room < 2) {
			CHECK_EQUAL(1, bench_counted(&bench, "effects_full"));
			CHECK_EQUAL(UINT64_MAX, signalling_next_wake(bench.signalling));
			effects_free(&bench.effects);
			CHECK_EQUAL(0, effects_init(&bench.effects, 8, 1 << 16));
			CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
			CHECK(bench_is_served(&bench));
		}
		bench_close(&bench);
	}
}

static void a_full_arena_never_splits_the_two(void)
{
	size_t splits = 0;

	for (size_t bytes = 0; bytes < 4096; bytes += 16) {
		size_t sent;

		bench_open_with(&bench, 8, 8);
		effects_free(&bench.effects);
		CHECK_EQUAL(0, effects_init(&bench.effects, 8, bytes));
		bench_claim(&bench, bench_mac);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		sent = bench_count_kind(&bench, EFFECT_SEND);
		splits += sent != 0 && sent != 2;
		bench_close(&bench);
	}
	CHECK_EQUAL(0, splits);
}

/* RFC 6665 6.3: so many new requests a second from one source; others are not its victims. */
static void a_source_has_a_rate(void)
{
	unsigned served = 0;

	open_claimed();
	signalling_free(bench.signalling);
	bench.options.requests_per_second = 2;
	bench.options.requests_burst = 5;
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(i)));
		served += bench_is_served(&bench);
	}
	CHECK_EQUAL(5, served);
	CHECK_EQUAL(15, bench_counted(&bench, "rate_limited"));
	/* Copies of what was served are answered all the same. */
	CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(0)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench.now_ms += 1000;
	for (unsigned i = 20; i < 40; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(i)));
		served += bench_is_served(&bench);
	}
	CHECK_EQUAL(7, served);
	/* This machine itself has no limit. */
	bench.packet.source.address = address_ipv4(127, 0, 0, 2);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, seed_numbered(100 + i)));
	}
	CHECK_EQUAL(33, bench_counted(&bench, "rate_limited"));
	bench_close(&bench);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : root;
	RUN(the_seed_is_what_the_manual_prints);
	RUN(the_rfc_form_is_the_golden_exchange);
	RUN(the_print_form_is_what_the_manual_prints);
	RUN(the_makers_pack_chooses_the_form);
	RUN(a_server_header_is_added_to_answers);
	RUN(a_served_phone_is_recorded);
	RUN(a_copy_gets_the_same_octets);
	RUN(one_datagram_on_two_interfaces_is_answered_once);
	RUN(another_source_is_another_transaction);
	RUN(a_notify_is_resent_until_timer_f);
	RUN(a_200_ends_the_notify);
	RUN(a_refusal_ends_the_notify);
	RUN(foreign_responses_are_dropped);
	RUN(the_print_forms_200_is_matched_without_our_via);
	RUN(the_print_form_stops_after_five_seconds);
	RUN(the_print_form_is_sent_anew_in_the_same_call);
	RUN(a_short_list_of_effects_loses_no_resend);
	RUN(a_fetch_stops_resending);
	RUN(unreachable_ends_one_phone_only);
	RUN(an_unknown_neighbour_is_resolved_first);
	RUN(a_waiting_request_does_not_need_its_datagram);
	RUN(an_address_is_asked_for_once);
	RUN(waiting_ends_after_a_second);
	RUN(what_cannot_be_resolved_is_refused);
	RUN(a_routed_phone_is_served_when_configured);
	RUN(a_bound_address_needs_no_resolving);
	RUN(naming_anothers_mac_gets_nothing);
	RUN(an_unclaimed_phone_is_listed_in_silence);
	RUN(an_ignored_or_blocked_phone_is_not_listed);
	RUN(refusals_look_alike);
	RUN(without_a_url_there_is_no_200);
	RUN(sources_that_cannot_be_phones_are_ignored);
	RUN(full_tables_drop_the_new_in_silence);
	RUN(each_table_has_its_bound);
	RUN(kept_answers_are_bounded_in_octets);
	RUN(a_full_list_of_effects_never_splits_the_two);
	RUN(a_full_arena_never_splits_the_two);
	RUN(a_source_has_a_rate);
	return test_end();
}

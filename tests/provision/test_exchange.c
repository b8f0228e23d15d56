/* SPDX-License-Identifier: MIT */
/*
 * The exchange, octet by octet and moment by moment: both forms, copies, timers, what comes of a
 * NOTIFY.
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

/* So that both can leave in one send (io/udp.h). */
static void a_padded_answer_is_as_long_as_its_notify(void)
{
	struct span answer;
	struct span server;
	size_t at;

	open_claimed();
	signalling_free(bench.signalling);
	bench.options.server_header = SPAN("Bellhop/0.1");
	bench.options.pads_answers = true;
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	answer = bench_sent(&bench, 0)->bytes;
	CHECK_EQUAL(bench_sent(&bench, 1)->bytes.length, answer.length);
	at = span_search(answer, SPAN("\r\nServer: Bellhop/0.1 (."));
	REQUIRE(at < answer.length);
	server = span_slice(answer, at + 2, answer.length);
	server = span_slice(server, 0, span_find(server, '\r'));
	CHECK(span_ends_with(server, SPAN(".)")));
	CHECK(span_ends_with(answer, SPAN(".)\r\nContent-Length: 0\r\n\r\n")));
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
	CHECK(bench_changed(&bench, CHANGE_DEVICE_SEEN) == NULL);
	seen = bench_changed(&bench, CHANGE_DEVICE_NOTIFIED);
	REQUIRE(seen != NULL);
	CHECK(mac_equal(bench_mac, seen->mac));
	CHECK(address_equal(bench_phone, seen->address));
	CHECK_TEXT("eth0", seen->interface);
	CHECK_EQUAL(IDENTIFIED_BY_FRAME, seen->identified_by);
	CHECK_TEXT("440HD", seen->model);
	CHECK_TEXT("2.2.2", seen->firmware);
	CHECK(bench_reported(&bench, "url_sent"));
	for (size_t i = 0; i < bench.effects.count; i++) {
		if (bench.effects.items[i].kind == EFFECT_REPORT) {
			struct span text = bench.effects.items[i].report.text;

			CHECK(span_search(text, SPAN("/p/")) == text.length);
		}
	}
	bench_change(&bench, seen);
	CHECK_EQUAL(DEVICE_NOTIFIED, inventory_device(&bench.inventory, bench_mac)->state);
	bench_close(&bench);
}

static void expect_the_same_octets(void)
{
	char first[1024];
	size_t length;
	static const uint64_t copies_ms[] = {500, 1500, 3500, 31999};
	uint64_t start_ms = bench.now_ms;

	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	length = bench_sent(&bench, 0)->bytes.length;
	REQUIRE(length <= sizeof(first));
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
}

/* R-3261-62, 67: the same octets again, no second NOTIFY, for 32 s (Timer J); in every form. */
static void a_copy_gets_the_same_octets(void)
{
	for (unsigned i = 0; i < 3; i++) {
		open_claimed();
		signalling_free(bench.signalling);
		bench.options.pads_answers = i == 1;
		CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
		bench_set_form(&bench, bench_mac, i == 2 ? FORM_PRINT : FORM_RFC);
		expect_the_same_octets();
		bench_close(&bench);
	}
}

/* It has the keys of a copy, but another sender in its Contact: who wrote it gets nothing. */
static void a_copy_that_was_altered_gets_nothing(void)
{
	open_claimed();
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	REQUIRE(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_with("Contact: <sip:00000001@10.13.2.37",
							     "Contact: <sip:00000001@10.13.2.99")));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(1, bench_counted(&bench, "copy_altered"));
	bench_close(&bench);
}

/*
 * R-3261-65, 67: a branch that is used twice makes a copy of another request, whose 200 went out
 * before, and no second NOTIFY. A 200 that fits the other request would promise one.
 */
static void a_branch_used_twice_gets_no_200_without_notify(void)
{
	static const char *const others[][2] = {
		{"Call-ID: 8", "Call-ID: 9"},
		{"CSeq: 1", "CSeq: 2"},
		{";tag=87a5a8", ";tag=97a5a8"},
		{"To: <sip:224.0.1.75:5060>", "To: <sip:224.0.1.75:5060>;tag=x"},
	};

	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		open_claimed();
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		REQUIRE(bench_is_served(&bench));
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_with(others[i][0], others[i][1])));
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(1, bench_counted(&bench, "copy_altered"));
		bench_expire(&bench, bench.now_ms + 32000);
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_with(others[i][0], others[i][1])));
		CHECK_EQUAL(i < 3, bench_is_served(&bench)); /* of a dialog that is none: 481 */
		bench_close(&bench);
	}
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
	CHECK_EQUAL(0,
		    bench_receive(&bench, bench_seed_with("branch=z9hG4bK", "branch=z9hG4bKnew")));
	CHECK(!bench_is_served(&bench)); /* merged: the same CSeq */
	bench_unicast(&bench);
	CHECK_EQUAL(0,
		    bench_receive(&bench, bench_seed_with("Via: SIP/2.0/UDP 10.13.2.37:5060;rport;"
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
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(i)));
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

/* Blocked or removed: the URL with its key does not go out once more. */
static void a_block_stops_resending(void)
{
	const struct notice notices[] = {{.kind = NOTICE_WITHDRAWN, .mac = bench_mac},
					 {.kind = NOTICE_WITHDRAWN_ALL}};

	for (unsigned i = 0; i < 4; i++) {
		open_claimed();
		bench_set_form(&bench, bench_mac, i < 2 ? FORM_PRINT : FORM_RFC);
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		REQUIRE(bench_is_served(&bench));
		CHECK_EQUAL(0, bench_notice(&bench, notices[i % 2]));
		bench_expire(&bench, bench.now_ms + 4000);
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(1, bench_counted(&bench, "notify_withdrawn"));
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
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_with("Contact: <sip:00000001@10.13.2.37",
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

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : root;
	RUN(the_seed_is_what_the_manual_prints);
	RUN(the_rfc_form_is_the_golden_exchange);
	RUN(the_print_form_is_what_the_manual_prints);
	RUN(the_makers_pack_chooses_the_form);
	RUN(a_server_header_is_added_to_answers);
	RUN(a_padded_answer_is_as_long_as_its_notify);
	RUN(a_served_phone_is_recorded);
	RUN(a_copy_gets_the_same_octets);
	RUN(a_copy_that_was_altered_gets_nothing);
	RUN(a_branch_used_twice_gets_no_200_without_notify);
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
	RUN(a_block_stops_resending);
	RUN(unreachable_ends_one_phone_only);
	return test_end();
}

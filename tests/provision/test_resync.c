/* SPDX-License-Identifier: MIT */
/* Each end that an order to a phone can come to, over signalling, in virtual time. */
#include "tests/provision/resync_bench.h"

static struct bench bench;

static const struct address place = {4, {10, 13, 0, 7}};

static struct endpoint phone_at(uint16_t port)
{
	return (struct endpoint){place, port};
}

static void notice(enum notice_kind kind, struct mac mac)
{
	bench_notice(&bench, (struct notice){.kind = kind, .mac = mac, .is_essential = true});
}

/* Two copies of the order go out, the phone answers, fetches, and it is done. */
static void a_phone_that_obeys_is_done(void)
{
	struct mac mac = order_mac(1, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	CHECK_EQUAL(RESYNC_SENT, order_state(&bench, mac));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK(endpoint_equal(bench_sent(&bench, 0)->to, phone_at(5060)));
	CHECK_TEXT("sip:10.13.0.7:5060", order_message.request_uri_text);
	CHECK_TEXT("check-sync;reboot=false", order_header("Event"));
	CHECK_TEXT("terminated", order_header("Subscription-State"));
	CHECK_TEXT("0", order_header("Content-Length"));
	CHECK_EQUAL(1, order_message.cseq.number);

	bench_expire(&bench, bench.now_ms + 500);
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND)); /* Timer E */

	order_answer(&bench, phone_at(5060), "200 OK", "");
	CHECK_EQUAL(RESYNC_ACKNOWLEDGED, order_state(&bench, mac));
	CHECK(!bench_reported(&bench, "resync_done"));
	order_answer(&bench, phone_at(5060), "200 OK", ""); /* Timer K absorbs a copy */
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(1, bench_counted(&bench, "resync_copy"));

	bench_notice(&bench, (struct notice){.kind = NOTICE_FETCHED, .mac = mac});
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, mac)); /* a ring tone is not it */
	notice(NOTICE_FETCHED, mac);
	CHECK_EQUAL(RESYNC_DONE, order_state(&bench, mac));
	CHECK(bench_reported(&bench, "resync_done"));
	CHECK_EQUAL(0, signalling_order_count(bench.signalling));
	bench_expire(&bench, bench.now_ms + 2 * order_verify_ms);
	CHECK_EQUAL(0, bench.effects.count);
	bench_close(&bench);
}

/* What was fetched before the order went out, and is told only now, is no proof. */
static void an_older_fetch_is_no_proof(void)
{
	struct mac mac = order_mac(1, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	bench.now_ms += 100;
	bench_notice(&bench, (struct notice){.kind = NOTICE_FETCHED,
					     .mac = mac,
					     .is_essential = true,
					     .age_ms = 101});
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, mac));
	/* One that came after it is, also when the phone never answers the NOTIFY. */
	bench_notice(&bench, (struct notice){.kind = NOTICE_FETCHED,
					     .mac = mac,
					     .is_essential = true,
					     .age_ms = 100});
	CHECK_EQUAL(RESYNC_DONE, order_state(&bench, mac));
	bench_expire(&bench, bench.now_ms + 40000);
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

static void who_does_not_fetch_is_told_of(void)
{
	struct mac mac = order_mac(1, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "202 Accepted", "");
	bench_expire(&bench, bench.now_ms + order_verify_ms - 1);
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, mac));
	CHECK_EQUAL(bench.now_ms + 1, signalling_next_wake(bench.signalling));
	bench_expire(&bench, bench.now_ms + 1);
	CHECK_EQUAL(RESYNC_NOT_FETCHED, order_state(&bench, mac));
	CHECK(bench_reported(&bench, "resync_not_fetched"));
	bench_close(&bench);
}

/* Timers E and F: eleven copies in 32 s (RFC 3261 17.1.2.2). */
static void who_is_silent_is_given_up(void)
{
	struct mac mac = order_mac(1, 1);
	size_t copies;

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	copies = bench_count_kind(&bench, EFFECT_SEND);
	while (signalling_next_wake(bench.signalling) != UINT64_MAX) {
		bench_expire(&bench, signalling_next_wake(bench.signalling));
		copies += bench_count_kind(&bench, EFFECT_SEND);
	}
	CHECK_EQUAL(11, copies);
	CHECK_EQUAL(1000000 + 32000, bench.now_ms);
	CHECK_EQUAL(RESYNC_NO_ANSWER, order_state(&bench, mac));
	CHECK(bench_reported(&bench, "resync_no_answer"));
	bench_close(&bench);
}

static void an_icmp_error_ends_it(void)
{
	struct mac mac = order_mac(1, 1);
	struct mac behind = order_mac(1, 2); /* the same address: behind one NAT */
	struct mac both[] = {mac, behind};

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_phone(&bench, behind, place);
	order_give(&bench, RESYNC_ORDER_FETCH, both, 2);
	bench_expire(&bench, bench.now_ms);
	bench_expire(&bench, bench.now_ms + 50);
	bench_notice(&bench,
		     (struct notice){.kind = NOTICE_UNREACHABLE, .endpoint = phone_at(5061)});
	CHECK_EQUAL(0, bench.effects.count);
	bench_notice(&bench,
		     (struct notice){.kind = NOTICE_UNREACHABLE, .endpoint = phone_at(5060)});
	CHECK_EQUAL(RESYNC_NO_ANSWER, order_state(&bench, mac));
	CHECK_EQUAL(RESYNC_NO_ANSWER, order_state(&bench, behind));
	bench_close(&bench);
}

/* Two phones at one address: each answer counts for the one that gave it. */
static void phones_behind_one_address_are_told_apart(void)
{
	struct mac macs[] = {order_mac(1, 1), order_mac(1, 2)};

	order_open_usual(&bench);
	order_phone(&bench, macs[0], place);
	order_phone(&bench, macs[1], place);
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 2);
	bench_expire(&bench, bench.now_ms);
	bench_expire(&bench, bench.now_ms + 50);
	CHECK_EQUAL(RESYNC_SENT, order_state(&bench, macs[1]));
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "481 Subscription does not exist", "");
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, macs[0]));
	CHECK_EQUAL(RESYNC_REFUSED, order_state(&bench, macs[1]));
	bench_close(&bench);
}

static void a_refusal_is_told_with_its_code(void)
{
	static const unsigned codes[] = {302, 403, 404, 481, 489, 501, 503, 603};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct mac mac = order_mac(1, 1);
		const struct change *change;
		char status[32];

		order_open_usual(&bench);
		order_phone(&bench, mac, place);
		order_one(&bench, RESYNC_ORDER_FETCH, mac);
		REQUIRE(order_sent(&bench, 0) != NULL);
		order_answer(&bench, phone_at(5060), "100 Trying", "");
		CHECK_EQUAL(0, bench.effects.count);
		snprintf(status, sizeof(status), "%u X", codes[i]);
		order_answer(&bench, phone_at(5060), status, "");
		change = bench_changed(&bench, CHANGE_DEVICE_RESYNC);
		CHECK(change && change->resync == RESYNC_REFUSED &&
		      change->resync_status == codes[i]);
		CHECK(bench_reported(&bench, "resync_refused"));
		CHECK_EQUAL(0, signalling_order_count(bench.signalling));
		bench_close(&bench);
	}
}

/* --- Credentials (R-DIGEST-15, R-DIGEST-16). --- */

static const char md5_challenge[] =
	"WWW-Authenticate: Digest realm=\"phone\", nonce=\"one\", algorithm=MD5, qop=\"auth\"\r\n";
static const char sha_challenge[] =
	"WWW-Authenticate: Digest realm=\"phone\", nonce=\"one\", algorithm=MD5, qop=\"auth\"\r\n"
	"WWW-Authenticate: Digest realm=\"phone\", nonce=\"two\", algorithm=SHA-256, "
	"qop=\"auth\", opaque=\"o\"\r\n";
static const char stale_challenge[] =
	"WWW-Authenticate: Digest realm=\"phone\", nonce=\"three\", stale=true\r\n";
static const char proxy_challenge[] =
	"Proxy-Authenticate: Digest realm=\"phone\", nonce=\"four\", qop=\"auth\"\r\n";

/* A phone of the second maker that was told; its line has a password. */
static struct mac asking_phone(void)
{
	struct mac mac = order_mac(2, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_set(&bench, mac, "sip_lines.1.username", "4711");
	order_set(&bench, mac, "sip_lines.1.auth_username", "bob");
	order_set(&bench, mac, "sip_lines.1.password", "zanzibar");
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	CHECK(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("sip:4711@10.13.0.7:5060", order_message.request_uri_text);
	CHECK(span_is_empty(order_header("Authorization")));
	return mac;
}

/* That the credentials of order_message are what the challenge asks for. */
static void check_credentials(const char *header, const char *challenge_value)
{
	struct sip_authorization read;
	struct sip_challenge challenge = {.hash = DIGEST_MD5};
	char response[digest_response_size] = "";
	struct sip_digest digest = {.challenge = &challenge,
				    .username = SPAN("bob"),
				    .password = SPAN("zanzibar"),
				    .method = SPAN("NOTIFY"),
				    .uri = SPAN("sip:4711@10.13.0.7:5060"),
				    .nonce_count = 1};

	REQUIRE(sip_authorization_parse(order_header(header), &read) == 0);
	REQUIRE(sip_challenge_parse(span_text(challenge_value), &challenge) == 0);
	digest.cnonce = read.cnonce;
	CHECK_EQUAL(0, sip_digest_response(&digest, response));
	CHECK_TEXT("bob", read.username);
	CHECK_SPAN(digest.uri, read.uri);
	CHECK_TEXT(response, read.response);
}

static void credentials_are_given_once_and_are_right(void)
{
	struct mac mac = asking_phone();
	char call_id[64];
	char branch[64];

	(void)span_to_text(order_message.call_id, call_id, sizeof(call_id));
	(void)span_to_text(order_message.via.branch, branch, sizeof(branch));
	order_answer(&bench, phone_at(5060), "401 Unauthorized", sha_challenge);
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, mac));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT(call_id, order_message.call_id);
	CHECK_EQUAL(2, order_message.cseq.number);
	CHECK(!span_equal(span_text(branch), order_message.via.branch));
	check_credentials("Authorization", "Digest realm=\"phone\", nonce=\"two\", "
					   "algorithm=SHA-256, qop=\"auth\", opaque=\"o\"");
	order_answer(&bench, phone_at(5060), "200 OK", "");
	CHECK_EQUAL(RESYNC_ACKNOWLEDGED, order_state(&bench, mac));
	bench_close(&bench);
}

static void md5_and_a_proxy_do_as_well(void)
{
	struct mac mac = asking_phone();

	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	REQUIRE(order_sent(&bench, 0) != NULL);
	check_credentials("Authorization",
			  "Digest realm=\"phone\", nonce=\"one\", algorithm=MD5, qop=\"auth\"");
	bench_close(&bench);
	mac = asking_phone();
	order_answer(&bench, phone_at(5060), "407 Proxy Authentication Required", proxy_challenge);
	REQUIRE(order_sent(&bench, 0) != NULL);
	check_credentials("Proxy-Authorization",
			  "Digest realm=\"phone\", nonce=\"four\", qop=\"auth\"");
	order_answer(&bench, phone_at(5060), "200 OK", "");
	CHECK_EQUAL(RESYNC_ACKNOWLEDGED, order_state(&bench, mac));
	bench_close(&bench);
}

static void wrong_credentials_are_not_given_again(void)
{
	struct mac mac = asking_phone();

	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	CHECK_EQUAL(RESYNC_REFUSED, order_state(&bench, mac));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

static void a_stale_nonce_is_followed_once(void)
{
	struct mac mac = asking_phone();

	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "401 Unauthorized", stale_challenge);
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_EQUAL(3, order_message.cseq.number);
	check_credentials("Authorization", "Digest realm=\"phone\", nonce=\"three\"");
	order_answer(&bench, phone_at(5060), "401 Unauthorized", stale_challenge);
	CHECK_EQUAL(RESYNC_REFUSED, order_state(&bench, mac));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

static void what_cannot_be_answered_is_a_refusal(void)
{
	struct mac mac = asking_phone();

	order_answer(&bench, phone_at(5060), "401 Unauthorized", "");
	CHECK_EQUAL(RESYNC_REFUSED, order_state(&bench, mac));
	bench_close(&bench);
	/* No password: nothing is made up. */
	mac = order_mac(2, 1);
	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_set(&bench, mac, "sip_lines.1.username", "4711");
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	CHECK_EQUAL(RESYNC_REFUSED, order_state(&bench, mac));
	CHECK_EQUAL(401, bench_changed(&bench, CHANGE_DEVICE_RESYNC)->resync_status);
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

/* Whoever names a phone's MAC from elsewhere must not get what its password can be guessed from. */
static void no_credentials_go_to_who_only_says_so(void)
{
	static const enum device_certainty words[] = {CERTAINTY_CLAIMED, CERTAINTY_SPOOFED};

	for (size_t i = 0; i < 2; i++) {
		struct mac mac = asking_phone();

		bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_NOTIFIED,
						      .fields = FIELD_ADDRESS | FIELD_CERTAINTY,
						      .mac = mac,
						      .utc_ms = 5000001,
						      .address = place,
						      .certainty = words[i]});
		order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
		CHECK_EQUAL(RESYNC_REFUSED, order_state(&bench, mac));
		CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
		bench_close(&bench);
	}
}

static bool shows(const struct bench *b, const char *secret)
{
	for (size_t i = 0; i < b->effects.count; i++) {
		const struct effect *effect = &b->effects.items[i];

		if (effect->kind == EFFECT_REPORT &&
		    span_search(effect->report.text, span_text(secret)) <
			    effect->report.text.length) {
			return true;
		}
	}
	return false;
}

static void reports_hold_no_secret(void)
{
	(void)asking_phone();
	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "401 Unauthorized", md5_challenge);
	CHECK(bench_reported(&bench, "resync_refused"));
	CHECK(!shows(&bench, "zanzibar") && !shows(&bench, "bob"));
	bench_close(&bench);
}

/* --- Orders of makers. --- */

static void a_reboot_has_its_event_type_and_body(void)
{
	struct mac mac = order_mac(2, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_REBOOT, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("service-control", order_header("Event"));
	CHECK_TEXT("text/plain", order_header("Content-Type"));
	CHECK_TEXT("action=restart\r\n", order_message.body);
	order_answer(&bench, phone_at(5060), "200 OK", "");
	/* Whatever it takes, it is back. */
	bench_notice(&bench, (struct notice){.kind = NOTICE_FETCHED, .mac = mac});
	CHECK_EQUAL(RESYNC_DONE, order_state(&bench, mac));
	bench_close(&bench);
}

static void a_reboot_is_done_when_the_phone_asks_again(void)
{
	struct mac mac = order_mac(1, 1);
	struct packet packet;

	order_open_usual(&bench);
	packet = bench.packet;
	order_phone(&bench, mac, bench_phone);
	order_one(&bench, RESYNC_ORDER_REBOOT, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("check-sync;reboot=true", order_header("Event"));
	order_answer(&bench, (struct endpoint){bench_phone, 5060}, "200 OK", "");
	bench.packet = packet;
	bench.packet.source = (struct endpoint){bench_phone, 5060};
	bench.packet.link_source = mac;
	bench_receive(&bench, span_text(bench_seed));
	CHECK_EQUAL(RESYNC_DONE, order_state(&bench, mac));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

static void a_reboot_that_never_ends_is_told_of(void)
{
	struct mac mac = order_mac(1, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_REBOOT, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	order_answer(&bench, phone_at(5060), "200 OK", "");
	bench_expire(&bench, bench.now_ms + order_verify_ms);
	CHECK_EQUAL(RESYNC_NOT_FETCHED, order_state(&bench, mac));
	bench_close(&bench);
}

static void an_account_is_needed_where_it_is(void)
{
	struct mac mac = order_mac(3, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	CHECK_EQUAL(RESYNC_UNSUPPORTED, order_state(&bench, mac));
	CHECK(bench_reported(&bench, "resync_unsupported"));
	order_set(&bench, mac, "sip_lines.1.username", "a b@c");
	/* It has no order to restart, but restarts at every one. */
	bench.now_ms += 1000;
	order_one(&bench, RESYNC_ORDER_REBOOT, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("sip:a%20b%40c@10.13.0.7:5060", order_message.request_uri_text);
	CHECK_TEXT("check-sync", order_header("Event"));
	bench_close(&bench);
}

static void what_cannot_be_is_told_at_once(void)
{
	struct mac mute = order_mac(5, 1);
	struct mac unknown = {{0x0c, 0, 0, 0, 0, 1}};
	struct mac nowhere = order_mac(1, 9);
	struct mac stranger = order_mac(1, 8);
	struct mac all[] = {mute, unknown, nowhere, stranger};

	order_open_usual(&bench);
	order_phone(&bench, mute, place);
	order_phone(&bench, unknown, place);
	bench_claim(&bench, nowhere);
	order_give(&bench, RESYNC_ORDER_FETCH, all, 4);
	bench_expire(&bench, bench.now_ms);
	CHECK_EQUAL(RESYNC_UNSUPPORTED, order_state(&bench, mute));
	CHECK_EQUAL(RESYNC_UNSUPPORTED, order_state(&bench, unknown));
	CHECK_EQUAL(RESYNC_NO_ADDRESS, order_state(&bench, nowhere));
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, stranger));
	CHECK_EQUAL(1, bench_counted(&bench, "resync_unclaimed"));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	CHECK_EQUAL(0, signalling_order_count(bench.signalling));
	bench_close(&bench);
}

/* Where an operator says that it is goes before where it was seen. */
static void the_bound_address_counts(void)
{
	struct mac mac = order_mac(1, 1);
	struct address bound = {4, {10, 99, 0, 1}};
	struct address far = {4, {192, 168, 0, 1}};

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	bench_bind(&bench, mac, bound);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	CHECK(bench_sent(&bench, 0) && address_equal(bench_sent(&bench, 0)->to.address, bound));
	/* No address of ours on the road to it. */
	bench_bind(&bench, mac, far);
	bench.now_ms += 1000;
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	CHECK_EQUAL(RESYNC_NO_ADDRESS, order_state(&bench, mac));
	bench_close(&bench);
}

/* --- Orders that meet. --- */

static void another_order_takes_the_place_of_the_first(void)
{
	struct mac mac = order_mac(1, 1);

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	order_give(&bench, RESYNC_ORDER_REBOOT, &mac, 1);
	bench_expire(&bench, bench.now_ms + 100);
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	CHECK_EQUAL(1, signalling_order_count(bench.signalling));
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("check-sync;reboot=true", order_header("Event"));
	bench_expire(&bench, bench.now_ms + 450);
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND)); /* Timer E of the first is gone */
	bench_expire(&bench, bench.now_ms + 50);
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench_close(&bench);
}

static void who_is_blocked_is_told_no_more(void)
{
	struct mac mac = order_mac(1, 1);
	struct mac waiting = order_mac(1, 2);
	struct mac both[] = {mac, waiting};

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_phone(&bench, waiting, place);
	order_give(&bench, RESYNC_ORDER_FETCH, both, 2);
	bench_expire(&bench, bench.now_ms);
	notice(NOTICE_WITHDRAWN, mac);
	CHECK_EQUAL(RESYNC_INTERRUPTED, order_state(&bench, mac));
	/* Blocked while it waits for its turn, and the notice lost: seen when its turn comes. */
	bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_BLOCK, .mac = waiting});
	bench_expire(&bench, bench.now_ms + 60000);
	CHECK_EQUAL(RESYNC_INTERRUPTED, order_state(&bench, waiting));
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	CHECK_EQUAL(0, signalling_order_count(bench.signalling));
	bench_close(&bench);
}

/* A response with our branch that names another sender of it is not for us. */
static void a_foreign_via_is_not_believed(void)
{
	struct mac mac = order_mac(1, 1);
	static char text[2048];
	int length;

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	order_one(&bench, RESYNC_ORDER_FETCH, mac);
	REQUIRE(order_sent(&bench, 0) != NULL);
	for (int i = 0; i < 2; i++) {
		length = snprintf(text, sizeof(text),
				  "SIP/2.0 200 OK\r\n%sVia: SIP/2.0/UDP %s:5060;branch=%.*s\r\n"
				  "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n"
				  "CSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n",
				  "", i == 0 ? "10.1.1.1" : "10.13.4.121",
				  (int)order_message.via.branch.length,
				  order_message.via.branch.data);
		bench_receive(&bench, span_make(text, (size_t)length));
		CHECK_EQUAL(i == 0 ? RESYNC_NONE : RESYNC_ACKNOWLEDGED, order_state(&bench, mac));
	}
	bench_close(&bench);
}

/* --- Claimed while it waits. --- */

static void a_claimed_phone_is_told_its_url_at_once(void)
{
	struct mac mac = order_mac(4, 1);
	const struct change *change;

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	CHECK(resync_tells_claimed(&bench.inventory, inventory_device(&bench.inventory, mac),
				   5000000 + resync_seen_ms));
	CHECK(!resync_tells_claimed(&bench.inventory, inventory_device(&bench.inventory, mac),
				    5000001 + resync_seen_ms));
	notice(NOTICE_CLAIMED, mac);
	bench_expire(&bench, bench.now_ms);
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK(endpoint_equal(bench_sent(&bench, 0)->to, phone_at(5080)));
	CHECK_TEXT("ua-profile;effective-by=0", order_header("Event"));
	CHECK_TEXT("terminated;reason=timeout", order_header("Subscription-State"));
	CHECK_TEXT("application/url", order_header("Content-Type"));
	CHECK_TEXT("tftp://10.13.4.121\r\n", order_message.body);
	CHECK_TEXT("20", order_header("Content-Length"));
	CHECK_TEXT("tftp://10.13.4.121", order_header("MessageBody"));
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, mac));
	order_answer(&bench, phone_at(5080), "200 OK", "");
	CHECK(bench_reported(&bench, "told_at_once"));
	CHECK(!shows(&bench, "tftp:"));
	change = bench_changed(&bench, CHANGE_DEVICE_NOTIFIED);
	CHECK(change && change->told_both); /* no evidence for either form */
	CHECK_EQUAL(0, signalling_order_count(bench.signalling));
	bench_close(&bench);
}

/* It holds the key: not to an address that anybody may have claimed to be the phone's. */
static void no_url_goes_to_who_only_says_so(void)
{
	struct mac mac = order_mac(4, 1);
	const struct device *device;

	order_open_usual(&bench);
	order_phone(&bench, mac, place);
	bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_SEEN,
					      .fields = FIELD_ADDRESS | FIELD_CERTAINTY,
					      .mac = mac,
					      .utc_ms = 5000000,
					      .address = place,
					      .certainty = CERTAINTY_CLAIMED});
	device = inventory_device(&bench.inventory, mac);
	CHECK(!resync_tells_claimed(&bench.inventory, device, 5000000));
	notice(NOTICE_CLAIMED, mac);
	bench_expire(&bench, bench.now_ms);
	CHECK_EQUAL(0, bench_count_kind(&bench, EFFECT_SEND));
	/* A binding of the operator's is proof. */
	bench_bind(&bench, mac, place);
	CHECK(resync_tells_claimed(&bench.inventory, inventory_device(&bench.inventory, mac),
				   5000000));
	bench_close(&bench);
}

static void other_makers_are_told_to_fetch_or_wait(void)
{
	struct mac fetches = order_mac(1, 1);
	struct mac asks = order_mac(2, 1);
	struct mac mute = order_mac(5, 1);

	order_open_usual(&bench);
	order_phone(&bench, fetches, place);
	order_phone(&bench, asks, place);
	order_phone(&bench, mute, place);
	CHECK(!resync_tells_claimed(&bench.inventory, inventory_device(&bench.inventory, asks),
				    5000000));
	CHECK(!resync_tells_claimed(&bench.inventory, inventory_device(&bench.inventory, mute),
				    5000000));
	notice(NOTICE_CLAIMED, fetches);
	bench_expire(&bench, bench.now_ms);
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("check-sync;reboot=false", order_header("Event"));
	order_answer(&bench, phone_at(5060), "481 No", "");
	CHECK(!bench_reported(&bench, "told_at_once"));
	CHECK(!bench_reported(&bench, "resync_refused"));
	CHECK_EQUAL(RESYNC_NONE, order_state(&bench, fetches));
	/* One that has had its URL is not waiting any more. */
	bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_NOTIFIED, .mac = fetches});
	CHECK(!resync_tells_claimed(&bench.inventory, inventory_device(&bench.inventory, fetches),
				    5000000));
	bench_close(&bench);
}

/* The URL is not sent again once the device may not have it. */
static void a_url_is_not_repeated_after_a_withdrawal(void)
{
	struct mac told = order_mac(4, 1);
	struct mac ordered = order_mac(1, 1);

	order_open_usual(&bench);
	order_phone(&bench, told, place);
	order_phone(&bench, ordered, place);
	notice(NOTICE_CLAIMED, told);
	bench_expire(&bench, bench.now_ms);
	bench.now_ms += 50;
	order_one(&bench, RESYNC_ORDER_FETCH, ordered);
	notice(NOTICE_WITHDRAWN_ALL, told);
	CHECK_EQUAL(1, signalling_order_count(bench.signalling));
	bench_expire(&bench, bench.now_ms + 600);
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	REQUIRE(order_sent(&bench, 0) != NULL);
	CHECK_TEXT("check-sync;reboot=false", order_header("Event"));
	bench_close(&bench);
}

int main(void)
{
	RUN(a_phone_that_obeys_is_done);
	RUN(an_older_fetch_is_no_proof);
	RUN(who_does_not_fetch_is_told_of);
	RUN(who_is_silent_is_given_up);
	RUN(an_icmp_error_ends_it);
	RUN(phones_behind_one_address_are_told_apart);
	RUN(a_refusal_is_told_with_its_code);
	RUN(credentials_are_given_once_and_are_right);
	RUN(md5_and_a_proxy_do_as_well);
	RUN(wrong_credentials_are_not_given_again);
	RUN(a_stale_nonce_is_followed_once);
	RUN(what_cannot_be_answered_is_a_refusal);
	RUN(no_credentials_go_to_who_only_says_so);
	RUN(reports_hold_no_secret);
	RUN(a_reboot_has_its_event_type_and_body);
	RUN(a_reboot_is_done_when_the_phone_asks_again);
	RUN(a_reboot_that_never_ends_is_told_of);
	RUN(an_account_is_needed_where_it_is);
	RUN(what_cannot_be_is_told_at_once);
	RUN(the_bound_address_counts);
	RUN(another_order_takes_the_place_of_the_first);
	RUN(who_is_blocked_is_told_no_more);
	RUN(a_foreign_via_is_not_believed);
	RUN(a_claimed_phone_is_told_its_url_at_once);
	RUN(no_url_goes_to_who_only_says_so);
	RUN(other_makers_are_told_to_fetch_or_wait);
	RUN(a_url_is_not_repeated_after_a_withdrawal);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * Who is it, and what when there is no room: resolving, identity, sources that are none, full
 * tables, full lists of effects, the rate of a source.
 */
#include "tests/provision/harness.h"
#include "tests/test.h"

#include <errno.h>

static struct bench bench;

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
	REQUIRE(bench_changed(&bench, CHANGE_DEVICE_NOTIFIED) != NULL);
	CHECK_EQUAL(IDENTIFIED_BY_NEIGHBOUR,
		    bench_changed(&bench, CHANGE_DEVICE_NOTIFIED)->identified_by);
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
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(i)));
		CHECK_EQUAL(i == 0, bench_count_kind(&bench, EFFECT_RESOLVE));
	}
	bench.packet.interface = 3;
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(3)));
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
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_CHANGE));
	CHECK_EQUAL(CERTAINTY_UNIDENTIFIED,
		    bench_changed(&bench, CHANGE_UNIDENTIFIED_SEEN)->certainty);
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
	CHECK_EQUAL(0,
		    bench_receive(&bench,
				  bench_seed_with("SUBSCRIBE sip:224.0.1.75:5060",
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
		    bench_changed(&bench, CHANGE_DEVICE_NOTIFIED)->identified_by);
	bench_close(&bench);
}

/* ---- who gets nothing ----------------------------------------------------------------------- */

/* A SUBSCRIBE that names another's MAC gets nothing. */
static void naming_anothers_mac_gets_nothing(void)
{
	struct span liar;

	open_claimed();
	bench.packet.link_source = (struct mac){{2, 0, 0, 0, 0, 66}};
	liar = bench_seed_with("SUBSCRIBE sip:224.0.1.75:5060",
			       "SUBSCRIBE sip:MAC%3a00908f123456@224.0.1.75");
	CHECK_EQUAL(0, bench_receive(&bench, liar));
	CHECK(bench_is_silent(&bench));
	CHECK(bench_reported(&bench, "mac_conflict"));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_CHANGE));
	CHECK_EQUAL(CERTAINTY_SPOOFED, bench_changed(&bench, CHANGE_UNIDENTIFIED_SEEN)->certainty);
	CHECK(mac_equal(bench_mac, bench_changed(&bench, CHANGE_UNIDENTIFIED_SEEN)->mac));
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
/* R-DIGEST-13, R-3261-20: nothing asks for credentials, so none are judged. */
static void credentials_are_read_and_passed_over(void)
{
	static const struct {
		const char *rows;
		unsigned good;
		unsigned malformed;
	} cases[] = {
		{"Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"sip:d\", "
		 "response=\"e\"\r\nAuthorization: Other a=b\r\nExpires: 0\r\n",
		 2, 0},
		{"Authorization: Digest username=\"a\", username=\"b\"\r\nExpires: 0\r\n", 0, 1},
		{"Authorization: Digest realm=\"open\r\nExpires: 0\r\n", 0, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2048];

		open_claimed();
		snprintf(text, sizeof(text), "%s", bench_seed);
		REQUIRE(bench_replace(text, sizeof(text), "Expires: 0\r\n", cases[i].rows));
		CHECK_EQUAL(0, bench_receive(&bench, span_text(text)));
		CHECK(bench_is_served(&bench));
		CHECK_EQUAL(cases[i].good, bench_counted(&bench, "credentials_ignored"));
		CHECK_EQUAL(cases[i].malformed, bench_counted(&bench, "credentials_malformed"));
		bench_close(&bench);
	}
}

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
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(1)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(2)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(3)));
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(1, bench_counted(&bench, "server_transactions_full"));
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(1)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench_expire(&bench, bench.now_ms + 500);
	CHECK_EQUAL(2, bench_count_kind(&bench, EFFECT_SEND));
	bench_expire(&bench, bench.now_ms + 32000);
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(3)));
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
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(1)));
	CHECK(bench_is_served(&bench));
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(2)));
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(1, bench_counted(&bench, "client_transactions_full"));
	signalling_free(bench.signalling);
	bench.options.waiting_max = 1;
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	bench.packet.has_link_source = false;
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(1)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_RESOLVE));
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(2)));
	CHECK_EQUAL(0, bench.effects.count);
	CHECK_EQUAL(1, bench_counted(&bench, "waiting_full"));
	/* It left no transaction behind: its next copy is looked at afresh. */
	bench_expire(&bench, bench.now_ms + 1000);
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(2)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_RESOLVE));
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
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(i)));
		served += bench_is_served(&bench);
	}
	CHECK_EQUAL(5, served);
	CHECK_EQUAL(15, bench_counted(&bench, "rate_limited"));
	/* Copies of what was served are answered all the same. */
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(0)));
	CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
	bench.now_ms += 1000;
	for (unsigned i = 20; i < 40; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(i)));
		served += bench_is_served(&bench);
	}
	CHECK_EQUAL(7, served);
	/* This machine itself has no limit. */
	bench.packet.source.address = address_ipv4(127, 0, 0, 2);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(100 + i)));
	}
	CHECK_EQUAL(33, bench_counted(&bench, "rate_limited"));
	bench_close(&bench);
}

int main(void)
{
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
	RUN(credentials_are_read_and_passed_over);
	RUN(sources_that_cannot_be_phones_are_ignored);
	RUN(full_tables_drop_the_new_in_silence);
	RUN(each_table_has_its_bound);
	RUN(a_full_list_of_effects_never_splits_the_two);
	RUN(a_full_arena_never_splits_the_two);
	RUN(a_source_has_a_rate);
	return test_end();
}

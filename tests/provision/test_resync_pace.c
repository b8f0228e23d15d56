/* SPDX-License-Identifier: MIT */
/* Orders for whole fleets: how many leave when, and what bounds them. Counted, in virtual time. */
#include "tests/provision/resync_bench.h"

enum { fleet_count = 10000 };

static struct bench bench;
static struct mac macs[fleet_count + 1];

static void open_fleet(size_t count, struct resync_limits limits)
{
	order_open(&bench, count + 8, limits);
	for (size_t i = 0; i < count; i++) {
		macs[i] = order_mac(1, (unsigned)i + 1);
		order_phone(&bench, macs[i], order_address((unsigned)i + 1));
	}
}

/* How many datagrams the last call sent. */
static size_t sends(void)
{
	return bench_count_kind(&bench, EFFECT_SEND);
}

/* Answers the i-th datagram of the last call; the effects are lost. */
static void answer_all(const char *status)
{
	static char sent[64][1024];
	size_t lengths[64];
	struct endpoint to[64];
	size_t count = sends();

	REQUIRE(count <= 64);
	for (size_t i = 0; i < count; i++) {
		const struct effect_send *send = bench_sent(&bench, i);

		lengths[i] = send->bytes.length;
		to[i] = send->to;
		REQUIRE(lengths[i] <= sizeof(sent[i]));
		memcpy(sent[i], send->bytes.data, lengths[i]);
	}
	for (size_t i = 0; i < count; i++) {
		CHECK_EQUAL(0, sip_message_parse(&order_message, span_make(sent[i], lengths[i])));
		order_answer(&bench, to[i], status, "");
	}
}

/* Everybody answers at once: the rate alone holds. */
static void ten_thousand_do_not_burst(void)
{
	size_t total = 0;
	size_t in_this_second = 0;
	size_t waiting = 0;
	uint64_t second = 0;
	uint64_t start_ms;

	open_fleet(fleet_count, (struct resync_limits){.targets_max = fleet_count,
						       .rate = order_rate,
						       .concurrency = order_concurrency,
						       .verify_ms = order_verify_ms});
	order_give(&bench, RESYNC_ORDER_FETCH, macs, fleet_count);
	start_ms = bench.now_ms;
	while (total < fleet_count) {
		uint64_t wake_ms = signalling_next_wake(bench.signalling);

		REQUIRE(wake_ms != UINT64_MAX);
		bench_expire(&bench, wake_ms > bench.now_ms ? wake_ms : bench.now_ms);
		if ((bench.now_ms - start_ms) / 1000 != second) {
			second = (bench.now_ms - start_ms) / 1000;
			in_this_second = 0;
		}
		for (size_t i = 0; i < bench.effects.count; i++) {
			const struct effect *effect = &bench.effects.items[i];

			waiting += effect->kind == EFFECT_CHANGE &&
				   effect->change->resync == RESYNC_WAITING;
		}
		total += sends();
		in_this_second += sends();
		CHECK(sends() <= 1);
		CHECK(in_this_second <= order_rate);
		answer_all("200 OK");
	}
	CHECK_EQUAL(fleet_count, waiting); /* each was told to wait, once */
	/* The last one leaves when the rate says so, neither earlier nor later. */
	CHECK_EQUAL((fleet_count - 1) * 1000 / order_rate, bench.now_ms - start_ms);
	CHECK_EQUAL(0, bench_counted(&bench, "resync_no_room"));
	bench_close(&bench);
}

/* Nobody answers: so many wait at once, and the next ones when those are given up. */
static void the_silent_hold_no_more_than_their_places(void)
{
	enum { count = 30, places = 10 };
	size_t sent = 0;
	size_t given_up = 0;

	open_fleet(count, (struct resync_limits){.targets_max = count,
						 .rate = 1000,
						 .concurrency = places,
						 .verify_ms = order_verify_ms});
	order_give(&bench, RESYNC_ORDER_FETCH, macs, count);
	while (given_up < count) {
		uint64_t wake_ms = signalling_next_wake(bench.signalling);

		REQUIRE(wake_ms != UINT64_MAX);
		bench_expire(&bench, wake_ms > bench.now_ms ? wake_ms : bench.now_ms);
		for (size_t i = 0; i < bench.effects.count; i++) {
			const struct effect *effect = &bench.effects.items[i];

			if (effect->kind == EFFECT_CHANGE) {
				sent += effect->change->resync == RESYNC_SENT;
				given_up += effect->change->resync == RESYNC_NO_ANSWER;
			}
		}
		CHECK(sent - given_up <= places);
	}
	CHECK_EQUAL(count, sent);
	/* Three rounds of Timer F, and each round left within some milliseconds. */
	CHECK(bench.now_ms - 1000000 >= 3 * 32000 && bench.now_ms - 1000000 < 3 * 32000 + 100);
	bench_close(&bench);
}

/* A loop that comes late does not make up for it in one go. */
static void who_wakes_up_late_sends_no_burst(void)
{
	open_fleet(50, (struct resync_limits){.targets_max = 50,
					      .rate = order_rate,
					      .concurrency = order_concurrency,
					      .verify_ms = order_verify_ms});
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 50);
	bench_expire(&bench, bench.now_ms + 20000);
	CHECK_EQUAL(1, sends());
	answer_all("200 OK");
	bench_expire(&bench, bench.now_ms + 20000);
	CHECK_EQUAL(1, sends());
	bench_close(&bench);
}

/* Three hundred a second is more than one in a millisecond's third: the average is kept. */
static void a_high_rate_is_kept(void)
{
	size_t total = 0;
	uint64_t start_ms;

	open_fleet(600, (struct resync_limits){.targets_max = 600,
					       .rate = 300,
					       .concurrency = 600,
					       .verify_ms = order_verify_ms});
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 600);
	start_ms = bench.now_ms;
	while (bench.now_ms < start_ms + 1000) {
		bench_expire(&bench, bench.now_ms + 1);
		total += sends();
		answer_all("200 OK");
	}
	CHECK(total >= 299 && total <= 303);
	bench_close(&bench);
}

static void a_full_table_refuses_the_rest(void)
{
	open_fleet(20, (struct resync_limits){.targets_max = 10,
					      .rate = order_rate,
					      .concurrency = order_concurrency,
					      .verify_ms = order_verify_ms});
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 20);
	CHECK_EQUAL(20, signalling_order_count(bench.signalling));
	bench_expire(&bench, bench.now_ms);
	CHECK_EQUAL(10, signalling_order_count(bench.signalling));
	CHECK_EQUAL(10, bench_counted(&bench, "resyncs_full"));
	bench_close(&bench);
}

/* More than finds room among the effects of one call: the others are taken in by the next. */
static void effects_that_are_full_lose_nothing(void)
{
	size_t waiting = 0;

	open_fleet(50, (struct resync_limits){.targets_max = 50,
					      .rate = 1000,
					      .concurrency = 50,
					      .verify_ms = order_verify_ms});
	effects_free(&bench.effects);
	CHECK_EQUAL(0, effects_init(&bench.effects, 12, 1 << 20));
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 50);
	for (int i = 0; i < 400; i++) {
		bench_expire(&bench, bench.now_ms + 10);
		for (size_t j = 0; j < bench.effects.count; j++) {
			waiting += bench.effects.items[j].kind == EFFECT_CHANGE &&
				   bench.effects.items[j].change->resync == RESYNC_WAITING;
		}
	}
	CHECK_EQUAL(50, waiting);
	CHECK_EQUAL(0, bench.effects.lost);
	CHECK_EQUAL(50, bench_counted(&bench, "resync_sent"));
	bench_close(&bench);
}

/* A whole fleet is ordered, and ordered again while the first is under way: once each. */
static void a_second_order_for_all_sends_no_more(void)
{
	size_t sent = 0;

	open_fleet(100, (struct resync_limits){.targets_max = 100,
					       .rate = 1000,
					       .concurrency = 200,
					       .verify_ms = order_verify_ms});
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 100);
	bench_expire(&bench, bench.now_ms);
	order_give(&bench, RESYNC_ORDER_REBOOT, macs, 100);
	CHECK(signalling_order_count(bench.signalling) == 200);
	for (int i = 0; i < 200; i++) {
		bench_expire(&bench, bench.now_ms + 1);
		for (size_t j = 0; j < sends(); j++) {
			REQUIRE(order_sent(&bench, j) != NULL);
			sent += span_equal(order_header("Event"), SPAN("check-sync;reboot=true"));
		}
	}
	CHECK_EQUAL(100, sent);
	CHECK_EQUAL(100, signalling_order_count(bench.signalling));
	CHECK_EQUAL(100, bench_counted(&bench, "resync_replaced"));
	bench_close(&bench);
}

/* A phone that is claimed stands there and waits: it goes before a fleet that does not. */
static void a_claimed_phone_goes_first(void)
{
	open_fleet(50, (struct resync_limits){.targets_max = 100,
					      .rate = order_rate,
					      .concurrency = order_concurrency,
					      .verify_ms = order_verify_ms});
	order_phone(&bench, order_mac(4, 1), order_address(999));
	order_give(&bench, RESYNC_ORDER_FETCH, macs, 50);
	bench_expire(&bench, bench.now_ms);
	bench_notice(&bench, (struct notice){.kind = NOTICE_CLAIMED, .mac = order_mac(4, 1)});
	bench_expire(&bench, bench.now_ms + 50);
	CHECK(sends() == 1 && address_equal(bench_sent(&bench, 0)->to.address, order_address(999)));
	bench_close(&bench);
}

int main(void)
{
	RUN(ten_thousand_do_not_burst);
	RUN(the_silent_hold_no_more_than_their_places);
	RUN(who_wakes_up_late_sends_no_burst);
	RUN(a_high_rate_is_kept);
	RUN(a_full_table_refuses_the_rest);
	RUN(effects_that_are_full_lose_nothing);
	RUN(a_second_order_for_all_sends_no_more);
	RUN(a_claimed_phone_goes_first);
	return test_end();
}

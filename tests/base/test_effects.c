/* SPDX-License-Identifier: MIT */
#include "core/base/effects.h"

#include "tests/test.h"

#include <errno.h>

static const struct endpoint from = {{ADDRESS_IPV4, {10, 0, 0, 1}}, 5060};
static const struct endpoint to = {{ADDRESS_IPV4, {10, 0, 0, 2}}, 5059};

static void keeps_order_and_copies_bytes(void)
{
	struct effects effects;
	char bytes[] = "abc";

	REQUIRE(effects_init(&effects, 4, 1 << 16) == 0);
	CHECK_EQUAL(0, effects_send(&effects, from, to, 3, span_text(bytes)));
	CHECK_EQUAL(0, effects_resolve(&effects, to.address, 3));
	CHECK_EQUAL(0, effects_report(&effects, (struct effect_report){.level = REPORT_INFO,
								       .reason = "r",
								       .text = span_text(bytes)}));
	bytes[0] = 'x';
	CHECK_EQUAL(3, effects.count);
	CHECK_EQUAL(EFFECT_SEND, effects.items[0].kind);
	CHECK_TEXT("abc", effects.items[0].send.bytes);
	CHECK(endpoint_equal(to, effects.items[0].send.to));
	CHECK(endpoint_equal(from, effects.items[0].send.from));
	CHECK_EQUAL(EFFECT_RESOLVE, effects.items[1].kind);
	CHECK_TEXT("abc", effects.items[2].report.text);
	effects_reset(&effects);
	CHECK_EQUAL(0, effects.count);
	effects_free(&effects);
}

static void counts_what_finds_no_room(void)
{
	static const char large[20000];
	struct effects effects;

	REQUIRE(effects_init(&effects, 1, 16384) == 0);
	CHECK_EQUAL(0, effects_resolve(&effects, to.address, 3));
	CHECK_EQUAL(-ENOSPC, effects_resolve(&effects, to.address, 3));
	CHECK_EQUAL(-ENOSPC, effects_send(&effects, from, to, 0, span_make("", 0)));
	CHECK_EQUAL(-ENOSPC, effects_change(&effects, NULL));
	CHECK_EQUAL(3, effects.lost);
	effects_reset(&effects);
	CHECK_EQUAL(-ENOSPC, effects_send(&effects, from, to, 0, span_make(large, sizeof(large))));
	CHECK_EQUAL(4, effects.lost);
	CHECK_EQUAL(-ENOSPC,
		    effects_report(&effects,
				   (struct effect_report){.text = span_make(large, sizeof(large)),
							  .detail = span_make(large,
									      sizeof(large))}));
	CHECK_EQUAL(5, effects.lost); /* an effect each, however many texts it has */
	CHECK_EQUAL(0, effects.count);
	effects_free(&effects);
}

static void takes_only_reports_that_are_wanted(void)
{
	struct effects effects;

	REQUIRE(effects_init(&effects, 1, 16384) == 0);
	CHECK(effects_wants_report(&effects, REPORT_DEBUG));
	effects.report_level_min = REPORT_WARNING;
	CHECK(!effects_wants_report(&effects, REPORT_INFO));
	CHECK(effects_wants_report(&effects, REPORT_WARNING));
	CHECK_EQUAL(0, effects_report(&effects, (struct effect_report){.level = REPORT_INFO}));
	CHECK_EQUAL(0, effects.count);
	CHECK_EQUAL(0, effects_report(&effects, (struct effect_report){.level = REPORT_WARNING}));
	CHECK_EQUAL(1, effects.count);
	CHECK_EQUAL(0, effects.lost);
	effects_free(&effects);
}

int main(void)
{
	RUN(keeps_order_and_copies_bytes);
	RUN(counts_what_finds_no_room);
	RUN(takes_only_reports_that_are_wanted);
	return test_end();
}

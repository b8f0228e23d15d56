/* SPDX-License-Identifier: MIT */
/* Phones that were told their URL and never come for their files. */
#include "core/provision/suspicion.h"
#include "tests/test.h"

static struct suspicion s;
static struct effects effects;

static struct mac phone(unsigned number)
{
	return (struct mac){{0, 4, 0x13, 0, (uint8_t)(number >> 8), (uint8_t)number}};
}

/* Tells one phone; was the operator told as well? */
static bool tell(unsigned number, uint64_t now_ms)
{
	bool is_reported;

	effects_reset(&effects);
	suspicion_told(&s, phone(number), now_ms, &effects);
	is_reported = effects.count == 1 &&
		      strcmp(effects.items[0].report.reason, "rogue_suspected") == 0;
	CHECK_EQUAL(is_reported ? 1 : 0, effects.count);
	return is_reported;
}

static void start(void)
{
	s = (struct suspicion){0};
}

static void three_that_never_fetch_are_suspicious(void)
{
	start();
	for (unsigned i = 0; i < 3; i++) {
		CHECK(!tell(i, 1000 + i));
	}
	/* They may yet come. */
	CHECK(!tell(9, 1000 + suspicion_patience_ms));
	CHECK(tell(9, 1002 + suspicion_patience_ms));
	CHECK(span_search(effects.items[0].report.text, SPAN("of the last 3 phones that were told "
							     "their URL 3 have not fetched")) == 0);
	/* Once in an hour. */
	CHECK(!tell(9, 2000 + suspicion_patience_ms));
}

static void two_are_not_and_neither_is_a_minority(void)
{
	start();
	for (unsigned i = 0; i < 2; i++) {
		tell(i, 0);
	}
	CHECK(!tell(9, suspicion_patience_ms));
	start();
	for (unsigned i = 0; i < 8; i++) {
		tell(i, 0);
	}
	for (unsigned i = 0; i < 5; i++) {
		suspicion_fetched(&s, phone(i));
	}
	CHECK(!tell(9, suspicion_patience_ms)); /* 3 of 8 */
	start();
	for (unsigned i = 0; i < 8; i++) {
		tell(i, 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		suspicion_fetched(&s, phone(i));
	}
	CHECK(tell(9, suspicion_patience_ms)); /* 4 of 8 */
}

static void who_asks_again_is_still_waited_for_from_the_first_time(void)
{
	start();
	for (unsigned minute = 0; minute < 10; minute++) {
		for (unsigned i = 0; i < 3; i++) {
			CHECK(!tell(i, minute * 60000));
		}
	}
	CHECK(tell(0, suspicion_patience_ms));
	/* One that has fetched and asks again begins anew. */
	start();
	for (unsigned i = 0; i < 3; i++) {
		tell(i, 0);
		suspicion_fetched(&s, phone(i));
		tell(i, suspicion_patience_ms - 1);
	}
	CHECK(!tell(9, suspicion_patience_ms + 1));
}

static void what_is_an_hour_old_counts_no_more(void)
{
	start();
	for (unsigned i = 0; i < 5; i++) {
		tell(i, 0);
	}
	CHECK(!tell(9, suspicion_memory_ms + 1));
}

/* A building whose power comes back: the sample keeps those that it has, until it can judge them.
 */
static void a_storm_does_not_push_out_those_that_are_waited_for(void)
{
	start();
	for (unsigned i = 0; i < 1000; i++) {
		tell(i, 0);
	}
	for (unsigned i = suspicion_sample_max; i < 1000; i++) {
		suspicion_fetched(&s, phone(i));
	}
	CHECK(tell(2000, suspicion_patience_ms));
	CHECK(!tell(2001, suspicion_patience_ms + 1));
}

int main(void)
{
	if (effects_init(&effects, 4, 4096) != 0) {
		abort();
	}
	RUN(three_that_never_fetch_are_suspicious);
	RUN(two_are_not_and_neither_is_a_minority);
	RUN(who_asks_again_is_still_waited_for_from_the_first_time);
	RUN(what_is_an_hour_old_counts_no_more);
	RUN(a_storm_does_not_push_out_those_that_are_waited_for);
	effects_free(&effects);
	return test_end();
}

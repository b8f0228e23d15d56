/* SPDX-License-Identifier: MIT */
#include "core/provision/rate_limit.h"
#include "tests/test.h"

static struct rate_limit limit;
static const struct address phone = {4, {10, 13, 2, 37}};

static void open_limit(uint32_t per_second, uint32_t burst)
{
	struct random random;

	random_init_number(&random, 1);
	rate_limit_init(&limit, per_second, burst, &random);
}

static unsigned take(struct address source, unsigned count, uint64_t now_ms)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < count; i++) {
		taken += rate_limit_take(&limit, source, now_ms);
	}
	return taken;
}

static void a_burst_and_then_the_rate(void)
{
	open_limit(10, 20);
	CHECK_EQUAL(20, take(phone, 100, 5000));
	CHECK_EQUAL(0, take(phone, 100, 5099));
	CHECK_EQUAL(1, take(phone, 100, 5199));
	CHECK_EQUAL(10, take(phone, 100, 6199));
	CHECK_EQUAL(20, take(phone, 100, 1000000));
}

/* Asked much more often than a token comes, it still comes in time. */
static void a_rate_by_the_minute(void)
{
	struct random random;
	unsigned taken = 0;

	random_init_number(&random, 1);
	rate_limit_init_per_minute(&limit, 6, 3, &random);
	CHECK_EQUAL(3, take(phone, 10, 5000));
	for (uint64_t ms = 5001; ms <= 5000 + 60000; ms++) {
		taken += take(phone, 1, ms);
	}
	CHECK_EQUAL(6, taken);
	CHECK_EQUAL(3, take(phone, 10, 5000 + 600000));
}

static void others_are_not_its_victims(void)
{
	unsigned refused = 0;

	open_limit(1, 1);
	CHECK_EQUAL(1, take(phone, 1000, 0));
	for (unsigned i = 0; i < 200; i++) {
		struct address other = address_ipv4(10, 99, 0, (uint8_t)i);

		refused += take(other, 1, 0) == 0;
	}
	/* Two of 200 may share one of 4096 buckets by chance: some five pairs, not fifty. */
	CHECK(refused < 20);
}

static void an_ipv6_sender_is_its_prefix(void)
{
	struct address a = {6, {0x20, 0x01, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}};
	struct address b = a;

	b.octets[15] = 2;
	open_limit(1, 1);
	CHECK_EQUAL(1, take(a, 5, 0));
	CHECK_EQUAL(0, take(b, 5, 0));
}

static void a_rate_of_zero_is_no_limit(void)
{
	open_limit(0, 0);
	CHECK_EQUAL(1000, take(phone, 1000, 0));
}

static void clocks_and_numbers_at_their_ends(void)
{
	open_limit(UINT32_MAX, UINT32_MAX);
	CHECK_EQUAL(1000, take(phone, 1000, UINT64_MAX));
	open_limit(1, 2);
	CHECK_EQUAL(2, take(phone, 5, 9000));
	CHECK_EQUAL(0, take(phone, 5, 8000)); /* a clock that went back gives nothing */
	CHECK_EQUAL(2, take(phone, 5, UINT64_MAX));
}

int main(void)
{
	RUN(a_burst_and_then_the_rate);
	RUN(a_rate_by_the_minute);
	RUN(others_are_not_its_victims);
	RUN(an_ipv6_sender_is_its_prefix);
	RUN(a_rate_of_zero_is_no_limit);
	RUN(clocks_and_numbers_at_their_ends);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* The table of attempts by itself: bounds, keys, timers. */
#include "core/provision/attempts.h"

#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>

static struct attempts *attempts;

static void open_table(size_t count_max, size_t bytes_max)
{
	static const uint8_t seed[random_seed_size] = {5};
	struct attempts_options options = {count_max, bytes_max, 1500};
	struct random random;

	random_init(&random, seed);
	if (attempts_new(&attempts, &options, &random) != 0) {
		abort();
	}
}

static struct mac mac_of(unsigned n)
{
	return (struct mac){{0, 0x90, 0x8f, 0, 0, (uint8_t)n}};
}

static struct client_key key_of(unsigned n)
{
	return (struct client_key){{UINT64_C(0x9e3779b97f4a7c15) * (n + 1), n}};
}

static int begin(unsigned n, unsigned other, const char *bytes, uint64_t now_ms)
{
	return attempts_begin(attempts,
			      &(struct attempt_start){.device = mac_of(n),
						      .form = FORM_RFC,
						      .shape = SPAN("folder"),
						      .key = {SPAN("acme"), SPAN("A1"), SPAN("1")},
						      .first = key_of(100 + n),
						      .other = key_of(other),
						      .other_bytes = span_text(bytes)},
			      now_ms);
}

static void an_attempt_is_found_by_device_and_by_key(void)
{
	const struct attempt *a;
	char text[] = "NOTIFY";

	open_table(4, 100);
	CHECK(attempts_of_device(attempts, mac_of(1)) == NULL);
	CHECK(attempts_of_other(attempts, key_of(1)) == NULL);
	CHECK_EQUAL(UINT64_MAX, attempts_next_wake(attempts));
	CHECK_EQUAL(0, begin(1, 1, text, 1000));
	memset(text, 'x', sizeof(text) - 1); /* it was copied */
	a = attempts_of_device(attempts, mac_of(1));
	REQUIRE(a != NULL);
	CHECK(a == attempts_of_other(attempts, key_of(1)));
	CHECK_TEXT("NOTIFY", a->other_bytes);
	CHECK_TEXT("folder", span_text(a->shape));
	CHECK_TEXT("acme", a->key.vendor);
	CHECK(!a->is_other_sent);
	CHECK_EQUAL(2500, attempts_next_wake(attempts));
	CHECK(attempts_end(attempts, mac_of(1)));
	CHECK(!attempts_end(attempts, mac_of(1)));
	CHECK(attempts_of_other(attempts, key_of(1)) == NULL);
	CHECK_EQUAL(0, attempts_count(attempts).bytes);
	attempts_free(attempts);
}

static void another_of_its_device_or_key_takes_its_place(void)
{
	open_table(4, 100);
	CHECK_EQUAL(0, begin(1, 1, "a", 0));
	CHECK_EQUAL(0, begin(1, 2, "bb", 10));
	CHECK_EQUAL(1, attempts_count(attempts).count);
	CHECK(attempts_of_other(attempts, key_of(1)) == NULL);
	CHECK_EQUAL(0, begin(2, 2, "ccc", 20));
	CHECK_EQUAL(1, attempts_count(attempts).count);
	CHECK_EQUAL(3, attempts_count(attempts).bytes);
	CHECK(attempts_of_device(attempts, mac_of(1)) == NULL);
	CHECK_EQUAL(0, attempts_count(attempts).dropped);
	attempts_free(attempts);
}

static void time_runs_twice(void)
{
	const struct attempt *a;

	open_table(4, 100);
	CHECK_EQUAL(0, begin(1, 1, "a", 0));
	CHECK_EQUAL(0, begin(2, 2, "b", 100));
	CHECK(attempts_expire(attempts, 1499) == NULL);
	a = attempts_expire(attempts, 1600);
	REQUIRE(a != NULL);
	CHECK(mac_equal(mac_of(1), a->device));
	attempts_sent(attempts, a->device, 1600);
	CHECK(attempts_of_device(attempts, mac_of(1))->is_other_sent);
	a = attempts_expire(attempts, 1600);
	REQUIRE(a != NULL);
	CHECK(mac_equal(mac_of(2), a->device));
	CHECK(attempts_end(attempts, a->device));
	CHECK(attempts_expire(attempts, 33599) == NULL);
	CHECK_EQUAL(1, attempts_count(attempts).count);
	CHECK_EQUAL(33600, attempts_next_wake(attempts));
	CHECK(attempts_expire(attempts, 33600) == NULL);
	CHECK_EQUAL(0, attempts_count(attempts).count);
	CHECK_EQUAL(UINT64_MAX, attempts_next_wake(attempts));
	attempts_free(attempts);
}

static void the_oldest_gives_way(void)
{
	open_table(3, 10);
	for (unsigned n = 1; n <= 3; n++) {
		CHECK_EQUAL(0, begin(n, n, "abc", n));
	}
	/* By count, … */
	CHECK_EQUAL(0, begin(4, 4, "a", 4));
	CHECK_EQUAL(1, attempts_count(attempts).dropped);
	CHECK(attempts_of_device(attempts, mac_of(1)) == NULL);
	/* … and by bytes: 3 + 3 + 1 are there, and 9 find room when all are gone. */
	CHECK_EQUAL(0, begin(5, 5, "abcdefghi", 5));
	CHECK_EQUAL(3, attempts_count(attempts).dropped);
	CHECK_EQUAL(2, attempts_count(attempts).count);
	CHECK_EQUAL(10, attempts_count(attempts).bytes);
	CHECK_EQUAL(-ENOSPC, begin(6, 6, "abcdefghijk", 6));
	CHECK_EQUAL(2, attempts_count(attempts).count);
	attempts_end_all(attempts);
	CHECK_EQUAL(0, attempts_count(attempts).count);
	attempts_free(attempts);
	open_table(0, 10);
	CHECK_EQUAL(-ENOSPC, begin(1, 1, "a", 0));
	attempts_free(attempts);
}

/* Random begins and ends against a plain list. */
static void it_stays_consistent(void)
{
	struct random random;

	open_table(16, 64);
	random_init_number(&random, 42);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned n = (unsigned)random_below(&random, 40);
		size_t count = 0;
		size_t bytes = 0;

		switch (random_below(&random, 4)) {
		case 0:
			(void)attempts_end(attempts, mac_of(n));
			CHECK(attempts_of_device(attempts, mac_of(n)) == NULL);
			break;
		case 1: {
			const struct attempt *a = attempts_expire(attempts, i * 100);

			if (a && i % 2) {
				attempts_sent(attempts, a->device, i * 100);
			} else if (a) {
				CHECK(attempts_end(attempts, a->device));
			}
			break;
		}
		default:
			CHECK_EQUAL(0, begin(n, n, &"abcdefgh"[random_below(&random, 8)], i * 100));
		}
		for (unsigned j = 0; j < 40; j++) {
			const struct attempt *a = attempts_of_device(attempts, mac_of(j));

			CHECK(a == attempts_of_other(attempts, key_of(j)));
			count += a != NULL;
			bytes += a ? a->other_bytes.length : 0;
		}
		CHECK_EQUAL(count, attempts_count(attempts).count);
		CHECK_EQUAL(bytes, attempts_count(attempts).bytes);
		CHECK(count <= 16 && bytes <= 64);
	}
	CHECK(attempts_count(attempts).dropped > 0);
	attempts_free(attempts);
}

int main(void)
{
	RUN(an_attempt_is_found_by_device_and_by_key);
	RUN(another_of_its_device_or_key_takes_its_place);
	RUN(time_runs_twice);
	RUN(the_oldest_gives_way);
	RUN(it_stays_consistent);
	return test_end();
}

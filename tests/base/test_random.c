/* SPDX-License-Identifier: MIT */
#include "core/base/random.h"

#include "tests/test.h"

static void is_a_function_of_its_seed(void)
{
	struct random a;
	struct random b;
	struct random c;
	int alike = 0;

	random_init_number(&a, 1);
	random_init_number(&b, 1);
	random_init_number(&c, 2);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = random_u64(&a);

		CHECK(value == random_u64(&b));
		alike += value == random_u64(&c);
	}
	CHECK_EQUAL(0, alike);
}

/*
 * The ChaCha20 block function with the all-zero key and nonce: RFC 8439 A.1 test vectors 1
 * (counter 0, which becomes the next key and is never given out) and 2 (counter 1), read back
 * through what the generator does give: its buffer is given from the end, block 4 first.
 */
static void is_chacha20(void)
{
	static const uint8_t counter_one[8] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a};
	uint8_t seed[random_seed_size] = {0};
	uint8_t out[256];
	struct random r;

	random_init(&r, seed);
	random_bytes(&r, out, sizeof(out));
	CHECK(memcmp(out, counter_one, sizeof(counter_one)) == 0);
	CHECK_EQUAL(0xade0b876, r.key[0]);
}

static void what_was_given_is_erased(void)
{
	struct random r;
	uint8_t out[10];

	random_init_number(&r, 3);
	random_bytes(&r, out, sizeof(out));
	for (size_t i = r.available; i < sizeof(r.buffer); i++) {
		CHECK_EQUAL(0, r.buffer[i]);
	}
}

static void is_uniform_below_a_bound(void)
{
	struct random r;
	unsigned count[6] = {0};

	random_init_number(&r, 4);
	for (int i = 0; i < 60000; i++) {
		uint64_t value = random_below(&r, 6);

		REQUIRE(value < 6);
		count[value]++;
	}
	for (int i = 0; i < 6; i++) {
		CHECK(count[i] > 9500 && count[i] < 10500);
	}
	CHECK_EQUAL(0, random_below(&r, 1));
}

static void writes_hexadecimal(void)
{
	char text[128];
	struct writer w = writer_over(text, sizeof(text));
	struct random r;

	random_init_number(&r, 5);
	random_write_hex(&r, &w, 16);
	CHECK_EQUAL(32, w.length);
	for (size_t i = 0; i < w.length; i++) {
		CHECK(ascii_hex_value(text[i]) >= 0 && ascii_lower(text[i]) == text[i]);
	}
}

int main(void)
{
	RUN(is_a_function_of_its_seed);
	RUN(is_chacha20);
	RUN(what_was_given_is_erased);
	RUN(is_uniform_below_a_bound);
	RUN(writes_hexadecimal);
	return test_end();
}

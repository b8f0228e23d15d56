/* SPDX-License-Identifier: MIT */
#include "core/base/table.h"

#include "tests/test.h"

#include <errno.h>

struct entry {
	uint32_t key;
	bool is_in;
};

static struct span key_of(const void *entry)
{
	const struct entry *e = entry;

	return span_make((const char *)&e->key, sizeof(e->key));
}

static struct span key_span(const uint32_t *key)
{
	return span_make((const char *)key, sizeof(*key));
}

/* Thousands of random additions and removals against a plain array. */
static void agrees_with_an_array(void)
{
	static struct entry entries[500];
	struct random random;
	struct table table;
	size_t expected_count = 0;

	random_init_number(&random, 1);
	table_init(&table, 240, &random, key_of);
	for (uint32_t i = 0; i < 500; i++) {
		entries[i] = (struct entry){.key = i * 7919};
	}
	for (int round = 0; round < 100000; round++) {
		struct entry *e = &entries[random_below(&random, 500)];

		if (random_below(&random, 2) == 0) {
			int error = table_add(&table, e);
			int expected = e->is_in ? -EEXIST : expected_count == 240 ? -ENOSPC : 0;

			CHECK_EQUAL(expected, error);
			if (error == 0) {
				e->is_in = true;
				expected_count++;
			}
		} else {
			CHECK(table_remove(&table, key_span(&e->key)) == (e->is_in ? e : NULL));
			expected_count -= e->is_in;
			e->is_in = false;
		}
		CHECK_EQUAL(expected_count, table.count);
		e = &entries[random_below(&random, 500)];
		CHECK(table_find(&table, key_span(&e->key)) == (e->is_in ? e : NULL));
		REQUIRE(!test_is_failed);
	}
	CHECK(table.full > 0);
	table_free(&table);
}

static void walks_every_entry_once(void)
{
	static struct entry entries[100];
	struct random random;
	struct table table;
	size_t cursor = 0;
	size_t seen = 0;

	random_init_number(&random, 2);
	table_init(&table, 100, &random, key_of);
	CHECK(!table_next(&table, &cursor));
	for (uint32_t i = 0; i < 100; i++) {
		entries[i].key = i;
		CHECK_EQUAL(0, table_add(&table, &entries[i]));
	}
	cursor = 0;
	for (struct entry *e; (e = table_next(&table, &cursor));) {
		CHECK(!e->is_in);
		e->is_in = true;
		seen++;
	}
	CHECK_EQUAL(100, seen);
	table_free(&table);
	CHECK(!table_find(&table, key_span(&entries[0].key)));
}

static void counts_when_it_is_full(void)
{
	struct entry a = {.key = 1};
	struct entry b = {.key = 2};
	struct random random;
	struct table table;

	random_init_number(&random, 3);
	table_init(&table, 1, &random, key_of);
	CHECK_EQUAL(0, table_add(&table, &a));
	CHECK_EQUAL(-ENOSPC, table_add(&table, &b));
	CHECK_EQUAL(-EEXIST, table_add(&table, &a));
	CHECK_EQUAL(1, table.full);
	table_free(&table);
}

/* The reference value of SipHash-1-3 for key 00..0f and input 00..07 would need another source;
 * what is held here is that the hash depends on the seed and on every octet. */
static void hash_depends_on_seed_and_octets(void)
{
	uint64_t seed[2] = {1, 2};
	uint64_t other[2] = {1, 3};
	char input[20] = {0};
	uint64_t whole = table_hash(seed, span_make(input, sizeof(input)));

	CHECK(whole != table_hash(other, span_make(input, sizeof(input))));
	CHECK(whole != table_hash(seed, span_make(input, sizeof(input) - 1)));
	for (size_t i = 0; i < sizeof(input); i++) {
		input[i] = 1;
		CHECK(whole != table_hash(seed, span_make(input, sizeof(input))));
		input[i] = 0;
	}
}

int main(void)
{
	RUN(agrees_with_an_array);
	RUN(walks_every_entry_once);
	RUN(counts_when_it_is_full);
	RUN(hash_depends_on_seed_and_octets);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/provision/waiting.h"
#include "tests/test.h"

#include <errno.h>

static const struct address phone = {4, {10, 13, 2, 37}};
static const struct address other = {4, {10, 13, 2, 38}};

static struct waiting_table *open_table(size_t count_max, size_t bytes_max)
{
	struct waiting_options options = {count_max, bytes_max};
	struct waiting_table *table = NULL;
	struct random random;

	random_init_number(&random, 1);
	CHECK_EQUAL(0, waiting_new(&table, &options, &random));
	return table;
}

static int add(struct waiting_table *table, struct address source, uint32_t interface,
	       uint64_t now_ms, bool *is_first)
{
	struct packet packet = {.bytes = SPAN("0123456789"),
				.source = {source, 5060},
				.interface = interface};
	struct server_key key = {{now_ms, 2}, {3, 4}};

	return waiting_add(table, &packet, &key, now_ms, is_first);
}

static void bounded_by_count_and_by_octets(void)
{
	struct waiting_table *table = open_table(2, 1000);
	bool is_first;

	CHECK_EQUAL(0, add(table, phone, 1, 0, &is_first));
	CHECK_EQUAL(0, add(table, phone, 1, 0, &is_first));
	CHECK_EQUAL(-ENOSPC, add(table, other, 1, 0, &is_first));
	CHECK_EQUAL(2, waiting_count(table));
	CHECK_EQUAL(1, waiting_full(table));
	waiting_table_free(table);

	table = open_table(8, 20);
	CHECK_EQUAL(0, add(table, phone, 1, 0, &is_first));
	CHECK_EQUAL(0, add(table, phone, 1, 0, &is_first));
	CHECK_EQUAL(-ENOSPC, add(table, other, 1, 0, &is_first));
	waiting_free(waiting_take(table, phone, 1));
	CHECK_EQUAL(0, add(table, other, 1, 0, &is_first));
	waiting_table_free(table);
}

static void the_first_of_an_address_and_interface_asks(void)
{
	struct waiting_table *table = open_table(8, 1000);
	bool is_first = false;

	CHECK_EQUAL(0, add(table, phone, 1, 0, &is_first));
	CHECK(is_first);
	CHECK_EQUAL(0, add(table, phone, 1, 0, &is_first));
	CHECK(!is_first);
	CHECK_EQUAL(0, add(table, phone, 2, 0, &is_first));
	CHECK(is_first);
	CHECK_EQUAL(0, add(table, other, 1, 0, &is_first));
	CHECK(is_first);
	waiting_table_free(table);
}

static void taken_by_address_and_interface(void)
{
	struct waiting_table *table = open_table(8, 1000);
	struct waiting *waiting;
	bool is_first;

	CHECK_EQUAL(0, add(table, phone, 1, 7, &is_first));
	CHECK_EQUAL(0, add(table, phone, 2, 8, &is_first));
	CHECK_EQUAL(0, add(table, other, 1, 9, &is_first));
	CHECK(waiting_take(table, phone, 3) == NULL);
	waiting = waiting_take(table, phone, 2);
	REQUIRE(waiting != NULL);
	CHECK_EQUAL(8, waiting->key.transaction[0]);
	CHECK_TEXT("0123456789", waiting->packet.bytes);
	waiting_free(waiting);
	CHECK(waiting_take(table, phone, 2) == NULL);
	waiting = waiting_take(table, phone, 0); /* any */
	REQUIRE(waiting != NULL);
	CHECK_EQUAL(7, waiting->key.transaction[0]);
	waiting_free(waiting);
	CHECK(waiting_take(table, phone, 0) == NULL);
	CHECK_EQUAL(1, waiting_count(table));
	waiting_table_free(table);
}

static void nobody_waits_longer_than_a_second(void)
{
	struct waiting_table *table = open_table(8, 1000);
	bool is_first;

	CHECK_EQUAL(UINT64_MAX, waiting_next_wake(table));
	CHECK_EQUAL(0, add(table, phone, 1, 100, &is_first));
	CHECK_EQUAL(0, add(table, other, 1, 200, &is_first));
	CHECK_EQUAL(1100, waiting_next_wake(table));
	CHECK(waiting_take_due(table, 1099) == NULL);
	waiting_free(waiting_take_due(table, 1100));
	CHECK(waiting_take_due(table, 1199) == NULL);
	CHECK_EQUAL(1200, waiting_next_wake(table));
	waiting_free(waiting_take_due(table, 5000));
	CHECK_EQUAL(0, waiting_count(table));
	waiting_table_free(table);
}

int main(void)
{
	RUN(bounded_by_count_and_by_octets);
	RUN(the_first_of_an_address_and_interface_asks);
	RUN(taken_by_address_and_interface);
	RUN(nobody_waits_longer_than_a_second);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/fleet/pools.h"

#include "tests/fleet/fleet.h"
#include "tests/guard.h"

static int set_pool(struct inventory *inventory, const char *name, const char *body)
{
	return fleet_do(inventory, (struct change){.kind = CHANGE_POOL_SET,
						   .name = span_text(name),
						   .body = span_text(body)});
}

static struct change claim(const char *mac, const char *pool, const char *extension)
{
	return (struct change){
		.kind = CHANGE_DEVICE_CLAIM,
		.mac = fleet_mac(mac),
		.fields = (pool ? FIELD_POOL : 0) | (extension ? FIELD_EXTENSION : 0),
		.pool = span_text(pool),
		.extension = span_text(extension),
	};
}

static const char *number_of(const struct inventory *inventory, const char *mac)
{
	const struct device *device = fleet_device(inventory, mac);

	return device ? device->extension : "(none)";
}

static const char *setting_of(const struct inventory *inventory, const char *mac, const char *path)
{
	const char *value = settings_get(&fleet_device(inventory, mac)->settings, span_text(path));

	return value ? value : "(unset)";
}

static void numbers_are_given_in_order(void)
{
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, set_pool(&inventory, "p",
				"{\"ranges\":[\"99-101\",\"007-008\"],\"numbers\":["
				"{\"extension\":\"100\",\"username\":\"u\",\"auth_username\":\"a\","
				"\"password\":\"s\",\"display_name\":\"Hall\"}]}"));
	CHECK_EQUAL(5, inventory_pool(&inventory, SPAN("p"))->count);
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000001", "p", NULL)));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000002", "p", NULL)));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000003", "p", NULL)));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000004", "p", NULL)));
	CHECK_TEXT("99", span_text(number_of(&inventory, "00908f000001")));
	CHECK_TEXT("007", span_text(number_of(&inventory, "00908f000002")));
	CHECK_TEXT("008", span_text(number_of(&inventory, "00908f000003")));
	CHECK_TEXT("100", span_text(number_of(&inventory, "00908f000004")));
	CHECK_TEXT("u", span_text(setting_of(&inventory, "00908f000004", "sip_lines.1.username")));
	CHECK_TEXT("a",
		   span_text(setting_of(&inventory, "00908f000004", "sip_lines.1.auth_username")));
	CHECK_TEXT("Hall",
		   span_text(setting_of(&inventory, "00908f000004", "sip_lines.1.display_name")));
	CHECK_TEXT("99", span_text(setting_of(&inventory, "00908f000001", "sip_lines.1.username")));
	CHECK_TEXT("(unset)",
		   span_text(setting_of(&inventory, "00908f000001", "sip_lines.1.password")));
	CHECK_EQUAL(4, inventory_pool(&inventory, SPAN("p"))->taken);
	inventory_free(&inventory);
}

static void what_is_no_pool_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"ranges\":\"200-299\"}",
		"{\"ranges\":[\"299-200\"]}",
		"{\"ranges\":[\"-\"]}",
		"{\"ranges\":[\"\"]}",
		"{\"ranges\":[\"a-b\"]}",
		"{\"ranges\":[\"1-\"]}",
		"{\"ranges\":[\"01-100\"]}",
		"{\"ranges\":[1]}",
		"{\"ranges\":[\"0-5000\"]}",
		"{\"ranges\":[\"0-999999999999999\"]}",
		"{\"numbers\":{}}",
		"{\"numbers\":[1]}",
		"{\"numbers\":[{}]}",
		"{\"numbers\":[{\"extension\":\"a b\"}]}",
		"{\"numbers\":[{\"extension\":1}]}",
		"{\"numbers\":[{\"extension\":\"1\",\"pin\":\"2\"}]}",
		"{\"numbers\":[{\"extension\":\"1\"},{\"extension\":\"1\"}]}",
		"{\"numbers\":[{\"extension\":\"1\",\"password\":\"SECRET\\nx\"}]}",
		"{\"numbers\":[{\"extension\":\"12345678901234567890123456789012\"}]}",
		"{\"ranges\":[\"1\"],\"x\":1}",
	};
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (set_pool(&inventory, "p", bad[i]) == 0 || fleet_problem[0] == '\0') {
			CHECK(false);
			printf("# %s: %s\n", bad[i], fleet_problem);
		}
		CHECK(!strstr(fleet_problem, "SECRET"));
	}
	CHECK_EQUAL(-EINVAL, set_pool(&inventory, "a/b", "{\"ranges\":[\"1\"]}"));
	CHECK_EQUAL(0, inventory.pool_numbers);
	/* All pools together have a maximum. */
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-3000\"]}"));
	CHECK_EQUAL(-ENOSPC, set_pool(&inventory, "q", "{\"ranges\":[\"1-3000\"]}"));
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-5000\"]}"));
	CHECK_EQUAL(5000, inventory.pool_numbers);
	inventory_free(&inventory);
}

static void read_prefix(struct span text, void *context)
{
	char room[300];
	struct writer problem = writer_over(room, sizeof(room));
	struct number_pool *pool = NULL;

	if (number_pool_read(SPAN("p"), text, 100, &pool, &problem) == 0) {
		++*(unsigned *)context;
		number_pool_free(pool);
	}
}

static void pools_at_the_edge_of_memory(void)
{
	unsigned read = 0;

	guard_each_prefix(SPAN("{\"ranges\":[\"07-12\"],\"numbers\":[{\"extension\":\"9\","
			       "\"password\":\"p\"}]}"),
			  read_prefix, &read);
	CHECK_EQUAL(2, read);
}

static void a_number_is_one_devices(void)
{
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-2\"]}"));
	CHECK_EQUAL(0, set_pool(&inventory, "q", "{\"ranges\":[\"2-3\"]}"));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000001", NULL, "1")));
	CHECK_TEXT("p", span_text(fleet_device(&inventory, "00908f000001")->pool));
	CHECK_EQUAL(-EEXIST, fleet_do(&inventory, claim("00908f000002", NULL, "1")));
	CHECK(strstr(fleet_problem, "00908f000001") != NULL);
	CHECK(fleet_device(&inventory, "00908f000002") == NULL);
	CHECK_EQUAL(-EINVAL, fleet_do(&inventory, claim("00908f000002", NULL, "2")));
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, claim("00908f000002", NULL, "9")));
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, claim("00908f000002", "p", "3")));
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, claim("00908f000002", "r", NULL)));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000002", "p", "2")));
	CHECK_EQUAL(-EBUSY, fleet_do(&inventory, claim("00908f000003", "p", NULL)));
	/* Asked for again, it keeps the one it has. */
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000002", "p", NULL)));
	CHECK_TEXT("2", span_text(number_of(&inventory, "00908f000002")));
	/* Another one: the first is free. */
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000001", "q", "3")));
	CHECK_TEXT("3", span_text(setting_of(&inventory, "00908f000001", "sip_lines.1.username")));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000003", "p", NULL)));
	CHECK_TEXT("1", span_text(number_of(&inventory, "00908f000003")));
	/* Given back, with its settings. */
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000003", "", NULL)));
	CHECK_TEXT("", span_text(number_of(&inventory, "00908f000003")));
	CHECK_TEXT("(unset)",
		   span_text(setting_of(&inventory, "00908f000003", "sip_lines.1.username")));
	/* A removal frees it. */
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_REMOVE, "00908f000002"));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000004", "p", "2")));
	inventory_free(&inventory);
}

static void a_pool_may_change_under_its_numbers(void)
{
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-2\"]}"));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000001", "p", "1")));
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"2-3\"]}"));
	CHECK_EQUAL(0, inventory_pool(&inventory, SPAN("p"))->taken);
	CHECK_TEXT("1", span_text(number_of(&inventory, "00908f000001")));
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_POOL_REMOVE, .name = SPAN("p")}));
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, (struct change){.kind = CHANGE_POOL_REMOVE,
								  .name = SPAN("p")}));
	/* It is back, and who has what is known still. */
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-2\"]}"));
	CHECK_EQUAL(1, inventory_pool(&inventory, SPAN("p"))->taken);
	CHECK_EQUAL(-EEXIST, fleet_do(&inventory, claim("00908f000002", "p", "1")));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000002", "p", NULL)));
	CHECK_TEXT("2", span_text(number_of(&inventory, "00908f000002")));
	inventory_free(&inventory);
}

/* Several changes of a batch: what one is to get no other gets, and what is dropped is free. */
static void a_batch_never_shares_a_number(void)
{
	struct prepared prepared[3];
	struct inventory inventory;
	char problem[200];
	struct change first = claim("00908f000001", "p", NULL);
	struct change second = claim("00908f000002", "p", NULL);
	struct change third = claim("00908f000003", "p", "1");

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-2\"]}"));
	REQUIRE(inventory_prepare(&inventory, &first, &prepared[0], problem, sizeof(problem)) == 0);
	REQUIRE(inventory_prepare(&inventory, &second, &prepared[1], problem, sizeof(problem)) ==
		0);
	CHECK_EQUAL(-EEXIST,
		    inventory_prepare(&inventory, &third, &prepared[2], problem, sizeof(problem)));
	third = claim("00908f000003", "p", NULL);
	CHECK_EQUAL(-EBUSY,
		    inventory_prepare(&inventory, &third, &prepared[2], problem, sizeof(problem)));
	prepared_free(&prepared[1]);
	inventory_commit(&inventory, &prepared[0]);
	CHECK_TEXT("1", span_text(number_of(&inventory, "00908f000001")));
	CHECK_EQUAL(0, fleet_do(&inventory, claim("00908f000003", "p", NULL)));
	CHECK_TEXT("2", span_text(number_of(&inventory, "00908f000003")));
	CHECK_EQUAL(2, inventory_pool(&inventory, SPAN("p"))->taken);
	inventory_free(&inventory);
}

/* --- 1,000 changes at random: no number is two devices', none is lost. --- */

enum { random_devices = 40, random_numbers = 25, random_changes = 1000 };

static void check_numbers(const struct inventory *inventory)
{
	const struct number_pool *pool = inventory_pool(inventory, SPAN("p"));
	const struct device *device;
	unsigned owners[random_numbers] = {0};
	size_t cursor = 0;
	size_t taken = 0;

	while ((device = inventory_next_device(inventory, &cursor))) {
		unsigned number = (unsigned)strtoul(device->extension, NULL, 10);

		if (!device->extension[0]) {
			continue;
		}
		REQUIRE(number >= 1 && number <= random_numbers);
		owners[number - 1]++;
		taken++;
		CHECK(mac_equal(pool->numbers[number - 1].owner, device->mac));
		CHECK(inventory_device_by_number(inventory, SPAN("p"),
						 span_text(device->extension)) == device);
	}
	for (size_t i = 0; i < random_numbers; i++) {
		CHECK(owners[i] <= 1);
		CHECK_EQUAL(owners[i] == 1, pool->numbers[i].is_taken);
		CHECK(!pool->numbers[i].is_reserved);
	}
	CHECK_EQUAL(taken, pool->taken);
}

static struct change random_change(struct random *random, char *extension, size_t size)
{
	struct mac mac = {{0, 0x90, 0x8f, 0, 0, (uint8_t)random_below(random, random_devices)}};
	struct change change = {.mac = mac, .utc_ms = 1000};

	switch (random_below(random, 5)) {
	case 0:
		change.kind = CHANGE_DEVICE_REMOVE;
		break;
	case 1:
		change.kind = CHANGE_DEVICE_CLAIM;
		change.fields = FIELD_POOL | FIELD_EXTENSION;
		change.pool = SPAN("p");
		snprintf(extension, size, "%u", (unsigned)random_below(random, random_numbers) + 1);
		change.extension = span_text(extension);
		break;
	case 2:
		change.kind = CHANGE_DEVICE_CLAIM;
		change.fields = FIELD_POOL;
		change.pool = random_below(random, 2) ? SPAN("p") : SPAN("");
		break;
	default:
		change.kind = CHANGE_DEVICE_SEEN;
		change.fields = FIELD_CERTAINTY;
		change.certainty = CERTAINTY_SEEN;
		break;
	}
	return change;
}

/* Batches of up to four, of which some are dropped. */
static void no_number_is_given_twice(void)
{
	static const uint8_t seed[random_seed_size] = {7, 1};
	struct inventory inventory;
	struct random random;
	size_t prepared_count;

	random_init(&random, seed);
	fleet_open(&inventory, 100, 100);
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-25\"]}"));
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_RULE_SET,
							    .name = SPAN("r"),
							    .body = SPAN("{\"pool\":\"p\"}")}));
	for (unsigned done = 0; done < random_changes;) {
		struct prepared prepared[4];
		size_t wanted = 1 + random_below(&random, 4);
		bool is_dropped = random_below(&random, 5) == 0;
		char problem[200];

		prepared_count = 0;
		for (size_t i = 0; i < wanted; i++, done++) {
			char extension[8];
			struct change change = random_change(&random, extension, sizeof(extension));

			prepared_count +=
				inventory_prepare(&inventory, &change, &prepared[prepared_count],
						  problem, sizeof(problem)) == 0;
		}
		for (size_t i = prepared_count; is_dropped && i-- > 0;) {
			prepared_free(&prepared[i]);
		}
		for (size_t i = 0; !is_dropped && i < prepared_count; i++) {
			inventory_commit(&inventory, &prepared[i]);
		}
		check_numbers(&inventory);
		if (test_is_failed) {
			printf("# after %u changes\n", done);
			break;
		}
	}
	CHECK(inventory_pool(&inventory, SPAN("p"))->taken > 10);
	inventory_free(&inventory);
}

/* An import: all or none, each refused row named, and a trial changes nothing. */
static void a_group_is_claimed_together(void)
{
	struct change rows[3] = {claim("00908f000001", "p", NULL), claim("00908f000002", "p", NULL),
				 claim("00908f000003", "p", NULL)};
	struct change group = {.kind = CHANGE_DEVICES_IMPORT,
			       .group = rows,
			       .group_count = 3,
			       .utc_ms = 5};
	struct inventory inventory;

	for (unsigned i = 0; i < 3; i++) {
		rows[i].row = i + 2;
	}
	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-2\"]}"));
	CHECK_EQUAL(-EINVAL, fleet_do(&inventory, group));
	CHECK_TEXT("1\n4 00908f000003 the pool has no free number: p; add some, or remove "
		   "devices\n",
		   span_text(fleet_problem));
	CHECK_EQUAL(0, inventory.devices.count);
	CHECK_EQUAL(0, inventory_pool(&inventory, SPAN("p"))->taken);
	CHECK(inventory.pending == NULL);
	group.is_partial = true;
	group.is_trial = true;
	CHECK_EQUAL(0, fleet_do(&inventory, group));
	CHECK(strncmp(fleet_problem, "1\n4 ", 4) == 0);
	CHECK_EQUAL(0, inventory.devices.count);
	group.is_trial = false;
	CHECK_EQUAL(0, fleet_do(&inventory, group));
	CHECK_EQUAL(2, inventory.devices.count);
	CHECK_TEXT("2", span_text(number_of(&inventory, "00908f000002")));
	CHECK(inventory.pending == NULL);
	CHECK_EQUAL(0, set_pool(&inventory, "p", "{\"ranges\":[\"1-3\"]}"));
	group.is_partial = false;
	CHECK_EQUAL(0, fleet_do(&inventory, group));
	CHECK_TEXT("0\n", span_text(fleet_problem));
	CHECK_TEXT("3", span_text(number_of(&inventory, "00908f000003")));
	inventory_free(&inventory);
}

int main(void)
{
	RUN(numbers_are_given_in_order);
	RUN(what_is_no_pool_is_refused);
	RUN(pools_at_the_edge_of_memory);
	RUN(a_number_is_one_devices);
	RUN(a_pool_may_change_under_its_numbers);
	RUN(a_batch_never_shares_a_number);
	RUN(no_number_is_given_twice);
	RUN(a_group_is_claimed_together);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* Rules, pools and the road of a device: what is on disk, and when. */
#include "io/store_events.h"
#include "tests/io/store_house.h"
#include "tests/io/store_whole.h"

#include <errno.h>

static int set(struct house *house, enum change_kind kind, const char *name, const char *body)
{
	return make(house, &(struct change){.kind = kind,
					    .name = span_text(name),
					    .body = span_text(body)});
}

static struct change seen(unsigned n)
{
	return (struct change){.kind = CHANGE_DEVICE_SEEN,
			       .mac = mac_number(n),
			       .fields = FIELD_CERTAINTY,
			       .certainty = CERTAINTY_SEEN};
}

static int claim_of(struct house *house, unsigned n, const char *pool)
{
	return make(house, &(struct change){.kind = CHANGE_DEVICE_CLAIM,
					    .mac = mac_number(n),
					    .fields = FIELD_POOL,
					    .pool = span_text(pool)});
}

static void keep_text(void *context, const struct event *event)
{
	char *all = context;

	snprintf(all + strlen(all), 2000 - strlen(all), "%s: %.*s\n", event->reason,
		 (int)event->text.length, event->text.data);
}

/* All events in memory, "REASON: TEXT" a line. */
static const char *events_of(struct house *house)
{
	static char all[2000];

	all[0] = '\0';
	(void)store_events_after(house->store, 0, NULL, 100, keep_text, all);
	return all;
}

static void rules_pools_and_numbers_are_kept(void)
{
	struct house house = {.delay_ms = 0};
	struct change change = seen(1);
	const struct rule *rule;
	char audit[600];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, set(&house, CHANGE_POOL_SET, "p",
			   "{\"ranges\":[\"1-3\"],\"numbers\":[{\"extension\":\"1\","
			   "\"password\":\"s\"}]}"));
	CHECK_EQUAL(0, set(&house, CHANGE_POOL_SET, "gone", "{\"ranges\":[\"7\"]}"));
	CHECK_EQUAL(0, set(&house, CHANGE_RULE_SET, "r",
			   "{\"priority\":9,\"mac\":[\"00908f\"],\"pool\":\"p\","
			   "\"settings\":{\"admin_password\":\"secret\"}}"));
	CHECK_EQUAL(0, set(&house, CHANGE_RULE_SET, "gone", "{\"mac\":[\"001565\"]}"));
	CHECK_EQUAL(0, set(&house, CHANGE_RULE_REMOVE, "gone", ""));
	CHECK_EQUAL(0, set(&house, CHANGE_POOL_REMOVE, "gone", ""));
	CHECK_EQUAL(-EBUSY, set(&house, CHANGE_POOL_REMOVE, "p", ""));
	query(house.path, "SELECT group_concat(detail, '') FROM audit WHERE subject IN ('p', 'r')",
	      audit, sizeof(audit));
	CHECK_TEXT("{\"ranges\":[\"1-3\"],\"numbers\":1}{\"priority\":9,\"mac\":[\"00908f\"],"
		   "\"pool\":\"p\",\"settings\":{\"admin_password\":\"********\"}}",
		   span_text(audit));
	CHECK_EQUAL(0, make(&house, &change));
	CHECK_EQUAL(0, claim_of(&house, 2, "p"));
	CHECK_EQUAL(0, claim_of(&house, 3, "p"));
	CHECK_EQUAL(0, claim_of(&house, 3, ""));
	house_close(&house);

	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(1, house.inventory.rules.count);
	CHECK_EQUAL(1, house.inventory.pools.count);
	rule = inventory_rule(&house.inventory, SPAN("r"));
	REQUIRE(rule != NULL);
	CHECK_EQUAL(9, rule->priority);
	CHECK_EQUAL(1, rule->used);
	CHECK(rule->used_utc_ms > 0);
	CHECK_TEXT("secret", span_text(settings_get(&rule->settings, SPAN("admin_password"))));
	CHECK_TEXT("1", span_text(device_number(&house, 1)->extension));
	CHECK_TEXT("r", span_text(device_number(&house, 1)->claimed_by));
	CHECK_TEXT("2", span_text(device_number(&house, 2)->extension));
	CHECK_TEXT("", span_text(device_number(&house, 3)->extension));
	CHECK_EQUAL(2, inventory_pool(&house.inventory, SPAN("p"))->taken);
	/* The next is neither of theirs; a removal frees one for good. */
	CHECK_EQUAL(0, claim_of(&house, 4, "p"));
	CHECK_TEXT("3", span_text(device_number(&house, 4)->extension));
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = mac_number(2)}));
	house_close(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim_of(&house, 5, "p"));
	CHECK_TEXT("2", span_text(device_number(&house, 5)->extension));
	house_close(&house);
}

/* Nobody changes a row by hand without being told which it is. */
static void rows_that_we_did_not_write_are_refused(void)
{
	static const struct {
		const char *sql;
		const char *name;
	} rows[] = {
		{"UPDATE rules SET body = '{\"priority\":-1}'", "rule r"},
		{"UPDATE rules SET used = -1", "rule r"},
		{"UPDATE pools SET body = '{}'", "pool p"},
		{"UPDATE device_numbers SET extension = ''", "device 00908f000001"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct house house = {.delay_ms = 0};
		char value[8];

		house_path(&house);
		REQUIRE(house_open(&house) == 0);
		CHECK_EQUAL(0, set(&house, CHANGE_POOL_SET, "p", "{\"ranges\":[\"1-3\"]}"));
		CHECK_EQUAL(0, set(&house, CHANGE_RULE_SET, "r", "{}"));
		CHECK_EQUAL(0, claim_of(&house, 1, "p"));
		house_close(&house);
		query(house.path, rows[i].sql, value, sizeof(value));
		CHECK_EQUAL(-EUCLEAN, house_open(&house));
		CHECK(strstr(house.problem, rows[i].name) != NULL);
	}
}

/* Reports wait a minute here, but not those that a rule may claim by. */
static void a_rule_does_not_wait(void)
{
	struct house house = {.delay_ms = 60000};
	struct change change = seen(1);

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, set(&house, CHANGE_RULE_SET, "r", "{}"));
	/* Awaited, so that this test ends when it is done; one that waits would time out. */
	CHECK_EQUAL(0, make(&house, &change));
	CHECK_EQUAL(DEVICE_CLAIMED, device_number(&house, 1)->state);
	house_close(&house);
	/* The same after a start: the rule is found in the database. */
	REQUIRE(house_open(&house) == 0);
	change = seen(2);
	CHECK_EQUAL(0, make(&house, &change));
	CHECK_EQUAL(DEVICE_CLAIMED, device_number(&house, 2)->state);
	house_close(&house);
}

/* A change that is not written tells of nothing; one that is, tells of it in its transaction. */
static void events_are_written_with_their_change(void)
{
	struct house house = {.delay_ms = 0};
	sqlite3 *other = NULL;
	char value[300];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	REQUIRE(sqlite3_open(house.path, &other) == SQLITE_OK);
	REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
	CHECK_EQUAL(-EBUSY, claim(&house, 1));
	CHECK_TEXT("", span_text(events_of(&house)));
	REQUIRE(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(other);
	CHECK_EQUAL(0, claim(&house, 1));
	/* Acknowledged, so it is on disk, and so is what is told of it. */
	query(house.path, "SELECT group_concat(id || mac || text) FROM events", value,
	      sizeof(value));
	CHECK_TEXT("100908f000001claimed: by tester", span_text(value));
	CHECK_TEXT("state: claimed: by tester\n", span_text(events_of(&house)));
	/* Once, also after what was told otherwise. */
	store_event(house.store, &(struct effect_report){.reason = "told", .text = SPAN("x")}, 5);
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_BLOCK, .mac = mac_number(1)}));
	CHECK_TEXT("state: claimed: by tester\ntold: x\nstate: claimed -> blocked: by tester\n",
		   span_text(events_of(&house)));
	house_close(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_TEXT("state: claimed: by tester\ntold: x\nstate: claimed -> blocked: by tester\n",
		   span_text(events_of(&house)));
	house_close(&house);
}

static void a_restore_brings_rules_and_numbers_back(void)
{
	struct house house = {.delay_ms = 0};
	struct store_holdings holdings;
	struct restoring restoring;
	struct span bytes;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, set(&house, CHANGE_POOL_SET, "p", "{\"ranges\":[\"1-2\"]}"));
	CHECK_EQUAL(0, set(&house, CHANGE_RULE_SET, "r", "{\"pool\":\"p\"}"));
	CHECK_EQUAL(0, claim_of(&house, 1, "p"));
	bytes = copy(&house, &holdings);
	CHECK_EQUAL(0, set(&house, CHANGE_RULE_REMOVE, "r", ""));
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = mac_number(1)}));
	CHECK_EQUAL(0, set(&house, CHANGE_POOL_SET, "p", "{\"ranges\":[\"5-9\"]}"));
	CHECK_EQUAL(0, claim_of(&house, 2, "p"));
	CHECK_EQUAL(0, restore(&house, bytes, &restoring));
	free_span(bytes);
	CHECK_EQUAL(1, house.inventory.rules.count);
	CHECK_EQUAL(2, inventory_pool(&house.inventory, SPAN("p"))->count);
	CHECK_EQUAL(1, inventory_pool(&house.inventory, SPAN("p"))->taken);
	CHECK_EQUAL(2, house.inventory.pool_numbers);
	CHECK_TEXT("1", span_text(device_number(&house, 1)->extension));
	CHECK(device_number(&house, 2) == NULL);
	CHECK(inventory_device_by_number(&house.inventory, SPAN("p"), SPAN("5")) == NULL);
	/* And they work: the rule that is back claims, with the number that is free. */
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_DEVICE_SEEN,
						     .mac = mac_number(3),
						     .fields = FIELD_CERTAINTY,
						     .certainty = CERTAINTY_SEEN}));
	CHECK_TEXT("2", span_text(device_number(&house, 3)->extension));
	house_close(&house);
}

static void a_group_is_one_transaction(void)
{
	struct house house = {.delay_ms = 0};
	struct store_counters before;
	struct store_counters after;
	struct change rows[30];
	struct change group = {.kind = CHANGE_DEVICES_IMPORT, .group = rows, .group_count = 30};
	char value[100];

	for (unsigned i = 0; i < 30; i++) {
		rows[i] = (struct change){.kind = CHANGE_DEVICE_CLAIM,
					  .mac = mac_number(i + 1),
					  .row = i + 2};
	}
	rows[29].fields = FIELD_PROFILE;
	rows[29].profile = SPAN("nobody");
	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(-EINVAL, make(&house, &group));
	CHECK(strncmp(house.problem, "1\n31 00908f00001e no such profile", 33) == 0);
	CHECK_EQUAL(0, house.inventory.devices.count);
	rows[29].fields = 0;
	store_counters(house.store, &before);
	CHECK_EQUAL(0, make(&house, &group));
	store_counters(house.store, &after);
	CHECK_EQUAL(before.transactions + 1, after.transactions);
	CHECK_TEXT("0\n", span_text(house.problem));
	query(house.path, "SELECT (SELECT count(*) FROM devices) || ' ' || count(*) FROM events",
	      value, sizeof(value));
	CHECK_TEXT("30 30", span_text(value));
	query(house.path, "SELECT what || ' ' || subject FROM audit", value, sizeof(value));
	CHECK_TEXT("device import 30 devices", span_text(value));
	house_close(&house);
}

/* --- Events that are held. --- */

static void add(struct store_events *events, const char *text)
{
	store_events_add(events, &(struct effect_report){.reason = "r", .text = span_text(text)},
			 1);
}

/* Their texts, "1a2b": what a reader sees. */
static const char *seen_of(struct store_events *events)
{
	static char all[200];
	struct event *copies[20];
	uint64_t after = 0;
	size_t count = store_events_copy(events, &after, NULL, copies, 20);
	size_t length = 0;

	all[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		length += (size_t)snprintf(all + length, sizeof(all) - length, "%d%.*s",
					   (int)copies[i]->id, (int)copies[i]->text.length,
					   copies[i]->text.data);
		free(copies[i]);
	}
	return all;
}

static void held_events_are_seen_when_they_are_released(void)
{
	struct event a = {.text = SPAN("A"), .reason = "s"};
	struct event b = {.text = SPAN("B"), .reason = "s"};
	struct event *held[] = {&a, &b};
	struct store_events events;

	REQUIRE(store_events_init(&events, 6) == 0);
	add(&events, "x");
	CHECK_EQUAL(2, store_events_hold(&events, held, 2));
	add(&events, "y");
	CHECK_TEXT("1x", span_text(seen_of(&events)));
	CHECK_EQUAL(4, store_events_waiting(&events));
	store_events_written(&events, 4, false);
	store_events_release(&events);
	CHECK_TEXT("1x2A3B4y", span_text(seen_of(&events)));
	/* Taken back: what came after them moves up, and no number is left out. (The oldest gave
	 * way.)
	 */
	CHECK_EQUAL(2, store_events_hold(&events, held, 2));
	add(&events, "z");
	store_events_withdraw(&events);
	CHECK_TEXT("2A3B4y5z", span_text(seen_of(&events)));
	CHECK_EQUAL(1, store_events_waiting(&events));
	add(&events, "w");
	CHECK_TEXT("2A3B4y5z6w", span_text(seen_of(&events)));
	/* More than there is room for. */
	CHECK_EQUAL(2, store_events_hold(&events, held, 2));
	for (unsigned i = 0; i < 5; i++) {
		add(&events, "n");
	}
	store_events_withdraw(&events);
	CHECK_TEXT("8n9n10n11n12n", span_text(seen_of(&events)));
	add(&events, "m");
	CHECK_TEXT("8n9n10n11n12n13m", span_text(seen_of(&events)));
	store_events_free(&events);
}

int main(void)
{
	make_folder();
	RUN(rules_pools_and_numbers_are_kept);
	RUN(rows_that_we_did_not_write_are_refused);
	RUN(a_rule_does_not_wait);
	RUN(events_are_written_with_their_change);
	RUN(a_restore_brings_rules_and_numbers_back);
	RUN(a_group_is_one_transaction);
	RUN(held_events_are_seen_when_they_are_released);
	remove_folder();
	return test_end();
}

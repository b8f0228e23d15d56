/* SPDX-License-Identifier: MIT */
/* The database as a whole: copied while it is written to, replaced by what was handed in. */
#include "tests/io/store_whole.h"

#include <errno.h>
#include <stdatomic.h>

/* --- Copies. --- */

static void a_copy_holds_what_is_committed(void)
{
	struct house house = {.delay_ms = 0};
	struct store_holdings holdings;
	struct span bytes;
	char path[160];
	char value[64];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < 300; n++) {
		CHECK_EQUAL(0, claim(&house, n));
	}
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_PROFILE_SET,
						     .profile = SPAN("office")}));
	bytes = copy(&house, &holdings);
	CHECK_EQUAL(300, holdings.devices);
	CHECK_EQUAL(1, holdings.profiles);
	CHECK_EQUAL(store_sqlite_schema.version, holdings.schema);
	CHECK_EQUAL(0, count_files(house.path, ".part-*", NULL, 0));
	/* It needs nothing beside it. */
	snprintf(path, sizeof(path), "%s.copy", house.path);
	write_file(path, bytes);
	CHECK(database_is_whole(path));
	query(path, "PRAGMA journal_mode", value, sizeof(value));
	CHECK_TEXT("delete", span_text(value));
	query(path, "SELECT count(*) FROM devices", value, sizeof(value));
	CHECK_TEXT("300", span_text(value));
	free_span(bytes);
	house_close(&house);
}

static struct house *copied_house;
static atomic_bool is_copying;

/* Each copy has the claims up to one of them, and none beyond. */
static void *copy_again_and_again(void *argument)
{
	(void)argument;
	while (atomic_load(&is_copying)) {
		struct store_holdings holdings;
		struct span bytes = copy(copied_house, &holdings);
		char path[160];
		char value[64];

		snprintf(path, sizeof(path), "%s.copy", copied_house->path);
		write_file(path, bytes);
		free_span(bytes);
		CHECK(database_is_whole(path));
		query(path,
		      "SELECT count(*) = 0 OR max(mac) = printf('00908f%06x', count(*) - 1) "
		      "FROM devices",
		      value, sizeof(value));
		CHECK_TEXT("1", span_text(value));
	}
	return NULL;
}

static void commits_go_on_while_it_is_copied(void)
{
	struct house house = {.delay_ms = 0};
	pthread_t thread;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	copied_house = &house;
	atomic_store(&is_copying, true);
	REQUIRE(pthread_create(&thread, NULL, copy_again_and_again, NULL) == 0);
	for (unsigned n = 0; n < 1500; n++) {
		CHECK_EQUAL(0, claim(&house, n));
	}
	atomic_store(&is_copying, false);
	pthread_join(thread, NULL);
	house_close(&house);
}

/* --- Restore. --- */

static void check_is_as_before(struct house *house)
{
	CHECK_EQUAL(2, house->inventory.devices.count);
	CHECK_EQUAL(2, house->inventory.devices_by_key.count);
	CHECK_EQUAL(2, house->inventory.count_by_state[DEVICE_CLAIMED]);
	REQUIRE(device_number(house, 1) != NULL);
	CHECK_TEXT("one", span_text(device_number(house, 1)->label));
	CHECK(device_number(house, 2) != NULL);
	CHECK(device_number(house, 3) == NULL);
	CHECK(inventory_profile(&house->inventory, SPAN("later")) == NULL);
}

static void a_restore_puts_all_back_and_keeps_what_was(void)
{
	struct house house = {.delay_ms = 0};
	struct restoring restoring;
	struct store_holdings holdings;
	struct span bytes;
	uint64_t events;
	char value[256];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	CHECK_EQUAL(0, set_label(&house, 1, SPAN("one")));
	CHECK_EQUAL(0, claim(&house, 2));
	store_event(house.store, &(struct effect_report){.reason = "old", .text = SPAN("x")}, 5);
	bytes = copy(&house, &holdings);

	CHECK_EQUAL(0, set_label(&house, 1, SPAN("changed")));
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = mac_number(2)}));
	CHECK_EQUAL(0, claim(&house, 3));
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_PROFILE_SET,
						     .profile = SPAN("later")}));
	store_event(house.store, &(struct effect_report){.reason = "new", .text = SPAN("y")}, 6);
	events = store_events_newest(house.store, NULL, 1) + 1;
	CHECK_EQUAL(0, restore(&house, bytes, &restoring));
	CHECK_EQUAL(2, restoring.holdings.devices);
	CHECK_EQUAL(bytes.length, restoring.holdings.bytes);
	CHECK_EQUAL(0, restoring.stale);
	free_span(bytes);
	check_is_as_before(&house);
	/* Events are those of this server, and go on. */
	CHECK_EQUAL(events, store_events_newest(house.store, NULL, 1) + 1);
	CHECK_EQUAL(0, count_files(house.path, ".part-*", NULL, 0));
	/* It is a database like any other. */
	CHECK_EQUAL(0, claim(&house, 4));
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = mac_number(4)}));
	house_close(&house);

	query(house.path,
	      "SELECT who || ' ' || what || ' ' || detail FROM audit WHERE "
	      "what = 'restore'",
	      value, sizeof(value));
	CHECK_TEXT(
		text_of("restorer restore {\"devices\":2,\"profiles\":0,\"schema\":%d,\"stale\":0}",
			store_sqlite_schema.version),
		span_text(value));
	query(house.path, "SELECT group_concat(reason) FROM events WHERE reason <> 'state'", value,
	      sizeof(value));
	CHECK_TEXT("old,new", span_text(value));
	query(restoring.kept, "SELECT group_concat(mac || label) FROM devices", value,
	      sizeof(value));
	CHECK_TEXT("00908f000001changed,00908f000003", span_text(value));
	CHECK(database_is_whole(restoring.kept));
	REQUIRE(house_open(&house) == 0);
	check_is_as_before(&house);
	house_close(&house);
}

static int fetch(struct house *house, unsigned n, uint64_t utc_ms, uint64_t revision)
{
	return make(house, &(struct change){.kind = CHANGE_DEVICE_FETCHED,
					    .mac = mac_number(n),
					    .is_complete = true,
					    .revision = revision,
					    .utc_ms = utc_ms});
}

/* What a phone has taken since the backup is not what the backup says that it has. */
static void who_has_fetched_since_is_stale(void)
{
	struct house house = {.delay_ms = 0};
	struct restoring restoring;
	struct store_holdings holdings;
	struct span bytes;
	uint64_t revision_before;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 1; n <= 3; n++) {
		CHECK_EQUAL(0, claim(&house, n));
		CHECK_EQUAL(0, fetch(&house, n, 1000, 0));
		CHECK_EQUAL(DEVICE_FETCHED, device_number(&house, n)->state);
	}
	bytes = copy(&house, &holdings);
	CHECK_EQUAL(0, set_label(&house, 2, SPAN("changed")));
	CHECK_EQUAL(0, fetch(&house, 2, 2000, 0));
	CHECK_EQUAL(0, set_label(&house, 3, SPAN("not taken yet")));
	revision_before = house.inventory.revision;
	CHECK_EQUAL(0, restore(&house, bytes, &restoring));
	free_span(bytes);
	CHECK_EQUAL(1, restoring.stale);
	CHECK_EQUAL(DEVICE_FETCHED, device_number(&house, 1)->state);
	CHECK_EQUAL(DEVICE_STALE, device_number(&house, 2)->state);
	CHECK_EQUAL(DEVICE_FETCHED, device_number(&house, 3)->state);
	CHECK_EQUAL(2, house.inventory.count_by_state[DEVICE_FETCHED]);
	CHECK_EQUAL(1, house.inventory.count_by_state[DEVICE_STALE]);
	/* A fetch that began before and ended after took the old files. */
	CHECK_EQUAL(0, fetch(&house, 1, 3000, revision_before));
	CHECK_EQUAL(DEVICE_STALE, device_number(&house, 1)->state);
	house_close(&house);

	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(DEVICE_STALE, device_number(&house, 1)->state);
	CHECK_EQUAL(DEVICE_STALE, device_number(&house, 2)->state);
	CHECK_EQUAL(DEVICE_FETCHED, device_number(&house, 3)->state);
	CHECK_EQUAL(0, fetch(&house, 2, 4000, 0));
	CHECK_EQUAL(DEVICE_FETCHED, device_number(&house, 2)->state);
	house_close(&house);
}

/* The bytes of a good copy after some SQL, or other harm. */
static struct span spoilt(struct house *house, struct span good, const char *sql)
{
	char path[160];
	char value[64];
	sqlite3 *connection = NULL;
	char *error = NULL;

	snprintf(path, sizeof(path), "%s.spoilt", house->path);
	write_file(path, good);
	if (sqlite3_open(path, &connection) != SQLITE_OK ||
	    sqlite3_exec(connection, sql, NULL, NULL, &error) != SQLITE_OK) {
		printf("# %s: %s\n", sql, error ? error : "?");
		test_is_failed = true;
	}
	sqlite3_free(error);
	sqlite3_close(connection);
	query(path, "PRAGMA wal_checkpoint(TRUNCATE)", value, sizeof(value));
	return read_file(path);
}

static void check_refused(struct house *house, struct span bytes, int result, const char *word)
{
	struct restoring restoring;

	CHECK_EQUAL(result, restore(house, bytes, &restoring));
	if (!strstr(house->problem, word)) {
		printf("# wanted \"%s\", got: %s\n", word, house->problem);
		test_is_failed = true;
	}
	CHECK_EQUAL(2, house->inventory.devices.count);
	CHECK_TEXT("one", span_text(device_number(house, 1)->label));
	CHECK_EQUAL(0, count_files(house->path, ".part-*", NULL, 0));
	CHECK_EQUAL(0, count_files(house->path, ".before-restore-*", NULL, 0));
}

static const struct {
	const char *sql;
	const char *word;
} spoilers[] = {
	{"PRAGMA user_version = 9", "newer Bellhop (schema 9"},
	{"PRAGMA application_id = 7", "another program"},
	{"PRAGMA user_version = 0", "empty"},
	{"CREATE TRIGGER t AFTER DELETE ON events BEGIN DELETE FROM devices; END",
	 "tables of Bellhop"},
	{"CREATE VIEW v AS SELECT * FROM devices", "tables of Bellhop"},
	{"CREATE INDEX i ON devices (label)", "tables of Bellhop"},
	{"DROP TABLE audit", "tables of Bellhop"},
	{"ALTER TABLE devices ADD COLUMN more TEXT", "tables of Bellhop"},
	{"UPDATE devices SET state = 'half'", "state of device"},
	{"UPDATE devices SET key = 'short' WHERE mac LIKE '%1'", "device 00908f000001"},
	{"UPDATE devices SET vendor = 'No/One'", "device"},
	{"UPDATE devices SET model = 'a;b'", "device"},
	{"UPDATE devices SET label = 'a' || char(10) || 'b'", "device"},
	{"UPDATE devices SET mac = upper(mac)", "mac of device"},
	/* What would be beyond them with the next change, and so never be read again. */
	{"UPDATE devices SET revision = -1", "revision of device"},
	{"UPDATE devices SET fetched_revision = 9223372036854775807", "fetched_revision of device"},
	{"UPDATE devices SET last_seen_utc_ms = -1", "last_seen_utc_ms of device"},
	{"INSERT INTO profiles VALUES ('default', '', -1)", "revision of profile"},
	{"UPDATE sqlite_sequence SET seq = 9223372036854775806", "audit log"},
	{"UPDATE audit SET id = id + 9223372036854775000", "audit log"},
	{"UPDATE devices SET profile = 'missing'", "missing"},
	{"INSERT INTO profiles VALUES ('a', 'b', 1), ('b', 'a', 1)", "circle"},
	{"INSERT INTO profiles VALUES ('a', 'missing', 1)", "missing"},
	{"PRAGMA foreign_keys = OFF; INSERT INTO device_settings VALUES "
	 "('00908f00ffff', 'x.a', 'b')",
	 "damaged"},
	{"PRAGMA foreign_keys = OFF; INSERT INTO device_settings VALUES "
	 "('00908f000001', '', 'b')",
	 "device 00908f000001"},
	{"PRAGMA ignore_check_constraints = ON; UPDATE devices SET mac = 'x' "
	 "WHERE mac LIKE '%1'",
	 "damaged"},
};

static void what_cannot_be_used_is_refused_with_the_reason(void)
{
	struct house house = {.delay_ms = 0};
	struct store_holdings holdings;
	struct span good;
	char *damaged;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	CHECK_EQUAL(0, set_label(&house, 1, SPAN("one")));
	CHECK_EQUAL(0, claim(&house, 2));
	good = copy(&house, &holdings);
	check_refused(&house, SPAN(""), -EINVAL, "no database");
	check_refused(&house, SPAN("SQLite format 3, but not really"), -EINVAL, "no database");
	check_refused(&house, span_make(good.data, 512), -EINVAL, "damaged");
	check_refused(&house, span_make(good.data, good.length - 4096), -EINVAL, "damaged");
	for (size_t i = 0; i < sizeof(spoilers) / sizeof(spoilers[0]); i++) {
		struct span bad = spoilt(&house, good, spoilers[i].sql);

		check_refused(&house, bad, -EINVAL, spoilers[i].word);
		free_span(bad);
	}
	/* Every page in turn: damage is found, or was where nothing is. */
	damaged = malloc(good.length);
	REQUIRE(damaged != NULL);
	for (size_t at = 4096; at < good.length; at += 4096) {
		memcpy(damaged, good.data, good.length);
		memset(damaged + at, 0xa5, 64);
		check_refused(&house, span_make(damaged, good.length), -EINVAL, "damaged");
	}
	free(damaged);
	free_span(good);
	house_close(&house);
}

/* Another program would go on with the log of the old one, under the new one's name. */
static void what_another_program_has_open_is_not_replaced(void)
{
	struct house house = {.delay_ms = 0};
	struct restoring restoring;
	struct store_holdings holdings;
	sqlite3 *other = NULL;
	struct span bytes;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	bytes = copy(&house, &holdings);
	CHECK_EQUAL(0, claim(&house, 2));
	REQUIRE(sqlite3_open(house.path, &other) == SQLITE_OK);
	CHECK_EQUAL(SQLITE_OK, sqlite3_exec(other, "SELECT * FROM devices", NULL, NULL, NULL));
	CHECK_EQUAL(-EBUSY, restore(&house, bytes, &restoring));
	CHECK(strstr(house.problem, "another program") != NULL);
	CHECK_EQUAL(2, house.inventory.devices.count);
	CHECK_EQUAL(0, claim(&house, 3));
	sqlite3_close(other);
	CHECK_EQUAL(0, restore(&house, bytes, &restoring));
	CHECK_EQUAL(1, house.inventory.devices.count);
	free_span(bytes);
	house_close(&house);
}

static void more_than_fits_is_refused(void)
{
	struct house house = {.delay_ms = 0};
	struct house small = {.delay_ms = 0, .devices_max = 3};
	struct restoring restoring;
	struct store_holdings holdings;
	struct span bytes;

	house_path(&house);
	house_path(&small);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < 5; n++) {
		CHECK_EQUAL(0, claim(&house, n));
	}
	bytes = copy(&house, &holdings);
	house_close(&house);
	REQUIRE(house_open(&small) == 0);
	CHECK_EQUAL(0, claim(&small, 9));
	CHECK_EQUAL(-ENOSPC, restore(&small, bytes, &restoring));
	CHECK(strstr(small.problem, "raise the maximum") != NULL);
	CHECK_EQUAL(1, small.inventory.devices.count);
	free_span(bytes);
	house_close(&small);
}

/* Whatever write or sync of a restore fails, or is the last: old or new, and whole. */
static void check_old_or_new(struct house *house, bool is_new)
{
	CHECK(database_is_whole(house->path));
	REQUIRE(house_open(house) == 0);
	CHECK_EQUAL(is_new ? 5 : 7, house->inventory.devices.count);
	CHECK_EQUAL(0, count_files(house->path, ".part-*", NULL, 0));
	CHECK_EQUAL(0, claim(house, 900));
	house_close(house);
}

static struct span make_two_states(struct house *house)
{
	struct store_holdings holdings;
	struct span bytes;

	house_path(house);
	CHECK_EQUAL(0, house_open(house));
	for (unsigned n = 0; n < 5; n++) {
		CHECK_EQUAL(0, claim(house, n));
	}
	bytes = copy(house, &holdings);
	CHECK_EQUAL(0, claim(house, 5));
	CHECK_EQUAL(0, claim(house, 6));
	return bytes;
}

static void a_restore_whose_write_fails_changes_nothing(void)
{
	unsigned rounds = 0;

	faulty_vfs_begin();
	for (int n = 1; n < 200; n++) {
		struct house house = {.delay_ms = 0};
		struct span bytes = make_two_states(&house);
		struct restoring restoring;
		bool has_failed;
		int result;

		faulty_vfs_arm(n, 1, 0);
		result = restore(&house, bytes, &restoring);
		has_failed = faulty_vfs_disarm();
		free_span(bytes);
		CHECK_EQUAL(result == 0 ? 5 : 7, house.inventory.devices.count);
		CHECK(result == 0 || house.problem[0] != '\0');
		CHECK_EQUAL(0, claim(&house, 800));
		CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_DEVICE_REMOVE,
							     .mac = mac_number(800)}));
		house_close(&house);
		check_old_or_new(&house, result == 0);
		rounds += has_failed;
		if (!has_failed) {
			CHECK_EQUAL(0, result);
			break;
		}
	}
	faulty_vfs_end();
	printf("# %u different writes and syncs of a restore have failed\n", rounds);
	CHECK(rounds > 5 && rounds < 199);
}

static void open_and_restore(struct house *house, void *context)
{
	struct restoring restoring;

	if (house_open(house) < 0 || restore(house, *(struct span *)context, &restoring) < 0) {
		printf("# child: %s\n", house->problem);
		_exit(1);
	}
}

static void a_restore_that_is_killed_leaves_old_or_new(void)
{
	unsigned rounds = 0;
	bool was_killed = true;

	for (int n = 1; was_killed && n < 300; n++) {
		struct house house = {.delay_ms = 0};
		struct span bytes = make_two_states(&house);
		char value[64];

		house_close(&house);
		was_killed = is_killed(open_and_restore, &house, &bytes, n);
		free_span(bytes);
		query(house.path, "SELECT count(*) FROM devices", value, sizeof(value));
		CHECK(strcmp(value, "5") == 0 || strcmp(value, "7") == 0);
		check_old_or_new(&house, strcmp(value, "5") == 0);
		CHECK(was_killed || strcmp(value, "5") == 0);
		rounds += was_killed;
	}
	printf("# a restore was killed at %u different writes and syncs\n", rounds);
	CHECK(rounds > 10 && !was_killed);
}

/* Ended between the old database's second name and the new one's coming into its place. */
static void a_second_name_of_the_database_is_removed(void)
{
	struct house house = {.delay_ms = 0};
	char kept[192];
	char part[192];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	house_close(&house);
	snprintf(kept, sizeof(kept), "%s.before-restore-20260101T000000.000Z", house.path);
	snprintf(part, sizeof(part), "%s.part-abcdef", house.path);
	REQUIRE(link(house.path, kept) == 0);
	write_file(part, SPAN("half"));
	REQUIRE(house_open(&house) == 0);
	CHECK(access(kept, F_OK) < 0);
	CHECK(access(part, F_OK) < 0);
	house_close(&house);
	/* A real one stays. */
	write_file(kept, SPAN("what was"));
	REQUIRE(house_open(&house) == 0);
	CHECK(access(kept, F_OK) == 0);
	house_close(&house);
}

int main(void)
{
	make_folder();
	RUN(a_copy_holds_what_is_committed);
	RUN(commits_go_on_while_it_is_copied);
	RUN(a_restore_puts_all_back_and_keeps_what_was);
	RUN(who_has_fetched_since_is_stale);
	RUN(what_cannot_be_used_is_refused_with_the_reason);
	RUN(what_another_program_has_open_is_not_replaced);
	RUN(more_than_fits_is_refused);
	RUN(a_restore_whose_write_fails_changes_nothing);
	RUN(a_restore_that_is_killed_leaves_old_or_new);
	RUN(a_second_name_of_the_database_is_removed);
	remove_folder();
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * The store over SQLite: what was acknowledged is there after the database is opened again, after
 * kill -9 and after every write and sync has failed once; what was refused has not touched memory.
 */
#include "tests/io/faulty_vfs.h"
#include "tests/io/store_house.h"
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- What was acknowledged is there again. --- */

static const struct change_setting line_settings[] = {
	{{"sip_lines.1.username", 20}, {"1001", 4}, false},
	{{"sip_lines.1.password", 20}, {"s3cret-value", 12}, false},
};

static void keeps_devices_and_profiles(void)
{
	struct house house = {.delay_ms = 0};
	const struct device *device;
	const struct profile *profile;
	char key[device_key_size];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, make(&house, &(struct change){
					    .kind = CHANGE_PROFILE_SET,
					    .profile = SPAN("office"),
					    .settings = line_settings,
					    .setting_count = 1,
				    }));
	CHECK_EQUAL(0, make(&house, &(struct change){
					    .kind = CHANGE_DEVICE_CLAIM,
					    .mac = mac_number(1),
					    .fields = FIELD_PROFILE | FIELD_LABEL | FIELD_MODEL |
						      FIELD_BOUND_ADDRESS | FIELD_FORM,
					    .profile = SPAN("office"),
					    .label = SPAN("Empfang \xc3\xbc"),
					    .model = SPAN("440HD"),
					    .form = FORM_PRINT,
					    .bound_address = address_ipv4(192, 0, 2, 7),
					    .settings = line_settings,
					    .setting_count = 2,
				    }));
	device = device_number(&house, 1);
	REQUIRE(device != NULL);
	snprintf(key, sizeof(key), "%s", device->key);
	CHECK_EQUAL(32, strlen(key));
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_BLOCK, .mac = mac_number(1)}));
	house_close(&house);

	REQUIRE(house_open(&house) == 0);
	device = device_number(&house, 1);
	REQUIRE(device != NULL);
	CHECK_EQUAL(DEVICE_BLOCKED, device->state);
	CHECK_TEXT(key, span_text(device->key));
	CHECK_TEXT("office", span_text(device->profile));
	CHECK_TEXT("Empfang \xc3\xbc", span_text(device->label));
	CHECK_TEXT("440HD", span_text(device->model));
	CHECK_EQUAL(FORM_PRINT, device->form);
	CHECK(address_equal(device->bound_address, address_ipv4(192, 0, 2, 7)));
	CHECK_EQUAL(2, device->settings.count);
	CHECK_TEXT("s3cret-value",
		   span_text(settings_get(&device->settings, SPAN("sip_lines.1.password"))));
	profile = inventory_profile(&house.inventory, SPAN("office"));
	REQUIRE(profile != NULL);
	CHECK_TEXT("default", span_text(profile->parent));
	CHECK_TEXT("1001",
		   span_text(settings_get(&profile->settings, SPAN("sip_lines.1.username"))));
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = mac_number(1)}));
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_PROFILE_REMOVE,
						     .profile = SPAN("office")}));
	house_close(&house);

	REQUIRE(house_open(&house) == 0);
	CHECK(device_number(&house, 1) == NULL);
	CHECK(inventory_profile(&house.inventory, SPAN("office")) == NULL);
	house_close(&house);
}

static void refuses_without_touching_memory(void)
{
	struct house house = {.delay_ms = 0};

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(-ENOENT, make(&house, &(struct change){.kind = CHANGE_DEVICE_BLOCK,
							   .mac = mac_number(9)}));
	CHECK(house.problem[0] != '\0');
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_ADD, .mac = mac_number(9)}));
	CHECK_EQUAL(-EEXIST, make(&house, &(struct change){.kind = CHANGE_DEVICE_ADD,
							   .mac = mac_number(9)}));
	CHECK_EQUAL(1, house.inventory.devices.count);
	house_close(&house);
}

static void many_in_one_batch_keep_their_order(void)
{
	struct house house = {.delay_ms = 0};
	struct store_counters counters;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < 2000; n++) {
		CHECK_EQUAL(0, store_post(house.store,
					  &(struct change){.kind = CHANGE_DEVICE_CLAIM,
							   .mac = mac_number(n % 500)},
					  SPAN("tester")));
		CHECK_EQUAL(0, store_post(house.store,
					  &(struct change){.kind = CHANGE_DEVICE_REMOVE,
							   .mac = mac_number(n % 500)},
					  SPAN("tester")));
	}
	CHECK_EQUAL(0, claim(&house, 7));
	store_counters(house.store, &counters);
	CHECK_EQUAL(4001, counters.changes);
	CHECK_EQUAL(0, counters.refused);
	CHECK(counters.transactions < 4001);
	CHECK_EQUAL(1, house.inventory.devices.count);
	house_close(&house);

	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(1, house.inventory.devices.count);
	CHECK(device_number(&house, 7) != NULL);
	house_close(&house);
}

static void reports_are_coalesced(void)
{
	struct house house = {.delay_ms = 60000};
	struct store_counters counters;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < 100; n++) {
		store_post(house.store,
			   &(struct change){.kind = CHANGE_DEVICE_SEEN,
					    .mac = mac_number(1),
					    .fields = FIELD_ADDRESS,
					    .address = address_ipv4(192, 0, 2, (uint8_t)n)},
			   SPAN(""));
	}
	/* An edit does not wait, and takes what was posted before it along. */
	CHECK_EQUAL(0, claim(&house, 1));
	store_counters(house.store, &counters);
	CHECK_EQUAL(99, counters.coalesced);
	CHECK_EQUAL(2, counters.changes);
	CHECK(address_equal(device_number(&house, 1)->address, address_ipv4(192, 0, 2, 99)));
	/* A fetch between two notifications stays between them. */
	for (unsigned n = 0; n < 2; n++) {
		store_post(house.store,
			   &(struct change){.kind = CHANGE_DEVICE_NOTIFIED, .mac = mac_number(1)},
			   SPAN(""));
		store_post(house.store,
			   &(struct change){.kind = CHANGE_DEVICE_FETCHED,
					    .mac = mac_number(1),
					    .is_complete = n == 0},
			   SPAN(""));
		store_post(house.store,
			   &(struct change){.kind = CHANGE_DEVICE_FETCHED, .mac = mac_number(1)},
			   SPAN(""));
	}
	CHECK_EQUAL(0, claim(&house, 2));
	store_counters(house.store, &counters);
	CHECK_EQUAL(100, counters.coalesced);
	CHECK_EQUAL(DEVICE_FETCHED, device_number(&house, 1)->state);
	house_close(&house);
}

/* What waits is written when the store is stopped. */
static void stopping_writes_what_waits(void)
{
	struct house house = {.delay_ms = 60000};

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	store_post(house.store, &(struct change){.kind = CHANGE_DEVICE_SEEN, .mac = mac_number(3)},
		   SPAN(""));
	store_event(house.store, &(struct effect_report){.reason = "last", .text = SPAN("x")}, 5);
	house_close(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK(device_number(&house, 3) != NULL);
	/* The one that was told, and that a phone appeared. */
	CHECK_EQUAL(0, store_events_newest(house.store, NULL, 2));
	CHECK_EQUAL(1, store_events_newest(house.store, NULL, 1));
	house_close(&house);
}

static void keep_nothing(void *context, int result, const char *problem)
{
	unsigned *count = context;

	(void)result;
	(void)problem;
	(*count)++;
}

static void forgotten_acknowledgements_stay_away(void)
{
	struct house house = {.delay_ms = 0};
	unsigned forgotten = 0;
	struct change change = {.kind = CHANGE_DEVICE_CLAIM, .mac = mac_number(1)};

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0,
		    store_client_post(house.client, &change, SPAN("t"), keep_nothing, &forgotten));
	store_client_forget(house.client, &forgotten);
	CHECK_EQUAL(0, claim(&house, 2));
	CHECK_EQUAL(0, forgotten);
	CHECK(device_number(&house, 1) != NULL);
	/* Closed with one under way. */
	change.mac = mac_number(4);
	CHECK_EQUAL(0,
		    store_client_post(house.client, &change, SPAN("t"), keep_nothing, &forgotten));
	house_close(&house);
	CHECK_EQUAL(0, forgotten);
	REQUIRE(house_open(&house) == 0);
	CHECK(device_number(&house, 4) != NULL);
	house_close(&house);
}

/* --- The file. --- */

static void file_is_private_and_held_by_one(void)
{
	struct house house = {.delay_ms = 0};
	struct house second = {.delay_ms = 0};
	struct stat info;
	char value[64];

	house_path(&house);
	memcpy(second.path, house.path, sizeof(second.path));
	REQUIRE(house_open(&house) == 0);
	REQUIRE(stat(house.path, &info) == 0);
	CHECK_EQUAL(0600, info.st_mode & 0777);
	CHECK_EQUAL(-EBUSY, house_open(&second));
	CHECK(strstr(second.problem, "another bellhopd") != NULL);
	query(house.path, "PRAGMA journal_mode", value, sizeof(value));
	CHECK_TEXT("wal", span_text(value));
	house_close(&house);
}

static void set_version(const struct house *house, int version)
{
	char sql[64];
	char value[8];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
	query(house->path, sql, value, sizeof(value));
}

static void refuses_newer_foreign_and_damaged(void)
{
	struct house house = {.delay_ms = 0};
	char value[64];
	FILE *file;
	int i;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (i = 0; i < 200; i++) {
		CHECK_EQUAL(0, claim(&house, (unsigned)i));
	}
	house_close(&house);
	set_version(&house, store_sqlite_schema.version + 1);
	CHECK_EQUAL(-EPROTO, house_open(&house));
	CHECK(strstr(house.problem, "newer") != NULL);
	set_version(&house, store_sqlite_schema.version);
	REQUIRE(house_open(&house) == 0);
	house_close(&house);

	query(house.path, "UPDATE devices SET state = 'half' WHERE mac = '00908f000007'", value,
	      sizeof(value));
	CHECK_EQUAL(-EUCLEAN, house_open(&house));
	CHECK(strstr(house.problem, "00908f000007") != NULL);

	file = fopen(house.path, "r+b");
	REQUIRE(file != NULL);
	for (i = 2; i < 6; i++) {
		fseek(file, i * 4096L, SEEK_SET);
		fwrite("damaged damaged damaged", 1, 23, file);
	}
	fclose(file);
	CHECK_EQUAL(-EUCLEAN, house_open(&house));
	CHECK(strstr(house.problem, "damaged") != NULL);

	house_path(&house);
	file = fopen(house.path, "wb");
	REQUIRE(file != NULL);
	fprintf(file, "this is no database at all, but a text that somebody put there\n");
	fclose(file);
	CHECK_EQUAL(-EUCLEAN, house_open(&house));

	house_path(&house);
	file = fopen(house.path, "wb");
	REQUIRE(file != NULL);
	fclose(file);
	query(house.path, "CREATE TABLE a (b)", value, sizeof(value));
	CHECK_EQUAL(-EPROTO, house_open(&house));
	CHECK(strstr(house.problem, "another program") != NULL);
}

static void audit_names_who_and_hides_secrets(void)
{
	struct house house = {.delay_ms = 0};
	char value[256];

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_DEVICE_CLAIM,
						     .mac = mac_number(1),
						     .settings = line_settings,
						     .setting_count = 2}));
	store_post(house.store, &(struct change){.kind = CHANGE_DEVICE_SEEN, .mac = mac_number(2)},
		   SPAN("phone"));
	house_close(&house);
	query(house.path, "SELECT group_concat(who || ' ' || what || ' ' || subject) FROM audit",
	      value, sizeof(value));
	CHECK_TEXT("tester device claim 00908f000001", span_text(value));
	query(house.path, "SELECT detail FROM audit", value, sizeof(value));
	CHECK(strstr(value, "1001") != NULL);
	CHECK(strstr(value, "sip_lines.1.password") != NULL);
	CHECK(strstr(value, "s3cret") == NULL);
}

/* --- Events. --- */

static void count_event(void *context, const struct event *event)
{
	uint64_t *last = context;

	CHECK(event->id > *last);
	*last = event->id;
}

/* Each one brings another, as a phone's report would that comes meanwhile. */
static void answer_event(void *context, const struct event *event)
{
	CHECK_TEXT("text", event->text);
	store_event(context, &(struct effect_report){.reason = "next", .text = SPAN("text")}, 7);
}

static void events_may_come_while_others_are_read(void)
{
	struct house house = {.delay_ms = 0};

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < events_max; n++) {
		store_event(house.store,
			    &(struct effect_report){.reason = "r", .text = SPAN("text")}, 7);
	}
	CHECK_EQUAL(events_max,
		    store_events_after(house.store, 0, NULL, 1000, answer_event, house.store));
	CHECK_EQUAL(2 * events_max - 1, store_events_newest(house.store, NULL, 1));
	house_close(&house);
}

static void events_are_bounded_and_kept(void)
{
	struct house house = {.delay_ms = 0};
	uint64_t last = 0;
	char value[64];
	struct mac mac = mac_number(5);

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 1; n <= 120; n++) {
		store_event(house.store,
			    &(struct effect_report){.level = REPORT_INFO,
						    .reason = "tested",
						    .text = SPAN("text"),
						    .has_mac = n % 10 == 0,
						    .mac = mac},
			    n);
	}
	CHECK_EQUAL(120, store_events_after(house.store, 0, NULL, 1000, count_event, &last));
	CHECK_EQUAL(120, last);
	CHECK_EQUAL(110, store_events_newest(house.store, NULL, 10));
	/* Of that device: 80, 90, 100, 110, 120 are in memory. */
	CHECK_EQUAL(109, store_events_newest(house.store, &mac, 2));
	CHECK_EQUAL(70, store_events_newest(house.store, &mac, 100));
	house_close(&house);
	query(house.path, "SELECT max(id) - min(id) + 1 FROM events", value, sizeof(value));
	CHECK(atoi(value) <= events_max);

	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(119, store_events_newest(house.store, NULL, 1));
	store_event(house.store, &(struct effect_report){.reason = "next", .text = SPAN("")}, 7);
	CHECK_EQUAL(121, store_events_after(house.store, 120, NULL, 1, count_event, &last));
	CHECK_EQUAL(121, last);
	house_close(&house);
}

static void keep_detail(void *context, const struct event *event)
{
	char *all = context;

	snprintf(all + strlen(all), 200 - strlen(all), "[%.*s]", (int)event->detail.length,
		 event->detail.data ? event->detail.data : "");
}

/* A database of schema 1 has events without a detail; later ones have theirs after a restart. */
static void details_of_events_are_kept(void)
{
	/* What later schemas added, so that it is one of schema 1. */
	static const char *const later[] = {
		"ALTER TABLE events DROP COLUMN detail",
		"DROP TABLE forms",
		"ALTER TABLE devices DROP COLUMN certainty",
		"ALTER TABLE devices DROP COLUMN told_form",
		"ALTER TABLE devices DROP COLUMN told_shape",
		"ALTER TABLE devices DROP COLUMN told_both",
		"ALTER TABLE devices DROP COLUMN told_unfetched",
		"ALTER TABLE devices DROP COLUMN resync",
		"ALTER TABLE devices DROP COLUMN resync_status",
		"ALTER TABLE devices DROP COLUMN resync_utc_ms",
		"ALTER TABLE devices DROP COLUMN claimed_by",
		"DROP TABLE rules",
		"DROP TABLE pools",
		"DROP TABLE device_numbers",
	};
	struct house house = {.delay_ms = 0};
	struct effect_report report = {.level = REPORT_INFO, .reason = "tested", .text = SPAN("")};
	char too_long[event_detail_max + 1];
	char value[8];
	char all[200] = "";

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	store_event(house.store, &report, 1);
	house_close(&house);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		query(house.path, later[i], value, sizeof(value));
	}
	set_version(&house, 1);

	REQUIRE(house_open(&house) == 0);
	report.detail = SPAN("{\"bytes\":1}");
	store_event(house.store, &report, 2);
	memset(too_long, ' ', sizeof(too_long));
	report.detail = span_make(too_long, sizeof(too_long));
	store_event(house.store, &report, 3);
	house_close(&house);

	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(3, store_events_after(house.store, 0, NULL, 10, keep_detail, all));
	CHECK_TEXT("[][{\"bytes\":1}][]", span_text(all));
	house_close(&house);
}

static void on_news(void *context)
{
	(*(unsigned *)context)++;
}

static void watchers_hear_of_events(void)
{
	struct house house = {.delay_ms = 0};
	unsigned news = 0;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	store_client_watch(house.client, on_news, &news);
	store_event(house.store, &(struct effect_report){.reason = "a", .text = SPAN("")}, 1);
	store_event(house.store, &(struct effect_report){.reason = "b", .text = SPAN("")}, 1);
	while (news == 0) {
		uv_run(&house.loop, UV_RUN_ONCE);
	}
	CHECK(news <= 2);
	house_close(&house);
}

/* --- Full, failing, killed. --- */

static void full_database_refuses_and_keeps(void)
{
	struct house house = {.delay_ms = 0};
	static char value[60000];
	struct change_setting big = {SPAN("x.big"), {value, sizeof(value)}, false};
	unsigned kept = 0;
	int result = 0;

	memset(value, 'v', sizeof(value));
	house_path(&house);
	house.pages_max = 60;
	REQUIRE(house_open(&house) == 0);
	while (result == 0 && kept < 100) {
		result = make(&house, &(struct change){.kind = CHANGE_DEVICE_CLAIM,
						       .mac = mac_number(kept),
						       .settings = &big,
						       .setting_count = 1});
		kept += result == 0;
	}
	CHECK_EQUAL(-ENOSPC, result);
	CHECK(strstr(house.problem, "room") != NULL);
	CHECK(kept > 0);
	CHECK(device_number(&house, kept) == NULL);
	CHECK_EQUAL(kept, house.inventory.devices.count);
	/* It goes on when there is room again. */
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = mac_number(0)}));
	CHECK_EQUAL(0, claim(&house, 1000));
	house_close(&house);
	house.pages_max = 0;
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(kept, house.inventory.devices.count);
	house_close(&house);
}

static void every_write_and_sync_fails_once(void)
{
	bool has_failed = true;
	unsigned rounds = 0;

	faulty_vfs_begin();
	for (int n = 1; has_failed && n < 200; n++) {
		struct house house = {.delay_ms = 0};
		bool is_acknowledged[5];

		house_path(&house);
		REQUIRE(house_open(&house) == 0);
		faulty_vfs_arm(n, 1, 0);
		for (unsigned i = 0; i < 5; i++) {
			is_acknowledged[i] = claim(&house, i) == 0;
			CHECK_EQUAL(is_acknowledged[i], device_number(&house, i) != NULL);
		}
		has_failed = faulty_vfs_disarm();
		house_close(&house);
		REQUIRE(house_open(&house) == 0);
		for (unsigned i = 0; i < 5; i++) {
			CHECK(!is_acknowledged[i] || device_number(&house, i) != NULL);
		}
		house_close(&house);
		rounds += has_failed;
	}
	CHECK(!has_failed);
	CHECK(rounds > 5);
	printf("# %u different writes and syncs have failed\n", rounds);
	faulty_vfs_end();
}

/* Claims devices for as long as it lives, and tells the pipe of each acknowledgement. */
static void claim_until_killed(struct house *house, unsigned first, int pipe_end)
{
	if (house_open(house) < 0) {
		fprintf(stderr, "# child: %s\n", house->problem);
		_exit(1);
	}
	for (unsigned n = first; n < devices_max; n++) {
		if (claim(house, n) < 0 || write(pipe_end, &n, sizeof(n)) != sizeof(n)) {
			fprintf(stderr, "# child: %s\n", house->problem);
			_exit(2);
		}
	}
	_exit(3);
}

static void acknowledged_claims_survive_kill(void)
{
	struct house house = {.delay_ms = 0};
	unsigned next = 0;
	char value[64];

	house_path(&house);
	for (unsigned round = 0; round < 12; round++) {
		unsigned told = next;
		unsigned n;
		int pipes[2];
		pid_t child;
		int status;

		REQUIRE(pipe(pipes) == 0);
		fflush(stdout);
		child = fork();
		if (child == 0) {
			close(pipes[0]);
			claim_until_killed(&house, next, pipes[1]);
		}
		close(pipes[1]);
		/* Killed after a number of acknowledgements that differs from round to round. */
		for (unsigned i = 0; i < 1 + round * 7; i++) {
			REQUIRE(read(pipes[0], &n, sizeof(n)) == sizeof(n));
			told = n + 1;
		}
		kill(child, SIGKILL);
		while (read(pipes[0], &n, sizeof(n)) == sizeof(n)) {
			told = n + 1;
		}
		close(pipes[0]);
		waitpid(child, &status, 0);
		CHECK(WIFSIGNALED(status));

		REQUIRE(house_open(&house) == 0);
		for (unsigned i = 0; i < told; i++) {
			CHECK(device_number(&house, i) != NULL);
		}
		next = (unsigned)house.inventory.devices.count;
		CHECK(next >= told);
		house_close(&house);
		query(house.path, "PRAGMA integrity_check", value, sizeof(value));
		CHECK_TEXT("ok", span_text(value));
	}
	printf("# %u claims in 12 rounds\n", next);
}

int main(void)
{
	make_folder();
	RUN(keeps_devices_and_profiles);
	RUN(refuses_without_touching_memory);
	RUN(many_in_one_batch_keep_their_order);
	RUN(reports_are_coalesced);
	RUN(stopping_writes_what_waits);
	RUN(forgotten_acknowledgements_stay_away);
	RUN(file_is_private_and_held_by_one);
	RUN(refuses_newer_foreign_and_damaged);
	RUN(audit_names_who_and_hides_secrets);
	RUN(events_may_come_while_others_are_read);
	RUN(events_are_bounded_and_kept);
	RUN(details_of_events_are_kept);
	RUN(watchers_hear_of_events);
	RUN(full_database_refuses_and_keeps);
	RUN(every_write_and_sync_fails_once);
	RUN(acknowledged_claims_survive_kill);
	remove_folder();
	return test_end();
}

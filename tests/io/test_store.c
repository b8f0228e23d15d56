/* SPDX-License-Identifier: MIT */
/*
 * The store over SQLite: what was acknowledged is there after the database is opened again, after
 * kill -9 and after every write and sync has failed once; what was refused has not touched memory.
 */
#include "io/store.h"
#include "io/store_sqlite.h"
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { events_max = 50, devices_max = 5000 };

/* One server's worth of state. */
struct house {
	char path[128];
	struct inventory inventory;
	pthread_rwlock_t lock;
	struct store *store;
	struct store_client *client;
	uv_loop_t loop;
	unsigned pages_max;
	unsigned delay_ms;
	char problem[512];
	uint64_t told; /* problems that nobody waited for */
};

static char folder[64];
static unsigned next_file;

static void house_path(struct house *house)
{
	snprintf(house->path, sizeof(house->path), "%s/%u.db", folder, next_file++);
}

static void tell(void *context, const char *sentence)
{
	struct house *house = context;

	(void)sentence;
	house->told++;
}

/* Opens the database at house->path: 0 or the errno, with its sentence in house->problem. */
static int house_open(struct house *house)
{
	uint8_t seed[random_seed_size]; /* the keys of one run must not come again in the next */
	struct inventory_limits limits = {.devices_max = devices_max,
					  .new_devices_max = devices_max,
					  .profiles_max = 100,
					  .files_max = 100};
	struct store_sqlite_options sqlite = {.path = house->path,
					      .events_max = events_max,
					      .audit_max = 100,
					      .busy_ms = 50,
					      .pages_max = house->pages_max};
	struct store_options options = {.inventory = &house->inventory,
					.inventory_lock = &house->lock,
					.queue_max = 10000,
					.events_max = events_max,
					.report_delay_ms = house->delay_ms,
					.problem = tell,
					.context = house};
	int result;

	house->problem[0] = '\0';
	result = store_sqlite_open(&options.database, &sqlite, house->problem,
				   sizeof(house->problem));
	if (result < 0) {
		return result;
	}
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed) ||
	    inventory_init(&house->inventory, &limits, seed) < 0 ||
	    store_lock_init(&house->lock) < 0) {
		abort();
	}
	result = store_start(&house->store, &options, house->problem, sizeof(house->problem));
	if (result < 0) {
		inventory_free(&house->inventory);
		return result;
	}
	uv_loop_init(&house->loop);
	return store_client_open(house->store, &house->loop, &house->client);
}

static void house_close(struct house *house)
{
	store_client_close(house->client);
	uv_run(&house->loop, UV_RUN_DEFAULT);
	CHECK_EQUAL(0, uv_loop_close(&house->loop));
	store_stop(house->store);
	inventory_free(&house->inventory);
	pthread_rwlock_destroy(&house->lock);
}

struct outcome {
	struct house *house;
	bool is_done;
	int result;
};

static void keep_outcome(void *context, int result, const char *problem)
{
	struct outcome *outcome = context;

	outcome->is_done = true;
	outcome->result = result;
	snprintf(outcome->house->problem, sizeof(outcome->house->problem), "%s", problem);
}

/* Posts and waits for the acknowledgement. */
static int make(struct house *house, const struct change *change)
{
	struct outcome outcome = {.house = house};
	int result =
		store_client_post(house->client, change, SPAN("tester"), keep_outcome, &outcome);

	while (result == 0 && !outcome.is_done) {
		uv_run(&house->loop, UV_RUN_ONCE);
	}
	return result < 0 ? result : outcome.result;
}

static struct mac mac_number(unsigned n)
{
	return (struct mac){
		.octets = {0x00, 0x90, 0x8f, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static int claim(struct house *house, unsigned n)
{
	return make(house, &(struct change){.kind = CHANGE_DEVICE_CLAIM, .mac = mac_number(n)});
}

static const struct device *device_number(struct house *house, unsigned n)
{
	return inventory_device(&house->inventory, mac_number(n));
}

/* The first column of the first row, as text. */
static void query(const char *path, const char *sql, char *value, size_t size)
{
	sqlite3 *connection = NULL;
	sqlite3_stmt *row = NULL;

	snprintf(value, size, "(none)");
	if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(connection, sql, -1, &row, NULL) == SQLITE_OK &&
	    sqlite3_step(row) == SQLITE_ROW) {
		snprintf(value, size, "%s", (const char *)sqlite3_column_text(row, 0));
	}
	sqlite3_finalize(row);
	sqlite3_close(connection);
}

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
	CHECK_EQUAL(0, store_events_newest(house.store, NULL, 1));
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
	set_version(&house, store_sqlite_schema_version + 1);
	CHECK_EQUAL(-EPROTO, house_open(&house));
	CHECK(strstr(house.problem, "newer") != NULL);
	set_version(&house, store_sqlite_schema_version);
	REQUIRE(house_open(&house) == 0);
	house_close(&house);

	query(house.path, "UPDATE devices SET state = 'half' WHERE mac = '00908f000007'", value,
	      sizeof(value));
	CHECK_EQUAL(-EIO, house_open(&house));
	CHECK(strstr(house.problem, "00908f000007") != NULL);

	file = fopen(house.path, "r+b");
	REQUIRE(file != NULL);
	for (i = 2; i < 6; i++) {
		fseek(file, i * 4096L, SEEK_SET);
		fwrite("damaged damaged damaged", 1, 23, file);
	}
	fclose(file);
	CHECK_EQUAL(-EIO, house_open(&house));
	CHECK(strstr(house.problem, "damaged") != NULL);

	house_path(&house);
	file = fopen(house.path, "wb");
	REQUIRE(file != NULL);
	fprintf(file, "this is no database at all, but a text that somebody put there\n");
	fclose(file);
	CHECK_EQUAL(-EIO, house_open(&house));

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
	struct house house = {.delay_ms = 0};
	struct effect_report report = {.level = REPORT_INFO, .reason = "tested", .text = SPAN("")};
	char too_long[event_detail_max + 1];
	char value[8];
	char all[200] = "";

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	store_event(house.store, &report, 1);
	house_close(&house);
	query(house.path, "ALTER TABLE events DROP COLUMN detail", value, sizeof(value));
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

/* A file system whose n-th write or sync fails: SQLite's own, with those two in between. */
static int fail_after; /* 0: never */
static sqlite3_vfs faulty_vfs;
static sqlite3_vfs *real_vfs;

struct faulty_file {
	sqlite3_file base;
	sqlite3_io_methods methods;
	const sqlite3_io_methods *real_methods;
};

static bool is_fault_due(void)
{
	return fail_after > 0 && --fail_after == 0;
}

static struct faulty_file *extra_of(sqlite3_file *file)
{
	return (struct faulty_file *)((char *)file + real_vfs->szOsFile);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	return is_fault_due() ? SQLITE_IOERR_WRITE
			      : extra_of(file)->real_methods->xWrite(file, bytes, count, at);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	return is_fault_due() ? SQLITE_IOERR_FSYNC
			      : extra_of(file)->real_methods->xSync(file, flags);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		       int *flags_out)
{
	int code = real_vfs->xOpen(real_vfs, name, file, flags, flags_out);

	(void)vfs;
	if (code == SQLITE_OK && file->pMethods) {
		struct faulty_file *extra = extra_of(file);

		extra->real_methods = file->pMethods;
		extra->methods = *file->pMethods;
		extra->methods.xWrite = faulty_write;
		extra->methods.xSync = faulty_sync;
		file->pMethods = &extra->methods;
	}
	return code;
}

static void every_write_and_sync_fails_once(void)
{
	bool has_failed = true;
	unsigned rounds = 0;

	real_vfs = sqlite3_vfs_find(NULL);
	faulty_vfs = *real_vfs;
	faulty_vfs.zName = "faulty";
	faulty_vfs.szOsFile += (int)sizeof(struct faulty_file);
	faulty_vfs.xOpen = faulty_open;
	sqlite3_vfs_register(&faulty_vfs, 1);
	for (int n = 1; has_failed && n < 200; n++) {
		struct house house = {.delay_ms = 0};
		bool is_acknowledged[5];

		house_path(&house);
		REQUIRE(house_open(&house) == 0);
		fail_after = n;
		for (unsigned i = 0; i < 5; i++) {
			is_acknowledged[i] = claim(&house, i) == 0;
			CHECK_EQUAL(is_acknowledged[i], device_number(&house, i) != NULL);
		}
		has_failed = fail_after == 0;
		fail_after = 0;
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
	sqlite3_vfs_unregister(&faulty_vfs);
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

static void remove_folder(void)
{
	DIR *directory = opendir(folder);

	for (struct dirent *e; directory && (e = readdir(directory));) {
		unlinkat(dirfd(directory), e->d_name, 0);
	}
	if (directory) {
		closedir(directory);
	}
	rmdir(folder);
}

int main(void)
{
	snprintf(folder, sizeof(folder), "/tmp/bellhop-store-XXXXXX");
	if (!mkdtemp(folder)) {
		perror("mkdtemp");
		return 1;
	}
	RUN(keeps_devices_and_profiles);
	RUN(refuses_without_touching_memory);
	RUN(many_in_one_batch_keep_their_order);
	RUN(reports_are_coalesced);
	RUN(stopping_writes_what_waits);
	RUN(forgotten_acknowledgements_stay_away);
	RUN(file_is_private_and_held_by_one);
	RUN(refuses_newer_foreign_and_damaged);
	RUN(audit_names_who_and_hides_secrets);
	RUN(events_are_bounded_and_kept);
	RUN(details_of_events_are_kept);
	RUN(watchers_hear_of_events);
	RUN(full_database_refuses_and_keeps);
	RUN(every_write_and_sync_fails_once);
	RUN(acknowledged_claims_survive_kill);
	remove_folder();
	return test_end();
}

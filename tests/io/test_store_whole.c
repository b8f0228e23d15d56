/* SPDX-License-Identifier: MIT */
/*
 * The database as a whole: copied while it is written to, replaced by what was handed in, brought
 * from one schema to the next, and looked at when it is opened.
 */
#include "io/filesystem.h"
#include "tests/io/faulty_vfs.h"
#include "tests/io/store_house.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { bytes_max = 64 << 20 };

/* --- Files. --- */

static struct span read_file(const char *path)
{
	struct span bytes = {NULL, 0};

	CHECK_EQUAL(0, filesystem_read(path, bytes_max, &bytes));
	return bytes;
}

static void write_file(const char *path, struct span bytes)
{
	CHECK_EQUAL(0, filesystem_replace(path, bytes));
}

static void free_span(struct span bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

/* How many files there are whose name is `path` and then matches `pattern`; the first to `found`.
 */
static size_t count_files(const char *path, const char *pattern, char *found, size_t size)
{
	char whole[256];
	glob_t matches;
	size_t count = 0;

	snprintf(whole, sizeof(whole), "%s%s", path, pattern);
	if (glob(whole, 0, NULL, &matches) == 0) {
		count = matches.gl_pathc;
		if (found) {
			snprintf(found, size, "%s", matches.gl_pathv[0]);
		}
		globfree(&matches);
	}
	return count;
}

static bool database_is_whole(const char *path)
{
	char value[64];

	query(path, "PRAGMA integrity_check", value, sizeof(value));
	return strcmp(value, "ok") == 0;
}

/* --- Copies. --- */

/* The bytes of a copy of what is in use. */
static struct span copy(struct house *house, struct store_holdings *holdings)
{
	struct span bytes = {NULL, 0};
	struct stat info;
	char path[64];
	int file = -1;
	int result =
		store_copy(house->store, &file, holdings, house->problem, sizeof(house->problem));

	CHECK_EQUAL(0, result);
	if (result < 0) {
		printf("# %s\n", house->problem);
		return bytes;
	}
	CHECK_EQUAL(0, fstat(file, &info));
	CHECK_EQUAL(0600, info.st_mode & 0777);
	CHECK_EQUAL(0, info.st_nlink);
	CHECK_EQUAL(holdings->bytes, info.st_size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	bytes = read_file(path);
	close(file);
	return bytes;
}

/* A text with a number in it; valid until the next one. */
__attribute__((format(printf, 1, 2))) static const char *text_of(const char *format, ...)
{
	static char text[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return text;
}

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

struct restoring {
	struct house *house;
	bool is_done;
	int result;
	uint64_t stale;
	struct store_holdings holdings;
	char kept[256];
};

static void keep_restored(void *context, int result, const char *problem,
			  const struct store_restored *restored)
{
	struct restoring *restoring = context;

	restoring->is_done = true;
	restoring->result = result;
	restoring->stale = restored->stale;
	restoring->holdings = restored->holdings;
	snprintf(restoring->kept, sizeof(restoring->kept), "%s", restored->kept);
	snprintf(restoring->house->problem, sizeof(restoring->house->problem), "%s", problem);
}

/* Restores, and waits for what comes of it. */
static int restore(struct house *house, struct span bytes, struct restoring *restoring)
{
	struct store_restoration *restoration = NULL;
	int result;

	*restoring = (struct restoring){.house = house};
	result = store_restoration_new(house->store, bytes, &restoration, house->problem,
				       sizeof(house->problem));
	if (result == 0) {
		result = store_client_restore(house->client, restoration, SPAN("restorer"),
					      keep_restored, restoring);
	}
	while (result == 0 && !restoring->is_done) {
		uv_run(&house->loop, UV_RUN_ONCE);
	}
	return result < 0 ? result : restoring->result;
}

static int set_label(struct house *house, unsigned n, struct span label)
{
	return make(house, &(struct change){.kind = CHANGE_DEVICE_SET,
					    .mac = mac_number(n),
					    .fields = FIELD_LABEL,
					    .label = label});
}

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
	CHECK_TEXT(text_of("restorer restore {\"devices\":2,\"profiles\":0,\"schema\":%d,\"stale\":0}",
			   store_sqlite_schema.version),
		   span_text(value));
	query(house.path, "SELECT group_concat(reason) FROM events", value, sizeof(value));
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

static void what_cannot_be_used_is_refused_with_the_reason(void)
{
	static const struct {
		const char *sql;
		const char *word;
	} rows[] = {
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
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span bad = spoilt(&house, good, rows[i].sql);

		check_refused(&house, bad, -EINVAL, rows[i].word);
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

/* Runs in a child, which is killed at the n-th write or sync. True when it was. */
static bool is_killed(void (*work)(struct house *house, void *context), struct house *house,
		      void *context, int n)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		faulty.kills = true;
		faulty_vfs_begin();
		faulty_vfs_arm(n, 1, 0);
		work(house, context);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
	return WIFSIGNALED(status);
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

/* --- A commit that failed. --- */

/* The database and its log as they lie there now: what would be found after a crash. */
static void copy_as_after_crash(const struct house *house, struct house *crashed)
{
	char from[160];
	char to[160];

	house_path(crashed);
	for (unsigned i = 0; i < 2; i++) {
		struct span bytes;

		snprintf(from, sizeof(from), "%s%s", house->path, i == 0 ? "" : "-wal");
		snprintf(to, sizeof(to), "%s%s", crashed->path, i == 0 ? "" : "-wal");
		bytes = read_file(from);
		write_file(to, bytes);
		free_span(bytes);
	}
}

/*
 * A commit may be in the log, whole, with only the sync after it failed: it was refused, and must
 * not come back when the log is recovered. One call fails of the batch, one of the change by
 * itself after it, or of what is between.
 */
static void refuse_and_crash(int n, int m, unsigned *refused, unsigned *uncertain)
{
	struct house house = {.delay_ms = 0};
	struct house crashed = {.delay_ms = 0};
	bool is_uncertain;
	int result;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	faulty_vfs_arm_twice(n, m);
	result = claim(&house, 2);
	faulty_vfs_disarm();
	copy_as_after_crash(&house, &crashed);
	is_uncertain = result < 0 && strstr(house.problem, "may be there");
	house_close(&house);
	REQUIRE(house_open(&crashed) == 0);
	CHECK(device_number(&crashed, 1) != NULL);
	CHECK(is_uncertain || (result == 0) == (device_number(&crashed, 2) != NULL));
	house_close(&crashed);
	*refused += result < 0;
	*uncertain += is_uncertain;
}

static void what_was_refused_does_not_come_back_after_a_crash(void)
{
	unsigned refused = 0;
	unsigned uncertain = 0;

	faulty_vfs_begin();
	for (int n = 1; n < 16; n++) {
		for (int m = 1; m < 24; m++) {
			refuse_and_crash(n, m, &refused, &uncertain);
		}
	}
	faulty_vfs_end();
	printf("# %u refused\n", refused);
	CHECK(refused > 20);
	CHECK_EQUAL(0, uncertain);
}

/* The disk takes nothing any more: then the refusal says what may be. */
static void a_refusal_tells_when_it_is_not_certain(void)
{
	struct house house = {.delay_ms = 0};

	faulty_vfs_begin();
	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	faulty_vfs_arm(1, 1000, 0);
	CHECK_EQUAL(-EIO, claim(&house, 2));
	CHECK(strstr(house.problem, "this one may be there") != NULL);
	CHECK(device_number(&house, 2) == NULL);
	faulty_vfs_disarm();
	CHECK_EQUAL(0, claim(&house, 3));
	house_close(&house);
	faulty_vfs_end();
	REQUIRE(house_open(&house) == 0);
	CHECK(device_number(&house, 1) && !device_number(&house, 2) && device_number(&house, 3));
	house_close(&house);
}

/* --- Migration. --- */

/* What follows the product's own steps. */
static const char *const later_steps[] = {
	"UPDATE devices SET label = label || ' two';"
	"CREATE TABLE more (a TEXT) STRICT;"
	"INSERT INTO more SELECT mac FROM devices",
	"DROP TABLE more",
};
static const char *steps[32];

static struct store_sqlite_schema later_schema(int count)
{
	int ours = store_sqlite_schema.version;

	CHECK(ours + count <= (int)(sizeof(steps) / sizeof(steps[0])));
	memcpy(steps, store_sqlite_schema.steps, (size_t)ours * sizeof(steps[0]));
	memcpy(steps + ours, later_steps, (size_t)count * sizeof(steps[0]));
	return (struct store_sqlite_schema){steps, ours + count};
}

/* The copy that was kept of a schema `later` steps behind the product's own. */
static void kept_path(const struct house *house, int later, char path[static 160])
{
	snprintf(path, 160, "%s.schema-%d", house->path, store_sqlite_schema.version + later);
}

static void make_old(struct house *house)
{
	house_path(house);
	CHECK_EQUAL(0, house_open(house));
	for (unsigned n = 0; n < 40; n++) {
		CHECK_EQUAL(0, claim(house, n));
		CHECK_EQUAL(0, set_label(house, n, SPAN("label")));
	}
	house_close(house);
}

static void each_step_of_a_migration_keeps_a_copy(void)
{
	struct house house = {.delay_ms = 0};
	struct store_sqlite_schema schema = later_schema(2);
	int ours = store_sqlite_schema.version;
	struct stat info;
	char path[160];
	char value[64];

	make_old(&house);
	house.schema = &schema;
	REQUIRE(house_open(&house) == 0);
	CHECK_TEXT("label two", span_text(device_number(&house, 7)->label));
	CHECK(strstr(house.told_last, text_of(".schema-%d", ours + 1)) != NULL);
	house_close(&house);
	query(house.path, "PRAGMA user_version", value, sizeof(value));
	CHECK_TEXT(text_of("%d", ours + 2), span_text(value));
	kept_path(&house, 0, path);
	REQUIRE(stat(path, &info) == 0);
	CHECK_EQUAL(0600, info.st_mode & 0777);
	query(path,
	      "SELECT user_version || (SELECT max(label) FROM devices) FROM "
	      "pragma_user_version",
	      value, sizeof(value));
	CHECK_TEXT(text_of("%dlabel", ours), span_text(value));
	CHECK(database_is_whole(path));
	kept_path(&house, 1, path);
	query(path, "SELECT user_version || (SELECT count(*) FROM more) FROM pragma_user_version",
	      value, sizeof(value));
	CHECK_TEXT(text_of("%d40", ours + 1), span_text(value));
	CHECK_EQUAL(0, count_files(house.path, ".schema-0", NULL, 0));
	/* The copy can be put back, for the old version to go on with. */
	kept_path(&house, 0, path);
	REQUIRE(rename(path, house.path) == 0);
	house.schema = NULL;
	REQUIRE(house_open(&house) == 0);
	CHECK_TEXT("label", span_text(device_number(&house, 7)->label));
	house_close(&house);
}

/* Old or new as the version says; the copy of the old is there before the new is. */
static void check_old_or_migrated(struct house *house, bool is_new)
{
	int ours = store_sqlite_schema.version;
	char value[64];
	char path[160];

	CHECK(database_is_whole(house->path));
	query(house->path,
	      "SELECT user_version || '/' || (SELECT count(*) FROM devices WHERE label LIKE "
	      "'% two') || '/' || (SELECT count(*) FROM sqlite_schema WHERE name = 'more') "
	      "FROM pragma_user_version",
	      value, sizeof(value));
	CHECK_TEXT(is_new ? text_of("%d/40/1", ours + 1) : text_of("%d/0/0", ours),
		   span_text(value));
	kept_path(house, 0, path);
	if (is_new) {
		query(path,
		      "SELECT user_version || '/' || (SELECT count(*) FROM devices) FROM "
		      "pragma_user_version",
		      value, sizeof(value));
		CHECK_TEXT(text_of("%d/40", ours), span_text(value));
	}
}

static bool is_migrated(const struct house *house)
{
	char value[64];

	query(house->path, "PRAGMA user_version", value, sizeof(value));
	return atoi(value) > store_sqlite_schema.version;
}

static void a_migration_whose_write_fails_is_refused(void)
{
	struct store_sqlite_schema schema = later_schema(1);
	static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
	unsigned rounds = 0;
	bool has_failed = true;

	faulty_vfs_begin();
	for (int n = 1; has_failed && n < 400; n++) {
		struct house house = {.delay_ms = 0};
		int code = codes[n % 2];
		int result;

		make_old(&house);
		house.schema = &schema;
		faulty_vfs_arm(n, 1, code);
		result = house_open(&house);
		has_failed = faulty_vfs_disarm();
		if (result == 0) {
			house_close(&house);
		} else {
			CHECK_EQUAL(code == SQLITE_FULL ? -ENOSPC : -EIO, result);
			CHECK(strstr(house.problem, code == SQLITE_FULL ? "room" : "disk"));
			CHECK_EQUAL(0, count_files(house.path, ".part-*", NULL, 0));
		}
		check_old_or_migrated(&house, is_migrated(&house));
		REQUIRE(house_open(&house) == 0); /* and the next start does it */
		house_close(&house);
		check_old_or_migrated(&house, true);
		rounds += has_failed;
	}
	faulty_vfs_end();
	printf("# %u different writes and syncs of a migration have failed\n", rounds);
	CHECK(rounds > 10 && !has_failed);
}

static void only_open(struct house *house, void *context)
{
	(void)context;
	if (house_open(house) < 0) {
		printf("# child: %s\n", house->problem);
		_exit(1);
	}
}

static void a_migration_that_is_killed_leaves_old_or_new(void)
{
	struct store_sqlite_schema schema = later_schema(1);
	unsigned rounds = 0;
	bool was_killed = true;

	for (int n = 1; was_killed && n < 400; n++) {
		struct house house = {.delay_ms = 0};

		make_old(&house);
		house.schema = &schema;
		was_killed = is_killed(only_open, &house, NULL, n);
		check_old_or_migrated(&house, is_migrated(&house));
		REQUIRE(house_open(&house) == 0);
		CHECK_EQUAL(0, count_files(house.path, ".part-*", NULL, 0));
		house_close(&house);
		check_old_or_migrated(&house, true);
		rounds += was_killed;
	}
	printf("# a migration was killed at %u different writes and syncs\n", rounds);
	CHECK(rounds > 10 && !was_killed);
}

static void an_older_backup_is_brought_up_to_date(void)
{
	struct house house = {.delay_ms = 0};
	struct store_sqlite_schema schema = later_schema(1);
	struct restoring restoring;
	struct store_holdings holdings;
	struct span bytes;

	make_old(&house);
	REQUIRE(house_open(&house) == 0);
	bytes = copy(&house, &holdings);
	house_close(&house);
	house.schema = &schema;
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, set_label(&house, 7, SPAN("since")));
	CHECK_EQUAL(0, restore(&house, bytes, &restoring));
	CHECK_EQUAL(store_sqlite_schema.version, restoring.holdings.schema);
	CHECK_TEXT("label two", span_text(device_number(&house, 7)->label));
	free_span(bytes);
	house_close(&house);
	check_old_or_migrated(&house, true);
}

/* --- What a start looks at. --- */

/* Harm where no record is read, in a page of the audit log. */
static void harm_audit(const struct house *house)
{
	char value[64];
	int file;

	query(house->path, "SELECT rootpage FROM sqlite_schema WHERE name = 'audit'", value,
	      sizeof(value));
	query(house->path, "PRAGMA wal_checkpoint(TRUNCATE)", value + 32, 32);
	file = open(house->path, O_RDWR);
	CHECK_EQUAL(16, pwrite(file, "harmharmharmharm", 16, (atol(value) - 1) * 4096L));
	close(file);
}

/* After a clean end only what is read is looked at; when anybody wrote since, everything. */
static void damage_is_noticed_at_the_start(void)
{
	struct house house = {.delay_ms = 0};
	struct timespec times[2];
	struct stat info;
	struct span before;
	struct span after;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < 50; n++) {
		CHECK_EQUAL(0, claim(&house, n));
	}
	house_close(&house);
	REQUIRE(stat(house.path, &info) == 0);
	harm_audit(&house);
	before = read_file(house.path);
	CHECK_EQUAL(-EUCLEAN, house_open(&house));
	CHECK(strstr(house.problem, "damaged") != NULL);
	CHECK(strstr(house.problem, house.path) != NULL);
	/* It stays as it is, and is refused again. */
	after = read_file(house.path);
	CHECK(span_equal(before, after));
	CHECK_EQUAL(-EUCLEAN, house_open(&house));
	free_span(after);
	free_span(before);

	/* The same harm, as if nobody had written: met when it is written to, and named. */
	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	house_close(&house);
	REQUIRE(stat(house.path, &info) == 0);
	harm_audit(&house);
	times[0] = info.st_atim;
	times[1] = info.st_mtim;
	REQUIRE(utimensat(AT_FDCWD, house.path, times, 0) == 0);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(-EUCLEAN, claim(&house, 2));
	CHECK(strstr(house.problem, "damaged") != NULL);
	house_close(&house);
	/* From then on it is known. */
	CHECK_EQUAL(-EUCLEAN, house_open(&house));
}

static void a_copy_of_something_damaged_is_refused(void)
{
	struct house house = {.delay_ms = 0};
	struct timespec times[2];
	struct store_holdings holdings;
	struct stat info;
	int file;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 1));
	house_close(&house);
	REQUIRE(stat(house.path, &info) == 0);
	harm_audit(&house);
	times[0] = info.st_atim;
	times[1] = info.st_mtim;
	REQUIRE(utimensat(AT_FDCWD, house.path, times, 0) == 0);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(-EUCLEAN, store_copy(house.store, &file, &holdings, house.problem,
					 sizeof(house.problem)));
	CHECK(strstr(house.problem, "damaged") != NULL);
	CHECK_EQUAL(0, count_files(house.path, ".part-*", NULL, 0));
	house_close(&house);
}

/* SQLite itself would remove the log, and make a new database. */
static void a_log_without_its_database_is_not_thrown_away(void)
{
	struct house house = {.delay_ms = 0};
	struct house crashed = {.delay_ms = 0};
	char log[160];
	struct stat info;

	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK(strstr(house.told_last, "a new one is made") != NULL);
	CHECK_EQUAL(0, claim(&house, 1));
	copy_as_after_crash(&house, &crashed);
	house_close(&house);
	snprintf(log, sizeof(log), "%s-wal", crashed.path);
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(i == 0 ? truncate(crashed.path, 0) == 0 : unlink(crashed.path) == 0);
		CHECK_EQUAL(-EUCLEAN, house_open(&crashed));
		CHECK(strstr(crashed.problem, "-wal") != NULL);
		CHECK(stat(log, &info) == 0 && info.st_size > 0);
	}
}

/* The log is moved into the database when nobody waits, and what fails there is told. */
static void the_log_does_not_grow_for_ever(void)
{
	struct house house = {.delay_ms = 0};
	char log[160];
	struct stat info;

	house_path(&house);
	snprintf(log, sizeof(log), "%s-wal", house.path);
	REQUIRE(house_open(&house) == 0);
	for (unsigned n = 0; n < 3000; n++) {
		CHECK_EQUAL(0, claim(&house, n % 100));
		CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_DEVICE_REMOVE,
							     .mac = mac_number(n % 100)}));
	}
	REQUIRE(stat(log, &info) == 0);
	CHECK(info.st_size < 16 << 20);
	house_close(&house);
	CHECK(stat(log, &info) < 0);
}

int main(void)
{
	make_folder();
	RUN(a_copy_holds_what_is_committed);
	RUN(commits_go_on_while_it_is_copied);
	RUN(a_restore_puts_all_back_and_keeps_what_was);
	RUN(who_has_fetched_since_is_stale);
	RUN(what_cannot_be_used_is_refused_with_the_reason);
	RUN(more_than_fits_is_refused);
	RUN(a_restore_whose_write_fails_changes_nothing);
	RUN(a_restore_that_is_killed_leaves_old_or_new);
	RUN(a_second_name_of_the_database_is_removed);
	RUN(what_was_refused_does_not_come_back_after_a_crash);
	RUN(a_refusal_tells_when_it_is_not_certain);
	RUN(each_step_of_a_migration_keeps_a_copy);
	RUN(a_migration_whose_write_fails_is_refused);
	RUN(a_migration_that_is_killed_leaves_old_or_new);
	RUN(an_older_backup_is_brought_up_to_date);
	RUN(damage_is_noticed_at_the_start);
	RUN(a_copy_of_something_damaged_is_refused);
	RUN(a_log_without_its_database_is_not_thrown_away);
	RUN(the_log_does_not_grow_for_ever);
	remove_folder();
	return test_end();
}

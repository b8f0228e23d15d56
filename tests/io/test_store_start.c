/* SPDX-License-Identifier: MIT */
/*
 * What is found when the database is opened again: after a commit that failed and a crash, by a
 * newer version with another schema, after damage; and that its log is moved into it.
 */
#include "tests/io/store_whole.h"

#include <errno.h>

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

/* The copy that was kept of a schema `later` steps ahead of the product's own. */
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

/* The log is moved into the database when nobody waits. */
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

static int claim_and_remove(struct house *house)
{
	int result = claim(house, 1);

	return result < 0 ? result
			  : make(house, &(struct change){.kind = CHANGE_DEVICE_REMOVE,
							 .mac = mac_number(1)});
}

/* Nobody waits for that, and nothing is lost: the log has it. It is told, and tried again. */
static void a_log_that_cannot_be_moved_is_told(void)
{
	struct house house = {.delay_ms = 0};

	faulty_vfs_begin();
	house_path(&house);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(0, claim(&house, 2));
	house.told = 0;
	faulty.only_database = true;
	faulty_vfs_arm(1, 1 << 30, SQLITE_IOERR_WRITE);
	for (unsigned n = 0; n < 1000; n++) {
		CHECK_EQUAL(0, claim_and_remove(&house));
	}
	faulty_vfs_disarm();
	for (unsigned n = 0; n < 500; n++) {
		CHECK_EQUAL(0, claim_and_remove(&house));
	}
	house_close(&house);
	faulty.only_database = false;
	faulty_vfs_end();
	CHECK(house.told > 0);
	CHECK(strstr(house.told_last, "cannot move the log into") != NULL);
	REQUIRE(house_open(&house) == 0);
	CHECK_EQUAL(1, house.inventory.devices.count);
	house_close(&house);
}

int main(void)
{
	make_folder();
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
	RUN(a_log_that_cannot_be_moved_is_told);
	remove_folder();
	return test_end();
}

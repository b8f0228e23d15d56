/* SPDX-License-Identifier: MIT */
/*
 * The store beside bare SQLite, in the same run on the same disk:
 *
 *	start    our start (open, check, load into an inventory) after a clean end and after a
 *crash, beside a walk of the same rows that only reads every column changes  claims made durable
 *one after the other and many at once, beside bare INSERTs of the same rows in as many
 *transactions, with the same journal and synchronous modes
 *
 * Usage: bench_store [DEVICES...]; 100000 and 1000000 when none are named. The folder is made below
 * $TMPDIR or /var/tmp: what is durable must be a matter of a disk. What is shown is the median of
 * the runs, and the ratio of the two.
 */
#include "io/store.h"
#include "io/store_sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	settings_per_device = 5,
	start_runs = 5,
	single_changes = 500,
	many_changes = 20000,
	window = 512, /* claims that wait for their acknowledgement at once */
};

static char folder[128];
static char path[160];

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_store: %s: %s\n", what, why);
	exit(1);
}

static void remove_files(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[200];

		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
}

static int compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* --- A house around a store. --- */

struct house {
	struct inventory inventory;
	pthread_rwlock_t lock;
	struct store *store;
	struct store_client *client;
	uv_loop_t loop;
	size_t acknowledged;
};

static void house_open(struct house *house, size_t devices)
{
	const uint8_t seed[random_seed_size] = {1};
	struct inventory_limits limits = {.devices_max = devices + many_changes + 1,
					  .new_devices_max = 1000,
					  .profiles_max = 100,
					  .files_max = 100,
					  .unidentified_max = 50,
					  .forms_max = 8};
	struct store_sqlite_options sqlite = {.path = path,
					      .events_max = 10000,
					      .audit_max = 100000,
					      .busy_ms = 1000};
	struct store_options options = {.inventory = &house->inventory,
					.inventory_lock = &house->lock,
					.queue_max = 65536,
					.events_max = 10000};
	char problem[512] = "";

	*house = (struct house){.acknowledged = 0};
	if (store_lock_init(&house->lock) < 0 ||
	    inventory_init(&house->inventory, &limits, seed) < 0) {
		die("inventory", "no memory");
	}
	if (store_sqlite_open(&options.database, &sqlite, problem, sizeof(problem)) < 0 ||
	    store_start(&house->store, &options, problem, sizeof(problem)) < 0) {
		die("open", problem);
	}
	uv_loop_init(&house->loop);
	if (store_client_open(house->store, &house->loop, &house->client) < 0) {
		die("client", "no memory");
	}
}

static void house_close(struct house *house)
{
	store_client_close(house->client);
	uv_run(&house->loop, UV_RUN_DEFAULT);
	uv_loop_close(&house->loop);
	store_stop(house->store);
	inventory_free(&house->inventory);
	pthread_rwlock_destroy(&house->lock);
}

/* --- Bare SQLite. --- */

static sqlite3 *bare_open(void)
{
	sqlite3 *connection = NULL;

	if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		die(path, sqlite3_errmsg(connection));
	}
	return connection;
}

static void bare_run(sqlite3 *connection, const char *sql)
{
	if (sqlite3_exec(connection, sql, NULL, NULL, NULL) != SQLITE_OK) {
		die(sql, sqlite3_errmsg(connection));
	}
}

static sqlite3_stmt *bare_prepare(sqlite3 *connection, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) != SQLITE_OK) {
		die(sql, sqlite3_errmsg(connection));
	}
	return statement;
}

static void bare_step(sqlite3 *connection, sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE) {
		die("insert", sqlite3_errmsg(connection));
	}
	sqlite3_reset(statement);
}

static const char insert_device[] =
	"INSERT INTO devices VALUES (printf('00908f%06x', ?1), 'claimed', 'neighbour', 'default', "
	"'audiocodes', '440HD', '2.2.2', '', 'phone ' || ?1, lower(hex(randomblob(16))), "
	"printf('10.%d.%d.%d', ?1 / 65536, ?1 / 256 % 256, ?1 % 256), 'eth0', '', '', 1, 1, 0, 0, "
	"?1, 0)";

/* Claimed devices with settings, made by SQL alone. */
static void make_devices(size_t count)
{
	struct house house;
	sqlite3 *connection;
	sqlite3_stmt *device;
	sqlite3_stmt *setting;

	remove_files();
	house_open(&house, 0);
	house_close(&house);
	connection = bare_open();
	bare_run(connection, "BEGIN");
	device = bare_prepare(connection, insert_device);
	setting = bare_prepare(connection,
			       "INSERT INTO device_settings VALUES (printf('00908f%06x', ?1), "
			       "printf('sip_lines.%d.username', ?2), 'value' || ?1)");
	for (size_t i = 1; i <= count; i++) {
		sqlite3_bind_int64(device, 1, (sqlite3_int64)i);
		bare_step(connection, device);
		for (int j = 1; j <= settings_per_device; j++) {
			sqlite3_bind_int64(setting, 1, (sqlite3_int64)i);
			sqlite3_bind_int(setting, 2, j);
			bare_step(connection, setting);
		}
	}
	sqlite3_finalize(device);
	sqlite3_finalize(setting);
	bare_run(connection, "COMMIT");
	sqlite3_close(connection);
	/* One clean end of ours. */
	house_open(&house, count);
	house_close(&house);
}

static double walk_rows(void)
{
	static const char *const tables[] = {"SELECT * FROM devices ORDER BY mac",
					     "SELECT * FROM device_settings ORDER BY mac, path"};
	double begin = now_s();
	sqlite3 *connection = bare_open();

	for (size_t i = 0; i < 2; i++) {
		sqlite3_stmt *row = bare_prepare(connection, tables[i]);

		while (sqlite3_step(row) == SQLITE_ROW) {
			for (int column = 0; column < sqlite3_column_count(row); column++) {
				(void)sqlite3_column_text(row, column);
				(void)sqlite3_column_bytes(row, column);
			}
		}
		sqlite3_finalize(row);
	}
	sqlite3_close(connection);
	return now_s() - begin;
}

/* --- Start. --- */

static double start_once(size_t count)
{
	struct house house;
	double begin = now_s();
	double taken;

	house_open(&house, count);
	taken = now_s() - begin;
	if (house.inventory.devices.count != count) {
		die("start", "devices are missing");
	}
	house_close(&house);
	return taken;
}

/* The lock file without its note that the end was clean: everything is checked. */
static double start_unclean(size_t count)
{
	char lock[200];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	if (truncate(lock, 0) < 0) {
		die(lock, "cannot be truncated");
	}
	return start_once(count);
}

static void bench_start(size_t count)
{
	double walks[start_runs];
	double clean[start_runs];
	double unclean[start_runs];
	struct stat info;

	make_devices(count);
	if (stat(path, &info) < 0) {
		die(path, "is not there");
	}
	for (size_t i = 0; i < start_runs; i++) {
		walks[i] = walk_rows();
		clean[i] = start_once(count);
		unclean[i] = start_unclean(count);
	}
	printf("start of %zu devices with %d settings each (%lld MiB)\n", count,
	       settings_per_device, (long long)info.st_size >> 20);
	printf("  bare walk of the rows   %8.3f s\n", median(walks, start_runs));
	printf("  after a clean end       %8.3f s   %.2f of the walk\n", median(clean, start_runs),
	       median(clean, start_runs) / median(walks, start_runs));
	printf("  after a crash           %8.3f s   %.2f of the walk\n",
	       median(unclean, start_runs),
	       median(unclean, start_runs) / median(walks, start_runs));
}

/* --- Changes. --- */

static void count_done(void *context, int result, const char *problem)
{
	struct house *house = context;

	if (result < 0) {
		die("claim", problem);
	}
	house->acknowledged++;
}

static void claim(struct house *house, unsigned n)
{
	struct change change = {
		.kind = CHANGE_DEVICE_CLAIM,
		.mac = {{0x00, 0x90, 0x8f, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}},
		.fields = FIELD_LABEL,
		.label = SPAN("phone"),
	};

	if (store_client_post(house->client, &change, SPAN("bench"), count_done, house) < 0) {
		die("claim", "the queue is full");
	}
}

/* Claims with so many on their way at once: changes a second, and how many transactions. */
static double bench_claims(unsigned count, unsigned at_once, uint64_t *transactions)
{
	struct store_counters counters;
	struct house house;
	unsigned posted = 0;
	double begin;
	double taken;

	remove_files();
	house_open(&house, 0);
	begin = now_s();
	while (house.acknowledged < count) {
		while (posted < count && posted - house.acknowledged < at_once) {
			claim(&house, ++posted);
		}
		uv_run(&house.loop, UV_RUN_ONCE);
	}
	taken = now_s() - begin;
	store_counters(house.store, &counters);
	*transactions = counters.transactions;
	house_close(&house);
	return count / taken;
}

/* The same rows (the audit line of each included) in as many transactions. */
static double bench_inserts(unsigned count, uint64_t transactions)
{
	struct house house;
	sqlite3 *connection;
	sqlite3_stmt *device;
	sqlite3_stmt *audit;
	double begin;
	double taken;
	uint64_t done = 0;

	remove_files();
	house_open(&house, 0);
	house_close(&house);
	connection = bare_open();
	bare_run(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	device = bare_prepare(connection, insert_device);
	audit = bare_prepare(connection,
			     "INSERT INTO audit (utc_ms, who, what, subject, detail) VALUES (1, "
			     "'bench', 'device claim', printf('00908f%06x', ?1), "
			     "'{\"label\":\"phone\"}')");
	begin = now_s();
	for (uint64_t t = 1; t <= transactions; t++) {
		bare_run(connection, "BEGIN IMMEDIATE");
		for (; done < count * t / transactions; done++) {
			sqlite3_bind_int64(device, 1, (sqlite3_int64)done);
			bare_step(connection, device);
			sqlite3_bind_int64(audit, 1, (sqlite3_int64)done);
			bare_step(connection, audit);
		}
		bare_run(connection, "COMMIT");
	}
	taken = now_s() - begin;
	sqlite3_finalize(device);
	sqlite3_finalize(audit);
	sqlite3_close(connection);
	return count / taken;
}

static void bench_changes(const char *what, unsigned count, unsigned at_once)
{
	double ours[start_runs];
	double bare[start_runs];
	uint64_t transactions = 0;

	for (size_t i = 0; i < start_runs; i++) {
		ours[i] = bench_claims(count, at_once, &transactions);
		bare[i] = bench_inserts(count, transactions);
	}
	printf("claims, %s (%u in %llu transactions)\n", what, count,
	       (unsigned long long)transactions);
	printf("  store                   %8.0f a second\n", median(ours, start_runs));
	printf("  bare INSERTs            %8.0f a second   the store makes %.2f of that\n",
	       median(bare, start_runs), median(ours, start_runs) / median(bare, start_runs));
}

int main(int argc, char **argv)
{
	const char *place = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%.90s/bellhop-bench-XXXXXX", place ? place : "/var/tmp");
	if (!mkdtemp(folder)) {
		die(folder, "cannot be made");
	}
	snprintf(path, sizeof(path), "%s/bellhop.db", folder);
	for (int i = 1; i < argc; i++) {
		bench_start(strtoul(argv[i], NULL, 10));
	}
	if (argc == 1) {
		bench_start(100000);
		bench_start(1000000);
	}
	bench_changes("one after the other", single_changes, 1);
	bench_changes("many at once", many_changes, window);
	remove_files();
	rmdir(folder);
	return 0;
}

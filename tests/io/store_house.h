/* SPDX-License-Identifier: MIT */
/* What the tests of the store share: a store over a database of its own, and changes that wait. */
#ifndef BELLHOP_TESTS_IO_STORE_HOUSE_H
#define BELLHOP_TESTS_IO_STORE_HOUSE_H

#include "io/store.h"
#include "io/store_sqlite.h"
#include "tests/test.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
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
	unsigned devices_max;			  /* 0: devices_max */
	const struct store_sqlite_schema *schema; /* NULL: the product's */
	char told_last[512];
	char problem[512];
	uint64_t told; /* problems that nobody waited for */
};

static char folder[64];
static unsigned next_file;

/* In memory where that can be had: thousands of syncs, and none of them meets a power cut. */
static inline void make_folder(void)
{
	static const char *const places[] = {"/dev/shm", "/tmp"};

	for (size_t i = 0; i < 2; i++) {
		snprintf(folder, sizeof(folder), "%s/bellhop-store-XXXXXX", places[i]);
		if (mkdtemp(folder)) {
			return;
		}
	}
	abort();
}

static inline void remove_folder(void)
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

static inline void house_path(struct house *house)
{
	snprintf(house->path, sizeof(house->path), "%s/%u.db", folder, next_file++);
}

static inline void tell(void *context, const char *sentence)
{
	struct house *house = context;

	snprintf(house->told_last, sizeof(house->told_last), "%s", sentence);
	house->told++;
}

/* Opens the database at house->path: 0 or the errno, with its sentence in house->problem. */
static inline int house_open(struct house *house)
{
	uint8_t seed[random_seed_size]; /* the keys of one run must not come again in the next */
	size_t most = house->devices_max ? house->devices_max : devices_max;
	struct inventory_limits limits = {.devices_max = most,
					  .new_devices_max = most,
					  .profiles_max = 100,
					  .files_max = 100,
					  .rules_max = 20,
					  .pools_max = 20,
					  .pool_numbers_max = 10000,
					  .forms_max = 100};
	struct store_sqlite_options sqlite = {.path = house->path,
					      .events_max = events_max,
					      .audit_max = 100,
					      .busy_ms = 50,
					      .pages_max = house->pages_max,
					      .schema = house->schema,
					      .tell = tell,
					      .context = house};
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

static inline void house_close(struct house *house)
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

static inline void keep_outcome(void *context, int result, const char *problem)
{
	struct outcome *outcome = context;

	outcome->is_done = true;
	outcome->result = result;
	snprintf(outcome->house->problem, sizeof(outcome->house->problem), "%s", problem);
}

/* Posts and waits for the acknowledgement. */
static inline int make(struct house *house, const struct change *change)
{
	struct outcome outcome = {.house = house};
	int result =
		store_client_post(house->client, change, SPAN("tester"), keep_outcome, &outcome);

	while (result == 0 && !outcome.is_done) {
		uv_run(&house->loop, UV_RUN_ONCE);
	}
	return result < 0 ? result : outcome.result;
}

static inline struct mac mac_number(unsigned n)
{
	return (struct mac){
		.octets = {0x00, 0x90, 0x8f, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static inline int claim(struct house *house, unsigned n)
{
	return make(house, &(struct change){.kind = CHANGE_DEVICE_CLAIM, .mac = mac_number(n)});
}

static inline const struct device *device_number(struct house *house, unsigned n)
{
	return inventory_device(&house->inventory, mac_number(n));
}

/* The first column of the first row, as text. */
static inline void query(const char *path, const char *sql, char *value, size_t size)
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

#endif

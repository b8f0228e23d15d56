/* SPDX-License-Identifier: MIT */
/*
 * A backup of any bytes: it is refused with a sentence, or it is a database of ours whose records
 * load, that can be written to, and that loads again.
 */
#include "io/filesystem.h"
#include "io/store_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { problem_size = 512 };

static const struct inventory_limits limits = {.devices_max = 64,
					       .new_devices_max = 64,
					       .profiles_max = 16,
					       .files_max = 1,
					       .unidentified_max = 50,
					       .forms_max = 8,
					       .rules_max = 8,
					       .pools_max = 8,
					       .pool_numbers_max = 1000};
static char folder[64];
static struct store_database *database; /* the one in use; it never changes */

static void end(void)
{
	char path[128];

	database->class->close(database);
	snprintf(path, sizeof(path), "%s/a.db", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a.db.lock", folder);
	unlink(path);
	rmdir(folder);
}

static void begin(void)
{
	static const char *const places[] = {"/dev/shm", "/tmp"};
	struct store_sqlite_options options = {.events_max = 8, .audit_max = 8};
	char problem[problem_size];
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		snprintf(folder, sizeof(folder), "%s/bellhop-fuzz-XXXXXX", places[i]);
		if (mkdtemp(folder)) {
			break;
		}
	}
	snprintf(path, sizeof(path), "%s/a.db", folder);
	options.path = path;
	if (store_sqlite_open(&database, &options, problem, sizeof(problem)) < 0) {
		abort();
	}
	atexit(end);
}

/* What is refused is refused with a reason. */
static bool is_good(int result, const char *problem)
{
	if (result < 0 && problem[0] == '\0') {
		abort();
	}
	return result == 0;
}

static size_t load(struct store_database *candidate)
{
	const uint8_t seed[random_seed_size] = {1};
	char problem[problem_size] = "";
	struct inventory inventory;
	size_t count = 0;

	if (inventory_init(&inventory, &limits, seed) < 0) {
		abort();
	}
	if (is_good(candidate->class->load(candidate, &inventory, problem, sizeof(problem)),
		    problem) &&
	    is_good(inventory_check_profiles(&inventory, problem, sizeof(problem)), problem)) {
		count = inventory.devices.count + inventory.profiles.count;
	}
	inventory_free(&inventory);
	return count;
}

static void write_to(struct store_database *candidate)
{
	char problem[problem_size] = "";
	struct store_audit audit = {.who = SPAN("f"), .what = SPAN("restore")};
	int result = candidate->class->begin(candidate, problem, sizeof(problem));

	if (result == 0) {
		result = candidate->class->write_audit(candidate, &audit, problem, sizeof(problem));
	}
	if (result == 0) {
		result = candidate->class->commit(candidate, problem, sizeof(problem));
	} else {
		candidate->class->rollback(candidate);
	}
	(void)is_good(result, problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_database *candidate = NULL;
	struct store_holdings holdings;
	char problem[problem_size] = "";
	size_t count;
	int file;
	int result;

	if (!database) {
		begin();
	}
	file = database->class->open_upload(database, problem, sizeof(problem));
	if (file < 0 || filesystem_write(file, span_make((const char *)data, size)) < 0) {
		abort();
	}
	result = database->class->take_in(database, file, &candidate, &holdings, problem,
					  sizeof(problem));
	if (!is_good(result, problem)) {
		return 0;
	}
	count = load(candidate);
	if (count > 0) {
		write_to(candidate);
		if (load(candidate) != count) {
			abort();
		}
	}
	candidate->class->close(candidate);
	return 0;
}

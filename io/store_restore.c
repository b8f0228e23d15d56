/* SPDX-License-Identifier: MIT */
/* The whole database: copied, and replaced by another one. */
#include "io/filesystem.h"
#include "io/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { kept_size = filesystem_path_max + 64 };

struct store_restoration {
	struct store_database *candidate; /* NULL once it was handed on */
	struct inventory inventory;	  /* its records; after the exchange those of before */
	bool has_inventory;
	struct store_holdings holdings;
	uint64_t stale;
	char kept[kept_size];
};

int store_copy(struct store *store, int *file, struct store_holdings *holdings, char *problem,
	       size_t problem_size)
{
	return store->database->class->copy(store->database, file, holdings, problem, problem_size);
}

/* --- Taken in, beside the store's work. --- */

static int load(struct store *store, struct store_restoration *restoration, char *problem,
		size_t problem_size)
{
	const struct inventory_limits *limits = &store->options.inventory->limits;
	struct store_database *candidate = restoration->candidate;
	uint8_t seed[random_seed_size];
	char why[256];
	int result;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed) ||
	    inventory_init(&restoration->inventory, limits, seed) < 0) {
		snprintf(problem, problem_size, "out of memory; try again later");
		return -ENOMEM;
	}
	restoration->has_inventory = true;
	result = candidate->class->load(candidate, &restoration->inventory, problem, problem_size);
	if (result == 0) {
		result = inventory_check_profiles(&restoration->inventory, why, sizeof(why));
		if (result < 0) {
			snprintf(problem, problem_size,
				 "the file is damaged (%s); give another "
				 "backup",
				 why);
		}
	}
	/* A row that does not load is the giver's matter, not the disk's. */
	return result == -EUCLEAN ? -EINVAL : result;
}

int store_open_upload(struct store *store, char *problem, size_t problem_size)
{
	return store->database->class->open_upload(store->database, problem, problem_size);
}

int store_restoration_new(struct store *store, int file, struct store_restoration **restoration,
			  char *problem, size_t problem_size)
{
	struct store_restoration *new = calloc(1, sizeof(*new));
	int result;

	if (!new) {
		close(file);
		snprintf(problem, problem_size, "out of memory; try again later");
		return -ENOMEM;
	}
	result = store->database->class->take_in(store->database, file, &new->candidate,
						 &new->holdings, problem, problem_size);
	if (result == 0) {
		result = load(store, new, problem, problem_size);
	}
	if (result < 0) {
		store_restoration_free(new);
		return result;
	}
	*restoration = new;
	return 0;
}

void store_restoration_free(struct store_restoration *restoration)
{
	if (!restoration) {
		return;
	}
	if (restoration->candidate) {
		restoration->candidate->class->close(restoration->candidate);
	}
	if (restoration->has_inventory) {
		inventory_free(&restoration->inventory);
	}
	free(restoration);
}

/* --- Put in place, on the store's thread. --- */

/*
 * Devices that have something else than the backup says become stale. This thread alone changes
 * the records of the inventory: it may look at them without the lock, which readers need.
 */
static int write_stale(struct store *store, struct store_restoration *restoration, char *problem)
{
	const struct inventory *inventory = store->options.inventory;
	struct store_database *candidate = restoration->candidate;
	struct device *device;
	size_t cursor = 0;
	int result = 0;

	inventory_reconcile_begin(&restoration->inventory, inventory);
	while (result == 0 &&
	       (device = inventory_reconcile_next(&restoration->inventory, inventory, &cursor))) {
		struct prepared prepared = {.device = device, .keeps_settings = true};

		result = candidate->class->write(candidate, &prepared, problem, store_problem_size);
		restoration->stale++;
	}
	return result;
}

static int write_audit(const struct job *job, uint64_t utc_ms, char *problem)
{
	const struct store_restoration *restoration = job->restoration;
	struct store_database *candidate = restoration->candidate;
	char detail[160];

	snprintf(detail, sizeof(detail),
		 "{\"devices\":%llu,\"profiles\":%llu,\"schema\":%u,\"stale\":%llu}",
		 (unsigned long long)restoration->holdings.devices,
		 (unsigned long long)restoration->holdings.profiles, restoration->holdings.schema,
		 (unsigned long long)restoration->stale);
	return candidate->class->write_audit(candidate,
					     &(struct store_audit){
						     .utc_ms = utc_ms,
						     .who = span_text(job->who),
						     .what = SPAN("restore"),
						     .subject = SPAN("database"),
						     .detail = span_text(detail),
					     },
					     problem, store_problem_size);
}

static int complete_candidate(struct store *store, const struct job *job, uint64_t utc_ms,
			      char *problem)
{
	struct store_database *candidate = job->restoration->candidate;
	int result = candidate->class->begin(candidate, problem, store_problem_size);

	if (result < 0) {
		return result;
	}
	result = write_stale(store, job->restoration, problem);
	if (result == 0) {
		result = write_audit(job, utc_ms, problem);
	}
	if (result == 0) {
		return candidate->class->commit(candidate, problem, store_problem_size);
	}
	candidate->class->rollback(candidate);
	return result;
}

static int replace_database(struct store *store, struct store_restoration *restoration,
			    uint64_t utc_ms, char *problem)
{
	struct store_database *candidate = restoration->candidate;
	struct writer kept = writer_over(restoration->kept, sizeof(restoration->kept) - 1);

	restoration->candidate = NULL;
	return store->database->class->replace(store->database, candidate, utc_ms, &kept, problem,
					       store_problem_size);
}

static struct store_restored outcome_of(const struct job *job)
{
	return (struct store_restored){
		.holdings = job->restoration->holdings,
		.stale = job->restoration->stale,
		.kept = job->restoration->kept,
		.who = job->who,
	};
}

/* The new records in place for everybody; after it, the restoration holds the old ones. */
static void exchange(struct store *store, const struct job *job)
{
	struct store_restoration *restoration = job->restoration;
	struct store_restored restored;

	pthread_rwlock_wrlock(store->options.inventory_lock);
	inventory_exchange(store->options.inventory, &restoration->inventory);
	pthread_rwlock_unlock(store->options.inventory_lock);
	store_events_rewrite(&store->events);
	store_look_for_rules(store);
	if (store->options.restored) {
		restored = outcome_of(job);
		restored.before = &restoration->inventory;
		store->options.restored(store->options.context, &restored);
	}
}

void store_restore_run(struct store *store, struct job *job)
{
	struct store_restoration *restoration = job->restoration;
	char problem[store_problem_size] = "";
	uint64_t utc_ms = store_clock_ms(CLOCK_REALTIME);
	int result = complete_candidate(store, job, utc_ms, problem);

	if (result == 0) {
		result = replace_database(store, restoration, utc_ms, problem);
	}
	if (result == 0) {
		exchange(store, job);
	} else {
		job_fail(job, result, problem);
	}
	/* Here, and not with the job: that is freed on a loop that serves phones. */
	inventory_free(&restoration->inventory);
	restoration->has_inventory = false;
}

void store_restore_tell(const struct job *job)
{
	struct store_restored restored = outcome_of(job);

	job->restored(job->context, job->result, job->problem ? job->problem : "", &restored);
}

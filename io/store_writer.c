/* SPDX-License-Identifier: MIT */
#include "core/admin/api.h"
#include "io/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { problem_size = store_problem_size, row_problem_size = 128 };

/* A full disk refuses every report of every phone: that is told once a minute. */
void store_tell_problem(struct store *store, const char *sentence)
{
	uint64_t now_ms = store_clock_ms(CLOCK_MONOTONIC);

	if (!store->options.problem ||
	    (strcmp(store->told, sentence) == 0 && now_ms - store->told_ms < problem_interval_ms)) {
		return;
	}
	snprintf(store->told, sizeof(store->told), "%s", sentence);
	store->told_ms = now_ms;
	store->options.problem(store->options.context, sentence);
}

static int write_audit(struct store *store, const struct job *job, char *problem)
{
	char subject[config_url_max];
	struct writer w = writer_over(subject, sizeof(subject));
	char *detail;
	int result;

	if (job->who[0] == '\0' || job_is_report(job)) {
		return 0;
	}
	api_change_subject(job->change, &w);
	detail = api_change_text(job->change);
	if (!detail) {
		snprintf(problem, problem_size, "out of memory");
		return -ENOMEM;
	}
	result = store->database->class->write_audit(store->database,
						     &(struct store_audit){
							     .utc_ms = job->change->utc_ms,
							     .who = span_text(job->who),
							     .what = span_text(api_change_name(
								     job->change->kind)),
							     .subject = writer_span(&w),
							     .detail = span_text(detail),
						     },
						     problem, problem_size);
	free(detail);
	return result;
}

/* A transaction that begins with the first record there is to write. */
struct batch {
	struct store *store;
	bool has_begun;
	bool is_without_events; /* one of them could not be written: they must not be in the way */
	bool has_bad_event;
	char problem[problem_size];
};

static int batch_begin(struct batch *batch)
{
	struct store_database *database = batch->store->database;
	int result = 0;

	if (!batch->has_begun) {
		result = database->class->begin(database, batch->problem, problem_size);
		batch->has_begun = result == 0;
	}
	return result;
}

/* A group's problem names each of its rows that is refused, also where others are taken. */
static size_t problem_size_of(const struct change *change)
{
	return problem_size + change->group_count * row_problem_size;
}

static void prepare(struct store *store, struct job *job)
{
	size_t size = problem_size_of(job->change);
	char small[problem_size] = "";
	char *large = size > problem_size ? calloc(1, size) : NULL;
	char *problem = large ? large : small;

	pthread_rwlock_rdlock(store->options.inventory_lock);
	job->result = inventory_prepare(store->options.inventory, job->change, &job->prepared,
					problem, large ? size : problem_size);
	pthread_rwlock_unlock(store->options.inventory_lock);
	if (job->result < 0 || job->change->group_count > 0) {
		job_fail(job, job->result, problem);
	}
	free(large);
}

/* Checks a change and writes what it comes to. Negative: the database failed. */
static int batch_write(struct batch *batch, struct job *job)
{
	struct store *store = batch->store;
	int result;

	prepare(store, job);
	if (job->result < 0) {
		return 0;
	}
	job->is_prepared = true;
	store_road_add(store, job);
	if (job->prepared.is_nothing) {
		return 0;
	}
	result = batch_begin(batch);
	if (result == 0) {
		result = store->database->class->write(store->database, &job->prepared,
						       batch->problem, problem_size);
	}
	if (result == 0) {
		result = write_audit(store, job, batch->problem);
	}
	return result;
}

/*
 * What was told and is not written yet, and what the changes of the batch tell: with the numbers
 * that they have, so all before them are written as well.
 */
static int batch_write_events(struct batch *batch)
{
	struct store *store = batch->store;
	struct store_database *database = store->database;
	size_t held = store_events_hold(&store->events, store->road.items, store->road.count);
	int result = 0;

	if (batch->is_without_events) {
		return 0;
	}
	store_take_events(store, held > 0 ? SIZE_MAX : batch_events_max);
	for (size_t i = 0; i < store->batch_event_count && result == 0; i++) {
		result = batch_begin(batch);
		if (result == 0) {
			result = database->class->write_event(database, store->batch_events[i],
							      batch->problem, problem_size);
			batch->has_bad_event = result < 0;
		}
	}
	return result;
}

/* What became of the events of the batch. */
static void settle_events(struct store *store, int result)
{
	if (result < 0) {
		store_events_withdraw(&store->events);
	} else {
		if (store->batch_event_count > 0) {
			store_events_written(&store->events,
					     store->batch_events[store->batch_event_count - 1]->id,
					     false);
		}
		store_events_release(&store->events);
	}
	store_drop_events(store);
	if (result == 0 && store->road.count > 0) {
		pthread_mutex_lock(&store->mutex);
		store_news(store);
		pthread_mutex_unlock(&store->mutex);
	}
	store_road_clear(store);
}

static int batch_end(struct batch *batch, int result)
{
	struct store_database *database = batch->store->database;

	if (!batch->has_begun) {
		return result;
	}
	if (result == 0) {
		return database->class->commit(database, batch->problem, problem_size);
	}
	database->class->rollback(database);
	return result;
}

/* Drops what was prepared, the newest first, as inventory.h wants it. */
static void drop_prepared(struct job *const *jobs, size_t count)
{
	while (count-- > 0) {
		if (jobs[count]->is_prepared) {
			prepared_free(&jobs[count]->prepared);
			jobs[count]->is_prepared = false;
		}
	}
}

static void commit_to_memory(struct store *store, struct job *const *jobs, size_t count)
{
	pthread_rwlock_wrlock(store->options.inventory_lock);
	for (size_t i = 0; i < count; i++) {
		if (jobs[i]->is_prepared) {
			inventory_commit(store->options.inventory, &jobs[i]->prepared);
			jobs[i]->is_prepared = false;
		}
	}
	pthread_rwlock_unlock(store->options.inventory_lock);
	store_look_for_rules(store);
	for (size_t i = 0; i < count; i++) {
		if (jobs[i]->result == 0 && store->options.committed) {
			store->options.committed(store->options.context, jobs[i]->change);
		}
	}
}

/* Writes the jobs and the events in one transaction: all of them or none. */
static int write_together(struct batch *batch, struct job *const *jobs, size_t count)
{
	struct store *store = batch->store;
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		result = batch_write(batch, jobs[i]);
	}
	if (result == 0) {
		result = batch_write_events(batch);
	}
	result = batch_end(batch, result);
	if (batch->has_begun && result == 0) {
		pthread_mutex_lock(&store->mutex);
		store->counters.transactions++;
		pthread_mutex_unlock(&store->mutex);
	}
	if (result < 0) {
		drop_prepared(jobs, count);
	} else {
		commit_to_memory(store, jobs, count);
	}
	settle_events(store, result);
	return result;
}

/* One change, or the events alone; a bad event must not be in the way of a change. */
static int write_alone(struct store *store, struct job *const *jobs, size_t count,
		       char problem[static problem_size])
{
	struct batch batch = {.store = store};
	int result = write_together(&batch, jobs, count);

	if (result < 0 && batch.has_bad_event && count > 0) {
		batch = (struct batch){.store = store, .is_without_events = true};
		result = write_together(&batch, jobs, count);
	}
	if (result < 0) {
		memcpy(problem, batch.problem, problem_size);
	}
	return result;
}

/*
 * A batch that the database refused is tried again change by change, so that one which cannot be
 * written does not take the others with it; not when another program holds the database, because
 * each would wait for that. Returns how many events there were to write.
 */
static size_t write_batch(struct store *store, size_t count)
{
	struct batch batch = {.store = store};
	size_t event_count = store_events_waiting(&store->events);
	uint64_t last_event_id = store_events_newest_id(&store->events);
	int fault = write_together(&batch, store->jobs, count);
	char problem[problem_size];
	int result = fault;

	memcpy(problem, batch.problem, sizeof(problem));
	for (size_t i = 0; i < count && fault < 0; i++) {
		if (fault != -EBUSY) {
			result = write_alone(store, &store->jobs[i], 1, problem);
		}
		if (result < 0) {
			job_fail(store->jobs[i], result, problem);
			if (!store->jobs[i]->is_awaited) {
				store_tell_problem(store, problem);
			}
		}
	}
	if (fault < 0 && fault != -EBUSY) {
		result = write_alone(store, NULL, 0, problem);
	}
	if (event_count > 0 && result < 0) {
		store_events_written(&store->events, last_event_id, true);
		store_tell_problem(store, problem);
	}
	return event_count;
}

/* Milliseconds until there is something to do, 0: now, UINT64_MAX: when woken. Mutex held. */
static uint64_t wait_ms(const struct store *store)
{
	uint64_t now = store_clock_ms(CLOCK_MONOTONIC);
	uint64_t oldest = UINT64_MAX;

	if (store->edits > 0 || store->is_stopping || store->queue.count >= batch_changes_max) {
		return 0;
	}
	if (store->queue.first) {
		oldest = store->queue.first->posted_ms;
	}
	if (store->events_posted_ms > 0 && store->events_posted_ms < oldest) {
		oldest = store->events_posted_ms;
	}
	if (oldest == UINT64_MAX) {
		return UINT64_MAX;
	}
	oldest += store->options.report_delay_ms;
	return oldest > now ? oldest - now : 0;
}

static void wait_for_work(struct store *store)
{
	for (uint64_t ms; (ms = wait_ms(store)) > 0;) {
		struct timespec until;

		if (ms == UINT64_MAX) {
			pthread_cond_wait(&store->wake, &store->mutex);
			continue;
		}
		ms += store_clock_ms(CLOCK_MONOTONIC);
		until = (struct timespec){.tv_sec = (time_t)(ms / 1000),
					  .tv_nsec = (long)(ms % 1000) * 1000000};
		pthread_cond_timedwait(&store->wake, &store->mutex, &until);
	}
}

/* Moves the front of the queue to `running`. Mutex held. */
static size_t take_jobs(struct store *store)
{
	size_t count = 0;

	while (count < batch_changes_max && store->queue.first) {
		struct job *job;

		/* A whole database is a batch of its own. */
		if (count > 0 && (store->queue.first->restoration || store->jobs[0]->restoration)) {
			break;
		}
		job = job_list_take(&store->queue);
		if (job_is_of_device(job) && table_find(&store->last, job_key(job)) == job) {
			table_remove(&store->last, job_key(job));
		}
		store->edits -= job->is_urgent;
		job_list_append(&store->running, job);
		store->jobs[count++] = job;
	}
	return count;
}

/* Hands finished jobs to those who wait for them. Mutex held. */
static void acknowledge(struct store *store)
{
	for (struct job *job; (job = job_list_take(&store->running));) {
		struct store_client *client = job->client;

		store->counters.changes += job->result == 0;
		store->counters.refused += job->result < 0;
		if (client && (job->done || job->restored)) {
			job_list_append(&client->done, job);
			uv_async_send(&client->async);
		} else {
			job_free(job);
		}
	}
}

static void tend(struct store *store)
{
	char problem[problem_size] = "";

	if (store->database->class->tend(store->database, problem, problem_size) < 0) {
		store_tell_problem(store, problem);
	}
}

/* One round: false when there is nothing left to do and the store is stopping. */
static bool run_batch(struct store *store)
{
	size_t count;
	size_t event_count = 0;
	bool is_restoration;
	bool is_over;

	pthread_mutex_lock(&store->mutex);
	wait_for_work(store);
	count = take_jobs(store);
	store->events_posted_ms = 0;
	pthread_mutex_unlock(&store->mutex);

	is_restoration = count > 0 && store->jobs[0]->restoration;
	if (is_restoration) {
		store_restore_run(store, store->jobs[0]);
	} else {
		event_count = write_batch(store, count);
	}

	pthread_mutex_lock(&store->mutex);
	acknowledge(store);
	if (store->events_posted_ms == 0 && store_events_waiting(&store->events) > 0) {
		store->events_posted_ms = store_clock_ms(CLOCK_MONOTONIC);
	}
	is_over = store->is_stopping && !store->queue.first && event_count == 0 && !is_restoration;
	pthread_mutex_unlock(&store->mutex);
	tend(store);
	return !is_over;
}

void *store_writer_run(void *store)
{
	while (run_batch(store)) {
		continue;
	}
	return NULL;
}

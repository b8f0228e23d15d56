/* SPDX-License-Identifier: MIT */
#include "core/admin/api.h"
#include "io/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { problem_size = store_problem_size };

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

/* Checks a change and writes what it comes to. Negative: the database failed. */
static int batch_write(struct batch *batch, struct job *job)
{
	struct store *store = batch->store;
	char problem[problem_size] = "";
	int result;

	pthread_rwlock_rdlock(store->options.inventory_lock);
	job->result = inventory_prepare(store->options.inventory, job->change, &job->prepared,
					problem, problem_size);
	pthread_rwlock_unlock(store->options.inventory_lock);
	if (job->result < 0) {
		job_fail(job, job->result, problem);
		return 0;
	}
	job->is_prepared = true;
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

static int batch_write_events(struct batch *batch, struct event *const *events, size_t count)
{
	struct store_database *database = batch->store->database;
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		result = batch_begin(batch);
		if (result == 0) {
			result = database->class->write_event(database, events[i], batch->problem,
							      problem_size);
		}
	}
	return result;
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
	for (size_t i = 0; i < count; i++) {
		if (jobs[i]->result == 0 && store->options.committed) {
			store->options.committed(store->options.context, jobs[i]->change);
		}
	}
}

/* Writes the jobs and the events in one transaction: all of them or none. */
static int write_together(struct store *store, struct job *const *jobs, size_t count,
			  struct event *const *events, size_t event_count,
			  char problem[static problem_size])
{
	struct batch batch = {.store = store};
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		result = batch_write(&batch, jobs[i]);
	}
	if (result == 0) {
		result = batch_write_events(&batch, events, event_count);
	}
	result = batch_end(&batch, result);
	if (batch.has_begun && result == 0) {
		pthread_mutex_lock(&store->mutex);
		store->counters.transactions++;
		pthread_mutex_unlock(&store->mutex);
	}
	if (result < 0) {
		drop_prepared(jobs, count);
		memcpy(problem, batch.problem, problem_size);
		return result;
	}
	commit_to_memory(store, jobs, count);
	return 0;
}

/*
 * A batch that the database refused is tried again change by change, so that one which cannot be
 * written does not take the others with it; not when another program holds the database, because
 * each would wait for that.
 */
static void write_batch(struct store *store, size_t count, size_t event_count)
{
	struct event *const *events = store->batch_events;
	char problem[problem_size] = "";
	int fault = write_together(store, store->jobs, count, events, event_count, problem);
	int result = fault;

	for (size_t i = 0; i < count && fault < 0; i++) {
		if (fault != -EBUSY) {
			result = write_together(store, &store->jobs[i], 1, NULL, 0, problem);
		}
		if (result < 0) {
			job_fail(store->jobs[i], result, problem);
			if (!store->jobs[i]->is_awaited) {
				store_tell_problem(store, problem);
			}
		}
	}
	if (event_count == 0) {
		return;
	}
	if (fault < 0 && fault != -EBUSY) {
		result = write_together(store, NULL, 0, events, event_count, problem);
	}
	store_events_written(&store->events, events[event_count - 1]->id, result < 0);
	if (result < 0) {
		store_tell_problem(store, problem);
	}
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
		store->edits -= !job_is_report(job);
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

/* Writes what run_batch took; how many events were among it. */
static size_t write_all(struct store *store, size_t count)
{
	size_t event_count =
		store_events_unwritten(&store->events, store->batch_events, batch_events_max);

	write_batch(store, count, event_count);
	for (size_t i = 0; i < event_count; i++) {
		free(store->batch_events[i]);
	}
	return event_count;
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
		event_count = write_all(store, count);
	}

	pthread_mutex_lock(&store->mutex);
	acknowledge(store);
	if (store->events_posted_ms == 0 && store_events_wait(&store->events)) {
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

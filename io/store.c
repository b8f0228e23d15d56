/* SPDX-License-Identifier: MIT */
#include "io/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	report_bytes_max = 4096,   /* of one change that a phone caused */
	edit_bytes_max = 16 << 20, /* of one change that an operator made */
	events_slice = 64,	   /* copied under the lock that every report of a phone takes */
};

uint64_t store_clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void job_list_append(struct job_list *list, struct job *job)
{
	job->next = NULL;
	if (list->last) {
		list->last->next = job;
	} else {
		list->first = job;
	}
	list->last = job;
	list->count++;
}

struct job *job_list_take(struct job_list *list)
{
	struct job *job = list->first;

	if (job) {
		list->first = job->next;
		list->last = list->first ? list->last : NULL;
		list->count--;
	}
	return job;
}

void job_free(struct job *job)
{
	arena_free(&job->arena);
	store_restoration_free(job->restoration);
	free(job->problem);
	free(job);
}

static void list_free(struct job_list *list)
{
	for (struct job *job; (job = job_list_take(list));) {
		job_free(job);
	}
}

struct span job_key(const void *entry)
{
	return mac_key(&((const struct job *)entry)->change->mac);
}

static bool is_report(const struct change *change)
{
	return change->kind == CHANGE_DEVICE_SEEN || change->kind == CHANGE_DEVICE_NOTIFIED ||
	       change->kind == CHANGE_DEVICE_FETCHED || change->kind == CHANGE_DEVICE_RESYNC ||
	       change->kind == CHANGE_UNIDENTIFIED_SEEN || change->kind == CHANGE_FORM_LEARNED;
}

bool job_is_report(const struct job *job)
{
	return job->change && is_report(job->change);
}

bool job_is_of_device(const struct job *job)
{
	return job->change && (job->change->kind <= CHANGE_DEVICE_FETCHED ||
			       job->change->kind == CHANGE_DEVICE_RESYNC);
}

void job_fail(struct job *job, int result, const char *problem)
{
	job->result = result;
	free(job->problem);
	job->problem = strdup(problem);
}

int store_lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;
	int result = pthread_rwlockattr_init(&attributes);

	if (result == 0) {
		pthread_rwlockattr_setkind_np(&attributes,
					      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
		result = pthread_rwlock_init(lock, &attributes);
		pthread_rwlockattr_destroy(&attributes);
	}
	return -result;
}

/* --- Start and stop. --- */

static int keep_event(void *context, const struct event *event)
{
	struct store *store = context;

	return store_events_load(&store->events, event);
}

static int load(struct store *store, char *problem, size_t size)
{
	struct store_database *database = store->database;
	int result = database->class->load(database, store->options.inventory, problem, size);

	if (result == 0) {
		result = database->class->load_events(database, store->events.count_max, keep_event,
						      store, problem, size);
	}
	return result;
}

static void store_free(struct store *store)
{
	list_free(&store->queue);
	list_free(&store->running);
	table_free(&store->last);
	store_road_free(store);
	store_events_free(&store->events);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->mutex);
	if (store->database) {
		store->database->class->close(store->database);
	}
	free(store);
}

static void init_locks(struct store *store)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&store->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &attributes);
	pthread_condattr_destroy(&attributes);
}

int store_start(struct store **store, const struct store_options *options, char *problem,
		size_t size)
{
	struct store *new = calloc(1, sizeof(*new));
	int result;

	if (!new) {
		options->database->class->close(options->database);
		snprintf(problem, size, "out of memory");
		return -ENOMEM;
	}
	new->options = *options;
	new->database = options->database;
	init_locks(new);
	table_init(&new->last, options->queue_max, &options->inventory->random, job_key);
	result = store_events_init(&new->events, options->events_max);
	if (result < 0) {
		snprintf(problem, size, "out of memory");
	} else {
		result = load(new, problem, size);
	}
	if (result == 0) {
		store_look_for_rules(new);
		result = -pthread_create(&new->thread, NULL, store_writer_run, new);
		if (result < 0) {
			snprintf(problem, size, "cannot start the store's thread: %s",
				 strerror(-result));
		}
	}
	if (result < 0) {
		store_free(new);
		return result;
	}
	pthread_setname_np(new->thread, "store");
	*store = new;
	return 0;
}

void store_stop(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	store->is_stopping = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->mutex);
	pthread_join(store->thread, NULL);
	store_free(store);
}

void store_counters(struct store *store, struct store_counters *counters)
{
	pthread_mutex_lock(&store->mutex);
	*counters = store->counters;
	counters->queue_length = store->queue.count;
	pthread_mutex_unlock(&store->mutex);
	pthread_mutex_lock(&store->events.mutex);
	counters->events_lost = store->events.lost;
	pthread_mutex_unlock(&store->events.mutex);
}

/* --- Posting. --- */

/* What `newer` says makes `older` of the same device needless. */
static bool replaces(const struct change *newer, const struct change *older)
{
	if (newer->kind != older->kind || !is_report(newer)) {
		return false;
	}
	/* That both forms went out, or each alone soon after the other, makes them no evidence. */
	return (older->fields & ~newer->fields) == 0 &&
	       (newer->is_complete || !older->is_complete) && newer->form == older->form &&
	       (newer->told_both || !older->told_both);
}

/* Mutex held. True when `job` went into the place of the change before it, and is gone. */
static bool coalesce(struct store *store, struct job *job)
{
	struct job *before;
	struct arena arena;

	if (!job_is_of_device(job)) {
		return false;
	}
	before = table_find(&store->last, job_key(job));
	if (before && !before->is_awaited && !job->is_awaited &&
	    replaces(job->change, before->change)) {
		/* The key of the table's entry is inside the change: out, and in again. */
		table_remove(&store->last, job_key(before));
		arena = before->arena;
		before->arena = job->arena;
		before->change = job->change;
		job->arena = arena;
		store->edits += job->is_urgent && !before->is_urgent;
		before->is_urgent |= job->is_urgent;
		(void)table_add(&store->last, before);
		store->counters.coalesced++;
		job_free(job);
		return true;
	}
	if (before) {
		table_remove(&store->last, job_key(before));
	}
	/* When this fails for memory the next report of the device is just not coalesced. */
	(void)table_add(&store->last, job);
	return false;
}

/*
 * Mutex held. What a person waits for; and with rules, a phone that nobody claimed: it asks again
 * after half a second, and should be served by then.
 */
static bool is_urgent(const struct store *store, const struct job *job)
{
	return !job_is_report(job) || (store->has_rules && job->change->kind == CHANGE_DEVICE_SEEN);
}

static int enqueue(struct store *store, struct job *job)
{
	int result = 0;

	pthread_mutex_lock(&store->mutex);
	job->is_urgent = is_urgent(store, job);
	if (!coalesce(store, job)) {
		if (store->queue.count >= store->options.queue_max) {
			if (job_is_of_device(job)) {
				table_remove(&store->last, job_key(job));
			}
			store->counters.queue_full++;
			result = -ENOBUFS;
		} else {
			job_list_append(&store->queue, job);
			store->edits += job->is_urgent;
		}
	}
	/* The thread sleeps with a time-out once a report is there: no need to wake it for each. */
	if (result == 0 && (store->edits > 0 || store->queue.count == 1 ||
			    store->queue.count >= batch_changes_max)) {
		pthread_cond_signal(&store->wake);
	}
	pthread_mutex_unlock(&store->mutex);
	if (result < 0) {
		job_free(job);
	}
	return result;
}

static struct job *job_new(struct span who)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job) {
		job->posted_ms = store_clock_ms(CLOCK_MONOTONIC);
		snprintf(job->who, sizeof(job->who), "%.*s",
			 (int)(who.length < job_who_size ? who.length : job_who_size),
			 who.data ? who.data : "");
	}
	return job;
}

static struct job *job_of_change(const struct change *change, struct span who)
{
	struct job *job = job_new(who);

	if (!job) {
		return NULL;
	}
	arena_init(&job->arena, is_report(change) ? report_bytes_max : edit_bytes_max);
	job->change = change_copy(&job->arena, change);
	if (!job->change) {
		job_free(job);
		return NULL;
	}
	if (job->change->utc_ms == 0) {
		job->change->utc_ms = store_clock_ms(CLOCK_REALTIME);
	}
	return job;
}

int store_post(struct store *store, const struct change *change, struct span who)
{
	struct job *job = job_of_change(change, who);

	return job ? enqueue(store, job) : -ENOMEM;
}

int store_client_post(struct store_client *client, const struct change *change, struct span who,
		      store_done_fn *done, void *context)
{
	struct job *job = job_of_change(change, who);

	if (!job) {
		return -ENOMEM;
	}
	job->client = client;
	job->is_awaited = done != NULL;
	job->done = done;
	job->context = context;
	return enqueue(client->store, job);
}

int store_client_restore(struct store_client *client, struct store_restoration *restoration,
			 struct span who, store_restored_fn *done, void *context)
{
	struct job *job = job_new(who);

	if (!job) {
		store_restoration_free(restoration);
		return -ENOMEM;
	}
	job->restoration = restoration;
	job->client = client;
	job->is_awaited = true;
	job->restored = done;
	job->context = context;
	return enqueue(client->store, job);
}

/* --- Clients. --- */

static void client_woken(uv_async_t *async)
{
	struct store_client *client = async->data;
	struct store *store = client->store;
	bool has_news;

	pthread_mutex_lock(&store->mutex);
	has_news = client->has_news;
	client->has_news = false;
	pthread_mutex_unlock(&store->mutex);
	if (has_news && client->news) {
		client->news(client->news_context);
	}
	/* One at a time: a callback may forget others, or close the client. */
	while (!uv_is_closing((uv_handle_t *)async)) {
		struct job *job;

		pthread_mutex_lock(&store->mutex);
		job = job_list_take(&client->done);
		pthread_mutex_unlock(&store->mutex);
		if (!job) {
			break;
		}
		if (job->done) {
			job->done(job->context, job->result, job->problem ? job->problem : "");
		} else if (job->restored) {
			store_restore_tell(job);
		}
		job_free(job);
	}
}

int store_client_open(struct store *store, uv_loop_t *loop, struct store_client **client)
{
	struct store_client *new = calloc(1, sizeof(*new));
	int result;

	if (!new) {
		return -ENOMEM;
	}
	new->store = store;
	new->async.data = new;
	result = uv_async_init(loop, &new->async, client_woken);
	if (result < 0) {
		free(new);
		return result;
	}
	pthread_mutex_lock(&store->mutex);
	new->next = store->clients;
	store->clients = new;
	pthread_mutex_unlock(&store->mutex);
	*client = new;
	return 0;
}

/* Whom jobs are told to: all of a client, or those with one context. Mutex held. */
static void forget(struct job_list *list, const struct store_client *client, const void *context)
{
	for (struct job *job = list->first; job; job = job->next) {
		if (job->client == client && (!context || job->context == context)) {
			job->done = NULL;
			job->restored = NULL;
		}
	}
}

void store_client_forget(struct store_client *client, void *context)
{
	struct store *store = client->store;

	pthread_mutex_lock(&store->mutex);
	forget(&store->queue, client, context);
	forget(&store->running, client, context);
	forget(&client->done, client, context);
	pthread_mutex_unlock(&store->mutex);
}

static void client_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void store_client_close(struct store_client *client)
{
	struct store *store = client->store;

	pthread_mutex_lock(&store->mutex);
	for (struct store_client **at = &store->clients; *at; at = &(*at)->next) {
		if (*at == client) {
			*at = client->next;
			break;
		}
	}
	/* With `done` gone nothing looks at a job's client any more. */
	forget(&store->queue, client, NULL);
	forget(&store->running, client, NULL);
	list_free(&client->done);
	pthread_mutex_unlock(&store->mutex);
	uv_close((uv_handle_t *)&client->async, client_closed);
}

/* --- Events. --- */

void store_news(struct store *store)
{
	for (struct store_client *client = store->clients; client; client = client->next) {
		if (client->news && !client->has_news) {
			client->has_news = true;
			uv_async_send(&client->async);
		}
	}
}

void store_event(struct store *store, const struct effect_report *report, uint64_t utc_ms)
{
	store_events_add(&store->events, report, utc_ms);
	pthread_mutex_lock(&store->mutex);
	if (store->events_posted_ms == 0) {
		store->events_posted_ms = store_clock_ms(CLOCK_MONOTONIC);
		pthread_cond_signal(&store->wake);
	}
	store_news(store);
	pthread_mutex_unlock(&store->mutex);
}

uint64_t store_events_after(struct store *store, uint64_t after, const struct mac *mac,
			    size_t count_max, store_event_seen_fn *each, void *context)
{
	struct event *copies[events_slice];
	size_t left = count_max;
	size_t wanted;
	size_t count;

	do {
		wanted = left < events_slice ? left : events_slice;
		count = store_events_copy(&store->events, &after, mac, copies, wanted);
		for (size_t i = 0; i < count; i++) {
			each(context, copies[i]);
			free(copies[i]);
		}
		left -= count;
	} while (count == wanted && left > 0);
	return after;
}

uint64_t store_events_newest(struct store *store, const struct mac *mac, size_t count)
{
	struct store_events *events = &store->events;
	uint64_t id;

	pthread_mutex_lock(&events->mutex);
	id = events->held_id > 0 ? events->held_id : events->next_id;
	for (; id > events->first_id && count > 0; id--) {
		count -= store_event_is_of(events->ring[(id - 1) % events->count_max], mac);
	}
	pthread_mutex_unlock(&events->mutex);
	return id - 1;
}

void store_client_watch(struct store_client *client, void (*news)(void *context), void *context)
{
	pthread_mutex_lock(&client->store->mutex);
	client->news = news;
	client->news_context = context;
	pthread_mutex_unlock(&client->store->mutex);
}

void store_client_wake(struct store_client *client)
{
	pthread_mutex_lock(&client->store->mutex);
	client->has_news = true;
	pthread_mutex_unlock(&client->store->mutex);
	uv_async_send(&client->async);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the store share: store.c takes changes in and tells what became of them,
 * store_writer.c is the thread between, store_restore.c replaces the whole.
 */
#ifndef BELLHOP_IO_STORE_INTERNAL_H
#define BELLHOP_IO_STORE_INTERNAL_H

#include "io/store.h"
#include "io/store_events.h"

#include <time.h>

enum {
	batch_changes_max = 1000,
	batch_events_max = 500,
	job_who_size = 64,
	store_problem_size = 512,
	problem_interval_ms = 60000, /* until the same sentence is told again */
};

/* A change on its way through the store, or a whole database. */
struct job {
	struct job *next;
	struct arena arena; /* of the change */
	struct change *change;
	struct store_restoration *restoration; /* owned; then there is no change */
	char who[job_who_size];
	uint64_t posted_ms;	     /* monotonic */
	struct store_client *client; /* with `done` */
	bool is_awaited;
	store_done_fn *done;	     /* NULL: nobody waits any more */
	store_restored_fn *restored; /* the same, of a restoration */
	void *context;
	struct prepared prepared;
	bool is_prepared;
	bool is_urgent; /* must not wait for others: counted in store.edits */
	int result;
	char *problem; /* with a negative result, and of a group; NULL: no memory for it */
};

struct job_list {
	struct job *first;
	struct job *last;
	size_t count;
};

struct store_client {
	struct store *store;
	struct store_client *next;
	uv_async_t async;
	struct job_list done; /* to be told */
	void (*news)(void *context);
	void *news_context;
	bool has_news;
};

/* Events that changes of a batch make, to be written with them (core/fleet/road.h). */
struct road_events {
	struct event **items; /* owned, with all that is in them */
	size_t count;
	size_t size;
};

struct store {
	struct store_options options;
	struct store_database *database;
	struct store_events events;
	pthread_t thread;
	pthread_mutex_t mutex; /* of everything below */
	pthread_cond_t wake;
	struct job_list queue;
	struct job_list running; /* taken by the thread */
	size_t edits;		 /* changes in the queue that must not wait */
	bool has_rules;		 /* a phone that nobody claimed may be claimed: it must not wait */
	struct table last;	 /* the last change in the queue of each device */
	struct store_client *clients;
	struct store_counters counters;
	uint64_t events_posted_ms; /* the oldest event that is not written; 0: none */
	bool is_stopping;
	struct job *jobs[batch_changes_max]; /* the batch in hand; the thread's own */
	struct event **batch_events;	     /* those that are being written; owned */
	size_t batch_event_count;
	struct road_events road;       /* of the batch in hand; the thread's own */
	char told[store_problem_size]; /* the last problem, and when; the thread's own */
	uint64_t told_ms;
};

struct job *job_list_take(struct job_list *list);
void job_list_append(struct job_list *list, struct job *job);
void job_free(struct job *job);
void job_fail(struct job *job, int result, const char *problem);

/* Comes from a phone, and may wait a little to be written together with others. */
bool job_is_report(const struct job *job);

/* The entry of store.last: of changes of devices only. */
bool job_is_of_device(const struct job *job);
struct span job_key(const void *entry);

/* --- store_road.c: the thread's own. --- */

/* Copies of up to `count_max` events that are not written into batch_events; and frees them. */
void store_take_events(struct store *store, size_t count_max);
void store_drop_events(struct store *store);

/* Adds what is to be told of a job that is prepared. Without memory events are lost and counted. */
void store_road_add(struct store *store, const struct job *job);
void store_road_clear(struct store *store);
void store_road_free(struct store *store);

/* Tells all clients that watch that there are new events. Mutex held. */
void store_news(struct store *store);

/* Looks anew whether there are rules. */
void store_look_for_rules(struct store *store);

/* The thread; `store` is its argument. Ends when is_stopping is set and nothing is left to write.
 */
void *store_writer_run(void *store);

/* Tells options.problem of what nobody waits for. The thread's own. */
void store_tell_problem(struct store *store, const char *sentence);

/* Makes the job's database that of the store; the outcome is in the job. The thread's own. */
void store_restore_run(struct store *store, struct job *job);

/* What became of it, for who waited. */
void store_restore_tell(const struct job *job);

uint64_t store_clock_ms(clockid_t clock);

#endif

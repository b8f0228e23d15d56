/* SPDX-License-Identifier: MIT */
/*
 * The events that the store keeps in memory: the newest `count_max`, numbered, and which of them
 * are not written yet. All functions may be called from any thread.
 */
#ifndef BELLHOP_IO_STORE_EVENTS_H
#define BELLHOP_IO_STORE_EVENTS_H

#include "core/admin/event.h"

#include <pthread.h>

struct store_events {
	pthread_mutex_t mutex;
	struct event **ring; /* event with id i stands at i % count_max; owned */
	size_t count_max;
	uint64_t first_id;   /* of the oldest in memory; first_id == next_id: none */
	uint64_t next_id;    /* of the event to come */
	uint64_t written_id; /* the last one that is in the database, or was given up */
	uint64_t lost;	     /* given up: overwritten or not written */
	uint64_t held_id;    /* the first that nobody sees yet; 0: none */
	size_t held;	     /* so many, from there on, are those of a change */
};

int store_events_init(struct store_events *events, size_t count_max);
void store_events_free(struct store_events *events);

/* Puts back an event read from the database. 0 or -ENOMEM. */
int store_events_load(struct store_events *events, const struct event *event);

/* Adds one. Without memory it is lost and counted. */
void store_events_add(struct store_events *events, const struct effect_report *report,
		      uint64_t utc_ms);

/* Copies of up to `count_max` events that are not written yet: how many. Free each with free(). */
size_t store_events_unwritten(struct store_events *events, struct event **copies, size_t count_max);

/* Of that device, or any when `mac` is NULL. */
bool store_event_is_of(const struct event *event, const struct mac *mac);

/*
 * Copies of up to `count_max` such events with an id above `*after`, oldest first: how many; fewer
 * when there are no more, or no memory. `*after` becomes the last one looked at. Free each with
 * free().
 */
size_t store_events_copy(struct store_events *events, uint64_t *after, const struct mac *mac,
			 struct event **copies, size_t count_max);

/* Those up to `id` are written, or given up (`is_lost`). */
void store_events_written(struct store_events *events, uint64_t id, bool is_lost);

/* All that are in memory are to be written once more: the database is another one. */
void store_events_rewrite(struct store_events *events);

/*
 * Events that are written together with a change. store_events_hold gives them their numbers and
 * adds copies of them, which nobody sees (nor what is added after them) until store_events_release;
 * store_events_withdraw takes them out again, and what came after them moves up. How many were
 * held; fewer than `count` when there is no memory: those are lost and counted.
 */
size_t store_events_hold(struct store_events *events, struct event *const *items, size_t count);
void store_events_release(struct store_events *events);
void store_events_withdraw(struct store_events *events);

/* A copy that is one block, for free(); NULL without memory. */
struct event *store_event_copy(const struct event *event);

size_t store_events_waiting(struct store_events *events); /* how many are not written yet */
uint64_t store_events_newest_id(struct store_events *events);

#endif

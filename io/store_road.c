/* SPDX-License-Identifier: MIT */
/* Events that are written together with the changes that they tell of. */
#include "core/fleet/road.h"
#include "io/store_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* What a report of a change becomes one of. */
struct telling {
	struct store *store;
	uint64_t utc_ms;
};

static bool make_room(struct road_events *road)
{
	size_t size = road->size > 0 ? 2 * road->size : 64;
	struct event **items;

	if (road->count < road->size) {
		return true;
	}
	items = reallocarray(road->items, size, sizeof(struct event *));
	if (!items) {
		return false;
	}
	road->items = items;
	road->size = size;
	return true;
}

static void keep(void *context, const struct effect_report *report)
{
	const struct telling *telling = context;
	struct road_events *road = &telling->store->road;
	struct event event = {
		.utc_ms = telling->utc_ms,
		.level = report->level,
		.has_mac = report->has_mac,
		.mac = report->mac,
		.source = report->source,
		.text = report->text,
		.detail = report->detail,
	};
	struct event *copy = NULL;

	snprintf(event.reason, sizeof(event.reason), "%s", report->reason);
	if (make_room(road)) {
		copy = store_event_copy(&event);
	}
	if (copy) {
		road->items[road->count++] = copy;
		return;
	}
	pthread_mutex_lock(&telling->store->events.mutex);
	telling->store->events.lost++;
	pthread_mutex_unlock(&telling->store->events.mutex);
}

void store_road_add(struct store *store, const struct job *job)
{
	struct telling telling = {.store = store, .utc_ms = job->change->utc_ms};

	road_tell(&job->prepared, job->change, span_text(job->who), keep, &telling);
}

void store_road_clear(struct store *store)
{
	struct road_events *road = &store->road;

	while (road->count > 0) {
		free(road->items[--road->count]);
	}
}

void store_road_free(struct store *store)
{
	store_road_clear(store);
	free(store->road.items);
	store_drop_events(store);
}

void store_take_events(struct store *store, size_t count_max)
{
	size_t waiting = store_events_waiting(&store->events);
	size_t count = waiting < count_max ? waiting : count_max;

	store_drop_events(store);
	store->batch_events = count > 0 ? calloc(count, sizeof(struct event *)) : NULL;
	if (store->batch_events) {
		store->batch_event_count =
			store_events_unwritten(&store->events, store->batch_events, count);
	}
}

void store_drop_events(struct store *store)
{
	for (size_t i = 0; i < store->batch_event_count; i++) {
		free(store->batch_events[i]);
	}
	free(store->batch_events);
	store->batch_events = NULL;
	store->batch_event_count = 0;
}

/* This thread alone changes the rules: it may count them without the lock. */
void store_look_for_rules(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	store->has_rules = store->options.inventory->rules.count > 0;
	pthread_mutex_unlock(&store->mutex);
}

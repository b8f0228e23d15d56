/* SPDX-License-Identifier: MIT */
#include "io/store_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int store_events_init(struct store_events *events, size_t count_max)
{
	*events = (struct store_events){
		.count_max = count_max > 0 ? count_max : 1,
		.first_id = 1,
		.next_id = 1,
	};
	events->ring = calloc(events->count_max, sizeof(struct event *));
	if (!events->ring) {
		return -ENOMEM;
	}
	pthread_mutex_init(&events->mutex, NULL);
	return 0;
}

void store_events_free(struct store_events *events)
{
	if (!events->ring) {
		return;
	}
	for (size_t i = 0; i < events->count_max; i++) {
		free(events->ring[i]);
	}
	free(events->ring);
	pthread_mutex_destroy(&events->mutex);
	events->ring = NULL;
}

/* One block: the event, and behind it its text and its detail. */
struct event *store_event_copy(const struct event *event)
{
	size_t length = event->text.length < event_text_max ? event->text.length : event_text_max;
	/* Half an object is none. */
	size_t detail_length = event->detail.length <= event_detail_max ? event->detail.length : 0;
	struct event *copy = malloc(sizeof(*copy) + length + 1 + detail_length);
	char *text;

	if (!copy) {
		return NULL;
	}
	/* Not in the middle of a character of UTF-8. */
	while (length < event->text.length && length > 0 &&
	       ((unsigned char)event->text.data[length] & 0xc0) == 0x80) {
		length--;
	}
	text = (char *)(copy + 1);
	*copy = *event;
	if (length > 0) {
		memcpy(text, event->text.data, length);
	}
	text[length] = '\0';
	copy->text = span_make(text, length);
	copy->detail = span_make(text + length + 1, detail_length);
	if (detail_length > 0) {
		memcpy(text + length + 1, event->detail.data, detail_length);
	}
	return copy;
}

/* Takes `event` over and gives it the next number. */
static void append(struct store_events *events, struct event *event)
{
	size_t place = events->next_id % events->count_max;

	if (events->next_id - events->first_id == events->count_max) {
		if (events->first_id > events->written_id) {
			events->written_id = events->first_id;
			events->lost++;
		}
		events->first_id++;
	}
	free(events->ring[place]);
	event->id = events->next_id++;
	events->ring[place] = event;
}

int store_events_load(struct store_events *events, const struct event *event)
{
	struct event *copy = store_event_copy(event);

	if (!copy) {
		return -ENOMEM;
	}
	pthread_mutex_lock(&events->mutex);
	/* There may be a gap where an event was lost: what stands before it is let go. */
	if (event->id != events->next_id) {
		for (size_t i = 0; i < events->count_max; i++) {
			free(events->ring[i]);
			events->ring[i] = NULL;
		}
		events->first_id = event->id;
		events->next_id = event->id;
	}
	append(events, copy);
	events->written_id = event->id;
	pthread_mutex_unlock(&events->mutex);
	return 0;
}

void store_events_add(struct store_events *events, const struct effect_report *report,
		      uint64_t utc_ms)
{
	struct event event = {
		.utc_ms = utc_ms,
		.level = report->level,
		.has_mac = report->has_mac,
		.mac = report->mac,
		.source = report->source,
		.text = report->text,
		.detail = report->detail,
	};
	struct event *copy;

	snprintf(event.reason, sizeof(event.reason), "%s", report->reason ? report->reason : "");
	copy = store_event_copy(&event);
	pthread_mutex_lock(&events->mutex);
	if (copy) {
		append(events, copy);
	} else {
		events->lost++;
	}
	pthread_mutex_unlock(&events->mutex);
}

size_t store_events_unwritten(struct store_events *events, struct event **copies, size_t count_max)
{
	size_t count = 0;

	pthread_mutex_lock(&events->mutex);
	for (uint64_t id = events->written_id + 1; id < events->next_id && count < count_max;
	     id++) {
		copies[count] = store_event_copy(events->ring[id % events->count_max]);
		if (!copies[count]) {
			break;
		}
		count++;
	}
	pthread_mutex_unlock(&events->mutex);
	return count;
}

bool store_event_is_of(const struct event *event, const struct mac *mac)
{
	return !mac || (event->has_mac && mac_equal(event->mac, *mac));
}

/* Mutex held. */
static uint64_t end_of_seen(const struct store_events *events)
{
	return events->held_id > 0 ? events->held_id : events->next_id;
}

size_t store_events_copy(struct store_events *events, uint64_t *after, const struct mac *mac,
			 struct event **copies, size_t count_max)
{
	size_t count = 0;

	pthread_mutex_lock(&events->mutex);
	if (*after + 1 < events->first_id) {
		*after = events->first_id - 1;
	}
	while (*after + 1 < end_of_seen(events) && count < count_max) {
		const struct event *event = events->ring[(*after + 1) % events->count_max];

		if (store_event_is_of(event, mac)) {
			copies[count] = store_event_copy(event);
			if (!copies[count]) {
				break;
			}
			count++;
		}
		++*after;
	}
	pthread_mutex_unlock(&events->mutex);
	return count;
}

void store_events_written(struct store_events *events, uint64_t id, bool is_lost)
{
	pthread_mutex_lock(&events->mutex);
	if (id > events->written_id) {
		events->lost += is_lost ? id - events->written_id : 0;
		events->written_id = id;
	}
	pthread_mutex_unlock(&events->mutex);
}

void store_events_rewrite(struct store_events *events)
{
	pthread_mutex_lock(&events->mutex);
	events->written_id = events->first_id - 1;
	pthread_mutex_unlock(&events->mutex);
}

size_t store_events_waiting(struct store_events *events)
{
	size_t count;

	pthread_mutex_lock(&events->mutex);
	count = (size_t)(events->next_id - 1 - events->written_id);
	pthread_mutex_unlock(&events->mutex);
	return count;
}

uint64_t store_events_newest_id(struct store_events *events)
{
	uint64_t id;

	pthread_mutex_lock(&events->mutex);
	id = events->next_id - 1;
	pthread_mutex_unlock(&events->mutex);
	return id;
}

/* --- Events of changes that are not durable yet. --- */

size_t store_events_hold(struct store_events *events, struct event *const *items, size_t count)
{
	pthread_mutex_lock(&events->mutex);
	events->held_id = count > 0 ? events->next_id : 0;
	events->held = 0;
	for (size_t i = 0; i < count; i++) {
		struct event *copy = store_event_copy(items[i]);

		if (copy) {
			append(events, copy);
			events->held++;
		} else {
			events->lost++;
		}
	}
	count = events->held;
	pthread_mutex_unlock(&events->mutex);
	return count;
}

void store_events_release(struct store_events *events)
{
	pthread_mutex_lock(&events->mutex);
	events->held_id = 0;
	events->held = 0;
	pthread_mutex_unlock(&events->mutex);
}

/* The numbers of those that came after them have been seen by nobody, and are given out again. */
void store_events_withdraw(struct store_events *events)
{
	uint64_t to;

	pthread_mutex_lock(&events->mutex);
	/* Where there was no room for all of them, the numbers of those that gave way stay unused.
	 */
	to = events->held_id > events->first_id ? events->held_id : events->first_id;
	for (uint64_t id = events->held_id; events->held_id > 0 && id < events->next_id; id++) {
		struct event **place = &events->ring[id % events->count_max];
		struct event *event = id >= events->first_id ? *place : NULL;

		if (!event) {
			continue;
		}
		*place = NULL;
		if (id < events->held_id + events->held) {
			free(event);
			continue;
		}
		event->id = to;
		events->ring[to++ % events->count_max] = event;
	}
	if (events->held_id > 0) {
		events->next_id = to;
		if (events->written_id >= to) {
			events->written_id = to - 1;
		}
	}
	events->held_id = 0;
	events->held = 0;
	pthread_mutex_unlock(&events->mutex);
}

/* SPDX-License-Identifier: MIT */
/*
 * Timers of one length. All Timers J last 32 s, all Timers K 5 s, and so on: in a list of timers of
 * equal length the one that was started first ends first, so starting, stopping and finding the
 * next one cost the same however many there are (RFC 3261 17.1.2.2, 17.2.2).
 */
#ifndef BELLHOP_CORE_SIP_TIMER_LIST_H
#define BELLHOP_CORE_SIP_TIMER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer_list;

/* Lies inside what it times; all zero when it does not run. */
struct timer {
	struct timer_list *list; /* the list it runs in, or NULL */
	struct timer *next;
	struct timer *previous;
	uint64_t deadline_ms;
};

struct timer_list {
	struct timer *first;
	struct timer *last;
	uint64_t duration_ms;
};

static inline struct timer_list timer_list_of(uint64_t duration_ms)
{
	return (struct timer_list){.duration_ms = duration_ms};
}

/* The structure that a timer lies in. */
#define TIMER_OWNER(timer, type, member) ((type *)(void *)((char *)(timer)-offsetof(type, member)))

/*
 * Starts (or starts again) a timer that ends at `now_ms` + the list's length. A clock that went
 * back does not break the order: the timer then ends with the one before it.
 */
void timer_start(struct timer_list *list, struct timer *timer, uint64_t now_ms);

/* Stops a timer; one that does not run stays stopped. */
void timer_stop(struct timer *timer);

static inline bool timer_is_running(const struct timer *timer)
{
	return timer->list != NULL;
}

/* Takes the first timer out whose time has come, or NULL. */
struct timer *timer_list_take_due(struct timer_list *list, uint64_t now_ms);

/* When the first one ends: UINT64_MAX for never. */
uint64_t timer_list_next_wake(const struct timer_list *list);

#endif

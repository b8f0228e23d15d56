/* SPDX-License-Identifier: MIT */
#include "core/sip/timer_list.h"

void timer_start(struct timer_list *list, struct timer *timer, uint64_t now_ms)
{
	uint64_t deadline_ms = now_ms + list->duration_ms;

	timer_stop(timer);
	if (list->last && list->last->deadline_ms > deadline_ms) {
		deadline_ms = list->last->deadline_ms;
	}
	*timer = (struct timer){.list = list, .previous = list->last, .deadline_ms = deadline_ms};
	if (list->last) {
		list->last->next = timer;
	} else {
		list->first = timer;
	}
	list->last = timer;
}

void timer_stop(struct timer *timer)
{
	struct timer_list *list = timer->list;

	if (!list) {
		return;
	}
	if (timer->previous) {
		timer->previous->next = timer->next;
	} else {
		list->first = timer->next;
	}
	if (timer->next) {
		timer->next->previous = timer->previous;
	} else {
		list->last = timer->previous;
	}
	*timer = (struct timer){0};
}

struct timer *timer_list_take_due(struct timer_list *list, uint64_t now_ms)
{
	struct timer *timer = list->first;

	if (!timer || timer->deadline_ms > now_ms) {
		return NULL;
	}
	timer_stop(timer);
	return timer;
}

uint64_t timer_list_next_wake(const struct timer_list *list)
{
	return list->first ? list->first->deadline_ms : UINT64_MAX;
}

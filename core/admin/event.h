/* SPDX-License-Identifier: MIT */
/*
 * An event: something that happened and that an operator may want to know of, made from a report
 * of a decider (core/base/effects.h). Events are numbered in the order in which they were told.
 */
#ifndef BELLHOP_CORE_ADMIN_EVENT_H
#define BELLHOP_CORE_ADMIN_EVENT_H

#include "core/base/effects.h"

/* Reason with NUL. Longer texts are cut; a longer detail is left out. */
enum { event_reason_size = 48, event_text_max = 512, event_detail_max = 2048 };

struct event {
	uint64_t id; /* from 1, rising by one */
	uint64_t utc_ms;
	enum report_level level;
	char reason[event_reason_size];
	bool has_mac;
	struct mac mac;
	struct endpoint source; /* family ADDRESS_NONE when there is none */
	/* Owned by whoever keeps the event. */
	struct span text;   /* a sentence */
	struct span detail; /* a JSON object, or empty: its members stand beside those above */
};

const char *report_level_name(enum report_level level);		    /* "debug" … "error" */
int report_level_parse(struct span name, enum report_level *level); /* 0 or -EINVAL */

#endif

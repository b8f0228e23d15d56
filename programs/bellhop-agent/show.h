/* SPDX-License-Identifier: MIT */
/*
 * What the agent shows: a line for each thing that happens (for people, or as JSON), and the SIP
 * messages themselves.
 */
#ifndef BELLHOP_PROGRAMS_AGENT_SHOW_H
#define BELLHOP_PROGRAMS_AGENT_SHOW_H

#include "core/phone/event.h"

struct show {
	bool is_json;
	bool has_messages;
};

/* One line on stdout, written out at once. */
void show_event(const struct show *show, const struct phone_event *event, uint64_t utc_ms);

/*
 * A heading and the datagram, octet for octet but for controls, when messages are wanted: on
 * stdout, or on stderr beside JSON.
 */
void show_message(const struct show *show, struct endpoint from, struct endpoint to,
		  struct span bytes);

/* One sentence on stderr: why the agent leaves. */
void show_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

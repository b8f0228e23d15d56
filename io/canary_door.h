/* SPDX-License-Identifier: MIT */
/*
 * The shell around core/provision/canary: a socket on a port of its own, TTL 1, on the SIP door's
 * loop; the roads are the interfaces where the group is joined.
 */
#ifndef BELLHOP_IO_CANARY_DOOR_H
#define BELLHOP_IO_CANARY_DOOR_H

#include "core/provision/canary.h"
#include "io/group_socket.h"

#include <pthread.h>

struct canary_door_options {
	struct loop *loop;
	const struct interfaces *interfaces;
	const struct group_socket *group; /* outlives it, as interfaces do */
	struct endpoint group_endpoint;
	uint64_t interval_ms;
	const struct inventory *inventory;
	pthread_rwlock_t *inventory_lock;
	struct log *log;
	/* For each REPORT from REPORT_INFO up, after the log; copies what it keeps. May be NULL. */
	void (*report)(void *context, const struct effect_report *report);
	void *report_context;
	/* After every event: its state may be another one. */
	void (*changed)(void *context);
	void *changed_context;
	uint8_t seed[random_seed_size];
};

struct canary_door;

/* 0 and `*door`, or a negative errno with one sentence in `problem`. */
int canary_door_open(struct canary_door **door, const struct canary_door_options *options,
		     char problem[static udp_problem_size]);

/* The memory is freed by the loop, a turn later. NULL is nothing. */
void canary_door_close(struct canary_door *door);

enum { canary_state_rogues_max = 8 };

/* What `bellhop status` shows. */
struct canary_state {
	struct canary_counters counters;
	struct canary_rogue rogues[canary_state_rogues_max]; /* that answered lately */
	size_t rogue_count;
};

void canary_door_state(const struct canary_door *door, struct canary_state *state);

#endif

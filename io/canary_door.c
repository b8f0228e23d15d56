/* SPDX-License-Identifier: MIT */
#include "io/canary_door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* A round on every interface, and a batch of answers, find room. */
	effects_max = 1024,
	effects_bytes_max = 4 << 20,
	datagram_octets_max = 16384,
	batch_datagrams_max = 16,
};

struct canary_door {
	struct canary_door_options options;
	struct udp *udp;
	struct loop_timer timer;
	struct canary *canary;
	struct effects effects;
	uint64_t own_source; /* dropped: from an address of this machine */
};

static bool first_ipv4(const struct interfaces *interfaces, uint32_t index, struct address *address)
{
	const struct interface_address *at;

	for (size_t i = 0; (at = interfaces_address_at(interfaces, i)); i++) {
		if (at->interface == index && at->address.family == ADDRESS_IPV4) {
			*address = at->address;
			return true;
		}
	}
	return false;
}

/* The i-th interface where the group is joined, that is up and has an IPv4 address. */
static bool road_at(void *context, size_t i, struct canary_road *road)
{
	const struct canary_door *door = context;
	const struct interface *interface;
	size_t found = 0;

	for (size_t at = 0; (interface = interfaces_at(door->options.interfaces, at)); at++) {
		struct address local;

		if (interface->is_up && !interface->is_loopback &&
		    group_socket_has(door->options.group, interface->index) &&
		    first_ipv4(door->options.interfaces, interface->index, &local) &&
		    found++ == i) {
			*road = (struct canary_road){
				.interface = interface->index,
				.local = {local, udp_endpoint(door->udp).port},
			};
			return true;
		}
	}
	return false;
}

static struct span interface_name(void *context, uint32_t index)
{
	const struct canary_door *door = context;
	const struct interface *interface = interfaces_by_index(door->options.interfaces, index);

	return interface ? span_text(interface->name) : SPAN("");
}

static void carry_out(struct canary_door *door, const struct effect *effect)
{
	if (effect->kind == EFFECT_SEND) {
		struct udp_datagram out = {.to = effect->send.to,
					   .from = effect->send.from.address,
					   .interface = effect->send.interface,
					   .bytes = effect->send.bytes};

		udp_send(door->udp, &out, 1);
	} else if (effect->kind == EFFECT_REPORT) {
		log_report(door->options.log, &effect->report);
		if (door->options.report && effect->report.level >= REPORT_INFO) {
			door->options.report(door->options.report_context, &effect->report);
		}
	}
}

static void settle(struct canary_door *door)
{
	for (size_t i = 0; i < door->effects.count; i++) {
		carry_out(door, &door->effects.items[i]);
	}
	effects_reset(&door->effects);
	loop_timer_set(&door->timer, canary_next_wake(door->canary));
	door->options.changed(door->options.changed_context);
}

static void rang(void *context)
{
	struct canary_door *door = context;

	pthread_rwlock_rdlock(door->options.inventory_lock);
	canary_expire(door->canary, loop_now_ms(door->options.loop), &door->effects);
	pthread_rwlock_unlock(door->options.inventory_lock);
	settle(door);
}

static void received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct canary_door *door = context;
	uint64_t now_ms = loop_now_ms(door->options.loop);

	pthread_rwlock_rdlock(door->options.inventory_lock);
	for (size_t i = 0; i < count; i++) {
		const struct udp_received *in = &datagrams[i];
		struct packet packet = {.bytes = in->bytes,
					.source = in->source,
					.target = in->target,
					.local = in->local,
					.interface = in->interface};

		if (interfaces_is_own(door->options.interfaces, in->source.address)) {
			door->own_source++;
		} else {
			canary_receive(door->canary, &packet, now_ms, &door->effects);
		}
	}
	pthread_rwlock_unlock(door->options.inventory_lock);
	settle(door);
}

/* An interface without a network, or a rogue that is gone: the next round tells. */
static void unreachable(void *context, struct endpoint to, int error)
{
	(void)context;
	(void)to;
	(void)error;
}

static void canary_door_free(void *context)
{
	struct canary_door *door = context;

	canary_free(door->canary);
	effects_free(&door->effects);
	free(door);
}

static int open_all(struct canary_door *door, char problem[static udp_problem_size])
{
	struct canary_options options = {
		.inventory = door->options.inventory,
		.group = door->options.group_endpoint,
		.interval_ms = door->options.interval_ms,
		.road_at = road_at,
		.interface_name = interface_name,
		.context = door,
	};
	struct udp_options socket = {
		.bind = {{.family = ADDRESS_IPV4}, 0},
		.batch_max = batch_datagrams_max,
		.datagram_max = datagram_octets_max,
		.received = received,
		.unreachable = unreachable,
		.context = door,
	};
	int error = effects_init(&door->effects, effects_max, effects_bytes_max);

	memcpy(options.seed, door->options.seed, sizeof(options.seed));
	error = error ? error
		      : canary_new(&door->canary, &options, loop_now_ms(door->options.loop));
	return error ? error : udp_open(&door->udp, door->options.loop, &socket, problem);
}

int canary_door_open(struct canary_door **door, const struct canary_door_options *options,
		     char problem[static udp_problem_size])
{
	struct canary_door *made = calloc(1, sizeof(*made));
	int error;

	snprintf(problem, udp_problem_size, "no memory for the canary");
	if (!made) {
		return -ENOMEM;
	}
	made->options = *options;
	error = open_all(made, problem);
	if (error) {
		canary_door_free(made);
		return error;
	}
	error = loop_timer_open(&made->timer, options->loop, rang, made);
	if (error) {
		udp_close(made->udp);
		canary_door_free(made);
		return error;
	}
	loop_timer_set(&made->timer, canary_next_wake(made->canary));
	*door = made;
	return 0;
}

void canary_door_close(struct canary_door *door)
{
	if (door) {
		udp_close(door->udp);
		loop_timer_close(&door->timer, canary_door_free);
	}
}

void canary_door_state(const struct canary_door *door, struct canary_state *state)
{
	state->counters = canary_counters(door->canary);
	state->rogue_count = canary_standing(door->canary, loop_now_ms(door->options.loop),
					     state->rogues, canary_state_rogues_max);
}

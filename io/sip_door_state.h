/* SPDX-License-Identifier: MIT */
/*
 * What the parts of sip_door share; nobody else includes this. sip_door.c opens the sockets and
 * takes in what comes, sip_door_effects.c carries out what signalling makes of it.
 */
#ifndef BELLHOP_IO_SIP_DOOR_STATE_H
#define BELLHOP_IO_SIP_DOOR_STATE_H

#include "core/provision/suspicion.h"
#include "io/frame.h"
#include "io/sip_door.h"

enum { sip_door_learned_max = 1024 };

/* What a UDP socket's callbacks are told. */
struct door_socket {
	struct sip_door *door;
	struct udp *udp;
};

struct sip_door {
	struct sip_door_options options;
	struct loop loop;
	pthread_t thread;
	struct interfaces *interfaces;
	struct neighbours *neighbours;
	struct neighbour_listener neighbour_listener;
	struct frames *frames; /* NULL without CAP_NET_RAW */
	struct door_socket unicast[sip_door_listen_max];
	size_t unicast_count;
	struct door_socket group_socket; /* no udp of its own: says whose callback it is */
	struct group_socket *group;	 /* NULL: no multicast */
	struct canary_door *canary;	 /* NULL: none */
	struct suspicion suspicion;
	struct signalling *signalling;
	struct loop_timer timer;
	uv_async_t posted_wake;
	struct effects effects;
	struct udp_datagram out[udp_batch_max];
	/* What carrying effects out taught us, for signalling. */
	struct notice learned[sip_door_learned_max];
	size_t learned_count;
	struct sip_door_counters counters;

	pthread_mutex_t mutex; /* of what follows */
	struct notice posted[sip_door_notices_max];
	size_t posted_count;
	uint64_t posted_lost;
	struct resync_list *orders; /* posted, the first one first */
	size_t orders_count;	    /* devices in them, and those that signalling has */
	struct sip_door_counters published;
};

/* Keeps a notice until signalling is told; counted when there is no room. */
void sip_door_learn(struct sip_door *door, struct notice notice);

/* The same for an answer of the neighbour table, unless it is still to come. */
void sip_door_learn_neighbour(struct sip_door *door, struct address address, uint32_t interface,
			      enum neighbour_answer answer, struct mac mac);

/* The unicast socket that serves this address of ours, or NULL. */
struct udp *sip_door_socket_for(const struct sip_door *door, struct address from);

/* What the log writes and, from REPORT_INFO up, what is told to options.report. */
enum report_level sip_door_report_level(const struct sip_door *door);

/* Carries door->effects out, in order, and empties them. */
void sip_door_carry_out(struct sip_door *door);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What hears the multicast group: a UDP socket that shares the group's port, or a packet socket
 * where that port is another program's (doc/pbx-beside.md); and the joins that go with it, which
 * follow the interfaces (io/membership.h).
 */
#ifndef BELLHOP_IO_GROUP_SOCKET_H
#define BELLHOP_IO_GROUP_SOCKET_H

#include "io/group_frames.h"
#include "io/interfaces.h"
#include "io/log.h"
#include "io/udp.h"

enum group_socket_kind {
	GROUP_SOCKET_UDP,
	GROUP_SOCKET_PACKET, /* needs CAP_NET_RAW */
	/*
	 * The packet socket where the group's port is another program's: `listen` is on another
	 * one (without the capability: UDP all the same), or the port cannot be bound.
	 */
	GROUP_SOCKET_AUTO,
};

struct group_socket_options {
	struct loop *loop;
	struct interfaces *interfaces; /* must outlive it */
	struct log *log;
	struct endpoint group; /* IPv4 */
	enum group_socket_kind kind;
	/* A unicast socket of the same loop that lives longer: its port tells GROUP_SOCKET_AUTO
	 * whose the group's port is. */
	const struct udp *unicast;
	struct udp *beside;		  /* see struct udp_options */
	const char (*names)[IF_NAMESIZE]; /* see membership_open */
	size_t name_count;
	size_t receive_buffer;
	/* As udp.h has them; `local` may be unset. Among others of interfaces that are not joined.
	 */
	void (*received)(void *context, const struct udp_received *datagrams, size_t count);
	void (*unreachable)(void *context, struct endpoint to, int error);
	void *context;
};

struct group_socket_counters {
	struct udp_counters udp; /* of packets too, as far as they have the same */
	struct group_frames_counters frames;
	bool is_packet;
	size_t joined; /* interfaces on which the group is joined now */
};

struct group_socket;

/*
 * Opens, joins and watches; the log says which kind it became and why. 0 and `*group`, or a
 * negative errno with one sentence in `problem` that names the remedy.
 */
int group_socket_open(struct group_socket **group, const struct group_socket_options *options,
		      char problem[static udp_problem_size]);

/* Before the interfaces and the unicast socket are closed. NULL is nothing. */
void group_socket_close(struct group_socket *group);

/* Is the group joined there? */
bool group_socket_has(const struct group_socket *group, uint32_t interface);
bool group_socket_is_packet(const struct group_socket *group);
struct group_socket_counters group_socket_counters(const struct group_socket *group);

#endif

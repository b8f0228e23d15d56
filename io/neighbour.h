/* SPDX-License-Identifier: MIT */
/*
 * Hardware addresses behind source addresses: a mirror of the kernel's neighbour table (rtnetlink),
 * and questions to the network where the kernel does not know yet. A phone's entry usually does not
 * exist when its first multicast arrives.
 *
 * Only an address inside a prefix that is connected to the interface is ever asked for, and only so
 * many at a time, so that forged sources cannot fill the kernel's table. The kernel is made to ask
 * by NTF_USE where we have CAP_NET_ADMIN, else by an empty datagram to port 9 of that address.
 *
 * Not for several threads: each loop that needs evidence opens its own.
 */
#ifndef BELLHOP_IO_NEIGHBOUR_H
#define BELLHOP_IO_NEIGHBOUR_H

#include "io/interfaces.h"

enum neighbour_answer {
	NEIGHBOUR_FOUND,   /* the hardware address is known */
	NEIGHBOUR_UNKNOWN, /* lookup: not known (yet); resolve: asked, listeners are told */
	NEIGHBOUR_NONE,	   /* nobody answers there; or loopback or our own: it has none */
	NEIGHBOUR_ROUTED,  /* not on-link on that interface: cannot be seen */
};

struct neighbour_options {
	size_t entries_max;    /* of the mirror; 0: 65536 */
	size_t pending_max;    /* questions under way; 0: 128 */
	uint64_t timeout_ms;   /* 0: 900, below the second that a SUBSCRIBE may wait */
	bool is_datagram_only; /* never NTF_USE, as without the capability */
};

struct neighbour_counters {
	uint64_t entries;   /* in the mirror now */
	uint64_t pending;   /* questions under way now */
	uint64_t asked;	    /* questions that the mirror could not answer */
	uint64_t found;	    /* of them, answered */
	uint64_t failed;    /* of them, the kernel gave up or refused */
	uint64_t timed_out; /* of them, no answer in time */
	uint64_t coalesced; /* questions that were under way already */
	uint64_t refused;   /* pending_max was reached: answered NONE unasked */
	uint64_t full;	    /* entries that found no room in the mirror */
	uint64_t resyncs;   /* the table was read anew after the kernel lost messages */
};

struct neighbours;

/* Told how a question ended: answer FOUND (with `mac`) or NONE. Memory as in interfaces.h. */
struct neighbour_listener {
	void (*answered)(void *context, struct address address, uint32_t interface,
			 enum neighbour_answer answer, struct mac mac);
	void *context;
	struct neighbour_listener *next;
};

/*
 * Reads the table and keeps watching. `interfaces` belongs to the same loop and must outlive the
 * result; `options` may be NULL. 0 and `*neighbours`, or a negative errno.
 */
int neighbours_open(struct neighbours **neighbours, struct loop *loop,
		    const struct interfaces *interfaces, const struct neighbour_options *options,
		    struct log *log);

/* Questions under way are dropped unanswered. The memory is freed by the loop, a turn later. */
void neighbours_close(struct neighbours *neighbours);

void neighbours_listen(struct neighbours *neighbours, struct neighbour_listener *listener);

/*
 * What is known now; asks nobody. `interface` 0: the one that the address is on-link on. `*mac` is
 * set for FOUND only.
 */
enum neighbour_answer neighbours_lookup(const struct neighbours *neighbours, struct address address,
					uint32_t interface, struct mac *mac);

/*
 * As neighbours_lookup, but where that says UNKNOWN the network is asked, and the listeners are
 * told within `timeout_ms`. An answer known at once is returned and not told to the listeners.
 */
enum neighbour_answer neighbours_resolve(struct neighbours *neighbours, struct address address,
					 uint32_t interface, struct mac *mac);

struct neighbour_counters neighbours_counters(const struct neighbours *neighbours);

/* For the netlink reader and tests: what one RTM_NEWNEIGH or RTM_DELNEIGH says. */
struct neighbour_event {
	struct address address;
	uint32_t interface;
	bool is_known;	/* `mac` is good */
	bool is_failed; /* nobody answered */
	struct mac mac;
};

/* 0 and `*event`; -EINVAL for a malformed message, -ENOMSG for one that says nothing of use. */
int neighbour_event_parse(const struct nlmsghdr *message, struct neighbour_event *event);

#endif

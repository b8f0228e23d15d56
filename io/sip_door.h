/* SPDX-License-Identifier: MIT */
/*
 * The SIP door: the shell around core/provision/signalling. It owns the sockets and one thread with
 * its own loop, hands datagrams and timers to signalling under the inventory's read lock, and
 * carries the effects out: what is to be sent leaves first, in order; then reports, changes and
 * questions for hardware addresses, in order. What it learns goes back as notices.
 */
#ifndef BELLHOP_IO_SIP_DOOR_H
#define BELLHOP_IO_SIP_DOOR_H

#include "core/provision/signalling.h"
#include "io/canary_door.h"
#include "io/group_socket.h"
#include "io/log.h"
#include "io/neighbour.h"
#include "io/udp.h"

#include <pthread.h>

enum {
	sip_door_listen_max = 4,
	sip_door_interfaces_max = 64,
	sip_door_reasons_max = 128,
	sip_door_notices_max = 4096, /* waiting to be taken in */
	sip_door_problem_size = 256,
};

struct sip_door_options {
	/* Unicast sockets, at most one a family and address; all on one port. */
	struct endpoint listen[sip_door_listen_max];
	size_t listen_count;
	struct endpoint group; /* family ADDRESS_NONE: no multicast */
	enum group_socket_kind group_socket;
	uint64_t canary_interval_ms; /* 0: no canary */
	uint8_t canary_seed[random_seed_size];
	/* Names to join on; none: all that are up and do multicast. They need not be there yet. */
	char interfaces[sip_door_interfaces_max][IF_NAMESIZE];
	size_t interface_count;
	/*
	 * For signalling_new. The door fills `group`, `port`, `interface_name` and `local_for`
	 * itself; `server_for` is called with `context` on the door's thread, under the lock.
	 */
	struct signalling_options signalling;
	pthread_rwlock_t *inventory_lock;
	size_t neighbours_max; /* entries of the mirrored neighbour table; 0: its default */
	/* For each REPORT from REPORT_INFO up, after the log; copies what it keeps. May be NULL. */
	void (*report)(void *context, const struct effect_report *report);
	/* Posts a copy to the store: 0, or a negative errno when it could not (counted). */
	int (*change)(void *context, const struct change *change);
	void *context; /* of report and change */
	struct log *log;
};

struct sip_door_counters {
	struct signalling_counter reasons[sip_door_reasons_max];
	size_t reason_count;
	struct udp_counters unicast; /* all unicast sockets together */
	struct group_socket_counters group;
	struct canary_state canary;
	struct neighbour_counters neighbours;
	uint64_t foreign_interface; /* group datagrams dropped: interface not configured (R-MCAST-3)
				     */
	uint64_t own_source;	    /* dropped: from ourselves (R-MCAST-14) */
	uint64_t not_for_us;   /* dropped: sent to a broadcast address, or none of ours answers */
	uint64_t link_sources; /* datagrams whose frame's source was known */
	uint64_t effects_lost; /* effects that found no room */
	uint64_t changes_lost; /* changes that the store did not take */
	uint64_t notices_lost; /* notices that found no room */
	bool reads_frames;     /* CAP_NET_RAW is there */
};

struct sip_door;

/*
 * Opens the sockets on the caller's thread (so that failures are told at once), then starts the
 * door's own. The options are copied; what they point to must outlive the door. 0 and `*door`, or a
 * negative errno with one sentence in `problem`.
 */
int sip_door_start(struct sip_door **door, const struct sip_door_options *options,
		   char problem[static sip_door_problem_size]);

/* Ends the thread, waits for it, closes and frees everything. NULL is nothing. */
void sip_door_stop(struct sip_door *door);

/* Any thread: a notice for signalling (NOTICE_FETCHED, _WITHDRAWN). 0, or -ENOSPC (counted). */
int sip_door_notice(struct sip_door *door, const struct notice *notice);

/*
 * Any thread: takes over whom to tell to fetch again or to restart (resync.h). 0; or -ENOSPC when
 * that would be more devices at once than signalling.resync.targets_max: the list is then still the
 * caller's.
 */
int sip_door_order(struct sip_door *door, struct resync_list *list);

/* Any thread: the counters as of the last event. */
void sip_door_counters(struct sip_door *door, struct sip_door_counters *counters);

/* The i-th unicast socket's endpoint, with the port that the kernel chose; ADDRESS_NONE past the
 * last. */
struct endpoint sip_door_endpoint(const struct sip_door *door, size_t i);

#endif

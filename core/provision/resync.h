/* SPDX-License-Identifier: MIT */
/*
 * Tells phones to fetch again, or to restart, and sees it through: paced over all of them, resent
 * as a non-INVITE request is (RFC 3261 17.1.2), with the credentials of line 1 where the phone asks
 * for them (R-DIGEST-15, 16: once, and once more where it says that the nonce was stale), and
 * verified. A resync is done when the phone took an essential file after the order went out, a
 * reboot when it fetched anything or asked for its URL again. What it comes to is told as
 * CHANGE_DEVICE_RESYNC and, in the end, as one report:
 *
 *	waiting -> sent -> acknowledged -> done                          resync_done
 *	              |          +-------> acknowledged but did not fetch resync_not_fetched
 *	              +-> no answer, refused                resync_no_answer, resync_refused
 *	no address, not supported                  resync_no_address, resync_unsupported
 *	interrupted: blocked, removed, or the server ended meanwhile     resync_interrupted
 *
 * A decider beside the notifier on the thread of signalling, which owns it and hands on what
 * matches none of its own NOTIFYs. Another order for a device takes the place of the one before.
 * Devices that have no claim on us (new, blocked, unknown) are passed over. Every call needs the
 * inventory read-locked.
 */
#ifndef BELLHOP_CORE_PROVISION_RESYNC_H
#define BELLHOP_CORE_PROVISION_RESYNC_H

#include "core/base/effects.h"
#include "core/fleet/config.h"
#include "core/fleet/resync_plan.h"
#include "core/sip/message.h"

struct resync;

struct resync_limits {
	size_t targets_max;   /* devices under way; 0: nothing is ever sent */
	uint32_t rate;	      /* first copies a second */
	uint32_t concurrency; /* that wait for the answer at once */
	uint64_t verify_ms;   /* from the answer to the fetch */
};

struct resync_options {
	const struct inventory *inventory;
	struct resync_limits limits;
	uint16_t port; /* of ours */
	/*
	 * Our address on the road to `remote`, which was seen on the interface of that name (may be
	 * empty), and the interface to send on, 0 for by route. False: there is none.
	 */
	bool (*local_for)(void *context, struct address remote, struct span interface,
			  struct address *local, uint32_t *index);
	/* As in signalling.h. */
	void (*server_for)(void *context, const struct device *device, struct address local,
			   struct config_server *server);
	void *context;
	/* Counts by a constant word. */
	void (*count)(void *counting, const char *reason);
	void *counting;
};

/* 0 and `*resync`, or -ENOMEM. `random` stays the caller's and outlives it. */
int resync_new(struct resync **resync, const struct resync_options *options, struct random *random);
void resync_free(struct resync *resync);

/* Takes the list over. The devices are taken in by resync_expire, some at a time. */
void resync_order(struct resync *resync, struct resync_list *list, uint64_t now_ms);

/* One device that was claimed just now: RESYNC_ORDER_CLAIMED. Counted where there is no room. */
void resync_claimed(struct resync *resync, struct mac mac);

/* A response, read as far as it could be. True: it was for one of ours, and is dealt with. */
bool resync_receive(struct resync *resync, const struct sip_message *message, uint64_t now_ms,
		    struct effects *effects);

/* The device took a file, an essential one or another, so long ago. */
void resync_fetched(struct resync *resync, struct mac mac, bool is_essential, uint64_t age_ms,
		    uint64_t now_ms, struct effects *effects);

/* It asked for its URL. */
void resync_returned(struct resync *resync, struct mac mac, struct effects *effects);

/* It was blocked or removed. */
void resync_withdraw(struct resync *resync, struct mac mac, struct effects *effects);

/* So many were that no URL under way can be stood by; an order holds none, and goes on. */
void resync_withdraw_all(struct resync *resync, struct effects *effects);

/* The network refused what went to this endpoint. */
void resync_unreachable(struct resync *resync, struct endpoint endpoint, struct effects *effects);

/* As signalling_expire: what finds no room in `effects` stays due. */
void resync_expire(struct resync *resync, uint64_t now_ms, struct effects *effects);
uint64_t resync_next_wake(const struct resync *resync);

/* Devices under way, and those of lists that are not taken in yet. */
size_t resync_count(const struct resync *resync);

#endif

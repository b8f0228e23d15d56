/* SPDX-License-Identifier: MIT */
/*
 * What telling a phone to fetch again, or to restart, would come to: which maker's order goes to
 * which address, or why none can. The dry run of the API shows it and core/provision/resync.h does
 * it, so that the two cannot differ.
 */
#ifndef BELLHOP_CORE_FLEET_RESYNC_PLAN_H
#define BELLHOP_CORE_FLEET_RESYNC_PLAN_H

#include "core/fleet/inventory.h"

enum resync_order {
	RESYNC_ORDER_FETCH,  /* "resync" */
	RESYNC_ORDER_REBOOT, /* "reboot" */
	/*
	 * It was claimed while it stands waiting: its URL, where its maker takes a NOTIFY that it
	 * did not ask for, else the order to fetch. Leaves no mark in the device's record.
	 */
	RESYNC_ORDER_CLAIMED,
};

const char *resync_order_name(enum resync_order order); /* "resync", "reboot", "claimed" */

/* Whom an order is for: one allocation, handed from thread to thread, freed with free(). */
struct resync_list {
	struct resync_list *next;
	enum resync_order order;
	size_t count;
	struct mac macs[];
};

/* An empty list with room for so many; NULL without memory. */
struct resync_list *resync_list_new(enum resync_order order, size_t count_max);

/* Puts one behind the last of a chain; frees a chain. */
void resync_list_append(struct resync_list **chain, struct resync_list *list);
void resync_list_free(struct resync_list *chain);

struct resync_plan {
	enum device_resync verdict; /* RESYNC_WAITING: it can go out; _NO_ADDRESS, _UNSUPPORTED */
	const char *why;	    /* a constant sentence, where it cannot */
	const struct vendor_pack *pack;	  /* NULL: nobody knows its maker */
	const struct vendor_order *order; /* NULL: none, or its URL is told instead */
	bool tells_url;
	/* Where it goes is the phone's own place: bound, or seen to be its. Else by word alone. */
	bool is_proven;
	bool reboots; /* it restarts, whatever was ordered */
	struct endpoint to;
	struct span user; /* of the Request-URI: of line 1; empty: none. Into the inventory */
};

/*
 * Never fails; `device` is claimed. The phone is told at the address that an operator bound to it,
 * else where it was seen last; at the port where its maker's phones listen, because a phone need
 * not have asked for its files from there.
 */
struct resync_plan resync_plan_of(const struct inventory *inventory, const struct device *device,
				  enum resync_order order);

/*
 * Is there anything to be gained by telling this device right after it was claimed? It is new as a
 * claimed one, was seen within resync_seen_ms, and there is a plan for it. A URL holds its key: it
 * is told only where the hardware address behind the address is known to be the device's.
 */
enum { resync_seen_ms = 600000 };
bool resync_tells_claimed(const struct inventory *inventory, const struct device *device,
			  uint64_t utc_ms);

/* Line 1 as the phone has it, for a challenge; empty where nothing is set. Into the inventory. */
struct resync_account {
	struct span username; /* sip_lines.1.auth_username, else .username */
	struct span password;
};

struct resync_account resync_account_of(const struct inventory *inventory,
					const struct device *device);

#endif

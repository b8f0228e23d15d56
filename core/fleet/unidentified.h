/* SPDX-License-Identifier: MIT */
/*
 * Senders that ask and are no device: those that name no MAC and whose hardware address cannot be
 * seen, those whose name nothing proves, and those that name a MAC that is not their own. Kept by
 * source address and interface, in memory only, at most limits.unidentified_max of them: the one
 * that was not seen for the longest time makes room. An entry goes when a device is seen at its
 * address, or bound to it.
 */
#ifndef BELLHOP_CORE_FLEET_UNIDENTIFIED_H
#define BELLHOP_CORE_FLEET_UNIDENTIFIED_H

#include "core/base/table.h"
#include "core/base/writer.h"
#include "core/fleet/device.h"

struct inventory;

struct unidentified {
	/* These two are the key: kept together, the text filled up with zeros. */
	struct address address;
	char interface[device_interface_size];
	char vendor[device_vendor_size]; /* what it says of itself; empty: nothing */
	char model[device_model_size];
	char firmware[device_firmware_size];
	bool has_named; /* it names this MAC */
	struct mac named;
	enum device_certainty certainty; /* _SPOOFED, _UNIDENTIFIED or _CLAIMED */
	const char *reason;		 /* constant word: what decided, as identity.h has it */
	uint64_t first_seen_utc_ms;
	uint64_t last_seen_utc_ms;
	uint64_t count; /* how often */
	bool is_told;	/* the operator was: see unidentified_tell */
};

struct unidentified_table {
	struct table table;
	uint64_t dropped; /* entries that made room for others */
};

/* All slots are reserved now. 0 or -ENOMEM. */
int unidentified_init(struct unidentified_table *unidentified, size_t count_max,
		      struct random *random);
void unidentified_free(struct unidentified_table *unidentified);

/* The entry of this address and interface, or NULL; an empty interface: of any. */
const struct unidentified *unidentified_find(const struct unidentified_table *unidentified,
					     struct address address, struct span interface);

/* Walks in no particular order; start with `*cursor` 0. */
const struct unidentified *unidentified_next(const struct unidentified_table *unidentified,
					     size_t *cursor);

/*
 * Puts an entry in, or adds it to the one that is there. Takes it over, and cannot fail; the table
 * is not empty by configuration (then inventory_prepare has refused).
 */
void unidentified_put(struct unidentified_table *unidentified, struct unidentified *entry);

/*
 * Somebody known is at this address now: takes the entry out, and one whose interface is not known.
 * An empty interface: whatever it is.
 */
void unidentified_forget(struct unidentified_table *unidentified, struct address address,
			 struct span interface);

/*
 * Writes a sentence about the entry for the operator; true the first time that it is asked for one,
 * so that there is one event for each and not for each datagram.
 */
bool unidentified_tell(struct unidentified_table *unidentified, struct address address,
		       struct span interface, struct writer *sentence);

#endif

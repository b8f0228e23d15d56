/* SPDX-License-Identifier: MIT */
/*
 * A phone that nobody claimed is recognised when it asks for a file: what its request shows becomes
 * a sighting, whatever the answer is. So phones are found that send no SUBSCRIBE, and those whose
 * SUBSCRIBE named no MAC.
 *
 * What a request says costs nothing to say. On-link it must agree with the hardware address behind
 * it, else it is listed as `spoofed?` and makes no device; behind a router it makes one that is
 * `claimed` only. New ones are taken from one source at sighting_per_minute, and at most
 * inventory_words_max of them stand at one address.
 */
#ifndef BELLHOP_CORE_PROVISION_SIGHTING_H
#define BELLHOP_CORE_PROVISION_SIGHTING_H

#include "core/base/effects.h"
#include "core/fleet/inventory.h"
#include "core/fleet/policy.h"
#include "core/provision/rate_limit.h"

enum { sighting_per_minute = 30, sighting_burst = 120 };

/* Of all doors together, on the one thread that they run on. */
struct sightings {
	struct rate_limit rate;
	uint64_t refused; /* new devices that one source had too many of */
};

void sightings_init(struct sightings *sightings, struct random *random);

/* Where and when a request came from. */
struct sighting_place {
	struct endpoint source;
	struct span interface;
	uint64_t now_ms; /* monotonic */
};

/*
 * Posts CHANGE_DEVICE_SEEN of a phone that nobody claimed yet, or CHANGE_UNIDENTIFIED_SEEN. Nothing
 * of a device that is claimed or blocked, of what no vendor pack recognises, and with `unknown =
 * ignore`. `identity` as identity_from_fetch left it; `sightings` may be NULL: no limit.
 */
void sighting_note(const struct inventory *inventory, const struct policy *policy,
		   const struct identity *identity, const struct sighting_place *place,
		   struct sightings *sightings, struct effects *effects);

#endif

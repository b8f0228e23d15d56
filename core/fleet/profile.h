/* SPDX-License-Identifier: MIT */
/*
 * A profile: settings that devices share. Profiles inherit from a parent; the chain ends at
 * "default". A device's effective settings are: built-in defaults, then the chain from its root
 * down, then the device's own.
 */
#ifndef BELLHOP_CORE_FLEET_PROFILE_H
#define BELLHOP_CORE_FLEET_PROFILE_H

#include "core/fleet/settings.h"

enum { profile_name_size = 64, profile_depth_max = 16 };

struct profile {
	char name[profile_name_size];
	char parent[profile_name_size]; /* empty only for "default" */
	uint64_t revision;		/* of its last change (see inventory.h) */
	struct settings settings;
};

struct inventory;
struct device;

/*
 * The chain of a profile, from itself (or "default" when it is empty or missing) up to "default".
 * Returns how many there are, at most profile_depth_max; -ELOOP when the chain does not end.
 */
int profile_chain(const struct inventory *inventory, struct span profile_name,
		  const struct profile *chain[static profile_depth_max]);

/*
 * The effective settings of a device, or of a profile when `device` is NULL, as a fresh list that
 * the caller frees. 0, -ELOOP when the chain does not end within profile_depth_max (a parent that
 * is missing ends it at "default"), -ENOMEM.
 */
int profile_effective(const struct inventory *inventory, const struct device *device,
		      struct span profile_name, struct settings *effective);

#endif

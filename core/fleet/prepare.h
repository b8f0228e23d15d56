/* SPDX-License-Identifier: MIT */
/*
 * Inside inventory_prepare: the work on one change, and what the records look like with all that
 * was prepared before it. Only core/fleet/prepare*.c use this.
 */
#ifndef BELLHOP_CORE_FLEET_PREPARE_H
#define BELLHOP_CORE_FLEET_PREPARE_H

#include "core/fleet/inventory.h"

struct prepare {
	struct inventory *inventory;
	const struct change *change;
	struct prepared *out;
	struct writer problem;
};

/* The record as it will be; NULL when there is none. */
const struct device *prepare_find_device(const struct prepare *work, struct mac mac);
const struct settings *prepare_find_settings(const struct prepare *work, struct mac mac);
const struct profile *prepare_find_profile(const struct prepare *work, struct span name);
const struct catalogue_file *prepare_find_file(const struct prepare *work, struct span name);

/* How many records of a table there will be. */
size_t prepare_count(const struct prepare *work, const struct table *table);

/* Writes "WHAT: SHOWN" (without SHOWN when it is empty) as the problem and returns `error`. */
int prepare_refuse(struct prepare *work, int error, const char *what, struct span shown);

/* The text into a buffer of `size`, or -EINVAL when it does not fit or holds controls. */
int prepare_text(struct prepare *work, char *place, size_t size, struct span text,
		 const char *what);

/* Applies the settings of the change to a list that the caller owns. */
int prepare_settings(struct prepare *work, struct settings *settings);

uint64_t prepare_next_revision(struct prepare *work);

/* A rule gives this profile to what it claims. */
bool prepare_rules_use(const struct prepare *work, struct span profile);

/* One kind of record each: fill `out`, or say why not. */
int prepare_device(struct prepare *work);
int prepare_profile(struct prepare *work);
int prepare_file(struct prepare *work);
int prepare_rule(struct prepare *work);
int prepare_pool(struct prepare *work);

/*
 * What claims a device beside its state: for a person's claim the number that he asked for, for a
 * sighting the first rule that fits. `device` is as the change makes it but for its key, and has
 * its settings where the change keeps them not.
 */
int prepare_claim(struct prepare *work, struct device *device);

/* Copies the settings that the device has, for a change that kept them until now. */
int prepare_own_settings(struct prepare *work, struct device *device);

/* CHANGE_DEVICES_IMPORT: `problem` as core/fleet/prepare_group.c has it, also with 0. */
int prepare_group(struct prepare *work);
int prepare_unidentified(struct prepare *work);
int prepare_form(struct prepare *work);

#endif

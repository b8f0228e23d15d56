/* SPDX-License-Identifier: MIT */
/*
 * Inside the inventory: its rules and pools, and who has which number. Only core/fleet/inventory*.c
 * and prepare*.c use this. Nothing of what a commit calls can fail: every slot was reserved.
 */
#ifndef BELLHOP_CORE_FLEET_INVENTORY_NUMBERS_H
#define BELLHOP_CORE_FLEET_INVENTORY_NUMBERS_H

#include "core/fleet/inventory.h"

int inventory_numbers_init(struct inventory *inventory); /* 0 or -ENOMEM */
void inventory_numbers_free(struct inventory *inventory);

/* The device came into the inventory, or leaves it: its number is taken, or free. */
void inventory_numbers_add(struct inventory *inventory, struct device *device);
void inventory_numbers_remove(struct inventory *inventory, struct device *device);

/* The number that a prepared device was to get is free again. */
void inventory_number_unreserve(struct inventory *inventory, const struct device *device);

/* Puts the rule or pool of a change in place, or removes it. */
void inventory_numbers_commit(struct inventory *inventory, struct prepared *prepared);

/* The rule that has claimed this device has claimed one more. */
void inventory_rule_used(struct inventory *inventory, const struct device *device);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the tests of core/fleet share: an inventory with changes made the way the store makes them.
 */
#ifndef BELLHOP_TESTS_FLEET_H
#define BELLHOP_TESTS_FLEET_H

#include "core/fleet/inventory.h"
#include "tests/test.h"

#include <errno.h>

static char fleet_problem[512];

static inline void fleet_open(struct inventory *inventory, size_t devices_max, size_t new_max)
{
	static const uint8_t seed[random_seed_size] = {1, 2, 3};
	struct inventory_limits limits = {.devices_max = devices_max,
					  .new_devices_max = new_max,
					  .profiles_max = 20,
					  .files_max = 8,
					  .rules_max = 20,
					  .pools_max = 5,
					  .pool_numbers_max = 5000,
					  .forms_max = 4};

	if (inventory_init(inventory, &limits, seed) != 0) {
		abort();
	}
}

static inline struct mac fleet_mac(const char *text)
{
	struct mac mac;

	if (mac_parse(span_text(text), &mac) != 0) {
		abort();
	}
	return mac;
}

static inline struct address fleet_address(const char *text)
{
	struct address address;

	if (address_parse(span_text(text), &address) != 0) {
		abort();
	}
	return address;
}

/* Prepare and commit. */
static inline int fleet_do(struct inventory *inventory, struct change change)
{
	struct prepared prepared;
	int error;

	fleet_problem[0] = '\0';
	error = inventory_prepare(inventory, &change, &prepared, fleet_problem,
				  sizeof(fleet_problem));
	if (!error) {
		inventory_commit(inventory, &prepared);
	}
	return error;
}

static inline int fleet_change(struct inventory *inventory, enum change_kind kind, const char *mac)
{
	return fleet_do(inventory, (struct change){.kind = kind, .mac = fleet_mac(mac)});
}

static inline int fleet_set(struct inventory *inventory, const char *mac, const char *path,
			    const char *value)
{
	struct change_setting setting = {.path = span_text(path), .value = span_text(value)};

	return fleet_do(inventory, (struct change){.kind = CHANGE_DEVICE_SET,
						   .mac = fleet_mac(mac),
						   .settings = &setting,
						   .setting_count = 1});
}

static inline int fleet_profile(struct inventory *inventory, const char *name, const char *parent,
				const char *path, const char *value)
{
	struct change_setting setting = {.path = span_text(path), .value = span_text(value)};

	return fleet_do(inventory, (struct change){.kind = CHANGE_PROFILE_SET,
						   .profile = span_text(name),
						   .fields = parent ? FIELD_PARENT : 0,
						   .parent = span_text(parent),
						   .settings = &setting,
						   .setting_count = path != NULL});
}

static inline const struct device *fleet_device(const struct inventory *inventory, const char *mac)
{
	return inventory_device(inventory, fleet_mac(mac));
}

#endif

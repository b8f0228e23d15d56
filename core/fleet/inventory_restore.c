/* SPDX-License-Identifier: MIT */
#include "core/base/writer.h"
#include "core/fleet/inventory.h"

#include <errno.h>

static int say(char *problem, size_t problem_size, const char *what, const char *name,
	       const char *profile)
{
	struct writer w = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);

	writer_text(&w, what);
	writer_escaped(&w, span_text(name), 80);
	writer_text(&w, " names the profile ");
	writer_escaped(&w, span_text(profile), 80);
	writer_text(&w, ", which is not there or ends in a circle");
	if (problem_size > 0) {
		problem[w.length] = '\0';
	}
	return -EINVAL;
}

static int say_pool(char *problem, size_t problem_size, const struct rule *rule)
{
	struct writer w = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);

	writer_text(&w, "rule ");
	writer_text(&w, rule->name);
	writer_text(&w, " names the pool ");
	writer_text(&w, rule->pool);
	writer_text(&w, ", which is not there");
	if (problem_size > 0) {
		problem[w.length] = '\0';
	}
	return -EINVAL;
}

/* Empty stands for "default". */
static bool is_there(const struct inventory *inventory, const char *profile)
{
	return profile[0] == '\0' || inventory_profile(inventory, span_text(profile));
}

int inventory_check_profiles(const struct inventory *inventory, char *problem, size_t problem_size)
{
	const struct profile *chain[profile_depth_max];
	const struct profile *profile;
	const struct device *device;
	size_t cursor = 0;

	while ((profile = inventory_next_profile(inventory, &cursor))) {
		if (!is_there(inventory, profile->parent) ||
		    profile_chain(inventory, span_text(profile->name), chain) < 0) {
			return say(problem, problem_size, "profile ", profile->name,
				   profile->parent);
		}
	}
	cursor = 0;
	while ((device = inventory_next_device(inventory, &cursor))) {
		if (!is_there(inventory, device->profile)) {
			char mac[mac_text_size];

			mac_text(device->mac, mac);
			return say(problem, problem_size, "device ", mac, device->profile);
		}
	}
	for (size_t i = 0; i < inventory->rules.count; i++) {
		const struct rule *rule = inventory->rule_order[i];

		if (!is_there(inventory, rule->profile)) {
			return say(problem, problem_size, "rule ", rule->name, rule->profile);
		}
		if (rule->pool[0] && !inventory_pool(inventory, span_text(rule->pool))) {
			return say_pool(problem, problem_size, rule);
		}
	}
	return 0;
}

void inventory_reconcile_begin(struct inventory *other, const struct inventory *inventory)
{
	if (other->revision < inventory->revision_prepared) {
		other->revision = inventory->revision_prepared;
	}
	other->revision++;
	other->revision_prepared = other->revision;
}

struct device *inventory_reconcile_next(struct inventory *other, const struct inventory *inventory,
					size_t *cursor)
{
	struct device *device;

	while ((device = table_next(&other->devices, cursor))) {
		const struct device *now = inventory_device(inventory, device->mac);

		if (device_is_claimed(device) && device->fetched_revision > 0 && now &&
		    now->fetched_utc_ms != device->fetched_utc_ms) {
			other->count_by_state[device->state]--;
			device->revision = other->revision;
			device->state = inventory_state_of(other, device);
			other->count_by_state[device->state]++;
			return device;
		}
	}
	return NULL;
}

static void exchange_tables(struct table *a, struct table *b)
{
	struct table kept = *a;

	*a = *b;
	*b = kept;
	/* How often it was full is not a matter of what it holds. */
	b->full = a->full;
	a->full = kept.full;
}

static void exchange_rules(struct inventory *inventory, struct inventory *other)
{
	struct rule **order = inventory->rule_order;
	size_t numbers = inventory->pool_numbers;

	exchange_tables(&inventory->rules, &other->rules);
	exchange_tables(&inventory->pools, &other->pools);
	exchange_tables(&inventory->devices_by_number, &other->devices_by_number);
	inventory->rule_order = other->rule_order;
	other->rule_order = order;
	inventory->pool_numbers = other->pool_numbers;
	other->pool_numbers = numbers;
}

void inventory_exchange(struct inventory *inventory, struct inventory *other)
{
	exchange_tables(&inventory->devices, &other->devices);
	exchange_tables(&inventory->devices_by_key, &other->devices_by_key);
	exchange_tables(&inventory->devices_by_bound, &other->devices_by_bound);
	exchange_tables(&inventory->profiles, &other->profiles);
	exchange_rules(inventory, other);
	exchange_tables(&inventory->forms, &other->forms);
	for (size_t i = 0; i < sizeof(inventory->count_by_state) / sizeof(size_t); i++) {
		size_t count = inventory->count_by_state[i];

		inventory->count_by_state[i] = other->count_by_state[i];
		other->count_by_state[i] = count;
	}
	inventory->revision = other->revision;
	inventory->revision_prepared = other->revision;
	inventory->revision_restored = other->revision;
	inventory->generation++;
}

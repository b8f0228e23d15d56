/* SPDX-License-Identifier: MIT */
#include "core/fleet/inventory_numbers.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

enum { number_key_size = device_pool_size + device_extension_size };

static_assert(offsetof(struct device, extension) ==
		      offsetof(struct device, pool) + device_pool_size,
	      "pool and extension of a device stand side by side");

static struct span rule_name(const void *entry)
{
	return span_text(((const struct rule *)entry)->name);
}

static struct span pool_name(const void *entry)
{
	return span_text(((const struct number_pool *)entry)->name);
}

static struct span device_number(const void *entry)
{
	return span_make((const char *)entry + offsetof(struct device, pool), number_key_size);
}

int inventory_numbers_init(struct inventory *inventory)
{
	const struct inventory_limits *limits = &inventory->limits;

	table_init(&inventory->rules, limits->rules_max, &inventory->random, rule_name);
	table_init(&inventory->pools, limits->pools_max, &inventory->random, pool_name);
	table_init(&inventory->devices_by_number, limits->devices_max, &inventory->random,
		   device_number);
	inventory->rule_order = calloc(limits->rules_max + 1, sizeof(struct rule *));
	return inventory->rule_order && table_reserve(&inventory->rules) == 0 &&
			       table_reserve(&inventory->pools) == 0 &&
			       table_reserve(&inventory->devices_by_number) == 0
		       ? 0
		       : -ENOMEM;
}

void inventory_numbers_free(struct inventory *inventory)
{
	size_t cursor = 0;
	void *entry;

	while ((entry = table_next(&inventory->rules, &cursor))) {
		rule_free(entry);
	}
	cursor = 0;
	while ((entry = table_next(&inventory->pools, &cursor))) {
		number_pool_free(entry);
	}
	table_free(&inventory->rules);
	table_free(&inventory->pools);
	table_free(&inventory->devices_by_number);
	free(inventory->rule_order);
	inventory->rule_order = NULL;
}

const struct rule *inventory_rule(const struct inventory *inventory, struct span name)
{
	return table_find(&inventory->rules, name);
}

const struct number_pool *inventory_pool(const struct inventory *inventory, struct span name)
{
	return table_find(&inventory->pools, name);
}

const struct number_pool *inventory_next_pool(const struct inventory *inventory, size_t *cursor)
{
	return table_next(&inventory->pools, cursor);
}

const struct device *inventory_device_by_number(const struct inventory *inventory, struct span pool,
						struct span extension)
{
	char key[number_key_size] = {0};

	if (pool.length >= device_pool_size || extension.length >= device_extension_size ||
	    extension.length == 0) {
		return NULL;
	}
	memcpy(key, pool.data, pool.length);
	memcpy(key + device_pool_size, extension.data, extension.length);
	return table_find(&inventory->devices_by_number, span_make(key, sizeof(key)));
}

/* --- Who has what. --- */

static struct pool_number *number_of(const struct inventory *inventory, const struct device *device,
				     struct number_pool **pool)
{
	*pool = table_find(&inventory->pools, span_text(device->pool));
	return *pool ? number_pool_find(*pool, span_text(device->extension)) : NULL;
}

static void take(struct number_pool *pool, struct pool_number *number, struct mac mac)
{
	pool->taken += !number->is_taken;
	number->is_taken = true;
	number->is_reserved = false;
	number->owner = mac;
}

void inventory_numbers_add(struct inventory *inventory, struct device *device)
{
	struct number_pool *pool;
	struct pool_number *number;

	if (!device->extension[0]) {
		return;
	}
	table_add(&inventory->devices_by_number, device);
	number = number_of(inventory, device, &pool);
	if (number) {
		take(pool, number, device->mac);
	}
}

void inventory_numbers_remove(struct inventory *inventory, struct device *device)
{
	struct number_pool *pool;
	struct pool_number *number;

	if (!device->extension[0]) {
		return;
	}
	table_remove(&inventory->devices_by_number, device_number(device));
	number = number_of(inventory, device, &pool);
	if (number) {
		number_pool_release(pool, number);
	}
}

void inventory_number_unreserve(struct inventory *inventory, const struct device *device)
{
	struct number_pool *pool;
	struct pool_number *number = number_of(inventory, device, &pool);

	if (number && number->is_reserved && !number->is_taken) {
		number_pool_release(pool, number);
	}
}

/* --- Rules and pools in their places. --- */

static void order_remove(struct inventory *inventory, const struct rule *rule)
{
	size_t at = 0;
	size_t count = inventory->rules.count;

	while (at < count && inventory->rule_order[at] != rule) {
		at++;
	}
	if (at < count) {
		memmove(&inventory->rule_order[at], &inventory->rule_order[at + 1],
			(count - at - 1) * sizeof(struct rule *));
	}
}

/* `count` others are in order. */
static void order_insert(struct inventory *inventory, struct rule *rule, size_t count)
{
	size_t at = count;

	while (at > 0 && rule_compare(inventory->rule_order[at - 1], rule) > 0) {
		inventory->rule_order[at] = inventory->rule_order[at - 1];
		at--;
	}
	inventory->rule_order[at] = rule;
}

static void drop_rule(struct inventory *inventory, struct span name)
{
	struct rule *old = table_find(&inventory->rules, name);

	if (old) {
		order_remove(inventory, old);
		table_remove(&inventory->rules, name);
		rule_free(old);
	}
}

static void put_rule(struct inventory *inventory, struct rule *rule)
{
	const struct rule *old = table_find(&inventory->rules, span_text(rule->name));

	if (old) {
		rule->used = old->used;
		rule->used_utc_ms = old->used_utc_ms;
	}
	free(rule->body);
	rule->body = NULL;
	drop_rule(inventory, span_text(rule->name));
	order_insert(inventory, rule, inventory->rules.count);
	table_add(&inventory->rules, rule);
}

static void drop_pool(struct inventory *inventory, struct span name)
{
	struct number_pool *old = table_remove(&inventory->pools, name);

	if (old) {
		inventory->pool_numbers -= old->count;
		number_pool_free(old);
	}
}

/* What is reserved in the old one, by a change that comes after this, is so in the new one. */
static void put_pool(struct inventory *inventory, struct number_pool *pool)
{
	const struct number_pool *old = table_find(&inventory->pools, span_text(pool->name));

	for (size_t i = 0; i < pool->count; i++) {
		struct pool_number *number = &pool->numbers[i];
		struct span extension = span_text(number->extension);
		const struct device *device =
			inventory_device_by_number(inventory, span_text(pool->name), extension);
		const struct pool_number *before = old ? number_pool_find(old, extension) : NULL;

		if (device) {
			take(pool, number, device->mac);
		}
		number->is_reserved = before && before->is_reserved;
	}
	free(pool->body);
	pool->body = NULL;
	drop_pool(inventory, span_text(pool->name));
	inventory->pool_numbers += pool->count;
	table_add(&inventory->pools, pool);
}

void inventory_numbers_commit(struct inventory *inventory, struct prepared *prepared)
{
	if (prepared->rule && prepared->is_removal) {
		drop_rule(inventory, span_text(prepared->rule->name));
		rule_free(prepared->rule);
	} else if (prepared->rule) {
		put_rule(inventory, prepared->rule);
	}
	if (prepared->pool && prepared->is_removal) {
		drop_pool(inventory, span_text(prepared->pool->name));
		number_pool_free(prepared->pool);
	} else if (prepared->pool) {
		put_pool(inventory, prepared->pool);
	}
}

void inventory_rule_used(struct inventory *inventory, const struct device *device)
{
	struct rule *rule = table_find(&inventory->rules, span_text(device->claimed_by));

	if (rule) {
		rule->used++;
		rule->used_utc_ms = device->last_seen_utc_ms;
	}
}

/* --- What the store hands over at start. --- */

int inventory_load_rule(struct inventory *inventory, struct rule *rule)
{
	if (inventory_rule(inventory, span_text(rule->name))) {
		return -EEXIST;
	}
	if (inventory->rules.count >= inventory->limits.rules_max) {
		return -ENOSPC;
	}
	put_rule(inventory, rule);
	inventory->generation++;
	return 0;
}

int inventory_load_pool(struct inventory *inventory, struct number_pool *pool)
{
	if (inventory_pool(inventory, span_text(pool->name))) {
		return -EEXIST;
	}
	if (inventory->pools.count >= inventory->limits.pools_max ||
	    pool->count > inventory->limits.pool_numbers_max - inventory->pool_numbers) {
		return -ENOSPC;
	}
	put_pool(inventory, pool);
	inventory->generation++;
	return 0;
}

int inventory_load_number(struct inventory *inventory, struct mac mac, struct span pool,
			  struct span extension)
{
	struct device *device = table_find(&inventory->devices, mac_key(&mac));

	if (!device) {
		return -ENOENT;
	}
	if (!pool_name_is_legal(pool) || !pool_extension_is_legal(extension) ||
	    device->extension[0]) {
		return -EINVAL;
	}
	if (inventory_device_by_number(inventory, pool, extension)) {
		return -EEXIST;
	}
	memcpy(device->pool, pool.data, pool.length);
	memcpy(device->extension, extension.data, extension.length);
	inventory_numbers_add(inventory, device);
	return 0;
}

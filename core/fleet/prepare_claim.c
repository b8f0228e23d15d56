/* SPDX-License-Identifier: MIT */
/* How a device is claimed: by a person, who may ask for a number, or by a rule. */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stddef.h>

int prepare_own_settings(struct prepare *work, struct device *device)
{
	const struct settings *old;
	int error = 0;

	if (!work->out->keeps_settings) {
		return 0;
	}
	old = prepare_find_settings(work, device->mac);
	if (old) {
		error = settings_copy(&device->settings, old);
	}
	if (!error) {
		work->out->keeps_settings = false;
	}
	return error;
}

/* --- Numbers. --- */

/* What the change itself sets goes before what the number's row says. */
static int repeat_settings(struct prepare *work, struct device *device, char *problem,
			   size_t problem_size)
{
	int error = 0;

	for (size_t i = 0; i < work->change->setting_count && !error; i++) {
		const struct change_setting *setting = &work->change->settings[i];

		if (!setting->is_unset) {
			error = settings_set(&device->settings, setting->path, setting->value,
					     problem, problem_size);
		}
	}
	return error;
}

/* The number is this device's from now on: nobody else gets it before this is committed. */
static int give_number(struct prepare *work, struct device *device, struct number_pool *pool,
		       struct pool_number *number)
{
	char problem[256] = "";
	int error = prepare_own_settings(work, device);

	if (!error && device->extension[0]) {
		pool_settings_remove(&device->settings);
	}
	if (!error) {
		error = pool_number_settings(number, &device->settings, problem, sizeof(problem));
	}
	error = error ? error : repeat_settings(work, device, problem, sizeof(problem));
	if (error) {
		writer_text(&work->problem, problem);
		return error;
	}
	memset(device->pool, 0, sizeof(device->pool));
	memset(device->extension, 0, sizeof(device->extension));
	memcpy(device->pool, pool->name, strlen(pool->name));
	memcpy(device->extension, number->extension, strlen(number->extension));
	number->is_reserved = true;
	work->out->is_number_reserved = true;
	work->out->is_number_changed = true;
	return 0;
}

static int give_back(struct prepare *work, struct device *device)
{
	int error = device->extension[0] ? prepare_own_settings(work, device) : 0;

	if (error || !device->extension[0]) {
		return error;
	}
	pool_settings_remove(&device->settings);
	memset(device->pool, 0, sizeof(device->pool));
	memset(device->extension, 0, sizeof(device->extension));
	work->out->is_number_changed = true;
	return 0;
}

/* Pools that have this number; the last of them in `*pool`. */
static size_t pools_with(const struct prepare *work, struct span extension,
			 struct number_pool **pool)
{
	struct number_pool *candidate;
	size_t cursor = 0;
	size_t count = 0;

	while ((candidate = table_next(&work->inventory->pools, &cursor))) {
		if (number_pool_find(candidate, extension)) {
			*pool = candidate;
			count++;
		}
	}
	return count;
}

static int find_pool(struct prepare *work, struct number_pool **pool)
{
	const struct change *change = work->change;
	size_t count;

	if (change->fields & FIELD_POOL) {
		*pool = table_find(&work->inventory->pools, change->pool);
		return *pool ? 0
			     : prepare_refuse(work, -ENOENT, "no such pool (make it with pool set)",
					      change->pool);
	}
	count = pools_with(work, change->extension, pool);
	if (count > 1) {
		return prepare_refuse(work, -EINVAL,
				      "several pools have this number; name the pool as well",
				      change->extension);
	}
	return count == 1 ? 0
			  : prepare_refuse(work, -ENOENT, "no pool has this number",
					   change->extension);
}

static int give_this(struct prepare *work, struct device *device, struct number_pool *pool)
{
	struct span extension = work->change->extension;
	struct pool_number *number = number_pool_find(pool, extension);
	char mac[mac_text_size];

	if (!number) {
		return prepare_refuse(work, -ENOENT, "the pool does not have this number",
				      extension);
	}
	if (span_equal(span_text(device->extension), extension) &&
	    strcmp(device->pool, pool->name) == 0) {
		return 0;
	}
	if (number->is_taken) {
		mac_text(number->owner, mac);
		return prepare_refuse(work, -EEXIST, "another device has this number",
				      span_text(mac));
	}
	if (number->is_reserved) {
		return prepare_refuse(work, -EEXIST, "another device is just getting this number",
				      extension);
	}
	return give_number(work, device, pool, number);
}

static int claim_number(struct prepare *work, struct device *device)
{
	const struct change *change = work->change;
	bool has_extension = (change->fields & FIELD_EXTENSION) && change->extension.length > 0;
	struct number_pool *pool = NULL;
	struct pool_number *number;
	int error;

	if (!(change->fields & (FIELD_POOL | FIELD_EXTENSION))) {
		return 0;
	}
	if (!has_extension && (!(change->fields & FIELD_POOL) || change->pool.length == 0)) {
		return give_back(work, device);
	}
	error = find_pool(work, &pool);
	if (error || has_extension) {
		return error ? error : give_this(work, device, pool);
	}
	/* One of its numbers: the one that it has is as good as another. */
	if (strcmp(device->pool, pool->name) == 0) {
		return 0;
	}
	number = number_pool_next(pool);
	return number ? give_number(work, device, pool, number)
		      : prepare_refuse(work, -EBUSY,
				       "the pool has no free number; add some, or remove devices",
				       change->pool);
}

/* --- Rules. --- */

/* What a rule names may be changed by a change that is not committed: the phone asks again. */
static bool is_settled(const struct prepare *work)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->rule || p->pool || p->profile) {
			return false;
		}
	}
	return true;
}

static const struct rule *find_rule(const struct prepare *work, const struct device *device)
{
	struct rule_subject subject = rule_subject_of(device);

	for (size_t i = 0; i < work->inventory->rules.count; i++) {
		const struct rule *rule = work->inventory->rule_order[i];

		if (rule_check(rule, &subject) == RULE_FITS) {
			return rule;
		}
	}
	return NULL;
}

/* What a person has set for the device stays. */
static int give_settings(struct device *device, const struct rule *rule)
{
	int error = 0;

	for (size_t i = 0; i < rule->settings.count && !error; i++) {
		struct span path = span_text(rule->settings.items[i].path);

		if (!settings_get(&device->settings, path)) {
			error = settings_put(&device->settings, path,
					     span_text(rule->settings.items[i].value));
		}
	}
	/* More than a device may have: the rest is left out, the phone is served. */
	return error == -ENOSPC ? 0 : error;
}

static void give_names(struct device *device, const struct rule *rule)
{
	struct writer label = writer_over(device->label, sizeof(device->label));

	if (!device->profile[0]) {
		memcpy(device->profile, rule->profile, sizeof(device->profile));
	}
	if (!device->label[0]) {
		rule_label_write(rule, device, &label);
	}
	memcpy(device->claimed_by, rule->name, sizeof(device->claimed_by));
}

/* Told once a minute, however many phones ask. */
static void note_empty(struct prepare *work, const struct rule *rule, struct number_pool *pool)
{
	uint64_t now = work->change->utc_ms;
	uint64_t told = pool->told_empty_utc_ms;

	if (told > 0 && now >= told && now - told < inventory_empty_interval_ms) {
		return;
	}
	pool->told_empty_utc_ms = now;
	work->out->is_pool_empty = true;
	memcpy(work->out->rule_name, rule->name, sizeof(rule->name));
	memcpy(work->out->pool_name, pool->name, sizeof(pool->name));
}

static int claim_by_rule(struct prepare *work, struct device *device)
{
	const struct rule *rule = find_rule(work, device);
	struct number_pool *pool = NULL;
	struct pool_number *number = NULL;
	int error = 0;

	if (!rule) {
		return 0;
	}
	if (rule->pool[0] && !device->extension[0]) {
		pool = table_find(&work->inventory->pools, span_text(rule->pool));
		number = pool ? number_pool_next(pool) : NULL;
		if (pool && !number) {
			note_empty(work, rule, pool);
		}
		if (!number) {
			return 0;
		}
		error = give_number(work, device, pool, number);
	}
	if (!error && rule->settings.count > 0) {
		error = prepare_own_settings(work, device);
		error = error ? error : give_settings(device, rule);
	}
	if (error) {
		return error;
	}
	device->state = DEVICE_CLAIMED;
	give_names(device, rule);
	work->out->is_claim_by_rule = true;
	return 0;
}

/* The device was seen, and this is somebody's word for it: that claims nothing. */
static bool is_less_certain(const struct change *change, const struct device *device)
{
	return (change->fields & FIELD_CERTAINTY) && change->certainty < device->certainty;
}

int prepare_claim(struct prepare *work, struct device *device)
{
	if (work->change->kind == CHANGE_DEVICE_CLAIM) {
		if (!work->out->was_there || work->out->state_before == DEVICE_NEW) {
			memset(device->claimed_by, 0, sizeof(device->claimed_by));
		}
		return claim_number(work, device);
	}
	if (work->change->kind == CHANGE_DEVICE_SEEN && device->state == DEVICE_NEW &&
	    work->inventory->rules.count > 0 && is_settled(work) &&
	    !is_less_certain(work->change, device)) {
		return claim_by_rule(work, device);
	}
	return 0;
}

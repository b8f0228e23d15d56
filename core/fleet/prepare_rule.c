/* SPDX-License-Identifier: MIT */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stdlib.h>

/* The rule as it will be; NULL when there is none. */
static const struct rule *find_rule(const struct prepare *work, struct span name)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->rule && span_equal(span_text(p->rule->name), name)) {
			return p->is_removal ? NULL : p->rule;
		}
	}
	return inventory_rule(work->inventory, name);
}

static const struct number_pool *find_pool(const struct prepare *work, struct span name)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->pool && span_equal(span_text(p->pool->name), name)) {
			return p->is_removal ? NULL : p->pool;
		}
	}
	return inventory_pool(work->inventory, name);
}

bool prepare_rules_use(const struct prepare *work, struct span profile)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->rule && !p->is_removal && span_equal(span_text(p->rule->profile), profile)) {
			return true;
		}
	}
	for (size_t i = 0; i < work->inventory->rules.count; i++) {
		const struct rule *rule = work->inventory->rule_order[i];
		const struct rule *now = find_rule(work, span_text(rule->name));

		if (now && span_equal(span_text(now->profile), profile)) {
			return true;
		}
	}
	return false;
}

/* What a rule names is there, so that what it claims can always be served. */
static int check_names(struct prepare *work, const struct rule *rule)
{
	const struct vendors *vendors = &work->inventory->vendors;

	if (rule->vendor[0] && vendors->count > 0 &&
	    !vendor_find(vendors, span_text(rule->vendor))) {
		return prepare_refuse(work, -EINVAL,
				      "no pack knows this vendor; see `bellhop pack list`",
				      span_text(rule->vendor));
	}
	if (rule->profile[0] && !prepare_find_profile(work, span_text(rule->profile))) {
		return prepare_refuse(work, -ENOENT, "no such profile (make it with profile set)",
				      span_text(rule->profile));
	}
	if (rule->pool[0] && !find_pool(work, span_text(rule->pool))) {
		return prepare_refuse(work, -ENOENT, "no such pool (make it with pool set)",
				      span_text(rule->pool));
	}
	return 0;
}

static int remove_rule(struct prepare *work, const struct rule *old)
{
	if (!old) {
		return prepare_refuse(work, -ENOENT, "no such rule", work->change->name);
	}
	work->out->is_removal = true;
	work->out->rule = calloc(1, sizeof(*work->out->rule));
	if (!work->out->rule) {
		return -ENOMEM;
	}
	memcpy(work->out->rule->name, old->name, sizeof(old->name));
	return 0;
}

int prepare_rule(struct prepare *work)
{
	const struct rule *old = find_rule(work, work->change->name);
	int error;

	if (work->change->kind == CHANGE_RULE_REMOVE) {
		return remove_rule(work, old);
	}
	if (!old &&
	    prepare_count(work, &work->inventory->rules) >= work->inventory->limits.rules_max) {
		return prepare_refuse(
			work, -ENOSPC,
			"there are too many rules; remove one or raise rules in [limits]",
			SPAN(""));
	}
	error = rule_read(work->change->name, work->change->body, &work->out->rule, &work->problem);
	if (error) {
		return error;
	}
	work->out->is_addition = !old;
	return check_names(work, work->out->rule);
}

/* --- Pools. --- */

static bool is_pool_used(const struct prepare *work, struct span name)
{
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->rule && !p->is_removal && span_equal(span_text(p->rule->pool), name)) {
			return true;
		}
	}
	for (size_t i = 0; i < work->inventory->rules.count; i++) {
		const struct rule *now =
			find_rule(work, span_text(work->inventory->rule_order[i]->name));

		if (now && span_equal(span_text(now->pool), name)) {
			return true;
		}
	}
	return false;
}

static int remove_pool(struct prepare *work, const struct number_pool *old)
{
	if (!old) {
		return prepare_refuse(work, -ENOENT, "no such pool", work->change->name);
	}
	if (is_pool_used(work, work->change->name)) {
		return prepare_refuse(work, -EBUSY,
				      "rules still use it; remove them, or give them another with "
				      "rule set NAME --pool",
				      work->change->name);
	}
	work->out->is_removal = true;
	work->out->pool = calloc(1, sizeof(*work->out->pool));
	if (!work->out->pool) {
		return -ENOMEM;
	}
	memcpy(work->out->pool->name, old->name, sizeof(old->name));
	return 0;
}

/* Numbers of the other pools, as they will be at most. */
static size_t other_numbers(const struct prepare *work, const struct number_pool *old)
{
	size_t count = work->inventory->pool_numbers;

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		count += p->pool && p->pool != old ? p->pool->count : 0;
	}
	return old && old == inventory_pool(work->inventory, work->change->name)
		       ? count - old->count
		       : count;
}

int prepare_pool(struct prepare *work)
{
	const struct number_pool *old = find_pool(work, work->change->name);
	size_t numbers_max = work->inventory->limits.pool_numbers_max;
	size_t others = other_numbers(work, old);
	int error;

	if (work->change->kind == CHANGE_POOL_REMOVE) {
		return remove_pool(work, old);
	}
	if (!old &&
	    prepare_count(work, &work->inventory->pools) >= work->inventory->limits.pools_max) {
		return prepare_refuse(
			work, -ENOSPC,
			"there are too many pools; remove one or raise pools in [limits]",
			SPAN(""));
	}
	error = number_pool_read(work->change->name, work->change->body,
				 others < numbers_max ? numbers_max - others : 0, &work->out->pool,
				 &work->problem);
	work->out->is_addition = !error && !old;
	return error;
}

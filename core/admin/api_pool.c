/* SPDX-License-Identifier: MIT */
/* Pools of extensions. Numbers are shown page by page: a pool may have very many. */
#include "core/admin/api_internal.h"

#include <stdlib.h>

enum { page_default = 1000, page_max = 10000 };

/* Not its numbers. */
json_t *api_json_pool(const struct number_pool *pool)
{
	json_t *json = json_object();
	json_t *ranges = json_array();
	int failed = 0;

	for (size_t i = 0; i < pool->range_count; i++) {
		failed |= json_array_append_new(ranges, api_json_string(pool->ranges[i]));
	}
	failed |= api_json_set(json, "name", api_json_string(pool->name));
	failed |= api_json_set(json, "ranges", ranges);
	failed |= api_json_set(json, "size", json_integer((json_int_t)pool->count));
	failed |= api_json_set(json, "taken", json_integer((json_int_t)pool->taken));
	return api_json_whole(json, failed);
}

static int compare_pools(const void *a, const void *b)
{
	const struct number_pool *const *first = a;
	const struct number_pool *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

void api_pools_list(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	size_t count = inventory->pools.count;
	const struct number_pool **sorted =
		arena_array(call->arena, count > 0 ? count : 1, sizeof(struct number_pool *));
	json_t *json = json_object();
	json_t *list = json_array();
	size_t cursor = 0;
	int failed = !sorted;

	for (size_t i = 0; i < count && !failed; i++) {
		sorted[i] = inventory_next_pool(inventory, &cursor);
	}
	if (!failed) {
		qsort(sorted, count, sizeof(struct number_pool *), compare_pools);
	}
	for (size_t i = 0; i < count && !failed; i++) {
		failed |= json_array_append_new(list, api_json_pool(sorted[i]));
	}
	failed |= api_json_set(json, "pools", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

static json_t *number_json(const struct pool_number *number, bool has_secrets)
{
	json_t *json = json_object();
	char mac[mac_text_size] = "";
	int failed = 0;

	failed |= api_json_set(json, "extension", api_json_string(number->extension));
	failed |= api_json_set(json, "username", api_json_string(number->username));
	failed |= api_json_set(json, "auth_username", api_json_string(number->auth_username));
	failed |= api_json_set(json, "password",
			       api_json_string(number->password[0] && !has_secrets
						       ? "********"
						       : number->password));
	failed |= api_json_set(json, "display_name", api_json_string(number->display_name));
	failed |= api_json_set(json, "row", json_boolean(number->is_row));
	if (number->is_taken) {
		mac_text(number->owner, mac);
	}
	failed |=
		api_json_set(json, "device", number->is_taken ? api_json_string(mac) : json_null());
	return api_json_whole(json, failed);
}

/* Rows, and what devices have: the free ones of a range say nothing. */
static int add_numbers(json_t *json, const struct number_pool *pool, size_t from, size_t limit,
		       bool has_secrets)
{
	json_t *list = json_array();
	size_t added = 0;
	size_t i = from;
	int failed = 0;

	for (; i < pool->count && added < limit && !failed; i++) {
		if (pool->numbers[i].is_row || pool->numbers[i].is_taken) {
			failed |= json_array_append_new(list, number_json(&pool->numbers[i],
									  has_secrets));
			added++;
		}
	}
	failed |= api_json_set(json, "numbers", list);
	return failed | api_json_set(json, "next",
				     i < pool->count && i > from
					     ? api_json_string(pool->numbers[i - 1].extension)
					     : json_null());
}

void api_pool_get(struct call *call)
{
	const struct number_pool *pool = inventory_pool(call->api->inventory, call->arguments[0]);
	struct span after = call_parameter(call, SPAN("after"));
	const struct pool_number *last;
	uint64_t limit;
	size_t from = 0;
	json_t *json;

	if (!pool) {
		call_fail(call, 404, "there is no pool of this name",
			  "see those that there are with `bellhop pool list`");
		return;
	}
	if (!call_number(call, SPAN("limit"), page_max, page_default, &limit)) {
		return;
	}
	if (!span_is_empty(after)) {
		last = number_pool_find(pool, after);
		from = last ? (size_t)(last - pool->numbers) + 1 : pool->count;
	}
	json = api_json_pool(pool);
	if (add_numbers(json, pool, from, limit, call_flag(call, SPAN("secrets"))) != 0) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

/* SPDX-License-Identifier: MIT */
/* Senders that ask and are no device. */
#include "core/admin/api_internal.h"

#include <stdlib.h>

static json_t *entry_json(const struct unidentified *entry)
{
	char address[address_text_size];
	char mac[mac_text_size];
	json_t *json = json_object();
	int failed = 0;

	address_text(entry->address, address);
	mac_text(entry->named, mac);
	failed |= api_json_set(json, "address", api_json_string(address));
	failed |= api_json_set(json, "interface", api_json_string(entry->interface));
	failed |= api_json_set(json, "vendor", api_json_string(entry->vendor));
	failed |= api_json_set(json, "model", api_json_string(entry->model));
	failed |= api_json_set(json, "firmware", api_json_string(entry->firmware));
	failed |= api_json_set(json, "named_mac",
			       entry->has_named ? api_json_string(mac) : json_null());
	failed |= api_json_set(json, "certainty",
			       api_json_string(device_certainty_name(entry->certainty)));
	failed |= api_json_set(json, "reason", api_json_string(entry->reason));
	failed |= api_json_set(json, "first_seen", api_json_time(entry->first_seen_utc_ms));
	failed |= api_json_set(json, "last_seen", api_json_time(entry->last_seen_utc_ms));
	failed |= api_json_set(json, "count", json_integer((json_int_t)entry->count));
	return api_json_whole(json, failed);
}

static int compare(const void *a, const void *b)
{
	const struct unidentified *x = *(const struct unidentified *const *)a;
	const struct unidentified *y = *(const struct unidentified *const *)b;

	return (x->last_seen_utc_ms < y->last_seen_utc_ms) -
	       (x->last_seen_utc_ms > y->last_seen_utc_ms);
}

void api_unidentified_list(struct call *call)
{
	const struct unidentified_table *table = &call->api->inventory->unidentified;
	const struct unidentified **order = calloc(table->table.count + 1, sizeof(*order));
	json_t *json = json_object();
	json_t *list = json_array();
	size_t cursor = 0;
	size_t count = 0;
	int failed = !order;

	while (order && count < table->table.count) {
		order[count++] = unidentified_next(table, &cursor);
	}
	if (order) {
		qsort(order, count, sizeof(*order), compare);
	}
	for (size_t i = 0; i < count && !failed; i++) {
		failed |= json_array_append_new(list, entry_json(order[i]));
	}
	failed |= api_json_set(json, "unidentified", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	free(order);
	call_answer_json(call, 200, json);
}

/* SPDX-License-Identifier: MIT */
/*
 * Orders to phones: to fetch again (resync), to restart (reboot). An order names devices by MAC, by
 * a profile (whose own devices count, and those of the profiles that inherit from it), or all; only
 * claimed ones get it. With "dry_run" it is told what would go to whom, a page at a time.
 */
#include "core/admin/api_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Whom a request names. */
struct selection {
	enum resync_order order;
	const json_t *macs; /* an array; NULL: by `profile` */
	struct span profile;
	bool is_all;
	bool is_dry;
	bool has_after;
	struct mac after;
};

static int compare_macs(const void *a, const void *b)
{
	return mac_compare(*(const struct mac *)a, *(const struct mac *)b);
}

/* --- What a dry run tells. --- */

static json_t *endpoint_json(struct endpoint endpoint)
{
	char text[endpoint_text_size];

	if (!address_is_set(endpoint.address)) {
		return json_null();
	}
	endpoint_text(endpoint, text);
	return api_json_string(text);
}

static json_t *plan_json(const struct inventory *inventory, const struct device *device,
			 enum resync_order order)
{
	struct resync_plan plan = resync_plan_of(inventory, device, order);
	bool works = plan.verdict == RESYNC_WAITING;
	json_t *json = json_object();
	char mac[mac_text_size];
	int failed = 0;

	mac_text(device->mac, mac);
	failed |= api_json_set(json, "mac", api_json_string(mac));
	failed |= api_json_set(json, "vendor",
			       api_json_text(plan.pack ? plan.pack->name
						       : span_text(device->vendor)));
	failed |= api_json_set(json, "address", endpoint_json(plan.to));
	failed |= api_json_set(json, "event",
			       plan.order ? api_json_text(plan.order->event) : json_null());
	failed |= api_json_set(json, "works", json_boolean(works));
	failed |= api_json_set(json, "reboots", json_boolean(works && plan.reboots));
	failed |= api_json_set(json, "credentials",
			       json_boolean(works && plan.pack->resync_asks_credentials));
	failed |= api_json_set(json, "why", api_json_string(plan.why ? plan.why : ""));
	return api_json_whole(json, failed);
}

static json_t *skipped_json(const struct api_answer *answer)
{
	json_t *list = json_array();
	int failed = !list;

	for (size_t i = 0; i < answer->skipped_count && i < api_list_max && !failed; i++) {
		const struct api_skipped *skipped = &answer->skipped[i];
		json_t *row = json_object();
		char mac[mac_text_size];

		mac_text(skipped->mac, mac);
		failed |= api_json_set(row, "mac", api_json_string(mac));
		failed |= api_json_set(row, "why",
				       json_string(skipped->is_unclaimed
							   ? "nobody claimed it"
							   : "there is no such device"));
		failed |= json_array_append_new(list, row);
	}
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static int add_next(json_t *json, const struct resync_list *list, size_t end)
{
	char mac[mac_text_size];

	if (end == list->count) {
		return api_json_set(json, "next", json_null());
	}
	mac_text(list->macs[end - 1], mac);
	return api_json_set(json, "next", api_json_string(mac));
}

/* The page behind `after`; who does not get the order stands in the first page. */
static void answer_dry_run(struct call *call, const struct selection *selection,
			   const struct resync_list *list)
{
	const struct inventory *inventory = call->api->inventory;
	json_t *json = json_object();
	json_t *rows = json_array();
	size_t start = 0;
	size_t end;
	int failed = 0;

	while (selection->has_after && start < list->count &&
	       mac_compare(list->macs[start], selection->after) <= 0) {
		start++;
	}
	end = list->count - start > api_list_max ? start + api_list_max : list->count;
	for (size_t i = start; i < end && !failed; i++) {
		failed |=
			json_array_append_new(rows,
					      plan_json(inventory,
							inventory_device(inventory, list->macs[i]),
							selection->order));
	}
	failed |= api_json_set(json, "order", json_string(resync_order_name(selection->order)));
	failed |= api_json_set(json, "count", json_integer((json_int_t)list->count));
	failed |= api_json_set(json, "devices", rows);
	failed |= add_next(json, list, end);
	failed |= api_json_set(json, "skipped",
			       selection->has_after ? json_array() : skipped_json(call->answer));
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

void api_finish_order(const struct api_context *api, struct api_answer *answer)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "accepted", json_integer((json_int_t)answer->accepted));
	failed |= api_json_set(json, "time", api_json_time(api->facts->now_utc_ms));
	failed |= api_json_set(json, "skipped", skipped_json(answer));
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	api_answer_json(answer, 202, json);
}

/* --- Whom it is for. --- */

static bool descends(const struct inventory *inventory, const struct device *device,
		     struct span profile)
{
	const struct profile *chain[profile_depth_max];
	int depth = profile_chain(inventory, span_text(device->profile), chain);

	for (int i = 0; i < depth; i++) {
		if (span_equal(span_text(chain[i]->name), profile)) {
			return true;
		}
	}
	return false;
}

static struct resync_list *select_by_walk(struct call *call, const struct selection *selection)
{
	const struct inventory *inventory = call->api->inventory;
	struct resync_list *list = resync_list_new(selection->order, inventory->devices.count + 1);
	const struct device *device;
	size_t cursor = 0;

	while (list && (device = inventory_next_device(inventory, &cursor))) {
		if (device_is_claimed(device) &&
		    (selection->is_all || descends(inventory, device, selection->profile))) {
			list->macs[list->count++] = device->mac;
		}
	}
	return list;
}

/* The MACs themselves, each once, in their order; NULL after a 400 or 503. */
static struct resync_list *read_macs(struct call *call, const struct selection *selection)
{
	size_t count = json_array_size(selection->macs);
	struct resync_list *list = resync_list_new(selection->order, count + 1);
	size_t kept = 0;

	for (size_t i = 0; list && i < count; i++) {
		const json_t *value = json_array_get(selection->macs, i);
		struct mac mac;

		if (!json_is_string(value) ||
		    mac_parse(span_make(json_string_value(value), json_string_length(value)),
			      &mac) < 0 ||
		    !mac_is_device(mac)) {
			call_fail(call, 400, "macs holds something that is not the MAC of a device",
				  "send {\"macs\": [\"00908f123456\"]}");
			free(list);
			return NULL;
		}
		list->macs[list->count++] = mac;
	}
	if (!list) {
		call_fail_memory(call);
		return NULL;
	}
	qsort(list->macs, list->count, sizeof(list->macs[0]), compare_macs);
	for (size_t i = 0; i < list->count; i++) {
		if (kept == 0 || !mac_equal(list->macs[i], list->macs[kept - 1])) {
			list->macs[kept++] = list->macs[i];
		}
	}
	list->count = kept;
	return list;
}

static struct resync_list *select_by_mac(struct call *call, const struct selection *selection)
{
	struct resync_list *list = read_macs(call, selection);
	size_t kept = 0;

	if (!list) {
		return NULL;
	}
	call->answer->skipped =
		arena_array(call->arena, list->count + 1, sizeof(*call->answer->skipped));
	if (!call->answer->skipped) {
		free(list);
		call_fail_memory(call);
		return NULL;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct device *device = inventory_device(call->api->inventory, list->macs[i]);

		if (device && device_is_claimed(device)) {
			list->macs[kept++] = list->macs[i];
			continue;
		}
		call->answer->skipped[call->answer->skipped_count++] =
			(struct api_skipped){.mac = list->macs[i], .is_unclaimed = device != NULL};
	}
	list->count = kept;
	return list;
}

static void carry_out(struct call *call, const struct selection *selection)
{
	struct resync_list *list;

	if (!selection->macs && !selection->is_all &&
	    !inventory_profile(call->api->inventory, selection->profile)) {
		call_fail(call, 404, "there is no profile of this name",
			  "see those that there are with `bellhop profile list`");
		return;
	}
	if (selection->macs) {
		list = select_by_mac(call, selection);
	} else {
		list = select_by_walk(call, selection);
		if (!list) {
			call_fail_memory(call);
		}
	}
	if (!list) {
		return;
	}
	if (selection->is_dry) {
		qsort(list->macs, list->count, sizeof(list->macs[0]), compare_macs);
		answer_dry_run(call, selection, list);
		free(list);
		return;
	}
	call->answer->verdict = API_ORDER;
	call->answer->order = list;
	call->answer->accepted = list->count;
}

/* --- Reading it. --- */

static bool fail_body(struct call *call, const char *error)
{
	call_fail(call, 400, error,
		  "send {\"macs\": [MAC, ...]}, {\"profile\": NAME} or {\"all\": true}, and "
		  "\"dry_run\": true to be told only");
	return false;
}

static bool read_after(struct call *call, const json_t *value, struct selection *selection)
{
	selection->has_after = true;
	if (!json_is_string(value) ||
	    mac_parse(span_make(json_string_value(value), json_string_length(value)),
		      &selection->after) < 0) {
		return fail_body(call, "after is not a MAC address");
	}
	return true;
}

/* `is_one`: the path names the device. */
static bool read_body(struct call *call, json_t *body, bool is_one, struct selection *selection)
{
	const char *name;
	json_t *value;
	unsigned ways = 0;

	json_object_foreach(body, name, value)
	{
		if (strcmp(name, "dry_run") == 0 && json_is_boolean(value)) {
			selection->is_dry = json_is_true(value);
		} else if (!is_one && strcmp(name, "macs") == 0 && json_is_array(value)) {
			selection->macs = value;
			ways++;
		} else if (!is_one && strcmp(name, "profile") == 0 && json_is_string(value)) {
			selection->profile =
				span_make(json_string_value(value), json_string_length(value));
			ways++;
		} else if (!is_one && strcmp(name, "all") == 0 && json_is_true(value)) {
			selection->is_all = true;
			ways++;
		} else if (!is_one && strcmp(name, "after") == 0) {
			if (!read_after(call, value, selection)) {
				return false;
			}
		} else {
			return fail_body(call, "an order has no such member, or not with such a "
					       "value");
		}
	}
	return is_one || ways == 1 || fail_body(call, "it is not said, or said twice, for whom");
}

static void order_many(struct call *call, enum resync_order order)
{
	struct selection selection = {.order = order};
	json_t *body = call_body(call);

	if (body && read_body(call, body, false, &selection)) {
		carry_out(call, &selection);
	}
	json_decref(body);
}

static void order_one(struct call *call, enum resync_order order)
{
	const struct device *device = call_device(call);
	struct selection selection = {.order = order};
	json_t *body = device ? call_body(call) : NULL;
	char mac[mac_text_size];
	json_t *macs;

	if (!body || !read_body(call, body, true, &selection)) {
		json_decref(body);
		return;
	}
	json_decref(body);
	if (!device_is_claimed(device)) {
		call_fail(call, 409, "nobody claimed this device",
			  "claim it with `bellhop device claim MAC`");
		return;
	}
	mac_text(device->mac, mac);
	macs = json_array();
	if (json_array_append_new(macs, json_string(mac)) < 0) {
		call_fail_memory(call);
	} else {
		selection.macs = macs;
		carry_out(call, &selection);
	}
	json_decref(macs);
}

void api_device_resync(struct call *call)
{
	order_one(call, RESYNC_ORDER_FETCH);
}

void api_device_reboot(struct call *call)
{
	order_one(call, RESYNC_ORDER_REBOOT);
}

void api_resync(struct call *call)
{
	order_many(call, RESYNC_ORDER_FETCH);
}

void api_reboot(struct call *call)
{
	order_many(call, RESYNC_ORDER_REBOOT);
}

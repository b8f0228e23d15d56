/* SPDX-License-Identifier: MIT */
/*
 * Listing devices. The page of MACs is chosen in one walk; the devices themselves are written in
 * slices (api_list_step), between which the inventory's lock is free.
 */
#include "core/admin/api_internal.h"

#include <stdlib.h>

struct filter {
	bool has_state;
	enum device_state state;
	struct span vendor;
	struct span model;
	struct span profile;
	struct span search; /* part of the MAC or of the label */
	bool has_after;
	struct mac after;
};

static bool contains_nocase(struct span whole, struct span part)
{
	for (size_t i = 0; i + part.length <= whole.length; i++) {
		if (span_starts_with_nocase(span_slice(whole, i, whole.length), part)) {
			return true;
		}
	}
	return false;
}

static bool matches(const struct filter *filter, const struct device *device)
{
	struct span profile = device->profile[0] ? span_text(device->profile) : SPAN("default");
	char mac[mac_text_size];

	if (filter->has_after && mac_compare(device->mac, filter->after) <= 0) {
		return false;
	}
	if (filter->has_state && device->state != filter->state) {
		return false;
	}
	if ((!span_is_empty(filter->vendor) &&
	     !span_equal(filter->vendor, span_text(device->vendor))) ||
	    (!span_is_empty(filter->model) &&
	     !span_equal_nocase(filter->model, span_text(device->model))) ||
	    (!span_is_empty(filter->profile) && !span_equal(filter->profile, profile))) {
		return false;
	}
	if (span_is_empty(filter->search)) {
		return true;
	}
	mac_text(device->mac, mac);
	return contains_nocase(span_text(mac), filter->search) ||
	       contains_nocase(span_text(device->label), filter->search);
}

static bool read_filter(struct call *call, struct filter *filter)
{
	struct span state = call_parameter(call, SPAN("state"));
	struct span after = call_parameter(call, SPAN("after"));

	*filter = (struct filter){
		.vendor = call_parameter(call, SPAN("vendor")),
		.model = call_parameter(call, SPAN("model")),
		.profile = call_parameter(call, SPAN("profile")),
		.search = call_parameter(call, SPAN("search")),
		.has_state = !span_is_empty(state),
		.has_after = !span_is_empty(after),
	};
	if (filter->has_state && device_state_parse(state, &filter->state) < 0) {
		call_fail(call, 400, "there is no such state",
			  "use new, claimed, notified, fetched, stale or blocked");
		return false;
	}
	if (filter->has_after && mac_parse(after, &filter->after) < 0) {
		call_fail(call, 400, "after is not a MAC address",
			  "give the MAC of the last device of the page before");
		return false;
	}
	return true;
}

/* --- The smallest MACs: a heap with the greatest of them at its top. --- */

static void sift_down(struct mac *heap, size_t count, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;
		struct mac held;

		if (child >= count) {
			return;
		}
		if (child + 1 < count && mac_compare(heap[child + 1], heap[child]) > 0) {
			child++;
		}
		if (mac_compare(heap[child], heap[at]) <= 0) {
			return;
		}
		held = heap[at];
		heap[at] = heap[child];
		heap[child] = held;
		at = child;
	}
}

static void sift_up(struct mac *heap, size_t at)
{
	while (at > 0 && mac_compare(heap[at], heap[(at - 1) / 2]) > 0) {
		struct mac held = heap[at];

		heap[at] = heap[(at - 1) / 2];
		heap[(at - 1) / 2] = held;
		at = (at - 1) / 2;
	}
}

static void keep_smallest(struct api_list *list, size_t limit, struct mac mac)
{
	if (list->count < limit) {
		list->macs[list->count++] = mac;
		sift_up(list->macs, list->count - 1);
		return;
	}
	list->has_more = true;
	if (limit > 0 && mac_compare(mac, list->macs[0]) < 0) {
		list->macs[0] = mac;
		sift_down(list->macs, list->count, 0);
	}
}

static int compare_macs(const void *a, const void *b)
{
	return mac_compare(*(const struct mac *)a, *(const struct mac *)b);
}

void api_devices_list(struct call *call)
{
	struct api_list *list = &call->answer->list;
	const struct device *device;
	struct filter filter;
	size_t cursor = 0;
	uint64_t limit;

	if (!read_filter(call, &filter) ||
	    !call_number(call, SPAN("limit"), api_list_max, api_list_max, &limit)) {
		return;
	}
	list->macs = malloc((limit + 1) * sizeof(*list->macs));
	if (!list->macs) {
		call_fail_memory(call);
		return;
	}
	while ((device = inventory_next_device(call->api->inventory, &cursor))) {
		if (matches(&filter, device)) {
			keep_smallest(list, limit, device->mac);
		}
	}
	qsort(list->macs, list->count, sizeof(*list->macs), compare_macs);
	list->has_secrets = call_flag(call, SPAN("secrets"));
	list->is_effective = call_flag(call, SPAN("effective"));
	call->answer->verdict = API_LIST;
}

/* --- Writing it, slice by slice. --- */

static bool append(struct api_list *list, struct span bytes)
{
	if (list->size - list->length < bytes.length + 1) {
		size_t size = (list->size + bytes.length + 1) * 2;
		char *text = realloc(list->text, size);

		if (!text) {
			return false;
		}
		list->text = text;
		list->size = size;
	}
	memcpy(list->text + list->length, bytes.data, bytes.length);
	list->length += bytes.length;
	return true;
}

static bool append_device(struct api_list *list, const struct inventory *inventory,
			  const struct device *device)
{
	json_t *json = api_json_device(inventory, device, list->has_secrets, list->is_effective);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	bool is_first = list->length == 0;
	bool is_good = text && append(list, is_first ? SPAN("{\"devices\":[\n") : SPAN(",\n")) &&
		       append(list, span_text(text));

	json_decref(json);
	free(text);
	return is_good;
}

static bool append_end(struct api_list *list)
{
	char mac[mac_text_size];

	if (list->length == 0 && !append(list, SPAN("{\"devices\":["))) {
		return false;
	}
	if (!list->has_more || list->count == 0) {
		return append(list, SPAN("\n],\"next\":null}\n"));
	}
	mac_text(list->macs[list->count - 1], mac);
	return append(list, SPAN("\n],\"next\":\"")) && append(list, span_text(mac)) &&
	       append(list, SPAN("\"}\n"));
}

bool api_list_step(const struct api_context *api, struct api_answer *answer)
{
	struct api_list *list = &answer->list;
	size_t end = list->next + api_list_slice;
	bool is_good = true;

	for (; list->next < list->count && list->next < end && is_good; list->next++) {
		/* It may have been removed since the page was chosen. */
		const struct device *device =
			inventory_device(api->inventory, list->macs[list->next]);

		if (device) {
			is_good = append_device(list, api->inventory, device);
		}
	}
	if (is_good && list->next < list->count) {
		return true;
	}
	if (!is_good || !append_end(list)) {
		api_fail(answer, 503, "the server is out of memory", "ask for fewer devices");
		return false;
	}
	answer->verdict = API_ANSWER;
	answer->status = 200;
	answer->content_type = "application/json";
	answer->owned = list->text;
	answer->body = span_make(list->text, list->length);
	list->text = NULL;
	return false;
}

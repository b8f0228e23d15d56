/* SPDX-License-Identifier: MIT */
#include "core/admin/api_internal.h"

#include <stdlib.h>

void api_events_get(struct call *call)
{
	struct api_events_query *events = &call->answer->events;
	struct span device = call_parameter(call, SPAN("device"));
	uint64_t limit;

	if (!call_number(call, SPAN("after"), INT64_MAX, 0, &events->after) ||
	    !call_number(call, SPAN("limit"), api_events_max, 100, &limit)) {
		return;
	}
	events->has_mac = !span_is_empty(device);
	if (events->has_mac && mac_parse(device, &events->mac) < 0) {
		call_fail(call, 400, "device is not a MAC address",
			  "give 12 hexadecimal digits, as 00908f123456");
		return;
	}
	events->is_follow = call_flag(call, SPAN("follow"));
	events->limit = limit;
	call->answer->verdict = API_EVENTS;
	call->answer->status = 200;
	call->answer->content_type = "application/x-ndjson";
}

/* Its members beside those that every event has, which stay as they are. */
static int add_detail(json_t *json, struct span detail)
{
	json_t *members;
	int failed;

	if (span_is_empty(detail)) {
		return 0;
	}
	members = json_loadb(detail.data, detail.length, JSON_ALLOW_NUL, NULL);
	/* What somebody wrote into the database by hand may be anything. */
	failed = json_is_object(members) ? json_object_update_missing(json, members) : 0;
	json_decref(members);
	return failed;
}

char *api_event_line(const struct event *event, size_t *length)
{
	json_t *json = json_object();
	char mac[mac_text_size];
	char source[endpoint_text_size];
	char *line = NULL;
	char *text;
	int failed = 0;

	failed |= api_json_set(json, "id", json_integer((json_int_t)event->id));
	failed |= api_json_set(json, "time", api_json_time(event->utc_ms));
	failed |= api_json_set(json, "level", api_json_string(report_level_name(event->level)));
	failed |= api_json_set(json, "reason", api_json_string(event->reason));
	if (event->has_mac) {
		mac_text(event->mac, mac);
		failed |= api_json_set(json, "mac", api_json_string(mac));
	}
	if (address_is_set(event->source.address)) {
		endpoint_text(event->source, source);
		failed |= api_json_set(json, "source", api_json_string(source));
	}
	failed |= api_json_set(json, "text", api_json_text(event->text));
	failed |= add_detail(json, event->detail);
	text = failed ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text) {
		return NULL;
	}
	*length = strlen(text) + 1;
	line = realloc(text, *length + 1);
	if (!line) {
		free(text);
		return NULL;
	}
	line[*length - 1] = '\n';
	line[*length] = '\0';
	return line;
}

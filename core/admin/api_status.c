/* SPDX-License-Identifier: MIT */
#include "core/admin/api_internal.h"

#include <stdlib.h>

static json_t *devices_json(const struct inventory *inventory)
{
	json_t *json = json_object();
	int failed =
		api_json_set(json, "total", json_integer((json_int_t)inventory->devices.count));

	for (int state = DEVICE_NEW; state <= DEVICE_BLOCKED; state++) {
		failed |= api_json_set(json, device_state_name((enum device_state)state),
				       json_integer((json_int_t)inventory->count_by_state[state]));
	}
	failed |=
		api_json_set(json, "max", json_integer((json_int_t)inventory->limits.devices_max));
	failed |= api_json_set(json, "refused_new",
			       json_integer((json_int_t)inventory_refused_new(inventory)));
	return api_json_whole(json, failed);
}

static json_t *vendors_json(const struct inventory *inventory)
{
	json_t *json = json_array();
	int failed = 0;

	for (size_t i = 0; i < inventory->vendors.count; i++) {
		failed |= json_array_append_new(json,
						api_json_text(inventory->vendors.packs[i]->name));
	}
	return api_json_whole(json, failed);
}

static json_t *listeners_json(const struct api_facts *facts)
{
	json_t *json = json_array();
	int failed = 0;

	for (size_t i = 0; i < facts->listener_count; i++) {
		json_t *row = json_object();

		failed |= api_json_set(row, "door", api_json_string(facts->listeners[i].door));
		failed |=
			api_json_set(row, "address", api_json_string(facts->listeners[i].address));
		failed |= json_array_append_new(json, row);
	}
	return api_json_whole(json, failed);
}

static json_t *counters_json(const struct api_facts *facts)
{
	json_t *json = json_object();
	int failed = !json;

	for (size_t i = 0; i < facts->counter_count && !failed; i++) {
		const struct api_counter *counter = &facts->counters[i];
		json_t *group = json_object_get(json, counter->group);

		if (!group) {
			group = json_object();
			failed |= api_json_set(json, counter->group, group);
		}
		if (!failed) {
			failed |= api_json_set(group, counter->reason,
					       json_integer((json_int_t)counter->count));
		}
	}
	return api_json_whole(json, failed);
}

static json_t *warnings_json(const struct api_facts *facts)
{
	json_t *json = json_array();
	int failed = 0;

	for (size_t i = 0; i < facts->warning_count; i++) {
		failed |= json_array_append_new(json, api_json_string(facts->warnings[i]));
	}
	return api_json_whole(json, failed);
}

void api_status_get(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	const struct api_facts *facts = call->api->facts;
	uint64_t up_ms = facts->now_utc_ms > facts->since_utc_ms
				 ? facts->now_utc_ms - facts->since_utc_ms
				 : 0;
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "version", api_json_string(facts->version));
	failed |= api_json_set(json, "pid", json_integer(facts->pid));
	failed |= api_json_set(json, "data", api_json_string(facts->data));
	failed |= api_json_set(json, "since", api_json_time(facts->since_utc_ms));
	failed |= api_json_set(json, "now", api_json_time(facts->now_utc_ms));
	failed |= api_json_set(json, "uptime_s", json_integer((json_int_t)(up_ms / 1000)));
	failed |= api_json_set(json, "devices", devices_json(inventory));
	failed |=
		api_json_set(json, "profiles", json_integer((json_int_t)inventory->profiles.count));
	failed |= api_json_set(json, "files", json_integer((json_int_t)inventory->files.count));
	failed |= api_json_set(json, "vendors", vendors_json(inventory));
	failed |= api_json_set(json, "listeners", listeners_json(facts));
	failed |= api_json_set(json, "counters", counters_json(facts));
	failed |= api_json_set(json, "warnings", warnings_json(facts));
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

/* --- /metrics: the text format of Prometheus, version 0.0.4. --- */

static void metric(struct writer *w, const char *name, const char *label, const char *value,
		   uint64_t number)
{
	writer_text(w, name);
	if (label) {
		writer_text(w, "{");
		writer_text(w, label);
		writer_text(w, "=\"");
		/* Label values escape backslash, quote and line feed. */
		for (const char *at = value; *at; at++) {
			if (*at == '\\' || *at == '"') {
				writer_char(w, '\\');
			}
			writer_char(w, *at == '\n' ? ' ' : *at);
		}
		writer_text(w, "\"}");
	}
	writer_char(w, ' ');
	writer_unsigned(w, number);
	writer_char(w, '\n');
}

static void metric_head(struct writer *w, const char *name, const char *type, const char *help)
{
	writer_text(w, "# HELP ");
	writer_text(w, name);
	writer_char(w, ' ');
	writer_text(w, help);
	writer_text(w, "\n# TYPE ");
	writer_text(w, name);
	writer_char(w, ' ');
	writer_text(w, type);
	writer_char(w, '\n');
}

/* One family a group; samples of a family stand together, as the format wants it. */
static void write_counters(struct writer *w, const struct api_facts *facts)
{
	for (size_t i = 0; i < facts->counter_count; i++) {
		const char *group = facts->counters[i].group;
		char buffer[96];
		struct writer name = writer_over(buffer, sizeof(buffer));
		bool is_told = false;

		for (size_t j = 0; j < i && !is_told; j++) {
			is_told = strcmp(facts->counters[j].group, group) == 0;
		}
		writer_text(&name, "bellhop_");
		writer_text(&name, group);
		writer_text(&name, "_total");
		writer_terminate(&name);
		if (is_told || name.failed) {
			continue;
		}
		metric_head(w, buffer, "counter", "How often it happened, by reason.");
		for (size_t j = i; j < facts->counter_count; j++) {
			if (strcmp(facts->counters[j].group, group) == 0) {
				metric(w, buffer, "reason", facts->counters[j].reason,
				       facts->counters[j].count);
			}
		}
	}
}

static void write_metrics(struct writer *w, const struct inventory *inventory,
			  const struct api_facts *facts)
{
	metric_head(w, "bellhop_info", "gauge", "The running version.");
	metric(w, "bellhop_info", "version", facts->version, 1);
	metric_head(w, "bellhop_start_time_seconds", "gauge", "When it was started, Unix time.");
	metric(w, "bellhop_start_time_seconds", NULL, NULL, facts->since_utc_ms / 1000);
	metric_head(w, "bellhop_devices", "gauge", "Devices by state.");
	for (int state = DEVICE_NEW; state <= DEVICE_BLOCKED; state++) {
		metric(w, "bellhop_devices", "state", device_state_name((enum device_state)state),
		       inventory->count_by_state[state]);
	}
	metric_head(w, "bellhop_devices_max", "gauge", "How many devices there is room for.");
	metric(w, "bellhop_devices_max", NULL, NULL, inventory->limits.devices_max);
	metric_head(w, "bellhop_devices_refused_total", "counter",
		    "Unknown phones that were not listed because there was no room.");
	metric(w, "bellhop_devices_refused_total", NULL, NULL, inventory_refused_new(inventory));
	metric_head(w, "bellhop_profiles", "gauge", "Profiles.");
	metric(w, "bellhop_profiles", NULL, NULL, inventory->profiles.count);
	metric_head(w, "bellhop_files", "gauge", "Files in the catalogue.");
	metric(w, "bellhop_files", NULL, NULL, inventory->files.count);
	write_counters(w, facts);
}

void api_metrics_get(struct call *call)
{
	const struct api_facts *facts = call->api->facts;
	size_t size = 8192 + facts->counter_count * 512;
	char *bytes = malloc(size);
	struct writer w = writer_over(bytes, bytes ? size : 0);

	write_metrics(&w, call->api->inventory, facts);
	if (w.failed) {
		free(bytes);
		call_fail_memory(call);
		return;
	}
	call_answer_bytes(call, "text/plain; version=0.0.4; charset=utf-8", bytes, w.length);
}

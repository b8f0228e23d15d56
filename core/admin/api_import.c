/* SPDX-License-Identifier: MIT */
/* Many devices claimed in one step: all of them or none, unless the request says `partial`. */
#include "core/admin/api_internal.h"

#include <errno.h>
#include <stdio.h>

/* What a handler has just said of one device, kept for the answer to all. */
static void keep_refusal(struct call *call, json_t *rows, const struct change *change, bool has_mac)
{
	json_t *said = json_loadb(call->answer->body.data ? call->answer->body.data : "",
				  call->answer->body.length, 0, NULL);
	const char *what = json_string_value(json_object_get(said, "error"));
	json_t *row = json_object();
	char mac[mac_text_size] = "";

	if (has_mac) {
		mac_text(change->mac, mac);
	}
	(void)api_json_set(row, "row", json_integer(change->row));
	(void)api_json_set(row, "mac", api_json_string(mac));
	(void)api_json_set(row, "error", api_json_string(what ? what : "out of memory"));
	(void)json_array_append_new(rows, row);
	json_decref(said);
}

static void read_one(struct call *call, json_t *device, unsigned number, struct change *change,
		     json_t *rows)
{
	const json_t *mac = json_object_get(device, "mac");
	json_t *row = json_object_get(device, "row");

	change->kind = CHANGE_DEVICE_CLAIM;
	change->row = json_is_integer(row) && json_integer_value(row) > 0 &&
				      json_integer_value(row) < INT32_MAX
			      ? (unsigned)json_integer_value(row)
			      : number;
	if (!json_is_object(device) || !json_is_string(mac) ||
	    mac_parse(span_make(json_string_value(mac), json_string_length(mac)), &change->mac) <
		    0 ||
	    !mac_is_device(change->mac)) {
		call_fail(call, 400, "mac is missing or is not the MAC address of a device", "");
		keep_refusal(call, rows, change, false);
		return;
	}
	(void)json_object_del(device, "row");
	if (!call_read_device(call, device, change)) {
		keep_refusal(call, rows, change, true);
	}
}

/* The answer to an import of which rows are refused. */
static json_t *refusal_json(size_t count, uint64_t refused, json_t *rows)
{
	json_t *json = json_object();
	char error[100];
	int failed = 0;

	snprintf(error, sizeof(error), "%llu of %zu devices cannot be claimed: none was",
		 (unsigned long long)refused, count);
	failed |= api_json_set(json, "error", api_json_string(error));
	failed |= api_json_set(json, "what_to_do",
			       json_string("correct the rows named, or leave them out"));
	failed |= api_json_set(json, "devices", json_integer((json_int_t)count));
	failed |= api_json_set(json, "refused", json_integer((json_int_t)refused));
	failed |= api_json_set(json, "rows", rows);
	return api_json_whole(json, failed);
}

static bool read_flag(struct call *call, const json_t *body, const char *name, bool *flag)
{
	const json_t *value = json_object_get(body, name);

	*flag = json_is_true(value);
	if (value && !json_is_boolean(value)) {
		call_fail(call, 400, "dry_run and partial are true or false",
			  "leave out what you do not mean");
		return false;
	}
	return true;
}

static void read_all(struct call *call, json_t *body)
{
	json_t *devices = json_object_get(body, "devices");
	size_t count = json_array_size(devices);
	struct change *change;
	struct change *group;
	json_t *rows;

	if (!json_is_array(devices) || count == 0 || count > change_group_max) {
		call_fail(call, 400, "devices is not a list of 1 to 10000 devices",
			  "send {\"devices\": [{\"mac\": \"00908f123456\"}]}");
		return;
	}
	change = call_change(call, CHANGE_DEVICES_IMPORT);
	group = change ? arena_array(call->arena, count, sizeof(*group)) : NULL;
	if (!group) {
		call_fail_memory(call);
		return;
	}
	if (!read_flag(call, body, "dry_run", &change->is_trial) ||
	    !read_flag(call, body, "partial", &change->is_partial)) {
		return;
	}
	rows = json_array();
	for (size_t i = 0; i < count; i++) {
		read_one(call, json_array_get(devices, i), (unsigned)i + 1, &group[i], rows);
	}
	change->group = group;
	change->group_count = count;
	if (call->answer->verdict != API_CHANGE) {
		call_answer_json(call, 400, refusal_json(count, json_array_size(rows), rows));
	} else {
		json_decref(rows);
	}
}

void api_devices_import(struct call *call)
{
	json_t *body = call_body(call);

	if (body) {
		read_all(call, body);
		json_decref(body);
	}
}

/* --- What came of it: the lines of core/fleet/prepare_group.c. --- */

/* "4 00908f123456 no such profile: x" */
static json_t *row_json(struct span line)
{
	struct span row = span_cut(&line, ' ');
	struct span mac = span_cut(&line, ' ');
	json_t *json = json_object();
	uint64_t number = 0;
	int failed = span_to_unsigned(row, UINT32_MAX, &number);

	failed |= api_json_set(json, "row", json_integer((json_int_t)number));
	failed |= api_json_set(json, "mac", api_json_text(mac));
	failed |= api_json_set(json, "error", api_json_text(line));
	return api_json_whole(json, failed);
}

static json_t *rows_json(struct span lines)
{
	json_t *list = json_array();

	while (lines.length > 0 && list) {
		if (json_array_append_new(list, row_json(span_cut(&lines, '\n'))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

void api_finish_import(struct api_answer *answer, int result, const char *problem)
{
	const struct change *change = answer->change;
	struct span lines = span_text(problem);
	struct span first = span_cut(&lines, '\n');
	uint64_t refused = 0;
	bool is_told = span_to_unsigned(first, change->group_count, &refused) == 0;
	json_t *json;
	int failed = 0;

	/* The database failed, or there was nothing to import. */
	if (!is_told || (result < 0 && refused == 0)) {
		api_answer_problem(answer, result < 0 ? result : -EIO, is_told ? "" : problem);
		return;
	}
	if (result < 0) {
		api_answer_json(answer, 400,
				refusal_json(change->group_count, refused, rows_json(lines)));
		return;
	}
	json = json_object();
	failed |= api_json_set(json, "devices", json_integer((json_int_t)change->group_count));
	failed |= api_json_set(json, "refused", json_integer((json_int_t)refused));
	failed |= api_json_set(json, "dry_run", json_boolean(change->is_trial));
	failed |= api_json_set(json, "rows", rows_json(lines));
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	api_answer_json(answer, 200, json);
}

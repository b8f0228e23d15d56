/* SPDX-License-Identifier: MIT */
#include "core/admin/api_internal.h"
#include "core/http/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* {name} is one part of a path, {name...} all the rest of it. */
static const struct route {
	const char *method;
	const char *path;
	call_handler_fn *handle;
} routes[] = {
	{"GET", "/api/v1/status", api_status_get},
	{"GET", "/api/v1/devices", api_devices_list},
	{"POST", "/api/v1/devices", api_devices_add},
	{"GET", "/api/v1/devices/{mac}", api_device_get},
	{"PATCH", "/api/v1/devices/{mac}", api_device_set},
	{"DELETE", "/api/v1/devices/{mac}", api_device_remove},
	{"POST", "/api/v1/devices/{mac}/claim", api_device_claim},
	{"POST", "/api/v1/devices/{mac}/block", api_device_block},
	{"POST", "/api/v1/devices/{mac}/unblock", api_device_unblock},
	{"POST", "/api/v1/devices/{mac}/resync", api_device_resync},
	{"POST", "/api/v1/devices/{mac}/reboot", api_device_reboot},
	{"POST", "/api/v1/resync", api_resync},
	{"POST", "/api/v1/reboot", api_reboot},
	{"GET", "/api/v1/devices/{mac}/files", api_device_files},
	{"GET", "/api/v1/devices/{mac}/preview", api_device_preview},
	{"GET", "/api/v1/devices/{mac}/preview/{file...}", api_device_preview},
	{"POST", "/api/v1/devices/import", api_devices_import},
	{"GET", "/api/v1/devices/{mac}/rules", api_device_rules},
	{"GET", "/api/v1/rules", api_rules_list},
	{"GET", "/api/v1/rules/{name}", api_rule_get},
	{"PUT", "/api/v1/rules/{name}", api_rule_put},
	{"DELETE", "/api/v1/rules/{name}", api_rule_remove},
	{"GET", "/api/v1/pools", api_pools_list},
	{"GET", "/api/v1/pools/{name}", api_pool_get},
	{"PUT", "/api/v1/pools/{name}", api_pool_put},
	{"DELETE", "/api/v1/pools/{name}", api_pool_remove},
	{"GET", "/api/v1/unidentified", api_unidentified_list},
	{"GET", "/api/v1/profiles", api_profiles_list},
	{"GET", "/api/v1/profiles/{name}", api_profile_get},
	{"PATCH", "/api/v1/profiles/{name}", api_profile_set},
	{"DELETE", "/api/v1/profiles/{name}", api_profile_remove},
	{"GET", "/api/v1/files", api_files_list},
	{"PUT", "/api/v1/files/{name...}", api_file_put},
	{"DELETE", "/api/v1/files/{name...}", api_file_remove},
	{"GET", "/api/v1/forms", api_forms_list},
	{"PUT", "/api/v1/forms", api_form_pin},
	{"DELETE", "/api/v1/forms", api_form_forget},
	{"GET", "/api/v1/database", api_database_get},
	{"PUT", "/api/v1/database", api_database_put},
	{"GET", "/api/v1/events", api_events_get},
	{"GET", "/api/v1/settings", api_settings_list},
	{"GET", "/api/v1/packs", api_packs_list},
	{"GET", "/api/v1/packs/{name}", api_pack_get},
	{"GET", "/api/v1/openapi.json", api_openapi_get},
	{"GET", "/metrics", api_metrics_get},
};

enum { route_count = sizeof(routes) / sizeof(routes[0]) };

static const char memory_text[] =
	"{\"error\":\"the server is out of memory\",\"what_to_do\":\"try again later\"}\n";

bool api_route_at(size_t i, struct span *method, struct span *path)
{
	if (i >= route_count) {
		return false;
	}
	*method = span_text(routes[i].method);
	*path = span_text(routes[i].path);
	return true;
}

/* --- Answers. --- */

static void drop_body(struct api_answer *answer)
{
	free(answer->owned);
	answer->owned = NULL;
	answer->body = span_make(NULL, 0);
}

static void answer_memory(struct api_answer *answer)
{
	drop_body(answer);
	answer->verdict = API_ANSWER;
	answer->status = 503;
	answer->content_type = "application/json";
	answer->body = span_make(memory_text, sizeof(memory_text) - 1);
}

void api_answer_json(struct api_answer *answer, unsigned status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	size_t length = text ? strlen(text) : 0;
	char *line = text ? realloc(text, length + 2) : NULL;

	json_decref(json);
	if (!line) {
		free(text);
		answer_memory(answer);
		return;
	}
	line[length] = '\n';
	line[length + 1] = '\0';
	drop_body(answer);
	answer->verdict = API_ANSWER;
	answer->status = status;
	answer->content_type = "application/json";
	answer->owned = line;
	answer->body = span_make(line, length + 1);
}

void api_fail(struct api_answer *answer, unsigned status, const char *error, const char *what_to_do)
{
	json_t *json = json_object();

	if (json && (json_object_set_new(json, "error", api_json_string(error)) < 0 ||
		     json_object_set_new(json, "what_to_do", api_json_string(what_to_do)) < 0)) {
		json_decref(json);
		json = NULL;
	}
	api_answer_json(answer, status, json);
}

void api_fail_length(struct api_answer *answer)
{
	api_fail(answer, 413, "the body is too long", "send less in one request");
}

void call_answer_json(struct call *call, unsigned status, json_t *json)
{
	api_answer_json(call->answer, status, json);
}

void call_answer_bytes(struct call *call, const char *content_type, char *bytes, size_t length)
{
	drop_body(call->answer);
	call->answer->verdict = API_ANSWER;
	call->answer->status = 200;
	call->answer->content_type = content_type;
	call->answer->owned = bytes;
	call->answer->body = span_make(bytes, length);
}

void call_fail(struct call *call, unsigned status, const char *error, const char *what_to_do)
{
	api_fail(call->answer, status, error, what_to_do);
}

void call_fail_memory(struct call *call)
{
	answer_memory(call->answer);
}

void api_answer_free(struct api_answer *answer)
{
	drop_body(answer);
	free(answer->order);
	answer->order = NULL;
	free(answer->list.macs);
	free(answer->list.text);
	answer->list = (struct api_list){.macs = NULL};
}

/* --- What handlers ask of their call. --- */

bool call_mac(struct call *call, struct mac *mac)
{
	if (mac_parse(call->arguments[0], mac) < 0 || !mac_is_device(*mac)) {
		call_fail(call, 400, "that is not the MAC address of a device",
			  "give 12 hexadecimal digits, as 00908f123456 or 00:90:8f:12:34:56");
		return false;
	}
	return true;
}

const struct device *call_device(struct call *call)
{
	const struct device *device = NULL;
	struct mac mac;

	if (call_mac(call, &mac)) {
		device = inventory_device(call->api->inventory, mac);
		if (!device) {
			call_fail(call, 404, "there is no device with this MAC address",
				  "see those that there are with `bellhop device list`");
		}
	}
	return device;
}

struct span call_parameter(struct call *call, struct span name)
{
	char *room = arena_allocate(call->arena, call->query.length + 1);
	struct writer w = writer_over(room, room ? call->query.length + 1 : 0);

	if (!room || http_query_value(call->query, name, &w) < 0) {
		return span_make(NULL, 0);
	}
	return writer_span(&w);
}

bool call_flag(struct call *call, struct span name)
{
	struct span value = call_parameter(call, name);

	return span_equal(value, SPAN("1")) || span_equal(value, SPAN("true"));
}

bool call_number(struct call *call, struct span name, uint64_t max, uint64_t otherwise,
		 uint64_t *number)
{
	struct span value = call_parameter(call, name);
	char text[128];

	*number = otherwise;
	if (span_is_empty(value) || span_to_unsigned(value, max, number) == 0) {
		return true;
	}
	snprintf(text, sizeof(text), "the parameter %.20s is not a number that can be used",
		 name.data);
	call_fail(call, 400, text, "give a whole number within the limits of openapi.json");
	return false;
}

json_t *call_body(struct call *call)
{
	struct span body = call->request->body;
	json_error_t error;
	json_t *json;
	char text[300];

	if (span_is_empty(body)) {
		json = json_object();
		if (!json) {
			call_fail_memory(call);
		}
		return json;
	}
	if (body.length > api_json_body_max) {
		api_fail_length(call->answer);
		return NULL;
	}
	json = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		snprintf(text, sizeof(text), "the body is not JSON: %s (line %d, column %d)",
			 error.text, error.line, error.column);
		call_fail(call, 400, text, "send one JSON object in UTF-8");
		return NULL;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		call_fail(call, 400, "the body is JSON, but not an object",
			  "send one JSON object in UTF-8");
		return NULL;
	}
	return json;
}

struct change *call_change(struct call *call, enum change_kind kind)
{
	struct change *change = arena_allocate(call->arena, sizeof(*change));

	if (!change) {
		call_fail_memory(call);
		return NULL;
	}
	change->kind = kind;
	call->answer->verdict = API_CHANGE;
	call->answer->change = change;
	return change;
}

/* --- From a request to its handler. --- */

/* One part of a path against one of a pattern; placeholders are decoded into the call. */
static bool match_part(struct call *call, struct span pattern, struct span part, size_t *argument)
{
	char *room;
	struct writer w;

	if (span_is_empty(pattern) || pattern.data[0] != '{') {
		return span_equal(pattern, part);
	}
	room = arena_allocate(call->arena, part.length + 1);
	w = writer_over(room, room ? part.length + 1 : 0);
	if (span_is_empty(part) || !room || http_percent_decode(part, &w) < 0) {
		return false;
	}
	call->arguments[(*argument)++] = writer_span(&w);
	return true;
}

static bool match_path(struct call *call, struct span pattern)
{
	struct span path = call->path;
	size_t argument = 0;

	while (pattern.data && path.data) {
		struct span wanted = span_cut(&pattern, '/');
		struct span part;

		if (span_ends_with(wanted, SPAN("...}"))) {
			return match_part(call, wanted, path, &argument);
		}
		part = span_cut(&path, '/');
		if (!match_part(call, wanted, part, &argument)) {
			return false;
		}
	}
	return !pattern.data && !path.data;
}

/* Methods that this path takes, for Allow; NULL when it takes none. */
static const char *methods_allowed(struct call *call)
{
	char *room = arena_allocate(call->arena, 64);
	struct writer w = writer_over(room, room ? 64 : 0);

	for (size_t i = 0; i < route_count; i++) {
		if (match_path(call, span_text(routes[i].path))) {
			writer_text(&w, w.length > 0 ? ", " : "");
			writer_text(&w, routes[i].method);
		}
	}
	writer_terminate(&w);
	return w.length > 0 && !w.failed ? w.data : NULL;
}

static void refuse(struct call *call)
{
	const char *allowed = methods_allowed(call);

	if (allowed) {
		call_fail(call, 405, "this method is not for this path",
			  "see /api/v1/openapi.json for what there is");
		call->answer->allow = allowed;
		return;
	}
	call_fail(call, 404, "there is nothing at this path",
		  "see /api/v1/openapi.json for what there is");
}

/* The route that a call takes; its arguments are in the call. NULL: none. */
static const struct route *find_route(struct call *call, struct span method)
{
	if (span_equal(method, SPAN("HEAD"))) {
		method = SPAN("GET");
	}
	for (size_t i = 0; i < route_count; i++) {
		if (span_equal(method, span_text(routes[i].method)) &&
		    match_path(call, span_text(routes[i].path))) {
			return &routes[i];
		}
	}
	return NULL;
}

enum api_body api_body_of(struct span method, struct span path, struct arena *arena)
{
	struct call call = {.arena = arena, .path = path};
	const struct route *route = path.length > api_target_max ? NULL : find_route(&call, method);

	if (route && route->handle == api_file_put) {
		return API_BODY_FILE;
	}
	return route && route->handle == api_database_put ? API_BODY_DATABASE : API_BODY_JSON;
}

void api_handle(const struct api_context *api, const struct api_request *request,
		struct arena *arena, struct api_answer *answer)
{
	struct call call = {.api = api, .request = request, .arena = arena, .answer = answer};
	const struct route *route;

	*answer = (struct api_answer){.verdict = API_ANSWER};
	if (request->target.length > api_target_max) {
		api_fail(answer, 414, "the path is too long", "send a shorter one");
		return;
	}
	call.query = request->target;
	call.path = span_cut(&call.query, '?');
	route = find_route(&call, request->method);
	if (route) {
		route->handle(&call);
	} else {
		refuse(&call);
	}
}

/* --- What came of a change. --- */

static unsigned status_of(int result)
{
	switch (result) {
	case -ENOENT:
		return 404;
	case -EEXIST:
	case -EBUSY:
	case -ENOTDIR:
	case -EISDIR:
		return 409;
	case -EINVAL:
	case -ELOOP:
	case -ERANGE:
	case -E2BIG:
		return 400;
	case -ENOSPC:
	case -EDQUOT:
		return 507;
	case -ENOBUFS:
	case -ENOMEM:
		return 503;
	default:
		return 500;
	}
}

/* For sentences that do not say it themselves. */
static const char *remedy_of(unsigned status)
{
	switch (status) {
	case 400:
		return "correct that and try again";
	case 404:
		return "look at what there is with the list command";
	case 409:
		return "look at its state with the show command";
	default:
		return "see the server's log";
	}
}

/* Sentences are "what is wrong; what to do". */
void api_answer_problem(struct api_answer *answer, int result, const char *problem)
{
	struct span whole = span_text(problem);
	size_t at = span_search(whole, SPAN("; "));
	char error[1024];
	char what_to_do[1024];

	if (span_is_empty(whole)) {
		api_fail(answer, status_of(result),
			 result == -ENOBUFS ? "too many changes wait to be written"
					    : "the change could not be made",
			 "try again in a moment, and look at the server's log");
		return;
	}
	snprintf(error, sizeof(error), "%.*s", (int)at, whole.data);
	snprintf(what_to_do, sizeof(what_to_do), "%s",
		 at < whole.length ? whole.data + at + 2 : remedy_of(status_of(result)));
	api_fail(answer, status_of(result), error, what_to_do);
}

static json_t *json_removed(const struct change *change, const struct device *device)
{
	char subject[512];
	struct writer w = writer_over(subject, sizeof(subject));
	json_t *json = json_object();
	int failed;

	api_change_subject(change, &w);
	failed = api_json_set(json, "removed", api_json_text(writer_span(&w)));
	if (device) {
		const char *state = device_state_name(device->state);

		failed |= api_json_set(json, "state", api_json_string(state));
		failed |= api_json_set(json, "vendor", api_json_string(device->vendor));
		failed |= api_json_set(json, "model", api_json_string(device->model));
		failed |= api_json_set(json, "label", api_json_string(device->label));
	}
	return api_json_whole(json, failed);
}

/* What the change was about, as it is now. */
static json_t *json_of_subject(const struct api_context *api, const struct api_answer *answer)
{
	const struct change *change = answer->change;
	const struct device *device;
	const struct profile *profile;
	const struct catalogue_file *file;
	const struct form_record *form;

	switch (change->kind) {
	case CHANGE_DEVICE_ADD:
	case CHANGE_DEVICE_SET:
	case CHANGE_DEVICE_CLAIM:
	case CHANGE_DEVICE_BLOCK:
	case CHANGE_DEVICE_UNBLOCK:
	case CHANGE_DEVICE_SEEN:
	case CHANGE_DEVICE_NOTIFIED:
	case CHANGE_DEVICE_FETCHED:
	case CHANGE_DEVICE_RESYNC:
		device = inventory_device(api->inventory, change->mac);
		return device ? api_json_device(api->inventory, device, false, false)
			      : json_removed(change, answer->removed);
	case CHANGE_PROFILE_SET:
		profile = inventory_profile(api->inventory, change->profile);
		return profile ? api_json_profile(api->inventory, profile, false, false)
			       : json_removed(change, answer->removed);
	case CHANGE_RULE_SET:
	case CHANGE_POOL_SET:
		return api_json_rule_or_pool(api->inventory, change);
	case CHANGE_FILE_SET:
		file = inventory_file(api->inventory, change->file);
		return file ? api_json_file(file) : json_removed(change, answer->removed);
	case CHANGE_FORM_PIN:
		form = form_find(api->inventory, &(struct form_key){change->vendor, change->model,
								    change->firmware});
		return form ? api_json_form(form) : json_removed(change, answer->removed);
	case CHANGE_DEVICE_REMOVE:
	case CHANGE_PROFILE_REMOVE:
	case CHANGE_FILE_REMOVE:
	case CHANGE_FILE_HASHED:
	case CHANGE_UNIDENTIFIED_SEEN:
	case CHANGE_FORM_LEARNED:
	case CHANGE_FORM_FORGET:
	case CHANGE_RULE_REMOVE:
	case CHANGE_POOL_REMOVE:
	case CHANGE_DEVICES_IMPORT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return json_removed(change, answer->removed);
}

void api_finish(const struct api_context *api, struct api_answer *answer, int result,
		const char *problem)
{
	if (answer->change && answer->change->kind == CHANGE_DEVICES_IMPORT) {
		api_finish_import(answer, result, problem);
		return;
	}
	if (result < 0) {
		api_answer_problem(answer, result, problem);
		return;
	}
	if (answer->verdict == API_ORDER) {
		api_finish_order(api, answer);
		return;
	}
	api_answer_json(answer, answer->is_creation ? 201 : 200, json_of_subject(api, answer));
}

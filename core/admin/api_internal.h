/* SPDX-License-Identifier: MIT */
/*
 * What the files of the admin API share. A handler gets a call, and fills its answer by one of the
 * call_ functions.
 */
#ifndef BELLHOP_CORE_ADMIN_API_INTERNAL_H
#define BELLHOP_CORE_ADMIN_API_INTERNAL_H

#include "core/admin/api.h"

#include <jansson.h>

/* One request on its way through its handler. */
struct call {
	const struct api_context *api;
	const struct api_request *request;
	struct arena *arena;
	struct api_answer *answer;
	struct span path; /* of the target, still percent-encoded */
	struct span query;
	struct span arguments[2]; /* what stands at the placeholders, decoded, in the arena */
};

typedef void call_handler_fn(struct call *call);

/* Makes `answer` a JSON value, which is taken over; NULL stands for a lack of memory. */
void api_answer_json(struct api_answer *answer, unsigned status, json_t *json);

/* Makes `answer` the error that a negative errno and its sentence come to. */
void api_answer_problem(struct api_answer *answer, int result, const char *problem);

/* Answers with a JSON value, which is taken over; NULL stands for a lack of memory. */
void call_answer_json(struct call *call, unsigned status, json_t *json);

/* Answers with bytes made by malloc, taken over. */
void call_answer_bytes(struct call *call, const char *content_type, char *bytes, size_t length);

/* Error answers; the texts are copied. */
void call_fail(struct call *call, unsigned status, const char *error, const char *what_to_do);
void call_fail_memory(struct call *call);

/* The first argument as a MAC: true, or false and the answer is a 400. */
bool call_mac(struct call *call, struct mac *mac);

/* The device of the first argument, or NULL and the answer is a 400 or 404. */
const struct device *call_device(struct call *call);

/* A query parameter, decoded, in the arena; empty when it is not there (or cannot be read). */
struct span call_parameter(struct call *call, struct span name);

/* A parameter that is 1 or true. */
bool call_flag(struct call *call, struct span name);

/* A parameter that is a number: `otherwise` when it is not there. False: the answer is a 400. */
bool call_number(struct call *call, struct span name, uint64_t max, uint64_t otherwise,
		 uint64_t *number);

/* The body as a JSON object (an empty body is an empty object), or NULL and the answer is a 400. */
json_t *call_body(struct call *call);

/* A change for the call's arena, made the answer's; NULL without memory, answered. */
struct change *call_change(struct call *call, enum change_kind kind);

/* Puts a member into an object: 0, or -1 when either is NULL. The value is taken over. */
int api_json_set(json_t *object, const char *name, json_t *value);

/* `json`; or NULL, and it is freed, when one of its members could not be set. */
json_t *api_json_whole(json_t *json, int failed);

/* A JSON string of text that may hold anything: bytes that are not UTF-8 become U+FFFD. */
json_t *api_json_text(struct span text);
json_t *api_json_string(const char *text);
json_t *api_json_address(struct address address); /* null when it is not set */
json_t *api_json_time(uint64_t utc_ms);		  /* RFC 3339; 0: null */
json_t *api_json_settings(const struct settings *settings, bool has_secrets);

json_t *api_json_device(const struct inventory *inventory, const struct device *device,
			bool has_secrets, bool is_effective);
json_t *api_json_profile(const struct inventory *inventory, const struct profile *profile,
			 bool has_secrets, bool is_effective);
json_t *api_json_file(const struct catalogue_file *file);
json_t *api_json_form(const struct form_record *record);

/* Members that say what a device would be told now: form_in_force, form_reason, shape_in_force. */
int api_json_set_choice(json_t *json, const struct inventory *inventory,
			const struct device *device);

/* Reads a member "settings" of a body into the change: false, and the answer is a 400. */
bool call_read_settings(struct call *call, json_t *settings, struct change *change);

call_handler_fn api_status_get, api_metrics_get;
call_handler_fn api_devices_list, api_devices_add, api_device_get, api_device_set, api_device_claim,
	api_device_block, api_device_unblock, api_device_remove, api_device_files,
	api_device_preview;
call_handler_fn api_profiles_list, api_profile_get, api_profile_set, api_profile_remove;
call_handler_fn api_files_list, api_file_put, api_file_remove;
call_handler_fn api_packs_list, api_pack_get;
call_handler_fn api_forms_list, api_form_pin, api_form_forget;
call_handler_fn api_database_get, api_database_put;
call_handler_fn api_unidentified_list;
call_handler_fn api_events_get, api_settings_list, api_openapi_get;
call_handler_fn api_device_resync, api_device_reboot, api_resync, api_reboot;

/* What is told of an order that was handed on. */
void api_finish_order(const struct api_context *api, struct api_answer *answer);

call_handler_fn api_rules_list, api_rule_get, api_rule_put, api_rule_remove, api_device_rules;
call_handler_fn api_pools_list, api_pool_get, api_pool_put, api_pool_remove;
call_handler_fn api_devices_import;

/* The rule or pool that a change was about, as it is now. */
json_t *api_json_rule_or_pool(const struct inventory *inventory, const struct change *change);
json_t *api_json_rule(const struct rule *rule, bool has_secrets);
json_t *api_json_pool(const struct number_pool *pool);

/* Reads the members of one device of an import into the change. */
bool call_read_device(struct call *call, json_t *members, struct change *change);

/* What came of an import: as api_finish. */
void api_finish_import(struct api_answer *answer, int result, const char *problem);

/* openapi.json, embedded when the project is built. */
extern const char api_openapi[];
extern const size_t api_openapi_length;

#endif

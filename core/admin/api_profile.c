/* SPDX-License-Identifier: MIT */
#include "core/admin/api_internal.h"

#include <stdlib.h>

json_t *api_json_profile(const struct inventory *inventory, const struct profile *profile,
			 bool has_secrets, bool is_effective)
{
	json_t *json = json_object();
	struct settings effective = {.items = NULL};
	int failed = 0;

	failed |= api_json_set(json, "name", api_json_string(profile->name));
	failed |= api_json_set(json, "parent",
			       profile->parent[0] ? api_json_string(profile->parent) : json_null());
	failed |=
		api_json_set(json, "settings", api_json_settings(&profile->settings, has_secrets));
	if (is_effective) {
		int result =
			profile_effective(inventory, NULL, span_text(profile->name), &effective);

		failed |= api_json_set(json, "effective_settings",
				       result < 0 ? json_null()
						  : api_json_settings(&effective, has_secrets));
		settings_free(&effective);
	}
	return api_json_whole(json, failed);
}

static int compare_profiles(const void *a, const void *b)
{
	const struct profile *const *first = a;
	const struct profile *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

void api_profiles_list(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	size_t count = inventory->profiles.count;
	const struct profile **sorted =
		arena_array(call->arena, count > 0 ? count : 1, sizeof(struct profile *));
	json_t *json = json_object();
	json_t *list = json_array();
	size_t cursor = 0;
	int failed = !sorted;

	for (size_t i = 0; i < count && !failed; i++) {
		sorted[i] = inventory_next_profile(inventory, &cursor);
	}
	if (!failed) {
		qsort(sorted, count, sizeof(struct profile *), compare_profiles);
	}
	for (size_t i = 0; i < count && !failed; i++) {
		failed |= json_array_append_new(list,
						api_json_profile(inventory, sorted[i],
								 call_flag(call, SPAN("secrets")),
								 false));
	}
	failed |= api_json_set(json, "profiles", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

void api_profile_get(struct call *call)
{
	const struct profile *profile = inventory_profile(call->api->inventory, call->arguments[0]);

	if (!profile) {
		call_fail(call, 404, "there is no profile of this name",
			  "see those that there are with `bellhop profile list`");
		return;
	}
	call_answer_json(call, 200,
			 api_json_profile(call->api->inventory, profile,
					  call_flag(call, SPAN("secrets")),
					  call_flag(call, SPAN("effective"))));
}

static bool read_parent(struct call *call, const json_t *parent, struct change *change)
{
	if (!json_is_string(parent)) {
		call_fail(call, 400, "parent is not the name of a profile",
			  "send {\"parent\": \"default\"}");
		return false;
	}
	change->fields |= FIELD_PARENT;
	change->parent = arena_copy(call->arena, span_make(json_string_value(parent),
							   json_string_length(parent)));
	if (!change->parent.data) {
		call_fail_memory(call);
	}
	return change->parent.data != NULL;
}

void api_profile_set(struct call *call)
{
	json_t *body = call_body(call);
	struct change *change;
	const char *name;
	json_t *value;
	bool is_good = true;

	if (!body) {
		return;
	}
	change = call_change(call, CHANGE_PROFILE_SET);
	if (!change) {
		json_decref(body);
		return;
	}
	change->profile = call->arguments[0];
	call->answer->is_creation = !inventory_profile(call->api->inventory, change->profile);
	json_object_foreach(body, name, value)
	{
		if (!is_good) {
			break;
		}
		if (strcmp(name, "parent") == 0) {
			is_good = read_parent(call, value, change);
		} else if (strcmp(name, "settings") == 0) {
			is_good = call_read_settings(call, value, change);
		} else {
			is_good = false;
			call_fail(call, 400, "a profile has no such member that can be set",
				  "use parent or settings");
		}
	}
	json_decref(body);
}

void api_profile_remove(struct call *call)
{
	struct change *change = call_change(call, CHANGE_PROFILE_REMOVE);

	if (change) {
		change->profile = call->arguments[0];
	}
}

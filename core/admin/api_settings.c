/* SPDX-License-Identifier: MIT */
/* What settings there are, and openapi.json: what the API tells of itself. */
#include "core/admin/api_internal.h"
#include "core/fleet/setting_names.h"

#include <stdlib.h>

static json_t *setting_json(const struct setting_name *name)
{
	char legal[512];
	struct writer w = writer_over(legal, sizeof(legal));
	json_t *json = json_object();
	int failed = 0;

	setting_name_write_legal(name, &w);
	failed |= api_json_set(json, "path", api_json_string(name->path));
	failed |= api_json_set(json, "legal", api_json_text(writer_span(&w)));
	failed |= api_json_set(json, "default",
			       name->default_value ? api_json_string(name->default_value)
						   : json_null());
	failed |= api_json_set(json, "is_secret", json_boolean(name->is_secret));
	failed |= api_json_set(json, "description", api_json_string(name->description));
	return api_json_whole(json, failed);
}

void api_settings_list(struct call *call)
{
	json_t *json = json_object();
	json_t *list = json_array();
	const struct setting_name *name;
	int failed = 0;

	for (size_t i = 0; (name = setting_name_at(i)) && !failed; i++) {
		failed |= json_array_append_new(list, setting_json(name));
	}
	failed |= api_json_set(json, "settings", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

void api_openapi_get(struct call *call)
{
	call->answer->status = 200;
	call->answer->content_type = "application/json";
	call->answer->body = span_make(api_openapi, api_openapi_length);
}

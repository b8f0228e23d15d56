/* SPDX-License-Identifier: MIT */
/* Reading what devices and profiles have in common out of a body. */
#include "core/admin/api_internal.h"

bool call_read_settings(struct call *call, json_t *settings, struct change *change)
{
	struct change_setting *items;
	size_t count = json_object_size(settings);
	size_t i = 0;
	const char *path;
	json_t *value;

	if (!json_is_object(settings) || count > settings_count_max) {
		call_fail(call, 400, "settings is not an object of PATH: VALUE, or too long a one",
			  "send {\"settings\": {\"ntp_ip\": \"192.0.2.1\"}}; null removes a path");
		return false;
	}
	items = arena_array(call->arena, count > 0 ? count : 1, sizeof(*items));
	if (!items) {
		call_fail_memory(call);
		return false;
	}
	json_object_foreach(settings, path, value)
	{
		struct span text = span_make(NULL, 0);
		char number[24];
		struct writer w = writer_over(number, sizeof(number));

		if (json_is_string(value)) {
			text = span_make(json_string_value(value), json_string_length(value));
		} else if (json_is_integer(value)) {
			writer_signed(&w, json_integer_value(value));
			text = writer_span(&w);
		} else if (json_is_boolean(value)) {
			text = json_is_true(value) ? SPAN("true") : SPAN("false");
		} else if (!json_is_null(value)) {
			call_fail(call, 400, "a setting's value is neither text nor a number",
				  "send text, a whole number, true or false, or null to remove");
			return false;
		}
		items[i].path = arena_copy(call->arena, span_text(path));
		items[i].value = arena_copy(call->arena, text);
		items[i].is_unset = json_is_null(value);
		if (!items[i].path.data || !items[i].value.data) {
			call_fail_memory(call);
			return false;
		}
		i++;
	}
	change->settings = items;
	change->setting_count = count;
	return true;
}

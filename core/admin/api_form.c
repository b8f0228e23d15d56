/* SPDX-License-Identifier: MIT */
/* Which form and URL shape each kind of phone obeys: core/fleet/forms.h. */
#include "core/admin/api_internal.h"

#include <stdlib.h>

json_t *api_json_form(const struct form_record *record)
{
	json_t *json = json_object();
	int failed = 0;

	failed |= api_json_set(json, "vendor", api_json_string(record->vendor));
	failed |= api_json_set(json, "model", api_json_string(record->model));
	failed |= api_json_set(json, "firmware", api_json_string(record->firmware));
	failed |= api_json_set(json, "form", api_json_string(notify_form_name(record->form)));
	failed |= api_json_set(json, "shape", api_json_string(record->shape));
	failed |= api_json_set(json, "pinned", json_boolean(record->is_pinned));
	failed |= api_json_set(json, "evidence",
			       api_json_string(form_evidence_name(record->evidence)));
	failed |= api_json_set(json, "answered", json_integer((json_int_t)record->answered));
	failed |= api_json_set(json, "fetched", json_integer((json_int_t)record->fetched));
	failed |= api_json_set(json, "failed", json_integer((json_int_t)record->failed));
	failed |= api_json_set(json, "first_time", api_json_time(record->first_utc_ms));
	failed |= api_json_set(json, "answered_time", api_json_time(record->answered_utc_ms));
	failed |= api_json_set(json, "fetched_time", api_json_time(record->fetched_utc_ms));
	failed |= api_json_set(json, "failed_time", api_json_time(record->failed_utc_ms));
	failed |= api_json_set(json, "suspect_form",
			       api_json_string(notify_form_name(record->suspect_form)));
	failed |= api_json_set(json, "suspect_shape", api_json_string(record->suspect_shape));
	return api_json_whole(json, failed);
}

/* What the device would be told now, and why. */
int api_json_set_choice(json_t *json, const struct inventory *inventory,
			const struct device *device)
{
	struct form_key key = form_key_of(device, NULL);
	char reason[100];
	struct writer w = writer_over(reason, sizeof(reason));
	struct form_choice choice;
	int failed = 0;

	form_choose(inventory, device, vendor_find(&inventory->vendors, key.vendor), &key, 0,
		    &choice);
	form_choice_write_reason(&w, &choice);
	failed |=
		api_json_set(json, "form_in_force", api_json_string(notify_form_name(choice.form)));
	failed |= api_json_set(json, "form_reason", api_json_text(writer_span(&w)));
	failed |= api_json_set(json, "shape_in_force", api_json_text(choice.shape));
	return failed;
}

static int compare_records(const void *a, const void *b)
{
	const struct form_record *const *first = a;
	const struct form_record *const *second = b;

	return memcmp(*first, *second, form_key_size);
}

void api_forms_list(struct call *call)
{
	const struct inventory *inventory = call->api->inventory;
	size_t count = inventory->forms.count;
	const struct form_record **sorted = arena_array(call->arena, count + 1, sizeof(*sorted));
	json_t *json = json_object();
	json_t *list = json_array();
	size_t cursor = 0;
	int failed = !sorted;

	for (size_t i = 0; i < count && !failed; i++) {
		sorted[i] = form_next(inventory, &cursor);
	}
	if (!failed) {
		qsort(sorted, count, sizeof(*sorted), compare_records);
	}
	for (size_t i = 0; i < count && !failed; i++) {
		failed |= json_array_append_new(list, api_json_form(sorted[i]));
	}
	failed |= api_json_set(json, "forms", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

/* One member of the body of a pin into the change; null is as if it were not there. */
static bool take_member(struct call *call, const char *name, const json_t *value,
			struct change *change)
{
	struct span *const places[] = {&change->vendor, &change->model, &change->firmware,
				       &change->shape};
	static const char *const names[] = {"vendor", "model", "firmware", "shape"};
	struct span given = span_make(json_string_value(value), json_string_length(value));

	if (json_is_null(value)) {
		return true;
	}
	if (strcmp(name, "form") == 0) {
		if (!json_is_string(value) || notify_form_parse(given, &change->form) < 0) {
			call_fail(call, 400, "form has a value that is not legal",
				  "use default, rfc or print");
			return false;
		}
		return true;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) != 0) {
			continue;
		}
		*places[i] = arena_copy(call->arena, given);
		if (!json_is_string(value)) {
			call_fail(call, 400, "a member has a value that is not legal", "send text");
			return false;
		}
		if (given.length > 0 && !places[i]->data) {
			call_fail_memory(call);
			return false;
		}
		return true;
	}
	call_fail(call, 400, "a form has no such member that can be pinned",
		  "use vendor, model, firmware, form and shape");
	return false;
}

void api_form_pin(struct call *call)
{
	json_t *body = call_body(call);
	struct change *change;
	const char *name;
	json_t *value;

	if (!body) {
		return;
	}
	change = call_change(call, CHANGE_FORM_PIN);
	json_object_foreach(body, name, value)
	{
		if (!change || !take_member(call, name, value, change)) {
			break;
		}
	}
	if (change) {
		change->fields = FIELD_VENDOR | FIELD_MODEL | FIELD_FIRMWARE | FIELD_FORM |
				 (change->shape.length > 0 ? FIELD_SHAPE : 0);
	}
	json_decref(body);
}

void api_form_forget(struct call *call)
{
	struct change *change = call_change(call, CHANGE_FORM_FORGET);

	if (!change) {
		return;
	}
	change->vendor = call_parameter(call, SPAN("vendor"));
	change->model = call_parameter(call, SPAN("model"));
	change->firmware = call_parameter(call, SPAN("firmware"));
	/* An empty one that is named is one that is not known. */
	change->fields = FIELD_VENDOR | (change->model.data ? FIELD_MODEL : 0) |
			 (change->firmware.data ? FIELD_FIRMWARE : 0);
	if (change->firmware.data && !change->model.data) {
		call_fail(call, 400, "firmware is named, and no model",
			  "name vendor, vendor and model, or all three");
	}
}

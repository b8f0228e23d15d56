/* SPDX-License-Identifier: MIT */
#include "core/admin/api_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- A device as JSON. --- */

static json_t *effective_json(const struct inventory *inventory, const struct device *device,
			      bool has_secrets)
{
	struct settings effective = {.items = NULL};
	json_t *json;

	if (profile_effective(inventory, device, span_text(device->profile), &effective) < 0) {
		return json_null();
	}
	json = api_json_settings(&effective, has_secrets);
	settings_free(&effective);
	return json;
}

/*
 * `address` is where the device is to be reached: the binding, where an operator made one, else
 * where it was seen last.
 */
json_t *api_json_device(const struct inventory *inventory, const struct device *device,
			bool has_secrets, bool is_effective)
{
	bool is_bound = address_is_set(device->bound_address);
	enum device_identified_by by = is_bound ? IDENTIFIED_BY_ADDRESS : device->identified_by;
	json_t *json = json_object();
	char mac[mac_text_size];
	int failed = 0;

	mac_text(device->mac, mac);
	failed |= api_json_set(json, "mac", api_json_string(mac));
	failed |= api_json_set(json, "vendor", api_json_string(device->vendor));
	failed |= api_json_set(json, "model", api_json_string(device->model));
	failed |= api_json_set(json, "firmware", api_json_string(device->firmware));
	failed |= api_json_set(json, "state", api_json_string(device_state_name(device->state)));
	failed |= api_json_set(json, "profile",
			       api_json_string(device->profile[0] ? device->profile : "default"));
	failed |= api_json_set(json, "label", api_json_string(device->label));
	failed |= api_json_set(json, "key", api_json_string(device->key));
	failed |= api_json_set(json, "first_seen", api_json_time(device->first_seen_utc_ms));
	failed |= api_json_set(json, "last_seen", api_json_time(device->last_seen_utc_ms));
	failed |= api_json_set(json, "notified", api_json_time(device->notified_utc_ms));
	failed |= api_json_set(json, "fetched", api_json_time(device->fetched_utc_ms));
	failed |=
		api_json_set(json, "address",
			     api_json_address(is_bound ? device->bound_address : device->address));
	failed |= api_json_set(json, "interface",
			       api_json_string(is_bound && device->bound_interface[0]
						       ? device->bound_interface
						       : device->interface));
	failed |=
		api_json_set(json, "identified_by", api_json_string(device_identified_by_name(by)));
	failed |= api_json_set(json, "certainty",
			       api_json_string(device_certainty_name(
				       is_bound ? CERTAINTY_PROVEN : device->certainty)));
	failed |= api_json_set(json, "claimed_by", api_json_string(device->claimed_by));
	failed |= api_json_set(json, "pool", api_json_string(device->pool));
	failed |= api_json_set(json, "extension", api_json_string(device->extension));
	failed |= api_json_set(json, "told_form",
			       api_json_string(notify_form_name(device->told_form)));
	failed |= api_json_set(json, "told_shape", api_json_string(device->told_shape));
	failed |= api_json_set(json, "told_both", json_boolean(device->told_both));
	failed |= api_json_set(json, "resync", api_json_string(device_resync_name(device->resync)));
	failed |= api_json_set(json, "resync_status", json_integer(device->resync_status));
	failed |= api_json_set(json, "resync_time", api_json_time(device->resync_utc_ms));
	failed |= api_json_set(json, "seen_address", api_json_address(device->address));
	failed |= api_json_set(json, "bound_address", api_json_address(device->bound_address));
	failed |= api_json_set(json, "bound_interface", api_json_string(device->bound_interface));
	failed |= api_json_set(json, "form", api_json_string(notify_form_name(device->form)));
	failed |= api_json_set_choice(json, inventory, device);
	failed |= api_json_set(json, "settings", api_json_settings(&device->settings, has_secrets));
	if (is_effective) {
		failed |= api_json_set(json, "effective_settings",
				       effective_json(inventory, device, has_secrets));
	}
	return api_json_whole(json, failed);
}

/* --- One device. --- */

void api_device_get(struct call *call)
{
	const struct device *device = call_device(call);

	if (device) {
		call_answer_json(call, 200,
				 api_json_device(call->api->inventory, device,
						 call_flag(call, SPAN("secrets")),
						 call_flag(call, SPAN("effective"))));
	}
}

/* The members of a body that edits a device. */
enum member_kind { MEMBER_TEXT, MEMBER_FORM, MEMBER_ADDRESS };

static const struct member {
	const char *name;
	enum member_kind kind;
	enum change_field field;
	size_t offset; /* of the span in the change, for MEMBER_TEXT */
} members[] = {
	{"vendor", MEMBER_TEXT, FIELD_VENDOR, offsetof(struct change, vendor)},
	{"model", MEMBER_TEXT, FIELD_MODEL, offsetof(struct change, model)},
	{"firmware", MEMBER_TEXT, FIELD_FIRMWARE, offsetof(struct change, firmware)},
	{"profile", MEMBER_TEXT, FIELD_PROFILE, offsetof(struct change, profile)},
	{"label", MEMBER_TEXT, FIELD_LABEL, offsetof(struct change, label)},
	{"interface", MEMBER_TEXT, FIELD_BOUND_INTERFACE, offsetof(struct change, bound_interface)},
	{"pool", MEMBER_TEXT, FIELD_POOL, offsetof(struct change, pool)},
	{"extension", MEMBER_TEXT, FIELD_EXTENSION, offsetof(struct change, extension)},
	{"form", MEMBER_FORM, FIELD_FORM, 0},
	{"address", MEMBER_ADDRESS, FIELD_BOUND_ADDRESS, 0},
};

static bool fail_member(struct call *call, const char *name, const char *what_to_do)
{
	char error[160];

	snprintf(error, sizeof(error), "%.60s has a value that is not legal", name);
	call_fail(call, 400, error, what_to_do);
	return false;
}

/* null empties a field, and takes a binding away. */
static bool read_member(struct call *call, const struct member *member, const json_t *value,
			struct change *change)
{
	struct span given = span_make("", 0);
	struct span *field = (struct span *)(void *)((char *)change + member->offset);

	if (json_is_string(value)) {
		given = span_make(json_string_value(value), json_string_length(value));
	} else if (!json_is_null(value)) {
		return fail_member(call, member->name, "send text, or null for none");
	}
	change->fields |= member->field;
	switch (member->kind) {
	case MEMBER_TEXT:
		*field = arena_copy(call->arena, given);
		if (!field->data) {
			call_fail_memory(call);
			return false;
		}
		break;
	case MEMBER_FORM:
		change->form = FORM_DEFAULT;
		if (!span_is_empty(given) && notify_form_parse(given, &change->form) < 0) {
			return fail_member(call, member->name, "use default, rfc or print");
		}
		break;
	case MEMBER_ADDRESS:
		change->bound_address = (struct address){.family = ADDRESS_NONE};
		if (!span_is_empty(given) && address_parse(given, &change->bound_address) < 0) {
			return fail_member(call, member->name,
					   "send an IPv4 or IPv6 address, or null for none");
		}
		break;
	}
	return true;
}

static const struct member *find_member(const char *name)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(members[i].name, name) == 0) {
			return &members[i];
		}
	}
	return NULL;
}

static bool fail_unknown_member(struct call *call, const char *name)
{
	char error[160];
	char shown[100];
	struct writer w = writer_over(shown, sizeof(shown));

	writer_escaped(&w, span_text(name), 20);
	writer_terminate(&w);
	snprintf(error, sizeof(error), "a device has no member \"%s\" that can be set",
		 w.failed ? "" : shown);
	call_fail(call, 400, error,
		  "use vendor, model, profile, label, address, interface, form or settings; "
		  "with claim also pool and extension");
	return false;
}

/* Reads a body into a change. `has_mac`: the body names the device. */
static bool read_edits(struct call *call, json_t *body, bool has_mac, struct change *change)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
	{
		const struct member *member = find_member(name);

		if (member && (member->field & (FIELD_POOL | FIELD_EXTENSION)) &&
		    change->kind != CHANGE_DEVICE_CLAIM) {
			member = NULL; /* a number goes with a claim */
		}
		if (strcmp(name, "settings") == 0) {
			if (!call_read_settings(call, value, change)) {
				return false;
			}
		} else if (has_mac && strcmp(name, "mac") == 0) {
			continue;
		} else if (!member) {
			return fail_unknown_member(call, name);
		} else if (!read_member(call, member, value, change)) {
			return false;
		}
	}
	return true;
}

bool call_read_device(struct call *call, json_t *members_of_one, struct change *change)
{
	return read_edits(call, members_of_one, true, change);
}

/* A change of the device named in the path, with what the body edits. */
static void change_device(struct call *call, enum change_kind kind, bool may_edit)
{
	struct change *change;
	json_t *body;
	struct mac mac;

	if (!call_mac(call, &mac)) {
		return;
	}
	body = call_body(call);
	if (!body) {
		return;
	}
	if (!may_edit && json_object_size(body) > 0) {
		call_fail(call, 400, "this request takes no body", "send none");
	} else {
		change = call_change(call, kind);
		if (change) {
			change->mac = mac;
			(void)read_edits(call, body, false, change);
		}
	}
	json_decref(body);
}

void api_devices_add(struct call *call)
{
	json_t *body = call_body(call);
	const json_t *mac;
	struct change *change;

	if (!body) {
		return;
	}
	mac = json_object_get(body, "mac");
	change = call_change(call, CHANGE_DEVICE_ADD);
	if (change && (!json_is_string(mac) ||
		       mac_parse(span_make(json_string_value(mac), json_string_length(mac)),
				 &change->mac) < 0 ||
		       !mac_is_device(change->mac))) {
		call_fail(call, 400, "mac is missing or is not the MAC address of a device",
			  "send {\"mac\": \"00908f123456\"}");
	} else if (change) {
		call->answer->is_creation = true;
		(void)read_edits(call, body, true, change);
	}
	json_decref(body);
}

void api_device_set(struct call *call)
{
	change_device(call, CHANGE_DEVICE_SET, true);
}

void api_device_claim(struct call *call)
{
	change_device(call, CHANGE_DEVICE_CLAIM, true);
}

void api_device_block(struct call *call)
{
	change_device(call, CHANGE_DEVICE_BLOCK, false);
}

void api_device_unblock(struct call *call)
{
	change_device(call, CHANGE_DEVICE_UNBLOCK, false);
}

void api_device_remove(struct call *call)
{
	const struct device *device;
	struct device *removed;

	change_device(call, CHANGE_DEVICE_REMOVE, false);
	if (call->answer->verdict != API_CHANGE) {
		return;
	}
	/* The answer tells what it was, when it is gone. */
	device = inventory_device(call->api->inventory, call->answer->change->mac);
	removed = device ? arena_allocate(call->arena, sizeof(*removed)) : NULL;
	if (removed) {
		*removed = *device;
		removed->settings = (struct settings){.items = NULL};
		call->answer->removed = removed;
	}
}

/* --- Its files. --- */

void api_device_files(struct call *call)
{
	const struct device *device = call_device(call);
	json_t *json;
	json_t *list;
	int failed = 0;

	if (!device) {
		return;
	}
	json = json_object();
	list = json_array();
	for (size_t i = 0; !failed; i++) {
		char buffer[512];
		struct writer name = writer_over(buffer, sizeof(buffer));
		struct config_file file;
		json_t *row;

		if (config_file_name(call->api->inventory, device, i, &name, &file) < 0) {
			break;
		}
		row = json_object();
		failed |= api_json_set(row, "name", api_json_text(writer_span(&name)));
		failed |= api_json_set(row, "kind",
				       api_json_string(
					       file.kind == CONFIG_FILE_RENDERED    ? "rendered"
					       : file.kind == CONFIG_FILE_CATALOGUE ? "stored"
										    : "missing"));
		failed |= api_json_set(row, "content_type", api_json_text(file.content_type));
		failed |= api_json_set(row, "has_secrets", json_boolean(file.has_secrets));
		failed |= api_json_set(row, "is_essential", json_boolean(file.is_essential));
		failed |= json_array_append_new(list, row);
	}
	failed |= api_json_set(json, "files", list);
	if (failed) {
		json_decref(json);
		json = NULL;
	}
	call_answer_json(call, 200, json);
}

/* Without a name: the first file that is rendered, the essential one before others. */
static bool default_file(struct call *call, const struct device *device, struct config_file *file)
{
	bool is_found = false;

	for (size_t i = 0;; i++) {
		char buffer[512];
		struct writer name = writer_over(buffer, sizeof(buffer));
		struct config_file candidate;

		if (config_file_name(call->api->inventory, device, i, &name, &candidate) < 0) {
			return is_found;
		}
		if (candidate.kind == CONFIG_FILE_RENDERED &&
		    (!is_found || (candidate.is_essential && !file->is_essential))) {
			*file = candidate;
			is_found = true;
		}
	}
}

static void render(struct call *call, const struct device *device, const struct config_file *file)
{
	const struct api_context *api = call->api;
	struct config_server server = {.http_port = 0};
	char problem[512] = "";
	struct span bytes;
	char *copy;

	api->server_for(api->server_context, device, (struct address){.family = ADDRESS_NONE},
			&server);
	if (config_render(api->inventory, &(struct config_wish){device, file->rule, &server},
			  call->arena, &bytes, problem, sizeof(problem)) < 0) {
		call_fail(call, 409, problem, "mend the setting or the template named");
		return;
	}
	copy = malloc(bytes.length + 1);
	if (!copy) {
		call_fail_memory(call);
		return;
	}
	memcpy(copy, bytes.data ? bytes.data : "", bytes.length);
	copy[bytes.length] = '\0';
	call_answer_bytes(call, "application/octet-stream", copy, bytes.length);
}

void api_device_preview(struct call *call)
{
	const struct device *device = call_device(call);
	struct config_file file = {.kind = CONFIG_FILE_NONE};

	if (!device) {
		return;
	}
	if (!span_is_empty(call->arguments[1])) {
		file = config_file_find(call->api->inventory, device, call->arguments[1]);
	} else if (!default_file(call, device, &file)) {
		call_fail(call, 404, "nothing is rendered for this device",
			  "give it a vendor and a model with `bellhop device set`");
		return;
	}
	switch (file.kind) {
	case CONFIG_FILE_NONE:
		call_fail(call, 404, "this device has no file of that name",
			  "see its files with `bellhop device files`");
		break;
	case CONFIG_FILE_CATALOGUE:
		call_fail(call, 409, "this is a stored file, it is not rendered",
			  "look at it below the folder files of the server's data");
		break;
	case CONFIG_FILE_RENDERED:
		render(call, device, &file);
		break;
	}
}

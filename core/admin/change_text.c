/* SPDX-License-Identifier: MIT */
/* A change in words: for the audit log. */
#include "core/admin/api_internal.h"

#include <stdlib.h>

static const char *const names[] = {
	[CHANGE_DEVICE_ADD] = "device add",
	[CHANGE_DEVICE_SET] = "device set",
	[CHANGE_DEVICE_CLAIM] = "device claim",
	[CHANGE_DEVICE_BLOCK] = "device block",
	[CHANGE_DEVICE_UNBLOCK] = "device unblock",
	[CHANGE_DEVICE_REMOVE] = "device remove",
	[CHANGE_DEVICE_SEEN] = "device seen",
	[CHANGE_DEVICE_NOTIFIED] = "device notified",
	[CHANGE_DEVICE_FETCHED] = "device fetched",
	[CHANGE_PROFILE_SET] = "profile set",
	[CHANGE_PROFILE_REMOVE] = "profile remove",
	[CHANGE_FILE_SET] = "file add",
	[CHANGE_FILE_REMOVE] = "file remove",
	[CHANGE_FILE_HASHED] = "file hashed",
	[CHANGE_DEVICE_RESYNC] = "device resync",
	[CHANGE_UNIDENTIFIED_SEEN] = "unidentified seen",
	[CHANGE_FORM_LEARNED] = "form learned",
	[CHANGE_FORM_PIN] = "form pin",
	[CHANGE_FORM_FORGET] = "form forget",
	[CHANGE_RULE_SET] = "rule set",
	[CHANGE_RULE_REMOVE] = "rule remove",
	[CHANGE_POOL_SET] = "pool set",
	[CHANGE_POOL_REMOVE] = "pool remove",
	[CHANGE_DEVICES_IMPORT] = "device import",
};

const char *api_change_name(enum change_kind kind)
{
	return names[kind];
}

void api_change_subject(const struct change *change, struct writer *subject)
{
	switch (change->kind) {
	case CHANGE_DEVICE_ADD:
	case CHANGE_DEVICE_SET:
	case CHANGE_DEVICE_CLAIM:
	case CHANGE_DEVICE_BLOCK:
	case CHANGE_DEVICE_UNBLOCK:
	case CHANGE_DEVICE_REMOVE:
	case CHANGE_DEVICE_SEEN:
	case CHANGE_DEVICE_NOTIFIED:
	case CHANGE_DEVICE_FETCHED:
	case CHANGE_DEVICE_RESYNC:
		mac_write(subject, change->mac);
		break;
	case CHANGE_PROFILE_SET:
	case CHANGE_PROFILE_REMOVE:
		writer_put(subject, change->profile);
		break;
	case CHANGE_FILE_SET:
	case CHANGE_FILE_REMOVE:
	case CHANGE_FILE_HASHED:
		writer_put(subject, change->file);
		break;
	case CHANGE_UNIDENTIFIED_SEEN:
		address_write(subject, change->address);
		break;
	case CHANGE_FORM_LEARNED:
	case CHANGE_FORM_PIN:
	case CHANGE_FORM_FORGET:
		writer_put(subject, change->vendor);
		writer_text(subject, change->model.length + change->firmware.length > 0 ? " " : "");
		writer_put(subject, change->model);
		writer_text(subject, change->firmware.length > 0 ? " " : "");
		writer_put(subject, change->firmware);
		break;
	case CHANGE_RULE_SET:
	case CHANGE_RULE_REMOVE:
	case CHANGE_POOL_SET:
	case CHANGE_POOL_REMOVE:
		writer_put(subject, change->name);
		break;
	case CHANGE_DEVICES_IMPORT:
		writer_unsigned(subject, change->group_count);
		writer_text(subject, " devices");
		break;
	case CHANGE_KIND_COUNT:
		break;
	}
}

/* Values of secrets are left out; that a secret was set is not. */
static json_t *settings_json(const struct change *change)
{
	json_t *json = json_object();
	int failed = !json;

	for (size_t i = 0; i < change->setting_count && !failed; i++) {
		const struct change_setting *setting = &change->settings[i];
		bool is_secret = setting_is_secret(setting->path);
		char path[setting_path_max + 1];
		json_t *value;

		/* A longer path is none: such a change was refused. */
		if (span_to_text(setting->path, path, sizeof(path)) < 0) {
			continue;
		}
		value = setting->is_unset ? json_null()
			: is_secret	  ? json_string("********")
					  : api_json_text(setting->value);
		failed |= api_json_set(json, path, value);
	}
	return api_json_whole(json, failed);
}

/* A rule without the values of its secrets; of a pool its ranges, and how many rows it has. */
static json_t *body_json(const struct change *change)
{
	json_t *body = json_loadb(change->body.data, change->body.length, 0, NULL);
	json_t *numbers = json_object_get(body, "numbers");
	json_t *settings = json_object_get(body, "settings");
	const char *path;
	json_t *value;
	int failed = !json_is_object(body);

	if (numbers) {
		failed |= api_json_set(body, "numbers",
				       json_integer((json_int_t)json_array_size(numbers)));
	}
	json_object_foreach(settings, path, value)
	{
		if (setting_is_secret(span_text(path))) {
			failed |= api_json_set(settings, path, json_string("********"));
		}
	}
	if (failed) {
		json_decref(body);
		return NULL;
	}
	return body;
}

char *api_change_text(const struct change *change)
{
	const struct {
		enum change_field field;
		const char *name;
		struct span value;
	} texts[] = {
		{FIELD_VENDOR, "vendor", change->vendor},
		{FIELD_MODEL, "model", change->model},
		{FIELD_FIRMWARE, "firmware", change->firmware},
		{FIELD_PROFILE, "profile", change->profile},
		{FIELD_LABEL, "label", change->label},
		{FIELD_BOUND_INTERFACE, "interface", change->bound_interface},
		{FIELD_PARENT, "parent", change->parent},
		{FIELD_POOL, "pool", change->pool},
		{FIELD_EXTENSION, "extension", change->extension},
		{FIELD_SHAPE, "shape", change->shape},
	};
	json_t *json = json_object();
	char *text;
	int failed = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (change->fields & texts[i].field) {
			failed |= api_json_set(json, texts[i].name, api_json_text(texts[i].value));
		}
	}
	if (change->fields & FIELD_FORM) {
		failed |=
			api_json_set(json, "form", api_json_string(notify_form_name(change->form)));
	}
	if (change->fields & FIELD_BOUND_ADDRESS) {
		failed |= api_json_set(json, "address", api_json_address(change->bound_address));
	}
	if (change->kind == CHANGE_FILE_SET) {
		failed |= api_json_set(json, "bytes", json_integer((json_int_t)change->bytes));
	}
	if (change->setting_count > 0) {
		failed |= api_json_set(json, "settings", settings_json(change));
	}
	if (change->kind == CHANGE_RULE_SET || change->kind == CHANGE_POOL_SET) {
		json_decref(json);
		json = body_json(change);
		failed = !json;
	}
	text = failed ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

/* SPDX-License-Identifier: MIT */
#include "core/admin/api_internal.h"
#include "core/base/time.h"

#include <stdlib.h>

json_t *api_json_text(struct span text)
{
	json_t *json = json_stringn(text.data ? text.data : "", text.length);
	char *clean;
	size_t length = 0;

	if (json || text.length > SIZE_MAX / 3) {
		return json;
	}
	/* Not UTF-8 (or no memory): every octet that is not ASCII becomes U+FFFD. */
	clean = malloc(text.length * 3 + 1);
	if (!clean) {
		return NULL;
	}
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.data[i] < 0x80) {
			clean[length++] = text.data[i];
		} else {
			memcpy(clean + length, "\xef\xbf\xbd", 3);
			length += 3;
		}
	}
	json = json_stringn(clean, length);
	free(clean);
	return json;
}

int api_json_set(json_t *object, const char *name, json_t *value)
{
	if (!object) {
		json_decref(value);
		return -1;
	}
	return json_object_set_new(object, name, value);
}

json_t *api_json_string(const char *text)
{
	return api_json_text(span_text(text));
}

json_t *api_json_address(struct address address)
{
	char text[address_text_size];

	if (!address_is_set(address)) {
		return json_null();
	}
	address_text(address, text);
	return api_json_string(text);
}

json_t *api_json_whole(json_t *json, int failed)
{
	if (failed) {
		json_decref(json);
		return NULL;
	}
	return json;
}

json_t *api_json_time(uint64_t utc_ms)
{
	char text[time_rfc3339_size];
	struct writer w = writer_over(text, sizeof(text));

	if (utc_ms == 0) {
		return json_null();
	}
	time_write_rfc3339(&w, utc_ms);
	return api_json_text(writer_span(&w));
}

json_t *api_json_settings(const struct settings *settings, bool has_secrets)
{
	json_t *json = json_object();

	for (size_t i = 0; i < settings->count && json; i++) {
		const struct setting *item = &settings->items[i];
		bool is_hidden = !has_secrets && setting_is_secret(span_text(item->path));
		json_t *value =
			api_json_text(is_hidden ? SPAN("********") : span_text(item->value));

		if (json_object_set_new(json, item->path, value) < 0) {
			json_decref(json);
			json = NULL;
		}
	}
	return json;
}

/* SPDX-License-Identifier: MIT */
#include "core/fleet/config_context.h"

#include "core/fleet/setting_names.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { json_depth_max = 32 };

/* --- settings --- */

/* Part by part; two numbers by their value, so that line 10 follows line 9. */
static int compare_paths(const void *a, const void *b)
{
	struct span left = span_text((*(const struct setting *const *)a)->path);
	struct span right = span_text((*(const struct setting *const *)b)->path);

	while (left.data && right.data) {
		struct span x = span_cut(&left, '.');
		struct span y = span_cut(&right, '.');
		uint64_t m;
		uint64_t n;
		int order = span_compare(x, y);

		if (span_to_unsigned(x, UINT64_MAX, &m) == 0 &&
		    span_to_unsigned(y, UINT64_MAX, &n) == 0 && m != n) {
			return m < n ? -1 : 1;
		}
		if (order != 0) {
			return order;
		}
	}
	return (left.data != NULL) - (right.data != NULL);
}

static struct jinja_value value_of(const struct setting *setting)
{
	const struct setting_name *name = setting_name_find(span_text(setting->path));
	struct span text = span_text(setting->value);
	struct jinja_value value = jinja_string(text);
	uint64_t number;

	if (name && name->type == SETTING_BOOLEAN) {
		value = jinja_bool(span_equal(text, SPAN("true")));
	} else if (name && name->type == SETTING_INTEGER &&
		   span_to_unsigned(text, INT64_MAX, &number) == 0) {
		value = jinja_int((int64_t)number);
	}
	value.origin = span_text(setting->path);
	return value;
}

/* The dictionary at a key, made when it is not there; -EINVAL when something else is. */
static int enter(struct arena *arena, struct jinja_value *dict, struct span key)
{
	const struct jinja_value *there = jinja_dict_get(dict, key);
	struct jinja_value fresh;
	int error;

	if (there) {
		if (there->kind != JINJA_DICT) {
			return -EINVAL;
		}
		*dict = *there;
		return 0;
	}
	error = jinja_dict(arena, &fresh);
	error = error ? error : jinja_dict_set(arena, dict, key, fresh);
	if (!error) {
		*dict = fresh;
	}
	return error;
}

static int put_setting(struct arena *arena, struct jinja_value dict, const struct setting *setting)
{
	struct span rest = span_text(setting->path);
	struct span part = span_cut(&rest, '.');

	while (rest.data) {
		int error = enter(arena, &dict, part);

		if (error) {
			return error;
		}
		part = span_cut(&rest, '.');
	}
	return jinja_dict_set(arena, &dict, part, value_of(setting));
}

static int put_settings(struct arena *arena, struct jinja_value context,
			const struct settings *settings, struct span *path)
{
	const struct setting **order = arena_array(arena, settings->count + 1, sizeof(*order));

	if (!order) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < settings->count; i++) {
		order[i] = &settings->items[i];
	}
	qsort(order, settings->count, sizeof(*order), compare_paths);
	for (size_t i = 0; i < settings->count; i++) {
		int error = put_setting(arena, context, order[i]);

		if (error) {
			*path = span_text(order[i]->path);
			return error;
		}
	}
	return 0;
}

/* --- what is known of the device and of us --- */

static int put_text(struct arena *arena, struct jinja_value dict, const char *key, struct span text)
{
	struct span copy;

	if (text.length == 0) {
		return 0;
	}
	copy = arena_copy(arena, text);
	return copy.data ? jinja_dict_set(arena, &dict, span_text(key), jinja_string(copy))
			 : -ENOMEM;
}

static int put_device(struct arena *arena, struct jinja_value context, const struct device *device)
{
	char text[2 * mac_text_size];
	struct writer lower = writer_over(text, mac_text_size);
	struct writer upper = writer_over(text + mac_text_size, mac_text_size);
	struct jinja_value dict;
	int error = jinja_dict(arena, &dict);

	mac_write(&lower, device->mac);
	mac_write_upper(&upper, device->mac);
	error = error ? error : put_text(arena, dict, "mac", writer_span(&lower));
	error = error ? error : put_text(arena, dict, "MAC", writer_span(&upper));
	error = error ? error : put_text(arena, dict, "vendor", span_text(device->vendor));
	error = error ? error : put_text(arena, dict, "model", span_text(device->model));
	error = error ? error : put_text(arena, dict, "label", span_text(device->label));
	error = error ? error : put_text(arena, dict, "profile", span_text(device->profile));
	return error ? error : jinja_dict_set(arena, &context, SPAN("device"), dict);
}

static int put_port(struct arena *arena, struct jinja_value dict, const char *key, uint16_t port)
{
	return port == 0 ? 0 : jinja_dict_set(arena, &dict, span_text(key), jinja_int(port));
}

static int put_server(struct arena *arena, struct jinja_value context,
		      const struct config_server *server)
{
	char address[address_text_size] = "";
	struct jinja_value dict;
	int error = jinja_dict(arena, &dict);

	if (address_is_set(server->address)) {
		address_text(server->address, address);
	}
	error = error ? error : put_text(arena, dict, "address", span_text(address));
	error = error ? error : put_port(arena, dict, "http_port", server->http_port);
	error = error ? error : put_port(arena, dict, "https_port", server->https_port);
	error = error ? error : put_port(arena, dict, "tftp_port", server->tftp_port);
	error = error ? error : put_port(arena, dict, "sip_port", server->sip_port);
	return error ? error : jinja_dict_set(arena, &context, SPAN("server"), dict);
}

/* A URL that is a host alone stands for its root; one that names files has no folder. */
static int put_url(struct arena *arena, struct jinja_value context, const struct device *device,
		   const struct config_server *server)
{
	char text[config_url_max + 1];
	struct writer w = writer_over(text, config_url_max);
	char problem[200];
	struct jinja_value dict;
	int error = jinja_dict(arena, &dict);

	/* Without a pack: the URL before a maker's shape is laid around it. */
	if (!error && config_url(device, NULL, server, &w, problem, sizeof(problem)) == 0) {
		struct span url = writer_span(&w);
		size_t host = span_search(url, SPAN("://")) + 3;

		if (host < url.length &&
		    span_find(span_slice(url, host, url.length), '/') == url.length - host) {
			text[w.length++] = '/';
		}
		if (span_ends_with(writer_span(&w), SPAN("/"))) {
			error = put_text(arena, dict, "base", writer_span(&w));
		}
	}
	return error ? error : jinja_dict_set(arena, &context, SPAN("url"), dict);
}

/* --- the pack's data --- */

static int convert(struct arena *arena, json_t *json, unsigned depth, struct jinja_value *value);

static int convert_object(struct arena *arena, json_t *json, unsigned depth,
			  struct jinja_value *value)
{
	const char *key;
	json_t *member;
	int error = jinja_dict(arena, value);

	json_object_foreach(json, key, member)
	{
		struct jinja_value item;

		error = error ? error : convert(arena, member, depth + 1, &item);
		error = error ? error : jinja_dict_set(arena, value, span_text(key), item);
		if (error) {
			return error;
		}
	}
	return error;
}

static int convert_array(struct arena *arena, json_t *json, unsigned depth,
			 struct jinja_value *value)
{
	int error = jinja_list(arena, value);

	for (size_t i = 0; !error && i < json_array_size(json); i++) {
		struct jinja_value item;

		error = convert(arena, json_array_get(json, i), depth + 1, &item);
		error = error ? error : jinja_list_append(arena, value, item);
	}
	return error;
}

static int convert(struct arena *arena, json_t *json, unsigned depth, struct jinja_value *value)
{
	if (depth > json_depth_max) {
		return -E2BIG;
	}
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return convert_object(arena, json, depth, value);
	case JSON_ARRAY:
		return convert_array(arena, json, depth, value);
	case JSON_STRING:
		*value = jinja_string(span_make(json_string_value(json), json_string_length(json)));
		return 0;
	case JSON_INTEGER:
		*value = jinja_int(json_integer_value(json));
		return 0;
	case JSON_REAL:
		*value = jinja_double(json_real_value(json));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*value = jinja_bool(json_is_true(json));
		return 0;
	case JSON_NULL:
		break;
	}
	*value = jinja_none();
	return 0;
}

static int put_data(struct arena *arena, struct jinja_value context, const struct vendor_pack *pack)
{
	struct jinja_value data;
	int error = pack->data ? convert(arena, pack->data, 0, &data) : jinja_dict(arena, &data);

	return error ? error : jinja_dict_set(arena, &context, SPAN("data"), data);
}

int config_context(const struct config_scope *scope, struct arena *arena,
		   struct jinja_value *context, struct span *path)
{
	int error = jinja_dict(arena, context);

	error = error ? error : put_settings(arena, *context, scope->settings, path);
	error = error ? error : put_device(arena, *context, scope->device);
	error = error ? error : put_server(arena, *context, scope->server);
	error = error ? error : put_url(arena, *context, scope->device, scope->server);
	return error ? error : put_data(arena, *context, scope->pack);
}

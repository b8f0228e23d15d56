/* SPDX-License-Identifier: MIT */
/* What of a pack is about DHCP: which options its phones read, and what stands in them. */
#include "core/fleet/vendor_reader.h"

#include <errno.h>

enum { options_max = 16, class_max = 64, value_max = 200 };

/* Printable ASCII that needs no quoting in any server's file. */
static bool is_plain(struct span text, size_t length_max)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < 0x20 || text.data[i] > 0x7e || text.data[i] == '"' ||
		    text.data[i] == '\\' || text.data[i] == '\'') {
			return false;
		}
	}
	return text.length <= length_max;
}

/* %{base}, %{address}: what `bellhop dhcp` fills in. */
static bool has_known_names(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		struct span rest = span_slice(value, i, value.length);

		if (span_starts_with(rest, SPAN("%{")) &&
		    !span_starts_with(rest, SPAN("%{base}")) &&
		    !span_starts_with(rest, SPAN("%{address}"))) {
			return false;
		}
	}
	return true;
}

static int take_option(struct pack_reader *l, json_t *object, const char *key,
		       struct vendor_dhcp_option *option)
{
	uint64_t code;
	int error;

	if (span_to_unsigned(span_text(key), 254, &code) != 0 || code == 0) {
		return pack_refuse_member(l, key, "is not the number of a DHCP option (1 to 254)");
	}
	error = pack_take_string(l, object, key, true, &option->value);
	if (!error && (!is_plain(option->value, value_max) || !has_known_names(option->value))) {
		error = pack_refuse_member(
			l, key, "must be printable, with no %{name} but %{base} and %{address}");
	}
	option->code = (uint8_t)code;
	return error;
}

static int take_options(struct pack_reader *l, json_t *dhcp)
{
	struct vendor_pack *pack = l->pack;
	json_t *object = json_object_get(dhcp, "options");
	size_t before = pack_enter(l, "options");
	const char *key;
	json_t *value;

	if (!json_is_object(object) || json_object_size(object) == 0 ||
	    json_object_size(object) > options_max) {
		return pack_refuse(l, "must be an object { } of 1 to 16 options");
	}
	pack->dhcp_options =
		arena_array(&pack->arena, json_object_size(object), sizeof(*pack->dhcp_options));
	if (!pack->dhcp_options) {
		return -ENOMEM;
	}
	json_object_foreach(object, key, value)
	{
		int error =
			take_option(l, object, key, &pack->dhcp_options[pack->dhcp_option_count]);

		if (error) {
			return error;
		}
		pack->dhcp_option_count++;
	}
	pack_leave(l, before);
	return 0;
}

int pack_take_dhcp(struct pack_reader *l, json_t *root)
{
	static const char *const known[] = {"class", "options", NULL};
	json_t *object = json_object_get(root, "dhcp");
	size_t before;
	int error;

	if (!object) {
		return 0;
	}
	before = pack_enter(l, "dhcp");
	error = pack_check_members(l, object, known);
	error = error ? error
		      : pack_take_string(l, object, "class", false, &l->pack->dhcp_class_prefix);
	if (!error &&
	    (!is_plain(l->pack->dhcp_class_prefix, class_max) ||
	     span_find(l->pack->dhcp_class_prefix, ',') < l->pack->dhcp_class_prefix.length)) {
		error = pack_refuse_member(
			l, "class", "must be printable, at most 64 characters, without a comma");
	}
	error = error ? error : take_options(l, object);
	pack_leave(l, error ? l->path_length : before);
	return error;
}

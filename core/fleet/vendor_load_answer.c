/* SPDX-License-Identifier: MIT */
/* What of a pack is about what we tell a phone: its URL, the answer, orders out of the blue. */
#include "core/fleet/vendor_reader.h"

#include <errno.h>

enum {
	url_max_least = 32,
	url_max_most = 512,
	shapes_max = 8,
	headers_max = 8,
	header_value_max = 400,
	order_body_max = 1000
};

/* --- url --- */

static int check_shape(struct pack_reader *l, const char *key, struct span shape)
{
	static const char *const known[] = {"base", "origin", "path",  "address", "key",
					    "mac",  "MAC",    "model", "vendor",  "port"};

	for (size_t i = 0; i < shape.length; i++) {
		struct span rest = span_slice(shape, i, shape.length);
		struct span name = span_slice(rest, 2, span_find(rest, '}'));
		bool is_known = false;

		if (!span_starts_with(rest, SPAN("%{"))) {
			continue;
		}
		for (size_t j = 0; j < sizeof(known) / sizeof(*known); j++) {
			is_known = is_known || span_equal(name, span_text(known[j]));
		}
		if (!is_known || span_find(rest, '}') == rest.length) {
			return pack_refuse_member(l, key, "has a %{name} that there is not");
		}
	}
	return 0;
}

static bool is_shape_name(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && c != '-') {
			return false;
		}
	}
	return name.length > 0 && name.length < device_shape_size;
}

static int take_shape(struct pack_reader *l, json_t *object, struct vendor_shape *shape)
{
	static const char *const known[] = {"name", "shape", "without_model", NULL};
	int error = pack_check_members(l, object, known);

	error = error ? error : pack_take_string(l, object, "name", true, &shape->name);
	error = error ? error : pack_take_string(l, object, "shape", true, &shape->shape);
	error = error ? error
		      : pack_take_string(l, object, "without_model", false, &shape->without_model);
	if (error) {
		return error;
	}
	if (!is_shape_name(shape->name)) {
		return pack_refuse_member(l, "name",
					  "must be at most 23 small letters, digits and '-'");
	}
	if (vendor_shape_find(l->pack, shape->name) &&
	    span_equal(vendor_shape_find(l->pack, shape->name)->name, shape->name)) {
		return pack_refuse_member(l, "name", "stands twice");
	}
	error = check_shape(l, "shape", shape->shape);
	return error ? error : check_shape(l, "without_model", shape->without_model);
}

static int take_shapes(struct pack_reader *l, json_t *object)
{
	struct vendor_pack *pack = l->pack;
	json_t *list = json_object_get(object, "shapes");
	size_t before;

	if (!list) {
		return 0;
	}
	before = pack_enter(l, "shapes");
	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > shapes_max) {
		return pack_refuse(l, "must be a list [ ] of 1 to 8 shapes");
	}
	pack->shapes = arena_array(&pack->arena, json_array_size(list), sizeof(*pack->shapes));
	if (!pack->shapes) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t outer = pack_enter_index(l, i);
		int error = take_shape(l, json_array_get(list, i), &pack->shapes[i]);

		if (error) {
			return error;
		}
		pack->shape_count++;
		pack_leave(l, outer);
	}
	pack_leave(l, before);
	return 0;
}

static int take_number(struct pack_reader *l, json_t *object, const char *key, size_t least,
		       size_t most, size_t *number)
{
	json_t *value = json_object_get(object, key);
	char what[80];
	struct writer w = writer_over(what, sizeof(what));

	if (!value) {
		return 0;
	}
	if (json_is_integer(value) && json_integer_value(value) >= (json_int_t)least &&
	    json_integer_value(value) <= (json_int_t)most) {
		*number = (size_t)json_integer_value(value);
		return 0;
	}
	writer_text(&w, "must be a number from ");
	writer_unsigned(&w, least);
	writer_text(&w, " to ");
	writer_unsigned(&w, most);
	writer_terminate(&w);
	return pack_refuse_member(l, key, what);
}

int pack_take_url(struct pack_reader *l, json_t *root)
{
	static const char *const known[] = {"shapes", "max", NULL};
	json_t *object = json_object_get(root, "url");
	size_t before;
	int error;

	if (!object) {
		return 0;
	}
	before = pack_enter(l, "url");
	error = pack_check_members(l, object, known);
	error = error ? error : take_shapes(l, object);
	error = error ? error
		      : take_number(l, object, "max", url_max_least, url_max_most,
				    &l->pack->url_max);
	pack_leave(l, error ? l->path_length : before);
	return error;
}

/* --- answer --- */

/* What goes out as one line of a message: no controls, and no octet that is not ASCII. */
static bool is_line(struct span text, size_t length_max)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < 0x20 || (unsigned char)text.data[i] >= 0x7f) {
			return false;
		}
	}
	return text.length <= length_max;
}

/* RFC 3261 25.1: token, less what no header's name has. */
static bool is_header_name(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		if (!ascii_is_alnum(name.data[i]) && name.data[i] != '-') {
			return false;
		}
	}
	return name.length > 0 && name.length <= 40;
}

/*
 * Those that say who talks with whom, how the message is read and what it is about: we write them,
 * and a second one would be read instead of ours by some and make the message none for others. One
 * letter is the short name of such a header (RFC 3261 7.3.3).
 */
static bool is_ours(struct span name)
{
	static const char *const ours[] = {
		"Via",
		"From",
		"To",
		"Call-ID",
		"CSeq",
		"Contact",
		"Max-Forwards",
		"Route",
		"Record-Route",
		"Event",
		"Subscription-State",
		"Expires",
		"Content-Type",
		"Content-Length",
		"Content-Encoding",
		"Require",
		"Proxy-Require",
		"Authorization",
		"Proxy-Authorization",
		"Content-Disposition",
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (span_equal_nocase(name, span_text(ours[i]))) {
			return true;
		}
	}
	return name.length == 1;
}

/* A name is one in any case. */
static bool stands_twice(const struct vendor_pack *pack, struct span name)
{
	size_t count = 0;

	for (size_t i = 0; i < pack->header_count; i++) {
		count += span_equal_nocase(pack->headers[i].name, name);
	}
	return count > 1;
}

/* What is wrong with a name that is in the pack already; NULL: nothing. */
static const char *check_header_name(const struct vendor_pack *pack, struct span name)
{
	if (!is_header_name(name)) {
		return "is not a name of a header";
	}
	if (is_ours(name)) {
		return "is a header that Bellhop writes itself";
	}
	return stands_twice(pack, name) ? "stands twice" : NULL;
}

static int take_headers(struct pack_reader *l, json_t *object)
{
	struct vendor_pack *pack = l->pack;
	json_t *headers = json_object_get(object, "headers");
	const char *problem;
	const char *key;
	json_t *value;
	size_t before;

	if (!headers) {
		return 0;
	}
	before = pack_enter(l, "headers");
	if (!json_is_object(headers) || json_object_size(headers) > headers_max) {
		return pack_refuse(l, "must be an object { } of at most 8");
	}
	pack->headers =
		arena_array(&pack->arena, json_object_size(headers) + 1, sizeof(*pack->headers));
	if (!pack->headers) {
		return -ENOMEM;
	}
	json_object_foreach(headers, key, value)
	{
		struct vendor_header *header = &pack->headers[pack->header_count++];

		header->name = arena_copy(&pack->arena, span_text(key));
		if (!header->name.data) {
			return -ENOMEM;
		}
		problem = check_header_name(pack, header->name);
		if (problem) {
			return pack_refuse_member(l, key, problem);
		}
		if (pack_take_string(l, headers, key, true, &header->value) != 0) {
			return -EINVAL;
		}
		if (!is_line(header->value, header_value_max)) {
			return pack_refuse_member(l, key, "must be one line of ASCII");
		}
	}
	pack_leave(l, before);
	return 0;
}

int pack_take_answer(struct pack_reader *l, json_t *root)
{
	static const char *const known[] = {"form",    "body_end",    "event",	  "content_type",
					    "headers", "unsolicited", "sip_port", NULL};
	static const char *const forms[] = {"rfc", "print", NULL};
	static const char *const ends[] = {"none", "crlf", NULL};
	static const char *const events[] = {"package", "echo", NULL};
	struct vendor_pack *pack = l->pack;
	json_t *object = json_object_get(root, "answer");
	size_t port = pack->sip_port;
	int form = 0;
	int end = 0;
	int event = 0;
	size_t before;
	int error;

	if (!object) {
		return 0;
	}
	before = pack_enter(l, "answer");
	error = pack_check_members(l, object, known);
	error = error ? error : pack_take_choice(l, object, "form", forms, &form);
	error = error ? error : pack_take_choice(l, object, "body_end", ends, &end);
	error = error ? error : pack_take_choice(l, object, "event", events, &event);
	error = error ? error
		      : pack_take_string(l, object, "content_type", false, &pack->content_type);
	if (!error && !is_line(pack->content_type, header_value_max)) {
		error = pack_refuse_member(l, "content_type", "must be one line of ASCII");
	}
	error = error ? error : take_headers(l, object);
	error = error ? error
		      : pack_take_boolean(l, object, "unsolicited", &pack->takes_unsolicited);
	error = error ? error : take_number(l, object, "sip_port", 1, 65535, &port);
	pack->form = form == 0 ? FORM_RFC : FORM_PRINT;
	pack->ends_body_with_crlf = end == 1;
	pack->echoes_event = event == 1;
	pack->sip_port = (uint16_t)port;
	pack_leave(l, error ? l->path_length : before);
	return error;
}

/* --- resync and reboot --- */

static int take_order(struct pack_reader *l, json_t *root, const char *key,
		      const char *const *known, struct vendor_order *order)
{
	json_t *object = json_object_get(root, key);
	size_t before;
	int error;

	if (!object) {
		return 0;
	}
	before = pack_enter(l, key);
	error = pack_check_members(l, object, known);
	error = error ? error : pack_take_string(l, object, "event", true, &order->event);
	error = error ? error
		      : pack_take_string(l, object, "content_type", false, &order->content_type);
	error = error ? error : pack_take_string(l, object, "body", false, &order->body);
	if (error) {
		return error;
	}
	if (!is_line(order->event, header_value_max)) {
		return pack_refuse_member(l, "event", "must be one line of ASCII");
	}
	if (!is_line(order->content_type, header_value_max)) {
		return pack_refuse_member(l, "content_type", "must be one line of ASCII");
	}
	if (order->body.length > order_body_max ||
	    (order->body.length > 0 && order->content_type.length == 0)) {
		return pack_refuse_member(l, "body",
					  "must be at most 1000 bytes and have a content_type");
	}
	pack_leave(l, before);
	return 0;
}

int pack_take_orders(struct pack_reader *l, json_t *root)
{
	static const char *const of_resync[] = {"event",   "content_type",  "body",
						"reboots", "needs_account", "asks_credentials",
						NULL};
	static const char *const of_reboot[] = {"event", "content_type", "body", NULL};
	struct vendor_pack *pack = l->pack;
	json_t *resync = json_object_get(root, "resync");
	int error = take_order(l, root, "resync", of_resync, &pack->resync);
	size_t before;

	if (!error && resync) {
		before = pack_enter(l, "resync");
		error = pack_take_boolean(l, resync, "reboots", &pack->resync_reboots);
		error = error ? error
			      : pack_take_boolean(l, resync, "needs_account",
						  &pack->resync_needs_account);
		error = error ? error
			      : pack_take_boolean(l, resync, "asks_credentials",
						  &pack->resync_asks_credentials);
		if (error) {
			return error;
		}
		pack_leave(l, before);
	}
	return error ? error : take_order(l, root, "reboot", of_reboot, &pack->reboot);
}

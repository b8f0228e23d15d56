/* SPDX-License-Identifier: MIT */
/* Values as JSON, as Jinja's `tojson` writes them. */
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>
#include <math.h>

struct json_state {
	struct jinja_render *render;
	const struct jinja_node *node;
	struct jinja_buffer *buffer;
	int indent;
};

static int put(struct json_state *s, struct span bytes)
{
	return jinja_append(s->render, s->node, s->buffer, bytes);
}

static void write_unit(struct writer *w, uint32_t unit)
{
	uint8_t octets[2] = {(uint8_t)(unit >> 8), (uint8_t)unit};

	writer_text(w, "\\u");
	writer_hex(w, octets, 2);
}

static void write_character(struct writer *w, uint32_t c)
{
	static const char letters[] = "\nn\rr\tt\bb\ff\"\"\\\\";

	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (c == (uint8_t)letters[i]) {
			writer_char(w, '\\');
			writer_char(w, letters[i + 1]);
			return;
		}
	}
	if (c >= 0x10000) {
		write_unit(w, 0xd800 + ((c - 0x10000) >> 10));
		write_unit(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else if (c < 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '&' || c == '\'') {
		write_unit(w, c);
	} else {
		writer_char(w, (char)c);
	}
}

static int write_string(struct json_state *s, const struct jinja_value *value)
{
	struct span text = value->string;
	int result = put(s, SPAN("\""));

	for (size_t at = 0; result == 0 && at < text.length;) {
		char out[12];
		struct writer w = writer_over(out, sizeof(out));
		uint32_t code_point;
		size_t length;

		if (!jinja_code_point(text, at, &code_point, &length)) {
			return jinja_fail_value(s->render, s->node,
						"the % is not UTF-8, which JSON cannot carry",
						value);
		}
		write_character(&w, code_point);
		result = put(s, writer_span(&w));
		at += length;
	}
	return result == 0 ? put(s, SPAN("\"")) : result;
}

static int write_number(struct json_state *s, const struct jinja_value *value)
{
	char text[jinja_double_text_size];
	struct writer w = writer_over(text, sizeof(text));

	if (value->kind == JINJA_INT) {
		writer_signed(&w, value->integer);
	} else if (isfinite(value->number)) {
		jinja_write_double(&w, value->number);
	} else {
		return jinja_fail_value(s->render, s->node,
					"the % is not finite, which JSON cannot carry", value);
	}
	return put(s, writer_span(&w));
}

/* The newline and blanks before an item, or what stands for them on one line. */
static int separate(struct json_state *s, bool is_first, unsigned depth)
{
	int result = is_first ? 0 : put(s, s->indent < 0 ? SPAN(", ") : SPAN(","));

	if (s->indent < 0 || result < 0) {
		return result;
	}
	result = put(s, SPAN("\n"));
	for (uint64_t i = 0; result == 0 && i < (uint64_t)s->indent * depth; i++) {
		result = put(s, SPAN(" "));
	}
	return result;
}

static int write_value(struct json_state *s, const struct jinja_value *value, unsigned depth);

static int write_array(struct json_state *s, const struct jinja_list *list, unsigned depth)
{
	int result = put(s, SPAN("["));

	for (size_t i = 0; result == 0 && i < list->count; i++) {
		result = separate(s, i == 0, depth + 1);
		if (result == 0) {
			result = write_value(s, &list->items[i], depth + 1);
		}
	}
	if (result == 0 && list->count > 0 && s->indent >= 0) {
		result = separate(s, true, depth);
	}
	return result == 0 ? put(s, SPAN("]")) : result;
}

/* A key as a string: numbers, booleans and none are written as such. */
static int write_key(struct json_state *s, const struct jinja_value *key)
{
	int result;

	if (key->kind == JINJA_STRING) {
		return write_string(s, key);
	}
	if (key->kind == JINJA_LIST || key->kind == JINJA_UNDEFINED) {
		return jinja_fail_value(s->render, s->node, "a % cannot be a key of JSON", key);
	}
	result = put(s, SPAN("\""));
	if (result == 0) {
		result = write_value(s, key, 0);
	}
	return result == 0 ? put(s, SPAN("\"")) : result;
}

/* The entries in the order of their keys, as json.dumps(sort_keys=True) has them. */
static int sort_entries(struct json_state *s, const struct jinja_dict *dict,
			const struct jinja_entry ***sorted)
{
	int result =
		jinja_allocate(s->render, s->node, (dict->count + 1) * sizeof(**sorted), sorted);

	for (size_t i = 0; result == 0 && i < dict->count; i++) {
		size_t low = 0;
		size_t high = i;

		while (result == 0 && low < high) {
			size_t middle = low + (high - low) / 2;
			int order;

			result = jinja_order(s->render, s->node, &dict->entries[i].key,
					     &(*sorted)[middle]->key, &order);
			if (result == 0 && order < 0) {
				high = middle;
			} else {
				low = middle + 1;
			}
		}
		if (result == 0) {
			result = jinja_charge(s->render, s->node, 1 + (i - low) / 16);
		}
		if (result == 0) {
			memmove(*sorted + low + 1, *sorted + low, (i - low) * sizeof(**sorted));
			(*sorted)[low] = &dict->entries[i];
		}
	}
	return result;
}

static int write_object(struct json_state *s, const struct jinja_dict *dict, unsigned depth)
{
	const struct jinja_entry **sorted;
	int result = sort_entries(s, dict, &sorted);

	if (result == 0) {
		result = put(s, SPAN("{"));
	}
	for (size_t i = 0; result == 0 && i < dict->count; i++) {
		result = separate(s, i == 0, depth + 1);
		if (result == 0) {
			result = write_key(s, &sorted[i]->key);
		}
		if (result == 0) {
			result = put(s, SPAN(": "));
		}
		if (result == 0) {
			result = write_value(s, &sorted[i]->value, depth + 1);
		}
	}
	if (result == 0 && dict->count > 0 && s->indent >= 0) {
		result = separate(s, true, depth);
	}
	return result == 0 ? put(s, SPAN("}")) : result;
}

static int write_value(struct json_state *s, const struct jinja_value *value, unsigned depth)
{
	int result = jinja_charge(s->render, s->node, 1);

	if (result < 0) {
		return result;
	}
	if (depth > s->render->limits.nesting) {
		return jinja_fail_limit(s->render, s->node, "the value is too deeply nested");
	}
	switch (value->kind) {
	case JINJA_NONE:
		return put(s, SPAN("null"));
	case JINJA_BOOL:
		return put(s, value->boolean ? SPAN("true") : SPAN("false"));
	case JINJA_INT:
	case JINJA_DOUBLE:
		return write_number(s, value);
	case JINJA_STRING:
		return write_string(s, value);
	case JINJA_LIST:
		return write_array(s, value->list, depth);
	case JINJA_DICT:
		return write_object(s, value->dict, depth);
	default:
		return jinja_fail_value(s->render, s->node, "a % cannot be written as JSON", value);
	}
}

int jinja_write_json(struct jinja_render *render, const struct jinja_node *node,
		     const struct jinja_value *value, int indent, struct jinja_buffer *buffer)
{
	struct json_state state = {.render = render,
				   .node = node,
				   .buffer = buffer,
				   .indent = indent};

	return write_value(&state, value, 0);
}

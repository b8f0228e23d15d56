/* SPDX-License-Identifier: MIT */
/* What values contain: attributes, items, slices, length, truth, what a loop goes through. */
#include "core/jinja/operators.h"
#include "core/jinja/render.h"
#include "core/jinja/text.h"

#include <errno.h>

static int loop_attribute(const struct jinja_node *node, const struct jinja_loop *loop,
			  enum jinja_loop_attribute attribute, struct jinja_value *value)
{
	int64_t index = (int64_t)loop->index;
	int64_t count = (int64_t)loop->items->count;

	switch (attribute) {
	case LOOP_INDEX:
		*value = jinja_int(index + 1);
		return 0;
	case LOOP_INDEX0:
		*value = jinja_int(index);
		return 0;
	case LOOP_REVINDEX:
		*value = jinja_int(count - index);
		return 0;
	case LOOP_REVINDEX0:
		*value = jinja_int(count - index - 1);
		return 0;
	case LOOP_FIRST:
		*value = jinja_bool(index == 0);
		return 0;
	case LOOP_LAST:
		*value = jinja_bool(index + 1 == count);
		return 0;
	case LOOP_LENGTH:
		*value = jinja_int(count);
		return 0;
	case LOOP_PREVITEM:
		*value = index > 0 && index <= count ? loop->items->items[index - 1]
						     : jinja_undefined_at(node);
		return 0;
	case LOOP_NEXTITEM:
		*value = index + 1 < count ? loop->items->items[index + 1]
					   : jinja_undefined_at(node);
		return 0;
	case LOOP_DEPTH:
		*value = jinja_int(1);
		return 0;
	case LOOP_DEPTH0:
		*value = jinja_int(0);
		return 0;
	case LOOP_NOTHING:
		break;
	}
	*value = jinja_undefined_at(node);
	return 0;
}

int jinja_get_attribute(struct jinja_render *render, const struct jinja_node *node,
			const struct jinja_value *object, struct span name,
			struct jinja_value *value)
{
	const struct jinja_value *found;

	if (object->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(render, node, object);
	}
	if (object->kind == JINJA_LOOP) {
		enum jinja_loop_attribute attribute = node->kind == NODE_ATTRIBUTE
							      ? node->attribute.loop_attribute
							      : LOOP_NOTHING;

		return loop_attribute(node, object->loop, attribute, value);
	}
	found = object->kind == JINJA_DICT ? jinja_dict_get(object, name) : NULL;
	*value = found ? *found : jinja_undefined_at(node);
	return 0;
}

/* Settings are keyed by text: `sip_lines.1` finds the key "1". */
static const struct jinja_value *find_key(const struct jinja_value *dict,
					  const struct jinja_value *index)
{
	const struct jinja_value *found = jinja_dict_get_value(dict, index);
	char text[24];
	struct writer w = writer_over(text, sizeof(text));

	if (found || index->kind != JINJA_INT) {
		return found;
	}
	writer_signed(&w, index->integer);
	return jinja_dict_get(dict, writer_span(&w));
}

static int get_character(struct jinja_render *render, const struct jinja_node *node,
			 const struct jinja_value *object, int64_t index, struct jinja_value *value)
{
	int64_t count = (int64_t)jinja_character_count(object->string);
	size_t at;

	index = index < 0 ? index + count : index;
	if (index < 0 || index >= count) {
		*value = jinja_undefined_at(node);
		return 0;
	}
	at = jinja_character_offset(object->string, (size_t)index);
	*value = *object;
	value->string =
		span_slice(object->string, at, at + jinja_character_length(object->string, at));
	return jinja_charge(render, node, object->string.length / 64);
}

int jinja_get_item(struct jinja_render *render, const struct jinja_node *node,
		   const struct jinja_value *object, const struct jinja_value *index,
		   struct jinja_value *value)
{
	int64_t at;

	if (object->kind == JINJA_UNDEFINED || jinja_is_forbidden(render, index)) {
		return jinja_fail_undefined(render, node,
					    object->kind == JINJA_UNDEFINED ? object : index);
	}
	*value = jinja_undefined_at(node);
	if (object->kind == JINJA_DICT) {
		const struct jinja_value *found = find_key(object, index);

		*value = found ? *found : *value;
		return 0;
	}
	if (object->kind == JINJA_LOOP && index->kind == JINJA_STRING) {
		return jinja_get_attribute(render, node, object, index->string, value);
	}
	if (!jinja_is_integral(index)) {
		return 0;
	}
	at = jinja_integral(index);
	if (object->kind == JINJA_STRING) {
		return get_character(render, node, object, at, value);
	}
	if (object->kind == JINJA_LIST) {
		int64_t count = (int64_t)object->list->count;

		at = at < 0 ? at + count : at;
		if (at >= 0 && at < count) {
			*value = object->list->items[at];
		}
	}
	return 0;
}

/* Start, stop and step of a slice over `count` items, as Python's slice.indices() has them. */
static int slice_range(struct jinja_render *render, const struct jinja_node *node,
		       const struct jinja_value *bounds, int64_t count, int64_t range[static 3])
{
	int64_t step = 1;

	for (size_t i = 0; i < 3; i++) {
		if (bounds[i].kind == JINJA_UNDEFINED) {
			return jinja_fail_undefined(render, node, &bounds[i]);
		}
		if (bounds[i].kind != JINJA_NONE && !jinja_is_integral(&bounds[i])) {
			return jinja_fail_value(render, node, "a slice needs integers, found a %",
						&bounds[i]);
		}
	}
	if (bounds[2].kind != JINJA_NONE) {
		step = jinja_integral(&bounds[2]);
	}
	if (step == 0) {
		return jinja_fail(render, node, "the step of a slice cannot be zero");
	}
	/* No step needs to be longer than the sequence; so nothing overflows later. */
	step = step > count + 1 ? count + 1 : step < -count - 1 ? -count - 1 : step;
	for (size_t i = 0; i < 2; i++) {
		int64_t low = step < 0 ? -1 : 0;
		int64_t high = step < 0 ? count - 1 : count;
		int64_t bound = (step > 0) == (i == 0) ? low : high;

		if (bounds[i].kind != JINJA_NONE) {
			bound = jinja_integral(&bounds[i]);
			bound = bound < 0 ? bound + count : bound;
			bound = bound < low ? low : bound > high ? high : bound;
		}
		range[i] = bound;
	}
	range[2] = step;
	return 0;
}

static int list_of_characters(struct jinja_render *render, const struct jinja_node *node,
			      const struct jinja_value *value, struct jinja_value *list)
{
	struct span text = value->string;
	int result = jinja_charge(render, node, text.length);

	if (result < 0) {
		return result;
	}
	if (jinja_list(render->arena, list) != 0) {
		return jinja_fail_memory(render, node);
	}
	for (size_t at = 0; at < text.length;) {
		size_t length = jinja_character_length(text, at);
		struct jinja_value character = *value;

		character.string = span_slice(text, at, at + length);
		at += length;
		if (jinja_list_append(render->arena, list, character) != 0) {
			return jinja_fail_memory(render, node);
		}
	}
	return 0;
}

/* With step 1 the characters lie side by side; else they are taken one by one. */
static int slice_string(struct jinja_render *render, const struct jinja_node *node,
			const struct jinja_value *object, const struct jinja_value *bounds,
			struct jinja_value *value)
{
	struct span text = object->string;
	struct jinja_buffer buffer = {0};
	size_t *offsets;
	int64_t range[3];
	size_t count = jinja_character_count(text);
	int result = slice_range(render, node, bounds, (int64_t)count, range);

	*value = *object;
	value->flags = 0;
	if (result == 0) {
		result = jinja_charge(render, node, text.length / 16);
	}
	if (result < 0) {
		return result;
	}
	if (range[2] == 1) {
		value->string = span_slice(text, jinja_character_offset(text, (size_t)range[0]),
					   jinja_character_offset(text, (size_t)range[1]));
		return 0;
	}
	result = jinja_allocate(render, node, (count + 1) * sizeof(*offsets), &offsets);
	if (result < 0) {
		return result;
	}
	for (size_t i = 0, at = 0; i < count; i++) {
		offsets[i] = at;
		at += jinja_character_length(text, at);
	}
	for (int64_t i = range[0]; result == 0 && (range[2] > 0 ? i < range[1] : i > range[1]);
	     i += range[2]) {
		size_t at = offsets[i];

		result = jinja_append(render, node, &buffer,
				      span_slice(text, at, at + jinja_character_length(text, at)));
	}
	value->string = jinja_buffer_span(&buffer);
	return result;
}

int jinja_get_slice(struct jinja_render *render, const struct jinja_node *node,
		    const struct jinja_value *object, const struct jinja_value *bounds,
		    struct jinja_value *value)
{
	const struct jinja_list *from = object->list;
	int64_t range[3];
	int result;

	if (object->kind == JINJA_STRING) {
		return slice_string(render, node, object, bounds, value);
	}
	if (object->kind != JINJA_LIST) {
		return jinja_fail_value(render, node, "a % cannot be sliced", object);
	}
	result = slice_range(render, node, bounds, (int64_t)from->count, range);
	if (result == 0) {
		result = jinja_charge(render, node, from->count);
	}
	if (result < 0) {
		return result;
	}
	if (jinja_list(render->arena, value) != 0) {
		return jinja_fail_memory(render, node);
	}
	value->flags = object->flags & JINJA_TUPLE;
	for (int64_t i = range[0]; range[2] > 0 ? i < range[1] : i > range[1]; i += range[2]) {
		if (jinja_list_append(render->arena, value, from->items[i]) != 0) {
			return jinja_fail_memory(render, node);
		}
	}
	return 0;
}

int jinja_truth(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *value, bool *truth)
{
	switch (value->kind) {
	case JINJA_UNDEFINED:
		if (jinja_is_forbidden(render, value)) {
			return jinja_fail_undefined(render, node, value);
		}
		*truth = false;
		return 0;
	case JINJA_NONE:
		*truth = false;
		return 0;
	case JINJA_BOOL:
		*truth = value->boolean;
		return 0;
	case JINJA_INT:
		*truth = value->integer != 0;
		return 0;
	case JINJA_DOUBLE:
		*truth = value->number != 0;
		return 0;
	case JINJA_STRING:
		*truth = value->string.length > 0;
		return 0;
	case JINJA_LIST:
		*truth = value->list->count > 0;
		return 0;
	case JINJA_DICT:
		*truth = value->dict->count > 0 || (value->flags & JINJA_NAMESPACE);
		return 0;
	default:
		*truth = true;
		return 0;
	}
}

int jinja_iterate(struct jinja_render *render, const struct jinja_node *node,
		  const struct jinja_value *value, const struct jinja_list **items)
{
	struct jinja_value list = {0};
	int result;

	if (value->kind == JINJA_LIST) {
		*items = value->list;
		return 0;
	}
	if (value->kind == JINJA_STRING) {
		result = list_of_characters(render, node, value, &list);
		*items = list.list;
		return result;
	}
	if (jinja_is_forbidden(render, value)) {
		return jinja_fail_undefined(render, node, value);
	}
	if (value->kind != JINJA_UNDEFINED &&
	    (value->kind != JINJA_DICT || (value->flags & JINJA_NAMESPACE))) {
		return jinja_fail_value(render, node, "a % has no items to go through", value);
	}
	if (jinja_list(render->arena, &list) != 0) {
		return jinja_fail_memory(render, node);
	}
	for (size_t i = 0; value->kind == JINJA_DICT && i < value->dict->count; i++) {
		if (jinja_list_append(render->arena, &list, value->dict->entries[i].key) != 0) {
			return jinja_fail_memory(render, node);
		}
	}
	*items = list.list;
	return jinja_charge(render, node, list.list->count);
}

int jinja_length(struct jinja_render *render, const struct jinja_node *node,
		 const struct jinja_value *value, int64_t *length)
{
	if (value->kind == JINJA_STRING) {
		*length = (int64_t)jinja_character_count(value->string);
		return jinja_charge(render, node, value->string.length / 64);
	}
	if (value->kind == JINJA_LIST) {
		*length = (int64_t)value->list->count;
		return 0;
	}
	if (value->kind == JINJA_DICT && !(value->flags & JINJA_NAMESPACE)) {
		*length = (int64_t)value->dict->count;
		return 0;
	}
	if (value->kind == JINJA_UNDEFINED && !jinja_is_forbidden(render, value)) {
		*length = 0;
		return 0;
	}
	return jinja_fail_value(render, node, "a % has no length", value);
}

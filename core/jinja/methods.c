/* SPDX-License-Identifier: MIT */
/* Methods of strings, dictionaries and `loop`. A name belongs to one kind of value. */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>

static int method_upper(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_UPPER, result);
}

static int method_lower(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_LOWER, result);
}

static int method_title(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_WORDS, result);
}

static int method_capitalize(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_CAPITALIZE, result);
}

/* An argument that must be a string, as Python's methods want it. */
static int string_argument(struct jinja_call *call, size_t i, struct span *text)
{
	const struct jinja_value *argument = &call->arguments[i];

	if (argument->kind != JINJA_STRING) {
		return jinja_fail_value(call->render, call->node,
					"expected a string as argument, found a %", argument);
	}
	*text = argument->string;
	text->data = text->data ? text->data : "";
	return 0;
}

/* As string_argument; NULL data when it was not given, or is none. */
static int optional_string(struct jinja_call *call, size_t i, struct span *text)
{
	*text = (struct span){0};
	if (!jinja_argument_is_given(call, i) || call->arguments[i].kind == JINJA_NONE) {
		return 0;
	}
	return string_argument(call, i, text);
}

static int strip(struct jinja_call *call, bool at_start, bool at_end, struct jinja_value *result)
{
	struct span characters;
	int code = optional_string(call, 0, &characters);

	if (code == 0) {
		code = jinja_charge(call->render, call->node,
				    call->self->string.length / 16 * (1 + characters.length / 16));
	}
	*result = jinja_made_from(call->self,
				  jinja_strip(call->self->string, characters, at_start, at_end));
	return code;
}

static int method_strip(struct jinja_call *call, struct jinja_value *result)
{
	return strip(call, true, true, result);
}

static int method_lstrip(struct jinja_call *call, struct jinja_value *result)
{
	return strip(call, true, false, result);
}

static int method_rstrip(struct jinja_call *call, struct jinja_value *result)
{
	return strip(call, false, true, result);
}

static int method_split(struct jinja_call *call, struct jinja_value *result)
{
	struct span separator;
	int64_t count_max;
	int code = optional_string(call, 0, &separator);

	if (code == 0) {
		code = jinja_argument_integer(call, 1, -1, &count_max);
	}
	return code == 0 ? jinja_split(call, call->self->string, separator, count_max, result)
			 : code;
}

static int method_replace(struct jinja_call *call, struct jinja_value *result)
{
	struct span pair[2];
	int64_t count_max;
	int code = 0;

	for (size_t i = 0; code == 0 && i < 2; i++) {
		code = string_argument(call, i, &pair[i]);
	}
	if (code == 0) {
		code = jinja_argument_integer(call, 2, -1, &count_max);
	}
	return code == 0 ? jinja_replace(call, call->self->string, pair, count_max, result) : code;
}

typedef bool match_fn(struct span s, struct span part);

/* One string, or a tuple of which any may match. */
static int match(struct jinja_call *call, match_fn *matches, struct jinja_value *result)
{
	const struct jinja_value *argument = &call->arguments[0];
	struct span part;
	bool truth = false;
	int code = 0;

	if (argument->kind != JINJA_LIST) {
		code = string_argument(call, 0, &part);
		*result = jinja_bool(code == 0 && matches(call->self->string, part));
		return code;
	}
	for (size_t i = 0; i < argument->list->count; i++) {
		const struct jinja_value *item = &argument->list->items[i];

		if (item->kind != JINJA_STRING) {
			return jinja_fail_value(call->render, call->node,
						"expected strings in the tuple, found a %", item);
		}
		truth = truth || matches(call->self->string, item->string);
	}
	*result = jinja_bool(truth);
	return 0;
}

static int method_startswith(struct jinja_call *call, struct jinja_value *result)
{
	return match(call, span_starts_with, result);
}

static int method_endswith(struct jinja_call *call, struct jinja_value *result)
{
	return match(call, span_ends_with, result);
}

static int method_join(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code = jinja_iterate(call->render, call->node, &call->arguments[0], &items);

	for (size_t i = 0; code == 0 && i < items->count; i++) {
		if (items->items[i].kind != JINJA_STRING) {
			return jinja_fail_value(call->render, call->node,
						"expected strings to join, found a %",
						&items->items[i]);
		}
	}
	return code == 0 ? jinja_join(call->render, call->node, items, call->self, result) : code;
}

/* The index of the first occurrence in characters, or -1. */
static int method_find(struct jinja_call *call, struct jinja_value *result)
{
	struct span text = call->self->string;
	struct span part;
	size_t at;
	int code = string_argument(call, 0, &part);

	if (code == 0) {
		code = jinja_charge(call->render, call->node, text.length / 16);
	}
	if (code < 0) {
		return code;
	}
	at = span_search(text, part);
	*result = jinja_int(-1);
	if (at < text.length || part.length == 0) {
		*result = jinja_int((int64_t)jinja_character_count(span_slice(text, 0, at)));
	}
	return 0;
}

static int method_isdigit(struct jinja_call *call, struct jinja_value *result)
{
	struct span text = call->self->string;
	bool is_digits = text.length > 0;

	for (size_t i = 0; i < text.length; i++) {
		is_digits = is_digits && ascii_is_digit(text.data[i]);
	}
	*result = jinja_bool(is_digits);
	return jinja_charge(call->render, call->node, text.length / 64);
}

/* Which half of the entries of a dictionary; both make tuples. */
enum entry_part { ENTRY_KEY, ENTRY_VALUE, ENTRY_BOTH };

static int list_entries(struct jinja_call *call, enum entry_part part, struct jinja_value *result)
{
	const struct jinja_dict *dict = call->self->dict;
	struct arena *arena = call->render->arena;
	int code = jinja_list(arena, result);

	for (size_t i = 0; code == 0 && i < dict->count; i++) {
		struct jinja_value item =
			part == ENTRY_KEY ? dict->entries[i].key : dict->entries[i].value;

		if (part == ENTRY_BOTH) {
			code = jinja_list(arena, &item);
			item.flags = JINJA_TUPLE;
			if (code == 0) {
				code = jinja_list_append(arena, &item, dict->entries[i].key);
			}
			if (code == 0) {
				code = jinja_list_append(arena, &item, dict->entries[i].value);
			}
		}
		if (code == 0) {
			code = jinja_list_append(arena, result, item);
		}
	}
	return code == 0 ? jinja_charge(call->render, call->node, dict->count)
			 : jinja_fail_memory(call->render, call->node);
}

static int method_items(struct jinja_call *call, struct jinja_value *result)
{
	return list_entries(call, ENTRY_BOTH, result);
}

static int method_keys(struct jinja_call *call, struct jinja_value *result)
{
	return list_entries(call, ENTRY_KEY, result);
}

static int method_values(struct jinja_call *call, struct jinja_value *result)
{
	return list_entries(call, ENTRY_VALUE, result);
}

static int method_get(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *found = jinja_dict_get_value(call->self, &call->arguments[0]);

	*result = found				     ? *found
		  : jinja_argument_is_given(call, 1) ? call->arguments[1]
						     : jinja_none();
	return 0;
}

static int method_cycle(struct jinja_call *call, struct jinja_value *result)
{
	if (call->rest_count == 0) {
		return jinja_fail(call->render, call->node, "expected at least one value");
	}
	*result = call->rest[call->self->loop->index % call->rest_count];
	return 0;
}

/* Whether the values differ from those of the call before. */
static int method_changed(struct jinja_call *call, struct jinja_value *result)
{
	struct jinja_loop *loop = call->self->loop;
	struct jinja_value now;
	bool is_equal = false;
	int code = 0;

	if (jinja_list(call->render->arena, &now) != 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	for (size_t i = 0; i < call->rest_count; i++) {
		if (jinja_list_append(call->render->arena, &now, call->rest[i]) != 0) {
			return jinja_fail_memory(call->render, call->node);
		}
	}
	if (!(loop->changed.flags & JINJA_UNSET)) {
		code = jinja_equal(call->render, call->node, &loop->changed, &now, &is_equal);
	}
	loop->changed = now;
	*result = jinja_bool(!is_equal);
	return code;
}

static const struct jinja_callable methods[] = {
	{.name = "upper", .apply = method_upper, .kind = JINJA_STRING},
	{.name = "lower", .apply = method_lower, .kind = JINJA_STRING},
	{.name = "title", .apply = method_title, .kind = JINJA_STRING},
	{.name = "capitalize", .apply = method_capitalize, .kind = JINJA_STRING},
	{.name = "strip", .parameters = "chars", .apply = method_strip, .kind = JINJA_STRING},
	{.name = "lstrip", .parameters = "chars", .apply = method_lstrip, .kind = JINJA_STRING},
	{.name = "rstrip", .parameters = "chars", .apply = method_rstrip, .kind = JINJA_STRING},
	{.name = "split",
	 .parameters = "sep maxsplit",
	 .apply = method_split,
	 .kind = JINJA_STRING},
	{.name = "replace",
	 .parameters = "old new count",
	 .apply = method_replace,
	 .required = 2,
	 .kind = JINJA_STRING},
	{.name = "startswith",
	 .parameters = "prefix",
	 .apply = method_startswith,
	 .required = 1,
	 .kind = JINJA_STRING},
	{.name = "endswith",
	 .parameters = "suffix",
	 .apply = method_endswith,
	 .required = 1,
	 .kind = JINJA_STRING},
	{.name = "join",
	 .parameters = "iterable",
	 .apply = method_join,
	 .required = 1,
	 .kind = JINJA_STRING},
	{.name = "find",
	 .parameters = "sub",
	 .apply = method_find,
	 .required = 1,
	 .kind = JINJA_STRING},
	{.name = "isdigit", .apply = method_isdigit, .kind = JINJA_STRING},
	{.name = "items", .apply = method_items, .kind = JINJA_DICT},
	{.name = "keys", .apply = method_keys, .kind = JINJA_DICT},
	{.name = "values", .apply = method_values, .kind = JINJA_DICT},
	{.name = "get",
	 .parameters = "key default",
	 .apply = method_get,
	 .required = 1,
	 .kind = JINJA_DICT},
	{.name = "cycle", .apply = method_cycle, .flags = CALLABLE_VARIADIC, .kind = JINJA_LOOP},
	{.name = "changed",
	 .apply = method_changed,
	 .flags = CALLABLE_VARIADIC,
	 .kind = JINJA_LOOP},
	{.name = NULL},
};

const struct jinja_callable *jinja_method_find(struct span name)
{
	return jinja_callable_find(methods, name);
}

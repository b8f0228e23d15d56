/* SPDX-License-Identifier: MIT */
/* Filters on text. */
#include "core/jinja/escape.h"
#include "core/jinja/filters.h"
#include "core/jinja/text.h"

#include <errno.h>

static int self_text(struct jinja_call *call, struct span *text)
{
	return jinja_text(call->render, call->node, call->self, text);
}

static int filter_upper(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_UPPER, result);
}

static int filter_lower(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_LOWER, result);
}

static int filter_title(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_TITLE, result);
}

static int filter_capitalize(struct jinja_call *call, struct jinja_value *result)
{
	return jinja_change_case(call, CASE_CAPITALIZE, result);
}

static int filter_string(struct jinja_call *call, struct jinja_value *result)
{
	struct span text;
	int code = self_text(call, &text);

	*result = jinja_made_from(call->self, text);
	if (call->self->kind == JINJA_STRING) {
		result->flags = call->self->flags;
	}
	return code;
}

static int filter_escape(struct jinja_call *call, struct jinja_value *result)
{
	struct jinja_buffer buffer = {0};
	struct span text;
	int code = self_text(call, &text);

	if (code < 0) {
		return code;
	}
	if (call->self->kind == JINJA_STRING && (call->self->flags & JINJA_SAFE)) {
		*result = *call->self;
		return 0;
	}
	code = jinja_escape_markup(call->render, call->node, text, &buffer);
	*result = jinja_made_from(call->self, jinja_buffer_span(&buffer));
	/* In JSON the references are text like any other. */
	result->flags = call->render->format == JINJA_FORMAT_JSON ? 0 : JINJA_SAFE;
	return code;
}

static int filter_safe(struct jinja_call *call, struct jinja_value *result)
{
	struct span text;
	int code = self_text(call, &text);

	*result = jinja_made_from(call->self, text);
	result->flags = JINJA_SAFE;
	return code;
}

static int filter_trim(struct jinja_call *call, struct jinja_value *result)
{
	struct span text;
	struct span characters;
	int code = self_text(call, &text);

	if (code == 0) {
		code = jinja_argument_text(call, 0, (struct span){0}, &characters);
	}
	if (code < 0) {
		return code;
	}
	if (jinja_argument_is_given(call, 0) && call->arguments[0].kind != JINJA_NONE &&
	    !characters.data) {
		characters = SPAN("");
	}
	*result = jinja_made_from(call->self, jinja_strip(text, characters, true, true));
	result->flags = call->self->kind == JINJA_STRING ? call->self->flags : 0;
	return jinja_charge(call->render, call->node,
			    text.length / 16 * (1 + characters.length / 16));
}

static int filter_replace(struct jinja_call *call, struct jinja_value *result)
{
	struct span text;
	struct span pair[2];
	int64_t count_max;
	int code = self_text(call, &text);

	for (size_t i = 0; code == 0 && i < 2; i++) {
		code = jinja_text(call->render, call->node, &call->arguments[i], &pair[i]);
	}
	if (code == 0) {
		code = jinja_argument_integer(call, 2, -1, &count_max);
	}
	return code == 0 ? jinja_replace(call, text, pair, count_max, result) : code;
}

static int filter_split(struct jinja_call *call, struct jinja_value *result)
{
	struct span text;
	struct span separator;
	int64_t count_max;
	int code = self_text(call, &text);

	if (code == 0) {
		code = jinja_argument_text(call, 0, (struct span){0}, &separator);
	}
	if (code == 0) {
		code = jinja_argument_integer(call, 1, -1, &count_max);
	}
	if (code < 0) {
		return code;
	}
	if (jinja_argument_is_given(call, 0) && call->arguments[0].kind != JINJA_NONE &&
	    !separator.data) {
		separator = SPAN("");
	}
	return jinja_split(call, text, separator, count_max, result);
}

static int filter_join(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	struct jinja_value separator = jinja_string(SPAN(""));
	struct jinja_value parts;
	int code = jinja_iterate(call->render, call->node, call->self, &items);

	if (jinja_argument_is_given(call, 0)) {
		separator = call->arguments[0];
	}
	if (code < 0 || !jinja_argument_is_given(call, 1)) {
		return code == 0 ? jinja_join(call->render, call->node, items, &separator, result)
				 : code;
	}
	if (jinja_list(call->render->arena, &parts) != 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	for (size_t i = 0; i < items->count; i++) {
		struct jinja_value part;

		code = jinja_attribute_of(call->render, call->node, &items->items[i],
					  &call->arguments[1], &part);
		if (code < 0) {
			return code;
		}
		if (jinja_list_append(call->render->arena, &parts, part) != 0) {
			return jinja_fail_memory(call->render, call->node);
		}
	}
	return jinja_join(call->render, call->node, parts.list, &separator, result);
}

const struct jinja_callable jinja_filters_text[] = {
	{.name = "upper", .apply = filter_upper},
	{.name = "lower", .apply = filter_lower},
	{.name = "title", .apply = filter_title},
	{.name = "capitalize", .apply = filter_capitalize},
	{.name = "string", .apply = filter_string},
	{.name = "e", .apply = filter_escape},
	{.name = "escape", .apply = filter_escape},
	{.name = "safe", .apply = filter_safe},
	{.name = "trim", .parameters = "chars", .apply = filter_trim},
	{.name = "replace", .parameters = "old new count", .apply = filter_replace, .required = 2},
	{.name = "split", .parameters = "sep maxsplit", .apply = filter_split},
	{.name = "join", .parameters = "d attribute", .apply = filter_join},
	{.name = NULL},
};

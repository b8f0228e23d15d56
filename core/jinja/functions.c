/* SPDX-License-Identifier: MIT */
/* Functions of the language: a variable of the same name hides one. */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"

#include <errno.h>

/* How many numbers from start (inclusive) to stop (exclusive). */
static uint64_t range_count(int64_t start, int64_t stop, int64_t step)
{
	uint64_t distance;

	if (step > 0 ? start >= stop : start <= stop) {
		return 0;
	}
	distance = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
	return (distance - 1) / (step > 0 ? (uint64_t)step : 0 - (uint64_t)step) + 1;
}

static int function_range(struct jinja_call *call, struct jinja_value *result)
{
	int64_t bounds[3] = {0, 0, 1};
	struct jinja_list *list;
	uint64_t count;
	int code = 0;

	for (size_t i = 0; i < 3; i++) {
		const struct jinja_value *argument = &call->arguments[i];

		if (!jinja_argument_is_given(call, i)) {
			continue;
		}
		if (!jinja_is_integral(argument)) {
			return jinja_fail_value(call->render, call->node,
						"range needs integers, found a %", argument);
		}
		bounds[i] = jinja_integral(argument);
	}
	if (!jinja_argument_is_given(call, 1)) {
		bounds[1] = bounds[0];
		bounds[0] = 0;
	}
	if (bounds[2] == 0) {
		return jinja_fail(call->render, call->node, "the step of range cannot be zero");
	}
	count = range_count(bounds[0], bounds[1], bounds[2]);
	if (count > call->render->limits.range_items) {
		return jinja_fail_limit(call->render, call->node,
					"the limit of items of range is reached");
	}
	code = jinja_charge(call->render, call->node, count);
	if (code == 0) {
		code = jinja_allocate(call->render, call->node, sizeof(*list), &list);
	}
	if (code == 0) {
		code = jinja_allocate(call->render, call->node, (count + 1) * sizeof(*list->items),
				      &list->items);
	}
	if (code < 0) {
		return code;
	}
	for (uint64_t i = 0; i < count; i++) {
		/* Unsigned, since the last step may pass INT64_MAX. */
		list->items[i] =
			jinja_int((int64_t)((uint64_t)bounds[0] + i * (uint64_t)bounds[2]));
	}
	list->count = count;
	list->capacity = count;
	*result = (struct jinja_value){.kind = JINJA_LIST, .list = list};
	return 0;
}

/* Copies the entries of a dictionary that is given by position. */
static int copy_entries(struct jinja_call *call, const struct jinja_value *from,
			const struct jinja_value *to)
{
	if (from->kind != JINJA_DICT) {
		return jinja_fail_value(call->render, call->node,
					"expected a dictionary, found a %", from);
	}
	for (size_t i = 0; i < from->dict->count; i++) {
		if (jinja_dict_set_value(call->render->arena, to, from->dict->entries[i].key,
					 from->dict->entries[i].value) != 0) {
			return jinja_fail_memory(call->render, call->node);
		}
	}
	return jinja_charge(call->render, call->node, from->dict->count);
}

/* dict(a=1), dict(other, b=2) */
static int function_dict(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_argument *argument = call->node->call.arguments;
	int code = 0;

	if (jinja_dict(call->render->arena, result) != 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	for (; code == 0 && argument; argument = argument->next) {
		struct jinja_value value;

		code = jinja_evaluate(call->render, argument->value, &value);
		if (code == 0 && argument->keyword.length == 0) {
			code = copy_entries(call, &value, result);
		} else if (code == 0 && jinja_dict_set(call->render->arena, result,
						       argument->keyword, value) != 0) {
			return jinja_fail_memory(call->render, call->node);
		}
	}
	return code;
}

static int function_namespace(struct jinja_call *call, struct jinja_value *result)
{
	int code = function_dict(call, result);

	result->flags = JINJA_NAMESPACE;
	return code;
}

static const struct jinja_callable functions[] = {
	{.name = "range", .parameters = "start stop step", .apply = function_range, .required = 1},
	{.name = "dict", .apply = function_dict, .flags = CALLABLE_RAW},
	{.name = "namespace", .apply = function_namespace, .flags = CALLABLE_RAW},
	{.name = NULL},
};

const struct jinja_callable *jinja_function_find(struct span name)
{
	return jinja_callable_find(functions, name);
}

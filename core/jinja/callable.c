/* SPDX-License-Identifier: MIT */
/* Rows by name, and arguments as the types that they are wanted in. */
#include "core/jinja/callable.h"

#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>

const struct jinja_callable *jinja_callable_find(const struct jinja_callable *table,
						 struct span name)
{
	for (; table->name; table++) {
		if (span_equal(span_text(table->name), name)) {
			return table;
		}
	}
	return NULL;
}

const struct jinja_callable *jinja_filter_find(struct span name)
{
	static const struct jinja_callable *const tables[] = {
		jinja_filters_value,
		jinja_filters_text,
		jinja_filters_list,
		jinja_filters_format,
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct jinja_callable *found = jinja_callable_find(tables[i], name);

		if (found) {
			return found;
		}
	}
	return NULL;
}

bool jinja_argument_is_given(const struct jinja_call *call, size_t i)
{
	return !(call->arguments[i].flags & JINJA_UNSET);
}

int jinja_argument_truth(struct jinja_call *call, size_t i, bool otherwise, bool *truth)
{
	if (!jinja_argument_is_given(call, i)) {
		*truth = otherwise;
		return 0;
	}
	return jinja_truth(call->render, call->node, &call->arguments[i], truth);
}

int jinja_argument_integer(struct jinja_call *call, size_t i, int64_t otherwise, int64_t *integer)
{
	const struct jinja_value *argument = &call->arguments[i];

	if (!jinja_argument_is_given(call, i) || argument->kind == JINJA_NONE) {
		*integer = otherwise;
		return 0;
	}
	if (!jinja_is_integral(argument)) {
		return jinja_fail_value(call->render, call->node,
					"expected an integer as argument, found a %", argument);
	}
	*integer = jinja_integral(argument);
	return 0;
}

int jinja_argument_text(struct jinja_call *call, size_t i, struct span otherwise, struct span *text)
{
	if (!jinja_argument_is_given(call, i) || call->arguments[i].kind == JINJA_NONE) {
		*text = otherwise;
		return 0;
	}
	return jinja_text(call->render, call->node, &call->arguments[i], text);
}

/* SPDX-License-Identifier: MIT */
/* Filters on lists and dictionaries. */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>

static int self_items(struct jinja_call *call, const struct jinja_list **items)
{
	return jinja_iterate(call->render, call->node, call->self, items);
}

static int make_list(struct jinja_call *call, struct jinja_value *list)
{
	return jinja_list(call->render->arena, list) == 0
		       ? 0
		       : jinja_fail_memory(call->render, call->node);
}

static int append(struct jinja_call *call, const struct jinja_value *list, struct jinja_value item)
{
	if (jinja_list_append(call->render->arena, list, item) != 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	return jinja_charge(call->render, call->node, 1);
}

/* One part of a path: a number is an index, anything else a key. */
static struct jinja_value path_part(struct span part)
{
	uint64_t index;

	if (span_to_unsigned(part, INT64_MAX, &index) == 0) {
		return jinja_int((int64_t)index);
	}
	return jinja_string(part);
}

int jinja_attribute_of(struct jinja_render *render, const struct jinja_node *node,
		       const struct jinja_value *item, const struct jinja_value *attribute,
		       struct jinja_value *value)
{
	struct span rest = attribute->string;
	int result = 0;

	*value = *item;
	if ((attribute->flags & JINJA_UNSET) || attribute->kind == JINJA_NONE) {
		return 0;
	}
	if (attribute->kind != JINJA_STRING) {
		return jinja_get_item(render, node, item, attribute, value);
	}
	rest.data = rest.data ? rest.data : "";
	while (result == 0 && rest.data) {
		struct jinja_value part = path_part(span_cut(&rest, '.'));
		struct jinja_value object = *value;

		result = jinja_charge(render, node, 1);
		if (result == 0) {
			result = jinja_get_item(render, node, &object, &part, value);
		}
	}
	return result;
}

static int filter_first(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code = self_items(call, &items);

	if (code == 0) {
		*result = items->count > 0 ? items->items[0] : jinja_undefined_at(call->node);
	}
	return code;
}

static int filter_last(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code = self_items(call, &items);

	if (code == 0) {
		*result = items->count > 0 ? items->items[items->count - 1]
					   : jinja_undefined_at(call->node);
	}
	return code;
}

static int filter_list(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code = self_items(call, &items);

	if (code == 0) {
		code = make_list(call, result);
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		code = append(call, result, items->items[i]);
	}
	return code;
}

static int filter_reverse(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value bounds[3] = {jinja_none(), jinja_none(), jinja_int(-1)};
	const struct jinja_list *items;
	int code;

	if (call->self->kind == JINJA_STRING) {
		return jinja_get_slice(call->render, call->node, call->self, bounds, result);
	}
	code = self_items(call, &items);
	if (code == 0) {
		code = make_list(call, result);
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		code = append(call, result, items->items[items->count - 1 - i]);
	}
	return code;
}

static int pair_of(struct jinja_call *call, const struct jinja_entry *entry,
		   struct jinja_value *pair)
{
	int code = make_list(call, pair);

	if (code == 0) {
		pair->flags = JINJA_TUPLE;
		code = append(call, pair, entry->key);
	}
	return code == 0 ? append(call, pair, entry->value) : code;
}

static int filter_items(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *self = call->self;
	int code = make_list(call, result);

	if (self->kind == JINJA_UNDEFINED || code < 0) {
		return code;
	}
	if (self->kind != JINJA_DICT) {
		return jinja_fail_value(call->render, call->node,
					"expected a dictionary, found a %", self);
	}
	for (size_t i = 0; code == 0 && i < self->dict->count; i++) {
		struct jinja_value pair;

		code = pair_of(call, &self->dict->entries[i], &pair);
		if (code == 0) {
			code = append(call, result, pair);
		}
	}
	return code;
}

/* What is sorted, with what it is sorted by. */
struct sort_row {
	struct jinja_value key;
	struct jinja_value item;
};

struct sort_state {
	struct jinja_call *call;
	struct sort_row *rows;
	struct sort_row *spare;
	size_t count;
	bool is_reverse;
};

/* Text is compared without regard to case, unless it is asked for. */
static int fold_case(struct jinja_call *call, bool is_case_sensitive, struct jinja_value *key)
{
	struct jinja_value folded;
	struct jinja_call lower = *call;
	int code;

	if (is_case_sensitive || key->kind != JINJA_STRING) {
		return 0;
	}
	lower.self = key;
	code = jinja_change_case(&lower, CASE_LOWER, &folded);
	*key = code == 0 ? folded : *key;
	return code;
}

static int merge(struct sort_state *s, size_t from, size_t middle, size_t to)
{
	size_t left = from;
	size_t right = middle;

	for (size_t out = from; out < to; out++) {
		int order = 0;
		int code = 0;

		if (left < middle && right < to) {
			code = jinja_order(s->call->render, s->call->node, &s->rows[right].key,
					   &s->rows[left].key, &order);
		}
		if (code < 0) {
			return code;
		}
		order = s->is_reverse ? -order : order;
		if (left == middle || (right < to && order < 0)) {
			s->spare[out] = s->rows[right++];
		} else {
			s->spare[out] = s->rows[left++];
		}
	}
	return 0;
}

/* Merge sort, since it is stable, and its work is bounded whatever the order says. */
static int sort_rows(struct sort_state *s)
{
	int code = jinja_allocate(s->call->render, s->call->node,
				  (s->count + 1) * sizeof(*s->spare), &s->spare);

	for (size_t width = 1; code == 0 && width < s->count; width *= 2) {
		struct sort_row *sorted = s->spare;

		for (size_t from = 0; code == 0 && from < s->count; from += 2 * width) {
			size_t middle = from + width < s->count ? from + width : s->count;
			size_t to = middle + width < s->count ? middle + width : s->count;

			code = merge(s, from, middle, to);
		}
		s->spare = s->rows;
		s->rows = sorted;
	}
	return code;
}

static int sorted_list(struct sort_state *s, struct jinja_value *result)
{
	int code = sort_rows(s);

	if (code == 0) {
		code = make_list(s->call, result);
	}
	for (size_t i = 0; code == 0 && i < s->count; i++) {
		code = append(s->call, result, s->rows[i].item);
	}
	return code;
}

/* The parts that "a,b.c" names, as a list: the key of a sort by several attributes. */
static int sort_key(struct jinja_call *call, const struct jinja_value *item,
		    const struct jinja_value *attribute, bool is_case_sensitive,
		    struct jinja_value *key)
{
	struct span rest = attribute->string;
	int code = 0;

	if ((attribute->flags & JINJA_UNSET) || attribute->kind != JINJA_STRING ||
	    span_find(rest, ',') == rest.length) {
		code = jinja_attribute_of(call->render, call->node, item, attribute, key);
		return code == 0 ? fold_case(call, is_case_sensitive, key) : code;
	}
	code = make_list(call, key);
	while (code == 0 && rest.data) {
		struct jinja_value path = jinja_string(span_cut(&rest, ','));
		struct jinja_value part;

		code = jinja_attribute_of(call->render, call->node, item, &path, &part);
		if (code == 0) {
			code = fold_case(call, is_case_sensitive, &part);
		}
		if (code == 0) {
			code = append(call, key, part);
		}
	}
	return code;
}

static int filter_sort(struct jinja_call *call, struct jinja_value *result)
{
	struct sort_state state = {.call = call};
	const struct jinja_list *items;
	bool is_case_sensitive;
	int code = self_items(call, &items);

	if (code == 0) {
		code = jinja_argument_truth(call, 0, false, &state.is_reverse);
	}
	if (code == 0) {
		code = jinja_argument_truth(call, 1, false, &is_case_sensitive);
	}
	if (code == 0) {
		code = jinja_allocate(call->render, call->node,
				      (items->count + 1) * sizeof(*state.rows), &state.rows);
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		state.rows[i].item = items->items[i];
		code = sort_key(call, &items->items[i], &call->arguments[2], is_case_sensitive,
				&state.rows[i].key);
		state.count = i + 1;
	}
	return code == 0 ? sorted_list(&state, result) : code;
}

static int filter_dictsort(struct jinja_call *call, struct jinja_value *result)
{
	struct sort_state state = {.call = call};
	const struct jinja_value *self = call->self;
	bool is_case_sensitive;
	struct span by;
	int code = jinja_argument_truth(call, 0, false, &is_case_sensitive);

	if (code == 0) {
		code = jinja_argument_text(call, 1, SPAN("key"), &by);
	}
	if (code == 0) {
		code = jinja_argument_truth(call, 2, false, &state.is_reverse);
	}
	if (code < 0) {
		return code;
	}
	if (self->kind != JINJA_DICT) {
		return jinja_fail_value(call->render, call->node,
					"expected a dictionary, found a %", self);
	}
	if (!span_equal(by, SPAN("key")) && !span_equal(by, SPAN("value"))) {
		return jinja_fail(call->render, call->node, "by is one of key and value");
	}
	code = jinja_allocate(call->render, call->node,
			      (self->dict->count + 1) * sizeof(*state.rows), &state.rows);
	for (size_t i = 0; code == 0 && i < self->dict->count; i++) {
		const struct jinja_entry *entry = &self->dict->entries[i];

		state.rows[i].key = span_equal(by, SPAN("key")) ? entry->key : entry->value;
		code = fold_case(call, is_case_sensitive, &state.rows[i].key);
		if (code == 0) {
			code = pair_of(call, entry, &state.rows[i].item);
		}
		state.count = i + 1;
	}
	return code == 0 ? sorted_list(&state, result) : code;
}

static int filter_unique(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	struct jinja_value seen;
	bool is_case_sensitive;
	int code = self_items(call, &items);

	if (code == 0) {
		code = jinja_argument_truth(call, 0, false, &is_case_sensitive);
	}
	if (code == 0) {
		code = make_list(call, result);
	}
	if (code == 0 && jinja_dict(call->render->arena, &seen) != 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct jinja_value key;

		code = sort_key(call, &items->items[i], &call->arguments[1], is_case_sensitive,
				&key);
		if (code < 0 || jinja_dict_get_value(&seen, &key)) {
			continue;
		}
		code = jinja_dict_set_value(call->render->arena, &seen, key, jinja_none());
		if (code == -EINVAL) {
			return jinja_fail_value(call->render, call->node,
						"a % cannot be told from others", &key);
		}
		code = code == 0 ? append(call, result, items->items[i])
				 : jinja_fail_memory(call->render, call->node);
	}
	return code;
}

static int extreme(struct jinja_call *call, bool wants_greatest, struct jinja_value *result)
{
	const struct jinja_list *items;
	struct jinja_value best = {0};
	bool is_case_sensitive;
	int code = self_items(call, &items);

	if (code == 0) {
		code = jinja_argument_truth(call, 0, false, &is_case_sensitive);
	}
	*result = jinja_undefined_at(call->node);
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct jinja_value key;
		int order = 0;

		code = sort_key(call, &items->items[i], &call->arguments[1], is_case_sensitive,
				&key);
		if (code == 0 && i > 0) {
			code = jinja_order(call->render, call->node, &key, &best, &order);
		}
		if (code == 0 && (i == 0 || (wants_greatest ? order > 0 : order < 0))) {
			best = key;
			*result = items->items[i];
		}
	}
	return code;
}

static int filter_min(struct jinja_call *call, struct jinja_value *result)
{
	return extreme(call, false, result);
}

static int filter_max(struct jinja_call *call, struct jinja_value *result)
{
	return extreme(call, true, result);
}

static int filter_sum(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code = self_items(call, &items);

	*result = jinja_argument_is_given(call, 1) ? call->arguments[1] : jinja_int(0);
	if (code == 0 && result->kind == JINJA_STRING) {
		return jinja_fail(call->render, call->node, "text is not summed but joined");
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct jinja_value pair[2] = {*result};

		code = jinja_attribute_of(call->render, call->node, &items->items[i],
					  &call->arguments[0], &pair[1]);
		if (code == 0) {
			code = jinja_charge(call->render, call->node, 1);
		}
		if (code == 0) {
			code = jinja_arithmetic(call->render, call->node, OPERATOR_ADD, pair,
						result);
		}
	}
	return code;
}

static int map_item(struct jinja_call *call, const struct jinja_value *item,
		    struct jinja_value *mapped)
{
	int code;

	if (call->node->call.inner) {
		return jinja_apply(call->render, call->node->call.inner, item, mapped);
	}
	code = jinja_attribute_of(call->render, call->node, item, &call->arguments[0], mapped);
	if (code == 0 && mapped->kind == JINJA_UNDEFINED && jinja_argument_is_given(call, 1)) {
		*mapped = call->arguments[1];
	}
	return code;
}

static int filter_map(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code;

	if (!call->node->call.inner && !jinja_argument_is_given(call, 0)) {
		return jinja_fail(call->render, call->node,
				  "expected the name of a filter, or attribute=");
	}
	code = self_items(call, &items);
	if (code == 0) {
		code = make_list(call, result);
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct jinja_value mapped;

		code = map_item(call, &items->items[i], &mapped);
		if (code == 0) {
			code = append(call, result, mapped);
		}
	}
	return code;
}

/* The items for which the inner test (else the value itself) is as wanted. */
static int select_items(struct jinja_call *call, bool wanted, struct jinja_value *result)
{
	const struct jinja_list *items;
	int code = self_items(call, &items);

	if (code == 0) {
		code = make_list(call, result);
	}
	for (size_t i = 0; code == 0 && i < items->count; i++) {
		struct jinja_value part;
		struct jinja_value test;
		bool truth;

		code = jinja_attribute_of(call->render, call->node, &items->items[i],
					  &call->arguments[0], &part);
		test = part;
		if (code == 0 && call->node->call.inner) {
			code = jinja_apply(call->render, call->node->call.inner, &part, &test);
		}
		if (code == 0) {
			code = jinja_truth(call->render, call->node, &test, &truth);
		}
		if (code == 0 && truth == wanted) {
			code = append(call, result, items->items[i]);
		}
	}
	return code;
}

static int filter_select(struct jinja_call *call, struct jinja_value *result)
{
	return select_items(call, true, result);
}

static int filter_reject(struct jinja_call *call, struct jinja_value *result)
{
	return select_items(call, false, result);
}

const struct jinja_callable jinja_filters_list[] = {
	{.name = "first", .apply = filter_first},
	{.name = "last", .apply = filter_last},
	{.name = "list", .apply = filter_list},
	{.name = "reverse", .apply = filter_reverse},
	{.name = "items", .apply = filter_items},
	{.name = "sort", .parameters = "reverse case_sensitive attribute", .apply = filter_sort},
	{.name = "dictsort", .parameters = "case_sensitive by reverse", .apply = filter_dictsort},
	{.name = "unique", .parameters = "case_sensitive attribute", .apply = filter_unique},
	{.name = "min", .parameters = "case_sensitive attribute", .apply = filter_min},
	{.name = "max", .parameters = "case_sensitive attribute", .apply = filter_max},
	{.name = "sum", .parameters = "attribute start", .apply = filter_sum},
	{.name = "map",
	 .parameters = "attribute default",
	 .apply = filter_map,
	 .flags = CALLABLE_INNER_FILTER},
	{.name = "select", .apply = filter_select, .flags = CALLABLE_INNER_TEST},
	{.name = "reject", .apply = filter_reject, .flags = CALLABLE_INNER_TEST},
	{.name = "selectattr",
	 .parameters = "attribute",
	 .apply = filter_select,
	 .required = 1,
	 .flags = CALLABLE_INNER_TEST},
	{.name = "rejectattr",
	 .parameters = "attribute",
	 .apply = filter_reject,
	 .required = 1,
	 .flags = CALLABLE_INNER_TEST},
	{.name = NULL},
};

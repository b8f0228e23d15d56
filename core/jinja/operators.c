/* SPDX-License-Identifier: MIT */
/* Comparison and membership. Arithmetic is in arithmetic.c. */
#include "core/jinja/operators.h"

#include "core/jinja/render.h"
#include "core/jinja/text.h"

#include <errno.h>
#include <math.h>

/* Tuples as keys of dictionaries are compared this deep; deeper ones are taken for different. */
enum { key_depth_max = 8 };

bool jinja_to_integer(const struct jinja_value *value, int64_t *integer)
{
	if (jinja_is_integral(value)) {
		*integer = jinja_integral(value);
		return true;
	}
	/* -2^63 and 2^63 are doubles; the latter is the first that does not fit. */
	if (value->kind == JINJA_DOUBLE && value->number >= -0x1p63 && value->number < 0x1p63 &&
	    trunc(value->number) == value->number) {
		*integer = (int64_t)value->number;
		return true;
	}
	return false;
}

bool jinja_to_double(const struct jinja_value *value, double *number)
{
	if (jinja_is_integral(value)) {
		*number = (double)jinja_integral(value);
		return true;
	}
	if (value->kind == JINJA_DOUBLE) {
		*number = value->number;
		return true;
	}
	return false;
}

static bool is_number(const struct jinja_value *value)
{
	return jinja_is_integral(value) || value->kind == JINJA_DOUBLE;
}

/* <0, 0, >0 exactly, also where a double cannot hold the integer; nan is unordered: 2. */
static int order_numbers(const struct jinja_value *a, const struct jinja_value *b)
{
	int64_t ia;
	int64_t ib;
	double x = 0;
	double y = 0;

	if (jinja_to_integer(a, &ia) && jinja_to_integer(b, &ib)) {
		return (ia > ib) - (ia < ib);
	}
	jinja_to_double(a, &x);
	jinja_to_double(b, &y);
	if (isnan(x) || isnan(y)) {
		return 2;
	}
	return (x > y) - (x < y);
}

static bool key_equal(const struct jinja_value *a, const struct jinja_value *b, unsigned depth)
{
	if (is_number(a) && is_number(b)) {
		return order_numbers(a, b) == 0;
	}
	if (a->kind != b->kind) {
		return false;
	}
	switch (a->kind) {
	case JINJA_STRING:
		return span_equal(a->string, b->string);
	case JINJA_LIST:
		if (a->list->count != b->list->count || depth == 0) {
			return false;
		}
		for (size_t i = 0; i < a->list->count; i++) {
			if (!key_equal(&a->list->items[i], &b->list->items[i], depth - 1)) {
				return false;
			}
		}
		return true;
	default:
		return a->kind == JINJA_NONE || a->kind == JINJA_UNDEFINED;
	}
}

bool jinja_key_equal(const struct jinja_value *a, const struct jinja_value *b)
{
	return key_equal(a, b, key_depth_max);
}

struct pair_state {
	struct jinja_render *render;
	const struct jinja_node *node;
};

static int equal_values(struct pair_state *s, const struct jinja_value *a,
			const struct jinja_value *b, unsigned depth, bool *equal);

static int equal_lists(struct pair_state *s, const struct jinja_value *a,
		       const struct jinja_value *b, unsigned depth, bool *equal)
{
	int result = 0;

	*equal = a->list->count == b->list->count &&
		 (a->flags & JINJA_TUPLE) == (b->flags & JINJA_TUPLE);
	for (size_t i = 0; result == 0 && *equal && i < a->list->count; i++) {
		result = equal_values(s, &a->list->items[i], &b->list->items[i], depth + 1, equal);
	}
	return result;
}

static int equal_dicts(struct pair_state *s, const struct jinja_value *a,
		       const struct jinja_value *b, unsigned depth, bool *equal)
{
	int result = 0;

	*equal = a->dict->count == b->dict->count;
	for (size_t i = 0; result == 0 && *equal && i < a->dict->count; i++) {
		const struct jinja_value *other = jinja_dict_get_value(b, &a->dict->entries[i].key);

		*equal = other != NULL;
		if (other) {
			result = equal_values(s, &a->dict->entries[i].value, other, depth + 1,
					      equal);
		}
	}
	return result;
}

static int equal_values(struct pair_state *s, const struct jinja_value *a,
			const struct jinja_value *b, unsigned depth, bool *equal)
{
	int result = jinja_charge(s->render, s->node,
				  1 + (a->kind == JINJA_STRING ? a->string.length / 64 : 0));

	if (result < 0) {
		return result;
	}
	if (depth > s->render->limits.nesting) {
		return jinja_fail_limit(s->render, s->node, "the value is too deeply nested");
	}
	if (jinja_is_forbidden(s->render, a) || jinja_is_forbidden(s->render, b)) {
		return jinja_fail_undefined(s->render, s->node,
					    jinja_is_forbidden(s->render, a) ? a : b);
	}
	if (a->kind != b->kind || (a->kind != JINJA_LIST && a->kind != JINJA_DICT)) {
		*equal = (a->kind == JINJA_LOOP && b->kind == JINJA_LOOP) ? a->loop == b->loop
									  : jinja_key_equal(a, b);
		return 0;
	}
	if (a->kind == JINJA_LIST) {
		return equal_lists(s, a, b, depth, equal);
	}
	return equal_dicts(s, a, b, depth, equal);
}

int jinja_equal(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *a, const struct jinja_value *b, bool *equal)
{
	struct pair_state state = {.render = render, .node = node};

	return equal_values(&state, a, b, 0, equal);
}

static int order_values(struct pair_state *s, const struct jinja_value *a,
			const struct jinja_value *b, unsigned depth, int *order);

/* The first items that differ decide, then the length. */
static int order_lists(struct pair_state *s, const struct jinja_value *a,
		       const struct jinja_value *b, unsigned depth, int *order)
{
	size_t count = a->list->count < b->list->count ? a->list->count : b->list->count;

	for (size_t i = 0; i < count; i++) {
		const struct jinja_value *x = &a->list->items[i];
		const struct jinja_value *y = &b->list->items[i];
		bool equal;
		int result = equal_values(s, x, y, depth + 1, &equal);

		if (result < 0) {
			return result;
		}
		if (!equal) {
			return order_values(s, x, y, depth + 1, order);
		}
	}
	*order = (a->list->count > count) - (b->list->count > count);
	return 0;
}

static int fail_order(struct pair_state *s, const struct jinja_value *a,
		      const struct jinja_value *b)
{
	char kinds[64];
	struct writer w = writer_over(kinds, sizeof(kinds));

	writer_put(&w, jinja_kind_name(a));
	writer_text(&w, " and ");
	writer_put(&w, jinja_kind_name(b));
	return jinja_fail_detail(s->render, s->node, "% have no order", writer_span(&w));
}

static int order_values(struct pair_state *s, const struct jinja_value *a,
			const struct jinja_value *b, unsigned depth, int *order)
{
	int result = jinja_charge(s->render, s->node,
				  1 + (a->kind == JINJA_STRING ? a->string.length / 64 : 0));

	if (result < 0) {
		return result;
	}
	if (depth > s->render->limits.nesting) {
		return jinja_fail_limit(s->render, s->node, "the value is too deeply nested");
	}
	if (a->kind == JINJA_UNDEFINED || b->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(s->render, s->node, a->kind == JINJA_UNDEFINED ? a : b);
	}
	if (is_number(a) && is_number(b)) {
		*order = order_numbers(a, b);
		return 0;
	}
	if (a->kind == JINJA_STRING && b->kind == JINJA_STRING) {
		*order = span_compare(a->string, b->string);
		return 0;
	}
	if (a->kind == JINJA_LIST && b->kind == JINJA_LIST &&
	    (a->flags & JINJA_TUPLE) == (b->flags & JINJA_TUPLE)) {
		return order_lists(s, a, b, depth, order);
	}
	return fail_order(s, a, b);
}

int jinja_order(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *a, const struct jinja_value *b, int *order)
{
	struct pair_state state = {.render = render, .node = node};

	return order_values(&state, a, b, 0, order);
}

static int contains(struct jinja_render *render, const struct jinja_node *node,
		    const struct jinja_value *item, const struct jinja_value *container,
		    bool *truth)
{
	const struct jinja_list *items;
	int result;

	if (container->kind == JINJA_STRING) {
		if (item->kind != JINJA_STRING) {
			return jinja_fail_value(render, node,
						"expected a string left of 'in', found a %", item);
		}
		*truth = item->string.length == 0 ||
			 span_search(container->string, item->string) < container->string.length;
		return jinja_charge(render, node, container->string.length / 64);
	}
	if (container->kind == JINJA_DICT) {
		if (jinja_is_forbidden(render, item)) {
			return jinja_fail_undefined(render, node, item);
		}
		*truth = jinja_dict_get_value(container, item) != NULL;
		return 0;
	}
	result = jinja_iterate(render, node, container, &items);
	*truth = false;
	for (size_t i = 0; result == 0 && !*truth && i < items->count; i++) {
		result = jinja_equal(render, node, &items->items[i], item, truth);
	}
	return result;
}

int jinja_compare(struct jinja_render *render, const struct jinja_node *node,
		  enum jinja_operator operator, const struct jinja_value * pair, bool *truth)
{
	int order = 0;
	int result;

	if (operator== OPERATOR_EQUAL || operator== OPERATOR_NOT_EQUAL) {
		result = jinja_equal(render, node, &pair[0], &pair[1], truth);
		*truth = *truth == (operator== OPERATOR_EQUAL);
		return result;
	}
	if (operator== OPERATOR_IN || operator== OPERATOR_NOT_IN) {
		result = contains(render, node, &pair[0], &pair[1], truth);
		*truth = *truth == (operator== OPERATOR_IN);
		return result;
	}
	result = jinja_order(render, node, &pair[0], &pair[1], &order);
	*truth = order != 2 && ((operator== OPERATOR_LESS && order<0) ||
				(operator== OPERATOR_LESS_EQUAL && order <= 0) ||
				(operator== OPERATOR_GREATER && order> 0) ||
				(operator== OPERATOR_GREATER_EQUAL && order >= 0));
	return result;
}

/* SPDX-License-Identifier: MIT */
/* Expressions. Attributes, items and what values contain are in access.c. */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"

#include <errno.h>

/* The innermost variable that is set wins; at the end stands the context. */
static void evaluate_name(struct jinja_render *render, const struct jinja_node *node,
			  struct jinja_value *value)
{
	const struct jinja_variable *variable = node->variable;
	const struct jinja_value *found = NULL;

	for (; !variable->is_symbol; variable = variable->outer) {
		if (!(render->slots[variable->index].flags & JINJA_UNSET)) {
			*value = render->slots[variable->index];
			return;
		}
	}
	*value = render->symbols[variable->index];
	if (!(value->flags & JINJA_UNSET)) {
		return;
	}
	if (render->context) {
		found = jinja_dict_get(render->context, variable->name);
	}
	*value = found ? *found : jinja_undefined_at(node);
	/* Kept, so that a name is looked up in the context once. */
	if (found) {
		render->symbols[variable->index] = *value;
	}
}

static int evaluate_items(struct jinja_render *render, const struct jinja_node *node,
			  struct jinja_value *value)
{
	int result = 0;

	if (jinja_list(render->arena, value) != 0) {
		return jinja_fail_memory(render, node);
	}
	value->flags = node->kind == NODE_TUPLE ? JINJA_TUPLE : 0;
	for (const struct jinja_node *n = node->first; result == 0 && n; n = n->next) {
		struct jinja_value item;

		result = jinja_evaluate(render, n, &item);
		if (result == 0 && jinja_list_append(render->arena, value, item) != 0) {
			return jinja_fail_memory(render, node);
		}
	}
	return result;
}

static int evaluate_dict(struct jinja_render *render, const struct jinja_node *node,
			 struct jinja_value *value)
{
	int result = 0;

	if (jinja_dict(render->arena, value) != 0) {
		return jinja_fail_memory(render, node);
	}
	for (const struct jinja_node *n = node->first; n; n = n->next->next) {
		struct jinja_value key;
		struct jinja_value item;

		result = jinja_evaluate(render, n, &key);
		if (result == 0 && jinja_is_forbidden(render, &key)) {
			result = jinja_fail_undefined(render, n, &key);
		}
		if (result == 0) {
			result = jinja_evaluate(render, n->next, &item);
		}
		if (result < 0) {
			return result;
		}
		result = jinja_dict_set_value(render->arena, value, key, item);
		if (result == -EINVAL) {
			return jinja_fail_value(render, n, "a % cannot be a key", &key);
		}
		if (result < 0) {
			return jinja_fail_memory(render, n);
		}
	}
	return 0;
}

static int evaluate_truth(struct jinja_render *render, const struct jinja_node *node,
			  struct jinja_value *value, bool *truth)
{
	int result = jinja_evaluate(render, node, value);

	return result == 0 ? jinja_truth(render, node, value, truth) : result;
}

/* `and` and `or` give the operand that decided, as in Python. */
static int evaluate_logic(struct jinja_render *render, const struct jinja_node *node,
			  struct jinja_value *value)
{
	bool truth;
	int result = evaluate_truth(render, node->pair.left, value, &truth);

	if (result == 0 && truth == (node->kind == NODE_AND)) {
		result = jinja_evaluate(render, node->pair.right, value);
	}
	return result;
}

/* a < b < c: b is evaluated once, and c only when a < b. */
static int evaluate_comparison(struct jinja_render *render, const struct jinja_node *node,
			       struct jinja_value *value)
{
	struct jinja_value pair[2];
	bool truth = true;
	int result = jinja_evaluate(render, node->first, &pair[0]);

	for (const struct jinja_node *n = node->first->next; result == 0 && truth && n;
	     n = n->next) {
		result = jinja_evaluate(render, n, &pair[1]);
		if (result == 0) {
			result = jinja_compare(render, node, n->link, pair, &truth);
		}
		pair[0] = pair[1];
	}
	*value = jinja_bool(truth);
	return result;
}

static int evaluate_concatenation(struct jinja_render *render, const struct jinja_node *node,
				  struct jinja_value *value)
{
	struct jinja_value parts;
	int result = evaluate_items(render, node, &parts);

	return result == 0 ? jinja_join(render, node, parts.list, NULL, value) : result;
}

static int evaluate_condition(struct jinja_render *render, const struct jinja_node *node,
			      struct jinja_value *value)
{
	bool truth;
	int result = evaluate_truth(render, node->condition.test, value, &truth);

	if (result < 0) {
		return result;
	}
	if (truth) {
		return jinja_evaluate(render, node->condition.then, value);
	}
	if (node->condition.otherwise) {
		return jinja_evaluate(render, node->condition.otherwise, value);
	}
	*value = jinja_undefined_at(node);
	value->flags = JINJA_SOFT;
	return 0;
}

static int evaluate_rest(struct jinja_render *render, const struct jinja_node *node,
			 struct jinja_call *call)
{
	int result;

	if (node->call.rest_count == 0) {
		return 0;
	}
	result = jinja_allocate(render, node, node->call.rest_count * sizeof(*call->rest),
				&call->rest);
	for (size_t i = 0; result == 0 && i < node->call.rest_count; i++) {
		result = jinja_evaluate(render, node->call.rest[i], &call->rest[i]);
	}
	call->rest_count = node->call.rest_count;
	return result;
}

int jinja_apply(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *self, struct jinja_value *result)
{
	const struct jinja_callable *callable = node->call.callable;
	struct span names = span_text(callable->parameters);
	struct jinja_call call = {.render = render, .node = node, .self = self};
	int code = jinja_charge(render, node, 1);

	for (size_t i = 0; i < jinja_parameters_max; i++) {
		bool is_parameter = names.length > 0 && !(callable->flags & CALLABLE_RAW);

		call.arguments[i].flags = JINJA_UNSET;
		span_cut(&names, ' ');
		if (code == 0 && is_parameter && node->call.bound[i]) {
			code = jinja_evaluate(render, node->call.bound[i], &call.arguments[i]);
		}
	}
	if (code == 0) {
		code = evaluate_rest(render, node, &call);
	}
	return code == 0 ? callable->apply(&call, result) : code;
}

static int evaluate_method(struct jinja_render *render, const struct jinja_node *node,
			   const struct jinja_value *self, struct jinja_value *value)
{
	const struct jinja_callable *method = node->call.callable;

	if (self->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(render, node, self);
	}
	if (!method || method->kind != self->kind) {
		char text[96];
		struct writer w = writer_over(text, sizeof(text));

		writer_text(&w, "a % has no method ");
		writer_put(&w, span_slice(node->call.name, 0, 40));
		writer_terminate(&w);
		return jinja_fail_value(render, node, text, self);
	}
	return jinja_apply(render, node, self, value);
}

static int evaluate_call(struct jinja_render *render, const struct jinja_node *node,
			 struct jinja_value *value)
{
	struct jinja_value self;
	int result = jinja_evaluate(render, node->call.object, &self);

	if (result < 0) {
		return result;
	}
	if (node->kind == NODE_METHOD) {
		return evaluate_method(render, node, &self, value);
	}
	if (node->kind == NODE_FUNCTION && self.kind != JINJA_UNDEFINED) {
		return jinja_fail_value(render, node, "a % cannot be called", &self);
	}
	if (node->kind == NODE_FUNCTION && !node->call.callable) {
		return jinja_fail_undefined(render, node, &self);
	}
	return jinja_apply(render, node, &self, value);
}

static int evaluate_arithmetic(struct jinja_render *render, const struct jinja_node *node,
			       struct jinja_value *value)
{
	struct jinja_value pair[2];
	int result = jinja_evaluate(render, node->pair.left, &pair[0]);

	if (result == 0) {
		result = jinja_evaluate(render, node->pair.right, &pair[1]);
	}
	if (result == 0) {
		result = jinja_arithmetic(render, node, node->operator, pair, value);
	}
	return result;
}

static int evaluate_item(struct jinja_render *render, const struct jinja_node *node,
			 struct jinja_value *value)
{
	struct jinja_value object;
	struct jinja_value index;
	int result;

	if (node->kind == NODE_ATTRIBUTE) {
		result = jinja_evaluate(render, node->attribute.object, &object);
		return result == 0 ? jinja_get_attribute(render, node, &object,
							 node->attribute.name, value)
				   : result;
	}
	result = jinja_evaluate(render, node->item.object, &object);
	if (result == 0) {
		result = jinja_evaluate(render, node->item.index, &index);
	}
	return result == 0 ? jinja_get_item(render, node, &object, &index, value) : result;
}

static int evaluate_slice(struct jinja_render *render, const struct jinja_node *node,
			  struct jinja_value *value)
{
	struct jinja_value object;
	struct jinja_value bounds[3];
	int result = jinja_evaluate(render, node->slice.object, &object);

	for (size_t i = 0; result == 0 && i < 3; i++) {
		bounds[i] = jinja_none();
		if (node->slice.bound[i]) {
			result = jinja_evaluate(render, node->slice.bound[i], &bounds[i]);
		}
	}
	return result == 0 ? jinja_get_slice(render, node, &object, bounds, value) : result;
}

static int evaluate_unary(struct jinja_render *render, const struct jinja_node *node,
			  struct jinja_value *value)
{
	struct jinja_value operand;
	bool truth;
	int result;

	if (node->kind == NODE_NOT) {
		result = evaluate_truth(render, node->pair.left, value, &truth);
		if (result == 0) {
			*value = jinja_bool(!truth);
		}
		return result;
	}
	result = jinja_evaluate(render, node->pair.left, &operand);
	if (result == 0) {
		result = jinja_negate(render, node, &operand, node->kind == NODE_NEGATE, value);
	}
	return result;
}

int jinja_evaluate(struct jinja_render *render, const struct jinja_node *node,
		   struct jinja_value *value)
{
	int result = jinja_charge(render, node, 1);

	if (result < 0) {
		return result;
	}
	switch (node->kind) {
	case NODE_CONSTANT:
		*value = node->constant;
		return 0;
	case NODE_NAME:
		evaluate_name(render, node, value);
		return 0;
	case NODE_ATTRIBUTE:
	case NODE_ITEM:
		return evaluate_item(render, node, value);
	case NODE_SLICE:
		return evaluate_slice(render, node, value);
	case NODE_LIST:
	case NODE_TUPLE:
		return evaluate_items(render, node, value);
	case NODE_DICT:
		return evaluate_dict(render, node, value);
	case NODE_NEGATE:
	case NODE_POSITIVE:
	case NODE_NOT:
		return evaluate_unary(render, node, value);
	case NODE_ARITHMETIC:
		return evaluate_arithmetic(render, node, value);
	case NODE_AND:
	case NODE_OR:
		return evaluate_logic(render, node, value);
	case NODE_COMPARE:
		return evaluate_comparison(render, node, value);
	case NODE_CONCATENATE:
		return evaluate_concatenation(render, node, value);
	case NODE_CONDITION:
		return evaluate_condition(render, node, value);
	case NODE_FILTER:
	case NODE_TEST:
	case NODE_METHOD:
	case NODE_FUNCTION:
		return evaluate_call(render, node, value);
	default:
		return jinja_fail(render, node, "this is no expression");
	}
}

/* SPDX-License-Identifier: MIT */
/* What may follow `is`. */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>

static int answer(struct jinja_value *result, bool truth)
{
	*result = jinja_bool(truth);
	return 0;
}

static int test_defined(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind != JINJA_UNDEFINED);
}

static int test_undefined(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_UNDEFINED);
}

static int test_none(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_NONE);
}

static int test_string(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_STRING);
}

static int test_number(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, jinja_is_integral(call->self) || call->self->kind == JINJA_DOUBLE);
}

static int test_mapping(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result,
		      call->self->kind == JINJA_DICT && !(call->self->flags & JINJA_NAMESPACE));
}

/* Has a length and items: to Jinja an undefined value that is lenient has both. */
static int test_sequence(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *self = call->self;
	bool is_lenient = !jinja_is_forbidden(call->render, self);

	return answer(result,
		      self->kind == JINJA_STRING || self->kind == JINJA_LIST ||
			      (self->kind == JINJA_DICT && !(self->flags & JINJA_NAMESPACE)) ||
			      (self->kind == JINJA_UNDEFINED && is_lenient));
}

static int test_iterable(struct jinja_call *call, struct jinja_value *result)
{
	if (jinja_is_forbidden(call->render, call->self)) {
		return jinja_fail_undefined(call->render, call->node, call->self);
	}
	if (call->self->kind == JINJA_LOOP) {
		return answer(result, true);
	}
	return test_sequence(call, result);
}

static int test_true(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_BOOL && call->self->boolean);
}

static int test_false(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_BOOL && !call->self->boolean);
}

static int test_boolean(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_BOOL);
}

static int test_integer(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_INT);
}

static int test_float(struct jinja_call *call, struct jinja_value *result)
{
	return answer(result, call->self->kind == JINJA_DOUBLE);
}

/* self % divisor == rest */
static int test_modulo(struct jinja_call *call, struct jinja_value divisor, int64_t rest,
		       struct jinja_value *result)
{
	struct jinja_value pair[2] = {*call->self, divisor};
	struct jinja_value wanted = jinja_int(rest);
	bool equal;
	int code = jinja_arithmetic(call->render, call->node, OPERATOR_MODULO, pair, &pair[0]);

	if (code == 0) {
		code = jinja_equal(call->render, call->node, &pair[0], &wanted, &equal);
	}
	return code == 0 ? answer(result, equal) : code;
}

static int test_even(struct jinja_call *call, struct jinja_value *result)
{
	return test_modulo(call, jinja_int(2), 0, result);
}

static int test_odd(struct jinja_call *call, struct jinja_value *result)
{
	return test_modulo(call, jinja_int(2), 1, result);
}

static int test_divisibleby(struct jinja_call *call, struct jinja_value *result)
{
	return test_modulo(call, call->arguments[0], 0, result);
}

static int compare(struct jinja_call *call, enum jinja_operator operator,
		   struct jinja_value * result)
{
	struct jinja_value pair[2] = {*call->self, call->arguments[0]};
	bool truth;
	int code = jinja_compare(call->render, call->node, operator, pair, &truth);

	return code == 0 ? answer(result, truth) : code;
}

static int test_eq(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_EQUAL, result);
}

static int test_ne(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_NOT_EQUAL, result);
}

static int test_lt(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_LESS, result);
}

static int test_le(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_LESS_EQUAL, result);
}

static int test_gt(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_GREATER, result);
}

static int test_ge(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_GREATER_EQUAL, result);
}

static int test_in(struct jinja_call *call, struct jinja_value *result)
{
	return compare(call, OPERATOR_IN, result);
}

/* At least one letter, and none of the other case. */
static int test_case(struct jinja_call *call, bool is_upper, struct jinja_value *result)
{
	struct span text;
	bool has_letter = false;
	bool has_other = false;
	int code = jinja_text(call->render, call->node, call->self, &text);

	for (size_t i = 0; code == 0 && i < text.length; i++) {
		bool is_letter = ascii_is_alpha(text.data[i]);

		has_letter = has_letter || is_letter;
		has_other = has_other ||
			    (is_letter && (ascii_upper(text.data[i]) == text.data[i]) != is_upper);
	}
	return code == 0 ? answer(result, has_letter && !has_other) : code;
}

static int test_upper(struct jinja_call *call, struct jinja_value *result)
{
	return test_case(call, true, result);
}

static int test_lower(struct jinja_call *call, struct jinja_value *result)
{
	return test_case(call, false, result);
}

#define COMPARISON(test_name, function)                                                            \
	{                                                                                          \
		.name = test_name, .parameters = "other", .apply = (function), .required = 1       \
	}

static const struct jinja_callable tests[] = {
	{.name = "defined", .apply = test_defined},
	{.name = "undefined", .apply = test_undefined},
	{.name = "none", .apply = test_none},
	{.name = "string", .apply = test_string},
	{.name = "number", .apply = test_number},
	{.name = "mapping", .apply = test_mapping},
	{.name = "sequence", .apply = test_sequence},
	{.name = "iterable", .apply = test_iterable},
	{.name = "true", .apply = test_true},
	{.name = "false", .apply = test_false},
	{.name = "boolean", .apply = test_boolean},
	{.name = "integer", .apply = test_integer},
	{.name = "float", .apply = test_float},
	{.name = "even", .apply = test_even},
	{.name = "odd", .apply = test_odd},
	{.name = "divisibleby", .parameters = "num", .apply = test_divisibleby, .required = 1},
	{.name = "upper", .apply = test_upper},
	{.name = "lower", .apply = test_lower},
	COMPARISON("eq", test_eq),
	COMPARISON("equalto", test_eq),
	COMPARISON("==", test_eq),
	COMPARISON("ne", test_ne),
	COMPARISON("!=", test_ne),
	COMPARISON("lt", test_lt),
	COMPARISON("lessthan", test_lt),
	COMPARISON("<", test_lt),
	COMPARISON("le", test_le),
	COMPARISON("<=", test_le),
	COMPARISON("gt", test_gt),
	COMPARISON("greaterthan", test_gt),
	COMPARISON(">", test_gt),
	COMPARISON("ge", test_ge),
	COMPARISON(">=", test_ge),
	{.name = "in", .parameters = "seq", .apply = test_in, .required = 1},
	{.name = NULL},
};

const struct jinja_callable *jinja_test_find(struct span name)
{
	return jinja_callable_find(tests, name);
}

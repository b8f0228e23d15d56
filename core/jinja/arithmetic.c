/* SPDX-License-Identifier: MIT */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/render.h"
#include "core/jinja/text.h"

#include <errno.h>
#include <math.h>

static const char overflow_text[] = "the result has more than 63 bits";
static const char zero_text[] = "division by zero";

static int64_t floor_divide(int64_t a, int64_t b)
{
	int64_t quotient = a / b;

	return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static int power(struct jinja_render *render, const struct jinja_node *node, int64_t base,
		 int64_t exponent, struct jinja_value *result)
{
	int64_t product = 1;

	if (exponent < 0) {
		if (base == 0) {
			return jinja_fail(render, node, zero_text);
		}
		*result = jinja_double(pow((double)base, (double)exponent));
		return 0;
	}
	while (exponent > 0) {
		if ((exponent & 1) && __builtin_mul_overflow(product, base, &product)) {
			return jinja_fail(render, node, overflow_text);
		}
		exponent >>= 1;
		/* The last square is not needed, and may be too large. */
		if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) {
			return jinja_fail(render, node, overflow_text);
		}
	}
	*result = jinja_int(product);
	return 0;
}

static int integers(struct jinja_render *render, const struct jinja_node *node,
		    enum jinja_operator operator, const int64_t * pair, struct jinja_value *result)
{
	int64_t a = pair[0];
	int64_t b = pair[1];
	int64_t value = 0;
	bool is_overflow = false;

	if (operator== OPERATOR_POWER) {
		return power(render, node, a, b, result);
	}
	if (b == 0 && (operator== OPERATOR_DIVIDE || operator== OPERATOR_FLOOR_DIVIDE || operator==
		       OPERATOR_MODULO)) {
		return jinja_fail(render, node, zero_text);
	}
	if (operator== OPERATOR_DIVIDE) {
		*result = jinja_double((double)a / (double)b);
		return 0;
	}
	if (operator== OPERATOR_ADD) {
		is_overflow = __builtin_add_overflow(a, b, &value);
	} else if (operator== OPERATOR_SUBTRACT) {
		is_overflow = __builtin_sub_overflow(a, b, &value);
	} else if (operator== OPERATOR_MULTIPLY) {
		is_overflow = __builtin_mul_overflow(a, b, &value);
	} else if (b == -1) {
		/* INT64_MIN / -1 traps. */
		is_overflow = operator== OPERATOR_FLOOR_DIVIDE &&
			__builtin_sub_overflow(0, a, &value);
	} else {
		value = floor_divide(a, b);
		value = operator== OPERATOR_MODULO ? a - value * b : value;
	}
	if (is_overflow) {
		return jinja_fail(render, node, overflow_text);
	}
	*result = jinja_int(value);
	return 0;
}

/* fmod with the sign of the divisor, as Python has it. */
static double modulo(double a, double b)
{
	double rest = fmod(a, b);

	if (rest != 0 && (rest < 0) != (b < 0)) {
		return rest + b;
	}
	return rest == 0 ? copysign(0, b) : rest;
}

static int doubles(struct jinja_render *render, const struct jinja_node *node,
		   enum jinja_operator operator, const double * pair, struct jinja_value *result)
{
	double a = pair[0];
	double b = pair[1];
	double value;

	if (b == 0 && (operator== OPERATOR_DIVIDE || operator== OPERATOR_FLOOR_DIVIDE || operator==
		       OPERATOR_MODULO)) {
		return jinja_fail(render, node, zero_text);
	}
	switch ((int)operator) {
	case OPERATOR_ADD:
		value = a + b;
		break;
	case OPERATOR_SUBTRACT:
		value = a - b;
		break;
	case OPERATOR_MULTIPLY:
		value = a * b;
		break;
	case OPERATOR_DIVIDE:
		value = a / b;
		break;
	case OPERATOR_FLOOR_DIVIDE:
		value = round((a - modulo(a, b)) / b);
		break;
	case OPERATOR_MODULO:
		value = modulo(a, b);
		break;
	default:
		if ((a == 0 && b < 0) || (a < 0 && floor(b) != b)) {
			return jinja_fail(render, node, "the power is not a real number");
		}
		value = pow(a, b);
		break;
	}
	*result = jinja_double(value);
	return 0;
}

/* `count` times the octets, or the items. */
static int repeat(struct jinja_render *render, const struct jinja_node *node,
		  const struct jinja_value *value, int64_t count, struct jinja_value *made)
{
	bool is_list = value->kind == JINJA_LIST;
	const char *from = is_list ? (const char *)value->list->items : value->string.data;
	size_t size =
		is_list ? value->list->count * sizeof(struct jinja_value) : value->string.length;
	size_t times = count > 0 ? (size_t)count : 0;
	char *place;
	int result;

	if (size > 0 && times > render->limits.memory_bytes / size) {
		return jinja_fail_memory(render, node);
	}
	times = size > 0 ? times : 0;
	result = jinja_charge(render, node, size * times / 64);
	if (result == 0) {
		result = jinja_allocate(render, node, size * times + 1, &place);
	}
	if (result < 0) {
		return result;
	}
	for (size_t i = 0; i < times; i++) {
		memcpy(place + i * size, from, size);
	}
	*made = *value;
	if (!is_list) {
		made->string = span_make(place, size * times);
		return 0;
	}
	result = jinja_allocate(render, node, sizeof(*made->list), &made->list);
	if (result == 0) {
		made->list->items = (struct jinja_value *)(void *)place;
		made->list->count = value->list->count * times;
		made->list->capacity = made->list->count;
	}
	return result;
}

static int add_lists(struct jinja_render *render, const struct jinja_node *node,
		     const struct jinja_value *pair, struct jinja_value *sum)
{
	int result = jinja_charge(render, node, pair[0].list->count + pair[1].list->count);

	if (result < 0) {
		return result;
	}
	if (jinja_list(render->arena, sum) != 0) {
		return jinja_fail_memory(render, node);
	}
	sum->flags = pair[0].flags;
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < pair[i].list->count; j++) {
			if (jinja_list_append(render->arena, sum, pair[i].list->items[j]) != 0) {
				return jinja_fail_memory(render, node);
			}
		}
	}
	return 0;
}

static int fail_types(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *pair)
{
	char kinds[64];
	struct writer w = writer_over(kinds, sizeof(kinds));

	writer_put(&w, jinja_kind_name(&pair[0]));
	writer_text(&w, " and ");
	writer_put(&w, jinja_kind_name(&pair[1]));
	return jinja_fail_detail(render, node, "the operator does not take % (use ~ to join text)",
				 writer_span(&w));
}

/* Operators on strings and lists. */
static int sequences(struct jinja_render *render, const struct jinja_node *node,
		     enum jinja_operator operator, const struct jinja_value * pair,
		     struct jinja_value *result)
{
	bool is_sequence[2] = {pair[0].kind == JINJA_STRING || pair[0].kind == JINJA_LIST,
			       pair[1].kind == JINJA_STRING || pair[1].kind == JINJA_LIST};

	if (operator== OPERATOR_ADD && pair[0].kind == JINJA_STRING && pair[1].kind ==
	    JINJA_STRING) {
		return jinja_join_pair(render, node, pair, result);
	}
	if (operator== OPERATOR_ADD && pair[0].kind == JINJA_LIST && pair[1].kind ==
	    JINJA_LIST &&(pair[0].flags &JINJA_TUPLE) == (pair[1].flags & JINJA_TUPLE)) {
		return add_lists(render, node, pair, result);
	}
	if (operator== OPERATOR_MULTIPLY && is_sequence[0] && jinja_is_integral(&pair[1])) {
		return repeat(render, node, &pair[0], jinja_integral(&pair[1]), result);
	}
	if (operator== OPERATOR_MULTIPLY && is_sequence[1] && jinja_is_integral(&pair[0])) {
		return repeat(render, node, &pair[1], jinja_integral(&pair[0]), result);
	}
	if (operator== OPERATOR_MODULO && pair[0].kind == JINJA_STRING) {
		return jinja_format(render, node, &pair[0], &pair[1], result);
	}
	return fail_types(render, node, pair);
}

int jinja_arithmetic(struct jinja_render *render, const struct jinja_node *node,
		     enum jinja_operator operator, const struct jinja_value * pair,
		     struct jinja_value *result)
{
	double numbers[2];

	for (size_t i = 0; i < 2; i++) {
		if (pair[i].kind == JINJA_UNDEFINED) {
			return jinja_fail_undefined(render, node, &pair[i]);
		}
	}
	if (jinja_is_integral(&pair[0]) && jinja_is_integral(&pair[1])) {
		const int64_t operands[2] = {jinja_integral(&pair[0]), jinja_integral(&pair[1])};

		return integers(render, node, operator, operands, result);
	}
	if (jinja_to_double(&pair[0], &numbers[0]) && jinja_to_double(&pair[1], &numbers[1])) {
		return doubles(render, node, operator, numbers, result);
	}
	return sequences(render, node, operator, pair, result);
}

int jinja_negate(struct jinja_render *render, const struct jinja_node *node,
		 const struct jinja_value *value, bool is_negative, struct jinja_value *result)
{
	int64_t integer;

	if (value->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(render, node, value);
	}
	if (value->kind == JINJA_DOUBLE) {
		*result = jinja_double(is_negative ? -value->number : value->number);
		return 0;
	}
	if (!jinja_is_integral(value)) {
		return jinja_fail_value(render, node, "a sign needs a number, found a %", value);
	}
	integer = jinja_integral(value);
	if (is_negative && __builtin_sub_overflow(0, integer, &integer)) {
		return jinja_fail(render, node, overflow_text);
	}
	*result = jinja_int(integer);
	return 0;
}

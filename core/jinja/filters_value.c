/* SPDX-License-Identifier: MIT */
/* Filters on values of any kind, and on numbers. */
#include "core/jinja/filters.h"
#include "core/jinja/numbers.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int filter_default(struct jinja_call *call, struct jinja_value *result)
{
	bool wants_truth;
	bool truth = true;
	int code = jinja_argument_truth(call, 1, false, &wants_truth);

	if (code == 0 && wants_truth && call->self->kind != JINJA_UNDEFINED) {
		code = jinja_truth(call->render, call->node, call->self, &truth);
	}
	*result = *call->self;
	if (call->self->kind == JINJA_UNDEFINED || !truth) {
		*result = jinja_argument_is_given(call, 0) ? call->arguments[0]
							   : jinja_string(SPAN(""));
	}
	return code;
}

static int filter_length(struct jinja_call *call, struct jinja_value *result)
{
	int64_t length = 0;
	int code = jinja_length(call->render, call->node, call->self, &length);

	*result = jinja_int(length);
	return code;
}

/* A double without its fraction; what does not fit in 63 bits is an error. */
static int truncate_double(struct jinja_call *call, double number, struct jinja_value *result)
{
	double whole = trunc(number);

	if (!(whole >= -0x1p63 && whole < 0x1p63)) {
		return jinja_fail_value(call->render, call->node,
					"the number has more than 63 bits", call->self);
	}
	*result = jinja_int((int64_t)whole);
	result->origin = call->self->origin;
	return 0;
}

static int integer_of_text(struct jinja_call *call, struct jinja_value *result)
{
	int64_t base;
	int64_t integer = 0;
	double number;
	int code = jinja_argument_integer(call, 1, 10, &base);

	if (code < 0) {
		return code;
	}
	code = jinja_read_integer(call->self->string, base, &integer);
	if (code == -ERANGE) {
		return jinja_fail_value(call->render, call->node,
					"the number has more than 63 bits", call->self);
	}
	if (code == 0) {
		*result = jinja_int(integer);
		result->origin = call->self->origin;
		return 0;
	}
	if (jinja_read_double(call->self->string, &number) == 0 && !isnan(number)) {
		return truncate_double(call, number, result);
	}
	*result = jinja_argument_is_given(call, 0) ? call->arguments[0] : jinja_int(0);
	return 0;
}

static int filter_int(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *self = call->self;

	if (self->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(call->render, call->node, self);
	}
	if (self->kind == JINJA_STRING) {
		return integer_of_text(call, result);
	}
	if (self->kind == JINJA_DOUBLE && !isnan(self->number)) {
		return truncate_double(call, self->number, result);
	}
	*result = jinja_argument_is_given(call, 0) ? call->arguments[0] : jinja_int(0);
	if (jinja_is_integral(self)) {
		*result = jinja_int(jinja_integral(self));
		result->origin = self->origin;
	}
	return 0;
}

static int filter_float(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *self = call->self;
	double number;

	if (self->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(call->render, call->node, self);
	}
	if (jinja_to_double(self, &number) ||
	    (self->kind == JINJA_STRING && jinja_read_double(self->string, &number) == 0)) {
		*result = jinja_double(number);
		result->origin = self->origin;
		return 0;
	}
	*result = jinja_argument_is_given(call, 0) ? call->arguments[0] : jinja_double(0);
	return 0;
}

static int filter_abs(struct jinja_call *call, struct jinja_value *result)
{
	const struct jinja_value *self = call->self;

	if (self->kind == JINJA_DOUBLE) {
		*result = jinja_double(fabs(self->number));
		return 0;
	}
	if (!jinja_is_integral(self)) {
		return jinja_fail_value(call->render, call->node, "expected a number, found a %",
					self);
	}
	return jinja_negate(call->render, call->node, self, jinja_integral(self) < 0, result);
}

enum round_method { ROUND_COMMON, ROUND_CEIL, ROUND_FLOOR };

static int round_method(struct jinja_call *call, enum round_method *method)
{
	struct span name;
	int code = jinja_argument_text(call, 1, SPAN("common"), &name);

	if (code < 0) {
		return code;
	}
	*method = span_equal(name, SPAN("ceil"))    ? ROUND_CEIL
		  : span_equal(name, SPAN("floor")) ? ROUND_FLOOR
						    : ROUND_COMMON;
	if (*method == ROUND_COMMON && !span_equal(name, SPAN("common"))) {
		return jinja_fail(call->render, call->node,
				  "the method is one of common, ceil and floor");
	}
	return 0;
}

/* To `precision` decimals, half to even of the double's exact value, as Python rounds. */
static double round_common(double number, int64_t precision)
{
	char text[400];
	struct writer w = writer_over(text, sizeof(text));
	double scale;

	if (!isfinite(number) || precision > 60) {
		return number;
	}
	if (precision < 0) {
		scale = pow(10, (double)-precision);
		return isfinite(scale) ? rint(number / scale) * scale : 0;
	}
	jinja_write_fixed(&w, number, (unsigned)precision);
	writer_terminate(&w);
	return strtod(text, NULL);
}

/* An integer stays one; a negative precision rounds half to even. */
static int round_integer(struct jinja_call *call, int64_t integer, int64_t precision,
			 struct jinja_value *result)
{
	struct jinja_value pair[2] = {jinja_int(integer), jinja_int(1)};
	int64_t rest;
	int64_t scale = 1;

	if (precision >= 0) {
		*result = pair[0];
		return 0;
	}
	if (precision < -18) {
		*result = jinja_int(0);
		return 0;
	}
	for (; precision < 0; precision++) {
		scale *= 10;
	}
	rest = integer % scale;
	if (rest < 0) {
		rest += scale;
	}
	pair[1] = jinja_int(-rest);
	if (rest > scale / 2 || (rest == scale / 2 && ((integer - rest) / scale) % 2 != 0)) {
		pair[1] = jinja_int(scale - rest);
	}
	return jinja_arithmetic(call->render, call->node, OPERATOR_ADD, pair, result);
}

static int filter_round(struct jinja_call *call, struct jinja_value *result)
{
	enum round_method method;
	int64_t precision;
	double number;
	double scale;
	int code = jinja_argument_integer(call, 0, 0, &precision);

	if (code == 0) {
		code = round_method(call, &method);
	}
	if (code < 0) {
		return code;
	}
	if (!jinja_to_double(call->self, &number)) {
		return jinja_fail_value(call->render, call->node, "expected a number, found a %",
					call->self);
	}
	if (method == ROUND_COMMON && jinja_is_integral(call->self)) {
		return round_integer(call, jinja_integral(call->self), precision, result);
	}
	if (method == ROUND_COMMON) {
		*result = jinja_double(round_common(number, precision));
		return 0;
	}
	scale = pow(10, (double)precision);
	if (!isfinite(scale) || scale == 0 || !isfinite(number * scale)) {
		return jinja_fail(call->render, call->node, "the precision is too large");
	}
	number = number * scale;
	*result = jinja_double((method == ROUND_CEIL ? ceil(number) : floor(number)) / scale);
	return 0;
}

const struct jinja_callable jinja_filters_value[] = {
	{.name = "default", .parameters = "default_value boolean", .apply = filter_default},
	{.name = "d", .parameters = "default_value boolean", .apply = filter_default},
	{.name = "length", .apply = filter_length},
	{.name = "count", .apply = filter_length},
	{.name = "int", .parameters = "default base", .apply = filter_int},
	{.name = "float", .parameters = "default", .apply = filter_float},
	{.name = "abs", .apply = filter_abs},
	{.name = "round", .parameters = "precision method", .apply = filter_round},
	{.name = NULL},
};

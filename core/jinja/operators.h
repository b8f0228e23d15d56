/* SPDX-License-Identifier: MIT */
/* Inside core/jinja: arithmetic, comparison and membership, as Python does them. */
#ifndef BELLHOP_CORE_JINJA_OPERATORS_H
#define BELLHOP_CORE_JINJA_OPERATORS_H

#include "core/jinja/ast.h"

struct jinja_render;

/* An integer, a boolean, or a double without a fraction that fits; false for anything else. */
bool jinja_to_integer(const struct jinja_value *value, int64_t *integer);

/* An integer, boolean or double. */
bool jinja_to_double(const struct jinja_value *value, double *number);

/* The value is an integer or a boolean. */
static inline bool jinja_is_integral(const struct jinja_value *value)
{
	return value->kind == JINJA_INT || value->kind == JINJA_BOOL;
}

static inline int64_t jinja_integral(const struct jinja_value *value)
{
	return value->kind == JINJA_BOOL ? value->boolean : value->integer;
}

/* Equality of keys of a dictionary: never fails; tuples are compared to a fixed depth. */
bool jinja_key_equal(const struct jinja_value *a, const struct jinja_value *b);

/* a == b: lists and dictionaries by their items. */
int jinja_equal(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *a, const struct jinja_value *b, bool *equal);

/* <0, 0, >0; an error when the two have no order. */
int jinja_order(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *a, const struct jinja_value *b, int *order);

/* a OPERATOR b for the comparisons, `in` and `not in`. */
int jinja_compare(struct jinja_render *render, const struct jinja_node *node,
		  enum jinja_operator operator, const struct jinja_value * pair, bool *truth);

/* pair[0] OPERATOR pair[1] for + - * / // % and **. */
int jinja_arithmetic(struct jinja_render *render, const struct jinja_node *node,
		     enum jinja_operator operator, const struct jinja_value * pair,
		     struct jinja_value *result);

/* -value, or +value. */
int jinja_negate(struct jinja_render *render, const struct jinja_node *node,
		 const struct jinja_value *value, bool is_negative, struct jinja_value *result);

#endif

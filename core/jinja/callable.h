/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: filters, tests, methods and functions are rows of tables. A row names its
 * parameters, so that arguments are bound to them when the template is compiled.
 */
#ifndef BELLHOP_CORE_JINJA_CALLABLE_H
#define BELLHOP_CORE_JINJA_CALLABLE_H

#include "core/jinja/ast.h"

struct jinja_render;

enum { jinja_parameters_max = 5 };

/* One application: everything is evaluated already. */
struct jinja_call {
	struct jinja_render *render;
	const struct jinja_node *node;	/* for errors, and for raw and inner arguments */
	const struct jinja_value *self; /* what the filter, test or method is applied to */
	struct jinja_value arguments[jinja_parameters_max]; /* flag JINJA_UNSET: not given */
	struct jinja_value *rest;
	size_t rest_count;
};

/* 0 and `*result`, or a negative errno with the render's error set. */
typedef int jinja_apply_fn(struct jinja_call *call, struct jinja_value *result);

enum jinja_callable_flag {
	CALLABLE_VARIADIC = 1 << 0, /* takes positional arguments beyond its parameters */
	CALLABLE_RAW = 1 << 1,	    /* takes any keywords; evaluates node->call.arguments itself */
	CALLABLE_INNER_FILTER = 1 << 2, /* map: the rest names a filter and its arguments */
	CALLABLE_INNER_TEST = 1 << 3,	/* select…: the rest names a test and its arguments */
};

struct jinja_callable {
	const char *name;
	const char *parameters; /* names, separated by blanks; NULL or empty: none */
	jinja_apply_fn *apply;
	uint8_t required; /* how many of the parameters must be given */
	uint8_t flags;	  /* enum jinja_callable_flag */
	uint8_t kind;	  /* of a method: what it belongs to (enum jinja_kind) */
};

/* By name, or NULL. */
const struct jinja_callable *jinja_filter_find(struct span name);
const struct jinja_callable *jinja_test_find(struct span name);
const struct jinja_callable *jinja_method_find(struct span name);
const struct jinja_callable *jinja_function_find(struct span name);

/* The tables of filters, one a subject; each ends with a row without a name. */
extern const struct jinja_callable jinja_filters_text[];
extern const struct jinja_callable jinja_filters_list[];
extern const struct jinja_callable jinja_filters_value[];
extern const struct jinja_callable jinja_filters_format[];

/* In the table, or NULL. */
const struct jinja_callable *jinja_callable_find(const struct jinja_callable *table,
						 struct span name);

static inline struct jinja_value *jinja_argument_at(struct jinja_call *call, size_t i)
{
	return &call->arguments[i];
}

/* The argument was given. */
bool jinja_argument_is_given(const struct jinja_call *call, size_t i);

/* The argument as a truth value, integer or text; the default when it was not given (or none). */
int jinja_argument_truth(struct jinja_call *call, size_t i, bool otherwise, bool *truth);
int jinja_argument_integer(struct jinja_call *call, size_t i, int64_t otherwise, int64_t *integer);
int jinja_argument_text(struct jinja_call *call, size_t i, struct span otherwise,
			struct span *text);

#endif

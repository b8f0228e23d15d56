/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: one rendering while it runs, and what statements, expressions and filters
 * share. Everything returns 0 or a negative errno with `render->error` filled.
 */
#ifndef BELLHOP_CORE_JINJA_RENDER_H
#define BELLHOP_CORE_JINJA_RENDER_H

#include "core/jinja/ast.h"

/* Internal marks of values, beside enum jinja_value_flag. */
enum {
	JINJA_UNSET = 1 << 7, /* a slot that is not set, an argument that is not given */
	JINJA_SOFT = 1 << 6,  /* undefined, and lenient also in strict mode: an `if` without else */
};

/* Text that grows in the arena. */
struct jinja_buffer {
	char *data;
	size_t length;
	size_t capacity;
};

struct jinja_loop {
	const struct jinja_list *items;
	size_t index;
	struct jinja_value changed; /* last arguments of loop.changed(), a tuple, or unset */
};

struct jinja_render {
	const struct jinja_template *template;
	const struct jinja_value *context;
	enum jinja_format format;
	enum jinja_undefined undefined;
	struct jinja_limits limits;
	uint64_t steps;
	struct arena *arena;
	struct jinja_value *slots;
	struct jinja_value *symbols;
	struct jinja_buffer output;
	struct jinja_error *error;
};

/* Counts work against the limit of steps. 0 or -E2BIG. */
int jinja_charge(struct jinja_render *render, const struct jinja_node *node, uint64_t steps);

/* Errors at a node; '%' in the text stands for the detail. Return the code. */
int jinja_fail(struct jinja_render *render, const struct jinja_node *node, const char *text);
int jinja_fail_detail(struct jinja_render *render, const struct jinja_node *node, const char *text,
		      struct span detail);
int jinja_fail_limit(struct jinja_render *render, const struct jinja_node *node, const char *text);
int jinja_fail_memory(struct jinja_render *render, const struct jinja_node *node);

/* A value is at fault: its origin is named; '%' stands for the name of its type. */
int jinja_fail_value(struct jinja_render *render, const struct jinja_node *node, const char *text,
		     const struct jinja_value *value);

/* The value is undefined and may not be: names the variable. */
int jinja_fail_undefined(struct jinja_render *render, const struct jinja_node *node,
			 const struct jinja_value *value);

/* Memory of the arena, or -ENOMEM with the error set. */
int jinja_allocate(struct jinja_render *render, const struct jinja_node *node, size_t size,
		   void *place);

int jinja_append(struct jinja_render *render, const struct jinja_node *node,
		 struct jinja_buffer *buffer, struct span bytes);

static inline struct span jinja_buffer_span(const struct jinja_buffer *buffer)
{
	return span_make(buffer->data, buffer->length);
}

/* Evaluates an expression. */
int jinja_evaluate(struct jinja_render *render, const struct jinja_node *node,
		   struct jinja_value *value);

/* Applies a filter or test node to `self` instead of its object (for map, select, …). */
int jinja_apply(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *self, struct jinja_value *result);

/* object.name and object[index]: undefined when it is not there. */
int jinja_get_attribute(struct jinja_render *render, const struct jinja_node *node,
			const struct jinja_value *object, struct span name,
			struct jinja_value *value);
int jinja_get_item(struct jinja_render *render, const struct jinja_node *node,
		   const struct jinja_value *object, const struct jinja_value *index,
		   struct jinja_value *value);

/* object[start:stop:step]; a bound that is none was not given. */
int jinja_get_slice(struct jinja_render *render, const struct jinja_node *node,
		    const struct jinja_value *object, const struct jinja_value *bounds,
		    struct jinja_value *value);

/* Whether the value counts as true (an undefined one: by the mode). */
int jinja_truth(struct jinja_render *render, const struct jinja_node *node,
		const struct jinja_value *value, bool *truth);

/* What a loop over the value goes through: items, keys, characters. */
int jinja_iterate(struct jinja_render *render, const struct jinja_node *node,
		  const struct jinja_value *value, const struct jinja_list **items);

/* The length: items, keys, characters. */
int jinja_length(struct jinja_render *render, const struct jinja_node *node,
		 const struct jinja_value *value, int64_t *length);

/* The value is undefined, and to use it is an error. */
static inline bool jinja_is_forbidden(const struct jinja_render *render,
				      const struct jinja_value *value)
{
	return value->kind == JINJA_UNDEFINED && render->undefined == JINJA_STRICT &&
	       !(value->flags & JINJA_SOFT);
}

/* An undefined value that errors describe by the expression `node`. */
static inline struct jinja_value jinja_undefined_at(const struct jinja_node *node)
{
	return (struct jinja_value){.kind = JINJA_UNDEFINED, .expression = node};
}

/* The name of the value's type as people know it: "string", "list", … */
struct span jinja_kind_name(const struct jinja_value *value);

#endif

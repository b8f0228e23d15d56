/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: what `{{ }}` does to a value on its way into the file, by format. What the
 * format cannot carry is refused with the value's origin, never with the value.
 */
#ifndef BELLHOP_CORE_JINJA_ESCAPE_H
#define BELLHOP_CORE_JINJA_ESCAPE_H

#include "core/jinja/render.h"

/* Writes the value into render->output. */
int jinja_escape_value(struct jinja_render *render, const struct jinja_node *node,
		       const struct jinja_value *value);

/* & < > " ' as references, as the filter `e` and markupsafe write them. */
int jinja_escape_markup(struct jinja_render *render, const struct jinja_node *node,
			struct span text, struct jinja_buffer *buffer);

#endif

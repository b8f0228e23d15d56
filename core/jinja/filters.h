/* SPDX-License-Identifier: MIT */
/* Inside core/jinja: what filters, methods and operators share. */
#ifndef BELLHOP_CORE_JINJA_FILTERS_H
#define BELLHOP_CORE_JINJA_FILTERS_H

#include "core/jinja/callable.h"
#include "core/jinja/render.h"

/* pair[0] ~ pair[1]: the text of both; what is safe makes the other be escaped (XML). */
int jinja_join_pair(struct jinja_render *render, const struct jinja_node *node,
		    const struct jinja_value *pair, struct jinja_value *result);

/* The text of all values with a separator between them, as `join` and `~` do it. */
int jinja_join(struct jinja_render *render, const struct jinja_node *node,
	       const struct jinja_list *values, const struct jinja_value *separator,
	       struct jinja_value *result);

/* format % arguments, as Python does it: a tuple holds several arguments, a dictionary names. */
int jinja_format(struct jinja_render *render, const struct jinja_node *node,
		 const struct jinja_value *format, const struct jinja_value *arguments,
		 struct jinja_value *result);

/* Text that was made out of `self` alone: it keeps the origin. */
struct jinja_value jinja_made_from(const struct jinja_value *self, struct span text);

/* The part of each item that `attribute` ("a.b.0", an index, or not given) names. */
int jinja_attribute_of(struct jinja_render *render, const struct jinja_node *node,
		       const struct jinja_value *item, const struct jinja_value *attribute,
		       struct jinja_value *value);

/* Without the characters of `characters` (NULL data: white space) at the ends asked for. */
struct span jinja_strip(struct span text, struct span characters, bool at_start, bool at_end);

/* Up to `count_max` (below 0: all) occurrences replaced. */
int jinja_replace(struct jinja_call *call, struct span text, const struct span *pair,
		  int64_t count_max, struct jinja_value *result);

/* Parts at the separator, or at white space when it is empty with NULL data. */
int jinja_split(struct jinja_call *call, struct span text, struct span separator, int64_t count_max,
		struct jinja_value *result);

enum jinja_case { CASE_UPPER, CASE_LOWER, CASE_TITLE, CASE_WORDS, CASE_CAPITALIZE };

/* ASCII letters in another case. TITLE as the filter: a word begins after one of " -({[<"; WORDS as
 * the method: after anything but a letter. */
int jinja_change_case(struct jinja_call *call, enum jinja_case to, struct jinja_value *result);

#endif

/* SPDX-License-Identifier: MIT */
/* JSON as a template's values, for tests: objects keep their order, strings know their path. */
#ifndef BELLHOP_TESTS_JINJA_CONTEXT_H
#define BELLHOP_TESTS_JINJA_CONTEXT_H

#include "core/jinja/jinja.h"

#include <jansson.h>
#include <stdlib.h>

static inline struct jinja_value context_value(struct arena *arena, const json_t *json,
					       struct span path);

static inline struct jinja_value context_object(struct arena *arena, const json_t *json,
						struct span path)
{
	struct jinja_value dict;
	const char *key;
	json_t *value;

	if (jinja_dict(arena, &dict) != 0) {
		abort();
	}
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		char text[512];
		int length = snprintf(text, sizeof(text), "%.*s%s%s", (int)path.length,
				      path.length ? path.data : "", path.length ? "." : "", key);
		struct span below = arena_copy(arena, span_make(text, (size_t)length));

		if (jinja_dict_set(arena, &dict, span_text(key),
				   context_value(arena, value, below)) != 0) {
			abort();
		}
	}
	return dict;
}

static inline struct jinja_value context_value(struct arena *arena, const json_t *json,
					       struct span path)
{
	struct jinja_value list;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return context_object(arena, json, path);
	case JSON_ARRAY:
		if (jinja_list(arena, &list) != 0) {
			abort();
		}
		for (size_t i = 0; i < json_array_size(json); i++) {
			if (jinja_list_append(arena, &list,
					      context_value(arena, json_array_get(json, i),
							    path)) != 0) {
				abort();
			}
		}
		return list;
	case JSON_STRING:
		return jinja_string_from(span_make(json_string_value(json),
						   json_string_length(json)),
					 path);
	case JSON_INTEGER:
		return jinja_int(json_integer_value(json));
	case JSON_REAL:
		return jinja_double(json_real_value(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return jinja_bool(json_is_true(json));
	case JSON_NULL:
		break;
	}
	return jinja_none();
}

#endif

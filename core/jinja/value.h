/* SPDX-License-Identifier: MIT */
/*
 * What templates compute with: undefined, none, booleans, 64-bit integers, doubles, strings (UTF-8,
 * not checked), lists and ordered dictionaries, in arena memory. Values are plain structs that are
 * copied by assignment; lists and dictionaries are shared by pointer and are not changed once a
 * rendering has begun (`namespace` objects excepted). Nothing here is freed: the arena is.
 *
 * A caller builds the context of a rendering so:
 *
 *	struct jinja_value context, line;
 *	jinja_dict(arena, &context);
 *	jinja_dict(arena, &line);
 *	jinja_dict_set(arena, &line, SPAN("password"),
 *		       jinja_string_from(text, SPAN("sip_lines.1.password")));
 *	jinja_dict_set(arena, &context, SPAN("line"), line);
 */
#ifndef BELLHOP_CORE_JINJA_VALUE_H
#define BELLHOP_CORE_JINJA_VALUE_H

#include "core/base/arena.h"
#include "core/base/span.h"

struct jinja_node;
struct jinja_loop;

enum jinja_kind {
	JINJA_UNDEFINED,
	JINJA_NONE,
	JINJA_BOOL,
	JINJA_INT,
	JINJA_DOUBLE,
	JINJA_STRING,
	JINJA_LIST, /* also tuples: flag JINJA_TUPLE */
	JINJA_DICT, /* also namespaces: flag JINJA_NAMESPACE */
	JINJA_LOOP, /* the `loop` of a for; never in a context */
};

enum jinja_value_flag {
	JINJA_SAFE = 1 << 0,	  /* a string that is escaped already (XML and JSON) */
	JINJA_TUPLE = 1 << 1,	  /* a list that was written as a tuple */
	JINJA_NAMESPACE = 1 << 2, /* a dictionary that `set name.attribute` may change */
};

struct jinja_list;
struct jinja_dict;

struct jinja_value {
	uint8_t kind;  /* enum jinja_kind */
	uint8_t flags; /* enum jinja_value_flag */
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct span string;
		struct jinja_list *list;
		struct jinja_dict *dict;
		struct jinja_loop *loop;
		/* Of an undefined value: the expression that it came from, for the error. */
		const struct jinja_node *expression;
	};
	/*
	 * Where the value comes from, e.g. the path of a setting; empty when nobody said. It stays
	 * with what is computed from this one value and is named in errors, so that the value,
	 * which may be a secret, need not be.
	 */
	struct span origin;
};

struct jinja_list {
	struct jinja_value *items;
	size_t count;
	size_t capacity;
};

struct jinja_entry {
	struct jinja_value key;
	struct jinja_value value;
};

/* In the order of insertion; `slots` is a hash index that is made when the dictionary grows. */
struct jinja_dict {
	struct jinja_entry *entries;
	size_t count;
	size_t capacity;
	uint32_t *slots; /* index + 1 of the entry, 0 for empty; NULL while small */
	size_t slot_count;
};

static inline struct jinja_value jinja_none(void)
{
	return (struct jinja_value){.kind = JINJA_NONE};
}

static inline struct jinja_value jinja_bool(bool boolean)
{
	return (struct jinja_value){.kind = JINJA_BOOL, .boolean = boolean};
}

static inline struct jinja_value jinja_int(int64_t integer)
{
	return (struct jinja_value){.kind = JINJA_INT, .integer = integer};
}

static inline struct jinja_value jinja_double(double number)
{
	return (struct jinja_value){.kind = JINJA_DOUBLE, .number = number};
}

/* The bytes are not copied and must outlive the rendering. */
static inline struct jinja_value jinja_string(struct span string)
{
	return (struct jinja_value){.kind = JINJA_STRING, .string = string};
}

/* As jinja_string, with where it comes from (e.g. the path of the setting). */
static inline struct jinja_value jinja_string_from(struct span string, struct span origin)
{
	return (struct jinja_value){.kind = JINJA_STRING, .string = string, .origin = origin};
}

/* An empty list or dictionary in the arena. 0 or -ENOMEM. */
int jinja_list(struct arena *arena, struct jinja_value *list);
int jinja_dict(struct arena *arena, struct jinja_value *dict);

/* Appends to a value of kind JINJA_LIST. 0 or -ENOMEM. */
int jinja_list_append(struct arena *arena, const struct jinja_value *list, struct jinja_value item);

/*
 * Sets a key of a value of kind JINJA_DICT, in place when it is there already. The key's bytes are
 * not copied. 0 or -ENOMEM.
 */
int jinja_dict_set(struct arena *arena, const struct jinja_value *dict, struct span key,
		   struct jinja_value value);

/* As jinja_dict_set for keys that need not be strings; -EINVAL for a list or dictionary as key. */
int jinja_dict_set_value(struct arena *arena, const struct jinja_value *dict,
			 struct jinja_value key, struct jinja_value value);

/* The value of a key, or NULL. 1, 1.0 and true are the same key, as in Python. */
const struct jinja_value *jinja_dict_get(const struct jinja_value *dict, struct span key);
const struct jinja_value *jinja_dict_get_value(const struct jinja_value *dict,
					       const struct jinja_value *key);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The template language: what configuration files of phones are written in. It is Jinja 3.1 as far
 * as it goes (python3-jinja2 is the oracle of our tests): a template that both take renders to the
 * same bytes. It has no way to a file, a clock or the host language, and every rendering has
 * limits.
 *
 * Differences from Jinja, all of them on purpose:
 * - Integers have 64 bits; what would be larger is an error.
 * - upper, lower, title, capitalize know the ASCII letters only; length, slices and
 *   indexes count characters of UTF-8.
 * - d.1 and d[1] find the key "1" of a dictionary that has no key 1.
 * - Escaping goes by the declared format (below), not by autoescape; only `safe`, `e`, `trim`, `~`,
 *   `+` and `join` keep a string marked as escaped.
 * - Unknown filters, tests and arguments are told when the template is compiled.
 *
 * Compile once, render often; a compiled template is read-only and may be used by many threads.
 */
#ifndef BELLHOP_CORE_JINJA_JINJA_H
#define BELLHOP_CORE_JINJA_JINJA_H

#include "core/base/writer.h"
#include "core/jinja/value.h"

struct jinja_template;

/* What the file is: decides how `{{ }}` writes a value. Text of the template is never escaped. */
enum jinja_format {
	JINJA_FORMAT_TEXT, /* as it stands */
	/*
	 * & < > " ' and TAB, LF, CR as references, so that element and attribute read back to the
	 * same value; what XML 1.0 2.2 cannot carry (other controls, broken UTF-8) is refused.
	 */
	JINJA_FORMAT_XML,
	/*
	 * One `name=value` a line: a value with CR, LF, NUL, any other control but TAB, U+0085,
	 * U+2028 or U+2029 would break out of its line and is refused, also with `|safe`.
	 */
	JINJA_FORMAT_LINE,
	/*
	 * Strings as the inside of a JSON string (the quotes are the template's), other values as
	 * JSON; broken UTF-8 is refused.
	 */
	JINJA_FORMAT_JSON,
};

enum jinja_undefined {
	JINJA_STRICT,  /* any use but `is defined`, `default` and their like is an error */
	JINJA_LENIENT, /* prints as nothing, is false, has no items; arithmetic is an error */
};

/* Limits of one compilation or rendering; a member that is 0 has its default (in brackets). */
struct jinja_limits {
	uint64_t steps;	     /* nodes evaluated and items or 64-byte pieces handled [1000000] */
	unsigned nesting;    /* depth of expressions, statements and printed values [100] */
	size_t memory_bytes; /* taken from the arena by the call [16 MiB] */
	size_t output_bytes; /* of the rendered text [1 MiB] */
	size_t range_items;  /* of one range() [100000] */
	size_t source_bytes; /* of a template [1 MiB] */
};

/* How the source is read; all false is Jinja's default. */
struct jinja_compile_options {
	bool trim_blocks;	    /* the newline after a block or comment goes */
	bool lstrip_blocks;	    /* blanks before a block or comment that starts its line go */
	bool keep_trailing_newline; /* else one newline at the end of the source goes */
	struct jinja_limits limits;
};

struct jinja_render_options {
	enum jinja_format format;
	enum jinja_undefined undefined;
	struct jinja_limits limits;
};

enum { jinja_name_size = 128, jinja_setting_size = 256, jinja_message_size = 320 };

/* What went wrong. The texts are escaped for terminals and logs and hold no value of a setting. */
struct jinja_error {
	unsigned line;			  /* from 1; 0 when it is no matter of a place */
	unsigned column;		  /* from 1, in bytes */
	char name[jinja_name_size];	  /* of the template */
	char setting[jinja_setting_size]; /* origin of the value, or empty */
	char message[jinja_message_size]; /* one sentence without a full stop */
};

/* "NAME:LINE:COLUMN: SETTING: MESSAGE", without SETTING when there is none. */
void jinja_error_write(struct writer *w, const struct jinja_error *error);

/*
 * Compiles `source`. 0 and `*template` (free with jinja_template_free; name and source are copied),
 * or with `*error` filled: -EINVAL the template is wrong, -E2BIG a limit was reached, -ENOMEM.
 * `options` may be NULL.
 */
int jinja_compile(struct jinja_template **template, struct span name, struct span source,
		  const struct jinja_compile_options *options, struct jinja_error *error);

/* NULL is allowed. */
void jinja_template_free(struct jinja_template *template);

struct span jinja_template_name(const struct jinja_template *template);

/*
 * Renders with the variables of `context`, a value of kind JINJA_DICT (or undefined for none). The
 * text stands in `arena`, as everything that was computed on the way. 0 and `*output`, or with
 * `*error` filled: -EINVAL a variable is undefined, a type is wrong, a value cannot stand in this
 * format; -E2BIG a limit was reached; -ENOMEM the arena is full. `options` may be NULL.
 */
int jinja_render(const struct jinja_template *template, const struct jinja_value *context,
		 const struct jinja_render_options *options, struct arena *arena,
		 struct span *output, struct jinja_error *error);

#endif

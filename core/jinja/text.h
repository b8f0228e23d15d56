/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: values as text. Doubles are written as Python's repr writes them, the
 * shortest decimal that reads back to the same double; core never calls setlocale, so that the C
 * library's "%.*e" and strtod speak the C locale.
 */
#ifndef BELLHOP_CORE_JINJA_TEXT_H
#define BELLHOP_CORE_JINJA_TEXT_H

#include "core/jinja/render.h"

enum { jinja_double_text_size = 32 };

/* str(value): a string as it is, everything else written out. */
int jinja_text(struct jinja_render *render, const struct jinja_node *node,
	       const struct jinja_value *value, struct span *text);

/* repr(value), appended: strings in quotes. */
int jinja_write_repr(struct jinja_render *render, const struct jinja_node *node,
		     const struct jinja_value *value, struct jinja_buffer *buffer);

/*
 * JSON as json.dumps writes it: keys sorted, ASCII only, and < > & ' as \u003c …, so that it can
 * stand in a script element. `indent` below 0: on one line.
 */
int jinja_write_json(struct jinja_render *render, const struct jinja_node *node,
		     const struct jinja_value *value, int indent, struct jinja_buffer *buffer);

void jinja_write_double(struct writer *w, double number);

/* `number` with `precision` digits after the point (at most 60 are honoured); for %f and round. */
void jinja_write_fixed(struct writer *w, double number, unsigned precision);

/* Octets of the UTF-8 character at `at`; 1 for an octet that starts none. */
size_t jinja_character_length(struct span s, size_t at);
size_t jinja_character_count(struct span s);

/* Octet offset of the `index`th character, or the length. */
size_t jinja_character_offset(struct span s, size_t index);

/* The code point at `at` and the octets it takes; false for broken UTF-8. */
bool jinja_code_point(struct span s, size_t at, uint32_t *code_point, size_t *length);

/* Writes a code point as UTF-8, returns the octets (1 to 4). */
size_t jinja_utf8_encode(uint32_t code_point, char octets[static 4]);

/* Blank as Python's str.isspace() sees the ASCII characters. */
static inline bool jinja_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

/*
 * The origin of what is made of two texts: of the two, that which has one; with two, that whose
 * text holds a control character, since it is the one that a format may refuse.
 */
struct span jinja_origin_of(struct span a, struct span text_a, struct span b);

#endif

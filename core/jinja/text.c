/* SPDX-License-Identifier: MIT */
/* UTF-8, numbers and values as text. */
#include "core/jinja/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

size_t jinja_utf8_encode(uint32_t code_point, char octets[static 4])
{
	if (code_point < 0x80) {
		octets[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		octets[0] = (char)(0xc0 | code_point >> 6);
		octets[1] = (char)(0x80 | (code_point & 0x3f));
		return 2;
	}
	if (code_point < 0x10000) {
		octets[0] = (char)(0xe0 | code_point >> 12);
		octets[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
		octets[2] = (char)(0x80 | (code_point & 0x3f));
		return 3;
	}
	octets[0] = (char)(0xf0 | code_point >> 18);
	octets[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
	octets[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
	octets[3] = (char)(0x80 | (code_point & 0x3f));
	return 4;
}

/* RFC 3629 4: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool jinja_code_point(struct span s, size_t at, uint32_t *code_point, size_t *length)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t lead = (uint8_t)s.data[at];
	size_t count = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint32_t value = count == 1 ? lead : lead & (0x7fu >> count);

	if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || s.length - at < count) {
		return false;
	}
	for (size_t i = 1; i < count; i++) {
		uint8_t octet = (uint8_t)s.data[at + i];

		if ((octet & 0xc0) != 0x80) {
			return false;
		}
		value = value << 6 | (octet & 0x3f);
	}
	if (value < smallest[count] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
		return false;
	}
	*code_point = value;
	*length = count;
	return true;
}

size_t jinja_character_length(struct span s, size_t at)
{
	uint32_t code_point;
	size_t length;

	return jinja_code_point(s, at, &code_point, &length) ? length : 1;
}

size_t jinja_character_count(struct span s)
{
	size_t count = 0;

	for (size_t at = 0; at < s.length; at += jinja_character_length(s, at)) {
		count++;
	}
	return count;
}

size_t jinja_character_offset(struct span s, size_t index)
{
	size_t at = 0;

	for (; index > 0 && at < s.length; index--) {
		at += jinja_character_length(s, at);
	}
	return at;
}

/* The digits of the shortest decimal that reads back to `number`, without point; its exponent. */
static int shortest_digits(double number, char *digits, size_t size)
{
	char text[jinja_double_text_size];
	size_t count = 0;
	char *exponent;
	int value = 0;

	for (int precision = 0; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, number);
		if (strtod(text, NULL) == number) {
			break;
		}
	}
	exponent = strchr(text, 'e');
	for (const char *c = text; c < exponent && count + 1 < size; c++) {
		if (ascii_is_digit(*c)) {
			digits[count++] = *c;
		}
	}
	while (count > 1 && digits[count - 1] == '0') {
		count--;
	}
	digits[count] = '\0';
	for (const char *c = exponent + 2; *c; c++) {
		value = value * 10 + (*c - '0');
	}
	return exponent[1] == '-' ? -value : value;
}

static void write_zeros(struct writer *w, int count)
{
	for (; count > 0; count--) {
		writer_char(w, '0');
	}
}

void jinja_write_double(struct writer *w, double number)
{
	char digits[jinja_double_text_size];
	int exponent;
	int count;

	if (isnan(number) || isinf(number)) {
		writer_text(w, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
		return;
	}
	if (signbit(number)) {
		writer_char(w, '-');
		number = -number;
	}
	exponent = shortest_digits(number, digits, sizeof(digits));
	count = (int)strlen(digits);
	if (exponent < -4 || exponent >= 16) {
		writer_char(w, digits[0]);
		if (count > 1) {
			writer_char(w, '.');
			writer_text(w, digits + 1);
		}
		writer_text(w, exponent < 0 ? "e-" : "e+");
		writer_padded(w, (uint64_t)(exponent < 0 ? -exponent : exponent), 2);
	} else if (exponent < 0) {
		writer_text(w, "0.");
		write_zeros(w, -exponent - 1);
		writer_text(w, digits);
	} else {
		int whole = exponent + 1 < count ? exponent + 1 : count;

		writer_put(w, span_make(digits, (size_t)whole));
		write_zeros(w, exponent + 1 - count);
		writer_char(w, '.');
		writer_text(w, whole < count ? digits + whole : "0");
	}
}

void jinja_write_fixed(struct writer *w, double number, unsigned precision)
{
	char text[400]; /* DBL_MAX has 309 digits before the point */

	precision = precision < 60 ? precision : 60;
	snprintf(text, sizeof(text), "%.*f", (int)precision, number);
	writer_text(w, text);
}

static int append_text(struct jinja_render *render, const struct jinja_node *node,
		       struct jinja_buffer *buffer, const char *text)
{
	return jinja_append(render, node, buffer, span_text(text));
}

/* Numbers, booleans and what has no inside. */
static int write_scalar(struct jinja_render *render, const struct jinja_node *node,
			const struct jinja_value *value, struct jinja_buffer *buffer)
{
	char text[jinja_double_text_size];
	struct writer w = writer_over(text, sizeof(text));

	switch (value->kind) {
	case JINJA_BOOL:
		writer_text(&w, value->boolean ? "True" : "False");
		break;
	case JINJA_INT:
		writer_signed(&w, value->integer);
		break;
	case JINJA_DOUBLE:
		jinja_write_double(&w, value->number);
		break;
	case JINJA_NONE:
		writer_text(&w, "None");
		break;
	case JINJA_UNDEFINED:
		writer_text(&w, "Undefined");
		break;
	default:
		writer_text(&w, "<loop>");
		break;
	}
	return jinja_append(render, node, buffer, writer_span(&w));
}

/* A control, quote or backslash of a string as Python's repr writes it. */
static void write_repr_escape(struct writer *w, uint8_t octet)
{
	if (octet == '\n' || octet == '\r' || octet == '\t') {
		writer_text(w, octet == '\n' ? "\\n" : octet == '\r' ? "\\r" : "\\t");
	} else if (octet == '\\' || octet == '\'' || octet == '"') {
		writer_char(w, '\\');
		writer_char(w, (char)octet);
	} else {
		writer_text(w, "\\x");
		writer_hex(w, &octet, 1);
	}
}

/* Single quotes, unless the string has such and no double ones. */
static int write_quoted(struct jinja_render *render, const struct jinja_node *node,
			struct span text, struct jinja_buffer *buffer)
{
	bool has_single = span_find(text, '\'') < text.length;
	bool has_double = span_find(text, '"') < text.length;
	char quote = has_single && !has_double ? '"' : '\'';
	int result = jinja_append(render, node, buffer, span_make(&quote, 1));
	size_t done = 0;

	for (size_t at = 0; result == 0 && at < text.length;) {
		uint8_t octet = (uint8_t)text.data[at];
		size_t length = jinja_character_length(text, at);
		char escape[8];
		struct writer w = writer_over(escape, sizeof(escape));

		if (octet < 0x20 || octet == 0x7f || octet == '\\' || octet == (uint8_t)quote) {
			write_repr_escape(&w, octet);
		} else if (octet >= 0x80 && length == 1) {
			write_repr_escape(&w, octet);
		} else if (octet == 0xc2 && (uint8_t)text.data[at + 1] <= 0xa0) {
			write_repr_escape(&w, (uint8_t)text.data[at + 1]); /* U+0080..U+00A0 */
		}
		at += length;
		if (w.length > 0) {
			result = jinja_append(render, node, buffer,
					      span_slice(text, done, at - length));
			done = at;
			if (result == 0) {
				result = jinja_append(render, node, buffer, writer_span(&w));
			}
		}
	}
	if (result == 0) {
		result = jinja_append(render, node, buffer, span_slice(text, done, text.length));
	}
	return result == 0 ? jinja_append(render, node, buffer, span_make(&quote, 1)) : result;
}

static int write_repr(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *value, struct jinja_buffer *buffer, unsigned depth);

static int write_list(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *value, struct jinja_buffer *buffer, unsigned depth)
{
	const struct jinja_list *list = value->list;
	bool is_tuple = (value->flags & JINJA_TUPLE) != 0;
	int result = append_text(render, node, buffer, is_tuple ? "(" : "[");

	for (size_t i = 0; result == 0 && i < list->count; i++) {
		if (i > 0) {
			result = append_text(render, node, buffer, ", ");
		}
		if (result == 0) {
			result = write_repr(render, node, &list->items[i], buffer, depth + 1);
		}
	}
	if (result == 0 && is_tuple && list->count == 1) {
		result = append_text(render, node, buffer, ",");
	}
	return result == 0 ? append_text(render, node, buffer, is_tuple ? ")" : "]") : result;
}

static int write_dict(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *value, struct jinja_buffer *buffer, unsigned depth)
{
	const struct jinja_dict *dict = value->dict;
	int result = append_text(render, node, buffer, "{");

	for (size_t i = 0; result == 0 && i < dict->count; i++) {
		if (i > 0) {
			result = append_text(render, node, buffer, ", ");
		}
		if (result == 0) {
			result = write_repr(render, node, &dict->entries[i].key, buffer, depth + 1);
		}
		if (result == 0) {
			result = append_text(render, node, buffer, ": ");
		}
		if (result == 0) {
			result = write_repr(render, node, &dict->entries[i].value, buffer,
					    depth + 1);
		}
	}
	return result == 0 ? append_text(render, node, buffer, "}") : result;
}

static int write_repr(struct jinja_render *render, const struct jinja_node *node,
		      const struct jinja_value *value, struct jinja_buffer *buffer, unsigned depth)
{
	int result = jinja_charge(render, node, 1);

	if (result < 0) {
		return result;
	}
	if (depth > render->limits.nesting) {
		return jinja_fail_limit(render, node, "the value is too deeply nested");
	}
	switch (value->kind) {
	case JINJA_STRING:
		return write_quoted(render, node, value->string, buffer);
	case JINJA_LIST:
		return write_list(render, node, value, buffer, depth);
	case JINJA_DICT:
		return write_dict(render, node, value, buffer, depth);
	default:
		return write_scalar(render, node, value, buffer);
	}
}

int jinja_write_repr(struct jinja_render *render, const struct jinja_node *node,
		     const struct jinja_value *value, struct jinja_buffer *buffer)
{
	return write_repr(render, node, value, buffer, 0);
}

int jinja_text(struct jinja_render *render, const struct jinja_node *node,
	       const struct jinja_value *value, struct span *text)
{
	struct jinja_buffer buffer = {0};
	int result;

	if (value->kind == JINJA_STRING) {
		*text = value->string;
		return jinja_charge(render, node, value->string.length / 64);
	}
	if (value->kind == JINJA_UNDEFINED) {
		if (jinja_is_forbidden(render, value)) {
			return jinja_fail_undefined(render, node, value);
		}
		*text = (struct span){0};
		return 0;
	}
	result = jinja_write_repr(render, node, value, &buffer);
	if (result == 0) {
		*text = jinja_buffer_span(&buffer);
	}
	return result;
}

static bool has_control(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((uint8_t)text.data[i] < 0x20 || text.data[i] == 0x7f) {
			return true;
		}
	}
	return false;
}

struct span jinja_origin_of(struct span a, struct span text_a, struct span b)
{
	if (a.length == 0 || b.length == 0) {
		return a.length == 0 ? b : a;
	}
	return has_control(text_a) ? a : b;
}

/* SPDX-License-Identifier: MIT */
/* "%s-%02x" % (a, b), as Python formats. */
#include "core/jinja/filters.h"
#include "core/jinja/operators.h"
#include "core/jinja/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

enum { format_width_max = 10000, format_precision_max = 60, format_number_size = 480 };

/* One conversion: %[(name)][flags][width][.precision]letter. */
struct conversion {
	struct span name; /* data NULL: by position */
	bool is_left;	  /* - */
	bool has_sign;	  /* + */
	bool has_blank;	  /* a blank where the sign would be */
	bool has_zeros;	  /* 0 */
	bool is_alternate;
	int width;
	int precision; /* -1: not given */
	char letter;
};

struct format_state {
	struct jinja_render *render;
	const struct jinja_node *node;
	const struct jinja_value *arguments; /* a tuple, a dictionary, or one value */
	size_t next;			     /* of the arguments by position */
	struct jinja_buffer buffer;
	struct span origin;
};

static bool is_tuple(const struct jinja_value *value)
{
	return value->kind == JINJA_LIST && (value->flags & JINJA_TUPLE);
}

static int fail(struct format_state *s, const char *text)
{
	return jinja_fail(s->render, s->node, text);
}

static bool read_count(struct span *rest, int max, int *count)
{
	*count = 0;
	while (rest->length > 0 && ascii_is_digit(rest->data[0])) {
		*count = *count * 10 + (rest->data[0] - '0');
		*rest = span_slice(*rest, 1, rest->length);
		if (*count > max) {
			return false;
		}
	}
	return true;
}

static bool read_flag(struct conversion *c, char flag)
{
	switch (flag) {
	case '-':
		c->is_left = true;
		return true;
	case '+':
		c->has_sign = true;
		return true;
	case ' ':
		c->has_blank = true;
		return true;
	case '0':
		c->has_zeros = true;
		return true;
	case '#':
		c->is_alternate = true;
		return true;
	default:
		return false;
	}
}

/* Reads what follows '%'. */
static int read_conversion(struct format_state *s, struct span *rest, struct conversion *c)
{
	*c = (struct conversion){.precision = -1};
	if (rest->length > 0 && rest->data[0] == '(') {
		size_t end = span_find(*rest, ')');

		if (end == rest->length) {
			return fail(s, "the format has a name without ')'");
		}
		c->name = span_make(rest->data + 1, end - 1);
		*rest = span_slice(*rest, end + 1, rest->length);
	}
	while (rest->length > 0 && read_flag(c, rest->data[0])) {
		*rest = span_slice(*rest, 1, rest->length);
	}
	if (!read_count(rest, format_width_max, &c->width)) {
		return fail(s, "the width of the format is too large");
	}
	if (rest->length > 0 && rest->data[0] == '.') {
		*rest = span_slice(*rest, 1, rest->length);
		if (!read_count(rest, format_width_max, &c->precision)) {
			return fail(s, "the precision of the format is too large");
		}
	}
	if (rest->length == 0) {
		return fail(s, "the format ends inside a conversion");
	}
	c->letter = rest->data[0];
	*rest = span_slice(*rest, 1, rest->length);
	return 0;
}

static int take_argument(struct format_state *s, const struct conversion *c,
			 const struct jinja_value **argument)
{
	const struct jinja_value *from = s->arguments;

	if (c->name.data) {
		*argument = from->kind == JINJA_DICT ? jinja_dict_get(from, c->name) : NULL;
		return *argument ? 0 : fail(s, "the format names a value that is not given");
	}
	if (is_tuple(from)) {
		*argument = s->next < from->list->count ? &from->list->items[s->next] : NULL;
	} else {
		*argument = s->next == 0 ? from : NULL;
	}
	s->next++;
	return *argument ? 0 : fail(s, "the format has more conversions than values");
}

/* Sign (or prefix) and body with blanks or zeros up to the width, counted in characters. */
static int put_padded(struct format_state *s, const struct conversion *c, struct span sign,
		      struct span body)
{
	size_t used = sign.length + jinja_character_count(body);
	size_t fill = (size_t)c->width > used ? (size_t)c->width - used : 0;
	char pad = c->has_zeros && !c->is_left ? '0' : ' ';
	int result = 0;

	if (pad == '0') {
		result = jinja_append(s->render, s->node, &s->buffer, sign);
	}
	for (size_t i = 0; result == 0 && !c->is_left && i < fill; i++) {
		result = jinja_append(s->render, s->node, &s->buffer, span_make(&pad, 1));
	}
	if (result == 0 && pad != '0') {
		result = jinja_append(s->render, s->node, &s->buffer, sign);
	}
	if (result == 0) {
		result = jinja_append(s->render, s->node, &s->buffer, body);
	}
	for (size_t i = 0; result == 0 && c->is_left && i < fill; i++) {
		result = jinja_append(s->render, s->node, &s->buffer, SPAN(" "));
	}
	return result == 0 ? jinja_charge(s->render, s->node, fill / 16) : result;
}

static void write_digits(struct writer *w, uint64_t value, unsigned base, bool is_upper)
{
	char digits[64];
	size_t at = sizeof(digits);

	do {
		char digit = "0123456789abcdef"[value % base];

		digits[--at] = is_upper ? ascii_upper(digit) : digit;
		value /= base;
	} while (value > 0);
	writer_put(w, span_make(digits + at, sizeof(digits) - at));
}

static void write_sign(struct writer *w, const struct conversion *c, bool is_negative)
{
	if (is_negative || c->has_sign || c->has_blank) {
		writer_char(w, is_negative ? '-' : c->has_sign ? '+' : ' ');
	}
}

static int put_integer(struct format_state *s, const struct conversion *c,
		       const struct jinja_value *argument)
{
	char letter = ascii_lower(c->letter);
	unsigned base = letter == 'x' ? 16 : letter == 'o' ? 8 : 10;
	char sign[4];
	char digits[format_number_size];
	char body[format_number_size];
	struct writer ws = writer_over(sign, sizeof(sign));
	struct writer wd = writer_over(digits, sizeof(digits));
	struct writer wb = writer_over(body, sizeof(body));
	int64_t value;

	if (jinja_is_integral(argument)) {
		value = jinja_integral(argument);
	} else if (base == 10 && argument->kind == JINJA_DOUBLE &&
		   fabs(argument->number) < 0x1p63) {
		value = (int64_t)argument->number;
	} else {
		return jinja_fail_value(s->render, s->node,
					"the format needs an integer, found a %", argument);
	}
	write_sign(&ws, c, value < 0);
	if (c->is_alternate && base != 10) {
		writer_char(&ws, '0');
		writer_char(&ws, c->letter);
	}
	write_digits(&wd, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, base,
		     c->letter == 'X');
	if (c->precision > (int)sizeof(body) - 1) {
		return fail(s, "the precision of the format is too large");
	}
	for (int i = (int)wd.length; i < c->precision; i++) {
		writer_char(&wb, '0');
	}
	writer_put(&wb, writer_span(&wd));
	return put_padded(s, c, writer_span(&ws), writer_span(&wb));
}

static int put_double(struct format_state *s, const struct conversion *c,
		      const struct jinja_value *argument)
{
	int precision = c->precision < 0 ? 6 : c->precision;
	char letter = ascii_lower(c->letter);
	char sign[2];
	char body[format_number_size];
	struct writer ws = writer_over(sign, sizeof(sign));
	struct conversion padding = *c;
	double number;

	if (!jinja_to_double(argument, &number)) {
		return jinja_fail_value(s->render, s->node, "the format needs a number, found a %",
					argument);
	}
	if (precision > format_precision_max) {
		return fail(s, "the precision of the format is too large");
	}
	write_sign(&ws, c, signbit(number) && !isnan(number));
	number = fabs(number);
	if (letter == 'f') {
		snprintf(body, sizeof(body), "%.*f", precision, number);
	} else if (letter == 'e') {
		snprintf(body, sizeof(body), "%.*e", precision, number);
	} else {
		snprintf(body, sizeof(body), "%.*g", precision, number);
	}
	for (char *b = body; *b && c->letter != letter; b++) {
		*b = ascii_upper(*b);
	}
	padding.has_zeros = c->has_zeros;
	return put_padded(s, &padding, writer_span(&ws), span_text(body));
}

static int put_text(struct format_state *s, const struct conversion *c,
		    const struct jinja_value *argument)
{
	struct jinja_buffer repr = {0};
	struct conversion padding = *c;
	struct span text;
	int result;

	padding.has_zeros = false;
	if (c->letter == 'r') {
		result = jinja_write_repr(s->render, s->node, argument, &repr);
		text = jinja_buffer_span(&repr);
	} else {
		result = jinja_text(s->render, s->node, argument, &text);
	}
	if (result < 0) {
		return result;
	}
	if (c->precision >= 0) {
		text = span_slice(text, 0, jinja_character_offset(text, (size_t)c->precision));
	}
	return put_padded(s, &padding, (struct span){0}, text);
}

static int put_conversion(struct format_state *s, const struct conversion *c)
{
	const struct jinja_value *argument;
	int result;

	if (c->letter == '%') {
		return jinja_append(s->render, s->node, &s->buffer, SPAN("%"));
	}
	if (!strchr("srdiuxXofFeEgG", c->letter) || c->letter == '\0') {
		return fail(s, "the format has an unknown conversion");
	}
	result = take_argument(s, c, &argument);
	if (result < 0) {
		return result;
	}
	if (jinja_is_forbidden(s->render, argument)) {
		return jinja_fail_undefined(s->render, s->node, argument);
	}
	s->origin = jinja_origin_of(s->origin, jinja_buffer_span(&s->buffer), argument->origin);
	if (c->letter == 's' || c->letter == 'r') {
		return put_text(s, c, argument);
	}
	if (strchr("diuxXo", c->letter)) {
		return put_integer(s, c, argument);
	}
	return put_double(s, c, argument);
}

int jinja_format(struct jinja_render *render, const struct jinja_node *node,
		 const struct jinja_value *format, const struct jinja_value *arguments,
		 struct jinja_value *result)
{
	struct format_state state = {.render = render,
				     .node = node,
				     .arguments = arguments,
				     .origin = format->origin};
	struct span rest;
	int code = jinja_text(render, node, format, &rest);

	while (code == 0 && rest.length > 0) {
		size_t percent = span_find(rest, '%');
		struct conversion conversion;

		code = jinja_append(render, node, &state.buffer, span_slice(rest, 0, percent));
		if (code < 0 || percent == rest.length) {
			break;
		}
		rest = span_slice(rest, percent + 1, rest.length);
		code = read_conversion(&state, &rest, &conversion);
		if (code == 0) {
			code = put_conversion(&state, &conversion);
		}
		if (code == 0) {
			code = jinja_charge(render, node, 1);
		}
	}
	if (code < 0) {
		return code;
	}
	if (arguments->kind != JINJA_DICT && arguments->kind != JINJA_LIST && state.next == 0) {
		return fail(&state, "the format has fewer conversions than values");
	}
	if (is_tuple(arguments) && state.next < arguments->list->count) {
		return fail(&state, "the format has fewer conversions than values");
	}
	*result = jinja_string_from(jinja_buffer_span(&state.buffer), state.origin);
	return 0;
}

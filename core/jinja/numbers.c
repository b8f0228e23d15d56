/* SPDX-License-Identifier: MIT */
#include "core/jinja/numbers.h"

#include "core/jinja/filters.h"

#include <errno.h>
#include <stdlib.h>

/* A text longer than this is no number that anybody wrote. */
enum { number_text_max = 400 };

static struct span strip_blanks(struct span text)
{
	return jinja_strip(text, (struct span){0}, true, true);
}

static bool cut_sign(struct span *text)
{
	bool is_negative = text->length > 0 && text->data[0] == '-';

	if (text->length > 0 && (text->data[0] == '-' || text->data[0] == '+')) {
		*text = span_slice(*text, 1, text->length);
	}
	return is_negative;
}

static int digit_value(char c)
{
	if (ascii_is_digit(c)) {
		return c - '0';
	}
	return ascii_is_alpha(c) ? ascii_lower(c) - 'a' + 10 : 36;
}

/* 0x, 0o, 0b: needed with base 0, allowed with their own. */
static int cut_prefix(struct span *text, int64_t base)
{
	char letter = text->length > 2 && text->data[0] == '0' ? ascii_lower(text->data[1]) : '\0';
	int named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;

	if (named > 0 && (base == 0 || base == named)) {
		*text = span_slice(*text, text->data[2] == '_' ? 3 : 2, text->length);
		return named;
	}
	return base == 0 ? 10 : (int)base;
}

int jinja_read_integer(struct span text, int64_t base, int64_t *integer)
{
	int64_t value = 0;
	bool is_too_large = false;
	bool is_negative;
	bool was_digit = false;
	int radix;

	if (base != 0 && (base < 2 || base > 36)) {
		return -EINVAL;
	}
	text = strip_blanks(text);
	is_negative = cut_sign(&text);
	radix = cut_prefix(&text, base);
	for (size_t i = 0; i < text.length; i++) {
		int digit = digit_value(text.data[i]);

		if (text.data[i] == '_' && was_digit) {
			was_digit = false;
			continue;
		}
		if (digit >= radix) {
			return -EINVAL;
		}
		was_digit = true;
		digit = is_negative ? -digit : digit;
		is_too_large = is_too_large || __builtin_mul_overflow(value, radix, &value) ||
			       __builtin_add_overflow(value, digit, &value);
	}
	if (!was_digit) {
		return -EINVAL;
	}
	if (is_too_large) {
		return -ERANGE;
	}
	*integer = value;
	return 0;
}

/* digits[.digits][e[+-]digits], with a digit somewhere before the exponent; without underscores. */
static bool is_decimal(struct span text)
{
	size_t i = 0;
	size_t digits = 0;

	for (; i < text.length && ascii_is_digit(text.data[i]); i++) {
		digits++;
	}
	if (i < text.length && text.data[i] == '.') {
		for (i++; i < text.length && ascii_is_digit(text.data[i]); i++) {
			digits++;
		}
	}
	if (digits > 0 && i < text.length && ascii_lower(text.data[i]) == 'e') {
		i++;
		i += i < text.length && (text.data[i] == '+' || text.data[i] == '-');
		if (i == text.length) {
			return false;
		}
		while (i < text.length && ascii_is_digit(text.data[i])) {
			i++;
		}
	}
	return digits > 0 && i == text.length;
}

/* Without the underscores that stand between digits; false for any other underscore. */
static bool drop_underscores(struct span text, char *out, size_t *length)
{
	*length = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] != '_') {
			out[(*length)++] = text.data[i];
		} else if (i == 0 || i + 1 == text.length || !ascii_is_digit(text.data[i - 1]) ||
			   !ascii_is_digit(text.data[i + 1])) {
			return false;
		}
	}
	out[*length] = '\0';
	return true;
}

int jinja_read_double(struct span text, double *number)
{
	char copy[number_text_max + 1];
	size_t length;
	bool is_negative;

	text = strip_blanks(text);
	is_negative = cut_sign(&text);
	if (text.length > number_text_max || !drop_underscores(text, copy, &length)) {
		return -EINVAL;
	}
	if (!span_equal_nocase(text, SPAN("inf")) && !span_equal_nocase(text, SPAN("infinity")) &&
	    !span_equal_nocase(text, SPAN("nan")) && !is_decimal(span_make(copy, length))) {
		return -EINVAL;
	}
	*number = strtod(copy, NULL);
	*number = is_negative ? -*number : *number;
	return 0;
}

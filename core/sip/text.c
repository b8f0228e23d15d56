/* SPDX-License-Identifier: MIT */
#include "core/sip/text.h"

#include "core/sip/scan.h"

#include <errno.h>

/* Letters and digits stand in every class of visible text. */
#define VISIBLE SIP_CLASS_VALUE
#define MARK	(VISIBLE | SIP_CLASS_USER | SIP_CLASS_PASSWORD | SIP_CLASS_URI)
#define ALNUM	(MARK | SIP_CLASS_TOKEN | SIP_CLASS_HOST)
#define HEX	(ALNUM | SIP_CLASS_HEX)

/* clang-format off */
const uint8_t sip_class_of[256] = {
	['\t'] = SIP_CLASS_LWS, ['\n'] = SIP_CLASS_LWS, ['\r'] = SIP_CLASS_LWS, [' '] = SIP_CLASS_LWS,
	['0'] = HEX, ['1'] = HEX, ['2'] = HEX, ['3'] = HEX, ['4'] = HEX, ['5'] = HEX,
	['6'] = HEX, ['7'] = HEX, ['8'] = HEX, ['9'] = HEX, ['A'] = HEX, ['B'] = HEX,
	['C'] = HEX, ['D'] = HEX, ['E'] = HEX, ['F'] = HEX, ['a'] = HEX, ['b'] = HEX,
	['c'] = HEX, ['d'] = HEX, ['e'] = HEX, ['f'] = HEX,
	['G'] = ALNUM, ['H'] = ALNUM, ['I'] = ALNUM, ['J'] = ALNUM, ['K'] = ALNUM, ['L'] = ALNUM,
	['M'] = ALNUM, ['N'] = ALNUM, ['O'] = ALNUM, ['P'] = ALNUM, ['Q'] = ALNUM, ['R'] = ALNUM,
	['S'] = ALNUM, ['T'] = ALNUM, ['U'] = ALNUM, ['V'] = ALNUM, ['W'] = ALNUM, ['X'] = ALNUM,
	['Y'] = ALNUM, ['Z'] = ALNUM, ['g'] = ALNUM, ['h'] = ALNUM, ['i'] = ALNUM, ['j'] = ALNUM,
	['k'] = ALNUM, ['l'] = ALNUM, ['m'] = ALNUM, ['n'] = ALNUM, ['o'] = ALNUM, ['p'] = ALNUM,
	['q'] = ALNUM, ['r'] = ALNUM, ['s'] = ALNUM, ['t'] = ALNUM, ['u'] = ALNUM, ['v'] = ALNUM,
	['w'] = ALNUM, ['x'] = ALNUM, ['y'] = ALNUM, ['z'] = ALNUM,
	['-'] = ALNUM, ['.'] = ALNUM, ['_'] = ALNUM,
	['!'] = MARK | SIP_CLASS_TOKEN, ['~'] = MARK | SIP_CLASS_TOKEN,
	['*'] = MARK | SIP_CLASS_TOKEN, ['\''] = MARK | SIP_CLASS_TOKEN,
	['%'] = MARK | SIP_CLASS_TOKEN, /* in a URI: see sip_escapes_are_whole */
	['('] = MARK, [')'] = MARK,
	['`'] = VISIBLE | SIP_CLASS_TOKEN,
	['+'] = MARK | SIP_CLASS_TOKEN,
	['&'] = MARK, ['$'] = MARK,
	['='] = VISIBLE | SIP_CLASS_USER | SIP_CLASS_PASSWORD,
	[','] = SIP_CLASS_USER | SIP_CLASS_PASSWORD,
	[';'] = SIP_CLASS_USER,
	['?'] = VISIBLE | SIP_CLASS_USER | SIP_CLASS_URI,
	['/'] = VISIBLE | SIP_CLASS_USER | SIP_CLASS_URI,
	['['] = VISIBLE | SIP_CLASS_URI, [']'] = VISIBLE | SIP_CLASS_URI, [':'] = VISIBLE | SIP_CLASS_URI,
	['#'] = VISIBLE, ['@'] = VISIBLE, ['^'] = VISIBLE,
	['{'] = VISIBLE, ['|'] = VISIBLE, ['}'] = VISIBLE,
};
/* clang-format on */

void sip_clear(void *octets, size_t size)
{
	memset(octets, 0, size);
}

bool sip_is_token(struct span text)
{
	const char *end = sip_end(text);

	return text.length > 0 && sip_skip(text.data, end, SIP_CLASS_TOKEN) == end;
}

bool sip_is_visible(struct span text)
{
	const uint64_t ones = 0x0101010101010101u;
	size_t i = 0;

	/* An octet below 0x21 borrows when 0x21 is taken off; DEL and above carry when 1 is added.
	 */
	for (; i + 8 <= text.length; i += 8) {
		uint64_t word = sip_load64(text.data + i);

		if ((((word - ones * 0x21) | (word + ones) | word) & ones * 0x80) != 0) {
			return false;
		}
	}
	for (; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= ' ' || c >= 0x7f) {
			return false;
		}
	}
	return text.length > 0;
}

/* The octets of the character that starts at `p`, or 0 when it is none. */
static size_t utf8_character(const unsigned char *p, size_t room)
{
	uint32_t code;
	size_t length;

	if (p[0] < 0x80) {
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4) {
		return 0;
	}
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (room < length) {
		return 0;
	}
	code = p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (p[i] & 0x3fu);
	}
	if ((length == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
	    (length == 4 && (code < 0x10000 || code > 0x10ffff))) {
		return 0;
	}
	return length;
}

bool sip_is_utf8(struct span text)
{
	const unsigned char *p = (const unsigned char *)text.data;

	for (size_t i = 0; i < text.length;) {
		size_t length = utf8_character(p + i, text.length - i);

		if (length == 0) {
			return false;
		}
		i += length;
	}
	return true;
}

static bool is_escape(const char *p, const char *end)
{
	return end - p >= 3 && sip_is(p[1], SIP_CLASS_HEX) && sip_is(p[2], SIP_CLASS_HEX);
}

bool sip_escapes_are_whole(struct span text)
{
	const char *end = sip_end(text);

	if (text.length == 0) {
		return true;
	}
	for (const char *p = text.data;; p += 3) {
		p = memchr(p, '%', (size_t)(end - p));
		if (!p) {
			return true;
		}
		if (!is_escape(p, end)) {
			return false;
		}
	}
}

static unsigned hex_digit(char c)
{
	return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a' + 10);
}

void sip_write_unescaped(struct writer *w, struct span text)
{
	const char *end = sip_end(text);

	for (const char *p = text.data; p != end; p++) {
		if (*p == '%' && is_escape(p, end)) {
			writer_u8(w, (uint8_t)(hex_digit(p[1]) << 4 | hex_digit(p[2])));
			p += 2;
		} else {
			writer_char(w, *p);
		}
	}
}

void sip_write_unquoted(struct writer *w, struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '\\' && i + 1 < text.length) {
			i++;
		}
		writer_char(w, text.data[i]);
	}
}

void sip_write_unfolded(struct writer *w, struct span text)
{
	const char *p = text.data;
	const char *end = sip_end(text);

	while (p != end) {
		const char *stop = sip_find_line_end(p, end);

		if (stop == end) {
			writer_put(w, span_make(p, (size_t)(end - p)));
			return;
		}
		for (const char *next = stop;; stop--) { /* the LWS before the fold goes too */
			if (stop == p || !sip_is(stop[-1], SIP_CLASS_LWS)) {
				writer_put(w, span_make(p, (size_t)(stop - p)));
				p = sip_skip_lws(next, end);
				break;
			}
		}
		writer_char(w, ' ');
	}
}

bool sip_parameters_next(struct sip_parameters *rest, struct sip_parameter *parameter)
{
	const char *p = rest->text.data;
	const char *end = sip_end(rest->text);

	if (sip_parameter_scan(&p, end, sip_name_in_uri, parameter) != 1) {
		return false;
	}
	rest->text = span_make(p, (size_t)(end - p));
	return true;
}

bool sip_parameters_find(struct sip_parameters parameters, struct span name,
			 struct sip_parameter *parameter)
{
	struct sip_parameter found;

	while (sip_parameters_next(&parameters, &found)) {
		if (sip_same_name(found.name, name)) {
			*parameter = found;
			return true;
		}
	}
	return false;
}

bool sip_parameter_is_repeated(const char *first, const char *p, struct span name)
{
	struct sip_parameter earlier;

	while (first < p && sip_parameter_scan(&first, p, sip_name_in_uri, &earlier) == 1) {
		if (sip_same_name(earlier.name, name)) {
			return true;
		}
	}
	return false;
}

int sip_number(struct span text, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (text.length == 0) {
		return -EINVAL;
	}
	for (size_t i = 0; i < text.length; i++) {
		unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';

		if (digit > 9) {
			return -EINVAL;
		}
		number = number * 10 + digit;
		if (number > max) { /* max is far below 2^60: no overflow before this */
			return -EINVAL;
		}
	}
	*value = number;
	return 0;
}

int sip_quality(struct span text, unsigned *quality)
{
	unsigned value;
	unsigned scale = 100;

	if (text.length == 0 || text.length > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
	    (text.length > 1 && text.data[1] != '.')) {
		return -EINVAL;
	}
	value = text.data[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < text.length; i++, scale /= 10) {
		if (!ascii_is_digit(text.data[i])) {
			return -EINVAL;
		}
		value += scale * (unsigned)(text.data[i] - '0');
	}
	if (value > 1000) {
		return -EINVAL;
	}
	*quality = value;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/base/writer.h"

static const char hex_digits[] = "0123456789abcdef";

void writer_padded(struct writer *w, uint64_t value, unsigned width)
{
	char digits[20]; /* UINT64_MAX has 20 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (sizeof(digits) - at < width && at > 0) {
		digits[--at] = '0';
	}
	writer_put(w, span_make(digits + at, sizeof(digits) - at));
}

void writer_unsigned(struct writer *w, uint64_t value)
{
	writer_padded(w, value, 1);
}

void writer_signed(struct writer *w, int64_t value)
{
	if (value < 0) {
		writer_char(w, '-');
		writer_unsigned(w, 0 - (uint64_t)value);
	} else {
		writer_unsigned(w, (uint64_t)value);
	}
}

void writer_hex(struct writer *w, const void *octets, size_t count)
{
	const uint8_t *in = octets;
	char *place = count <= SIZE_MAX / 2 ? writer_reserve(w, count * 2) : NULL;

	if (!place) {
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		place[2 * i] = hex_digits[in[i] >> 4];
		place[2 * i + 1] = hex_digits[in[i] & 15];
	}
}

void writer_u8(struct writer *w, uint8_t value)
{
	writer_char(w, (char)value);
}

void writer_u16(struct writer *w, uint16_t value)
{
	char *place = writer_reserve(w, 2);

	if (place) {
		place[0] = (char)(value >> 8);
		place[1] = (char)(value & 0xff);
	}
}

/* Length of the well-formed UTF-8 sequence of two or more octets at `at`, or 0 (RFC 3629 4). */
static size_t utf8_sequence(struct span s, size_t at)
{
	uint8_t lead = (uint8_t)s.data[at];
	size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint8_t second;

	if (lead < 0xc2 || lead > 0xf4 || s.length - at < length) {
		return 0;
	}
	second = (uint8_t)s.data[at + 1];
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
	    (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
		return 0;
	}
	/* C1 controls (U+0080..U+009F) move a terminal's cursor as C0 ones do. */
	if (lead == 0xc2 && second < 0xa0) {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if (((uint8_t)s.data[at + i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return length;
}

static void escape_octet(struct writer *w, char c)
{
	static const char letters[] = "\nn\rr\tt\"\"\\\\";

	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (c == letters[i]) {
			writer_put(w, span_make((char[]){'\\', letters[i + 1]}, 2));
			return;
		}
	}
	writer_put(w, SPAN("\\x"));
	writer_hex(w, &c, 1);
}

void writer_escaped(struct writer *w, struct span bytes, size_t length_max)
{
	struct span shown = span_slice(bytes, 0, length_max);

	for (size_t i = 0; i < shown.length;) {
		char c = shown.data[i];
		size_t sequence;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			writer_char(w, c);
			i++;
			continue;
		}
		sequence = (uint8_t)c >= 0x80 ? utf8_sequence(shown, i) : 0;
		if (sequence > 0) {
			writer_put(w, span_make(shown.data + i, sequence));
			i += sequence;
			continue;
		}
		escape_octet(w, c);
		i++;
	}
	if (shown.length < bytes.length) {
		writer_put(w, SPAN("..."));
	}
}

void writer_json(struct writer *w, struct span bytes)
{
	writer_char(w, '"');
	for (size_t i = 0; i < bytes.length;) {
		char c = bytes.data[i];
		size_t sequence = (uint8_t)c >= 0x80 ? utf8_sequence(bytes, i) : 1;

		if ((uint8_t)c < 0x20 || c == 0x7f) {
			writer_put(w, SPAN("\\u00"));
			writer_hex(w, &c, 1);
		} else if (sequence == 0) {
			writer_put(w, SPAN("\xef\xbf\xbd"));
			sequence = 1;
		} else {
			if (c == '"' || c == '\\') {
				writer_char(w, '\\');
			}
			writer_put(w, span_make(bytes.data + i, sequence));
		}
		i += sequence;
	}
	writer_char(w, '"');
}

void writer_terminate(struct writer *w)
{
	if (w->size == 0) {
		w->failed = true;
		return;
	}
	if (w->length == w->size) {
		w->failed = true;
		w->length--;
	}
	w->data[w->length] = '\0';
}

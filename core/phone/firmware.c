/* SPDX-License-Identifier: MIT */
#include "core/phone/firmware.h"

#include <errno.h>

static bool is_version_char(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '_' || c == '-';
}

/* Digits, then at least two dots with digits behind them, then what a build may add. */
static bool is_version(struct span s)
{
	size_t dot_count = 0;
	size_t i = span_starts_with_nocase(s, SPAN("UC_")) ? 3 : 0;
	bool digit_before = false;

	for (; i < s.length && (ascii_is_digit(s.data[i]) || s.data[i] == '.'); i++) {
		if (s.data[i] == '.') {
			if (!digit_before) {
				return false;
			}
			dot_count++;
		}
		digit_before = s.data[i] != '.';
	}
	return dot_count >= 2 && digit_before && (i == s.length || s.data[i] == '_') &&
	       s.length <= phone_firmware_version_max;
}

static struct span word_at(struct span head, size_t start)
{
	size_t end = start;

	while (end < head.length && is_version_char(head.data[end])) {
		end++;
	}
	return span_slice(head, start, end);
}

static bool is_blank_or_quote(char c)
{
	return c == ' ' || c == '\t' || c == '"' || c == '\'';
}

/* NAME = "value": the value, or the empty span. A version that is said so need not have two dots.
 */
static struct span value_after(struct span head, struct span name)
{
	for (size_t i = 0; i + name.length <= head.length; i++) {
		size_t at = i + name.length;
		struct span value;

		if (!span_starts_with_nocase(span_slice(head, i, head.length), name)) {
			continue;
		}
		while (at < head.length && is_blank_or_quote(head.data[at])) {
			at++;
		}
		if (at == head.length || head.data[at] != '=') {
			continue;
		}
		at++;
		while (at < head.length && is_blank_or_quote(head.data[at])) {
			at++;
		}
		value = word_at(head, at);
		if (!span_is_empty(value) && value.length <= phone_firmware_version_max &&
		    at + value.length < head.length) {
			return value;
		}
	}
	return (struct span){0};
}

int phone_firmware_version(struct span head, struct span *version)
{
	static const struct span names[] = {{"SWVERSION", 9}, {"SW_VERSION", 10}, {"VERSION", 7}};
	struct span probe = span_slice(head, 0, phone_firmware_probe_bytes);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct span value = value_after(probe, names[i]);

		if (!span_is_empty(value)) {
			*version = value;
			return 0;
		}
	}
	for (size_t i = 0; i < probe.length;) {
		struct span word = word_at(probe, i);

		if (is_version(word)) {
			*version = word;
			return 0;
		}
		i += word.length + 1;
	}
	return -ENOENT;
}

static struct span without_prefix(struct span version)
{
	return span_starts_with_nocase(version, SPAN("UC_"))
		       ? span_slice(version, 3, version.length)
		       : version;
}

bool phone_firmware_same_version(struct span a, struct span b)
{
	return span_equal_nocase(without_prefix(a), without_prefix(b));
}

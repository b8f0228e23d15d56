/* SPDX-License-Identifier: MIT */
#include "core/base/span.h"

#include <errno.h>

bool span_equal_nocase(struct span a, struct span b)
{
	if (a.length != b.length) {
		return false;
	}
	for (size_t i = 0; i < a.length; i++) {
		if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) {
			return false;
		}
	}
	return true;
}

bool span_starts_with(struct span s, struct span prefix)
{
	return s.length >= prefix.length && span_equal(span_make(s.data, prefix.length), prefix);
}

bool span_starts_with_nocase(struct span s, struct span prefix)
{
	return s.length >= prefix.length &&
	       span_equal_nocase(span_make(s.data, prefix.length), prefix);
}

static struct span tail(struct span s, size_t length)
{
	return length == 0 ? (struct span){0} : span_make(s.data + s.length - length, length);
}

bool span_ends_with(struct span s, struct span suffix)
{
	return s.length >= suffix.length && span_equal(tail(s, suffix.length), suffix);
}

bool span_ends_with_nocase(struct span s, struct span suffix)
{
	return s.length >= suffix.length && span_equal_nocase(tail(s, suffix.length), suffix);
}

int span_compare(struct span a, struct span b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	if (order != 0) {
		return order;
	}
	return (a.length > b.length) - (a.length < b.length);
}

size_t span_find(struct span s, char c)
{
	const char *hit = s.length > 0 ? memchr(s.data, c, s.length) : NULL;

	return hit ? (size_t)(hit - s.data) : s.length;
}

size_t span_search(struct span s, struct span needle)
{
	const char *hit;

	if (needle.length == 0 || s.length == 0) {
		return needle.length == 0 ? 0 : s.length;
	}
	hit = memmem(s.data, s.length, needle.data, needle.length);
	return hit ? (size_t)(hit - s.data) : s.length;
}

struct span span_slice(struct span s, size_t start, size_t end)
{
	if (end > s.length) {
		end = s.length;
	}
	if (start >= end) {
		return (struct span){0};
	}
	return span_make(s.data + start, end - start);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.length > 0 && is_blank(s.data[0])) {
		s.data++;
		s.length--;
	}
	while (s.length > 0 && is_blank(s.data[s.length - 1])) {
		s.length--;
	}
	return s;
}

struct span span_cut(struct span *rest, char separator)
{
	size_t at = span_find(*rest, separator);
	struct span head = span_make(rest->data, at);

	if (at < rest->length) {
		rest->data += at + 1;
		rest->length -= at + 1;
	} else {
		*rest = (struct span){0};
	}
	return head;
}

int span_to_unsigned(struct span s, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;
	bool is_too_large = false;

	if (s.length == 0) {
		return -EINVAL;
	}
	for (size_t i = 0; i < s.length; i++) {
		uint64_t digit;

		if (!ascii_is_digit(s.data[i])) {
			return -EINVAL;
		}
		digit = (uint64_t)(s.data[i] - '0');
		/* Go on to the end: a later non-digit is the greater fault. */
		if (number > (UINT64_MAX - digit) / 10) {
			is_too_large = true;
		} else {
			number = number * 10 + digit;
		}
	}
	if (is_too_large || number > max) {
		return -ERANGE;
	}
	*value = number;
	return 0;
}

int span_to_text(struct span s, char *buffer, size_t size)
{
	if (s.length >= size) {
		if (size > 0) {
			buffer[0] = '\0';
		}
		return -ENOSPC;
	}
	if (span_find(s, '\0') < s.length) {
		buffer[0] = '\0';
		return -EINVAL;
	}
	if (s.length > 0) {
		memcpy(buffer, s.data, s.length);
	}
	buffer[s.length] = '\0';
	return 0;
}

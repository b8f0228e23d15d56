/* SPDX-License-Identifier: MIT */
/*
 * A view of bytes that somebody else owns, and the few questions parsers ask of one.
 *
 * A span never owns, never copies and is never NUL-terminated by promise. It stays valid for as
 * long as what it points into: the datagram, the arena, the table entry. No function here fails,
 * allocates or keeps state; character classes are ASCII and ignore the locale.
 */
#ifndef BELLHOP_CORE_BASE_SPAN_H
#define BELLHOP_CORE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *data; /* may be NULL when length is 0 */
	size_t length;	  /* bytes */
};

/* A span of a string literal. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

static inline struct span span_make(const char *data, size_t length)
{
	return (struct span){data, length};
}

/* A NUL-terminated string as a span; NULL gives the empty span. */
static inline struct span span_text(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_is_empty(struct span s)
{
	return s.length == 0;
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Equality that takes ASCII letters as alike in either case. */
bool span_equal_nocase(struct span a, struct span b);
bool span_starts_with(struct span s, struct span prefix);
bool span_starts_with_nocase(struct span s, struct span prefix);
bool span_ends_with(struct span s, struct span suffix);
bool span_ends_with_nocase(struct span s, struct span suffix);

/* Order as memcmp, then the shorter first: <0, 0, >0. */
int span_compare(struct span a, struct span b);

/* Index of the first `c`, or s.length when there is none. */
size_t span_find(struct span s, char c);

/* Index of the first occurrence of `needle`, or s.length when there is none. */
size_t span_search(struct span s, struct span needle);

/* The part from `start` (inclusive) to `end` (exclusive); both are cut to the span. */
struct span span_slice(struct span s, size_t start, size_t end);

/* Without SP, HT, CR and LF at both ends. */
struct span span_trim(struct span s);

/*
 * Cuts `*rest` at the first `separator`: returns what stands before it and leaves what follows in
 * `*rest`. Without a separator it returns everything and leaves `*rest` empty, with data NULL, so
 * that `while (rest.data)` walks a list and still sees a trailing empty item.
 */
struct span span_cut(struct span *rest, char separator);

/*
 * Reads 1*DIGIT, nothing else, no sign, no blanks. 0 and `*value`, -EINVAL when it is no such
 * number, -ERANGE when it is greater than `max`; `*value` is untouched on failure.
 */
int span_to_unsigned(struct span s, uint64_t max, uint64_t *value);

/*
 * Copies into a NUL-terminated buffer of `size` bytes. 0, -ENOSPC when it does not fit (the buffer
 * then holds the empty string), -EINVAL when the span holds a NUL.
 */
int span_to_text(struct span s, char *buffer, size_t size);

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alnum(char c)
{
	return ascii_is_digit(c) || ascii_is_alpha(c);
}

/* Value of a hexadecimal digit, or -1. */
static inline int ascii_hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif

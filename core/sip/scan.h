/* SPDX-License-Identifier: MIT */
/*
 * How the parsers of this folder walk over a value: a cursor and an end, never past it. For
 * core/sip alone.
 */
#ifndef BELLHOP_CORE_SIP_SCAN_H
#define BELLHOP_CORE_SIP_SCAN_H

#include "core/base/uncleared.h"
#include "core/sip/names.h"
#include "core/sip/text.h"

#include <errno.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Zeros. A function of its own because the compiler turns a memset of known size into `rep stos`,
 * which costs as much as reading a header.
 */
void sip_clear(void *octets, size_t size);

#ifdef __SSE2__
/* Which of 16 octets are letters, digits, '-' or '.': they are in every class but LWS and HEX. */
static inline unsigned sip_common_of_16(const char *p)
{
	__m128i octets;
	__m128i lower;
	__m128i letters;
	__m128i digits;
	__m128i marks;

	memcpy(&octets, p, sizeof(octets));
	lower = _mm_or_si128(octets, _mm_set1_epi8(0x20));
	letters = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
				_mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
	digits = _mm_and_si128(_mm_cmpgt_epi8(octets, _mm_set1_epi8('0' - 1)),
			       _mm_cmplt_epi8(octets, _mm_set1_epi8('9' + 1)));
	marks = _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('-')),
			     _mm_cmpeq_epi8(octets, _mm_set1_epi8('.')));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letters, digits), marks));
}
#endif

/* Past the octets of these classes, which must be other than LWS and HEX. */
static inline const char *sip_skip(const char *p, const char *end, unsigned classes)
{
#ifdef __SSE2__
	/* Letters and digits 16 at a time: most of what stands in a message. */
	while (end - p >= 16) {
		unsigned common = sip_common_of_16(p);

		if (common == 0xffff) {
			p += 16;
			continue;
		}
		p += __builtin_ctz(~common);
		if (!sip_is(*p, classes)) {
			return p;
		}
		p++;
	}
#endif
	while (p != end && sip_is(*p, classes)) {
		p++;
	}
	return p;
}

/* Mostly there is none. */
static inline const char *sip_skip_lws(const char *p, const char *end)
{
	while (p != end && sip_is(*p, SIP_CLASS_LWS)) {
		p++;
	}
	return p;
}

/* Past the last octet; of a span without data NULL, to which C adds not even 0. */
static inline const char *sip_end(struct span s)
{
	return s.length > 0 ? s.data + s.length : s.data;
}

static inline struct span sip_between(const char *start, const char *end)
{
	return span_make(start, (size_t)(end - start));
}

/*
 * Equality in any case of two names made of token, host or URI characters: of those only letters
 * differ in nothing but bit 5.
 */
static inline bool sip_same_name(struct span a, struct span b)
{
	return a.length == b.length && sip_same_word(a.data, b.data, a.length);
}

#ifdef __SSE2__
/* Which of 16 octets are one of two. */
static inline unsigned sip_either_of_16(const char *p, char one, char other)
{
	__m128i octets;

	memcpy(&octets, p, sizeof(octets));
	return (unsigned)_mm_movemask_epi8(
		_mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8(one)),
			     _mm_cmpeq_epi8(octets, _mm_set1_epi8(other))));
}

/*
 * Which of 16 octets may be controls: as signed numbers plus one, those, DEL and all above ASCII
 * are below 0x21.
 */
static inline unsigned sip_controls_of_16(const char *p)
{
	__m128i octets;

	memcpy(&octets, p, sizeof(octets));
	return (unsigned)_mm_movemask_epi8(
		_mm_cmpgt_epi8(_mm_set1_epi8(0x21), _mm_add_epi8(octets, _mm_set1_epi8(1))));
}
#endif

/* The first octet that is one of two, or `end`. */
static inline const char *sip_find_either(const char *p, const char *end, char one, char other)
{
#ifdef __SSE2__
	bool is_long = end - p >= 16;
	unsigned found;

	for (; end - p >= 16; p += 16) {
		found = sip_either_of_16(p, one, other);
		if (found != 0) {
			return p + __builtin_ctz(found);
		}
	}
	/* The rest together with what was looked at before. */
	if (is_long) {
		found = p == end ? 0 : sip_either_of_16(end - 16, one, other);
		return found == 0 ? end : end - 16 + __builtin_ctz(found);
	}
#endif
	while (p != end && *p != one && *p != other) {
		p++;
	}
	return p;
}

/* But HT. */
static inline bool sip_is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The first control character but HT, or `end`. */
static inline const char *sip_find_control(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		unsigned found = sip_controls_of_16(p);

		if (found == 0) {
			p += 16;
			continue;
		}
		p += __builtin_ctz(found);
		if (sip_is_control(*p)) {
			return p;
		}
		p++;
	}
#endif
	while (p != end && !sip_is_control(*p)) {
		p++;
	}
	return p;
}

static inline const char *sip_find_quote(const char *p, const char *end)
{
	return sip_find_either(p, end, '"', '\\');
}

static inline const char *sip_find_line_end(const char *p, const char *end)
{
	return sip_find_either(p, end, '\r', '\n');
}

/* At an opening quote: past the closing one, or NULL when it is not closed (RFC 3261 25.1). */
static inline const char *sip_skip_quoted(const char *p, const char *end)
{
	for (p++;; p++) {
		p = sip_find_quote(p, end);
		if (p == end) {
			return NULL;
		}
		if (*p == '"') {
			return p + 1;
		}
		p++;
		if (p == end || *p == '\r' || *p == '\n') {
			return NULL;
		}
	}
}

/* What a parameter's name is made of: a token in a header, pname in a URI (RFC 3261 25.1). */
enum { sip_name_in_header = SIP_CLASS_TOKEN, sip_name_in_uri = SIP_CLASS_TOKEN | SIP_CLASS_URI };

/*
 * At LWS ';': reads one parameter. 1 and `*parameter`, the cursor behind it; 0 when something else
 * stands there, the cursor at it (LWS skipped); -EINVAL.
 */
static inline int sip_parameter_scan(const char **cursor, const char *end, unsigned name_class,
				     struct sip_parameter *parameter)
{
	const char *p = sip_skip_lws(*cursor, end);
	const char *start;
	const char *stop;

	if (p == end || *p != ';') {
		*cursor = p;
		return 0;
	}
	start = sip_skip_lws(p + 1, end);
	stop = sip_skip(start, end, name_class);
	if (stop == start) {
		return -EINVAL;
	}
	parameter->name = sip_between(start, stop);
	parameter->value = span_make(stop, 0);
	parameter->has_value = false;
	parameter->is_quoted = false;
	parameter->is_token = false;
	p = sip_skip_lws(stop, end);
	if (p != end && *p == '=') {
		p = sip_skip_lws(p + 1, end);
		parameter->has_value = true;
		if (p != end && *p == '"') {
			stop = sip_skip_quoted(p, end);
			if (!stop) {
				return -EINVAL;
			}
			parameter->value = sip_between(p + 1, stop - 1);
			parameter->is_quoted = true;
		} else {
			stop = sip_skip(p, end, SIP_CLASS_TOKEN);
			parameter->is_token = stop != p;
			if (stop != end && sip_is(*stop, SIP_CLASS_VALUE)) {
				stop = sip_skip(stop, end, SIP_CLASS_VALUE);
				parameter->is_token = false;
			}
			parameter->value = sip_between(p, stop);
		}
	}
	parameter->text = sip_between(start, stop);
	*cursor = stop;
	return 1;
}

/* One of the parameters between `first` and `p` has that name. */
bool sip_parameter_is_repeated(const char *first, const char *p, struct span name);

/* Notes each parameter; false refuses the value. */
typedef bool sip_parameter_fn(void *typed, const struct sip_parameter *parameter);

/*
 * Reads all parameters from the cursor on, hands each to `note`, refuses a name that stands twice
 * (R-3261-11) and more than sip_parameters_max. 0, the cursor at the end or at what stops the list;
 * -EINVAL.
 */
static inline __attribute__((always_inline)) int
sip_parameters_scan(const char **cursor, const char *end, unsigned name_class,
		    struct sip_parameters *parameters, sip_parameter_fn *note, void *typed)
{
	const char *first = *cursor;
	const char *p = first;
	uint64_t seen = 0; /* a Bloom filter over the names: a bit that is free proves a new name */

	for (unsigned count = 0;; count++) {
		UNCLEARED struct sip_parameter parameter;
		const char *before = p;
		int found = sip_parameter_scan(&p, end, name_class, &parameter);
		uint64_t bit;

		if (found <= 0) {
			parameters->text = sip_between(first, before);
			*cursor = p;
			return found;
		}
		bit = (uint64_t)1 << (((unsigned char)ascii_lower(parameter.name.data[0]) +
				       3 * parameter.name.length) &
				      63);
		if ((seen & bit) != 0 && sip_parameter_is_repeated(first, before, parameter.name)) {
			return -EINVAL;
		}
		seen |= bit;
		if (count >= sip_parameters_max || !note(typed, &parameter)) {
			return -EINVAL;
		}
	}
}

/* A note for parsers that want to know none. */
static inline bool sip_parameter_any(void *typed, const struct sip_parameter *parameter)
{
	(void)typed;
	(void)parameter;
	return true;
}

/* Steps over the comma that ends a value: 0 and `*rest` at the next value, or -EINVAL. */
static inline int sip_value_end(struct span *rest, const char *p)
{
	const char *end = sip_end(*rest);

	if (p == end) {
		*rest = span_make(end, 0);
		return 0;
	}
	if (*p != ',') {
		return -EINVAL;
	}
	*rest = sip_between(p + 1, end);
	return 0;
}

/* 1*DIGIT up to `max` (below 2^60): 0 and `*value`, or -EINVAL. */
int sip_number(struct span text, uint64_t max, uint64_t *value);

/* qvalue (RFC 3261 25.1) in thousandths: 0 and `*quality`, or -EINVAL. */
int sip_quality(struct span text, unsigned *quality);

#endif

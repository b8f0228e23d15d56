/* SPDX-License-Identifier: MIT */
#include "core/http/range.h"

enum spec_kind { SPEC_BAD, SPEC_UNSATISFIABLE, SPEC_SATISFIABLE };

/* 1*DIGIT at the front of `*rest`; false when there is no digit. */
static bool take_number(struct span *rest, uint64_t *number)
{
	size_t i = 0;

	*number = 0;
	for (; i < rest->length && ascii_is_digit(rest->data[i]); i++) {
		unsigned digit = (unsigned)(rest->data[i] - '0');

		*number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
	}
	*rest = span_slice(*rest, i, rest->length);
	return i > 0;
}

static bool take_dash(struct span *rest)
{
	if (rest->length == 0 || rest->data[0] != '-') {
		return false;
	}
	*rest = span_slice(*rest, 1, rest->length);
	return true;
}

/* "-n": the last n octets. */
static enum spec_kind read_suffix(struct span rest, uint64_t size, struct http_range *range)
{
	uint64_t count;

	if (!take_dash(&rest) || !take_number(&rest, &count) || rest.length > 0) {
		return SPEC_BAD;
	}
	range->length = count < size ? count : size;
	range->first = size - range->length;
	return count > 0 ? SPEC_SATISFIABLE : SPEC_UNSATISFIABLE;
}

/* One range-spec (RFC 9110 14.1.1): "a-b", "a-" or "-n". */
static enum spec_kind read_spec(struct span spec, uint64_t size, struct http_range *range)
{
	struct span rest = spec;
	uint64_t first;
	uint64_t last = UINT64_MAX;

	if (!take_number(&rest, &first)) {
		return read_suffix(spec, size, range);
	}
	if (!take_dash(&rest) || (rest.length > 0 && !take_number(&rest, &last)) ||
	    rest.length > 0 || last < first) {
		return SPEC_BAD;
	}
	if (first >= size) {
		return SPEC_UNSATISFIABLE;
	}
	range->first = first;
	range->length = (last < size ? last : size - 1) - first + 1;
	return SPEC_SATISFIABLE;
}

static bool do_touch(const struct http_range *a, const struct http_range *b)
{
	return a->first <= b->first + b->length && b->first <= a->first + a->length;
}

static struct http_range join(const struct http_range *a, const struct http_range *b)
{
	uint64_t a_end = a->first + a->length;
	uint64_t b_end = b->first + b->length;
	uint64_t first = a->first < b->first ? a->first : b->first;

	return (struct http_range){first, (a_end > b_end ? a_end : b_end) - first};
}

/* Those that are there neither overlap nor touch, so each joins `added` or stays as it is. */
static void add_range(struct http_ranges *ranges, struct http_range added)
{
	size_t kept = 0;
	size_t place = SIZE_MAX;

	for (size_t i = 0; i < ranges->count; i++) {
		if (!do_touch(&ranges->items[i], &added)) {
			ranges->items[kept++] = ranges->items[i];
			continue;
		}
		added = join(&ranges->items[i], &added);
		if (place == SIZE_MAX) {
			place = kept++;
		}
	}
	if (place == SIZE_MAX) {
		place = kept++;
	}
	ranges->items[place] = added;
	ranges->count = kept;
}

enum http_range_answer http_range_parse(struct span value, uint64_t size,
					struct http_ranges *ranges)
{
	struct http_ranges found = {.count = 0};
	struct span rest = value;
	size_t spec_count = 0;

	if (!span_equal_nocase(span_cut(&rest, '='), SPAN("bytes"))) {
		return HTTP_RANGE_IGNORED;
	}
	while (rest.data) {
		struct span spec = span_trim(span_cut(&rest, ','));
		struct http_range range;
		enum spec_kind kind;

		if (span_is_empty(spec)) {
			continue; /* RFC 9110 5.6.1.2 */
		}
		kind = read_spec(spec, size, &range);
		if (kind == SPEC_BAD || ++spec_count > http_ranges_max) {
			return HTTP_RANGE_IGNORED;
		}
		if (kind == SPEC_SATISFIABLE && size == 0) {
			return HTTP_RANGE_IGNORED; /* no Content-Range can tell of no octets */
		}
		if (kind == SPEC_SATISFIABLE) {
			add_range(&found, range);
		}
	}
	if (spec_count == 0) {
		return HTTP_RANGE_IGNORED;
	}
	if (found.count == 0) {
		return HTTP_RANGE_UNSATISFIABLE;
	}
	*ranges = found;
	return HTTP_RANGE_PARTS;
}

uint64_t http_ranges_octets(const struct http_ranges *ranges)
{
	uint64_t octets = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		octets += ranges->items[i].length;
	}
	return octets;
}

void http_range_write(struct writer *w, const struct http_range *range, uint64_t size)
{
	writer_text(w, "bytes ");
	writer_unsigned(w, range->first);
	writer_char(w, '-');
	writer_unsigned(w, range->first + range->length - 1);
	writer_char(w, '/');
	writer_unsigned(w, size);
}

void http_range_write_unsatisfied(struct writer *w, uint64_t size)
{
	writer_text(w, "bytes */");
	writer_unsigned(w, size);
}

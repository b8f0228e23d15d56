/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/fleet/vendor_match.h"

#include <pcre2.h>

/*
 * How deep a match may go, and so how much memory it may want: PCRE2 starts with 20 KiB of frames
 * and doubles that once; the rest of `memory` is for its contexts.
 */
enum { match_depth_max = 500, match_heap_kib_max = 40 };

/* --- memory and steps --- */

static void *take_memory(PCRE2_SIZE size, void *context)
{
	struct vendor_work *work = context;
	size_t rounded = (size + 15) & ~(size_t)15;

	if (rounded < size || rounded > sizeof(work->memory) - work->memory_used) {
		return NULL;
	}
	work->memory_used += rounded;
	return work->memory + work->memory_used - rounded;
}

static void leave_memory(void *block, void *context)
{
	(void)block;
	(void)context;
}

static int count_step(pcre2_callout_block *block, void *context)
{
	struct vendor_work *work = context;

	(void)block;
	if (work->steps_left == 0) {
		return PCRE2_ERROR_CALLOUT;
	}
	work->steps_left--;
	work->steps++;
	return 0;
}

void vendor_work_begin(struct vendor_work *work)
{
	work->steps_left = vendor_steps_max;
	work->steps = 0;
	work->patterns = 0;
	work->text = SPAN("");
	work->limits = NULL;
	work->match = NULL;
	work->memory_used = 0;
}

void vendor_work_text(struct vendor_work *work, struct span text)
{
	work->text = span_slice(text, 0, vendor_text_max);
	for (size_t i = 0; i < work->text.length; i++) {
		work->folded[i] = ascii_lower(work->text.data[i]);
	}
}

/* What all patterns share; false when it cannot be made. */
static bool make_ready(struct vendor_work *work)
{
	pcre2_general_context *memory;

	if (work->match) {
		return true;
	}
	memory = pcre2_general_context_create(take_memory, leave_memory, work);
	if (!memory) {
		return false;
	}
	work->limits = pcre2_match_context_create(memory);
	work->match = pcre2_match_data_create(vendor_groups_max + 1, memory);
	if (!work->limits || !work->match) {
		work->match = NULL;
		return false;
	}
	pcre2_set_depth_limit(work->limits, match_depth_max);
	pcre2_set_heap_limit(work->limits, match_heap_kib_max);
	pcre2_set_callout(work->limits, count_step, work);
	return true;
}

/* --- one pattern --- */

static bool holds_literal(const struct vendor_work *work, const struct vendor_pattern *pattern)
{
	struct span folded = span_make(work->folded, work->text.length);

	if (pattern->literal.length == 0) {
		return true;
	}
	return pattern->literal_is_at_start ? span_starts_with(folded, pattern->literal)
					    : span_search(folded, pattern->literal) < folded.length;
}

static struct span group(const struct vendor_work *work, const pcre2_code *code, const char *name)
{
	int number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(work->match);

	if (number < 0 || number > vendor_groups_max || ends[2 * number] == PCRE2_UNSET ||
	    ends[2 * number] > ends[2 * number + 1]) {
		return SPAN("");
	}
	return span_slice(work->text, ends[2 * number], ends[2 * number + 1]);
}

bool vendor_pattern_matches(struct vendor_work *work, const struct vendor_pattern *pattern,
			    struct vendor_reading *reading)
{
	const pcre2_code *code = pattern->code;

	/* Empty is nothing that a phone said. */
	if (work->text.length == 0 || !holds_literal(work, pattern) || work->steps_left == 0 ||
	    !make_ready(work)) {
		return false;
	}
	work->patterns++;
	if (pcre2_match(code, (PCRE2_SPTR)work->text.data, work->text.length, 0, PCRE2_NO_JIT,
			work->match, work->limits) <= 0) {
		return false;
	}
	if (reading) {
		*reading = (struct vendor_reading){
			.model = group(work, code, "model"),
			.version = group(work, code, "version"),
			.mac = group(work, code, "mac"),
		};
	}
	return true;
}

bool vendor_patterns_match(struct vendor_work *work, const struct vendor_patterns *patterns,
			   struct vendor_reading *reading)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (vendor_pattern_matches(work, &patterns->items[i], reading)) {
			return true;
		}
	}
	return false;
}

/* --- what a pattern cannot do without --- */

/* Reading a pattern from the left, outside of groups and classes. */
struct literal_reader {
	struct span rest;
	char run[vendor_literal_max];
	size_t run_length;
	bool run_is_at_start;
	char best[vendor_literal_max];
	size_t best_length;
	bool best_is_at_start;
};

static void end_run(struct literal_reader *r)
{
	if (r->run_length > r->best_length) {
		memcpy(r->best, r->run, r->run_length);
		r->best_length = r->run_length;
		r->best_is_at_start = r->run_is_at_start;
	}
	r->run_length = 0;
	r->run_is_at_start = false;
}

static void add_to_run(struct literal_reader *r, char c)
{
	if (r->run_length == sizeof(r->run)) {
		end_run(r);
	}
	r->run[r->run_length++] = ascii_lower(c);
}

/* "[:alpha:]" in a class: its length, or 0. */
static size_t posix_class_length(struct span text)
{
	size_t end = span_search(text, SPAN(":]"));

	return span_starts_with(text, SPAN("[:")) && end < text.length && end < span_find(text, ']')
		       ? end + 2
		       : 0;
}

/* \Q makes what follows plain up to \E: beyond us. */
static bool is_quote(struct span text)
{
	return span_starts_with(text, SPAN("\\Q")) || span_starts_with(text, SPAN("\\E"));
}

/* The length of a class at the start of `text`, or 0 when it is beyond us. */
static size_t class_length(struct span text)
{
	size_t i = 1;

	i += i < text.length && text.data[i] == '^';
	i += i < text.length && text.data[i] == ']';
	while (i < text.length && text.data[i] != ']') {
		struct span rest = span_slice(text, i, text.length);
		size_t posix = posix_class_length(rest);

		if (is_quote(rest)) {
			return 0;
		}
		i += posix > 0 ? posix : rest.data[0] == '\\' ? 2 : 1;
	}
	return i < text.length ? i + 1 : 0;
}

/* A group as we know them: no verb, comment, condition or option but that of case. */
static bool is_known_group(struct span text)
{
	static const char *const known[] = {"(?:", "(?<", "(?P<", "(?=", "(?!",
					    "(?>", "(?|", "(?i)", "(?i:"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (span_starts_with(text, span_text(known[i]))) {
			return true;
		}
	}
	return !span_starts_with(text, SPAN("(?")) && !span_starts_with(text, SPAN("(*"));
}

/* The length of a group at the start of `text`, or 0 when it is beyond us. */
static size_t group_length(struct span text)
{
	size_t depth = 0;
	size_t i = 0;

	while (i < text.length) {
		struct span rest = span_slice(text, i, text.length);
		char c = rest.data[0];
		size_t length = c == '[' ? class_length(rest) : c == '\\' ? 2 : 1;

		if (length == 0 || is_quote(rest) || (c == '(' && !is_known_group(rest))) {
			return 0;
		}
		depth += c == '(';
		if (c == ')' && --depth == 0) {
			return i + 1;
		}
		i += length;
	}
	return 0;
}

/* How often what stands before may be there: the length of a quantifier, 0 when there is none. */
static size_t quantifier_length(struct span text)
{
	size_t length = 0;

	if (text.length > 0 && text.data[0] == '{') {
		length = span_find(text, '}') + 1;
	} else if (text.length > 0 && memchr("?*+", text.data[0], 3)) {
		length = 1;
	}
	if (length == 0 || length > text.length) {
		return 0;
	}
	/* Lazy, possessive. */
	return length < text.length && (text.data[length] == '?' || text.data[length] == '+')
		       ? length + 1
		       : length;
}

static void skip(struct literal_reader *r, size_t length)
{
	r->rest = span_slice(r->rest, length, r->rest.length);
}

/* A character that stands for itself; one that may be left out ends the run before it. */
static void read_plain(struct literal_reader *r, char c, size_t length)
{
	size_t quantifier;

	skip(r, length);
	quantifier = quantifier_length(r->rest);
	if (quantifier == 0) {
		add_to_run(r, c);
		return;
	}
	if (r->rest.data[0] == '+') {
		add_to_run(r, c);
	}
	end_run(r);
	skip(r, quantifier);
}

/* The next piece of the pattern; false when it is beyond us. */
static bool read_piece(struct literal_reader *r)
{
	char c = r->rest.data[0];
	char next = r->rest.length > 1 ? r->rest.data[1] : '\0';
	size_t length = 1;

	if (c == '|' || c == ')' || c == '\0' || (unsigned char)c >= 0x80) {
		return false;
	}
	if (c == '\\') {
		/* A letter or digit is a class, an assertion, a code of a character, \Q, … */
		if (r->rest.length < 2 || (unsigned char)next >= 0x80 ||
		    (ascii_is_alnum(next) && !memchr("bBdDsSwW", next, 8))) {
			return false;
		}
		if (!ascii_is_alnum(next)) {
			read_plain(r, next, 2);
			return true;
		}
		length = 2;
	} else if (c == '(') {
		length = group_length(r->rest);
	} else if (c == '[') {
		length = class_length(r->rest);
	} else if (!memchr("^$.?*+{", c, 7)) {
		read_plain(r, c, 1);
		return true;
	}
	if (length == 0) {
		return false;
	}
	if (!(c == '(' && span_starts_with(r->rest, SPAN("(?i)")))) {
		end_run(r);
	}
	skip(r, length);
	skip(r, quantifier_length(r->rest));
	return true;
}

void vendor_literal_of(struct span pattern, struct writer *literal, bool *is_at_start)
{
	struct literal_reader r = {.rest = pattern};

	*is_at_start = false;
	if (span_starts_with(r.rest, SPAN("(?i)"))) {
		skip(&r, 4);
	}
	if (span_starts_with(r.rest, SPAN("^"))) {
		skip(&r, 1);
		r.run_is_at_start = true;
	}
	while (r.rest.length > 0) {
		if (!read_piece(&r)) {
			return;
		}
	}
	end_run(&r);
	writer_put(literal, span_make(r.best, r.best_length));
	*is_at_start = r.best_length > 0 && r.best_is_at_start;
}

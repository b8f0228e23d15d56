/* SPDX-License-Identifier: MIT */
/*
 * Matching the patterns of packs against what phones say: what one text may cost, over all packs
 * together. Only core/fleet uses this.
 *
 * A step is one item of a pattern that is tried at one place of the text, and between two steps
 * nothing is done that takes longer than the text is long. A pattern has a literal that every text
 * it matches must hold, where one could be derived; without it the pattern is not run at all. All
 * memory lies in the caller's frame: no pattern allocates, and nothing is shared between threads.
 */
#ifndef BELLHOP_CORE_FLEET_VENDOR_MATCH_H
#define BELLHOP_CORE_FLEET_VENDOR_MATCH_H

#include "core/fleet/vendor.h"

enum {
	vendor_text_max = 512, /* bytes of a text that are looked at */
	vendor_steps_max =
		5000, /* of all patterns that one text is held against; honest ones: 100 */
	vendor_groups_max = 15, /* in one pattern */
	vendor_literal_max = 32
};

/*
 * One text, or the few of one message, on its way through patterns. Lives on the stack and is not
 * copied; vendor_work_begin makes it ready.
 */
struct vendor_work {
	size_t steps_left;
	size_t steps;	 /* taken so far */
	size_t patterns; /* run so far: those that the literal let through */
	struct span text;
	void *limits; /* pcre2_match_context; made with the first pattern that is run */
	void *match;  /* pcre2_match_data */
	size_t memory_used;
	char folded[vendor_text_max]; /* `text` in small letters */
	_Alignas(16) char memory[64 << 10];
};

void vendor_work_begin(struct vendor_work *work);

/* What patterns are held against from now on: its first vendor_text_max bytes. */
void vendor_work_text(struct vendor_work *work, struct span text);

/*
 * Whether a pattern matches the text; `reading` may be NULL and is written on a match only. Out of
 * steps, nothing matches any more.
 */
bool vendor_pattern_matches(struct vendor_work *work, const struct vendor_pattern *pattern,
			    struct vendor_reading *reading);
bool vendor_patterns_match(struct vendor_work *work, const struct vendor_patterns *patterns,
			   struct vendor_reading *reading);

/* As vendor_recognise; `work` then tells what it cost. */
const struct vendor_pack *vendor_recognise_with(struct vendor_work *work,
						const struct vendors *vendors,
						const struct mac *mac, struct span user_agent,
						struct span event_vendor);

/*
 * The longest run of plain characters that every text must hold which `pattern` matches, in small
 * letters, to `literal`; `*is_at_start` when the text must begin with it. Nothing when the pattern
 * is too clever for us: then it is always run.
 */
void vendor_literal_of(struct span pattern, struct writer *literal, bool *is_at_start);

/* What a rule makes of the last part of a name. */
struct vendor_file_match {
	bool has_mac;
	struct mac mac;
	struct span model;
	bool is_by_model_alone; /* the name was "<model>.img", and nothing else speaks for it */
};

/*
 * Whether a rule answers to the name in `work`. A MAC that cannot be a device's is no MAC, and a
 * name that should hold one does not match then.
 */
bool vendor_file_matches(struct vendor_work *work, const struct vendor_file *rule,
			 struct vendor_file_match *found);

#endif

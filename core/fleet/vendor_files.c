/* SPDX-License-Identifier: MIT */
#include "core/fleet/vendor_files.h"

#include "core/base/uncleared.h"
#include "core/fleet/vendor_match.h"

/* A MAC in any spelling that a pattern lets through, '_' between its octets too. */
static bool read_mac(struct span text, struct mac *mac)
{
	char digits[12];
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (ascii_hex_value(text.data[i]) < 0) {
			continue;
		}
		if (count == sizeof(digits)) {
			return false;
		}
		digits[count++] = text.data[i];
	}
	return mac_parse_prefix(span_make(digits, count), mac) == 0 && mac_is_device(*mac);
}

static bool take_match(const struct vendor_file *rule, const struct vendor_reading *reading,
		       struct vendor_file_match *found)
{
	*found = (struct vendor_file_match){.model = reading->model};
	if (reading->mac.length > 0) {
		found->has_mac = read_mac(reading->mac, &found->mac);
		return found->has_mac;
	}
	return rule->identity != FILE_IDENTITY_MAC;
}

bool vendor_file_matches(struct vendor_work *work, const struct vendor_file *rule,
			 struct vendor_file_match *found)
{
	struct vendor_reading reading = {0};

	for (size_t i = 0; i < rule->match.count; i++) {
		if (vendor_pattern_matches(work, &rule->match.items[i], &reading) &&
		    take_match(rule, &reading, found)) {
			return true;
		}
	}
	if (!vendor_pattern_matches(work, &rule->named, &reading) ||
	    !take_match(rule, &reading, found)) {
		return false;
	}
	found->is_by_model_alone = !found->has_mac && found->model.length > 0;
	/* The pack's own patterns say which models there are. */
	return !(found->is_by_model_alone && rule->match.count > 0);
}

/* --- a bare name --- */

enum rank { RANK_NONE, RANK_MODEL, RANK_SPELT, RANK_MAC };

static enum rank rank_of(const struct vendor_file_match *match)
{
	if (match->has_mac) {
		return RANK_MAC;
	}
	return match->is_by_model_alone ? RANK_MODEL : RANK_SPELT;
}

/* What a pack makes of a name. */
struct candidate {
	enum rank rank;
	const struct vendor_file *rule;
	struct vendor_file_match match;
};

/* The best of a pack's rows; the first of those that are as good. */
static struct candidate best_of_pack(struct vendor_work *work, const struct vendor_pack *pack)
{
	struct candidate best = {.rank = RANK_NONE};

	for (size_t i = 0; i < pack->file_count && best.rank != RANK_MAC; i++) {
		struct vendor_file_match found;

		if (vendor_file_matches(work, &pack->files[i], &found) &&
		    rank_of(&found) > best.rank) {
			best = (struct candidate){rank_of(&found), &pack->files[i], found};
		}
	}
	return best;
}

static void take(struct vendor_file_reading *reading, const struct candidate *candidate)
{
	reading->has_mac = candidate->match.has_mac;
	reading->mac = candidate->match.mac;
	reading->model = candidate->match.model;
}

/* Another one that is as good: what they do not agree on is not known. */
static void compare(struct vendor_file_reading *reading, const struct candidate *candidate)
{
	if (!span_equal(reading->model, candidate->match.model)) {
		reading->model = SPAN("");
	}
	if (!mac_equal(candidate->match.mac, reading->mac)) {
		reading->has_mac = false;
		reading->mac = (struct mac){{0}};
	}
}

/* The one of the candidates whose OUI the MAC has, or the only one. */
static void decide(const struct vendors *vendors, const struct candidate *found,
		   struct vendor_file_reading *reading)
{
	bool is_one = (reading->candidates & (reading->candidates - 1)) == 0;

	reading->is_ambiguous = true;
	for (size_t i = 0; i < vendors->count; i++) {
		const struct vendor_pack *pack = vendors->packs[i];

		if ((reading->candidates >> i & 1) == 0 ||
		    (!is_one && !(found[i].match.has_mac &&
				  vendor_by_oui(vendors, found[i].match.mac) == pack))) {
			continue;
		}
		reading->is_ambiguous = false;
		reading->pack = pack;
		reading->rule = found[i].rule;
		take(reading, &found[i]);
		return;
	}
}

/* Without a folder: of a path the last part tells. */
static struct span last_part(struct span name)
{
	size_t start = name.length;

	while (start > 0 && name.data[start - 1] != '/') {
		start--;
	}
	return span_slice(name, start, name.length);
}

bool vendor_read_file_name(const struct vendors *vendors, struct span name,
			   struct vendor_file_reading *reading)
{
	UNCLEARED struct candidate found[vendors_max];
	UNCLEARED struct vendor_work work;
	enum rank best = RANK_NONE;

	*reading = (struct vendor_file_reading){0};
	name = last_part(name);
	if (name.length > vendor_text_max) {
		return false;
	}
	vendor_work_begin(&work);
	vendor_work_text(&work, name);
	for (size_t i = 0; i < vendors->count; i++) {
		found[i] = best_of_pack(&work, vendors->packs[i]);
		if (found[i].rank > best) {
			best = found[i].rank;
			reading->candidates = 0;
			take(reading, &found[i]);
		}
		if (best != RANK_NONE && found[i].rank == best) {
			reading->candidates |= UINT64_C(1) << i;
			compare(reading, &found[i]);
		}
	}
	if (best == RANK_NONE) {
		return false;
	}
	decide(vendors, found, reading);
	return true;
}

/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/fleet/vendor.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>

/* What one match may cost, and how much of a text is looked at: no input makes it slow. */
enum {
	subject_max = 512,
	match_steps_max = 20000,
	match_depth_max = 500,
	match_heap_kib_max = 256
};

static pcre2_match_context *limits_new(void)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);

	if (limits) {
		pcre2_set_match_limit(limits, match_steps_max);
		pcre2_set_depth_limit(limits, match_depth_max);
		pcre2_set_heap_limit(limits, match_heap_kib_max);
	}
	return limits;
}

static struct span group(const pcre2_code *code, pcre2_match_data *match, struct span subject,
			 const char *name)
{
	int number = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);

	if (number < 0 || (uint32_t)number >= pcre2_get_ovector_count(match) ||
	    ends[2 * number] == PCRE2_UNSET || ends[2 * number] > ends[2 * number + 1]) {
		return SPAN("");
	}
	return span_slice(subject, ends[2 * number], ends[2 * number + 1]);
}

/* Whether the pattern matches; `reading` may be NULL. No memory and no match look alike. */
static bool pattern_matches(const struct vendor_pattern *pattern, struct span subject,
			    struct vendor_reading *reading)
{
	const pcre2_code *code = pattern->code;
	pcre2_match_context *limits = limits_new();
	pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
	bool is_match = false;

	if (limits && match) {
		is_match = pcre2_match(code, (PCRE2_SPTR)subject.data, subject.length, 0,
				       PCRE2_NO_JIT, match, limits) > 0;
	}
	if (is_match && reading) {
		*reading = (struct vendor_reading){
			.model = group(code, match, subject, "model"),
			.version = group(code, match, subject, "version"),
			.mac = group(code, match, subject, "mac"),
		};
	}
	pcre2_match_data_free(match);
	pcre2_match_context_free(limits);
	return is_match;
}

static bool any_matches(const struct vendor_patterns *patterns, struct span subject,
			struct vendor_reading *reading)
{
	subject = span_slice(subject, 0, subject_max);
	for (size_t i = 0; subject.length > 0 && i < patterns->count; i++) {
		if (pattern_matches(&patterns->items[i], subject, reading)) {
			return true;
		}
	}
	return false;
}

bool vendor_read_user_agent(const struct vendor_pack *pack, struct span user_agent,
			    struct vendor_reading *reading)
{
	return any_matches(&pack->sip_user_agent, user_agent, reading) ||
	       any_matches(&pack->http_user_agent, user_agent, reading);
}

struct span vendor_event_model(const struct vendor_pack *pack, struct span model)
{
	struct vendor_reading reading = {0};

	if (any_matches(&pack->event_model, model, &reading)) {
		return reading.model;
	}
	return pack->event_model.count > 0 ? SPAN("") : model;
}

const struct vendor_shape *vendor_shape_find(const struct vendor_pack *pack, struct span name)
{
	for (size_t i = 0; i < pack->shape_count; i++) {
		if (span_equal(pack->shapes[i].name, name)) {
			return &pack->shapes[i];
		}
	}
	return pack->shape_count > 0 ? &pack->shapes[0] : NULL;
}

const char *vendor_evidence_name(const struct vendor_pack *pack, struct span field)
{
	static const char *const names[] = {
		[EVIDENCE_NONE] = "",
		[EVIDENCE_CAPTURE] = "capture",
		[EVIDENCE_FIRMWARE] = "firmware",
		[EVIDENCE_MANUAL] = "manual",
		[EVIDENCE_CODE] = "code",
		[EVIDENCE_INFERENCE] = "inference",
	};

	for (size_t i = 0; i < pack->statement_count; i++) {
		if (span_equal(pack->statements[i].field, field)) {
			return names[pack->statements[i].evidence];
		}
	}
	return "";
}

static const struct vendor_pack *find_by_oui(const struct vendors *vendors, const struct mac *mac)
{
	const struct vendor_pack *found = NULL;
	char text[mac_text_size];
	size_t longest = 0;

	mac_text(*mac, text);
	for (size_t i = 0; i < vendors->count; i++) {
		const struct vendor_pack *pack = vendors->packs[i];

		for (size_t j = 0; j < pack->oui_count; j++) {
			struct span oui = pack->oui[j];

			if (oui.length > longest && span_starts_with(span_text(text), oui)) {
				longest = oui.length;
				found = pack;
			}
		}
	}
	return found;
}

const struct vendor_pack *vendor_recognise(const struct vendors *vendors, const struct mac *mac,
					   struct span user_agent, struct span event_vendor)
{
	const struct vendor_pack *found = mac ? find_by_oui(vendors, mac) : NULL;

	for (size_t i = 0; !found && i < vendors->count; i++) {
		const struct vendor_pack *pack = vendors->packs[i];

		if (any_matches(&pack->sip_user_agent, user_agent, NULL) ||
		    any_matches(&pack->http_user_agent, user_agent, NULL)) {
			found = pack;
		}
	}
	for (size_t i = 0; !found && i < vendors->count; i++) {
		if (any_matches(&vendors->packs[i]->event_vendor, event_vendor, NULL)) {
			found = vendors->packs[i];
		}
	}
	return found;
}

const struct vendor_pack *vendor_find(const struct vendors *vendors, struct span name)
{
	for (size_t i = 0; i < vendors->count; i++) {
		if (span_equal(vendors->packs[i]->name, name)) {
			return vendors->packs[i];
		}
	}
	return NULL;
}

int vendors_add(struct vendors *vendors, struct vendor_pack *pack)
{
	for (size_t i = 0; i < vendors->count; i++) {
		if (span_equal(vendors->packs[i]->name, pack->name)) {
			vendor_pack_free(vendors->packs[i]);
			vendors->packs[i] = pack;
			return 0;
		}
	}
	if (vendors->count == vendors_max) {
		return -ENOSPC;
	}
	vendors->packs[vendors->count++] = pack;
	return 0;
}

void vendors_free(struct vendors *vendors)
{
	for (size_t i = 0; i < vendors->count; i++) {
		vendor_pack_free(vendors->packs[i]);
	}
	*vendors = (struct vendors){0};
}

/* SPDX-License-Identifier: MIT */
#include "core/fleet/vendor.h"

#include "core/base/uncleared.h"
#include "core/fleet/vendor_match.h"

/* --- what a phone says of itself --- */

static bool read_in_order(const struct vendor_patterns *first, const struct vendor_patterns *second,
			  struct span text, struct vendor_reading *reading)
{
	UNCLEARED struct vendor_work work;

	vendor_work_begin(&work);
	vendor_work_text(&work, text);
	return vendor_patterns_match(&work, first, reading) ||
	       vendor_patterns_match(&work, second, reading);
}

bool vendor_read_user_agent(const struct vendor_pack *pack, struct span user_agent,
			    struct vendor_reading *reading)
{
	return read_in_order(&pack->sip_user_agent, &pack->http_user_agent, user_agent, reading);
}

bool vendor_read_http_user_agent(const struct vendor_pack *pack, struct span user_agent,
				 struct vendor_reading *reading)
{
	return read_in_order(&pack->http_user_agent, &pack->sip_user_agent, user_agent, reading);
}

const struct vendor_pack *vendor_read_dhcp_class(const struct vendors *vendors, struct span text,
						 struct vendor_reading *reading)
{
	UNCLEARED struct vendor_work work;

	vendor_work_begin(&work);
	vendor_work_text(&work, text);
	for (size_t i = 0; i < vendors->count; i++) {
		if (vendor_patterns_match(&work, &vendors->packs[i]->dhcp_class, reading)) {
			return vendors->packs[i];
		}
	}
	return NULL;
}

struct span vendor_event_model(const struct vendor_pack *pack, struct span model)
{
	UNCLEARED struct vendor_work work;
	struct vendor_reading reading = {0};

	if (pack->event_model.count == 0) {
		return model;
	}
	vendor_work_begin(&work);
	vendor_work_text(&work, model);
	(void)vendor_patterns_match(&work, &pack->event_model, &reading);
	return reading.model;
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

/* --- whose it is --- */

const struct vendor_pack *vendor_recognise_with(struct vendor_work *work,
						const struct vendors *vendors,
						const struct mac *mac, struct span user_agent,
						struct span event_vendor)
{
	const struct vendor_pack *found = mac ? vendor_by_oui(vendors, *mac) : NULL;

	if (!found) {
		vendor_work_text(work, user_agent);
	}
	for (size_t i = 0; !found && i < vendors->count; i++) {
		const struct vendor_pack *pack = vendors->packs[i];

		if (vendor_patterns_match(work, &pack->sip_user_agent, NULL) ||
		    vendor_patterns_match(work, &pack->http_user_agent, NULL)) {
			found = pack;
		}
	}
	if (!found) {
		vendor_work_text(work, event_vendor);
	}
	for (size_t i = 0; !found && i < vendors->count; i++) {
		if (vendor_patterns_match(work, &vendors->packs[i]->event_vendor, NULL)) {
			found = vendors->packs[i];
		}
	}
	return found;
}

const struct vendor_pack *vendor_recognise(const struct vendors *vendors, const struct mac *mac,
					   struct span user_agent, struct span event_vendor)
{
	UNCLEARED struct vendor_work work;

	vendor_work_begin(&work);
	return vendor_recognise_with(&work, vendors, mac, user_agent, event_vendor);
}

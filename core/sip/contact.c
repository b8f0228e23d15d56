/* SPDX-License-Identifier: MIT */
#include "core/sip/contact.h"

#include "core/sip/scan.h"

int sip_contact_parse(struct span *rest, struct sip_contact *contact)
{
	struct sip_contact read = {.quality = 1000};
	struct sip_parameter parameter;
	struct span after = *rest;
	uint64_t seconds;

	if (span_equal(sip_trim(*rest), SPAN("*"))) {
		read.is_star = true;
		*rest = span_make(rest->data + rest->length, 0);
		*contact = read;
		return 0;
	}
	if (sip_name_address_parse(&after, &read.address) != 0) {
		return -EINVAL;
	}
	if (sip_parameters_find(read.address.parameters, SPAN("q"), &parameter) &&
	    sip_quality(parameter.value, &read.quality) != 0) {
		return -EINVAL;
	}
	/* RFC 3261 20.10: a malformed expires is as good as 3600, so here as none. */
	if (sip_parameters_find(read.address.parameters, SPAN("expires"), &parameter) &&
	    sip_number(parameter.value, UINT32_MAX, &seconds) == 0) {
		read.expires_s = (uint32_t)seconds;
		read.has_expires = true;
	}
	*rest = after;
	*contact = read;
	return 0;
}

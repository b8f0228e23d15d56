/* SPDX-License-Identifier: MIT */
#include "core/sip/event.h"

#include "core/sip/scan.h"

/* vend?r: Panasonic writes vender (dialects.md A.8). */
static bool is_misspelt_vendor(struct span name)
{
	return sip_same_name(span_make(name.data, 4), SPAN("vend")) &&
	       ascii_lower(name.data[5]) == 'r';
}

static bool note_parameter(void *typed, const struct sip_parameter *parameter)
{
	struct sip_event *event = typed;
	struct span name = parameter->name;
	uint64_t seconds;

	switch (name.length) {
	case 2:
		if (sip_same_name(name, SPAN("id"))) {
			event->id = parameter->value;
		}
		break;
	case 5:
		if (sip_same_name(name, SPAN("model"))) {
			event->model = parameter->value;
		}
		break;
	case 6: /* vender and the like count when the right name is not there (R-DRAFT-8) */
		if (sip_same_name(name, SPAN("vendor")) ||
		    (is_misspelt_vendor(name) && event->vendor.length == 0)) {
			event->vendor = parameter->value;
		}
		break;
	case 7:
		if (sip_same_name(name, SPAN("version"))) {
			event->version = parameter->value;
		}
		break;
	case 12:
		if (sip_same_name(name, SPAN("profile-type"))) {
			event->profile_type = parameter->value;
		} else if (sip_same_name(name, SPAN("effective-by")) &&
			   sip_number(parameter->value, UINT32_MAX, &seconds) == 0) {
			/* Means nothing in a SUBSCRIBE (R-6080-74), so a bad one is as none. */
			event->effective_by_s = (uint32_t)seconds;
			event->has_effective_by = true;
		}
		break;
	default:
		break;
	}
	return true;
}

int sip_event_parse(struct span text, struct sip_event *event)
{
	UNCLEARED struct sip_event read;
	struct span whole = sip_trim(text);
	const char *start = whole.data;
	const char *end = sip_end(whole);
	const char *p = sip_skip(start, end, SIP_CLASS_TOKEN);

	sip_clear(&read, sizeof(read));
	read.text = whole;
	read.type = sip_between(start, p);
	if (p == start || sip_parameters_scan(&p, end, sip_name_in_header, &read.parameters,
					      note_parameter, &read) != 0) {
		return -EINVAL;
	}
	if (p != end) {
		return -EINVAL;
	}
	*event = read;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/sip/accept.h"

#include "core/sip/scan.h"

static bool note_quality(void *typed, const struct sip_parameter *parameter)
{
	struct sip_media_type *type = typed;

	if (parameter->name.length == 1 && ascii_lower(parameter->name.data[0]) == 'q') {
		return sip_quality(parameter->value, &type->quality) == 0;
	}
	return true;
}

int sip_media_type_parse(struct span *rest, struct sip_media_type *media_type)
{
	struct sip_media_type read = {.quality = 1000};
	const char *end = sip_end(*rest);
	const char *start = sip_skip_lws(rest->data, end);
	const char *p = sip_skip(start, end, SIP_CLASS_TOKEN);
	const char *subtype;
	struct span after = *rest;

	read.type = sip_between(start, p);
	p = sip_skip_lws(p, end);
	if (read.type.length == 0 || p == end || *p != '/') {
		return -EINVAL;
	}
	subtype = sip_skip_lws(p + 1, end);
	p = sip_skip(subtype, end, SIP_CLASS_TOKEN);
	read.subtype = sip_between(subtype, p);
	if (read.subtype.length == 0 ||
	    (span_equal(read.type, SPAN("*")) && !span_equal(read.subtype, SPAN("*")))) {
		return -EINVAL;
	}
	if (sip_parameters_scan(&p, end, sip_name_in_header, &read.parameters, note_quality,
				&read) != 0 ||
	    sip_value_end(&after, p) != 0) {
		return -EINVAL;
	}
	read.text = sip_trim(sip_between(start, p));
	*rest = after;
	*media_type = read;
	return 0;
}

unsigned sip_media_type_fit(const struct sip_media_type *range, struct span type,
			    struct span subtype)
{
	if (span_equal(range->type, SPAN("*"))) {
		return 1;
	}
	if (!sip_same_name(range->type, type)) {
		return 0;
	}
	if (span_equal(range->subtype, SPAN("*"))) {
		return 2;
	}
	return sip_same_name(range->subtype, subtype) ? 3 : 0;
}

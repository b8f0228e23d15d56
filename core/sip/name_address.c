/* SPDX-License-Identifier: MIT */
#include "core/sip/name_address.h"

#include "core/sip/fill.h"
#include "core/sip/scan.h"

static bool note_tag(void *typed, const struct sip_parameter *parameter)
{
	struct sip_name_address *value = typed;

	if (parameter->name.length == 3 && sip_same_name(parameter->name, SPAN("tag"))) {
		value->tag = parameter->value;
		value->has_tag = true;
		return parameter->value.length > 0 && !parameter->is_quoted;
	}
	return true;
}

/*
 * [display-name] before '<': the cursor at '<', or where the value starts when there is no '<'.
 * Blanks between the words and before '<' may be missing (RFC 4475 3.1.1.6); octets of UTF-8 stand
 * in unquoted names in the field.
 */
static int parse_display_name(const char **cursor, const char *end, struct sip_name_address *value)
{
	const char *start = *cursor;
	const char *p = start;

	if (*p == '<') {
		return 0;
	}
	if (*p == '"') {
		p = sip_skip_quoted(p, end);
		if (!p) {
			return -EINVAL;
		}
		value->display_name = sip_between(start, p);
		p = sip_skip_lws(p, end);
		*cursor = p;
		return p != end && *p == '<' ? 0 : -EINVAL;
	}
	while (p != end && (sip_is(*p, SIP_CLASS_TOKEN | SIP_CLASS_LWS) || (*p & 0x80) != 0)) {
		p++;
	}
	if (p != end && *p == '<') {
		value->display_name = sip_trim(sip_between(start, p));
		*cursor = p;
	}
	return 0;
}

static int parse_uri(const char **cursor, const char *end, struct sip_name_address *value)
{
	const char *p = *cursor;
	const char *stop;
	int error;

	if (*p == '<') {
		stop = memchr(p, '>', (size_t)(end - p));
		if (!stop) {
			return -EINVAL;
		}
		value->has_brackets = true;
		*cursor = stop + 1;
		p++;
	} else {
		for (stop = p; stop != end && *stop != ';' && *stop != ',' &&
			       !sip_is(*stop, SIP_CLASS_LWS);) {
			stop++;
		}
		*cursor = stop;
	}
	error = sip_uri_fill(sip_between(p, stop), &value->uri);
	if (error != 0 && error != -ENODATA) {
		return error;
	}
	/* Without <> a '?' would belong to nobody (R-3261-16). */
	return value->has_brackets || !memchr(p, '?', (size_t)(stop - p)) ? 0 : -EINVAL;
}

int sip_name_address_fill(struct span *rest, struct sip_name_address *name_address)
{
	const char *end = sip_end(*rest);
	const char *p = sip_skip_lws(rest->data, end);
	const char *start = p;
	struct span after = *rest;

	sip_clear(name_address, sizeof(*name_address));
	if (p == end || parse_display_name(&p, end, name_address) != 0 ||
	    parse_uri(&p, end, name_address) != 0 ||
	    sip_parameters_scan(&p, end, sip_name_in_header, &name_address->parameters, note_tag,
				name_address) != 0 ||
	    sip_value_end(&after, p) != 0) {
		return -EINVAL;
	}
	name_address->text = sip_trim(sip_between(start, p));
	*rest = after;
	return 0;
}

int sip_name_address_parse(struct span *rest, struct sip_name_address *name_address)
{
	UNCLEARED struct sip_name_address value;
	int error = sip_name_address_fill(rest, &value);

	if (error == 0) {
		*name_address = value;
	}
	return error;
}

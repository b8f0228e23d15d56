/* SPDX-License-Identifier: MIT */
#include "core/sip/via.h"

#include "core/sip/scan.h"

uint16_t sip_via_port(const struct sip_via *via)
{
	if (via->has_port) {
		return via->port;
	}
	return sip_same_name(via->transport, SPAN("TLS")) ? sips_port_default : sip_port_default;
}

/* received is a bare address (R-3261-96); brackets are in the field (RFC 5118 4.5). */
static bool is_address(struct span text)
{
	UNCLEARED struct address address;
	UNCLEARED struct sip_host host;

	if (address_parse(text, &address) == 0) {
		return true;
	}
	return sip_host_parse(text, &host) == 0 && host.kind == SIP_HOST_IPV6 &&
	       host.text.length == text.length;
}

static bool note_branch(struct sip_via *via, const struct sip_parameter *parameter)
{
	via->branch = parameter->value;
	via->has_cookie = via->branch.length >= 7 &&
			  sip_same_name(span_make(via->branch.data, 7), SPAN("z9hG4bK"));
	return parameter->is_token;
}

static bool note_maddr(struct sip_via *via, const struct sip_parameter *parameter)
{
	UNCLEARED struct sip_host host;

	via->maddr = parameter->value;
	return sip_host_parse(via->maddr, &host) == 0 && host.text.length == via->maddr.length;
}

static bool note_parameter(void *typed, const struct sip_parameter *parameter)
{
	struct sip_via *via = typed;
	struct span name = parameter->name;
	uint64_t ttl;

	switch (name.length) {
	case 3:
		if (sip_same_name(name, SPAN("ttl"))) {
			via->ttl = parameter->value;
			return sip_number(via->ttl, 255, &ttl) == 0;
		}
		return true;
	case 5:
		if (sip_same_name(name, SPAN("rport"))) {
			via->rport = parameter->value;
			via->has_rport = true;
			return true;
		}
		return !sip_same_name(name, SPAN("maddr")) || note_maddr(via, parameter);
	case 6:
		return !sip_same_name(name, SPAN("branch")) || note_branch(via, parameter);
	case 8:
		if (sip_same_name(name, SPAN("received"))) {
			via->received = parameter->value;
			return is_address(via->received);
		}
		return true;
	default:
		return true;
	}
}

/* name / version /, with LWS around the slashes (R-3261-95): past it, or NULL. */
static const char *skip_protocol(const char *p, const char *end)
{
	const char *start = p;

	if (end - p >= 8 && sip_same_eight(p, "SIP/2.0/")) {
		return sip_skip_lws(p + 8, end);
	}
	for (unsigned i = 0; i < 2; i++) {
		const char *stop = sip_skip(p, end, SIP_CLASS_TOKEN);

		if (stop == p ||
		    (i == 0 && !sip_same_name(sip_between(start, stop), SPAN("SIP")))) {
			return NULL;
		}
		p = sip_skip_lws(stop, end);
		if (p == end || *p != '/') {
			return NULL;
		}
		p = sip_skip_lws(p + 1, end);
	}
	return p;
}

/* name / version / transport LWS */
static int parse_protocol(const char **cursor, const char *end, struct sip_via *via)
{
	const char *start = skip_protocol(*cursor, end);
	const char *p;

	if (!start) {
		return -EINVAL;
	}
	p = sip_skip(start, end, SIP_CLASS_TOKEN);
	if (p == start || p == end || !sip_is(*p, SIP_CLASS_LWS)) {
		return -EINVAL;
	}
	via->transport = sip_between(start, p);
	*cursor = sip_skip_lws(p, end);
	return 0;
}

/* host [ LWS : LWS port ] */
static int parse_sent_by(const char **cursor, const char *end, struct sip_via *via)
{
	const char *p = *cursor;
	const char *start;
	unsigned port = 0;

	if (sip_host_parse(sip_between(p, end), &via->host) != 0) {
		return -EINVAL;
	}
	*cursor = p + via->host.text.length;
	p = sip_skip_lws(*cursor, end);
	if (p == end || *p != ':') {
		return 0;
	}
	start = sip_skip_lws(p + 1, end);
	for (p = start; p != end && ascii_is_digit(*p) && port <= 65535; p++) {
		port = port * 10 + (unsigned)(*p - '0');
	}
	if (p == start || port > 65535) {
		return -EINVAL;
	}
	via->port = (uint16_t)port;
	via->has_port = true;
	*cursor = p;
	return 0;
}

int sip_via_parse(struct span *rest, struct sip_via *via)
{
	const char *end = sip_end(*rest);
	const char *start = sip_skip_lws(rest->data, end);
	const char *p = start;
	struct span after = *rest;

	sip_clear(via, sizeof(*via));
	via->text = sip_trim(*rest);
	if (parse_protocol(&p, end, via) != 0 || parse_sent_by(&p, end, via) != 0 ||
	    sip_parameters_scan(&p, end, sip_name_in_header, &via->parameters, note_parameter,
				via) != 0 ||
	    sip_value_end(&after, p) != 0) {
		return -EINVAL;
	}
	via->text = sip_trim(sip_between(start, p));
	*rest = after;
	return 0;
}

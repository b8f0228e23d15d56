/* SPDX-License-Identifier: MIT */
#include "core/sip/authorization.h"

#include "core/sip/scan.h"

static void note_parameter(struct sip_authorization *read, struct span name, struct span value)
{
	const struct {
		struct span name;
		struct span *value;
	} known[] = {
		{SPAN("username"), &read->username}, {SPAN("realm"), &read->realm},
		{SPAN("nonce"), &read->nonce},	     {SPAN("uri"), &read->uri},
		{SPAN("response"), &read->response}, {SPAN("algorithm"), &read->algorithm},
		{SPAN("cnonce"), &read->cnonce},     {SPAN("opaque"), &read->opaque},
		{SPAN("qop"), &read->qop},	     {SPAN("nc"), &read->nonce_count},
		{SPAN("stale"), &read->stale},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (sip_same_name(name, known[i].name)) {
			*known[i].value = value;
		}
	}
}

/* name = value, where the value is quoted or a token and its relatives; the cursor behind it. */
static int parse_parameter(const char **cursor, const char *end, struct span *name,
			   struct span *value)
{
	const char *start = sip_skip_lws(*cursor, end);
	const char *p = sip_skip(start, end, SIP_CLASS_TOKEN);

	*name = sip_between(start, p);
	p = sip_skip_lws(p, end);
	if (name->length == 0 || p == end || *p != '=') {
		return -EINVAL;
	}
	start = sip_skip_lws(p + 1, end);
	if (start != end && *start == '"') {
		p = sip_skip_quoted(start, end);
		if (!p) {
			return -EINVAL;
		}
		*value = sip_between(start + 1, p - 1);
	} else {
		p = sip_skip(start, end, SIP_CLASS_VALUE);
		*value = sip_between(start, p);
		if (p == start) {
			return -EINVAL;
		}
	}
	*cursor = sip_skip_lws(p, end);
	return 0;
}

int sip_authorization_parse(struct span text, struct sip_authorization *authorization)
{
	struct sip_authorization read = {.scheme = {NULL, 0}};
	struct span names[sip_parameters_max];
	const char *end = sip_end(text);
	const char *start = sip_skip_lws(text.data, end);
	const char *p = sip_skip(start, end, SIP_CLASS_TOKEN);
	struct span value;

	read.scheme = sip_between(start, p);
	if (read.scheme.length == 0 || p == end || !sip_is(*p, SIP_CLASS_LWS)) {
		return -EINVAL;
	}
	read.parameters = sip_trim(sip_between(p, end));
	for (unsigned count = 0; count < sip_parameters_max; count++) {
		if (parse_parameter(&p, end, &names[count], &value) != 0) {
			return -EINVAL;
		}
		for (unsigned i = 0; i < count; i++) {
			if (sip_same_name(names[i], names[count])) {
				return -EINVAL; /* R-3261-11 */
			}
		}
		note_parameter(&read, names[count], value);
		if (p == end) {
			*authorization = read;
			return 0;
		}
		if (*p++ != ',') {
			return -EINVAL;
		}
	}
	return -EINVAL;
}

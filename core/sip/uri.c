/* SPDX-License-Identifier: MIT */
#include "core/sip/uri.h"

#include "core/sip/fill.h"
#include "core/sip/scan.h"

/* 1*DIGIT up to 255, with zeros in front or without: past it, or NULL. */
static inline const char *parse_octet(const char *p, const char *end, uint8_t *octet)
{
	unsigned value;
	unsigned digit;

	if (p == end || (value = (unsigned char)*p - '0') > 9) {
		return NULL;
	}
	for (p++; p != end && (digit = (unsigned char)*p - '0') <= 9; p++) {
		value = value * 10 + digit;
		if (value > 255) {
			return NULL;
		}
	}
	*octet = (uint8_t)value;
	return p;
}

/*
 * Four numbers with dots between them: where they end, when nothing follows that would make a name
 * of them, or NULL; the address is then undefined.
 */
static inline const char *parse_ipv4(const char *p, const char *end, struct address *address)
{
	*address = (struct address){.family = ADDRESS_IPV4};
	for (unsigned i = 0; i < 4; i++) {
		p = parse_octet(p, end, &address->octets[i]);
		if (!p || (i < 3 && (p == end || *p++ != '.'))) {
			return NULL;
		}
	}
	return p != end && sip_is(*p, SIP_CLASS_HOST) ? NULL : p;
}

/* RFC 5118 4.10: an old grammar led to three colons where two are meant. */
static int parse_ipv6(struct span literal, struct address *address)
{
	char collapsed[address_text_size];
	size_t colons = span_search(literal, SPAN(":::"));

	if (address_parse(literal, address) == 0 && address->family == ADDRESS_IPV6) {
		return 0;
	}
	if (colons == literal.length || literal.length > sizeof(collapsed)) {
		return -EINVAL;
	}
	memcpy(collapsed, literal.data, colons + 2);
	memcpy(collapsed + colons + 2, literal.data + colons + 3, literal.length - colons - 3);
	if (address_parse(span_make(collapsed, literal.length - 1), address) != 0 ||
	    address->family != ADDRESS_IPV6) {
		return -EINVAL;
	}
	return 0;
}

static __attribute__((noinline)) int parse_bracketed(struct span text, struct sip_host *host)
{
	const char *stop = memchr(text.data, ']', text.length);
	struct address address;

	if (!stop || parse_ipv6(sip_between(text.data + 1, stop), &address) != 0) {
		return -EINVAL;
	}
	host->kind = SIP_HOST_IPV6;
	host->text = sip_between(text.data, stop + 1);
	host->address = address;
	return 0;
}

int sip_host_parse(struct span text, struct sip_host *host)
{
	const char *end = sip_end(text);
	const char *stop;

	if (text.length == 0) {
		return -EINVAL;
	}
	if (text.data[0] == '[') {
		return parse_bracketed(text, host);
	}
	stop = parse_ipv4(text.data, end, &host->address);
	if (stop) {
		host->kind = SIP_HOST_IPV4;
	} else {
		stop = sip_skip(text.data, end, SIP_CLASS_HOST);
		if (stop == text.data) {
			return -EINVAL;
		}
		host->kind = SIP_HOST_NAME;
		host->address = (struct address){.family = ADDRESS_NONE};
	}
	host->text = sip_between(text.data, stop);
	return 0;
}

bool sip_host_equal(const struct sip_host *a, const struct sip_host *b)
{
	if (a->kind != b->kind) {
		return false;
	}
	if (a->kind == SIP_HOST_NAME) {
		return sip_same_name(a->text, b->text);
	}
	return a->kind == SIP_HOST_NONE || address_equal(a->address, b->address);
}

uint16_t sip_uri_port(const struct sip_uri *uri)
{
	if (uri->has_port) {
		return uri->port;
	}
	return uri->scheme == SIP_SCHEME_SIPS ? sips_port_default : sip_port_default;
}

/* scheme ':' at the start: past the colon, or NULL. */
static const char *parse_scheme(struct span text, struct sip_uri *uri)
{
	const char *p = text.data;
	const char *end = sip_end(text);

	if (text.length >= 4 && sip_same_four(p, "sip:")) {
		uri->scheme_text = span_make(p, 3);
		uri->scheme = SIP_SCHEME_SIP;
		return p + 4;
	}
	if (text.length == 0 || !ascii_is_alpha(*p)) {
		return NULL;
	}
	while (p != end &&
	       (ascii_is_alpha(*p) || ascii_is_digit(*p) || *p == '+' || *p == '-' || *p == '.')) {
		p++;
	}
	if (p == end || *p != ':') {
		return NULL;
	}
	uri->scheme_text = sip_between(text.data, p);
	uri->scheme = sip_same_name(uri->scheme_text, SPAN("sip"))    ? SIP_SCHEME_SIP
		      : sip_same_name(uri->scheme_text, SPAN("sips")) ? SIP_SCHEME_SIPS
								      : SIP_SCHEME_OTHER;
	return p + 1;
}

static int parse_opaque(struct sip_uri *uri, const char *p, const char *end)
{
	uri->opaque = sip_between(p, end);
	if (p == end) {
		return -EINVAL;
	}
	for (; p != end; p++) {
		if (*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '<' || *p == '>' || *p == '"') {
			return -EINVAL;
		}
	}
	return 0;
}

/*
 * [user [:password] @], the cursor behind it. An @ that nothing of this grammar stands before is
 * refused by whoever meets it: no other part of a URI may hold one.
 */
static int parse_userinfo(struct sip_uri *uri, const char **cursor, const char *end)
{
	const char *p = *cursor;
	const char *colon = sip_skip(p, end, SIP_CLASS_USER);
	const char *at = colon;

	if (at != end && *at == ':') {
		at = sip_skip(at + 1, end, SIP_CLASS_PASSWORD);
	}
	if (at == end || *at != '@') {
		return 0;
	}
	uri->user = sip_between(p, colon);
	uri->has_user = true;
	if (colon != at) {
		uri->password = sip_between(colon + 1, at);
		uri->has_password = true;
	}
	*cursor = at + 1;
	return uri->user.length > 0 ? 0 : -EINVAL;
}

/* [:port]; the cursor behind it. */
static int parse_port(struct sip_uri *uri, const char **cursor, const char *end)
{
	const char *p = *cursor;
	unsigned port = 0;

	if (p == end || *p != ':') {
		return 0;
	}
	for (p++; p != end && ascii_is_digit(*p); p++) {
		port = port * 10 + (unsigned)(*p - '0');
		if (port > 65535) {
			return -EINVAL;
		}
	}
	if (p == *cursor + 1) {
		return -EINVAL;
	}
	uri->port = (uint16_t)port;
	uri->has_port = true;
	*cursor = p;
	return 0;
}

/* The characters of parameters and headers; the pieces are looked at by their own grammar. */
static int parse_tail(struct sip_uri *uri, const char *p, const char *end)
{
	const char *first = p;

	while (p != end && *p != '?') {
		if (*p != ';' && *p != '=' && !sip_is(*p, SIP_CLASS_URI)) {
			return -EINVAL;
		}
		p++;
	}
	if (p != first) {
		const char *cursor = first;

		if (sip_parameters_scan(&cursor, p, sip_name_in_uri, &uri->parameters,
					sip_parameter_any, NULL) != 0 ||
		    cursor != p) {
			return -EINVAL;
		}
	}
	if (p == end) {
		return 0;
	}
	uri->headers = sip_between(p + 1, end);
	for (p++; p != end; p++) {
		if (*p != '=' && !sip_is(*p, SIP_CLASS_URI)) {
			return -EINVAL;
		}
	}
	return uri->headers.length > 0 ? 0 : -EINVAL;
}

int sip_uri_fill(struct span text, struct sip_uri *uri)
{
	const char *end = sip_end(text);
	const char *p = parse_scheme(text, uri);
	bool is_hostless;

	uri->text = text;
	if (!p) {
		return -EINVAL;
	}
	if (uri->scheme == SIP_SCHEME_OTHER) {
		return parse_opaque(uri, p, end);
	}
	uri->opaque = span_make(p, 0);
	if (parse_userinfo(uri, &p, end) != 0) {
		return -EINVAL;
	}
	is_hostless = p == end || *p == ';' || *p == '?';
	if (is_hostless) {
		uri->opaque = sip_between(uri->opaque.data, end);
	} else if (sip_host_parse(sip_between(p, end), &uri->host) != 0) {
		return -EINVAL;
	} else {
		p += uri->host.text.length;
		if (parse_port(uri, &p, end) != 0) {
			return -EINVAL;
		}
	}
	if (p != end && parse_tail(uri, p, end) != 0) {
		return -EINVAL;
	}
	/* A host and a port hold no escapes. */
	if ((uri->has_user || p != end) && !sip_escapes_are_whole(text)) {
		return -EINVAL;
	}
	return is_hostless ? -ENODATA : 0;
}

int sip_uri_parse(struct span text, struct sip_uri *uri)
{
	UNCLEARED struct sip_uri read;
	int error;

	sip_clear(&read, sizeof(read));
	error = sip_uri_fill(text, &read);

	if (error == 0 || error == -ENODATA) {
		*uri = read;
	}
	return error;
}

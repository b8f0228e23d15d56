/* SPDX-License-Identifier: MIT */
/*
 * URIs as SIP headers carry them (RFC 3261 19.1, 25.1): sip: and sips: taken apart, any other
 * scheme (tel:, urn:, http:) kept as an opaque text. Everything is a view; nothing is unescaped
 * here, see sip_write_unescaped.
 */
#ifndef BELLHOP_CORE_SIP_URI_H
#define BELLHOP_CORE_SIP_URI_H

#include "core/base/address.h"
#include "core/sip/text.h"

enum sip_host_kind { SIP_HOST_NONE, SIP_HOST_NAME, SIP_HOST_IPV4, SIP_HOST_IPV6 };

struct sip_host {
	enum sip_host_kind kind;
	struct span text;	/* as written, brackets of an IPv6 literal included */
	struct address address; /* of IPV4 and IPV6 */
};

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS };

enum { sip_port_default = 5060, sips_port_default = 5061 };

struct sip_uri {
	struct span text; /* the whole URI */
	struct span scheme_text;
	enum sip_scheme scheme;
	struct span opaque;   /* SIP_SCHEME_OTHER, or no host: what follows the first colon */
	struct span user;     /* escaped as it stands */
	struct span password; /* the same */
	bool has_user;	      /* there was an @ */
	bool has_password;
	bool has_port;
	uint16_t port; /* 0 when there is none */
	struct sip_host host;
	struct sip_parameters parameters; /* checked: each name once (R-3261-11) */
	struct span headers;		  /* after the '?', without it; checked for its escapes */
};

/*
 * The whole span is one URI. 0 and `*uri`, or -EINVAL: no scheme, LWS or <> inside, a broken
 * escape, a port above 65535, an IPv6 literal without brackets, a parameter twice. A sip: URI
 * without a host (as some phones write in From) is -ENODATA and fills `*uri` with host.kind
 * SIP_HOST_NONE: it can be echoed, not spoken to (R-DRAFT-17).
 */
int sip_uri_parse(struct span text, struct sip_uri *uri);

/*
 * A host at the start of the span: a name, an IPv4 address or an IPv6 literal in brackets; the
 * three colons of RFC 5118 4.10 are read as two. 0, `*host` and its length in `host->text`, or
 * -EINVAL.
 */
int sip_host_parse(struct span text, struct sip_host *host);

/* The same host: addresses by value, names in any case. */
bool sip_host_equal(const struct sip_host *a, const struct sip_host *b);

/* The port a request to this URI goes to: what is written, else 5060, or 5061 for sips. */
uint16_t sip_uri_port(const struct sip_uri *uri);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Authorization (RFC 3261 20.7, 25.1; RFC 7616): the shape only, which that of a challenge is too
 * (core/sip/digest.h). Checking a response is not done here.
 */
#ifndef BELLHOP_CORE_SIP_AUTHORIZATION_H
#define BELLHOP_CORE_SIP_AUTHORIZATION_H

#include "core/sip/text.h"

struct sip_authorization {
	struct span scheme;   /* "Digest"; compared in any case */
	struct span username; /* these: inside the quotes, empty when absent */
	struct span realm;
	struct span nonce;
	struct span uri;
	struct span response;
	struct span algorithm;
	struct span cnonce;
	struct span opaque;
	struct span qop;
	struct span nonce_count;
	struct span stale;	/* of a challenge */
	struct span parameters; /* everything after the scheme */
};

/*
 * The whole span is one value; rows are never joined (R-3261-10). 0 and `*authorization`, or
 * -EINVAL: no scheme, an open quote, a parameter without a value or twice.
 */
int sip_authorization_parse(struct span text, struct sip_authorization *authorization);

#endif

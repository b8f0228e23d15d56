/* SPDX-License-Identifier: MIT */
/*
 * name-addr and addr-spec with their header parameters: what From, To, Contact, Route and
 * Record-Route are made of (RFC 3261 20.10, 20.20, 20.30, 20.34, 20.39). Without <> everything from
 * the first ';' on belongs to the header, and the URI may hold neither ',' nor '?' (R-3261-16).
 */
#ifndef BELLHOP_CORE_SIP_NAME_ADDRESS_H
#define BELLHOP_CORE_SIP_NAME_ADDRESS_H

#include "core/sip/uri.h"

struct sip_name_address {
	struct span text;	  /* the value, without LWS around it; ends before the comma */
	struct span display_name; /* as written, with its quotes; empty when there is none */
	bool has_brackets;
	bool has_tag;
	struct span tag; /* the tag parameter's value; never empty when has_tag */
	struct sip_uri uri;
	struct sip_parameters parameters; /* of the header, checked: each name once */
};

/*
 * Takes one value off the list `*rest`. 0 and `*name_address`, or -EINVAL (both then untouched).
 * A sip: URI without a host is taken (R-DRAFT-17): callers that speak to it look at uri.host.kind.
 */
int sip_name_address_parse(struct span *rest, struct sip_name_address *name_address);

#endif

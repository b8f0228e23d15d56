/* SPDX-License-Identifier: MIT */
/*
 * Media types: the ranges of Accept (RFC 3261 20.1) and the type of Content-Type (20.15).
 */
#ifndef BELLHOP_CORE_SIP_ACCEPT_H
#define BELLHOP_CORE_SIP_ACCEPT_H

#include "core/sip/text.h"

struct sip_media_type {
	struct span text;    /* the value, without LWS around it; ends before the comma */
	struct span type;    /* "application", or "*" */
	struct span subtype; /* "url", or "*" */
	unsigned quality;    /* q in thousandths, 1000 when not given; 0 means: do not send this */
	struct sip_parameters parameters;
};

/* Takes one value off the list `*rest`. 0 and `*media_type`, or -EINVAL (both then untouched). */
int sip_media_type_parse(struct span *rest, struct sip_media_type *media_type);

/*
 * How well the range fits type/subtype: 0 not at all, 1 for any type, 2 for this type with any
 * subtype, 3 exactly. Types are compared in any case.
 */
unsigned sip_media_type_fit(const struct sip_media_type *range, struct span type,
			    struct span subtype);

#endif

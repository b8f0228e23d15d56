/* SPDX-License-Identifier: MIT */
/*
 * Via (RFC 3261 20.42, RFC 3581): one value of the list.
 */
#ifndef BELLHOP_CORE_SIP_VIA_H
#define BELLHOP_CORE_SIP_VIA_H

#include "core/sip/uri.h"

struct sip_via {
	struct span text;      /* the value, without LWS around it; ends before the comma */
	struct span transport; /* "UDP" */
	struct sip_host host;  /* sent-by */
	uint16_t port;	       /* 0 when there is none: see sip_via_port */
	bool has_port;
	bool has_cookie;    /* the branch begins with z9hG4bK, in any case (R-3261-39, 65) */
	bool has_rport;	    /* with or without a value */
	struct span branch; /* empty when there is none (RFC 2543, old Snom) */
	struct span rport;  /* its value, empty as sent by a client */
	struct span received;
	struct span maddr;
	struct span ttl;
	struct sip_parameters parameters; /* checked: each name once */
};

/*
 * Takes one value off the list `*rest` (empty afterwards, or at the next value). 0 and `*via`, or
 * -EINVAL; then `*rest` is untouched, and `*via` is filled as far as it could be read: host.kind is
 * SIP_HOST_NONE when not even sent-by could.
 */
int sip_via_parse(struct span *rest, struct sip_via *via);

/* sent-by's port, 5060 when it has none (RFC 3261 18.2.2; 5061 for TLS). */
uint16_t sip_via_port(const struct sip_via *via);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Event (RFC 6665 8.2.1, 8.4) with the parameters of ua-profile (RFC 6080 6.2). Phones quote what
 * the grammar writes as a token and leave bare what it quotes; both are read (R-DRAFT-7).
 */
#ifndef BELLHOP_CORE_SIP_EVENT_H
#define BELLHOP_CORE_SIP_EVENT_H

#include "core/sip/text.h"

struct sip_event {
	struct span text;	  /* the whole value */
	struct span type;	  /* package and templates, "ua-profile"; compared octet by octet */
	struct span profile_type; /* these: inside the quotes; empty when absent */
	struct span vendor;	  /* vendor, or vender as Panasonic writes (R-DRAFT-8) */
	struct span model;
	struct span version;
	struct span id;
	bool has_effective_by;
	uint32_t effective_by_s;
	struct sip_parameters parameters; /* all, unknown ones too; checked: each name once */
};

/*
 * The whole span is one Event value. 0 and `*event`, or -EINVAL: empty, no token, a second event
 * type after a comma (R-6665-56), an open quote, a parameter twice.
 */
int sip_event_parse(struct span text, struct sip_event *event);

#endif

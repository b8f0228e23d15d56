/* SPDX-License-Identifier: MIT */
/*
 * Contact (RFC 3261 20.10): '*', or a list of name-addr and addr-spec with q and expires. In a
 * SUBSCRIBE expires means nothing (R-6665-5); sip_message_contact reads the one Contact of a
 * dialog.
 */
#ifndef BELLHOP_CORE_SIP_CONTACT_H
#define BELLHOP_CORE_SIP_CONTACT_H

#include "core/sip/name_address.h"

struct sip_contact {
	bool is_star; /* then nothing else is set */
	bool has_expires;
	uint32_t expires_s;
	unsigned quality; /* q in thousandths, 1000 when not given */
	struct sip_name_address address;
};

/* Takes one value off the list `*rest`. 0 and `*contact`, or -EINVAL (both then untouched). */
int sip_contact_parse(struct span *rest, struct sip_contact *contact);

#endif

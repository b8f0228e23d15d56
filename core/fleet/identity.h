/* SPDX-License-Identifier: MIT */
/*
 * Who is asking, and how sure we are. A SUBSCRIBE or a request for a file claims things (a MAC, a
 * maker, a model, a version); the network shows one (the hardware address behind the source).
 */
#ifndef BELLHOP_CORE_FLEET_IDENTITY_H
#define BELLHOP_CORE_FLEET_IDENTITY_H

#include "core/base/effects.h"
#include "core/fleet/device.h"
#include "core/fleet/vendor.h"

struct inventory;

/* What a SUBSCRIBE says of its sender. Spans point into the message. */
struct subscribe_claims {
	struct span request_user; /* user part of the Request-URI, unescaped or not */
	struct span from_user;
	struct span contact_user;
	struct span user_agent;
	struct span vendor;  /* Event parameter vendor, or vender */
	struct span model;   /* Event parameter */
	struct span version; /* Event parameter */
};

/* What the network shows: the outcome of looking behind the source address. */
struct link_evidence {
	bool is_known; /* `mac` is the hardware address of the sender */
	struct mac mac;
	enum device_identified_by by; /* IDENTIFIED_BY_NEIGHBOUR or _FRAME when is_known */
	bool is_pending;	      /* not known yet: may be asked for (effects_resolve) */
	bool is_routed; /* the sender is not on-link: its hardware address cannot be seen */
};

enum identity_verdict {
	IDENTITY_KNOWN,	   /* `mac` is proven, by `by` */
	IDENTITY_PENDING,  /* resolve the source's hardware address and ask again */
	IDENTITY_CONFLICT, /* it names a MAC that is not its own: gets nothing */
	IDENTITY_UNPROVEN, /* it names a MAC (`has_claim`), and nothing shows that it is its own */
	IDENTITY_UNKNOWN,  /* neither named nor seen */
};

struct identity {
	enum identity_verdict verdict;
	struct mac mac; /* proven or claimed */
	bool has_claim; /* the message names a MAC: `claimed` */
	struct mac claimed;
	enum device_identified_by by;
	const struct device *bound; /* whom an operator bound the source address to, or NULL */
	const struct vendor_pack *vendor; /* recognised maker, or NULL */
	struct span vendor_name;	  /* the pack's name, or empty */
	struct span model;		  /* as the pack reads it out of the claims, or empty */
	struct span version;
	bool is_routed;	    /* link_evidence.is_routed */
	const char *reason; /* one constant word for the log, e.g. "mac_is_not_its_own" */
};

/*
 * A word of twelve decimal digits without the prefix MAC, in From, Contact or User-Agent, may as
 * well be a telephone number or a date. It counts as a claim when it is the sender's own hardware
 * address or names a device that we know; else it is passed over, so that a phone whose account
 * happens to have twelve digits is not left dark.
 */

/*
 * The first MAC named in request-URI user, From, Contact or User-Agent, in any of the spellings of
 * dialects.md E.1 (MAC%3a…, MAC%3A…, MAC:…, MAC=…, MAC…, bare, with separators). 0, or -ENOENT;
 * -EEXIST when two places name different ones. Zeros, broadcast and multicast are no claim.
 */
int identity_claimed_mac(const struct subscribe_claims *claims, struct mac *mac);

/*
 * Decides who sent a SUBSCRIBE: an operator's binding of the source address wins, then the hardware
 * address against the claimed MAC. Never fails; `*identity` holds the verdict.
 */
void identity_from_subscribe(const struct inventory *inventory,
			     const struct subscribe_claims *claims, struct address source,
			     struct span interface, const struct link_evidence *link,
			     struct identity *identity);

#endif

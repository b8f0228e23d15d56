/* SPDX-License-Identifier: MIT */
/*
 * Who is asking, and how sure we are. A SUBSCRIBE or a request for a file claims things (a MAC, a
 * maker, a model, a version); the network shows one (the hardware address behind the source).
 *
 * There is no vote. The rules are tried in this order; the first that can decide does, it is
 * `identity.by`, and how sure it leaves us is `identity.certainty`:
 *
 *	1. an operator bound the source address to a device			proven
 *	2. the hardware address of the sender (neighbour, frame), and it names
 *	   the same MAC								confirmed
 *	   the hardware address, and it names none				seen
 *	3. the hardware address cannot be seen, and it names a MAC; the place
 *	   that counts is the first of Request-URI, +sip.instance, From, To,
 *	   Contact, User-Agent, Event (of a fetch: User-Agent, name of the file)	claimed
 *	4. neither								unidentified
 *
 * Against 1 and 2 stands a MAC named that is not the one bound or seen, and against all of them two
 * different MACs named in places of equal trust: `spoofed?`, IDENTITY_CONFLICT.
 *
 * All places of a SUBSCRIBE are of equal trust, because its sender wrote them all, but what stands
 * there may be no MAC at all. Such a claim is *vague*: it counts when it is the sender's own
 * hardware address or names a device that we know, and else is passed over; a certain one beside it
 * goes before it, and is not contradicted by it. Vague are
 *   - twelve decimal digits without the prefix MAC, but for the Request-URI's user: a telephone
 *     number, or a date, so that a phone whose account happens to have twelve digits is not left
 *     dark;
 *   - a UUID of another version than 1 (RFC 6080 5.1.4.2 puts the MAC into version 1): it may be
 *     random, and its last part anything.
 * Of a fetch the User-Agent names the phone, and a file's name counts only where that names none: a
 * phone asks for files of others, too (the second line of an adapter has a shifted MAC, a base
 * fetches for its handsets).
 */
#ifndef BELLHOP_CORE_FLEET_IDENTITY_H
#define BELLHOP_CORE_FLEET_IDENTITY_H

#include "core/base/effects.h"
#include "core/fleet/device.h"
#include "core/fleet/vendor.h"

struct inventory;

enum { claims_event_values_max = 4 };

/*
 * What a SUBSCRIBE says of its sender. Spans point into the message; users are escaped as they
 * stand there, and are the host where a URI has no user.
 */
struct subscribe_claims {
	struct span request_user; /* user part of the Request-URI */
	struct span instance;	  /* +sip.instance of the Contact, without its quotes */
	struct span from_user;
	struct span to_user;
	struct span contact_user;
	struct span user_agent;
	struct span vendor;  /* Event parameter vendor, or vender */
	struct span model;   /* Event parameter */
	struct span version; /* Event parameter */
	/* Values of Event parameters that have no meaning of their own: one may be a MAC. */
	struct span event_values[claims_event_values_max];
	size_t event_value_count;
};

/* What a request for a file says of its sender. */
struct fetch_claims {
	struct span name; /* the last part of the path, decoded */
	struct span user_agent;
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
	bool has_claim; /* the message names a MAC: `claimed`, in `claimed_in` */
	struct mac claimed;
	enum device_identified_by claimed_in;
	enum device_identified_by by; /* the rule that decided; _NOTHING: none could */
	enum device_certainty certainty;
	const struct device *bound; /* whom an operator bound the source address to, or NULL */
	const struct vendor_pack *vendor; /* recognised maker, or NULL */
	struct span vendor_name;	  /* the pack's name, or empty */
	struct span model;		  /* as the pack reads it out of the claims, or empty */
	struct span version;
	bool is_routed;	    /* link_evidence.is_routed */
	const char *reason; /* one constant word for the log, e.g. "mac_is_not_its_own" */
};

/*
 * The MAC named in a SUBSCRIBE, in any of the spellings of dialects.md E.1 and any mixture of them
 * (MAC%3a…, MAC%3A…, MAC:…, MAC=…, MAC…, bare, with separators, as a UUID). 0, or -ENOENT; -EEXIST
 * when two places name different ones. Zeros, broadcast and multicast are no claim.
 */
int identity_claimed_mac(const struct subscribe_claims *claims, struct mac *mac);

/* Decides who sent a SUBSCRIBE. Never fails; `*identity` holds the verdict. */
void identity_from_subscribe(const struct inventory *inventory,
			     const struct subscribe_claims *claims, struct address source,
			     struct span interface, const struct link_evidence *link,
			     struct identity *identity);

/*
 * Decides the same of a request for a file. Where the hardware address cannot be seen, a MAC counts
 * only when its maker's pattern found it in the User-Agent, or when a pack knows its OUI; and
 * `vendor` is NULL for what no pack recognises, which may be a browser.
 */
void identity_from_fetch(const struct inventory *inventory, const struct fetch_claims *claims,
			 struct address source, struct span interface,
			 const struct link_evidence *link, struct identity *identity);

/*
 * The phone as it is served while nobody has claimed it (unknown = bootstrap): `known` is its
 * record or NULL. The key of its URL is the word bootstrap_key, and there are no settings.
 */
#define bootstrap_key "bootstrap"
void identity_guest(const struct inventory *inventory, const struct identity *identity,
		    const struct device *known, struct device *guest);

#endif

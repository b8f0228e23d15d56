/* SPDX-License-Identifier: MIT */
/*
 * The MAC that a text names, in every spelling of dialects.md A.15 and E.1. Only
 * core/fleet/identity*.c use this; the words for it are explained in identity.h.
 */
#ifndef BELLHOP_CORE_FLEET_IDENTITY_CLAIM_H
#define BELLHOP_CORE_FLEET_IDENTITY_CLAIM_H

#include "core/fleet/device.h"

struct claim {
	bool is_there;
	bool is_vague;	/* may as well be something else: see identity.h */
	bool is_digits; /* vague because it is nothing but twelve decimal digits */
	struct mac mac;
	enum device_identified_by by; /* where it stands */
};

/* The user part of a URI, or a host where phones leave the user out: escaped, with parameters. */
struct claim claim_of_user(struct span user, enum device_identified_by by);

/* A UUID with or without urn:uuid: and angle brackets, whose last part is the MAC (RFC 6080). */
struct claim claim_of_uuid(struct span text, enum device_identified_by by);

/* One word that is a MAC, with or without the prefix MAC. */
struct claim claim_of_word(struct span word, enum device_identified_by by);

/* The first word of a text that is a MAC; one that is certain goes before a vague one. */
struct claim claim_of_text(struct span text, enum device_identified_by by);

/* The first run of twelve digits, or of six pairs with one separator, in the name of a file. */
struct claim claim_of_file_name(struct span name);

/*
 * What is certain goes before what is vague, the first place before the second; two that are
 * certain must agree. 0, or -EEXIST.
 */
int claim_combine(struct claim *sum, struct claim next);

#endif

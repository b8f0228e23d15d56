/* SPDX-License-Identifier: MIT */
/*
 * The parsers of uri.h and name_address.h without their promise to leave the result untouched on
 * failure: they fill it in place, which saves the message reader a copy of each. For core/sip
 * alone.
 */
#ifndef BELLHOP_CORE_SIP_FILL_H
#define BELLHOP_CORE_SIP_FILL_H

#include "core/sip/name_address.h"

/* As sip_uri_parse, into a struct of zeros. */
int sip_uri_fill(struct span text, struct sip_uri *uri);

/* As sip_name_address_parse; clears the struct first. `*rest` is untouched on failure. */
int sip_name_address_fill(struct span *rest, struct sip_name_address *name_address);

#endif

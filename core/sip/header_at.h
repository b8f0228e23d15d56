/* SPDX-License-Identifier: MIT */
/*
 * The names of header fields as the message reader meets them and the writers begin with them. For
 * core/sip alone.
 */
#ifndef BELLHOP_CORE_SIP_HEADER_AT_H
#define BELLHOP_CORE_SIP_HEADER_AT_H

#include "core/sip/message.h"

/*
 * The quick way for what nearly every line begins with: a name that is indexed, shorter than 16
 * octets, with its colon right behind it. The length of both and `*kind`; or 0, when the line
 * begins with something else or less than 16 octets are left, or on a machine without the
 * instructions.
 */
size_t sip_header_at(const char *p, const char *end, enum sip_header *kind);

/* "Call-ID: ", as we write it; not for SIP_HEADER_OTHER. */
struct span sip_header_start(enum sip_header kind);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * netascii (RFC 1350 1, after RFC 764): LF goes out as CR LF, CR as CR NUL (R-TFTP-3). The text is
 * converted piece by piece; a pair may fall on both sides of a block's edge.
 */
#ifndef BELLHOP_CORE_TFTP_NETASCII_H
#define BELLHOP_CORE_TFTP_NETASCII_H

#include "core/base/writer.h"

struct netascii {
	bool has_second; /* the second octet of a pair is still to be written */
	char second;
};

/*
 * Converts from the front of `*source`, which is shortened by what was taken, until `w` holds
 * w->size octets or the source is used up.
 */
void netascii_write(struct netascii *state, struct span *source, struct writer *w);

#endif

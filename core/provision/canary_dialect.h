/* SPDX-License-Identifier: MIT */
/*
 * How real phones ask for their configuration, as far as the canary imitates them (dialects.md A.1,
 * A.2, A.5, A.6): order of headers, where the MAC stands, which parameters. Responders of the field
 * read one maker's request by fixed positions and are deaf to every other.
 */
#ifndef BELLHOP_CORE_PROVISION_CANARY_DIALECT_H
#define BELLHOP_CORE_PROVISION_CANARY_DIALECT_H

#include "core/base/address.h"
#include "core/base/mac.h"
#include "core/base/writer.h"

struct canary_dialect {
	const char *vendor; /* name of its pack */
	/*
	 * Lines that end in '\n' (written as CRLF), with %M for the MAC in capitals, %m in small
	 * letters, %e our address and port, %t the From tag, %c the Call-ID, %n the number.
	 */
	const char *text;
};

/* Whom the canary says it is. */
struct canary_phone {
	struct mac mac;
	struct endpoint local;
	uint64_t number;
	struct span call_id;
	struct span tag;
};

/* NULL past the last. */
const struct canary_dialect *canary_dialect_at(size_t i);

/* The whole SUBSCRIBE. */
void canary_dialect_write(struct writer *w, const struct canary_dialect *dialect,
			  const struct canary_phone *phone);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The octets of a NOTIFY outside any dialog (dialects.md C): an order to fetch again or to restart,
 * or, to a phone that was claimed while it waits, its URL. RFC 6665 knows no such NOTIFY; phones
 * do.
 */
#ifndef BELLHOP_CORE_PROVISION_RESYNC_MESSAGE_H
#define BELLHOP_CORE_PROVISION_RESYNC_MESSAGE_H

#include "core/fleet/resync_plan.h"
#include "core/sip/digest.h"

struct resync_message {
	const struct resync_plan *plan;
	struct endpoint local; /* ours */
	struct span call_id;   /* its own, and the same when it is sent with credentials */
	struct span from_tag;
	struct span branch; /* with its cookie */
	uint32_t cseq;
	struct span url;		 /* with plan->tells_url */
	const struct sip_digest *digest; /* NULL: no credentials; its uri and method are ignored */
};

/* sip:USER@ADDRESS:PORT, or sip:ADDRESS:PORT where there is no user. */
void resync_uri_write(struct writer *w, const struct resync_plan *plan);

/* Fails the writer where it does not fit, or where a value holds what would end its line. */
void resync_message_write(struct writer *w, const struct resync_message *message);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The decision table of doc/standards.md for one request that is not a copy of another: steps 10 to
 * 20 in their order (RFC 3261 8.2, RFC 6665 4.2.1, RFC 6080 6), and the octets of a refusal. The
 * first step that does not hold decides. Whether a refusal leaves at all (never by multicast) is
 * the caller's business.
 */
#ifndef BELLHOP_CORE_PROVISION_REQUEST_CHECK_H
#define BELLHOP_CORE_PROVISION_REQUEST_CHECK_H

#include "core/sip/message.h"

struct refusal {
	unsigned status;     /* 0: there is nothing to refuse */
	const char *counter; /* constant word: counted by it */
	const char *phrase;  /* reason phrase; NULL: the usual one of the status */
};

/* Whom a request may name in its Request-URI. */
struct request_hosts {
	struct address local;  /* ours, that the datagram came to */
	struct address target; /* that it was sent to: ours or the group */
	struct address group;
};

/* What a SUBSCRIBE that passed says. */
struct subscribe {
	struct sip_event event;
	struct sip_name_address contact;
};

/*
 * Steps 10 to 15, which hold for every method but ACK and CANCEL: credentials (passed over as long
 * as nothing asks for any), the method, scheme and host of the Request-URI, a To tag (no dialog
 * outlives its one NOTIFY: 481), a merged request (`is_merged`: 482), Require, Content-Encoding.
 *
 * A host that is a name is taken for ours: phones write there whatever domain DHCP gave them
 * (dialects.md A.2, A.4). A numeric one has to be one of `hosts`.
 */
struct refusal request_check(const struct sip_message *request, const struct request_hosts *hosts,
			     bool is_merged);

/*
 * Steps 16 to 20, for a SUBSCRIBE that passed the others: Event, profile-type, Accept, Expires, and
 * a Contact whose address is the source (R-MCAST-10). Fills `*subscribe` when nothing is refused.
 */
struct refusal subscribe_check(const struct sip_message *request, struct address source,
			       struct subscribe *subscribe);

/*
 * A whole response that refuses, with what its status asks for: Allow, Allow-Events, Unsupported,
 * Accept, Accept-Encoding.
 */
void refusal_write(struct writer *w, const struct sip_message *request,
		   const struct refusal *refusal, struct span to_tag, struct endpoint source,
		   struct span server_header);

/* A whole 200 to OPTIONS (R-3261-82, R-6665-49). */
void options_answer_write(struct writer *w, const struct sip_message *request, struct span to_tag,
			  struct endpoint source, struct span server_header);

/* A whole 200 without anything more: to a CANCEL that found its request (R-3261-80). */
void plain_answer_write(struct writer *w, const struct sip_message *request, struct span to_tag,
			struct endpoint source, struct span server_header);

#endif

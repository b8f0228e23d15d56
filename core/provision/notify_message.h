/* SPDX-License-Identifier: MIT */
/*
 * The octets of the 200 to a SUBSCRIBE for ua-profile and of the NOTIFY that follows it, in two
 * forms. FORM_RFC is what the standards ask for (doc/standards.md, golden exchange). FORM_PRINT is
 * what the manual of the AudioCodes phones prints (dialects.md A.1), headers in its order: From and
 * To as in the SUBSCRIBE, no To tag, the phone's own Via and Contact, its Event repeated. What a
 * maker wants besides is in its pack: the end of the body, the type of the URL, the parameters of
 * Event (R-SEED-8), headers of its own. The 200 depends on none of that.
 */
#ifndef BELLHOP_CORE_PROVISION_NOTIFY_MESSAGE_H
#define BELLHOP_CORE_PROVISION_NOTIFY_MESSAGE_H

#include "core/fleet/vendor.h"
#include "core/provision/request_check.h"

struct notify_message {
	enum notify_form form; /* FORM_RFC or FORM_PRINT */
	const struct sip_message *request;
	const struct subscribe *subscribe;
	struct endpoint source; /* where the SUBSCRIBE came from */
	struct endpoint local;	/* our unicast endpoint */
	struct span to_tag;	/* ours; FORM_RFC */
	struct span branch;	/* of the NOTIFY, with its cookie; FORM_RFC */
	struct span url;
	const struct vendor_pack *pack; /* the maker's; NULL: as the standards have it */
	struct span server_header;	/* Server in the 200; FORM_RFC; empty: none */
	/*
	 * A comment in Server makes the 200 at least as long as this, as long as it does not take
	 * more than answer_padding_max; 0: no comment.
	 */
	size_t answer_length_min;
};

enum { notify_cseq_number = 1, answer_padding_max = 192 };

/* The 200: grants 0 seconds (RFC 6665 4.2.1.1: never longer than asked, may be shorter). */
void notify_message_write_answer(struct writer *w, const struct notify_message *m);

/*
 * The NOTIFY: terminated;reason=timeout, the URL as application/url without a line end, unless the
 * pack says otherwise.
 */
void notify_message_write_notify(struct writer *w, const struct notify_message *m);

#endif

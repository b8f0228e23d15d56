/* SPDX-License-Identifier: MIT */
/*
 * Subscription-State (RFC 6665 8.2.3, 8.4).
 */
#ifndef BELLHOP_CORE_SIP_SUBSCRIPTION_STATE_H
#define BELLHOP_CORE_SIP_SUBSCRIPTION_STATE_H

#include "core/sip/text.h"

enum sip_substate {
	SIP_SUBSTATE_EXTENSION, /* a token that RFC 6665 does not name */
	SIP_SUBSTATE_ACTIVE,
	SIP_SUBSTATE_PENDING,
	SIP_SUBSTATE_TERMINATED,
};

struct sip_subscription_state {
	enum sip_substate state;
	struct span state_text;
	struct span reason; /* empty when there is none */
	bool has_expires;
	uint32_t expires_s;
	bool has_retry_after;
	uint32_t retry_after_s;
	struct sip_parameters parameters; /* checked: each name once */
};

/* The whole span is one value. 0 and `*state`, or -EINVAL (also for an expires out of range). */
int sip_subscription_state_parse(struct span text, struct sip_subscription_state *state);

#endif

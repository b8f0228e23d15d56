/* SPDX-License-Identifier: MIT */
#include "core/sip/subscription_state.h"

#include "core/sip/scan.h"

static bool note_parameter(void *typed, const struct sip_parameter *parameter)
{
	struct sip_subscription_state *state = typed;
	uint64_t seconds;

	if (sip_same_name(parameter->name, SPAN("reason"))) {
		state->reason = parameter->value;
		return sip_is_token(state->reason);
	}
	if (sip_same_name(parameter->name, SPAN("expires"))) {
		if (sip_number(parameter->value, UINT32_MAX, &seconds) != 0) {
			return false;
		}
		state->expires_s = (uint32_t)seconds;
		state->has_expires = true;
	} else if (sip_same_name(parameter->name, SPAN("retry-after"))) {
		if (sip_number(parameter->value, UINT32_MAX, &seconds) != 0) {
			return false;
		}
		state->retry_after_s = (uint32_t)seconds;
		state->has_retry_after = true;
	}
	return true;
}

static enum sip_substate substate_of(struct span text)
{
	if (sip_same_name(text, SPAN("active"))) {
		return SIP_SUBSTATE_ACTIVE;
	}
	if (sip_same_name(text, SPAN("pending"))) {
		return SIP_SUBSTATE_PENDING;
	}
	return sip_same_name(text, SPAN("terminated")) ? SIP_SUBSTATE_TERMINATED
						       : SIP_SUBSTATE_EXTENSION;
}

int sip_subscription_state_parse(struct span text, struct sip_subscription_state *state)
{
	struct sip_subscription_state read = {.state = SIP_SUBSTATE_EXTENSION};
	const char *end = sip_end(text);
	const char *start = sip_skip_lws(text.data, end);
	const char *p = sip_skip(start, end, SIP_CLASS_TOKEN);

	read.state_text = sip_between(start, p);
	if (p == start || sip_parameters_scan(&p, end, sip_name_in_header, &read.parameters,
					      note_parameter, &read) != 0) {
		return -EINVAL;
	}
	if (p != end) {
		return -EINVAL;
	}
	read.state = substate_of(read.state_text);
	*state = read;
	return 0;
}

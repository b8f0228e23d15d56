/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests (RFC 9110 13), evaluated in the order of 13.2.2.
 */
#ifndef BELLHOP_CORE_HTTP_CONDITIONAL_H
#define BELLHOP_CORE_HTTP_CONDITIONAL_H

#include "core/http/request.h"

/* What the conditions are held against. */
struct http_validators {
	struct span etag;	  /* strong, with its quotes; empty: none */
	uint64_t modified_utc_ms; /* 0: unknown */
};

/*
 * 200 go on, 304 for GET and HEAD that already have it, 412 when a precondition fails (R-HTTP-7 to
 * -12). Dates that cannot be read are ignored.
 */
unsigned http_conditional(const struct http_request *request,
			  const struct http_validators *validators, uint64_t now_utc_ms);

/* `tag` is in the list of `value` ("*" matches every tag); weakly or strongly (RFC 9110 8.8.3.2).
 */
bool http_etag_listed(struct span value, struct span tag, bool is_weak_comparison);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests (RFC 9110 13) and Range (RFC 9110 14.2), evaluated in the order of 13.2.2.
 */
#ifndef BELLHOP_CORE_HTTP_CONDITIONAL_H
#define BELLHOP_CORE_HTTP_CONDITIONAL_H

#include "core/http/range.h"
#include "core/http/request.h"

/* What the conditions are held against. */
struct http_validators {
	struct span etag;	  /* strong, with its quotes; empty: none */
	uint64_t modified_utc_ms; /* 0: unknown */
	uint64_t size;		  /* octets of the representation */
};

/*
 * 200 go on with all of it; 206 for a GET of the parts in `ranges` (written for 206 only); 304 for
 * GET and HEAD that already have it; 412 when a precondition fails (R-HTTP-7 to -12); 416 when
 * nothing of the ranges is there (R-HTTP-14 to -20). Dates that cannot be read are ignored, but in
 * If-Range, where they are no match. A Last-Modified of this very second is no strong validator:
 * it may change once more within it (RFC 9110 8.8.2.2), so If-Range does not go by it.
 */
unsigned http_conditional(const struct http_request *request,
			  const struct http_validators *validators, uint64_t now_utc_ms,
			  struct http_ranges *ranges);

/* `tag` is in the list of `value` ("*" matches every tag); weakly or strongly (RFC 9110 8.8.3.2).
 */
bool http_etag_listed(struct span value, struct span tag, bool is_weak_comparison);

#endif

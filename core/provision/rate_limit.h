/* SPDX-License-Identifier: MIT */
/*
 * How many new requests one source may make: a fixed number of token buckets, and a keyed hash that
 * says which of them is whose. Nothing is allocated for a sender, so forged sources cost nothing
 * and push nobody out; two senders that share a bucket by chance share its tokens. An IPv6 sender
 * is its /64 (RFC 6665 6.3, security.md B16 and B23).
 */
#ifndef BELLHOP_CORE_PROVISION_RATE_LIMIT_H
#define BELLHOP_CORE_PROVISION_RATE_LIMIT_H

#include "core/base/address.h"
#include "core/base/random.h"

enum { rate_limit_buckets = 4096, rate_limit_parts = 60000 };

struct rate_bucket {
	uint64_t updated_ms;
	uint64_t parts; /* rate_limit_parts are a token */
};

struct rate_limit {
	uint64_t seed[2];
	uint32_t per_minute; /* tokens a minute; 0: no limit */
	uint32_t burst;	     /* tokens that a bucket holds */
	struct rate_bucket buckets[rate_limit_buckets];
};

/* All buckets full. `burst` of 0 is taken as 1; both are cut at one million. */
void rate_limit_init(struct rate_limit *limit, uint32_t per_second, uint32_t burst,
		     struct random *random);

/* The same for what comes more rarely. */
void rate_limit_init_per_minute(struct rate_limit *limit, uint32_t per_minute, uint32_t burst,
				struct random *random);

/* Takes one token of the source: false when there is none. */
bool rate_limit_take(struct rate_limit *limit, struct address source, uint64_t now_ms);

#endif

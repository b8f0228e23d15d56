/* SPDX-License-Identifier: MIT */
#include "core/provision/rate_limit.h"

#include "core/base/table.h"

enum { rate_max = 1000000, millitokens_per_token = 1000 };

void rate_limit_init(struct rate_limit *limit, uint32_t per_second, uint32_t burst,
		     struct random *random)
{
	if (burst == 0) {
		burst = 1;
	}
	limit->per_second = per_second > rate_max ? rate_max : per_second;
	limit->burst = burst > rate_max ? rate_max : burst;
	random_bytes(random, limit->seed, sizeof(limit->seed));
	for (size_t i = 0; i < rate_limit_buckets; i++) {
		limit->buckets[i] = (struct rate_bucket){
			.millitokens = limit->burst * millitokens_per_token,
		};
	}
}

bool rate_limit_take(struct rate_limit *limit, struct address source, uint64_t now_ms)
{
	uint32_t full = limit->burst * millitokens_per_token;
	size_t octets = source.family == ADDRESS_IPV6 ? 8 : 4;
	struct span key = span_make((const char *)source.octets, octets);
	uint64_t hash = table_hash(limit->seed, key);
	struct rate_bucket *bucket = &limit->buckets[hash % rate_limit_buckets];
	uint64_t passed_ms = now_ms > bucket->updated_ms ? now_ms - bucket->updated_ms : 0;

	if (limit->per_second == 0) {
		return true;
	}
	/* A token a second is a millitoken a millisecond. */
	if (passed_ms >= full || bucket->millitokens + passed_ms * limit->per_second >= full) {
		bucket->millitokens = full;
	} else {
		bucket->millitokens += (uint32_t)(passed_ms * limit->per_second);
	}
	bucket->updated_ms = now_ms;
	if (bucket->millitokens < millitokens_per_token) {
		return false;
	}
	bucket->millitokens -= millitokens_per_token;
	return true;
}

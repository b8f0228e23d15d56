/* SPDX-License-Identifier: MIT */
#include "core/provision/rate_limit.h"

#include "core/base/table.h"

enum { rate_max = 1000000 };

void rate_limit_init_per_minute(struct rate_limit *limit, uint32_t per_minute, uint32_t burst,
				struct random *random)
{
	if (burst == 0) {
		burst = 1;
	}
	limit->per_minute = per_minute;
	limit->burst = burst > rate_max ? rate_max : burst;
	random_bytes(random, limit->seed, sizeof(limit->seed));
	for (size_t i = 0; i < rate_limit_buckets; i++) {
		limit->buckets[i] = (struct rate_bucket){
			.parts = (uint64_t)limit->burst * rate_limit_parts,
		};
	}
}

void rate_limit_init(struct rate_limit *limit, uint32_t per_second, uint32_t burst,
		     struct random *random)
{
	per_second = per_second > rate_max ? rate_max : per_second;
	rate_limit_init_per_minute(limit, per_second * 60, burst, random);
}

bool rate_limit_take(struct rate_limit *limit, struct address source, uint64_t now_ms)
{
	uint64_t full = (uint64_t)limit->burst * rate_limit_parts;
	size_t octets = source.family == ADDRESS_IPV6 ? 8 : 4;
	struct span key = span_make((const char *)source.octets, octets);
	uint64_t hash = table_hash(limit->seed, key);
	struct rate_bucket *bucket = &limit->buckets[hash % rate_limit_buckets];
	uint64_t passed_ms = now_ms > bucket->updated_ms ? now_ms - bucket->updated_ms : 0;

	if (limit->per_minute == 0) {
		return true;
	}
	/* A token a minute is a part a millisecond. */
	if (passed_ms >= full || bucket->parts + passed_ms * limit->per_minute >= full) {
		bucket->parts = full;
	} else {
		bucket->parts += passed_ms * limit->per_minute;
	}
	bucket->updated_ms = now_ms;
	if (bucket->parts < rate_limit_parts) {
		return false;
	}
	bucket->parts -= rate_limit_parts;
	return true;
}

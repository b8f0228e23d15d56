/* SPDX-License-Identifier: MIT */
/*
 * Random numbers for tags, branches, keys and jitter. The shell seeds the generator once, from
 * getrandom(2) in a program and from a number in a test or simulation; from then on it is a
 * function of the seed (ChaCha20 as in RFC 8439 2.3, with fast key erasure: what was given out
 * cannot be computed back from a later state). RFC 3261 19.3 wants at least 32 cryptographically
 * random bits in a tag.
 */
#ifndef BELLHOP_CORE_BASE_RANDOM_H
#define BELLHOP_CORE_BASE_RANDOM_H

#include "core/base/writer.h"

enum { random_seed_size = 32 };

struct random {
	uint32_t key[8];
	uint8_t buffer[256]; /* given out from the end */
	size_t available;
};

void random_init(struct random *r, const uint8_t seed[static random_seed_size]);

/* For tests and the simulator: a seed out of one number. */
void random_init_number(struct random *r, uint64_t number);

void random_bytes(struct random *r, void *octets, size_t count);
uint64_t random_u64(struct random *r);

/* Uniform in 0 .. bound-1; bound must not be 0. */
uint64_t random_below(struct random *r, uint64_t bound);

/* `octet_count` (at most 64) random octets as lower-case hexadecimal. */
void random_write_hex(struct random *r, struct writer *w, size_t octet_count);

#endif

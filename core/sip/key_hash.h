/* SPDX-License-Identifier: MIT */
/*
 * A keyed hash of 128 bits over a row of fields (SipHash-1-3 with its 128-bit end): what
 * transactions are found by. Each field goes in with its length, so that two rows are alike only
 * when their fields are; whoever does not know the seed cannot make two rows collide. Nothing is
 * copied, so a field of 60 KB costs time once and no memory (security.md B1).
 */
#ifndef BELLHOP_CORE_SIP_KEY_HASH_H
#define BELLHOP_CORE_SIP_KEY_HASH_H

#include "core/base/address.h"

struct key_hash {
	uint64_t v[4];
};

struct key_hash key_hash_begin(const uint64_t seed[static 2]);

void key_hash_bytes(struct key_hash *hash, struct span field);

/* The same for a field that is alike in either case. */
void key_hash_nocase(struct key_hash *hash, struct span field);
void key_hash_number(struct key_hash *hash, uint64_t number);
void key_hash_address(struct key_hash *hash, struct address address);

/* The result of the fields so far. */
void key_hash_end(const struct key_hash *hash, uint64_t result[static 2]);

#endif

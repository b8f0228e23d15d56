/* SPDX-License-Identifier: MIT */
/*
 * A keyed hash over a row of fields: what transactions are found by. Each step mixes one field,
 * with its length, into the value so far; whoever does not know the seed cannot make two rows
 * collide. Nothing is copied, so a field of 60 KB costs time once and no memory (security.md B1).
 */
#ifndef BELLHOP_CORE_SIP_KEY_HASH_H
#define BELLHOP_CORE_SIP_KEY_HASH_H

#include "core/base/table.h"

uint64_t key_hash_bytes(const uint64_t seed[static 2], uint64_t value, struct span field);

/* The same for fields that are alike in either case. */
uint64_t key_hash_nocase(const uint64_t seed[static 2], uint64_t value, struct span field);
uint64_t key_hash_number(const uint64_t seed[static 2], uint64_t value, uint64_t number);
uint64_t key_hash_octet(const uint64_t seed[static 2], uint64_t value, uint8_t octet);

#endif

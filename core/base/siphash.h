/* SPDX-License-Identifier: MIT */
/*
 * The step of SipHash-1-3, for those that hash with it: table.c and core/sip/key_hash.c. Inline, so
 * that a loop keeps the four words of its state in registers.
 */
#ifndef BELLHOP_CORE_BASE_SIPHASH_H
#define BELLHOP_CORE_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t siphash_rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline __attribute__((always_inline)) void siphash_mix(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = siphash_rotate(v[1], 13) ^ v[0];
	v[0] = siphash_rotate(v[0], 32);
	v[2] += v[3];
	v[3] = siphash_rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = siphash_rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = siphash_rotate(v[1], 17) ^ v[2];
	v[2] = siphash_rotate(v[2], 32);
}

static inline __attribute__((always_inline)) void siphash_take(uint64_t v[static 4], uint64_t word)
{
	v[3] ^= word;
	siphash_mix(v);
	v[0] ^= word;
}

/* Eight octets. */
static inline uint64_t siphash_word(const char *octets)
{
	uint64_t word;

	memcpy(&word, octets, sizeof(word));
	return word;
}

/* Less than eight octets; those that are missing are zero. */
static inline uint64_t siphash_rest(const char *octets, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++) {
		word |= (uint64_t)(uint8_t)octets[i] << 8 * i;
	}
	return word;
}

#endif

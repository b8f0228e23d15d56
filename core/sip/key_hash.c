/* SPDX-License-Identifier: MIT */
#include "core/sip/key_hash.h"

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void mix(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static inline void take_in(struct key_hash *hash, uint64_t word)
{
	hash->v[3] ^= word;
	mix(hash->v);
	hash->v[0] ^= word;
}

/* Up to eight octets; those that are missing are zero. */
static inline uint64_t load(const char *octets, size_t count)
{
	uint64_t word = 0;

	if (count == 8) {
		memcpy(&word, octets, 8);
		return word;
	}
	for (size_t i = 0; i < count; i++) {
		word |= (uint64_t)(unsigned char)octets[i] << 8 * i;
	}
	return word;
}

/* Eight octets at once: bit 7 of `above` and `past` says >= 'A' and > 'Z' of what is below 128. */
static inline uint64_t lower(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = word & ones * 0x7f;
	uint64_t above = low + ones * (0x80 - 'A');
	uint64_t past = low + ones * (0x80 - 'Z' - 1);

	return word | (above & ~past & ~word & ones * 0x80) >> 2;
}

struct key_hash key_hash_begin(const uint64_t seed[static 2])
{
	return (struct key_hash){{0x736f6d6570736575 ^ seed[0], 0x646f72616e646f6d ^ seed[1] ^ 0xee,
				  0x6c7967656e657261 ^ seed[0], 0x7465646279746573 ^ seed[1]}};
}

void key_hash_number(struct key_hash *hash, uint64_t number)
{
	take_in(hash, number);
}

void key_hash_bytes(struct key_hash *hash, struct span field)
{
	size_t i = 0;

	take_in(hash, field.length);
	for (; i + 8 <= field.length; i += 8) {
		take_in(hash, load(field.data + i, 8));
	}
	if (i < field.length) {
		take_in(hash, load(field.data + i, field.length - i));
	}
}

void key_hash_nocase(struct key_hash *hash, struct span field)
{
	size_t i = 0;

	take_in(hash, field.length);
	for (; i + 8 <= field.length; i += 8) {
		take_in(hash, lower(load(field.data + i, 8)));
	}
	if (i < field.length) {
		take_in(hash, lower(load(field.data + i, field.length - i)));
	}
}

void key_hash_end(struct key_hash *hash, uint64_t result[static 2])
{
	hash->v[2] ^= 0xee;
	mix(hash->v);
	mix(hash->v);
	mix(hash->v);
	result[0] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
	hash->v[1] ^= 0xdd;
	mix(hash->v);
	mix(hash->v);
	mix(hash->v);
	result[1] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

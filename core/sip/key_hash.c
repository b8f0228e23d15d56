/* SPDX-License-Identifier: MIT */
#include "core/sip/key_hash.h"

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

/* Inline in every loop below, so that the four words stay in registers. */
static inline __attribute__((always_inline)) void mix(uint64_t v[static 4])
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

static inline __attribute__((always_inline)) void take_in(struct key_hash *hash, uint64_t word)
{
	hash->v[3] ^= word;
	mix(hash->v);
	hash->v[0] ^= word;
}

static inline uint64_t load(const char *octets)
{
	uint64_t word;

	memcpy(&word, octets, sizeof(word));
	return word;
}

/* Less than eight octets; those that are missing are zero. */
static inline uint64_t load_rest(const char *octets, size_t count)
{
	uint64_t word = 0;

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

void key_hash_address(struct key_hash *hash, struct address address)
{
	struct key_hash h = *hash;

	take_in(&h, (uint64_t)address.family << 56); /* no field is that long */
	take_in(&h, load((const char *)address.octets));
	if (address.family == ADDRESS_IPV6) {
		take_in(&h, load((const char *)address.octets + 8));
	}
	*hash = h;
}

void key_hash_bytes(struct key_hash *hash, struct span field)
{
	struct key_hash h = *hash;
	size_t i = 0;

	take_in(&h, field.length);
	for (; i + 8 <= field.length; i += 8) {
		take_in(&h, load(field.data + i));
	}
	if (i < field.length) {
		take_in(&h, load_rest(field.data + i, field.length - i));
	}
	*hash = h;
}

void key_hash_nocase(struct key_hash *hash, struct span field)
{
	struct key_hash h = *hash;
	size_t i = 0;

	take_in(&h, field.length);
	for (; i + 8 <= field.length; i += 8) {
		take_in(&h, lower(load(field.data + i)));
	}
	if (i < field.length) {
		take_in(&h, lower(load_rest(field.data + i, field.length - i)));
	}
	*hash = h;
}

void key_hash_end(const struct key_hash *hash, uint64_t result[static 2])
{
	struct key_hash h = *hash;

	h.v[2] ^= 0xee;
	mix(h.v);
	mix(h.v);
	mix(h.v);
	result[0] = h.v[0] ^ h.v[1] ^ h.v[2] ^ h.v[3];
	h.v[1] ^= 0xdd;
	mix(h.v);
	mix(h.v);
	mix(h.v);
	result[1] = h.v[0] ^ h.v[1] ^ h.v[2] ^ h.v[3];
}

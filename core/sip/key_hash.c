/* SPDX-License-Identifier: MIT */
#include "core/sip/key_hash.h"

#include "core/base/siphash.h"

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
	siphash_take(hash->v, number);
}

void key_hash_address(struct key_hash *hash, struct address address)
{
	struct key_hash h = *hash;

	siphash_take(h.v, (uint64_t)address.family << 56); /* no field is that long */
	siphash_take(h.v, siphash_word((const char *)address.octets));
	if (address.family == ADDRESS_IPV6) {
		siphash_take(h.v, siphash_word((const char *)address.octets + 8));
	}
	*hash = h;
}

void key_hash_bytes(struct key_hash *hash, struct span field)
{
	struct key_hash h = *hash;
	size_t i = 0;

	siphash_take(h.v, field.length);
	for (; i + 8 <= field.length; i += 8) {
		siphash_take(h.v, siphash_word(field.data + i));
	}
	if (i < field.length) {
		siphash_take(h.v, siphash_rest(field.data + i, field.length - i));
	}
	*hash = h;
}

void key_hash_nocase(struct key_hash *hash, struct span field)
{
	struct key_hash h = *hash;
	size_t i = 0;

	siphash_take(h.v, field.length);
	for (; i + 8 <= field.length; i += 8) {
		siphash_take(h.v, lower(siphash_word(field.data + i)));
	}
	if (i < field.length) {
		siphash_take(h.v, lower(siphash_rest(field.data + i, field.length - i)));
	}
	*hash = h;
}

void key_hash_end(const struct key_hash *hash, uint64_t result[static 2])
{
	struct key_hash h = *hash;

	h.v[2] ^= 0xee;
	siphash_mix(h.v);
	siphash_mix(h.v);
	siphash_mix(h.v);
	result[0] = h.v[0] ^ h.v[1] ^ h.v[2] ^ h.v[3];
	h.v[1] ^= 0xdd;
	siphash_mix(h.v);
	siphash_mix(h.v);
	siphash_mix(h.v);
	result[1] = h.v[0] ^ h.v[1] ^ h.v[2] ^ h.v[3];
}

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
	for (; i < field.length; i += 8) {
		size_t rest = field.length - i;
		uint64_t word = 0;

		memcpy(&word, field.data + i, rest < 8 ? rest : 8);
		take_in(hash, word);
	}
}

void key_hash_nocase(struct key_hash *hash, struct span field)
{
	char octets[8] = {0};
	uint64_t word;

	take_in(hash, field.length);
	for (size_t i = 0; i < field.length; i++) {
		octets[i % 8] = ascii_lower(field.data[i]);
		if (i % 8 == 7 || i + 1 == field.length) {
			memcpy(&word, octets, sizeof(word));
			take_in(hash, word);
			memset(octets, 0, sizeof(octets));
		}
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

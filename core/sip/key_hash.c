/* SPDX-License-Identifier: MIT */
#include "core/sip/key_hash.h"

uint64_t key_hash_number(const uint64_t seed[static 2], uint64_t value, uint64_t number)
{
	uint64_t both[2] = {value, number};

	return table_hash(seed, span_make((const char *)both, sizeof(both)));
}

uint64_t key_hash_octet(const uint64_t seed[static 2], uint64_t value, uint8_t octet)
{
	return key_hash_number(seed, value, octet);
}

uint64_t key_hash_bytes(const uint64_t seed[static 2], uint64_t value, struct span field)
{
	uint64_t three[3] = {value, field.length, table_hash(seed, field)};

	return table_hash(seed, span_make((const char *)three, sizeof(three)));
}

uint64_t key_hash_nocase(const uint64_t seed[static 2], uint64_t value, struct span field)
{
	char block[64];
	size_t i = 0;

	value = key_hash_number(seed, value, field.length);
	while (i < field.length) {
		size_t count = 0;

		while (count < sizeof(block) && i < field.length) {
			block[count++] = ascii_lower(field.data[i++]);
		}
		value = key_hash_bytes(seed, value, span_make(block, count));
	}
	return value;
}

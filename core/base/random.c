/* SPDX-License-Identifier: MIT */
#include "core/base/random.h"

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

/* RFC 8439 2.3, with a nonce of zero: every key is used for one batch of blocks only. */
static void chacha20_block(const uint32_t key[static 8], uint32_t counter, uint8_t out[static 64])
{
	uint32_t initial[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, [12] = counter};
	uint32_t x[16];

	memcpy(initial + 4, key, 8 * sizeof(*key));
	memcpy(x, initial, sizeof(x));
	for (int i = 0; i < 10; i++) {
		quarter_round(&x[0], &x[4], &x[8], &x[12]);
		quarter_round(&x[1], &x[5], &x[9], &x[13]);
		quarter_round(&x[2], &x[6], &x[10], &x[14]);
		quarter_round(&x[3], &x[7], &x[11], &x[15]);
		quarter_round(&x[0], &x[5], &x[10], &x[15]);
		quarter_round(&x[1], &x[6], &x[11], &x[12]);
		quarter_round(&x[2], &x[7], &x[8], &x[13]);
		quarter_round(&x[3], &x[4], &x[9], &x[14]);
	}
	for (size_t i = 0; i < 16; i++) {
		uint32_t word = x[i] + initial[i];

		for (size_t j = 0; j < 4; j++) {
			out[4 * i + j] = (uint8_t)(word >> (8 * j));
		}
	}
}

static void key_from_octets(uint32_t key[static 8], const uint8_t octets[static 32])
{
	for (size_t i = 0; i < 8; i++) {
		key[i] = (uint32_t)octets[4 * i] | (uint32_t)octets[4 * i + 1] << 8 |
			 (uint32_t)octets[4 * i + 2] << 16 | (uint32_t)octets[4 * i + 3] << 24;
	}
}

static void refill(struct random *r)
{
	uint8_t next_key[64];

	chacha20_block(r->key, 0, next_key);
	for (uint32_t i = 0; i < sizeof(r->buffer) / 64; i++) {
		chacha20_block(r->key, i + 1, r->buffer + 64 * (size_t)i);
	}
	key_from_octets(r->key, next_key);
	r->available = sizeof(r->buffer);
}

void random_init(struct random *r, const uint8_t seed[static random_seed_size])
{
	*r = (struct random){0};
	key_from_octets(r->key, seed);
}

void random_init_number(struct random *r, uint64_t number)
{
	uint8_t seed[random_seed_size] = {0};

	memcpy(seed, &number, sizeof(number));
	random_init(r, seed);
}

void random_bytes(struct random *r, void *octets, size_t count)
{
	uint8_t *out = octets;

	while (count > 0) {
		size_t step;

		if (r->available == 0) {
			refill(r);
		}
		step = count < r->available ? count : r->available;
		r->available -= step;
		memcpy(out, r->buffer + r->available, step);
		memset(r->buffer + r->available, 0, step);
		out += step;
		count -= step;
	}
}

uint64_t random_u64(struct random *r)
{
	uint64_t value;

	random_bytes(r, &value, sizeof(value));
	return value;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
	/* Values in the last, incomplete run of `bound` would favour small results: draw again. */
	uint64_t unfair = (UINT64_MAX - bound + 1) % bound;
	uint64_t value;

	do {
		value = random_u64(r);
	} while (value < unfair);
	return value % bound;
}

void random_write_hex(struct random *r, struct writer *w, size_t octet_count)
{
	uint8_t octets[64];

	random_bytes(r, octets, octet_count);
	writer_hex(w, octets, octet_count);
}

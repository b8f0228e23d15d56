/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing; a removal moves the entries behind it back, so there are no
 * tombstones and a long-lived table does not grow slow.
 */
#include "core/base/table.h"

#include "core/base/siphash.h"

#include <errno.h>
#include <stdlib.h>

struct table_slot {
	uint64_t hash;
	void *entry; /* NULL: free */
};

uint64_t table_hash(const uint64_t seed[static 2], struct span bytes)
{
	uint64_t v[4] = {0x736f6d6570736575 ^ seed[0], 0x646f72616e646f6d ^ seed[1],
			 0x6c7967656e657261 ^ seed[0], 0x7465646279746573 ^ seed[1]};
	size_t i = 0;

	for (; i + 8 <= bytes.length; i += 8) {
		siphash_take(v, siphash_word(bytes.data + i));
	}
	siphash_take(v,
		     (uint64_t)bytes.length << 56 | siphash_rest(bytes.data + i, bytes.length - i));
	v[2] ^= 0xff;
	siphash_mix(v);
	siphash_mix(v);
	siphash_mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void table_init(struct table *t, size_t count_max, struct random *random, table_key_fn *key_of)
{
	*t = (struct table){.count_max = count_max, .key_of = key_of};
	random_bytes(random, t->seed, sizeof(t->seed));
}

void table_init_hashed(struct table *t, size_t count_max, table_key_fn *key_of)
{
	*t = (struct table){.count_max = count_max, .has_hashed_keys = true, .key_of = key_of};
}

static uint64_t hash_of(const struct table *t, struct span key)
{
	uint64_t hash;

	if (!t->has_hashed_keys) {
		return table_hash(t->seed, key);
	}
	memcpy(&hash, key.data, sizeof(hash));
	return hash;
}

/* The slot that holds the key, or the free one where it would go. */
static size_t slot_of(const struct table *t, uint64_t hash, struct span key)
{
	size_t mask = t->slot_count - 1;
	size_t i = hash & mask;

	while (t->slots[i].entry) {
		if (t->slots[i].hash == hash && span_equal(t->key_of(t->slots[i].entry), key)) {
			break;
		}
		i = (i + 1) & mask;
	}
	return i;
}

void *table_find(const struct table *t, struct span key)
{
	if (t->count == 0) {
		return NULL;
	}
	return t->slots[slot_of(t, hash_of(t, key), key)].entry;
}

void table_prefetch(const struct table *t, struct span key)
{
	if (t->slot_count > 0 && t->has_hashed_keys) {
		__builtin_prefetch(&t->slots[hash_of(t, key) & (t->slot_count - 1)]);
	}
}

static int grow(struct table *t)
{
	size_t slot_count = t->slot_count == 0 ? 16 : t->slot_count * 2;
	struct table_slot *slots = calloc(slot_count, sizeof(*slots));

	if (!slots) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->slot_count; i++) {
		size_t at = t->slots[i].hash & (slot_count - 1);

		if (!t->slots[i].entry) {
			continue;
		}
		while (slots[at].entry) {
			at = (at + 1) & (slot_count - 1);
		}
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->slot_count = slot_count;
	return 0;
}

/* At most three quarters full, so that a probe is short and always ends. */
static bool has_room_for(const struct table *t, size_t count)
{
	return count <= t->slot_count / 4 * 3;
}

int table_reserve(struct table *t)
{
	while (!has_room_for(t, t->count_max)) {
		if (grow(t) != 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

int table_add(struct table *t, void *entry)
{
	struct span key = t->key_of(entry);
	uint64_t hash = hash_of(t, key);
	size_t at = t->slot_count > 0 ? slot_of(t, hash, key) : 0;

	if (t->slot_count > 0 && t->slots[at].entry) {
		return -EEXIST;
	}
	if (t->count >= t->count_max) {
		t->full++;
		return -ENOSPC;
	}
	if (!has_room_for(t, t->count + 1)) {
		if (grow(t) != 0) {
			return -ENOMEM;
		}
		at = slot_of(t, hash, key);
	}
	t->slots[at] = (struct table_slot){.hash = hash, .entry = entry};
	t->count++;
	return 0;
}

/* Moves back what stands behind a hole and may stand in it. */
static void close_hole(struct table *t, size_t hole)
{
	size_t mask = t->slot_count - 1;

	for (size_t i = (hole + 1) & mask; t->slots[i].entry; i = (i + 1) & mask) {
		size_t home = t->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = (struct table_slot){0};
}

void *table_remove(struct table *t, struct span key)
{
	void *entry;
	size_t at;

	if (t->count == 0) {
		return NULL;
	}
	at = slot_of(t, hash_of(t, key), key);
	entry = t->slots[at].entry;
	if (entry) {
		close_hole(t, at);
		t->count--;
	}
	return entry;
}

void *table_next(const struct table *t, size_t *cursor)
{
	while (*cursor < t->slot_count) {
		void *entry = t->slots[(*cursor)++].entry;

		if (entry) {
			return entry;
		}
	}
	return NULL;
}

void table_free(struct table *t)
{
	free(t->slots);
	t->slots = NULL;
	t->slot_count = 0;
	t->count = 0;
}

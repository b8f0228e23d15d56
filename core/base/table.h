/* SPDX-License-Identifier: MIT */
/*
 * A bounded hash table of entries that the caller owns. It has a configured maximum, a counter for
 * how often it was full, and a secret seed, so that nobody outside can choose keys that collide
 * (SipHash-1-3). Look-ups never allocate; the slots grow by doubling up to the maximum.
 */
#ifndef BELLHOP_CORE_BASE_TABLE_H
#define BELLHOP_CORE_BASE_TABLE_H

#include "core/base/random.h"
#include "core/base/span.h"

/* The key of an entry: bytes inside it that do not change while it is in the table. */
typedef struct span table_key_fn(const void *entry);

struct table_slot;

struct table {
	struct table_slot *slots;
	size_t slot_count; /* 0 or a power of two */
	size_t count;	   /* entries in the table */
	size_t count_max;  /* configured */
	uint64_t full;	   /* how often an entry was refused because count_max was reached */
	uint64_t seed[2];
	bool has_hashed_keys;
	table_key_fn *key_of;
};

/* An empty table; allocates nothing yet. */
void table_init(struct table *t, size_t count_max, struct random *random, table_key_fn *key_of);

/*
 * The same for keys of at least eight octets that are already the result of a keyed hash: they are
 * not hashed again.
 */
void table_init_hashed(struct table *t, size_t count_max, table_key_fn *key_of);

/*
 * Makes the slots for all `count_max` entries now, so that table_add never needs memory: 0 or
 * -ENOMEM.
 */
int table_reserve(struct table *t);

/* The entry with this key, or NULL. */
void *table_find(const struct table *t, struct span key);

/*
 * Begins to bring the place of a key out of memory, for a look-up that follows when other work is
 * done: in a large table each one waits for it. For tables with hashed keys.
 */
void table_prefetch(const struct table *t, struct span key);

/*
 * Puts an entry in. 0; -EEXIST when its key is there already; -ENOSPC when the table is full (the
 * counter rises); -ENOMEM. The table is unchanged on failure and never owns the entry.
 */
int table_add(struct table *t, void *entry);

/* Takes the entry with this key out and returns it, or NULL. */
void *table_remove(struct table *t, struct span key);

/*
 * Walks all entries in no particular order: start with `*cursor` 0, ends with NULL. The table must
 * not change during the walk.
 */
void *table_next(const struct table *t, size_t *cursor);

/* Frees the slots, not the entries; the table may be used again. */
void table_free(struct table *t);

/* SipHash-1-3 of the bytes under the seed: for callers that want a keyed hash of their own. */
uint64_t table_hash(const uint64_t seed[static 2], struct span bytes);

#endif

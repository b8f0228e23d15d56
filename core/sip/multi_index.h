/* SPDX-License-Identifier: MIT */
/*
 * A bounded hash table in which several entries may have the same key: all transactions towards
 * one endpoint, all requests that wait for one neighbour. Entries of one key form a ring; the table
 * knows one of them.
 */
#ifndef BELLHOP_CORE_SIP_MULTI_INDEX_H
#define BELLHOP_CORE_SIP_MULTI_INDEX_H

#include "core/base/table.h"

enum { multi_key_size = 24 };

/* Lies inside the entry; all zero when it is in no index. */
struct multi_link {
	struct multi_link *next; /* of the ring; NULL when in no index */
	struct multi_link *previous;
	/* Side by side, because together they are the key in the table: hashed once, found often.
	 */
	uint64_t hash;
	char key[multi_key_size];
	uint8_t key_length;
};

struct multi_index {
	struct table table;
	uint64_t seed[2];
};

/* The entry that a link lies in. */
#define MULTI_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

void multi_index_init(struct multi_index *index, size_t count_max, struct random *random);

/*
 * Puts a link in under a key of at most multi_key_size octets, which is copied. 0, -ENOSPC or
 * -ENOMEM as table_add, -EINVAL for a longer key; the index is unchanged on failure.
 */
int multi_index_add(struct multi_index *index, struct multi_link *link, struct span key);

/* Takes a link out; one that is in no index stays so. */
void multi_index_remove(struct multi_index *index, struct multi_link *link);

/* One link with this key, or NULL. */
struct multi_link *multi_index_find(const struct multi_index *index, struct span key);

void multi_index_free(struct multi_index *index);

#endif

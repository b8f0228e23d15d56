/* SPDX-License-Identifier: MIT */
#include "core/sip/multi_index.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

static_assert(offsetof(struct multi_link, key) ==
		      offsetof(struct multi_link, hash) + sizeof(uint64_t),
	      "a key follows its hash");

static struct span key_of(const void *entry)
{
	const struct multi_link *link = entry;

	return span_make((const char *)&link->hash, sizeof(link->hash) + link->key_length);
}

static void set_key(const struct multi_index *index, struct multi_link *link, struct span key)
{
	link->hash = table_hash(index->seed, key);
	memcpy(link->key, key.data, key.length);
	link->key_length = (uint8_t)key.length;
}

void multi_index_init(struct multi_index *index, size_t count_max, struct random *random)
{
	table_init_hashed(&index->table, count_max, key_of);
	random_bytes(random, index->seed, sizeof(index->seed));
}

int multi_index_add(struct multi_index *index, struct multi_link *link, struct span key)
{
	struct multi_link *head;
	int error;

	if (key.length > multi_key_size) {
		return -EINVAL;
	}
	set_key(index, link, key);
	link->next = link->previous = link;
	error = table_add(&index->table, link);
	if (error && error != -EEXIST) {
		*link = (struct multi_link){0};
	}
	if (error != -EEXIST) {
		return error;
	}
	head = table_find(&index->table, key_of(link));
	link->next = head;
	link->previous = head->previous;
	head->previous->next = link;
	head->previous = link;
	return 0;
}

void multi_index_remove(struct multi_index *index, struct multi_link *link)
{
	struct multi_link *other = link->next;

	if (!other) {
		return;
	}
	if (other == link) {
		table_remove(&index->table, key_of(link));
	} else if (table_find(&index->table, key_of(link)) == link) {
		table_remove(&index->table, key_of(link));
		/* Cannot fail: a slot has just become free. */
		(void)table_add(&index->table, other);
	}
	link->previous->next = link->next;
	link->next->previous = link->previous;
	*link = (struct multi_link){0};
}

struct multi_link *multi_index_find(const struct multi_index *index, struct span key)
{
	struct multi_link wanted;

	if (key.length > multi_key_size || index->table.count == 0) {
		return NULL;
	}
	set_key(index, &wanted, key);
	return table_find(&index->table, key_of(&wanted));
}

void multi_index_free(struct multi_index *index)
{
	table_free(&index->table);
}

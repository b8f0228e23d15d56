/* SPDX-License-Identifier: MIT */
#include "core/fleet/unidentified.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

enum { key_size = sizeof(struct address) + device_interface_size };

static_assert(offsetof(struct unidentified, interface) ==
		      offsetof(struct unidentified, address) + sizeof(struct address),
	      "address and interface stand side by side");

static struct span key_of(const void *entry)
{
	return span_make((const char *)entry + offsetof(struct unidentified, address), key_size);
}

int unidentified_init(struct unidentified_table *unidentified, size_t count_max,
		      struct random *random)
{
	*unidentified = (struct unidentified_table){.dropped = 0};
	table_init(&unidentified->table, count_max, random, key_of);
	return table_reserve(&unidentified->table);
}

void unidentified_free(struct unidentified_table *unidentified)
{
	size_t cursor = 0;
	void *entry;

	while ((entry = table_next(&unidentified->table, &cursor))) {
		free(entry);
	}
	table_free(&unidentified->table);
}

const struct unidentified *unidentified_find(const struct unidentified_table *unidentified,
					     struct address address, struct span interface)
{
	char key[key_size] = {0};

	if (interface.length >= device_interface_size) {
		return NULL;
	}
	address = address_unmapped(address);
	memcpy(key, &address, sizeof(address));
	if (interface.length > 0) {
		memcpy(key + sizeof(address), interface.data, interface.length);
	}
	return table_find(&unidentified->table, span_make(key, sizeof(key)));
}

const struct unidentified *unidentified_next(const struct unidentified_table *unidentified,
					     size_t *cursor)
{
	return table_next(&unidentified->table, cursor);
}

static void drop_oldest(struct unidentified_table *unidentified)
{
	const struct unidentified *oldest = NULL;
	const struct unidentified *entry;
	size_t cursor = 0;

	while ((entry = unidentified_next(unidentified, &cursor))) {
		if (!oldest || entry->last_seen_utc_ms < oldest->last_seen_utc_ms) {
			oldest = entry;
		}
	}
	if (oldest) {
		free(table_remove(&unidentified->table, key_of(oldest)));
		unidentified->dropped++;
	}
}

void unidentified_put(struct unidentified_table *unidentified, struct unidentified *entry)
{
	struct unidentified *place = table_find(&unidentified->table, key_of(entry));

	if (place) {
		entry->first_seen_utc_ms = place->first_seen_utc_ms;
		entry->count = place->count + 1;
		*place = *entry;
		free(entry);
		return;
	}
	if (unidentified->table.count >= unidentified->table.count_max) {
		drop_oldest(unidentified);
	}
	if (table_add(&unidentified->table, entry) != 0) {
		free(entry);
	}
}

/* With any interface: one after the other, because a walk does not bear removals. */
static const struct unidentified *any_at(const struct unidentified_table *unidentified,
					 struct address address)
{
	const struct unidentified *entry;
	size_t cursor = 0;

	while ((entry = unidentified_next(unidentified, &cursor))) {
		if (address_equal(entry->address, address)) {
			return entry;
		}
	}
	return NULL;
}

void unidentified_forget(struct unidentified_table *unidentified, struct address address,
			 struct span interface)
{
	const struct unidentified *entry;

	if (!address_is_set(address) || unidentified->table.count == 0) {
		return;
	}
	if (interface.length > 0) {
		entry = unidentified_find(unidentified, address, interface);
		if (entry) {
			free(table_remove(&unidentified->table, key_of(entry)));
		}
		return;
	}
	address = address_unmapped(address);
	while ((entry = any_at(unidentified, address))) {
		free(table_remove(&unidentified->table, key_of(entry)));
	}
}

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

static struct unidentified *find(const struct unidentified_table *unidentified,
				 struct address address, struct span interface)
{
	char key[key_size] = {0};

	if (interface.length >= device_interface_size) {
		return NULL;
	}
	memcpy(key, &address, sizeof(address));
	if (interface.length > 0) {
		memcpy(key + sizeof(address), interface.data, interface.length);
	}
	return table_find(&unidentified->table, span_make(key, sizeof(key)));
}

static struct unidentified *any_at(const struct unidentified_table *unidentified,
				   struct address address)
{
	struct unidentified *entry;
	size_t cursor = 0;

	while ((entry = table_next(&unidentified->table, &cursor))) {
		if (address_equal(entry->address, address)) {
			return entry;
		}
	}
	return NULL;
}

const struct unidentified *unidentified_find(const struct unidentified_table *unidentified,
					     struct address address, struct span interface)
{
	address = address_unmapped(address);
	return interface.length > 0 ? find(unidentified, address, interface)
				    : any_at(unidentified, address);
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
		entry->is_told = place->is_told;
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

static void drop(struct unidentified_table *unidentified, struct unidentified *entry)
{
	if (entry) {
		free(table_remove(&unidentified->table, key_of(entry)));
	}
}

void unidentified_forget(struct unidentified_table *unidentified, struct address address,
			 struct span interface)
{
	struct unidentified *entry;

	if (!address_is_set(address) || unidentified->table.count == 0) {
		return;
	}
	address = address_unmapped(address);
	if (interface.length > 0) {
		drop(unidentified, find(unidentified, address, interface));
		drop(unidentified, find(unidentified, address, SPAN("")));
		return;
	}
	/* One after the other, because a walk does not bear removals. */
	while ((entry = any_at(unidentified, address))) {
		drop(unidentified, entry);
	}
}

static void write_sentence(const struct unidentified *entry, struct writer *w)
{
	address_write(w, entry->address);
	if (entry->vendor[0] || entry->model[0]) {
		writer_text(w, " (");
		writer_text(w, entry->vendor);
		writer_text(w, entry->vendor[0] && entry->model[0] ? " " : "");
		writer_text(w, entry->model);
		writer_text(w, ")");
	}
	writer_text(w, " asks and is no device that can be told: it ");
	if (entry->has_named) {
		writer_text(w, "names ");
		mac_write(w, entry->named);
		writer_text(w, entry->certainty == CERTAINTY_SPOOFED
				       ? ", which is not its own"
				       : ", and nothing shows that this is its own");
	} else {
		writer_text(w, entry->certainty == CERTAINTY_SPOOFED
				       ? "names two MACs"
				       : "names no MAC, and none can be seen");
	}
	writer_text(w, " (");
	writer_text(w, entry->reason);
	writer_text(w, ")");
}

bool unidentified_tell(struct unidentified_table *unidentified, struct address address,
		       struct span interface, struct writer *sentence)
{
	struct unidentified *entry = find(unidentified, address_unmapped(address), interface);

	if (!entry || entry->is_told) {
		return false;
	}
	entry->is_told = true;
	write_sentence(entry, sentence);
	return true;
}

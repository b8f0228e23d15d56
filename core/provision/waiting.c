/* SPDX-License-Identifier: MIT */
#include "core/provision/waiting.h"

#include "core/sip/multi_index.h"
#include "core/sip/timer_list.h"

#include <errno.h>
#include <stdlib.h>

struct waiting_entry {
	struct waiting waiting; /* first: what waiting_free gets is the entry */
	struct timer timer;
	struct multi_link by_address;
	char bytes[];
};

struct waiting_table {
	struct multi_index by_address;
	struct timer_list timers;
	size_t count;
	size_t count_max;
	size_t bytes;
	size_t bytes_max;
	uint64_t full;
};

static struct span address_key(struct address address, char octets[static multi_key_size])
{
	octets[0] = (char)address.family;
	memcpy(octets + 1, address.octets, sizeof(address.octets));
	return span_make(octets, 1 + sizeof(address.octets));
}

static struct waiting_entry *entry_of(struct multi_link *link)
{
	return MULTI_OWNER(link, struct waiting_entry, by_address);
}

int waiting_new(struct waiting_table **table, const struct waiting_options *options,
		struct random *random)
{
	struct waiting_table *t = calloc(1, sizeof(*t));

	if (!t) {
		return -ENOMEM;
	}
	multi_index_init(&t->by_address, options->count_max, random);
	t->timers = timer_list_of(waiting_max_ms);
	t->count_max = options->count_max;
	t->bytes_max = options->bytes_max;
	*table = t;
	return 0;
}

static struct waiting *take(struct waiting_table *table, struct waiting_entry *entry)
{
	multi_index_remove(&table->by_address, &entry->by_address);
	timer_stop(&entry->timer);
	table->count--;
	table->bytes -= entry->waiting.packet.bytes.length;
	return &entry->waiting;
}

void waiting_table_free(struct waiting_table *table)
{
	if (!table) {
		return;
	}
	while (table->timers.first) {
		struct timer *timer = table->timers.first;

		waiting_free(take(table, TIMER_OWNER(timer, struct waiting_entry, timer)));
	}
	multi_index_free(&table->by_address);
	free(table);
}

/* Somebody from this address waits already, as seen through this interface. */
static struct waiting_entry *find(const struct waiting_table *table, struct address address,
				  uint32_t interface, bool is_exact)
{
	char octets[multi_key_size];
	struct multi_link *first =
		multi_index_find(&table->by_address, address_key(address, octets));
	struct multi_link *link = first;

	if (!first) {
		return NULL;
	}
	do {
		uint32_t other = entry_of(link)->waiting.packet.interface;

		if (other == interface || (!is_exact && (other == 0 || interface == 0))) {
			return entry_of(link);
		}
		link = link->next;
	} while (link != first);
	return NULL;
}

int waiting_add(struct waiting_table *table, const struct packet *packet,
		const struct server_key *key, uint64_t now_ms, bool *is_first)
{
	char octets[multi_key_size];
	struct address address = packet->source.address;
	bool nobody_asked = !find(table, address, packet->interface, true);
	struct waiting_entry *entry;
	int error;

	if (table->count == table->count_max ||
	    packet->bytes.length > table->bytes_max - table->bytes) {
		table->full++;
		return -ENOSPC;
	}
	entry = calloc(1, sizeof(*entry) + packet->bytes.length);
	if (!entry) {
		return -ENOMEM;
	}
	error = multi_index_add(&table->by_address, &entry->by_address,
				address_key(address, octets));
	if (error) {
		free(entry);
		return error;
	}
	entry->waiting = (struct waiting){.packet = *packet, .key = *key};
	memcpy(entry->bytes, packet->bytes.data, packet->bytes.length);
	entry->waiting.packet.bytes.data = entry->bytes;
	timer_start(&table->timers, &entry->timer, now_ms);
	table->count++;
	table->bytes += packet->bytes.length;
	*is_first = nobody_asked;
	return 0;
}

struct waiting *waiting_take(struct waiting_table *table, struct address address,
			     uint32_t interface)
{
	struct waiting_entry *entry = find(table, address, interface, false);

	return entry ? take(table, entry) : NULL;
}

struct waiting *waiting_take_due(struct waiting_table *table, uint64_t now_ms)
{
	struct timer *timer = table->timers.first;

	if (!timer || timer->deadline_ms > now_ms) {
		return NULL;
	}
	return take(table, TIMER_OWNER(timer, struct waiting_entry, timer));
}

void waiting_free(struct waiting *waiting)
{
	free(waiting);
}

uint64_t waiting_next_wake(const struct waiting_table *table)
{
	return timer_list_next_wake(&table->timers);
}

size_t waiting_count(const struct waiting_table *table)
{
	return table->count;
}

uint64_t waiting_full(const struct waiting_table *table)
{
	return table->full;
}

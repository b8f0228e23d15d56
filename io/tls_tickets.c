/* SPDX-License-Identifier: MIT */
#include "io/tls_tickets.h"

#include <openssl/crypto.h>

static void make_key(struct tls_tickets *tickets)
{
	random_bytes(&tickets->random, &tickets->current, sizeof(tickets->current));
}

void tls_tickets_init(struct tls_tickets *tickets, const uint8_t seed[static random_seed_size],
		      uint64_t now_ms)
{
	*tickets = (struct tls_tickets){.made_ms = now_ms};
	random_init(&tickets->random, seed);
	make_key(tickets);
}

static void turn(struct tls_tickets *tickets, uint64_t now_ms)
{
	if (now_ms - tickets->made_ms >= tls_ticket_key_life_ms) {
		tickets->previous = tickets->current;
		tickets->previous_end_ms = tickets->made_ms + 2 * (uint64_t)tls_ticket_key_life_ms;
		tickets->made_ms = now_ms;
		make_key(tickets);
	}
	if (tickets->previous_end_ms <= now_ms) {
		OPENSSL_cleanse(&tickets->previous, sizeof(tickets->previous));
	}
}

const struct tls_ticket_key *tls_tickets_current(struct tls_tickets *tickets, uint64_t now_ms)
{
	turn(tickets, now_ms);
	return &tickets->current;
}

const struct tls_ticket_key *tls_tickets_find(struct tls_tickets *tickets,
					      const uint8_t name[static tls_ticket_name_size],
					      uint64_t now_ms, bool *is_current)
{
	turn(tickets, now_ms);
	if (memcmp(name, tickets->current.name, tls_ticket_name_size) == 0) {
		*is_current = true;
		return &tickets->current;
	}
	if (now_ms < tickets->previous_end_ms &&
	    memcmp(name, tickets->previous.name, tls_ticket_name_size) == 0) {
		*is_current = false;
		return &tickets->previous;
	}
	return NULL;
}

void tls_tickets_free(struct tls_tickets *tickets)
{
	OPENSSL_cleanse(tickets, sizeof(*tickets));
}

/* SPDX-License-Identifier: MIT */
/*
 * The keys of TLS session tickets (RFC 5077, RFC 8446 4.6.1). A ticket is the session itself,
 * encrypted, and kept by the phone: the server remembers nothing but these keys. Each encrypts for
 * tls_ticket_key_life_ms and opens what it encrypted until it is twice as old; the next connection
 * then wipes it, and with it whatever a thief could have opened by it. They belong to the door, not
 * to its certificate: a reload costs no phone its session.
 */
#ifndef BELLHOP_IO_TLS_TICKETS_H
#define BELLHOP_IO_TLS_TICKETS_H

#include "core/base/random.h"

enum {
	tls_ticket_name_size = 16,
	tls_ticket_secret_size = 32,
	tls_ticket_key_life_ms = 12 * 3600 * 1000,
};

struct tls_ticket_key {
	uint8_t name[tls_ticket_name_size]; /* stands in clear at the start of a ticket */
	uint8_t cipher[tls_ticket_secret_size];
	uint8_t mac[tls_ticket_secret_size];
};

struct tls_tickets {
	struct random random;
	struct tls_ticket_key current;
	struct tls_ticket_key previous;
	uint64_t made_ms;	  /* when `current` was */
	uint64_t previous_end_ms; /* until when `previous` opens; 0: there is none */
};

/* `now_ms` is monotonic, here and below. */
void tls_tickets_init(struct tls_tickets *tickets, const uint8_t seed[static random_seed_size],
		      uint64_t now_ms);

/* The key to encrypt with; a fresh one when its time has come. */
const struct tls_ticket_key *tls_tickets_current(struct tls_tickets *tickets, uint64_t now_ms);

/*
 * The key of that name, or NULL when there is none (any more). `*is_current` is false for one that
 * only opens: its ticket is to be replaced.
 */
const struct tls_ticket_key *tls_tickets_find(struct tls_tickets *tickets,
					      const uint8_t name[static tls_ticket_name_size],
					      uint64_t now_ms, bool *is_current);

/* Wipes the keys. */
void tls_tickets_free(struct tls_tickets *tickets);

#endif

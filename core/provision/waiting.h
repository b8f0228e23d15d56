/* SPDX-License-Identifier: MIT */
/*
 * SUBSCRIBEs whose sender's hardware address is being looked up: a bounded table, in which each of
 * them stays for a second at most. The datagram is copied, because it is read once more when the
 * answer is there; copies of the request never get this far (its transaction absorbs them).
 */
#ifndef BELLHOP_CORE_PROVISION_WAITING_H
#define BELLHOP_CORE_PROVISION_WAITING_H

#include "core/base/effects.h"
#include "core/base/random.h"
#include "core/sip/server_transaction.h"

enum { waiting_max_ms = 1000 };

struct waiting_table;

/* One that left the table: the caller owns it and calls waiting_free. */
struct waiting {
	struct packet packet; /* its bytes are owned by this */
	struct server_key key;
};

struct waiting_options {
	size_t count_max;
	size_t bytes_max; /* of all datagrams kept */
};

/* 0 and `*table`, or -ENOMEM. */
int waiting_new(struct waiting_table **table, const struct waiting_options *options,
		struct random *random);
void waiting_table_free(struct waiting_table *table);

/*
 * Puts a request in. 0 and `*is_first` (nobody waits for this address on this interface yet: ask
 * for it); -ENOSPC when a bound is reached; -ENOMEM.
 */
int waiting_add(struct waiting_table *table, const struct packet *packet,
		const struct server_key *key, uint64_t now_ms, bool *is_first);

/*
 * Takes out one request from this address that came in on this interface (0 on either side: any),
 * or NULL.
 */
struct waiting *waiting_take(struct waiting_table *table, struct address address,
			     uint32_t interface);

/* Takes out one that has waited for a second, or NULL. */
struct waiting *waiting_take_due(struct waiting_table *table, uint64_t now_ms);

void waiting_free(struct waiting *waiting);

uint64_t waiting_next_wake(const struct waiting_table *table);

/* How many wait, and how often one found no room. */
size_t waiting_count(const struct waiting_table *table);
uint64_t waiting_full(const struct waiting_table *table);

#endif

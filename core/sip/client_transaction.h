/* SPDX-License-Identifier: MIT */
/*
 * Non-INVITE client transactions over UDP (RFC 3261 17.1.2, 17.1.3, 17.1.4): what a notifier needs
 * to see its NOTIFYs home. Timer E resends after 0.5, 1, 2, 4, 4 … s, Timer F ends it after 32 s
 * (11 datagrams for a dead phone), Timer K absorbs copies of the response for 5 s. A sender that
 * knows better may give up sooner (`give_up_ms`).
 *
 * Time is a parameter, nothing is sent here: what is due comes out as events. Transactions are
 * found by key, by the endpoint they send to (for ICMP errors) and by the device they concern. The
 * table is bounded by count and by bytes; when it is full a new transaction is refused and no other
 * one suffers.
 */
#ifndef BELLHOP_CORE_SIP_CLIENT_TRANSACTION_H
#define BELLHOP_CORE_SIP_CLIENT_TRANSACTION_H

#include "core/base/address.h"
#include "core/base/mac.h"
#include "core/base/random.h"

enum {
	sip_t1_ms = 500,
	sip_t2_ms = 4000,
	sip_t4_ms = 5000,
	sip_timer_f_ms = 64 * sip_t1_ms,
};

struct client_transactions;

/* Names a transaction: a keyed hash of 128 bits, so that its size does not depend on the input. */
struct client_key {
	uint64_t hash[2];
};

/* A request that has been sent once and is to be seen home. */
struct client_request {
	struct client_key key;
	struct endpoint to;
	struct endpoint from;
	uint32_t interface;
	struct mac device;
	uint64_t give_up_ms; /* sip_timer_f_ms, or client_give_up_early_ms */
	struct span bytes;   /* copied */
};

enum { client_give_up_early_ms = 5000 }; /* audiocodes.md 6.5: the phone listens for five seconds */

enum client_event_kind {
	CLIENT_RESEND,	    /* Timer E: send `bytes` again */
	CLIENT_TIMEOUT,	    /* Timer F: it is over, nobody answered */
	CLIENT_PROVISIONAL, /* 1xx: still waiting (R-3261-57) */
	CLIENT_FINAL,	    /* a final response, told once */
	CLIENT_COPY,	    /* a copy of the final response: absorbed */
	CLIENT_UNREACHABLE, /* the network refused: it is over (R-3261-59) */
};

struct client_event {
	enum client_event_kind kind;
	struct endpoint to;
	struct endpoint from;
	uint32_t interface;
	struct mac device;
	uint64_t give_up_ms;
	unsigned resent;   /* how often it was sent again so far */
	struct span bytes; /* CLIENT_RESEND: valid until the next call */
};

struct client_transactions_options {
	size_t count_max;
	size_t bytes_max; /* of all requests kept for resending */
};

struct client_transactions_counts {
	size_t count;
	size_t bytes;
	uint64_t full; /* refused: count_max or bytes_max was reached */
};

/* 0 and `*transactions`, or -ENOMEM. `random` is used for the tables' seeds only. */
int client_transactions_new(struct client_transactions **transactions,
			    const struct client_transactions_options *options,
			    struct random *random);
void client_transactions_free(struct client_transactions *transactions);

/* By branch and the method of CSeq (R-3261-60). The branch is compared in any case. */
struct client_key client_key_of_branch(const struct client_transactions *transactions,
				       struct span branch, struct span method);

/*
 * For a request that carries the phone's own Via (the print form), whose response comes back with
 * that or with none: by the address it answers from, Call-ID, CSeq number and method.
 */
struct client_key client_key_of_source(const struct client_transactions *transactions,
				       struct address source, struct span call_id,
				       uint32_t cseq_number, struct span method);

/*
 * Starts a transaction whose first datagram leaves now. 0; -EEXIST when the key is taken; -ENOSPC
 * when a bound is reached; -ENOMEM. Nothing has changed on failure.
 */
int client_transactions_start(struct client_transactions *transactions,
			      const struct client_request *request, uint64_t now_ms);

/* Takes a transaction back that was started in this very call of the decider. */
void client_transactions_abandon(struct client_transactions *transactions, struct client_key key);

/* What is known of the transaction with this key: true and `*event` (without bytes), or false. */
bool client_transactions_look(const struct client_transactions *transactions, struct client_key key,
			      struct client_event *event);

/*
 * A response with this status arrived. True and `*event`, or false when no transaction has the key.
 */
bool client_transactions_respond(struct client_transactions *transactions, struct client_key key,
				 unsigned status, uint64_t now_ms, struct client_event *event);

/* Takes one due timer: true and `*event`, or false when nothing (more) is due. */
bool client_transactions_expire(struct client_transactions *transactions, uint64_t now_ms,
				struct client_event *event);

/*
 * Ends one transaction that still waits for a response from this endpoint: true and `*event`
 * (CLIENT_UNREACHABLE), or false when there is none (more). Others are untouched.
 */
bool client_transactions_unreachable(struct client_transactions *transactions,
				     struct endpoint endpoint, struct client_event *event);

/* Stops resending whatever still waits for this device; returns how many transactions ended. */
unsigned client_transactions_stop_device(struct client_transactions *transactions,
					 struct mac device);

/* The same for whatever still waits for anybody. */
unsigned client_transactions_stop_all(struct client_transactions *transactions);

uint64_t client_transactions_next_wake(const struct client_transactions *transactions);

struct client_transactions_counts
client_transactions_count(const struct client_transactions *transactions);

#endif

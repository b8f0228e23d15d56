/* SPDX-License-Identifier: MIT */
/*
 * Non-INVITE server transactions over UDP (RFC 3261 17.2.2, 17.2.3). While the answer is being
 * found (Trying) copies of the request are absorbed; once it is there (Completed) each copy gets
 * the same octets again, for the 32 s of Timer J. They are not kept: they are a function of the
 * request, which the copy brings along, and of little else (doc/decisions/0010).
 *
 * Time is a parameter and nothing is sent here. The table is bounded; when it is full a new
 * transaction is refused and no living one suffers: state that somebody else needs is never thrown
 * out for a stranger.
 */
#ifndef BELLHOP_CORE_SIP_SERVER_TRANSACTION_H
#define BELLHOP_CORE_SIP_SERVER_TRANSACTION_H

#include "core/base/random.h"
#include "core/sip/message.h"

enum { sip_timer_j_ms = 32000 };

struct server_transactions;

/* What a request is found by: keyed hashes of 128 bits over its fields. */
struct server_key {
	/*
	 * Branch, sent-by and method; for a Via without the cookie Request-URI, tags, Call-ID,
	 * CSeq and the whole top Via (R-3261-65, 66). For a CANCEL: those of what it cancels. The
	 * source address is part of it as well, so that nobody can take the place of a transaction
	 * whose branch he guessed; the same datagram seen on two interfaces has one source and is
	 * one transaction (R-MCAST-6).
	 */
	uint64_t transaction[2];
	/* From tag, Call-ID, CSeq and source: the same request by another way (R-3261-23). */
	uint64_t request[2];
};

/* The way that the answer of a completed transaction went, and what it takes to write it again. */
struct server_answer {
	struct endpoint to;
	struct endpoint from;
	uint32_t interface;
	uint32_t form; /* the caller's; with the request and the tag this makes the octets */
	size_t length_min;
};

enum server_match {
	SERVER_NEW,	 /* no transaction */
	SERVER_TRYING,	 /* a copy of one whose answer is not there yet */
	SERVER_ANSWERED, /* a copy of one that was answered: `*answer` */
	SERVER_ALTERED,	 /* the same, but for From tag, Call-ID or CSeq: `*answer` is for another */
	SERVER_MERGED,	 /* the same request by another way: 482 */
};

struct server_transactions_options {
	size_t count_max;
};

struct server_transactions_counts {
	size_t count;
	uint64_t full; /* refused: count_max was reached */
};

/* 0 and `*transactions`, or -ENOMEM. `random` is used for the tables' seeds only. */
int server_transactions_new(struct server_transactions **transactions,
			    const struct server_transactions_options *options,
			    struct random *random);
void server_transactions_free(struct server_transactions *transactions);

/*
 * The key of a request whose five parts (SIP_PART_DIALOG) are readable. A CANCEL has the key of the
 * request with `cancelled` as its method; every other request that of its own method.
 */
struct server_key server_key_of(const struct server_transactions *transactions,
				const struct sip_message *request, struct address source,
				enum sip_method cancelled);

/*
 * A key for a datagram that is too broken for that and is answered all the same: made of its
 * octets, so that a copy has the same tag. No transaction has it.
 */
struct server_key server_key_of_datagram(const struct server_transactions *transactions,
					 struct span datagram, struct address source);

/* SERVER_MERGED is found only for a request without a To tag (8.2.2.2). */
enum server_match server_transactions_match(const struct server_transactions *transactions,
					    const struct server_key *key, bool has_to_tag,
					    struct server_answer *answer);

/*
 * Begins a transaction, in Trying. 0; -EEXIST when there is one of that key; -ENOSPC when there are
 * count_max; -ENOMEM. Timer J starts at once, so that a transaction that is never answered ends
 * too.
 */
int server_transactions_begin(struct server_transactions *transactions,
			      const struct server_key *key, uint64_t now_ms);

/*
 * Notes the answer of a transaction in Trying, or begins one that is answered already, and starts
 * Timer J. 0; -EEXIST it is answered; -ENOSPC and -ENOMEM as server_transactions_begin. Nothing has
 * changed on failure.
 */
int server_transactions_answer(struct server_transactions *transactions,
			       const struct server_key *key, const struct server_answer *answer,
			       uint64_t now_ms);

/* Ends a transaction without an answer: the next copy is a new request. */
void server_transactions_end(struct server_transactions *transactions,
			     const struct server_key *key);

/* Ends those whose Timer J is over. */
void server_transactions_expire(struct server_transactions *transactions, uint64_t now_ms);

uint64_t server_transactions_next_wake(const struct server_transactions *transactions);

struct server_transactions_counts
server_transactions_count(const struct server_transactions *transactions);

/*
 * Our tag for the To of every answer to that request: 64 bits (16 hexadecimal digits) that are a
 * function of the request and a secret, so that a stateless answer to a copy has the same octets
 * (R-3261-31 to 33) and a CANCEL is answered with the tag of what it cancels (RFC 3261 9.2).
 */
enum { server_tag_size = 17 }; /* with NUL */
void server_tag_of(const struct server_transactions *transactions, const struct server_key *key,
		   char tag[static server_tag_size]);

#endif

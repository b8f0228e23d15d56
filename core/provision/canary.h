/* SPDX-License-Identifier: MIT */
/*
 * Finds whoever else answers phones on this network: now and then it asks as a phone that nobody
 * claimed, by multicast and in a real maker's dialect, from a port of its own. Answers to real
 * phones are unicast and cannot be seen; those to the canary can. Whoever sends it a NOTIFY or a
 * final response is a rogue responder: phones that it answers first never come to us.
 *
 * Its From tag is a hash of its Call-ID, so that every Bellhop knows a canary for one
 * (canary_is_one) and neither lists nor answers it. It finds servers that were forgotten or
 * misconfigured, not somebody who hides: who knows the tag can keep silent.
 *
 * It decides only. One more decider beside signalling, with a socket of its own.
 */
#ifndef BELLHOP_CORE_PROVISION_CANARY_H
#define BELLHOP_CORE_PROVISION_CANARY_H

#include "core/base/effects.h"
#include "core/base/random.h"
#include "core/fleet/inventory.h"
#include "core/sip/message.h"

enum {
	canary_rogues_max = 32,
	canary_sent_max = 128,	   /* whose answers are waited for; the oldest gives way */
	canary_url_wait_ms = 2000, /* after a 200 for the NOTIFY, so that one event tells it all */
	canary_answer_max_ms = 60000,
	canary_repeat_ms = 3600000, /* one address is told of once in this time */
	canary_host_size = 80,
	canary_program_size = 64,
	canary_interface_size = 16,
};

/* Where the group is joined, and our own address there. */
struct canary_road {
	uint32_t interface;
	struct endpoint local; /* with the port of the canary's socket */
};

struct canary_options {
	const struct inventory *inventory; /* read-locked by the caller around every call */
	struct endpoint group;
	uint64_t interval_ms; /* drawn anew each time, between half and one and a half of it */
	/* The i-th road, asked when it is time to send. False past the last. */
	bool (*road_at)(void *context, size_t i, struct canary_road *road);
	struct span (*interface_name)(void *context, uint32_t interface);
	void *context;
	uint8_t seed[random_seed_size];
};

/* Somebody who answered. Texts are printable and end in NUL. */
struct canary_rogue {
	struct address address;
	uint16_t port; /* that it answered from last */
	char interface[canary_interface_size];
	unsigned status; /* of its final response; 0: only a NOTIFY came */
	bool has_url;
	char host[canary_host_size];	   /* of the URL that it offered; empty: none */
	char program[canary_program_size]; /* Server or User-Agent; empty: none */
	uint64_t last_ms;
	uint64_t told_ms; /* 0: not yet */
	uint64_t due_ms;  /* to be told then; UINT64_MAX: nothing to tell */
};

struct canary_counters {
	uint64_t sent;
	uint64_t answered;  /* datagrams that spoke of one of ours */
	uint64_t unmatched; /* of none of ours, or not SIP: dropped */
	uint64_t no_maker;  /* rounds without a pack of a maker whose dialect we speak */
	uint64_t full;	    /* answers of one more rogue than there is room for */
};

struct canary;

/* 0 and `*canary`, or -ENOMEM. The options are copied; the first round comes after one interval. */
int canary_new(struct canary **canary, const struct canary_options *options, uint64_t now_ms);
void canary_free(struct canary *canary); /* NULL is nothing */

/*
 * One datagram to the canary's port, from an address that is not ours. A NOTIFY is answered 481
 * (RFC 3261 12.2.2: there is no such dialog), or it would come eleven times.
 */
void canary_receive(struct canary *canary, const struct packet *packet, uint64_t now_ms,
		    struct effects *effects);
void canary_expire(struct canary *canary, uint64_t now_ms, struct effects *effects);
uint64_t canary_next_wake(const struct canary *canary);

/* Is this SUBSCRIBE a canary's, ours or another Bellhop's? */
bool canary_is_one(const struct sip_message *request);

/*
 * Those that answered lately (within three intervals): at most `max` into `rogues`; returns how
 * many.
 */
size_t canary_standing(const struct canary *canary, uint64_t now_ms, struct canary_rogue *rogues,
		       size_t max);

/* One sentence about it, for the event and for `bellhop status`. */
void canary_rogue_write(struct writer *w, const struct canary_rogue *rogue);

struct canary_counters canary_counters(const struct canary *canary);

#endif

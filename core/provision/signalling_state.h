/* SPDX-License-Identifier: MIT */
/*
 * What the parts of signalling share; nobody else includes this. signalling.c takes datagrams in,
 * notify_start.c tells a phone its URL, notify_outcome.c sees the NOTIFYs home, form_outcome.c
 * learns from what comes of them.
 */
#ifndef BELLHOP_CORE_PROVISION_SIGNALLING_STATE_H
#define BELLHOP_CORE_PROVISION_SIGNALLING_STATE_H

#include "core/provision/attempts.h"
#include "core/provision/notifier.h"
#include "core/provision/rate_limit.h"
#include "core/provision/signalling.h"
#include "core/provision/waiting.h"
#include "core/sip/client_transaction.h"
#include "core/sip/server_transaction.h"

enum {
	signalling_counters_max = 128,
	/* The largest message we make: what is echoed of a request is at most this long. */
	signalling_answer_size_max = 16384,
	signalling_report_size = 512,
};

struct signalling {
	struct signalling_options options;
	struct random random;
	struct server_transactions *servers;
	struct client_transactions *clients;
	struct attempts *attempts;
	struct waiting_table *waiting;
	struct resync *resync;
	struct rate_limit rate;
	struct signalling_counter counters[signalling_counters_max];
	size_t counter_count;
	/* One event's working space: nothing in it outlives the call. */
	struct sip_message message;
	struct notifier_decision decision;
	char answer[signalling_answer_size_max];
	char notify[signalling_answer_size_max];
	char other[signalling_answer_size_max]; /* the NOTIFY in the other form */
};

/* What is known about the request at hand. */
struct turn {
	struct signalling *s;
	const struct sip_message *request;
	const struct packet *packet;
	struct server_key key;
	uint64_t now_ms;
	struct effects *effects;
};

/* Counts by a constant word. */
void signalling_count(struct signalling *s, const char *reason);

/* Where the answer to a packet leaves from. */
struct endpoint signalling_local(const struct signalling *s, const struct packet *packet);

/* Step by step the reason is counted; only by unicast is it said (R-MCAST-8). */
void signalling_refuse(const struct turn *t, const struct refusal *refusal);

/*
 * A transaction could not be made, for want of memory or of room, which is counted as `reason`:
 * silence, so that the phone asks again. -ENOMEM or 0.
 */
int signalling_no_room(struct signalling *s, int error, const char *reason);

/* Step 22: tells the phone what s->decision says, by 200 and NOTIFY. 0, or -ENOMEM. */
int notify_start(const struct turn *t, const struct subscribe *subscribe);

/*
 * A response, as sip_message_parse left it in s->message with the result `parsed`: matched to its
 * NOTIFY or dropped, never answered (decision table, step 2).
 */
void notify_outcome_receive(struct signalling *s, int parsed, const struct packet *packet,
			    uint64_t now_ms, struct effects *effects);

/* A timer of a NOTIFY ended: it is sent again, or given up. */
void notify_outcome_expire(struct signalling *s, const struct client_event *event,
			   struct effects *effects);

/* The network refused what went to this endpoint: its NOTIFYs are over, others are untouched. */
void notify_outcome_unreachable(struct signalling *s, struct endpoint endpoint,
				struct effects *effects);

/* R-3261-74: whether a response has one Via, and that is the one that was sent from `from`. */
bool notify_outcome_is_ours(const struct sip_message *m, struct endpoint from);

/* A NOTIFY went out in a form that was guessed. */
void form_outcome_begin(struct signalling *s, const struct attempt_start *start, uint64_t now_ms);

/* Nobody answered it in time: attempts_expire. */
void form_outcome_silent(struct signalling *s, const struct attempt *attempt, uint64_t now_ms,
			 struct effects *effects);

/* The final response in s->message ended the NOTIFY with this key to `device`. */
void form_outcome_final(struct signalling *s, const struct client_key *key, struct mac device,
			uint64_t now_ms, struct effects *effects);

/*
 * A response in s->message that no NOTIFY of ours waits for: true when it is an answer to the other
 * form, or to the first with a Via that is not ours.
 */
bool form_outcome_receive(struct signalling *s, const struct packet *packet, uint64_t now_ms,
			  struct effects *effects);

/* The device came for a file, and that is committed. */
void form_outcome_fetched(struct signalling *s, struct mac mac, struct effects *effects);

/* The device is being told its URL: if in another shape than the one it did not fetch with. */
void form_outcome_shape(const struct notifier_decision *decision, struct endpoint source,
			struct effects *effects);

#endif

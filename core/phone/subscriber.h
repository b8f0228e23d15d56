/* SPDX-License-Identifier: MIT */
/*
 * The subscriber of a ua-profile fetch over UDP: one SUBSCRIBE with Expires 0, octet for octet as
 * the AudioCodes manual prints it (dialects.md A.1), and the NOTIFY that brings the URL.
 *
 * Times: sent at 0, 0.5, 1.5 and 3.5 s, given up at 5 s when nobody answered (R-SEED-10); with a
 * 2xx in hand the NOTIFY is waited for until 64*T1 = 32 s after the first SUBSCRIBE (R-6665-42, and
 * the phone's own subs_no_notify_timer). The first final response counts and the others are copies,
 * whatever their To tag (R-3261-61); a refusal ends the attempt, by the same rule. A 202 is a 200
 * (R-6665-38).
 *
 * The NOTIFY is taken in two forms: `rfc`, a request in the dialog (To carries our tag, R-6665-44),
 * also when it comes before the 200 (R-6665-41); and `print`, as the manual shows it: From and To
 * as in the SUBSCRIBE, our tag in From, our own Via. Both are answered 200, copies with the same
 * octets. Nothing else is believed: 481 for what matches no subscription, a second server's NOTIFY
 * included, 489 for another package, 415 for another body. But for an order, where `takes_orders`
 * says so: a NOTIFY with Event check-sync, outside any subscription, asks the phone to look again,
 * with ;reboot=true to restart (dialects.md C).
 *
 * The decider owns no socket: datagrams come in by subscriber_receive and go out as EFFECT_SEND.
 */
#ifndef BELLHOP_CORE_PHONE_SUBSCRIBER_H
#define BELLHOP_CORE_PHONE_SUBSCRIBER_H

#include "core/base/random.h"
#include "core/phone/event.h"
#include "core/phone/identity.h"
#include "core/phone/url.h"
#include "core/sip/message.h"

enum {
	subscriber_give_up_ms = 5000,
	subscriber_notify_wait_ms = 32000, /* Timer N */
	subscriber_copies_wait_ms = 32000, /* Timer J */
	subscriber_request_size = 1024,
	subscriber_response_size = 1400,
	subscriber_answers_max = 2,
	subscriber_id_size = 80,
};

/* Who may answer; none at all: anybody. */
struct subscriber_allowed {
	struct address network;
	unsigned prefix_bits;
};

struct subscriber_options {
	struct phone_identity identity;
	struct endpoint local; /* ours: in From, Via and Contact, and what the socket is bound to */
	struct endpoint target;			  /* the group 224.0.1.75:5060, or one server */
	uint32_t interface;			  /* index to send on; 0: by route */
	const struct subscriber_allowed *allowed; /* the caller's, outlives the subscriber */
	size_t allowed_count;
	struct sip_message *message; /* room to parse in; deciders of one thread may share it */
	bool takes_orders;
};

enum subscriber_order { SUBSCRIBER_ORDER_NONE, SUBSCRIBER_ORDER_CHECK, SUBSCRIBER_ORDER_REBOOT };

/* The three values that make one SUBSCRIBE differ from another. */
struct subscriber_ids {
	char tag[subscriber_id_size];
	char call_id[subscriber_id_size];
	char branch[subscriber_id_size];
};

enum subscriber_state {
	SUBSCRIBER_IDLE,
	SUBSCRIBER_TRYING,   /* sent, no final response */
	SUBSCRIBER_ANSWERED, /* a 2xx came, its NOTIFY did not */
	SUBSCRIBER_DONE,     /* subscriber.url is known */
	SUBSCRIBER_FAILED,   /* subscriber.failure says why */
};

/* A response that was sent, for the copies of its request. */
struct subscriber_answer {
	uint64_t key; /* keyed hash of what makes a transaction */
	uint64_t expires_ms;
	size_t length; /* 0: free */
	unsigned status;
	char bytes[subscriber_response_size];
};

struct subscriber {
	struct subscriber_options options;
	enum subscriber_state state;
	const char
		*failure; /* a constant word: no_answer, no_notify, refused, no_url, url_refused */
	unsigned status;  /* of the final response, 0 without one */
	struct endpoint server;	     /* who sent the NOTIFY that was taken */
	enum subscriber_order order; /* the last one; for the caller to carry out and clear */
	size_t url_length;
	char url[phone_url_text_max]; /* as it was in the body, without white space behind it */
	struct subscriber_ids ids;
	char response_tag[subscriber_id_size];
	uint64_t seed[2];
	uint64_t started_ms;
	uint64_t send_ms; /* of the next copy */
	uint64_t interval_ms;
	unsigned sent_count;
	size_t request_length;
	char request[subscriber_request_size];
	struct subscriber_answer answers[subscriber_answers_max];
	uint64_t ignored_count; /* datagrams that were nothing, or not for us */
};

/* Copies the options. 0; -EINVAL when model or version could not stand in a SIP message. */
int subscriber_init(struct subscriber *subscriber, const struct subscriber_options *options,
		    struct random *random);

/*
 * Writes the SUBSCRIBE in the manual's order of header fields. Given the manual's own values it is
 * the 579 octets of the print.
 */
void subscriber_write_request(struct writer *w, const struct subscriber_options *options,
			      const struct subscriber_ids *ids);

/* A new subscription with new ids; whatever went on before is forgotten. Sends the first copy. */
void subscriber_start(struct subscriber *subscriber, struct random *random, uint64_t now_ms,
		      struct phone_effects *effects);

/*
 * Takes one datagram. 0 when it was ours, -ENOMSG when it was nothing for a phone (counted, told as
 * an event, and answered where SIP wants that).
 */
int subscriber_receive(struct subscriber *subscriber, const struct packet *packet, uint64_t now_ms,
		       struct phone_effects *effects);

void subscriber_expire(struct subscriber *subscriber, uint64_t now_ms,
		       struct phone_effects *effects);

/* UINT64_MAX when there is nothing to wait for. */
uint64_t subscriber_next_wake(const struct subscriber *subscriber);

/* The URL, in SUBSCRIBER_DONE; valid until the next start. */
static inline struct span subscriber_url(const struct subscriber *subscriber)
{
	return span_make(subscriber->url, subscriber->url_length);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What comes out of the phone's deciders: datagrams to send and reports (core/base/effects.h), and
 * beside them one event for each thing that a person or a script wants to be told of:
 * `bellhop-agent
 * --json` prints one line for each.
 */
#ifndef BELLHOP_CORE_PHONE_EVENT_H
#define BELLHOP_CORE_PHONE_EVENT_H

#include "core/base/effects.h"

enum phone_event_kind {
	PHONE_EVENT_SUBSCRIBE_SENT, /* peer, attempt */
	PHONE_EVENT_RESPONSE,	    /* peer, status, reason "copy" when it changed nothing */
	PHONE_EVENT_NOTIFY,	/* peer, status (our answer), form, url, or reason when not taken */
	PHONE_EVENT_IGNORED,	/* peer, reason: a datagram that was not for us */
	PHONE_EVENT_DOWNLOAD,	/* url, status, bytes, or reason when it failed */
	PHONE_EVENT_FIRMWARE,	/* version, reason: same, new, burnt, refused, or of the download */
	PHONE_EVENT_CONFIG,	/* changed_count, effects, name of the first changed one */
	PHONE_EVENT_APPLIED,	/* changed_count, effects */
	PHONE_EVENT_FAILED,	/* reason, text */
	PHONE_EVENT_NEXT_CHECK, /* utc_s, reason random_time, reboot or check_sync; powerup: never
				 */
	phone_event_kind_count,
};

struct phone_event {
	enum phone_event_kind kind;
	const char *reason;   /* a constant word, or NULL */
	struct endpoint peer; /* family ADDRESS_NONE when there is none */
	unsigned attempt;
	unsigned status;  /* of SIP or HTTP; 0 when there is none */
	const char *form; /* "rfc" or "print", or NULL */
	struct span url;  /* without credentials */
	struct span text; /* a sentence, a name or a version; no secrets, no controls */
	uint64_t bytes;
	size_t changed_count;
	unsigned effects; /* enum phone_effect, or-ed together */
	int64_t utc_s;
};

enum { phone_events_max = 32 };

struct phone_effects {
	struct effects
		wire; /* EFFECT_SEND and EFFECT_REPORT; its arena holds the texts of events too */
	struct phone_event events[phone_events_max];
	size_t event_count;
	uint64_t events_lost;
};

/* 0 or -ENOMEM. */
int phone_effects_init(struct phone_effects *effects);
void phone_effects_reset(struct phone_effects *effects);
void phone_effects_free(struct phone_effects *effects);

/* Appends one event; its spans are copied. What finds no room is counted. */
void phone_effects_add(struct phone_effects *effects, struct phone_event event);

/* "subscribe_sent", "response", ...: the kinds of contract.md. */
const char *phone_event_name(enum phone_event_kind kind);

#endif

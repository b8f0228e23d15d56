/* SPDX-License-Identifier: MIT */
/*
 * NOTIFYs whose form was guessed, and what comes of them: when the phone does not answer in time,
 * or refuses, the other form is sent once (doc/decisions/0012-forms-are-learned.md). An attempt
 * lives until the phone answered or fetched, else for as long as answers to the other form may
 * come. A form that is known to work makes none.
 *
 * Time is a parameter and nothing is sent here. The table is bounded by count and by bytes; when it
 * is full the oldest attempt is dropped, which costs that phone its other form and nothing else.
 */
#ifndef BELLHOP_CORE_PROVISION_ATTEMPTS_H
#define BELLHOP_CORE_PROVISION_ATTEMPTS_H

#include "core/fleet/forms.h"
#include "core/sip/client_transaction.h"

struct attempts;

struct attempts_options {
	size_t count_max;
	size_t bytes_max;  /* of all messages that wait to be sent */
	uint64_t after_ms; /* so long without an answer, and the other form goes out */
};

/* How one began; spans and bytes are copied. */
struct attempt_start {
	struct mac device;
	enum notify_form form; /* that was sent */
	struct span shape;
	struct form_key key; /* whose it is to be told; vendor empty: nobody's */
	bool is_own_case;    /* see form_choice: nothing is to be told of its kind */
	struct endpoint to;
	struct endpoint from;
	uint32_t interface;
	struct client_key first; /* of the NOTIFY that was sent, as client_transactions has it */
	struct client_key other; /* that the answer to the other one comes with */
	struct span other_bytes; /* the NOTIFY in the other form */
};

/* One that was begun. Valid until the next call that is not const. */
struct attempt {
	struct mac device;
	enum notify_form form;
	const char *shape;
	struct form_key key;
	bool is_own_case;
	bool is_other_sent;
	struct endpoint to;
	struct endpoint from;
	uint32_t interface;
	struct client_key first;
	struct client_key other;
	struct span other_bytes;
};

/* 0 and `*attempts`, or -ENOMEM. `random` is used for the tables' seeds only. */
int attempts_new(struct attempts **attempts, const struct attempts_options *options,
		 struct random *random);
void attempts_free(struct attempts *attempts);

/*
 * Begins one, in the place of another of the same device. 0; -ENOSPC when it is larger than
 * bytes_max or there may be none; -ENOMEM: then there is none.
 */
int attempts_begin(struct attempts *attempts, const struct attempt_start *start, uint64_t now_ms);

/* The attempt of a device; one whose other form has this key. NULL when there is none. */
const struct attempt *attempts_of_device(const struct attempts *attempts, struct mac device);
const struct attempt *attempts_of_other(const struct attempts *attempts, struct client_key other);

/* The other form has left: it waits for answers to that for 32 s. */
void attempts_sent(struct attempts *attempts, struct mac device, uint64_t now_ms);

/* Ends that of a device, if it has one: true. */
bool attempts_end(struct attempts *attempts, struct mac device);
void attempts_end_all(struct attempts *attempts);

/*
 * Takes one whose phone did not answer in time: NULL when there is none (more). It is to be sent
 * now (attempts_sent) or ended. Those that waited long enough afterwards end by themselves.
 */
const struct attempt *attempts_expire(struct attempts *attempts, uint64_t now_ms);

uint64_t attempts_next_wake(const struct attempts *attempts);

struct attempts_counts {
	size_t count;
	size_t bytes;
	uint64_t dropped; /* the oldest gave way */
};

struct attempts_counts attempts_count(const struct attempts *attempts);

#endif

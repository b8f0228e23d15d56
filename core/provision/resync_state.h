/* SPDX-License-Identifier: MIT */
/*
 * What the parts of resync share; nobody else includes this. resync.c takes orders, answers and
 * time in, resync_send.c sends, resync_end.c says what it came to.
 *
 * A device that is under way is a target: in the queue while it is `waiting`, a client transaction
 * while it is `sent`, under a timer while it is `acknowledged`, gone when it came to its end.
 */
#ifndef BELLHOP_CORE_PROVISION_RESYNC_STATE_H
#define BELLHOP_CORE_PROVISION_RESYNC_STATE_H

#include "core/base/pool.h"
#include "core/base/table.h"
#include "core/provision/resync.h"
#include "core/provision/resync_message.h"
#include "core/sip/client_transaction.h"
#include "core/sip/timer_list.h"

enum {
	resync_message_size = 8192,
	resync_call_id_octets = 12,
	resync_tag_octets = 4,
	resync_effects_per_step = 4,
	resync_full_wait_ms = 100, /* until it is tried again where there was no room */
};

struct resync_target {
	struct mac mac;
	enum resync_order order;
	enum device_resync state;
	bool is_url;	      /* what went out was its URL */
	unsigned credentials; /* sent so often */
	uint32_t cseq;
	uint16_t status;
	uint64_t sent_ms; /* the first copy */
	struct endpoint to;
	struct client_key key;
	uint8_t call_id[resync_call_id_octets];
	uint8_t tag[resync_tag_octets];
	char shape[device_shape_size]; /* of the URL that was told */
	struct resync_target *next;    /* of the queue */
	struct resync_target *previous;
	struct timer verify;
};

struct resync {
	struct resync_options options;
	struct random *random;
	struct pool pool;
	struct table targets; /* by MAC */
	struct client_transactions *clients;
	struct timer_list verifying;
	struct resync_target *first; /* of those that wait */
	struct resync_target *last;
	size_t in_flight;
	uint64_t send_us; /* the next first copy may leave */
	struct resync_list *lists;
	size_t taken;	  /* of the first list */
	size_t listed;	  /* in all lists, not taken in */
	uint64_t take_ms; /* the next devices are taken in */
	char message[resync_message_size];
};

/* What is known of the step at hand. */
struct resync_step {
	struct resync *r;
	struct resync_target *target;
	const struct device *device;
	struct resync_plan plan;
	struct endpoint local;
	uint32_t interface;
	uint64_t now_ms;
	struct effects *effects;
};

/* The key of the table: its MAC. */
struct span resync_target_key(const void *target);

/* Counts by a constant word. */
void resync_tally(const struct resync *r, const char *reason);

/* Room for what one more step may bring; an empty list has to do. */
static inline bool resync_has_room(const struct effects *effects)
{
	return effects->count == 0 ||
	       effects->count + resync_effects_per_step <= effects->count_max;
}

/* --- resync_end.c --- */

/* At the end of the queue, or at its head. */
void resync_queue_add(struct resync *r, struct resync_target *target, bool is_urgent);
void resync_queue_remove(struct resync *r, struct resync_target *target);

/* Out of whatever it is in by its state. A transaction that has its answer lingers on. */
void resync_detach(struct resync *r, struct resync_target *target);

/* Posts that it is in this state now. */
void resync_record(const struct resync_target *target, enum device_resync state,
		   struct effects *effects);

/* It came to this: recorded, counted, told with the reason (may be NULL), and freed. */
void resync_finish(struct resync *r, struct resync_target *target, enum device_resync state,
		   const char *why, struct effects *effects);

/* --- resync_send.c --- */

/* Where it is and what it is told now, which may not be what it was. False: it is finished. */
bool resync_prepare_step(struct resync_step *step);

/*
 * Sends the message of a step, with credentials where there is a challenge. 0; -ENOSPC or -ENOMEM
 * when it cannot leave now; another negative errno when it never can.
 */
int resync_send_message(struct resync_step *step, const struct sip_challenge *challenge);

/* The first copy for one that waits. False: nothing more can leave now. */
bool resync_send_first(struct resync *r, struct resync_target *target, uint64_t now_ms,
		       struct effects *effects);

#endif

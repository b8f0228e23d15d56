/* SPDX-License-Identifier: MIT */
/*
 * What comes in and what goes out of a decider. A packet carries its bytes, where it came from, to
 * which address and on which interface. An effect is data: the decider appends, the shell (io/, a
 * test, the simulator) carries out in order. Bytes of effects live in the list's arena until
 * effects_reset.
 */
#ifndef BELLHOP_CORE_BASE_EFFECTS_H
#define BELLHOP_CORE_BASE_EFFECTS_H

#include "core/base/address.h"
#include "core/base/arena.h"
#include "core/base/mac.h"

/* One datagram received. Everything is valid only for the call that it is handed to. */
struct packet {
	struct span bytes;
	struct endpoint source;
	struct endpoint target; /* where it was sent to: our address, or the group */
	struct address local;	/* our unicast address on that interface, towards the source */
	uint32_t interface;	/* index it arrived on, 0 when unknown */
	bool is_multicast;	/* target is the group */
	bool has_link_source;	/* the frame's own source is known (packet socket) */
	struct mac link_source;
};

enum effect_kind { EFFECT_SEND, EFFECT_RESOLVE, EFFECT_REPORT, EFFECT_CHANGE };

enum report_level { REPORT_DEBUG, REPORT_INFO, REPORT_WARNING, REPORT_ERROR };

/* Send these bytes from the unicast socket that serves `from` (address and port). */
struct effect_send {
	struct endpoint to;
	struct endpoint from;
	uint32_t interface; /* 0: by route */
	struct span bytes;
};

/* Find the hardware address of `address` on `interface`; the answer comes back by *_change. */
struct effect_resolve {
	struct address address;
	uint32_t interface;
};

/* Tell the operator: one log line and, from REPORT_INFO up, one event. */
struct effect_report {
	enum report_level level;
	const char *reason; /* a constant word, e.g. "subscribe_refused": counted by it */
	struct span text;   /* a sentence for people; already escaped; no secrets */
	struct span detail; /* the same for programs: one JSON object; empty: none; no secrets */
	struct endpoint source; /* family ADDRESS_NONE when there is none */
	bool has_mac;
	struct mac mac;
};

struct change; /* core/fleet/change.h */

struct effect {
	enum effect_kind kind;
	union {
		struct effect_send send;
		struct effect_resolve resolve;
		struct effect_report report;
		struct change *change; /* STORE: the shell posts it to the store; arena memory */
	};
};

struct effects {
	struct effect *items;
	size_t count;
	size_t count_max;
	uint64_t lost; /* effects that found no room; the shell counts and logs them */
	/* The shell does nothing with reports below this; effects_init: all are wanted. */
	enum report_level report_level_min;
	struct arena arena;
};

/* An empty list for at most `count_max` effects and `bytes_max` of their bytes. 0 or -ENOMEM. */
int effects_init(struct effects *effects, size_t count_max, size_t bytes_max);
void effects_reset(struct effects *effects);
void effects_free(struct effects *effects);

/* Will anybody see a report of this level? Ask before a sentence is made for it. */
static inline bool effects_wants_report(const struct effects *effects, enum report_level level)
{
	return level >= effects->report_level_min;
}

/*
 * Append one effect; bytes and texts are copied into the arena. When there is no room the effect is
 * counted in `lost` and -ENOSPC is returned. A report that nobody wants is 0 and no effect.
 */
int effects_send(struct effects *effects, struct endpoint from, struct endpoint to,
		 uint32_t interface, struct span bytes);
int effects_resolve(struct effects *effects, struct address address, uint32_t interface);
int effects_report(struct effects *effects, struct effect_report report);
int effects_change(struct effects *effects, struct change *change);

#endif

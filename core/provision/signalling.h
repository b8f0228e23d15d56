/* SPDX-License-Identifier: MIT */
/*
 * Signalling owns the SIP transactions of one unicast socket (and of the group socket beside it),
 * and hands each new request on: SUBSCRIBE to the notifier, the others to their refusal. It decides
 * only: bytes and time come in, effects go out.
 */
#ifndef BELLHOP_CORE_PROVISION_SIGNALLING_H
#define BELLHOP_CORE_PROVISION_SIGNALLING_H

#include "core/base/effects.h"
#include "core/fleet/config.h"
#include "core/fleet/policy.h"
#include "core/provision/resync.h"

struct signalling;

struct signalling_options {
	const struct inventory *inventory; /* read-locked by the caller around every call */
	const struct policy *policy;
	struct endpoint group; /* 224.0.1.75:5060; family ADDRESS_NONE: no multicast */
	uint16_t port;	       /* of the unicast socket: responses and NOTIFYs leave from it */
	/* Fills what the URL needs: see files_context.server_for. */
	void (*server_for)(void *context, const struct device *device, struct address local,
			   struct config_server *server);
	/* The name of an interface index, or empty. */
	struct span (*interface_name)(void *context, uint32_t interface);
	/*
	 * The time of day, ms: asked only about a phone that did not fetch after its last telling.
	 * May be NULL: then it takes two boots in any case to try another URL shape.
	 */
	uint64_t (*utc_ms)(void *context);
	void *context;
	/*
	 * A guessed form that had no answer for so long is followed by the other one; 0: never, and
	 * nothing is learned from answers.
	 */
	uint64_t other_form_ms;
	size_t server_transactions_max;
	size_t client_transactions_max;
	size_t waiting_max; /* SUBSCRIBEs whose sender is being resolved */
	/*
	 * New requests that one source may make: so many a second, and so many at once after a
	 * rest. 0 a second: no limit. A loopback source has none.
	 */
	uint32_t requests_per_second;
	uint32_t requests_burst;
	/* Orders to phones (resync.h): how many and how fast, and from where; may be NULL. */
	struct resync_limits resync;
	bool (*local_for)(void *context, struct address remote, struct span interface,
			  struct address *local, uint32_t *index);
	struct span server_header; /* value of Server: in responses; empty: none */
	/*
	 * A comment in Server makes a 200 as long as its NOTIFY, so that both can leave in one pass
	 * through the kernel (io/udp.h).
	 */
	bool pads_answers;
	uint8_t seed[random_seed_size];
};

/* Why a datagram was not answered with 200, by reason; also how many of each kind went by. */
struct signalling_counter {
	const char *reason; /* constant word */
	uint64_t count;
};

/* What the shell learned and a decider waits for. */
enum notice_kind {
	NOTICE_NEIGHBOUR,     /* `address` on `interface` has hardware address `mac` */
	NOTICE_NO_NEIGHBOUR,  /* it could not be resolved: nobody there, or not on-link */
	NOTICE_ROUTED,	      /* the address is not on-link: its hardware address cannot be seen */
	NOTICE_UNREACHABLE,   /* ICMP error, or the kernel refused, for a datagram to `endpoint` */
	NOTICE_FETCHED,	      /* the device `mac` fetched its files: stop resending its NOTIFY */
	NOTICE_WITHDRAWN,     /* the device `mac` was blocked or removed: the same, at once */
	NOTICE_WITHDRAWN_ALL, /* so many were that no NOTIFY under way can be stood by */
	NOTICE_CLAIMED,	      /* the device `mac` was claimed, and may be told at once */
};

struct notice {
	enum notice_kind kind;
	struct endpoint endpoint; /* NEIGHBOUR*: port 0 */
	uint32_t interface;	  /* 0: any */
	struct mac mac;
	enum device_identified_by by; /* NEIGHBOUR: _NEIGHBOUR or _FRAME */
	int error;		      /* errno, for UNREACHABLE */
	bool is_essential;	      /* FETCHED: now it has what it should have */
	uint64_t age_ms;	      /* FETCHED: so long ago */
};

/* 0 and `*signalling`, or -ENOMEM. The options are copied; what they point to must outlive it. */
int signalling_new(struct signalling **signalling, const struct signalling_options *options);
void signalling_free(struct signalling *signalling);

/* One datagram. 0, or -ENOMEM; everything else is an answer, a refusal or silence, and counted. */
int signalling_receive(struct signalling *signalling, const struct packet *packet, uint64_t now_ms,
		       struct effects *effects);

/*
 * Runs every timer that is due, as long as there is room for what it brings; the others stay due
 * (signalling_next_wake is then in the past), so that no copy is lost when many phones want one.
 */
void signalling_expire(struct signalling *signalling, uint64_t now_ms, struct effects *effects);

/* When to call signalling_expire: monotonic ms, UINT64_MAX for never. */
uint64_t signalling_next_wake(const struct signalling *signalling);

int signalling_change(struct signalling *signalling, const struct notice *notice, uint64_t now_ms,
		      struct effects *effects);

/* Takes over whom to tell to fetch again or to restart: see resync_order. */
void signalling_order(struct signalling *signalling, struct resync_list *list, uint64_t now_ms);

/* Devices that such an order is under way for. */
size_t signalling_order_count(const struct signalling *signalling);

/* The i-th counter, or NULL past the last. */
const struct signalling_counter *signalling_counter(const struct signalling *signalling, size_t i);

#endif

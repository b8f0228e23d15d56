/* SPDX-License-Identifier: MIT */
/*
 * The phones' TFTP door: read requests come to the listening port, each transfer has a socket of
 * its own, bound to the address that was asked (RFC 1350 4, R-TFTP-1, R-TFTP-40).
 */
#ifndef BELLHOP_IO_TFTP_DOOR_H
#define BELLHOP_IO_TFTP_DOOR_H

#include "io/door.h"
#include "io/loop.h"

struct tftp_door;

struct tftp_door_counters {
	uint64_t requests;  /* read requests */
	uint64_t completed; /* transfers that the client has all of */
	uint64_t refused;   /* answered with ERROR */
	uint64_t abandoned; /* the client fell silent or gave up */
	uint64_t ignored;   /* datagrams that got no answer */
	uint64_t full;	    /* not served because a cap was reached */
	uint64_t resent;    /* datagrams sent again, for want of an answer */
	size_t open;	    /* transfers, now */
};

struct tftp_door_options {
	size_t transfers_max; /* at once; at most 65535. Beyond: silence, the client asks again */
	size_t transfers_per_source_max; /* the same, for one address */
	bool rolls_over_to_1;		 /* block 65535 is followed by 1; else by 0 (R-TFTP-14) */
	uint8_t seed[random_seed_size];
};

/* 0 and `*out`, or -ENOMEM. `door` and what it points to must outlive it; options are copied. */
int tftp_door_new(struct tftp_door **out, struct loop *loop, const struct door *door,
		  const struct tftp_door_options *options);

/*
 * Listens on one endpoint; may be called for several. 0, or a negative errno with one sentence in
 * `problem` that names the port and the remedy.
 */
int tftp_door_listen(struct tftp_door *door, struct endpoint endpoint, char *problem,
		     size_t problem_size);

uint16_t tftp_door_port(const struct tftp_door *door, size_t i);
const struct tftp_door_counters *tftp_door_counters(const struct tftp_door *door);

/* Shuts the door; `closed` (may be NULL) is called from the loop when it is gone. */
void tftp_door_close(struct tftp_door *door, void (*closed)(void *context), void *context);

#endif

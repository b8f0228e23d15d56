/* SPDX-License-Identifier: MIT */
/*
 * The DATA packets of one file, as they go out, in a ring: octets of the source go in at one end,
 * whole packets are sent from it, again if need be, and acknowledged ones make room. A window is
 * one or two runs of memory, so it leaves without being put together anew.
 *
 * Blocks are counted from 1 on in 64 bits and never wrap; their 16 bits on the wire do
 * (R-TFTP-14, R-TFTP-39).
 */
#ifndef BELLHOP_CORE_TFTP_BLOCKS_H
#define BELLHOP_CORE_TFTP_BLOCKS_H

#include "core/tftp/netascii.h"
#include "core/tftp/packet.h"

/* What follows 65535: 0, as most have it, or 1, which some old clients want. */
enum tftp_rollover { TFTP_ROLLOVER_0, TFTP_ROLLOVER_1 };

/* The 16 bits of a block. */
uint16_t tftp_block_number(uint64_t block, enum tftp_rollover rollover);

/* The first block from `first` on that has this number; UINT64_MAX when none has it. */
uint64_t tftp_block_from_number(uint16_t number, uint64_t first, enum tftp_rollover rollover);

struct tftp_blocks {
	char *ring; /* `capacity` packets, each of room for a whole one */
	size_t ring_size;
	size_t capacity;
	size_t block_size;
	enum tftp_mode mode;
	enum tftp_rollover rollover;
	struct netascii netascii;
	uint64_t acked;	    /* up to here nothing is kept */
	uint64_t ready;	    /* the newest whole packet */
	size_t partial;	    /* octets of the one after it */
	size_t last_length; /* of the packet that ends the file, once is_ended */
	bool is_ended;
};

/* The memory that a ring of so many blocks takes. */
size_t tftp_blocks_size(size_t capacity, size_t block_size);

/*
 * An empty ring for at least one block. Memory that `*blocks` holds from before is used again when
 * it is large enough; the very first time it must be all zero. 0, or -ENOMEM (and it holds none).
 */
int tftp_blocks_open(struct tftp_blocks *blocks, size_t capacity, size_t block_size,
		     enum tftp_mode mode, enum tftp_rollover rollover);
void tftp_blocks_free(struct tftp_blocks *blocks);

/* How many octets of the source surely find room now; netascii may double them. */
size_t tftp_blocks_room(const struct tftp_blocks *blocks);

/* Takes octets from the front of the source until the ring is full; how many. */
size_t tftp_blocks_put(struct tftp_blocks *blocks, struct span source);

/*
 * The whole source was put: makes the block that ends the file, shorter than the others, if need be
 * empty (R-TFTP-4, R-TFTP-5). False when there is no room for it yet.
 */
bool tftp_blocks_end(struct tftp_blocks *blocks);

/*
 * The packets from block `first` (after `acked`) up to `last` (at most `ready`) that lie in a row:
 * their octets, each `*packet_size` long, the last one perhaps shorter, and in `*next` the first
 * block that is not among them. Valid until the block is acknowledged.
 */
struct span tftp_blocks_run(const struct tftp_blocks *blocks, uint64_t first, uint64_t last,
			    size_t *packet_size, uint64_t *next);

/* Everything up to `block` (at most `ready`) has arrived. */
void tftp_blocks_ack(struct tftp_blocks *blocks, uint64_t block);

#endif

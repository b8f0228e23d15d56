/* SPDX-License-Identifier: MIT */
/*
 * One TFTP transfer: the blocks of one file to one client. Used by core/provision/transfers.c only,
 * which finds the transfer a datagram belongs to and lets go of it when it says that it is over.
 */
#ifndef BELLHOP_CORE_PROVISION_TRANSFER_H
#define BELLHOP_CORE_PROVISION_TRANSFER_H

#include "core/provision/transfers.h"
#include "core/tftp/blocks.h"

enum {
	transfer_name_size = 512,
	transfer_key_size = 38,
};

enum transfer_state {
	TRANSFER_WAITING,	 /* for the network to show who asks, or the file to settle */
	TRANSFER_OPENING_FILE,	 /* the stored one */
	TRANSFER_OPENING_SOCKET, /* and finding what fits on the way to the client */
	TRANSFER_OFFERED,	 /* OACK is out, ACK 0 is awaited */
	TRANSFER_SENDING,
	TRANSFER_COMPLETE,  /* over: the client has all of it */
	TRANSFER_ABANDONED, /* over: it failed */
};

struct transfer {
	uint64_t id;
	uint8_t key[transfer_key_size]; /* peer and local address, for the table */
	bool is_superseded;		/* the same client has begun anew: no longer in the table */
	enum transfer_state state;
	struct endpoint peer;
	struct address local;
	uint32_t interface;
	char request[tftp_request_max]; /* as it came, to know its copies */
	size_t request_length;
	uint64_t started_ms;
	uint64_t deadline_ms; /* when what this state waits for takes too long */
	unsigned resends;
	uint64_t resend_ms; /* the interval before back-off */
	unsigned strangers; /* datagrams of others that were answered */

	enum tftp_mode mode;
	struct tftp_options options; /* as asked, then as granted */
	size_t block_size;
	size_t window_size;

	struct file_request served; /* what FETCHED is made of; its spans point into `names` */
	struct file_answer answer;
	char name[transfer_name_size];
	char interface_name[device_interface_size];

	char *bytes; /* of a rendered file; NULL: a stored one */
	bool is_stored;
	bool has_settled; /* it was waited for; not twice, it may be written all the time */
	bool is_reading;
	uint64_t size;	 /* of the file */
	uint64_t offset; /* in the file, of what goes into `blocks` next */
	size_t held;	 /* octets of memory, as counted against held_bytes_max */

	struct tftp_blocks blocks;
	bool is_gap_answered; /* one repeated ACK restarts a window, not each of its copies */
	bool is_repeated;     /* the window that is out went out before */
	uint64_t sent;	      /* the newest block that is out */
	bool is_heard;	      /* the client acknowledged something: its address is not forged */
	unsigned end_sends;   /* of the block that ends the file, since the client was last heard */
};

/* What the transfers have in common. */
struct transfer_common {
	const struct transfers_options *options;
	struct transfers_counters *counters;
	struct transfer_effects *effects;
	uint64_t now_ms;
};

bool transfer_is_over(const struct transfer *t);

/* Appends an effect; bytes are copied. False when there was no room. */
bool transfer_emit(struct transfer_effects *effects, struct transfer_effect effect);

/* An effect that names this transfer, its peer and our address. */
struct transfer_effect transfer_effect_of(const struct transfer *t, enum transfer_effect_kind kind);

/* Sends ERROR from the socket of `target`. `text` is short: no answer is much larger than what it
 * answers (R-TFTP-36). */
void transfer_send_error(struct transfer_effects *effects, struct transfer_effect target,
			 enum tftp_error error, const char *text);

/* It is over, for a reason that the operator is told. */
void transfer_abandon(struct transfer *t, const struct transfer_common *c, enum report_level level,
		      const char *reason);

/* The same, and the client is told so, in a few words that fit it. */
void transfer_fail(struct transfer *t, const struct transfer_common *c, const char *text,
		   const char *reason);

/*
 * The client is there no more, or no more knows this transfer: it is complete when the client has
 * all of it as far as can be told (R-TFTP-8), else abandoned for this reason.
 */
void transfer_lose_client(struct transfer *t, const struct transfer_common *c, const char *reason);

/*
 * The options this transfer gets, out of those asked for (RFC 2347); `path_octets` is the largest
 * IP packet that the way to the client takes whole, 0 when that is not known.
 */
void transfer_negotiate(struct transfer *t, const struct transfer_common *c, size_t path_octets);

/* How many blocks its ring is to have: a window that is out, and what is read ahead of the next. */
size_t transfer_ring_capacity(const struct transfer *t);

/* Socket and file are there: OACK, or the first window. -ENOMEM, with nothing done. */
int transfer_start(struct transfer *t, const struct transfer_common *c);

/* A datagram from the peer. */
void transfer_receive(struct transfer *t, const struct transfer_common *c,
		      const struct tftp_packet *packet);

/* A piece of the stored file. */
void transfer_take_piece(struct transfer *t, const struct transfer_common *c, uint64_t offset,
			 struct span bytes);

/* The deadline has come, in state OFFERED or SENDING. */
void transfer_resend(struct transfer *t, const struct transfer_common *c);

#endif

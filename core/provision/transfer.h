/* SPDX-License-Identifier: MIT */
/*
 * One TFTP transfer: the blocks of one file to one client. Used by core/provision/transfers.c only,
 * which finds the transfer a datagram belongs to and lets go of it when it says that it is over.
 */
#ifndef BELLHOP_CORE_PROVISION_TRANSFER_H
#define BELLHOP_CORE_PROVISION_TRANSFER_H

#include "core/provision/transfers.h"
#include "core/tftp/netascii.h"
#include "core/tftp/packet.h"

enum {
	transfer_chunk_size = 32768, /* read from a stored file at once */
	transfer_name_size = 512,
	transfer_key_size = 38,
};

enum transfer_state {
	TRANSFER_WAITING, /* for the network to show who asks */
	TRANSFER_OPENING, /* for the stored file */
	TRANSFER_OFFERED, /* OACK is out, ACK 0 is awaited */
	TRANSFER_SENDING,
	TRANSFER_COMPLETE,  /* over: all of it was acknowledged */
	TRANSFER_ABANDONED, /* over: it failed */
};

struct transfer {
	uint64_t id;
	uint8_t key[transfer_key_size]; /* peer and local address, for the table */
	enum transfer_state state;
	struct endpoint peer;
	struct address local;
	uint32_t interface;
	char request[tftp_request_max]; /* as it came, to know its copies */
	size_t request_length;
	uint64_t started_ms;
	uint64_t deadline_ms; /* of the next resend, or of the next look at WAITING */
	unsigned resends;
	uint64_t resend_ms; /* the interval before back-off */

	enum tftp_mode mode;
	struct tftp_options options; /* as granted, for the OACK */
	size_t block_size;
	size_t window_size;

	struct file_request served; /* what FETCHED is made of; its spans point into `names` */
	struct file_answer answer;
	char name[transfer_name_size];
	char interface_name[device_interface_size];

	char *bytes; /* rendered file, or a piece of the stored one */
	size_t bytes_length;
	size_t bytes_used; /* of them, already in the window */
	bool is_stored;
	bool is_reading;
	uint64_t size;	 /* of the file */
	uint64_t offset; /* in the file, of what follows `bytes` */
	struct netascii netascii;

	char *window; /* blocks acked+1 .. as they go out, without their heads */
	size_t window_length;
	bool is_gap_answered; /* one repeated ACK restarts a window, not each of its copies */
	uint64_t acked;	      /* block numbers, not cut to 16 bits */
	uint64_t sent;
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

/* Sends ERROR from the socket of `id`. */
void transfer_send_error(struct transfer_effects *effects, struct transfer_effect target,
			 enum tftp_error error, const char *text);

/* The options this transfer gets, out of those asked for (RFC 2347). */
void transfer_negotiate(struct transfer *t, const struct transfer_common *c,
			const struct tftp_options *asked);

/* `bytes` or the stored file is there: OACK, or the first window. */
void transfer_start(struct transfer *t, const struct transfer_common *c);

/* A datagram from the peer. */
void transfer_receive(struct transfer *t, const struct transfer_common *c,
		      const struct tftp_packet *packet);

/* A piece of the stored file. */
void transfer_take_piece(struct transfer *t, const struct transfer_common *c, uint64_t offset,
			 struct span bytes);

/* The deadline has come, in state OFFERED or SENDING. */
void transfer_resend(struct transfer *t, const struct transfer_common *c);

#endif

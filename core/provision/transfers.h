/* SPDX-License-Identifier: MIT */
/*
 * TFTP transfers (RFC 1350, 2347, 2348, 2349, 7440): a read-only server's side of them all. It
 * decides only: datagrams and time come in, effects go out, and the shell owns the sockets and the
 * files. A transfer is named by an id that is never used twice; id 0 is the listening socket.
 *
 * A request is answered by files_serve, through the `serve` callback. What was rendered is held for
 * the life of the transfer; a stored file is opened once and read in pieces, ahead of need, so that
 * a client gets one version of it. Lost datagrams are repaired by resending with back-off; a copy
 * of an ACK makes us send in a window alone, where it may stand for a gap, and there once
 * (R-TFTP-29; Sorcerer's Apprentice, R-TFTP-6).
 *
 * A transfer is told as fetched when its last block was acknowledged. When that ACK does not come
 * (RFC 1350 6) it still counts, and the event says so, if the client acknowledged what came before
 * and is found gone when the last block comes to it again: nobody listens at its port, or it sends
 * ERROR 5. It does not when it falls silent, or was gone when the last block came first.
 *
 * The socket comes first and tells how large a packet may be on the way to the client (R-TFTP-22):
 * blksize is granted after that. A size that was granted stays, whatever the network does later:
 * the shell's sockets let too large a datagram be cut into fragments.
 */
#ifndef BELLHOP_CORE_PROVISION_TRANSFERS_H
#define BELLHOP_CORE_PROVISION_TRANSFERS_H

#include "core/base/effects.h"
#include "core/base/random.h"
#include "core/provision/files.h"
#include "core/tftp/blocks.h"

enum { transfers_piece_max = 32768 }; /* octets read from a stored file at once, at most */

enum transfer_effect_kind {
	/* a socket on a fresh port of `local`, -> TRANSFER_SOCKET_OPENED or _SOCKET_FAILED */
	TRANSFER_OPEN_SOCKET,
	TRANSFER_SEND, /* from the transfer's socket; id 0: from the listening one */
	/* a catalogue file, perhaps anew, -> TRANSFER_FILE_OPENED or _FILE_FAILED */
	TRANSFER_OPEN_FILE,
	TRANSFER_READ,	/* of it, -> TRANSFER_FILE_READ or _FILE_FAILED */
	TRANSFER_CLOSE, /* the transfer is over: let go of its socket and file */
};

struct transfer_effect {
	enum transfer_effect_kind kind;
	uint64_t id;
	struct endpoint to;   /* SEND, OPEN_SOCKET: the client */
	struct address local; /* SEND, OPEN_SOCKET: our address that was asked */
	uint32_t interface;   /* SEND, OPEN_SOCKET */
	bool wants_path;      /* OPEN_SOCKET: and find out how large a packet may be */
	/*
	 * OPEN_FILE: the name. SEND: the datagram, or several in a row, each of `packet_size`
	 * octets, the last one perhaps shorter. Valid until the next call of anything here.
	 */
	struct span bytes;
	size_t packet_size; /* SEND: 0 for one datagram */
	uint64_t offset;    /* READ */
	size_t length;	    /* READ */
};

struct transfer_effects {
	struct transfer_effect *items;
	size_t count;
	size_t count_max;
	struct effects others; /* EFFECT_REPORT and EFFECT_CHANGE */
};

/* 0 or -ENOMEM. */
int transfer_effects_init(struct transfer_effects *effects);
void transfer_effects_reset(struct transfer_effects *effects);
void transfer_effects_free(struct transfer_effects *effects);

struct transfers_options {
	size_t transfers_max; /* at most 65535 */
	size_t transfers_per_source_max;
	size_t held_bytes_max;	  /* rendered files and blocks of all transfers */
	uint16_t block_size_max;  /* granted at most, where the way to the client takes more */
	uint16_t window_size_max; /* granted at most, in blocks */
	size_t window_bytes_max;  /* and in octets */
	enum tftp_rollover rollover;
	uint64_t resend_ms;	/* first time-out, when the client asks for none */
	uint64_t resend_ms_max; /* where doubling ends */
	unsigned resends_max;	/* without any progress */
	uint64_t read_ms_max;	/* patience with a disk while the client waits for it */
	uint64_t life_ms_max;	/* of one transfer: firmware in lockstep takes hours */
	/*
	 * files_serve under the shell's lock. Everything in `request` but the interface's name and
	 * the link's evidence is filled; the callback fills those two, from the source and
	 * `interface`. FILE_PENDING makes it be asked again soon, but no answer to the last try.
	 */
	void (*serve)(void *context, struct file_request *request, uint32_t interface,
		      struct arena *arena, struct file_answer *answer, struct effects *effects);
	void *context;
	uint8_t seed[random_seed_size];
};

struct transfers_counters {
	uint64_t requests;  /* well-formed read requests, copies included */
	uint64_t completed; /* the client has all of it */
	uint64_t refused;   /* requests answered with ERROR */
	uint64_t abandoned; /* ended by the client, by time or by a fault of the file */
	uint64_t ignored;   /* datagrams without an answer */
	uint64_t full;	    /* requests not served because a cap was reached */
	uint64_t resent;    /* datagrams sent again */
	size_t open;	    /* transfers, now */
};

/* What the shell learned. */
enum transfer_notice_kind {
	TRANSFER_SOCKET_OPENED, /* `path_octets` */
	TRANSFER_FILE_OPENED,	/* `size`, `version`, `is_fresh` */
	TRANSFER_FILE_READ,	/* `bytes` at `offset`; fewer than asked for only when it failed */
	TRANSFER_FILE_FAILED,	/* it cannot be opened or read */
	TRANSFER_SOCKET_FAILED, /* no socket, or nobody listens at the client's port any more */
};

struct transfer_notice {
	enum transfer_notice_kind kind;
	uint64_t id;
	size_t path_octets; /* the largest IP packet that leaves whole; 0: not known */
	uint64_t size;
	uint64_t version;
	bool is_fresh; /* it may change again unseen: opened anew a little later, but only once */
	uint64_t offset;
	struct span bytes; /* valid for the call */
};

struct transfers;

/* Caps and time-outs that suit phones; serve, context and seed are left to set. */
void transfers_defaults(struct transfers_options *options);

/* 0 and `*transfers`, or -ENOMEM. */
int transfers_new(struct transfers **transfers, const struct transfers_options *options);
void transfers_free(struct transfers *transfers);

/* One datagram, received on the socket of transfer `id` (0: the listening one). */
void transfers_receive(struct transfers *transfers, uint64_t id, const struct packet *packet,
		       uint64_t now_ms, struct transfer_effects *effects);

/*
 * Runs what is due. When the list of effects fills up the rest stays due: carry the effects out and
 * call again (transfers_next_wake is then not later than `now_ms`).
 */
void transfers_expire(struct transfers *transfers, uint64_t now_ms,
		      struct transfer_effects *effects);

/* Monotonic ms, UINT64_MAX for never; may be earlier than anything is due. */
uint64_t transfers_next_wake(const struct transfers *transfers);

/* A notice for a transfer that is over is ignored. */
void transfers_change(struct transfers *transfers, const struct transfer_notice *notice,
		      uint64_t now_ms, struct transfer_effects *effects);

const struct transfers_counters *transfers_counters(const struct transfers *transfers);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * TFTP packets (RFC 1350, options RFC 2347, 2348, 2349, 7440): octets to meaning and back. The
 * server reads requests, ACK and ERROR and writes DATA, OACK and ERROR; the client's packets are
 * read and written as well, for the agent and for tests. Nothing is copied: names point into the
 * packet.
 */
#ifndef BELLHOP_CORE_TFTP_PACKET_H
#define BELLHOP_CORE_TFTP_PACKET_H

#include "core/base/writer.h"

enum tftp_opcode {
	TFTP_RRQ = 1,
	TFTP_WRQ = 2,
	TFTP_DATA = 3,
	TFTP_ACK = 4,
	TFTP_ERROR = 5,
	TFTP_OACK = 6,
};

/* RFC 1350 appendix, RFC 2347 (R-TFTP-11) */
enum tftp_error {
	TFTP_ERROR_UNDEFINED = 0,
	TFTP_ERROR_NOT_FOUND = 1,
	TFTP_ERROR_ACCESS = 2,
	TFTP_ERROR_DISK_FULL = 3,
	TFTP_ERROR_OPERATION = 4,
	TFTP_ERROR_TID = 5,
	TFTP_ERROR_EXISTS = 6,
	TFTP_ERROR_USER = 7,
	TFTP_ERROR_OPTION = 8,
};

enum tftp_mode { TFTP_OCTET, TFTP_NETASCII, TFTP_MAIL };

enum {
	tftp_block_size_default = 512,
	tftp_block_size_min = 8, /* RFC 2348 */
	tftp_block_size_max = 65464,
	tftp_request_max = 516, /* RFC 2347 says 512; boot ROMs pad to a whole data packet */
	tftp_header_size = 4,	/* of DATA and ACK */
};

/* Options that were understood; `has_` is false for one that is absent, out of range or no number.
 */
struct tftp_options {
	bool has_block_size;
	bool has_timeout;
	bool has_transfer_size;
	bool has_window_size;
	uint16_t block_size;  /* 8 .. 65464; a request above that is read as 65464 */
	uint8_t timeout_s;    /* 1 .. 255 */
	uint16_t window_size; /* 1 .. 65535 */
	uint64_t transfer_size;
};

struct tftp_packet {
	enum tftp_opcode opcode;
	struct span file; /* RRQ, WRQ: not empty */
	enum tftp_mode mode;
	struct tftp_options options; /* RRQ, WRQ, OACK */
	uint16_t block;		     /* DATA, ACK */
	struct span data;	     /* DATA */
	uint16_t error;		     /* ERROR */
	struct span text;	     /* ERROR: as it came, may hold anything */
};

/*
 * Reads one datagram. 0 and `*packet`; -EBADMSG when it is no TFTP packet; -E2BIG for a request
 * longer than tftp_request_max, -EMSGSIZE when its name and mode alone are; -EPROTO for a request
 * with an unknown mode. Unknown options, options without a value and octets that are no option pair
 * are passed over (R-TFTP-17, R-TFTP-38).
 */
int tftp_read(struct span bytes, struct tftp_packet *packet);

void tftp_write_request(struct writer *w, enum tftp_opcode opcode, struct span file,
			enum tftp_mode mode, const struct tftp_options *options);
void tftp_write_data(struct writer *w, uint16_t block, struct span data);
void tftp_write_ack(struct writer *w, uint16_t block);
void tftp_write_error(struct writer *w, enum tftp_error error, const char *text);

/* OACK with the options that `options` has. */
void tftp_write_oack(struct writer *w, const struct tftp_options *options);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * DHCPv4 messages (RFC 2131, 2132) as one who asks for options needs them: questions written,
 * answers read. Options longer than 255 octets are put together again (RFC 3396), also out of the
 * fields `sname` and `file` where option 52 says so.
 */
#ifndef BELLHOP_CORE_DHCP_MESSAGE_H
#define BELLHOP_CORE_DHCP_MESSAGE_H

#include "core/base/address.h"
#include "core/base/mac.h"
#include "core/base/writer.h"

enum { dhcp_server_port = 67, dhcp_client_port = 68, dhcp_message_size_min = 300 };

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_DECLINE = 4,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
	DHCP_INFORM = 8,
};

enum dhcp_code {
	DHCP_PAD = 0,
	DHCP_VENDOR_SPECIFIC = 43,
	DHCP_OVERLOAD = 52,
	DHCP_MESSAGE_TYPE = 53,
	DHCP_SERVER_IDENTIFIER = 54,
	DHCP_PARAMETER_REQUEST_LIST = 55,
	DHCP_VENDOR_CLASS = 60,
	DHCP_TFTP_SERVER_NAME = 66,
	DHCP_BOOT_FILE_NAME = 67,
	DHCP_END = 255,
};

/* An answer. Spans point into the datagram. */
struct dhcp_message {
	enum dhcp_type type;
	uint32_t transaction;
	struct address your_address; /* offered; family ADDRESS_NONE: none */
	struct address server; /* option 54, else siaddr; ADDRESS_NONE when neither is there */
	struct mac client;     /* chaddr */
	/* Where options stand, in the order in which they are put together. */
	struct span areas[3];
	size_t area_count;
};

/*
 * Reads an answer of a server. 0; -EBADMSG when it is none: too short, no BOOTREPLY for Ethernet,
 * no magic cookie, an option that reaches past its end (R-DHCP-13), no message type.
 */
int dhcp_read(struct span bytes, struct dhcp_message *message);

/*
 * Appends the value of an option to `w`, all its parts together. False when it is not there (an
 * option without octets is there) or does not fit, and then `w` is as it was.
 */
bool dhcp_option(const struct dhcp_message *message, uint8_t code, struct writer *w);

struct dhcp_question {
	enum dhcp_type type; /* DHCP_DISCOVER or DHCP_INFORM */
	uint32_t transaction;
	struct mac client;
	struct address address;	  /* ours, for INFORM; ADDRESS_NONE with DISCOVER */
	struct span vendor_class; /* option 60; empty: none */
	struct span wanted;	  /* octets of option 55: the codes asked for (R-DHCP-12) */
};

/* Writes a question of at least dhcp_message_size_min octets; the answer may be broadcast. */
void dhcp_write(struct writer *w, const struct dhcp_question *question);

#endif

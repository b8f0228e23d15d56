/* SPDX-License-Identifier: MIT */
/*
 * Asks the DHCP servers on one link what they tell phones: a DHCPINFORM when the interface has an
 * address, and a DHCPDISCOVER, of which no lease comes (nothing is requested). It works on a packet
 * socket, so that a DHCP client of this machine is not in its way; that needs CAP_NET_RAW.
 */
#ifndef BELLHOP_IO_DHCP_PROBE_H
#define BELLHOP_IO_DHCP_PROBE_H

#include "core/dhcp/message.h"

struct dhcp_probe {
	uint32_t interface;	/* index */
	struct mac mac;		/* of the interface */
	struct address address; /* of ours there; family ADDRESS_NONE: no DHCPINFORM */
	uint32_t transaction;	/* any */
	struct span vendor_class;
	struct span wanted; /* codes of the options to ask for, one octet each */
	unsigned wait_ms;   /* for answers, in all */
	/* Called for each answer; valid for the call. A server may answer several times. */
	void (*answered)(void *context, const struct dhcp_message *message);
	void *context;
};

/* Blocks for `wait_ms`. 0, or a negative errno: -EPERM without CAP_NET_RAW, -ENETDOWN, … */
int dhcp_probe_run(const struct dhcp_probe *probe);

/*
 * What a server sent to a DHCP client in this IPv4 packet: the UDP payload to port 68; empty when
 * it is anything else (a fragment, another port, lengths that do not fit).
 */
struct span dhcp_probe_payload(struct span packet);

#endif

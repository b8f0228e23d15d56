/* SPDX-License-Identifier: MIT */
/*
 * A PBX on the same host (doc/pbx-beside.md). Once a group is joined on an interface, Linux hands
 * its datagrams to every socket that is bound to the wildcard address and the group's port, so that
 * the PBX there answers phones too. Who that is, as /proc tells it, and the rule of nft(8) that
 * keeps the group from it.
 */
#ifndef BELLHOP_IO_PBX_BESIDE_H
#define BELLHOP_IO_PBX_BESIDE_H

#include "core/base/address.h"
#include "core/base/writer.h"

#include <sys/types.h>

enum { pbx_name_size = 32, pbx_rule_size = 512 };

/* A UDP socket that gets the group's datagrams. */
struct pbx_holder {
	struct address bound;	  /* 0.0.0.0, ::, or the group itself */
	unsigned uid;		  /* of its owner */
	pid_t pid;		  /* one of those that hold it; 0: not to be seen, or gone */
	char name[pbx_name_size]; /* of its program: "asterisk"; empty when pid is 0 */
};

/*
 * Finds the UDP sockets of this network namespace that get what is sent to `group`: bound to its
 * port, and to the wildcard of either family or to the group itself. Those of this very process are
 * left out. `proc` is "/proc", or a copy of it in a test. Returns how many were found, of which at
 * most `max` stand in `holders`, or a negative errno when `proc`/net/udp cannot be read. Only root
 * sees the programs of other users.
 */
int pbx_beside_find(const char *proc, struct endpoint group, struct pbx_holder *holders,
		    size_t max);

/*
 * The rule, as a file for `nft -f`: it drops what is sent to the group before any UDP socket gets
 * it. It may be loaded any number of times. A packet socket still hears the group, since it stands
 * before the input hook ([sip] group_socket = packet); IGMP is not touched.
 */
void pbx_rule_write(struct writer *w, struct endpoint group);

/* The name of the table that the rule makes, alone: for who looks whether it is there. */
#define PBX_RULE_TABLE "bellhop_pbx"

#endif

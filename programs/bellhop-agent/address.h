/* SPDX-License-Identifier: MIT */
/*
 * Where the agent stands in the network: its address, its interface and its MAC, asked of the
 * kernel once at the start.
 */
#ifndef BELLHOP_PROGRAMS_AGENT_ADDRESS_H
#define BELLHOP_PROGRAMS_AGENT_ADDRESS_H

#include "programs/bellhop-agent/options.h"

struct place {
	struct endpoint local;
	struct endpoint target; /* the group, or the server */
	uint32_t interface;	/* index, 0: by route */
	bool has_mac;
	struct mac mac;
};

/*
 * Finds out, from the options and the kernel. 0, or a negative errno with one sentence told on
 * stderr (no such interface, no address, no MAC).
 */
int place_find(const struct options *options, struct place *place);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Who gets an answer, and who gets a file: the decisions that contract.md calls policy, each a list
 * of early returns with one reason. The reasons are constant words: they are counted, logged and
 * shown by `bellhop status`.
 */
#ifndef BELLHOP_CORE_FLEET_POLICY_H
#define BELLHOP_CORE_FLEET_POLICY_H

#include "core/fleet/identity.h"

enum policy_unknown { UNKNOWN_LIST, UNKNOWN_IGNORE, UNKNOWN_BOOTSTRAP };

struct policy {
	enum policy_unknown unknown; /* [provisioning] unknown */
	bool access_by_key;	     /* [provisioning] access */
	bool access_by_neighbour;
	bool serves_routed;  /* [provisioning] routed = serve */
	bool serves_spoofed; /* [provisioning] spoofed = serve */
};

enum policy_answer {
	POLICY_SERVE,	  /* answer 200 and NOTIFY its URL */
	POLICY_RESOLVE,	  /* find the hardware address first */
	POLICY_BOOTSTRAP, /* nobody claimed it: the same, with a URL that opens no secret */
	POLICY_LIST,	  /* no answer, but show it as new */
	POLICY_REFUSE,	  /* no answer on multicast, 403 on unicast */
};

struct policy_decision {
	enum policy_answer answer;
	const char *reason;
	const struct device *device; /* with POLICY_SERVE */
};

/*
 * May this sender have a URL? `identity` as identity_from_subscribe left it. With `spoofed = serve`
 * the device that a message names has its URL although the hardware address is another's (not
 * where an operator bound the address, nor where two are named).
 */
struct policy_decision policy_subscribe(const struct policy *policy,
					const struct inventory *inventory,
					const struct identity *identity);

/*
 * May whoever asks have the files of `device`? `by_key` says that the device's key was in the path;
 * `link` is the evidence for the request's source address. POLICY_SERVE or POLICY_REFUSE.
 */
struct policy_decision policy_file(const struct policy *policy, const struct device *device,
				   bool by_key, struct address source, struct span interface,
				   const struct link_evidence *link);

/*
 * May whoever asks have what nobody needs to be claimed for (unknown = bootstrap)? `identity` as
 * identity_from_fetch left it. POLICY_BOOTSTRAP or POLICY_REFUSE.
 */
struct policy_decision policy_bootstrap(const struct policy *policy,
					const struct inventory *inventory,
					const struct identity *identity);

#endif

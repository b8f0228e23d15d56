/* SPDX-License-Identifier: MIT */
/*
 * A second responder, suspected from afar: phones that we told their URL never fetch, because
 * another server was faster. A sample of the phones that were told lately; no cause is proven by it
 * (a firewall before the HTTP port looks the same), so it is told as a suspicion.
 */
#ifndef BELLHOP_CORE_PROVISION_SUSPICION_H
#define BELLHOP_CORE_PROVISION_SUSPICION_H

#include "core/base/effects.h"

enum {
	suspicion_sample_max = 32,
	suspicion_patience_ms = 600000, /* phones may put off their fetch for minutes */
	suspicion_memory_ms = 3600000,	/* who was told longer ago is none of the sample */
	suspicion_repeat_ms = 3600000,
	suspicion_phones_min = 3, /* that did not fetch, and at least half of those told */
};

struct suspicion_phone {
	struct mac mac;
	bool is_set;
	bool has_fetched;
	uint64_t told_ms; /* the first time since it last fetched */
};

/* All zero is a good start. */
struct suspicion {
	struct suspicion_phone phones[suspicion_sample_max];
	bool was_told;
	uint64_t told_ms; /* when the operator was told last */
};

/* This phone was sent its URL. May report `rogue_suspected`, once in an hour. */
void suspicion_told(struct suspicion *suspicion, struct mac mac, uint64_t now_ms,
		    struct effects *effects);

/* It fetched its files. */
void suspicion_fetched(struct suspicion *suspicion, struct mac mac);

#endif

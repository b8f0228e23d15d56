/* SPDX-License-Identifier: MIT */
/*
 * The ua-profile notifier for one-time fetches (RFC 6665 4.4.3, RFC 6080 6): who sent this
 * SUBSCRIBE, may he have his URL, which one, and in which form. It decides only; transactions,
 * resending and copies are signalling's.
 */
#ifndef BELLHOP_CORE_PROVISION_NOTIFIER_H
#define BELLHOP_CORE_PROVISION_NOTIFIER_H

#include "core/provision/notify_message.h"
#include "core/provision/signalling.h"

enum notifier_verdict {
	NOTIFIER_SERVE,	  /* 200 and NOTIFY with `url` in `form` */
	NOTIFIER_RESOLVE, /* find the source's hardware address and ask again */
	NOTIFIER_REFUSE,  /* silence by multicast, `refusal` by unicast */
};

struct notifier_decision {
	enum notifier_verdict verdict;
	const char *reason;	/* constant word: counted by it */
	struct refusal refusal; /* NOTIFIER_REFUSE; status 0: silence by unicast too */
	struct identity identity;
	bool is_listed;	   /* nobody claimed it: show it as new */
	bool is_bootstrap; /* NOTIFIER_SERVE of a phone that nobody claimed */
	struct mac mac;	   /* NOTIFIER_SERVE: of the device */
	/* NOTIFIER_SERVE: in the inventory, as long as its lock, or `guest`. */
	const struct device *device;
	enum notify_form form;
	struct form_choice choice;	/* how it came to that form and shape */
	struct form_key key;		/* whom the evidence is for; a guest's: nobody */
	const struct vendor_pack *pack; /* its maker's, or NULL */
	size_t url_length;
	/* Last, because they are not cleared. */
	char url[config_url_max];
	struct device guest; /* with is_bootstrap: what stands for a device */
};

/* A SUBSCRIBE that passed subscribe_check, and what the network says of its sender. */
struct notifier_question {
	const struct sip_message *request;
	const struct subscribe *subscribe;
	const struct packet *packet;
	const struct link_evidence *link;
};

/*
 * Decides about a SUBSCRIBE. `*decision` holds spans into the message
 * and the inventory. What the operator should know is reported into `effects`; a URL is never part
 * of a report, because it holds the device's key.
 */
void notifier_decide(const struct signalling_options *options,
		     const struct notifier_question *question, struct notifier_decision *decision,
		     struct effects *effects);

/*
 * Tells the inventory what was seen: CHANGE_DEVICE_NOTIFIED of a phone that was served,
 * CHANGE_DEVICE_SEEN of another one that showed itself, CHANGE_UNIDENTIFIED_SEEN of a sender whose
 * MAC nothing proves. Not of one that is blocked, nor with `unknown = ignore` of one that nobody
 * claimed.
 */
void notifier_record(const struct signalling_options *options, const struct packet *packet,
		     const struct notifier_decision *decision, struct effects *effects);

#endif

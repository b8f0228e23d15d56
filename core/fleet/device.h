/* SPDX-License-Identifier: MIT */
/*
 * A device: one phone that we know of, and what is recorded of it. Devices are plain values inside
 * the inventory; readers look at them under the inventory's read lock and copy what they keep.
 */
#ifndef BELLHOP_CORE_FLEET_DEVICE_H
#define BELLHOP_CORE_FLEET_DEVICE_H

#include "core/base/address.h"
#include "core/base/mac.h"
#include "core/fleet/settings.h"

enum {
	device_vendor_size = 24, /* sizes of texts, with NUL */
	device_model_size = 32,
	device_firmware_size = 64,
	device_profile_size = 64,
	device_label_size = 128,
	device_key_size = 33, /* 128 bits as 32 hexadecimal digits */
	device_interface_size = 16,
	device_shape_size = 24,
	device_rule_size = 64,
	device_pool_size = 64,
	device_extension_size = 32,
};

enum device_state {
	DEVICE_NEW,	 /* seen, nobody claimed it */
	DEVICE_CLAIMED,	 /* may be served, has not been yet */
	DEVICE_NOTIFIED, /* its URL went out */
	DEVICE_FETCHED,	 /* it took what it should have */
	DEVICE_STALE,	 /* what it has is not what it should have */
	DEVICE_BLOCKED,
};

/* How we know that it is this device that talks to us: the one rule that decided. */
enum device_identified_by {
	IDENTIFIED_BY_NOTHING,
	IDENTIFIED_BY_NEIGHBOUR, /* the kernel's neighbour entry of the source address */
	IDENTIFIED_BY_FRAME,	 /* the frame's own source */
	IDENTIFIED_BY_ADDRESS,	 /* an operator bound the address to it */
	IDENTIFIED_BY_KEY,	 /* it showed the key of its URL */
	/* Its own word alone, where nothing better can be seen (a router is in between). */
	IDENTIFIED_BY_REQUEST_URI,
	IDENTIFIED_BY_INSTANCE, /* +sip.instance: a UUID that ends in the MAC (RFC 6080 5.1.3.2) */
	IDENTIFIED_BY_FROM,
	IDENTIFIED_BY_TO,
	IDENTIFIED_BY_CONTACT,
	IDENTIFIED_BY_USER_AGENT, /* of SIP or HTTP */
	IDENTIFIED_BY_EVENT,	  /* a parameter of Event */
	IDENTIFIED_BY_FILE_NAME,  /* the name of the file that it asked for */
	IDENTIFIED_BY_CERTIFICATE,
};

/* How sure of it we are: agreement raises, contradiction lowers. In rising order. */
enum device_certainty {
	CERTAINTY_NONE,		/* never seen */
	CERTAINTY_SPOOFED,	/* it names a MAC that is not its own: "spoofed?" */
	CERTAINTY_UNIDENTIFIED, /* it names none, and none can be seen */
	CERTAINTY_CLAIMED,	/* it names one, and nothing shows that it is its own */
	CERTAINTY_SEEN,		/* its own hardware address, and it names none */
	CERTAINTY_CONFIRMED,	/* its own hardware address, and it names the same */
	CERTAINTY_PROVEN,	/* an operator's binding, the key of its URL, or its certificate */
};

/* What telling it to fetch again came to (core/provision/resync.h). */
enum device_resync {
	RESYNC_NONE,	/* never asked for */
	RESYNC_WAITING, /* for its turn */
	RESYNC_SENT,
	RESYNC_ACKNOWLEDGED, /* answered with 2xx; the fetch is awaited */
	RESYNC_DONE,	     /* it fetched afterwards */
	RESYNC_NO_ANSWER,
	RESYNC_REFUSED,	    /* `resync_status` says with what */
	RESYNC_NOT_FETCHED, /* "acknowledged but did not fetch" */
	RESYNC_NO_ADDRESS,  /* nobody knows where it is */
	RESYNC_UNSUPPORTED, /* its maker's phones take none */
	RESYNC_INTERRUPTED, /* under way when the server ended, or it was blocked */
};

/* The form of the NOTIFY: see core/provision/notifier.h. */
enum notify_form { FORM_DEFAULT, FORM_RFC, FORM_PRINT };

struct device {
	/* Side by side: what answering a SUBSCRIBE looks at. */
	struct mac mac;
	enum device_state state;
	enum device_identified_by identified_by;
	enum notify_form form; /* FORM_DEFAULT: the vendor pack says */
	/* These two are one key of an index: kept together, the text filled up with zeros. */
	struct address bound_address; /* bound by an operator; family ADDRESS_NONE: not bound */
	char bound_interface[device_interface_size]; /* empty: any */
	char key[device_key_size];		     /* given when it is claimed; empty before */
	char vendor[device_vendor_size];
	char model[device_model_size];
	enum device_certainty certainty; /* of the last sighting */
	/* How its URL was told last: what a fetch is then evidence for (core/fleet/forms.h). */
	enum notify_form told_form;	    /* FORM_DEFAULT: never */
	bool told_both;			    /* the other form was sent as well: no evidence */
	uint8_t told_unfetched;		    /* times in a row that it did not fetch afterwards */
	char told_shape[device_shape_size]; /* name of the URL shape */

	char firmware[device_firmware_size]; /* the version it reported last */
	char profile[device_profile_size];   /* empty: "default" */
	char label[device_label_size];
	struct address address; /* last seen at */
	char interface[device_interface_size];
	uint64_t first_seen_utc_ms;
	uint64_t last_seen_utc_ms;
	uint64_t notified_utc_ms; /* 0: never */
	uint64_t fetched_utc_ms;
	enum device_resync resync;
	uint16_t resync_status;		   /* of its last response to that, or 0 */
	uint64_t resync_utc_ms;		   /* when `resync` became what it is */
	char claimed_by[device_rule_size]; /* name of the rule that claimed it; empty: a person */
	/* Its number (core/fleet/pools.h), or empty: one key of an index, filled up with zeros. */
	char pool[device_pool_size];
	char extension[device_extension_size];
	/*
	 * Revisions (see inventory.h) instead of times, so that a clock that is set back does not
	 * hide a change: `revision` is of the last change of what this device's files are made
	 * from, `fetched_revision` the one in force when it took all it should have (0: never).
	 */
	uint64_t revision;
	uint64_t fetched_revision;
	uint64_t stored_seen_utc_ms; /* memory only: last_seen_utc_ms as the store has it */
	struct settings settings;    /* owned by the inventory */
};

/* May be served: claimed and not blocked. */
static inline bool device_is_claimed(const struct device *device)
{
	return device->state != DEVICE_NEW && device->state != DEVICE_BLOCKED;
}

const char *device_state_name(enum device_state state);
const char *device_identified_by_name(enum device_identified_by by);
const char *device_certainty_name(enum device_certainty certainty);
const char *device_resync_name(enum device_resync resync);
const char *notify_form_name(enum notify_form form); /* "default", "rfc", "print" */

/*
 * A text that may stand in a device's model or firmware, whoever sent it: letters, digits, blank
 * and ._+()/:-, not empty, shorter than `size`. (A model becomes part of file names
 * and URLs.)
 */
bool device_text_is_plain(struct span text, size_t size);

/* Small letters and digits, shorter than device_vendor_size; empty: nobody knows. */
bool device_vendor_is_legal(struct span vendor);

/* The value with this name: 0, or -EINVAL. */
int device_state_parse(struct span name, enum device_state *state);
int device_identified_by_parse(struct span name, enum device_identified_by *by);
int device_certainty_parse(struct span name, enum device_certainty *certainty);
int device_resync_parse(struct span name, enum device_resync *resync);
int notify_form_parse(struct span name, enum notify_form *form);

#endif

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
};

enum device_state {
	DEVICE_NEW,	 /* seen, nobody claimed it */
	DEVICE_CLAIMED,	 /* may be served, has not been yet */
	DEVICE_NOTIFIED, /* its URL went out */
	DEVICE_FETCHED,	 /* it took what it should have */
	DEVICE_STALE,	 /* what it has is not what it should have */
	DEVICE_BLOCKED,
};

/* How we know that it is this device that talks to us. */
enum device_identified_by {
	IDENTIFIED_BY_NOTHING,
	IDENTIFIED_BY_NEIGHBOUR, /* the kernel's neighbour entry of the source address */
	IDENTIFIED_BY_FRAME,	 /* the frame's own source */
	IDENTIFIED_BY_ADDRESS,	 /* an operator bound the address to it */
	IDENTIFIED_BY_KEY,	 /* it showed the key of its URL */
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

	char firmware[device_firmware_size]; /* the version it reported last */
	char profile[device_profile_size];   /* empty: "default" */
	char label[device_label_size];
	struct address address; /* last seen at */
	char interface[device_interface_size];
	uint64_t first_seen_utc_ms;
	uint64_t last_seen_utc_ms;
	uint64_t notified_utc_ms; /* 0: never */
	uint64_t fetched_utc_ms;
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
int notify_form_parse(struct span name, enum notify_form *form);

#endif

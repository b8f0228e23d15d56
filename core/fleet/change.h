/* SPDX-License-Identifier: MIT */
/*
 * A change: one value that updates memory, goes to the store and lands in the audit log. Whoever
 * wants something changed makes a change and posts it to the store thread, the only writer:
 *
 *	inventory_prepare   checks it against memory and makes the records that result
 *	store               writes those records, durably
 *	inventory_commit    puts them in place, under the write lock
 *	the poster is told
 *
 * Sightings and hand-outs (CHANGE_DEVICE_SEEN, _NOTIFIED, _FETCHED, CHANGE_UNIDENTIFIED_SEEN) are
 * coalesced by the store thread and written in batches; all others are durable before they are
 * acknowledged.
 */
#ifndef BELLHOP_CORE_FLEET_CHANGE_H
#define BELLHOP_CORE_FLEET_CHANGE_H

#include "core/base/effects.h"
#include "core/fleet/device.h"
#include "core/fleet/forms.h"

enum change_kind {
	CHANGE_DEVICE_ADD,   /* fails with -EEXIST when it is there; state new unless claimed too */
	CHANGE_DEVICE_SET,   /* edits the fields named in `fields` */
	CHANGE_DEVICE_CLAIM, /* new -> claimed (adds the device if need be), may edit fields too */
	CHANGE_DEVICE_BLOCK,
	CHANGE_DEVICE_UNBLOCK, /* back to claimed if it has a key, else new */
	CHANGE_DEVICE_REMOVE,
	/*
	 * A phone showed itself: adds it as new; takes over address, interface, identified_by and
	 * firmware, and vendor and model where they are empty or nobody claimed it yet (an operator
	 * knows better than a datagram).
	 */
	CHANGE_DEVICE_SEEN,
	/*
	 * A phone that is there showed itself, and its URL went out: takes over the same, and
	 * claimed -> notified; fetched and stale stay.
	 */
	CHANGE_DEVICE_NOTIFIED,
	/*
	 * It took a file: `file`, `bytes`. Takes over the same; what it says of vendor and model
	 * counts where that is empty.
	 */
	CHANGE_DEVICE_FETCHED,
	CHANGE_PROFILE_SET, /* creates or edits */
	CHANGE_PROFILE_REMOVE,
	CHANGE_FILE_SET, /* the catalogue: `file`, `bytes`, `file_utc_ms`, `file_version` */
	CHANGE_FILE_REMOVE,
	CHANGE_FILE_HASHED, /* `file_sha256` of `file`; -ESTALE unless it is at `file_version` */
	/* What telling it to fetch again came to: `resync`, `resync_status`. */
	CHANGE_DEVICE_RESYNC,
	/*
	 * A sender without a MAC, or with one that is not its own: kept in memory only, by its
	 * address and interface (unidentified.h). Takes what CHANGE_DEVICE_SEEN takes, `certainty`
	 * and `reason`; `mac` is the one that it names, or zeros.
	 */
	CHANGE_UNIDENTIFIED_SEEN,
	/*
	 * Forms and URL shapes that work, by `vendor`, `model`, `firmware` (core/fleet/forms.h).
	 * `is_success`: `form` and `shape` worked for `mac`, as `evidence` has it. Else they
	 * failed, those of the two that `fields` names (FORM, SHAPE).
	 */
	CHANGE_FORM_LEARNED,
	CHANGE_FORM_PIN,    /* an operator knows: `form`, and with FIELD_SHAPE `shape` */
	CHANGE_FORM_FORGET, /* `vendor`, and those of model and firmware that `fields` names */
	/* Rules that claim by themselves, and their pools of extensions (core/fleet/rules.h). */
	CHANGE_RULE_SET,
	CHANGE_RULE_REMOVE,
	CHANGE_POOL_SET,
	CHANGE_POOL_REMOVE,
	/*
	 * Many devices are claimed in one step: `group`. All or none, unless `is_partial`; with
	 * `is_trial` none, and the answer says what would come of it. In `problem` the first line
	 * is then how many were refused, and for each, as far as there is room, a line follows:
	 * "ROW MAC SENTENCE".
	 */
	CHANGE_DEVICES_IMPORT,
	CHANGE_KIND_COUNT,
};

enum { file_sha256_size = 32 };

/* Which fields of the change hold something to set (bits of `fields`). */
enum change_field {
	FIELD_VENDOR = 1 << 0,
	FIELD_MODEL = 1 << 1,
	FIELD_FIRMWARE = 1 << 2,
	FIELD_PROFILE = 1 << 3,
	FIELD_LABEL = 1 << 4,
	FIELD_FORM = 1 << 5,
	FIELD_BOUND_ADDRESS = 1 << 6, /* family ADDRESS_NONE removes the binding */
	FIELD_BOUND_INTERFACE = 1 << 7,
	FIELD_ADDRESS = 1 << 8, /* seen at, with interface */
	FIELD_IDENTIFIED_BY = 1 << 9,
	FIELD_PARENT = 1 << 10, /* of a profile */
	FIELD_CERTAINTY = 1 << 11,
	FIELD_TOLD = 1 << 12, /* NOTIFIED: `form`, `shape`, `told_both` */
	FIELD_SHAPE = 1 << 13,
	FIELD_POOL = 1 << 20,	   /* CLAIM: a number of `pool`; empty: it gives back its number */
	FIELD_EXTENSION = 1 << 21, /* CLAIM: that number, of whatever pool has it */
};

struct change_setting {
	struct span path;
	struct span value;
	bool is_unset; /* remove the path */
};

struct change {
	enum change_kind kind;
	uint32_t fields; /* enum change_field */
	uint64_t utc_ms; /* when; set by whoever posts it to the store */
	struct mac mac;
	struct span vendor;
	struct span model;
	struct span firmware;
	struct span profile; /* of a device; or the name of the profile that changes */
	struct span parent;
	struct span label;
	enum notify_form form;
	struct span shape;	     /* name of a URL shape */
	bool told_both;		     /* NOTIFIED: both forms were sent */
	bool is_success;	     /* FORM_LEARNED */
	enum form_evidence evidence; /* of a success */
	enum device_certainty certainty;
	const char *reason; /* UNIDENTIFIED_SEEN: constant word, see unidentified.h */
	enum device_resync resync;
	uint16_t resync_status;
	struct span name; /* of a rule or pool */
	struct span body; /* of a rule or pool: JSON, as core/fleet/rules.h has it */
	struct span pool; /* of numbers; CLAIM */
	struct span extension;
	struct address bound_address;
	struct span bound_interface;
	struct address address;
	struct span interface;
	enum device_identified_by identified_by;
	const struct change_setting *settings;
	size_t setting_count;
	struct span file; /* name in the catalogue, or of the file fetched */
	uint64_t bytes;
	uint64_t file_utc_ms; /* modification time of a catalogue file */
	uint64_t file_version;
	uint8_t file_sha256[file_sha256_size]; /* FILE_HASHED */
	bool is_complete;  /* FETCHED: with this the phone has all it should have */
	uint64_t revision; /* FETCHED: inventory.revision when the bytes were made; 0: now's */
	const struct change *group; /* IMPORT: claims */
	size_t group_count;
	unsigned row; /* one of a group: the line it came from */
	bool is_partial;
	bool is_trial;
};

enum { change_group_max = 10000 };

/* A deep copy whose spans live in `arena`, or NULL when it is full. */
struct change *change_copy(struct arena *arena, const struct change *change);

/* Appends a deep copy to the effects, for the shell to post; without room it is counted in `lost`.
 */
void change_post(struct effects *effects, const struct change *change);

#endif

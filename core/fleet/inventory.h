/* SPDX-License-Identifier: MIT */
/*
 * The inventory: devices, profiles, vendor packs and the catalogue of served files, in memory. It
 * takes no lock itself: the shell holds a read lock around every use of the const functions and a
 * write lock around inventory_commit and inventory_set_vendors; inventory_prepare runs on the one
 * writer's thread and needs only a read lock.
 *
 * A batch. inventory_prepare sees what was prepared before it and is not committed yet, so that the
 * writer may prepare many changes (also several of one device), store them together, and commit
 * them in the same order. When the store fails it drops all of them, the newest first. A struct
 * prepared must not move in between.
 *
 * Revisions. Every edit of what files are made from (settings, profile, parent, vendor, model,
 * label) gets the next revision; the record it changes keeps it. A device is stale when it has
 * fetched and its own revision, or that of a profile in its chain, is greater than
 * fetched_revision. A profile's change therefore stores one record, whatever the number of its
 * devices: their `state` is brought up to date in memory by inventory_commit, and by
 * inventory_load_device at the next start (for which profiles are loaded first).
 */
#ifndef BELLHOP_CORE_FLEET_INVENTORY_H
#define BELLHOP_CORE_FLEET_INVENTORY_H

#include "core/base/table.h"
#include "core/fleet/change.h"
#include "core/fleet/device.h"
#include "core/fleet/forms.h"
#include "core/fleet/pools.h"
#include "core/fleet/profile.h"
#include "core/fleet/rules.h"
#include "core/fleet/unidentified.h"
#include "core/fleet/vendor.h"

enum { catalogue_name_max = 200 };

/* New devices at one address on their word alone (CERTAINTY_CLAIMED); more are refused. */
enum { inventory_words_max = 256 };

/* A file below DATA/files/ that any claimed phone may fetch. */
struct catalogue_file {
	char *name;   /* as phones ask for it, relative, '/' between parts; owned */
	char *folded; /* the name in lower case; owned, made by the inventory */
	uint64_t bytes;
	uint64_t modified_utc_ms;
	uint64_t version; /* another one whenever the bytes may be others: catalogue_version */
	bool has_sha256;  /* of this version; false until somebody has computed it */
	uint8_t sha256[file_sha256_size];
};

/*
 * A name that a catalogue file may have: at most catalogue_name_max visible ASCII characters but
 * back-slash, relative, no part of it empty or beginning with a dot.
 */
bool catalogue_name_is_legal(struct span name);

/* The name in lower case, allocated, or NULL: for the inventory's own use. */
char *catalogue_name_fold(const char *name);

struct inventory_limits {
	size_t devices_max;
	size_t new_devices_max; /* of them, in state new: strangers cannot fill the table */
	size_t profiles_max;
	size_t files_max;
	size_t rules_max;
	size_t pools_max;
	size_t pool_numbers_max; /* of all pools together */
	size_t unidentified_max;
	size_t forms_max; /* records of what kinds of phones obey */
};

struct prepared;

struct inventory {
	struct inventory_limits limits;
	struct random random;	       /* keys; used by the writer only */
	struct prepared *pending;      /* prepared, not committed, newest first; the writer's */
	uint64_t revision_prepared;    /* the last one given out; the writer's */
	uint64_t revision;	       /* the last one committed */
	uint64_t revision_restored;    /* what has a smaller one was made from other records */
	struct table devices;	       /* by MAC */
	struct table devices_by_key;   /* by key, those that have one */
	struct table devices_by_bound; /* by bound address, those that have one */
	struct table profiles;	       /* by name; "default" is always there */
	struct table files;	       /* by name */
	struct table files_folded;     /* by folded name: one of those that differ only in case */
	struct unidentified_table unidentified; /* senders that are no device */
	struct table forms;			/* by kind of phone: core/fleet/forms.h */
	uint64_t forms_replaced;	/* an old one gave way because forms_max was reached */
	struct table rules;		/* by name */
	struct rule **rule_order;	/* all of them, as they are tried */
	struct table pools;		/* by name */
	size_t pool_numbers;		/* in all pools */
	struct table devices_by_number; /* by pool and extension, those that have one */
	struct vendors vendors;
	uint64_t generation; /* rises with every commit */
	size_t count_by_state[DEVICE_BLOCKED + 1];
	uint64_t refused_new; /* sightings dropped because such a limit was reached */
};

/*
 * An empty inventory with the profile "default"; all slots that its limits allow are reserved now,
 * so that a commit never needs memory. 0 or -ENOMEM.
 */
int inventory_init(struct inventory *inventory, const struct inventory_limits *limits,
		   const uint8_t seed[static random_seed_size]);
void inventory_free(struct inventory *inventory);

const struct device *inventory_device(const struct inventory *inventory, struct mac mac);

/* By the key of a URL, compared in constant time after the look-up; NULL when there is none. */
const struct device *inventory_device_by_key(const struct inventory *inventory, struct span key);

/* The device an operator bound to this address (and interface, when the binding names one). */
const struct device *inventory_device_by_address(const struct inventory *inventory,
						 struct address address, struct span interface);

const struct profile *inventory_profile(const struct inventory *inventory, struct span name);

/* A catalogue file by name; exact first, then without regard to case (ecosystem.md 4.1). */
const struct catalogue_file *inventory_file(const struct inventory *inventory, struct span name);

const struct rule *inventory_rule(const struct inventory *inventory, struct span name);
const struct number_pool *inventory_pool(const struct inventory *inventory, struct span name);

/* The device that has this number, or NULL. */
const struct device *inventory_device_by_number(const struct inventory *inventory, struct span pool,
						struct span extension);

/* Walk in no particular order; start with `*cursor` 0. */
const struct device *inventory_next_device(const struct inventory *inventory, size_t *cursor);
const struct profile *inventory_next_profile(const struct inventory *inventory, size_t *cursor);
const struct catalogue_file *inventory_next_file(const struct inventory *inventory, size_t *cursor);
const struct number_pool *inventory_next_pool(const struct inventory *inventory, size_t *cursor);

/*
 * What a change comes to: complete records to store and to put in place. Opaque to all but the
 * inventory and the store (which reads `device`, `profile`, `file`, `form`: NULL where the change
 * does not touch one; with `is_removal` the record named is to be deleted).
 */
struct prepared {
	enum change_kind kind;
	bool is_removal;
	bool is_addition;    /* of a record that is not there yet */
	bool is_nothing;     /* nothing worth storing; commit it all the same */
	bool keeps_settings; /* device->settings is empty here: those in store and memory stay */
	struct device *device;
	struct profile *profile;
	struct catalogue_file *file;
	struct rule *rule;
	struct number_pool *pool;
	struct prepared *group; /* of CHANGE_DEVICES_IMPORT; owned */
	size_t group_count;
	/* What an operator is told of, beside the records: core/fleet/road.h. */
	bool was_there; /* the device was there, in this state */
	enum device_state state_before;
	bool is_claim_by_rule;	 /* device->claimed_by says which */
	bool is_number_changed;	 /* device->pool and ->extension are to be stored */
	bool is_number_reserved; /* they are, in the pool */
	bool is_pool_empty;	 /* `rule_name` would have claimed it */
	char rule_name[device_rule_size];
	char pool_name[device_pool_size];
	size_t stale_count; /* devices that a profile makes stale */
	struct unidentified *unidentified;
	struct form_record *form; /* with `is_removal`: all that `form_fields` names of it go */
	uint32_t form_fields;	  /* FIELD_MODEL, FIELD_FIRMWARE */
	struct form_record *form_evicted; /* this one gives way to `form` */
	struct inventory *inventory;	  /* whose list it is in until commit or prepared_free */
	struct prepared *before;
};

/* A sighting that says nothing new is stored again after this long. */
enum { inventory_seen_interval_ms = 60000, inventory_empty_interval_ms = 60000 };

/*
 * Checks a change and makes its outcome. 0 and `*prepared` (owned by the caller until commit), or a
 * negative errno with one sentence in `problem` that says why and what to do: -ENOENT no such
 * device, profile or file; -EEXIST; -EINVAL a value is not legal; -ENOSPC a table is full; -EBUSY
 * the profile is in use, or the device is blocked; -ESTALE a hash of a file that has changed since;
 * -ENOMEM. What readers see is unchanged, but for
 * the counter refused_new (inventory_refused_new).
 */
int inventory_prepare(struct inventory *inventory, const struct change *change,
		      struct prepared *prepared, char *problem, size_t problem_size);

/* Puts a prepared change in place and takes its records over. Cannot fail. */
void inventory_commit(struct inventory *inventory, struct prepared *prepared);

/* Drops a prepared change that is not to be committed; nothing after a commit. */
void prepared_free(struct prepared *prepared);

/*
 * How many sightings found new_devices_max, devices_max or inventory_words_max reached; from any
 * thread.
 */
uint64_t inventory_refused_new(const struct inventory *inventory);

/* The state of a device as its revisions and those of its profiles say; others keep theirs. */
enum device_state inventory_state_of(const struct inventory *inventory,
				     const struct device *device);

/*
 * Puts records read from the store in place at start, profiles first: allocated with malloc, taken
 * over on success. "default" replaces the one that is there. 0; -EEXIST; -EINVAL a record that no
 * prepare could have made; -ENOSPC; -ENOMEM.
 */
int inventory_load_device(struct inventory *inventory, struct device *device);
int inventory_load_profile(struct inventory *inventory, struct profile *profile);
int inventory_load_file(struct inventory *inventory, struct catalogue_file *file);
int inventory_load_rule(struct inventory *inventory, struct rule *rule);
int inventory_load_pool(struct inventory *inventory, struct number_pool *pool);

/* The number of a device that is loaded. -ENOENT no such device; -EEXIST another one has it. */
int inventory_load_number(struct inventory *inventory, struct mac mac, struct span pool,
			  struct span extension);

/* Frees a record that was not handed over. */
void device_free(struct device *device);
void profile_free(struct profile *profile);
void catalogue_file_free(struct catalogue_file *file);

/*
 * That every device, rule and profile names a profile that is there (a rule: also its pool), and
 * that no chain is a circle or too long. 0, or -EINVAL with a sentence that names the first that
 * does not.
 */
int inventory_check_profiles(const struct inventory *inventory, char *problem, size_t problem_size);

/*
 * Another inventory, read from a database that is to be restored, takes the place of this one's
 * records. In the order of the calls:
 *
 * inventory_reconcile_begin gives the other one revisions beyond all that were given out here;
 * inventory_reconcile_next walks its devices (`*cursor` 0 at first) and returns, one after the
 * other, those that were changed and must be stored: a phone that has fetched since the backup was
 * made has something else than the backup says, and is stale. NULL: no more. Both under the read
 * lock of `inventory`.
 *
 * inventory_exchange puts devices, profiles and forms in place, under the write lock, and cannot
 * fail; the other inventory then holds the old ones. Packs, catalogue and limits stay where they
 * are, nothing may be prepared and not committed, and the limits of the two must be the same.
 */
void inventory_reconcile_begin(struct inventory *other, const struct inventory *inventory);
struct device *inventory_reconcile_next(struct inventory *other, const struct inventory *inventory,
					size_t *cursor);
void inventory_exchange(struct inventory *inventory, struct inventory *other);

/* Puts these packs in the place of the old ones, which are handed back for the caller to free. */
void inventory_set_vendors(struct inventory *inventory, struct vendors *vendors);

#endif

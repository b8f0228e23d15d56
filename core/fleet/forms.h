/* SPDX-License-Identifier: MIT */
/*
 * Which form of the answer and which shape of the URL a kind of phone obeys: what its pack says,
 * what was learned, what an operator pinned (doc/decisions/0012-forms-are-learned.md). A kind is
 * maker, model and firmware.
 *
 * A form is learned from evidence that cannot be confused: it alone was sent, and the phone
 * answered the NOTIFY with 2xx, or fetched, which weighs more. A shape is learned from a fetch
 * alone.
 */
#ifndef BELLHOP_CORE_FLEET_FORMS_H
#define BELLHOP_CORE_FLEET_FORMS_H

#include "core/base/writer.h"
#include "core/fleet/device.h"
#include "core/fleet/vendor.h"

struct inventory;
struct prepared;

/* What is known to work, the weaker first. */
enum form_evidence { FORM_UNPROVEN, FORM_ANSWERED, FORM_FETCHED };

/* Maker, model and firmware; the latter two may be empty: not known. */
struct form_key {
	struct span vendor;
	struct span model;
	struct span firmware;
};

struct form_record {
	/* These three are one key of an index: kept together, the text filled up with zeros. */
	char vendor[device_vendor_size];
	char model[device_model_size];
	char firmware[device_firmware_size];
	enum notify_form form;	       /* that works, or is pinned; FORM_DEFAULT: none */
	char shape[device_shape_size]; /* the same of shapes; empty: none */
	enum form_evidence evidence;   /* for `form` */
	uint64_t answered;	       /* how often */
	uint64_t fetched; /* how often, at most once between two tellings of one device */
	uint64_t first_utc_ms;
	uint64_t answered_utc_ms; /* the last time; 0: never */
	uint64_t fetched_utc_ms;
	uint64_t failed_utc_ms;
	enum notify_form suspect_form; /* what failed last; FORM_DEFAULT: nothing has */
	char suspect_shape[device_shape_size];
	uint64_t failed; /* how often in a row, since the last success */
	bool is_pinned;	 /* an operator knows better: `form` and `shape` are his */
	/* Whose failure was counted last; not stored: a restart forgets it. */
	struct mac failed_by;
};

enum {
	form_key_size = device_vendor_size + device_model_size + device_firmware_size,
	/*
	 * So many failures in a row put one that was fetched with to the test again; the last of
	 * them is of another device than the one before it, so that no phone decides for its kind.
	 */
	form_failures_max = 3,
	/* A phone that does not come for its files so often in a row is told another shape, … */
	form_unfetched_max = 2,
	/* … or once, when it had so much time for it. */
	form_fetch_time_ms = 10 * 60 * 1000,
	/* Of what is known so well it is enough to hear once in a while. */
	form_fetched_often = 10,
	form_news_interval_ms = 60 * 60 * 1000,
	/* A phone that asks again so soon has not booted in between. */
	form_same_boot_ms = 30 * 1000,
};

/* Why a form or a shape is in force. */
enum form_reason {
	FORM_OF_PACK,
	FORM_OF_DEVICE, /* set for this device */
	FORM_PINNED,
	FORM_LEARNED,
	FORM_OTHER, /* what comes first has failed: this is the other one */
};

struct form_choice {
	enum notify_form form;
	enum form_reason reason;
	struct span shape; /* empty: the pack has none. Lies in the pack */
	enum form_reason shape_reason;
	const struct form_record *record; /* of its kind, or NULL */
	/*
	 * It was guessed: worth a look at what comes of it, and the other one. With `is_own_case`
	 * its kind fetches, and this device alone does not come: that is no failure of its kind.
	 */
	bool is_guessed;
	bool is_own_case;
};

/*
 * What a device is of: what is recorded of it, and of `seen` what it would become (see
 * CHANGE_DEVICE_NOTIFIED), whose texts are plain, as identity_from_subscribe leaves them. The spans
 * lie in the device and in `seen`.
 */
struct form_key form_key_of(const struct device *device, const struct form_key *seen);

/*
 * Form and shape for one telling. `pack` may be NULL. `now_utc_ms` is looked at only when the
 * device was told once and did not fetch; 0: not known.
 */
void form_choose(const struct inventory *inventory, const struct device *device,
		 const struct vendor_pack *pack, const struct form_key *key, uint64_t now_utc_ms,
		 struct form_choice *choice);

/*
 * Whether it is worth telling that `device` fetched after it was told its form alone: once for each
 * telling, and not each time of a kind that fetches day by day. `record` is of its kind, or NULL.
 */
bool form_is_news(const struct form_record *record, const struct device *device);

/* The other one of the two. */
static inline enum notify_form form_other(enum notify_form form)
{
	return form == FORM_PRINT ? FORM_RFC : FORM_PRINT;
}

/* "pack", "pinned", "learned: fetched 12 times", … in words. */
void form_choice_write_reason(struct writer *w, const struct form_choice *choice);

const char *form_evidence_name(enum form_evidence evidence); /* "none", "answered", "fetched" */
int form_evidence_parse(struct span name, enum form_evidence *evidence); /* 0 or -EINVAL */

/* The record of a kind, or NULL. */
const struct form_record *form_find(const struct inventory *inventory, const struct form_key *key);

/* Walks in no particular order; start with `*cursor` 0. */
const struct form_record *form_next(const struct inventory *inventory, size_t *cursor);

/* As inventory_load_device. */
int form_load(struct inventory *inventory, struct form_record *record);

/* --- For the inventory: see CHANGE_FORM_LEARNED, _PIN, _FORGET. --- */

struct span form_record_key(const void *record);

/* Fills a key with the texts of `key`: 0, or -EINVAL when one is too long. */
int form_key_write(const struct form_key *key, char bytes[static form_key_size]);

/* Whether CHANGE_FORM_FORGET takes this record: `fields` says which of the latter two it names. */
bool form_is_named(const struct form_record *record, const struct form_record *named,
		   uint32_t fields);

/* Puts what prepare_form made in place. */
void form_commit(struct inventory *inventory, struct prepared *prepared);

void form_free_all(struct inventory *inventory);

#endif

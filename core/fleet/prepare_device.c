/* SPDX-License-Identifier: MIT */
#include "core/fleet/prepare.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* A report waits this long at most; a clock that is set back undoes nothing for longer. */
enum { overtaken_max_ms = 10000 };

static bool has(const struct prepare *work, enum change_field field)
{
	return (work->change->fields & field) != 0;
}

/* Sightings come from the network: what is not legal there is passed over, not refused. */
static bool is_sighting(const struct prepare *work)
{
	return work->change->kind == CHANGE_DEVICE_SEEN ||
	       work->change->kind == CHANGE_DEVICE_NOTIFIED;
}

/* The same of a fetch, whose User-Agent may tell the version that runs. */
static bool is_hearsay(const struct prepare *work)
{
	return is_sighting(work) || work->change->kind == CHANGE_DEVICE_FETCHED;
}

static int set_plain(struct prepare *work, char *place, size_t size, struct span text,
		     const char *what)
{
	if (text.length > 0 && !device_text_is_plain(text, size)) {
		return is_hearsay(work) ? 0 : prepare_refuse(work, -EINVAL, what, text);
	}
	return prepare_text(work, place, size, text, what);
}

static int set_maker(struct prepare *work, struct device *device)
{
	const struct change *change = work->change;
	bool is_open = !is_hearsay(work) || device->state == DEVICE_NEW;
	int error = 0;

	if (has(work, FIELD_VENDOR) && (is_open || !device->vendor[0])) {
		if (!device_vendor_is_legal(change->vendor)) {
			return prepare_refuse(work, -EINVAL,
					      "a vendor is named in small letters and digits, not",
					      change->vendor);
		}
		error = prepare_text(work, device->vendor, sizeof(device->vendor), change->vendor,
				     "not a vendor");
	}
	if (!error && has(work, FIELD_MODEL) && (is_open || !device->model[0])) {
		error = set_plain(work, device->model, sizeof(device->model), change->model,
				  "a model has letters, digits, blanks and ._+()/:-, not");
	}
	if (!error && has(work, FIELD_FIRMWARE)) {
		error = set_plain(work, device->firmware, sizeof(device->firmware),
				  change->firmware,
				  "a version has letters, digits, blanks and ._+()/:-, not");
	}
	return error;
}

/* The maker that the hardware address tells, where nobody named one. */
static void guess_vendor(struct prepare *work, struct device *device)
{
	const struct vendor_pack *pack;

	if (device->vendor[0]) {
		return;
	}
	pack = vendor_recognise(&work->inventory->vendors, &device->mac, SPAN(""), SPAN(""));
	if (pack && pack->name.length < sizeof(device->vendor)) {
		memcpy(device->vendor, pack->name.data, pack->name.length);
	}
}

static int set_names(struct prepare *work, struct device *device)
{
	const struct change *change = work->change;
	int error = 0;

	if (has(work, FIELD_PROFILE)) {
		if (change->profile.length > 0 && !prepare_find_profile(work, change->profile)) {
			return prepare_refuse(work, -ENOENT,
					      "no such profile (make it with profile set)",
					      change->profile);
		}
		error = prepare_text(work, device->profile, sizeof(device->profile),
				     change->profile, "not a profile");
	}
	if (!error && has(work, FIELD_LABEL)) {
		error = prepare_text(work, device->label, sizeof(device->label), change->label,
				     "a label is one line of at most 127 bytes, not");
	}
	if (!error && has(work, FIELD_FORM)) {
		device->form = change->form;
	}
	return error;
}

static bool is_bound_alike(const struct device *a, const struct device *b)
{
	return !mac_equal(a->mac, b->mac) && address_equal(a->bound_address, b->bound_address) &&
	       strcmp(a->bound_interface, b->bound_interface) == 0;
}

/* Another device with the same binding, as things will be. */
static const struct device *bound_alike(struct prepare *work, const struct device *device)
{
	const struct device *other;

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		if (p->device && is_bound_alike(p->device, device) &&
		    prepare_find_device(work, p->device->mac) == p->device) {
			return p->device;
		}
	}
	other = inventory_device_by_address(work->inventory, device->bound_address,
					    span_text(device->bound_interface));
	return other && is_bound_alike(other, device) &&
			       prepare_find_device(work, other->mac) == other
		       ? other
		       : NULL;
}

static int set_binding(struct prepare *work, struct device *device)
{
	const struct change *change = work->change;
	const struct device *other;
	char mac[mac_text_size];
	int error = 0;

	if (has(work, FIELD_BOUND_ADDRESS)) {
		device->bound_address = address_unmapped(change->bound_address);
		memset(device->bound_interface, 0, sizeof(device->bound_interface));
	}
	if (has(work, FIELD_BOUND_INTERFACE)) {
		error = prepare_text(work, device->bound_interface, sizeof(device->bound_interface),
				     change->bound_interface, "not the name of an interface");
	}
	if (error || !(work->change->fields & (FIELD_BOUND_ADDRESS | FIELD_BOUND_INTERFACE))) {
		return error;
	}
	if (!address_is_set(device->bound_address)) {
		return device->bound_interface[0]
			       ? prepare_refuse(work, -EINVAL,
						"an interface is bound together with an address",
						SPAN(""))
			       : 0;
	}
	if (address_is_any(device->bound_address) || address_is_multicast(device->bound_address) ||
	    address_is_broadcast(device->bound_address)) {
		return prepare_refuse(work, -EINVAL, "no phone can have that address", SPAN(""));
	}
	other = bound_alike(work, device);
	if (other) {
		mac_text(other->mac, mac);
		return prepare_refuse(work, -EEXIST, "the address is bound to another device",
				      span_text(mac));
	}
	return 0;
}

/*
 * Where a phone that nobody claimed was seen to be, and how, is not changed by somebody who only
 * says that he is it: an order to the phone, when it is claimed, would go to him.
 */
static bool is_mere_word(const struct prepare *work, const struct device *old)
{
	return old && old->state == DEVICE_NEW && old->certainty >= CERTAINTY_SEEN &&
	       is_hearsay(work) && has(work, FIELD_CERTAINTY) &&
	       work->change->certainty < CERTAINTY_SEEN;
}

/*
 * A phone may fetch before the report is stored of the NOTIFY that made it (the NOTIFY leaves
 * first): what is older than the fetch does not undo what came of it.
 */
static bool is_overtaken(const struct prepare *work, const struct device *old)
{
	uint64_t utc_ms = work->change->utc_ms;

	return old && is_sighting(work) && utc_ms < old->fetched_utc_ms &&
	       old->fetched_utc_ms - utc_ms < overtaken_max_ms;
}

/* Who it is, how that is known, and where. */
static int set_seen(struct prepare *work, const struct device *old, struct device *device)
{
	const struct change *change = work->change;

	if (is_mere_word(work, old)) {
		return 0;
	}
	if (has(work, FIELD_IDENTIFIED_BY) && !is_overtaken(work, old)) {
		device->identified_by = change->identified_by;
	}
	if (has(work, FIELD_CERTAINTY) && !is_overtaken(work, old)) {
		device->certainty = change->certainty;
	}
	if (has(work, FIELD_ADDRESS)) {
		device->address = address_unmapped(change->address);
		if (change->interface.length < sizeof(device->interface)) {
			return prepare_text(work, device->interface, sizeof(device->interface),
					    change->interface, "not the name of an interface");
		}
	}
	return 0;
}

/* It has all it should have; what was made before another database was restored is not that. */
static void set_fetched(struct prepare *work, struct device *device)
{
	uint64_t revision =
		work->change->revision ? work->change->revision : work->inventory->revision;

	if (revision < work->inventory->revision_restored) {
		device->revision = prepare_next_revision(work);
	} else {
		device->fetched_revision = revision;
	}
}

/*
 * How it was told its URL: what a fetch will be evidence for. A phone that asks anew within one
 * boot may act on what it was told before, so both forms count as sent.
 */
static void set_told(struct prepare *work, struct device *device)
{
	const struct change *change = work->change;
	bool is_same_boot = device->notified_utc_ms > 0 &&
			    change->utc_ms >= device->notified_utc_ms &&
			    change->utc_ms - device->notified_utc_ms < form_same_boot_ms;
	bool is_waiting = is_same_boot && device->told_unfetched > 0;
	bool is_fetched = is_overtaken(work, device);

	if (!has(work, FIELD_TOLD)) {
		return;
	}
	/* The other form, sent behind the first: no telling of its own. */
	if (change->told_both) {
		device->told_both = true;
		return;
	}
	device->told_both = is_waiting && (device->told_both || device->told_form != change->form);
	device->told_form = change->form;
	if (!span_equal(change->shape, span_text(device->told_shape))) {
		device->told_unfetched = is_fetched ? 0 : 1;
		(void)prepare_text(work, device->told_shape, sizeof(device->told_shape),
				   change->shape, "not a shape");
	} else if (!is_waiting && !is_fetched && device->told_unfetched < UINT8_MAX) {
		device->told_unfetched++;
	}
}

/* Which states a kind of change wants, and what it makes of them. */
static int set_state(struct prepare *work, struct device *device)
{
	switch (work->change->kind) {
	case CHANGE_DEVICE_CLAIM:
		if (device->state == DEVICE_BLOCKED) {
			return prepare_refuse(work, -EBUSY,
					      "the device is blocked; unblock it first", SPAN(""));
		}
		if (device->state == DEVICE_NEW) {
			device->state = DEVICE_CLAIMED;
		}
		break;
	case CHANGE_DEVICE_BLOCK:
		device->state = DEVICE_BLOCKED;
		break;
	case CHANGE_DEVICE_UNBLOCK:
		if (device->state == DEVICE_BLOCKED) {
			device->state = device->key[0] ? DEVICE_CLAIMED : DEVICE_NEW;
		}
		break;
	case CHANGE_DEVICE_NOTIFIED:
		set_told(work, device);
		device->notified_utc_ms = work->change->utc_ms;
		if (device->state == DEVICE_CLAIMED) {
			device->state = DEVICE_NOTIFIED;
		}
		break;
	case CHANGE_DEVICE_FETCHED:
		device->fetched_utc_ms = work->change->utc_ms;
		device->told_unfetched = 0;
		if (work->change->is_complete) {
			set_fetched(work, device);
		}
		break;
	case CHANGE_DEVICE_RESYNC:
		device->resync = work->change->resync;
		device->resync_status = work->change->resync_status;
		device->resync_utc_ms = work->change->utc_ms;
		break;
	case CHANGE_DEVICE_ADD:
	case CHANGE_DEVICE_SET:
	case CHANGE_DEVICE_REMOVE:
	case CHANGE_DEVICE_SEEN:
	case CHANGE_PROFILE_SET:
	case CHANGE_PROFILE_REMOVE:
	case CHANGE_FILE_SET:
	case CHANGE_FILE_REMOVE:
	case CHANGE_FILE_HASHED:
	case CHANGE_UNIDENTIFIED_SEEN:
	case CHANGE_FORM_LEARNED:
	case CHANGE_FORM_PIN:
	case CHANGE_FORM_FORGET:
	case CHANGE_RULE_SET:
	case CHANGE_RULE_REMOVE:
	case CHANGE_POOL_SET:
	case CHANGE_POOL_REMOVE:
	case CHANGE_DEVICES_IMPORT:
	case CHANGE_KIND_COUNT:
		break;
	}
	return 0;
}

static void give_key(struct prepare *work, struct device *device)
{
	if (device->state == DEVICE_CLAIMED && !device->key[0]) {
		struct writer key = writer_over(device->key, sizeof(device->key));

		random_write_hex(&work->inventory->random, &key, (device_key_size - 1) / 2);
		writer_terminate(&key);
	}
}

static size_t new_devices(const struct prepare *work)
{
	size_t count = work->inventory->count_by_state[DEVICE_NEW];

	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		count += p->is_addition && p->device && p->device->state == DEVICE_NEW;
	}
	return count;
}

static bool is_word_from(const struct device *device, struct address address)
{
	return device->state == DEVICE_NEW && device->certainty == CERTAINTY_CLAIMED &&
	       address_equal(device->address, address);
}

/* As many as may be stand at this address on their word alone. */
static bool is_source_full(const struct prepare *work)
{
	struct address address = address_unmapped(work->change->address);
	const struct device *device;
	size_t cursor = 0;
	size_t count = 0;

	if (!has(work, FIELD_CERTAINTY) || work->change->certainty != CERTAINTY_CLAIMED) {
		return false;
	}
	while ((device = inventory_next_device(work->inventory, &cursor))) {
		count += is_word_from(device, address);
	}
	for (const struct prepared *p = work->inventory->pending; p; p = p->before) {
		count += p->is_addition && p->device && is_word_from(p->device, address);
	}
	return count >= inventory_words_max;
}

static int refuse_sighting(struct prepare *work)
{
	__atomic_fetch_add(&work->inventory->refused_new, 1, __ATOMIC_RELAXED);
	return prepare_refuse(work, -ENOSPC, "too many devices that nobody claimed", SPAN(""));
}

static int check_room(struct prepare *work)
{
	struct inventory *inventory = work->inventory;

	if (prepare_count(work, &inventory->devices) < inventory->limits.devices_max) {
		return 0;
	}
	return is_sighting(work)
		       ? refuse_sighting(work)
		       : prepare_refuse(work, -ENOSPC,
					"the inventory is full; remove devices or raise its limit",
					SPAN(""));
}

/* A stranger; one that a rule has claimed is none. */
static int check_room_for_new(struct prepare *work, const struct device *device)
{
	return work->out->is_addition && is_sighting(work) && device->state == DEVICE_NEW &&
			       (new_devices(work) >= work->inventory->limits.new_devices_max ||
				is_source_full(work))
		       ? refuse_sighting(work)
		       : 0;
}

static int check_existence(struct prepare *work, const struct device *old)
{
	enum change_kind kind = work->change->kind;
	char mac[mac_text_size];

	mac_text(work->change->mac, mac);
	if (!mac_is_device(work->change->mac)) {
		return prepare_refuse(work, -EINVAL, "not the MAC address of one device",
				      span_text(mac));
	}
	if (kind == CHANGE_DEVICE_ADD) {
		return old ? prepare_refuse(work, -EEXIST,
					    "the device is there already; use device set or claim",
					    span_text(mac))
			   : 0;
	}
	if (kind == CHANGE_DEVICE_CLAIM || kind == CHANGE_DEVICE_SEEN) {
		return 0;
	}
	return old ? 0
		   : prepare_refuse(work, -ENOENT,
				    "no such device; add it with device add or claim",
				    span_text(mac));
}

/*
 * What its files are made from is not what it was. A sighting that fills in maker or model is no
 * edit: it may be stored after the fetch that it led to, which would leave that phone stale.
 */
static bool is_revised(const struct prepare *work, const struct device *old,
		       const struct device *device)
{
	const struct settings *settings;

	if (old && is_hearsay(work) && !work->out->is_claim_by_rule) {
		return false;
	}
	if (!old || strcmp(old->vendor, device->vendor) != 0 ||
	    strcmp(old->model, device->model) != 0 || strcmp(old->profile, device->profile) != 0 ||
	    strcmp(old->label, device->label) != 0) {
		return true;
	}
	settings = prepare_find_settings(work, device->mac);
	return !work->out->keeps_settings && settings &&
	       !settings_equal(settings, &device->settings);
}

/* Both records up to their settings, which are compared by is_revised. */
static bool is_same_record(const struct device *a, const struct device *b)
{
	return memcmp(a, b, offsetof(struct device, settings)) == 0;
}

static void stamp(struct prepare *work, const struct device *old, struct device *device)
{
	struct prepared *out = work->out;
	bool is_due;

	if (is_revised(work, old, device)) {
		device->revision = prepare_next_revision(work);
	}
	device->state = inventory_state_of(work->inventory, device);
	out->is_nothing = old && is_same_record(old, device);
	if (!is_sighting(work)) {
		return;
	}
	if (device->first_seen_utc_ms == 0) {
		device->first_seen_utc_ms = work->change->utc_ms;
		out->is_nothing = false;
	}
	device->last_seen_utc_ms = work->change->utc_ms;
	is_due = !old || work->change->utc_ms < old->stored_seen_utc_ms ||
		 work->change->utc_ms - old->stored_seen_utc_ms >= inventory_seen_interval_ms;
	if (is_due || !out->is_nothing) {
		out->is_nothing = false;
		device->stored_seen_utc_ms = work->change->utc_ms;
	}
}

static int copy_settings(struct prepare *work, struct device *device)
{
	const struct settings *old = prepare_find_settings(work, device->mac);
	int error = old ? settings_copy(&device->settings, old) : 0;

	return error ? error : prepare_settings(work, &device->settings);
}

/* The record as the fields of the change make it. */
static int make_device(struct prepare *work, const struct device *old)
{
	const struct change *change = work->change;
	struct device *device;
	int error = check_existence(work, old);

	if (!error && !old) {
		error = check_room(work);
	}
	if (error) {
		return error;
	}
	device = calloc(1, sizeof(*device));
	if (!device) {
		return -ENOMEM;
	}
	work->out->device = device;
	if (old) {
		memcpy(device, old, offsetof(struct device, settings));
	}
	device->mac = change->mac;
	work->out->is_removal = change->kind == CHANGE_DEVICE_REMOVE;
	work->out->is_addition = !old;
	work->out->was_there = old != NULL;
	work->out->state_before = old ? old->state : DEVICE_NEW;
	work->out->keeps_settings = old && change->setting_count == 0;
	if (work->out->is_removal) {
		return 0;
	}
	error = work->out->keeps_settings ? 0 : copy_settings(work, device);
	error = error ? error : set_maker(work, device);
	error = error ? error : set_names(work, device);
	error = error ? error : set_binding(work, device);
	error = error ? error : set_seen(work, old, device);
	return error ? error : set_state(work, device);
}

int prepare_device(struct prepare *work)
{
	const struct device *old = prepare_find_device(work, work->change->mac);
	struct device *device;
	int error = make_device(work, old);

	device = work->out->device;
	if (error || work->out->is_removal) {
		return error;
	}
	guess_vendor(work, device);
	error = prepare_claim(work, device);
	error = error ? error : check_room_for_new(work, device);
	if (!error) {
		give_key(work, device);
		stamp(work, old, device);
	}
	return error;
}

/* SPDX-License-Identifier: MIT */
#include "core/fleet/inventory.h"
#include "core/fleet/inventory_numbers.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

enum { bound_key_size = sizeof(struct address) + device_interface_size };

/* Address and interface of a binding are one key: see device.h. */
static_assert(offsetof(struct device, bound_interface) ==
		      offsetof(struct device, bound_address) + sizeof(struct address),
	      "the bound address and its interface stand side by side");

static struct span device_mac(const void *entry)
{
	return mac_key(&((const struct device *)entry)->mac);
}

static struct span device_key(const void *entry)
{
	return span_text(((const struct device *)entry)->key);
}

static struct span device_bound(const void *entry)
{
	return span_make((const char *)entry + offsetof(struct device, bound_address),
			 bound_key_size);
}

static struct span profile_name(const void *entry)
{
	return span_text(((const struct profile *)entry)->name);
}

static struct span file_name(const void *entry)
{
	return span_text(((const struct catalogue_file *)entry)->name);
}

static struct span file_folded(const void *entry)
{
	return span_text(((const struct catalogue_file *)entry)->folded);
}

static int reserve_all(struct inventory *inventory)
{
	struct table *const tables[] = {
		&inventory->devices,  &inventory->devices_by_key, &inventory->devices_by_bound,
		&inventory->profiles, &inventory->files,	  &inventory->files_folded,
		&inventory->forms};
	int error = inventory_numbers_init(inventory);

	if (error) {
		return error;
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (table_reserve(tables[i]) != 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

int inventory_init(struct inventory *inventory, const struct inventory_limits *limits,
		   const uint8_t seed[static random_seed_size])
{
	struct profile *first = calloc(1, sizeof(*first));
	struct random *random = &inventory->random;

	if (!first) {
		return -ENOMEM;
	}
	memcpy(first->name, "default", sizeof("default"));
	*inventory = (struct inventory){.limits = *limits};
	random_init(random, seed);
	table_init(&inventory->devices, limits->devices_max, random, device_mac);
	table_init(&inventory->devices_by_key, limits->devices_max, random, device_key);
	table_init(&inventory->devices_by_bound, limits->devices_max, random, device_bound);
	/* "default" does not count. */
	table_init(&inventory->profiles, limits->profiles_max + 1, random, profile_name);
	table_init(&inventory->files, limits->files_max, random, file_name);
	table_init(&inventory->files_folded, limits->files_max, random, file_folded);
	table_init(&inventory->forms, limits->forms_max, random, form_record_key);
	if (reserve_all(inventory) != 0 ||
	    unidentified_init(&inventory->unidentified, limits->unidentified_max, random) != 0 ||
	    table_add(&inventory->profiles, first) != 0) {
		profile_free(first);
		inventory_free(inventory);
		return -ENOMEM;
	}
	return 0;
}

void device_free(struct device *device)
{
	if (device) {
		settings_free(&device->settings);
		free(device);
	}
}

void profile_free(struct profile *profile)
{
	if (profile) {
		settings_free(&profile->settings);
		free(profile);
	}
}

void catalogue_file_free(struct catalogue_file *file)
{
	if (file) {
		free(file->name);
		free(file->folded);
		free(file);
	}
}

void inventory_free(struct inventory *inventory)
{
	size_t cursor = 0;
	void *entry;

	while ((entry = table_next(&inventory->devices, &cursor))) {
		device_free(entry);
	}
	cursor = 0;
	while ((entry = table_next(&inventory->profiles, &cursor))) {
		profile_free(entry);
	}
	cursor = 0;
	while ((entry = table_next(&inventory->files, &cursor))) {
		catalogue_file_free(entry);
	}
	inventory_numbers_free(inventory);
	unidentified_free(&inventory->unidentified);
	table_free(&inventory->devices);
	table_free(&inventory->devices_by_key);
	table_free(&inventory->devices_by_bound);
	table_free(&inventory->profiles);
	table_free(&inventory->files);
	table_free(&inventory->files_folded);
	form_free_all(inventory);
	vendors_free(&inventory->vendors);
}

const struct device *inventory_device(const struct inventory *inventory, struct mac mac)
{
	return table_find(&inventory->devices, mac_key(&mac));
}

/* The time it takes does not tell where two keys of the same length differ. */
static bool key_is(const struct device *device, struct span key)
{
	unsigned difference = 0;

	for (size_t i = 0; i < key.length; i++) {
		difference |= (unsigned char)device->key[i] ^ (unsigned char)key.data[i];
	}
	return difference == 0;
}

const struct device *inventory_device_by_key(const struct inventory *inventory, struct span key)
{
	const struct device *device;

	if (key.length != device_key_size - 1) {
		return NULL;
	}
	device = table_find(&inventory->devices_by_key, key);
	return device && key_is(device, key) ? device : NULL;
}

static const struct device *find_bound(const struct inventory *inventory, struct address address,
				       struct span interface)
{
	char key[bound_key_size] = {0};
	const struct device *device;

	if (interface.length >= device_interface_size) {
		return NULL;
	}
	memcpy(key, &address, sizeof(address));
	if (interface.length > 0) {
		memcpy(key + sizeof(address), interface.data, interface.length);
	}
	device = table_find(&inventory->devices_by_bound, span_make(key, sizeof(key)));
	if (device) {
		__builtin_prefetch(device->key); /* for its URL */
	}
	return device;
}

const struct device *inventory_device_by_address(const struct inventory *inventory,
						 struct address address, struct span interface)
{
	const struct device *device = NULL;

	address = address_unmapped(address);
	if (!address_is_set(address)) {
		return NULL;
	}
	if (interface.length > 0) {
		device = find_bound(inventory, address, interface);
	}
	return device ? device : find_bound(inventory, address, SPAN(""));
}

const struct profile *inventory_profile(const struct inventory *inventory, struct span name)
{
	return table_find(&inventory->profiles, name);
}

const struct catalogue_file *inventory_file(const struct inventory *inventory, struct span name)
{
	const struct catalogue_file *file = table_find(&inventory->files, name);
	char folded[catalogue_name_max];

	if (file || name.length > sizeof(folded)) {
		return file;
	}
	for (size_t i = 0; i < name.length; i++) {
		folded[i] = ascii_lower(name.data[i]);
	}
	return table_find(&inventory->files_folded, span_make(folded, name.length));
}

const struct device *inventory_next_device(const struct inventory *inventory, size_t *cursor)
{
	return table_next(&inventory->devices, cursor);
}

const struct profile *inventory_next_profile(const struct inventory *inventory, size_t *cursor)
{
	return table_next(&inventory->profiles, cursor);
}

const struct catalogue_file *inventory_next_file(const struct inventory *inventory, size_t *cursor)
{
	return table_next(&inventory->files, cursor);
}

uint64_t inventory_refused_new(const struct inventory *inventory)
{
	return __atomic_load_n(&inventory->refused_new, __ATOMIC_RELAXED);
}

void inventory_set_vendors(struct inventory *inventory, struct vendors *vendors)
{
	struct vendors old = inventory->vendors;

	inventory->vendors = *vendors;
	*vendors = old;
	inventory->generation++;
}

/* --- what a device's state comes to --- */

static uint64_t newest_revision(const struct inventory *inventory, const struct device *device)
{
	const struct profile *chain[profile_depth_max];
	int depth = profile_chain(inventory, span_text(device->profile), chain);
	uint64_t newest = device->revision;

	for (int i = 0; i < depth; i++) {
		if (chain[i]->revision > newest) {
			newest = chain[i]->revision;
		}
	}
	return newest;
}

enum device_state inventory_state_of(const struct inventory *inventory, const struct device *device)
{
	if (!device_is_claimed(device)) {
		return device->state;
	}
	if (device->fetched_revision == 0) {
		return device->state == DEVICE_NOTIFIED ? DEVICE_NOTIFIED : DEVICE_CLAIMED;
	}
	return newest_revision(inventory, device) > device->fetched_revision ? DEVICE_STALE
									     : DEVICE_FETCHED;
}

static void set_state(struct inventory *inventory, struct device *device, enum device_state state)
{
	inventory->count_by_state[device->state]--;
	inventory->count_by_state[state]++;
	device->state = state;
}

/* --- putting records in place: every slot was reserved, so nothing here can fail --- */

static void add_to_indexes(struct inventory *inventory, struct device *device)
{
	if (device->key[0]) {
		table_add(&inventory->devices_by_key, device);
	}
	if (address_is_set(device->bound_address)) {
		table_add(&inventory->devices_by_bound, device);
	}
}

static void remove_from_indexes(struct inventory *inventory, struct device *device)
{
	if (device->key[0]) {
		table_remove(&inventory->devices_by_key, device_key(device));
	}
	if (address_is_set(device->bound_address)) {
		table_remove(&inventory->devices_by_bound, device_bound(device));
	}
}

static void raise_revision(struct inventory *inventory, uint64_t revision)
{
	if (revision > inventory->revision) {
		inventory->revision = revision;
	}
	if (revision > inventory->revision_prepared) {
		inventory->revision_prepared = revision;
	}
}

static void insert_device(struct inventory *inventory, struct device *device)
{
	table_add(&inventory->devices, device);
	add_to_indexes(inventory, device);
	inventory_numbers_add(inventory, device);
	device->state = inventory_state_of(inventory, device);
	inventory->count_by_state[device->state]++;
}

static void replace_device(struct inventory *inventory, struct device *place, struct device *fresh,
			   bool keeps_settings)
{
	enum device_state before = place->state;
	enum device_state state = inventory_state_of(inventory, fresh);
	bool has_other_number = strcmp(place->pool, fresh->pool) != 0 ||
				strcmp(place->extension, fresh->extension) != 0;

	remove_from_indexes(inventory, place);
	if (has_other_number) {
		inventory_numbers_remove(inventory, place);
	}
	if (keeps_settings) {
		fresh->settings = place->settings;
	} else {
		settings_free(&place->settings);
	}
	*place = *fresh;
	free(fresh);
	add_to_indexes(inventory, place);
	if (has_other_number) {
		inventory_numbers_add(inventory, place);
	}
	place->state = before;
	set_state(inventory, place, state);
}

/* Whoever was at this address without a name has one now. */
static void forget_unidentified(struct inventory *inventory, enum change_kind kind,
				const struct device *device)
{
	bool is_seen = kind == CHANGE_DEVICE_SEEN || kind == CHANGE_DEVICE_NOTIFIED ||
		       kind == CHANGE_DEVICE_FETCHED;

	if (is_seen && device->certainty != CERTAINTY_SPOOFED) {
		unidentified_forget(&inventory->unidentified, device->address,
				    span_text(device->interface));
	} else if (!is_seen) {
		unidentified_forget(&inventory->unidentified, device->bound_address,
				    span_text(device->bound_interface));
	}
}

static void commit_device(struct inventory *inventory, struct prepared *prepared)
{
	struct device *device = prepared->device;
	struct device *place = table_find(&inventory->devices, device_mac(device));

	if (prepared->is_removal) {
		remove_from_indexes(inventory, place);
		inventory_numbers_remove(inventory, place);
		table_remove(&inventory->devices, device_mac(place));
		inventory->count_by_state[place->state]--;
		device_free(place);
		device_free(device);
		return;
	}
	raise_revision(inventory, device->revision);
	forget_unidentified(inventory, prepared->kind, device);
	if (place) {
		replace_device(inventory, place, device, prepared->keeps_settings);
	} else {
		insert_device(inventory, device);
	}
}

/* What a profile says has changed: see the head of inventory.h. */
static void refresh_states(struct inventory *inventory)
{
	struct device *device;
	size_t cursor = 0;

	while ((device = table_next(&inventory->devices, &cursor))) {
		if (device->state == DEVICE_FETCHED) {
			set_state(inventory, device, inventory_state_of(inventory, device));
		}
	}
}

static void put_profile(struct inventory *inventory, struct profile *fresh)
{
	struct profile *place = table_find(&inventory->profiles, profile_name(fresh));

	raise_revision(inventory, fresh->revision);
	if (!place) {
		table_add(&inventory->profiles, fresh);
		return;
	}
	settings_free(&place->settings);
	*place = *fresh;
	free(fresh);
	refresh_states(inventory);
}

static void remove_profile(struct inventory *inventory, struct profile *named)
{
	profile_free(table_remove(&inventory->profiles, profile_name(named)));
	profile_free(named);
}

static void put_file(struct inventory *inventory, struct catalogue_file *fresh)
{
	struct catalogue_file *place = table_find(&inventory->files, file_name(fresh));

	if (place) {
		place->bytes = fresh->bytes;
		place->modified_utc_ms = fresh->modified_utc_ms;
		place->version = fresh->version;
		place->has_sha256 = fresh->has_sha256;
		memcpy(place->sha256, fresh->sha256, sizeof(place->sha256));
		catalogue_file_free(fresh);
		return;
	}
	table_add(&inventory->files, fresh);
	if (!table_find(&inventory->files_folded, file_folded(fresh))) {
		table_add(&inventory->files_folded, fresh);
	}
}

static void remove_file(struct inventory *inventory, struct catalogue_file *named)
{
	struct catalogue_file *file = table_remove(&inventory->files, file_name(named));
	struct catalogue_file *other;
	size_t cursor = 0;

	if (table_find(&inventory->files_folded, file_folded(file)) == file) {
		table_remove(&inventory->files_folded, file_folded(file));
		/* One that differs only in case takes its place. */
		while ((other = table_next(&inventory->files, &cursor))) {
			if (strcmp(other->folded, file->folded) == 0) {
				table_add(&inventory->files_folded, other);
				break;
			}
		}
	}
	catalogue_file_free(file);
	catalogue_file_free(named);
}

static void unlink_pending(struct prepared *prepared)
{
	struct prepared **link = &prepared->inventory->pending;

	while (*link && *link != prepared) {
		link = &(*link)->before;
	}
	if (*link) {
		*link = prepared->before;
	}
}

static void commit_group(struct inventory *inventory, struct prepared *prepared)
{
	for (size_t i = 0; i < prepared->group_count; i++) {
		inventory_commit(inventory, &prepared->group[i]);
	}
	free(prepared->group);
}

void inventory_commit(struct inventory *inventory, struct prepared *prepared)
{
	if (!prepared->inventory) {
		return;
	}
	unlink_pending(prepared);
	if (prepared->group) {
		commit_group(inventory, prepared);
	} else if (prepared->rule || prepared->pool) {
		inventory_numbers_commit(inventory, prepared);
	}
	if (prepared->is_claim_by_rule) {
		inventory_rule_used(inventory, prepared->device);
	}
	if (prepared->device) {
		commit_device(inventory, prepared);
	} else if (prepared->profile) {
		(prepared->is_removal ? remove_profile : put_profile)(inventory, prepared->profile);
	} else if (prepared->file) {
		(prepared->is_removal ? remove_file : put_file)(inventory, prepared->file);
	} else if (prepared->unidentified) {
		unidentified_put(&inventory->unidentified, prepared->unidentified);
	} else if (prepared->form) {
		form_commit(inventory, prepared);
	}
	inventory->generation += !prepared->is_nothing;
	*prepared = (struct prepared){0};
}

void prepared_free(struct prepared *prepared)
{
	if (prepared->inventory) {
		unlink_pending(prepared);
	}
	while (prepared->group_count > 0) {
		prepared_free(&prepared->group[--prepared->group_count]);
	}
	free(prepared->group);
	if (prepared->is_number_reserved) {
		inventory_number_unreserve(prepared->inventory, prepared->device);
	}
	device_free(prepared->device);
	profile_free(prepared->profile);
	catalogue_file_free(prepared->file);
	rule_free(prepared->rule);
	number_pool_free(prepared->pool);
	free(prepared->unidentified);
	free(prepared->form);
	free(prepared->form_evicted);
	*prepared = (struct prepared){0};
}

/* --- what the store hands over at start --- */

static bool text_has_no_controls(const char *text)
{
	while (*text && (unsigned char)*text >= 0x20 && *text != 0x7f) {
		text++;
	}
	return *text == '\0';
}

static bool text_is_plain(const char *text, size_t size)
{
	return text[0] == '\0' || device_text_is_plain(span_text(text), size);
}

static bool key_is_sound(const struct device *device)
{
	size_t length = strspn(device->key, "0123456789abcdef");

	return device->key[length] == '\0' &&
	       (length == device_key_size - 1 || (length == 0 && !device_is_claimed(device)));
}

/* As inventory_prepare would have made it: see set_plain and prepare_text. */
static bool device_is_sound(const struct device *device)
{
	return mac_is_device(device->mac) && device->state <= DEVICE_BLOCKED &&
	       key_is_sound(device) && device_vendor_is_legal(span_text(device->vendor)) &&
	       text_is_plain(device->model, sizeof(device->model)) &&
	       text_is_plain(device->firmware, sizeof(device->firmware)) &&
	       text_has_no_controls(device->label) && text_has_no_controls(device->profile) &&
	       text_has_no_controls(device->interface) &&
	       text_has_no_controls(device->bound_interface) &&
	       text_has_no_controls(device->claimed_by) && !device->pool[0] &&
	       !device->extension[0];
}

int inventory_load_device(struct inventory *inventory, struct device *device)
{
	if (!device_is_sound(device)) {
		return -EINVAL;
	}
	if (table_find(&inventory->devices, device_mac(device)) ||
	    (device->key[0] && table_find(&inventory->devices_by_key, device_key(device))) ||
	    (address_is_set(device->bound_address) &&
	     table_find(&inventory->devices_by_bound, device_bound(device)))) {
		return -EEXIST;
	}
	if (inventory->devices.count >= inventory->devices.count_max) {
		return -ENOSPC;
	}
	device->stored_seen_utc_ms = device->last_seen_utc_ms;
	/* Who was to see it through is gone. */
	if (device->resync == RESYNC_WAITING || device->resync == RESYNC_SENT ||
	    device->resync == RESYNC_ACKNOWLEDGED) {
		device->resync = RESYNC_INTERRUPTED;
	}
	raise_revision(inventory, device->revision);
	raise_revision(inventory, device->fetched_revision);
	insert_device(inventory, device);
	inventory->generation++;
	return 0;
}

int inventory_load_profile(struct inventory *inventory, struct profile *profile)
{
	bool is_default = strcmp(profile->name, "default") == 0;

	if (profile->name[0] == '\0' || is_default != (profile->parent[0] == '\0')) {
		return -EINVAL;
	}
	if (!is_default) {
		if (table_find(&inventory->profiles, profile_name(profile))) {
			return -EEXIST;
		}
		if (inventory->profiles.count >= inventory->profiles.count_max) {
			return -ENOSPC;
		}
	}
	put_profile(inventory, profile);
	inventory->generation++;
	return 0;
}

char *catalogue_name_fold(const char *name)
{
	size_t length = strlen(name);
	char *folded = malloc(length + 1);

	for (size_t i = 0; folded && i <= length; i++) {
		folded[i] = ascii_lower(name[i]);
	}
	return folded;
}

int inventory_load_file(struct inventory *inventory, struct catalogue_file *file)
{
	if (!catalogue_name_is_legal(span_text(file->name))) {
		return -EINVAL;
	}
	if (table_find(&inventory->files, file_name(file))) {
		return -EEXIST;
	}
	if (inventory->files.count >= inventory->files.count_max) {
		return -ENOSPC;
	}
	free(file->folded);
	file->folded = catalogue_name_fold(file->name);
	if (!file->folded) {
		return -ENOMEM;
	}
	put_file(inventory, file);
	inventory->generation++;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Anything that a phone may say (a User-Agent, an Event's vendor or model, a DHCP class, the name
 * of a file) against every pattern of every pack that comes with Bellhop: one bound of steps over
 * all of them, readings that lie within the text, and no pattern that matches without the literal
 * that it is said to need.
 */
#include "core/fleet/config.h"
#include "core/fleet/vendor_files.h"
#include "core/fleet/vendor_match.h"
#include "io/packs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct inventory inventory;

static void load(void)
{
	static const uint8_t seed[random_seed_size] = {1};
	struct inventory_limits limits = {.devices_max = 4,
					  .new_devices_max = 4,
					  .profiles_max = 4,
					  .files_max = 4,
					  .unidentified_max = 8,
					  .forms_max = 8};
	struct packs_source source = {.folder = BELLHOP_SOURCE_ROOT "/vendors"};

	if (inventory_init(&inventory, &limits, seed) != 0 ||
	    packs_load(&source, &inventory.vendors) != 0 || inventory.vendors.count == 0) {
		abort();
	}
}

static void check_within(struct span part, struct span text)
{
	if (part.length > 0 &&
	    (part.data < text.data || part.data + part.length > text.data + text.length)) {
		abort();
	}
}

static void check_reading(const struct vendor_reading *reading, struct span text)
{
	check_within(reading->model, text);
	check_within(reading->version, text);
	check_within(reading->mac, text);
}

static void check_work(const struct vendor_work *work)
{
	if (work->steps > vendor_steps_max || work->steps + work->steps_left != vendor_steps_max) {
		abort();
	}
}

/* With the literal and without: the same. */
static void check_patterns(const struct vendor_patterns *patterns, struct span text)
{
	for (size_t i = 0; i < patterns->count; i++) {
		struct vendor_pattern bare = patterns->items[i];
		struct vendor_reading reading = {0};
		struct vendor_work work;
		bool is_match;

		vendor_work_begin(&work);
		vendor_work_text(&work, text);
		is_match = vendor_pattern_matches(&work, &patterns->items[i], &reading);
		check_reading(&reading, text);
		check_work(&work);
		bare.literal = SPAN("");
		vendor_work_begin(&work);
		vendor_work_text(&work, text);
		if (vendor_pattern_matches(&work, &bare, NULL) != is_match) {
			abort();
		}
	}
}

static void check_pack(const struct vendor_pack *pack, struct span text)
{
	check_patterns(&pack->sip_user_agent, text);
	check_patterns(&pack->http_user_agent, text);
	check_patterns(&pack->dhcp_class, text);
	check_patterns(&pack->event_vendor, text);
	check_patterns(&pack->event_model, text);
	for (size_t i = 0; i < pack->file_count; i++) {
		check_patterns(&pack->files[i].match, text);
		check_patterns(
			&(struct vendor_patterns){(struct vendor_pattern *)&pack->files[i].named,
						  1},
			text);
	}
	check_within(vendor_event_model(pack, text), text);
}

static void check_name(struct span text)
{
	struct vendor_file_reading reading;
	bool is_read = vendor_read_file_name(&inventory.vendors, text, &reading);

	if (is_read != (reading.candidates != 0) ||
	    is_read != (reading.pack || reading.is_ambiguous) ||
	    (reading.pack == NULL) != (reading.rule == NULL) ||
	    (reading.has_mac && !mac_is_device(reading.mac))) {
		abort();
	}
	check_within(reading.model, text);
}

/* A file of a device's own with a MAC in its name is found by this device alone. */
static void check_device(struct span text)
{
	struct vendor_file_reading reading;
	struct device device = {.mac = {{0, 0x90, 0x8f, 0, 0, 1}}, .state = DEVICE_CLAIMED};
	struct config_file file;

	for (size_t i = 0; i < inventory.vendors.count; i++) {
		const struct vendor_pack *pack = inventory.vendors.packs[i];

		(void)span_to_text(pack->name, device.vendor, sizeof(device.vendor));
		file = config_file_find(&inventory, &device, text);
		if (file.rule && file.rule->identity == FILE_IDENTITY_MAC &&
		    vendor_read_file_name(&inventory.vendors, text, &reading) &&
		    reading.rule == file.rule && !mac_equal(reading.mac, device.mac)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct vendor_reading reading = {0};
	struct vendor_work work;

	if (inventory.vendors.count == 0) {
		load();
	}
	vendor_work_begin(&work);
	vendor_recognise_with(&work, &inventory.vendors, NULL, text, text);
	check_work(&work);
	vendor_read_dhcp_class(&inventory.vendors, text, &reading);
	check_reading(&reading, text);
	for (size_t i = 0; i < inventory.vendors.count; i++) {
		check_pack(inventory.vendors.packs[i], text);
	}
	check_name(text);
	check_device(text);
	return 0;
}

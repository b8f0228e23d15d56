/* SPDX-License-Identifier: MIT */
/*
 * Renders one file of one of the packs in vendors/ for test_packs_two.py, which reads it back as
 * the phone would: render_packs_two VENDOR MODEL MAC FILE URL [SETTING=VALUE]... Values go past the
 * checks of settings, as a store that was edited by hand may hold them. The file to stdout, or what
 * is wrong to stderr and 1.
 */
#include "core/fleet/config.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

static const struct vendor_file *rule_of(const struct vendor_pack *pack, const char *name)
{
	for (size_t i = 0; i < pack->file_count; i++) {
		if (span_equal(pack->files[i].pattern, span_text(name))) {
			return &pack->files[i];
		}
	}
	return NULL;
}

static void take_settings(struct device *device, char **arguments)
{
	for (; *arguments; arguments++) {
		struct span value = span_text(*arguments);
		struct span path = span_cut(&value, '=');

		settings_put(&device->settings, path, value);
	}
}

static int render(struct inventory *inventory, const struct vendor_pack *pack,
		  struct device *device, char **arguments)
{
	const struct vendor_file *rule = rule_of(pack, arguments[4]);
	struct config_server server = {.address = fleet_address("10.13.4.121"),
				       .http_port = 8080,
				       .https_port = 8443,
				       .tftp_port = 69,
				       .sip_port = 5060,
				       .url = span_text(arguments[5])};
	struct span bytes = {0};
	struct arena arena;
	int error;

	if (!rule) {
		fprintf(stderr, "there is no such file\n");
		return 2;
	}
	take_settings(device, arguments + 6);
	arena_init(&arena, 32 << 20);
	error = config_render(inventory, &(struct config_wish){device, rule, &server}, &arena,
			      &bytes, fleet_problem, sizeof(fleet_problem));
	if (error) {
		fprintf(stderr, "%s\n", fleet_problem);
	} else if (bytes.length > 0) {
		fwrite(bytes.data, 1, bytes.length, stdout);
	}
	arena_free(&arena);
	return error ? 1 : 0;
}

int main(int count, char **arguments)
{
	struct device *device = calloc(1, sizeof(*device));
	struct inventory inventory;
	struct vendor_pack *pack;
	int result;

	if (count < 6 || !device) {
		return 2;
	}
	pack = pack_of_maker(arguments[1], fleet_problem, sizeof(fleet_problem));
	if (!pack) {
		fprintf(stderr, "%s\n", fleet_problem);
		return 2;
	}
	fleet_open(&inventory, 10, 5);
	vendors_add(&inventory.vendors, pack);
	*device = (struct device){.mac = fleet_mac(arguments[3]),
				  .state = DEVICE_CLAIMED,
				  .key = "00112233445566778899aabbccddeeff"};
	snprintf(device->vendor, sizeof(device->vendor), "%s", arguments[1]);
	snprintf(device->model, sizeof(device->model), "%s", arguments[2]);
	if (inventory_load_device(&inventory, device) != 0) {
		return 2;
	}
	result = render(&inventory, pack, device, arguments);
	inventory_free(&inventory);
	return result;
}

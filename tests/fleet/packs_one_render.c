/* SPDX-License-Identifier: MIT */
/*
 * packs_one_render FILE: renders files of shipped packs and prints what came out, one JSON object a
 * line: {"output": …} or {"error": …}. FILE is a list of {vendor, model, mac, name, url, settings};
 * without a name, all configs of the pack that hold no secrets, one after the other. Settings go in
 * past every check, as a store that was edited by hand may hold them. packs_one_files.py reads it.
 */
#include "core/fleet/config.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

#include <jansson.h>

static struct inventory inventory;
static const struct vendor_pack *pack;

static const char *text_of(const json_t *test, const char *key)
{
	const char *text = json_string_value(json_object_get(test, key));

	return text ? text : "";
}

static void print_result(const char *key, struct span text)
{
	json_t *line = json_object();

	json_object_set_new(line, key, json_stringn(text.data ? text.data : "", text.length));
	json_dumpf(line, stdout, JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(line);
}

static void fill(struct device *device, const json_t *test)
{
	json_t *settings = json_object_get(test, "settings");
	const char *path;
	json_t *value;

	*device = (struct device){.mac = fleet_mac(text_of(test, "mac")),
				  .state = DEVICE_CLAIMED,
				  .key = "00112233445566778899aabbccddeeff"};
	snprintf(device->vendor, sizeof(device->vendor), "%s", text_of(test, "vendor"));
	snprintf(device->model, sizeof(device->model), "%s", text_of(test, "model"));
	json_object_foreach(settings, path, value)
	{
		struct span text = span_make(json_string_value(value), json_string_length(value));

		if (settings_put(&device->settings, span_text(path), text) != 0) {
			abort();
		}
	}
}

static void render(const struct device *device, const struct vendor_file *rule, const json_t *test)
{
	struct config_server server = {.address = fleet_address("10.13.4.121"),
				       .http_port = 8080,
				       .https_port = 8443,
				       .tftp_port = 69,
				       .sip_port = 5060,
				       .url = span_text(text_of(test, "url"))};
	char problem[512] = "";
	struct span bytes = {0};
	struct arena arena;

	arena_init(&arena, 32 << 20);
	if (config_render(&inventory, &(struct config_wish){device, rule, &server}, &arena, &bytes,
			  problem, sizeof(problem)) == 0) {
		print_result("output", bytes);
	} else {
		print_result("error", span_text(problem));
	}
	arena_free(&arena);
}

static void run(const json_t *test)
{
	struct device *device = calloc(1, sizeof(*device));
	const char *name = text_of(test, "name");
	struct config_file file;

	if (!device) {
		abort();
	}
	fill(device, test);
	if (inventory_load_device(&inventory, device) != 0) {
		abort();
	}
	if (name[0] == '\0') {
		for (size_t i = 0; i < pack->file_count; i++) {
			if (pack->files[i].kind == VENDOR_FILE_CONFIG &&
			    !pack->files[i].has_secrets) {
				render(device, &pack->files[i], test);
			}
		}
		return;
	}
	file = config_file_find(&inventory, device, span_text(name));
	if (file.kind == CONFIG_FILE_RENDERED) {
		render(device, file.rule, test);
	} else {
		print_result("error", SPAN("there is no such file"));
	}
}

static bool begin(const json_t *test)
{
	char problem[512] = "";
	struct vendor_pack *loaded =
		pack_of_maker(text_of(test, "vendor"), problem, sizeof(problem));

	fleet_open(&inventory, 10, 5);
	if (!loaded || vendors_add(&inventory.vendors, loaded) != 0) {
		fprintf(stderr, "%s\n", problem);
		return false;
	}
	pack = loaded;
	return true;
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *tests = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
	size_t i;
	json_t *test;

	if (!json_is_array(tests)) {
		fprintf(stderr, "usage: packs_one_render FILE\n");
		return 2;
	}
	json_array_foreach(tests, i, test)
	{
		if (!begin(test)) {
			return 1;
		}
		run(test);
		puts("");
		inventory_free(&inventory);
	}
	json_decref(tests);
	return 0;
}

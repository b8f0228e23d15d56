/* SPDX-License-Identifier: MIT */
/* Names of files alone: whose they are, and what stands in them (ecosystem.md 4.1). */
#include "core/fleet/config.h"
#include "core/fleet/vendor_files.h"
#include "core/fleet/vendor_match.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"
#include "tests/guard.h"

static struct inventory inventory;

struct maker {
	const char *name;
	const char *oui;
	const char *files;
};

static const struct maker makers[] = {
	{"snom", "000413",
	 "{\"name\":\"snom<model>-<MAC>.htm\",\"kind\":\"stored\","
	 "\"match\":[\"snom(?<model>[a-z]?[0-9]{3})-(?<mac>[0-9a-f]{12})\\\\.(htm|xml)\"]},"
	 "{\"name\":\"snom-firmware.xml\",\"kind\":\"stored\"}"},
	{"yealink", "001565",
	 "{\"name\":\"<mac>.cfg\",\"kind\":\"config\",\"template\":\"t\",\"format\":\"text\"},"
	 "{\"name\":\"y000000000000.cfg\",\"identity\":\"model\",\"kind\":\"config\","
	 "\"template\":\"t\",\"format\":\"text\",\"secrets\":false,"
	 "\"match\":[\"y[0-9]{12}\\\\.cfg\"]}"},
	{"grandstream", "000b82",
	 "{\"name\":\"cfg<mac>.xml\",\"kind\":\"config\",\"template\":\"t\",\"format\":\"xml\"},"
	 "{\"name\":\"cfg<model>.xml\",\"kind\":\"stored\"},"
	 "{\"name\":\"cfg.xml\",\"kind\":\"stored\"}"},
	{"poly", "0004f2",
	 "{\"name\":\"<mac>.cfg\",\"kind\":\"stored\"},"
	 "{\"name\":\"<mac>-directory.xml\",\"kind\":\"stored\"},"
	 "{\"name\":\"000000000000.cfg\",\"kind\":\"stored\"}"},
	{"panasonic", "0080f0",
	 "{\"name\":\"Config<MAC>.cfg\",\"kind\":\"stored\"},"
	 "{\"name\":\"<model>.cfg\",\"kind\":\"stored\"}"},
	{"zenitel", "0013cb",
	 "{\"name\":\"ipst_config_<mac>.cfg\",\"kind\":\"stored\"},"
	 "{\"name\":\"<mac>/<mac>.txt\",\"kind\":\"stored\"}"},
};

static bool add_maker(const struct maker *maker)
{
	char text[2048];
	struct pack_file files[] = {{"pack.json", text}, {"t", "x\n"}};
	struct pack_files pack_files = {files, 2};
	struct vendor_pack *pack = NULL;
	char problem[300] = "";

	snprintf(text, sizeof(text),
		 "{\"schema\":1,\"name\":\"%s\",\"display_name\":\"x\",\"recognise\":{\"oui\":[\"%"
		 "s\"]},"
		 "\"files\":[%s]}",
		 maker->name, maker->oui, maker->files);
	if (vendor_pack_load(&pack, pack_read_memory, &pack_files, problem, sizeof(problem)) != 0 ||
	    vendors_add(&inventory.vendors, pack) != 0) {
		printf("# %s: %s\n", maker->name, problem);
		test_is_failed = true;
		return false;
	}
	return true;
}

static bool begin(void)
{
	fleet_open(&inventory, 10, 5);
	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++) {
		if (!add_maker(&makers[i])) {
			return false;
		}
	}
	return true;
}

struct name_row {
	const char *name;
	const char *vendor; /* "": several; NULL: nobody's */
	const char *mac;    /* NULL: none */
	const char *model;
	enum vendor_file_identity identity;
};

static const struct name_row names[] = {
	{"snomD785-000413922D24.htm", "snom", "000413922d24", "D785", FILE_IDENTITY_MAC},
	{"SNOM320-000413922d24.XML", "snom", "000413922d24", "320", FILE_IDENTITY_MAC},
	{"snomD785-ffffffffffff.htm", NULL, NULL, "", 0},
	{"snomD785-000000000000.htm", NULL, NULL, "", 0},
	{"snomD785-000413922D24.htm.cfg", "panasonic", NULL, "snomD785-000413922D24.htm",
	 FILE_IDENTITY_MODEL},
	{"snom-firmware.xml", "snom", NULL, "", FILE_IDENTITY_COMMON},
	{"p/00112233445566778899aabbccddeeff/snom-firmware.xml", "snom", NULL, "",
	 FILE_IDENTITY_COMMON},
	{"cfg000b82632815.xml", "grandstream", "000b82632815", "", FILE_IDENTITY_MAC},
	{"cfg000B82632815.xml", "grandstream", "000b82632815", "", FILE_IDENTITY_MAC},
	{"cfggrp2612.xml", "grandstream", NULL, "grp2612", FILE_IDENTITY_MODEL},
	{"cfg.xml", "grandstream", NULL, "", FILE_IDENTITY_COMMON},
	{"cfg000000000000.xml", NULL, NULL, "", 0},
	{"y000000000046.cfg", "yealink", NULL, "", FILE_IDENTITY_MODEL},
	/* Several makers have it; the OUI says whose it is, or nobody does. */
	{"001565aabbcc.cfg", "yealink", "001565aabbcc", "", FILE_IDENTITY_MAC},
	{"00:15:65:AA:BB:CC.cfg", "yealink", "001565aabbcc", "", FILE_IDENTITY_MAC},
	{"0004f2aabbcc.CFG", "poly", "0004f2aabbcc", "", FILE_IDENTITY_MAC},
	{"020000000001.cfg", "", "020000000001", "", 0},
	/* One that is of another maker than its OUI: the name alone says poly. */
	{"001565aabbcc-directory.xml", "poly", "001565aabbcc", "", FILE_IDENTITY_MAC},
	{"000000000000.cfg", "poly", NULL, "", FILE_IDENTITY_COMMON},
	{"ffffffffffff.cfg", NULL, NULL, "", 0},
	{"01005e000001.cfg", NULL, NULL, "", 0},
	{"ConfigBCC342000001.cfg", "panasonic", "bcc342000001", "", FILE_IDENTITY_MAC},
	{"KX-UT136.cfg", "panasonic", NULL, "KX-UT136", FILE_IDENTITY_MODEL},
	{"ipst_config_00_13_cb_0a_0b_0c.cfg", "zenitel", "0013cb0a0b0c", "", FILE_IDENTITY_MAC},
	{"ipst_config_0013.cb0a.0b0c.cfg", "zenitel", "0013cb0a0b0c", "", FILE_IDENTITY_MAC},
	{"x/0013cb0a0b0c.txt", "zenitel", "0013cb0a0b0c", "", FILE_IDENTITY_MAC},
	{"0013cb0a0b0.txt", NULL, NULL, "", 0},
	{"cfg000b82632815.xml/", NULL, NULL, "", 0},
	{"", NULL, NULL, "", 0},
	{"/", NULL, NULL, "", 0},
	{"nobody.knows", NULL, NULL, "", 0},
};

static void a_bare_name_tells_who_asks(void)
{
	REQUIRE(begin());
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct name_row *row = &names[i];
		struct vendor_file_reading reading;
		bool is_read =
			vendor_read_file_name(&inventory.vendors, span_text(row->name), &reading);
		char mac[mac_text_size] = "";

		if (reading.has_mac) {
			mac_text(reading.mac, mac);
		}
		CHECK_EQUAL(row->vendor != NULL, is_read);
		CHECK_SPAN(span_text(row->vendor), reading.pack ? reading.pack->name : SPAN(""));
		CHECK_EQUAL(row->vendor && !row->vendor[0], reading.is_ambiguous);
		CHECK_EQUAL(reading.pack != NULL, reading.rule != NULL);
		CHECK_EQUAL(is_read, reading.candidates != 0);
		CHECK_TEXT(row->mac ? row->mac : "", span_text(mac));
		CHECK_TEXT(row->model, reading.model);
		CHECK(!reading.rule || reading.rule->identity == row->identity);
		if (test_is_failed) {
			printf("# %s\n", row->name);
			break;
		}
	}
	inventory_free(&inventory);
}

static void candidates_are_named(void)
{
	struct vendor_file_reading reading;

	REQUIRE(begin());
	CHECK(vendor_read_file_name(&inventory.vendors, SPAN("020000000001.cfg"), &reading));
	CHECK_EQUAL(1 << 1 | 1 << 3, reading.candidates);
	inventory_free(&inventory);
}

/* What a device asks for: its own MAC in any spelling, nobody else's. */
static void names_of_another_device_open_nothing(void)
{
	static const struct {
		const char *name;
		bool is_its_own;
	} rows[] = {
		{"000413922d24.cfg", true},
		{"000413922D24.CFG", true},
		{"00-04-13-92-2D-24.cfg", true},
		{"sub/00:04:13:92:2d:24.cfg", true},
		{"000413922d25.cfg", false},
		{"00-04-13-92-2D-25.cfg", false},
		{"000000000000.cfg", false},
		{"ffffffffffff.cfg", false},
		{"y000000000046.cfg", true},
		{"Y000000000099.cfg", true},
		{"y00000000046.cfg", false},
		{"000413922d24.cfg.bak", false},
		{"", false},
	};
	struct device device = {.mac = fleet_mac("000413922d24"),
				.state = DEVICE_CLAIMED,
				.vendor = "yealink",
				.model = "T46S"};

	REQUIRE(begin());
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_file file =
			config_file_find(&inventory, &device, span_text(rows[i].name));

		CHECK_EQUAL(rows[i].is_its_own ? CONFIG_FILE_RENDERED : CONFIG_FILE_NONE,
			    file.kind);
		if (test_is_failed) {
			printf("# %s\n", rows[i].name);
			break;
		}
	}
	inventory_free(&inventory);
}

/* A file that is there on the disk: asked for by a name of the maker's with another model. */
static void a_model_that_contradicts_is_fine(void)
{
	struct device device = {.mac = fleet_mac("000413922d24"),
				.state = DEVICE_CLAIMED,
				.vendor = "snom",
				.model = "D715"};
	static const char *const there[] = {"snomD785-000413922D24.htm",
					    "snomD785-000413922D25.htm"};
	struct config_file file;

	REQUIRE(begin());
	for (size_t i = 0; i < 2; i++) {
		fleet_do(&inventory,
			 (struct change){.kind = CHANGE_FILE_SET, .file = span_text(there[i])});
	}
	file = config_file_find(&inventory, &device, span_text(there[0]));
	CHECK_EQUAL(CONFIG_FILE_CATALOGUE, file.kind);
	CHECK(file.rule != NULL);
	/* Of another device: a plain file of the catalogue, without secrets by its contract. */
	file = config_file_find(&inventory, &device, span_text(there[1]));
	CHECK(file.rule == NULL);
	inventory_free(&inventory);
}

/* By its OUI the maker is known before its first sighting is stored. */
static void a_phone_of_no_recorded_maker_has_that_of_its_oui(void)
{
	struct device device = {.mac = fleet_mac("001565aabbcc"), .state = DEVICE_CLAIMED};

	REQUIRE(begin());
	CHECK_EQUAL(CONFIG_FILE_RENDERED,
		    config_file_find(&inventory, &device, SPAN("001565aabbcc.cfg")).kind);
	device.mac = fleet_mac("020000000001");
	CHECK_EQUAL(CONFIG_FILE_NONE,
		    config_file_find(&inventory, &device, SPAN("020000000001.cfg")).kind);
	CHECK_EQUAL(CONFIG_FILE_RENDERED,
		    config_file_find(&inventory, &device, SPAN("cfg020000000001.xml")).kind);
	inventory_free(&inventory);
}

/* A common file whose template asks for a password, or for the key, finds neither. */
static void a_file_without_secrets_sees_none(void)
{
	static const char *const templates[] = {
		"{{ sip_lines['1'].username }}{{ sip_lines['1'].password | default('none') }}\n",
		"{{ url.base | default('none') }}\n",
	};
	static const char *const expected[] = {"201none\n", "none\n"};
	struct device *device = calloc(1, sizeof(*device));
	struct config_server server = {.http_port = 8080, .url = SPAN("http://h/p/%{key}/")};

	fleet_open(&inventory, 10, 5);
	*device = (struct device){.mac = fleet_mac("001565aabbcc"),
				  .state = DEVICE_CLAIMED,
				  .vendor = "acme",
				  .key = "00112233445566778899aabbccddeeff"};
	REQUIRE(inventory_load_device(&inventory, device) == 0);
	fleet_set(&inventory, "001565aabbcc", "sip_lines.1.username", "201");
	fleet_set(&inventory, "001565aabbcc", "sip_lines.1.password", "hunter2");
	for (size_t i = 0; i < 2; i++) {
		struct pack_file files[] = {
			{"pack.json",
			 "{\"schema\":1,\"name\":\"acme\",\"display_name\":\"x\","
			 "\"recognise\":{},\"files\":["
			 "{\"name\":\"all.cfg\",\"kind\":\"config\",\"template\":\"t\","
			 "\"format\":\"text\",\"secrets\":false},"
			 "{\"name\":\"<mac>.cfg\",\"kind\":\"config\",\"template\":\"t\","
			 "\"format\":\"text\"}]}"},
			{"t", templates[i]}};
		struct pack_files pack_files = {files, 2};
		struct vendor_pack *pack = NULL;
		struct arena arena;
		struct span bytes = {0};
		char problem[300] = "";

		arena_init(&arena, 1 << 20);
		REQUIRE(vendor_pack_load(&pack, pack_read_memory, &pack_files, problem,
					 sizeof(problem)) == 0);
		vendors_add(&inventory.vendors, pack);
		device = (struct device *)(uintptr_t)fleet_device(&inventory, "001565aabbcc");
		CHECK_EQUAL(0,
			    config_render(&inventory,
					  &(struct config_wish){device, &pack->files[0], &server},
					  &arena, &bytes, problem, sizeof(problem)));
		CHECK_TEXT(expected[i], bytes);
		/* The phone's own file has them. */
		CHECK_EQUAL(0,
			    config_render(&inventory,
					  &(struct config_wish){device, &pack->files[1], &server},
					  &arena, &bytes, problem, sizeof(problem)));
		CHECK(!span_equal(bytes, span_text(expected[i])));
		arena_free(&arena);
	}
	inventory_free(&inventory);
}

struct mistake {
	const char *file;
	const char *problem;
};

static void a_row_that_would_leak_or_cannot_tell_is_refused(void)
{
	static const struct mistake mistakes[] = {
		{"\"name\":\"all.cfg\",\"kind\":\"config\",\"template\":\"t\",\"format\":\"text\"",
		 "pack.json:1: files[0].secrets: must be false"},
		{"\"name\":\"<mac>.cfg\",\"identity\":\"common\",\"kind\":\"config\","
		 "\"template\":\"t\",\"format\":\"text\",\"secrets\":true",
		 "pack.json:1: files[0].secrets: must be false"},
		{"\"name\":\"a.cfg\",\"identity\":\"mac\",\"kind\":\"stored\"",
		 "pack.json:1: files[0].identity: is mac, but no MAC is in the name"},
		{"\"name\":\"<mac>.cfg\",\"kind\":\"stored\",\"match\":[\"a(?<mac>..)\",\"b\"]",
		 "pack.json:1: files[0].match[1]: has no group"},
		{"\"name\":\"a.cfg\",\"kind\":\"stored\",\"match\":[\"(\"]",
		 "pack.json:1: files[0].match[0]: not a pattern"},
		{"\"name\":\"a.cfg\",\"kind\":\"stored\","
		 "\"match\":[\"()()()()()()()()()()()()()()()()\"]",
		 "pack.json:1: files[0].match[0]: the pattern has more than 15 groups"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		char text[600];
		struct pack_file files[] = {{"pack.json", text}, {"t", "x\n"}};
		struct pack_files pack_files = {files, 2};
		struct vendor_pack *pack = NULL;
		char problem[300] = "";

		snprintf(text, sizeof(text),
			 "{\"schema\":1,\"name\":\"a\",\"display_name\":\"x\",\"recognise\":{},"
			 "\"files\":[{%s}]}",
			 mistakes[i].file);
		CHECK_EQUAL(-EINVAL, vendor_pack_load(&pack, pack_read_memory, &pack_files, problem,
						      sizeof(problem)));
		CHECK(span_starts_with(span_text(problem), span_text(mistakes[i].problem)));
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, problem);
			break;
		}
	}
}

/* Every pattern of every pack against one name: one bound, and then it is nobody's. */
static void a_hostile_name_costs_one_bound(void)
{
	struct vendor_file_reading reading;
	char name[vendor_text_max + 1];

	fleet_open(&inventory, 10, 5);
	for (int i = 0; i < 8; i++) {
		char title[8];
		struct maker maker = {title, "000000",
				      "{\"name\":\"x\",\"kind\":\"stored\","
				      "\"match\":[\"(a+)+b\",\"(?:a|aa)+c\",\"(?:a*)*d\"]}"};
		char oui[7];

		snprintf(title, sizeof(title), "m%d", i);
		snprintf(oui, sizeof(oui), "00000%d", i);
		maker.oui = oui;
		REQUIRE(add_maker(&maker));
	}
	memset(name, 'a', sizeof(name));
	CHECK(!vendor_read_file_name(&inventory.vendors, span_make(name, vendor_text_max),
				     &reading));
	CHECK(!vendor_read_file_name(&inventory.vendors, span_make(name, sizeof(name)), &reading));
	name[40] = 'b';
	CHECK(vendor_read_file_name(&inventory.vendors, span_make(name, 41), &reading));
	CHECK(reading.is_ambiguous);
	inventory_free(&inventory);
}

static void read_at_the_edge(struct span input, void *context)
{
	struct vendor_file_reading reading;
	struct device device = {.mac = fleet_mac("000413922d24"), .vendor = "snom"};

	(void)context;
	vendor_read_file_name(&inventory.vendors, input, &reading);
	config_file_find(&inventory, &device, input);
}

static void nothing_is_read_past_the_end(void)
{
	REQUIRE(begin());
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		guard_each_prefix(span_text(names[i].name), read_at_the_edge, NULL);
	}
	inventory_free(&inventory);
}

int main(void)
{
	RUN(a_bare_name_tells_who_asks);
	RUN(candidates_are_named);
	RUN(names_of_another_device_open_nothing);
	RUN(a_model_that_contradicts_is_fine);
	RUN(a_phone_of_no_recorded_maker_has_that_of_its_oui);
	RUN(a_file_without_secrets_sees_none);
	RUN(a_row_that_would_leak_or_cannot_tell_is_refused);
	RUN(a_hostile_name_costs_one_bound);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

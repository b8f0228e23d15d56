/* SPDX-License-Identifier: MIT */
#include "core/fleet/config.h"
#include "core/fleet/parameters.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

#define PHONE "00908f0a0b0c"
#define KEY   "00112233445566778899aabbccddeeff"

static struct inventory inventory;
static const struct vendor_pack *pack;

/* One claimed 440HD with a key that is known. */
static bool open_fleet(void)
{
	struct device *device = calloc(1, sizeof(*device));
	char problem[512] = "";
	struct vendor_pack *loaded = pack_of_maker("audiocodes", problem, sizeof(problem));

	fleet_open(&inventory, 10, 5);
	pack = loaded;
	if (!loaded || !device) {
		printf("# %s\n", problem);
		test_is_failed = true;
		return false;
	}
	*device = (struct device){.mac = fleet_mac(PHONE),
				  .state = DEVICE_CLAIMED,
				  .vendor = "audiocodes",
				  .model = "440HD",
				  .key = KEY};
	vendors_add(&inventory.vendors, loaded);
	return inventory_load_device(&inventory, device) == 0;
}

static struct config_server server_of(const char *url)
{
	return (struct config_server){.address = fleet_address("10.13.4.121"),
				      .http_port = 8080,
				      .https_port = 8443,
				      .tftp_port = 69,
				      .sip_port = 5060,
				      .url = span_text(url)};
}

struct url_row {
	const char *configured;
	const char *url; /* NULL: refused */
	int error;
};

static const struct url_row urls[] = {
	/* standards.md, golden exchange: 18 bytes. */
	{"tftp://%{address}", "tftp://10.13.4.121", 0},
	{"http://%{address}:8080/p/%{key}/",
	 "http://10.13.4.121:8080/440HD.img;p/" KEY "/<MAC>.cfg", 0},
	{"http://%{address}:%{port}/", "http://10.13.4.121:8080/440HD.img;<MAC>.cfg", 0},
	{"https://%{address}:%{port}/", "https://10.13.4.121:8443/440HD.img;<MAC>.cfg", 0},
	{"tftp://%{address}:%{port}/", "tftp://10.13.4.121:69/440HD.img;<MAC>.cfg", 0},
	{"10.0.0.1/a/", "10.0.0.1/440HD.img;a/<MAC>.cfg", 0},
	/* What is no base goes out as it stands, placeholders of the phone's own too. */
	{"http://h/x.img;<MODEL>_<MAC>_conf.cfg", "http://h/x.img;<MODEL>_<MAC>_conf.cfg", 0},
	{"http://h/{mac}$mac<MAC>%20%", "http://h/{mac}$mac<MAC>%20%", 0},
	{"http://h/%{mac}/%{MAC}/%{model}/%{vendor}",
	 "http://h/00908f0a0b0c/00908F0A0B0C/440HD/audiocodes", 0},
	{"", "", 0},
	{"http://%{host}/", NULL, -EINVAL},
	{"http://%{}/", NULL, -EINVAL},
	{"http://%{address", NULL, -EINVAL},
	{"http://%{base}/", NULL, -EINVAL},
	/* 128 bytes are the most (audiocodes.md 1.7), 129 are too many. */
	{"http://a-host-name-that-is-rather-lon.provisioning.voice.example.org:8080/p/%{key}/",
	 "http://a-host-name-that-is-rather-lon.provisioning.voice.example.org:8080/"
	 "440HD.img;p/" KEY "/<MAC>.cfg",
	 0},
	{"http://a-host-name-that-is-rather-long.provisioning.voice.example.org:8080/p/%{key}/",
	 NULL, -E2BIG},
};

static void urls_take_the_makers_shape(void)
{
	REQUIRE(open_fleet());
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct config_server server = server_of(urls[i].configured);
		char text[config_url_max];
		char problem[200] = "";
		struct writer url = writer_over(text, sizeof(text));
		int error = config_url(fleet_device(&inventory, PHONE), pack, &server, &url,
				       problem, sizeof(problem));

		CHECK_EQUAL(urls[i].error, error);
		CHECK_SPAN(span_text(urls[i].url), writer_span(&url));
		CHECK((error != 0) == (problem[0] != '\0'));
		CHECK(error || url.length <= 128);
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, problem);
		}
	}
	inventory_free(&inventory);
}

static void a_url_needs_what_it_names(void)
{
	struct device device = {.mac = fleet_mac(PHONE), .vendor = "audiocodes"};
	struct config_server server = server_of("http://%{address}:8080/p/%{key}/");
	char text[config_url_max];
	char problem[200] = "";
	struct writer url = writer_over(text, sizeof(text));

	REQUIRE(open_fleet());
	CHECK_EQUAL(-ENODATA, config_url(&device, pack, &server, &url, problem, sizeof(problem)));
	CHECK(strstr(problem, "%{key}") != NULL);
	memcpy(device.key, KEY, sizeof(KEY));
	/* The printed grammar lets the firmware's name be left out (audiocodes.md 2.1). */
	CHECK_EQUAL(0, config_url(&device, pack, &server, &url, problem, sizeof(problem)));
	CHECK_TEXT("http://10.13.4.121:8080/;p/" KEY "/<MAC>.cfg", writer_span(&url));
	url.length = 0;
	memcpy(device.model, "X6U Pro", 8);
	CHECK_EQUAL(0, config_url(&device, pack, &server, &url, problem, sizeof(problem)));
	CHECK_TEXT("http://10.13.4.121:8080/X6U%20Pro.img;p/" KEY "/<MAC>.cfg", writer_span(&url));
	url.length = 0;
	CHECK_EQUAL(0, config_url(&device, NULL, &server, &url, problem, sizeof(problem)));
	CHECK_TEXT("http://10.13.4.121:8080/p/" KEY "/", writer_span(&url));
	server = server_of("https://%{address}:%{port}/");
	server.https_port = 0;
	CHECK_EQUAL(-ENODATA, config_url(&device, NULL, &server, &url, problem, sizeof(problem)));
	server = server_of("http://%{address}/x");
	server.address = fleet_address("2001:db8::1");
	url.length = 0;
	CHECK_EQUAL(0, config_url(&device, NULL, &server, &url, problem, sizeof(problem)));
	CHECK_TEXT("http://[2001:db8::1]/x", writer_span(&url));
	server.address = (struct address){0};
	CHECK_EQUAL(-ENODATA, config_url(&device, NULL, &server, &url, problem, sizeof(problem)));
	url = writer_over(text, 10);
	server = server_of("http://h/0123456789");
	CHECK_EQUAL(-E2BIG, config_url(&device, NULL, &server, &url, problem, sizeof(problem)));
	CHECK(url.length == 0 && !url.failed);
	inventory_free(&inventory);
}

/* RFC 3986 2.3: letters, digits, "-._~" as they are, each other octet as %HH. */
static void what_a_url_cannot_hold_is_encoded(void)
{
	struct config_server server = server_of("%{model}");

	for (unsigned octet = 1; octet < 256; octet++) {
		struct device device = {.mac = fleet_mac(PHONE), .model = {(char)octet}};
		char text[config_url_max];
		char expected[4] = {(char)octet};
		char problem[200];
		struct writer url = writer_over(text, sizeof(text));

		if (!ascii_is_alnum((char)octet) && !strchr("-._~", (int)octet)) {
			snprintf(expected, sizeof(expected), "%%%02X", octet);
		}
		CHECK_EQUAL(0, config_url(&device, NULL, &server, &url, problem, sizeof(problem)));
		CHECK_TEXT(expected, writer_span(&url));
	}
}

static void names_mean_this_phones_files(void)
{
	static const struct {
		const char *name;
		enum config_file_kind kind;
		bool has_secrets;
	} rows[] = {
		{"00908f0a0b0c.cfg", CONFIG_FILE_RENDERED, true},
		{"00908F0A0B0C.cfg", CONFIG_FILE_RENDERED, true},
		{"00908F0a0B0C.CFG", CONFIG_FILE_RENDERED, true},
		{"00908f0a0b0d.cfg", CONFIG_FILE_NONE, false},
		{"00908f0a0b0c.cfgx", CONFIG_FILE_NONE, false},
		{"x00908f0a0b0c.cfg", CONFIG_FILE_NONE, false},
		{"<MAC>.cfg", CONFIG_FILE_NONE, false},
		{"440HD.img", CONFIG_FILE_CATALOGUE, false},
		{"440hd.IMG", CONFIG_FILE_CATALOGUE, false},
		{"420HD.img", CONFIG_FILE_NONE, false},
		{"rings/ding.wav", CONFIG_FILE_CATALOGUE, false},
		{"", CONFIG_FILE_NONE, false},
	};
	const struct device *device;

	REQUIRE(open_fleet());
	device = fleet_device(&inventory, PHONE);
	fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("440HD.img")});
	fleet_do(&inventory,
		 (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("rings/ding.wav")});
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_file file =
			config_file_find(&inventory, device, span_text(rows[i].name));

		CHECK_EQUAL(rows[i].kind, file.kind);
		CHECK_EQUAL(rows[i].has_secrets, file.has_secrets);
		CHECK_EQUAL(rows[i].has_secrets, file.is_essential);
		CHECK((file.kind == CONFIG_FILE_CATALOGUE) == (file.catalogue != NULL));
		if (test_is_failed) {
			printf("# %s\n", rows[i].name);
		}
	}
	inventory_free(&inventory);
}

/* A stored file that a pack calls a secret is one for phones of other makers too. */
static void a_stored_secret_is_its_phones_alone(void)
{
	struct vendor_pack *other;
	const struct device *device;
	struct config_file file;
	char text[64];
	struct writer name = writer_over(text, sizeof(text));

	REQUIRE(open_fleet());
	device = fleet_device(&inventory, PHONE);
	other = pack_of_text("{\"schema\":1,\"name\":\"acme\",\"display_name\":\"Acme\","
			     "\"recognise\":{},\"files\":[{\"name\":\"sip-<mac>.txt\","
			     "\"kind\":\"stored\",\"secrets\":true},{\"name\":\"all.txt\","
			     "\"kind\":\"stored\",\"secrets\":true}]}");
	REQUIRE(other != NULL);
	vendors_add(&inventory.vendors, other);
	fleet_do(&inventory,
		 (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("sip-00908f0a0b0d.txt")});
	file = config_file_find(&inventory, device, SPAN("sip-00908f0a0b0d.txt"));
	CHECK_EQUAL(CONFIG_FILE_NONE, file.kind);
	CHECK_EQUAL(CONFIG_FILE_RENDERED,
		    config_file_name(&inventory, device, 0, &name, &file) == 0 ? file.kind : 0);
	CHECK_EQUAL(-ENOENT, config_file_name(&inventory, device, 1, &name, &file));
	fleet_do(&inventory,
		 (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("sip-00908f0a0b0c.txt")});
	file = config_file_find(&inventory, device, SPAN("sip-00908f0a0b0c.txt"));
	CHECK_EQUAL(CONFIG_FILE_CATALOGUE, file.kind);
	CHECK(file.has_secrets);
	fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("all.txt")});
	file = config_file_find(&inventory, device, SPAN("all.txt"));
	CHECK_EQUAL(CONFIG_FILE_CATALOGUE, file.kind);
	CHECK(file.has_secrets);
	inventory_free(&inventory);
}

static void files_are_listed_once(void)
{
	static const char *const expected[] = {"00908F0A0B0C.cfg", "440HD.img", "ding.wav"};
	const struct device *device;
	char text[64];
	struct config_file file;
	size_t i = 0;

	REQUIRE(open_fleet());
	device = fleet_device(&inventory, PHONE);
	fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("ding.wav")});
	fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET, .file = SPAN("440HD.img")});
	for (; i < 5; i++) {
		struct writer name = writer_over(text, sizeof(text));

		if (config_file_name(&inventory, device, i, &name, &file) != 0) {
			break;
		}
		REQUIRE(i < 3);
		CHECK_TEXT(expected[i], writer_span(&name));
	}
	CHECK_EQUAL(3, i);
	inventory_free(&inventory);
}

/* --- rendering --- */

static struct arena arena;

static int render(const char *url, struct span *bytes)
{
	const struct device *device = fleet_device(&inventory, PHONE);
	struct config_server server = server_of(url);
	struct config_file file = config_file_find(&inventory, device, SPAN("00908f0a0b0c.cfg"));

	fleet_problem[0] = '\0';
	return config_render(&inventory, &(struct config_wish){device, file.rule, &server}, &arena,
			     bytes, fleet_problem, sizeof(fleet_problem));
}

static bool begin(void)
{
	arena_init(&arena, 32 << 20);
	return open_fleet();
}

static void end(void)
{
	inventory_free(&inventory);
	arena_free(&arena);
}

/* The settings of a case: PATH = VALUE, a line each, in tests/fixtures/audiocodes/NAME.settings. */
static bool read_fixture(const char *name, const char *suffix, char *buffer, size_t size,
			 struct span *text)
{
	const char *root = getenv("BELLHOP_SOURCE");
	char path[900];
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/fixtures/audiocodes/%s.%s", root ? root : ".", name,
		 suffix);
	file = fopen(path, "rb");
	if (!file) {
		printf("# %s is not there\n", path);
		return false;
	}
	*text = span_make(buffer, fread(buffer, 1, size, file));
	fclose(file);
	return true;
}

static void apply(struct span text)
{
	while (text.data) {
		struct span rest = span_cut(&text, '\n');
		struct span path = span_trim(span_cut(&rest, '='));
		struct change_setting setting = {.path = path, .value = span_trim(rest)};

		if (path.length > 0 && path.data[0] != '#') {
			CHECK_EQUAL(0,
				    fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SET,
									 .mac = fleet_mac(PHONE),
									 .settings = &setting,
									 .setting_count = 1}));
			CHECK_TEXT("", span_text(fleet_problem));
		}
	}
}

/* Only parameters that the maker's facts name, each once, and none out of its range. */
static void check_parameters(struct span bytes)
{
	struct span first = span_cut(&(struct span){bytes.data, bytes.length}, '\n');
	struct span rest = bytes;

	CHECK_TEXT("system/type=440HD", first);
	while (rest.data) {
		struct span line = span_cut(&rest, '\n');
		struct span name = span_slice(line, 0, span_find(line, '='));
		struct span after = rest;

		if (line.length == 0) {
			CHECK(rest.data == NULL);
			break;
		}
		CHECK(parameter_find(pack, name) != NULL);
		while (after.data) {
			struct span other = span_cut(&after, '\n');

			CHECK(!span_equal(name, span_slice(other, 0, span_find(other, '='))));
		}
		if (test_is_failed) {
			test_print_span("line", line);
			break;
		}
	}
}

static void golden(const char *name)
{
	char settings[8192];
	char expected[16384];
	struct span text;
	struct span bytes = {0};
	struct span again = {0};

	REQUIRE(begin());
	REQUIRE(read_fixture(name, "settings", settings, sizeof(settings), &text));
	apply(text);
	CHECK_EQUAL(0, render("http://%{address}:8080/p/%{key}/", &bytes));
	CHECK_TEXT("", span_text(fleet_problem));
	REQUIRE(read_fixture(name, "cfg", expected, sizeof(expected), &text));
	CHECK_SPAN(text, bytes);
	check_parameters(bytes);
	/* What nobody set does not show: no date, no firmware, no address of the phone. */
	fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SEEN,
					     .utc_ms = 1767225600000,
					     .mac = fleet_mac(PHONE),
					     .fields = FIELD_ADDRESS | FIELD_FIRMWARE,
					     .address = fleet_address("10.13.2.37"),
					     .firmware = SPAN("2.2.2")});
	CHECK_EQUAL(0, render("http://%{address}:8080/p/%{key}/", &again));
	CHECK_SPAN(bytes, again);
	end();
}

static void renders_a_phone_without_settings(void)
{
	golden("bare");
}

static void renders_a_whole_office_phone(void)
{
	golden("office");
}

static void renders_six_lines(void)
{
	golden("six-lines");
}

struct refusal {
	const char *path;
	const char *value;
	const char *problem; /* part of it */
};

static void what_the_phone_would_not_take_is_refused(void)
{
	static const struct refusal rows[] = {
		{"sip_proxy_port", "80", "voip/signalling/sip/proxy_port"},
		{"sip_backup_proxy_ip", "a-host-of-more-than-32-bytes.example.org",
		 "voip/signalling/sip/redundant_proxy/address"},
		{"timezone", "Mars/Olympus_Mons", "mac.cfg.j2"},
		/* Past every check, as a store that was edited by hand may hold it. */
		{"sip_lines.1.password", "hunter2\nsystem/password=x", "sip_lines.1.password"},
		{"sip_lines.1.display_name", "hunter2\r", "sip_lines.1.display_name"},
		{"admin_password", "hunter2\n", "admin_password"},
		{"sip_lines", "hunter2", "sip_lines.1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span bytes = {0};
		struct device *device;

		REQUIRE(begin());
		device = table_find(&inventory.devices,
				    mac_key(&(struct mac){{0, 0x90, 0x8f, 0xa, 0xb, 0xc}}));
		REQUIRE(device != NULL);
		settings_put(&device->settings, SPAN("sip_lines.1.username"), SPAN("100"));
		settings_put(&device->settings, SPAN("sip_proxy_ip"), SPAN("10.0.0.1"));
		settings_put(&device->settings, span_text(rows[i].path), span_text(rows[i].value));
		CHECK_EQUAL(-EINVAL, render("tftp://%{address}", &bytes));
		CHECK(bytes.data == NULL);
		CHECK(strstr(fleet_problem, rows[i].problem) != NULL);
		CHECK(strstr(fleet_problem, "hunter2") == NULL);
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, fleet_problem);
		}
		end();
	}
}

static void static_urls_need_a_folder(void)
{
	struct span bytes = {0};

	REQUIRE(begin());
	fleet_set(&inventory, PHONE, "provisioning_method", "static");
	CHECK_EQUAL(0, render("tftp://%{address}", &bytes));
	CHECK(span_search(bytes, SPAN("provisioning/configuration/url="
				      "tftp://10.13.4.121/00908F0A0B0C.cfg\n")) < bytes.length);
	CHECK(span_search(bytes, SPAN("provisioning/firmware/url=tftp://10.13.4.121/440HD.img\n")) <
	      bytes.length);
	CHECK_EQUAL(-EINVAL, render("http://h/one.img;two.cfg", &bytes));
	CHECK(strstr(fleet_problem, "mac.cfg.j2") != NULL);
	end();
}

static void a_phone_of_no_recorded_maker_is_served_by_name(void)
{
	struct device device = {.mac = fleet_mac("020000000001"), .state = DEVICE_CLAIMED};
	struct config_server server = server_of("http://%{address}/");
	struct vendor_pack *other;
	struct config_file file;
	struct span bytes = {0};

	REQUIRE(begin());
	file = config_file_find(&inventory, &device, SPAN("020000000001.cfg"));
	REQUIRE(file.kind == CONFIG_FILE_RENDERED);
	CHECK_EQUAL(0, config_render(&inventory, &(struct config_wish){&device, file.rule, &server},
				     &arena, &bytes, fleet_problem, sizeof(fleet_problem)));
	CHECK(span_starts_with(bytes, SPAN("system/ntp/enabled=1\n")));
	/* Two makers that share the name: nobody can tell. */
	other = pack_of_text("{\"schema\":1,\"name\":\"acme\",\"display_name\":\"Acme\","
			     "\"recognise\":{},\"files\":[{\"name\":\"<mac>.cfg\","
			     "\"kind\":\"stored\"}]}");
	REQUIRE(other != NULL);
	vendors_add(&inventory.vendors, other);
	file = config_file_find(&inventory, &device, SPAN("020000000001.cfg"));
	CHECK_EQUAL(CONFIG_FILE_NONE, file.kind);
	end();
}

static void a_firmware_is_not_rendered(void)
{
	struct config_server server = server_of("http://h/");
	struct span bytes = {0};
	const struct vendor_file *rule = NULL;

	REQUIRE(begin());
	for (size_t i = 0; i < pack->file_count; i++) {
		if (pack->files[i].kind == VENDOR_FILE_FIRMWARE) {
			rule = &pack->files[i];
		}
	}
	REQUIRE(rule != NULL);
	CHECK_EQUAL(-EINVAL, config_render(&inventory,
					   &(struct config_wish){fleet_device(&inventory, PHONE),
								 rule, &server},
					   &arena, &bytes, fleet_problem, 512));
	end();
}

/* audiocodes.md, User-Agents of the phones */
static void the_pack_reads_its_phones(void)
{
	static const struct {
		const char *agent;
		const char *model;
		const char *version;
		const char *mac;
	} rows[] = {
		{"AUDC-IPPhone/2.2.2", "", "2.2.2", ""},
		{"AUDC-IPPhone/1.2.1_build_6", "", "1.2.1_build_6", ""},
		{"AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)", "440HD", "2.2.8.61",
		 "00908F602AAC"},
		{"AUDC-IPPhone/2.0.0_build_15 (420HD; 00908F3BBCBA)", "420HD", "2.0.0_build_15",
		 "00908F3BBCBA"},
		{"AUDC/3.4.6.604 AUDC-IPPhone-C450HD_UC_3.4.6.604/1", "C450HD", "UC_3.4.6.604", ""},
		{"AUDC-IPPhone-430HD_UC_2.0.13.121/1.0.0000.0", "430HD", "UC_2.0.13.121", ""},
	};

	REQUIRE(open_fleet());
	CHECK_EQUAL(FORM_RFC, pack->form);
	CHECK_EQUAL(128, pack->url_max);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct vendor_reading reading = {0};
		struct span agent = span_text(rows[i].agent);

		CHECK(vendor_recognise(&inventory.vendors, NULL, agent, SPAN("")) == pack);
		CHECK(vendor_read_user_agent(pack, agent, &reading));
		CHECK_TEXT(rows[i].model, reading.model);
		CHECK_TEXT(rows[i].version, reading.version);
		CHECK_TEXT(rows[i].mac, reading.mac);
	}
	inventory_free(&inventory);
}

int main(void)
{
	RUN(urls_take_the_makers_shape);
	RUN(a_url_needs_what_it_names);
	RUN(what_a_url_cannot_hold_is_encoded);
	RUN(names_mean_this_phones_files);
	RUN(a_stored_secret_is_its_phones_alone);
	RUN(files_are_listed_once);
	RUN(renders_a_phone_without_settings);
	RUN(renders_a_whole_office_phone);
	RUN(renders_six_lines);
	RUN(what_the_phone_would_not_take_is_refused);
	RUN(static_urls_need_a_folder);
	RUN(a_phone_of_no_recorded_maker_is_served_by_name);
	RUN(a_firmware_is_not_rendered);
	RUN(the_pack_reads_its_phones);
	return test_end();
}

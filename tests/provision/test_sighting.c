/* SPDX-License-Identifier: MIT */
/*
 * Phones that are recognised when they ask for a file, those that are served while nobody has
 * claimed them, and what a served phone tells of itself.
 */
#include "core/provision/files.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

#define PHONE  "00908f0a0b0c"
#define OTHER  "00908f000002"
#define AGENT  "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F0A0B0C)"
#define SECRET "wohl-geheim-8731"

static const char *root = ".";
static struct inventory inventory;
static struct policy policy;
static struct sightings sightings;
static struct arena arena;
static struct effects effects;
static uint64_t now_ms = 1000000;
static const char *agent;
static const char *source;

static const struct link_evidence routed = {.is_routed = true};

static struct link_evidence seen(const char *mac)
{
	return (struct link_evidence){.is_known = true,
				      .mac = fleet_mac(mac),
				      .by = IDENTIFIED_BY_NEIGHBOUR};
}

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	(void)local;
	*server = (struct config_server){.address = address_ipv4(10, 13, 4, 121),
					 .http_port = 8080,
					 .sip_port = 5060,
					 .url = SPAN("http://%{address}:%{port}/p/%{key}/")};
}

static void open_house(size_t devices_max)
{
	static const uint8_t seed[random_seed_size] = {1};
	struct inventory_limits limits = {.devices_max = devices_max,
					  .new_devices_max = devices_max,
					  .profiles_max = 10,
					  .files_max = 10,
					  .unidentified_max = 3};
	struct vendor_pack *pack = NULL;
	char folder[1024];
	char problem[512] = "";
	struct random random;

	snprintf(folder, sizeof(folder), "%s/vendors/audiocodes", root);
	if (inventory_init(&inventory, &limits, seed) != 0 ||
	    vendor_pack_load(&pack, pack_read_folder, folder, problem, sizeof(problem)) != 0 ||
	    vendors_add(&inventory.vendors, pack) != 0) {
		printf("Bail out! %s\n", problem);
		exit(1);
	}
	random_init_number(&random, 1);
	sightings_init(&sightings, &random);
	policy = (struct policy){.access_by_key = true, .access_by_neighbour = true};
	agent = "";
	source = "10.13.2.37";
}

static struct file_request request_for(const char *path, struct link_evidence link)
{
	return (struct file_request){.path = span_text(path),
				     .user_agent = span_text(agent),
				     .source = {fleet_address(source), 40000},
				     .interface = SPAN("eth0"),
				     .link = link,
				     .now_ms = now_ms};
}

static struct file_answer ask(const char *path, struct link_evidence link)
{
	struct files_context files = {.inventory = &inventory,
				      .policy = &policy,
				      .server_for = server_for,
				      .sightings = &sightings};
	struct file_request request = request_for(path, link);
	struct file_answer answer;

	arena_reset(&arena);
	effects_reset(&effects);
	files_serve(&files, &request, &arena, &answer, &effects);
	return answer;
}

static const struct change *posted(void)
{
	for (size_t i = 0; i < effects.count; i++) {
		if (effects.items[i].kind == EFFECT_CHANGE) {
			return effects.items[i].change;
		}
	}
	return NULL;
}

/* As the store does it. */
static int store_posted(void)
{
	return posted() ? fleet_do(&inventory, *posted()) : 0;
}

static void a_phone_that_fetches_is_new(void)
{
	const struct change *change;

	open_house(10);
	agent = AGENT;
	CHECK_EQUAL(FILE_REFUSED, ask("/provision/anything.cfg", routed).verdict);
	change = posted();
	REQUIRE(change != NULL);
	CHECK_EQUAL(CHANGE_DEVICE_SEEN, change->kind);
	CHECK(mac_equal(fleet_mac(PHONE), change->mac));
	CHECK_TEXT("audiocodes", change->vendor);
	CHECK_TEXT("440HD", change->model);
	CHECK_TEXT("2.2.8.61", change->firmware);
	CHECK_EQUAL(IDENTIFIED_BY_USER_AGENT, change->identified_by);
	CHECK_EQUAL(CERTAINTY_CLAIMED, change->certainty);
	CHECK_EQUAL(0, store_posted());
	CHECK_EQUAL(DEVICE_NEW, fleet_device(&inventory, PHONE)->state);
	/* On-link it is seen to be itself; then a word from elsewhere says nothing any more. */
	agent = "";
	CHECK_EQUAL(FILE_REFUSED, ask("00908F0A0B0C.cfg", seen(PHONE)).verdict);
	CHECK_EQUAL(0, store_posted());
	CHECK_EQUAL(CERTAINTY_CONFIRMED, fleet_device(&inventory, PHONE)->certainty);
	CHECK_EQUAL(IDENTIFIED_BY_NEIGHBOUR, fleet_device(&inventory, PHONE)->identified_by);
	source = "192.0.2.66";
	CHECK_EQUAL(FILE_REFUSED, ask("00908F0A0B0C.cfg", routed).verdict);
	CHECK(posted() == NULL);
	inventory_free(&inventory);
}

static void what_is_no_phone_or_not_new_is_no_sighting(void)
{
	open_house(10);
	agent = "Mozilla/5.0";
	ask("favicon.ico", seen("020000000002"));
	CHECK(posted() == NULL);
	ask("0200000000aa.cfg", routed);
	CHECK(posted() == NULL);
	agent = AGENT;
	ask("../00908F0A0B0C.cfg", routed);
	CHECK(posted() == NULL);
	policy.unknown = UNKNOWN_IGNORE;
	ask("00908F0A0B0C.cfg", seen(PHONE));
	CHECK(posted() == NULL);
	policy.unknown = UNKNOWN_LIST;
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	ask("no-such-file", seen(PHONE));
	CHECK(posted() == NULL);
	fleet_change(&inventory, CHANGE_DEVICE_BLOCK, PHONE);
	CHECK_EQUAL(FILE_REFUSED, ask("00908F0A0B0C.cfg", seen(PHONE)).verdict);
	CHECK(posted() == NULL);
	inventory_free(&inventory);
}

/* It names another's MAC: listed once, and no device is made of it. */
static void a_spoofer_makes_no_device(void)
{
	const struct unidentified *entry;

	open_house(10);
	CHECK_EQUAL(FILE_REFUSED, ask("00908F0A0B0C.cfg", seen(OTHER)).verdict);
	REQUIRE(posted() != NULL);
	CHECK_EQUAL(CHANGE_UNIDENTIFIED_SEEN, posted()->kind);
	CHECK_EQUAL(0, store_posted());
	ask("00908F0A0B0C.cfg", seen(OTHER));
	CHECK_EQUAL(0, store_posted());
	CHECK_EQUAL(0, inventory.devices.count);
	entry = unidentified_find(&inventory.unidentified, fleet_address(source), SPAN("eth0"));
	REQUIRE(entry != NULL);
	CHECK_EQUAL(2, entry->count);
	CHECK_EQUAL(CERTAINTY_SPOOFED, entry->certainty);
	CHECK(entry->has_named && mac_equal(fleet_mac(PHONE), entry->named));
	CHECK_TEXT("mac_is_not_its_own", span_text(entry->reason));
	inventory_free(&inventory);
}

/* A SUBSCRIBE without a MAC from behind a router; what it said then is kept. */
static void a_request_gives_the_unidentified_a_name(void)
{
	open_house(10);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_UNIDENTIFIED_SEEN,
							    .address = fleet_address(source),
							    .interface = SPAN("eth0"),
							    .certainty = CERTAINTY_UNIDENTIFIED,
							    .reason = "routed",
							    .vendor = SPAN("audiocodes"),
							    .model = SPAN("440HD"),
							    .firmware = SPAN("2.2.2")}));
	CHECK_EQUAL(1, inventory.unidentified.table.count);
	ask("00908F0A0B0C.cfg", routed);
	CHECK_EQUAL(0, store_posted());
	CHECK_EQUAL(0, inventory.unidentified.table.count);
	REQUIRE(fleet_device(&inventory, PHONE) != NULL);
	CHECK_TEXT("440HD", span_text(fleet_device(&inventory, PHONE)->model));
	CHECK_TEXT("2.2.2", span_text(fleet_device(&inventory, PHONE)->firmware));
	CHECK_EQUAL(IDENTIFIED_BY_FILE_NAME, fleet_device(&inventory, PHONE)->identified_by);
	inventory_free(&inventory);
}

static size_t sweep(unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "00908f%06x.cfg", i);
		ask(name, routed);
		(void)store_posted();
	}
	return inventory.devices.count;
}

/* One source takes neither all at once nor, with patience, more than its share. */
static void a_sweep_of_macs_does_not_fill_the_table(void)
{
	open_house(2000);
	CHECK_EQUAL(sighting_burst, sweep(1, 1000));
	CHECK_EQUAL(880, sightings.refused);
	for (unsigned minute = 1; minute < 60; minute++) {
		now_ms += 60000;
		sweep(1000 * minute, 1000);
	}
	CHECK_EQUAL(inventory_words_max, inventory.devices.count);
	source = "10.99.0.1";
	CHECK_EQUAL(inventory_words_max + 10, sweep(100000, 10));
	inventory_free(&inventory);
}

/* ---- unknown = bootstrap -------------------------------------------------------------------- */

static void set_profile(const char *name, const char *path, const char *value)
{
	struct change_setting setting = {.path = span_text(path), .value = span_text(value)};

	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_PROFILE_SET,
							    .profile = span_text(name),
							    .settings = &setting,
							    .setting_count = 1}));
}

static void open_bootstrap(void)
{
	open_house(10);
	policy.unknown = UNKNOWN_BOOTSTRAP;
	set_profile("default", "admin_password", SECRET);
	set_profile("default", "sip_lines.1.username", "101");
	set_profile("default", "sip_lines.1.password", SECRET);
	set_profile("default", "ntp_ip", "10.13.4.7");
	agent = AGENT;
}

static bool holds(const struct file_answer *answer, const char *text)
{
	return span_search(answer->bytes, span_text(text)) < answer->bytes.length;
}

static void an_unclaimed_phone_gets_no_secret(void)
{
	static const char *const paths[] = {"/p/bootstrap/00908F0A0B0C.cfg", "00908F0A0B0C.cfg",
					    "/fw/p/bootstrap/00908F0A0B0C.cfg"};
	struct file_answer answer;

	open_bootstrap();
	for (size_t i = 0; i < 3; i++) {
		answer = ask(paths[i], seen(PHONE));
		CHECK_EQUAL(FILE_BYTES, answer.verdict);
		CHECK(holds(&answer, "10.13.4.7"));
		CHECK(!holds(&answer, SECRET));
		CHECK(!answer.has_secrets && !answer.is_essential);
		REQUIRE(posted() != NULL);
		CHECK_EQUAL(CHANGE_DEVICE_SEEN, posted()->kind);
	}
	CHECK_EQUAL(0, store_posted());
	/* A profile of its own goes before the default; the settings of the device are not shown.
	 */
	set_profile("bootstrap", "ntp_ip", "10.13.4.8");
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_DEVICE_SET,
						.mac = fleet_mac(PHONE),
						.settings =
							&(struct change_setting){
								.path = SPAN("ntp_ip"),
								.value = SPAN("10.13.4.9")},
						.setting_count = 1}));
	answer = ask(paths[0], seen(PHONE));
	CHECK(holds(&answer, "10.13.4.8") && !holds(&answer, "10.13.4.9"));
	CHECK(!holds(&answer, SECRET));
	/* What it took is not what it should have. */
	CHECK_EQUAL(0, fleet_do(&inventory,
				files_fetched(&(struct file_request){.interface = SPAN("eth0")},
					      &answer)));
	CHECK_EQUAL(DEVICE_NEW, fleet_device(&inventory, PHONE)->state);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	CHECK_EQUAL(DEVICE_CLAIMED, fleet_device(&inventory, PHONE)->state);
	inventory_free(&inventory);
}

static void whom_bootstrap_refuses(void)
{
	static const char path[] = "/p/bootstrap/00908F0A0B0C.cfg";

	open_bootstrap();
	CHECK_EQUAL(FILE_REFUSED, ask(path, seen(OTHER)).verdict);
	CHECK_EQUAL(FILE_REFUSED, ask(path, routed).verdict);
	CHECK_EQUAL(FILE_PENDING, ask(path, (struct link_evidence){.is_pending = true}).verdict);
	CHECK_EQUAL(FILE_REFUSED, ask("/p/bootstrap/nothing.cfg", seen(PHONE)).verdict);
	policy.serves_routed = true;
	CHECK_EQUAL(FILE_BYTES, ask(path, routed).verdict);
	policy.serves_routed = false;
	policy.unknown = UNKNOWN_LIST;
	CHECK_EQUAL(FILE_REFUSED, ask(path, seen(PHONE)).verdict);
	policy.unknown = UNKNOWN_BOOTSTRAP;
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	fleet_change(&inventory, CHANGE_DEVICE_BLOCK, PHONE);
	CHECK_EQUAL(FILE_REFUSED, ask(path, seen(PHONE)).verdict);
	CHECK_EQUAL(FILE_REFUSED, ask("00908F0A0B0C.cfg", seen(PHONE)).verdict);
	inventory_free(&inventory);
}

/* What is stored cannot leave its secrets out. */
static void a_guest_gets_no_stored_secret(void)
{
	struct vendor_pack *pack;

	open_bootstrap();
	pack = pack_of_text("{\"schema\":1,\"name\":\"acme\",\"display_name\":\"Acme\","
			    "\"recognise\":{},\"files\":[{\"name\":\"sip-<mac>.txt\","
			    "\"kind\":\"stored\",\"secrets\":true}]}");
	REQUIRE(pack && vendors_add(&inventory.vendors, pack) == 0);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET,
							    .file = SPAN("ring.wav")}));
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET,
							    .file = SPAN("sip-" PHONE ".txt")}));
	CHECK_EQUAL(FILE_CATALOGUE, ask("ring.wav", seen(PHONE)).verdict);
	CHECK_EQUAL(FILE_REFUSED, ask("sip-" PHONE ".txt", seen(PHONE)).verdict);
	CHECK_EQUAL(FILE_REFUSED, ask("/p/bootstrap/sip-" PHONE ".txt", seen(PHONE)).verdict);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	CHECK_EQUAL(FILE_CATALOGUE, ask("sip-" PHONE ".txt", seen(PHONE)).verdict);
	CHECK(ask("sip-" PHONE ".txt", seen(PHONE)).has_secrets);
	inventory_free(&inventory);
}

/* It comes back to the URL it was told before: its own address opens, the word does not. */
static void a_phone_that_was_claimed_since_gets_its_own(void)
{
	static const char path[] = "/p/bootstrap/00908F0A0B0C.cfg";
	struct file_answer answer;

	open_bootstrap();
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	answer = ask(path, seen(PHONE));
	CHECK_EQUAL(FILE_BYTES, answer.verdict);
	CHECK(holds(&answer, SECRET));
	CHECK_EQUAL(FILE_REFUSED, ask(path, seen(OTHER)).verdict);
	CHECK_EQUAL(FILE_REFUSED, ask(path, routed).verdict);
	inventory_free(&inventory);
}

/* ---- what a served phone tells -------------------------------------------------------------- */

static void a_fetch_tells_version_and_certainty(void)
{
	struct file_request request;
	struct file_answer answer;
	char path[200];

	open_house(10);
	set_profile("default", "ntp_ip", "10.13.4.7");
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	agent = AGENT;
	snprintf(path, sizeof(path), "/p/%s/00908F0A0B0C.cfg",
		 fleet_device(&inventory, PHONE)->key);
	answer = ask(path, routed);
	CHECK_EQUAL(FILE_BYTES, answer.verdict);
	CHECK(posted() == NULL);
	request = request_for(path, routed);
	CHECK_EQUAL(0, fleet_do(&inventory, files_fetched(&request, &answer)));
	CHECK_EQUAL(CERTAINTY_PROVEN, fleet_device(&inventory, PHONE)->certainty);
	CHECK_TEXT("2.2.8.61", span_text(fleet_device(&inventory, PHONE)->firmware));
	CHECK_TEXT("440HD", span_text(fleet_device(&inventory, PHONE)->model));
	/* The model that it told is no edit: it has what it should have. */
	CHECK_EQUAL(DEVICE_FETCHED, fleet_device(&inventory, PHONE)->state);
	agent = "";
	answer = ask("00908F0A0B0C.cfg", seen(PHONE));
	CHECK_EQUAL(CERTAINTY_CONFIRMED, answer.certainty);
	CHECK_TEXT("", span_text(answer.firmware));
	CHECK_EQUAL(FIELD_ADDRESS | FIELD_IDENTIFIED_BY | FIELD_CERTAINTY,
		    files_fetched(&request, &answer).fields);
	inventory_free(&inventory);
}

/* Another program with the key tells no version of the phone. */
static void a_foreign_agent_tells_nothing(void)
{
	struct file_answer answer;
	char path[200];

	open_house(10);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	snprintf(path, sizeof(path), "/p/%s/00908F0A0B0C.cfg",
		 fleet_device(&inventory, PHONE)->key);
	agent = "AUDC-IPPhone/9.9.9 (450HD-Rev0; 00908F000002)";
	answer = ask(path, routed);
	CHECK_TEXT("", span_text(answer.firmware));
	CHECK_TEXT("", span_text(answer.model));
	agent = "curl/8.0";
	answer = ask(path, routed);
	CHECK_TEXT("", span_text(answer.firmware));
	inventory_free(&inventory);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	arena_init(&arena, 4 << 20);
	if (effects_init(&effects, 16, 65536) != 0) {
		return 1;
	}
	RUN(a_phone_that_fetches_is_new);
	RUN(what_is_no_phone_or_not_new_is_no_sighting);
	RUN(a_spoofer_makes_no_device);
	RUN(a_request_gives_the_unidentified_a_name);
	RUN(a_sweep_of_macs_does_not_fill_the_table);
	RUN(an_unclaimed_phone_gets_no_secret);
	RUN(whom_bootstrap_refuses);
	RUN(a_guest_gets_no_stored_secret);
	RUN(a_phone_that_was_claimed_since_gets_its_own);
	RUN(a_fetch_tells_version_and_certainty);
	RUN(a_foreign_agent_tells_nothing);
	effects_free(&effects);
	arena_free(&arena);
	return test_end();
}

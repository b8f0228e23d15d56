/* SPDX-License-Identifier: MIT */
#include "tests/fleet/fleet.h"

#define PHONE "00908f000001"
#define OTHER "00908f000002"

static struct inventory inventory;

static enum device_state state_of(const char *mac)
{
	return fleet_device(&inventory, mac)->state;
}

static size_t sum_of_states(void)
{
	size_t sum = 0;

	for (size_t i = 0; i <= DEVICE_BLOCKED; i++) {
		sum += inventory.count_by_state[i];
	}
	return sum;
}

static void an_empty_inventory_has_the_default_profile(void)
{
	size_t cursor = 0;

	fleet_open(&inventory, 4, 2);
	CHECK(inventory_profile(&inventory, SPAN("default")) != NULL);
	CHECK(inventory_next_device(&inventory, &cursor) == NULL);
	CHECK(fleet_device(&inventory, PHONE) == NULL);
	inventory_free(&inventory);
}

static void prepare_alone_changes_nothing(void)
{
	struct change change = {.kind = CHANGE_DEVICE_CLAIM, .mac = fleet_mac(PHONE)};
	struct prepared prepared;

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, inventory_prepare(&inventory, &change, &prepared, fleet_problem, 512));
	CHECK(prepared.device != NULL && prepared.is_addition);
	CHECK(fleet_device(&inventory, PHONE) == NULL);
	CHECK_EQUAL(0, sum_of_states());
	prepared_free(&prepared);
	CHECK(inventory.pending == NULL);
	CHECK_EQUAL(0, inventory.generation);
	inventory_free(&inventory);
}

static void claim_adds_with_a_key_of_128_bits(void)
{
	const struct device *device;
	const struct device *other;

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, OTHER));
	device = fleet_device(&inventory, PHONE);
	other = fleet_device(&inventory, OTHER);
	REQUIRE(device && other);
	CHECK_EQUAL(DEVICE_CLAIMED, device->state);
	CHECK_EQUAL(32, strlen(device->key));
	CHECK_EQUAL(32, strspn(device->key, "0123456789abcdef"));
	CHECK(strcmp(device->key, other->key) != 0);
	CHECK(inventory_device_by_key(&inventory, span_text(device->key)) == device);
	CHECK(inventory_device_by_key(&inventory, span_text(other->key)) == other);
	CHECK(inventory_device_by_key(&inventory, span_make(device->key, 31)) == NULL);
	CHECK(inventory_device_by_key(&inventory, SPAN("")) == NULL);
	CHECK_EQUAL(2, inventory.count_by_state[DEVICE_CLAIMED]);
	inventory_free(&inventory);
}

static void claiming_twice_keeps_the_key(void)
{
	char key[device_key_size];

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE));
	memcpy(key, fleet_device(&inventory, PHONE)->key, sizeof(key));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE));
	CHECK_TEXT(key, span_text(fleet_device(&inventory, PHONE)->key));
	CHECK_EQUAL(1, sum_of_states());
	inventory_free(&inventory);
}

static void add_lists_as_new_without_a_key(void)
{
	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_ADD, PHONE));
	CHECK_EQUAL(DEVICE_NEW, state_of(PHONE));
	CHECK_TEXT("", span_text(fleet_device(&inventory, PHONE)->key));
	CHECK_EQUAL(-EEXIST, fleet_change(&inventory, CHANGE_DEVICE_ADD, PHONE));
	CHECK(strstr(fleet_problem, "there already") != NULL);
	inventory_free(&inventory);
}

static void what_is_not_there_cannot_be_changed(void)
{
	static const enum change_kind kinds[] = {CHANGE_DEVICE_SET,	 CHANGE_DEVICE_BLOCK,
						 CHANGE_DEVICE_UNBLOCK,	 CHANGE_DEVICE_REMOVE,
						 CHANGE_DEVICE_NOTIFIED, CHANGE_DEVICE_FETCHED};

	fleet_open(&inventory, 4, 2);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		CHECK_EQUAL(-ENOENT, fleet_change(&inventory, kinds[i], PHONE));
		CHECK(strstr(fleet_problem, PHONE) != NULL);
	}
	CHECK_EQUAL(-EINVAL, fleet_change(&inventory, CHANGE_DEVICE_ADD, "000000000000"));
	CHECK_EQUAL(-EINVAL, fleet_change(&inventory, CHANGE_DEVICE_ADD, "ffffffffffff"));
	CHECK_EQUAL(-EINVAL, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, "01005e000001"));
	inventory_free(&inventory);
}

static void blocks_and_unblocks(void)
{
	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_ADD, PHONE);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, OTHER);
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_BLOCK, PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_BLOCK, OTHER));
	CHECK_EQUAL(2, inventory.count_by_state[DEVICE_BLOCKED]);
	CHECK_EQUAL(-EBUSY, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_UNBLOCK, PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_UNBLOCK, OTHER));
	CHECK_EQUAL(DEVICE_NEW, state_of(PHONE));
	CHECK_EQUAL(DEVICE_CLAIMED, state_of(OTHER));
	CHECK_EQUAL(2, sum_of_states());
	inventory_free(&inventory);
}

static void removal_leaves_no_index_behind(void)
{
	char key[device_key_size];

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_DEVICE_CLAIM,
						.mac = fleet_mac(PHONE),
						.fields = FIELD_BOUND_ADDRESS,
						.bound_address = fleet_address("127.0.0.2")}));
	memcpy(key, fleet_device(&inventory, PHONE)->key, sizeof(key));
	CHECK(inventory_device_by_address(&inventory, fleet_address("127.0.0.2"), SPAN("lo")));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_REMOVE, PHONE));
	CHECK(fleet_device(&inventory, PHONE) == NULL);
	CHECK(inventory_device_by_key(&inventory, span_text(key)) == NULL);
	CHECK(!inventory_device_by_address(&inventory, fleet_address("127.0.0.2"), SPAN("lo")));
	CHECK_EQUAL(0, sum_of_states());
	inventory_free(&inventory);
}

static int bind_to(const char *mac, const char *address, const char *interface)
{
	return fleet_do(&inventory,
			(struct change){.kind = CHANGE_DEVICE_SET,
					.mac = fleet_mac(mac),
					.fields = FIELD_BOUND_ADDRESS |
						  (interface ? FIELD_BOUND_INTERFACE : 0),
					.bound_address = address ? fleet_address(address)
								 : (struct address){0},
					.bound_interface = span_text(interface)});
}

static void a_binding_is_of_one_device_by_address_and_interface(void)
{
	struct address address = fleet_address("10.0.0.5");

	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, OTHER);
	CHECK_EQUAL(0, bind_to(PHONE, "10.0.0.5", NULL));
	CHECK_EQUAL(-EEXIST, bind_to(OTHER, "10.0.0.5", NULL));
	CHECK(strstr(fleet_problem, PHONE) != NULL);
	CHECK_EQUAL(-EEXIST, bind_to(OTHER, "::ffff:10.0.0.5", NULL));
	CHECK_EQUAL(0, bind_to(OTHER, "10.0.0.5", "eth0.20"));
	CHECK(inventory_device_by_address(&inventory, address, SPAN("eth0.20")) ==
	      fleet_device(&inventory, OTHER));
	CHECK(inventory_device_by_address(&inventory, address, SPAN("eth0")) ==
	      fleet_device(&inventory, PHONE));
	CHECK(inventory_device_by_address(&inventory, address, SPAN("")) ==
	      fleet_device(&inventory, PHONE));
	/* Moved, and what was bound before is free again. */
	CHECK_EQUAL(0, bind_to(PHONE, "10.0.0.6", NULL));
	CHECK(inventory_device_by_address(&inventory, address, SPAN("eth0")) == NULL);
	CHECK_EQUAL(0, bind_to(OTHER, "10.0.0.5", NULL));
	CHECK(inventory_device_by_address(&inventory, address, SPAN("eth0.20")) ==
	      fleet_device(&inventory, OTHER));
	CHECK_EQUAL(0, bind_to(OTHER, NULL, NULL));
	CHECK(inventory_device_by_address(&inventory, address, SPAN("eth0.20")) == NULL);
	CHECK_EQUAL(-EINVAL, bind_to(PHONE, "224.0.1.75", NULL));
	CHECK_EQUAL(-EINVAL, bind_to(PHONE, "0.0.0.0", NULL));
	CHECK_EQUAL(-EINVAL, bind_to(OTHER, NULL, "eth0"));
	CHECK_EQUAL(-EINVAL, bind_to(PHONE, "10.0.0.6", "a-name-of-sixteen"));
	inventory_free(&inventory);
}

static int seen(const char *mac, uint64_t utc_ms)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SEEN,
						    .utc_ms = utc_ms,
						    .mac = fleet_mac(mac),
						    .fields = FIELD_ADDRESS | FIELD_MODEL |
							      FIELD_FIRMWARE | FIELD_IDENTIFIED_BY,
						    .address = fleet_address("10.13.2.37"),
						    .interface = SPAN("eth0"),
						    .model = SPAN("440HD"),
						    .firmware = SPAN("2.2.2"),
						    .identified_by = IDENTIFIED_BY_NEIGHBOUR});
}

static void strangers_cannot_fill_the_table(void)
{
	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, seen("00908f000011", 1000));
	CHECK_EQUAL(0, seen("00908f000012", 1000));
	CHECK_EQUAL(-ENOSPC, seen("00908f000013", 1000));
	CHECK_EQUAL(-ENOSPC, seen("00908f000014", 1000));
	CHECK_EQUAL(2, inventory_refused_new(&inventory));
	CHECK_EQUAL(0, seen("00908f000011", 2000));
	/* Operators still have room, and those they claim make room. */
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, "00908f000011"));
	CHECK_EQUAL(0, seen("00908f000013", 3000));
	CHECK_EQUAL(-ENOSPC, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, OTHER));
	CHECK_EQUAL(4, sum_of_states());
	inventory_free(&inventory);
}

static void the_limit_holds_within_a_batch(void)
{
	struct prepared prepared[3] = {0};
	int errors[3];

	fleet_open(&inventory, 2, 2);
	for (int i = 0; i < 3; i++) {
		struct change change = {.kind = CHANGE_DEVICE_CLAIM,
					.mac = {{0, 0x90, 0x8f, 0, 1, (uint8_t)i}}};

		errors[i] = inventory_prepare(&inventory, &change, &prepared[i], fleet_problem,
					      sizeof(fleet_problem));
	}
	CHECK_EQUAL(0, errors[0]);
	CHECK_EQUAL(0, errors[1]);
	CHECK_EQUAL(-ENOSPC, errors[2]);
	inventory_commit(&inventory, &prepared[0]);
	inventory_commit(&inventory, &prepared[1]);
	CHECK_EQUAL(2, sum_of_states());
	inventory_free(&inventory);
}

static void a_batch_sees_what_was_prepared_before(void)
{
	struct change_setting number = {.path = SPAN("sip_lines.1.number"), .value = SPAN("17")};
	struct change changes[] = {
		{.kind = CHANGE_DEVICE_CLAIM, .mac = fleet_mac(PHONE)},
		{.kind = CHANGE_PROFILE_SET, .profile = SPAN("office")},
		{.kind = CHANGE_DEVICE_SET,
		 .mac = fleet_mac(PHONE),
		 .fields = FIELD_PROFILE,
		 .profile = SPAN("office"),
		 .settings = &number,
		 .setting_count = 1},
		{.kind = CHANGE_DEVICE_SEEN, .mac = fleet_mac(PHONE), .utc_ms = 5},
		{.kind = CHANGE_DEVICE_SET,
		 .mac = fleet_mac(PHONE),
		 .fields = FIELD_LABEL,
		 .label = SPAN("front desk")},
	};
	struct change use = {.kind = CHANGE_PROFILE_REMOVE, .profile = SPAN("office")};
	struct prepared prepared[5];
	struct prepared refused;
	const struct device *device;

	fleet_open(&inventory, 4, 2);
	for (size_t i = 0; i < 5; i++) {
		REQUIRE(inventory_prepare(&inventory, &changes[i], &prepared[i], fleet_problem,
					  sizeof(fleet_problem)) == 0);
	}
	CHECK_EQUAL(-EBUSY, inventory_prepare(&inventory, &use, &refused, fleet_problem, 512));
	CHECK(prepared[3].keeps_settings && prepared[4].keeps_settings);
	for (size_t i = 0; i < 5; i++) {
		inventory_commit(&inventory, &prepared[i]);
	}
	device = fleet_device(&inventory, PHONE);
	REQUIRE(device != NULL);
	CHECK_TEXT("17", span_text(settings_get(&device->settings, SPAN("sip_lines.1.number"))));
	CHECK_TEXT("front desk", span_text(device->label));
	CHECK_TEXT("office", span_text(device->profile));
	CHECK_EQUAL(5, device->last_seen_utc_ms);
	CHECK(inventory.pending == NULL);
	inventory_free(&inventory);
}

static void a_batch_can_be_dropped(void)
{
	struct change changes[] = {
		{.kind = CHANGE_DEVICE_CLAIM, .mac = fleet_mac(PHONE)},
		{.kind = CHANGE_DEVICE_REMOVE, .mac = fleet_mac(PHONE)},
		{.kind = CHANGE_DEVICE_ADD, .mac = fleet_mac(PHONE)},
	};
	struct prepared prepared[3];

	fleet_open(&inventory, 4, 2);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQUAL(0, inventory_prepare(&inventory, &changes[i], &prepared[i],
						 fleet_problem, sizeof(fleet_problem)));
	}
	for (size_t i = 3; i-- > 0;) {
		prepared_free(&prepared[i]);
	}
	CHECK(inventory.pending == NULL);
	CHECK_EQUAL(0, sum_of_states());
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_ADD, PHONE));
	inventory_free(&inventory);
}

static bool seen_is_nothing(uint64_t utc_ms, const char *firmware)
{
	struct change change = {.kind = CHANGE_DEVICE_SEEN,
				.utc_ms = utc_ms,
				.mac = fleet_mac(PHONE),
				.fields = FIELD_FIRMWARE,
				.firmware = span_text(firmware)};
	struct prepared prepared;
	bool is_nothing;

	if (inventory_prepare(&inventory, &change, &prepared, fleet_problem, 512) != 0) {
		abort();
	}
	is_nothing = prepared.is_nothing;
	inventory_commit(&inventory, &prepared);
	return is_nothing;
}

static void sightings_are_stored_now_and_then(void)
{
	uint64_t generation;

	fleet_open(&inventory, 4, 2);
	CHECK(!seen_is_nothing(100000, "2.2.2"));
	generation = inventory.generation;
	CHECK(seen_is_nothing(100500, "2.2.2"));
	CHECK_EQUAL(100500, fleet_device(&inventory, PHONE)->last_seen_utc_ms);
	CHECK(seen_is_nothing(159999, "2.2.2"));
	CHECK_EQUAL(generation, inventory.generation);
	CHECK(!seen_is_nothing(160000, "2.2.2"));
	CHECK(seen_is_nothing(160001, "2.2.2"));
	CHECK(!seen_is_nothing(160002, "2.2.8"));
	CHECK_EQUAL(100000, fleet_device(&inventory, PHONE)->first_seen_utc_ms);
	/* A clock that was set back does not silence the store for as long as it was. */
	CHECK(!seen_is_nothing(50, "2.2.8"));
	inventory_free(&inventory);
}

static void a_sighting_does_not_overrule_the_operator(void)
{
	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_CLAIM,
							    .mac = fleet_mac(PHONE),
							    .fields = FIELD_MODEL,
							    .model = SPAN("405HD")}));
	CHECK_EQUAL(0, seen(PHONE, 10));
	CHECK_TEXT("405HD", span_text(fleet_device(&inventory, PHONE)->model));
	CHECK_TEXT("2.2.2", span_text(fleet_device(&inventory, PHONE)->firmware));
	CHECK_TEXT("eth0", span_text(fleet_device(&inventory, PHONE)->interface));
	CHECK_EQUAL(IDENTIFIED_BY_NEIGHBOUR, fleet_device(&inventory, PHONE)->identified_by);
	/* An operator's mistake is refused, a phone's odd text is passed over. */
	CHECK_EQUAL(-EINVAL, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SET,
								  .mac = fleet_mac(PHONE),
								  .fields = FIELD_MODEL,
								  .model = SPAN("a;b")}));
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SEEN,
							    .mac = fleet_mac(PHONE),
							    .fields = FIELD_FIRMWARE,
							    .firmware = SPAN("2\r\n")}));
	CHECK_TEXT("2.2.2", span_text(fleet_device(&inventory, PHONE)->firmware));
	inventory_free(&inventory);
}

static int fetched(const char *mac, uint64_t revision, bool is_complete)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_FETCHED,
						    .utc_ms = 77,
						    .mac = fleet_mac(mac),
						    .revision = revision,
						    .is_complete = is_complete});
}

static void states_follow_the_road_of_a_phone(void)
{
	const struct device *device;

	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_NOTIFIED,
							    .fields = FIELD_ADDRESS | FIELD_MODEL,
							    .address = address_ipv4(10, 0, 0, 7),
							    .model = SPAN("440HD"),
							    .mac = fleet_mac(PHONE),
							    .utc_ms = 7}));
	CHECK_EQUAL(DEVICE_NOTIFIED, state_of(PHONE));
	device = inventory_device(&inventory, fleet_mac(PHONE));
	CHECK(address_equal(address_ipv4(10, 0, 0, 7), device->address));
	CHECK_TEXT("440HD", span_text(device->model));
	CHECK_EQUAL(7, device->last_seen_utc_ms);
	CHECK_EQUAL(7, device->notified_utc_ms);
	CHECK_EQUAL(0, fetched(PHONE, 0, false));
	CHECK_EQUAL(DEVICE_NOTIFIED, state_of(PHONE));
	CHECK_EQUAL(0, fetched(PHONE, 0, true));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_NOTIFIED, PHONE));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(PHONE));
	CHECK_EQUAL(0, fleet_set(&inventory, PHONE, "sip_proxy_ip", "10.0.0.1"));
	CHECK_EQUAL(DEVICE_STALE, state_of(PHONE));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_NOTIFIED, PHONE));
	CHECK_EQUAL(DEVICE_STALE, state_of(PHONE));
	CHECK_EQUAL(0, fetched(PHONE, 0, true));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(PHONE));
	/* The same value again is no change. */
	CHECK_EQUAL(0, fleet_set(&inventory, PHONE, "sip_proxy_ip", "10.0.0.1"));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(PHONE));
	CHECK_EQUAL(1, sum_of_states());
	inventory_free(&inventory);
}

static void an_edit_during_a_fetch_leaves_it_stale(void)
{
	uint64_t rendered;

	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	rendered = inventory.revision;
	CHECK_EQUAL(0, fleet_set(&inventory, PHONE, "sip_proxy_ip", "10.0.0.1"));
	CHECK_EQUAL(0, fetched(PHONE, rendered, true));
	CHECK_EQUAL(DEVICE_STALE, state_of(PHONE));
	inventory_free(&inventory);
}

/* The sighting waits for the store while the phone fetches already. */
static void a_sighting_that_is_stored_late_leaves_nothing_stale(void)
{
	uint64_t rendered;

	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	rendered = inventory.revision;
	CHECK_EQUAL(0, seen(PHONE, 10));
	CHECK_TEXT("440HD", span_text(fleet_device(&inventory, PHONE)->model));
	CHECK_EQUAL(0, fetched(PHONE, rendered, true));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(PHONE));
	inventory_free(&inventory);
}

static void a_profile_makes_its_devices_stale(void)
{
	struct change use = {.kind = CHANGE_DEVICE_CLAIM,
			     .fields = FIELD_PROFILE,
			     .profile = SPAN("desk")};

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, fleet_profile(&inventory, "office", NULL, NULL, NULL));
	CHECK_EQUAL(0, fleet_profile(&inventory, "desk", "office", NULL, NULL));
	use.mac = fleet_mac(PHONE);
	CHECK_EQUAL(0, fleet_do(&inventory, use));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_CLAIM, OTHER));
	CHECK_EQUAL(0, fetched(PHONE, 0, true));
	CHECK_EQUAL(0, fetched(OTHER, 0, true));
	CHECK_EQUAL(0, fleet_profile(&inventory, "office", NULL, "ntp_ip", "10.0.0.9"));
	CHECK_EQUAL(DEVICE_STALE, state_of(PHONE));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(OTHER));
	CHECK_EQUAL(1, inventory.count_by_state[DEVICE_STALE]);
	CHECK_EQUAL(0, fleet_profile(&inventory, "default", NULL, "ntp_ip", "10.0.0.8"));
	CHECK_EQUAL(DEVICE_STALE, state_of(OTHER));
	CHECK_EQUAL(0, fetched(OTHER, 0, true));
	CHECK_EQUAL(0, fleet_profile(&inventory, "default", NULL, "ntp_ip", "10.0.0.8"));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(OTHER));
	inventory_free(&inventory);
}

static void load_finds_out_who_is_stale(void)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct device *device = calloc(1, sizeof(*device));

	REQUIRE(profile && device);
	fleet_open(&inventory, 4, 2);
	memcpy(profile->name, "desk", 5);
	memcpy(profile->parent, "default", 8);
	profile->revision = 9;
	*device = (struct device){.mac = fleet_mac(PHONE),
				  .state = DEVICE_FETCHED,
				  .profile = "desk",
				  .key = "0123456789abcdef0123456789abcdef",
				  .revision = 3,
				  .fetched_revision = 8};
	CHECK_EQUAL(0, inventory_load_profile(&inventory, profile));
	CHECK_EQUAL(0, inventory_load_device(&inventory, device));
	CHECK_EQUAL(DEVICE_STALE, state_of(PHONE));
	CHECK_EQUAL(9, inventory.revision);
	CHECK_EQUAL(-EEXIST, inventory_load_device(&inventory, device));
	CHECK(inventory_device_by_key(&inventory, span_text(device->key)) == device);
	CHECK_EQUAL(0, fetched(PHONE, 0, true));
	CHECK_EQUAL(DEVICE_FETCHED, state_of(PHONE));
	inventory_free(&inventory);
}

static void load_refuses_what_no_change_makes(void)
{
	struct device device = {.mac = fleet_mac(PHONE), .state = DEVICE_CLAIMED};
	struct profile orphan = {.name = "orphan"};
	struct catalogue_file file = {.name = (char[]){"../x"}};

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(-EINVAL, inventory_load_device(&inventory, &device));
	memcpy(device.key, "short", 6);
	CHECK_EQUAL(-EINVAL, inventory_load_device(&inventory, &device));
	memcpy(device.key, "0123456789abcdef0123456789abcdeX", 33);
	CHECK_EQUAL(-EINVAL, inventory_load_device(&inventory, &device));
	memcpy(device.key, "0123456789abcdef0123456789abcdef", 33);
	memcpy(device.vendor, "A/B", 4);
	CHECK_EQUAL(-EINVAL, inventory_load_device(&inventory, &device));
	memcpy(device.vendor, "", 1);
	memcpy(device.label, "two\nlines", 10);
	CHECK_EQUAL(-EINVAL, inventory_load_device(&inventory, &device));
	CHECK_EQUAL(-EINVAL, inventory_load_profile(&inventory, &orphan));
	CHECK_EQUAL(-EINVAL, inventory_load_file(&inventory, &file));
	inventory_free(&inventory);
}

static int set_profile_of(const char *mac, const char *profile)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SET,
						    .mac = fleet_mac(mac),
						    .fields = FIELD_PROFILE,
						    .profile = span_text(profile)});
}

static int remove_profile(const char *name)
{
	return fleet_do(&inventory,
			(struct change){.kind = CHANGE_PROFILE_REMOVE, .profile = span_text(name)});
}

static void profiles_are_kept_in_order(void)
{
	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	CHECK_EQUAL(-ENOENT, set_profile_of(PHONE, "office"));
	CHECK_EQUAL(-ENOENT, fleet_profile(&inventory, "desk", "office", NULL, NULL));
	CHECK_EQUAL(0, fleet_profile(&inventory, "office", NULL, NULL, NULL));
	CHECK_TEXT("default", span_text(inventory_profile(&inventory, SPAN("office"))->parent));
	CHECK_EQUAL(0, fleet_profile(&inventory, "desk", "office", NULL, NULL));
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "office", "desk", NULL, NULL));
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "office", "office", NULL, NULL));
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "default", "office", NULL, NULL));
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "a b", NULL, NULL, NULL));
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "", NULL, NULL, NULL));
	CHECK_EQUAL(-EBUSY, remove_profile("office"));
	CHECK_EQUAL(0, set_profile_of(PHONE, "desk"));
	CHECK_EQUAL(-EBUSY, remove_profile("desk"));
	CHECK_EQUAL(0, set_profile_of(PHONE, ""));
	CHECK_EQUAL(0, remove_profile("desk"));
	CHECK_EQUAL(0, remove_profile("office"));
	CHECK_EQUAL(-ENOENT, remove_profile("office"));
	CHECK_EQUAL(-EINVAL, remove_profile("default"));
	inventory_free(&inventory);
}

static void profiles_have_a_depth_and_a_limit(void)
{
	char name[8] = "p0";
	char parent[8] = "default";

	fleet_open(&inventory, 4, 2);
	for (int i = 1; i < profile_depth_max; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		CHECK_EQUAL(0, fleet_profile(&inventory, name, parent, NULL, NULL));
		memcpy(parent, name, sizeof(parent));
	}
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "deep", parent, NULL, NULL));
	/* What hangs below counts too. */
	CHECK_EQUAL(0, fleet_profile(&inventory, "base", NULL, NULL, NULL));
	CHECK_EQUAL(-EINVAL, fleet_profile(&inventory, "p1", "base", NULL, NULL));
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		CHECK_EQUAL(0, fleet_profile(&inventory, name, NULL, NULL, NULL));
	}
	CHECK_EQUAL(-ENOSPC, fleet_profile(&inventory, "more", NULL, NULL, NULL));
	inventory_free(&inventory);
}

static int set_file(const char *name, uint64_t bytes)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET,
						    .file = span_text(name),
						    .bytes = bytes,
						    .file_utc_ms = 5});
}

static void files_are_found_in_any_case(void)
{
	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(0, set_file("440HD.img", 10));
	CHECK_EQUAL(0, set_file("440hd.IMG", 11));
	CHECK_EQUAL(10, inventory_file(&inventory, SPAN("440HD.img"))->bytes);
	CHECK_EQUAL(11, inventory_file(&inventory, SPAN("440hd.IMG"))->bytes);
	CHECK(inventory_file(&inventory, SPAN("440hd.img")) != NULL);
	CHECK(inventory_file(&inventory, SPAN("440hd.im")) == NULL);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_REMOVE,
							    .file = SPAN("440HD.img")}));
	CHECK_EQUAL(11, inventory_file(&inventory, SPAN("440HD.IMG"))->bytes);
	CHECK_EQUAL(0, set_file("440hd.IMG", 12));
	CHECK_EQUAL(12, inventory_file(&inventory, SPAN("440HD.IMG"))->bytes);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_REMOVE,
							    .file = SPAN("440hd.IMG")}));
	CHECK(inventory_file(&inventory, SPAN("440HD.IMG")) == NULL);
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_REMOVE,
								  .file = SPAN("440hd.IMG")}));
	inventory_free(&inventory);
}

static void file_names_are_checked_and_counted(void)
{
	static const char *const wrong[] = {"",	    "/a",	"a/",	  "a//b", ".",
					    "..",   "../a",	"a/../b", "a b",  "a\nb",
					    "a\\b", "\xc3\xa4", ".a",	  "a/.b"};
	char name[16];

	fleet_open(&inventory, 4, 2);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK_EQUAL(-EINVAL, set_file(wrong[i], 1));
	}
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "rings/%d.wav", i);
		CHECK_EQUAL(0, set_file(name, 1));
	}
	CHECK_EQUAL(-ENOSPC, set_file("one-more", 1));
	inventory_free(&inventory);
}

static int hash_file(const char *name, uint64_t version, uint8_t octet)
{
	struct change change = {.kind = CHANGE_FILE_HASHED,
				.file = span_text(name),
				.file_version = version};

	memset(change.file_sha256, octet, sizeof(change.file_sha256));
	return fleet_do(&inventory, change);
}

static int set_version(const char *name, uint64_t version)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_FILE_SET,
						    .file = span_text(name),
						    .file_version = version});
}

/* A hash is of one version: it stays with it, goes with it, and comes too late for an older one. */
static void hashes_belong_to_versions(void)
{
	const struct catalogue_file *file;

	fleet_open(&inventory, 4, 2);
	CHECK_EQUAL(-ESTALE, hash_file("a", 1, 0xaa));
	CHECK_EQUAL(0, set_version("a", 1));
	file = inventory_file(&inventory, SPAN("a"));
	REQUIRE(file != NULL);
	CHECK(!file->has_sha256);
	CHECK_EQUAL(-ESTALE, hash_file("a", 2, 0xaa));
	CHECK_EQUAL(0, hash_file("a", 1, 0xaa));
	CHECK(file->has_sha256 && file->sha256[31] == 0xaa);
	CHECK_EQUAL(0, set_version("a", 1));
	CHECK(file->has_sha256 && file->sha256[0] == 0xaa);
	CHECK_EQUAL(0, set_version("a", 2));
	CHECK(!file->has_sha256);
	CHECK_EQUAL(-ESTALE, hash_file("a", 1, 0xaa));
	CHECK(!file->has_sha256);
	inventory_free(&inventory);
}

static void settings_of_a_change_are_checked(void)
{
	struct change_setting wrong[] = {
		{.path = SPAN("sip_proxy_ip"), .value = SPAN("10.0.0.1")},
		{.path = SPAN("ntp_ip"), .is_unset = true},
	};

	fleet_open(&inventory, 4, 2);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, PHONE);
	CHECK_EQUAL(-EINVAL, fleet_set(&inventory, PHONE, "sip_porxy_ip", "10.0.0.1"));
	CHECK(strstr(fleet_problem, "sip_proxy_ip") != NULL);
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SET,
								  .mac = fleet_mac(PHONE),
								  .settings = wrong,
								  .setting_count = 2}));
	CHECK(strstr(fleet_problem, "ntp_ip") != NULL);
	CHECK_EQUAL(0, fleet_device(&inventory, PHONE)->settings.count);
	inventory_free(&inventory);
}

static void a_change_can_be_copied(void)
{
	struct change_setting setting = {.path = SPAN("ntp_ip"), .value = SPAN("10.0.0.1")};
	struct change change = {.kind = CHANGE_DEVICE_SET,
				.label = SPAN("desk"),
				.settings = &setting,
				.setting_count = 1};
	struct arena arena;
	struct change *copy;

	arena_init(&arena, 1 << 16);
	copy = change_copy(&arena, &change);
	REQUIRE(copy != NULL);
	CHECK(copy->label.data != change.label.data && copy->settings != change.settings);
	CHECK_SPAN(change.label, copy->label);
	CHECK_SPAN(setting.path, copy->settings[0].path);
	CHECK_SPAN(setting.value, copy->settings[0].value);
	arena_free(&arena);
	arena_init(&arena, 64);
	CHECK(change_copy(&arena, &change) == NULL);
	arena_free(&arena);
}

int main(void)
{
	RUN(an_empty_inventory_has_the_default_profile);
	RUN(prepare_alone_changes_nothing);
	RUN(claim_adds_with_a_key_of_128_bits);
	RUN(claiming_twice_keeps_the_key);
	RUN(add_lists_as_new_without_a_key);
	RUN(what_is_not_there_cannot_be_changed);
	RUN(blocks_and_unblocks);
	RUN(removal_leaves_no_index_behind);
	RUN(a_binding_is_of_one_device_by_address_and_interface);
	RUN(strangers_cannot_fill_the_table);
	RUN(the_limit_holds_within_a_batch);
	RUN(a_batch_sees_what_was_prepared_before);
	RUN(a_batch_can_be_dropped);
	RUN(sightings_are_stored_now_and_then);
	RUN(a_sighting_does_not_overrule_the_operator);
	RUN(states_follow_the_road_of_a_phone);
	RUN(an_edit_during_a_fetch_leaves_it_stale);
	RUN(a_sighting_that_is_stored_late_leaves_nothing_stale);
	RUN(a_profile_makes_its_devices_stale);
	RUN(load_finds_out_who_is_stale);
	RUN(load_refuses_what_no_change_makes);
	RUN(profiles_are_kept_in_order);
	RUN(profiles_have_a_depth_and_a_limit);
	RUN(files_are_found_in_any_case);
	RUN(file_names_are_checked_and_counted);
	RUN(hashes_belong_to_versions);
	RUN(settings_of_a_change_are_checked);
	RUN(a_change_can_be_copied);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/fleet/unidentified.h"
#include "tests/fleet/fleet.h"

static struct inventory inventory;

static void open_house(size_t unidentified_max)
{
	static const uint8_t seed[random_seed_size] = {1};
	struct inventory_limits limits = {.devices_max = 5,
					  .new_devices_max = 5,
					  .profiles_max = 2,
					  .files_max = 2,
					  .unidentified_max = unidentified_max};

	if (inventory_init(&inventory, &limits, seed) != 0) {
		abort();
	}
}

static int see(const char *address, const char *interface, uint64_t utc_ms)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_UNIDENTIFIED_SEEN,
						    .utc_ms = utc_ms,
						    .address = fleet_address(address),
						    .interface = span_text(interface),
						    .model = SPAN("440HD"),
						    .certainty = CERTAINTY_UNIDENTIFIED,
						    .reason = "routed"});
}

static const struct unidentified *at(const char *address, const char *interface)
{
	return unidentified_find(&inventory.unidentified, fleet_address(address),
				 span_text(interface));
}

static void one_entry_for_each_address_and_interface(void)
{
	open_house(5);
	CHECK_EQUAL(0, see("10.0.0.1", "eth0", 1000));
	CHECK_EQUAL(0, see("::ffff:10.0.0.1", "eth0", 3000));
	CHECK_EQUAL(0, see("10.0.0.1", "eth1", 2000));
	CHECK_EQUAL(2, inventory.unidentified.table.count);
	REQUIRE(at("10.0.0.1", "eth0") != NULL);
	CHECK_EQUAL(1000, at("10.0.0.1", "eth0")->first_seen_utc_ms);
	CHECK_EQUAL(3000, at("10.0.0.1", "eth0")->last_seen_utc_ms);
	CHECK_EQUAL(2, at("10.0.0.1", "eth0")->count);
	CHECK(at("10.0.0.1", "eth2") == NULL);
	CHECK(at("10.0.0.1", "") != NULL);
	CHECK(at("10.0.0.2", "") == NULL);
	CHECK(at("10.0.0.1", "averyveryverylongname") == NULL);
	inventory_free(&inventory);
}

static void the_oldest_makes_room(void)
{
	open_house(3);
	see("10.0.0.1", "eth0", 1000);
	see("10.0.0.2", "eth0", 2000);
	see("10.0.0.3", "eth0", 3000);
	see("10.0.0.1", "eth0", 4000);
	CHECK_EQUAL(0, inventory.unidentified.dropped);
	see("10.0.0.4", "eth0", 5000);
	CHECK_EQUAL(3, inventory.unidentified.table.count);
	CHECK_EQUAL(1, inventory.unidentified.dropped);
	CHECK(at("10.0.0.2", "eth0") == NULL);
	CHECK(at("10.0.0.1", "eth0") != NULL);
	inventory_free(&inventory);
}

static void none_are_kept_where_there_is_no_room(void)
{
	open_house(0);
	CHECK_EQUAL(-ENOSPC, see("10.0.0.1", "eth0", 1000));
	CHECK_EQUAL(-EINVAL,
		    fleet_do(&inventory, (struct change){.kind = CHANGE_UNIDENTIFIED_SEEN}));
	inventory_free(&inventory);
}

/* Nothing of it is stored, so a batch that fails takes it back like the rest. */
static void it_is_prepared_like_any_change(void)
{
	struct change change = {.kind = CHANGE_UNIDENTIFIED_SEEN,
				.address = fleet_address("10.0.0.1")};
	struct prepared prepared;

	open_house(3);
	CHECK_EQUAL(0, inventory_prepare(&inventory, &change, &prepared, fleet_problem,
					 sizeof(fleet_problem)));
	CHECK(prepared.is_nothing);
	prepared_free(&prepared);
	CHECK_EQUAL(0, inventory.unidentified.table.count);
	inventory_free(&inventory);
}

static void who_becomes_known_leaves(void)
{
	open_house(5);
	see("10.0.0.1", "eth0", 1000);
	see("10.0.0.1", "", 1000);
	see("10.0.0.1", "eth1", 1000);
	see("10.0.0.2", "eth0", 1000);
	CHECK_EQUAL(0,
		    fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SEEN,
							 .mac = fleet_mac("00908f000001"),
							 .fields = FIELD_ADDRESS | FIELD_CERTAINTY,
							 .address = fleet_address("10.0.0.1"),
							 .interface = SPAN("eth0"),
							 .certainty = CERTAINTY_SEEN}));
	CHECK(at("10.0.0.1", "eth0") == NULL);
	CHECK(at("10.0.0.1", "eth1") != NULL);
	CHECK_EQUAL(2, inventory.unidentified.table.count);
	/* Bound to an address, whatever the interface is. */
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_DEVICE_CLAIM,
						.mac = fleet_mac("00908f000001"),
						.fields = FIELD_BOUND_ADDRESS,
						.bound_address = fleet_address("10.0.0.1")}));
	CHECK_EQUAL(1, inventory.unidentified.table.count);
	CHECK(at("10.0.0.2", "eth0") != NULL);
	inventory_free(&inventory);
}

/* `spoofed = serve`: that it was served makes the liar no better known. */
static void a_served_spoofer_stays(void)
{
	open_house(5);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, "00908f000001");
	see("10.0.0.1", "eth0", 1000);
	CHECK_EQUAL(0,
		    fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_NOTIFIED,
							 .mac = fleet_mac("00908f000001"),
							 .fields = FIELD_ADDRESS | FIELD_CERTAINTY,
							 .address = fleet_address("10.0.0.1"),
							 .interface = SPAN("eth0"),
							 .certainty = CERTAINTY_SPOOFED}));
	CHECK(at("10.0.0.1", "eth0") != NULL);
	inventory_free(&inventory);
}

static void each_is_told_once(void)
{
	char text[300];
	struct writer w = writer_over(text, sizeof(text));
	struct address address = fleet_address("10.0.0.1");

	open_house(5);
	see("10.0.0.1", "eth0", 1000);
	see("10.0.0.1", "eth0", 1001);
	CHECK(unidentified_tell(&inventory.unidentified, address, SPAN("eth0"), &w));
	CHECK_TEXT("10.0.0.1 (440HD) asks and is no device that can be told: it names no MAC, and "
		   "none can be seen (routed)",
		   writer_span(&w));
	see("10.0.0.1", "eth0", 1002);
	CHECK(!unidentified_tell(&inventory.unidentified, address, SPAN("eth0"), &w));
	CHECK(!unidentified_tell(&inventory.unidentified, fleet_address("10.0.0.9"), SPAN("eth0"),
				 &w));
	inventory_free(&inventory);
}

/* What a stranger says of itself is not believed to be text. */
static void what_is_not_legal_is_passed_over(void)
{
	open_house(5);
	CHECK_EQUAL(0,
		    fleet_do(&inventory, (struct change){.kind = CHANGE_UNIDENTIFIED_SEEN,
							 .address = fleet_address("10.0.0.1"),
							 .interface = SPAN("averyveryverylongname"),
							 .vendor = SPAN("A/B"),
							 .model = SPAN("a\nb"),
							 .firmware = SPAN("\x1b[2J"),
							 .mac = {{1, 0, 0x5e, 0, 0, 1}}}));
	REQUIRE(at("10.0.0.1", "") != NULL);
	CHECK_TEXT("", span_text(at("10.0.0.1", "")->vendor));
	CHECK_TEXT("", span_text(at("10.0.0.1", "")->model));
	CHECK_TEXT("", span_text(at("10.0.0.1", "")->firmware));
	CHECK_TEXT("", span_text(at("10.0.0.1", "")->interface));
	CHECK(!at("10.0.0.1", "")->has_named);
	inventory_free(&inventory);
}

int main(void)
{
	RUN(one_entry_for_each_address_and_interface);
	RUN(the_oldest_makes_room);
	RUN(none_are_kept_where_there_is_no_room);
	RUN(it_is_prepared_like_any_change);
	RUN(who_becomes_known_leaves);
	RUN(a_served_spoofer_stays);
	RUN(each_is_told_once);
	RUN(what_is_not_legal_is_passed_over);
	return test_end();
}

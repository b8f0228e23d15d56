/* SPDX-License-Identifier: MIT */
/* Another inventory takes the place of the one in use: core/fleet/inventory_restore.c. */
#include "tests/fleet/fleet.h"

#define SINCE "00:90:8f:00:00:01"
#define SAME  "00:90:8f:00:00:02"
#define GONE  "00:90:8f:00:00:03"

static struct inventory now;
static struct inventory other;

static void claim_and_fetch(struct inventory *inventory, const char *mac, uint64_t utc_ms)
{
	CHECK_EQUAL(0, fleet_do(inventory, (struct change){.kind = CHANGE_DEVICE_CLAIM,
							   .mac = fleet_mac(mac)}));
	CHECK_EQUAL(0, fleet_do(inventory, (struct change){.kind = CHANGE_DEVICE_FETCHED,
							   .mac = fleet_mac(mac),
							   .utc_ms = utc_ms,
							   .is_complete = true}));
}

static size_t sum_of_states(const struct inventory *inventory)
{
	size_t sum = 0;

	for (size_t i = 0; i <= DEVICE_BLOCKED; i++) {
		sum += inventory->count_by_state[i];
	}
	return sum;
}

static void who_fetched_since_is_stale_and_stored(void)
{
	struct device *device;
	size_t cursor = 0;
	uint64_t revision;

	fleet_open(&now, 8, 8);
	fleet_open(&other, 8, 8);
	claim_and_fetch(&now, SINCE, 200);
	claim_and_fetch(&now, SAME, 100);
	claim_and_fetch(&now, GONE, 100);
	claim_and_fetch(&other, SINCE, 100);
	claim_and_fetch(&other, SAME, 100);
	revision = now.revision;
	inventory_reconcile_begin(&other, &now);
	CHECK(other.revision > revision);
	device = inventory_reconcile_next(&other, &now, &cursor);
	REQUIRE(device != NULL);
	CHECK(mac_equal(fleet_mac(SINCE), device->mac));
	CHECK_EQUAL(DEVICE_STALE, device->state);
	CHECK_EQUAL(other.revision, device->revision);
	CHECK(inventory_reconcile_next(&other, &now, &cursor) == NULL);
	CHECK_EQUAL(1, other.count_by_state[DEVICE_STALE]);
	CHECK_EQUAL(2, sum_of_states(&other));

	inventory_exchange(&now, &other);
	CHECK_EQUAL(2, now.devices.count);
	CHECK_EQUAL(2, sum_of_states(&now));
	CHECK_EQUAL(3, other.devices.count);
	CHECK(fleet_device(&now, GONE) == NULL);
	CHECK(fleet_device(&other, GONE) != NULL);
	CHECK(now.revision > revision && now.revision_prepared == now.revision);
	/* Made before, taken after: that is not what the phone should have. */
	CHECK_EQUAL(0, fleet_do(&now, (struct change){.kind = CHANGE_DEVICE_FETCHED,
						      .mac = fleet_mac(SAME),
						      .utc_ms = 300,
						      .revision = revision,
						      .is_complete = true}));
	CHECK_EQUAL(DEVICE_STALE, fleet_device(&now, SAME)->state);
	CHECK_EQUAL(0, fleet_do(&now, (struct change){.kind = CHANGE_DEVICE_FETCHED,
						      .mac = fleet_mac(SAME),
						      .utc_ms = 400,
						      .is_complete = true}));
	CHECK_EQUAL(DEVICE_FETCHED, fleet_device(&now, SAME)->state);
	inventory_free(&now);
	inventory_free(&other);
}

static void files_and_packs_stay_where_they_are(void)
{
	fleet_open(&now, 8, 8);
	fleet_open(&other, 8, 8);
	CHECK_EQUAL(0, fleet_do(&now, (struct change){.kind = CHANGE_FILE_SET,
						      .file = SPAN("a.img"),
						      .bytes = 1}));
	inventory_exchange(&now, &other);
	CHECK(inventory_file(&now, SPAN("a.img")) != NULL);
	CHECK(inventory_file(&other, SPAN("a.img")) == NULL);
	inventory_free(&now);
	inventory_free(&other);
}

static int load_profile(const char *name, const char *parent)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (!profile) {
		abort();
	}
	snprintf(profile->name, sizeof(profile->name), "%s", name);
	snprintf(profile->parent, sizeof(profile->parent), "%s", parent);
	return inventory_load_profile(&now, profile);
}

static void names_that_lead_nowhere_are_found(void)
{
	struct device *device = calloc(1, sizeof(*device));
	char problem[256] = "";

	REQUIRE(device != NULL);
	fleet_open(&now, 8, 8);
	CHECK_EQUAL(0, load_profile("a", "b"));
	CHECK_EQUAL(-EINVAL, inventory_check_profiles(&now, problem, sizeof(problem)));
	CHECK(strstr(problem, "profile a names the profile b") != NULL);
	CHECK_EQUAL(0, load_profile("b", "a"));
	CHECK_EQUAL(-EINVAL, inventory_check_profiles(&now, problem, sizeof(problem)));
	CHECK(strstr(problem, "circle") != NULL);
	inventory_free(&now);

	fleet_open(&now, 8, 8);
	CHECK_EQUAL(0, load_profile("a", "default"));
	CHECK_EQUAL(0, inventory_check_profiles(&now, problem, sizeof(problem)));
	*device = (struct device){.mac = fleet_mac(SAME), .profile = "none"};
	CHECK_EQUAL(0, inventory_load_device(&now, device));
	CHECK_EQUAL(-EINVAL, inventory_check_profiles(&now, problem, sizeof(problem)));
	CHECK(strstr(problem, "device 00908f000002 names the profile none") != NULL);
	inventory_free(&now);
}

int main(void)
{
	RUN(who_fetched_since_is_stale_and_stored);
	RUN(files_and_packs_stay_where_they_are);
	RUN(names_that_lead_nowhere_are_found);
	return test_end();
}

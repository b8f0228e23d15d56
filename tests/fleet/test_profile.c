/* SPDX-License-Identifier: MIT */
#include "core/fleet/profile.h"
#include "tests/fleet/fleet.h"

#define PHONE "00908f000001"

static struct inventory inventory;

static const char *effective(struct settings *settings, const char *path)
{
	return settings_get(settings, span_text(path));
}

static void the_nearest_wins(void)
{
	struct settings settings = {0};

	fleet_open(&inventory, 4, 2);
	fleet_profile(&inventory, "default", NULL, "ntp_ip", "10.0.0.1");
	fleet_profile(&inventory, "office", NULL, "ntp_ip", "10.0.0.2");
	fleet_profile(&inventory, "office", NULL, "vlan_id", "20");
	fleet_profile(&inventory, "desk", "office", "vlan_id", "21");
	fleet_profile(&inventory, "desk", NULL, "sip_transport", "tcp");
	fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_CLAIM,
					     .mac = fleet_mac(PHONE),
					     .fields = FIELD_PROFILE,
					     .profile = SPAN("desk")});
	fleet_set(&inventory, PHONE, "sip_transport", "tls");
	REQUIRE(profile_effective(&inventory, fleet_device(&inventory, PHONE), SPAN(""),
				  &settings) == 0);
	CHECK_TEXT("10.0.0.2", span_text(effective(&settings, "ntp_ip")));
	CHECK_TEXT("21", span_text(effective(&settings, "vlan_id")));
	CHECK_TEXT("tls", span_text(effective(&settings, "sip_transport")));
	CHECK_TEXT("true", span_text(effective(&settings, "ntp_enabled")));
	settings_free(&settings);
	REQUIRE(profile_effective(&inventory, NULL, SPAN("office"), &settings) == 0);
	CHECK_TEXT("20", span_text(effective(&settings, "vlan_id")));
	CHECK_TEXT("udp", span_text(effective(&settings, "sip_transport")));
	settings_free(&settings);
	inventory_free(&inventory);
}

static void a_missing_profile_stands_for_default(void)
{
	const struct profile *chain[profile_depth_max];
	struct settings settings = {0};

	fleet_open(&inventory, 4, 2);
	fleet_profile(&inventory, "default", NULL, "ntp_ip", "10.0.0.1");
	CHECK_EQUAL(1, profile_chain(&inventory, SPAN("gone"), chain));
	CHECK_EQUAL(1, profile_chain(&inventory, SPAN(""), chain));
	CHECK_TEXT("default", span_text(chain[0]->name));
	REQUIRE(profile_effective(&inventory, NULL, SPAN("gone"), &settings) == 0);
	CHECK_TEXT("10.0.0.1", span_text(effective(&settings, "ntp_ip")));
	settings_free(&settings);
	inventory_free(&inventory);
}

/* Only a store that somebody edited by hand can hold one. */
static void a_circle_is_found(void)
{
	const struct profile *chain[profile_depth_max];
	struct settings settings = {0};
	struct profile *a = calloc(1, sizeof(*a));
	struct profile *b = calloc(1, sizeof(*b));

	REQUIRE(a && b);
	fleet_open(&inventory, 4, 2);
	memcpy(a->name, "a", 2);
	memcpy(a->parent, "b", 2);
	memcpy(b->name, "b", 2);
	memcpy(b->parent, "a", 2);
	CHECK_EQUAL(0, inventory_load_profile(&inventory, a));
	CHECK_EQUAL(0, inventory_load_profile(&inventory, b));
	CHECK_EQUAL(-ELOOP, profile_chain(&inventory, SPAN("a"), chain));
	CHECK_EQUAL(-ELOOP, profile_effective(&inventory, NULL, SPAN("a"), &settings));
	CHECK_EQUAL(0, settings.count);
	inventory_free(&inventory);
}

int main(void)
{
	RUN(the_nearest_wins);
	RUN(a_missing_profile_stands_for_default);
	RUN(a_circle_is_found);
	return test_end();
}

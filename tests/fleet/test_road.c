/* SPDX-License-Identifier: MIT */
#include "core/fleet/road.h"

#include "tests/fleet/fleet.h"

#include <jansson.h>

static char told[4096];

/* "reason: text {detail}\n"; the detail is an object. */
static void keep(void *context, const struct effect_report *report)
{
	json_t *detail = json_loadb(report->detail.data, report->detail.length, 0, NULL);
	size_t length = strlen(told);

	(void)context;
	CHECK(json_is_object(detail));
	json_decref(detail);
	snprintf(told + length, sizeof(told) - length, "%s: %.*s\n%.*s\n", report->reason,
		 (int)report->text.length, report->text.data, (int)report->detail.length,
		 report->detail.data);
}

static const char *tell(struct inventory *inventory, struct change change, const char *who)
{
	struct prepared prepared;
	char problem[300] = "";

	told[0] = '\0';
	if (inventory_prepare(inventory, &change, &prepared, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		CHECK(false);
		return "";
	}
	road_tell(&prepared, &change, span_text(who), keep, NULL);
	inventory_commit(inventory, &prepared);
	return told;
}

static struct change of(enum change_kind kind)
{
	return (struct change){.kind = kind, .mac = fleet_mac("00908f000001"), .utc_ms = 1000};
}

static struct change sighting(void)
{
	struct change change = of(CHANGE_DEVICE_SEEN);

	change.fields = FIELD_ADDRESS | FIELD_IDENTIFIED_BY | FIELD_CERTAINTY | FIELD_MODEL |
			FIELD_VENDOR | FIELD_FIRMWARE;
	change.vendor = SPAN("audiocodes");
	change.model = SPAN("445HD");
	change.firmware = SPAN("3.4");
	change.address = fleet_address("192.0.2.9");
	change.interface = SPAN("eth0");
	change.identified_by = IDENTIFIED_BY_NEIGHBOUR;
	change.certainty = CERTAINTY_CONFIRMED;
	return change;
}

static void the_road_of_a_phone(void)
{
	struct change fetch = of(CHANGE_DEVICE_FETCHED);
	struct change edit = of(CHANGE_DEVICE_SET);
	struct inventory inventory;

	fetch.file = SPAN("00908f000001.cfg");
	fetch.is_complete = true;
	edit.fields = FIELD_LABEL;
	edit.label = SPAN("Desk");
	fleet_open(&inventory, 10, 10);
	CHECK_TEXT("phone_appeared: a phone that nobody claimed: 00908f000001, vendor audiocodes, "
		   "model 445HD, firmware 3.4, address 192.0.2.9, interface eth0, identified_by "
		   "neighbour, certainty confirmed\n"
		   "{\"vendor\":\"audiocodes\",\"model\":\"445HD\",\"firmware\":\"3.4\","
		   "\"address\":\"192.0.2.9\",\"interface\":\"eth0\",\"identified_by\":"
		   "\"neighbour\",\"certainty\":\"confirmed\"}\n",
		   span_text(tell(&inventory, sighting(), "")));
	CHECK_TEXT("", span_text(tell(&inventory, sighting(), "")));
	CHECK_TEXT("state: new -> claimed: by uid 0\n"
		   "{\"from\":\"new\",\"to\":\"claimed\",\"cause\":\"person\",\"by\":\"uid 0\","
		   "\"evidence\":\"confirmed by neighbour\"}\n",
		   span_text(tell(&inventory, of(CHANGE_DEVICE_CLAIM), "uid 0")));
	CHECK(strstr(tell(&inventory, of(CHANGE_DEVICE_NOTIFIED), ""),
		     "state: claimed -> notified: its URL was sent\n"));
	CHECK(strstr(tell(&inventory, fetch, ""),
		     "state: notified -> fetched: it fetched 00908f000001.cfg\n"));
	CHECK_TEXT("", span_text(tell(&inventory, fetch, "")));
	CHECK(strstr(tell(&inventory, edit, "uid 7"),
		     "state: fetched -> stale: edited by uid 7\n"));
	CHECK(strstr(tell(&inventory, fetch, ""), "state: stale -> fetched: it fetched"));
	CHECK(strstr(tell(&inventory, of(CHANGE_DEVICE_BLOCK), "uid 0"),
		     "state: fetched -> blocked: by uid 0\n"));
	CHECK(strstr(tell(&inventory, of(CHANGE_DEVICE_UNBLOCK), "uid 0"),
		     "state: blocked -> fetched: unblocked by uid 0\n"));
	CHECK(strstr(tell(&inventory, of(CHANGE_DEVICE_REMOVE), "uid 0"),
		     "state: fetched -> removed: by uid 0\n{\"from\":\"fetched\",\"to\":null,"));
	CHECK(strstr(tell(&inventory, of(CHANGE_DEVICE_ADD), "uid 0"),
		     "state: new: added by uid 0\n{\"from\":null,\"to\":\"new\","));
	inventory_free(&inventory);
}

static void a_rule_is_told_with_its_evidence(void)
{
	struct change next = sighting();
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_POOL_SET,
							    .name = SPAN("p"),
							    .body = SPAN("{\"ranges\":[\"7\"]}")}));
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_RULE_SET,
							    .name = SPAN("reception"),
							    .body = SPAN("{\"pool\":\"p\"}")}));
	tell(&inventory, sighting(), "");
	CHECK(strstr(told, "claimed_by_rule: claimed 00908f000001, vendor audiocodes"));
	CHECK(strstr(told, "rule reception, pool p, extension 7\n"));
	CHECK(strstr(told, "state: new -> claimed: by rule reception (00908f000001, confirmed by "
			   "neighbour)\n"
			   "{\"from\":\"new\",\"to\":\"claimed\",\"cause\":\"rule\",\"evidence\":"
			   "\"confirmed by neighbour\",\"rule\":\"reception\"}\n"));
	/* The pool is empty: told once a minute, and the phone is listed. */
	next.mac = fleet_mac("00908f000002");
	tell(&inventory, next, "");
	CHECK(strstr(told, "pool_empty: rule reception would claim it, and pool p has no free "));
	CHECK(strstr(told, "phone_appeared: "));
	CHECK_EQUAL(DEVICE_NEW, fleet_device(&inventory, "00908f000002")->state);
	next.utc_ms += inventory_empty_interval_ms - 1;
	CHECK_TEXT("", span_text(tell(&inventory, next, "")));
	next.utc_ms++;
	CHECK(strstr(tell(&inventory, next, ""), "pool_empty: ") == told);
	inventory_free(&inventory);
}

/* However many phones have the profile. */
static void a_profile_is_told_once(void)
{
	struct change profile = {.kind = CHANGE_PROFILE_SET,
				 .profile = SPAN("desk"),
				 .settings = &(struct change_setting){.path = SPAN("ntp_ip"),
								      .value = SPAN("192.0.2.3")},
				 .setting_count = 1};
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, fleet_profile(&inventory, "base", NULL, "ntp_ip", "192.0.2.1"));
	CHECK_EQUAL(0, fleet_profile(&inventory, "desk", "base", "ntp_ip", "192.0.2.2"));
	for (unsigned i = 1; i <= 3; i++) {
		struct change change = of(CHANGE_DEVICE_CLAIM);

		change.mac.octets[5] = (uint8_t)i;
		change.fields = FIELD_PROFILE;
		change.profile = i < 3 ? SPAN("desk") : SPAN("base");
		CHECK_EQUAL(0, fleet_do(&inventory, change));
		change.kind = CHANGE_DEVICE_FETCHED;
		change.fields = 0;
		change.is_complete = true;
		CHECK_EQUAL(0, fleet_do(&inventory, change));
	}
	CHECK_TEXT("state: 2 devices fetched -> stale: profile changed: desk by uid 0\n"
		   "{\"from\":\"fetched\",\"to\":\"stale\",\"cause\":\"profile\",\"by\":\"uid 0\","
		   "\"profile\":\"desk\",\"count\":2}\n",
		   span_text(tell(&inventory, profile, "uid 0")));
	CHECK_EQUAL(2, inventory.count_by_state[DEVICE_STALE]);
	/* Nothing that is not stale already. */
	profile.settings = &(struct change_setting){.path = SPAN("ntp_ip"), .is_unset = true};
	CHECK_TEXT("", span_text(tell(&inventory, profile, "uid 0")));
	inventory_free(&inventory);
}

int main(void)
{
	RUN(the_road_of_a_phone);
	RUN(a_rule_is_told_with_its_evidence);
	RUN(a_profile_is_told_once);
	return test_end();
}

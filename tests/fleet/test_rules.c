/* SPDX-License-Identifier: MIT */
#include "core/fleet/rules.h"

#include "tests/fleet/fleet.h"
#include "tests/guard.h"

static int set_rule(struct inventory *inventory, const char *name, const char *body)
{
	return fleet_do(inventory, (struct change){.kind = CHANGE_RULE_SET,
						   .name = span_text(name),
						   .body = span_text(body)});
}

static int set_pool(struct inventory *inventory, const char *name, const char *body)
{
	return fleet_do(inventory, (struct change){.kind = CHANGE_POOL_SET,
						   .name = span_text(name),
						   .body = span_text(body)});
}

static struct change sighting(const char *mac, const char *model, enum device_certainty certainty)
{
	return (struct change){
		.kind = CHANGE_DEVICE_SEEN,
		.fields = FIELD_ADDRESS | FIELD_IDENTIFIED_BY | FIELD_CERTAINTY | FIELD_MODEL,
		.mac = fleet_mac(mac),
		.utc_ms = 1000,
		.model = span_text(model),
		.address = fleet_address("192.0.2.9"),
		.interface = SPAN("eth0"),
		.identified_by = IDENTIFIED_BY_NEIGHBOUR,
		.certainty = certainty,
	};
}

static enum device_state seen(struct inventory *inventory, const char *mac, const char *model,
			      enum device_certainty certainty)
{
	CHECK_EQUAL(0, fleet_do(inventory, sighting(mac, model, certainty)));
	return fleet_device(inventory, mac)->state;
}

static void check_range(const char *text, const char *first, const char *last)
{
	struct mac_range range;
	char shown[mac_text_size];

	REQUIRE(mac_range_parse(span_text(text), &range) == 0);
	mac_text(range.first, shown);
	CHECK_TEXT(first, span_text(shown));
	mac_text(range.last, shown);
	CHECK_TEXT(last, span_text(shown));
}

static void ranges_of_macs(void)
{
	static const char *const bad[] = {
		"",  "x",   "00908g", "00908f0000000", "00908f0000ff-00908f000000",
		"-", ":00", "00:",    "00908f000000-",
	};
	struct mac_range range;

	check_range("00908f", "00908f000000", "00908fffffff");
	check_range("00:90:8F", "00908f000000", "00908fffffff");
	check_range("0015651", "001565100000", "0015651fffff");
	check_range("00908f123456", "00908f123456", "00908f123456");
	check_range("00-90-8f-12-34-56", "00908f123456", "00908f123456");
	check_range("00908f000010-00908f0000ff", "00908f000010", "00908f0000ff");
	check_range("00:90:8f:00:00:10-00:90:8f:00:00:ff", "00908f000010", "00908f0000ff");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (mac_range_parse(span_text(bad[i]), &range) == 0) {
			CHECK(false);
			printf("# taken: %s\n", bad[i]);
		}
	}
}

/* What is read is written so that it is read again as the same. */
static void ranges_are_written(void)
{
	static const char *const texts[] = {"00908f", "0015651", "00908f123456",
					    "00908f000010-00908f0000ff"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char room[64];
		struct writer w = writer_over(room, sizeof(room));
		struct mac_range range;

		REQUIRE(mac_range_parse(span_text(texts[i]), &range) == 0);
		mac_range_write(&w, &range);
		CHECK_SPAN(span_text(texts[i]), writer_span(&w));
	}
}

static enum rule_verdict verdict(const char *body, struct rule_subject subject)
{
	char room[300];
	struct writer problem = writer_over(room, sizeof(room));
	struct rule *rule = NULL;
	enum rule_verdict found;

	if (rule_read(SPAN("r"), span_text(body), &rule, &problem) != 0) {
		printf("# %.*s\n", (int)problem.length, room);
		abort();
	}
	found = rule_check(rule, &subject);
	rule_free(rule);
	return found;
}

static void conditions(void)
{
	struct rule_subject phone = {.mac = fleet_mac("00908f123456"),
				     .vendor = SPAN("audiocodes"),
				     .model = SPAN("445HD"),
				     .interface = SPAN("eth0.20"),
				     .certainty = CERTAINTY_SEEN};

	CHECK_EQUAL(RULE_FITS, verdict("{}", phone));
	CHECK_EQUAL(RULE_DISABLED, verdict("{\"enabled\":false}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"mac\":[\"001565\",\"00908f12\",\"0004\"]}", phone));
	CHECK_EQUAL(RULE_OTHER_MAC,
		    verdict("{\"mac\":[\"001565\",\"00908f000000-00908f123455\"]}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"mac\":[\"00908f\",\"00908f000000\"]}", phone));
	CHECK_EQUAL(RULE_OTHER_VENDOR, verdict("{\"vendor\":\"snom\"}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"vendor\":\"audiocodes\"}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"model\":\"445hd\"}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"model\":\"44?h*\"}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"model\":\"*5*\"}", phone));
	CHECK_EQUAL(RULE_OTHER_MODEL, verdict("{\"model\":\"445\"}", phone));
	CHECK_EQUAL(RULE_OTHER_MODEL, verdict("{\"model\":\"*HD?\"}", phone));
	CHECK_EQUAL(RULE_OTHER_INTERFACE, verdict("{\"interface\":\"eth0\"}", phone));
	CHECK_EQUAL(RULE_NOT_CERTAIN, verdict("{\"certainty\":\"confirmed\"}", phone));
	/* What a sender says of itself claims nothing, unless the rule says so. */
	phone.certainty = CERTAINTY_CLAIMED;
	CHECK_EQUAL(RULE_NOT_CERTAIN, verdict("{}", phone));
	CHECK_EQUAL(RULE_FITS, verdict("{\"certainty\":\"claimed\"}", phone));
	phone.certainty = CERTAINTY_SPOOFED;
	CHECK_EQUAL(RULE_NOT_CERTAIN, verdict("{\"certainty\":\"claimed\"}", phone));
}

static void what_is_no_rule_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"priority\":-1}",
		"{\"priority\":10000}",
		"{\"priority\":\"1\"}",
		"{\"enabled\":1}",
		"{\"mac\":\"00908f\"}",
		"{\"mac\":[\"zz\"]}",
		"{\"mac\":[1]}",
		"{\"vendor\":\"Snom!\"}",
		"{\"model\":\"a\\nb\"}",
		"{\"model\":\"0123456789012345678901234567890123456789\"}",
		"{\"certainty\":\"spoofed?\"}",
		"{\"certainty\":\"none\"}",
		"{\"certainty\":\"sure\"}",
		"{\"label\":\"%{user}\"}",
		"{\"label\":\"%{extension}\"}",
		"{\"label\":\"a\\u0001b\"}",
		"{\"colour\":\"red\"}",
		"{\"settings\":[]}",
		"{\"settings\":{\"no.such.path\":\"1\"}}",
		"{\"settings\":{\"ntp_ip\":1}}",
		"{\"profile\":\"nobody\"}",
		"{\"pool\":\"nobody\"}",
	};
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (set_rule(&inventory, "r", bad[i]) == 0 || fleet_problem[0] == '\0') {
			CHECK(false);
			printf("# %s: %s\n", bad[i], fleet_problem);
		}
	}
	CHECK_EQUAL(-EINVAL, set_rule(&inventory, "a b", "{}"));
	CHECK_EQUAL(-EINVAL, set_rule(&inventory, "", "{}"));
	CHECK_EQUAL(0, inventory.rules.count);
	inventory_free(&inventory);
}

static void read_prefix(struct span text, void *context)
{
	char room[300];
	struct writer problem = writer_over(room, sizeof(room));
	struct mac_range range;
	struct rule *rule = NULL;

	if (rule_read(SPAN("r"), text, &rule, &problem) == 0) {
		++*(unsigned *)context;
		rule_free(rule);
	}
	(void)mac_range_parse(text, &range);
}

/* Every prefix of a rule, at the edges of memory: the whole alone is one. */
static void rules_at_the_edge_of_memory(void)
{
	unsigned read = 0;

	guard_each_prefix(SPAN("{\"mac\":[\"00:90:8f\",\"00908f000000-00908f0000ff\"],"
			       "\"model\":\"4*\",\"label\":\"D %{extension}\","
			       "\"pool\":\"p\",\"settings\":{\"ntp_ip\":\"192.0.2.1\"}}"),
			  read_prefix, &read);
	CHECK_EQUAL(2, read);
	guard_each_prefix(SPAN("00:90:8f:00:00:00-00:90:8f:00:00:ff"), read_prefix, &read);
	CHECK_EQUAL(2, read);
}

static void a_rule_claims_what_shows_itself(void)
{
	const struct device *device;
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, fleet_profile(&inventory, "desk", NULL, "ntp_ip", "192.0.2.1"));
	CHECK_EQUAL(0, set_pool(&inventory, "office",
				"{\"ranges\":[\"200-201\"],\"numbers\":[{\"extension\":\"200\","
				"\"username\":\"u200\",\"password\":\"secret\"}]}"));
	CHECK_EQUAL(0, set_rule(&inventory, "reception",
				"{\"mac\":[\"00908f\"],\"model\":\"445*\",\"profile\":\"desk\","
				"\"pool\":\"office\",\"label\":\"Desk %{extension} %{model}\","
				"\"settings\":{\"syslog_ip\":\"192.0.2.2\"}}"));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000001", "445HD", CERTAINTY_CONFIRMED));
	device = fleet_device(&inventory, "00908f000001");
	CHECK_TEXT("reception", span_text(device->claimed_by));
	CHECK_TEXT("desk", span_text(device->profile));
	CHECK_TEXT("Desk 200 445HD", span_text(device->label));
	CHECK_TEXT("200", span_text(device->extension));
	CHECK_EQUAL(device_key_size - 1, strlen(device->key));
	CHECK(device->revision > 0);
	CHECK_TEXT("u200",
		   span_text(settings_get(&device->settings, SPAN("sip_lines.1.username"))));
	CHECK_TEXT("secret",
		   span_text(settings_get(&device->settings, SPAN("sip_lines.1.password"))));
	CHECK_EQUAL(1, inventory_rule(&inventory, SPAN("reception"))->used);
	/* Another model, another MAC, and one that only says that it is one. */
	CHECK_EQUAL(DEVICE_NEW, seen(&inventory, "00908f000002", "405HD", CERTAINTY_CONFIRMED));
	CHECK_EQUAL(DEVICE_NEW, seen(&inventory, "001565000001", "445HD", CERTAINTY_CONFIRMED));
	CHECK_EQUAL(DEVICE_NEW, seen(&inventory, "00908f000003", "445HD", CERTAINTY_CLAIMED));
	/* A word of one that was seen is no sight of it. */
	CHECK_EQUAL(DEVICE_NEW, seen(&inventory, "00908f000002", "445HD", CERTAINTY_CLAIMED));
	CHECK_EQUAL(CERTAINTY_CONFIRMED, fleet_device(&inventory, "00908f000002")->certainty);
	/* One that stood waiting is claimed when it shows itself again, and is sure. */
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000003", "445HD", CERTAINTY_SEEN));
	CHECK_TEXT("201", span_text(fleet_device(&inventory, "00908f000003")->extension));
	CHECK_EQUAL(2, inventory_rule(&inventory, SPAN("reception"))->used);
	/* Seen once more: nothing changes. */
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000003", "445HD", CERTAINTY_SEEN));
	CHECK_EQUAL(2, inventory_rule(&inventory, SPAN("reception"))->used);
	inventory_free(&inventory);
}

static void the_first_that_fits_claims(void)
{
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, set_rule(&inventory, "c", "{}"));
	CHECK_EQUAL(0, set_rule(&inventory, "b", "{}"));
	CHECK_EQUAL(0, set_rule(&inventory, "a", "{\"priority\":200}"));
	CHECK_EQUAL(0, set_rule(&inventory, "z", "{\"priority\":5,\"model\":\"x\"}"));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000001", "y", CERTAINTY_SEEN));
	CHECK_TEXT("b", span_text(fleet_device(&inventory, "00908f000001")->claimed_by));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000002", "x", CERTAINTY_SEEN));
	CHECK_TEXT("z", span_text(fleet_device(&inventory, "00908f000002")->claimed_by));
	/* A rule that is set again has its new place, and what it has claimed still counts. */
	CHECK_EQUAL(0, set_rule(&inventory, "b", "{\"priority\":300}"));
	CHECK_EQUAL(1, inventory_rule(&inventory, SPAN("b"))->used);
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000003", "y", CERTAINTY_SEEN));
	CHECK_TEXT("c", span_text(fleet_device(&inventory, "00908f000003")->claimed_by));
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_RULE_REMOVE, .name = SPAN("c")}));
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, (struct change){.kind = CHANGE_RULE_REMOVE,
								  .name = SPAN("c")}));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000004", "y", CERTAINTY_SEEN));
	CHECK_TEXT("a", span_text(fleet_device(&inventory, "00908f000004")->claimed_by));
	inventory_free(&inventory);
}

/* What a person has set stays; what he blocked is claimed by no rule. */
static void people_go_before_rules(void)
{
	const struct device *device;
	struct inventory inventory;

	fleet_open(&inventory, 10, 10);
	CHECK_EQUAL(0, fleet_profile(&inventory, "desk", NULL, "ntp_ip", "192.0.2.1"));
	CHECK_EQUAL(0, fleet_profile(&inventory, "mine", NULL, "ntp_ip", "192.0.2.1"));
	CHECK_EQUAL(0, set_rule(&inventory, "r",
				"{\"profile\":\"desk\",\"label\":\"L\",\"settings\":"
				"{\"ntp_ip\":\"192.0.2.7\",\"syslog_ip\":\"192.0.2.8\"}}"));
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_ADD,
							    .fields = FIELD_PROFILE | FIELD_LABEL,
							    .mac = fleet_mac("00908f000001"),
							    .profile = SPAN("mine"),
							    .label = SPAN("My own")}));
	CHECK_EQUAL(0, fleet_set(&inventory, "00908f000001", "ntp_ip", "192.0.2.99"));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000001", "y", CERTAINTY_SEEN));
	device = fleet_device(&inventory, "00908f000001");
	CHECK_TEXT("mine", span_text(device->profile));
	CHECK_TEXT("My own", span_text(device->label));
	CHECK_TEXT("192.0.2.99", span_text(settings_get(&device->settings, SPAN("ntp_ip"))));
	CHECK_TEXT("192.0.2.8", span_text(settings_get(&device->settings, SPAN("syslog_ip"))));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_ADD, "00908f000002"));
	CHECK_EQUAL(0, fleet_change(&inventory, CHANGE_DEVICE_BLOCK, "00908f000002"));
	CHECK_EQUAL(DEVICE_BLOCKED, seen(&inventory, "00908f000002", "y", CERTAINTY_SEEN));
	/* What a rule needs cannot be taken away from under it. */
	CHECK_EQUAL(-EBUSY, fleet_do(&inventory, (struct change){.kind = CHANGE_PROFILE_REMOVE,
								 .profile = SPAN("desk")}));
	inventory_free(&inventory);
}

/* Strangers that a rule claims are none: they do not count as new ones. */
static void rules_make_room(void)
{
	struct inventory inventory;

	fleet_open(&inventory, 4, 1);
	CHECK_EQUAL(0, set_rule(&inventory, "r", "{\"mac\":[\"00908f\"]}"));
	CHECK_EQUAL(DEVICE_NEW, seen(&inventory, "001565000001", "y", CERTAINTY_SEEN));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000001", "y", CERTAINTY_SEEN));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000002", "y", CERTAINTY_SEEN));
	CHECK_EQUAL(-ENOSPC, fleet_do(&inventory, sighting("001565000002", "y", CERTAINTY_SEEN)));
	CHECK_EQUAL(DEVICE_CLAIMED, seen(&inventory, "00908f000003", "y", CERTAINTY_SEEN));
	CHECK_EQUAL(-ENOSPC, fleet_do(&inventory, sighting("00908f000004", "y", CERTAINTY_SEEN)));
	CHECK_EQUAL(2, inventory_refused_new(&inventory));
	inventory_free(&inventory);
}

/* In a batch nothing is claimed by what another change of the batch may take away. */
static void rules_wait_for_what_is_not_committed(void)
{
	struct change edit = {.kind = CHANGE_RULE_REMOVE, .name = SPAN("r"), .body = SPAN("{}")};
	struct change phone = sighting("00908f000001", "y", CERTAINTY_SEEN);
	struct prepared prepared[2];
	struct inventory inventory;
	char problem[200];

	fleet_open(&inventory, 4, 4);
	CHECK_EQUAL(0, set_rule(&inventory, "r", "{}"));
	REQUIRE(inventory_prepare(&inventory, &edit, &prepared[0], problem, sizeof(problem)) == 0);
	REQUIRE(inventory_prepare(&inventory, &phone, &prepared[1], problem, sizeof(problem)) == 0);
	inventory_commit(&inventory, &prepared[0]);
	inventory_commit(&inventory, &prepared[1]);
	CHECK_EQUAL(DEVICE_NEW, fleet_device(&inventory, "00908f000001")->state);
	inventory_free(&inventory);
}

int main(void)
{
	RUN(ranges_of_macs);
	RUN(ranges_are_written);
	RUN(conditions);
	RUN(what_is_no_rule_is_refused);
	RUN(rules_at_the_edge_of_memory);
	RUN(a_rule_claims_what_shows_itself);
	RUN(the_first_that_fits_claims);
	RUN(people_go_before_rules);
	RUN(rules_make_room);
	RUN(rules_wait_for_what_is_not_committed);
	return test_end();
}

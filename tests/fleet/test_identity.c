/* SPDX-License-Identifier: MIT */
#include "core/fleet/identity.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"
#include "tests/guard.h"

#define PHONE "00908f0a0b0c"
#define OTHER "00908f000002"

static const char maker[] =
	"{ \"schema\": 1, \"name\": \"audiocodes\", \"display_name\": \"AudioCodes\",\n"
	"  \"recognise\": { \"oui\": [\"00908f\"],\n"
	"    \"sip_user_agent\": [\"^AUDC-IPPhone/(?<version>[0-9A-Za-z._]+)$\"],\n"
	"    \"event_model\": [\"^(?<model>[0-9A-Za-z-]{1,20})$\"] },\n"
	"  \"files\": [ { \"name\": \"<model>.img\", \"kind\": \"firmware\" } ] }";

static struct inventory inventory;

static void open_fleet(void)
{
	struct vendor_pack *pack = pack_of_text(maker);

	fleet_open(&inventory, 10, 5);
	if (!pack || vendors_add(&inventory.vendors, pack) != 0) {
		abort();
	}
}

struct spelling {
	const char *request;
	const char *from;
	const char *contact;
	const char *agent;
	const char *mac; /* NULL: none; "-": two that differ */
};

/* dialects.md A.15 and E.1 */
static const struct spelling spellings[] = {
	{"MAC%3a00908f0a0b0c", "", "", "", PHONE},
	{"MAC%3A00908F0A0B0C", "", "", "", PHONE},
	{"mac:00908f0a0b0c", "", "", "", PHONE},
	{"MAC=00908f0a0b0c", "", "", "", PHONE},
	{"MAC00908f0a0b0c", "", "", "", PHONE},
	{"00908f0a0b0c", "", "", "", PHONE},
	{"MAC%3a00%3A90%3a8f%3a0a%3a0b%3a0c", "", "", "", PHONE},
	{"00-90-8F-0A-0B-0C", "", "", "", PHONE},
	{"0090.8f0a.0b0c", "", "", "", PHONE},
	{"MAC%3a00908f0a0b0c;phone-context=x", "", "", "", PHONE},
	{"", "MAC%3a00908f0a0b0c", "", "", PHONE},
	{"", "", "MAC%3a00908f0a0b0c", "", PHONE},
	{"", "", "00908f0a0b0c", "", PHONE},
	{"", "", "", "Gigaset N720 DM PRO/70.089.00.000.000;00908F0A0B0C", PHONE},
	{"", "", "", "Yealink SIP-T46G 28.72.0.1 00:90:8f:0a:0b:0c", PHONE},
	{"", "", "", "Mitel6930 MAC:00-90-8F-0A-0B-0C V:6.4.0.140-SIP", PHONE},
	{"", "", "", "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F0A0B0C)", PHONE},
	{"", "", "", "Fanvil X5U-V2 2.12.16.17 00908f0a0b0c", PHONE},
	{"MAC%3a00908f0a0b0c", "MAC%3a00908f0a0b0c", "MAC00908F0A0B0C", "x 00908f0a0b0c", PHONE},
	{"MAC%3a00908f0a0b0c", "MAC%3a00908f000002", "", "", "-"},
	{"", "", "MAC%3a00908f0a0b0c", "x 00:90:8f:00:00:02", "-"},
	/* What is no MAC of one device. */
	{"MAC%3a000000000000", "", "", "", NULL},
	{"MAC%3affffffffffff", "", "", "", NULL},
	{"MAC%3a01005e0a0b0c", "", "", "", NULL},
	{"MAC%3a00908f0a0b0", "", "", "", NULL},
	{"MAC%3a00908f0a0b0c0", "", "", "", NULL},
	{"MAC%3", "", "", "", NULL},
	{"MAC%", "", "", "", NULL},
	{"%00%01%02", "", "", "", NULL},
	{"", "00000001", "00000001", "AUDC-IPPhone/2.2.2", NULL},
	{"", "", "", "snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5", NULL},
	{"", "", "", "", NULL},
	/* Digits alone give way to what is certain, and do not contradict it. */
	{"MAC%3a00908f0a0b0c", "441234567890", "", "", PHONE},
	{"", "441234567890", "MAC%3a00908f0a0b0c", "", PHONE},
	{"", "441234567890", "", "", "441234567890"},
	{"441234567890", "", "MAC%3a00908f0a0b0c", "", "-"},
};

static void every_spelling_is_read(void)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		const struct spelling *s = &spellings[i];
		struct subscribe_claims claims = {.request_user = span_text(s->request),
						  .from_user = span_text(s->from),
						  .contact_user = span_text(s->contact),
						  .user_agent = span_text(s->agent)};
		struct mac mac = {0};
		char text[mac_text_size];
		int error = identity_claimed_mac(&claims, &mac);

		mac_text(mac, text);
		CHECK_EQUAL(!s->mac ? -ENOENT : strcmp(s->mac, "-") == 0 ? -EEXIST : 0, error);
		if (!error) {
			CHECK_TEXT(s->mac, span_text(text));
		}
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
	}
}

struct judgement {
	const char *claimed; /* in the Request-URI; NULL: none */
	const char *bound;   /* device to which the source address is bound */
	const char *seen;    /* hardware address behind the source */
	bool is_pending;
	bool is_routed;
	enum identity_verdict verdict;
	const char *mac;
	enum device_identified_by by;
	const char *reason;
};

/* Claim × binding × what the network shows. */
static const struct judgement judgements[] = {
	{NULL, NULL, PHONE, false, false, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_NEIGHBOUR,
	 "neighbour"},
	{PHONE, NULL, PHONE, false, false, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_NEIGHBOUR,
	 "neighbour"},
	{OTHER, NULL, PHONE, false, false, IDENTITY_CONFLICT, NULL, 0, "mac_is_not_its_own"},
	{NULL, NULL, NULL, true, false, IDENTITY_PENDING, NULL, 0, "resolving"},
	{PHONE, NULL, NULL, true, false, IDENTITY_PENDING, NULL, 0, "resolving"},
	{NULL, NULL, NULL, false, true, IDENTITY_UNKNOWN, NULL, 0, "routed"},
	{PHONE, NULL, NULL, false, true, IDENTITY_UNPROVEN, PHONE, IDENTIFIED_BY_REQUEST_URI,
	 "routed"},
	{NULL, NULL, NULL, false, false, IDENTITY_UNKNOWN, NULL, 0, "unidentified"},
	{PHONE, NULL, NULL, false, false, IDENTITY_UNPROVEN, PHONE, IDENTIFIED_BY_REQUEST_URI,
	 "not_seen"},
	{NULL, PHONE, NULL, false, true, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_ADDRESS, "address"},
	{PHONE, PHONE, NULL, true, false, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_ADDRESS, "address"},
	{OTHER, PHONE, NULL, false, true, IDENTITY_CONFLICT, NULL, 0, "mac_is_not_the_bound_one"},
	{OTHER, PHONE, OTHER, false, false, IDENTITY_CONFLICT, NULL, 0, "mac_is_not_the_bound_one"},
	{NULL, PHONE, OTHER, false, false, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_ADDRESS, "address"},
	{NULL, NULL, "000000000000", false, false, IDENTITY_UNKNOWN, NULL, 0,
	 "no_hardware_address"},
};

static struct identity judge(const struct subscribe_claims *claims,
			     const struct link_evidence *link)
{
	struct identity identity;

	identity_from_subscribe(&inventory, claims, fleet_address("10.13.2.37"), SPAN("eth0"), link,
				&identity);
	return identity;
}

static void claims_are_held_against_what_is_seen(void)
{
	for (size_t i = 0; i < sizeof(judgements) / sizeof(*judgements); i++) {
		const struct judgement *j = &judgements[i];
		struct subscribe_claims claims = {.request_user = span_text(j->claimed)};
		struct link_evidence link = {.is_known = j->seen != NULL,
					     .by = IDENTIFIED_BY_NEIGHBOUR,
					     .is_pending = j->is_pending,
					     .is_routed = j->is_routed};
		struct identity identity;

		if (j->seen) {
			link.mac = fleet_mac(j->seen);
		}
		open_fleet();
		if (j->bound) {
			fleet_do(&inventory,
				 (struct change){.kind = CHANGE_DEVICE_CLAIM,
						 .mac = fleet_mac(j->bound),
						 .fields = FIELD_BOUND_ADDRESS,
						 .bound_address = fleet_address("10.13.2.37")});
		}
		identity = judge(&claims, &link);
		CHECK_EQUAL(j->verdict, identity.verdict);
		CHECK_TEXT(j->reason, span_text(identity.reason));
		CHECK_EQUAL(j->by, identity.by);
		CHECK_EQUAL(j->claimed != NULL, identity.has_claim);
		CHECK(!j->mac || mac_equal(identity.mac, fleet_mac(j->mac)));
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
		inventory_free(&inventory);
	}
}

/* A telephone number of twelve digits is no conflict, unless it is a MAC that we know. */
static void digits_alone_are_a_claim_only_with_a_reason(void)
{
	struct subscribe_claims claims = {.from_user = SPAN("441234567890")};
	struct link_evidence link = {.is_known = true,
				     .mac = fleet_mac(PHONE),
				     .by = IDENTIFIED_BY_FRAME};
	struct identity identity;

	open_fleet();
	identity = judge(&claims, &link);
	CHECK_EQUAL(IDENTITY_KNOWN, identity.verdict);
	CHECK(!identity.has_claim);
	CHECK_EQUAL(IDENTIFIED_BY_FRAME, identity.by);
	fleet_change(&inventory, CHANGE_DEVICE_CLAIM, "441234567890");
	CHECK_EQUAL(IDENTITY_CONFLICT, judge(&claims, &link).verdict);
	link.mac = fleet_mac("441234567890");
	identity = judge(&claims, &link);
	CHECK_EQUAL(IDENTITY_KNOWN, identity.verdict);
	CHECK(identity.has_claim);
	inventory_free(&inventory);
}

static void two_macs_in_one_message_are_a_conflict(void)
{
	struct subscribe_claims claims = {.request_user = SPAN("MAC%3a" PHONE),
					  .contact_user = SPAN("MAC%3a" OTHER)};
	struct link_evidence link = {.is_known = true, .mac = fleet_mac(PHONE)};

	open_fleet();
	CHECK_EQUAL(IDENTITY_CONFLICT, judge(&claims, &link).verdict);
	CHECK_TEXT("names_two_macs", span_text(judge(&claims, &link).reason));
	inventory_free(&inventory);
}

/* audiocodes.md 6.2: no MAC, no vendor; the model stands in the Event, the version in both. */
static void the_manuals_subscribe_is_read(void)
{
	struct subscribe_claims claims = {.from_user = SPAN("00000001"),
					  .contact_user = SPAN("00000001"),
					  .user_agent = SPAN("AUDC-IPPhone/2.2.2"),
					  .model = SPAN("440HD"),
					  .version = SPAN("2.2.2")};
	struct link_evidence link = {.is_known = true,
				     .mac = fleet_mac("0a0000000001"),
				     .by = IDENTIFIED_BY_NEIGHBOUR};
	struct identity identity;

	open_fleet();
	identity = judge(&claims, &link);
	CHECK_EQUAL(IDENTITY_KNOWN, identity.verdict);
	CHECK_TEXT("audiocodes", identity.vendor_name);
	CHECK_TEXT("440HD", identity.model);
	CHECK_TEXT("2.2.2", identity.version);
	claims.model = SPAN("../../etc/passwd");
	claims.version = SPAN("2\r\nX: y");
	claims.user_agent = SPAN("somebody");
	link.mac = fleet_mac(PHONE);
	identity = judge(&claims, &link);
	CHECK_TEXT("audiocodes", identity.vendor_name);
	CHECK_TEXT("", identity.model);
	CHECK_TEXT("", identity.version);
	inventory_free(&inventory);
}

static void claim_at_the_edge(struct span input, void *context)
{
	struct subscribe_claims claims = {.request_user = input,
					  .from_user = input,
					  .contact_user = input,
					  .user_agent = input,
					  .vendor = input,
					  .model = input,
					  .version = input};
	struct link_evidence link = {.is_known = true, .mac = fleet_mac(PHONE)};

	(void)context;
	judge(&claims, &link);
}

static void nothing_is_read_past_the_end(void)
{
	open_fleet();
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		guard_each_prefix(span_text(spellings[i].request), claim_at_the_edge, NULL);
		guard_each_prefix(span_text(spellings[i].agent), claim_at_the_edge, NULL);
	}
	guard_each_prefix(SPAN("AUDC-IPPhone/2.2.2"), claim_at_the_edge, NULL);
	inventory_free(&inventory);
}

int main(void)
{
	RUN(every_spelling_is_read);
	RUN(claims_are_held_against_what_is_seen);
	RUN(digits_alone_are_a_claim_only_with_a_reason);
	RUN(two_macs_in_one_message_are_a_conflict);
	RUN(the_manuals_subscribe_is_read);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

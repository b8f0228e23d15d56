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
	"    \"http_user_agent\": [\"^AUDC-IPPhone/(?<version>[0-9A-Za-z._]+) "
	"\\\\((?<model>C?[0-9]{3}HD)[^;]*; (?<mac>[0-9A-Fa-f]{12})\\\\)\",\n"
	"      \"^AUDC-IPPhone-(?<model>C?[0-9]{3}HD)_(?<version>UC_[0-9.]+)/\"],\n"
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
	/* Mixtures. */
	{"%4D%41%43%3a%30%30908f0a0b0c", "", "", "", PHONE},
	{"MAC%3d00-90-8F-0a-0b-0C", "", "", "", PHONE},
	{"mac-0090.8f0a.0b0c", "", "", "", PHONE},
	{"MAC_00908f0a0b0c", "", "", "", PHONE},
	{"00:90-8f.0a-0b:0c", "", "", "", PHONE},
	{"00908F-0A0B0C", "", "", "", PHONE},
	{"MAC%3a00908f0a0b0c%3buser=phone", "", "", "", PHONE},
	{"urn%3auuid%3a00000000-0000-1000-0000-00908F0A0B0C", "", "", "", PHONE},
	{"", "", "", "x MAC%3a00%3a90%3a8f%3a0a%3a0b%3a0c", PHONE},
	{"", "", "", "Phone MAC=00-90-8f-0a-0b-0c", PHONE},
	{"0:90-8f:0a:0b:0c", "", "", "", NULL},
	{"009:08f:0a0b0c", "", "", "", NULL},
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

/* Where else a MAC may stand; the Request-URI names none. */
static void every_place_is_read(void)
{
	const struct {
		struct subscribe_claims claims;
		const char *mac; /* NULL: none; "-": two that differ */
	} places[] = {
		{{.to_user = SPAN("MAC%3a00908f0a0b0c")}, PHONE},
		{{.instance = SPAN("<urn:uuid:00000000-0000-1000-8000-00908F0A0B0C>")}, PHONE},
		{{.instance = SPAN("urn:uuid:3f2504e0-4f89-41d3-9a0c-00908f0a0b0c")}, PHONE},
		{{.instance = SPAN("<urn:uuid:00000000-0000-1000-8000-00908f0a0b0>")}, NULL},
		{{.instance = SPAN("<urn:uuid:00000000-0000-1000-8000_00908f0a0b0c>")}, NULL},
		{{.instance = SPAN("<urn:uuid:00000000-0000-1000-8000-000000000000>")}, NULL},
		{{.event_values = {SPAN("x"), SPAN("00-90-8f-0a-0b-0c")}, .event_value_count = 2},
		 PHONE},
		{{.event_values = {SPAN("MAC%3A00908F0A0B0C")}, .event_value_count = 1}, PHONE},
		/* A random UUID contradicts nothing; one that has a MAC by its version does. */
		{{.instance = SPAN("urn:uuid:3f2504e0-4f89-41d3-9a0c-00908f000002"),
		  .from_user = SPAN("MAC00908f0a0b0c")},
		 PHONE},
		{{.instance = SPAN("urn:uuid:3f2504e0-4f89-11d3-9a0c-00908f000002"),
		  .from_user = SPAN("MAC00908f0a0b0c")},
		 "-"},
		{{.to_user = SPAN("MAC%3a00908f0a0b0c"),
		  .event_values = {SPAN("00908f000002")},
		  .event_value_count = 1},
		 "-"},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const char *expected = places[i].mac;
		struct mac mac = {0};
		int error = identity_claimed_mac(&places[i].claims, &mac);

		CHECK_EQUAL(!expected ? -ENOENT : strcmp(expected, "-") == 0 ? -EEXIST : 0, error);
		CHECK(error || mac_equal(fleet_mac(expected), mac));
		if (test_is_failed) {
			printf("# place %zu\n", i);
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

/* identity.h: agreement raises, contradiction lowers. */
static enum device_certainty certainty_of(const struct judgement *j)
{
	switch (j->verdict) {
	case IDENTITY_KNOWN:
		return j->bound	    ? CERTAINTY_PROVEN
		       : j->claimed ? CERTAINTY_CONFIRMED
				    : CERTAINTY_SEEN;
	case IDENTITY_CONFLICT:
		return CERTAINTY_SPOOFED;
	case IDENTITY_UNPROVEN:
		return CERTAINTY_CLAIMED;
	case IDENTITY_UNKNOWN:
		return CERTAINTY_UNIDENTIFIED;
	case IDENTITY_PENDING:
		break;
	}
	return CERTAINTY_NONE;
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
		CHECK_EQUAL(certainty_of(j), identity.certainty);
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

struct fetch {
	const char *name;
	const char *agent;
	const char *seen; /* hardware address behind the request; NULL: routed */
	enum identity_verdict verdict;
	const char *mac;
	enum device_identified_by by;
	enum device_certainty certainty;
	const char *vendor;
	const char *model;
	const char *version;
};

#define AGENT "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F0A0B0C)"

static const struct fetch fetches[] = {
	{"x.cfg", AGENT, PHONE, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_NEIGHBOUR, CERTAINTY_CONFIRMED,
	 "audiocodes", "440HD", "2.2.8.61"},
	{"00908F0A0B0C.cfg", "", PHONE, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_NEIGHBOUR,
	 CERTAINTY_CONFIRMED, "audiocodes", "", ""},
	{"boot.txt", "", PHONE, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_NEIGHBOUR, CERTAINTY_SEEN,
	 "audiocodes", "", ""},
	{"favicon.ico", "Mozilla/5.0", "020000000002", IDENTITY_KNOWN, "020000000002",
	 IDENTIFIED_BY_NEIGHBOUR, CERTAINTY_SEEN, "", "", ""},
	{"00908F0A0B0C.cfg", "", OTHER, IDENTITY_CONFLICT, PHONE, IDENTIFIED_BY_NOTHING,
	 CERTAINTY_SPOOFED, "audiocodes", "", ""},
	{"x.cfg", AGENT, OTHER, IDENTITY_CONFLICT, PHONE, IDENTIFIED_BY_NOTHING, CERTAINTY_SPOOFED,
	 "audiocodes", "440HD", "2.2.8.61"},
	/* It may ask for another's file: who it is its User-Agent tells. */
	{"00908F000002.cfg", AGENT, PHONE, IDENTITY_KNOWN, PHONE, IDENTIFIED_BY_NEIGHBOUR,
	 CERTAINTY_CONFIRMED, "audiocodes", "440HD", "2.2.8.61"},
	{"x.cfg", AGENT, NULL, IDENTITY_UNPROVEN, PHONE, IDENTIFIED_BY_USER_AGENT,
	 CERTAINTY_CLAIMED, "audiocodes", "440HD", "2.2.8.61"},
	{"00908F0A0B0C.cfg", "curl/8", NULL, IDENTITY_UNPROVEN, PHONE, IDENTIFIED_BY_FILE_NAME,
	 CERTAINTY_CLAIMED, "audiocodes", "", ""},
	{"cfg00-90-8f-0a-0b-0c.xml", "", NULL, IDENTITY_UNPROVEN, PHONE, IDENTIFIED_BY_FILE_NAME,
	 CERTAINTY_CLAIMED, "audiocodes", "", ""},
	/* Nobody's OUI, and no maker's pattern: that is no phone's word. */
	{"0200000000aa.cfg", "curl/8", NULL, IDENTITY_UNKNOWN, NULL, IDENTIFIED_BY_NOTHING,
	 CERTAINTY_UNIDENTIFIED, "", "", ""},
	{"x.cfg", "Other 1.0 0200000000aa", NULL, IDENTITY_UNKNOWN, NULL, IDENTIFIED_BY_NOTHING,
	 CERTAINTY_UNIDENTIFIED, "", "", ""},
	{"000000000000.cfg", "", NULL, IDENTITY_UNKNOWN, NULL, IDENTIFIED_BY_NOTHING,
	 CERTAINTY_UNIDENTIFIED, "", "", ""},
	{"00908F0A0B0C0.cfg", "", NULL, IDENTITY_UNKNOWN, NULL, IDENTIFIED_BY_NOTHING,
	 CERTAINTY_UNIDENTIFIED, "", "", ""},
	{"boot.txt", "AUDC-IPPhone-440HD_UC_2.0.13/1.0", NULL, IDENTITY_UNKNOWN, NULL,
	 IDENTIFIED_BY_NOTHING, CERTAINTY_UNIDENTIFIED, "audiocodes", "440HD", "UC_2.0.13"},
};

static void a_request_for_a_file_is_judged_by_its_own_order(void)
{
	for (size_t i = 0; i < sizeof(fetches) / sizeof(*fetches); i++) {
		const struct fetch *f = &fetches[i];
		struct fetch_claims claims = {span_text(f->name), span_text(f->agent)};
		struct link_evidence link = {.is_known = f->seen != NULL,
					     .by = IDENTIFIED_BY_NEIGHBOUR,
					     .is_routed = !f->seen};
		struct identity identity;

		if (f->seen) {
			link.mac = fleet_mac(f->seen);
		}
		open_fleet();
		identity_from_fetch(&inventory, &claims, fleet_address("10.13.2.37"), SPAN("eth0"),
				    &link, &identity);
		CHECK_EQUAL(f->verdict, identity.verdict);
		CHECK(!f->mac || mac_equal(fleet_mac(f->mac), identity.mac));
		CHECK_EQUAL(f->by, identity.by);
		CHECK_EQUAL(f->certainty, identity.certainty);
		CHECK_TEXT(f->vendor, identity.vendor_name);
		CHECK_TEXT(f->model, identity.model);
		CHECK_TEXT(f->version, identity.version);
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
		inventory_free(&inventory);
	}
}

static void a_guest_has_no_key_and_no_settings(void)
{
	struct identity identity = {.mac = fleet_mac(PHONE),
				    .vendor_name = SPAN("audiocodes"),
				    .model = SPAN("440HD")};
	struct device guest;

	open_fleet();
	identity_guest(&inventory, &identity, NULL, &guest);
	CHECK_TEXT("bootstrap", span_text(guest.key));
	CHECK_TEXT("440HD", span_text(guest.model));
	CHECK_TEXT("", span_text(guest.profile));
	fleet_do(&inventory,
		 (struct change){.kind = CHANGE_PROFILE_SET, .profile = SPAN("bootstrap")});
	fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_ADD,
					     .mac = fleet_mac(PHONE),
					     .fields = FIELD_MODEL,
					     .model = SPAN("420HD")});
	identity_guest(&inventory, &identity, fleet_device(&inventory, PHONE), &guest);
	CHECK_TEXT("420HD", span_text(guest.model));
	CHECK_TEXT("bootstrap", span_text(guest.profile));
	CHECK_EQUAL(0, guest.settings.count);
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
					  .version = input,
					  .to_user = input,
					  .instance = input,
					  .event_values = {input},
					  .event_value_count = 1};
	struct fetch_claims fetched = {input, input};
	struct link_evidence link = {.is_known = true, .mac = fleet_mac(PHONE)};
	struct identity identity;

	(void)context;
	judge(&claims, &link);
	identity_from_fetch(&inventory, &fetched, fleet_address("10.13.2.37"), SPAN("eth0"), &link,
			    &identity);
}

static void nothing_is_read_past_the_end(void)
{
	open_fleet();
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		guard_each_prefix(span_text(spellings[i].request), claim_at_the_edge, NULL);
		guard_each_prefix(span_text(spellings[i].agent), claim_at_the_edge, NULL);
	}
	for (size_t i = 0; i < sizeof(fetches) / sizeof(*fetches); i++) {
		guard_each_prefix(span_text(fetches[i].name), claim_at_the_edge, NULL);
		guard_each_prefix(span_text(fetches[i].agent), claim_at_the_edge, NULL);
	}
	guard_each_prefix(SPAN("<urn:uuid:00000000-0000-1000-8000-00908F0A0B0C>"),
			  claim_at_the_edge, NULL);
	guard_each_prefix(SPAN("AUDC-IPPhone/2.2.2"), claim_at_the_edge, NULL);
	inventory_free(&inventory);
}

int main(void)
{
	RUN(every_spelling_is_read);
	RUN(every_place_is_read);
	RUN(claims_are_held_against_what_is_seen);
	RUN(digits_alone_are_a_claim_only_with_a_reason);
	RUN(two_macs_in_one_message_are_a_conflict);
	RUN(the_manuals_subscribe_is_read);
	RUN(a_request_for_a_file_is_judged_by_its_own_order);
	RUN(a_guest_has_no_key_and_no_settings);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

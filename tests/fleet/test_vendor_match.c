/* SPDX-License-Identifier: MIT */
/* Who is recognised by what, and what that may cost: the index, the literals, the steps. */
#include "core/fleet/vendor_match.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"
#include "tests/guard.h"

static struct vendor_pack *maker(const char *name, enum vendor_origin origin, const char *recognise)
{
	char text[2048];
	struct vendor_pack *pack;

	snprintf(text, sizeof(text),
		 "{\"schema\":1,\"name\":\"%s\",\"display_name\":\"x\",\"recognise\":%s,"
		 "\"files\":[{\"name\":\"x.img\",\"kind\":\"firmware\"}]}",
		 name, recognise);
	pack = pack_of_text(text);
	if (!pack) {
		abort();
	}
	pack->origin = origin;
	return pack;
}

static const char *name_of(const struct vendor_pack *pack)
{
	return pack ? pack->name.data : "nobody";
}

static const char *by_oui(const struct vendors *vendors, const char *mac)
{
	return name_of(vendor_by_oui(vendors, fleet_mac(mac)));
}

/* dialects.md E.4, ecosystem.md 4.3: desk phones of Gigaset lie within Snom's OUI. */
static void the_longest_prefix_of_all_packs_wins(void)
{
	struct vendors vendors = {0};

	vendors_add(&vendors, maker("gigaset", VENDOR_SHIPPED,
				    "{\"oui\":[\"7c2f80\",\"000413e5\",\"00041380\"]}"));
	vendors_add(&vendors, maker("snom", VENDOR_SHIPPED, "{\"oui\":[\"000413\"]}"));
	vendors_add(&vendors, maker("nibble", VENDOR_SHIPPED,
				    "{\"oui\":[\"70b3d57\",\"70b3d5abc\",\"000413e5f\"]}"));
	CHECK_TEXT("snom", span_text(by_oui(&vendors, "000413e40001")));
	CHECK_TEXT("gigaset", span_text(by_oui(&vendors, "000413e50001")));
	CHECK_TEXT("nibble", span_text(by_oui(&vendors, "000413e5f001")));
	CHECK_TEXT("gigaset", span_text(by_oui(&vendors, "000413e5effe")));
	CHECK_TEXT("gigaset", span_text(by_oui(&vendors, "000413800000")));
	CHECK_TEXT("snom", span_text(by_oui(&vendors, "0004137fffff")));
	CHECK_TEXT("nibble", span_text(by_oui(&vendors, "70b3d57fffff")));
	CHECK_TEXT("nibble", span_text(by_oui(&vendors, "70b3d5abcfff")));
	CHECK_TEXT("nobody", span_text(by_oui(&vendors, "70b3d5abdfff")));
	CHECK_TEXT("nobody", span_text(by_oui(&vendors, "000412ffffff")));
	CHECK_TEXT("nobody", span_text(by_oui(&vendors, "fffffffffffe")));
	vendors_free(&vendors);
}

static void two_packs_of_one_origin_cannot_share_an_oui(void)
{
	struct vendors vendors = {0};
	struct vendor_pack *second =
		maker("b", VENDOR_SHIPPED, "{\n\"oui\":[\"001565\",\n\"000b82\"]}");
	char problem[200] = "";

	CHECK_EQUAL(0, vendors_put(&vendors,
				   maker("a", VENDOR_SHIPPED, "{\"oui\":[\"000b82\",\"000b82\"]}"),
				   problem, sizeof(problem)));
	CHECK_EQUAL(-EEXIST, vendors_put(&vendors, second, problem, sizeof(problem)));
	CHECK_TEXT("pack.json:3: recognise.oui[1]: 000b82 is in the pack a already",
		   span_text(problem));
	CHECK_EQUAL(-EEXIST, vendors_add(&vendors, second));
	CHECK_EQUAL(1, vendors.count);
	CHECK_TEXT("a", span_text(by_oui(&vendors, "000b82000001")));
	CHECK_TEXT("nobody", span_text(by_oui(&vendors, "001565000001")));
	/* A longer one is another one. */
	vendor_pack_free(second);
	CHECK_EQUAL(0,
		    vendors_add(&vendors, maker("b", VENDOR_SHIPPED, "{\"oui\":[\"000b820\"]}")));
	CHECK_TEXT("b", span_text(by_oui(&vendors, "000b82000001")));
	vendors_free(&vendors);
}

/* In whatever order they come: a new release takes no OUI away from an operator's pack. */
static void an_operators_pack_has_the_oui_it_names(void)
{
	for (int order = 0; order < 2; order++) {
		struct vendors vendors = {0};
		struct vendor_pack *ours =
			maker("ours", VENDOR_SHIPPED, "{\"oui\":[\"000b82\",\"c074ad\"]}");
		struct vendor_pack *own = maker("own", VENDOR_OPERATORS, "{\"oui\":[\"000b82\"]}");

		CHECK_EQUAL(0, vendors_add(&vendors, order == 0 ? ours : own));
		CHECK_EQUAL(0, vendors_add(&vendors, order == 0 ? own : ours));
		CHECK_TEXT("own", span_text(by_oui(&vendors, "000b82000001")));
		CHECK_TEXT("ours", span_text(by_oui(&vendors, "c074ad000001")));
		vendors_free(&vendors);
	}
}

static void a_pack_may_be_held_twice(void)
{
	struct vendors running = {0};
	struct vendors fresh = {0};
	struct vendor_pack *pack = maker("a", VENDOR_SHIPPED, "{\"oui\":[\"000b82\"]}");

	vendors_add(&running, pack);
	vendors_add(&fresh, pack);
	vendors_add(&running, maker("a", VENDOR_OPERATORS, "{\"oui\":[\"001565\"]}"));
	CHECK_TEXT("nobody", span_text(by_oui(&running, "000b82000001")));
	CHECK_TEXT("a", span_text(by_oui(&running, "001565000001")));
	vendors_free(&running);
	CHECK_TEXT("a", span_text(by_oui(&fresh, "000b82000001")));
	/* Itself in its own place. */
	CHECK_EQUAL(0, vendors_add(&fresh, pack));
	CHECK_EQUAL(1, fresh.count);
	vendor_pack_free(pack);
	CHECK_TEXT("a", pack->name);
	vendors_free(&fresh);
}

struct literal_row {
	const char *pattern;
	const char *literal;
	bool is_at_start;
};

static const struct literal_row literals[] = {
	{"^Yealink (?<model>\\w+)", "yealink ", true},
	{"(?i)^audiocodes$", "audiocodes", true},
	{"\\bAUDC-IPPhone-(?<model>C?[0-9]{3}HD)_UC", "audc-ipphone-", false},
	{"^a+bcd", "bcd", false},
	{"^ab?cd", "cd", false},
	{"^abc*d", "ab", true},
	{"ab{2}cd", "cd", false},
	{"^(?:Aastra|Mitel)(\\w+) MAC:([^ ]+) V:", " mac:", false},
	{"^[Ss]nom\\.x\\/y", "nom.x/y", false},
	{"[]a]bc[^]]d[[:alpha:]\\]]efg", "efg", false},
	{"a[x[:y]bcd]e", "bcd]e", false},
	{"a|b", "", false},
	{"abc|", "", false},
	{"x(a|b)yz", "yz", false},
	{"(?x)a b", "", false},
	{"ab(*ACCEPT)cd", "", false},
	{"(a(*ACCEPT))cd", "", false},
	{"(a\\Q)\\E)cd", "", false},
	{"((?#))x)cd", "", false},
	{"((?x)#)\n)cd", "", false},
	{"a\\Q|\\Eb", "", false},
	{"[\\Q]\\E]cd", "", false},
	{"\\x41bc", "", false},
	{"(a\\)b)cd", "cd", false},
	{"(?<=a)bc", "bc", false},
	{"(?!abc)d", "d", false},
	{"(unclosed", "", false},
	{"[unclosed", "", false},
	{"\\", "", false},
	{"", "", false},
	{"^", "", false},
	{"b\xfc"
	 "cd",
	 "", false},
	{"0123456789012345678901234567890123456789", "01234567890123456789012345678901", false},
};

static void what_a_text_must_hold_is_found(void)
{
	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		char text[vendor_literal_max];
		struct writer w = writer_over(text, sizeof(text));
		bool is_at_start = true;

		vendor_literal_of(span_text(literals[i].pattern), &w, &is_at_start);
		CHECK_SPAN(span_text(literals[i].literal), writer_span(&w));
		CHECK_EQUAL(literals[i].is_at_start, is_at_start);
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, literals[i].pattern);
			break;
		}
	}
}

static void begin(struct vendor_work *work, struct span text)
{
	vendor_work_begin(work);
	vendor_work_text(work, text);
}

/* The hot path: a known OUI runs no pattern, and an unknown one those of few packs. */
static void a_known_oui_runs_no_pattern(void)
{
	struct vendors vendors = {0};
	struct vendor_work work;
	struct mac known = fleet_mac("0a0024000001");
	struct mac unknown = fleet_mac("020000000001");
	char name[8];
	char recognise[256];

	for (int i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		snprintf(recognise, sizeof(recognise),
			 "{\"oui\":[\"0a00%02d\"],\"sip_user_agent\":[\"^Maker%dx ([0-9.]+)$\"],"
			 "\"http_user_agent\":[\"\\\\bfor maker%dx/([0-9.]+)\"]}",
			 i, i, i);
		vendors_add(&vendors, maker(name, VENDOR_SHIPPED, recognise));
	}
	vendor_work_begin(&work);
	CHECK_TEXT("m24",
		   span_text(name_of(vendor_recognise_with(&work, &vendors, &known,
							   SPAN("Maker3x 1.2"), SPAN("x")))));
	CHECK_EQUAL(0, work.patterns);
	CHECK_EQUAL(0, work.steps);
	vendor_work_begin(&work);
	CHECK_TEXT("m7", span_text(name_of(vendor_recognise_with(&work, &vendors, &unknown,
								 SPAN("like Maker3x for maker7x/1"),
								 SPAN("")))));
	CHECK_EQUAL(1, work.patterns);
	vendor_work_begin(&work);
	CHECK_TEXT("nobody",
		   span_text(name_of(vendor_recognise_with(&work, &vendors, &unknown,
							   SPAN("Mozilla/5.0"), SPAN("x")))));
	CHECK_EQUAL(0, work.patterns);
	vendors_free(&vendors);
}

/*
 * Patterns made to be slow, in every pack, against a text made for them: no more than the one
 * bound, and then nobody is recognised, the Event's vendor neither.
 */
static void a_hostile_text_costs_one_bound_over_all_packs(void)
{
	struct vendors vendors = {0};
	struct vendor_work work;
	char text[4096];
	char name[8];

	for (int i = 0; i < vendors_max; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		vendors_add(&vendors, maker(name, VENDOR_SHIPPED,
					    "{\"sip_user_agent\":[\"(a+)+$\",\"(?:a|aa)+b\"],"
					    "\"http_user_agent\":[\"^(?:a*)*c\"],"
					    "\"event_vendor\":[\"^x$\"]}"));
	}
	memset(text, 'a', sizeof(text));
	text[500] = '!';
	vendor_work_begin(&work);
	CHECK(vendor_recognise_with(&work, &vendors, NULL, span_make(text, sizeof(text)),
				    SPAN("x")) == NULL);
	CHECK_EQUAL(vendor_steps_max, work.steps);
	CHECK_EQUAL(0, work.steps_left);
	CHECK(work.patterns < 3 * vendors_max);
	CHECK(work.memory_used <= sizeof(work.memory));
	/* What is honest is recognised by the Event in far fewer. */
	vendor_work_begin(&work);
	CHECK(vendor_recognise_with(&work, &vendors, NULL, SPAN("b"), SPAN("x")) ==
	      vendors.packs[0]);
	CHECK(work.steps < 1000);
	vendors_free(&vendors);
}

/* One pattern at every place of a text: the limit is of all of them together. */
static void the_bound_is_not_one_for_each_place(void)
{
	struct vendor_pack *pack = maker("m", VENDOR_SHIPPED,
					 "{\"sip_user_agent\":[\"(?:[ab]|[ab][ab]){1,12}[cd]\"]}");
	struct vendor_work work;
	char text[vendor_text_max];

	memset(text, 'a', sizeof(text));
	begin(&work, span_make(text, sizeof(text)));
	CHECK(!vendor_patterns_match(&work, &pack->sip_user_agent, NULL));
	CHECK_EQUAL(vendor_steps_max, work.steps);
	/* Nothing is left for another text of the same message. */
	vendor_work_text(&work, SPAN("ac"));
	CHECK(!vendor_patterns_match(&work, &pack->sip_user_agent, NULL));
	begin(&work, SPAN("ac"));
	CHECK(vendor_patterns_match(&work, &pack->sip_user_agent, NULL));
	vendor_pack_free(pack);
}

static void a_match_that_wants_too_much_memory_is_none(void)
{
	struct vendor_pack *pack =
		maker("m", VENDOR_SHIPPED, "{\"sip_user_agent\":[\"^(?:(a)|(b))+$\",\"^c\"]}");
	struct vendor_work work;
	char text[vendor_text_max];

	memset(text, 'a', sizeof(text));
	begin(&work, span_make(text, sizeof(text)));
	CHECK(!vendor_patterns_match(&work, &pack->sip_user_agent, NULL));
	CHECK(work.steps < vendor_steps_max);
	/* The next text of the message is read all the same. */
	vendor_work_text(&work, SPAN("c"));
	CHECK(vendor_patterns_match(&work, &pack->sip_user_agent, NULL));
	vendor_work_text(&work, SPAN("aab"));
	CHECK(vendor_patterns_match(&work, &pack->sip_user_agent, NULL));
	vendor_pack_free(pack);
}

static void a_dhcp_class_is_read(void)
{
	struct vendors vendors = {0};
	struct vendor_reading reading = {0};

	vendors_add(&vendors, maker("a", VENDOR_SHIPPED, "{\"dhcp_class\":[\"^A$\"]}"));
	vendors_add(&vendors,
		    maker("b", VENDOR_SHIPPED, "{\"dhcp_class\":[\"^snom(?<model>\\\\w+)$\"]}"));
	CHECK_TEXT("b", span_text(name_of(
				vendor_read_dhcp_class(&vendors, SPAN("snomD785"), &reading))));
	CHECK_TEXT("D785", reading.model);
	CHECK(vendor_read_dhcp_class(&vendors, SPAN("snom"), &reading) == NULL);
	CHECK(vendor_read_dhcp_class(&vendors, SPAN(""), &reading) == NULL);
	vendors_free(&vendors);
}

static void patterns_of_http_go_first_for_http(void)
{
	struct vendor_pack *pack =
		maker("a", VENDOR_SHIPPED,
		      "{\"sip_user_agent\":[\"^A (?<model>\\\\w+)\"],"
		      "\"http_user_agent\":[\"^A (?<version>\\\\w+) (?<model>\\\\w+)\"]}");
	struct vendor_reading reading = {0};

	CHECK(vendor_read_http_user_agent(pack, SPAN("A 1 T4"), &reading));
	CHECK_TEXT("T4", reading.model);
	CHECK(vendor_read_user_agent(pack, SPAN("A 1 T4"), &reading));
	CHECK_TEXT("1", reading.model);
	CHECK(vendor_read_http_user_agent(pack, SPAN("A T4"), &reading));
	CHECK_TEXT("T4", reading.model);
	vendor_pack_free(pack);
}

static void read_at_the_edge(struct span input, void *context)
{
	struct vendors *vendors = context;
	struct vendor_reading reading = {0};
	struct mac mac = {{0}};
	char text[vendor_literal_max];
	struct writer w = writer_over(text, sizeof(text));
	bool is_at_start;

	vendor_recognise(vendors, &mac, input, input);
	vendor_read_http_user_agent(vendors->packs[0], input, &reading);
	vendor_read_dhcp_class(vendors, input, &reading);
	vendor_event_model(vendors->packs[0], input);
	vendor_literal_of(input, &w, &is_at_start);
}

static void nothing_is_read_past_the_end(void)
{
	static const char *const texts[] = {
		"AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)",
		"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 000413922D24 SXM:0)",
		"AUDC/3.4.6.604 AUDC-IPPhone-C450HD_UC_3.4.6.604/1",
	};
	struct vendors vendors = {0};
	char problem[300] = "";
	struct vendor_pack *pack = pack_of_maker("audiocodes", problem, sizeof(problem));

	REQUIRE(pack != NULL);
	vendors_add(&vendors, pack);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		guard_each_prefix(span_text(texts[i]), read_at_the_edge, &vendors);
	}
	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		guard_each_prefix(span_text(literals[i].pattern), read_at_the_edge, &vendors);
	}
	vendors_free(&vendors);
}

int main(void)
{
	RUN(the_longest_prefix_of_all_packs_wins);
	RUN(two_packs_of_one_origin_cannot_share_an_oui);
	RUN(an_operators_pack_has_the_oui_it_names);
	RUN(a_pack_may_be_held_twice);
	RUN(what_a_text_must_hold_is_found);
	RUN(a_known_oui_runs_no_pattern);
	RUN(a_hostile_text_costs_one_bound_over_all_packs);
	RUN(the_bound_is_not_one_for_each_place);
	RUN(a_match_that_wants_too_much_memory_is_none);
	RUN(a_dhcp_class_is_read);
	RUN(patterns_of_http_go_first_for_http);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

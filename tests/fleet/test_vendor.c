/* SPDX-License-Identifier: MIT */
#include "core/fleet/json_line.h"
#include "core/fleet/parameters.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"
#include "tests/guard.h"

#define HEAD	  "{\"schema\":1,\"name\":\"acme\",\"display_name\":\"Acme\",\n"
#define RECOGNISE "\"recognise\":{},\n"
#define FILES	  "\"files\":[{\"name\":\"<MODEL>.img\",\"kind\":\"firmware\"}]"

struct mistake {
	const char *text;
	const char *problem;
};

static const struct mistake mistakes[] = {
	{"", "pack.json:1: JSON: "},
	{"{\n\n\"a\": }", "pack.json:3: JSON: "},
	{"[]", "pack.json:1: must be an object"},
	{"{\"schema\":1,\n\"schema\":1}", "pack.json:2: JSON: duplicate"},
	{"{\"schema\":2}", "pack.json:1: schema: must be 1"},
	{"{\"schema\":1}", "pack.json:1: name: is missing"},
	{"{\"schema\":1,\n\"name\":\"A B\",\"display_name\":\"x\"}", "pack.json:2: name: must be"},
	{"{\"schema\":1,\"name\":7}", "pack.json:1: name: must be a text"},
	{HEAD "\n\"colour\":1}", "pack.json:3: colour: no such field"},
	{HEAD FILES "}", "pack.json:1: recognise: is missing"},
	{HEAD "\"recognise\":[]," FILES "}", "pack.json:2: recognise: must be an object"},
	{HEAD "\"recognise\":{\n\"oui\":[\n\"00908f\",\n\"00908\"]}," FILES "}",
	 "pack.json:5: recognise.oui[1]: must be 6 to 9 hexadecimal digits"},
	{HEAD "\"recognise\":{\"oui\":[\"00908F\"]}," FILES "}",
	 "pack.json:2: recognise.oui[0]: must be 6 to 9"},
	{HEAD "\"recognise\":{\"oui\":[\"0090:8f\"]}," FILES "}",
	 "pack.json:2: recognise.oui[0]: must be 6 to 9"},
	{HEAD "\"recognise\":{\"oui\":\"00908f\"}," FILES "}",
	 "pack.json:2: recognise.oui: must be a list"},
	{HEAD "\"recognise\":{\"oui\":[7]}," FILES "}",
	 "pack.json:2: recognise.oui[0]: must be a text"},
	{HEAD "\"recognise\":{\n\"sip_user_agent\":[\"a(b\"]}," FILES "}",
	 "pack.json:3: recognise.sip_user_agent[0]: not a pattern: missing closing parenthesis"},
	{HEAD "\"recognise\":{\"dhcp\":[]}," FILES "}",
	 "pack.json:2: recognise.dhcp: no such field"},
	{HEAD RECOGNISE "\"files\":{}}", "pack.json:3: files: must be a list"},
	{HEAD RECOGNISE "\"files\":[]}", "pack.json:3: files: must be a list"},
	{HEAD RECOGNISE "\"files\":[\n{\"kind\":\"firmware\"}]}",
	 "pack.json:4: files[0].name: is missing"},
	{HEAD RECOGNISE "\"files\":[\n{\"name\":\"a\"}]}",
	 "pack.json:4: files[0].kind: is missing"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\n\"kind\":\"music\"}]}",
	 "pack.json:4: files[0].kind: must be one of config firmware stored"},
	{HEAD RECOGNISE "\"files\":[{\"kind\":\"firmware\",\n\"name\":\"../a\"}]}",
	 "pack.json:4: files[0].name: must be a file name"},
	{HEAD RECOGNISE "\"files\":[{\"kind\":\"firmware\",\n\"name\":\"<serial>.img\"}]}",
	 "pack.json:4: files[0].name: must be a file name"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\"kind\":\"firmware\",\n\"secrets\":1}]}",
	 "pack.json:4: files[0].secrets: must be true or false"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\"kind\":\"firmware\",\"template\":\"x\"}]}",
	 "pack.json:3: files[0].kind: only a config has template"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\"kind\":\"config\"}]}",
	 "pack.json:3: files[0].template: is missing"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\"kind\":\"config\",\"template\":\"t\"}]}",
	 "pack.json:3: files[0].format: is missing"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\"kind\":\"config\",\"format\":\"line\",\n"
			"\"template\":\"../t\"}]}",
	 "pack.json:4: files[0].template: must be a file beside pack.json"},
	{HEAD RECOGNISE "\"files\":[{\"name\":\"a\",\"kind\":\"config\",\"format\":\"line\",\n"
			"\"template\":\"t\"}]}",
	 "pack.json:4: files[0].template: there is no such template"},
	{HEAD RECOGNISE "\"url\":{\"max\":\n31}," FILES "}",
	 "pack.json:4: url.max: must be a number from 32 to 512"},
	{HEAD RECOGNISE "\"url\":{\"max\":\"128\"}," FILES "}", "pack.json:3: url.max: must be"},
	{HEAD RECOGNISE
	 "\"url\":{\"shapes\":[{\"name\":\"a\",\"shape\":\"%{origin}%{colour}\"}]}," FILES "}",
	 "pack.json:3: url.shapes[0].shape: has a %{name} that there is not"},
	{HEAD RECOGNISE "\"url\":{\"shapes\":[{\"name\":\"a\",\"shape\":\"%{origin\"}]}," FILES "}",
	 "pack.json:3: url.shapes[0].shape: has a %{name} that there is not"},
	{HEAD RECOGNISE "\"answer\":{\"form\":\n\"loud\"}," FILES "}",
	 "pack.json:4: answer.form: must be one of rfc print"},
	{HEAD RECOGNISE "\"answer\":{\"headers\":{\n\"via\":\"SIP/2.0/UDP h\"}}," FILES "}",
	 "pack.json:4: answer.headers.via: is a header that Bellhop writes itself"},
	{HEAD RECOGNISE "\"answer\":{\"headers\":{\n\"l\":\"0\"}}," FILES "}",
	 "pack.json:4: answer.headers.l: is a header that Bellhop writes itself"},
	{HEAD RECOGNISE "\"answer\":{\"headers\":{\"X-A\":\"1\",\n\"x-a\":\"2\"}}," FILES "}",
	 "pack.json:4: answer.headers.x-a: stands twice"},
	{HEAD RECOGNISE "\"answer\":{\"headers\":{\"X:A\":\"1\"}}," FILES "}",
	 "pack.json:3: answer.headers.X:A: is not a name of a header"},
	{HEAD RECOGNISE "\"answer\":{\"headers\":{\"X-A\":\"\xc3\xa4\"}}," FILES "}",
	 "pack.json:3: answer.headers.X-A: must be one line of ASCII"},
	{HEAD RECOGNISE "\"evidence\":{\"files\":\"hearsay\"}," FILES "}",
	 "pack.json:3: evidence.files: must be one of"},
	{HEAD RECOGNISE "\"data\":7," FILES "}", "pack.json:3: data: must be an object"},
	{HEAD RECOGNISE "\"parameters\":{\n\"a/b\":\"number 1\"}," FILES "}",
	 "pack.json:4: parameters.a/b: must be text MAX"},
	{HEAD RECOGNISE "\"parameters\":{\"a=b\":\"bool\"}," FILES "}",
	 "pack.json:3: parameters.a=b: must be a name"},
	{HEAD RECOGNISE "\"parameters\":{\"a[0\":\"bool\"}," FILES "}",
	 "pack.json:3: parameters.a[0: must be a name"},
};

/* A header of ours in a pack would be a second Via, To, Content-Length … of each NOTIFY. */
static void headers_of_ours_are_refused(void)
{
	static const char *const names[] = {"Via",
					    "From",
					    "To",
					    "Call-ID",
					    "CSeq",
					    "Contact",
					    "Max-Forwards",
					    "Route",
					    "Record-Route",
					    "Event",
					    "Subscription-State",
					    "Expires",
					    "Content-Type",
					    "CONTENT-LENGTH",
					    "Content-Encoding",
					    "Require",
					    "Authorization",
					    "v",
					    "f",
					    "t",
					    "i",
					    "m",
					    "o",
					    "c",
					    "E",
					    "u"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char text[400];
		struct vendor_pack *pack;

		snprintf(text, sizeof(text),
			 HEAD RECOGNISE "\"answer\":{\"headers\":{\"%s\":\"1\"}}," FILES "}",
			 names[i]);
		pack = pack_of_text(text);
		CHECK(pack == NULL);
		vendor_pack_free(pack);
	}
}

static void a_mistake_is_told_with_line_and_field(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct pack_file file = {"pack.json", mistakes[i].text};
		struct pack_files files = {&file, 1};
		struct vendor_pack *pack = NULL;
		char problem[512] = "";

		CHECK_EQUAL(-EINVAL, vendor_pack_load(&pack, pack_read_memory, &files, problem,
						      sizeof(problem)));
		CHECK(pack == NULL);
		CHECK(span_starts_with(span_text(problem), span_text(mistakes[i].problem)));
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, problem);
		}
	}
}

static void a_pack_that_is_not_there_is_told(void)
{
	struct pack_files none = {0};
	struct vendor_pack *pack = NULL;
	char problem[128] = "";

	CHECK_EQUAL(-ENOENT,
		    vendor_pack_load(&pack, pack_read_memory, &none, problem, sizeof(problem)));
	CHECK(problem[0] != '\0');
	CHECK_EQUAL(-ENOENT, vendor_pack_load(&pack, pack_read_memory, &none, NULL, 0));
}

static void what_is_left_out_has_a_default(void)
{
	struct vendor_pack *pack = pack_of_text(HEAD RECOGNISE FILES "}");

	REQUIRE(pack != NULL);
	CHECK_EQUAL(FORM_RFC, pack->form);
	CHECK_EQUAL(512, pack->url_max);
	CHECK_EQUAL(1, pack->file_count);
	CHECK_TEXT("application/octet-stream", pack->files[0].content_type);
	CHECK(!pack->files[0].has_secrets && !pack->files[0].is_essential);
	CHECK_EQUAL(VENDOR_FILE_FIRMWARE, pack->files[0].kind);
	vendor_pack_free(pack);
}

static struct vendor_pack *maker(const char *name, const char *recognise)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"schema\":1,\"name\":\"%s\",\"display_name\":\"x\",\"recognise\":%s," FILES "}",
		 name, recognise);
	return pack_of_text(text);
}

static const char *name_of(const struct vendor_pack *pack)
{
	return pack ? pack->name.data : "nobody";
}

/* dialects.md E.4: OUI, then User-Agent, then what the Event says. */
static void makers_are_recognised_in_order(void)
{
	struct vendors vendors = {0};
	struct mac desk = fleet_mac("000413000001");
	struct mac oem = fleet_mac("000413e50001");
	struct mac none = fleet_mac("020000000001");

	vendors_add(&vendors, maker("snom", "{\"oui\":[\"000413\"],\"sip_user_agent\":[\"^snom\"],"
					    "\"event_vendor\":[\"(?i)^snom$\"]}"));
	vendors_add(&vendors, maker("gigaset", "{\"oui\":[\"000413e5\"],\"http_user_agent\":"
					       "[\"^Gigaset \"]}"));
	CHECK_TEXT("snom", span_text(name_of(vendor_recognise(&vendors, &desk, SPAN("Gigaset x"),
							      SPAN("")))));
	CHECK_TEXT("gigaset", span_text(name_of(vendor_recognise(&vendors, &oem, SPAN("snom"),
								 SPAN("snom")))));
	CHECK_TEXT("gigaset",
		   span_text(name_of(
			   vendor_recognise(&vendors, &none, SPAN("Gigaset N720"), SPAN("snom")))));
	CHECK_TEXT("snom",
		   span_text(name_of(vendor_recognise(&vendors, NULL, SPAN(""), SPAN("SNOM")))));
	CHECK_TEXT("nobody",
		   span_text(name_of(vendor_recognise(&vendors, NULL, SPAN(""), SPAN("")))));
	CHECK(vendor_find(&vendors, SPAN("snom")) == vendors.packs[0]);
	CHECK(vendor_find(&vendors, SPAN("snow")) == NULL);
	/* A namesake takes its place. */
	vendors_add(&vendors, maker("snom", "{}"));
	CHECK_EQUAL(2, vendors.count);
	CHECK_EQUAL(0, vendors.packs[0]->oui_count);
	vendors_free(&vendors);
}

static void a_user_agent_is_read_by_groups(void)
{
	struct vendor_pack *pack =
		maker("acme",
		      "{\"http_user_agent\":[\"^Acme (?<model>\\\\w+) (?<version>[\\\\d.]+)"
		      "( (?<mac>[0-9a-f:]{17}))?$\"],\"event_model\":[\"^AC-(?<model>\\\\w+)\"]}");
	struct vendor_reading reading = {0};

	REQUIRE(pack != NULL);
	CHECK(vendor_read_user_agent(pack, SPAN("Acme T4 1.2 00:15:65:00:00:01"), &reading));
	CHECK_TEXT("T4", reading.model);
	CHECK_TEXT("1.2", reading.version);
	CHECK_TEXT("00:15:65:00:00:01", reading.mac);
	CHECK(vendor_read_user_agent(pack, SPAN("Acme T4 1.2"), &reading));
	CHECK_TEXT("", reading.mac);
	CHECK(!vendor_read_user_agent(pack, SPAN("Acme"), &reading));
	CHECK(!vendor_read_user_agent(pack, SPAN(""), &reading));
	CHECK_TEXT("T4", vendor_event_model(pack, SPAN("AC-T4")));
	CHECK_TEXT("", vendor_event_model(pack, SPAN("T4")));
	vendor_pack_free(pack);
}

/* A pattern that doubles its work with every character ends at its limit and does not match. */
static void a_hostile_user_agent_costs_no_more_than_the_limit(void)
{
	struct vendor_pack *pack = maker("acme", "{\"sip_user_agent\":[\"^(a+)+$\"]}");
	struct vendor_reading reading = {0};
	char agent[4096];

	REQUIRE(pack != NULL);
	memset(agent, 'a', sizeof(agent));
	agent[40] = 'b';
	CHECK(!vendor_read_user_agent(pack, span_make(agent, sizeof(agent)), &reading));
	agent[40] = 'a';
	CHECK(vendor_read_user_agent(pack, span_make(agent, 40), &reading));
	vendor_pack_free(pack);
}

static void there_is_room_for_so_many_makers(void)
{
	struct vendors vendors = {0};
	struct vendor_pack *more;
	char name[16];

	for (int i = 0; i < vendors_max; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		CHECK_EQUAL(0, vendors_add(&vendors, maker(name, "{}")));
	}
	more = maker("more", "{}");
	CHECK_EQUAL(-ENOSPC, vendors_add(&vendors, more));
	vendor_pack_free(more);
	vendors_free(&vendors);
}

static void lines_of_json_are_found(void)
{
	struct span text = SPAN("{ \"a\": [ 1,\n [2, {\"x\": \"]}\\\"\",\n \"y\": 3}],\n 4 ],\n"
				" \"b\" : {\n\"c\":\n5} }");

	CHECK_EQUAL(1, json_line_of(text, SPAN("")));
	CHECK_EQUAL(1, json_line_of(text, SPAN("a")));
	CHECK_EQUAL(2, json_line_of(text, SPAN("a[1]")));
	CHECK_EQUAL(2, json_line_of(text, SPAN("a[1][1].x")));
	CHECK_EQUAL(3, json_line_of(text, SPAN("a[1][1].y")));
	CHECK_EQUAL(4, json_line_of(text, SPAN("a[2]")));
	CHECK_EQUAL(1, json_line_of(text, SPAN("a[3]")));
	CHECK_EQUAL(5, json_line_of(text, SPAN("b")));
	CHECK_EQUAL(7, json_line_of(text, SPAN("b.c")));
	CHECK_EQUAL(5, json_line_of(text, SPAN("b.d")));
	CHECK_EQUAL(1, json_line_of(text, SPAN("z")));
	CHECK_EQUAL(1, json_line_of(SPAN(""), SPAN("a[0].b")));
}

struct line {
	const char *text;
	const char *name; /* NULL: all is well */
};

static void rendered_lines_are_held_against_the_list(void)
{
	static const struct line lines[] = {
		{"", NULL},
		{"; comment\n\ninclude http://h/x.cfg\nunknown/name=1\n", NULL},
		{"a/port=1024\r\na/port=65535", NULL},
		{"a/port=1023", "a/port"},
		{"a/port=", "a/port"},
		{"a/port=99999999999999999999", "a/port"},
		{"line/5/id=1234", NULL},
		{"line/5/id=12345", "line/5/id"},
		{"line/6/id=12345", NULL},
		{"a/mode=UDP", NULL},
		{"a/mode=udp", "a/mode"},
		{"a/mode=", "a/mode"},
		{"a/on=2", "a/on"},
		{"a/on=1\nnonsense", "nonsense"},
		{"=1", ""},
	};
	struct vendor_pack *pack =
		pack_of_text(HEAD RECOGNISE "\"parameters\":{\"a/port\":\"int 1024..65535\","
					    "\"line/[0-5]/id\":\"text 4\",\"a/on\":\"bool\","
					    "\"a/mode\":\"one UDP|TCP\"}," FILES "}");

	REQUIRE(pack != NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct span name = {0};
		const char *mistake = parameters_check(pack, span_text(lines[i].text), &name);

		CHECK_EQUAL(lines[i].name != NULL, mistake != NULL);
		CHECK(!mistake || span_equal(name, span_text(lines[i].name)));
		if (test_is_failed) {
			printf("# row %zu\n", i);
		}
	}
	vendor_pack_free(pack);
}

static void read_at_the_edge(struct span input, void *context)
{
	struct vendor_parameter parameter = {0};
	struct span name;

	json_line_of(input, SPAN("files[1].template"));
	json_line_of(SPAN("{\"files\":[{},{\"template\":1}]}"), input);
	parameters_check(context, input, &name);
	parameter_rule_parse(input, &parameter);
	setting_is_secret(input);
	catalogue_name_is_legal(input);
}

static void nothing_is_read_past_the_end(void)
{
	static const char *const texts[] = {
		"{ \"files\" : [ {\"a\":\"\\\"\"}, {\"template\": \"x\"} ] }",
		"files[1].template",
		"a/port=1024\r\n;x\nline/3/id=12345\ninclude http://h/\n",
		"int 1..65535",
		"one A|B|C",
		"sip_lines.12.password",
		"rings/../ding.wav",
	};
	struct vendor_pack *pack =
		pack_of_text(HEAD RECOGNISE "\"parameters\":{\"a/port\":\"int 1..65535\","
					    "\"line/[0-5]/id\":\"text 4\"}," FILES "}");

	REQUIRE(pack != NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		guard_each_prefix(span_text(texts[i]), read_at_the_edge, pack);
	}
	vendor_pack_free(pack);
}

int main(void)
{
	RUN(a_mistake_is_told_with_line_and_field);
	RUN(headers_of_ours_are_refused);
	RUN(a_pack_that_is_not_there_is_told);
	RUN(what_is_left_out_has_a_default);
	RUN(makers_are_recognised_in_order);
	RUN(a_user_agent_is_read_by_groups);
	RUN(a_hostile_user_agent_costs_no_more_than_the_limit);
	RUN(there_is_room_for_so_many_makers);
	RUN(lines_of_json_are_found);
	RUN(rendered_lines_are_held_against_the_list);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

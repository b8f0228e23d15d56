/* SPDX-License-Identifier: MIT */
#include "core/admin/configuration.h"

#include "tests/guard.h"
#include "tests/test.h"

static struct arena arena;
static struct ini ini;
static struct configuration configuration;

static void read_text(const char *text)
{
	arena_free(&arena);
	arena_init(&arena, 8 << 20);
	CHECK_EQUAL(0, configuration_parse(&configuration, &arena, span_text(text), &ini));
}

static void check_mistake(size_t i, unsigned line, const char *text)
{
	REQUIRE(i < ini.mistake_count);
	CHECK_EQUAL(line, ini.mistakes[i].line);
	CHECK_TEXT(text, ini.mistakes[i].text);
}

static void defaults_are_those_of_the_contract(void)
{
	read_text("");
	CHECK_EQUAL(0, ini.mistake_count);
	CHECK_TEXT("/var/lib/bellhop", configuration.data);
	CHECK_TEXT("/var/lib/bellhop/admin.sock", configuration.admin_socket);
	CHECK_TEXT("sqlite:/var/lib/bellhop/bellhop.db", configuration.store_url);
	CHECK_TEXT("http://%{address}:8080/p/%{key}/", configuration.url);
	CHECK_EQUAL(5060, configuration.sip_listen.endpoints[0].port);
	CHECK(address_equal(configuration.sip_group.endpoints[0].address,
			    address_ipv4(224, 0, 1, 75)));
	CHECK_EQUAL(69, configuration.tftp_listen.endpoints[0].port);
	CHECK_EQUAL(CONFIGURATION_UNKNOWN_LIST, configuration.unknown);
	CHECK(configuration.access_by_key && configuration.access_by_neighbour);
	CHECK(!configuration.serves_routed);
	CHECK(configuration.pads_answers);
	CHECK(!configuration.tftp_rolls_over_to_1);
}

/* Every default of the table is itself legal. */
static void defaults_are_legal(void)
{
	struct configuration_key key;

	for (size_t i = 0; configuration_key_at(i, &key); i++) {
		char text[512];

		snprintf(text, sizeof(text), "[%s]\n%s = %s\n", key.section.data, key.key.data,
			 key.default_value.data);
		read_text(text);
		CHECK_EQUAL(0, ini.mistake_count);
	}
}

static void check_warning(size_t i, const char *text)
{
	char bytes[configuration_warning_max];
	struct writer w = writer_over(bytes, sizeof(bytes));

	CHECK_EQUAL(text != NULL, configuration_warning(&configuration, i, &w));
	CHECK(!w.failed);
	CHECK_TEXT(text ? text : "", writer_span(&w));
}

static void warns_of_what_does_not_do_what_it_seems_to(void)
{
	read_text("");
	check_warning(0, NULL);
	read_text("[provisioning]\nunknown = bootstrap\n");
	check_warning(0, NULL);
	read_text("[provisioning]\nspoofed = serve\n");
	check_warning(0, "[provisioning] spoofed = serve is dangerous: whoever names the MAC of a "
			 "claimed phone is told its URL, and gets its passwords");
	check_warning(1, NULL);
	read_text("[https]\nkey = DATA/key.pem\n");
	check_warning(0, "[https] is shut: there is no certificate; its other keys are not used");
	check_warning(1, NULL);
	read_text("[https]\nlisten =\ncertificate = a.pem\nkey = a.pem\n");
	check_warning(0, "[https] is shut: listen is empty; its other keys are not used");
	check_warning(1, NULL);
	read_text("[https]\ncertificate = a.pem\nkey = a.pem\n[provisioning]\n"
		  "url = https://%{address}:%{port}/\nurl.snom = https://%{address}:8443/\n"
		  "url.yealink = https://%{address}/\n");
	check_warning(0,
		      "[provisioning] url.yealink sends phones to our port 443, and [https] does "
		      "not listen there; write %{port}, or change one of them");
	check_warning(1, NULL);
	read_text("[http]\nlisten = 0.0.0.0:80\n");
	check_warning(0, "[provisioning] url sends phones to our port 8080, and [http] does not "
			 "listen there; write %{port}, or change one of them");
	read_text("[http]\nlisten = 0.0.0.0:80 [::]:81\n[tftp]\nlisten =\n[provisioning]\n"
		  "url = http://%{address}/\nurl.snom = http://%{address}:%{port}/\n"
		  "url.yealink = tftp://%{address}\nurl.fanvil = https://%{address}/x\n"
		  "url.htek = http://elsewhere:8080/\nurl.poly = HTTP://%{address}:81/p/\n");
	check_warning(0, "[provisioning] url.yealink sends phones to our port 69, and [tftp] does "
			 "not listen there; write %{port}, or change one of them");
	check_warning(1, "[provisioning] url.fanvil sends phones to https, which is shut: [https] "
			 "needs listen, certificate and key");
	check_warning(2, NULL);
}

static void https_is_served_with_a_certificate_and_its_lines_are_kept(void)
{
	read_text("");
	CHECK(!configuration_serves_https(&configuration));
	read_text("[https]\ncertificate = DATA/a.pem\nkey = b.pem\nclient_ca = c.pem\n");
	CHECK(configuration_serves_https(&configuration));
	CHECK_TEXT("/var/lib/bellhop/a.pem", configuration.https_certificate);
	CHECK_EQUAL(2, configuration.https_certificate_line);
	CHECK_EQUAL(3, configuration.https_key_line);
	CHECK_EQUAL(4, configuration.https_client_ca_line);
	CHECK_EQUAL(0, configuration.url_line);
	read_text("[https]\nlisten =\ncertificate = a.pem\n");
	CHECK(!configuration_serves_https(&configuration));
}

static void durations_have_a_unit_and_bounds(void)
{
	static const char *const bad[] = {"0",	 "0s", "0m",  "8d", "169h",
					  "-1m", "m",  "1 m", "90", ""};
	static const struct {
		const char *text;
		const char *printed;
	} good[] = {
		{"1s", "verify = 1s\n"},  {"90s", "verify = 90s\n"},	 {"60s", "verify = 1m\n"},
		{"24h", "verify = 1d\n"}, {"3601s", "verify = 3601s\n"}, {"168h", "verify = 7d\n"},
	};
	static char text[1 << 16];
	char line[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "[resync]\nverify = %s\n", bad[i]);
		read_text(line);
		CHECK_EQUAL(1, ini.mistake_count);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct writer w = writer_over(text, sizeof(text));

		snprintf(line, sizeof(line), "[resync]\nverify = %s\n", good[i].text);
		read_text(line);
		CHECK_EQUAL(0, ini.mistake_count);
		configuration_print(&configuration, &w);
		CHECK(span_search(writer_span(&w), span_text(good[i].printed)) < w.length);
	}
}

static void reads_every_kind_of_value(void)
{
	unsigned line = 0;

	read_text(
		"[server]\ndata = ./var/\n"
		"[sip]\nlisten = 10.13.4.121:5061 ; comment\ngroup =\ninterfaces = eth0 eth0.20 "
		"lo\npadding = off\n"
		"[http]\nlisten = 0.0.0.0:80 [::1]:8080\n[tftp]\nlisten =\nrollover = 1\n"
		"[provisioning]\nurl = \"tftp://%{address}\"\nurl.yealink = http://%{address}/y/\n"
		"unknown = bootstrap\naccess = key\nrouted = serve\nspoofed = serve\n"
		"[log]\nlevel = debug\nformat = json\n[limits]\ndevices = 5\nresyncs = 9\n"
		"[resync]\nrate = 7\nconcurrency = 8\nverify = 90s\n");
	CHECK_EQUAL(0, ini.mistake_count);
	CHECK_EQUAL(7, configuration.resync_rate);
	CHECK_EQUAL(8, configuration.resync_concurrency);
	CHECK_EQUAL(90000, configuration.resync_verify_ms);
	CHECK_EQUAL(9, configuration.resyncs_max);
	CHECK_TEXT("./var", configuration.data);
	CHECK_TEXT("./var/admin.sock", configuration.admin_socket);
	CHECK_EQUAL(5061, configuration.sip_listen.endpoints[0].port);
	CHECK_EQUAL(0, configuration.sip_group.count);
	CHECK_EQUAL(3, configuration.sip_interface_count);
	CHECK_TEXT("eth0.20", configuration.sip_interfaces[1]);
	CHECK_EQUAL(2, configuration.http_listen.count);
	CHECK_EQUAL(ADDRESS_IPV6, configuration.http_listen.endpoints[1].address.family);
	CHECK_EQUAL(0, configuration.tftp_listen.count);
	CHECK_TEXT("tftp://%{address}",
		   configuration_url(&configuration, SPAN("audiocodes"), &line));
	CHECK_EQUAL(14, line);
	CHECK_TEXT("http://%{address}/y/",
		   configuration_url(&configuration, SPAN("yealink"), NULL));
	CHECK_EQUAL(CONFIGURATION_UNKNOWN_BOOTSTRAP, configuration.unknown);
	CHECK(configuration.access_by_key && !configuration.access_by_neighbour);
	CHECK(configuration.serves_routed);
	CHECK(configuration.serves_spoofed);
	CHECK(!configuration.pads_answers);
	CHECK(configuration.tftp_rolls_over_to_1);
	CHECK(configuration.log_json);
	CHECK_EQUAL(5, configuration.devices_max);
}

static void tells_all_mistakes_with_line_key_and_legal_values(void)
{
	read_text("[sip]\nlisten = nonsense\nlisten = 0.0.0.0:5060\nlissten = 1\n[wrong]\na = b\n"
		  "[log]\nlevel = loud\nno equals sign\n[limits]\ndevices = 0\n");
	CHECK_EQUAL(7, ini.mistake_count);
	check_mistake(0, 2,
		      "[sip] listen is not legal; legal: one ADDRESS:PORT, or up to 4 with the "
		      "same PORT");
	check_mistake(1, 3, "[sip] listen is given twice");
	check_mistake(2, 4,
		      "[sip] lissten is no key; legal: listen, group, group_socket, interfaces, "
		      "canary, padding");
	check_mistake(3, 6,
		      "[wrong] a: there is no such section; legal: server, sip, http, https, "
		      "tftp, admin, provisioning, resync, store, log, limits");
	check_mistake(4, 8, "[log] level is not legal; legal: error, warning, info or debug");
	check_mistake(5, 9, "neither [section] nor key = value: \"no equals sign\"");
	check_mistake(6, 11, "[limits] devices is not legal; legal: 1 to 10000000");
}

static void refuses_what_a_door_cannot_be(void)
{
	static const char *const wrong[] = {
		"[sip]\nlisten = 0.0.0.0:5060 0.0.0.0:5061\n",
		"[sip]\nlisten = 0.0.0.0:5060 [::]:5060 10.0.0.1:5060 10.0.0.2:5060 "
		"10.0.0.3:5060\n",
		"[sip]\ngroup_socket = raw\n",
		"[sip]\ncanary = 25h\n",
		"[sip]\ncanary = m\n",
		"[sip]\ncanary = 2d\n",
		"[sip]\ncanary =\n",
		"[sip]\nlisten =\n",
		"[sip]\nlisten = 224.0.1.75:5060\n",
		"[sip]\ngroup = 10.0.0.1:5060\n",
		"[sip]\ninterfaces = averyveryverylongname\n",
		"[http]\nlisten = 0.0.0.0\n",
		"[http]\nlisten = 0.0.0.0:65536\n",
		"[provisioning]\nurl = 10.0.0.1\n",
		"[provisioning]\nurl = http://%{adress}/\n",
		"[provisioning]\nurl = http://%{address\n",
		"[provisioning]\nurl = http://a b/\n",
		"[provisioning]\nurl.snom = nothing\n",
		"[provisioning]\naccess =\n",
		"[provisioning]\naccess = all\n",
		"[store]\nurl = mysql:x\n",
		"[server]\ndata =\n",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		read_text(wrong[i]);
		CHECK_EQUAL(1, ini.mistake_count);
	}
}

static void reads_times_and_prints_them_as_people_do(void)
{
	static const struct {
		const char *text;
		uint64_t seconds;
		const char *printed;
	} times[] = {{"0", 0, "0"},	  {"1s", 1, "1s"},     {"90s", 90, "90s"},
		     {"120s", 120, "2m"}, {"15m", 900, "15m"}, {"24h", 86400, "1d"}};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		char text[64];
		char expected[64];
		char printed[8192];
		struct writer w = writer_over(printed, sizeof(printed));

		snprintf(text, sizeof(text), "[sip]\ncanary = %s\n", times[i].text);
		snprintf(expected, sizeof(expected), "\ncanary = %s\n", times[i].printed);
		read_text(text);
		CHECK_EQUAL(0, ini.mistake_count);
		CHECK_EQUAL(times[i].seconds * 1000, configuration.sip_canary_ms);
		configuration_print(&configuration, &w);
		writer_terminate(&w);
		CHECK(strstr(printed, expected));
	}
}

static void hears_by_both_families_and_leaves_the_group_a_choice(void)
{
	read_text("");
	CHECK_EQUAL(CONFIGURATION_GROUP_AUTO, configuration.sip_group_socket);
	CHECK_EQUAL(900000, configuration.sip_canary_ms);
	read_text("[sip]\nlisten = 0.0.0.0:5070 [::]:5070\ngroup_socket = packet\n");
	CHECK_EQUAL(0, ini.mistake_count);
	CHECK_EQUAL(2, configuration.sip_listen.count);
	CHECK_EQUAL(CONFIGURATION_GROUP_PACKET, configuration.sip_group_socket);
}

static void prints_what_reads_back_to_the_same(void)
{
	char first[8192];
	char second[8192];
	struct writer w = writer_over(first, sizeof(first) - 1);
	struct writer again = writer_over(second, sizeof(second));

	read_text("[server]\ndata = \"/srv/bell;hop\"\n[provisioning]\nurl.snom = "
		  "http://%{address}/#x\n"
		  "[sip]\ninterfaces = a b\n");
	CHECK_EQUAL(0, ini.mistake_count);
	configuration_print(&configuration, &w);
	CHECK(!w.failed);
	first[w.length] = '\0';
	read_text(first);
	CHECK_EQUAL(0, ini.mistake_count);
	configuration_print(&configuration, &again);
	CHECK_SPAN(writer_span(&w), writer_span(&again));
}

static void parse_prefix(struct span input, void *context)
{
	struct arena local;

	(void)context;
	arena_init(&local, 4 << 20);
	CHECK_EQUAL(0, configuration_parse(&configuration, &local, input, &ini));
	arena_free(&local);
}

static void survives_every_prefix(void)
{
	guard_each_prefix(SPAN("[sip]\nlisten = [::1]:5060 ; x\n[provisioning]\nurl = \"http://"
			       "%{key}\\\"\"\nurl.a = b://%{mac}\naccess = key\n[log]\nlevel=info"),
			  parse_prefix, NULL);
}

static void ends_at_the_ceiling_of_memory(void)
{
	for (size_t bytes = 0; bytes < 60000; bytes += 500) {
		struct arena small;
		int error;

		arena_init(&small, bytes);
		error = configuration_parse(&configuration, &small,
					    SPAN("[server]\ndata = /x/\n[log]\nlevel = info\n"),
					    &ini);
		CHECK(error == 0 || error == -12);
		arena_free(&small);
	}
}

int main(void)
{
	RUN(defaults_are_those_of_the_contract);
	RUN(defaults_are_legal);
	RUN(warns_of_what_does_not_do_what_it_seems_to);
	RUN(https_is_served_with_a_certificate_and_its_lines_are_kept);
	RUN(durations_have_a_unit_and_bounds);
	RUN(reads_every_kind_of_value);
	RUN(tells_all_mistakes_with_line_key_and_legal_values);
	RUN(refuses_what_a_door_cannot_be);
	RUN(reads_times_and_prints_them_as_people_do);
	RUN(hears_by_both_families_and_leaves_the_group_a_choice);
	RUN(prints_what_reads_back_to_the_same);
	RUN(survives_every_prefix);
	RUN(ends_at_the_ceiling_of_memory);
	arena_free(&arena);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * The admin API over a real inventory: what each request is answered with, and that openapi.json
 * tells of exactly the routes that there are.
 */
#include "core/admin/api.h"
#include "tests/test.h"

#include <errno.h>
#include <jansson.h>

static struct inventory inventory;
static struct arena arena;
static struct api_answer answer;
static char body[1 << 20]; /* of the last answer */

static const struct api_listener listeners[] = {{"sip", "0.0.0.0:5060"}};
static const struct api_counter counters[] = {
	{"sip", "subscribe", 5},
	{"http", "requests", 2},
	{"sip", "with \"quote", 1},
};
static const char *const warnings[] = {"the disk is nearly full"};
static const struct api_facts facts = {
	.version = "1.2.3",
	.data = "/var/lib/bellhop",
	.since_utc_ms = 1000000000000,
	.now_utc_ms = 1000000061000,
	.pid = 77,
	.listeners = listeners,
	.listener_count = 1,
	.counters = counters,
	.counter_count = 3,
	.warnings = warnings,
	.warning_count = 1,
};

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	(void)local;
	*server = (struct config_server){.address = address_ipv4(192, 0, 2, 1),
					 .http_port = 8080,
					 .url = SPAN("http://%{address}:8080/p/%{key}/")};
}

static const struct api_context api = {
	.inventory = &inventory,
	.facts = &facts,
	.server_for = server_for,
};

static void start(void)
{
	static const uint8_t seed[random_seed_size] = {7};
	struct inventory_limits limits = {.devices_max = 3000,
					  .new_devices_max = 3000,
					  .profiles_max = 50,
					  .files_max = 50,
					  .unidentified_max = 50,
					  .forms_max = 8,
					  .rules_max = 20,
					  .pools_max = 20,
					  .pool_numbers_max = 1000};

	if (inventory_init(&inventory, &limits, seed) < 0) {
		abort();
	}
	arena_init(&arena, api_arena_bytes_max);
}

static void stop(void)
{
	api_answer_free(&answer);
	answer = (struct api_answer){.status = 0};
	arena_free(&arena);
	inventory_free(&inventory);
}

static void carry_out_change(void)
{
	struct prepared prepared;
	char problem[512] = "";
	int result;

	answer.change->utc_ms = 1000000000000;
	result = inventory_prepare(&inventory, answer.change, &prepared, problem, sizeof(problem));
	if (result == 0) {
		inventory_commit(&inventory, &prepared);
	}
	api_finish(&api, &answer, result, problem);
}

/* One request, carried out as the door would: its status. */
static unsigned ask_bytes(const char *method, const char *target, struct span bytes)
{
	struct api_request request = {.method = span_text(method), .target = span_text(target)};
	struct span path = request.target;

	api_answer_free(&answer);
	arena_reset(&arena);
	if (api_body_of(request.method, span_cut(&path, '?'), &arena) == API_BODY_JSON) {
		request.body = bytes;
	} else {
		request.upload_bytes = bytes.length;
	}
	api_handle(&api, &request, &arena, &answer);
	switch (answer.verdict) {
	case API_ANSWER:
	case API_EVENTS:
	case API_BACKUP:
	case API_RESTORE:
		break;
	case API_ORDER:
		api_finish(&api, &answer, 0, "");
		break;
	case API_UPLOAD:
		answer.change->bytes = bytes.length;
		carry_out_change();
		break;
	case API_CHANGE:
	case API_FILE_REMOVE:
		carry_out_change();
		break;
	case API_LIST:
		while (api_list_step(&api, &answer)) {
			continue;
		}
		break;
	}
	snprintf(body, sizeof(body), "%.*s", (int)answer.body.length,
		 answer.body.data ? answer.body.data : "");
	return answer.status;
}

static unsigned ask(const char *method, const char *target, const char *text)
{
	return ask_bytes(method, target, span_text(text));
}

#define CHECK_HAS(text)	  test_check_has(__LINE__, text, true)
#define CHECK_LACKS(text) test_check_has(__LINE__, text, false)

static void test_check_has(int line, const char *text, bool is_wanted)
{
	if ((strstr(body, text) != NULL) != is_wanted) {
		test_is_failed = true;
		printf("# line %d: the answer should %s \"%s\"\n", line,
		       is_wanted ? "have" : "lack", text);
		test_print_span("answer", span_text(body));
	}
}

/* Every refusal is JSON with both sentences. */
static void check_error(int line)
{
	json_t *json = json_loads(body, 0, NULL);

	if (!json_is_string(json_object_get(json, "error")) ||
	    !json_is_string(json_object_get(json, "what_to_do")) ||
	    json_string_length(json_object_get(json, "error")) == 0 ||
	    json_string_length(json_object_get(json, "what_to_do")) == 0) {
		test_is_failed = true;
		printf("# line %d: no error object: %s\n", line, body);
	}
	json_decref(json);
}

/* --- Refusals. --- */

static const struct {
	int line;
	const char *method;
	const char *target;
	const char *text;
	unsigned status;
	const char *part;
} refusals[] = {
	{__LINE__, "GET", "/", "", 404, "openapi"},
	{__LINE__, "GET", "", "", 404, "openapi"},
	{__LINE__, "GET", "/api/v1", "", 404, ""},
	{__LINE__, "GET", "/api/v1/devices/", "", 404, ""},
	{__LINE__, "GET", "/api/v1/devices//claim", "", 404, ""},
	{__LINE__, "GET", "/api/v1/devices/%zz", "", 404, ""},
	{__LINE__, "GET", "/api/v1/devices/%00", "", 404, ""},
	{__LINE__, "GET", "/api/v1/devices/00908f000001/x", "", 404, ""},
	{__LINE__, "BREW", "/api/v1/status", "", 405, ""},
	{__LINE__, "POST", "/api/v1/status", "", 405, ""},
	{__LINE__, "GET", "/api/v1/devices/xyz", "", 400, "MAC"},
	{__LINE__, "GET", "/api/v1/devices/000000000000", "", 400, "MAC"},
	{__LINE__, "GET", "/api/v1/devices/ffffffffffff", "", 400, "MAC"},
	{__LINE__, "GET", "/api/v1/devices/00908f999999", "", 404, "no device"},
	{__LINE__, "PATCH", "/api/v1/devices/00908f999999", "{}", 404, ""},
	{__LINE__, "DELETE", "/api/v1/devices/00908f999999", "", 404, ""},
	{__LINE__, "POST", "/api/v1/devices", "", 400, "mac"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":7}", 400, "mac"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"01005e000001\"}", 400, "mac"},
	{__LINE__, "POST", "/api/v1/devices", "[]", 400, "object"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":", 400, "JSON"},
	{__LINE__, "POST", "/api/v1/devices", "{\"a\":1,\"a\":2}", 400, "JSON"},
	{__LINE__, "POST", "/api/v1/devices", "{} {}", 400, "JSON"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"00908f000009\",\"colour\":\"red\"}", 400,
	 "colour"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"00908f000009\",\"form\":\"fax\"}", 400,
	 "form"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"00908f000009\",\"address\":\"here\"}",
	 400, "address"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"00908f000009\",\"label\":[1]}", 400,
	 "label"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"00908f000009\",\"settings\":[]}", 400,
	 "settings"},
	{__LINE__, "POST", "/api/v1/devices",
	 "{\"mac\":\"00908f000009\",\"settings\":{\"ntp_ip\":{}}}", 400, "setting"},
	{__LINE__, "POST", "/api/v1/devices",
	 "{\"mac\":\"00908f000009\",\"settings\":{\"no_such\":\"1\"}}", 400, "no_such"},
	{__LINE__, "POST", "/api/v1/devices", "{\"mac\":\"00908f000009\",\"profile\":\"none\"}",
	 404, "none"},
	{__LINE__, "POST", "/api/v1/devices/00908f000001/block", "{\"a\":1}", 400, "body"},
	{__LINE__, "GET", "/api/v1/devices?state=sleepy", "", 400, "state"},
	{__LINE__, "GET", "/api/v1/devices?after=sleepy", "", 400, "after"},
	{__LINE__, "GET", "/api/v1/devices?limit=1001", "", 400, "limit"},
	{__LINE__, "GET", "/api/v1/devices?limit=-1", "", 400, "limit"},
	{__LINE__, "GET", "/api/v1/events?device=x", "", 400, "device"},
	{__LINE__, "GET", "/api/v1/events?after=99999999999999999999", "", 400, "after"},
	{__LINE__, "GET", "/api/v1/profiles/none", "", 404, "profile"},
	{__LINE__, "DELETE", "/api/v1/profiles/none", "", 404, ""},
	{__LINE__, "DELETE", "/api/v1/profiles/default", "", 400, ""},
	{__LINE__, "PATCH", "/api/v1/profiles/office", "{\"parent\":1}", 400, "parent"},
	{__LINE__, "PATCH", "/api/v1/profiles/office", "{\"label\":\"x\"}", 400, "member"},
	{__LINE__, "PUT", "/api/v1/files/../etc/passwd", "x", 400, "name"},
	{__LINE__, "PUT", "/api/v1/files/%2e%2e%2fetc", "x", 400, "name"},
	{__LINE__, "PUT", "/api/v1/files/a//b", "x", 400, "name"},
	{__LINE__, "PUT", "/api/v1/files/%2fetc", "x", 400, "name"},
	{__LINE__, "PUT", "/api/v1/files/.hidden", "x", 400, "name"},
	{__LINE__, "PUT", "/api/v1/files/a%0ab", "x", 400, "name"},
	{__LINE__, "PUT", "/api/v1/files/a%20b", "x", 400, "name"},
	{__LINE__, "DELETE", "/api/v1/files/none", "", 404, ""},
	{__LINE__, "POST", "/api/v1/openapi.json", "", 405, ""},
};

static void refuses(void)
{
	start();
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		unsigned status = ask(refusals[i].method, refusals[i].target, refusals[i].text);

		if (status != refusals[i].status || !strstr(body, refusals[i].part)) {
			test_is_failed = true;
			printf("# line %d: %s %s: %u %s\n", refusals[i].line, refusals[i].method,
			       refusals[i].target, status, body);
		}
		check_error(refusals[i].line);
		CHECK_EQUAL(status == 405, answer.allow != NULL);
	}
	CHECK_EQUAL(0, inventory.devices.count);
	CHECK_EQUAL(405, ask("PUT", "/api/v1/devices/00908f000001", ""));
	CHECK_TEXT("GET, PATCH, DELETE", span_text(answer.allow));
	stop();
}

static void refuses_what_is_too_long(void)
{
	static char target[5000] = "/api/v1/devices?search=";
	static char deep[100000];

	start();
	memset(target + 23, 'a', sizeof(target) - 24);
	CHECK_EQUAL(414, ask("GET", target, ""));
	memset(deep, '[', sizeof(deep) - 1);
	CHECK_EQUAL(400, ask("POST", "/api/v1/devices", deep));
	CHECK_EQUAL(400, ask_bytes("POST", "/api/v1/devices", SPAN("{\"mac\":\"\xff\xfe\"}")));
	CHECK_EQUAL(400, ask_bytes("POST", "/api/v1/devices", SPAN("{\"a\":\"\0\"}")));
	stop();
}

/* --- The life of a device. --- */

static void device_lives(void)
{
	start();
	CHECK_EQUAL(201, ask("POST", "/api/v1/devices",
			     "{\"mac\":\"00:90:8F:00:00:01\",\"model\":\"440HD\"}"));
	CHECK_HAS("\"mac\": \"00908f000001\"");
	CHECK_HAS("\"state\": \"new\"");
	CHECK_HAS("\"profile\": \"default\"");
	CHECK_HAS("\"address\": null");
	CHECK_EQUAL(409, ask("POST", "/api/v1/devices", "{\"mac\":\"00908f000001\"}"));
	CHECK_EQUAL(200, ask("POST", "/api/v1/devices/00-90-8f-00-00-01/claim",
			     "{\"label\":\"Empfang\",\"address\":\"192.0.2.9\","
			     "\"interface\":\"eth0\"}"));
	CHECK_HAS("\"state\": \"claimed\"");
	CHECK_HAS("\"label\": \"Empfang\"");
	CHECK_HAS("\"address\": \"192.0.2.9\"");
	CHECK_HAS("\"interface\": \"eth0\"");
	CHECK_HAS("\"identified_by\": \"address\"");
	CHECK_EQUAL(
		32,
		strlen(inventory_device(&inventory, (struct mac){{0, 0x90, 0x8f, 0, 0, 1}})->key));
	CHECK_EQUAL(200, ask("PATCH", "/api/v1/devices/00908f000001",
			     "{\"address\":null,\"interface\":null,\"settings\":{"
			     "\"sip_lines.1.username\":\"1001\",\"sip_proxy_port\":5070}}"));
	CHECK_HAS("\"address\": null");
	CHECK_HAS("\"sip_lines.1.username\": \"1001\"");
	CHECK_HAS("\"sip_proxy_port\": \"5070\"");
	CHECK_EQUAL(200, ask("PATCH", "/api/v1/devices/00908f000001",
			     "{\"settings\":{\"sip_proxy_port\":null}}"));
	CHECK_LACKS("sip_proxy_port");
	CHECK_EQUAL(200, ask("POST", "/api/v1/devices/00908f000001/block", ""));
	CHECK_HAS("\"state\": \"blocked\"");
	CHECK_EQUAL(200, ask("POST", "/api/v1/devices/00908f000001/unblock", ""));
	CHECK_HAS("\"state\": \"claimed\"");
	CHECK_EQUAL(200, ask("DELETE", "/api/v1/devices/00908f000001", ""));
	CHECK_HAS("\"removed\": \"00908f000001\"");
	CHECK_EQUAL(404, ask("GET", "/api/v1/devices/00908f000001", ""));
	stop();
}

/* contract.md: what `device show --json` has at least. */
static void device_has_the_members_of_the_contract(void)
{
	static const char *const members[] = {
		"mac",	     "vendor",	"model",     "firmware",      "state",
		"profile",   "label",	"settings",  "key",	      "first_seen",
		"last_seen", "address", "interface", "identified_by", "form",
	};
	json_t *json;

	start();
	CHECK_EQUAL(200, ask("POST", "/api/v1/devices/00908f000001/claim", ""));
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices/00908f000001", ""));
	json = json_loads(body, 0, NULL);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!json_object_get(json, members[i])) {
			test_is_failed = true;
			printf("# %s is missing\n", members[i]);
		}
	}
	json_decref(json);
	stop();
}

static void secrets_are_shown_on_request_alone(void)
{
	start();
	CHECK_EQUAL(201, ask("PATCH", "/api/v1/profiles/office",
			     "{\"settings\":{\"admin_password\":\"s3cret-admin\"}}"));
	CHECK_LACKS("s3cret");
	CHECK_EQUAL(200, ask("POST", "/api/v1/devices/00908f000001/claim",
			     "{\"profile\":\"office\",\"settings\":{\"sip_lines.1.password\":"
			     "\"s3cret-line\"}}"));
	CHECK_LACKS("s3cret");
	CHECK_HAS("\"sip_lines.1.password\": \"********\"");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices/00908f000001?effective=1", ""));
	CHECK_LACKS("s3cret");
	CHECK_HAS("admin_password");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices/00908f000001?secrets=1&effective=1", ""));
	CHECK_HAS("s3cret-line");
	CHECK_HAS("s3cret-admin");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices", ""));
	CHECK_LACKS("s3cret");
	CHECK_EQUAL(200, ask("GET", "/api/v1/profiles", ""));
	CHECK_LACKS("s3cret");
	CHECK_EQUAL(200, ask("GET", "/api/v1/profiles/office?secrets=1", ""));
	CHECK_HAS("s3cret-admin");
	CHECK_EQUAL(200, ask("GET", "/metrics", ""));
	CHECK_LACKS("s3cret");
	/* A refused secret is not quoted either. */
	CHECK_EQUAL(400, ask("PATCH", "/api/v1/devices/00908f000001",
			     "{\"settings\":{\"sip_lines.1.password\":\"s3cret\\nline\"}}"));
	CHECK_LACKS("s3cret");
	stop();
}

static void profiles_live(void)
{
	start();
	CHECK_EQUAL(201, ask("PATCH", "/api/v1/profiles/office", "{}"));
	CHECK_HAS("\"parent\": \"default\"");
	CHECK_EQUAL(200, ask("PATCH", "/api/v1/profiles/office",
			     "{\"settings\":{\"ntp_ip\":\"192.0.2.3\"}}"));
	CHECK_EQUAL(200, ask("GET", "/api/v1/profiles", ""));
	CHECK_HAS("\"name\": \"default\"");
	CHECK_HAS("\"name\": \"office\"");
	CHECK(strstr(body, "default") < strstr(body, "office"));
	CHECK_EQUAL(200,
		    ask("POST", "/api/v1/devices/00908f000001/claim", "{\"profile\":\"office\"}"));
	CHECK_EQUAL(409, ask("DELETE", "/api/v1/profiles/office", ""));
	stop();
}

static void listing_goes_by_pages(void)
{
	char text[64];
	char target[64] = "/api/v1/devices?limit=300";
	unsigned seen = 0;
	char last[16] = "";

	start();
	for (unsigned n = 0; n < 1100; n++) {
		/* Not in the order of their MACs. */
		snprintf(text, sizeof(text), "{\"mac\":\"00908f%06x\",\"label\":\"L%u\"}",
			 n * 7919 % 1100, n);
		CHECK_EQUAL(201, ask("POST", "/api/v1/devices", text));
	}
	for (unsigned page = 0; page < 4; page++) {
		json_t *json;
		json_t *device;
		size_t i;

		REQUIRE(ask("GET", target, "") == 200);
		json = json_loads(body, 0, NULL);
		REQUIRE(json != NULL);
		json_array_foreach(json_object_get(json, "devices"), i, device)
		{
			const char *mac = json_string_value(json_object_get(device, "mac"));

			CHECK(strcmp(last, mac) < 0);
			snprintf(last, sizeof(last), "%s", mac);
			seen++;
		}
		CHECK_EQUAL(page == 3, json_is_null(json_object_get(json, "next")));
		snprintf(target, sizeof(target), "/api/v1/devices?limit=300&after=%s", last);
		json_decref(json);
	}
	CHECK_EQUAL(1100, seen);
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices?search=l1099", ""));
	CHECK_HAS("\"L1099\"");
	CHECK_LACKS("\"L1\"");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices?state=claimed", ""));
	CHECK_LACKS("mac");
	CHECK_HAS("\"next\":null");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices?search=00908F00000A&state=new", ""));
	CHECK_HAS("00908f00000a");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices?limit=0", ""));
	stop();
}

static void files_are_listed_by_name(void)
{
	start();
	CHECK_EQUAL(201, ask("PUT", "/api/v1/files/rings/b.wav", "12345"));
	CHECK_HAS("\"name\": \"rings/b.wav\"");
	CHECK_HAS("\"bytes\": 5");
	CHECK_EQUAL(201, ask("PUT", "/api/v1/files/a-b.img", "123"));
	CHECK_EQUAL(200, ask("GET", "/api/v1/files", ""));
	CHECK(strstr(body, "a-b.img") < strstr(body, "rings/b.wav"));
	CHECK_EQUAL(200, ask("DELETE", "/api/v1/files/rings/b.wav", ""));
	CHECK_HAS("\"removed\": \"rings/b.wav\"");
	stop();
}

static void events_are_asked_for(void)
{
	struct event event = {.id = 3,
			      .utc_ms = 1000000000000,
			      .level = REPORT_WARNING,
			      .reason = "subscribe_refused",
			      .has_mac = true,
			      .mac = {{0, 0x90, 0x8f, 0, 0, 1}},
			      .text = SPAN("broken \xff text")};
	size_t length = 0;
	char *line;

	start();
	CHECK_EQUAL(200,
		    ask("GET", "/api/v1/events?follow=1&device=00908f000001&limit=7&after=9", ""));
	CHECK_EQUAL(API_EVENTS, answer.verdict);
	CHECK(answer.events.is_follow && answer.events.has_mac);
	CHECK_EQUAL(7, answer.events.limit);
	CHECK_EQUAL(9, answer.events.after);
	line = api_event_line(&event, &length);
	REQUIRE(line != NULL);
	CHECK_TEXT("{\"id\":3,\"time\":\"2001-09-09T01:46:40.000Z\",\"level\":\"warning\","
		   "\"reason\":\"subscribe_refused\",\"mac\":\"00908f000001\","
		   "\"text\":\"broken \xef\xbf\xbd text\"}\n",
		   span_make(line, length));
	free(line);
	stop();
}

static void status_and_metrics_tell(void)
{
	start();
	CHECK_EQUAL(200, ask("POST", "/api/v1/devices/00908f000001/claim", ""));
	CHECK_EQUAL(200, ask("GET", "/api/v1/status", ""));
	CHECK_HAS("\"version\": \"1.2.3\"");
	CHECK_HAS("\"uptime_s\": 61");
	CHECK_HAS("\"claimed\": 1");
	CHECK_HAS("\"subscribe\": 5");
	CHECK_HAS("the disk is nearly full");
	CHECK_EQUAL(200, ask("HEAD", "/api/v1/status", ""));
	CHECK_EQUAL(200, ask("GET", "/metrics", ""));
	CHECK_HAS("bellhop_devices{state=\"claimed\"} 1\n");
	CHECK_HAS("bellhop_sip_total{reason=\"subscribe\"} 5\n"
		  "bellhop_sip_total{reason=\"with \\\"quote\"} 1\n");
	CHECK_HAS("# TYPE bellhop_http_total counter\n");
	CHECK_HAS("bellhop_start_time_seconds 1000000000\n");
	stop();
}

static void failures_of_the_store_are_told(void)
{
	static const struct {
		int result;
		unsigned status;
	} rows[] = {
		{-ENOSPC, 507}, {-EROFS, 500},	 {-EIO, 500},
		{-EBUSY, 409},	{-ENOBUFS, 503}, {-ENOMEM, 503},
	};
	struct api_request request = {.method = SPAN("POST"),
				      .target = SPAN("/api/v1/devices/00908f000001/claim")};

	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		api_answer_free(&answer);
		api_handle(&api, &request, &arena, &answer);
		REQUIRE(answer.verdict == API_CHANGE);
		api_finish(&api, &answer, rows[i].result,
			   i % 2 == 0 ? "the disk is full; free some space" : "");
		CHECK_EQUAL(rows[i].status, answer.status);
		snprintf(body, sizeof(body), "%.*s", (int)answer.body.length, answer.body.data);
		check_error(__LINE__);
		if (i == 0) {
			CHECK_HAS("\"error\": \"the disk is full\"");
			CHECK_HAS("\"what_to_do\": \"free some space\"");
		}
	}
	stop();
}

static void a_restore_is_told(void)
{
	const struct api_restored restored = {3, 2, 40960, 1, 1, "/data/kept"};

	start();
	CHECK_EQUAL(200, ask("GET", "/api/v1/database", ""));
	CHECK_EQUAL(API_BACKUP, answer.verdict);
	CHECK_EQUAL(400, ask("PUT", "/api/v1/database", ""));
	CHECK_HAS("the body is empty");
	CHECK_EQUAL(405, ask("DELETE", "/api/v1/database", ""));
	CHECK_EQUAL(200, ask("PUT", "/api/v1/database", "SQLite format 3"));
	REQUIRE(answer.verdict == API_RESTORE);
	api_finish_restore(&answer, 0, "", &restored);
	CHECK_EQUAL(API_ANSWER, answer.verdict);
	CHECK_EQUAL(200, answer.status);
	snprintf(body, sizeof(body), "%.*s", (int)answer.body.length, answer.body.data);
	CHECK_HAS("\"devices\": 3");
	CHECK_HAS("\"kept\": \"/data/kept\"");
	api_finish_restore(&answer, -EINVAL, "the file is no database; give another", &restored);
	CHECK_EQUAL(400, answer.status);
	snprintf(body, sizeof(body), "%.*s", (int)answer.body.length, answer.body.data);
	check_error(__LINE__);
	CHECK_HAS("\"what_to_do\": \"give another\"");
	stop();
}

static enum api_body body_of(const char *method, const char *path)
{
	arena_reset(&arena);
	return api_body_of(span_text(method), span_text(path), &arena);
}

static void what_a_body_is_shows_in_the_head(void)
{
	static char long_path[api_target_max + 2] = "/api/v1/files/";

	start();
	CHECK_EQUAL(API_BODY_FILE, body_of("PUT", "/api/v1/files/a.bin"));
	CHECK_EQUAL(API_BODY_FILE, body_of("PUT", "/api/v1/files/rings/a%20b.bin"));
	CHECK_EQUAL(API_BODY_FILE, body_of("PUT", "/api/v1/files/%2e%2e/x"));
	CHECK_EQUAL(API_BODY_DATABASE, body_of("PUT", "/api/v1/database"));
	CHECK_EQUAL(API_BODY_JSON, body_of("POST", "/api/v1/database"));
	CHECK_EQUAL(API_BODY_JSON, body_of("PUT", "/api/v1/database/"));
	CHECK_EQUAL(API_BODY_JSON, body_of("PUT", "/api/v1/files"));
	CHECK_EQUAL(API_BODY_JSON, body_of("PUT", "/api/v1/files/"));
	CHECK_EQUAL(API_BODY_JSON, body_of("PUT", "/api/v1/files/%zz"));
	CHECK_EQUAL(API_BODY_JSON, body_of("DELETE", "/api/v1/files/a.bin"));
	CHECK_EQUAL(API_BODY_JSON, body_of("POST", "/api/v1/devices/00908f000001/claim"));
	CHECK_EQUAL(API_BODY_JSON, body_of("PUT", ""));
	memset(long_path + strlen(long_path), 'a', sizeof(long_path) - 1 - strlen(long_path));
	CHECK_EQUAL(API_BODY_JSON, body_of("PUT", long_path));
	stop();
}

/* Both ways: a route that is not described, and a description without its route. */
static struct vendor_pack *pack_with_shapes(void)
{
	struct vendor_pack *pack = calloc(1, sizeof(*pack));

	if (!pack) {
		abort();
	}
	arena_init(&pack->arena, 4096);
	pack->name = SPAN("acme");
	pack->form = FORM_RFC;
	pack->shapes = arena_array(&pack->arena, 2, sizeof(*pack->shapes));
	pack->shapes[0] = (struct vendor_shape){.name = SPAN("folder"), .shape = SPAN("%{base}")};
	pack->shapes[1] = (struct vendor_shape){.name = SPAN("bare"), .shape = SPAN("%{origin}")};
	pack->shape_count = 2;
	return pack;
}

static void forms_are_shown_pinned_and_forgotten(void)
{
	start();
	CHECK_EQUAL(0, vendors_add(&inventory.vendors, pack_with_shapes()));
	CHECK_EQUAL(201, ask("POST", "/api/v1/devices",
			     "{\"mac\":\"00908f123456\",\"vendor\":\"acme\",\"model\":\"A1\","
			     "\"firmware\":\"1.0\"}"));
	CHECK_EQUAL(200, ask("GET", "/api/v1/forms", ""));
	CHECK_HAS("\"forms\": []");
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices/00908f123456", ""));
	CHECK_HAS("\"form_in_force\": \"rfc\"");
	CHECK_HAS("\"form_reason\": \"pack\"");
	CHECK_HAS("\"shape_in_force\": \"folder\"");
	CHECK_EQUAL(200, ask("PUT", "/api/v1/forms",
			     "{\"vendor\":\"acme\",\"model\":\"A1\",\"firmware\":\"1.0\","
			     "\"form\":\"print\",\"shape\":\"bare\"}"));
	CHECK_HAS("\"pinned\": true");
	CHECK_HAS("\"shape\": \"bare\"");
	CHECK_EQUAL(200, ask("PUT", "/api/v1/forms",
			     "{\"vendor\":\"acme\",\"form\":\"rfc\",\"shape\":null}"));
	CHECK_EQUAL(200, ask("GET", "/api/v1/devices/00908f123456", ""));
	CHECK_HAS("\"form_in_force\": \"print\"");
	CHECK_HAS("\"form_reason\": \"pinned\"");
	CHECK_HAS("\"shape_in_force\": \"bare\"");
	CHECK_EQUAL(200, ask("GET", "/api/v1/forms", ""));
	CHECK(strstr(body, "\"model\": \"\"") < strstr(body, "\"model\": \"A1\""));
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"vendor\":\"acme\"}"));
	CHECK_HAS("nothing to pin");
	check_error(__LINE__);
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"form\":\"rfc\"}"));
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"vendor\":\"zzz\",\"form\":\"rfc\"}"));
	CHECK_HAS("no pack");
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms",
			     "{\"vendor\":\"acme\",\"form\":\"rfc\",\"shape\":\"x\"}"));
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"vendor\":\"acme\",\"form\":\"fax\"}"));
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"vendor\":\"acme\",\"form\":7}"));
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"vendor\":7,\"form\":\"rfc\"}"));
	CHECK_EQUAL(400, ask("PUT", "/api/v1/forms", "{\"vendor\":\"acme\",\"colour\":\"x\"}"));
	check_error(__LINE__);
	CHECK_EQUAL(400, ask("DELETE", "/api/v1/forms?vendor=acme&firmware=1.0", ""));
	CHECK_EQUAL(400, ask("DELETE", "/api/v1/forms", ""));
	CHECK_EQUAL(404, ask("DELETE", "/api/v1/forms?vendor=acme&model=A2", ""));
	check_error(__LINE__);
	/* An empty model is one that is not known; no model is all of them. */
	CHECK_EQUAL(200, ask("DELETE", "/api/v1/forms?vendor=acme&model=", ""));
	CHECK_EQUAL(1, inventory.forms.count);
	CHECK_EQUAL(200, ask("DELETE", "/api/v1/forms?vendor=acme", ""));
	CHECK_HAS("\"removed\": \"acme");
	CHECK_EQUAL(0, inventory.forms.count);
	stop();
}

static void openapi_tells_of_every_route(void)
{
	json_t *json;
	json_t *paths;
	const char *path;
	json_t *item;
	struct span method;
	struct span route;
	size_t described = 0;
	size_t i;

	start();
	CHECK_EQUAL(200, ask("GET", "/api/v1/openapi.json", ""));
	json = json_loads(body, 0, NULL);
	REQUIRE(json != NULL);
	paths = json_object_get(json, "paths");
	for (i = 0; api_route_at(i, &method, &route); i++) {
		char verb[16] = "";
		char name[128] = "";

		for (size_t c = 0; c < method.length && c < sizeof(verb) - 1; c++) {
			verb[c] = ascii_lower(method.data[c]);
		}
		snprintf(name, sizeof(name), "%.*s", (int)route.length, route.data);
		if (!json_object_get(json_object_get(paths, name), verb)) {
			test_is_failed = true;
			printf("# %s %s is not described\n", verb, name);
		}
	}
	json_object_foreach(paths, path, item)
	{
		described += json_object_size(item) - (json_object_get(item, "parameters") != NULL);
	}
	CHECK_EQUAL(i, described);
	json_decref(json);
	stop();
}

static void see_stranger(struct address address, struct mac named, uint64_t utc_ms)
{
	struct change change = {.kind = CHANGE_UNIDENTIFIED_SEEN,
				.utc_ms = utc_ms,
				.address = address,
				.interface = SPAN("eth0"),
				.mac = named,
				.certainty = CERTAINTY_SPOOFED,
				.reason = "mac_is_not_its_own"};
	struct prepared prepared;
	char problem[200];

	REQUIRE(inventory_prepare(&inventory, &change, &prepared, problem, sizeof(problem)) == 0);
	inventory_commit(&inventory, &prepared);
}

static void the_unidentified_are_listed_the_latest_first(void)
{
	start();
	CHECK_EQUAL(200, ask("GET", "/api/v1/unidentified", ""));
	CHECK_TEXT("{\n  \"unidentified\": []\n}\n", span_text(body));
	see_stranger(address_ipv4(10, 0, 0, 1), (struct mac){{0, 0x90, 0x8f, 1, 2, 3}}, 1000);
	see_stranger(address_ipv4(10, 0, 0, 2), (struct mac){0}, 3000);
	see_stranger(address_ipv4(10, 0, 0, 1), (struct mac){{0, 0x90, 0x8f, 1, 2, 3}}, 2000);
	CHECK_EQUAL(200, ask("GET", "/api/v1/unidentified", ""));
	CHECK_HAS("\"address\": \"10.0.0.1\"");
	CHECK_HAS("\"named_mac\": \"00908f010203\"");
	CHECK_HAS("\"named_mac\": null");
	CHECK_HAS("\"certainty\": \"spoofed?\"");
	CHECK_HAS("\"reason\": \"mac_is_not_its_own\"");
	CHECK_HAS("\"count\": 2");
	CHECK_HAS("\"first_seen\": \"1970-01-01T00:00:01");
	CHECK(strstr(body, "10.0.0.2") < strstr(body, "10.0.0.1"));
	CHECK_EQUAL(405, ask("POST", "/api/v1/unidentified", ""));
	stop();
}

static void packs_are_shown(void)
{
	start();
	CHECK_EQUAL(200, ask("GET", "/api/v1/packs", ""));
	CHECK_HAS("\"packs\": []");
	CHECK_EQUAL(404, ask("GET", "/api/v1/packs/acme", ""));
	CHECK_HAS("bellhop pack list");
	CHECK_EQUAL(405, ask("DELETE", "/api/v1/packs/acme", ""));
	stop();
}

static void settings_are_listed(void)
{
	start();
	CHECK_EQUAL(200, ask("GET", "/api/v1/settings", ""));
	CHECK_HAS("\"path\": \"ntp_ip\"");
	CHECK_HAS("\"is_secret\": true");
	stop();
}

int main(void)
{
	json_object_seed(1);
	RUN(refuses);
	RUN(refuses_what_is_too_long);
	RUN(device_lives);
	RUN(device_has_the_members_of_the_contract);
	RUN(secrets_are_shown_on_request_alone);
	RUN(profiles_live);
	RUN(listing_goes_by_pages);
	RUN(files_are_listed_by_name);
	RUN(events_are_asked_for);
	RUN(status_and_metrics_tell);
	RUN(failures_of_the_store_are_told);
	RUN(a_restore_is_told);
	RUN(what_a_body_is_shows_in_the_head);
	RUN(forms_are_shown_pinned_and_forgotten);
	RUN(openapi_tells_of_every_route);
	RUN(the_unidentified_are_listed_the_latest_first);
	RUN(packs_are_shown);
	RUN(settings_are_listed);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * Whatever bytes a phone or a hand causes, what the API answers is JSON, and an event is one line
 * of it. Bytes are made from a seed that a failure names; half of them are from a list of awkward
 * ones.
 */
#include "core/admin/api.h"
#include "core/base/random.h"
#include "tests/test.h"

#include <errno.h>
#include <jansson.h>

enum { rounds = 3000 };

static struct inventory inventory;
static struct arena arena;
static struct random dice;
static unsigned round_now;

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	(void)local;
	*server = (struct config_server){.http_port = 8080};
}

static struct span hostile(size_t length_max)
{
	const struct span awkward[] = {
		SPAN("\0"),
		SPAN("\n"),
		SPAN("\r\n"),
		SPAN("\""),
		SPAN("\\"),
		SPAN("\\u"),
		SPAN("\x1b[2J"),
		SPAN("\x7f"),
		SPAN("\xc2\x9b"),
		SPAN("\xc0\xaf"),
		SPAN("\xed\xa0\x80"),
		SPAN("\xf4\x90\x80\x80"),
		SPAN("\xe2\x80\xa8"),
		SPAN("\xe2\x82"),
		SPAN("\xef\xbf\xbf"),
		SPAN("\xff\xfe"),
		SPAN("\xf0\x9f\x93\x9e"),
		SPAN("{}"),
		SPAN("\xc3\xa4"),
		SPAN("text"),
	};
	size_t length = random_below(&dice, length_max + 1);
	char *room = arena_allocate(&arena, length + 1);
	struct writer w = writer_over(room, length);

	while (!w.failed && w.length < length) {
		if (random_below(&dice, 2) == 0) {
			writer_char(&w, (char)random_below(&dice, 256));
		} else {
			writer_put(
				&w,
				awkward[random_below(&dice, sizeof(awkward) / sizeof(*awkward))]);
		}
	}
	return writer_span(&w);
}

/* Half of them without controls, which most fields refuse; what else is awkward stays. */
static struct span hostile_line(size_t length_max)
{
	struct span text = hostile(length_max);
	char *room = arena_allocate(&arena, text.length + 1);
	bool is_line = random_below(&dice, 2) == 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		room[i] = is_line && (c < 0x20 || c == 0x7f) ? '-' : text.data[i];
	}
	return span_make(room, text.length);
}

/* The value, or NULL and the test has failed. */
static json_t *parse(const char *what, struct span text)
{
	json_error_t error;
	json_t *json =
		json_loadb(text.data, text.length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);

	if (!json) {
		test_is_failed = true;
		printf("# round %u: %s is no JSON: %s\n", round_now, what, error.text);
		test_print_span("text", text);
	}
	return json;
}

static void events_are_lines_of_json(void)
{
	for (round_now = 0; round_now < rounds; round_now++) {
		char buffer[4096];
		struct writer detail = writer_over(buffer, sizeof(buffer));
		struct event event = {.id = round_now + 1,
				      .utc_ms = random_below(&dice, 1ull << 42)};
		struct span name;
		size_t length = 0;
		char *line;
		json_t *json;

		arena_reset(&arena);
		snprintf(event.reason, sizeof(event.reason), "tested");
		event.text = hostile(event_text_max);
		name = hostile(200);
		/* What files_report_fetched makes, or what somebody wrote into the database. */
		if (round_now % 4 > 0) {
			writer_text(&detail, "{\"id\":0,\"file\":");
			writer_json(&detail, name);
			writer_text(&detail, "}");
			CHECK(!detail.failed);
			event.detail = writer_span(&detail);
		} else {
			event.detail = name;
		}
		line = api_event_line(&event, &length);
		REQUIRE(line != NULL);
		CHECK_EQUAL(length - 1, span_find(span_make(line, length), '\n'));
		json = parse("an event", span_make(line, length));
		/* The event's own members are not to be had by its detail. */
		CHECK_EQUAL(event.id, json_integer_value(json_object_get(json, "id")));
		CHECK(json_is_string(json_object_get(json, "text")));
		CHECK(round_now % 4 == 0 || json_is_string(json_object_get(json, "file")));
		json_decref(json);
		free(line);
	}
}

static void apply(struct change change)
{
	struct prepared prepared;
	char problem[512];

	if (inventory_prepare(&inventory, &change, &prepared, problem, sizeof(problem)) == 0) {
		inventory_commit(&inventory, &prepared);
	} else {
		/* What is refused is told as JSON, too. */
		struct api_answer answer = {.change = &change};
		struct api_context api = {.inventory = &inventory};

		api_finish(&api, &answer, -EINVAL, problem);
		json_decref(parse("a refusal", answer.body));
		api_answer_free(&answer);
	}
}

static void ask(const char *target)
{
	static const char *const warnings[] = {"DATA/files: \xff\x01\"", "\xed\xa0\x80"};
	const struct api_facts facts = {.version = "1",
					.data = "/\xc3\x28\n",
					.warnings = warnings,
					.warning_count = 2};
	const struct api_context api = {.inventory = &inventory,
					.facts = &facts,
					.server_for = server_for};
	struct api_request request = {.method = SPAN("GET"), .target = span_text(target)};
	struct api_answer answer;

	api_handle(&api, &request, &arena, &answer);
	while (answer.verdict == API_LIST && api_list_step(&api, &answer)) {
		continue;
	}
	CHECK_EQUAL(API_ANSWER, answer.verdict);
	json_decref(parse(target, answer.body));
	api_answer_free(&answer);
}

static void change_something(void)
{
	struct change_setting setting = {.path = SPAN("x.y"), .value = hostile_line(60)};
	struct change change = {
		.kind = (enum change_kind)random_below(&dice, CHANGE_KIND_COUNT),
		.fields = (uint32_t)random_below(&dice, FIELD_PARENT << 1),
		.mac = {{0x00, 0x90, 0x8f, 0, 0, (uint8_t)random_below(&dice, 8)}},
		.vendor = hostile(8),
		.model = hostile(12),
		.firmware = hostile(12),
		.profile = random_below(&dice, 2) ? hostile(6) : SPAN("office"),
		.parent = random_below(&dice, 2) ? hostile(6) : SPAN("default"),
		.label = hostile_line(40),
		.interface = hostile(8),
		.bound_interface = hostile(8),
		.bound_address = address_ipv4(10, 0, 0, (uint8_t)random_below(&dice, 8)),
		.address = address_ipv4(10, 0, 0, 1),
		.file = random_below(&dice, 2) ? hostile_line(20) : SPAN("a/b.cfg"),
		.settings = &setting,
		.setting_count = random_below(&dice, 2),
	};

	apply(change);
}

static void answers_are_json(void)
{
	static const char *const targets[] = {
		"/api/v1/status",
		"/api/v1/devices?secrets=1&effective=1",
		"/api/v1/devices/00908f000001?effective=1",
		"/api/v1/devices/00908f000002/files",
		"/api/v1/profiles?secrets=1",
		"/api/v1/profiles/office?effective=1",
		"/api/v1/profiles/%ff%00%22",
		"/api/v1/files",
		"/api/v1/devices?state=%ff%0a%22",
		"/api/v1/\xff\n\"",
	};

	size_t devices = 0;
	size_t files = 0;

	apply((struct change){.kind = CHANGE_PROFILE_SET, .profile = SPAN("office")});
	for (round_now = 0; round_now < rounds && !test_is_failed; round_now++) {
		arena_reset(&arena);
		change_something();
		ask(targets[round_now % (sizeof(targets) / sizeof(*targets))]);
		devices += inventory.devices.count;
		files += inventory.files.count;
	}
	/* Not all was refused: there was something to show. */
	CHECK(devices > rounds / 2 && files > rounds / 10);
}

int main(void)
{
	struct inventory_limits limits = {.devices_max = 100,
					  .new_devices_max = 100,
					  .profiles_max = 50,
					  .files_max = 50,
					  .unidentified_max = 50,
					  .forms_max = 8,
					  .rules_max = 20,
					  .pools_max = 20,
					  .pool_numbers_max = 1000};
	static const uint8_t seed[random_seed_size] = {9};

	if (inventory_init(&inventory, &limits, seed) < 0) {
		return 1;
	}
	random_init_number(&dice, 4711);
	arena_init(&arena, api_arena_bytes_max);
	RUN(events_are_lines_of_json);
	RUN(answers_are_json);
	arena_free(&arena);
	inventory_free(&inventory);
	return test_end();
}

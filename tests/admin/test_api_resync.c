/* SPDX-License-Identifier: MIT */
/* Orders to phones through the API: whom they are for, and what a dry run tells. */
#include "core/admin/api.h"
#include "tests/fleet/packs.h"
#include "tests/test.h"

#include <errno.h>
#include <jansson.h>

static struct inventory inventory;
static struct arena arena;
static struct api_answer answer;
static json_t *body; /* of the last answer */

static const struct api_facts facts = {.version = "1", .now_utc_ms = 1000000061000};
static const struct api_context api = {.inventory = &inventory, .facts = &facts};

#define PACK(name, oui, rest)                                                                      \
	"{\"schema\":1,\"name\":\"" name                                                           \
	"\",\"display_name\":\"x\",\"recognise\":{\"oui\":[\"" oui                                 \
	"\"]},\"files\":[{\"name\":\"x.img\",\"kind\":\"firmware\"}]" rest "}"

static const char *const packs[] = {
	PACK("alpha", "0a0001",
	     ",\"answer\":{\"sip_port\":5070},\"resync\":{\"event\":\"check-sync\"},"
	     "\"reboot\":{\"event\":\"check-sync;reboot=true\"}"),
	PACK("beta", "0a0002",
	     ",\"resync\":{\"event\":\"resync\",\"asks_credentials\":true,\"reboots\":true}"),
	PACK("mute", "0a0005", ""),
};

static void put(const struct change *change)
{
	struct change dated = *change;
	struct prepared prepared;
	char problem[256] = "";

	dated.utc_ms = 1000;
	if (inventory_prepare(&inventory, &dated, &prepared, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		abort();
	}
	inventory_commit(&inventory, &prepared);
}

static struct mac mac_of(unsigned maker, unsigned number)
{
	return (struct mac){{0x0a, 0, (uint8_t)maker, 0, (uint8_t)(number >> 8), (uint8_t)number}};
}

static void put_phone(struct mac mac, const char *profile)
{
	put(&(struct change){.kind = CHANGE_DEVICE_SEEN,
			     .fields = FIELD_ADDRESS,
			     .mac = mac,
			     .address = address_ipv4(10, 0, mac.octets[4], mac.octets[5])});
	put(&(struct change){.kind = CHANGE_DEVICE_CLAIM,
			     .fields = FIELD_PROFILE,
			     .mac = mac,
			     .profile = span_text(profile)});
}

static void start(void)
{
	static const uint8_t seed[random_seed_size] = {3};
	struct inventory_limits limits = {.devices_max = 3000,
					  .new_devices_max = 100,
					  .profiles_max = 8,
					  .files_max = 8};
	struct vendors vendors = {0};

	if (inventory_init(&inventory, &limits, seed) != 0) {
		abort();
	}
	for (size_t i = 0; i < sizeof(packs) / sizeof(packs[0]); i++) {
		if (vendors_add(&vendors, pack_of_text(packs[i])) != 0) {
			abort();
		}
	}
	inventory_set_vendors(&inventory, &vendors);
	vendors_free(&vendors);
	arena_init(&arena, api_arena_bytes_max);
	put(&(struct change){.kind = CHANGE_PROFILE_SET, .profile = SPAN("house")});
	put(&(struct change){.kind = CHANGE_PROFILE_SET,
			     .fields = FIELD_PARENT,
			     .profile = SPAN("floor"),
			     .parent = SPAN("house")});
	put_phone(mac_of(1, 1), "house");
	put_phone(mac_of(2, 2), "floor");
	put_phone(mac_of(5, 3), "");
	put(&(struct change){.kind = CHANGE_DEVICE_CLAIM, .mac = mac_of(1, 4)}); /* never seen */
	put(&(struct change){.kind = CHANGE_DEVICE_ADD, .mac = mac_of(1, 5)});	 /* unclaimed */
}

static void forget_answer(void)
{
	api_answer_free(&answer);
	json_decref(body);
	body = NULL;
	arena_reset(&arena);
}

static void stop(void)
{
	forget_answer();
	answer = (struct api_answer){.status = 0};
	arena_free(&arena);
	inventory_free(&inventory);
}

/* An order is answered as the door answers it, but stays in `answer.order`. */
static unsigned ask(const char *target, const char *text)
{
	struct api_request request = {.method = SPAN("POST"),
				      .target = span_text(target),
				      .body = span_text(text)};

	forget_answer();
	api_handle(&api, &request, &arena, &answer);
	if (answer.verdict == API_ORDER) {
		api_finish(&api, &answer, 0, "");
	}
	body = json_loadb(answer.body.data, answer.body.length, 0, NULL);
	return answer.status;
}

static bool is_ordered(struct mac mac)
{
	for (size_t i = 0; answer.order && i < answer.order->count; i++) {
		if (mac_equal(answer.order->macs[i], mac)) {
			return true;
		}
	}
	return false;
}

static json_int_t number(const char *member)
{
	return json_integer_value(json_object_get(body, member));
}

static const char *text_at(const char *list, size_t i, const char *member)
{
	const char *text = json_string_value(
		json_object_get(json_array_get(json_object_get(body, list), i), member));

	return text ? text : "(none)";
}

static bool flag_at(size_t i, const char *member)
{
	return json_is_true(
		json_object_get(json_array_get(json_object_get(body, "devices"), i), member));
}

static void one_device_is_ordered(void)
{
	start();
	CHECK_EQUAL(202, ask("/api/v1/devices/0A:00:01:00:00:01/resync", ""));
	REQUIRE(answer.order != NULL);
	CHECK_EQUAL(1, answer.order->count);
	CHECK(is_ordered(mac_of(1, 1)));
	CHECK_EQUAL(RESYNC_ORDER_FETCH, answer.order->order);
	CHECK_EQUAL(1, number("accepted"));
	CHECK_TEXT("2001-09-09T01:47:41.000Z",
		   span_text(json_string_value(json_object_get(body, "time"))));
	CHECK_EQUAL(202, ask("/api/v1/devices/0a0001000001/reboot", "{}"));
	CHECK_EQUAL(RESYNC_ORDER_REBOOT, answer.order->order);
	CHECK_EQUAL(404, ask("/api/v1/devices/0a0001000099/resync", ""));
	CHECK_EQUAL(409, ask("/api/v1/devices/0a0001000005/resync", ""));
	CHECK_EQUAL(400, ask("/api/v1/devices/0a0001000001/resync", "{\"all\":true}"));
	CHECK(answer.order == NULL);
	stop();
}

static void macs_are_ordered_once_each(void)
{
	start();
	CHECK_EQUAL(202, ask("/api/v1/resync",
			     "{\"macs\":[\"0a0002000002\",\"0a-00-01-00-00-01\",\"0a0001000001\","
			     "\"0a0001000005\",\"0a0001000077\"]}"));
	REQUIRE(answer.order != NULL);
	CHECK_EQUAL(2, answer.order->count);
	CHECK_EQUAL(2, number("accepted"));
	CHECK(is_ordered(mac_of(1, 1)) && is_ordered(mac_of(2, 2)));
	CHECK_EQUAL(2, json_array_size(json_object_get(body, "skipped")));
	CHECK_TEXT("0a0001000005", span_text(text_at("skipped", 0, "mac")));
	CHECK_TEXT("nobody claimed it", span_text(text_at("skipped", 0, "why")));
	CHECK_TEXT("there is no such device", span_text(text_at("skipped", 1, "why")));
	stop();
}

static void a_profile_has_the_members_of_its_heirs(void)
{
	start();
	CHECK_EQUAL(202, ask("/api/v1/reboot", "{\"profile\":\"house\"}"));
	CHECK_EQUAL(2, number("accepted"));
	CHECK(is_ordered(mac_of(1, 1)) && is_ordered(mac_of(2, 2)));
	CHECK_EQUAL(202, ask("/api/v1/resync", "{\"profile\":\"floor\"}"));
	CHECK_EQUAL(1, number("accepted"));
	CHECK(is_ordered(mac_of(2, 2)));
	CHECK_EQUAL(202, ask("/api/v1/resync", "{\"profile\":\"default\"}"));
	CHECK_EQUAL(4, number("accepted"));
	CHECK_EQUAL(202, ask("/api/v1/resync", "{\"all\":true}"));
	CHECK_EQUAL(4, number("accepted"));
	CHECK(!is_ordered(mac_of(1, 5)));
	CHECK_EQUAL(404, ask("/api/v1/resync", "{\"profile\":\"attic\"}"));
	stop();
}

static void a_dry_run_tells_and_does_nothing(void)
{
	start();
	CHECK_EQUAL(200, ask("/api/v1/resync", "{\"all\":true,\"dry_run\":true}"));
	CHECK(answer.order == NULL && answer.verdict == API_ANSWER);
	CHECK_EQUAL(4, number("count"));
	CHECK_TEXT("0a0001000001", span_text(text_at("devices", 0, "mac")));
	CHECK_TEXT("alpha", span_text(text_at("devices", 0, "vendor")));
	CHECK_TEXT("10.0.0.1:5070", span_text(text_at("devices", 0, "address")));
	CHECK_TEXT("check-sync", span_text(text_at("devices", 0, "event")));
	CHECK(flag_at(0, "works") && !flag_at(0, "reboots") && !flag_at(0, "credentials"));
	CHECK(!flag_at(1, "works"));
	CHECK_TEXT("nobody has seen where it is", span_text(text_at("devices", 1, "why")));
	CHECK_TEXT("resync", span_text(text_at("devices", 2, "event")));
	CHECK(flag_at(2, "works") && flag_at(2, "reboots") && flag_at(2, "credentials"));
	CHECK_TEXT("mute", span_text(text_at("devices", 3, "vendor")));
	CHECK(!flag_at(3, "works") && strlen(text_at("devices", 3, "why")) > 0);
	CHECK(json_is_null(json_object_get(body, "next")));
	/* The same through the device's own path; and there for one that would be refused. */
	CHECK_EQUAL(200, ask("/api/v1/devices/0a0001000001/reboot", "{\"dry_run\":true}"));
	CHECK_TEXT("check-sync;reboot=true", span_text(text_at("devices", 0, "event")));
	CHECK(flag_at(0, "reboots"));
	CHECK_EQUAL(200, ask("/api/v1/resync", "{\"macs\":[\"0a0001000005\"],\"dry_run\":true}"));
	CHECK_EQUAL(0, number("count"));
	CHECK_TEXT("nobody claimed it", span_text(text_at("skipped", 0, "why")));
	/* dry_run false is an order. */
	CHECK_EQUAL(202, ask("/api/v1/devices/0a0001000001/resync", "{\"dry_run\":false}"));
	stop();
}

static void a_dry_run_goes_by_pages(void)
{
	char last[16] = "";
	char text[128] = "{\"all\":true,\"dry_run\":true}";
	size_t seen = 0;

	start();
	for (unsigned i = 0; i < 2100; i++) {
		put(&(struct change){.kind = CHANGE_DEVICE_CLAIM,
				     .mac = mac_of(1, 100 + i * 7919 % 2100)});
	}
	for (int page = 0; page < 3; page++) {
		size_t count;

		REQUIRE(ask("/api/v1/resync", text) == 200);
		CHECK_EQUAL(2104, number("count"));
		count = json_array_size(json_object_get(body, "devices"));
		for (size_t i = 0; i < count; i++) {
			CHECK(strcmp(last, text_at("devices", i, "mac")) < 0);
			snprintf(last, sizeof(last), "%s", text_at("devices", i, "mac"));
		}
		seen += count;
		CHECK_EQUAL(page == 2, json_is_null(json_object_get(body, "next")));
		snprintf(text, sizeof(text), "{\"all\":true,\"dry_run\":true,\"after\":\"%s\"}",
			 last);
	}
	CHECK_EQUAL(2104, seen);
	stop();
}

static void what_is_no_order_is_refused(void)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"[]",
		"{\"all\":false}",
		"{\"all\":1}",
		"{\"macs\":\"0a0001000001\"}",
		"{\"macs\":[7]}",
		"{\"macs\":[\"here\"]}",
		"{\"macs\":[\"ffffffffffff\"]}",
		"{\"profile\":7}",
		"{\"all\":true,\"profile\":\"house\"}",
		"{\"macs\":[],\"all\":true}",
		"{\"all\":true,\"dry_run\":1}",
		"{\"all\":true,\"now\":true}",
		"{\"all\":true,\"after\":\"x\",\"dry_run\":true}",
		"{\"all\":true,\"after\":7,\"dry_run\":true}",
	};

	start();
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		unsigned status = ask("/api/v1/resync", bodies[i]);

		CHECK(status == 400 && !answer.order && json_object_get(body, "what_to_do"));
		if (status != 400) {
			printf("# %s: %u\n", bodies[i], status);
		}
	}
	CHECK_EQUAL(202, ask("/api/v1/resync", "{\"macs\":[]}"));
	CHECK_EQUAL(0, number("accepted"));
	stop();
}

/* Nobody took it over: the answer frees it (the sanitizers see that), and says why. */
static void an_order_that_is_refused_is_told(void)
{
	struct api_request request = {.method = SPAN("POST"),
				      .target = SPAN("/api/v1/resync"),
				      .body = SPAN("{\"all\":true}")};

	start();
	api_handle(&api, &request, &arena, &answer);
	CHECK_EQUAL(API_ORDER, answer.verdict);
	api_finish(&api, &answer, -ENOSPC, "too many; wait");
	CHECK_EQUAL(507, answer.status);
	stop();
}

int main(void)
{
	json_object_seed(1);
	RUN(one_device_is_ordered);
	RUN(macs_are_ordered_once_each);
	RUN(a_profile_has_the_members_of_its_heirs);
	RUN(a_dry_run_tells_and_does_nothing);
	RUN(a_dry_run_goes_by_pages);
	RUN(what_is_no_order_is_refused);
	RUN(an_order_that_is_refused_is_told);
	return test_end();
}

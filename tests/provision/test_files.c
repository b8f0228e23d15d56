/* SPDX-License-Identifier: MIT */
#include "core/admin/event.h"
#include "core/provision/files.h"
#include "tests/test.h"

static const struct mac phone = {{0x00, 0x90, 0x8f, 0x60, 0x2a, 0xac}};
static struct inventory inventory;
static struct arena arena;
static struct effects effects;

static void apply(struct change change)
{
	struct prepared prepared;
	char problem[200];

	REQUIRE(inventory_prepare(&inventory, &change, &prepared, problem, sizeof(problem)) == 0);
	inventory_commit(&inventory, &prepared);
}

static struct policy policy = {.access_by_key = true};

static void serve_as(const char *path, struct link_evidence link, bool is_last_try,
		     struct file_answer *answer)
{
	struct files_context files = {.inventory = &inventory, .policy = &policy};
	struct file_request request = {.path = span_text(path),
				       .link = link,
				       .is_last_try = is_last_try};

	request.source.address = address_ipv4(10, 0, 0, 2);
	arena_reset(&arena);
	effects_reset(&effects);
	files_serve(&files, &request, &arena, answer, &effects);
}

static struct file_answer serve(const char *path, struct link_evidence link)
{
	struct file_answer answer;

	serve_as(path, link, false, &answer);
	return answer;
}

static const struct link_evidence unknown;
static const struct link_evidence pending = {.is_pending = true};
static const struct link_evidence its_own = {.is_known = true,
					     .mac = {{0x00, 0x90, 0x8f, 0x60, 0x2a, 0xac}},
					     .by = IDENTIFIED_BY_NEIGHBOUR};

static void the_key_opens_below_any_folder(void)
{
	char path[200];
	const char *key = inventory_device(&inventory, phone)->key;

	snprintf(path, sizeof(path), "/p/%s/440HD.img", key);
	CHECK_EQUAL(FILE_CATALOGUE, serve(path, unknown).verdict);
	CHECK_EQUAL(IDENTIFIED_BY_KEY, serve(path, unknown).identified_by);
	snprintf(path, sizeof(path), "p/%s/p/%s/440HD.img", key, key);
	CHECK_EQUAL(FILE_CATALOGUE, serve(path, unknown).verdict);
	snprintf(path, sizeof(path), "/fw//p/%s/440HD.img", key);
	CHECK_EQUAL(FILE_CATALOGUE, serve(path, unknown).verdict);
	snprintf(path, sizeof(path), "/p/%s/../440HD.img", key);
	CHECK_EQUAL(FILE_REFUSED, serve(path, unknown).verdict);
}

static void access_chooses_proofs_for_secrets_only(void)
{
	CHECK_EQUAL(FILE_CATALOGUE, serve("440HD.img", its_own).verdict);
	CHECK_EQUAL(FILE_REFUSED, serve("440HD.img", unknown).verdict);
}

#define AB16 "abababababababab"
#define AB64 AB16 AB16 AB16 AB16

/* Name, bytes and proof are told, a key never: not even one that stands in the name. */
static void what_was_served_is_told(void)
{
	struct file_request request = {.door = DOOR_TFTP,
				       .source = {address_ipv4(10, 0, 0, 2), 69}};
	struct file_answer answer = {.name = SPAN("0123456789abcdef0123456789abcdef/a\n.cfg"),
				     .size = 17,
				     .is_essential = true,
				     .mac = phone,
				     .identified_by = IDENTIFIED_BY_NEIGHBOUR};

	effects_reset(&effects);
	files_report_fetched(&request, &answer, &effects);
	answer.name = SPAN("440HD.img");
	answer.is_essential = false;
	answer.is_unchanged = true;
	answer.identified_by = IDENTIFIED_BY_KEY;
	request.door = DOOR_HTTP;
	files_report_fetched(&request, &answer, &effects);
	answer.is_unchanged = false;
	answer.has_sha256 = true;
	memset(answer.sha256, 0xab, sizeof(answer.sha256));
	files_report_fetched(&request, &answer, &effects);
	REQUIRE(effects.count == 3);
	CHECK_TEXT("file_served", span_text(effects.items[0].report.reason));
	CHECK_EQUAL(REPORT_INFO, effects.items[0].report.level);
	CHECK(effects.items[0].report.has_mac && mac_equal(phone, effects.items[0].report.mac));
	CHECK_TEXT("tftp served \"***/a\\n.cfg\", 17 bytes, not hashed yet; identified by "
		   "neighbour",
		   effects.items[0].report.text);
	CHECK_TEXT("{\"door\":\"tftp\",\"file\":\"***/a\\\\n.cfg\",\"bytes\":17,\"sha256\":null,"
		   "\"unchanged\":false,\"identified_by\":\"neighbour\"}",
		   effects.items[0].report.detail);
	CHECK_EQUAL(REPORT_DEBUG, effects.items[1].report.level);
	CHECK_TEXT("http served \"440HD.img\", unchanged since it was fetched, not hashed yet; "
		   "identified by key",
		   effects.items[1].report.text);
	CHECK(span_search(effects.items[1].report.detail, SPAN("\"unchanged\":true")) <
	      effects.items[1].report.detail.length);
	CHECK_EQUAL(REPORT_INFO, effects.items[2].report.level);
	CHECK_TEXT("http served \"440HD.img\", 17 bytes, sha256 " AB64 "; identified by key",
		   effects.items[2].report.text);
	CHECK_TEXT("{\"door\":\"http\",\"file\":\"440HD.img\",\"bytes\":17,\"sha256\":\"" AB64 "\","
		   "\"unchanged\":false,\"identified_by\":\"key\"}",
		   effects.items[2].report.detail);
}

/* The longest name of the most awkward bytes still is whole JSON. */
static void the_longest_name_is_told(void)
{
	char name[500];
	char certificate[320]; /* the longest that io/tls_session makes */
	struct file_request request = {.door = DOOR_HTTPS,
				       .client_certificate =
					       span_make(certificate, sizeof(certificate))};
	struct file_answer answer = {.has_sha256 = true, .size = UINT64_MAX, .mac = phone};
	struct effect_report *told;

	for (size_t i = 0; i < sizeof(name); i++) {
		name[i] = i % 41 == 40 ? '/' : '\\';
	}
	memset(certificate, '\\', sizeof(certificate));
	answer.name = span_make(name, sizeof(name));
	effects_reset(&effects);
	files_report_fetched(&request, &answer, &effects);
	REQUIRE(effects.count == 1);
	told = &effects.items[0].report;
	CHECK(span_ends_with(told->text, request.client_certificate));
	CHECK(span_ends_with(told->detail, SPAN("\\\\\"}")));
	CHECK(told->detail.length <= event_detail_max);
}

/* Of a stored file the hash is told only when the opened version is the one that was hashed. */
static void a_stored_file_is_told_with_its_hash(void)
{
	struct change hashed = {.kind = CHANGE_FILE_HASHED,
				.file = SPAN("440HD.img"),
				.file_version = 7};
	struct file_answer answer = serve("440HD.img", its_own);

	CHECK_EQUAL(FILE_CATALOGUE, answer.verdict);
	CHECK(!answer.has_sha256);
	memset(hashed.file_sha256, 0xcd, sizeof(hashed.file_sha256));
	apply(hashed);
	answer = serve("440HD.img", its_own);
	CHECK(answer.has_sha256);
	CHECK_EQUAL(0, memcmp(answer.sha256, hashed.file_sha256, sizeof(answer.sha256)));
	files_opened(&answer, 7);
	CHECK(answer.has_sha256);
	files_opened(&answer, 8);
	CHECK(!answer.has_sha256);
}

static void a_phone_s_certificate_is_told_with_what_it_took(void)
{
	struct file_request request = {.door = DOOR_HTTPS,
				       .client_certificate = SPAN(
					       "client certificate CN=00908f602aac, verified")};
	struct file_answer answer = {.name = SPAN("00908f602aac.cfg"),
				     .size = 17,
				     .mac = phone,
				     .identified_by = IDENTIFIED_BY_KEY};

	effects_reset(&effects);
	files_report_fetched(&request, &answer, &effects);
	REQUIRE(effects.count == 1);
	CHECK_TEXT(
		"https served \"00908f602aac.cfg\", 17 bytes, not hashed yet; identified by key; "
		"client certificate CN=00908f602aac, verified",
		effects.items[0].report.text);
	CHECK(span_ends_with(effects.items[0].report.detail,
			     SPAN("\"client_certificate\":\"client certificate CN=00908f602aac, "
				  "verified\"}")));
}

static void known_and_unknown_names_wait_alike(void)
{
	CHECK_EQUAL(FILE_PENDING, serve("00908f602aac.cfg", pending).verdict);
	CHECK_EQUAL(FILE_PENDING, serve("00908f000000.cfg", pending).verdict);
	CHECK_EQUAL(0, effects.count);
}

static void at_the_last_try_they_are_refused_alike(void)
{
	static const char *const names[] = {"00908f602aac.cfg", "00908f000000.cfg", "440HD.img"};
	struct file_answer answer;

	for (size_t i = 0; i < 3; i++) {
		serve_as(names[i], pending, true, &answer);
		CHECK_EQUAL(FILE_REFUSED, answer.verdict);
		REQUIRE(effects.count == 1);
		CHECK_TEXT("not_seen", span_text(effects.items[0].report.reason));
	}
}

/* The URL holds the key all the same: its file must not be refused while its sender is looked up.
 */
static void with_access_by_neighbour_alone_keys_wait_too(void)
{
	char path[200];

	policy = (struct policy){.access_by_neighbour = true};
	snprintf(path, sizeof(path), "/p/%s/00908f602aac.cfg",
		 inventory_device(&inventory, phone)->key);
	CHECK_EQUAL(FILE_PENDING, serve(path, pending).verdict);
	CHECK_EQUAL(FILE_PENDING,
		    serve("/p/0123456789abcdef0123456789abcdef/00908f602aac.cfg", pending).verdict);
	CHECK_EQUAL(FILE_REFUSED, serve(path, unknown).verdict);
	policy = (struct policy){.access_by_key = true};
}

static void reports_hold_no_key(void)
{
	CHECK_EQUAL(FILE_REFUSED,
		    serve("/p/0123456789abcdef0123456789abcdef/440HD.img\n", unknown).verdict);
	CHECK_EQUAL(1, effects.count);
	CHECK_TEXT("http request for \"/p/***/440HD.img\\n\" refused",
		   effects.items[0].report.text);
	serve("/p/0123456789abcdef/", unknown);
	CHECK_TEXT("http request for \"/p/***/\" refused", effects.items[0].report.text);
}

int main(void)
{
	struct inventory_limits limits = {.devices_max = 100,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = 100,
					  .unidentified_max = 50,
					  .forms_max = 8};
	uint8_t seed[random_seed_size] = {1};

	if (inventory_init(&inventory, &limits, seed) != 0 ||
	    effects_init(&effects, 8, 65536) != 0) {
		return 1;
	}
	arena_init(&arena, 1 << 20);
	apply((struct change){.kind = CHANGE_DEVICE_CLAIM,
			      .mac = phone,
			      .fields = FIELD_MODEL,
			      .model = SPAN("440HD")});
	apply((struct change){.kind = CHANGE_FILE_SET,
			      .file = SPAN("440HD.img"),
			      .bytes = 10,
			      .file_version = 7});
	RUN(the_key_opens_below_any_folder);
	RUN(access_chooses_proofs_for_secrets_only);
	RUN(what_was_served_is_told);
	RUN(the_longest_name_is_told);
	RUN(a_stored_file_is_told_with_its_hash);
	RUN(a_phone_s_certificate_is_told_with_what_it_took);
	RUN(known_and_unknown_names_wait_alike);
	RUN(at_the_last_try_they_are_refused_alike);
	RUN(with_access_by_neighbour_alone_keys_wait_too);
	RUN(reports_hold_no_key);
	effects_free(&effects);
	arena_free(&arena);
	inventory_free(&inventory);
	return test_end();
}

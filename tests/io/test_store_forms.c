/* SPDX-License-Identifier: MIT */
/* The table of forms, and how devices were told: kept over restarts, backups and restores. */
#include "tests/fleet/packs.h"
#include "tests/io/store_whole.h"

#include <errno.h>

static const char pack_text[] =
	"{\"schema\":1,\"name\":\"acme\",\"display_name\":\"Acme\",\"recognise\":{},"
	"\"files\":[{\"name\":\"<model>.img\",\"kind\":\"firmware\"}],"
	"\"url\":{\"shapes\":[{\"name\":\"folder\",\"shape\":\"%{base}\"}]}}";

static void open_with_pack(struct house *house)
{
	struct vendor_pack *pack = pack_of_text(pack_text);

	REQUIRE(house_open(house) == 0);
	REQUIRE(pack != NULL);
	CHECK_EQUAL(0, vendors_add(&house->inventory.vendors, pack));
}

static int learn(struct house *house, const char *model, bool is_success,
		 enum form_evidence evidence)
{
	return make(house, &(struct change){.kind = CHANGE_FORM_LEARNED,
					    .utc_ms = 1000,
					    .vendor = SPAN("acme"),
					    .model = span_text(model),
					    .firmware = SPAN("1.0"),
					    .fields = FIELD_FORM | FIELD_SHAPE,
					    .form = FORM_PRINT,
					    .shape = SPAN("folder"),
					    .is_success = is_success,
					    .evidence = evidence});
}

static const struct form_record *record_of(struct house *house, const char *model)
{
	struct form_key key = {SPAN("acme"), span_text(model), SPAN("1.0")};

	return form_find(&house->inventory, &key);
}

static void what_was_learned_is_there_after_a_restart(void)
{
	struct house house = {.delay_ms = 0};
	struct form_record before[3];
	static const char *const models[] = {"M1", "M2", "M3"};

	house_path(&house);
	open_with_pack(&house);
	CHECK_EQUAL(0, learn(&house, "M1", true, FORM_ANSWERED));
	CHECK_EQUAL(0, learn(&house, "M1", true, FORM_FETCHED));
	CHECK_EQUAL(0, learn(&house, "M2", false, FORM_UNPROVEN));
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_FORM_PIN,
						     .fields = FIELD_FORM | FIELD_SHAPE,
						     .vendor = SPAN("acme"),
						     .model = SPAN("M3"),
						     .firmware = SPAN("1.0"),
						     .form = FORM_RFC,
						     .shape = SPAN("folder")}));
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE(record_of(&house, models[i]) != NULL);
		before[i] = *record_of(&house, models[i]);
	}
	CHECK_EQUAL(FORM_PRINT, before[1].suspect_form);
	CHECK(before[2].is_pinned);
	house_close(&house);
	open_with_pack(&house);
	CHECK_EQUAL(3, house.inventory.forms.count);
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE(record_of(&house, models[i]) != NULL);
		CHECK(memcmp(&before[i], record_of(&house, models[i]), sizeof(before[i])) == 0);
	}
	CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_FORM_FORGET,
						     .fields = FIELD_MODEL,
						     .vendor = SPAN("acme"),
						     .model = SPAN("M1")}));
	house_close(&house);
	open_with_pack(&house);
	CHECK_EQUAL(2, house.inventory.forms.count);
	CHECK(record_of(&house, "M1") == NULL);
	CHECK_EQUAL(0, make(&house,
			    &(struct change){.kind = CHANGE_FORM_FORGET, .vendor = SPAN("acme")}));
	house_close(&house);
	open_with_pack(&house);
	CHECK_EQUAL(0, house.inventory.forms.count);
	house_close(&house);
}

/* The one that gives way is gone from the disk as well. */
static void the_table_on_disk_is_bounded(void)
{
	struct house house = {.delay_ms = 0};
	char model[8];
	char value[32];

	house_path(&house);
	open_with_pack(&house);
	for (unsigned i = 0; i < 150; i++) {
		snprintf(model, sizeof(model), "M%u", i);
		CHECK_EQUAL(0, learn(&house, model, true, FORM_FETCHED));
	}
	CHECK_EQUAL(100, house.inventory.forms.count);
	CHECK_EQUAL(50, house.inventory.forms_replaced);
	house_close(&house);
	query(house.path, "SELECT count(*) FROM forms", value, sizeof(value));
	CHECK_TEXT("100", span_text(value));
	open_with_pack(&house);
	CHECK_EQUAL(100, house.inventory.forms.count);
	CHECK(record_of(&house, model) != NULL);
	house_close(&house);
}

static void how_a_device_was_told_is_kept(void)
{
	struct house house = {.delay_ms = 0};
	const struct device *device;

	house_path(&house);
	open_with_pack(&house);
	CHECK_EQUAL(0, claim(&house, 1));
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(0, make(&house, &(struct change){.kind = CHANGE_DEVICE_NOTIFIED,
							     .utc_ms = 1000000 + i / 2 * 60000,
							     .mac = mac_number(1),
							     .fields = FIELD_TOLD,
							     .form = FORM_PRINT,
							     .shape = SPAN("folder"),
							     .told_both = i == 1}));
	}
	house_close(&house);
	open_with_pack(&house);
	device = device_number(&house, 1);
	REQUIRE(device != NULL);
	CHECK_EQUAL(FORM_PRINT, device->told_form);
	CHECK(!device->told_both);
	CHECK_EQUAL(2, device->told_unfetched);
	CHECK_TEXT("folder", span_text(device->told_shape));
	house_close(&house);
}

/* Evidence that two changes of one batch make no evidence must not be lost between them. */
static void a_report_that_both_were_sent_is_not_replaced(void)
{
	struct house house = {.delay_ms = 200};
	struct change told = {.kind = CHANGE_DEVICE_NOTIFIED,
			      .utc_ms = 1000000,
			      .mac = mac_number(1),
			      .fields = FIELD_TOLD,
			      .form = FORM_PRINT,
			      .shape = SPAN("folder")};
	struct store_counters counters;

	house_path(&house);
	open_with_pack(&house);
	CHECK_EQUAL(0, claim(&house, 1));
	CHECK_EQUAL(0, store_post(house.store, &told, SPAN("")));
	told.told_both = true;
	CHECK_EQUAL(0, store_post(house.store, &told, SPAN("")));
	told.told_both = false;
	CHECK_EQUAL(0, store_post(house.store, &told, SPAN("")));
	told.form = FORM_RFC;
	CHECK_EQUAL(0, store_post(house.store, &told, SPAN("")));
	CHECK_EQUAL(0, claim(&house, 2));
	store_counters(house.store, &counters);
	CHECK_EQUAL(1, counters.coalesced); /* the first by the second */
	CHECK(device_number(&house, 1)->told_both);
	CHECK_EQUAL(FORM_RFC, device_number(&house, 1)->told_form);
	house_close(&house);
}

/* A backup holds them, and a restore puts them in the place of what was learned since. */
static void forms_are_part_of_backup_and_restore(void)
{
	struct house house = {.delay_ms = 0};
	struct store_holdings holdings;
	struct restoring restoring = {.house = &house};
	struct span bytes;

	house_path(&house);
	open_with_pack(&house);
	CHECK_EQUAL(0, learn(&house, "M1", true, FORM_FETCHED));
	bytes = copy(&house, &holdings);
	CHECK_EQUAL(0, learn(&house, "M2", true, FORM_FETCHED));
	CHECK_EQUAL(0, restore(&house, bytes, &restoring));
	CHECK(record_of(&house, "M1") != NULL && record_of(&house, "M2") == NULL);
	CHECK_EQUAL(0, learn(&house, "M3", true, FORM_FETCHED));
	house_close(&house);
	open_with_pack(&house);
	CHECK(record_of(&house, "M1") != NULL && record_of(&house, "M3") != NULL);
	CHECK_EQUAL(2, house.inventory.forms.count);
	house_close(&house);
	free_span(bytes);
}

static void a_row_that_nobody_wrote_is_named(void)
{
	static const char *const mistakes[] = {
		"form = 'fax'",	 "evidence = 'hope'", "suspect_form = ''",
		"fetched = -1",	 "vendor = 'AC ME'",  "model = char(7)",
		"is_pinned = 2", "shape = char(10)",  "firmware = 'a' || char(0) || 'b'"};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct house house = {.delay_ms = 0};
		char sql[160];
		char value[8];

		house_path(&house);
		open_with_pack(&house);
		CHECK_EQUAL(0, learn(&house, "M1", true, FORM_FETCHED));
		house_close(&house);
		snprintf(sql, sizeof(sql), "UPDATE forms SET %s RETURNING 1", mistakes[i]);
		query(house.path, sql, value, sizeof(value));
		CHECK_EQUAL(-EUCLEAN, house_open(&house));
		CHECK(strstr(house.problem, "the row of forms for ") != NULL);
		CHECK(strstr(house.problem, "remove that row") != NULL);
	}
}

int main(void)
{
	make_folder();
	RUN(what_was_learned_is_there_after_a_restart);
	RUN(the_table_on_disk_is_bounded);
	RUN(how_a_device_was_told_is_kept);
	RUN(a_report_that_both_were_sent_is_not_replaced);
	RUN(forms_are_part_of_backup_and_restore);
	RUN(a_row_that_nobody_wrote_is_named);
	remove_folder();
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* What kinds of phones obey: records, evidence, the road of choice, and how a device was told. */
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

#define PHONE "00:90:8f:00:00:01"
#define OTHER "00:90:8f:00:00:02"

static struct inventory inventory;
static uint64_t utc_ms;
static const char *teller; /* whose evidence it is */

static const char pack_text[] = "{\"schema\":1,\"name\":\"acme\",\"display_name\":\"Acme\","
				"\"recognise\":{\"oui\":[\"00908f\"]},"
				"\"files\":[{\"name\":\"<model>.img\",\"kind\":\"firmware\"}],"
				"\"url\":{\"shapes\":[{\"name\":\"folder\",\"shape\":\"%{base}\"},"
				"{\"name\":\"file\",\"shape\":\"%{base}x.cfg\"},{\"name\":\"bare\","
				"\"shape\":\"%{origin}\"}]},"
				"\"answer\":{\"form\":\"rfc\"}}";

static void open_house(void)
{
	struct vendor_pack *pack = pack_of_text(pack_text);

	REQUIRE(pack != NULL);
	fleet_open(&inventory, 8, 8);
	CHECK_EQUAL(0, vendors_add(&inventory.vendors, pack));
	utc_ms = 1000000000;
	teller = PHONE;
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_CLAIM,
							    .fields = FIELD_MODEL | FIELD_FIRMWARE,
							    .model = SPAN("A1"),
							    .firmware = SPAN("1.0"),
							    .mac = fleet_mac(PHONE)}));
}

static struct form_choice choose(void)
{
	const struct device *device = fleet_device(&inventory, PHONE);
	struct form_key key = form_key_of(device, NULL);
	struct form_choice choice;

	form_choose(&inventory, device, vendor_find(&inventory.vendors, SPAN("acme")), &key, utc_ms,
		    &choice);
	return choice;
}

static const struct form_record *record_of(const char *model)
{
	struct form_key key = {SPAN("acme"), span_text(model), SPAN("1.0")};

	return form_find(&inventory, &key);
}

static int learn(bool is_success, enum notify_form form, const char *shape,
		 enum form_evidence evidence)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_FORM_LEARNED,
						    .utc_ms = utc_ms,
						    .mac = fleet_mac(teller),
						    .vendor = SPAN("acme"),
						    .model = SPAN("A1"),
						    .firmware = SPAN("1.0"),
						    .fields = FIELD_FORM,
						    .form = form,
						    .shape = span_text(shape),
						    .is_success = is_success,
						    .evidence = evidence});
}

static void tell(enum notify_form form, const char *shape, bool is_both)
{
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_NOTIFIED,
							    .utc_ms = utc_ms,
							    .mac = fleet_mac(PHONE),
							    .fields = FIELD_TOLD,
							    .form = form,
							    .shape = span_text(shape),
							    .told_both = is_both}));
}

static void fetch(void)
{
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_FETCHED,
							    .utc_ms = utc_ms,
							    .mac = fleet_mac(PHONE)}));
}

static void check_reason(const char *expected, const struct form_choice *choice)
{
	char text[80];
	struct writer w = writer_over(text, sizeof(text));

	form_choice_write_reason(&w, choice);
	CHECK_TEXT(expected, writer_span(&w));
}

/* --- The road of choice. --- */

static void device_then_pin_then_learned_then_pack(void)
{
	struct form_choice choice;

	open_house();
	choice = choose();
	CHECK_EQUAL(FORM_RFC, choice.form);
	CHECK(choice.is_guessed && !choice.is_own_case);
	CHECK_TEXT("folder", choice.shape);
	check_reason("pack", &choice);

	CHECK_EQUAL(0, learn(true, FORM_PRINT, "file", FORM_ANSWERED));
	choice = choose();
	CHECK_EQUAL(FORM_PRINT, choice.form);
	CHECK(choice.is_guessed); /* a 200 alone is no receipt */
	CHECK_TEXT("folder", choice.shape);
	check_reason("learned: answered 1 time", &choice);
	CHECK_EQUAL(0, learn(true, FORM_PRINT, "file", FORM_FETCHED));
	choice = choose();
	CHECK(!choice.is_guessed && !choice.is_own_case);
	CHECK_TEXT("file", choice.shape);
	CHECK_EQUAL(FORM_LEARNED, choice.shape_reason);
	check_reason("learned: fetched 1 time", &choice);

	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_FORM_PIN,
							    .vendor = SPAN("acme"),
							    .model = SPAN("A1"),
							    .firmware = SPAN("1.0"),
							    .fields = FIELD_FORM | FIELD_SHAPE,
							    .form = FORM_RFC,
							    .shape = SPAN("bare")}));
	choice = choose();
	CHECK_EQUAL(FORM_RFC, choice.form);
	CHECK_TEXT("bare", choice.shape);
	CHECK_EQUAL(FORM_PINNED, choice.shape_reason);
	CHECK(!choice.is_guessed);
	check_reason("pinned", &choice);
	/* What comes in then changes nothing. */
	CHECK_EQUAL(0, learn(true, FORM_PRINT, "file", FORM_FETCHED));
	CHECK_EQUAL(0, learn(false, FORM_RFC, "", FORM_UNPROVEN));
	choice = choose();
	CHECK_EQUAL(FORM_RFC, choice.form);
	CHECK_TEXT("bare", choice.shape);
	CHECK_EQUAL(FORM_DEFAULT, choice.record->suspect_form);

	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_SET,
							    .fields = FIELD_FORM,
							    .mac = fleet_mac(PHONE),
							    .form = FORM_PRINT}));
	choice = choose();
	CHECK_EQUAL(FORM_PRINT, choice.form);
	CHECK(!choice.is_guessed);
	check_reason("set for this device", &choice);
	inventory_free(&inventory);
}

static void a_form_that_failed_lets_the_other_go_first(void)
{
	struct form_choice choice;

	open_house();
	CHECK_EQUAL(0, learn(false, FORM_RFC, "", FORM_UNPROVEN));
	choice = choose();
	CHECK_EQUAL(FORM_PRINT, choice.form);
	CHECK(choice.is_guessed);
	check_reason("rfc has failed", &choice);
	/* And back again: nothing was proven. */
	CHECK_EQUAL(0, learn(false, FORM_PRINT, "", FORM_UNPROVEN));
	choice = choose();
	CHECK_EQUAL(FORM_RFC, choice.form);
	CHECK_EQUAL(FORM_OF_PACK, choice.reason);
	inventory_free(&inventory);
}

/* A kind that fetches is not doubted because one phone of it does not come. */
static void what_was_fetched_with_stands_three_failures(void)
{
	struct form_choice choice;

	open_house();
	CHECK_EQUAL(0, learn(true, FORM_RFC, "folder", FORM_FETCHED));
	for (unsigned i = 1; i < form_failures_max; i++) {
		CHECK_EQUAL(0, learn(false, FORM_RFC, "", FORM_UNPROVEN));
		choice = choose();
		CHECK_EQUAL(FORM_RFC, choice.form);
		CHECK(choice.is_guessed && !choice.is_own_case); /* but looked at again */
	}
	CHECK_EQUAL(0, learn(true, FORM_RFC, "folder", FORM_FETCHED));
	CHECK_EQUAL(0, record_of("A1")->failed);
	CHECK_EQUAL(FORM_DEFAULT, record_of("A1")->suspect_form);
	/* One device takes its kind up to the last step, however often it fails; another one over.
	 */
	for (unsigned i = 0; i < 10 * form_failures_max; i++) {
		CHECK_EQUAL(0, learn(false, FORM_RFC, "", FORM_UNPROVEN));
		CHECK_EQUAL(FORM_RFC, choose().form);
		utc_ms += 3600000;
	}
	CHECK_EQUAL(form_failures_max - 1, record_of("A1")->failed);
	teller = OTHER;
	CHECK_EQUAL(0, learn(false, FORM_RFC, "", FORM_UNPROVEN));
	choice = choose();
	CHECK_EQUAL(FORM_PRINT, choice.form);
	check_reason("rfc has failed", &choice);
	/* That one alone works: it is what is known from now on. */
	CHECK_EQUAL(0, learn(true, FORM_PRINT, "folder", FORM_ANSWERED));
	choice = choose();
	CHECK_EQUAL(FORM_PRINT, choice.form);
	CHECK_EQUAL(FORM_LEARNED, choice.reason);
	CHECK_EQUAL(FORM_ANSWERED, choice.record->evidence);
	inventory_free(&inventory);
}

static void weaker_evidence_for_another_form_is_passed_over(void)
{
	open_house();
	CHECK_EQUAL(0, learn(true, FORM_RFC, "folder", FORM_FETCHED));
	CHECK_EQUAL(0, learn(true, FORM_PRINT, "folder", FORM_ANSWERED));
	CHECK_EQUAL(FORM_RFC, record_of("A1")->form);
	CHECK_EQUAL(0, learn(true, FORM_PRINT, "folder", FORM_FETCHED));
	CHECK_EQUAL(FORM_RFC, record_of("A1")->form);
	inventory_free(&inventory);
	open_house();
	CHECK_EQUAL(0, learn(true, FORM_RFC, "folder", FORM_ANSWERED));
	CHECK_EQUAL(0, learn(true, FORM_PRINT, "folder", FORM_FETCHED));
	CHECK_EQUAL(FORM_PRINT, record_of("A1")->form);
	CHECK_EQUAL(0, record_of("A1")->answered);
	CHECK_EQUAL(1, record_of("A1")->fetched);
	inventory_free(&inventory);
}

/* A phone that takes several files in one round has come once. */
static void one_round_of_fetches_counts_once(void)
{
	open_house();
	for (unsigned round = 1; round <= 3; round++) {
		utc_ms += 60000;
		tell(FORM_RFC, "folder", false);
		for (unsigned file = 0; file < 3; file++) {
			utc_ms += 50;
			fetch();
			CHECK_EQUAL(0, learn(true, FORM_RFC, "folder", FORM_FETCHED));
		}
		REQUIRE(record_of("A1") != NULL);
		CHECK_EQUAL(round, record_of("A1")->fetched);
	}
	inventory_free(&inventory);
}

/* --- Records. --- */

static int learn_of(const char *vendor, const char *model, const char *firmware)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_FORM_LEARNED,
						    .utc_ms = utc_ms,
						    .vendor = span_text(vendor),
						    .model = span_text(model),
						    .firmware = span_text(firmware),
						    .form = FORM_RFC,
						    .is_success = true,
						    .evidence = FORM_ANSWERED});
}

static int pin(const char *vendor, const char *model, enum notify_form form, const char *shape)
{
	return fleet_do(&inventory,
			(struct change){.kind = CHANGE_FORM_PIN,
					.vendor = span_text(vendor),
					.model = span_text(model),
					.firmware = SPAN("1.0"),
					.fields = FIELD_FORM | (shape ? FIELD_SHAPE : 0),
					.form = form,
					.shape = span_text(shape ? shape : "")});
}

static void the_oldest_gives_way_but_not_a_pinned_one(void)
{
	static const char *const models[] = {"M1", "M2", "M3", "M4", "M5", "M6"};

	open_house();
	CHECK_EQUAL(0, pin("acme", "M0", FORM_RFC, NULL));
	for (unsigned i = 0; i < 6; i++) {
		utc_ms += 1000;
		CHECK_EQUAL(0, learn_of("acme", models[i], "1.0"));
	}
	CHECK_EQUAL(4, inventory.forms.count);
	CHECK_EQUAL(3, inventory.forms_replaced);
	CHECK(record_of("M0") != NULL && record_of("M4") != NULL && record_of("M6") != NULL);
	CHECK(record_of("M3") == NULL);
	/* What was of use again is not the oldest. */
	CHECK_EQUAL(0, learn_of("acme", "M4", "1.0"));
	utc_ms += 1000;
	CHECK_EQUAL(0, learn_of("acme", "M4", "1.0"));
	CHECK_EQUAL(0, learn_of("acme", "M7", "1.0"));
	CHECK(record_of("M4") != NULL && record_of("M5") == NULL);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(0, pin("acme", models[i], FORM_PRINT, NULL));
	}
	CHECK_EQUAL(-ENOSPC, pin("acme", "M9", FORM_PRINT, NULL));
	CHECK_EQUAL(-ENOSPC, learn_of("acme", "M9", "1.0"));
	CHECK_EQUAL(4, inventory.forms.count);
	inventory_free(&inventory);
}

/* Many changes are prepared before the first is committed: they see one another. */
static void a_batch_sees_what_was_prepared_before(void)
{
	static const char *const models[] = {"M1", "M2", "M3", "M4", "M5", "M6", "M1"};
	struct prepared prepared[7];

	open_house();
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(0, learn_of("acme", models[i], "1.0"));
		utc_ms++;
	}
	for (unsigned i = 0; i < 7; i++) {
		struct change change = {.kind = CHANGE_FORM_LEARNED,
					.utc_ms = ++utc_ms,
					.vendor = SPAN("acme"),
					.model = span_text(models[i]),
					.firmware = SPAN("1.0"),
					.form = FORM_RFC,
					.is_success = true,
					.evidence = FORM_ANSWERED};
		int error = inventory_prepare(&inventory, &change, &prepared[i], fleet_problem,
					      sizeof(fleet_problem));

		/* M1 to M3 are touched, M4 is pending: nothing may give way to M5 and M6. */
		CHECK_EQUAL(i == 4 || i == 5 ? -ENOSPC : 0, error);
		if (error) {
			prepared[i] = (struct prepared){0};
		}
	}
	for (unsigned i = 0; i < 7; i++) {
		inventory_commit(&inventory, &prepared[i]);
	}
	CHECK_EQUAL(4, inventory.forms.count);
	REQUIRE(record_of("M1") != NULL);
	CHECK_EQUAL(3, record_of("M1")->answered);
	CHECK_EQUAL(0, fleet_do(&inventory, (struct change){.kind = CHANGE_FORM_FORGET,
							    .fields = FIELD_MODEL,
							    .vendor = SPAN("acme"),
							    .model = SPAN("M2")}));
	/* Forgotten, and learned again, in one batch. */
	for (unsigned i = 0; i < 2; i++) {
		struct change change = {.kind = i ? CHANGE_FORM_LEARNED : CHANGE_FORM_FORGET,
					.vendor = SPAN("acme"),
					.model = SPAN("M1"),
					.firmware = SPAN("1.0"),
					.form = FORM_RFC,
					.is_success = true,
					.evidence = FORM_ANSWERED};

		CHECK_EQUAL(0, inventory_prepare(&inventory, &change, &prepared[i], fleet_problem,
						 sizeof(fleet_problem)));
	}
	CHECK_EQUAL(-ENOENT, fleet_do(&inventory, (struct change){.kind = CHANGE_FORM_FORGET,
								  .fields = FIELD_MODEL,
								  .vendor = SPAN("acme"),
								  .model = SPAN("M9")}));
	inventory_commit(&inventory, &prepared[0]);
	CHECK_EQUAL(0, inventory.forms.count);
	inventory_commit(&inventory, &prepared[1]);
	CHECK_EQUAL(1, inventory.forms.count);
	CHECK_EQUAL(1, record_of("M1")->answered);
	inventory_free(&inventory);
}

static int forget(uint32_t fields, const char *model, const char *firmware)
{
	return fleet_do(&inventory, (struct change){.kind = CHANGE_FORM_FORGET,
						    .fields = fields,
						    .vendor = SPAN("acme"),
						    .model = span_text(model),
						    .firmware = span_text(firmware)});
}

static void forgetting_names_more_or_less(void)
{
	open_house();
	CHECK_EQUAL(0, learn_of("acme", "M1", "1.0"));
	CHECK_EQUAL(0, learn_of("acme", "M1", "2.0"));
	CHECK_EQUAL(0, learn_of("acme", "M2", "1.0"));
	CHECK_EQUAL(0, learn_of("zzz", "M1", "1.0"));
	CHECK_EQUAL(-ENOENT, forget(FIELD_MODEL, "M3", ""));
	CHECK_EQUAL(-ENOENT, forget(FIELD_MODEL | FIELD_FIRMWARE, "M1", ""));
	CHECK_EQUAL(0, forget(FIELD_MODEL | FIELD_FIRMWARE, "M1", "2.0"));
	CHECK_EQUAL(3, inventory.forms.count);
	CHECK_EQUAL(0, forget(FIELD_MODEL, "M1", ""));
	CHECK(record_of("M1") == NULL && record_of("M2") != NULL);
	CHECK_EQUAL(0, forget(0, "", ""));
	CHECK_EQUAL(1, inventory.forms.count);
	CHECK_EQUAL(-ENOENT, forget(0, "", ""));
	inventory_free(&inventory);
}

static void what_cannot_be_is_refused(void)
{
	open_house();
	CHECK_EQUAL(-EINVAL, learn_of("", "M1", "1.0"));
	CHECK_EQUAL(-EINVAL, learn_of("AC ME", "M1", "1.0"));
	CHECK_EQUAL(-EINVAL, learn_of("acme", "M\n1", "1.0"));
	CHECK_EQUAL(-EINVAL, learn_of("acme", "M1", "1.0\x01"));
	CHECK_EQUAL(-EINVAL, learn_of("acme", "0123456789012345678901234567890123456789", "1.0"));
	CHECK_EQUAL(0, learn_of("acme", "", ""));
	CHECK_EQUAL(-EINVAL, pin("nobody", "M1", FORM_RFC, NULL));
	CHECK_EQUAL(-EINVAL, pin("acme", "M1", FORM_RFC, "no-such-shape"));
	CHECK_EQUAL(-EINVAL, pin("acme", "M1", FORM_DEFAULT, NULL));
	CHECK_EQUAL(0, pin("acme", "A1", FORM_DEFAULT, "bare"));
	CHECK_TEXT("bare", choose().shape);
	CHECK_EQUAL(FORM_OF_PACK, choose().reason); /* the form is still open */
	inventory_free(&inventory);
}

/* --- How a device was told. --- */

static void boots_without_a_fetch_are_counted(void)
{
	const struct device *device;

	open_house();
	device = fleet_device(&inventory, PHONE);
	CHECK_EQUAL(FORM_DEFAULT, device->told_form);
	tell(FORM_RFC, "folder", false);
	CHECK_EQUAL(FORM_RFC, device->told_form);
	CHECK_TEXT("folder", span_text(device->told_shape));
	CHECK_EQUAL(1, device->told_unfetched);
	/* It asks again at once: the same boot. */
	utc_ms += form_same_boot_ms - 1;
	tell(FORM_RFC, "folder", false);
	CHECK_EQUAL(1, device->told_unfetched);
	utc_ms += form_same_boot_ms;
	tell(FORM_RFC, "folder", false);
	CHECK_EQUAL(2, device->told_unfetched);
	utc_ms += 100;
	fetch();
	CHECK_EQUAL(0, device->told_unfetched);
	/* After a fetch the next telling is a new one, however soon. */
	tell(FORM_RFC, "folder", false);
	CHECK_EQUAL(1, device->told_unfetched);
	for (unsigned i = 0; i < 300; i++) {
		utc_ms += form_same_boot_ms;
		tell(FORM_RFC, "folder", false);
	}
	CHECK_EQUAL(UINT8_MAX, device->told_unfetched);
	utc_ms += form_same_boot_ms;
	tell(FORM_RFC, "file", false);
	CHECK_EQUAL(1, device->told_unfetched);
	/* A clock that was set back begins another boot. */
	utc_ms -= 1;
	tell(FORM_RFC, "file", false);
	CHECK_EQUAL(2, device->told_unfetched);
	inventory_free(&inventory);
}

static void both_forms_are_remembered_within_a_boot(void)
{
	const struct device *device;

	open_house();
	device = fleet_device(&inventory, PHONE);
	tell(FORM_RFC, "folder", false);
	utc_ms += 1500;
	tell(FORM_RFC, "folder", true);
	CHECK(device->told_both);
	CHECK_EQUAL(1, device->told_unfetched);
	utc_ms += 1000;
	tell(FORM_PRINT, "folder", false);
	CHECK(device->told_both);
	utc_ms += form_same_boot_ms;
	tell(FORM_PRINT, "folder", false);
	CHECK(!device->told_both);
	CHECK_EQUAL(FORM_PRINT, device->told_form);
	/* One alone and then the other alone, too soon to be told apart. */
	utc_ms += 1000;
	tell(FORM_RFC, "folder", false);
	CHECK(device->told_both);
	fetch();
	tell(FORM_RFC, "folder", false);
	CHECK(!device->told_both);
	inventory_free(&inventory);
}

static void shapes_are_tried_one_after_the_other(void)
{
	static const char *const shapes[] = {"folder", "folder", "file",   "file", "bare",
					     "bare",   "folder", "folder", "file"};

	open_house();
	for (unsigned i = 0; i < 9; i++) {
		CHECK_TEXT(shapes[i], choose().shape);
		tell(FORM_RFC, shapes[i], false);
		utc_ms += 60000;
	}
	/* A fetch ends it; what it fetched with is its kind's, and its own kind's only. */
	fetch();
	CHECK_EQUAL(0, learn(true, FORM_RFC, "file", FORM_FETCHED));
	for (unsigned i = 0; i < 5; i++) {
		CHECK_TEXT("file", choose().shape);
		CHECK_EQUAL(FORM_LEARNED, choose().shape_reason);
		tell(FORM_RFC, "file", false);
		utc_ms += 60000;
	}
	inventory_free(&inventory);
}

static void one_boot_is_enough_when_it_had_ten_minutes(void)
{
	open_house();
	tell(FORM_RFC, "folder", false);
	utc_ms += form_fetch_time_ms;
	CHECK_TEXT("folder", choose().shape);
	utc_ms += 1;
	CHECK_TEXT("file", choose().shape);
	CHECK_EQUAL(FORM_OTHER, choose().shape_reason);
	utc_ms = 0; /* not known, or set back: two boots it takes */
	CHECK_TEXT("folder", choose().shape);
	inventory_free(&inventory);
}

/* It answers, and somebody else's URL is the one it takes: its kind stays what it is. */
static void a_phone_that_never_comes_teaches_nothing(void)
{
	struct form_choice choice;

	open_house();
	CHECK_EQUAL(0, learn(true, FORM_RFC, "folder", FORM_FETCHED));
	for (unsigned i = 0; i < 6; i++) {
		tell(FORM_RFC, "folder", false);
		utc_ms += 3600000;
		choice = choose();
		CHECK_EQUAL(FORM_RFC, choice.form);
		CHECK_TEXT("folder", choice.shape);
		/* It alone may have the other form as well. */
		CHECK_EQUAL(i >= 1, choice.is_guessed);
		CHECK_EQUAL(i >= 1, choice.is_own_case);
	}
	inventory_free(&inventory);
}

/* The key is what the record of the device will be, once the sighting is stored. */
static void the_key_is_that_of_the_record_to_come(void)
{
	const struct form_key seen = {SPAN("zzz"), SPAN("Z9"), SPAN("2.0")};
	const struct form_key less = {SPAN("zzz"), SPAN(""), SPAN("")};
	struct form_key key;

	open_house();
	key = form_key_of(fleet_device(&inventory, PHONE), &seen);
	CHECK_TEXT("acme", key.vendor);
	CHECK_TEXT("A1", key.model);
	CHECK_TEXT("2.0", key.firmware);
	key = form_key_of(fleet_device(&inventory, PHONE), &less);
	CHECK_TEXT("1.0", key.firmware);
	CHECK_EQUAL(0,
		    fleet_do(&inventory, (struct change){.kind = CHANGE_DEVICE_CLAIM,
							 .mac = fleet_mac("02:00:00:00:00:01")}));
	key = form_key_of(fleet_device(&inventory, "02:00:00:00:00:01"), &seen);
	CHECK_TEXT("zzz", key.vendor);
	CHECK_TEXT("Z9", key.model);
	key = form_key_of(fleet_device(&inventory, "02:00:00:00:00:01"), &less);
	CHECK_TEXT("", key.model);
	CHECK_TEXT("", key.firmware);
	inventory_free(&inventory);
}

/* The NOTIFY leaves before its report is posted; the phone may be faster than that. */
static void a_fetch_that_overtakes_its_telling_stands(void)
{
	const struct device *device;

	open_house();
	utc_ms += 5;
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_DEVICE_FETCHED,
						.utc_ms = utc_ms,
						.mac = fleet_mac(PHONE),
						.fields = FIELD_IDENTIFIED_BY | FIELD_CERTAINTY,
						.identified_by = IDENTIFIED_BY_KEY,
						.certainty = CERTAINTY_PROVEN}));
	CHECK_EQUAL(0, fleet_do(&inventory,
				(struct change){.kind = CHANGE_DEVICE_NOTIFIED,
						.utc_ms = utc_ms - 5,
						.mac = fleet_mac(PHONE),
						.fields = FIELD_TOLD | FIELD_IDENTIFIED_BY |
							  FIELD_CERTAINTY,
						.form = FORM_RFC,
						.shape = SPAN("folder"),
						.identified_by = IDENTIFIED_BY_FRAME,
						.certainty = CERTAINTY_CONFIRMED}));
	device = inventory_device(&inventory, fleet_mac(PHONE));
	REQUIRE(device);
	CHECK_EQUAL(FORM_RFC, device->told_form);
	CHECK_EQUAL(0, device->told_unfetched);
	CHECK_EQUAL(IDENTIFIED_BY_KEY, device->identified_by);
	CHECK_EQUAL(CERTAINTY_PROVEN, device->certainty);
	inventory_free(&inventory);
}

int main(void)
{
	RUN(device_then_pin_then_learned_then_pack);
	RUN(a_form_that_failed_lets_the_other_go_first);
	RUN(what_was_fetched_with_stands_three_failures);
	RUN(weaker_evidence_for_another_form_is_passed_over);
	RUN(one_round_of_fetches_counts_once);
	RUN(the_oldest_gives_way_but_not_a_pinned_one);
	RUN(a_batch_sees_what_was_prepared_before);
	RUN(forgetting_names_more_or_less);
	RUN(what_cannot_be_is_refused);
	RUN(boots_without_a_fetch_are_counted);
	RUN(both_forms_are_remembered_within_a_boot);
	RUN(shapes_are_tried_one_after_the_other);
	RUN(one_boot_is_enough_when_it_had_ten_minutes);
	RUN(a_phone_that_never_comes_teaches_nothing);
	RUN(the_key_is_that_of_the_record_to_come);
	RUN(a_fetch_that_overtakes_its_telling_stands);
	return test_end();
}

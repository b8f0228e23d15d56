/* SPDX-License-Identifier: MIT */
/*
 * Forms that were guessed, in virtual time: the other one follows a refusal or a silence, once, and
 * what works is told to the inventory (doc/decisions/0012-forms-are-learned.md).
 */
#include "tests/fleet/packs.h"
#include "tests/provision/harness.h"

static struct bench bench;
static uint64_t utc_ms;

/* The shapes are told apart by the end of the URL. */
static const char pack_text[] =
	"{\"schema\":1,\"name\":\"audiocodes\",\"display_name\":\"AudioCodes\","
	"\"recognise\":{\"oui\":[\"00908f\"],"
	"\"sip_user_agent\":[\"^AUDC-IPPhone/(?<version>[0-9.]+)$\"]},"
	"\"files\":[{\"name\":\"<MAC>.cfg\",\"kind\":\"stored\"}],"
	"\"url\":{\"shapes\":[{\"name\":\"folder\",\"shape\":\"%{base}\"},"
	"{\"name\":\"file\",\"shape\":\"%{base}a.cfg\"},{\"name\":\"bare\",\"shape\":\"%{origin}"
	"b\"}]},"
	"\"answer\":{\"form\":\"%s\"}}";

static uint64_t utc_now(void *context)
{
	(void)context;
	return utc_ms;
}

static void start_signalling(void)
{
	signalling_free(bench.signalling);
	if (signalling_new(&bench.signalling, &bench.options) != 0) {
		abort();
	}
}

static void open_with_tables(const char *form, size_t count_max)
{
	char text[sizeof(pack_text) + 8];
	char *mark;
	struct vendor_pack *pack;

	/* The text has other percent signs, so that no printf can make it. */
	memcpy(text, pack_text, sizeof(pack_text));
	mark = strstr(text, "%s");
	memmove(mark + strlen(form), mark + 2, strlen(mark + 2) + 1);
	memcpy(mark, form, strlen(form));
	pack = pack_of_text(text);
	if (!pack) {
		abort();
	}
	bench_open_with(&bench, count_max, 64);
	bench.url = SPAN("http://%{address}/p/");
	utc_ms = UINT64_C(1700000000000);
	bench.options.other_form_ms = 1500;
	bench.options.utc_ms = utc_now;
	CHECK_EQUAL(0, vendors_add(&bench.inventory.vendors, pack));
	start_signalling();
	bench_claim(&bench, bench_mac);
}

static void open_house(const char *form)
{
	open_with_tables(form, 64);
}

static const struct device *device(void)
{
	return inventory_device(&bench.inventory, bench_mac);
}

static const struct form_record *record(void)
{
	struct form_key key = form_key_of(device(), NULL);

	return form_find(&bench.inventory, &key);
}

/* As the store does: every change of the last call, in its order. */
static void store_changes(void)
{
	for (size_t i = 0; i < bench.effects.count; i++) {
		if (bench.effects.items[i].kind == EFFECT_CHANGE) {
			struct change change = *bench.effects.items[i].change;

			change.utc_ms = utc_ms;
			bench_change(&bench, &change);
		}
	}
}

static void wait_ms(uint64_t ms)
{
	utc_ms += ms;
	bench_expire(&bench, bench.now_ms + ms);
	store_changes();
}

static enum notify_form form_of(const struct effect_send *sent)
{
	return span_search(sent->bytes, SPAN("Max-Forwards: 20")) < sent->bytes.length ? FORM_PRINT
										       : FORM_RFC;
}

static char notify_text[2048];

static struct span keep_notify(size_t i)
{
	const struct effect_send *sent = bench_sent(&bench, i);

	if (!sent || sent->bytes.length >= sizeof(notify_text)) {
		return SPAN("");
	}
	memcpy(notify_text, sent->bytes.data, sent->bytes.length);
	return span_make(notify_text, sent->bytes.length);
}

/* One more boot: the form that it was told in; the NOTIFY is kept. FORM_DEFAULT: not served. */
static enum notify_form boot(void)
{
	static unsigned number;
	enum notify_form form;

	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_numbered(++number)));
	if (!bench_is_served(&bench)) {
		return FORM_DEFAULT;
	}
	form = form_of(bench_sent(&bench, 1));
	(void)keep_notify(1);
	store_changes();
	return form;
}

/* The phone answers the NOTIFY that was kept; with `via` instead of the one that it carries. */
static void answer(unsigned status, const char *via)
{
	static struct sip_message m;
	char text[2048];
	int length;

	CHECK_EQUAL(0, sip_message_parse(&m, span_text(notify_text)));
	length = snprintf(text, sizeof(text), "SIP/2.0 %u Whatever\r\n", status);
	if (!via) {
		length += snprintf(text + length, sizeof(text) - (size_t)length, "Via: %.*s\r\n",
				   (int)m.via.text.length, m.via.text.data);
	} else if (via[0]) {
		length +=
			snprintf(text + length, sizeof(text) - (size_t)length, "Via: %s\r\n", via);
	}
	length += snprintf(text + length, sizeof(text) - (size_t)length,
			   "From: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\nCSeq: 1 NOTIFY\r\n"
			   "Content-Length: 0\r\n\r\n",
			   (int)m.from.text.length, m.from.text.data, (int)m.to.text.length,
			   m.to.text.data, (int)m.call_id.length, m.call_id.data);
	CHECK_EQUAL(0, bench_receive(&bench, span_make(text, (size_t)length)));
	store_changes();
}

/* A file went out, that is stored, and signalling hears of it. */
static void fetch(void)
{
	bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_FETCHED,
					      .utc_ms = utc_ms,
					      .mac = bench_mac});
	CHECK_EQUAL(0, bench_notice(&bench,
				    (struct notice){.kind = NOTICE_FETCHED, .mac = bench_mac}));
	store_changes();
}

/* Sends of one kind of form in the last call. */
static size_t count_of(enum notify_form form)
{
	size_t count = 0;
	const struct effect_send *sent;

	for (size_t i = 0; (sent = bench_sent(&bench, i)); i++) {
		count += bench_status(&bench, i) == 1 && form_of(sent) == form;
	}
	return count;
}

/* Goes on until all timers are over; counts the NOTIFYs in the given form on the way. */
static size_t count_until_the_end(enum notify_form form)
{
	size_t count = 0;

	for (unsigned i = 0; i < 700; i++) {
		wait_ms(100);
		count += count_of(form);
	}
	CHECK_EQUAL(UINT64_MAX, signalling_next_wake(bench.signalling));
	return count;
}

static const char *const forms[] = {"rfc", "print"};

static enum notify_form form_number(unsigned i)
{
	return i ? FORM_PRINT : FORM_RFC;
}

/* --- When the other form goes out. --- */

static void silence_brings_the_other_form_after_1500_ms(void)
{
	for (unsigned i = 0; i < 2; i++) {
		enum notify_form other = form_other(form_number(i));

		open_house(forms[i]);
		CHECK_EQUAL(form_number(i), boot());
		wait_ms(500);
		wait_ms(999);
		CHECK_EQUAL(0, count_of(other));
		wait_ms(1);
		CHECK_EQUAL(1, count_of(other));
		CHECK(bench_reported(&bench, "form_suspected"));
		REQUIRE(bench_changed(&bench, CHANGE_DEVICE_NOTIFIED) != NULL);
		CHECK(device()->told_both);
		CHECK_EQUAL(form_number(i), device()->told_form);
		CHECK_EQUAL(1, device()->told_unfetched);
		/* Once: and the first transaction goes on as it was. */
		CHECK_EQUAL(i == 0 ? 8 : 1, count_until_the_end(form_number(i)));
		CHECK_EQUAL(1, bench_counted(&bench, "other_form_sent"));
		bench_close(&bench);
	}
}

static void the_other_form_is_never_sent_again(void)
{
	for (unsigned i = 0; i < 2; i++) {
		enum notify_form other = form_other(form_number(i));
		size_t sent = 0;

		open_house(forms[i]);
		CHECK_EQUAL(form_number(i), boot());
		/* Copies of the SUBSCRIBE change nothing of that. */
		for (unsigned copy = 0; copy < 5; copy++) {
			bench.now_ms += 20;
			utc_ms += 20;
			CHECK_EQUAL(0, bench_receive(&bench, bench.packet.bytes));
			CHECK_EQUAL(1, bench_count_kind(&bench, EFFECT_SEND));
			CHECK_EQUAL(200, bench_status(&bench, 0));
		}
		sent += count_until_the_end(other);
		CHECK_EQUAL(1, sent);
		bench_close(&bench);
	}
}

static void a_refusal_brings_it_at_once(void)
{
	static const unsigned statuses[] = {400, 404, 405, 415, 481, 489, 500, 302};

	for (unsigned i = 0; i < 2; i++) {
		for (size_t j = 0; j < sizeof(statuses) / sizeof(statuses[0]); j++) {
			enum notify_form other = form_other(form_number(i));

			open_house(forms[i]);
			CHECK_EQUAL(form_number(i), boot());
			wait_ms(30);
			answer(statuses[j], NULL);
			CHECK_EQUAL(1, count_of(other));
			CHECK(bench_reported(&bench, "form_suspected"));
			CHECK(device()->told_both);
			/* The refused transaction is over, and so is the watch. */
			answer(statuses[j], NULL);
			CHECK(bench_is_silent(&bench));
			CHECK_EQUAL(0, count_until_the_end(other));
			CHECK_EQUAL(1, bench_counted(&bench, "other_form_sent"));
			bench_close(&bench);
		}
	}
}

/* It was understood, or the phone would have no form at all. */
static void some_refusals_are_not_of_the_form(void)
{
	static const unsigned statuses[] = {401, 407, 503, 600, 603};

	for (size_t j = 0; j < sizeof(statuses) / sizeof(statuses[0]); j++) {
		open_house("rfc");
		CHECK_EQUAL(FORM_RFC, boot());
		answer(statuses[j], NULL);
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(0, count_until_the_end(FORM_PRINT));
		CHECK(record() == NULL);
		CHECK(!device()->told_both);
		bench_close(&bench);
	}
}

static void an_answer_or_a_fetch_in_time_cancels_it(void)
{
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned how = 0; how < 3; how++) {
			enum notify_form other = form_other(form_number(i));

			open_house(forms[i]);
			CHECK_EQUAL(form_number(i), boot());
			wait_ms(1400);
			if (how == 0) {
				answer(200, NULL);
			} else if (how == 1) {
				fetch();
			} else {
				CHECK_EQUAL(0,
					    bench_notice(&bench,
							 (struct notice){.kind = NOTICE_WITHDRAWN,
									 .mac = bench_mac}));
			}
			CHECK_EQUAL(0, count_until_the_end(other));
			CHECK_EQUAL(0, bench_counted(&bench, "other_form_sent"));
			CHECK_EQUAL(how < 2, record() != NULL);
			bench_close(&bench);
		}
	}
}

static void nobody_is_told_who_is_not_there(void)
{
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = NOTICE_UNREACHABLE,
							    .endpoint = bench.packet.source}));
	CHECK_EQUAL(0, count_until_the_end(FORM_PRINT));
	CHECK(record() == NULL);
	bench_close(&bench);
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	CHECK_EQUAL(0, bench_notice(&bench, (struct notice){.kind = NOTICE_WITHDRAWN_ALL}));
	CHECK_EQUAL(0, count_until_the_end(FORM_PRINT));
	bench_close(&bench);
}

/* An operator's word is not second-guessed. */
static void explicit_and_pinned_forms_go_alone(void)
{
	for (unsigned i = 0; i < 4; i++) {
		enum notify_form form = form_number(i % 2);

		open_house("rfc");
		if (i < 2) {
			bench_set_form(&bench, bench_mac, form);
		} else {
			bench_change(&bench, &(struct change){.kind = CHANGE_FORM_PIN,
							      .fields = FIELD_FORM,
							      .vendor = SPAN("audiocodes"),
							      .model = SPAN("440HD"),
							      .firmware = SPAN("2.2.2"),
							      .form = form});
		}
		CHECK_EQUAL(form, boot());
		answer(481, NULL);
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(form, boot());
		CHECK_EQUAL(0, count_until_the_end(form_other(form)));
		CHECK(!device()->told_both);
		CHECK_EQUAL(i < 2, record() == NULL);
		bench_close(&bench);
	}
}

/* With 0 ms nothing of all this happens. */
static void it_can_be_switched_off(void)
{
	open_house("rfc");
	bench.options.other_form_ms = 0;
	start_signalling();
	CHECK_EQUAL(FORM_RFC, boot());
	answer(481, NULL);
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(FORM_RFC, boot());
	CHECK_EQUAL(0, count_until_the_end(FORM_PRINT));
	bench_close(&bench);
}

/* The phone asks anew before the time is over: the round before is moot. */
static void a_new_round_begins_a_new_watch(void)
{
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	wait_ms(1000);
	CHECK_EQUAL(FORM_RFC, boot());
	wait_ms(1499);
	CHECK_EQUAL(0, bench_counted(&bench, "other_form_sent"));
	wait_ms(1);
	CHECK_EQUAL(1, bench_counted(&bench, "other_form_sent"));
	CHECK_EQUAL(1, device()->told_unfetched);
	bench_close(&bench);
}

/* --- Answers to the other form make no noise. --- */

static void answers_to_the_other_form_are_absorbed(void)
{
	static const char *const vias[] = {
		NULL, "", "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bK-of-the-phone"};

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned j = 0; j < 3; j++) {
			open_house(forms[i]);
			CHECK_EQUAL(form_number(i), boot());
			wait_ms(1500);
			CHECK_EQUAL(1, count_of(form_other(form_number(i))));
			for (size_t k = 0; bench_sent(&bench, k); k++) {
				if (form_of(bench_sent(&bench, k)) == form_other(form_number(i))) {
					(void)keep_notify(k);
				}
			}
			notify_text[sizeof(notify_text) - 1] = '\0';
			answer(200, i == 0 ? vias[j] : NULL);
			CHECK_EQUAL(0, bench.effects.count);
			answer(200, i == 0 ? vias[j] : NULL); /* and a copy of it */
			CHECK_EQUAL(2, bench_counted(&bench, "other_form_accepted"));
			CHECK_EQUAL(0, bench_counted(&bench, "response_unmatched"));
			/* Of the two either may have been it. */
			REQUIRE(record() != NULL);
			CHECK_EQUAL(FORM_DEFAULT, record()->form);
			answer(481, i == 0 ? vias[j] : NULL);
			CHECK_EQUAL(1, bench_counted(&bench, "other_form_refused"));
			CHECK(bench_is_silent(&bench));
			bench_close(&bench);
		}
	}
}

/* Print, and the 200 to the other form has our Via: from another socket it is not ours. */
static void a_foreign_via_is_no_answer_to_the_other_form(void)
{
	char *at;

	open_house("print");
	CHECK_EQUAL(FORM_PRINT, boot());
	wait_ms(1500);
	for (size_t k = 0; bench_sent(&bench, k); k++) {
		if (form_of(bench_sent(&bench, k)) == FORM_RFC) {
			(void)keep_notify(k);
		}
	}
	at = strstr(notify_text, "10.13.4.121:5060");
	REQUIRE(at != NULL);
	at[10] = '9';
	answer(200, NULL);
	CHECK_EQUAL(1, bench_counted(&bench, "response_unmatched"));
	CHECK_EQUAL(0, bench_counted(&bench, "other_form_accepted"));
	bench_close(&bench);
}

/* The RFC form, and a phone that answers it with its own Via or none: an answer all the same. */
static void an_answer_without_our_via_counts(void)
{
	static const char *const vias[] = {
		"", "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bK-of-the-phone"};

	for (unsigned i = 0; i < 2; i++) {
		open_house("rfc");
		CHECK_EQUAL(FORM_RFC, boot());
		answer(100, vias[i]);
		CHECK(record() == NULL);
		answer(200, vias[i]);
		REQUIRE(record() != NULL);
		CHECK_EQUAL(FORM_RFC, record()->form);
		CHECK_EQUAL(1, bench_counted(&bench, "response_by_source"));
		CHECK_EQUAL(0, count_until_the_end(FORM_PRINT));
		bench_close(&bench);
		open_house("rfc");
		CHECK_EQUAL(FORM_RFC, boot());
		answer(481, vias[i]);
		CHECK_EQUAL(1, count_of(FORM_PRINT));
		bench_close(&bench);
	}
	/* Not from another address. */
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	bench.packet.source.address.octets[3]++;
	answer(200, "");
	bench.packet.source.address.octets[3]--;
	CHECK(record() == NULL);
	CHECK_EQUAL(1, bench_counted(&bench, "response_unmatched"));
	bench_close(&bench);
}

/* --- Credit. --- */

/* unknown = bootstrap: whatever a phone that nobody claimed does, others fare as before. */
static void a_guest_teaches_nothing(void)
{
	for (unsigned i = 0; i < 2; i++) {
		open_house(forms[i]);
		bench_change(&bench,
			     &(struct change){.kind = CHANGE_DEVICE_REMOVE, .mac = bench_mac});
		bench.policy.unknown = UNKNOWN_BOOTSTRAP;
		CHECK_EQUAL(form_number(i), boot());
		answer(200, NULL);
		CHECK(bench_changed(&bench, CHANGE_FORM_LEARNED) == NULL);
		CHECK_EQUAL(form_number(i), boot());
		answer(481, NULL);
		CHECK_EQUAL(1, count_of(form_other(form_number(i)))); /* but it gets both */
		CHECK(bench_changed(&bench, CHANGE_FORM_LEARNED) == NULL);
		CHECK_EQUAL(form_number(i), boot());
		wait_ms(1500);
		CHECK_EQUAL(1, count_of(form_other(form_number(i))));
		CHECK_EQUAL(0, bench.inventory.forms.count);
		bench_close(&bench);
	}
}

static void a_200_to_the_one_form_is_credit(void)
{
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	answer(200, NULL);
	CHECK(bench_reported(&bench, "form_learned"));
	REQUIRE(record() != NULL);
	CHECK_EQUAL(FORM_RFC, record()->form);
	CHECK_EQUAL(FORM_ANSWERED, record()->evidence);
	CHECK_TEXT("", span_text(record()->shape)); /* a 200 says nothing of the URL */
	/* Said once: but a 200 is no receipt, so it is watched again. */
	CHECK_EQUAL(FORM_RFC, boot());
	answer(200, NULL);
	CHECK(!bench_reported(&bench, "form_learned"));
	CHECK_EQUAL(2, record()->answered);
	bench_close(&bench);
}

/* Phones may wait minutes; the process may have been started again in between. */
static void a_fetch_is_credit_at_any_time_and_after_a_restart(void)
{
	for (unsigned i = 0; i < 4; i++) {
		open_house(forms[i % 2]);
		CHECK_EQUAL(form_number(i % 2), boot());
		answer(200, NULL);
		if (i >= 2) {
			start_signalling();
		}
		wait_ms(600000);
		fetch();
		CHECK(bench_reported(&bench, "form_learned"));
		REQUIRE(record() != NULL);
		CHECK_EQUAL(form_number(i % 2), record()->form);
		CHECK_EQUAL(FORM_FETCHED, record()->evidence);
		CHECK_TEXT("folder", span_text(record()->shape));
		CHECK_EQUAL(1, record()->fetched);
		/* Its other files are no further evidence. */
		fetch();
		CHECK_EQUAL(0, bench.effects.count);
		CHECK_EQUAL(1, record()->fetched);
		bench_close(&bench);
	}
}

static void after_both_nothing_is_credit(void)
{
	for (unsigned i = 0; i < 2; i++) {
		open_house(forms[i]);
		CHECK_EQUAL(form_number(i), boot());
		wait_ms(1500);
		wait_ms(100);
		answer(200, NULL);
		fetch();
		REQUIRE(record() != NULL);
		CHECK_EQUAL(FORM_DEFAULT, record()->form);
		CHECK_EQUAL(form_number(i), record()->suspect_form);
		/* Nor later, nor after a restart. */
		start_signalling();
		wait_ms(600000);
		fetch();
		CHECK_EQUAL(FORM_DEFAULT, record()->form);
		/* The next boot begins with the other one, which can be proven alone. */
		CHECK_EQUAL(form_other(form_number(i)), boot());
		answer(200, NULL);
		CHECK_EQUAL(form_other(form_number(i)), record()->form);
		wait_ms(60000);
		fetch();
		CHECK_EQUAL(FORM_FETCHED, record()->evidence);
		CHECK_EQUAL(0, record()->failed);
		bench_close(&bench);
	}
}

/* A fetch that is stored before its telling is: what is recorded is of the boot before. */
static void a_fetch_is_not_credit_for_another_boot(void)
{
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	wait_ms(1500); /* both: rfc is suspect */
	wait_ms(60000);
	CHECK_EQUAL(FORM_PRINT, boot());
	answer(401, NULL);
	wait_ms(600000);
	bench_change(&bench,
		     &(struct change){.kind = CHANGE_FORM_FORGET, .vendor = SPAN("audiocodes")});
	CHECK_EQUAL(FORM_PRINT, device()->told_form);
	/* rfc goes out, and its record is still on its way to the store. */
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_with("Call-ID: 8", "Call-ID: late8")));
	REQUIRE(bench_is_served(&bench));
	CHECK_EQUAL(FORM_RFC, form_of(bench_sent(&bench, 1)));
	fetch();
	CHECK(record() == NULL);
	bench_close(&bench);
}

/* The hot path of a fleet that is known makes no entry, whatever becomes of the NOTIFY. */
static void a_settled_form_is_not_watched(void)
{
	open_house("print");
	CHECK_EQUAL(FORM_PRINT, boot());
	fetch();
	wait_ms(60000);
	CHECK_EQUAL(FORM_PRINT, boot());
	CHECK_EQUAL(2, bench_count_kind(&bench, EFFECT_SEND));
	CHECK_EQUAL(0, count_until_the_end(FORM_RFC));
	CHECK_EQUAL(0, bench_counted(&bench, "other_form_sent"));
	CHECK(!device()->told_both);
	bench_close(&bench);
}

/* Refused, it is doubted: watched from then on, and given up after three in a row. */
/* The same of a second device of this kind. */
static void another_fails(void)
{
	struct mac mac = bench_mac;

	mac.octets[5]++;
	bench_change(&bench, &(struct change){.kind = CHANGE_FORM_LEARNED,
					      .fields = FIELD_FORM,
					      .utc_ms = utc_ms,
					      .mac = mac,
					      .vendor = span_text(record()->vendor),
					      .model = span_text(record()->model),
					      .firmware = span_text(record()->firmware),
					      .form = FORM_RFC});
}

static void a_settled_form_that_is_refused_is_doubted(void)
{
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	fetch();
	wait_ms(60000);
	CHECK_EQUAL(FORM_RFC, boot());
	answer(481, NULL);
	CHECK(bench_is_silent(&bench));
	CHECK_EQUAL(FORM_RFC, record()->suspect_form);
	wait_ms(1000);
	CHECK_EQUAL(FORM_RFC, boot());
	answer(481, NULL);
	CHECK_EQUAL(1, count_of(FORM_PRINT));
	fetch();
	wait_ms(60000);
	CHECK_EQUAL(FORM_RFC, boot());
	answer(481, NULL);
	fetch();
	/* It alone does not turn its kind; it is sent both forms, and comes. */
	CHECK_EQUAL(2, record()->failed);
	wait_ms(60000);
	CHECK_EQUAL(FORM_RFC, boot());
	answer(481, NULL);
	CHECK_EQUAL(1, count_of(FORM_PRINT));
	fetch();
	CHECK_EQUAL(2, record()->failed);
	another_fails();
	CHECK_EQUAL(3, record()->failed);
	wait_ms(60000);
	CHECK_EQUAL(FORM_PRINT, boot());
	fetch();
	CHECK_EQUAL(FORM_PRINT, record()->form);
	CHECK_EQUAL(FORM_FETCHED, record()->evidence);
	bench_close(&bench);
}

/*
 * Somebody else's server answers first, so that this phone never comes. Its kind fetches well: it
 * stays as it is, and this phone alone gets the other form too.
 */
static void a_phone_that_never_comes_spoils_nothing(void)
{
	open_house("rfc");
	CHECK_EQUAL(FORM_RFC, boot());
	fetch();
	for (unsigned i = 0; i < 8; i++) {
		wait_ms(3600000);
		CHECK_EQUAL(FORM_RFC, boot());
		answer(481, NULL);
		CHECK_EQUAL(i >= 1, count_of(FORM_PRINT) == 1);
		CHECK_EQUAL(FORM_RFC, record()->form);
		CHECK(record()->failed < form_failures_max);
		CHECK_TEXT("folder", span_text(device()->told_shape));
	}
	bench_close(&bench);
}

/* And where nothing is known of its kind, nothing comes to be known. */
static void a_phone_that_never_comes_teaches_no_form_and_no_shape(void)
{
	open_house("rfc");
	for (unsigned i = 0; i < 12; i++) {
		CHECK(boot() != FORM_DEFAULT);
		answer(481, NULL);
		wait_ms(3600000);
		REQUIRE(record() != NULL);
		CHECK_EQUAL(FORM_DEFAULT, record()->form);
		CHECK_TEXT("", span_text(record()->shape));
	}
	CHECK_EQUAL(1, bench.inventory.forms.count);
	bench_close(&bench);
}

/* Nothing is told of a phone whose maker nobody knows; it gets the other form all the same. */
static void an_unknown_maker_is_served_and_teaches_nothing(void)
{
	static const struct mac other = {{0x02, 0, 0, 0, 0, 1}};

	open_house("rfc");
	bench_claim(&bench, other);
	bench.packet.link_source = other;
	CHECK_EQUAL(0, bench_receive(&bench, bench_seed_with("User-Agent: AUDC-IPPhone/2.2.2",
							     "User-Agent: Nobody")));
	REQUIRE(bench_is_served(&bench));
	store_changes();
	wait_ms(1500);
	CHECK_EQUAL(1, count_of(FORM_PRINT));
	CHECK(bench_reported(&bench, "form_suspected"));
	CHECK_EQUAL(0, bench.inventory.forms.count);
	bench_close(&bench);
}

/* --- Shapes. --- */

static bool is_told(const char *end)
{
	return span_ends_with(span_text(notify_text), span_text(end));
}

static void shapes_are_tried_over_boots(void)
{
	static const char *const ends[] = {"/p/",   "/p/",   "/p/a.cfg", "/p/a.cfg",
					   "121/b", "121/b", "/p/"};

	open_house("rfc");
	for (unsigned i = 0; i < 7; i++) {
		memset(notify_text, 0, sizeof(notify_text));
		CHECK_EQUAL(FORM_RFC, boot());
		CHECK(is_told(ends[i]));
		CHECK_EQUAL(i > 0 && i % 2 == 0, bench_reported(&bench, "form_suspected"));
		answer(200, NULL);
		wait_ms(60000);
	}
	CHECK_TEXT("bare", span_text(record()->suspect_shape));
	/* One boot is enough when there was time: file is next. */
	wait_ms(form_fetch_time_ms);
	memset(notify_text, 0, sizeof(notify_text));
	CHECK_EQUAL(FORM_RFC, boot());
	CHECK(is_told("/p/a.cfg"));
	start_signalling();
	wait_ms(300000);
	fetch();
	CHECK_TEXT("file", span_text(record()->shape));
	wait_ms(60000);
	memset(notify_text, 0, sizeof(notify_text));
	CHECK_EQUAL(FORM_RFC, boot());
	CHECK(is_told("/p/a.cfg"));
	/* Forgotten: from the start. */
	fetch();
	bench_change(&bench,
		     &(struct change){.kind = CHANGE_FORM_FORGET, .vendor = SPAN("audiocodes")});
	wait_ms(60000);
	memset(notify_text, 0, sizeof(notify_text));
	CHECK_EQUAL(FORM_RFC, boot());
	CHECK(is_told("/p/"));
	bench_close(&bench);
}

static void a_pinned_shape_stays(void)
{
	open_house("rfc");
	bench_change(&bench, &(struct change){.kind = CHANGE_FORM_PIN,
					      .fields = FIELD_FORM | FIELD_SHAPE,
					      .vendor = SPAN("audiocodes"),
					      .model = SPAN("440HD"),
					      .firmware = SPAN("2.2.2"),
					      .form = FORM_DEFAULT,
					      .shape = SPAN("bare")});
	for (unsigned i = 0; i < 6; i++) {
		memset(notify_text, 0, sizeof(notify_text));
		CHECK_EQUAL(FORM_RFC, boot());
		CHECK(is_told("121/b"));
		wait_ms(3600000);
	}
	bench_close(&bench);
}

int main(void)
{
	RUN(silence_brings_the_other_form_after_1500_ms);
	RUN(the_other_form_is_never_sent_again);
	RUN(a_refusal_brings_it_at_once);
	RUN(some_refusals_are_not_of_the_form);
	RUN(an_answer_or_a_fetch_in_time_cancels_it);
	RUN(nobody_is_told_who_is_not_there);
	RUN(explicit_and_pinned_forms_go_alone);
	RUN(it_can_be_switched_off);
	RUN(a_new_round_begins_a_new_watch);
	RUN(answers_to_the_other_form_are_absorbed);
	RUN(a_foreign_via_is_no_answer_to_the_other_form);
	RUN(an_answer_without_our_via_counts);
	RUN(a_guest_teaches_nothing);
	RUN(a_200_to_the_one_form_is_credit);
	RUN(a_fetch_is_credit_at_any_time_and_after_a_restart);
	RUN(after_both_nothing_is_credit);
	RUN(a_fetch_is_not_credit_for_another_boot);
	RUN(a_settled_form_is_not_watched);
	RUN(a_settled_form_that_is_refused_is_doubted);
	RUN(a_phone_that_never_comes_spoils_nothing);
	RUN(a_phone_that_never_comes_teaches_no_form_and_no_shape);
	RUN(an_unknown_maker_is_served_and_teaches_nothing);
	RUN(shapes_are_tried_over_boots);
	RUN(a_pinned_shape_stays);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/phone/phone.h"
#include "tests/test.h"

#include <errno.h>

/* Sunday 2026-11-22 22:15:00 UTC */
static const uint64_t utc_ms = 1795385700ULL * 1000;

static struct sip_message message;
static struct random rng;
static struct phone_effects effects;
static struct phone *phone;
static uint64_t now_ms;
static const struct endpoint server = {{4, {10, 13, 4, 121}}, 5060};

static struct phone_options options(void)
{
	return (struct phone_options){
		.identity = {.mac = {{0, 0x11, 0x22, 0x33, 0x44, 0xab}}, .version = SPAN("2.2.2")},
		.local = {address_ipv4(10, 13, 2, 37), 5060},
		.target = {address_ipv4(224, 0, 1, 75), 5060},
		.is_once = true,
		.message = &message,
		.random = &rng,
	};
}

static void change(struct phone_change what)
{
	phone_effects_reset(&effects);
	phone_change(phone, &what, now_ms, &effects);
}

static void power_up(const char *settings, const struct phone_options *with)
{
	struct phone_options own = options();
	unsigned line = 0;

	phone_free(phone);
	phone = NULL;
	now_ms = 1000;
	random_init_number(&rng, 3);
	if (phone_new(&phone, with ? with : &own, span_text(settings), &line) != 0) {
		printf("# phone_new failed\n");
		abort();
	}
	change((struct phone_change){.kind = PHONE_CHANGE_CLOCK, .utc_ms = utc_ms});
	change((struct phone_change){.kind = PHONE_CHANGE_START});
}

static void done(int error, const char *bytes)
{
	const struct phone_task *task = phone_task(phone);
	struct phone_change result = {.kind = PHONE_CHANGE_TASK_DONE,
				      .task_number = task ? task->number : 0,
				      .error = error,
				      .bytes = span_text(bytes),
				      .byte_count = bytes ? strlen(bytes) : 0};

	change(result);
}

static const struct phone_event *event_of(enum phone_event_kind kind)
{
	for (size_t i = 0; i < effects.event_count; i++) {
		if (effects.events[i].kind == kind) {
			return &effects.events[i];
		}
	}
	return NULL;
}

static void check_task(enum phone_task_kind kind, const char *url)
{
	static const struct phone_task none;
	const struct phone_task *task = phone_task(phone) ? phone_task(phone) : &none;

	CHECK_EQUAL(kind, task->kind);
	if (url) {
		CHECK_TEXT(url, task->url);
	}
}

static void check_failed(const char *reason)
{
	const struct phone_round *round = phone_last_round(phone);

	CHECK_EQUAL(1, round->number);
	CHECK(!round->is_configured);
	CHECK_TEXT(reason, span_text(round->failure));
	CHECK(round->text[0] != '\0');
	CHECK(event_of(PHONE_EVENT_FAILED) != NULL);
	CHECK(phone_task(phone) == NULL);
}

static void notify(const char *url)
{
	char text[2048];
	const struct effect *sent = &effects.wire.items[0];
	struct span request = sent->send.bytes;
	struct span tag =
		span_slice(request, span_search(request, SPAN(";tag=")) + 5, request.length);
	struct span call_id =
		span_slice(request, span_search(request, SPAN("Call-ID: ")) + 9, request.length);
	struct packet packet = {.source = server, .target = options().local};

	tag = span_slice(tag, 0, span_find(tag, '\r'));
	call_id = span_slice(call_id, 0, span_find(call_id, '\r'));
	snprintf(text, sizeof(text),
		 "NOTIFY sip:00000001@10.13.2.37:5060 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.13.4.121:5060;branch=z9hG4bKs;rport\r\n"
		 "From: <sip:224.0.1.75:5060>;tag=s\r\n"
		 "To: <sip:00000001@10.13.2.37:5060>;tag=%.*s\r\nCall-ID: %.*s\r\n"
		 "CSeq: 1 NOTIFY\r\nEvent: ua-profile\r\n"
		 "Subscription-State: terminated;reason=timeout\r\n"
		 "Content-Type: application/url\r\nContent-Length: %zu\r\n\r\n%s",
		 (int)tag.length, tag.data, (int)call_id.length, call_id.data, strlen(url), url);
	packet.bytes = span_text(text);
	phone_effects_reset(&effects);
	phone_receive(phone, &packet, now_ms, &effects);
}

/* The whole road of audiocodes.md 1.1 and 6. */
static void is_configured_by_sip(void)
{
	power_up("provisioning/method=Dynamic\n", NULL);
	CHECK_EQUAL(1, effects.wire.count);
	CHECK_EQUAL(PHONE_SUBSCRIBING, phone_state(phone));
	CHECK(phone_task(phone) == NULL);
	notify("tftp://10.13.4.121");
	CHECK_EQUAL(1, effects.wire.count);
	check_task(PHONE_TASK_FETCH, "tftp://10.13.4.121/440HD.img");
	CHECK(phone_task(phone)->is_head);
	CHECK_EQUAL(1024, phone_task(phone)->bytes_max);
	done(-ENOENT, NULL);
	CHECK_TEXT("absent", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	check_task(PHONE_TASK_FETCH, "tftp://10.13.4.121/0011223344AB.cfg");
	done(0, "system/type=440HD\r\nvoip/line/0/id=100\r\n");
	CHECK_EQUAL(2, event_of(PHONE_EVENT_CONFIG)->changed_count);
	CHECK_EQUAL(PHONE_EFFECT_REBOOT | PHONE_EFFECT_VOIP, event_of(PHONE_EVENT_CONFIG)->effects);
	check_task(PHONE_TASK_STORE, NULL);
	CHECK_TEXT("provisioning/method=Dynamic\nsystem/type=440HD\nvoip/line/0/id=100\n",
		   phone_task(phone)->text);
	CHECK(event_of(PHONE_EVENT_APPLIED) == NULL);
	done(0, NULL);
	CHECK(event_of(PHONE_EVENT_APPLIED) != NULL);
	CHECK(phone_last_round(phone)->is_configured);
	CHECK_TEXT("100", phone_config_get(phone_settings(phone), "voip/line/0/id"));
	CHECK(phone_next_wake(phone) == UINT64_MAX);
}

static void fails_when_nobody_answers(void)
{
	power_up("", NULL);
	for (unsigned i = 0; i < 4; i++) {
		now_ms = phone_next_wake(phone);
		phone_effects_reset(&effects);
		phone_expire(phone, now_ms, &effects);
	}
	CHECK_EQUAL(6000, now_ms);
	check_failed("no_answer");
}

static void burns_new_firmware_first_and_goes_on(void)
{
	struct phone_options with = options();

	with.dhcp = (struct phone_dhcp){.options = {{160, SPAN("http://h")}}, .count = 1};
	power_up("", &with);
	check_task(PHONE_TASK_FETCH, "http://h/440HD.img");
	done(0, "HW_TYPE=440HD\nSWVERSION=2.2.8\n");
	CHECK_TEXT("new", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	CHECK_TEXT("2.2.8", event_of(PHONE_EVENT_FIRMWARE)->text);
	check_task(PHONE_TASK_FETCH, "http://h/440HD.img");
	CHECK(phone_task(phone)->to_file && !phone_task(phone)->is_head);
	done(0, NULL);
	check_task(PHONE_TASK_BURN, NULL);
	CHECK_TEXT("2.2.8", phone_task(phone)->version);
	CHECK_EQUAL(32, phone_task(phone)->fingerprint.length);
	done(0, NULL);
	CHECK_TEXT("burnt", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	CHECK_TEXT("2.2.8", phone_identity(phone)->version);
	check_task(PHONE_TASK_FETCH, "http://h/0011223344AB.cfg");

	/* the next round finds the image it has */
	done(0, "a=1\n");
	done(0, NULL);
	change((struct phone_change){.kind = PHONE_CHANGE_CHECK});
	done(0, "HW_TYPE=440HD\nSWVERSION=2.2.8\n");
	CHECK_TEXT("same", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	check_task(PHONE_TASK_FETCH, "http://h/0011223344AB.cfg");
}

/* An older version is different, too; and one that shows none is known by its first bytes. */
static void compares_for_difference(void)
{
	struct phone_options with = options();
	char fingerprint[phone_fingerprint_size];

	with.dhcp = (struct phone_dhcp){.options = {{160, SPAN("http://h")}}, .count = 1};
	power_up("", &with);
	done(0, "SWVERSION=2.2.1\n");
	CHECK_TEXT("new", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	power_up("", &with);
	done(0, "no version here");
	CHECK_TEXT("new", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	done(0, NULL);
	CHECK_EQUAL(0,
		    span_to_text(phone_task(phone)->fingerprint, fingerprint, sizeof(fingerprint)));
	done(0, NULL);
	CHECK_TEXT("2.2.2", phone_identity(phone)->version);

	with.fingerprint = span_text(fingerprint);
	power_up("", &with);
	done(0, "no version here");
	CHECK_TEXT("same", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	power_up("", &with);
	done(0, "no version her3");
	CHECK_TEXT("new", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
}

static void goes_on_when_firmware_fails(void)
{
	struct phone_options with = options();

	with.dhcp = (struct phone_dhcp){.options = {{160, SPAN("http://h")}}, .count = 1};
	power_up("", &with);
	done(-ETIMEDOUT, NULL);
	CHECK_TEXT("timeout", span_text(event_of(PHONE_EVENT_DOWNLOAD)->reason));
	check_task(PHONE_TASK_FETCH, "http://h/0011223344AB.cfg");
	power_up("", &with);
	done(0, "SWVERSION=9.9.9\n");
	done(-EIO, NULL);
	check_task(PHONE_TASK_FETCH, "http://h/0011223344AB.cfg");
	power_up("", &with);
	done(0, "SWVERSION=9.9.9\n");
	done(0, NULL);
	done(-EIO, NULL); /* --on-firmware said no */
	CHECK_TEXT("refused", span_text(event_of(PHONE_EVENT_FIRMWARE)->reason));
	CHECK_TEXT("2.2.2", phone_identity(phone)->version);
	check_task(PHONE_TASK_FETCH, "http://h/0011223344AB.cfg");
}

static void to_config(const char *settings)
{
	struct phone_options with = options();

	with.dhcp =
		(struct phone_dhcp){.options = {{160, SPAN("http://h/d/;d/x.cfg")}}, .count = 1};
	power_up(settings, &with);
	done(-ENOENT, NULL);
	check_task(PHONE_TASK_FETCH, "http://h/d/x.cfg");
}

static void refuses_a_configuration_it_cannot_use(void)
{
	static const struct {
		int error;
		const char *bytes;
		const char *reason;
	} rows[] = {
		{-ENOENT, NULL, "config_absent"},
		{-ETIMEDOUT, NULL, "download_failed"},
		{0, "<html>not here</html>\n", "config_refused"},
		{0, "", "config_refused"},
		{0, "; nothing\n", "config_refused"},
		{0, "system/type=420HD\nvoip/line/0/id=1\n", "other_model"},
		{0, "system/type=\n", "other_model"},
		{0, "include http://elsewhere/x.cfg\n", "include_refused"},
		{0, "include https://h/x.cfg\n", "include_refused"},
		{0, "include http://h/../x.cfg\n", "include_refused"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		to_config("voip/line/0/id=7\n");
		done(rows[i].error, rows[i].bytes);
		check_failed(rows[i].reason);
		CHECK_TEXT("7", phone_config_get(phone_settings(phone), "voip/line/0/id"));
	}
}

static void says_nothing_to_store_when_nothing_changed(void)
{
	to_config("system/type=440hd\nvoip/line/0/id=7\n");
	done(0, "voip/line/0/id=7\n");
	CHECK_EQUAL(0, event_of(PHONE_EVENT_APPLIED)->changed_count);
	CHECK(phone_last_round(phone)->is_configured);
	CHECK(phone_task(phone) == NULL);
}

static void keeps_its_settings_when_storing_fails(void)
{
	to_config("voip/line/0/id=7\n");
	done(0, "voip/line/0/id=8\n");
	done(-ENOSPC, NULL);
	check_failed("store_failed");
	CHECK_TEXT("7", phone_config_get(phone_settings(phone), "voip/line/0/id"));
}

static void follows_includes_on_the_same_server(void)
{
	to_config("");
	done(0, "a=1\ninclude http://H:80/common.cfg\na=3\ninclude site.cfg\n");
	check_task(PHONE_TASK_FETCH, "http://H:80/common.cfg");
	done(0, "a=2\nb=2\n");
	check_task(PHONE_TASK_FETCH, "http://h/d/site.cfg");
	done(0, "c=3");
	check_task(PHONE_TASK_STORE, NULL);
	CHECK_TEXT("a=3\nb=2\nc=3\n", phone_task(phone)->text);
}

static void ends_a_ring_of_includes(void)
{
	to_config("");
	for (unsigned i = 0; i <= phone_config_includes_max; i++) {
		check_task(PHONE_TASK_FETCH, "http://h/d/x.cfg");
		done(0, "include x.cfg\n");
	}
	check_failed("include_limit");
}

static void ignores_the_result_of_another_task(void)
{
	struct phone_change late = {.kind = PHONE_CHANGE_TASK_DONE, .bytes = SPAN("a=1\n")};

	to_config("");
	late.task_number = phone_task(phone)->number - 1;
	change(late);
	check_task(PHONE_TASK_FETCH, "http://h/d/x.cfg");
	CHECK_EQUAL(0, effects.event_count);
}

static void honours_disable_and_static(void)
{
	power_up("provisioning/method=Disable\n", NULL);
	check_failed("disabled");
	CHECK_EQUAL(0, effects.wire.count);
	power_up("provisioning/method=Static\nprovisioning/configuration/url=ftp://u:p@h/c/\n",
		 NULL);
	check_task(PHONE_TASK_FETCH, "ftp://u:p@h/c/0011223344AB.cfg");
	CHECK_TEXT("ftp://***@h/c/0011223344AB.cfg", phone_task(phone)->url_public);
	power_up("provisioning/method=Static\nprovisioning/configuration/url=gopher://h\n", NULL);
	check_failed("discovery_failed");
}

/* audiocodes.md 1, period parameters; 6.6 */
static void comes_back_to_the_same_url_at_each_period(void)
{
	struct phone_options with = options();
	const struct phone_event *next;

	with.is_once = false;
	power_up("provisioning/random_provisioning_time=0\nprovisioning/period/type=hourly\n"
		 "provisioning/period/hourly/hours_interval=1\n",
		 &with);
	notify("http://h");
	done(-ENOENT, NULL);
	done(0, "a=1\n");
	done(0, NULL);
	next = event_of(PHONE_EVENT_NEXT_CHECK);
	REQUIRE(next != NULL);
	CHECK_EQUAL((intmax_t)(utc_ms / 1000 + 3600), next->utc_s);
	CHECK_EQUAL(1000 + 3600 * 1000, phone_next_wake(phone));
	now_ms = phone_next_wake(phone);
	phone_effects_reset(&effects);
	phone_expire(phone, now_ms, &effects);
	CHECK_EQUAL(0, effects.wire.count); /* no SUBSCRIBE */
	check_task(PHONE_TASK_FETCH, "http://h/440HD.img");
	done(-ENOENT, NULL);
	done(-EIO, NULL);
	CHECK_EQUAL(2, phone_last_round(phone)->number);
	/* the URL failed: next time the phone asks again */
	now_ms = phone_next_wake(phone);
	phone_effects_reset(&effects);
	phone_expire(phone, now_ms, &effects);
	CHECK_EQUAL(1, effects.wire.count);
}

/* An order of a server's, outside any subscription. */
static void order(const char *event, unsigned number)
{
	char text[1024];
	struct packet packet = {.source = server, .target = options().local};

	snprintf(text, sizeof(text),
		 "NOTIFY sip:10.13.2.37:5060 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.13.4.121:5060;branch=z9hG4bKo%u;rport\r\n"
		 "From: <sip:bellhop@10.13.4.121:5060>;tag=o\r\nTo: <sip:10.13.2.37:5060>\r\n"
		 "Call-ID: o%u\r\nCSeq: 1 NOTIFY\r\nEvent: %s\r\n"
		 "Subscription-State: terminated\r\nContent-Length: 0\r\n\r\n",
		 number, number, event);
	packet.bytes = span_text(text);
	phone_effects_reset(&effects);
	phone_receive(phone, &packet, now_ms, &effects);
}

static void check_answered(unsigned status)
{
	static struct sip_message answer;

	REQUIRE(effects.wire.count >= 1 && effects.wire.items[0].kind == EFFECT_SEND);
	CHECK_EQUAL(0, sip_message_parse(&answer, effects.wire.items[0].send.bytes));
	CHECK_EQUAL(status, answer.status);
}

/* A phone that is configured and waits for its next check, which is an hour away. */
static void configure(void)
{
	struct phone_options with = options();

	with.is_once = false;
	power_up("provisioning/random_provisioning_time=0\nprovisioning/period/type=hourly\n"
		 "provisioning/period/hourly/hours_interval=1\n",
		 &with);
	notify("http://h");
	done(-ENOENT, NULL);
	done(0, "a=1\n");
	done(0, NULL);
	CHECK_EQUAL(PHONE_WAITING, phone_state(phone));
}

/* dialects.md C */
static void check_sync_makes_it_look_again(void)
{
	configure();
	order("check-sync", 1);
	check_answered(200);
	CHECK_TEXT("check_sync", span_text(event_of(PHONE_EVENT_NOTIFY)->reason));
	check_task(PHONE_TASK_FETCH, "http://h/440HD.img"); /* the URL that it knows */
	order("check-sync", 1);				    /* a copy: the same answer, no more */
	check_answered(200);
	done(-ENOENT, NULL);
	done(0, "a=1\n");
	CHECK_EQUAL(2, phone_last_round(phone)->number);
	CHECK_EQUAL(now_ms + 3600 * 1000, phone_next_wake(phone));
	order("check-sync;reboot=false", 2);
	check_task(PHONE_TASK_FETCH, "http://h/440HD.img");
}

static void an_order_that_comes_meanwhile_is_obeyed_afterwards(void)
{
	configure();
	order("check-sync", 1);
	order("check-sync", 2);
	check_answered(200);
	done(-ENOENT, NULL);
	done(0, "a=1\n");
	CHECK_TEXT("check_sync", span_text(event_of(PHONE_EVENT_NEXT_CHECK)->reason));
	CHECK_EQUAL(now_ms, phone_next_wake(phone));
	phone_effects_reset(&effects);
	phone_expire(phone, now_ms, &effects);
	check_task(PHONE_TASK_FETCH, "http://h/440HD.img");
	/* To restart is more than to look again, whichever came first. */
	order("check-sync;reboot=true", 3);
	order("check-sync", 4);
	done(-ENOENT, NULL);
	done(0, "a=1\n");
	CHECK_TEXT("reboot", span_text(event_of(PHONE_EVENT_NEXT_CHECK)->reason));
}

static void it_restarts_when_it_is_told_to(void)
{
	configure();
	order("check-sync; reboot=TRUE", 1);
	check_answered(200);
	CHECK_TEXT("reboot", span_text(event_of(PHONE_EVENT_NOTIFY)->reason));
	CHECK_TEXT("reboot", span_text(event_of(PHONE_EVENT_NEXT_CHECK)->reason));
	CHECK_EQUAL(now_ms + phone_reboot_ms, phone_next_wake(phone));
	now_ms = phone_next_wake(phone);
	phone_effects_reset(&effects);
	phone_expire(phone, now_ms, &effects);
	CHECK_EQUAL(PHONE_SUBSCRIBING, phone_state(phone)); /* as after a power-up */
}

static void a_phone_of_one_round_takes_no_orders(void)
{
	power_up("", NULL);
	order("check-sync", 1);
	check_answered(489);
	CHECK_EQUAL(PHONE_SUBSCRIBING, phone_state(phone));
}

static void waits_a_random_time_before_the_first_check(void)
{
	struct phone_options with = options();

	with.is_once = false;
	power_up("provisioning/random_provisioning_time=100\n", &with);
	CHECK_EQUAL(PHONE_WAITING, phone_state(phone));
	CHECK(event_of(PHONE_EVENT_NEXT_CHECK) != NULL);
	CHECK(phone_next_wake(phone) > 1000 && phone_next_wake(phone) <= 101000);
	now_ms = phone_next_wake(phone);
	phone_expire(phone, now_ms, &effects);
	CHECK_EQUAL(PHONE_SUBSCRIBING, phone_state(phone));
}

static void starts_anew_when_a_reboot_is_needed(void)
{
	struct phone_options with = options();

	with.is_once = false;
	power_up("provisioning/random_provisioning_time=0\n", &with);
	notify("http://h");
	done(-ENOENT, NULL);
	done(0, "network/lan/vlan/id=5\n");
	done(0, NULL);
	CHECK_TEXT("reboot", span_text(event_of(PHONE_EVENT_NEXT_CHECK)->reason));
	CHECK_EQUAL(1000 + phone_reboot_ms, phone_next_wake(phone));
	now_ms = phone_next_wake(phone);
	phone_effects_reset(&effects);
	phone_expire(phone, now_ms, &effects);
	CHECK_EQUAL(1, effects.wire.count);
	CHECK_EQUAL(PHONE_SUBSCRIBING, phone_state(phone));
}

static void takes_the_model_from_its_settings(void)
{
	struct phone_options with = options();
	struct phone *made = NULL;
	unsigned line = 9;

	power_up("system/type=420HD\n", NULL);
	CHECK_TEXT("420HD", phone_identity(phone)->model);
	with.identity.version = SPAN("a b");
	CHECK_EQUAL(-EINVAL, phone_new(&made, &with, SPAN(""), &line));
	CHECK_EQUAL(0, line);
	with = options();
	CHECK_EQUAL(-EINVAL, phone_new(&made, &with, SPAN("a=1\n?\n"), &line));
	CHECK_EQUAL(2, line);
	CHECK(made == NULL);
}

int main(void)
{
	if (phone_effects_init(&effects) != 0) {
		return 1;
	}
	RUN(is_configured_by_sip);
	RUN(fails_when_nobody_answers);
	RUN(burns_new_firmware_first_and_goes_on);
	RUN(compares_for_difference);
	RUN(goes_on_when_firmware_fails);
	RUN(refuses_a_configuration_it_cannot_use);
	RUN(says_nothing_to_store_when_nothing_changed);
	RUN(keeps_its_settings_when_storing_fails);
	RUN(follows_includes_on_the_same_server);
	RUN(ends_a_ring_of_includes);
	RUN(ignores_the_result_of_another_task);
	RUN(honours_disable_and_static);
	RUN(comes_back_to_the_same_url_at_each_period);
	RUN(check_sync_makes_it_look_again);
	RUN(an_order_that_comes_meanwhile_is_obeyed_afterwards);
	RUN(it_restarts_when_it_is_told_to);
	RUN(a_phone_of_one_round_takes_no_orders);
	RUN(waits_a_random_time_before_the_first_check);
	RUN(starts_anew_when_a_reboot_is_needed);
	RUN(takes_the_model_from_its_settings);
	phone_free(phone);
	phone_effects_free(&effects);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/phone/subscriber.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

/* dialects.md A.1 */
static const char printed[] =
	"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
	"From: <sip:00000001@10.13.2.37:5060>;"
	"tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398\r\n"
	"To: <sip:224.0.1.75:5060>\r\n"
	"Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
	"CSeq: 1 SUBSCRIBE\r\n"
	"Via: SIP/2.0/UDP 10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e\r\n"
	"Expires: 0\r\n"
	"Event: ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n"
	"Max-Forwards: 70\r\n"
	"Supported: replaces,100rel\r\n"
	"Accept: application/url\r\n"
	"Contact: <sip:00000001@10.13.2.37:5060>\r\n"
	"User-Agent: AUDC-IPPhone/2.2.2\r\n"
	"Content-Length: 0\r\n"
	"\r\n";

static struct sip_message message;
static struct random rng;
static struct phone_effects effects;
static struct subscriber subscriber;
static uint64_t now_ms;

static const struct endpoint server = {{4, {10, 13, 4, 121}}, 5060};
static const struct endpoint other = {{4, {10, 13, 4, 99}}, 5070};

static struct subscriber_options options(void)
{
	return (struct subscriber_options){
		.identity = {.model = SPAN("440HD"), .version = SPAN("2.2.2")},
		.local = {address_ipv4(10, 13, 2, 37), 5060},
		.target = {address_ipv4(224, 0, 1, 75), 5060},
		.interface = 3,
		.message = &message,
	};
}

static void begin(void)
{
	struct subscriber_options with = options();

	now_ms = 1000;
	random_init_number(&rng, 7);
	phone_effects_reset(&effects);
	CHECK_EQUAL(0, subscriber_init(&subscriber, &with, &rng));
	subscriber_start(&subscriber, &rng, now_ms, &effects);
}

static int receive(const char *text, struct endpoint source)
{
	struct packet packet = {.bytes = span_text(text),
				.source = source,
				.target = options().local,
				.local = options().local.address,
				.interface = 3};

	phone_effects_reset(&effects);
	return subscriber_receive(&subscriber, &packet, now_ms, &effects);
}

/* What a server sends, with what varies filled in; the values of `subscriber` where it is NULL. */
struct reply {
	const char *start;
	const char *via;
	const char *from;
	const char *to;
	const char *call_id;
	const char *cseq;
	const char *more; /* header lines and body */
};

static const char *build(struct reply reply)
{
	static char text[4096];
	const struct subscriber_ids *ids = &subscriber.ids;
	char via[256];
	char own[256];

	snprintf(via, sizeof(via), "SIP/2.0/UDP 10.13.2.37:5060;rport;branch=%s", ids->branch);
	snprintf(own, sizeof(own), "<sip:00000001@10.13.2.37:5060>;tag=%s", ids->tag);
	snprintf(text, sizeof(text),
		 "%s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s",
		 reply.start, reply.via ? reply.via : via, reply.from ? reply.from : own,
		 reply.to ? reply.to : own, reply.call_id ? reply.call_id : ids->call_id,
		 reply.cseq, reply.more);
	return text;
}

#define SERVER_VIA  "SIP/2.0/UDP 10.13.4.121:5060;branch=z9hG4bKserver;rport"
#define SERVER_NAME "<sip:224.0.1.75:5060>;tag=srv"
#define URL_BODY                                                                                   \
	"Event: ua-profile;effective-by=0\r\n"                                                     \
	"Subscription-State: terminated;reason=timeout\r\n"                                        \
	"Content-Type: application/url\r\nContent-Length: 18\r\n\r\ntftp://10.13.4.121"

static const char *response(const char *status, const char *to)
{
	return build((struct reply){.start = status,
				    .to = to,
				    .cseq = "1 SUBSCRIBE",
				    .more = "Expires: 0\r\nContent-Length: 0\r\n\r\n"});
}

static const char *notify_with(const char *more)
{
	return build((struct reply){.start = "NOTIFY sip:00000001@10.13.2.37:5060 SIP/2.0",
				    .via = SERVER_VIA,
				    .from = SERVER_NAME,
				    .cseq = "1 NOTIFY",
				    .more = more});
}

/* The NOTIFY as the manual prints it: our Via, From as it was, To without tag. */
static const char *notify_print(void)
{
	return build((struct reply){
		.start = "NOTIFY sip:10.13.2.37:5060 SIP/2.0",
		.to = "<sip:224.0.1.75:5060>",
		.cseq = "1 NOTIFY",
		.more = "Max-Forwards: 20\r\nContact: <sip:10.13.4.121:5060>\r\n"
			"Content-Type: application/url\r\n"
			"Subscription-State: terminated;reason=timeout\r\n"
			"Event: ua-profile;profile-type=\"application\";model=\"440HD\";"
			"version=\"1.2.0\"\r\nContent-Length: 18\r\n\r\ntftp://10.13.4.121"});
}

static struct span sent_bytes(size_t i)
{
	return i < effects.wire.count && effects.wire.items[i].kind == EFFECT_SEND
		       ? effects.wire.items[i].send.bytes
		       : (struct span){0};
}

/* Exactly one datagram went out, a response with that status. */
static void check_answered(unsigned status)
{
	char line[32];

	snprintf(line, sizeof(line), "SIP/2.0 %u ", status);
	CHECK_EQUAL(1, effects.wire.count);
	if (!span_starts_with(sent_bytes(0), span_text(line))) {
		test_is_failed = true;
		test_print_span(line, sent_bytes(0));
	}
}

static bool sent_has(const char *text)
{
	struct span bytes = sent_bytes(0);

	return span_search(bytes, span_text(text)) < bytes.length;
}

static void writes_the_579_bytes_of_the_manual(void)
{
	struct subscriber_options with = options();
	struct subscriber_ids ids = {
		.tag = "87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398",
		.call_id = "8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398",
		.branch = "z9hG4bK-386d4398-6ad00ca2-7ca3606e",
	};
	char buffer[subscriber_request_size];
	struct writer w = writer_over(buffer, sizeof(buffer));

	subscriber_write_request(&w, &with, &ids);
	CHECK_EQUAL(579, w.length);
	CHECK_TEXT(printed, writer_span(&w));
}

static void writes_the_corpus_file_of_the_manual(void)
{
	const char *corpus = getenv("BELLHOP_CORPUS");
	char path[4096];
	char bytes[1024];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "%s/phones/seed-subscribe.sip", corpus ? corpus : ".");
	file = fopen(path, "rb");
	if (!file) {
		test_skip("no corpus");
		return;
	}
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	CHECK_TEXT(printed, span_make(bytes, length));
}

static void refuses_an_identity_that_cannot_be_written(void)
{
	struct subscriber_options with = options();

	with.identity.version = SPAN("2.2\r\nX: y");
	CHECK_EQUAL(-EINVAL, subscriber_init(&subscriber, &with, &rng));
	with = options();
	with.identity.model = SPAN("440\nHD");
	CHECK_EQUAL(-EINVAL, subscriber_init(&subscriber, &with, &rng));
}

/* R-SEED-10 */
static void resends_for_five_seconds_and_gives_up(void)
{
	static const uint64_t times_ms[] = {0, 500, 1500, 3500};
	struct span first;
	char copy[subscriber_request_size];

	begin();
	CHECK_EQUAL(1, effects.wire.count);
	CHECK_EQUAL(3, effects.wire.items[0].send.interface);
	CHECK(endpoint_equal(options().target, effects.wire.items[0].send.to));
	first = sent_bytes(0);
	memcpy(copy, first.data, first.length);
	first.data = copy;
	for (size_t i = 1; i < 4; i++) {
		phone_effects_reset(&effects);
		CHECK_EQUAL(1000 + times_ms[i], subscriber_next_wake(&subscriber));
		subscriber_expire(&subscriber, 1000 + times_ms[i] - 1, &effects);
		CHECK_EQUAL(0, effects.wire.count);
		subscriber_expire(&subscriber, 1000 + times_ms[i], &effects);
		CHECK_EQUAL(1, effects.wire.count);
		CHECK_SPAN(first, sent_bytes(0));
	}
	CHECK_EQUAL(6000, subscriber_next_wake(&subscriber));
	phone_effects_reset(&effects);
	subscriber_expire(&subscriber, 6000, &effects);
	CHECK_EQUAL(0, effects.wire.count);
	CHECK_EQUAL(SUBSCRIBER_FAILED, subscriber.state);
	CHECK_TEXT("no_answer", span_text(subscriber.failure));
	CHECK(subscriber_next_wake(&subscriber) == UINT64_MAX);
}

/* R-3261-39, R-3261-32 */
static void makes_new_ids_each_time(void)
{
	struct subscriber_ids before;

	begin();
	before = subscriber.ids;
	subscriber_start(&subscriber, &rng, now_ms, &effects);
	CHECK(strcmp(before.tag, subscriber.ids.tag) != 0);
	CHECK(strcmp(before.call_id, subscriber.ids.call_id) != 0);
	CHECK(strcmp(before.branch, subscriber.ids.branch) != 0);
	CHECK(strncmp("z9hG4bK", subscriber.ids.branch, 7) == 0);
}

static void takes_a_200_and_a_notify_in_rfc_form(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 200 OK", SERVER_NAME), server));
	CHECK_EQUAL(SUBSCRIBER_ANSWERED, subscriber.state);
	CHECK_EQUAL(0, effects.wire.count);
	CHECK_EQUAL(1000 + 32000, subscriber_next_wake(&subscriber));
	CHECK_EQUAL(0, receive(notify_with(URL_BODY), server));
	check_answered(200);
	CHECK(endpoint_equal(server, effects.wire.items[0].send.to));
	CHECK(sent_has("Via: SIP/2.0/UDP 10.13.4.121:5060;branch=z9hG4bKserver;rport=5060"));
	CHECK(sent_has("received=10.13.4.121"));
	CHECK(sent_has("\r\nCSeq: 1 NOTIFY\r\n"));
	CHECK(sent_has("\r\nContent-Length: 0\r\n\r\n"));
	CHECK(!sent_has("Event"));
	CHECK(sent_has("Contact: <sip:00000001@10.13.2.37:5060>\r\n"));
	CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
	CHECK_TEXT("tftp://10.13.4.121", subscriber_url(&subscriber));
	CHECK_TEXT("rfc", span_text(effects.events[0].form));
	CHECK(endpoint_equal(server, subscriber.server));
}

/* The 200 of the manual has no To tag and our own address as Contact. */
static void takes_the_printed_200_and_the_printed_notify(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 200 OK", "<sip:224.0.1.75:5060>"), server));
	CHECK_EQUAL(SUBSCRIBER_ANSWERED, subscriber.state);
	CHECK_EQUAL(0, receive(notify_print(), server));
	check_answered(200);
	CHECK(endpoint_equal(server, effects.wire.items[0].send.to));
	CHECK(sent_has("received=10.13.4.121"));
	CHECK(sent_has("To: <sip:224.0.1.75:5060>;tag=")); /* R-3261-31 */
	CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
	CHECK_TEXT("print", span_text(effects.events[0].form));
	CHECK_TEXT("tftp://10.13.4.121", subscriber_url(&subscriber));
}

/* R-6665-41 */
static void takes_a_notify_before_the_200(void)
{
	begin();
	CHECK_EQUAL(0, receive(notify_with(URL_BODY), server));
	check_answered(200);
	CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
	CHECK(subscriber_next_wake(&subscriber) == UINT64_MAX);
	CHECK_EQUAL(0, receive(response("SIP/2.0 200 OK", SERVER_NAME), server));
	CHECK_TEXT("copy", span_text(effects.events[0].reason));
	CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
}

/* R-6665-38 */
static void takes_a_202_as_a_200(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 202 Accepted", SERVER_NAME), server));
	CHECK_EQUAL(SUBSCRIBER_ANSWERED, subscriber.state);
	CHECK_EQUAL(0, receive(notify_with(URL_BODY), server));
	CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
}

/* R-3261-61 */
static void counts_the_first_response_alone(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 200 OK", SERVER_NAME), server));
	CHECK_EQUAL(0, receive(response("SIP/2.0 404 Not Found", "<sip:224.0.1.75>;tag=x"), other));
	CHECK_TEXT("copy", span_text(effects.events[0].reason));
	CHECK_EQUAL(SUBSCRIBER_ANSWERED, subscriber.state);
}

static void gives_up_on_a_refusal(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 403 Forbidden", SERVER_NAME), server));
	CHECK_EQUAL(SUBSCRIBER_FAILED, subscriber.state);
	CHECK_TEXT("refused", span_text(subscriber.failure));
	CHECK_EQUAL(403, subscriber.status);
	/* a later 200 is a copy, a NOTIFY then matches nothing */
	CHECK_EQUAL(0, receive(response("SIP/2.0 200 OK", SERVER_NAME), server));
	CHECK_EQUAL(SUBSCRIBER_FAILED, subscriber.state);
	CHECK_EQUAL(-ENOMSG, receive(notify_with(URL_BODY), server));
	check_answered(481);
}

/* R-3261-57 */
static void slows_down_after_a_100(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 100 Trying", "<sip:224.0.1.75>"), server));
	CHECK_EQUAL(SUBSCRIBER_TRYING, subscriber.state);
	subscriber_expire(&subscriber, 1500, &effects);
	CHECK_EQUAL(5500, subscriber_next_wake(&subscriber));
}

/* R-3261-54, 60, 74 */
static void discards_responses_that_are_not_ours(void)
{
	const char *ok = "Content-Length: 0\r\n\r\n";
	struct reply strange[] = {
		{.via = "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bK-other"},
		{.via = "SIP/2.0/UDP 10.13.2.38:5060;branch=%"},
		{.via = "SIP/2.0/UDP 10.13.2.37:5061;branch=%"},
		{.via = "SIP/2.0/UDP 10.13.2.37:5060;branch=%\r\nVia: SIP/2.0/UDP 10.1.1.1"},
		{.cseq = "2 SUBSCRIBE"},
		{.cseq = "1 NOTIFY"},
		{.call_id = "another"},
		{.from = "<sip:00000001@10.13.2.37:5060>;tag=another"},
		{.from = "<sip:00000001@10.13.2.37:5060>"},
	};

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		char via[256];
		const char *mark = strange[i].via ? strchr(strange[i].via, '%') : NULL;

		begin();
		if (mark) {
			snprintf(via, sizeof(via), "%.*s%s%s", (int)(mark - strange[i].via),
				 strange[i].via, subscriber.ids.branch, mark + 1);
			strange[i].via = via;
		}
		strange[i].start = "SIP/2.0 200 OK";
		strange[i].cseq = strange[i].cseq ? strange[i].cseq : "1 SUBSCRIBE";
		strange[i].more = ok;
		CHECK_EQUAL(-ENOMSG, receive(build(strange[i]), server));
		CHECK_EQUAL(SUBSCRIBER_TRYING, subscriber.state);
		CHECK_EQUAL(0, effects.wire.count);
	}
}

/* R-3261-67 */
static void answers_copies_of_the_notify_with_the_same_octets(void)
{
	char first[subscriber_response_size];
	size_t length;

	for (int form = 0; form < 2; form++) {
		begin();
		CHECK_EQUAL(0, receive(form ? notify_print() : notify_with(URL_BODY), server));
		length = sent_bytes(0).length;
		memcpy(first, sent_bytes(0).data, length);
		now_ms += 31000;
		CHECK_EQUAL(0, receive(form ? notify_print() : notify_with(URL_BODY), server));
		CHECK_EQUAL(1, effects.wire.count);
		CHECK_SPAN(span_make(first, length), sent_bytes(0));
		CHECK_TEXT("copy", span_text(effects.events[0].reason));
		now_ms +=
			2000; /* beyond Timer J it is a new request to a subscription that ended */
		CHECK_EQUAL(-ENOMSG,
			    receive(form ? notify_print() : notify_with(URL_BODY), server));
		check_answered(481);
	}
}

/* audiocodes.md 6.8: only the first is believed. */
static void does_not_believe_a_second_server(void)
{
	begin();
	CHECK_EQUAL(0, receive(notify_print(), server));
	CHECK_EQUAL(-ENOMSG, receive(notify_print(), other));
	check_answered(481);
	CHECK_TEXT("subscription_over", span_text(effects.events[0].reason));
	CHECK_TEXT("tftp://10.13.4.121", subscriber_url(&subscriber));
	CHECK(endpoint_equal(server, subscriber.server));
}

static void refuses_requests_that_are_not_its_notify(void)
{
	static const struct {
		const char *start;
		const char *cseq;
		const char *to; /* NULL: ours */
		const char *call_id;
		const char *more;
		unsigned status;
		const char *header;
	} rows[] = {
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", "<sip:a@h>;tag=x", NULL, URL_BODY,
		 481, ""},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, "x", URL_BODY, 481, ""},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: check-sync\r\nContent-Length: 0\r\n\r\n", 489,
		 "Allow-Events: ua-profile\r\n"},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: UA-profile\r\nContent-Length: 0\r\n\r\n", 489, "Allow-Events"},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Content-Length: 0\r\n\r\n", 489, ""},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: ua-profile\r\nEvent: ua-profile\r\nContent-Length: 0\r\n\r\n", 400,
		 "Duplicate Event"},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Require: x-y\r\n" URL_BODY, 420, "Unsupported: x-y\r\n"},
		{"NOTIFY tel:123 SIP/2.0", "1 NOTIFY", NULL, NULL, URL_BODY, 416, ""},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: ua-profile\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nabcd",
		 415, "Accept: application/url\r\n"},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: ua-profile\r\nContent-Length: 4\r\n\r\nabcd", 400, ""},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: ua-profile\r\nContent-Type: application/url\r\n"
		 "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
		 415, ""},
		{"NOTIFY sip:a@10.13.2.37 SIP/2.0", "1 NOTIFY", NULL, NULL,
		 "Event: ua-profile\r\nContent-Type: application/url\r\nContent-Length: 40\r\n\r\n"
		 "tftp://h",
		 400, ""},
		{"INVITE sip:a@10.13.2.37 SIP/2.0", "1 INVITE", NULL, NULL, "\r\n", 405,
		 "Allow: NOTIFY\r\n"},
		{"FROB sip:a@10.13.2.37 SIP/2.0", "1 FROB", NULL, NULL, "\r\n", 501,
		 "Allow: NOTIFY\r\n"},
		{"CANCEL sip:a@10.13.2.37 SIP/2.0", "1 CANCEL", NULL, NULL, "\r\n", 481, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		CHECK_EQUAL(-ENOMSG, receive(build((struct reply){.start = rows[i].start,
								  .via = SERVER_VIA,
								  .from = SERVER_NAME,
								  .to = rows[i].to,
								  .call_id = rows[i].call_id,
								  .cseq = rows[i].cseq,
								  .more = rows[i].more}),
					     server));
		check_answered(rows[i].status);
		CHECK(sent_has(rows[i].header));
		CHECK_EQUAL(SUBSCRIBER_TRYING, subscriber.state);
	}
}

static void is_silent_where_sip_is_silent(void)
{
	static const char *const texts[] = {
		"",
		"\r\n\r\n",
		"\x01\x02\x03",
		"GET / HTTP/1.1\r\n\r\n",
		"ACK sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: "
		"<sip:a@h>;tag=1\r\n"
		"To: <sip:a@h>\r\nCall-ID: x\r\nCSeq: 1 ACK\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n",
		"SIP/2.0 2000 OK\r\nVia: SIP/2.0/UDP 10.13.2.37:5060\r\n\r\n",
	};

	begin();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK_EQUAL(-ENOMSG, receive(texts[i], server));
		CHECK_EQUAL(0, effects.wire.count);
	}
	CHECK_EQUAL(sizeof(texts) / sizeof(texts[0]), subscriber.ignored_count);
	/* R-MCAST-14: our own datagram, come back */
	CHECK_EQUAL(-ENOMSG, receive(notify_with(URL_BODY), options().local));
	CHECK_EQUAL(0, effects.wire.count);
	CHECK_EQUAL(SUBSCRIBER_TRYING, subscriber.state);
}

static void listens_to_the_allowed_alone(void)
{
	static const struct subscriber_allowed allowed[] = {
		{{4, {10, 13, 4, 121}}, 32},
		{{4, {192, 168, 0, 0}}, 16},
	};
	struct subscriber_options with = options();

	begin();
	with.allowed = allowed;
	with.allowed_count = 2;
	CHECK_EQUAL(0, subscriber_init(&subscriber, &with, &rng));
	subscriber_start(&subscriber, &rng, now_ms, &effects);
	CHECK_EQUAL(-ENOMSG, receive(notify_with(URL_BODY), other));
	CHECK_EQUAL(0, effects.wire.count);
	CHECK_TEXT("sender_not_allowed", span_text(effects.events[0].reason));
	CHECK_EQUAL(-ENOMSG, receive(response("SIP/2.0 403 Forbidden", SERVER_NAME), other));
	CHECK_EQUAL(SUBSCRIBER_TRYING, subscriber.state);
	CHECK_EQUAL(0, receive(notify_with(URL_BODY), server));
	CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
}

static void takes_the_url_as_it_stands(void)
{
	static const struct {
		const char *more;
		const char *url;     /* NULL: none */
		const char *failure; /* NULL: still waiting, or done */
	} rows[] = {
		{"Event: ua-profile\r\nContent-Type: application/url\r\nContent-Length: 20\r\n\r\n"
		 "tftp://10.13.4.121\r\n",
		 "tftp://10.13.4.121", NULL},
		{"o: ua-profile\r\nc: Application/URL;charset=utf-8\r\n\r\n"
		 "http://h/a.img;<MAC>.cfg \r\n",
		 "http://h/a.img;<MAC>.cfg", NULL},
		{"Event: ua-profile\r\nContent-Type: application/url\r\nContent-Length: 8\r\n\r\n"
		 "tftp://hand more",
		 "tftp://h", NULL},
		{"Event: ua-profile\r\nSubscription-State: terminated;reason=timeout\r\n"
		 "Content-Length: 0\r\n\r\n",
		 NULL, "no_url"},
		{"Event: ua-profile\r\nContent-Type: application/url\r\nContent-Length: "
		 "2\r\n\r\n\r\n",
		 NULL, "no_url"},
		{"Event: ua-profile\r\nSubscription-State: active;expires=60\r\n"
		 "Content-Length: 0\r\n\r\n",
		 NULL, NULL},
		{"Event: ua-profile\r\nContent-Type: application/url\r\n\r\ngopher://h", NULL,
		 "url_refused"},
		{"Event: ua-profile\r\nContent-Type: application/url\r\n\r\ntftp://h/\x01", NULL,
		 "url_refused"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		CHECK_EQUAL(0, receive(notify_with(rows[i].more), server));
		check_answered(200);
		if (rows[i].url) {
			CHECK_EQUAL(SUBSCRIBER_DONE, subscriber.state);
			CHECK_TEXT(rows[i].url, subscriber_url(&subscriber));
		} else if (rows[i].failure) {
			CHECK_EQUAL(SUBSCRIBER_FAILED, subscriber.state);
			CHECK_TEXT(rows[i].failure, span_text(subscriber.failure));
		} else {
			CHECK_EQUAL(SUBSCRIBER_ANSWERED, subscriber.state);
		}
	}
}

/* R-6665-42 */
static void waits_32_seconds_for_the_notify(void)
{
	begin();
	CHECK_EQUAL(0, receive(response("SIP/2.0 200 OK", SERVER_NAME), server));
	subscriber_expire(&subscriber, 1000 + 31999, &effects);
	CHECK_EQUAL(SUBSCRIBER_ANSWERED, subscriber.state);
	subscriber_expire(&subscriber, 1000 + 32000, &effects);
	CHECK_EQUAL(SUBSCRIBER_FAILED, subscriber.state);
	CHECK_TEXT("no_notify", span_text(subscriber.failure));
	CHECK_EQUAL(-ENOMSG, receive(notify_with(URL_BODY), server));
	check_answered(481);
}

/* R-3581-4, R-3261-71 */
static void answers_to_where_the_via_says(void)
{
	struct endpoint target;

	begin();
	CHECK_EQUAL(
		0,
		receive(build((struct reply){.start = "NOTIFY sip:a@10.13.2.37 SIP/2.0",
					     .via = "SIP/2.0/UDP 10.13.4.121:5099;branch=z9hG4bKx",
					     .from = SERVER_NAME,
					     .cseq = "1 NOTIFY",
					     .more = URL_BODY}),
			other));
	target = effects.wire.items[0].send.to;
	CHECK(address_equal(other.address, target.address));
	CHECK_EQUAL(5099, target.port);
	CHECK(sent_has("received=10.13.4.99"));
}

/* R-3261-40 */
static void copies_record_routes(void)
{
	begin();
	CHECK_EQUAL(0, receive(notify_with("Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n" URL_BODY),
			       server));
	CHECK(sent_has("\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"));
}

static void hides_credentials_in_events(void)
{
	begin();
	CHECK_EQUAL(0, receive(notify_with("Event: ua-profile\r\nContent-Type: application/url\r\n"
					   "\r\nftp://joe:secret@h/"),
			       server));
	CHECK_TEXT("ftp://***@h/", effects.events[0].url);
	CHECK_TEXT("ftp://joe:secret@h/", subscriber_url(&subscriber));
}

static void receive_prefix(struct span input, void *context)
{
	struct packet packet = {.bytes = input, .source = server, .target = options().local};

	(void)context;
	phone_effects_reset(&effects);
	subscriber.state = SUBSCRIBER_TRYING;
	subscriber_receive(&subscriber, &packet, now_ms, &effects);
}

static void reads_no_octet_too_many(void)
{
	begin();
	guard_each_prefix(span_text(notify_print()), receive_prefix, NULL);
	guard_each_prefix(span_text(notify_with(URL_BODY)), receive_prefix, NULL);
	guard_each_prefix(span_text(response("SIP/2.0 200 OK", SERVER_NAME)), receive_prefix, NULL);
}

int main(void)
{
	if (phone_effects_init(&effects) != 0) {
		return 1;
	}
	RUN(writes_the_579_bytes_of_the_manual);
	RUN(writes_the_corpus_file_of_the_manual);
	RUN(refuses_an_identity_that_cannot_be_written);
	RUN(resends_for_five_seconds_and_gives_up);
	RUN(makes_new_ids_each_time);
	RUN(takes_a_200_and_a_notify_in_rfc_form);
	RUN(takes_the_printed_200_and_the_printed_notify);
	RUN(takes_a_notify_before_the_200);
	RUN(takes_a_202_as_a_200);
	RUN(counts_the_first_response_alone);
	RUN(gives_up_on_a_refusal);
	RUN(slows_down_after_a_100);
	RUN(discards_responses_that_are_not_ours);
	RUN(answers_copies_of_the_notify_with_the_same_octets);
	RUN(does_not_believe_a_second_server);
	RUN(refuses_requests_that_are_not_its_notify);
	RUN(is_silent_where_sip_is_silent);
	RUN(listens_to_the_allowed_alone);
	RUN(takes_the_url_as_it_stands);
	RUN(waits_32_seconds_for_the_notify);
	RUN(answers_to_where_the_via_says);
	RUN(copies_record_routes);
	RUN(hides_credentials_in_events);
	RUN(reads_no_octet_too_many);
	phone_effects_free(&effects);
	return test_end();
}

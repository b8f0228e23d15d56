/* SPDX-License-Identifier: MIT */
#include "core/sip/client_transaction.h"
#include "core/sip/multi_index.h"
#include "core/sip/server_transaction.h"
#include "core/sip/timer_list.h"
#include "tests/test.h"

#include <errno.h>

static const struct endpoint phone = {{4, {10, 13, 2, 37}}, 5060};
static const struct endpoint other_phone = {{4, {10, 13, 2, 38}}, 5060};
static const struct endpoint server = {{4, {10, 13, 4, 121}}, 5060};

static struct random test_random(void)
{
	struct random r;

	random_init_number(&r, 1);
	return r;
}

static struct client_transactions *new_clients(size_t count_max, size_t bytes_max)
{
	struct random r = test_random();
	struct client_transactions_options options = {count_max, bytes_max};
	struct client_transactions *clients = NULL;

	CHECK_EQUAL(0, client_transactions_new(&clients, &options, &r));
	return clients;
}

static struct client_request request_of(const struct client_transactions *clients,
					const char *branch)
{
	return (struct client_request){
		.key = client_key_of_branch(clients, span_text(branch), SPAN("NOTIFY")),
		.to = phone,
		.from = server,
		.interface = 2,
		.device = {{0, 1, 2, 3, 4, 5}},
		.give_up_ms = sip_timer_f_ms,
		.bytes = SPAN("NOTIFY sip:x SIP/2.0\r\n\r\n"),
	};
}

static void lists_of_timers_keep_their_order(void)
{
	struct timer_list list = timer_list_of(100);
	struct timer timers[4] = {0};

	CHECK_EQUAL(UINT64_MAX, timer_list_next_wake(&list));
	for (unsigned i = 0; i < 4; i++) {
		timer_start(&list, &timers[i], i);
	}
	timer_stop(&timers[1]);
	timer_stop(&timers[1]);
	timer_start(&list, &timers[0], 10);
	CHECK_EQUAL(102, timer_list_next_wake(&list));
	CHECK(timer_list_take_due(&list, 101) == NULL);
	CHECK(timer_list_take_due(&list, 102) == &timers[2]);
	CHECK(timer_list_take_due(&list, 200) == &timers[3]);
	CHECK(timer_is_running(&timers[0]));
	CHECK(timer_list_take_due(&list, 200) == &timers[0]);
	CHECK(timer_list_take_due(&list, 200) == NULL);
	/* A clock that goes back does not put a timer before those that were started earlier. */
	timer_start(&list, &timers[0], 1000);
	timer_start(&list, &timers[1], 10);
	CHECK(timer_list_take_due(&list, 1099) == NULL);
	CHECK(timer_list_take_due(&list, 1100) == &timers[0]);
	CHECK(timer_list_take_due(&list, 1100) == &timers[1]);
}

static void an_index_holds_several_of_one_key(void)
{
	struct random r = test_random();
	struct multi_index index;
	struct multi_link links[5] = {0};

	multi_index_init(&index, 2, &r);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(0, multi_index_add(&index, &links[i], SPAN("a")));
	}
	CHECK_EQUAL(0, multi_index_add(&index, &links[3], SPAN("b")));
	CHECK_EQUAL(-ENOSPC, multi_index_add(&index, &links[4], SPAN("c")));
	CHECK_EQUAL(-EINVAL, multi_index_add(&index, &links[4], SPAN("0123456789012345678901234")));
	multi_index_remove(&index, &links[4]);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(multi_index_find(&index, SPAN("a")) != NULL);
		multi_index_remove(&index, multi_index_find(&index, SPAN("a")));
	}
	CHECK(multi_index_find(&index, SPAN("a")) == NULL);
	CHECK(multi_index_find(&index, SPAN("b")) == &links[3]);
	multi_index_remove(&index, &links[3]);
	CHECK_EQUAL(0, index.table.count);
	multi_index_free(&index);
}

/* R-3261-55, 56; the timing table: 11 copies, stop at 32 s. */
static void a_dead_phone_gets_eleven_copies(void)
{
	static const uint64_t sent_ms[] = {500,	  1500,	 3500,	7500,  11500,
					   15500, 19500, 23500, 27500, 31500};
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request request = request_of(clients, "z9hG4bKa");
	struct client_event event;
	unsigned resent = 0;

	CHECK_EQUAL(0, client_transactions_start(clients, &request, 7000));
	for (;;) {
		uint64_t wake_ms = client_transactions_next_wake(clients);

		REQUIRE(wake_ms != UINT64_MAX);
		CHECK(!client_transactions_expire(clients, wake_ms - 1, &event));
		REQUIRE(client_transactions_expire(clients, wake_ms, &event));
		if (event.kind == CLIENT_TIMEOUT) {
			CHECK_EQUAL(7000 + 32000, wake_ms);
			break;
		}
		CHECK_EQUAL(CLIENT_RESEND, event.kind);
		REQUIRE(resent < 10);
		CHECK_EQUAL(7000 + sent_ms[resent], wake_ms);
		CHECK_SPAN(request.bytes, event.bytes);
		CHECK(endpoint_equal(phone, event.to));
		CHECK(endpoint_equal(server, event.from));
		CHECK_EQUAL(2, event.interface);
		resent++;
		CHECK_EQUAL(resent, event.resent);
	}
	CHECK_EQUAL(10, resent);
	CHECK_EQUAL(UINT64_MAX, client_transactions_next_wake(clients));
	CHECK_EQUAL(0, client_transactions_count(clients).count);
	CHECK_EQUAL(0, client_transactions_count(clients).bytes);
	client_transactions_free(clients);
}

/* Who wakes up late sends nothing that is over. */
static void a_late_wake_does_not_resend_what_timed_out(void)
{
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request request = request_of(clients, "z9hG4bKa");
	struct client_event event;

	CHECK_EQUAL(0, client_transactions_start(clients, &request, 0));
	REQUIRE(client_transactions_expire(clients, 100000, &event));
	CHECK_EQUAL(CLIENT_TIMEOUT, event.kind);
	CHECK(!client_transactions_expire(clients, 100000, &event));
	client_transactions_free(clients);
}

/* R-3261-57: after a 1xx every T2, until Timer F. */
static void a_provisional_slows_resending_down(void)
{
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request request = request_of(clients, "z9hG4bKa");
	struct client_event event;

	CHECK_EQUAL(0, client_transactions_start(clients, &request, 0));
	REQUIRE(client_transactions_respond(clients, request.key, 100, 200, &event));
	CHECK_EQUAL(CLIENT_PROVISIONAL, event.kind);
	REQUIRE(client_transactions_expire(clients, 500, &event));
	CHECK_EQUAL(CLIENT_RESEND, event.kind);
	CHECK_EQUAL(4500, client_transactions_next_wake(clients));
	REQUIRE(client_transactions_respond(clients, request.key, 200, 600, &event));
	CHECK_EQUAL(CLIENT_FINAL, event.kind);
	client_transactions_free(clients);
}

/* R-3261-58: told once; Timer K absorbs copies for 5 s. */
static void a_final_response_is_told_once(void)
{
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request request = request_of(clients, "z9hG4bKa");
	struct client_event event;

	CHECK_EQUAL(0, client_transactions_start(clients, &request, 0));
	CHECK_EQUAL(-EEXIST, client_transactions_start(clients, &request, 0));
	REQUIRE(client_transactions_respond(clients, request.key, 200, 100, &event));
	CHECK_EQUAL(CLIENT_FINAL, event.kind);
	CHECK_EQUAL(0, client_transactions_count(clients).bytes);
	REQUIRE(client_transactions_respond(clients, request.key, 481, 200, &event));
	CHECK_EQUAL(CLIENT_COPY, event.kind);
	CHECK_EQUAL(100 + sip_t4_ms, client_transactions_next_wake(clients));
	CHECK(!client_transactions_expire(clients, 100 + sip_t4_ms - 1, &event));
	CHECK(client_transactions_look(clients, request.key, &event));
	CHECK(!client_transactions_expire(clients, 100 + sip_t4_ms, &event));
	CHECK(!client_transactions_respond(clients, request.key, 200, 6000, &event));
	client_transactions_free(clients);
}

/* R-3261-60: branch (in any case, it is a token) and method of CSeq. */
static void responses_match_by_branch_and_method(void)
{
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request request = request_of(clients, "z9hG4bKab");
	struct client_event event;
	struct client_key key;

	CHECK_EQUAL(0, client_transactions_start(clients, &request, 0));
	key = client_key_of_branch(clients, SPAN("z9hG4bKac"), SPAN("NOTIFY"));
	CHECK(!client_transactions_look(clients, key, &event));
	key = client_key_of_branch(clients, SPAN("z9hG4bKab"), SPAN("SUBSCRIBE"));
	CHECK(!client_transactions_look(clients, key, &event));
	key = client_key_of_branch(clients, SPAN("Z9HG4BKAB"), SPAN("NOTIFY"));
	CHECK(client_transactions_look(clients, key, &event));
	client_transactions_free(clients);
}

/* audiocodes.md 6.5: the print form gives up after five seconds. */
static void giving_up_early_stops_after_five_seconds(void)
{
	static const uint64_t sent_ms[] = {500, 1500, 3500};
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request request = request_of(clients, "x");
	struct client_event event;

	request.key = client_key_of_source(clients, phone.address, SPAN("call"), 1, SPAN("NOTIFY"));
	request.give_up_ms = client_give_up_early_ms;
	CHECK_EQUAL(0, client_transactions_start(clients, &request, 0));
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(sent_ms[i], client_transactions_next_wake(clients));
		REQUIRE(client_transactions_expire(clients, sent_ms[i], &event));
		CHECK_EQUAL(CLIENT_RESEND, event.kind);
	}
	REQUIRE(client_transactions_expire(clients, 5000, &event));
	CHECK_EQUAL(CLIENT_TIMEOUT, event.kind);
	CHECK_EQUAL(client_give_up_early_ms, event.give_up_ms);
	CHECK(!client_transactions_expire(clients, 5000, &event));
	client_transactions_free(clients);
}

/* R-3261-59, 79: one phone's ICMP error ends its own transactions, those of others stay. */
static void unreachable_ends_one_endpoint_only(void)
{
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request first = request_of(clients, "a");
	struct client_request second = request_of(clients, "b");
	struct client_request third = request_of(clients, "c");
	struct client_event event;

	third.to = other_phone;
	CHECK_EQUAL(0, client_transactions_start(clients, &first, 0));
	CHECK_EQUAL(0, client_transactions_start(clients, &second, 0));
	CHECK_EQUAL(0, client_transactions_start(clients, &third, 0));
	CHECK(client_transactions_unreachable(clients, phone, &event));
	CHECK_EQUAL(CLIENT_UNREACHABLE, event.kind);
	CHECK(client_transactions_unreachable(clients, phone, &event));
	CHECK(!client_transactions_unreachable(clients, phone, &event));
	CHECK_EQUAL(1, client_transactions_count(clients).count);
	CHECK(client_transactions_look(clients, third.key, &event));
	/* One that was answered does not care. */
	CHECK(client_transactions_respond(clients, third.key, 200, 0, &event));
	CHECK(!client_transactions_unreachable(clients, other_phone, &event));
	client_transactions_free(clients);
}

static void a_fetch_stops_the_device_only(void)
{
	struct client_transactions *clients = new_clients(8, 4096);
	struct client_request first = request_of(clients, "a");
	struct client_request second = request_of(clients, "b");

	second.device.octets[5] = 9;
	CHECK_EQUAL(0, client_transactions_start(clients, &first, 0));
	CHECK_EQUAL(0, client_transactions_start(clients, &second, 0));
	CHECK_EQUAL(1, client_transactions_stop_device(clients, first.device));
	CHECK_EQUAL(0, client_transactions_stop_device(clients, first.device));
	CHECK_EQUAL(1, client_transactions_count(clients).count);
	client_transactions_free(clients);
}

/* security.md B16: bounded by count and by octets, and nobody else suffers. */
static void full_tables_refuse_the_new(void)
{
	struct client_transactions *clients = new_clients(2, 4096);
	struct client_request a = request_of(clients, "a");
	struct client_request b = request_of(clients, "b");
	struct client_request c = request_of(clients, "c");
	struct client_event event;

	CHECK_EQUAL(0, client_transactions_start(clients, &a, 0));
	CHECK_EQUAL(0, client_transactions_start(clients, &b, 0));
	CHECK_EQUAL(-ENOSPC, client_transactions_start(clients, &c, 0));
	CHECK(client_transactions_look(clients, a.key, &event));
	CHECK(client_transactions_look(clients, b.key, &event));
	CHECK_EQUAL(1, client_transactions_count(clients).full);
	client_transactions_abandon(clients, a.key);
	CHECK_EQUAL(0, client_transactions_start(clients, &c, 0));
	client_transactions_free(clients);

	clients = new_clients(8, 2 * a.bytes.length);
	CHECK_EQUAL(0, client_transactions_start(clients, &a, 0));
	CHECK_EQUAL(0, client_transactions_start(clients, &b, 0));
	CHECK_EQUAL(-ENOSPC, client_transactions_start(clients, &c, 0));
	CHECK_EQUAL(2 * a.bytes.length, client_transactions_count(clients).bytes);
	client_transactions_free(clients);
}

/* ---- server transactions ------------------------------------------------------------------ */

static struct server_transactions *new_servers(size_t count_max)
{
	struct random r = test_random();
	struct server_transactions_options options = {count_max};
	struct server_transactions *servers = NULL;

	CHECK_EQUAL(0, server_transactions_new(&servers, &options, &r));
	return servers;
}

struct parts {
	const char *method, *uri, *via, *from, *to, *call_id, *cseq;
};

static const struct parts base = {"SUBSCRIBE",
				  "sip:a@10.0.0.1",
				  "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bKone",
				  "<sip:b@10.0.0.2>;tag=f",
				  "<sip:a@10.0.0.1>",
				  "call",
				  "1"};

static struct server_key key_of(const struct server_transactions *servers, struct parts p)
{
	static struct sip_message message;
	static char text[2048];
	int length = snprintf(text, sizeof(text),
			      "%s %s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\n"
			      "Call-ID: %s\r\nCSeq: %s %s\r\n\r\n",
			      p.method, p.uri, p.via, p.from, p.to, p.call_id, p.cseq, p.method);

	CHECK_EQUAL(0, sip_message_parse(&message, span_make(text, (size_t)length)));
	return server_key_of(servers, &message, phone.address, SIP_METHOD_SUBSCRIBE);
}

static enum server_match match(const struct server_transactions *servers, struct parts p)
{
	struct server_answer answer;
	struct server_key key = key_of(servers, p);

	return server_transactions_match(servers, &key, false, &answer);
}

/* R-3261-62, 63, 67 */
static void trying_absorbs_and_completed_repeats(void)
{
	struct server_transactions *servers = new_servers(8);
	struct server_key key = key_of(servers, base);
	struct server_answer answer = {phone, server, 2, 1, 576};
	struct server_answer kept;
	struct parts other = base;

	CHECK_EQUAL(SERVER_NEW, match(servers, base));
	CHECK_EQUAL(0, server_transactions_begin(servers, &key, 1000));
	CHECK_EQUAL(-EEXIST, server_transactions_begin(servers, &key, 1000));
	CHECK_EQUAL(SERVER_TRYING, match(servers, base));
	CHECK_EQUAL(0, server_transactions_answer(servers, &key, &answer, 1500));
	/* R-3261-63: other final responses are dropped in Completed. */
	CHECK_EQUAL(-EEXIST, server_transactions_answer(servers, &key, &answer, 1600));
	CHECK_EQUAL(SERVER_ANSWERED, server_transactions_match(servers, &key, true, &kept));
	CHECK_EQUAL(1, kept.form);
	CHECK_EQUAL(576, kept.length_min);
	CHECK(endpoint_equal(phone, kept.to));
	CHECK_EQUAL(2, kept.interface);
	other.call_id = "another";
	CHECK_EQUAL(SERVER_ALTERED, match(servers, other));
	CHECK_EQUAL(1500 + 32000, server_transactions_next_wake(servers));
	server_transactions_expire(servers, 33499);
	CHECK_EQUAL(SERVER_ANSWERED, match(servers, base));
	server_transactions_expire(servers, 33500);
	CHECK_EQUAL(SERVER_NEW, match(servers, base));
	CHECK_EQUAL(0, server_transactions_count(servers).count);
	CHECK_EQUAL(UINT64_MAX, server_transactions_next_wake(servers));
	server_transactions_free(servers);
}

/* The same for a request that is answered at once. */
static void what_is_answered_at_once_is_repeated_too(void)
{
	struct server_transactions *servers = new_servers(1);
	struct server_key key = key_of(servers, base);
	struct server_answer answer = {phone, server, 2, 1, 576};
	struct server_answer kept;
	struct parts p = base;

	CHECK_EQUAL(0, server_transactions_answer(servers, &key, &answer, 1500));
	CHECK_EQUAL(-EEXIST, server_transactions_begin(servers, &key, 1500));
	CHECK_EQUAL(-EEXIST, server_transactions_answer(servers, &key, &answer, 1600));
	CHECK_EQUAL(SERVER_ANSWERED, server_transactions_match(servers, &key, true, &kept));
	CHECK(endpoint_equal(server, kept.from));
	CHECK_EQUAL(576, kept.length_min);
	p.cseq = "2";
	p.via = "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bKtwo";
	key = key_of(servers, p);
	CHECK_EQUAL(-ENOSPC, server_transactions_answer(servers, &key, &answer, 1600));
	CHECK_EQUAL(1, server_transactions_count(servers).full);
	CHECK_EQUAL(1500 + 32000, server_transactions_next_wake(servers));
	server_transactions_expire(servers, 33500);
	CHECK_EQUAL(0, server_transactions_count(servers).count);
	server_transactions_free(servers);
}

/* R-3261-65: branch with cookie + sent-by + method. */
static void requests_match_by_branch_sent_by_and_method(void)
{
	struct server_transactions *servers = new_servers(8);
	struct server_key key = key_of(servers, base);
	struct parts p = base;

	CHECK_EQUAL(0, server_transactions_begin(servers, &key, 0));
	p.call_id = "another"; /* not part of the match */
	p.uri = "sip:else@10.0.0.1";
	CHECK_EQUAL(SERVER_TRYING, match(servers, p));
	p.via = "SIP/2.0/UDP 10.13.2.37;branch=Z9HG4BKONE"; /* 5060 is the default port */
	CHECK_EQUAL(SERVER_TRYING, match(servers, p));
	p.via = "SIP/2.0/UDP 10.13.2.37:5061;branch=z9hG4bKone";
	CHECK_EQUAL(SERVER_NEW, match(servers, p));
	p.via = "SIP/2.0/UDP 10.13.2.38:5060;branch=z9hG4bKone";
	CHECK_EQUAL(SERVER_NEW, match(servers, p));
	p.via = "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bKtwo";
	CHECK_EQUAL(SERVER_NEW, match(servers, p));
	p = base;
	p.call_id = "another";
	p.method = "OPTIONS";
	CHECK_EQUAL(SERVER_NEW, match(servers, p));
	/* RFC 3261 9.1: a CANCEL has the branch of what it cancels. */
	p.method = "CANCEL";
	CHECK_EQUAL(SERVER_TRYING, match(servers, p));
	server_transactions_free(servers);
}

/* R-3261-66: old Snoms put no branch into their Via. */
static void requests_without_a_cookie_match_as_in_rfc_2543(void)
{
	struct server_transactions *servers = new_servers(8);
	struct parts p = base;
	struct server_key key;

	p.via = "SIP/2.0/UDP 10.13.2.37:5060;rport";
	key = key_of(servers, p);
	CHECK_EQUAL(0, server_transactions_begin(servers, &key, 0));
	CHECK_EQUAL(SERVER_TRYING, match(servers, p));
	for (unsigned i = 0; i < 6; i++) {
		struct parts q = p;

		q.uri = i == 0 ? "sip:b@10.0.0.1" : q.uri;
		q.to = i == 1 ? "<sip:a@10.0.0.1>;tag=t" : q.to;
		q.from = i == 2 ? "<sip:b@10.0.0.2>;tag=g" : q.from;
		q.call_id = i == 3 ? "other" : q.call_id;
		q.cseq = i == 4 ? "2" : q.cseq;
		q.via = i == 5 ? "SIP/2.0/UDP 10.13.2.37:5060" : q.via;
		CHECK(match(servers, q) != SERVER_TRYING);
	}
	p.method = "CANCEL";
	CHECK_EQUAL(SERVER_TRYING, match(servers, p));
	server_transactions_free(servers);
}

/* R-3261-23 */
static void the_same_request_by_another_way_is_merged(void)
{
	struct server_transactions *servers = new_servers(8);
	struct server_key key = key_of(servers, base);
	struct server_answer answer;
	struct parts p = base;

	CHECK_EQUAL(0, server_transactions_begin(servers, &key, 0));
	p.via = "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bKtwo";
	CHECK_EQUAL(SERVER_MERGED, match(servers, p));
	key = key_of(servers, p);
	CHECK_EQUAL(SERVER_NEW, server_transactions_match(servers, &key, true, &answer));
	p.cseq = "2";
	CHECK_EQUAL(SERVER_NEW, match(servers, p));
	server_transactions_expire(servers, 32000);
	p.cseq = "1";
	CHECK_EQUAL(SERVER_NEW, match(servers, p));
	server_transactions_free(servers);
}

static void full_server_tables_refuse_the_new(void)
{
	struct server_transactions *servers = new_servers(1);
	struct server_key key = key_of(servers, base);
	struct server_key other;
	struct parts p = base;

	p.via = "SIP/2.0/UDP 10.13.2.37:5060;branch=z9hG4bKtwo";
	other = key_of(servers, p);
	CHECK_EQUAL(0, server_transactions_begin(servers, &key, 0));
	CHECK_EQUAL(-ENOSPC, server_transactions_begin(servers, &other, 0));
	CHECK_EQUAL(1, server_transactions_count(servers).full);
	CHECK_EQUAL(SERVER_TRYING, match(servers, base));
	server_transactions_end(servers, &key);
	server_transactions_end(servers, &key);
	CHECK_EQUAL(0, server_transactions_count(servers).count);
	server_transactions_free(servers);
}

/* R-3261-31 to 33: a function of the request and a secret. */
static void tags_are_a_function_of_the_request(void)
{
	struct server_transactions *servers = new_servers(8);
	struct parts p = base;
	struct server_key key = key_of(servers, base);
	struct server_key datagram = server_key_of_datagram(servers, SPAN("broken"), phone.address);
	char tags[4][server_tag_size];

	server_tag_of(servers, &key, tags[0]);
	server_tag_of(servers, &key, tags[1]);
	p.cseq = "2";
	key = key_of(servers, p);
	server_tag_of(servers, &key, tags[2]);
	server_tag_of(servers, &datagram, tags[3]);
	CHECK(strlen(tags[0]) == 16);
	CHECK(strcmp(tags[0], tags[1]) == 0);
	CHECK(strcmp(tags[0], tags[2]) != 0);
	CHECK(strcmp(tags[0], tags[3]) != 0);
	server_transactions_free(servers);
}

int main(void)
{
	RUN(lists_of_timers_keep_their_order);
	RUN(an_index_holds_several_of_one_key);
	RUN(a_dead_phone_gets_eleven_copies);
	RUN(a_late_wake_does_not_resend_what_timed_out);
	RUN(a_provisional_slows_resending_down);
	RUN(a_final_response_is_told_once);
	RUN(responses_match_by_branch_and_method);
	RUN(giving_up_early_stops_after_five_seconds);
	RUN(unreachable_ends_one_endpoint_only);
	RUN(a_fetch_stops_the_device_only);
	RUN(full_tables_refuse_the_new);
	RUN(trying_absorbs_and_completed_repeats);
	RUN(what_is_answered_at_once_is_repeated_too);
	RUN(requests_match_by_branch_sent_by_and_method);
	RUN(requests_without_a_cookie_match_as_in_rfc_2543);
	RUN(the_same_request_by_another_way_is_merged);
	RUN(full_server_tables_refuse_the_new);
	RUN(tags_are_a_function_of_the_request);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* What an HTTP connection does when the peer is slow, silent, too many or gone. */
#include "tests/io/http_house.h"

/* Time-outs. */

static void r_http_28_head_too_slow_is_408(void)
{
	static struct client silent;
	static struct client trickling;
	static struct client used;

	prepare();
	house.options.head_timeout_ms = soon_ms;
	open_server();
	connect_from(&silent, 1);
	say(&silent, "GET /a HTTP/1.1\r\nHos");
	WAIT_FOR(has_ended(&silent));
	CHECK(begins_with(&silent, "HTTP/1.1 408 "));
	CHECK_EQUAL(1, counters()->timeouts);
	/* Octet by octet is no excuse: the time is the head's, not the octet's. */
	connect_from(&trickling, 1);
	say(&trickling, "GET /a HTTP/1.1\r\nX: ");
	for (unsigned i = 0; i < patience_ms && !has_ended(&trickling); i++) {
		send(trickling.fd, "x", 1, MSG_NOSIGNAL);
		turn();
	}
	CHECK(begins_with(&trickling, "HTTP/1.1 408 "));
	CHECK_EQUAL(0, counters()->requests);
	/* Nor is it that the connection has served before. */
	connect_from(&used, 1);
	say(&used, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&used, "HTTP/1.1 200 "));
	say(&used, "GET /b HTTP/1.1\r\nHos");
	WAIT_FOR(has_ended(&used));
	CHECK(strstr(used.received, "HTTP/1.1 408 ") != NULL);
	hang_up(&used);
	hang_up(&silent);
	hang_up(&trickling);
	close_house();
}

static void r_http_28_body_too_slow_is_408(void)
{
	static struct client client;

	prepare();
	house.options.body_timeout_ms = soon_ms;
	open_server();
	connect_from(&client, 1);
	say(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123");
	WAIT_FOR(has_ended(&client));
	CHECK(begins_with(&client, "HTTP/1.1 408 "));
	CHECK_EQUAL(0, counters()->requests);
	CHECK_EQUAL(1, counters()->timeouts);
	hang_up(&client);
	close_house();
}

static void r_http_28_an_idle_connection_is_closed_without_a_word(void)
{
	static struct client fresh;
	static struct client used;

	prepare();
	house.options.idle_timeout_ms = soon_ms;
	open_server();
	connect_from(&fresh, 1);
	connect_from(&used, 1);
	say(&used, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_ended(&fresh));
	WAIT_FOR(has_ended(&used));
	CHECK_EQUAL(0, fresh.length);
	CHECK(begins_with(&used, "HTTP/1.1 200 "));
	CHECK(strstr(used.received, "408") == NULL);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(2, counters()->timeouts);
	hang_up(&fresh);
	hang_up(&used);
	close_house();
}

/* Refusals. */

static void every_refusal_is_told_with_its_reason(void)
{
	static const struct {
		const char *octets;
		unsigned status;
		const char *reason;
	} rows[] = {
		{"GET /a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400, "obs_fold"},
		{"GET /a HTTP/1.1\r\n\r\n", 400, "host"},
		{"GET /a\r\n", 400, "request_line"},
		{"FETCH /a HTTP/1.1\r\n", 501, "method"},
		{"GET /a HTTP/2.0\r\n", 505, "version"},
		{"PUT /a HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_served"},
		{"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413, "body"},
		{"GET /a HTTP/1.1\r\nHo", 408, "too_slow"},
	};
	static struct client client;
	char status[16];

	prepare();
	house.options.head_timeout_ms = soon_ms * 10;
	open_server();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		connect_from(&client, 7);
		say(&client, rows[i].octets);
		snprintf(status, sizeof(status), "HTTP/1.1 %u ", rows[i].status);
		WAIT_FOR(has_heard(&client, status));
		CHECK_EQUAL(i + 1, house.refused);
		CHECK_EQUAL(rows[i].status, house.refused_status);
		CHECK_TEXT(rows[i].reason, span_text(house.refused_reason));
		CHECK(address_equal(address_ipv4(127, 0, 0, 7), house.peer.source.address));
		hang_up(&client);
	}
	/* What the handler answers, and who leaves, is not the server's refusal. */
	connect_from(&client, 7);
	say(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b");
	WAIT_FOR(has_heard(&client, "HTTP/1.1 200 "));
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(sizeof(rows) / sizeof(rows[0]), house.refused);
	close_house();
}

/* Caps. */

static void r_http_28_connections_max_is_503(void)
{
	static struct client clients[5];

	prepare();
	house.options.connections_max = 2;
	open_server();
	for (unsigned i = 0; i < 2; i++) {
		connect_from(&clients[i], 1);
		say(&clients[i], "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
		WAIT_FOR(has_heard(&clients[i], "/a"));
	}
	connect_from(&clients[2], 2);
	WAIT_FOR(has_ended(&clients[2]));
	CHECK(begins_with(&clients[2], "HTTP/1.1 503 "));
	CHECK_EQUAL(1, counters()->refused_full);
	CHECK_EQUAL(503, house.refused_status);
	CHECK_TEXT("too_many_connections", span_text(house.refused_reason));
	/* The refused one still lingers, and must not take the place that becomes free. */
	hang_up(&clients[0]);
	WAIT_FOR(counters()->open == 2);
	connect_from(&clients[3], 3);
	say(&clients[3], "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&clients[3], "/b"));
	connect_from(&clients[4], 4);
	WAIT_FOR(has_ended(&clients[4]));
	CHECK(begins_with(&clients[4], "HTTP/1.1 503 "));
	for (unsigned i = 1; i < 5; i++) {
		hang_up(&clients[i]);
	}
	close_house();
}

static void r_http_28_one_source_keeps_nobody_else_out(void)
{
	static struct client clients[3];
	static struct client others[200];
	static struct client stranger;

	prepare();
	house.options.connections_max = 10;
	house.options.connections_per_source_max = 3;
	open_server();
	for (unsigned i = 0; i < 3; i++) {
		connect_from(&clients[i], 2);
		say(&clients[i], "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
		WAIT_FOR(has_heard(&clients[i], "/a"));
	}
	for (unsigned i = 0; i < 200; i++) {
		connect_from(&others[i], 2);
		WAIT_FOR(counters()->refused_source == i + 1);
	}
	CHECK_EQUAL(0, counters()->refused_full);
	CHECK_EQUAL(200, house.refused);
	CHECK_TEXT("too_many_from_source", span_text(house.refused_reason));
	CHECK_EQUAL(0, house.refused_status); /* so many linger with their 503 already */
	CHECK(counters()->open < 100);
	connect_from(&stranger, 3);
	say(&stranger, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&stranger, "/b"));
	hear(&others[0]);
	CHECK(begins_with(&others[0], "HTTP/1.1 503 "));
	for (unsigned i = 0; i < 200; i++) {
		hang_up(&others[i]);
	}
	WAIT_FOR(counters()->open == 4);
	/* One fewer, so there is room for one more, whatever lingers. */
	connect_from(&others[0], 2);
	WAIT_FOR(has_heard(&others[0], "HTTP/1.1 503 "));
	hang_up(&clients[0]);
	WAIT_FOR(counters()->open <= 4);
	connect_from(&clients[0], 2);
	say(&clients[0], "GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&clients[0], "/c"));
	for (unsigned i = 0; i < 3; i++) {
		hang_up(&clients[i]);
	}
	hang_up(&others[0]);
	hang_up(&stranger);
	close_house();
}

/* One request after the other. */

static void r_http_27_pipelined_requests_are_answered_in_order(void)
{
	static struct client client;
	const char *one;
	const char *two;
	const char *three;

	prepare();
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"
		     "POST /two HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
		     "GET /three HTTP/1.1\r\nHo");
	WAIT_FOR(house.held_count == 1);
	say(&client, "st: x\r\n\r\nGET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	CHECK_EQUAL(1, counters()->requests);
	CHECK_TEXT("", span_text(house.body));
	answer_text(house.held, "the first");
	WAIT_FOR(house.held_count == 2);
	answer_text(house.held, "the last");
	WAIT_FOR(has_heard(&client, "the last"));
	one = strstr(client.received, "the first");
	two = strstr(client.received, "/two");
	three = strstr(client.received, "/three");
	CHECK(one && two && three && one < two && two < three);
	CHECK(three && three < strstr(client.received, "the last"));
	CHECK_EQUAL(4, counters()->requests);
	WAIT_FOR(house.over_whole == 4);
	hang_up(&client);
	close_house();
}

static void r_http_28_29_body_limits_and_expectations(void)
{
	static struct client client;

	prepare();
	house.options.body_max = 8;
	open_server();
	connect_from(&client, 1);
	say(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
		     "Expect: 100-continue\r\n\r\n");
	WAIT_FOR(has_heard(&client, "HTTP/1.1 100 "));
	say(&client, "good");
	WAIT_FOR(has_heard(&client, "HTTP/1.1 200 "));
	CHECK_TEXT("good", span_text(house.body));
	say(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
		     "Expect: 100-continue\r\n\r\n");
	WAIT_FOR(has_ended(&client));
	CHECK(strstr(client.received, "HTTP/1.1 413 ") != NULL);
	CHECK_EQUAL(1, counters()->requests);
	hang_up(&client);
	close_house();
}

/* Ends. */

/* Closing over unread input would reset the connection and might take the answer along. */
static void r_http_26_a_refusal_arrives_over_unread_input(void)
{
	static char body[200000];
	static struct client client;
	size_t sent = 0;

	prepare();
	house.options.body_max = 8;
	open_server();
	connect_from(&client, 1);
	say(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
	for (unsigned i = 0; i < patience_ms && sent < sizeof(body); i++) {
		ssize_t count = send(client.fd, body + sent, sizeof(body) - sent,
				     MSG_NOSIGNAL | MSG_DONTWAIT);

		CHECK(count > 0 || errno == EAGAIN);
		sent += count > 0 ? (size_t)count : 0;
		turn();
	}
	CHECK_EQUAL(sizeof(body), sent);
	WAIT_FOR(has_ended(&client));
	CHECK(begins_with(&client, "HTTP/1.1 413 "));
	CHECK(!client.is_reset);
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	close_house();
}

/* It is not drained for ever: neither who goes on sending nor who never leaves keeps his place. */
static void r_http_26_draining_ends(void)
{
	static char piece[65536];
	static struct client busy;
	static struct client silent;
	size_t sent = 0;

	prepare();
	open_server();
	connect_from(&busy, 1);
	say(&busy, "BAD\r\n\r\n");
	WAIT_FOR(has_heard(&busy, "HTTP/1.1 400 "));
	for (unsigned i = 0; i < patience_ms && counters()->open > 0; i++) {
		ssize_t count = send(busy.fd, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += count > 0 ? (size_t)count : 0;
		turn();
	}
	CHECK_EQUAL(0, counters()->open);
	CHECK(sent < (64 << 20));
	connect_from(&silent, 1);
	say(&silent, "BAD\r\n\r\n");
	WAIT_FOR(has_heard(&silent, "HTTP/1.1 400 "));
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(0, counters()->timeouts);
	hang_up(&busy);
	hang_up(&silent);
	close_house();
}

/* Streams. */

static void a_stream_is_chunked_and_ends(void)
{
	static struct client client;
	static struct client old;

	prepare();
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.held_count == 1);
	CHECK_EQUAL(0, http_exchange_stream_write(house.held, SPAN("one\n")));
	WAIT_FOR(has_heard(&client, "4\r\none\n\r\n"));
	CHECK_EQUAL(0, http_exchange_stream_write(house.held, SPAN("")));
	CHECK_EQUAL(0, http_exchange_stream_write(house.held, SPAN("0123456789abcdef")));
	http_exchange_stream_end(house.held);
	WAIT_FOR(has_heard(&client, "10\r\n0123456789abcdef\r\n0\r\n\r\n"));
	WAIT_FOR(house.over_whole == 1);
	say(&client, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&client, "/next"));
	/* RFC 9112 7: HTTP/1.0 knows no chunks; the end is the end of the connection. */
	connect_from(&old, 1);
	say(&old, "GET /stream HTTP/1.0\r\n\r\n");
	WAIT_FOR(house.held_count == 2);
	CHECK_EQUAL(0, http_exchange_stream_write(house.held, SPAN("plain")));
	http_exchange_stream_end(house.held);
	WAIT_FOR(has_ended(&old));
	CHECK(strstr(old.received, "\r\n\r\nplain") != NULL);
	CHECK(strstr(old.received, "chunked") == NULL);
	hang_up(&client);
	hang_up(&old);
	close_house();
}

/* What comes meanwhile is thrown away, so what follows it could be the rest of a request. */
static void r_http_27_what_is_asked_during_a_stream_ends_the_connection_behind_it(void)
{
	static struct client client;

	prepare();
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&client, "HTTP/1.1 200 "));
	say(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\n");
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	CHECK_EQUAL(0, http_exchange_stream_write(house.held, SPAN("all")));
	http_exchange_stream_end(house.held);
	WAIT_FOR(has_heard(&client, "3\r\nall\r\n0\r\n\r\n"));
	say(&client, "GET /body HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_ended(&client));
	CHECK_EQUAL(1, counters()->requests);
	CHECK_EQUAL(1, house.over_whole);
	hang_up(&client);
	close_house();
}

static void a_stream_to_who_does_not_read_is_cut(void)
{
	static struct client client;
	static char piece[10000];
	int result = 0;

	prepare();
	house.options.stream_bytes_max = 100000;
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.held_count == 1);
	memset(piece, 'x', sizeof(piece));
	for (unsigned i = 0; i < patience_ms && result == 0; i++) {
		result = http_exchange_stream_write(house.held, span_make(piece, sizeof(piece)));
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	CHECK_EQUAL(-ENOBUFS, result);
	CHECK(http_exchange_is_gone(house.held));
	CHECK_EQUAL(-EPIPE, http_exchange_stream_write(house.held, SPAN("late")));
	CHECK_EQUAL(1, house.over);
	CHECK_EQUAL(0, house.over_whole);
	http_exchange_stream_end(house.held);
	WAIT_FOR(counters()->open == 0);
	/* What got through does not look like a whole answer. */
	WAIT_FOR(has_ended(&client));
	CHECK(begins_with(&client, "HTTP/1.1 200 "));
	CHECK(strstr(client.received, "\r\n0\r\n\r\n") == NULL);
	hang_up(&client);
	close_house();
}

static void who_leaves_a_stream_is_noticed(void)
{
	static struct client client;

	prepare();
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.held_count == 1);
	hang_up(&client);
	WAIT_FOR(house.over == 1);
	CHECK(http_exchange_is_gone(house.held));
	CHECK_TEXT("the client left", span_text(house.cut_reason));
	CHECK_EQUAL(-EPIPE, http_exchange_stream_write(house.held, SPAN("late")));
	CHECK_EQUAL(1, counters()->open);
	http_exchange_stream_end(house.held);
	WAIT_FOR(counters()->open == 0);
	close_house();
}

static void closing_waits_for_what_is_held(void)
{
	static struct client client;

	prepare();
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.held_count == 1);
	http_server_close(house.server, closed, &house);
	WAIT_FOR(has_ended(&client));
	CHECK_TEXT("the server ends", span_text(house.cut_reason));
	CHECK_EQUAL(0, house.cut_after);
	CHECK(!house.is_closed);
	answer_text(house.held, "too late");
	WAIT_FOR(house.is_closed);
	CHECK_EQUAL(0, client.length);
	CHECK_EQUAL(0, uv_loop_close(&house.loop));
	hang_up(&client);
}

/* The unix socket. */

static void a_unix_socket_shows_who_is_there(void)
{
	static struct client client;
	char folder[] = "/tmp/bellhop-http-XXXXXX";
	char path[64];
	char problem[256] = "";
	struct stat info;

	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/socket", folder);
	prepare();
	house.options.connections_per_source_max = 1;
	open_server();
	CHECK_EQUAL(0, http_server_listen_unix(house.server, path, 0600, problem, sizeof(problem)));
	CHECK_EQUAL(0, stat(path, &info));
	CHECK_EQUAL(0600, info.st_mode & 0777);
	for (unsigned i = 0; i < 2; i++) { /* the cap of one source is not for it */
		client = (struct client){.fd = connect_unix(path)};
		REQUIRE(client.fd >= 0);
		say(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
		WAIT_FOR(has_heard(&client, "HTTP/1.1 200 "));
		CHECK(house.peer.has_credentials);
		CHECK_EQUAL(getuid(), house.peer.uid);
		CHECK_EQUAL(getgid(), house.peer.gid);
		CHECK_EQUAL(getpid(), house.peer.pid);
		CHECK_EQUAL(ADDRESS_NONE, house.peer.source.address.family);
	}
	CHECK_EQUAL(0, counters()->refused_source);
	hang_up(&client);
	close_house();
	unlink(path);
	rmdir(folder);
}

/* Left behind by a server that died; listened on; and no socket at all. */
static void a_stale_unix_socket_is_replaced_and_nothing_else(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/bellhop-http-XXXXXX";
	char path[64];
	char problem[256] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	prepare();
	open_server();
	CHECK_EQUAL(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	CHECK_EQUAL(0, listen(fd, 1));
	CHECK_EQUAL(-EADDRINUSE,
		    http_server_listen_unix(house.server, path, 0600, problem, sizeof(problem)));
	CHECK(strstr(problem, path) != NULL);
	close(fd);
	CHECK_EQUAL(0, http_server_listen_unix(house.server, path, 0600, problem, sizeof(problem)));
	fd = connect_unix(path);
	CHECK(fd >= 0);
	close(fd);
	close_house();
	unlink(path);
	prepare();
	open_server();
	fd = creat(path, 0600);
	CHECK(http_server_listen_unix(house.server, path, 0600, problem, sizeof(problem)) < 0);
	CHECK_EQUAL(0, access(path, F_OK));
	close(fd);
	close_house();
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	RUN(r_http_28_head_too_slow_is_408);
	RUN(r_http_28_body_too_slow_is_408);
	RUN(r_http_28_an_idle_connection_is_closed_without_a_word);
	RUN(every_refusal_is_told_with_its_reason);
	RUN(r_http_28_connections_max_is_503);
	RUN(r_http_28_one_source_keeps_nobody_else_out);
	RUN(r_http_27_pipelined_requests_are_answered_in_order);
	RUN(r_http_28_29_body_limits_and_expectations);
	RUN(r_http_26_a_refusal_arrives_over_unread_input);
	RUN(r_http_26_draining_ends);
	RUN(a_stream_is_chunked_and_ends);
	RUN(r_http_27_what_is_asked_during_a_stream_ends_the_connection_behind_it);
	RUN(a_stream_to_who_does_not_read_is_cut);
	RUN(who_leaves_a_stream_is_noticed);
	RUN(closing_waits_for_what_is_held);
	RUN(a_unix_socket_shows_who_is_there);
	RUN(a_stale_unix_socket_is_replaced_and_nothing_else);
	return test_end();
}

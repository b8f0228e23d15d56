/* SPDX-License-Identifier: MIT */
/*
 * HTTP over TLS on loopback: what a connection costs, how it ends, and what it does with peers that
 * are slow, silent or hostile. Clients are sockets of the same thread, as in test_http_server.c:
 * every wait is for something to happen; `patience_ms` only ends a test that fails.
 */
#include "io/http_connection.h"
#include "tests/test.h"
#include "tests/tls_client.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__)
enum { malloc_is_ours = false }; /* mallinfo2 knows nothing of it */
#else
enum { malloc_is_ours = true };
#endif

enum {
	patience_ms = 20000,
	soon_ms = 20,
	big_size = 60 << 20,
	slice_size = 65536, /* of io/http_body.c */
	received_max = 65536,
};

struct house {
	struct tls_house files;
	SSL_CTX *client;
	struct tls *tls;
	uv_loop_t loop;
	struct http_server_options options;
	struct http_server *server;
	struct http_exchange *held;
	int file; /* of /big */
	bool is_closed;
	unsigned over;
	unsigned over_whole;
	unsigned handshakes_told;
	struct tls_outcome outcome; /* the last told */
	struct endpoint source;
};

static struct house house;

struct client {
	int fd;
	SSL *ssl;
	bool has_ended; /* by close_notify */
	bool is_cut;
	size_t total; /* octets, ever */
	size_t length;
	char received[received_max + 1];
};

/* The server. */

static void over(void *data, bool is_whole)
{
	struct house *h = data;

	h->over++;
	h->over_whole += is_whole;
}

static void answer_big(struct http_exchange *exchange)
{
	struct http_parts parts = http_parts_whole(big_size);
	struct stat opened;

	house.file = memfd_create("big", MFD_CLOEXEC);
	if (house.file < 0 || ftruncate(house.file, big_size) != 0 ||
	    fstat(house.file, &opened) != 0) {
		abort();
	}
	http_exchange_answer_file(exchange, &(struct http_response){.status = 200}, dup(house.file),
				  &opened, &parts);
}

static void answer_path(struct http_exchange *exchange)
{
	http_exchange_answer(exchange, &(struct http_response){.status = 200},
			     http_exchange_request(exchange)->path);
}

static void handle(void *context, struct http_exchange *exchange)
{
	struct span path = http_exchange_request(exchange)->path;

	http_exchange_on_over(exchange, over, context);
	if (span_equal(path, SPAN("/big"))) {
		answer_big(exchange);
	} else if (span_equal(path, SPAN("/hold"))) {
		house.held = exchange;
	} else {
		answer_path(exchange);
	}
}

static void handshake_over(void *context, const struct http_peer *peer)
{
	struct house *h = context;

	h->handshakes_told++;
	h->outcome = *peer->tls;
	h->source = peer->source;
}

/* With time-outs that never come unless a test sets them. */
static void prepare(void)
{
	struct tls_options options = {.seed = {1}};

	house = (struct house){.file = -1};
	tls_house_open(&house.files);
	house.client = tls_client_context(0);
	certificates_need(
		tls_new(&house.tls, tls_house_context(&house.files, "server", ""), &options) == 0 &&
		uv_loop_init(&house.loop) == 0);
	http_server_defaults(&house.options);
	house.options.loop = &house.loop;
	house.options.handle = handle;
	house.options.handshake_over = handshake_over;
	house.options.context = &house;
	house.options.methods |= 1U << METHOD_POST;
	house.options.handshake_timeout_ms = 10 * patience_ms;
	house.options.head_timeout_ms = 10 * patience_ms;
	house.options.body_timeout_ms = 10 * patience_ms;
	house.options.idle_timeout_ms = 10 * patience_ms;
	house.options.send_timeout_ms = 10 * patience_ms;
}

static void open_server(void)
{
	struct endpoint here = {address_ipv4(127, 0, 0, 1), 0};
	char problem[256] = "";

	if (http_server_new(&house.server, &house.options) != 0 ||
	    http_server_listen_tls(house.server, here, house.tls, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		abort();
	}
}

static void closed(void *context)
{
	((struct house *)context)->is_closed = true;
}

static void turn(void)
{
	poll(NULL, 0, 1);
	uv_run(&house.loop, UV_RUN_NOWAIT);
}

/* Turns the loop until `condition` holds; a failed check when it never does. */
#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		unsigned turns = 0;                                                                \
		while (!(condition) && turns++ < patience_ms) {                                    \
			turn();                                                                    \
		}                                                                                  \
		CHECK(condition);                                                                  \
	} while (0)

static void close_house(void)
{
	http_server_close(house.server, closed, &house);
	WAIT_FOR(house.is_closed);
	CHECK_EQUAL(0, uv_loop_close(&house.loop));
	tls_free(house.tls);
	SSL_CTX_free(house.client);
	if (house.file >= 0) {
		close(house.file);
	}
	CHECK_EQUAL(0, tls_house_close(&house.files));
}

static const struct http_server_counters *counters(void)
{
	return http_server_counters(house.server);
}

static struct stream *server_stream(void)
{
	return &house.server->connections->stream;
}

/* Clients. */

static void connect_plain(struct client *client)
{
	struct sockaddr_in there = {.sin_family = AF_INET,
				    .sin_port = htons(http_server_port(house.server, 0)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int small = 4096;

	memset(client, 0, offsetof(struct client, received));
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&there, sizeof(there)) != 0 ||
	    fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0) {
		abort();
	}
}

static bool has_opened(struct client *client)
{
	int result = SSL_do_handshake(client->ssl);

	ERR_clear_error();
	return result == 1;
}

static void connect_tls(struct client *client)
{
	connect_plain(client);
	client->ssl = SSL_new(house.client);
	SSL_set_fd(client->ssl, client->fd);
	SSL_set_connect_state(client->ssl);
	WAIT_FOR(has_opened(client));
}

static bool has_said(struct client *client, struct span text)
{
	int result = SSL_write(client->ssl, text.data, (int)text.length);

	ERR_clear_error();
	return result == (int)text.length;
}

/* It fits the socket. */
static void say(struct client *client, const char *text)
{
	CHECK(has_said(client, span_text(text)));
}

/* Takes one record, if there is one; beyond received_max it is thrown away. */
static void hear(struct client *client)
{
	static char pit[tls_plain_size];
	bool is_full = client->length + sizeof(pit) > received_max;
	int count = SSL_read(client->ssl, is_full ? pit : client->received + client->length,
			     sizeof(pit));
	int error = SSL_get_error(client->ssl, count);

	ERR_clear_error();
	if (count > 0) {
		client->total += (size_t)count;
		client->length += is_full ? 0 : (size_t)count;
	} else if (error == SSL_ERROR_ZERO_RETURN) {
		client->has_ended = true;
	} else if (error != SSL_ERROR_WANT_READ) {
		client->is_cut = true;
	}
	client->received[client->length] = '\0';
}

static bool has_heard(struct client *client, const char *text)
{
	hear(client);
	return strstr(client->received, text) != NULL;
}

static bool is_over(struct client *client)
{
	if (!client->has_ended && !client->is_cut) {
		hear(client);
	}
	return client->has_ended || client->is_cut;
}

/* Of a plain socket. */
static bool has_ended(struct client *client)
{
	ssize_t count = recv(client->fd, client->received, received_max, MSG_DONTWAIT);

	client->total += count > 0 ? (size_t)count : 0;
	return count == 0 || (count < 0 && errno != EAGAIN);
}

/* Without a word, unless SSL_shutdown came before. */
static void hang_up(struct client *client)
{
	SSL_free(client->ssl);
	close(client->fd);
}

static struct client client;

/* What is asked and answered. */

static void requests_of_one_connection_are_answered_in_order(void)
{
	prepare();
	open_server();
	connect_tls(&client);
	WAIT_FOR(house.handshakes_told == 1);
	CHECK(house.outcome.is_open && !house.outcome.is_resumed);
	CHECK(address_equal(address_ipv4(127, 0, 0, 1), house.source.address));
	say(&client, "GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHo");
	WAIT_FOR(has_heard(&client, "/one"));
	say(&client, "st: x\r\n\r\nPOST /three HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
	WAIT_FOR(has_heard(&client, "/two"));
	say(&client, "body");
	WAIT_FOR(has_heard(&client, "/three"));
	say(&client, "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	WAIT_FOR(is_over(&client));
	CHECK(client.has_ended && strstr(client.received, "/last"));
	CHECK_EQUAL(4, house.over_whole);
	SSL_shutdown(client.ssl);
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(0, house.tls->counters.no_close_notify);
	close_house();
}

/* More than one read of the server holds: what is left over of it is taken up again. */
static void a_long_row_of_requests_is_answered_whole(void)
{
	enum { count = 4000 };
	static char row[count * 40];
	struct writer w = writer_over(row, sizeof(row));
	size_t said = 0;
	char last[32];

	prepare();
	open_server();
	connect_tls(&client);
	for (unsigned i = 0; i < count; i++) {
		writer_text(&w, "GET /");
		writer_padded(&w, i, 6);
		writer_text(&w, " HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	CHECK(!w.failed);
	snprintf(last, sizeof(last), "/%06u", count - 1);
	for (unsigned i = 0; i < patience_ms && !strstr(client.received, last); i++) {
		struct span rest = span_slice(writer_span(&w), said, said + 9999);

		if (rest.length > 0 && has_said(&client, rest)) {
			said += rest.length;
		}
		/* Only the end of what is heard is looked at. */
		client.length = 0;
		for (unsigned n = 0; n < 50 && !strstr(client.received, last); n++) {
			hear(&client);
		}
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	CHECK(strstr(client.received, last) != NULL);
	CHECK_EQUAL(count, house.over_whole);
	CHECK_EQUAL(count, counters()->requests);
	hang_up(&client);
	close_house();
}

/* What a peer may cost. */

static void a_slow_reader_of_a_big_file_costs_two_slices(void)
{
	size_t before;
	size_t most = 0;
	size_t most_queued = 0;

	prepare();
	open_server();
	connect_tls(&client);
	before = mallinfo2().uordblks;
	say(&client, "GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	WAIT_FOR(stream_queued(server_stream()) > 0); /* the kernel takes no more */
	for (unsigned i = 0; i < 2000; i++) {
		size_t queued = stream_queued(server_stream());
		size_t used = mallinfo2().uordblks;

		hear(&client); /* one record a turn */
		uv_run(&house.loop, UV_RUN_NOWAIT);
		most_queued = queued > most_queued ? queued : most_queued;
		most = used > before + most ? used - before : most;
	}
	CHECK(client.total < big_size); /* it was slow */
	CHECK(most_queued < slice_size + 4096);
	if (malloc_is_ours) {
		/* The slice, its records, and the record buffers of both ends. */
		CHECK(most < 2 * slice_size + 4 * 20000);
	}
	while (!is_over(&client) && house.over == 0) {
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	WAIT_FOR(is_over(&client));
	CHECK(client.has_ended);
	CHECK(client.total > big_size);
	CHECK_EQUAL(1, house.over_whole);
	hang_up(&client);
	close_house();
}

/* RFC 8446 4.6.3: each asks for an answer; who does not read them is not read from. */
static void a_flood_of_key_updates_is_held_back(void)
{
	size_t most = 0;
	unsigned said = 0;
	unsigned stuck = 0;
	int small = 65536;
	uv_os_fd_t fd;

	prepare();
	open_server();
	connect_tls(&client);
	CHECK_EQUAL(0, uv_fileno(&server_stream()->uv.handle, &fd));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	while (stuck < 500 && said < 200000) {
		bool is_said = SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
			       SSL_do_handshake(client.ssl) == 1;
		size_t queued = stream_queued(server_stream());

		ERR_clear_error();
		said += is_said;
		if (!is_said) {
			turn();
		} else if (said % 64 == 0) {
			uv_run(&house.loop, UV_RUN_NOWAIT);
		}
		stuck = is_said ? 0 : stuck + 1;
		most = queued > most ? queued : most;
	}
	CHECK_EQUAL(500, stuck); /* the server stopped reading, so the client had to stop writing */
	CHECK(most > 0 && most <= 2 * sizeof(house.server->scratch.input));
	CHECK_EQUAL(1, counters()->open);
	hang_up(&client);
	close_house();
}

/* Time and caps. */

static void a_handshake_that_takes_too_long_is_ended(void)
{
	static struct client half;

	prepare();
	house.options.handshake_timeout_ms = soon_ms;
	open_server();
	connect_plain(&client);
	connect_plain(&half);
	CHECK_EQUAL(3, send(half.fd, "\x16\x03\x01", 3, MSG_NOSIGNAL));
	WAIT_FOR(has_ended(&client));
	WAIT_FOR(has_ended(&half));
	CHECK_EQUAL(0, client.total + half.total);
	CHECK_EQUAL(2, counters()->timeouts);
	CHECK_EQUAL(2, house.tls->counters.failed[TLS_FAILURE_TIMED_OUT]);
	CHECK_EQUAL(2, house.handshakes_told);
	CHECK_EQUAL(TLS_FAILURE_TIMED_OUT, house.outcome.failure);
	WAIT_FOR(counters()->open == 0);
	hang_up(&client);
	hang_up(&half);
	close_house();
}

static void an_idle_connection_is_closed_in_good_order(void)
{
	prepare();
	house.options.idle_timeout_ms = soon_ms;
	open_server();
	connect_tls(&client);
	WAIT_FOR(is_over(&client));
	CHECK(client.has_ended && !client.is_cut);
	CHECK_EQUAL(1, counters()->timeouts);
	WAIT_FOR(counters()->open == 0);
	hang_up(&client);
	close_house();
}

static void a_head_that_is_too_slow_is_408_over_tls_too(void)
{
	prepare();
	house.options.head_timeout_ms = soon_ms;
	open_server();
	connect_tls(&client);
	say(&client, "GET /x HTTP/1.1\r\n");
	WAIT_FOR(is_over(&client));
	CHECK(strncmp(client.received, "HTTP/1.1 408 ", 13) == 0);
	CHECK(client.has_ended);
	hang_up(&client);
	close_house();
}

/* Saying 503 would cost the handshake that the cap is to spare. */
static void beyond_the_caps_there_is_no_handshake(void)
{
	static struct client second;

	prepare();
	house.options.connections_max = 1;
	open_server();
	connect_plain(&client); /* in its handshake: it counts */
	WAIT_FOR(counters()->open == 1);
	connect_plain(&second);
	WAIT_FOR(has_ended(&second));
	CHECK_EQUAL(0, second.total);
	CHECK_EQUAL(1, counters()->refused_full);
	hang_up(&client);
	hang_up(&second);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(1, house.tls->counters.failed[TLS_FAILURE_LEFT]);
	connect_tls(&client);
	hang_up(&client);
	close_house();
}

/* Ends. */

/* R-HTTP-33, RFC 8446 6.1: a cut must look like one. */
static void an_answer_that_is_cut_has_no_close_notify(void)
{
	prepare();
	open_server();
	connect_tls(&client);
	say(&client, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&client, "200 OK"));
	CHECK_EQUAL(0, ftruncate(house.file, big_size / 2));
	WAIT_FOR(is_over(&client));
	CHECK(client.is_cut && !client.has_ended);
	CHECK_EQUAL(1, house.over);
	CHECK_EQUAL(0, house.over_whole);
	hang_up(&client);
	close_house();
}

static void who_leaves_without_a_word_is_counted(void)
{
	prepare();
	open_server();
	connect_tls(&client);
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(1, house.tls->counters.no_close_notify);
	connect_tls(&client);
	SSL_shutdown(client.ssl);
	WAIT_FOR(is_over(&client));
	CHECK(client.has_ended); /* answered with ours */
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(1, house.tls->counters.no_close_notify);
	/* In the middle of a request, and in the middle of an answer. */
	connect_tls(&client);
	say(&client, "GET /x HT");
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	connect_tls(&client);
	say(&client, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&client, "200 OK"));
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(0, house.over_whole);
	close_house();
}

static void what_is_no_tls_ends_it(void)
{
	static const struct span rows[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
		{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14},
		{"\x16\x03\x01\xff\xff\x01\x00\xff\xfb\x03\x03", 11},
	};
	static const enum tls_failure failures[] = {TLS_FAILURE_PLAIN_HTTP, TLS_FAILURE_NO_TLS,
						    TLS_FAILURE_MALFORMED};

	prepare();
	open_server();
	for (unsigned i = 0; i < 3; i++) {
		connect_plain(&client);
		CHECK_EQUAL(rows[i].length,
			    send(client.fd, rows[i].data, rows[i].length, MSG_NOSIGNAL));
		WAIT_FOR(has_ended(&client));
		CHECK_EQUAL(i + 1, house.handshakes_told);
		CHECK_EQUAL(failures[i], house.outcome.failure);
		hang_up(&client);
	}
	WAIT_FOR(counters()->open == 0);
	CHECK_EQUAL(0, counters()->requests);
	close_house();
}

static void the_server_closes_with_everything_under_way(void)
{
	static struct client clients[4];

	prepare();
	open_server();
	connect_plain(&clients[0]);
	connect_tls(&clients[1]);
	connect_tls(&clients[2]);
	connect_tls(&clients[3]);
	say(&clients[2], "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&clients[2], "200 OK"));
	say(&clients[3], "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.held != NULL);
	http_server_close(house.server, closed, &house);
	answer_path(house.held);
	WAIT_FOR(house.is_closed);
	for (unsigned i = 1; i < 4; i++) {
		WAIT_FOR(is_over(&clients[i]));
		CHECK_EQUAL(i == 1, clients[i].has_ended); /* it alone had nothing to lose */
	}
	CHECK_EQUAL(0, house.over_whole);
	for (unsigned i = 0; i < 4; i++) {
		hang_up(&clients[i]);
	}
	CHECK_EQUAL(0, uv_loop_close(&house.loop));
	tls_free(house.tls);
	SSL_CTX_free(house.client);
	close(house.file);
	CHECK_EQUAL(0, tls_house_close(&house.files));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(requests_of_one_connection_are_answered_in_order);
	RUN(a_long_row_of_requests_is_answered_whole);
	RUN(a_slow_reader_of_a_big_file_costs_two_slices);
	RUN(a_flood_of_key_updates_is_held_back);
	RUN(a_handshake_that_takes_too_long_is_ended);
	RUN(an_idle_connection_is_closed_in_good_order);
	RUN(a_head_that_is_too_slow_is_408_over_tls_too);
	RUN(beyond_the_caps_there_is_no_handshake);
	RUN(an_answer_that_is_cut_has_no_close_notify);
	RUN(who_leaves_without_a_word_is_counted);
	RUN(what_is_no_tls_ends_it);
	RUN(the_server_closes_with_everything_under_way);
	return test_end();
}

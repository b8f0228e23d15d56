/* SPDX-License-Identifier: MIT */
/*
 * A real HTTP server on a loop that the test turns by hand, and clients that are plain sockets of
 * the same thread: `turn` runs the loop once, and every wait is for something to happen;
 * `patience_ms` only ends a test that fails.
 *
 * The handler answers with the path, holds /hold and /stream for the test, and sends a file of
 * house.file_size octets, whose octets are a function of their place, for /file (with conditions
 * and ranges). Bodies for /upload go into a file, those for /refuse are refused at the head.
 */
#ifndef BELLHOP_TESTS_IO_HTTP_HOUSE_H
#define BELLHOP_TESTS_IO_HTTP_HOUSE_H

#include "core/http/reply.h"
#include "io/http_server.h"
#include "tests/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	patience_ms = 20000,
	soon_ms = 20,
	big_size = 16 << 20,
	received_max = 200000,
};

struct house {
	uv_loop_t loop;
	struct http_server_options options;
	struct http_server *server;
	bool is_closed;
	struct http_exchange *held; /* of /hold and /stream */
	unsigned held_count;
	struct http_peer peer;	     /* of the last request */
	struct http_exchange *asked; /* the last */
	unsigned over;
	unsigned over_whole;
	const char *cut_reason; /* of the last that was not whole */
	uint64_t cut_after;	/* octets */
	unsigned refused;
	unsigned refused_status; /* the last */
	const char *refused_reason;
	char body[64]; /* of the last request */
	uint64_t file_size;
	int file;		  /* of so many octets; made by open_server */
	int (*open_upload)(void); /* a file for a body; at first one in memory */
	uint64_t upload_max;
	int upload; /* the last one, taken; -1: none, or why not */
	uint64_t upload_octets;
};

static struct house house;

struct client {
	int fd;
	bool is_ended;
	bool is_reset; /* and not in order */
	size_t length;
	char received[received_max + 1];
};

static inline void over(void *data, bool is_whole)
{
	struct house *h = data;

	h->over++;
	h->over_whole += is_whole;
	if (!is_whole) {
		h->cut_reason = http_exchange_cut_reason(h->asked);
		h->cut_after = http_exchange_octets_sent(h->asked);
	}
}

static inline void refused(void *context, const struct http_peer *peer, unsigned status,
			   const char *reason)
{
	struct house *h = context;

	h->refused++;
	h->peer = *peer;
	h->refused_status = status;
	h->refused_reason = reason;
}

static inline void answer_text(struct http_exchange *exchange, const char *text)
{
	http_exchange_answer(exchange,
			     &(struct http_response){.status = 200,
						     .content_type = SPAN("text/plain")},
			     span_text(text));
}

/* The octet at each place of the file. */
static inline char file_octet(uint64_t place)
{
	return (char)(place * 31 + place / 977 + place / 65536);
}

static inline void fill_file(int fd, uint64_t size)
{
	static char piece[65536];

	for (uint64_t at = 0; at < size; at += sizeof(piece)) {
		size_t length = size - at < sizeof(piece) ? (size_t)(size - at) : sizeof(piece);

		for (size_t i = 0; i < length; i++) {
			piece[i] = file_octet(at + i);
		}
		if (pwrite(fd, piece, length, (off_t)at) != (ssize_t)length) {
			abort();
		}
	}
}

static inline void answer_file(struct house *h, struct http_exchange *exchange)
{
	struct http_content content = {.content_type = SPAN("text/plain")};
	static struct http_reply reply;
	struct random random;
	struct stat opened;
	int fd = dup(h->file);

	if (fd < 0 || fstat(fd, &opened) != 0) {
		abort();
	}
	random_init_number(&random, 1);
	content.validators = (struct http_validators){SPAN("\"abc\""), 0, (uint64_t)opened.st_size};
	http_reply_make(&reply, http_exchange_request(exchange), &content, 0, &random);
	http_exchange_answer_file(exchange, &reply.response, fd, &opened, &reply.parts);
}

static inline int open_in_memory(void)
{
	return memfd_create("upload", MFD_CLOEXEC);
}

static inline void begin(void *context, struct http_exchange *exchange)
{
	struct house *h = context;
	struct span path = http_exchange_request(exchange)->path;

	if (span_equal(path, SPAN("/upload"))) {
		http_exchange_receive(exchange, h->open_upload(), h->upload_max);
	} else if (span_equal(path, SPAN("/refuse"))) {
		http_exchange_answer(exchange, &(struct http_response){.status = 403}, SPAN(""));
	}
}

static inline void take_upload(struct house *h, struct http_exchange *exchange)
{
	if (h->upload >= 0) {
		close(h->upload);
	}
	h->upload = http_exchange_take_file(exchange, &h->upload_octets);
	answer_text(exchange, h->upload >= 0 ? "stored" : "not stored");
}

static inline void handle(void *context, struct http_exchange *exchange)
{
	struct house *h = context;
	const struct http_request *request = http_exchange_request(exchange);

	h->asked = exchange;
	h->peer = *http_exchange_peer(exchange);
	span_to_text(request->body, h->body, sizeof(h->body));
	http_exchange_on_over(exchange, over, h);
	if (span_equal(request->path, SPAN("/hold"))) {
		h->held = exchange;
		h->held_count++;
	} else if (span_equal(request->path, SPAN("/stream"))) {
		http_exchange_stream_begin(exchange, &(struct http_response){.status = 200});
		h->held = exchange;
		h->held_count++;
	} else if (span_equal(request->path, SPAN("/file"))) {
		answer_file(h, exchange);
	} else if (span_equal(request->path, SPAN("/upload"))) {
		take_upload(h, exchange);
	} else {
		char path[64] = "";

		span_to_text(request->path, path, sizeof(path));
		answer_text(exchange, path);
	}
}

/* The house, with time-outs that never come unless a test sets them. */
static inline void prepare(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the programs do */
	house = (struct house){.file_size = big_size,
			       .open_upload = open_in_memory,
			       .upload_max = big_size,
			       .upload = -1};
	if (uv_loop_init(&house.loop) != 0) {
		abort();
	}
	http_server_defaults(&house.options);
	house.options.loop = &house.loop;
	house.options.begin = begin;
	house.options.handle = handle;
	house.options.refused = refused;
	house.options.context = &house;
	house.options.methods |= 1U << METHOD_POST;
	house.options.head_timeout_ms = 10 * patience_ms;
	house.options.body_timeout_ms = 10 * patience_ms;
	house.options.idle_timeout_ms = 10 * patience_ms;
	house.options.send_timeout_ms = 10 * patience_ms;
}

static inline void open_server(void)
{
	struct endpoint here = {address_ipv4(127, 0, 0, 1), 0};
	char problem[256] = "";

	house.file = memfd_create("file", MFD_CLOEXEC);
	if (house.file < 0) {
		abort();
	}
	fill_file(house.file, house.file_size);
	if (http_server_new(&house.server, &house.options) != 0 ||
	    http_server_listen_tcp(house.server, here, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		abort();
	}
}

static inline void closed(void *context)
{
	((struct house *)context)->is_closed = true;
}

static inline void turn(void)
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

static inline void close_house(void)
{
	http_server_close(house.server, closed, &house);
	WAIT_FOR(house.is_closed);
	CHECK_EQUAL(0, uv_loop_close(&house.loop));
	close(house.file);
	if (house.upload >= 0) {
		close(house.upload);
	}
}

static inline const struct http_server_counters *counters(void)
{
	return http_server_counters(house.server);
}

/* `from`: the last octet of the loopback address that it comes from. */
static inline void connect_from(struct client *client, uint8_t from)
{
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from)};
	struct sockaddr_in there = {.sin_family = AF_INET,
				    .sin_port = htons(http_server_port(house.server, 0)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int small = 4096;
	int yes = 1;

	client->is_ended = false;
	client->is_reset = false;
	client->length = 0;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (client->fd < 0 || bind(client->fd, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    connect(client->fd, (struct sockaddr *)&there, sizeof(there)) != 0) {
		abort();
	}
}

static inline int connect_unix(const char *path)
{
	struct sockaddr_un there = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(there.sun_path, sizeof(there.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void say(struct client *client, const char *text)
{
	if (send(client->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) {
		printf("# cannot send: %s\n", strerror(errno));
	}
}

/* Takes what is there; beyond received_max it is thrown away. */
static inline void hear(struct client *client)
{
	static char pit[65536];
	bool is_full = client->length == received_max;
	ssize_t count = recv(client->fd, is_full ? pit : client->received + client->length,
			     is_full ? sizeof(pit) : received_max - client->length, MSG_DONTWAIT);

	if (count == 0 || (count < 0 && errno != EAGAIN)) {
		client->is_ended = true;
		client->is_reset = count < 0;
	} else if (count > 0 && !is_full) {
		client->length += (size_t)count;
	}
	client->received[client->length] = '\0';
}

static inline bool has_heard(struct client *client, const char *text)
{
	hear(client);
	return strstr(client->received, text) != NULL;
}

static inline bool has_ended(struct client *client)
{
	hear(client);
	return client->is_ended;
}

static inline void hang_up(struct client *client)
{
	close(client->fd);
}

static inline bool begins_with(const struct client *client, const char *text)
{
	return strncmp(client->received, text, strlen(text)) == 0;
}

#endif

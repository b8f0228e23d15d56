/* SPDX-License-Identifier: MIT */
/* Bodies that go into files as they come: whole, too long, too slow, cut, and refused by the disk.
 */
#include "tests/io/http_house.h"

#include <fcntl.h>
#include <malloc.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>

/* The one thread of the pool, kept busy: nothing is written until it is let go. */
static struct {
	uv_work_t work;
	sem_t is_over;
	bool is_done;
} busy;

static void be_busy(uv_work_t *work)
{
	(void)work;
	while (sem_wait(&busy.is_over) != 0) {
	}
}

static void busy_done(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
	busy.is_done = true;
}

static void keep_disk_busy(void)
{
	busy.is_done = false;
	if (sem_init(&busy.is_over, 0, 0) != 0 ||
	    uv_queue_work(&house.loop, &busy.work, be_busy, busy_done) != 0) {
		abort();
	}
}

static void free_disk(void)
{
	sem_post(&busy.is_over);
	WAIT_FOR(busy.is_done);
	sem_destroy(&busy.is_over);
}

/* Octets first … last - 1 of the body: what fits now. How many. */
static uint64_t send_octets(struct client *client, uint64_t first, uint64_t last)
{
	static char piece[65536];
	size_t length = last - first < sizeof(piece) ? (size_t)(last - first) : sizeof(piece);
	ssize_t count;

	for (size_t i = 0; i < length; i++) {
		piece[i] = file_octet(first + i);
	}
	count = send(client->fd, piece, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	return count > 0 ? (uint64_t)count : 0;
}

static void send_body(struct client *client, uint64_t length)
{
	uint64_t sent = 0;

	WAIT_FOR((sent += send_octets(client, sent, length)) == length || has_ended(client));
}

static void say_head(struct client *client, uint64_t length, const char *fields)
{
	char head[256];

	snprintf(head, sizeof(head),
		 "POST /upload HTTP/1.1\r\nHost: x\r\n%sContent-Length: %ju\r\n\r\n", fields,
		 (uintmax_t)length);
	say(client, head);
}

/* What was taken is the first so many octets. */
static bool is_stored(uint64_t length)
{
	static char piece[65536];
	uint64_t at = 0;
	ssize_t count;

	while ((count = pread(house.upload, piece, sizeof(piece), (off_t)at)) > 0) {
		for (ssize_t i = 0; i < count; i++) {
			if (piece[i] != file_octet(at + (uint64_t)i)) {
				return false;
			}
		}
		at += (uint64_t)count;
	}
	return at == length && house.upload_octets == length;
}

static void a_body_goes_into_its_file(void)
{
	static const uint64_t sizes[] = {1, 65535, 65536, 65537, 200000, 5 << 20};
	static struct client client;

	prepare();
	house.options.body_max = 0; /* of those that are kept */
	open_server();
	connect_from(&client, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		client.length = 0;
		say_head(&client, sizes[i], "");
		send_body(&client, sizes[i]);
		WAIT_FOR(has_heard(&client, "\r\n\r\nstored"));
		CHECK(is_stored(sizes[i]));
		CHECK_TEXT("", span_text(house.body));
	}
	CHECK_EQUAL(sizeof(sizes) / sizeof(sizes[0]), house.over_whole);
	CHECK_EQUAL(1, counters()->connections);
	hang_up(&client);
	close_house();
}

static void r_http_27_what_follows_it_waits(void)
{
	static struct client client;

	prepare();
	open_server();
	connect_from(&client, 1);
	keep_disk_busy();
	say(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
		     "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n123"
		     "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
		     "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "2\r\n45\r\n1;x=y\r\n6\r\n0\r\nTrailer: t\r\n\r\n"
		     "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	WAIT_FOR(has_heard(&client, "\r\n\r\n/a"));
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	CHECK_EQUAL(1, counters()->requests);
	free_disk();
	WAIT_FOR(has_ended(&client));
	CHECK_EQUAL(5, counters()->requests);
	CHECK_EQUAL(5, house.over_whole);
	CHECK_EQUAL(3, house.upload_octets);
	CHECK(strstr(client.received, "\r\n\r\n/c"));
	hang_up(&client);
	close_house();
}

static void chunks_of_one_octet(void)
{
	static struct client client;
	char chunk[16];

	prepare();
	open_server();
	connect_from(&client, 1);
	say(&client, "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (uint64_t i = 0; i < 3000; i++) {
		snprintf(chunk, sizeof(chunk), "1\r\n%c\r\n", file_octet(i));
		chunk[3] = file_octet(i); /* which may be a NUL */
		CHECK_EQUAL(6, send(client.fd, chunk, 6, MSG_NOSIGNAL));
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	say(&client, "0\r\n\r\n");
	WAIT_FOR(has_heard(&client, "\r\n\r\nstored"));
	CHECK(is_stored(3000));
	hang_up(&client);
	close_house();
}

static void r_http_28_29_limits_and_expectations(void)
{
	static struct client client;
	static struct client chunks;

	prepare();
	house.options.body_max = 2;
	house.upload_max = 8;
	open_server();
	connect_from(&client, 1);
	say_head(&client, 8, "Expect: 100-continue\r\n");
	WAIT_FOR(has_heard(&client, "HTTP/1.1 100 "));
	send_body(&client, 8);
	WAIT_FOR(has_heard(&client, "\r\n\r\nstored"));
	/* Its limit is not that of the next one. */
	say(&client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
	WAIT_FOR(has_heard(&client, "\r\n\r\n/a"));
	client.length = 0;
	say_head(&client, 9, "Expect: 100-continue\r\n");
	WAIT_FOR(has_ended(&client));
	CHECK(begins_with(&client, "HTTP/1.1 413 "));
	hang_up(&client);
	connect_from(&chunks, 1);
	say(&chunks, "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "8\r\n12345678\r\n");
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	say(&chunks, "1\r\n");
	WAIT_FOR(has_ended(&chunks));
	CHECK(begins_with(&chunks, "HTTP/1.1 413 "));
	CHECK_EQUAL(2, counters()->requests);
	CHECK_EQUAL(2, counters()->bad_requests);
	hang_up(&chunks);
	WAIT_FOR(counters()->open == 0);
	close_house();
}

/* Nobody's octets are read while the disk has not taken those before: many uploads cost little. */
static void who_sends_faster_than_the_disk_waits(void)
{
	enum { senders = 20, cost_max = 160 * 1024, rounds = 400, length = 8 << 20 };
	static struct client clients[senders];
	static uint64_t sent[senders];
	struct mallinfo2 before;
	struct mallinfo2 after;

	prepare();
	open_server();
	keep_disk_busy();
	before = mallinfo2();
	for (size_t i = 0; i < senders; i++) {
		sent[i] = 0;
		connect_from(&clients[i], 1);
		say_head(&clients[i], length, "");
	}
	for (size_t i = 0; i < senders * rounds; i++) {
		size_t n = i % senders;

		sent[n] += send_octets(&clients[n], sent[n], length);
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	after = mallinfo2();
	CHECK(after.uordblks + after.hblkhd <
	      before.uordblks + before.hblkhd + senders * (size_t)cost_max);
	CHECK(sent[0] > 65536 && sent[0] < length);
	CHECK_EQUAL(0, counters()->requests);
	free_disk();
	for (size_t i = 0; i < senders; i++) {
		WAIT_FOR((sent[i] += send_octets(&clients[i], sent[i], length)) == length);
		WAIT_FOR(has_heard(&clients[i], "\r\n\r\nstored"));
		CHECK(is_stored(length));
		hang_up(&clients[i]);
	}
	close_house();
}

/* The disk. */

static int open_full(void)
{
	return open("/dev/full", O_RDWR | O_CLOEXEC);
}

static int copy_of_upload;

static int open_and_keep_copy(void)
{
	int fd = open_in_memory();

	copy_of_upload = dup(fd);
	return fd;
}

/* The answer arrives though the peer goes on sending, and is the last one. */
static void a_full_disk_is_told(void)
{
	static struct client client;

	prepare();
	house.open_upload = open_full;
	open_server();
	connect_from(&client, 1);
	say_head(&client, 200000, "");
	send_body(&client, 200000);
	WAIT_FOR(has_ended(&client));
	CHECK_EQUAL(-ENOSPC, house.upload);
	CHECK(strstr(client.received, "\r\n\r\nnot stored"));
	CHECK(strstr(client.received, "\r\nConnection: close\r\n"));
	CHECK(!client.is_reset);
	CHECK_EQUAL(1, house.over_whole);
	hang_up(&client);
	WAIT_FOR(counters()->open == 0);
	/* Nothing is left to be sent: the connection can go on. */
	connect_from(&client, 1);
	say_head(&client, 10, "");
	send_body(&client, 10);
	WAIT_FOR(has_heard(&client, "\r\n\r\nnot stored"));
	say(&client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&client, "\r\n\r\n/a"));
	hang_up(&client);
	close_house();
}

/* It takes what it can of one piece, and nothing of the rest. */
static void a_disk_that_becomes_full_is_told(void)
{
	static struct client client;
	struct rlimit before;
	struct rlimit little;
	struct stat info;

	REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
	little = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	prepare();
	house.open_upload = open_and_keep_copy;
	house.file_size = 0;
	open_server();
	REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
	connect_from(&client, 1);
	say_head(&client, 200000, "");
	send_body(&client, 200000);
	WAIT_FOR(has_ended(&client));
	CHECK_EQUAL(-EFBIG, house.upload);
	CHECK(strstr(client.received, "\r\n\r\nnot stored"));
	CHECK_EQUAL(0, fstat(copy_of_upload, &info));
	CHECK_EQUAL(100000, info.st_size);
	CHECK_EQUAL(0, setrlimit(RLIMIT_FSIZE, &before));
	close(copy_of_upload);
	hang_up(&client);
	close_house();
}

/* Ends. */

static int last_upload;

static int open_and_remember(void)
{
	last_upload = open_in_memory();
	return last_upload;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Between two pieces, and while one is being written. */
static void who_leaves_takes_the_file_along(void)
{
	static struct client client;

	for (int i = 0; i < 2; i++) {
		prepare();
		house.open_upload = open_and_remember;
		last_upload = -1;
		open_server();
		if (i == 1) {
			keep_disk_busy();
		}
		connect_from(&client, 1);
		say_head(&client, 200000, "");
		WAIT_FOR(last_upload >= 0);
		send_body(&client, 70000);
		for (unsigned j = 0; j < 10; j++) {
			turn();
		}
		hang_up(&client);
		if (i == 1) {
			CHECK(is_open(last_upload));
			free_disk();
		}
		WAIT_FOR(counters()->open == 0);
		CHECK(!is_open(last_upload));
		CHECK_EQUAL(0, counters()->requests);
		close_house();
	}
}

static void closing_waits_for_what_is_being_written(void)
{
	static struct client client;

	prepare();
	house.open_upload = open_and_remember;
	last_upload = -1;
	open_server();
	keep_disk_busy();
	connect_from(&client, 1);
	say_head(&client, 10, "");
	send_body(&client, 10);
	WAIT_FOR(last_upload >= 0);
	for (unsigned i = 0; i < 10; i++) {
		turn();
	}
	http_server_close(house.server, closed, &house);
	WAIT_FOR(has_ended(&client));
	CHECK(!house.is_closed);
	CHECK(is_open(last_upload));
	free_disk();
	WAIT_FOR(house.is_closed);
	CHECK(!is_open(last_upload));
	CHECK_EQUAL(0, client.length);
	CHECK_EQUAL(0, uv_loop_close(&house.loop));
	close(house.file);
	hang_up(&client);
}

/* Over unread input too: it is drained as elsewhere. */
static void r_http_26_a_refusal_at_the_head_does_not_wait_for_the_body(void)
{
	static struct client silent;
	static struct client eager;

	prepare();
	open_server();
	connect_from(&silent, 1);
	say(&silent, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
		     "Expect: 100-continue\r\n\r\n");
	WAIT_FOR(has_ended(&silent));
	CHECK(begins_with(&silent, "HTTP/1.1 403 "));
	CHECK(strstr(silent.received, "\r\nConnection: close\r\n"));
	hang_up(&silent);
	connect_from(&eager, 1);
	say(&eager, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
	send_body(&eager, 200000);
	WAIT_FOR(has_ended(&eager));
	CHECK(begins_with(&eager, "HTTP/1.1 403 "));
	CHECK(!eager.is_reset);
	CHECK_EQUAL(0, counters()->requests);
	hang_up(&eager);
	WAIT_FOR(counters()->open == 0);
	close_house();
}

/* Time-outs. */

static void r_http_28_who_sends_next_to_nothing_is_408(void)
{
	static struct client silent;
	static struct client trickling;

	prepare();
	house.options.body_timeout_ms = soon_ms;
	house.options.upload_octets_min = 1 << 20;
	open_server();
	connect_from(&silent, 1);
	say_head(&silent, 2 << 20, "");
	WAIT_FOR(has_ended(&silent));
	CHECK(begins_with(&silent, "HTTP/1.1 408 "));
	connect_from(&trickling, 1);
	say_head(&trickling, 2 << 20, "");
	for (unsigned i = 0; i < patience_ms && !has_ended(&trickling); i++) {
		send(trickling.fd, "x", 1, MSG_NOSIGNAL);
		turn();
	}
	CHECK(begins_with(&trickling, "HTTP/1.1 408 "));
	CHECK_EQUAL(2, counters()->timeouts);
	CHECK_EQUAL(0, counters()->requests);
	hang_up(&silent);
	hang_up(&trickling);
	close_house();
}

/* Longer than body_timeout_ms as a whole, but never still for that long. */
static void r_http_28_who_sends_slowly_is_heard(void)
{
	static struct client client;
	uint64_t sent = 0;
	uint64_t start;

	prepare();
	house.options.body_timeout_ms = 2000;
	house.options.upload_octets_min = 1;
	open_server();
	connect_from(&client, 1);
	say_head(&client, 100000, "");
	start = uv_now(&house.loop);
	while (uv_now(&house.loop) - start < 3 * house.options.body_timeout_ms / 2) {
		sent += send_octets(&client, sent, sent + 1);
		turn();
	}
	CHECK_EQUAL(0, counters()->requests);
	WAIT_FOR((sent += send_octets(&client, sent, 100000)) == 100000);
	WAIT_FOR(has_heard(&client, "\r\n\r\nstored"));
	CHECK(is_stored(100000));
	CHECK_EQUAL(0, counters()->timeouts);
	hang_up(&client);
	close_house();
}

static void a_slow_disk_is_not_the_senders_fault(void)
{
	static struct client client;
	uint64_t start;

	prepare();
	house.options.body_timeout_ms = soon_ms;
	open_server();
	keep_disk_busy();
	connect_from(&client, 1);
	say_head(&client, 10, "");
	send_body(&client, 10);
	start = uv_now(&house.loop);
	while (uv_now(&house.loop) - start < 10 * house.options.body_timeout_ms) {
		turn();
	}
	CHECK_EQUAL(0, counters()->requests);
	free_disk();
	WAIT_FOR(has_heard(&client, "\r\n\r\nstored"));
	CHECK_EQUAL(0, counters()->timeouts);
	hang_up(&client);
	close_house();
}

int main(void)
{
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	RUN(a_body_goes_into_its_file);
	RUN(r_http_27_what_follows_it_waits);
	RUN(chunks_of_one_octet);
	RUN(r_http_28_29_limits_and_expectations);
	RUN(who_sends_faster_than_the_disk_waits);
	RUN(a_full_disk_is_told);
	RUN(a_disk_that_becomes_full_is_told);
	RUN(who_leaves_takes_the_file_along);
	RUN(closing_waits_for_what_is_being_written);
	RUN(r_http_26_a_refusal_at_the_head_does_not_wait_for_the_body);
	RUN(r_http_28_who_sends_next_to_nothing_is_408);
	RUN(r_http_28_who_sends_slowly_is_heard);
	RUN(a_slow_disk_is_not_the_senders_fault);
	return test_end();
}

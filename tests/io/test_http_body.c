/* SPDX-License-Identifier: MIT */
/* Bodies out of files: whole, in parts, to slow readers, and while the file changes. */
#include "tests/io/http_house.h"

#include <fcntl.h>
#include <malloc.h>

enum { pool_threads = 4 };

/* The octets of a body that `client` heard are those of the file from `first` on. */
static bool is_file(struct span body, uint64_t first)
{
	for (size_t i = 0; i < body.length; i++) {
		if (body.data[i] != file_octet(first + i)) {
			return false;
		}
	}
	return true;
}

/* What follows the head in what was heard; empty while there is none. */
static struct span body_of(const struct client *client)
{
	struct span heard = span_make(client->received, client->length);
	size_t end = span_search(heard, SPAN("\r\n\r\n"));

	return span_slice(heard, end + 4, heard.length);
}

static uint64_t content_length(const struct client *client)
{
	const char *field = strstr(client->received, "\r\nContent-Length: ");

	return field ? strtoull(field + strlen("\r\nContent-Length: "), NULL, 10) : 0;
}

/* Asks and hears until the server ends the connection. */
static void fetch(struct client *client, const char *method, const char *fields)
{
	char request[256];

	connect_from(client, 1);
	snprintf(request, sizeof(request),
		 "%s /file HTTP/1.1\r\nHost: x\r\n%sConnection: close\r\n\r\n", method, fields);
	say(client, request);
	WAIT_FOR(has_ended(client));
	hang_up(client);
}

static void r_http_33_a_file_is_sent_whole_whatever_its_size(void)
{
	static const uint64_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 150000};
	static struct client client;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		prepare();
		house.file_size = sizes[i];
		open_server();
		fetch(&client, "GET", "");
		CHECK(begins_with(&client, "HTTP/1.1 200 "));
		CHECK_EQUAL(house.file_size, body_of(&client).length);
		CHECK(is_file(body_of(&client), 0));
		CHECK_EQUAL(1, house.over_whole);
		close_house();
	}
}

/* Across slices, which are of 65536 octets. */
static void r_http_16_17_one_range_of_a_big_file(void)
{
	static struct client client;

	prepare();
	open_server();
	fetch(&client, "GET", "Range: bytes=65000-125000\r\n");
	CHECK(begins_with(&client, "HTTP/1.1 206 "));
	CHECK(strstr(client.received, "\r\nContent-Range: bytes 65000-125000/16777216\r\n"));
	CHECK(strstr(client.received, "\r\nContent-Length: 60001\r\n"));
	CHECK_EQUAL(60001, body_of(&client).length);
	CHECK(is_file(body_of(&client), 65000));
	fetch(&client, "GET", "Range: bytes=-1\r\n");
	CHECK_EQUAL(1, body_of(&client).length);
	CHECK(is_file(body_of(&client), big_size - 1));
	CHECK_EQUAL(2, house.over_whole);
	close_house();
}

/* 64-bit places: a file of 5 GiB that is one hole but for its end. */
static void r_http_16_a_range_beyond_4_gib(void)
{
	static const uint64_t size = UINT64_C(5) << 30;
	static struct client client;

	prepare();
	house.file_size = 0;
	open_server();
	REQUIRE(ftruncate(house.file, (off_t)size) == 0 &&
		pwrite(house.file, "the end", 7, (off_t)size - 7) == 7);
	fetch(&client, "GET", "Range: bytes=5368709115-\r\n");
	CHECK(strstr(client.received,
		     "\r\nContent-Range: bytes 5368709115-5368709119/5368709120\r\n"));
	CHECK_TEXT("e end", body_of(&client));
	close_house();
}

/* Each part is taken apart again and held against the file. */
static void r_http_17_several_ranges_of_a_big_file(void)
{
	static const uint64_t firsts[] = {16777206, 0, 60000};
	static const uint64_t lasts[] = {16777215, 9, 100009};
	static struct client client;
	struct span rest;

	prepare();
	open_server();
	fetch(&client, "GET", "Range: bytes=-10,0-9,60000-100009\r\n");
	CHECK(begins_with(&client, "HTTP/1.1 206 "));
	rest = body_of(&client);
	for (size_t i = 0; i < 3; i++) {
		char head[256];
		size_t at = span_search(rest, SPAN("\r\n\r\n"));
		uint64_t length = lasts[i] - firsts[i] + 1;

		snprintf(head, sizeof(head),
			 "\r\nContent-Type: text/plain\r\nContent-Range: bytes %ju-%ju/16777216",
			 (uintmax_t)firsts[i], (uintmax_t)lasts[i]);
		CHECK(span_ends_with(span_slice(rest, 0, at), span_text(head)));
		rest = span_slice(rest, at + 4, rest.length);
		CHECK(is_file(span_slice(rest, 0, length), firsts[i]));
		rest = span_slice(rest, length, rest.length);
		CHECK(span_starts_with(rest, SPAN("\r\n--")));
	}
	CHECK(span_ends_with(rest, SPAN("--\r\n")));
	CHECK_EQUAL(2 + 2 + 32 + 4, rest.length);
	CHECK_EQUAL(content_length(&client), body_of(&client).length);
	CHECK_EQUAL(1, house.over_whole);
	close_house();
}

static void r_http_4_head_of_a_file_has_no_body(void)
{
	static struct client client;

	prepare();
	open_server();
	fetch(&client, "HEAD", "Range: bytes=0-9\r\n");
	CHECK(begins_with(&client, "HTTP/1.1 200 "));
	CHECK(strstr(client.received, "\r\nContent-Length: 16777216\r\n"));
	CHECK_EQUAL(0, body_of(&client).length);
	close_house();
}

/* Slow readers. */

static void who_does_not_read_is_let_go(void)
{
	static struct client client;

	prepare();
	house.options.send_timeout_ms = soon_ms;
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.over == 1);
	CHECK_EQUAL(0, house.over_whole);
	CHECK_TEXT("the client takes it too slowly", span_text(house.cut_reason));
	CHECK(house.cut_after > 65536 && house.cut_after < big_size);
	CHECK_EQUAL(1, counters()->timeouts);
	WAIT_FOR(counters()->open == 0);
	WAIT_FOR(has_ended(&client));
	hang_up(&client);
	close_house();
}

/* Slower than send_timeout_ms as a whole, but never still for that long. */
static void who_reads_slowly_gets_all(void)
{
	static struct client client;
	uint64_t start;

	prepare();
	house.options.send_timeout_ms = 2000;
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	start = uv_now(&house.loop);
	while (uv_now(&house.loop) - start < 3 * house.options.send_timeout_ms / 2 &&
	       house.over == 0) {
		hear(&client); /* 4096 octets a turn */
		turn();
	}
	CHECK_EQUAL(0, house.over);
	WAIT_FOR(has_ended(&client) || house.over == 1);
	WAIT_FOR(has_ended(&client));
	CHECK_EQUAL(1, house.over_whole);
	CHECK_EQUAL(0, counters()->timeouts);
	hang_up(&client);
	close_house();
}

/*
 * The kernel has taken the rest of the answer long before a slow reader has: the time in which the
 * next request must come is not that in which the answer is still read.
 */
static void who_still_reads_the_answer_is_not_idle(void)
{
	enum { idle_ms = 1000, size = 150000, least = 1000 };
	static struct client client;
	uint64_t start;

	prepare();
	house.file_size = size;
	house.options.idle_timeout_ms = idle_ms;
	house.options.send_octets_min = least;
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(house.over_whole == 1);
	start = uv_now(&house.loop);
	while (uv_now(&house.loop) - start < 2 * idle_ms && client.length < size / 2) {
		ssize_t count = recv(client.fd, client.received + client.length, 40, MSG_DONTWAIT);

		client.length += count > 0 ? (size_t)count : 0;
		turn();
	}
	CHECK(client.length < size / 2);
	CHECK_EQUAL(1, counters()->open);
	WAIT_FOR(body_of(&client).length == size || has_ended(&client));
	CHECK(is_file(body_of(&client), 0));
	client.length = 0;
	say(&client, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
	WAIT_FOR(has_heard(&client, "/next"));
	WAIT_FOR(has_ended(&client)); /* now it is idle */
	CHECK_EQUAL(1, counters()->timeouts);
	hang_up(&client);
	close_house();
}

/* A pool with all its threads taken, and a device, of which nothing is in the page cache. */
static uv_sem_t gate;

static void wait_at_gate(uv_work_t *work)
{
	(void)work;
	uv_sem_wait(&gate);
}

static void answer_device(void *context, struct http_exchange *exchange)
{
	struct http_parts parts = http_parts_whole(100000);
	int fd = open("/dev/full", O_RDONLY | O_CLOEXEC);
	struct stat opened;

	if (fd < 0 || fstat(fd, &opened) != 0) {
		abort();
	}
	house.asked = exchange;
	http_exchange_on_over(exchange, over, context);
	http_exchange_answer_file(exchange, &(struct http_response){.status = 200}, fd, &opened,
				  &parts);
}

static void who_waits_for_the_disk_is_not_let_go(void)
{
	static struct client client;
	uv_work_t work[pool_threads];

	prepare();
	house.options.handle = answer_device;
	house.options.send_timeout_ms = soon_ms;
	house.options.send_octets_min = 1;
	open_server();
	CHECK_EQUAL(0, uv_sem_init(&gate, 0));
	for (size_t i = 0; i < pool_threads; i++) {
		CHECK_EQUAL(0, uv_queue_work(&house.loop, &work[i], wait_at_gate, NULL));
	}
	connect_from(&client, 1);
	say(&client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	WAIT_FOR(has_heard(&client, "\r\n\r\n"));
	for (unsigned i = 0; i < 10 * soon_ms; i++) {
		turn();
	}
	CHECK_EQUAL(0, house.over);
	CHECK_EQUAL(0, body_of(&client).length);
	for (size_t i = 0; i < pool_threads; i++) {
		uv_sem_post(&gate);
	}
	WAIT_FOR(has_ended(&client));
	CHECK_EQUAL(100000, body_of(&client).length);
	CHECK_EQUAL(1, house.over_whole);
	CHECK_EQUAL(0, counters()->timeouts);
	hang_up(&client);
	close_house();
	uv_sem_destroy(&gate);
}

/* Some octets now and then are not enough: send_octets_min must go within send_timeout_ms. */
static void r_http_28_who_reads_next_to_nothing_is_let_go(void)
{
	static struct client client;
	char octet;

	prepare();
	house.options.send_timeout_ms = 500;
	house.options.send_octets_min = 1 << 20;
	open_server();
	connect_from(&client, 1);
	say(&client, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
	for (unsigned i = 0; i < patience_ms && house.over == 0; i++) {
		for (unsigned j = 0; j < 64; j++) {
			recv(client.fd, &octet, 1, MSG_DONTWAIT);
		}
		turn();
	}
	CHECK_EQUAL(1, house.over);
	CHECK_EQUAL(0, house.over_whole);
	CHECK_EQUAL(1, counters()->timeouts);
	hang_up(&client);
	close_house();
}

/* Nobody of many reads; each costs two slices and a little, and not the file. */
static void slow_readers_cost_two_slices_each(void)
{
	enum { readers = 20, cost_max = 160 * 1024 };
	static struct client clients[readers];
	struct mallinfo2 before;
	struct mallinfo2 after;

	prepare();
	house.file_size = 60 << 20;
	open_server();
	before = mallinfo2();
	for (size_t i = 0; i < readers; i++) {
		connect_from(&clients[i], 1);
		say(&clients[i], "GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
		WAIT_FOR(has_heard(&clients[i], "\r\n\r\n"));
	}
	for (size_t i = 0; i < 500; i++) {
		turn();
	}
	after = mallinfo2();
	CHECK_EQUAL(readers, counters()->open);
	CHECK(after.uordblks + after.hblkhd <
	      before.uordblks + before.hblkhd + readers * (size_t)cost_max);
	for (size_t i = 0; i < readers; i++) {
		hang_up(&clients[i]);
	}
	close_house();
}

/* Files that change. */

/* Begins to fetch /file and stops reading early; `change` is then made and all is read. */
static void fetch_while(struct client *client, void (*change)(void))
{
	prepare();
	open_server();
	connect_from(client, 1);
	say(client, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	WAIT_FOR(has_heard(client, "\r\n\r\n"));
	change();
	WAIT_FOR(has_ended(client));
	CHECK(is_file(body_of(client), 0));
	CHECK_EQUAL(1, house.over);
	hang_up(client);
	close_house();
}

static void cut_it_short(void)
{
	CHECK_EQUAL(0, ftruncate(house.file, big_size / 2));
}

static void edit_it(void)
{
	CHECK_EQUAL(1, pwrite(house.file, "x", 1, big_size / 2));
}

static void edit_it_and_set_its_date_back(void)
{
	struct stat before;

	CHECK_EQUAL(0, fstat(house.file, &before));
	edit_it();
	CHECK_EQUAL(0, futimens(house.file, (struct timespec[]){before.st_atim, before.st_mtim}));
}

static void leave_it(void)
{
}

static void r_http_33_a_file_that_changes_is_cut(void)
{
	static struct client client;

	fetch_while(&client, leave_it);
	CHECK_EQUAL(1, house.over_whole);
	fetch_while(&client, cut_it_short);
	CHECK_EQUAL(0, house.over_whole);
	CHECK_TEXT("the file has changed", span_text(house.cut_reason));
	fetch_while(&client, edit_it);
	CHECK_EQUAL(0, house.over_whole);
	fetch_while(&client, edit_it_and_set_its_date_back);
	CHECK_EQUAL(0, house.over_whole);
}

/* As on a disk that fails: the descriptor gives nothing. */
static void r_http_33_a_file_that_cannot_be_read_is_cut(void)
{
	static struct client client;
	char path[64];
	int unreadable;

	prepare();
	open_server();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", house.file);
	unreadable = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE(unreadable >= 0 && dup2(unreadable, house.file) >= 0);
	close(unreadable);
	fetch(&client, "GET", "");
	CHECK(begins_with(&client, "HTTP/1.1 200 "));
	CHECK_EQUAL(0, body_of(&client).length);
	CHECK_EQUAL(1, house.over);
	CHECK_EQUAL(0, house.over_whole);
	CHECK_TEXT("the file cannot be read", span_text(house.cut_reason));
	close_house();
}

int main(void)
{
	setenv("UV_THREADPOOL_SIZE", "4", 1); /* pool_threads */
	RUN(r_http_33_a_file_is_sent_whole_whatever_its_size);
	RUN(r_http_16_17_one_range_of_a_big_file);
	RUN(r_http_16_a_range_beyond_4_gib);
	RUN(r_http_17_several_ranges_of_a_big_file);
	RUN(r_http_4_head_of_a_file_has_no_body);
	RUN(who_does_not_read_is_let_go);
	RUN(who_reads_slowly_gets_all);
	RUN(who_still_reads_the_answer_is_not_idle);
	RUN(who_waits_for_the_disk_is_not_let_go);
	RUN(r_http_28_who_reads_next_to_nothing_is_let_go);
	RUN(slow_readers_cost_two_slices_each);
	RUN(r_http_33_a_file_that_changes_is_cut);
	RUN(r_http_33_a_file_that_cannot_be_read_is_cut);
	return test_end();
}

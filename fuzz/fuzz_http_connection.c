/* SPDX-License-Identifier: MIT */
/*
 * A whole HTTP server on a loop that is turned by hand, and one connection, whose octets come in
 * pieces of the size that the first octet tells. Whatever comes, what goes back is HTTP: heads that
 * can be read, bodies as long as they say, one answer to each request that was handed on, nothing
 * after the last one, and no connection, file or memory left behind. Bodies for /upload go into a
 * file.
 */
#include "tests/io/http_house.h"

#include <sched.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { answers_max = 4096, fuzzed_file_size = 300, fuzzed_upload_max = 400 };

#define HOLD(condition) ((condition) ? (void)0 : abort())

static bool is_head[answers_max]; /* of the requests handed on, in order */
static unsigned handed_on;

/* A file is there when a body was, and not longer than it may be. */
static void check_upload(struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	bool has_body = request->is_chunked || request->content_length > 0;
	bool is_upload = has_body && span_equal(request->path, SPAN("/upload"));
	uint64_t octets = 0;
	struct stat info;
	int fd = http_exchange_take_file(exchange, &octets);

	HOLD(fd >= 0 ? is_upload : !is_upload && fd == -ENOENT);
	if (fd >= 0) {
		HOLD(fstat(fd, &info) == 0 && (uint64_t)info.st_size == octets);
		HOLD(request->is_chunked || octets == request->content_length);
		HOLD(octets <= fuzzed_upload_max && request->body.length == 0);
		close(fd);
	}
}

static void fuzz_handle(void *context, struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	char text[64] = "";

	HOLD(handed_on < answers_max);
	is_head[handed_on++] = request->method == METHOD_HEAD;
	house.asked = exchange;
	http_exchange_on_over(exchange, over, context);
	check_upload(exchange);
	if (span_equal(request->path, SPAN("/file"))) {
		answer_file(context, exchange);
		return;
	}
	span_to_text(request->path, text, sizeof(text));
	answer_text(exchange, text);
}

/* A unix socket: the ports of loopback are few, for thousands of runs a second. */
static char folder[] = "/tmp/bellhop-fuzz-XXXXXX";
static char path[sizeof(folder) + 8];

static void remove_socket(void)
{
	unlink(path);
	rmdir(folder);
}

static void open_once(void)
{
	static bool is_open;
	char problem[256];

	if (!is_open) {
		prepare();
		house.options.handle = fuzz_handle;
		house.options.body_max = 200;
		house.file_size = fuzzed_file_size;
		house.upload_max = fuzzed_upload_max;
		house.options.methods |= 1U << METHOD_PUT;
		open_server();
		HOLD(mkdtemp(folder));
		snprintf(path, sizeof(path), "%s/socket", folder);
		HOLD(http_server_listen_unix(house.server, path, 0600, problem, sizeof(problem)) ==
		     0);
		atexit(remove_socket);
		is_open = true;
	}
}

/* Until all that was handed on is answered and nothing new comes. */
static void turn_until_quiet(struct client *client)
{
	for (unsigned quiet = 0; quiet < 3 || house.over < handed_on; quiet++) {
		size_t before = client->length;

		uv_run(&house.loop, UV_RUN_NOWAIT);
		hear(client);
		if (client->length > before) {
			quiet = 0;
		}
		if (house.over < handed_on) {
			sched_yield(); /* a file is being read, on another thread */
		}
	}
}

static bool is_head_line(struct span line)
{
	size_t colon = span_find(line, ':');

	for (size_t i = 0; i < line.length; i++) {
		if ((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7f) {
			return false;
		}
	}
	return colon > 0 && colon < line.length;
}

/* One head: the status, and `*length` of what its Content-Length says (0 when it says nothing). */
static unsigned check_head(struct span head, uint64_t *length)
{
	struct span rest = head;
	size_t end = span_search(rest, SPAN("\r\n"));
	uint64_t status = 0;

	HOLD(span_starts_with(head, SPAN("HTTP/1.1 ")) && end > 13 && head.data[12] == ' ');
	HOLD(span_to_unsigned(span_slice(head, 9, 12), 599, &status) == 0 && status >= 100);
	*length = 0;
	while (end < rest.length) {
		struct span line;

		rest = span_slice(rest, end + 2, rest.length);
		end = span_search(rest, SPAN("\r\n"));
		line = span_slice(rest, 0, end);
		HOLD(is_head_line(line));
		if (span_starts_with(line, SPAN("Content-Length: "))) {
			HOLD(span_to_unsigned(span_slice(line, 16, line.length), 100000, length) ==
			     0);
		}
	}
	return (unsigned)status;
}

/* Answers of the connection's own (to what is not handed on) have no body; the others are counted.
 */
static void check_answers(const struct client *client)
{
	struct span heard = span_make(client->received, client->length);
	unsigned answered = 0;

	while (heard.length > 0) {
		size_t end = span_search(heard, SPAN("\r\n\r\n"));
		uint64_t length;
		unsigned status;

		HOLD(end < heard.length);
		status = check_head(span_slice(heard, 0, end), &length);
		heard = span_slice(heard, end + 4, heard.length);
		if (status == 200 || status == 206 || status == 304 || status == 412 ||
		    status == 416) {
			HOLD(answered < handed_on);
			length = is_head[answered++] ? 0 : length;
		} else {
			HOLD(length == 0);
		}
		HOLD(length <= heard.length);
		heard = span_slice(heard, length, heard.length);
	}
	HOLD(answered == handed_on);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct client client;
	size_t step = size > 0 ? data[0] % 97 + 1U : 1;

	if (size > received_max / 64) {
		return 0; /* its answers would not fit what the client keeps */
	}
	open_once();
	handed_on = 0;
	house.over = 0;
	house.over_whole = 0;
	client.fd = connect_unix(path);
	client.is_ended = false;
	client.length = 0;
	HOLD(client.fd >= 0);
	for (size_t at = 1; at < size && !client.is_ended; at += step) {
		size_t length = size - at < step ? size - at : step;

		(void)send(client.fd, data + at, length, MSG_NOSIGNAL);
		turn_until_quiet(&client);
	}
	turn_until_quiet(&client);
	check_answers(&client);
	HOLD(house.over_whole == handed_on);
	hang_up(&client);
	while (counters()->open > 0) {
		uv_run(&house.loop, UV_RUN_NOWAIT);
	}
	return 0;
}

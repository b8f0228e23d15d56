/* SPDX-License-Identifier: MIT */
#include "io/http_door.h"

#include "core/http/conditional.h"
#include "core/http/target.h"
#include "io/catalogue.h"
#include "io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	name_size = 512,
	fetch_effects_max = 8,
	fetch_effects_bytes_max = 65536,
	fetch_arena_bytes_max = 4 << 20,
	evidence_wait_ms = 50,
	evidence_waits_max = 20,
};

struct http_door {
	const struct door *door;
	struct http_server *server;
	struct arena arena;	/* of one answer */
	struct effects effects; /* of one answer */
	void (*closed)(void *context);
	void *closed_context;
};

/* One GET or HEAD on its way; lives from the request to the end of its answer. */
struct fetch {
	struct http_door *door;
	struct http_exchange *exchange;
	struct door_question question;
	struct file_answer answer; /* what FETCHED is made of */
	char name[name_size];
	uv_timer_t timer; /* while the network has not shown yet who asks */
	unsigned waits;
	bool has_timer;
	bool is_waiting;
	bool is_fetch; /* the client gets, or has, all of it */
};

static void free_fetch(uv_handle_t *handle)
{
	free(handle->data);
}

static void fetch_over(void *data, bool is_whole)
{
	struct fetch *fetch = data;
	const struct door *door = fetch->door->door;

	if (is_whole && fetch->is_fetch) {
		struct effects *effects = &fetch->door->effects;
		struct change change = files_fetched(&fetch->question.request, &fetch->answer);

		change.utc_ms = loop_utc_ms();
		files_report_fetched(&fetch->question.request, &fetch->answer, effects);
		door_carry_out(door, effects);
		door->post(door->context, &change);
	}
	if (fetch->is_waiting) {
		fetch->is_waiting = false;
		http_exchange_answer(fetch->exchange, &(struct http_response){.status = 503},
				     span_make(NULL, 0)); /* nobody is there: it is let go of */
	}
	if (fetch->has_timer) {
		uv_close((uv_handle_t *)&fetch->timer, free_fetch);
	} else {
		free(fetch);
	}
}

/* All refusals are the same 404 to the octet (contract.md). */
static void answer_refusal(struct fetch *fetch, unsigned status)
{
	struct http_response response = {.status = status, .content_type = SPAN("text/plain")};

	http_exchange_answer(fetch->exchange, &response,
			     status == 404 ? SPAN("Not Found\n") : SPAN("Bad Request\n"));
}

/* What a 200 and a 304 say alike (R-HTTP-13). */
static struct http_response make_response(const struct file_answer *answer, struct span etag,
					  uint64_t modified_utc_ms)
{
	struct http_response response = {.status = 200,
					 .content_type = answer->content_type,
					 .etag = etag,
					 .modified_utc_ms = modified_utc_ms,
					 .header_count = 1};

	if (span_is_empty(response.content_type)) {
		response.content_type = SPAN("application/octet-stream");
	}
	/* A proxy keeps nobody's configuration; others ask again before they use what they keep. */
	response.headers[0] = (struct http_header){
		.name = SPAN("Cache-Control"),
		.value = answer->has_secrets ? SPAN("private, no-store") : SPAN("no-cache"),
	};
	return response;
}

/* Status 200, or the short answer of a condition; true when that is all. */
static bool answer_condition(struct fetch *fetch, struct http_response *response)
{
	const struct http_request *request = http_exchange_request(fetch->exchange);
	struct http_validators validators = {response->etag, response->modified_utc_ms};

	response->status = http_conditional(request, &validators, loop_utc_ms());
	/* With 304 the phone has what it should have, as if it had taken it now. */
	fetch->is_fetch = response->status != 412 && request->method == METHOD_GET;
	if (response->status == 200) {
		return false;
	}
	fetch->answer.size = 0;
	fetch->answer.is_unchanged = response->status == 304;
	if (response->status == 412) {
		response->content_type = span_make(NULL, 0);
	}
	http_exchange_answer(fetch->exchange, response, span_make(NULL, 0));
	return true;
}

static void answer_bytes(struct fetch *fetch, const struct file_answer *answer)
{
	struct http_response response = make_response(answer, answer->etag, 0);

	if (!answer_condition(fetch, &response)) {
		http_exchange_answer(fetch->exchange, &response, answer->bytes);
	}
}

static void answer_file(struct fetch *fetch, const struct file_answer *answer)
{
	char etag[file_etag_size];
	struct writer w = writer_over(etag, sizeof(etag));
	struct http_response response;
	struct stat info;
	uint64_t modified_ns;
	int fd = catalogue_open_file(fetch->door->door->files_fd, answer->name, &info);

	if (fd < 0) {
		answer_refusal(fetch, 404);
		return;
	}
	/* One version from here on: all that is said and sent is of this descriptor. */
	modified_ns = (uint64_t)info.st_mtim.tv_sec * 1000000000 + (uint64_t)info.st_mtim.tv_nsec;
	file_etag_of_file(&w, (uint64_t)info.st_size, modified_ns);
	fetch->answer.size = (uint64_t)info.st_size;
	response = make_response(answer, writer_span(&w), modified_ns / 1000000);
	if (answer_condition(fetch, &response)) {
		close(fd);
		return;
	}
	http_exchange_answer_file(fetch->exchange, &response, fd, 0, (uint64_t)info.st_size);
}

static void keep_answer(struct fetch *fetch, const struct file_answer *answer)
{
	fetch->answer = *answer;
	span_to_text(answer->name, fetch->name, sizeof(fetch->name));
	fetch->answer.name = span_text(fetch->name);
	/* The others die with the arena; FETCHED needs none of them. */
	fetch->answer.bytes = span_make(NULL, 0);
	fetch->answer.content_type = span_make(NULL, 0);
	fetch->answer.etag = span_make(NULL, 0);
}

static void serve(struct fetch *fetch);

static void ask_again(uv_timer_t *timer)
{
	struct fetch *fetch = timer->data;

	fetch->is_waiting = false;
	serve(fetch);
}

static void wait_for_evidence(struct fetch *fetch)
{
	if (!fetch->has_timer) {
		fetch->has_timer =
			uv_timer_init(http_exchange_loop(fetch->exchange), &fetch->timer) == 0;
		fetch->timer.data = fetch;
	}
	if (!fetch->has_timer || fetch->waits++ == evidence_waits_max ||
	    uv_timer_start(&fetch->timer, ask_again, evidence_wait_ms, 0) != 0) {
		answer_refusal(fetch, 404);
		return;
	}
	fetch->is_waiting = true;
}

static void serve(struct fetch *fetch)
{
	struct http_door *door = fetch->door;
	const struct http_request *request = http_exchange_request(fetch->exchange);
	const struct http_header *user_agent = http_request_header(request, SPAN("User-Agent"));
	char path[http_head_bytes_max];
	struct writer w = writer_over(path, sizeof(path));
	struct file_answer answer;

	if (http_percent_decode(request->path, &w) != 0) {
		answer_refusal(fetch, 400);
		return;
	}
	fetch->question.request.path = writer_span(&w);
	fetch->question.request.user_agent = user_agent ? user_agent->value : span_make(NULL, 0);
	door_serve(door->door, &fetch->question, &door->arena, &answer, &door->effects);
	fetch->question.request.path = span_make(NULL, 0);
	keep_answer(fetch, &answer);
	switch (answer.verdict) {
	case FILE_BYTES:
		answer_bytes(fetch, &answer);
		break;
	case FILE_CATALOGUE:
		answer_file(fetch, &answer);
		break;
	case FILE_PENDING:
		wait_for_evidence(fetch);
		break;
	case FILE_REFUSED:
		answer_refusal(fetch, 404);
		break;
	}
	door_carry_out(door->door, &door->effects);
	arena_reset(&door->arena);
}

static void handle(void *context, struct http_exchange *exchange)
{
	const struct http_peer *peer = http_exchange_peer(exchange);
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch) {
		http_exchange_answer(exchange, &(struct http_response){.status = 503},
				     span_make(NULL, 0));
		return;
	}
	fetch->door = context;
	fetch->exchange = exchange;
	fetch->question.request = (struct file_request){.door = DOOR_HTTP,
							.source = peer->source,
							.local = peer->local.address};
	http_exchange_on_over(exchange, fetch_over, fetch);
	serve(fetch);
}

int http_door_new(struct http_door **out, uv_loop_t *loop, const struct door *door,
		  const struct http_door_options *options)
{
	struct http_server_options server;
	struct http_door *d = calloc(1, sizeof(*d));

	if (!d) {
		return -ENOMEM;
	}
	d->door = door;
	http_server_defaults(&server);
	server.loop = loop;
	server.connections_max = options->connections_max;
	server.connections_per_source_max = options->connections_per_source_max;
	server.handle = handle;
	server.context = d;
	if (effects_init(&d->effects, fetch_effects_max, fetch_effects_bytes_max) != 0) {
		free(d);
		return -ENOMEM;
	}
	if (http_server_new(&d->server, &server) != 0) {
		effects_free(&d->effects);
		free(d);
		return -ENOMEM;
	}
	arena_init(&d->arena, fetch_arena_bytes_max);
	*out = d;
	return 0;
}

int http_door_listen(struct http_door *door, struct endpoint endpoint, char *problem,
		     size_t problem_size)
{
	return http_server_listen_tcp(door->server, endpoint, problem, problem_size);
}

uint16_t http_door_port(const struct http_door *door, size_t i)
{
	return http_server_port(door->server, i);
}

const struct http_server_counters *http_door_counters(const struct http_door *door)
{
	return http_server_counters(door->server);
}

static void server_closed(void *context)
{
	struct http_door *door = context;
	void (*closed)(void *context) = door->closed;
	void *closed_context = door->closed_context;

	arena_free(&door->arena);
	effects_free(&door->effects);
	free(door);
	if (closed) {
		closed(closed_context);
	}
}

void http_door_close(struct http_door *door, void (*closed)(void *context), void *context)
{
	door->closed = closed;
	door->closed_context = context;
	http_server_close(door->server, server_closed, door);
}

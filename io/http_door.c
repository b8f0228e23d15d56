/* SPDX-License-Identifier: MIT */
#include "io/http_door.h"

#include "core/http/reply.h"
#include "core/http/target.h"
#include "io/catalogue.h"
#include "io/loop.h"
#include "io/tls_session.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	name_size = 512,
	fetch_effects_max = 8,
	fetch_effects_bytes_max = 65536,
	fetch_arena_bytes_max = 4 << 20,
	wait_ms = 50,
	waits_max = 20,
};

struct http_door {
	const struct door *door;
	struct http_server *server;
	struct arena arena;	/* of one answer */
	struct effects effects; /* of one answer */
	struct random random;	/* boundaries */
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
	uv_timer_t timer; /* until the network has shown who asks, or the file has settled */
	unsigned waits;
	bool has_timer;
	bool is_waiting;
	bool has_settled; /* the file was waited for; not twice, it may be written all the time */
	struct http_parts parts; /* of the file, that the answer carries */
	bool is_fetch;		 /* the client gets, or has, all of it */
	bool is_part;		 /* it gets some, and not the end */
};

static const char *door_name(bool is_tls)
{
	return is_tls ? "https" : "http";
}

static void free_fetch(uv_handle_t *handle)
{
	free(handle->data);
}

/* In the operator's words: the first of them, and how many more there are. */
static void write_octets(struct writer *w, const struct http_parts *parts)
{
	http_range_write(w, &parts->ranges.items[0], parts->size);
	if (http_parts_is_multipart(parts)) {
		writer_text(w, " and ");
		writer_unsigned(w, parts->ranges.count - 1);
		writer_text(w, " more");
	}
}

/* What the books and the operator learn of an answer that went out whole. */
static void tell_served(struct fetch *fetch)
{
	const struct door *door = fetch->door->door;
	struct effects *effects = &fetch->door->effects;
	struct change change = files_fetched(&fetch->question.request, &fetch->answer);
	char octets[128];
	struct writer w = writer_over(octets, sizeof(octets));

	if (fetch->is_part) {
		write_octets(&w, &fetch->parts);
		files_report_part(&fetch->question.request, &fetch->answer, writer_span(&w),
				  effects);
		door_carry_out(door, effects);
	} else if (fetch->is_fetch) {
		change.utc_ms = loop_utc_ms();
		files_report_fetched(&fetch->question.request, &fetch->answer, effects);
		door_carry_out(door, effects);
		door->post(door->context, &change);
	}
}

/* In the words of transfer_abandon: to the operator it is the same, whatever the door. */
static void tell_given_up(const struct fetch *fetch, const char *reason)
{
	const struct door *door = fetch->door->door;
	char text[512];
	struct writer w = writer_over(text, sizeof(text));
	struct effect_report effect = {.level = REPORT_INFO,
				       .reason = "transfer_abandoned",
				       .source = fetch->question.request.source,
				       .has_mac = true,
				       .mac = fetch->answer.mac};

	writer_text(&w, door_name(fetch->question.request.door == DOOR_HTTPS));
	writer_text(&w, " transfer of ");
	writer_escaped(&w, fetch->answer.name, 100);
	writer_text(&w, " given up after ");
	writer_unsigned(&w, http_exchange_octets_sent(fetch->exchange));
	writer_text(&w, " octets: ");
	writer_text(&w, reason);
	effect.text = writer_span(&w);
	door->report(door->context, &effect);
}

static void fetch_over(void *data, bool is_whole)
{
	struct fetch *fetch = data;

	if (is_whole) {
		tell_served(fetch);
	} else if (fetch->is_fetch || fetch->is_part) {
		tell_given_up(fetch, http_exchange_cut_reason(fetch->exchange));
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

static uint64_t milliseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void report(const struct door *door, const struct http_peer *peer, const char *reason,
		   struct span text)
{
	struct effect_report effect = {.level = REPORT_INFO,
				       .reason = reason,
				       .text = text,
				       .source = peer->source};

	door->report(door->context, &effect);
}

/* What was asked is not told: it may be no text, and hold a key. */
static void refused(void *context, const struct http_peer *peer, unsigned status,
		    const char *reason)
{
	const struct door *door = ((struct http_door *)context)->door;
	char text[128];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, door_name(peer->tls != NULL));
	writer_text(&w, " refused");
	if (status != 0) {
		writer_text(&w, " with ");
		writer_unsigned(&w, status);
		writer_text(&w, " ");
		writer_text(&w, http_status_text(status));
	}
	writer_text(&w, ": ");
	writer_text(&w, reason);
	report(door, peer, "http_refused", writer_span(&w));
}

/* All refusals of a file are the same 404 to the octet (contract.md). */
static void answer_refusal(struct fetch *fetch, unsigned status)
{
	struct http_response response = {.status = status, .content_type = SPAN("text/plain")};
	char text[64];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, http_status_text(status));
	writer_char(&w, '\n');
	http_exchange_answer(fetch->exchange, &response, writer_span(&w));
}

/* A file that this requester may have, and that the catalogue has or had. */
static void answer_unopened(struct fetch *fetch, int error)
{
	bool is_gone = error == -ENOENT;

	tell_given_up(fetch, is_gone ? "the file is there no more" : strerrordesc_np(-error));
	answer_refusal(fetch, is_gone ? 404 : 503);
}

static void serve(struct fetch *fetch);

static void ask_again(uv_timer_t *timer)
{
	struct fetch *fetch = timer->data;

	fetch->is_waiting = false;
	serve(fetch);
}

static void wait_a_while(struct fetch *fetch)
{
	if (!fetch->has_timer) {
		fetch->has_timer =
			uv_timer_init(http_exchange_loop(fetch->exchange), &fetch->timer) == 0;
		fetch->timer.data = fetch;
	}
	if (!fetch->has_timer || fetch->waits++ == waits_max ||
	    uv_timer_start(&fetch->timer, ask_again, wait_ms, 0) != 0) {
		answer_refusal(fetch, 404);
		return;
	}
	fetch->is_waiting = true;
}

/* What the fetch means for the books, once its answer is out. */
static void keep_books(struct fetch *fetch, const struct http_reply *reply)
{
	bool is_get = http_exchange_request(fetch->exchange)->method == METHOD_GET;
	unsigned status = reply->response.status;

	fetch->parts = reply->parts;
	fetch->answer.size = http_ranges_octets(&reply->parts.ranges);
	fetch->answer.is_unchanged = status == 304;
	fetch->answer.is_rest = status == 206;
	/* With 304 the phone has what it should have, as if it had taken it now. */
	fetch->is_fetch = is_get && (status == 304 || http_reply_reaches_end(reply));
	fetch->is_part = status == 206 && !fetch->is_fetch;
}

static void make_reply(struct fetch *fetch, const struct file_answer *answer,
		       const struct http_validators *validators, struct http_reply *reply)
{
	struct http_content content = {.validators = *validators,
				       .content_type = answer->content_type,
				       .is_private = answer->has_secrets};

	http_reply_make(reply, http_exchange_request(fetch->exchange), &content, loop_utc_ms(),
			&fetch->door->random);
	keep_books(fetch, reply);
}

/* The body of a 206 with several parts, put together in the arena; no data when it has no room. */
static struct span join_parts(struct arena *arena, const struct http_parts *parts,
			      struct span content)
{
	uint64_t length = http_parts_length(parts);
	char *room = arena_allocate(arena, (size_t)length);
	struct writer w = writer_over(room, room ? (size_t)length : 0);

	for (size_t i = 0; i < parts->ranges.count; i++) {
		const struct http_range *range = &parts->ranges.items[i];

		http_parts_write_head(&w, parts, i);
		writer_put(&w, span_slice(content, (size_t)range->first,
					  (size_t)(range->first + range->length)));
	}
	http_parts_write_end(&w, parts);
	return w.failed ? span_make(NULL, 0) : writer_span(&w);
}

static void answer_bytes(struct fetch *fetch, const struct file_answer *answer)
{
	struct http_validators validators = {.etag = answer->etag, .size = answer->bytes.length};
	struct span body = span_make(NULL, 0);
	struct http_reply reply;

	make_reply(fetch, answer, &validators, &reply);
	if (reply.response.status == 200) {
		body = answer->bytes;
	} else if (reply.response.status == 206) {
		body = join_parts(&fetch->door->arena, &reply.parts, answer->bytes);
		if (!body.data) {
			fetch->is_fetch = false;
			fetch->is_part = false;
			reply.response = (struct http_response){.status = 503};
		}
	}
	http_exchange_answer(fetch->exchange, &reply.response, body);
}

static void answer_file(struct fetch *fetch, const struct file_answer *answer)
{
	char etag[file_etag_size];
	struct writer w = writer_over(etag, sizeof(etag));
	struct http_validators validators;
	struct http_reply reply;
	struct stat info;
	int fd = catalogue_open_file(fetch->door->door->files_fd, answer->name, &info);

	if (fd < 0) {
		answer_unopened(fetch, fd);
		return;
	}
	/* R-HTTP-33: from here on all that is said and sent is of this descriptor as it is now. */
	if (!fetch->has_settled && fetch->waits < waits_max && catalogue_file_is_fresh(&info)) {
		close(fd);
		fetch->has_settled = true;
		wait_a_while(fetch);
		return;
	}
	files_opened(&fetch->answer, catalogue_version(&info));
	file_etag_of_file(&w, (uint64_t)info.st_size, catalogue_version(&info));
	validators = (struct http_validators){.etag = writer_span(&w),
					      .modified_utc_ms = milliseconds(info.st_mtim),
					      .size = (uint64_t)info.st_size};
	make_reply(fetch, answer, &validators, &reply);
	http_exchange_answer_file(fetch->exchange, &reply.response, fd, &info, &reply.parts);
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

static void serve(struct fetch *fetch)
{
	struct http_door *door = fetch->door;
	const struct http_request *request = http_exchange_request(fetch->exchange);
	const struct http_header *user_agent = http_request_header(request, SPAN("User-Agent"));
	char path[http_head_bytes_max];
	struct writer w = writer_over(path, sizeof(path));
	struct file_answer answer;

	if (http_percent_decode(request->path, &w) != 0) {
		refused(door, http_exchange_peer(fetch->exchange), 400, "percent_encoding");
		answer_refusal(fetch, 400);
		return;
	}
	fetch->question.request.path = writer_span(&w);
	fetch->question.request.user_agent = user_agent ? user_agent->value : span_make(NULL, 0);
	fetch->question.request.is_last_try = fetch->waits == waits_max;
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
		wait_a_while(fetch);
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
	fetch->question.request =
		(struct file_request){.door = peer->tls ? DOOR_HTTPS : DOOR_HTTP,
				      .client_certificate = peer->tls
								    ? peer->tls->client_certificate
								    : span_make(NULL, 0),
				      .source = peer->source,
				      .local = peer->local.address};
	http_exchange_on_over(exchange, fetch_over, fetch);
	serve(fetch);
}

static void handshake_over(void *context, const struct http_peer *peer)
{
	const struct door *door = ((struct http_door *)context)->door;
	const struct tls_outcome *outcome = peer->tls;
	char text[256];
	struct writer w = writer_over(text, sizeof(text));

	if (outcome->is_open) {
		if (outcome->client_certificate.length > 0 && !outcome->is_resumed) {
			report(door, peer, "client_certificate", outcome->client_certificate);
		}
		return;
	}
	/* A port that was knocked at is no news. */
	if (outcome->failure == TLS_FAILURE_LEFT) {
		return;
	}
	writer_text(&w, "https handshake failed: ");
	writer_text(&w, tls_failure_sentence(outcome->failure));
	if (outcome->detail) {
		writer_text(&w, " (");
		writer_text(&w, outcome->detail);
		writer_text(&w, ")");
	}
	report(door, peer, "tls_failed", writer_span(&w));
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
	random_init(&d->random, options->seed);
	http_server_defaults(&server);
	server.loop = loop;
	server.connections_max = options->connections_max;
	server.connections_per_source_max = options->connections_per_source_max;
	server.handle = handle;
	server.handshake_over = handshake_over;
	server.refused = refused;
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

int http_door_listen_tls(struct http_door *door, struct endpoint endpoint, struct tls *tls,
			 char *problem, size_t problem_size)
{
	return http_server_listen_tls(door->server, endpoint, tls, problem, problem_size);
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

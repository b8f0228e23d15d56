/* SPDX-License-Identifier: MIT */
#include "io/admin_door.h"

#include "io/admin_visit.h"
#include "io/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	follow_batch = 256,	    /* events written in one turn to one follower */
	stream_bytes_max = 4 << 20, /* that a slow follower may leave waiting */
};

static void door_free_when_done(struct admin_door *door)
{
	if (door->is_server_closed && !door->visits) {
		close(door->files_fd);
		free(door);
	}
}

void admin_visit_free(struct visit *visit)
{
	struct admin_door *door = visit->door;

	for (struct visit **at = &door->visits; *at; at = &(*at)->next) {
		if (*at == visit) {
			*at = visit->next;
			break;
		}
	}
	admin_upload_drop(visit);
	admin_database_drop(visit);
	api_answer_free(&visit->answer);
	arena_free(&visit->arena);
	free(visit);
	door_free_when_done(door);
}

void admin_visit_reply(struct visit *visit)
{
	const struct api_answer *answer = &visit->answer;
	struct http_response response = {
		.status = answer->status,
		.content_type = span_text(answer->content_type),
		.allow = span_text(answer->allow),
		.headers = {{SPAN("Cache-Control"), SPAN("no-store")}},
		.header_count = 1,
	};

	http_exchange_answer(visit->exchange, &response, answer->body);
	admin_visit_free(visit);
}

static void context_of(const struct visit *visit, struct api_context *api)
{
	const struct admin_door_options *options = &visit->door->options;

	*api = (struct api_context){
		.inventory = options->inventory,
		.facts = &visit->facts,
		.server_for = options->server_for,
		.server_context = options->context,
	};
}

void admin_visit_finish(struct visit *visit, int result, const char *problem)
{
	struct api_context api;

	context_of(visit, &api);
	pthread_rwlock_rdlock(visit->door->options.inventory_lock);
	api_finish(&api, &visit->answer, result, problem);
	pthread_rwlock_unlock(visit->door->options.inventory_lock);
	admin_visit_reply(visit);
}

/* --- Changes. --- */

static void change_done(void *context, int result, const char *problem)
{
	struct visit *visit = context;

	if (visit->answer.verdict != API_CHANGE && visit->door->options.files_changed) {
		visit->door->options.files_changed(visit->door->options.context);
	}
	/* Gone from the folder; the catalogue's own watch was quicker to say so than we. */
	if (visit->answer.verdict == API_FILE_REMOVE && result == -ENOENT) {
		result = 0;
	}
	admin_visit_finish(visit, result, problem);
}

static void post(struct visit *visit)
{
	int result = store_client_post(visit->door->client, visit->answer.change,
				       span_text(visit->who), change_done, visit);

	if (result < 0) {
		admin_visit_finish(visit, result, "");
	}
}

/* --- Files and databases, on the thread pool. --- */

static void work(uv_work_t *request)
{
	struct visit *visit = request->data;

	if (visit->answer.verdict == API_BACKUP || visit->answer.verdict == API_RESTORE) {
		admin_database_work(visit);
	} else if (visit->answer.verdict == API_UPLOAD) {
		admin_upload_work(visit);
	} else {
		visit->result = catalogue_remove(visit->door->files_fd, visit->answer.file,
						 visit->problem, sizeof(visit->problem));
	}
}

static void work_done(uv_work_t *request, int status)
{
	struct visit *visit = request->data;

	visit->is_working = false;
	if (status < 0 || visit->door->is_closing) {
		admin_visit_finish(visit, -ESHUTDOWN, "the server is being stopped; try again");
	} else if (visit->result < 0) {
		admin_visit_finish(visit, visit->result, visit->problem);
	} else if (visit->answer.verdict == API_BACKUP || visit->answer.verdict == API_RESTORE) {
		admin_database_done(visit);
	} else {
		post(visit);
	}
}

static void queue_work(struct visit *visit)
{
	int result;

	visit->work.data = visit;
	result = uv_queue_work(visit->door->options.loop, &visit->work, work, work_done);
	visit->is_working = result == 0;
	if (result < 0) {
		admin_visit_finish(visit, result, "");
	}
}

/* --- Events. --- */

/* Lines of events. */
struct lines {
	char *text;
	size_t length;
	bool failed;
};

static void add_line(void *context, const struct event *event)
{
	struct lines *lines = context;
	size_t length = 0;
	char *line = api_event_line(event, &length);
	char *text = line ? realloc(lines->text, lines->length + length) : NULL;

	if (!text) {
		lines->failed = true;
	} else {
		memcpy(text + lines->length, line, length);
		lines->text = text;
		lines->length += length;
	}
	free(line);
}

static const struct mac *wanted_mac(const struct visit *visit)
{
	return visit->answer.events.has_mac ? &visit->answer.events.mac : NULL;
}

static uint64_t first_cursor(const struct visit *visit)
{
	const struct api_events_query *events = &visit->answer.events;
	struct store *store = visit->door->options.store;
	uint64_t first = store_events_newest(store, wanted_mac(visit), events->limit);
	uint64_t last = store_events_newest(store, NULL, 0);

	first = events->after > first ? events->after : first;
	/* A follower may know of more than we do: what was not written when the server was killed.
	 */
	return first < last ? first : last;
}

static void list_events(struct visit *visit)
{
	struct lines lines = {.text = NULL};

	(void)store_events_after(visit->door->options.store, first_cursor(visit), wanted_mac(visit),
				 api_events_max, add_line, &lines);
	if (lines.failed) {
		free(lines.text);
		api_fail(&visit->answer, 503, "the server is out of memory",
			 "ask for fewer events");
	} else {
		visit->answer.owned = lines.text;
		visit->answer.body = span_make(lines.text, lines.length);
	}
	admin_visit_reply(visit);
}

/* The visit goes when both have said so: we that the stream ends, the server that it is over. */
static void end_following(struct visit *visit)
{
	bool was_over = visit->is_over;

	visit->is_following = false;
	visit->door->counters.followers--;
	http_exchange_stream_end(visit->exchange);
	if (was_over) {
		admin_visit_free(visit);
	}
}

/* Writes what came since the last time. False: the follower is gone. */
static bool write_news(struct visit *visit)
{
	bool is_good = true;
	uint64_t before;

	do {
		struct lines lines = {.text = NULL};

		before = visit->cursor;
		visit->cursor =
			store_events_after(visit->door->options.store, before, wanted_mac(visit),
					   follow_batch, add_line, &lines);
		is_good = !lines.failed;
		if (is_good && lines.length > 0) {
			is_good = http_exchange_stream_write(visit->exchange,
							     span_make(lines.text, lines.length)) ==
				  0;
		}
		free(lines.text);
	} while (is_good && visit->cursor > before);
	return is_good;
}

static void on_news(void *context)
{
	struct admin_door *door = context;
	struct visit *next;

	for (struct visit *visit = door->visits; visit; visit = next) {
		next = visit->next;
		if (visit->is_following &&
		    (visit->is_over || visit->is_broken || !write_news(visit))) {
			end_following(visit);
		}
	}
}

/* Comes from inside the HTTP server: a stream that is not ended yet is ended with the next news. */
static void follower_over(void *data, bool is_whole)
{
	struct visit *visit = data;

	(void)is_whole;
	visit->is_over = true;
	if (!visit->is_following) {
		admin_visit_free(visit);
	} else if (visit->door->client) {
		store_client_wake(visit->door->client);
	}
}

static void follow_events(struct visit *visit)
{
	struct http_response response = {
		.status = 200,
		.content_type = span_text(visit->answer.content_type),
		.headers = {{SPAN("Cache-Control"), SPAN("no-store")}},
		.header_count = 1,
	};

	visit->cursor = first_cursor(visit);
	visit->is_following = true;
	visit->door->counters.followers++;
	http_exchange_on_over(visit->exchange, follower_over, visit);
	http_exchange_stream_begin(visit->exchange, &response);
	if (!write_news(visit)) {
		visit->is_broken = true;
		store_client_wake(visit->door->client);
	}
}

/* --- Requests. --- */

static void list_devices(struct visit *visit)
{
	struct api_context api;
	bool has_more;

	context_of(visit, &api);
	do {
		/* Taken anew for each slice, so that a writer gets between. */
		pthread_rwlock_rdlock(visit->door->options.inventory_lock);
		has_more = api_list_step(&api, &visit->answer);
		pthread_rwlock_unlock(visit->door->options.inventory_lock);
	} while (has_more);
	admin_visit_reply(visit);
}

static void give_order(struct visit *visit)
{
	const struct admin_door_options *options = &visit->door->options;
	int result = options->order
			     ? options->order(options->context, visit->answer.order, visit->who)
			     : -ENOTCONN;

	if (result == 0) {
		visit->answer.order = NULL;
		admin_visit_finish(visit, 0, "");
	} else if (result == -ENOSPC) {
		admin_visit_finish(visit, result,
				   "orders for too many devices are under way; wait for some of "
				   "them, or raise resyncs in [limits]");
	} else {
		admin_visit_finish(visit, result, "no SIP door is open; see the server's log");
	}
}

static void carry_out(struct visit *visit)
{
	switch (visit->answer.verdict) {
	case API_ANSWER:
		admin_visit_reply(visit);
		break;
	case API_CHANGE:
		post(visit);
		break;
	case API_ORDER:
		give_order(visit);
		break;
	case API_UPLOAD:
	case API_FILE_REMOVE:
	case API_BACKUP:
	case API_RESTORE:
		queue_work(visit);
		break;
	case API_LIST:
		list_devices(visit);
		break;
	case API_EVENTS:
		if (visit->answer.events.is_follow) {
			follow_events(visit);
		} else {
			list_events(visit);
		}
		break;
	}
}

/* Path and query as the API wants them, also for an absolute-form target. */
static struct span target_of(struct visit *visit, const struct http_request *request)
{
	size_t size = request->path.length + request->query.length + 1;
	char *room = arena_allocate(&visit->arena, size);
	struct writer w = writer_over(room, room ? size : 0);

	writer_put(&w, request->path);
	if (!span_is_empty(request->query)) {
		writer_char(&w, '?');
		writer_put(&w, request->query);
	}
	return writer_span(&w);
}

struct visit *admin_visit_new(struct admin_door *door, struct http_exchange *exchange)
{
	const struct http_peer *peer = http_exchange_peer(exchange);
	struct visit *visit = calloc(1, sizeof(*visit));

	door->counters.requests++;
	if (!visit) {
		http_exchange_answer(exchange,
				     &(struct http_response){.status = 503, .must_close = true},
				     SPAN(""));
		return NULL;
	}
	visit->door = door;
	visit->exchange = exchange;
	visit->upload = -ENOENT;
	visit->copy = -1;
	arena_init(&visit->arena, api_arena_bytes_max);
	snprintf(visit->who, sizeof(visit->who), "uid %lu", (unsigned long)peer->uid);
	visit->next = door->visits;
	door->visits = visit;
	return visit;
}

static void handle(void *context, struct http_exchange *exchange)
{
	struct admin_door *door = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct visit *visit = admin_visit_new(door, exchange);
	struct api_request asked;
	struct api_context api;

	if (!visit) {
		return;
	}
	if (!http_exchange_peer(exchange)->has_credentials) {
		door->counters.foreign++;
		api_fail(&visit->answer, 403, "the kernel does not say who you are",
			 "connect to the unix socket");
		admin_visit_reply(visit);
		return;
	}
	if (!admin_upload_take(visit)) {
		return;
	}
	door->options.facts(door->options.context, &visit->arena, &visit->facts);
	asked = (struct api_request){
		.method = span_text(http_method_name(request->method)),
		.target = target_of(visit, request),
		.body = request->body,
		.upload_bytes = visit->upload_bytes,
	};
	context_of(visit, &api);
	pthread_rwlock_rdlock(door->options.inventory_lock);
	api_handle(&api, &asked, &visit->arena, &visit->answer);
	pthread_rwlock_unlock(door->options.inventory_lock);
	carry_out(visit);
}

/* --- Opening and closing. --- */

static int open_server(struct admin_door *door, char *problem, size_t problem_size)
{
	struct http_server_options options;
	int result;

	http_server_defaults(&options);
	options.loop = door->options.loop;
	options.connections_max = door->options.connections_max;
	options.connections_per_source_max = 0;
	options.body_max = api_json_body_max;
	options.stream_bytes_max = stream_bytes_max;
	options.methods = 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_POST |
			  1u << METHOD_PUT | 1u << METHOD_DELETE | 1u << METHOD_PATCH;
	options.begin = admin_upload_begin;
	options.handle = handle;
	options.context = door;
	result = http_server_new(&door->server, &options);
	if (result < 0) {
		snprintf(problem, problem_size, "the admin socket cannot be made: %s",
			 strerror(-result));
		return result;
	}
	result = http_server_listen_unix(door->server, door->options.path, 0660, problem,
					 problem_size);
	if (result == -EADDRINUSE) {
		snprintf(problem, problem_size,
			 "a server answers at %s already; end it, or name another socket ([admin] "
			 "socket)",
			 door->options.path);
	}
	return result;
}

static void server_closed(void *context)
{
	struct admin_door *door = context;

	door->is_server_closed = true;
	door_free_when_done(door);
}

int admin_door_open(struct admin_door **door, const struct admin_door_options *options,
		    char *problem, size_t problem_size)
{
	struct admin_door *new = calloc(1, sizeof(*new));
	int result;

	if (!new) {
		snprintf(problem, problem_size, "out of memory");
		return -ENOMEM;
	}
	new->options = *options;
	new->files_fd = open(options->files_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (new->files_fd < 0) {
		result = -errno;
		snprintf(problem, problem_size, "the folder %s cannot be opened: %s",
			 options->files_path, strerror(-result));
		free(new);
		return result;
	}
	result = store_client_open(options->store, options->loop, &new->client);
	if (result < 0) {
		snprintf(problem, problem_size, "the admin socket cannot be made: %s",
			 strerror(-result));
		close(new->files_fd);
		free(new);
		return result;
	}
	store_client_watch(new->client, on_news, new);
	result = open_server(new, problem, problem_size);
	if (result < 0) {
		admin_door_close(new);
		return result;
	}
	*door = new;
	return 0;
}

void admin_door_close(struct admin_door *door)
{
	struct visit *next;

	door->is_closing = true;
	store_client_close(door->client);
	door->client = NULL;
	/* Those on the thread pool are answered when they are back. */
	for (struct visit *visit = door->visits; visit; visit = next) {
		next = visit->next;
		if (visit->is_following) {
			end_following(visit);
		} else if (!visit->is_working) {
			admin_visit_finish(
				visit, -ESHUTDOWN,
				"the server is being stopped; look whether the change was made");
		}
	}
	if (door->server) {
		http_server_close(door->server, server_closed, door);
	} else {
		server_closed(door);
	}
}

void admin_door_counters(const struct admin_door *door, struct admin_door_counters *counters)
{
	*counters = door->counters;
}

/* SPDX-License-Identifier: MIT */
/*
 * Backup and restore through the admin socket. What takes long (copying, checking, loading) is done
 * on the thread pool; the store's thread only puts the new database in the place of the old one.
 */
#include "io/admin_visit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void admin_database_work(struct visit *visit)
{
	struct store *store = visit->door->options.store;
	int upload = visit->upload;

	if (visit->answer.verdict == API_BACKUP) {
		visit->result = store_copy(store, &visit->copy, &visit->holdings, visit->problem,
					   sizeof(visit->problem));
	} else {
		visit->upload = -ENOENT;
		visit->result = store_restoration_new(store, upload, &visit->restoration,
						      visit->problem, sizeof(visit->problem));
	}
}

void admin_database_drop(struct visit *visit)
{
	if (visit->copy >= 0) {
		close(visit->copy);
	}
	store_restoration_free(visit->restoration);
}

/* --- Backup. --- */

static void add_number(struct http_response *response, struct span name, uint64_t number,
		       struct writer *w)
{
	size_t from = w->length;

	writer_unsigned(w, number);
	response->headers[response->header_count++] = (struct http_header){
		.name = name,
		.value = span_slice(writer_span(w), from, w->length),
	};
}

static void send_copy(struct visit *visit)
{
	const struct store_holdings *holdings = &visit->holdings;
	char numbers[80]; /* three of at most 20 digits */
	struct writer w = writer_over(numbers, sizeof(numbers));
	int copy = visit->copy;
	struct http_parts whole = http_parts_whole(holdings->bytes);
	struct stat opened;
	struct http_response response = {
		.status = 200,
		.content_type = SPAN("application/vnd.sqlite3"),
		.headers = {{SPAN("Cache-Control"), SPAN("no-store")}},
		.header_count = 1,
	};

	add_number(&response, SPAN("Bellhop-Devices"), holdings->devices, &w);
	add_number(&response, SPAN("Bellhop-Profiles"), holdings->profiles, &w);
	add_number(&response, SPAN("Bellhop-Schema"), holdings->schema, &w);
	if (fstat(copy, &opened) != 0) {
		admin_visit_finish(visit, -errno, "");
		return;
	}
	visit->copy = -1;
	http_exchange_answer_file(visit->exchange, &response, copy, &opened, &whole);
	admin_visit_free(visit);
}

/* --- Restore. --- */

static void restore_done(void *context, int result, const char *problem,
			 const struct store_restored *restored)
{
	struct visit *visit = context;
	const struct api_restored told = {
		.devices = restored->holdings.devices,
		.profiles = restored->holdings.profiles,
		.bytes = restored->holdings.bytes,
		.schema = restored->holdings.schema,
		.stale = restored->stale,
		.kept = restored->kept,
	};

	api_finish_restore(&visit->answer, result, problem, &told);
	admin_visit_reply(visit);
}

void admin_database_done(struct visit *visit)
{
	struct store_restoration *restoration = visit->restoration;
	int result;

	if (visit->answer.verdict == API_BACKUP) {
		send_copy(visit);
		return;
	}
	visit->restoration = NULL;
	result = store_client_restore(visit->door->client, restoration, span_text(visit->who),
				      restore_done, visit);
	if (result < 0) {
		admin_visit_finish(visit, result, "");
	}
}

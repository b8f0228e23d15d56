/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/client_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { wait_ms = 1000 }; /* libcurl itself wakes earlier when there is something to do */

struct slot {
	struct request request;
	size_t number; /* of the request that is under way */
	bool is_under_way;
};

struct client_batch {
	CURLM *multi;
	struct slot slots[client_batch_max];
	size_t count; /* of slots that are used */
	size_t under_way;
	struct curl_slist *headers; /* of all of them */
};

/* The server was found for the first slot: the others ask the same one. */
static int copy_slot(struct client_batch *batch, size_t i)
{
	const struct request *first = &batch->slots[0].request;
	struct request *request = &batch->slots[i].request;

	request->curl = curl_easy_duphandle(first->curl);
	request->base_length = first->base_length;
	return request->curl && text_add(&request->url, first->url.data, first->url.length) == 0
		       ? 0
		       : -ENOMEM;
}

static int open_slots(struct client_batch *batch, const struct arguments *arguments)
{
	struct request *first = &batch->slots[0].request;
	int result = request_open(first, arguments);

	if (result != EXIT_DONE) {
		return result;
	}
	batch->headers = curl_slist_append(first->headers, json_content_type);
	first->headers = NULL;
	curl_easy_setopt(first->curl, CURLOPT_HTTPHEADER, batch->headers);
	curl_easy_setopt(first->curl, CURLOPT_TIMEOUT, request_timeout_s(arguments));
	for (size_t i = 1; i < batch->count; i++) {
		if (copy_slot(batch, i) < 0) {
			return fail("out of memory");
		}
	}
	return EXIT_DONE;
}

int client_batch_open(const struct arguments *arguments, size_t at_once,
		      struct client_batch **batch)
{
	struct client_batch *new = calloc(1, sizeof(*new));
	int result;

	if (!new) {
		return fail("out of memory");
	}
	new->count = at_once < client_batch_max ? at_once : client_batch_max;
	new->multi = curl_multi_init();
	result = new->multi ? open_slots(new, arguments) : fail("out of memory");
	if (result != EXIT_DONE) {
		client_batch_close(new);
		return result;
	}
	curl_multi_setopt(new->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)new->count);
	curl_multi_setopt(new->multi, CURLMOPT_MAXCONNECTS, (long)new->count);
	*batch = new;
	return EXIT_DONE;
}

void client_batch_close(struct client_batch *batch)
{
	for (size_t i = 0; i < client_batch_max; i++) {
		struct slot *slot = &batch->slots[i];

		if (slot->is_under_way) {
			curl_multi_remove_handle(batch->multi, slot->request.curl);
		}
		request_free(&slot->request);
	}
	curl_multi_cleanup(batch->multi);
	curl_slist_free_all(batch->headers);
	free(batch);
}

bool client_batch_is_full(const struct client_batch *batch)
{
	return batch->under_way == batch->count;
}

static struct slot *free_slot(struct client_batch *batch)
{
	size_t i = 0;

	while (batch->slots[i].is_under_way) {
		i++;
	}
	return &batch->slots[i];
}

int client_batch_start(struct client_batch *batch, const char *method, const char *path,
		       const json_t *body, size_t number)
{
	struct slot *slot = free_slot(batch);
	struct request *request = &slot->request;

	if (request_aim(request, method, path) < 0 ||
	    (body && request_set_body(request, body) < 0) ||
	    curl_easy_setopt(request->curl, CURLOPT_PRIVATE, slot) != CURLE_OK ||
	    curl_multi_add_handle(batch->multi, request->curl) != CURLM_OK) {
		return -ENOMEM;
	}
	slot->number = number;
	slot->is_under_way = true;
	batch->under_way++;
	return 0;
}

/* Takes in what came, and waits when that is nothing: NULL, or one that is over. */
static struct slot *next_over(struct client_batch *batch, CURLcode *code)
{
	struct slot *slot = NULL;
	int left;
	CURLMsg *message = curl_multi_info_read(batch->multi, &left);

	if (!message) {
		if (curl_multi_perform(batch->multi, &left) == CURLM_OK &&
		    (message = curl_multi_info_read(batch->multi, &left)) == NULL) {
			curl_multi_poll(batch->multi, NULL, 0, wait_ms, NULL);
		}
	}
	if (message) {
		*code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
	}
	return slot;
}

void client_batch_wait(struct client_batch *batch, struct client_answer *answer)
{
	CURLcode code = CURLE_OK;
	struct request *request;
	struct slot *slot;

	while (!(slot = next_over(batch, &code))) {
		continue;
	}
	request = &slot->request;
	curl_multi_remove_handle(batch->multi, request->curl);
	slot->is_under_way = false;
	batch->under_way--;
	*answer = (struct client_answer){.number = slot->number};
	answer->result = request_judge(request, code, &answer->reply);
	if (answer->result == EXIT_DONE) {
		answer->result = request_read_json(request, &answer->reply);
	}
	if (!answer->reply) {
		answer->why = strdup(request->why);
	}
}

void client_answer_free(struct client_answer *answer)
{
	json_decref(answer->reply);
	free(answer->why);
	*answer = (struct client_answer){.reply = NULL};
}

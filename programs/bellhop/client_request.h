/* SPDX-License-Identifier: MIT */
/*
 * One request of the client's, on a handle of libcurl that is used again: client.c performs one and
 * waits, client_batch.c keeps several under way. What goes wrong is kept as a sentence and not
 * said.
 */
#ifndef BELLHOP_PROGRAMS_CLIENT_REQUEST_H
#define BELLHOP_PROGRAMS_CLIENT_REQUEST_H

#include "programs/bellhop/client.h"

#include <curl/curl.h>

extern const char *const json_content_type; /* a header */

struct request {
	CURL *curl;
	struct curl_slist *headers;
	struct text url;
	size_t base_length; /* of it: all but the path */
	char *body;	    /* owned: libcurl does not copy it */
	struct text answer;
	bool is_too_long;
	char error[CURL_ERROR_SIZE];	 /* libcurl's */
	char why[CURL_ERROR_SIZE + 128]; /* the sentence, when no answer of the server's tells */
	/* Of a download. */
	FILE *file;
	int write_error;
	/* Of a stream. */
	client_line_fn *line;
	void *context;
	bool is_stopped;
};

/*
 * Finds the server and makes the handle. EXIT_DONE, or EXIT_FAILED after saying why. To be freed in
 * either case.
 */
int request_open(struct request *request, const struct arguments *arguments);
void request_free(struct request *request);

/* The next one on this handle: 0 or -ENOMEM. */
int request_aim(struct request *request, const char *method, const char *path);
int request_set_body(struct request *request, const json_t *body);

long request_timeout_s(const struct arguments *arguments);

/*
 * What became of it, after `code` of libcurl: EXIT_DONE; or EXIT_FAILED with the server's error
 * object in `*refusal`, or with that as it was and the reason in `why`.
 */
int request_judge(struct request *request, CURLcode code, json_t **refusal);

/* EXIT_DONE and `*reply`, or EXIT_FAILED with the reason in `why`. */
int request_read_json(struct request *request, json_t **reply);

#endif

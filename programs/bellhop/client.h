/* SPDX-License-Identifier: MIT */
/* The way to the server: its admin socket, or a URL with a token. */
#ifndef BELLHOP_PROGRAMS_CLIENT_H
#define BELLHOP_PROGRAMS_CLIENT_H

#include "programs/bellhop/bellhop.h"

/* Text that grows; `data` ends with a NUL when it is not NULL. */
struct text {
	char *data;
	size_t length;
};

/* 0, or -ENOMEM with the text as it was. */
int text_add(struct text *text, const char *bytes, size_t length);

/* `value` percent-encoded; with `keep_slash` a '/' stays. */
int text_add_encoded(struct text *text, const char *value, bool keep_slash);

/*
 * `collection` ("/api/v1/pools/") and one of its members, by its name percent-encoded; with
 * `keep_slash` a '/' in it stays. 0, or -ENOMEM.
 */
int text_add_member(struct text *path, const char *collection, const char *name, bool keep_slash);

/* "?name=value" or "&name=value", when value is not NULL. */
int text_add_parameter(struct text *path, const char *name, const char *value);

/*
 * Asks the server. `body` (taken over, may be NULL) is sent as JSON. 0 and `*reply` (JSON, the
 * caller's), or EXIT_FAILED after saying why.
 */
int client_ask(const struct arguments *arguments, const char *method, const char *path,
	       json_t *body, json_t **reply);

/*
 * As client_ask, but a refusal of the server's is not said: EXIT_FAILED with its error object in
 * `*reply`, the caller's. EXIT_FAILED with NULL there: nothing could be asked, which was said.
 */
int client_try(const struct arguments *arguments, const char *method, const char *path,
	       json_t *body, json_t **reply);

/* Whether there is an admin socket that this user may not use, and none that it may. */
bool client_is_forbidden(const struct arguments *arguments);

/* Says an error object: what is wrong; what to do. */
void client_say_refusal(const json_t *refusal);

/* As client_ask with GET, for an answer that is not JSON: its bytes, to be freed by the caller. */
int client_fetch(const struct arguments *arguments, const char *path, struct text *bytes);

/* Sends a file of `size` bytes, and shows how far it is when stderr is a terminal. */
int client_upload(const struct arguments *arguments, const char *path, FILE *file, long long size,
		  json_t **reply);

/* A header of an answer that holds a number. */
struct client_number {
	const char *name;
	long long value; /* 0 when it is not there */
};

/*
 * Writes the answer to a GET to `file`, whole or with a failure, and shows how far it is when
 * stderr is a terminal. `numbers` are looked up in its headers.
 */
int client_download(const struct arguments *arguments, const char *path, FILE *file,
		    struct client_number *numbers, size_t number_count);

/* How a stream of lines came to its end. */
enum stream_end {
	STREAM_WHOLE,	    /* the server has told all there is */
	STREAM_STOPPED,	    /* by the reader of the lines */
	STREAM_CUT,	    /* it had begun, and the connection is lost */
	STREAM_REFUSED,	    /* which was said */
	STREAM_UNREACHABLE, /* no server answers, which was said */
};

/* Calls `line` for each line of the answer as it comes; `line` returns false to stop. */
typedef bool client_line_fn(void *context, const char *line);
enum stream_end client_stream(const struct arguments *arguments, const char *path,
			      client_line_fn *line, void *context);

/* --- client_batch.c: several requests under way at once, each on a connection of its own. --- */

/* At most so many: a quarter of what the server takes on its socket, for others are there too. */
enum { client_batch_max = 16 };

struct client_batch;

struct client_answer {
	size_t number; /* of the request */
	int result;    /* EXIT_DONE or EXIT_FAILED */
	json_t *reply; /* with EXIT_FAILED the server's error object; NULL: it did not answer */
	char *why;     /* then, what is to be said; NULL: no memory for it */
};

/* Finds the server. EXIT_DONE and `*batch`, or EXIT_FAILED after saying why. */
int client_batch_open(const struct arguments *arguments, size_t at_once,
		      struct client_batch **batch);
void client_batch_close(struct client_batch *batch);

bool client_batch_is_full(const struct client_batch *batch);

/*
 * Sends one more, where the batch is not full; either all have a body or none. 0, or -ENOMEM. What
 * becomes of it tells client_batch_wait.
 */
int client_batch_start(struct client_batch *batch, const char *method, const char *path,
		       const json_t *body, size_t number);

/* The next answer, in whatever order they come; at least one must be under way. To be freed. */
void client_batch_wait(struct client_batch *batch, struct client_answer *answer);
void client_answer_free(struct client_answer *answer);

#endif

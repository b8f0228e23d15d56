/* SPDX-License-Identifier: MIT */
/*
 * Inside the admin door: one request on its way. admin_door.c takes requests in and answers them,
 * admin_upload.c is what they bring along, admin_database.c backup and restore.
 */
#ifndef BELLHOP_IO_ADMIN_VISIT_H
#define BELLHOP_IO_ADMIN_VISIT_H

#include "io/admin_door.h"
#include "io/http_server.h"

enum { admin_sentence_size = 512, admin_who_size = 32 };

/* One request on its way. */
struct visit {
	struct admin_door *door;
	struct visit *next;
	struct http_exchange *exchange;
	struct arena arena;
	struct api_facts facts;
	struct api_answer answer;
	char who[admin_who_size];
	/* What is done on the thread pool. */
	uv_work_t work;
	bool is_working;
	int result;
	char problem[admin_sentence_size];
	/* What came with it: the descriptor, or -ENOENT. */
	int upload;
	uint64_t upload_bytes;
	/* A backup, and a restore. */
	int copy; /* descriptor; -1: none */
	struct store_holdings holdings;
	struct store_restoration *restoration;
	/* A stream of events. */
	bool is_following;
	bool is_over;	/* the exchange is: follower_over came */
	bool is_broken; /* to be ended */
	uint64_t cursor;
};

struct admin_door {
	struct admin_door_options options;
	struct http_server *server;
	struct store_client *client;
	struct visit *visits;
	struct admin_door_counters counters;
	int files_fd;
	bool is_closing;
	bool is_server_closed;
};

/* --- admin_door.c --- */

/* A visit for the exchange; NULL without memory, and that is answered. */
struct visit *admin_visit_new(struct admin_door *door, struct http_exchange *exchange);

/* The visit's answer goes out, and the visit is over. */
void admin_visit_reply(struct visit *visit);

/* The same, with what an errno and its sentence (or 0) come to. */
void admin_visit_finish(struct visit *visit, int result, const char *problem);

/* Over, without an answer of ours. */
void admin_visit_free(struct visit *visit);

/* --- admin_upload.c --- */

/* At the head of a request with a body: `begin` of the HTTP server; `context` is the door. */
void admin_upload_begin(void *context, struct http_exchange *exchange);

/* Takes what was uploaded, if something was. False: the disk refused it; the visit is over. */
bool admin_upload_take(struct visit *visit);

/* On the thread pool: puts it in place in the catalogue. */
void admin_upload_work(struct visit *visit);

/* What a visit that ends holds of it. */
void admin_upload_drop(struct visit *visit);

/* --- admin_database.c: both halves of each on the thread pool and after it. --- */

void admin_database_work(struct visit *visit);
void admin_database_done(struct visit *visit);

/* What a visit that ends holds of them. */
void admin_database_drop(struct visit *visit);

#endif

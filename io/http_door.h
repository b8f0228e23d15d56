/* SPDX-License-Identifier: MIT */
/*
 * The phones' HTTP and HTTPS door: GET (of all or of ranges) and HEAD of files, and nothing else.
 * Every refusal is the same 404.
 *
 * A file counts as fetched when the phone has all of it: after a 200 or a 304, or a 206 that went
 * out whole and whose last range ends where the file ends (it resumed). Other 206s are told at
 * debug level ("file_served_part"). HEAD is no fetch.
 *
 * An answer with a file that does not go out whole is reported as "transfer_abandoned", a request
 * or a connection that the server refuses by itself as "http_refused".
 *
 * A TLS handshake that fails is reported as "tls_failed", a client certificate that a phone shows,
 * once for each full handshake, as "client_certificate".
 */
#ifndef BELLHOP_IO_HTTP_DOOR_H
#define BELLHOP_IO_HTTP_DOOR_H

#include "core/base/random.h"
#include "io/door.h"
#include "io/http_server.h"

struct http_door;

struct http_door_options {
	size_t connections_max;		   /* beyond: 503 and close */
	size_t connections_per_source_max; /* the same, as in http_server.h */
	uint8_t seed[random_seed_size];	   /* of the boundaries of multipart answers */
};

/* 0 and `*out`, or -ENOMEM. `door` and what it points to must outlive it; options are copied. */
int http_door_new(struct http_door **out, uv_loop_t *loop, const struct door *door,
		  const struct http_door_options *options);

/* As http_server_listen_tcp; may be called for several endpoints. */
int http_door_listen(struct http_door *door, struct endpoint endpoint, char *problem,
		     size_t problem_size);

/* As http_server_listen_tls. */
int http_door_listen_tls(struct http_door *door, struct endpoint endpoint, struct tls *tls,
			 char *problem, size_t problem_size);

uint16_t http_door_port(const struct http_door *door, size_t i);
const struct http_server_counters *http_door_counters(const struct http_door *door);

/* Shuts the door; `closed` (may be NULL) is called from the loop when it is gone. */
void http_door_close(struct http_door *door, void (*closed)(void *context), void *context);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Bodies out of files: read in slices, one at a time, each sent before the next is read, so that a
 * slow reader costs one slice of memory and its copy that is being sent, however big the file. What
 * the page cache has is taken at once, for the rest a thread of the pool waits. All octets come
 * from one descriptor, which must not change meanwhile: a file that does is cut, never mixed
 * (R-HTTP-33). Used by io/http_connection.c only; handlers call http_exchange_answer_file.
 */
#ifndef BELLHOP_IO_HTTP_BODY_H
#define BELLHOP_IO_HTTP_BODY_H

#include "io/http_connection.h"

/* Whether a slice is being read at this moment: the connection must not be freed. */
bool http_body_is_reading(const struct http_connection *connection);

/* Reads the next slice and sends it, or ends the connection when that fails. Something is left. */
void http_body_go_on(struct http_connection *connection);

/* Lets go of the file, when there is one, unless it is being read. */
void http_body_drop(struct http_connection *connection);

#endif

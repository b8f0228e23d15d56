/* SPDX-License-Identifier: MIT */
/*
 * Bodies out of files: read in slices on the thread pool, one slice at a time, each sent before the
 * next is read. Used by io/http_connection.c only; handlers call http_exchange_answer_file.
 */
#ifndef BELLHOP_IO_HTTP_BODY_H
#define BELLHOP_IO_HTTP_BODY_H

#include "io/http_connection.h"

/* Reads the next slice and sends it; ends the connection when that fails. */
void http_body_read_slice(struct http_connection *connection);

/* Lets go of the file, unless it is being read at this moment. */
void http_body_drop(struct http_connection *connection);

#endif

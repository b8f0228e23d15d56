/* SPDX-License-Identifier: MIT */
/*
 * Bodies into files: what one read of the connection brought is written on a thread of the pool,
 * and nothing more is read meanwhile. So an upload costs one buffer, however long it is, and who
 * sends faster than the disk takes waits in the kernel. Used by io/http_connection.c only; handlers
 * call http_exchange_receive and http_exchange_take_file.
 */
#ifndef BELLHOP_IO_HTTP_UPLOAD_H
#define BELLHOP_IO_HTTP_UPLOAD_H

#include "io/http_connection.h"

/* Whether something is being written at this moment: the connection must not be freed. */
bool http_upload_is_writing(const struct http_connection *connection);

/* What writing failed with, a negative errno; 0: nothing has failed. */
int http_upload_error(const struct http_connection *connection);

/* Takes a copy of what came; all that one read brings has room once the last was written. */
void http_upload_put(struct http_connection *connection, struct span piece);

/*
 * Begins to write what was put, and stops reading; http_connection_stored follows. False when there
 * is nothing to be written.
 */
bool http_upload_flush(struct http_connection *connection);

/*
 * Whether upload_octets_min have come since it was asked the last time, or it is the disk that
 * keeps them waiting.
 */
bool http_upload_is_in_time(struct http_connection *connection);

/* Lets go of the file, when there is one, unless it is being written. */
void http_upload_drop(struct http_connection *connection);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What llhttp does not decide of a request head: the request line by itself, and what the fields
 * mean together (Host, framing, Expect). Used by the parser only.
 */
#ifndef BELLHOP_CORE_HTTP_REQUEST_CHECK_H
#define BELLHOP_CORE_HTTP_REQUEST_CHECK_H

#include "core/http/request.h"

/* Why a request is refused; status 0: it is not. */
struct http_fault {
	unsigned status;
	const char *reason; /* constant word */
};

/* RFC 9110 5.6.2 and 5.5: what tokens are made of; what may stand in a field's value. */
bool http_is_token_octet(char c);
bool http_is_field_octet(char c);

/* Reads METHOD SP TARGET SP VERSION, without its CRLF, into `method`, `target` and `minor`. */
struct http_fault http_check_line(struct span line, struct http_request *request);

/* Splits the target and holds the fields against each other; fills what follows from them. */
struct http_fault http_check_head(struct http_request *request);

#endif

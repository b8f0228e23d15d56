/* SPDX-License-Identifier: MIT */
/* A connection's bytes, cut into pieces by the first octet: requests, conditions, targets. */
#include "core/http/conditional.h"
#include "core/http/request.h"
#include "core/http/target.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct http_request *request)
{
	char path[http_head_bytes_max];
	struct writer w = writer_over(path, sizeof(path));
	struct http_validators validators = {SPAN("\"abc\""), 784111777000, 1000};
	struct http_ranges ranges;

	(void)http_percent_decode(request->path, &w);
	(void)http_conditional(request, &validators, 1795384546000, &ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? data[0] % 97 + 1 : 1;
	struct span rest = span_make((const char *)data, size);
	struct http_parser *parser;

	if (http_parser_new(&parser, 4096) != 0) {
		return 0;
	}
	while (rest.length > 0) {
		struct span piece = span_slice(rest, 0, step);
		enum http_progress progress = HTTP_HEAD_DONE;

		rest = span_slice(rest, piece.length, rest.length);
		while (progress != HTTP_NEEDS_MORE && progress != HTTP_REQUEST_BAD) {
			progress = http_parser_feed(parser, &piece);
			if (progress == HTTP_REQUEST_DONE) {
				use(http_parser_request(parser));
				http_parser_next(parser);
				progress = piece.length > 0 ? HTTP_HEAD_DONE : HTTP_NEEDS_MORE;
			}
		}
		if (progress == HTTP_REQUEST_BAD) {
			break;
		}
	}
	http_parser_free(parser);
	return 0;
}

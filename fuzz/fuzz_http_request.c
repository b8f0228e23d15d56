/* SPDX-License-Identifier: MIT */
/*
 * A connection's bytes, cut into pieces by the first octet: requests, conditions, targets. Bodies
 * of requests for /out… are handed out.
 */
#include "core/http/conditional.h"
#include "core/http/request.h"
#include "core/http/target.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { body_max = 4096 };

#define HOLD(condition) ((condition) ? (void)0 : abort())

static void use(const struct http_request *request)
{
	char path[http_head_bytes_max];
	struct writer w = writer_over(path, sizeof(path));
	struct http_validators validators = {SPAN("\"abc\""), 784111777000, 1000};
	struct http_ranges ranges;

	(void)http_percent_decode(request->path, &w);
	(void)http_conditional(request, &validators, 1795384546000, &ranges);
}

/* One event. `fed` is what the parser had before it. */
static void take(struct http_parser *parser, enum http_progress progress, struct span fed,
		 uint64_t *handed_out)
{
	const struct http_request *request = http_parser_request(parser);
	struct span piece = http_parser_piece(parser);

	if (progress == HTTP_HEAD_DONE && span_starts_with(request->path, SPAN("/out"))) {
		*handed_out = 0;
		http_parser_hand_out_body(parser, body_max / 2);
	} else if (progress == HTTP_BODY_PIECE) {
		*handed_out += piece.length;
		HOLD(piece.length > 0 && *handed_out <= body_max / 2);
		HOLD(piece.data >= fed.data && piece.data + piece.length <= fed.data + fed.length);
	} else if (progress == HTTP_REQUEST_DONE) {
		HOLD(request->body.length <= body_max);
		use(request);
		http_parser_next(parser);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? data[0] % 97 + 1 : 1;
	struct span rest = span_make((const char *)data, size);
	struct http_parser *parser;
	uint64_t handed_out = 0;

	if (http_parser_new(&parser, body_max) != 0) {
		return 0;
	}
	while (rest.length > 0) {
		struct span piece = span_slice(rest, 0, step);
		enum http_progress progress = HTTP_HEAD_DONE;

		rest = span_slice(rest, piece.length, rest.length);
		while (progress != HTTP_NEEDS_MORE && progress != HTTP_REQUEST_BAD) {
			struct span fed = piece;

			progress = http_parser_feed(parser, &piece);
			take(parser, progress, fed, &handed_out);
			if (progress == HTTP_REQUEST_DONE) {
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

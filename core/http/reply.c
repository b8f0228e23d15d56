/* SPDX-License-Identifier: MIT */
#include "core/http/reply.h"

static void add_field(struct http_reply *reply, struct span name, struct span value)
{
	struct http_response *response = &reply->response;

	response->headers[response->header_count++] = (struct http_header){name, value};
}

static void describe_one_part(struct http_reply *reply)
{
	struct writer w = writer_over(reply->content_range, sizeof(reply->content_range));

	http_range_write(&w, &reply->parts.ranges.items[0], reply->parts.size);
	add_field(reply, SPAN("Content-Range"), writer_span(&w));
}

static void describe_several_parts(struct http_reply *reply)
{
	struct writer w = writer_over(reply->parts_type, sizeof(reply->parts_type));

	http_parts_write_type(&w, &reply->parts);
	reply->response.content_type = writer_span(&w);
}

static void describe_unsatisfied(struct http_reply *reply)
{
	struct writer w = writer_over(reply->content_range, sizeof(reply->content_range));

	http_range_write_unsatisfied(&w, reply->parts.size);
	add_field(reply, SPAN("Content-Range"), writer_span(&w));
}

static struct span type_of(const struct http_content *content)
{
	return span_is_empty(content->content_type) ? SPAN("application/octet-stream")
						    : content->content_type;
}

/* What stands around several parts. False when they cannot be sent, or cost more than the whole. */
static bool prepare_parts(struct http_parts *parts, struct span content_type, struct random *random)
{
	struct writer w = writer_over(parts->boundary, sizeof(parts->boundary));

	random_write_hex(random, &w, (http_boundary_size - 1) / 2);
	writer_terminate(&w);
	return span_to_text(content_type, parts->content_type, sizeof(parts->content_type)) == 0 &&
	       http_parts_length(parts) <= parts->size;
}

/* The status; `reply->parts` is then what of the content is sent. */
static unsigned decide(struct http_reply *reply, const struct http_request *request,
		       const struct http_content *content, uint64_t now_utc_ms,
		       struct random *random)
{
	struct http_parts *parts = &reply->parts;
	unsigned status;

	*parts = http_parts_whole(content->validators.size);
	status = http_conditional(request, &content->validators, now_utc_ms, &parts->ranges);
	if (status == 206 && http_parts_is_multipart(parts) &&
	    !prepare_parts(parts, type_of(content), random)) {
		*parts = http_parts_whole(content->validators.size);
		return 200;
	}
	if (status != 200 && status != 206) {
		parts->ranges.count = 0;
	}
	return status;
}

void http_reply_make(struct http_reply *reply, const struct http_request *request,
		     const struct http_content *content, uint64_t now_utc_ms, struct random *random)
{
	struct http_response *response = &reply->response;

	*reply = (struct http_reply){.response.etag = content->validators.etag};
	response->status = decide(reply, request, content, now_utc_ms, random);
	/* A proxy keeps nobody's configuration; others ask again before they use what they keep. */
	add_field(reply, SPAN("Cache-Control"),
		  content->is_private ? SPAN("private, no-store") : SPAN("no-cache"));
	if (response->status == 200 || response->status == 206) {
		response->content_type = type_of(content);
		response->modified_utc_ms = content->validators.modified_utc_ms;
	}
	if (response->status == 200) {
		add_field(reply, SPAN("Accept-Ranges"), SPAN("bytes"));
	} else if (response->status == 416) {
		describe_unsatisfied(reply);
	} else if (response->status == 206) {
		/* RFC 9110 15.3.7: who sends If-Range knows it from before. */
		if (http_request_header(request, SPAN("If-Range"))) {
			response->modified_utc_ms = 0;
		}
		if (http_parts_is_multipart(&reply->parts)) {
			describe_several_parts(reply);
		} else {
			describe_one_part(reply);
		}
	}
}

bool http_reply_reaches_end(const struct http_reply *reply)
{
	const struct http_ranges *ranges = &reply->parts.ranges;
	const struct http_range *last = &ranges->items[ranges->count > 0 ? ranges->count - 1 : 0];

	if (reply->response.status != 206) {
		return reply->response.status == 200;
	}
	return last->first + last->length == reply->parts.size;
}

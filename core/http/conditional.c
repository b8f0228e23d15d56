/* SPDX-License-Identifier: MIT */
#include "core/http/conditional.h"

#include "core/base/time.h"

/* One entity-tag at the front of `*rest`: [ W/ ] DQUOTE *etagc DQUOTE. False at junk. */
static bool take_etag(struct span *rest, bool *is_weak, struct span *tag)
{
	struct span s = *rest;
	size_t end;

	*is_weak = span_starts_with(s, SPAN("W/"));
	if (*is_weak) {
		s = span_slice(s, 2, s.length);
	}
	if (s.length < 2 || s.data[0] != '"') {
		return false;
	}
	end = span_find(span_slice(s, 1, s.length), '"') + 1;
	if (end == s.length) {
		return false;
	}
	*tag = span_slice(s, 0, end + 1);
	*rest = span_slice(s, end + 1, s.length);
	return true;
}

bool http_etag_listed(struct span value, struct span tag, bool is_weak_comparison)
{
	struct span rest = span_trim(value);

	if (span_equal(rest, SPAN("*"))) {
		return true;
	}
	while (rest.length > 0) {
		struct span listed;
		bool is_weak;

		if (rest.data[0] == ',' || rest.data[0] == ' ' || rest.data[0] == '\t') {
			rest = span_slice(rest, 1, rest.length);
			continue;
		}
		if (!take_etag(&rest, &is_weak, &listed)) {
			return false;
		}
		if (span_equal(listed, tag) && (is_weak_comparison || !is_weak)) {
			return true;
		}
	}
	return false;
}

/* Any line of the field lists the tag: a list may be spread over several lines (RFC 9110 5.3). */
static bool is_listed(const struct http_request *request, struct span name, struct span tag,
		      bool is_weak_comparison)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (span_equal_nocase(request->headers[i].name, name) &&
		    http_etag_listed(request->headers[i].value, tag, is_weak_comparison)) {
			return true;
		}
	}
	return false;
}

static bool is_read(const struct http_request *request)
{
	return request->method == METHOD_GET || request->method == METHOD_HEAD;
}

/* The date of field `name`; false when there is none that can be read, or more than one. */
static bool date_of(const struct http_request *request, struct span name, uint64_t now_utc_ms,
		    uint64_t *utc_ms)
{
	const struct http_header *header = http_request_header(request, name);

	return header && http_request_header_count(request, name) == 1 &&
	       time_parse_http(header->value, now_utc_ms, utc_ms) == 0;
}

/* If-Match and If-Unmodified-Since (RFC 9110 13.2.2, steps 1 and 2). */
static bool is_precondition_met(const struct http_request *request,
				const struct http_validators *validators, uint64_t now_utc_ms)
{
	uint64_t date_ms;

	if (http_request_header(request, SPAN("If-Match"))) {
		return is_listed(request, SPAN("If-Match"), validators->etag, false);
	}
	return validators->modified_utc_ms == 0 ||
	       !date_of(request, SPAN("If-Unmodified-Since"), now_utc_ms, &date_ms) ||
	       validators->modified_utc_ms / 1000 <= date_ms / 1000;
}

/* If-None-Match and If-Modified-Since (steps 3 and 4): the client has it already. */
static bool is_had(const struct http_request *request, const struct http_validators *validators,
		   uint64_t now_utc_ms)
{
	uint64_t date_ms;

	if (http_request_header(request, SPAN("If-None-Match"))) {
		/* R-HTTP-8: If-Modified-Since is then not looked at. */
		return is_listed(request, SPAN("If-None-Match"), validators->etag, true);
	}
	return is_read(request) && validators->modified_utc_ms > 0 &&
	       date_of(request, SPAN("If-Modified-Since"), now_utc_ms, &date_ms) &&
	       validators->modified_utc_ms / 1000 <= date_ms / 1000;
}

/* If-Range (step 5, R-HTTP-20): one strong tag, or the very date of Last-Modified. */
static bool is_range_of_this(const struct http_request *request,
			     const struct http_validators *validators, uint64_t now_utc_ms)
{
	const struct http_header *condition = http_request_header(request, SPAN("If-Range"));
	uint64_t modified_s = validators->modified_utc_ms / 1000;
	uint64_t date_ms;
	struct span rest;
	struct span tag;
	bool is_weak;

	if (!condition) {
		return true;
	}
	if (http_request_header_count(request, SPAN("If-Range")) > 1) {
		return false;
	}
	rest = condition->value;
	if (take_etag(&rest, &is_weak, &tag)) {
		return rest.length == 0 && !is_weak && span_equal(tag, validators->etag);
	}
	return modified_s > 0 && modified_s < now_utc_ms / 1000 &&
	       time_parse_http(condition->value, now_utc_ms, &date_ms) == 0 &&
	       date_ms / 1000 == modified_s;
}

unsigned http_conditional(const struct http_request *request,
			  const struct http_validators *validators, uint64_t now_utc_ms,
			  struct http_ranges *ranges)
{
	const struct http_header *range = http_request_header(request, SPAN("Range"));

	if (!is_precondition_met(request, validators, now_utc_ms)) {
		return 412;
	}
	if (is_had(request, validators, now_utc_ms)) {
		return is_read(request) ? 304 : 412;
	}
	/* R-HTTP-14; Range is no list, so that two of them say nothing that could be trusted. */
	if (!range || request->method != METHOD_GET ||
	    http_request_header_count(request, SPAN("Range")) > 1 ||
	    !is_range_of_this(request, validators, now_utc_ms)) {
		return 200;
	}
	switch (http_range_parse(range->value, validators->size, ranges)) {
	case HTTP_RANGE_PARTS:
		return 206;
	case HTTP_RANGE_UNSATISFIABLE:
		return 416;
	case HTTP_RANGE_IGNORED:
		break;
	}
	return 200;
}

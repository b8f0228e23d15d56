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

/* The date of field `name`; false when there is none that can be read. */
static bool date_of(const struct http_request *request, struct span name, uint64_t now_utc_ms,
		    uint64_t *utc_ms)
{
	const struct http_header *header = http_request_header(request, name);

	return header && time_parse_http(header->value, now_utc_ms, utc_ms) == 0;
}

unsigned http_conditional(const struct http_request *request,
			  const struct http_validators *validators, uint64_t now_utc_ms)
{
	bool is_read = request->method == METHOD_GET || request->method == METHOD_HEAD;
	uint64_t modified_s = validators->modified_utc_ms / 1000; /* dates have no finer grain */
	uint64_t date_ms;

	if (http_request_header(request, SPAN("If-Match"))) {
		if (!is_listed(request, SPAN("If-Match"), validators->etag, false)) {
			return 412;
		}
	} else if (modified_s > 0 &&
		   date_of(request, SPAN("If-Unmodified-Since"), now_utc_ms, &date_ms) &&
		   modified_s > date_ms / 1000) {
		return 412;
	}
	if (http_request_header(request, SPAN("If-None-Match"))) {
		/* R-HTTP-8: If-Modified-Since is then not looked at. */
		if (is_listed(request, SPAN("If-None-Match"), validators->etag, true)) {
			return is_read ? 304 : 412;
		}
	} else if (is_read && modified_s > 0 &&
		   date_of(request, SPAN("If-Modified-Since"), now_utc_ms, &date_ms) &&
		   modified_s <= date_ms / 1000) {
		return 304;
	}
	return 200;
}

/* SPDX-License-Identifier: MIT */
/*
 * Conditions and ranges against a model that goes octet by octet. The input: method, size of the
 * representation (two octets), how many milliseconds after its change it is now, then lines, each a
 * letter that names a field (R Range, r If-Range, M If-Match, N If-None-Match, U
 * If-Unmodified-Since, S If-Modified-Since) and its value.
 */
#include "core/base/time.h"
#include "core/http/reply.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { size_max = 4096, specs_max = 16 };

static const uint64_t modified_s = 784111777;
static const char tag[] = "\"abc\"";

#define HOLD(condition) ((condition) ? (void)0 : abort())

/* What the set asks for: which octets, and by which of its ranges each was first asked for. */
struct model {
	bool is_valid;
	unsigned specs;
	bool is_satisfiable;
	unsigned char asked_by[size_max]; /* 0: by none; else 1 + the range's place in the set */
};

/* A number with so many digits that no size has them is the greatest. */
static bool model_number(const char *text, size_t length, uint64_t *number)
{
	char digits[24] = "";

	while (length > 0 && *text == '0' && length > 1) {
		text++;
		length--;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
	}
	if (length > 20 || (length == 20 && memcmp(text, "18446744073709551615", 20) > 0)) {
		*number = UINT64_MAX;
		return true;
	}
	memcpy(digits, text, length);
	*number = strtoull(digits, NULL, 10);
	return length > 0;
}

static void model_spec(struct model *m, const char *text, size_t length, size_t size)
{
	const char *dash = memchr(text, '-', length);
	size_t before = dash ? (size_t)(dash - text) : 0;
	size_t after = dash ? length - before - 1 : 0;
	uint64_t first = 0;
	uint64_t last = UINT64_MAX;

	m->specs++;
	if (!dash || (before == 0 && after == 0) ||
	    (before > 0 && !model_number(text, before, &first)) ||
	    (after > 0 && !model_number(dash + 1, after, &last)) || (before > 0 && last < first)) {
		m->is_valid = false;
		return;
	}
	if (before == 0) {
		m->is_satisfiable = m->is_satisfiable || last > 0;
	} else {
		m->is_satisfiable = m->is_satisfiable || first < size;
	}
	for (size_t i = 0; i < size; i++) {
		bool is_asked = before == 0 ? size - i <= last : i >= first && i <= last;

		if (is_asked && m->asked_by[i] == 0 && m->specs < 255) {
			m->asked_by[i] = (unsigned char)m->specs;
		}
	}
}

static void model_set(struct model *m, struct span value, size_t size)
{
	const char *end;

	*m = (struct model){.is_valid = false};
	if (value.length <= 6 || !span_equal_nocase(span_slice(value, 0, 6), SPAN("bytes="))) {
		return;
	}
	m->is_valid = true;
	end = value.data + value.length;
	for (const char *at = value.data + 6; at < end; at++) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		struct span spec = span_trim(span_make(at, (size_t)(stop - at)));

		if (spec.length > 0) {
			model_spec(m, spec.data, spec.length, size);
		}
		at = stop;
	}
	m->is_valid = m->is_valid && m->specs > 0;
}

/* Runs of octets that are asked for: how many, and how many octets in all. */
static size_t model_runs(const struct model *m, size_t size, size_t *octets)
{
	size_t runs = 0;

	*octets = 0;
	for (size_t i = 0; i < size; i++) {
		*octets += m->asked_by[i] != 0;
		runs += m->asked_by[i] != 0 && (i == 0 || m->asked_by[i - 1] == 0);
	}
	return runs;
}

static unsigned model_range(const struct model *m, size_t size)
{
	if (!m->is_valid || m->specs > specs_max) {
		return 200;
	}
	if (!m->is_satisfiable) {
		return 416;
	}
	return size == 0 ? 200 : 206;
}

/* The ranges are the model's runs, each once, in the order of the ranges that first asked. */
static void check_ranges(const struct model *m, const struct http_ranges *ranges, size_t size)
{
	size_t octets;
	unsigned before = 0;

	HOLD(ranges->count == model_runs(m, size, &octets));
	HOLD(octets == http_ranges_octets(ranges));
	for (size_t i = 0; i < ranges->count; i++) {
		const struct http_range *r = &ranges->items[i];
		unsigned earliest = 255;

		HOLD(r->length > 0 && r->first < size && r->length <= size - r->first);
		HOLD(r->first == 0 || m->asked_by[r->first - 1] == 0);
		HOLD(r->first + r->length == size || m->asked_by[r->first + r->length] == 0);
		for (size_t j = r->first; j < r->first + r->length; j++) {
			HOLD(m->asked_by[j] != 0);
			earliest = m->asked_by[j] < earliest ? m->asked_by[j] : earliest;
		}
		HOLD(earliest > before);
		before = earliest;
	}
}

/* The one field of this name; NULL when there is none or more than one. */
static const struct http_header *only(const struct http_request *request, const char *name)
{
	const struct http_header *found = NULL;

	for (size_t i = 0; i < request->header_count; i++) {
		if (span_equal(request->headers[i].name, span_text(name))) {
			if (found) {
				return NULL;
			}
			found = &request->headers[i];
		}
	}
	return found;
}

static bool has(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (span_equal(request->headers[i].name, span_text(name))) {
			return true;
		}
	}
	return false;
}

/* Whether a date can be read, and then how it compares: -1, 0, 1 for the change being before it. */
static bool date(const struct http_request *request, const char *name, uint64_t now_ms, int *order)
{
	const struct http_header *field = only(request, name);
	uint64_t ms;

	if (!field || time_parse_http(field->value, now_ms, &ms) != 0) {
		return false;
	}
	*order = modified_s < ms / 1000 ? -1 : modified_s > ms / 1000;
	return true;
}

/* Any field of this name lists the tag. */
static bool lists(const struct http_request *request, const char *name, bool is_weak)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (span_equal(request->headers[i].name, span_text(name)) &&
		    http_etag_listed(request->headers[i].value, span_text(tag), is_weak)) {
			return true;
		}
	}
	return false;
}

static bool model_if_range(const struct http_request *request, uint64_t now_ms)
{
	const struct http_header *field = only(request, "If-Range");
	int order;

	if (!has(request, "If-Range") || (field && span_equal(field->value, span_text(tag)))) {
		return true;
	}
	return date(request, "If-Range", now_ms, &order) && order == 0 &&
	       now_ms / 1000 > modified_s;
}

/* RFC 9110 13.2.2 once more, as plainly as can be. */
static unsigned model_status(const struct http_request *request, const struct model *m, size_t size,
			     uint64_t now_ms)
{
	bool is_get = request->method == METHOD_GET;
	bool is_read = is_get || request->method == METHOD_HEAD;
	int order;

	if (has(request, "If-Match")) {
		if (!lists(request, "If-Match", false)) {
			return 412;
		}
	} else if (date(request, "If-Unmodified-Since", now_ms, &order) && order > 0) {
		return 412;
	}
	if (has(request, "If-None-Match")) {
		if (lists(request, "If-None-Match", true)) {
			return is_read ? 304 : 412;
		}
	} else if (is_read && date(request, "If-Modified-Since", now_ms, &order) && order <= 0) {
		return 304;
	}
	if (!is_get || !only(request, "Range") || !model_if_range(request, now_ms)) {
		return 200;
	}
	return model_range(m, size);
}

static const char *name_of(char letter)
{
	switch (letter) {
	case 'R':
		return "Range";
	case 'r':
		return "If-Range";
	case 'M':
		return "If-Match";
	case 'N':
		return "If-None-Match";
	case 'U':
		return "If-Unmodified-Since";
	case 'S':
		return "If-Modified-Since";
	default:
		return "X";
	}
}

/* The reply agrees with itself: what it says it sends is what its parts come to. */
static void check_reply(const struct http_request *request, const struct http_content *content,
			uint64_t now_ms, unsigned status, const struct http_ranges *ranges)
{
	static struct http_reply reply;
	char head[http_response_head_max];
	struct writer w = writer_over(head, sizeof(head));
	struct http_body_facts facts = {HTTP_FRAMING_LENGTH, 0};
	struct random random;
	uint64_t size = content->validators.size;

	random_init_number(&random, 7);
	http_reply_make(&reply, request, content, now_ms, &random);
	/* Parts that cost more than the whole are sent as the whole. */
	if (status == 206 && reply.response.status == 200) {
		HOLD(ranges->count > 1);
		status = 200;
	}
	HOLD(reply.response.status == status);
	facts.content_length = http_parts_length(&reply.parts);
	HOLD(status != 200 || facts.content_length == size);
	HOLD(status != 206 || facts.content_length <= size);
	HOLD(status == 200 || status == 206 || facts.content_length == 0);
	http_response_write_head(&w, &reply.response, &facts, 1, true, now_ms);
	HOLD(!w.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum http_method methods[] = {METHOD_GET, METHOD_GET, METHOD_HEAD,
						   METHOD_POST};
	static struct model m;
	struct http_request request = {.minor = 1};
	struct http_content content = {.content_type = SPAN("text/plain")};
	struct span rest;
	const struct http_header *range;
	struct http_ranges ranges;
	uint64_t now_ms;
	size_t length;
	unsigned status;

	if (size < 4) {
		return 0;
	}
	rest = span_make((const char *)data + 4, size - 4);
	length = (data[1] * 256U + data[2]) % size_max;
	request.method = methods[data[0] % 4];
	now_ms = modified_s * 1000 + data[3] * 16U;
	content.validators =
		(struct http_validators){span_text(tag), modified_s * 1000 + 500, length};
	while (rest.data && request.header_count < 8) {
		struct span line = span_cut(&rest, '\n');

		if (line.length > 0) {
			request.headers[request.header_count++] =
				(struct http_header){span_text(name_of(line.data[0])),
						     span_trim(span_slice(line, 1, line.length))};
		}
	}
	range = only(&request, "Range");
	model_set(&m, range ? range->value : SPAN(""), length);
	status = http_conditional(&request, &content.validators, now_ms, &ranges);
	HOLD(status == model_status(&request, &m, length, now_ms));
	if (status == 206) {
		check_ranges(&m, &ranges, length);
	}
	check_reply(&request, &content, now_ms, status, &ranges);
	return 0;
}

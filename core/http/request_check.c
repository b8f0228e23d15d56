/* SPDX-License-Identifier: MIT */
#include "core/http/request_check.h"

static const struct http_fault no_fault = {0, NULL};

static struct http_fault fault(unsigned status, const char *reason)
{
	return (struct http_fault){status, reason};
}

static const char *const method_names[] = {
	[METHOD_GET] = "GET",	      [METHOD_HEAD] = "HEAD",	  [METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",	      [METHOD_DELETE] = "DELETE", [METHOD_PATCH] = "PATCH",
	[METHOD_OPTIONS] = "OPTIONS", [METHOD_TRACE] = "TRACE",	  [METHOD_CONNECT] = "CONNECT",
};

const char *http_method_name(enum http_method method)
{
	return method_names[method];
}

bool http_is_token_octet(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_field_octet(char c)
{
	return ((unsigned char)c >= 0x20 && c != 0x7f) || c == '\t';
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.length; i++) {
		if (!http_is_token_octet(s.data[i])) {
			return false;
		}
	}
	return s.length > 0;
}

static struct http_fault check_version(struct span version, unsigned *minor)
{
	if (version.length != 8 || !span_starts_with(version, SPAN("HTTP/")) ||
	    !ascii_is_digit(version.data[5]) || version.data[6] != '.' ||
	    !ascii_is_digit(version.data[7])) {
		return fault(400, "not_http");
	}
	if (version.data[5] != '1' || version.data[7] > '1') {
		return fault(505, "version");
	}
	*minor = (unsigned)(version.data[7] - '0');
	return no_fault;
}

struct http_fault http_check_line(struct span line, struct http_request *request)
{
	struct span rest = line;
	struct span method = span_cut(&rest, ' ');
	struct span target = span_cut(&rest, ' ');
	struct http_fault version_fault;

	/* RFC 9112 3: single SP between them; what is left holds no further SP. */
	if (!is_token(method) || span_is_empty(target) || !rest.data) {
		return fault(400, "request_line");
	}
	version_fault = check_version(rest, &request->minor);
	if (version_fault.status != 0) {
		return version_fault;
	}
	request->target = target;
	for (size_t i = 0; i < sizeof(method_names) / sizeof(method_names[0]); i++) {
		if (span_equal(method, span_text(method_names[i]))) {
			request->method = (enum http_method)i;
			return no_fault;
		}
	}
	return fault(501, "method");
}

const struct http_header *http_request_header(const struct http_request *request, struct span name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (span_equal_nocase(request->headers[i].name, name)) {
			return &request->headers[i];
		}
	}
	return NULL;
}

size_t http_request_header_count(const struct http_request *request, struct span name)
{
	size_t count = 0;

	for (size_t i = 0; i < request->header_count; i++) {
		count += span_equal_nocase(request->headers[i].name, name);
	}
	return count;
}

/* uri-host [":" port] (RFC 9110 7.2); userinfo, blanks and paths are no part of it. */
static bool is_host(struct span host)
{
	struct span port = {NULL, 0};
	uint64_t number;
	size_t end;

	if (host.length > 0 && host.data[0] == '[') {
		end = span_find(host, ']');
		if (end == host.length) {
			return false;
		}
		for (size_t i = 1; i < end; i++) {
			if (ascii_hex_value(host.data[i]) < 0 && host.data[i] != ':' &&
			    host.data[i] != '.') {
				return false;
			}
		}
		port = span_slice(host, end + 1, host.length);
		if (port.length > 0 && port.data[0] != ':') {
			return false;
		}
	} else {
		end = span_find(host, ':');
		for (size_t i = 0; i < end; i++) {
			if (!ascii_is_alnum(host.data[i]) &&
			    !strchr("-._~!$&'()*+,;=%", host.data[i])) {
				return false;
			}
		}
		port = span_slice(host, end, host.length);
	}
	return port.length <= 1 ||
	       span_to_unsigned(span_slice(port, 1, port.length), 65535, &number) == 0;
}

/* Takes the scheme and authority off an absolute-form target (R-HTTP-2). */
static struct http_fault split_absolute(struct http_request *request, struct span *path)
{
	struct span rest = request->target;
	size_t end = 0;

	if (span_starts_with_nocase(rest, SPAN("http://"))) {
		rest = span_slice(rest, 7, rest.length);
	} else if (span_starts_with_nocase(rest, SPAN("https://"))) {
		rest = span_slice(rest, 8, rest.length);
	} else {
		return fault(400, "target");
	}
	while (end < rest.length && rest.data[end] != '/' && rest.data[end] != '?') {
		end++;
	}
	request->host = span_slice(rest, 0, end);
	if (end == 0 || !is_host(request->host)) {
		return fault(400, "target_host");
	}
	*path = span_slice(rest, end, rest.length);
	return no_fault;
}

/* RFC 9112 3.2: the four forms of a target. */
static struct http_fault split_target(struct http_request *request)
{
	struct span path = request->target;
	struct http_fault found;

	if (span_find(path, '#') != path.length) {
		return fault(400, "target");
	}
	if (request->method == METHOD_CONNECT) {
		request->host = path;
		return is_host(path) ? no_fault : fault(400, "target");
	}
	if (span_equal(path, SPAN("*"))) {
		request->path = path;
		return request->method == METHOD_OPTIONS ? no_fault : fault(400, "target");
	}
	if (path.data[0] != '/') {
		found = split_absolute(request, &path);
		if (found.status != 0) {
			return found;
		}
	}
	request->query = path;
	request->path = span_cut(&request->query, '?');
	if (span_is_empty(request->path)) {
		request->path = SPAN("/");
	}
	return no_fault;
}

static struct http_fault check_host(struct http_request *request)
{
	const struct http_header *host = http_request_header(request, SPAN("Host"));
	size_t count = http_request_header_count(request, SPAN("Host"));

	/* R-HTTP-1 */
	if (count > 1 || (count == 0 && request->minor > 0)) {
		return fault(400, "host");
	}
	if (host && !is_host(host->value)) {
		return fault(400, "host");
	}
	/* RFC 9112 3.2.2: the authority of an absolute-form target replaces Host. */
	if (host && span_is_empty(request->host)) {
		request->host = host->value;
	}
	return no_fault;
}

/* R-HTTP-22: what could be read in two ways is not read at all. */
static struct http_fault check_framing(struct http_request *request)
{
	const struct http_header *length = http_request_header(request, SPAN("Content-Length"));
	const struct http_header *coding = http_request_header(request, SPAN("Transfer-Encoding"));

	if (coding) {
		if (length || request->minor == 0) {
			return fault(400, "framing");
		}
		if (http_request_header_count(request, SPAN("Transfer-Encoding")) > 1 ||
		    !span_equal_nocase(coding->value, SPAN("chunked"))) {
			return fault(501, "transfer_coding");
		}
		request->is_chunked = true;
	}
	if (length && (http_request_header_count(request, SPAN("Content-Length")) > 1 ||
		       span_to_unsigned(length->value, INT64_MAX, &request->content_length) != 0)) {
		return fault(400, "content_length");
	}
	return no_fault;
}

/* R-HTTP-29, RFC 9110 10.1.1 */
static struct http_fault check_expect(struct http_request *request)
{
	const struct http_header *expect = http_request_header(request, SPAN("Expect"));

	if (!expect || request->minor == 0) {
		return no_fault;
	}
	if (!span_equal_nocase(expect->value, SPAN("100-continue"))) {
		return fault(417, "expectation");
	}
	request->expects_continue = request->is_chunked || request->content_length > 0;
	return no_fault;
}

/* Whether a Connection field lists the option (RFC 9110 7.6.1). */
static bool has_connection_option(const struct http_request *request, struct span option)
{
	for (size_t i = 0; i < request->header_count; i++) {
		struct span rest = request->headers[i].value;

		if (!span_equal_nocase(request->headers[i].name, SPAN("Connection"))) {
			continue;
		}
		while (rest.data) {
			if (span_equal_nocase(span_trim(span_cut(&rest, ',')), option)) {
				return true;
			}
		}
	}
	return false;
}

/* RFC 9112 9.3: close goes before keep-alive, whatever the version. */
static bool keeps_alive(const struct http_request *request)
{
	return !has_connection_option(request, SPAN("close")) &&
	       (request->minor > 0 || has_connection_option(request, SPAN("keep-alive")));
}

/* llhttp lets an empty name pass. */
static struct http_fault check_names(const struct http_request *request)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (!is_token(request->headers[i].name)) {
			return fault(400, "field_name");
		}
	}
	return no_fault;
}

struct http_fault http_check_head(struct http_request *request)
{
	struct http_fault found = check_names(request);

	if (found.status == 0) {
		found = split_target(request);
	}
	if (found.status == 0) {
		found = check_host(request);
	}
	if (found.status == 0) {
		found = check_framing(request);
	}
	if (found.status == 0) {
		found = check_expect(request);
	}
	request->keeps_alive = keeps_alive(request);
	return found;
}

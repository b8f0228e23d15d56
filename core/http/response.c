/* SPDX-License-Identifier: MIT */
#include "core/http/response.h"

#include "core/base/time.h"

struct status_row {
	unsigned status;
	const char *text;
};

/* RFC 9110 15; 431: RFC 6585 5 */
static const struct status_row statuses[] = {
	{100, "Continue"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{206, "Partial Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
	{507, "Insufficient Storage"},
};

const char *http_status_text(unsigned status)
{
	static const char *const classes[] = {"Informational", "Success", "Redirection",
					      "Client Error", "Server Error"};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].status == status) {
			return statuses[i].text;
		}
	}
	return status >= 100 && status < 600 ? classes[status / 100 - 1] : "Unknown";
}

static void write_field(struct writer *w, const char *name, struct span value)
{
	if (span_is_empty(value)) {
		return;
	}
	/* Response splitting: a value with a control octet never leaves (security.md H2). */
	for (size_t i = 0; i < value.length; i++) {
		if (((unsigned char)value.data[i] < 0x20 && value.data[i] != '\t') ||
		    value.data[i] == 0x7f) {
			w->failed = true;
			return;
		}
	}
	writer_text(w, name);
	writer_text(w, ": ");
	writer_put(w, value);
	writer_text(w, "\r\n");
}

static void write_date(struct writer *w, const char *name, uint64_t utc_ms)
{
	writer_text(w, name);
	writer_text(w, ": ");
	time_write_http(w, utc_ms);
	writer_text(w, "\r\n");
}

static void write_framing(struct writer *w, enum http_framing framing, uint64_t content_length,
			  unsigned minor)
{
	if (framing == HTTP_FRAMING_LENGTH) {
		writer_text(w, "Content-Length: ");
		writer_unsigned(w, content_length);
		writer_text(w, "\r\n");
	} else if (framing == HTTP_FRAMING_CHUNKED && minor > 0) {
		writer_text(w, "Transfer-Encoding: chunked\r\n");
	}
}

void http_response_write_head(struct writer *w, const struct http_response *response,
			      const struct http_body_facts *body, unsigned minor, bool keeps_alive,
			      uint64_t now_utc_ms)
{
	writer_text(w, "HTTP/1.1 ");
	writer_unsigned(w, response->status);
	writer_char(w, ' ');
	writer_text(w, http_status_text(response->status));
	writer_text(w, "\r\n");
	write_date(w, "Date", now_utc_ms);
	write_field(w, "Content-Type", response->content_type);
	write_field(w, "ETag", response->etag);
	if (response->modified_utc_ms > 0) {
		/* R-HTTP-6 */
		write_date(w, "Last-Modified",
			   response->modified_utc_ms < now_utc_ms ? response->modified_utc_ms
								  : now_utc_ms);
	}
	write_field(w, "Allow", response->allow);
	for (size_t i = 0; i < response->header_count; i++) {
		char name[64];

		if (span_to_text(response->headers[i].name, name, sizeof(name)) != 0) {
			w->failed = true;
			return;
		}
		write_field(w, name, response->headers[i].value);
	}
	write_framing(w, body->framing, body->content_length, minor);
	if (!keeps_alive) {
		writer_text(w, "Connection: close\r\n");
	} else if (minor == 0) {
		writer_text(w, "Connection: keep-alive\r\n");
	}
	writer_text(w, "\r\n");
}

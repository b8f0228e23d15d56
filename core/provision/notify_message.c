/* SPDX-License-Identifier: MIT */
#include "core/provision/notify_message.h"

#include "core/sip/write.h"

static void write_address(struct writer *w, enum sip_header kind, const struct notify_message *m)
{
	const struct sip_name_address *value =
		kind == SIP_HEADER_FROM ? &m->request->from : &m->request->to;

	sip_write_name_address(w, kind, value, SPAN(""));
}

/* What is missing of answer_length_min once Server and Content-Length are written. */
static size_t padding_of(const struct writer *w, const struct notify_message *m)
{
	size_t length = w->length + m->server_header.length +
			sizeof("Server: \r\nContent-Length: 0\r\n\r\n") - 1;
	size_t missing = m->answer_length_min > length ? m->answer_length_min - length : 0;

	if (missing > answer_padding_max) {
		return 0;
	}
	return missing > 0 && missing < sizeof(" ()") - 1 ? sizeof(" ()") - 1 : missing;
}

/* RFC 3261 20.35: a product, and perhaps a comment. */
static void write_server(struct writer *w, const struct notify_message *m)
{
	size_t padding = padding_of(w, m);

	writer_put(w, SPAN("Server: "));
	writer_put(w, m->server_header);
	if (padding > 0) {
		char *place = writer_reserve(w, padding);

		if (place) {
			memset(place, '.', padding);
			place[0] = ' ';
			place[1] = '(';
			place[padding - 1] = ')';
		}
	}
	writer_put(w, SPAN("\r\n"));
}

static void write_rfc_answer(struct writer *w, const struct notify_message *m)
{
	struct sip_response response = {.status = 200, .to_tag = m->to_tag, .source = m->source};

	sip_write_response(w, m->request, &response);
	sip_write_record_routes(w, m->request);
	sip_write_contact(w, SPAN(""), m->local);
	writer_put(w, SPAN("Expires: 0\r\n"));
	if (!span_is_empty(m->server_header)) {
		write_server(w, m);
	}
	sip_write_end(w, SPAN(""), SPAN(""));
}

/* Where the phone says that it is, as host and port of its Contact. */
static struct endpoint phone_of(const struct notify_message *m)
{
	const struct sip_uri *uri = &m->subscribe->contact.uri;

	return (struct endpoint){.address = uri->host.address, .port = sip_uri_port(uri)};
}

static void write_print_answer(struct writer *w, const struct notify_message *m)
{
	sip_write_status_line(w, 200, SPAN("OK"));
	sip_write_header_copy(w, SIP_HEADER_VIA, m->request);
	sip_write_contact(w, SPAN(""), phone_of(m));
	write_address(w, SIP_HEADER_TO, m);
	write_address(w, SIP_HEADER_FROM, m);
	sip_write_header_copy(w, SIP_HEADER_CALL_ID, m->request);
	sip_write_header_copy(w, SIP_HEADER_CSEQ, m->request);
	sip_write_header_unsigned(w, SIP_HEADER_EXPIRES, 0);
	sip_write_end(w, SPAN(""), SPAN(""));
}

void notify_message_write_answer(struct writer *w, const struct notify_message *m)
{
	if (m->form == FORM_PRINT) {
		write_print_answer(w, m);
	} else {
		write_rfc_answer(w, m);
	}
}

/* A Request-URI has no headers part (RFC 3261 19.1.1, table 1). */
static struct span without_headers(const struct sip_uri *uri)
{
	/* The first '?' may be one of the user part. */
	if (span_is_empty(uri->headers)) {
		return uri->text;
	}
	return span_make(uri->text.data, (size_t)(uri->headers.data - uri->text.data) - 1);
}

/* The first of the Record-Routes: true when it is a strict router, one without ;lr. */
static bool first_route_is_strict(const struct sip_message *request, struct sip_name_address *route)
{
	const struct sip_row *row = sip_message_next_row(request, SIP_HEADER_RECORD_ROUTE, NULL);
	struct span rest = row ? row->value : SPAN("");
	struct sip_parameter lr;

	return !span_is_empty(rest) && sip_name_address_parse(&rest, route) == 0 &&
	       !sip_parameters_find(route->uri.parameters, SPAN("lr"), &lr);
}

/* RFC 3261 12.2.1.1: the route set, less a strict first one, which then ends with the target. */
static void write_routes(struct writer *w, const struct notify_message *m, bool is_strict,
			 struct span target)
{
	struct sip_list list = sip_message_list(m->request, SIP_HEADER_RECORD_ROUTE);
	struct span route;
	bool is_first = true;

	while (sip_list_next(&list, &route)) {
		if (!is_first || !is_strict) {
			writer_text(w, "Route: ");
			sip_write_unfolded(w, route);
			writer_text(w, "\r\n");
		}
		is_first = false;
	}
	if (is_strict) {
		writer_text(w, "Route: <");
		writer_put(w, target);
		writer_text(w, ">\r\n");
	}
}

/* RFC 6665 4.5.2, 8.2.1: the package and its id, octet by octet; nothing else is compared. */
static void write_rfc_event(struct writer *w, const struct sip_event *event)
{
	writer_put(w, SPAN("Event: ua-profile"));
	if (sip_is_token(event->id)) {
		writer_put(w, SPAN(";id="));
		writer_put(w, event->id);
	}
	writer_put(w, SPAN(";effective-by=0\r\n"));
}

/* A line of the pack's, whose loader has checked it; all the same it must not become two. */
static void put_line_part(struct writer *w, struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f) {
			w->failed = true;
		}
	}
	writer_put(w, text);
}

static void write_own_header(struct writer *w, const struct vendor_header *header, struct span url)
{
	struct span rest = header->value;

	put_line_part(w, header->name);
	writer_put(w, SPAN(": "));
	while (rest.length > 0) {
		size_t at = span_search(rest, SPAN("%{url}"));

		put_line_part(w, span_slice(rest, 0, at));
		rest = span_slice(rest, at, rest.length);
		if (rest.length > 0) {
			put_line_part(w, url);
			rest = span_slice(rest, sizeof("%{url}") - 1, rest.length);
		}
	}
	writer_put(w, SPAN("\r\n"));
}

/* Headers of the maker's own, Content-Length, and the URL with the maker's end of it. */
static void write_body(struct writer *w, const struct notify_message *m)
{
	const struct vendor_pack *pack = m->pack;
	size_t count = pack ? pack->header_count : 0;

	for (size_t i = 0; i < count; i++) {
		write_own_header(w, &pack->headers[i], m->url);
	}
	if (!pack || !pack->ends_body_with_crlf) {
		sip_write_end(w, SPAN(""), m->url);
		return;
	}
	writer_put(w, SPAN("Content-Length: "));
	writer_unsigned(w, m->url.length + 2);
	writer_put(w, SPAN("\r\n\r\n"));
	writer_put(w, m->url);
	writer_put(w, SPAN("\r\n"));
}

static void write_content_type(struct writer *w, const struct notify_message *m)
{
	const struct vendor_pack *pack = m->pack;

	if (!pack || pack->content_type.length == 0 ||
	    span_equal(pack->content_type, SPAN("application/url"))) {
		writer_put(w, SPAN("Content-Type: application/url\r\n"));
		return;
	}
	writer_put(w, SPAN("Content-Type: "));
	put_line_part(w, pack->content_type);
	writer_put(w, SPAN("\r\n"));
}

static void write_rfc_notify(struct writer *w, const struct notify_message *m)
{
	struct sip_name_address route;
	struct span target = without_headers(&m->subscribe->contact.uri);
	bool is_strict = first_route_is_strict(m->request, &route);

	sip_write_request_line(w, SPAN("NOTIFY"), is_strict ? without_headers(&route.uri) : target);
	sip_write_via(w, m->local, m->branch, true);
	write_routes(w, m, is_strict, target);
	writer_put(w, SPAN("Max-Forwards: 70\r\n"));
	sip_write_name_address(w, SIP_HEADER_FROM, &m->request->to, m->to_tag);
	sip_write_name_address(w, SIP_HEADER_TO, &m->request->from, SPAN(""));
	sip_write_header_copy(w, SIP_HEADER_CALL_ID, m->request);
	sip_write_cseq(w, notify_cseq_number, SPAN("NOTIFY"));
	sip_write_contact(w, SPAN(""), m->local);
	if (m->pack && m->pack->echoes_event) {
		sip_write_header_copy(w, SIP_HEADER_EVENT, m->request);
	} else {
		write_rfc_event(w, &m->subscribe->event);
	}
	writer_put(w, SPAN("Subscription-State: terminated;reason=timeout\r\n"));
	write_content_type(w, m);
	write_body(w, m);
}

static void write_print_notify(struct writer *w, const struct notify_message *m)
{
	writer_text(w, "NOTIFY sip:");
	endpoint_write(w, phone_of(m));
	writer_text(w, " SIP/2.0\r\n");
	sip_write_header_copy(w, SIP_HEADER_VIA, m->request);
	sip_write_header_unsigned(w, SIP_HEADER_MAX_FORWARDS, 20);
	sip_write_contact(w, SPAN(""), m->local);
	write_address(w, SIP_HEADER_TO, m);
	write_address(w, SIP_HEADER_FROM, m);
	sip_write_header_copy(w, SIP_HEADER_CALL_ID, m->request);
	sip_write_cseq(w, notify_cseq_number, SPAN("NOTIFY"));
	write_content_type(w, m);
	sip_write_header(w, SIP_HEADER_SUBSCRIPTION_STATE, SPAN("terminated;reason=timeout"));
	sip_write_header_copy(w, SIP_HEADER_EVENT, m->request);
	write_body(w, m);
}

void notify_message_write_notify(struct writer *w, const struct notify_message *m)
{
	if (m->form == FORM_PRINT) {
		write_print_notify(w, m);
	} else {
		write_rfc_notify(w, m);
	}
}

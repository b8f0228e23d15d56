/* SPDX-License-Identifier: MIT */
#include "core/sip/write.h"

#include "core/sip/header_at.h"
#include "core/sip/scan.h"

static void end_line(struct writer *w)
{
	writer_put(w, SPAN("\r\n"));
}

/* No control character but HT: nothing that ends a line or cuts a string. */
static bool is_one_line(struct span value)
{
	const char *end = sip_end(value);

	return sip_find_control(value.data, end) == end;
}

/* A value of our own: one with a control character fails the writer. */
static void put_line(struct writer *w, struct span value)
{
	if (!is_one_line(value)) {
		w->failed = true;
	}
	writer_put(w, value);
}

/* Text of a row: only in a message with a folded row is there anything to unfold. */
static void put_of(struct writer *w, const struct sip_message *message, struct span text)
{
	if (message->is_folded) {
		sip_write_unfolded(w, text);
	} else {
		writer_put(w, text);
	}
}

static void copy_row(struct writer *w, enum sip_header kind, const struct sip_message *message,
		     const struct sip_row *row)
{
	writer_put(w, sip_header_start(kind));
	put_of(w, message, row->value);
	end_line(w);
}

void sip_write_header_named(struct writer *w, struct span name, struct span value)
{
	if (!sip_is_token(name)) {
		w->failed = true;
	}
	writer_put(w, name);
	writer_put(w, SPAN(": "));
	put_line(w, value);
	end_line(w);
}

void sip_write_header(struct writer *w, enum sip_header kind, struct span value)
{
	writer_put(w, sip_header_start(kind));
	put_line(w, value);
	end_line(w);
}

void sip_write_header_unsigned(struct writer *w, enum sip_header kind, uint64_t value)
{
	writer_put(w, sip_header_start(kind));
	writer_unsigned(w, value);
	end_line(w);
}

void sip_write_header_copy(struct writer *w, enum sip_header kind, const struct sip_message *from)
{
	const struct sip_row *row = NULL;

	while ((row = sip_message_next_row(from, kind, row))) {
		copy_row(w, kind, from, row);
	}
}

void sip_write_record_routes(struct writer *w, const struct sip_message *request)
{
	sip_write_header_copy(w, SIP_HEADER_RECORD_ROUTE, request);
}

/*
 * The top value: everything as it was but the value of rport and the whole of received. Both are
 * found again in the text that has been checked, so that the octets between them stay.
 */
static void write_top_via(struct writer *w, const struct sip_message *request,
			  struct endpoint source)
{
	const struct sip_via *via = &request->via;
	struct address sent_by = via->host.address;
	bool is_received =
		via->has_rport || via->received.length > 0 || via->host.kind == SIP_HOST_NAME ||
		!address_equal(address_unmapped(sent_by), address_unmapped(source.address));
	const char *written = via->text.data;
	struct sip_parameters rest = via->parameters;
	struct sip_parameter parameter;

	while (sip_parameters_next(&rest, &parameter)) {
		const char *start = parameter.text.data;
		const char *end = start + parameter.text.length;

		if (sip_same_name(parameter.name, SPAN("rport"))) {
			put_of(w, request, sip_between(written, start + parameter.name.length));
			writer_char(w, '=');
			writer_unsigned(w, source.port);
			written = end;
		} else if (sip_same_name(parameter.name, SPAN("received"))) {
			while (start[-1] != ';') {
				start--; /* LWS between the ';' and the name */
			}
			put_of(w, request, sip_between(written, start - 1));
			written = end;
		}
	}
	put_of(w, request, sip_between(written, sip_end(via->text)));
	if (is_received) {
		writer_put(w, SPAN(";received="));
		address_write(w, address_unmapped(source.address));
	}
}

void sip_write_vias(struct writer *w, const struct sip_message *request, struct endpoint source)
{
	const struct sip_row *row = NULL;

	while ((row = sip_message_next_row(request, SIP_HEADER_VIA, row))) {
		struct span value = row->value;

		writer_put(w, SPAN("Via: "));
		if (row == &request->rows[request->first[SIP_HEADER_VIA]] &&
		    (request->readable & SIP_PART_VIA) != 0 && address_is_set(source.address)) {
			const char *end = sip_end(request->via.text);

			write_top_via(w, request, source);
			value = sip_between(end, value.data + value.length);
		}
		put_of(w, request, value);
		end_line(w);
	}
}

void sip_write_status_line(struct writer *w, unsigned status, struct span reason)
{
	writer_put(w, SPAN("SIP/2.0 "));
	writer_unsigned(w, status);
	writer_char(w, ' ');
	put_line(w, reason);
	end_line(w);
}

void sip_write_request_line(struct writer *w, struct span method, struct span uri)
{
	if (!sip_is_token(method) || !sip_is_visible(uri)) {
		w->failed = true;
	}
	writer_put(w, method);
	writer_char(w, ' ');
	writer_put(w, uri);
	writer_put(w, SPAN(" SIP/2.0\r\n"));
}

/* The first row of a kind as it was, or nothing. */
static void copy_first(struct writer *w, enum sip_header kind, const struct sip_message *from)
{
	const struct sip_row *row = sip_message_next_row(from, kind, NULL);

	if (row) {
		copy_row(w, kind, from, row);
	}
}

void sip_write_response(struct writer *w, const struct sip_message *request,
			const struct sip_response *response)
{
	struct span reason = response->reason;

	if (reason.length == 0) {
		reason = span_text(sip_reason(response->status));
	}
	sip_write_status_line(w, response->status, reason);
	sip_write_vias(w, request, response->source);
	copy_first(w, SIP_HEADER_FROM, request);
	if ((request->readable & SIP_PART_TO) != 0) {
		sip_write_name_address(w, SIP_HEADER_TO, &request->to, response->to_tag);
	} else {
		copy_first(w, SIP_HEADER_TO, request);
	}
	copy_first(w, SIP_HEADER_CALL_ID, request);
	copy_first(w, SIP_HEADER_CSEQ, request);
}

void sip_write_via(struct writer *w, struct endpoint sent_by, struct span branch, bool has_rport)
{
	writer_put(w, SPAN("Via: SIP/2.0/UDP "));
	endpoint_write(w, sent_by);
	writer_put(w, SPAN(";branch="));
	if (!sip_is_token(branch)) {
		w->failed = true;
	}
	writer_put(w, branch);
	if (has_rport) {
		writer_put(w, SPAN(";rport"));
	}
	end_line(w);
}

void sip_write_name_address(struct writer *w, enum sip_header kind,
			    const struct sip_name_address *value, struct span tag)
{
	writer_put(w, sip_header_start(kind));
	sip_write_unfolded(w, value->text);
	if (tag.length > 0 && !value->has_tag) {
		if (!sip_is_token(tag)) {
			w->failed = true;
		}
		writer_put(w, SPAN(";tag="));
		writer_put(w, tag);
	}
	end_line(w);
}

void sip_write_cseq(struct writer *w, uint32_t number, struct span method)
{
	writer_put(w, SPAN("CSeq: "));
	writer_unsigned(w, number);
	writer_char(w, ' ');
	put_line(w, method);
	end_line(w);
}

void sip_write_contact(struct writer *w, struct span user, struct endpoint address)
{
	writer_put(w, SPAN("Contact: <sip:"));
	if (user.length > 0) {
		if (sip_skip(user.data, user.data + user.length, SIP_CLASS_USER) !=
		    user.data + user.length) {
			w->failed = true;
		}
		writer_put(w, user);
		writer_char(w, '@');
	}
	endpoint_write(w, address);
	writer_char(w, '>');
	end_line(w);
}

void sip_write_uri(struct writer *w, const struct sip_uri *uri)
{
	put_line(w, uri->text);
}

void sip_write_user(struct writer *w, struct span octets)
{
	for (size_t i = 0; i < octets.length; i++) {
		unsigned char c = (unsigned char)octets.data[i];

		if (sip_is((char)c, SIP_CLASS_USER) && c != '%') {
			writer_char(w, (char)c);
		} else {
			writer_char(w, '%');
			writer_hex(w, &c, 1);
		}
	}
}

void sip_write_quoted(struct writer *w, struct span text)
{
	if (!is_one_line(text)) {
		w->failed = true;
	}
	writer_char(w, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\') {
			writer_char(w, '\\');
		}
		writer_char(w, text.data[i]);
	}
	writer_char(w, '"');
}

void sip_write_end(struct writer *w, struct span content_type, struct span body)
{
	if (content_type.length > 0) {
		sip_write_header(w, SIP_HEADER_CONTENT_TYPE, content_type);
	}
	writer_put(w, SPAN("Content-Length: "));
	writer_unsigned(w, body.length);
	writer_put(w, SPAN("\r\n\r\n"));
	writer_put(w, body);
}

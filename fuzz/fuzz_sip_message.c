/* SPDX-License-Identifier: MIT */
/*
 * Any datagram through the parser, every reader and both directions of the writer. What is written
 * must be readable again and hold no line that we did not write.
 */
#include "core/sip/contact.h"
#include "core/sip/write.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip_message message;
static struct sip_message answer;
static char text[300000];

static void ask_everything(void)
{
	struct sip_event event;
	struct sip_media_type type;
	struct sip_name_address contact;
	struct sip_subscription_state state;
	struct sip_authorization authorization;
	struct sip_list list;
	struct span value;
	uint32_t seconds;
	unsigned number;

	sip_message_event(&message, &event);
	sip_message_expires(&message, &seconds);
	sip_message_max_forwards(&message, &number);
	sip_message_retry_after(&message, &seconds);
	sip_message_content_type(&message, &type);
	sip_message_contact(&message, &contact);
	sip_message_subscription_state(&message, &state);
	sip_message_accepts(&message, SPAN("application"), SPAN("url"), &number);
	sip_message_check_routes(&message, SIP_HEADER_RECORD_ROUTE);
	sip_message_lists(&message, SIP_HEADER_SUPPORTED, SPAN("timer"));
	list = sip_message_list(&message, SIP_HEADER_AUTHORIZATION);
	while (sip_list_next(&list, &value)) {
		sip_authorization_parse(value, &authorization);
	}
}

static size_t count_lines(struct span bytes)
{
	size_t lines = 0;

	for (size_t i = 0; i < bytes.length; i++) {
		lines += bytes.data[i] == '\n';
	}
	return lines;
}

/* What is written must be read without a fault and hold as many lines as were written. */
static void check_written(const struct writer *w, size_t lines, bool is_whole)
{
	if (w->failed) {
		return;
	}
	if (count_lines(writer_span(w)) != lines) {
		abort();
	}
	if (is_whole && sip_message_parse(&answer, writer_span(w)) != 0) {
		abort();
	}
}

/* 200 to a request, its dialog as it came. */
static void write_response(bool is_whole)
{
	struct writer w = writer_over(text, sizeof(text));
	struct sip_response response = {
		.status = 200,
		.to_tag = SPAN("t"),
		.source = {address_ipv4(192, 0, 2, 1), 5060},
	};
	size_t lines = 3 + sip_message_row_count(&message, SIP_HEADER_VIA) +
		       sip_message_row_count(&message, SIP_HEADER_RECORD_ROUTE);

	sip_write_response(&w, &message, &response);
	sip_write_record_routes(&w, &message);
	sip_write_end(&w, SPAN(""), SPAN(""));
	for (enum sip_header kind = SIP_HEADER_ACCEPT; kind < sip_header_count; kind++) {
		lines += (kind == SIP_HEADER_FROM || kind == SIP_HEADER_TO ||
			  kind == SIP_HEADER_CALL_ID || kind == SIP_HEADER_CSEQ) &&
			 message.first[kind] != sip_row_none;
	}
	check_written(&w, lines, is_whole);
}

static void write_route(struct writer *w, struct span value)
{
	writer_put(w, SPAN("Route: "));
	sip_write_unfolded(w, value);
	writer_put(w, SPAN("\r\n"));
}

/*
 * The NOTIFY of a SUBSCRIBE's dialog: the roles swapped, the remote target out of Contact, every
 * Record-Route as a Route, and the values of the wire that come back with it.
 */
static void write_request(void)
{
	struct writer w = writer_over(text, sizeof(text));
	struct endpoint local = {address_ipv4(192, 0, 2, 1), 5060};
	struct sip_name_address contact;
	struct sip_event event;
	const struct sip_row *row = NULL;
	struct span target;
	size_t lines = 10;

	if (sip_message_contact(&message, &contact) != 0 ||
	    sip_message_event(&message, &event) != 0 ||
	    sip_message_check_routes(&message, SIP_HEADER_RECORD_ROUTE) != 0) {
		return;
	}
	target = contact.uri.text;
	if (contact.uri.headers.length > 0) { /* a Request-URI has none (RFC 3261 19.1.1) */
		target.length = (size_t)(contact.uri.headers.data - target.data) - 1;
	}
	sip_write_request_line(&w, SPAN("NOTIFY"), target);
	sip_write_via(&w, local, SPAN("z9hG4bK1"), true);
	sip_write_name_address(&w, SIP_HEADER_FROM, &message.to, SPAN("t"));
	sip_write_name_address(&w, SIP_HEADER_TO, &message.from, SPAN(""));
	sip_write_header(&w, SIP_HEADER_CALL_ID, message.call_id);
	sip_write_cseq(&w, 1, SPAN("NOTIFY"));
	sip_write_contact(&w, message.request_uri.user, local);
	sip_write_header(&w, SIP_HEADER_EVENT, event.type);
	while ((row = sip_message_next_row(&message, SIP_HEADER_RECORD_ROUTE, row))) {
		write_route(&w, row->value);
		lines++;
	}
	sip_write_end(&w, SPAN(""), SPAN(""));
	check_written(&w, lines, true);
	if (!w.failed && (!answer.from.has_tag || answer.to.has_tag != message.from.has_tag)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int error = sip_message_parse(&message, span_make((const char *)data, size));

	if (error == -ENOMSG) {
		return 0;
	}
	ask_everything();
	if (error != 0 && !sip_message_is_answerable(&message)) {
		return 0;
	}
	write_response(error == 0);
	if (error == 0 && message.is_request) {
		write_request();
	}
	return 0;
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer w = writer_over(text, sizeof(text));
	struct sip_response response = {
		.status = 200,
		.to_tag = SPAN("t"),
		.source = {address_ipv4(192, 0, 2, 1), 5060},
	};
	int error = sip_message_parse(&message, span_make((const char *)data, size));
	size_t lines;

	if (error == -ENOMSG) {
		return 0;
	}
	ask_everything();
	if (error != 0 && !sip_message_is_answerable(&message)) {
		return 0;
	}
	sip_write_response(&w, &message, &response);
	sip_write_record_routes(&w, &message);
	sip_write_end(&w, SPAN(""), SPAN(""));
	if (w.failed) {
		return 0;
	}
	lines = 3 + sip_message_row_count(&message, SIP_HEADER_VIA) +
		sip_message_row_count(&message, SIP_HEADER_RECORD_ROUTE);
	for (enum sip_header kind = SIP_HEADER_ACCEPT; kind < sip_header_count; kind++) {
		lines += (kind == SIP_HEADER_FROM || kind == SIP_HEADER_TO ||
			  kind == SIP_HEADER_CALL_ID || kind == SIP_HEADER_CSEQ) &&
			 message.first[kind] != sip_row_none;
	}
	if (count_lines(writer_span(&w)) != lines) {
		abort();
	}
	if (error == 0 && sip_message_parse(&answer, writer_span(&w)) != 0) {
		abort();
	}
	return 0;
}

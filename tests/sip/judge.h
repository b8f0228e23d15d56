/* SPDX-License-Identifier: MIT */
/*
 * What the codec alone lets a notifier answer: the decision table of standards.md without its
 * policy and its transactions, as the shortest code that asks every reader.
 */
#ifndef BELLHOP_TESTS_SIP_JUDGE_H
#define BELLHOP_TESTS_SIP_JUDGE_H

#include "core/sip/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct judgement {
	int error;	 /* of sip_message_parse */
	unsigned status; /* 0: silence */
	const char *fault;
};

static inline struct judgement judge_fault(enum sip_header kind, int error)
{
	return (struct judgement){0, 400, sip_message_fault_text(kind, error)};
}

static inline struct judgement judge_subscribe(const struct sip_message *message)
{
	struct sip_event event;
	struct sip_name_address contact;
	uint32_t expires_s;
	unsigned quality;
	int error;

	if (sip_message_row_count(message, SIP_HEADER_CONTENT_ENCODING) > 0) {
		return (struct judgement){0, 415, NULL};
	}
	error = sip_message_event(message, &event);
	if (error == -ENOENT || (error == 0 && !span_equal(event.type, SPAN("ua-profile")))) {
		return (struct judgement){0, 489, NULL};
	}
	if (error != 0) {
		return judge_fault(SIP_HEADER_EVENT, error);
	}
	error = sip_message_accepts(message, SPAN("application"), SPAN("url"), &quality);
	if (error != 0 && error != -ENOENT) {
		return judge_fault(SIP_HEADER_ACCEPT, error);
	}
	if (error == 0 && quality == 0) {
		return (struct judgement){0, 406, NULL};
	}
	error = sip_message_expires(message, &expires_s);
	if (error != 0 && error != -ENOENT) {
		return judge_fault(SIP_HEADER_EXPIRES, error);
	}
	error = sip_message_contact(message, &contact);
	if (error != 0) {
		return judge_fault(SIP_HEADER_CONTACT, error);
	}
	error = sip_message_check_routes(message, SIP_HEADER_RECORD_ROUTE);
	if (error != 0) {
		return judge_fault(SIP_HEADER_RECORD_ROUTE, error);
	}
	return (struct judgement){0, 200, NULL};
}

static inline struct judgement judge(struct sip_message *message, struct span datagram)
{
	struct sip_list list;
	struct span tag;
	int error = sip_message_parse(message, datagram);

	if (error == -ENOMSG) {
		return (struct judgement){error, 0, NULL};
	}
	if (error != 0) {
		return (struct judgement){error,
					  sip_message_is_answerable(message) ? message->fault_status
									     : 0,
					  message->fault};
	}
	if (!message->is_request || message->method == SIP_METHOD_ACK) {
		return (struct judgement){0, 0, NULL};
	}
	if (message->method == SIP_METHOD_UNKNOWN) {
		return (struct judgement){0, 501, NULL};
	}
	if (message->method != SIP_METHOD_SUBSCRIBE && message->method != SIP_METHOD_OPTIONS) {
		return (struct judgement){0, 405, NULL};
	}
	if (message->request_uri.scheme == SIP_SCHEME_OTHER) {
		return (struct judgement){0, 416, NULL};
	}
	list = sip_message_list(message, SIP_HEADER_REQUIRE);
	if (sip_list_next(&list, &tag)) {
		return (struct judgement){0, 420, NULL};
	}
	if (message->method == SIP_METHOD_OPTIONS) {
		return (struct judgement){0, 200, NULL};
	}
	return judge_subscribe(message);
}

/* A whole file in memory of its own, so that a sanitizer sees its end; NULL when there is none. */
static inline char *judge_read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *data = malloc(1 << 17);
	char *exact;

	if (!file || !data) {
		free(data);
		if (file) {
			fclose(file);
		}
		return NULL;
	}
	*length = fread(data, 1, 1 << 17, file);
	fclose(file);
	exact = malloc(*length + 1);
	if (exact) {
		memcpy(exact, data, *length);
	}
	free(data);
	return exact;
}

/* Calls `function` for every row of a tab-separated index but the first. */
#define judge_each_row(path, function)                                                             \
	do {                                                                                       \
		FILE *judge_file = fopen(path, "r");                                               \
		char judge_line[8192];                                                             \
		while (judge_file && fgets(judge_line, sizeof(judge_line), judge_file)) {          \
			judge_line[strcspn(judge_line, "\r\n")] = 0;                               \
			if (strncmp(judge_line, "file\t", 5) != 0) {                               \
				function(judge_line);                                              \
			}                                                                          \
		}                                                                                  \
		if (judge_file) {                                                                  \
			fclose(judge_file);                                                        \
		}                                                                                  \
	} while (0)

#endif

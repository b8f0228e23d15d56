/* SPDX-License-Identifier: MIT */
/*
 * Every fixture of tests/fixtures/sip: its verdict, at every length with guard pages, and through
 * print and parse again.
 */
#include "core/sip/write.h"
#include "judge.h"
#include "tests/guard.h"
#include "tests/test.h"

static struct sip_message message;
static struct sip_message again;

static struct span load(const char *name)
{
	char path[1024];
	size_t length = 0;
	char *data;

	snprintf(path, sizeof(path), "%s/tests/fixtures/sip/%s", SOURCE_ROOT, name);
	data = judge_read_file(path, &length);
	return span_make(data, length);
}

static void check_verdict(char *line)
{
	char *verdict = strchr(line, '\t');
	char found[200];
	struct judgement j;
	struct span bytes;

	REQUIRE(verdict);
	*verdict++ = 0;
	bytes = load(line);
	REQUIRE(bytes.data);
	j = judge(&message, bytes);
	if (j.error == -ENOMSG) {
		snprintf(found, sizeof(found), "none");
	} else if (!message.is_request && j.error != 0) {
		snprintf(found, sizeof(found), "discard");
	} else if (!message.is_request) {
		snprintf(found, sizeof(found), "response %u", message.status);
	} else if (j.fault && j.status == 0) {
		snprintf(found, sizeof(found), "- %s", j.fault);
	} else if (j.fault) {
		snprintf(found, sizeof(found), "%u %s", j.status, j.fault);
	} else {
		snprintf(found, sizeof(found), "%u", j.status);
	}
	if (strcmp(found, verdict) != 0) {
		test_is_failed = true;
		printf("# %s: %s, expected %s\n", line, found, verdict);
	}
	free((char *)(uintptr_t)bytes.data);
}

static void verdicts_of_all_fixtures(void)
{
	judge_each_row(SOURCE_ROOT "/tests/fixtures/sip/index.tsv", check_verdict);
}

/* Asks everything there is to ask, and writes an answer: nothing may read past the end. */
static void ask_everything(struct span input, void *context)
{
	char answer[70000];
	struct writer w = writer_over(answer, sizeof(answer));
	struct sip_response response = {.status = 400,
					.to_tag = SPAN("x"),
					.source = {address_ipv4(192, 0, 2, 200), 5060}};
	struct sip_media_type type;
	struct sip_subscription_state state;
	struct sip_authorization authorization;
	unsigned hops;
	uint32_t seconds;

	(void)context;
	if (judge(&message, input).error == -ENOMSG) {
		return;
	}
	for (unsigned kind = 1; kind < sip_header_count; kind++) {
		struct sip_list list = sip_message_list(&message, (enum sip_header)kind);
		struct span value;

		while (sip_list_next(&list, &value)) {
			sip_authorization_parse(value, &authorization);
		}
	}
	sip_message_check_routes(&message, SIP_HEADER_ROUTE);
	sip_message_content_type(&message, &type);
	sip_message_subscription_state(&message, &state);
	sip_message_max_forwards(&message, &hops);
	sip_message_retry_after(&message, &seconds);
	sip_message_min_expires(&message, &seconds);
	sip_write_response(&w, &message, &response);
	sip_write_record_routes(&w, &message);
	sip_write_end(&w, SPAN(""), SPAN(""));
}

static void guard_fixture(char *line)
{
	struct span bytes;

	*strchr(line, '\t') = 0;
	bytes = load(line);
	REQUIRE(bytes.data);
	guard_each_prefix(bytes, ask_everything, NULL);
	free((char *)(uintptr_t)bytes.data);
}

static void every_prefix_of_every_fixture(void)
{
	judge_each_row(SOURCE_ROOT "/tests/fixtures/sip/index.tsv", guard_fixture);
}

static void same_values(enum sip_header kind)
{
	struct sip_list a = sip_message_list(&message, kind);
	struct sip_list b = sip_message_list(&again, kind);
	struct span x;
	struct span y;

	while (sip_list_next(&a, &x)) {
		char flat[70000];
		struct writer w = writer_over(flat, sizeof(flat));

		REQUIRE(sip_list_next(&b, &y));
		sip_write_unfolded(&w, x);
		CHECK_SPAN(writer_span(&w), y);
	}
	CHECK(!sip_list_next(&b, &y));
}

/* Prints a good request row by row and reads it again: the same rows, no more lines. */
static void print_and_parse(char *line)
{
	static char text[70000];
	struct writer w = writer_over(text, sizeof(text));
	struct span bytes;

	*strchr(line, '\t') = 0;
	bytes = load(line);
	REQUIRE(bytes.data);
	if (sip_message_parse(&message, bytes) == 0 && message.is_request) {
		struct span type = SPAN("");

		sip_message_single(&message, SIP_HEADER_CONTENT_TYPE, &type);
		sip_write_request_line(&w, message.method_text, message.request_uri_text);
		for (unsigned kind = 1; kind < sip_header_count; kind++) {
			if (kind != SIP_HEADER_CONTENT_LENGTH && kind != SIP_HEADER_CONTENT_TYPE) {
				sip_write_header_copy(&w, (enum sip_header)kind, &message);
			}
		}
		sip_write_end(&w, type, message.body);
		CHECK(!w.failed);
		CHECK_EQUAL(0, sip_message_parse(&again, writer_span(&w)));
		CHECK_SPAN(message.body, again.body);
		CHECK_SPAN(message.request_uri_text, again.request_uri_text);
		CHECK_EQUAL(0, again.other_count);
		for (unsigned kind = 1; kind < sip_header_count; kind++) {
			if (kind != SIP_HEADER_CONTENT_LENGTH) {
				same_values((enum sip_header)kind);
			}
		}
	}
	if (test_is_failed) {
		printf("# in %s\n", line);
	}
	free((char *)(uintptr_t)bytes.data);
}

static void print_then_parse_gives_the_same(void)
{
	judge_each_row(SOURCE_ROOT "/tests/fixtures/sip/index.tsv", print_and_parse);
}

int main(void)
{
	RUN(verdicts_of_all_fixtures);
	RUN(every_prefix_of_every_fixture);
	RUN(print_then_parse_gives_the_same);
	return test_end();
}

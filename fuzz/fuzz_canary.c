/* SPDX-License-Identifier: MIT */
/*
 * What comes back to a canary. "CANARY" in the input stands for the Call-ID that was sent, so that
 * answers are found. Whatever is said about a rogue is one harmless line, and nothing is sent but
 * one answer to a NOTIFY.
 */
#include "tests/provision/canary_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { input_max = 8192 };

static size_t put_call_id(char *text, size_t length, struct span call_id)
{
	static const char word[] = "CANARY";
	size_t at = span_search(span_make(text, length), SPAN("CANARY"));

	if (at == length) {
		return length;
	}
	memmove(text + at + call_id.length, text + at + sizeof(word) - 1,
		length - at - (sizeof(word) - 1));
	memcpy(text + at, call_id.data, call_id.length);
	return length - (sizeof(word) - 1) + call_id.length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct canary_bench b;
	static struct sip_message sent;
	char call_id[64];
	char *text = malloc(input_max + sizeof(call_id));
	size_t length = size < input_max ? size : input_max;
	static const struct address rogue = {ADDRESS_IPV4, {10, 13, 9, 9}};

	canary_bench_open(&b);
	canary_bench_add_maker(&b, "snom");
	canary_bench_wake(&b);
	if (!text || sip_message_parse(&sent, bench_sent(&b.bench, 0)->bytes) != 0 ||
	    span_to_text(sent.call_id, call_id, sizeof(call_id)) != 0) {
		abort();
	}
	memcpy(text, data, length);
	length = put_call_id(text, length, span_text(call_id));
	/* At the end of its memory, so that one octet more is found. */
	text = realloc(text, length > 0 ? length : 1);
	canary_bench_receive(&b, rogue, span_make(text, length));
	for (size_t i = 0; i < b.bench.effects.count; i++) {
		const struct effect *effect = &b.bench.effects.items[i];

		for (size_t at = 0;
		     effect->kind == EFFECT_REPORT && at < effect->report.text.length; at++) {
			if ((uint8_t)effect->report.text.data[at] - 0x20u >= 0x5f) {
				abort();
			}
		}
	}
	if (bench_count_kind(&b.bench, EFFECT_SEND) > 1) {
		abort();
	}
	canary_bench_wake(&b);
	free(text);
	canary_bench_close(&b);
	return 0;
}

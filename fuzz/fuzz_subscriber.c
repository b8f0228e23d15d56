/* SPDX-License-Identifier: MIT */
/*
 * A whole datagram into the phone's subscriber. Every '%' of the input stands for one of the three
 * ids of the subscription, so that mutants reach what only a matching message reaches.
 */
#include "core/phone/subscriber.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* %T the tag, %C the Call-ID, %B the branch. */
static struct span fill(struct writer *w, struct span text, const struct subscriber_ids *ids)
{
	for (size_t i = 0; i < text.length; i++) {
		char next = i + 1 < text.length ? text.data[i + 1] : '\0';

		if (text.data[i] != '%' || (next != 'T' && next != 'C' && next != 'B')) {
			writer_char(w, text.data[i]);
			continue;
		}
		writer_text(w, next == 'T' ? ids->tag : next == 'C' ? ids->call_id : ids->branch);
		i++;
	}
	return writer_span(w);
}

static void check_effects(const struct phone_effects *effects, size_t received_length)
{
	size_t sent = 0;

	for (size_t i = 0; i < effects->wire.count; i++) {
		if (effects->wire.items[i].kind == EFFECT_SEND) {
			const struct effect_send *send = &effects->wire.items[i].send;

			sent++;
			check(span_starts_with(send->bytes, SPAN("SIP/2.0 ")));
			check(span_ends_with(send->bytes, SPAN("\r\n\r\n")));
			check(send->bytes.length <= received_length + 512);
		}
	}
	check(sent <= 1); /* one datagram in, at most one out */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_message message;
	static struct subscriber subscriber;
	static char filled[8192];
	struct writer w = writer_over(filled, sizeof(filled));
	struct subscriber_options options = {
		.identity = {.model = SPAN("440HD"), .version = SPAN("2.2.2")},
		.local = {address_ipv4(10, 13, 2, 37), 5060},
		.target = {address_ipv4(224, 0, 1, 75), 5060},
		.message = &message,
	};
	struct packet packet = {.source = {address_ipv4(10, 13, 4, 121), 5060},
				.target = options.local};
	struct phone_effects effects;
	struct random random;

	if (size > 4096 || phone_effects_init(&effects) != 0) {
		return 0;
	}
	random_init_number(&random, 1);
	check(subscriber_init(&subscriber, &options, &random) == 0);
	subscriber_start(&subscriber, &random, 1000, &effects);
	packet.bytes = fill(&w, span_make((const char *)data, size), &subscriber.ids);
	for (unsigned copy = 0; copy < 2; copy++) {
		phone_effects_reset(&effects);
		subscriber_receive(&subscriber, &packet, 1001, &effects);
		check_effects(&effects, packet.bytes.length);
		if (subscriber.state == SUBSCRIBER_DONE) {
			struct phone_url url;

			check(phone_url_parse(subscriber_url(&subscriber), &url) == 0);
		}
	}
	phone_effects_free(&effects);
	return 0;
}

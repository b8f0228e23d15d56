/* SPDX-License-Identifier: MIT */
/*
 * The phone's subscriber and the server's signalling speak to each other, in virtual time, over a
 * wire that loses datagrams: every pattern of losses among the first ones, in both forms.
 */
#include "core/phone/subscriber.h"
#include "tests/provision/harness.h"
#include "tests/test.h"

enum { wire_max = 64, lossy_count = 6, delay_ms = 20, end_ms = 40000, quiet_ms = 20000 };

struct flying {
	bool to_server;
	uint64_t arrives_ms;
	size_t length;
	char bytes[2048];
};

struct wire {
	struct flying items[wire_max];
	size_t count;
	unsigned losses; /* bit i: the i-th datagram of all is lost */
	unsigned sent_count;
	unsigned late_notify_count;
};

static struct bench bench;
static struct wire wire;
static struct subscriber subscriber;
static struct phone_effects effects;
static struct sip_message message;
static struct random rng;

static void put(bool to_server, uint64_t now_ms, struct span bytes)
{
	struct flying *item = &wire.items[wire.count];
	bool is_lost = wire.sent_count < lossy_count && ((wire.losses >> wire.sent_count) & 1) != 0;

	wire.sent_count++;
	if (!to_server && span_starts_with(bytes, SPAN("NOTIFY")) &&
	    now_ms > bench.now_ms + quiet_ms) {
		wire.late_notify_count++;
	}
	if (is_lost || wire.count == wire_max || bytes.length > sizeof(item->bytes)) {
		return;
	}
	*item = (struct flying){.to_server = to_server,
				.arrives_ms = now_ms + delay_ms,
				.length = bytes.length};
	memcpy(item->bytes, bytes.data, bytes.length);
	wire.count++;
}

static void put_all(bool to_server, uint64_t now_ms, const struct effects *sent)
{
	for (size_t i = 0; i < sent->count; i++) {
		if (sent->items[i].kind == EFFECT_SEND) {
			put(to_server, now_ms, sent->items[i].send.bytes);
		}
	}
}

static void arrive(struct flying item, uint64_t now_ms)
{
	struct packet packet = bench.packet;

	packet.bytes = span_make(item.bytes, item.length);
	if (item.to_server) {
		bool is_response = span_starts_with(packet.bytes, SPAN("SIP/2.0"));

		packet.is_multicast = !is_response;
		packet.target.address = is_response ? bench_server : bench_group;
		effects_reset(&bench.effects);
		signalling_receive(bench.signalling, &packet, now_ms, &bench.effects);
		put_all(false, now_ms, &bench.effects);
		return;
	}
	packet = (struct packet){.bytes = packet.bytes,
				 .source = {bench_server, 5060},
				 .target = {bench_phone, 5060},
				 .local = bench_phone};
	phone_effects_reset(&effects);
	subscriber_receive(&subscriber, &packet, now_ms, &effects);
	put_all(true, now_ms, &effects.wire);
}

static bool take_arrived(uint64_t now_ms)
{
	for (size_t i = 0; i < wire.count; i++) {
		if (wire.items[i].arrives_ms <= now_ms) {
			struct flying item = wire.items[i];

			memmove(&wire.items[i], &wire.items[i + 1],
				(wire.count - i - 1) * sizeof(item));
			wire.count--;
			arrive(item, now_ms);
			return true;
		}
	}
	return false;
}

static void run(unsigned losses, enum notify_form form)
{
	struct subscriber_options options = {
		.identity = {.model = SPAN("440HD"), .version = SPAN("2.2.2")},
		.local = {bench_phone, 5060},
		.target = {bench_group, 5060},
		.message = &message,
	};

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	bench_set_form(&bench, bench_mac, form);
	wire.count = 0;
	wire.sent_count = 0;
	wire.late_notify_count = 0;
	wire.losses = losses;
	random_init_number(&rng, losses + 1);
	phone_effects_reset(&effects);
	CHECK_EQUAL(0, subscriber_init(&subscriber, &options, &rng));
	subscriber_start(&subscriber, &rng, bench.now_ms, &effects);
	put_all(true, bench.now_ms, &effects.wire);
	for (uint64_t now_ms = bench.now_ms; now_ms < bench.now_ms + end_ms; now_ms += 10) {
		while (take_arrived(now_ms)) {
		}
		phone_effects_reset(&effects);
		subscriber_expire(&subscriber, now_ms, &effects);
		put_all(true, now_ms, &effects.wire);
		effects_reset(&bench.effects);
		signalling_expire(bench.signalling, now_ms, &bench.effects);
		put_all(false, now_ms, &bench.effects);
	}
	bench_close(&bench);
}

/*
 * Four SUBSCRIBEs are all there are, and in the printed form four NOTIFYs (resending stops after 5
 * s): only when all four are lost does the phone go without.
 */
static bool goes_without(unsigned losses, enum notify_form form)
{
	return (losses & 0x0f) == 0x0f || (form == FORM_PRINT && losses == 0x3c);
}

static void check_every_pattern(enum notify_form form)
{
	for (unsigned losses = 0; losses < 1u << lossy_count; losses++) {
		bool is_hopeless = goes_without(losses, form);

		run(losses, form);
		if ((subscriber.state == SUBSCRIBER_DONE) == is_hopeless ||
		    wire.late_notify_count != 0) {
			test_is_failed = true;
			printf("# losses %02x: state %d (%s), %u NOTIFYs after 20 s\n", losses,
			       (int)subscriber.state, subscriber.failure ? subscriber.failure : "",
			       wire.late_notify_count);
		}
		if (!is_hopeless) {
			CHECK_TEXT("tftp://10.13.4.121", subscriber_url(&subscriber));
		}
		if (losses == 0) {
			CHECK_EQUAL(4, wire.sent_count); /* SUBSCRIBE, 200, NOTIFY, 200 */
		}
	}
}

static void rfc_form_survives_every_pattern_of_losses(void)
{
	check_every_pattern(FORM_RFC);
}

static void print_form_survives_every_pattern_of_losses(void)
{
	check_every_pattern(FORM_PRINT);
}

int main(void)
{
	if (phone_effects_init(&effects) != 0) {
		return 1;
	}
	RUN(rfc_form_survives_every_pattern_of_losses);
	RUN(print_form_survives_every_pattern_of_losses);
	phone_effects_free(&effects);
	return test_end();
}

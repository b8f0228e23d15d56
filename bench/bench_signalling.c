/* SPDX-License-Identifier: MIT */
/*
 * What one phone costs in core/provision/signalling alone: its SUBSCRIBE comes in, the 200 and the
 * NOTIFY go out, its 200 comes back. No socket and no thread, time is made up, so that callgrind
 * counts the same instructions every time:
 *     valgrind --tool=callgrind --toggle-collect=serve_phones bench_signalling 10000
 * and the same with hear_phones.
 */
#include "core/fleet/inventory.h"
#include "core/provision/signalling.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { phone_count = 20000, batch = 64, datagram_max = 2048, phones_per_ms = 40 };

static struct inventory inventory;

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	*server = (struct config_server){.address = local,
					 .url = SPAN("http://%{address}:8080/p/%{key}/")};
}

static void fill_inventory(void)
{
	struct inventory_limits limits = {.devices_max = phone_count,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = 10,
					  .unidentified_max = 50,
					  .forms_max = 8};
	uint8_t seed[random_seed_size] = {1};

	if (inventory_init(&inventory, &limits, seed) != 0) {
		exit(1);
	}
	for (uint32_t i = 0; i < phone_count; i++) {
		struct change change = {
			.kind = CHANGE_DEVICE_CLAIM,
			.fields = FIELD_MODEL | FIELD_BOUND_ADDRESS,
			.model = SPAN("440HD"),
			.bound_address = address_ipv4(127, (uint8_t)(16 + (i >> 16)),
						      (uint8_t)(i >> 8), (uint8_t)i),
			.mac = {{0, 0x90, 0x8f, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
		};
		struct prepared prepared;
		char problem[256] = "";

		if (inventory_prepare(&inventory, &change, &prepared, problem, sizeof(problem)) !=
		    0) {
			fprintf(stderr, "bench_signalling: %s\n", problem);
			exit(1);
		}
		inventory_commit(&inventory, &prepared);
	}
}

/* What phone `i` sends, and from where. */
static struct packet subscribe(uint32_t i, uint32_t round, char bytes[static datagram_max])
{
	struct packet packet = {
		.source = {address_ipv4(127, (uint8_t)(16 + (i >> 16)), (uint8_t)(i >> 8),
					(uint8_t)i),
			   5060},
		.target = {address_ipv4(127, 0, 0, 1), 5060},
		.local = address_ipv4(127, 0, 0, 1),
		.interface = 1,
	};
	char text[address_text_size];
	int length;

	packet.target.port = 5062;
	address_text(packet.source.address, text);
	length = snprintf(
		bytes, datagram_max,
		"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
		"From: <sip:00000001@%s:5060>;tag=87a5a8-25020d0a-13c4-50029-386d4398-%08x\r\n"
		"To: <sip:224.0.1.75:5060>\r\n"
		"Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-%08x-%08x\r\n"
		"CSeq: 1 SUBSCRIBE\r\n"
		"Via: SIP/2.0/UDP %s:5060;rport;branch=z9hG4bK-386d4398-%08x-%08x\r\n"
		"Expires: 0\r\n"
		"Event: "
		"ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n"
		"Max-Forwards: 70\r\nSupported: replaces,100rel\r\nAccept: application/url\r\n"
		"Contact: <sip:00000001@%s:5060>\r\nUser-Agent: AUDC-IPPhone/2.2.2\r\n"
		"Content-Length: 0\r\n\r\n",
		text, round, i, round, text, i, round, text);
	packet.bytes = span_make(bytes, (size_t)length);
	return packet;
}

/* The phone's 200: the lines of the NOTIFY that a response copies (RFC 3261 8.2.6.2). */
static struct span answer_of(struct span notify, char bytes[static datagram_max])
{
	struct writer w = writer_over(bytes, datagram_max);
	struct span rest = notify;

	writer_text(&w, "SIP/2.0 200 OK\r\n");
	(void)span_cut(&rest, '\n');
	while (rest.data) {
		struct span line = span_cut(&rest, '\n');

		if (line.length <= 1) {
			break;
		}
		if (span_starts_with(line, SPAN("Via")) || span_starts_with(line, SPAN("From")) ||
		    span_starts_with(line, SPAN("To")) || span_starts_with(line, SPAN("Call")) ||
		    span_starts_with(line, SPAN("CSeq"))) {
			writer_put(&w, line);
			writer_char(&w, '\n');
		}
	}
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	return writer_span(&w);
}

/* A batch as the door takes it in: all of it, then what it brought. */
static size_t take_in(struct signalling *s, const struct packet *packets, size_t count,
		      uint64_t now_ms, struct effects *effects)
{
	effects_reset(effects);
	for (size_t i = 0; i < count; i++) {
		if (signalling_receive(s, &packets[i], now_ms, effects) != 0) {
			exit(1);
		}
	}
	return effects->count;
}

struct load {
	struct packet subscribes[batch];
	struct packet answers[batch];
	char subscribe_bytes[batch][datagram_max];
	char answer_bytes[batch][datagram_max];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Never inlined, because callgrind is told these names. */
void serve_phones(struct signalling *s, struct load *load, struct effects *effects,
		  uint64_t now_ms);

__attribute__((noinline)) void serve_phones(struct signalling *s, struct load *load,
					    struct effects *effects, uint64_t now_ms)
{
	signalling_expire(s, now_ms, effects);
	take_in(s, load->subscribes, batch, now_ms, effects);
}

void hear_phones(struct signalling *s, struct load *load, struct effects *effects, uint64_t now_ms);

__attribute__((noinline)) void hear_phones(struct signalling *s, struct load *load,
					   struct effects *effects, uint64_t now_ms)
{
	take_in(s, load->answers, batch, now_ms, effects);
}

int main(int argc, char **argv)
{
	static struct policy policy = {.access_by_key = true, .access_by_neighbour = true};
	struct signalling_options options = {
		.inventory = &inventory,
		.policy = &policy,
		.port = 5062,
		.server_for = server_for,
		.server_transactions_max = 1 << 22,
		.client_transactions_max = 1 << 22,
		.waiting_max = 16,
		.server_header = SPAN("Bellhop/" BELLHOP_VERSION),
	};
	uint32_t served_max = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000000;
	struct load *load = calloc(1, sizeof(*load));
	struct signalling *s;
	struct effects effects;
	uint64_t now_ms = 1000;
	uint64_t serving_ns = 0;
	uint64_t hearing_ns = 0;
	uint32_t phone = 0;

	fill_inventory();
	if (!load || effects_init(&effects, 4096, 8 << 20) != 0 ||
	    signalling_new(&s, &options) != 0) {
		return 1;
	}
	effects.report_level_min = REPORT_ERROR; /* as in bench_responder: nobody reads them */
	while (phone < served_max) {
		size_t sent = 0;
		uint64_t start;

		for (size_t i = 0; i < batch; i++, phone++) {
			load->subscribes[i] = subscribe(phone % phone_count, phone / phone_count,
							load->subscribe_bytes[i]);
		}
		now_ms = 1000 + phone / phones_per_ms;
		start = now_ns();
		serve_phones(s, load, &effects, now_ms);
		serving_ns += now_ns() - start;
		for (size_t i = 0; i < effects.count; i++) {
			const struct effect_send *send = &effects.items[i].send;

			if (effects.items[i].kind == EFFECT_SEND && send->bytes.data[0] == 'N') {
				load->answers[sent] = load->subscribes[sent];
				load->answers[sent].bytes =
					answer_of(send->bytes, load->answer_bytes[sent]);
				sent++;
			}
		}
		if (sent != batch) {
			fprintf(stderr, "bench_signalling: %zu of %d phones served\n", sent, batch);
			return 1;
		}
		start = now_ns();
		hear_phones(s, load, &effects, now_ms);
		hearing_ns += now_ns() - start;
	}
	printf("%u phones: %.0f ns for each SUBSCRIBE, %.0f ns for each answer to a NOTIFY\n",
	       phone, (double)serving_ns / phone, (double)hearing_ns / phone);
	signalling_free(s);
	effects_free(&effects);
	inventory_free(&inventory);
	free(load);
	return 0;
}

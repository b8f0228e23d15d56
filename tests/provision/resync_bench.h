/* SPDX-License-Identifier: MIT */
/*
 * Orders to phones on a bench: signalling with five made-up makers, phones that answer by hand, and
 * virtual time.
 */
#ifndef BELLHOP_TESTS_PROVISION_RESYNC_BENCH_H
#define BELLHOP_TESTS_PROVISION_RESYNC_BENCH_H

#include "core/sip/digest.h"
#include "tests/fleet/packs.h"
#include "tests/provision/harness.h"

enum { order_rate = 20, order_concurrency = 50, order_verify_ms = 300000 };

#define PACK(name, oui, rest)                                                                      \
	"{\"schema\":1,\"name\":\"" name                                                           \
	"\",\"display_name\":\"x\",\"recognise\":{\"oui\":[\"" oui                                 \
	"\"]},\"files\":[{\"name\":\"x.img\",\"kind\":\"firmware\"}]" rest "}"

static const char *const order_packs[] = {
	PACK("alpha", "0a0001",
	     ",\"resync\":{\"event\":\"check-sync;reboot=false\"},"
	     "\"reboot\":{\"event\":\"check-sync;reboot=true\"}"),
	PACK("beta", "0a0002",
	     ",\"resync\":{\"event\":\"resync\",\"asks_credentials\":true},"
	     "\"reboot\":{\"event\":\"service-control\",\"content_type\":\"text/plain\","
	     "\"body\":\"action=restart\\r\\n\"}"),
	PACK("gamma", "0a0003",
	     ",\"resync\":{\"event\":\"check-sync\",\"needs_account\":true,\"reboots\":true}"),
	PACK("delta", "0a0004",
	     ",\"answer\":{\"unsolicited\":true,\"sip_port\":5080,\"body_end\":\"crlf\","
	     "\"content_type\":\"application/url\",\"headers\":{\"MessageBody\":\"%{url}\"}}"),
	PACK("epsilon", "0a0005", ""),
};

static inline struct mac order_mac(unsigned maker, unsigned number)
{
	return (struct mac){{0x0a, 0, (uint8_t)maker, (uint8_t)(number >> 16),
			     (uint8_t)(number >> 8), (uint8_t)number}};
}

static inline struct address order_address(unsigned number)
{
	return (struct address){4, {10, 14, (uint8_t)(number >> 8), (uint8_t)number}};
}

static inline bool bench_local_for(void *context, struct address remote, struct span interface,
				   struct address *local, uint32_t *index)
{
	(void)context;
	(void)interface;
	*local = bench_server;
	*index = 0;
	return remote.octets[0] == 10;
}

static inline void order_open(struct bench *b, size_t devices_max, struct resync_limits limits)
{
	static const uint8_t seed[random_seed_size] = {7};
	struct inventory_limits inventory = {.devices_max = devices_max,
					     .new_devices_max = 16,
					     .profiles_max = 8,
					     .files_max = 8};
	struct vendors vendors = {0};

	bench_open_with(b, 64, 1024);
	signalling_free(b->signalling);
	inventory_free(&b->inventory);
	if (inventory_init(&b->inventory, &inventory, seed) != 0) {
		abort();
	}
	for (size_t i = 0; i < sizeof(order_packs) / sizeof(order_packs[0]); i++) {
		struct vendor_pack *pack = pack_of_text(order_packs[i]);

		if (!pack || vendors_add(&vendors, pack) != 0) {
			abort();
		}
	}
	inventory_set_vendors(&b->inventory, &vendors);
	vendors_free(&vendors);
	b->options.resync = limits;
	b->options.local_for = bench_local_for;
	if (signalling_new(&b->signalling, &b->options) != 0) {
		abort();
	}
	bench_unicast(b);
}

static inline void order_open_usual(struct bench *b)
{
	order_open(b, 64,
		   (struct resync_limits){.targets_max = 64,
					  .rate = order_rate,
					  .concurrency = order_concurrency,
					  .verify_ms = order_verify_ms});
}

/* A claimed phone that was seen at its address. */
static inline void order_phone(struct bench *b, struct mac mac, struct address address)
{
	bench_change(b, &(struct change){.kind = CHANGE_DEVICE_SEEN,
					 .fields = FIELD_ADDRESS | FIELD_CERTAINTY,
					 .mac = mac,
					 .utc_ms = 5000000,
					 .address = address,
					 .interface = SPAN("eth0"),
					 .certainty = CERTAINTY_CONFIRMED});
	bench_claim(b, mac);
}

static inline void order_set(struct bench *b, struct mac mac, const char *path, const char *value)
{
	struct change_setting setting = {span_text(path), span_text(value), false};

	bench_change(b, &(struct change){.kind = CHANGE_DEVICE_SET,
					 .mac = mac,
					 .settings = &setting,
					 .setting_count = 1});
}

static inline void order_give(struct bench *b, enum resync_order order, const struct mac *macs,
			      size_t count)
{
	struct resync_list *list = resync_list_new(order, count);

	if (!list) {
		abort();
	}
	memcpy(list->macs, macs, count * sizeof(*macs));
	list->count = count;
	signalling_order(b->signalling, list, b->now_ms);
}

/* Gives the order for one phone and lets it go out. */
static inline void order_one(struct bench *b, enum resync_order order, struct mac mac)
{
	order_give(b, order, &mac, 1);
	bench_expire(b, b->now_ms);
}

/* The newest state that was posted of a device in the last call; RESYNC_NONE: none. */
static inline enum device_resync order_state(const struct bench *b, struct mac mac)
{
	enum device_resync state = RESYNC_NONE;

	for (size_t i = 0; i < b->effects.count; i++) {
		const struct effect *effect = &b->effects.items[i];

		if (effect->kind == EFFECT_CHANGE && effect->change->kind == CHANGE_DEVICE_RESYNC &&
		    mac_equal(effect->change->mac, mac)) {
			state = effect->change->resync;
		}
	}
	return state;
}

static struct sip_message order_message;

/* The i-th datagram of the last call, read. */
static inline const struct sip_message *order_sent(const struct bench *b, size_t i)
{
	static char copy[16384];
	const struct effect_send *sent = bench_sent(b, i);

	if (!sent || sent->bytes.length > sizeof(copy)) {
		return NULL;
	}
	memcpy(copy, sent->bytes.data, sent->bytes.length);
	return sip_message_parse(&order_message, span_make(copy, sent->bytes.length)) == 0
		       ? &order_message
		       : NULL;
}

/* The value of a header of order_message, whatever its name, or empty. */
static inline struct span order_header(const char *name)
{
	struct span rest = order_message.bytes;

	while (rest.length > 0) {
		struct span line = span_cut(&rest, '\n');
		struct span key = span_cut(&line, ':');

		if (span_equal_nocase(key, span_text(name))) {
			return span_trim(line);
		}
	}
	return SPAN("");
}

/* The phone answers what it was sent, order_message; the effects of that are there afterwards. */
static inline void order_answer(struct bench *b, struct endpoint from, const char *status,
				const char *headers)
{
	static char text[4096];
	const struct sip_message *m = &order_message;
	int length = snprintf(text, sizeof(text),
			      "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=phone\r\n"
			      "Call-ID: %.*s\r\nCSeq: %u NOTIFY\r\n%sContent-Length: 0\r\n\r\n",
			      status, (int)m->via.text.length, m->via.text.data,
			      (int)m->from.text.length, m->from.text.data, (int)m->to.text.length,
			      m->to.text.data, (int)m->call_id.length, m->call_id.data,
			      m->cseq.number, headers);

	b->packet.source = from;
	bench_receive(b, span_make(text, (size_t)length));
}

#endif

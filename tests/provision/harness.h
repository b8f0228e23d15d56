/* SPDX-License-Identifier: MIT */
/*
 * Signalling on a bench: a real inventory, a real policy, virtual time, and effects that are looked
 * at instead of sent. The server is 10.13.4.121, port 5060, as in the manual's exchange.
 */
#ifndef BELLHOP_TESTS_PROVISION_HARNESS_H
#define BELLHOP_TESTS_PROVISION_HARNESS_H

#include "core/fleet/inventory.h"
#include "core/provision/signalling.h"
#include "core/sip/message.h"
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct bench {
	struct inventory inventory;
	struct policy policy;
	struct signalling_options options;
	struct signalling *signalling;
	struct effects effects;
	uint64_t now_ms;
	struct span url;
	struct packet packet; /* what the next datagram is made of */
};

static const struct address bench_server = {4, {10, 13, 4, 121}};
static const struct address bench_phone = {4, {10, 13, 2, 37}};
static const struct address bench_group = {4, {224, 0, 1, 75}};
static const struct mac bench_mac = {{0x00, 0x90, 0x8f, 0x12, 0x34, 0x56}};

static inline void bench_server_for(void *context, const struct device *device,
				    struct address local, struct config_server *server)
{
	struct bench *b = context;

	(void)device;
	*server = (struct config_server){.address = local,
					 .http_port = 8080,
					 .tftp_port = 69,
					 .sip_port = 5060,
					 .url = b->url};
}

static inline struct span bench_interface_name(void *context, uint32_t interface)
{
	(void)context;
	return interface == 3 ? SPAN("eth1") : SPAN("eth0");
}

/* Puts one change into the inventory; ends the program when it is not taken. */
static inline void bench_change(struct bench *b, const struct change *change)
{
	struct prepared prepared;
	char problem[256] = "";
	int error = inventory_prepare(&b->inventory, change, &prepared, problem, sizeof(problem));

	if (error) {
		printf("Bail out! inventory: %s\n", problem);
		exit(1);
	}
	inventory_commit(&b->inventory, &prepared);
}

static inline void bench_claim(struct bench *b, struct mac mac)
{
	bench_change(b, &(struct change){.kind = CHANGE_DEVICE_CLAIM, .mac = mac});
}

static inline void bench_set_form(struct bench *b, struct mac mac, enum notify_form form)
{
	bench_change(b, &(struct change){.kind = CHANGE_DEVICE_SET,
					 .fields = FIELD_FORM,
					 .mac = mac,
					 .form = form});
}

/* ADDRESS_NONE takes the binding away. */
static inline void bench_bind(struct bench *b, struct mac mac, struct address address)
{
	bench_change(b, &(struct change){.kind = CHANGE_DEVICE_SET,
					 .fields = FIELD_BOUND_ADDRESS,
					 .mac = mac,
					 .bound_address = address});
}

static inline void bench_inventory(struct bench *b)
{
	static const uint8_t seed[random_seed_size] = {7};
	struct inventory_limits limits = {.devices_max = 64,
					  .new_devices_max = 16,
					  .profiles_max = 8,
					  .files_max = 8,
					  .forms_max = 8};

	if (inventory_init(&b->inventory, &limits, seed) != 0) {
		abort();
	}
}

static inline void bench_open_with(struct bench *b, size_t count_max, size_t effects_max)
{
	memset(b, 0, sizeof(*b));
	bench_inventory(b);
	b->policy = (struct policy){.unknown = UNKNOWN_LIST,
				    .access_by_key = true,
				    .access_by_neighbour = true};
	b->url = SPAN("tftp://%{address}");
	b->options = (struct signalling_options){
		.inventory = &b->inventory,
		.policy = &b->policy,
		.group = {bench_group, 5060},
		.port = 5060,
		.server_for = bench_server_for,
		.interface_name = bench_interface_name,
		.context = b,
		.server_transactions_max = count_max,
		.client_transactions_max = count_max,
		.waiting_max = count_max,
		.seed = {1, 2, 3},
	};
	b->now_ms = 1000000;
	b->packet = (struct packet){.source = {bench_phone, 5060},
				    .target = {bench_group, 5060},
				    .local = bench_server,
				    .interface = 2,
				    .is_multicast = true,
				    .has_link_source = true,
				    .link_source = bench_mac};
	if (signalling_new(&b->signalling, &b->options) != 0 ||
	    effects_init(&b->effects, effects_max, 1 << 20) != 0) {
		abort();
	}
}

static inline void bench_open(struct bench *b)
{
	bench_open_with(b, 64, 64);
}

static inline void bench_close(struct bench *b)
{
	signalling_free(b->signalling);
	effects_free(&b->effects);
	inventory_free(&b->inventory);
}

/* From now on datagrams come to our own address instead of the group. */
static inline void bench_unicast(struct bench *b)
{
	b->packet.is_multicast = false;
	b->packet.target = (struct endpoint){bench_server, 5060};
}

/* One datagram; the effects of it alone are there afterwards. */
static inline int bench_receive(struct bench *b, struct span bytes)
{
	b->packet.bytes = bytes;
	effects_reset(&b->effects);
	return signalling_receive(b->signalling, &b->packet, b->now_ms, &b->effects);
}

static inline int bench_notice(struct bench *b, struct notice notice)
{
	effects_reset(&b->effects);
	return signalling_change(b->signalling, &notice, b->now_ms, &b->effects);
}

static inline void bench_expire(struct bench *b, uint64_t now_ms)
{
	b->now_ms = now_ms;
	effects_reset(&b->effects);
	signalling_expire(b->signalling, now_ms, &b->effects);
}

/* The i-th SEND of the last call, or NULL. */
static inline const struct effect_send *bench_sent(const struct bench *b, size_t i)
{
	for (size_t j = 0; j < b->effects.count; j++) {
		if (b->effects.items[j].kind == EFFECT_SEND && i-- == 0) {
			return &b->effects.items[j].send;
		}
	}
	return NULL;
}

static inline size_t bench_count_kind(const struct bench *b, enum effect_kind kind)
{
	size_t count = 0;

	for (size_t j = 0; j < b->effects.count; j++) {
		count += b->effects.items[j].kind == kind;
	}
	return count;
}

static inline bool bench_reported(const struct bench *b, const char *reason)
{
	for (size_t j = 0; j < b->effects.count; j++) {
		if (b->effects.items[j].kind == EFFECT_REPORT &&
		    strcmp(b->effects.items[j].report.reason, reason) == 0) {
			return true;
		}
	}
	return false;
}

static inline const struct change *bench_changed(const struct bench *b, enum change_kind kind)
{
	for (size_t j = 0; j < b->effects.count; j++) {
		if (b->effects.items[j].kind == EFFECT_CHANGE &&
		    b->effects.items[j].change->kind == kind) {
			return b->effects.items[j].change;
		}
	}
	return NULL;
}

static inline uint64_t bench_counted(const struct bench *b, const char *reason)
{
	const struct signalling_counter *c;

	for (size_t i = 0; (c = signalling_counter(b->signalling, i)); i++) {
		if (strcmp(c->reason, reason) == 0) {
			return c->count;
		}
	}
	return 0;
}

/* The status of the i-th SEND when it is a response, 1 when it is a request, 0 when there is none.
 */
static inline unsigned bench_status(const struct bench *b, size_t i)
{
	static struct sip_message message;
	const struct effect_send *sent = bench_sent(b, i);

	/* What a 400 repeats of a broken request stays broken: its status is read all the same. */
	if (!sent || sip_message_parse(&message, sent->bytes) == -ENOMSG) {
		return 0;
	}
	return message.is_request ? 1 : message.status;
}

/* 200 and NOTIFY, and nothing else, went to where the datagram came from. */
static inline bool bench_is_served(const struct bench *b)
{
	return bench_count_kind(b, EFFECT_SEND) == 2 && bench_status(b, 0) == 200 &&
	       bench_status(b, 1) == 1 && endpoint_equal(bench_sent(b, 0)->to, b->packet.source) &&
	       endpoint_equal(bench_sent(b, 1)->to, b->packet.source);
}

static inline bool bench_is_silent(const struct bench *b)
{
	return bench_count_kind(b, EFFECT_SEND) == 0;
}

/* Replaces the first `from` in a text; returns false when it is not there or there is no room. */
static inline bool bench_replace(char *text, size_t size, const char *from, const char *to)
{
	char *at = strstr(text, from);
	size_t from_length = strlen(from);
	size_t to_length = strlen(to);

	if (!at || strlen(text) - from_length + to_length >= size) {
		return false;
	}
	memmove(at + to_length, at + from_length, strlen(at + from_length) + 1);
	memcpy(at, to, to_length);
	return true;
}

static inline struct span bench_read_file(const char *directory, const char *name, char *buffer,
					  size_t size)
{
	char path[2048];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file) {
		return span_make(NULL, 0);
	}
	length = fread(buffer, 1, size - 1, file);
	buffer[length] = '\0';
	fclose(file);
	return span_make(buffer, length);
}

/* The manual's SUBSCRIBE (dialects.md A.1), 579 octets. */
static const char bench_seed[] =
	"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
	"From: <sip:00000001@10.13.2.37:5060>;"
	"tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398\r\n"
	"To: <sip:224.0.1.75:5060>\r\n"
	"Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398\r\n"
	"CSeq: 1 SUBSCRIBE\r\n"
	"Via: SIP/2.0/UDP 10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e\r\n"
	"Expires: 0\r\n"
	"Event: ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n"
	"Max-Forwards: 70\r\n"
	"Supported: replaces,100rel\r\n"
	"Accept: application/url\r\n"
	"Contact: <sip:00000001@10.13.2.37:5060>\r\n"
	"User-Agent: AUDC-IPPhone/2.2.2\r\n"
	"Content-Length: 0\r\n"
	"\r\n";

/* The seed with its first `from` replaced. Overwrites the one before. */
static inline struct span bench_seed_with(const char *from, const char *to)
{
	static char text[8192];

	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), from, to));
	return span_text(text);
}

/* The seed as another call: its own Call-ID and branch. Overwrites the one before. */
static inline struct span bench_seed_numbered(unsigned number)
{
	static char text[1024];
	char id[64];

	snprintf(id, sizeof(id), "Call-ID: n%u", number);
	memcpy(text, bench_seed, sizeof(bench_seed));
	CHECK(bench_replace(text, sizeof(text), "Call-ID: 8", id));
	snprintf(id, sizeof(id), "branch=z9hG4bKn%u", number);
	CHECK(bench_replace(text, sizeof(text), "branch=z9hG4bK", id));
	return span_text(text);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A whole datagram into signalling, as it comes from the network: by unicast, by multicast, from a
 * phone whose neighbour must be resolved first, then as a response. Afterwards time passes, and a
 * valid SUBSCRIBE of another phone must be served: no input may stop that (security.md 3.7).
 */
#include "tests/provision/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bench bench;

static const struct mac alive_mac = {{0x00, 0x90, 0x8f, 0xff, 0xff, 0x01}};
static const struct address alive_phone = {4, {192, 0, 2, 99}};

static void check(bool is_right)
{
	if (!is_right) {
		abort();
	}
}

/* Never a 200 to a SUBSCRIBE without its NOTIFY, and nothing to anybody but the source. */
static void check_effects(void)
{
	size_t count = bench_count_kind(&bench, EFFECT_SEND);

	for (size_t i = 0; i < count; i++) {
		check(endpoint_equal(bench_sent(&bench, i)->to, bench.packet.source));
		check(bench_status(&bench, i) != 0);
	}
	check(count <= 2);
	check(count != 2 || bench_is_served(&bench));
	check(!bench.packet.is_multicast || count != 1 || bench_status(&bench, 0) == 200);
}

static void receive(struct span bytes)
{
	bench_receive(&bench, bytes);
	check_effects();
	/* A copy in the same moment changes nothing for anybody. */
	bench_receive(&bench, bytes);
	check(bench_count_kind(&bench, EFFECT_SEND) <= 1);
}

static void receive_each_way(struct span bytes)
{
	bench_unicast(&bench);
	receive(bytes);
	bench_expire(&bench, bench.now_ms + 40000);
	bench.packet.is_multicast = true;
	bench.packet.target = (struct endpoint){bench_group, 5060};
	receive(bytes);
	bench_expire(&bench, bench.now_ms + 40000);
	bench.packet.has_link_source = false;
	receive(bytes);
	bench_notice(&bench, (struct notice){.kind = NOTICE_NEIGHBOUR,
					     .endpoint = {bench_phone, 0},
					     .mac = bench_mac,
					     .by = IDENTIFIED_BY_NEIGHBOUR});
	check_effects();
	bench_expire(&bench, bench.now_ms + 40000);
}

static void check_alive(void)
{
	static char text[2048];

	memcpy(text, bench_seed, sizeof(bench_seed));
	check(bench_replace(text, sizeof(text), "Contact: <sip:00000001@10.13.2.37",
			    "Contact: <sip:00000001@192.0.2.99"));
	bench.packet.source = (struct endpoint){alive_phone, 5060};
	bench.packet.link_source = alive_mac;
	bench.packet.has_link_source = true;
	check(bench_receive(&bench, span_text(text)) == 0);
	check(bench_is_served(&bench));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make((const char *)data, size);

	bench_open_with(&bench, 4, 16);
	bench.options.other_form_ms = 1500;
	signalling_free(bench.signalling);
	check(signalling_new(&bench.signalling, &bench.options) == 0);
	bench_claim(&bench, bench_mac);
	bench_claim(&bench, alive_mac);
	if (size > 0 && data[size - 1] % 2 == 1) {
		bench_set_form(&bench, bench_mac, FORM_PRINT);
	}
	receive_each_way(bytes);
	check_alive();
	bench_close(&bench);
	return 0;
}

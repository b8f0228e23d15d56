/* SPDX-License-Identifier: MIT */
/*
 * The canary on a bench: two roads, an inventory with as many makers as are asked for, virtual
 * time.
 */
#ifndef BELLHOP_TESTS_PROVISION_CANARY_BENCH_H
#define BELLHOP_TESTS_PROVISION_CANARY_BENCH_H

#include "core/provision/canary.h"
#include "tests/provision/harness.h"

enum { canary_bench_interval_ms = 60000 };

struct canary_bench {
	struct bench bench; /* its inventory and effects */
	struct canary *canary;
	size_t road_count;
};

static inline bool canary_bench_road(void *context, size_t i, struct canary_road *road)
{
	const struct canary_bench *b = context;

	if (i >= b->road_count) {
		return false;
	}
	*road = (struct canary_road){
		.interface = 2 + (uint32_t)i,
		.local = {address_ipv4(10, 13, (uint8_t)(4 + i), 121), 40000},
	};
	return true;
}

struct canary_bench_maker {
	const char *name;
	size_t number; /* the last digit of its OUI, because no two may have the same */
};

/* A pack that has no more than a maker's name and OUI. */
static inline int canary_bench_pack(void *context, struct span name, struct arena *arena,
				    struct span *bytes)
{
	const struct canary_bench_maker *maker = context;
	char text[512];
	int length = snprintf(text, sizeof(text),
			      "{\"schema\":1,\"name\":\"%s\",\"display_name\":\"X\","
			      "\"recognise\":{\"oui\":[\"000413%zx\"]},"
			      "\"files\":[{\"name\":\"<mac>.cfg\",\"kind\":\"stored\"}],"
			      "\"answer\":{\"form\":\"rfc\"}}",
			      maker->name, maker->number);

	if (!span_equal(name, SPAN("pack.json"))) {
		return -ENOENT;
	}
	*bytes = arena_copy(arena, span_make(text, (size_t)length));
	return bytes->data ? 0 : -ENOMEM;
}

static inline void canary_bench_add_maker(struct canary_bench *b, const char *maker)
{
	struct canary_bench_maker made = {maker, 2 + b->bench.inventory.vendors.count};
	struct vendor_pack *pack;
	char problem[256] = "";

	if (vendor_pack_load(&pack, canary_bench_pack, &made, problem, sizeof(problem)) != 0 ||
	    vendors_add(&b->bench.inventory.vendors, pack) != 0) {
		printf("Bail out! %s\n", problem);
		exit(1);
	}
}

static inline void canary_bench_open(struct canary_bench *b)
{
	struct canary_options options = {
		.inventory = &b->bench.inventory,
		.group = {bench_group, 5060},
		.interval_ms = canary_bench_interval_ms,
		.road_at = canary_bench_road,
		.interface_name = bench_interface_name,
		.context = b,
		.seed = {4, 2},
	};

	bench_open(&b->bench);
	b->road_count = 1;
	if (canary_new(&b->canary, &options, b->bench.now_ms) != 0) {
		abort();
	}
}

static inline void canary_bench_close(struct canary_bench *b)
{
	canary_free(b->canary);
	bench_close(&b->bench);
}

/* Time passes until the next thing is due; its effects alone are there afterwards. */
static inline void canary_bench_wake(struct canary_bench *b)
{
	b->bench.now_ms = canary_next_wake(b->canary);
	effects_reset(&b->bench.effects);
	canary_expire(b->canary, b->bench.now_ms, &b->bench.effects);
}

static inline void canary_bench_receive(struct canary_bench *b, struct address from,
					struct span bytes)
{
	struct packet packet = {.bytes = bytes,
				.source = {from, 5060},
				.target = {bench_server, 40000},
				.local = bench_server,
				.interface = 2};

	effects_reset(&b->bench.effects);
	canary_receive(b->canary, &packet, b->bench.now_ms, &b->bench.effects);
}

#endif

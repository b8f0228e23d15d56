/* SPDX-License-Identifier: MIT */
/*
 * Memory that ends: the whole exchange with allocation number n failing, for n = 1, 2, 3 … until
 * none fails any more (security.md 3.4). Nobody crashes, nothing leaks, there is never a 200
 * without its NOTIFY, and whoever asks again afterwards is served.
 */
#include "tests/provision/harness.h"
#include "tests/test.h"

#include <errno.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned long failing_at; /* 0: none fails */
static unsigned long allocations;
static bool has_failed;

static bool fails_now(void)
{
	allocations++;
	has_failed |= failing_at == allocations;
	return failing_at == allocations;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

static struct bench bench;

static bool is_both_or_none(void)
{
	size_t count = bench_count_kind(&bench, EFFECT_SEND);

	return count == 0 || (count == 2 && bench_is_served(&bench));
}

static void check_result(int error)
{
	CHECK(error == 0 || error == -ENOMEM);
	CHECK(is_both_or_none());
}

/* Resolving, 200 and NOTIFY, a copy, the ends of all timers. */
static void exchange(void)
{
	bench.packet.has_link_source = false;
	check_result(bench_receive(&bench, span_text(bench_seed)));
	check_result(bench_notice(&bench, (struct notice){.kind = NOTICE_NEIGHBOUR,
							  .endpoint = {bench_phone, 0},
							  .mac = bench_mac,
							  .by = IDENTIFIED_BY_NEIGHBOUR}));
	bench.packet.has_link_source = true;
	bench_receive(&bench, span_text(bench_seed));
	CHECK(bench_count_kind(&bench, EFFECT_SEND) == 1 || is_both_or_none());
	bench_expire(&bench, bench.now_ms + 500);
}

static void one_allocation_fails(unsigned long number)
{
	struct signalling *fresh = NULL;
	int error;

	bench_open(&bench);
	bench_claim(&bench, bench_mac);
	bench.options.other_form_ms = 1500;
	signalling_free(bench.signalling);
	CHECK_EQUAL(0, signalling_new(&bench.signalling, &bench.options));
	has_failed = false;
	allocations = 0;
	failing_at = number;
	error = signalling_new(&fresh, &bench.options);
	CHECK(error == 0 || error == -ENOMEM);
	CHECK((error == 0) == (fresh != NULL));
	signalling_free(fresh);
	exchange();
	failing_at = 0;
	/* The transactions of a failed exchange are over, or are copies that get their 200. */
	bench_expire(&bench, bench.now_ms + 64000);
	bench_expire(&bench, bench.now_ms + 64000);
	CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
	CHECK(bench_is_served(&bench));
	bench_close(&bench);
}

static void every_allocation_may_fail(void)
{
	unsigned long number = 0;

	do {
		one_allocation_fails(++number);
	} while (has_failed && number < 1000);
	printf("# %lu allocations failed one by one\n", number - 1);
	CHECK(number > 17);
	CHECK(number < 1000);
}

int main(void)
{
	RUN(every_allocation_may_fail);
	return test_end();
}

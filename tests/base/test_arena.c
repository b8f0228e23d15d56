/* SPDX-License-Identifier: MIT */
#include "core/base/arena.h"

#include "tests/test.h"

#include <stdalign.h>

static void gives_zeroed_aligned_memory(void)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t size = 0; size < 300; size++) {
		unsigned char *place = arena_allocate(&arena, size);

		REQUIRE(place);
		CHECK_EQUAL(0, (uintptr_t)place % alignof(max_align_t));
		for (size_t i = 0; i < size; i++) {
			CHECK_EQUAL(0, place[i]);
			place[i] = 0xff;
		}
	}
	arena_free(&arena);
	CHECK_EQUAL(0, arena.bytes_used);
}

static void ends_at_its_ceiling(void)
{
	struct arena arena;
	size_t given = 0;

	arena_init(&arena, 100000);
	while (arena_allocate(&arena, 1000)) {
		given += 1000;
		REQUIRE(given <= 100000);
	}
	CHECK(given > 80000);
	CHECK(arena.bytes_used <= 100000);
	CHECK(!arena_allocate(&arena, SIZE_MAX));
	CHECK(!arena_array(&arena, SIZE_MAX / 2, 3));
	arena_reset(&arena);
	CHECK(arena_allocate(&arena, 1000));
	arena_free(&arena);
	arena_init(&arena, 0);
	CHECK(!arena_allocate(&arena, 1));
}

static void copies_with_a_nul_behind(void)
{
	struct arena arena;
	struct span copy;
	uint64_t *number;

	arena_init(&arena, 1 << 16);
	copy = arena_copy(&arena, SPAN("abc"));
	CHECK_TEXT("abc", copy);
	CHECK_EQUAL('\0', copy.data[3]);
	copy = arena_copy(&arena, (struct span){0});
	CHECK(copy.data && copy.length == 0);
	number = arena_duplicate(&arena, &(uint64_t){42}, sizeof(*number));
	REQUIRE(number);
	CHECK_EQUAL(0, (uintptr_t)number % alignof(max_align_t));
	CHECK_EQUAL(42, *number);
	arena_free(&arena);
}

/* What a reset keeps is one chunk, whatever was used before. */
static void reset_keeps_one_chunk(void)
{
	struct arena arena;

	arena_init(&arena, 10 << 20);
	for (int i = 0; i < 1000; i++) {
		REQUIRE(arena_allocate(&arena, 5000));
	}
	arena_reset(&arena);
	CHECK(arena.bytes_used < 10000);
	arena_free(&arena);
}

int main(void)
{
	RUN(gives_zeroed_aligned_memory);
	RUN(ends_at_its_ceiling);
	RUN(copies_with_a_nul_behind);
	RUN(reset_keeps_one_chunk);
	return test_end();
}

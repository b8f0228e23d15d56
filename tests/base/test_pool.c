/* SPDX-License-Identifier: MIT */
#include "core/base/pool.h"

#include "tests/test.h"

#include <stdalign.h>

enum { block_count = 1000 };

static void *blocks[block_count];

static void take_all(struct pool *pool)
{
	for (size_t i = 0; i < block_count; i++) {
		blocks[i] = pool_take(pool);
		REQUIRE(blocks[i]);
		memset(blocks[i], (int)i, 40);
	}
}

static void gives_aligned_blocks_apart(void)
{
	struct pool pool;

	pool_init(&pool, 40);
	take_all(&pool);
	CHECK_EQUAL(block_count, pool.used);
	for (size_t i = 0; i < block_count; i++) {
		const unsigned char *octets = blocks[i];

		CHECK_EQUAL(0, (uintptr_t)octets % alignof(max_align_t));
		CHECK_EQUAL((unsigned char)i, octets[0]);
		CHECK_EQUAL((unsigned char)i, octets[39]);
		pool_give(&pool, blocks[i]);
	}
	pool_give(&pool, NULL);
	CHECK_EQUAL(0, pool.used);
	pool_free(&pool);
}

/* What is given back in between is taken again, and every block is somebody's once. */
static void takes_again_what_was_given_back(void)
{
	struct pool pool;

	pool_init(&pool, 40);
	take_all(&pool);
	for (size_t i = 0; i < block_count; i += 2) {
		pool_give(&pool, blocks[i]);
	}
	CHECK_EQUAL(block_count / 2, pool.used);
	for (size_t i = 0; i < block_count; i += 2) {
		blocks[i] = pool_take(&pool);
		REQUIRE(blocks[i]);
		memset(blocks[i], (int)i, 40);
	}
	for (size_t i = 0; i < block_count; i++) {
		CHECK_EQUAL((unsigned char)i, *(const unsigned char *)blocks[i]);
		pool_give(&pool, blocks[i]);
	}
	/* Empty, it begins anew. */
	take_all(&pool);
	for (size_t i = 0; i < block_count; i++) {
		CHECK_EQUAL((unsigned char)i, *(const unsigned char *)blocks[i]);
		pool_give(&pool, blocks[i]);
	}
	pool_free(&pool);
	CHECK_EQUAL(0, pool.used);
}

int main(void)
{
	RUN(gives_aligned_blocks_apart);
	RUN(takes_again_what_was_given_back);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/base/pool.h"

#include <stdalign.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#endif

enum { chunk_blocks = 64 };

struct pool_block {
	struct pool_block *next;
};

struct pool_chunk {
	struct pool_chunk *next;
	alignas(max_align_t) char bytes[];
};

void pool_init(struct pool *pool, size_t block_size)
{
	const size_t unit = alignof(max_align_t);

	*pool = (struct pool){.block_size = (block_size + unit - 1) / unit * unit};
}

#ifdef WATCHED
/* An allocation each, so that the sanitizer sees the use of a block that was given back. */
void *pool_take(struct pool *pool)
{
	void *block = malloc(pool->block_size);

	pool->used += block != NULL;
	return block;
}

void pool_give(struct pool *pool, void *block)
{
	pool->used -= block != NULL;
	free(block);
}

void pool_free(struct pool *pool)
{
	pool_init(pool, pool->block_size);
}
#else
static void free_chunks(struct pool_chunk *chunk)
{
	while (chunk) {
		struct pool_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

static int grow(struct pool *pool)
{
	struct pool_chunk *chunk = malloc(sizeof(*chunk) + chunk_blocks * pool->block_size);

	if (!chunk) {
		return -1;
	}
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->fresh = chunk_blocks;
	return 0;
}

void *pool_take(struct pool *pool)
{
	struct pool_block *block = pool->free;

	if (block) {
		pool->free = block->next;
		pool->used++;
		return block;
	}
	if (pool->fresh == 0 && grow(pool) != 0) {
		return NULL;
	}
	pool->used++;
	return pool->chunks->bytes + (chunk_blocks - pool->fresh--) * pool->block_size;
}

void pool_give(struct pool *pool, void *place)
{
	struct pool_block *block = place;

	if (!block) {
		return;
	}
	block->next = pool->free;
	pool->free = block;
	if (--pool->used == 0) {
		free_chunks(pool->chunks->next);
		pool->chunks->next = NULL;
		pool->free = NULL;
		pool->fresh = chunk_blocks;
	}
}

void pool_free(struct pool *pool)
{
	free_chunks(pool->chunks);
	pool_init(pool, pool->block_size);
}
#endif

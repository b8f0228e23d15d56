/* SPDX-License-Identifier: MIT */
/*
 * Memory for entries of one size that come and go: a block that was given back is the next one
 * taken, so that what lives shortly stays in the processor's cache and costs no allocation. The
 * bound is the caller's: whoever takes a block has room for it in a table.
 */
#ifndef BELLHOP_CORE_BASE_POOL_H
#define BELLHOP_CORE_BASE_POOL_H

#include <stddef.h>

struct pool_block;
struct pool_chunk;

struct pool {
	size_t block_size;
	size_t used;		   /* blocks taken */
	struct pool_block *free;   /* given back, the last one first */
	struct pool_chunk *chunks; /* all memory; the newest first */
	size_t fresh;		   /* blocks of the newest chunk that nobody has had yet */
};

/* An empty pool of blocks of `block_size` bytes; allocates nothing yet. */
void pool_init(struct pool *pool, size_t block_size);

/* A block aligned for any type, not cleared; NULL when memory is gone. */
void *pool_take(struct pool *pool);

/*
 * Gives a block back; NULL is nothing. When it was the last one in use all memory but one chunk
 * goes back too.
 */
void pool_give(struct pool *pool, void *block);

/* Frees all memory; every block has been given back. The pool may be used again. */
void pool_free(struct pool *pool);

#endif

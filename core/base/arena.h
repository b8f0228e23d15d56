/* SPDX-License-Identifier: MIT */
/*
 * Memory for one event: many small allocations, freed together. An arena has a ceiling, so that no
 * input makes it grow without bound. What it gave stays valid until arena_reset or arena_free.
 */
#ifndef BELLHOP_CORE_BASE_ARENA_H
#define BELLHOP_CORE_BASE_ARENA_H

#include "core/base/span.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* the newest; each knows the one before */
	size_t bytes_used;	   /* of all chunks, what chunks cost included */
	size_t bytes_max;
	struct arena_chunk *spare; /* kept by arena_reset, not counted in bytes_used */
	size_t spare_count;
};

/* An empty arena that will hold at most `bytes_max`; allocates nothing yet. */
void arena_init(struct arena *arena, size_t bytes_max);

/* `size` bytes, zeroed, aligned for any type; NULL at the ceiling or when memory is gone. */
void *arena_allocate(struct arena *arena, size_t size);

/* `count` × `size`, with the multiplication checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of the bytes, followed by a NUL that the span does not count; data is NULL on failure. */
struct span arena_copy(struct arena *arena, struct span bytes);

/* A copy of an object of `size` bytes, aligned for any type; NULL on failure. */
void *arena_duplicate(struct arena *arena, const void *object, size_t size);

/* Forgets everything; keeps at most 256 KiB for the next event. */
void arena_reset(struct arena *arena);

/* Gives all memory back; the arena may be used again. */
void arena_free(struct arena *arena);

#endif

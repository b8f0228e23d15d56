/* SPDX-License-Identifier: MIT */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

struct arena_chunk {
	struct arena_chunk *previous;
	size_t size; /* of bytes[] */
	size_t used;
	alignas(max_align_t) char bytes[];
};

enum {
	chunk_bytes_min = 8192 - sizeof(struct arena_chunk),
	/* Each chunk is twice the one before, up to this: the largest that a reset keeps. */
	chunk_bytes_kept_max = (256 << 10) - sizeof(struct arena_chunk),
};

void arena_init(struct arena *arena, size_t bytes_max)
{
	*arena = (struct arena){.bytes_max = bytes_max};
}

static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
	size_t room = arena->bytes_max - arena->bytes_used;
	size_t wanted = arena->chunk ? 2 * arena->chunk->size : chunk_bytes_min;
	struct arena_chunk *chunk;

	if (room < sizeof(*chunk) || size > room - sizeof(*chunk)) {
		return NULL;
	}
	wanted = wanted > chunk_bytes_kept_max ? chunk_bytes_kept_max : wanted;
	wanted = wanted > room - sizeof(*chunk) ? room - sizeof(*chunk) : wanted;
	size = size < wanted ? wanted : size;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk) {
		return NULL;
	}
	*chunk = (struct arena_chunk){.previous = arena->chunk, .size = size};
	arena->chunk = chunk;
	arena->bytes_used += sizeof(*chunk) + size;
	return chunk;
}

/* Not cleared; NULL at the ceiling or when memory is gone. */
static void *take(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunk;
	size_t step = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	void *place;

	if (step < size) {
		return NULL;
	}
	if (step == 0) {
		step = alignof(max_align_t);
	}
	if (!chunk || step > chunk->size - chunk->used) {
		chunk = chunk_add(arena, step);
		if (!chunk) {
			return NULL;
		}
	}
	place = chunk->bytes + chunk->used;
	chunk->used += step;
	return place;
}

void *arena_allocate(struct arena *arena, size_t size)
{
	void *place = take(arena, size);

	return place ? memset(place, 0, size) : NULL;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size) {
		return NULL;
	}
	return arena_allocate(arena, count * size);
}

struct span arena_copy(struct arena *arena, struct span bytes)
{
	char *copy = bytes.length < SIZE_MAX ? take(arena, bytes.length + 1) : NULL;

	if (!copy) {
		return (struct span){0};
	}
	if (bytes.length > 0) {
		memcpy(copy, bytes.data, bytes.length);
	}
	copy[bytes.length] = '\0';
	return span_make(copy, bytes.length);
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunk;
	struct arena_chunk *kept = NULL;

	while (chunk) {
		struct arena_chunk *previous = chunk->previous;
		struct arena_chunk *smaller = chunk;

		if (chunk->size <= chunk_bytes_kept_max && (!kept || chunk->size > kept->size)) {
			smaller = kept;
			kept = chunk;
		}
		free(smaller);
		chunk = previous;
	}
	arena->chunk = kept;
	arena->bytes_used = 0;
	if (kept) {
		kept->previous = NULL;
		kept->used = 0;
		arena->bytes_used = sizeof(*kept) + kept->size;
	}
}

void arena_free(struct arena *arena)
{
	while (arena->chunk) {
		struct arena_chunk *chunk = arena->chunk;

		arena->chunk = chunk->previous;
		free(chunk);
	}
	arena->bytes_used = 0;
}

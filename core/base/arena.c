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

enum { chunk_bytes_min = 8192 - sizeof(struct arena_chunk) };

void arena_init(struct arena *arena, size_t bytes_max)
{
	*arena = (struct arena){.bytes_max = bytes_max};
}

static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
	size_t room = arena->bytes_max - arena->bytes_used;
	struct arena_chunk *chunk;

	if (room < sizeof(*chunk) || size > room - sizeof(*chunk)) {
		return NULL;
	}
	if (size < chunk_bytes_min && chunk_bytes_min <= room - sizeof(*chunk)) {
		size = chunk_bytes_min;
	}
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk) {
		return NULL;
	}
	*chunk = (struct arena_chunk){.previous = arena->chunk, .size = size};
	arena->chunk = chunk;
	arena->bytes_used += sizeof(*chunk) + size;
	return chunk;
}

void *arena_allocate(struct arena *arena, size_t size)
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
	return memset(place, 0, step);
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
	char *copy = bytes.length < SIZE_MAX ? arena_allocate(arena, bytes.length + 1) : NULL;

	if (!copy) {
		return (struct span){0};
	}
	if (bytes.length > 0) {
		memcpy(copy, bytes.data, bytes.length);
	}
	return span_make(copy, bytes.length);
}

static void free_down_to(struct arena *arena, struct arena_chunk *kept)
{
	while (arena->chunk != kept) {
		struct arena_chunk *chunk = arena->chunk;

		arena->chunk = chunk->previous;
		arena->bytes_used -= sizeof(*chunk) + chunk->size;
		free(chunk);
	}
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *oldest = arena->chunk;

	while (oldest && oldest->previous) {
		oldest = oldest->previous;
	}
	free_down_to(arena, oldest);
	if (oldest) {
		oldest->used = 0;
	}
}

void arena_free(struct arena *arena)
{
	free_down_to(arena, NULL);
}

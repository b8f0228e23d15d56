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
	spare_count_max = 31,
};

/* A chunk of the usual size, from those that a reset kept. */
static struct arena_chunk *spare_take(struct arena *arena)
{
	struct arena_chunk *chunk = arena->spare;

	if (chunk) {
		arena->spare = chunk->previous;
		arena->spare_count--;
	}
	return chunk;
}

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
	chunk = size == chunk_bytes_min ? spare_take(arena) : NULL;
	chunk = chunk ? chunk : malloc(sizeof(*chunk) + size);
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

void *arena_duplicate(struct arena *arena, const void *object, size_t size)
{
	void *copy = take(arena, size);

	return copy ? memcpy(copy, object, size) : NULL;
}

static void give_back(struct arena *arena, struct arena_chunk *chunk, bool is_kept)
{
	if (is_kept && chunk->size == chunk_bytes_min && arena->spare_count < spare_count_max) {
		chunk->previous = arena->spare;
		arena->spare = chunk;
		arena->spare_count++;
	} else {
		free(chunk);
	}
}

static void free_down_to(struct arena *arena, struct arena_chunk *kept, bool keeps_spares)
{
	while (arena->chunk != kept) {
		struct arena_chunk *chunk = arena->chunk;

		arena->chunk = chunk->previous;
		arena->bytes_used -= sizeof(*chunk) + chunk->size;
		give_back(arena, chunk, keeps_spares);
	}
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *oldest = arena->chunk;

	while (oldest && oldest->previous) {
		oldest = oldest->previous;
	}
	free_down_to(arena, oldest, true);
	if (oldest) {
		oldest->used = 0;
	}
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *spare;

	free_down_to(arena, NULL, false);
	while ((spare = spare_take(arena))) {
		free(spare);
	}
}

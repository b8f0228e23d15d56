/* SPDX-License-Identifier: MIT */
#include "core/tftp/blocks.h"

#include <errno.h>
#include <stdlib.h>

enum { numbers_without_0 = 65535 };

uint16_t tftp_block_number(uint64_t block, enum tftp_rollover rollover)
{
	if (rollover == TFTP_ROLLOVER_1 && block > 0) {
		return (uint16_t)((block - 1) % numbers_without_0 + 1);
	}
	return (uint16_t)block;
}

uint64_t tftp_block_from_number(uint16_t number, uint64_t first, enum tftp_rollover rollover)
{
	uint16_t of_first = tftp_block_number(first, rollover);

	if (rollover == TFTP_ROLLOVER_0 || first == 0) {
		return first + (uint16_t)(number - of_first);
	}
	if (number == 0) {
		return UINT64_MAX; /* OACK's, long past */
	}
	return first + (number + numbers_without_0 - of_first) % numbers_without_0;
}

static size_t stride(const struct tftp_blocks *b)
{
	return tftp_header_size + b->block_size;
}

static size_t slot_of(const struct tftp_blocks *b, uint64_t block)
{
	return (size_t)((block - 1) % b->capacity);
}

size_t tftp_blocks_size(size_t capacity, size_t block_size)
{
	return capacity * (tftp_header_size + block_size);
}

int tftp_blocks_open(struct tftp_blocks *blocks, size_t capacity, size_t block_size,
		     enum tftp_mode mode, enum tftp_rollover rollover)
{
	size_t size = tftp_blocks_size(capacity, block_size);
	char *ring = blocks->ring;

	if (size > blocks->ring_size) {
		free(ring);
		ring = malloc(size);
		if (!ring) {
			*blocks = (struct tftp_blocks){0};
			return -ENOMEM;
		}
		blocks->ring_size = size;
	}
	*blocks = (struct tftp_blocks){.ring = ring,
				       .ring_size = blocks->ring_size,
				       .capacity = capacity,
				       .block_size = block_size,
				       .mode = mode,
				       .rollover = rollover};
	return 0;
}

void tftp_blocks_free(struct tftp_blocks *blocks)
{
	free(blocks->ring);
	*blocks = (struct tftp_blocks){0};
}

static bool is_full(const struct tftp_blocks *b)
{
	return b->ready - b->acked == b->capacity;
}

size_t tftp_blocks_room(const struct tftp_blocks *blocks)
{
	size_t free_blocks = blocks->capacity - (size_t)(blocks->ready - blocks->acked);
	size_t octets = free_blocks * blocks->block_size - blocks->partial;

	/* The second octet of a pair that does not fit any more waits for its turn. */
	return blocks->mode == TFTP_NETASCII ? octets / 2 : octets;
}

/* The packet after `ready` is whole. */
static void finish_block(struct tftp_blocks *b)
{
	struct writer head;

	b->ready++;
	b->partial = 0;
	head = writer_over(b->ring + slot_of(b, b->ready) * stride(b), tftp_header_size);
	tftp_write_data(&head, tftp_block_number(b->ready, b->rollover), span_make(NULL, 0));
}

static void copy_octets(struct span *source, struct writer *w)
{
	struct span piece = span_slice(*source, 0, w->size - w->length);

	writer_put(w, piece);
	*source = span_slice(*source, piece.length, source->length);
}

size_t tftp_blocks_put(struct tftp_blocks *blocks, struct span source)
{
	struct span rest = source;

	while ((rest.length > 0 || blocks->netascii.has_second) && !is_full(blocks)) {
		char *slot = blocks->ring + slot_of(blocks, blocks->ready + 1) * stride(blocks);
		struct writer w = writer_over(slot + tftp_header_size, blocks->block_size);

		w.length = blocks->partial;
		if (blocks->mode == TFTP_NETASCII) {
			netascii_write(&blocks->netascii, &rest, &w);
		} else {
			copy_octets(&rest, &w);
		}
		blocks->partial = w.length;
		if (w.length == w.size) {
			finish_block(blocks);
		}
	}
	return source.length - rest.length;
}

bool tftp_blocks_end(struct tftp_blocks *blocks)
{
	if (blocks->is_ended) {
		return true;
	}
	tftp_blocks_put(blocks, span_make(NULL, 0)); /* what waits of a pair */
	if (is_full(blocks)) {
		return false;
	}
	blocks->last_length = blocks->partial;
	blocks->is_ended = true;
	finish_block(blocks);
	return true;
}

struct span tftp_blocks_run(const struct tftp_blocks *blocks, uint64_t first, uint64_t last,
			    size_t *packet_size, uint64_t *next)
{
	size_t slot = slot_of(blocks, first);
	uint64_t count = last - first + 1;
	size_t octets;

	if (count > blocks->capacity - slot) {
		count = blocks->capacity - slot;
	}
	octets = (size_t)count * stride(blocks);
	if (blocks->is_ended && first + count - 1 == blocks->ready) {
		octets -= blocks->block_size - blocks->last_length;
	}
	*packet_size = stride(blocks);
	*next = first + count;
	return span_make(blocks->ring + slot * stride(blocks), octets);
}

void tftp_blocks_ack(struct tftp_blocks *blocks, uint64_t block)
{
	blocks->acked = block;
}

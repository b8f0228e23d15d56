/* SPDX-License-Identifier: MIT */
/* The ring of DATA packets by itself: what goes in comes out, in order, however it is cut. */
#include "core/tftp/blocks.h"
#include "tests/test.h"

static void what_room_promises_is_kept(void)
{
	char newlines[200];

	memset(newlines, '\n', sizeof(newlines));
	for (size_t block_size = 8; block_size < 20; block_size++) {
		struct tftp_blocks b = {0};

		REQUIRE(tftp_blocks_open(&b, 3, block_size, TFTP_NETASCII, TFTP_ROLLOVER_0) == 0);
		for (size_t turn = 0; turn < 100; turn++) {
			size_t room = tftp_blocks_room(&b);

			/* Pieces of odd lengths leave the second octet of a pair for later. */
			room = room > turn % 7 ? room - turn % 7 : room;
			CHECK_EQUAL(room, tftp_blocks_put(&b, span_make(newlines, room)));
			CHECK(b.ready - b.acked <= 3);
			if (b.ready > b.acked && turn % 3 == 0) {
				tftp_blocks_ack(&b, b.ready);
			}
		}
		tftp_blocks_free(&b);
	}
}

/* Puts `text` in by pieces and reads it out by packets. */
static void check_passes(struct span text, size_t capacity, size_t block_size, size_t piece)
{
	struct tftp_blocks b = {0};
	char got[300];
	size_t length = 0;
	size_t at = 0;

	REQUIRE(tftp_blocks_open(&b, capacity, block_size, TFTP_OCTET, TFTP_ROLLOVER_0) == 0);
	for (int turn = 0; turn < 1000 && (!b.is_ended || b.acked < b.ready); turn++) {
		uint64_t next = b.acked + 1;

		at += tftp_blocks_put(&b, span_slice(text, at, at + piece));
		if (at == text.length) {
			tftp_blocks_end(&b);
		}
		if (next <= b.ready) {
			size_t packet_size;
			struct span run = tftp_blocks_run(&b, next, b.ready, &packet_size, &next);

			CHECK_EQUAL(block_size + tftp_header_size, packet_size);
			for (size_t i = 0; i < run.length; i += packet_size) {
				struct tftp_packet packet;

				REQUIRE(tftp_read(span_slice(run, i, i + packet_size), &packet) ==
					0);
				CHECK_EQUAL(++b.acked, packet.block);
				for (size_t j = 0; j < packet.data.length; j++) {
					got[length++] = packet.data.data[j];
				}
			}
			CHECK_EQUAL(next - 1, b.acked);
		}
	}
	CHECK_SPAN(text, span_make(got, length));
	CHECK_EQUAL(text.length / block_size + 1, b.ready);
	tftp_blocks_free(&b);
}

static void r_tftp_4_every_length_passes(void)
{
	char text[100];

	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (char)i;
	}
	for (size_t length = 0; length <= sizeof(text); length++) {
		for (size_t capacity = 1; capacity < 5; capacity++) {
			check_passes(span_make(text, length), capacity, 8, 3);
			check_passes(span_make(text, length), capacity, 9, 100);
		}
	}
}

static void memory_is_used_again(void)
{
	struct tftp_blocks b = {0};
	char *ring;

	REQUIRE(tftp_blocks_open(&b, 10, 512, TFTP_OCTET, TFTP_ROLLOVER_0) == 0);
	CHECK_EQUAL(tftp_blocks_size(10, 512), b.ring_size);
	ring = b.ring;
	tftp_blocks_put(&b, SPAN("left of the one before"));
	REQUIRE(tftp_blocks_open(&b, 3, 1000, TFTP_OCTET, TFTP_ROLLOVER_0) == 0);
	CHECK(b.ring == ring);
	CHECK_EQUAL(3000, tftp_blocks_room(&b));
	REQUIRE(tftp_blocks_open(&b, 10, 1000, TFTP_OCTET, TFTP_ROLLOVER_0) == 0);
	CHECK_EQUAL(tftp_blocks_size(10, 1000), b.ring_size);
	CHECK_EQUAL(10000, tftp_blocks_room(&b));
	tftp_blocks_free(&b);
}

int main(void)
{
	RUN(r_tftp_4_every_length_passes);
	RUN(what_room_promises_is_kept);
	RUN(memory_is_used_again);
	return test_end();
}

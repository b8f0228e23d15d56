/* SPDX-License-Identifier: MIT */
/* R-TFTP-14, R-TFTP-39, T6: files of more blocks than 16 bits count, and of more than 4 GiB. */
#include "tests/provision/transfer_world.h"

/* Octets [start, end) of the file came in one block; true when they are right. */
static bool is_right(const struct world *w, uint64_t start, struct span data)
{
	if (!w->is_stamped) {
		for (size_t i = 0; i < data.length; i++) {
			if (data.data[i] != world_octet(start + i)) {
				return false;
			}
		}
		return true;
	}
	/* Pieces are read at multiples of their size, and each starts with its offset. */
	for (uint64_t at =
		     (start + transfers_piece_max - 1) / transfers_piece_max * transfers_piece_max;
	     at + sizeof(at) <= start + data.length; at += transfers_piece_max) {
		if (memcmp(&at, data.data + (at - start), sizeof(at)) != 0) {
			return false;
		}
	}
	return true;
}

/*
 * Fetches the file as a client does that loses every thousandth of its ACKs. How many blocks came;
 * 0 when something was wrong.
 */
static uint64_t fetch(struct world *w, uint16_t block_size, uint16_t window_size)
{
	struct tftp_options asked = {.has_block_size = true,
				     .block_size = block_size,
				     .has_window_size = window_size > 1,
				     .window_size = window_size};
	uint64_t acked = 0;
	uint64_t turn = 0;

	world_request(w, "good", TFTP_OCTET, &asked);
	world_ack(w, 0);
	while (world_open_count(w) > 0) {
		if (w->sent_count == 0) {
			return 0;
		}
		for (size_t i = 0; i < w->sent_count; i++) {
			struct tftp_packet *sent = &w->sent[i];

			acked++;
			if (sent->block != tftp_block_number(acked, w->options.rollover) ||
			    !is_right(w, (acked - 1) * block_size, sent->data)) {
				printf("# block %" PRIu64 "\n", acked);
				return 0;
			}
		}
		if (++turn % 1000 == 0) {
			acked -= w->sent_count;
			world_wait(w, 1000);
			continue;
		}
		world_ack(w, tftp_block_number(acked, w->options.rollover));
	}
	return w->fetched == 1 ? acked : 0;
}

static void open_stored(struct world *w, uint64_t file_size, enum tftp_rollover rollover)
{
	*w = (struct world){.file_size = file_size, .is_stored = true, .path_octets = 65536};
	transfers_defaults(&w->options);
	w->options.transfers_max = 4;
	w->options.transfers_per_source_max = 4;
	w->options.rollover = rollover;
	world_open_with(w);
}

static void fetch_blocks(uint64_t block_count, enum tftp_rollover rollover, uint16_t window_size)
{
	struct world w;

	open_stored(&w, block_count * 8 - 3, rollover);
	CHECK_EQUAL(block_count, fetch(&w, 8, window_size));
	world_close(&w);
	/* The empty block at the end is on the edge itself. */
	open_stored(&w, (block_count - 1) * 8, rollover);
	CHECK_EQUAL(block_count, fetch(&w, 8, window_size));
	world_close(&w);
}

static void r_tftp_14_block_65535_is_followed_by_0(void)
{
	CHECK_EQUAL(65535, tftp_block_number(65535, TFTP_ROLLOVER_0));
	CHECK_EQUAL(0, tftp_block_number(65536, TFTP_ROLLOVER_0));
	CHECK_EQUAL(1, tftp_block_number(65537, TFTP_ROLLOVER_0));
	CHECK_EQUAL(0, tftp_block_number(131072, TFTP_ROLLOVER_0));
	fetch_blocks(66000, TFTP_ROLLOVER_0, 1);
}

static void r_tftp_14_or_by_1_where_that_is_configured(void)
{
	CHECK_EQUAL(0, tftp_block_number(0, TFTP_ROLLOVER_1));
	CHECK_EQUAL(65535, tftp_block_number(65535, TFTP_ROLLOVER_1));
	CHECK_EQUAL(1, tftp_block_number(65536, TFTP_ROLLOVER_1));
	CHECK_EQUAL(65535, tftp_block_number(131070, TFTP_ROLLOVER_1));
	CHECK_EQUAL(1, tftp_block_number(131071, TFTP_ROLLOVER_1));
	fetch_blocks(66000, TFTP_ROLLOVER_1, 1);
}

static void numbers_are_read_back(void)
{
	for (int rollover = 0; rollover < 2; rollover++) {
		for (uint64_t acked = 0; acked < 200000; acked += 61) {
			uint64_t block = acked + (acked * 7 + 3) % 65000;
			uint16_t number = tftp_block_number(block, (enum tftp_rollover)rollover);

			if (tftp_block_from_number(number, acked, (enum tftp_rollover)rollover) !=
			    block) {
				CHECK_EQUAL(block, acked);
			}
		}
	}
	/* With 1 after 65535 a 0 is the answer to OACK, and nothing after it. */
	CHECK_EQUAL(0, tftp_block_from_number(0, 0, TFTP_ROLLOVER_1));
	CHECK(tftp_block_from_number(0, 65535, TFTP_ROLLOVER_1) == UINT64_MAX);
	CHECK(tftp_block_from_number(0, 1, TFTP_ROLLOVER_1) == UINT64_MAX);
}

static void r_tftp_39_every_wrap_is_passed(void)
{
	static const uint64_t counts[] = {65535,  65536,  65537,  131070,
					  131071, 131072, 131073, 200000};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		fetch_blocks(counts[i], TFTP_ROLLOVER_0, 16);
		fetch_blocks(counts[i], TFTP_ROLLOVER_1, 16);
	}
	fetch_blocks(131073, TFTP_ROLLOVER_0, 1);
	fetch_blocks(131073, TFTP_ROLLOVER_1, 7);
}

static void r_tftp_39_more_than_4_gib(void)
{
	uint64_t size = (UINT64_C(1) << 32) + 5 * 65464 + 77;
	struct world w;

	open_stored(&w, size, TFTP_ROLLOVER_0);
	w.is_stamped = true;
	CHECK_EQUAL(size / 65464 + 1, fetch(&w, 65464, 2));
	world_close(&w);
}

int main(void)
{
	RUN(r_tftp_14_block_65535_is_followed_by_0);
	RUN(r_tftp_14_or_by_1_where_that_is_configured);
	RUN(numbers_are_read_back);
	RUN(r_tftp_39_every_wrap_is_passed);
	RUN(r_tftp_39_more_than_4_gib);
	return test_end();
}

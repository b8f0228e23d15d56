/* SPDX-License-Identifier: MIT */
/* The options of a request: what is granted, and how that is told (RFC 2347, 2348, 2349, 7440). */
#include "tests/provision/transfer_world.h"

static void r_tftp_16_oack_lists_what_was_asked_and_granted(void)
{
	static const struct tftp_options each[] = {
		{.has_block_size = true, .block_size = 1024},
		{.has_timeout = true, .timeout_s = 7},
		{.has_transfer_size = true},
		{.has_window_size = true, .window_size = 3},
	};

	for (size_t i = 0; i < 4; i++) {
		struct world w;

		world_open(&w, 5000, true);
		world_request(&w, "good", TFTP_OCTET, &each[i]);
		CHECK_EQUAL(1, w.sent_count);
		CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
		CHECK_EQUAL(i == 0, w.sent[0].options.has_block_size);
		CHECK_EQUAL(i == 1, w.sent[0].options.has_timeout);
		CHECK_EQUAL(i == 2, w.sent[0].options.has_transfer_size);
		CHECK_EQUAL(i == 3, w.sent[0].options.has_window_size);
		world_close(&w);
	}
}

static void r_tftp_17_with_nothing_granted_data_1_comes_at_once(void)
{
	static const struct span requests[] = {
		{"\0\1good\0octet\0utimeout\0"
		 "5\0",
		 24},
		{"\0\1good\0octet\0blksize\0"
		 "7\0windowsize\0"
		 "0\0timeout\0"
		 "0\0",
		 46},
		{"\0\1good\0octet\0multicast\0\0", 24}, /* R-TFTP-34 */
		{"\0\1good\0netascii\0tsize\0"
		 "0\0",
		 24}, /* R-TFTP-25 */
	};

	for (size_t i = 0; i < 4; i++) {
		struct world w;

		world_open(&w, 100, true);
		world_give(&w, 0, client_port, requests[i]);
		CHECK_EQUAL(1, w.sent_count);
		CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
		CHECK_EQUAL(1, w.sent[0].block);
		world_close(&w);
	}
}

static void r_tftp_18_data_1_follows_ack_0(void)
{
	struct tftp_options asked = world_window(1000, 1);
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	world_ack(&w, 1);
	CHECK_EQUAL(0, w.sent_count);
	world_ack(&w, 0);
	CHECK_EQUAL(1, w.sent_count);
	world_check_block(&w, 0, 1, 1000);
	world_ack(&w, 0);
	CHECK_EQUAL(0, w.sent_count);
	world_close(&w);
}

static void r_tftp_19_error_8_after_oack_ends_it(void)
{
	struct tftp_options asked = {.has_transfer_size = true};
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_give(&w, w.last_id, client_port, SPAN("\0\5\0\x8no\0"));
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(0, world_open_count(&w));
	world_request(&w, "good", TFTP_OCTET, &no_options); /* and it may ask without */
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	world_close(&w);
}

/* What is granted of one blksize over a path. */
static size_t granted_block_size(uint16_t asked_size, size_t path_octets, bool is_ipv6)
{
	struct tftp_options asked = {.has_block_size = true, .block_size = asked_size};
	char text[100];
	struct writer writer = writer_over(text, sizeof(text));
	struct packet packet = {.source = {address_ipv4(10, 0, 0, 2), client_port},
				.local = address_ipv4(10, 0, 0, 1)};
	struct world w;
	size_t granted;

	if (is_ipv6) {
		packet.source.address = (struct address){ADDRESS_IPV6, {0xfd, [15] = 2}};
		packet.local = (struct address){ADDRESS_IPV6, {0xfd, [15] = 1}};
	}
	world_open(&w, 200000, true);
	w.path_octets = path_octets;
	tftp_write_request(&writer, TFTP_RRQ, SPAN("good"), TFTP_OCTET, &asked);
	packet.bytes = writer_span(&writer);
	transfers_receive(w.transfers, 0, &packet, w.now_ms, &w.effects);
	world_carry_out(&w);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	granted = w.sent[0].options.block_size;
	CHECK_EQUAL(asked_size > 512, w.asked_for_path);
	world_ack(&w, 0);
	if (w.sent_count == 1 && !is_ipv6) {
		CHECK_EQUAL(granted, w.sent[0].data.length);
		CHECK_EQUAL(granted + tftp_header_size, w.sent_length[0]);
	}
	world_close(&w);
	return granted;
}

static void r_tftp_21_blksize_is_not_above_the_asked_one(void)
{
	CHECK_EQUAL(8, granted_block_size(8, 1500, false));
	CHECK_EQUAL(512, granted_block_size(512, 1500, false));
	CHECK_EQUAL(1000, granted_block_size(1000, 1500, false));
	CHECK_EQUAL(1000, granted_block_size(1000, 65536, true));
	CHECK_EQUAL(65464, granted_block_size(65464, 65536, false));
}

static void r_tftp_22_blksize_fits_into_the_path(void)
{
	CHECK_EQUAL(1468, granted_block_size(65464, 1500, false));
	CHECK_EQUAL(1448, granted_block_size(65464, 1500, true));
	CHECK_EQUAL(1460, granted_block_size(1468, 1492, false)); /* PPPoE */
	CHECK_EQUAL(8968, granted_block_size(65464, 9000, false));
	CHECK_EQUAL(1228, granted_block_size(1428, 1280, true));
	CHECK_EQUAL(1248, granted_block_size(65464, 0, false)); /* no way known */
	CHECK_EQUAL(512, granted_block_size(1428, 296, false)); /* fragments, as without options */
	CHECK_EQUAL(512, granted_block_size(513, 68, false));
	CHECK_EQUAL(64, granted_block_size(64, 68, false));
	CHECK_EQUAL(65464, granted_block_size(65464, 65535, false)); /* loopback is no exception */
	CHECK_EQUAL(65464, granted_block_size(65464, 65536, true));
}

static void r_tftp_24_tsize_is_the_size_of_the_file(void)
{
	static const uint64_t sizes[] = {0, 5000, UINT64_C(4294967296), UINT64_C(8796093022207)};
	struct tftp_options asked = {.has_transfer_size = true};

	for (size_t i = 0; i < 4; i++) {
		struct world w;

		world_open(&w, sizes[i], true);
		world_request(&w, "good", TFTP_OCTET, &asked);
		CHECK(w.sent[0].options.has_transfer_size);
		CHECK_EQUAL(sizes[i], w.sent[0].options.transfer_size);
		world_close(&w);
	}
}

static void r_tftp_25_netascii_has_no_tsize(void)
{
	struct tftp_options asked = {.has_block_size = true,
				     .block_size = 1000,
				     .has_transfer_size = true};
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_NETASCII, &asked);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	CHECK(!w.sent[0].options.has_transfer_size);
	CHECK_EQUAL(1000, w.sent[0].options.block_size);
	world_close(&w);
}

static uint16_t granted_window_of(size_t window_bytes_max, uint16_t block_size,
				  uint16_t window_size)
{
	struct tftp_options asked = world_window(block_size, window_size);
	struct world w = {.file_size = 200000, .is_stored = true, .path_octets = 65536};
	uint16_t granted;

	transfers_defaults(&w.options);
	if (window_bytes_max > 0) {
		w.options.window_bytes_max = window_bytes_max;
	}
	world_open_with(&w);
	world_request(&w, "good", TFTP_OCTET, &asked);
	granted = w.sent[0].options.window_size;
	world_ack(&w, 0);
	CHECK_EQUAL(granted, w.sent_count);
	world_close(&w);
	return granted;
}

static uint16_t granted_window(uint16_t block_size, uint16_t window_size)
{
	return granted_window_of(0, block_size, window_size);
}

static void r_tftp_26_windowsize_is_not_above_the_asked_one(void)
{
	CHECK_EQUAL(1, granted_window(512, 1));
	CHECK_EQUAL(4, granted_window(512, 4));
	CHECK_EQUAL(16, granted_window(512, 16));
}

/* A window leaves at once: it is bounded in blocks and in octets. */
static void r_tftp_31_a_window_has_a_maximum(void)
{
	CHECK_EQUAL(16, granted_window(512, 65535));
	CHECK_EQUAL(14, granted_window(9000, 65535));
	CHECK_EQUAL(2, granted_window(65464, 65535));
	CHECK_EQUAL(2, granted_window_of(1100, 512, 4));
	CHECK_EQUAL(1, granted_window_of(1100, 1400, 4)); /* a block always may */
}

static void r_tftp_38_a_padded_request_is_served(void)
{
	char text[516] = "\0\1good\0octet\0blksize\0"
			 "1000";
	struct world w;

	world_open(&w, 5000, true);
	world_give(&w, 0, client_port, span_make(text, sizeof(text)));
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	CHECK_EQUAL(1000, w.sent[0].options.block_size);
	memset(text + 13, 0xff, sizeof(text) - 13);
	world_give(&w, 0, client_port, span_make(text, sizeof(text)));
	world_check_block(&w, 0, 1, 512);
	world_close(&w);
}

int main(void)
{
	RUN(r_tftp_16_oack_lists_what_was_asked_and_granted);
	RUN(r_tftp_17_with_nothing_granted_data_1_comes_at_once);
	RUN(r_tftp_18_data_1_follows_ack_0);
	RUN(r_tftp_19_error_8_after_oack_ends_it);
	RUN(r_tftp_21_blksize_is_not_above_the_asked_one);
	RUN(r_tftp_22_blksize_fits_into_the_path);
	RUN(r_tftp_24_tsize_is_the_size_of_the_file);
	RUN(r_tftp_25_netascii_has_no_tsize);
	RUN(r_tftp_26_windowsize_is_not_above_the_asked_one);
	RUN(r_tftp_31_a_window_has_a_maximum);
	RUN(r_tftp_38_a_padded_request_is_served);
	return test_end();
}

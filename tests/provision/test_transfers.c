/* SPDX-License-Identifier: MIT */
/* The rules of TFTP, row by row of R-TFTP, in the decider. Its timers: test_transfer_timers.c. */
#include "tests/provision/transfer_world.h"

static struct tftp_options with_window(uint16_t block_size, uint16_t window_size)
{
	return (struct tftp_options){.has_block_size = true,
				     .block_size = block_size,
				     .has_window_size = true,
				     .window_size = window_size};
}

static void check_block(const struct world *w, size_t i, uint64_t block, size_t block_size)
{
	uint64_t start = (block - 1) * block_size;
	uint64_t end = start + block_size < w->file_size ? start + block_size : w->file_size;

	REQUIRE(i < w->sent_count);
	CHECK_EQUAL(TFTP_DATA, w->sent[i].opcode);
	CHECK_EQUAL((uint16_t)block, w->sent[i].block);
	CHECK_EQUAL(end - start, w->sent[i].data.length);
	for (uint64_t at = start; at < end; at++) {
		REQUIRE(world_octet(at) == w->sent[i].data.data[at - start]);
	}
}

static void fetch_in_lockstep(struct world *w, uint64_t block_count)
{
	world_request(w, "good", TFTP_OCTET, &no_options);
	for (uint64_t block = 1; block <= block_count; block++) {
		CHECK_EQUAL(1, w->sent_count);
		check_block(w, 0, block, 512);
		world_ack(w, block);
	}
	CHECK_EQUAL(0, w->sent_count);
	CHECK_EQUAL(1, w->closed);
	CHECK_EQUAL(1, w->fetched);
	CHECK_EQUAL(0, world_open_count(w));
	world_wait(w, 1000);
	CHECK_EQUAL(UINT64_MAX, transfers_next_wake(w->transfers));
}

static void fetch_of_size(uint64_t size)
{
	for (int i = 0; i < 2; i++) {
		struct world w;

		world_open(&w, size, i == 1);
		fetch_in_lockstep(&w, size / 512 + 1);
		world_close(&w);
	}
}

static void r_tftp_4_blocks_start_at_1_and_a_short_one_ends(void)
{
	fetch_of_size(1);
	fetch_of_size(511);
	fetch_of_size(512); /* an empty block ends it */
	fetch_of_size(513);
	fetch_of_size(1024);
	fetch_of_size(70000);
}

static void r_tftp_5_an_empty_file_is_one_empty_block(void)
{
	fetch_of_size(0);
}

static void r_tftp_6_a_repeated_ack_sends_nothing(void)
{
	struct world w;

	world_open(&w, 5000, false);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_ack(&w, 1);
	CHECK_EQUAL(1, w.sent_count);
	for (int i = 0; i < 20; i++) {
		world_ack(&w, 1);
		CHECK_EQUAL(0, w.sent_count);
	}
	world_ack(&w, 2);
	check_block(&w, 0, 3, 512);
	CHECK_EQUAL(20, transfers_counters(w.transfers)->ignored);
	CHECK_EQUAL(0, transfers_counters(w.transfers)->resent);
	world_close(&w);
}

static void r_tftp_8_a_lost_last_ack_is_repaired(void)
{
	struct world w;

	world_open(&w, 700, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_ack(&w, 1);
	check_block(&w, 0, 2, 512);
	world_wait(&w, 1000);
	check_block(&w, 0, 2, 512);
	CHECK_EQUAL(0, w.fetched);
	world_ack(&w, 2);
	CHECK_EQUAL(1, w.fetched);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->completed);
	world_ack(&w, 2); /* once more, to a socket that is gone */
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.fetched);
	world_close(&w);
}

static void r_tftp_9_a_wrong_tid_gets_error_5_and_disturbs_nothing(void)
{
	struct world w;

	world_open(&w, 5000, false);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_give(&w, w.last_id, stranger_port, SPAN("\0\5\0\0x\0"));
	CHECK_EQUAL(0, w.sent_count); /* R-TFTP-10 */
	for (int i = 0; i < 20; i++) {
		world_give(&w, w.last_id, stranger_port, SPAN("\0\4\0\1"));
		CHECK_EQUAL(i < 8, w.sent_count); /* and then silence: R-TFTP-36 */
		if (w.sent_count > 0) {
			CHECK_EQUAL(TFTP_ERROR_TID, w.sent[0].error);
			CHECK_EQUAL(stranger_port, w.sent_to[0].port);
			CHECK_EQUAL(w.last_id, w.sent_from[0]);
		}
	}
	CHECK_EQUAL(1, world_open_count(&w));
	world_ack(&w, 1);
	check_block(&w, 0, 2, 512);
	world_close(&w);
}

static void r_tftp_10_an_error_ends_it_and_is_never_answered(void)
{
	struct world w;

	world_open(&w, 5000, false);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_give(&w, w.last_id, client_port, SPAN("\0\5\0\3%n%s\r\n\x1b[2J\0"));
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.closed);
	CHECK_EQUAL(0, w.fetched);
	CHECK_TEXT("transfer of good given up after 0 blocks: the client sent error 3 "
		   "\"%n%s\\r\\n\\x1b[2J\"",
		   span_text(w.told_text)); /* B22 */
	world_wait(&w, 100000);
	CHECK_EQUAL(0, w.sent_count);
	world_give(&w, w.last_id, client_port, SPAN("\0\5\0\3"));
	CHECK_EQUAL(0, w.sent_count);
	world_close(&w);
}

static enum tftp_error error_for(struct world *w, struct span request)
{
	world_give(w, 0, client_port, request);
	CHECK_EQUAL(1, w->sent_count);
	CHECK_EQUAL(TFTP_ERROR, w->sent[0].opcode);
	CHECK_EQUAL(0, w->sent_from[0]);
	return (enum tftp_error)w->sent[0].error;
}

static void r_tftp_11_each_refusal_has_its_code(void)
{
	static char long_name[600] = "\0\1name\0octet";
	struct world w;

	world_open(&w, 5000, true);
	CHECK_EQUAL(1, error_for(&w, SPAN("\0\1bad\0octet\0")));
	CHECK_EQUAL(2, error_for(&w, SPAN("\0\2good\0octet\0")));
	CHECK_EQUAL(4, error_for(&w, SPAN("\0\1good\0mail\0")));
	CHECK_TEXT("TFTP request refused: Unknown mode", span_text(w.told_text));
	CHECK_EQUAL(4, error_for(&w, SPAN("\0\1good\0binary\0")));
	CHECK_EQUAL(8, error_for(&w, span_make(long_name, sizeof(long_name))));
	memset(long_name + 2, 'a', sizeof(long_name) - 2);
	CHECK_EQUAL(4, error_for(&w, span_make(long_name, sizeof(long_name))));
	CHECK_EQUAL(6, transfers_counters(w.transfers)->refused);
	CHECK_EQUAL(0, world_open_count(&w));
	w.holds_files = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_tell(&w, (struct transfer_notice){.kind = TRANSFER_FILE_FAILED, .id = w.last_id});
	CHECK_EQUAL(TFTP_ERROR_NOT_FOUND, w.sent[0].error);
	CHECK_EQUAL(0, w.sent_from[0]);
	world_close(&w);
}

static void r_tftp_12_writing_is_error_2(void)
{
	struct world w;

	world_open(&w, 5000, true);
	CHECK_EQUAL(TFTP_ERROR_ACCESS, error_for(&w, SPAN("\0\2new\0octet\0")));
	CHECK_EQUAL(TFTP_ERROR_ACCESS, error_for(&w, SPAN("\0\2good\0netascii\0tsize\0"
							  "5\0")));
	CHECK_EQUAL(0, w.served);
	CHECK_TEXT("tftp_refused", span_text(w.told));
	world_close(&w);
}

static void r_tftp_13_a_copied_request_is_the_same_transfer(void)
{
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.served);
	CHECK_EQUAL(1, world_open_count(&w));
	world_close(&w);
}

/* A copy that was long under way and a client that began anew look alike: the client decides. */
static void r_tftp_13_a_late_copy_does_not_end_the_first(void)
{
	struct world w;
	uint64_t first;
	uint64_t second;

	world_open(&w, 1000, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	first = w.last_id;
	world_ack(&w, 1);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	second = w.last_id;
	CHECK(second != first);
	CHECK_EQUAL(2, world_open_count(&w));
	check_block(&w, 0, 1, 512);
	world_request(&w, "good", TFTP_OCTET, &no_options); /* a copy of that one */
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(2, world_open_count(&w));
	world_give(&w, second, client_port, SPAN("\0\5\0\5Unknown transfer\0"));
	w.last_id = first;
	world_ack(&w, 2);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->completed);
	CHECK_EQUAL(0, world_open_count(&w));
	world_request(&w, "good", TFTP_OCTET, &no_options); /* its place is free again */
	check_block(&w, 0, 1, 512);
	world_close(&w);
}

static void r_tftp_13_another_request_from_the_same_port_is_served(void)
{
	struct world w;

	world_open(&w, 100, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_request(&w, "other", TFTP_OCTET, &no_options);
	check_block(&w, 0, 1, 512);
	world_ack(&w, 1);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->completed);
	CHECK_EQUAL(1, world_open_count(&w)); /* the first, until its client is heard or given up */
	world_close(&w);
}

static void r_tftp_13_the_newest_is_the_one_that_copies_belong_to(void)
{
	struct world w;
	uint64_t first;

	world_open(&w, 100, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	first = w.last_id;
	world_request(&w, "other", TFTP_OCTET, &no_options);
	world_give(&w, first, client_port, SPAN("\0\5\0\5\0"));
	CHECK_EQUAL(1, world_open_count(&w));
	world_request(&w, "other", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, world_open_count(&w));
	world_close(&w);
}

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
	struct tftp_options asked = with_window(1000, 1);
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	world_ack(&w, 1);
	CHECK_EQUAL(0, w.sent_count);
	world_ack(&w, 0);
	CHECK_EQUAL(1, w.sent_count);
	check_block(&w, 0, 1, 1000);
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
	struct tftp_options asked = with_window(block_size, window_size);
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

static void r_tftp_27_a_window_then_its_ack(void)
{
	struct tftp_options asked = with_window(512, 4);
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	for (uint64_t first = 1; first <= 97; first += 4) {
		CHECK_EQUAL(4, w.sent_count);
		CHECK(w.send_effects <= 2);
		for (size_t i = 0; i < 4; i++) {
			check_block(&w, i, first + i, 512);
		}
		world_ack(&w, first + 3);
	}
	CHECK_EQUAL(1, w.sent_count); /* the empty block 101 */
	world_close(&w);
}

static void r_tftp_29_an_ack_inside_moves_the_window(void)
{
	struct tftp_options asked = with_window(512, 4);
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 2); /* 3 was lost */
	CHECK_EQUAL(4, w.sent_count);
	check_block(&w, 0, 3, 512);
	check_block(&w, 3, 6, 512);
	CHECK_EQUAL(2, transfers_counters(w.transfers)->resent);
	world_ack(&w, 2); /* 3 again: the window anew, once */
	CHECK_EQUAL(4, w.sent_count);
	check_block(&w, 0, 3, 512);
	world_ack(&w, 2);
	CHECK_EQUAL(0, w.sent_count);
	world_ack(&w, 6);
	check_block(&w, 0, 7, 512);
	world_close(&w);
}

static void r_tftp_32_a_short_window_is_the_last(void)
{
	struct tftp_options asked = with_window(512, 4);
	struct world w;

	world_open(&w, 512 * 5 + 100, false);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 4);
	CHECK_EQUAL(2, w.sent_count);
	check_block(&w, 1, 6, 512);
	world_ack(&w, 6);
	CHECK_EQUAL(1, w.fetched);
	world_close(&w);
}

static void r_tftp_33_an_ack_out_of_the_window_is_ignored(void)
{
	struct tftp_options asked = with_window(512, 4);
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 4);
	for (uint64_t block = 9; block < 65536; block += 257) {
		world_ack(&w, block); /* not sent yet */
		CHECK_EQUAL(0, w.sent_count);
	}
	for (uint64_t block = 0; block < 4; block++) {
		world_ack(&w, block); /* from before */
		CHECK_EQUAL(0, w.sent_count);
	}
	CHECK_EQUAL(0, transfers_counters(w.transfers)->resent);
	world_ack(&w, 8);
	check_block(&w, 0, 9, 512);
	world_close(&w);
}

static void r_tftp_36_transfers_have_limits(void)
{
	struct world w;

	world_open(&w, 5000, false);
	for (uint16_t port = 1; port <= 5; port++) {
		world_give(&w, 0, port, SPAN("\0\1good\0octet\0"));
		CHECK_EQUAL(port <= 4, w.sent_count);
	}
	CHECK_EQUAL(1, transfers_counters(w.transfers)->full);
	CHECK_TEXT("tftp_full", span_text(w.told));
	world_close(&w);
	w = (struct world){.file_size = 5000, .options = w.options};
	w.options.transfers_per_source_max = 100;
	world_open_with(&w);
	for (uint16_t port = 1; port <= 10; port++) {
		world_give(&w, 0, port, SPAN("\0\1good\0octet\0"));
		CHECK_EQUAL(port <= 8, w.sent_count);
	}
	CHECK_EQUAL(2, transfers_counters(w.transfers)->full);
	world_close(&w);
}

static void r_tftp_36_memory_has_a_limit(void)
{
	struct world w = {.file_size = 60000};

	transfers_defaults(&w.options);
	w.options.transfers_max = 100;
	w.options.transfers_per_source_max = 100;
	w.options.held_bytes_max = 500000; /* of 60 000 and a ring each */
	world_open_with(&w);
	for (uint16_t port = 1; port <= 10; port++) {
		world_give(&w, 0, port, SPAN("\0\1good\0octet\0"));
		CHECK_EQUAL(port <= 5, w.sent_count);
	}
	CHECK_EQUAL(5, world_open_count(&w));
	CHECK_EQUAL(5, transfers_counters(w.transfers)->full);
	for (int i = 0; i < 100; i++) {
		world_wait(&w, 1000);
	}
	CHECK_EQUAL(0, world_open_count(&w));
	world_give(&w, 0, 1, SPAN("\0\1good\0octet\0")); /* all was given back */
	CHECK_EQUAL(1, w.sent_count);
	world_close(&w);
}

/* The first answer to whom nothing is known of. */
static void r_tftp_36_the_first_answer_is_small(void)
{
	struct tftp_options asked = with_window(65464, 65535);
	struct world w;

	asked.has_transfer_size = true;
	world_open(&w, UINT64_MAX / 4, true);
	w.path_octets = 65536;
	world_request(&w, "good", TFTP_OCTET, &asked);
	CHECK_EQUAL(1, w.sent_count);
	CHECK(w.sent_length[0] <= 80);
	world_request(&w, "other", TFTP_OCTET, &no_options);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(516, w.sent_length[0]);
	world_request(&w, "bad", TFTP_OCTET, &no_options);
	CHECK(w.sent_length[0] <= 20);
	world_close(&w);
}

static void r_tftp_37_no_request_no_answer(void)
{
	static const struct span silent[] = {
		{"\0\3\0\1data", 8},
		{"\0\4\0\1", 4},
		{"\0\5\0\1%n\0", 7},
		{"\0\6blksize", 9},
		{"\0\0x\0y\0", 6},
		{"\0\7x", 3},
		{"\0\1", 2},
		{"\1", 1},
		{"", 0},
		{"\0\1name", 6},
		{"\0\1\0octet\0", 9},
	};
	struct world w;

	world_open(&w, 5000, false);
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++) {
		world_give(&w, 0, client_port, silent[i]);
		CHECK_EQUAL(0, w.sent_count);
		CHECK_EQUAL(i + 1, transfers_counters(w.transfers)->ignored);
	}
	CHECK_EQUAL(0, world_open_count(&w));
	world_close(&w);
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
	check_block(&w, 0, 1, 512);
	world_close(&w);
}

static void r_tftp_3_netascii_goes_out_whole_in_small_pieces(void)
{
	for (uint16_t block_size = 8; block_size < 700; block_size += 173) {
		static char got[2 * 70000 + 10];
		struct tftp_options asked = with_window(block_size, 5);
		size_t length = 0;
		size_t at = 0;
		struct world w;

		world_open(&w, 70000, block_size % 2 == 0);
		world_request(&w, "good", TFTP_NETASCII, &asked);
		world_ack(&w, 0);
		for (uint64_t acked = 0; world_open_count(&w) > 0;) {
			REQUIRE(w.sent_count > 0);
			for (size_t i = 0; i < w.sent_count; i++) {
				memcpy(got + length, w.sent[i].data.data, w.sent[i].data.length);
				length += w.sent[i].data.length;
			}
			acked += w.sent_count;
			world_ack(&w, acked);
		}
		for (uint64_t i = 0; i < w.file_size; i++) {
			char c = world_octet(i);

			if (c == '\r' || c == '\n') {
				REQUIRE(got[at++] == '\r');
				REQUIRE(got[at++] == (c == '\n' ? '\n' : '\0'));
			} else {
				REQUIRE(got[at++] == c);
			}
		}
		CHECK_EQUAL(length, at);
		CHECK_EQUAL(1, w.fetched);
		world_close(&w);
	}
}

/* Who hangs up is no news; who falls silent is. */
static void the_end_of_a_transfer_is_told(void)
{
	struct world w;

	world_open(&w, 300, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_ack(&w, 1);
	CHECK_TEXT("file_served", span_text(w.told));
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_give(&w, w.last_id, client_port, SPAN("\0\5\0\0enough\0"));
	CHECK_TEXT("transfer_abandoned", span_text(w.told));
	CHECK_EQUAL(REPORT_DEBUG, w.told_level);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_tell(&w, (struct transfer_notice){.kind = TRANSFER_SOCKET_FAILED, .id = w.last_id});
	CHECK_EQUAL(REPORT_DEBUG, w.told_level);
	CHECK_EQUAL(3, w.closed);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	for (unsigned i = 0; i < 100; i++) {
		world_wait(&w, 1000);
	}
	CHECK_EQUAL(0, world_open_count(&w));
	CHECK_EQUAL(REPORT_INFO, w.told_level);
	world_close(&w);
}

static void a_file_that_changes_is_cut_never_mixed(void)
{
	struct world w;

	world_open(&w, 100000, true);
	w.holds_reads = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	world_let_go(&w);
	check_block(&w, 0, 1, 512);
	for (uint64_t block = 1; w.reads < 2; block++) {
		world_ack(&w, block);
	}
	world_tell(&w, (struct transfer_notice){.kind = TRANSFER_FILE_READ,
						.id = w.last_id,
						.offset = w.held.offset});
	CHECK_EQUAL(TFTP_ERROR, w.sent[w.sent_count - 1].opcode);
	CHECK_EQUAL(TFTP_ERROR_UNDEFINED, w.sent[w.sent_count - 1].error);
	CHECK_EQUAL(1, w.closed);
	CHECK_EQUAL(0, w.fetched);
	world_close(&w);
}

/* A whole file over a bad link, in every shape; the client is as simple as RFC 7440 lets it be. */
static size_t fetch_over_bad_link(struct world *w, uint64_t seed, size_t window, char *got)
{
	struct tftp_options asked = {.has_block_size = true,
				     .block_size = 512,
				     .has_window_size = window > 0,
				     .window_size = (uint16_t)window};
	struct random random;
	uint64_t expected = 1;
	size_t length = 0;
	bool is_done = false;

	random_init_number(&random, seed);
	world_request(w, "good", TFTP_OCTET, &asked);
	world_ack(w, 0);
	for (int turn = 0; turn < 20000 && !w->closed; turn++) {
		bool must_ack = false;

		for (size_t i = 0; i < w->sent_count; i++) {
			struct tftp_packet *sent = &w->sent[i];

			if (random_below(&random, 10) == 0 || sent->opcode != TFTP_DATA) {
				continue; /* lost */
			}
			must_ack = true;
			if (sent->block == (uint16_t)expected && !is_done) {
				memcpy(got + length, sent->data.data, sent->data.length);
				length += sent->data.length;
				is_done = sent->data.length < 512;
				expected++;
			}
		}
		w->sent_count = 0;
		if (!must_ack || random_below(&random, 10) == 0) {
			world_wait(w, 500);
			continue;
		}
		world_ack(w, expected - 1);
	}
	return length;
}

static void files_arrive_whole_over_a_bad_link(void)
{
	static char got[world_rendered_max + 4096];

	for (uint64_t seed = 0; seed < 12; seed++) {
		struct world w;

		world_open(&w, 100000 + seed * 512, seed % 2);
		CHECK_EQUAL(w.file_size, fetch_over_bad_link(&w, seed, seed % 3 * 5, got));
		CHECK(memcmp(world_rendered, got, (size_t)w.file_size) == 0);
		CHECK_EQUAL(1, w.fetched);
		world_close(&w);
	}
}

int main(void)
{
	RUN(r_tftp_3_netascii_goes_out_whole_in_small_pieces);
	RUN(r_tftp_4_blocks_start_at_1_and_a_short_one_ends);
	RUN(r_tftp_5_an_empty_file_is_one_empty_block);
	RUN(r_tftp_6_a_repeated_ack_sends_nothing);
	RUN(r_tftp_8_a_lost_last_ack_is_repaired);
	RUN(r_tftp_9_a_wrong_tid_gets_error_5_and_disturbs_nothing);
	RUN(r_tftp_10_an_error_ends_it_and_is_never_answered);
	RUN(r_tftp_11_each_refusal_has_its_code);
	RUN(r_tftp_12_writing_is_error_2);
	RUN(r_tftp_13_a_copied_request_is_the_same_transfer);
	RUN(r_tftp_13_a_late_copy_does_not_end_the_first);
	RUN(r_tftp_13_another_request_from_the_same_port_is_served);
	RUN(r_tftp_13_the_newest_is_the_one_that_copies_belong_to);
	RUN(r_tftp_16_oack_lists_what_was_asked_and_granted);
	RUN(r_tftp_17_with_nothing_granted_data_1_comes_at_once);
	RUN(r_tftp_18_data_1_follows_ack_0);
	RUN(r_tftp_19_error_8_after_oack_ends_it);
	RUN(r_tftp_21_blksize_is_not_above_the_asked_one);
	RUN(r_tftp_22_blksize_fits_into_the_path);
	RUN(r_tftp_24_tsize_is_the_size_of_the_file);
	RUN(r_tftp_25_netascii_has_no_tsize);
	RUN(r_tftp_26_windowsize_is_not_above_the_asked_one);
	RUN(r_tftp_27_a_window_then_its_ack);
	RUN(r_tftp_29_an_ack_inside_moves_the_window);
	RUN(r_tftp_31_a_window_has_a_maximum);
	RUN(r_tftp_32_a_short_window_is_the_last);
	RUN(r_tftp_33_an_ack_out_of_the_window_is_ignored);
	RUN(r_tftp_36_transfers_have_limits);
	RUN(r_tftp_36_memory_has_a_limit);
	RUN(r_tftp_36_the_first_answer_is_small);
	RUN(r_tftp_37_no_request_no_answer);
	RUN(r_tftp_38_a_padded_request_is_served);
	RUN(the_end_of_a_transfer_is_told);
	RUN(a_file_that_changes_is_cut_never_mixed);
	RUN(files_arrive_whole_over_a_bad_link);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* The rules of TFTP, row by row of R-TFTP, in the decider. Its timers: test_transfer_timers.c. */
#include "tests/provision/transfer_world.h"

static void fetch_in_lockstep(struct world *w, uint64_t block_count)
{
	world_request(w, "good", TFTP_OCTET, &no_options);
	for (uint64_t block = 1; block <= block_count; block++) {
		CHECK_EQUAL(1, w->sent_count);
		world_check_block(w, 0, block, 512);
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
	world_check_block(&w, 0, 3, 512);
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
	world_check_block(&w, 0, 2, 512);
	world_wait(&w, 1000);
	world_check_block(&w, 0, 2, 512);
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
	world_check_block(&w, 0, 2, 512);
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
	world_check_block(&w, 0, 1, 512);
	world_request(&w, "good", TFTP_OCTET, &no_options); /* a copy of that one */
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(2, world_open_count(&w));
	world_give(&w, second, client_port, SPAN("\0\5\0\5Unknown transfer\0"));
	w.last_id = first;
	world_ack(&w, 2);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->completed);
	CHECK_EQUAL(0, world_open_count(&w));
	world_request(&w, "good", TFTP_OCTET, &no_options); /* its place is free again */
	world_check_block(&w, 0, 1, 512);
	world_close(&w);
}

static void r_tftp_13_another_request_from_the_same_port_is_served(void)
{
	struct world w;

	world_open(&w, 100, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_request(&w, "other", TFTP_OCTET, &no_options);
	world_check_block(&w, 0, 1, 512);
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

static void r_tftp_27_a_window_then_its_ack(void)
{
	struct tftp_options asked = world_window(512, 4);
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	for (uint64_t first = 1; first <= 97; first += 4) {
		CHECK_EQUAL(4, w.sent_count);
		CHECK(w.send_effects <= 2);
		for (size_t i = 0; i < 4; i++) {
			world_check_block(&w, i, first + i, 512);
		}
		world_ack(&w, first + 3);
	}
	CHECK_EQUAL(1, w.sent_count); /* the empty block 101 */
	world_close(&w);
}

static void r_tftp_29_an_ack_inside_moves_the_window(void)
{
	struct tftp_options asked = world_window(512, 4);
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 2); /* 3 was lost */
	CHECK_EQUAL(4, w.sent_count);
	world_check_block(&w, 0, 3, 512);
	world_check_block(&w, 3, 6, 512);
	CHECK_EQUAL(2, transfers_counters(w.transfers)->resent);
	world_ack(&w, 2); /* 3 again: the window anew, once */
	CHECK_EQUAL(4, w.sent_count);
	world_check_block(&w, 0, 3, 512);
	world_ack(&w, 2);
	CHECK_EQUAL(0, w.sent_count);
	world_ack(&w, 6);
	world_check_block(&w, 0, 7, 512);
	world_close(&w);
}

/*
 * A client that answers a block that it does not expect with its last ACK, once for each ACK: RFC
 * 7440 4 wants that at a gap, boot loaders do it for a copy too. The link keeps the order.
 */
struct nervous {
	uint16_t flying[2000]; /* blocks on the way to it, all that ever were */
	size_t flown;
	size_t count;
	uint16_t expected;
	uint16_t told_of;
	unsigned since_ack;
};

static void fly(struct nervous *n, const struct world *w)
{
	for (size_t i = 0; i < w->sent_count; i++) {
		if (n->count == sizeof(n->flying) / sizeof(n->flying[0])) {
			abort();
		}
		n->flying[n->count++] = w->sent[i].block;
	}
}

/* The next block arrives; true when it makes the client send an ACK. */
static bool must_ack(struct nervous *n, uint16_t last)
{
	bool is_gap = n->flying[n->flown++] != n->expected;

	if (is_gap ? n->told_of == n->expected : ++n->since_ack < 4 && n->expected < last) {
		n->expected += !is_gap;
		return false;
	}
	n->told_of = is_gap ? n->expected : n->told_of;
	n->expected += !is_gap;
	n->since_ack = 0;
	return true;
}

/* How many blocks go out for a file of 200; the ACK of 40 is doubled, or comes after a time-out. */
static size_t blocks_for_nervous_client(bool is_late)
{
	struct tftp_options asked = world_window(512, 4);
	struct nervous n = {.expected = 1};
	bool is_odd = true;
	struct world w;

	world_open(&w, 512 * 199 + 1, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	fly(&n, &w);
	while (world_open_count(&w) > 0) {
		if (n.flown == n.count) {
			world_wait(&w, 1000);
			fly(&n, &w);
			continue;
		}
		if (!must_ack(&n, 200)) {
			continue;
		}
		if (n.expected == 41 && is_odd) {
			is_odd = false;
			if (is_late) {
				world_wait(&w, 1000);
			} else {
				world_ack(&w, 40);
			}
			fly(&n, &w);
		}
		world_ack(&w, n.expected - 1u);
		fly(&n, &w);
	}
	CHECK_EQUAL(1, w.fetched);
	world_close(&w);
	return n.count;
}

/* Sorcerer's Apprentice: the doubled window draws a repeated ACK, and that must not double another.
 */
static void r_tftp_6_a_doubled_window_doubles_no_other(void)
{
	CHECK_EQUAL(204, blocks_for_nervous_client(false));
	CHECK_EQUAL(204, blocks_for_nervous_client(true));
}

static void r_tftp_32_a_short_window_is_the_last(void)
{
	struct tftp_options asked = world_window(512, 4);
	struct world w;

	world_open(&w, 512 * 5 + 100, false);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 4);
	CHECK_EQUAL(2, w.sent_count);
	world_check_block(&w, 1, 6, 512);
	world_ack(&w, 6);
	CHECK_EQUAL(1, w.fetched);
	world_close(&w);
}

static void r_tftp_33_an_ack_out_of_the_window_is_ignored(void)
{
	struct tftp_options asked = world_window(512, 4);
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
	world_check_block(&w, 0, 9, 512);
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
	struct tftp_options asked = world_window(65464, 65535);
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

static void r_tftp_3_netascii_goes_out_whole_in_small_pieces(void)
{
	for (uint16_t block_size = 8; block_size < 700; block_size += 173) {
		static char got[2 * 70000 + 10];
		struct tftp_options asked = world_window(block_size, 5);
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
	world_check_block(&w, 0, 1, 512);
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
	RUN(r_tftp_6_a_doubled_window_doubles_no_other);
	RUN(r_tftp_8_a_lost_last_ack_is_repaired);
	RUN(r_tftp_9_a_wrong_tid_gets_error_5_and_disturbs_nothing);
	RUN(r_tftp_10_an_error_ends_it_and_is_never_answered);
	RUN(r_tftp_11_each_refusal_has_its_code);
	RUN(r_tftp_12_writing_is_error_2);
	RUN(r_tftp_13_a_copied_request_is_the_same_transfer);
	RUN(r_tftp_13_a_late_copy_does_not_end_the_first);
	RUN(r_tftp_13_another_request_from_the_same_port_is_served);
	RUN(r_tftp_13_the_newest_is_the_one_that_copies_belong_to);
	RUN(r_tftp_27_a_window_then_its_ack);
	RUN(r_tftp_29_an_ack_inside_moves_the_window);
	RUN(r_tftp_32_a_short_window_is_the_last);
	RUN(r_tftp_33_an_ack_out_of_the_window_is_ignored);
	RUN(r_tftp_36_transfers_have_limits);
	RUN(r_tftp_36_memory_has_a_limit);
	RUN(r_tftp_36_the_first_answer_is_small);
	RUN(r_tftp_37_no_request_no_answer);
	RUN(the_end_of_a_transfer_is_told);
	RUN(a_file_that_changes_is_cut_never_mixed);
	RUN(files_arrive_whole_over_a_bad_link);
	return test_end();
}

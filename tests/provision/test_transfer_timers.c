/* SPDX-License-Identifier: MIT */
/* Every timer of a TFTP transfer, in virtual time: when it rings, and that it does not before. */
#include "tests/provision/transfer_world.h"

/* Nothing happens for all but the last millisecond of `ms`. */
static void wait_exactly(struct world *w, uint64_t ms)
{
	world_wait(w, ms - 1);
	CHECK_EQUAL(0, w->sent_count);
	CHECK(transfers_next_wake(w->transfers) <= w->now_ms + 1);
	world_wait(w, 1);
}

static void check_abandoned(struct world *w, const char *reason)
{
	CHECK_EQUAL(0, world_open_count(w));
	CHECK_EQUAL(1, w->closed);
	CHECK_EQUAL(0, w->fetched);
	CHECK_EQUAL(1, transfers_counters(w->transfers)->abandoned);
	CHECK_TEXT("transfer_abandoned", span_text(w->told));
	CHECK(span_ends_with(span_text(w->told_text), span_text(reason)));
	world_wait(w, 1);
	CHECK_EQUAL(UINT64_MAX, transfers_next_wake(w->transfers));
}

static void r_tftp_7_resends_with_back_off_then_gives_up(void)
{
	static const uint64_t waits[] = {1000, 2000, 4000, 8000, 8000, 8000};
	struct world w;

	world_open(&w, 5000, false);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	for (size_t i = 0; i < 6; i++) {
		wait_exactly(&w, waits[i]);
		CHECK_EQUAL(1, w.sent_count);
		CHECK_EQUAL(1, w.sent[0].block);
	}
	CHECK_EQUAL(6, transfers_counters(w.transfers)->resent);
	wait_exactly(&w, 8000);
	CHECK_EQUAL(0, w.sent_count);
	check_abandoned(&w, "the client does not answer");
	world_close(&w);
}

static void r_tftp_7_progress_ends_the_back_off(void)
{
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	wait_exactly(&w, 1000);
	wait_exactly(&w, 2000);
	world_ack(&w, 1);
	CHECK_EQUAL(2, w.sent[0].block);
	wait_exactly(&w, 1000);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(2, w.sent[0].block);
	wait_exactly(&w, 2000);
	world_close(&w);
}

/* Sorcerer's Apprentice: neither sent for, nor put off by it. */
static void r_tftp_6_a_repeated_ack_moves_no_timer(void)
{
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_ack(&w, 1);
	for (int i = 0; i < 9; i++) {
		world_wait(&w, 100);
		CHECK_EQUAL(0, w.sent_count);
		world_ack(&w, 1);
		CHECK_EQUAL(0, w.sent_count);
	}
	wait_exactly(&w, 100);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(2, w.sent[0].block);
	world_close(&w);
}

static void r_tftp_8_the_last_block_is_resent_and_a_late_ack_completes(void)
{
	struct world w;

	world_open(&w, 100, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	wait_exactly(&w, 1000);
	wait_exactly(&w, 2000);
	wait_exactly(&w, 4000);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(100, w.sent[0].data.length);
	world_wait(&w, 7999);
	world_ack(&w, 1);
	CHECK_EQUAL(1, w.fetched);
	CHECK_EQUAL(0, world_open_count(&w));
	world_wait(&w, 100000);
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.closed);
	world_close(&w);
}

/* How a client is found to be gone: nobody listens at its port, or it does not know the transfer.
 */
static void find_gone(struct world *w, bool by_error)
{
	if (by_error) {
		world_give(w, w->last_id, client_port, SPAN("\0\5\0\5Unknown transfer\0"));
	} else {
		world_tell(w, (struct transfer_notice){.kind = TRANSFER_SOCKET_FAILED,
						       .id = w->last_id});
	}
	CHECK_EQUAL(0, w->sent_count);
	CHECK_EQUAL(0, world_open_count(w));
	CHECK_EQUAL(1, w->closed);
}

static void check_fetched_without_last_ack(struct world *w)
{
	CHECK_EQUAL(1, w->fetched);
	CHECK_EQUAL(1, transfers_counters(w->transfers)->completed);
	CHECK_EQUAL(0, transfers_counters(w->transfers)->abandoned);
	CHECK_TEXT("file_served", span_text(w->told));
	CHECK(span_ends_with(span_text(w->told_text),
			     SPAN("; the last acknowledgement did not come")));
}

static void check_not_fetched(struct world *w)
{
	CHECK_EQUAL(0, w->fetched);
	CHECK_EQUAL(0, transfers_counters(w->transfers)->completed);
	CHECK_EQUAL(1, transfers_counters(w->transfers)->abandoned);
	CHECK_TEXT("transfer_abandoned", span_text(w->told));
}

/* It has all of it: it took what came before, and did not wait for the end to come again. */
static void r_tftp_8_who_is_gone_when_the_end_comes_again_has_it(void)
{
	for (int i = 0; i < 4; i++) {
		struct world w;

		world_open(&w, 700, i & 1);
		world_request(&w, "good", TFTP_OCTET, &no_options);
		world_ack(&w, 1);
		wait_exactly(&w, 1000);
		CHECK_EQUAL(2, w.sent[0].block);
		if (i == 0) {
			wait_exactly(&w, 2000);
		}
		find_gone(&w, i & 2);
		check_fetched_without_last_ack(&w);
		world_close(&w);
	}
}

static void r_tftp_8_of_a_window_too(void)
{
	struct tftp_options asked = {.has_window_size = true, .window_size = 4};
	struct world w;

	world_open(&w, 512 * 6 + 1, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 4);
	CHECK_EQUAL(3, w.sent_count);
	wait_exactly(&w, 1000);
	CHECK_EQUAL(3, w.sent_count);
	find_gone(&w, false);
	check_fetched_without_last_ack(&w);
	world_close(&w);
}

/* One block is the whole file: that the client took the options shows that it is there. */
static void r_tftp_8_of_a_single_block_after_its_oack(void)
{
	struct tftp_options asked = {.has_transfer_size = true};
	struct world w;

	world_open(&w, 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	wait_exactly(&w, 1000);
	find_gone(&w, false);
	check_fetched_without_last_ack(&w);
	world_close(&w);
}

static void r_tftp_8_who_is_gone_when_the_end_comes_first_lacks_it(void)
{
	for (int by_error = 0; by_error < 2; by_error++) {
		struct world w;

		world_open(&w, 700, true);
		world_request(&w, "good", TFTP_OCTET, &no_options);
		wait_exactly(&w, 1000); /* a resend, but not of the end */
		world_ack(&w, 1);
		find_gone(&w, by_error);
		check_not_fetched(&w);
		world_close(&w);
	}
}

static void r_tftp_8_who_is_gone_before_the_end_lacks_it(void)
{
	struct tftp_options asked = {.has_window_size = true, .window_size = 4};
	struct world w;

	world_open(&w, 512 * 8, true); /* and an empty block */
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 4);
	wait_exactly(&w, 1000);
	wait_exactly(&w, 2000);
	find_gone(&w, false);
	check_not_fetched(&w);
	world_close(&w);
}

/* A request with another's address: whoever is there has never heard of it. */
static void r_tftp_8_who_was_never_heard_has_nothing(void)
{
	struct world w;

	world_open(&w, 100, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	wait_exactly(&w, 1000);
	find_gone(&w, false);
	check_not_fetched(&w);
	world_close(&w);
}

/* Who repeats an ACK while the end is out has missed it: it is as if the end had not gone out. */
static void r_tftp_8_who_asked_for_the_end_again_lacks_it(void)
{
	for (int is_resent_twice = 0; is_resent_twice < 2; is_resent_twice++) {
		struct world w;

		world_open(&w, 700, true);
		world_request(&w, "good", TFTP_OCTET, &no_options);
		world_ack(&w, 1);
		world_wait(&w, 900);
		world_ack(&w, 1);
		wait_exactly(&w, 100);
		if (is_resent_twice) {
			wait_exactly(&w, 2000);
			find_gone(&w, false);
			check_fetched_without_last_ack(&w);
		} else {
			find_gone(&w, false);
			check_not_fetched(&w);
		}
		world_close(&w);
	}
}

static void r_tftp_8_who_gives_another_error_lacks_it(void)
{
	struct world w;

	world_open(&w, 700, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_ack(&w, 1);
	wait_exactly(&w, 1000);
	world_give(&w, w.last_id, client_port, SPAN("\0\5\0\3Disk full\0"));
	check_not_fetched(&w);
	world_close(&w);
}

/* RFC 1350 6: it may have it or not, and nobody can tell. The operator is told just that. */
static void r_tftp_8_silence_is_no_acknowledgement(void)
{
	static const uint64_t waits[] = {1000, 2000, 4000, 8000, 8000, 8000, 8000};
	struct world w;

	world_open(&w, 700, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_ack(&w, 1);
	for (size_t i = 0; i < 7; i++) {
		wait_exactly(&w, waits[i]);
		CHECK_EQUAL(i < 6, w.sent_count);
	}
	CHECK_EQUAL(REPORT_INFO, w.told_level);
	check_abandoned(&w, "the last acknowledgement did not come; the client may have all of it");
	world_close(&w);
}

/* That there is no socket says nothing of the client. */
static void a_socket_that_cannot_be_opened_ends_it(void)
{
	struct world w;

	world_open(&w, 5000, false);
	w.holds_sockets = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	world_tell(&w, (struct transfer_notice){.kind = TRANSFER_SOCKET_FAILED, .id = w.last_id});
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(REPORT_INFO, w.told_level);
	world_wait(&w, 5000); /* its timer is gone with it */
	check_abandoned(&w, "there is no socket for it");
	world_close(&w);
}

static void r_tftp_19_oack_is_resent(void)
{
	struct tftp_options asked = {.has_transfer_size = true};
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	wait_exactly(&w, 1000);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	CHECK_EQUAL(5000, w.sent[0].options.transfer_size);
	wait_exactly(&w, 2000);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	world_ack(&w, 0);
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	wait_exactly(&w, 1000); /* from the start again */
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	world_close(&w);
}

static void r_tftp_19_oack_without_answer_is_given_up(void)
{
	static const uint64_t waits[] = {1000, 2000, 4000, 8000, 8000, 8000, 8000};
	struct tftp_options asked = {.has_transfer_size = true};
	struct world w;

	world_open(&w, 5000, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	for (size_t i = 0; i < 7; i++) {
		wait_exactly(&w, waits[i]);
		CHECK_EQUAL(i < 6, w.sent_count);
	}
	check_abandoned(&w, "the client does not answer");
	world_close(&w);
}

static void r_tftp_23_the_asked_timeout_is_used(void)
{
	static const struct {
		uint8_t timeout_s;
		uint64_t waits[3];
	} cases[] = {
		{1, {1000, 2000, 4000}},
		{3, {3000, 6000, 8000}},
		{9, {9000, 9000, 9000}}, /* above where doubling ends */
		{255, {255000, 255000, 255000}},
	};

	for (size_t i = 0; i < 4; i++) {
		struct tftp_options asked = {.has_timeout = true, .timeout_s = cases[i].timeout_s};
		struct world w;

		world_open(&w, 5000, true);
		world_request(&w, "good", TFTP_OCTET, &asked);
		CHECK_EQUAL(cases[i].timeout_s, w.sent[0].options.timeout_s);
		world_ack(&w, 0);
		for (size_t j = 0; j < 3; j++) {
			wait_exactly(&w, cases[i].waits[j]);
			CHECK_EQUAL(1, w.sent_count);
			CHECK_EQUAL(1, w.sent[0].block);
		}
		world_close(&w);
	}
}

static void r_tftp_28_a_time_out_restarts_after_the_last_ack(void)
{
	struct tftp_options asked = {.has_window_size = true, .window_size = 4};
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	world_ack(&w, 4);
	wait_exactly(&w, 1000);
	CHECK_EQUAL(4, w.sent_count);
	CHECK_EQUAL(5, w.sent[0].block);
	CHECK_EQUAL(8, w.sent[3].block);
	CHECK_EQUAL(4, transfers_counters(w.transfers)->resent);
	world_ack(&w, 6);
	CHECK_EQUAL(7, w.sent[0].block);
	wait_exactly(&w, 1000);
	CHECK_EQUAL(4, w.sent_count);
	CHECK_EQUAL(7, w.sent[0].block);
	world_close(&w);
}

static void r_tftp_31_windows_are_given_up_too(void)
{
	static const uint64_t waits[] = {1000, 2000, 4000, 8000, 8000, 8000, 8000};
	struct tftp_options asked = {.has_window_size = true, .window_size = 4};
	struct world w;

	world_open(&w, 512 * 100, true);
	world_request(&w, "good", TFTP_OCTET, &asked);
	world_ack(&w, 0);
	for (size_t i = 0; i < 7; i++) {
		wait_exactly(&w, waits[i]);
		CHECK_EQUAL(i < 6 ? 4 : 0, w.sent_count);
	}
	check_abandoned(&w, "the client does not answer");
	world_close(&w);
}

static void r_tftp_36_a_life_has_an_end(void)
{
	struct world w;
	uint64_t block = 0;

	world_open(&w, UINT64_C(1) << 40, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	for (uint64_t ms = 0; ms < UINT64_C(24) * 3600000 - 500;
	     ms += 500) { /* a client that answers, but slowly */
		world_ack(&w, ++block);
		CHECK_EQUAL(1, w.sent_count);
		world_wait(&w, 500);
		CHECK_EQUAL(0, w.sent_count);
	}
	world_ack(&w, ++block);
	wait_exactly(&w, 500);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_ERROR, w.sent[0].opcode);
	check_abandoned(&w, "it took too long in all");
	world_close(&w);
}

/* 60 MB by blocks of 512 over 200 ms, as an old boot loader in a branch office fetches it. */
static void r_tftp_36_a_life_is_long_enough_for_firmware(void)
{
	struct world w;

	world_open(&w, 60000000, true);
	w.is_stamped = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	for (uint64_t block = 1; block <= 60000000 / 512 + 1; block++) {
		REQUIRE(w.sent_count == 1);
		REQUIRE(w.sent[0].opcode == TFTP_DATA);
		world_wait(&w, 200);
		world_ack(&w, block);
	}
	CHECK_EQUAL(1, w.fetched);
	world_close(&w);
}

static void who_asks_is_looked_up_every_50_ms(void)
{
	struct world w;

	world_open(&w, 5000, false);
	w.is_pending = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	wait_exactly(&w, 50);
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(2, w.served);
	w.is_pending = false;
	wait_exactly(&w, 50);
	CHECK_EQUAL(3, w.served);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	world_close(&w);
}

static void who_cannot_be_seen_is_refused_after_a_second(void)
{
	struct world w;

	world_open(&w, 5000, false);
	w.is_pending = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	for (unsigned i = 0; i < 19; i++) {
		wait_exactly(&w, 50);
		CHECK_EQUAL(i + 2, w.served);
		world_request(&w, "good", TFTP_OCTET, &no_options); /* copies change nothing */
		CHECK_EQUAL(0, w.sent_count);
	}
	wait_exactly(&w, 50);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_ERROR_NOT_FOUND, w.sent[0].error);
	CHECK_EQUAL(0, w.sent_from[0]);
	CHECK_EQUAL(0, world_open_count(&w));
	world_close(&w);
}

/* What was written a moment ago may change without a new date: it is opened anew, once. */
static void a_fresh_file_is_waited_for_once(void)
{
	struct world w;

	world_open(&w, 5000, true);
	w.is_fresh = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	w.file_size = 300;
	wait_exactly(&w, 50);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(300, w.sent[0].data.length);
	world_ack(&w, 1);
	CHECK_EQUAL(1, w.fetched);
	world_close(&w);
}

static void a_fresh_file_that_is_refused_meanwhile_is_let_go_of(void)
{
	struct world w;

	world_open(&w, 5000, true);
	w.is_fresh = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	w.is_refused = true;
	wait_exactly(&w, 50);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_ERROR_NOT_FOUND, w.sent[0].error);
	check_abandoned(&w, "the file is there no more");
	world_close(&w);
}

static void a_file_that_does_not_open_in_time(void)
{
	struct world w;

	world_open(&w, 5000, true);
	w.holds_files = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(TRANSFER_OPEN_FILE, w.held.kind);
	wait_exactly(&w, 5000);
	check_abandoned(&w, "it could not be opened in time");
	world_let_go(&w); /* too late */
	CHECK_EQUAL(0, w.sent_count);
	world_close(&w);
}

static void a_socket_that_does_not_open_in_time(void)
{
	struct world w;

	world_open(&w, 5000, false);
	w.holds_sockets = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(TRANSFER_OPEN_SOCKET, w.held.kind);
	wait_exactly(&w, 5000);
	check_abandoned(&w, "it could not be opened in time");
	world_let_go(&w);
	CHECK_EQUAL(0, w.sent_count);
	world_close(&w);
}

/* The client is not to blame for our disk, and what came before it is not sent again. */
static void a_slow_disk_is_waited_for(void)
{
	struct world w;
	uint64_t block = 0;

	world_open(&w, 100000, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	w.holds_reads = true;
	while (w.sent_count == 1) {
		world_ack(&w, ++block);
	}
	CHECK_EQUAL(0, w.sent_count);
	for (int i = 0; i < 29; i++) {
		world_wait(&w, 1000);
		CHECK_EQUAL(0, w.sent_count);
		world_ack(&w, block);
		CHECK_EQUAL(0, w.sent_count);
	}
	world_let_go(&w);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(block + 1, w.sent[0].block);
	wait_exactly(&w, 1000); /* and now it is the client's turn, from the first interval on */
	CHECK_EQUAL(block + 1, w.sent[0].block);
	world_close(&w);
}

static void a_disk_that_does_not_answer_ends_it(void)
{
	struct world w;

	world_open(&w, 100000, true);
	w.holds_reads = true;
	world_request(&w, "good", TFTP_OCTET, &no_options);
	wait_exactly(&w, 30000);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_ERROR, w.sent[0].opcode);
	check_abandoned(&w, "the disk does not answer");
	world_let_go(&w);
	CHECK_EQUAL(0, w.sent_count);
	world_close(&w);
}

/* What is out is resent although a read is under way, and the read does not put that off. */
static void a_slow_disk_puts_no_resend_off(void)
{
	struct world w;
	uint64_t block = 0;

	world_open(&w, 1000000, true);
	world_request(&w, "good", TFTP_OCTET, &no_options);
	w.holds_reads = true;
	for (unsigned reads = w.reads; w.reads == reads;) {
		world_ack(&w, ++block);
	}
	CHECK_EQUAL(1, w.sent_count);
	world_wait(&w, 900);
	world_let_go(&w); /* ahead of need */
	CHECK_EQUAL(0, w.sent_count);
	wait_exactly(&w, 100);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(block + 1, w.sent[0].block);
	world_close(&w);
}

/* A full list of effects leaves the rest due: nothing is lost, the wake is not later than now. */
static void many_are_due_at_once(void)
{
	struct world w = {.file_size = 100};
	size_t resent = 0;

	transfers_defaults(&w.options);
	w.options.transfers_max = 2000;
	w.options.transfers_per_source_max = 2000;
	world_open_with(&w);
	for (uint16_t port = 1; port <= 1000; port++) {
		world_give(&w, 0, port, SPAN("\0\1good\0octet\0"));
	}
	CHECK_EQUAL(1000, world_open_count(&w));
	w.now_ms += 1000;
	for (int i = 0; i < 1000 && transfers_next_wake(w.transfers) <= w.now_ms; i++) {
		transfers_expire(w.transfers, w.now_ms, &w.effects);
		resent += w.effects.count;
		CHECK_EQUAL(0, w.effects.others.lost);
		transfer_effects_reset(&w.effects);
	}
	CHECK_EQUAL(1000, resent);
	CHECK_EQUAL(w.now_ms + 2000, transfers_next_wake(w.transfers));
	world_close(&w);
}

int main(void)
{
	RUN(r_tftp_6_a_repeated_ack_moves_no_timer);
	RUN(r_tftp_7_resends_with_back_off_then_gives_up);
	RUN(r_tftp_7_progress_ends_the_back_off);
	RUN(r_tftp_8_the_last_block_is_resent_and_a_late_ack_completes);
	RUN(r_tftp_8_who_is_gone_when_the_end_comes_again_has_it);
	RUN(r_tftp_8_of_a_window_too);
	RUN(r_tftp_8_of_a_single_block_after_its_oack);
	RUN(r_tftp_8_who_is_gone_when_the_end_comes_first_lacks_it);
	RUN(r_tftp_8_who_is_gone_before_the_end_lacks_it);
	RUN(r_tftp_8_who_was_never_heard_has_nothing);
	RUN(r_tftp_8_who_asked_for_the_end_again_lacks_it);
	RUN(r_tftp_8_who_gives_another_error_lacks_it);
	RUN(r_tftp_8_silence_is_no_acknowledgement);
	RUN(r_tftp_19_oack_is_resent);
	RUN(r_tftp_19_oack_without_answer_is_given_up);
	RUN(r_tftp_23_the_asked_timeout_is_used);
	RUN(r_tftp_28_a_time_out_restarts_after_the_last_ack);
	RUN(r_tftp_31_windows_are_given_up_too);
	RUN(r_tftp_36_a_life_has_an_end);
	RUN(r_tftp_36_a_life_is_long_enough_for_firmware);
	RUN(who_asks_is_looked_up_every_50_ms);
	RUN(who_cannot_be_seen_is_refused_after_a_second);
	RUN(a_fresh_file_is_waited_for_once);
	RUN(a_fresh_file_that_is_refused_meanwhile_is_let_go_of);
	RUN(a_file_that_does_not_open_in_time);
	RUN(a_socket_that_does_not_open_in_time);
	RUN(a_socket_that_cannot_be_opened_ends_it);
	RUN(a_slow_disk_is_waited_for);
	RUN(a_disk_that_does_not_answer_ends_it);
	RUN(a_slow_disk_puts_no_resend_off);
	RUN(many_are_due_at_once);
	return test_end();
}

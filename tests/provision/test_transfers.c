/* SPDX-License-Identifier: MIT */
/*
 * TFTP transfers in virtual time: a client of ours on the other side, a link that loses, doubles
 * and reorders by a seeded generator, and a shell that answers effects at once.
 */
#include "core/provision/transfers.h"

#include "core/tftp/packet.h"
#include "tests/test.h"

enum { file_size_max = 200000 };

static char file[file_size_max];

struct world {
	struct transfers *transfers;
	struct transfer_effects effects;
	uint64_t now_ms;
	size_t file_size;
	bool is_stored;
	bool is_pending;
	unsigned served;
	/* What came out since it was last looked at. */
	struct tftp_packet sent[128];
	char octets[128][2048];
	uint64_t sent_from[128];
	size_t sent_count;
	uint64_t last_id;
	unsigned closed;
	unsigned fetched;
	enum report_level told_level; /* of the last report */
	char told[48];		      /* its reason */
};

static void serve(void *context, struct file_request *request, uint32_t interface,
		  struct arena *arena, struct file_answer *answer, struct effects *effects)
{
	struct world *world = context;

	(void)interface;
	(void)effects;
	world->served++;
	*answer = (struct file_answer){.verdict = FILE_REFUSED};
	if (world->is_pending) {
		answer->verdict = FILE_PENDING;
	} else if (span_equal(request->path, SPAN("good"))) {
		answer->verdict = world->is_stored ? FILE_CATALOGUE : FILE_BYTES;
		answer->bytes = span_make(file, world->file_size);
		answer->size = world->file_size;
		answer->name = arena_copy(arena, request->path);
	}
}

static void carry_out(struct world *w);

static void act(struct world *w, const struct transfer_effect *e, struct transfer_notice *notice)
{
	switch (e->kind) {
	case TRANSFER_SEND:
		if (w->sent_count < 128) {
			memcpy(w->octets[w->sent_count], e->bytes.data, e->bytes.length);
			CHECK_EQUAL(0,
				    tftp_read(span_make(w->octets[w->sent_count], e->bytes.length),
					      &w->sent[w->sent_count]));
			w->sent_from[w->sent_count++] = e->id;
		}
		break;
	case TRANSFER_OPEN_SOCKET:
		w->last_id = e->id;
		break;
	case TRANSFER_OPEN_FILE:
		*notice = (struct transfer_notice){.kind = TRANSFER_FILE_OPENED,
						   .id = e->id,
						   .size = w->file_size};
		break;
	case TRANSFER_READ:
		*notice = (struct transfer_notice){.kind = TRANSFER_FILE_READ,
						   .id = e->id,
						   .offset = e->offset,
						   .bytes = span_make(file + e->offset, e->length)};
		break;
	case TRANSFER_CLOSE:
		w->closed++;
		break;
	}
}

static void note_other(struct world *w, const struct effect *effect)
{
	w->fetched += effect->kind == EFFECT_CHANGE;
	if (effect->kind == EFFECT_REPORT) {
		w->told_level = effect->report.level;
		snprintf(w->told, sizeof(w->told), "%s", effect->report.reason);
	}
}

static void carry_out(struct world *w)
{
	struct transfer_notice notice = {.id = 0};

	do {
		notice.id = 0;
		for (size_t i = 0; i < w->effects.count; i++) {
			act(w, &w->effects.items[i], &notice);
		}
		for (size_t i = 0; i < w->effects.others.count; i++) {
			note_other(w, &w->effects.others.items[i]);
		}
		transfer_effects_reset(&w->effects);
		if (notice.id != 0) {
			transfers_change(w->transfers, &notice, w->now_ms, &w->effects);
		}
	} while (notice.id != 0 || w->effects.count > 0);
}

static struct packet packet_from(uint16_t port, struct span bytes)
{
	return (struct packet){.bytes = bytes,
			       .source = {address_ipv4(10, 0, 0, 2), port},
			       .local = address_ipv4(10, 0, 0, 1)};
}

static void give(struct world *w, uint64_t id, uint16_t port, struct span bytes)
{
	struct packet packet = packet_from(port, bytes);

	w->sent_count = 0;
	transfers_receive(w->transfers, id, &packet, w->now_ms, &w->effects);
	carry_out(w);
}

static void request(struct world *w, const char *name, enum tftp_mode mode,
		    const struct tftp_options *options)
{
	char text[512];
	struct writer writer = writer_over(text, sizeof(text));

	tftp_write_request(&writer, TFTP_RRQ, span_text(name), mode, options);
	give(w, 0, 2000, writer_span(&writer));
}

static void ack(struct world *w, uint64_t block)
{
	char text[4];
	struct writer writer = writer_over(text, sizeof(text));

	tftp_write_ack(&writer, (uint16_t)block);
	give(w, w->last_id, 2000, writer_span(&writer));
}

static void wait(struct world *w, uint64_t ms)
{
	w->now_ms += ms;
	w->sent_count = 0;
	transfers_expire(w->transfers, w->now_ms, &w->effects);
	carry_out(w);
}

static void open_world(struct world *w, size_t file_size, bool is_stored)
{
	struct transfers_options options;

	*w = (struct world){.file_size = file_size, .is_stored = is_stored, .now_ms = 1000000};
	for (size_t i = 0; i < sizeof(file); i++) {
		file[i] = (char)(i * 7 + i / 251);
	}
	transfers_defaults(&options);
	options.serve = serve;
	options.context = w;
	options.transfers_max = 8;
	options.transfers_per_source_max = 4;
	if (transfer_effects_init(&w->effects) != 0 ||
	    transfers_new(&w->transfers, &options) != 0) {
		abort();
	}
}

static void close_world(struct world *w)
{
	transfers_free(w->transfers);
	transfer_effects_free(&w->effects);
}

static const struct tftp_options no_options;

static void r_tftp_4_5_sizes_around_a_block(void)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 1024};

	for (size_t i = 0; i < 12; i++) {
		struct world w;
		size_t size = sizes[i / 2];

		open_world(&w, size, i % 2);
		request(&w, "good", TFTP_OCTET, &no_options);
		for (uint64_t block = 1; block <= size / 512 + 1; block++) {
			CHECK_EQUAL(1, w.sent_count);
			CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
			CHECK_EQUAL(block, w.sent[0].block);
			CHECK_SPAN(span_slice(span_make(file, size), (block - 1) * 512,
					      block * 512),
				   w.sent[0].data);
			ack(&w, block);
		}
		CHECK_EQUAL(0, w.sent_count);
		CHECK_EQUAL(1, w.closed);
		CHECK_EQUAL(1, w.fetched);
		CHECK_EQUAL(0, transfers_counters(w.transfers)->open);
		wait(&w, 1000);
		CHECK_EQUAL(UINT64_MAX, transfers_next_wake(w.transfers));
		close_world(&w);
	}
}

static void r_tftp_6_a_repeated_ack_sends_nothing(void)
{
	struct world w;

	open_world(&w, 5000, false);
	request(&w, "good", TFTP_OCTET, &no_options);
	ack(&w, 1);
	CHECK_EQUAL(1, w.sent_count);
	ack(&w, 1);
	CHECK_EQUAL(0, w.sent_count);
	ack(&w, 0); /* from before the window: R-TFTP-33 */
	CHECK_EQUAL(0, w.sent_count);
	ack(&w, 9);
	CHECK_EQUAL(0, w.sent_count);
	close_world(&w);
}

static void r_tftp_7_resends_with_back_off_then_gives_up(void)
{
	static const uint64_t waits[] = {1000, 2000, 4000, 8000, 8000, 8000};
	struct world w;

	open_world(&w, 5000, false);
	request(&w, "good", TFTP_OCTET, &no_options);
	for (size_t i = 0; i < 6; i++) {
		wait(&w, waits[i] - 1);
		CHECK_EQUAL(0, w.sent_count);
		wait(&w, 1);
		CHECK_EQUAL(1, w.sent_count);
		CHECK_EQUAL(1, w.sent[0].block);
	}
	wait(&w, 8000);
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.closed);
	CHECK_EQUAL(0, w.fetched);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->abandoned);
	close_world(&w);
}

static void r_tftp_9_10_wrong_tid_and_errors(void)
{
	struct world w;

	open_world(&w, 5000, false);
	request(&w, "good", TFTP_OCTET, &no_options);
	give(&w, w.last_id, 3000, SPAN("\0\4\0\1"));
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_ERROR_TID, w.sent[0].error);
	give(&w, w.last_id, 3000, SPAN("\0\5\0\0x\0"));
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->open);
	give(&w, w.last_id, 2000, SPAN("\0\5\0\0%n%s\0"));
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.closed);
	close_world(&w);
}

/* Who hangs up is no news; who falls silent is. */
static void the_end_of_a_transfer_is_told(void)
{
	struct world w;

	open_world(&w, 300, true);
	request(&w, "good", TFTP_OCTET, &no_options);
	ack(&w, 1);
	CHECK_TEXT("file_served", span_text(w.told));
	request(&w, "good", TFTP_OCTET, &no_options);
	give(&w, w.last_id, 2000, SPAN("\0\5\0\0enough\0"));
	CHECK_TEXT("transfer_abandoned", span_text(w.told));
	CHECK_EQUAL(REPORT_DEBUG, w.told_level);
	request(&w, "good", TFTP_OCTET, &no_options);
	for (unsigned i = 0; i < 100; i++) {
		wait(&w, 1000);
	}
	CHECK_EQUAL(0, transfers_counters(w.transfers)->open);
	CHECK_EQUAL(REPORT_INFO, w.told_level);
	close_world(&w);
}

static void r_tftp_12_37_the_listening_port(void)
{
	struct world w;

	open_world(&w, 5000, false);
	give(&w, 0, 2000, SPAN("\0\2good\0octet\0"));
	CHECK_EQUAL(TFTP_ERROR_ACCESS, w.sent[0].error);
	give(&w, 0, 2000, SPAN("\0\1good\0mail\0"));
	CHECK_EQUAL(TFTP_ERROR_OPERATION, w.sent[0].error);
	request(&w, "bad", TFTP_OCTET, &no_options);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_ERROR_NOT_FOUND, w.sent[0].error);
	CHECK_EQUAL(0, w.sent_from[0]);
	give(&w, 0, 2000, SPAN("\0\3\0\1data"));
	CHECK_EQUAL(0, w.sent_count);
	give(&w, 0, 2000, SPAN("\0\5\0\1%n\0"));
	CHECK_EQUAL(0, w.sent_count);
	give(&w, 0, 2000, SPAN("\0\7x"));
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(0, transfers_counters(w.transfers)->open);
	close_world(&w);
}

static void r_tftp_13_a_copied_request_is_the_same_transfer(void)
{
	struct world w;

	open_world(&w, 5000, false);
	request(&w, "good", TFTP_OCTET, &no_options);
	request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	CHECK_EQUAL(1, w.served);
	ack(&w, 1);
	request(&w, "good", TFTP_OCTET, &no_options); /* begun anew on the same port */
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(1, w.sent[0].block);
	CHECK_EQUAL(1, transfers_counters(w.transfers)->open);
	close_world(&w);
}

static void r_tftp_16_to_24_options(void)
{
	struct world w;
	struct tftp_options asked = {.has_block_size = true,
				     .block_size = 65464,
				     .has_timeout = true,
				     .timeout_s = 3,
				     .has_transfer_size = true};

	open_world(&w, 5000, true);
	request(&w, "good", TFTP_OCTET, &asked);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode);
	CHECK_EQUAL(1428, w.sent[0].options.block_size);
	CHECK_EQUAL(3, w.sent[0].options.timeout_s);
	CHECK_EQUAL(5000, w.sent[0].options.transfer_size);
	CHECK(!w.sent[0].options.has_window_size);
	wait(&w, 2999);
	CHECK_EQUAL(0, w.sent_count);
	wait(&w, 1);
	CHECK_EQUAL(TFTP_OACK, w.sent[0].opcode); /* R-TFTP-19 */
	ack(&w, 1);
	CHECK_EQUAL(0, w.sent_count);
	ack(&w, 0);
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	CHECK_EQUAL(1428, w.sent[0].data.length);
	close_world(&w);
	open_world(&w, 5000, true);
	asked = (struct tftp_options){.has_transfer_size = true};
	request(&w, "good", TFTP_NETASCII, &asked); /* R-TFTP-25, R-TFTP-17 */
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	close_world(&w);
}

static void waits_for_the_network_then_refuses(void)
{
	struct world w;

	open_world(&w, 5000, false);
	w.is_pending = true;
	request(&w, "good", TFTP_OCTET, &no_options);
	CHECK_EQUAL(0, w.sent_count);
	wait(&w, 50);
	CHECK_EQUAL(0, w.sent_count);
	w.is_pending = false;
	wait(&w, 50);
	CHECK_EQUAL(1, w.sent_count);
	CHECK_EQUAL(TFTP_DATA, w.sent[0].opcode);
	close_world(&w);
	open_world(&w, 5000, false);
	w.is_pending = true;
	request(&w, "good", TFTP_OCTET, &no_options);
	for (int i = 0; i < 19; i++) {
		wait(&w, 50);
		CHECK_EQUAL(0, w.sent_count);
	}
	wait(&w, 50);
	CHECK_EQUAL(TFTP_ERROR_NOT_FOUND, w.sent[0].error);
	close_world(&w);
}

static void r_tftp_36_caps_per_source(void)
{
	struct world w;

	open_world(&w, 5000, false);
	for (uint16_t port = 1; port <= 5; port++) {
		give(&w, 0, port, SPAN("\0\1good\0octet\0"));
		CHECK_EQUAL(port <= 4, w.sent_count);
	}
	CHECK_EQUAL(1, transfers_counters(w.transfers)->full);
	close_world(&w);
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
	request(w, "good", TFTP_OCTET, &asked);
	ack(w, 0);
	for (int turn = 0; turn < 20000 && !w->closed; turn++) {
		struct tftp_packet sent[128];
		size_t count = w->sent_count;
		bool must_ack = false;

		memcpy(sent, w->sent, sizeof(sent));
		for (size_t i = 0; i < count; i++) {
			if (random_below(&random, 10) == 0 || sent[i].opcode != TFTP_DATA) {
				continue; /* lost */
			}
			must_ack = true;
			if (sent[i].block == (uint16_t)expected && !is_done) {
				memcpy(got + length, sent[i].data.data, sent[i].data.length);
				length += sent[i].data.length;
				is_done = sent[i].data.length < 512;
				expected++;
			}
		}
		w->sent_count = 0;
		if (!must_ack || random_below(&random, 10) == 0) {
			wait(w, 500);
			continue;
		}
		ack(w, expected - 1);
	}
	return length;
}

static void r_tftp_27_to_32_arrive_whole_over_a_bad_link(void)
{
	static char got[file_size_max + 4096];

	for (uint64_t seed = 0; seed < 12; seed++) {
		struct world w;

		open_world(&w, 100000 + seed * 512, seed % 2);
		CHECK_EQUAL(w.file_size, fetch_over_bad_link(&w, seed, seed % 3 * 5, got));
		CHECK(memcmp(file, got, w.file_size) == 0);
		close_world(&w);
	}
}

int main(void)
{
	RUN(r_tftp_4_5_sizes_around_a_block);
	RUN(r_tftp_6_a_repeated_ack_sends_nothing);
	RUN(r_tftp_7_resends_with_back_off_then_gives_up);
	RUN(r_tftp_9_10_wrong_tid_and_errors);
	RUN(the_end_of_a_transfer_is_told);
	RUN(r_tftp_12_37_the_listening_port);
	RUN(r_tftp_13_a_copied_request_is_the_same_transfer);
	RUN(r_tftp_16_to_24_options);
	RUN(waits_for_the_network_then_refuses);
	RUN(r_tftp_36_caps_per_source);
	RUN(r_tftp_27_to_32_arrive_whole_over_a_bad_link);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * The decider of TFTP in virtual time: a shell that answers its effects at once (or holds them
 * back, when a test says so), a file whose octets are known at every offset, and a client of ours.
 */
#ifndef BELLHOP_TESTS_PROVISION_TRANSFER_WORLD_H
#define BELLHOP_TESTS_PROVISION_TRANSFER_WORLD_H

#include "core/provision/transfers.h"
#include "core/tftp/packet.h"
#include "tests/test.h"

enum {
	world_rendered_max = 200000,
	world_sent_max = 80,
	world_octets_max = tftp_header_size + tftp_block_size_max,
	client_port = 2000,
	stranger_port = 3000,
};

static char world_rendered[world_rendered_max];
static char world_octets[world_sent_max][world_octets_max];
static char world_piece[transfers_piece_max];

struct world {
	struct transfers_options options; /* set before world_open, or by it */
	struct transfers *transfers;
	struct transfer_effects effects;
	uint64_t now_ms;
	uint64_t file_size;
	bool is_stored;
	bool is_stamped; /* the source is 0 but for a stamp at each piece: fast, for huge files */
	bool is_refused;
	bool is_pending; /* the network does not know the sender yet */
	bool is_fresh;	 /* the file, whenever it is opened */
	bool holds_files;
	bool holds_sockets;
	bool holds_reads;
	size_t path_octets;
	unsigned served;
	/* What came out since it was last looked at. */
	struct tftp_packet sent[world_sent_max];
	uint64_t sent_from[world_sent_max];
	struct endpoint sent_to[world_sent_max];
	struct address sent_local[world_sent_max];
	size_t sent_length[world_sent_max];
	size_t sent_count;
	size_t send_effects;
	uint64_t last_id;
	bool asked_for_path;
	struct transfer_effect held; /* the READ or OPEN that was held back last */
	unsigned reads;
	unsigned closed;
	unsigned fetched;
	enum report_level told_level; /* of the last report */
	char told[48];		      /* its reason */
	char told_text[256];
};

static inline char world_octet(uint64_t offset)
{
	return (char)(offset * 7 + offset / 251 + (offset >> 32));
}

/* What stands at a place of the stored file. */
static inline void world_read(const struct world *w, uint64_t offset, char *octets, size_t length)
{
	if (w->is_stamped) {
		memset(octets, 0, length);
		memcpy(octets, &offset, length < sizeof(offset) ? length : sizeof(offset));
		return;
	}
	for (size_t i = 0; i < length; i++) {
		octets[i] = world_octet(offset + i);
	}
}

static inline void world_serve(void *context, struct file_request *request, uint32_t interface,
			       struct arena *arena, struct file_answer *answer,
			       struct effects *effects)
{
	struct world *world = context;

	(void)interface;
	(void)effects;
	world->served++;
	*answer = (struct file_answer){.verdict = FILE_REFUSED};
	if (world->is_pending && !request->is_last_try) {
		answer->verdict = FILE_PENDING;
	} else if (!world->is_pending && !world->is_refused &&
		   (span_equal(request->path, SPAN("good")) ||
		    span_equal(request->path, SPAN("other")))) {
		answer->verdict = world->is_stored ? FILE_CATALOGUE : FILE_BYTES;
		answer->bytes = span_make(world_rendered, (size_t)world->file_size);
		answer->size = world->file_size;
		answer->name = arena_copy(arena, request->path);
	}
}

static inline void world_keep_datagram(struct world *w, const struct transfer_effect *e,
				       struct span datagram)
{
	size_t i = w->sent_count;

	if (i == world_sent_max || datagram.length > world_octets_max) {
		abort();
	}
	memcpy(world_octets[i], datagram.data, datagram.length);
	CHECK_EQUAL(0, tftp_read(span_make(world_octets[i], datagram.length), &w->sent[i]));
	w->sent_from[i] = e->id;
	w->sent_to[i] = e->to;
	w->sent_local[i] = e->local;
	w->sent_length[i] = datagram.length;
	w->sent_count++;
}

static inline void world_keep_sent(struct world *w, const struct transfer_effect *e)
{
	size_t size = e->packet_size > 0 ? e->packet_size : e->bytes.length;

	w->send_effects++;
	for (size_t at = 0; at < e->bytes.length; at += size) {
		world_keep_datagram(w, e, span_slice(e->bytes, at, at + size));
	}
}

/* The answer of a shell to an effect that has one. */
static inline struct transfer_notice world_answer(struct world *w, const struct transfer_effect *e)
{
	struct transfer_notice notice = {.id = e->id};

	if (e->kind == TRANSFER_OPEN_SOCKET) {
		notice.kind = TRANSFER_SOCKET_OPENED;
		notice.path_octets = w->path_octets;
	} else if (e->kind == TRANSFER_OPEN_FILE) {
		notice.kind = TRANSFER_FILE_OPENED;
		notice.size = w->file_size;
		notice.is_fresh = w->is_fresh;
	} else {
		notice.kind = TRANSFER_FILE_READ;
		notice.offset = e->offset;
		notice.bytes = span_make(world_piece, e->length);
		world_read(w, e->offset, world_piece, e->length);
	}
	return notice;
}

static inline void world_act(struct world *w, const struct transfer_effect *e,
			     struct transfer_notice *notice)
{
	bool is_held = (e->kind == TRANSFER_OPEN_SOCKET && w->holds_sockets) ||
		       (e->kind == TRANSFER_OPEN_FILE && w->holds_files) ||
		       (e->kind == TRANSFER_READ && w->holds_reads);

	if (e->kind == TRANSFER_SEND) {
		world_keep_sent(w, e);
		return;
	}
	if (e->kind == TRANSFER_CLOSE) {
		w->closed++;
		return;
	}
	w->last_id = e->id;
	w->reads += e->kind == TRANSFER_READ;
	w->asked_for_path = e->kind == TRANSFER_OPEN_SOCKET ? e->wants_path : w->asked_for_path;
	if (is_held) {
		w->held = *e;
	} else if (notice->id != 0) {
		abort(); /* two at once: this shell is too simple for that */
	} else {
		*notice = world_answer(w, e);
	}
}

static inline void world_note_other(struct world *w, const struct effect *effect)
{
	w->fetched += effect->kind == EFFECT_CHANGE;
	if (effect->kind == EFFECT_REPORT) {
		w->told_level = effect->report.level;
		snprintf(w->told, sizeof(w->told), "%s", effect->report.reason);
		snprintf(w->told_text, sizeof(w->told_text), "%.*s",
			 (int)effect->report.text.length, effect->report.text.data);
	}
}

static inline void world_carry_out(struct world *w)
{
	struct transfer_notice notice;

	do {
		notice.id = 0;
		for (size_t i = 0; i < w->effects.count; i++) {
			world_act(w, &w->effects.items[i], &notice);
		}
		for (size_t i = 0; i < w->effects.others.count; i++) {
			world_note_other(w, &w->effects.others.items[i]);
		}
		transfer_effects_reset(&w->effects);
		if (notice.id != 0) {
			transfers_change(w->transfers, &notice, w->now_ms, &w->effects);
		}
	} while (notice.id != 0 || w->effects.count > 0);
}

static inline void world_tell(struct world *w, struct transfer_notice notice)
{
	w->sent_count = 0;
	w->send_effects = 0;
	transfers_change(w->transfers, &notice, w->now_ms, &w->effects);
	world_carry_out(w);
}

/* Answers what was held back last. */
static inline void world_let_go(struct world *w)
{
	world_tell(w, world_answer(w, &w->held));
}

static inline void world_give(struct world *w, uint64_t id, uint16_t port, struct span bytes)
{
	struct packet packet = {.bytes = bytes,
				.source = {address_ipv4(10, 0, 0, 2), port},
				.local = address_ipv4(10, 0, 0, 1)};

	w->sent_count = 0;
	w->send_effects = 0;
	transfers_receive(w->transfers, id, &packet, w->now_ms, &w->effects);
	world_carry_out(w);
}

static inline void world_request(struct world *w, const char *name, enum tftp_mode mode,
				 const struct tftp_options *options)
{
	char text[512];
	struct writer writer = writer_over(text, sizeof(text));

	tftp_write_request(&writer, TFTP_RRQ, span_text(name), mode, options);
	world_give(w, 0, client_port, writer_span(&writer));
}

/* The 16 bits as they stand. */
static inline void world_ack(struct world *w, uint64_t block)
{
	char text[4];
	struct writer writer = writer_over(text, sizeof(text));

	tftp_write_ack(&writer, (uint16_t)block);
	world_give(w, w->last_id, client_port, writer_span(&writer));
}

static inline void world_wait(struct world *w, uint64_t ms)
{
	w->now_ms += ms;
	w->sent_count = 0;
	w->send_effects = 0;
	transfers_expire(w->transfers, w->now_ms, &w->effects);
	world_carry_out(w);
}

static inline size_t world_open_count(const struct world *w)
{
	return transfers_counters(w->transfers)->open;
}

/* With the options that the test has put into `w->options`. */
static inline void world_open_with(struct world *w)
{
	for (size_t i = 0; i < sizeof(world_rendered); i++) {
		world_rendered[i] = world_octet(i);
	}
	w->now_ms = 1000000;
	w->path_octets = w->path_octets > 0 ? w->path_octets : 1500;
	w->options.serve = world_serve;
	w->options.context = w;
	if (transfer_effects_init(&w->effects) != 0 ||
	    transfers_new(&w->transfers, &w->options) != 0) {
		abort();
	}
}

static inline void world_open(struct world *w, uint64_t file_size, bool is_stored)
{
	*w = (struct world){.file_size = file_size, .is_stored = is_stored};
	transfers_defaults(&w->options);
	w->options.transfers_max = 8;
	w->options.transfers_per_source_max = 4;
	world_open_with(w);
}

static inline void world_close(struct world *w)
{
	transfers_free(w->transfers);
	transfer_effects_free(&w->effects);
}

static const struct tftp_options no_options;

static inline struct tftp_options world_window(uint16_t block_size, uint16_t window_size)
{
	return (struct tftp_options){.has_block_size = true,
				     .block_size = block_size,
				     .has_window_size = true,
				     .window_size = window_size};
}

/* The i-th datagram that came out is this block of the file. */
static inline void world_check_block(const struct world *w, size_t i, uint64_t block,
				     size_t block_size)
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

#endif

/* SPDX-License-Identifier: MIT */
#include "core/provision/transfers.h"

#include "core/base/table.h"
#include "core/provision/transfer.h"

#include <errno.h>
#include <stdlib.h>

enum {
	effects_count_max = 256,
	effects_bytes_max = 4 << 20,
	effects_for_one = 8, /* what one transfer appends at most at once */
	wait_ms = 50,	     /* for evidence of the sender, or for a file to settle */
	evidence_wait_ms_max = 1000,
	opening_ms_max = 5000,
	serve_bytes_max = 4 << 20, /* of one answer of files_serve */
	strangers_max = 8,	   /* answered by one transfer (R-TFTP-9) */
	spares_max = 32,
	spare_ring_size_max = 65536,
};

struct transfers {
	struct transfers_options options;
	struct transfers_counters counters;
	struct random random;
	struct table by_peer;
	struct transfer **slots; /* options.transfers_max; the low 16 bits of an id, minus one */
	uint64_t serial;	 /* the other bits */
	uint64_t next_wake;	 /* nothing is due before it */
	size_t held_bytes;
	struct arena arena;		     /* of one answer of files_serve */
	struct transfer *spares[spares_max]; /* with their rings: a phone's files come in a row */
	size_t spare_count;
};

int transfer_effects_init(struct transfer_effects *effects)
{
	*effects = (struct transfer_effects){.count_max = effects_count_max};
	effects->items = calloc(effects_count_max, sizeof(*effects->items));
	if (!effects->items) {
		return -ENOMEM;
	}
	if (effects_init(&effects->others, effects_count_max, effects_bytes_max) != 0) {
		free(effects->items);
		effects->items = NULL;
		return -ENOMEM;
	}
	return 0;
}

void transfer_effects_reset(struct transfer_effects *effects)
{
	effects->count = 0;
	effects_reset(&effects->others);
}

void transfer_effects_free(struct transfer_effects *effects)
{
	free(effects->items);
	effects->items = NULL;
	effects->count = 0;
	effects_free(&effects->others);
}

void transfers_defaults(struct transfers_options *options)
{
	*options = (struct transfers_options){
		.transfers_max = 500,
		.transfers_per_source_max = 16,
		.held_bytes_max = 64 << 20,
		.block_size_max = tftp_block_size_max,
		.window_size_max = 16,
		.window_bytes_max = 128 << 10, /* what a socket holds unread, by default */
		.resend_ms = 1000,
		.resend_ms_max = 8000,
		.resends_max = 6,
		.read_ms_max = 30000,
		.life_ms_max = UINT64_C(24) * 3600 * 1000,
	};
}

static struct span key_of(const void *entry)
{
	const struct transfer *t = entry;

	return span_make((const char *)t->key, sizeof(t->key));
}

int transfers_new(struct transfers **transfers, const struct transfers_options *options)
{
	struct transfers *ts = calloc(1, sizeof(*ts));

	if (!ts) {
		return -ENOMEM;
	}
	ts->options = *options;
	if (ts->options.transfers_max > UINT16_MAX) {
		ts->options.transfers_max = UINT16_MAX;
	}
	ts->slots = calloc(ts->options.transfers_max, sizeof(struct transfer *));
	if (!ts->slots) {
		free(ts);
		return -ENOMEM;
	}
	random_init(&ts->random, options->seed);
	table_init(&ts->by_peer, ts->options.transfers_max, &ts->random, key_of);
	arena_init(&ts->arena, serve_bytes_max);
	ts->next_wake = UINT64_MAX;
	*transfers = ts;
	return 0;
}

/* Its memory with the ring is kept for the next one, or given back. */
static void discard(struct transfers *ts, struct transfer *t)
{
	free(t->bytes);
	t->bytes = NULL;
	if (ts->spare_count < spares_max && t->blocks.ring_size <= spare_ring_size_max) {
		ts->spares[ts->spare_count++] = t;
		return;
	}
	tftp_blocks_free(&t->blocks);
	free(t);
}

/* All zero but for the ring that may be left of an earlier one. */
static struct transfer *take_memory(struct transfers *ts)
{
	struct transfer *t;
	char *ring;
	size_t ring_size;

	if (ts->spare_count == 0) {
		return calloc(1, sizeof(*t));
	}
	t = ts->spares[--ts->spare_count];
	ring = t->blocks.ring;
	ring_size = t->blocks.ring_size;
	memset(t, 0, sizeof(*t));
	t->blocks.ring = ring;
	t->blocks.ring_size = ring_size;
	return t;
}

/* Counts memory that the transfer is going to hold. False when that is too much in all. */
static bool hold(struct transfers *ts, struct transfer *t, size_t octets)
{
	if (octets > ts->options.held_bytes_max - ts->held_bytes) {
		ts->counters.full++;
		return false;
	}
	ts->held_bytes += octets;
	t->held += octets;
	return true;
}

static void leave_table(struct transfers *ts, struct transfer *t)
{
	if (!t->is_superseded) {
		table_remove(&ts->by_peer, key_of(t));
		t->is_superseded = true;
	}
}

static void free_transfer(struct transfers *ts, struct transfer *t)
{
	leave_table(ts, t);
	ts->slots[(t->id & UINT16_MAX) - 1] = NULL;
	ts->counters.open--;
	ts->held_bytes -= t->held;
	discard(ts, t);
}

void transfers_free(struct transfers *transfers)
{
	if (!transfers) {
		return;
	}
	for (size_t i = 0; i < transfers->options.transfers_max; i++) {
		if (transfers->slots[i]) {
			free_transfer(transfers, transfers->slots[i]);
		}
	}
	while (transfers->spare_count > 0) {
		struct transfer *t = transfers->spares[--transfers->spare_count];

		tftp_blocks_free(&t->blocks);
		free(t);
	}
	table_free(&transfers->by_peer);
	arena_free(&transfers->arena);
	free(transfers->slots);
	free(transfers);
}

static struct transfer *find(const struct transfers *ts, uint64_t id)
{
	size_t slot = id & UINT16_MAX;
	struct transfer *t;

	if (slot == 0 || slot > ts->options.transfers_max) {
		return NULL;
	}
	t = ts->slots[slot - 1];
	return t && t->id == id ? t : NULL;
}

static void make_key(uint8_t key[static transfer_key_size], const struct packet *packet)
{
	struct writer w = writer_over((char *)key, transfer_key_size);

	writer_u8(&w, packet->source.address.family);
	writer_put(&w, span_make((const char *)packet->source.address.octets, 16));
	writer_u16(&w, packet->source.port);
	writer_u8(&w, packet->local.family);
	writer_put(&w, span_make((const char *)packet->local.octets, 16));
	while (w.length < w.size) {
		writer_u8(&w, 0);
	}
}

static struct transfer_common common(struct transfers *ts, struct transfer_effects *effects,
				     uint64_t now_ms)
{
	return (struct transfer_common){&ts->options, &ts->counters, effects, now_ms};
}

static uint64_t due_at(const struct transfers *ts, const struct transfer *t)
{
	uint64_t life_end = t->started_ms + ts->options.life_ms_max;

	return t->deadline_ms < life_end ? t->deadline_ms : life_end;
}

/* After every step of a transfer: its timer, or its end. */
static void settle(struct transfers *ts, struct transfer *t, struct transfer_effects *effects)
{
	struct change fetched;

	if (!transfer_is_over(t)) {
		uint64_t due = due_at(ts, t);

		ts->next_wake = due < ts->next_wake ? due : ts->next_wake;
		return;
	}
	if (t->state == TRANSFER_COMPLETE) {
		struct change *copy;

		ts->counters.completed++;
		files_report_fetched(&t->served, &t->answer, &effects->others);
		fetched = files_fetched(&t->served, &t->answer);
		copy = change_copy(&effects->others.arena, &fetched);
		if (copy) {
			effects_change(&effects->others, copy);
		}
	} else {
		ts->counters.abandoned++;
	}
	transfer_emit(effects, (struct transfer_effect){.kind = TRANSFER_CLOSE, .id = t->id});
	free_transfer(ts, t);
}

static size_t count_from(const struct transfers *ts, struct address source)
{
	size_t count = 0;

	for (size_t i = 0; i < ts->options.transfers_max; i++) {
		count += ts->slots[i] && address_equal(ts->slots[i]->peer.address, source);
	}
	return count;
}

/*
 * Refuses from the listening socket: no state, and hardly larger than the smallest request
 * (R-TFTP-36).
 */
static void refuse(struct transfers *ts, const struct packet *packet, enum tftp_error error,
		   const char *text, struct transfer_effects *effects)
{
	struct transfer_effect target = {.to = packet->source,
					 .local = packet->local,
					 .interface = packet->interface};

	ts->counters.refused++;
	transfer_send_error(effects, target, error, text);
}

/* Tells the operator why a request is not looked at. Its name may hold a key: it is not shown. */
static void report_request(const struct packet *packet, const char *reason, const char *text,
			   struct transfer_effects *effects)
{
	effects_report(&effects->others, (struct effect_report){.level = REPORT_INFO,
								.reason = reason,
								.text = span_text(text),
								.source = packet->source});
}

static struct transfer *add_transfer(struct transfers *ts, const struct packet *packet)
{
	struct transfer *t;
	size_t slot = 0;

	while (slot < ts->options.transfers_max && ts->slots[slot]) {
		slot++;
	}
	if (slot == ts->options.transfers_max ||
	    count_from(ts, packet->source.address) >= ts->options.transfers_per_source_max) {
		return NULL;
	}
	t = take_memory(ts);
	if (!t) {
		return NULL;
	}
	make_key(t->key, packet);
	if (table_add(&ts->by_peer, t) != 0) {
		discard(ts, t);
		return NULL;
	}
	t->id = ++ts->serial << 16 | (slot + 1);
	ts->slots[slot] = t;
	ts->counters.open++;
	t->peer = packet->source;
	t->local = packet->local;
	t->interface = packet->interface;
	memcpy(t->request, packet->bytes.data, packet->bytes.length);
	t->request_length = packet->bytes.length;
	return t;
}

/* What was served, kept for as long as the transfer lives. */
static void keep_answer(struct transfer *t, const struct file_request *request,
			const struct file_answer *answer)
{
	t->served = *request;
	t->answer = *answer;
	span_to_text(answer->name, t->name, sizeof(t->name));
	span_to_text(request->interface, t->interface_name, sizeof(t->interface_name));
	t->served.path = span_make(NULL, 0);
	t->served.user_agent = span_make(NULL, 0);
	t->served.interface = span_text(t->interface_name);
	t->answer.name = span_text(t->name);
	t->answer.bytes = span_make(NULL, 0);
	t->answer.content_type = span_make(NULL, 0);
	t->answer.etag = span_make(NULL, 0);
}

static void open_socket(struct transfer *t, const struct transfer_common *c)
{
	struct transfer_effect open = transfer_effect_of(t, TRANSFER_OPEN_SOCKET);

	t->state = TRANSFER_OPENING_SOCKET;
	t->deadline_ms = c->now_ms + opening_ms_max;
	open.wants_path =
		t->options.has_block_size && t->options.block_size > tftp_block_size_default;
	transfer_emit(c->effects, open);
}

/* A copy of what was rendered, for as long as the transfer lives. False when there is no room. */
static bool keep_bytes(struct transfers *ts, struct transfer *t, struct span bytes)
{
	if (!hold(ts, t, bytes.length)) {
		return false;
	}
	t->bytes = malloc(bytes.length > 0 ? bytes.length : 1);
	if (!t->bytes) {
		return false;
	}
	if (bytes.length > 0) {
		memcpy(t->bytes, bytes.data, bytes.length);
	}
	t->size = bytes.length;
	return true;
}

/* Takes the answer over into the transfer: rendered bytes, or a stored file to open. */
static void accept(struct transfers *ts, struct transfer *t, const struct file_request *request,
		   const struct file_answer *answer, const struct transfer_common *c)
{
	struct transfer_effect open = transfer_effect_of(t, TRANSFER_OPEN_FILE);

	keep_answer(t, request, answer);
	t->is_stored = answer->verdict == FILE_CATALOGUE;
	if (t->is_stored) {
		t->state = TRANSFER_OPENING_FILE;
		t->deadline_ms = c->now_ms + opening_ms_max;
		open.bytes = t->answer.name;
		transfer_emit(c->effects, open);
	} else if (keep_bytes(ts, t, answer->bytes)) {
		open_socket(t, c);
	} else {
		transfer_abandon(t, c, REPORT_INFO, "too much memory is in use");
	}
}

static void refuse_name(struct transfers *ts, const struct transfer *t,
			const struct transfer_common *c)
{
	struct packet packet = {.source = t->peer, .local = t->local, .interface = t->interface};

	refuse(ts, &packet, TFTP_ERROR_NOT_FOUND, "File not found", c->effects);
}

/* The stored file was on the list, and is not to be had. */
static void lose_file(struct transfers *ts, struct transfer *t, const struct transfer_common *c)
{
	refuse_name(ts, t, c);
	transfer_abandon(t, c, REPORT_INFO, "the file is there no more");
}

/* To be asked for again. */
static void wait_a_while(struct transfer *t, const struct transfer_common *c)
{
	t->state = TRANSFER_WAITING;
	t->deadline_ms = c->now_ms + wait_ms;
}

/* Asks files_serve, now or again when it was too early. */
static void ask(struct transfers *ts, struct transfer *t, const struct transfer_common *c)
{
	struct tftp_packet read;
	struct file_answer answer = {.verdict = FILE_REFUSED};
	struct file_request request = {.door = DOOR_TFTP, .source = t->peer, .local = t->local};

	if (tftp_read(span_make(t->request, t->request_length), &read) != 0) {
		t->state = TRANSFER_ABANDONED;
		return;
	}
	t->mode = read.mode;
	t->options = read.options;
	request.path = read.file;
	request.is_last_try = c->now_ms - t->started_ms >= evidence_wait_ms_max;
	ts->options.serve(ts->options.context, &request, t->interface, &ts->arena, &answer,
			  &c->effects->others);
	if (answer.verdict == FILE_PENDING) {
		wait_a_while(t, c);
	} else if (answer.verdict == FILE_BYTES || answer.verdict == FILE_CATALOGUE) {
		accept(ts, t, &request, &answer, c);
	} else if (t->has_settled) {
		lose_file(ts, t, c); /* the shell has opened it already */
	} else {
		refuse_name(ts, t, c);
		free_transfer(ts, t);
		t = NULL;
	}
	arena_reset(&ts->arena);
	if (t) {
		settle(ts, t, c->effects);
	}
}

static void take_request(struct transfers *ts, const struct packet *packet,
			 const struct transfer_common *c)
{
	uint8_t key[transfer_key_size];
	struct transfer *t;

	ts->counters.requests++;
	make_key(key, packet);
	t = table_find(&ts->by_peer, span_make((const char *)key, sizeof(key)));
	if (t) {
		struct span request = span_make(t->request, t->request_length);

		/* R-TFTP-13: a copy of the request; its answer is on the way, or will be resent. */
		if (span_equal(request, packet->bytes) && t->blocks.acked == 0) {
			ts->counters.ignored++;
			return;
		}
		/*
		 * The client began anew on the same port, or this is a copy that was long under
		 * way. Which it is the client will say: it refuses the transfer that it does not
		 * know (R-TFTP-9), the old one or the new one.
		 */
		leave_table(ts, t);
	}
	t = add_transfer(ts, packet);
	if (!t) {
		ts->counters.full++; /* silence: the client asks again */
		report_request(
			packet, "tftp_full",
			"a TFTP request has to wait: too many transfers, in all or of its source",
			c->effects);
		return;
	}
	t->started_ms = c->now_ms;
	ask(ts, t, c);
}

static void refuse_request(struct transfers *ts, const struct packet *packet, enum tftp_error error,
			   const char *text, struct transfer_effects *effects)
{
	char told[100];
	struct writer w = writer_over(told, sizeof(told));

	writer_text(&w, "TFTP request refused: ");
	writer_text(&w, text);
	writer_terminate(&w);
	report_request(packet, "tftp_refused", told, effects);
	refuse(ts, packet, error, text, effects);
}

/* R-TFTP-37: what is no request gets no answer, or two servers could talk for ever. */
static void receive_listening(struct transfers *ts, const struct packet *packet,
			      const struct transfer_common *c)
{
	struct tftp_packet read = {.opcode = TFTP_ERROR};
	int result = tftp_read(packet->bytes, &read);

	if (result == -EBADMSG || (read.opcode != TFTP_RRQ && read.opcode != TFTP_WRQ)) {
		ts->counters.ignored++;
	} else if (read.opcode == TFTP_WRQ) {
		refuse_request(ts, packet, TFTP_ERROR_ACCESS, "Read only", c->effects);
	} else if (result == -E2BIG) {
		refuse_request(ts, packet, TFTP_ERROR_OPTION, "Request too long", c->effects);
	} else if (result == -EMSGSIZE) {
		refuse_request(ts, packet, TFTP_ERROR_OPERATION, "Name too long", c->effects);
	} else if (result != 0 || read.mode == TFTP_MAIL) {
		refuse_request(ts, packet, TFTP_ERROR_OPERATION, "Unknown mode", c->effects);
	} else {
		take_request(ts, packet, c);
	}
}

/*
 * R-TFTP-9: told that nobody knows it, but not for ever: an ERROR is longer than the ACK with the
 * forged source that it might answer. R-TFTP-10: an ERROR is never answered.
 */
static void receive_stranger(struct transfers *ts, struct transfer *t, struct endpoint stranger,
			     enum tftp_opcode opcode, struct transfer_effects *effects)
{
	struct transfer_effect target = transfer_effect_of(t, TRANSFER_SEND);

	ts->counters.ignored++;
	if (opcode != TFTP_ERROR && t->strangers < strangers_max) {
		t->strangers++;
		target.to = stranger;
		transfer_send_error(effects, target, TFTP_ERROR_TID, "Unknown transfer");
	}
}

void transfers_receive(struct transfers *transfers, uint64_t id, const struct packet *packet,
		       uint64_t now_ms, struct transfer_effects *effects)
{
	struct transfer_common c = common(transfers, effects, now_ms);
	struct tftp_packet read;
	struct transfer *t;

	if (id == 0) {
		receive_listening(transfers, packet, &c);
		return;
	}
	t = find(transfers, id);
	if (!t || tftp_read(packet->bytes, &read) != 0) {
		transfers->counters.ignored++;
		return;
	}
	if (!endpoint_equal(packet->source, t->peer)) {
		receive_stranger(transfers, t, packet->source, read.opcode, effects);
		return;
	}
	transfer_receive(t, &c, &read);
	settle(transfers, t, effects);
}

static void expire_one(struct transfers *ts, struct transfer *t, const struct transfer_common *c)
{
	if (c->now_ms - t->started_ms >= ts->options.life_ms_max) {
		transfer_fail(t, c, "Out of time", "it took too long in all");
	} else if (t->state == TRANSFER_WAITING) {
		ask(ts, t, c);
		return;
	} else if (t->state == TRANSFER_OPENING_FILE || t->state == TRANSFER_OPENING_SOCKET) {
		transfer_abandon(t, c, REPORT_INFO, "it could not be opened in time");
	} else {
		transfer_resend(t, c);
	}
	settle(ts, t, c->effects);
}

void transfers_expire(struct transfers *transfers, uint64_t now_ms,
		      struct transfer_effects *effects)
{
	struct transfer_common c = common(transfers, effects, now_ms);
	uint64_t next = UINT64_MAX;

	if (now_ms < transfers->next_wake) {
		return;
	}
	for (size_t i = 0; i < transfers->options.transfers_max; i++) {
		struct transfer *t = transfers->slots[i];

		if (!t || due_at(transfers, t) > now_ms) {
			continue;
		}
		if (effects->count + effects_for_one > effects->count_max ||
		    effects->others.count + effects_for_one > effects->others.count_max) {
			break;
		}
		expire_one(transfers, t, &c);
	}
	for (size_t i = 0; i < transfers->options.transfers_max; i++) {
		if (transfers->slots[i]) {
			uint64_t due = due_at(transfers, transfers->slots[i]);

			next = due < next ? due : next;
		}
	}
	transfers->next_wake = next;
}

uint64_t transfers_next_wake(const struct transfers *transfers)
{
	return transfers->next_wake;
}

/* There is a socket: what is granted is known now, and what memory that takes. */
static void socket_opened(struct transfers *ts, struct transfer *t, size_t path_octets,
			  const struct transfer_common *c)
{
	transfer_negotiate(t, c, path_octets);
	if (!hold(ts, t, tftp_blocks_size(transfer_ring_capacity(t), t->block_size)) ||
	    transfer_start(t, c) != 0) {
		transfer_abandon(t, c, REPORT_INFO, "too much memory is in use");
	}
}

static void file_opened(struct transfer *t, const struct transfer_notice *notice,
			const struct transfer_common *c)
{
	if (notice->is_fresh && !t->has_settled) {
		t->has_settled = true;
		wait_a_while(t, c);
		return;
	}
	t->size = notice->size;
	t->answer.size = notice->size;
	files_opened(&t->answer, notice->version);
	open_socket(t, c);
}

static void file_failed(struct transfers *ts, struct transfer *t, const struct transfer_common *c)
{
	if (t->state == TRANSFER_OPENING_FILE) {
		lose_file(ts, t, c);
	} else {
		transfer_fail(t, c, "Reading failed", "the file cannot be read");
	}
}

static void socket_failed(struct transfer *t, const struct transfer_common *c)
{
	if (t->state == TRANSFER_OPENING_SOCKET) {
		transfer_abandon(t, c, REPORT_INFO, "there is no socket for it");
	} else {
		transfer_lose_client(t, c, "the client is there no more");
	}
}

void transfers_change(struct transfers *transfers, const struct transfer_notice *notice,
		      uint64_t now_ms, struct transfer_effects *effects)
{
	struct transfer_common c = common(transfers, effects, now_ms);
	struct transfer *t = find(transfers, notice->id);

	if (!t) {
		return;
	}
	switch (notice->kind) {
	case TRANSFER_SOCKET_OPENED:
		if (t->state == TRANSFER_OPENING_SOCKET) {
			socket_opened(transfers, t, notice->path_octets, &c);
		}
		break;
	case TRANSFER_FILE_OPENED:
		if (t->state == TRANSFER_OPENING_FILE) {
			file_opened(t, notice, &c);
		}
		break;
	case TRANSFER_FILE_READ:
		transfer_take_piece(t, &c, notice->offset, notice->bytes);
		break;
	case TRANSFER_FILE_FAILED:
		file_failed(transfers, t, &c);
		break;
	case TRANSFER_SOCKET_FAILED:
		socket_failed(t, &c);
		break;
	}
	settle(transfers, t, effects);
}

const struct transfers_counters *transfers_counters(const struct transfers *transfers)
{
	return &transfers->counters;
}

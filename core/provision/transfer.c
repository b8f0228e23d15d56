/* SPDX-License-Identifier: MIT */
#include "core/provision/transfer.h"

enum {
	header_size_ipv4 = 20 + 8, /* without options, and UDP's */
	header_size_ipv6 = 40 + 8,
	path_octets_unknown = 1280, /* RFC 8200 5: every link takes that much */
	ring_octets_min = 32768,    /* fewer reads of a file that goes out one block at a time */
};

bool transfer_is_over(const struct transfer *t)
{
	return t->state == TRANSFER_COMPLETE || t->state == TRANSFER_ABANDONED;
}

static bool append(struct transfer_effects *effects, struct transfer_effect effect)
{
	if (effects->count == effects->count_max) {
		effects->others.lost++;
		return false;
	}
	effects->items[effects->count++] = effect;
	return true;
}

bool transfer_emit(struct transfer_effects *effects, struct transfer_effect effect)
{
	if (effect.bytes.length > 0) {
		effect.bytes = arena_copy(&effects->others.arena, effect.bytes);
		if (!effect.bytes.data) {
			effects->others.lost++;
			return false;
		}
	}
	return append(effects, effect);
}

void transfer_send_error(struct transfer_effects *effects, struct transfer_effect target,
			 enum tftp_error error, const char *text)
{
	char datagram[64];
	struct writer w = writer_over(datagram, sizeof(datagram));

	tftp_write_error(&w, error, text);
	target.kind = TRANSFER_SEND;
	target.bytes = writer_span(&w);
	transfer_emit(effects, target);
}

struct transfer_effect transfer_effect_of(const struct transfer *t, enum transfer_effect_kind kind)
{
	return (struct transfer_effect){.kind = kind,
					.id = t->id,
					.to = t->peer,
					.local = t->local,
					.interface = t->interface};
}

/* Blocks are out, or the OACK is, and the client has to say something. */
static bool is_waiting_for_client(const struct transfer *t)
{
	return t->state == TRANSFER_OFFERED || t->sent > t->blocks.acked;
}

/*
 * RFC 1123 4.2.3.2: the interval doubles with each resend. When all that could be sent has arrived,
 * it is the disk that everybody waits for: the client is not to blame for that.
 */
static void arm(struct transfer *t, const struct transfer_common *c)
{
	uint64_t ceiling =
		c->options->resend_ms_max > t->resend_ms ? c->options->resend_ms_max : t->resend_ms;
	uint64_t wait = t->resends < 16 ? t->resend_ms << t->resends : ceiling;

	wait = wait < ceiling ? wait : ceiling;
	t->deadline_ms = c->now_ms + (is_waiting_for_client(t) ? wait : c->options->read_ms_max);
}

void transfer_abandon(struct transfer *t, const struct transfer_common *c, enum report_level level,
		      const char *reason)
{
	char text[512];
	struct writer w = writer_over(text, sizeof(text));

	t->state = TRANSFER_ABANDONED;
	writer_text(&w, "transfer of ");
	writer_escaped(&w, span_text(t->name), 100);
	writer_text(&w, " given up after ");
	writer_unsigned(&w, t->blocks.acked);
	writer_text(&w, " blocks: ");
	writer_text(&w, reason);
	effects_report(&c->effects->others, (struct effect_report){.level = level,
								   .reason = "transfer_abandoned",
								   .text = writer_span(&w),
								   .source = t->peer,
								   .has_mac = true,
								   .mac = t->answer.mac});
}

void transfer_fail(struct transfer *t, const struct transfer_common *c, const char *text,
		   const char *reason)
{
	transfer_send_error(c->effects, transfer_effect_of(t, TRANSFER_SEND), TFTP_ERROR_UNDEFINED,
			    text);
	transfer_abandon(t, c, REPORT_INFO, reason);
}

/*
 * RFC 1350 6: without the last ACK nobody knows. But who acknowledged what came before, let the end
 * pass without a word, and does not wait when it comes again, needs it no more. Gone when the end
 * came first, it never got it; and silence may be a plug that was pulled.
 */
void transfer_lose_client(struct transfer *t, const struct transfer_common *c, const char *reason)
{
	if (t->is_heard && t->end_sends >= 2) {
		t->answer.is_unconfirmed = true;
		t->state = TRANSFER_COMPLETE;
		return;
	}
	transfer_abandon(t, c, REPORT_DEBUG, reason);
}

/* R-TFTP-22: what leaves the first hop whole; 512, the size without options, is always right. */
static size_t block_size_for(const struct transfer *t, size_t path_octets)
{
	size_t heads = t->peer.address.family == ADDRESS_IPV6 ? header_size_ipv6 : header_size_ipv4;

	heads += tftp_header_size;
	path_octets = path_octets > 0 ? path_octets : path_octets_unknown;
	return path_octets < heads + tftp_block_size_default ? tftp_block_size_default
							     : path_octets - heads;
}

void transfer_negotiate(struct transfer *t, const struct transfer_common *c, size_t path_octets)
{
	struct tftp_options granted = t->options;
	size_t block_max = block_size_for(t, path_octets);
	size_t window_max;

	block_max = block_max < c->options->block_size_max ? block_max : c->options->block_size_max;
	if (granted.block_size > block_max) {
		granted.block_size = (uint16_t)block_max;
	}
	t->block_size = granted.has_block_size ? granted.block_size : tftp_block_size_default;
	/* R-TFTP-31: a window leaves at once, and must not flood what is on the way. */
	window_max = c->options->window_bytes_max / t->block_size;
	window_max =
		window_max < c->options->window_size_max ? window_max : c->options->window_size_max;
	window_max = window_max > 0 ? window_max : 1;
	if (granted.window_size > window_max) {
		granted.window_size = (uint16_t)window_max;
	}
	t->window_size = granted.has_window_size ? granted.window_size : 1;
	/* R-TFTP-25: the translated size is not known before the end. */
	granted.has_transfer_size = granted.has_transfer_size && t->mode != TFTP_NETASCII;
	granted.transfer_size = t->size;
	t->resend_ms =
		granted.has_timeout ? granted.timeout_s * UINT64_C(1000) : c->options->resend_ms;
	t->options = granted;
}

static bool has_options(const struct tftp_options *options)
{
	return options->has_block_size || options->has_timeout || options->has_transfer_size ||
	       options->has_window_size;
}

size_t transfer_ring_capacity(const struct transfer *t)
{
	size_t ahead = ring_octets_min / t->block_size;
	uint64_t octets =
		t->mode == TFTP_NETASCII && t->size < UINT64_MAX / 2 ? t->size * 2 : t->size;
	uint64_t all = octets / t->block_size + 1;
	size_t capacity;

	ahead = ahead > t->window_size ? ahead : t->window_size;
	capacity = t->window_size + ahead;
	return all < capacity ? (size_t)all : capacity;
}

/* Asks for the next piece of a stored file as soon as half of the ring is free: ahead of need. */
static void read_ahead(struct transfer *t, const struct transfer_common *c)
{
	struct transfer_effect read = transfer_effect_of(t, TRANSFER_READ);
	size_t room = tftp_blocks_room(&t->blocks);
	size_t half = t->blocks.capacity * t->block_size / 2;
	uint64_t rest = t->size - t->offset;

	half = t->mode == TFTP_NETASCII ? half / 2 : half;
	if (t->is_reading || rest == 0 || (room < half && room < rest)) {
		return;
	}
	room = room < transfers_piece_max ? room : transfers_piece_max;
	read.offset = t->offset;
	read.length = rest < room ? (size_t)rest : room;
	t->is_reading = transfer_emit(c->effects, read);
}

/* Brings the ring up to date: from memory, or by a piece that is to be read. */
static void fill(struct transfer *t, const struct transfer_common *c)
{
	if (!t->is_stored) {
		struct span rest = span_make(t->bytes, (size_t)t->size);

		rest = span_slice(rest, (size_t)t->offset, rest.length);
		t->offset += tftp_blocks_put(&t->blocks, rest);
	}
	if (t->offset == t->size) {
		tftp_blocks_end(&t->blocks);
	} else if (t->is_stored) {
		read_ahead(t, c);
	}
}

/* Sends what may go out: up to the end of the window that begins after `acked` (R-TFTP-27). */
static void send_window(struct transfer *t, const struct transfer_common *c)
{
	uint64_t last;

	fill(t, c);
	last = t->blocks.acked + t->window_size;
	last = last < t->blocks.ready ? last : t->blocks.ready;
	while (t->sent < last) {
		struct transfer_effect send = transfer_effect_of(t, TRANSFER_SEND);
		uint64_t next;

		send.bytes =
			tftp_blocks_run(&t->blocks, t->sent + 1, last, &send.packet_size, &next);
		append(c->effects, send);
		t->sent = next - 1;
		t->end_sends += t->blocks.is_ended && t->sent == t->blocks.ready;
	}
	arm(t, c);
}

static void send_offer(struct transfer *t, const struct transfer_common *c)
{
	char datagram[128];
	struct writer w = writer_over(datagram, sizeof(datagram));
	struct transfer_effect send = transfer_effect_of(t, TRANSFER_SEND);

	tftp_write_oack(&w, &t->options);
	send.bytes = writer_span(&w);
	transfer_emit(c->effects, send);
	arm(t, c);
}

int transfer_start(struct transfer *t, const struct transfer_common *c)
{
	int error = tftp_blocks_open(&t->blocks, transfer_ring_capacity(t), t->block_size, t->mode,
				     c->options->rollover);

	if (error != 0) {
		return error;
	}
	if (has_options(&t->options)) {
		t->state = TRANSFER_OFFERED;
		fill(t, c);
		send_offer(t, c);
	} else {
		t->state = TRANSFER_SENDING;
		send_window(t, c);
	}
	return 0;
}

/* The same ACK again. True when the window is to be sent anew. */
static bool must_restart(struct transfer *t)
{
	/* R-TFTP-6; in a window it says that its first block is missing (R-TFTP-29). */
	if (t->window_size == 1 || t->is_gap_answered || t->sent == t->blocks.acked) {
		return false;
	}
	t->is_gap_answered = true;
	t->is_repeated = true;
	return true;
}

static void take_ack(struct transfer *t, const struct transfer_common *c, uint16_t number)
{
	uint64_t acked = tftp_block_from_number(number, t->blocks.acked, t->blocks.rollover);

	t->is_heard = true;
	t->end_sends = 0;
	/* R-TFTP-33: not sent yet, or from before the window. */
	if (acked > t->sent || (acked == t->blocks.acked && !must_restart(t))) {
		c->counters->ignored++;
		return;
	}
	if (acked > t->blocks.acked) {
		/* A window that came twice may draw two ACKs: the copy is no gap in the next. */
		t->is_gap_answered = t->is_repeated;
		t->is_repeated = false;
		t->resends = 0;
	}
	if (t->blocks.is_ended && acked == t->blocks.ready) {
		tftp_blocks_ack(&t->blocks, acked);
		t->state = TRANSFER_COMPLETE;
		return;
	}
	c->counters->resent += t->sent - acked;
	tftp_blocks_ack(&t->blocks, acked);
	t->sent = acked;
	send_window(t, c);
}

static void take_error(struct transfer *t, const struct transfer_common *c,
		       const struct tftp_packet *packet)
{
	char text[320];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, "the client sent error ");
	writer_unsigned(&w, packet->error);
	writer_text(&w, " \"");
	writer_escaped(&w, packet->text, 60);
	writer_text(&w, "\"");
	writer_terminate(&w);
	if (packet->error == TFTP_ERROR_TID) {
		transfer_lose_client(t, c, text);
	} else {
		transfer_abandon(t, c, REPORT_DEBUG, text);
	}
}

void transfer_receive(struct transfer *t, const struct transfer_common *c,
		      const struct tftp_packet *packet)
{
	if (packet->opcode == TFTP_ERROR) {
		take_error(t, c, packet); /* R-TFTP-10, R-TFTP-19 */
	} else if (packet->opcode == TFTP_ACK && t->state == TRANSFER_SENDING) {
		take_ack(t, c, packet->block);
	} else if (packet->opcode == TFTP_ACK && t->state == TRANSFER_OFFERED &&
		   packet->block == 0) {
		t->state = TRANSFER_SENDING; /* R-TFTP-18 */
		t->is_heard = true;
		t->resends = 0;
		send_window(t, c);
	} else {
		c->counters->ignored++;
	}
}

void transfer_take_piece(struct transfer *t, const struct transfer_common *c, uint64_t offset,
			 struct span bytes)
{
	if (!t->is_reading || offset != t->offset) {
		return;
	}
	t->is_reading = false;
	/* Shorter than it was when it was opened: a mixture must not arrive as a whole. */
	if (bytes.length == 0 || bytes.length > tftp_blocks_room(&t->blocks) ||
	    bytes.length > t->size - t->offset) {
		transfer_fail(t, c, "File changed", "the file changed or cannot be read");
		return;
	}
	t->offset += tftp_blocks_put(&t->blocks, bytes);
	if (t->state == TRANSFER_SENDING && t->sent < t->blocks.acked + t->window_size) {
		send_window(t, c);
	} else {
		fill(t, c); /* the timer is that of what is out already */
	}
}

void transfer_resend(struct transfer *t, const struct transfer_common *c)
{
	if (!is_waiting_for_client(t)) {
		transfer_fail(t, c, "Reading failed", "the disk does not answer");
		return;
	}
	if (t->resends == c->options->resends_max) {
		transfer_abandon(t, c, REPORT_INFO,
				 t->is_heard && t->end_sends > 0
					 ? "the last acknowledgement did not come; the client may "
					   "have all of it"
					 : "the client does not answer");
		return;
	}
	t->resends++;
	if (t->state == TRANSFER_OFFERED) {
		c->counters->resent++;
		send_offer(t, c);
		return;
	}
	c->counters->resent += t->sent - t->blocks.acked;
	t->sent = t->blocks.acked; /* R-TFTP-28 */
	t->is_gap_answered = false;
	t->is_repeated = true;
	send_window(t, c);
}

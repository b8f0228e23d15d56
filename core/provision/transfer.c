/* SPDX-License-Identifier: MIT */
#include "core/provision/transfer.h"

#include <stdlib.h>

bool transfer_is_over(const struct transfer *t)
{
	return t->state == TRANSFER_COMPLETE || t->state == TRANSFER_ABANDONED;
}

bool transfer_emit(struct transfer_effects *effects, struct transfer_effect effect)
{
	if (effects->count == effects->count_max) {
		effects->others.lost++;
		return false;
	}
	if (effect.bytes.length > 0) {
		effect.bytes = arena_copy(&effects->others.arena, effect.bytes);
		if (!effect.bytes.data) {
			effects->others.lost++;
			return false;
		}
	}
	effects->items[effects->count++] = effect;
	return true;
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

static struct transfer_effect effect_of(const struct transfer *t, enum transfer_effect_kind kind)
{
	return (struct transfer_effect){.kind = kind,
					.id = t->id,
					.to = t->peer,
					.local = t->local,
					.interface = t->interface};
}

/* RFC 1123 4.2.3.2: the interval doubles with each resend. */
static void arm(struct transfer *t, const struct transfer_common *c)
{
	uint64_t ceiling =
		c->options->resend_ms_max > t->resend_ms ? c->options->resend_ms_max : t->resend_ms;
	uint64_t wait = t->resends < 16 ? t->resend_ms << t->resends : ceiling;

	t->deadline_ms = c->now_ms + (wait < ceiling ? wait : ceiling);
}

static void abandon(struct transfer *t, const struct transfer_common *c, enum report_level level,
		    const char *reason)
{
	char text[256];
	struct writer w = writer_over(text, sizeof(text));

	t->state = TRANSFER_ABANDONED;
	writer_text(&w, "transfer of ");
	writer_escaped(&w, span_text(t->name), 100);
	writer_text(&w, " given up after ");
	writer_unsigned(&w, t->acked);
	writer_text(&w, " blocks: ");
	writer_text(&w, reason);
	effects_report(&c->effects->others, (struct effect_report){.level = level,
								   .reason = "transfer_abandoned",
								   .text = writer_span(&w),
								   .source = t->peer,
								   .has_mac = true,
								   .mac = t->answer.mac});
}

void transfer_negotiate(struct transfer *t, const struct transfer_common *c,
			const struct tftp_options *asked)
{
	struct tftp_options granted = *asked;

	if (granted.block_size > c->options->block_size_max) {
		granted.block_size = c->options->block_size_max;
	}
	if (granted.window_size > c->options->window_size_max) {
		granted.window_size = c->options->window_size_max;
	}
	/* R-TFTP-25: the translated size is not known before the end. */
	if (t->mode == TFTP_NETASCII) {
		granted.has_transfer_size = false;
	}
	t->options = granted;
	t->block_size = granted.has_block_size ? granted.block_size : tftp_block_size_default;
	t->window_size = granted.has_window_size ? granted.window_size : 1;
	t->resend_ms =
		granted.has_timeout ? granted.timeout_s * UINT64_C(1000) : c->options->resend_ms;
}

static bool has_options(const struct tftp_options *options)
{
	return options->has_block_size || options->has_timeout || options->has_transfer_size ||
	       options->has_window_size;
}

/* All of the file is in the window, or before it. */
static bool source_is_ended(const struct transfer *t)
{
	return t->bytes_used == t->bytes_length && t->offset == t->size && !t->netascii.has_second;
}

/* Moves octets of the file into the window until it is full; asks for more of a stored file. */
static void fill_window(struct transfer *t, const struct transfer_common *c)
{
	struct writer w = writer_over(t->window, t->window_size * t->block_size);
	struct span source = span_make(t->bytes, t->bytes_length);
	struct transfer_effect read = effect_of(t, TRANSFER_READ);

	source = span_slice(source, t->bytes_used, source.length);
	w.length = t->window_length;
	if (t->mode == TFTP_NETASCII) {
		netascii_write(&t->netascii, &source, &w);
	} else {
		size_t room = w.size - w.length;
		struct span piece = span_slice(source, 0, room);

		writer_put(&w, piece);
		source = span_slice(source, piece.length, source.length);
	}
	t->window_length = w.length;
	t->bytes_used = t->bytes_length - source.length;
	if (t->is_stored && !t->is_reading && t->bytes_used == t->bytes_length &&
	    t->offset < t->size && w.length < w.size) {
		read.offset = t->offset;
		read.length = t->size - t->offset < transfer_chunk_size ? t->size - t->offset
									: transfer_chunk_size;
		t->is_reading = transfer_emit(c->effects, read);
	}
}

/* The newest block that can be made of what is in the window. */
static uint64_t newest_block(const struct transfer *t)
{
	uint64_t newest = t->acked + t->window_length / t->block_size;

	/* R-TFTP-4: the block that ends the file is shorter, if need be empty. */
	return source_is_ended(t) ? newest + 1 : newest;
}

static void send_block(struct transfer *t, const struct transfer_common *c, uint64_t block)
{
	char datagram[tftp_header_size + tftp_block_size_max];
	struct writer w = writer_over(datagram, sizeof(datagram));
	size_t start = (size_t)(block - t->acked - 1) * t->block_size;
	struct span window = span_make(t->window, t->window_length);
	struct transfer_effect send = effect_of(t, TRANSFER_SEND);

	/* R-TFTP-14: 65535 is followed by 0. */
	tftp_write_data(&w, (uint16_t)block, span_slice(window, start, start + t->block_size));
	send.bytes = writer_span(&w);
	transfer_emit(c->effects, send);
}

/* Sends what may go out: up to the end of the window that begins after `acked` (R-TFTP-27). */
static void send_window(struct transfer *t, const struct transfer_common *c)
{
	uint64_t newest;

	fill_window(t, c);
	newest = newest_block(t);
	if (newest > t->acked + t->window_size) {
		newest = t->acked + t->window_size;
	}
	while (t->sent < newest) {
		send_block(t, c, ++t->sent);
	}
	arm(t, c);
}

static void send_offer(struct transfer *t, const struct transfer_common *c)
{
	char datagram[128];
	struct writer w = writer_over(datagram, sizeof(datagram));
	struct transfer_effect send = effect_of(t, TRANSFER_SEND);

	tftp_write_oack(&w, &t->options);
	send.bytes = writer_span(&w);
	transfer_emit(c->effects, send);
	arm(t, c);
}

void transfer_start(struct transfer *t, const struct transfer_common *c)
{
	t->window = malloc(t->window_size * t->block_size);
	if (!t->window) {
		abandon(t, c, REPORT_INFO, "no memory");
		return;
	}
	transfer_emit(c->effects, effect_of(t, TRANSFER_OPEN_SOCKET));
	t->options.transfer_size = t->size;
	if (has_options(&t->options)) {
		t->state = TRANSFER_OFFERED;
		send_offer(t, c);
		return;
	}
	t->state = TRANSFER_SENDING;
	send_window(t, c);
}

static void take_ack(struct transfer *t, const struct transfer_common *c, uint16_t block)
{
	uint64_t acked = t->acked + (uint16_t)(block - (uint16_t)t->acked);
	size_t done;

	/* R-TFTP-33: not sent yet, or from before the window. */
	if (acked > t->sent) {
		c->counters->ignored++;
		return;
	}
	if (acked == t->acked) {
		/* R-TFTP-6; in a window it says that its first block is missing (R-TFTP-29). */
		if (t->window_size == 1 || t->is_gap_answered || t->sent == t->acked) {
			c->counters->ignored++;
			return;
		}
		t->is_gap_answered = true;
		c->counters->resent += t->sent - t->acked;
	} else {
		t->is_gap_answered = false;
		t->resends = 0;
	}
	if (source_is_ended(t) && acked == newest_block(t)) {
		t->acked = acked;
		t->state = TRANSFER_COMPLETE;
		return;
	}
	done = (size_t)(acked - t->acked) * t->block_size;
	memmove(t->window, t->window + done, t->window_length - done);
	t->window_length -= done;
	t->acked = acked;
	t->sent = acked;
	send_window(t, c);
}

void transfer_receive(struct transfer *t, const struct transfer_common *c,
		      const struct tftp_packet *packet)
{
	if (packet->opcode == TFTP_ERROR) {
		abandon(t, c, REPORT_DEBUG, "the client sent an error"); /* R-TFTP-10, R-TFTP-19 */
	} else if (packet->opcode == TFTP_ACK && t->state == TRANSFER_SENDING) {
		take_ack(t, c, packet->block);
	} else if (packet->opcode == TFTP_ACK && t->state == TRANSFER_OFFERED &&
		   packet->block == 0) {
		t->state = TRANSFER_SENDING; /* R-TFTP-18 */
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
	if (bytes.length == 0 || bytes.length > transfer_chunk_size) {
		transfer_send_error(c->effects, effect_of(t, TRANSFER_SEND), TFTP_ERROR_UNDEFINED,
				    "File changed");
		abandon(t, c, REPORT_INFO, "the file was cut short");
		return;
	}
	memcpy(t->bytes, bytes.data, bytes.length);
	t->bytes_length = bytes.length;
	t->bytes_used = 0;
	t->offset += bytes.length;
	send_window(t, c);
}

void transfer_resend(struct transfer *t, const struct transfer_common *c)
{
	if (t->resends == c->options->resends_max) {
		abandon(t, c, REPORT_INFO, "the client does not answer");
		return;
	}
	t->resends++;
	if (t->state == TRANSFER_OFFERED) {
		c->counters->resent++;
		send_offer(t, c);
		return;
	}
	c->counters->resent += t->sent - t->acked;
	t->sent = t->acked; /* R-TFTP-28 */
	t->is_gap_answered = false;
	send_window(t, c);
}

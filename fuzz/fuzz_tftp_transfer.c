/* SPDX-License-Identifier: MIT */
/*
 * A story of TFTP transfers: requests, ACKs good and bad, errors, strangers, raw datagrams, time,
 * and a shell that opens and reads when the story says so, or fails. After each step the decider is
 * held to what must always be true; in the end time passes until nothing is open, and a plain
 * request must be served as if nothing had been.
 *
 * The first octets say what there is to serve; then each step is an octet and its arguments.
 */
#include "core/provision/transfers.h"
#include "core/tftp/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ids_max = 8, pending_max = 8, steps_max = 4000 };

/* What is known of one transfer from the outside. */
struct seen {
	uint64_t id; /* 0: none */
	bool has_socket;
	bool is_netascii;
	size_t block_size;
	size_t window_size;
	uint64_t acked;
	uint64_t newest;
	bool is_ended; /* the block that ends the file has come */
	bool is_heard; /* it may have got an ACK of its client */
	size_t sent_in_step;
};

struct story {
	const uint8_t *data;
	size_t size;
	struct transfers *transfers;
	struct transfer_effects effects;
	uint64_t now_ms;
	uint64_t file_size;
	bool is_stored;
	bool is_pending;
	bool was_pending;
	enum tftp_rollover rollover;
	enum tftp_mode mode; /* of the newest request */
	size_t transfers_max;
	struct seen seen[ids_max];
	struct transfer_effect pending[pending_max]; /* effects that wait for their answer */
	size_t pending_count;
	uint64_t closed;
	uint64_t completed;
	uint64_t fetched;
};

static char rendered[70000];
static char piece[transfers_piece_max];

static void check(bool is_right)
{
	if (!is_right) {
		abort();
	}
}

static uint8_t take_u8(struct story *s)
{
	if (s->size == 0) {
		return 0;
	}
	s->size--;
	return *s->data++;
}

static uint16_t take_u16(struct story *s)
{
	uint8_t high = take_u8(s);

	return (uint16_t)(high << 8 | take_u8(s));
}

static char octet_at(uint64_t offset)
{
	return (char)(offset * 11 + (offset >> 13) + (offset >> 32));
}

static void serve(void *context, struct file_request *request, uint32_t interface,
		  struct arena *arena, struct file_answer *answer, struct effects *effects)
{
	struct story *s = context;

	(void)interface;
	(void)effects;
	*answer = (struct file_answer){.verdict = FILE_REFUSED};
	if (s->is_pending && !request->is_last_try) {
		answer->verdict = FILE_PENDING;
	} else if (!s->is_pending && span_starts_with(request->path, SPAN("f"))) {
		answer->verdict = s->is_stored ? FILE_CATALOGUE : FILE_BYTES;
		answer->name = arena_copy(arena, request->path);
		answer->bytes = span_make(rendered, s->is_stored ? 0 : (size_t)s->file_size);
		answer->size = s->file_size;
	}
}

static struct seen *find_seen(struct story *s, uint64_t id)
{
	for (size_t i = 0; i < ids_max; i++) {
		if (s->seen[i].id == id) {
			return &s->seen[i];
		}
	}
	return NULL;
}

static void begin_seen(struct story *s, uint64_t id)
{
	struct seen *seen = find_seen(s, id);

	if (!seen) {
		seen = find_seen(s, 0);
		check(seen != NULL);
		*seen = (struct seen){.id = id,
				      .is_netascii = s->mode == TFTP_NETASCII,
				      .block_size = 512,
				      .window_size = 1};
	}
}

static void check_data(struct story *s, struct seen *seen, const struct tftp_packet *packet)
{
	uint64_t block = tftp_block_from_number(packet->block, seen->acked + 1, s->rollover);
	uint64_t start = (block - 1) * seen->block_size;
	uint64_t left;

	/* R-TFTP-27: never more than the window is out. */
	check(block > seen->acked && block <= seen->acked + seen->window_size);
	check(++seen->sent_in_step <= seen->window_size);
	seen->newest = block > seen->newest ? block : seen->newest;
	seen->is_ended = seen->is_ended || packet->data.length < seen->block_size;
	if (seen->is_netascii) {
		check(packet->data.length <= seen->block_size);
		return;
	}
	check(start <= s->file_size);
	left = s->file_size - start;
	check(packet->data.length == (left < seen->block_size ? left : seen->block_size));
	for (size_t i = 0; i < packet->data.length; i++) {
		check(packet->data.data[i] == octet_at(start + i));
	}
}

static void check_datagram(struct story *s, const struct transfer_effect *e, struct span datagram)
{
	struct tftp_packet packet;
	struct seen *seen = e->id != 0 ? find_seen(s, e->id) : NULL;

	check(tftp_read(datagram, &packet) == 0);
	if (packet.opcode == TFTP_ERROR) {
		check(datagram.length <= 64);
		return;
	}
	check(seen != NULL && seen->has_socket);
	if (packet.opcode == TFTP_OACK) {
		check(datagram.length <= 100);
		seen->block_size = packet.options.has_block_size ? packet.options.block_size : 512;
		seen->window_size = packet.options.has_window_size ? packet.options.window_size : 1;
		return;
	}
	check(packet.opcode == TFTP_DATA);
	check_data(s, seen, &packet);
}

static void check_send(struct story *s, const struct transfer_effect *e)
{
	size_t size = e->packet_size > 0 ? e->packet_size : e->bytes.length;

	check(e->bytes.length > 0);
	for (size_t at = 0; at < e->bytes.length; at += size) {
		check_datagram(s, e, span_slice(e->bytes, at, at + size));
	}
}

static void forget_pending(struct story *s, size_t i)
{
	s->pending_count--;
	memmove(&s->pending[i], &s->pending[i + 1], (s->pending_count - i) * sizeof(s->pending[0]));
}

static void take_close(struct story *s, uint64_t id)
{
	struct seen *seen = find_seen(s, id);

	s->closed++;
	if (transfers_counters(s->transfers)->completed > s->completed) {
		s->completed++;
		/* R-TFTP-8: nobody has a file whose end did not come, or that he never answered. */
		check(seen && seen->is_ended && seen->is_heard);
	}
	if (seen) {
		*seen = (struct seen){0};
	}
	for (size_t i = 0; i < s->pending_count;) {
		if (s->pending[i].id == id) {
			forget_pending(s, i);
		} else {
			i++;
		}
	}
}

static void take_effect(struct story *s, const struct transfer_effect *e)
{
	if (e->kind == TRANSFER_SEND) {
		check_send(s, e);
		return;
	}
	check(e->id != 0);
	if (e->kind == TRANSFER_CLOSE) {
		take_close(s, e->id);
		return;
	}
	begin_seen(s, e->id);
	if (e->kind == TRANSFER_READ) {
		check(e->length > 0 && e->length <= transfers_piece_max);
		check(e->offset <= s->file_size && e->length <= s->file_size - e->offset);
	}
	for (size_t i = 0; i < s->pending_count; i++) {
		check(s->pending[i].id != e->id); /* one thing at a time */
	}
	check(s->pending_count < pending_max);
	s->pending[s->pending_count++] = *e;
	s->pending[s->pending_count - 1].bytes = span_make(NULL, 0);
}

/* Looks at what came out, and at what must hold between any two steps. */
static void settle(struct story *s)
{
	const struct transfers_counters *c = transfers_counters(s->transfers);
	size_t live = 0;

	for (size_t i = 0; i < ids_max; i++) {
		s->seen[i].sent_in_step = 0;
	}
	for (size_t i = 0; i < s->effects.count; i++) {
		take_effect(s, &s->effects.items[i]);
	}
	for (size_t i = 0; i < s->effects.others.count; i++) {
		s->fetched += s->effects.others.items[i].kind == EFFECT_CHANGE;
	}
	check(s->effects.others.lost == 0);
	transfer_effects_reset(&s->effects);
	for (size_t i = 0; i < ids_max; i++) {
		live += s->seen[i].id != 0;
	}
	check(live <= c->open && c->open <= s->transfers_max);
	check(c->completed + c->abandoned == s->closed);
	check(c->completed == s->fetched);
	check((c->open == 0) || transfers_next_wake(s->transfers) != UINT64_MAX);
}

static void expire(struct story *s)
{
	for (int i = 0; i < 100; i++) {
		transfers_expire(s->transfers, s->now_ms, &s->effects);
		settle(s);
		if (transfers_next_wake(s->transfers) > s->now_ms) {
			return;
		}
	}
	abort(); /* due for ever */
}

static void give(struct story *s, uint64_t id, uint16_t port, struct span bytes)
{
	struct packet packet = {.bytes = bytes,
				.source = {address_ipv4(10, 0, 0, 2), port},
				.local = address_ipv4(10, 0, 0, 1)};

	transfers_receive(s->transfers, id, &packet, s->now_ms, &s->effects);
	settle(s);
}

static struct tftp_options take_options(struct story *s, uint8_t bits)
{
	struct tftp_options options = {.has_block_size = bits & 1,
				       .has_window_size = bits & 2,
				       .has_transfer_size = bits & 4,
				       .has_timeout = bits & 8};

	options.block_size = options.has_block_size ? take_u16(s) : 0;
	options.window_size = options.has_window_size ? take_u8(s) : 0;
	options.timeout_s = options.has_timeout ? take_u8(s) : 0;
	return options;
}

static void step_request(struct story *s)
{
	uint16_t port = (uint16_t)(2000 + take_u8(s) % 3);
	uint8_t bits = take_u8(s);
	struct tftp_options options = take_options(s, bits);
	char text[200];
	struct writer w = writer_over(text, sizeof(text));

	s->mode = bits & 16 ? TFTP_NETASCII : TFTP_OCTET;
	tftp_write_request(&w, TFTP_RRQ, bits & 32 ? SPAN("f2") : SPAN("f1"), s->mode, &options);
	/* Requests that wait for evidence mix their modes: octets are then not looked at. */
	s->was_pending = s->was_pending || s->is_pending;
	if (s->was_pending) {
		s->mode = TFTP_NETASCII;
	}
	give(s, 0, port, writer_span(&w));
}

static struct seen *take_seen(struct story *s)
{
	return &s->seen[take_u8(s) % ids_max];
}

/* Of the client of that transfer; its port is not known here: all three say it. */
static void give_from_client(struct story *s, uint64_t id, struct span bytes)
{
	for (uint16_t port = 2000; port < 2003; port++) {
		give(s, id, port, bytes);
	}
}

static void step_ack(struct story *s, bool is_good)
{
	struct seen *seen = take_seen(s);
	uint16_t number = is_good ? tftp_block_number(seen->newest, s->rollover) : take_u16(s);
	uint64_t id = seen->id;
	char text[4];
	struct writer w = writer_over(text, sizeof(text));
	uint64_t block = tftp_block_from_number(number, seen->acked, s->rollover);

	if (id == 0) {
		return;
	}
	tftp_write_ack(&w, number);
	if (block <= seen->newest) {
		seen->acked = block;
	}
	seen->is_heard = true;
	give_from_client(s, id, writer_span(&w));
}

static void step_gone(struct story *s)
{
	struct transfer_notice notice = {.kind = TRANSFER_SOCKET_FAILED, .id = take_seen(s)->id};

	transfers_change(s->transfers, &notice, s->now_ms, &s->effects);
	settle(s);
}

static void step_raw(struct story *s)
{
	uint64_t id = take_seen(s)->id;
	size_t length = take_u8(s);
	struct span bytes;

	length = length < s->size ? length : s->size;
	bytes = span_make((const char *)s->data, length);
	s->data += length;
	s->size -= length;
	/* An ACK moves the window: those are step_ack's, which keeps account. */
	if (id != 0 && length >= 2 && bytes.data[1] == TFTP_ACK) {
		return;
	}
	s->mode = TFTP_NETASCII;
	give(s, id, 2000, bytes);
}

static void step_answer(struct story *s, uint8_t how)
{
	struct transfer_notice notice = {0};
	struct transfer_effect e;
	size_t length;

	if (s->pending_count == 0) {
		return;
	}
	e = s->pending[0];
	forget_pending(s, 0);
	notice.id = e.id;
	if (e.kind == TRANSFER_OPEN_SOCKET) {
		notice.kind = how == 1 ? TRANSFER_SOCKET_FAILED : TRANSFER_SOCKET_OPENED;
		notice.path_octets = how == 2 ? 0 : how * (size_t)300;
		find_seen(s, e.id)->has_socket = true;
	} else if (e.kind == TRANSFER_OPEN_FILE) {
		notice.kind = how == 1 ? TRANSFER_FILE_FAILED : TRANSFER_FILE_OPENED;
		notice.size = s->file_size;
		notice.is_fresh = how == 3;
	} else {
		notice.kind = how == 1 ? TRANSFER_FILE_FAILED : TRANSFER_FILE_READ;
		notice.offset = e.offset;
		length = how == 2 ? e.length / 2 : e.length;
		for (size_t i = 0; i < length; i++) {
			piece[i] = octet_at(e.offset + i);
		}
		notice.bytes = span_make(piece, length);
	}
	transfers_change(s->transfers, &notice, s->now_ms, &s->effects);
	settle(s);
}

static void step(struct story *s)
{
	uint64_t wake;

	switch (take_u8(s) % 12) {
	case 0:
		step_request(s);
		break;
	case 1:
		step_ack(s, true);
		break;
	case 2:
		step_ack(s, false);
		break;
	case 3:
		s->now_ms += take_u16(s);
		expire(s);
		break;
	case 4:
		wake = transfers_next_wake(s->transfers);
		s->now_ms = wake != UINT64_MAX && wake > s->now_ms ? wake : s->now_ms;
		expire(s);
		break;
	case 5:
		step_answer(s, take_u8(s));
		break;
	case 6:
		give_from_client(s, take_seen(s)->id, SPAN("\0\5\0\0over\0"));
		break;
	case 7:
		step_raw(s);
		break;
	case 8:
		give(s, take_seen(s)->id, 4000, SPAN("\0\4\0\1"));
		break;
	case 10:
		step_gone(s);
		break;
	case 11:
		give_from_client(s, take_seen(s)->id, SPAN("\0\5\0\5unknown\0"));
		break;
	default:
		s->is_pending = !s->is_pending;
		break;
	}
}

static void open_story(struct story *s)
{
	struct transfers_options options;
	uint8_t flags = take_u8(s);

	s->now_ms = 5000;
	s->is_stored = flags & 1;
	s->rollover = flags & 2 ? TFTP_ROLLOVER_1 : TFTP_ROLLOVER_0;
	s->is_pending = flags & 4;
	s->file_size = take_u16(s);
	if (flags & 8) {
		s->file_size = s->is_stored ? s->file_size << 24 : s->file_size;
	}
	s->transfers_max = 1 + (flags >> 4) % 4;
	transfers_defaults(&options);
	options.transfers_max = s->transfers_max;
	options.transfers_per_source_max = s->transfers_max;
	options.held_bytes_max = 400000;
	options.rollover = s->rollover;
	options.serve = serve;
	options.context = s;
	check(transfer_effects_init(&s->effects) == 0);
	check(transfers_new(&s->transfers, &options) == 0);
	for (size_t i = 0; rendered[sizeof(rendered) - 1] == 0 && i < sizeof(rendered); i++) {
		rendered[i] = octet_at(i);
	}
}

/* Time heals everything: after the longest life nothing is open, and a plain request is served. */
static void end_story(struct story *s)
{
	s->is_pending = false;
	for (int i = 0; i < 100 && transfers_counters(s->transfers)->open > 0; i++) {
		s->now_ms += 3600000;
		expire(s);
	}
	check(transfers_counters(s->transfers)->open == 0);
	check(s->pending_count == 0);
	s->mode = TFTP_OCTET;
	give(s, 0, 2000, SPAN("\0\1f1\0octet\0"));
	for (int i = 0; i < 3 && s->pending_count > 0; i++) {
		step_answer(s, 5);
	}
	check(transfers_counters(s->transfers)->open == 1);
	for (size_t i = 0; i < ids_max; i++) {
		check(s->seen[i].id == 0 || s->seen[i].newest == 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story s = {.data = data, .size = size};

	open_story(&s);
	for (int i = 0; i < steps_max && s.size > 0; i++) {
		step(&s);
	}
	end_story(&s);
	transfers_free(s.transfers);
	transfer_effects_free(&s.effects);
	return 0;
}

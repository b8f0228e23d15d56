/* SPDX-License-Identifier: MIT */
#include "io/tftp_door.h"

#include "core/provision/transfers.h"
#include "io/catalogue.h"
#include "io/path.h"
#include "io/udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	listeners_max = 16,
	notices_max = 256,
	listener_batch = 16,
	request_datagram_max = 9216, /* a jumbo frame: what is too long is told so */
	spare_pieces_max = 8,
};

/* What the shell holds for one transfer: its socket, and the file when it is a stored one. */
struct carrier {
	struct tftp_door *door;
	uint64_t id;
	struct endpoint peer;
	struct udp *udp; /* NULL: none */
	int fd;		 /* -1: none */
	struct stat opened;
	uv_fs_t read;
	char *piece; /* NULL: nothing is being read */
	uint64_t offset;
	bool is_reading;
	bool is_closed;	 /* the transfer is over; goes when the read is back */
	bool is_refused; /* nobody listens at the client's port: told once */
};

struct listener {
	struct tftp_door *door;
	struct udp *udp;
};

struct tftp_door {
	const struct door *door;
	struct loop *loop;
	struct loop_timer timer;
	struct transfers *transfers;
	size_t transfers_max;
	struct carrier **carriers; /* by the low 16 bits of the id, minus one */
	struct transfer_effects effects;
	struct transfer_notice notices[notices_max]; /* learned while effects are carried out */
	size_t notice_count;
	struct udp_datagram row[udp_batch_max]; /* of one transfer, that leave together */
	struct listener listeners[listeners_max];
	size_t listener_count;
	struct listener *asked; /* the one whose datagram is looked at */
	struct tftp_door_counters counters;
	char *spare_pieces[spare_pieces_max]; /* of transfers_piece_max each */
	size_t spare_piece_count;
	size_t reads;	  /* under way */
	uint64_t ignored; /* before they reach transfers */
	bool is_timer_closed;
	void (*closed)(void *context);
	void *closed_context;
};

static void carry_out(struct tftp_door *d);

static void note(struct tftp_door *d, struct transfer_notice notice)
{
	if (d->notice_count < notices_max) {
		d->notices[d->notice_count++] = notice;
	}
}

/* Pieces of files: held while they are read and looked at, then for the next one. */

static char *take_piece(struct tftp_door *d)
{
	return d->spare_piece_count > 0 ? d->spare_pieces[--d->spare_piece_count]
					: malloc(transfers_piece_max);
}

static void give_piece_back(struct carrier *carrier)
{
	struct tftp_door *d = carrier->door;

	if (carrier->piece && d->spare_piece_count < spare_pieces_max) {
		d->spare_pieces[d->spare_piece_count++] = carrier->piece;
	} else {
		free(carrier->piece);
	}
	carrier->piece = NULL;
}

/* Carriers. */

static struct carrier **slot_of(struct tftp_door *d, uint64_t id)
{
	return &d->carriers[(id & UINT16_MAX) - 1];
}

static struct carrier *find_carrier(struct tftp_door *d, uint64_t id)
{
	struct carrier *carrier = id != 0 ? *slot_of(d, id) : NULL;

	return carrier && carrier->id == id ? carrier : NULL;
}

static struct carrier *make_carrier(struct tftp_door *d, uint64_t id)
{
	struct carrier *carrier = find_carrier(d, id);

	if (!carrier) {
		carrier = calloc(1, sizeof(*carrier));
		if (carrier) {
			carrier->door = d;
			carrier->id = id;
			carrier->fd = -1;
			*slot_of(d, id) = carrier;
		}
	}
	return carrier;
}

static void free_door_if_over(struct tftp_door *d);

static void free_carrier(struct carrier *carrier)
{
	if (carrier->fd >= 0) {
		close(carrier->fd);
	}
	give_piece_back(carrier);
	free(carrier);
}

static void close_carrier(struct tftp_door *d, uint64_t id)
{
	struct carrier *carrier = find_carrier(d, id);

	if (!carrier) {
		return;
	}
	*slot_of(d, id) = NULL;
	carrier->is_closed = true;
	if (carrier->udp) {
		udp_close(carrier->udp);
		carrier->udp = NULL;
	}
	if (!carrier->is_reading) {
		free_carrier(carrier);
	}
}

static uint64_t now_ms(struct tftp_door *d)
{
	return loop_now_ms(d->loop);
}

static void carrier_received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct carrier *carrier = context;
	struct tftp_door *d = carrier->door;
	uint64_t id = carrier->id;

	/* Any of them may end the transfer, and the carrier with it. */
	for (size_t i = 0; i < count && find_carrier(d, id); i++) {
		struct packet packet = {.bytes = datagrams[i].bytes,
					.source = datagrams[i].source,
					.target = datagrams[i].target,
					.local = datagrams[i].local,
					.interface = datagrams[i].interface};

		transfers_receive(d->transfers, id, &packet, now_ms(d), &d->effects);
		carry_out(d);
	}
}

/*
 * Nobody listens at the client's port any more: the transfer is over. Anything else (a stranger's
 * port, no route just now, a queue that is full) is one datagram lost, and is repaired as such
 * (RFC 1122 3.2.2.1, 4.1.3.3). May come while effects are carried out.
 */
static void carrier_unreachable(void *context, struct endpoint to, int error)
{
	struct carrier *carrier = context;

	if (error == ECONNREFUSED && endpoint_equal(to, carrier->peer) && !carrier->is_refused) {
		carrier->is_refused = true;
		note(carrier->door,
		     (struct transfer_notice){.kind = TRANSFER_SOCKET_FAILED, .id = carrier->id});
		loop_timer_set(&carrier->door->timer, 0);
	}
}

/* The carrying out of each effect. */

static void open_socket(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = make_carrier(d, effect->id);
	struct transfer_notice notice = {.kind = TRANSFER_SOCKET_FAILED, .id = effect->id};
	char problem[udp_problem_size] = "no memory";
	struct udp_options options = {
		.bind = {.address = effect->local},
		.interface = effect->interface,
		.shares = d->listeners[0].udp,
		.received = carrier_received,
		.unreachable = carrier_unreachable,
		.context = carrier,
	};

	if (carrier && udp_open(&carrier->udp, d->loop, &options, problem) == 0) {
		carrier->peer = effect->to;
		notice.kind = TRANSFER_SOCKET_OPENED;
		if (effect->wants_path) {
			notice.path_octets =
				path_octets_max(effect->local, effect->to, effect->interface);
		}
	} else {
		d->door->report(d->door->context,
				&(struct effect_report){.level = REPORT_WARNING,
							.reason = "transfer_socket_failed",
							.text = span_text(problem),
							.source = effect->to});
	}
	note(d, notice);
}

static void open_file(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = make_carrier(d, effect->id);
	struct transfer_notice notice = {.kind = TRANSFER_FILE_FAILED, .id = effect->id};

	if (carrier) {
		if (carrier->fd >= 0) {
			close(carrier->fd);
		}
		carrier->fd =
			catalogue_open_file(d->door->files_fd, effect->bytes, &carrier->opened);
		if (carrier->fd >= 0) {
			notice.kind = TRANSFER_FILE_OPENED;
			notice.size = (uint64_t)carrier->opened.st_size;
			notice.version = catalogue_version(&carrier->opened);
			notice.is_fresh = catalogue_file_is_fresh(&carrier->opened);
		}
	}
	note(d, notice);
}

/* What was read, as far as it is still the file that was opened. */
static struct transfer_notice piece_notice(const struct carrier *carrier, ssize_t count)
{
	struct transfer_notice notice = {.kind = TRANSFER_FILE_READ,
					 .id = carrier->id,
					 .offset = carrier->offset};

	if (count > 0 && catalogue_file_is_same(carrier->fd, &carrier->opened)) {
		notice.bytes = span_make(carrier->piece, (size_t)count);
	}
	return notice;
}

static void tell(struct tftp_door *d, const struct transfer_notice *notice)
{
	struct carrier *carrier = find_carrier(d, notice->id);

	transfers_change(d->transfers, notice, now_ms(d), &d->effects);
	if (carrier && notice->kind == TRANSFER_FILE_READ) {
		give_piece_back(carrier);
	}
}

static void on_piece(uv_fs_t *request)
{
	struct carrier *carrier = request->data;
	struct tftp_door *d = carrier->door;
	struct transfer_notice notice;
	ssize_t count = request->result;

	uv_fs_req_cleanup(request);
	carrier->is_reading = false;
	d->reads--;
	if (carrier->is_closed) {
		free_carrier(carrier);
		free_door_if_over(d);
		return;
	}
	notice = piece_notice(carrier, count);
	tell(d, &notice);
	carry_out(d);
}

/*
 * From the page cache at once, where it nearly always is: a file goes to many phones. Else on
 * libuv's threads, for the disk must not stop everybody.
 */
static void read_piece(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = find_carrier(d, effect->id);
	uv_buf_t buffer;
	struct iovec room;

	if (!carrier || carrier->fd < 0 || carrier->piece || effect->length > transfers_piece_max) {
		return;
	}
	carrier->piece = take_piece(d);
	if (!carrier->piece) {
		note(d, (struct transfer_notice){.kind = TRANSFER_FILE_FAILED, .id = effect->id});
		return;
	}
	carrier->offset = effect->offset;
	room = (struct iovec){carrier->piece, effect->length};
	if (preadv2(carrier->fd, &room, 1, (off_t)effect->offset, RWF_NOWAIT) ==
	    (ssize_t)effect->length) {
		note(d, piece_notice(carrier, (ssize_t)effect->length));
		return;
	}
	buffer = uv_buf_init(carrier->piece, (unsigned)effect->length);
	carrier->read.data = carrier;
	if (uv_fs_read(&d->loop->uv, &carrier->read, carrier->fd, &buffer, 1,
		       (int64_t)effect->offset, on_piece) == 0) {
		carrier->is_reading = true;
		d->reads++;
		return;
	}
	note(d, (struct transfer_notice){.kind = TRANSFER_FILE_FAILED, .id = effect->id});
}

static bool is_bound_for(struct udp *udp, struct address local)
{
	struct address bound = udp_endpoint(udp).address;

	return address_equal(bound, local) ||
	       (address_is_any(bound) && bound.family == local.family);
}

/* The listening socket that a refusal leaves from: the one that was asked. */
static struct udp *listener_for(struct tftp_door *d, struct address local)
{
	if (d->asked && is_bound_for(d->asked->udp, local)) {
		return d->asked->udp;
	}
	for (size_t i = 0; i < d->listener_count; i++) {
		if (is_bound_for(d->listeners[i].udp, local)) {
			return d->listeners[i].udp;
		}
	}
	return NULL;
}

static struct udp *sender_of(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = find_carrier(d, effect->id);

	if (effect->id == 0) {
		return listener_for(d, effect->local);
	}
	return carrier ? carrier->udp : NULL;
}

/* Cuts one SEND into its datagrams, behind those that are in the row; the new count. */
static size_t add_to_row(struct tftp_door *d, struct udp *udp, const struct transfer_effect *effect,
			 size_t count)
{
	size_t size = effect->packet_size > 0 ? effect->packet_size : effect->bytes.length;

	for (size_t at = 0; at < effect->bytes.length; at += size) {
		if (count == udp_batch_max) {
			udp_send(udp, d->row, count);
			count = 0;
		}
		d->row[count++] = (struct udp_datagram){
			.to = effect->to,
			.from = effect->local,
			.interface = effect->interface,
			.bytes = span_slice(effect->bytes, at, at + size),
		};
	}
	return count;
}

/* The SENDs of one transfer that stand in a row leave in one go (io/udp). How many they are. */
static size_t send_row(struct tftp_door *d, const struct transfer_effect *effects, size_t count)
{
	struct udp *udp = sender_of(d, effects);
	size_t datagram_count = 0;
	size_t row = 0;

	/* Refusals may have to leave from different listening sockets. */
	while (row < count && effects[row].kind == TRANSFER_SEND &&
	       effects[row].id == effects->id && (row == 0 || effects->id != 0)) {
		if (udp) {
			datagram_count = add_to_row(d, udp, &effects[row], datagram_count);
		}
		row++;
	}
	if (udp) {
		udp_send(udp, d->row, datagram_count);
	}
	return row;
}

/* The first of these effects, and what goes with it. How many. */
static size_t carry_out_some(struct tftp_door *d, const struct transfer_effect *effects,
			     size_t count)
{
	switch (effects->kind) {
	case TRANSFER_OPEN_SOCKET:
		open_socket(d, effects);
		break;
	case TRANSFER_SEND:
		return send_row(d, effects, count);
	case TRANSFER_OPEN_FILE:
		open_file(d, effects);
		break;
	case TRANSFER_READ:
		read_piece(d, effects);
		break;
	case TRANSFER_CLOSE:
		close_carrier(d, effects->id);
		break;
	}
	return 1;
}

static void update_counters(struct tftp_door *d)
{
	const struct transfers_counters *counted = transfers_counters(d->transfers);

	d->counters = (struct tftp_door_counters){
		.requests = counted->requests,
		.completed = counted->completed,
		.refused = counted->refused,
		.abandoned = counted->abandoned,
		.ignored = counted->ignored + d->ignored,
		.full = counted->full,
		.resent = counted->resent,
		.open = counted->open,
	};
}

/* Carries out what was decided, tells what was learned by it, until nothing is left to do. */
static void carry_out(struct tftp_door *d)
{
	for (;;) {
		struct transfer_notice notice;

		for (size_t i = 0; i < d->effects.count;) {
			i += carry_out_some(d, &d->effects.items[i], d->effects.count - i);
		}
		door_carry_out(d->door, &d->effects.others);
		transfer_effects_reset(&d->effects);
		if (d->notice_count == 0) {
			break;
		}
		notice = d->notices[--d->notice_count];
		tell(d, &notice);
	}
	loop_timer_set(&d->timer, transfers_next_wake(d->transfers));
	update_counters(d);
}

static void on_timer(void *context)
{
	struct tftp_door *d = context;

	transfers_expire(d->transfers, now_ms(d), &d->effects);
	carry_out(d);
}

static void listener_received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct listener *listener = context;
	struct tftp_door *d = listener->door;

	d->asked = listener;
	for (size_t i = 0; i < count; i++) {
		struct packet packet = {.bytes = datagrams[i].bytes,
					.source = datagrams[i].source,
					.target = datagrams[i].target,
					.local = datagrams[i].local,
					.interface = datagrams[i].interface};

		/* A broadcast request is for nobody in particular, and would be an amplifier. */
		if (address_is_multicast(packet.target.address) ||
		    !address_equal(packet.target.address, packet.local)) {
			d->ignored++;
			continue;
		}
		transfers_receive(d->transfers, 0, &packet, now_ms(d), &d->effects);
		carry_out(d);
	}
	d->asked = NULL;
}

static void listener_unreachable(void *context, struct endpoint to, int error)
{
	(void)context; /* a refusal that nobody waits for */
	(void)to;
	(void)error;
}

static void serve(void *context, struct file_request *request, uint32_t interface,
		  struct arena *arena, struct file_answer *answer, struct effects *effects)
{
	struct tftp_door *d = context;
	struct door_question question = {.request = *request, .interface = interface};
	struct span name;

	door_serve(d->door, &question, arena, answer, effects);
	name = arena_copy(arena, span_text(question.interface_name));
	*request = question.request;
	request->interface = name.data ? name : span_make(NULL, 0);
}

static void free_parts(struct tftp_door *d)
{
	transfers_free(d->transfers);
	transfer_effects_free(&d->effects);
	while (d->spare_piece_count > 0) {
		free(d->spare_pieces[--d->spare_piece_count]);
	}
	free(d->carriers);
	free(d);
}

int tftp_door_new(struct tftp_door **out, struct loop *loop, const struct door *door,
		  const struct tftp_door_options *options)
{
	struct transfers_options decider;
	struct tftp_door *d = calloc(1, sizeof(*d));
	int error;

	if (!d) {
		return -ENOMEM;
	}
	d->door = door;
	d->loop = loop;
	transfers_defaults(&decider);
	decider.transfers_max =
		options->transfers_max < UINT16_MAX ? options->transfers_max : UINT16_MAX;
	decider.transfers_per_source_max = options->transfers_per_source_max;
	decider.rollover = options->rolls_over_to_1 ? TFTP_ROLLOVER_1 : TFTP_ROLLOVER_0;
	decider.serve = serve;
	decider.context = d;
	memcpy(decider.seed, options->seed, random_seed_size);
	d->transfers_max = decider.transfers_max;
	d->carriers = calloc(decider.transfers_max, sizeof(*d->carriers));
	error = d->carriers ? transfer_effects_init(&d->effects) : -ENOMEM;
	if (error == 0) {
		error = transfers_new(&d->transfers, &decider);
	}
	if (error == 0) {
		error = loop_timer_open(&d->timer, loop, on_timer, d);
	}
	if (error != 0) {
		free_parts(d);
		return error;
	}
	*out = d;
	return 0;
}

int tftp_door_listen(struct tftp_door *door, struct endpoint endpoint, char *problem,
		     size_t problem_size)
{
	struct listener *listener = &door->listeners[door->listener_count];
	char sentence[udp_problem_size];
	struct udp_options options = {
		.bind = endpoint,
		.batch_max = listener_batch,
		.datagram_max = request_datagram_max,
		.received = listener_received,
		.unreachable = listener_unreachable,
		.context = listener,
	};
	int error;

	if (door->listener_count == listeners_max) {
		snprintf(problem, problem_size, "too many endpoints to listen on: at most %d",
			 listeners_max);
		return -ENOSPC;
	}
	listener->door = door;
	error = udp_open(&listener->udp, door->loop, &options, sentence);
	if (error != 0) {
		snprintf(problem, problem_size, "%s", sentence);
		return error;
	}
	door->listener_count++;
	return 0;
}

uint16_t tftp_door_port(const struct tftp_door *door, size_t i)
{
	return i < door->listener_count ? udp_endpoint(door->listeners[i].udp).port : 0;
}

const struct tftp_door_counters *tftp_door_counters(const struct tftp_door *door)
{
	return &door->counters;
}

static void free_door_if_over(struct tftp_door *d)
{
	void (*closed)(void *context) = d->closed;
	void *context = d->closed_context;

	if (!d->is_timer_closed || d->reads > 0) {
		return;
	}
	free_parts(d);
	if (closed) {
		closed(context);
	}
}

static void timer_closed(void *context)
{
	struct tftp_door *d = context;

	d->is_timer_closed = true;
	free_door_if_over(d);
}

void tftp_door_close(struct tftp_door *door, void (*closed)(void *context), void *context)
{
	door->closed = closed;
	door->closed_context = context;
	for (size_t i = 0; i < door->listener_count; i++) {
		udp_close(door->listeners[i].udp);
	}
	for (size_t i = 0; i < door->transfers_max; i++) {
		if (door->carriers[i]) {
			close_carrier(door, door->carriers[i]->id);
		}
	}
	loop_timer_close(&door->timer, timer_closed);
}

/* SPDX-License-Identifier: MIT */
#include "io/tftp_door.h"

#include "core/provision/transfers.h"
#include "io/catalogue.h"
#include "io/udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	listeners_max = 16,
	notices_max = 256,
	listener_batch = 16,
	request_datagram_max = 9216, /* a jumbo frame: what is too long is told so */
	transfer_batch = 4,
	transfer_datagram_max = 1024, /* an ACK has 4 octets */
};

/* What the shell holds for one transfer: its socket, and the file when it is a stored one. */
struct carrier {
	struct tftp_door *door;
	uint64_t id;
	struct udp *udp; /* NULL: none */
	int fd;		 /* -1: none */
	struct stat opened;
	uv_fs_t read;
	char *piece;
	uint64_t offset;
	bool is_reading;
	bool is_closed; /* the transfer is over; goes when the read is back */
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
	struct listener listeners[listeners_max];
	size_t listener_count;
	struct listener *asked; /* the one whose datagram is looked at */
	struct tftp_door_counters counters;
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
	free(carrier->piece);
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

/* An ICMP error: nobody is there to take the file. May come while effects are carried out. */
static void carrier_unreachable(void *context, struct endpoint to, int error)
{
	struct carrier *carrier = context;

	(void)to;
	(void)error;
	note(carrier->door,
	     (struct transfer_notice){.kind = TRANSFER_SOCKET_FAILED, .id = carrier->id});
	loop_timer_set(&carrier->door->timer, 0);
}

/* The carrying out of each effect. */

static void open_socket(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = make_carrier(d, effect->id);
	char problem[udp_problem_size] = "no memory";
	struct udp_options options = {
		.bind = {.address = effect->local},
		.batch_max = transfer_batch,
		.datagram_max = transfer_datagram_max,
		.received = carrier_received,
		.unreachable = carrier_unreachable,
		.context = carrier,
	};

	if (carrier && udp_open(&carrier->udp, d->loop, &options, problem) == 0) {
		return;
	}
	d->door->report(d->door->context,
			&(struct effect_report){.level = REPORT_WARNING,
						.reason = "transfer_socket_failed",
						.text = span_text(problem),
						.source = effect->to});
	note(d, (struct transfer_notice){.kind = TRANSFER_SOCKET_FAILED, .id = effect->id});
}

static void open_file(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = make_carrier(d, effect->id);
	struct transfer_notice notice = {.kind = TRANSFER_FILE_FAILED, .id = effect->id};

	if (carrier) {
		carrier->fd =
			catalogue_open_file(d->door->files_fd, effect->bytes, &carrier->opened);
		if (carrier->fd >= 0) {
			notice.kind = TRANSFER_FILE_OPENED;
			notice.size = (uint64_t)carrier->opened.st_size;
			notice.version = catalogue_version(&carrier->opened);
		}
	}
	note(d, notice);
}

/* One version of a file for each transfer: what was edited in place meanwhile is cut. */
static bool is_unchanged(const struct carrier *carrier)
{
	struct stat now;

	return fstat(carrier->fd, &now) == 0 && now.st_size == carrier->opened.st_size &&
	       now.st_mtim.tv_sec == carrier->opened.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == carrier->opened.st_mtim.tv_nsec;
}

static void on_piece(uv_fs_t *request)
{
	struct carrier *carrier = request->data;
	struct tftp_door *d = carrier->door;
	struct transfer_notice notice = {.kind = TRANSFER_FILE_READ,
					 .id = carrier->id,
					 .offset = carrier->offset};
	ssize_t count = request->result;

	uv_fs_req_cleanup(request);
	carrier->is_reading = false;
	d->reads--;
	if (carrier->is_closed) {
		free_carrier(carrier);
		free_door_if_over(d);
		return;
	}
	if (count > 0 && is_unchanged(carrier)) {
		notice.bytes = span_make(carrier->piece, (size_t)count);
	}
	transfers_change(d->transfers, &notice, now_ms(d), &d->effects);
	carry_out(d);
}

static void read_piece(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = find_carrier(d, effect->id);
	char *piece;
	uv_buf_t buffer;

	if (!carrier || carrier->fd < 0 || carrier->is_reading) {
		return;
	}
	piece = realloc(carrier->piece, effect->length);
	if (piece) {
		carrier->piece = piece;
		buffer = uv_buf_init(piece, (unsigned)effect->length);
		carrier->offset = effect->offset;
		carrier->read.data = carrier;
		if (uv_fs_read(&d->loop->uv, &carrier->read, carrier->fd, &buffer, 1,
			       (int64_t)effect->offset, on_piece) == 0) {
			carrier->is_reading = true;
			d->reads++;
			return;
		}
	}
	note(d, (struct transfer_notice){.kind = TRANSFER_FILE_FAILED, .id = effect->id});
}

/* The listening socket that a refusal leaves from: the one that was asked. */
static struct udp *listener_for(struct tftp_door *d, struct address local)
{
	if (d->asked) {
		return d->asked->udp;
	}
	for (size_t i = 0; i < d->listener_count; i++) {
		struct address bound = udp_endpoint(d->listeners[i].udp).address;

		if (address_equal(bound, local) ||
		    (address_is_any(bound) && bound.family == local.family)) {
			return d->listeners[i].udp;
		}
	}
	return NULL;
}

static void send_datagram(struct tftp_door *d, const struct transfer_effect *effect)
{
	struct carrier *carrier = find_carrier(d, effect->id);
	struct udp *udp = effect->id == 0 ? listener_for(d, effect->local)
			  : carrier	  ? carrier->udp
					  : NULL;
	struct udp_datagram datagram = {.to = effect->to,
					.from = effect->local,
					.interface = effect->interface,
					.bytes = effect->bytes};

	if (udp) {
		udp_send(udp, &datagram, 1);
	}
}

static void carry_out_one(struct tftp_door *d, const struct transfer_effect *effect)
{
	switch (effect->kind) {
	case TRANSFER_OPEN_SOCKET:
		open_socket(d, effect);
		break;
	case TRANSFER_SEND:
		send_datagram(d, effect);
		break;
	case TRANSFER_OPEN_FILE:
		open_file(d, effect);
		break;
	case TRANSFER_READ:
		read_piece(d, effect);
		break;
	case TRANSFER_CLOSE:
		close_carrier(d, effect->id);
		break;
	}
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
		.open = counted->open,
	};
}

/* Carries out what was decided, tells what was learned by it, until nothing is left to do. */
static void carry_out(struct tftp_door *d)
{
	for (;;) {
		struct transfer_notice notice;

		for (size_t i = 0; i < d->effects.count; i++) {
			carry_out_one(d, &d->effects.items[i]);
		}
		door_carry_out(d->door, &d->effects.others);
		transfer_effects_reset(&d->effects);
		if (d->notice_count == 0) {
			break;
		}
		notice = d->notices[--d->notice_count];
		transfers_change(d->transfers, &notice, now_ms(d), &d->effects);
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

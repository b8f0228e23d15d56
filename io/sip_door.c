/* SPDX-License-Identifier: MIT */
#include "io/sip_door.h"

#include "io/path.h"
#include "io/sip_door_state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* All timers that are due at one moment, and a batch of datagrams, find room. */
	effects_max = 16384,
	effects_bytes_max = 32 << 20,
	pending_max = 1024, /* hardware addresses that are asked for at once */
	notice_rounds_max = 16,
	receive_buffer_size = 4 << 20, /* some thousand phones that boot at once */
};

static void lock_inventory(struct sip_door *door)
{
	pthread_rwlock_rdlock(door->options.inventory_lock);
}

static void unlock_inventory(struct sip_door *door)
{
	pthread_rwlock_unlock(door->options.inventory_lock);
}

static void add_udp_counters(struct udp_counters *sum, struct udp_counters one)
{
	sum->received += one.received;
	sum->sent += one.sent;
	sum->send_errors += one.send_errors;
	sum->send_full += one.send_full;
	sum->icmp_errors += one.icmp_errors;
	sum->truncated += one.truncated;
	sum->kernel_drops += one.kernel_drops;
}

static void publish_counters(struct sip_door *door)
{
	struct sip_door_counters *counters = &door->counters;
	const struct signalling_counter *reason;

	counters->reason_count = 0;
	while (counters->reason_count < sip_door_reasons_max &&
	       (reason = signalling_counter(door->signalling, counters->reason_count))) {
		counters->reasons[counters->reason_count++] = *reason;
	}
	counters->unicast = (struct udp_counters){0};
	for (size_t i = 0; i < door->unicast_count; i++) {
		add_udp_counters(&counters->unicast, udp_counters(door->unicast[i].udp));
	}
	if (door->group) {
		counters->group = group_socket_counters(door->group);
	}
	counters->neighbours = neighbours_counters(door->neighbours);
	counters->effects_lost = door->effects.lost;
	counters->reads_frames = door->frames != NULL;
	pthread_mutex_lock(&door->mutex);
	door->published = *counters;
	door->published.notices_lost += door->posted_lost;
	door->orders_count = signalling_order_count(door->signalling);
	for (const struct resync_list *list = door->orders; list; list = list->next) {
		door->orders_count += list->count;
	}
	pthread_mutex_unlock(&door->mutex);
}

/*
 * Ends every event: carries out what signalling decided, tells it what that taught us, and so on
 * until nothing is left.
 */
static void settle(struct sip_door *door)
{
	sip_door_carry_out(door);
	for (int round = 0; round < notice_rounds_max && door->learned_count > 0; round++) {
		uint64_t now_ms = loop_now_ms(&door->loop);

		lock_inventory(door);
		for (size_t i = 0; i < door->learned_count; i++) {
			if (door->learned[i].kind == NOTICE_FETCHED) {
				suspicion_fetched(&door->suspicion, door->learned[i].mac);
			}
			(void)signalling_change(door->signalling, &door->learned[i], now_ms,
						&door->effects);
		}
		unlock_inventory(door);
		door->learned_count = 0;
		sip_door_carry_out(door);
	}
	loop_timer_set(&door->timer, door->learned_count > 0
					     ? loop_now_ms(&door->loop)
					     : signalling_next_wake(door->signalling));
	publish_counters(door);
}

static void timer_rang(void *context)
{
	struct sip_door *door = context;

	lock_inventory(door);
	signalling_expire(door->signalling, loop_now_ms(&door->loop), &door->effects);
	unlock_inventory(door);
	settle(door);
}

static void neighbour_answered(void *context, struct address address, uint32_t interface,
			       enum neighbour_answer answer, struct mac mac)
{
	struct sip_door *door = context;

	sip_door_learn_neighbour(door, address, interface, answer, mac);
	settle(door);
}

/* Perhaps from within a send: signalling is told by settle, which runs at once. */
static void unreachable(void *context, struct endpoint to, int error)
{
	struct door_socket *socket = context;

	sip_door_learn(socket->door,
		       (struct notice){.kind = NOTICE_UNREACHABLE, .endpoint = to, .error = error});
	loop_timer_set(&socket->door->timer, 0);
}

/* Hands the orders that were posted to signalling; its timer then runs at once. */
static void take_orders(struct sip_door *door)
{
	struct resync_list *orders;

	pthread_mutex_lock(&door->mutex);
	orders = door->orders;
	door->orders = NULL;
	pthread_mutex_unlock(&door->mutex);
	while (orders) {
		struct resync_list *next = orders->next;

		signalling_order(door->signalling, orders, loop_now_ms(&door->loop));
		orders = next;
	}
}

static void posted(uv_async_t *async)
{
	struct sip_door *door = async->data;
	size_t left;

	take_orders(door);
	do {
		size_t room = sip_door_learned_max - door->learned_count;
		size_t count;

		pthread_mutex_lock(&door->mutex);
		count = door->posted_count < room ? door->posted_count : room;
		memcpy(&door->learned[door->learned_count], door->posted,
		       count * sizeof(door->posted[0]));
		left = door->posted_count - count;
		memmove(door->posted, &door->posted[count], left * sizeof(door->posted[0]));
		door->posted_count = left;
		pthread_mutex_unlock(&door->mutex);
		door->learned_count += count;
		settle(door);
	} while (left > 0);
}

/*
 * Where the answer will leave from: the address in the sender's own prefix (R-MCAST-4, R-3581-5),
 * but one that a unicast socket of ours listens on.
 */
static bool choose_local(const struct sip_door *door, const struct udp_received *in,
			 struct address *local)
{
	struct address nearest = in->local;
	const struct udp *other = NULL;

	(void)interfaces_local_address(door->interfaces, in->source.address, in->interface,
				       &nearest);
	if (!address_is_any(nearest) && sip_door_socket_for(door, nearest)) {
		*local = nearest;
		return true;
	}
	for (size_t i = 0; i < door->unicast_count && !other; i++) {
		struct address bound = udp_endpoint(door->unicast[i].udp).address;

		if (bound.family == in->source.address.family && !address_is_any(bound)) {
			other = door->unicast[i].udp;
		}
	}
	if (other) {
		*local = udp_endpoint(other).address;
	}
	return other != NULL;
}

/* From the port that we send from, on an address of this machine: never answered (R-MCAST-14). */
static bool is_from_ourselves(const struct sip_door *door, struct endpoint source)
{
	const struct udp *udp = sip_door_socket_for(door, source.address);

	return udp && udp_endpoint(udp).port == source.port &&
	       interfaces_is_own(door->interfaces, source.address);
}

/* False for a datagram that signalling shall not see; the reason is counted. */
static bool make_packet(struct sip_door *door, bool is_group, const struct udp_received *in,
			uint64_t now_ms, struct packet *packet)
{
	*packet = (struct packet){
		.bytes = in->bytes,
		.source = in->source,
		.target = in->target,
		.local = in->local,
		.interface = in->interface,
		.is_multicast = is_group,
	};
	if (is_from_ourselves(door, in->source) ||
	    /* From the wire, in our name: the kernel drops it before a UDP socket. */
	    (is_group && group_socket_is_packet(door->group) &&
	     interfaces_is_own(door->interfaces, in->source.address))) {
		door->counters.own_source++;
		return false;
	}
	if (is_group && !group_socket_has(door->group, in->interface)) {
		door->counters.foreign_interface++;
		return false;
	}
	if (is_group ? !choose_local(door, in, &packet->local)
		     : !address_equal(in->target.address, in->local)) {
		door->counters
			.not_for_us++; /* to a broadcast address; or no address to answer from */
		return false;
	}
	packet->has_link_source =
		is_group && door->frames &&
		interfaces_is_on_link(door->interfaces, in->source.address, in->interface) &&
		frames_find(door->frames, in->source, in->interface, now_ms, &packet->link_source);
	door->counters.link_sources += packet->has_link_source;
	return true;
}

static void received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct door_socket *socket = context;
	struct sip_door *door = socket->door;
	bool is_group = socket == &door->group_socket;
	uint64_t now_ms = loop_now_ms(&door->loop);

	if (is_group && door->frames) {
		frames_read(door->frames, now_ms);
	}
	lock_inventory(door);
	for (size_t i = 0; i < count; i++) {
		struct packet packet;

		if (make_packet(door, is_group, &datagrams[i], now_ms, &packet)) {
			(void)signalling_receive(door->signalling, &packet, now_ms, &door->effects);
		}
	}
	unlock_inventory(door);
	settle(door);
}

static struct span interface_name(void *context, uint32_t interface)
{
	const struct sip_door *door = context;
	const struct interface *found = interfaces_by_index(door->interfaces, interface);

	return found ? span_text(found->name) : span_make(NULL, 0);
}

static bool has_meaning_on_its_link_only(struct address address)
{
	return address.family == ADDRESS_IPV6 && address.octets[0] == 0xfe &&
	       (address.octets[1] & 0xc0) == 0x80;
}

/* Where an order leaves from: as the answer to a phone that asks; for one that is far, by route. */
static bool local_for(void *context, struct address remote, struct span name, struct address *local,
		      uint32_t *index)
{
	const struct sip_door *door = context;
	char text[IF_NAMESIZE] = "";
	bool is_named = span_to_text(name, text, sizeof(text)) == 0 && text[0];
	const struct interface *seen = is_named ? interfaces_by_name(door->interfaces, text) : NULL;
	struct udp_received in = {.source = {.address = remote, .port = 5060},
				  .interface = interfaces_towards(door->interfaces, remote)};

	*index = 0;
	if (seen && interfaces_is_on_link(door->interfaces, remote, seen->index)) {
		in.interface = seen->index;
	}
	if (has_meaning_on_its_link_only(remote)) {
		in.interface = seen ? seen->index : in.interface;
		*index = in.interface;
	}
	(void)path_local_address(in.source, *index, &in.local);
	return choose_local(door, &in, local);
}

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	const struct signalling_options *given =
		&((const struct sip_door *)context)->options.signalling;

	given->server_for(given->context, device, local, server);
}

static uint64_t utc_ms(void *context)
{
	(void)context;
	return loop_utc_ms();
}

static void *run(void *context)
{
	struct sip_door *door = context;
	sigset_t all;

	sigfillset(&all); /* signals are the main thread's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_setname_np(pthread_self(), "sip");
	loop_run(&door->loop);
	return NULL;
}

static int open_socket(struct sip_door *door, struct door_socket *socket, struct endpoint bind,
		       char problem[static sip_door_problem_size])
{
	struct udp_options options = {
		.bind = bind,
		.receive_buffer = receive_buffer_size,
		.received = received,
		.unreachable = unreachable,
		.context = socket,
	};

	socket->door = door;
	return udp_open(&socket->udp, &door->loop, &options, problem);
}

static int open_unicast(struct sip_door *door, char problem[static sip_door_problem_size])
{
	for (size_t i = 0; i < door->options.listen_count; i++) {
		struct endpoint bind = door->options.listen[i];
		int error;

		if (i > 0 && bind.port == 0) {
			bind.port = udp_endpoint(door->unicast[0].udp).port;
		}
		error = open_socket(door, &door->unicast[i], bind, problem);
		if (error) {
			return error;
		}
		door->unicast_count++;
	}
	return 0;
}

/* Group datagrams may come in on any interface; what wildcard socket is in the way of binding? */
static int open_group(struct sip_door *door, char problem[static sip_door_problem_size])
{
	struct endpoint group = door->options.group;
	struct group_socket_options group_options = {
		.loop = &door->loop,
		.interfaces = door->interfaces,
		.log = door->options.log,
		.group = group,
		.kind = door->options.group_socket,
		.unicast = door->unicast[0].udp,
		.names = (const char(*)[IF_NAMESIZE])door->options.interfaces,
		.name_count = door->options.interface_count,
		.receive_buffer = receive_buffer_size,
		.received = received,
		.unreachable = unreachable,
		.context = &door->group_socket,
	};
	bool has_ipv4 = false;
	int error;

	if (!address_is_set(group.address)) {
		return 0;
	}
	for (size_t i = 0; i < door->unicast_count; i++) {
		has_ipv4 = has_ipv4 || door->options.listen[i].address.family == ADDRESS_IPV4;
	}
	if (!has_ipv4 || group.address.family != ADDRESS_IPV4 ||
	    !address_is_multicast(group.address)) {
		snprintf(problem, sip_door_problem_size,
			 "[sip] group needs an IPv4 group address and an IPv4 address in listen, "
			 "which the answers leave from; or leave group empty");
		return -EINVAL;
	}
	group_options.beside = sip_door_socket_for(door, group.address);
	door->group_socket.door = door;
	error = group_socket_open(&door->group, &group_options, problem);
	if (error) {
		return error;
	}
	/* After the group's: the kernel hands a frame to the newest packet socket first. */
	if (frames_open(&door->frames, group) != 0) {
		log_info(door->options.log, "frames_unread",
			 "without CAP_NET_RAW the hardware address of a phone's first request is "
			 "asked for, instead of read from its frame");
	}
	return 0;
}

static void canary_changed(void *context)
{
	struct sip_door *door = context;

	canary_door_state(door->canary, &door->counters.canary);
	publish_counters(door);
}

static int open_canary(struct sip_door *door, char problem[static sip_door_problem_size])
{
	struct canary_door_options options = {
		.loop = &door->loop,
		.interfaces = door->interfaces,
		.group = door->group,
		.group_endpoint = door->options.group,
		.interval_ms = door->options.canary_interval_ms,
		.inventory = door->options.signalling.inventory,
		.inventory_lock = door->options.inventory_lock,
		.log = door->options.log,
		.report = door->options.report,
		.report_context = door->options.context,
		.changed = canary_changed,
		.changed_context = door,
	};

	if (!door->group || options.interval_ms == 0) {
		return 0;
	}
	memcpy(options.seed, door->options.canary_seed, sizeof(options.seed));
	return canary_door_open(&door->canary, &options, problem);
}

static int open_signalling(struct sip_door *door, char problem[static sip_door_problem_size])
{
	struct signalling_options options = door->options.signalling;
	int error;

	options.group = door->options.group;
	options.port = udp_endpoint(door->unicast[0].udp).port;
	options.server_for = server_for;
	options.utc_ms = utc_ms;
	options.interface_name = interface_name;
	options.local_for = local_for;
	options.context = door;
	error = effects_init(&door->effects, effects_max, effects_bytes_max);
	door->effects.report_level_min = sip_door_report_level(door);
	error = error ? error : signalling_new(&door->signalling, &options);
	if (error) {
		snprintf(problem, sip_door_problem_size, "no memory for SIP signalling");
	}
	return error;
}

static int open_network(struct sip_door *door, char problem[static sip_door_problem_size])
{
	/* A building whose power comes back: whoever may wait for an answer may ask for it. */
	size_t waiting_max = door->options.signalling.waiting_max;
	struct neighbour_options options = {
		.entries_max = door->options.neighbours_max,
		.pending_max = waiting_max < pending_max ? waiting_max : pending_max,
	};
	int error = interfaces_open(&door->interfaces, &door->loop, door->options.log);

	if (error) {
		snprintf(problem, sip_door_problem_size,
			 "the list of network interfaces cannot be read: %s", strerror(-error));
		return error;
	}
	error = neighbours_open(&door->neighbours, &door->loop, door->interfaces, &options,
				door->options.log);
	if (error) {
		snprintf(problem, sip_door_problem_size, "the neighbour table cannot be read: %s",
			 strerror(-error));
		return error;
	}
	door->neighbour_listener.answered = neighbour_answered;
	door->neighbour_listener.context = door;
	neighbours_listen(door->neighbours, &door->neighbour_listener);
	return 0;
}

/* Everything that was opened, in whatever state; the thread does not run. */
static void close_all(struct sip_door *door)
{
	canary_door_close(door->canary);
	group_socket_close(door->group);
	frames_close(door->frames);
	for (size_t i = 0; i < door->unicast_count; i++) {
		udp_close(door->unicast[i].udp);
	}
	if (door->neighbours) {
		neighbours_close(door->neighbours);
	}
	if (door->interfaces) {
		interfaces_close(door->interfaces);
	}
	loop_timer_close(&door->timer, NULL);
	loop_close(&door->loop);
	signalling_free(door->signalling);
	resync_list_free(door->orders);
	effects_free(&door->effects);
	pthread_mutex_destroy(&door->mutex);
	free(door);
}

static int open_all(struct sip_door *door, char problem[static sip_door_problem_size])
{
	int error = open_network(door, problem);

	if (!error && door->options.listen_count == 0) {
		snprintf(problem, sip_door_problem_size, "[sip] listen names no address");
		error = -EINVAL;
	}
	error = error ? error : open_unicast(door, problem);
	error = error ? error : open_group(door, problem);
	error = error ? error : open_signalling(door, problem);
	return error ? error : open_canary(door, problem);
}

int sip_door_start(struct sip_door **door, const struct sip_door_options *options,
		   char problem[static sip_door_problem_size])
{
	struct sip_door *made = calloc(1, sizeof(*made));
	int error = made ? loop_open(&made->loop) : -ENOMEM;

	snprintf(problem, sip_door_problem_size, "no memory or threads left for the SIP door");
	if (error) {
		free(made);
		return error;
	}
	made->options = *options;
	pthread_mutex_init(&made->mutex, NULL);
	loop_timer_open(&made->timer, &made->loop, timer_rang, made);
	error = uv_async_init(&made->loop.uv, &made->posted_wake, posted);
	made->posted_wake.data = made;
	error = error ? error : open_all(made, problem);
	if (!error) {
		publish_counters(made);
		error = -pthread_create(&made->thread, NULL, run, made);
	}
	if (error) {
		close_all(made);
		return error;
	}
	*door = made;
	return 0;
}

void sip_door_stop(struct sip_door *door)
{
	if (!door) {
		return;
	}
	loop_stop(&door->loop);
	pthread_join(door->thread, NULL);
	close_all(door);
}

int sip_door_notice(struct sip_door *door, const struct notice *notice)
{
	int error = 0;

	pthread_mutex_lock(&door->mutex);
	if (door->posted_count == sip_door_notices_max) {
		door->posted_lost++;
		error = -ENOSPC;
	} else {
		door->posted[door->posted_count++] = *notice;
	}
	pthread_mutex_unlock(&door->mutex);
	uv_async_send(&door->posted_wake);
	return error;
}

int sip_door_order(struct sip_door *door, struct resync_list *list)
{
	size_t max = door->options.signalling.resync.targets_max;
	int error = 0;

	pthread_mutex_lock(&door->mutex);
	if (list->count > max || door->orders_count > max - list->count) {
		error = -ENOSPC;
	} else {
		resync_list_append(&door->orders, list);
		door->orders_count += list->count;
	}
	pthread_mutex_unlock(&door->mutex);
	uv_async_send(&door->posted_wake);
	return error;
}

void sip_door_counters(struct sip_door *door, struct sip_door_counters *counters)
{
	pthread_mutex_lock(&door->mutex);
	*counters = door->published;
	pthread_mutex_unlock(&door->mutex);
}

struct endpoint sip_door_endpoint(const struct sip_door *door, size_t i)
{
	return i < door->unicast_count ? udp_endpoint(door->unicast[i].udp) : (struct endpoint){0};
}

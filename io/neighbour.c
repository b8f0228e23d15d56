/* SPDX-License-Identifier: MIT */
#include "io/neighbour.h"

#include "core/base/table.h"
#include "io/netlink.h"
#include "io/udp.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	entries_max_default = 65536,
	pending_max_default = 128,
	timeout_ms_default = 900,
	dump_tries_max = 5,
	discard_port = 9, /* RFC 863 */
	key_size = sizeof(uint32_t) + sizeof(struct address),
};

struct entry {
	char key[key_size]; /* interface and address */
	struct mac mac;
};

struct question {
	struct address address;
	uint32_t interface;
	uint32_t sequence;  /* of the netlink request under way; its answer bears it */
	bool is_at_network; /* the kernel's own table did not know */
	uint64_t deadline_ms;
};

struct neighbours {
	struct netlink netlink;
	struct loop *loop;
	struct loop_timer timer;
	struct log *log;
	const struct interfaces *interfaces;
	struct neighbour_options options;
	struct neighbour_counters counters;
	struct neighbour_listener *listeners;
	struct table entries;
	struct question *pending; /* oldest first: all wait equally long */
	size_t pending_count;
	int probes[2]; /* datagram sockets for IPv4 and IPv6, or -1 */
	unsigned open_handles;
};

static struct span entry_key(const void *entry)
{
	return span_make(((const struct entry *)entry)->key, key_size);
}

static struct span make_key(struct address address, uint32_t interface, char key[static key_size])
{
	memcpy(key, &interface, sizeof(interface));
	memcpy(key + sizeof(interface), &address, sizeof(address));
	return span_make(key, key_size);
}

int neighbour_event_parse(const struct nlmsghdr *message, struct neighbour_event *event)
{
	const uint16_t has_address =
		NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attributes[NDA_LLADDR + 1];
	struct neighbour_event found = {0};
	const struct nlattr *hardware;

	if (message->nlmsg_type != RTM_NEWNEIGH && message->nlmsg_type != RTM_DELNEIGH) {
		return -ENOMSG;
	}
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info)) {
		return -EINVAL;
	}
	if ((info->ndm_family != AF_INET && info->ndm_family != AF_INET6) ||
	    info->ndm_ifindex <= 0 || (info->ndm_flags & NTF_PROXY)) {
		return -ENOMSG; /* a bridge's table, a proxy's */
	}
	netlink_attributes(message, sizeof(*info), attributes, NDA_LLADDR + 1);
	found.address = netlink_address(attributes[NDA_DST], info->ndm_family);
	if (!address_is_set(found.address)) {
		return -EINVAL;
	}
	found.interface = (uint32_t)info->ndm_ifindex;
	hardware = attributes[NDA_LLADDR];
	if (message->nlmsg_type == RTM_NEWNEIGH && (info->ndm_state & has_address) && hardware &&
	    mnl_attr_get_payload_len(hardware) == sizeof(found.mac.octets)) {
		memcpy(found.mac.octets, mnl_attr_get_payload(hardware), sizeof(found.mac.octets));
		found.is_known = true;
	}
	found.is_failed = message->nlmsg_type == RTM_NEWNEIGH && (info->ndm_state & NUD_FAILED);
	*event = found;
	return 0;
}

static void tell(struct neighbours *neighbours, const struct question *question,
		 enum neighbour_answer answer, struct mac mac)
{
	struct neighbour_listener *next;

	for (struct neighbour_listener *l = neighbours->listeners; l; l = next) {
		next = l->next;
		l->answered(l->context, question->address, question->interface, answer, mac);
	}
}

static void set_timer(struct neighbours *neighbours)
{
	loop_timer_set(&neighbours->timer, neighbours->pending_count > 0
						   ? neighbours->pending[0].deadline_ms
						   : UINT64_MAX);
}

/* Takes a question out before its answer is told: the listener may ask the next. */
static void finish(struct neighbours *neighbours, size_t i, enum neighbour_answer answer,
		   struct mac mac)
{
	struct question question = neighbours->pending[i];

	neighbours->pending_count--;
	memmove(&neighbours->pending[i], &neighbours->pending[i + 1],
		(neighbours->pending_count - i) * sizeof(question));
	set_timer(neighbours);
	tell(neighbours, &question, answer, mac);
}

static size_t find_question(const struct neighbours *neighbours, struct address address,
			    uint32_t interface)
{
	size_t i = 0;

	while (i < neighbours->pending_count &&
	       (neighbours->pending[i].interface != interface ||
		!address_equal(neighbours->pending[i].address, address))) {
		i++;
	}
	return i;
}

static void forget(struct neighbours *neighbours, struct span key)
{
	free(table_remove(&neighbours->entries, key));
}

static void remember(struct neighbours *neighbours, const struct neighbour_event *event)
{
	char key[key_size];
	struct span span = make_key(event->address, event->interface, key);
	struct entry *entry = table_find(&neighbours->entries, span);

	if (entry) {
		entry->mac = event->mac;
		return;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry) {
		return;
	}
	memcpy(entry->key, key, key_size);
	entry->mac = event->mac;
	if (table_add(&neighbours->entries, entry) != 0) {
		free(entry);
	}
}

static void take_event(struct neighbours *neighbours, const struct neighbour_event *event)
{
	size_t i = find_question(neighbours, event->address, event->interface);
	char key[key_size];

	if (event->is_known) {
		remember(neighbours, event);
	} else {
		forget(neighbours, make_key(event->address, event->interface, key));
	}
	if (i == neighbours->pending_count) {
		return;
	}
	if (event->is_known) {
		neighbours->counters.found++;
		finish(neighbours, i, NEIGHBOUR_FOUND, event->mac);
	} else if (event->is_failed && neighbours->pending[i].is_at_network) {
		neighbours->counters.failed++;
		finish(neighbours, i, NEIGHBOUR_NONE, (struct mac){0});
	}
}

/*
 * An empty datagram: the kernel must find the neighbour to send it. It leaves on the interface
 * whatever the routes say, and dies there.
 */
static int ask_by_datagram(struct neighbours *neighbours, const struct question *question)
{
	struct endpoint to = {question->address, discard_port};
	int probe = neighbours->probes[question->address.family == ADDRESS_IPV6];
	struct sockaddr_storage storage;
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] __attribute__((aligned(8))) = {0};
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct msghdr header = {.msg_name = &storage, .msg_control = control};

	header.msg_namelen = udp_sockaddr(to, question->interface, &storage);
	if (question->address.family == ADDRESS_IPV4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)question->interface};

		*c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		header.msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = question->interface};

		*c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		header.msg_controllen = CMSG_SPACE(sizeof(info));
	}
	return sendmsg(probe, &header, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static struct nlmsghdr *start_request(char *room, const struct question *question, uint16_t type)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ndmsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	bool is_ipv4 = question->address.family == ADDRESS_IPV4;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST;
	info->ndm_family = is_ipv4 ? AF_INET : AF_INET6;
	info->ndm_ifindex = (int)question->interface;
	mnl_attr_put(request, NDA_DST, is_ipv4 ? 4 : 16, question->address.octets);
	return request;
}

/*
 * First the kernel's table: it tells of changes only, so what the mirror has no room for, or has
 * not heard yet, must be asked for; and NTF_USE on an entry that an operator made permanent would
 * undo it.
 */
static int ask_table(struct neighbours *neighbours, struct question *question)
{
	char room[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start_request(room, question, RTM_GETNEIGH);
	int error = netlink_send(&neighbours->netlink, request);

	question->sequence = request->nlmsg_seq;
	return error;
}

static int ask_network(struct neighbours *neighbours, struct question *question)
{
	char room[128] __attribute__((aligned(8)));
	struct nlmsghdr *request = start_request(room, question, RTM_NEWNEIGH);
	struct ndmsg *info = mnl_nlmsg_get_payload(request);
	int error;

	question->is_at_network = true;
	question->sequence = 0;
	if (neighbours->options.is_datagram_only) {
		return ask_by_datagram(neighbours, question);
	}
	request->nlmsg_flags |= NLM_F_CREATE;
	info->ndm_flags = NTF_USE;
	error = netlink_send(&neighbours->netlink, request);
	question->sequence = request->nlmsg_seq;
	return error;
}

/* The question that a message of the kernel answers, or pending_count. */
static size_t find_sequence(const struct neighbours *neighbours, uint32_t sequence)
{
	size_t i = 0;

	while (i < neighbours->pending_count && neighbours->pending[i].sequence != sequence) {
		i++;
	}
	return sequence != 0 ? i : neighbours->pending_count;
}

static void pass_to_network(struct neighbours *neighbours, size_t i)
{
	if (ask_network(neighbours, &neighbours->pending[i]) != 0) {
		neighbours->counters.failed++;
		finish(neighbours, i, NEIGHBOUR_NONE, (struct mac){0});
	}
}

/*
 * A request refused. Of the table: there is no entry, so the network is asked. Of NTF_USE: without
 * the capability datagrams must do, else the question has failed.
 */
static void take_refusal(struct neighbours *neighbours, uint32_t sequence, int error)
{
	size_t i = find_sequence(neighbours, sequence);

	if (i == neighbours->pending_count || error == 0) {
		return;
	}
	if (!neighbours->pending[i].is_at_network) {
		pass_to_network(neighbours, i);
	} else if (error == -EPERM) {
		if (!neighbours->options.is_datagram_only) {
			log_info(neighbours->log, "neighbours_by_datagram",
				 "without CAP_NET_ADMIN, hardware addresses are asked for by empty "
				 "datagrams to port 9");
		}
		neighbours->options.is_datagram_only = true;
		pass_to_network(neighbours, i);
	} else {
		neighbours->counters.failed++;
		finish(neighbours, i, NEIGHBOUR_NONE, (struct mac){0});
	}
}

/* The table's answer to a question, without a hardware address in it. */
static void take_answer(struct neighbours *neighbours, uint32_t sequence)
{
	size_t i = find_sequence(neighbours, sequence);

	if (i < neighbours->pending_count && !neighbours->pending[i].is_at_network) {
		pass_to_network(neighbours, i);
	}
}

static void message_came(void *context, const struct nlmsghdr *message)
{
	struct neighbours *neighbours = context;
	struct neighbour_event event;

	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

		if (mnl_nlmsg_get_payload_len(message) >= sizeof(*error)) {
			take_refusal(neighbours, message->nlmsg_seq, error->error);
		}
	} else if (neighbour_event_parse(message, &event) == 0) {
		take_event(neighbours, &event);
		take_answer(neighbours, message->nlmsg_seq);
	}
}

static void forget_all(struct neighbours *neighbours)
{
	size_t cursor = 0;

	for (struct entry *e; (e = table_next(&neighbours->entries, &cursor));) {
		free(e);
	}
	table_free(&neighbours->entries);
}

static int read_all(struct neighbours *neighbours)
{
	int error = -EAGAIN;

	for (int i = 0; i < dump_tries_max && error == -EAGAIN; i++) {
		forget_all(neighbours);
		error = netlink_dump(&neighbours->netlink, RTM_GETNEIGH);
	}
	/* Torn five times over, the mirror still lacks nothing that resolve would not find. */
	return error == -EAGAIN ? 0 : error;
}

static void messages_lost(void *context)
{
	struct neighbours *neighbours = context;
	int error;

	neighbours->counters.resyncs++;
	error = read_all(neighbours);
	if (error) {
		log_warning(neighbours->log, "neighbours_unread",
			    "the neighbour table could not be read anew: %s", strerror(-error));
	}
}

static void timer_rang(void *context)
{
	struct neighbours *neighbours = context;
	uint64_t now_ms = loop_now_ms(neighbours->loop);

	while (neighbours->timer.is_open && neighbours->pending_count > 0 &&
	       neighbours->pending[0].deadline_ms <= now_ms) {
		neighbours->counters.timed_out++;
		finish(neighbours, 0, NEIGHBOUR_NONE, (struct mac){0});
	}
	if (neighbours->timer.is_open) {
		set_timer(neighbours);
	}
}

static void handle_closed(void *context)
{
	struct neighbours *neighbours = context;

	if (--neighbours->open_handles > 0) {
		return;
	}
	forget_all(neighbours);
	free(neighbours->pending);
	free(neighbours);
}

static struct neighbours *neighbours_new(const struct neighbour_options *options)
{
	struct neighbours *made = calloc(1, sizeof(*made));
	uint8_t seed[random_seed_size];
	struct random random;

	if (!made || getrandom(seed, sizeof(seed), 0) != sizeof(seed)) {
		free(made);
		return NULL;
	}
	made->options = options ? *options : (struct neighbour_options){0};
	if (made->options.entries_max == 0) {
		made->options.entries_max = entries_max_default;
	}
	if (made->options.pending_max == 0) {
		made->options.pending_max = pending_max_default;
	}
	if (made->options.timeout_ms == 0) {
		made->options.timeout_ms = timeout_ms_default;
	}
	random_init(&random, seed);
	table_init(&made->entries, made->options.entries_max, &random, entry_key);
	made->pending = calloc(made->options.pending_max, sizeof(*made->pending));
	if (!made->pending) {
		free(made);
		return NULL;
	}
	return made;
}

static void open_probes(struct neighbours *neighbours)
{
	int hops = 1;

	neighbours->probes[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	neighbours->probes[1] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(neighbours->probes[0], IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
	setsockopt(neighbours->probes[1], IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
}

int neighbours_open(struct neighbours **neighbours, struct loop *loop,
		    const struct interfaces *interfaces, const struct neighbour_options *options,
		    struct log *log)
{
	static const unsigned groups[] = {RTNLGRP_NEIGH, RTNLGRP_NONE};
	struct neighbours *made = neighbours_new(options);
	int error;

	if (!made) {
		return -ENOMEM;
	}
	made->loop = loop;
	made->log = log;
	made->interfaces = interfaces;
	made->netlink.message = message_came;
	made->netlink.lost = messages_lost;
	made->netlink.context = made;
	error = netlink_open(&made->netlink, loop, groups);
	if (error) {
		free(made->pending);
		free(made);
		return error;
	}
	open_probes(made);
	made->open_handles = 2;
	loop_timer_open(&made->timer, loop, timer_rang, made); /* cannot fail: uv_timer_init */
	error = read_all(made);
	if (error) {
		neighbours_close(made);
		return error;
	}
	*neighbours = made;
	return 0;
}

void neighbours_close(struct neighbours *neighbours)
{
	neighbours->listeners = NULL;
	neighbours->pending_count = 0;
	for (size_t i = 0; i < 2; i++) {
		if (neighbours->probes[i] >= 0) {
			close(neighbours->probes[i]);
		}
	}
	loop_timer_close(&neighbours->timer, handle_closed);
	netlink_close(&neighbours->netlink, handle_closed);
}

void neighbours_listen(struct neighbours *neighbours, struct neighbour_listener *listener)
{
	listener->next = neighbours->listeners;
	neighbours->listeners = listener;
}

/* Without an interface named, the one that the address is on-link on; 0 when there is none. */
static uint32_t interface_of(const struct neighbours *neighbours, struct address address,
			     uint32_t interface)
{
	return interface != 0 ? interface : interfaces_towards(neighbours->interfaces, address);
}

enum neighbour_answer neighbours_lookup(const struct neighbours *neighbours, struct address address,
					uint32_t interface, struct mac *mac)
{
	const struct interface *on;
	const struct entry *entry;
	char key[key_size];

	if (interfaces_is_own(neighbours->interfaces, address)) {
		return NEIGHBOUR_NONE;
	}
	interface = interface_of(neighbours, address, interface);
	if (!interfaces_is_on_link(neighbours->interfaces, address, interface)) {
		return NEIGHBOUR_ROUTED;
	}
	on = interfaces_by_index(neighbours->interfaces, interface);
	if (!on || !on->has_mac) {
		return NEIGHBOUR_NONE; /* a link that knows no hardware addresses */
	}
	entry = table_find(&neighbours->entries, make_key(address, interface, key));
	if (!entry) {
		return NEIGHBOUR_UNKNOWN;
	}
	*mac = entry->mac;
	return NEIGHBOUR_FOUND;
}

enum neighbour_answer neighbours_resolve(struct neighbours *neighbours, struct address address,
					 uint32_t interface, struct mac *mac)
{
	enum neighbour_answer answer = neighbours_lookup(neighbours, address, interface, mac);
	struct question question = {.address = address};

	if (answer != NEIGHBOUR_UNKNOWN) {
		return answer;
	}
	question.interface = interface_of(neighbours, address, interface);
	if (find_question(neighbours, address, question.interface) < neighbours->pending_count) {
		neighbours->counters.coalesced++;
		return NEIGHBOUR_UNKNOWN;
	}
	if (neighbours->pending_count == neighbours->options.pending_max) {
		neighbours->counters.refused++;
		return NEIGHBOUR_NONE;
	}
	neighbours->counters.asked++;
	if (ask_table(neighbours, &question) != 0) {
		neighbours->counters.failed++;
		return NEIGHBOUR_NONE;
	}
	question.deadline_ms = loop_now_ms(neighbours->loop) + neighbours->options.timeout_ms;
	neighbours->pending[neighbours->pending_count++] = question;
	set_timer(neighbours);
	return NEIGHBOUR_UNKNOWN;
}

struct neighbour_counters neighbours_counters(const struct neighbours *neighbours)
{
	struct neighbour_counters counters = neighbours->counters;

	counters.entries = neighbours->entries.count;
	counters.pending = neighbours->pending_count;
	counters.full = neighbours->entries.full;
	return counters;
}

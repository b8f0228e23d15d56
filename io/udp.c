/* SPDX-License-Identifier: MIT */
#include "io/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	control_size = 128,	  /* PKTINFO of either family, SO_RXQ_OVFL or UDP_SEGMENT */
	train_octets_max = 65000, /* of datagrams that leave in one send */
	rounds_per_turn_max = 4,  /* batches before others on the loop have their turn */
	errors_per_turn_max = 1024,
	send_tries_max = 3,
	full_wait_ms = 20,
	stride_extra = 320, /* keeps buffers of 64 KiB off each other's cache lines */
};

/* One datagram's place in a batch. */
struct slot {
	struct iovec bytes;
	struct sockaddr_storage peer;
	char control[control_size] __attribute__((aligned(8)));
};

/* What a socket needs only while a call lasts. */
struct room {
	struct mmsghdr in_headers[udp_batch_max];
	struct slot in[udp_batch_max];
	struct udp_received received[udp_batch_max];
	struct mmsghdr out_headers[udp_batch_max];
	struct slot out[udp_batch_max];
	struct iovec out_bytes[udp_batch_max];
};

struct udp {
	struct loop_watch watch;
	int descriptor;
	struct udp_options options;
	struct endpoint bound;
	struct udp_counters counters;
	bool cuts_trains;  /* the kernel knows UDP_SEGMENT */
	struct room *room; /* its own; NULL: that of another socket, where what follows points to */
	struct mmsghdr *in_headers;
	struct slot *in;
	struct udp_received *received;
	struct mmsghdr *out_headers;
	struct slot *out;
	struct iovec *out_bytes; /* of each datagram; a train has several in a row */
	char *buffers;		 /* of what comes in: batch_max times the stride */
};

socklen_t udp_sockaddr(struct endpoint endpoint, uint32_t interface,
		       struct sockaddr_storage *storage)
{
	memset(storage, 0, sizeof(*storage));
	if (endpoint.address.family == ADDRESS_IPV4) {
		struct sockaddr_in *in = (struct sockaddr_in *)storage;

		in->sin_family = AF_INET;
		in->sin_port = htons(endpoint.port);
		memcpy(&in->sin_addr, endpoint.address.octets, 4);
		return sizeof(*in);
	}
	if (endpoint.address.family == ADDRESS_IPV6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint.port);
		memcpy(&in6->sin6_addr, endpoint.address.octets, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)) {
			in6->sin6_scope_id = interface;
		}
		return sizeof(*in6);
	}
	return 0;
}

struct endpoint udp_from_sockaddr(const struct sockaddr_storage *storage)
{
	struct endpoint endpoint = {0};

	if (storage->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)storage;

		endpoint.address.family = ADDRESS_IPV4;
		endpoint.port = ntohs(in->sin_port);
		memcpy(endpoint.address.octets, &in->sin_addr, 4);
	} else if (storage->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;

		endpoint.address.family = ADDRESS_IPV6;
		endpoint.port = ntohs(in6->sin6_port);
		memcpy(endpoint.address.octets, &in6->sin6_addr, 16);
	}
	return endpoint;
}

void udp_bind_problem(const char *protocol, struct endpoint endpoint, int error,
		      char problem[static udp_problem_size])
{
	char where[address_text_size];

	address_text(endpoint.address, where);
	if (error == EADDRINUSE) {
		snprintf(problem, udp_problem_size,
			 "%s port %u on %s is taken by another program: stop it (as root, `ss -nlp "
			 "'sport = :%u'` names it), or listen elsewhere",
			 protocol, endpoint.port, where, endpoint.port);
	} else if (error == EACCES || error == EPERM) {
		snprintf(problem, udp_problem_size,
			 "%s port %u on %s is forbidden to this user: `setcap "
			 "cap_net_bind_service=+ep` bellhopd, systemd's CAP_NET_BIND_SERVICE, "
			 "`sysctl net.ipv4.ip_unprivileged_port_start=%u` or a port from 1024 up",
			 protocol, endpoint.port, where, endpoint.port);
	} else if (error == EADDRNOTAVAIL) {
		snprintf(problem, udp_problem_size,
			 "%s cannot listen on %s port %u: this machine has no such address; "
			 "`ip address` shows those it has, 0.0.0.0 takes all",
			 protocol, where, endpoint.port);
	} else {
		snprintf(problem, udp_problem_size, "%s cannot listen on %s port %u: %s", protocol,
			 where, endpoint.port, strerror(error));
	}
}

/* What the kernel says beside a datagram: where it came to, and how many were lost before it. */
static void read_control(struct udp *udp, struct msghdr *header, struct udp_received *in)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			in->interface = (uint32_t)info.ipi_ifindex;
			in->target.address = (struct address){.family = ADDRESS_IPV4};
			memcpy(in->target.address.octets, &info.ipi_addr, 4);
			in->local = (struct address){.family = ADDRESS_IPV4};
			memcpy(in->local.octets, &info.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			in->interface = info.ipi6_ifindex;
			in->target.address = (struct address){.family = ADDRESS_IPV6};
			memcpy(in->target.address.octets, &info.ipi6_addr, 16);
			in->local = in->target.address;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t drops; /* since the socket was opened, modulo 2^32 */

			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			udp->counters.kernel_drops +=
				(uint32_t)(drops - (uint32_t)udp->counters.kernel_drops);
		}
	}
}

static size_t collect_batch(struct udp *udp, size_t arrived)
{
	size_t count = 0;

	for (size_t i = 0; i < arrived; i++) {
		struct msghdr *header = &udp->in_headers[i].msg_hdr;
		struct udp_received *in = &udp->received[count];

		*in = (struct udp_received){
			.bytes = span_make(udp->in[i].bytes.iov_base, udp->in_headers[i].msg_len),
			.source = udp_from_sockaddr(&udp->in[i].peer),
			.target = udp->bound,
		};
		read_control(udp, header, in);
		if (header->msg_flags & MSG_TRUNC) {
			udp->counters.truncated++;
		} else {
			count++;
		}
	}
	udp->counters.received += count;
	return count;
}

static int receive_batch(struct udp *udp)
{
	for (size_t i = 0; i < udp->options.batch_max; i++) {
		struct msghdr *header = &udp->in_headers[i].msg_hdr;

		header->msg_namelen = sizeof(udp->in[i].peer);
		header->msg_controllen = sizeof(udp->in[i].control);
	}
	return recvmmsg(udp->descriptor, udp->in_headers, (unsigned)udp->options.batch_max,
			MSG_DONTWAIT, NULL);
}

/* True for an error that says of whom it speaks and that a send has not told already. */
static bool error_is_from_network(struct msghdr *header, int *error)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
				(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
		struct sock_extended_err extended;

		if (is_error && c->cmsg_len >= CMSG_LEN(sizeof(extended))) {
			memcpy(&extended, CMSG_DATA(c), sizeof(extended));
			*error = (int)extended.ee_errno;
			return extended.ee_origin == SO_EE_ORIGIN_ICMP ||
			       extended.ee_origin == SO_EE_ORIGIN_ICMP6;
		}
	}
	return false;
}

/*
 * Empties the error queue (ip(7), IP_RECVERR). As long as it holds something, every other call on
 * the socket fails in place of the destination that the error is about.
 */
static void drain_errors(struct udp *udp)
{
	for (int i = 0; i < errors_per_turn_max && udp->watch.is_open; i++) {
		struct sockaddr_storage to = {0};
		char control[256] __attribute__((aligned(8)));
		char payload[1];
		struct iovec room = {payload, sizeof(payload)};
		struct msghdr header = {.msg_name = &to,
					.msg_namelen = sizeof(to),
					.msg_iov = &room,
					.msg_iovlen = 1,
					.msg_control = control,
					.msg_controllen = sizeof(control)};
		int error = 0;

		if (recvmsg(udp->descriptor, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
			if (errno == EINTR) {
				continue;
			}
			return;
		}
		if (error_is_from_network(&header, &error)) {
			udp->counters.icmp_errors++;
			udp->options.unreachable(udp->options.context, udp_from_sockaddr(&to),
						 error);
		}
	}
}

static void ready(void *context, bool has_error)
{
	struct udp *udp = context;

	if (has_error) {
		drain_errors(udp);
	}
	for (int i = 0; i < rounds_per_turn_max && udp->watch.is_open; i++) {
		int arrived = receive_batch(udp);

		if (arrived < 0) {
			if (errno == EAGAIN) {
				return;
			}
			drain_errors(udp); /* it stood for an error that is pending */
			continue;
		}
		if (arrived > 0) {
			size_t count = collect_batch(udp, (size_t)arrived);

			if (count > 0) {
				udp->options.received(udp->options.context, udp->received, count);
			}
		}
		if ((size_t)arrived < udp->options.batch_max) {
			return;
		}
	}
}

/* PKTINFO as the way to say where a datagram leaves: source address and interface. */
static size_t write_way(const struct udp_datagram *out, struct cmsghdr *c)
{
	if (!address_is_set(out->from) && out->interface == 0) {
		return 0;
	}
	if (out->to.address.family == ADDRESS_IPV4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)out->interface};

		memcpy(&info.ipi_spec_dst, out->from.octets, 4);
		*c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = out->interface};

		memcpy(&info.ipi6_addr, out->from.octets, 16);
		*c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
}

/* How long the datagrams are that the kernel is to cut a train into (udp(7), UDP_SEGMENT). */
static size_t write_cut(uint16_t length, struct cmsghdr *c)
{
	*c = (struct cmsghdr){CMSG_LEN(sizeof(length)), IPPROTO_UDP, UDP_SEGMENT};
	memcpy(CMSG_DATA(c), &length, sizeof(length));
	return CMSG_SPACE(sizeof(length));
}

static bool go_the_same_way(const struct udp_datagram *a, const struct udp_datagram *b)
{
	return endpoint_equal(a->to, b->to) && address_equal(a->from, b->from) &&
	       a->interface == b->interface;
}

/*
 * How many datagrams can leave as one: they go the same way and are equally long, or the last one
 * is shorter. One pass through the kernel for the 200 and the NOTIFY of a phone instead of two.
 */
static size_t train_length(const struct udp_datagram *datagrams, size_t count)
{
	size_t length = datagrams[0].bytes.length;
	size_t octets = length;
	size_t i = 1;

	for (; i < count && datagrams[i - 1].bytes.length == length; i++) {
		size_t next = datagrams[i].bytes.length;

		octets += next;
		if (next == 0 || next > length || octets > train_octets_max ||
		    !go_the_same_way(&datagrams[0], &datagrams[i])) {
			break;
		}
	}
	return i;
}

static void fill_slot(struct udp *udp, size_t i, const struct udp_datagram *out,
		      struct iovec *bytes, size_t count)
{
	struct slot *slot = &udp->out[i];
	struct msghdr *header = &udp->out_headers[i].msg_hdr;
	size_t used;

	*header = (struct msghdr){.msg_name = &slot->peer,
				  .msg_namelen = udp_sockaddr(out->to, out->interface, &slot->peer),
				  .msg_iov = bytes,
				  .msg_iovlen = count};
	memset(slot->control, 0, sizeof(slot->control));
	used = write_way(out, (struct cmsghdr *)slot->control);
	if (count > 1) {
		used += write_cut((uint16_t)out->bytes.length,
				  (struct cmsghdr *)(slot->control + used));
	}
	header->msg_control = used > 0 ? slot->control : NULL;
	header->msg_controllen = used;
}

/* Makes messages of the datagrams, in trains where that is wanted; the number of messages. */
static size_t fill_slots(struct udp *udp, const struct udp_datagram *datagrams, size_t count,
			 bool in_trains)
{
	size_t messages = 0;

	for (size_t i = 0; i < count; i++) {
		struct span bytes = datagrams[i].bytes;

		/* The kernel only reads from it. */
		udp->out_bytes[i] = (struct iovec){(void *)(uintptr_t)bytes.data, bytes.length};
	}
	for (size_t i = 0, length; i < count; i += length) {
		length = in_trains ? train_length(&datagrams[i], count - i) : 1;
		fill_slot(udp, messages++, &datagrams[i], &udp->out_bytes[i], length);
	}
	return messages;
}

static void send_refused(struct udp *udp, struct endpoint to, int error)
{
	udp->counters.send_errors++;
	udp->options.unreachable(udp->options.context, to, error);
}

/* How many datagrams stand in messages `from` up to `to`. */
static size_t datagrams_in(const struct udp *udp, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++) {
		count += udp->out_headers[i].msg_hdr.msg_iovlen;
	}
	return count;
}

/*
 * Sends from the start of one batch; `*wait_ms` is what is left of the patience with a full buffer.
 * The number of datagrams that are over and done with: all, or those before a train that the kernel
 * refuses (a device or route that cannot, a destination that nothing reaches).
 */
static size_t send_batch(struct udp *udp, const struct udp_datagram *datagrams, size_t count,
			 bool in_trains, int *wait_ms)
{
	size_t messages = fill_slots(udp, datagrams, count, in_trains);
	size_t at = 0;
	size_t done = 0;
	int tries = 0;

	while (at < messages && udp->watch.is_open) {
		int sent = sendmmsg(udp->descriptor, udp->out_headers + at,
				    (unsigned)(messages - at), MSG_DONTWAIT);
		int error = errno;

		if (sent > 0) {
			size_t gone = datagrams_in(udp, at, at + (size_t)sent);

			udp->counters.sent += gone;
			done += gone;
			at += (size_t)sent;
			tries = 0;
		} else if (error == EAGAIN) {
			struct pollfd wait = {.fd = udp->descriptor, .events = POLLOUT};

			if (*wait_ms == 0) {
				udp->counters.send_full += count - done;
				return count;
			}
			poll(&wait, 1, 1);
			--*wait_ms;
		} else if (error != EINTR) {
			/* Perhaps an earlier destination's ICMP error: take that away, try again.
			 */
			drain_errors(udp);
			if (++tries < send_tries_max) {
				continue;
			}
			if (udp->out_headers[at].msg_hdr.msg_iovlen > 1) {
				return done;
			}
			send_refused(udp, datagrams[done].to, error);
			done++;
			at++;
			tries = 0;
		}
	}
	return count;
}

void udp_send(struct udp *udp, const struct udp_datagram *datagrams, size_t count)
{
	int wait_ms = full_wait_ms;

	while (count > 0 && udp->watch.is_open) {
		size_t batch = count < udp->options.batch_max ? count : udp->options.batch_max;
		size_t done = send_batch(udp, datagrams, batch, udp->cuts_trains, &wait_ms);

		if (done < batch) {
			/* Each for itself. */
			send_batch(udp, datagrams + done, batch - done, false, &wait_ms);
		}
		datagrams += batch;
		count -= batch;
	}
}

static int set_option(struct udp *udp, int level, int name, int value)
{
	return setsockopt(udp->descriptor, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int set_options_ipv4(struct udp *udp)
{
	int error = set_option(udp, IPPROTO_IP, IP_PKTINFO, 1);

	/* Only what this very socket joined (R-MCAST-3), never further than the link (R-MCAST-12).
	 */
	error = error ? error : set_option(udp, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	error = error ? error : set_option(udp, IPPROTO_IP, IP_MULTICAST_TTL, 1);
	error = error ? error : set_option(udp, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	/* Forged ICMP must not make us believe in a small path; the network may fragment. */
	error = error ? error : set_option(udp, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	return error ? error : set_option(udp, IPPROTO_IP, IP_RECVERR, 1);
}

static int set_options_ipv6(struct udp *udp)
{
	int error = set_option(udp, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	error = error ? error : set_option(udp, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	error = error ? error : set_option(udp, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1);
	/*
	 * Here no router fragments: the sender must, by what the network says it takes. Forged,
	 * that costs a second fragment at worst, for it is never less than 1280 octets (RFC 8200
	 * 5).
	 */
	error = error ? error
		      : set_option(udp, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
	return error ? error : set_option(udp, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

static int set_options(struct udp *udp)
{
	size_t room = udp->options.receive_buffer;
	int error = set_option(udp, SOL_SOCKET, SO_RXQ_OVFL, 1);

	if (room > 0 && set_option(udp, SOL_SOCKET, SO_RCVBUFFORCE, (int)room) != 0) {
		set_option(udp, SOL_SOCKET, SO_RCVBUF, (int)room); /* as much as we may */
	}
	udp->cuts_trains = set_option(udp, IPPROTO_UDP, UDP_SEGMENT, 0) == 0; /* Linux 4.18 */
	if (error) {
		return error;
	}
	return udp->options.bind.address.family == ADDRESS_IPV4 ? set_options_ipv4(udp)
								: set_options_ipv6(udp);
}

/*
 * A unicast socket binds without SO_REUSEADDR, so that a port that is taken shows, and nobody can
 * take it from us later. The group socket on the same port needs the option on both, but only while
 * it binds.
 */
static int bind_socket(struct udp *udp)
{
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr(udp->options.bind, udp->options.interface, &storage);
	struct udp *beside = udp->options.is_group ? udp->options.beside : NULL;
	int error = 0;

	if (udp->options.is_group) {
		error = set_option(udp, SOL_SOCKET, SO_REUSEADDR, 1);
	}
	if (!error && beside) {
		error = set_option(beside, SOL_SOCKET, SO_REUSEADDR, 1);
	}
	if (!error && bind(udp->descriptor, (struct sockaddr *)&storage, length) != 0) {
		error = -errno;
	}
	if (beside) {
		set_option(beside, SOL_SOCKET, SO_REUSEADDR, 0);
	}
	length = sizeof(storage);
	if (!error && getsockname(udp->descriptor, (struct sockaddr *)&storage, &length) != 0) {
		error = -errno;
	}
	if (!error) {
		udp->bound = udp_from_sockaddr(&storage);
	}
	return error;
}

static void share_slots(struct udp *udp, const struct udp *other)
{
	udp->options.batch_max = other->options.batch_max;
	udp->options.datagram_max = other->options.datagram_max;
	udp->in_headers = other->in_headers;
	udp->in = other->in;
	udp->received = other->received;
	udp->out_headers = other->out_headers;
	udp->out = other->out;
	udp->out_bytes = other->out_bytes;
}

static int prepare_slots(struct udp *udp)
{
	size_t stride = udp->options.datagram_max + stride_extra;

	udp->buffers = calloc(udp->options.batch_max, stride);
	udp->room = calloc(1, sizeof(*udp->room));
	if (!udp->buffers || !udp->room) {
		free(udp->buffers);
		free(udp->room);
		return -ENOMEM;
	}
	udp->in_headers = udp->room->in_headers;
	udp->in = udp->room->in;
	udp->received = udp->room->received;
	udp->out_headers = udp->room->out_headers;
	udp->out = udp->room->out;
	udp->out_bytes = udp->room->out_bytes;
	for (size_t i = 0; i < udp->options.batch_max; i++) {
		struct slot *slot = &udp->in[i];

		slot->bytes.iov_base = udp->buffers + i * stride;
		slot->bytes.iov_len = udp->options.datagram_max;
		udp->in_headers[i].msg_hdr = (struct msghdr){.msg_name = &slot->peer,
							     .msg_iov = &slot->bytes,
							     .msg_iovlen = 1,
							     .msg_control = slot->control};
	}
	return 0;
}

static void udp_free(void *context)
{
	struct udp *udp = context;

	free(udp->buffers);
	free(udp->room);
	free(udp);
}

static struct udp *udp_new(const struct udp_options *options)
{
	struct udp *udp = calloc(1, sizeof(*udp));

	if (!udp) {
		return NULL;
	}
	udp->options = *options;
	if (options->batch_max == 0 || options->batch_max > udp_batch_max) {
		udp->options.batch_max = udp_batch_max;
	}
	if (options->datagram_max == 0 || options->datagram_max > udp_datagram_max) {
		udp->options.datagram_max = udp_datagram_max;
	}
	if (options->shares) {
		share_slots(udp, options->shares);
	} else if (prepare_slots(udp) != 0) {
		free(udp);
		return NULL;
	}
	return udp;
}

int udp_open(struct udp **udp, struct loop *loop, const struct udp_options *options,
	     char problem[static udp_problem_size])
{
	int family = options->bind.address.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
	struct udp *made = udp_new(options);
	int error;

	if (!made) {
		snprintf(problem, udp_problem_size, "no memory for a UDP socket");
		return -ENOMEM;
	}
	made->descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	error = made->descriptor < 0 ? -errno : set_options(made);
	error = error ? error : bind_socket(made);
	error = error ? error : loop_watch_open(&made->watch, loop, made->descriptor, ready, made);
	if (error) {
		udp_bind_problem("UDP", options->bind, -error, problem);
		if (made->descriptor >= 0) {
			close(made->descriptor);
		}
		udp_free(made);
		return error;
	}
	*udp = made;
	return 0;
}

void udp_close(struct udp *udp)
{
	loop_watch_close(&udp->watch, udp_free);
	close(udp->descriptor);
}

struct endpoint udp_endpoint(const struct udp *udp)
{
	return udp->bound;
}

static int change_membership(struct udp *udp, uint32_t interface, int option)
{
	struct ip_mreqn request = {.imr_ifindex = (int)interface};

	if (udp->bound.address.family != ADDRESS_IPV4) {
		return -EAFNOSUPPORT;
	}
	memcpy(&request.imr_multiaddr, udp->bound.address.octets, 4);
	return setsockopt(udp->descriptor, IPPROTO_IP, option, &request, sizeof(request)) == 0
		       ? 0
		       : -errno;
}

int udp_join(struct udp *udp, uint32_t interface)
{
	return change_membership(udp, interface, IP_ADD_MEMBERSHIP);
}

int udp_leave(struct udp *udp, uint32_t interface)
{
	return change_membership(udp, interface, IP_DROP_MEMBERSHIP);
}

struct udp_counters udp_counters(const struct udp *udp)
{
	return udp->counters;
}

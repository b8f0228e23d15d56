/* SPDX-License-Identifier: MIT */
#include "io/netlink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	receive_buffer_size = 4 << 20,
	dump_wait_ms = 1000,
	reads_per_turn_max = 64,
};

/*
 * One datagram into the buffer: its length, or a negative errno. Those that do not come from the
 * kernel (port id 0) are dropped: nobody else may tell us of neighbours.
 */
static ssize_t receive(struct netlink *netlink)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec room = {netlink->buffer, sizeof(netlink->buffer)};
		struct msghdr header = {.msg_name = &from,
					.msg_namelen = sizeof(from),
					.msg_iov = &room,
					.msg_iovlen = 1};
		ssize_t length = recvmsg(netlink->descriptor, &header, MSG_DONTWAIT);

		if (length < 0 && errno == EINTR) {
			continue;
		}
		if (length < 0) {
			return -errno;
		}
		if (header.msg_namelen == sizeof(from) && from.nl_pid == 0 &&
		    !(header.msg_flags & MSG_TRUNC)) {
			return length;
		}
	}
}

/* Hands on each message; 1 when the dump `sequence` ended with it, 0, or a negative errno. */
static int take(struct netlink *netlink, ssize_t length, uint32_t sequence)
{
	int rest = (int)length;
	int outcome = 0;

	for (const struct nlmsghdr *message = (const struct nlmsghdr *)netlink->buffer;
	     netlink_message_is_whole(message, rest); message = mnl_nlmsg_next(message, &rest)) {
		bool is_ours = sequence != 0 && message->nlmsg_seq == sequence;

		if (is_ours && (message->nlmsg_flags & NLM_F_DUMP_INTR)) {
			outcome = -EAGAIN;
		}
		if (is_ours && message->nlmsg_type == NLMSG_DONE) {
			return outcome ? outcome : 1;
		}
		if (is_ours && message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
			bool is_whole = mnl_nlmsg_get_payload_len(message) >= sizeof(*error);

			return is_whole && error->error < 0 ? error->error : -EPROTO;
		}
		netlink->message(netlink->context, message);
	}
	return outcome;
}

static void ready(void *context, bool has_error)
{
	struct netlink *netlink = context;

	(void)has_error; /* recvmsg tells and clears it */
	for (int i = 0; i < reads_per_turn_max && netlink->watch.is_open; i++) {
		ssize_t length = receive(netlink);

		if (length == -ENOBUFS) {
			netlink->lost(netlink->context);
		} else if (length < 0) {
			return;
		} else {
			take(netlink, length, 0);
		}
	}
}

int netlink_open(struct netlink *netlink, struct loop *loop, const unsigned *groups)
{
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	int size = receive_buffer_size;
	int error = 0;

	netlink->descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (netlink->descriptor < 0) {
		return -errno;
	}
	if (setsockopt(netlink->descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
		setsockopt(netlink->descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	if (bind(netlink->descriptor, (struct sockaddr *)&own, sizeof(own)) != 0) {
		error = -errno;
	}
	for (; !error && *groups != RTNLGRP_NONE; groups++) {
		if (setsockopt(netlink->descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups,
			       sizeof(*groups)) != 0) {
			error = -errno;
		}
	}
	if (!error) {
		error = loop_watch_open(&netlink->watch, loop, netlink->descriptor, ready, netlink);
	}
	if (error) {
		close(netlink->descriptor);
	}
	return error;
}

void netlink_close(struct netlink *netlink, void (*closed)(void *context))
{
	netlink->watch.context = netlink->context;
	loop_watch_close(&netlink->watch, closed);
	close(netlink->descriptor);
}

int netlink_send(struct netlink *netlink, struct nlmsghdr *request)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	request->nlmsg_seq = ++netlink->sequence ? netlink->sequence : ++netlink->sequence;
	if (sendto(netlink->descriptor, request, request->nlmsg_len, 0, (struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0) {
		return -errno;
	}
	return 0;
}

int netlink_dump(struct netlink *netlink, uint16_t type)
{
	char room[MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg)] __attribute__((aligned(8))) = {0};
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	int outcome;

	/* The longest of the headers that a dump may begin with; all zero is "of every kind". */
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	outcome = netlink_send(netlink, request);
	while (outcome == 0) {
		struct pollfd wait = {.fd = netlink->descriptor, .events = POLLIN};
		ssize_t length = receive(netlink);

		if (length >= 0) {
			outcome = take(netlink, length, request->nlmsg_seq);
		} else if (length == -ENOBUFS) {
			outcome = -EAGAIN;
		} else if (length != -EAGAIN) {
			outcome = (int)length;
		} else if (poll(&wait, 1, dump_wait_ms) == 0) {
			outcome = -ETIMEDOUT;
		}
	}
	return outcome > 0 ? 0 : outcome;
}

struct attribute_table {
	const struct nlattr **attributes;
	size_t count;
};

static int attribute_found(const struct nlattr *attribute, void *context)
{
	const struct attribute_table *table = context;

	if (mnl_attr_get_type(attribute) < table->count) {
		table->attributes[mnl_attr_get_type(attribute)] = attribute;
	}
	return MNL_CB_OK;
}

void netlink_attributes(const struct nlmsghdr *message, size_t header_size,
			const struct nlattr **attributes, size_t count)
{
	struct attribute_table table = {attributes, count};

	memset(attributes, 0, count * sizeof(*attributes));
	mnl_attr_parse(message, (unsigned)header_size, attribute_found, &table);
}

struct address netlink_address(const struct nlattr *attribute, uint8_t family)
{
	struct address address = {0};
	uint16_t length = attribute ? mnl_attr_get_payload_len(attribute) : 0;

	if ((family == AF_INET && length == 4) || (family == AF_INET6 && length == 16)) {
		address.family = family == AF_INET ? ADDRESS_IPV4 : ADDRESS_IPV6;
		memcpy(address.octets, mnl_attr_get_payload(attribute), length);
	}
	return address;
}

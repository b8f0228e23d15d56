/* SPDX-License-Identifier: MIT */
/*
 * A rtnetlink socket on a loop, on libmnl: messages of the kernel (and of nobody else) one by one,
 * dumps, and the recovery that rtnetlink(7) asks for when the kernel had to drop messages.
 */
#ifndef BELLHOP_IO_NETLINK_H
#define BELLHOP_IO_NETLINK_H

#include "core/base/address.h"
#include "io/loop.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

enum { netlink_message_max = 32768 };

struct netlink {
	int descriptor;
	uint32_t sequence;
	struct loop_watch watch;
	void (*message)(void *context, const struct nlmsghdr *message);
	/* Messages were lost: forget what was learned and dump anew. */
	void (*lost)(void *context);
	void *context;
	char buffer[netlink_message_max] __attribute__((aligned(8)));
};

/*
 * `groups` is a list of RTNLGRP_*, ended by RTNLGRP_NONE. The structure must not move while open.
 * 0 or a negative errno.
 */
int netlink_open(struct netlink *netlink, struct loop *loop, const unsigned *groups);

/* The socket closes at once; `closed` is called from the loop when the memory may go. */
void netlink_close(struct netlink *netlink, void (*closed)(void *context));

/*
 * Asks for everything of a kind (RTM_GETLINK ...) and hands it to `message` before returning,
 * together with what else arrives meanwhile. 0; -EAGAIN when the kernel's answer was interrupted
 * or lost (ask again), -ETIMEDOUT, or another negative errno.
 */
int netlink_dump(struct netlink *netlink, uint16_t type);

/* Sends a request; an error of the kernel comes back to `message` as NLMSG_ERROR. */
int netlink_send(struct netlink *netlink, struct nlmsghdr *request);

/*
 * Does a whole message stand at `message`, of which `rest` octets are there? (mnl_nlmsg_ok takes a
 * length of 2^31 and more for a negative one.)
 */
static inline bool netlink_message_is_whole(const struct nlmsghdr *message, int rest)
{
	return mnl_nlmsg_ok(message, rest) && message->nlmsg_len <= (unsigned)rest;
}

/*
 * Fills `attributes[type]` for the types below `count` with the attributes that stand after a
 * header of `header_size` octets (which the caller knows to be there); NULL for those that do not.
 */
void netlink_attributes(const struct nlmsghdr *message, size_t header_size,
			const struct nlattr **attributes, size_t count);

/* An attribute (or NULL) of AF_INET or AF_INET6 as an address; ADDRESS_NONE when it is none. */
struct address netlink_address(const struct nlattr *attribute, uint8_t family);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The machine's network interfaces and their addresses, as the kernel tells them (rtnetlink), kept
 * up to date on one loop. Not for several threads: each thread that needs it opens its own.
 */
#ifndef BELLHOP_IO_INTERFACES_H
#define BELLHOP_IO_INTERFACES_H

#include "core/base/address.h"
#include "core/base/mac.h"
#include "io/log.h"
#include "io/loop.h"

#include <net/if.h>

struct nlmsghdr;

enum { interfaces_max = 512, interface_addresses_max = 4096 };

struct interface {
	uint32_t index;
	char name[IF_NAMESIZE];
	bool is_up; /* switched on, and the cable is in */
	bool is_loopback;
	bool is_multicast; /* can do multicast */
	bool has_mac;
	struct mac mac;
};

struct interface_address {
	uint32_t interface;	/* index */
	struct address address; /* ours */
	struct address network; /* the prefix's, or the peer's on a point-to-point link */
	uint8_t prefix_bits;
};

struct interfaces;

/*
 * Told of everything that changed: `index` is the interface that came, went, rose, fell or got or
 * lost an address; 0 when all was read anew. The memory is the listener's, until it is removed or
 * the interfaces are closed.
 */
struct interfaces_listener {
	void (*changed)(void *context, uint32_t index);
	void *context;
	struct interfaces_listener *next;
};

/* Reads what is there and keeps watching. 0 and `*interfaces`, or a negative errno. */
int interfaces_open(struct interfaces **interfaces, struct loop *loop, struct log *log);

/* The memory is freed by the loop, a turn later. */
void interfaces_close(struct interfaces *interfaces);

void interfaces_listen(struct interfaces *interfaces, struct interfaces_listener *listener);
void interfaces_unlisten(struct interfaces *interfaces, struct interfaces_listener *listener);

/* NULL when there is none. What is returned stays valid until the loop runs on. */
const struct interface *interfaces_by_index(const struct interfaces *interfaces, uint32_t index);
const struct interface *interfaces_by_name(const struct interfaces *interfaces, const char *name);

/* The i-th interface, the i-th address, or NULL past the last. */
const struct interface *interfaces_at(const struct interfaces *interfaces, size_t i);
const struct interface_address *interfaces_address_at(const struct interfaces *interfaces,
						      size_t i);

/* Is it an address of this machine? All of 127/8 is. */
bool interfaces_is_own(const struct interfaces *interfaces, struct address address);

/*
 * Does the address lie in a prefix that is connected to this interface (0: to any that is not
 * loopback), so that its hardware address can be asked for there? Never for our own addresses, the
 * prefix's first (network) and last (broadcast) address, and what is no unicast address.
 */
bool interfaces_is_on_link(const struct interfaces *interfaces, struct address address,
			   uint32_t index);

/* The interface that the address is on-link on, or 0. */
uint32_t interfaces_towards(const struct interfaces *interfaces, struct address address);

/*
 * Our own unicast address on that interface to answer `source` from: the one in the same prefix,
 * else the first of the same family (for IPv6 of the same scope). 0 and `*local`, or
 * -EADDRNOTAVAIL.
 */
int interfaces_local_address(const struct interfaces *interfaces, struct address source,
			     uint32_t index, struct address *local);

/*
 * For tests, and for the netlink reader: one without a kernel behind it, and one message of
 * rtnetlink taken in. Malformed messages are ignored.
 */
struct interfaces *interfaces_new_detached(void);
void interfaces_free_detached(struct interfaces *interfaces);
void interfaces_take(struct interfaces *interfaces, const struct nlmsghdr *message);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Keeps a group socket joined on the interfaces that the configuration names, one join each by
 * index (R-MCAST-1): an interface that appears later is joined then, one that goes is left, and one
 * whose cable comes back is joined anew, so that the switch behind it hears a fresh IGMP report.
 */
#ifndef BELLHOP_IO_MEMBERSHIP_H
#define BELLHOP_IO_MEMBERSHIP_H

#include "io/interfaces.h"
#include "io/udp.h"

struct membership;

/*
 * `names` without any: all interfaces that are up and do multicast, loopback excepted. The names
 * are copied; socket and interfaces must outlive the result. Failures to join are logged and tried
 * again with the next change of that interface. 0 and `*membership`, or -ENOMEM.
 */
int membership_open(struct membership **membership, struct udp *socket,
		    struct interfaces *interfaces, const char (*names)[IF_NAMESIZE],
		    size_t name_count, struct log *log);

/* Before the interfaces are closed. NULL is nothing. */
void membership_close(struct membership *membership);

/* Is the group joined there? */
bool membership_has(const struct membership *membership, uint32_t interface);

/* On how many interfaces it is joined now. */
size_t membership_count(const struct membership *membership);

#endif

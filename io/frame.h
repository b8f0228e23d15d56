/* SPDX-License-Identifier: MIT */
/*
 * The link-layer source of group datagrams, read from the frames themselves on a packet socket
 * (CAP_NET_RAW). It spares the question to the network for a phone's first multicast. The caller
 * may believe it only for a source that is on-link: a router's frames carry the router's address.
 *
 * The kernel hands a frame to the packet socket before it hands the datagram to the UDP socket, so
 * that frames_read followed by frames_find always sees the frame of a datagram in hand.
 */
#ifndef BELLHOP_IO_FRAME_H
#define BELLHOP_IO_FRAME_H

#include "core/base/address.h"
#include "core/base/mac.h"
#include "io/log.h"

enum { frames_remembered = 1024, frame_lifetime_ms = 1000 };

struct frames;

/*
 * Reads frames of IPv4 UDP to `group` (address and port). 0 and `*frames`; -EPERM without the
 * capability; another negative errno. Says nothing to anybody: the caller logs.
 */
int frames_open(struct frames **frames, struct endpoint group);
void frames_close(struct frames *frames); /* NULL is nothing */

/* Takes in what has arrived. */
void frames_read(struct frames *frames, uint64_t now_ms);

/*
 * The hardware address that a datagram from `source` on `interface` came from within the last
 * second. False when none is remembered, and when there was more than one: then somebody lies.
 */
bool frames_find(const struct frames *frames, struct endpoint source, uint32_t interface,
		 uint64_t now_ms, struct mac *mac);

/*
 * For the reader and tests: source address and port of an IPv4 packet (from its first octet) that
 * carries the start of a UDP datagram to `group`. 0 and `*source`, or -EINVAL.
 */
int frame_parse(struct span packet, struct endpoint group, struct endpoint *source);

/*
 * Lets a packet socket get nothing but first fragments (and whole packets) of IPv4 UDP to `group`,
 * cut to so many octets (packet(7)). 0 or a negative errno.
 */
int frame_attach_filter(int descriptor, struct endpoint group, uint32_t octets_max);

/* For tests: takes one frame in as if it had arrived. */
struct frames *frames_new_detached(struct endpoint group);
void frames_take(struct frames *frames, struct span packet, uint32_t interface, struct mac mac,
		 uint64_t now_ms);

#endif

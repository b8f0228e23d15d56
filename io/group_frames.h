/* SPDX-License-Identifier: MIT */
/*
 * The group's datagrams, taken whole from a packet socket (packet(7), CAP_NET_RAW) where no UDP
 * socket can have them: a PBX on this host holds the port alone, or a rule of the firewall keeps
 * the group from it and with it from every UDP socket (doc/pbx-beside.md).
 *
 * A packet socket stands before the kernel's own checks, so that they are made here: IP header and
 * its checksum, lengths, the UDP checksum, a source that can be answered. The kernel puts fragments
 * together for us (PACKET_FANOUT_FLAG_DEFRAG) and takes VLAN tags off. The group still has to be
 * joined by a UDP socket: IGMP is none of a packet socket's business. What this very host sends to
 * the group is not heard.
 */
#ifndef BELLHOP_IO_GROUP_FRAMES_H
#define BELLHOP_IO_GROUP_FRAMES_H

#include "io/udp.h"

struct group_frames;

struct group_frames_counters {
	uint64_t received;
	uint64_t malformed;    /* dropped: a length, a header or a source that cannot be */
	uint64_t checksum;     /* dropped: IP's or UDP's is wrong */
	uint64_t fragments;    /* dropped: this kernel does not put them together */
	uint64_t kernel_drops; /* lost before we could read (SO_RXQ_OVFL) */
};

struct group_frames_options {
	struct endpoint group;
	size_t receive_buffer; /* octets asked of the kernel; 0: its default */
	/* As udp.h has it; `local` is left unset, because nothing was bound. */
	void (*received)(void *context, const struct udp_received *datagrams, size_t count);
	void *context;
};

/*
 * Opens and watches, on all interfaces: the caller drops what came in on one that it did not join.
 * 0 and `*frames`; -EPERM without the capability; -EAFNOSUPPORT for a group that is not IPv4;
 * another negative errno. Says nothing to anybody.
 */
int group_frames_open(struct group_frames **frames, struct loop *loop,
		      const struct group_frames_options *options);

/* No callback comes after this. The memory is freed by the loop, a turn later. NULL is nothing. */
void group_frames_close(struct group_frames *frames);

struct group_frames_counters group_frames_counters(const struct group_frames *frames);

/*
 * For the reader and tests: one IPv4 packet, from its first octet, perhaps with padding behind it.
 * With `is_checked` the kernel vouches for the UDP checksum. 0 and bytes, source and target of
 * `*datagram`; -EINVAL: malformed, or not to `group`; -EBADMSG: a checksum is wrong; -EMSGSIZE: a
 * fragment.
 */
int group_frame_parse(struct span packet, struct endpoint group, bool is_checked,
		      struct udp_received *datagram);

#endif

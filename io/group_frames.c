/* SPDX-License-Identifier: MIT */
#include "io/group_frames.h"

#include "io/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	batch_max = 16,
	rounds_per_turn_max = 4, /* batches before others on the loop have their turn */
	packet_octets_max = 65535,
	control_size = 128, /* PACKET_AUXDATA and SO_RXQ_OVFL */
	udp_header_length = 8,
};

struct group_frames {
	struct loop_watch watch;
	int descriptor;
	struct group_frames_options options;
	struct group_frames_counters counters;
	struct mmsghdr headers[batch_max];
	struct sockaddr_ll from[batch_max];
	struct iovec rooms[batch_max];
	char control[batch_max][control_size] __attribute__((aligned(8)));
	struct udp_received datagrams[batch_max];
	char packets[batch_max][packet_octets_max];
};

static uint16_t word(struct span s, size_t at)
{
	return (uint16_t)((uint8_t)s.data[at] << 8 | (uint8_t)s.data[at + 1]);
}

/* The ones' complement sum of RFC 1071 over `s`, on top of `sum`. */
static uint32_t add_words(uint32_t sum, struct span s)
{
	for (size_t i = 0; i + 1 < s.length; i += 2) {
		sum += word(s, i);
	}
	if (s.length % 2 != 0) {
		sum += (uint32_t)(uint8_t)s.data[s.length - 1] << 8;
	}
	return sum;
}

static bool sum_is_right(uint32_t sum)
{
	while (sum >> 16) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum == 0xffff;
}

/* RFC 768: over the pseudo header too; 0 stands for none. */
static bool udp_checksum_is_right(struct span packet, struct span udp)
{
	uint32_t sum = IPPROTO_UDP + (uint32_t)udp.length;

	if (word(udp, 6) == 0) {
		return true;
	}
	return sum_is_right(add_words(add_words(sum, span_slice(packet, 12, 20)), udp));
}

int group_frame_parse(struct span packet, struct endpoint group, bool is_checked,
		      struct udp_received *datagram)
{
	struct endpoint source;
	size_t header_length;
	struct span udp;

	if (frame_parse(packet, group, &source) != 0) {
		return -EINVAL;
	}
	header_length = ((uint8_t)packet.data[0] & 0x0fu) * 4u;
	if (!sum_is_right(add_words(0, span_slice(packet, 0, header_length)))) {
		return -EBADMSG;
	}
	if (word(packet, 6) & 0x2000) { /* more fragments */
		return -EMSGSIZE;
	}
	/* A short Ethernet frame is padded: what counts is what the headers say. */
	if (word(packet, 2) > packet.length ||
	    word(packet, 2) < header_length + udp_header_length) {
		return -EINVAL;
	}
	udp = span_slice(packet, header_length, word(packet, 2));
	if (word(udp, 4) < udp_header_length || word(udp, 4) > udp.length || source.port == 0 ||
	    address_is_any(source.address) || address_is_loopback(source.address) ||
	    address_is_multicast(source.address) || address_is_broadcast(source.address)) {
		return -EINVAL;
	}
	udp = span_slice(udp, 0, word(udp, 4));
	if (!is_checked && !udp_checksum_is_right(packet, udp)) {
		return -EBADMSG;
	}
	*datagram = (struct udp_received){
		/* Empty or not it lies behind its header, as a UDP socket's does in its buffer. */
		.bytes = span_make(udp.data + udp_header_length, udp.length - udp_header_length),
		.source = source,
		.target = group,
	};
	return 0;
}

/*
 * What the kernel says beside a packet: whether its checksum is known to be right, or not made yet
 * because it never left this machine (a veth, a virtual machine), and how many were lost.
 */
static bool read_control(struct group_frames *frames, struct msghdr *header)
{
	bool is_checked = false;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata data;

			memcpy(&data, CMSG_DATA(c), sizeof(data));
			is_checked = (data.tp_status &
				      (TP_STATUS_CSUM_VALID | TP_STATUS_CSUMNOTREADY)) != 0;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t drops; /* since the socket was opened, modulo 2^32 */

			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			frames->counters.kernel_drops +=
				(uint32_t)(drops - (uint32_t)frames->counters.kernel_drops);
		}
	}
	return is_checked;
}

static bool take(struct group_frames *frames, size_t i, struct udp_received *datagram)
{
	struct msghdr *header = &frames->headers[i].msg_hdr;
	bool is_checked = read_control(frames, header);
	int error;

	/* OTHERHOST: also of a VLAN that this host has no interface for. */
	if (frames->from[i].sll_pkttype == PACKET_OTHERHOST ||
	    frames->from[i].sll_pkttype == PACKET_OUTGOING) {
		return false;
	}
	error = header->msg_flags & MSG_TRUNC
			? -EINVAL
			: group_frame_parse(span_make(frames->packets[i],
						      frames->headers[i].msg_len),
					    frames->options.group, is_checked, datagram);
	if (error == 0) {
		datagram->interface = (uint32_t)frames->from[i].sll_ifindex;
		frames->counters.received++;
	} else if (error == -EBADMSG) {
		frames->counters.checksum++;
	} else if (error == -EMSGSIZE) {
		frames->counters.fragments++;
	} else {
		frames->counters.malformed++;
	}
	return error == 0;
}

static int read_batch(struct group_frames *frames)
{
	int arrived;
	size_t count = 0;

	for (size_t i = 0; i < batch_max; i++) {
		frames->rooms[i] = (struct iovec){frames->packets[i], packet_octets_max};
		frames->headers[i].msg_hdr = (struct msghdr){.msg_name = &frames->from[i],
							     .msg_namelen = sizeof(frames->from[i]),
							     .msg_iov = &frames->rooms[i],
							     .msg_iovlen = 1,
							     .msg_control = frames->control[i],
							     .msg_controllen = control_size};
	}
	arrived = recvmmsg(frames->descriptor, frames->headers, batch_max, MSG_DONTWAIT, NULL);
	for (int i = 0; i < arrived; i++) {
		count += take(frames, (size_t)i, &frames->datagrams[count]);
	}
	if (count > 0) {
		frames->options.received(frames->options.context, frames->datagrams, count);
	}
	return arrived;
}

/* An error (ENETDOWN: some interface fell) is taken away by the read. */
static void ready(void *context, bool has_error)
{
	struct group_frames *frames = context;

	(void)has_error;
	for (int i = 0; i < rounds_per_turn_max && frames->watch.is_open; i++) {
		if (read_batch(frames) < batch_max) {
			return;
		}
	}
}

/* Whole datagrams of a sender that fragments, where the kernel can (since 4.11). */
static void ask_for_defragmentation(int descriptor)
{
	uint32_t fanout = (uint32_t)(PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG |
				     PACKET_FANOUT_FLAG_UNIQUEID)
			  << 16;

	(void)setsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout));
}

static int set_options(int descriptor, const struct group_frames_options *options)
{
	int on = 1;
	int size = (int)options->receive_buffer;

	if (setsockopt(descriptor, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) != 0 ||
	    setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) != 0) {
		return -errno;
	}
	if (size > 0 &&
	    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
		/* What net.core.rmem_max allows will have to do. */
		(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	return frame_attach_filter(descriptor, options->group, packet_octets_max);
}

/* Protocol 0 until the filter stands, so that nothing else is ever queued (packet(7)). */
static int open_socket(const struct group_frames_options *options)
{
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	int descriptor = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (descriptor < 0) {
		return errno == EACCES ? -EPERM : -errno;
	}
	error = set_options(descriptor, options);
	if (!error && bind(descriptor, (struct sockaddr *)&all, sizeof(all)) != 0) {
		error = -errno;
	}
	if (error) {
		close(descriptor);
		return error;
	}
	ask_for_defragmentation(descriptor);
	return descriptor;
}

static void group_frames_free(void *context)
{
	free(context);
}

int group_frames_open(struct group_frames **frames, struct loop *loop,
		      const struct group_frames_options *options)
{
	struct group_frames *made;
	int error;

	if (options->group.address.family != ADDRESS_IPV4) {
		return -EAFNOSUPPORT;
	}
	made = calloc(1, sizeof(*made));
	if (!made) {
		return -ENOMEM;
	}
	made->options = *options;
	made->descriptor = open_socket(options);
	error = made->descriptor < 0
			? made->descriptor
			: loop_watch_open(&made->watch, loop, made->descriptor, ready, made);
	if (error) {
		if (made->descriptor >= 0) {
			close(made->descriptor);
		}
		free(made);
		return error;
	}
	*frames = made;
	return 0;
}

void group_frames_close(struct group_frames *frames)
{
	if (frames) {
		loop_watch_close(&frames->watch, group_frames_free);
		close(frames->descriptor);
	}
}

struct group_frames_counters group_frames_counters(const struct group_frames *frames)
{
	return frames->counters;
}

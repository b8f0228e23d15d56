/* SPDX-License-Identifier: MIT */
/*
 * Frames of the packet socket and messages of rtnetlink: the bytes that io/ reads itself. A frame
 * that is taken must name a source that stands in it.
 */
#include "io/frame.h"
#include "io/group_frames.h"
#include "io/neighbour.h"
#include "io/netlink.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_messages(const uint8_t *data, size_t size)
{
	struct interfaces *interfaces = interfaces_new_detached();
	/* As netlink.c has it: aligned, and walked by the lengths in the messages. */
	char *buffer = malloc(size > 0 ? size : 1);
	const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)buffer;
	int rest = (int)size;

	if (!interfaces || !buffer) {
		abort();
	}
	if (size > 0) {
		memcpy(buffer, data, size);
	}
	while (netlink_message_is_whole(message, rest)) {
		struct neighbour_event event;

		(void)neighbour_event_parse(message, &event);
		interfaces_take(interfaces, message);
		message = mnl_nlmsg_next(message, &rest);
	}
	free(buffer);
	interfaces_free_detached(interfaces);
}

/* A datagram lies behind its headers and within the packet, whatever the lengths say. */
static void take_datagram(struct span packet, struct endpoint group, bool is_checked)
{
	struct udp_received datagram;

	if (group_frame_parse(packet, group, is_checked, &datagram) == 0 &&
	    (datagram.bytes.data < packet.data + 28 ||
	     datagram.bytes.data + datagram.bytes.length > packet.data + packet.length ||
	     !endpoint_equal(datagram.target, group))) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint group = {address_ipv4(224, 0, 1, 75), 5060};
	struct endpoint source;

	if (frame_parse(span_make((const char *)data, size), group, &source) == 0 &&
	    (size < 24 || memcmp(source.address.octets, data + 12, 4) != 0)) {
		abort();
	}
	take_datagram(span_make((const char *)data, size), group, true);
	take_datagram(span_make((const char *)data, size), group, false);
	read_messages(data, size);
	return 0;
}

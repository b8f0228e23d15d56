/* SPDX-License-Identifier: MIT */
#include "io/frame.h"

#include "core/base/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	batch_max = 64,
	rounds_max = 16,
	snap_length = 68, /* the longest IPv4 header and a UDP header */
};

/* Who sent last from this source on this interface. */
struct memory {
	struct endpoint source;
	uint32_t interface;
	struct mac mac;
	bool is_disputed; /* another hardware address claimed the same source, lately */
	bool is_set;
	uint64_t seen_ms;
};

struct frames {
	int descriptor;
	struct endpoint group;
	uint64_t seed[2];
	/* By keyed hash of source and interface; the newer one takes the place. */
	struct memory memories[frames_remembered];
};

/* The place of a source: its key hashed under a secret, so that nobody can aim at another's. */
static size_t place_of(const struct frames *frames, struct endpoint source, uint32_t interface)
{
	char key[sizeof(source.address) + sizeof(source.port) + sizeof(interface)];

	memcpy(key, &source.address, sizeof(source.address));
	memcpy(key + sizeof(source.address), &source.port, sizeof(source.port));
	memcpy(key + sizeof(source.address) + sizeof(source.port), &interface, sizeof(interface));
	return table_hash(frames->seed, span_make(key, sizeof(key))) % frames_remembered;
}

static bool is_fresh(const struct memory *memory, uint64_t now_ms)
{
	return memory->is_set && now_ms - memory->seen_ms <= frame_lifetime_ms;
}

static bool is_about(const struct memory *memory, struct endpoint source, uint32_t interface)
{
	return memory->interface == interface && endpoint_equal(memory->source, source);
}

static uint8_t octet(struct span s, size_t at)
{
	return (uint8_t)s.data[at];
}

static uint16_t word(struct span s, size_t at)
{
	return (uint16_t)(octet(s, at) << 8 | octet(s, at + 1));
}

int frame_parse(struct span packet, struct endpoint group, struct endpoint *source)
{
	size_t header_length;

	if (packet.length < 20 || octet(packet, 0) >> 4 != 4) {
		return -EINVAL;
	}
	header_length = (octet(packet, 0) & 0x0fu) * 4u;
	if (header_length < 20 || packet.length < header_length + 4 ||
	    octet(packet, 9) != IPPROTO_UDP ||
	    (word(packet, 6) & 0x1fff) != 0 || /* a later fragment has no UDP header */
	    group.address.family != ADDRESS_IPV4 ||
	    memcmp(packet.data + 16, group.address.octets, 4) != 0 ||
	    word(packet, header_length + 2) != group.port) {
		return -EINVAL;
	}
	*source = (struct endpoint){
		.address = address_ipv4(octet(packet, 12), octet(packet, 13), octet(packet, 14),
					octet(packet, 15)),
		.port = word(packet, header_length),
	};
	return 0;
}

void frames_take(struct frames *frames, struct span packet, uint32_t interface, struct mac mac,
		 uint64_t now_ms)
{
	struct endpoint source;
	struct memory *memory;
	bool is_disputed;

	if (!mac_is_device(mac) || frame_parse(packet, frames->group, &source) != 0) {
		return;
	}
	memory = &frames->memories[place_of(frames, source, interface)];
	is_disputed = is_fresh(memory, now_ms) && is_about(memory, source, interface) &&
		      (memory->is_disputed || !mac_equal(memory->mac, mac));
	*memory = (struct memory){.source = source,
				  .interface = interface,
				  .mac = mac,
				  .is_disputed = is_disputed,
				  .is_set = true,
				  .seen_ms = now_ms};
}

bool frames_find(const struct frames *frames, struct endpoint source, uint32_t interface,
		 uint64_t now_ms, struct mac *mac)
{
	const struct memory *memory = &frames->memories[place_of(frames, source, interface)];

	if (!is_fresh(memory, now_ms) || !is_about(memory, source, interface) ||
	    memory->is_disputed) {
		return false;
	}
	*mac = memory->mac;
	return true;
}

static int read_batch(struct frames *frames, uint64_t now_ms)
{
	struct mmsghdr headers[batch_max];
	struct sockaddr_ll from[batch_max];
	struct iovec rooms[batch_max];
	char packets[batch_max][snap_length];
	int count;

	for (size_t i = 0; i < batch_max; i++) {
		rooms[i] = (struct iovec){packets[i], snap_length};
		headers[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
						     .msg_namelen = sizeof(from[i]),
						     .msg_iov = &rooms[i],
						     .msg_iovlen = 1};
	}
	count = recvmmsg(frames->descriptor, headers, batch_max, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		struct mac mac;

		if (from[i].sll_hatype != ARPHRD_ETHER || from[i].sll_halen != sizeof(mac.octets) ||
		    from[i].sll_pkttype == PACKET_OUTGOING) {
			continue;
		}
		memcpy(mac.octets, from[i].sll_addr, sizeof(mac.octets));
		frames_take(frames, span_make(packets[i], headers[i].msg_len),
			    (uint32_t)from[i].sll_ifindex, mac, now_ms);
	}
	return count;
}

void frames_read(struct frames *frames, uint64_t now_ms)
{
	for (int i = 0; i < rounds_max; i++) {
		if (read_batch(frames, now_ms) < batch_max) {
			return;
		}
	}
}

int frame_attach_filter(int descriptor, struct endpoint group, uint32_t octets_max)
{
	uint32_t address;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 8),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 6, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, group.port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, octets_max),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	memcpy(&address, group.address.octets, sizeof(address));
	code[5].k = ntohl(address);
	return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0
		       ? 0
		       : -errno;
}

/* Protocol 0 until the filter stands, so that nothing else is ever queued (packet(7)). */
static int open_socket(struct endpoint group)
{
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	int descriptor = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (descriptor < 0) {
		return errno == EACCES ? -EPERM : -errno;
	}
	error = frame_attach_filter(descriptor, group, snap_length);
	if (!error && bind(descriptor, (struct sockaddr *)&all, sizeof(all)) != 0) {
		error = -errno;
	}
	if (error) {
		close(descriptor);
		return error;
	}
	return descriptor;
}

struct frames *frames_new_detached(struct endpoint group)
{
	struct frames *frames = calloc(1, sizeof(*frames));

	if (!frames ||
	    getrandom(frames->seed, sizeof(frames->seed), 0) != (ssize_t)sizeof(frames->seed)) {
		free(frames);
		return NULL;
	}
	frames->descriptor = -1;
	frames->group = group;
	return frames;
}

int frames_open(struct frames **frames, struct endpoint group)
{
	struct frames *made;
	int descriptor;

	if (group.address.family != ADDRESS_IPV4) {
		return -EAFNOSUPPORT;
	}
	made = frames_new_detached(group);
	if (!made) {
		return -ENOMEM;
	}
	descriptor = open_socket(group);
	if (descriptor < 0) {
		free(made);
		return descriptor;
	}
	made->descriptor = descriptor;
	*frames = made;
	return 0;
}

void frames_close(struct frames *frames)
{
	if (!frames) {
		return;
	}
	if (frames->descriptor >= 0) {
		close(frames->descriptor);
	}
	free(frames);
}

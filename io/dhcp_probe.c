/* SPDX-License-Identifier: MIT */
#include "io/dhcp_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	ip_header_size = 20,
	udp_header_size = 8,
	ip_udp = 17,
	ip_ttl = 64,
	packet_size_max = 2048,
	resend_ms = 1000,
};

static uint16_t number_at(struct span bytes, size_t at)
{
	return (uint16_t)((uint8_t)bytes.data[at] << 8 | (uint8_t)bytes.data[at + 1]);
}

struct span dhcp_probe_payload(struct span packet)
{
	const struct span none = {NULL, 0};
	size_t header;
	size_t length;
	struct span udp;

	if (packet.length < ip_header_size || (uint8_t)packet.data[0] >> 4 != 4) {
		return none;
	}
	header = ((size_t)packet.data[0] & 15) * 4;
	length = number_at(packet, 2);
	/* Neither a fragment nor the first of some. */
	if (header < ip_header_size || length < header + udp_header_size ||
	    length > packet.length || (uint8_t)packet.data[9] != ip_udp ||
	    (number_at(packet, 6) & 0x3fff) != 0) {
		return none;
	}
	udp = span_slice(packet, header, length);
	if (number_at(udp, 2) != dhcp_client_port || number_at(udp, 4) < udp_header_size ||
	    number_at(udp, 4) > udp.length) {
		return none;
	}
	return span_slice(udp, udp_header_size, number_at(udp, 4));
}

static void put_number(char *place, size_t number)
{
	place[0] = (char)(number >> 8);
	place[1] = (char)number;
}

/* RFC 1071 */
static uint16_t checksum_of(struct span header)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < header.length; i += 2) {
		sum += number_at(header, i);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* IPv4 and UDP before the message; a UDP checksum of 0 is none (RFC 768). */
static struct span wrap(const struct dhcp_question *question, char packet[static packet_size_max])
{
	size_t head = ip_header_size + udp_header_size;
	struct writer w = writer_over(packet + head, packet_size_max - head);

	dhcp_write(&w, question);
	memset(packet, 0, head);
	packet[0] = 0x45;
	put_number(packet + 2, head + w.length);
	packet[8] = ip_ttl;
	packet[9] = ip_udp;
	if (question->address.family == ADDRESS_IPV4) {
		memcpy(packet + 12, question->address.octets, 4);
	}
	memset(packet + 16, 0xff, 4);
	put_number(packet + 10, checksum_of(span_make(packet, ip_header_size)));
	put_number(packet + ip_header_size, dhcp_client_port);
	put_number(packet + ip_header_size + 2, dhcp_server_port);
	put_number(packet + ip_header_size + 4, udp_header_size + w.length);
	return span_make(packet, w.failed ? 0 : head + w.length);
}

static int send_question(int descriptor, const struct dhcp_probe *probe, enum dhcp_type type)
{
	struct dhcp_question question = {.type = type,
					 .transaction = probe->transaction,
					 .client = probe->mac,
					 .vendor_class = probe->vendor_class,
					 .wanted = probe->wanted};
	struct sockaddr_ll everybody = {.sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_IP),
					.sll_ifindex = (int)probe->interface,
					.sll_halen = ETH_ALEN};
	char packet[packet_size_max];
	struct span bytes;

	if (type == DHCP_INFORM) {
		question.address = probe->address;
	}
	memset(everybody.sll_addr, 0xff, ETH_ALEN);
	bytes = wrap(&question, packet);
	return sendto(descriptor, bytes.data, bytes.length, 0, (const struct sockaddr *)&everybody,
		      sizeof(everybody)) < 0
		       ? -errno
		       : 0;
}

static int send_questions(int descriptor, const struct dhcp_probe *probe)
{
	int error = probe->address.family == ADDRESS_IPV4
			    ? send_question(descriptor, probe, DHCP_INFORM)
			    : 0;

	return error ? error : send_question(descriptor, probe, DHCP_DISCOVER);
}

/* Nothing but UDP to the client's port comes out of the kernel. */
static int filter(int descriptor)
{
	struct sock_filter code[] = {
		{BPF_LD | BPF_B | BPF_ABS, 0, 0, 9},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 4, ip_udp},
		{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
		{BPF_LD | BPF_H | BPF_IND, 0, 0, 2},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, dhcp_client_port},
		{BPF_RET | BPF_K, 0, 0, packet_size_max},
		{BPF_RET | BPF_K, 0, 0, 0},
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0
		       ? -errno
		       : 0;
}

static int open_socket(const struct dhcp_probe *probe, int *descriptor)
{
	struct sockaddr_ll here = {.sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_IP),
				   .sll_ifindex = (int)probe->interface};
	int opened = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (opened < 0) {
		return -errno;
	}
	/* The filter first: what comes before it was asked for by nobody. */
	error = filter(opened);
	if (!error && bind(opened, (const struct sockaddr *)&here, sizeof(here)) != 0) {
		error = -errno;
	}
	if (error) {
		close(opened);
		return error;
	}
	*descriptor = opened;
	return 0;
}

static void receive_all(int descriptor, const struct dhcp_probe *probe)
{
	char packet[packet_size_max];
	ssize_t length;

	while ((length = recv(descriptor, packet, sizeof(packet), 0)) >= 0) {
		struct span payload = dhcp_probe_payload(span_make(packet, (size_t)length));
		struct dhcp_message message;

		if (payload.length > 0 && dhcp_read(payload, &message) == 0 &&
		    message.transaction == probe->transaction &&
		    mac_equal(message.client, probe->mac) &&
		    (message.type == DHCP_OFFER || message.type == DHCP_ACK)) {
			probe->answered(probe->context, &message);
		}
	}
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int dhcp_probe_run(const struct dhcp_probe *probe)
{
	uint64_t end_ms = now_ms() + probe->wait_ms;
	uint64_t again_ms = now_ms() + resend_ms;
	int descriptor;
	int error = open_socket(probe, &descriptor);

	if (error) {
		return error;
	}
	error = send_questions(descriptor, probe);
	while (!error && now_ms() < end_ms) {
		struct pollfd wait = {.fd = descriptor, .events = POLLIN};
		uint64_t until_ms = again_ms < end_ms ? again_ms : end_ms;
		uint64_t now = now_ms();

		(void)poll(&wait, 1, until_ms > now ? (int)(until_ms - now) : 0);
		receive_all(descriptor, probe);
		if (now_ms() >= again_ms) {
			again_ms = UINT64_MAX;
			error = send_questions(descriptor, probe);
		}
	}
	close(descriptor);
	return error;
}

/* SPDX-License-Identifier: MIT */
/* Datagrams out of packets: everything that the kernel would have checked for a UDP socket. */
#include "io/group_frames.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

enum { packet_size = 64 };

/* IPv4 and UDP from 10.13.2.37:5062 to 224.0.1.75:5060, both checksums right. */
static const uint8_t plain[] = {0x45, 0x00, 0x00, 0x24, 0x12, 0x34, 0x40, 0x00, 0x01,
				0x11, 0x7a, 0x18, 0x0a, 0x0d, 0x02, 0x25, 0xe0, 0x00,
				0x01, 0x4b, 0x13, 0xc6, 0x13, 0xc4, 0x00, 0x10, 0xc8,
				0x89, 'S',  'U',  'B',	'S',  'C',  'R',  'I',	'B'};

static struct endpoint group(void)
{
	return (struct endpoint){address_ipv4(224, 0, 1, 75), 5060};
}

static uint16_t sum_of(const uint8_t *octets, size_t count, uint32_t sum)
{
	for (size_t i = 0; i + 1 < count; i += 2) {
		sum += (uint32_t)octets[i] << 8 | octets[i + 1];
	}
	while (sum >> 16) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

/* A packet with the header's checksum made right again after `change`. */
struct packet_bytes {
	uint8_t octets[packet_size];
	size_t length;
};

static void seal(struct packet_bytes *p)
{
	size_t header = (p->octets[0] & 0x0fu) * 4u;
	uint16_t sum;

	p->octets[10] = p->octets[11] = 0;
	sum = sum_of(p->octets, header, 0);
	p->octets[10] = (uint8_t)(sum >> 8);
	p->octets[11] = (uint8_t)sum;
}

static struct packet_bytes changed(size_t at, int value)
{
	struct packet_bytes p = {.length = sizeof(plain)};

	memcpy(p.octets, plain, sizeof(plain));
	p.octets[at] = (uint8_t)value;
	seal(&p);
	return p;
}

static int parse(const struct packet_bytes *p, bool is_checked, struct udp_received *datagram)
{
	*datagram = (struct udp_received){0};
	return group_frame_parse(span_make((const char *)p->octets, p->length), group(), is_checked,
				 datagram);
}

static void reads_a_whole_datagram(void)
{
	struct packet_bytes p = changed(19, 0x4b);
	struct udp_received datagram;

	CHECK_EQUAL(0, memcmp(plain, p.octets, sizeof(plain))); /* the fixture's sum is right */
	REQUIRE(parse(&p, false, &datagram) == 0);
	CHECK_TEXT("SUBSCRIB", datagram.bytes);
	CHECK(endpoint_equal(datagram.target, group()));
	CHECK(endpoint_equal(datagram.source,
			     (struct endpoint){address_ipv4(10, 13, 2, 37), 5062}));
	/* Padding of a short frame is none of the datagram. */
	p.length = 46;
	REQUIRE(parse(&p, false, &datagram) == 0);
	CHECK_TEXT("SUBSCRIB", datagram.bytes);
	/* UDP may be shorter than what IP carries. */
	p = changed(25, 0x0c);
	REQUIRE(parse(&p, true, &datagram) == 0);
	CHECK_TEXT("SUBS", datagram.bytes);
	p = changed(25, 0x08);
	REQUIRE(parse(&p, true, &datagram) == 0);
	CHECK_EQUAL(0, datagram.bytes.length);
	CHECK(datagram.bytes.data == (const char *)p.octets + 28);
}

static void passes_over_ip_options(void)
{
	struct packet_bytes p = {.length = sizeof(plain) + 4};
	struct udp_received datagram;

	memcpy(p.octets, plain, 20);
	memcpy(p.octets + 20, "\x94\x04\x00\x00", 4); /* router alert */
	memcpy(p.octets + 24, plain + 20, sizeof(plain) - 20);
	p.octets[0] = 0x46;
	p.octets[3] = 0x28;
	seal(&p);
	REQUIRE(parse(&p, false, &datagram) == 0);
	CHECK_TEXT("SUBSCRIB", datagram.bytes);
}

static void refuses_lengths_that_cannot_be(void)
{
	static const struct {
		size_t at;
		int value;
	} bad[] = {
		{3, 0x25},  /* longer than the packet */
		{3, 0x1b},  /* no room for the UDP header */
		{25, 0x11}, /* UDP longer than what IP carries */
		{25, 0x07}, /* UDP shorter than its header */
		{24, 0xff}, {0, 0x4f}, {0, 0x44}, {0, 0x65}, {9, 6}, {19, 0x4c}, {23, 0xc5},
	};
	struct udp_received datagram;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct packet_bytes p = changed(bad[i].at, bad[i].value);

		CHECK_EQUAL(-EINVAL, parse(&p, true, &datagram));
		CHECK_EQUAL(0, datagram.bytes.length);
	}
}

/* A source that cannot be answered: the kernel calls it a martian. */
static void refuses_sources_that_cannot_be(void)
{
	static const uint8_t bad[][4] = {{0, 0, 0, 0},
					 {127, 0, 0, 1},
					 {224, 0, 1, 75},
					 {255, 255, 255, 255}};
	struct packet_bytes p = changed(21, 0);
	struct udp_received datagram;

	p.octets[20] = 0; /* port 0 */
	CHECK_EQUAL(-EINVAL, parse(&p, true, &datagram));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = changed(19, 0x4b);
		memcpy(p.octets + 12, bad[i], 4);
		seal(&p);
		CHECK_EQUAL(-EINVAL, parse(&p, true, &datagram));
	}
}

static void refuses_wrong_checksums(void)
{
	struct packet_bytes p = changed(35, 'X');
	struct udp_received datagram;

	CHECK_EQUAL(-EBADMSG, parse(&p, false, &datagram));
	CHECK_EQUAL(0, parse(&p, true, &datagram)); /* the kernel vouches, or none was made yet */
	p.octets[26] = p.octets[27] = 0;	    /* the sender made none */
	CHECK_EQUAL(0, parse(&p, false, &datagram));
	p = changed(35, 'B');
	p.octets[8]++; /* the IP header's own */
	CHECK_EQUAL(-EBADMSG, parse(&p, true, &datagram));
}

static void refuses_fragments(void)
{
	struct packet_bytes p = changed(6, 0x20); /* more fragments */
	struct udp_received datagram;

	CHECK_EQUAL(-EMSGSIZE, parse(&p, true, &datagram));
	p = changed(7, 0x01); /* a later one: has no ports */
	CHECK_EQUAL(-EINVAL, parse(&p, true, &datagram));
}

static void sums_odd_lengths(void)
{
	struct packet_bytes p = changed(3, 0x23);
	struct udp_received datagram;
	/* Seven octets: the last one stands alone. Pseudo header: addresses, 17 and the length. */
	uint8_t pseudo[12] = {0x0a, 0x0d, 0x02, 0x25, 0xe0, 0x00, 0x01, 0x4b, 0, 17, 0, 0x0f};
	uint16_t sum;

	p.octets[25] = 0x0f;
	p.octets[26] = p.octets[27] = 0;
	p.octets[35] = 0;
	sum = sum_of(p.octets + 20, 16, (uint16_t)~sum_of(pseudo, sizeof(pseudo), 0));
	p.octets[26] = (uint8_t)(sum >> 8);
	p.octets[27] = (uint8_t)sum;
	p.octets[35] = 'B'; /* behind the end: padding */
	REQUIRE(parse(&p, false, &datagram) == 0);
	CHECK_TEXT("SUBSCRI", datagram.bytes);
}

static void parse_prefix(struct span input, void *context)
{
	struct udp_received datagram;
	int expected = input.length < sizeof(plain) ? -EINVAL : 0;

	(void)context;
	CHECK_EQUAL(expected, group_frame_parse(input, group(), false, &datagram));
}

static void reads_nothing_beyond_any_prefix(void)
{
	guard_each_prefix(span_make((const char *)plain, sizeof(plain)), parse_prefix, NULL);
}

int main(void)
{
	RUN(reads_a_whole_datagram);
	RUN(passes_over_ip_options);
	RUN(refuses_lengths_that_cannot_be);
	RUN(refuses_sources_that_cannot_be);
	RUN(refuses_wrong_checksums);
	RUN(refuses_fragments);
	RUN(sums_odd_lengths);
	RUN(reads_nothing_beyond_any_prefix);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* Frames: which hardware address is believed to stand behind a source, and the reader's bounds. */
#include "io/frame.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

/* IPv4, 24-octet header (one option word), UDP from 10.13.2.37:5062 to 224.0.1.75:5060. */
static const char with_options[] = "\x46\x00\x00\x2c\x12\x34\x40\x00\x01\x11\x00\x00"
				   "\x0a\x0d\x02\x25\xe0\x00\x01\x4b\x94\x04\x00\x00"
				   "\x13\xc6\x13\xc4\x00\x10\x00\x00SUBSCRIB";
static const char plain[] = "\x45\x00\x00\x24\x12\x34\x40\x00\x01\x11\x00\x00"
			    "\x0a\x0d\x02\x25\xe0\x00\x01\x4b"
			    "\x13\xc6\x13\xc4\x00\x10\x00\x00SUBSCRIB";

static const struct mac mac_a = {{0x00, 0x90, 0x8f, 0, 0, 1}};
static const struct mac mac_b = {{0x00, 0x90, 0x8f, 0, 0, 2}};

static struct endpoint group(void)
{
	return (struct endpoint){address_ipv4(224, 0, 1, 75), 5060};
}

static struct endpoint phone(void)
{
	return (struct endpoint){address_ipv4(10, 13, 2, 37), 5062};
}

static struct span packet_of(const char *bytes, size_t size)
{
	return span_make(bytes, size - 1);
}

static void reads_source_of_a_datagram_to_the_group(void)
{
	struct endpoint source = {0};

	CHECK_EQUAL(0, frame_parse(packet_of(plain, sizeof(plain)), group(), &source));
	CHECK(endpoint_equal(phone(), source));
	source = (struct endpoint){0};
	CHECK_EQUAL(0,
		    frame_parse(packet_of(with_options, sizeof(with_options)), group(), &source));
	CHECK(endpoint_equal(phone(), source));
}

/* One octet changed, and the packet is none of ours. */
static void check_refused(size_t at, char value)
{
	char bytes[sizeof(plain)];
	struct endpoint source = {0};

	memcpy(bytes, plain, sizeof(plain));
	bytes[at] = value;
	CHECK_EQUAL(-EINVAL, frame_parse(packet_of(bytes, sizeof(bytes)), group(), &source));
	CHECK(!address_is_set(source.address));
}

static void refuses_what_is_not_to_the_group(void)
{
	check_refused(0, 0x65);	 /* IPv6 */
	check_refused(0, 0x44);	 /* header shorter than a header */
	check_refused(0, 0x4f);	 /* header longer than the packet */
	check_refused(7, 0x01);	 /* a later fragment */
	check_refused(9, 0x06);	 /* TCP */
	check_refused(19, 0x4c); /* another group */
	check_refused(23, 0x05); /* another port */
}

static void parse_prefix(struct span input, void *context)
{
	struct endpoint source;
	const size_t *needed = context;
	int expected = input.length < *needed ? -EINVAL : 0;

	CHECK_EQUAL(expected, frame_parse(input, group(), &source));
}

static void reads_nothing_beyond_any_prefix(void)
{
	size_t needed = 24;

	guard_each_prefix(packet_of(plain, sizeof(plain)), parse_prefix, &needed);
	needed = 28;
	guard_each_prefix(packet_of(with_options, sizeof(with_options)), parse_prefix, &needed);
}

static void remembers_for_a_second_and_by_interface(void)
{
	struct frames *frames = frames_new_detached(group());
	struct mac mac = {0};

	REQUIRE(frames);
	frames_take(frames, packet_of(plain, sizeof(plain)), 3, mac_a, 5000);
	CHECK(frames_find(frames, phone(), 3, 5000, &mac));
	CHECK(mac_equal(mac_a, mac));
	CHECK(frames_find(frames, phone(), 3, 5000 + frame_lifetime_ms, &mac));
	CHECK(!frames_find(frames, phone(), 3, 5001 + frame_lifetime_ms, &mac));
	CHECK(!frames_find(frames, phone(), 4, 5000, &mac));
	CHECK(!frames_find(frames, (struct endpoint){phone().address, 5060}, 3, 5000, &mac));
	frames_close(frames);
}

static void believes_nobody_when_two_claim_one_source(void)
{
	struct frames *frames = frames_new_detached(group());
	struct mac mac = {0};

	REQUIRE(frames);
	frames_take(frames, packet_of(plain, sizeof(plain)), 3, mac_a, 5000);
	frames_take(frames, packet_of(plain, sizeof(plain)), 3, mac_b, 5500);
	CHECK(!frames_find(frames, phone(), 3, 5500, &mac));
	/* Nor the one who speaks last, as long as the dispute is fresh. */
	frames_take(frames, packet_of(plain, sizeof(plain)), 3, mac_a, 6400);
	CHECK(!frames_find(frames, phone(), 3, 6400, &mac));
	frames_take(frames, packet_of(plain, sizeof(plain)), 3, mac_a, 7500);
	CHECK(frames_find(frames, phone(), 3, 7500, &mac));
	CHECK(mac_equal(mac_a, mac));
	frames_close(frames);
}

static void ignores_what_is_no_device_address(void)
{
	struct frames *frames = frames_new_detached(group());
	struct mac mac = {0};

	REQUIRE(frames);
	frames_take(frames, packet_of(plain, sizeof(plain)), 3, (struct mac){0}, 5000);
	CHECK(!frames_find(frames, phone(), 3, 5000, &mac));
	frames_take(frames, packet_of(plain, sizeof(plain)), 3,
		    (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, 5000);
	CHECK(!frames_find(frames, phone(), 3, 5000, &mac));
	frames_close(frames);
}

int main(void)
{
	RUN(reads_source_of_a_datagram_to_the_group);
	RUN(refuses_what_is_not_to_the_group);
	RUN(reads_nothing_beyond_any_prefix);
	RUN(remembers_for_a_second_and_by_interface);
	RUN(believes_nobody_when_two_claim_one_source);
	RUN(ignores_what_is_no_device_address);
	return test_end();
}

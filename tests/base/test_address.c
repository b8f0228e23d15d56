/* SPDX-License-Identifier: MIT */
/* inet_pton and inet_ntop of the C library are the judges of reading and printing. */
#include "core/base/address.h"

#include "core/base/random.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>

static void agrees_with_the_library(const char *text)
{
	struct address address = {0};
	uint8_t octets[16] = {0};
	bool is_ipv4 = inet_pton(AF_INET, text, octets) == 1;
	bool is_ipv6 = !is_ipv4 && inet_pton(AF_INET6, text, octets) == 1;
	int error = address_parse(span_text(text), &address);

	if ((error == 0) != (is_ipv4 || is_ipv6)) {
		printf("# verdict on %s\n", text);
		test_is_failed = true;
		return;
	}
	if (error == 0) {
		CHECK_EQUAL(is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6, address.family);
		CHECK(memcmp(octets, address.octets, is_ipv4 ? 4 : 16) == 0);
	}
}

static void reads_as_inet_pton(void)
{
	static const char *const texts[] = {
		"10.13.4.121",
		"0.0.0.0",
		"255.255.255.255",
		"256.0.0.1",
		"1.2.3",
		"1.2.3.4.5",
		"1..2.3",
		"",
		".",
		"1.2.3.4 ",
		"::",
		"::1",
		"1::",
		"fe80::1",
		"2001:db8::9:1",
		"2001:db8:0:0:0:0:9:1",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		":::",
		"1:2:3:4:5:6:7",
		"::ffff:192.0.2.1",
		"::192.0.2.1",
		"1:2:3:4:5:6:192.0.2.1",
		"1:2:3:4:5:6:7:192.0.2.1",
		"::1:",
		":1::",
		"12345::",
		"g::",
		"192.0.2.1::",
		"::192.0.2",
		"::192.0.2.1:1",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		agrees_with_the_library(texts[i]);
	}
}

static void prints_as_inet_ntop(void)
{
	struct random random;

	random_init_number(&random, 1);
	for (int i = 0; i < 5000; i++) {
		struct address a = {.family = ADDRESS_IPV6};
		char expected[INET6_ADDRSTRLEN];
		char actual[address_text_size];
		struct address back;

		random_bytes(&random, a.octets, 16);
		/* Many zero groups, so that every kind of run occurs. */
		for (size_t g = 0; g < 16; g += 2) {
			if (random_below(&random, 3) > 0) {
				a.octets[g] = a.octets[g + 1] = 0;
			}
		}
		/* RFC 5952 and glibc differ only where glibc prints a dotted quad. */
		a.octets[0] |= 0x20;
		inet_ntop(AF_INET6, a.octets, expected, sizeof(expected));
		address_text(a, actual);
		CHECK_TEXT(expected, span_text(actual));
		CHECK_EQUAL(0, address_parse(span_text(actual), &back));
		CHECK(address_equal(a, back));
	}
}

static void reads_endpoints(void)
{
	struct endpoint e = {0};
	char text[endpoint_text_size];

	CHECK_EQUAL(0, endpoint_parse(SPAN("10.0.0.1:5060"), 1, &e));
	CHECK_EQUAL(5060, e.port);
	CHECK_EQUAL(0, endpoint_parse(SPAN("10.0.0.1"), 5060, &e));
	CHECK_EQUAL(5060, e.port);
	CHECK_EQUAL(0, endpoint_parse(SPAN("[2001:db8::1]:69"), 1, &e));
	endpoint_text(e, text);
	CHECK_TEXT("[2001:db8::1]:69", span_text(text));
	CHECK_EQUAL(0, endpoint_parse(SPAN("2001:db8::1"), 7, &e));
	CHECK_EQUAL(7, e.port);
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN("[::1"), 1, &e));
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN("[::1]x"), 1, &e));
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN("[10.0.0.1]:1"), 1, &e));
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN("10.0.0.1:"), 1, &e));
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN("10.0.0.1:65536"), 1, &e));
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN("host:1"), 1, &e));
	CHECK_EQUAL(-EINVAL, endpoint_parse(SPAN(""), 1, &e));
}

static struct address read_address(const char *text)
{
	struct address a = {0};

	CHECK_EQUAL(0, address_parse(span_text(text), &a));
	return a;
}

static void knows_kinds(void)
{
	CHECK(address_is_any(read_address("0.0.0.0")));
	CHECK(address_is_any(read_address("::")));
	CHECK(address_is_loopback(read_address("127.1.2.3")));
	CHECK(address_is_loopback(read_address("::1")));
	CHECK(!address_is_loopback(read_address("::2")));
	CHECK(address_is_multicast(read_address("224.0.1.75")));
	CHECK(address_is_multicast(read_address("239.255.255.255")));
	CHECK(!address_is_multicast(read_address("240.0.0.1")));
	CHECK(address_is_multicast(read_address("ff02::1")));
	CHECK(address_is_broadcast(read_address("255.255.255.255")));
	CHECK(!address_is_any((struct address){0}));
	CHECK(address_equal(read_address("10.0.0.1"),
			    address_unmapped(read_address("::ffff:10.0.0.1"))));
}

static void compares_prefixes(void)
{
	struct address net = read_address("10.13.2.0");

	CHECK(address_in_prefix(read_address("10.13.2.37"), net, 24));
	CHECK(!address_in_prefix(read_address("10.13.3.37"), net, 24));
	CHECK(address_in_prefix(read_address("10.13.3.37"), net, 23));
	CHECK(address_in_prefix(read_address("1.2.3.4"), net, 0));
	CHECK(!address_in_prefix(read_address("10.13.2.1"), net, 32));
	CHECK(!address_in_prefix(read_address("10.13.2.0"), net, 33));
	CHECK(!address_in_prefix(read_address("::1"), net, 0));
	CHECK(address_in_prefix(read_address("fe80::1"), read_address("fe80::"), 10));
}

static void parse_prefix(struct span input, void *context)
{
	struct endpoint e;

	(void)context;
	(void)endpoint_parse(input, 1, &e);
}

static void survives_every_prefix(void)
{
	guard_each_prefix(SPAN("[2001:db8:1:2:3:4:192.168.100.200]:65535"), parse_prefix, NULL);
	guard_each_prefix(SPAN("192.168.100.200:65535"), parse_prefix, NULL);
	guard_each_prefix(SPAN("1::2:3:4:5:6:7:8:9"), parse_prefix, NULL);
}

int main(void)
{
	RUN(reads_as_inet_pton);
	RUN(prints_as_inet_ntop);
	RUN(reads_endpoints);
	RUN(knows_kinds);
	RUN(compares_prefixes);
	RUN(survives_every_prefix);
	return test_end();
}

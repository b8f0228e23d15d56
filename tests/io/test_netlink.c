/* SPDX-License-Identifier: MIT */
/* What interfaces and neighbours make of rtnetlink messages, whole and damaged. */
#include "io/neighbour.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sys/socket.h>

enum { message_size = 256, lower_up = 0x10000 };

struct message {
	char bytes[message_size] __attribute__((aligned(8)));
};

static struct nlmsghdr *start(struct message *m, uint16_t type)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(m->bytes);

	header->nlmsg_type = type;
	return header;
}

static const struct nlmsghdr *neighbour_message(struct message *m, uint16_t type, uint16_t state,
						const void *hardware, size_t hardware_size)
{
	struct nlmsghdr *header = start(m, type);
	struct ndmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));

	info->ndm_family = AF_INET;
	info->ndm_ifindex = 3;
	info->ndm_state = state;
	mnl_attr_put(header, NDA_DST, 4, "\x0a\x0d\x02\x25");
	if (hardware) {
		mnl_attr_put(header, NDA_LLADDR, hardware_size, hardware);
	}
	return header;
}

static const char hardware[] = "\x00\x90\x8f\x12\x34\x56";

static void neighbour_is_known_in_the_states_that_have_an_address(void)
{
	static const struct {
		uint16_t state;
		bool is_known;
		bool is_failed;
	} cases[] = {
		{NUD_REACHABLE, true, false}, {NUD_STALE, true, false},
		{NUD_DELAY, true, false},     {NUD_PROBE, true, false},
		{NUD_PERMANENT, true, false}, {NUD_INCOMPLETE, false, false},
		{NUD_FAILED, false, true},    {NUD_NOARP, false, false},
		{NUD_NONE, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message m = {0};
		struct neighbour_event event = {0};

		CHECK_EQUAL(0, neighbour_event_parse(neighbour_message(&m, RTM_NEWNEIGH,
								       cases[i].state, hardware, 6),
						     &event));
		CHECK_EQUAL(cases[i].is_known, event.is_known);
		CHECK_EQUAL(cases[i].is_failed, event.is_failed);
		CHECK(address_equal(address_ipv4(10, 13, 2, 37), event.address));
		CHECK_EQUAL(3, event.interface);
		CHECK(!event.is_known || memcmp(event.mac.octets, hardware, 6) == 0);
	}
}

static void neighbour_that_goes_is_not_known(void)
{
	struct message m = {0};
	struct neighbour_event event;

	CHECK_EQUAL(0, neighbour_event_parse(neighbour_message(&m, RTM_DELNEIGH, NUD_STALE,
							       hardware, 6),
					     &event));
	CHECK(!event.is_known);
	CHECK(!event.is_failed);
}

static void neighbour_with_another_kind_of_address_is_not_known(void)
{
	struct message m = {0};
	struct neighbour_event event;

	CHECK_EQUAL(0, neighbour_event_parse(neighbour_message(&m, RTM_NEWNEIGH, NUD_REACHABLE,
							       "12345678901234567890", 20),
					     &event));
	CHECK(!event.is_known);
	CHECK_EQUAL(0, neighbour_event_parse(neighbour_message(&m, RTM_NEWNEIGH, NUD_REACHABLE,
							       NULL, 0),
					     &event));
	CHECK(!event.is_known);
}

static void neighbour_of_a_bridge_or_proxy_says_nothing(void)
{
	struct message m = {0};
	struct neighbour_event event;
	const struct nlmsghdr *header =
		neighbour_message(&m, RTM_NEWNEIGH, NUD_REACHABLE, hardware, 6);
	struct ndmsg *info = mnl_nlmsg_get_payload(header);

	info->ndm_flags = NTF_PROXY;
	CHECK_EQUAL(-ENOMSG, neighbour_event_parse(header, &event));
	info->ndm_flags = 0;
	info->ndm_family = AF_BRIDGE;
	CHECK_EQUAL(-ENOMSG, neighbour_event_parse(header, &event));
	info->ndm_family = AF_INET6; /* with an address of four octets */
	CHECK_EQUAL(-EINVAL, neighbour_event_parse(header, &event));
}

/* The same message with its length field cut: attributes beyond it must not be read. */
static void parse_cut(struct span input, void *context)
{
	struct neighbour_event event;
	struct interfaces *interfaces = context;
	struct nlmsghdr copy;

	if (input.length < sizeof(copy) || (uintptr_t)input.data % 4 != 0) {
		return; /* netlink.c hands on no less than a header, and aligned */
	}
	memcpy(&copy, input.data, sizeof(copy));
	copy.nlmsg_len = (uint32_t)input.length;
	memcpy((char *)(uintptr_t)input.data, &copy, sizeof(copy));
	(void)neighbour_event_parse((const struct nlmsghdr *)(const void *)input.data, &event);
	interfaces_take(interfaces, (const struct nlmsghdr *)(const void *)input.data);
}

static const struct nlmsghdr *link_message(struct message *m, uint16_t type, int index,
					   const char *name, unsigned flags)
{
	struct nlmsghdr *header = start(m, type);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));

	info->ifi_type = flags & IFF_LOOPBACK ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	info->ifi_index = index;
	info->ifi_flags = flags;
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
	mnl_attr_put(header, IFLA_ADDRESS, 6, hardware);
	return header;
}

static const struct nlmsghdr *address_message(struct message *m, uint16_t type, unsigned index,
					      struct address ours, uint8_t prefix_bits)
{
	struct nlmsghdr *header = start(m, type);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	bool is_ipv4 = ours.family == ADDRESS_IPV4;

	info->ifa_family = is_ipv4 ? AF_INET : AF_INET6;
	info->ifa_prefixlen = prefix_bits;
	info->ifa_index = index;
	mnl_attr_put(header, IFA_ADDRESS, is_ipv4 ? 4 : 16, ours.octets);
	if (is_ipv4) {
		mnl_attr_put(header, IFA_LOCAL, 4, ours.octets);
	}
	return header;
}

static struct address parsed(const char *text)
{
	struct address address = {0};

	CHECK_EQUAL(0, address_parse(span_text(text), &address));
	return address;
}

/* lo, eth0 with two IPv4 prefixes and IPv6, eth1 without an address. */
static struct interfaces *office(void)
{
	struct interfaces *in = interfaces_new_detached();
	const unsigned up = IFF_UP | lower_up | IFF_MULTICAST;
	struct message m;

	interfaces_take(in,
			link_message(&m, RTM_NEWLINK, 1, "lo", IFF_UP | lower_up | IFF_LOOPBACK));
	interfaces_take(in, address_message(&m, RTM_NEWADDR, 1, parsed("127.0.0.1"), 8));
	interfaces_take(in, link_message(&m, RTM_NEWLINK, 2, "eth0", up));
	interfaces_take(in, address_message(&m, RTM_NEWADDR, 2, parsed("192.168.7.1"), 24));
	interfaces_take(in, address_message(&m, RTM_NEWADDR, 2, parsed("10.13.4.121"), 16));
	interfaces_take(in, address_message(&m, RTM_NEWADDR, 2, parsed("2001:db8::1"), 64));
	interfaces_take(in, address_message(&m, RTM_NEWADDR, 2, parsed("fe80::1"), 64));
	interfaces_take(in, link_message(&m, RTM_NEWLINK, 3, "eth1", IFF_UP | IFF_MULTICAST));
	return in;
}

static void interfaces_are_found_by_index_and_name(void)
{
	struct interfaces *in = office();
	const struct interface *eth0 = interfaces_by_name(in, "eth0");
	const struct interface *lo = interfaces_by_index(in, 1);

	REQUIRE(eth0 && lo);
	CHECK_EQUAL(2, eth0->index);
	CHECK(eth0->is_up && eth0->is_multicast && eth0->has_mac && !eth0->is_loopback);
	CHECK(lo->is_loopback && !lo->has_mac && !lo->is_multicast);
	CHECK(!interfaces_by_index(in, 3)->is_up); /* no carrier */
	CHECK(!interfaces_by_name(in, "eth9"));
	CHECK(!interfaces_at(in, 3));
	interfaces_free_detached(in);
}

static void on_link_is_inside_a_connected_prefix(void)
{
	struct interfaces *in = office();

	CHECK(interfaces_is_on_link(in, parsed("10.13.2.37"), 2));
	CHECK(interfaces_is_on_link(in, parsed("10.13.2.37"), 0));
	CHECK(interfaces_is_on_link(in, parsed("fe80::1234"), 2));
	CHECK(!interfaces_is_on_link(in, parsed("10.13.2.37"), 3));
	CHECK(!interfaces_is_on_link(in, parsed("10.14.0.1"), 2));
	CHECK(!interfaces_is_on_link(in, parsed("127.0.0.2"), 1)); /* ours */
	CHECK(!interfaces_is_on_link(in, parsed("10.13.4.121"), 2));
	CHECK(!interfaces_is_on_link(in, parsed("10.13.0.0"), 2)); /* the prefix itself */
	CHECK(!interfaces_is_on_link(in, parsed("10.13.255.255"), 2));
	CHECK(!interfaces_is_on_link(in, parsed("224.0.1.75"), 2));
	CHECK_EQUAL(2, interfaces_towards(in, parsed("192.168.7.9")));
	CHECK_EQUAL(0, interfaces_towards(in, parsed("192.168.8.9")));
	CHECK(interfaces_is_own(in, parsed("127.9.9.9")));
	CHECK(interfaces_is_own(in, parsed("192.168.7.1")));
	CHECK(!interfaces_is_own(in, parsed("192.168.7.2")));
	interfaces_free_detached(in);
}

static void check_local(struct interfaces *in, const char *source, uint32_t index,
			const char *expected)
{
	struct address local = {0};
	char text[address_text_size];

	CHECK_EQUAL(0, interfaces_local_address(in, parsed(source), index, &local));
	address_text(local, text);
	CHECK_TEXT(expected, span_text(text));
}

/* R-MCAST-4, R-3581-5: the address of the arrival interface, in the sender's own prefix. */
static void local_address_is_in_the_prefix_of_the_source(void)
{
	struct interfaces *in = office();
	struct address local = {0};

	check_local(in, "10.13.2.37", 2, "10.13.4.121");
	check_local(in, "192.168.7.50", 2, "192.168.7.1");
	check_local(in, "172.16.0.1", 2, "192.168.7.1"); /* the first, for one from elsewhere */
	check_local(in, "10.13.4.121", 2, "10.13.4.121");
	check_local(in, "127.0.0.2", 1, "127.0.0.1");
	check_local(in, "fe80::9", 2, "fe80::1");
	check_local(in, "2001:db8::9", 2, "2001:db8::1");
	CHECK_EQUAL(-EADDRNOTAVAIL, interfaces_local_address(in, parsed("10.13.2.37"), 3, &local));
	CHECK(!address_is_set(local));
	interfaces_free_detached(in);
}

static void addresses_and_interfaces_go(void)
{
	struct interfaces *in = office();
	struct message m;

	interfaces_take(in, address_message(&m, RTM_DELADDR, 2, parsed("10.13.4.121"), 16));
	CHECK(!interfaces_is_on_link(in, parsed("10.13.2.37"), 2));
	CHECK(interfaces_is_on_link(in, parsed("192.168.7.50"), 2));
	interfaces_take(in, link_message(&m, RTM_DELLINK, 2, "eth0", 0));
	CHECK(!interfaces_by_name(in, "eth0"));
	CHECK(!interfaces_is_on_link(in, parsed("192.168.7.50"), 2));
	CHECK(interfaces_by_name(in, "lo"));
	interfaces_free_detached(in);
}

static void tables_are_bounded(void)
{
	struct interfaces *in = interfaces_new_detached();
	struct message m;
	size_t count = 0;

	for (int i = 1; i <= interfaces_max + 10; i++) {
		interfaces_take(in, link_message(&m, RTM_NEWLINK, i, "many", IFF_UP));
	}
	for (unsigned i = 0; i < interface_addresses_max + 10; i++) {
		interfaces_take(in,
				address_message(&m, RTM_NEWADDR, 1,
						address_ipv4(10, 1, (uint8_t)(i >> 8), (uint8_t)i),
						32));
	}
	while (interfaces_at(in, count)) {
		count++;
	}
	CHECK_EQUAL(interfaces_max, count);
	count = 0;
	while (interfaces_address_at(in, count)) {
		count++;
	}
	CHECK_EQUAL(interface_addresses_max, count);
	interfaces_free_detached(in);
}

static void reads_nothing_beyond_any_prefix(void)
{
	struct interfaces *in = office();
	struct message m = {0};
	const struct nlmsghdr *messages[3];
	struct message kept[3] = {0};

	messages[0] = neighbour_message(&kept[0], RTM_NEWNEIGH, NUD_REACHABLE, hardware, 6);
	messages[1] = link_message(&kept[1], RTM_NEWLINK, 7, "averylongname15", IFF_UP);
	messages[2] = address_message(&kept[2], RTM_NEWADDR, 2, parsed("10.13.4.121"), 16);
	for (size_t i = 0; i < 3; i++) {
		memcpy(m.bytes, messages[i], messages[i]->nlmsg_len);
		guard_each_prefix(span_make(m.bytes, messages[i]->nlmsg_len), parse_cut, in);
	}
	interfaces_free_detached(in);
}

int main(void)
{
	RUN(neighbour_is_known_in_the_states_that_have_an_address);
	RUN(neighbour_that_goes_is_not_known);
	RUN(neighbour_with_another_kind_of_address_is_not_known);
	RUN(neighbour_of_a_bridge_or_proxy_says_nothing);
	RUN(interfaces_are_found_by_index_and_name);
	RUN(on_link_is_inside_a_connected_prefix);
	RUN(local_address_is_in_the_prefix_of_the_source);
	RUN(addresses_and_interfaces_go);
	RUN(tables_are_bounded);
	RUN(reads_nothing_beyond_any_prefix);
	return test_end();
}

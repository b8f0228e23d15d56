/* SPDX-License-Identifier: MIT */
/*
 * R-TFTP-22 on real links: the server's host, a router, and behind a narrow link the client's host,
 * each a network namespace. What is granted fits into the first hop; what turns out too large for a
 * later one arrives all the same, in fragments. Skipped where namespaces may not be made.
 */
#include "io/path.h"
#include "tests/io/tftp_house.h"
#include "tests/system/network.h"

static const struct address server = {ADDRESS_IPV4, {10, 9, 0, 1}};
static const struct address router = {ADDRESS_IPV4, {10, 9, 0, 2}};
static const struct address client_address = {ADDRESS_IPV4, {10, 9, 1, 2}};
static const struct address server_ipv6 = {ADDRESS_IPV6, {0xfd, 9, [15] = 1}};
static const struct address server_link_local = {ADDRESS_IPV6, {0xfe, 0x80, [15] = 1}};
static const struct address router_ipv6 = {ADDRESS_IPV6, {0xfd, 9, [15] = 2}};
static const struct address client_ipv6 = {ADDRESS_IPV6, {0xfd, 9, [3] = 1, [15] = 2}};
static const struct address nowhere = {ADDRESS_IPV4, {192, 0, 2, 1}};
static struct tftp_client client;
static pid_t router_host;
static pid_t client_host;

static bool build_path(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
		return false;
	}
	server_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	router_host = start_host();
	client_host = start_host();
	return router_host > 0 && client_host > 0 && server_namespace >= 0 &&
	       run("ip link set lo up && ip link add eth0 type veth peer name r0 netns %d && "
		   "ip addr add 10.9.0.1/24 dev eth0 && ip addr add fd09::1/64 dev eth0 nodad && "
		   "ip addr add fe80::1/64 dev eth0 nodad && ip link set eth0 up",
		   (int)router_host) &&
	       run("nsenter -t %d -n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward && "
		   "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding && "
		   "ip link add r1 mtu 1280 type veth peer name eth0 mtu 1280 netns %d && "
		   "ip addr add 10.9.0.2/24 dev r0 && ip addr add fd09::2/64 dev r0 nodad && "
		   "ip addr add fe80::2/64 dev r0 nodad && "
		   "ip addr add 10.9.1.1/24 dev r1 && ip addr add fd09:1::1/64 dev r1 nodad && "
		   "ip link set r0 up && ip link set r1 up'",
		   (int)router_host, (int)client_host) &&
	       run("nsenter -t %d -n sh -c 'ip addr add 10.9.1.2/24 dev eth0 && "
		   "ip addr add fd09:1::2/64 dev eth0 nodad && ip link set eth0 up && "
		   "ip route add default via 10.9.1.1 && ip -6 route add default via fd09:1::1'",
		   (int)client_host) &&
	       run("ip route add 10.9.1.0/24 via 10.9.0.2 && "
		   "ip -6 route add fd09:1::/64 via fd09::2");
}

static size_t octets_to(struct address local, struct address to)
{
	return path_octets_max(local, (struct endpoint){to, 2000}, 0);
}

static void r_tftp_22_what_the_first_hop_takes(void)
{
	CHECK_EQUAL(1500, octets_to(server, router));
	CHECK_EQUAL(1500, octets_to(server_ipv6, router_ipv6));
	CHECK_EQUAL(1500, octets_to(server, client_address));
	CHECK_EQUAL(0, octets_to(server, nowhere));
	CHECK_EQUAL(0, octets_to(nowhere, router)); /* not ours */
	/* A narrower interface, and a route that says so. */
	REQUIRE(run("ip link set eth0 mtu 1400"));
	CHECK_EQUAL(1400, octets_to(server, router));
	CHECK_EQUAL(1400, octets_to(server_ipv6, router_ipv6));
	REQUIRE(run("ip route change 10.9.1.0/24 via 10.9.0.2 mtu 1300"));
	CHECK_EQUAL(1300, octets_to(server, client_address));
	REQUIRE(run("ip route change 10.9.1.0/24 via 10.9.0.2 && ip link set eth0 mtu 1500"));
	CHECK_EQUAL(1500, octets_to(server, client_address));
}

/* Of that host: a socket belongs to the namespace it was made in. */
static void open_client_on(pid_t host, struct address asked)
{
	char path[64];
	int namespace;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)host);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNET) != 0) {
		abort();
	}
	tftp_open_client(&client, asked);
	if (setns(server_namespace, CLONE_NEWNET) != 0) {
		abort();
	}
	close(namespace);
}

/* The first request may be lost: links that have just come up are not ready at once. */
static bool ask_until_answered(const struct tftp_options *options)
{
	for (int i = 0; i < 20; i++) {
		tftp_ask(&client, "440HD.img", options);
		if (tftp_await_for(&client, 1000)) {
			return true;
		}
	}
	return false;
}

static void fetch_through_the_narrow_link(struct address asked, uint16_t block_size,
					  uint16_t window_size)
{
	struct tftp_options options = {.has_block_size = true,
				       .block_size = 65464,
				       .has_window_size = window_size > 0,
				       .window_size = window_size};

	tftp_open_house((struct address){.family = asked.family});
	tftp_make_file("440HD.img", 100000, 100000);
	open_client_on(client_host, asked);
	REQUIRE(ask_until_answered(&options));
	CHECK_EQUAL(TFTP_OACK, client.packet.opcode);
	CHECK_EQUAL(block_size, client.packet.options.block_size);
	tftp_send(&client, client.there, SPAN("\0\5\0\0\0"));
	tftp_await_end();
	CHECK_EQUAL(100000, tftp_fetch(&client, "440HD.img", &options, 100000));
	close(client.descriptor);
	tftp_close_house();
}

static void blocks_too_large_for_a_later_link_arrive_in_fragments(void)
{
	fetch_through_the_narrow_link(server, 1468, 0);
	fetch_through_the_narrow_link(server, 1468, 8);
}

/* There no router fragments: it says what it takes, and the next resend is cut accordingly. */
static void over_ipv6_too_and_the_next_transfer_knows(void)
{
	fetch_through_the_narrow_link(server_ipv6, 1448, 8);
	CHECK_EQUAL(1280, octets_to(server_ipv6, client_ipv6));
	fetch_through_the_narrow_link(server_ipv6, 1228, 8);
}

/* An address that means something on one link only: sockets must be told which. */
static void r_tftp_40_link_local_addresses_answer_too(void)
{
	struct tftp_options options = {.has_block_size = true, .block_size = 65464};

	tftp_open_house((struct address){.family = ADDRESS_IPV6});
	tftp_make_file("440HD.img", 5000, 5000);
	open_client_on(router_host, server_link_local);
	REQUIRE(setsockopt(client.descriptor, SOL_SOCKET, SO_BINDTODEVICE, "r0", 3) == 0);
	REQUIRE(ask_until_answered(&options));
	CHECK_EQUAL(TFTP_OACK, client.packet.opcode);
	CHECK_EQUAL(1448, client.packet.options.block_size);
	CHECK(address_equal(server_link_local, client.there.address));
	tftp_send(&client, client.there, SPAN("\0\5\0\0\0"));
	tftp_await_end();
	CHECK_EQUAL(5000, tftp_fetch(&client, "440HD.img", &options, 5000));
	close(client.descriptor);
	tftp_close_house();
}

int main(void)
{
	if (!build_path()) {
		printf("1..0 # SKIP network namespaces may not be made here\n");
	} else {
		RUN(r_tftp_22_what_the_first_hop_takes);
		RUN(blocks_too_large_for_a_later_link_arrive_in_fragments);
		RUN(over_ipv6_too_and_the_next_transfer_knows);
		RUN(r_tftp_40_link_local_addresses_answer_too);
		test_end();
	}
	end_host(router_host);
	end_host(client_host);
	return test_failed_count == 0 ? 0 : 1;
}

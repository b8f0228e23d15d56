/* SPDX-License-Identifier: MIT */
/*
 * A real network in miniature: the server's host with a bridge, a phone's host behind a veth pair,
 * each a network namespace of its own. Joins, frames, neighbours and what happens when interfaces
 * go and come back. Needs root (or CAP_SYS_ADMIN and CAP_NET_ADMIN); else it says that it was
 * skipped.
 */
#include "io/frame.h"
#include "io/membership.h"
#include "io/neighbour.h"
#include "tests/system/network.h"
#include "tests/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { patience_ms = 5000 };

static struct loop loop;

/* The line of the interface in /proc/net/igmp is followed by those of its groups. */
static bool igmp_lists(const char *interface)
{
	FILE *file = fopen("/proc/thread-self/net/igmp", "r");
	char line[256];
	char name[64] = "";
	bool is_listed = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (line[0] != '\t') {
			sscanf(line, "%*d %63s", name);
		} else if (strcmp(name, interface) == 0 && strstr(line, "4B0100E0")) {
			is_listed = true;
		}
	}
	if (file) {
		fclose(file);
	}
	return is_listed;
}

static void ring(void *context)
{
	*(bool *)context = true;
}

/* Runs the loop until the condition holds; false when the test can only have failed. */
static bool run_until(bool (*condition)(void *context), void *context)
{
	struct loop_timer timer;
	bool is_over = false;

	if (loop_timer_open(&timer, &loop, ring, &is_over) != 0) {
		abort();
	}
	loop_timer_set(&timer, loop_now_ms(&loop) + patience_ms);
	while (!condition(context) && !is_over) {
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	loop_timer_close(&timer, NULL);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	return condition(context);
}

struct heard {
	size_t count;
	struct udp_received last;
};

static void received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct heard *heard = context;

	heard->count += count;
	heard->last = datagrams[count - 1];
}

static void unreachable(void *context, struct endpoint to, int error)
{
	(void)context;
	(void)to;
	(void)error;
}

static bool has_heard(void *context)
{
	return ((struct heard *)context)->count > 0;
}

/* The group socket, the interfaces and the memberships. */
struct server {
	struct heard heard;
	struct interfaces *interfaces;
	struct udp *socket;
	struct membership *membership;
};

static bool start_server(struct server *server, const char *first, const char *second)
{
	struct udp_options options = {.bind = group(),
				      .is_group = true,
				      .received = received,
				      .unreachable = unreachable,
				      .context = &server->heard};
	char names[2][IF_NAMESIZE] = {"", ""};
	char problem[udp_problem_size];

	*server = (struct server){0};
	snprintf(names[0], IF_NAMESIZE, "%s", first);
	snprintf(names[1], IF_NAMESIZE, "%s", second);
	return loop_open(&loop) == 0 && interfaces_open(&server->interfaces, &loop, NULL) == 0 &&
	       udp_open(&server->socket, &loop, &options, problem) == 0 &&
	       membership_open(&server->membership, server->socket, server->interfaces,
			       (const char(*)[IF_NAMESIZE])names,
			       (first[0] != '\0') + (second[0] != '\0'), NULL) == 0;
}

static void stop_server(struct server *server)
{
	membership_close(server->membership);
	udp_close(server->socket);
	interfaces_close(server->interfaces);
	loop_close(&loop);
}

/* R-MCAST-1: a real IGMP join, on the interface named and no other. */
static void join_is_real(void)
{
	struct server server;

	CHECK(!igmp_lists("br0"));
	REQUIRE(start_server(&server, "br0", ""));
	CHECK(igmp_lists("br0"));
	CHECK(!igmp_lists("lo"));
	CHECK(!igmp_lists("port0"));
	CHECK_EQUAL(1, membership_count(server.membership));
	CHECK(membership_has(server.membership, if_nametoindex("br0")));
	stop_server(&server);
	CHECK(!igmp_lists("br0"));
}

static void default_is_all_that_are_up_and_do_multicast(void)
{
	struct server server;

	REQUIRE(run("ip link add down0 type bridge"));
	REQUIRE(start_server(&server, "", ""));
	CHECK(igmp_lists("br0"));
	CHECK(!igmp_lists("lo"));
	CHECK(!igmp_lists("down0"));
	stop_server(&server);
	run("ip link del down0");
}

struct expected_join {
	const struct membership *membership;
	const char *interface;
	bool is_joined;
};

static bool join_is_as_expected(void *context)
{
	const struct expected_join *expected = context;

	return membership_has(expected->membership, if_nametoindex(expected->interface)) ==
		       expected->is_joined &&
	       igmp_lists(expected->interface) == expected->is_joined;
}

static void interface_that_appears_later_is_joined(void)
{
	struct server server;
	struct expected_join expected = {.interface = "late0", .is_joined = true};

	REQUIRE(start_server(&server, "br0", "late0"));
	expected.membership = server.membership;
	CHECK_EQUAL(1, membership_count(server.membership));
	REQUIRE(run("ip link add late0 type bridge && ip link set late0 up"));
	CHECK(run_until(join_is_as_expected, &expected));
	CHECK_EQUAL(2, membership_count(server.membership));
	/* It goes, and comes back as another one of the same name. */
	REQUIRE(run("ip link del late0"));
	expected.is_joined = false;
	CHECK(run_until(join_is_as_expected, &expected));
	CHECK_EQUAL(1, membership_count(server.membership));
	REQUIRE(run("ip link add late0 type bridge && ip link set late0 up"));
	expected.is_joined = true;
	CHECK(run_until(join_is_as_expected, &expected));
	stop_server(&server);
	run("ip link del late0");
}

struct expected_reports {
	int tap; /* a packet socket on the phone's side */
	size_t count;
};

/* IGMP reports for the group that reach the phone's host: what a switch between would see. */
static bool report_arrives(void *context)
{
	struct expected_reports *expected = context;
	uint8_t packet[256];
	ssize_t length;

	while ((length = recv(expected->tap, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		static const uint8_t group_octets[] = {224, 0, 1, 75};

		if (length > 24 && packet[9] == IPPROTO_IGMP &&
		    memmem(packet + 24, (size_t)length - 24, group_octets, 4)) {
			expected->count++;
		}
	}
	return expected->count > 0;
}

static int open_tap(void)
{
	char path[64];
	int namespace;
	int tap;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)phone_host);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || setns(namespace, CLONE_NEWNET) != 0) {
		abort();
	}
	tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(0x0800));
	if (setns(server_namespace, CLONE_NEWNET) != 0) {
		abort();
	}
	close(namespace);
	return tap;
}

static bool is_cable_out(void *context)
{
	const struct interface *br0 = interfaces_by_name(context, "br0");

	return br0 && !br0->is_up;
}

/* R-MCAST-1: the switch behind a cable that was out must hear a report, without a query. */
static void interface_that_comes_back_is_joined_anew(void)
{
	struct server server;
	struct expected_reports expected = {.tap = open_tap()};

	REQUIRE(start_server(&server, "br0", ""));
	CHECK(run_until(report_arrives, &expected));
	REQUIRE(run("ip link set port0 down"));
	CHECK(run_until(is_cable_out, server.interfaces));
	report_arrives(&expected);
	/* Longer than the kernel repeats its own reports of the first join would need silence; the
	 * ports are down, so none of them can be seen here. */
	expected.count = 0;
	REQUIRE(run("ip link set port0 up"));
	CHECK(run_until(report_arrives, &expected));
	CHECK(igmp_lists("br0"));
	stop_server(&server);
	close(expected.tap);
}

static void frame_gives_the_hardware_address_of_a_multicast(void)
{
	struct server server;
	struct frames *frames = NULL;
	struct endpoint to = group();
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr(to, 0, &storage);
	struct mac mac = {0};
	int phone = open_phone();

	REQUIRE(start_server(&server, "br0", ""));
	REQUIRE(frames_open(&frames, to) == 0);
	CHECK_EQUAL(9, sendto(phone, "SUBSCRIBE", 9, 0, (struct sockaddr *)&storage, length));
	CHECK(run_until(has_heard, &server.heard));
	frames_read(frames, loop_now_ms(&loop));
	CHECK(address_equal(phone_address(), server.heard.last.source.address));
	CHECK_EQUAL(if_nametoindex("br0"), server.heard.last.interface);
	CHECK(address_equal(address_ipv4(10, 13, 4, 121), server.heard.last.local));
	CHECK(frames_find(frames, server.heard.last.source, server.heard.last.interface,
			  loop_now_ms(&loop), &mac));
	CHECK(mac_equal(phone_mac, mac));
	frames_close(frames);
	close(phone);
	stop_server(&server);
}

struct answers {
	size_t count;
	struct address address;
	enum neighbour_answer answer;
	struct mac mac;
};

static void answered(void *context, struct address address, uint32_t interface,
		     enum neighbour_answer answer, struct mac mac)
{
	struct answers *answers = context;

	(void)interface;
	answers->count++;
	answers->address = address;
	answers->answer = answer;
	answers->mac = mac;
}

static bool is_answered(void *context)
{
	return ((struct answers *)context)->count > 0;
}

struct asker {
	struct interfaces *interfaces;
	struct neighbours *neighbours;
	struct neighbour_listener listener;
	struct answers answers;
};

static bool start_asker(struct asker *asker, const struct neighbour_options *options)
{
	*asker = (struct asker){0};
	asker->listener.answered = answered;
	asker->listener.context = &asker->answers;
	/* Nobody has spoken to the phone yet. */
	if (!run("ip neigh flush dev br0") || loop_open(&loop) != 0 ||
	    interfaces_open(&asker->interfaces, &loop, NULL) != 0 ||
	    neighbours_open(&asker->neighbours, &loop, asker->interfaces, options, NULL) != 0) {
		return false;
	}
	neighbours_listen(asker->neighbours, &asker->listener);
	return true;
}

static void stop_asker(struct asker *asker)
{
	neighbours_close(asker->neighbours);
	interfaces_close(asker->interfaces);
	loop_close(&loop);
}

/* The answer comes before the second is over that a SUBSCRIBE may wait: timeout_ms ends it else. */
static void check_resolves(const struct neighbour_options *options)
{
	uint32_t br0 = if_nametoindex("br0");
	struct asker asker;
	struct mac mac = {0};

	REQUIRE(start_asker(&asker, options));
	CHECK_EQUAL(NEIGHBOUR_UNKNOWN,
		    neighbours_lookup(asker.neighbours, phone_address(), br0, &mac));
	CHECK_EQUAL(NEIGHBOUR_UNKNOWN,
		    neighbours_resolve(asker.neighbours, phone_address(), br0, &mac));
	CHECK_EQUAL(NEIGHBOUR_UNKNOWN,
		    neighbours_resolve(asker.neighbours, phone_address(), br0, &mac));
	CHECK(run_until(is_answered, &asker.answers));
	CHECK_EQUAL(1, asker.answers.count);
	CHECK_EQUAL(NEIGHBOUR_FOUND, asker.answers.answer);
	CHECK(mac_equal(phone_mac, asker.answers.mac));
	CHECK(address_equal(phone_address(), asker.answers.address));
	/* From now on it is known. */
	CHECK_EQUAL(NEIGHBOUR_FOUND,
		    neighbours_resolve(asker.neighbours, phone_address(), br0, &mac));
	CHECK(mac_equal(phone_mac, mac));
	CHECK_EQUAL(NEIGHBOUR_FOUND, neighbours_lookup(asker.neighbours, phone_address(), 0, &mac));
	CHECK_EQUAL(1, neighbours_counters(asker.neighbours).asked);
	CHECK_EQUAL(1, neighbours_counters(asker.neighbours).coalesced);
	CHECK_EQUAL(1, neighbours_counters(asker.neighbours).found);
	CHECK_EQUAL(0, neighbours_counters(asker.neighbours).pending);
	stop_asker(&asker);
}

static void unknown_phone_is_resolved_through_the_kernel(void)
{
	check_resolves(NULL);
}

static void unknown_phone_is_resolved_by_a_datagram(void)
{
	check_resolves(&(struct neighbour_options){.is_datagram_only = true});
}

/* The kernel's refusal of NTF_USE turns the same question into a datagram. */
static void resolves_without_the_capability(void)
{
	struct asker asker;
	struct mac mac;
	int status = 1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		bool is_found =
			start_asker(&asker, NULL) && network_drop(CAP_NET_ADMIN) &&
			neighbours_resolve(asker.neighbours, phone_address(), if_nametoindex("br0"),
					   &mac) == NEIGHBOUR_UNKNOWN &&
			run_until(is_answered, &asker.answers) &&
			asker.answers.answer == NEIGHBOUR_FOUND &&
			mac_equal(phone_mac, asker.answers.mac);

		_exit(is_found ? 0 : 1);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK_EQUAL(0, status);
}

static void nobody_is_there_and_the_questions_are_bounded(void)
{
	struct neighbour_options options = {.pending_max = 2, .timeout_ms = 200};
	uint32_t br0 = if_nametoindex("br0");
	struct asker asker;
	struct mac mac;

	REQUIRE(start_asker(&asker, &options));
	for (uint8_t i = 1; i <= 5; i++) {
		CHECK_EQUAL(i <= 2 ? NEIGHBOUR_UNKNOWN : NEIGHBOUR_NONE,
			    neighbours_resolve(asker.neighbours, address_ipv4(10, 13, 9, i), br0,
					       &mac));
	}
	CHECK_EQUAL(3, neighbours_counters(asker.neighbours).refused);
	CHECK(run_until(is_answered, &asker.answers));
	CHECK_EQUAL(NEIGHBOUR_NONE, asker.answers.answer);
	stop_asker(&asker);
	CHECK(!run("ip neigh show dev br0 | grep -q 10.13.9.3"));
}

/* A forged source must not reach the kernel's table. */
static void only_connected_addresses_are_asked_for(void)
{
	uint32_t br0 = if_nametoindex("br0");
	struct asker asker;
	struct mac mac;

	REQUIRE(start_asker(&asker, NULL));
	CHECK_EQUAL(NEIGHBOUR_ROUTED,
		    neighbours_resolve(asker.neighbours, address_ipv4(192, 0, 2, 1), br0, &mac));
	CHECK_EQUAL(NEIGHBOUR_ROUTED, neighbours_resolve(asker.neighbours, phone_address(),
							 if_nametoindex("port0"), &mac));
	CHECK_EQUAL(NEIGHBOUR_ROUTED,
		    neighbours_resolve(asker.neighbours, address_ipv4(10, 13, 255, 255), br0,
				       &mac));
	CHECK_EQUAL(NEIGHBOUR_NONE,
		    neighbours_resolve(asker.neighbours, address_ipv4(127, 0, 0, 2), 1, &mac));
	CHECK_EQUAL(NEIGHBOUR_NONE,
		    neighbours_resolve(asker.neighbours, address_ipv4(10, 13, 4, 121), br0, &mac));
	CHECK_EQUAL(0, neighbours_counters(asker.neighbours).asked);
	stop_asker(&asker);
	CHECK(!run("ip neigh show | grep -q -e 192.0.2.1 -e 10.13.255.255"));
}

static bool is_forgotten(void *context)
{
	struct mac mac;

	return neighbours_lookup(context, phone_address(), if_nametoindex("br0"), &mac) ==
	       NEIGHBOUR_UNKNOWN;
}

static bool is_remembered(void *context)
{
	return !is_forgotten(context);
}

static void mirror_follows_the_table(void)
{
	struct asker asker;
	struct mac mac = {0};

	REQUIRE(start_asker(&asker, NULL));
	REQUIRE(run("ip neigh replace 10.13.2.37 lladdr 00:90:8f:00:00:01 dev br0 nud stale"));
	CHECK(run_until(is_remembered, asker.neighbours));
	CHECK_EQUAL(NEIGHBOUR_FOUND, neighbours_lookup(asker.neighbours, phone_address(),
						       if_nametoindex("br0"), &mac));
	CHECK_EQUAL(1, mac.octets[5]);
	REQUIRE(run("ip neigh del 10.13.2.37 dev br0"));
	CHECK(run_until(is_forgotten, asker.neighbours));
	stop_asker(&asker);
}

/* As many permanent entries as asked, 10.13.100.1 and up; all of them go with `flush`. */
static bool fill_table(unsigned count)
{
	FILE *batch = popen("ip -batch -", "w");

	for (unsigned i = 0; batch && i < count; i++) {
		fprintf(batch,
			"neigh replace 10.13.%u.%u lladdr 00:90:8f:01:%02x:%02x dev br0 nud "
			"permanent\n",
			100 + i / 250, 1 + i % 250, i / 250, i % 250);
	}
	return batch && pclose(batch) == 0;
}

static bool has_resynced(void *context)
{
	return neighbours_counters(context).resyncs > 0;
}

/* ENOBUFS: the kernel could not tell us of everything, so all is read anew (rtnetlink(7)). */
static void lost_messages_are_made_good(void)
{
	enum { many = 12000 };
	uint32_t br0 = if_nametoindex("br0");
	struct asker asker;
	struct mac mac = {0};

	REQUIRE(start_asker(&asker, NULL));
	REQUIRE(fill_table(many)); /* the loop does not run meanwhile */
	CHECK(run_until(has_resynced, asker.neighbours));
	CHECK(neighbours_counters(asker.neighbours).entries >= many);
	CHECK_EQUAL(NEIGHBOUR_FOUND, neighbours_lookup(asker.neighbours,
						       address_ipv4(10, 13, 100 + (many - 1) / 250,
								    1 + (many - 1) % 250),
						       br0, &mac));
	stop_asker(&asker);
	CHECK(run("ip neigh flush dev br0 nud permanent"));
}

static void mirror_is_bounded_and_resolve_sees_beyond_it(void)
{
	struct neighbour_options options = {.entries_max = 5};
	uint32_t br0 = if_nametoindex("br0");
	struct asker asker;
	struct mac mac = {0};
	size_t unknown = 0;

	REQUIRE(fill_table(10));
	REQUIRE(start_asker(&asker, &options));
	CHECK(neighbours_counters(asker.neighbours).entries <= 5);
	CHECK(neighbours_counters(asker.neighbours).full > 0);
	for (uint8_t i = 1; i <= 10; i++) {
		struct address address = address_ipv4(10, 13, 100, i);

		if (neighbours_lookup(asker.neighbours, address, br0, &mac) == NEIGHBOUR_FOUND) {
			continue;
		}
		unknown++;
		asker.answers.count = 0;
		CHECK_EQUAL(NEIGHBOUR_UNKNOWN,
			    neighbours_resolve(asker.neighbours, address, br0, &mac));
		CHECK(run_until(is_answered, &asker.answers));
		CHECK_EQUAL(NEIGHBOUR_FOUND, asker.answers.answer);
		CHECK_EQUAL(i - 1, asker.answers.mac.octets[5]);
	}
	CHECK(unknown >= 5);
	stop_asker(&asker);
	CHECK(run("ip neigh flush dev br0 nud permanent"));
}

int main(void)
{
	if (!build_network()) {
		printf("1..0 # SKIP network namespaces may not be made here\n");
		end_network(); /* as far as it came */
		return 0;
	}
	RUN(join_is_real);
	RUN(default_is_all_that_are_up_and_do_multicast);
	RUN(interface_that_appears_later_is_joined);
	RUN(interface_that_comes_back_is_joined_anew);
	RUN(frame_gives_the_hardware_address_of_a_multicast);
	RUN(unknown_phone_is_resolved_through_the_kernel);
	RUN(unknown_phone_is_resolved_by_a_datagram);
	RUN(resolves_without_the_capability);
	RUN(nobody_is_there_and_the_questions_are_bounded);
	RUN(only_connected_addresses_are_asked_for);
	RUN(mirror_follows_the_table);
	RUN(lost_messages_are_made_good);
	RUN(mirror_is_bounded_and_resolve_sees_beyond_it);
	end_network();
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/*
 * The SIP side whole, on a network in miniature: the manual's SUBSCRIBE, multicast by a phone that
 * the server has never spoken to, gets its 200 and NOTIFY; one that names another's MAC gets
 * nothing. Once with the frames to read, once without any capability.
 */
#include "io/sip_door.h"
#include "tests/provision/harness.h"
#include "tests/system/network.h"
#include "tests/test.h"

#include <poll.h>

enum { patience_ms = 5000 };

/* From and Contact are replaced to name a MAC; Call-ID and branch tell the requests apart. */
static const char subscribe_format[] =
	"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
	"From: <sip:%s@10.13.2.37:5060>;tag=87a5a8-%s\r\n"
	"To: <sip:224.0.1.75:5060>\r\n"
	"Call-ID: 8884c8-25020d0a-13c4-50029-%s\r\n"
	"CSeq: 1 SUBSCRIBE\r\n"
	"Via: SIP/2.0/UDP 10.13.2.37:5060;rport;branch=z9hG4bK-386d4398-%s\r\n"
	"Expires: 0\r\n"
	"Event: ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n"
	"Max-Forwards: 70\r\n"
	"Supported: replaces,100rel\r\n"
	"Accept: application/url\r\n"
	"Contact: <sip:%s@10.13.2.37:5060>\r\n"
	"User-Agent: AUDC-IPPhone/2.2.2\r\n"
	"Content-Length: 0\r\n\r\n";

static struct bench bench;
static pthread_rwlock_t inventory_lock = PTHREAD_RWLOCK_INITIALIZER;

static int change(void *context, const struct change *change)
{
	(void)context;
	(void)change;
	return 0;
}

static struct sip_door *start_door(void)
{
	struct sip_door_options options = {
		.listen = {{{.family = ADDRESS_IPV4}, sip_port}},
		.listen_count = 1,
		.group = group(),
		.interfaces = {"br0"},
		.interface_count = 1,
		.signalling = bench.options,
		.inventory_lock = &inventory_lock,
		.change = change,
	};
	char problem[sip_door_problem_size];
	struct sip_door *door = NULL;

	if (sip_door_start(&door, &options, problem) != 0) {
		printf("# %s\n", problem);
	}
	return door;
}

static void subscribe(int phone, const char *user, const char *token)
{
	char text[2048];
	int length =
		snprintf(text, sizeof(text), subscribe_format, user, token, token, token, user);
	struct sockaddr_storage to;
	socklen_t size = udp_sockaddr(group(), 0, &to);

	CHECK_EQUAL(length, sendto(phone, text, (size_t)length, 0, (struct sockaddr *)&to, size));
}

static struct span hear(int phone)
{
	static char bytes[4096];
	struct pollfd wait = {.fd = phone, .events = POLLIN};
	struct sockaddr_storage storage = {0};
	socklen_t size = sizeof(storage);
	struct endpoint server = {address_ipv4(10, 13, 4, 121), sip_port};
	ssize_t length = -1;

	if (poll(&wait, 1, patience_ms) == 1) {
		length = recvfrom(phone, bytes, sizeof(bytes), 0, (struct sockaddr *)&storage,
				  &size);
		/* R-MCAST-4: from the unicast address of that interface, port 5060. */
		CHECK(endpoint_equal(server, udp_from_sockaddr(&storage)));
	}
	return length < 0 ? SPAN("(silence)") : span_make(bytes, (size_t)length);
}

/* The 200 before the NOTIFY (contract.md, Wire), both for this request. */
static void check_served(int phone, const char *token)
{
	struct span answer = hear(phone);

	CHECK(span_starts_with(answer, SPAN("SIP/2.0 200 ")));
	CHECK(span_search(answer, span_text(token)) < answer.length);
	answer = hear(phone);
	CHECK(span_starts_with(answer, SPAN("NOTIFY sip:")));
	CHECK(span_search(answer, span_text(token)) < answer.length);
	CHECK(span_search(answer, SPAN("\r\nContent-Length: 18\r\n")) < answer.length);
	CHECK(span_ends_with(answer, SPAN("\r\n\r\ntftp://10.13.4.121")));
}

static void check_exchange(bool reads_frames)
{
	static struct sip_door_counters counters;
	int phone = open_phone();
	struct sip_door *door;

	counters = (struct sip_door_counters){0};
	CHECK(run("ip neigh flush dev br0")); /* the server has never spoken to it */
	if (!reads_frames) {
		CHECK(network_drop(CAP_NET_RAW) && network_drop(CAP_NET_ADMIN));
	}
	door = start_door();
	REQUIRE(door);
	/* Another's MAC, although that one is claimed too: silence, and the next is served. */
	subscribe(phone, "00908fabcdef", "forged");
	subscribe(phone, "00000001", "honest");
	check_served(phone, "honest");
	/* They are published at the end of an event, a moment after its answers. */
	for (int i = 0; i < patience_ms && counters.unicast.sent < 2; i++) {
		sip_door_counters(door, &counters);
		poll(NULL, 0, 1);
	}
	CHECK_EQUAL(2, counters.unicast.sent);
	CHECK_EQUAL(reads_frames, counters.reads_frames);
	CHECK_EQUAL(reads_frames ? 2 : 0, counters.link_sources);
	CHECK_EQUAL(reads_frames ? 0 : 1, counters.neighbours.asked);
	CHECK_EQUAL(1, counters.group.joined);
	sip_door_stop(door);
	close(phone);
}

static void phone_is_served_by_its_frame(void)
{
	check_exchange(true);
}

static void phone_is_served_without_any_capability(void)
{
	int status = 1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		check_exchange(false);
		fflush(stdout);
		_exit(test_is_failed);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK_EQUAL(0, status);
}

int main(void)
{
	if (!build_network()) {
		printf("1..0 # SKIP network namespaces may not be made here\n");
		end_network(); /* as far as it came */
		return 0;
	}
	bench_open(&bench);
	bench_claim(&bench, phone_mac);
	bench_claim(&bench, (struct mac){{0x00, 0x90, 0x8f, 0xab, 0xcd, 0xef}});
	RUN(phone_is_served_by_its_frame);
	RUN(phone_is_served_without_any_capability);
	end_network();
	return test_end();
}

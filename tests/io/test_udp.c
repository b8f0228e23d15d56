/* SPDX-License-Identifier: MIT */
/* UDP over loopback: batches, addresses, errors of one destination, the group. */
#include "io/udp.h"
#include "tests/test.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

enum { kept_max = 512, patience_ms = 5000 };

static const struct address loopback = {ADDRESS_IPV4, {127, 0, 0, 1}};
static const struct address group_address = {ADDRESS_IPV4, {224, 0, 1, 75}};

/* What one socket was told. */
struct heard {
	size_t count;
	struct udp_received last;
	uint32_t numbers[kept_max]; /* the first octets of each datagram */
	size_t lengths[kept_max];
	size_t largest_batch;
	size_t errors;
	struct endpoint unreachable;
	int error;
};

static struct loop loop;
static char problem[udp_problem_size];

static void received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct heard *heard = context;

	for (size_t i = 0; i < count; i++) {
		if (heard->count < kept_max && datagrams[i].bytes.length >= sizeof(uint32_t)) {
			memcpy(&heard->numbers[heard->count], datagrams[i].bytes.data,
			       sizeof(uint32_t));
			heard->lengths[heard->count] = datagrams[i].bytes.length;
		}
		heard->count++;
		heard->last = datagrams[i];
	}
	if (count > heard->largest_batch) {
		heard->largest_batch = count;
	}
}

static void unreachable(void *context, struct endpoint to, int error)
{
	struct heard *heard = context;

	heard->errors++;
	heard->unreachable = to;
	heard->error = error;
}

static struct udp_options options_of(struct heard *heard, struct address address, uint16_t port)
{
	return (struct udp_options){.bind = {address, port},
				    .received = received,
				    .unreachable = unreachable,
				    .context = heard};
}

static struct udp *open_at(struct heard *heard, struct address address, uint16_t port)
{
	struct udp_options options = options_of(heard, address, port);
	struct udp *udp = NULL;

	if (udp_open(&udp, &loop, &options, problem) != 0) {
		printf("# %s\n", problem);
		abort();
	}
	return udp;
}

static void ring(void *context)
{
	*(bool *)context = true;
}

/* Runs the loop until `*value` is at least `wanted`; gives up when the test can only have failed.
 */
static void run_until(const size_t *value, size_t wanted)
{
	static struct loop_timer timer;
	bool is_over = false;

	REQUIRE(loop_timer_open(&timer, &loop, ring, &is_over) == 0);
	loop_timer_set(&timer, loop_now_ms(&loop) + patience_ms);
	while (*value < wanted && !is_over) {
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	loop_timer_close(&timer, NULL);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
}

static void begin(void)
{
	if (loop_open(&loop) != 0) {
		abort();
	}
}

static void batches_arrive_whole_and_in_order(void)
{
	struct heard server_heard = {0};
	struct heard client_heard = {0};
	struct udp_datagram out[200];
	uint32_t numbers[200];
	struct udp *server;
	struct udp *client;

	begin();
	server = open_at(&server_heard, loopback, 0);
	client = open_at(&client_heard, loopback, 0);
	for (uint32_t i = 0; i < 200; i++) {
		numbers[i] = i;
		out[i] = (struct udp_datagram){
			.to = udp_endpoint(server),
			.bytes = span_make((const char *)&numbers[i], sizeof(numbers[i])),
		};
	}
	udp_send(client, out, 200);
	run_until(&server_heard.count, 200);
	CHECK_EQUAL(200, server_heard.count);
	CHECK_EQUAL(udp_batch_max, server_heard.largest_batch);
	for (uint32_t i = 0; i < 200; i++) {
		CHECK_EQUAL(i, server_heard.numbers[i]);
	}
	CHECK_EQUAL(200, udp_counters(client).sent);
	CHECK_EQUAL(200, udp_counters(server).received);
	CHECK(endpoint_equal(udp_endpoint(client), server_heard.last.source));
	udp_close(server);
	udp_close(client);
	loop_close(&loop);
}

static char train_text[6000];

/* Lengths that can leave as one and lengths that cannot: each arrives as it was, in order. */
static void trains_arrive_as_the_datagrams_they_were(void)
{
	static const size_t lengths[] = {576, 576, 576, 437, 600, 437, 576, 4, 4, 5, 576};
	enum { count = sizeof(lengths) / sizeof(lengths[0]) };
	struct heard heard[2] = {{0}, {0}};
	struct heard client_heard = {0};
	struct udp_datagram out[count];
	struct udp *servers[2];
	struct udp *client;
	size_t octets = 0;

	begin();
	servers[0] = open_at(&heard[0], loopback, 0);
	servers[1] = open_at(&heard[1], loopback, 0);
	client = open_at(&client_heard, loopback, 0);
	for (size_t i = 0; i < count; i++) {
		char *bytes = train_text + octets;

		memset(bytes, (int)('a' + i), lengths[i]);
		octets += lengths[i];
		out[i] = (struct udp_datagram){.to = udp_endpoint(servers[i == 2]),
					       .from = loopback,
					       .bytes = span_make(bytes, lengths[i])};
	}
	udp_send(client, out, count);
	run_until(&heard[0].count, count - 1);
	run_until(&heard[1].count, 1);
	CHECK_EQUAL(count, udp_counters(client).sent);
	CHECK_EQUAL(count - 1, heard[0].count);
	CHECK_EQUAL(1, heard[1].count);
	for (size_t i = 0, at = 0; i < count; i++) {
		if (i != 2) {
			CHECK_EQUAL(lengths[i], heard[0].lengths[at]);
			CHECK_EQUAL(0x01010101u * (uint32_t)('a' + i), heard[0].numbers[at]);
			at++;
		}
	}
	udp_close(servers[0]);
	udp_close(servers[1]);
	udp_close(client);
	loop_close(&loop);
}

/* What the kernel refuses as one is sent each for itself: told for each, and what follows goes. */
static void refused_train_is_told_for_each_datagram(void)
{
	struct heard server_heard = {0};
	struct heard phone_heard = {0};
	struct udp_datagram out[4];
	struct udp *server;
	struct udp *phone;

	begin();
	server = open_at(&server_heard, (struct address){.family = ADDRESS_IPV4}, 0);
	phone = open_at(&phone_heard, loopback, 0);
	for (size_t i = 0; i < 4; i++) {
		out[i] = (struct udp_datagram){.to = udp_endpoint(phone),
					       .interface = i < 2 ? 0x7ffffff0 : 0,
					       .bytes = i < 2 ? SPAN("lost") : SPAN("found")};
	}
	udp_send(server, out, 4);
	CHECK_EQUAL(2, server_heard.errors);
	CHECK_EQUAL(2, udp_counters(server).send_errors);
	CHECK_EQUAL(2, udp_counters(server).sent);
	run_until(&phone_heard.count, 2);
	CHECK_EQUAL(2, phone_heard.count);
	CHECK_EQUAL(5, phone_heard.lengths[1]);
	udp_close(server);
	udp_close(phone);
	loop_close(&loop);
}

/* R-3581-5: from the address that the request came to. */
static void answers_leave_from_the_address_asked(void)
{
	struct heard server_heard = {0};
	struct heard client_heard = {0};
	struct udp *server;
	struct udp *client;
	struct udp_datagram out = {.bytes = SPAN("SUBSCRIBE")};

	begin();
	server = open_at(&server_heard, (struct address){.family = ADDRESS_IPV4}, 0);
	client = open_at(&client_heard, loopback, 0);
	out.to = (struct endpoint){address_ipv4(127, 0, 0, 2), udp_endpoint(server).port};
	udp_send(client, &out, 1);
	run_until(&server_heard.count, 1);
	REQUIRE(server_heard.count == 1);
	CHECK(endpoint_equal(out.to, server_heard.last.target));
	CHECK(address_equal(out.to.address, server_heard.last.local));
	CHECK_EQUAL(if_nametoindex("lo"), server_heard.last.interface);
	out = (struct udp_datagram){.to = server_heard.last.source,
				    .from = server_heard.last.local,
				    .interface = server_heard.last.interface,
				    .bytes = SPAN("200")};
	udp_send(server, &out, 1);
	run_until(&client_heard.count, 1);
	CHECK(endpoint_equal((struct endpoint){address_ipv4(127, 0, 0, 2),
					       udp_endpoint(server).port},
			     client_heard.last.source));
	udp_close(server);
	udp_close(client);
	loop_close(&loop);
}

/* A port on loopback that nobody listens on. */
static struct endpoint closed_port(void)
{
	struct heard heard = {0};
	struct udp *udp = open_at(&heard, loopback, 0);
	struct endpoint endpoint = udp_endpoint(udp);

	udp_close(udp);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	return endpoint;
}

/*
 * The trap: with IP_RECVERR the next call fails in place of the destination that the ICMP error is
 * about, and libuv stops watching the socket (architecture.md, libraries).
 */
static void unreachable_phone_stops_no_other(void)
{
	struct heard server_heard = {0};
	struct heard phone_heard = {0};
	struct udp *server;
	struct udp *phone;
	struct endpoint nobody;
	struct udp_datagram out[20];

	begin();
	server = open_at(&server_heard, loopback, 0);
	phone = open_at(&phone_heard, loopback, 0);
	nobody = closed_port();
	for (size_t i = 0; i < 20; i++) {
		out[i] = (struct udp_datagram){
			.to = i % 2 == 0 ? nobody : udp_endpoint(phone),
			.bytes = SPAN("NOTIFY"),
		};
	}
	for (size_t round = 1; round <= 5; round++) {
		udp_send(server, out, 20);
		run_until(&phone_heard.count, 10 * round);
		CHECK_EQUAL(10 * round, phone_heard.count);
		/* And the server's socket is still read. */
		udp_send(phone,
			 &(struct udp_datagram){.to = udp_endpoint(server), .bytes = SPAN("200")},
			 1);
		run_until(&server_heard.count, round);
		CHECK_EQUAL(round, server_heard.count);
	}
	run_until(&server_heard.errors, 50);
	CHECK_EQUAL(50, server_heard.errors);
	CHECK(endpoint_equal(nobody, server_heard.unreachable));
	CHECK_EQUAL(ECONNREFUSED, server_heard.error);
	CHECK_EQUAL(50, udp_counters(server).icmp_errors);
	CHECK_EQUAL(0, udp_counters(server).send_errors);
	CHECK_EQUAL(100, udp_counters(server).sent);
	udp_close(server);
	udp_close(phone);
	loop_close(&loop);
}

static void error_without_traffic_is_told_and_the_socket_read_on(void)
{
	struct heard server_heard = {0};
	struct heard phone_heard = {0};
	struct udp *server;
	struct udp *phone;
	struct udp_datagram out = {.bytes = SPAN("NOTIFY")};

	begin();
	server = open_at(&server_heard, loopback, 0);
	phone = open_at(&phone_heard, loopback, 0);
	for (size_t round = 1; round <= 3; round++) {
		out.to = closed_port();
		udp_send(server, &out, 1);
		run_until(&server_heard.errors, round);
		CHECK_EQUAL(round, server_heard.errors);
		out.to = udp_endpoint(server);
		udp_send(phone, &out, 1);
		run_until(&server_heard.count, round);
		CHECK_EQUAL(round, server_heard.count);
	}
	udp_close(server);
	udp_close(phone);
	loop_close(&loop);
}

static void refused_send_is_told_and_the_next_goes_out(void)
{
	struct heard server_heard = {0};
	struct heard phone_heard = {0};
	struct udp *server;
	struct udp *phone;
	struct udp_datagram out[2];

	begin();
	server = open_at(&server_heard, (struct address){.family = ADDRESS_IPV4}, 0);
	phone = open_at(&phone_heard, loopback, 0);
	/* An interface that is not there: the kernel refuses, each time. */
	out[0] = (struct udp_datagram){.to = udp_endpoint(phone),
				       .interface = 0x7ffffff0,
				       .bytes = SPAN("lost")};
	out[1] = (struct udp_datagram){.to = udp_endpoint(phone), .bytes = SPAN("found")};
	udp_send(server, out, 2);
	CHECK_EQUAL(1, server_heard.errors);
	CHECK_EQUAL(1, udp_counters(server).send_errors);
	run_until(&phone_heard.count, 1);
	CHECK_SPAN(SPAN("found"), phone_heard.last.bytes);
	udp_close(server);
	udp_close(phone);
	loop_close(&loop);
}

static void too_long_is_dropped_and_counted(void)
{
	struct heard server_heard = {0};
	struct heard client_heard = {0};
	struct udp_options options = options_of(&server_heard, loopback, 0);
	struct udp *server;
	struct udp *client;
	struct udp_datagram out = {.bytes = SPAN("123456789")};

	begin();
	options.datagram_max = 8;
	REQUIRE(udp_open(&server, &loop, &options, problem) == 0);
	client = open_at(&client_heard, loopback, 0);
	out.to = udp_endpoint(server);
	udp_send(client, &out, 1);
	out.bytes = SPAN("12345678");
	udp_send(client, &out, 1);
	run_until(&server_heard.count, 1);
	CHECK_SPAN(SPAN("12345678"), server_heard.last.bytes);
	CHECK_EQUAL(1, udp_counters(server).truncated);
	CHECK_EQUAL(1, udp_counters(server).received);
	udp_close(server);
	udp_close(client);
	loop_close(&loop);
}

/* RFC 3261 18.1.1: every size that UDP can carry is taken. */
static void largest_datagram_is_taken(void)
{
	static char bytes[65507];
	struct heard heard = {0};
	struct udp *udp;
	struct udp_datagram out = {.bytes = span_make(bytes, sizeof(bytes))};

	begin();
	udp = open_at(&heard, loopback, 0);
	out.to = udp_endpoint(udp);
	udp_send(udp, &out, 1);
	run_until(&heard.count, 1);
	CHECK_EQUAL(sizeof(bytes), heard.last.bytes.length);
	udp_close(udp);
	loop_close(&loop);
}

static void ipv6_has_addresses_too(void)
{
	struct heard heard = {0};
	struct address any = {.family = ADDRESS_IPV6};
	struct address one = {.family = ADDRESS_IPV6, .octets = {[15] = 1}};
	struct udp_options options = options_of(&heard, any, 0);
	struct udp_datagram out = {.bytes = SPAN("six"), .from = one};
	struct udp *udp;

	begin();
	if (udp_open(&udp, &loop, &options, problem) != 0) {
		test_skip("no IPv6 here");
	} else {
		out.to = (struct endpoint){one, udp_endpoint(udp).port};
		udp_send(udp, &out, 1);
		if (heard.errors > 0) {
			test_skip("no IPv6 loopback here");
		} else {
			run_until(&heard.count, 1);
			CHECK(address_equal(one, heard.last.target.address));
			CHECK(address_equal(one, heard.last.local));
			CHECK(endpoint_equal(out.to, heard.last.source));
		}
		udp_close(udp);
	}
	loop_close(&loop);
}

/* A phone's multicast on loopback: the sender's own options decide where it goes. */
static int group_sender(void)
{
	int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ip_mreqn on = {.imr_ifindex = (int)if_nametoindex("lo")};
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	if (sender < 0 || bind(sender, (struct sockaddr *)&own, sizeof(own)) != 0 ||
	    setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof(on)) != 0) {
		abort();
	}
	return sender;
}

static void send_to_group(int sender, uint16_t port)
{
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr((struct endpoint){group_address, port}, 0, &storage);

	CHECK_EQUAL(9, sendto(sender, "SUBSCRIBE", 9, 0, (struct sockaddr *)&storage, length));
}

static void group_is_heard_where_joined_and_only_there(void)
{
	struct heard unicast_heard = {0};
	struct heard group_heard = {0};
	struct udp_options options = options_of(&group_heard, group_address, 0);
	uint32_t lo = if_nametoindex("lo");
	struct udp *unicast;
	struct udp *group;
	int sender;

	begin();
	unicast = open_at(&unicast_heard, (struct address){.family = ADDRESS_IPV4}, 0);
	options.bind.port = udp_endpoint(unicast).port;
	options.is_group = true;
	options.beside = unicast;
	REQUIRE(udp_open(&group, &loop, &options, problem) == 0);
	sender = group_sender();
	send_to_group(sender, options.bind.port); /* not joined: nobody's */
	CHECK_EQUAL(0, udp_join(group, lo));
	CHECK_EQUAL(-EADDRINUSE, udp_join(group, lo));
	CHECK_EQUAL(-ENODEV, udp_join(group, 0x7ffffff0));
	send_to_group(sender, options.bind.port);
	run_until(&group_heard.count, 1);
	CHECK_EQUAL(1, group_heard.count);
	CHECK(endpoint_equal((struct endpoint){group_address, options.bind.port},
			     group_heard.last.target));
	CHECK_EQUAL(lo, group_heard.last.interface);
	CHECK(address_equal(loopback, group_heard.last.local));
	CHECK_EQUAL(0, udp_leave(group, lo));
	send_to_group(sender, options.bind.port);
	/* What is unicast and sent later comes after what would have been multicast. */
	udp_send(unicast,
		 &(struct udp_datagram){.to = {loopback, options.bind.port}, .bytes = SPAN("u")},
		 1);
	run_until(&unicast_heard.count, 1);
	CHECK_EQUAL(1, unicast_heard.count); /* and of the group's nothing */
	CHECK_EQUAL(1, group_heard.count);
	close(sender);
	udp_close(group);
	udp_close(unicast);
	loop_close(&loop);
}

static int try_bind(struct endpoint endpoint, int reuse)
{
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr(endpoint, 0, &storage);
	int error = 0;

	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	if (bind(descriptor, (struct sockaddr *)&storage, length) != 0) {
		error = errno;
	}
	close(descriptor);
	return error;
}

static void port_that_is_taken_is_named_with_the_remedy(void)
{
	struct heard heard = {0};
	struct udp_options options;
	struct udp *first;
	struct udp *second = NULL;
	char port[16];

	begin();
	first = open_at(&heard, loopback, 0);
	options = options_of(&heard, loopback, udp_endpoint(first).port);
	CHECK_EQUAL(-EADDRINUSE, udp_open(&second, &loop, &options, problem));
	CHECK(!second);
	snprintf(port, sizeof(port), "port %u ", udp_endpoint(first).port);
	CHECK(strstr(problem, port));
	CHECK(strstr(problem, "127.0.0.1"));
	CHECK(strstr(problem, "ss -nlp"));
	udp_close(first);
	options = options_of(&heard, address_ipv4(192, 0, 2, 1), 5060);
	CHECK_EQUAL(-EADDRNOTAVAIL, udp_open(&second, &loop, &options, problem));
	CHECK(strstr(problem, "192.0.2.1"));
	udp_bind_problem("UDP", (struct endpoint){loopback, 69}, EACCES, problem);
	CHECK(strstr(problem, "port 69 "));
	CHECK(strstr(problem, "CAP_NET_BIND_SERVICE"));
	loop_close(&loop);
}

static void nobody_can_share_the_unicast_port_afterwards(void)
{
	struct heard heard = {0};
	struct udp_options options;
	struct udp *unicast;
	struct udp *group;

	begin();
	unicast = open_at(&heard, (struct address){.family = ADDRESS_IPV4}, 0);
	options = options_of(&heard, group_address, udp_endpoint(unicast).port);
	options.is_group = true;
	options.beside = unicast;
	REQUIRE(udp_open(&group, &loop, &options, problem) == 0);
	CHECK_EQUAL(EADDRINUSE,
		    try_bind((struct endpoint){loopback, udp_endpoint(unicast).port}, 1));
	udp_close(group);
	udp_close(unicast);
	loop_close(&loop);
}

int main(void)
{
	RUN(batches_arrive_whole_and_in_order);
	RUN(trains_arrive_as_the_datagrams_they_were);
	RUN(refused_train_is_told_for_each_datagram);
	RUN(answers_leave_from_the_address_asked);
	RUN(unreachable_phone_stops_no_other);
	RUN(error_without_traffic_is_told_and_the_socket_read_on);
	RUN(refused_send_is_told_and_the_next_goes_out);
	RUN(too_long_is_dropped_and_counted);
	RUN(largest_datagram_is_taken);
	RUN(ipv6_has_addresses_too);
	RUN(group_is_heard_where_joined_and_only_there);
	RUN(port_that_is_taken_is_named_with_the_remedy);
	RUN(nobody_can_share_the_unicast_port_afterwards);
	return test_end();
}

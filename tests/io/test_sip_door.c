/* SPDX-License-Identifier: MIT */
/*
 * The SIP door with a signalling of our own making behind it, which does what the datagram says:
 * what is tested is the shell, not the decisions.
 */
#include "io/sip_door.h"
#include "tests/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

enum { patience_ms = 5000 };

static const struct address loopback = {ADDRESS_IPV4, {127, 0, 0, 1}};
static const struct address group_address = {ADDRESS_IPV4, {224, 0, 1, 75}};

static pthread_rwlock_t inventory_lock = PTHREAD_RWLOCK_INITIALIZER;

/* The stand-in: the door's thread alone uses it, between start and stop. */
struct signalling {
	struct signalling_options options;
	struct endpoint asker; /* of the last datagram */
	struct endpoint local;
	uint32_t interface;
	uint64_t wake_ms;
	size_t ordered; /* devices of orders that were handed on */
	struct signalling_counter seen;
	struct signalling_counter unlocked; /* calls without the inventory's lock */
};

static void check_lock(struct signalling *s)
{
	if (pthread_rwlock_trywrlock(&inventory_lock) == 0) {
		pthread_rwlock_unlock(&inventory_lock);
		s->unlocked.count++;
	}
}

int signalling_new(struct signalling **signalling, const struct signalling_options *options)
{
	struct signalling *s = calloc(1, sizeof(*s));

	if (!s) {
		return -ENOMEM;
	}
	s->options = *options;
	s->wake_ms = UINT64_MAX;
	s->seen.reason = "seen";
	s->unlocked.reason = "unlocked";
	*signalling = s;
	return 0;
}

void signalling_free(struct signalling *signalling)
{
	free(signalling);
}

static void answer(struct signalling *s, struct effects *effects, const char *text)
{
	effects_send(effects, s->local, s->asker, s->interface, span_text(text));
}

static void describe(struct signalling *s, const struct packet *packet, struct effects *effects)
{
	char text[256];
	struct writer w = writer_over(text, sizeof(text));

	endpoint_write(&w, packet->target);
	writer_text(&w, packet->is_multicast ? " multicast " : " unicast ");
	address_write(&w, packet->local);
	writer_text(&w, " on ");
	writer_put(&w, s->options.interface_name(s->options.context, packet->interface));
	writer_text(&w, packet->has_link_source ? " link" : " no-link");
	writer_terminate(&w);
	answer(s, effects, text);
}

/* "LOCAL address": where an order to it would leave from. */
static void tell_local(struct signalling *s, struct span bytes, struct effects *effects)
{
	struct address remote = {0};
	struct address local;
	uint32_t index = 77;
	char text[128];
	struct writer w = writer_over(text, sizeof(text));

	(void)address_parse(span_slice(bytes, 6, bytes.length), &remote);
	if (s->options.local_for(s->options.context, remote, SPAN("lo"), &local, &index)) {
		address_write(&w, local);
		writer_text(&w, " ");
		writer_unsigned(&w, index);
	} else {
		writer_text(&w, "none");
	}
	writer_terminate(&w);
	answer(s, effects, text);
}

/* "DEAD port": a datagram to where nobody listens, then one to the asker. */
static void send_to_dead_port(struct signalling *s, struct span bytes, struct effects *effects)
{
	struct endpoint dead = {loopback, 0};
	uint64_t port = 0;

	(void)span_to_unsigned(span_slice(bytes, 5, bytes.length), UINT16_MAX, &port);
	dead.port = (uint16_t)port;
	effects_send(effects, s->local, dead, 0, SPAN("anybody?"));
	answer(s, effects, "next");
}

int signalling_receive(struct signalling *s, const struct packet *packet, uint64_t now_ms,
		       struct effects *effects)
{
	static struct change change = {.kind = CHANGE_DEVICE_SEEN};

	check_lock(s);
	s->seen.count++;
	s->asker = packet->source;
	s->local = (struct endpoint){packet->local, s->options.port};
	s->interface = packet->interface;
	if (span_equal(packet->bytes, SPAN("ECHO"))) {
		answer(s, effects, "one");
		effects_change(effects, &change);
		effects_report(effects, (struct effect_report){.level = REPORT_INFO,
							       .reason = "echoed",
							       .text = SPAN("twice")});
		answer(s, effects, "two");
	} else if (span_equal(packet->bytes, SPAN("DESCRIBE"))) {
		describe(s, packet, effects);
	} else if (span_equal(packet->bytes, SPAN("RESOLVE"))) {
		effects_resolve(effects, packet->source.address, packet->interface);
	} else if (span_equal(packet->bytes, SPAN("ROUTED"))) {
		effects_resolve(effects, address_ipv4(192, 0, 2, 77), packet->interface);
	} else if (span_equal(packet->bytes, SPAN("TIMER"))) {
		s->wake_ms = now_ms + 20;
	} else if (span_equal(packet->bytes, SPAN("LEVEL"))) {
		answer(s, effects, log_level_name(effects->report_level_min));
	} else if (span_starts_with(packet->bytes, SPAN("LOCAL "))) {
		tell_local(s, packet->bytes, effects);
	} else if (span_starts_with(packet->bytes, SPAN("DEAD "))) {
		send_to_dead_port(s, packet->bytes, effects);
	}
	return 0;
}

void signalling_expire(struct signalling *s, uint64_t now_ms, struct effects *effects)
{
	check_lock(s);
	if (s->wake_ms <= now_ms) {
		s->wake_ms = UINT64_MAX;
		answer(s, effects, "rang");
	}
}

uint64_t signalling_next_wake(const struct signalling *s)
{
	return s->wake_ms;
}

int signalling_change(struct signalling *s, const struct notice *notice, uint64_t now_ms,
		      struct effects *effects)
{
	static const char *const names[] = {
		[NOTICE_NEIGHBOUR] = "neighbour",
		[NOTICE_NO_NEIGHBOUR] = "no neighbour",
		[NOTICE_ROUTED] = "routed",
		[NOTICE_UNREACHABLE] = "unreachable",
		[NOTICE_FETCHED] = "fetched",
		[NOTICE_WITHDRAWN] = "withdrawn",
		[NOTICE_WITHDRAWN_ALL] = "all withdrawn",
		[NOTICE_CLAIMED] = "claimed",
	};

	(void)now_ms;
	check_lock(s);
	answer(s, effects, names[notice->kind]);
	return 0;
}

/* Its timer rings at once. They stay under way for ever. */
void signalling_order(struct signalling *s, struct resync_list *list, uint64_t now_ms)
{
	s->ordered += list->count;
	s->wake_ms = now_ms;
	free(list);
}

size_t signalling_order_count(const struct signalling *s)
{
	return s->ordered;
}

const struct signalling_counter *signalling_counter(const struct signalling *s, size_t i)
{
	return i == 0 ? &s->seen : i == 1 ? &s->unlocked : NULL;
}

/* What the door told the program, on its thread. */
static atomic_int reports;
static atomic_int changes;
static atomic_int locked_calls;

static void check_unlocked(void)
{
	if (pthread_rwlock_trywrlock(&inventory_lock) != 0) {
		atomic_fetch_add(&locked_calls, 1);
	} else {
		pthread_rwlock_unlock(&inventory_lock);
	}
}

static void report(void *context, const struct effect_report *report)
{
	(void)context;
	check_unlocked();
	atomic_fetch_add(&reports, strcmp(report->reason, "echoed") == 0);
}

static int change(void *context, const struct change *change)
{
	(void)context;
	check_unlocked();
	atomic_fetch_add(&changes, change->kind == CHANGE_DEVICE_SEEN);
	return 0;
}

static char problem[sip_door_problem_size];

static struct sip_door_options plain_options(void)
{
	return (struct sip_door_options){
		.listen = {{{.family = ADDRESS_IPV4}, 0}},
		.listen_count = 1,
		.inventory_lock = &inventory_lock,
		.report = report,
		.change = change,
	};
}

static struct sip_door *start(const struct sip_door_options *options)
{
	struct sip_door *door = NULL;

	if (sip_door_start(&door, options, problem) != 0) {
		printf("# %s\n", problem);
		abort();
	}
	return door;
}

/* A port that nobody has, for doors that must agree on one beforehand. */
static uint16_t free_port(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *door = start(&options);
	uint16_t port = sip_door_endpoint(door, 0).port;

	sip_door_stop(door);
	return port;
}

/* A phone's socket on loopback, whose multicast leaves there too. */
static int open_phone(void)
{
	int phone = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct ip_mreqn on = {.imr_ifindex = (int)if_nametoindex("lo")};

	if (phone < 0 || bind(phone, (struct sockaddr *)&own, sizeof(own)) != 0 ||
	    setsockopt(phone, IPPROTO_IP, IP_MULTICAST_IF, &on, sizeof(on)) != 0) {
		abort();
	}
	return phone;
}

static void say(int phone, struct address address, uint16_t port, const char *text)
{
	struct sockaddr_storage to;
	socklen_t length = udp_sockaddr((struct endpoint){address, port}, 0, &to);

	CHECK_EQUAL(strlen(text),
		    sendto(phone, text, strlen(text), 0, (struct sockaddr *)&to, length));
}

/* The next answer, and who gave it. */
static struct span hear(int phone, struct endpoint *from)
{
	static char bytes[512];
	struct pollfd wait = {.fd = phone, .events = POLLIN};
	struct sockaddr_storage storage = {0};
	socklen_t size = sizeof(storage);
	ssize_t length = -1;

	if (poll(&wait, 1, patience_ms) == 1) {
		length = recvfrom(phone, bytes, sizeof(bytes), 0, (struct sockaddr *)&storage,
				  &size);
	}
	if (from) {
		*from = udp_from_sockaddr(&storage);
	}
	return length < 0 ? SPAN("(silence)") : span_make(bytes, (size_t)length);
}

/* Counters are published at the end of an event, a moment after its answers. */
static void wait_for_seen(struct sip_door *door, uint64_t seen, struct sip_door_counters *counters)
{
	for (int i = 0; i < patience_ms; i++) {
		sip_door_counters(door, counters);
		if (counters->reason_count > 0 && counters->reasons[0].count >= seen) {
			return;
		}
		poll(NULL, 0, 1);
	}
}

static void check_counters(struct sip_door *door, uint64_t seen)
{
	static struct sip_door_counters counters;

	wait_for_seen(door, seen, &counters);
	REQUIRE(counters.reason_count == 2);
	CHECK_EQUAL(seen, counters.reasons[0].count);
	CHECK_EQUAL(0, counters.reasons[1].count); /* never called without the lock */
	CHECK_EQUAL(0, counters.effects_lost);
	CHECK_EQUAL(0, counters.notices_lost);
	CHECK_EQUAL(0, atomic_load(&locked_calls)); /* and the program never with it */
}

static void effects_are_carried_out_in_order(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *door = start(&options);
	uint16_t port = sip_door_endpoint(door, 0).port;
	int phone = open_phone();
	struct endpoint from;

	for (int i = 1; i <= 3; i++) {
		say(phone, address_ipv4(127, 0, 0, 5), port, "ECHO");
		CHECK_SPAN(SPAN("one"), hear(phone, &from));
		CHECK(endpoint_equal((struct endpoint){address_ipv4(127, 0, 0, 5), port}, from));
		CHECK_SPAN(SPAN("two"), hear(phone, NULL));
	}
	say(phone, loopback, port, "DESCRIBE"); /* comes after all of the above */
	hear(phone, NULL);
	CHECK_EQUAL(3, atomic_load(&reports));
	CHECK_EQUAL(3, atomic_load(&changes));
	say(phone, loopback, port, "ECHO");
	hear(phone, NULL);
	sip_door_stop(door);
	close(phone);
}

static struct resync_list *list_of(size_t count)
{
	struct resync_list *list = resync_list_new(RESYNC_ORDER_FETCH, count);

	if (!list) {
		abort();
	}
	list->count = count;
	memset(list->macs, 0, count * sizeof(list->macs[0]));
	return list;
}

static void orders_reach_signalling_up_to_their_limit(void)
{
	struct sip_door_options options = plain_options();
	struct resync_list *refused = list_of(4);
	struct sip_door *door;
	int phone = open_phone();

	options.signalling.resync.targets_max = 10;
	door = start(&options);
	say(phone, loopback, sip_door_endpoint(door, 0).port, "DESCRIBE"); /* now it is known */
	hear(phone, NULL);
	CHECK_EQUAL(0, sip_door_order(door, list_of(3)));
	CHECK_SPAN(SPAN("rang"), hear(phone, NULL));
	CHECK_EQUAL(0, sip_door_order(door, list_of(4)));
	/* Whether those are taken in yet or not: with four more there would be too many. */
	CHECK_EQUAL(-ENOSPC, sip_door_order(door, refused));
	CHECK_SPAN(SPAN("rang"), hear(phone, NULL));
	CHECK_EQUAL(-ENOSPC, sip_door_order(door, refused));
	CHECK_EQUAL(0, sip_door_order(door, list_of(3)));
	free(refused);
	sip_door_stop(door); /* perhaps with one that was not taken in: it is freed */
	close(phone);
}

static void orders_leave_from_an_address_on_the_road(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *door = start(&options);
	uint16_t port = sip_door_endpoint(door, 0).port;
	int phone = open_phone();

	say(phone, loopback, port, "LOCAL 127.0.0.9");
	CHECK_SPAN(SPAN("127.0.0.1 0"), hear(phone, NULL));
	say(phone, loopback, port, "LOCAL ::1"); /* no socket of that family */
	CHECK_SPAN(SPAN("none"), hear(phone, NULL));
	sip_door_stop(door);
	/* Bound to one address: from there, whatever the route says. */
	options.listen[0].address = address_ipv4(127, 0, 0, 5);
	door = start(&options);
	say(phone, address_ipv4(127, 0, 0, 5), sip_door_endpoint(door, 0).port, "LOCAL 127.0.0.9");
	CHECK_SPAN(SPAN("127.0.0.5 0"), hear(phone, NULL));
	sip_door_stop(door);
	close(phone);
}

/* Sentences are made for who reads them: the log by its level, the events from info up. */
static void only_reports_that_somebody_reads_are_wanted(void)
{
	static const struct {
		bool is_told;
		enum report_level log_level;
		const char *wanted;
	} rows[] = {
		{true, REPORT_ERROR, "info"},	    {true, REPORT_DEBUG, "debug"},
		{false, REPORT_WARNING, "warning"}, {false, REPORT_ERROR, "error"},
		{false, REPORT_DEBUG, "debug"},
	};
	struct log log;
	int phone = open_phone();

	log_init(&log, STDERR_FILENO, LOG_TEXT, REPORT_ERROR);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_door_options options = plain_options();
		struct sip_door *door;

		options.log = &log;
		options.report = rows[i].is_told ? report : NULL;
		log_set_level(&log, rows[i].log_level);
		door = start(&options);
		say(phone, loopback, sip_door_endpoint(door, 0).port, "LEVEL");
		CHECK_SPAN(span_text(rows[i].wanted), hear(phone, NULL));
		/* Once it is set anew it holds from the next event but one. */
		log_set_level(&log, REPORT_DEBUG);
		say(phone, loopback, sip_door_endpoint(door, 0).port, "LEVEL");
		(void)hear(phone, NULL);
		say(phone, loopback, sip_door_endpoint(door, 0).port, "LEVEL");
		CHECK_SPAN(SPAN("debug"), hear(phone, NULL));
		sip_door_stop(door);
	}
	close(phone);
}

static void packet_says_where_it_came_in(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *door;
	uint16_t port;
	int phone = open_phone();
	char expected[128];

	options.group = (struct endpoint){group_address, 0};
	options.listen[0].port = free_port();
	options.group.port = options.listen[0].port;
	snprintf(options.interfaces[0], IF_NAMESIZE, "lo");
	snprintf(options.interfaces[1], IF_NAMESIZE, "nosuch0");
	options.interface_count = 2;
	door = start(&options);
	port = sip_door_endpoint(door, 0).port;
	say(phone, address_ipv4(127, 0, 0, 9), port, "DESCRIBE");
	snprintf(expected, sizeof(expected), "127.0.0.9:%u unicast 127.0.0.9 on lo no-link", port);
	CHECK_TEXT(expected, hear(phone, NULL));
	say(phone, group_address, port, "DESCRIBE");
	snprintf(expected, sizeof(expected), "224.0.1.75:%u multicast 127.0.0.1 on lo no-link",
		 port);
	CHECK_TEXT(expected, hear(phone, NULL));
	say(phone, loopback, port, "DESCRIBE");
	hear(phone, NULL);
	check_counters(door, 3);
	sip_door_stop(door);
	close(phone);
}

static void notices_come_back(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *door = start(&options);
	uint16_t port = sip_door_endpoint(door, 0).port;
	int phone = open_phone();

	say(phone, loopback, port, "RESOLVE"); /* loopback has no hardware addresses */
	CHECK_SPAN(SPAN("no neighbour"), hear(phone, NULL));
	say(phone, loopback, port, "ROUTED");
	CHECK_SPAN(SPAN("routed"), hear(phone, NULL));
	say(phone, loopback, port, "TIMER");
	CHECK_SPAN(SPAN("rang"), hear(phone, NULL));
	CHECK_EQUAL(0, sip_door_notice(door, &(struct notice){.kind = NOTICE_FETCHED}));
	CHECK_SPAN(SPAN("fetched"), hear(phone, NULL));
	sip_door_stop(door);
	close(phone);
}

/* The issue: an ICMP unreachable to one phone's NOTIFY does not stop the next from being served. */
static void unreachable_phone_stops_no_other(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *door = start(&options);
	uint16_t port = sip_door_endpoint(door, 0).port;
	int phone = open_phone();
	int gone = open_phone();
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	char text[32];

	REQUIRE(getsockname(gone, (struct sockaddr *)&own, &size) == 0);
	close(gone);
	snprintf(text, sizeof(text), "DEAD %u", ntohs(own.sin_port));
	for (int i = 0; i < 5; i++) {
		say(phone, loopback, port, text);
		CHECK_SPAN(SPAN("next"), hear(phone, NULL));
		CHECK_SPAN(SPAN("unreachable"), hear(phone, NULL));
		say(phone, loopback, port, "ECHO");
		CHECK_SPAN(SPAN("one"), hear(phone, NULL));
		CHECK_SPAN(SPAN("two"), hear(phone, NULL));
	}
	sip_door_stop(door);
	close(phone);
}

/* R-MCAST-14: nothing that comes from our own address and port is looked at. */
static void own_datagrams_are_dropped(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *first;
	struct sip_door *second;
	static struct sip_door_counters counters;
	int phone = open_phone();
	uint16_t port;
	char text[32];

	options.listen[0].address = address_ipv4(127, 0, 0, 11);
	options.listen[0].port = free_port();
	first = start(&options);
	/* Another's door on the same port and another address is another. */
	options.listen[0].address = address_ipv4(127, 0, 0, 12);
	second = start(&options);
	port = options.listen[0].port;
	say(phone, address_ipv4(127, 0, 0, 11), port, "ECHO");
	CHECK_SPAN(SPAN("one"), hear(phone, NULL));
	CHECK_SPAN(SPAN("two"), hear(phone, NULL));
	snprintf(text, sizeof(text), "DEAD %u", port);
	say(phone, address_ipv4(127, 0, 0, 12), port, text); /* to 127.0.0.1: nobody */
	CHECK_SPAN(SPAN("next"), hear(phone, NULL));
	CHECK_SPAN(SPAN("unreachable"), hear(phone, NULL));
	sip_door_stop(second);
	sip_door_stop(first);
	options.listen[0].address = (struct address){.family = ADDRESS_IPV4};
	first = start(&options);
	/* Now 127.0.0.1 on that port is ourselves: "anybody?" comes back in, and is dropped. */
	say(phone, loopback, port, text);
	CHECK_SPAN(SPAN("next"), hear(phone, NULL));
	say(phone, loopback, port, "ECHO");
	CHECK_SPAN(SPAN("one"), hear(phone, NULL));
	CHECK_SPAN(SPAN("two"), hear(phone, NULL));
	wait_for_seen(first, 2, &counters);
	CHECK_EQUAL(1, counters.own_source);
	sip_door_stop(first);
	close(phone);
}

static void start_that_fails_says_why_and_leaves_nothing(void)
{
	struct sip_door_options options = plain_options();
	struct sip_door *first = start(&options);
	struct sip_door *second = NULL;

	options.listen[0].port = sip_door_endpoint(first, 0).port;
	CHECK_EQUAL(-EADDRINUSE, sip_door_start(&second, &options, problem));
	CHECK(strstr(problem, "is taken"));
	options = plain_options();
	options.listen_count = 0;
	CHECK_EQUAL(-EINVAL, sip_door_start(&second, &options, problem));
	CHECK(strstr(problem, "listen"));
	options = plain_options();
	options.listen[0].address = (struct address){.family = ADDRESS_IPV6};
	options.group = (struct endpoint){group_address, 5060};
	CHECK(sip_door_start(&second, &options, problem) < 0);
	CHECK(!second);
	sip_door_stop(first);
	sip_door_stop(NULL);
}

int main(void)
{
	RUN(effects_are_carried_out_in_order);
	RUN(orders_reach_signalling_up_to_their_limit);
	RUN(orders_leave_from_an_address_on_the_road);
	RUN(only_reports_that_somebody_reads_are_wanted);
	RUN(packet_says_where_it_came_in);
	RUN(notices_come_back);
	RUN(unreachable_phone_stops_no_other);
	RUN(own_datagrams_are_dropped);
	RUN(start_that_fails_says_why_and_leaves_nothing);
	return test_end();
}

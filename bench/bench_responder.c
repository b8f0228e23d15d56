/* SPDX-License-Identifier: MIT */
/*
 * Phones answered per second: our SIP door beside a bare recvmmsg/sendmmsg loop that sends two
 * datagrams of the same sizes without looking at anything. A phone counts when its 200 and its
 * NOTIFY have both arrived; it answers the NOTIFY, as phones do.
 *
 * The responder has core 0, the phones core 1, both on loopback; runs are interleaved, and what is
 * shown is the median of each and their ratio. Every phone is a claimed device with an address of
 * its own (127.16.0.0/12), bound by the operator, which is the only identity that loopback has.
 * With "unpadded" the 200 is left shorter than the NOTIFY, and each takes its own send.
 */
#include "core/provision/signalling.h"
#include "io/loop.h"
#include "io/sip_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	phone_count = 20000,
	batch = 64,
	window = 256, /* phones that wait for their answers at once */
	run_count = 5,
	run_ms = 2000,
	responder_port = 5070,
	phone_port = 5071,
	datagram_max = 2048,
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of the responder: all that this process used but its main thread, which is the phones. */
static uint64_t responder_cpu_ns(void)
{
	struct timespec all;
	struct timespec phones;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &phones);
	return (uint64_t)(all.tv_sec - phones.tv_sec) * 1000000000 +
	       (uint64_t)(all.tv_nsec - phones.tv_nsec);
}

static void run_on_core(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void die(const char *what)
{
	fprintf(stderr, "bench_responder: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One socket with room for a batch in each direction, as recvmmsg and sendmmsg want it. */
struct mailbox {
	int descriptor;
	struct mmsghdr messages[batch];
	struct iovec pieces[batch];
	struct sockaddr_in peers[batch];
	char controls[batch][CMSG_SPACE(sizeof(struct in_pktinfo))];
	char bytes[batch][datagram_max];
	size_t count;
};

static struct mailbox *mailbox_new(int descriptor)
{
	struct mailbox *m = calloc(1, sizeof(*m));

	if (!m) {
		die("memory");
	}
	m->descriptor = descriptor;
	return m;
}

static void mailbox_prepare(struct mailbox *m, size_t i, size_t length)
{
	m->pieces[i] = (struct iovec){m->bytes[i], length};
	m->messages[i].msg_hdr = (struct msghdr){.msg_name = &m->peers[i],
						 .msg_namelen = sizeof(m->peers[i]),
						 .msg_iov = &m->pieces[i],
						 .msg_iovlen = 1,
						 .msg_control = m->controls[i],
						 .msg_controllen = sizeof(m->controls[i])};
}

static size_t mailbox_receive(struct mailbox *m, int flags)
{
	int count;

	for (size_t i = 0; i < batch; i++) {
		mailbox_prepare(m, i, datagram_max);
	}
	count = recvmmsg(m->descriptor, m->messages, batch, flags, NULL);
	return count < 0 ? 0 : (size_t)count;
}

static struct in_addr local_of(struct mailbox *m, size_t i)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(&m->messages[i].msg_hdr);

	return c ? ((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr : (struct in_addr){0};
}

static void mailbox_flush(struct mailbox *m)
{
	size_t done = 0;

	while (done < m->count) {
		int sent =
			sendmmsg(m->descriptor, m->messages + done, (unsigned)(m->count - done), 0);

		if (sent > 0) {
			done += (size_t)sent;
		} else if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
			done++;
		}
	}
	m->count = 0;
}

/* Adds one datagram from `from` to `to`; the bytes are in m->bytes[m->count] already. */
static void mailbox_add(struct mailbox *m, struct in_addr from, struct sockaddr_in to,
			size_t length)
{
	size_t i = m->count++;
	struct cmsghdr *c;

	mailbox_prepare(m, i, length);
	m->peers[i] = to;
	c = CMSG_FIRSTHDR(&m->messages[i].msg_hdr);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
	*(struct in_pktinfo *)CMSG_DATA(c) = (struct in_pktinfo){.ipi_spec_dst = from};
	if (m->count == batch) {
		mailbox_flush(m);
	}
}

static int open_socket(const char *address, uint16_t port)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;
	int room = 8 << 20;

	inet_pton(AF_INET, address, &here.sin_addr);
	if (descriptor < 0 ||
	    setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
	    bind(descriptor, (struct sockaddr *)&here, sizeof(here)) != 0) {
		die("socket");
	}
	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return descriptor;
}

/* The bare responder. */

struct bare {
	pthread_t thread;
	int descriptor;
	atomic_bool is_over;
	size_t ok_length;
	size_t notify_length;
};

static void *bare_run(void *context)
{
	struct bare *bare = context;
	struct mailbox *in = mailbox_new(bare->descriptor);
	struct mailbox *out = mailbox_new(bare->descriptor);

	for (size_t i = 0; i < batch; i += 2) {
		memcpy(out->bytes[i], "SIP/2.0 200 OK", 14);
		memcpy(out->bytes[i + 1], "NOTIFY sip:", 11);
	}
	while (!atomic_load(&bare->is_over)) {
		size_t count = mailbox_receive(in, MSG_WAITFORONE);

		for (size_t i = 0; i < count; i++) {
			if (in->bytes[i][0] == 'S' && in->bytes[i][1] == 'U') {
				struct in_addr local = local_of(in, i);

				mailbox_add(out, local, in->peers[i], bare->ok_length);
				mailbox_add(out, local, in->peers[i], bare->notify_length);
			}
		}
		mailbox_flush(out);
	}
	free(in);
	free(out);
	return NULL;
}

/* The phones. */

struct phones {
	struct mailbox *in;
	struct mailbox *out;
	uint32_t next;	  /* phone that subscribes next */
	uint32_t round;	  /* makes each call another one */
	uint8_t *arrived; /* bits: 1 the 200, 2 the NOTIFY */
	uint64_t answered;
	size_t ok_length;
	size_t notify_length;
};

static struct in_addr phone_address(uint32_t i)
{
	return (struct in_addr){htonl(0x7f100000u + i)};
}

static void subscribe(struct phones *p)
{
	uint32_t i = p->next;
	struct in_addr address = phone_address(i);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(responder_port)};
	char text[INET_ADDRSTRLEN];
	int length;

	inet_ntop(AF_INET, &address, text, sizeof(text));
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	length = snprintf(
		p->out->bytes[p->out->count], datagram_max,
		"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
		"From: <sip:00000001@%s:%d>;tag=87a5a8-25020d0a-13c4-50029-386d4398-%08x\r\n"
		"To: <sip:224.0.1.75:5060>\r\n"
		"Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-%08x-%08x\r\n"
		"CSeq: 1 SUBSCRIBE\r\n"
		"Via: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK-386d4398-%08x-%08x\r\n"
		"Expires: 0\r\n"
		"Event: "
		"ua-profile;profile-type=\"application\";model=\"440HD\";version=\"2.2.2\"\r\n"
		"Max-Forwards: 70\r\nSupported: replaces,100rel\r\nAccept: application/url\r\n"
		"Contact: <sip:00000001@%s:%d>\r\nUser-Agent: AUDC-IPPhone/2.2.2\r\n"
		"Content-Length: 0\r\n\r\n",
		text, phone_port, p->round, i, p->round, text, phone_port, i, p->round, text,
		phone_port);
	p->arrived[i] = 0;
	mailbox_add(p->out, address, to, (size_t)length);
	p->next = (i + 1) % phone_count;
	p->round += p->next == 0;
}

/* The phone's 200: the lines of the NOTIFY that a response copies (RFC 3261 8.2.6.2). */
static void answer_notify(struct phones *p, struct in_addr address, struct sockaddr_in to,
			  struct span notify)
{
	struct writer w = writer_over(p->out->bytes[p->out->count], datagram_max);
	struct span rest = notify;

	writer_text(&w, "SIP/2.0 200 OK\r\n");
	(void)span_cut(&rest, '\n');
	while (rest.data) {
		struct span line = span_cut(&rest, '\n');

		if (line.length <= 1) {
			break;
		}
		if (span_starts_with(line, SPAN("Via")) || span_starts_with(line, SPAN("From")) ||
		    span_starts_with(line, SPAN("To")) || span_starts_with(line, SPAN("Call")) ||
		    span_starts_with(line, SPAN("CSeq"))) {
			writer_put(&w, line);
			writer_char(&w, '\n');
		}
	}
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	mailbox_add(p->out, address, to, w.length);
}

static void take_in(struct phones *p, size_t count)
{
	for (size_t m = 0; m < count; m++) {
		struct in_addr address = local_of(p->in, m);
		uint32_t i = ntohl(address.s_addr) - 0x7f100000u;
		struct span bytes = span_make(p->in->bytes[m], p->in->messages[m].msg_len);
		uint8_t bit = bytes.data[0] == 'N' ? 2 : 1;

		if (i >= phone_count) {
			continue;
		}
		if (bit == 2) {
			p->notify_length = bytes.length;
			answer_notify(p, address, p->in->peers[m], bytes);
		} else {
			p->ok_length = bytes.length;
		}
		if ((p->arrived[i] | bit) == 3 && p->arrived[i] != 3) {
			p->answered++;
			subscribe(p);
		}
		p->arrived[i] |= bit;
	}
}

struct result {
	double rate;   /* phones a second */
	double cpu_ns; /* of the responder for each */
};

/* Keeps `window` phones waiting for run_ms; answered phones per second. A lost datagram costs its
 * place in the window, which is filled again when nothing has come for 20 ms. */
static struct result measure(struct phones *p)
{
	uint64_t start = now_ns();
	uint64_t end = start + (uint64_t)run_ms * 1000000;
	uint64_t heard = start;
	uint64_t cpu_ns = responder_cpu_ns();
	struct result result;

	p->answered = 0;
	for (size_t i = 0; i < window; i++) {
		subscribe(p);
	}
	mailbox_flush(p->out);
	for (uint64_t now = start; now < end; now = now_ns()) {
		size_t count = mailbox_receive(p->in, MSG_DONTWAIT);

		if (count > 0) {
			take_in(p, count);
			mailbox_flush(p->out);
			heard = now;
		} else if (now - heard > 20000000) {
			for (size_t i = 0; i < window; i++) {
				subscribe(p);
			}
			mailbox_flush(p->out);
			heard = now;
		}
	}
	result.rate = (double)p->answered * 1e9 / (double)(now_ns() - start);
	result.cpu_ns = (double)(responder_cpu_ns() - cpu_ns) / (double)(p->answered + 1);
	return result;
}

/* What came late belongs to nobody. */
static void drain(struct phones *p)
{
	usleep(100000);
	while (mailbox_receive(p->in, MSG_DONTWAIT) > 0) {
	}
}

/* Our side. */

static struct inventory inventory;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct log silent_log;
static bool pads_answers = true;

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	*server = (struct config_server){.address = local,
					 .url = SPAN("http://%{address}:8080/p/%{key}/")};
}

static int drop_change(void *context, const struct change *change)
{
	(void)context;
	(void)change;
	return 0;
}

static void fill_inventory(void)
{
	struct inventory_limits limits = {phone_count, 10, 10, 10};
	uint8_t seed[random_seed_size] = {1};

	if (inventory_init(&inventory, &limits, seed) != 0) {
		die("inventory");
	}
	for (uint32_t i = 0; i < phone_count; i++) {
		struct address address =
			address_ipv4(127, (uint8_t)(16 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i);
		struct change change = {
			.kind = CHANGE_DEVICE_CLAIM,
			.fields = FIELD_MODEL | FIELD_BOUND_ADDRESS,
			.model = SPAN("440HD"),
			.bound_address = address,
			.mac = {{0, 0x90, 0x8f, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
		};
		struct prepared prepared;
		char problem[256] = "";

		if (inventory_prepare(&inventory, &change, &prepared, problem, sizeof(problem)) !=
		    0) {
			fprintf(stderr, "bench_responder: %s\n", problem);
			exit(1);
		}
		inventory_commit(&inventory, &prepared);
	}
}

static struct sip_door *start_door(void)
{
	static struct policy policy = {.access_by_key = true, .access_by_neighbour = true};
	struct sip_door_options options = {
		.listen = {{address_ipv4(0, 0, 0, 0), responder_port}},
		.listen_count = 1,
		.signalling = {.inventory = &inventory,
			       .policy = &policy,
			       .server_for = server_for,
			       .server_transactions_max = 1 << 22,
			       .client_transactions_max = 1 << 22,
			       .waiting_max = 16,
			       .server_header = SPAN("Bellhop/" BELLHOP_VERSION),
			       .pads_answers = pads_answers},
		.inventory_lock = &lock,
		.change = drop_change,
		.log = &silent_log,
	};
	char problem[sip_door_problem_size];
	struct sip_door *door;

	if (sip_door_start(&door, &options, problem) != 0) {
		fprintf(stderr, "bench_responder: %s\n", problem);
		exit(1);
	}
	return door;
}

static struct result run_ours(struct phones *phones)
{
	struct sip_door *door;
	struct result result;

	run_on_core(0);
	door = start_door();
	run_on_core(1);
	result = measure(phones);
	sip_door_stop(door);
	drain(phones);
	return result;
}

static struct result run_bare(struct phones *phones)
{
	struct bare bare = {.descriptor = open_socket("0.0.0.0", responder_port),
			    .ok_length = phones->ok_length,
			    .notify_length = phones->notify_length};
	struct timeval wake = {.tv_usec = 50000};
	struct result result;

	(void)setsockopt(bare.descriptor, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake));
	run_on_core(0);
	if (pthread_create(&bare.thread, NULL, bare_run, &bare) != 0) {
		die("thread");
	}
	run_on_core(1);
	result = measure(phones);
	atomic_store(&bare.is_over, true);
	pthread_join(bare.thread, NULL);
	close(bare.descriptor);
	drain(phones);
	return result;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[static run_count])
{
	qsort(values, run_count, sizeof(*values), by_value);
	return values[run_count / 2];
}

/* The medians of all runs of one responder. */
struct runs {
	double rates[run_count];
	double cpu_ns[run_count];
};

static struct result runs_median(struct runs *runs)
{
	return (struct result){median(runs->rates), median(runs->cpu_ns)};
}

static void runs_note(struct runs *runs, int i, struct result result)
{
	runs->rates[i] = result.rate;
	runs->cpu_ns[i] = result.cpu_ns;
}

int main(int argc, char **argv)
{
	int descriptor = open_socket("0.0.0.0", phone_port);
	struct phones phones = {.in = mailbox_new(descriptor),
				.out = mailbox_new(descriptor),
				.arrived = calloc(phone_count, 1)};
	struct runs our_runs;
	struct runs bare_runs;
	struct result ours;
	struct result bare;

	pads_answers = argc < 2 || strcmp(argv[1], "unpadded") != 0;
	log_init(&silent_log, STDERR_FILENO, LOG_TEXT, REPORT_ERROR);
	fill_inventory();
	for (int i = 0; i < run_count; i++) {
		runs_note(&our_runs, i, run_ours(&phones));
		runs_note(&bare_runs, i, run_bare(&phones));
		fprintf(stderr, "run %d: bellhop %.0f, bare %.0f phones/s\n", i + 1,
			our_runs.rates[i], bare_runs.rates[i]);
	}
	ours = runs_median(&our_runs);
	bare = runs_median(&bare_runs);
	printf("200 of %zu bytes, NOTIFY of %zu bytes, %d phones, %d waiting at once, median of %d "
	       "runs of %d ms\n",
	       phones.ok_length, phones.notify_length, phone_count, window, run_count, run_ms);
	printf("bellhop signalling   %8.0f phones/s, %6.0f ns of processor each\n", ours.rate,
	       ours.cpu_ns);
	printf("bare recvmmsg loop   %8.0f phones/s, %6.0f ns of processor each\n", bare.rate,
	       bare.cpu_ns);
	printf("ratio                %8.2f, by processor %.2f\n", ours.rate / bare.rate,
	       bare.cpu_ns / ours.cpu_ns);
	inventory_free(&inventory);
	return 0;
}

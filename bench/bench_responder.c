/* SPDX-License-Identifier: MIT */
/*
 * Phones answered per second: our SIP door beside a bare recvmmsg/sendmmsg loop that looks at
 * nothing. A phone counts when its 200 and its NOTIFY have both arrived; it answers the NOTIFY, as
 * phones do.
 *
 * Like is compared with like: both responders get the same two datagrams of a phone (the SUBSCRIBE,
 * and the 200 to the NOTIFY) and send the same two, because the bare one repeats octets that ours
 * sent. Where ours leaves both in one send (UDP_SEGMENT, io/udp.h), there is a second bare loop
 * that does so too. Doors and sockets are opened anew for each run, so ours begins with empty
 * tables.
 *
 * The responder has core 0, the phones core 1, both on loopback. Machines are noisy: a round is one
 * short run of each, and what counts is the median of the rounds' ratios. Where the phones are the
 * slower side the ratio by processor says more than the one by phones.
 *
 * Every phone is a claimed device with an address of its own (127.16.0.0/12), bound by the
 * operator, which is the only identity that loopback has. With "unpadded" the 200 is left shorter
 * than the NOTIFY, and each takes its own send. Nobody reads reports: none is written.
 */
#include "core/provision/signalling.h"
#include "io/loop.h"
#include "io/sip_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
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
	round_count = 15,
	run_ms = 500,
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
	char controls[batch][CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))]
		__attribute__((aligned(8)));
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
	m->messages[i].msg_hdr =
		(struct msghdr){.msg_name = &m->peers[i],
				.msg_namelen = sizeof(m->peers[i]),
				.msg_iov = &m->pieces[i],
				.msg_iovlen = 1,
				.msg_control = m->controls[i],
				.msg_controllen = CMSG_SPACE(sizeof(struct in_pktinfo))};
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

/* Has the kernel cut message `i` into datagrams of this length (udp(7), UDP_SEGMENT). */
static void mailbox_cut(struct mailbox *m, size_t i, size_t length)
{
	struct msghdr *header = &m->messages[i].msg_hdr;
	struct cmsghdr *c = (struct cmsghdr *)(m->controls[i] + header->msg_controllen);

	*c = (struct cmsghdr){CMSG_LEN(sizeof(uint16_t)), IPPROTO_UDP, UDP_SEGMENT};
	*(uint16_t *)CMSG_DATA(c) = (uint16_t)length;
	header->msg_controllen += CMSG_SPACE(sizeof(uint16_t));
}

/*
 * Adds one message from `from` to `to`, in datagrams of `cut` octets unless that is 0; the bytes
 * are in m->bytes[m->count] already.
 */
static void mailbox_add(struct mailbox *m, struct in_addr from, struct sockaddr_in to,
			size_t length, size_t cut)
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
	if (cut > 0) {
		mailbox_cut(m, i, cut);
	}
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

/* What a responder sends to a phone, as ours sent it last. */
struct sample {
	char ok[datagram_max];
	char notify[datagram_max];
	size_t ok_length;
	size_t notify_length;
};

/* The bare responder. */

struct bare {
	pthread_t thread;
	int descriptor;
	atomic_bool is_over;
	bool cuts; /* both datagrams in one send */
	const struct sample *sample;
};

/* It looks at nothing and copies nothing: what it sends stands there from the start, in pairs. */
static void bare_prepare(const struct sample *sample, bool cuts, struct mailbox *out)
{
	for (size_t i = 0; i < batch; i++) {
		if (cuts) {
			memcpy(out->bytes[i], sample->ok, sample->ok_length);
			memcpy(out->bytes[i] + sample->ok_length, sample->notify,
			       sample->notify_length);
		} else if (i % 2 == 0) {
			memcpy(out->bytes[i], sample->ok, sample->ok_length);
		} else {
			memcpy(out->bytes[i], sample->notify, sample->notify_length);
		}
	}
}

static void bare_answer(const struct bare *bare, struct mailbox *out, struct in_addr local,
			struct sockaddr_in to)
{
	const struct sample *sample = bare->sample;

	if (bare->cuts) {
		mailbox_add(out, local, to, sample->ok_length + sample->notify_length,
			    sample->ok_length);
	} else {
		mailbox_add(out, local, to, sample->ok_length, 0);
		mailbox_add(out, local, to, sample->notify_length, 0);
	}
}

static void *bare_run(void *context)
{
	struct bare *bare = context;
	struct mailbox *in = mailbox_new(bare->descriptor);
	struct mailbox *out = mailbox_new(bare->descriptor);

	bare_prepare(bare->sample, bare->cuts, out);
	while (!atomic_load(&bare->is_over)) {
		size_t count = mailbox_receive(in, MSG_WAITFORONE);

		for (size_t i = 0; i < count; i++) {
			if (in->bytes[i][0] == 'S' && in->bytes[i][1] == 'U') {
				bare_answer(bare, out, local_of(in, i), in->peers[i]);
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
	bool is_sampling;
	struct sample sample; /* the last that came while it was */
	size_t subscribe_length;
	size_t answer_length;
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
	mailbox_add(p->out, address, to, (size_t)length, 0);
	p->subscribe_length = (size_t)length;
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
	p->answer_length = w.length;
	mailbox_add(p->out, address, to, w.length, 0);
}

/* What the bare responder is to repeat. */
static void keep_sample(struct sample *sample, struct span bytes)
{
	bool is_notify = bytes.data[0] == 'N';

	memcpy(is_notify ? sample->notify : sample->ok, bytes.data, bytes.length);
	*(is_notify ? &sample->notify_length : &sample->ok_length) = bytes.length;
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
		if (p->is_sampling) {
			keep_sample(&p->sample, bytes);
		}
		if (bit == 2) {
			answer_notify(p, address, p->in->peers[m], bytes);
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

static void change_inventory(const struct change *change)
{
	struct prepared prepared;
	char problem[256] = "";

	if (inventory_prepare(&inventory, change, &prepared, problem, sizeof(problem)) != 0) {
		fprintf(stderr, "bench_responder: %s\n", problem);
		exit(1);
	}
	inventory_commit(&inventory, &prepared);
}

/* A fleet that has been served before: the form that it obeys is known. */
static void learn_form(void)
{
	for (uint64_t i = 1; i <= 20; i++) {
		change_inventory(&(struct change){.kind = CHANGE_FORM_LEARNED,
						  .fields = FIELD_FORM,
						  .utc_ms = i,
						  .vendor = SPAN("audiocodes"),
						  .model = SPAN("440HD"),
						  .firmware = SPAN("2.2.2"),
						  .form = FORM_RFC,
						  .is_success = true,
						  .evidence = FORM_FETCHED});
	}
}

static void fill_inventory(void)
{
	struct inventory_limits limits = {.devices_max = phone_count,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = 10,
					  .unidentified_max = 50,
					  .forms_max = 8};
	uint8_t seed[random_seed_size] = {1};

	if (inventory_init(&inventory, &limits, seed) != 0) {
		die("inventory");
	}
	for (uint32_t i = 0; i < phone_count; i++) {
		struct address address =
			address_ipv4(127, (uint8_t)(16 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i);
		struct change change = {
			.kind = CHANGE_DEVICE_CLAIM,
			.fields = FIELD_VENDOR | FIELD_MODEL | FIELD_BOUND_ADDRESS,
			.vendor = SPAN("audiocodes"),
			.model = SPAN("440HD"),
			.bound_address = address,
			.mac = {{0, 0x90, 0x8f, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
		};

		change_inventory(&change);
	}
	learn_form();
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
			       .other_form_ms = 1500,
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

static struct result run_bare(struct phones *phones, bool cuts)
{
	struct bare bare = {.descriptor = open_socket("0.0.0.0", responder_port),
			    .cuts = cuts,
			    .sample = &phones->sample};
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

static double median(double values[static round_count])
{
	qsort(values, round_count, sizeof(*values), by_value);
	return values[round_count / 2];
}

/* One responder in all rounds, and beside ours in the same round. */
struct runs {
	double rates[round_count];
	double cpu_ns[round_count];
	double rate_ratios[round_count];
	double cpu_ratios[round_count];
};

static void runs_note(struct runs *runs, int round, struct result result, struct result ours)
{
	runs->rates[round] = result.rate;
	runs->cpu_ns[round] = result.cpu_ns;
	runs->rate_ratios[round] = ours.rate / result.rate;
	runs->cpu_ratios[round] = result.cpu_ns / ours.cpu_ns;
}

static void runs_print(struct runs *runs, const char *name)
{
	printf("%-32s %8.0f phones/s, %6.0f ns of processor each; bellhop beside it %.2f, by "
	       "processor %.2f\n",
	       name, median(runs->rates), median(runs->cpu_ns), median(runs->rate_ratios),
	       median(runs->cpu_ratios));
}

static void print_terms(const struct phones *phones)
{
	printf("a phone: in SUBSCRIBE %zu octets, out 200 %zu and NOTIFY %zu, in 200 %zu; the same "
	       "for "
	       "each\n%d phones, %d waiting at once, medians of %d rounds of %d ms each\n",
	       phones->subscribe_length, phones->sample.ok_length, phones->sample.notify_length,
	       phones->answer_length, phone_count, window, round_count, run_ms);
}

int main(int argc, char **argv)
{
	int descriptor = open_socket("0.0.0.0", phone_port);
	struct phones phones = {.in = mailbox_new(descriptor),
				.out = mailbox_new(descriptor),
				.arrived = calloc(phone_count, 1)};
	struct runs our_runs;
	struct runs bare_runs;
	struct runs cut_runs;
	bool cuts;

	pads_answers = argc < 2 || strcmp(argv[1], "unpadded") != 0;
	log_init(&silent_log, STDERR_FILENO, LOG_TEXT, REPORT_ERROR);
	fill_inventory();
	phones.is_sampling = true;
	(void)run_ours(&phones);
	phones.is_sampling = false;
	cuts = phones.sample.ok_length == phones.sample.notify_length;
	for (int round = 0; round < round_count; round++) {
		struct result ours = run_ours(&phones);

		runs_note(&our_runs, round, ours, ours);
		runs_note(&bare_runs, round, run_bare(&phones, false), ours);
		if (cuts) {
			runs_note(&cut_runs, round, run_bare(&phones, true), ours);
		}
	}
	print_terms(&phones);
	printf("%-32s %8.0f phones/s, %6.0f ns of processor each%s\n", "bellhop signalling",
	       median(our_runs.rates), median(our_runs.cpu_ns), cuts ? ", both in one send" : "");
	runs_print(&bare_runs, "bare recvmmsg/sendmmsg");
	if (cuts) {
		runs_print(&cut_runs, "the same, both in one send");
	}
	inventory_free(&inventory);
	return 0;
}

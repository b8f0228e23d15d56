/* SPDX-License-Identifier: MIT */
/*
 * bad_link [--loss P] [--duplicate P] [--reorder P] [--delay MS] [--jitter MS] [--hold MS]
 *          [--seed N] A B
 *
 * Joins two network interfaces as a cable would, and a bad one: what comes in at A goes out at B
 * and the other way round, late, out of order, twice or not at all. P is a share ("5%", "0.5%"):
 *
 *	--loss		of the frames are lost
 *	--duplicate	arrive twice, the second right behind the first
 *	--reorder	are held back for so long (--hold) that others overtake them; a copy may be
 *	--delay		that every frame takes, each way
 *	--jitter	that it takes longer at most; this alone changes no order
 *
 * The fate of the n-th frame of a direction follows from the seed and n alone. Prints "ready",
 * then "cut" and "mended" in answer to SIGUSR1 and SIGUSR2: a cut link loses everything. SIGTERM
 * ends it: what is under way is delivered, one line of JSON a direction says what happened, and it
 * leaves with 0.
 *
 * Frames must come as they would on a wire. An end that leaves checksums or segmenting to its
 * network card gives itself away: such frames are thrown away and counted (`unsummed`, `too_long`),
 * and so are those that the kernel had no room for (`missed`). No VLAN tags.
 */
#include "core/base/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	per_million = 1000000,
	frame_size_max = 65536,
	queue_frames_max = 8192,
	kernel_buffer_size = 16 << 20,
	hold_ms_default = 20,
	milliseconds_max = 60000,
};

struct character {
	uint64_t lost_per_million;
	uint64_t doubled_per_million;
	uint64_t held_per_million;
	uint64_t delay_us;
	uint64_t jitter_us;
	uint64_t hold_us;
	uint64_t seed;
};

struct frame {
	TAILQ_ENTRY(frame) in_queue;
	uint64_t due_us;
	size_t length;
	uint8_t octets[];
};

struct counters {
	uint64_t passed; /* copies included */
	uint64_t lost;
	uint64_t doubled;
	uint64_t held;
	uint64_t cut;  /* lost while the link was cut */
	uint64_t full; /* no room in the queue */
	uint64_t unsummed;
	uint64_t too_long;
	uint64_t missed;
	uint64_t unsent; /* the other end would not take it */
};

/* One direction. */
struct way {
	const char *from;
	const char *to;
	int in;
	int out;
	size_t frame_length_max;
	struct random random;
	TAILQ_HEAD(frames, frame) queue; /* by due_us, and as they came where that is equal */
	size_t queued;
	uint64_t due_us_last; /* of those that keep their order */
	struct counters counters;
};

struct link {
	struct character character;
	struct way ways[2];
	int signals;
	bool is_cut;
	bool is_over;
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list arguments;

	fputs("bad_link: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The command line. */

static double read_number(const char *text, const char *unit, double max)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || !(number >= 0 && number <= max) ||
	    (*end != '\0' && strcmp(end, unit) != 0)) {
		die("'%s' is not a number from 0 to %.0f%s", text, max, unit);
	}
	return number;
}

static uint64_t read_share(const char *text)
{
	return (uint64_t)(read_number(text, "%", 100) / 100 * per_million + 0.5);
}

static uint64_t read_time(const char *text)
{
	return (uint64_t)(read_number(text, "ms", milliseconds_max) * 1000);
}

static void read_options(struct character *c, int count, char **arguments)
{
	static const struct option names[] = {
		{"loss", required_argument, NULL, 'l'},
		{"duplicate", required_argument, NULL, 'c'},
		{"reorder", required_argument, NULL, 'r'},
		{"delay", required_argument, NULL, 'd'},
		{"jitter", required_argument, NULL, 'j'},
		{"hold", required_argument, NULL, 'h'},
		{"seed", required_argument, NULL, 's'},
		{0},
	};
	int name;

	*c = (struct character){.hold_us = hold_ms_default * 1000};
	while ((name = getopt_long(count, arguments, "", names, NULL)) != -1) {
		switch (name) {
		case 'l':
			c->lost_per_million = read_share(optarg);
			break;
		case 'c':
			c->doubled_per_million = read_share(optarg);
			break;
		case 'r':
			c->held_per_million = read_share(optarg);
			break;
		case 'd':
			c->delay_us = read_time(optarg);
			break;
		case 'j':
			c->jitter_us = read_time(optarg);
			break;
		case 'h':
			c->hold_us = read_time(optarg);
			break;
		case 's':
			c->seed = (uint64_t)read_number(optarg, "", UINT32_MAX);
			break;
		default:
			die("no such option");
		}
	}
	if (optind + 2 != count) {
		die("which two interfaces?");
	}
}

/* The ends. */

static size_t frame_length_of(int fd, const char *interface)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCGIFMTU, &request) != 0) {
		die("%s: %s", interface, strerror(errno));
	}
	return (size_t)request.ifr_mtu + sizeof(struct ether_header);
}

static int open_end(const char *interface)
{
	struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq everything = {.mr_type = PACKET_MR_PROMISC};
	int on = 1;
	int room = kernel_buffer_size;
	/* No protocol yet: nothing of other interfaces comes in before it is bound. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	here.sll_ifindex = (int)if_nametoindex(interface);
	everything.mr_ifindex = here.sll_ifindex;
	if (fd < 0 || here.sll_ifindex == 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof(everything)) !=
		    0 ||
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) != 0) {
		die("%s: %s", interface, strerror(errno));
	}
	return fd;
}

static int open_signals(void)
{
	static const int taken[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		sigaddset(&set, taken[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0) {
		die("signalfd: %s", strerror(errno));
	}
	return fd;
}

static void open_link(struct link *link, char *const interfaces[static 2])
{
	int ends[2];

	link->signals = open_signals();
	for (int i = 0; i < 2; i++) {
		ends[i] = open_end(interfaces[i]);
	}
	for (int i = 0; i < 2; i++) {
		struct way *way = &link->ways[i];

		way->from = interfaces[i];
		way->to = interfaces[1 - i];
		way->in = ends[i];
		way->out = ends[1 - i];
		way->frame_length_max = frame_length_of(way->out, way->to);
		random_init_number(&way->random, link->character.seed * 2 + (uint64_t)i);
		TAILQ_INIT(&way->queue);
	}
}

/* Frames. */

static void enqueue(struct way *way, const uint8_t *octets, size_t length, uint64_t due_us)
{
	struct frame *before = TAILQ_LAST(&way->queue, frames);
	struct frame *frame = NULL;

	if (way->queued < queue_frames_max) {
		frame = malloc(sizeof(*frame) + length);
	}
	if (!frame) {
		way->counters.full++;
		return;
	}
	memcpy(frame->octets, octets, length);
	frame->length = length;
	frame->due_us = due_us;
	while (before && before->due_us > due_us) {
		before = TAILQ_PREV(before, frames, in_queue);
	}
	if (before) {
		TAILQ_INSERT_AFTER(&way->queue, before, frame, in_queue);
	} else {
		TAILQ_INSERT_HEAD(&way->queue, frame, in_queue);
	}
	way->queued++;
}

static bool draw(struct way *way, uint64_t share_per_million)
{
	return random_below(&way->random, per_million) < share_per_million;
}

/* What becomes of one frame. All is drawn for each, whatever comes of it: see the head. */
static void decide(struct way *way, const struct character *c, const uint8_t *octets, size_t length)
{
	bool is_lost = draw(way, c->lost_per_million);
	bool is_doubled = draw(way, c->doubled_per_million);
	bool is_held = draw(way, c->held_per_million);
	bool is_copy_held = draw(way, c->held_per_million);
	uint64_t due_us = now_us() + c->delay_us + random_below(&way->random, c->jitter_us + 1);

	if (is_lost) {
		way->counters.lost++;
		return;
	}
	if (due_us < way->due_us_last) {
		due_us = way->due_us_last;
	}
	way->due_us_last = due_us;
	way->counters.doubled += is_doubled;
	way->counters.held += is_held;
	enqueue(way, octets, length, is_held ? due_us + c->hold_us : due_us);
	if (is_doubled) {
		way->counters.held += is_copy_held;
		enqueue(way, octets, length, is_copy_held ? due_us + c->hold_us : due_us);
	}
}

/* The sender left the checksum to its card; this is what the frame was flagged with. */
static bool is_unsummed(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata told;

			memcpy(&told, CMSG_DATA(c), sizeof(told));
			return told.tp_status & TP_STATUS_CSUMNOTREADY;
		}
	}
	return false;
}

/* Everything that has come in. */
static void take(struct way *way, const struct link *link)
{
	static uint8_t octets[frame_size_max];

	for (;;) {
		_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct iovec into = {octets, sizeof(octets)};
		struct msghdr message = {.msg_iov = &into,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		ssize_t length = recvmsg(way->in, &message, MSG_DONTWAIT | MSG_TRUNC);

		if (length < 0) {
			return; /* no more, or an interface that is down and may come up again */
		}
		if (link->is_cut) {
			way->counters.cut++;
		} else if ((size_t)length > way->frame_length_max) {
			way->counters.too_long++;
		} else if (is_unsummed(&message)) {
			way->counters.unsummed++;
		} else {
			decide(way, &link->character, octets, (size_t)length);
		}
	}
}

static void take_all(struct link *link)
{
	for (int i = 0; i < 2; i++) {
		take(&link->ways[i], link);
	}
}

/* Passes on what is due by then. */
static void deliver(struct way *way, uint64_t until_us)
{
	struct frame *frame;

	while ((frame = TAILQ_FIRST(&way->queue)) && frame->due_us <= until_us) {
		if (send(way->out, frame->octets, frame->length, 0) == (ssize_t)frame->length) {
			way->counters.passed++;
		} else {
			way->counters.unsent++;
		}
		TAILQ_REMOVE(&way->queue, frame, in_queue);
		way->queued--;
		free(frame);
	}
}

/* The loop. */

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static void take_signals(struct link *link)
{
	struct signalfd_siginfo told;

	while (read(link->signals, &told, sizeof(told)) == sizeof(told)) {
		/* What came before the signal is treated as it was then. */
		take_all(link);
		if (told.ssi_signo == SIGUSR1 || told.ssi_signo == SIGUSR2) {
			link->is_cut = told.ssi_signo == SIGUSR1;
			say(link->is_cut ? "cut" : "mended");
		} else {
			link->is_over = true;
		}
	}
}

/* Sleeps until a frame comes in or is due. */
static void await(const struct link *link)
{
	struct pollfd awaited[] = {{.fd = link->signals, .events = POLLIN},
				   {.fd = link->ways[0].in, .events = POLLIN},
				   {.fd = link->ways[1].in, .events = POLLIN}};
	uint64_t due_us = UINT64_MAX;
	struct timespec wait = {0};

	for (int i = 0; i < 2; i++) {
		const struct frame *first = TAILQ_FIRST(&link->ways[i].queue);

		if (first && first->due_us < due_us) {
			due_us = first->due_us;
		}
	}
	if (due_us != UINT64_MAX) {
		uint64_t now = now_us();
		uint64_t wait_us = due_us > now ? due_us - now : 0;

		wait.tv_sec = (time_t)(wait_us / 1000000);
		wait.tv_nsec = (long)(wait_us % 1000000) * 1000;
	}
	ppoll(awaited, 3, due_us != UINT64_MAX ? &wait : NULL, NULL);
}

static void print_counters(struct way *way)
{
	const struct counters *c = &way->counters;
	struct tpacket_stats kernel = {0};
	socklen_t size = sizeof(kernel);

	if (getsockopt(way->in, SOL_PACKET, PACKET_STATISTICS, &kernel, &size) == 0) {
		way->counters.missed = kernel.tp_drops;
	}
	printf("{\"from\": \"%s\", \"to\": \"%s\", \"passed\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"doubled\": %" PRIu64 ", \"held\": %" PRIu64 ", \"cut\": %" PRIu64
	       ", \"full\": %" PRIu64 ", \"unsummed\": %" PRIu64 ", \"too_long\": %" PRIu64
	       ", \"missed\": %" PRIu64 ", \"unsent\": %" PRIu64 "}\n",
	       way->from, way->to, c->passed, c->lost, c->doubled, c->held, c->cut, c->full,
	       c->unsummed, c->too_long, c->missed, c->unsent);
}

int main(int count, char **arguments)
{
	struct link link = {0};

	read_options(&link.character, count, arguments);
	open_link(&link, arguments + optind);
	say("ready");
	while (!link.is_over) {
		await(&link);
		take_signals(&link);
		take_all(&link);
		for (int i = 0; i < 2; i++) {
			deliver(&link.ways[i], now_us());
		}
	}
	for (int i = 0; i < 2; i++) {
		deliver(&link.ways[i], UINT64_MAX);
		print_counters(&link.ways[i]);
	}
	return 0;
}

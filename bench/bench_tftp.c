/* SPDX-License-Identifier: MIT */
/*
 * Files of 64 KiB fetched per second over TFTP, blksize 1428, by many clients at once: our door
 * beside a bare epoll loop that looks at nothing: it takes every request for the same file, makes a
 * socket, and answers each ACK with a pread and a sendto. First one block at a time, then with
 * windowsize 8, for which the bare loop sends eight.
 *
 * The server has core 0, the clients core 1, both on loopback; runs are interleaved, and what is
 * shown is the median of each and their ratio.
 */
#include "core/tftp/packet.h"
#include "io/catalogue.h"
#include "io/tftp_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	client_count = 64,
	file_size = 65536,
	block_size = 1428,
	run_count = 5,
	run_ms = 1500,
	stall_ns = 20000000, /* a client that hears nothing asks again */
	datagram_max = 2048,
	events_max = 64,
};

static char folder[] = "/tmp/bellhop-bench-XXXXXX";
static int files_fd;
static unsigned window; /* 1: without the option */

static void die(const char *what)
{
	fprintf(stderr, "bench_tftp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of the server: all that this process used but its main thread, which is the clients. */
static uint64_t server_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID) - read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static void run_on_core(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static int open_socket(uint16_t *port)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(here);
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    getsockname(descriptor, (struct sockaddr *)&here, &length) != 0) {
		die("socket");
	}
	*port = ntohs(here.sin_port);
	return descriptor;
}

static void watch(int epoll, int descriptor, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = what}};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
		die("epoll_ctl");
	}
}

/* The bare loop. */

struct bare {
	pthread_t thread;
	atomic_bool is_over;
	int listener;
	int epoll;
};

struct bare_transfer {
	int descriptor;
	int file;
	struct sockaddr_in client;
};

static void bare_send(const struct bare_transfer *t, struct span datagram)
{
	(void)sendto(t->descriptor, datagram.data, datagram.length, 0,
		     (const struct sockaddr *)&t->client, sizeof(t->client));
}

static void bare_begin(struct bare *bare)
{
	char datagram[datagram_max];
	struct writer w = writer_over(datagram, sizeof(datagram));
	struct tftp_options granted = {.has_block_size = true,
				       .block_size = block_size,
				       .has_window_size = window > 1,
				       .window_size = (uint16_t)window};
	struct sockaddr_in client;
	socklen_t length = sizeof(client);
	struct bare_transfer *t;
	uint16_t port;

	if (recvfrom(bare->listener, datagram, sizeof(datagram), 0, (struct sockaddr *)&client,
		     &length) < 0) {
		return;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		die("memory");
	}
	t->client = client;
	t->descriptor = open_socket(&port);
	t->file = openat(files_fd, "440HD.img", O_RDONLY | O_CLOEXEC);
	watch(bare->epoll, t->descriptor, t);
	tftp_write_oack(&w, &granted);
	bare_send(t, writer_span(&w));
}

static void bare_send_block(struct bare_transfer *t, uint16_t block)
{
	char datagram[tftp_header_size + block_size];
	struct writer w = writer_over(datagram, sizeof(datagram));
	ssize_t count;

	tftp_write_data(&w, block, span_make(NULL, 0));
	count = pread(t->file, datagram + tftp_header_size, block_size, (block - 1) * block_size);
	if (count >= 0) {
		bare_send(t, span_make(datagram, tftp_header_size + (size_t)count));
	}
}

static void bare_answer(struct bare_transfer *t)
{
	enum { block_count = file_size / block_size + 1 };
	uint8_t ack[datagram_max];
	ssize_t count = recv(t->descriptor, ack, sizeof(ack), 0);
	unsigned block;

	if (count < 4) {
		return;
	}
	block = (unsigned)ack[2] << 8 | ack[3];
	if (block == block_count || ack[1] != TFTP_ACK) {
		close(t->descriptor);
		close(t->file);
		free(t);
		return;
	}
	for (unsigned i = 1; i <= window && block + i <= block_count; i++) {
		bare_send_block(t, (uint16_t)(block + i));
	}
}

static void *bare_run(void *context)
{
	struct bare *bare = context;
	struct epoll_event events[events_max];

	while (!atomic_load(&bare->is_over)) {
		int count = epoll_wait(bare->epoll, events, events_max, 50);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr) {
				bare_answer(events[i].data.ptr);
			} else {
				bare_begin(bare);
			}
		}
	}
	return NULL;
}

/* The clients. */

struct client {
	int descriptor;
	uint16_t block; /* the newest that came */
	uint16_t until_ack;
	uint64_t heard_ns;
};

struct clients {
	struct client each[client_count];
	int epoll;
	struct sockaddr_in server;
	uint64_t fetched;
};

static void ask(struct clients *c, struct client *client)
{
	char text[100];
	struct writer w = writer_over(text, sizeof(text));
	struct tftp_options options = {.has_block_size = true,
				       .block_size = block_size,
				       .has_window_size = window > 1,
				       .window_size = (uint16_t)window};

	tftp_write_request(&w, TFTP_RRQ, SPAN("440HD.img"), TFTP_OCTET, &options);
	client->block = 0;
	client->until_ack = (uint16_t)window;
	client->heard_ns = read_clock(CLOCK_MONOTONIC);
	(void)sendto(client->descriptor, text, w.length, 0, (struct sockaddr *)&c->server,
		     sizeof(c->server));
}

static void acknowledge(struct client *client, const struct sockaddr_in *there)
{
	char text[tftp_header_size];
	struct writer w = writer_over(text, sizeof(text));

	tftp_write_ack(&w, client->block);
	client->until_ack = (uint16_t)window;
	(void)sendto(client->descriptor, text, w.length, 0, (const struct sockaddr *)there,
		     sizeof(*there));
}

/* One datagram; the data is looked at as little as a phone's loader does. False: there is none. */
static bool take_in(struct clients *c, struct client *client)
{
	uint8_t datagram[datagram_max];
	struct sockaddr_in there;
	socklen_t length = sizeof(there);
	ssize_t count = recvfrom(client->descriptor, datagram, sizeof(datagram), 0,
				 (struct sockaddr *)&there, &length);

	if (count < 4) {
		return false;
	}
	if (datagram[1] == TFTP_OACK) {
		acknowledge(client, &there);
	} else if (datagram[1] == TFTP_DATA &&
		   (datagram[2] << 8 | datagram[3]) == client->block + 1) {
		bool is_last = count < tftp_header_size + block_size;

		client->block++;
		client->heard_ns = read_clock(CLOCK_MONOTONIC);
		if (--client->until_ack == 0 || is_last) {
			acknowledge(client, &there);
		}
		if (is_last) {
			c->fetched++;
			ask(c, client);
		}
	}
	return true;
}

struct result {
	double rate;   /* files a second */
	double cpu_ns; /* of the server for each */
};

/* All clients fetch, one file after the other, for run_ms. */
static struct result measure(uint16_t port)
{
	static struct clients c;
	struct epoll_event events[events_max];
	struct result result;
	uint64_t start_ns = read_clock(CLOCK_MONOTONIC);
	uint64_t cpu_ns = server_cpu_ns();
	uint16_t own_port;

	c = (struct clients){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	c.server = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr = {htonl(INADDR_LOOPBACK)}};
	for (size_t i = 0; i < client_count; i++) {
		c.each[i].descriptor = open_socket(&own_port);
		watch(c.epoll, c.each[i].descriptor, &c.each[i]);
		ask(&c, &c.each[i]);
	}
	for (uint64_t now = start_ns; now - start_ns < (uint64_t)run_ms * 1000000;
	     now = read_clock(CLOCK_MONOTONIC)) {
		int count = epoll_wait(c.epoll, events, events_max, 10);

		for (int i = 0; i < count; i++) {
			while (take_in(&c, events[i].data.ptr)) {
			}
		}
		for (size_t i = 0; count == 0 && i < client_count; i++) {
			if (now - c.each[i].heard_ns > stall_ns) {
				ask(&c, &c.each[i]);
			}
		}
	}
	result.rate = (double)c.fetched * 1e9 / (double)(read_clock(CLOCK_MONOTONIC) - start_ns);
	result.cpu_ns = (double)(server_cpu_ns() - cpu_ns) / (double)(c.fetched + 1);
	for (size_t i = 0; i < client_count; i++) {
		close(c.each[i].descriptor);
	}
	close(c.epoll);
	return result;
}

/* Our side. */

static struct inventory inventory;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static const struct mac phone = {{0x00, 0x90, 0x8f, 0x12, 0x34, 0x56}};

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	*server = (struct config_server){.address = local};
}

static void link_for(void *context, struct address source, uint32_t interface,
		     struct link_evidence *link, char name[static device_interface_size])
{
	(void)context;
	(void)source;
	(void)interface;
	*link = (struct link_evidence){.is_known = true,
				       .mac = phone,
				       .by = IDENTIFIED_BY_NEIGHBOUR};
	snprintf(name, device_interface_size, "lo");
}

static int drop_change(void *context, const struct change *change)
{
	(void)context;
	(void)change;
	return 0;
}

static void drop_report(void *context, const struct effect_report *report)
{
	(void)context;
	(void)report;
}

static void change_inventory(const struct change *change)
{
	struct prepared prepared;
	char problem[256] = "";

	if (inventory_prepare(&inventory, change, &prepared, problem, sizeof(problem)) != 0) {
		fprintf(stderr, "bench_tftp: %s\n", problem);
		exit(1);
	}
	inventory_commit(&inventory, &prepared);
}

static void make_house(void)
{
	struct inventory_limits limits = {.devices_max = 10,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = 10,
					  .unidentified_max = 50,
					  .forms_max = 8};
	uint8_t seed[random_seed_size] = {1};
	static char octets[file_size];
	int file;

	if (!mkdtemp(folder) || (files_fd = catalogue_open_directory(folder)) < 0) {
		die(folder);
	}
	file = openat(files_fd, "440HD.img", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || write(file, octets, sizeof(octets)) != file_size) {
		die("440HD.img");
	}
	close(file);
	if (inventory_init(&inventory, &limits, seed) != 0) {
		die("inventory");
	}
	change_inventory(&(struct change){.kind = CHANGE_DEVICE_CLAIM,
					  .fields = FIELD_VENDOR | FIELD_MODEL,
					  .mac = phone,
					  .vendor = SPAN("audiocodes"),
					  .model = SPAN("440HD")});
	change_inventory(&(struct change){.kind = CHANGE_FILE_SET,
					  .file = SPAN("440HD.img"),
					  .bytes = file_size,
					  .file_utc_ms = 1});
}

static void remove_house(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0) {
		die(folder);
	}
	close(files_fd);
	inventory_free(&inventory);
}

static void *loop_main(void *loop)
{
	loop_run(loop);
	return NULL;
}

static struct result run_ours(void)
{
	static struct policy policy = {.access_by_key = true, .access_by_neighbour = true};
	struct files_context files = {.inventory = &inventory,
				      .policy = &policy,
				      .server_for = server_for};
	struct door door = {.files = &files,
			    .lock = &lock,
			    .files_fd = files_fd,
			    .link_for = link_for,
			    .post = drop_change,
			    .report = drop_report};
	struct tftp_door_options options = {.transfers_max = 1000,
					    .transfers_per_source_max = 1000};
	struct endpoint here = {address_ipv4(127, 0, 0, 1), 0};
	struct tftp_door *tftp;
	struct result result;
	pthread_t thread;
	struct loop loop;
	char problem[256];

	run_on_core(0);
	if (loop_open(&loop) != 0 || tftp_door_new(&tftp, &loop, &door, &options) != 0 ||
	    tftp_door_listen(tftp, here, problem, sizeof(problem)) != 0 ||
	    pthread_create(&thread, NULL, loop_main, &loop) != 0) {
		die("door");
	}
	run_on_core(1);
	result = measure(tftp_door_port(tftp, 0));
	loop_stop(&loop);
	pthread_join(thread, NULL);
	tftp_door_close(tftp, NULL, NULL);
	loop_close(&loop);
	return result;
}

static struct result run_bare(void)
{
	struct bare bare = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	struct result result;
	uint16_t port;

	bare.listener = open_socket(&port);
	watch(bare.epoll, bare.listener, NULL);
	run_on_core(0);
	if (pthread_create(&bare.thread, NULL, bare_run, &bare) != 0) {
		die("thread");
	}
	run_on_core(1);
	result = measure(port);
	atomic_store(&bare.is_over, true);
	pthread_join(bare.thread, NULL);
	/* Transfers that were cut stay open: a run leaves at most client_count of them. */
	close(bare.listener);
	close(bare.epoll);
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

static void compare(unsigned window_size)
{
	double rates[2][run_count];
	double cpu_ns[2][run_count];

	window = window_size;
	for (int i = 0; i < run_count; i++) {
		struct result ours = run_ours();
		struct result bare = run_bare();

		rates[0][i] = ours.rate;
		rates[1][i] = bare.rate;
		cpu_ns[0][i] = ours.cpu_ns;
		cpu_ns[1][i] = bare.cpu_ns;
	}
	printf("windowsize %u\n", window);
	printf("bellhop's door   %8.0f files/s, %7.0f ns of processor each\n", median(rates[0]),
	       median(cpu_ns[0]));
	printf("bare epoll loop  %8.0f files/s, %7.0f ns of processor each\n", median(rates[1]),
	       median(cpu_ns[1]));
	printf("ratio            %8.2f, by processor %.2f\n",
	       rates[0][run_count / 2] / rates[1][run_count / 2],
	       cpu_ns[1][run_count / 2] / cpu_ns[0][run_count / 2]);
}

int main(void)
{
	make_house();
	printf("files of %d bytes, blksize %d, %d clients at once, median of %d runs of %d ms\n",
	       file_size, block_size, client_count, run_count, run_ms);
	compare(1);
	compare(8);
	remove_house();
	return 0;
}

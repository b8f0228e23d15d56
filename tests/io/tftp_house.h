/* SPDX-License-Identifier: MIT */
/*
 * A TFTP door on sockets of its own, with one claimed phone that everybody is taken for, and
 * clients in the same process that turn its loop while they wait.
 */
#ifndef BELLHOP_TESTS_IO_TFTP_HOUSE_H
#define BELLHOP_TESTS_IO_TFTP_HOUSE_H

#include "core/tftp/packet.h"
#include "io/catalogue.h"
#include "io/tftp_door.h"
#include "io/udp.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

enum { tftp_patience_ms = 20000, tftp_datagram_max = 65536 };

struct tftp_house {
	struct loop loop;
	struct inventory inventory;
	struct policy policy;
	struct files_context files;
	pthread_rwlock_t lock;
	struct door door;
	struct tftp_door *tftp;
	char folder[64];
	unsigned fetched;
};

/* One that asks; `there` is where the last datagram came from. */
struct tftp_client {
	int descriptor;
	struct endpoint server; /* the listening port */
	struct endpoint there;
	char octets[tftp_datagram_max];
	struct tftp_packet packet;
};

static struct tftp_house house;

static inline void tftp_server_for(void *context, const struct device *device, struct address local,
				   struct config_server *server)
{
	(void)context;
	(void)device;
	server->address = local;
}

static inline void tftp_link_for(void *context, struct address source, uint32_t interface,
				 struct link_evidence *link,
				 char name[static device_interface_size])
{
	(void)context;
	(void)source;
	(void)interface;
	*link = (struct link_evidence){.is_known = true,
				       .mac = {{0x00, 0x90, 0x8f, 0x60, 0x2a, 0xac}},
				       .by = IDENTIFIED_BY_NEIGHBOUR};
	snprintf(name, device_interface_size, "lo");
}

static inline void tftp_change(const struct change *change)
{
	struct prepared prepared;
	char problem[200] = "";

	if (inventory_prepare(&house.inventory, change, &prepared, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		abort();
	}
	inventory_commit(&house.inventory, &prepared);
}

static inline int tftp_post(void *context, const struct change *change)
{
	(void)context;
	house.fetched += change->kind == CHANGE_DEVICE_FETCHED;
	return 0;
}

static inline void tftp_report(void *context, const struct effect_report *report)
{
	(void)context;
	printf("# %s: %.*s\n", report->reason, (int)report->text.length, report->text.data);
}

static inline void tftp_claim_phone(void)
{
	struct inventory_limits limits = {.devices_max = 100,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = 100,
					  .unidentified_max = 50,
					  .forms_max = 8};
	uint8_t seed[random_seed_size] = {1};

	if (inventory_init(&house.inventory, &limits, seed) != 0) {
		abort();
	}
	tftp_change(&(struct change){.kind = CHANGE_DEVICE_CLAIM,
				     .fields = FIELD_VENDOR | FIELD_MODEL,
				     .mac = {{0x00, 0x90, 0x8f, 0x60, 0x2a, 0xac}},
				     .vendor = SPAN("audiocodes"),
				     .model = SPAN("440HD")});
}

/* Puts a name on the catalogue's list, whatever stands under it. */
static inline void tftp_list(const char *name, uint64_t size)
{
	tftp_change(&(struct change){
		.kind = CHANGE_FILE_SET, .file = span_text(name), .bytes = size, .file_utc_ms = 1});
}

static inline char tftp_octet(size_t at)
{
	return (char)(at * 31 + at / 977);
}

/* A file of DATA/files: `size` octets, the first `written` of which are no holes. */
static inline void tftp_make_file(const char *name, size_t written, off_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/files/%s", house.folder, name);
	file = fopen(path, "wb");
	if (!file) {
		abort();
	}
	for (size_t i = 0; i < written; i++) {
		fputc(tftp_octet(i) & 0xff, file);
	}
	if (fflush(file) != 0 || ftruncate(fileno(file), size) != 0) {
		abort();
	}
	fclose(file);
	tftp_list(name, (uint64_t)size);
}

static inline void tftp_open_house(struct address address)
{
	struct tftp_door_options options = {.transfers_max = 8,
					    .transfers_per_source_max = 4,
					    .seed = {2}};
	char problem[256] = "";

	house = (struct tftp_house){.folder = "/tmp/bellhop-tftp-XXXXXX"};
	if (!mkdtemp(house.folder) || loop_open(&house.loop) != 0) {
		abort();
	}
	pthread_rwlock_init(&house.lock, NULL);
	tftp_claim_phone();
	house.policy = (struct policy){.access_by_key = true, .access_by_neighbour = true};
	house.files = (struct files_context){.inventory = &house.inventory,
					     .policy = &house.policy,
					     .server_for = tftp_server_for};
	house.door = (struct door){.files = &house.files,
				   .lock = &house.lock,
				   .files_fd = catalogue_open_directory(house.folder),
				   .link_for = tftp_link_for,
				   .post = tftp_post,
				   .report = tftp_report};
	if (tftp_door_new(&house.tftp, &house.loop, &house.door, &options) != 0 ||
	    tftp_door_listen(house.tftp, (struct endpoint){address, 0}, problem, sizeof(problem)) !=
		    0) {
		printf("# %s\n", problem);
		abort();
	}
}

static inline void tftp_close_house(void)
{
	char command[128];

	tftp_door_close(house.tftp, NULL, NULL);
	loop_close(&house.loop);
	close(house.door.files_fd);
	inventory_free(&house.inventory);
	pthread_rwlock_destroy(&house.lock);
	snprintf(command, sizeof(command), "rm -rf %s", house.folder);
	CHECK_EQUAL(0, system(command));
}

/* A client that asks the door at `server`, one of the addresses it listens on. */
static inline void tftp_open_client(struct tftp_client *client, struct address server)
{
	int family = server.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
	int room = 4 << 20;

	client->server = (struct endpoint){server, tftp_door_port(house.tftp, 0)};
	client->descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->descriptor < 0) {
		abort();
	}
	(void)setsockopt(client->descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

static inline void tftp_send(struct tftp_client *client, struct endpoint to, struct span bytes)
{
	struct sockaddr_storage storage;
	socklen_t length = udp_sockaddr(to, 0, &storage);

	if (sendto(client->descriptor, bytes.data, bytes.length, 0, (struct sockaddr *)&storage,
		   length) != (ssize_t)bytes.length) {
		printf("# sendto: %s\n", strerror(errno));
	}
}

/* Reads what is there. False when nothing is. */
static inline bool tftp_take(struct tftp_client *client)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	ssize_t count = recvfrom(client->descriptor, client->octets, sizeof(client->octets), 0,
				 (struct sockaddr *)&storage, &length);

	if (count < 0) {
		return false;
	}
	client->there = udp_from_sockaddr(&storage);
	CHECK_EQUAL(0, tftp_read(span_make(client->octets, (size_t)count), &client->packet));
	return true;
}

/* Turns the loop until a datagram is there. False when none comes for so long. */
static inline bool tftp_await_for(struct tftp_client *client, uint64_t patience_ms)
{
	uint64_t give_up_ms = loop_now_ms(&house.loop) + patience_ms;
	struct pollfd wait[] = {{.fd = client->descriptor, .events = POLLIN},
				{.fd = uv_backend_fd(&house.loop.uv), .events = POLLIN}};

	while (!tftp_take(client)) {
		if (loop_now_ms(&house.loop) > give_up_ms) {
			return false;
		}
		uv_run(&house.loop.uv, UV_RUN_NOWAIT);
		poll(wait, 2, 10);
	}
	return true;
}

static inline bool tftp_await(struct tftp_client *client)
{
	return tftp_await_for(client, tftp_patience_ms);
}

/* Turns the loop until no transfer is left. */
static inline void tftp_await_end(void)
{
	while (tftp_door_counters(house.tftp)->open > 0) {
		uv_run(&house.loop.uv, UV_RUN_ONCE);
	}
}

static inline void tftp_ask(struct tftp_client *client, const char *name,
			    const struct tftp_options *options)
{
	char text[600];
	struct writer w = writer_over(text, sizeof(text));

	tftp_write_request(&w, TFTP_RRQ, span_text(name), TFTP_OCTET, options);
	tftp_send(client, client->server, writer_span(&w));
}

static inline void tftp_ack(struct tftp_client *client, uint64_t block)
{
	char text[4];
	struct writer w = writer_over(text, sizeof(text));

	tftp_write_ack(&w, (uint16_t)block);
	tftp_send(client, client->there, writer_span(&w));
}

static inline bool tftp_is_right(struct span data, uint64_t start, size_t written)
{
	static const char holes[tftp_datagram_max];
	size_t i = 0;

	for (; i < data.length && start + i < written; i++) {
		if (data.data[i] != tftp_octet((size_t)start + i)) {
			return false;
		}
	}
	return i == data.length || memcmp(data.data + i, holes, data.length - i) == 0;
}

/*
 * Fetches a file whose first `written` octets are those of tftp_make_file and the rest 0, as a
 * client that asks again with its last ACK when a second goes by. How many octets came; UINT64_MAX
 * when something is wrong.
 */
static inline uint64_t tftp_fetch(struct tftp_client *client, const char *name,
				  const struct tftp_options *asked, size_t written)
{
	struct tftp_options granted = {0};
	size_t block_size = 512;
	uint64_t block = 0;
	uint64_t got = 0;
	unsigned since_ack = 0;

	tftp_ask(client, name, asked);
	for (;;) {
		if (!tftp_await(client)) {
			return UINT64_MAX;
		}
		if (client->packet.opcode == TFTP_OACK && block == 0) {
			granted = client->packet.options;
			block_size = granted.has_block_size ? granted.block_size : 512;
			tftp_ack(client, 0);
			continue;
		}
		if (client->packet.opcode != TFTP_DATA ||
		    client->packet.block != (uint16_t)(block + 1)) {
			if (client->packet.opcode == TFTP_ERROR) {
				return UINT64_MAX;
			}
			continue;
		}
		if (!tftp_is_right(client->packet.data, got, written)) {
			return UINT64_MAX;
		}
		got += client->packet.data.length;
		block++;
		if (++since_ack >= granted.window_size || client->packet.data.length < block_size) {
			since_ack = 0;
			tftp_ack(client, block);
		}
		if (client->packet.data.length < block_size) {
			return got;
		}
	}
}

#endif

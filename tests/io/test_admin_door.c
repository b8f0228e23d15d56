/* SPDX-License-Identifier: MIT */
/*
 * The admin socket as a client sees it: the door and the store run on a thread of their own, the
 * test speaks HTTP over the socket.
 */
#include "io/admin_door.h"
#include "io/store_sqlite.h"
#include "tests/test.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static char socket_path[128];
static char files_path[128];
static struct inventory inventory;
static pthread_rwlock_t lock;
static struct store *store;
static struct admin_door *door;
static uv_loop_t loop;
static uv_async_t stop_handle;
static pthread_t thread;
static unsigned files_changed_count;

static void facts(void *context, struct arena *arena, struct api_facts *facts_out)
{
	(void)context;
	(void)arena;
	*facts_out = (struct api_facts){.version = "9.9", .data = folder};
}

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	(void)local;
	*server = (struct config_server){.address = address_ipv4(192, 0, 2, 1)};
}

static void files_changed(void *context)
{
	(void)context;
	files_changed_count++;
}

static void on_stop(uv_async_t *handle)
{
	admin_door_close(door);
	uv_close((uv_handle_t *)handle, NULL);
}

static void *run(void *argument)
{
	(void)argument;
	uv_run(&loop, UV_RUN_DEFAULT);
	return NULL;
}

static int open_door(struct admin_door **opened, uv_loop_t *on, char *problem, size_t size)
{
	return admin_door_open(opened,
			       &(struct admin_door_options){
				       .loop = on,
				       .path = socket_path,
				       .files_path = files_path,
				       .store = store,
				       .inventory = &inventory,
				       .inventory_lock = &lock,
				       .connections_max = 20,
				       .upload_bytes_max = 8 << 20,
				       .facts = facts,
				       .server_for = server_for,
				       .files_changed = files_changed,
			       },
			       problem, size);
}

static void start(void)
{
	struct inventory_limits limits = {.devices_max = 5000,
					  .new_devices_max = 5000,
					  .profiles_max = 50,
					  .files_max = 50,
					  .unidentified_max = 50,
					  .forms_max = 8};
	char database_path[128];
	char problem[512] = "";
	uint8_t seed[random_seed_size];
	struct store_sqlite_options sqlite = {.path = database_path,
					      .events_max = 100,
					      .audit_max = 100,
					      .busy_ms = 100};
	struct store_options options = {.inventory = &inventory,
					.inventory_lock = &lock,
					.queue_max = 1000,
					.events_max = 100};

	snprintf(folder, sizeof(folder), "/tmp/bellhop-door-XXXXXX");
	if (!mkdtemp(folder)) {
		abort();
	}
	snprintf(socket_path, sizeof(socket_path), "%s/admin.sock", folder);
	snprintf(files_path, sizeof(files_path), "%s/files", folder);
	snprintf(database_path, sizeof(database_path), "%s/bellhop.db", folder);
	mkdir(files_path, 0750);
	files_changed_count = 0;
	uv_loop_init(&loop);
	uv_async_init(&loop, &stop_handle, on_stop);
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed) || store_lock_init(&lock) < 0 ||
	    inventory_init(&inventory, &limits, seed) < 0 ||
	    store_sqlite_open(&options.database, &sqlite, problem, sizeof(problem)) < 0 ||
	    store_start(&store, &options, problem, sizeof(problem)) < 0 ||
	    open_door(&door, &loop, problem, sizeof(problem)) < 0) {
		printf("# %s\n", problem);
		abort();
	}
	pthread_create(&thread, NULL, run, NULL);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void stop(void)
{
	uv_async_send(&stop_handle);
	pthread_join(thread, NULL);
	CHECK_EQUAL(0, uv_loop_close(&loop));
	store_stop(store);
	inventory_free(&inventory);
	pthread_rwlock_destroy(&lock);
	CHECK(access(socket_path, F_OK) != 0);
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- A client. --- */

static char reply[4 << 20];
static size_t reply_length;

static int connect_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("connect");
		abort();
	}
	return fd;
}

static void send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0) {
			return;
		}
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* Reads until `wanted` is there (NULL: until the end). */
static bool receive(int fd, const char *wanted)
{
	reply_length = 0;
	reply[0] = '\0';
	while (reply_length < sizeof(reply) - 1) {
		ssize_t count = recv(fd, reply + reply_length, sizeof(reply) - 1 - reply_length, 0);

		if (count <= 0) {
			return !wanted && count == 0;
		}
		reply_length += (size_t)count;
		reply[reply_length] = '\0';
		if (wanted && strstr(reply, wanted)) {
			return true;
		}
	}
	return false;
}

/* One request on a connection of its own: the status. */
static int ask(const char *method, const char *target, const char *body, size_t length)
{
	char head[512];
	int fd = connect_socket();
	int status = 0;

	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		 method, target, length);
	send_all(fd, head, strlen(head));
	send_all(fd, body, length);
	CHECK(receive(fd, NULL));
	close(fd);
	sscanf(reply, "HTTP/1.1 %d", &status);
	return status;
}

static int ask_text(const char *method, const char *target, const char *body)
{
	return ask(method, target, body, strlen(body));
}

/* --- Tests. --- */

static void changes_are_made_and_audited(void)
{
	struct stat info;

	start();
	REQUIRE(stat(socket_path, &info) == 0);
	CHECK_EQUAL(0660, info.st_mode & 0777);
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/status", ""));
	CHECK(strstr(reply, "\"version\": \"9.9\"") != NULL);
	CHECK(strstr(reply, "Cache-Control: no-store") != NULL);
	CHECK_EQUAL(200,
		    ask_text("POST", "/api/v1/devices/00908f000001/claim", "{\"label\":\"one\"}"));
	CHECK(strstr(reply, "\"state\": \"claimed\"") != NULL);
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/devices", ""));
	CHECK(strstr(reply, "00908f000001") != NULL);
	CHECK_EQUAL(404, ask_text("POST", "/api/v1/devices/00908f000002/block", ""));
	CHECK(strstr(reply, "what_to_do") != NULL);
	CHECK_EQUAL(405, ask_text("POST", "/api/v1/status", ""));
	CHECK(strstr(reply, "Allow: GET") != NULL);
	CHECK_EQUAL(400, ask_text("PATCH", "/api/v1/devices/00908f000001", "{"));
	stop();
}

static void files_come_and_go(void)
{
	static char big[3 << 20];
	char path[256];
	struct stat info;

	memset(big, 'f', sizeof(big));
	start();
	CHECK_EQUAL(201, ask("PUT", "/api/v1/files/rings/big.wav", big, sizeof(big)));
	snprintf(path, sizeof(path), "%s/rings/big.wav", files_path);
	REQUIRE(stat(path, &info) == 0);
	CHECK_EQUAL(sizeof(big), info.st_size);
	CHECK_EQUAL(1, files_changed_count);
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/files", ""));
	CHECK(strstr(reply, "\"bytes\": 3145728") != NULL);
	CHECK_EQUAL(400, ask_text("PUT", "/api/v1/files/%2e%2e/x", "x"));
	CHECK_EQUAL(200, ask_text("DELETE", "/api/v1/files/rings/big.wav", ""));
	CHECK(stat(path, &info) < 0);
	CHECK_EQUAL(404, ask_text("DELETE", "/api/v1/files/rings/big.wav", ""));
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/files", ""));
	CHECK(strstr(reply, "big.wav") == NULL);
	stop();
}

/* The body of the last reply. */
static size_t reply_body(char **start)
{
	*start = strstr(reply, "\r\n\r\n");
	if (!*start) {
		abort();
	}
	*start += 4;
	return reply_length - (size_t)(*start - reply);
}

static void a_database_is_fetched_and_put_back(void)
{
	char schema[64];
	static const char request[] = "GET /api/v1/database HTTP/1.1\r\nHost: x\r\n\r\n";
	char *start_of;
	size_t length;
	char *copy;
	int fd;

	start();
	snprintf(schema, sizeof(schema), "Bellhop-Schema: %d\r\n", store_sqlite_schema.version);
	CHECK_EQUAL(200, ask_text("POST", "/api/v1/devices/00908f000001/claim", ""));
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/database", ""));
	CHECK(strstr(reply, "Content-Type: application/vnd.sqlite3") != NULL);
	CHECK(strstr(reply, "Bellhop-Devices: 1\r\n") != NULL);
	CHECK(strstr(reply, schema) != NULL);
	length = reply_body(&start_of);
	CHECK(length > 4096 && length % 4096 == 0);
	copy = malloc(length);
	REQUIRE(copy != NULL);
	memcpy(copy, start_of, length);
	CHECK_EQUAL(200, ask_text("DELETE", "/api/v1/devices/00908f000001", ""));
	/* A whole page: the last one may be of an empty table, and end in nothing but zeros. */
	CHECK_EQUAL(400, ask("PUT", "/api/v1/database", copy, length - 4096));
	CHECK(strstr(reply, "damaged") != NULL);
	CHECK_EQUAL(404, ask_text("GET", "/api/v1/devices/00908f000001", ""));
	CHECK_EQUAL(200, ask("PUT", "/api/v1/database", copy, length));
	CHECK(strstr(reply, "\"devices\": 1") != NULL);
	CHECK(strstr(reply, ".before-restore-") != NULL);
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/devices/00908f000001", ""));
	/* Closed with a backup under way. */
	fd = connect_socket();
	send_all(fd, request, sizeof(request) - 1);
	stop();
	close(fd);
	free(copy);
}

static void tell_event(const char *reason, unsigned n)
{
	store_event(store,
		    &(struct effect_report){.level = REPORT_INFO,
					    .reason = reason,
					    .text = SPAN("text"),
					    .has_mac = true,
					    .mac = {{0, 0x90, 0x8f, 0, 0, (uint8_t)n}}},
		    1000);
}

static void events_are_listed_and_followed(void)
{
	static const char request[] = "GET /api/v1/events?follow=1&device=00908f000002&limit=1 "
				      "HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd;
	int other;

	start();
	tell_event("before", 1);
	tell_event("earlier", 2);
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/events?limit=1", ""));
	CHECK(strstr(reply, "earlier") != NULL);
	CHECK(strstr(reply, "before") == NULL);
	fd = connect_socket();
	send_all(fd, request, sizeof(request) - 1);
	CHECK(receive(fd, "earlier"));
	tell_event("foreign", 1);
	tell_event("mine", 2);
	CHECK(receive(fd, "mine"));
	CHECK(strstr(reply, "foreign") == NULL);
	/* One that leaves does not take the other along. */
	other = connect_socket();
	send_all(other, request, sizeof(request) - 1);
	CHECK(receive(other, "mine"));
	close(other);
	tell_event("still", 2);
	CHECK(receive(fd, "still"));
	/* The stream is ended, not cut, when the door is closed. */
	stop();
	CHECK(receive(fd, NULL));
	close(fd);
}

static void a_page_has_every_device(void)
{
	char target[128];
	json_t *json;

	start();
	for (unsigned n = 0; n < 300; n++) {
		snprintf(target, sizeof(target), "/api/v1/devices/00908f%06x/claim", n);
		CHECK_EQUAL(200, ask_text("POST", target, ""));
	}
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/devices", ""));
	json = json_loads(strstr(reply, "\r\n\r\n"), 0, NULL);
	CHECK_EQUAL(300, json_array_size(json_object_get(json, "devices")));
	json_decref(json);
	stop();
}

static void closing_answers_what_waits(void)
{
	static const char request[] = "PUT /api/v1/files/a HTTP/1.1\r\nHost: x\r\n"
				      "Content-Length: 5\r\n\r\n12345"
				      "POST /api/v1/devices/00908f000001/claim HTTP/1.1\r\n"
				      "Host: x\r\nContent-Length: 0\r\n\r\n";
	int fds[10];

	start();
	for (size_t i = 0; i < 10; i++) {
		fds[i] = connect_socket();
		send_all(fds[i], request, sizeof(request) - 1);
	}
	stop();
	for (size_t i = 0; i < 10; i++) {
		(void)receive(fds[i], NULL);
		close(fds[i]);
	}
}

static void a_live_socket_is_not_taken(void)
{
	struct admin_door *second = NULL;
	char problem[512] = "";
	uv_loop_t other;

	start();
	uv_loop_init(&other);
	CHECK_EQUAL(-EADDRINUSE, open_door(&second, &other, problem, sizeof(problem)));
	CHECK(strstr(problem, socket_path) != NULL);
	uv_run(&other, UV_RUN_DEFAULT);
	CHECK_EQUAL(0, uv_loop_close(&other));
	CHECK_EQUAL(200, ask_text("GET", "/api/v1/status", ""));
	stop();
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as bellhopd does */
	json_object_seed(0);
	RUN(changes_are_made_and_audited);
	RUN(files_come_and_go);
	RUN(a_database_is_fetched_and_put_back);
	RUN(events_are_listed_and_followed);
	RUN(a_page_has_every_device);
	RUN(closing_answers_what_waits);
	RUN(a_live_socket_is_not_taken);
	return test_end();
}

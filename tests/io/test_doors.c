/* SPDX-License-Identifier: MIT */
/*
 * The phones' doors over loopback: the real inventory, the real loop, and foreign clients (curl,
 * tftp-hpa) in a child process, whose shell script is the test.
 */
#include "core/base/random.h"
#include "io/catalogue.h"
#include "io/http_door.h"
#include "io/tftp_door.h"
#include "tests/test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct mac phone = {{0x00, 0x90, 0x8f, 0x60, 0x2a, 0xac}};

struct house {
	struct loop loop;
	struct inventory inventory;
	struct policy policy;
	struct files_context files;
	pthread_rwlock_t lock;
	struct door door;
	struct http_door *http;
	struct tftp_door *tftp;
	struct catalogue *catalogue;
	struct loop_timer timer;
	char folder[64];
	pid_t child;
	int child_status;
	unsigned fetched;
	unsigned refused;
	char told[200]; /* the last report */
	bool has_evidence;
	bool is_pending; /* nor does it ever come */
};

static void server_for(void *context, const struct device *device, struct address local,
		       struct config_server *server)
{
	(void)context;
	(void)device;
	server->address = local;
}

static void link_for(void *context, struct address source, uint32_t interface,
		     struct link_evidence *link, char name[static device_interface_size])
{
	struct house *house = context;

	(void)source;
	(void)interface;
	*link = (struct link_evidence){.is_pending = house->is_pending};
	if (house->has_evidence) {
		link->is_known = true;
		link->mac = phone;
		link->by = IDENTIFIED_BY_NEIGHBOUR;
	}
	snprintf(name, device_interface_size, "lo");
}

static int post(void *context, const struct change *change)
{
	struct house *house = context;
	struct prepared prepared;
	char problem[200];
	int error =
		inventory_prepare(&house->inventory, change, &prepared, problem, sizeof(problem));

	if (error != 0) {
		printf("# %s\n", problem);
		return 0;
	}
	house->fetched += change->kind == CHANGE_DEVICE_FETCHED;
	pthread_rwlock_wrlock(&house->lock);
	inventory_commit(&house->inventory, &prepared);
	pthread_rwlock_unlock(&house->lock);
	return 0;
}

static void report(void *context, const struct effect_report *report)
{
	struct house *house = context;

	house->refused++;
	snprintf(house->told, sizeof(house->told), "%s: %.*s", report->reason,
		 (int)report->text.length, report->text.data);
	printf("# %s: %.*s\n", report->reason, (int)report->text.length, report->text.data);
}

static void make_inventory(struct house *house)
{
	struct inventory_limits limits = {.devices_max = 100,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = 100,
					  .unidentified_max = 50,
					  .forms_max = 8};
	uint8_t seed[random_seed_size] = {1};
	struct change claim = {.kind = CHANGE_DEVICE_CLAIM,
			       .fields = FIELD_VENDOR | FIELD_MODEL,
			       .mac = phone,
			       .vendor = SPAN("audiocodes"),
			       .model = SPAN("440HD")};

	if (inventory_init(&house->inventory, &limits, seed) != 0) {
		abort();
	}
	post(house, &claim);
}

static void make_file(struct house *house, const char *name, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/files/%s", house->folder, name);
	file = fopen(path, "wb");
	if (!file) {
		abort();
	}
	for (size_t i = 0; i < size; i++) {
		fputc((int)(i * 31 + i / 977) & 0xff, file);
	}
	fclose(file);
}

static void watch_child(void *context)
{
	struct house *house = context;

	if (waitpid(house->child, &house->child_status, WNOHANG) == house->child) {
		loop_stop(&house->loop);
		return;
	}
	loop_timer_set(&house->timer, loop_now_ms(&house->loop) + 10);
}

static void open_house(struct house *house)
{
	struct endpoint here = {address_ipv4(127, 0, 0, 1), 0};
	struct http_door_options http = {.connections_max = 20, .connections_per_source_max = 10};
	struct tftp_door_options tftp = {.transfers_max = 8,
					 .transfers_per_source_max = 4,
					 .seed = {2}};
	char problem[256] = "";

	*house = (struct house){.has_evidence = true};
	snprintf(house->folder, sizeof(house->folder), "/tmp/bellhop-doors-XXXXXX");
	if (!mkdtemp(house->folder) || loop_open(&house->loop) != 0) {
		abort();
	}
	pthread_rwlock_init(&house->lock, NULL);
	make_inventory(house);
	house->policy = (struct policy){.access_by_key = true, .access_by_neighbour = true};
	house->files = (struct files_context){.inventory = &house->inventory,
					      .policy = &house->policy,
					      .server_for = server_for};
	house->door = (struct door){.files = &house->files,
				    .lock = &house->lock,
				    .files_fd = catalogue_open_directory(house->folder),
				    .link_for = link_for,
				    .post = post,
				    .report = report,
				    .context = house};
	make_file(house, "440HD.img", 300000);
	make_file(house, "empty", 0);
	make_file(house, ".hidden", 10);
	if (catalogue_start(&house->catalogue, &house->loop.uv, &house->door) != 0 ||
	    http_door_new(&house->http, &house->loop.uv, &house->door, &http) != 0 ||
	    tftp_door_new(&house->tftp, &house->loop, &house->door, &tftp) != 0 ||
	    http_door_listen(house->http, here, problem, sizeof(problem)) != 0 ||
	    tftp_door_listen(house->tftp, here, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		abort();
	}
}

/* Runs the script beside the loop; the script's failure is the test's. */
static void run_script(struct house *house, const char *script)
{
	char http[16];
	char tftp[16];
	char key[40];

	snprintf(http, sizeof(http), "%u", http_door_port(house->http, 0));
	snprintf(tftp, sizeof(tftp), "%u", tftp_door_port(house->tftp, 0));
	snprintf(key, sizeof(key), "%s", inventory_device(&house->inventory, phone)->key);
	fflush(stdout);
	house->child = fork();
	if (house->child == 0) {
		setenv("HTTP", http, 1);
		setenv("TFTP", tftp, 1);
		setenv("KEY", key, 1);
		dup2(open("/dev/null", O_WRONLY), 1);
		if (chdir(house->folder) == 0) {
			execl("/bin/sh", "sh", "-ec", script, (char *)NULL);
		}
		_exit(127);
	}
	loop_timer_open(&house->timer, &house->loop, watch_child, house);
	loop_timer_set(&house->timer, 0);
	loop_run(&house->loop);
	CHECK_EQUAL(0, house->child_status);
	loop_timer_close(&house->timer, NULL);
	uv_run(&house->loop.uv, UV_RUN_NOWAIT); /* so that there may be another one */
}

static void close_house(struct house *house)
{
	char command[128];

	catalogue_stop(house->catalogue);
	http_door_close(house->http, NULL, NULL);
	tftp_door_close(house->tftp, NULL, NULL);
	uv_run(&house->loop.uv, UV_RUN_NOWAIT);
	uv_run(&house->loop.uv, UV_RUN_NOWAIT);
	loop_close(&house->loop);
	close(house->door.files_fd);
	inventory_free(&house->inventory);
	snprintf(command, sizeof(command), "rm -rf %s", house->folder);
	CHECK_EQUAL(0, system(command));
}

static void script_passes(const char *script, unsigned fetched)
{
	static struct house house;

	open_house(&house);
	run_script(&house, script);
	CHECK_EQUAL(fetched, house.fetched);
	close_house(&house);
}

static void http_serves_whole_files(void)
{
	script_passes(
		"get() { curl -sS --max-time 10 -o got \"$@\"; }\n"
		"get http://127.0.0.1:$HTTP/p/$KEY/440HD.img; cmp got files/440HD.img\n"
		"get http://127.0.0.1:$HTTP/440HD.img; cmp got files/440HD.img\n"
		"get -0 http://127.0.0.1:$HTTP/p/$KEY/p/$KEY/440hd.IMG; cmp got files/440HD.img\n"
		"get http://127.0.0.1:$HTTP/empty; test ! -s got\n",
		4);
}

static void http_conditions_and_head(void)
{
	script_passes("u=http://127.0.0.1:$HTTP/440HD.img\n"
		      "code() { curl -sS --max-time 10 -o got -w '%{http_code}' \"$@\"; }\n"
		      "curl -sS --max-time 10 -I $u >head; grep -q '^Content-Length: 300000' head\n"
		      "e=$(sed -n 's/^ETag: \\(.*\\)\\r$/\\1/p' head); test -n \"$e\"\n"
		      "test $(code -H \"If-None-Match: $e\" $u) = 304\n"
		      "test $(code -H 'If-Match: \"x\"' $u) = 412\n"
		      "d=$(sed -n 's/^Last-Modified: \\(.*\\)\\r$/\\1/p' head)\n"
		      "test $(code -H \"If-Modified-Since: $d\" $u) = 304\n"
		      "test $(code -o b -o c $u $u $u) = 200200200\n"
		      "test $(code -X POST -d x $u) = 405\n"
		      "test $(code -X FETCH $u) = 501\n"
		      "test $(code -H 'Host: a b' $u) = 400\n",
		      5);
}

static void http_refuses_everything_alike(void)
{
	script_passes("i=0\n"
		      "for p in nothing p/00000000000000000000000000000000/440HD.img .hidden "
		      "..%2f..%2fetc/passwd %252e%252e/x 440HD.img/. 440HD.img/ 00908F000000.cfg "
		      "c%5cx p/$KEY/nothing /etc/passwd; do\n"
		      "  curl -sS --max-time 10 --path-as-is -i http://127.0.0.1:$HTTP/$p |\n"
		      "    grep -v ^Date >answer.$i\n"
		      "  grep -q '^HTTP/1.1 404' answer.$i; cmp answer.0 answer.$i; i=$((i + 1))\n"
		      "done; test $i = 11\n",
		      0);
}

/* The file is there: 404 would be the wrong thing to say, and to say it silently. */
static void http_says_503_while_there_are_no_descriptors(void)
{
	static struct house house;
	static const char script[] = "test $(curl -sS --max-time 10 -o got -w '%{http_code}' "
				     "http://127.0.0.1:$HTTP/440HD.img) = $CODE\n";
	struct rlimit before;
	struct rlimit short_of;
	unsigned fetched;
	int next;

	open_house(&house);
	setenv("CODE", "200", 1);
	/* Until nobody but the door opens files any more. */
	for (unsigned i = 0; i < 500 && !strstr(house.told, "sha256"); i++) {
		run_script(&house, script);
	}
	fetched = house.fetched;
	next = dup(0);
	close(next);
	REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
	/* The next one is the connection's. */
	short_of = (struct rlimit){(rlim_t)next + 1, before.rlim_max};
	REQUIRE(setrlimit(RLIMIT_NOFILE, &short_of) == 0);
	setenv("CODE", "503", 1);
	run_script(&house, script);
	CHECK_TEXT("transfer_abandoned: http transfer of 440HD.img given up after 0 octets: "
		   "Too many open files",
		   span_text(house.told));
	REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
	setenv("CODE", "200", 1);
	run_script(&house, script);
	CHECK_EQUAL(fetched + 1, house.fetched);
	close_house(&house);
}

/* Whom the network never shows is refused in the end, and the operator learns of it. */
static void who_cannot_be_seen_is_refused_and_told(void)
{
	static struct house house;

	open_house(&house);
	house.has_evidence = false;
	house.is_pending = true;
	run_script(&house, "for name in 440HD.img 00908f000000.cfg; do\n"
			   "  url=http://127.0.0.1:$HTTP/$name\n"
			   "  test $(curl -sS --max-time 10 -o got -w '%{http_code}' $url) = 404\n"
			   "  ! curl -sS --max-time 10 -o got tftp://127.0.0.1:$TFTP/$name\n"
			   "done\n");
	CHECK_EQUAL(4, house.refused);
	close_house(&house);
}

static void tftp_serves_whole_files(void)
{
	script_passes(
		"for s in '' 'tftp-blksize 1428' 'tftp-blksize 8'; do\n"
		"  set -- $s; curl -sS --max-time 20 ${1:+--$1 $2} -o got "
		"tftp://127.0.0.1:$TFTP/440HD.img; cmp got files/440HD.img\n"
		"done\n"
		"curl -sS --max-time 20 --tftp-no-options -o got "
		"tftp://127.0.0.1:$TFTP/p/$KEY/440HD.img; cmp got files/440HD.img\n"
		"! curl -sS --max-time 20 tftp://127.0.0.1:$TFTP/nothing 2>/dev/null\n"
		"! curl -sS --max-time 20 -T files/empty tftp://127.0.0.1:$TFTP/x 2>/dev/null\n",
		4);
}

static void tftp_hpa_fetches(void)
{
	if (system("command -v tftp >/dev/null") != 0) {
		test_skip("tftp-hpa is not here (./dev test unpacks it)");
		return;
	}
	script_passes("timeout 20 tftp -m binary 127.0.0.1 $TFTP -c get 440HD.img got\n"
		      "cmp got files/440HD.img\n"
		      "timeout 20 tftp -m binary 127.0.0.1 $TFTP -c get /empty got\n"
		      "test ! -s got\n"
		      "timeout 20 tftp -m ascii 127.0.0.1 $TFTP -c get 440HD.img got\n"
		      "cmp got files/440HD.img\n",
		      3);
}

static void the_catalogue_follows_the_folder(void)
{
	script_passes("url=http://127.0.0.1:$HTTP/new.bin\n"
		      "code() { curl -sS --max-time 10 -o got -w '%{http_code}' $url; }\n"
		      "test $(code) = 404; echo new >files/new.bin\n"
		      "for i in $(seq 100); do test $(code) = 200 && break; sleep 0.05; done\n"
		      "cmp got files/new.bin; ln -s /etc/passwd files/link; mkfifo files/fifo\n"
		      "rm files/new.bin; test $(code) = 404; url=http://127.0.0.1:$HTTP/link\n"
		      "sleep 0.5; test $(code) = 404; url=http://127.0.0.1:$HTTP/fifo\n"
		      "test $(code) = 404\n",
		      1);
}

int main(void)
{
	if (system("command -v curl >/dev/null") != 0) {
		printf("1..0 # SKIP curl is not installed\n");
		return 0;
	}
	RUN(http_serves_whole_files);
	RUN(http_conditions_and_head);
	RUN(http_refuses_everything_alike);
	RUN(http_says_503_while_there_are_no_descriptors);
	RUN(who_cannot_be_seen_is_refused_and_told);
	RUN(tftp_serves_whole_files);
	RUN(tftp_hpa_fetches);
	RUN(the_catalogue_follows_the_folder);
	return test_end();
}

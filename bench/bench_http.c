/* SPDX-License-Identifier: MIT */
/*
 * Files a second over HTTP: our server, with a handler that opens the file, makes its tag, looks at
 * conditions and ranges and sends it, beside nginx (with sendfile, one process, no log) where it is
 * in the PATH. Both serve the same folder to the same client on loopback: connections that are
 * kept, one request on its way on each.
 *
 * The servers have core 0, the client core 1; runs are interleaved, and what is shown is the median
 * of each and their ratio: requests a second, and the server's own CPU time for one.
 */
#include "core/http/reply.h"
#include "core/provision/files.h"
#include "io/catalogue.h"
#include "io/http_server.h"
#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	connection_count = 16,
	run_count = 5,
	run_ms = 1500,
	our_port = 5080,
	nginx_port = 5081,
	buffer_size = 1 << 18,
};

static char folder[] = "/tmp/bellhop-bench-XXXXXX";

static void die(const char *what)
{
	fprintf(stderr, "bench_http: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0) {
		die("clock");
	}
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_ns(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? clock_ns(clock) : 0;
}

static void run_on_core(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* Our server. */

static void handle(void *context, struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	static struct random random;
	static struct http_reply reply;
	struct http_content content = {.content_type = SPAN("application/octet-stream")};
	char etag[file_etag_size];
	char path[256];
	struct writer w = writer_over(etag, sizeof(etag));
	struct stat info;
	int fd;

	(void)context;
	snprintf(path, sizeof(path), "%s%.*s", folder, (int)request->path.length,
		 request->path.data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0) {
		die(path);
	}
	file_etag_of_file(&w, (uint64_t)info.st_size, catalogue_version(&info));
	content.validators =
		(struct http_validators){writer_span(&w), (uint64_t)info.st_mtim.tv_sec * 1000,
					 (uint64_t)info.st_size};
	http_reply_make(&reply, request, &content, loop_utc_ms(), &random);
	http_exchange_answer_file(exchange, &reply.response, fd, &info, &reply.parts);
}

static void serve(void)
{
	struct endpoint here = {address_ipv4(127, 0, 0, 1), our_port};
	struct http_server_options options;
	struct http_server *server;
	char problem[256] = "";
	struct loop loop;

	run_on_core(0);
	signal(SIGPIPE, SIG_IGN);
	http_server_defaults(&options);
	if (loop_open(&loop) != 0) {
		die("loop");
	}
	options.loop = &loop.uv;
	options.handle = handle;
	options.connections_per_source_max = 0;
	if (http_server_new(&server, &options) != 0 ||
	    http_server_listen_tcp(server, here, problem, sizeof(problem)) != 0) {
		fprintf(stderr, "bench_http: %s\n", problem);
		_exit(1);
	}
	loop_run(&loop);
}

/* nginx. */

static void run_nginx(void)
{
	char path[64];
	FILE *file;

	run_on_core(0);
	snprintf(path, sizeof(path), "%s/nginx.conf", folder);
	file = fopen(path, "w");
	if (!file) {
		die(path);
	}
	fprintf(file,
		"daemon off; master_process off; pid %s/nginx.pid; error_log /dev/null;\n"
		"events { worker_connections 512; }\n"
		"http { access_log off; sendfile on; tcp_nopush on; keepalive_requests "
		"1000000000;\n"
		"client_body_temp_path %s/body; proxy_temp_path %s/proxy;\n"
		"fastcgi_temp_path %s/fastcgi; uwsgi_temp_path %s/uwsgi; scgi_temp_path %s/scgi;\n"
		"server { listen 127.0.0.1:%d; root %s; } }\n",
		folder, folder, folder, folder, folder, folder, nginx_port, folder);
	fclose(file);
	execlp("nginx", "nginx", "-p", folder, "-c", path, (char *)NULL);
	_exit(127);
}

static pid_t start(void (*run)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		run();
		_exit(0);
	}
	return pid;
}

/* The client. */

struct client {
	int fd;
	uint64_t left; /* of the body */
	bool is_in_body;
	size_t head_length;
	char head[2048];
};

/* A connection, or -1 when nobody listens within a second. */
static int connect_to(uint16_t port)
{
	struct sockaddr_in there = {.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int yes = 1;

	for (unsigned i = 0; i < 100; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, (struct sockaddr *)&there, sizeof(there)) == 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
			return fd;
		}
		close(fd);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	return -1;
}

static void ask(struct client *client, const char *path)
{
	char request[128];
	int length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	client->is_in_body = false;
	client->head_length = 0;
	if (send(client->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
		die("send");
	}
}

/* Takes what came; true when the answer is whole. */
static bool take(struct client *client, struct span bytes)
{
	if (!client->is_in_body) {
		size_t room = sizeof(client->head) - 1 - client->head_length;
		struct span part = span_slice(bytes, 0, room);
		const char *end;
		const char *field;

		memcpy(client->head + client->head_length, part.data, part.length);
		client->head[client->head_length + part.length] = '\0';
		end = strstr(client->head, "\r\n\r\n");
		if (!end) {
			client->head_length += part.length;
			return false;
		}
		field = strstr(client->head, "Content-Length: ");
		if (strncmp(client->head, "HTTP/1.1 200 ", 13) != 0 || !field) {
			die("an answer that is none");
		}
		client->left = strtoull(field + 16, NULL, 10);
		client->is_in_body = true;
		bytes = span_slice(bytes, (size_t)(end + 4 - client->head) - client->head_length,
				   bytes.length);
	}
	client->left -= bytes.length;
	return client->left == 0;
}

/* Requests that were answered in run_ms. */
static uint64_t load(uint16_t port, const char *path)
{
	static struct client clients[connection_count];
	static char buffer[buffer_size];
	struct epoll_event events[connection_count];
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + run_ms * UINT64_C(1000000);
	uint64_t answered = 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	for (size_t i = 0; i < connection_count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};

		clients[i].fd = connect_to(port);
		if (clients[i].fd < 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) != 0) {
			die("connect");
		}
		ask(&clients[i], path);
	}
	while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
		int count = epoll_wait(epoll, events, connection_count, 100);

		for (int i = 0; i < count; i++) {
			struct client *client = events[i].data.ptr;
			ssize_t length = recv(client->fd, buffer, sizeof(buffer), 0);

			if (length <= 0) {
				die("the server has closed");
			}
			if (take(client, span_make(buffer, (size_t)length))) {
				answered++;
				ask(client, path);
			}
		}
	}
	for (size_t i = 0; i < connection_count; i++) {
		close(clients[i].fd);
	}
	close(epoll);
	return answered;
}

struct figures {
	double requests_per_s[run_count];
	double cpu_us[run_count]; /* of one request */
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, run_count, sizeof(*values), compare);
	return values[run_count / 2];
}

static void measure(struct figures *figures, size_t run, pid_t pid, uint16_t port, const char *path)
{
	uint64_t cpu_before = cpu_ns(pid);
	uint64_t answered = load(port, path);

	figures->requests_per_s[run] = (double)answered * 1000 / run_ms;
	figures->cpu_us[run] =
		(double)(cpu_ns(pid) - cpu_before) / 1000 / (double)(answered > 0 ? answered : 1);
}

static void compare_servers(const char *path, pid_t ours, pid_t nginx)
{
	struct figures our_figures;
	struct figures nginx_figures;
	double requests;
	double cpu;

	for (size_t run = 0; run < run_count; run++) {
		measure(&our_figures, run, ours, our_port, path);
		if (nginx > 0) {
			measure(&nginx_figures, run, nginx, nginx_port, path);
		}
	}
	requests = median(our_figures.requests_per_s);
	cpu = median(our_figures.cpu_us);
	printf("%-6s bellhop %8.0f requests/s %8.1f us of CPU each\n", path + 1, requests, cpu);
	if (nginx > 0) {
		double peer_requests = median(nginx_figures.requests_per_s);
		double peer_cpu = median(nginx_figures.cpu_us);

		printf("%-6s nginx   %8.0f requests/s %8.1f us of CPU each\n", path + 1,
		       peer_requests, peer_cpu);
		printf("%-6s ratio   %8.2f            %8.2f\n", path + 1, requests / peer_requests,
		       cpu / peer_cpu);
	}
}

static void make_file(const char *name, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	for (size_t i = 0; file && i < size; i++) {
		fputc((int)(i * 31 + i / 977) & 0xff, file);
	}
	if (!file || fclose(file) != 0) {
		die(path);
	}
}

int main(void)
{
	char command[64];
	pid_t ours;
	pid_t nginx = 0;

	if (!mkdtemp(folder)) {
		die(folder);
	}
	make_file("4k", 4096);
	make_file("1m", 1 << 20);
	ours = start(serve);
	if (system("command -v nginx >/dev/null") == 0) {
		nginx = start(run_nginx);
	} else {
		printf("nginx is not in the PATH: no ratio\n");
	}
	run_on_core(1);
	compare_servers("/4k", ours, nginx);
	compare_servers("/1m", ours, nginx);
	kill(ours, SIGKILL);
	waitpid(ours, NULL, 0);
	if (nginx > 0) {
		kill(nginx, SIGTERM);
		waitpid(nginx, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
#include "io/http_server.h"

#include "io/http_connection.h"
#include "io/udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	listen_backlog = 511,
	/* Of each connection (the kernel doubles it): else it grows to megabytes for a slow reader.
	 */
	send_buffer_octets = 128 * 1024,
};

void http_server_defaults(struct http_server_options *options)
{
	*options = (struct http_server_options){
		.connections_max = 1000,
		.connections_per_source_max = 32,
		.body_max = 65536,
		.stream_bytes_max = 1 << 20,
		.handshake_timeout_ms = 30000,
		.head_timeout_ms = 10000,
		.body_timeout_ms = 30000,
		.upload_octets_min = 32768,
		.idle_timeout_ms = 15000,
		.send_timeout_ms = 30000,
		.send_octets_min = 32768,
		.methods = 1U << METHOD_GET | 1U << METHOD_HEAD,
	};
}

int http_server_new(struct http_server **server, const struct http_server_options *options)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (!s) {
		return -ENOMEM;
	}
	s->options = *options;
	*server = s;
	return 0;
}

static void accept_next(uv_stream_t *listener, int status)
{
	if (status == 0) {
		http_connection_accept(listener->data);
	}
}

static void free_if_gone(struct http_server *server)
{
	if (server->is_closing && server->open_listeners == 0 && !server->connections) {
		void (*closed)(void *context) = server->closed;
		void *context = server->closed_context;

		free(server);
		if (closed) {
			closed(context);
		}
	}
}

void http_server_connection_gone(struct http_server *server)
{
	free_if_gone(server);
}

static void listener_closed(uv_handle_t *handle)
{
	struct http_listener *listener = handle->data;

	listener->server->open_listeners--;
	free_if_gone(listener->server);
}

/* A listener that could not be set up: its slot is used up, its handle is closed. */
static void drop_listener(struct http_listener *listener)
{
	listener->kind = STREAM_UNIX; /* it has no port */
	uv_close(&listener->uv.handle, listener_closed);
	listener->server->listener_count++;
}

/* The next slot; NULL when there is none. It counts once listener_count does. */
static struct http_listener *next_listener(struct http_server *server, enum stream_kind kind,
					   char *problem, size_t problem_size)
{
	struct http_listener *listener = &server->listeners[server->listener_count];

	if (server->listener_count == sizeof(server->listeners) / sizeof(server->listeners[0])) {
		snprintf(problem, problem_size, "too many endpoints to listen on: at most 16");
		return NULL;
	}
	listener->server = server;
	listener->kind = kind;
	return listener;
}

static void explain_bind(struct endpoint endpoint, int error, char *problem, size_t problem_size)
{
	char sentence[udp_problem_size];

	udp_bind_problem("TCP", endpoint, -error, sentence);
	snprintf(problem, problem_size, "%s", sentence);
}

static int listen_tcp(struct http_server *server, struct endpoint endpoint, struct tls *tls,
		      char *problem, size_t problem_size)
{
	struct sockaddr_storage storage;
	unsigned flags = endpoint.address.family == ADDRESS_IPV6 ? UV_TCP_IPV6ONLY : 0;
	struct http_listener *listener = next_listener(server, STREAM_TCP, problem, problem_size);
	int error;

	if (!listener) {
		return -ENOSPC;
	}
	udp_sockaddr(endpoint, 0, &storage);
	error = uv_tcp_init(server->options.loop, &listener->uv.tcp);
	if (error != 0) {
		explain_bind(endpoint, error, problem, problem_size);
		return error;
	}
	listener->uv.handle.data = listener;
	listener->tls = tls;
	server->open_listeners++;
	error = uv_tcp_bind(&listener->uv.tcp, (const struct sockaddr *)&storage, flags);
	if (error == 0) {
		int size = send_buffer_octets;

		uv_send_buffer_size(&listener->uv.handle, &size); /* connections inherit it */
		error = uv_listen(&listener->uv.stream, listen_backlog, accept_next);
	}
	if (error != 0) {
		explain_bind(endpoint, error, problem, problem_size);
		drop_listener(listener);
		return error;
	}
	server->listener_count++;
	return 0;
}

int http_server_listen_tcp(struct http_server *server, struct endpoint endpoint, char *problem,
			   size_t problem_size)
{
	return listen_tcp(server, endpoint, NULL, problem, problem_size);
}

int http_server_listen_tls(struct http_server *server, struct endpoint endpoint, struct tls *tls,
			   char *problem, size_t problem_size)
{
	return listen_tcp(server, endpoint, tls, problem, problem_size);
}

/* Takes a socket file away that nobody listens on. 0, or -EADDRINUSE when somebody does. */
static int remove_stale(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat info;
	int fd;
	int error = 0;

	if (lstat(path, &info) != 0) {
		return 0;
	}
	if (!S_ISSOCK(info.st_mode)) {
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		error = -EADDRINUSE;
	} else if (errno == ECONNREFUSED && unlink(path) != 0) {
		error = -errno;
	}
	close(fd);
	return error;
}

int http_server_listen_unix(struct http_server *server, const char *path, unsigned mode,
			    char *problem, size_t problem_size)
{
	struct http_listener *listener = next_listener(server, STREAM_UNIX, problem, problem_size);
	int error;

	if (!listener) {
		return -ENOSPC;
	}
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		snprintf(problem, problem_size, "the path of the socket is too long: %s", path);
		return -ENAMETOOLONG;
	}
	error = remove_stale(path);
	if (error == 0) {
		error = uv_pipe_init(server->options.loop, &listener->uv.pipe, 0);
	}
	if (error != 0) {
		snprintf(problem, problem_size, "cannot listen on %s: %s", path,
			 strerrordesc_np(-error));
		return error;
	}
	listener->uv.handle.data = listener;
	server->open_listeners++;
	error = uv_pipe_bind(&listener->uv.pipe, path);
	if (error == 0 && chmod(path, mode) != 0) {
		error = -errno;
	}
	if (error == 0) {
		error = uv_listen(&listener->uv.stream, listen_backlog, accept_next);
	}
	if (error != 0) {
		snprintf(problem, problem_size, "cannot listen on %s: %s", path,
			 strerrordesc_np(-error));
		drop_listener(listener);
		return error;
	}
	server->listener_count++;
	return 0;
}

uint16_t http_server_port(const struct http_server *server, size_t i)
{
	struct sockaddr_storage storage = {0};
	int length = sizeof(storage);

	if (i >= server->listener_count || server->listeners[i].kind != STREAM_TCP ||
	    uv_tcp_getsockname(&server->listeners[i].uv.tcp, (struct sockaddr *)&storage,
			       &length) != 0) {
		return 0;
	}
	return udp_from_sockaddr(&storage).port;
}

const struct http_server_counters *http_server_counters(const struct http_server *server)
{
	return &server->counters;
}

void http_server_close(struct http_server *server, void (*closed)(void *context), void *context)
{
	struct http_connection *next;

	server->is_closing = true;
	server->closed = closed;
	server->closed_context = context;
	for (size_t i = 0; i < server->listener_count; i++) {
		if (!uv_is_closing(&server->listeners[i].uv.handle)) {
			uv_close(&server->listeners[i].uv.handle, listener_closed);
		}
	}
	for (struct http_connection *c = server->connections; c; c = next) {
		next = c->next;
		http_connection_cut(c, "the server ends");
	}
	free_if_gone(server);
}

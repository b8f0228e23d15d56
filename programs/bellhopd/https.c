/* SPDX-License-Identifier: MIT */
/* The HTTPS door: its certificate and key, at the start, for --check and on SIGHUP. */
#include "programs/bellhopd/server.h"

#include "io/tls_context.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <sys/random.h>

static const char *key_name(enum tls_file file)
{
	switch (file) {
	case TLS_FILE_CERTIFICATE:
		return "certificate";
	case TLS_FILE_KEY:
		return "key";
	case TLS_FILE_CLIENT_CA:
		return "client_ca";
	}
	return "";
}

static unsigned line_of(const struct configuration *config, enum tls_file file)
{
	switch (file) {
	case TLS_FILE_CERTIFICATE:
		return config->https_certificate_line;
	case TLS_FILE_KEY:
		return config->https_key_line;
	case TLS_FILE_CLIENT_CA:
		return config->https_client_ca_line;
	}
	return 0;
}

int server_load_tls(const struct configuration *config, const char *path, struct log *log,
		    SSL_CTX **context, char *problem, size_t problem_size)
{
	struct tls_files files = {
		.certificate = config->https_certificate.data,
		.key = config->https_key.data,
		.client_ca = config->https_client_ca.data,
	};
	struct tls_problem mistake;
	int error;

	*context = NULL;
	if (!configuration_serves_https(config)) {
		return 0;
	}
	if (config->https_key.length == 0) {
		snprintf(
			problem, problem_size,
			"%s:%u: [https] certificate needs a key; name its PEM file in [https] key, "
			"the same one if both are in it",
			path, config->https_certificate_line);
		return -EINVAL;
	}
	error = tls_context_load(context, &files, log, &mistake);
	if (error != 0) {
		snprintf(problem, problem_size, "%s:%u: [https] %s: %s", path,
			 line_of(config, mistake.file), key_name(mistake.file), mistake.sentence);
	}
	return error;
}

static int make_tls(struct server *server, SSL_CTX *context)
{
	struct tls_options options = {.now_ms = NULL};
	int error;

	if (getrandom(options.seed, sizeof(options.seed), 0) != sizeof(options.seed)) {
		return -EIO;
	}
	error = tls_new(&server->tls, context, &options);
	OPENSSL_cleanse(&options, sizeof(options));
	return error;
}

int server_open_https(struct server *server, const struct configuration *config, SSL_CTX *context,
		      char *problem, size_t problem_size)
{
	const struct configuration_listen *listen = &config->https_listen;
	int error = make_tls(server, context);
	size_t opened = 0;

	if (error != 0) {
		SSL_CTX_free(context);
		snprintf(problem, problem_size, "the HTTPS door cannot be made: %s",
			 strerror(-error));
		return error;
	}
	while (error == 0 && opened < listen->count) {
		error = http_door_listen_tls(server->http_door, listen->endpoints[opened],
					     server->tls, problem, problem_size);
		opened += error == 0;
	}
	if (opened == 0) {
		tls_free(server->tls);
		server->tls = NULL; /* nobody is to be sent here, and a reload may try again */
	}
	return error;
}

int server_start_https(struct server *server, char *problem, size_t problem_size)
{
	const struct configuration *config = &server->config;
	SSL_CTX *context;
	int error = server_load_tls(config, server->config_path, &server->log, &context, problem,
				    problem_size);

	if (error != 0) {
		return error;
	}
	if (!context) {
		if (config->https_listen.count > 0) {
			log_info(&server->log, "https_shut",
				 "https is shut: [https] names no certificate and key");
		}
		return 0;
	}
	return server_open_https(server, config, context, problem, problem_size);
}

/* SPDX-License-Identifier: MIT */
/* bellhopd: the server. Reads the configuration, makes the parts, runs the loop. */
#include "programs/bellhopd/server.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

static const char default_path[] = "/etc/bellhop/bellhop.conf";

struct arguments {
	const char *config_path;
	bool only_check;
	bool only_print;
};

static void print_usage(FILE *stream)
{
	fputs("usage: bellhopd [-c FILE] [--check] [--print-config]\n"
	      "\n"
	      "Puts SIP phones into service: answers their SUBSCRIBE for ua-profile, tells each "
	      "its\n"
	      "provisioning URL and serves its configuration and firmware over HTTP, HTTPS "
	      "and\n"
	      "TFTP. Runs in the foreground and logs to standard error.\n"
	      "\n"
	      "  -c, --config FILE  configuration; without it /etc/bellhop/bellhop.conf if that "
	      "is\n"
	      "                     there, else the defaults\n"
	      "      --check        tell every mistake of the configuration with its line; leaves\n"
	      "                     with 1 when there is one\n"
	      "      --print-config print the configuration in force, with all defaults\n"
	      "  -h, --help         print this\n"
	      "  -V, --version      print the version\n"
	      "\n"
	      "SIGTERM finishes cleanly, SIGHUP reads configuration and vendor packs anew.\n"
	      "See bellhopd(8), and bellhop(1) for claiming and configuring phones.\n",
	      stream);
}

/* 0 to go on, 1 when all is said and done, 2 for wrong usage. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
		{"print-config", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},	  {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			arguments->config_path = optarg;
			break;
		case 'k':
			arguments->only_check = true;
			break;
		case 'p':
			arguments->only_print = true;
			break;
		case 'h':
			print_usage(stdout);
			return 1;
		case 'V':
			puts("bellhopd " BELLHOP_VERSION);
			return 1;
		default:
			fputs("bellhopd: see bellhopd --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "bellhopd: '%s' is not expected here; see bellhopd --help\n",
			argv[optind]);
		return 2;
	}
	return 0;
}

static int print_config(const struct configuration *config)
{
	enum { printed_max = 1 << 17 };
	char *text = malloc(printed_max);
	struct writer w = writer_over(text, printed_max);

	if (!text) {
		return EXIT_FAILURE;
	}
	configuration_print(config, &w);
	fwrite(w.data, 1, w.length, stdout);
	free(text);
	return w.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What --check looks at beyond the file itself: the vendor packs, and that the URLs suit them. */
static int check_packs(struct server *server)
{
	struct vendors vendors = {0};
	char problem[server_problem_size];
	int refused = server_load_packs(&server->config, NULL, &vendors, &server->log);
	int error = server_check_urls(&server->config, server->config_path, &vendors, problem,
				      sizeof(problem));

	vendors_free(&vendors);
	server_warn(&server->config, &server->log);
	if (error != 0) {
		fprintf(stderr, "%s\n", problem);
	}
	return refused != 0 || error != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* And the files of [https]. */
static int check_https(struct server *server)
{
	char problem[server_problem_size];
	SSL_CTX *context;
	int error = server_load_tls(&server->config, server->config_path, &server->log, &context,
				    problem, sizeof(problem));

	SSL_CTX_free(context);
	if (error != 0) {
		fprintf(stderr, "%s\n", problem);
	}
	return error != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int check(struct server *server)
{
	int packs = check_packs(server);
	int https = check_https(server);

	return packs == EXIT_SUCCESS ? https : packs;
}

static int run(struct server *server)
{
	char problem[server_problem_size] = "";
	int error;

	server_warn(&server->config, &server->log);
	error = server_start(server, problem, sizeof(problem));
	if (error != 0) {
		log_error(&server->log, "not_started", "%s", problem);
	} else {
		log_info(&server->log, "started", "bellhopd " BELLHOP_VERSION ", data in %s",
			 server->config.data.data);
		loop_run(&server->loop);
	}
	server_stop(server);
	return error != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct server server;
	struct arguments arguments = {0};
	int outcome = read_arguments(argc, argv, &arguments);

	if (outcome != 0) {
		return outcome == 1 ? EXIT_SUCCESS : outcome;
	}
	if (server_prepare_process() != 0) {
		fputs("bellhopd: the kernel gives no random numbers\n", stderr);
		return EXIT_FAILURE;
	}
	server.config_path = arguments.config_path;
	if (!server.config_path && access(default_path, F_OK) == 0) {
		server.config_path = default_path;
	}
	if (server_read_config(&server) != 0) {
		return EXIT_FAILURE;
	}
	log_init(&server.log, STDERR_FILENO, server.config.log_json ? LOG_JSON : LOG_TEXT,
		 server_log_level(&server.config));
	if (arguments.only_check) {
		return check(&server);
	}
	if (arguments.only_print) {
		return print_config(&server.config);
	}
	return run(&server);
}

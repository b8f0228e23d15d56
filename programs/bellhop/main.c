/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/options.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

static int run(const struct arguments *arguments, const struct command *command)
{
	if (argument(arguments, OPTION_VERSION)) {
		puts("bellhop " BELLHOP_VERSION);
		return EXIT_DONE;
	}
	if (argument(arguments, OPTION_HELP)) {
		return run_help(arguments);
	}
	if (!command) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return command->run(arguments);
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	const struct command *command = NULL;
	int result = options_read(argc, argv, &arguments, &command);

	if (result != 0) {
		return result;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		return fail("libcurl cannot be used");
	}
	result = run(&arguments, command);
	curl_global_cleanup();
	/* A full disk behind > FILE must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return fail("cannot write the output: %s", strerror(errno));
	}
	return result;
}

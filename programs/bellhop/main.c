/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/complete.h"
#include "programs/bellhop/options.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* `bellhop completion words ...` is what the scripts of `bellhop completion` ask; see complete.h.
 */
static bool is_asked_to_complete(int argc, char **argv)
{
	return argc >= 3 && strcmp(argv[1], "completion") == 0 && strcmp(argv[2], "words") == 0;
}

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
	int result;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		return fail("libcurl cannot be used");
	}
	if (is_asked_to_complete(argc, argv)) {
		complete_words(argv + 3, (size_t)argc - 3);
		return EXIT_DONE;
	}
	result = options_read(argc, argv, &arguments, &command);
	if (result == 0) {
		result = run(&arguments, command);
	}
	free(arguments.words);
	curl_global_cleanup();
	/* A full disk behind > FILE must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		return fail("cannot write the output: %s", strerror(errno));
	}
	return result;
}

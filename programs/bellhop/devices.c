/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/bellhop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add(struct devices *devices, const char *mac, size_t length)
{
	char **macs = reallocarray(devices->macs, devices->count + 1, sizeof(*macs));

	if (macs) {
		devices->macs = macs;
		macs[devices->count] = strndup(mac, length);
	}
	if (!macs || !macs[devices->count]) {
		return fail("out of memory");
	}
	devices->count++;
	return EXIT_DONE;
}

static int read_list(struct devices *devices)
{
	static const char blanks[] = " \t\r\n";
	char *line = NULL;
	size_t size = 0;
	int result = EXIT_DONE;

	while (result == EXIT_DONE && getline(&line, &size, stdin) >= 0) {
		const char *start = line + strspn(line, blanks);
		size_t length = strcspn(start, "#");

		while (length > 0 && strchr(blanks, start[length - 1])) {
			length--;
		}
		if (length > 0) {
			result = add(devices, start, length);
		}
	}
	free(line);
	if (result == EXIT_DONE && ferror(stdin)) {
		result = fail("cannot read the list of devices: %s", strerror(errno));
	}
	if (result == EXIT_DONE && devices->count == 0) {
		result = fail("the list on the standard input names no device; give a MAC a line");
	}
	return result;
}

int devices_read(const struct arguments *arguments, struct devices *devices)
{
	int result = EXIT_DONE;

	*devices = (struct devices){.is_list = arguments->word_count > 1};
	if (arguments->word_count == 1 && strcmp(arguments->words[0], "-") == 0) {
		devices->is_list = true;
		if (settings_want_stdin(arguments)) {
			say("the standard input cannot be both the list of devices and the value "
			    "of a setting; read the value from a file (PATH=@FILE)");
			return EXIT_USAGE;
		}
		return read_list(devices);
	}
	for (size_t i = 0; i < arguments->word_count && result == EXIT_DONE; i++) {
		result = add(devices, arguments->words[i], strlen(arguments->words[i]));
	}
	return result;
}

void devices_free(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		free(devices->macs[i]);
	}
	free(devices->macs);
}

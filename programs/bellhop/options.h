/* SPDX-License-Identifier: MIT */
/* The options, and reading a command line. */
#ifndef BELLHOP_PROGRAMS_OPTIONS_H
#define BELLHOP_PROGRAMS_OPTIONS_H

#include "programs/bellhop/bellhop.h"

struct option_row {
	uint64_t bit;
	const char *name;
	const char *value; /* "MAC"; NULL: a flag */
	const char *summary;
};

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* Taken by every command. */
#define OPTIONS_COMMON                                                                             \
	(OPTION_SOCKET | OPTION_URL | OPTION_TOKEN_FILE | OPTION_JSON | OPTION_HELP |              \
	 OPTION_VERSION)

/* The row of an option by its name without dashes, or NULL. */
const struct option_row *option_find(const char *name, size_t length);

/* The command of these words (`second` may be NULL), or NULL; whether a word begins commands. */
const struct command *command_find(const char *first, const char *second);
bool command_is_group(const char *word);

/*
 * Reads options and words in any order; after `--` all are words. The command's own words (at most
 * two) are found on the way and left in `*command`, NULL when there are none. 0, or EXIT_USAGE
 * after saying why. `arguments->words` is to be freed in either case.
 */
int options_read(int count, char **texts, struct arguments *arguments,
		 const struct command **command);

#endif

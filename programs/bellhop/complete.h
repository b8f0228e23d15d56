/* SPDX-License-Identifier: MIT */
/*
 * Completion of a command line that is still being typed. The shells' scripts (completion.c) ask
 * `bellhop completion words WORD...`: the words after `bellhop`, the last one that at the cursor,
 * maybe empty. The answer is a candidate a line, with a tab and what it means where that is known;
 * a candidate that goes on (PATH=) gets no blank after it. A line `:files` asks the shell for the
 * names of files. Nothing is ever said on stderr, and a server that does not answer within two
 * seconds is one that is not there.
 */
#ifndef BELLHOP_PROGRAMS_COMPLETE_H
#define BELLHOP_PROGRAMS_COMPLETE_H

#include "programs/bellhop/options.h"

/* Prints the candidates for the last of the words. */
void complete_words(char **words, size_t count);

/* --- Between complete.c, which finds what is wanted, and complete_values.c, which knows it. --- */

struct completion {
	struct arguments arguments; /* what is typed so far; the way to the server */
	const struct command *command;
	char before[64];   /* stands before each candidate: "--vendor=" */
	const char *typed; /* what candidates begin with */
};

/* Prints one that begins with what is typed; the meaning may be NULL. */
void completion_offer(const struct completion *completion, const char *candidate,
		      const char *meaning);

/* Candidates for the value of an option. */
void complete_option_value(const struct completion *completion, uint64_t option);

/* Candidates for a word that the command's usage line calls `name`: "MAC", "bash|zsh|fish". */
void complete_word_value(const struct completion *completion, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/complete.h"

#include <stdlib.h>
#include <string.h>

enum { complete_timeout_s = 2, name_size = 64 };

void completion_offer(const struct completion *completion, const char *candidate,
		      const char *meaning)
{
	if (strncmp(candidate, completion->typed, strlen(completion->typed)) != 0) {
		return;
	}
	/* A line or a tab inside would be another candidate. */
	if (strpbrk(candidate, "\t\n\r")) {
		return;
	}
	printf("%s%s", completion->before, candidate);
	if (meaning && *meaning) {
		putchar('\t');
		for (; *meaning && *meaning != '\n'; meaning++) {
			putchar((unsigned char)*meaning < 0x20 || *meaning == 0x7f ? ' '
										   : *meaning);
		}
	}
	putchar('\n');
}

/* --- Options and commands. --- */

static uint64_t options_of(const struct completion *completion)
{
	return OPTIONS_COMMON | (completion->command ? completion->command->options : 0);
}

static bool may_repeat(uint64_t option)
{
	return option == OPTION_SET || option == OPTION_UNSET;
}

static void offer_options(const struct completion *completion)
{
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		char name[name_size];

		if (!(options_of(completion) & row->bit) ||
		    (argument(&completion->arguments, row->bit) && !may_repeat(row->bit))) {
			continue;
		}
		snprintf(name, sizeof(name), "--%s", row->name);
		completion_offer(completion, name, row->summary);
	}
}

/* Groups, each once, and commands of one word; or, with a group, its commands. */
static void offer_commands(const struct completion *completion, const char *group)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		bool is_of_group = group && command->group && strcmp(command->group, group) == 0;
		bool is_known = i > 0 && command->group && commands[i - 1].group &&
				strcmp(commands[i - 1].group, command->group) == 0;

		if (is_of_group || (!group && !command->group)) {
			completion_offer(completion, command->name, command->summary);
		} else if (!group && !is_known) {
			completion_offer(completion, command->group, "");
		}
	}
}

/* --- The words of a command. --- */

/* The number-th name of a usage line ("MAC [FILE]"); the last one again where it ends in "...". */
static bool name_of_word(const char *words, size_t number, char name[static name_size])
{
	bool is_found = false;

	for (size_t i = 0; words && *words; i++) {
		size_t length = strcspn(words, " ");
		bool is_repeated = length > 3 && memcmp(words + length - 3, "...", 3) == 0;

		if (i == number || is_repeated) {
			snprintf(name, name_size, "%.*s", (int)(is_repeated ? length - 3 : length),
				 words);
			is_found = true;
			break;
		}
		words += length;
		words += strspn(words, " ");
	}
	/* [FILE]: may be left out. */
	if (is_found && name[0] == '[') {
		memmove(name, name + 1, strlen(name));
		name[strcspn(name, "]")] = '\0';
	}
	return is_found;
}

static void offer_word(const struct completion *completion)
{
	const struct arguments *arguments = &completion->arguments;
	char name[name_size];

	if (!completion->command) {
		offer_commands(completion, arguments->word_count > 0 ? arguments->words[0] : NULL);
	} else if (completion->command->run == run_help) {
		/* The words of `help` are those of a command. */
		offer_commands(completion, arguments->word_count > 0 ? arguments->words[0] : NULL);
		if (arguments->word_count == 0) {
			completion_offer(completion, "settings", "the names of all settings");
		}
	} else if (name_of_word(completion->command->words, arguments->word_count, name)) {
		complete_word_value(completion, name);
	}
}

/* --- What was typed before the cursor. --- */

/* Takes a word that is whole; returns the option whose value comes next, or NULL. */
static const struct option_row *take_word(struct completion *completion, char *word,
					  bool *is_words_only)
{
	struct arguments *arguments = &completion->arguments;
	const struct option_row *row;
	size_t length;

	if (!*is_words_only && strcmp(word, "--") == 0) {
		*is_words_only = true;
		return NULL;
	}
	if (*is_words_only || word[0] != '-' || word[1] == '\0') {
		arguments->words[arguments->word_count++] = word;
		return NULL;
	}
	length = word[1] == '-' ? strcspn(word + 2, "=") : 0;
	row = option_find(word + 2, length);
	if (row) {
		arguments->values[__builtin_ctzll(row->bit)] =
			word[2 + length] == '=' ? word + 3 + length : "";
	}
	return row && row->value && word[2 + length] != '=' ? row : NULL;
}

/* Words that are the command's own leave the list. */
static void find_command(struct completion *completion)
{
	struct arguments *arguments = &completion->arguments;
	size_t taken;

	if (arguments->word_count == 0) {
		return;
	}
	completion->command = command_find(arguments->words[0],
					   arguments->word_count > 1 ? arguments->words[1] : NULL);
	if (completion->command) {
		taken = completion->command->group ? 2 : 1;
		arguments->words += taken;
		arguments->word_count -= taken;
	}
}

static void offer(struct completion *completion, const struct option_row *pending, const char *last,
		  bool is_words_only)
{
	size_t length = strcspn(last, "=");
	const struct option_row *row = NULL;

	completion->typed = last;
	if (pending) {
		complete_option_value(completion, pending->bit);
		return;
	}
	if (is_words_only || last[0] != '-') {
		offer_word(completion);
		return;
	}
	if (last[length] == '=' && length > 2) {
		row = option_find(last + 2, length - 2);
	}
	if (row && row->value) {
		snprintf(completion->before, sizeof(completion->before), "%.*s=", (int)length,
			 last);
		completion->typed = last + length + 1;
		complete_option_value(completion, row->bit);
	} else {
		offer_options(completion);
	}
}

void complete_words(char **words, size_t count)
{
	struct completion completion = {.typed = ""};
	const struct option_row *pending = NULL;
	const char **room = calloc(count + 1, sizeof(*room));
	bool is_words_only = false;

	say_quiet(true);
	completion.arguments.words = room;
	completion.arguments.timeout_s = complete_timeout_s;
	for (size_t i = 0; room && i + 1 < count; i++) {
		if (pending) {
			completion.arguments.values[__builtin_ctzll(pending->bit)] = words[i];
			pending = NULL;
		} else {
			pending = take_word(&completion, words[i], &is_words_only);
		}
	}
	if (room) {
		find_command(&completion);
		offer(&completion, pending, count > 0 ? words[count - 1] : "", is_words_only);
	}
	free(room);
}

/* SPDX-License-Identifier: MIT */
#include "core/fleet/setting_names.h"
#include "programs/bellhop/options.h"

#include <string.h>

/* Levenshtein's distance, with one row of memory; long words are far from everything. */
size_t word_distance(const char *a, const char *b)
{
	size_t row[33];
	size_t length = strlen(b);

	if (length > 32 || strlen(a) > 32) {
		return 99;
	}
	for (size_t j = 0; j <= length; j++) {
		row[j] = j;
	}
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t change = corner + (a[i] != b[j]);
			size_t smallest = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;

			corner = row[j + 1];
			row[j + 1] = change < smallest ? change : smallest;
		}
	}
	return row[length];
}

static void print_option(FILE *out, const struct option_row *row)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	fprintf(out, "  %-23s %s\n", left, row->summary);
}

static void print_options(FILE *out, uint64_t options)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (options & option_rows[i].bit) {
			print_option(out, &option_rows[i]);
		}
	}
}

static void print_command_line(FILE *out, const struct command *command)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s%s%s", command->group ? command->group : "",
		 command->group ? " " : "", command->name, command->words ? " " : "",
		 command->words ? command->words : "");
	if (strlen(left) > 27) {
		fprintf(out, "  %s\n  %-27s %s\n", left, "", command->summary);
	} else {
		fprintf(out, "  %-27s %s\n", left, command->summary);
	}
}

void print_help(FILE *out)
{
	fprintf(out, "usage: bellhop [OPTION]... COMMAND ...\n\n"
		     "Talks to a running bellhopd.\n\ncommands:\n");
	for (size_t i = 0; i < command_count; i++) {
		print_command_line(out, &commands[i]);
	}
	fprintf(out, "\noptions of every command:\n");
	print_options(out, OPTIONS_COMMON);
	fprintf(out,
		"\nMore of one command: bellhop help COMMAND. Exit codes: 0 done, 1 refused or "
		"failed,\n2 wrong usage. The manual: man bellhop.\n");
}

void print_command_help(FILE *out, const struct command *command)
{
	fprintf(out, "usage: bellhop [OPTION]... %s%s%s%s%s%s\n\n",
		command->group ? command->group : "", command->group ? " " : "", command->name,
		command->options ? " [OPTION]..." : "", command->words ? " " : "",
		command->words ? command->words : "");
	fprintf(out, "%c%s.\n", command->summary[0] - ('a' - 'A') * (command->summary[0] >= 'a'),
		command->summary + 1);
	if (command->options) {
		fprintf(out, "\noptions:\n");
		print_options(out, command->options);
	}
	fprintf(out, "\noptions of every command:\n");
	print_options(out, OPTIONS_COMMON);
	if (command->more) {
		fprintf(out, "\n%s\n", command->more);
	}
}

static void print_settings_help(FILE *out)
{
	const struct setting_name *name;

	fprintf(out,
		"Settings are PATH=VALUE. In a path # stands for a number from 1 on. Paths that "
		"begin\nwith x. are your own, for templates of your own.\n\n");
	for (size_t i = 0; (name = setting_name_at(i)); i++) {
		char buffer[400];
		struct writer legal = writer_over(buffer, sizeof(buffer) - 1);

		setting_name_write_legal(name, &legal);
		writer_terminate(&legal);
		fprintf(out, "%s%s\n    %s\n    %.*s%s%s%s\n", name->path,
			name->is_secret ? " (secret)" : "", name->description, (int)legal.length,
			buffer, name->default_value ? " (default " : "",
			name->default_value ? name->default_value : "",
			name->default_value ? ")" : "");
	}
}

int run_help(const struct arguments *arguments)
{
	const char *first = arguments->word_count > 0 ? arguments->words[0] : NULL;
	const char *second = arguments->word_count > 1 ? arguments->words[1] : NULL;
	bool is_found = false;

	if (!first) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(first, "settings") == 0 && !second) {
		print_settings_help(stdout);
		return EXIT_DONE;
	}
	/* `help device` tells of each of its commands. */
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		bool is_one = command->group
				      ? strcmp(command->group, first) == 0 &&
						(!second || strcmp(command->name, second) == 0)
				      : strcmp(command->name, first) == 0 && !second;

		if (!is_one) {
			continue;
		}
		if (command->group && !second) {
			print_command_line(stdout, command);
		} else {
			print_command_help(stdout, command);
		}
		is_found = true;
	}
	if (!is_found) {
		say("there is no command %s%s%s; see `bellhop help`", first, second ? " " : "",
		    second ? second : "");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

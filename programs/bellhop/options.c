/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/options.h"

#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[] = {
	{OPTION_VENDOR, "vendor", "VENDOR", "the maker: audiocodes, snom, yealink, ..."},
	{OPTION_MODEL, "model", "MODEL", "the model as the maker writes it: 440HD"},
	{OPTION_PROFILE, "profile", "PROFILE", "the profile whose settings it shares"},
	{OPTION_LABEL, "label", "TEXT", "a name for people"},
	{OPTION_ADDRESS, "address", "ADDRESS",
	 "bind it to this IP address: who has it counts as this device"},
	{OPTION_INTERFACE, "interface", "INTERFACE", "only on this network interface"},
	{OPTION_FORM, "form", "FORM",
	 "form of its NOTIFY: rfc, print, or default (that of its kind)"},
	{OPTION_SET, "set", "PATH=VALUE",
	 "set a setting; @FILE and - read the value (for secrets), @@ is a literal @"},
	{OPTION_UNSET, "unset", "PATH", "remove a setting"},
	{OPTION_PARENT, "parent", "PROFILE", "the profile that it inherits from"},
	{OPTION_STATE, "state", "STATE",
	 "only new, claimed, notified, fetched, stale or blocked ones"},
	{OPTION_SEARCH, "search", "TEXT", "only those with this in their MAC or label"},
	{OPTION_SECRETS, "secrets", NULL, "show the values of secret settings"},
	{OPTION_EFFECTIVE, "effective", NULL,
	 "also show what comes of profiles and of built-in defaults"},
	{OPTION_NAME, "name", "NAME", "its name for phones; else the last part of PATH"},
	{OPTION_SHAPE, "shape", "NAME", "the maker's URL shape of this name"},
	{OPTION_MAC, "mac", "LIST",
	 "MACs, prefixes and ranges, as 00908f,001565000000-0015650000ff"},
	{OPTION_CERTAINTY, "certainty", "DEGREE",
	 "how sure to be at least: claimed, seen, confirmed, proven"},
	{OPTION_PRIORITY, "priority", "NUMBER", "0 to 9999, lower ones are tried first; else 100"},
	{OPTION_ENABLED, "enabled", "yes|no", "whether the rule is tried at all"},
	{OPTION_POOL, "pool", "POOL", "an extension of this pool"},
	{OPTION_EXTENSION, "extension", "NUMBER", "this extension of a pool"},
	{OPTION_RANGE, "range", "LIST",
	 "numbers without accounts of their own, as 200-249,300-320"},
	{OPTION_PARTIAL, "partial", NULL, "pass over rows that are refused"},
	{OPTION_FOLLOW, "follow", NULL, "go on with new ones as they come"},
	{OPTION_DEVICE, "device", "MAC", "only those of this device"},
	{OPTION_ALL, "all", NULL, "all devices that are claimed"},
	{OPTION_DRY_RUN, "dry-run", NULL, "change nothing, and say what would come of it"},
	{OPTION_WAIT, "wait", NULL, "until every one of them has its outcome"},
	{OPTION_FORCE, "force", NULL, "replace the file if it is there"},
	{OPTION_LIMIT, "limit", "NUMBER", "the newest so many; 100 when not given"},
	{OPTION_SOCKET, "socket", "PATH",
	 "the server's admin socket; else $BELLHOP_SOCKET,\n"
	 "                          /run/bellhop/admin.sock, /var/lib/bellhop/admin.sock,\n"
	 "                          ./var/admin.sock"},
	{OPTION_URL, "url", "URL", "ask the server at this URL instead"},
	{OPTION_TOKEN_FILE, "token-file", "FILE", "the token for --url is in this file"},
	{OPTION_JSON, "json", NULL, "print JSON"},
	{OPTION_HELP, "help", NULL, "this help, or that of the command"},
	{OPTION_VERSION, "version", NULL, "print the version"},
};

const size_t option_row_count = sizeof(option_rows) / sizeof(option_rows[0]);

static unsigned number_of(uint64_t option)
{
	return (unsigned)__builtin_ctzll(option);
}

const char *argument(const struct arguments *arguments, uint64_t option)
{
	return arguments->values[number_of(option)];
}

const char *option_name(uint64_t option)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (option_rows[i].bit == option) {
			return option_rows[i].name;
		}
	}
	return "";
}

/* --- Commands. --- */

const struct command *command_find(const char *first, const char *second)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];

		if (command->group ? second && strcmp(command->group, first) == 0 &&
					     strcmp(command->name, second) == 0
				   : strcmp(command->name, first) == 0) {
			return command;
		}
	}
	return NULL;
}

bool command_is_group(const char *word)
{
	for (size_t i = 0; i < command_count; i++) {
		if (commands[i].group && strcmp(commands[i].group, word) == 0) {
			return true;
		}
	}
	return false;
}

static int say_unknown_command(const char *first, const char *second)
{
	bool has_group = command_is_group(first);
	const char *given = has_group && second ? second : first;
	const char *nearest = NULL;
	size_t best = 3;

	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		bool is_candidate =
			!has_group || (command->group && strcmp(command->group, first) == 0);
		const char *word = has_group || !command->group ? command->name : command->group;
		size_t distance = word_distance(given, word);

		if (is_candidate && distance < best) {
			best = distance;
			nearest = word;
		}
	}
	if (has_group && !second) {
		say("%s wants one more word; see `bellhop help %s`", first, first);
	} else if (nearest) {
		say("there is no command %s%s%s; did you mean %s?", has_group ? first : "",
		    has_group ? " " : "", given, nearest);
	} else {
		say("there is no command %s%s%s; see `bellhop help`", has_group ? first : "",
		    has_group ? " " : "", given);
	}
	return EXIT_USAGE;
}

/* --- Options. --- */

const struct option_row *option_find(const char *name, size_t length)
{
	for (size_t i = 0; i < option_row_count; i++) {
		if (strlen(option_rows[i].name) == length &&
		    strncmp(option_rows[i].name, name, length) == 0) {
			return &option_rows[i];
		}
	}
	return NULL;
}

static int say_unknown_option(const char *name)
{
	const char *nearest = NULL;
	size_t best = 3;

	for (size_t i = 0; i < option_row_count; i++) {
		size_t distance = word_distance(name, option_rows[i].name);

		if (distance < best) {
			best = distance;
			nearest = option_rows[i].name;
		}
	}
	if (nearest) {
		say("there is no option --%s; did you mean --%s?", name, nearest);
	} else {
		say("there is no option --%s; see `bellhop help`", name);
	}
	return EXIT_USAGE;
}

static int keep_option(struct arguments *arguments, const struct option_row *row, const char *value)
{
	if (row->bit != OPTION_SET && row->bit != OPTION_UNSET) {
		if (arguments->values[number_of(row->bit)]) {
			say("--%s is given twice", row->name);
			return EXIT_USAGE;
		}
	} else if (arguments->setting_count == settings_arguments_max) {
		say("at most %d settings in one command", settings_arguments_max);
		return EXIT_USAGE;
	} else {
		arguments->settings[arguments->setting_count++] = (struct setting_argument){
			.text = value,
			.is_unset = row->bit == OPTION_UNSET,
		};
	}
	arguments->values[number_of(row->bit)] = value;
	return 0;
}

/* --name VALUE, --name=VALUE or --name. `*at` is its place, and moves to that of its value. */
static int read_option(int count, char **texts, int *at, struct arguments *arguments)
{
	const char *name = texts[*at] + 2;
	size_t length = strcspn(name, "=");
	const struct option_row *row = option_find(name, length);
	const char *value = "";

	if (!row) {
		return say_unknown_option(name);
	}
	if (!row->value && name[length] == '=') {
		say("--%s takes no value", row->name);
		return EXIT_USAGE;
	}
	if (row->value && name[length] == '=') {
		value = name + length + 1;
	} else if (row->value) {
		if (*at + 1 >= count) {
			say("--%s wants a value: %s", row->name, row->value);
			return EXIT_USAGE;
		}
		value = texts[++*at];
	}
	return keep_option(arguments, row, value);
}

/* Words that are the command's own leave the list. */
static int take_command(struct arguments *arguments, const struct command **command)
{
	const char *first = arguments->words[0];
	const char *second = arguments->word_count > 1 ? arguments->words[1] : NULL;
	size_t taken;

	*command = NULL;
	if (arguments->word_count == 0) {
		return 0;
	}
	*command = command_find(first, second);
	if (!*command) {
		return say_unknown_command(first, second);
	}
	taken = (*command)->group ? 2 : 1;
	arguments->word_count -= taken;
	memmove(arguments->words, arguments->words + taken,
		arguments->word_count * sizeof(arguments->words[0]));
	return 0;
}

/* That the command takes these options and so many words. */
static int check(const struct arguments *arguments, const struct command *command)
{
	const char *group = command->group ? command->group : "";
	const char *space = command->group ? " " : "";

	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];

		if (argument(arguments, row->bit) &&
		    !((command->options | OPTIONS_COMMON) & row->bit)) {
			say("%s%s%s takes no --%s; see `bellhop help %s%s%s`", group, space,
			    command->name, row->name, group, space, command->name);
			return EXIT_USAGE;
		}
	}
	if (arguments->word_count < command->words_min ||
	    arguments->word_count > command->words_max) {
		say("use it so: bellhop %s%s%s %s", group, space, command->name,
		    command->words ? command->words : "(and nothing after it)");
		return EXIT_USAGE;
	}
	return 0;
}

int options_read(int count, char **texts, struct arguments *arguments,
		 const struct command **command)
{
	bool is_words_only = false;
	int result = 0;

	*arguments = (struct arguments){.words = calloc((size_t)count + 1, sizeof(char *))};
	if (!arguments->words) {
		return fail("out of memory");
	}
	for (int at = 1; at < count && result == 0; at++) {
		if (!is_words_only && strcmp(texts[at], "--") == 0) {
			is_words_only = true;
		} else if (!is_words_only && strcmp(texts[at], "-h") == 0) {
			arguments->values[number_of(OPTION_HELP)] = "";
		} else if (!is_words_only && texts[at][0] == '-' && texts[at][1] == '-') {
			result = read_option(count, texts, &at, arguments);
		} else if (!is_words_only && texts[at][0] == '-' && texts[at][1] != '\0') {
			say("there is no option %s; options begin with --", texts[at]);
			result = EXIT_USAGE;
		} else {
			arguments->words[arguments->word_count++] = texts[at];
		}
	}
	if (result == 0 && argument(arguments, OPTION_HELP)) {
		/* `bellhop device --help`: whatever of a command is there is enough. */
		*command = NULL;
		return 0;
	}
	if (result == 0) {
		result = take_command(arguments, command);
	}
	return result == 0 && *command ? check(arguments, *command) : result;
}

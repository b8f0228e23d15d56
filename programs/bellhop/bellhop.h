/* SPDX-License-Identifier: MIT */
/*
 * bellhop, the command line: what its files share. A command is a row of the table in commands.c;
 * it takes the parsed arguments and returns the exit code: 0 done, 1 refused or failed (one line on
 * stderr says why and what to do), 2 wrong usage.
 */
#ifndef BELLHOP_PROGRAMS_BELLHOP_H
#define BELLHOP_PROGRAMS_BELLHOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { settings_arguments_max = 256 };

/* Options, as bits of what a command takes: more than an int of ISO C has. */
__extension__ enum option_bit {
	OPTION_VENDOR = 1 << 0,
	OPTION_MODEL = 1 << 1,
	OPTION_PROFILE = 1 << 2,
	OPTION_LABEL = 1 << 3,
	OPTION_ADDRESS = 1 << 4,
	OPTION_INTERFACE = 1 << 5,
	OPTION_FORM = 1 << 6,
	OPTION_SET = 1 << 7,
	OPTION_UNSET = 1 << 8,
	OPTION_PARENT = 1 << 9,
	OPTION_STATE = 1 << 10,
	OPTION_SEARCH = 1 << 11,
	OPTION_SECRETS = 1 << 12,
	OPTION_EFFECTIVE = 1 << 13,
	OPTION_NAME = 1 << 14,
	OPTION_FOLLOW = 1 << 15,
	OPTION_DEVICE = 1 << 16,
	OPTION_LIMIT = 1 << 17,
	/* Taken by every command. */
	OPTION_SOCKET = 1 << 18,
	OPTION_URL = 1 << 19,
	OPTION_TOKEN_FILE = 1 << 20,
	OPTION_JSON = 1 << 21,
	OPTION_HELP = 1 << 22,
	OPTION_VERSION = 1 << 23,
	/* Of single commands, again. */
	OPTION_FORCE = 1 << 24,
	OPTION_SHAPE = 1 << 25,
	/* Of rules, pools and imports. */
	OPTION_MAC = 1LL << 40,
	OPTION_CERTAINTY = 1LL << 41,
	OPTION_PRIORITY = 1LL << 42,
	OPTION_ENABLED = 1LL << 43,
	OPTION_POOL = 1LL << 44,
	OPTION_EXTENSION = 1LL << 45,
	OPTION_RANGE = 1LL << 46,
	OPTION_PARTIAL = 1LL << 47,
	OPTION_DRY_RUN = 1LL << 48,
};

enum { option_count = 49 };

/* One --set or --unset, in the order of the command line. */
struct setting_argument {
	const char *text; /* PATH=VALUE, or PATH */
	bool is_unset;
};

struct arguments {
	const char
		*values[option_count]; /* by the number of the bit; "" for flags that are given */
	struct setting_argument settings[settings_arguments_max];
	size_t setting_count;
	const char **words; /* what follows the command's own words; as many as there were */
	size_t word_count;
	unsigned timeout_s; /* for each answer of the server; 0: the usual one */
};

/* The value of an option, or NULL when it is not given. */
const char *argument(const struct arguments *arguments, enum option_bit option);

typedef int command_fn(const struct arguments *arguments);

struct command {
	const char *group; /* "device", or NULL for a command of one word */
	const char *name;
	/*
	 * "MAC [FILE]" for the usage line, NULL: none. What a word stands for, and so how it is
	 * completed (complete_values.c), goes by its name here.
	 */
	const char *words;
	size_t words_min;
	size_t words_max;
	unsigned long long options; /* enum option_bit */
	command_fn *run;
	const char *summary;
	const char *more; /* further lines of its help, or NULL */
};

extern const struct command commands[];
extern const size_t command_count;

command_fn run_help, run_status;
command_fn run_device_list, run_device_show, run_device_add, run_device_set, run_device_claim,
	run_device_block, run_device_unblock, run_device_remove, run_device_files,
	run_device_preview, run_device_unidentified;
command_fn run_profile_list, run_profile_show, run_profile_set, run_profile_remove;
command_fn run_file_add, run_file_list, run_file_remove;
command_fn run_rule_list, run_rule_show, run_rule_set, run_rule_remove, run_rule_test;
command_fn run_pool_list, run_pool_show, run_pool_set, run_pool_import, run_pool_remove;
command_fn run_device_import, run_device_history;
command_fn run_pack_list, run_pack_show, run_pack_check;
command_fn run_form_list, run_form_pin, run_form_forget;
command_fn run_events, run_completion;
command_fn run_backup, run_restore;
command_fn run_doctor, run_dhcp;

/* As many words as there are. */
enum { words_many = 1 << 20 };

/* --- help.c --- */

void print_help(FILE *out);
void print_command_help(FILE *out, const struct command *command);

/* The name in the option table, without dashes: "socket". */
const char *option_name(enum option_bit option);

/* How many letters must be changed to make one word of the other. */
size_t word_distance(const char *a, const char *b);

/* --- say.c: one line on stderr, controls made visible. --- */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is said from now on is about this ("00908f123456"); NULL: about nothing in particular. */
void say_about(const char *subject);

/* Nothing is said while it is quiet. */
void say_quiet(bool is_quiet);

/* As say, and returns EXIT_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- devices.c --- */

/*
 * The devices that the words of a command name: MACs, or `-` for a list on the standard input, one
 * a line, where blank lines and what follows a '#' are passed over.
 */
struct devices {
	char **macs; /* owned */
	size_t count;
	bool is_list; /* more than one word, or `-`: answers are a list, too */
};

/* "/api/v1/devices/MAC" and what follows it, to be freed; NULL after saying why. */
char *device_path(const char *mac, const char *rest);

/* EXIT_DONE, or after saying why not EXIT_FAILED or EXIT_USAGE. */
int devices_read(const struct arguments *arguments, struct devices *devices);
void devices_free(struct devices *devices);

/* --- csv_file.c --- */

/*
 * Reads a file of comma-separated values whole (`-`: the standard input): EXIT_DONE and its bytes,
 * to be freed, or after saying why EXIT_FAILED.
 */
int csv_file_read(const char *path, char **bytes, size_t *length);

/* --- settings.c --- */

/* True when a setting is to be read from the standard input. */
bool settings_want_stdin(const struct arguments *arguments);

/* {"PATH": "VALUE" or null, …} from --set and --unset; NULL after saying why not. */
json_t *settings_from_arguments(const struct arguments *arguments);

#endif

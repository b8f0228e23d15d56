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
#include <stdint.h>
#include <stdio.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { settings_arguments_max = 256 };

/* Options, as bits of what a command takes: those of every command first. */
#define OPTION_SOCKET	  (UINT64_C(1) << 0)
#define OPTION_URL	  (UINT64_C(1) << 1)
#define OPTION_TOKEN_FILE (UINT64_C(1) << 2)
#define OPTION_JSON	  (UINT64_C(1) << 3)
#define OPTION_HELP	  (UINT64_C(1) << 4)
#define OPTION_VERSION	  (UINT64_C(1) << 5)
#define OPTION_VENDOR	  (UINT64_C(1) << 6)
#define OPTION_MODEL	  (UINT64_C(1) << 7)
#define OPTION_PROFILE	  (UINT64_C(1) << 8)
#define OPTION_LABEL	  (UINT64_C(1) << 9)
#define OPTION_ADDRESS	  (UINT64_C(1) << 10)
#define OPTION_INTERFACE  (UINT64_C(1) << 11)
#define OPTION_FORM	  (UINT64_C(1) << 12)
#define OPTION_SET	  (UINT64_C(1) << 13)
#define OPTION_UNSET	  (UINT64_C(1) << 14)
#define OPTION_PARENT	  (UINT64_C(1) << 15)
#define OPTION_STATE	  (UINT64_C(1) << 16)
#define OPTION_SEARCH	  (UINT64_C(1) << 17)
#define OPTION_SECRETS	  (UINT64_C(1) << 18)
#define OPTION_EFFECTIVE  (UINT64_C(1) << 19)
#define OPTION_NAME	  (UINT64_C(1) << 20)
#define OPTION_FOLLOW	  (UINT64_C(1) << 21)
#define OPTION_DEVICE	  (UINT64_C(1) << 22)
#define OPTION_LIMIT	  (UINT64_C(1) << 23)
#define OPTION_FORCE	  (UINT64_C(1) << 24)
#define OPTION_SHAPE	  (UINT64_C(1) << 25)
#define OPTION_ALL	  (UINT64_C(1) << 26)
#define OPTION_DRY_RUN	  (UINT64_C(1) << 27)
#define OPTION_WAIT	  (UINT64_C(1) << 28)

/* Of rules, pools and imports. */
#define OPTION_MAC	 (UINT64_C(1) << 29)
#define OPTION_CERTAINTY (UINT64_C(1) << 30)
#define OPTION_PRIORITY	 (UINT64_C(1) << 31)
#define OPTION_ENABLED	 (UINT64_C(1) << 32)
#define OPTION_POOL	 (UINT64_C(1) << 33)
#define OPTION_EXTENSION (UINT64_C(1) << 34)
#define OPTION_RANGE	 (UINT64_C(1) << 35)
#define OPTION_PARTIAL	 (UINT64_C(1) << 36)

enum { option_count = 37 };

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
const char *argument(const struct arguments *arguments, uint64_t option);

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
	uint64_t options; /* OPTION_… */
	command_fn *run;
	const char *summary;
	const char *more; /* further lines of its help, or NULL */
};

extern const struct command commands[];
extern const size_t command_count;

command_fn run_help, run_status;
command_fn run_device_list, run_device_show, run_device_add, run_device_set, run_device_claim,
	run_device_block, run_device_unblock, run_device_remove, run_device_files,
	run_device_preview, run_device_unidentified, run_device_resync, run_device_reboot;
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
const char *option_name(uint64_t option);

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

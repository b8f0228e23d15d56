/* SPDX-License-Identifier: MIT */
/*
 * --on-config and --on-firmware: a command of the user's, run by the shell with one file name.
 */
#ifndef BELLHOP_PROGRAMS_AGENT_COMMAND_H
#define BELLHOP_PROGRAMS_AGENT_COMMAND_H

#include "io/loop.h"

enum { command_s_max = 120, command_environment_max = 8, command_value_size = 4200 };

struct command {
	uv_process_t process;
	uv_timer_t timer;
	unsigned handles_open;
	int error;
	char environment[command_environment_max][command_value_size];
	size_t environment_count;
	void (*done)(void *context, int error);
	void *context;
};

/* Forgets what was set; to be called before command_set. The command must not be running. */
void command_reset(struct command *command);

/* NAME=value in the environment of the command. */
void command_set(struct command *command, const char *name, const char *value);

/*
 * Runs /bin/sh -c 'line "$@"' with `file` as its argument, stdin empty, stdout on our stderr.
 * `done` comes from the loop: 0 when it left with 0, -ECANCELED when not, -ETIMEDOUT when it was
 * ended after command_s_max. 0 or a negative errno, and then `done` never comes.
 */
int command_run(struct command *command, struct loop *loop, const char *line, const char *file);

#endif

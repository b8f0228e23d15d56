/* SPDX-License-Identifier: MIT */
#include "programs/bellhop-agent/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { inherited_max = 4096 };

void command_reset(struct command *command)
{
	command->environment_count = 0;
}

void command_set(struct command *command, const char *name, const char *value)
{
	if (command->environment_count < command_environment_max) {
		snprintf(command->environment[command->environment_count++], command_value_size,
			 "%s=%s", name, value);
	}
}

static void closed(uv_handle_t *handle)
{
	struct command *command = handle->data;

	if (--command->handles_open == 0) {
		command->done(command->context, command->error);
	}
}

static void ended(uv_process_t *process, int64_t status, int signal)
{
	struct command *command = process->data;

	if (command->error == 0 && (status != 0 || signal != 0)) {
		command->error = -ECANCELED;
	}
	uv_close((uv_handle_t *)&command->timer, closed);
	uv_close((uv_handle_t *)process, closed);
}

static void took_too_long(uv_timer_t *timer)
{
	struct command *command = timer->data;

	command->error = -ETIMEDOUT;
	uv_kill(-command->process.pid, SIGKILL);
}

static int spawn(struct command *command, struct loop *loop, char **arguments, char **environment)
{
	uv_stdio_container_t streams[3] = {
		{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
	};
	/* A session of its own, so that what it started ends with it. */
	uv_process_options_t options = {.file = "/bin/sh",
					.args = arguments,
					.env = environment,
					.flags = UV_PROCESS_DETACHED,
					.stdio = streams,
					.stdio_count = 3,
					.exit_cb = ended};

	return uv_spawn(&loop->uv, &command->process, &options);
}

static void spawn_failed(uv_handle_t *handle)
{
	(void)handle;
}

int command_run(struct command *command, struct loop *loop, const char *line, const char *file)
{
	char script[command_value_size];
	char *arguments[] = {(char[]){"sh"}, (char[]){"-c"},	      script,
			     (char[]){"sh"}, command->environment[0], NULL};
	char *environment[inherited_max + command_environment_max + 1];
	char argument[command_value_size];
	size_t count = 0;
	int error;

	if (snprintf(script, sizeof(script), "%s \"$@\"", line) >= (int)sizeof(script) ||
	    snprintf(argument, sizeof(argument), "%s", file) >= (int)sizeof(argument)) {
		return -ENAMETOOLONG;
	}
	arguments[4] = argument;
	for (char **entry = environ; *entry && count < inherited_max; entry++) {
		environment[count++] = *entry;
	}
	for (size_t i = 0; i < command->environment_count; i++) {
		environment[count++] = command->environment[i];
	}
	environment[count] = NULL;
	command->error = 0;
	command->process.data = command;
	error = spawn(command, loop, arguments, environment);
	if (error != 0) {
		uv_close((uv_handle_t *)&command->process, spawn_failed);
		return error;
	}
	command->handles_open = 2;
	uv_timer_init(&loop->uv, &command->timer);
	command->timer.data = command;
	uv_timer_start(&command->timer, took_too_long, (uint64_t)command_s_max * 1000, 0);
	return 0;
}

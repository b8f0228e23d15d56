/* SPDX-License-Identifier: MIT */
/* bellhop-agent: the phone's side. Reads the command line, makes the agent, runs the loop. */
#include "programs/bellhop-agent/agent.h"

#include <signal.h>
#include <stdlib.h>

/* 0 when the phone is configured, or was ended by a signal while it stayed up. */
static int outcome(const struct agent *agent)
{
	const struct phone_round *round = phone_last_round(agent->phone);

	if (!agent->options.is_once) {
		return 0;
	}
	if (round->number == 0) {
		show_problem("ended before the phone was configured");
		return 1;
	}
	if (!round->is_configured) {
		show_problem("not configured: %s (%s)", round->text, round->failure);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options *options = calloc(1, sizeof(*options));
	struct agent *agent = calloc(1, sizeof(*agent));
	int status = 1;

	signal(SIGPIPE, SIG_IGN);
	if (options && agent) {
		status = options_read(options, argc, argv);
		if (status != 0) {
			status = status == 1 ? 0 : status;
		} else if (agent_open(agent, options) != 0) {
			agent_close(agent);
			status = 1;
		} else {
			agent_run(agent);
			status = outcome(agent);
			agent_close(agent);
		}
	}
	free(agent);
	free(options);
	return status;
}

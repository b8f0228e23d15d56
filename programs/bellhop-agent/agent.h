/* SPDX-License-Identifier: MIT */
/*
 * The shell around core/phone: one loop, one UDP socket, the downloads, the files of the state
 * folder and the two commands. It carries out what the phone decides, in order, and nothing else.
 */
#ifndef BELLHOP_PROGRAMS_AGENT_AGENT_H
#define BELLHOP_PROGRAMS_AGENT_AGENT_H

#include "io/download.h"
#include "io/udp.h"
#include "programs/bellhop-agent/address.h"
#include "programs/bellhop-agent/command.h"
#include "programs/bellhop-agent/show.h"

enum agent_command { AGENT_NO_COMMAND, AGENT_ON_CONFIG, AGENT_ON_FIRMWARE };

struct agent {
	struct options options;
	struct place place;
	struct show show;
	struct phone *phone;
	struct phone_effects effects;
	struct sip_message message;
	struct random random;

	struct loop loop;
	bool loop_is_open;
	struct udp *udp;
	struct loop_timer timer;
	struct downloads *downloads;
	struct command command;
	enum agent_command running;
	uv_signal_t signals[2];
	unsigned signal_count;
	char user_agent[256];

	uint32_t task_number; /* the last one begun */
	int image_file;	      /* descriptor of the image being fetched, or -1 */
	char image_part[filesystem_path_max];
	char image[filesystem_path_max];
	char image_facts[filesystem_path_max]; /* version and fingerprint of the image burnt last */
	char version[phone_firmware_version_max + 1];
	char fingerprint[phone_fingerprint_size];
	bool had_settings; /* settings_before is what the file held before the last STORE */
	struct span settings_before;
	bool is_over;
};

/*
 * Opens everything; the phone is not started yet. 0, or a negative errno with one sentence told on
 * stderr. agent_close in either case.
 */
int agent_open(struct agent *agent, const struct options *options);

/* Powers the phone up and runs until the one round is over or a signal comes. */
void agent_run(struct agent *agent);

void agent_close(struct agent *agent);

#endif

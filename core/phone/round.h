/* SPDX-License-Identifier: MIT */
/*
 * Inside the phone: its state, and the steps of one round that phone.c, round.c, round_firmware.c
 * and round_config.c share. Nobody else includes this.
 */
#ifndef BELLHOP_CORE_PHONE_ROUND_H
#define BELLHOP_CORE_PHONE_ROUND_H

#include "core/phone/phone.h"

enum {
	name_size = 64,
	/* The configuration, each splice of an include, the merged settings and their tables. */
	round_bytes_max = 16 * 1024 * 1024,
	settings_bytes_max = 4 * 1024 * 1024,
	option_value_size = 256,
};

struct phone {
	struct phone_options options;
	char model[name_size];
	char version[name_size];
	char fingerprint[phone_fingerprint_size];
	char option_values[phone_dhcp_options_max][option_value_size];

	enum phone_state state;
	struct subscriber subscriber;
	char learned[phone_url_text_max]; /* the URL that SIP brought: used until it fails */
	size_t learned_length;
	uint64_t wake_ms;
	bool is_power_up;	     /* the next round is one after a start, not at a period */
	enum subscriber_order order; /* came while a round went on: for its end */

	uint64_t clock_ms; /* now_ms at which utc_ms was true */
	uint64_t utc_ms;
	int utc_offset_s;

	struct phone_round round;
	struct arena arena; /* of the round */
	struct discovery discovery;
	struct span config_text;
	unsigned include_count;
	struct phone_include include; /* the one being fetched */
	char new_version[name_size];
	char new_fingerprint[phone_fingerprint_size];
	struct phone_config_change change;

	struct phone_task task;
	char url[phone_url_size];
	char url_public[phone_url_size];

	/* The settings in force and, while they change, the next ones. */
	struct arena settings_arena[2];
	unsigned settings_in;
	struct phone_config settings;
};

/* Reads a copy of `text` and makes it the settings in force. As phone_config_parse; -ENOMEM. */
int phone_take_settings(struct phone *phone, struct span text, unsigned *line);

/* The civil time at `now_ms`, by the clock that the shell set; seconds since 1970. */
int64_t round_utc_s(const struct phone *phone, uint64_t now_ms);

/* Ends the round and plans the next: `failure` NULL when the phone is configured. */
void round_finish(struct phone *phone, const char *failure, const char *text, uint64_t now_ms,
		  struct phone_effects *effects);

/* The phone restarts: it looks again after that, as at a power-up. */
void round_reboot(struct phone *phone, uint64_t now_ms, struct phone_effects *effects);

/* Puts a task of that kind, with a number of its own, before the shell. */
void round_new_task(struct phone *phone, enum phone_task_kind kind, enum phone_file file);

/* Asks the shell for a file. False when its URL cannot be written out. */
bool round_fetch(struct phone *phone, const struct phone_url *url, enum phone_file file);

/* A constant word for the error of a download. */
const char *round_download_failure(int error);

/* The files of phone->discovery: the firmware first, if there is one to look at. */
void round_begin_files(struct phone *phone, uint64_t now_ms, struct phone_effects *effects);
void round_begin_config(struct phone *phone, uint64_t now_ms, struct phone_effects *effects);

/* Results of the tasks. */
void round_take_firmware_head(struct phone *phone, const struct phone_change *change,
			      uint64_t now_ms, struct phone_effects *effects);
void round_take_firmware_image(struct phone *phone, const struct phone_change *change,
			       uint64_t now_ms, struct phone_effects *effects);
void round_take_burnt(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		      struct phone_effects *effects);
void round_take_config(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		       struct phone_effects *effects);
void round_take_stored(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		       struct phone_effects *effects);

#endif

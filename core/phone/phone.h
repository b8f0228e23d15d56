/* SPDX-License-Identifier: MIT */
/*
 * One phone, from power-up to configured: it learns where its files are (discovery, subscriber),
 * looks at the firmware first and at the configuration after it, checks that the configuration is
 * meant for its model, lays it over its settings, and comes back at the times that its settings say
 * (audiocodes.md 1.1, 1.3, 1.4, 3, 6.6). Used by bellhop-agent, by a simulator, and by makers of
 * devices: it owns no socket, file or clock.
 *
 * Datagrams go in and out as with every decider. Everything else the phone needs done is one task
 *at a time: after each call the shell looks at phone_task, does what it says (a download callback,
 *a file to be written), and hands the result back by phone_change.
 *
 *	PHONE_CHANGE_START -> phone_task: FETCH head of the image -> FETCH image -> BURN
 *			   -> FETCH configuration -> FETCH includes -> STORE -> PHONE_EVENT_APPLIED
 *
 * After BURN a phone starts anew; here the round goes on to the configuration, which is what the
 * phone would do next.
 */
#ifndef BELLHOP_CORE_PHONE_PHONE_H
#define BELLHOP_CORE_PHONE_PHONE_H

#include "core/phone/discovery.h"
#include "core/phone/firmware.h"
#include "core/phone/schedule.h"
#include "core/phone/subscriber.h"

enum {
	phone_firmware_bytes_max = 256 * 1024 * 1024,
	phone_fingerprint_size = 33, /* 32 hexadecimal digits and NUL */
	phone_reboot_ms = 5000,	     /* the least time from a reboot to the next round */
};

struct phone_options {
	/* model empty: system/type of the settings, else 440HD. version empty: 2.2.2. */
	struct phone_identity identity;
	struct phone_dhcp dhcp;
	struct endpoint local;
	struct endpoint target; /* where the SUBSCRIBE goes */
	uint32_t interface;
	const struct subscriber_allowed *allowed;
	size_t allowed_count;
	bool is_once; /* one round, without random_provisioning_time; no next check */
	/* Of the image burnt last, as PHONE_TASK_BURN gave it; empty when there was none. */
	struct span fingerprint;
	struct sip_message *message; /* room to parse in; may be shared on one thread */
	struct random *random;	     /* the same */
};

enum phone_task_kind {
	PHONE_TASK_NONE,
	PHONE_TASK_FETCH, /* get `url`; hand the bytes back, or put them into a file */
	PHONE_TASK_BURN,  /* the image in the file is new: install it, remember `fingerprint` */
	PHONE_TASK_STORE, /* replace the settings by `text`, all or nothing */
};

struct phone_task {
	enum phone_task_kind kind;
	uint32_t number; /* another one with every task */
	enum phone_file file;
	struct span url;	 /* FETCH; may hold credentials */
	struct span url_public;	 /* the same without, for people */
	uint64_t bytes_max;	 /* FETCH: more is an error (-EFBIG), or enough with is_head */
	bool is_head;		 /* the first bytes_max bytes are all that is wanted */
	bool to_file;		 /* FETCH: into the file that BURN then uses */
	struct span version;	 /* BURN: of the image, or empty when it shows none */
	struct span fingerprint; /* BURN */
	struct span text;	 /* STORE */
	unsigned effects;	 /* STORE: enum phone_effect of what changes */
};

enum phone_change_kind {
	PHONE_CHANGE_START,	/* power-up: begin a round */
	PHONE_CHANGE_CHECK,	/* look again now, as at a period */
	PHONE_CHANGE_TASK_DONE, /* all fields below */
	PHONE_CHANGE_CLOCK,	/* utc_ms and utc_offset_s */
};

struct phone_change {
	enum phone_change_kind kind;
	uint32_t task_number; /* a result of another task is ignored */
	int error;	      /* 0, -ENOENT (the server has no such file), or what went wrong */
	unsigned status;      /* of HTTP, 0 without */
	struct span bytes;    /* of a FETCH that is not to_file; copied */
	uint64_t byte_count;
	struct span text; /* what went wrong, for people; no secrets */
	uint64_t utc_ms;
	int utc_offset_s; /* local time is ahead of UTC by this */
};

enum phone_state {
	PHONE_IDLE,
	PHONE_WAITING, /* for the next check */
	PHONE_SUBSCRIBING,
	PHONE_FIRMWARE_HEAD,
	PHONE_FIRMWARE_IMAGE,
	PHONE_FIRMWARE_BURN,
	PHONE_CONFIG,
	PHONE_CONFIG_STORE,
};

/* How the last round ended. */
struct phone_round {
	uint32_t number; /* rounds ended so far */
	bool is_configured;
	const char *failure; /* a constant word when not */
	char text[256];	     /* one sentence */
};

struct phone;

/*
 * A phone with these settings (the text of its configuration file; copied). 0 and `*phone`; -EINVAL
 * or -E2BIG with the line of the settings in `*line` (0: the identity cannot be used); -ENOMEM.
 * Spans of the options are copied; `allowed`, `message` and `random` stay the caller's.
 */
int phone_new(struct phone **phone, const struct phone_options *options, struct span settings,
	      unsigned *line);
void phone_free(struct phone *phone);

void phone_receive(struct phone *phone, const struct packet *packet, uint64_t now_ms,
		   struct phone_effects *effects);
void phone_expire(struct phone *phone, uint64_t now_ms, struct phone_effects *effects);
uint64_t phone_next_wake(const struct phone *phone);
void phone_change(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		  struct phone_effects *effects);

/* What is to be done now, or NULL; valid until the next call. */
const struct phone_task *phone_task(const struct phone *phone);

enum phone_state phone_state(const struct phone *phone);
const struct phone_round *phone_last_round(const struct phone *phone);

/* The settings as they are; valid until the next call. */
const struct phone_config *phone_settings(const struct phone *phone);

/* Who it is, with what the settings and the firmware added. */
const struct phone_identity *phone_identity(const struct phone *phone);

#endif

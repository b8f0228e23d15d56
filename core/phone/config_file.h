/* SPDX-License-Identifier: MIT */
/*
 * The configuration file of AudioCodes phones (audiocodes.md 4): one name=value a line, names are
 * slash paths, `;` starts a comment line, blank lines and empty values are fine, a later line
 * overrides an earlier one, blanks around name and value are not part of them. A line `include URL`
 * puts another file in its place.
 *
 * A line that is none of these makes the whole file unreadable: an error page that a web server
 * sent as 200 must not be taken for a configuration.
 */
#ifndef BELLHOP_CORE_PHONE_CONFIG_FILE_H
#define BELLHOP_CORE_PHONE_CONFIG_FILE_H

#include "core/base/arena.h"
#include "core/base/writer.h"

enum {
	phone_config_bytes_max = 256 * 1024, /* of one file, and of all with their includes */
	phone_config_parameters_max = 8192,
	phone_config_name_max = 128,
	phone_config_value_max = 32768, /* voip/signalling/sip/number_rules */
	phone_config_includes_max = 8,
};

struct phone_parameter {
	struct span name; /* compared without regard to case */
	struct span value;
};

/* Each name once, in the order in which the names first appeared. */
struct phone_config {
	struct phone_parameter *parameters;
	size_t count;
};

struct phone_include {
	struct span line; /* the whole line without its end: what phone_config_splice replaces */
	struct span url;
};

/*
 * Reads a file without includes. Parameters live in `arena`, names and values in `text`; both must
 * outlive `*config`. 0; -EINVAL with the number of the line in `*line` (also for an include);
 * -E2BIG beyond a limit, with the line where one was passed, or 0; -ENOMEM.
 */
int phone_config_parse(struct span text, struct arena *arena, struct phone_config *config,
		       unsigned *line);

/* The first include of the text: 0 and `*include`, or -ENOENT. */
int phone_config_find_include(struct span text, struct phone_include *include);

/*
 * Writes `text` with the include's line replaced by `replacement`. `include` was found in `text`.
 */
void phone_config_splice(struct writer *w, struct span text, const struct phone_include *include,
			 struct span replacement);

/* The value of a name, or the empty span with data NULL when the file does not set it. */
struct span phone_config_get(const struct phone_config *config, const char *name);

/* What has to happen on the phone for a changed parameter to take effect (audiocodes.md 3.7). */
enum phone_effect {
	PHONE_EFFECT_NONE = 0,
	PHONE_EFFECT_CLOCK = 1,	    /* REF_NTP */
	PHONE_EFFECT_LOG = 2,	    /* RL_LOG */
	PHONE_EFFECT_INTERFACE = 4, /* RL_UI */
	PHONE_EFFECT_VOIP = 8,	    /* RL_VOIP: the telephony task starts anew */
	PHONE_EFFECT_REBOOT = 16,
};

enum phone_effect phone_config_effect(struct span name);

struct phone_config_change {
	size_t changed_count;	   /* parameters added or with another value */
	unsigned effects;	   /* enum phone_effect, or-ed together */
	struct span first_changed; /* a name, for the operator; never a value */
};

/*
 * `current` with the parameters of `incoming` over it: names that are there keep their place, new
 * ones follow. What `incoming` does not name stays. Parameters live in `arena`, names and values
 * where they were. 0, -E2BIG beyond phone_config_parameters_max, or -ENOMEM.
 */
int phone_config_merge(const struct phone_config *current, const struct phone_config *incoming,
		       struct arena *arena, struct phone_config *merged,
		       struct phone_config_change *change);

/* Writes one name=value a line; reading it back gives the same parameters. */
void phone_config_write(struct writer *w, const struct phone_config *config);

#endif

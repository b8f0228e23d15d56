/* SPDX-License-Identifier: MIT */
/*
 * Settings: the neutral description of a phone as a list of PATH = VALUE, sorted by path. Paths are
 * dotted (`sip_lines.1.username`); values are text as the admin wrote it. Known paths have a type
 * (core/fleet/setting_names.c, printed in doc/settings.md); paths below `x.` are the admin's own,
 * for templates of his own.
 */
#ifndef BELLHOP_CORE_FLEET_SETTINGS_H
#define BELLHOP_CORE_FLEET_SETTINGS_H

#include "core/base/span.h"

enum { settings_count_max = 2000, setting_path_max = 200, setting_value_max = 65536 };

struct setting {
	char *path;  /* NUL-terminated, owned */
	char *value; /* NUL-terminated, owned */
};

struct settings {
	struct setting *items; /* sorted by path, owned */
	size_t count;
};

/* The value of a path, or NULL. */
const char *settings_get(const struct settings *settings, struct span path);

/*
 * Sets one path after checking it: -EINVAL with a sentence in `problem` (what is wrong, what is
 * legal, the nearest known name for a misspelt one; never the value of a secret), -ENOSPC when
 * settings_count_max is reached, -ENOMEM. `settings` is unchanged on failure.
 */
int settings_set(struct settings *settings, struct span path, struct span value, char *problem,
		 size_t problem_size);

/* Removes one path: 0, or -ENOENT. */
int settings_unset(struct settings *settings, struct span path);

/* Paths and values are the same. */
bool settings_equal(const struct settings *a, const struct settings *b);

/* Lays `over` on top of `settings`, without checks: 0, -ENOSPC or -ENOMEM (unchanged then). */
int settings_merge(struct settings *settings, const struct settings *over);

/*
 * Puts one path as it is, without checks: for what was checked before it was stored. 0, -ENOSPC or
 * -ENOMEM (unchanged then).
 */
int settings_put(struct settings *settings, struct span path, struct span value);

/* A deep copy: 0 or -ENOMEM. */
int settings_copy(struct settings *copy, const struct settings *settings);
void settings_free(struct settings *settings);

/* The value must not be shown to anybody who may not see secrets (passwords, PINs, keys). */
bool setting_is_secret(struct span path);

#endif

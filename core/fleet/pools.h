/* SPDX-License-Identifier: MIT */
/*
 * Pools of extensions: numbers, each with the account that a phone registers by, of which a claimed
 * device gets the next free one (`device.pool`, `device.extension`, and the settings of its first
 * line). The device's record alone says who has a number: it is free again when the device is
 * removed, whatever became of the pool meanwhile. A pool that is edited changes no device that has
 * one of its numbers.
 *
 * A pool is given, and stored, as JSON:
 *
 *	{"ranges": ["200-299"],
 *	 "numbers": [{"extension": "300", "username": "u300", "auth_username": "a300",
 *		      "password": "secret", "display_name": "Reception"}]}
 *
 * Numbers of a range have themselves as user name and no password; a row says more of one number,
 * inside a range or not. Free ones are given out in the order of their length, then of their
 * digits: 99, 100, 101.
 */
#ifndef BELLHOP_CORE_FLEET_POOLS_H
#define BELLHOP_CORE_FLEET_POOLS_H

#include "core/base/arena.h"
#include "core/base/writer.h"
#include "core/fleet/device.h"

enum { pool_ranges_max = 1000 };

struct pool_number {
	/* In the pool's arena. Empty: not given. */
	const char *extension;
	const char *username;
	const char *auth_username;
	const char *password;
	const char *display_name;
	bool is_row;	  /* given as a row, and not by a range alone */
	bool is_taken;	  /* `owner` has it */
	bool is_reserved; /* by a change that is prepared; the writer's */
	struct mac owner;
};

struct number_pool {
	char name[device_pool_size];
	struct pool_number *numbers; /* in order */
	size_t count;
	size_t taken;
	size_t next_free; /* no free one stands before it; the writer's */
	const char **ranges;
	size_t range_count;
	uint64_t told_empty_utc_ms; /* the writer's */
	char *body;		    /* as it is to be stored; NULL once it is in place */
	struct arena arena;
};

/* Letters, digits and ._- : of a rule, too. */
bool pool_name_is_legal(struct span name);

/* Letters, digits and ._-+*# . */
bool pool_extension_is_legal(struct span extension);

/*
 * Makes a pool of its JSON, of at most `numbers_max` numbers: 0 and `*pool`, or -EINVAL, -ENOSPC
 * with a sentence in `problem` (without a password in it), or -ENOMEM.
 */
int number_pool_read(struct span name, struct span body, size_t numbers_max,
		     struct number_pool **pool, struct writer *problem);
void number_pool_free(struct number_pool *pool);

/* The number with this extension, or NULL. */
struct pool_number *number_pool_find(const struct number_pool *pool, struct span extension);

/* The next free one, or NULL when there is none. The writer's. */
struct pool_number *number_pool_next(struct number_pool *pool);

/* It is free once more. The writer's. */
void number_pool_release(struct number_pool *pool, struct pool_number *number);

/* The settings of a phone that has it, over those that there are: 0 or as settings_set. */
int pool_number_settings(const struct pool_number *number, struct settings *settings, char *problem,
			 size_t problem_size);

/* Takes those settings away. */
void pool_settings_remove(struct settings *settings);

#endif

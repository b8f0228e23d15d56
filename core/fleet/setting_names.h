/* SPDX-License-Identifier: MIT */
/*
 * The names of settings: wazo-provd's documented neutral parameters where one exists, our own where
 * none does. One table; doc/settings.md is printed from it.
 */
#ifndef BELLHOP_CORE_FLEET_SETTING_NAMES_H
#define BELLHOP_CORE_FLEET_SETTING_NAMES_H

#include "core/base/writer.h"

enum setting_type {
	SETTING_TEXT,	  /* one line of UTF-8 without controls, at most `max` bytes */
	SETTING_HOST,	  /* address or DNS name */
	SETTING_ADDRESS,  /* IPv4 or IPv6 address */
	SETTING_INTEGER,  /* min .. max */
	SETTING_BOOLEAN,  /* true, yes, on, 1 / false, no, off, 0; kept as true or false */
	SETTING_CHOICE,	  /* one of `choices`, in any case; kept as it stands there */
	SETTING_TIME,	  /* hh:mm, 00:00 .. 23:59 */
	SETTING_TIMEZONE, /* an IANA name, Area/Place, or UTC */
	SETTING_LOCALE,	  /* language, or language_COUNTRY: de, fr_CA */
	SETTING_URL,	  /* scheme://…, visible ASCII */
	SETTING_DIGITS,	  /* what a phone dials: digits, *, #, + and a letter or dot */
};

struct setting_name {
	const char *path; /* `#` stands for an index: a line from 1 to 64, a key from 1 to 1000 */
	enum setting_type type;
	bool is_secret;
	uint32_t min;
	uint32_t max;
	const char *choices;	   /* "udp|tcp|tls" */
	const char *default_value; /* built in; NULL: none */
	const char *description;
};

/* The i-th name of the table, or NULL past the last. */
const struct setting_name *setting_name_at(size_t i);

/* The row that a path belongs to, or NULL. Paths below `x.` belong to none. */
const struct setting_name *setting_name_find(struct span path);

/* The known path nearest to a misspelt one (indices kept), written to `w`; false: none is near. */
bool setting_name_nearest(struct span path, struct writer *w);

/* The legal values of a row, in words: "1 to 65535". */
void setting_name_write_legal(const struct setting_name *name, struct writer *w);

/*
 * Checks a value against its row and writes it in its one spelling to `w`, whose room must hold
 * value.length + 64 bytes. 0 or -EINVAL.
 */
int setting_value_normalise(const struct setting_name *name, struct span value, struct writer *w);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The INI reader: [section], key = value, comments from `;` or `#` at the start of a line, and from
 * a `;` or `#` that follows a blank inside one. A value may stand in double quotes, in which
 * \" and \\ are escapes and comment signs are text. There is no limit on the length of a line, and
 * every mistake of the file is told, each with its line.
 *
 * What a key means is the caller's business: it walks the entries and reports its own mistakes
 * into the same list, so that the user sees all of them at once and in order.
 */
#ifndef BELLHOP_CORE_BASE_INI_H
#define BELLHOP_CORE_BASE_INI_H

#include "core/base/arena.h"
#include "core/base/span.h"

struct ini_entry {
	struct span section; /* empty before the first [section] */
	struct span key;
	struct span value; /* unquoted; may be empty */
	unsigned line;	   /* from 1 */
};

struct ini_mistake {
	unsigned line;
	struct span text; /* what is wrong and what would be right; one line, no full stop */
};

enum { ini_mistakes_max = 200, ini_entries_max = 10000 };

struct ini {
	struct arena *arena;
	struct ini_entry *entries;
	size_t entry_count;
	struct ini_mistake *mistakes;
	size_t mistake_count;
	size_t mistakes_dropped; /* beyond ini_mistakes_max */
};

/*
 * Reads the text; spans of the result point into `text` or `arena`, which must outlive it. 0 (the
 * file may still have mistakes: see mistake_count), or -ENOMEM.
 */
int ini_parse(struct ini *ini, struct arena *arena, struct span text);

/* Adds a mistake of line `line`; the text is copied. Keeps the list in the order of the lines. */
void ini_add_mistake(struct ini *ini, unsigned line, struct span text);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The guard-page test: every prefix of a fixture is laid so that it ends exactly at an unmapped
 * page, and once more so that it starts exactly after one. A parser that reads one octet too many
 * dies at once, in a plain build too (security.md 3.1).
 */
#ifndef BELLHOP_TESTS_GUARD_H
#define BELLHOP_TESTS_GUARD_H

#include "core/base/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void guard_fn(struct span input, void *context);

/* Calls `function` for every prefix of `whole`, from 0 to its length, at both ends of a mapping. */
static inline void guard_each_prefix(struct span whole, guard_fn *function, void *context)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (whole.length + page) / page * page;
	char *map = mmap(NULL, room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (map == MAP_FAILED || mprotect(map, page, PROT_NONE) != 0 ||
	    mprotect(map + page + room, page, PROT_NONE) != 0) {
		perror("guard page");
		abort();
	}
	for (size_t length = 0; length <= whole.length; length++) {
		char *at_end = map + page + room - length;

		if (length > 0) {
			memcpy(at_end, whole.data, length);
		}
		function(span_make(at_end, length), context);
	}
	if (whole.length > 0) {
		memcpy(map + page, whole.data, whole.length);
	}
	for (size_t length = 0; length <= whole.length; length++) {
		function(span_make(map + page, length), context);
	}
	munmap(map, room + 2 * page);
}

#endif

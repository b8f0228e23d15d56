/* SPDX-License-Identifier: MIT */
/*
 * Readers of vendor packs for tests: out of memory, or from vendors/ in the source tree.
 */
#ifndef BELLHOP_TESTS_PACKS_H
#define BELLHOP_TESTS_PACKS_H

#include "core/fleet/vendor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct pack_file {
	const char *name;
	const char *text;
};

struct pack_files {
	const struct pack_file *items;
	size_t count;
};

static inline int pack_read_memory(void *context, struct span name, struct arena *arena,
				   struct span *bytes)
{
	const struct pack_files *files = context;

	for (size_t i = 0; i < files->count; i++) {
		if (span_equal(span_text(files->items[i].name), name)) {
			*bytes = arena_copy(arena, span_text(files->items[i].text));
			return bytes->data ? 0 : -ENOMEM;
		}
	}
	return -ENOENT;
}

/* `context` is the folder of the pack. */
static inline int pack_read_folder(void *context, struct span name, struct arena *arena,
				   struct span *bytes)
{
	char path[1024];
	char buffer[1 << 17];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.*s", (const char *)context, (int)name.length, name.data);
	file = fopen(path, "rb");
	if (!file) {
		return -ENOENT;
	}
	length = fread(buffer, 1, sizeof(buffer), file);
	fclose(file);
	*bytes = arena_copy(arena, span_make(buffer, length));
	return bytes->data ? 0 : -ENOMEM;
}

/* A pack that is one text, without templates; NULL and the problem printed when it is refused. */
static inline struct vendor_pack *pack_of_text(const char *text)
{
	struct pack_file file = {"pack.json", text};
	struct pack_files files = {&file, 1};
	struct vendor_pack *pack = NULL;
	char problem[512] = "";

	if (vendor_pack_load(&pack, pack_read_memory, &files, problem, sizeof(problem)) != 0) {
		printf("# %s\n", problem);
		return NULL;
	}
	return pack;
}

/* The pack of a maker out of the source tree. */
static inline struct vendor_pack *pack_of_maker(const char *name, char *problem, size_t size)
{
	const char *root = getenv("BELLHOP_SOURCE");
	struct vendor_pack *pack = NULL;
	char folder[900];

	snprintf(folder, sizeof(folder), "%s/vendors/%s", root ? root : ".", name);
	return vendor_pack_load(&pack, pack_read_folder, folder, problem, size) == 0 ? pack : NULL;
}

#endif

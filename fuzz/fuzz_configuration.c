/* SPDX-License-Identifier: MIT */
#include "core/admin/configuration.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file without mistakes prints to one that reads back without mistakes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 16];
	struct writer w = writer_over(text, sizeof(text));
	struct configuration c;
	struct arena arena;
	struct ini ini;

	arena_init(&arena, 8 << 20);
	if (configuration_parse(&c, &arena, span_make((const char *)data, size), &ini) == 0 &&
	    ini.mistake_count == 0) {
		configuration_print(&c, &w);
		if (!w.failed && (configuration_parse(&c, &arena, writer_span(&w), &ini) != 0 ||
				  ini.mistake_count != 0)) {
			abort();
		}
	}
	arena_free(&arena);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The phone's configuration file: whatever is read must read back the same once it is written. */
#include "core/phone/config_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void read_back(struct arena *arena, const struct phone_config *config)
{
	size_t room = phone_config_bytes_max;
	char *text = arena_allocate(arena, room);
	struct writer w = writer_over(text, room);
	struct phone_config_change change;
	struct phone_config again;
	struct phone_config merged;
	unsigned line;

	check(text != NULL);
	phone_config_write(&w, config);
	if (w.failed) {
		return; /* the last line got its line feed */
	}
	check(phone_config_parse(writer_span(&w), arena, &again, &line) == 0);
	check(again.count == config->count);
	check(phone_config_merge(config, &again, arena, &merged, &change) == 0);
	check(change.changed_count == 0 && merged.count == config->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct phone_include include;
	struct phone_config config;
	struct arena arena;
	unsigned line = 0;

	arena_init(&arena, 8 << 20);
	if (phone_config_find_include(text, &include) == 0 && size < 4096) {
		char spliced[4096 + 16];
		struct writer w = writer_over(spliced, sizeof(spliced));

		phone_config_splice(&w, text, &include, SPAN("x=1\n"));
		check(!w.failed);
	}
	if (phone_config_parse(text, &arena, &config, &line) == 0) {
		for (size_t i = 0; i < config.count; i++) {
			phone_config_effect(config.parameters[i].name);
		}
		read_back(&arena, &config);
	}
	arena_free(&arena);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A vendor pack of any bytes: it loads or is refused with a sentence; what loaded recognises, reads
 * and checks without harm. The input is pack.json up to the first NUL, what follows is what a phone
 * says (User-Agent, Event, a rendered file).
 */
#include "core/fleet/parameters.h"
#include "core/fleet/vendor_files.h"
#include "core/fleet/vendor_match.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_pack(void *context, struct span name, struct arena *arena, struct span *bytes)
{
	if (span_equal(name, SPAN("pack.json"))) {
		*bytes = arena_copy(arena, *(const struct span *)context);
	} else if (span_equal(name, SPAN("t"))) {
		*bytes = arena_copy(arena, SPAN("a={{ x }}\n"));
	} else {
		return -ENOENT;
	}
	return bytes->data ? 0 : -ENOMEM;
}

/* What a pattern is said to need is in every text that it matches. */
static void check_literals(const struct vendor_patterns *patterns, struct span text)
{
	for (size_t i = 0; i < patterns->count; i++) {
		struct vendor_pattern bare = patterns->items[i];
		struct vendor_work work;
		bool is_match;

		vendor_work_begin(&work);
		vendor_work_text(&work, text);
		is_match = vendor_pattern_matches(&work, &patterns->items[i], NULL);
		bare.literal = SPAN("");
		vendor_work_begin(&work);
		vendor_work_text(&work, text);
		if (vendor_pattern_matches(&work, &bare, NULL) != is_match ||
		    work.steps > vendor_steps_max) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	size_t end = span_find(input, '\0');
	struct span text = span_slice(input, 0, end);
	struct span says = span_slice(input, end + 1, size);
	struct vendors vendors = {0};
	struct vendor_pack *pack = NULL;
	struct vendor_reading reading = {0};
	struct vendor_file_reading file;
	struct mac mac = {{0, 0x90, 0x8f, 0, 0, 1}};
	struct span name;
	char problem[256] = "";

	if (vendor_pack_load(&pack, read_pack, &text, problem, sizeof(problem)) != 0) {
		if (problem[0] == '\0') {
			abort();
		}
		return 0;
	}
	if (vendors_add(&vendors, pack) != 0 || vendor_find(&vendors, pack->name) != pack) {
		abort();
	}
	vendor_recognise(&vendors, &mac, says, says);
	vendor_read_user_agent(pack, says, &reading);
	if (reading.model.length > says.length ||
	    (reading.model.length > 0 &&
	     (reading.model.data < says.data || reading.model.data > says.data + says.length))) {
		abort();
	}
	vendor_event_model(pack, says);
	if (vendor_read_file_name(&vendors, says, &file) &&
	    (file.pack != pack || !file.rule || file.model.length > says.length ||
	     (file.has_mac && !mac_is_device(file.mac)))) {
		abort();
	}
	check_literals(&pack->sip_user_agent, says);
	check_literals(&pack->http_user_agent, says);
	parameters_check(pack, says, &name);
	vendors_free(&vendors);
	return 0;
}

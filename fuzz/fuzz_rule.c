/* SPDX-License-Identifier: MIT */
/*
 * Rules, pools and ranges of MACs out of their texts. What is taken is written and read again as
 * the same; a rule looks at a phone, and its pool gives each of its numbers once.
 */
#include "core/fleet/pools.h"
#include "core/fleet/rules.h"

#include <jansson.h>
#include <stdlib.h>

enum { problem_size = 512, numbers_max = 500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct rule *rule)
{
	struct device device = {.mac = {{0, 0x90, 0x8f, 1, 2, 3}},
				.vendor = "audiocodes",
				.model = "445HD",
				.interface = "eth0",
				.extension = "204",
				.certainty = CERTAINTY_SEEN};
	struct rule_subject subject = rule_subject_of(&device);
	struct writer label = writer_over(device.label, sizeof(device.label));
	char room[200];
	struct writer why = writer_over(room, sizeof(room));

	rule_verdict_write(rule_check(rule, &subject), rule, &why);
	rule_label_write(rule, &device, &label);
	if (why.length == 0 || label.failed || label.length >= sizeof(device.label)) {
		abort();
	}
}

static void read_rule(struct span text)
{
	char room[problem_size];
	struct writer problem = writer_over(room, sizeof(room));
	struct rule *rule;
	struct rule *again;

	if (rule_read(SPAN("r"), text, &rule, &problem) != 0) {
		if (problem.length == 0) {
			abort();
		}
		return;
	}
	look(rule);
	if (rule_read(SPAN("r"), span_text(rule->body), &again, &problem) != 0 ||
	    again->mac_count != rule->mac_count || again->priority != rule->priority) {
		abort();
	}
	rule_free(again);
	rule_free(rule);
}

static void read_pool(struct span text)
{
	char room[problem_size];
	struct writer problem = writer_over(room, sizeof(room));
	struct number_pool *pool;
	struct pool_number *number;
	size_t given = 0;

	if (number_pool_read(SPAN("p"), text, numbers_max, &pool, &problem) != 0) {
		if (problem.length == 0) {
			abort();
		}
		return;
	}
	while ((number = number_pool_next(pool))) {
		if (number->is_reserved ||
		    number_pool_find(pool, span_text(number->extension)) != number) {
			abort();
		}
		number->is_reserved = true;
		given++;
	}
	if (given != pool->count || given > numbers_max) {
		abort();
	}
	number_pool_free(pool);
}

static void read_range(struct span text)
{
	char room[64];
	struct writer w = writer_over(room, sizeof(room));
	struct mac_range range;
	struct mac_range again;

	if (mac_range_parse(text, &range) != 0) {
		return;
	}
	mac_range_write(&w, &range);
	if (mac_range_parse(writer_span(&w), &again) != 0 || !mac_equal(range.first, again.first) ||
	    !mac_equal(range.last, again.last)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);

	json_object_seed(1);
	read_rule(text);
	read_pool(text);
	read_range(text);
	return 0;
}

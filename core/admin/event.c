/* SPDX-License-Identifier: MIT */
#include "core/admin/event.h"

#include <errno.h>

static const char *const level_names[] = {
	[REPORT_DEBUG] = "debug",
	[REPORT_INFO] = "info",
	[REPORT_WARNING] = "warning",
	[REPORT_ERROR] = "error",
};

const char *report_level_name(enum report_level level)
{
	return level_names[level];
}

int report_level_parse(struct span name, enum report_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (span_equal(name, span_text(level_names[i]))) {
			*level = (enum report_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

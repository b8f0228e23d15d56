/* SPDX-License-Identifier: MIT */
/*
 * Whatever text is logged, a line is one line, holds no control and is well-formed UTF-8; as JSON
 * it is one object (security.md B22).
 */
#include "io/log.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(enum log_format format, struct span text)
{
	struct log log = {.descriptor = -1, .format = format};
	struct effect_report report = {.level = REPORT_INFO, .reason = "fuzz", .text = text};
	char buffer[log_line_max];
	struct writer line = writer_over(buffer, sizeof(buffer));
	json_t *value;

	log_line_write(&log, &report, 0, &line);
	if (line.failed || line.length == 0 || buffer[line.length - 1] != '\n') {
		abort();
	}
	for (size_t i = 0; i + 1 < line.length; i++) {
		if ((unsigned char)buffer[i] < 0x20 || buffer[i] == 0x7f) {
			abort();
		}
	}
	if (format == LOG_JSON) {
		value = json_loadb(buffer, line.length, JSON_REJECT_DUPLICATES, NULL);
	} else {
		value = json_stringn(buffer, line.length); /* NULL for broken UTF-8 */
	}
	if (!value) {
		abort();
	}
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_line(LOG_TEXT, span_make((const char *)data, size));
	check_line(LOG_JSON, span_make((const char *)data, size));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Comma-separated values: fields lie inside the text or the arena, lines only rise, and it ends. */
#include "core/base/csv.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv csv = csv_over(span_make((const char *)data, size));
	struct arena arena;
	struct csv_row row;
	unsigned line = 0;
	size_t octets = 0;
	int result;

	arena_init(&arena, 1 << 20);
	while ((result = csv_next(&csv, &arena, &row)) != 0) {
		if (result == -ENOMEM) {
			break;
		}
		if (row.line <= line && result > 0 && line > 0) {
			abort();
		}
		line = row.line;
		for (size_t i = 0; result > 0 && i < row.count; i++) {
			octets += row.fields[i].length;
			for (size_t c = 0; c < row.fields[i].length; c++) {
				octets += row.fields[i].data[c] == '\0';
			}
		}
		if (octets > 2 * size) {
			abort();
		}
	}
	arena_free(&arena);
	return 0;
}

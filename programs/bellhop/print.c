/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/print.h"

#include "programs/bellhop/bellhop.h"

#include <stdint.h>

int print_json(const json_t *json)
{
	if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0) {
		return fail("the answer cannot be printed");
	}
	putchar('\n');
	return EXIT_DONE;
}

void print_settings(const char *title, const json_t *settings)
{
	void *at = json_object_iter((json_t *)(uintptr_t)settings);
	char number[table_number_size];

	if (!at) {
		return;
	}
	printf("%s\n", title);
	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)settings, at)) {
		printf("  ");
		(void)table_put(json_object_iter_key(at));
		printf(" = ");
		(void)table_put(table_text(json_object_iter_value(at), number));
		putchar('\n');
	}
}

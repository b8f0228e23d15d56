/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/print.h"

#include "programs/bellhop/client.h"

#include <stdint.h>
#include <stdlib.h>

int print_json(const json_t *json)
{
	if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0) {
		return fail("the answer cannot be printed");
	}
	putchar('\n');
	return EXIT_DONE;
}

int print_reply(const struct arguments *arguments, int result, json_t *reply, print_fn *print)
{
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		print(reply);
	}
	json_decref(reply);
	return result;
}

void print_removed(json_t *reply)
{
	printf("removed %s\n", json_string_value(json_object_get(reply, "removed")));
}

int print_removal(const struct arguments *arguments, const char *collection, const char *name,
		  bool keep_slash)
{
	struct text path = {.data = NULL};
	json_t *reply = NULL;
	int result = text_add_member(&path, collection, name, keep_slash) < 0
			     ? fail("out of memory")
			     : client_ask(arguments, "DELETE", path.data, NULL, &reply);

	result = print_reply(arguments, result, reply, print_removed);
	free(path.data);
	return result;
}

int print_list(const struct arguments *arguments, const char *path, const char *member,
	       const struct column *columns, size_t column_count)
{
	json_t *reply = NULL;
	int result = client_ask(arguments, "GET", path, NULL, &reply);
	const json_t *list = json_object_get(reply, member);

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(list);
	} else if (result == EXIT_DONE) {
		table_print(columns, column_count, list);
	}
	json_decref(reply);
	return result;
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

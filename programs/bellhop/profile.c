/* SPDX-License-Identifier: MIT */
/* bellhop profile … */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>
#include <string.h>

static int profile_path(struct text *path, const struct arguments *arguments)
{
	int result = text_add_member(path, "/api/v1/profiles/", arguments->words[0], false);

	if (result == 0) {
		result = text_add_parameter(path, "secrets",
					    argument(arguments, OPTION_SECRETS) ? "1" : NULL);
	}
	if (result == 0) {
		result = text_add_parameter(path, "effective",
					    argument(arguments, OPTION_EFFECTIVE) ? "1" : NULL);
	}
	return result;
}

static int ask(const struct arguments *arguments, const char *method, json_t *body, json_t **reply)
{
	struct text path = {.data = NULL};
	int result;

	if (profile_path(&path, arguments) < 0) {
		json_decref(body);
		result = fail("out of memory");
	} else {
		result = client_ask(arguments, method, path.data, body, reply);
	}
	free(path.data);
	return result;
}

int run_profile_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{.title = "NAME", .member = "name"},
		{.title = "PARENT", .member = "parent"},
	};

	return print_list(arguments, "/api/v1/profiles", "profiles", columns,
			  sizeof(columns) / sizeof(columns[0]));
}

static void print_profile(json_t *reply)
{
	static const struct column rows[] = {
		{.title = "name", .member = "name"},
		{.title = "parent", .member = "parent"},
	};

	table_print_object(rows, sizeof(rows) / sizeof(rows[0]), reply);
	print_settings("settings", json_object_get(reply, "settings"));
	print_settings("effective settings", json_object_get(reply, "effective_settings"));
}

int run_profile_show(const struct arguments *arguments)
{
	json_t *reply = NULL;
	int result = ask(arguments, "GET", NULL, &reply);

	return print_reply(arguments, result, reply, print_profile);
}

static void print_set(json_t *reply)
{
	printf("profile %s is set\n", json_string_value(json_object_get(reply, "name")));
}

int run_profile_set(const struct arguments *arguments)
{
	const char *parent = argument(arguments, OPTION_PARENT);
	json_t *settings = settings_from_arguments(arguments);
	json_t *body = settings ? json_object() : NULL;
	json_t *reply = NULL;
	int result;

	if (!body) {
		json_decref(settings);
		return EXIT_FAILED;
	}
	if (parent && json_object_set_new(body, "parent", json_string(parent)) < 0) {
		json_decref(settings);
		json_decref(body);
		return fail("--parent is not UTF-8 text");
	}
	json_object_set_new(body, "settings", settings);
	result = ask(arguments, "PATCH", body, &reply);
	return print_reply(arguments, result, reply, print_set);
}

int run_profile_remove(const struct arguments *arguments)
{
	json_t *reply = NULL;
	int result = ask(arguments, "DELETE", NULL, &reply);

	return print_reply(arguments, result, reply, print_removed);
}

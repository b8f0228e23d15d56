/* SPDX-License-Identifier: MIT */
/* bellhop profile … */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>
#include <string.h>

static int profile_path(struct text *path, const struct arguments *arguments)
{
	static const char start[] = "/api/v1/profiles/";
	int result = text_add(path, start, sizeof(start) - 1);

	if (result == 0) {
		result = text_add_encoded(path, arguments->words[0], false);
	}
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
	json_t *reply = NULL;
	int result = client_ask(arguments, "GET", "/api/v1/profiles", NULL, &reply);
	const json_t *profiles = json_object_get(reply, "profiles");

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(profiles);
	} else if (result == EXIT_DONE) {
		table_print(columns, sizeof(columns) / sizeof(columns[0]), profiles);
	}
	json_decref(reply);
	return result;
}

int run_profile_show(const struct arguments *arguments)
{
	static const struct column rows[] = {
		{.title = "name", .member = "name"},
		{.title = "parent", .member = "parent"},
	};
	json_t *reply = NULL;
	int result = ask(arguments, "GET", NULL, &reply);

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		table_print_object(rows, sizeof(rows) / sizeof(rows[0]), reply);
		print_settings("settings", json_object_get(reply, "settings"));
		print_settings("effective settings", json_object_get(reply, "effective_settings"));
	}
	json_decref(reply);
	return result;
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
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		printf("profile %s is set\n", json_string_value(json_object_get(reply, "name")));
	}
	json_decref(reply);
	return result;
}

int run_profile_remove(const struct arguments *arguments)
{
	json_t *reply = NULL;
	int result = ask(arguments, "DELETE", NULL, &reply);

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		printf("removed %s\n", json_string_value(json_object_get(reply, "removed")));
	}
	json_decref(reply);
	return result;
}

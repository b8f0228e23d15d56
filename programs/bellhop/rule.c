/* SPDX-License-Identifier: MIT */
/* bellhop rule … */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>
#include <string.h>

static const char collection[] = "/api/v1/rules/";

static int rule_path(struct text *path, const char *name, bool has_secrets)
{
	int result = text_add_member(path, collection, name, false);

	return result == 0 ? text_add_parameter(path, "secrets", has_secrets ? "1" : NULL) : result;
}

/* "00908f, 001565", for people. */
static void join_macs(json_t *rule)
{
	struct text all = {.data = NULL};
	const json_t *macs = json_object_get(rule, "mac");
	const json_t *mac;
	size_t i;

	json_array_foreach(macs, i, mac)
	{
		const char *text = json_string_value(mac);

		(void)text_add(&all, ", ", i > 0 ? 2 : 0);
		(void)text_add(&all, text ? text : "", text ? strlen(text) : 0);
	}
	json_object_set_new(rule, "mac", json_string(all.data ? all.data : ""));
	free(all.data);
}

/* "00908f, vendor audiocodes, interface eth0.20", for people: whom it claims. */
static void add_conditions(json_t *rule)
{
	static const char *const members[] = {"mac", "vendor", "model", "interface"};
	struct text all = {.data = NULL};

	join_macs(rule);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *value = json_string_value(json_object_get(rule, members[i]));

		if (!value || !*value) {
			continue;
		}
		(void)text_add(&all, ", ", all.length > 0 ? 2 : 0);
		(void)text_add(&all, members[i], i > 0 ? strlen(members[i]) : 0);
		(void)text_add(&all, " ", i > 0 ? 1 : 0);
		(void)text_add(&all, value, strlen(value));
	}
	json_object_set_new(rule, "claims", json_string(all.length > 0 ? all.data : "every phone"));
	free(all.data);
}

/* What is true or false reads yes or no. */
static void say_enabled(json_t *rule)
{
	bool is_enabled = json_is_true(json_object_get(rule, "enabled"));

	json_object_set_new(rule, "enabled", json_string(is_enabled ? "yes" : "no"));
}

int run_rule_list(const struct arguments *arguments)
{
	static const struct column columns[] = {
		{.title = "PRIORITY", .member = "priority"},
		{.title = "NAME", .member = "name"},
		{.title = "ON", .member = "enabled"},
		{.title = "CLAIMS", .member = "claims"},
		{.title = "CERTAINTY", .member = "certainty", .spare = 3},
		{.title = "PROFILE", .member = "profile", .spare = 1},
		{.title = "POOL", .member = "pool"},
		{.title = "USED", .member = "used"},
		{"LAST", "last_used", COLUMN_AGE, 2},
	};
	json_t *reply = NULL;
	int result = client_ask(arguments, "GET", "/api/v1/rules", NULL, &reply);
	const json_t *rules = json_object_get(reply, "rules");
	json_t *rule;
	size_t i;

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(rules);
	} else if (result == EXIT_DONE) {
		json_array_foreach(rules, i, rule)
		{
			add_conditions(rule);
			say_enabled(rule);
		}
		table_print(columns, sizeof(columns) / sizeof(columns[0]), rules);
	}
	json_decref(reply);
	return result;
}

int run_rule_show(const struct arguments *arguments)
{
	static const struct column rows[] = {
		{.title = "name", .member = "name"},
		{.title = "priority", .member = "priority"},
		{.title = "enabled", .member = "enabled"},
		{.title = "MAC", .member = "mac"},
		{.title = "vendor", .member = "vendor"},
		{.title = "model", .member = "model"},
		{.title = "interface", .member = "interface"},
		{.title = "certainty", .member = "certainty"},
		{.title = "profile", .member = "profile"},
		{.title = "label", .member = "label"},
		{.title = "pool", .member = "pool"},
		{.title = "used", .member = "used"},
		{.title = "last used", .member = "last_used"},
	};
	struct text path = {.data = NULL};
	json_t *reply = NULL;
	int result = rule_path(&path, arguments->words[0], argument(arguments, OPTION_SECRETS)) < 0
			     ? fail("out of memory")
			     : client_ask(arguments, "GET", path.data, NULL, &reply);

	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		join_macs(reply);
		say_enabled(reply);
		table_print_object(rows, sizeof(rows) / sizeof(rows[0]), reply);
		print_settings("settings", json_object_get(reply, "settings"));
	}
	json_decref(reply);
	free(path.data);
	return result;
}

/* --- Editing: the rule as it is, with what the options say. --- */

/* The rule that there is, without what only the server sets; an empty one when there is none. */
static json_t *read_rule(const struct arguments *arguments)
{
	struct text path = {.data = NULL};
	json_t *reply = NULL;

	if (rule_path(&path, arguments->words[0], true) < 0) {
		(void)fail("out of memory");
	} else if (client_try(arguments, "GET", path.data, NULL, &reply) == EXIT_DONE) {
		(void)json_object_del(reply, "name");
		(void)json_object_del(reply, "used");
		(void)json_object_del(reply, "last_used");
	} else if (reply) {
		/* A name that is no rule: the server says of a new one whether it may be. */
		json_decref(reply);
		reply = json_object();
	}
	free(path.data);
	return reply;
}

/* "a,b" as a list. */
static json_t *list_of(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t length = strcspn(text, ", ");

		if (length > 0) {
			(void)json_array_append_new(list, json_stringn(text, length));
		}
		text += length + (text[length] != '\0');
	}
	return list;
}

static int set_text(const struct arguments *arguments, uint64_t option, json_t *rule)
{
	const char *value = argument(arguments, option);

	if (value && json_object_set_new(rule, option_name(option), json_string(value)) < 0) {
		return fail("--%s is not UTF-8 text", option_name(option));
	}
	return EXIT_DONE;
}

static int set_number(const struct arguments *arguments, json_t *rule)
{
	const char *text = argument(arguments, OPTION_PRIORITY);
	char *end = NULL;
	long number = text ? strtol(text, &end, 10) : 0;

	if (text && (*text == '\0' || *end != '\0')) {
		say("--priority is a number from 0 to 9999");
		return EXIT_USAGE;
	}
	if (text) {
		json_object_set_new(rule, "priority", json_integer(number));
	}
	return EXIT_DONE;
}

static int set_enabled(const struct arguments *arguments, json_t *rule)
{
	const char *text = argument(arguments, OPTION_ENABLED);

	if (text && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
		say("--enabled is yes or no");
		return EXIT_USAGE;
	}
	if (text) {
		json_object_set_new(rule, "enabled", json_boolean(strcmp(text, "yes") == 0));
	}
	return EXIT_DONE;
}

/* null takes a setting of the rule away. */
static int set_settings(const struct arguments *arguments, json_t *rule)
{
	json_t *given = settings_from_arguments(arguments);
	json_t *settings = json_object_get(rule, "settings");
	const char *path;
	json_t *value;

	if (!given) {
		return EXIT_FAILED;
	}
	if (!settings) {
		settings = json_object();
		json_object_set_new(rule, "settings", settings);
	}
	json_object_foreach(given, path, value)
	{
		if (json_is_null(value)) {
			(void)json_object_del(settings, path);
		} else {
			json_object_set(settings, path, value);
		}
	}
	json_decref(given);
	return EXIT_DONE;
}

static int edit(const struct arguments *arguments, json_t *rule)
{
	static const uint64_t texts[] = {OPTION_VENDOR,	   OPTION_MODEL,   OPTION_INTERFACE,
					 OPTION_CERTAINTY, OPTION_PROFILE, OPTION_LABEL,
					 OPTION_POOL};
	const char *macs = argument(arguments, OPTION_MAC);
	int result = EXIT_DONE;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && result == EXIT_DONE; i++) {
		result = set_text(arguments, texts[i], rule);
	}
	if (macs) {
		json_object_set_new(rule, "mac", list_of(macs));
	}
	result = result == EXIT_DONE ? set_number(arguments, rule) : result;
	result = result == EXIT_DONE ? set_enabled(arguments, rule) : result;
	return result == EXIT_DONE ? set_settings(arguments, rule) : result;
}

/* Whom it claims is said, so that a rule without a condition is not made unnoticed. */
static void print_set(const json_t *rule)
{
	static const char *const members[] = {"name", "claims"};
	static const char *const before[] = {"rule ", " is set: it claims "};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = json_string_value(json_object_get(rule, members[i]));

		fputs(before[i], stdout);
		(void)table_put(text ? text : "");
	}
	putchar('\n');
}

int run_rule_set(const struct arguments *arguments)
{
	struct text path = {.data = NULL};
	json_t *rule = read_rule(arguments);
	json_t *reply = NULL;
	int result;

	if (!rule) {
		return EXIT_FAILED;
	}
	result = edit(arguments, rule);
	if (result == EXIT_DONE && rule_path(&path, arguments->words[0], false) < 0) {
		result = fail("out of memory");
	}
	if (result == EXIT_DONE) {
		result = client_ask(arguments, "PUT", path.data, rule, &reply);
	} else {
		json_decref(rule);
	}
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		add_conditions(reply);
		print_set(reply);
	}
	json_decref(reply);
	free(path.data);
	return result;
}

int run_rule_remove(const struct arguments *arguments)
{
	return print_removal(arguments, collection, arguments->words[0], false);
}

/* --- Which one would claim a phone. --- */

static void print_verdicts(const json_t *reply)
{
	static const struct column columns[] = {
		{.title = "PRIORITY", .member = "priority"},
		{.title = "NAME", .member = "name"},
		{.title = "WHY", .member = "why"},
	};
	static const char *const known[] = {"vendor", "model", "interface", "certainty"};
	const char *rule = json_string_value(json_object_get(reply, "claimed_by"));
	char number[table_number_size];

	(void)table_put(table_text(json_object_get(reply, "mac"), number));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *value = table_text(json_object_get(reply, known[i]), number);

		if (*value) {
			printf(", %s ", known[i]);
			(void)table_put(value);
		}
	}
	printf(": ");
	if (rule) {
		printf("rule ");
		(void)table_put(rule);
		printf(" would claim it\n");
	} else {
		printf("no rule would claim it\n");
	}
	table_print(columns, sizeof(columns) / sizeof(columns[0]), json_object_get(reply, "rules"));
}

int run_rule_test(const struct arguments *arguments)
{
	static const uint64_t options[] = {OPTION_VENDOR, OPTION_MODEL, OPTION_INTERFACE,
					   OPTION_CERTAINTY};
	struct text path = {.data = device_path(arguments->words[0], "/rules")};
	json_t *reply = NULL;
	int failed = 0;
	int result;

	if (!path.data) {
		return EXIT_FAILED;
	}
	path.length = strlen(path.data);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		failed |= text_add_parameter(&path, option_name(options[i]),
					     argument(arguments, options[i]));
	}
	result = failed ? fail("out of memory")
			: client_ask(arguments, "GET", path.data, NULL, &reply);
	if (result == EXIT_DONE && argument(arguments, OPTION_JSON)) {
		result = print_json(reply);
	} else if (result == EXIT_DONE) {
		print_verdicts(reply);
	}
	json_decref(reply);
	free(path.data);
	return result;
}

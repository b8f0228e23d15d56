/* SPDX-License-Identifier: MIT */
/* Candidates for values: from tables that are built in, and from a server. */
#include "core/fleet/device.h"
#include "core/fleet/setting_names.h"
#include "programs/bellhop/client.h"
#include "programs/bellhop/complete.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* "bash|zsh|fish", "udp|tcp": each one, with `before` in front. */
static void offer_alternatives(const struct completion *completion, const char *before,
			       const char *alternatives)
{
	while (*alternatives) {
		size_t length = strcspn(alternatives, "|");
		char text[256];

		snprintf(text, sizeof(text), "%s%.*s", before, (int)length, alternatives);
		completion_offer(completion, text, NULL);
		alternatives += length + (alternatives[length] == '|');
	}
}

/* --- Asked from the server. --- */

/* The answer to GET `path`, or NULL. */
static json_t *ask(const struct completion *completion, const char *path)
{
	json_t *reply = NULL;

	(void)client_ask(&completion->arguments, "GET", path, NULL, &reply);
	return reply;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* Members `member` of the objects of the list `list`. */
static void offer_list(const struct completion *completion, const char *path, const char *list,
		       const char *member)
{
	json_t *reply = ask(completion, path);
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, list), i, row)
	{
		completion_offer(completion, text_of(row, member), NULL);
	}
	json_decref(reply);
}

static void offer_vendors(const struct completion *completion)
{
	json_t *reply = ask(completion, "/api/v1/status");
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "vendors"), i, row)
	{
		completion_offer(completion, json_string_value(row), NULL);
	}
	json_decref(reply);
}

/* Those of devices that there are; of a big fleet, of its first thousand. */
static void offer_models(const struct completion *completion)
{
	json_t *reply = ask(completion, "/api/v1/devices?limit=1000");
	json_t *seen = json_object();
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "devices"), i, row)
	{
		const char *model = text_of(row, "model");

		if (*model && !json_object_get(seen, model)) {
			json_object_set_new(seen, model, json_true());
			completion_offer(completion, model, text_of(row, "vendor"));
		}
	}
	json_decref(seen);
	json_decref(reply);
}

/*
 * A MAC that begins as typed, in whatever spelling: the candidate goes on from there. False: it is
 * another one.
 */
static bool spell_mac(const char *typed, const char *mac, char out[static 32])
{
	bool has_colons = strchr(typed, ':') != NULL;
	size_t digits = 0;
	size_t length = strlen(typed);

	if (length > 17 || strlen(mac) != 12) {
		return false;
	}
	for (const char *at = typed; *at; at++) {
		if (strchr(":-.", *at)) {
			continue;
		}
		if (digits == 12 || ascii_lower(*at) != mac[digits]) {
			return false;
		}
		digits++;
	}
	memcpy(out, typed, length);
	for (; digits < 12; digits++) {
		if (has_colons && digits % 2 == 0 && digits > 0 && out[length - 1] != ':') {
			out[length++] = ':';
		}
		out[length++] = mac[digits];
	}
	out[length] = '\0';
	return true;
}

static void offer_macs(const struct completion *completion)
{
	struct text path = {.data = NULL};
	static const char start[] = "/api/v1/devices?limit=200";
	char digits[16] = "";
	json_t *reply = NULL;
	const json_t *row;
	size_t i;

	for (const char *at = completion->typed; *at && strlen(digits) < 12; at++) {
		if (ascii_hex_value(*at) >= 0) {
			strncat(digits, at, 1);
		}
	}
	if (text_add(&path, start, sizeof(start) - 1) == 0 &&
	    text_add_parameter(&path, "search", digits[0] ? digits : NULL) == 0) {
		reply = ask(completion, path.data);
	}
	json_array_foreach(json_object_get(reply, "devices"), i, row)
	{
		const char *label = text_of(row, "label");
		char mac[32];

		if (spell_mac(completion->typed, text_of(row, "mac"), mac)) {
			completion_offer(completion, mac, *label ? label : text_of(row, "model"));
		}
	}
	json_decref(reply);
	free(path.data);
}

/* "/api/v1/devices/MAC" of the command's first word, and what follows it; NULL without memory. */
static char *path_of_first_word(const struct completion *completion, const char *start,
				const char *rest)
{
	struct text path = {.data = NULL};

	if (completion->arguments.word_count == 0 || text_add(&path, start, strlen(start)) < 0 ||
	    text_add_encoded(&path, completion->arguments.words[0], false) < 0 ||
	    text_add(&path, rest, strlen(rest)) < 0) {
		free(path.data);
		return NULL;
	}
	return path.data;
}

/* Those that `device preview` can print. */
static void offer_device_files(const struct completion *completion)
{
	char *path = path_of_first_word(completion, "/api/v1/devices/", "/files");
	json_t *reply = path ? ask(completion, path) : NULL;
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "files"), i, row)
	{
		if (strcmp(text_of(row, "kind"), "rendered") == 0) {
			completion_offer(completion, text_of(row, "name"), NULL);
		}
	}
	json_decref(reply);
	free(path);
}

/* --- Settings. --- */

/*
 * The path of a row as far as it is typed, and on: an index that is typed stays, others are 1.
 * False: something else is being typed.
 */
static bool spell_path(const char *typed, const char *row, char *out, size_t size)
{
	size_t length = 0;

	for (; *row && length + 4 < size; row++) {
		if (*row != '#') {
			if (*typed && *typed != *row) {
				return false;
			}
			typed += *typed != '\0';
			out[length++] = *row;
			continue;
		}
		if (*typed && !ascii_is_digit(*typed)) {
			return false;
		}
		if (!*typed) {
			out[length++] = '1';
		}
		while (ascii_is_digit(*typed) && length + 4 < size) {
			out[length++] = *typed++;
		}
	}
	out[length] = '\0';
	return *typed == '\0' && *row == '\0';
}

/* Of a path that is whole, with its '=': what may follow. */
static void offer_setting_values(const struct completion *completion, size_t path_length)
{
	const struct setting_name *name =
		setting_name_find(span_make(completion->typed, path_length));
	char before[256];

	snprintf(before, sizeof(before), "%.*s=", (int)path_length, completion->typed);
	if (name && name->type == SETTING_BOOLEAN) {
		offer_alternatives(completion, before, "true|false");
	} else if (name && name->type == SETTING_CHOICE) {
		offer_alternatives(completion, before, name->choices);
	}
}

static void offer_settings(const struct completion *completion, const char *after)
{
	const struct setting_name *name;

	for (size_t i = 0; (name = setting_name_at(i)); i++) {
		char path[256];
		char text[260];

		if (spell_path(completion->typed, name->path, path, sizeof(path))) {
			snprintf(text, sizeof(text), "%s%s", path, after);
			completion_offer(completion, text, name->description);
		}
	}
}

static void offer_set(const struct completion *completion)
{
	size_t length = strcspn(completion->typed, "=");

	if (completion->typed[length] == '=') {
		offer_setting_values(completion, length);
	} else {
		offer_settings(completion, "=");
	}
}

/* What is set, when the server says it; else all that can be. */
static void offer_unset(const struct completion *completion)
{
	const struct command *command = completion->command;
	const char *group = command && command->group ? command->group : "";
	char *path = path_of_first_word(completion,
					strcmp(group, "profile") == 0 ? "/api/v1/profiles/"
					: strcmp(group, "rule") == 0  ? "/api/v1/rules/"
								      : "/api/v1/devices/",
					"");
	json_t *reply = path ? ask(completion, path) : NULL;
	json_t *settings = json_object_get(reply, "settings");
	const char *name;
	json_t *value;

	json_object_foreach(settings, name, value)
	{
		completion_offer(completion, name, NULL);
	}
	if (!settings) {
		offer_settings(completion, "");
	}
	json_decref(reply);
	free(path);
}

/* --- What else there is. --- */

static void offer_states(const struct completion *completion)
{
	for (int state = DEVICE_NEW; state <= DEVICE_BLOCKED; state++) {
		completion_offer(completion, device_state_name((enum device_state)state), NULL);
	}
}

static void offer_forms(const struct completion *completion)
{
	for (int form = FORM_DEFAULT; form <= FORM_PRINT; form++) {
		completion_offer(completion, notify_form_name((enum notify_form)form), NULL);
	}
}

/* This machine's: the server is most often on it. */
static void offer_interfaces(const struct completion *completion)
{
	struct if_nameindex *interfaces = if_nameindex();

	for (size_t i = 0; interfaces && interfaces[i].if_name; i++) {
		completion_offer(completion, interfaces[i].if_name, NULL);
	}
	if_freenameindex(interfaces);
}

static void ask_for_files(void)
{
	puts(":files");
}

void complete_option_value(const struct completion *completion, uint64_t option)
{
	switch (option) {
	case OPTION_VENDOR:
		offer_vendors(completion);
		break;
	case OPTION_MODEL:
		offer_models(completion);
		break;
	case OPTION_PROFILE:
	case OPTION_PARENT:
		offer_list(completion, "/api/v1/profiles", "profiles", "name");
		break;
	case OPTION_INTERFACE:
		offer_interfaces(completion);
		break;
	case OPTION_FORM:
		offer_forms(completion);
		break;
	case OPTION_SET:
		offer_set(completion);
		break;
	case OPTION_UNSET:
		offer_unset(completion);
		break;
	case OPTION_POOL:
		offer_list(completion, "/api/v1/pools", "pools", "name");
		break;
	case OPTION_CERTAINTY:
		offer_alternatives(completion, "", "claimed|seen|confirmed|proven");
		break;
	case OPTION_ENABLED:
		offer_alternatives(completion, "", "yes|no");
		break;
	case OPTION_STATE:
		offer_states(completion);
		break;
	case OPTION_DEVICE:
		offer_macs(completion);
		break;
	case OPTION_SOCKET:
	case OPTION_TOKEN_FILE:
		ask_for_files();
		break;
	case OPTION_LABEL:
	case OPTION_ADDRESS:
	case OPTION_SEARCH:
	case OPTION_NAME:
	case OPTION_LIMIT:
	case OPTION_SHAPE:
	case OPTION_URL:
	case OPTION_SECRETS:
	case OPTION_EFFECTIVE:
	case OPTION_FOLLOW:
	case OPTION_FORCE:
	case OPTION_MAC:
	case OPTION_PRIORITY:
	case OPTION_EXTENSION:
	case OPTION_RANGE:
	case OPTION_PARTIAL:
	case OPTION_ALL:
	case OPTION_DRY_RUN:
	case OPTION_WAIT:
	case OPTION_JSON:
	case OPTION_HELP:
	case OPTION_VERSION:
		break;
	}
}

void complete_word_value(const struct completion *completion, const char *name)
{
	const char *group = completion->command->group ? completion->command->group : "";

	if (strcmp(name, "MAC") == 0) {
		offer_macs(completion);
	} else if (strcmp(name, "VENDOR") == 0) {
		offer_vendors(completion);
	} else if (strcmp(name, "MODEL") == 0) {
		offer_models(completion);
	} else if (strcmp(name, "NAME") == 0 && strcmp(group, "profile") == 0) {
		offer_list(completion, "/api/v1/profiles", "profiles", "name");
	} else if (strcmp(name, "NAME") == 0 && strcmp(group, "file") == 0) {
		offer_list(completion, "/api/v1/files", "files", "name");
	} else if (strcmp(name, "NAME") == 0 && strcmp(group, "pack") == 0) {
		offer_list(completion, "/api/v1/packs", "packs", "name");
	} else if (strcmp(name, "NAME") == 0 && strcmp(group, "rule") == 0) {
		offer_list(completion, "/api/v1/rules", "rules", "name");
	} else if (strcmp(name, "NAME") == 0 && strcmp(group, "pool") == 0) {
		offer_list(completion, "/api/v1/pools", "pools", "name");
	} else if (strcmp(name, "FILE") == 0 && strcmp(group, "device") == 0 &&
		   strcmp(completion->command->name, "import") != 0) {
		offer_device_files(completion);
	} else if (strcmp(name, "PATH") == 0 || strcmp(name, "FILE") == 0 ||
		   strcmp(name, "FOLDER") == 0) {
		ask_for_files();
	} else if (strchr(name, '|')) {
		offer_alternatives(completion, "", name);
	}
}

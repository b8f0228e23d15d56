/* SPDX-License-Identifier: MIT */
/* --set PATH=VALUE, PATH=@FILE, PATH=- and --unset PATH. */
#include "core/fleet/settings.h"
#include "programs/bellhop/client.h"

#include <errno.h>
#include <stdlib.h>

/* The whole of a file as a value, without the line feed at its end. */
static json_t *read_value(const char *path, FILE *file)
{
	char *bytes = malloc(setting_value_max + 2);
	size_t length = bytes ? fread(bytes, 1, setting_value_max + 2, file) : 0;
	json_t *value = NULL;

	if (!bytes || ferror(file)) {
		say("cannot read the value of %s: %s", path, strerror(errno));
	} else if (length > setting_value_max + 1) {
		say("the value of %s is too long; at most %d bytes", path, setting_value_max);
	} else {
		if (length > 0 && bytes[length - 1] == '\n') {
			length--;
		}
		value = json_stringn(bytes, length);
		if (!value) {
			say("the value of %s is not UTF-8 text", path);
		}
	}
	free(bytes);
	return value;
}

static json_t *value_of(const char *path, const char *text, bool *is_stdin_used)
{
	json_t *value;
	FILE *file;

	if (strcmp(text, "-") == 0) {
		if (*is_stdin_used) {
			say("only one value can be read from the standard input");
			return NULL;
		}
		*is_stdin_used = true;
		return read_value(path, stdin);
	}
	if (text[0] == '@' && text[1] != '@') {
		file = fopen(text + 1, "re");
		if (!file) {
			say("cannot open %s for the value of %s: %s", text + 1, path,
			    strerror(errno));
			return NULL;
		}
		value = read_value(path, file);
		fclose(file);
		return value;
	}
	if (setting_is_secret(span_text(path)) && text[0] != '\0') {
		say("warning: %s is a secret, and other users of this machine can see command "
		    "lines; use %s=@FILE or %s=-",
		    path, path, path);
	}
	value = json_string(text[0] == '@' ? text + 1 : text);
	if (!value) {
		say("the value of %s is not UTF-8 text", path);
	}
	return value;
}

static int add_setting(json_t *settings, const struct setting_argument *given, bool *is_stdin_used)
{
	char path[setting_path_max + 1];
	size_t length = given->is_unset ? strlen(given->text) : strcspn(given->text, "=");
	json_t *value;

	if (length == 0 || length > setting_path_max ||
	    (!given->is_unset && given->text[length] != '=')) {
		say("%s is not PATH=VALUE; see `bellhop help settings`", given->text);
		return -EINVAL;
	}
	memcpy(path, given->text, length);
	path[length] = '\0';
	value = given->is_unset ? json_null()
				: value_of(path, given->text + length + 1, is_stdin_used);
	if (!value) {
		return -EINVAL;
	}
	if (json_object_set_new(settings, path, value) < 0) {
		say("%s is not the path of a setting", path);
		return -EINVAL;
	}
	return 0;
}

bool settings_want_stdin(const struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->setting_count; i++) {
		const struct setting_argument *given = &arguments->settings[i];

		if (!given->is_unset && strcmp(strchrnul(given->text, '='), "=-") == 0) {
			return true;
		}
	}
	return false;
}

json_t *settings_from_arguments(const struct arguments *arguments)
{
	json_t *settings = json_object();
	bool is_stdin_used = false;

	for (size_t i = 0; i < arguments->setting_count; i++) {
		if (add_setting(settings, &arguments->settings[i], &is_stdin_used) < 0) {
			json_decref(settings);
			return NULL;
		}
	}
	return settings;
}

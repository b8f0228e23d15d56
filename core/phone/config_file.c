/* SPDX-License-Identifier: MIT */
#include "core/phone/config_file.h"

#include <errno.h>

enum line_kind { LINE_BLANK, LINE_INCLUDE, LINE_PARAMETER, LINE_BROKEN, LINE_TOO_LONG };

struct line {
	enum line_kind kind;
	struct span text;  /* without its end */
	struct span name;  /* LINE_PARAMETER */
	struct span value; /* LINE_PARAMETER, LINE_INCLUDE: the URL */
};

/* RFC 3629 would allow more in values; a NUL or a lone CR never belongs into a text file. */
static bool value_is_text(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* Slash paths with what stands in the field's own names; markup and sentences are none. */
static bool name_is_path(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];

		if (!ascii_is_alnum(c) && (c == '\0' || !strchr("/_-.[]:@", c))) {
			return false;
		}
	}
	return name.length > 0;
}

static struct line line_read(struct span text)
{
	struct line line = {.kind = LINE_BROKEN, .text = text};
	struct span trimmed = span_trim(text);
	struct span rest = trimmed;

	if (trimmed.length == 0 || trimmed.data[0] == ';') {
		line.kind = LINE_BLANK;
		return line;
	}
	if (!value_is_text(trimmed)) {
		return line;
	}
	/* "at the start of a line" (audiocodes.md 4.3): a name cannot hold a blank, so no doubt. */
	if (span_starts_with_nocase(trimmed, SPAN("include ")) ||
	    span_starts_with_nocase(trimmed, SPAN("include\t"))) {
		line.kind = LINE_INCLUDE;
		line.value = span_trim(span_slice(trimmed, 8, trimmed.length));
		return line;
	}
	line.name = span_trim(span_cut(&rest, '='));
	if (!rest.data || !name_is_path(line.name)) {
		return line;
	}
	line.value = span_trim(rest);
	line.kind = LINE_PARAMETER;
	if (line.name.length > phone_config_name_max ||
	    line.value.length > phone_config_value_max) {
		line.kind = LINE_TOO_LONG;
	}
	return line;
}

/* A byte order mark that an editor put in front is no part of the first name. */
static struct span without_mark(struct span text)
{
	struct span mark = SPAN("\xef\xbb\xbf");

	return span_starts_with(text, mark) ? span_slice(text, mark.length, text.length) : text;
}

static uint32_t name_hash(struct span name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.length; i++) {
		hash = (hash ^ (uint8_t)ascii_lower(name.data[i])) * 16777619u;
	}
	return hash;
}

/*
 * Names seen so far, by open addressing over indices: a file of many lines costs no quadratic time.
 * A file whose names were made to collide costs at most parameters_max steps a line.
 */
struct index {
	uint32_t *slots; /* 0: free, else 1 + number of the parameter */
	uint32_t mask;
};

static int index_init(struct index *index, struct arena *arena, size_t count)
{
	uint32_t size = 16;

	while (size < count * 2) {
		size *= 2;
	}
	index->slots = arena_array(arena, size, sizeof(uint32_t));
	index->mask = size - 1;
	return index->slots ? 0 : -ENOMEM;
}

/* The slot of this name: taken by it, or free for it. */
static uint32_t *index_slot(const struct index *index, const struct phone_config *config,
			    struct span name)
{
	uint32_t i = name_hash(name) & index->mask;

	while (index->slots[i] != 0 &&
	       !span_equal_nocase(config->parameters[index->slots[i] - 1].name, name)) {
		i = (i + 1) & index->mask;
	}
	return &index->slots[i];
}

static size_t count_lines(struct span text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.length; i++) {
		count += text.data[i] == '\n';
	}
	return count;
}

static int prepare(size_t count, struct arena *arena, struct phone_config *config,
		   struct index *index)
{
	size_t count_max =
		count < phone_config_parameters_max ? count : phone_config_parameters_max;

	config->parameters = arena_array(arena, count_max, sizeof(*config->parameters));
	config->count = 0;
	if (count_max > 0 && !config->parameters) {
		return -ENOMEM;
	}
	return index_init(index, arena, count_max);
}

/* Sets a parameter: a later line overrides an earlier one. -E2BIG when there is no more room. */
static int set_parameter(struct phone_config *config, const struct index *index,
			 struct phone_parameter parameter)
{
	uint32_t *slot = index_slot(index, config, parameter.name);

	if (*slot != 0) {
		config->parameters[*slot - 1].value = parameter.value;
		return 0;
	}
	if (config->count == phone_config_parameters_max) {
		return -E2BIG;
	}
	config->parameters[config->count] = parameter;
	config->count++;
	*slot = (uint32_t)config->count;
	return 0;
}

int phone_config_parse(struct span text, struct arena *arena, struct phone_config *config,
		       unsigned *line)
{
	struct phone_config read;
	struct index index;
	struct span rest = without_mark(text);
	unsigned number = 0;
	int error;

	if (text.length > phone_config_bytes_max) {
		*line = 0;
		return -E2BIG;
	}
	error = prepare(count_lines(rest), arena, &read, &index);
	while (error == 0 && rest.data) {
		struct line entry = line_read(span_cut(&rest, '\n'));

		number++;
		if (entry.kind == LINE_BROKEN || entry.kind == LINE_INCLUDE) {
			error = -EINVAL;
		} else if (entry.kind == LINE_TOO_LONG) {
			error = -E2BIG;
		} else if (entry.kind == LINE_PARAMETER) {
			error = set_parameter(&read, &index,
					      (struct phone_parameter){entry.name, entry.value});
		}
	}
	if (error == 0) {
		*config = read;
	} else if (error != -ENOMEM) {
		*line = number;
	}
	return error;
}

int phone_config_find_include(struct span text, struct phone_include *include)
{
	struct span rest = without_mark(text);

	while (rest.data) {
		struct line line = line_read(span_cut(&rest, '\n'));

		if (line.kind == LINE_INCLUDE) {
			*include = (struct phone_include){line.text, line.value};
			return 0;
		}
	}
	return -ENOENT;
}

void phone_config_splice(struct writer *w, struct span text, const struct phone_include *include,
			 struct span replacement)
{
	size_t start = (size_t)(include->line.data - text.data);

	writer_put(w, span_slice(text, 0, start));
	writer_put(w, without_mark(replacement));
	/* What followed the include starts a line of its own, whatever the other file ended in. */
	writer_char(w, '\n');
	writer_put(w, span_slice(text, start + include->line.length, text.length));
}

struct span phone_config_get(const struct phone_config *config, const char *name)
{
	struct span wanted = span_text(name);

	for (size_t i = 0; i < config->count; i++) {
		if (span_equal_nocase(config->parameters[i].name, wanted)) {
			struct span value = config->parameters[i].value;

			return value.data ? value : SPAN("");
		}
	}
	return (struct span){0};
}

/*
 * The first rule that fits: audiocodes.md 4, parameter tables. A '*' stands for the digits of one
 * index; a rule that ends in '/' covers what is below it.
 */
static const struct {
	const char *name;
	enum phone_effect effect;
} effect_rules[] = {
	{"provisioning/method", PHONE_EFFECT_REBOOT},
	{"provisioning/configuration/url", PHONE_EFFECT_REBOOT},
	{"provisioning/firmware/url", PHONE_EFFECT_REBOOT},
	{"provisioning/corporate_directory_uri", PHONE_EFFECT_REBOOT},
	{"provisioning/ring_tone_uri", PHONE_EFFECT_REBOOT},
	{"provisioning/speed_dial_uri", PHONE_EFFECT_REBOOT},
	{"security/web/https_only", PHONE_EFFECT_NONE},
	{"security/", PHONE_EFFECT_REBOOT},
	{"network/lan/dhcp/ntp/", PHONE_EFFECT_NONE},
	{"network/", PHONE_EFFECT_REBOOT},
	{"voip/services/application_server_type", PHONE_EFFECT_REBOOT},
	{"voip/line/*/enabled", PHONE_EFFECT_REBOOT},
	{"voip/", PHONE_EFFECT_VOIP},
	{"system/type", PHONE_EFFECT_REBOOT},
	{"system/watchdog/enabled", PHONE_EFFECT_REBOOT},
	{"system/daylight_saving/", PHONE_EFFECT_CLOCK},
	{"system/ntp/enabled", PHONE_EFFECT_NONE},
	{"system/ntp/date_display_format", PHONE_EFFECT_INTERFACE},
	{"system/ntp/time_display_format", PHONE_EFFECT_INTERFACE},
	{"system/ntp/", PHONE_EFFECT_CLOCK},
	{"system/syslog/", PHONE_EFFECT_LOG},
	{"system/password", PHONE_EFFECT_INTERFACE},
	{"system/user_name", PHONE_EFFECT_INTERFACE},
	{"system/web_user_name", PHONE_EFFECT_INTERFACE},
	{"system/web_user_password", PHONE_EFFECT_INTERFACE},
};

static bool rule_matches(const char *rule, struct span name)
{
	size_t i = 0;

	for (; *rule != '\0'; rule++) {
		if (*rule == '*') {
			size_t start = i;

			while (i < name.length && ascii_is_digit(name.data[i])) {
				i++;
			}
			if (i == start) {
				return false;
			}
		} else if (i < name.length && ascii_lower(name.data[i]) == *rule) {
			i++;
		} else {
			return false;
		}
	}
	return i == name.length || rule[-1] == '/';
}

enum phone_effect phone_config_effect(struct span name)
{
	for (size_t i = 0; i < sizeof(effect_rules) / sizeof(effect_rules[0]); i++) {
		if (rule_matches(effect_rules[i].name, name)) {
			return effect_rules[i].effect;
		}
	}
	return PHONE_EFFECT_NONE;
}

static void note_change(struct phone_config_change *change, struct span name)
{
	if (change->changed_count == 0) {
		change->first_changed = name;
	}
	change->changed_count++;
	change->effects |= phone_config_effect(name);
}

int phone_config_merge(const struct phone_config *current, const struct phone_config *incoming,
		       struct arena *arena, struct phone_config *merged,
		       struct phone_config_change *change)
{
	struct phone_config_change found = {0};
	struct phone_config result;
	struct index index;
	int error = prepare(current->count + incoming->count, arena, &result, &index);

	for (size_t i = 0; error == 0 && i < current->count; i++) {
		error = set_parameter(&result, &index, current->parameters[i]);
	}
	for (size_t i = 0; error == 0 && i < incoming->count; i++) {
		struct phone_parameter parameter = incoming->parameters[i];
		uint32_t slot = *index_slot(&index, &result, parameter.name);

		if (slot == 0 || !span_equal(result.parameters[slot - 1].value, parameter.value)) {
			note_change(&found, parameter.name);
		}
		error = set_parameter(&result, &index, parameter);
	}
	if (error == 0) {
		*merged = result;
		*change = found;
	}
	return error;
}

void phone_config_write(struct writer *w, const struct phone_config *config)
{
	for (size_t i = 0; i < config->count; i++) {
		writer_put(w, config->parameters[i].name);
		writer_char(w, '=');
		writer_put(w, config->parameters[i].value);
		writer_char(w, '\n');
	}
}

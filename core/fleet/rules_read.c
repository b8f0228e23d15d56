/* SPDX-License-Identifier: MIT */
/* A rule out of its JSON. */
#include "core/fleet/pools.h"
#include "core/fleet/rules.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

struct reading {
	struct rule *rule;
	struct writer *problem;
};

static int refuse(struct reading *reading, const char *what, struct span shown)
{
	writer_text(reading->problem, what);
	if (shown.length > 0) {
		writer_text(reading->problem, ": ");
		writer_escaped(reading->problem, shown, 80);
	}
	return -EINVAL;
}

static struct span text_of(const json_t *value)
{
	return json_is_string(value)
		       ? span_make(json_string_value(value), json_string_length(value))
		       : SPAN("");
}

static int read_priority(struct reading *reading, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > rule_priority_max) {
		return refuse(reading, "a priority is a number from 0 to 9999", SPAN(""));
	}
	reading->rule->priority = (unsigned)json_integer_value(value);
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct mac_range *first = a;
	const struct mac_range *second = b;
	int order = mac_compare(first->first, second->first);

	return order != 0 ? order : mac_compare(first->last, second->last);
}

/* Those that touch or lie in one another become one. */
static void join_ranges(struct rule *rule)
{
	size_t kept = 0;

	qsort(rule->macs, rule->mac_count, sizeof(rule->macs[0]), compare_ranges);
	for (size_t i = 1; i < rule->mac_count; i++) {
		struct mac_range *before = &rule->macs[kept];

		if (mac_compare(rule->macs[i].first, before->last) > 0) {
			rule->macs[++kept] = rule->macs[i];
		} else if (mac_compare(rule->macs[i].last, before->last) > 0) {
			before->last = rule->macs[i].last;
		}
	}
	rule->mac_count = kept + 1;
}

static int read_macs(struct reading *reading, const json_t *value)
{
	struct rule *rule = reading->rule;
	size_t count = json_array_size(value);

	if (!json_is_array(value) || count > rule_macs_max) {
		return refuse(reading,
			      "mac is not a list of at most 10000 MACs, prefixes and ranges",
			      SPAN(""));
	}
	if (count == 0) {
		return 0;
	}
	rule->macs = calloc(count, sizeof(rule->macs[0]));
	if (!rule->macs) {
		return -ENOMEM;
	}
	for (; rule->mac_count < count; rule->mac_count++) {
		struct span text = text_of(json_array_get(value, rule->mac_count));

		if (mac_range_parse(text, &rule->macs[rule->mac_count]) < 0) {
			return refuse(reading,
				      "not a MAC, a prefix of one, or a range from one to another",
				      text);
		}
	}
	join_ranges(rule);
	return 0;
}

static int read_certainty(struct reading *reading, const json_t *value)
{
	enum device_certainty certainty = CERTAINTY_NONE;

	(void)device_certainty_parse(text_of(value), &certainty);
	if (certainty < CERTAINTY_CLAIMED) {
		return refuse(reading, "certainty is one of claimed, seen, confirmed, proven",
			      text_of(value));
	}
	reading->rule->certainty = certainty;
	return 0;
}

/* Letters of a model, and what stands for letters. */
static bool is_model_pattern(struct span text)
{
	char plain[device_model_size];

	if (text.length >= sizeof(plain)) {
		return false;
	}
	for (size_t i = 0; i < text.length; i++) {
		plain[i] = text.data[i] == '*' || text.data[i] == '?' ? 'x' : text.data[i];
	}
	return text.length == 0 ||
	       device_text_is_plain(span_make(plain, text.length), sizeof(plain));
}

static int read_label(struct reading *reading, struct span text)
{
	static const char *const names[] = {"{extension}", "{mac}", "{model}", "{vendor}"};
	struct span rest = text;

	for (size_t at; (at = span_search(rest, SPAN("%{"))) < rest.length;) {
		size_t i = 0;

		rest = span_slice(rest, at + 1, rest.length);
		while (i < 4 && !span_starts_with(rest, span_text(names[i]))) {
			i++;
		}
		if (i == 4) {
			return refuse(
				reading,
				"a label has %{extension}, %{mac}, %{model} and %{vendor}, not",
				span_slice(text, (size_t)(rest.data - text.data) - 1, text.length));
		}
	}
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f) {
			return refuse(reading, "a label is one line", SPAN(""));
		}
	}
	return 0;
}

static int read_text(struct reading *reading, const char *name, const json_t *value)
{
	struct rule *rule = reading->rule;
	const struct {
		const char *name;
		char *place;
		size_t size;
	} texts[] = {
		{"vendor", rule->vendor, sizeof(rule->vendor)},
		{"model", rule->model, sizeof(rule->model)},
		{"interface", rule->interface, sizeof(rule->interface)},
		{"profile", rule->profile, sizeof(rule->profile)},
		{"label", rule->label, sizeof(rule->label)},
		{"pool", rule->pool, sizeof(rule->pool)},
	};
	struct span text = text_of(value);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) != 0) {
			continue;
		}
		if (!json_is_string(value) ||
		    span_to_text(text, texts[i].place, texts[i].size) < 0) {
			return refuse(reading, "a member of the rule is no text, or too long",
				      span_text(name));
		}
		if (strcmp(name, "label") == 0) {
			return read_label(reading, text);
		}
		if ((strcmp(name, "vendor") == 0 && !device_vendor_is_legal(text)) ||
		    (strcmp(name, "model") == 0 && !is_model_pattern(text))) {
			return refuse(reading,
				      "not the name of a vendor, or of a model with * and ?", text);
		}
		return 0;
	}
	return refuse(reading,
		      "a rule has priority, enabled, mac, vendor, model, interface, certainty, "
		      "profile, label, pool and settings, not",
		      span_text(name));
}

static int read_settings(struct reading *reading, json_t *value)
{
	const char *path;
	json_t *member;

	if (!json_is_object(value)) {
		return refuse(reading, "settings is not an object of PATH: VALUE", SPAN(""));
	}
	json_object_foreach(value, path, member)
	{
		char problem[256] = "";
		int error;

		if (!json_is_string(member)) {
			return refuse(reading, "the value of a setting is not text",
				      span_text(path));
		}
		error = settings_set(&reading->rule->settings, span_text(path), text_of(member),
				     problem, sizeof(problem));
		if (error) {
			writer_text(reading->problem, problem);
			return error;
		}
	}
	return 0;
}

static int read_members(struct reading *reading, json_t *json)
{
	const char *name;
	json_t *value;
	int error = 0;

	json_object_foreach(json, name, value)
	{
		if (strcmp(name, "priority") == 0) {
			error = read_priority(reading, value);
		} else if (strcmp(name, "enabled") == 0) {
			reading->rule->is_disabled = json_is_false(value);
			error = json_is_boolean(value)
					? 0
					: refuse(reading, "enabled is true or false", SPAN(""));
		} else if (strcmp(name, "mac") == 0) {
			error = read_macs(reading, value);
		} else if (strcmp(name, "certainty") == 0) {
			error = read_certainty(reading, value);
		} else if (strcmp(name, "settings") == 0) {
			error = read_settings(reading, value);
		} else {
			error = read_text(reading, name, value);
		}
		if (error) {
			return error;
		}
	}
	if (!reading->rule->pool[0] &&
	    span_search(span_text(reading->rule->label), SPAN("%{extension}")) <
		    strlen(reading->rule->label)) {
		return refuse(reading, "the label has an extension, and the rule no pool",
			      SPAN(""));
	}
	return 0;
}

static int read_rule(struct reading *reading, struct span name, struct span body)
{
	json_error_t where;
	json_t *json;
	int error;

	if (!pool_name_is_legal(name) ||
	    span_to_text(name, reading->rule->name, sizeof(reading->rule->name)) < 0) {
		return refuse(reading, "a rule is named in letters, digits and ._-, not", name);
	}
	json = json_loadb(body.data ? body.data : "", body.length, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(json)) {
		json_decref(json);
		return refuse(reading, "the rule is not a JSON object", SPAN(""));
	}
	error = read_members(reading, json);
	if (!error) {
		reading->rule->body = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
		error = reading->rule->body ? 0 : -ENOMEM;
	}
	json_decref(json);
	return error;
}

int rule_read(struct span name, struct span body, struct rule **rule, struct writer *problem)
{
	struct reading reading = {.rule = calloc(1, sizeof(struct rule)), .problem = problem};
	int error;

	if (!reading.rule) {
		return -ENOMEM;
	}
	reading.rule->priority = rule_priority_default;
	reading.rule->certainty = CERTAINTY_SEEN;
	error = read_rule(&reading, name, body);
	if (error) {
		rule_free(reading.rule);
		return error;
	}
	*rule = reading.rule;
	return 0;
}

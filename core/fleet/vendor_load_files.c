/* SPDX-License-Identifier: MIT */
/* What of a pack is about the files that its phones ask for. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/fleet/inventory.h"
#include "core/fleet/parameters.h"
#include "core/fleet/vendor_reader.h"
#include "core/jinja/jinja.h"

#include <errno.h>
#include <pcre2.h>

enum { parameters_max = 5000 };

static const uint32_t name_options = PCRE2_CASELESS | PCRE2_ANCHORED | PCRE2_ENDANCHORED;

/* <MAC>, <mac>, <MODEL>, <model> are what a name may leave open. */
static bool is_file_pattern(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		struct span rest = span_slice(name, i, name.length);

		if (name.data[i] == '<' && !span_starts_with_nocase(rest, SPAN("<mac>")) &&
		    !span_starts_with_nocase(rest, SPAN("<model>"))) {
			return false;
		}
	}
	return catalogue_name_is_legal(name);
}

static int compile_template(struct pack_reader *l, struct vendor_file *file)
{
	static const struct jinja_compile_options options = {
		.trim_blocks = true,
		.lstrip_blocks = true,
		.keep_trailing_newline = true,
	};
	struct jinja_error mistake;
	struct arena scratch;
	struct span source;
	int error;

	arena_init(&scratch, 2 * pack_json_bytes_max);
	error = l->read(l->context, file->template_name, &scratch, &source);
	if (error) {
		pack_enter(l, "template");
		pack_refuse(l, error == -ENOENT ? "there is no such template" : "cannot be read");
		error = error == -ENOMEM ? error : -EINVAL;
	} else {
		error = jinja_compile(&file->template, file->template_name, source, &options,
				      &mistake);
		if (error) {
			jinja_error_write(&l->problem, &mistake);
			error = error == -ENOMEM ? error : -EINVAL;
		}
	}
	arena_free(&scratch);
	return error;
}

static int take_template(struct pack_reader *l, json_t *object, struct vendor_file *file)
{
	static const char *const formats[] = {"text", "xml", "line", "json", NULL};
	static const int values[] = {JINJA_FORMAT_TEXT, JINJA_FORMAT_XML, JINJA_FORMAT_LINE,
				     JINJA_FORMAT_JSON};
	bool is_config = file->kind == VENDOR_FILE_CONFIG;
	int format = -1;
	int error = pack_take_string(l, object, "template", is_config, &file->template_name);

	error = error ? error : pack_take_choice(l, object, "format", formats, &format);
	if (error) {
		return error;
	}
	if (!is_config) {
		return file->template_name.length > 0 || format >= 0
			       ? pack_refuse_member(l, "kind",
						    "only a config has template and format")
			       : 0;
	}
	if (format < 0) {
		return pack_refuse_member(l, "format", "is missing");
	}
	if (!catalogue_name_is_legal(file->template_name)) {
		return pack_refuse_member(l, "template", "must be a file beside pack.json");
	}
	file->format = values[format];
	return compile_template(l, file);
}

/* Whom a name tells, where the pack does not say. */
static enum vendor_file_identity identity_of_name(struct span name)
{
	for (size_t i = 0; i < name.length; i++) {
		if (span_starts_with_nocase(span_slice(name, i, name.length), SPAN("<mac>"))) {
			return FILE_IDENTITY_MAC;
		}
	}
	return span_find(name, '<') < name.length ? FILE_IDENTITY_MODEL : FILE_IDENTITY_COMMON;
}

/* --- names as patterns --- */

/* In any case and spelling; see mac.h. */
static const char mac_pattern[] = "(?<mac>[0-9a-f]{12}|[0-9a-f]{2}(?:[-:._][0-9a-f]{2}){5}|"
				  "[0-9a-f]{4}(?:\\.[0-9a-f]{4}){2})";
/* Not what looks like a MAC: that is no model. */
static const char model_pattern[] =
	"(?<model>(?![0-9a-f]{12}(?![0-9a-z]))[0-9a-z][0-9a-z _.+-]{0,30})";

/* The pattern of a name, of its last part; a second placeholder is the same again. */
static void write_named(struct writer *w, struct span name)
{
	bool has_mac = false;
	bool has_model = false;

	while (span_find(name, '/') < name.length) {
		(void)span_cut(&name, '/');
	}
	while (name.length > 0) {
		size_t length = 1;

		if (span_starts_with_nocase(name, SPAN("<mac>"))) {
			writer_text(w, has_mac ? "\\k<mac>" : mac_pattern);
			has_mac = true;
			length = 5;
		} else if (span_starts_with_nocase(name, SPAN("<model>"))) {
			writer_text(w, has_model ? "\\k<model>" : model_pattern);
			has_model = true;
			length = 7;
		} else {
			if (!ascii_is_alnum(name.data[0])) {
				writer_char(w, '\\');
			}
			writer_char(w, name.data[0]);
		}
		name = span_slice(name, length, name.length);
	}
}

static int take_named(struct pack_reader *l, struct vendor_file *file)
{
	char text[2 * catalogue_name_max + sizeof(mac_pattern) + sizeof(model_pattern) + 16];
	struct writer w = writer_over(text, sizeof(text));

	write_named(&w, file->pattern);
	if (w.failed) {
		return pack_refuse_member(l, "name", "has too many placeholders");
	}
	file->named.text = arena_copy(&l->pack->arena, writer_span(&w));
	return file->named.text.data ? pack_compile_pattern(l, name_options, &file->named)
				     : -ENOMEM;
}

static bool has_group(const struct vendor_pattern *pattern, const char *name)
{
	return pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name) > 0;
}

/* What a name tells must be in it, and what all phones of a model get must not be one's secret. */
static int check_identity(struct pack_reader *l, const struct vendor_file *file)
{
	if (file->identity != FILE_IDENTITY_MAC) {
		return file->kind == VENDOR_FILE_CONFIG && file->has_secrets
			       ? pack_refuse_member(l, "secrets",
						    "must be false: a file that is not one "
						    "phone's own can hold no secrets")
			       : 0;
	}
	if (file->match.count == 0 && !has_group(&file->named, "mac")) {
		return pack_refuse_member(l, "identity", "is mac, but no MAC is in the name");
	}
	for (size_t i = 0; i < file->match.count; i++) {
		if (!has_group(&file->match.items[i], "mac")) {
			pack_enter(l, "match");
			pack_enter_index(l, i);
			return pack_refuse(l, "has no group (?<mac>…), and the identity is mac");
		}
	}
	return 0;
}

static int take_file(struct pack_reader *l, json_t *object, struct vendor_file *file)
{
	static const char *const known[] = {"name",	    "match",	"identity", "kind",
					    "content_type", "template", "format",   "secrets",
					    "essential",    NULL};
	static const char *const identities[] = {"mac", "model", "common", NULL};
	static const char *const kinds[] = {"config", "firmware", "stored", NULL};
	int kind = -1;
	int identity = -1;
	int error = pack_check_members(l, object, known);

	file->content_type = SPAN("application/octet-stream");
	error = error ? error : pack_take_string(l, object, "name", true, &file->pattern);
	error = error ? error : pack_take_patterns(l, object, "match", name_options, &file->match);
	error = error ? error : pack_take_choice(l, object, "identity", identities, &identity);
	error = error ? error : pack_take_choice(l, object, "kind", kinds, &kind);
	error = error ? error
		      : pack_take_string(l, object, "content_type", false, &file->content_type);
	if (error) {
		return error;
	}
	if (kind < 0) {
		return pack_refuse_member(l, "kind", "is missing");
	}
	if (!is_file_pattern(file->pattern)) {
		return pack_refuse_member(l, "name",
					  "must be a file name; it may hold <MAC> and <model>");
	}
	file->kind = (enum vendor_file_kind)kind;
	file->identity = identity >= 0 ? (enum vendor_file_identity)identity
				       : identity_of_name(file->pattern);
	/* Rather a secret too many than one too few. */
	file->has_secrets = file->kind == VENDOR_FILE_CONFIG;
	error = pack_take_boolean(l, object, "secrets", &file->has_secrets);
	error = error ? error : pack_take_boolean(l, object, "essential", &file->is_essential);
	error = error ? error : take_named(l, file);
	error = error ? error : take_template(l, object, file);
	return error ? error : check_identity(l, file);
}

int pack_take_files(struct pack_reader *l, json_t *root)
{
	json_t *list = json_object_get(root, "files");
	size_t before = pack_enter(l, "files");

	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > pack_list_count_max) {
		return pack_refuse(l, "must be a list [ ] of 1 to 1000 files");
	}
	l->pack->files =
		arena_array(&l->pack->arena, json_array_size(list), sizeof(*l->pack->files));
	if (!l->pack->files) {
		return -ENOMEM;
	}
	while (l->pack->file_count < json_array_size(list)) {
		size_t i = l->pack->file_count++;
		size_t outer = pack_enter_index(l, i);
		int error = take_file(l, json_array_get(list, i), &l->pack->files[i]);

		if (error) {
			return error;
		}
		pack_leave(l, outer);
	}
	pack_leave(l, before);
	return 0;
}

/* A `[` in a name is one range of digits. */
static bool is_parameter_name(struct span name)
{
	size_t at = span_find(name, '[');

	return name.length > 0 && span_find(name, '=') == name.length &&
	       (at == name.length ||
		(at + 5 <= name.length && ascii_is_digit(name.data[at + 1]) &&
		 name.data[at + 2] == '-' && ascii_is_digit(name.data[at + 3]) &&
		 name.data[at + 4] == ']'));
}

static int take_parameter(struct pack_reader *l, const char *key, json_t *value)
{
	struct vendor_parameter *parameter = &l->pack->parameters[l->pack->parameter_count++];
	struct span rule;

	if (!json_is_string(value) || !is_parameter_name(span_text(key))) {
		return pack_refuse_member(l, key, "must be a name and, in quotes, what it may be");
	}
	parameter->name = arena_copy(&l->pack->arena, span_text(key));
	if (!parameter->name.data || pack_copy_string(l, value, &rule) != 0) {
		return -ENOMEM;
	}
	return parameter_rule_parse(rule, parameter) == 0
		       ? 0
		       : pack_refuse_member(l, key,
					    "must be text MAX, int MIN..MAX, bool or one A|B|C");
}

int pack_take_parameters(struct pack_reader *l, json_t *root)
{
	json_t *object = json_object_get(root, "parameters");
	const char *key;
	json_t *value;

	if (!object) {
		return 0;
	}
	pack_enter(l, "parameters");
	if (!json_is_object(object) || json_object_size(object) > parameters_max) {
		return pack_refuse(l, "must be an object { } of at most 5000");
	}
	l->pack->parameters = arena_array(&l->pack->arena, json_object_size(object),
					  sizeof(*l->pack->parameters));
	if (!l->pack->parameters) {
		return -ENOMEM;
	}
	json_object_foreach(object, key, value)
	{
		int error = take_parameter(l, key, value);

		if (error) {
			return error;
		}
	}
	pack_leave(l, 0);
	return 0;
}

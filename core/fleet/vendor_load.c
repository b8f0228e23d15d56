/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/fleet/inventory.h"
#include "core/fleet/json_line.h"
#include "core/fleet/parameters.h"
#include "core/fleet/vendor.h"
#include "core/jinja/jinja.h"

#include <errno.h>
#include <jansson.h>
#include <pcre2.h>
#include <stdlib.h>

enum {
	pack_bytes_max = 8 << 20,
	json_bytes_max = 1 << 20,
	list_count_max = 1000,
	parameters_max = 5000,
	pattern_length_max = 500,
	path_size = 160,
	url_max_least = 32,
	url_max_most = 512,
};

struct loader {
	struct vendor_pack *pack;
	vendor_read_fn *read;
	void *context;
	struct span text; /* pack.json */
	char path[path_size];
	size_t path_length;
	struct writer problem;
};

/* --- where we are, for mistakes --- */

static size_t enter(struct loader *l, const char *key)
{
	struct writer w = writer_over(l->path, sizeof(l->path));
	size_t before = l->path_length;

	w.length = before;
	if (before > 0) {
		writer_char(&w, '.');
	}
	writer_text(&w, key);
	l->path_length = w.length;
	return before;
}

static size_t enter_index(struct loader *l, size_t index)
{
	struct writer w = writer_over(l->path, sizeof(l->path));
	size_t before = l->path_length;

	w.length = before;
	writer_char(&w, '[');
	writer_unsigned(&w, index);
	writer_char(&w, ']');
	l->path_length = w.length;
	return before;
}

static void leave(struct loader *l, size_t before)
{
	l->path_length = before;
}

/* "pack.json:LINE: FIELD: what is wrong" */
static int refuse(struct loader *l, const char *what)
{
	struct span path = span_make(l->path, l->path_length);

	writer_text(&l->problem, "pack.json:");
	writer_unsigned(&l->problem, json_line_of(l->text, path));
	writer_text(&l->problem, ": ");
	if (path.length > 0) {
		writer_escaped(&l->problem, path, path_size);
		writer_text(&l->problem, ": ");
	}
	writer_text(&l->problem, what);
	return -EINVAL;
}

static int refuse_member(struct loader *l, const char *key, const char *what)
{
	enter(l, key);
	return refuse(l, what);
}

/* --- members by type; a path that was entered and refused is not left: the load ends --- */

static int check_members(struct loader *l, json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		return refuse(l, "must be an object { }");
	}
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0) {
			i++;
		}
		if (!known[i]) {
			return refuse_member(l, key, "no such field (see doc/vendor-packs.md)");
		}
	}
	return 0;
}

static int copy_string(struct loader *l, json_t *value, struct span *text)
{
	struct span bytes = span_make(json_string_value(value), json_string_length(value));

	*text = arena_copy(&l->pack->arena, bytes);
	return text->data ? 0 : -ENOMEM;
}

/* A string member; `*text` stays when it is not there, unless it must be. */
static int take_string(struct loader *l, json_t *object, const char *key, bool is_required,
		       struct span *text)
{
	json_t *value = json_object_get(object, key);

	if (!value) {
		return is_required ? refuse_member(l, key, "is missing") : 0;
	}
	if (!json_is_string(value) || json_string_length(value) == 0) {
		return refuse_member(l, key, "must be a text in quotes");
	}
	return copy_string(l, value, text);
}

static int take_boolean(struct loader *l, json_t *object, const char *key, bool *flag)
{
	json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value)) {
		return refuse_member(l, key, "must be true or false");
	}
	if (value) {
		*flag = json_is_true(value);
	}
	return 0;
}

/* One of a list of words that ends with NULL; `*index` stays when the member is not there. */
static int take_choice(struct loader *l, json_t *object, const char *key, const char *const *words,
		       int *index)
{
	json_t *value = json_object_get(object, key);

	if (!value) {
		return 0;
	}
	for (int i = 0; words[i]; i++) {
		if (json_is_string(value) && strcmp(json_string_value(value), words[i]) == 0) {
			*index = i;
			return 0;
		}
	}
	enter(l, key);
	refuse(l, "must be one of");
	for (int i = 0; words[i]; i++) {
		writer_char(&l->problem, ' ');
		writer_text(&l->problem, words[i]);
	}
	return -EINVAL;
}

/* A list of strings as an array in the arena; absent is empty. */
static int take_list(struct loader *l, json_t *object, const char *key, struct span **items,
		     size_t *count)
{
	json_t *list = json_object_get(object, key);
	size_t before;

	if (!list) {
		return 0;
	}
	before = enter(l, key);
	if (!json_is_array(list) || json_array_size(list) > list_count_max) {
		return refuse(l, "must be a list [ ] of at most 1000 texts");
	}
	*items = arena_array(&l->pack->arena, json_array_size(list), sizeof(**items));
	if (!*items) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *value = json_array_get(list, i);
		size_t outer = enter_index(l, i);

		if (!json_is_string(value) || json_string_length(value) == 0) {
			return refuse(l, "must be a text in quotes");
		}
		if (copy_string(l, value, &(*items)[i]) != 0) {
			return -ENOMEM;
		}
		leave(l, outer);
	}
	*count = json_array_size(list);
	leave(l, before);
	return 0;
}

/* --- recognise --- */

static int take_oui(struct loader *l, json_t *object)
{
	struct vendor_pack *pack = l->pack;
	int error = take_list(l, object, "oui", &pack->oui, &pack->oui_count);

	for (size_t i = 0; !error && i < pack->oui_count; i++) {
		struct span oui = pack->oui[i];
		bool is_legal = oui.length >= 6 && oui.length <= 9;

		for (size_t j = 0; j < oui.length; j++) {
			is_legal = is_legal && ascii_hex_value(oui.data[j]) >= 0 &&
				   ascii_lower(oui.data[j]) == oui.data[j];
		}
		if (!is_legal) {
			enter(l, "oui");
			enter_index(l, i);
			return refuse(l, "must be 6 to 9 hexadecimal digits in small letters");
		}
	}
	return error;
}

static int compile_pattern(struct loader *l, struct vendor_pattern *pattern)
{
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int code;

	if (pattern->text.length > pattern_length_max) {
		return refuse(l, "the pattern is longer than 500 characters");
	}
	pattern->code =
		pcre2_compile((PCRE2_SPTR)pattern->text.data, pattern->text.length,
			      PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
	if (pattern->code) {
		return 0;
	}
	refuse(l, "not a pattern: ");
	if (pcre2_get_error_message(code, message, sizeof(message)) > 0) {
		writer_text(&l->problem, (const char *)message);
	}
	writer_text(&l->problem, " at character ");
	writer_unsigned(&l->problem, offset + 1);
	return -EINVAL;
}

static int take_patterns(struct loader *l, json_t *object, const char *key,
			 struct vendor_patterns *patterns)
{
	struct span *texts = NULL;
	size_t count = 0;
	size_t before;
	int error = take_list(l, object, key, &texts, &count);

	if (error || count == 0) {
		return error;
	}
	patterns->items = arena_array(&l->pack->arena, count, sizeof(*patterns->items));
	if (!patterns->items) {
		return -ENOMEM;
	}
	before = enter(l, key);
	while (patterns->count < count) {
		struct vendor_pattern *pattern = &patterns->items[patterns->count];
		size_t outer = enter_index(l, patterns->count);

		pattern->text = texts[patterns->count];
		error = compile_pattern(l, pattern);
		if (error) {
			return error;
		}
		patterns->count++;
		leave(l, outer);
	}
	leave(l, before);
	return 0;
}

static int take_recognise(struct loader *l, json_t *root)
{
	static const char *const known[] = {"oui",	    "sip_user_agent", "http_user_agent",
					    "event_vendor", "event_model",    NULL};
	json_t *object = json_object_get(root, "recognise");
	size_t before;
	int error;

	if (!object) {
		return refuse_member(l, "recognise", "is missing");
	}
	before = enter(l, "recognise");
	error = check_members(l, object, known);
	error = error ? error : take_oui(l, object);
	error = error ? error
		      : take_patterns(l, object, "sip_user_agent", &l->pack->sip_user_agent);
	error = error ? error
		      : take_patterns(l, object, "http_user_agent", &l->pack->http_user_agent);
	error = error ? error : take_patterns(l, object, "event_vendor", &l->pack->event_vendor);
	error = error ? error : take_patterns(l, object, "event_model", &l->pack->event_model);
	leave(l, error ? l->path_length : before);
	return error;
}

/* --- files --- */

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

static int compile_template(struct loader *l, struct vendor_file *file)
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

	arena_init(&scratch, 2 * json_bytes_max);
	error = l->read(l->context, file->template_name, &scratch, &source);
	if (error) {
		enter(l, "template");
		refuse(l, error == -ENOENT ? "there is no such template" : "cannot be read");
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

static int take_template(struct loader *l, json_t *object, struct vendor_file *file)
{
	static const char *const formats[] = {"text", "xml", "line", "json", NULL};
	static const int values[] = {JINJA_FORMAT_TEXT, JINJA_FORMAT_XML, JINJA_FORMAT_LINE,
				     JINJA_FORMAT_JSON};
	bool is_config = file->kind == VENDOR_FILE_CONFIG;
	int format = -1;
	int error = take_string(l, object, "template", is_config, &file->template_name);

	error = error ? error : take_choice(l, object, "format", formats, &format);
	if (error) {
		return error;
	}
	if (!is_config) {
		return file->template_name.length > 0 || format >= 0
			       ? refuse_member(l, "kind", "only a config has template and format")
			       : 0;
	}
	if (format < 0) {
		return refuse_member(l, "format", "is missing");
	}
	if (!catalogue_name_is_legal(file->template_name)) {
		return refuse_member(l, "template", "must be a file beside pack.json");
	}
	file->format = values[format];
	return compile_template(l, file);
}

static int take_file(struct loader *l, json_t *object, struct vendor_file *file)
{
	static const char *const known[] = {"name",   "kind",	 "content_type", "template",
					    "format", "secrets", "essential",	 NULL};
	static const char *const kinds[] = {"config", "firmware", "stored", NULL};
	int kind = -1;
	int error = check_members(l, object, known);

	file->content_type = SPAN("application/octet-stream");
	error = error ? error : take_string(l, object, "name", true, &file->pattern);
	error = error ? error : take_choice(l, object, "kind", kinds, &kind);
	error = error ? error : take_string(l, object, "content_type", false, &file->content_type);
	if (error) {
		return error;
	}
	if (kind < 0) {
		return refuse_member(l, "kind", "is missing");
	}
	if (!is_file_pattern(file->pattern)) {
		return refuse_member(l, "name",
				     "must be a file name; it may hold <MAC> and <model>");
	}
	file->kind = (enum vendor_file_kind)kind;
	/* Rather a secret too many than one too few. */
	file->has_secrets = file->kind == VENDOR_FILE_CONFIG;
	error = take_boolean(l, object, "secrets", &file->has_secrets);
	error = error ? error : take_boolean(l, object, "essential", &file->is_essential);
	return error ? error : take_template(l, object, file);
}

static int take_files(struct loader *l, json_t *root)
{
	json_t *list = json_object_get(root, "files");
	size_t before = enter(l, "files");

	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > list_count_max) {
		return refuse(l, "must be a list [ ] of 1 to 1000 files");
	}
	l->pack->files =
		arena_array(&l->pack->arena, json_array_size(list), sizeof(*l->pack->files));
	if (!l->pack->files) {
		return -ENOMEM;
	}
	while (l->pack->file_count < json_array_size(list)) {
		size_t i = l->pack->file_count++;
		size_t outer = enter_index(l, i);
		int error = take_file(l, json_array_get(list, i), &l->pack->files[i]);

		if (error) {
			return error;
		}
		leave(l, outer);
	}
	leave(l, before);
	return 0;
}

/* --- url and answer --- */

static int check_shape(struct loader *l, const char *key, struct span shape)
{
	static const char *const known[] = {"base", "origin", "path",  "address", "key",
					    "mac",  "MAC",    "model", "vendor",  "port"};

	for (size_t i = 0; i < shape.length; i++) {
		struct span rest = span_slice(shape, i, shape.length);
		struct span name = span_slice(rest, 2, span_find(rest, '}'));
		bool is_known = false;

		if (!span_starts_with(rest, SPAN("%{"))) {
			continue;
		}
		for (size_t j = 0; j < sizeof(known) / sizeof(*known); j++) {
			is_known = is_known || span_equal(name, span_text(known[j]));
		}
		if (!is_known || span_find(rest, '}') == rest.length) {
			return refuse_member(l, key, "has a %{name} that there is not");
		}
	}
	return 0;
}

static int take_url_max(struct loader *l, json_t *object)
{
	json_t *value = json_object_get(object, "max");

	if (!value) {
		return 0;
	}
	if (!json_is_integer(value) || json_integer_value(value) < url_max_least ||
	    json_integer_value(value) > url_max_most) {
		return refuse_member(l, "max", "must be a number from 32 to 512");
	}
	l->pack->url_max = (size_t)json_integer_value(value);
	return 0;
}

static int take_url(struct loader *l, json_t *root)
{
	static const char *const known[] = {"shape", "shape_without_model", "max", NULL};
	struct vendor_pack *pack = l->pack;
	json_t *object = json_object_get(root, "url");
	size_t before;
	int error;

	if (!object) {
		return 0;
	}
	before = enter(l, "url");
	error = check_members(l, object, known);
	error = error ? error : take_string(l, object, "shape", false, &pack->url_shape);
	error = error ? error
		      : take_string(l, object, "shape_without_model", false,
				    &pack->url_shape_without_model);
	error = error ? error : check_shape(l, "shape", pack->url_shape);
	error = error ? error
		      : check_shape(l, "shape_without_model", pack->url_shape_without_model);
	error = error ? error : take_url_max(l, object);
	leave(l, error ? l->path_length : before);
	return error;
}

static int take_answer(struct loader *l, json_t *root)
{
	static const char *const known[] = {"form", NULL};
	static const char *const forms[] = {"rfc", "print", NULL};
	json_t *object = json_object_get(root, "answer");
	int form = 0;
	size_t before;
	int error;

	if (!object) {
		return 0;
	}
	before = enter(l, "answer");
	error = check_members(l, object, known);
	error = error ? error : take_choice(l, object, "form", forms, &form);
	l->pack->form = form == 0 ? FORM_RFC : FORM_PRINT;
	leave(l, error ? l->path_length : before);
	return error;
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

static int take_parameter(struct loader *l, const char *key, json_t *value)
{
	struct vendor_parameter *parameter = &l->pack->parameters[l->pack->parameter_count++];
	struct span rule;

	if (!json_is_string(value) || !is_parameter_name(span_text(key))) {
		return refuse_member(l, key, "must be a name and, in quotes, what it may be");
	}
	parameter->name = arena_copy(&l->pack->arena, span_text(key));
	if (!parameter->name.data || copy_string(l, value, &rule) != 0) {
		return -ENOMEM;
	}
	return parameter_rule_parse(rule, parameter) == 0
		       ? 0
		       : refuse_member(l, key, "must be text MAX, int MIN..MAX, bool or one A|B|C");
}

static int take_parameters(struct loader *l, json_t *root)
{
	json_t *object = json_object_get(root, "parameters");
	const char *key;
	json_t *value;

	if (!object) {
		return 0;
	}
	enter(l, "parameters");
	if (!json_is_object(object) || json_object_size(object) > parameters_max) {
		return refuse(l, "must be an object { } of at most 5000");
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
	leave(l, 0);
	return 0;
}

/* What each statement rests on: only its spelling is checked. */
static int check_evidence(struct loader *l, json_t *root)
{
	static const char *const kinds[] = {"capture", "firmware",  "manual",
					    "code",    "inference", NULL};
	json_t *object = json_object_get(root, "evidence");
	const char *key;
	json_t *value;

	if (!object) {
		return 0;
	}
	enter(l, "evidence");
	if (!json_is_object(object)) {
		return refuse(l, "must be an object { }");
	}
	json_object_foreach(object, key, value)
	{
		int kind = -1;

		if (take_choice(l, object, key, kinds, &kind) != 0) {
			return -EINVAL;
		}
	}
	leave(l, 0);
	return 0;
}

static int take_names(struct loader *l, json_t *root)
{
	struct vendor_pack *pack = l->pack;
	json_t *schema = json_object_get(root, "schema");
	int error;

	if (!json_is_integer(schema) || json_integer_value(schema) != 1) {
		return refuse_member(l, "schema", "must be 1");
	}
	error = take_string(l, root, "name", true, &pack->name);
	if (!error && !device_vendor_is_legal(pack->name)) {
		return refuse_member(l, "name", "must be at most 23 small letters and digits");
	}
	return error ? error : take_string(l, root, "display_name", true, &pack->display_name);
}

static int take_pack(struct loader *l, json_t *root)
{
	static const char *const known[] = {"schema",	  "name",      "display_name",
					    "evidence",	  "recognise", "files",
					    "url",	  "answer",    "data",
					    "parameters", NULL};
	json_t *data = json_object_get(root, "data");
	int error = check_members(l, root, known);

	error = error ? error : take_names(l, root);
	error = error ? error : check_evidence(l, root);
	error = error ? error : take_recognise(l, root);
	error = error ? error : take_url(l, root);
	error = error ? error : take_answer(l, root);
	error = error ? error : take_parameters(l, root);
	if (!error && data && !json_is_object(data)) {
		error = refuse_member(l, "data", "must be an object { }");
	}
	/* Last, because templates are the costly part. */
	error = error ? error : take_files(l, root);
	if (!error) {
		l->pack->data = json_incref(data);
	}
	return error;
}

static int load(struct loader *l)
{
	json_error_t mistake;
	json_t *root;
	int error = l->read(l->context, SPAN("pack.json"), &l->pack->arena, &l->text);

	if (error) {
		writer_text(&l->problem, "pack.json: cannot be read");
		return error;
	}
	if (l->text.length > json_bytes_max) {
		writer_text(&l->problem, "pack.json: is larger than 1 MiB");
		return -EINVAL;
	}
	root = json_loadb(l->text.data ? l->text.data : "", l->text.length, JSON_REJECT_DUPLICATES,
			  &mistake);
	if (!root) {
		writer_text(&l->problem, "pack.json:");
		writer_unsigned(&l->problem, mistake.line > 0 ? (unsigned)mistake.line : 1);
		writer_text(&l->problem, ": JSON: ");
		writer_escaped(&l->problem, span_text(mistake.text), sizeof(mistake.text));
		return -EINVAL;
	}
	error = take_pack(l, root);
	json_decref(root);
	return error;
}

int vendor_pack_load(struct vendor_pack **pack, vendor_read_fn *read, void *context, char *problem,
		     size_t problem_size)
{
	struct loader l = {.read = read, .context = context};
	int error;

	l.problem = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);
	l.pack = calloc(1, sizeof(*l.pack));
	if (!l.pack) {
		return -ENOMEM;
	}
	arena_init(&l.pack->arena, pack_bytes_max);
	l.pack->form = FORM_RFC;
	l.pack->url_max = url_max_most;
	error = load(&l);
	if (problem_size > 0) {
		problem[l.problem.length] = '\0';
	}
	if (error) {
		vendor_pack_free(l.pack);
		return error;
	}
	*pack = l.pack;
	return 0;
}

static void free_patterns(struct vendor_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++) {
		pcre2_code_free(patterns->items[i].code);
	}
}

void vendor_pack_free(struct vendor_pack *pack)
{
	if (!pack) {
		return;
	}
	free_patterns(&pack->sip_user_agent);
	free_patterns(&pack->http_user_agent);
	free_patterns(&pack->event_vendor);
	free_patterns(&pack->event_model);
	for (size_t i = 0; i < pack->file_count; i++) {
		jinja_template_free(pack->files[i].template);
	}
	json_decref(pack->data);
	arena_free(&pack->arena);
	free(pack);
}

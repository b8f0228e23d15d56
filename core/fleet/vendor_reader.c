/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/fleet/vendor_reader.h"

#include "core/fleet/json_line.h"
#include "core/fleet/vendor_match.h"

#include <errno.h>
#include <pcre2.h>

enum { pattern_length_max = 500 };

size_t pack_enter(struct pack_reader *l, const char *key)
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

size_t pack_enter_index(struct pack_reader *l, size_t index)
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

void pack_leave(struct pack_reader *l, size_t before)
{
	l->path_length = before;
}

/* "pack.json:LINE: FIELD: what is wrong" */
int pack_refuse(struct pack_reader *l, const char *what)
{
	struct span path = span_make(l->path, l->path_length);

	writer_text(&l->problem, "pack.json:");
	writer_unsigned(&l->problem, json_line_of(l->text, path));
	writer_text(&l->problem, ": ");
	if (path.length > 0) {
		writer_escaped(&l->problem, path, pack_path_size);
		writer_text(&l->problem, ": ");
	}
	writer_text(&l->problem, what);
	return -EINVAL;
}

int pack_refuse_member(struct pack_reader *l, const char *key, const char *what)
{
	pack_enter(l, key);
	return pack_refuse(l, what);
}

int pack_check_members(struct pack_reader *l, json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		return pack_refuse(l, "must be an object { }");
	}
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0) {
			i++;
		}
		if (!known[i]) {
			return pack_refuse_member(l, key,
						  "no such field (see doc/vendor-packs.md)");
		}
	}
	return 0;
}

int pack_copy_string(struct pack_reader *l, json_t *value, struct span *text)
{
	struct span bytes = span_make(json_string_value(value), json_string_length(value));

	*text = arena_copy(&l->pack->arena, bytes);
	return text->data ? 0 : -ENOMEM;
}

/* A string member; `*text` stays when it is not there, unless it must be. */
int pack_take_string(struct pack_reader *l, json_t *object, const char *key, bool is_required,
		     struct span *text)
{
	json_t *value = json_object_get(object, key);

	if (!value) {
		return is_required ? pack_refuse_member(l, key, "is missing") : 0;
	}
	if (!json_is_string(value) || json_string_length(value) == 0) {
		return pack_refuse_member(l, key, "must be a text in quotes");
	}
	return pack_copy_string(l, value, text);
}

int pack_take_boolean(struct pack_reader *l, json_t *object, const char *key, bool *flag)
{
	json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value)) {
		return pack_refuse_member(l, key, "must be true or false");
	}
	if (value) {
		*flag = json_is_true(value);
	}
	return 0;
}

/* One of a list of words that ends with NULL; `*index` stays when the member is not there. */
int pack_take_choice(struct pack_reader *l, json_t *object, const char *key,
		     const char *const *words, int *index)
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
	pack_enter(l, key);
	pack_refuse(l, "must be one of");
	for (int i = 0; words[i]; i++) {
		writer_char(&l->problem, ' ');
		writer_text(&l->problem, words[i]);
	}
	return -EINVAL;
}

/* A list of strings as an array in the arena; absent is empty. */
int pack_take_list(struct pack_reader *l, json_t *object, const char *key, struct span **items,
		   size_t *count)
{
	json_t *list = json_object_get(object, key);
	size_t before;

	if (!list) {
		return 0;
	}
	before = pack_enter(l, key);
	if (!json_is_array(list) || json_array_size(list) > pack_list_count_max) {
		return pack_refuse(l, "must be a list [ ] of at most 1000 texts");
	}
	*items = arena_array(&l->pack->arena, json_array_size(list), sizeof(**items));
	if (!*items) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *value = json_array_get(list, i);
		size_t outer = pack_enter_index(l, i);

		if (!json_is_string(value) || json_string_length(value) == 0) {
			return pack_refuse(l, "must be a text in quotes");
		}
		if (pack_copy_string(l, value, &(*items)[i]) != 0) {
			return -ENOMEM;
		}
		pack_leave(l, outer);
	}
	*count = json_array_size(list);
	pack_leave(l, before);
	return 0;
}

static int take_literal(struct pack_reader *l, struct vendor_pattern *pattern)
{
	char text[vendor_literal_max];
	struct writer w = writer_over(text, sizeof(text));

	vendor_literal_of(pattern->text, &w, &pattern->literal_is_at_start);
	pattern->literal = arena_copy(&l->pack->arena, writer_span(&w));
	return pattern->literal.data ? 0 : -ENOMEM;
}

/* Every item is counted when it is tried: see vendor_match.h. */
int pack_compile_pattern(struct pack_reader *l, uint32_t options, struct vendor_pattern *pattern)
{
	uint32_t usual = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	uint32_t groups = 0;
	int code;

	if (pattern->text.length > pattern_length_max) {
		return pack_refuse(l, "the pattern is longer than 500 characters");
	}
	pattern->code = pcre2_compile((PCRE2_SPTR)pattern->text.data, pattern->text.length,
				      options | usual, &code, &offset, NULL);
	if (pattern->code) {
		(void)pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &groups);
		if (groups <= vendor_groups_max) {
			return take_literal(l, pattern);
		}
		pcre2_code_free(pattern->code);
		pattern->code = NULL;
		return pack_refuse(l, "the pattern has more than 15 groups");
	}
	pack_refuse(l, "not a pattern: ");
	if (pcre2_get_error_message(code, message, sizeof(message)) > 0) {
		writer_text(&l->problem, (const char *)message);
	}
	writer_text(&l->problem, " at character ");
	writer_unsigned(&l->problem, offset + 1);
	return -EINVAL;
}

int pack_take_patterns(struct pack_reader *l, json_t *object, const char *key, uint32_t options,
		       struct vendor_patterns *patterns)
{
	struct span *texts = NULL;
	size_t count = 0;
	size_t before;
	int error = pack_take_list(l, object, key, &texts, &count);

	if (error || count == 0) {
		return error;
	}
	patterns->items = arena_array(&l->pack->arena, count, sizeof(*patterns->items));
	if (!patterns->items) {
		return -ENOMEM;
	}
	before = pack_enter(l, key);
	while (patterns->count < count) {
		struct vendor_pattern *pattern = &patterns->items[patterns->count];
		size_t outer = pack_enter_index(l, patterns->count);

		pattern->text = texts[patterns->count];
		error = pack_compile_pattern(l, options, pattern);
		if (error) {
			return error;
		}
		patterns->count++;
		pack_leave(l, outer);
	}
	pack_leave(l, before);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* What filters and methods do with text: join, replace, split, strip, change of case. */
#include "core/jinja/escape.h"
#include "core/jinja/filters.h"
#include "core/jinja/text.h"

#include <errno.h>

struct jinja_value jinja_made_from(const struct jinja_value *self, struct span text)
{
	return jinja_string_from(text, self->origin);
}

/* Escapes for the format, so that it can stand beside what is safe. */
static int append_escaped(struct jinja_render *render, const struct jinja_node *node,
			  struct span text, struct jinja_buffer *buffer)
{
	struct jinja_value value = jinja_string(text);
	struct jinja_buffer json = {0};
	int result;

	if (render->format == JINJA_FORMAT_XML) {
		return jinja_escape_markup(render, node, text, buffer);
	}
	result = jinja_write_json(render, node, &value, -1, &json);
	if (result < 0) {
		return result;
	}
	return jinja_append(render, node, buffer,
			    span_slice(jinja_buffer_span(&json), 1, json.length - 1));
}

static int append_part(struct jinja_render *render, const struct jinja_value *part,
		       const struct jinja_node *node, bool is_safe, struct jinja_buffer *buffer)
{
	struct span text;
	int result = jinja_text(render, node, part, &text);

	if (result < 0) {
		return result;
	}
	if (is_safe && !(part->kind == JINJA_STRING && (part->flags & JINJA_SAFE))) {
		return append_escaped(render, node, text, buffer);
	}
	return jinja_append(render, node, buffer, text);
}

/* What is safe makes the others be escaped, in the formats that escape. */
static bool is_safe_string(const struct jinja_render *render, const struct jinja_value *value)
{
	return value && value->kind == JINJA_STRING && (value->flags & JINJA_SAFE) &&
	       (render->format == JINJA_FORMAT_XML || render->format == JINJA_FORMAT_JSON);
}

int jinja_join(struct jinja_render *render, const struct jinja_node *node,
	       const struct jinja_list *values, const struct jinja_value *separator,
	       struct jinja_value *result)
{
	struct jinja_buffer buffer = {0};
	bool is_safe = is_safe_string(render, separator);
	struct span origin = {0};
	int code = 0;

	for (size_t i = 0; i < values->count; i++) {
		is_safe = is_safe || is_safe_string(render, &values->items[i]);
	}
	for (size_t i = 0; code == 0 && i < values->count; i++) {
		const struct jinja_value *part = &values->items[i];

		code = jinja_charge(render, node, 1);
		if (code == 0 && separator && i > 0) {
			code = append_part(render, separator, node, is_safe, &buffer);
		}
		if (code == 0) {
			origin = jinja_origin_of(origin, jinja_buffer_span(&buffer), part->origin);
			code = append_part(render, part, node, is_safe, &buffer);
		}
	}
	*result = jinja_string_from(jinja_buffer_span(&buffer), origin);
	result->flags = is_safe ? JINJA_SAFE : 0;
	return code;
}

int jinja_join_pair(struct jinja_render *render, const struct jinja_node *node,
		    const struct jinja_value *pair, struct jinja_value *result)
{
	struct jinja_value items[2] = {pair[0], pair[1]};
	struct jinja_list list = {.items = items, .count = 2, .capacity = 2};

	return jinja_join(render, node, &list, NULL, result);
}

static bool is_one_of(struct span characters, struct span text, size_t at, size_t length)
{
	for (size_t i = 0; i < characters.length; i += jinja_character_length(characters, i)) {
		if (jinja_character_length(characters, i) == length &&
		    memcmp(characters.data + i, text.data + at, length) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_stripped(struct span characters, struct span text, size_t at, size_t length)
{
	return characters.data ? is_one_of(characters, text, at, length)
			       : jinja_is_space(text.data[at]);
}

struct span jinja_strip(struct span text, struct span characters, bool at_start, bool at_end)
{
	size_t start = 0;
	size_t end;

	while (at_start && start < text.length) {
		size_t length = jinja_character_length(text, start);

		if (!is_stripped(characters, text, start, length)) {
			break;
		}
		start += length;
	}
	if (!at_end) {
		return span_slice(text, start, text.length);
	}
	end = start;
	for (size_t at = start; at < text.length;) {
		size_t length = jinja_character_length(text, at);

		if (!is_stripped(characters, text, at, length)) {
			end = at + length;
		}
		at += length;
	}
	return span_slice(text, start, end);
}

int jinja_replace(struct jinja_call *call, struct span text, const struct span *pair,
		  int64_t count_max, struct jinja_value *result)
{
	struct jinja_buffer buffer = {0};
	size_t at = 0;
	int code = jinja_charge(call->render, call->node, text.length / 16);

	/* An empty pattern is found before each character and at the end, as in Python. */
	while (code == 0 && count_max != 0) {
		struct span rest = span_slice(text, at, text.length);
		size_t hit = span_search(rest, pair[0]);

		if (pair[0].length > 0 && hit == rest.length) {
			break;
		}
		code = jinja_append(call->render, call->node, &buffer, span_slice(rest, 0, hit));
		if (code == 0) {
			code = jinja_append(call->render, call->node, &buffer, pair[1]);
		}
		count_max -= count_max > 0;
		at += hit + pair[0].length;
		if (pair[0].length == 0) {
			size_t next = at < text.length ? jinja_character_length(text, at) : 0;

			if (next == 0) {
				break;
			}
			if (code == 0) {
				code = jinja_append(call->render, call->node, &buffer,
						    span_slice(text, at, at + next));
			}
			at += next;
		}
		if (code == 0) {
			code = jinja_charge(call->render, call->node, 1);
		}
	}
	if (code == 0) {
		code = jinja_append(call->render, call->node, &buffer,
				    span_slice(text, at, text.length));
	}
	*result = jinja_made_from(call->self, jinja_buffer_span(&buffer));
	return code;
}

/* Cuts the next part; false when there is none (white space only). */
static bool next_part(struct span *rest, struct span separator, bool is_last, struct span *part)
{
	size_t end;

	if (!separator.data) {
		*rest = jinja_strip(*rest, (struct span){0}, true, false);
		if (rest->length == 0) {
			return false;
		}
		for (end = 0;
		     end < rest->length && (is_last || !jinja_is_space(rest->data[end]));) {
			end++;
		}
		*part = span_slice(*rest, 0, end);
		*rest = span_slice(*rest, end, rest->length);
		return true;
	}
	end = is_last ? rest->length : span_search(*rest, separator);
	*part = span_slice(*rest, 0, end);
	if (end < rest->length) {
		*rest = span_make(rest->data + end + separator.length,
				  rest->length - end - separator.length);
	} else {
		*rest = (struct span){0};
	}
	return true;
}

int jinja_split(struct jinja_call *call, struct span text, struct span separator, int64_t count_max,
		struct jinja_value *result)
{
	struct span rest = text.data ? text : SPAN("");
	struct span part;
	int code = jinja_charge(call->render, call->node, text.length / 16);

	if (separator.data && separator.length == 0) {
		return jinja_fail(call->render, call->node, "the separator is empty");
	}
	if (code < 0) {
		return code;
	}
	if (jinja_list(call->render->arena, result) != 0) {
		return jinja_fail_memory(call->render, call->node);
	}
	while (rest.data && next_part(&rest, separator, count_max == 0, &part)) {
		if (jinja_list_append(call->render->arena, result,
				      jinja_made_from(call->self, part)) != 0) {
			return jinja_fail_memory(call->render, call->node);
		}
		code = jinja_charge(call->render, call->node, 1);
		if (code < 0) {
			return code;
		}
		count_max -= count_max > 0;
	}
	return 0;
}

/* Whether a word begins after this character, to the filter `title`. */
static bool begins_word(char c)
{
	return jinja_is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
}

int jinja_change_case(struct jinja_call *call, enum jinja_case to, struct jinja_value *result)
{
	struct span text;
	char *out;
	int code = jinja_text(call->render, call->node, call->self, &text);

	if (code == 0) {
		code = jinja_charge(call->render, call->node, text.length / 16);
	}
	if (code == 0) {
		code = jinja_allocate(call->render, call->node, text.length + 1, &out);
	}
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; i < text.length; i++) {
		char before = i > 0 ? text.data[i - 1] : ' ';
		bool is_upper = to == CASE_UPPER || (to == CASE_CAPITALIZE && i == 0) ||
				(to == CASE_TITLE && begins_word(before)) ||
				(to == CASE_WORDS && !ascii_is_alpha(before));

		out[i] = is_upper ? ascii_upper(text.data[i]) : ascii_lower(text.data[i]);
	}
	*result = jinja_made_from(call->self, span_make(out, text.length));
	return 0;
}

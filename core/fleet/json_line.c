/* SPDX-License-Identifier: MIT */
#include "core/fleet/json_line.h"

/* The text is known to be sound; `at` is held inside it all the same. */
struct cursor {
	struct span text;
	size_t at;
	unsigned line;
};

static char peek(const struct cursor *c)
{
	return c->at < c->text.length ? c->text.data[c->at] : '\0';
}

static void advance(struct cursor *c)
{
	c->line += peek(c) == '\n';
	c->at += c->at < c->text.length;
}

static void skip_blanks(struct cursor *c)
{
	while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\r' || peek(c) == '\n') {
		advance(c);
	}
}

/* From the opening quote to behind the closing one; what stands between them. */
static struct span read_string(struct cursor *c)
{
	size_t start = c->at + 1;

	advance(c);
	while (c->at < c->text.length && peek(c) != '"') {
		if (peek(c) == '\\') {
			advance(c);
		}
		advance(c);
	}
	advance(c);
	return span_slice(c->text, start, c->at - 1);
}

/* A whole value, however deep, without recursion. */
static void skip_value(struct cursor *c)
{
	size_t depth = 0;

	do {
		char sign;

		skip_blanks(c);
		sign = peek(c);
		if (sign == '"') {
			read_string(c);
		} else {
			depth += sign == '{' || sign == '[';
			depth -= depth > 0 && (sign == '}' || sign == ']');
			advance(c);
		}
		skip_blanks(c);
	} while (c->at < c->text.length &&
		 (depth > 0 || (peek(c) != ',' && peek(c) != '}' && peek(c) != ']')));
}

/* Goes to the member `key` of the object here; false when there is none. */
static bool enter_member(struct cursor *c, struct span key)
{
	advance(c);
	for (;;) {
		struct span name;

		skip_blanks(c);
		if (peek(c) != '"') {
			return false;
		}
		name = read_string(c);
		skip_blanks(c);
		advance(c);
		skip_blanks(c);
		if (span_equal(name, key)) {
			return true;
		}
		skip_value(c);
		if (peek(c) != ',') {
			return false;
		}
		advance(c);
	}
}

static bool enter_item(struct cursor *c, uint64_t index)
{
	advance(c);
	skip_blanks(c);
	while (index-- > 0) {
		if (c->at >= c->text.length || peek(c) == ']') {
			return false;
		}
		skip_value(c);
		if (peek(c) != ',') {
			return false;
		}
		advance(c);
		skip_blanks(c);
	}
	return peek(c) != ']';
}

/* Cuts the next step off the path: a name, or an index. */
static bool enter_step(struct cursor *c, struct span *path)
{
	size_t end = 0;

	if (path->data[0] == '[') {
		uint64_t index;
		size_t close = span_find(*path, ']');

		if (span_to_unsigned(span_slice(*path, 1, close), UINT32_MAX, &index) != 0 ||
		    peek(c) != '[') {
			return false;
		}
		*path = span_slice(*path, close + 1, path->length);
		return enter_item(c, index);
	}
	if (path->data[0] == '.') {
		*path = span_slice(*path, 1, path->length);
	}
	while (end < path->length && path->data[end] != '.' && path->data[end] != '[') {
		end++;
	}
	if (end == 0 || peek(c) != '{' || !enter_member(c, span_slice(*path, 0, end))) {
		return false;
	}
	*path = span_slice(*path, end, path->length);
	return true;
}

unsigned json_line_of(struct span text, struct span path)
{
	struct cursor c = {.text = text, .line = 1};
	unsigned line;

	skip_blanks(&c);
	line = c.line;
	while (path.length > 0) {
		if (!enter_step(&c, &path)) {
			break;
		}
		line = c.line;
	}
	return line;
}

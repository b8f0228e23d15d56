/* SPDX-License-Identifier: MIT */
/* Names, literals, attributes, items, calls, filters and tests: what operators stand between. */
#include "core/jinja/parser.h"

#include <errno.h>

static struct jinja_node *make_constant(struct jinja_parser *parser, struct jinja_value value)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_CONSTANT, &parser->current);

	if (!node || !jinja_parser_advance(parser)) {
		return NULL;
	}
	node->constant = value;
	return node;
}

static struct jinja_node *parse_name(struct jinja_parser *parser)
{
	struct span name = parser->current.text;
	struct jinja_node *node;

	if (span_equal(name, SPAN("true")) || span_equal(name, SPAN("True"))) {
		return make_constant(parser, jinja_bool(true));
	}
	if (span_equal(name, SPAN("false")) || span_equal(name, SPAN("False"))) {
		return make_constant(parser, jinja_bool(false));
	}
	if (span_equal(name, SPAN("none")) || span_equal(name, SPAN("None"))) {
		return make_constant(parser, jinja_none());
	}
	node = jinja_parser_node(parser, NODE_NAME, &parser->current);
	if (!node) {
		return NULL;
	}
	node->variable = jinja_scope_find(parser, name);
	return node->variable && jinja_parser_advance(parser) ? node : NULL;
}

/* String literals that follow each other are one, as in Python. */
static struct jinja_node *parse_string(struct jinja_parser *parser)
{
	struct jinja_node *node = make_constant(parser, jinja_string(parser->current.text));

	while (node && parser->current.kind == TOKEN_STRING) {
		struct span a = node->constant.string;
		struct span b = parser->current.text;
		char *both = jinja_parser_allocate(parser, a.length + b.length);

		if (!both || !jinja_parser_advance(parser)) {
			return NULL;
		}
		if (a.length > 0) {
			memcpy(both, a.data, a.length);
		}
		if (b.length > 0) {
			memcpy(both + a.length, b.data, b.length);
		}
		node->constant.string = span_make(both, a.length + b.length);
	}
	return node;
}

/* [a, b, …] and {key: value, …}: the current token is the opening bracket. */
static struct jinja_node *parse_items(struct jinja_parser *parser, enum jinja_node_kind kind,
				      const char *end)
{
	struct jinja_node *node = jinja_parser_node(parser, kind, &parser->current);
	struct jinja_node_list list = {.end = &list.first};

	if (!node || !jinja_parser_advance(parser)) {
		return NULL;
	}
	while (!jinja_parser_is_operator(parser, end)) {
		struct jinja_node *item = jinja_parse_expression(parser);

		if (!item || !jinja_parser_adopt(parser, node, item)) {
			return NULL;
		}
		jinja_parser_append(&list, item);
		if (kind == NODE_DICT) {
			item = jinja_parser_expect(parser, ":") ? jinja_parse_expression(parser)
								: NULL;
			if (!item || !jinja_parser_adopt(parser, node, item)) {
				return NULL;
			}
			jinja_parser_append(&list, item);
		}
		if (!jinja_parser_skip_operator(parser, ",")) {
			break;
		}
	}
	node->first = list.first;
	return jinja_parser_expect(parser, end) ? node : NULL;
}

struct jinja_node *jinja_parse_primary(struct jinja_parser *parser)
{
	const struct jinja_token *token = &parser->current;
	struct jinja_node *node = NULL;

	switch (token->kind) {
	case TOKEN_NAME:
		return parse_name(parser);
	case TOKEN_STRING:
		return parse_string(parser);
	case TOKEN_INTEGER:
		return make_constant(parser, jinja_int(token->integer));
	case TOKEN_DOUBLE:
		return make_constant(parser, jinja_double(token->number));
	case TOKEN_OPERATOR:
		if (!jinja_parser_enter(parser)) {
			return NULL;
		}
		if (jinja_parser_is_operator(parser, "(")) {
			node = jinja_parser_advance(parser)
				       ? jinja_parse_tuple(parser, TUPLE_MAY_BE_EMPTY)
				       : NULL;
			node = node && jinja_parser_expect(parser, ")") ? node : NULL;
		} else if (jinja_parser_is_operator(parser, "[")) {
			node = parse_items(parser, NODE_LIST, "]");
		} else if (jinja_parser_is_operator(parser, "{")) {
			node = parse_items(parser, NODE_DICT, "}");
		} else {
			jinja_parser_expected(parser, "an expression");
		}
		jinja_parser_leave(parser);
		return node;
	case TOKEN_END:
	case TOKEN_TEXT:
	case TOKEN_VARIABLE_BEGIN:
	case TOKEN_VARIABLE_END:
	case TOKEN_BLOCK_BEGIN:
	case TOKEN_BLOCK_END:
		break;
	}
	return jinja_parser_expected(parser, "an expression");
}

static enum jinja_loop_attribute loop_attribute(struct span name)
{
	static const char *const names[] = {
		[LOOP_INDEX] = "index",	      [LOOP_INDEX0] = "index0",
		[LOOP_REVINDEX] = "revindex", [LOOP_REVINDEX0] = "revindex0",
		[LOOP_FIRST] = "first",	      [LOOP_LAST] = "last",
		[LOOP_LENGTH] = "length",     [LOOP_PREVITEM] = "previtem",
		[LOOP_NEXTITEM] = "nextitem", [LOOP_DEPTH] = "depth",
		[LOOP_DEPTH0] = "depth0",
	};

	for (size_t i = LOOP_INDEX; i < sizeof(names) / sizeof(names[0]); i++) {
		if (span_equal(name, span_text(names[i]))) {
			return (enum jinja_loop_attribute)i;
		}
	}
	return LOOP_NOTHING;
}

static struct jinja_node *parse_attribute(struct jinja_parser *parser, struct jinja_node *object)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_ATTRIBUTE, &parser->current);

	if (!node || !jinja_parser_adopt(parser, node, object) || !jinja_parser_advance(parser)) {
		return NULL;
	}
	if (parser->current.kind == TOKEN_NAME) {
		node->attribute.object = object;
		node->attribute.name = parser->current.text;
		node->attribute.loop_attribute = (uint8_t)loop_attribute(parser->current.text);
		return jinja_parser_advance(parser) ? node : NULL;
	}
	if (parser->current.kind != TOKEN_INTEGER) {
		return jinja_parser_expected(parser, "a name or number after the point");
	}
	node->kind = NODE_ITEM;
	node->item.object = object;
	node->item.index = make_constant(parser, jinja_int(parser->current.integer));
	return node->item.index ? jinja_parser_adopt(parser, node, node->item.index) : NULL;
}

/* One bound of a slice, or nothing before a colon or the end. */
static bool parse_bound(struct jinja_parser *parser, struct jinja_node *node, size_t i)
{
	struct jinja_node *bound;

	if (jinja_parser_is_operator(parser, ":") || jinja_parser_is_operator(parser, "]")) {
		return true;
	}
	bound = jinja_parse_expression(parser);
	node->slice.bound[i] = bound;
	return bound && jinja_parser_adopt(parser, node, bound);
}

/* object[index] and object[start:stop:step]. */
static struct jinja_node *parse_item(struct jinja_parser *parser, struct jinja_node *object)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_SLICE, &parser->current);

	if (!node || !jinja_parser_adopt(parser, node, object) || !jinja_parser_advance(parser)) {
		return NULL;
	}
	node->slice.object = object;
	if (jinja_parser_is_operator(parser, "]")) {
		return jinja_parser_expected(parser, "an index");
	}
	if (!parse_bound(parser, node, 0)) {
		return NULL;
	}
	if (jinja_parser_is_operator(parser, "]")) {
		struct jinja_node *index = node->slice.bound[0];

		node->kind = NODE_ITEM;
		node->item.object = object;
		node->item.index = index;
		return jinja_parser_advance(parser) ? node : NULL;
	}
	for (size_t i = 1; i < 3 && jinja_parser_skip_operator(parser, ":"); i++) {
		if (!parse_bound(parser, node, i)) {
			return NULL;
		}
	}
	return jinja_parser_expect(parser, "]") ? node : NULL;
}

struct jinja_node *jinja_parse_postfix(struct jinja_parser *parser, struct jinja_node *node)
{
	while (node) {
		if (jinja_parser_is_operator(parser, ".")) {
			node = parse_attribute(parser, node);
		} else if (jinja_parser_is_operator(parser, "[")) {
			node = parse_item(parser, node);
		} else if (jinja_parser_is_operator(parser, "(")) {
			node = jinja_parse_call(parser, node);
		} else {
			break;
		}
	}
	return node;
}

/* SPDX-License-Identifier: MIT */
/* Statements: text, output, if, for, set. */
#include "core/jinja/parser.h"

#include <errno.h>

/* Names that end a body, as "elif else endif". */
static bool is_end(const struct jinja_parser *parser, const char *ends)
{
	struct span rest = span_text(ends);

	while (parser->current.kind == TOKEN_NAME && rest.length > 0) {
		if (span_equal(span_cut(&rest, ' '), parser->current.text)) {
			return true;
		}
	}
	return false;
}

static bool expect_block_end(struct jinja_parser *parser)
{
	if (parser->current.kind != TOKEN_BLOCK_END) {
		jinja_parser_expected(parser, "%}");
		return false;
	}
	return jinja_parser_advance(parser);
}

static struct jinja_node *parse_statement(struct jinja_parser *parser);

static struct jinja_node *parse_output(struct jinja_parser *parser)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_OUTPUT, &parser->current);

	if (!node || !jinja_parser_advance(parser)) {
		return NULL;
	}
	/* Errors of the whole expression are told at its own place. */
	node->line = parser->current.line;
	node->column = parser->current.column;
	node->pair.left = jinja_parse_tuple(parser, 0);
	if (!node->pair.left || !jinja_parser_adopt(parser, node, node->pair.left)) {
		return NULL;
	}
	if (parser->current.kind != TOKEN_VARIABLE_END) {
		return jinja_parser_expected(parser, "}}");
	}
	return jinja_parser_advance(parser) ? node : NULL;
}

/*
 * Statements up to one whose name is in `ends`, which is then the current token; up to the end of
 * the template when `ends` is NULL. `*body` may come out as NULL: nothing in it. False on failure.
 */
static bool parse_body(struct jinja_parser *parser, const char *ends, struct jinja_node **body)
{
	struct jinja_node_list list = {.end = &list.first};

	for (;;) {
		struct jinja_node *node;

		if (parser->current.kind == TOKEN_TEXT) {
			node = jinja_parser_node(parser, NODE_TEXT, &parser->current);
			if (node) {
				node->text = parser->current.text;
				node = jinja_parser_advance(parser) ? node : NULL;
			}
		} else if (parser->current.kind == TOKEN_VARIABLE_BEGIN) {
			node = parse_output(parser);
		} else if (parser->current.kind == TOKEN_BLOCK_BEGIN) {
			if (!jinja_parser_advance(parser)) {
				return false;
			}
			if (ends && is_end(parser, ends)) {
				break;
			}
			node = parse_statement(parser);
		} else if (ends) {
			return jinja_parser_fail(parser,
						 "the template ends inside a block, expected %",
						 span_text(ends));
		} else {
			break;
		}
		if (!node) {
			return false;
		}
		jinja_parser_append(&list, node);
	}
	*body = list.first;
	return true;
}

/* The rest of a statement's tag, and its body: see parse_body. Adopts it for `node`. */
static bool parse_block(struct jinja_parser *parser, struct jinja_node *node, const char *ends,
			struct jinja_node **body)
{
	bool is_good;

	jinja_parser_skip_operator(parser, ":");
	if (parser->result != 0 || !expect_block_end(parser) || !jinja_parser_enter(parser)) {
		return false;
	}
	is_good = parse_body(parser, ends, body);
	jinja_parser_leave(parser);
	for (struct jinja_node *item = *body; is_good && item; item = item->next) {
		is_good = jinja_parser_adopt(parser, node, item) != NULL;
	}
	return is_good;
}

/* The chain of elif is walked, not descended: it may be longer than the limit of nesting. */
static struct jinja_node *parse_if(struct jinja_parser *parser)
{
	struct jinja_node *first = jinja_parser_node(parser, NODE_IF, &parser->current);
	struct jinja_node *node = first;

	while (node) {
		if (!jinja_parser_advance(parser)) {
			return NULL;
		}
		node->condition.test = jinja_parse_tuple(parser, TUPLE_NO_CONDITION);
		if (!node->condition.test ||
		    !jinja_parser_adopt(parser, node, node->condition.test) ||
		    !parse_block(parser, node, "elif else endif", &node->condition.then)) {
			return NULL;
		}
		if (node->depth > first->depth) {
			first->depth = node->depth;
		}
		if (!jinja_parser_is_name(parser, SPAN("elif"))) {
			break;
		}
		node->condition.is_elif = true;
		node->condition.otherwise = jinja_parser_node(parser, NODE_IF, &parser->current);
		node = node->condition.otherwise;
	}
	if (node && jinja_parser_skip_name(parser, SPAN("else"))) {
		if (!parse_block(parser, first, "endif", &node->condition.otherwise)) {
			return NULL;
		}
	}
	if (!node || parser->result != 0) {
		return NULL;
	}
	return jinja_parser_advance(parser) ? first : NULL;
}

/* Makes names, or tuples of names, into what is set. */
static bool declare_target(struct jinja_parser *parser, struct jinja_node *target)
{
	if (target->kind == NODE_TUPLE && target->first) {
		for (struct jinja_node *item = target->first; item; item = item->next) {
			if (!declare_target(parser, item)) {
				return false;
			}
		}
		return true;
	}
	if (target->kind != NODE_NAME) {
		parser->result =
			jinja_error_set(parser->lexer.error, -EINVAL, parser->template->name,
					target, "this cannot be assigned to, expected a name",
					(struct span){0});
		return false;
	}
	target->variable = jinja_scope_declare(parser, target->variable->name);
	return target->variable != NULL;
}

static bool parse_for_head(struct jinja_parser *parser, struct jinja_node *node)
{
	struct jinja_scope *inner = parser->scope;

	node->loop.target = jinja_parse_tuple(parser, TUPLE_PRIMARY);
	if (!node->loop.target) {
		return false;
	}
	if (!jinja_parser_skip_name(parser, SPAN("in"))) {
		jinja_parser_expected(parser, "in");
		return false;
	}
	/* What is looped over is looked up outside of the loop. */
	parser->scope = inner->outer;
	node->loop.iterable = jinja_parse_tuple(parser, TUPLE_NO_CONDITION);
	parser->scope = inner;
	if (!node->loop.iterable || !jinja_parser_adopt(parser, node, node->loop.iterable) ||
	    !declare_target(parser, node->loop.target)) {
		return false;
	}
	if (jinja_parser_skip_name(parser, SPAN("if"))) {
		node->loop.condition = jinja_parse_expression(parser);
		if (!node->loop.condition ||
		    !jinja_parser_adopt(parser, node, node->loop.condition)) {
			return false;
		}
	}
	node->loop.loop = jinja_scope_declare(parser, SPAN("loop"));
	return node->loop.loop && parser->result == 0;
}

static struct jinja_node *parse_for(struct jinja_parser *parser)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_FOR, &parser->current);
	struct jinja_scope scope = {.outer = parser->scope};
	struct jinja_scope scope_else = {.outer = parser->scope};
	bool is_good;

	if (!node || !jinja_parser_advance(parser)) {
		return NULL;
	}
	node->loop.slot_first = (uint32_t)parser->template->slot_count;
	parser->scope = &scope;
	is_good = parse_for_head(parser, node) &&
		  parse_block(parser, node, "else endfor", &node->loop.body);
	parser->scope = &scope_else;
	if (is_good && jinja_parser_skip_name(parser, SPAN("else"))) {
		is_good = parse_block(parser, node, "endfor", &node->loop.otherwise);
	}
	parser->scope = scope.outer;
	node->loop.slot_end = (uint32_t)parser->template->slot_count;
	return is_good && parser->result == 0 && jinja_parser_advance(parser) ? node : NULL;
}

/* name.attribute: of a namespace. */
static struct jinja_node *parse_namespace_target(struct jinja_parser *parser)
{
	struct jinja_node *name = jinja_parse_primary(parser);

	return name ? jinja_parse_postfix(parser, name) : NULL;
}

static struct jinja_node *parse_set(struct jinja_parser *parser)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_SET, &parser->current);
	bool is_namespace;

	if (!node || !jinja_parser_advance(parser)) {
		return NULL;
	}
	is_namespace = parser->current.kind == TOKEN_NAME && parser->ahead.kind == TOKEN_OPERATOR &&
		       span_equal(parser->ahead.text, SPAN("."));
	node->assign.target = is_namespace ? parse_namespace_target(parser)
					   : jinja_parse_tuple(parser, TUPLE_PRIMARY);
	if (!node->assign.target || !jinja_parser_expect(parser, "=")) {
		return NULL;
	}
	node->assign.value = jinja_parse_tuple(parser, 0);
	if (!node->assign.value || !jinja_parser_adopt(parser, node, node->assign.target) ||
	    !jinja_parser_adopt(parser, node, node->assign.value)) {
		return NULL;
	}
	if (is_namespace && node->assign.target->kind == NODE_ATTRIBUTE &&
	    node->assign.target->attribute.object->kind == NODE_NAME) {
		return node;
	}
	return declare_target(parser, node->assign.target) ? node : NULL;
}

/* The current token is the statement's name. Ends behind its "%}". */
static struct jinja_node *parse_statement(struct jinja_parser *parser)
{
	static const struct {
		const char *name;
		struct jinja_node *(*parse)(struct jinja_parser *parser);
	} statements[] = {
		{"if", parse_if},
		{"for", parse_for},
		{"set", parse_set},
	};

	if (parser->current.kind != TOKEN_NAME) {
		return jinja_parser_expected(parser, "the name of a statement");
	}
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		if (span_equal(span_text(statements[i].name), parser->current.text)) {
			struct jinja_node *node = statements[i].parse(parser);

			return node && expect_block_end(parser) ? node : NULL;
		}
	}
	if (is_end(parser, "elif else endif endfor")) {
		return jinja_parser_fail(parser, "'%' has no block that it belongs to",
					 parser->current.text);
	}
	return jinja_parser_fail(parser, "there is no statement '%'", parser->current.text);
}

struct jinja_node *jinja_parse_template(struct jinja_parser *parser)
{
	struct jinja_node *body = NULL;

	return parse_body(parser, NULL, &body) ? body : NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: the parser's state. A function that parses returns its node, or NULL with
 * `parser->result` and the error set. Precedence and constructs are those of Jinja's parser.py.
 */
#ifndef BELLHOP_CORE_JINJA_PARSER_H
#define BELLHOP_CORE_JINJA_PARSER_H

#include "core/jinja/callable.h"
#include "core/jinja/lexer.h"

/* Where names are set: the body of a loop has its own. `set` in an `if` belongs to what is around.
 */
struct jinja_scope {
	struct jinja_scope *outer;
	struct jinja_variable *variables;
};

struct jinja_parser {
	struct jinja_lexer lexer;
	struct jinja_token current;
	struct jinja_token ahead;
	struct jinja_template *template;
	struct jinja_limits limits;
	struct jinja_scope *scope; /* NULL: of the whole template */
	struct jinja_value
		symbols; /* name -> struct jinja_variable, by index in symbol_variables */
	struct jinja_variable **symbol_variables;
	size_t symbol_capacity;
	unsigned nesting;
	int result;
};

/* A list of nodes while it is built. */
struct jinja_node_list {
	struct jinja_node *first;
	struct jinja_node **end; /* where the next one goes */
	uint16_t depth;
	size_t count;
};

/* Moves on by one token; false on failure. */
bool jinja_parser_advance(struct jinja_parser *parser);

/* Sets the error at the current token ('%': the detail) and returns NULL. */
void *jinja_parser_fail(struct jinja_parser *parser, const char *text, struct span detail);

/* "expected WHAT, found TOKEN" at the current token; returns NULL. */
void *jinja_parser_expected(struct jinja_parser *parser, const char *what);

/* One level deeper, up to the limit; jinja_parser_leave undoes it. */
bool jinja_parser_enter(struct jinja_parser *parser);

static inline void jinja_parser_leave(struct jinja_parser *parser)
{
	parser->nesting--;
}

void *jinja_parser_allocate(struct jinja_parser *parser, size_t size);

/* A node placed at a token. */
struct jinja_node *jinja_parser_node(struct jinja_parser *parser, enum jinja_node_kind kind,
				     const struct jinja_token *place);

/* Records that `child` (NULL is allowed) stands below `node`; NULL beyond the limit of nesting. */
struct jinja_node *jinja_parser_adopt(struct jinja_parser *parser, struct jinja_node *node,
				      const struct jinja_node *child);

void jinja_parser_append(struct jinja_node_list *list, struct jinja_node *node);

static inline bool jinja_parser_is_name(const struct jinja_parser *parser, struct span name)
{
	return parser->current.kind == TOKEN_NAME && span_equal(parser->current.text, name);
}

static inline bool jinja_parser_is_operator(const struct jinja_parser *parser, const char *text)
{
	return parser->current.kind == TOKEN_OPERATOR &&
	       span_equal(parser->current.text, span_text(text));
}

/* Moves over a name or operator if it is the current token. */
bool jinja_parser_skip_name(struct jinja_parser *parser, struct span name);
bool jinja_parser_skip_operator(struct jinja_parser *parser, const char *text);

/* Moves over the operator, or fails. */
bool jinja_parser_expect(struct jinja_parser *parser, const char *text);

/* The variable that a name stands for when it is read here. */
const struct jinja_variable *jinja_scope_find(struct jinja_parser *parser, struct span name);

/* The variable that a name stands for when it is set here. */
const struct jinja_variable *jinja_scope_declare(struct jinja_parser *parser, struct span name);

/* An expression with inline if; without it; one or more, a tuple when there is a comma. */
struct jinja_node *jinja_parse_expression(struct jinja_parser *parser);
struct jinja_node *jinja_parse_or(struct jinja_parser *parser);

enum jinja_tuple_flag {
	TUPLE_NO_CONDITION = 1 << 0, /* items without inline if */
	TUPLE_MAY_BE_EMPTY = 1 << 1, /* in parentheses */
	TUPLE_PRIMARY = 1 << 2,	     /* items are names or literals: targets */
};
struct jinja_node *jinja_parse_tuple(struct jinja_parser *parser, unsigned flags);

/* A name, literal or bracketed expression. */
struct jinja_node *jinja_parse_primary(struct jinja_parser *parser);

/* The attributes, items and calls that follow `node`. */
struct jinja_node *jinja_parse_postfix(struct jinja_parser *parser, struct jinja_node *node);

/* The filters, tests and calls that follow `node`. */
struct jinja_node *jinja_parse_filters(struct jinja_parser *parser, struct jinja_node *node);

/* `object.name(…)` and `name(…)`: the current token is the opening parenthesis. */
struct jinja_node *jinja_parse_call(struct jinja_parser *parser, struct jinja_node *callee);

/* All statements of a template, up to its end. */
struct jinja_node *jinja_parse_template(struct jinja_parser *parser);

#endif

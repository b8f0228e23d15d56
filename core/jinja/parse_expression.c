/* SPDX-License-Identifier: MIT */
#include "core/jinja/parser.h"

#include <errno.h>

struct operator_row {
	const char *text; /* NULL at the end of a table */
	enum jinja_operator operator;
};

static const struct operator_row comparisons[] = {
	{"==", OPERATOR_EQUAL},	     {"!=", OPERATOR_NOT_EQUAL}, {"<", OPERATOR_LESS},
	{"<=", OPERATOR_LESS_EQUAL}, {">", OPERATOR_GREATER},	 {">=", OPERATOR_GREATER_EQUAL},
	{NULL, OPERATOR_NONE},
};

static struct jinja_node *make_pair(struct jinja_parser *parser, enum jinja_node_kind kind,
				    const struct jinja_token *place, struct jinja_node *left,
				    struct jinja_node *right)
{
	struct jinja_node *node = jinja_parser_node(parser, kind, place);

	if (!node || !jinja_parser_adopt(parser, node, left) ||
	    !jinja_parser_adopt(parser, node, right)) {
		return NULL;
	}
	node->pair.left = left;
	node->pair.right = right;
	return node;
}

typedef struct jinja_node *parse_fn(struct jinja_parser *parser);

/* left {OPERATOR right}, to the left. */
static struct jinja_node *parse_arithmetic(struct jinja_parser *parser, parse_fn *parse_operand,
					   const struct operator_row *table)
{
	struct jinja_node *left = parse_operand(parser);

	while (left) {
		struct jinja_token place = parser->current;
		const struct operator_row *row = table;
		struct jinja_node *right;

		while (row->text && !jinja_parser_is_operator(parser, row->text)) {
			row++;
		}
		if (!row->text) {
			return left;
		}
		right = jinja_parser_advance(parser) ? parse_operand(parser) : NULL;
		if (!right) {
			return NULL;
		}
		left = make_pair(parser, NODE_ARITHMETIC, &place, left, right);
		if (left) {
			left->operator=(uint8_t) row->operator;
		}
	}
	return NULL;
}

static struct jinja_node *parse_unary(struct jinja_parser *parser, bool with_filters)
{
	struct jinja_token place = parser->current;
	bool is_negative = jinja_parser_is_operator(parser, "-");
	struct jinja_node *node;

	if (!is_negative && !jinja_parser_is_operator(parser, "+")) {
		node = jinja_parse_primary(parser);
	} else {
		if (!jinja_parser_enter(parser)) {
			return NULL;
		}
		node = jinja_parser_advance(parser) ? parse_unary(parser, false) : NULL;
		jinja_parser_leave(parser);
		if (node) {
			node = make_pair(parser, is_negative ? NODE_NEGATE : NODE_POSITIVE, &place,
					 node, NULL);
		}
	}
	node = node ? jinja_parse_postfix(parser, node) : NULL;
	return node && with_filters ? jinja_parse_filters(parser, node) : node;
}

static struct jinja_node *parse_operand(struct jinja_parser *parser)
{
	return parse_unary(parser, true);
}

/* Jinja's ** is left-associative, unlike Python's. */
static struct jinja_node *parse_power(struct jinja_parser *parser)
{
	static const struct operator_row table[] = {{"**", OPERATOR_POWER}, {NULL, OPERATOR_NONE}};

	return parse_arithmetic(parser, parse_operand, table);
}

static struct jinja_node *parse_product(struct jinja_parser *parser)
{
	static const struct operator_row table[] = {
		{"*", OPERATOR_MULTIPLY}, {"/", OPERATOR_DIVIDE}, {"//", OPERATOR_FLOOR_DIVIDE},
		{"%", OPERATOR_MODULO},	  {NULL, OPERATOR_NONE},
	};

	return parse_arithmetic(parser, parse_power, table);
}

static struct jinja_node *parse_concatenation(struct jinja_parser *parser)
{
	struct jinja_token place = parser->current;
	struct jinja_node *operand = parse_product(parser);
	struct jinja_node_list list = {.end = &list.first};
	struct jinja_node *node;

	if (!operand || !jinja_parser_is_operator(parser, "~")) {
		return operand;
	}
	jinja_parser_append(&list, operand);
	while (jinja_parser_is_operator(parser, "~")) {
		operand = jinja_parser_advance(parser) ? parse_product(parser) : NULL;
		if (!operand) {
			return NULL;
		}
		jinja_parser_append(&list, operand);
	}
	node = jinja_parser_node(parser, NODE_CONCATENATE, &place);
	for (operand = list.first; node && operand; operand = operand->next) {
		node = jinja_parser_adopt(parser, node, operand);
	}
	if (node) {
		node->first = list.first;
	}
	return node;
}

static struct jinja_node *parse_sum(struct jinja_parser *parser)
{
	static const struct operator_row table[] = {{"+", OPERATOR_ADD},
						    {"-", OPERATOR_SUBTRACT},
						    {NULL, OPERATOR_NONE}};

	return parse_arithmetic(parser, parse_concatenation, table);
}

/* Moves over a comparison, `in` or `not in`; OPERATOR_NONE when there is none. */
static enum jinja_operator skip_comparison(struct jinja_parser *parser)
{
	if (jinja_parser_skip_name(parser, SPAN("in"))) {
		return OPERATOR_IN;
	}
	if (jinja_parser_is_name(parser, SPAN("not")) && parser->ahead.kind == TOKEN_NAME &&
	    span_equal(parser->ahead.text, SPAN("in"))) {
		return jinja_parser_advance(parser) && jinja_parser_advance(parser)
			       ? OPERATOR_NOT_IN
			       : OPERATOR_NONE;
	}
	for (const struct operator_row *row = comparisons; row->text; row++) {
		if (jinja_parser_skip_operator(parser, row->text)) {
			return row->operator;
		}
	}
	return OPERATOR_NONE;
}

static struct jinja_node *parse_comparison(struct jinja_parser *parser)
{
	struct jinja_token place = parser->current;
	struct jinja_node *operand = parse_sum(parser);
	struct jinja_node_list list = {.end = &list.first};
	enum jinja_operator link = OPERATOR_NONE;
	struct jinja_node *node;

	if (!operand) {
		return NULL;
	}
	for (;;) {
		jinja_parser_append(&list, operand);
		operand->link = (uint8_t)link;
		link = skip_comparison(parser);
		if (link == OPERATOR_NONE) {
			break;
		}
		operand = parse_sum(parser);
		if (!operand) {
			return NULL;
		}
	}
	if (parser->result != 0 || list.count == 1) {
		return parser->result == 0 ? operand : NULL;
	}
	node = jinja_parser_node(parser, NODE_COMPARE, &place);
	for (operand = list.first; node && operand; operand = operand->next) {
		node = jinja_parser_adopt(parser, node, operand);
	}
	if (node) {
		node->first = list.first;
	}
	return node;
}

static struct jinja_node *parse_not(struct jinja_parser *parser)
{
	struct jinja_token place = parser->current;
	struct jinja_node *node;

	if (!jinja_parser_is_name(parser, SPAN("not"))) {
		return parse_comparison(parser);
	}
	if (!jinja_parser_enter(parser)) {
		return NULL;
	}
	node = jinja_parser_advance(parser) ? parse_not(parser) : NULL;
	jinja_parser_leave(parser);
	return node ? make_pair(parser, NODE_NOT, &place, node, NULL) : NULL;
}

static struct jinja_node *parse_and(struct jinja_parser *parser)
{
	struct jinja_token place = parser->current;
	struct jinja_node *left = parse_not(parser);

	while (left && jinja_parser_skip_name(parser, SPAN("and"))) {
		struct jinja_node *right = parse_not(parser);

		left = right ? make_pair(parser, NODE_AND, &place, left, right) : NULL;
	}
	return parser->result == 0 ? left : NULL;
}

struct jinja_node *jinja_parse_or(struct jinja_parser *parser)
{
	struct jinja_token place = parser->current;
	struct jinja_node *left = parse_and(parser);

	while (left && jinja_parser_skip_name(parser, SPAN("or"))) {
		struct jinja_node *right = parse_and(parser);

		left = right ? make_pair(parser, NODE_OR, &place, left, right) : NULL;
	}
	return parser->result == 0 ? left : NULL;
}

static struct jinja_node *parse_condition(struct jinja_parser *parser)
{
	struct jinja_token place = parser->current;
	struct jinja_node *node = jinja_parse_or(parser);

	while (node && jinja_parser_skip_name(parser, SPAN("if"))) {
		struct jinja_node *test = jinja_parse_or(parser);
		struct jinja_node *otherwise = NULL;
		struct jinja_node *condition;

		if (test && jinja_parser_skip_name(parser, SPAN("else"))) {
			otherwise = jinja_parse_expression(parser);
		}
		condition = parser->result == 0 ? jinja_parser_node(parser, NODE_CONDITION, &place)
						: NULL;
		if (!condition || !jinja_parser_adopt(parser, condition, test) ||
		    !jinja_parser_adopt(parser, condition, node) ||
		    !jinja_parser_adopt(parser, condition, otherwise)) {
			return NULL;
		}
		condition->condition.test = test;
		condition->condition.then = node;
		condition->condition.otherwise = otherwise;
		node = condition;
	}
	return parser->result == 0 ? node : NULL;
}

struct jinja_node *jinja_parse_expression(struct jinja_parser *parser)
{
	struct jinja_node *node;

	if (!jinja_parser_enter(parser)) {
		return NULL;
	}
	node = parse_condition(parser);
	jinja_parser_leave(parser);
	return node;
}

/* What may follow a tuple that has no brackets. */
static bool is_tuple_end(const struct jinja_parser *parser)
{
	return parser->current.kind == TOKEN_VARIABLE_END ||
	       parser->current.kind == TOKEN_BLOCK_END || jinja_parser_is_operator(parser, ")") ||
	       jinja_parser_is_name(parser, SPAN("in"));
}

struct jinja_node *jinja_parse_tuple(struct jinja_parser *parser, unsigned flags)
{
	struct jinja_token place = parser->current;
	struct jinja_node_list list = {.end = &list.first};
	bool is_tuple = false;
	struct jinja_node *node;

	for (;;) {
		if (is_tuple_end(parser)) {
			break;
		}
		node = flags & TUPLE_PRIMARY	    ? jinja_parse_primary(parser)
		       : flags & TUPLE_NO_CONDITION ? jinja_parse_or(parser)
						    : jinja_parse_expression(parser);
		if (!node) {
			return NULL;
		}
		jinja_parser_append(&list, node);
		if (!jinja_parser_skip_operator(parser, ",")) {
			break;
		}
		is_tuple = true;
	}
	if (parser->result != 0) {
		return NULL;
	}
	if (!is_tuple && list.count == 1) {
		return list.first;
	}
	if (!is_tuple && !(flags & TUPLE_MAY_BE_EMPTY)) {
		return jinja_parser_expected(parser, "an expression");
	}
	node = jinja_parser_node(parser, NODE_TUPLE, &place);
	if (node) {
		node->first = list.first;
	}
	for (struct jinja_node *item = list.first; node && item; item = item->next) {
		node = jinja_parser_adopt(parser, node, item);
	}
	return node;
}

/* SPDX-License-Identifier: MIT */
/* Calls, filters and tests: their arguments are bound to the parameters here, once. */
#include "core/jinja/parser.h"

#include <errno.h>

/* (a, b, name=c): the current token is the opening parenthesis. */
static bool parse_arguments(struct jinja_parser *parser, struct jinja_node *node)
{
	struct jinja_argument **end = &node->call.arguments;
	bool has_keyword = false;

	if (!jinja_parser_expect(parser, "(")) {
		return false;
	}
	while (!jinja_parser_is_operator(parser, ")")) {
		struct jinja_argument *argument = jinja_parser_allocate(parser, sizeof(*argument));

		if (!argument) {
			return false;
		}
		if (parser->current.kind == TOKEN_NAME && parser->ahead.kind == TOKEN_OPERATOR &&
		    span_equal(parser->ahead.text, SPAN("="))) {
			argument->keyword = parser->current.text;
			has_keyword = true;
			if (!jinja_parser_advance(parser) || !jinja_parser_advance(parser)) {
				return false;
			}
		} else if (has_keyword) {
			jinja_parser_expected(parser, "name=value after a named argument");
			return false;
		}
		argument->value = jinja_parse_expression(parser);
		if (!argument->value || !jinja_parser_adopt(parser, node, argument->value)) {
			return false;
		}
		*end = argument;
		end = &argument->next;
		if (!jinja_parser_skip_operator(parser, ",")) {
			break;
		}
	}
	return jinja_parser_expect(parser, ")");
}

/* The index of a parameter by name; the count of parameters when there is none. */
static size_t parameter_index(const struct jinja_callable *callable, struct span name)
{
	struct span rest = span_text(callable->parameters);
	size_t i = 0;

	while (rest.length > 0) {
		if (span_equal(span_cut(&rest, ' '), name) && name.length > 0) {
			return i;
		}
		i++;
	}
	return i;
}

static size_t parameter_count(const struct jinja_callable *callable)
{
	return parameter_index(callable, (struct span){0});
}

static bool fail_call(struct jinja_parser *parser, const struct jinja_node *node, const char *text,
		      struct span detail)
{
	parser->result = jinja_error_set(parser->lexer.error, -EINVAL, parser->template->name, node,
					 text, detail);
	return false;
}

static bool bind_keyword(struct jinja_parser *parser, struct jinja_node *node,
			 const struct jinja_argument *argument)
{
	size_t i = parameter_index(node->call.callable, argument->keyword);

	if (i == parameter_count(node->call.callable)) {
		return fail_call(parser, argument->value, "there is no parameter '%'",
				 argument->keyword);
	}
	if (node->call.bound[i]) {
		return fail_call(parser, argument->value, "the parameter '%' is given twice",
				 argument->keyword);
	}
	node->call.bound[i] = argument->value;
	return true;
}

static bool has_required(struct jinja_parser *parser, const struct jinja_node *node)
{
	struct span rest = span_text(node->call.callable->parameters);

	for (size_t i = 0; i < node->call.callable->required; i++) {
		struct span name = span_cut(&rest, ' ');

		if (!node->call.bound[i]) {
			return fail_call(parser, node, "the parameter '%' is missing", name);
		}
	}
	return true;
}

static bool bind_inner(struct jinja_parser *parser, struct jinja_node *node,
		       const struct jinja_argument *name);

/* The first positional argument that is the inner filter's or test's, or NULL. */
static const struct jinja_argument *inner_name(const struct jinja_node *node)
{
	const struct jinja_argument *argument = node->call.arguments;
	bool takes_attribute = node->call.callable->required > 0;

	if (takes_attribute && argument) {
		argument = argument->next;
	}
	return argument && argument->keyword.length == 0 ? argument : NULL;
}

/* Puts the written arguments in the places of the callable's parameters. */
static bool bind(struct jinja_parser *parser, struct jinja_node *node)
{
	const struct jinja_callable *callable = node->call.callable;
	size_t count = parameter_count(callable);
	size_t given = 0;
	const struct jinja_argument *inner = NULL;

	if (callable->flags & CALLABLE_RAW) {
		return true;
	}
	for (const struct jinja_argument *a = node->call.arguments; a; a = a->next) {
		given++;
	}
	node->call.bound = jinja_parser_allocate(parser, (count + 1) * sizeof(struct jinja_node *));
	node->call.rest = jinja_parser_allocate(parser, (given + 1) * sizeof(struct jinja_node *));
	if (!node->call.bound || !node->call.rest) {
		return false;
	}
	if (callable->flags & (CALLABLE_INNER_FILTER | CALLABLE_INNER_TEST)) {
		inner = inner_name(node);
	}
	given = 0;
	for (const struct jinja_argument *a = node->call.arguments; a && a != inner; a = a->next) {
		if (a->keyword.length > 0) {
			if (!bind_keyword(parser, node, a)) {
				return false;
			}
		} else if (given < count) {
			node->call.bound[given++] = a->value;
		} else if (callable->flags & CALLABLE_VARIADIC) {
			node->call.rest[node->call.rest_count++] = a->value;
		} else {
			return fail_call(parser, a->value, "too many arguments for '%'",
					 node->call.name);
		}
	}
	return has_required(parser, node) && (!inner || bind_inner(parser, node, inner));
}

/* map('name', …), select('name', …), selectattr('path', 'name', …). */
static bool bind_inner(struct jinja_parser *parser, struct jinja_node *node,
		       const struct jinja_argument *name)
{
	bool is_filter = node->call.callable->flags & CALLABLE_INNER_FILTER;
	struct jinja_token place = {.line = name->value->line, .column = name->value->column};
	struct jinja_node *inner =
		jinja_parser_node(parser, is_filter ? NODE_FILTER : NODE_TEST, &place);
	bool is_bound;

	if (!inner) {
		return false;
	}
	if (name->value->kind != NODE_CONSTANT || name->value->constant.kind != JINJA_STRING) {
		return fail_call(parser, name->value, "expected a string with the name of a %",
				 is_filter ? SPAN("filter") : SPAN("test"));
	}
	inner->call.name = name->value->constant.string;
	inner->call.callable =
		is_filter ? jinja_filter_find(inner->call.name) : jinja_test_find(inner->call.name);
	if (!inner->call.callable) {
		return fail_call(parser, name->value,
				 is_filter ? "there is no filter '%'" : "there is no test '%'",
				 inner->call.name);
	}
	inner->call.arguments = name->next;
	for (const struct jinja_argument *a = name->next; a; a = a->next) {
		if (!jinja_parser_adopt(parser, inner, a->value)) {
			return false;
		}
	}
	if (!jinja_parser_enter(parser)) {
		return false;
	}
	is_bound = bind(parser, inner);
	jinja_parser_leave(parser);
	node->call.inner = inner;
	return is_bound && jinja_parser_adopt(parser, node, inner);
}

struct jinja_node *jinja_parse_call(struct jinja_parser *parser, struct jinja_node *callee)
{
	struct jinja_node *node = jinja_parser_node(parser, NODE_METHOD, &parser->current);

	if (!node || !jinja_parser_adopt(parser, node, callee)) {
		return NULL;
	}
	if (callee->kind == NODE_NAME) {
		node->kind = NODE_FUNCTION;
		node->call.object = callee;
		node->call.name = callee->variable->name;
		node->call.callable = jinja_function_find(node->call.name);
	} else if (callee->kind == NODE_ATTRIBUTE) {
		node->call.object = callee->attribute.object;
		node->call.name = callee->attribute.name;
		node->call.callable = jinja_method_find(node->call.name);
	} else {
		return jinja_parser_fail(parser, "only functions and methods can be called",
					 (struct span){0});
	}
	if (!parse_arguments(parser, node)) {
		return NULL;
	}
	return !node->call.callable || bind(parser, node) ? node : NULL;
}

/* NAME[.NAME…], as a filter or test is called. */
static bool parse_callable_name(struct jinja_parser *parser, struct span *name)
{
	if (parser->current.kind != TOKEN_NAME) {
		jinja_parser_expected(parser, "a name");
		return false;
	}
	*name = parser->current.text;
	return jinja_parser_advance(parser);
}

/* The current token is `|`. */
static struct jinja_node *parse_filter(struct jinja_parser *parser, struct jinja_node *object)
{
	struct jinja_node *node;

	if (!jinja_parser_advance(parser)) {
		return NULL;
	}
	node = jinja_parser_node(parser, NODE_FILTER, &parser->current);
	if (!node || !jinja_parser_adopt(parser, node, object) ||
	    !parse_callable_name(parser, &node->call.name)) {
		return NULL;
	}
	node->call.object = object;
	node->call.callable = jinja_filter_find(node->call.name);
	if (!node->call.callable) {
		fail_call(parser, node, "there is no filter '%'", node->call.name);
		return NULL;
	}
	if (jinja_parser_is_operator(parser, "(") && !parse_arguments(parser, node)) {
		return NULL;
	}
	return bind(parser, node) ? node : NULL;
}

/* A test may have one argument without parentheses: `x is divisibleby 3`. */
static bool parse_bare_argument(struct jinja_parser *parser, struct jinja_node *node)
{
	const struct jinja_token *token = &parser->current;
	struct jinja_argument *argument;

	if (jinja_parser_is_name(parser, SPAN("else")) ||
	    jinja_parser_is_name(parser, SPAN("or")) || jinja_parser_is_name(parser, SPAN("and"))) {
		return true;
	}
	if (token->kind != TOKEN_NAME && token->kind != TOKEN_STRING &&
	    token->kind != TOKEN_INTEGER && token->kind != TOKEN_DOUBLE &&
	    !jinja_parser_is_operator(parser, "[") && !jinja_parser_is_operator(parser, "{")) {
		return true;
	}
	if (jinja_parser_is_name(parser, SPAN("is"))) {
		jinja_parser_fail(parser, "tests cannot be chained with 'is'", (struct span){0});
		return false;
	}
	argument = jinja_parser_allocate(parser, sizeof(*argument));
	if (!argument) {
		return false;
	}
	argument->value = jinja_parse_primary(parser);
	if (argument->value) {
		argument->value = jinja_parse_postfix(parser, argument->value);
	}
	node->call.arguments = argument;
	return argument->value && jinja_parser_adopt(parser, node, argument->value);
}

/* The current token is `is`. */
static struct jinja_node *parse_test(struct jinja_parser *parser, struct jinja_node *object)
{
	struct jinja_node *node;
	struct jinja_node *negation = NULL;
	bool is_negated;

	if (!jinja_parser_advance(parser)) {
		return NULL;
	}
	is_negated = jinja_parser_skip_name(parser, SPAN("not"));
	node = jinja_parser_node(parser, NODE_TEST, &parser->current);
	if (!node || !jinja_parser_adopt(parser, node, object) ||
	    !parse_callable_name(parser, &node->call.name)) {
		return NULL;
	}
	node->call.object = object;
	node->call.callable = jinja_test_find(node->call.name);
	if (!node->call.callable) {
		fail_call(parser, node, "there is no test '%'", node->call.name);
		return NULL;
	}
	if (jinja_parser_is_operator(parser, "(") ? !parse_arguments(parser, node)
						  : !parse_bare_argument(parser, node)) {
		return NULL;
	}
	if (!bind(parser, node) || !is_negated) {
		return parser->result == 0 ? node : NULL;
	}
	negation = jinja_parser_node(parser, NODE_NOT, &parser->current);
	if (!negation || !jinja_parser_adopt(parser, negation, node)) {
		return NULL;
	}
	negation->pair.left = node;
	return negation;
}

struct jinja_node *jinja_parse_filters(struct jinja_parser *parser, struct jinja_node *node)
{
	while (node) {
		if (jinja_parser_is_operator(parser, "|")) {
			node = parse_filter(parser, node);
		} else if (jinja_parser_is_name(parser, SPAN("is"))) {
			node = parse_test(parser, node);
		} else if (jinja_parser_is_operator(parser, "(")) {
			node = jinja_parse_call(parser, node);
		} else {
			break;
		}
	}
	return node;
}

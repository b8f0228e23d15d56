/* SPDX-License-Identifier: MIT */
/* The parser's state: tokens, nodes, names and their scopes. */
#include "core/jinja/parser.h"

#include <errno.h>

/* Variables of all loops of a template; a scope is searched from front to back. */
enum { slots_max = 5000 };

bool jinja_parser_advance(struct jinja_parser *parser)
{
	if (parser->result == 0) {
		parser->current = parser->ahead;
		parser->result = jinja_lexer_next(&parser->lexer, &parser->ahead);
	}
	return parser->result == 0;
}

void *jinja_parser_fail(struct jinja_parser *parser, const char *text, struct span detail)
{
	if (parser->result == 0) {
		parser->result =
			jinja_lexer_fail(&parser->lexer, &parser->current, -EINVAL, text, detail);
	}
	return NULL;
}

void *jinja_parser_expected(struct jinja_parser *parser, const char *what)
{
	char text[96];
	struct writer w = writer_over(text, sizeof(text));
	struct span found = parser->current.text;

	switch (parser->current.kind) {
	case TOKEN_END:
		found = SPAN("the end of the template");
		break;
	case TOKEN_TEXT:
		found = SPAN("text");
		break;
	case TOKEN_VARIABLE_BEGIN:
		found = SPAN("{{");
		break;
	case TOKEN_VARIABLE_END:
		found = SPAN("}}");
		break;
	case TOKEN_BLOCK_BEGIN:
		found = SPAN("{%");
		break;
	case TOKEN_BLOCK_END:
		found = SPAN("the end of the tag");
		break;
	case TOKEN_STRING:
		found = SPAN("a string");
		break;
	case TOKEN_INTEGER:
	case TOKEN_DOUBLE:
		found = SPAN("a number");
		break;
	case TOKEN_NAME:
	case TOKEN_OPERATOR:
		break;
	}
	/* The placeholder of the error's text is '%', which "%}" must not be taken for. */
	writer_text(&w, "expected ");
	writer_text(&w, strcmp(what, "%}") == 0 ? "the end of the tag" : what);
	writer_text(&w, ", found %");
	writer_terminate(&w);
	return jinja_parser_fail(parser, text, found);
}

bool jinja_parser_enter(struct jinja_parser *parser)
{
	if (parser->nesting >= parser->limits.nesting) {
		if (parser->result == 0) {
			parser->result = jinja_lexer_fail(&parser->lexer, &parser->current, -E2BIG,
							  "too deeply nested", (struct span){0});
		}
		return false;
	}
	parser->nesting++;
	return true;
}

void *jinja_parser_allocate(struct jinja_parser *parser, size_t size)
{
	void *place = arena_allocate(&parser->template->arena, size);

	if (!place && parser->result == 0) {
		parser->result =
			jinja_lexer_fail(&parser->lexer, &parser->current, -ENOMEM,
					 "the template needs too much memory", (struct span){0});
	}
	return place;
}

struct jinja_node *jinja_parser_node(struct jinja_parser *parser, enum jinja_node_kind kind,
				     const struct jinja_token *place)
{
	struct jinja_node *node = jinja_parser_allocate(parser, sizeof(*node));

	if (node) {
		node->kind = (uint8_t)kind;
		node->depth = 1;
		node->line = place->line;
		node->column = place->column;
	}
	return node;
}

struct jinja_node *jinja_parser_adopt(struct jinja_parser *parser, struct jinja_node *node,
				      const struct jinja_node *child)
{
	if (child && child->depth >= node->depth) {
		node->depth = (uint16_t)(child->depth + 1);
	}
	if (node->depth > parser->limits.nesting) {
		if (parser->result == 0) {
			parser->result =
				jinja_error_set(parser->lexer.error, -E2BIG, parser->template->name,
						node, "too deeply nested", (struct span){0});
		}
		return NULL;
	}
	return node;
}

void jinja_parser_append(struct jinja_node_list *list, struct jinja_node *node)
{
	*list->end = node;
	list->end = &node->next;
	list->count++;
}

bool jinja_parser_skip_name(struct jinja_parser *parser, struct span name)
{
	return jinja_parser_is_name(parser, name) && jinja_parser_advance(parser);
}

bool jinja_parser_skip_operator(struct jinja_parser *parser, const char *text)
{
	return jinja_parser_is_operator(parser, text) && jinja_parser_advance(parser);
}

bool jinja_parser_expect(struct jinja_parser *parser, const char *text)
{
	if (!jinja_parser_is_operator(parser, text)) {
		jinja_parser_expected(parser, text);
		return false;
	}
	return jinja_parser_advance(parser);
}

/* The symbol of a name, made when it is new. */
static struct jinja_variable *find_symbol(struct jinja_parser *parser, struct span name)
{
	const struct jinja_value *known = jinja_dict_get(&parser->symbols, name);
	struct jinja_template *template = parser->template;
	struct jinja_variable *symbol;

	if (known) {
		return parser->symbol_variables[known->integer];
	}
	if (template->symbol_count == parser->symbol_capacity) {
		size_t larger = parser->symbol_capacity < 16 ? 16 : parser->symbol_capacity * 2;
		void *place = jinja_parser_allocate(parser, larger * sizeof(symbol));

		if (!place) {
			return NULL;
		}
		if (template->symbol_count > 0) {
			memcpy(place, parser->symbol_variables,
			       template->symbol_count * sizeof(symbol));
		}
		parser->symbol_variables = place;
		parser->symbol_capacity = larger;
	}
	symbol = jinja_parser_allocate(parser, sizeof(*symbol));
	if (!symbol) {
		return NULL;
	}
	symbol->name = name;
	symbol->is_symbol = true;
	symbol->index = (uint32_t) template->symbol_count;
	if (jinja_dict_set(&template->arena, &parser->symbols, name, jinja_int(symbol->index)) !=
	    0) {
		return jinja_parser_allocate(parser, SIZE_MAX); /* says that memory is gone */
	}
	parser->symbol_variables[template->symbol_count++] = symbol;
	return symbol;
}

static struct jinja_variable *find_in_scope(const struct jinja_scope *scope, struct span name)
{
	for (struct jinja_variable *v = scope->variables; v; v = v->next) {
		if (span_equal(v->name, name)) {
			return v;
		}
	}
	return NULL;
}

static struct jinja_variable *find_from(struct jinja_parser *parser,
					const struct jinja_scope *scope, struct span name)
{
	for (; scope; scope = scope->outer) {
		struct jinja_variable *variable = find_in_scope(scope, name);

		if (variable) {
			return variable;
		}
	}
	return find_symbol(parser, name);
}

const struct jinja_variable *jinja_scope_find(struct jinja_parser *parser, struct span name)
{
	return find_from(parser, parser->scope, name);
}

const struct jinja_variable *jinja_scope_declare(struct jinja_parser *parser, struct span name)
{
	struct jinja_scope *scope = parser->scope;
	struct jinja_variable *variable;

	if (!scope) {
		return find_symbol(parser, name);
	}
	variable = find_in_scope(scope, name);
	if (variable) {
		return variable;
	}
	if (parser->template->slot_count >= slots_max) {
		return jinja_parser_fail(parser, "too many variables in loops", (struct span){0});
	}
	variable = jinja_parser_allocate(parser, sizeof(*variable));
	if (!variable) {
		return NULL;
	}
	variable->outer = find_from(parser, scope->outer, name);
	if (!variable->outer) {
		return NULL;
	}
	variable->name = name;
	variable->index = (uint32_t)parser->template->slot_count++;
	variable->next = scope->variables;
	scope->variables = variable;
	return variable;
}

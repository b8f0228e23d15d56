/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: the tree that a template is compiled to. Nodes live in the template's arena
 * and are read-only once it is compiled. Names are resolved while parsing: a variable is a slot or
 * a symbol of the template, a filter, test, method or function a pointer to its row.
 */
#ifndef BELLHOP_CORE_JINJA_AST_H
#define BELLHOP_CORE_JINJA_AST_H

#include "core/jinja/jinja.h"

enum jinja_node_kind {
	NODE_CONSTANT,
	NODE_NAME,
	NODE_ATTRIBUTE,
	NODE_ITEM,
	NODE_SLICE,
	NODE_LIST,
	NODE_TUPLE,
	NODE_DICT,
	NODE_NEGATE,
	NODE_POSITIVE,
	NODE_NOT,
	NODE_ARITHMETIC,
	NODE_AND,
	NODE_OR,
	NODE_COMPARE,
	NODE_CONCATENATE,
	NODE_CONDITION,
	NODE_FILTER,
	NODE_TEST,
	NODE_METHOD,
	NODE_FUNCTION,
	/* statements */
	NODE_TEXT,
	NODE_OUTPUT,
	NODE_IF,
	NODE_FOR,
	NODE_SET,
};

enum jinja_operator {
	OPERATOR_NONE,
	OPERATOR_ADD,
	OPERATOR_SUBTRACT,
	OPERATOR_MULTIPLY,
	OPERATOR_DIVIDE,
	OPERATOR_FLOOR_DIVIDE,
	OPERATOR_MODULO,
	OPERATOR_POWER,
	OPERATOR_EQUAL,
	OPERATOR_NOT_EQUAL,
	OPERATOR_LESS,
	OPERATOR_LESS_EQUAL,
	OPERATOR_GREATER,
	OPERATOR_GREATER_EQUAL,
	OPERATOR_IN,
	OPERATOR_NOT_IN,
};

/*
 * What a name stands for. The innermost variable whose slot is set wins; the end of the chain is a
 * symbol of the template: a `set` outside loops, else the context.
 */
struct jinja_variable {
	struct span name;
	bool is_symbol;
	uint32_t index;		      /* of the slot, or of the symbol */
	struct jinja_variable *outer; /* NULL for a symbol */
	struct jinja_variable *next;  /* in the parser's list of its scope */
};

struct jinja_argument {
	struct span keyword; /* empty: by position */
	struct jinja_node *value;
	struct jinja_argument *next;
};

struct jinja_callable;

struct jinja_node_call {
	const struct jinja_callable *callable; /* NULL: a method that nobody knows */
	struct span name;
	struct jinja_node *object;	  /* what it is applied to; a function's name */
	struct jinja_argument *arguments; /* as written */
	struct jinja_node **bound;	  /* by parameter of the callable; NULL: not given */
	struct jinja_node **rest;	  /* positional ones beyond the parameters */
	size_t rest_count;
	struct jinja_node *inner; /* of map, select and their like: what is applied to each item */
};

struct jinja_node_for {
	struct jinja_node *target;
	struct jinja_node *iterable;
	struct jinja_node *condition; /* NULL: none */
	struct jinja_node *body;
	struct jinja_node *otherwise;
	const struct jinja_variable *loop;
	uint32_t slot_first; /* slots of this loop and what is inside it */
	uint32_t slot_end;
};

struct jinja_node {
	uint8_t kind;	  /* enum jinja_node_kind */
	uint8_t operator; /* enum jinja_operator, of NODE_ARITHMETIC */
	uint8_t link;	  /* enum jinja_operator: how this operand follows in a comparison */
	uint16_t depth;	  /* of the tree below, itself included */
	uint32_t line;
	uint32_t column;
	struct jinja_node *next; /* in the list it belongs to */
	union {
		struct jinja_value constant;
		struct span text;
		const struct jinja_variable *variable;
		struct {
			struct jinja_node *object;
			struct span name;
			uint8_t loop_attribute; /* enum jinja_loop_attribute */
		} attribute;
		struct {
			struct jinja_node *object;
			struct jinja_node *index;
		} item;
		struct {
			struct jinja_node *object;
			struct jinja_node *bound[3]; /* start, stop, step; NULL: not given */
		} slice;
		struct jinja_node *first; /* LIST TUPLE DICT CONCATENATE COMPARE: operands */
		struct {
			struct jinja_node *left; /* the only one of NEGATE POSITIVE NOT OUTPUT */
			struct jinja_node *right;
		} pair;
		struct {
			struct jinja_node *test;
			struct jinja_node *then;
			struct jinja_node *otherwise; /* NODE_IF: a body, or one NODE_IF for elif */
			bool is_elif;
		} condition;
		struct jinja_node_call call;
		struct jinja_node_for loop;
		struct {
			struct jinja_node *target;
			struct jinja_node *value;
		} assign;
	};
};

enum jinja_loop_attribute {
	LOOP_NOTHING,
	LOOP_INDEX,
	LOOP_INDEX0,
	LOOP_REVINDEX,
	LOOP_REVINDEX0,
	LOOP_FIRST,
	LOOP_LAST,
	LOOP_LENGTH,
	LOOP_PREVITEM,
	LOOP_NEXTITEM,
	LOOP_DEPTH,
	LOOP_DEPTH0,
};

struct jinja_template {
	struct arena arena; /* owns everything below */
	struct span name;
	struct span source; /* with LF only */
	struct jinja_node *body;
	struct span *symbols; /* names, by index */
	size_t symbol_count;
	size_t slot_count;
};

enum { jinja_nesting_ceiling = 400 };

/* The limits with defaults in the place of zeros. */
struct jinja_limits jinja_limits_effective(const struct jinja_limits *limits);

/* Fills `*error`; '%' in `text` stands for `detail`, shown escaped. Returns `code`. */
int jinja_error_set(struct jinja_error *error, int code, struct span name,
		    const struct jinja_node *place, const char *text, struct span detail);

#endif

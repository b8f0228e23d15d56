/* SPDX-License-Identifier: MIT */
/*
 * Inside core/jinja: the source as tokens, one at a time. White-space control, trim_blocks,
 * lstrip_blocks, comments and raw blocks are settled here: the parser sees text and expressions.
 */
#ifndef BELLHOP_CORE_JINJA_LEXER_H
#define BELLHOP_CORE_JINJA_LEXER_H

#include "core/jinja/ast.h"

enum jinja_token_kind {
	TOKEN_END, /* of the source */
	TOKEN_TEXT,
	TOKEN_VARIABLE_BEGIN,
	TOKEN_VARIABLE_END,
	TOKEN_BLOCK_BEGIN,
	TOKEN_BLOCK_END,
	TOKEN_NAME,
	TOKEN_STRING, /* `text` without quotes, escapes resolved */
	TOKEN_INTEGER,
	TOKEN_DOUBLE,
	TOKEN_OPERATOR, /* `text` as written */
};

struct jinja_token {
	enum jinja_token_kind kind;
	uint32_t line;
	uint32_t column;
	struct span text;
	int64_t integer;
	double number;
};

struct jinja_lexer {
	struct span source; /* with LF only */
	struct span name;
	const struct jinja_compile_options *options;
	struct arena *arena; /* for strings with escapes */
	struct jinja_error *error;
	size_t at;
	size_t line_start;
	uint32_t line;
	size_t counted; /* up to here lines are counted */
	enum { LEXER_TEXT, LEXER_BLOCK, LEXER_VARIABLE } state;
	bool is_line_starting; /* the last piece ended with LF, or there was none */
	unsigned bracket_count;
	unsigned bracket_max;
	char brackets[jinja_nesting_ceiling]; /* the closing ones that are awaited */
};

/* The next token. 0, or a negative errno with `lexer->error` filled. */
int jinja_lexer_next(struct jinja_lexer *lexer, struct jinja_token *token);

/* -EINVAL (or `code`) with the error placed at the token. */
int jinja_lexer_fail(struct jinja_lexer *lexer, const struct jinja_token *token, int code,
		     const char *text, struct span detail);

#endif

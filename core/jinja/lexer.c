/* SPDX-License-Identifier: MIT */
#include "core/jinja/lexer.h"

#include "core/jinja/text.h"

#include <errno.h>
#include <stdlib.h>

enum { number_text_max = 400 };

static char at_offset(const struct jinja_lexer *lexer, size_t offset)
{
	return offset < lexer->source.length ? lexer->source.data[offset] : '\0';
}

static bool has_at(const struct jinja_lexer *lexer, size_t offset, struct span text)
{
	return offset <= lexer->source.length &&
	       span_starts_with(span_slice(lexer->source, offset, lexer->source.length), text);
}

static size_t skip_space(const struct jinja_lexer *lexer, size_t offset)
{
	while (offset < lexer->source.length && jinja_is_space(lexer->source.data[offset])) {
		offset++;
	}
	return offset;
}

/* Brings the count of lines up to `offset`, which never goes back. */
static void count_lines(struct jinja_lexer *lexer, size_t offset)
{
	for (; lexer->counted < offset; lexer->counted++) {
		if (lexer->source.data[lexer->counted] == '\n') {
			lexer->line++;
			lexer->line_start = lexer->counted + 1;
		}
	}
}

static void place_token(struct jinja_lexer *lexer, struct jinja_token *token, size_t offset)
{
	count_lines(lexer, offset);
	token->line = lexer->line;
	token->column = (uint32_t)(offset - lexer->line_start + 1);
}

int jinja_lexer_fail(struct jinja_lexer *lexer, const struct jinja_token *token, int code,
		     const char *text, struct span detail)
{
	struct jinja_node place = {.line = token->line, .column = token->column};

	return jinja_error_set(lexer->error, code, lexer->name, &place, text, detail);
}

static int fail_at(struct jinja_lexer *lexer, size_t offset, const char *text, struct span detail)
{
	struct jinja_token token = {.kind = TOKEN_END};

	place_token(lexer, &token, offset);
	return jinja_lexer_fail(lexer, &token, -EINVAL, text, detail);
}

/* The end of a tag at `offset`: "%}", "-%}", "+%}"; gives where the source goes on, or 0. */
static size_t tag_end(const struct jinja_lexer *lexer, size_t offset, struct span end)
{
	char sign = at_offset(lexer, offset);
	size_t after = offset + (sign == '-' || sign == '+') + end.length;

	if (!has_at(lexer, after - end.length, end)) {
		return 0;
	}
	if (sign == '-') {
		return skip_space(lexer, after);
	}
	if (sign != '+' && lexer->options->trim_blocks && at_offset(lexer, after) == '\n') {
		after++;
	}
	return after;
}

/* "{% raw %}" at `offset`: where its text begins, or 0. Its own end trims no newline. */
static size_t raw_begin(const struct jinja_lexer *lexer, size_t offset)
{
	char sign = at_offset(lexer, offset + 2);
	size_t at = skip_space(lexer, offset + 2 + (sign == '-' || sign == '+'));

	if (!has_at(lexer, at, SPAN("raw"))) {
		return 0;
	}
	at = skip_space(lexer, at + 3);
	if (has_at(lexer, at, SPAN("-%}"))) {
		return skip_space(lexer, at + 3);
	}
	return has_at(lexer, at, SPAN("%}")) ? at + 2 : 0;
}

static size_t endraw_end(const struct jinja_lexer *lexer, size_t offset)
{
	char sign = at_offset(lexer, offset + 2);
	size_t at = skip_space(lexer, offset + 2 + (sign == '-' || sign == '+'));

	if (!has_at(lexer, at, SPAN("endraw"))) {
		return 0;
	}
	return tag_end(lexer, skip_space(lexer, at + 6), SPAN("%}"));
}

/* The text before a tag without what the tag's sign, or lstrip_blocks, takes from its end. */
static struct span strip_before(const struct jinja_lexer *lexer, struct span text, char sign,
				bool is_variable)
{
	size_t blank = text.length;

	if (sign == '-') {
		while (text.length > 0 && jinja_is_space(text.data[text.length - 1])) {
			text.length--;
		}
		return text;
	}
	if (sign == '+' || is_variable || !lexer->options->lstrip_blocks) {
		return text;
	}
	while (blank > 0 && text.data[blank - 1] != '\n' && jinja_is_space(text.data[blank - 1])) {
		blank--;
	}
	if (blank > 0 ? text.data[blank - 1] == '\n' : lexer->is_line_starting) {
		text.length = blank;
	}
	return text;
}

static size_t find_tag(const struct jinja_lexer *lexer, size_t offset)
{
	for (; offset < lexer->source.length; offset++) {
		char next = at_offset(lexer, offset + 1);

		if (lexer->source.data[offset] == '{' &&
		    (next == '{' || next == '%' || next == '#')) {
			break;
		}
	}
	return offset;
}

static void moved_to(struct jinja_lexer *lexer, size_t offset)
{
	lexer->at = offset;
	lexer->is_line_starting = offset > 0 && lexer->source.data[offset - 1] == '\n';
}

static int skip_comment(struct jinja_lexer *lexer, size_t begin)
{
	char sign = at_offset(lexer, begin + 2);
	size_t inside = begin + 2 + (sign == '-' || sign == '+');
	size_t end = inside + span_search(span_slice(lexer->source, inside, lexer->source.length),
					  SPAN("#}"));

	if (end >= lexer->source.length) {
		return fail_at(lexer, begin, "the comment has no end, expected #}",
			       (struct span){0});
	}
	if (end > inside &&
	    (at_offset(lexer, end - 1) == '-' || at_offset(lexer, end - 1) == '+')) {
		end--;
	}
	moved_to(lexer, tag_end(lexer, end, SPAN("#}")));
	return 0;
}

/* Gives the text of a raw block that begins at `begin` and goes on at `inside`. */
static int read_raw(struct jinja_lexer *lexer, size_t begin, size_t inside,
		    struct jinja_token *token)
{
	lexer->is_line_starting = lexer->source.data[inside - 1] == '\n';
	for (size_t at = inside; at < lexer->source.length; at++) {
		size_t after = has_at(lexer, at, SPAN("{%")) ? endraw_end(lexer, at) : 0;

		if (after > 0) {
			place_token(lexer, token, inside);
			token->kind = TOKEN_TEXT;
			token->text = strip_before(lexer, span_slice(lexer->source, inside, at),
						   at_offset(lexer, at + 2), false);
			moved_to(lexer, after);
			return 0;
		}
	}
	return fail_at(lexer, begin, "the raw block has no end, expected {% endraw %}",
		       (struct span){0});
}

/* At a tag: moves behind what opens it, and gives its token or a raw block's text. */
static int open_tag(struct jinja_lexer *lexer, struct jinja_token *token)
{
	size_t begin = lexer->at;
	size_t inside = raw_begin(lexer, begin);
	char kind = at_offset(lexer, begin + 1);
	char sign = at_offset(lexer, begin + 2);

	if (kind == '#') {
		return skip_comment(lexer, begin);
	}
	if (kind == '%' && inside > 0) {
		return read_raw(lexer, begin, inside, token);
	}
	place_token(lexer, token, begin);
	token->kind = kind == '%' ? TOKEN_BLOCK_BEGIN : TOKEN_VARIABLE_BEGIN;
	lexer->state = kind == '%' ? LEXER_BLOCK : LEXER_VARIABLE;
	lexer->bracket_count = 0;
	lexer->at = begin + 2 + (sign == '-' || sign == '+');
	return 0;
}

/* In text: gives the next piece of text, or the tag. */
static int next_in_text(struct jinja_lexer *lexer, struct jinja_token *token)
{
	token->kind = TOKEN_END;
	while (token->kind == TOKEN_END && lexer->at < lexer->source.length) {
		size_t tag = find_tag(lexer, lexer->at);
		struct span text = span_slice(lexer->source, lexer->at, tag);
		int result;

		if (tag < lexer->source.length) {
			text = strip_before(lexer, text, at_offset(lexer, tag + 2),
					    at_offset(lexer, tag + 1) == '{');
		}
		place_token(lexer, token, lexer->at);
		lexer->at = tag;
		lexer->is_line_starting = false;
		if (text.length > 0) {
			token->kind = TOKEN_TEXT;
			token->text = text;
			return 0;
		}
		if (tag == lexer->source.length) {
			break;
		}
		result = open_tag(lexer, token);
		if (result < 0) {
			return result;
		}
		if (token->kind == TOKEN_TEXT && token->text.length == 0) {
			token->kind = TOKEN_END;
		}
	}
	if (token->kind == TOKEN_END) {
		place_token(lexer, token, lexer->at);
	}
	return 0;
}

static bool is_name_start(char c)
{
	return ascii_is_alpha(c) || c == '_' || (uint8_t)c >= 0x80;
}

/* Digits with single underscores between them; where they end. */
static size_t skip_digits(const struct jinja_lexer *lexer, size_t at, int base)
{
	for (;; at++) {
		int digit = ascii_hex_value(at_offset(lexer, at));

		if (at_offset(lexer, at) == '_') {
			digit = ascii_hex_value(at_offset(lexer, at + 1));
		}
		if (digit < 0 || digit >= base) {
			return at;
		}
	}
}

static int read_integer(struct jinja_lexer *lexer, struct jinja_token *token, size_t digits,
			size_t end, int base)
{
	int64_t value = 0;

	for (size_t at = digits; at < end; at++) {
		int digit = ascii_hex_value(lexer->source.data[at]);

		if (digit >= 0 && (__builtin_mul_overflow(value, base, &value) ||
				   __builtin_add_overflow(value, digit, &value))) {
			return jinja_lexer_fail(lexer, token, -EINVAL,
						"the number has more than 63 bits",
						(struct span){0});
		}
	}
	token->kind = TOKEN_INTEGER;
	token->integer = value;
	lexer->at = end;
	return 0;
}

static int read_double(struct jinja_lexer *lexer, struct jinja_token *token, size_t end)
{
	char text[number_text_max];
	size_t length = 0;

	for (size_t at = lexer->at; at < end; at++) {
		if (lexer->source.data[at] == '_') {
			continue;
		}
		if (length == sizeof(text) - 1) {
			return jinja_lexer_fail(lexer, token, -EINVAL,
						"the number has too many digits", (struct span){0});
		}
		text[length++] = lexer->source.data[at];
	}
	text[length] = '\0';
	token->kind = TOKEN_DOUBLE;
	token->number = strtod(text, NULL);
	lexer->at = end;
	return 0;
}

/* Where a number with a point or an exponent ends; `digits_end` when it has neither. */
static size_t double_end(const struct jinja_lexer *lexer, size_t digits_end)
{
	size_t end = digits_end;
	size_t exponent;

	if (at_offset(lexer, end) == '.' && ascii_is_digit(at_offset(lexer, end + 1))) {
		end = skip_digits(lexer, end + 1, 10);
	}
	if (ascii_lower(at_offset(lexer, end)) != 'e') {
		return end;
	}
	exponent = end + 1;
	if (at_offset(lexer, exponent) == '+' || at_offset(lexer, exponent) == '-') {
		exponent++;
	}
	return ascii_is_digit(at_offset(lexer, exponent)) ? skip_digits(lexer, exponent, 10) : end;
}

static int read_number(struct jinja_lexer *lexer, struct jinja_token *token)
{
	size_t begin = lexer->at;
	size_t end = skip_digits(lexer, begin, 10);
	char letter = ascii_lower(at_offset(lexer, begin + 1));
	int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;

	/* After a point digits are an index: a.0.1 has no 0.1 in it. */
	if (begin == 0 || lexer->source.data[begin - 1] != '.') {
		size_t whole = double_end(lexer, end);

		if (whole > end) {
			return read_double(lexer, token, whole);
		}
	}
	if (lexer->source.data[begin] != '0') {
		return read_integer(lexer, token, begin, end, 10);
	}
	if (base > 0) {
		size_t digits = skip_digits(lexer, begin + 2, base);

		if (digits > begin + 2) {
			return read_integer(lexer, token, begin + 2, digits, base);
		}
	}
	/* Jinja has no octal "0123": the zeros are a number of their own. */
	end = begin;
	while (at_offset(lexer, end) == '0' ||
	       (at_offset(lexer, end) == '_' && at_offset(lexer, end + 1) == '0')) {
		end++;
	}
	return read_integer(lexer, token, begin, end, 10);
}

/* Reads up to `count_max` digits of the base; false when there is none. */
static bool read_escape_digits(struct span s, size_t *at, size_t count_max, int base,
			       uint32_t *value)
{
	size_t count = 0;

	*value = 0;
	while (count < count_max && *at < s.length) {
		int digit = ascii_hex_value(s.data[*at]);

		if (digit < 0 || digit >= base) {
			break;
		}
		*value = *value * (uint32_t)base + (uint32_t)digit;
		(*at)++;
		count++;
	}
	return base == 8 ? count > 0 : count == count_max;
}

/* One escape behind the backslash at `*at`; writes to `out`, which never gets longer than `s`. */
static bool unescape(struct span s, size_t *at, char *out, size_t *length)
{
	static const char letters[] = "n\nt\tr\rb\bf\fv\va\a\\\\''\"\"";
	char c = s.data[*at];
	uint32_t code_point = 0;
	char octets[4];
	size_t count;

	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (c == letters[i]) {
			out[(*length)++] = letters[i + 1];
			(*at)++;
			return true;
		}
	}
	if (c == '\n') {
		(*at)++;
		return true;
	}
	if (c >= '0' && c <= '7') {
		read_escape_digits(s, at, 3, 8, &code_point);
	} else if (c == 'x' || c == 'u' || c == 'U') {
		(*at)++;
		if (!read_escape_digits(s, at,
					c == 'x'   ? 2
					: c == 'u' ? 4
						   : 8,
					16, &code_point) ||
		    code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) {
			return false;
		}
	} else {
		out[(*length)++] = '\\';
		return c != 'N';
	}
	count = jinja_utf8_encode(code_point, octets);
	memcpy(out + *length, octets, count);
	*length += count;
	return true;
}

static int read_string(struct jinja_lexer *lexer, struct jinja_token *token)
{
	char quote = lexer->source.data[lexer->at];
	size_t end = lexer->at + 1;
	struct span s;
	size_t length = 0;
	char *out;

	while (end < lexer->source.length && lexer->source.data[end] != quote) {
		end += lexer->source.data[end] == '\\' ? 2 : 1;
	}
	if (end >= lexer->source.length) {
		return jinja_lexer_fail(lexer, token, -EINVAL, "the string has no end, expected %",
					span_make(&quote, 1));
	}
	s = span_slice(lexer->source, lexer->at + 1, end);
	token->kind = TOKEN_STRING;
	token->text = s;
	lexer->at = end + 1;
	if (span_find(s, '\\') == s.length) {
		return 0;
	}
	out = arena_allocate(lexer->arena, s.length);
	if (!out) {
		return jinja_lexer_fail(lexer, token, -ENOMEM, "the template needs too much memory",
					(struct span){0});
	}
	for (size_t at = 0; at < s.length;) {
		if (s.data[at] != '\\') {
			out[length++] = s.data[at++];
			continue;
		}
		at++;
		if (!unescape(s, &at, out, &length)) {
			return jinja_lexer_fail(
				lexer, token, -EINVAL,
				"the string has a broken \\x, \\u, \\U or \\N escape",
				(struct span){0});
		}
	}
	token->text = span_make(out, length);
	return 0;
}

/* Keeps the brackets: only outside of all of them may a tag end. */
static int balance(struct jinja_lexer *lexer, const struct jinja_token *token)
{
	char c = token->text.data[0];

	if (c == '(' || c == '[' || c == '{') {
		if (lexer->bracket_count >= lexer->bracket_max) {
			return jinja_lexer_fail(lexer, token, -E2BIG, "too deeply nested",
						(struct span){0});
		}
		lexer->brackets[lexer->bracket_count++] = c == '(' ? ')' : c == '[' ? ']' : '}';
		return 0;
	}
	if (c != ')' && c != ']' && c != '}') {
		return 0;
	}
	if (lexer->bracket_count == 0) {
		return jinja_lexer_fail(lexer, token, -EINVAL, "unexpected %", token->text);
	}
	lexer->bracket_count--;
	if (lexer->brackets[lexer->bracket_count] != c) {
		return jinja_lexer_fail(lexer, token, -EINVAL,
					"the brackets do not match, expected %",
					span_make(&lexer->brackets[lexer->bracket_count], 1));
	}
	return 0;
}

static int read_operator(struct jinja_lexer *lexer, struct jinja_token *token)
{
	static const char pairs[][3] = {"//", "**", "==", "!=", ">=", "<="};
	static const char singles[] = "+-/*%~[](){}><=.:|,;";
	char c = lexer->source.data[lexer->at];
	size_t length = 0;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (has_at(lexer, lexer->at, span_make(pairs[i], 2))) {
			length = 2;
		}
	}
	if (length == 0 && c != '\0' && strchr(singles, c)) {
		length = 1;
	}
	token->text = span_slice(lexer->source, lexer->at, lexer->at + (length ? length : 1));
	if (length == 0) {
		return jinja_lexer_fail(lexer, token, -EINVAL, "unexpected character '%'",
					token->text);
	}
	token->kind = TOKEN_OPERATOR;
	lexer->at += length;
	return balance(lexer, token);
}

/* Inside a tag: its end, or the next token of its expression. */
static int next_in_tag(struct jinja_lexer *lexer, struct jinja_token *token)
{
	bool is_block = lexer->state == LEXER_BLOCK;
	size_t end = 0;
	char c;

	lexer->at = skip_space(lexer, lexer->at);
	place_token(lexer, token, lexer->at);
	token->kind = TOKEN_END;
	if (lexer->at >= lexer->source.length) {
		return 0;
	}
	if (lexer->bracket_count == 0 && is_block) {
		end = tag_end(lexer, lexer->at, SPAN("%}"));
	} else if (lexer->bracket_count == 0 && has_at(lexer, lexer->at, SPAN("-}}"))) {
		end = skip_space(lexer, lexer->at + 3);
	} else if (lexer->bracket_count == 0 && has_at(lexer, lexer->at, SPAN("}}"))) {
		end = lexer->at + 2;
	}
	if (end > 0) {
		token->kind = is_block ? TOKEN_BLOCK_END : TOKEN_VARIABLE_END;
		lexer->state = LEXER_TEXT;
		moved_to(lexer, end);
		return 0;
	}
	c = lexer->source.data[lexer->at];
	if (ascii_is_digit(c)) {
		return read_number(lexer, token);
	}
	if (c == '\'' || c == '"') {
		return read_string(lexer, token);
	}
	if (is_name_start(c)) {
		end = lexer->at;
		while (is_name_start(at_offset(lexer, end)) ||
		       ascii_is_digit(at_offset(lexer, end))) {
			end++;
		}
		token->kind = TOKEN_NAME;
		token->text = span_slice(lexer->source, lexer->at, end);
		lexer->at = end;
		return 0;
	}
	return read_operator(lexer, token);
}

int jinja_lexer_next(struct jinja_lexer *lexer, struct jinja_token *token)
{
	*token = (struct jinja_token){.kind = TOKEN_END};
	if (lexer->state == LEXER_TEXT) {
		return next_in_text(lexer, token);
	}
	return next_in_tag(lexer, token);
}

/* SPDX-License-Identifier: MIT */
/* Templates from source, limits, errors. */
#include "core/jinja/parser.h"

#include <errno.h>
#include <stdlib.h>

struct jinja_limits jinja_limits_effective(const struct jinja_limits *limits)
{
	struct jinja_limits l = limits ? *limits : (struct jinja_limits){0};

	l.steps = l.steps ? l.steps : 1000000;
	l.nesting = l.nesting ? l.nesting : 100;
	l.nesting = l.nesting < jinja_nesting_ceiling ? l.nesting : jinja_nesting_ceiling;
	l.memory_bytes = l.memory_bytes ? l.memory_bytes : (size_t)16 << 20;
	l.output_bytes = l.output_bytes ? l.output_bytes : (size_t)1 << 20;
	l.range_items = l.range_items ? l.range_items : 100000;
	l.source_bytes = l.source_bytes ? l.source_bytes : (size_t)1 << 20;
	return l;
}

/* Fits a text into a fixed buffer: what is too long is cut, never dropped. */
static void put_text(char *buffer, size_t size, const char *text, struct span detail)
{
	struct writer w = writer_over(buffer, size - 1);

	for (; *text; text++) {
		if (*text == '%') {
			struct writer before = w;

			/* Up to a third of the room, so that the sentence stays whole. */
			writer_escaped(&w, detail, size / 3);
			if (w.failed) {
				w = before;
				writer_escaped(&w, detail, size / 12);
			}
		} else {
			writer_char(&w, *text);
		}
	}
	buffer[w.length] = '\0';
}

int jinja_error_set(struct jinja_error *error, int code, struct span name,
		    const struct jinja_node *place, const char *text, struct span detail)
{
	*error = (struct jinja_error){0};
	if (place) {
		error->line = place->line;
		error->column = place->column;
	}
	put_text(error->name, sizeof(error->name), "%", name);
	put_text(error->message, sizeof(error->message), text, detail);
	return code;
}

void jinja_error_write(struct writer *w, const struct jinja_error *error)
{
	writer_text(w, error->name);
	writer_text(w, ":");
	if (error->line > 0) {
		writer_unsigned(w, error->line);
		writer_text(w, ":");
		writer_unsigned(w, error->column);
		writer_text(w, ":");
	}
	writer_text(w, " ");
	if (error->setting[0]) {
		writer_text(w, error->setting);
		writer_text(w, ": ");
	}
	writer_text(w, error->message);
}

/* A copy with LF for CR LF and CR, and without the last newline if it is not to be kept. */
static struct span copy_source(struct arena *arena, struct span source, bool keeps_newline)
{
	char *copy = arena_allocate(arena, source.length + 1);
	size_t length = 0;

	if (!copy) {
		return (struct span){0};
	}
	for (size_t i = 0; i < source.length; i++) {
		if (source.data[i] == '\r') {
			copy[length++] = '\n';
			i += i + 1 < source.length && source.data[i + 1] == '\n';
		} else {
			copy[length++] = source.data[i];
		}
	}
	if (!keeps_newline && length > 0 && copy[length - 1] == '\n') {
		length--;
	}
	return span_make(copy, length);
}

/* Keeps what rendering needs of the names. */
static int keep_symbols(struct jinja_parser *parser)
{
	struct jinja_template *template = parser->template;
	struct span *names =
		jinja_parser_allocate(parser, (template->symbol_count + 1) * sizeof(struct span));

	for (size_t i = 0; names && i < template->symbol_count; i++) {
		names[i] = parser->symbol_variables[i]->name;
	}
	template->symbols = names;
	return parser->result;
}

static int parse(struct jinja_template *template, const struct jinja_compile_options *options,
		 const struct jinja_limits *limits, struct jinja_error *error)
{
	struct jinja_parser parser = {
		.lexer = {.source = template->source,
			  .name = template->name,
			  .options = options,
			  .arena = &template->arena,
			  .error = error,
			  .line = 1,
			  .state = LEXER_TEXT,
			  .is_line_starting = true,
			  .bracket_max = limits->nesting},
		.template = template,
		.limits = *limits,
	};

	if (jinja_dict(&template->arena, &parser.symbols) != 0) {
		return jinja_error_set(error, -ENOMEM, template->name, NULL,
				       "the template needs too much memory", (struct span){0});
	}
	/* Twice, since there is one token ahead of the current one. */
	if (jinja_parser_advance(&parser) && jinja_parser_advance(&parser)) {
		template->body = jinja_parse_template(&parser);
	}
	return parser.result != 0 ? parser.result : keep_symbols(&parser);
}

int jinja_compile(struct jinja_template **template, struct span name, struct span source,
		  const struct jinja_compile_options *options, struct jinja_error *error)
{
	static const struct jinja_compile_options defaults;
	struct jinja_limits limits = jinja_limits_effective(options ? &options->limits : NULL);
	struct jinja_template *made;
	int result;

	options = options ? options : &defaults;
	if (source.length > limits.source_bytes) {
		return jinja_error_set(error, -E2BIG, name, NULL, "the template is too long",
				       (struct span){0});
	}
	made = calloc(1, sizeof(*made));
	if (!made) {
		return jinja_error_set(error, -ENOMEM, name, NULL, "out of memory",
				       (struct span){0});
	}
	arena_init(&made->arena, limits.memory_bytes);
	made->name = arena_copy(&made->arena, name);
	made->source = copy_source(&made->arena, source, options->keep_trailing_newline);
	if (!made->name.data || !made->source.data) {
		result = jinja_error_set(error, -ENOMEM, name, NULL,
					 "the template needs too much memory", (struct span){0});
	} else {
		result = parse(made, options, &limits, error);
	}
	if (result != 0) {
		jinja_template_free(made);
		return result;
	}
	*template = made;
	return 0;
}

void jinja_template_free(struct jinja_template *template)
{
	if (template) {
		arena_free(&template->arena);
		free(template);
	}
}

struct span jinja_template_name(const struct jinja_template *template)
{
	return template->name;
}

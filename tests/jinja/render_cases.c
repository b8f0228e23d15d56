/* SPDX-License-Identifier: MIT */
/*
 * render_cases FILE: renders every case of cases.json and prints what came out, one JSON object a
 * line: {"output": …} or {"error": …}. oracle.py holds it against python3-jinja2.
 */
#include "tests/jinja/context.h"

#include <errno.h>
#include <stdio.h>

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static void print_result(const char *key, struct span text)
{
	json_t *line = json_object();

	json_object_set_new(line, key, json_stringn(text.data ? text.data : "", text.length));
	json_dumpf(line, stdout, JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(line);
}

static void run_case(const json_t *test, const json_t *shared)
{
	const json_t *source = json_object_get(test, "template");
	const json_t *own = json_object_get(test, "context");
	const char *format = json_string_value(json_object_get(test, "format"));
	struct jinja_compile_options compile = {
		.trim_blocks = is_true(test, "trim_blocks"),
		.lstrip_blocks = is_true(test, "lstrip_blocks"),
		.keep_trailing_newline = is_true(test, "keep_trailing_newline"),
	};
	struct jinja_render_options options = {
		.format =
			format && strcmp(format, "xml") == 0 ? JINJA_FORMAT_XML : JINJA_FORMAT_TEXT,
		.undefined = is_true(test, "lenient") ? JINJA_LENIENT : JINJA_STRICT,
	};
	struct jinja_template *template = NULL;
	struct jinja_error error;
	struct arena arena;
	struct span output = {0};
	struct jinja_value context;
	int result;

	arena_init(&arena, 64 << 20);
	context = context_value(&arena, own ? own : shared, (struct span){0});
	result = jinja_compile(&template, SPAN("case"),
			       span_make(json_string_value(source), json_string_length(source)),
			       &compile, &error);
	if (result == 0) {
		result = jinja_render(template, &context, &options, &arena, &output, &error);
	}
	if (result == 0) {
		print_result("output", output);
	} else {
		char text[1024];
		struct writer w = writer_over(text, sizeof(text));

		jinja_error_write(&w, &error);
		print_result("error", writer_span(&w));
	}
	jinja_template_free(template);
	arena_free(&arena);
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *root = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
	size_t i;
	json_t *test;

	if (!root) {
		fprintf(stderr, "usage: render_cases FILE (%s)\n", argc == 2 ? error.text : "");
		return 2;
	}
	json_array_foreach(json_object_get(root, "cases"), i, test)
	{
		run_case(test, json_object_get(root, "context"));
	}
	json_decref(root);
	return 0;
}

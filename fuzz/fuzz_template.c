/* SPDX-License-Identifier: MIT */
/*
 * Compiles the input as a template and renders it with a fixed context and small limits. The first
 * octet chooses format, undefined and white-space options.
 */
#include "tests/jinja/fixtures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct jinja_limits limits = {.steps = 20000,
					    .memory_bytes = 1 << 20,
					    .output_bytes = 1 << 16,
					    .range_items = 1000};
	uint8_t choice = size > 0 ? data[0] : 0;
	const struct jinja_compile_options compile = {.trim_blocks = choice & 8,
						      .lstrip_blocks = choice & 16,
						      .keep_trailing_newline = choice & 32,
						      .limits = limits};
	const struct jinja_render_options options = {.format = (enum jinja_format)(choice & 3),
						     .undefined = choice & 4 ? JINJA_LENIENT
									     : JINJA_STRICT,
						     .limits = limits};
	struct jinja_template *template = NULL;
	struct jinja_error error;
	struct jinja_value context;
	struct span output;
	struct arena arena;

	if (size == 0 ||
	    jinja_compile(&template, SPAN("fuzz"), span_make((const char *)data + 1, size - 1),
			  &compile, &error) != 0) {
		return 0;
	}
	arena_init(&arena, 4 << 20);
	context = fixture_context(&arena);
	if (jinja_render(template, &context, &options, &arena, &output, &error) == 0 &&
	    options.format == JINJA_FORMAT_LINE && output.length > limits.output_bytes) {
		abort();
	}
	arena_free(&arena);
	jinja_template_free(template);
	return 0;
}

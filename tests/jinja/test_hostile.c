/* SPDX-License-Identifier: MIT */
/* Guard pages: every prefix of a template, and of a value, at both ends of a mapping. */
#include "tests/guard.h"
#include "tests/jinja/fixtures.h"
#include "tests/test.h"

static const char *const fixtures[] = {
	fixture_config,
	"{%- raw -%}{{ x }}{%- endraw -%}  {#- c -#} \n {%+ set x, (y, z) = 1, ('a\\u20ac\\x41', "
	"2.5e-3) +%}",
	"{{ a.b[1:2:3].c(1, x='y')|d({'k': [1, 0x1F, 1_0]})|e is not divisibleby(3) and not b in c "
	"}}",
	"{% if a == 1 <= 2 %}{% elif b %}{% else %}{% endif %}{% for a, b in c if d %}{% else %}{% "
	"endfor %}",
};

static unsigned compiled_count;

static void compile_and_render(struct span source, void *context)
{
	const struct jinja_compile_options compile = {.trim_blocks = true, .lstrip_blocks = true};
	const struct jinja_render_options lenient = {.undefined = JINJA_LENIENT,
						     .limits.steps = 10000};
	const struct jinja_value *values = context;
	struct jinja_template *template = NULL;
	struct jinja_error error;
	struct span output;
	struct arena arena;

	if (jinja_compile(&template, SPAN("t"), source, &compile, &error) == 0) {
		arena_init(&arena, 1 << 20);
		jinja_render(template, values, &lenient, &arena, &output, &error);
		arena_free(&arena);
		compiled_count++;
	}
	jinja_template_free(template);
}

static void every_prefix_of_a_template(void)
{
	struct arena arena;
	struct jinja_value context;

	arena_init(&arena, 1 << 20);
	context = fixture_context(&arena);
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
		compiled_count = 0;
		guard_each_prefix(span_text(fixtures[i]), compile_and_render, &context);
		CHECK(compiled_count >= 2);
	}
	arena_free(&arena);
}

static struct jinja_template *filters;
static unsigned rendered_count;

static void render_value(struct span value, void *format)
{
	const struct jinja_render_options options = {.format = *(enum jinja_format *)format};
	struct jinja_value context;
	struct jinja_error error;
	struct span output;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	if (jinja_dict(&arena, &context) == 0 &&
	    jinja_dict_set(&arena, &context, SPAN("v"), jinja_string(value)) == 0) {
		rendered_count +=
			jinja_render(filters, &context, &options, &arena, &output, &error) == 0;
	}
	arena_free(&arena);
}

static void every_prefix_of_a_value(void)
{
	static const char source[] =
		"{{ v }}{{ v|upper }}{{ v|title }}{{ v|trim }}{{ v|trim('\xc3\xa9') }}{{ v|int }}"
		"{{ v|float }}{{ v|length }}{{ v[1:] }}{{ v[::-1] }}{{ v[-1]|d }}{{ v|e }}"
		"{{ v|replace('a', '') }}{{ v|replace('', '-', 3) }}{{ v|split|join }}"
		"{{ v.split(',') }}{{ v|list }}{{ [v] }}{{ v|hex }}{{ v in v }}{{ v == v ~ '' }}"
		"{{ '%.3s|%r'|format(v, v) }}{{ v is lower }}{{ v.isdigit() }}{{ v.find('\xe2') }}";
	static const char *const values[] = {
		"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 ,b",
		"0x1_F.5e+1",
		"-12.5e-3 ",
		"\xf0\x9f\x98\xe2\x82\xc3",
		" \t\r\n\x0b a,b,,'\"\\%s",
	};
	enum jinja_format formats[] = {JINJA_FORMAT_TEXT, JINJA_FORMAT_XML, JINJA_FORMAT_LINE,
				       JINJA_FORMAT_JSON};
	struct jinja_error error;

	REQUIRE(jinja_compile(&filters, SPAN("t"), span_text(source), NULL, &error) == 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
			rendered_count = 0;
			guard_each_prefix(span_text(values[i]), render_value, &formats[f]);
			CHECK(rendered_count > 0);
		}
	}
	jinja_template_free(filters);
}

int main(void)
{
	RUN(every_prefix_of_a_template);
	RUN(every_prefix_of_a_value);
	return test_end();
}

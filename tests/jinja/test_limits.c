/* SPDX-License-Identifier: MIT */
/* What no template may cost: every limit is reached and told as -E2BIG or -ENOMEM. */
#include "tests/jinja/fixtures.h"
#include "tests/test.h"

#include <errno.h>

static struct jinja_error error;

/* Compiles and renders with small limits. */
static int run_limited(struct span source, const struct jinja_limits *limits)
{
	const struct jinja_compile_options compile = {.limits = *limits};
	const struct jinja_render_options options = {.limits = *limits};
	struct jinja_template *template = NULL;
	struct arena arena;
	struct jinja_value context;
	struct span output;
	int result;

	arena_init(&arena, 1 << 24);
	context = fixture_context(&arena);
	result = jinja_compile(&template, SPAN("t"), source, &compile, &error);
	if (result == 0) {
		result = jinja_render(template, &context, &options, &arena, &output, &error);
		CHECK_EQUAL(1 << 24, arena.bytes_max);
	}
	jinja_template_free(template);
	arena_free(&arena);
	return result;
}

static int run(const char *source)
{
	const struct jinja_limits limits = {.steps = 100000, .memory_bytes = 1 << 20};

	return run_limited(span_text(source), &limits);
}

/* `count` times `piece` between two texts. */
static int run_repeated(const char *before, const char *piece, size_t count, const char *after)
{
	const struct jinja_limits limits = {.memory_bytes = 8 << 20};
	static char source[400000];
	struct writer w = writer_over(source, sizeof(source));

	writer_text(&w, before);
	for (size_t i = 0; i < count; i++) {
		writer_text(&w, piece);
	}
	writer_text(&w, after);
	if (w.failed) {
		abort();
	}
	return run_limited(writer_span(&w), &limits);
}

#define FORTY_CLOSED                                                                               \
	"))))))))))))))))))))"                                                                     \
	"))))))))))))))))))))"

static void depth_of_expressions(void)
{
	CHECK_EQUAL(0, run_repeated("{{ ", "(", 40, "1" FORTY_CLOSED " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ ", "(", 50000, "1 }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ ", "[", 50000, "1 }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ ", "{1:", 50000, "1 }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ ", "not ", 50000, "1 }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ ", "- ", 50000, "1 }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ ", "1 if 1 else ", 20000, "1 }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ name", ".a", 50000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ name", "[0]", 50000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ name", "|upper", 50000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ 1", "+1", 50000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ 1", " and 1", 50000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ 1", " if 1", 50000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ 1", " is eq(1)", 30000, " }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{{ list|map(", "'map', ", 200, "'upper') }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{% for ", "(", 30000, "a in list %}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{% set x = ", "range(", 30000, "1 %}"));
}

static void depth_of_statements(void)
{
	CHECK_EQUAL(-E2BIG, run_repeated("", "{% if 1 %}", 30000, ""));
	CHECK_EQUAL(-E2BIG, run_repeated("", "{% for x in list %}", 20000, ""));
	/* A chain of elif, or of ~ and comparisons, is long but not deep. */
	CHECK_EQUAL(0, run_repeated("{% if 0 %}", "{% elif 0 %}x", 5000, "{% endif %}"));
	CHECK_EQUAL(0, run_repeated("{{ 1", " ~ 1", 5000, " }}"));
	CHECK_EQUAL(0, run_repeated("{{ 1", " == 1", 5000, " }}"));
	CHECK_EQUAL(0, run_repeated("{{ [1", ",1", 5000, "]|length }}"));
}

/* Values nest by computing, without any nesting in the source. */
static void depth_of_values(void)
{
	CHECK_EQUAL(-E2BIG, run_repeated("{% set x = [] %}", "{% set x = [x] %}", 500, "{{ x }}"));
	CHECK_EQUAL(-E2BIG,
		    run_repeated("{% set x = [] %}", "{% set x = [x] %}", 500, "{{ x|tojson }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{% set x = [] %}", "{% set x = [x] %}", 500,
					 "{% set y = [x] %}{{ y == [x] }}"));
	CHECK_EQUAL(-E2BIG, run_repeated("{% set x = [1] %}{% set y = [2] %}",
					 "{% set x = [x] %}{% set y = [y] %}", 500, "{{ x < y }}"));
	CHECK_EQUAL(-E2BIG, run("{% set n = namespace() %}{% set n.n = n %}{{ n }}"));
	CHECK_EQUAL(-E2BIG, run("{% set n = namespace() %}{% set n.n = n %}{{ n == n }}"));
	/* Doubling: 2^60 items to print, in 60 lists. */
	CHECK_EQUAL(-ENOMEM, run_repeated("{% set x = [1] %}", "{% set x = [x, x] %}", 60,
					  "{{ x|tojson }}"));
}

static void growth_of_text(void)
{
	CHECK_EQUAL(-ENOMEM, run("{{ 'a' * 1000000000000 }}"));
	CHECK_EQUAL(-ENOMEM, run("{{ 'aaaa' * 9223372036854775807 }}"));
	CHECK_EQUAL(-ENOMEM, run("{{ [1] * 9223372036854775807 }}"));
	CHECK_EQUAL(-ENOMEM,
		    run_repeated("{% set x = 'abcdefgh' %}", "{% set x = x ~ x %}", 60, "{{ x }}"));
	CHECK_EQUAL(-ENOMEM,
		    run_repeated("{% set x = 'abcdefgh' %}", "{% set x = x + x %}", 60, "{{ x }}"));
	CHECK_EQUAL(-ENOMEM, run_repeated("{% set x = 'ab' %}",
					  "{% set x = x|replace('a', 'aaaaaaaa') %}", 60, ""));
	CHECK_EQUAL(-EINVAL, run("{{ '%99999999d' % 1 }}"));
	CHECK_EQUAL(-EINVAL, run("{{ '%.99999f' % 1 }}"));
	CHECK_EQUAL(-EINVAL, run("{{ 9 ** 9 ** 9 }}"));
	CHECK_EQUAL(-EINVAL, run("{{ 'x'|tojson(99999999) }}"));
}

static void steps(void)
{
	CHECK_EQUAL(-E2BIG, run("{{ range(10**9) }}"));
	CHECK_EQUAL(-E2BIG, run("{{ range(-9223372036854775807, 9223372036854775807) }}"));
	CHECK_EQUAL(-E2BIG, run("{% set r = range(1000) %}{% for a in r %}{% for b in r %}"
				"{% endfor %}{% endfor %}"));
	CHECK_EQUAL(-E2BIG, run("{% set s = 'x' * 500000 %}{% for a in range(9999) %}"
				"{% if 'y' in s %}{% endif %}{% endfor %}"));
	CHECK_EQUAL(0, run("{{ range(9223372036854775800, 9223372036854775807, 5)|list }}"));
}

static void output_and_source(void)
{
	const struct jinja_limits small = {.output_bytes = 10, .source_bytes = 100};

	CHECK_EQUAL(0, run_limited(SPAN("0123456789"), &small));
	CHECK_EQUAL(-E2BIG, run_limited(SPAN("0123456789a"), &small));
	CHECK_EQUAL(-E2BIG, run_limited(SPAN("{{ 'x' * 11 }}"), &small));
	CHECK_EQUAL(-E2BIG, run_limited(SPAN("{% for i in range(99) %}xx{% endfor %}"), &small));
	CHECK_EQUAL(-E2BIG, run_limited(span_make(fixture_config, 101), &small));
	CHECK_TEXT("the template is too long", span_text(error.message));
}

/* Every ceiling of memory from nothing to enough: an error, or the same text; never a crash. */
static void every_ceiling_of_memory(void)
{
	struct span source = span_text(fixture_config);
	struct jinja_template *template = NULL;
	unsigned failed = 0;
	int result = -ENOMEM;

	for (size_t bytes = 1; bytes < 200000 && result != 0; bytes += 61) {
		const struct jinja_compile_options options = {.limits.memory_bytes = bytes};

		result = jinja_compile(&template, SPAN("t"), source, &options, &error);
		CHECK(result == 0 || result == -ENOMEM);
		failed += result != 0;
	}
	CHECK(failed > 10);
	REQUIRE(result == 0);
	result = -ENOMEM;
	failed = 0;
	for (size_t bytes = 1; bytes < 200000 && result != 0; bytes += 61) {
		const struct jinja_render_options options = {.limits.memory_bytes = bytes};
		struct arena arena;
		struct jinja_value context;
		struct span output;

		arena_init(&arena, 1 << 20);
		context = fixture_context(&arena);
		result = jinja_render(template, &context, &options, &arena, &output, &error);
		CHECK(result == 0 || result == -ENOMEM);
		failed += result != 0;
		arena_free(&arena);
	}
	CHECK_EQUAL(0, result);
	CHECK(failed > 10);
	jinja_template_free(template);
}

int main(void)
{
	RUN(depth_of_expressions);
	RUN(depth_of_statements);
	RUN(depth_of_values);
	RUN(growth_of_text);
	RUN(steps);
	RUN(output_and_source);
	RUN(every_ceiling_of_memory);
	return test_end();
}

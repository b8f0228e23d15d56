/* SPDX-License-Identifier: MIT */
/* Formats, errors, and our own filters; the language itself is tested by oracle.py. */
#include "tests/jinja/fixtures.h"
#include "tests/test.h"

#include <errno.h>

struct outcome {
	int result;
	char output[4096];
	struct jinja_error error;
};

static struct outcome render_with(const char *source, const struct jinja_render_options *options)
{
	struct outcome outcome = {0};
	struct jinja_template *template = NULL;
	struct arena arena;
	struct jinja_value context;
	struct span output;

	arena_init(&arena, 1 << 22);
	context = fixture_context(&arena);
	outcome.result = jinja_compile(&template, SPAN("phone.cfg"), span_text(source), NULL,
				       &outcome.error);
	if (outcome.result == 0) {
		outcome.result =
			jinja_render(template, &context, options, &arena, &output, &outcome.error);
	}
	if (outcome.result == 0 && span_to_text(output, outcome.output, sizeof(outcome.output))) {
		outcome.result = -EOVERFLOW;
	}
	jinja_template_free(template);
	arena_free(&arena);
	return outcome;
}

static struct outcome render_as(const char *source, enum jinja_format format)
{
	const struct jinja_render_options options = {.format = format};

	return render_with(source, &options);
}

static void check_output(const char *source, enum jinja_format format, const char *expected)
{
	struct outcome outcome = render_as(source, format);

	if (outcome.result != 0) {
		printf("# %s: %s\n", source, outcome.error.message);
	}
	CHECK_EQUAL(0, outcome.result);
	CHECK_TEXT(expected, span_text(outcome.output));
}

static void check_error(const char *source, enum jinja_format format, const char *expected)
{
	struct outcome outcome = render_as(source, format);
	char text[1024];
	struct writer w = writer_over(text, sizeof(text));

	jinja_error_write(&w, &outcome.error);
	CHECK(outcome.result < 0);
	CHECK_TEXT(expected, writer_span(&w));
}

#define PASSWORD "{{ sip_lines.1.password }}"
#define EVIL	 "{{ sip_lines.2.username }}"

static void text_is_not_escaped(void)
{
	check_output("<" PASSWORD ">", JINJA_FORMAT_TEXT, "<p&\"<'>\\>");
	check_output(EVIL, JINJA_FORMAT_TEXT, "evil\nadmin=1");
}

static void xml_is_escaped(void)
{
	check_output("<a b=\"" PASSWORD "\">", JINJA_FORMAT_XML,
		     "<a b=\"p&amp;&#34;&lt;&#39;&gt;\\\">");
	check_output("{{ sip_lines.1.password|safe }}", JINJA_FORMAT_XML, "p&\"<'>\\");
	check_output(EVIL, JINJA_FORMAT_XML, "evil&#10;admin=1");
	check_output("{{ '\\t\\r' }}{{ name }}", JINJA_FORMAT_XML, "&#9;&#13;h\xc3\xa9llo");
	check_error("{{ '\\x01'|safe }}", JINJA_FORMAT_XML,
		    "phone.cfg:1:4: the string has a control character, which XML cannot carry");
	check_error("{{ '\\uffff' }}", JINJA_FORMAT_XML,
		    "phone.cfg:1:4: the string has a control character, which XML cannot carry");
	check_error("{{ name[1:2] }}{{ '\xff' }}", JINJA_FORMAT_XML,
		    "phone.cfg:1:19: the string is not UTF-8, which XML cannot carry");
}

static void json_is_escaped(void)
{
	check_output("{\"p\": \"" PASSWORD "\"}", JINJA_FORMAT_JSON,
		     "{\"p\": \"p\\u0026\\\"\\u003c\\u0027\\u003e\\\\\"}");
	check_output("{{ list }} {{ true }} {{ none }} {{ 1.0 }}", JINJA_FORMAT_JSON,
		     "[3, 1.5] true null 1.0");
	check_output("{{ name|tojson }} {{ 'a\\\\'|e }}", JINJA_FORMAT_JSON,
		     "\"h\\u00e9llo\" a\\\\");
	check_output("{{ '\"'|safe ~ '\"' }}", JINJA_FORMAT_JSON, "\"\\\"");
	check_error("{{ '\xff' }}", JINJA_FORMAT_JSON,
		    "phone.cfg:1:4: the string is not UTF-8, which JSON cannot carry");
}

static void line_refuses_what_breaks_out(void)
{
	static const char *const sources[] = {
		"{{ '\\n' }}",	   "{{ '\\r' }}",     "{{ '\\0' }}",	  "{{ '\\x0b' }}",
		"{{ '\\x0c' }}",   "{{ '\\x1b' }}",   "{{ '\\x7f' }}",	  "{{ '\\x85' }}",
		"{{ '\\u2028' }}", "{{ '\\u2029' }}", "{{ '\\n'|safe }}", "{{ '\\n'|e }}",
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		check_error(sources[i], JINJA_FORMAT_LINE,
			    "phone.cfg:1:4: the string has a line break or control character, "
			    "which would break out of its line");
	}
	check_output("a={{ 'x\\ty\\u2027' }}\nb=" PASSWORD "\n", JINJA_FORMAT_LINE,
		     "a=x\ty\xe2\x80\xa7\nb=p&\"<'>\\");
	/* A list is written with its strings quoted: the break is an escape there. */
	check_output("{{ ['a\\nb'] }}", JINJA_FORMAT_LINE, "['a\\nb']");
}

/* The setting is named, its value is not. */
static void line_names_the_setting(void)
{
	static const char *const sources[] = {
		"\n {{ sip_lines['2'].username }}",
		"\n {{ sip_lines.2.username|upper }}",
		"\n {{ sip_lines.2.username|replace('e', 'x')|lower }}",
		"\n {{ sip_lines.1.password ~ ':' ~ sip_lines.2.username }}",
		"\n {{ sip_lines.2.username ~ sip_lines.1.password }}",
		"\n {{ sip_lines.2.username + '@' + name }}",
		"\n {{ '%s@%s'|format(name, sip_lines.2.username) }}",
		"\n {{ [sip_lines.2.username, name]|join('-') }}",
		"\n {{ sip_lines.2.username[2:] }}",
		"\n {{ sip_lines.2.username|trim|default('x')|safe }}",
		"\n {{ sip_lines.2.username.split('=')[0] }}",
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		check_error(sources[i], JINJA_FORMAT_LINE,
			    "phone.cfg:2:5: sip_lines.2.username: the string has a line break or "
			    "control character, which would break out of its line");
	}
}

static void errors_say_where_and_what(void)
{
	check_error("a\n  {{ sip_lines.3.password }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:2:17: 'sip_lines.3' is undefined");
	check_error("{{ nope }}", JINJA_FORMAT_TEXT, "phone.cfg:1:4: 'nope' is undefined");
	check_error("{{ sip_lines.1['x'] ~ 1 }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:4: 'sip_lines.1.x' is undefined");
	check_error("{{ [1]|first|nope }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:14: there is no filter 'nope'");
	check_error("{% if x %}\n{{ 1 }}\n", JINJA_FORMAT_TEXT,
		    "phone.cfg:2:8: the template ends inside a block, expected elif else endif");
	check_error("{{ 1 + }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:8: expected an expression, found }}");
	check_error("{% for x of y %}", JINJA_FORMAT_TEXT, "phone.cfg:1:10: expected in, found of");
	check_error("{{ 'a'|int(x=1) }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:14: there is no parameter 'x'");
	check_error("{{ list|int + name }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:13: the operator does not take integer and string (use ~ to join "
		    "text)");
	check_error("{{ name|round }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:9: name: expected a number, found a string");
	check_error("{{ 'a\\u001b[31m' is \x1b }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:21: unexpected character '\\x1b'");
}

static void strict_and_lenient(void)
{
	const struct jinja_render_options lenient = {.undefined = JINJA_LENIENT};
	struct outcome outcome = render_with("[{{ nope }}{{ nope|upper }}]", &lenient);

	CHECK_EQUAL(0, outcome.result);
	CHECK_TEXT("[]", span_text(outcome.output));
	CHECK_EQUAL(-EINVAL, render_with("{{ nope + 1 }}", &lenient).result);
	CHECK_EQUAL(-EINVAL, render_with("{{ nope }}", NULL).result);
	CHECK_EQUAL(0, render_with("{{ nope is defined }}{{ nope|default(1) }}", NULL).result);
}

static void writes_mac_and_hex(void)
{
	check_output("{{ mac|mac }} {{ mac|mac('upper') }} {{ mac|mac(':') }} {{ mac|mac('-') }} "
		     "{{ mac|mac('.') }} {{ mac|mac('upper-') }} {{ mac|mac('lower') }}",
		     JINJA_FORMAT_TEXT,
		     "00908faabbcc 00908FAABBCC 00:90:8f:aa:bb:cc 00-90-8f-aa-bb-cc "
		     "0090.8faa.bbcc 00-90-8F-AA-BB-CC 00908faabbcc");
	check_output("{{ 255|hex }} {{ 10|hex(4) }} {{ 'az'|hex }} {{ -1|hex }}", JINJA_FORMAT_TEXT,
		     "ff 000a 617a -1");
	check_error("{{ name|mac }}", JINJA_FORMAT_TEXT,
		    "phone.cfg:1:9: name: the string is no MAC address");
	CHECK_EQUAL(-EINVAL, render_as("{{ mac|mac('::') }}", JINJA_FORMAT_TEXT).result);
	CHECK_EQUAL(-EINVAL, render_as("{{ 1.5|hex }}", JINJA_FORMAT_TEXT).result);
	CHECK_EQUAL(-EINVAL, render_as("{{ 1|hex(999) }}", JINJA_FORMAT_TEXT).result);
}

static void renders_a_whole_file(void)
{
	check_output(fixture_config, JINJA_FORMAT_TEXT,
		     "\n"
		     "voip/line/0/id=1001\nvoip/line/0/auth_password=p&\"<'>\\\na\n\n"
		     "voip/line/1/id=evil\nadmin=1\nvoip/line/1/auth_password=evil\nadmin=1\n# 2\n"
		     "\nmac=00:90:8F:AA:BB:CC 0a-:9 6.25\n"
		     "{{ raw }}{\"a\": [1, null, true]}\n3; 2; 11000.0");
}

/* One compiled template serves any number of renderings, each with what it is given. */
static void renders_again(void)
{
	struct jinja_template *template = NULL;
	struct jinja_error error;
	struct arena arena;
	struct span output;

	REQUIRE(jinja_compile(&template, SPAN("t"),
			      SPAN("{% if a is defined %}{{ a }}{% endif %}{% set a = 7 %}{{ a }}"),
			      NULL, &error) == 0);
	arena_init(&arena, 1 << 20);
	for (int i = 0; i < 3; i++) {
		struct jinja_value context;

		arena_reset(&arena);
		REQUIRE(jinja_dict(&arena, &context) == 0);
		REQUIRE(jinja_dict_set(&arena, &context, SPAN("a"), jinja_int(i)) == 0);
		REQUIRE(jinja_render(template, &context, NULL, &arena, &output, &error) == 0);
		CHECK_EQUAL('0' + i, output.data[0]);
		CHECK_EQUAL('7', output.data[1]);
		REQUIRE(jinja_render(template, NULL, NULL, &arena, &output, &error) == 0);
		CHECK_TEXT("7", output);
	}
	CHECK_TEXT("t", jinja_template_name(template));
	arena_free(&arena);
	jinja_template_free(template);
}

int main(void)
{
	RUN(text_is_not_escaped);
	RUN(xml_is_escaped);
	RUN(json_is_escaped);
	RUN(line_refuses_what_breaks_out);
	RUN(line_names_the_setting);
	RUN(errors_say_where_and_what);
	RUN(strict_and_lenient);
	RUN(writes_mac_and_hex);
	RUN(renders_a_whole_file);
	RUN(renders_again);
	return test_end();
}

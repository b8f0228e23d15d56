/* SPDX-License-Identifier: MIT */
#include "core/phone/config_file.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

static struct arena arena;

static int parse(struct span text, struct phone_config *config, unsigned *line)
{
	arena_reset(&arena);
	return phone_config_parse(text, &arena, config, line);
}

static struct span written(const struct phone_config *config)
{
	static char buffer[4096];
	struct writer w = writer_over(buffer, sizeof(buffer));

	phone_config_write(&w, config);
	return writer_span(&w);
}

static void reads_the_manuals_format(void)
{
	struct phone_config config;
	unsigned line = 0;

	REQUIRE(parse(SPAN("\xef\xbb\xbfsystem/type=440HD\r\n"
			   "; a comment = not a parameter\r\n"
			   "\r\n"
			   "  ; another\n"
			   "voip/line/0/id=100  \t\r\n"
			   "voip/line/1/id=\n"
			   " provisioning/method = STATIC\n"
			   "ems_server/user_password={\"c2VjcmV0\"}\n"
			   "voip/signalling/sip/number_rules=a=b;c\n"
			   "VOIP/line/0/id=200"),
		      &config, &line) == 0);
	CHECK_EQUAL(6, config.count);
	CHECK_TEXT("440HD", phone_config_get(&config, "system/type"));
	CHECK_TEXT("200", phone_config_get(&config, "voip/line/0/id"));
	CHECK_TEXT("", phone_config_get(&config, "voip/line/1/id"));
	CHECK(phone_config_get(&config, "voip/line/1/id").data != NULL);
	CHECK(phone_config_get(&config, "voip/line/2/id").data == NULL);
	CHECK_TEXT("STATIC", phone_config_get(&config, "provisioning/method"));
	CHECK_TEXT("{\"c2VjcmV0\"}", phone_config_get(&config, "ems_server/user_password"));
	CHECK_TEXT("a=b;c", phone_config_get(&config, "voip/signalling/sip/number_rules"));
}

static void names_the_line_that_is_no_parameter(void)
{
	static const struct {
		const char *text;
		int error;
		unsigned line;
	} bad[] = {
		{"<html><body>404</body></html>\n", -EINVAL, 1},
		{"a=1\n\nnothing\n", -EINVAL, 3},
		{"=1\n", -EINVAL, 1},
		{"a b=1\n", -EINVAL, 1},
		{"a=\x01\n", -EINVAL, 1},
		{"a=1\nb=x\ry\n", -EINVAL, 2},
		{"a=1\ninclude http://h/x.cfg\n", -EINVAL, 2},
		{"<a href=\"x\">\n", -EINVAL, 1},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct phone_config config = {.count = 4711};
		unsigned line = 0;

		CHECK_EQUAL(bad[i].error, parse(span_text(bad[i].text), &config, &line));
		CHECK_EQUAL(bad[i].line, line);
		CHECK_EQUAL(4711, config.count);
	}
}

static void refuses_a_nul(void)
{
	struct phone_config config;
	unsigned line = 0;

	CHECK_EQUAL(-EINVAL, parse(SPAN("a=1\nb\0c=2\n"), &config, &line));
	CHECK_EQUAL(2, line);
	CHECK_EQUAL(-EINVAL, parse(SPAN("a=1\0\n"), &config, &line));
	CHECK_EQUAL(1, line);
}

static void is_bounded(void)
{
	static char text[phone_config_bytes_max + 1];
	struct phone_config config;
	unsigned line = 7;
	size_t length = 0;

	memset(text, '\n', sizeof(text));
	CHECK_EQUAL(0, parse(span_make(text, phone_config_bytes_max), &config, &line));
	CHECK_EQUAL(-E2BIG, parse(span_make(text, sizeof(text)), &config, &line));
	CHECK_EQUAL(0, line);

	for (unsigned i = 0; i <= phone_config_parameters_max; i++) {
		length += (size_t)snprintf(text + length, sizeof(text) - length, "p/%u=%u\n", i, i);
	}
	CHECK_EQUAL(-E2BIG, parse(span_make(text, length), &config, &line));
	CHECK_EQUAL(phone_config_parameters_max + 1, line);

	memset(text, 'n', sizeof(text));
	text[phone_config_name_max + 1] = '=';
	CHECK_EQUAL(-E2BIG, parse(span_make(text, phone_config_name_max + 3), &config, &line));
	CHECK_EQUAL(1, line);
	text[1] = '=';
	CHECK_EQUAL(-E2BIG, parse(span_make(text, phone_config_value_max + 3), &config, &line));
	CHECK_EQUAL(0, parse(span_make(text, phone_config_value_max + 2), &config, &line));
}

static void splices_an_include_in_its_place(void)
{
	struct span text = SPAN("a=1\r\ninclude  http://h/ipp/x.cfg \r\na=3\nb=2\n");
	struct phone_include include;
	struct phone_config config;
	char buffer[256];
	struct writer w = writer_over(buffer, sizeof(buffer));
	unsigned line;

	REQUIRE(phone_config_find_include(text, &include) == 0);
	CHECK_TEXT("http://h/ipp/x.cfg", include.url);
	phone_config_splice(&w, text, &include,
			    SPAN("\xef\xbb\xbf"
				 "a=2\nb=1"));
	CHECK_TEXT("a=1\r\na=2\nb=1\n\na=3\nb=2\n", writer_span(&w));
	CHECK_EQUAL(-ENOENT, phone_config_find_include(writer_span(&w), &include));
	REQUIRE(parse(writer_span(&w), &config, &line) == 0);
	CHECK_TEXT("3", phone_config_get(&config, "a"));
	CHECK_TEXT("2", phone_config_get(&config, "b"));
	CHECK_EQUAL(-ENOENT,
		    phone_config_find_include(SPAN("; include x\na=include y\n"), &include));
}

static void merges_and_says_what_changed(void)
{
	struct phone_config current;
	struct phone_config incoming;
	struct phone_config merged;
	struct phone_config_change change;
	unsigned line;

	REQUIRE(parse(SPAN("system/type=440HD\nvoip/line/0/id=1\nsystem/syslog/mode=LOCAL\n"),
		      &current, &line) == 0);
	REQUIRE(phone_config_parse(SPAN("voip/line/0/id=2\nSYSTEM/type=440HD\nx/new=\n"), &arena,
				   &incoming, &line) == 0);
	REQUIRE(phone_config_merge(&current, &incoming, &arena, &merged, &change) == 0);
	CHECK_EQUAL(2, change.changed_count);
	CHECK_EQUAL(PHONE_EFFECT_VOIP, change.effects);
	CHECK_TEXT("voip/line/0/id", change.first_changed);
	CHECK_TEXT("system/type=440HD\nvoip/line/0/id=2\nsystem/syslog/mode=LOCAL\nx/new=\n",
		   written(&merged));

	REQUIRE(phone_config_merge(&merged, &incoming, &arena, &merged, &change) == 0);
	CHECK_EQUAL(0, change.changed_count);
	CHECK_EQUAL(0, change.effects);
}

/* audiocodes.md 4, parameter tables */
static void knows_what_needs_a_reboot(void)
{
	static const struct {
		const char *name;
		enum phone_effect effect;
	} rows[] = {
		{"provisioning/method", PHONE_EFFECT_REBOOT},
		{"provisioning/Configuration/URL", PHONE_EFFECT_REBOOT},
		{"provisioning/configuration/dynamic_url", PHONE_EFFECT_NONE},
		{"provisioning/period/type", PHONE_EFFECT_NONE},
		{"network/lan/vlan/id", PHONE_EFFECT_REBOOT},
		{"network/lan/dhcp/ntp/gmt_offset/enabled", PHONE_EFFECT_NONE},
		{"network/lan/fixed_ip/gateway", PHONE_EFFECT_REBOOT},
		{"security/ca_certificate/0/uri", PHONE_EFFECT_REBOOT},
		{"security/web/https_only", PHONE_EFFECT_NONE},
		{"voip/line/0/enabled", PHONE_EFFECT_REBOOT},
		{"voip/line/12/enabled", PHONE_EFFECT_REBOOT},
		{"voip/line//enabled", PHONE_EFFECT_VOIP},
		{"voip/line/0/id", PHONE_EFFECT_VOIP},
		{"voip/signalling/sip/sip_outbound_proxy/addr", PHONE_EFFECT_VOIP},
		{"system/type", PHONE_EFFECT_REBOOT},
		{"system/type2", PHONE_EFFECT_NONE},
		{"system/ntp/gmt_offset", PHONE_EFFECT_CLOCK},
		{"system/ntp/enabled", PHONE_EFFECT_NONE},
		{"system/ntp/time_display_format", PHONE_EFFECT_INTERFACE},
		{"system/daylight_saving/activate", PHONE_EFFECT_CLOCK},
		{"system/syslog/server_address", PHONE_EFFECT_LOG},
		{"system/password", PHONE_EFFECT_INTERFACE},
		{"ems_server/user_name", PHONE_EFFECT_NONE},
		{"", PHONE_EFFECT_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum phone_effect effect = phone_config_effect(span_text(rows[i].name));

		if (effect != rows[i].effect) {
			test_is_failed = true;
			printf("# %s: %d, expected %d\n", rows[i].name, effect, rows[i].effect);
		}
	}
}

static void parse_prefix(struct span input, void *context)
{
	struct phone_include include;
	struct phone_config config;
	unsigned line;

	(void)context;
	if (phone_config_find_include(input, &include) == 0) {
		char buffer[1024];
		struct writer w = writer_over(buffer, sizeof(buffer));

		phone_config_splice(&w, input, &include, SPAN("x=1"));
	}
	if (parse(input, &config, &line) == 0) {
		written(&config);
	}
}

static void reads_no_octet_too_many(void)
{
	guard_each_prefix(SPAN("\xef\xbb\xbf; c\r\nsystem/type=440HD\r\na=\nvoip/line/1/id=5 \n"),
			  parse_prefix, NULL);
	guard_each_prefix(SPAN("a=1\ninclude http://h/x.cfg\nb=2"), parse_prefix, NULL);
}

int main(void)
{
	arena_init(&arena, 8 << 20);
	RUN(reads_the_manuals_format);
	RUN(names_the_line_that_is_no_parameter);
	RUN(refuses_a_nul);
	RUN(is_bounded);
	RUN(splices_an_include_in_its_place);
	RUN(merges_and_says_what_changed);
	RUN(knows_what_needs_a_reboot);
	RUN(reads_no_octet_too_many);
	arena_free(&arena);
	return test_end();
}

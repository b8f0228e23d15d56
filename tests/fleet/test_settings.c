/* SPDX-License-Identifier: MIT */
#include "core/fleet/setting_names.h"
#include "core/fleet/settings.h"
#include "tests/test.h"

#include <errno.h>

struct row {
	const char *path;
	const char *value;
	const char *kept; /* NULL: refused */
};

static const struct row rows[] = {
	{"sip_proxy_ip", "10.0.0.1", "10.0.0.1"},
	{"sip_proxy_ip", "sip.example.org", "sip.example.org"},
	{"sip_proxy_ip", "2001:DB8::1", "2001:db8::1"},
	{"sip_proxy_ip", "10.0.0.256", NULL},
	{"sip_proxy_ip", "10.0.0", NULL},
	{"sip_proxy_ip", "a b", NULL},
	{"sip_proxy_ip", "-a.example", NULL},
	{"sip_proxy_ip", "", NULL},
	{"sip_proxy_ip", "a..b", NULL},
	{"sip_proxy_ip", "x\r\nvoip/line/0/id=1", NULL},
	{"sip_proxy_port", "5060", "5060"},
	{"sip_proxy_port", "05060", "5060"},
	{"sip_proxy_port", "0", NULL},
	{"sip_proxy_port", "65536", NULL},
	{"sip_proxy_port", "-1", NULL},
	{"sip_proxy_port", "5060 ", NULL},
	{"vlan_id", "4094", "4094"},
	{"vlan_id", "4095", NULL},
	{"vlan_priority", "8", NULL},
	{"ntp_enabled", "yes", "true"},
	{"ntp_enabled", "ON", "true"},
	{"ntp_enabled", "1", "true"},
	{"ntp_enabled", "True", "true"},
	{"ntp_enabled", "no", "false"},
	{"ntp_enabled", "off", "false"},
	{"ntp_enabled", "0", "false"},
	{"ntp_enabled", "FALSE", "false"},
	{"ntp_enabled", "2", NULL},
	{"ntp_enabled", "", NULL},
	{"sip_transport", "TLS", "tls"},
	{"sip_transport", "sctp", NULL},
	{"sip_dtmf_mode", "rtp-in-band", "RTP-in-band"},
	{"provisioning_time", "7:05", "07:05"},
	{"provisioning_time", "23:59", "23:59"},
	{"provisioning_time", "24:00", NULL},
	{"provisioning_time", "12:60", NULL},
	{"provisioning_time", "1200", NULL},
	{"provisioning_time", "1:2", NULL},
	{"timezone", "Europe/Berlin", "Europe/Berlin"},
	{"timezone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"},
	{"timezone", "UTC", "UTC"},
	{"timezone", "Etc/GMT+5", "Etc/GMT+5"},
	{"timezone", "/etc/passwd", NULL},
	{"timezone", "a//b", NULL},
	{"timezone", "../x", NULL},
	{"locale", "de", "de"},
	{"locale", "fr_CA", "fr_CA"},
	{"locale", "fr-CA", NULL},
	{"locale", "german", NULL},
	{"exten_voicemail", "*98", "*98"},
	{"exten_voicemail", "98 1", NULL},
	{"sip_lines.1.username", "alice", "alice"},
	{"sip_lines.64.username", "alice", "alice"},
	{"sip_lines.65.username", "alice", NULL},
	{"sip_lines.0.username", "alice", NULL},
	{"sip_lines.01.username", "alice", NULL},
	{"sip_lines.x.username", "alice", NULL},
	{"sip_lines.1", "alice", NULL},
	{"sip_lines.1.username.x", "alice", NULL},
	{"sip_lines.1.display_name", "Zo\xc3\xab = ; #", "Zo\xc3\xab = ; #"},
	{"sip_lines.1.display_name", "two\nlines", NULL},
	{"sip_lines.1.display_name", "", ""},
	{"funckeys.12.type", "blf", "blf"},
	{"funckeys.1000.label", "Hall", "Hall"},
	{"funckeys.1001.label", "Hall", NULL},
	{"x.anything.of.mine", "1 = 2", "1 = 2"},
	{"x.tab", "a\tb", "a\tb"},
	{"x.line", "a\nb", NULL},
	{"x.", "a", NULL},
	{".x", "a", NULL},
	{"x..a", "a", NULL},
	{"x.a b", "a", NULL},
	{"", "a", NULL},
};

static void values_have_one_spelling_or_are_refused(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct settings settings = {0};
		char problem[256] = "";
		int error = settings_set(&settings, span_text(rows[i].path),
					 span_text(rows[i].value), problem, sizeof(problem));

		CHECK_EQUAL(rows[i].kept ? 0 : -EINVAL, error);
		CHECK_SPAN(span_text(rows[i].kept),
			   span_text(settings_get(&settings, span_text(rows[i].path))));
		CHECK(rows[i].kept ? !problem[0] : problem[0] != '\0');
		CHECK(settings.count == (rows[i].kept != NULL));
		if (test_is_failed) {
			printf("# row %zu: %s\n", i, rows[i].path);
		}
		settings_free(&settings);
	}
}

static const char *problem_of(const char *path, const char *value)
{
	static char problem[512];
	struct settings settings = {0};

	problem[0] = '\0';
	CHECK_EQUAL(-EINVAL, settings_set(&settings, span_text(path), span_text(value), problem,
					  sizeof(problem)));
	return problem;
}

static void a_misspelt_name_is_answered_with_the_nearest(void)
{
	CHECK_TEXT("sip_porxy_ip: no such setting, did you mean sip_proxy_ip?",
		   span_text(problem_of("sip_porxy_ip", "1")));
	CHECK_TEXT("sip_lines.3.usrname: no such setting, did you mean sip_lines.3.username?",
		   span_text(problem_of("sip_lines.3.usrname", "1")));
	CHECK_TEXT("sip_lines.99.username: no such setting, did you mean sip_lines.1.username?",
		   span_text(problem_of("sip_lines.99.username", "1")));
	CHECK_TEXT("volume_of_the_speaker_in_the_hall: no such setting; names of your own stand "
		   "below x.",
		   span_text(problem_of("volume_of_the_speaker_in_the_hall", "1")));
}

static void a_problem_says_what_is_legal(void)
{
	CHECK_TEXT("vlan_id: \"4095\" is not a number from 0 to 4094",
		   span_text(problem_of("vlan_id", "4095")));
	CHECK_TEXT("sip_transport: \"sctp\" is not one of udp|tcp|tls",
		   span_text(problem_of("sip_transport", "sctp")));
	CHECK(strstr(problem_of("sip_proxy_ip", "a\r\nb"), "\\r\\n") != NULL);
}

static void a_problem_never_shows_a_secret(void)
{
	CHECK(strstr(problem_of("admin_password", "hunter2\n"), "hunter2") == NULL);
	CHECK(strstr(problem_of("sip_lines.1.password", "hunter2\n"), "hunter2") == NULL);
}

static void a_small_buffer_for_the_problem_is_enough(void)
{
	struct settings settings = {0};
	char one[1] = {'x'};

	CHECK_EQUAL(-EINVAL, settings_set(&settings, SPAN("nonsense"), SPAN("1"), one, 1));
	CHECK_EQUAL(0, one[0]);
	CHECK_EQUAL(-EINVAL, settings_set(&settings, SPAN("nonsense"), SPAN("1"), NULL, 0));
}

static void secrets_are_known_by_name(void)
{
	CHECK(setting_is_secret(SPAN("admin_password")));
	CHECK(setting_is_secret(SPAN("sip_lines.6.password")));
	CHECK(setting_is_secret(SPAN("x.door.pin")));
	CHECK(setting_is_secret(SPAN("x.Secret_word")));
	CHECK(!setting_is_secret(SPAN("sip_lines.6.username")));
	CHECK(!setting_is_secret(SPAN("x.colour")));
}

static void the_list_is_sorted_and_bounded(void)
{
	struct settings settings = {0};
	struct settings copy = {0};
	char path[32];
	char problem[128];

	for (int i = settings_count_max; i > 0; i--) {
		snprintf(path, sizeof(path), "x.%d", i);
		CHECK_EQUAL(0, settings_set(&settings, span_text(path), SPAN("v"), problem,
					    sizeof(problem)));
	}
	for (size_t i = 1; i < settings.count; i++) {
		CHECK(strcmp(settings.items[i - 1].path, settings.items[i].path) < 0);
	}
	CHECK_EQUAL(-ENOSPC,
		    settings_set(&settings, SPAN("x.more"), SPAN("v"), problem, sizeof(problem)));
	CHECK_EQUAL(0, settings_set(&settings, SPAN("x.7"), SPAN("w"), problem, sizeof(problem)));
	CHECK_EQUAL(0, settings_copy(&copy, &settings));
	CHECK(settings_equal(&copy, &settings));
	CHECK_EQUAL(0, settings_unset(&copy, SPAN("x.7")));
	CHECK_EQUAL(-ENOENT, settings_unset(&copy, SPAN("x.7")));
	CHECK(!settings_equal(&copy, &settings));
	CHECK(settings_get(&copy, SPAN("x.7")) == NULL);
	settings_free(&copy);
	settings_free(&settings);
}

static void what_lies_over_wins(void)
{
	struct settings below = {0};
	struct settings over = {0};

	settings_put(&below, SPAN("a"), SPAN("1"));
	settings_put(&below, SPAN("c"), SPAN("1"));
	settings_put(&over, SPAN("b"), SPAN("2"));
	settings_put(&over, SPAN("c"), SPAN("2"));
	settings_put(&over, SPAN("d"), SPAN("2"));
	CHECK_EQUAL(0, settings_merge(&below, &over));
	CHECK_EQUAL(4, below.count);
	CHECK_TEXT("1", span_text(settings_get(&below, SPAN("a"))));
	CHECK_TEXT("2", span_text(settings_get(&below, SPAN("b"))));
	CHECK_TEXT("2", span_text(settings_get(&below, SPAN("c"))));
	CHECK_TEXT("2", span_text(settings_get(&below, SPAN("d"))));
	settings_free(&below);
	settings_free(&over);
}

static void the_table_of_names_is_sound(void)
{
	const struct setting_name *name;

	for (size_t i = 0; (name = setting_name_at(i)); i++) {
		char buffer[512];
		struct writer w = writer_over(buffer, sizeof(buffer));
		struct writer legal = writer_over(buffer + 256, 256);

		CHECK(name->description && name->description[0]);
		setting_name_write_legal(name, &legal);
		CHECK(legal.length > 0 && !legal.failed);
		for (size_t j = 0; j < i; j++) {
			CHECK(strcmp(setting_name_at(j)->path, name->path) != 0);
		}
		if (name->default_value) {
			CHECK(strchr(name->path, '#') == NULL);
			CHECK_EQUAL(0, setting_value_normalise(name, span_text(name->default_value),
							       &w));
			CHECK_TEXT(name->default_value, writer_span(&w));
		}
		CHECK((name->choices != NULL) == (name->type == SETTING_CHOICE));
	}
}

static void write_default(struct writer *w, const struct setting_name *name)
{
	if (name->default_value) {
		writer_char(w, '`');
		writer_text(w, name->default_value);
		writer_char(w, '`');
	}
}

static void write_page(struct writer *w)
{
	const struct setting_name *name;

	writer_text(w, "# Settings\n\n"
		       "Printed from `core/fleet/setting_names.c`; `#` stands for a number from 1 "
		       "on. Names below `x.` are\nyour own, for templates of your own.\n\n"
		       "| setting | value | built in | what it is |\n|---|---|---|---|\n");
	for (size_t i = 0; (name = setting_name_at(i)); i++) {
		char legal[256];
		struct writer l = writer_over(legal, sizeof(legal));
		struct span rest;

		setting_name_write_legal(name, &l);
		rest = writer_span(&l);
		writer_text(w, "| `");
		writer_text(w, name->path);
		writer_text(w, "` | ");
		while (rest.data) {
			writer_put(w, span_cut(&rest, '|'));
			writer_text(w, rest.data ? ", " : "");
		}
		writer_text(w, name->is_secret ? " (secret) | " : " | ");
		write_default(w, name);
		writer_text(w, " | ");
		writer_text(w, name->description);
		writer_text(w, " |\n");
	}
}

/* With BELLHOP_WRITE=1 in the environment the page is written anew instead. */
static void the_page_of_settings_is_up_to_date(void)
{
	const char *root = getenv("BELLHOP_SOURCE");
	bool is_written_anew = getenv("BELLHOP_WRITE") != NULL;
	static char page[32768];
	static char found[32768];
	struct writer w = writer_over(page, sizeof(page));
	char path[900];
	size_t length;
	FILE *file;

	write_page(&w);
	CHECK(!w.failed);
	snprintf(path, sizeof(path), "%s/doc/settings.md", root ? root : ".");
	file = fopen(path, is_written_anew ? "wb" : "rb");
	REQUIRE(file != NULL);
	length = is_written_anew ? fwrite(page, 1, w.length, file)
				 : fread(found, 1, sizeof(found), file);
	fclose(file);
	CHECK_SPAN(writer_span(&w), span_make(is_written_anew ? page : found, length));
}

int main(void)
{
	RUN(values_have_one_spelling_or_are_refused);
	RUN(a_misspelt_name_is_answered_with_the_nearest);
	RUN(a_problem_says_what_is_legal);
	RUN(a_problem_never_shows_a_secret);
	RUN(a_small_buffer_for_the_problem_is_enough);
	RUN(secrets_are_known_by_name);
	RUN(the_list_is_sorted_and_bounded);
	RUN(what_lies_over_wins);
	RUN(the_table_of_names_is_sound);
	RUN(the_page_of_settings_is_up_to_date);
	return test_end();
}

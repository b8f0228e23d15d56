/* SPDX-License-Identifier: MIT */
#include "core/base/ini.h"

#include "tests/guard.h"
#include "tests/test.h"

static struct arena arena;
static struct ini ini;

static void read_text(struct span text)
{
	arena_free(&arena);
	arena_init(&arena, 16 << 20);
	CHECK_EQUAL(0, ini_parse(&ini, &arena, text));
}

static void check_entry(size_t i, unsigned line, const char *section, const char *key,
			const char *value)
{
	REQUIRE(i < ini.entry_count);
	CHECK_EQUAL(line, ini.entries[i].line);
	CHECK_TEXT(section, ini.entries[i].section);
	CHECK_TEXT(key, ini.entries[i].key);
	CHECK_TEXT(value, ini.entries[i].value);
}

static void reads_sections_values_and_comments(void)
{
	read_text(SPAN("\xef\xbb\xbfroot = 1\r\n; c\n# c\n\n[sip] ; c\n a.b-c_1 = x y  ; "
		       "c\nq=\"a;b\\\"\\\\ \" # c\n"
		       "e =\nu=a;b#c\nn = # all comment"));
	CHECK_EQUAL(0, ini.mistake_count);
	CHECK_EQUAL(6, ini.entry_count);
	check_entry(0, 1, "", "root", "1");
	check_entry(1, 6, "sip", "a.b-c_1", "x y");
	check_entry(2, 7, "sip", "q", "a;b\"\\ ");
	check_entry(3, 8, "sip", "e", "");
	check_entry(4, 9, "sip", "u", "a;b#c");
	check_entry(5, 10, "sip", "n", "");
}

static void tells_every_mistake_with_its_line(void)
{
	static const char *const expected[] = {
		"a section is written [name]; the ] is missing: \"[open\"",
		"\"a b\" is no section name: use letters, digits, _ - .",
		"text after the section: \"x\"",
		"neither [section] nor key = value: \"word\"",
		"\"k y\" is no key: use letters, digits, _ - .",
		"the quote is not closed: \\\"open",
		"text after the closing quote: \"x\"",
		"a NUL octet in \"a\\x00=1\"",
	};

	read_text(
		SPAN("[open\n[a b]\n[s] x\nword\nk y = 1\nk = \"open\nk = \"a\" x\na\0=1\nok = 1"));
	CHECK_EQUAL(8, ini.mistake_count);
	for (unsigned i = 0; i < 8 && i < ini.mistake_count; i++) {
		CHECK_EQUAL(i + 1, ini.mistakes[i].line);
		CHECK_TEXT(expected[i], ini.mistakes[i].text);
	}
	CHECK_EQUAL(1, ini.entry_count);
}

/* The reader of Debian's libinih cuts a line at 199 bytes; ours does not. */
static void reads_long_lines_whole(void)
{
	static char text[100003];

	memset(text, 'v', sizeof(text));
	memcpy(text, "k=", 2);
	read_text(span_make(text, sizeof(text)));
	REQUIRE(ini.entry_count == 1);
	CHECK_EQUAL(sizeof(text) - 2, ini.entries[0].value.length);
}

static void keeps_mistakes_in_order_and_bounded(void)
{
	static char text[4 * ini_mistakes_max];

	for (size_t i = 0; i < sizeof(text); i += 2) {
		memcpy(text + i, "x\n", 2);
	}
	read_text(span_make(text, sizeof(text)));
	CHECK_EQUAL(ini_mistakes_max, ini.mistake_count);
	CHECK(ini.mistakes_dropped >= ini_mistakes_max);
	read_text(SPAN("\n\nx\n"));
	ini_add_mistake(&ini, 1, SPAN("first"));
	ini_add_mistake(&ini, 9, SPAN("last"));
	CHECK_TEXT("first", ini.mistakes[0].text);
	CHECK_EQUAL(3, ini.mistakes[1].line);
	CHECK_TEXT("last", ini.mistakes[2].text);
}

static void bounds_the_number_of_entries(void)
{
	static char text[4 * (ini_entries_max + 5)];

	for (size_t i = 0; i < sizeof(text); i += 4) {
		memcpy(text + i, "a=1\n", 4);
	}
	read_text(span_make(text, sizeof(text)));
	CHECK_EQUAL(ini_entries_max, ini.entry_count);
	CHECK_EQUAL(1, ini.mistake_count);
}

static void parse_prefix(struct span input, void *context)
{
	struct arena local;
	struct ini result;

	(void)context;
	arena_init(&local, 1 << 20);
	CHECK_EQUAL(0, ini_parse(&result, &local, input));
	arena_free(&local);
}

static void survives_every_prefix(void)
{
	guard_each_prefix(SPAN("[s] ; c\nk = \"a\\\"b\\\\\" ; c\nx\n[y\n=\n\"=\"\n"), parse_prefix,
			  NULL);
}

int main(void)
{
	RUN(reads_sections_values_and_comments);
	RUN(tells_every_mistake_with_its_line);
	RUN(reads_long_lines_whole);
	RUN(keeps_mistakes_in_order_and_bounded);
	RUN(bounds_the_number_of_entries);
	RUN(survives_every_prefix);
	arena_free(&arena);
	return test_end();
}

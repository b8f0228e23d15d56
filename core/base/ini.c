/* SPDX-License-Identifier: MIT */
#include "core/base/ini.h"

#include "core/base/writer.h"

#include <errno.h>

struct reader {
	struct ini *ini;
	struct span section;
	unsigned line;
};

void ini_add_mistake(struct ini *ini, unsigned line, struct span text)
{
	struct span copy;
	size_t at;

	if (ini->mistake_count >= ini_mistakes_max) {
		ini->mistakes_dropped++;
		return;
	}
	copy = arena_copy(ini->arena, text);
	if (!copy.data) {
		ini->mistakes_dropped++;
		return;
	}
	at = ini->mistake_count++;
	while (at > 0 && ini->mistakes[at - 1].line > line) {
		ini->mistakes[at] = ini->mistakes[at - 1];
		at--;
	}
	ini->mistakes[at] = (struct ini_mistake){.line = line, .text = copy};
}

static void mistake(struct reader *r, const char *before, struct span quoted, const char *after)
{
	char text[256];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, before);
	writer_escaped(&w, quoted, 60);
	writer_text(&w, after);
	ini_add_mistake(r->ini, r->line, writer_span(&w));
}

static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		if (!ascii_is_alnum(c) && c != '_' && c != '-' && c != '.') {
			return false;
		}
	}
	return s.length > 0;
}

static bool is_comment_sign(char c)
{
	return c == ';' || c == '#';
}

/* Cuts a comment off an unquoted value: a sign after a blank. */
static struct span without_comment(struct span value)
{
	for (size_t i = 0; i < value.length; i++) {
		if (is_comment_sign(value.data[i]) &&
		    (i == 0 || value.data[i - 1] == ' ' || value.data[i - 1] == '\t')) {
			return span_trim(span_slice(value, 0, i));
		}
	}
	return value;
}

/* "…" with \" and \\; what follows the closing quote may only be a comment. */
static int unquote(struct reader *r, struct span value, struct span *result)
{
	struct span copy = arena_copy(r->ini->arena, value);
	struct writer w;

	if (!copy.data) {
		return -ENOMEM;
	}
	/* The copy is ours and never shorter than what comes out of it. */
	w = writer_over(arena_allocate(r->ini->arena, value.length + 1), value.length + 1);
	if (!w.data) {
		return -ENOMEM;
	}
	for (size_t i = 1; i < value.length; i++) {
		char c = copy.data[i];

		if (c == '"') {
			struct span behind = span_trim(span_slice(copy, i + 1, copy.length));

			if (behind.length > 0 && !is_comment_sign(behind.data[0])) {
				mistake(r, "text after the closing quote: \"", behind, "\"");
				return -EINVAL;
			}
			*result = writer_span(&w);
			return 0;
		}
		if (c == '\\' && i + 1 < value.length &&
		    (copy.data[i + 1] == '"' || copy.data[i + 1] == '\\')) {
			c = copy.data[++i];
		}
		writer_char(&w, c);
	}
	mistake(r, "the quote is not closed: ", value, "");
	return -EINVAL;
}

static void read_section(struct reader *r, struct span line)
{
	size_t close = span_find(line, ']');
	struct span name = span_trim(span_slice(line, 1, close));
	struct span behind = span_trim(span_slice(line, close + 1, line.length));

	if (close == line.length) {
		mistake(r, "a section is written [name]; the ] is missing: \"", line, "\"");
		return;
	}
	if (!is_name(name)) {
		mistake(r, "\"", name, "\" is no section name: use letters, digits, _ - .");
		return;
	}
	if (behind.length > 0 && !is_comment_sign(behind.data[0])) {
		mistake(r, "text after the section: \"", behind, "\"");
		return;
	}
	r->section = name;
}

static int read_entry(struct reader *r, struct span line)
{
	size_t equals = span_find(line, '=');
	struct span key = span_trim(span_slice(line, 0, equals));
	struct span value = span_trim(span_slice(line, equals + 1, line.length));
	struct ini *ini = r->ini;
	int error;

	if (equals == line.length) {
		mistake(r, "neither [section] nor key = value: \"", line, "\"");
		return 0;
	}
	if (!is_name(key)) {
		mistake(r, "\"", key, "\" is no key: use letters, digits, _ - .");
		return 0;
	}
	if (value.length > 0 && value.data[0] == '"') {
		error = unquote(r, value, &value);
		if (error != 0) {
			return error == -EINVAL ? 0 : error;
		}
	} else {
		value = without_comment(value);
	}
	if (ini->entry_count == ini_entries_max) {
		mistake(r, "too many entries from here on; \"", key, "\" is not read");
		return -E2BIG;
	}
	ini->entries[ini->entry_count++] = (struct ini_entry){.section = r->section,
							      .key = key,
							      .value = value,
							      .line = r->line};
	return 0;
}

static size_t count_lines(struct span text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.length; i++) {
		count += text.data[i] == '\n';
	}
	return count;
}

int ini_parse(struct ini *ini, struct arena *arena, struct span text)
{
	struct reader r = {.ini = ini};
	struct span rest = text;
	size_t line_count = count_lines(text);

	*ini = (struct ini){.arena = arena};
	ini->entries =
		arena_array(arena, line_count < ini_entries_max ? line_count : ini_entries_max,
			    sizeof(*ini->entries));
	ini->mistakes = arena_array(arena, ini_mistakes_max, sizeof(*ini->mistakes));
	if (!ini->entries || !ini->mistakes) {
		return -ENOMEM;
	}
	if (span_starts_with(rest, SPAN("\xef\xbb\xbf"))) {
		rest = span_slice(rest, 3, rest.length);
	}
	while (rest.data) {
		struct span line = span_trim(span_cut(&rest, '\n'));
		int error = 0;

		r.line++;
		if (line.length == 0 || is_comment_sign(line.data[0])) {
			continue;
		}
		if (span_find(line, '\0') < line.length) {
			mistake(&r, "a NUL octet in \"", line, "\"");
		} else if (line.data[0] == '[') {
			read_section(&r, line);
		} else {
			error = read_entry(&r, line);
		}
		if (error == -ENOMEM) {
			return error;
		}
		if (error == -E2BIG) {
			break;
		}
	}
	return 0;
}

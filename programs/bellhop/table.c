/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/table.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* --- Characters. --- */

/*
 * The length of the character at `text` and the columns it takes; -1: it is not to be shown. What
 * comes from the server is UTF-8, whatever the locale of the user.
 */
static size_t next_character(const char *text, int *columns)
{
	static locale_t utf8;
	locale_t before;
	wchar_t wide = 0;
	mbstate_t state = {0};
	size_t length;

	if (!utf8) {
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	}
	before = utf8 ? uselocale(utf8) : NULL;
	length = mbrtowc(&wide, text, strlen(text), &state);
	*columns = length <= 4 && wide != 0x2028 && wide != 0x2029 ? wcwidth(wide) : -1;
	if (utf8) {
		uselocale(before);
	}
	return length >= 1 && length <= 4 ? length : 1;
}

static size_t width_of(const char *text)
{
	size_t width = 0;
	int columns;

	while (*text) {
		text += next_character(text, &columns);
		width += columns >= 0 ? (size_t)columns : 1;
	}
	return width;
}

/* At most `room` columns: what does not fit ends in "…". */
static size_t put_within(FILE *file, const char *text, size_t room)
{
	bool is_cut = room != SIZE_MAX && width_of(text) > room;
	size_t limit = is_cut && room > 0 ? room - 1 : room;
	size_t width = 0;

	while (*text) {
		int columns;
		size_t length = next_character(text, &columns);
		size_t wanted = columns >= 0 ? (size_t)columns : 1;

		if (width + wanted > limit) {
			break;
		}
		if (columns >= 0) {
			fwrite(text, 1, length, file);
		} else {
			fputc('?', file);
		}
		text += length;
		width += wanted;
	}
	if (is_cut && room > 0) {
		fputs("\xe2\x80\xa6", file);
		width++;
	}
	return width;
}

size_t table_put_to(FILE *file, const char *text)
{
	return put_within(file, text, SIZE_MAX);
}

size_t table_put(const char *text)
{
	return table_put_to(stdout, text);
}

size_t table_terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
	    size.ws_col == 0) {
		return SIZE_MAX;
	}
	return size.ws_col;
}

/* --- Values. --- */

const char *table_text(const json_t *value, char number[static table_number_size])
{
	if (json_is_string(value)) {
		return json_string_value(value);
	}
	if (json_is_integer(value)) {
		snprintf(number, table_number_size, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		return number;
	}
	if (json_is_boolean(value)) {
		return json_is_true(value) ? "yes" : "no";
	}
	return "";
}

/* RFC 3339 in UTC, as the server writes it, against this machine's clock. */
static const char *age_text(const char *when, char out[static table_number_size])
{
	struct tm parts = {0};
	long long s;

	if (!strptime(when, "%Y-%m-%dT%H:%M:%S", &parts)) {
		return when;
	}
	s = (long long)(time(NULL) - timegm(&parts));
	if (s < 1) {
		return "now";
	}
	if (s < 60) {
		snprintf(out, table_number_size, "%lld s ago", s);
	} else if (s < 3600) {
		snprintf(out, table_number_size, "%lld min ago", s / 60);
	} else if (s < 86400) {
		snprintf(out, table_number_size, "%lld h ago", s / 3600);
	} else {
		snprintf(out, table_number_size, "%lld d ago", s / 86400);
	}
	return out;
}

static const char *cell(const struct column *column, const json_t *row,
			char out[static table_number_size])
{
	const char *text = table_text(json_object_get(row, column->member), out);

	return column->form == COLUMN_AGE && *text ? age_text(text, out) : text;
}

/* --- Rows. --- */

static void put_spaces(size_t count)
{
	while (count-- > 0) {
		putchar(' ');
	}
}

/* One line of the table: of its titles when `row` is NULL. */
static void put_row(const struct table *table, const json_t *row, size_t terminal)
{
	size_t at = 0;	    /* the column of the terminal that is reached */
	size_t pending = 0; /* blanks before the next cell: none stands at the end of a line */

	for (size_t c = 0; c < table->count; c++) {
		char number[table_number_size];
		const char *text =
			row ? cell(&table->columns[c], row, number) : table->columns[c].title;
		size_t used = 0;

		if (table->is_hidden[c]) {
			continue;
		}
		if (*text) {
			if (terminal != SIZE_MAX && at + pending >= terminal) {
				break;
			}
			put_spaces(pending);
			at += pending;
			pending = 0;
			used = put_within(stdout, text,
					  terminal == SIZE_MAX ? SIZE_MAX : terminal - at);
			at += used;
		}
		pending += (table->widths[c] > used ? table->widths[c] - used : 0) + 2;
	}
	putchar('\n');
}

static size_t whole_width(const struct table *table)
{
	size_t width = 0;

	for (size_t c = 0; c < table->count; c++) {
		width += table->is_hidden[c] ? 0 : table->widths[c] + 2;
	}
	return width;
}

/* Columns that can be spared go, one after the other, until the rest fits. */
static void hide_columns(struct table *table, size_t terminal)
{
	for (;;) {
		size_t found = table->count;

		if (terminal == SIZE_MAX || whole_width(table) <= terminal + 2) {
			return;
		}
		for (size_t c = 0; c < table->count; c++) {
			if (!table->is_hidden[c] && table->columns[c].spare > 0 &&
			    (found == table->count ||
			     table->columns[c].spare > table->columns[found].spare)) {
				found = c;
			}
		}
		if (found == table->count) {
			return;
		}
		table->is_hidden[found] = true;
	}
}

static void widen(struct table *table, const json_t *list)
{
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < table->count; c++) {
		char number[table_number_size];
		size_t width = width_of(table->columns[c].title);

		table->widths[c] = width > table->widths[c] ? width : table->widths[c];
		json_array_foreach(list, i, row)
		{
			width = width_of(cell(&table->columns[c], row, number));
			table->widths[c] = width > table->widths[c] ? width : table->widths[c];
		}
	}
}

void table_append(struct table *table, const json_t *list)
{
	size_t terminal = table_terminal_width();
	const json_t *row;
	size_t i;

	if (json_array_size(list) == 0) {
		return;
	}
	widen(table, list);
	if (!table->has_titles) {
		hide_columns(table, terminal);
		put_row(table, NULL, terminal);
		table->has_titles = true;
	}
	json_array_foreach(list, i, row)
	{
		put_row(table, row, terminal);
	}
}

void table_print(const struct column *columns, size_t column_count, const json_t *list)
{
	struct table table = {.columns = columns, .count = column_count};

	table_append(&table, list);
}

void table_print_object(const struct column *rows, size_t row_count, const json_t *object)
{
	size_t width = 0;
	char number[table_number_size];

	for (size_t i = 0; i < row_count; i++) {
		size_t title = width_of(rows[i].title);

		width = title > width ? title : width;
	}
	for (size_t i = 0; i < row_count; i++) {
		const char *text = cell(&rows[i], object, number);

		if (*text) {
			put_spaces(width + 2 - table_put(rows[i].title));
			(void)table_put(text);
			putchar('\n');
		}
	}
}

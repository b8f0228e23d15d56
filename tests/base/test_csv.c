/* SPDX-License-Identifier: MIT */
#include "core/base/csv.h"

#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

/* Rows as "LINE:[a][b]", mistakes as "LINE!errno". */
static const char *read_all(struct span text)
{
	static char all[2048];
	struct csv csv = csv_over(text);
	struct arena arena;
	struct csv_row row;
	size_t length = 0;
	int result;

	arena_init(&arena, 1 << 20);
	all[0] = '\0';
	while ((result = csv_next(&csv, &arena, &row)) != 0 && length < sizeof(all) - 200) {
		length += (size_t)snprintf(all + length, sizeof(all) - length, "%u", row.line);
		if (result < 0) {
			length += (size_t)snprintf(all + length, sizeof(all) - length, "!%d ",
						   -result);
			continue;
		}
		all[length++] = ':';
		for (size_t i = 0; i < row.count; i++) {
			length += (size_t)snprintf(all + length, sizeof(all) - length, "[%.*s]",
						   (int)row.fields[i].length,
						   row.fields[i].data ? row.fields[i].data : "");
		}
		length += (size_t)snprintf(all + length, sizeof(all) - length, " ");
	}
	arena_free(&arena);
	return all;
}

static void rows_and_fields(void)
{
	CHECK_TEXT("", span_text(read_all(SPAN(""))));
	CHECK_TEXT("", span_text(read_all(SPAN("\n\r\n,,\n"))));
	CHECK_TEXT("1:[a][b] 2:[c][d] ", span_text(read_all(SPAN("a,b\r\nc,d"))));
	CHECK_TEXT("1:[a][b] 3:[c][] ", span_text(read_all(SPAN("a, b\t\n\n c ,\n"))));
	CHECK_TEXT("1:[a][b] ", span_text(read_all(SPAN("\xef\xbb\xbf"
							"a,b\n"))));
}

static void quotes(void)
{
	CHECK_TEXT("1:[a,b][c\"d][] ", span_text(read_all(SPAN("\"a,b\",\"c\"\"d\",\"\"\n"))));
	CHECK_TEXT("1:[ a\nb ][x] 3:[y] ", span_text(read_all(SPAN("\" a\nb \",x\ny\n"))));
	CHECK_TEXT("1:[\"\"] ", span_text(read_all(SPAN("\"\"\"\"\"\""))));
	/* A quote inside a field that does not begin with one is a letter. */
	CHECK_TEXT("1:[a\"b\"] ", span_text(read_all(SPAN("a\"b\"\n"))));
}

static void semicolons(void)
{
	CHECK_TEXT("1:[a][b,c] ", span_text(read_all(SPAN("a;\"b,c\"\n"))));
	CHECK_TEXT("1:[a][b] 2:[c,d][e] ", span_text(read_all(SPAN("a;b\nc,d;e\n"))));
	CHECK_TEXT("1:[a;b][c] ", span_text(read_all(SPAN("a;b,c\n"))));
	CHECK_TEXT("1:[a] ", span_text(read_all(SPAN("a"))));
}

/* Each is told with its line, and the rows behind it are read. */
static void mistakes(void)
{
	char many[2 * csv_fields_max + 2];
	char expected[64];

	snprintf(expected, sizeof(expected), "1:[a] 2!%d ", EINVAL);
	CHECK_TEXT(expected, span_text(read_all(SPAN("a\n\"b"))));
	snprintf(expected, sizeof(expected), "1!%d 2:[c] ", EINVAL);
	CHECK_TEXT(expected, span_text(read_all(SPAN("\"a\"b,x\nc\n"))));
	snprintf(expected, sizeof(expected), "1:[a] 2!%d 4:[c] ", EINVAL);
	CHECK_TEXT(expected, span_text(read_all(SPAN("a\n\"x\ny\"z\nc\n"))));
	memset(many, ',', sizeof(many));
	many[sizeof(many) - 1] = '\n';
	snprintf(expected, sizeof(expected), "1!%d ", E2BIG);
	CHECK_TEXT(expected, span_text(read_all(span_make(many, sizeof(many)))));
}

static void read_prefix(struct span text, void *context)
{
	(void)context;
	(void)read_all(text);
}

static void csv_at_the_edge_of_memory(void)
{
	guard_each_prefix(SPAN("\xef\xbb\xbf"
			       "mac;label\r\n\"00908f\"\"1\";\"a\r\nb\"\r\n;x\n\"\"\n"),
			  read_prefix, NULL);
}

int main(void)
{
	RUN(rows_and_fields);
	RUN(quotes);
	RUN(semicolons);
	RUN(mistakes);
	RUN(csv_at_the_edge_of_memory);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/http/target.h"
#include "tests/test.h"

#include <errno.h>

static void check_decoded(int result, const char *decoded, struct span text)
{
	char room[64];
	struct writer w = writer_over(room, sizeof(room));

	CHECK_EQUAL(result, http_percent_decode(text, &w));
	if (result == 0) {
		CHECK_TEXT(decoded, writer_span(&w));
	}
}

static void r_http_31_decodes_once(void)
{
	check_decoded(0, "/a b/;<MAC>.cfg", SPAN("/a%20b/%3b%3CMAC>.cfg"));
	check_decoded(0, "/%2e%2e/", SPAN("/%252e%252e/"));
	check_decoded(0, "/../x", SPAN("/%2e%2E%2fx"));
	check_decoded(0, "+", SPAN("+"));
	check_decoded(-EINVAL, NULL, SPAN("/a%00b"));
	check_decoded(-EINVAL, NULL, SPAN("%"));
	check_decoded(-EINVAL, NULL, SPAN("%4"));
	check_decoded(-EINVAL, NULL, SPAN("%4g"));
}

static void finds_query_values(void)
{
	char room[64];
	struct writer w = writer_over(room, sizeof(room));

	CHECK_EQUAL(0, http_query_value(SPAN("a=1&follow=x+y%21&b"), SPAN("follow"), &w));
	CHECK_TEXT("x y!", writer_span(&w));
	w = writer_over(room, sizeof(room));
	CHECK_EQUAL(0, http_query_value(SPAN("a=1&b"), SPAN("b"), &w));
	CHECK_TEXT("", writer_span(&w));
	CHECK_EQUAL(-ENOENT, http_query_value(SPAN("a=1"), SPAN("b"), &w));
	CHECK_EQUAL(-ENOENT, http_query_value(SPAN(""), SPAN("b"), &w));
	w = writer_over(room, 2);
	CHECK_EQUAL(-ENOSPC, http_query_value(SPAN("a=123"), SPAN("a"), &w));
}

int main(void)
{
	RUN(r_http_31_decodes_once);
	RUN(finds_query_values);
	return test_end();
}

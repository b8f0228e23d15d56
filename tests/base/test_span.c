/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

static void compares(void)
{
	CHECK(span_equal(SPAN("a"), SPAN("a")));
	CHECK(!span_equal(SPAN("a"), SPAN("A")));
	CHECK(!span_equal(SPAN("a"), SPAN("ab")));
	CHECK(span_equal((struct span){0}, SPAN("")));
	CHECK(span_equal_nocase(SPAN("Call-ID"), SPAN("cAlL-id")));
	CHECK(!span_equal_nocase(SPAN("@"), SPAN("`")));
	CHECK(span_compare(SPAN("a"), SPAN("b")) < 0);
	CHECK(span_compare(SPAN("ab"), SPAN("a")) > 0);
	CHECK_EQUAL(0, span_compare(SPAN(""), (struct span){0}));
	CHECK(span_compare(SPAN("\xff"), SPAN("a")) > 0);
}

static void finds_starts_and_ends(void)
{
	CHECK(span_starts_with(SPAN("abc"), SPAN("ab")));
	CHECK(!span_starts_with(SPAN("a"), SPAN("ab")));
	CHECK(span_starts_with_nocase(SPAN("SIP/2.0"), SPAN("sip/")));
	CHECK(span_ends_with(SPAN("a.cfg"), SPAN(".cfg")));
	CHECK(!span_ends_with(SPAN("cfg"), SPAN(".cfg")));
	CHECK(span_ends_with_nocase(SPAN("A.CFG"), SPAN(".cfg")));
	CHECK(span_ends_with(SPAN("x"), SPAN("")));
	CHECK_EQUAL(1, span_find(SPAN("abab"), 'b'));
	CHECK_EQUAL(4, span_find(SPAN("abab"), 'x'));
	CHECK_EQUAL(2, span_search(SPAN("a://b"), SPAN("//")));
	CHECK_EQUAL(3, span_search(SPAN("abc"), SPAN("cd")));
	CHECK_EQUAL(0, span_search(SPAN("abc"), SPAN("")));
}

static void slices_within_bounds(void)
{
	CHECK_TEXT("bc", span_slice(SPAN("abcd"), 1, 3));
	CHECK_TEXT("d", span_slice(SPAN("abcd"), 3, 99));
	CHECK_TEXT("", span_slice(SPAN("abcd"), 9, 99));
	CHECK_TEXT("", span_slice(SPAN("abcd"), 3, 1));
	CHECK_TEXT("a b", span_trim(SPAN(" \t\r\n a b \n")));
	CHECK_TEXT("", span_trim(SPAN("   ")));
}

static void cuts_lists_with_a_trailing_empty_item(void)
{
	struct span rest = SPAN("a,,b,");

	CHECK_TEXT("a", span_cut(&rest, ','));
	CHECK_TEXT("", span_cut(&rest, ','));
	CHECK_TEXT("b", span_cut(&rest, ','));
	CHECK(rest.data);
	CHECK_TEXT("", span_cut(&rest, ','));
	CHECK(!rest.data);
}

static void reads_numbers_and_nothing_else(void)
{
	uint64_t value = 7;

	CHECK_EQUAL(0, span_to_unsigned(SPAN("0010"), 10, &value));
	CHECK_EQUAL(10, value);
	CHECK_EQUAL(-ERANGE, span_to_unsigned(SPAN("11"), 10, &value));
	CHECK_EQUAL(-EINVAL, span_to_unsigned(SPAN(""), 10, &value));
	CHECK_EQUAL(-EINVAL, span_to_unsigned(SPAN("+1"), 10, &value));
	CHECK_EQUAL(-EINVAL, span_to_unsigned(SPAN("1 "), 10, &value));
	CHECK_EQUAL(10, value);
	CHECK_EQUAL(0, span_to_unsigned(SPAN("18446744073709551615"), UINT64_MAX, &value));
	CHECK(value == UINT64_MAX);
	CHECK_EQUAL(-ERANGE, span_to_unsigned(SPAN("18446744073709551616"), UINT64_MAX, &value));
	CHECK_EQUAL(-ERANGE,
		    span_to_unsigned(SPAN("99999999999999999999999999"), UINT64_MAX, &value));
	CHECK_EQUAL(-EINVAL,
		    span_to_unsigned(SPAN("99999999999999999999999999x"), UINT64_MAX, &value));
}

static void copies_into_text(void)
{
	char text[4] = "xxx";

	CHECK_EQUAL(0, span_to_text(SPAN("abc"), text, sizeof(text)));
	CHECK_TEXT("abc", span_text(text));
	CHECK_EQUAL(-ENOSPC, span_to_text(SPAN("abcd"), text, sizeof(text)));
	CHECK_TEXT("", span_text(text));
	CHECK_EQUAL(-EINVAL, span_to_text(SPAN("a\0b"), text, sizeof(text)));
}

int main(void)
{
	RUN(compares);
	RUN(finds_starts_and_ends);
	RUN(slices_within_bounds);
	RUN(cuts_lists_with_a_trailing_empty_item);
	RUN(reads_numbers_and_nothing_else);
	RUN(copies_into_text);
	return test_end();
}

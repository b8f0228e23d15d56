/* SPDX-License-Identifier: MIT */
#include "core/http/range.h"
#include "tests/guard.h"
#include "tests/test.h"

/* The ranges in order, as Content-Range writes them; or "ignored", "unsatisfiable". */
static const char *parse(const char *value, uint64_t size)
{
	static char text[1024];
	struct writer w = writer_over(text, sizeof(text));
	struct http_ranges ranges;

	switch (http_range_parse(span_text(value), size, &ranges)) {
	case HTTP_RANGE_IGNORED:
		return "ignored";
	case HTTP_RANGE_UNSATISFIABLE:
		return "unsatisfiable";
	case HTTP_RANGE_PARTS:
		break;
	}
	for (size_t i = 0; i < ranges.count; i++) {
		const struct http_range *range = &ranges.items[i];

		CHECK(range->length > 0 && range->length <= size &&
		      range->first <= size - range->length);
		writer_text(&w, i > 0 ? "," : "");
		writer_unsigned(&w, range->first);
		writer_char(&w, '-');
		writer_unsigned(&w, range->first + range->length - 1);
	}
	writer_terminate(&w);
	return text;
}

#define CHECK_PARSE(expected, value, size) CHECK_TEXT(expected, span_text(parse(value, size)))

static void r_http_16_three_forms(void)
{
	CHECK_PARSE("0-0", "bytes=0-0", 1000);
	CHECK_PARSE("0-499", "bytes=0-499", 1000);
	CHECK_PARSE("500-999", "bytes=500-", 1000);
	CHECK_PARSE("500-999", "bytes=500-5000", 1000);
	CHECK_PARSE("999-999", "bytes=999-999", 1000);
	CHECK_PARSE("500-999", "bytes=-500", 1000);
	CHECK_PARSE("0-999", "bytes=-1000", 1000);
	CHECK_PARSE("0-999", "bytes=-1001", 1000);
	CHECK_PARSE("0-999", "bytes=0-", 1000);
	CHECK_PARSE("7-8", "bytes=0007-0008", 1000);
	CHECK_PARSE("0-0", "bytes=0-0", 1);
}

static void r_http_18_unsatisfiable(void)
{
	CHECK_PARSE("unsatisfiable", "bytes=1000-", 1000);
	CHECK_PARSE("unsatisfiable", "bytes=1000-1000", 1000);
	CHECK_PARSE("unsatisfiable", "bytes=-0", 1000);
	CHECK_PARSE("unsatisfiable", "bytes=1000-,-0,5000-6000", 1000);
	CHECK_PARSE("unsatisfiable", "bytes=0-", 0);
	CHECK_PARSE("unsatisfiable", "bytes=-0", 0);
	/* A suffix of nothing can be satisfied (RFC 9110 14.1.2) and not be told: all of it, then.
	 */
	CHECK_PARSE("ignored", "bytes=-1", 0);
	CHECK_PARSE("500-500", "bytes=1000-,500-500,-0", 1000);
}

static void r_http_15_other_units_are_ignored(void)
{
	CHECK_PARSE("0-0", "BYTES=0-0", 1000);
	CHECK_PARSE("0-0", "Bytes=0-0", 1000);
	CHECK_PARSE("ignored", "octets=0-0", 1000);
	CHECK_PARSE("ignored", "byte=0-0", 1000);
	CHECK_PARSE("ignored", "bytes =0-0", 1000);
	CHECK_PARSE("ignored", "=0-0", 1000);
	CHECK_PARSE("ignored", "", 1000);
}

static void r_http_16_what_breaks_the_grammar_is_ignored(void)
{
	static const char *const values[] = {
		"bytes",
		"bytes=",
		"bytes=,",
		"bytes=-",
		"bytes=--5",
		"bytes=abc",
		"bytes=0",
		"bytes=0-0-0",
		"bytes=5-4",
		"bytes= 0 - 5",
		"bytes=0 -5",
		"bytes=0- 5",
		"bytes=+0-5",
		"bytes=0x0-0x5",
		"bytes=0-5;x",
		"bytes=0-5,a",
		"bytes=0-5,9-8",
		"bytes=1000-999",
		"bytes:0-5",
		"bytes=0..5",
		"bytes=0-5 6-7",
		"bytes=-5-",
		"bytes=0-5,bytes=6-7",
		"bytes=-+5",
		"bytes=1.5-2",
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(parse(values[i], 1000), "ignored") != 0) {
			printf("# %s\n", values[i]);
			test_is_failed = true;
		}
	}
	/* RFC 9110 5.6.1.2: blanks around members, and empty ones, are no fault. */
	CHECK_PARSE("0-9,500-509", "bytes= 0-9 ,,\t500-509 ,", 1000);
}

/* CVE-2017-7529: sums of numbers from outside. */
static void numbers_have_64_bits_and_no_more(void)
{
	static const uint64_t huge = UINT64_MAX;

	CHECK_PARSE("unsatisfiable", "bytes=18446744073709551615-", 1000);
	CHECK_PARSE("unsatisfiable", "bytes=18446744073709551616-", 1000);
	CHECK_PARSE("unsatisfiable", "bytes=99999999999999999999999-", 1000);
	CHECK_PARSE("5-999", "bytes=5-18446744073709551615", 1000);
	CHECK_PARSE("5-999", "bytes=5-99999999999999999999999", 1000);
	CHECK_PARSE("0-999", "bytes=-18446744073709551615", 1000);
	CHECK_PARSE("0-999", "bytes=-99999999999999999999999", 1000);
	CHECK_PARSE("5000000000-5000000009", "bytes=5000000000-5000000009", 6000000000);
	CHECK_PARSE("18446744073709551614-18446744073709551614", "bytes=-1", huge);
	CHECK_PARSE("0-18446744073709551614", "bytes=0-", huge);
	CHECK_PARSE("0-18446744073709551614", "bytes=0-,-5,18446744073709551610-", huge);
	CHECK_PARSE("unsatisfiable", "bytes=18446744073709551615-18446744073709551615", huge);
}

static void r_http_19_overlapping_and_touching_ranges_are_joined(void)
{
	CHECK_PARSE("0-99", "bytes=0-49,50-99", 1000);
	CHECK_PARSE("0-99", "bytes=50-99,0-49", 1000);
	CHECK_PARSE("0-49,51-99", "bytes=0-49,51-99", 1000);
	CHECK_PARSE("0-999", "bytes=0-,0-,0-", 1000);
	CHECK_PARSE("0-99", "bytes=0-99,10-20", 1000);
	CHECK_PARSE("0-99", "bytes=10-20,0-99", 1000);
	/* One that bridges others; the whole stands where the first of them stood. */
	CHECK_PARSE("0-30,900-909", "bytes=0-10,900-909,20-30,11-19", 1000);
	CHECK_PARSE("900-909,0-30", "bytes=900-909,20-30,0-10,5-25", 1000);
	CHECK_PARSE("0-999", "bytes=500-,-501,0-499", 1000);
}

static void r_http_19_order_is_that_of_the_request(void)
{
	CHECK_PARSE("900-909,0-9,400-409", "bytes=900-909,0-9,400-409", 1000);
	CHECK_PARSE("990-999,0-9", "bytes=-10,0-9", 1000);
}

static void r_http_19_many_ranges_are_ignored(void)
{
	char many[http_ranges_max * 12 + 32] = "bytes=0-0";
	size_t length = strlen(many);

	for (unsigned i = 1; i < http_ranges_max; i++) {
		length += (size_t)snprintf(many + length, sizeof(many) - length, ",%u-%u", i * 1000,
					   i * 1000);
	}
	CHECK(strncmp(parse(many, 1000000), "0-0,1000-1000,2000-2000,", 24) == 0);
	snprintf(many + length, sizeof(many) - length, ",-1");
	CHECK_PARSE("ignored", many, 1000000);
	/* Joined or not: what is asked for counts. */
	CHECK_PARSE("ignored", "bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-", 1000);
}

static void parse_prefix(struct span input, void *context)
{
	struct http_ranges ranges;

	(void)context;
	(void)http_range_parse(input, 1000, &ranges);
}

static void reads_no_octet_too_many(void)
{
	guard_each_prefix(SPAN("bytes=0-9, -5 ,,500-,18446744073709551616-7"), parse_prefix, NULL);
}

int main(void)
{
	RUN(r_http_16_three_forms);
	RUN(r_http_18_unsatisfiable);
	RUN(r_http_15_other_units_are_ignored);
	RUN(r_http_16_what_breaks_the_grammar_is_ignored);
	RUN(numbers_have_64_bits_and_no_more);
	RUN(r_http_19_overlapping_and_touching_ranges_are_joined);
	RUN(r_http_19_order_is_that_of_the_request);
	RUN(r_http_19_many_ranges_are_ignored);
	RUN(reads_no_octet_too_many);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/base/writer.h"

#include "tests/test.h"

static char buffer[256];
static struct writer w;

static void start(size_t size)
{
	memset(buffer, '~', sizeof(buffer));
	w = writer_over(buffer, size);
}

static void writes_all_kinds(void)
{
	start(sizeof(buffer));
	writer_text(&w, "a");
	writer_char(&w, 'b');
	writer_put(&w, SPAN("cd"));
	writer_unsigned(&w, 0);
	writer_unsigned(&w, UINT64_MAX);
	writer_signed(&w, -5);
	writer_signed(&w, INT64_MIN);
	writer_padded(&w, 7, 3);
	writer_hex(&w, "\x00\xaf", 2);
	writer_u16(&w, 0x4142);
	writer_u8(&w, 0x43);
	CHECK(!w.failed);
	CHECK_TEXT("abcd018446744073709551615-5-922337203685477580800700afABC", writer_span(&w));
}

static void writes_numbers_of_every_length(void)
{
	uint64_t power = 1;

	for (unsigned digits = 1; digits <= 20; digits++) {
		const uint64_t numbers[] = {power - 1, power, power + 1};

		for (unsigned i = 0; i < 3; i++) {
			char expected[24];

			snprintf(expected, sizeof(expected), "%llu",
				 (unsigned long long)numbers[i]);
			start(sizeof(buffer));
			writer_unsigned(&w, numbers[i]);
			CHECK_TEXT(expected, writer_span(&w));
		}
		power *= digits < 20 ? 10 : 1;
	}
}

/* A failure is sticky, and no piece is ever half written. */
static void fails_for_good_and_whole(void)
{
	start(4);
	writer_text(&w, "abc");
	writer_text(&w, "de");
	CHECK(w.failed);
	CHECK_TEXT("abc", writer_span(&w));
	writer_char(&w, 'x');
	CHECK_TEXT("abc", writer_span(&w));
	CHECK_EQUAL('~', buffer[3]);
}

static void every_size_is_bounded(void)
{
	for (size_t size = 0; size < 40; size++) {
		start(size);
		writer_text(&w, "text");
		writer_unsigned(&w, 1234567);
		writer_hex(&w, "\x01\x02\x03", 3);
		writer_escaped(&w, SPAN("a\x01\n\xc3\xa4"), 10);
		CHECK(w.length <= size);
		CHECK_EQUAL('~', buffer[size]);
		CHECK_EQUAL(size < 4 + 7 + 6 + 1 + 4 + 2 + 2, w.failed);
	}
}

/* security.md B22: what came from the wire cannot forge a log line. */
static void escapes_for_logs(void)
{
	start(sizeof(buffer));
	writer_escaped(&w, SPAN("a\r\n\t\"\\\x1b[31m\x7f"), 100);
	CHECK_TEXT("a\\r\\n\\t\\\"\\\\\\x1b[31m\\x7f", writer_span(&w));
	start(sizeof(buffer));
	writer_escaped(&w, SPAN("\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e"), 100);
	CHECK_TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\x9e", writer_span(&w));
	start(sizeof(buffer));
	/* Overlong, surrogate, cut short, C1 control, beyond U+10FFFF. */
	writer_escaped(&w, SPAN("\xc0\xaf\xed\xa0\x80\xe2\x82"), 100);
	writer_escaped(&w, SPAN("\xc2\x9b\xf4\x90\x80\x80"), 100);
	CHECK_TEXT("\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82\\xc2\\x9b\\xf4\\x90\\x80\\x80",
		   writer_span(&w));
	start(sizeof(buffer));
	writer_escaped(&w, SPAN("abcdef"), 3);
	CHECK_TEXT("abc...", writer_span(&w));
}

/* RFC 8259 7: whatever the bytes, a string that every reader of JSON takes. */
static void writes_json_strings(void)
{
	start(sizeof(buffer));
	writer_json(&w, SPAN("a\r\"\\\x1b\x7f\xc3\xa4"));
	CHECK_TEXT("\"a\\u000d\\\"\\\\\\u001b\\u007f\xc3\xa4\"", writer_span(&w));
	start(sizeof(buffer));
	/* NUL, overlong, cut short, C1 control: an octet each. */
	writer_json(&w, SPAN("\0\xc0\xe2\x82\xc2\x9b"));
	CHECK_TEXT("\"\\u0000\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		   writer_span(&w));
	start(sizeof(buffer));
	writer_json(&w, SPAN(""));
	CHECK_TEXT("\"\"", writer_span(&w));
	start(3);
	writer_json(&w, SPAN("ab"));
	CHECK(w.failed);
}

static void terminates(void)
{
	start(4);
	writer_text(&w, "abc");
	writer_terminate(&w);
	CHECK(!w.failed);
	CHECK_TEXT("abc", span_text(buffer));
	start(3);
	writer_text(&w, "abc");
	writer_terminate(&w);
	CHECK(w.failed);
	CHECK_TEXT("ab", span_text(buffer));
	start(0);
	writer_terminate(&w);
	CHECK(w.failed);
}

int main(void)
{
	RUN(writes_all_kinds);
	RUN(writes_numbers_of_every_length);
	RUN(fails_for_good_and_whole);
	RUN(every_size_is_bounded);
	RUN(escapes_for_logs);
	RUN(writes_json_strings);
	RUN(terminates);
	return test_end();
}

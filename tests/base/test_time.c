/* SPDX-License-Identifier: MIT */
/* gmtime_r and timegm of the C library are the judges of the calendar. */
#include "core/base/time.h"

#include "core/base/random.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>
#include <time.h>

static void calendar_agrees_with_the_library(void)
{
	struct random random;

	random_init_number(&random, 1);
	for (int i = 0; i < 20000; i++) {
		/* Years 1 to 9999. */
		int64_t utc_s = (int64_t)random_below(&random, 315537897599) - 62135596800;
		struct civil_time c = time_civil(utc_s);
		time_t t = (time_t)utc_s;
		struct tm tm;
		int64_t back = 0;

		gmtime_r(&t, &tm);
		CHECK_EQUAL(tm.tm_year + 1900, c.year);
		CHECK_EQUAL(tm.tm_mon + 1, c.month);
		CHECK_EQUAL(tm.tm_mday, c.day);
		CHECK_EQUAL(tm.tm_hour, c.hour);
		CHECK_EQUAL(tm.tm_min, c.minute);
		CHECK_EQUAL(tm.tm_sec, c.second);
		CHECK_EQUAL(tm.tm_wday, c.weekday);
		CHECK_EQUAL(0, time_from_civil(&c, &back));
		CHECK_EQUAL(utc_s, back);
		REQUIRE(!test_is_failed);
	}
}

static void refuses_days_that_are_none(void)
{
	static const struct civil_time wrong[] = {
		{.year = 2026, .month = 2, .day = 29},
		{.year = 1900, .month = 2, .day = 29},
		{.year = 2026, .month = 0, .day = 1},
		{.year = 2026, .month = 13, .day = 1},
		{.year = 2026, .month = 4, .day = 31},
		{.year = 0, .month = 1, .day = 1},
		{.year = 2026, .month = 1, .day = 1, .hour = 24},
		{.year = 2026, .month = 1, .day = 1, .minute = 60},
		{.year = 2026, .month = 1, .day = 1, .second = 61},
	};
	struct civil_time leap = {.year = 2000, .month = 2, .day = 29};
	int64_t utc_s;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK_EQUAL(-EINVAL, time_from_civil(&wrong[i], &utc_s));
	}
	CHECK_EQUAL(0, time_from_civil(&leap, &utc_s));
}

static void writes_and_reads_rfc3339(void)
{
	char text[64];
	struct writer w = writer_over(text, sizeof(text));
	uint64_t utc_ms = 0;

	time_write_rfc3339(&w, UINT64_C(1795384546123));
	CHECK_TEXT("2026-11-22T21:55:46.123Z", writer_span(&w));
	CHECK_EQUAL(0, time_parse_rfc3339(writer_span(&w), &utc_ms));
	CHECK_EQUAL(UINT64_C(1795384546123), utc_ms);
	CHECK_EQUAL(0, time_parse_rfc3339(SPAN("2026-11-22t22:55:46+01:00"), &utc_ms));
	CHECK_EQUAL(UINT64_C(1795384546000), utc_ms);
	CHECK_EQUAL(0, time_parse_rfc3339(SPAN("2026-11-22 21:55:46.1239Z"), &utc_ms));
	CHECK_EQUAL(UINT64_C(1795384546123), utc_ms);
	CHECK_EQUAL(-EINVAL, time_parse_rfc3339(SPAN("2026-11-22T21:55:46"), &utc_ms));
	CHECK_EQUAL(-EINVAL, time_parse_rfc3339(SPAN("2026-11-22T21:55:46.Z"), &utc_ms));
	CHECK_EQUAL(-EINVAL, time_parse_rfc3339(SPAN("2026-02-30T21:55:46Z"), &utc_ms));
	CHECK_EQUAL(-EINVAL, time_parse_rfc3339(SPAN("2026-11-22T21:55:46Zx"), &utc_ms));
	CHECK_EQUAL(-EINVAL, time_parse_rfc3339(SPAN("1969-12-31T23:59:59Z"), &utc_ms));
}

/* R-HTTP-10: three forms are read, one is written. */
static void reads_all_http_forms(void)
{
	static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
					    "Sunday, 06-Nov-94 08:49:37 GMT",
					    "Sun Nov  6 08:49:37 1994"};
	uint64_t now = UINT64_C(1795384546000);
	char text[64];
	struct writer w = writer_over(text, sizeof(text));

	for (size_t i = 0; i < 3; i++) {
		uint64_t utc_ms = 0;

		CHECK_EQUAL(0, time_parse_http(span_text(forms[i]), now, &utc_ms));
		CHECK_EQUAL(UINT64_C(784111777000), utc_ms);
	}
	time_write_http(&w, UINT64_C(784111777000));
	CHECK_TEXT(forms[0], writer_span(&w));
}

static void refuses_other_dates(void)
{
	static const char *const wrong[] = {"",
					    "0",
					    "Sun, 06 Nov 1994 08:49:37 UTC",
					    "Sun, 6 Nov 1994 08:49:37 GMT",
					    "Sun, 06 Nov 1994 08:49:37 GMT ",
					    "Sun, 31 Feb 1994 08:49:37 GMT",
					    "Sun Nov 6 08:49:37 1994"};
	uint64_t utc_ms = 5;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK_EQUAL(-EINVAL, time_parse_http(span_text(wrong[i]), 0, &utc_ms));
	}
	CHECK_EQUAL(5, utc_ms);
}

static void reads_durations_with_units_only(void)
{
	uint64_t ms = 1;

	CHECK_EQUAL(0, time_parse_duration(SPAN("5s"), &ms));
	CHECK_EQUAL(5000, ms);
	CHECK_EQUAL(0, time_parse_duration(SPAN("24h"), &ms));
	CHECK_EQUAL(86400000, ms);
	CHECK_EQUAL(0, time_parse_duration(SPAN("250ms"), &ms));
	CHECK_EQUAL(250, ms);
	CHECK_EQUAL(-EINVAL, time_parse_duration(SPAN("5"), &ms));
	CHECK_EQUAL(-EINVAL, time_parse_duration(SPAN("s"), &ms));
	CHECK_EQUAL(-EINVAL, time_parse_duration(SPAN("5 s"), &ms));
	CHECK_EQUAL(-EINVAL, time_parse_duration(SPAN("5w"), &ms));
	CHECK_EQUAL(-ERANGE, time_parse_duration(SPAN("99999999d"), &ms));
}

static void parse_prefix(struct span input, void *context)
{
	uint64_t value;

	(void)context;
	(void)time_parse_http(input, 0, &value);
	(void)time_parse_rfc3339(input, &value);
	(void)time_parse_duration(input, &value);
}

static void survives_every_prefix(void)
{
	guard_each_prefix(SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), parse_prefix, NULL);
	guard_each_prefix(SPAN("Sunday, 06-Nov-94 08:49:37 GMT"), parse_prefix, NULL);
	guard_each_prefix(SPAN("Sun Nov  6 08:49:37 1994"), parse_prefix, NULL);
	guard_each_prefix(SPAN("2026-11-22T22:55:46.123+01:00"), parse_prefix, NULL);
}

int main(void)
{
	RUN(calendar_agrees_with_the_library);
	RUN(refuses_days_that_are_none);
	RUN(writes_and_reads_rfc3339);
	RUN(reads_all_http_forms);
	RUN(refuses_other_dates);
	RUN(reads_durations_with_units_only);
	RUN(survives_every_prefix);
	return test_end();
}

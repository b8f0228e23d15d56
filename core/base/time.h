/* SPDX-License-Identifier: MIT */
/*
 * Dates as text. Two clocks run through Bellhop and never mix: `now_ms`, monotonic milliseconds
 * that timers use, and `utc_ms`, milliseconds since 1970-01-01T00:00:00Z that people and files see.
 * Both come in as parameters; nothing here reads a clock or a time zone.
 */
#ifndef BELLHOP_CORE_BASE_TIME_H
#define BELLHOP_CORE_BASE_TIME_H

#include "core/base/writer.h"

enum { time_rfc3339_size = 25, time_http_size = 30 }; /* with NUL */

struct civil_time {
	int year;    /* 1 .. 9999 */
	int month;   /* 1 .. 12 */
	int day;     /* 1 .. 31 */
	int hour;    /* 0 .. 23 */
	int minute;  /* 0 .. 59 */
	int second;  /* 0 .. 59; a leap second is read as 59 */
	int weekday; /* 0 Sunday .. 6 Saturday */
};

/* Proleptic Gregorian calendar, UTC. */
struct civil_time time_civil(int64_t utc_s);

/* Seconds since 1970; weekday is ignored. 0 and `*utc_s`, or -EINVAL for a day that is none. */
int time_from_civil(const struct civil_time *civil, int64_t *utc_s);

/* 2026-11-22T21:55:46.123Z (RFC 3339, always UTC, always three decimals). */
void time_write_rfc3339(struct writer *w, uint64_t utc_ms);

/* Any RFC 3339 5.6 date-time, with fraction and offset. 0 and `*utc_ms`, or -EINVAL. */
int time_parse_rfc3339(struct span text, uint64_t *utc_ms);

/* Sun, 06 Nov 1994 08:49:37 GMT (IMF-fixdate, RFC 9110 5.6.7). */
void time_write_http(struct writer *w, uint64_t utc_ms);

/*
 * The three forms of RFC 9110 5.6.7: IMF-fixdate, RFC 850 (its two-digit year is taken within 50
 * years of `now_utc_ms`) and asctime. 0 and `*utc_ms`, or -EINVAL.
 */
int time_parse_http(struct span text, uint64_t now_utc_ms, uint64_t *utc_ms);

/*
 * A duration of the configuration: a number with a unit, ms, s, m, h or d ("5s", "24h"). 0 and
 * `*duration_ms`, -EINVAL without a unit, -ERANGE beyond 100 years.
 */
int time_parse_duration(struct span text, uint64_t *duration_ms);

#endif

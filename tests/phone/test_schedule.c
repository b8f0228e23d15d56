/* SPDX-License-Identifier: MIT */
#include "core/phone/schedule.h"
#include "tests/test.h"

#include <errno.h>

/* Sunday 2026-11-22 22:15:00 UTC */
enum { now_s = 1795385700 };

static struct phone_schedule read_text(const char *text)
{
	static struct arena arena;
	struct phone_config config = {0};
	struct phone_schedule schedule;
	unsigned line;

	arena_init(&arena, 1 << 16);
	CHECK_EQUAL(0, phone_config_parse(span_text(text), &arena, &config, &line));
	phone_schedule_read(&config, &schedule);
	arena_free(&arena);
	return schedule;
}

static int64_t next_after(const char *text, int utc_offset_s)
{
	struct phone_schedule schedule = read_text(text);
	int64_t next_s = 0;

	CHECK_EQUAL(0, phone_schedule_next(&schedule, now_s, utc_offset_s, &next_s));
	return next_s - now_s;
}

static void uses_the_defaults_of_the_manual(void)
{
	struct phone_schedule schedule = read_text("");

	CHECK_EQUAL(PHONE_PERIOD_DAILY, schedule.period);
	CHECK_EQUAL(0, schedule.minute_of_day);
	CHECK_EQUAL(24, schedule.interval_hours);
	CHECK_EQUAL(0, schedule.weekday);
	CHECK_EQUAL(120, schedule.random_s_max);
}

static void takes_values_in_any_case_and_refuses_odd_ones(void)
{
	struct phone_schedule schedule = read_text("provisioning/period/type=WEEKLY\n"
						   "provisioning/period/weekly/day=MONDAY\n"
						   "provisioning/period/weekly/time=3:05\n"
						   "provisioning/random_provisioning_time=0\n");

	CHECK_EQUAL(PHONE_PERIOD_WEEKLY, schedule.period);
	CHECK_EQUAL(1, schedule.weekday);
	CHECK_EQUAL(185, schedule.minute_of_day);
	CHECK_EQUAL(0, schedule.random_s_max);

	schedule = read_text("provisioning/period/type=sometimes\n"
			     "provisioning/period/daily/time=24:00\n"
			     "provisioning/period/hourly/hours_interval=0\n"
			     "provisioning/random_provisioning_time=65536\n");
	CHECK_EQUAL(PHONE_PERIOD_DAILY, schedule.period);
	CHECK_EQUAL(0, schedule.minute_of_day);
	CHECK_EQUAL(24, schedule.interval_hours);
	CHECK_EQUAL(120, schedule.random_s_max);
}

static void finds_the_next_check(void)
{
	CHECK_EQUAL(300, next_after("provisioning/period/type=every5minutes", 0));
	CHECK_EQUAL(900, next_after("provisioning/period/type=every15minutes", 0));
	CHECK_EQUAL(7200, next_after("provisioning/period/type=hourly\n"
				     "provisioning/period/hourly/hours_interval=2",
				     0));
	/* to midnight: 1 h 45 min */
	CHECK_EQUAL(6300, next_after("provisioning/period/type=daily", 0));
	/* an hour ahead of UTC it is 23:15 */
	CHECK_EQUAL(2700, next_after("provisioning/period/type=daily", 3600));
	CHECK_EQUAL(2700 + 1800, next_after("provisioning/period/daily/time=00:30", 3600));
	/* two hours ahead it is Monday 00:15 already */
	CHECK_EQUAL(86400 - 900, next_after("provisioning/period/type=daily", 7200));
	/* not now, but tomorrow */
	CHECK_EQUAL(86400, next_after("provisioning/period/daily/time=22:15", 0));
	CHECK_EQUAL(60, next_after("provisioning/period/daily/time=22:16", 0));
}

static void finds_the_next_day_of_the_week(void)
{
	/* Sunday 22:15 to the next Sunday 00:00 */
	CHECK_EQUAL(6 * 86400 + 6300, next_after("provisioning/period/type=weekly", 0));
	CHECK_EQUAL(6300, next_after("provisioning/period/type=weekly\n"
				     "provisioning/period/weekly/day=Monday",
				     0));
	CHECK_EQUAL(900, next_after("provisioning/period/type=weekly\n"
				    "provisioning/period/weekly/time=22:30",
				    0));
	CHECK_EQUAL(7 * 86400, next_after("provisioning/period/type=weekly\n"
					  "provisioning/period/weekly/time=22:15",
					  0));
	/* at UTC+2 it is Monday 00:15: Monday 00:00 is a week away */
	CHECK_EQUAL(7 * 86400 - 900, next_after("provisioning/period/type=weekly\n"
						"provisioning/period/weekly/day=monday",
						7200));
}

static void checks_at_power_up_alone_when_told_so(void)
{
	struct phone_schedule schedule = read_text("provisioning/period/type=POWERUP");
	int64_t next_s = 4711;

	CHECK_EQUAL(-ENOENT, phone_schedule_next(&schedule, now_s, 0, &next_s));
	CHECK_EQUAL(4711, next_s);
}

static void waits_a_random_time_within_the_bound(void)
{
	struct phone_schedule schedule = read_text("provisioning/random_provisioning_time=2");
	struct random random;
	uint64_t least = UINT64_MAX;
	uint64_t most = 0;

	random_init_number(&random, 1);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t wait_ms = phone_schedule_wait_ms(&schedule, &random);

		least = wait_ms < least ? wait_ms : least;
		most = wait_ms > most ? wait_ms : most;
	}
	CHECK(least < 200);
	CHECK(most > 1800 && most <= 2000);
	schedule.random_s_max = 0;
	CHECK_EQUAL(0, phone_schedule_wait_ms(&schedule, &random));
}

int main(void)
{
	RUN(uses_the_defaults_of_the_manual);
	RUN(takes_values_in_any_case_and_refuses_odd_ones);
	RUN(finds_the_next_check);
	RUN(finds_the_next_day_of_the_week);
	RUN(checks_at_power_up_alone_when_told_so);
	RUN(waits_a_random_time_within_the_bound);
	return test_end();
}

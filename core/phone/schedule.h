/* SPDX-License-Identifier: MIT */
/*
 * When the phone looks for new firmware and configuration again: the parameters below
 * provisioning/period/ and provisioning/random_provisioning_time (audiocodes.md 1, table of period
 * parameters). It always looks at power-up; what is computed here is the time after that. Values
 * are read without regard to case; what is missing or out of range counts as the default, daily at
 * 00:00.
 */
#ifndef BELLHOP_CORE_PHONE_SCHEDULE_H
#define BELLHOP_CORE_PHONE_SCHEDULE_H

#include "core/base/random.h"
#include "core/phone/config_file.h"

enum phone_period {
	PHONE_PERIOD_5_MINUTES,
	PHONE_PERIOD_15_MINUTES,
	PHONE_PERIOD_HOURLY,
	PHONE_PERIOD_DAILY,
	PHONE_PERIOD_WEEKLY,
	PHONE_PERIOD_POWER_UP,
};

struct phone_schedule {
	enum phone_period period;
	unsigned interval_hours; /* hourly: 1 .. 65535 */
	unsigned minute_of_day;	 /* daily, weekly: 0 .. 1439, local time */
	unsigned weekday;	 /* weekly: 0 Sunday .. 6 Saturday */
	unsigned random_s_max;	 /* 0 .. 65535: each check waits 0 .. this many seconds more */
};

void phone_schedule_read(const struct phone_config *config, struct phone_schedule *schedule);

/*
 * The first check after `utc_s`, before the random wait: 0 and seconds since 1970 in `*next_utc_s`,
 * or -ENOENT when only power-up counts. `utc_offset_s` is what local time is ahead of UTC.
 */
int phone_schedule_next(const struct phone_schedule *schedule, int64_t utc_s, int utc_offset_s,
			int64_t *next_utc_s);

/* A random wait, uniform in 0 .. random_s_max seconds, in milliseconds. */
uint64_t phone_schedule_wait_ms(const struct phone_schedule *schedule, struct random *random);

#endif

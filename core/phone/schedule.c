/* SPDX-License-Identifier: MIT */
#include "core/phone/schedule.h"

#include "core/base/time.h"

#include <errno.h>

enum { minute_s = 60, hour_s = 3600, day_s = 86400, week_days = 7 };

static const char *const period_names[] = {
	[PHONE_PERIOD_5_MINUTES] = "every5minutes", [PHONE_PERIOD_15_MINUTES] = "every15minutes",
	[PHONE_PERIOD_HOURLY] = "hourly",	    [PHONE_PERIOD_DAILY] = "daily",
	[PHONE_PERIOD_WEEKLY] = "weekly",	    [PHONE_PERIOD_POWER_UP] = "powerup",
};

static const char *const weekday_names[week_days] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};

/* The number of the word in the list, or `word_default`. */
static unsigned word_number(struct span word, const char *const *words, unsigned count,
			    unsigned word_default)
{
	for (unsigned i = 0; i < count; i++) {
		if (span_equal_nocase(span_text(words[i]), word)) {
			return i;
		}
	}
	return word_default;
}

static unsigned number_of(struct span text, unsigned min, unsigned max, unsigned number_default)
{
	uint64_t number;

	if (span_to_unsigned(text, max, &number) != 0 || number < min) {
		return number_default;
	}
	return (unsigned)number;
}

/* hh:mm or h:mm; anything else is the default, midnight. */
static unsigned minute_of_day(struct span text)
{
	struct span rest = text;
	uint64_t hour;
	uint64_t minute;

	if (span_to_unsigned(span_cut(&rest, ':'), 23, &hour) != 0 ||
	    span_to_unsigned(rest, 59, &minute) != 0) {
		return 0;
	}
	return (unsigned)(hour * 60 + minute);
}

void phone_schedule_read(const struct phone_config *config, struct phone_schedule *schedule)
{
	struct span at;

	*schedule = (struct phone_schedule){
		.period = word_number(phone_config_get(config, "provisioning/period/type"),
				      period_names, PHONE_PERIOD_POWER_UP + 1, PHONE_PERIOD_DAILY),
		.interval_hours =
			number_of(phone_config_get(config,
						   "provisioning/period/hourly/hours_interval"),
				  1, 65535, 24),
		.weekday = word_number(phone_config_get(config, "provisioning/period/weekly/day"),
				       weekday_names, week_days, 0),
		.random_s_max =
			number_of(phone_config_get(config, "provisioning/random_provisioning_time"),
				  0, 65535, 120),
	};
	at = phone_config_get(config, schedule->period == PHONE_PERIOD_WEEKLY
					      ? "provisioning/period/weekly/time"
					      : "provisioning/period/daily/time");
	schedule->minute_of_day = minute_of_day(at);
}

static int64_t start_of_day(int64_t local_s)
{
	int64_t second = local_s % day_s;

	return local_s - (second < 0 ? second + day_s : second);
}

/* The first time after `local_s` at which the clock shows minute_of_day, on `weekday` if not -1. */
static int64_t next_at(int64_t local_s, unsigned minute, int weekday)
{
	int64_t candidate = start_of_day(local_s) + (int64_t)minute * minute_s;

	while (candidate <= local_s || (weekday >= 0 && time_civil(candidate).weekday != weekday)) {
		candidate += day_s;
	}
	return candidate;
}

int phone_schedule_next(const struct phone_schedule *schedule, int64_t utc_s, int utc_offset_s,
			int64_t *next_utc_s)
{
	int64_t local_s = utc_s + utc_offset_s;

	switch (schedule->period) {
	case PHONE_PERIOD_5_MINUTES:
		*next_utc_s = utc_s + (int64_t)5 * minute_s;
		return 0;
	case PHONE_PERIOD_15_MINUTES:
		*next_utc_s = utc_s + (int64_t)15 * minute_s;
		return 0;
	case PHONE_PERIOD_HOURLY:
		*next_utc_s = utc_s + (int64_t)schedule->interval_hours * hour_s;
		return 0;
	case PHONE_PERIOD_DAILY:
		*next_utc_s = next_at(local_s, schedule->minute_of_day, -1) - utc_offset_s;
		return 0;
	case PHONE_PERIOD_WEEKLY:
		*next_utc_s = next_at(local_s, schedule->minute_of_day, (int)schedule->weekday) -
			      utc_offset_s;
		return 0;
	case PHONE_PERIOD_POWER_UP:
		break;
	}
	return -ENOENT;
}

uint64_t phone_schedule_wait_ms(const struct phone_schedule *schedule, struct random *random)
{
	return random_below(random, (uint64_t)schedule->random_s_max * 1000 + 1);
}

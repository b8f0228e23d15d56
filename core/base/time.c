/* SPDX-License-Identifier: MIT */
#include "core/base/time.h"

#include <errno.h>

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][10] = {"Sunday",	  "Monday", "Tuesday", "Wednesday",
				      "Thursday", "Friday", "Saturday"};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01; counts in years that begin in March, so that a leap day comes last. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

struct civil_time time_civil(int64_t utc_s)
{
	int64_t days = (utc_s >= 0 ? utc_s : utc_s - 86399) / 86400;
	int64_t second_of_day = utc_s - days * 86400;
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;
	int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);

	return (struct civil_time){
		.year = (int)(year_of_era + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1),
		.hour = (int)(second_of_day / 3600),
		.minute = (int)(second_of_day / 60 % 60),
		.second = (int)(second_of_day % 60),
		.weekday = (int)(((days % 7) + 11) % 7),
	};
}

int time_from_civil(const struct civil_time *civil, int64_t *utc_s)
{
	if (civil->year < 1 || civil->year > 9999 || civil->month < 1 || civil->month > 12 ||
	    civil->day < 1 || civil->day > days_in_month(civil->year, civil->month) ||
	    civil->hour < 0 || civil->hour > 23 || civil->minute < 0 || civil->minute > 59 ||
	    civil->second < 0 || civil->second > 60) {
		return -EINVAL;
	}
	*utc_s = days_from_civil(civil->year, civil->month, civil->day) * 86400 +
		 civil->hour * 3600 + civil->minute * 60 +
		 (civil->second == 60 ? 59 : civil->second);
	return 0;
}

/* Exactly `count` digits from the front of `*rest`. */
static int take_digits(struct span *rest, size_t count, int *value)
{
	uint64_t number;

	if (rest->length < count ||
	    span_to_unsigned(span_slice(*rest, 0, count), 9999, &number) != 0) {
		return -EINVAL;
	}
	*value = (int)number;
	*rest = span_slice(*rest, count, rest->length);
	return 0;
}

static int take(struct span *rest, struct span expected)
{
	if (!span_starts_with_nocase(*rest, expected)) {
		return -EINVAL;
	}
	*rest = span_slice(*rest, expected.length, rest->length);
	return 0;
}

static int take_clock(struct span *rest, struct civil_time *civil)
{
	if (take_digits(rest, 2, &civil->hour) != 0 || take(rest, SPAN(":")) != 0 ||
	    take_digits(rest, 2, &civil->minute) != 0 || take(rest, SPAN(":")) != 0 ||
	    take_digits(rest, 2, &civil->second) != 0) {
		return -EINVAL;
	}
	return 0;
}

static int to_utc_ms(const struct civil_time *civil, int64_t offset_s, uint64_t *utc_ms)
{
	int64_t utc_s;

	if (time_from_civil(civil, &utc_s) != 0 || utc_s - offset_s < 0) {
		return -EINVAL;
	}
	*utc_ms = (uint64_t)(utc_s - offset_s) * 1000;
	return 0;
}

void time_write_rfc3339(struct writer *w, uint64_t utc_ms)
{
	struct civil_time c = time_civil((int64_t)(utc_ms / 1000));

	writer_padded(w, (uint64_t)c.year, 4);
	writer_char(w, '-');
	writer_padded(w, (uint64_t)c.month, 2);
	writer_char(w, '-');
	writer_padded(w, (uint64_t)c.day, 2);
	writer_char(w, 'T');
	writer_padded(w, (uint64_t)c.hour, 2);
	writer_char(w, ':');
	writer_padded(w, (uint64_t)c.minute, 2);
	writer_char(w, ':');
	writer_padded(w, (uint64_t)c.second, 2);
	writer_char(w, '.');
	writer_padded(w, utc_ms % 1000, 3);
	writer_char(w, 'Z');
}

/* time-secfrac: milliseconds are kept, finer digits dropped. */
static int take_fraction(struct span *rest, unsigned *ms)
{
	unsigned scale = 100;

	*ms = 0;
	if (take(rest, SPAN(".")) != 0) {
		return 0;
	}
	if (rest->length == 0 || !ascii_is_digit(rest->data[0])) {
		return -EINVAL;
	}
	while (rest->length > 0 && ascii_is_digit(rest->data[0])) {
		*ms += (unsigned)(rest->data[0] - '0') * scale;
		scale /= 10;
		*rest = span_slice(*rest, 1, rest->length);
	}
	return 0;
}

static int take_offset(struct span *rest, int64_t *offset_s)
{
	int hours;
	int minutes;
	int sign;

	if (take(rest, SPAN("Z")) == 0) {
		*offset_s = 0;
		return 0;
	}
	if (rest->length == 0 || (rest->data[0] != '+' && rest->data[0] != '-')) {
		return -EINVAL;
	}
	sign = rest->data[0] == '-' ? -1 : 1;
	*rest = span_slice(*rest, 1, rest->length);
	if (take_digits(rest, 2, &hours) != 0 || take(rest, SPAN(":")) != 0 ||
	    take_digits(rest, 2, &minutes) != 0 || hours > 23 || minutes > 59) {
		return -EINVAL;
	}
	*offset_s = (int64_t)sign * (hours * 3600 + minutes * 60);
	return 0;
}

int time_parse_rfc3339(struct span text, uint64_t *utc_ms)
{
	struct civil_time c;
	struct span rest = text;
	int64_t offset_s;
	unsigned ms;
	uint64_t whole;

	if (take_digits(&rest, 4, &c.year) != 0 || take(&rest, SPAN("-")) != 0 ||
	    take_digits(&rest, 2, &c.month) != 0 || take(&rest, SPAN("-")) != 0 ||
	    take_digits(&rest, 2, &c.day) != 0) {
		return -EINVAL;
	}
	if (take(&rest, SPAN("T")) != 0 && take(&rest, SPAN(" ")) != 0) {
		return -EINVAL;
	}
	if (take_clock(&rest, &c) != 0 || take_fraction(&rest, &ms) != 0 ||
	    take_offset(&rest, &offset_s) != 0 || rest.length > 0 ||
	    to_utc_ms(&c, offset_s, &whole) != 0) {
		return -EINVAL;
	}
	*utc_ms = whole + ms;
	return 0;
}

void time_write_http(struct writer *w, uint64_t utc_ms)
{
	struct civil_time c = time_civil((int64_t)(utc_ms / 1000));

	writer_put(w, span_make(day_names[c.weekday], 3));
	writer_put(w, SPAN(", "));
	writer_padded(w, (uint64_t)c.day, 2);
	writer_char(w, ' ');
	writer_put(w, span_make(month_names[c.month - 1], 3));
	writer_char(w, ' ');
	writer_padded(w, (uint64_t)c.year, 4);
	writer_char(w, ' ');
	writer_padded(w, (uint64_t)c.hour, 2);
	writer_char(w, ':');
	writer_padded(w, (uint64_t)c.minute, 2);
	writer_char(w, ':');
	writer_padded(w, (uint64_t)c.second, 2);
	writer_put(w, SPAN(" GMT"));
}

static int take_month(struct span *rest, int *month)
{
	for (int i = 0; i < 12; i++) {
		if (take(rest, span_make(month_names[i], 3)) == 0) {
			*month = i + 1;
			return 0;
		}
	}
	return -EINVAL;
}

/* A day name, long or its first three letters. */
static int take_day_name(struct span *rest, bool is_long)
{
	for (int i = 0; i < 7; i++) {
		struct span name = span_text(day_names[i]);

		if (take(rest, is_long ? name : span_slice(name, 0, 3)) == 0) {
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_imf_fixdate(struct span rest, struct civil_time *c)
{
	if (take_day_name(&rest, false) != 0 || take(&rest, SPAN(", ")) != 0 ||
	    take_digits(&rest, 2, &c->day) != 0 || take(&rest, SPAN(" ")) != 0 ||
	    take_month(&rest, &c->month) != 0 || take(&rest, SPAN(" ")) != 0 ||
	    take_digits(&rest, 4, &c->year) != 0 || take(&rest, SPAN(" ")) != 0 ||
	    take_clock(&rest, c) != 0 || take(&rest, SPAN(" GMT")) != 0) {
		return -EINVAL;
	}
	return rest.length == 0 ? 0 : -EINVAL;
}

static int parse_rfc850(struct span rest, int year_now, struct civil_time *c)
{
	if (take_day_name(&rest, true) != 0 || take(&rest, SPAN(", ")) != 0 ||
	    take_digits(&rest, 2, &c->day) != 0 || take(&rest, SPAN("-")) != 0 ||
	    take_month(&rest, &c->month) != 0 || take(&rest, SPAN("-")) != 0 ||
	    take_digits(&rest, 2, &c->year) != 0 || take(&rest, SPAN(" ")) != 0 ||
	    take_clock(&rest, c) != 0 || take(&rest, SPAN(" GMT")) != 0 || rest.length > 0) {
		return -EINVAL;
	}
	/* RFC 9110 5.6.7: more than 50 years ahead means the century before. */
	c->year += year_now / 100 * 100;
	if (c->year > year_now + 50) {
		c->year -= 100;
	}
	return 0;
}

static int parse_asctime(struct span rest, struct civil_time *c)
{
	if (take_day_name(&rest, false) != 0 || take(&rest, SPAN(" ")) != 0 ||
	    take_month(&rest, &c->month) != 0 || take(&rest, SPAN(" ")) != 0) {
		return -EINVAL;
	}
	if (take(&rest, SPAN(" ")) == 0 ? take_digits(&rest, 1, &c->day)
					: take_digits(&rest, 2, &c->day)) {
		return -EINVAL;
	}
	if (take(&rest, SPAN(" ")) != 0 || take_clock(&rest, c) != 0 ||
	    take(&rest, SPAN(" ")) != 0 || take_digits(&rest, 4, &c->year) != 0) {
		return -EINVAL;
	}
	return rest.length == 0 ? 0 : -EINVAL;
}

int time_parse_http(struct span text, uint64_t now_utc_ms, uint64_t *utc_ms)
{
	int year_now = time_civil((int64_t)(now_utc_ms / 1000)).year;
	struct civil_time c;

	if (parse_imf_fixdate(text, &c) != 0 && parse_rfc850(text, year_now, &c) != 0 &&
	    parse_asctime(text, &c) != 0) {
		return -EINVAL;
	}
	return to_utc_ms(&c, 0, utc_ms);
}

int time_parse_duration(struct span text, uint64_t *duration_ms)
{
	static const struct {
		struct span unit;
		uint64_t ms;
	} units[] = {{{"ms", 2}, 1},
		     {{"s", 1}, 1000},
		     {{"m", 1}, 60 * 1000},
		     {{"h", 1}, 3600 * 1000},
		     {{"d", 1}, 86400 * 1000}};
	static const uint64_t duration_ms_max = UINT64_C(36525) * 86400 * 1000;
	size_t digits = 0;

	while (digits < text.length && ascii_is_digit(text.data[digits])) {
		digits++;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		uint64_t number;
		int error;

		if (!span_equal(span_slice(text, digits, text.length), units[i].unit)) {
			continue;
		}
		error = span_to_unsigned(span_slice(text, 0, digits), duration_ms_max / units[i].ms,
					 &number);
		if (error == 0) {
			*duration_ms = number * units[i].ms;
		}
		return error;
	}
	return -EINVAL;
}

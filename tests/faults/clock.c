/* SPDX-License-Identifier: MIT */
/* Preloaded into a program by tests/system/test_doctor.py: $BELLHOP_CLOCK is the time it sees, and
 * $BELLHOP_CLOCK_STATUS what the kernel says of the clock (adjtimex(2)). */
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

time_t time(time_t *place)
{
	const char *given = getenv("BELLHOP_CLOCK");
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	if (given) {
		now.tv_sec = (time_t)strtoll(given, NULL, 10);
	}
	if (place) {
		*place = now.tv_sec;
	}
	return now.tv_sec;
}

int adjtimex(struct timex *kernel)
{
	const char *given = getenv("BELLHOP_CLOCK_STATUS");

	kernel->status = given ? (int)strtol(given, NULL, 10) : 0;
	return kernel->status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

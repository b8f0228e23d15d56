/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/table.h"

#include "programs/bellhop/bellhop.h"

#include <stdarg.h>

static const char *about;
static bool is_quiet_now;

void say_quiet(bool is_quiet)
{
	is_quiet_now = is_quiet;
}

void say_about(const char *subject)
{
	about = subject;
}

static void say_line(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

static void say_line(const char *format, va_list arguments)
{
	char line[2048];

	if (is_quiet_now) {
		return;
	}
	vsnprintf(line, sizeof(line), format, arguments);
	fputs("bellhop: ", stderr);
	if (about) {
		(void)table_put_to(stderr, about);
		fputs(": ", stderr);
	}
	(void)table_put_to(stderr, line);
	fputc('\n', stderr);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(format, arguments);
	va_end(arguments);
}

int fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(format, arguments);
	va_end(arguments);
	return EXIT_FAILED;
}

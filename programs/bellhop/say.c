/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/bellhop.h"

#include <stdarg.h>

/* What a server or a file says must not steer the terminal. */
static void say_line(const char *format, va_list arguments)
{
	char line[2048];

	vsnprintf(line, sizeof(line), format, arguments);
	for (char *at = line; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			*at = ' ';
		}
	}
	fprintf(stderr, "bellhop: %s\n", line);
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

/* SPDX-License-Identifier: MIT */
/* bellhop status */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdint.h>

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static long long number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void print_uptime(long long s)
{
	if (s >= 86400) {
		printf("%lld d %lld h", s / 86400, s / 3600 % 24);
	} else if (s >= 3600) {
		printf("%lld h %lld min", s / 3600, s / 60 % 60);
	} else if (s >= 60) {
		printf("%lld min %lld s", s / 60, s % 60);
	} else {
		printf("%lld s", s);
	}
}

static void print_devices(const json_t *devices)
{
	static const char *const states[] = {"new",	"claimed", "notified",
					     "fetched", "stale",   "blocked"};
	const char *separator = ": ";

	printf("phones     %lld", number(devices, "total"));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (number(devices, states[i]) > 0) {
			printf("%s%lld %s", separator, number(devices, states[i]), states[i]);
			separator = ", ";
		}
	}
	putchar('\n');
}

/* Only what happened at all; where the terminal ends a line goes on below. */
static void print_group(const char *group, json_t *reasons, size_t terminal)
{
	const char *reason;
	json_t *count;
	size_t at = 0;

	json_object_foreach(reasons, reason, count)
	{
		char text[96];
		size_t length;

		if (json_integer_value(count) <= 0) {
			continue;
		}
		length = (size_t)snprintf(text, sizeof(text), "%s %lld", reason,
					  (long long)json_integer_value(count));
		if (at == 0) {
			at = (size_t)printf("%-10s %s", group, text);
		} else if (at + length + 3 <= terminal) {
			at += (size_t)printf(", %s", text);
		} else {
			at = length + 11;
			printf(",\n%-10s %s", "", text);
		}
	}
	if (at > 0) {
		putchar('\n');
	}
}

static void print_counters(json_t *counters)
{
	size_t terminal = table_terminal_width();
	const char *group;
	json_t *reasons;

	json_object_foreach(counters, group, reasons)
	{
		print_group(group, reasons, terminal);
	}
}

static void print_line(const char *title, const char *text)
{
	printf("%-10s ", title);
	(void)table_put(text);
	putchar('\n');
}

static void print_status(json_t *status)
{
	const json_t *row;
	size_t i;

	printf("bellhopd %s, process %lld, up ", member(status, "version"), number(status, "pid"));
	print_uptime(number(status, "uptime_s"));
	printf(" (since %s)\n", member(status, "since"));
	print_line("data", member(status, "data"));
	json_array_foreach(json_object_get(status, "listeners"), i, row)
	{
		printf("%-10s %s %s\n", i == 0 ? "listening" : "", member(row, "door"),
		       member(row, "address"));
	}
	print_devices(json_object_get(status, "devices"));
	printf("profiles   %lld\n", number(status, "profiles"));
	printf("files      %lld\n", number(status, "files"));
	print_counters(json_object_get(status, "counters"));
	json_array_foreach(json_object_get(status, "warnings"), i, row)
	{
		print_line("warning", json_string_value(row));
	}
}

int run_status(const struct arguments *arguments)
{
	json_t *reply = NULL;
	int result = client_ask(arguments, "GET", "/api/v1/status", NULL, &reply);

	return print_reply(arguments, result, reply, print_status);
}

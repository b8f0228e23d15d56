/* SPDX-License-Identifier: MIT */
/* bellhop events */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { retry_ms = 1000, catch_up_max = 10000, look_back = 1000 };

struct reading {
	const struct arguments *arguments;
	/* Of the events printed: the greatest of each; 0 and "": none yet. */
	json_int_t last_id;
	char last_time[32];
};

/* TIME LEVEL REASON [MAC] [SOURCE] TEXT */
static void print_event(const json_t *event)
{
	static const char *const members[] = {"time", "level", "reason", "mac", "source"};
	char number[table_number_size];

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = table_text(json_object_get(event, members[i]), number);

		if (*text) {
			(void)table_put(text);
			putchar(' ');
		}
	}
	(void)table_put(table_text(json_object_get(event, "text"), number));
	putchar('\n');
}

/*
 * A server that was killed may have told us of events that it had not written yet: their numbers
 * then come again, at a later time.
 */
static bool is_news(struct reading *reading, const json_t *event)
{
	json_int_t id = json_integer_value(json_object_get(event, "id"));
	const char *when = json_string_value(json_object_get(event, "time"));
	bool is_later = when && strcmp(when, reading->last_time) > 0;
	bool is_new = id > reading->last_id || is_later;

	reading->last_id = id > reading->last_id ? id : reading->last_id;
	if (is_later) {
		snprintf(reading->last_time, sizeof(reading->last_time), "%s", when);
	}
	return is_new;
}

/* False: nobody reads them any more. */
static bool take_line(void *context, const char *line)
{
	struct reading *reading = context;
	json_t *event = json_loads(line, JSON_ALLOW_NUL, NULL);

	if (!is_news(reading, event)) {
		json_decref(event);
		return true;
	}
	if (argument(reading->arguments, OPTION_JSON)) {
		puts(line);
	} else {
		print_event(event);
	}
	json_decref(event);
	return fflush(stdout) == 0;
}

static enum stream_end read_events(struct reading *reading)
{
	const struct arguments *arguments = reading->arguments;
	bool is_follow = argument(arguments, OPTION_FOLLOW) != NULL;
	struct text path = {.data = NULL};
	static const char start[] = "/api/v1/events";
	const char *limit = argument(arguments, OPTION_LIMIT);
	char after[24] = "";
	char most[24];
	enum stream_end end = STREAM_REFUSED;

	if (reading->last_id > 0) {
		/* Once more: what came meanwhile, and what is_news is there for. */
		json_int_t from = reading->last_id > look_back ? reading->last_id - look_back : 0;

		snprintf(after, sizeof(after), "%" JSON_INTEGER_FORMAT, from);
		snprintf(most, sizeof(most), "%d", catch_up_max);
		limit = most;
	}
	if (text_add(&path, start, sizeof(start) - 1) < 0 ||
	    text_add_parameter(&path, "follow", is_follow ? "1" : NULL) < 0 ||
	    text_add_parameter(&path, "device", argument(arguments, OPTION_DEVICE)) < 0 ||
	    text_add_parameter(&path, "after", after[0] ? after : NULL) < 0 ||
	    text_add_parameter(&path, "limit", limit) < 0) {
		(void)fail("out of memory");
	} else {
		end = client_stream(arguments, path.data, take_line, reading);
	}
	free(path.data);
	return end;
}

/* A second goes by; false: whoever reads our output is gone. */
static bool wait_a_little(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, retry_ms) <= 0 || !(out.revents & (POLLERR | POLLNVAL));
}

/* A server that is restarted is waited for, however long: whoever follows wants to know of it. */
static int follow(struct reading *reading)
{
	enum stream_end end = read_events(reading);

	while (end == STREAM_WHOLE || end == STREAM_CUT) {
		say("the server has ended the stream; waiting until it is back (Ctrl-C ends this)");
		do {
			if (!wait_a_little()) {
				return EXIT_FAILED;
			}
			say_quiet(true);
			end = read_events(reading);
			say_quiet(false);
		} while (end == STREAM_UNREACHABLE);
	}
	return EXIT_FAILED;
}

int run_events(const struct arguments *arguments)
{
	struct reading reading = {.arguments = arguments};

	if (argument(arguments, OPTION_FOLLOW)) {
		return follow(&reading);
	}
	switch (read_events(&reading)) {
	case STREAM_WHOLE:
		return EXIT_DONE;
	case STREAM_CUT:
		return fail("the server went away before it had told all; try again");
	case STREAM_STOPPED:
	case STREAM_REFUSED:
	case STREAM_UNREACHABLE:
		break;
	}
	return EXIT_FAILED;
}

/* --- The road of one device. --- */

/* TIME TEXT; the reason before what is no change of its state. */
static bool print_step(void *context, const char *line)
{
	json_t *event = json_loads(line, JSON_ALLOW_NUL, NULL);
	const char *reason = json_string_value(json_object_get(event, "reason"));
	char number[table_number_size];

	if (argument(context, OPTION_JSON)) {
		puts(line);
	} else {
		(void)table_put(table_text(json_object_get(event, "time"), number));
		putchar(' ');
		if (reason && strcmp(reason, "state") != 0) {
			(void)table_put(reason);
			putchar(' ');
		}
		(void)table_put(table_text(json_object_get(event, "text"), number));
		putchar('\n');
	}
	json_decref(event);
	return fflush(stdout) == 0;
}

int run_device_history(const struct arguments *arguments)
{
	static const char start[] = "/api/v1/events";
	struct text path = {.data = NULL};
	struct arguments copy = *arguments;
	char most[24];
	enum stream_end end = STREAM_REFUSED;

	snprintf(most, sizeof(most), "%d", catch_up_max);
	if (text_add(&path, start, sizeof(start) - 1) < 0 ||
	    text_add_parameter(&path, "device", arguments->words[0]) < 0 ||
	    text_add_parameter(&path, "limit", most) < 0) {
		(void)fail("out of memory");
	} else {
		end = client_stream(arguments, path.data, print_step, &copy);
	}
	free(path.data);
	return end == STREAM_CUT ? fail("the server went away before it had told all; try again")
	       : end == STREAM_WHOLE ? EXIT_DONE
				     : EXIT_FAILED;
}

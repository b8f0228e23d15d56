/* SPDX-License-Identifier: MIT */
/* bellhop events */
#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <stdlib.h>

/* TIME LEVEL REASON [MAC] [SOURCE] TEXT; false: nobody reads it any more. */
static bool print_event(void *context, const char *line)
{
	static const char *const members[] = {"time", "level", "reason", "mac", "source"};
	const struct arguments *arguments = context;
	json_t *event;
	char number[24];

	if (argument(arguments, OPTION_JSON)) {
		puts(line);
		return fflush(stdout) == 0;
	}
	event = json_loads(line, 0, NULL);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = table_text(json_object_get(event, members[i]), number);

		if (*text) {
			(void)table_put(text);
			putchar(' ');
		}
	}
	(void)table_put(table_text(json_object_get(event, "text"), number));
	putchar('\n');
	json_decref(event);
	return fflush(stdout) == 0;
}

int run_events(const struct arguments *arguments)
{
	bool is_follow = argument(arguments, OPTION_FOLLOW) != NULL;
	struct text path = {.data = NULL};
	static const char start[] = "/api/v1/events";
	struct arguments copy = *arguments;
	int result;

	if (text_add(&path, start, sizeof(start) - 1) < 0 ||
	    text_add_parameter(&path, "follow", is_follow ? "1" : NULL) < 0 ||
	    text_add_parameter(&path, "device", argument(arguments, OPTION_DEVICE)) < 0 ||
	    text_add_parameter(&path, "limit", argument(arguments, OPTION_LIMIT)) < 0) {
		result = fail("out of memory");
	} else {
		result = client_stream(arguments, path.data, print_event, &copy);
	}
	free(path.data);
	if (result == EXIT_DONE && is_follow) {
		result = fail("the server has ended the stream; is it being restarted?");
	}
	return result;
}

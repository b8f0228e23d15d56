/* SPDX-License-Identifier: MIT */
/*
 * The test frame: a test program is a list of named functions, prints TAP, and goes on after a
 * failed check, so that one run shows every fault.
 *
 *	static void parses_zero(void) { CHECK_EQUAL(0, f("0")); }
 *	int main(void) { RUN(parses_zero); return test_end(); }
 */
#ifndef BELLHOP_TESTS_TEST_H
#define BELLHOP_TESTS_TEST_H

#include "core/base/span.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned test_count;
static unsigned test_failed_count;
static bool test_is_failed;
static const char *test_skip_reason;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			test_is_failed = true;                                                     \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
		}                                                                                  \
	} while (0)

/* As CHECK, and leaves the test function when it does not hold. */
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			test_is_failed = true;                                                     \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define CHECK_EQUAL(expected, actual)                                                              \
	do {                                                                                       \
		intmax_t test_expected = (intmax_t)(expected);                                     \
		intmax_t test_actual = (intmax_t)(actual);                                         \
		if (test_expected != test_actual) {                                                \
			test_is_failed = true;                                                     \
			printf("# %s:%d: %s is %" PRIdMAX ", expected %" PRIdMAX "\n", __FILE__,   \
			       __LINE__, #actual, test_actual, test_expected);                     \
		}                                                                                  \
	} while (0)

/* Compares spans and shows both, with controls as escapes, when they differ. */
#define CHECK_SPAN(expected, actual) test_check_span(__FILE__, __LINE__, #actual, expected, actual)
#define CHECK_TEXT(expected, actual) CHECK_SPAN(span_text(expected), actual)

static inline void test_print_span(const char *label, struct span s)
{
	printf("#   %s (%zu bytes): ", label, s.length);
	for (size_t i = 0; i < s.length; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c == '\n') {
			printf("\\n\n#     ");
		} else if (c >= 0x20 && c < 0x7f) {
			putchar(c);
		} else {
			printf("\\x%02x", c);
		}
	}
	putchar('\n');
}

static inline void test_check_span(const char *file, int line, const char *what,
				   struct span expected, struct span actual)
{
	if (!span_equal(expected, actual)) {
		test_is_failed = true;
		printf("# %s:%d: %s differs\n", file, line, what);
		test_print_span("expected", expected);
		test_print_span("actual", actual);
	}
}

/* Marks the running test as skipped, with a constant reason. */
static inline void test_skip(const char *reason)
{
	test_skip_reason = reason;
}

static inline void test_run(const char *name, void (*function)(void))
{
	test_is_failed = false;
	test_skip_reason = NULL;
	function();
	test_count++;
	test_failed_count += test_is_failed;
	printf("%s %u - %s%s%s\n", test_is_failed ? "not ok" : "ok", test_count, name,
	       test_skip_reason ? " # SKIP " : "", test_skip_reason ? test_skip_reason : "");
	fflush(stdout);
}

#define RUN(function) test_run(#function, function)

static inline int test_end(void)
{
	printf("1..%u\n", test_count);
	return test_failed_count == 0 ? 0 : 1;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "core/http/conditional.h"

#include "core/base/time.h"
#include "tests/guard.h"
#include "tests/test.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the file's date, with a fraction that dates do not carry. */
static const uint64_t modified_ms = UINT64_C(784111777) * 1000 + 123;
static const uint64_t now_ms = UINT64_C(1795384546) * 1000;

struct pair {
	const char *name;
	const char *value;
};

enum { size = 1000 };

static struct http_ranges ranges; /* of the last evaluation */

static unsigned evaluate_at(enum http_method method, const struct pair *pairs, size_t count,
			    uint64_t utc_ms)
{
	struct http_request request = {.method = method};
	struct http_validators validators = {SPAN("\"abc\""), modified_ms, size};

	ranges.count = 0;
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].name) {
			request.headers[request.header_count++] =
				(struct http_header){span_text(pairs[i].name),
						     span_text(pairs[i].value)};
		}
	}
	return http_conditional(&request, &validators, utc_ms, &ranges);
}

static unsigned evaluate(enum http_method method, struct pair a, struct pair b)
{
	struct pair pairs[] = {a, b};

	return evaluate_at(method, pairs, 2, now_ms);
}

static unsigned one(const char *name, const char *value)
{
	return evaluate(METHOD_GET, (struct pair){name, value}, (struct pair){0});
}

static void r_http_7_if_none_match_compares_weakly(void)
{
	CHECK_EQUAL(304, one("If-None-Match", "\"abc\""));
	CHECK_EQUAL(304, one("If-None-Match", "W/\"abc\""));
	CHECK_EQUAL(304, one("If-None-Match", "*"));
	CHECK_EQUAL(304, one("if-none-match", "\"x\" , W/\"y\",,\"abc\""));
	CHECK_EQUAL(200, one("If-None-Match", "\"x\", \"y\""));
	CHECK_EQUAL(200, one("If-None-Match", "abc"));
	CHECK_EQUAL(200, one("If-None-Match", "\"abc"));
	CHECK_EQUAL(200, one("If-None-Match", ""));
	CHECK_EQUAL(200, one("If-None-Match", "\"a,\"abc\""));
	CHECK_EQUAL(412,
		    evaluate(METHOD_PUT, (struct pair){"If-None-Match", "*"}, (struct pair){0}));
}

static void r_http_8_if_none_match_hides_if_modified_since(void)
{
	CHECK_EQUAL(200,
		    evaluate(METHOD_GET, (struct pair){"If-None-Match", "\"x\""},
			     (struct pair){"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}));
}

static void r_http_9_10_if_modified_since(void)
{
	CHECK_EQUAL(304, one("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"));
	CHECK_EQUAL(304, one("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"));
	CHECK_EQUAL(304, one("If-Modified-Since", "Sun Nov  6 08:49:37 1994"));
	CHECK_EQUAL(304, one("If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT"));
	CHECK_EQUAL(200, one("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"));
	CHECK_EQUAL(200, one("If-Modified-Since", "yesterday"));
	CHECK_EQUAL(200,
		    evaluate(METHOD_POST,
			     (struct pair){"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"},
			     (struct pair){0}));
	/* RFC 9110 13.1.3: more than one member is no date. */
	CHECK_EQUAL(200,
		    evaluate(METHOD_GET,
			     (struct pair){"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"},
			     (struct pair){"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}));
}

static void r_http_11_if_match_compares_strongly(void)
{
	CHECK_EQUAL(200, one("If-Match", "\"abc\""));
	CHECK_EQUAL(200, one("If-Match", "*"));
	CHECK_EQUAL(412, one("If-Match", "W/\"abc\""));
	CHECK_EQUAL(412, one("If-Match", "\"x\""));
	CHECK_EQUAL(200, one("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"));
	CHECK_EQUAL(412, one("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"));
	CHECK_EQUAL(200, one("If-Unmodified-Since", "never"));
}

static void r_http_12_order(void)
{
	CHECK_EQUAL(412, evaluate(METHOD_GET, (struct pair){"If-None-Match", "\"abc\""},
				  (struct pair){"If-Match", "\"x\""}));
	CHECK_EQUAL(304, evaluate(METHOD_GET, (struct pair){"If-None-Match", "\"abc\""},
				  (struct pair){"If-Match", "\"abc\""}));
	CHECK_EQUAL(200, evaluate(METHOD_GET, (struct pair){"If-Match", "\"abc\""},
				  (struct pair){"If-Unmodified-Since",
						"Sun, 06 Nov 1994 08:49:36 GMT"}));
}

/* Each step decides before the ones after it are looked at (RFC 9110 13.2.2). */
static void r_http_12_order_of_all_five_steps(void)
{
	static const struct pair other_tag = {"If-Match", "\"x\""};
	static const struct pair too_old = {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"};
	static const struct pair had_tag = {"If-None-Match", "\"abc\""};
	static const struct pair had_date = {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"};
	static const struct pair other_range = {"If-Range", "\"x\""};
	static const struct pair range = {"Range", "bytes=0-9"};
	static const struct pair beyond = {"Range", "bytes=1000-"};
	struct pair pairs[4];

	memcpy(pairs, (struct pair[]){beyond, other_range, had_tag, other_tag}, sizeof(pairs));
	CHECK_EQUAL(412, evaluate_at(METHOD_GET, pairs, 4, now_ms));
	CHECK_EQUAL(304, evaluate_at(METHOD_GET, pairs, 3, now_ms));
	CHECK_EQUAL(200, evaluate_at(METHOD_GET, pairs, 2, now_ms));
	CHECK_EQUAL(416, evaluate_at(METHOD_GET, pairs, 1, now_ms));
	memcpy(pairs, (struct pair[]){range, other_range, had_date, too_old}, sizeof(pairs));
	CHECK_EQUAL(412, evaluate_at(METHOD_GET, pairs, 4, now_ms));
	CHECK_EQUAL(304, evaluate_at(METHOD_GET, pairs, 3, now_ms));
	CHECK_EQUAL(200, evaluate_at(METHOD_GET, pairs, 2, now_ms));
	CHECK_EQUAL(206, evaluate_at(METHOD_GET, pairs, 1, now_ms));
	CHECK_EQUAL(1, ranges.count);
	CHECK_EQUAL(10, ranges.items[0].length);
}

static void r_http_14_range_is_for_get_alone_and_stands_once(void)
{
	struct pair range = {"Range", "bytes=0-9"};
	struct pair beyond = {"Range", "bytes=1000-"};

	CHECK_EQUAL(206, evaluate(METHOD_GET, range, (struct pair){0}));
	CHECK_EQUAL(200, evaluate(METHOD_HEAD, range, (struct pair){0}));
	CHECK_EQUAL(200, evaluate(METHOD_HEAD, beyond, (struct pair){0}));
	CHECK_EQUAL(200, evaluate(METHOD_POST, range, (struct pair){0}));
	CHECK_EQUAL(200, evaluate(METHOD_GET, range, range));
	CHECK_EQUAL(200, one("Range", "furlongs=0-9")); /* R-HTTP-15 */
	CHECK_EQUAL(416, one("range", "bytes=1000-"));	/* R-HTTP-18 */
}

static unsigned if_range(const char *value)
{
	return evaluate(METHOD_GET, (struct pair){"If-Range", value},
			(struct pair){"Range", "bytes=0-9"});
}

static void r_http_20_if_range(void)
{
	struct pair pairs[] = {{"If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"},
			       {"Range", "bytes=0-9"},
			       {"If-Range", "\"abc\""}};

	CHECK_EQUAL(206, if_range("\"abc\""));
	CHECK_EQUAL(200, if_range("W/\"abc\""));
	CHECK_EQUAL(200, if_range("\"x\""));
	CHECK_EQUAL(200, if_range("\"abc\", \"x\""));
	CHECK_EQUAL(200, if_range("*"));
	CHECK_EQUAL(200, if_range("abc"));
	CHECK_EQUAL(200, if_range(""));
	CHECK_EQUAL(206, if_range("Sun, 06 Nov 1994 08:49:37 GMT"));
	CHECK_EQUAL(206, if_range("Sunday, 06-Nov-94 08:49:37 GMT"));
	CHECK_EQUAL(200, if_range("Sun, 06 Nov 1994 08:49:36 GMT"));
	CHECK_EQUAL(200, if_range("Sun, 06 Nov 1994 08:49:38 GMT"));
	/* RFC 9110 8.8.2.2: within the second of its change a date is weak. */
	CHECK_EQUAL(200, evaluate_at(METHOD_GET, pairs, 2, modified_ms));
	CHECK_EQUAL(200, evaluate_at(METHOD_GET, pairs, 2, modified_ms + 876));
	CHECK_EQUAL(206, evaluate_at(METHOD_GET, pairs, 2, modified_ms + 877));
	CHECK_EQUAL(200, evaluate_at(METHOD_GET, pairs, 3, now_ms));
	/* Without Range it is not looked at (RFC 9110 13.1.5). */
	CHECK_EQUAL(200, one("If-Range", "\"x\""));
	CHECK_EQUAL(416, evaluate(METHOD_GET, (struct pair){"If-Range", "\"abc\""},
				  (struct pair){"Range", "bytes=1000-"}));
}

/* What is made anew for each phone has no date: only its tag can be asked for. */
static void r_http_20_without_a_date(void)
{
	struct http_request request = {.method = METHOD_GET,
				       .headers = {{SPAN("Range"), SPAN("bytes=0-9")},
						   {SPAN("If-Range"),
						    SPAN("Thu, 01 Jan 1970 00:00:00 GMT")}},
				       .header_count = 2};
	struct http_validators validators = {SPAN("\"abc\""), 0, size};

	CHECK_EQUAL(200, http_conditional(&request, &validators, now_ms, &ranges));
	request.headers[1].value = SPAN("\"abc\"");
	CHECK_EQUAL(206, http_conditional(&request, &validators, now_ms, &ranges));
}

/* One field's value, ending where memory ends. */
static void evaluate_prefix(struct span value, void *context)
{
	const struct http_validators validators = {SPAN("\"abc\""), modified_ms, size};
	struct http_request request = {.method = METHOD_GET, .header_count = 2};
	unsigned status;

	request.headers[0] = (struct http_header){*(const struct span *)context, value};
	request.headers[1] = (struct http_header){SPAN("Range"), SPAN("bytes=0-9")};
	status = http_conditional(&request, &validators, now_ms, &ranges);
	CHECK(status == 200 || status == 206 || status == 304 || status == 412);
}

static void no_field_is_read_beyond_its_end(void)
{
	struct span lists[] = {SPAN("If-Match"), SPAN("If-None-Match"), SPAN("If-Range")};
	struct span dates[] = {SPAN("If-Modified-Since"), SPAN("If-Unmodified-Since"),
			       SPAN("If-Range")};

	for (size_t i = 0; i < 3; i++) {
		guard_each_prefix(SPAN("W/\"x\", \"y\" ,,*, \"abc\""), evaluate_prefix, &lists[i]);
		guard_each_prefix(SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), evaluate_prefix,
				  &dates[i]);
		guard_each_prefix(SPAN("Sunday, 06-Nov-94 08:49:37 GMT"), evaluate_prefix,
				  &dates[i]);
		guard_each_prefix(SPAN("Sun Nov  6 08:49:37 1994"), evaluate_prefix, &dates[i]);
	}
}

int main(void)
{
	RUN(r_http_7_if_none_match_compares_weakly);
	RUN(r_http_8_if_none_match_hides_if_modified_since);
	RUN(r_http_9_10_if_modified_since);
	RUN(r_http_11_if_match_compares_strongly);
	RUN(r_http_12_order);
	RUN(r_http_12_order_of_all_five_steps);
	RUN(r_http_14_range_is_for_get_alone_and_stands_once);
	RUN(r_http_20_if_range);
	RUN(r_http_20_without_a_date);
	RUN(no_field_is_read_beyond_its_end);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/http/conditional.h"

#include "core/base/time.h"
#include "tests/test.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the file's date, with a fraction that dates do not carry. */
static const uint64_t modified_ms = UINT64_C(784111777) * 1000 + 123;
static const uint64_t now_ms = UINT64_C(1795384546) * 1000;

struct pair {
	const char *name;
	const char *value;
};

static unsigned evaluate(enum http_method method, struct pair a, struct pair b)
{
	struct http_request request = {.method = method};
	struct http_validators validators = {SPAN("\"abc\""), modified_ms};
	struct pair pairs[] = {a, b};

	for (size_t i = 0; i < 2; i++) {
		if (pairs[i].name) {
			request.headers[request.header_count++] =
				(struct http_header){span_text(pairs[i].name),
						     span_text(pairs[i].value)};
		}
	}
	return http_conditional(&request, &validators, now_ms);
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

int main(void)
{
	RUN(r_http_7_if_none_match_compares_weakly);
	RUN(r_http_8_if_none_match_hides_if_modified_since);
	RUN(r_http_9_10_if_modified_since);
	RUN(r_http_11_if_match_compares_strongly);
	RUN(r_http_12_order);
	return test_end();
}

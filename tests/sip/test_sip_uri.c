/* SPDX-License-Identifier: MIT */
#include "core/sip/uri.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

struct uri_case {
	const char *text;
	int error;
	const char *user; /* NULL: has none */
	const char *host;
	unsigned port;
	const char *parameters;
};

static const struct uri_case uri_cases[] = {
	{"sip:example.org", 0, NULL, "example.org", 0, ""},
	{"SIP:a@example.org", 0, "a", "example.org", 0, ""},
	{"sips:a@example.org:5062", 0, "a", "example.org", 5062, ""},
	{"sip:224.0.1.75:5060", 0, NULL, "224.0.1.75", 5060, ""},
	{"sip:MAC%3a00135E874B49@h", 0, "MAC%3a00135E874B49", "h", 0, ""},
	{"sip:MAC=00304fa99948@224.0.1.75", 0, "MAC=00304fa99948", "224.0.1.75", 0, ""},
	{"sip:a;b=c@h;lr;x=%20", 0, "a;b=c", "h", 0, ";lr;x=%20"},
	{"sip:a@h?subject=x&to=%3Csip:b%3E", 0, "a", "h", 0, ""},
	{"sip:a@h;p/q=r:s", 0, "a", "h", 0, ";p/q=r:s"},
	{"sip:_sipuaconfig.example.org", 0, NULL, "_sipuaconfig.example.org", 0, ""},
	{"sip:[2001:db8::10]:5070", 0, NULL, "[2001:db8::10]", 5070, ""},
	{"sip:[2001:db8::10:5070]", 0, NULL, "[2001:db8::10:5070]", 0, ""},	  /* RFC 5118 4.3 */
	{"sip:[2001:db8:::192.0.2.1]", 0, NULL, "[2001:db8:::192.0.2.1]", 0, ""}, /* 4.10 */
	{"sip:1.2.3.4.5", 0, NULL, "1.2.3.4.5", 0, ""},				  /* a name */
	{"sip:256.0.0.1", 0, NULL, "256.0.0.1", 0, ""},				  /* a name */
	{"sip:h:00005060", 0, NULL, "h", 5060, ""},
	{"sip:h:65535", 0, NULL, "h", 65535, ""},
	{"sip:", -ENODATA, NULL, "", 0, ""},
	{"sip:a@", -ENODATA, "a", "", 0, ""},
	{"sip:a@;x=y", -ENODATA, "a", "", 0, ";x=y"},
	{"", -EINVAL, NULL, NULL, 0, NULL},
	{"sip", -EINVAL, NULL, NULL, 0, NULL},
	{"example.org", -EINVAL, NULL, NULL, 0, NULL},
	{":x", -EINVAL, NULL, NULL, 0, NULL},
	{"1sip:x", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:@h", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a b@h", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h h", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h:", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h:65536", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h:-1", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h:99999999999999999999", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a%4@h", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a%@h", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h;x=%zz", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:2001:db8::10", -EINVAL, NULL, NULL, 0, NULL}, /* RFC 5118 4.2 */
	{"sip:[2001:db8::10", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:[1.2.3.4]", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:[:::::]", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:<a@h>", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a\"@h", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h;lr;LR", -EINVAL, NULL, NULL, 0, NULL}, /* R-3261-11 */
	{"sip:a@h;", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h;;", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@h?", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a@b@c", -EINVAL, NULL, NULL, 0, NULL},
	{"sip:a\xc3\xa4@h", -EINVAL, NULL, NULL, 0, NULL},
};

static void r_3261_3_uris(void)
{
	for (size_t i = 0; i < sizeof(uri_cases) / sizeof(uri_cases[0]); i++) {
		const struct uri_case *c = &uri_cases[i];
		struct sip_uri uri = {.port = 4711};
		int error = sip_uri_parse(span_text(c->text), &uri);

		if (error != c->error) {
			printf("# %s\n", c->text);
		}
		CHECK_EQUAL(c->error, error);
		if (error == -EINVAL) {
			CHECK_EQUAL(4711, uri.port); /* untouched */
			continue;
		}
		CHECK_TEXT(c->text, uri.text);
		CHECK(uri.has_user == (c->user != NULL));
		CHECK_TEXT(c->user ? c->user : "", uri.user);
		CHECK_TEXT(c->host, uri.host.text);
		CHECK_EQUAL(c->port, uri.port);
		CHECK_TEXT(c->parameters, uri.parameters.text);
	}
}

static void other_schemes_are_opaque(void)
{
	static const char *const good[] = {"tel:+1-201-555-0123;phone-context=x",
					   "urn:uuid:00000000-0000-1000-0000-00908f112233",
					   "http://h/x?y#z", "soap.beep://192.0.2.103:3002",
					   "nobodyKnowsThisScheme:totallyopaquecontent"};
	static const char *const bad[] = {"tel:", "urn:a b", "x:<y>", "x:a%4"};
	struct sip_uri uri;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK_EQUAL(0, sip_uri_parse(span_text(good[i]), &uri));
		CHECK_EQUAL(SIP_SCHEME_OTHER, uri.scheme);
		CHECK_EQUAL(uri.text.length, uri.scheme_text.length + 1 + uri.opaque.length);
		CHECK_EQUAL(SIP_HOST_NONE, uri.host.kind);
	}
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQUAL(-EINVAL, sip_uri_parse(span_text(bad[i]), &uri));
	}
}

static void r_3261_15_unescape_once(void)
{
	const struct {
		const char *text;
		struct span plain;
	} cases[] = {
		{"MAC%3a00", SPAN("MAC:00")}, {"a%00b", SPAN("a\0b")},
		{"%2541", SPAN("%41")},	      {"%", SPAN("%")},
		{"a%4", SPAN("a%4")},	      {"%zz", SPAN("%zz")},
		{"%c3%A4", SPAN("\xc3\xa4")}, {"", SPAN("")},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		struct writer w = writer_over(text, sizeof(text));

		sip_write_unescaped(&w, span_text(cases[i].text));
		CHECK_SPAN(cases[i].plain, writer_span(&w));
	}
}

static void hosts_are_compared_by_meaning(void)
{
	static const struct {
		const char *a;
		const char *b;
		bool is_same;
	} cases[] = {
		{"Example.ORG", "example.org", true},	    {"example.org", "example.com", false},
		{"[2001:db8::1]", "[2001:DB8:0::1]", true}, {"10.0.0.1", "10.0.0.2", false},
		{"10.0.0.1", "10.0.0.1x", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_host a;
		struct sip_host b;

		CHECK_EQUAL(0, sip_host_parse(span_text(cases[i].a), &a));
		CHECK_EQUAL(0, sip_host_parse(span_text(cases[i].b), &b));
		CHECK(sip_host_equal(&a, &b) == cases[i].is_same);
	}
}

static void default_ports(void)
{
	struct sip_uri uri;

	CHECK_EQUAL(0, sip_uri_parse(SPAN("sip:h"), &uri));
	CHECK_EQUAL(5060, sip_uri_port(&uri));
	CHECK_EQUAL(0, sip_uri_parse(SPAN("sips:h"), &uri));
	CHECK_EQUAL(5061, sip_uri_port(&uri));
	CHECK_EQUAL(0, sip_uri_parse(SPAN("sip:h:5059"), &uri));
	CHECK_EQUAL(5059, sip_uri_port(&uri));
}

static void parse_only(struct span input, void *context)
{
	struct sip_uri uri;

	(void)context;
	sip_uri_parse(input, &uri);
}

static void nothing_is_read_past_the_end(void)
{
	for (size_t i = 0; i < sizeof(uri_cases) / sizeof(uri_cases[0]); i++) {
		guard_each_prefix(span_text(uri_cases[i].text), parse_only, NULL);
	}
}

int main(void)
{
	RUN(r_3261_3_uris);
	RUN(other_schemes_are_opaque);
	RUN(r_3261_15_unescape_once);
	RUN(hosts_are_compared_by_meaning);
	RUN(default_ports);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
/* The typed parsers of header values, table by table. */
#include "core/sip/contact.h"
#include "core/sip/message.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void r_3261_95_via_values(void)
{
	static const struct {
		const char *text;
		int error;
		const char *transport;
		const char *host;
		unsigned port;
		const char *branch;
		bool has_rport;
	} cases[] = {
		{"SIP/2.0/UDP h", 0, "UDP", "h", 5060, "", false},
		{"SIP/2.0/UDP 10.1.2.3:5059;branch=z9hG4bK1", 0, "UDP", "10.1.2.3", 5059,
		 "z9hG4bK1", false},
		{"SIP/2.0/UDP h;rport", 0, "UDP", "h", 5060, "", true},
		{"sip/2.0/udp h;RPORT=5;Branch=x", 0, "udp", "h", 5060, "x", true},
		{"SIP / 2.0\r\n / TCP\t[::1] : 5070 ; branch = z9hG4bKa", 0, "TCP", "[::1]", 5070,
		 "z9hG4bKa", false},
		{"SIP/2.0/TLS h", 0, "TLS", "h", 5061, "", false},
		{"SIP/7.0/UNKNOWN h;x=\"a,b\";y", 0, "UNKNOWN", "h", 5060, "", false},
		{"SIP/2.0/UDP h;received=192.0.2.1;ttl=255;maddr=224.0.1.75", 0, "UDP", "h", 5060,
		 "", false},
		{"SIP/2.0/UDP h;received=2001:db8::1", 0, "UDP", "h", 5060, "", false},
		{"SIP/2.0/UDP h;received=[2001:db8::1]", 0, "UDP", "h", 5060, "", false},
		{"", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP ", -EINVAL, NULL, NULL, 0, NULL, false},
		{"HTTP/2.0/UDP h", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0 UDP h", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h:", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h:65536", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;;", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;branch=", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;branch=\"x\"", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;branch=a@b", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;branch=a;branch=b", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;ttl=256", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;received=name", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h;x=\"a", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP h h", -EINVAL, NULL, NULL, 0, NULL, false},
		{"SIP/2.0/UDP 2001:db8::1", -EINVAL, NULL, NULL, 0, NULL, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span rest = span_text(cases[i].text);
		struct sip_via via;
		int error = sip_via_parse(&rest, &via);

		if (error != cases[i].error) {
			printf("# %s\n", cases[i].text);
		}
		CHECK_EQUAL(cases[i].error, error);
		if (error == 0) {
			CHECK_TEXT(cases[i].transport, via.transport);
			CHECK_TEXT(cases[i].host, via.host.text);
			CHECK_EQUAL(cases[i].port, sip_via_port(&via));
			CHECK_TEXT(cases[i].branch, via.branch);
			CHECK(via.has_rport == cases[i].has_rport);
			CHECK_EQUAL(0, rest.length);
		} else {
			CHECK_TEXT(cases[i].text, rest);
		}
	}
}

static void via_cookie_is_a_token_in_any_case(void)
{
	struct span rest = SPAN("SIP/2.0/UDP h;branch=Z9HG4BKx");
	struct sip_via via;

	CHECK_EQUAL(0, sip_via_parse(&rest, &via));
	CHECK(via.has_cookie);
	rest = SPAN("SIP/2.0/UDP h;branch=z9hG4b");
	CHECK_EQUAL(0, sip_via_parse(&rest, &via));
	CHECK(!via.has_cookie);
}

static void broken_via_still_says_who_sent_it(void)
{
	struct span rest = SPAN("SIP/2.0/UDP 10.0.0.1:99999;x");
	struct sip_via via;

	CHECK_EQUAL(-EINVAL, sip_via_parse(&rest, &via));
	CHECK_EQUAL(SIP_HOST_IPV4, via.host.kind);
	rest = SPAN("SIP/2.0/UDP ;x");
	CHECK_EQUAL(-EINVAL, sip_via_parse(&rest, &via));
	CHECK_EQUAL(SIP_HOST_NONE, via.host.kind);
}

static void r_3261_16_name_addresses(void)
{
	static const struct {
		const char *text;
		int error;
		const char *display_name;
		const char *uri;
		const char *tag;
	} cases[] = {
		{"<sip:a@h>", 0, "", "sip:a@h", ""},
		{"<sip:a@h>;tag=1", 0, "", "sip:a@h", "1"},
		{"<sip:a@h;x=y?b=c>;TAG = 1", 0, "", "sip:a@h;x=y?b=c", "1"},
		{"sip:a@h;tag=1", 0, "", "sip:a@h", "1"},
		{"sip:a@h ; tag=1", 0, "", "sip:a@h", "1"},
		{"Bob <sip:a@h>", 0, "Bob", "sip:a@h", ""},
		{"Bob  B. Bobson\t<sip:a@h>", 0, "Bob  B. Bobson", "sip:a@h", ""},
		{"caller<sip:a@h>", 0, "caller", "sip:a@h", ""}, /* RFC 4475 3.1.1.6 */
		{"\"a \\\" <,;> \\\\\" <sip:a@h>;tag=x", 0, "\"a \\\" <,;> \\\\\"", "sip:a@h", "x"},
		{"\"\"<sip:a@h>", 0, "\"\"", "sip:a@h", ""},
		{"J\xc3\xbcrgen <sip:a@h>", 0, "J\xc3\xbcrgen", "sip:a@h", ""},
		{"\r\n \"x\"\r\n\t<sip:a@h>\r\n ;\r\n tag\r\n =\r\n 1", 0, "\"x\"", "sip:a@h", "1"},
		{"<sip:0011@>", 0, "", "sip:0011@", ""}, /* R-DRAFT-17 */
		{"<tel:+1>;tag=2", 0, "", "tel:+1", "2"},
		{"", -EINVAL, NULL, NULL, NULL},
		{"<>", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h", -EINVAL, NULL, NULL, NULL},
		{"sip:a@h>", -EINVAL, NULL, NULL, NULL},
		{"< sip:a@h >", -EINVAL, NULL, NULL, NULL}, /* RFC 4475 3.1.2.14 */
		{"a@h", -EINVAL, NULL, NULL, NULL},
		{"sip:a@h?x=y", -EINVAL, NULL, NULL, NULL},
		{"Bell, A. <sip:a@h>", -EINVAL, NULL, NULL, NULL}, /* 3.1.2.15 */
		{"\"a <sip:a@h>", -EINVAL, NULL, NULL, NULL},	   /* 3.1.2.6 */
		{"\"a\\", -EINVAL, NULL, NULL, NULL},
		{"\"a\"sip:a@h", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h>;tag", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h>;tag=", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h>;tag=\"x\"", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h>;tag=1;tag=2", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h>;", -EINVAL, NULL, NULL, NULL},
		{"<sip:a@h> x", -EINVAL, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span rest = span_text(cases[i].text);
		struct sip_name_address value;
		int error = sip_name_address_parse(&rest, &value);

		if (error != cases[i].error) {
			printf("# %s\n", cases[i].text);
		}
		CHECK_EQUAL(cases[i].error, error);
		if (error == 0) {
			CHECK_TEXT(cases[i].display_name, value.display_name);
			CHECK_TEXT(cases[i].uri, value.uri.text);
			CHECK_TEXT(cases[i].tag, value.tag);
			CHECK(value.has_tag == (cases[i].tag[0] != 0));
		}
	}
}

static void r_3261_9_contact_lists(void)
{
	struct span rest = SPAN("\"a,b\" <sip:a,x@h>;q=0.25;expires=60 , sip:b@h;expires=x,*");
	struct sip_contact contact;

	CHECK_EQUAL(0, sip_contact_parse(&rest, &contact));
	CHECK_EQUAL(250, contact.quality);
	CHECK(contact.has_expires && contact.expires_s == 60);
	CHECK_TEXT("\"a,b\" <sip:a,x@h>;q=0.25;expires=60", contact.address.text);
	CHECK_EQUAL(0, sip_contact_parse(&rest, &contact));
	CHECK_TEXT("sip:b@h;expires=x", contact.address.text);
	CHECK(!contact.has_expires);
	CHECK_EQUAL(0, sip_contact_parse(&rest, &contact));
	CHECK(contact.is_star);
	rest = SPAN("<sip:a@h>;q=1.5");
	CHECK_EQUAL(-EINVAL, sip_contact_parse(&rest, &contact));
}

static void r_draft_7_events(void)
{
	static const struct {
		const char *text;
		int error;
		const char *type;
		const char *profile_type;
		const char *vendor;
		const char *model;
		const char *version;
	} cases[] = {
		{"ua-profile", 0, "ua-profile", "", "", "", ""},
		{"ua-profile;profile-type=\"device\";vendor=\"V\";model=\"M 1\";version=\"1_2\"", 0,
		 "ua-profile", "device", "V", "M 1", "1_2"},
		{"ua-profile ; profile-type = device;vendor=V", 0, "ua-profile", "device", "V", "",
		 ""},
		{"ua-profile;vender=\"P\"", 0, "ua-profile", "", "P", "", ""},
		{"ua-profile;vend0r=\"P\"", 0, "ua-profile", "", "P", "", ""},
		{"ua-profile;vender=\"P\";vendor=\"V\"", 0, "ua-profile", "", "V", "", ""},
		{"ua-profile;vendor=\"V\";vender=\"P\"", 0, "ua-profile", "", "V", "", ""},
		{"presence.winfo;id=7", 0, "presence.winfo", "", "", "", ""},
		{"ua-profile;model=\"a\\\"b;c\"", 0, "ua-profile", "", "", "a\\\"b;c", ""},
		{"ua-profile;document=\"/d\";auid=\"x\";network-user=<", -EINVAL, NULL, NULL, NULL,
		 NULL, NULL},
		{"", -EINVAL, NULL, NULL, NULL, NULL, NULL},
		{";x", -EINVAL, NULL, NULL, NULL, NULL, NULL},
		{"ua-profile,presence", -EINVAL, NULL, NULL, NULL, NULL, NULL}, /* R-6665-56 */
		{"ua-profile;model=\"a", -EINVAL, NULL, NULL, NULL, NULL, NULL},
		{"ua-profile;model=a;MODEL=b", -EINVAL, NULL, NULL, NULL, NULL, NULL},
		{"ua profile", -EINVAL, NULL, NULL, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sip_event event;
		int error = sip_event_parse(span_text(cases[i].text), &event);

		if (error != cases[i].error) {
			printf("# %s\n", cases[i].text);
		}
		CHECK_EQUAL(cases[i].error, error);
		if (error == 0) {
			CHECK_TEXT(cases[i].type, event.type);
			CHECK_TEXT(cases[i].profile_type, event.profile_type);
			CHECK_TEXT(cases[i].vendor, event.vendor);
			CHECK_TEXT(cases[i].model, event.model);
			CHECK_TEXT(cases[i].version, event.version);
		}
	}
}

static void r_6080_80_effective_by(void)
{
	struct sip_event event;

	CHECK_EQUAL(0, sip_event_parse(SPAN("ua-profile;effective-by=0"), &event));
	CHECK(event.has_effective_by && event.effective_by_s == 0);
	CHECK_EQUAL(0, sip_event_parse(SPAN("ua-profile;effective-by=4294967295;id=9"), &event));
	CHECK(event.effective_by_s == UINT32_MAX);
	CHECK_TEXT("9", event.id);
	CHECK_EQUAL(0, sip_event_parse(SPAN("ua-profile;effective-by=4294967296"), &event));
	CHECK(!event.has_effective_by);
}

static void too_many_parameters_are_refused(void)
{
	char text[1024];
	struct writer w = writer_over(text, sizeof(text));
	struct sip_event event;

	writer_text(&w, "ua-profile");
	for (unsigned i = 0; i < sip_parameters_max; i++) {
		writer_text(&w, ";p");
		writer_unsigned(&w, i);
	}
	CHECK_EQUAL(0, sip_event_parse(writer_span(&w), &event));
	writer_text(&w, ";one-more");
	CHECK_EQUAL(-EINVAL, sip_event_parse(writer_span(&w), &event));
}

static void subscription_states(void)
{
	struct sip_subscription_state state;

	CHECK_EQUAL(0, sip_subscription_state_parse(SPAN("terminated;reason=timeout"), &state));
	CHECK_EQUAL(SIP_SUBSTATE_TERMINATED, state.state);
	CHECK_TEXT("timeout", state.reason);
	CHECK_EQUAL(0, sip_subscription_state_parse(SPAN("Active ; expires = 60"), &state));
	CHECK(state.state == SIP_SUBSTATE_ACTIVE && state.has_expires && state.expires_s == 60);
	CHECK_EQUAL(0, sip_subscription_state_parse(SPAN("pending;retry-after=5"), &state));
	CHECK(state.state == SIP_SUBSTATE_PENDING && state.retry_after_s == 5);
	CHECK_EQUAL(0, sip_subscription_state_parse(SPAN("resting"), &state));
	CHECK_EQUAL(SIP_SUBSTATE_EXTENSION, state.state);
	CHECK_EQUAL(-EINVAL, sip_subscription_state_parse(SPAN(""), &state));
	CHECK_EQUAL(-EINVAL, sip_subscription_state_parse(SPAN("active;expires=x"), &state));
	CHECK_EQUAL(-EINVAL,
		    sip_subscription_state_parse(SPAN("active;expires=4294967296"), &state));
	CHECK_EQUAL(-EINVAL, sip_subscription_state_parse(SPAN("active, pending"), &state));
}

static void authorizations(void)
{
	struct sip_authorization a;

	CHECK_EQUAL(
		0,
		sip_authorization_parse(
			SPAN("Digest username=\"a,b\", realm=\"r\",\r\n nonce=\"n\", uri=\"sip:h\""
			     ", response=\"0f\", nc=00000001, qop=auth, algorithm=SHA-256"),
			&a));
	CHECK_TEXT("Digest", a.scheme);
	CHECK_TEXT("a,b", a.username);
	CHECK_TEXT("sip:h", a.uri);
	CHECK_TEXT("00000001", a.nonce_count);
	CHECK_TEXT("SHA-256", a.algorithm);
	CHECK_EQUAL(0, sip_authorization_parse(SPAN("NoOneKnowsThis opaque-data=here"), &a));
	CHECK_EQUAL(-EINVAL, sip_authorization_parse(SPAN("Digest"), &a));
	CHECK_EQUAL(-EINVAL, sip_authorization_parse(SPAN("Digest a=1, A=2"), &a));
	CHECK_EQUAL(-EINVAL, sip_authorization_parse(SPAN("Digest a=\"1"), &a));
	CHECK_EQUAL(-EINVAL, sip_authorization_parse(SPAN("Digest a"), &a));
	CHECK_EQUAL(-EINVAL, sip_authorization_parse(SPAN("Digest a=1,"), &a));
}

static void media_types(void)
{
	static const struct {
		const char *text;
		int error;
		unsigned quality;
		unsigned fit; /* for application/url */
	} cases[] = {
		{"application/url", 0, 1000, 3},
		{"APPLICATION/URL;q=0.5", 0, 500, 3},
		{"application/*;q=0.333", 0, 333, 2},
		{"*/*;q=0", 0, 0, 1},
		{"text/plain", 0, 1000, 0},
		{"application / url ; level=1", 0, 1000, 3},
		{"application", -EINVAL, 0, 0},
		{"application/", -EINVAL, 0, 0},
		{"/url", -EINVAL, 0, 0},
		{"*/url", -EINVAL, 0, 0},
		{"application/url;q=2", -EINVAL, 0, 0},
		{"application/url;q=0.1234", -EINVAL, 0, 0},
		{"application/url;q=1.001", -EINVAL, 0, 0},
		{"application/url;q=", -EINVAL, 0, 0},
		{"", -EINVAL, 0, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct span rest = span_text(cases[i].text);
		struct sip_media_type type;
		int error = sip_media_type_parse(&rest, &type);

		if (error != cases[i].error) {
			printf("# %s\n", cases[i].text);
		}
		CHECK_EQUAL(cases[i].error, error);
		if (error == 0) {
			CHECK_EQUAL(cases[i].quality, type.quality);
			CHECK_EQUAL(cases[i].fit,
				    sip_media_type_fit(&type, SPAN("application"), SPAN("url")));
		}
	}
}

static void r_3261_12_header_names(void)
{
	static const char compact[] = "cefiklmotuv";
	static const char *const longs[] = {"Content-Type", "Content-Encoding",
					    "From",	    "Call-ID",
					    "Supported",    "Content-Length",
					    "Contact",	    "Event",
					    "To",	    "Allow-Events",
					    "Via"};

	for (size_t i = 0; i < COUNT(longs); i++) {
		char upper = ascii_upper(compact[i]);

		CHECK_EQUAL(sip_header_of(span_text(longs[i])),
			    sip_header_of(span_make(&compact[i], 1)));
		CHECK_EQUAL(sip_header_of(span_text(longs[i])),
			    sip_header_of(span_make(&upper, 1)));
	}
	for (unsigned kind = 1; kind < sip_header_count; kind++) {
		struct span name = sip_header_name((enum sip_header)kind);
		char other_case[32];

		for (size_t i = 0; i < name.length; i++) {
			char c = name.data[i];

			other_case[i] = c == ascii_lower(c) ? ascii_upper(c) : ascii_lower(c);
		}
		CHECK_EQUAL(kind, sip_header_of(name));
		CHECK_EQUAL(kind, sip_header_of(span_make(other_case, name.length)));
		other_case[name.length - 1] = '~';
		CHECK_EQUAL(SIP_HEADER_OTHER, sip_header_of(span_make(other_case, name.length)));
	}
	CHECK_EQUAL(SIP_HEADER_OTHER, sip_header_of(SPAN("")));
	CHECK_EQUAL(SIP_HEADER_OTHER, sip_header_of(SPAN("x")));
	CHECK_EQUAL(SIP_HEADER_OTHER, sip_header_of(SPAN("A-Name-Longer-Than-Any-Other")));
}

static void r_3261_5_methods(void)
{
	for (unsigned m = SIP_METHOD_ACK; m <= SIP_METHOD_UPDATE; m++) {
		CHECK_EQUAL(m, sip_method_of(sip_method_name((enum sip_method)m)));
	}
	CHECK_EQUAL(SIP_METHOD_UNKNOWN, sip_method_of(SPAN("subscribe")));
	CHECK_EQUAL(SIP_METHOD_UNKNOWN, sip_method_of(SPAN("RE%47IST%45R")));
	CHECK_EQUAL(SIP_METHOD_UNKNOWN, sip_method_of(SPAN("")));
}

static void r_3261_85_long_request_uris(void)
{
	static struct sip_message message;
	char text[sip_request_uri_max + 300];

	for (size_t length = sip_request_uri_max; length <= sip_request_uri_max + 1; length++) {
		bool is_long = length > sip_request_uri_max;
		struct writer w = writer_over(text, sizeof(text));

		writer_put(&w, SPAN("SUBSCRIBE sip:"));
		for (size_t i = 4; i < length; i++) {
			writer_char(&w, 'a');
		}
		writer_put(&w, SPAN(" SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\n"
				    "To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 SUBSCRIBE\r\n\r\n"));
		CHECK(!w.failed);
		CHECK_EQUAL(is_long ? -EBADMSG : 0, sip_message_parse(&message, writer_span(&w)));
		CHECK_EQUAL(is_long ? 414 : 0, message.fault_status);
		CHECK(sip_message_is_answerable(&message));
	}
}

/* What lets the scanner step over 16 of them without asking for the class. */
static void letters_digits_hyphen_and_dot_are_in_every_class(void)
{
	const unsigned classes = 0xffu & ~(SIP_CLASS_LWS | SIP_CLASS_HEX);

	for (unsigned c = 0; c < 256; c++) {
		if (ascii_is_alnum((char)c) || c == '-' || c == '.') {
			CHECK_EQUAL(classes, sip_class_of[c] & classes);
		}
	}
}

static void r_3261_14_utf8(void)
{
	CHECK(sip_is_utf8(SPAN("a\xc3\xa4\xe7\x94\xb5\xf0\x9f\x93\x9e")));
	CHECK(!sip_is_utf8(SPAN("\xc3")));
	CHECK(!sip_is_utf8(SPAN("\xc0\x80")));
	CHECK(!sip_is_utf8(SPAN("\xed\xa0\x80")));
	CHECK(!sip_is_utf8(SPAN("\xf4\x90\x80\x80")));
	CHECK(!sip_is_utf8(SPAN("\xfc\x80\x80\x80\x80\x80")));
}

static void parse_all(struct span input, void *context)
{
	struct span rest = input;
	struct sip_via via;
	struct sip_contact contact;
	struct sip_event event;
	struct sip_authorization authorization;
	struct sip_media_type type;

	(void)context;
	sip_via_parse(&rest, &via);
	sip_contact_parse(&rest, &contact);
	sip_media_type_parse(&rest, &type);
	sip_event_parse(input, &event);
	sip_authorization_parse(input, &authorization);
	sip_is_utf8(input);
	sip_is_visible(input);
}

static void nothing_is_read_past_the_end(void)
{
	static const char *const texts[] = {
		"SIP / 2.0 / UDP 10.2.3.4 : 5060 ; branch=z9hG4bKx;received=[::1];q=\"a\\\"b\"",
		"\"n\\\"\" <sip:a%20b:c@[2001:db8:::1.2.3.4]:5;x=y?z=1>;tag=1;expires=4",
		"ua-profile;profile-type=\"d\";effective-by=5;vender=P",
		"application/url;q=0.123,text/plain",
		"Digest username=\"u\", nonce=x",
		"\xf0\x9f\x93\x9e",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		guard_each_prefix(span_text(texts[i]), parse_all, NULL);
	}
}

int main(void)
{
	RUN(r_3261_95_via_values);
	RUN(via_cookie_is_a_token_in_any_case);
	RUN(broken_via_still_says_who_sent_it);
	RUN(r_3261_16_name_addresses);
	RUN(r_3261_9_contact_lists);
	RUN(r_draft_7_events);
	RUN(r_6080_80_effective_by);
	RUN(too_many_parameters_are_refused);
	RUN(subscription_states);
	RUN(authorizations);
	RUN(media_types);
	RUN(r_3261_12_header_names);
	RUN(r_3261_5_methods);
	RUN(r_3261_85_long_request_uris);
	RUN(letters_digits_hyphen_and_dot_are_in_every_class);
	RUN(r_3261_14_utf8);
	RUN(nothing_is_read_past_the_end);
	return test_end();
}

/* SPDX-License-Identifier: MIT */
#include "core/sip/write.h"
#include "tests/test.h"

#include <errno.h>

static struct sip_message message;

/* The golden 200 of standards.md: all octets of the Via but rport and received unchanged. */
static void golden_response(void)
{
	static const char request[] =
		"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
		"From: <sip:00000001@10.13.2.37:5060>;tag=87a5a8-25020d0a\r\n"
		"To: <sip:224.0.1.75:5060>\r\n"
		"Call-ID: 8884c8-25020d0a\r\n"
		"CSeq: 1 SUBSCRIBE\r\n"
		"Via: SIP/2.0/UDP 10.13.2.37:5060;rport;branch=z9hG4bK-386d4398\r\n\r\n";
	static const char expected[] =
		"SIP/2.0 200 OK\r\n"
		"Via: SIP/2.0/UDP 10.13.2.37:5060;rport=5060;branch=z9hG4bK-386d4398"
		";received=10.13.2.37\r\n"
		"From: <sip:00000001@10.13.2.37:5060>;tag=87a5a8-25020d0a\r\n"
		"To: <sip:224.0.1.75:5060>;tag=t1\r\n"
		"Call-ID: 8884c8-25020d0a\r\n"
		"CSeq: 1 SUBSCRIBE\r\n"
		"Contact: <sip:10.13.4.121:5060>\r\n"
		"Expires: 0\r\n"
		"Content-Length: 0\r\n\r\n";
	struct sip_response response = {.status = 200,
					.to_tag = SPAN("t1"),
					.source = {address_ipv4(10, 13, 2, 37), 5060}};
	char text[2000];
	struct writer w = writer_over(text, sizeof(text));

	REQUIRE(sip_message_parse(&message, span_text(request)) == 0);
	sip_write_response(&w, &message, &response);
	sip_write_contact(&w, SPAN(""), (struct endpoint){address_ipv4(10, 13, 4, 121), 5060});
	sip_write_header_unsigned(&w, SIP_HEADER_EXPIRES, 0);
	sip_write_end(&w, SPAN(""), SPAN(""));
	CHECK(!w.failed);
	CHECK_TEXT(expected, writer_span(&w));
}

static void r_3581_top_via(void)
{
	static const struct {
		const char *via;
		const char *written; /* for source 10.0.0.9:5099 */
	} cases[] = {
		{"SIP/2.0/UDP 10.0.0.9", "SIP/2.0/UDP 10.0.0.9"},
		{"SIP/2.0/UDP 10.0.0.1", "SIP/2.0/UDP 10.0.0.1;received=10.0.0.9"},
		{"SIP/2.0/UDP name;x", "SIP/2.0/UDP name;x;received=10.0.0.9"},
		{"SIP/2.0/UDP 10.0.0.9;rport;branch=a",
		 "SIP/2.0/UDP 10.0.0.9;rport=5099;branch=a;received=10.0.0.9"},
		{"SIP/2.0/UDP 10.0.0.9;rport=1;received=10.9.9.9;x=\"a;rport\"",
		 "SIP/2.0/UDP 10.0.0.9;rport=5099;x=\"a;rport\";received=10.0.0.9"},
		{"SIP/2.0/UDP 10.0.0.9 ; received=10.9.9.9",
		 "SIP/2.0/UDP 10.0.0.9 ;received=10.0.0.9"},
		{"SIP / 2.0 / UDP 10.0.0.9 ;\r\n  rport ;\tb , SIP/2.0/TCP z;rport",
		 "SIP / 2.0 / UDP 10.0.0.9 ; rport=5099 ;\tb;received=10.0.0.9 , "
		 "SIP/2.0/TCP z;rport"},
		{"SIP/2.0/UDP [::ffff:10.0.0.9]", "SIP/2.0/UDP [::ffff:10.0.0.9]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char request[1000];
		char text[1000];
		char expected[1000];
		struct writer w = writer_over(text, sizeof(text));

		snprintf(request, sizeof(request),
			 "OPTIONS sip:h SIP/2.0\r\nVia: %s\r\nv: SIP/2.0/UDP last\r\nf: "
			 "<sip:a@h>\r\n"
			 "t: <sip:h>\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
			 cases[i].via);
		snprintf(expected, sizeof(expected), "Via: %s\r\nVia: SIP/2.0/UDP last\r\n",
			 cases[i].written);
		CHECK_EQUAL(0, sip_message_parse(&message, span_text(request)));
		sip_write_vias(&w, &message, (struct endpoint){address_ipv4(10, 0, 0, 9), 5099});
		CHECK_TEXT(expected, writer_span(&w));
	}
}

static void r_3261_8_folds_become_one_space(void)
{
	static const char *const cases[][2] = {
		{"a", "a"},
		{"a \t b", "a \t b"},
		{"a\r\n b", "a b"},
		{"a \r\n\t \r\n b", "a b"},
		{"\"x\r\n y\"", "\"x y\""},
		{"a\n b", "a b"},
		{"a\rb", "a b"},
		{"", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[100];
		struct writer w = writer_over(text, sizeof(text));

		sip_write_unfolded(&w, span_text(cases[i][0]));
		CHECK_TEXT(cases[i][1], writer_span(&w));
	}
}

static void no_value_adds_a_line(void)
{
	const struct span hostile[] = {SPAN("a\r\nVia: x"), SPAN("a\nb"), SPAN("a\rb"),
				       SPAN("a\0b")};

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		char text[400];
		struct writer w = writer_over(text, sizeof(text));
		struct endpoint here = {address_ipv4(10, 0, 0, 1), 5060};

		sip_write_header(&w, SIP_HEADER_SERVER, hostile[i]);
		CHECK(w.failed);
		w = writer_over(text, sizeof(text));
		sip_write_status_line(&w, 200, hostile[i]);
		CHECK(w.failed);
		w = writer_over(text, sizeof(text));
		sip_write_request_line(&w, SPAN("NOTIFY"), hostile[i]);
		CHECK(w.failed);
		w = writer_over(text, sizeof(text));
		sip_write_via(&w, here, hostile[i], true);
		CHECK(w.failed);
		w = writer_over(text, sizeof(text));
		sip_write_contact(&w, hostile[i], here);
		CHECK(w.failed);
		w = writer_over(text, sizeof(text));
		sip_write_cseq(&w, 1, hostile[i]);
		CHECK(w.failed);
		w = writer_over(text, sizeof(text));
		sip_write_quoted(&w, hostile[i]);
		CHECK(w.failed);
	}
}

static void a_request_is_read_back(void)
{
	static const char expected[] = "NOTIFY sip:a@10.0.0.2:5060 SIP/2.0\r\n"
				       "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx;rport\r\n"
				       "Max-Forwards: 70\r\n"
				       "CSeq: 7 NOTIFY\r\n"
				       "Contact: <sip:b%20c@10.0.0.1:5060>\r\n"
				       "Content-Type: application/url\r\n"
				       "Content-Length: 3\r\n\r\nx:y";
	struct endpoint here = {address_ipv4(10, 0, 0, 1), 5060};
	char user[20];
	struct writer u = writer_over(user, sizeof(user));
	char text[600];
	struct writer w = writer_over(text, sizeof(text));

	sip_write_user(&u, SPAN("b c"));
	sip_write_request_line(&w, SPAN("NOTIFY"), SPAN("sip:a@10.0.0.2:5060"));
	sip_write_via(&w, here, SPAN("z9hG4bKx"), true);
	sip_write_header_unsigned(&w, SIP_HEADER_MAX_FORWARDS, 70);
	sip_write_cseq(&w, 7, SPAN("NOTIFY"));
	sip_write_contact(&w, writer_span(&u), here);
	sip_write_end(&w, SPAN("application/url"), SPAN("x:y"));
	CHECK(!w.failed);
	CHECK_TEXT(expected, writer_span(&w));
}

static void a_small_buffer_fails_the_writer(void)
{
	char text[20];
	struct writer w = writer_over(text, sizeof(text));

	sip_write_status_line(&w, 505, SPAN("Version Not Supported"));
	CHECK(w.failed);
}

int main(void)
{
	RUN(golden_response);
	RUN(r_3581_top_via);
	RUN(r_3261_8_folds_become_one_space);
	RUN(no_value_adds_a_line);
	RUN(a_request_is_read_back);
	RUN(a_small_buffer_fails_the_writer);
	return test_end();
}

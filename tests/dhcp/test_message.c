/* SPDX-License-Identifier: MIT */
#include "core/dhcp/message.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

enum { room = 2048, at_options = 240, at_server_name = 44, at_file = 108 };

static const struct mac phone = {{0x00, 0x90, 0x8f, 0x12, 0x34, 0x56}};

/* An answer without options but those of `options`. */
static struct span answer(char bytes[static room], struct span options)
{
	static const char head[] = {2, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};

	memset(bytes, 0, room);
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + 16, (char[]){10, 13, 2, 37}, 4);
	memcpy(bytes + 20, (char[]){10, 13, 0, 9}, 4);
	memcpy(bytes + 28, phone.octets, sizeof(phone.octets));
	memcpy(bytes + 236, (char[]){0x63, (char)0x82, 0x53, 0x63}, 4);
	memcpy(bytes + at_options, options.data, options.length);
	return span_make(bytes, at_options + options.length);
}

static struct span option(const struct dhcp_message *m, uint8_t code, char value[static room])
{
	struct writer w = writer_over(value, room);

	return dhcp_option(m, code, &w) ? writer_span(&w) : SPAN("(none)");
}

#define OFFER "\x35\x01\x02"

static void reads_an_offer(void)
{
	char bytes[room];
	char value[room];
	struct dhcp_message m;
	struct span datagram =
		answer(bytes,
		       SPAN("\0\0" OFFER "\x36\x04\x0a\x0d\0\x01\x42\x05hello\xa0\0\xff\x42"));

	REQUIRE(dhcp_read(datagram, &m) == 0);
	CHECK_EQUAL(DHCP_OFFER, m.type);
	CHECK_EQUAL(0x12345678, m.transaction);
	CHECK(address_equal(m.your_address, address_ipv4(10, 13, 2, 37)));
	CHECK(address_equal(m.server, address_ipv4(10, 13, 0, 1)));
	CHECK(mac_equal(m.client, phone));
	CHECK_TEXT("hello", option(&m, DHCP_TFTP_SERVER_NAME, value));
	CHECK_TEXT("", option(&m, 160, value));
	CHECK_TEXT("(none)", option(&m, DHCP_BOOT_FILE_NAME, value));
}

/* R-DHCP-10 */
static void long_options_are_put_together(void)
{
	char options[600] = OFFER;
	char bytes[room];
	char value[room];
	struct dhcp_message m;
	struct writer w = writer_over(options, sizeof(options));

	w.length = 3;
	writer_put(&w, SPAN("\x2b\xff"));
	for (int i = 0; i < 255; i++) {
		writer_char(&w, 'a');
	}
	writer_put(&w, SPAN("\x42\x01x\x2b\x03"
			    "bcd\xff"));
	REQUIRE(dhcp_read(answer(bytes, writer_span(&w)), &m) == 0);
	CHECK_EQUAL(258, option(&m, DHCP_VENDOR_SPECIFIC, value).length);
	CHECK(span_ends_with(option(&m, DHCP_VENDOR_SPECIFIC, value), SPAN("abcd")));
}

/* R-DHCP-11: options go on in `file`, then in `sname`. */
static void overloaded_fields_are_read(void)
{
	char bytes[room];
	char value[room];
	struct dhcp_message m;
	struct span datagram = answer(bytes, SPAN(OFFER "\x34\x01\x03\x42\x01"
							"a\xff"));

	memcpy(bytes + at_server_name,
	       "\x42\x01"
	       "c\xff",
	       4);
	memcpy(bytes + at_file,
	       "\x42\x01"
	       "b\x43\x03img\xff",
	       9);
	REQUIRE(dhcp_read(datagram, &m) == 0);
	CHECK_TEXT("abc", option(&m, DHCP_TFTP_SERVER_NAME, value));
	CHECK_TEXT("img", option(&m, DHCP_BOOT_FILE_NAME, value));
	memset(bytes + at_file, 0x43, 128);
	CHECK_EQUAL(-EBADMSG, dhcp_read(datagram, &m));
}

/* R-DHCP-13 */
static void refuses_what_is_no_answer(void)
{
	static const struct span bad[] = {
		{"", 0},			 /* no message type */
		{"\xff", 1},			 /* the same */
		{"\x35\x02\x02\x02\xff", 5},	 /* a type of two octets */
		{"\x35\x01\x09\xff", 4},	 /* no such type */
		{"\x35\x01\x02\x42\x05hell", 9}, /* past the end */
		{"\x35\x01\x02\x42", 4},	 /* no length */
	};
	char bytes[room];
	struct dhcp_message m;
	struct span good = answer(bytes, SPAN(OFFER));

	CHECK_EQUAL(0, dhcp_read(good, &m)); /* a missing end is the end */
	for (size_t at = 0; at < 3; at++) {
		good = answer(bytes, SPAN(OFFER));
		bytes[at] = 7;
		CHECK_EQUAL(-EBADMSG, dhcp_read(good, &m));
	}
	good = answer(bytes, SPAN(OFFER));
	bytes[239] = 0;
	CHECK_EQUAL(-EBADMSG, dhcp_read(good, &m));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQUAL(-EBADMSG, dhcp_read(answer(bytes, bad[i]), &m));
	}
}

static void an_option_without_room_is_not_there(void)
{
	char bytes[room];
	char small[4];
	struct writer w = writer_over(small, sizeof(small));
	struct dhcp_message m;

	REQUIRE(dhcp_read(answer(bytes, SPAN(OFFER "\x42\x05hello")), &m) == 0);
	CHECK(!dhcp_option(&m, DHCP_TFTP_SERVER_NAME, &w));
	CHECK_EQUAL(0, w.length);
	CHECK(!w.failed);
}

static void writes_questions(void)
{
	char bytes[room];
	struct writer w = writer_over(bytes, sizeof(bytes));
	struct dhcp_question question = {.type = DHCP_INFORM,
					 .transaction = 0xa1b2c3d4,
					 .client = phone,
					 .address = address_ipv4(10, 13, 2, 37),
					 .vendor_class = SPAN("AUDC"),
					 .wanted = SPAN("\x42\xa0")};

	dhcp_write(&w, &question);
	CHECK_EQUAL(dhcp_message_size_min, w.length);
	CHECK_SPAN(SPAN("\x01\x01\x06\0\xa1\xb2\xc3\xd4\0\0\0\0\x0a\x0d\x02\x25"),
		   span_slice(writer_span(&w), 0, 16));
	CHECK_SPAN(SPAN("\x63\x82\x53\x63\x35\x01\x08\x3c\x04"
			"AUDC\x37\x02\x42\xa0\xff\0"),
		   span_slice(writer_span(&w), 236, 236 + 19));
	question = (struct dhcp_question){.type = DHCP_DISCOVER, .client = phone};
	w = writer_over(bytes, sizeof(bytes));
	dhcp_write(&w, &question);
	CHECK_SPAN(SPAN("\x80\0\0\0\0\0"), span_slice(writer_span(&w), 10, 16));
}

static void read_it(struct span input, void *context)
{
	struct dhcp_message m;
	char value[room];

	(void)context;
	if (dhcp_read(input, &m) == 0) {
		(void)option(&m, DHCP_TFTP_SERVER_NAME, value);
	}
}

static void every_prefix_is_read_within_its_bounds(void)
{
	char bytes[room];
	struct span datagram = answer(bytes, SPAN(OFFER "\x34\x01\x03\x42\x05hello\xa0\x02hi\xff"));

	memcpy(bytes + at_file, "\x42\x7e", 2);
	memcpy(bytes + at_server_name, "\x42\x3e", 2);
	guard_each_prefix(datagram, read_it, NULL);
}

int main(void)
{
	RUN(reads_an_offer);
	RUN(long_options_are_put_together);
	RUN(overloaded_fields_are_read);
	RUN(refuses_what_is_no_answer);
	RUN(an_option_without_room_is_not_there);
	RUN(writes_questions);
	RUN(every_prefix_is_read_within_its_bounds);
	return test_end();
}

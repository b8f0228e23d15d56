/* SPDX-License-Identifier: MIT */
#include "core/phone/url.h"
#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

static struct phone_identity identity(void)
{
	return (struct phone_identity){
		.mac = {{0x00, 0x11, 0x22, 0x33, 0x44, 0xab}},
		.model = SPAN("440HD"),
		.version = SPAN("2.2.2"),
	};
}

/* Both files of a URL, one a line. */
static struct span both(const struct phone_url *url, const struct phone_identity *who)
{
	static char buffer[2 * phone_url_size];
	struct writer w = writer_over(buffer, sizeof(buffer));

	phone_url_write(&w, url, PHONE_FILE_FIRMWARE, who);
	writer_char(&w, ' ');
	phone_url_write(&w, url, PHONE_FILE_CONFIG, who);
	return w.failed ? SPAN("(too long)") : writer_span(&w);
}

struct example {
	const char *text;
	const char *files;
};

static void check_examples(const struct example *examples, size_t count)
{
	struct phone_identity who = identity();

	for (size_t i = 0; i < count; i++) {
		struct phone_url url;

		if (phone_url_parse(span_text(examples[i].text), &url) != 0) {
			test_is_failed = true;
			printf("# refused: %s\n", examples[i].text);
			continue;
		}
		CHECK_TEXT(examples[i].files, both(&url, &who));
	}
}

/* audiocodes.md 2.4, with a MAC that has letters. */
static void takes_the_worked_examples_of_the_manual(void)
{
	static const struct example examples[] = {
		{"ftp://192.168.2.1",
		 "ftp://192.168.2.1/440HD.img ftp://192.168.2.1/0011223344AB.cfg"},
		{"tftp://192.168.2.1/different_firmware_name.img",
		 "tftp://192.168.2.1/different_firmware_name.img "
		 "tftp://192.168.2.1/0011223344AB.cfg"},
		{"http://192.168.2.1/different_firmware_name.img;<MODEL>_<MAC>_conf.cfg",
		 "http://192.168.2.1/different_firmware_name.img "
		 "http://192.168.2.1/440HD_0011223344AB_conf.cfg"},
		{"http://192.168.2.1/different_firmware_name.img ; <MODEL>_<MAC>_conf.cfg",
		 "http://192.168.2.1/different_firmware_name.img "
		 "http://192.168.2.1/440HD_0011223344AB_conf.cfg"},
		{"https://192.168.2.1/;<MODEL>_<MAC>_conf.cfg",
		 "https://192.168.2.1/440HD.img https://192.168.2.1/440HD_0011223344AB_conf.cfg"},
		{"tftp://10.13.4.121",
		 "tftp://10.13.4.121/440HD.img tftp://10.13.4.121/0011223344AB.cfg"},
	};

	check_examples(examples, sizeof(examples) / sizeof(examples[0]));
}

static void takes_what_the_field_writes(void)
{
	static const struct example examples[] = {
		{"http://10.0.0.1:8080/440HD.img;p/KEY/<MAC>.cfg",
		 "http://10.0.0.1:8080/440HD.img http://10.0.0.1:8080/p/KEY/0011223344AB.cfg"},
		{"http://h:8080/p/KEY/",
		 "http://h:8080/p/KEY/440HD.img http://h:8080/p/KEY/0011223344AB.cfg"},
		{"http://h/p/KEY/;p/KEY/x.cfg", "http://h/p/KEY/440HD.img http://h/p/KEY/x.cfg"},
		{"http://h/p/fw.img", "http://h/p/fw.img http://h/p/0011223344AB.cfg"},
		{"http://10.1.1.1:3000/ipp/dhcpoption160.cfg",
		 "http://10.1.1.1:3000/ipp/440HD.img http://10.1.1.1:3000/ipp/dhcpoption160.cfg"},
		{"https://host:443/",
		 "https://host:443/440HD.img https://host:443/0011223344AB.cfg"},
		{"http://h/firmwarefiles;ipp/dhcpoption160.cfg",
		 "http://h/firmwarefiles http://h/ipp/dhcpoption160.cfg"},
		{"10.13.4.121", "tftp://10.13.4.121/440HD.img tftp://10.13.4.121/0011223344AB.cfg"},
		{"10.13.4.121:6969/a.img;b.cfg",
		 "tftp://10.13.4.121:6969/a.img tftp://10.13.4.121:6969/b.cfg"},
		{"Tftp://h", "tftp://h/440HD.img tftp://h/0011223344AB.cfg"},
		{"HTTPS://H/", "https://H/440HD.img https://H/0011223344AB.cfg"},
		{"http://[2001:db8::1]:81/x.img",
		 "http://[2001:db8::1]:81/x.img http://[2001:db8::1]:81/0011223344AB.cfg"},
		{"  tftp://h \r\n", "tftp://h/440HD.img tftp://h/0011223344AB.cfg"},
		{"http://h;c.cfg", "http://h/440HD.img http://h/c.cfg"},
		{"http://h/a.img;", "http://h/a.img http://h/0011223344AB.cfg"},
		{"http://h/a.img;/c.cfg", "http://h/a.img http://h/c.cfg"},
		{"http://h/get.php?f=a/b;c.php?m=<mac>",
		 "http://h/get.php?f=a/b http://h/c.php?m=0011223344AB"},
		{"http://h/<MODEL>/<MAC>.cfg",
		 "http://h/440HD/440HD.img http://h/440HD/0011223344AB.cfg"},
		{"http://h/a%20b.img", "http://h/a%20b.img http://h/0011223344AB.cfg"},
		{"ftp://u:p%40w@h/", "ftp://u:p%40w@h/440HD.img ftp://u:p%40w@h/0011223344AB.cfg"},
	};

	check_examples(examples, sizeof(examples) / sizeof(examples[0]));
}

static void refuses_what_is_no_url(void)
{
	static const struct {
		const char *text;
		int error;
	} bad[] = {
		{"", -ENODATA},
		{" \r\n", -ENODATA},
		{"gopher://h/", -EPROTONOSUPPORT},
		{"file:///etc/passwd", -EPROTONOSUPPORT},
		{"http://", -EINVAL},
		{"http:///x", -EINVAL},
		{"http://h:0/", -EINVAL},
		{"http://h:65536/", -EINVAL},
		{"http://h:80a/", -EINVAL},
		{"http://h:/", -EINVAL},
		{"http://[::1/", -EINVAL},
		{"http://[fe80::1%25eth0]/", -EINVAL},
		{"http://2001:db8::1/", -EINVAL},
		{"http://h o/", -EINVAL},
		{"http://h/a b.img", -EINVAL},
		{"http://h/a\rb", -EINVAL},
		{"http://h/a\x01", -EINVAL},
		{"http://h/\xc3\xa4.img", -EINVAL},
		{"http://h/a%0d%0aX.img", -EINVAL},
		{"http://h/a%00.img", -EINVAL},
		{"http://h/a%2fb.img", -EINVAL},
		{"http://h/a%2", -EINVAL},
		{"http://h/a%zz", -EINVAL},
		{"http://h/%2e%2e/x", -EINVAL},
		{"http://h/../x.img", -EINVAL},
		{"http://h/p/./x.img", -EINVAL},
		{"http://h/x.img;../y.cfg", -EINVAL},
		{"http://h/x.img;y.cfg;z", -EINVAL},
		{"http://h/x#y", -EINVAL},
		{"http://h/a\\b", -EINVAL},
		{"http://h/\"", -EINVAL},
		{"http://h/<IP>.cfg", -EINVAL},
		{"http://h/<MAC", -EINVAL},
		{"http://h/x.img;p/", -EINVAL},
		{"tftp://h/x?y", -EINVAL},
		{"http://u%0a@h/", -EINVAL},
		{"http://u@v@h/", -EINVAL},
		{"http://-h/", -EINVAL},
		{"<html>", -EINVAL},
		{"javascript:alert(1)", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct phone_url url = {.port = 4711};
		int error = phone_url_parse(span_text(bad[i].text), &url);

		if (error != bad[i].error) {
			test_is_failed = true;
			printf("# \"%s\": %d, expected %d\n", bad[i].text, error, bad[i].error);
		}
		CHECK_EQUAL(4711, url.port);
	}
}

static void refuses_a_long_url(void)
{
	char text[phone_url_text_max + 2];
	struct phone_url url;

	memset(text, 'a', sizeof(text));
	memcpy(text, "http://h/", 9);
	CHECK_EQUAL(0, phone_url_parse(span_make(text, phone_url_text_max), &url));
	CHECK_EQUAL(-ENAMETOOLONG, phone_url_parse(span_make(text, phone_url_text_max + 1), &url));
}

/* audiocodes.md 2.5 */
static void takes_options_66_and_67(void)
{
	static const struct {
		const char *server;
		const char *boot_file;
		const char *files; /* NULL: no URL */
	} rows[] = {
		{"", "abc.img", NULL},
		{"10.1.1.1", "", "tftp://10.1.1.1/440HD.img tftp://10.1.1.1/0011223344AB.cfg"},
		{"10.1.1.1", "abc.img", "tftp://10.1.1.1/abc.img tftp://10.1.1.1/0011223344AB.cfg"},
		{"10.1.1.1", "abc.img;efg.cfg", "tftp://10.1.1.1/abc.img tftp://10.1.1.1/efg.cfg"},
		{"10.1.1.1", ";efg.cfg", "tftp://10.1.1.1/440HD.img tftp://10.1.1.1/efg.cfg"},
		{"10.1.1.1", "efg.cfg", "tftp://10.1.1.1/440HD.img tftp://10.1.1.1/efg.cfg"},
		{"Tftp://h", "abc.img;efg.cfg", "tftp://h/abc.img tftp://h/efg.cfg"},
		{"http://h", "abc.img;efg.cfg", "http://h/abc.img http://h/efg.cfg"},
		{"http://h/d/", "abc.img;efg.cfg", "http://h/d/abc.img http://h/d/efg.cfg"},
		{"http://h/abc.img;efg.cfg", "x.img;y.cfg", "http://h/abc.img http://h/efg.cfg"},
		{"http://h/abc.img", "x.img;y.cfg", "http://h/abc.img http://h/0011223344AB.cfg"},
		{"10.1.1.1", "../x", NULL},
	};
	struct phone_identity who = identity();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct phone_url url;
		int error = phone_url_parse_boot(span_text(rows[i].server),
						 span_text(rows[i].boot_file), &url);

		CHECK_EQUAL(rows[i].files != NULL, error == 0);
		if (error == 0 && rows[i].files) {
			CHECK_TEXT(rows[i].files, both(&url, &who));
		}
	}
}

/* audiocodes.md 2.8 */
static void takes_static_urls(void)
{
	struct phone_identity who = identity();
	struct phone_url url;

	CHECK_EQUAL(0, phone_url_parse_file(SPAN("http://h/c"), PHONE_FILE_CONFIG, &url));
	CHECK_TEXT("http://h/440HD.img http://h/c", both(&url, &who));
	CHECK_EQUAL(0, phone_url_parse_file(SPAN("http://h/c.cfg"), PHONE_FILE_FIRMWARE, &url));
	CHECK_TEXT("http://h/c.cfg http://h/0011223344AB.cfg", both(&url, &who));
	CHECK_EQUAL(0, phone_url_parse_file(SPAN("http://h/d/"), PHONE_FILE_CONFIG, &url));
	CHECK_TEXT("http://h/d/440HD.img http://h/d/0011223344AB.cfg", both(&url, &who));
	CHECK_EQUAL(0, phone_url_parse_file(SPAN("https://h"), PHONE_FILE_CONFIG, &url));
	CHECK_TEXT("https://h/440HD.img https://h/0011223344AB.cfg", both(&url, &who));
}

static void writes_the_mac_in_lower_case_when_asked(void)
{
	struct phone_identity who = identity();
	struct phone_url url;

	who.mac_is_lower = true;
	who.model = SPAN("A B/C");
	CHECK_EQUAL(0, phone_url_parse(SPAN("http://h/<MAC>.img"), &url));
	CHECK_TEXT("http://h/0011223344ab.img http://h/0011223344ab.cfg", both(&url, &who));
	CHECK_EQUAL(0, phone_url_parse(SPAN("http://h"), &url));
	CHECK_TEXT("http://h/A%20B%2FC.img http://h/0011223344ab.cfg", both(&url, &who));
}

static void hides_credentials(void)
{
	struct phone_identity who = identity();
	char buffer[phone_url_size];
	struct writer w = writer_over(buffer, sizeof(buffer));
	struct phone_url url;

	CHECK_EQUAL(0, phone_url_parse(SPAN("ftp://joe:secret@h/a.img"), &url));
	phone_url_write_public(&w, &url, PHONE_FILE_FIRMWARE, &who);
	CHECK_TEXT("ftp://***@h/a.img", writer_span(&w));

	w = writer_over(buffer, sizeof(buffer));
	phone_url_write_masked(&w, SPAN("ftp://joe:se@cret@h/a@b\x1b"), 255);
	CHECK_TEXT("ftp://***@h/a@b\\x1b", writer_span(&w));
	w = writer_over(buffer, sizeof(buffer));
	phone_url_write_masked(&w, SPAN("joe:secret@h"), 255);
	CHECK_TEXT("***@h", writer_span(&w));
	w = writer_over(buffer, sizeof(buffer));
	phone_url_write_masked(&w, SPAN("tftp://h/a@b"), 255);
	CHECK_TEXT("tftp://h/a@b", writer_span(&w));
}

static void knows_the_same_server(void)
{
	struct phone_url a;
	struct phone_url b;

	CHECK_EQUAL(0, phone_url_parse(SPAN("http://Host/x"), &a));
	CHECK_EQUAL(0, phone_url_parse(SPAN("http://hOST:80/y"), &b));
	CHECK(phone_url_same_server(&a, &b));
	CHECK_EQUAL(0, phone_url_parse(SPAN("http://host:81/y"), &b));
	CHECK(!phone_url_same_server(&a, &b));
	CHECK_EQUAL(0, phone_url_parse(SPAN("https://host:80/y"), &b));
	CHECK(!phone_url_same_server(&a, &b));
}

static void parse_prefix(struct span input, void *context)
{
	struct phone_identity who = identity();
	struct phone_url url;
	char buffer[phone_url_size];
	struct writer w = writer_over(buffer, sizeof(buffer));

	(void)context;
	phone_url_write_masked(&w, input, 255);
	if (phone_url_parse(input, &url) == 0) {
		both(&url, &who);
	}
	if (phone_url_parse_boot(input, input, &url) == 0) {
		both(&url, &who);
	}
}

static void reads_no_octet_too_many(void)
{
	guard_each_prefix(
		SPAN("https://joe:pw@[2001:db8::1]:8080/p/<MODEL>/f%20w.img ; q/<MAC>.cfg?x"),
		parse_prefix, NULL);
}

int main(void)
{
	RUN(takes_the_worked_examples_of_the_manual);
	RUN(takes_what_the_field_writes);
	RUN(refuses_what_is_no_url);
	RUN(refuses_a_long_url);
	RUN(takes_options_66_and_67);
	RUN(takes_static_urls);
	RUN(writes_the_mac_in_lower_case_when_asked);
	RUN(hides_credentials);
	RUN(knows_the_same_server);
	RUN(reads_no_octet_too_many);
	return test_end();
}

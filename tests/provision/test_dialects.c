/* SPDX-License-Identifier: MIT */
/*
 * Every SUBSCRIBE of the field (tests/fixtures/phones) and every odd one that is answered with 200
 * (tests/fixtures/sip): the form that is chosen, and the octets of 200 and NOTIFY against
 * tests/fixtures/answers/NAME.200 and .notify. Our tag and branch are random; there they are
 * 0123456789abcdef and z9hG4bKfedcba9876543210.
 *
 * The makers' packs are small ones of this test, one for each thing that a pack may say of the
 * answer, so that the octets do not depend on what is found out about a maker.
 *
 * test_provision_dialects ROOT --write writes the files anew: read each line that has changed.
 */
#include "tests/fleet/packs.h"
#include "tests/provision/harness.h"

static struct bench bench;
static const char *root = ".";
static bool is_writing;
static size_t dialect_count;

/* What follows the name in each pack. */
#define PACK(NAME, RECOGNISE, REST)                                                                \
	"{\"schema\":1,\"name\":\"" NAME "\",\"display_name\":\"" NAME                             \
	"\",\"recognise\":{" RECOGNISE                                                             \
	"},\"files\":[{\"name\":\"<mac>.cfg\",\"kind\":\"stored\"}]," REST "}"

static const char *const packs[] = {
	/* As the manual prints it; the scheme and two files in one URL. */
	PACK("audiocodes", "\"sip_user_agent\":[\"^AUDC-IPPhone/(?<version>[0-9A-Za-z._]+)$\"]",
	     "\"url\":{\"shapes\":[{\"name\":\"two\",\"shape\":\"%{origin}<model>.img;%{path}<MAC>."
	     "cfg\"}]},"
	     "\"answer\":{\"form\":\"print\"}"),
	/* The phone's own placeholder, and the parameters of its Event. */
	PACK("snom", "\"oui\":[\"000413\",\"00135e\"],\"event_vendor\":[\"(?i)^(snom|oem)$\"]",
	     "\"url\":{\"shapes\":[{\"name\":\"query\",\"shape\":\"%{base}?mac={mac}\"}]},"
	     "\"answer\":{\"form\":\"rfc\",\"event\":\"echo\"}"),
	/* The end of the line is counted; a header of its own, with the URL twice. */
	PACK("grandstream", "\"oui\":[\"c074ad\"]",
	     "\"answer\":{\"body_end\":\"crlf\","
	     "\"headers\":{\"MessageBody\":\"%{url}\",\"X-Twice\":\"<%{url}>,<%{url}> %{mac}\"}}"),
	PACK("yealink", "\"oui\":[\"001565\"]", "\"answer\":{\"form\":\"rfc\"}"),
	PACK("fanvil", "\"oui\":[\"00304f\",\"0c383e\"]",
	     "\"url\":{\"shapes\":[{\"name\":\"file\",\"shape\":\"%{base}$mac.cfg\"}]},"
	     "\"answer\":{\"event\":\"echo\"}"),
	/* Both at once: the print form, and what the pack says besides. */
	PACK("panasonic", "\"oui\":[\"0080f0\"]",
	     "\"url\":{\"shapes\":[{\"name\":\"model\",\"shape\":\"%{base}{MODEL}.cfg\"}]},"
	     "\"answer\":{\"form\":\"print\",\"body_end\":\"crlf\",\"content_type\":\"text/x-url\","
	     "\"headers\":{\"MessageBody\":\"%{url}\"}}"),
};

static void open_house(void)
{
	bench_open(&bench);
	bench.url = SPAN("http://%{address}:8080/p/");
	bench.options.server_header = SPAN("Bellhop/1");
	signalling_free(bench.signalling);
	if (signalling_new(&bench.signalling, &bench.options) != 0) {
		abort();
	}
	for (size_t i = 0; i < sizeof(packs) / sizeof(packs[0]); i++) {
		struct vendor_pack *pack = pack_of_text(packs[i]);

		if (!pack || vendors_add(&bench.inventory.vendors, pack) != 0) {
			printf("Bail out! pack %zu\n", i);
			exit(1);
		}
	}
}

/* Puts `with` in the place of every `from` of the same length. */
static void replace_all(char *text, size_t length, struct span from, const char *with)
{
	for (size_t i = 0; i + from.length <= length; i++) {
		if (memcmp(text + i, from.data, from.length) == 0) {
			memcpy(text + i, with, from.length);
		}
	}
}

static struct span our_tag;
static struct span our_branch;

/* The tag is in the 200's To, in the form of the RFCs; the branch in the NOTIFY's Via. */
static bool read_our_marks(enum notify_form form)
{
	static struct sip_message m;

	our_tag = our_branch = SPAN("");
	if (form == FORM_PRINT) {
		return true;
	}
	if (sip_message_parse(&m, bench_sent(&bench, 0)->bytes) != 0) {
		return false;
	}
	our_tag = m.to.tag;
	if (sip_message_parse(&m, bench_sent(&bench, 1)->bytes) != 0) {
		return false;
	}
	our_branch = m.via.branch;
	return our_tag.length == 16 && our_branch.length == 23;
}

static void compare(const char *name, const char *suffix, struct span bytes)
{
	static char text[70000];
	static char golden[70000];
	char path[300];
	char directory[1024];

	REQUIRE(bytes.length < sizeof(text));
	memcpy(text, bytes.data, bytes.length);
	if (our_tag.length > 0) {
		replace_all(text, bytes.length, our_tag, "0123456789abcdef");
		replace_all(text, bytes.length, our_branch, "z9hG4bKfedcba9876543210");
	}
	snprintf(path, sizeof(path), "%s.%s", name, suffix);
	snprintf(directory, sizeof(directory), "%s/tests/fixtures/answers", root);
	if (is_writing) {
		char whole[1400];
		FILE *file;

		snprintf(whole, sizeof(whole), "%s/%s", directory, path);
		file = fopen(whole, "wb");
		REQUIRE(file != NULL);
		CHECK_EQUAL(bytes.length, fwrite(text, 1, bytes.length, file));
		fclose(file);
		return;
	}
	if (!span_equal(bench_read_file(directory, path, golden, sizeof(golden)),
			span_make(text, bytes.length))) {
		printf("# %s\n", path);
		CHECK_TEXT(golden, span_make(text, bytes.length));
	}
}

/* Whatever the form: one whole message, whose body is the URL, and headers that stay headers. */
static void check_whole(struct span bytes)
{
	static struct sip_message m;
	size_t end = span_search(bytes, SPAN("\r\n\r\n"));
	struct span head = span_slice(bytes, 0, end);
	struct span body = span_slice(bytes, end + 4, bytes.length);
	uint64_t length = 0;
	struct span value;

	CHECK_EQUAL(0, sip_message_parse(&m, bytes));
	CHECK_EQUAL(0, sip_message_single(&m, SIP_HEADER_CONTENT_LENGTH, &value));
	CHECK_EQUAL(0, span_to_unsigned(value, 4096, &length));
	CHECK_EQUAL(length, body.length);
	for (size_t i = 0; i < head.length; i++) {
		bool is_end =
			head.data[i] == '\r' && i + 1 < head.length && head.data[i + 1] == '\n';

		/* Controls may stand in quoted pairs; a line ends as lines do. */
		CHECK(is_end || (head.data[i] != '\n' && head.data[i] != '\r'));
		i += is_end;
	}
	CHECK(span_starts_with(body, SPAN("http://10.13.4.121:8080/")));
}

/* Where a SUBSCRIBE says that its sender is. */
static struct endpoint source_of(struct span bytes, uint16_t port)
{
	static struct sip_message m;
	struct sip_name_address contact;
	struct endpoint source = {bench_phone, port};

	if (sip_message_parse(&m, bytes) == 0 && sip_message_contact(&m, &contact) == 0 &&
	    contact.uri.host.kind != SIP_HOST_NAME) {
		source.address = address_unmapped(contact.uri.host.address);
	}
	return source;
}

/* Whose it is: the MAC that it names, else one that is seen. */
static struct mac mac_of(struct span bytes)
{
	static struct sip_message m;
	struct sip_name_address contact;
	struct subscribe_claims claims = {0};
	struct mac mac = bench_mac;

	if (sip_message_parse(&m, bytes) == 0 && sip_message_contact(&m, &contact) == 0) {
		claims.request_user = m.request_uri.user;
		claims.from_user = m.from.uri.user;
		claims.to_user = m.to.uri.user;
		claims.contact_user = contact.uri.user;
		(void)sip_message_single(&m, SIP_HEADER_USER_AGENT, &claims.user_agent);
		(void)identity_claimed_mac(&claims, &mac);
	}
	return mac;
}

static void ask(const char *name, struct span bytes, uint16_t port, enum notify_form form)
{
	open_house();
	bench.packet.source = source_of(bytes, port);
	bench.packet.link_source = mac_of(bytes);
	bench_claim(&bench, bench.packet.link_source);
	if (form != FORM_DEFAULT) {
		bench_set_form(&bench, bench.packet.link_source, form);
	}
	CHECK_EQUAL(0, bench_receive(&bench, bytes));
	if (!bench_is_served(&bench)) {
		const struct signalling_counter *c;

		for (size_t i = 0; (c = signalling_counter(bench.signalling, i)); i++) {
			printf("# %s is not served: %s\n", name, c->reason);
		}
	}
}

/* The forms that these packs say; everybody else has that of the RFCs. */
static enum notify_form expected_form(const char *name)
{
	return strstr(name, "audiocodes") || strstr(name, "panasonic") ? FORM_PRINT : FORM_RFC;
}

static void try_one(const char *name, struct span bytes, uint16_t port)
{
	enum notify_form form;

	ask(name, bytes, port, FORM_DEFAULT);
	REQUIRE(bench_is_served(&bench));
	form = span_search(bench_sent(&bench, 1)->bytes, SPAN("\r\nMax-Forwards: 20\r\n")) <
			       bench_sent(&bench, 1)->bytes.length
		       ? FORM_PRINT
		       : FORM_RFC;
	REQUIRE(bench_changed(&bench, CHANGE_DEVICE_NOTIFIED) != NULL);
	CHECK_EQUAL(form, bench_changed(&bench, CHANGE_DEVICE_NOTIFIED)->form);
	if (strncmp(name, "sip-", 4) != 0) {
		CHECK_EQUAL(expected_form(name), form);
	}
	REQUIRE(read_our_marks(form));
	compare(name, "200", bench_sent(&bench, 0)->bytes);
	compare(name, "notify", bench_sent(&bench, 1)->bytes);
	check_whole(bench_sent(&bench, 1)->bytes);
	bench_close(&bench);
	for (unsigned i = 0; i < 2; i++) {
		ask(name, bytes, port, i ? FORM_PRINT : FORM_RFC);
		REQUIRE(bench_is_served(&bench));
		check_whole(bench_sent(&bench, 1)->bytes);
		bench_close(&bench);
	}
	dialect_count++;
}

/* One row of tests/fixtures/phones/index.tsv. */
static void try_phone(struct span row)
{
	static char text[70000];
	char name[128];
	char stem[140];
	char directory[1024];
	uint64_t port = 5060;
	struct span file = span_cut(&row, '\t');

	for (unsigned i = 0; i < 5; i++) {
		(void)span_cut(&row, '\t');
	}
	CHECK_EQUAL(0, span_to_unsigned(span_cut(&row, '\t'), 65535, &port));
	REQUIRE(span_ends_with(file, SPAN(".sip")));
	(void)span_to_text(file, name, sizeof(name));
	snprintf(directory, sizeof(directory), "%s/tests/fixtures/phones", root);
	snprintf(stem, sizeof(stem), "%.*s", (int)file.length - 4, file.data);
	try_one(stem, bench_read_file(directory, name, text, sizeof(text)), (uint16_t)port);
}

/* Its syntax is sound, and it is refused all the same: two MACs, or an address that is not ours. */
static bool is_refused(struct span file)
{
	return span_equal(file, SPAN("fanvil-generic-model.sip")) ||
	       span_equal(file, SPAN("ipv6.sip"));
}

/* One row of tests/fixtures/sip/index.tsv: a SUBSCRIBE with the verdict 200. */
static void try_odd(struct span row)
{
	static char text[70000];
	char name[128];
	char stem[140];
	char directory[1024];
	struct span file = span_cut(&row, '\t');
	struct span bytes;

	if (!span_equal(span_cut(&row, '\t'), SPAN("200")) || is_refused(file)) {
		return;
	}
	(void)span_to_text(file, name, sizeof(name));
	snprintf(directory, sizeof(directory), "%s/tests/fixtures/sip", root);
	snprintf(stem, sizeof(stem), "sip-%.*s", (int)file.length - 4, file.data);
	bytes = bench_read_file(directory, name, text, sizeof(text));
	if (span_search(bytes, SPAN("SUBSCRIBE ")) > 4) {
		return; /* OPTIONS, INVITE */
	}
	try_one(stem, bytes, 5060);
}

static void each_row(const char *folder, void (*each)(struct span row))
{
	static char index[1 << 16];
	char directory[1024];
	struct span rest;

	snprintf(directory, sizeof(directory), "%s/tests/fixtures/%s", root, folder);
	rest = bench_read_file(directory, "index.tsv", index, sizeof(index));
	REQUIRE(rest.length > 0);
	(void)span_cut(&rest, '\n');
	while (rest.length > 0) {
		struct span row = span_cut(&rest, '\n');

		if (row.length > 0) {
			each(row);
		}
	}
}

static void the_phones_of_the_field(void)
{
	dialect_count = 0;
	each_row("phones", try_phone);
	CHECK(dialect_count >= 21);
}

static void odd_ones_that_are_answered(void)
{
	dialect_count = 0;
	each_row("sip", try_odd);
	CHECK(dialect_count >= 20);
}

/* A pack's header must never become two, whatever is in it: then nothing is sent, and said so. */
static void a_header_of_a_pack_never_breaks_the_line(void)
{
	static const char *const values[] = {"a\r\nVia: x", "a\n", "\r%{url}", "x\x7f",
					     "%{url}\x01"};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct vendor_header header = {SPAN("MessageBody"), span_text(values[i])};
		struct vendor_pack *pack;

		open_house();
		pack = (struct vendor_pack *)(uintptr_t)vendor_find(&bench.inventory.vendors,
								    SPAN("yealink"));
		pack->headers = &header;
		pack->header_count = 1;
		bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_CLAIM,
						      .fields = FIELD_VENDOR,
						      .vendor = SPAN("yealink"),
						      .mac = bench_mac});
		CHECK_EQUAL(0, bench_receive(&bench, span_text(bench_seed)));
		CHECK(bench_is_silent(&bench));
		CHECK_EQUAL(1, bench_counted(&bench, "answer_too_large"));
		bench_close(&bench);
	}
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : root;
	is_writing = argc > 2 && strcmp(argv[2], "--write") == 0;
	RUN(the_phones_of_the_field);
	RUN(odd_ones_that_are_answered);
	RUN(a_header_of_a_pack_never_breaks_the_line);
	return test_end();
}

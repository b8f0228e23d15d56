/* SPDX-License-Identifier: MIT */
/* The packs that come with Bellhop: each loads, and what phones say is read as packs_one.tsv has
 * it. */
#include "core/fleet/vendor_files.h"
#include "core/fleet/vendor_match.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/packs.h"

#include <dirent.h>
#include <string.h>

/* What the table is about; others' packs are there too, as they are in a house. */
static const char *const ours[] = {"snom",	"yealink", "grandstream", "fanvil", "gigaset",
				   "panasonic", "htek",	   "sangoma",	  "vtech",  "escene"};

static struct vendors vendors;

/* A row of the table; a column that is "-" is empty. */
struct row {
	unsigned line;
	struct span kind;
	struct span text;
	struct span vendor;
	struct span model;
	struct span version;
	struct span mac;
	struct span file_kind;
	struct span identity;
};

static bool load_all(void)
{
	const char *root = getenv("BELLHOP_SOURCE");
	char path[700];
	DIR *folder;

	snprintf(path, sizeof(path), "%s/vendors", root ? root : ".");
	folder = opendir(path);
	if (!folder) {
		return false;
	}
	for (struct dirent *e; (e = readdir(folder));) {
		char problem[512] = "";
		struct vendor_pack *pack;

		if (e->d_name[0] == '.' || strchr(e->d_name, '.')) {
			continue;
		}
		pack = pack_of_maker(e->d_name, problem, sizeof(problem));
		if (!pack) {
			test_is_failed = true;
			printf("# %s: %s\n", e->d_name, problem);
			continue;
		}
		CHECK_TEXT(e->d_name, pack->name);
		if (vendors_put(&vendors, pack, problem, sizeof(problem)) != 0) {
			test_is_failed = true;
			printf("# %s: %s\n", e->d_name, problem);
			vendor_pack_free(pack);
		}
	}
	closedir(folder);
	return vendors.count > 0;
}

static void every_pack_loads(void)
{
	REQUIRE(load_all());
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		CHECK(vendor_find(&vendors, span_text(ours[i])) != NULL);
	}
}

static void expect_evidence(const struct vendor_pack *pack, bool is_said, const char *field)
{
	if (is_said && vendor_evidence_name(pack, span_text(field))[0] == '\0') {
		test_is_failed = true;
		printf("# %.*s: %s\n", (int)pack->name.length, pack->name.data, field);
	}
}

/* What a reader of a pack goes by: nothing is claimed without saying what it rests on. */
static void every_pack_says_what_it_rests_on(void)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		const struct vendor_pack *pack = vendor_find(&vendors, span_text(ours[i]));

		REQUIRE(pack != NULL);
		expect_evidence(pack, pack->oui_count > 0, "recognise.oui");
		expect_evidence(pack, pack->sip_user_agent.count > 0, "recognise.sip_user_agent");
		expect_evidence(pack, pack->http_user_agent.count > 0, "recognise.http_user_agent");
		expect_evidence(pack, pack->dhcp_class.count > 0, "recognise.dhcp_class");
		expect_evidence(pack, pack->event_vendor.count > 0, "recognise.event_vendor");
		expect_evidence(pack, pack->event_model.count > 0, "recognise.event_model");
		expect_evidence(pack, true, "files");
		expect_evidence(pack, true, "url.shapes");
		expect_evidence(pack, true, "answer.form");
		expect_evidence(pack, pack->ends_body_with_crlf, "answer.body_end");
		expect_evidence(pack, pack->echoes_event, "answer.event");
		expect_evidence(pack, pack->header_count > 0, "answer.headers");
		expect_evidence(pack, pack->takes_unsolicited, "answer.unsolicited");
		expect_evidence(pack, pack->sip_port != 5060, "answer.sip_port");
		expect_evidence(pack, pack->resync.event.length > 0, "resync");
		expect_evidence(pack, pack->reboot.event.length > 0, "reboot");
		CHECK(pack->quirk_count > 0);
		CHECK(pack->discovered_by.length > 0 && pack->identified_by.length > 0);
	}
}

/* Only what one phone alone may have makes it complete. */
static void what_is_essential_is_one_phones_own(void)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		const struct vendor_pack *pack = vendor_find(&vendors, span_text(ours[i]));
		size_t count = 0;

		REQUIRE(pack != NULL);
		for (size_t j = 0; j < pack->file_count; j++) {
			const struct vendor_file *file = &pack->files[j];

			CHECK(!file->is_essential ||
			      (file->has_secrets && file->identity == FILE_IDENTITY_MAC));
			count += file->is_essential;
		}
		CHECK(count > 0);
	}
}

static struct span column(struct span *rest)
{
	struct span text = rest->data ? span_cut(rest, '\t') : SPAN("");

	return span_equal(text, SPAN("-")) ? SPAN("") : text;
}

static void expect(const struct row *row, const char *what, struct span expected, struct span found)
{
	if (!span_equal(expected, found)) {
		test_is_failed = true;
		printf("# packs_one.tsv:%u: %s\n", row->line, what);
		test_print_span("expected", expected);
		test_print_span("found", found);
	}
}

static void expect_vendor(const struct row *row, const struct vendor_pack *pack)
{
	struct span name = pack ? pack->name : SPAN("");

	/* "!" is for another part's table: whoever it is, it is none of these. */
	if (span_equal(row->vendor, SPAN("!"))) {
		CHECK(!pack || pack->oui_count > 0);
		return;
	}
	expect(row, "vendor", row->vendor, name);
}

static void expect_mac(const struct row *row, struct span text)
{
	char canonical[mac_text_size] = "";
	struct mac mac;

	if (text.length > 0) {
		CHECK_EQUAL(0, mac_parse(text, &mac));
		mac_text(mac, canonical);
	}
	expect(row, "MAC", row->mac, span_text(canonical));
}

/* What a phone says costs a small part of what a text may: no honest one meets the bound. */
static const struct vendor_pack *recognise(struct span user_agent)
{
	static struct vendor_work work;
	const struct vendor_pack *pack;

	vendor_work_begin(&work);
	pack = vendor_recognise_with(&work, &vendors, NULL, user_agent, SPAN(""));
	CHECK(work.steps < vendor_steps_max / 8);
	return pack;
}

static void check_user_agent(const struct row *row, bool is_http)
{
	const struct vendor_pack *pack = recognise(row->text);
	struct vendor_reading reading = {0};

	expect_vendor(row, pack);
	if (!pack || span_equal(row->vendor, SPAN("!"))) {
		return;
	}
	CHECK(is_http ? vendor_read_http_user_agent(pack, row->text, &reading)
		      : vendor_read_user_agent(pack, row->text, &reading));
	expect(row, "model", row->model, reading.model);
	expect(row, "version", row->version, reading.version);
	expect_mac(row, reading.mac);
}

static void check_event(const struct row *row)
{
	struct span model = row->text;
	struct span vendor = span_cut(&model, '/');
	const struct vendor_pack *pack = vendor_recognise(&vendors, NULL, SPAN(""), vendor);

	expect_vendor(row, pack);
	if (pack) {
		expect(row, "model", row->model, vendor_event_model(pack, model));
	}
}

static void check_file(const struct row *row)
{
	static const char *const kinds[] = {"config", "firmware", "stored"};
	static const char *const identities[] = {"mac", "model", "common"};
	struct vendor_file_reading reading = {0};
	char mac[mac_text_size] = "";
	bool is_known = vendor_read_file_name(&vendors, row->text, &reading);

	if (reading.has_mac) {
		mac_text(reading.mac, mac);
	}
	expect(row, "MAC", row->mac, span_text(mac));
	expect(row, "model", row->model, reading.model);
	if (span_equal(row->vendor, SPAN("?"))) {
		/* Flyingvoice asks for the same names as Yealink, where its pack is there too. */
		CHECK(is_known);
		if (reading.is_ambiguous) {
			return;
		}
		CHECK_TEXT("yealink", reading.pack->name);
	} else {
		expect_vendor(row, is_known ? reading.pack : NULL);
	}
	if (is_known && reading.rule) {
		expect(row, "kind", row->file_kind, span_text(kinds[reading.rule->kind]));
		expect(row, "identity", row->identity,
		       span_text(identities[reading.rule->identity]));
	}
}

static void check_row(const struct row *row)
{
	struct vendor_reading reading = {0};
	const struct vendor_pack *pack;

	if (span_equal(row->kind, SPAN("http")) || span_equal(row->kind, SPAN("sip"))) {
		check_user_agent(row, span_equal(row->kind, SPAN("http")));
	} else if (span_equal(row->kind, SPAN("dhcp"))) {
		pack = vendor_read_dhcp_class(&vendors, row->text, &reading);
		expect_vendor(row, pack);
		expect(row, "model", row->model, reading.model);
	} else if (span_equal(row->kind, SPAN("event"))) {
		check_event(row);
	} else if (span_equal(row->kind, SPAN("oui"))) {
		struct mac mac;

		CHECK_EQUAL(0, mac_parse(row->text, &mac));
		expect_vendor(row, vendor_by_oui(&vendors, mac));
	} else if (span_equal(row->kind, SPAN("file"))) {
		check_file(row);
	} else {
		expect(row, "kind of row", SPAN("one that there is"), row->kind);
	}
}

static void what_phones_say_is_read(void)
{
	static char buffer[1 << 16];
	const char *root = getenv("BELLHOP_SOURCE");
	char path[700];
	unsigned agents = 0;
	unsigned names = 0;
	struct span text;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/fleet/packs_one.tsv", root ? root : ".");
	file = fopen(path, "rb");
	REQUIRE(file != NULL);
	text = span_make(buffer, fread(buffer, 1, sizeof(buffer), file));
	fclose(file);
	REQUIRE(text.length < sizeof(buffer));
	for (unsigned line = 1; text.data; line++) {
		struct span rest = span_cut(&text, '\n');
		struct row row = {.line = line};

		if (rest.length == 0 || rest.data[0] == '#') {
			continue;
		}
		row.kind = column(&rest);
		row.text = column(&rest);
		row.vendor = column(&rest);
		row.model = column(&rest);
		row.version = column(&rest);
		row.mac = column(&rest);
		row.file_kind = column(&rest);
		row.identity = column(&rest);
		check_row(&row);
		agents += span_equal(row.kind, SPAN("http")) || span_equal(row.kind, SPAN("sip"));
		names += span_equal(row.kind, SPAN("file"));
	}
	CHECK(agents >= 50);
	CHECK(names >= 45);
}

/* The orders, ports and ends that the makers' facts name (dialects.md C, A.5, A.6). */
static void answers_and_orders_are_the_makers(void)
{
	static const struct {
		const char *name;
		const char *resync;
		uint16_t sip_port;
		bool ends_with_crlf;
		bool needs_account;
		const char *shape; /* the first */
	} rows[] = {
		{"snom", "check-sync;reboot=false", 5060, false, false, "%{base}{mac}.xml"},
		{"yealink", "check-sync;reboot=false", 5060, false, false, "%{base}"},
		{"grandstream", "resync", 5060, true, false, "%{base}"},
		{"fanvil", "check-sync", 5060, false, false, "%{base}$mac.cfg"},
		{"gigaset", "check-sync;reboot=false", 5060, false, true, "%{base}"},
		{"panasonic", "check-sync", 5060, false, false, "%{base}Config{MAC}.cfg"},
		{"htek", "resync", 5060, false, false, "%{base}"},
		{"sangoma", "resync", 5060, false, false, "%{base}"},
		{"vtech", "check-sync;reboot=false", 5060, false, false, "%{base}"},
		{"escene", "check-sync", 5060, false, false, "%{base}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct vendor_pack *pack = vendor_find(&vendors, span_text(rows[i].name));

		REQUIRE(pack != NULL);
		CHECK_TEXT(rows[i].resync, pack->resync.event);
		CHECK_TEXT("check-sync;reboot=true", pack->reboot.event);
		CHECK_EQUAL(rows[i].sip_port, pack->sip_port);
		CHECK_EQUAL(rows[i].ends_with_crlf, pack->ends_body_with_crlf);
		CHECK_EQUAL(rows[i].needs_account, pack->resync_needs_account);
		CHECK_EQUAL(FORM_RFC, pack->form);
		CHECK_TEXT(rows[i].shape, pack->shapes[0].shape);
	}
}

int main(void)
{
	RUN(every_pack_loads);
	RUN(every_pack_says_what_it_rests_on);
	RUN(what_is_essential_is_one_phones_own);
	RUN(what_phones_say_is_read);
	RUN(answers_and_orders_are_the_makers);
	vendors_free(&vendors);
	return test_end();
}

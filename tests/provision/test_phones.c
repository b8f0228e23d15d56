/* SPDX-License-Identifier: MIT */
/*
 * The SUBSCRIBEs of the field through a whole signalling: who is asking, and how sure we are. As
 * they are, and so that they must still be understood: rows in another order, names in any case or
 * compact, folded, with blanks, with rows and parameters that nobody knows.
 */
#include "core/base/random.h"
#include "tests/guard.h"
#include "tests/provision/phones.h"

#include <stdlib.h>

static struct bench bench;

static struct span bytes_of(const struct phone *phone)
{
	return span_make(phone->bytes, phone->length);
}

static void open_field(const char *root)
{
	bench_open(&bench);
	phones_load_packs(&bench.inventory.vendors, root);
}

static void there_are_phones(void)
{
	CHECK(phone_count >= 20);
	for (size_t i = 0; i < phone_count; i++) {
		if (phones_is(phones[i].vendor) &&
		    !vendor_find(&bench.inventory.vendors, span_text(phones[i].vendor))) {
			printf("# %s: no pack of %s\n", phones[i].file, phones[i].vendor);
		}
	}
}

/* On-link: listed as new, as sure as agreement makes us. */
static void check_seen(const struct phone *phone)
{
	const struct change *seen = bench_changed(&bench, CHANGE_DEVICE_SEEN);

	CHECK(bench_is_silent(&bench));
	phones_check(&bench.inventory.vendors, phone, seen);
	CHECK(mac_equal(phones_mac(phone), seen->mac));
	CHECK_EQUAL(IDENTIFIED_BY_FRAME, seen->identified_by);
	CHECK_EQUAL(phones_is(phone->mac) ? CERTAINTY_CONFIRMED : CERTAINTY_SEEN, seen->certainty);
	if (test_is_failed) {
		printf("# %s\n", phone->file);
	}
}

static void every_phone_is_known_on_link(void)
{
	for (size_t i = 0; i < phone_count; i++) {
		phones_send(&bench, &phones[i], bytes_of(&phones[i]), false);
		check_seen(&phones[i]);
	}
}

/* Behind a router: its word alone, and the place that it stands in. */
static void every_phone_is_listed_behind_a_router(void)
{
	for (size_t i = 0; i < phone_count; i++) {
		const struct phone *phone = &phones[i];
		const struct change *change;
		enum device_identified_by by = IDENTIFIED_BY_NOTHING;
		bool is_named = phones_is(phone->mac);

		phones_send(&bench, phone, bytes_of(phone), true);
		change = bench_changed(&bench, CHANGE_UNIDENTIFIED_SEEN);
		phones_check(&bench.inventory.vendors, phone, change);
		CHECK(!bench_changed(&bench, CHANGE_DEVICE_SEEN));
		CHECK(!is_named || device_identified_by_parse(span_text(phone->by), &by) == 0);
		CHECK_EQUAL(by, change->identified_by);
		CHECK_EQUAL(is_named ? CERTAINTY_CLAIMED : CERTAINTY_UNIDENTIFIED,
			    change->certainty);
		CHECK(mac_equal(is_named ? phones_mac(phone) : (struct mac){0}, change->mac));
		if (test_is_failed) {
			printf("# %s\n", phone->file);
		}
	}
}

/* From another hardware address: nothing, and it is listed as what it may be. */
static void every_phone_s_name_is_its_own(void)
{
	for (size_t i = 0; i < phone_count; i++) {
		const struct phone *phone = &phones[i];
		const struct change *change;

		if (!phones_is(phone->mac)) {
			continue;
		}
		bench_claim(&bench, phones_mac(phone));
		bench.packet.source = phones_source(phone);
		bench.packet.has_link_source = true;
		bench.packet.link_source = (struct mac){{2, 0, 0, 0, 0, 66}};
		bench_expire(&bench, bench.now_ms + 60000);
		CHECK_EQUAL(0, bench_receive(&bench, bytes_of(phone)));
		CHECK(bench_is_silent(&bench));
		change = bench_changed(&bench, CHANGE_UNIDENTIFIED_SEEN);
		REQUIRE(change != NULL);
		CHECK_EQUAL(CERTAINTY_SPOOFED, change->certainty);
		CHECK(mac_equal(phones_mac(phone), change->mac));
		CHECK(!bench_changed(&bench, CHANGE_DEVICE_SEEN));
		bench_change(&bench, &(struct change){.kind = CHANGE_DEVICE_REMOVE,
						      .mac = phones_mac(phone)});
		if (test_is_failed) {
			printf("# %s\n", phone->file);
		}
	}
}

/* unknown = bootstrap: each is served, and a word alone makes no device of it. */
static void every_phone_may_be_a_guest(void)
{
	bench.policy.unknown = UNKNOWN_BOOTSTRAP;
	bench.policy.serves_routed = true;
	bench.url = SPAN("http://%{address}:8080/p/%{key}/");
	for (size_t i = 0; i < phone_count; i++) {
		const struct phone *phone = &phones[i];
		const struct effect_send *notify;

		phones_send(&bench, phone, bytes_of(phone), false);
		CHECK(bench_is_served(&bench));
		CHECK(bench_changed(&bench, CHANGE_DEVICE_SEEN) != NULL);
		CHECK(!bench_changed(&bench, CHANGE_DEVICE_NOTIFIED));
		notify = bench_sent(&bench, 1);
		REQUIRE(notify != NULL);
		CHECK(span_search(notify->bytes, SPAN("p/bootstrap/")) < notify->bytes.length);
		phones_send(&bench, phone, bytes_of(phone), true);
		CHECK_EQUAL(phones_is(phone->mac), bench_is_served(&bench));
		CHECK(!bench_changed(&bench, CHANGE_DEVICE_SEEN));
		CHECK(bench_changed(&bench, CHANGE_UNIDENTIFIED_SEEN) != NULL);
		if (test_is_failed) {
			printf("# %s\n", phone->file);
		}
	}
	bench.policy.unknown = UNKNOWN_LIST;
	bench.policy.serves_routed = false;
}

/* ---- mutations ------------------------------------------------------------------------------ */

enum { rows_max = 40, row_size = 700, mutations_each = 200 };

struct rows {
	char start[400];
	char items[rows_max][row_size]; /* name, colon and value, without CRLF */
	size_t count;
};

static struct random dice;

static unsigned roll(unsigned sides)
{
	return (unsigned)random_below(&dice, sides);
}

static void take_apart(const struct phone *phone, struct rows *rows)
{
	const char *at = strstr(phone->bytes, "\r\n");

	*rows = (struct rows){.count = 0};
	snprintf(rows->start, sizeof(rows->start), "%.*s", (int)(at - phone->bytes), phone->bytes);
	for (at += 2; strncmp(at, "\r\n", 2) != 0; at = strstr(at, "\r\n") + 2) {
		snprintf(rows->items[rows->count++], row_size, "%.*s",
			 (int)(strstr(at, "\r\n") - at), at);
	}
}

static void shuffle(struct rows *rows)
{
	for (size_t i = rows->count; i > 1; i--) {
		char held[row_size];
		size_t j = roll((unsigned)i);

		memcpy(held, rows->items[i - 1], row_size);
		memcpy(rows->items[i - 1], rows->items[j], row_size);
		memcpy(rows->items[j], held, row_size);
	}
}

static void add_rows(struct rows *rows)
{
	static const char *const more[] = {
		"X-Serial: 001122334455",
		"P-Unknown: \"a;b\",<c>;d=e",
		"Supported: timer",
		"Supported: path, outbound",
		"Allow: NOTIFY",
		"Allow: INVITE, NOTIFY, SUBSCRIBE",
		"Accept: text/plain;q=0.1",
		"Accept-Language: de, en;q=0.5",
		"Organization: MAC%3a00000000000a",
		"Subject: 00-11-22-33-44-55",
	};

	while (rows->count < rows_max && roll(3) > 0) {
		snprintf(rows->items[rows->count++], row_size, "%s",
			 more[roll(sizeof(more) / sizeof(*more))]);
	}
}

static bool is_named(const char *row, const char *name)
{
	size_t length = strlen(name);

	return strncasecmp(row, name, length) == 0 && row[length] == ':';
}

/* Headers whose value ends in parameters of the header. */
static bool has_parameters(const char *row)
{
	return is_named(row, "Via") || is_named(row, "From") || is_named(row, "To") ||
	       is_named(row, "Contact") || is_named(row, "Event");
}

static void add_parameter(char *row)
{
	static const char *const more[] = {";x-new", ";flag=1", ";x-text=\"a;b=<c>\"", ";zz=%41"};
	char held[row_size];

	snprintf(held, sizeof(held), "%.600s%s", row, more[roll(4)]);
	memcpy(row, held, sizeof(held));
}

/* LWS, folded or not, around those semicolons that stand neither in quotes nor in a URI. */
static void spread(char *row)
{
	static const char *const blanks[] = {"", " ", "\t", "\r\n ", "  \r\n\t "};
	char held[row_size];
	struct writer w = writer_over(held, sizeof(held) - 1);
	bool is_quoted = false;
	bool is_uri = false;

	for (const char *c = row; *c; c++) {
		bool is_open = *c == ';' && !is_quoted && !is_uri;

		is_quoted ^= *c == '"';
		is_uri = !is_quoted && (*c == '<' || (is_uri && *c != '>'));
		writer_text(&w, is_open ? blanks[roll(5)] : "");
		writer_char(&w, *c);
		writer_text(&w, is_open ? blanks[roll(5)] : "");
	}
	if (!w.failed) {
		writer_terminate(&w);
		memcpy(row, held, sizeof(held));
	}
}

static const char *compact(const char *name)
{
	static const char *const pairs[][2] = {{"Via", "v"},	 {"From", "f"},
					       {"To", "t"},	 {"Call-ID", "i"},
					       {"Contact", "m"}, {"Content-Length", "l"},
					       {"Event", "o"},	 {"Supported", "k"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (strcasecmp(pairs[i][0], name) == 0) {
			return pairs[i][1];
		}
	}
	return name;
}

/* The name in another case or compact, the colon with blanks, the value folded behind it. */
static void rewrite_name(char *row)
{
	static const char *const before[] = {"", " ", "\t", "  "};
	static const char *const after[] = {"", " ", "\t ", "\r\n ", " \r\n\t"};
	char *colon = strchr(row, ':');
	const char *value = colon + 1 + strspn(colon + 1, " ");
	char held[row_size];
	char full[64];
	char name[64];

	snprintf(full, sizeof(full), "%.*s", (int)(colon - row), row);
	snprintf(name, sizeof(name), "%s", roll(2) ? compact(full) : full);
	for (char *c = name; *c; c++) {
		*c = roll(2) ? ascii_upper(*c) : ascii_lower(*c);
	}
	snprintf(held, sizeof(held), "%.50s%s:%s%.600s%s", name, before[roll(4)], after[roll(5)],
		 value, roll(2) ? "" : " \t");
	memcpy(row, held, sizeof(held));
}

static struct span put_together(const struct rows *rows)
{
	static char text[rows_max * row_size];
	struct writer w = writer_over(text, sizeof(text));

	writer_text(&w, rows->start);
	for (size_t i = 0; i < rows->count; i++) {
		writer_text(&w, "\r\n");
		writer_text(&w, rows->items[i]);
	}
	writer_text(&w, "\r\n\r\n");
	return writer_span(&w);
}

static struct span mutate(const struct phone *phone)
{
	static struct rows rows;

	take_apart(phone, &rows);
	add_rows(&rows);
	shuffle(&rows);
	for (size_t i = 0; i < rows.count; i++) {
		if (has_parameters(rows.items[i])) {
			if (roll(3) == 0) {
				add_parameter(rows.items[i]);
			}
			if (roll(2)) {
				spread(rows.items[i]);
			}
		}
		if (roll(2)) {
			rewrite_name(rows.items[i]);
		}
	}
	return put_together(&rows);
}

/* BELLHOP_SEED chooses other ones. */
static void mutations_are_the_same_phone(void)
{
	const char *chosen = getenv("BELLHOP_SEED");
	uint64_t seed = chosen ? strtoull(chosen, NULL, 10) : 20261128;

	random_init_number(&dice, seed);
	printf("# seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < phone_count && !test_is_failed; i++) {
		for (unsigned n = 0; n < mutations_each && !test_is_failed; n++) {
			struct span bytes = mutate(&phones[i]);

			phones_send(&bench, &phones[i], bytes, false);
			if (!bench_changed(&bench, CHANGE_DEVICE_SEEN)) {
				test_is_failed = true;
			} else {
				check_seen(&phones[i]);
			}
			if (test_is_failed) {
				printf("# %s, mutation %u of seed %llu:\n%.*s\n", phones[i].file, n,
				       (unsigned long long)seed, (int)bytes.length, bytes.data);
			}
		}
	}
}

/* ---- at the edge of memory ------------------------------------------------------------------ */

static void receive_prefix(struct span input, void *context)
{
	(void)context;
	bench.packet.bytes = input;
	effects_reset(&bench.effects);
	bench.now_ms += 40000;
	signalling_expire(bench.signalling, bench.now_ms, &bench.effects);
	effects_reset(&bench.effects);
	signalling_receive(bench.signalling, &bench.packet, bench.now_ms, &bench.effects);
}

static void nothing_is_read_past_the_end(void)
{
	for (size_t i = 0; i < phone_count; i++) {
		bench.packet.source = phones_source(&phones[i]);
		bench.packet.link_source = phones_mac(&phones[i]);
		bench.packet.has_link_source = true;
		guard_each_prefix(bytes_of(&phones[i]), receive_prefix, NULL);
	}
}

int main(int argc, char **argv)
{
	const char *root = argc > 1 ? argv[1] : ".";

	phones_read(root);
	open_field(root);
	RUN(there_are_phones);
	RUN(every_phone_is_known_on_link);
	RUN(every_phone_is_listed_behind_a_router);
	RUN(every_phone_s_name_is_its_own);
	RUN(every_phone_may_be_a_guest);
	RUN(mutations_are_the_same_phone);
	RUN(nothing_is_read_past_the_end);
	bench_close(&bench);
	return test_end();
}

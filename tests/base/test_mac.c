/* SPDX-License-Identifier: MIT */
#include "core/base/mac.h"

#include "tests/guard.h"
#include "tests/test.h"

#include <errno.h>

static void reads_every_spelling(void)
{
	static const char *const spellings[] = {
		"00908f602aac",	     "00908F602AAC",   "00:90:8f:60:2a:ac",
		"00-90-8F-60-2A-AC", "0090.8f60.2aac", "0:90:8f:60:2a:ac",
	};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		struct mac mac = {0};
		char text[mac_text_size];

		CHECK_EQUAL(0, mac_parse(span_text(spellings[i]), &mac));
		mac_text(mac, text);
		CHECK_TEXT("00908f602aac", span_text(text));
	}
}

static void refuses_what_is_none(void)
{
	static const char *const wrong[] = {
		"",
		"00908f602aa",
		"00908f602aac0",
		"00908g602aac",
		"00:90:8f:60:2a",
		"00:90:8f:60:2a:ac:01",
		"00:90:8f:60:2a:",
		"000:90:8f:60:2a:ac",
		"0090.8f60.2aa",
		"0090.8f60",
		"00:90-8f:60:2a:ac",
		"::::::",
		" 00908f602aac",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct mac mac = {{1, 2, 3, 4, 5, 6}};

		CHECK_EQUAL(-EINVAL, mac_parse(span_text(wrong[i]), &mac));
		CHECK_EQUAL(1, mac.octets[0]);
	}
}

static void knows_which_can_be_a_device(void)
{
	struct mac mac;

	CHECK_EQUAL(0, mac_parse(SPAN("00908f602aac"), &mac));
	CHECK(mac_is_device(mac));
	CHECK_EQUAL(0, mac_parse(SPAN("000000000000"), &mac));
	CHECK(!mac_is_device(mac));
	CHECK_EQUAL(0, mac_parse(SPAN("ffffffffffff"), &mac));
	CHECK(!mac_is_device(mac));
	CHECK_EQUAL(0, mac_parse(SPAN("01005e000001"), &mac));
	CHECK(!mac_is_device(mac));
}

static void writes_upper_case_for_file_names(void)
{
	char text[12];
	struct writer w = writer_over(text, sizeof(text));
	struct mac mac;

	CHECK_EQUAL(0, mac_parse_prefix(SPAN("00908f602aac.cfg"), &mac));
	mac_write_upper(&w, mac);
	CHECK_TEXT("00908F602AAC", writer_span(&w));
}

static void parse_prefix(struct span input, void *context)
{
	struct mac mac;

	(void)context;
	(void)mac_parse(input, &mac);
	(void)mac_parse_prefix(input, &mac);
}

static void survives_every_prefix(void)
{
	guard_each_prefix(SPAN("00:90:8f:60:2a:ac:01"), parse_prefix, NULL);
	guard_each_prefix(SPAN("0090.8f60.2aac.1"), parse_prefix, NULL);
	guard_each_prefix(SPAN("00908f602aac0"), parse_prefix, NULL);
}

int main(void)
{
	RUN(reads_every_spelling);
	RUN(refuses_what_is_none);
	RUN(knows_which_can_be_a_device);
	RUN(writes_upper_case_for_file_names);
	RUN(survives_every_prefix);
	return test_end();
}

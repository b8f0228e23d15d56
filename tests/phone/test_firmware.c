/* SPDX-License-Identifier: MIT */
#include "core/phone/firmware.h"
#include "tests/guard.h"
#include "tests/test.h"

static void finds_versions_in_known_forms(void)
{
	static const struct {
		struct span head;
		const char *version; /* NULL: none */
	} rows[] = {
		{{"HW_TYPE=440HD\nSWVERSION=UC_3.4.6.604.1\nBUILD_TIME=x\n", 49}, "UC_3.4.6.604.1"},
		{{"SWVERSION = \"2.2.8.61\"\n", 23}, "2.2.8.61"},
		{{"\x01\x02sw_version=2.2.2\0rest", 23}, "2.2.2"},
		{{"version='7'\n", 12}, "7"},
		{{"\x7f"
		  "FW\0\0"
		  "440HD\0"
		  "1.2.1_build_6\0\xff",
		  27},
		 "1.2.1_build_6"},
		{{"\0\0"
		  "2.2.2\0",
		  8},
		 "2.2.2"},
		{{"2012-10-09 10.13.x 1.2 v1.2.3 1.2.3.", 36}, NULL},
		{{"", 0}, NULL},
		{{"SWVERSION=\n", 11}, NULL},
		{{"SWVERSION=2.2", 13}, NULL}, /* may go on beyond what was read */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span version = SPAN("untouched");
		int error = phone_firmware_version(rows[i].head, &version);

		CHECK_EQUAL(rows[i].version != NULL, error == 0);
		CHECK_TEXT(rows[i].version ? rows[i].version : "untouched", version);
	}
}

static void looks_at_the_first_kilobyte_only(void)
{
	static char head[phone_firmware_probe_bytes + 64];
	struct span version;

	memcpy(head + phone_firmware_probe_bytes, "\n2.2.2\n", 7);
	CHECK(phone_firmware_version(span_make(head, sizeof(head)), &version) != 0);
	memcpy(head + phone_firmware_probe_bytes - 16, "\n2.2.2\n", 7);
	CHECK(phone_firmware_version(span_make(head, sizeof(head)), &version) == 0);
}

static void compares_versions(void)
{
	CHECK(phone_firmware_same_version(SPAN("UC_3.4.6"), SPAN("3.4.6")));
	CHECK(phone_firmware_same_version(SPAN("1.2.1_BUILD_6"), SPAN("1.2.1_build_6")));
	CHECK(!phone_firmware_same_version(SPAN("2.2.2"), SPAN("2.2.20")));
	CHECK(!phone_firmware_same_version(SPAN("2.2.2"), SPAN("")));
}

static void probe(struct span input, void *context)
{
	struct span version;

	(void)context;
	phone_firmware_version(input, &version);
}

static void reads_no_octet_too_many(void)
{
	guard_each_prefix(SPAN("\x01HW_TYPE=440HD\nSWVERSION= \"UC_3.4.6.604.1\"\n1.2.3_build_4"),
			  probe, NULL);
}

int main(void)
{
	RUN(finds_versions_in_known_forms);
	RUN(looks_at_the_first_kilobyte_only);
	RUN(compares_versions);
	RUN(reads_no_octet_too_many);
	return test_end();
}

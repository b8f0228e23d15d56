/* SPDX-License-Identifier: MIT */
/* What comes out of a packet socket; asking for real is in tests/system/test_doctor.py. */
#include "io/dhcp_probe.h"
#include "tests/guard.h"
#include "tests/test.h"

enum { room = 64, length_full = 20 + 8 + 4 };

/* IPv4 without options, UDP from 67 to 68, "DHCP". */
static struct span packet(char bytes[static room])
{
	static const char head[] = {0x45, 0,  0,  length_full, 0, 0,  0,   0,	64,  17, 0,
				    0,	  10, 13, 0,	       9, 10, 13,  2,	37,  0,	 67,
				    0,	  68, 0,  12,	       0, 0,  'D', 'H', 'C', 'P'};

	memcpy(bytes, head, sizeof(head));
	return span_make(bytes, sizeof(head));
}

static void takes_the_payload(void)
{
	char bytes[room];
	struct span whole = packet(bytes);

	CHECK_TEXT("DHCP", dhcp_probe_payload(whole));
	memset(bytes + whole.length, 'x', 14); /* the padding of a short frame */
	CHECK_TEXT("DHCP", dhcp_probe_payload(span_make(bytes, whole.length + 14)));
	bytes[6] = 0x40; /* do not fragment */
	CHECK_TEXT("DHCP", dhcp_probe_payload(whole));
}

static void passes_over_what_is_no_answer(void)
{
	static const struct {
		size_t at;
		char octet;
	} changes[] = {
		{0, 0x65}, {0, 0x44}, {0, 0x4f}, {2, 1},  {3, 27}, {6, 0x20},
		{7, 1},	   {9, 6},    {23, 67},	 {22, 1}, {25, 7}, {25, 13},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char bytes[room];
		struct span whole = packet(bytes);

		bytes[changes[i].at] = changes[i].octet;
		CHECK_EQUAL(0, dhcp_probe_payload(whole).length);
	}
}

static void read_it(struct span input, void *context)
{
	(void)context;
	CHECK(dhcp_probe_payload(input).length == (input.length >= length_full ? 4U : 0U));
}

static void every_prefix_is_read_within_its_bounds(void)
{
	char bytes[room];

	guard_each_prefix(packet(bytes), read_it, NULL);
}

int main(void)
{
	RUN(takes_the_payload);
	RUN(passes_over_what_is_no_answer);
	RUN(every_prefix_is_read_within_its_bounds);
	return test_end();
}

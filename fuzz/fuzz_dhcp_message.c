/* SPDX-License-Identifier: MIT */
/* One DHCP answer, read, and once more out of an IPv4 packet; every option is put together. */
#include "core/dhcp/message.h"
#include "io/dhcp_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct span bytes)
{
	struct dhcp_message message;

	if (dhcp_read(bytes, &message) != 0) {
		return;
	}
	for (unsigned code = DHCP_PAD + 1; code < DHCP_END; code++) {
		char value[4096];
		struct writer w = writer_over(value, sizeof(value));

		(void)dhcp_option(&message, (uint8_t)code, &w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make((const char *)data, size);

	read_all(bytes);
	read_all(dhcp_probe_payload(bytes));
	return 0;
}

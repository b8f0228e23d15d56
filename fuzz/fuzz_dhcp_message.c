/* SPDX-License-Identifier: MIT */
/* One DHCP answer, read; every option of it is put together. */
#include "core/dhcp/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dhcp_message message;

	if (dhcp_read(span_make((const char *)data, size), &message) != 0) {
		return 0;
	}
	for (unsigned code = DHCP_PAD + 1; code < DHCP_END; code++) {
		char value[4096];
		struct writer w = writer_over(value, sizeof(value));

		(void)dhcp_option(&message, (uint8_t)code, &w);
	}
	return 0;
}

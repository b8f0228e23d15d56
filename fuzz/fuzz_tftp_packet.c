/* SPDX-License-Identifier: MIT */
/* One TFTP datagram, read; what was read of a request is written and read again. */
#include "core/tftp/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048];
	struct writer w = writer_over(text, sizeof(text));
	struct tftp_packet first;
	struct tftp_packet second;

	if (tftp_read(span_make((const char *)data, size), &first) != 0 ||
	    first.opcode > TFTP_WRQ) {
		return 0;
	}
	tftp_write_request(&w, first.opcode, first.file, first.mode, &first.options);
	if (!w.failed && w.length <= tftp_request_max &&
	    (tftp_read(writer_span(&w), &second) != 0 || !span_equal(first.file, second.file))) {
		abort();
	}
	return 0;
}

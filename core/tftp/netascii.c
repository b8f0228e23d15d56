/* SPDX-License-Identifier: MIT */
#include "core/tftp/netascii.h"

void netascii_write(struct netascii *state, struct span *source, struct writer *w)
{
	size_t taken = 0;

	while (w->length < w->size) {
		char c;

		if (state->has_second) {
			writer_char(w, state->second);
			state->has_second = false;
			continue;
		}
		if (taken == source->length) {
			break;
		}
		c = source->data[taken++];
		if (c == '\n' || c == '\r') {
			state->has_second = true;
			state->second = c == '\n' ? '\n' : '\0';
			c = '\r';
		}
		writer_char(w, c);
	}
	*source = span_slice(*source, taken, source->length);
}

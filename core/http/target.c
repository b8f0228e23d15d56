/* SPDX-License-Identifier: MIT */
#include "core/http/target.h"

#include <errno.h>

static int decode(struct span text, bool plus_is_blank, struct writer *decoded)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '%') {
			int high = i + 2 < text.length ? ascii_hex_value(text.data[i + 1]) : -1;
			int low = i + 2 < text.length ? ascii_hex_value(text.data[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0) {
				return -EINVAL;
			}
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		writer_char(decoded, c);
	}
	return decoded->failed ? -ENOSPC : 0;
}

int http_percent_decode(struct span text, struct writer *decoded)
{
	return decode(text, false, decoded);
}

int http_query_value(struct span query, struct span name, struct writer *value)
{
	struct span rest = query;

	while (rest.data) {
		struct span pair = span_cut(&rest, '&');
		struct span key = span_cut(&pair, '=');

		if (span_equal(key, name)) {
			return decode(pair, true, value);
		}
	}
	return -ENOENT;
}

/* SPDX-License-Identifier: MIT */
/* The provisioning URL: what is written out holds no octet that could end a line or a path. */
#include "core/phone/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const struct phone_url *url)
{
	struct phone_identity who = {.model = SPAN("440HD"), .version = SPAN("2.2.2")};

	for (int file = PHONE_FILE_FIRMWARE; file <= PHONE_FILE_CONFIG; file++) {
		char buffer[phone_url_size * 4];
		struct writer w = writer_over(buffer, sizeof(buffer));
		struct span text;

		phone_url_write(&w, url, (enum phone_file)file, &who);
		text = writer_span(&w);
		if (w.failed) {
			abort();
		}
		for (size_t i = 0; i < text.length; i++) {
			if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '<') {
				abort();
			}
		}
		phone_url_write_public(&w, url, (enum phone_file)file, &who);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct span rest = text;
	struct span first = span_cut(&rest, '\n');
	char buffer[2048];
	struct writer w = writer_over(buffer, sizeof(buffer));
	struct phone_url url;

	phone_url_write_masked(&w, text, phone_url_text_max);
	if (phone_url_parse(text, &url) == 0) {
		check_url(&url);
	}
	if (phone_url_parse_file(text, PHONE_FILE_CONFIG, &url) == 0) {
		check_url(&url);
	}
	if (phone_url_parse_boot(first, rest, &url) == 0) {
		check_url(&url);
	}
	return 0;
}

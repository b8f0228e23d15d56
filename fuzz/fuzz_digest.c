/* SPDX-License-Identifier: MIT */
/* Any text as a challenge; one that is taken is answered, in one line whatever stood in it. */
#include "core/sip/digest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[1 << 17];
	struct writer w = writer_over(line, sizeof(line));
	struct sip_challenge challenge;
	struct sip_digest digest = {.challenge = &challenge,
				    .username = SPAN("bob"),
				    .password = SPAN("zanzibar"),
				    .method = SPAN("NOTIFY"),
				    .uri = SPAN("sip:bob@10.0.0.7:5060"),
				    .cnonce = SPAN("0a4f113b"),
				    .nonce_count = 1};
	struct sip_authorization back;
	struct span value;

	if (sip_challenge_parse(span_make((const char *)data, size), &challenge) != 0) {
		return 0;
	}
	if (sip_digest_write(&w, &digest) != 0) {
		abort();
	}
	if (w.failed) {
		return 0;
	}
	value = span_slice(writer_span(&w), sizeof("Authorization: ") - 1, w.length - 2);
	if (span_find(writer_span(&w), '\n') != w.length - 1 ||
	    sip_authorization_parse(value, &back) != 0 ||
	    !span_equal(back.nonce, challenge.nonce) || !span_equal(back.realm, challenge.realm) ||
	    !span_equal(back.opaque, challenge.opaque)) {
		abort();
	}
	return 0;
}

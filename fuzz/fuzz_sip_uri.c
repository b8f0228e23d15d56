/* SPDX-License-Identifier: MIT */
/* Any text as a URI, a name-addr list, a Via list and an Event. */
#include "core/sip/contact.h"
#include "core/sip/event.h"
#include "core/sip/via.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct span whole, struct span part)
{
	return part.length == 0 ||
	       (part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 16];
	struct writer w = writer_over(text, sizeof(text));
	struct span input = span_make((const char *)data, size);
	struct span rest = input;
	struct sip_uri uri;
	struct sip_contact contact;
	struct sip_via via;
	struct sip_event event;

	if (sip_uri_parse(input, &uri) == 0) {
		if (!is_inside(input, uri.user) || !is_inside(input, uri.host.text) ||
		    !is_inside(input, uri.parameters.text) || !is_inside(input, uri.headers)) {
			abort();
		}
		sip_write_unescaped(&w, uri.user);
		if (uri.host.kind != SIP_HOST_NONE && !sip_host_equal(&uri.host, &uri.host)) {
			abort();
		}
	}
	while (rest.length > 0 && sip_contact_parse(&rest, &contact) == 0) {
		if (!contact.is_star && !is_inside(input, contact.address.text)) {
			abort();
		}
	}
	rest = input;
	while (rest.length > 0 && sip_via_parse(&rest, &via) == 0) {
		if (via.host.kind == SIP_HOST_NONE || !is_inside(input, via.text)) {
			abort();
		}
	}
	sip_event_parse(input, &event);
	return 0;
}

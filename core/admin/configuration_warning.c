/* SPDX-License-Identifier: MIT */
/* What is legal in a configuration, but does not do what its author may think. */
#include "core/admin/configuration.h"

/* How a URL of ours is reached: the doors of one scheme. */
struct door {
	const char *scheme;
	const char *section;
	const struct configuration_listen *listen;
	uint16_t port; /* where a URL names none */
};

static bool listens_on(const struct configuration_listen *listen, uint64_t port)
{
	for (size_t i = 0; i < listen->count; i++) {
		if (listen->endpoints[i].port == port) {
			return true;
		}
	}
	return false;
}

/* The port that follows %{address}; 0 for %{port}, which is always right, and for what is none. */
static uint64_t port_in(struct span after, uint16_t without)
{
	uint64_t port = 0;
	struct span digits;

	if (after.length == 0 || after.data[0] != ':') {
		return without;
	}
	digits = span_slice(after, 1, after.length);
	digits = span_slice(digits, 0, span_find(digits, '/'));
	return span_to_unsigned(digits, UINT16_MAX, &port) == 0 ? port : 0;
}

static bool warn_of_door(const struct door *door, struct span name, struct span after,
			 struct writer *w)
{
	uint64_t port = port_in(after, door->port);

	if (port == 0 || listens_on(door->listen, port)) {
		return false;
	}
	writer_text(w, "[provisioning] ");
	writer_put(w, name);
	writer_text(w, " sends phones to our port ");
	writer_unsigned(w, port);
	writer_text(w, ", and [");
	writer_text(w, door->section);
	writer_text(w, "] does not listen there; write %{port}, or change one of them");
	return true;
}

/* A URL on our own address that no door of ours answers. */
static bool warn_of_url(const struct configuration *c, struct span name, struct span url,
			struct writer *w)
{
	static const struct span ours = {"://%{address}", 13};
	const struct door doors[] = {{"http", "http", &c->http_listen, 80},
				     {"https", "https", &c->https_listen, 443},
				     {"tftp", "tftp", &c->tftp_listen, 69}};
	size_t scheme = span_search(url, ours);

	if (scheme == url.length) {
		return false;
	}
	if (span_equal_nocase(span_slice(url, 0, scheme), SPAN("https")) &&
	    !configuration_serves_https(c)) {
		writer_text(w, "[provisioning] ");
		writer_put(w, name);
		writer_text(w, " sends phones to https, which is shut: [https] needs listen, "
			       "certificate and key");
		return true;
	}
	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++) {
		if (span_equal_nocase(span_slice(url, 0, scheme), span_text(doors[i].scheme))) {
			return warn_of_door(&doors[i], name,
					    span_slice(url, scheme + ours.length, url.length), w);
		}
	}
	return false;
}

static bool warn_of_vendor_url(const struct configuration *c, size_t i, struct writer *w)
{
	const struct configuration_vendor_url *own = &c->vendor_urls[i];
	char name[64];
	struct writer n = writer_over(name, sizeof(name));

	writer_text(&n, "url.");
	writer_escaped(&n, own->vendor, 20);
	return warn_of_url(c, writer_span(&n), own->url, w);
}

static bool warn(const struct configuration *c, size_t question, struct writer *w)
{
	switch (question) {
	case 0:
		if (!c->serves_spoofed) {
			return false;
		}
		writer_text(w,
			    "[provisioning] spoofed = serve is dangerous: whoever names the MAC of "
			    "a claimed phone is told its URL, and gets its passwords");
		return true;
	case 1:
		if (configuration_serves_https(c) ||
		    (c->https_certificate.length == 0 && c->https_key.length == 0 &&
		     c->https_client_ca.length == 0)) {
			return false;
		}
		writer_text(w, "[https] is shut: ");
		writer_text(w, c->https_listen.count == 0 ? "listen is empty"
							  : "there is no certificate");
		writer_text(w, "; its other keys are not used");
		return true;
	case 2:
		return warn_of_url(c, SPAN("url"), c->url, w);
	default:
		return warn_of_vendor_url(c, question - 3, w);
	}
}

bool configuration_warning(const struct configuration *configuration, size_t i, struct writer *w)
{
	size_t questions = 3 + configuration->vendor_url_count;
	size_t found = 0;

	for (size_t question = 0; question < questions; question++) {
		size_t before = w->length;

		if (!warn(configuration, question, w)) {
			continue;
		}
		if (found++ == i) {
			return true;
		}
		w->length = before;
	}
	return false;
}

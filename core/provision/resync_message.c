/* SPDX-License-Identifier: MIT */
#include "core/provision/resync_message.h"

#include "core/sip/write.h"

enum { uri_size = 512 };

void resync_uri_write(struct writer *w, const struct resync_plan *plan)
{
	writer_text(w, "sip:");
	if (!span_is_empty(plan->user)) {
		sip_write_user(w, plan->user);
		writer_char(w, '@');
	}
	endpoint_write(w, plan->to);
}

static void write_credentials(struct writer *w, const struct sip_digest *given, struct span uri)
{
	struct sip_digest digest = *given;

	digest.method = SPAN("NOTIFY");
	digest.uri = uri;
	if (sip_digest_write(w, &digest) != 0) {
		w->failed = true;
	}
}

/* %{url} in a header of the maker's own. */
static void write_own_header(struct writer *w, const struct vendor_header *header, struct span url)
{
	struct span rest = header->value;
	char value[1024];
	struct writer text = writer_over(value, sizeof(value));

	for (;;) {
		size_t at = span_search(rest, SPAN("%{url}"));

		writer_put(&text, span_slice(rest, 0, at));
		if (at == rest.length) {
			break;
		}
		writer_put(&text, url);
		rest = span_slice(rest, at + sizeof("%{url}") - 1, rest.length);
	}
	w->failed |= text.failed;
	sip_write_header_named(w, header->name, writer_span(&text));
}

/* As the NOTIFY that a SUBSCRIBE brings. */
static void write_url(struct writer *w, const struct resync_message *m)
{
	const struct vendor_pack *pack = m->plan->pack;
	struct span type =
		span_is_empty(pack->content_type) ? SPAN("application/url") : pack->content_type;
	char body[1024];
	struct writer text = writer_over(body, sizeof(body));

	writer_put(&text, m->url);
	writer_text(&text, pack->ends_body_with_crlf ? "\r\n" : "");
	w->failed |= text.failed;
	writer_text(w, "Event: ua-profile;effective-by=0\r\n"
		       "Subscription-State: terminated;reason=timeout\r\n");
	for (size_t i = 0; i < pack->header_count; i++) {
		write_own_header(w, &pack->headers[i], m->url);
	}
	sip_write_end(w, type, writer_span(&text));
}

void resync_message_write(struct writer *w, const struct resync_message *m)
{
	const struct vendor_order *order = m->plan->order;
	char uri_text[uri_size];
	struct writer uri = writer_over(uri_text, sizeof(uri_text));

	resync_uri_write(&uri, m->plan);
	w->failed |= uri.failed;
	sip_write_request_line(w, SPAN("NOTIFY"), writer_span(&uri));
	sip_write_via(w, m->local, m->branch, true);
	writer_text(w, "Max-Forwards: 70\r\nFrom: <sip:bellhop@");
	endpoint_write(w, m->local);
	writer_text(w, ">;tag=");
	writer_put(w, m->from_tag);
	writer_text(w, "\r\nTo: <");
	writer_put(w, writer_span(&uri));
	writer_text(w, ">\r\n");
	sip_write_header(w, SIP_HEADER_CALL_ID, m->call_id);
	sip_write_cseq(w, m->cseq, SPAN("NOTIFY"));
	sip_write_contact(w, SPAN("bellhop"), m->local);
	if (m->digest) {
		write_credentials(w, m->digest, writer_span(&uri));
	}
	if (m->plan->tells_url) {
		write_url(w, m);
		return;
	}
	sip_write_header(w, SIP_HEADER_EVENT, order->event);
	writer_text(w, "Subscription-State: terminated\r\n");
	sip_write_end(w, order->content_type, order->body);
}

/* SPDX-License-Identifier: MIT */
#include "core/provision/request_check.h"

#include "core/sip/write.h"

#include <errno.h>

static const struct refusal nothing;

static struct refusal refuse(unsigned status, const char *counter, const char *phrase)
{
	return (struct refusal){.status = status, .counter = counter, .phrase = phrase};
}

/* Step 11. */
static struct refusal check_method(const struct sip_message *request)
{
	switch (request->method) {
	case SIP_METHOD_SUBSCRIBE:
	case SIP_METHOD_OPTIONS:
	case SIP_METHOD_CANCEL:
		return nothing;
	case SIP_METHOD_UNKNOWN:
		return refuse(501, "method_unknown", NULL);
	case SIP_METHOD_ACK:
	case SIP_METHOD_BYE:
	case SIP_METHOD_INFO:
	case SIP_METHOD_INVITE:
	case SIP_METHOD_MESSAGE:
	case SIP_METHOD_NOTIFY:
	case SIP_METHOD_PRACK:
	case SIP_METHOD_PUBLISH:
	case SIP_METHOD_REFER:
	case SIP_METHOD_REGISTER:
	case SIP_METHOD_UPDATE:
		break;
	}
	return refuse(405, "method_not_allowed", NULL);
}

static bool is_ours(struct address address, const struct request_hosts *hosts)
{
	address = address_unmapped(address);
	return address_equal(address, address_unmapped(hosts->local)) ||
	       address_equal(address, address_unmapped(hosts->target)) ||
	       (address_is_set(hosts->group) && address_equal(address, hosts->group)) ||
	       /* Phones name sip.mcast.net also to a server that they know (R-MCAST-13). */
	       address_equal(address, address_ipv4(224, 0, 1, 75));
}

/* Step 12. */
static struct refusal check_request_uri(const struct sip_uri *uri,
					const struct request_hosts *hosts)
{
	if (uri->scheme != SIP_SCHEME_SIP) {
		/* sips: is for TLS (RFC 3261 26.2.2); there is none on this socket. */
		return refuse(416, "uri_scheme", NULL);
	}
	switch (uri->host.kind) {
	case SIP_HOST_NAME:
		return nothing;
	case SIP_HOST_IPV4:
	case SIP_HOST_IPV6:
		return is_ours(uri->host.address, hosts) ? nothing
							 : refuse(404, "uri_not_ours", NULL);
	case SIP_HOST_NONE:
		break;
	}
	return refuse(400, "bad_request_uri", "Bad Request-URI");
}

/* Step 14: no extension is known, so every tag of Require is one too many. */
static struct refusal check_require(const struct sip_message *request)
{
	struct sip_list list = sip_message_list(request, SIP_HEADER_REQUIRE);
	struct span tag;
	bool has_any = false;

	while (sip_list_next(&list, &tag)) {
		if (!sip_is_token(tag)) {
			return refuse(400, "bad_require", "Bad Require");
		}
		has_any = true;
	}
	return has_any ? refuse(420, "extension_required", NULL) : nothing;
}

/* Step 15. A plain body is passed over (RFC 6080 6.3), one that cannot be read is not. */
static struct refusal check_encoding(const struct sip_message *request)
{
	struct sip_list list = sip_message_list(request, SIP_HEADER_CONTENT_ENCODING);
	struct span coding;

	while (sip_list_next(&list, &coding)) {
		if (!span_equal_nocase(coding, SPAN("identity"))) {
			return refuse(415, "content_encoding", NULL);
		}
	}
	return nothing;
}

struct refusal request_check(const struct sip_message *request, const struct request_hosts *hosts,
			     bool is_merged)
{
	struct refusal refusal = check_method(request);

	if (!refusal.status) {
		refusal = check_request_uri(&request->request_uri, hosts);
	}
	if (!refusal.status && request->to.has_tag) {
		refusal = refuse(481, "no_such_dialog", NULL);
	}
	if (!refusal.status && is_merged) {
		refusal = refuse(482, "merged", NULL);
	}
	if (!refusal.status) {
		refusal = check_require(request);
	}
	if (!refusal.status) {
		refusal = check_encoding(request);
	}
	return refusal;
}

/* Step 16. */
static struct refusal check_event(const struct sip_message *request, struct sip_event *event)
{
	int error = sip_message_event(request, event);

	if (error == -ENOENT) {
		return refuse(489, "event_missing", NULL);
	}
	if (error) {
		return refuse(400, "bad_event", sip_message_fault_text(SIP_HEADER_EVENT, error));
	}
	if (!span_equal(event->type, SPAN("ua-profile"))) {
		return refuse(489, "event_unknown", NULL);
	}
	return nothing;
}

/*
 * Step 17, first half. "application" is what AudioCodes phones ask for (R-DRAFT-3); who names no
 * type at all gets that of a device.
 */
static struct refusal check_profile_type(const struct sip_event *event)
{
	if (span_is_empty(event->profile_type) ||
	    span_equal_nocase(event->profile_type, SPAN("device")) ||
	    span_equal_nocase(event->profile_type, SPAN("application"))) {
		return nothing;
	}
	return refuse(404, "profile_type_not_served", NULL);
}

/* Step 18: what the NOTIFY carries is application/url (R-6665-15, R-6080-87). */
static struct refusal check_accept(const struct sip_message *request)
{
	unsigned quality;
	int error = sip_message_accepts(request, SPAN("application"), SPAN("url"), &quality);

	if (error == -ENOENT) {
		return nothing;
	}
	if (error) {
		return refuse(400, "bad_accept", "Bad Accept");
	}
	return quality > 0 ? nothing : refuse(406, "not_acceptable", NULL);
}

/* Step 19. Every duration is granted as 0, so none is too short: never 423 (R-6665-14). */
static struct refusal check_expires(const struct sip_message *request)
{
	uint32_t expires_s;
	int error = sip_message_expires(request, &expires_s);

	if (error && error != -ENOENT) {
		return refuse(400, "bad_expires",
			      sip_message_fault_text(SIP_HEADER_EXPIRES, error));
	}
	return nothing;
}

/* Step 20. */
static struct refusal check_contact(const struct sip_message *request, struct address source,
				    struct sip_name_address *contact)
{
	int error = sip_message_contact(request, contact);
	struct sip_parameter maddr;
	const struct sip_host *host = &contact->uri.host;

	if (error) {
		return refuse(400, "bad_contact",
			      sip_message_fault_text(SIP_HEADER_CONTACT, error));
	}
	if (sip_message_check_routes(request, SIP_HEADER_RECORD_ROUTE) != 0) {
		return refuse(400, "bad_record_route", "Bad Record-Route");
	}
	if (contact->uri.scheme != SIP_SCHEME_SIP ||
	    (host->kind != SIP_HOST_IPV4 && host->kind != SIP_HOST_IPV6) ||
	    !address_equal(address_unmapped(host->address), address_unmapped(source)) ||
	    sip_parameters_find(contact->uri.parameters, SPAN("maddr"), &maddr)) {
		/* RFC 6665 6.3: who asks for others makes us a gun */
		return refuse(403, "contact_is_not_source", "Contact Is Not The Source");
	}
	return nothing;
}

struct refusal subscribe_check(const struct sip_message *request, struct address source,
			       struct subscribe *subscribe)
{
	struct subscribe read = {0};
	struct refusal refusal = check_event(request, &read.event);

	if (!refusal.status) {
		refusal = check_profile_type(&read.event);
	}
	if (!refusal.status) {
		refusal = check_accept(request);
	}
	if (!refusal.status) {
		refusal = check_expires(request);
	}
	if (!refusal.status) {
		refusal = check_contact(request, source, &read.contact);
	}
	if (!refusal.status) {
		*subscribe = read;
	}
	return refusal;
}

static const char allowed_methods[] = "SUBSCRIBE, OPTIONS, CANCEL";

static void write_unsupported(struct writer *w, const struct sip_message *request)
{
	struct sip_list list = sip_message_list(request, SIP_HEADER_REQUIRE);
	struct span tag;
	bool is_first = true;

	writer_text(w, "Unsupported: ");
	while (sip_list_next(&list, &tag)) {
		writer_text(w, is_first ? "" : ", ");
		writer_put(w, tag);
		is_first = false;
	}
	writer_text(w, "\r\n");
}

/* What the status asks for (RFC 3261 21.4). */
static void write_remedy(struct writer *w, const struct sip_message *request, unsigned status)
{
	switch (status) {
	case 405:
	case 501:
		sip_write_header(w, SIP_HEADER_ALLOW, span_text(allowed_methods));
		break;
	case 406:
		sip_write_header(w, SIP_HEADER_ACCEPT, SPAN("application/url"));
		break;
	case 415:
		sip_write_header_named(w, SPAN("Accept-Encoding"), SPAN("identity"));
		break;
	case 420:
		write_unsupported(w, request);
		break;
	case 489:
		sip_write_header(w, SIP_HEADER_ALLOW_EVENTS, SPAN("ua-profile"));
		break;
	default:
		break;
	}
}

static void write_server(struct writer *w, struct span server_header)
{
	if (!span_is_empty(server_header)) {
		sip_write_header(w, SIP_HEADER_SERVER, server_header);
	}
}

void refusal_write(struct writer *w, const struct sip_message *request,
		   const struct refusal *refusal, struct span to_tag, struct endpoint source,
		   struct span server_header)
{
	struct sip_response response = {.status = refusal->status,
					.reason = span_text(refusal->phrase),
					.to_tag = to_tag,
					.source = source};

	sip_write_response(w, request, &response);
	write_remedy(w, request, refusal->status);
	write_server(w, server_header);
	sip_write_end(w, SPAN(""), SPAN(""));
}

void options_answer_write(struct writer *w, const struct sip_message *request, struct span to_tag,
			  struct endpoint source, struct span server_header)
{
	struct sip_response response = {.status = 200, .to_tag = to_tag, .source = source};

	sip_write_response(w, request, &response);
	sip_write_header(w, SIP_HEADER_ALLOW, span_text(allowed_methods));
	/* Any body is taken, because every body is passed over (RFC 6080 6.3). */
	sip_write_header(w, SIP_HEADER_ACCEPT, SPAN("*/*"));
	sip_write_header_named(w, SPAN("Accept-Encoding"), SPAN("identity"));
	sip_write_header_named(w, SPAN("Accept-Language"), SPAN("en"));
	sip_write_header(w, SIP_HEADER_SUPPORTED, SPAN(""));
	sip_write_header(w, SIP_HEADER_ALLOW_EVENTS, SPAN("ua-profile"));
	write_server(w, server_header);
	sip_write_end(w, SPAN(""), SPAN(""));
}

void plain_answer_write(struct writer *w, const struct sip_message *request, struct span to_tag,
			struct endpoint source, struct span server_header)
{
	struct sip_response response = {.status = 200, .to_tag = to_tag, .source = source};

	sip_write_response(w, request, &response);
	write_server(w, server_header);
	sip_write_end(w, SPAN(""), SPAN(""));
}

/* SPDX-License-Identifier: MIT */
/*
 * Requests and responses through the bounded writer of core/base: ask writer->failed once, at the
 * end. Values of the wire are copied unfolded and otherwise octet for octet. Values of our own that
 * hold a control character fail the writer, so that no value can add a line.
 *
 * A message is: one sip_write_response or sip_write_request, headers in any number, sip_write_end.
 */
#ifndef BELLHOP_CORE_SIP_WRITE_H
#define BELLHOP_CORE_SIP_WRITE_H

#include "core/sip/message.h"

struct sip_response {
	unsigned status;
	struct span reason; /* empty: sip_reason(status) */
	struct span to_tag; /* added to To when the request's has none (R-3261-31); may be empty */
	struct endpoint
		source; /* where the request came from; family ADDRESS_NONE: Via unchanged */
};

/*
 * Status line, all Vias in order (the top one corrected: sip_write_vias), From, To, Call-ID, CSeq
 * (RFC 3261 8.2.6.2). Rows that cannot be read are copied as they are, absent ones left out.
 */
void sip_write_response(struct writer *w, const struct sip_message *request,
			const struct sip_response *response);

/*
 * The Via rows of a request. In the top value rport gets the source port and received the source
 * address when rport was asked for, when sent-by is not that address, or when the client had set
 * received (R-3581-2, 3, 6; R-3261-68). A Via that cannot be read whole is copied as it is.
 */
void sip_write_vias(struct writer *w, const struct sip_message *request, struct endpoint source);

/* The Record-Route rows, in order, with all parameters (R-3261-40). */
void sip_write_record_routes(struct writer *w, const struct sip_message *request);

/* METHOD uri SIP/2.0; LWS or a control in the URI fails the writer. */
void sip_write_request_line(struct writer *w, struct span method, struct span uri);

/* SIP/2.0 status reason. */
void sip_write_status_line(struct writer *w, unsigned status, struct span reason);

/* Via: SIP/2.0/UDP sent_by;branch=branch, with ;rport when asked (RFC 3581 3). */
void sip_write_via(struct writer *w, struct endpoint sent_by, struct span branch, bool has_rport);

/* name: value; a control character in the value (but HT) fails the writer. */
void sip_write_header(struct writer *w, enum sip_header kind, struct span value);
void sip_write_header_named(struct writer *w, struct span name, struct span value);
void sip_write_header_unsigned(struct writer *w, enum sip_header kind, uint64_t value);

/* All rows of a kind of another message, unfolded, under the long name. */
void sip_write_header_copy(struct writer *w, enum sip_header kind, const struct sip_message *from);

/*
 * From or To out of another message's From or To: the value unfolded and, when `tag` is not empty
 * and the value has none, ;tag=tag (RFC 3261 12.2.1.1: the roles may be swapped).
 */
void sip_write_name_address(struct writer *w, enum sip_header kind,
			    const struct sip_name_address *value, struct span tag);

/* CSeq: number METHOD. */
void sip_write_cseq(struct writer *w, uint32_t number, struct span method);

/* <sip:user@host:port>, without "user@" when `user` is empty; `user` is escaped already. */
void sip_write_contact(struct writer *w, struct span user, struct endpoint address);

/* The URI as it was written. */
void sip_write_uri(struct writer *w, const struct sip_uri *uri);

/* Escapes what may not stand bare in a user part (RFC 3261 19.1.2) as %hh. */
void sip_write_user(struct writer *w, struct span octets);

/* "text" with quotes and quoted-pairs. Controls fail the writer. */
void sip_write_quoted(struct writer *w, struct span text);

/* Content-Type (when `content_type` is not empty), Content-Length, the empty line and the body. */
void sip_write_end(struct writer *w, struct span content_type, struct span body);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One SIP message in one datagram (RFC 3261 7, 18.3, 25.1), as views: sip_message_parse walks over
 * it once, indexes the header rows that Bellhop knows by kind, and reads what every message must
 * have (start line, top Via, From, To, Call-ID, CSeq, Content-Length). Everything else is read when
 * it is asked for, by the sip_message_* readers below, so that a fault in a header nobody needs
 * does no harm (R-3261-20).
 *
 * A struct sip_message is some 6 KB: keep one per decider rather than one per call (the build
 * clears automatic variables). It needs no initialisation and is valid as long as the datagram.
 */
#ifndef BELLHOP_CORE_SIP_MESSAGE_H
#define BELLHOP_CORE_SIP_MESSAGE_H

#include "core/sip/accept.h"
#include "core/sip/authorization.h"
#include "core/sip/event.h"
#include "core/sip/name_address.h"
#include "core/sip/subscription_state.h"
#include "core/sip/via.h"

enum sip_method {
	SIP_METHOD_UNKNOWN, /* a token that is none of these: 501 */
	SIP_METHOD_ACK,
	SIP_METHOD_BYE,
	SIP_METHOD_CANCEL,
	SIP_METHOD_INFO,
	SIP_METHOD_INVITE,
	SIP_METHOD_MESSAGE,
	SIP_METHOD_NOTIFY,
	SIP_METHOD_OPTIONS,
	SIP_METHOD_PRACK,
	SIP_METHOD_PUBLISH,
	SIP_METHOD_REFER,
	SIP_METHOD_REGISTER,
	SIP_METHOD_SUBSCRIBE,
	SIP_METHOD_UPDATE,
};

/* The header fields that are indexed; rows of any other name are counted and forgotten. */
enum sip_header {
	SIP_HEADER_OTHER,
	SIP_HEADER_ACCEPT,
	SIP_HEADER_ALLOW,
	SIP_HEADER_ALLOW_EVENTS,
	SIP_HEADER_AUTHORIZATION,
	SIP_HEADER_CALL_ID,
	SIP_HEADER_CONTACT,
	SIP_HEADER_CONTENT_ENCODING,
	SIP_HEADER_CONTENT_LENGTH,
	SIP_HEADER_CONTENT_TYPE,
	SIP_HEADER_CSEQ,
	SIP_HEADER_DATE,
	SIP_HEADER_EVENT,
	SIP_HEADER_EXPIRES,
	SIP_HEADER_FROM,
	SIP_HEADER_MAX_FORWARDS,
	SIP_HEADER_MIN_EXPIRES,
	SIP_HEADER_PROXY_AUTHENTICATE,
	SIP_HEADER_PROXY_AUTHORIZATION,
	SIP_HEADER_PROXY_REQUIRE,
	SIP_HEADER_RECORD_ROUTE,
	SIP_HEADER_REQUIRE,
	SIP_HEADER_RETRY_AFTER,
	SIP_HEADER_ROUTE,
	SIP_HEADER_SERVER,
	SIP_HEADER_SUBSCRIPTION_STATE,
	SIP_HEADER_SUPPORTED,
	SIP_HEADER_TO,
	SIP_HEADER_UNSUPPORTED,
	SIP_HEADER_USER_AGENT,
	SIP_HEADER_VIA,
	SIP_HEADER_WARNING,
	SIP_HEADER_WWW_AUTHENTICATE,
	sip_header_count,
};

enum {
	sip_rows_max = 128, /* indexed rows of one message; a further one is a fault */
	sip_row_none = 255,
	sip_message_bytes_max = 65535, /* R-3261-1 */
	sip_cseq_max = 0x7fffffff,     /* R-3261-38 */
	sip_request_uri_max = 4096,    /* a longer one is not read: 414 (R-3261-85) */
};

struct sip_row {
	struct span value; /* without LWS around it; may be folded inside */
	uint8_t kind;	   /* enum sip_header, never OTHER */
	uint8_t next;	   /* the next row of the same kind, or sip_row_none */
};

struct sip_cseq {
	uint32_t number;
	enum sip_method method;
	struct span method_text;
};

/* What could be read; see sip_message.readable. */
enum sip_part {
	SIP_PART_VIA = 1 << 0,
	SIP_PART_FROM = 1 << 1,
	SIP_PART_TO = 1 << 2,
	SIP_PART_CALL_ID = 1 << 3,
	SIP_PART_CSEQ = 1 << 4,
	SIP_PART_START = 1 << 5, /* the start line */
	SIP_PART_DIALOG =
		SIP_PART_VIA | SIP_PART_FROM | SIP_PART_TO | SIP_PART_CALL_ID | SIP_PART_CSEQ,
};

struct sip_message {
	struct span bytes; /* the datagram, from the first octet of the start line */
	bool is_request;

	/* Requests. method_text is set whenever the start line holds a method at all. */
	enum sip_method method;
	struct span method_text;
	struct span request_uri_text;
	struct sip_uri request_uri;

	/* Responses. */
	unsigned status; /* 100 .. 699 */
	struct span reason;

	/* The typed ones are valid when their bit is in `readable`. */
	unsigned readable;  /* enum sip_part */
	struct sip_via via; /* the top one; host is valid already when it is not SIP_HOST_NONE */
	struct sip_name_address from;
	struct sip_name_address to;
	struct span call_id;
	struct sip_cseq cseq;
	struct span body;

	/* The first fault: 0 and NULL when there is none. */
	unsigned fault_status; /* what a request with it is answered: 400, 414, 501 or 505 */
	const char *fault;     /* a constant sentence fit for a reason phrase: "Bad CSeq" */

	bool is_unsafe;	      /* an illegal octet in a row that a response would copy */
	bool is_folded;	      /* a row goes over several lines */
	unsigned other_count; /* rows of names that are not indexed */
	unsigned row_count;
	uint8_t first[sip_header_count]; /* index of the first row of a kind, or sip_row_none */
	uint8_t last[sip_header_count];
	struct sip_row rows[sip_rows_max];
};

/*
 * Reads one datagram. 0: a whole, well-formed message. -EBADMSG: a message with a fault, named in
 * `fault`, read as far as it could be; ask sip_message_is_answerable. -ENOMSG: nothing that looks
 * like SIP (empty, only CRLF, binary, no start line): silence, and `*message` tells nothing.
 */
int sip_message_parse(struct sip_message *message, struct span datagram);

/*
 * The same, but a response is read only as far as `parts` (enum sip_part) asks: without
 * SIP_PART_FROM or _TO that header is not looked at, and what is wrong with it is no fault. For who
 * needs no more than to find the transaction that a response is for.
 */
int sip_message_parse_parts(struct sip_message *message, struct span datagram, unsigned parts);

/*
 * May a request that came back with -EBADMSG be answered with its fault_status? (Decision table of
 * doc/standards.md, steps 3 to 6.) The top Via names a sent-by, and From, To, Call-ID and CSeq are
 * there; where the start line itself is the fault, all five can be read. Never true for a response
 * or an ACK.
 */
bool sip_message_is_answerable(const struct sip_message *message);

/* How many rows of that kind there are. */
unsigned sip_message_row_count(const struct sip_message *message, enum sip_header kind);

/* The value of the only row of a kind: 0 and `*value`, -ENOENT without one, -EEXIST with several.
 */
int sip_message_single(const struct sip_message *message, enum sip_header kind, struct span *value);

/*
 * The fault of a reader as a constant sentence: -ENOENT "Missing Event", -EEXIST "Duplicate Event",
 * everything else "Bad Event".
 */
const char *sip_message_fault_text(enum sip_header kind, int error);

/*
 * Walks the values of a list header over all its rows, in order (R-3261-9): commas inside quotes
 * and
 * <> do not separate; empty values between commas are skipped. For parsers of one value that take
 * `struct span *rest`, walk the rows instead: sip_message_next_row.
 */
struct sip_list {
	const struct sip_message *message;
	struct span rest;
	uint8_t row; /* the next to open */
};

struct sip_list sip_message_list(const struct sip_message *message, enum sip_header kind);
bool sip_list_next(struct sip_list *list, struct span *value);

/* The first row of a kind (`row` NULL) or the one after `row`; NULL at the end. */
const struct sip_row *sip_message_next_row(const struct sip_message *message, enum sip_header kind,
					   const struct sip_row *row);

/*
 * Readers of single headers. 0 and the out-parameter; -ENOENT absent, -EEXIST more than one,
 * -EINVAL not what the grammar says (numbers: also out of their range).
 */
int sip_message_event(const struct sip_message *message, struct sip_event *event);
int sip_message_expires(const struct sip_message *message, uint32_t *expires_s);
int sip_message_min_expires(const struct sip_message *message, uint32_t *expires_s);
int sip_message_max_forwards(const struct sip_message *message, unsigned *hops);
int sip_message_retry_after(const struct sip_message *message, uint32_t *delay_s);
int sip_message_content_type(const struct sip_message *message, struct sip_media_type *type);
int sip_message_subscription_state(const struct sip_message *message,
				   struct sip_subscription_state *state);

/*
 * Contact of a request that makes or refreshes a dialog: exactly one value with a sip: or sips: URI
 * that has a host (R-3261-37). 0, -ENOENT, -EEXIST for a second value, -EINVAL ('*' too).
 */
int sip_message_contact(const struct sip_message *message, struct sip_name_address *contact);

/*
 * How much the sender wants type/subtype, by the most specific range that fits (RFC 3261 20.1):
 * 0 and `*quality` in thousandths (0: not acceptable, also when an Accept header is there and
 * empty), -ENOENT without any Accept (the package's default holds), -EINVAL when one is malformed.
 */
int sip_message_accepts(const struct sip_message *message, struct span type, struct span subtype,
			unsigned *quality);

/* The token is in a list of tokens (Supported, Require, Allow, ...), in any case. */
bool sip_message_lists(const struct sip_message *message, enum sip_header kind, struct span token);

/* Every value of Route or Record-Route is a name-addr with <> and a URI. 0 or -EINVAL; 0 for none.
 */
int sip_message_check_routes(const struct sip_message *message, enum sip_header kind);

/* The method of that token, compared octet by octet (R-3261-5); SIP_METHOD_UNKNOWN for others. */
enum sip_method sip_method_of(struct span token);

/* "SUBSCRIBE"; empty for SIP_METHOD_UNKNOWN. */
struct span sip_method_name(enum sip_method method);

/* The kind of a header name, long or compact, in any case (R-3261-12). */
enum sip_header sip_header_of(struct span name);

/* The long name, "Call-ID"; empty for SIP_HEADER_OTHER. */
struct span sip_header_name(enum sip_header kind);

/* The reason phrase of RFC 3261 21 and RFC 6665 for a status; "Unknown" for others. */
const char *sip_reason(unsigned status);

#endif

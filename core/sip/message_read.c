/* SPDX-License-Identifier: MIT */
/* The headers that are read when somebody asks for them. */
#include "core/sip/fill.h"
#include "core/sip/message.h"
#include "core/sip/scan.h"

const struct sip_row *sip_message_next_row(const struct sip_message *message, enum sip_header kind,
					   const struct sip_row *row)
{
	unsigned index = row ? row->next : message->first[kind];

	return index == sip_row_none ? NULL : &message->rows[index];
}

unsigned sip_message_row_count(const struct sip_message *message, enum sip_header kind)
{
	const struct sip_row *row = NULL;
	unsigned count = 0;

	while ((row = sip_message_next_row(message, kind, row))) {
		count++;
	}
	return count;
}

int sip_message_single(const struct sip_message *message, enum sip_header kind, struct span *value)
{
	unsigned first = message->first[kind];

	if (first == sip_row_none) {
		return -ENOENT;
	}
	if (message->rows[first].next != sip_row_none) {
		return -EEXIST;
	}
	*value = message->rows[first].value;
	return 0;
}

const char *sip_message_fault_text(enum sip_header kind, int error)
{
#define FAULTS(name)                                                                               \
	{                                                                                          \
		"Missing " name, "Duplicate " name, "Bad " name                                    \
	}
	static const char *const faults[sip_header_count][3] = {
		[SIP_HEADER_OTHER] = FAULTS("Header Field"),
		[SIP_HEADER_ACCEPT] = FAULTS("Accept"),
		[SIP_HEADER_ALLOW] = FAULTS("Allow"),
		[SIP_HEADER_ALLOW_EVENTS] = FAULTS("Allow-Events"),
		[SIP_HEADER_AUTHORIZATION] = FAULTS("Authorization"),
		[SIP_HEADER_CALL_ID] = FAULTS("Call-ID"),
		[SIP_HEADER_CONTACT] = FAULTS("Contact"),
		[SIP_HEADER_CONTENT_ENCODING] = FAULTS("Content-Encoding"),
		[SIP_HEADER_CONTENT_LENGTH] = FAULTS("Content-Length"),
		[SIP_HEADER_CONTENT_TYPE] = FAULTS("Content-Type"),
		[SIP_HEADER_CSEQ] = FAULTS("CSeq"),
		[SIP_HEADER_DATE] = FAULTS("Date"),
		[SIP_HEADER_EVENT] = FAULTS("Event"),
		[SIP_HEADER_EXPIRES] = FAULTS("Expires"),
		[SIP_HEADER_FROM] = FAULTS("From"),
		[SIP_HEADER_MAX_FORWARDS] = FAULTS("Max-Forwards"),
		[SIP_HEADER_MIN_EXPIRES] = FAULTS("Min-Expires"),
		[SIP_HEADER_PROXY_AUTHENTICATE] = FAULTS("Proxy-Authenticate"),
		[SIP_HEADER_PROXY_AUTHORIZATION] = FAULTS("Proxy-Authorization"),
		[SIP_HEADER_PROXY_REQUIRE] = FAULTS("Proxy-Require"),
		[SIP_HEADER_RECORD_ROUTE] = FAULTS("Record-Route"),
		[SIP_HEADER_REQUIRE] = FAULTS("Require"),
		[SIP_HEADER_RETRY_AFTER] = FAULTS("Retry-After"),
		[SIP_HEADER_ROUTE] = FAULTS("Route"),
		[SIP_HEADER_SERVER] = FAULTS("Server"),
		[SIP_HEADER_SUBSCRIPTION_STATE] = FAULTS("Subscription-State"),
		[SIP_HEADER_SUPPORTED] = FAULTS("Supported"),
		[SIP_HEADER_TO] = FAULTS("To"),
		[SIP_HEADER_UNSUPPORTED] = FAULTS("Unsupported"),
		[SIP_HEADER_USER_AGENT] = FAULTS("User-Agent"),
		[SIP_HEADER_VIA] = FAULTS("Via"),
		[SIP_HEADER_WARNING] = FAULTS("Warning"),
		[SIP_HEADER_WWW_AUTHENTICATE] = FAULTS("WWW-Authenticate"),
	};
#undef FAULTS

	return faults[kind][error == -ENOENT ? 0 : error == -EEXIST ? 1 : 2];
}

struct sip_list sip_message_list(const struct sip_message *message, enum sip_header kind)
{
	return (struct sip_list){.message = message, .row = message->first[kind]};
}

/* The next comma outside quotes and <>, or `end`. */
static const char *find_comma(const char *p, const char *end)
{
	bool is_bracketed = false;

	while (p != end && (*p != ',' || is_bracketed)) {
		if (*p == '"') {
			p = sip_skip_quoted(p, end);
			if (!p) {
				return end;
			}
			continue;
		}
		is_bracketed = *p == '<' || (is_bracketed && *p != '>');
		p++;
	}
	return p;
}

bool sip_list_next(struct sip_list *list, struct span *value)
{
	for (;;) {
		const char *end;
		const char *comma;
		struct span item;

		if (list->rest.length == 0) {
			if (list->row == sip_row_none) {
				return false;
			}
			list->rest = list->message->rows[list->row].value;
			list->row = list->message->rows[list->row].next;
			continue;
		}
		end = sip_end(list->rest);
		comma = find_comma(list->rest.data, end);
		item = sip_trim(sip_between(list->rest.data, comma));
		list->rest = sip_between(comma == end ? end : comma + 1, end);
		if (item.length > 0) {
			*value = item;
			return true;
		}
	}
}

static int read_number(const struct sip_message *message, enum sip_header kind, uint64_t max,
		       uint64_t *number)
{
	struct span value;
	int error = sip_message_single(message, kind, &value);

	return error != 0 ? error : sip_number(value, max, number);
}

static int read_u32(const struct sip_message *message, enum sip_header kind, uint32_t *number)
{
	uint64_t value;
	int error = read_number(message, kind, UINT32_MAX, &value);

	if (error == 0) {
		*number = (uint32_t)value;
	}
	return error;
}

int sip_message_expires(const struct sip_message *message, uint32_t *expires_s)
{
	return read_u32(message, SIP_HEADER_EXPIRES, expires_s);
}

int sip_message_min_expires(const struct sip_message *message, uint32_t *expires_s)
{
	return read_u32(message, SIP_HEADER_MIN_EXPIRES, expires_s);
}

int sip_message_max_forwards(const struct sip_message *message, unsigned *hops)
{
	uint64_t value;
	int error = read_number(message, SIP_HEADER_MAX_FORWARDS, 255, &value);

	if (error == 0) {
		*hops = (unsigned)value;
	}
	return error;
}

int sip_message_retry_after(const struct sip_message *message, uint32_t *delay_s)
{
	struct span value;
	uint64_t seconds;
	size_t length = 0;
	int error = sip_message_single(message, SIP_HEADER_RETRY_AFTER, &value);

	if (error != 0) {
		return error;
	}
	/* delta-seconds [ comment ] *( ;param ) (RFC 3261 20.33) */
	while (length < value.length && ascii_is_digit(value.data[length])) {
		length++;
	}
	if (length < value.length && value.data[length] != ';' && value.data[length] != '(' &&
	    !sip_is(value.data[length], SIP_CLASS_LWS)) {
		return -EINVAL;
	}
	error = sip_number(span_slice(value, 0, length), UINT32_MAX, &seconds);
	if (error == 0) {
		*delay_s = (uint32_t)seconds;
	}
	return error;
}

int sip_message_event(const struct sip_message *message, struct sip_event *event)
{
	struct span value;
	int error = sip_message_single(message, SIP_HEADER_EVENT, &value);

	return error != 0 ? error : sip_event_parse(value, event);
}

int sip_message_content_type(const struct sip_message *message, struct sip_media_type *type)
{
	struct sip_media_type read;
	struct span value;
	int error = sip_message_single(message, SIP_HEADER_CONTENT_TYPE, &value);

	if (error != 0) {
		return error;
	}
	if (sip_media_type_parse(&value, &read) != 0 || value.length > 0 ||
	    span_equal(read.type, SPAN("*")) || span_equal(read.subtype, SPAN("*"))) {
		return -EINVAL;
	}
	*type = read;
	return 0;
}

int sip_message_subscription_state(const struct sip_message *message,
				   struct sip_subscription_state *state)
{
	struct span value;
	int error = sip_message_single(message, SIP_HEADER_SUBSCRIPTION_STATE, &value);

	return error != 0 ? error : sip_subscription_state_parse(value, state);
}

int sip_message_contact(const struct sip_message *message, struct sip_name_address *contact)
{
	UNCLEARED struct sip_name_address read;
	struct span value;
	int error = sip_message_single(message, SIP_HEADER_CONTACT, &value);

	if (error != 0) {
		return error;
	}
	if (sip_name_address_fill(&value, &read) != 0 || read.uri.scheme == SIP_SCHEME_OTHER ||
	    read.uri.host.kind == SIP_HOST_NONE) {
		return -EINVAL;
	}
	if (value.length > 0) {
		return -EEXIST;
	}
	*contact = read;
	return 0;
}

int sip_message_accepts(const struct sip_message *message, struct span type, struct span subtype,
			unsigned *quality)
{
	const struct sip_row *row = NULL;
	unsigned best_fit = 0;
	unsigned best_quality = 0;

	if (message->first[SIP_HEADER_ACCEPT] == sip_row_none) {
		return -ENOENT;
	}
	while ((row = sip_message_next_row(message, SIP_HEADER_ACCEPT, row))) {
		struct span rest = row->value;

		while (rest.length > 0) {
			UNCLEARED struct sip_media_type range;
			unsigned fit;

			if (sip_media_type_parse(&rest, &range) != 0) {
				return -EINVAL;
			}
			fit = sip_media_type_fit(&range, type, subtype);
			if (fit > best_fit ||
			    (fit == best_fit && fit > 0 && range.quality > best_quality)) {
				best_fit = fit;
				best_quality = range.quality;
			}
		}
	}
	*quality = best_quality;
	return 0;
}

bool sip_message_lists(const struct sip_message *message, enum sip_header kind, struct span token)
{
	struct sip_list list = sip_message_list(message, kind);
	struct span value;

	while (sip_list_next(&list, &value)) {
		if (sip_same_name(value, token)) {
			return true;
		}
	}
	return false;
}

int sip_message_check_routes(const struct sip_message *message, enum sip_header kind)
{
	const struct sip_row *row = NULL;

	while ((row = sip_message_next_row(message, kind, row))) {
		struct span rest = row->value;

		do {
			UNCLEARED struct sip_name_address route;

			if (sip_name_address_parse(&rest, &route) != 0 || !route.has_brackets ||
			    (route.uri.scheme != SIP_SCHEME_OTHER &&
			     route.uri.host.kind == SIP_HOST_NONE)) {
				return -EINVAL;
			}
		} while (rest.length > 0);
	}
	return 0;
}

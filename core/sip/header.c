/* SPDX-License-Identifier: MIT */
/* Names: header fields, methods and reason phrases. */
#include "core/sip/message.h"
#include "core/sip/names.h"
#include "core/sip/scan.h"

struct header_name {
	const char text[20]; /* as we write it */
	uint8_t length;
};

#define NAME(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct header_name header_names[sip_header_count] = {
	[SIP_HEADER_ACCEPT] = NAME("Accept"),
	[SIP_HEADER_ALLOW] = NAME("Allow"),
	[SIP_HEADER_ALLOW_EVENTS] = NAME("Allow-Events"),
	[SIP_HEADER_AUTHORIZATION] = NAME("Authorization"),
	[SIP_HEADER_CALL_ID] = NAME("Call-ID"),
	[SIP_HEADER_CONTACT] = NAME("Contact"),
	[SIP_HEADER_CONTENT_ENCODING] = NAME("Content-Encoding"),
	[SIP_HEADER_CONTENT_LENGTH] = NAME("Content-Length"),
	[SIP_HEADER_CONTENT_TYPE] = NAME("Content-Type"),
	[SIP_HEADER_CSEQ] = NAME("CSeq"),
	[SIP_HEADER_DATE] = NAME("Date"),
	[SIP_HEADER_EVENT] = NAME("Event"),
	[SIP_HEADER_EXPIRES] = NAME("Expires"),
	[SIP_HEADER_FROM] = NAME("From"),
	[SIP_HEADER_MAX_FORWARDS] = NAME("Max-Forwards"),
	[SIP_HEADER_MIN_EXPIRES] = NAME("Min-Expires"),
	[SIP_HEADER_PROXY_AUTHENTICATE] = NAME("Proxy-Authenticate"),
	[SIP_HEADER_PROXY_AUTHORIZATION] = NAME("Proxy-Authorization"),
	[SIP_HEADER_PROXY_REQUIRE] = NAME("Proxy-Require"),
	[SIP_HEADER_RECORD_ROUTE] = NAME("Record-Route"),
	[SIP_HEADER_REQUIRE] = NAME("Require"),
	[SIP_HEADER_RETRY_AFTER] = NAME("Retry-After"),
	[SIP_HEADER_ROUTE] = NAME("Route"),
	[SIP_HEADER_SERVER] = NAME("Server"),
	[SIP_HEADER_SUBSCRIPTION_STATE] = NAME("Subscription-State"),
	[SIP_HEADER_SUPPORTED] = NAME("Supported"),
	[SIP_HEADER_TO] = NAME("To"),
	[SIP_HEADER_UNSUPPORTED] = NAME("Unsupported"),
	[SIP_HEADER_USER_AGENT] = NAME("User-Agent"),
	[SIP_HEADER_VIA] = NAME("Via"),
	[SIP_HEADER_WARNING] = NAME("Warning"),
	[SIP_HEADER_WWW_AUTHENTICATE] = NAME("WWW-Authenticate"),
};

/* The kinds whose long name has that many octets, by what the field sends most. */
static const uint8_t kinds_of_length[20][6] = {
	[2] = {SIP_HEADER_TO},
	[3] = {SIP_HEADER_VIA},
	[4] = {SIP_HEADER_FROM, SIP_HEADER_CSEQ, SIP_HEADER_DATE},
	[5] = {SIP_HEADER_EVENT, SIP_HEADER_ALLOW, SIP_HEADER_ROUTE},
	[6] = {SIP_HEADER_ACCEPT, SIP_HEADER_SERVER},
	[7] = {SIP_HEADER_CALL_ID, SIP_HEADER_CONTACT, SIP_HEADER_EXPIRES, SIP_HEADER_REQUIRE,
	       SIP_HEADER_WARNING},
	[9] = {SIP_HEADER_SUPPORTED},
	[10] = {SIP_HEADER_USER_AGENT},
	[11] = {SIP_HEADER_MIN_EXPIRES, SIP_HEADER_RETRY_AFTER, SIP_HEADER_UNSUPPORTED},
	[12] = {SIP_HEADER_MAX_FORWARDS, SIP_HEADER_CONTENT_TYPE, SIP_HEADER_RECORD_ROUTE,
		SIP_HEADER_ALLOW_EVENTS},
	[13] = {SIP_HEADER_AUTHORIZATION, SIP_HEADER_PROXY_REQUIRE},
	[14] = {SIP_HEADER_CONTENT_LENGTH},
	[16] = {SIP_HEADER_CONTENT_ENCODING, SIP_HEADER_WWW_AUTHENTICATE},
	[18] = {SIP_HEADER_SUBSCRIPTION_STATE, SIP_HEADER_PROXY_AUTHENTICATE},
	[19] = {SIP_HEADER_PROXY_AUTHORIZATION},
};

/* R-3261-12 */
static enum sip_header compact_header(char c)
{
	switch (ascii_lower(c)) {
	case 'c':
		return SIP_HEADER_CONTENT_TYPE;
	case 'e':
		return SIP_HEADER_CONTENT_ENCODING;
	case 'f':
		return SIP_HEADER_FROM;
	case 'i':
		return SIP_HEADER_CALL_ID;
	case 'k':
		return SIP_HEADER_SUPPORTED;
	case 'l':
		return SIP_HEADER_CONTENT_LENGTH;
	case 'm':
		return SIP_HEADER_CONTACT;
	case 'o':
		return SIP_HEADER_EVENT;
	case 't':
		return SIP_HEADER_TO;
	case 'u':
		return SIP_HEADER_ALLOW_EVENTS;
	case 'v':
		return SIP_HEADER_VIA;
	default:
		return SIP_HEADER_OTHER;
	}
}

enum sip_header sip_header_of(struct span name)
{
	const uint8_t *kind;

	if (name.length == 1) {
		return compact_header(name.data[0]);
	}
	if (name.length >= sizeof(kinds_of_length) / sizeof(kinds_of_length[0])) {
		return SIP_HEADER_OTHER;
	}
	for (kind = kinds_of_length[name.length]; *kind != SIP_HEADER_OTHER; kind++) {
		const char *text = header_names[*kind].text;

		if (((name.data[0] ^ text[0]) & ~0x20) == 0 &&
		    sip_same_word(name.data, text, name.length)) {
			return (enum sip_header) * kind;
		}
	}
	return SIP_HEADER_OTHER;
}

struct span sip_header_name(enum sip_header kind)
{
	return span_make(header_names[kind].text, header_names[kind].length);
}

static const struct header_name method_names[] = {
	[SIP_METHOD_ACK] = NAME("ACK"),
	[SIP_METHOD_BYE] = NAME("BYE"),
	[SIP_METHOD_CANCEL] = NAME("CANCEL"),
	[SIP_METHOD_INFO] = NAME("INFO"),
	[SIP_METHOD_INVITE] = NAME("INVITE"),
	[SIP_METHOD_MESSAGE] = NAME("MESSAGE"),
	[SIP_METHOD_NOTIFY] = NAME("NOTIFY"),
	[SIP_METHOD_OPTIONS] = NAME("OPTIONS"),
	[SIP_METHOD_PRACK] = NAME("PRACK"),
	[SIP_METHOD_PUBLISH] = NAME("PUBLISH"),
	[SIP_METHOD_REFER] = NAME("REFER"),
	[SIP_METHOD_REGISTER] = NAME("REGISTER"),
	[SIP_METHOD_SUBSCRIBE] = NAME("SUBSCRIBE"),
	[SIP_METHOD_UPDATE] = NAME("UPDATE"),
};

enum sip_method sip_method_of(struct span token)
{
	if (span_equal(token, SPAN("SUBSCRIBE"))) {
		return SIP_METHOD_SUBSCRIBE;
	}
	for (unsigned i = SIP_METHOD_ACK; i <= SIP_METHOD_UPDATE; i++) {
		if (span_equal(token, sip_method_name((enum sip_method)i))) {
			return (enum sip_method)i;
		}
	}
	return SIP_METHOD_UNKNOWN;
}

struct span sip_method_name(enum sip_method method)
{
	return span_make(method_names[method].text, method_names[method].length);
}

const char *sip_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} reasons[] = {
		{100, "Trying"},
		{180, "Ringing"},
		{200, "OK"},
		{202, "Accepted"},
		{301, "Moved Permanently"},
		{302, "Moved Temporarily"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"},
		{410, "Gone"},
		{413, "Request Entity Too Large"},
		{414, "Request-URI Too Long"},
		{415, "Unsupported Media Type"},
		{416, "Unsupported URI Scheme"},
		{420, "Bad Extension"},
		{421, "Extension Required"},
		{423, "Interval Too Brief"},
		{480, "Temporarily Unavailable"},
		{481, "Call/Transaction Does Not Exist"},
		{482, "Loop Detected"},
		{483, "Too Many Hops"},
		{486, "Busy Here"},
		{487, "Request Terminated"},
		{489, "Bad Event"},
		{493, "Undecipherable"},
		{500, "Server Internal Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Server Time-out"},
		{505, "Version Not Supported"},
		{513, "Message Too Large"},
		{600, "Busy Everywhere"},
		{603, "Decline"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status) {
			return reasons[i].text;
		}
	}
	return "Unknown";
}

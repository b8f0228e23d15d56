/* SPDX-License-Identifier: MIT */
/* Names: header fields, methods and reason phrases. */
#include "core/sip/header_at.h"
#include "core/sip/names.h"
#include "core/sip/scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct name {
	const char text[23]; /* as we write it, with colon and blank behind it */
	uint8_t length;	     /* without these two */
};

#define NAME(text)                                                                                 \
	{                                                                                          \
		text ": ", sizeof(text) - 1                                                        \
	}

static const struct name header_names[sip_header_count] = {
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

/*
 * Where a long name stands in `kind_of_slot`: a function of its length, first and last letter in
 * either case that keeps all of ours apart. The compiler complains when two share a slot.
 */
#define SLOT(length, first, last) (((length) + 27u * ((first)&31u) + ((last)&31u)) & 127u)

static const uint8_t kind_of_slot[128] = {
	[SLOT(6, 'A', 't')] = SIP_HEADER_ACCEPT,
	[SLOT(5, 'A', 'w')] = SIP_HEADER_ALLOW,
	[SLOT(12, 'A', 's')] = SIP_HEADER_ALLOW_EVENTS,
	[SLOT(13, 'A', 'n')] = SIP_HEADER_AUTHORIZATION,
	[SLOT(7, 'C', 'D')] = SIP_HEADER_CALL_ID,
	[SLOT(7, 'C', 't')] = SIP_HEADER_CONTACT,
	[SLOT(16, 'C', 'g')] = SIP_HEADER_CONTENT_ENCODING,
	[SLOT(14, 'C', 'h')] = SIP_HEADER_CONTENT_LENGTH,
	[SLOT(12, 'C', 'e')] = SIP_HEADER_CONTENT_TYPE,
	[SLOT(4, 'C', 'q')] = SIP_HEADER_CSEQ,
	[SLOT(4, 'D', 'e')] = SIP_HEADER_DATE,
	[SLOT(5, 'E', 't')] = SIP_HEADER_EVENT,
	[SLOT(7, 'E', 's')] = SIP_HEADER_EXPIRES,
	[SLOT(4, 'F', 'm')] = SIP_HEADER_FROM,
	[SLOT(12, 'M', 's')] = SIP_HEADER_MAX_FORWARDS,
	[SLOT(11, 'M', 's')] = SIP_HEADER_MIN_EXPIRES,
	[SLOT(18, 'P', 'e')] = SIP_HEADER_PROXY_AUTHENTICATE,
	[SLOT(19, 'P', 'n')] = SIP_HEADER_PROXY_AUTHORIZATION,
	[SLOT(13, 'P', 'e')] = SIP_HEADER_PROXY_REQUIRE,
	[SLOT(12, 'R', 'e')] = SIP_HEADER_RECORD_ROUTE,
	[SLOT(7, 'R', 'e')] = SIP_HEADER_REQUIRE,
	[SLOT(11, 'R', 'r')] = SIP_HEADER_RETRY_AFTER,
	[SLOT(5, 'R', 'e')] = SIP_HEADER_ROUTE,
	[SLOT(6, 'S', 'r')] = SIP_HEADER_SERVER,
	[SLOT(18, 'S', 'e')] = SIP_HEADER_SUBSCRIPTION_STATE,
	[SLOT(9, 'S', 'd')] = SIP_HEADER_SUPPORTED,
	[SLOT(2, 'T', 'o')] = SIP_HEADER_TO,
	[SLOT(11, 'U', 'd')] = SIP_HEADER_UNSUPPORTED,
	[SLOT(10, 'U', 't')] = SIP_HEADER_USER_AGENT,
	[SLOT(3, 'V', 'a')] = SIP_HEADER_VIA,
	[SLOT(7, 'W', 'g')] = SIP_HEADER_WARNING,
	[SLOT(16, 'W', 'e')] = SIP_HEADER_WWW_AUTHENTICATE,
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

/* The only indexed long name that it can be (length >= 2). */
static inline enum sip_header candidate(const char *name, size_t length)
{
	return (enum sip_header)kind_of_slot[SLOT((unsigned)length, (unsigned char)name[0],
						  (unsigned char)name[length - 1])];
}

enum sip_header sip_header_of(struct span name)
{
	enum sip_header kind;

	if (name.length <= 1) {
		return name.length == 1 ? compact_header(name.data[0]) : SIP_HEADER_OTHER;
	}
	kind = candidate(name.data, name.length);
	if (name.length != header_names[kind].length ||
	    !sip_same_word(name.data, header_names[kind].text, name.length)) {
		return SIP_HEADER_OTHER;
	}
	return kind;
}

size_t sip_header_at(const char *p, const char *end, enum sip_header *kind)
{
#ifdef __SSE2__
	__m128i octets;
	__m128i name;
	__m128i case_bits;
	size_t length;
	unsigned found;

	if (end - p < 16) {
		return 0;
	}
	memcpy(&octets, p, sizeof(octets));
	found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(':')));
	if (found == 0) {
		return 0;
	}
	length = (size_t)__builtin_ctz(found);
	if (length < 2) {
		*kind = length == 1 ? compact_header(*p) : SIP_HEADER_OTHER;
		return *kind != SIP_HEADER_OTHER ? 2 : 0;
	}
	*kind = candidate(p, length);
	/* As sip_same_word, the colon included; what follows it does not count. */
	memcpy(&name, header_names[*kind].text, sizeof(name));
	case_bits = _mm_srli_epi16(_mm_and_si128(name, _mm_set1_epi8(0x40)), 1);
	found = (unsigned)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_andnot_si128(case_bits, _mm_xor_si128(octets, name)),
			       _mm_setzero_si128()));
	return (~found & ((2u << length) - 1)) == 0 ? length + 1 : 0;
#else
	return 0;
#endif
}

struct span sip_header_name(enum sip_header kind)
{
	return span_make(header_names[kind].text, header_names[kind].length);
}

struct span sip_header_start(enum sip_header kind)
{
	return span_make(header_names[kind].text, header_names[kind].length + 2u);
}

static const struct name method_names[] = {
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

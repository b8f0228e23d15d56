/* SPDX-License-Identifier: MIT */
/*
 * What the SIP grammar is made of (RFC 3261 25.1): character classes, LWS, tokens, quoted strings,
 * escapes and parameters. Values are views into the datagram and may still be folded: CR, LF, SP
 * and HT are all LWS here, because the message reader lets CR and LF through only as a fold
 * (R-3261-8).
 */
#ifndef BELLHOP_CORE_SIP_TEXT_H
#define BELLHOP_CORE_SIP_TEXT_H

#include "core/base/writer.h"

enum { sip_parameters_max = 64 }; /* in one value; more are refused */

/* Classes of one octet; several may hold. */
enum sip_class {
	SIP_CLASS_TOKEN = 1 << 0, /* token, RFC 3261 25.1 */
	SIP_CLASS_LWS = 1 << 1,	  /* SP HT CR LF */
	SIP_CLASS_HOST =
		1 << 2, /* letters, digits, - . and _, which DNS labels of the field have */
	SIP_CLASS_USER = 1 << 3,     /* unreserved and user-unreserved */
	SIP_CLASS_PASSWORD = 1 << 4, /* unreserved and & = + $ , */
	SIP_CLASS_URI = 1 << 5,	  /* paramchar and hnv-unreserved: unreserved and [ ] / : & + $ ? */
	SIP_CLASS_VALUE = 1 << 6, /* visible, not " , ; < > \: an unquoted parameter value */
	SIP_CLASS_HEX = 1 << 7,
};

extern const uint8_t sip_class_of[256];

static inline bool sip_is(char c, unsigned classes)
{
	return (sip_class_of[(unsigned char)c] & classes) != 0;
}

/* A token: one or more token characters and nothing else. */
bool sip_is_token(struct span text);

/* One or more visible ASCII characters and nothing else. */
bool sip_is_visible(struct span text);

/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. */
bool sip_is_utf8(struct span text);

/* Every % is followed by two hexadecimal digits. */
bool sip_escapes_are_whole(struct span text);

/* Without LWS at both ends, folds included. */
static inline struct span sip_trim(struct span text)
{
	while (text.length > 0 && sip_is(text.data[0], SIP_CLASS_LWS)) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && sip_is(text.data[text.length - 1], SIP_CLASS_LWS)) {
		text.length--;
	}
	return text;
}

/*
 * Writes the text with each %HH replaced by its octet, once (R-3261-15). The result may hold any
 * octet, NUL too. A % that starts no escape is written as it stands.
 */
void sip_write_unescaped(struct writer *w, struct span text);

/* Writes the inside of a quoted string with each quoted-pair replaced by its second octet. */
void sip_write_unquoted(struct writer *w, struct span text);

/*
 * Writes a value of the wire with every fold, and whatever LWS stands around it, as one SP; all
 * other octets as they are (R-3261-8). The result never holds CR or LF, so it cannot add a line.
 */
void sip_write_unfolded(struct writer *w, struct span text);

/* One ;name or ;name=value. */
struct sip_parameter {
	struct span text; /* from the first octet of the name to the last of the value */
	struct span name;
	struct span value; /* inside the quotes when quoted, quoted-pairs not yet undone */
	bool has_value;
	bool is_quoted;
	bool is_token; /* a value without quotes that is a token */
};

/* The parameters of one value, already checked: from the first ';' to the end, or empty. */
struct sip_parameters {
	struct span text;
};

/*
 * Takes the next parameter off the list. True and `*parameter`, or false at the end. Names may
 * stand in any case; LWS around ; and = is skipped.
 */
bool sip_parameters_next(struct sip_parameters *rest, struct sip_parameter *parameter);

/* The first parameter of that name (in any case): true and `*parameter`, or false. */
bool sip_parameters_find(struct sip_parameters parameters, struct span name,
			 struct sip_parameter *parameter);

#endif

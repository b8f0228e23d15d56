/* SPDX-License-Identifier: MIT */
#include "core/provision/canary_dialect.h"

static const struct canary_dialect dialects[] = {
	{"snom", "SUBSCRIBE sip:MAC%%3a%M@224.0.1.75 SIP/2.0\n"
		 "Via: SIP/2.0/UDP %e;rport\n"
		 "From: <sip:MAC%%3a%M@224.0.1.75>;tag=%t\n"
		 "To: <sip:MAC%%3a%M@224.0.1.75>\n"
		 "Call-ID: %c\n"
		 "CSeq: 1 SUBSCRIBE\n"
		 "Event: ua-profile;profile-type=\"device\";vendor=\"snom\";model=\"snomD120\";"
		 "version=\"10.1.39.11\"\n"
		 "Expires: 0\n"
		 "Accept: application/url\n"
		 "Contact: <sip:%e>\n"
		 "User-Agent: snomD120/10.1.39.11\n"
		 "Content-Length: 0\n\n"},
	{"yealink", "SUBSCRIBE sip:MAC%m@224.0.1.75 SIP/2.0\n"
		    "Via: SIP/2.0/UDP %e;branch=z9hG4bK%n\n"
		    "From: <sip:MAC%m@224.0.1.75>;tag=%t\n"
		    "To: <sip:MAC%m@224.0.1.75>\n"
		    "Call-ID: %c\n"
		    "CSeq: 1 SUBSCRIBE\n"
		    "Contact: <sip:MAC%m@%e>\n"
		    "Max-Forwards: 70\n"
		    "User-Agent: Yealink SIP-T21P 34.72.14.6\n"
		    "Expires: 0\n"
		    "Event: ua-profile;profile-type=\"device\";vendor=\"Yealink\";model=\"T21D\";"
		    "version=\"34.72.14.6\"\n"
		    "Accept: application/url\n"
		    "Content-Length: 0\n\n"},
	{"grandstream", "SUBSCRIBE sip:MAC%%3A%M@224.0.1.75 SIP/2.0\n"
			"Via: SIP/2.0/UDP %e;branch=z9hG4bK%n;rport\n"
			"From: <sip:MAC%%3A%M@224.0.1.75>;tag=%t\n"
			"To: <sip:MAC%%3A%M@224.0.1.75>\n"
			"Call-ID: %c\n"
			"CSeq: 20000 SUBSCRIBE\n"
			"Contact: <sip:%e>\n"
			"Max-Forwards: 70\n"
			"User-Agent: Grandstream GRP2612W 1.0.5.67\n"
			"Expires: 0\n"
			"Supported: replaces, path\n"
			"Event: ua-profile;profile-type=\"device\";vendor=\"Grandstream\";"
			"model=\"GRP2612W\";version=\"1.0.5.67\"\n"
			"Accept: application/url\n"
			"Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, "
			"UPDATE, MESSAGE\n"
			"Content-Length: 0\n\n"},
	{"audiocodes", "SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\n"
		       "From: <sip:00000001@%e>;tag=%t\n"
		       "To: <sip:224.0.1.75:5060>\n"
		       "Call-ID: %c\n"
		       "CSeq: 1 SUBSCRIBE\n"
		       "Via: SIP/2.0/UDP %e;rport;branch=z9hG4bK-%n\n"
		       "Expires: 0\n"
		       "Event: ua-profile;profile-type=\"application\";model=\"440HD\";"
		       "version=\"2.2.2\"\n"
		       "Max-Forwards: 70\n"
		       "Supported: replaces,100rel\n"
		       "Accept: application/url\n"
		       "Contact: <sip:00000001@%e>\n"
		       "User-Agent: AUDC-IPPhone/2.2.2\n"
		       "Content-Length: 0\n\n"},
};

const struct canary_dialect *canary_dialect_at(size_t i)
{
	return i < sizeof(dialects) / sizeof(dialects[0]) ? &dialects[i] : NULL;
}

static void write_mac(struct writer *w, struct mac mac, bool in_capitals)
{
	char text[12];
	struct writer m = writer_over(text, sizeof(text));

	writer_hex(&m, mac.octets, sizeof(mac.octets));
	for (size_t i = 0; i < sizeof(text); i++) {
		writer_char(w, in_capitals ? ascii_upper(text[i]) : text[i]);
	}
}

static void write_place(struct writer *w, char name, const struct canary_phone *phone)
{
	switch (name) {
	case 'M':
	case 'm':
		write_mac(w, phone->mac, name == 'M');
		break;
	case 'e':
		endpoint_write(w, phone->local);
		break;
	case 't':
		writer_put(w, phone->tag);
		break;
	case 'c':
		writer_put(w, phone->call_id);
		break;
	case 'n':
		writer_padded(w, phone->number, 10);
		break;
	default:
		writer_char(w, name); /* %% */
		break;
	}
}

void canary_dialect_write(struct writer *w, const struct canary_dialect *dialect,
			  const struct canary_phone *phone)
{
	for (const char *at = dialect->text; *at; at++) {
		if (*at == '\n') {
			writer_text(w, "\r\n");
		} else if (*at == '%' && at[1]) {
			write_place(w, *++at, phone);
		} else {
			writer_char(w, *at);
		}
	}
}

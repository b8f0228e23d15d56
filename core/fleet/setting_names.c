/* SPDX-License-Identifier: MIT */
#include "core/fleet/setting_names.h"

#include "core/base/address.h"

#include <errno.h>

enum { lines_max = 64, keys_max = 1000 };

/* One row a line; the last parameter is the description, the one before the built-in default. */
#define TEXT(p, most, d, text)                                                                     \
	{                                                                                          \
		.path = p, .type = SETTING_TEXT, .max = most, .default_value = d,                  \
		.description = text                                                                \
	}
#define SECRET(p, most, text)                                                                      \
	{                                                                                          \
		.path = p, .type = SETTING_TEXT, .is_secret = true, .max = most,                   \
		.description = text                                                                \
	}
#define HOST(p, text)                                                                              \
	{                                                                                          \
		.path = p, .type = SETTING_HOST, .max = 253, .description = text                   \
	}
#define INTEGER(p, least, most, d, text)                                                           \
	{                                                                                          \
		.path = p, .type = SETTING_INTEGER, .min = least, .max = most, .default_value = d, \
		.description = text                                                                \
	}
#define PORT(p, text) INTEGER(p, 1, 65535, NULL, text)
#define BOOLEAN(p, d, text)                                                                        \
	{                                                                                          \
		.path = p, .type = SETTING_BOOLEAN, .default_value = d, .description = text        \
	}
#define CHOICE(p, c, d, text)                                                                      \
	{                                                                                          \
		.path = p, .type = SETTING_CHOICE, .choices = c, .default_value = d,               \
		.description = text                                                                \
	}
#define KIND(p, t, most, text)                                                                     \
	{                                                                                          \
		.path = p, .type = t, .max = most, .description = text                             \
	}

static const struct setting_name names[] = {
	/* The web page and menu of the phone. */
	TEXT("admin_username", 128, NULL, "name of the phone's administrator"),
	SECRET("admin_password", 128, "password of the phone's administrator"),
	TEXT("user_username", 128, NULL, "name of the phone's user"),
	SECRET("user_password", 128, "password of the phone's user"),
	BOOLEAN("config_encryption_enabled", NULL, "write encrypted configuration files"),
	INTEGER("config_version", 0, 65535, NULL, "number that the configuration carries"),
	HOST("dns_ip", "name server"),
	BOOLEAN("dns_enabled", NULL, "use dns_ip instead of what DHCP says"),
	INTEGER("http_port", 1, 65535, NULL, "port of the provisioning server's HTTP door"),
	KIND("locale", SETTING_LOCALE, 16, "language of the menus: de, fr_CA"),
	KIND("timezone", SETTING_TIMEZONE, 64, "time zone of the place: Europe/Berlin"),
	CHOICE("time_format", "24h|12h", NULL, "how the phone shows the time"),
	CHOICE("date_format", "european|american", NULL, "how the phone shows the date"),
	/* Numbers to dial. */
	KIND("exten_dnd", SETTING_DIGITS, 64, "number that toggles do not disturb"),
	KIND("exten_fwd_unconditional", SETTING_DIGITS, 64, "prefix: forward all calls"),
	KIND("exten_fwd_no_answer", SETTING_DIGITS, 64, "prefix: forward when nobody answers"),
	KIND("exten_fwd_busy", SETTING_DIGITS, 64, "prefix: forward when busy"),
	KIND("exten_fwd_disable_all", SETTING_DIGITS, 64, "number that ends all forwarding"),
	KIND("exten_park", SETTING_DIGITS, 64, "number to park a call"),
	KIND("exten_pickup_group", SETTING_DIGITS, 64, "number to pick up a call of the group"),
	KIND("exten_pickup_call", SETTING_DIGITS, 64, "prefix: pick up somebody's call"),
	KIND("exten_voicemail", SETTING_DIGITS, 64, "number of the voice mail"),
	/* Function keys. */
	CHOICE("funckeys.#.type", "speeddial|blf|park", NULL, "what the key does"),
	KIND("funckeys.#.value", SETTING_DIGITS, 128, "number of the key"),
	TEXT("funckeys.#.label", 128, NULL, "text beside the key"),
	INTEGER("funckeys.#.line", 1, lines_max, NULL, "line that the key uses"),
	/* Network. */
	BOOLEAN("ntp_enabled", "true", "set the clock by NTP"),
	HOST("ntp_ip", "NTP server"),
	HOST("ntp_backup_ip", "second NTP server"),
	BOOLEAN("vlan_enabled", NULL, "tag the phone's frames with vlan_id"),
	INTEGER("vlan_id", 0, 4094, NULL, "VLAN of the phone"),
	INTEGER("vlan_priority", 0, 7, NULL, "priority of the phone's frames"),
	INTEGER("vlan_pc_port_id", 0, 4094, NULL, "VLAN of the phone's PC port"),
	INTEGER("vlan_pc_port_priority", 0, 7, NULL, "priority of the PC port's frames"),
	BOOLEAN("syslog_enabled", NULL, "send the phone's log to syslog_ip"),
	HOST("syslog_ip", "syslog server"),
	PORT("syslog_port", "port of the syslog server"),
	CHOICE("syslog_level", "critical|error|warning|info|debug", "warning",
	       "least that is sent"),
	/* SIP, for all lines. */
	HOST("sip_proxy_ip", "SIP proxy"),
	PORT("sip_proxy_port", "port of the proxy"),
	HOST("sip_backup_proxy_ip", "second proxy"),
	PORT("sip_backup_proxy_port", "port of the second proxy"),
	HOST("sip_registrar_ip", "registrar"),
	PORT("sip_registrar_port", "port of the registrar"),
	HOST("sip_backup_registrar_ip", "second registrar"),
	PORT("sip_backup_registrar_port", "port of the second registrar"),
	HOST("sip_outbound_proxy_ip", "outbound proxy"),
	PORT("sip_outbound_proxy_port", "port of the outbound proxy"),
	HOST("sip_backup_outbound_proxy_ip", "second outbound proxy"),
	PORT("sip_backup_outbound_proxy_port", "port of the second outbound proxy"),
	CHOICE("sip_transport", "udp|tcp|tls", "udp", "transport of SIP"),
	PORT("sip_local_port", "port that the phone listens on for SIP"),
	CHOICE("sip_dtmf_mode", "RTP-in-band|RTP-out-of-band|SIP-INFO", NULL, "how keys are sent"),
	CHOICE("sip_srtp_mode", "disabled|preferred|required", NULL, "encryption of the speech"),
	BOOLEAN("sip_subscribe_mwi", NULL, "subscribe to the message lamp"),
	INTEGER("sip_register_expires", 0, 86400, NULL, "life of a registration, s"),
	INTEGER("sip_register_retry", 1, 86400, NULL, "wait after a failed registration, s"),
	INTEGER("sip_session_timer", 90, 65535, NULL, "session timer (RFC 4028), s"),
	INTEGER("sip_timer_t1", 100, 60000, NULL, "RFC 3261 T1, ms"),
	INTEGER("sip_timer_t2", 200, 60000, NULL, "RFC 3261 T2, ms"),
	INTEGER("sip_timer_t4", 1000, 60000, NULL, "RFC 3261 T4, ms"),
	INTEGER("sip_tos", 0, 255, NULL, "type-of-service octet of SIP packets"),
	/* SIP, by line. */
	TEXT("sip_lines.#.username", 128, NULL, "user part of the line's address"),
	TEXT("sip_lines.#.auth_username", 128, NULL, "name for authentication, if another"),
	SECRET("sip_lines.#.password", 256, "password for authentication"),
	TEXT("sip_lines.#.display_name", 128, NULL, "name that others see"),
	TEXT("sip_lines.#.number", 128, NULL, "number of the line"),
	HOST("sip_lines.#.proxy_ip", "proxy of this line"),
	PORT("sip_lines.#.proxy_port", "its port"),
	HOST("sip_lines.#.backup_proxy_ip", "second proxy of this line"),
	PORT("sip_lines.#.backup_proxy_port", "its port"),
	HOST("sip_lines.#.registrar_ip", "registrar of this line"),
	PORT("sip_lines.#.registrar_port", "its port"),
	HOST("sip_lines.#.backup_registrar_ip", "second registrar of this line"),
	PORT("sip_lines.#.backup_registrar_port", "its port"),
	HOST("sip_lines.#.outbound_proxy_ip", "outbound proxy of this line"),
	PORT("sip_lines.#.outbound_proxy_port", "its port"),
	CHOICE("sip_lines.#.dtmf_mode", "RTP-in-band|RTP-out-of-band|SIP-INFO", NULL,
	       "how keys are sent"),
	CHOICE("sip_lines.#.srtp_mode", "disabled|preferred|required", NULL,
	       "encryption of the speech"),
	KIND("sip_lines.#.voicemail", SETTING_DIGITS, 64, "number of this line's voice mail"),
	BOOLEAN("sip_lines.#.shared", NULL, "others have this line too"),
	BOOLEAN("sip_lines.#.dnd", NULL, "do not disturb is on"),
	CHOICE("sip_lines.#.forward_type", "unconditional|busy|no_answer", NULL,
	       "when calls are forwarded"),
	KIND("sip_lines.#.forward_to", SETTING_DIGITS, 128, "where calls are forwarded to"),
	INTEGER("sip_lines.#.forward_after", 0, 7200, NULL, "when nobody answered for so long, s"),
	/* How the phone comes back for its files. */
	CHOICE("provisioning_method", "dynamic|static|disabled", "dynamic",
	       "dynamic: ask the network at each start; static: the URLs in the file"),
	CHOICE("provisioning_period", "hourly|daily|weekly|powerup", "daily",
	       "how often the phone looks for something new"),
	INTEGER("provisioning_hours", 1, 168, NULL, "hours between checks, for hourly"),
	KIND("provisioning_time", SETTING_TIME, 5, "time of the check, for daily and weekly"),
	CHOICE("provisioning_day", "sunday|monday|tuesday|wednesday|thursday|friday|saturday", NULL,
	       "day of the check, for weekly"),
	INTEGER("provisioning_random_time", 0, 65535, NULL, "spread the check over so long, s"),
	BOOLEAN("provisioning_verify_certificate", NULL, "the phone checks our certificate"),
};

enum { name_count = sizeof(names) / sizeof(*names) };

const struct setting_name *setting_name_at(size_t i)
{
	return i < name_count ? &names[i] : NULL;
}

static uint32_t index_max_of(const char *path)
{
	return path[0] == 'f' ? keys_max : lines_max;
}

/* 1 .. most, without leading zeros: one path has one spelling. */
static bool is_index(struct span part, uint32_t most)
{
	uint64_t value;

	return span_to_unsigned(part, most, &value) == 0 && value > 0 && part.data[0] != '0';
}

static bool path_matches(struct span path, const char *pattern)
{
	struct span rest = path;
	struct span want = span_text(pattern);

	while (rest.data && want.data) {
		struct span part = span_cut(&rest, '.');
		struct span name = span_cut(&want, '.');

		if (span_equal(name, SPAN("#")) ? !is_index(part, index_max_of(pattern))
						: !span_equal(part, name)) {
			return false;
		}
	}
	return !rest.data && !want.data;
}

const struct setting_name *setting_name_find(struct span path)
{
	for (size_t i = 0; i < name_count; i++) {
		if (path_matches(path, names[i].path)) {
			return &names[i];
		}
	}
	return NULL;
}

static bool is_digits(struct span text)
{
	uint64_t value;

	return span_to_unsigned(text, UINT64_MAX, &value) == 0;
}

/* The path with `#` for each index, which are put aside; false when it is too long. */
static bool generalise(struct span path, struct writer *w, struct span index[static 2])
{
	struct span rest = path;
	size_t count = 0;

	while (rest.data) {
		struct span part = span_cut(&rest, '.');

		if (is_digits(part) && count < 2) {
			index[count++] = part;
			part = SPAN("#");
		}
		writer_put(w, part);
		if (rest.data) {
			writer_char(w, '.');
		}
	}
	return !w->failed;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance of two short texts. */
static size_t distance(struct span a, struct span b)
{
	size_t row[80];

	if (b.length >= sizeof(row) / sizeof(*row)) {
		return SIZE_MAX;
	}
	for (size_t j = 0; j <= b.length; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.length; j++) {
			size_t above = row[j];
			size_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);

			row[j] = least(changed, least(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[b.length];
}

bool setting_name_nearest(struct span path, struct writer *w)
{
	char general[80];
	struct writer g = writer_over(general, sizeof(general));
	struct span index[2] = {SPAN("1"), SPAN("1")};
	const struct setting_name *nearest = NULL;
	size_t best = SIZE_MAX;
	size_t used = 0;

	if (!generalise(path, &g, index)) {
		return false;
	}
	for (size_t i = 0; i < name_count; i++) {
		size_t d = distance(writer_span(&g), span_text(names[i].path));

		if (d < best) {
			best = d;
			nearest = &names[i];
		}
	}
	/* Farther than a third of the word is another word. */
	if (!nearest || best > 1 + g.length / 3) {
		return false;
	}
	for (const char *c = nearest->path; *c; c++) {
		if (*c != '#') {
			writer_char(w, *c);
		} else {
			struct span part = index[used++];

			writer_put(w,
				   is_index(part, index_max_of(nearest->path)) ? part : SPAN("1"));
		}
	}
	return !w->failed;
}

void setting_name_write_legal(const struct setting_name *name, struct writer *w)
{
	switch (name->type) {
	case SETTING_TEXT:
		writer_text(w, "one line of at most ");
		writer_unsigned(w, name->max);
		writer_text(w, " bytes");
		break;
	case SETTING_HOST:
		writer_text(w, "an IP address or a host name");
		break;
	case SETTING_ADDRESS:
		writer_text(w, "an IP address");
		break;
	case SETTING_INTEGER:
		writer_text(w, "a number from ");
		writer_unsigned(w, name->min);
		writer_text(w, " to ");
		writer_unsigned(w, name->max);
		break;
	case SETTING_BOOLEAN:
		writer_text(w, "true or false");
		break;
	case SETTING_CHOICE:
		writer_text(w, "one of ");
		writer_text(w, name->choices);
		break;
	case SETTING_TIME:
		writer_text(w, "a time as hh:mm");
		break;
	case SETTING_TIMEZONE:
		writer_text(w, "a time zone such as Europe/Berlin or UTC");
		break;
	case SETTING_LOCALE:
		writer_text(w, "a language such as de or fr_CA");
		break;
	case SETTING_URL:
		writer_text(w, "a URL");
		break;
	case SETTING_DIGITS:
		writer_text(w, "a number to dial of at most ");
		writer_unsigned(w, name->max);
		writer_text(w, " characters");
		break;
	}
}

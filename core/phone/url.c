/* SPDX-License-Identifier: MIT */
#include "core/phone/url.h"

#include "core/base/address.h"

#include <errno.h>

enum { host_max = 253 };

static const struct {
	struct span name;
	enum phone_url_scheme scheme;
} schemes[] = {
	{{"tftp", 4}, PHONE_URL_TFTP},
	{{"ftp", 3}, PHONE_URL_FTP},
	{{"http", 4}, PHONE_URL_HTTP},
	{{"https", 5}, PHONE_URL_HTTPS},
};

static const struct span placeholder_mac = {"<MAC>", 5};
static const struct span placeholder_model = {"<MODEL>", 7};

static struct span span_after(struct span s, size_t start)
{
	return span_slice(s, start, s.length);
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* RFC 3986 2.1, and nothing that would mean something else once it is decoded. */
static bool escape_is_harmless(struct span s)
{
	int high = s.length >= 3 ? ascii_hex_value(s.data[1]) : -1;
	int low = s.length >= 3 ? ascii_hex_value(s.data[2]) : -1;
	int octet = high * 16 + low;

	if (high < 0 || low < 0) {
		return false;
	}
	return octet >= 0x20 && octet != 0x7f && octet != '/' && octet != '\\' && octet != '.';
}

static size_t placeholder_length(struct span s)
{
	if (span_starts_with_nocase(s, placeholder_mac)) {
		return placeholder_mac.length;
	}
	return span_starts_with_nocase(s, placeholder_model) ? placeholder_model.length : 0;
}

/* Octets of a file name with its directories; `extra` is what this scheme allows besides. */
static bool name_is_clean(struct span name, const char *extra)
{
	for (size_t i = 0; i < name.length;) {
		struct span rest = span_after(name, i);
		char c = name.data[i];
		size_t step = 1;

		if (c == '%') {
			step = escape_is_harmless(rest) ? 3 : 0;
		} else if (c == '<') {
			step = placeholder_length(rest);
		} else if (!ascii_is_alnum(c) && !is_one_of(c, "-._~!$&'()*+,=:@/") &&
			   !is_one_of(c, extra)) {
			step = 0;
		}
		if (step == 0) {
			return false;
		}
		i += step;
	}
	return true;
}

static bool has_dot_segment(struct span path)
{
	struct span rest = path;

	while (rest.data) {
		struct span segment = span_cut(&rest, '/');

		if (span_equal(segment, SPAN(".")) || span_equal(segment, SPAN(".."))) {
			return true;
		}
	}
	return false;
}

static struct span without_query(struct span name)
{
	return span_slice(name, 0, span_find(name, '?'));
}

/* Trims, takes leading slashes off, and refuses what the header says is refused. */
static int name_read(struct span text, enum phone_url_scheme scheme, struct span *name)
{
	bool has_query = scheme == PHONE_URL_HTTP || scheme == PHONE_URL_HTTPS;
	struct span clean = span_trim(text);

	while (clean.length > 0 && clean.data[0] == '/') {
		clean = span_after(clean, 1);
	}
	if (!name_is_clean(clean, has_query ? "?" : "") || has_dot_segment(without_query(clean))) {
		return -EINVAL;
	}
	*name = clean;
	return 0;
}

/* "scheme://" at the start; without one it is tftp (audiocodes.md 2.5). */
static int scheme_read(struct span *text, enum phone_url_scheme *scheme)
{
	size_t end = 0;

	while (end < text->length &&
	       (ascii_is_alnum(text->data[end]) || is_one_of(text->data[end], "+-."))) {
		end++;
	}
	if (!span_starts_with(span_after(*text, end), SPAN("://"))) {
		*scheme = PHONE_URL_TFTP;
		return 0;
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (span_equal_nocase(schemes[i].name, span_slice(*text, 0, end))) {
			*scheme = schemes[i].scheme;
			*text = span_after(*text, end + 3);
			return 0;
		}
	}
	return -EPROTONOSUPPORT;
}

static bool credentials_are_clean(struct span credentials)
{
	for (size_t i = 0; i < credentials.length; i++) {
		char c = credentials.data[i];

		if (c == '%') {
			if (!escape_is_harmless(span_after(credentials, i)) &&
			    !span_starts_with_nocase(span_after(credentials, i), SPAN("%2e")) &&
			    !span_starts_with_nocase(span_after(credentials, i), SPAN("%2f")) &&
			    !span_starts_with_nocase(span_after(credentials, i), SPAN("%5c"))) {
				return false;
			}
		} else if (!ascii_is_alnum(c) && !is_one_of(c, "-._~!$&'()*+,=:")) {
			return false;
		}
	}
	return true;
}

static bool host_name_is_clean(struct span host)
{
	for (size_t i = 0; i < host.length; i++) {
		if (!ascii_is_alnum(host.data[i]) && !is_one_of(host.data[i], "-._")) {
			return false;
		}
	}
	return host.length > 0 && host.length <= host_max && host.data[0] != '-';
}

/* Splits host[:port]; an IPv6 address stands in brackets (RFC 3986 3.2.2). */
static int host_read(struct span text, struct span *host, uint16_t *port)
{
	struct address address;
	uint64_t number = 0;
	size_t end = span_find(text, ':');

	if (text.length > 0 && text.data[0] == '[') {
		end = span_find(text, ']');
		if (end == text.length || address_parse(span_slice(text, 1, end), &address) != 0 ||
		    address.family != ADDRESS_IPV6) {
			return -EINVAL;
		}
		end++;
	} else if (!host_name_is_clean(span_slice(text, 0, end))) {
		return -EINVAL;
	}
	if (end < text.length) {
		if (text.data[end] != ':' ||
		    span_to_unsigned(span_after(text, end + 1), UINT16_MAX, &number) != 0 ||
		    number == 0) {
			return -EINVAL;
		}
	}
	*host = span_slice(text, 0, end);
	*port = (uint16_t)number;
	return 0;
}

static int authority_read(struct span text, struct phone_url *url)
{
	size_t at = text.length;

	/* The last '@' ends the credentials; one inside them has to be escaped all the same. */
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '@') {
			at = i;
		}
	}
	if (at < text.length) {
		url->credentials = span_slice(text, 0, at);
		if (!credentials_are_clean(url->credentials)) {
			return -EINVAL;
		}
		text = span_after(text, at + 1);
	}
	return host_read(text, &url->host, &url->port);
}

static bool is_configuration_name(struct span name)
{
	return span_ends_with_nocase(without_query(name), SPAN(".cfg")) ||
	       span_ends_with_nocase(without_query(name), SPAN(".cfx"));
}

static struct span directory_of(struct span name)
{
	size_t end = without_query(name).length;

	while (end > 0 && name.data[end - 1] != '/') {
		end--;
	}
	return span_slice(name, 0, end);
}

/* firmware[;configuration]; `alone` says whose a single name is, when its ending does not. */
static int names_read(struct span text, const enum phone_file *alone, struct phone_url *url)
{
	struct span rest = text;
	struct span first = span_cut(&rest, ';');
	bool is_single = rest.data == NULL;
	int error = name_read(first, url->scheme, &url->firmware);

	if (error == 0 && !is_single) {
		error = name_read(rest, url->scheme, &url->config);
	}
	if (error != 0) {
		return error;
	}
	url->directory = directory_of(url->firmware);
	if (url->directory.length == url->firmware.length) {
		url->firmware = (struct span){0};
	}
	if (is_single &&
	    (alone ? *alone == PHONE_FILE_CONFIG : is_configuration_name(url->firmware))) {
		url->config = url->firmware;
		url->firmware = (struct span){0};
	}
	/* A configuration that is a folder means the default name there, as for firmware. */
	if (span_ends_with(url->config, SPAN("/"))) {
		return -EINVAL;
	}
	return 0;
}

static int url_read(struct span text, const enum phone_file *alone, struct phone_url *url)
{
	struct phone_url read = {0};
	struct span rest = span_trim(text);
	size_t end = 0;
	int error;

	if (rest.length == 0) {
		return -ENODATA;
	}
	if (rest.length > phone_url_text_max) {
		return -ENAMETOOLONG;
	}
	error = scheme_read(&rest, &read.scheme);
	if (error != 0) {
		return error;
	}
	while (end < rest.length && rest.data[end] != '/' && rest.data[end] != ';') {
		end++;
	}
	error = authority_read(span_trim(span_slice(rest, 0, end)), &read);
	if (error == 0 && end < rest.length) {
		error = names_read(span_after(rest, end), alone, &read);
	}
	if (error == 0) {
		*url = read;
	}
	return error;
}

int phone_url_parse(struct span text, struct phone_url *url)
{
	return url_read(text, NULL, url);
}

int phone_url_parse_file(struct span text, enum phone_file file, struct phone_url *url)
{
	return url_read(text, &file, url);
}

int phone_url_parse_boot(struct span server, struct span boot_file, struct phone_url *url)
{
	struct span names = span_trim(boot_file);
	struct phone_url read;
	struct phone_url boot;
	int error = url_read(server, NULL, &read);

	if (error != 0) {
		return error;
	}
	if (names.length > 0 && span_is_empty(read.firmware) && span_is_empty(read.config)) {
		if (names.length > phone_url_text_max) {
			return -ENAMETOOLONG;
		}
		boot = (struct phone_url){.scheme = read.scheme};
		error = names_read(names, NULL, &boot);
		if (error != 0) {
			return error;
		}
		read.firmware = boot.firmware;
		read.config = boot.config;
		read.names_below_directory = true;
	}
	*url = read;
	return 0;
}

static void write_mac(struct writer *w, const struct phone_identity *identity)
{
	if (identity->mac_is_lower) {
		mac_write(w, identity->mac);
	} else {
		mac_write_upper(w, identity->mac);
	}
}

static void write_model(struct writer *w, const struct phone_identity *identity)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < identity->model.length; i++) {
		char c = identity->model.data[i];
		uint8_t octet = (uint8_t)c;

		if (ascii_is_alnum(c) || is_one_of(c, "-._~")) {
			writer_char(w, c);
		} else {
			writer_char(w, '%');
			writer_char(w, digits[octet >> 4]);
			writer_char(w, digits[octet & 15]);
		}
	}
}

static void write_name(struct writer *w, struct span name, const struct phone_identity *identity)
{
	for (size_t i = 0; i < name.length;) {
		struct span rest = span_after(name, i);

		if (span_starts_with_nocase(rest, placeholder_mac)) {
			write_mac(w, identity);
			i += placeholder_mac.length;
		} else if (span_starts_with_nocase(rest, placeholder_model)) {
			write_model(w, identity);
			i += placeholder_model.length;
		} else {
			writer_char(w, name.data[i]);
			i++;
		}
	}
}

static void write_path(struct writer *w, const struct phone_url *url, enum phone_file file,
		       const struct phone_identity *identity)
{
	struct span name = file == PHONE_FILE_FIRMWARE ? url->firmware : url->config;

	if (span_is_empty(name) || url->names_below_directory) {
		write_name(w, url->directory, identity);
	}
	if (!span_is_empty(name)) {
		write_name(w, name, identity);
	} else if (file == PHONE_FILE_FIRMWARE) {
		write_model(w, identity);
		writer_text(w, ".img");
	} else {
		write_mac(w, identity);
		writer_text(w, ".cfg");
	}
}

static void write_url(struct writer *w, const struct phone_url *url, struct span credentials,
		      enum phone_file file, const struct phone_identity *identity)
{
	writer_put(w, schemes[url->scheme].name);
	writer_text(w, "://");
	if (!span_is_empty(credentials)) {
		writer_put(w, credentials);
		writer_char(w, '@');
	}
	writer_put(w, url->host);
	if (url->port != 0) {
		writer_char(w, ':');
		writer_unsigned(w, url->port);
	}
	writer_char(w, '/');
	write_path(w, url, file, identity);
}

void phone_url_write(struct writer *w, const struct phone_url *url, enum phone_file file,
		     const struct phone_identity *identity)
{
	write_url(w, url, url->credentials, file, identity);
}

void phone_url_write_public(struct writer *w, const struct phone_url *url, enum phone_file file,
			    const struct phone_identity *identity)
{
	bool is_secret = !span_is_empty(url->credentials);

	write_url(w, url, is_secret ? SPAN("***") : (struct span){0}, file, identity);
}

void phone_url_write_masked(struct writer *w, struct span text, size_t length_max)
{
	size_t start = span_search(text, SPAN("://"));
	size_t end = start < text.length ? start + 3 : 0;
	size_t at = end;

	while (end < text.length && text.data[end] != '/' && text.data[end] != ';') {
		end++;
		if (text.data[end - 1] == '@') {
			at = end;
		}
	}
	start = start < text.length ? start + 3 : 0;
	if (at > start) {
		writer_escaped(w, span_slice(text, 0, start), length_max);
		writer_text(w, "***@");
		writer_escaped(w, span_after(text, at), length_max);
	} else {
		writer_escaped(w, text, length_max);
	}
}

static uint16_t port_of(const struct phone_url *url)
{
	static const uint16_t ports[] = {
		[PHONE_URL_TFTP] = 69,
		[PHONE_URL_FTP] = 21,
		[PHONE_URL_HTTP] = 80,
		[PHONE_URL_HTTPS] = 443,
	};

	return url->port != 0 ? url->port : ports[url->scheme];
}

bool phone_url_same_server(const struct phone_url *a, const struct phone_url *b)
{
	return a->scheme == b->scheme && span_equal_nocase(a->host, b->host) &&
	       port_of(a) == port_of(b);
}

/* SPDX-License-Identifier: MIT */
/*
 * The provisioning URL of the manual (audiocodes.md 2), from DHCP option 160, options 66 and 67, a
 * NOTIFY, or the phone's own settings:
 *
 *	[proto "://"] host [":" port] ["/" [directory "/"] [firmware]] [";" configuration]
 *
 * proto is tftp (the default), ftp, http or https, in any case. Blanks around ';' are tolerated.
 * A name that is left out is <model>.img or <MAC>.cfg in the directory of the first name; both
 *names, where they are given, count from the host, so a configuration may name a directory of its
 *own: http://h/440HD.img;p/KEY/<MAC>.cfg. One name alone that ends in .cfg or .cfx is the
 *configuration. <MAC> and <MODEL> stand for the phone's own anywhere in the two names.
 *
 * Refused, never mended: octets that RFC 3986 has no place for, a '%' that is not followed by two
 * hexadecimal digits or that hides a control, a '/' or a '\', path segments "." and "..", a '#',
 *and placeholders nobody knows. A '?' belongs to http and https alone.
 */
#ifndef BELLHOP_CORE_PHONE_URL_H
#define BELLHOP_CORE_PHONE_URL_H

#include "core/base/writer.h"
#include "core/phone/identity.h"

/* The longest text taken (one DHCP option), and room for one file's URL when it is written out. */
enum { phone_url_text_max = 255, phone_url_size = 1024 };

enum phone_url_scheme {
	PHONE_URL_TFTP,
	PHONE_URL_FTP,
	PHONE_URL_HTTP,
	PHONE_URL_HTTPS,
};

enum phone_file { PHONE_FILE_FIRMWARE, PHONE_FILE_CONFIG };

/* Views into the text it was read from; names empty: left out. */
struct phone_url {
	enum phone_url_scheme scheme;
	struct span credentials; /* user[:password], percent-encoded as it stood; a secret */
	struct span host;	 /* IPv6 with its brackets */
	uint16_t port;		 /* 0: the scheme's own */
	struct span directory; /* of names left out: empty, or ends in '/'; never starts with '/' */
	struct span firmware;  /* counted from the host; never starts with '/' */
	struct span config;
	bool names_below_directory; /* from DHCP option 67: names count from `directory` */
};

/*
 * Reads a URL of the grammar above; blanks and line ends around it are not part of it. 0; -ENODATA
 * when nothing is left; -ENAMETOOLONG beyond phone_url_text_max; -EPROTONOSUPPORT for another
 * scheme; -EINVAL for everything else that is refused. `*url` is untouched on failure.
 */
int phone_url_parse(struct span text, struct phone_url *url);

/*
 * The same for provisioning/firmware/url and provisioning/configuration/url: one name alone belongs
 * to `file` whatever its ending, and a URL that ends in '/' or has no path means the default name.
 */
int phone_url_parse_file(struct span text, enum phone_file file, struct phone_url *url);

/*
 * DHCP options 66 and 67: the names of `boot_file` (firmware[;configuration]) below the server and
 * directory of `server`. When `server` itself names a file `boot_file` is ignored; when `boot_file`
 * is empty the default names are meant. Errors as phone_url_parse; -ENODATA when `server` is empty,
 * whatever `boot_file` says.
 */
int phone_url_parse_boot(struct span server, struct span boot_file, struct phone_url *url);

/*
 * Writes the URL of one file, complete: scheme, credentials, host, port, path, with the
 * placeholders and defaults of `identity`. What the model holds beyond RFC 3986's unreserved
 * characters is percent-encoded. The writer fails when it does not fit.
 */
void phone_url_write(struct writer *w, const struct phone_url *url, enum phone_file file,
		     const struct phone_identity *identity);

/* The same for people and logs: the credentials are shown as "***". */
void phone_url_write_public(struct writer *w, const struct phone_url *url, enum phone_file file,
			    const struct phone_identity *identity);

/*
 * Any URL or text that may hold one, for people and logs: what stands between "://" and '@' becomes
 * "***", controls become escapes, and at most `length_max` bytes of it are shown.
 */
void phone_url_write_masked(struct writer *w, struct span text, size_t length_max);

/* The same scheme, host (in any case) and port. */
bool phone_url_same_server(const struct phone_url *a, const struct phone_url *b);

#endif

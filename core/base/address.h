/* SPDX-License-Identifier: MIT */
/*
 * Internet addresses without the socket library: an IPv4 or IPv6 address, and an endpoint (address
 * and port). io/ turns them into struct sockaddr and back; core/ compares, reads and prints them.
 */
#ifndef BELLHOP_CORE_BASE_ADDRESS_H
#define BELLHOP_CORE_BASE_ADDRESS_H

#include "core/base/span.h"
#include "core/base/writer.h"

enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

enum { address_text_size = 46, endpoint_text_size = 56 }; /* with NUL */

struct address {
	uint8_t family;	    /* enum address_family */
	uint8_t octets[16]; /* network order; IPv4 uses the first four, the rest are zero */
};

struct endpoint {
	struct address address;
	uint16_t port; /* host order */
};

static inline struct address address_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct address){.family = ADDRESS_IPV4, .octets = {a, b, c, d}};
}

/* Dotted quad, or RFC 4291 text without brackets and without a zone. 0 or -EINVAL. */
int address_parse(struct span text, struct address *address);

/*
 * host[:port] with a numeric host; IPv6 in brackets when a port follows. `port_default` is used
 * when the text has none. 0 or -EINVAL.
 */
int endpoint_parse(struct span text, uint16_t port_default, struct endpoint *endpoint);

static inline bool address_equal(struct address a, struct address b)
{
	return a.family == b.family && memcmp(a.octets, b.octets, sizeof(a.octets)) == 0;
}

static inline bool endpoint_equal(struct endpoint a, struct endpoint b)
{
	return a.port == b.port && address_equal(a.address, b.address);
}

static inline bool address_is_set(struct address a)
{
	return a.family != ADDRESS_NONE;
}

bool address_is_any(struct address a);	     /* 0.0.0.0, :: */
bool address_is_loopback(struct address a);  /* 127/8, ::1 */
bool address_is_multicast(struct address a); /* 224/4, ff00::/8 */
bool address_is_broadcast(struct address a); /* 255.255.255.255 */

/* The first `prefix_bits` of both are alike; false for different families. */
bool address_in_prefix(struct address a, struct address network, unsigned prefix_bits);

/* IPv4-mapped IPv6 (::ffff:a.b.c.d) as the IPv4 address it stands for; others unchanged. */
struct address address_unmapped(struct address a);

/* Canonical text: dotted quad, or RFC 5952. */
void address_write(struct writer *w, struct address address);

/* As in a URI host: IPv6 in brackets (RFC 3986 3.2.2, RFC 3261 25.1). */
void address_write_host(struct writer *w, struct address address);

/* host:port, IPv6 in brackets. */
void endpoint_write(struct writer *w, struct endpoint endpoint);

void address_text(struct address address, char text[static address_text_size]);
void endpoint_text(struct endpoint endpoint, char text[static endpoint_text_size]);

#endif

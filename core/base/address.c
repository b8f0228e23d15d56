/* SPDX-License-Identifier: MIT */
#include "core/base/address.h"

#include <errno.h>

static int parse_ipv4(struct span text, uint8_t octets[static 4])
{
	struct span rest = text;

	for (size_t i = 0; i < 4; i++) {
		struct span part = rest.data ? span_cut(&rest, '.') : (struct span){0};
		uint64_t value;

		if (part.length > 3 || span_to_unsigned(part, 255, &value) != 0) {
			return -EINVAL;
		}
		octets[i] = (uint8_t)value;
	}
	return rest.data ? -EINVAL : 0;
}

static int parse_group(struct span text, uint16_t *group)
{
	uint32_t value = 0;

	if (text.length == 0 || text.length > 4) {
		return -EINVAL;
	}
	for (size_t i = 0; i < text.length; i++) {
		int digit = ascii_hex_value(text.data[i]);

		if (digit < 0) {
			return -EINVAL;
		}
		value = value << 4 | (uint32_t)digit;
	}
	*group = (uint16_t)value;
	return 0;
}

/*
 * Reads colon-separated groups, the last of which may be a dotted quad where the text ends the
 * address; the count, or -EINVAL.
 */
static int parse_groups(struct span text, bool ends_address, uint8_t octets[static 16])
{
	struct span rest = text;
	size_t used = 0;

	if (text.length == 0) {
		return 0;
	}
	while (rest.data) {
		struct span part = span_cut(&rest, ':');
		uint16_t group;

		if (ends_address && !rest.data && span_find(part, '.') < part.length) {
			if (used > 12 || parse_ipv4(part, octets + used) != 0) {
				return -EINVAL;
			}
			return (int)used / 2 + 2;
		}
		if (used > 14 || parse_group(part, &group) != 0) {
			return -EINVAL;
		}
		octets[used++] = (uint8_t)(group >> 8);
		octets[used++] = (uint8_t)group;
	}
	return (int)used / 2;
}

static int parse_ipv6(struct span text, uint8_t octets[static 16])
{
	uint8_t head[16] = {0};
	uint8_t tail[16] = {0};
	size_t gap = span_search(text, SPAN("::"));
	int head_count = parse_groups(span_slice(text, 0, gap), gap == text.length, head);
	int tail_count = 0;

	if (gap < text.length) {
		tail_count = parse_groups(span_slice(text, gap + 2, text.length), true, tail);
	}
	if (head_count < 0 || tail_count < 0) {
		return -EINVAL;
	}
	/* "::" stands for at least one group (RFC 4291 2.2). */
	if (gap < text.length ? head_count + tail_count > 7 : head_count != 8) {
		return -EINVAL;
	}
	memset(octets, 0, 16);
	memcpy(octets, head, (size_t)head_count * 2);
	memcpy(octets + 16 - (size_t)tail_count * 2, tail, (size_t)tail_count * 2);
	return 0;
}

int address_parse(struct span text, struct address *address)
{
	struct address read = {0};

	if (parse_ipv4(text, read.octets) == 0) {
		read.family = ADDRESS_IPV4;
	} else {
		memset(read.octets, 0, sizeof(read.octets));
		if (text.length > 45 || span_find(text, ':') == text.length ||
		    parse_ipv6(text, read.octets) != 0) {
			return -EINVAL;
		}
		read.family = ADDRESS_IPV6;
	}
	*address = read;
	return 0;
}

int endpoint_parse(struct span text, uint16_t port_default, struct endpoint *endpoint)
{
	struct endpoint read = {.port = port_default};
	struct span host;
	struct span port = {0};
	uint64_t number;

	if (text.length > 0 && text.data[0] == '[') {
		size_t close = span_find(text, ']');

		if (close == text.length) {
			return -EINVAL;
		}
		host = span_slice(text, 1, close);
		port = span_slice(text, close + 1, text.length);
		if (port.length > 0 && port.data[0] != ':') {
			return -EINVAL;
		}
		if (address_parse(host, &read.address) != 0 ||
		    read.address.family != ADDRESS_IPV6) {
			return -EINVAL;
		}
	} else {
		if (address_parse(text, &read.address) == 0) {
			*endpoint = read;
			return 0;
		}
		size_t colon = span_find(text, ':');

		host = span_slice(text, 0, colon);
		port = span_slice(text, colon, text.length);
		if (address_parse(host, &read.address) != 0) {
			return -EINVAL;
		}
	}
	if (port.length > 0) {
		if (span_to_unsigned(span_slice(port, 1, port.length), 65535, &number) != 0) {
			return -EINVAL;
		}
		read.port = (uint16_t)number;
	}
	*endpoint = read;
	return 0;
}

static bool octets_are(struct address a, uint8_t value)
{
	size_t count = a.family == ADDRESS_IPV4 ? 4 : 16;

	for (size_t i = 0; i < count; i++) {
		if (a.octets[i] != value) {
			return false;
		}
	}
	return a.family != ADDRESS_NONE;
}

bool address_is_any(struct address a)
{
	return octets_are(a, 0);
}

bool address_is_loopback(struct address a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a.family == ADDRESS_IPV4) {
		return a.octets[0] == 127;
	}
	return a.family == ADDRESS_IPV6 && memcmp(a.octets, one, sizeof(one)) == 0;
}

bool address_is_multicast(struct address a)
{
	if (a.family == ADDRESS_IPV4) {
		return (a.octets[0] & 0xf0) == 0xe0;
	}
	return a.family == ADDRESS_IPV6 && a.octets[0] == 0xff;
}

bool address_is_broadcast(struct address a)
{
	return a.family == ADDRESS_IPV4 && octets_are(a, 255);
}

bool address_in_prefix(struct address a, struct address network, unsigned prefix_bits)
{
	unsigned bits_max = a.family == ADDRESS_IPV4 ? 32 : 128;
	size_t whole;
	unsigned rest;

	if (a.family != network.family || a.family == ADDRESS_NONE || prefix_bits > bits_max) {
		return false;
	}
	whole = prefix_bits / 8;
	rest = prefix_bits % 8;
	if (memcmp(a.octets, network.octets, whole) != 0) {
		return false;
	}
	return rest == 0 ||
	       (a.octets[whole] >> (8 - rest)) == (network.octets[whole] >> (8 - rest));
}

struct address address_unmapped(struct address a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a.family != ADDRESS_IPV6 || memcmp(a.octets, mapped, sizeof(mapped)) != 0) {
		return a;
	}
	return address_ipv4(a.octets[12], a.octets[13], a.octets[14], a.octets[15]);
}

static uint16_t group_of(struct address a, size_t i)
{
	return (uint16_t)(a.octets[2 * i] << 8 | a.octets[2 * i + 1]);
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static size_t longest_zero_run(struct address a, size_t *length)
{
	size_t best_at = 8;

	*length = 1;
	for (size_t i = 0; i < 8; i++) {
		size_t run = 0;

		while (i + run < 8 && group_of(a, i + run) == 0) {
			run++;
		}
		if (run > *length) {
			best_at = i;
			*length = run;
		}
		i += run;
	}
	return best_at;
}

static void write_group(struct writer *w, uint16_t group)
{
	static const char digits[] = "0123456789abcdef";
	bool is_leading = true;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned digit = (unsigned)(group >> shift) & 15;

		if (digit == 0 && is_leading && shift > 0) {
			continue;
		}
		is_leading = false;
		writer_char(w, digits[digit]);
	}
}

static void write_ipv6(struct writer *w, struct address a)
{
	size_t run;
	size_t at = longest_zero_run(a, &run);

	for (size_t i = 0; i < 8;) {
		if (i == at) {
			writer_put(w, SPAN("::"));
			i += run;
			continue;
		}
		if (i > 0 && i != at + run) {
			writer_char(w, ':');
		}
		write_group(w, group_of(a, i));
		i++;
	}
}

/* 0 to 255 in decimal; past its last digit. */
static char *put_octet(char *place, unsigned octet)
{
	if (octet >= 100) {
		*place++ = (char)('0' + octet / 100);
	}
	if (octet >= 10) {
		*place++ = (char)('0' + octet / 10 % 10);
	}
	*place++ = (char)('0' + octet % 10);
	return place;
}

static void write_ipv4(struct writer *w, struct address a)
{
	char text[sizeof("255.255.255.255")];
	char *place = put_octet(text, a.octets[0]);

	for (size_t i = 1; i < 4; i++) {
		*place++ = '.';
		place = put_octet(place, a.octets[i]);
	}
	writer_put(w, span_make(text, (size_t)(place - text)));
}

void address_write(struct writer *w, struct address address)
{
	if (address.family == ADDRESS_IPV4) {
		write_ipv4(w, address);
	} else if (address.family == ADDRESS_IPV6) {
		write_ipv6(w, address);
	}
}

void address_write_host(struct writer *w, struct address address)
{
	bool needs_brackets = address.family == ADDRESS_IPV6;

	if (needs_brackets) {
		writer_char(w, '[');
	}
	address_write(w, address);
	if (needs_brackets) {
		writer_char(w, ']');
	}
}

void endpoint_write(struct writer *w, struct endpoint endpoint)
{
	address_write_host(w, endpoint.address);
	writer_char(w, ':');
	writer_unsigned(w, endpoint.port);
}

void address_text(struct address address, char text[static address_text_size])
{
	struct writer w = writer_over(text, address_text_size);

	address_write(&w, address);
	writer_terminate(&w);
}

void endpoint_text(struct endpoint endpoint, char text[static endpoint_text_size])
{
	struct writer w = writer_over(text, endpoint_text_size);

	endpoint_write(&w, endpoint);
	writer_terminate(&w);
}

/* SPDX-License-Identifier: MIT */
/*
 * A MAC address: stored and printed as 12 lower-case hexadecimal digits, accepted in every spelling
 * that phones, switches and people use (001122aabbcc, 00:11:22:AA:BB:CC, 00-11-22-aa-bb-cc,
 * 0011.22aa.bbcc, 0:1:2:a:b:c).
 */
#ifndef BELLHOP_CORE_BASE_MAC_H
#define BELLHOP_CORE_BASE_MAC_H

#include "core/base/span.h"
#include "core/base/writer.h"

enum { mac_text_size = 13 }; /* 12 digits and NUL */

struct mac {
	uint8_t octets[6];
};

/* The whole span is one MAC: 0 and `*mac`, else -EINVAL. Zeros and broadcast are read as well. */
int mac_parse(struct span text, struct mac *mac);

/* Exactly 12 hexadecimal digits at the start of the span, as they stand in URLs and file names. */
int mac_parse_prefix(struct span text, struct mac *mac);

/* Can belong to one device: not zero, not all ones, not multicast (dialects.md E.1). */
bool mac_is_device(struct mac mac);

bool mac_equal(struct mac a, struct mac b);
int mac_compare(struct mac a, struct mac b);

/* The 6 octets as a table key; valid as long as `*mac`. */
static inline struct span mac_key(const struct mac *mac)
{
	return span_make((const char *)mac->octets, sizeof(mac->octets));
}

/* 12 lower-case digits and a NUL. */
void mac_text(struct mac mac, char text[static mac_text_size]);
void mac_write(struct writer *w, struct mac mac);
void mac_write_upper(struct writer *w, struct mac mac);

#endif

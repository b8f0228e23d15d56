/* SPDX-License-Identifier: MIT */
/*
 * Comparing names eight octets at a time, for core/sip alone: most of the work of indexing a
 * message is telling header names apart.
 */
#ifndef BELLHOP_CORE_SIP_NAMES_H
#define BELLHOP_CORE_SIP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t sip_load64(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint32_t sip_load32(const char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/*
 * Equality in any case of `length` octets with a name made of letters and hyphens. Setting bit 5
 * lowers letters and keeps the hyphen; what else it could turn into one (CR) is no part of a line.
 */
static inline bool sip_same_word(const char *text, const char *name, size_t length)
{
	const uint64_t fold = 0x2020202020202020u;
	size_t i = 0;

	if (length >= 8) {
		for (; i + 8 <= length; i += 8) {
			if ((sip_load64(text + i) | fold) != (sip_load64(name + i) | fold)) {
				return false;
			}
		}
		return (sip_load64(text + length - 8) | fold) ==
		       (sip_load64(name + length - 8) | fold);
	}
	if (length >= 4) {
		return (sip_load32(text) | (uint32_t)fold) == (sip_load32(name) | (uint32_t)fold) &&
		       (sip_load32(text + length - 4) | (uint32_t)fold) ==
			       (sip_load32(name + length - 4) | (uint32_t)fold);
	}
	for (; i < length; i++) {
		if ((text[i] | 0x20) != (name[i] | 0x20)) {
			return false;
		}
	}
	return true;
}

#endif

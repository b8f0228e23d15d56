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

/* Equality of eight, or four, octets with those of a name, its letters in any case. */
static inline bool sip_same_eight(const char *text, const char *name)
{
	uint64_t word = sip_load64(name);
	uint64_t case_bits = (word & 0x4040404040404040u) >> 1; /* none in a digit or a hyphen */

	return ((sip_load64(text) ^ word) & ~case_bits) == 0;
}

static inline bool sip_same_four(const char *text, const char *name)
{
	uint32_t word = sip_load32(name);
	uint32_t case_bits = (word & 0x40404040u) >> 1;

	return ((sip_load32(text) ^ word) & ~case_bits) == 0;
}

/* Equality in any case of `length` octets with a name made of letters, digits, hyphens and dots. */
static inline bool sip_same_word(const char *text, const char *name, size_t length)
{
	size_t i = 0;

	if (length >= 8) {
		for (; i + 8 < length; i += 8) {
			if (!sip_same_eight(text + i, name + i)) {
				return false;
			}
		}
		return sip_same_eight(text + length - 8, name + length - 8);
	}
	if (length >= 4) {
		return sip_same_four(text, name) &&
		       sip_same_four(text + length - 4, name + length - 4);
	}
	for (; i < length; i++) {
		if (((text[i] ^ name[i]) & ~((name[i] & 0x40) >> 1)) != 0) {
			return false;
		}
	}
	return true;
}

#endif

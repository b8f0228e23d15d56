/* SPDX-License-Identifier: MIT */
#include "core/fleet/identity_claim.h"

#include "core/base/uncleared.h"

#include <errno.h>

enum {
	user_max = 96,
	mac_length_min = 11, /* 0:1:2:a:b:c */
	uuid_length = 36,
	uuid_node = 24,	   /* where its last part begins: the MAC of a version 1 UUID */
	uuid_version = 14, /* the digit that tells which version it is */
};

/* RFC 3261 19.1.4: an escaped character is the character. What is no escape stays as it stands. */
static struct span unescape(struct span text, char *buffer, size_t size)
{
	struct writer w = writer_over(buffer, size);

	for (size_t i = 0; i < text.length; i++) {
		int high = i + 2 < text.length ? ascii_hex_value(text.data[i + 1]) : -1;
		int low = high >= 0 ? ascii_hex_value(text.data[i + 2]) : -1;

		if (text.data[i] == '%' && low >= 0) {
			writer_char(&w, (char)(high << 4 | low));
			i += 2;
		} else {
			writer_char(&w, text.data[i]);
		}
	}
	return w.failed ? SPAN("") : writer_span(&w);
}

static bool is_separator(char c)
{
	return c == ':' || c == '-' || c == '.';
}

/* Digits, or groups of them with dots as versions have. */
static bool is_decimal(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!ascii_is_digit(text.data[i]) && text.data[i] != '.') {
			return false;
		}
	}
	return true;
}

/* Six pairs of digits with whatever of : - . stands between them, or does not. */
static int parse_mixed(struct span text, struct mac *mac)
{
	char digits[12];
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (is_separator(text.data[i])) {
			if (count % 2 != 0 || count == 0) {
				return -EINVAL;
			}
		} else if (count == sizeof(digits)) {
			return -EINVAL;
		} else {
			digits[count++] = text.data[i];
		}
	}
	return mac_parse_prefix(span_make(digits, count), mac);
}

static struct span without_prefix(struct span word)
{
	word = span_slice(word, 3, word.length);
	return is_separator(word.data[0]) || word.data[0] == '=' || word.data[0] == '_'
		       ? span_slice(word, 1, word.length)
		       : word;
}

/* `is_loose`: separators may be mixed, which in a free text would find versions. */
static struct claim claim_of(struct span word, enum device_identified_by by, bool is_loose)
{
	struct claim claim = {.by = by};
	bool has_prefix = word.length > 12 && span_starts_with_nocase(word, SPAN("mac"));

	if (word.length < mac_length_min) {
		return claim;
	}
	if (has_prefix) {
		word = without_prefix(word);
	}
	claim.is_there = word.length >= mac_length_min &&
			 (mac_parse(word, &claim.mac) == 0 ||
			  (is_loose && parse_mixed(word, &claim.mac) == 0)) &&
			 mac_is_device(claim.mac);
	claim.is_digits = claim.is_there && !has_prefix && is_decimal(word);
	claim.is_vague = claim.is_digits;
	return claim;
}

struct claim claim_of_word(struct span word, enum device_identified_by by)
{
	return claim_of(word, by, false);
}

static struct span without_start(struct span text, struct span start)
{
	return span_starts_with_nocase(text, start) ? span_slice(text, start.length, text.length)
						    : text;
}

static bool is_uuid(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text.data[i] != '-' : ascii_hex_value(text.data[i]) < 0) {
			return false;
		}
	}
	return text.length == uuid_length;
}

struct claim claim_of_uuid(struct span text, enum device_identified_by by)
{
	struct claim claim = {.by = by};

	text = without_start(without_start(text, SPAN("<")), SPAN("urn:"));
	text = without_start(text, SPAN("uuid:"));
	if (span_ends_with(text, SPAN(">"))) {
		text = span_slice(text, 0, text.length - 1);
	}
	if (is_uuid(text) &&
	    mac_parse_prefix(span_slice(text, uuid_node, text.length), &claim.mac) == 0) {
		claim.is_there = mac_is_device(claim.mac);
		/* Random ones end in twelve digits, too; some makers put the MAC there all the
		 * same. */
		claim.is_vague = text.data[uuid_version] != '1';
	}
	return claim;
}

struct claim claim_of_user(struct span user, enum device_identified_by by)
{
	UNCLEARED char buffer[user_max];
	struct span text;
	struct claim claim;

	if (user.length < mac_length_min) {
		return (struct claim){.by = by};
	}
	text = unescape(span_slice(user, 0, span_find(user, ';')), buffer, sizeof(buffer));
	text = span_trim(span_slice(text, 0, span_find(text, ';')));
	claim = claim_of(text, by, true);
	return claim.is_there ? claim : claim_of_uuid(text, by);
}

static bool is_in_word(char c)
{
	return ascii_is_alnum(c) || is_separator(c) || c == '=' || c == '%' || c == '_';
}

/* After a `;` or as a word of its own: plain, with `:` or with `-` (dialects.md E.1). */
struct claim claim_of_text(struct span text, enum device_identified_by by)
{
	struct claim vague = {.by = by};
	UNCLEARED char buffer[user_max];
	size_t i = 0;

	while (i < text.length) {
		struct claim claim;
		struct span word;
		size_t end = i;

		while (end < text.length && is_in_word(text.data[end])) {
			end++;
		}
		word = span_slice(text, i, end);
		if (span_find(word, '%') < word.length) {
			word = unescape(word, buffer, sizeof(buffer));
		}
		claim = claim_of_word(word, by);
		if (claim.is_there && !claim.is_vague) {
			return claim;
		}
		if (claim.is_there && !vague.is_there) {
			vague = claim;
		}
		i = end + 1;
	}
	return vague;
}

static bool is_hex_at(struct span text, size_t i)
{
	return i < text.length && ascii_hex_value(text.data[i]) >= 0;
}

/* How long the MAC is that begins here: 12, 17 with separators, or 0. */
static size_t mac_length_at(struct span name, size_t at)
{
	size_t run = 0;
	char separator;

	while (is_hex_at(name, at + run)) {
		run++;
	}
	if (run == 12) {
		return 12;
	}
	if (run != 2 || at + 17 > name.length) {
		return 0;
	}
	separator = name.data[at + 2];
	if (separator != ':' && separator != '-' && separator != '_') {
		return 0;
	}
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2 ? name.data[at + i] != separator : !is_hex_at(name, at + i)) {
			return 0;
		}
	}
	return is_hex_at(name, at + 17) ? 0 : 17;
}

struct claim claim_of_file_name(struct span name)
{
	struct claim claim = {.by = IDENTIFIED_BY_FILE_NAME};

	for (size_t i = 0; i < name.length; i++) {
		size_t length;
		char digits[12];

		if (i > 0 && is_hex_at(name, i - 1)) {
			continue;
		}
		length = mac_length_at(name, i);
		for (size_t d = 0; length > 0 && d < sizeof(digits); d++) {
			digits[d] = name.data[i + (length == 12 ? d : d / 2 * 3 + d % 2)];
		}
		if (length > 0 &&
		    mac_parse_prefix(span_make(digits, sizeof(digits)), &claim.mac) == 0 &&
		    mac_is_device(claim.mac)) {
			claim.is_there = true;
			return claim;
		}
	}
	return claim;
}

int claim_combine(struct claim *sum, struct claim next)
{
	if (!next.is_there || (sum->is_there && !sum->is_vague && next.is_vague)) {
		return 0;
	}
	if (sum->is_there && !sum->is_vague && !mac_equal(sum->mac, next.mac)) {
		return -EEXIST;
	}
	/* The first place stands; what is certain takes the place of what is vague. */
	if (!sum->is_there || (sum->is_vague && !next.is_vague)) {
		*sum = next;
	}
	return 0;
}

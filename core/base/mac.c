/* SPDX-License-Identifier: MIT */
#include "core/base/mac.h"

#include <errno.h>

int mac_parse_prefix(struct span text, struct mac *mac)
{
	struct mac read;

	if (text.length < 12) {
		return -EINVAL;
	}
	for (size_t i = 0; i < 6; i++) {
		int high = ascii_hex_value(text.data[2 * i]);
		int low = ascii_hex_value(text.data[2 * i + 1]);

		if (high < 0 || low < 0) {
			return -EINVAL;
		}
		read.octets[i] = (uint8_t)(high << 4 | low);
	}
	*mac = read;
	return 0;
}

/* Six groups of one or two digits (':' or '-'), or three of four ('.'). */
static int parse_groups(struct span text, char separator, struct mac *mac)
{
	size_t group_count = separator == '.' ? 3 : 6;
	size_t octets_each = 6 / group_count;
	struct mac read = {0};
	struct span rest = text;

	for (size_t g = 0; g < group_count; g++) {
		struct span group = rest.data ? span_cut(&rest, separator) : (struct span){0};
		uint32_t value = 0;

		if (group.length == 0 || group.length > 2 * octets_each ||
		    (separator == '.' && group.length != 4)) {
			return -EINVAL;
		}
		for (size_t i = 0; i < group.length; i++) {
			int digit = ascii_hex_value(group.data[i]);

			if (digit < 0) {
				return -EINVAL;
			}
			value = value << 4 | (uint32_t)digit;
		}
		for (size_t i = 0; i < octets_each; i++) {
			read.octets[g * octets_each + i] =
				(uint8_t)(value >> (8 * (octets_each - 1 - i)));
		}
	}
	if (rest.data) {
		return -EINVAL;
	}
	*mac = read;
	return 0;
}

int mac_parse(struct span text, struct mac *mac)
{
	static const char separators[] = ":-.";

	if (text.length == 12 && mac_parse_prefix(text, mac) == 0) {
		return 0;
	}
	for (const char *s = separators; *s; s++) {
		if (span_find(text, *s) < text.length) {
			return parse_groups(text, *s, mac);
		}
	}
	return -EINVAL;
}

bool mac_is_device(struct mac mac)
{
	static const struct mac zero;

	return !mac_equal(mac, zero) && (mac.octets[0] & 1) == 0;
}

bool mac_equal(struct mac a, struct mac b)
{
	return mac_compare(a, b) == 0;
}

int mac_compare(struct mac a, struct mac b)
{
	return memcmp(a.octets, b.octets, sizeof(a.octets));
}

void mac_write(struct writer *w, struct mac mac)
{
	writer_hex(w, mac.octets, sizeof(mac.octets));
}

void mac_write_upper(struct writer *w, struct mac mac)
{
	char text[mac_text_size];

	mac_text(mac, text);
	for (size_t i = 0; text[i]; i++) {
		text[i] = ascii_upper(text[i]);
	}
	writer_text(w, text);
}

void mac_text(struct mac mac, char text[static mac_text_size])
{
	struct writer w = writer_over(text, mac_text_size);

	mac_write(&w, mac);
	writer_terminate(&w);
}

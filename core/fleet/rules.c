/* SPDX-License-Identifier: MIT */
#include "core/fleet/rules.h"

#include <errno.h>
#include <stdlib.h>

void rule_free(struct rule *rule)
{
	if (rule) {
		settings_free(&rule->settings);
		free(rule->macs);
		free(rule->body);
		free(rule);
	}
}

/* --- Ranges of hardware addresses. --- */

static bool is_separator(char c)
{
	return c == ':' || c == '-' || c == '.';
}

/* Digits of a prefix, with the rest of the first address 0 and that of the last f. */
static int parse_prefix(struct span text, struct mac_range *range)
{
	unsigned digits = 0;

	memset(&range->first, 0, sizeof(range->first));
	memset(&range->last, 0xff, sizeof(range->last));
	for (size_t i = 0; i < text.length; i++) {
		int value = ascii_hex_value(text.data[i]);
		unsigned shift = digits % 2 == 0 ? 4 : 0;
		uint8_t keep = digits % 2 == 0 ? 0x0f : 0xf0;

		if (value < 0 && is_separator(text.data[i]) && digits > 0 && i + 1 < text.length) {
			continue;
		}
		if (value < 0 || digits == 12) {
			return -EINVAL;
		}
		range->first.octets[digits / 2] |= (uint8_t)((unsigned)value << shift);
		range->last.octets[digits / 2] = (uint8_t)((range->last.octets[digits / 2] & keep) |
							   ((unsigned)value << shift));
		digits++;
	}
	return digits > 0 ? 0 : -EINVAL;
}

int mac_range_parse(struct span text, struct mac_range *range)
{
	struct mac_range found;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '-' && mac_parse(span_slice(text, 0, i), &found.first) == 0 &&
		    mac_parse(span_slice(text, i + 1, text.length), &found.last) == 0) {
			if (mac_compare(found.first, found.last) > 0) {
				return -EINVAL;
			}
			*range = found;
			return 0;
		}
	}
	if (parse_prefix(text, &found) < 0) {
		return -EINVAL;
	}
	*range = found;
	return 0;
}

static unsigned digit_of(struct mac mac, unsigned i)
{
	return i % 2 == 0 ? mac.octets[i / 2] >> 4 : mac.octets[i / 2] & 0xfu;
}

/* How many digits of a prefix the range is; 0: it is none. */
static unsigned prefix_digits(const struct mac_range *range)
{
	unsigned same = 0;

	while (same < 12 && digit_of(range->first, same) == digit_of(range->last, same)) {
		same++;
	}
	for (unsigned i = same; i < 12; i++) {
		if (digit_of(range->first, i) != 0 || digit_of(range->last, i) != 0xf) {
			return 0;
		}
	}
	return same;
}

void mac_range_write(struct writer *w, const struct mac_range *range)
{
	unsigned digits = prefix_digits(range);
	char text[mac_text_size];

	mac_text(range->first, text);
	if (digits > 0) {
		writer_put(w, span_make(text, digits));
		return;
	}
	writer_text(w, text);
	writer_char(w, '-');
	mac_write(w, range->last);
}

static bool has_mac(const struct rule *rule, struct mac mac)
{
	size_t low = 0;
	size_t high = rule->mac_count;

	/* The last range that begins at or before it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mac_compare(rule->macs[middle].first, mac) <= 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low > 0 && mac_compare(mac, rule->macs[low - 1].last) <= 0;
}

/* --- Conditions. --- */

/* '*' any letters, '?' one, in either case. Goes back to the last '*' only: never worse than m*n.
 */
static bool is_like(struct span text, struct span pattern)
{
	size_t at = 0;
	size_t p = 0;
	size_t star = SIZE_MAX;
	size_t from = 0;

	while (at < text.length) {
		if (p < pattern.length && pattern.data[p] == '*') {
			star = p++;
			from = at;
		} else if (p < pattern.length &&
			   (pattern.data[p] == '?' ||
			    ascii_lower(pattern.data[p]) == ascii_lower(text.data[at]))) {
			p++;
			at++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			at = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.length && pattern.data[p] == '*') {
		p++;
	}
	return p == pattern.length;
}

enum rule_verdict rule_check(const struct rule *rule, const struct rule_subject *subject)
{
	if (rule->is_disabled) {
		return RULE_DISABLED;
	}
	if (rule->mac_count > 0 && !has_mac(rule, subject->mac)) {
		return RULE_OTHER_MAC;
	}
	if (rule->vendor[0] && !span_equal(span_text(rule->vendor), subject->vendor)) {
		return RULE_OTHER_VENDOR;
	}
	if (rule->model[0] && !is_like(subject->model, span_text(rule->model))) {
		return RULE_OTHER_MODEL;
	}
	if (rule->interface[0] && !span_equal(span_text(rule->interface), subject->interface)) {
		return RULE_OTHER_INTERFACE;
	}
	return subject->certainty < rule->certainty ? RULE_NOT_CERTAIN : RULE_FITS;
}

void rule_verdict_write(enum rule_verdict verdict, const struct rule *rule, struct writer *text)
{
	switch (verdict) {
	case RULE_FITS:
		writer_text(text, "fits");
		break;
	case RULE_DISABLED:
		writer_text(text, "it is switched off");
		break;
	case RULE_OTHER_MAC:
		writer_text(text, "the MAC is none of its MACs");
		break;
	case RULE_OTHER_VENDOR:
		writer_text(text, "the vendor is not ");
		writer_text(text, rule->vendor);
		break;
	case RULE_OTHER_MODEL:
		writer_text(text, "the model is not ");
		writer_text(text, rule->model);
		break;
	case RULE_OTHER_INTERFACE:
		writer_text(text, "the interface is not ");
		writer_text(text, rule->interface);
		break;
	case RULE_NOT_CERTAIN:
		writer_text(text, "how sure we are is less than ");
		writer_text(text, device_certainty_name(rule->certainty));
		break;
	}
}

/* What was recorded before there was a degree of certainty has one all the same. */
static enum device_certainty certainty_of(const struct device *device)
{
	if (address_is_set(device->bound_address)) {
		return CERTAINTY_PROVEN;
	}
	if (device->certainty != CERTAINTY_NONE) {
		return device->certainty;
	}
	switch (device->identified_by) {
	case IDENTIFIED_BY_NOTHING:
		return CERTAINTY_NONE;
	case IDENTIFIED_BY_NEIGHBOUR:
	case IDENTIFIED_BY_FRAME:
		return CERTAINTY_SEEN;
	case IDENTIFIED_BY_ADDRESS:
	case IDENTIFIED_BY_KEY:
	case IDENTIFIED_BY_CERTIFICATE:
		return CERTAINTY_PROVEN;
	case IDENTIFIED_BY_REQUEST_URI:
	case IDENTIFIED_BY_INSTANCE:
	case IDENTIFIED_BY_FROM:
	case IDENTIFIED_BY_TO:
	case IDENTIFIED_BY_CONTACT:
	case IDENTIFIED_BY_USER_AGENT:
	case IDENTIFIED_BY_EVENT:
	case IDENTIFIED_BY_FILE_NAME:
		break;
	}
	return CERTAINTY_CLAIMED;
}

struct rule_subject rule_subject_of(const struct device *device)
{
	return (struct rule_subject){
		.mac = device->mac,
		.vendor = span_text(device->vendor),
		.model = span_text(device->model),
		.interface = span_text(device->interface),
		.certainty = certainty_of(device),
	};
}

int rule_compare(const struct rule *a, const struct rule *b)
{
	if (a->priority != b->priority) {
		return a->priority < b->priority ? -1 : 1;
	}
	return strcmp(a->name, b->name);
}

/* --- The label. --- */

/* Cut between two characters of UTF-8. */
static void cut_label(struct writer *label, size_t size)
{
	size_t length = label->length < size - 1 ? label->length : size - 1;

	while (length < label->length && length > 0 &&
	       ((unsigned char)label->data[length] & 0xc0) == 0x80) {
		length--;
	}
	label->length = length;
}

void rule_label_write(const struct rule *rule, const struct device *device, struct writer *label)
{
	/* Each placeholder has at least six letters: it cannot become more than this. */
	char room[device_label_size * 12];
	struct writer w = writer_over(room, sizeof(room));
	struct span rest = span_text(rule->label);
	char mac[mac_text_size];

	mac_text(device->mac, mac);
	while (rest.length > 0) {
		const struct {
			struct span name;
			const char *value;
		} values[] = {
			{SPAN("%{extension}"), device->extension},
			{SPAN("%{mac}"), mac},
			{SPAN("%{model}"), device->model},
			{SPAN("%{vendor}"), device->vendor},
		};
		size_t i = 0;

		while (i < 4 && !span_starts_with(rest, values[i].name)) {
			i++;
		}
		if (i < 4) {
			writer_text(&w, values[i].value);
			rest = span_slice(rest, values[i].name.length, rest.length);
		} else {
			writer_char(&w, rest.data[0]);
			rest = span_slice(rest, 1, rest.length);
		}
	}
	cut_label(&w, device_label_size);
	writer_put(label, writer_span(&w));
}

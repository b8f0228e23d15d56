/* SPDX-License-Identifier: MIT */
/*
 * What a value of each type looks like, and its one spelling.
 */
#include "core/base/address.h"
#include "core/fleet/setting_names.h"

#include <errno.h>

static bool is_one_line(struct span value, size_t most)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c < 0x20 || c == 0x7f) {
			return false;
		}
	}
	return value.length <= most;
}

static bool is_label(struct span label)
{
	if (label.length == 0 || label.length > 63 || label.data[0] == '-' ||
	    label.data[label.length - 1] == '-') {
		return false;
	}
	for (size_t i = 0; i < label.length; i++) {
		if (!ascii_is_alnum(label.data[i]) && label.data[i] != '-' &&
		    label.data[i] != '_') {
			return false;
		}
	}
	return true;
}

/* RFC 1123 2.1: a last label of digits alone would be read as an address. */
static bool is_host_name(struct span value)
{
	struct span rest = value;
	struct span label = {0};
	uint64_t number;

	if (value.length == 0 || value.length > 253) {
		return false;
	}
	if (value.data[value.length - 1] == '.') {
		rest.length--;
	}
	while (rest.data) {
		label = span_cut(&rest, '.');
		if (!is_label(label)) {
			return false;
		}
	}
	return span_to_unsigned(label, UINT64_MAX, &number) == -EINVAL;
}

static int normalise_address(struct span value, struct writer *w)
{
	char text[address_text_size];
	struct address address;

	if (address_parse(value, &address) != 0) {
		return -EINVAL;
	}
	address_text(address, text);
	writer_text(w, text);
	return 0;
}

static int normalise_boolean(struct span value, struct writer *w)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (span_equal_nocase(value, span_text(yes[i]))) {
			writer_text(w, "true");
			return 0;
		}
		if (span_equal_nocase(value, span_text(no[i]))) {
			writer_text(w, "false");
			return 0;
		}
	}
	return -EINVAL;
}

static int normalise_choice(const char *choices, struct span value, struct writer *w)
{
	struct span rest = span_text(choices);

	while (rest.data) {
		struct span choice = span_cut(&rest, '|');

		if (span_equal_nocase(choice, value)) {
			writer_put(w, choice);
			return 0;
		}
	}
	return -EINVAL;
}

static int normalise_integer(const struct setting_name *name, struct span value, struct writer *w)
{
	uint64_t number;

	if (span_to_unsigned(value, name->max, &number) != 0 || number < name->min) {
		return -EINVAL;
	}
	writer_unsigned(w, number);
	return 0;
}

/* h:mm is taken and filled up: 7:30 is 07:30. */
static int normalise_time(struct span value, struct writer *w)
{
	size_t colon = span_find(value, ':');
	uint64_t hour;
	uint64_t minute;

	if (colon == value.length || value.length > 5 || value.length - colon != 3 ||
	    span_to_unsigned(span_slice(value, 0, colon), 23, &hour) != 0 ||
	    span_to_unsigned(span_slice(value, colon + 1, value.length), 59, &minute) != 0) {
		return -EINVAL;
	}
	writer_padded(w, hour, 2);
	writer_char(w, ':');
	writer_padded(w, minute, 2);
	return 0;
}

/* The names of the IANA data base: Area/Location[/Location], UTC, Etc/GMT+5. */
static bool is_timezone(struct span value, size_t most)
{
	char before = '/';

	for (size_t i = 0; i < value.length; i++) {
		char c = value.data[i];

		if (c == '/' ? before == '/'
			     : !ascii_is_alnum(c) && c != '_' && c != '-' && c != '+') {
			return false;
		}
		before = c;
	}
	return before != '/' && value.length <= most;
}

static bool all_of(struct span text, bool (*test)(char), char first, char last)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!test(text.data[i]) || text.data[i] < first || text.data[i] > last) {
			return false;
		}
	}
	return true;
}

static bool is_locale(struct span value)
{
	struct span rest = value;
	struct span language = span_cut(&rest, '_');

	return (language.length == 2 || language.length == 3) &&
	       all_of(language, ascii_is_alpha, 'a', 'z') &&
	       (!rest.data || (rest.length == 2 && all_of(rest, ascii_is_alpha, 'A', 'Z')));
}

static bool is_url(struct span value, size_t most)
{
	size_t scheme = span_search(value, SPAN("://"));

	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] <= ' ' || value.data[i] > '~') {
			return false;
		}
	}
	return scheme > 0 && scheme + 3 < value.length && value.length <= most &&
	       all_of(span_slice(value, 0, scheme), ascii_is_alpha, 'A', 'z');
}

static bool is_dialled(struct span value, size_t most)
{
	for (size_t i = 0; i < value.length; i++) {
		char c = value.data[i];

		if (!ascii_is_alnum(c) && !strchr("*#+._-@", c)) {
			return false;
		}
	}
	return value.length <= most;
}

static int keep_if(bool is_legal, struct span value, struct writer *w)
{
	if (!is_legal) {
		return -EINVAL;
	}
	writer_put(w, value);
	return 0;
}

static int normalise(const struct setting_name *name, struct span value, struct writer *w)
{
	switch (name->type) {
	case SETTING_TEXT:
		return keep_if(is_one_line(value, name->max), value, w);
	case SETTING_HOST:
		return normalise_address(value, w) == 0 ? 0
							: keep_if(is_host_name(value), value, w);
	case SETTING_ADDRESS:
		return normalise_address(value, w);
	case SETTING_INTEGER:
		return normalise_integer(name, value, w);
	case SETTING_BOOLEAN:
		return normalise_boolean(value, w);
	case SETTING_CHOICE:
		return normalise_choice(name->choices, value, w);
	case SETTING_TIME:
		return normalise_time(value, w);
	case SETTING_TIMEZONE:
		return keep_if(is_timezone(value, name->max), value, w);
	case SETTING_LOCALE:
		return keep_if(is_locale(value), value, w);
	case SETTING_URL:
		return keep_if(is_url(value, name->max), value, w);
	case SETTING_DIGITS:
		return keep_if(is_dialled(value, name->max), value, w);
	}
	return -EINVAL;
}

int setting_value_normalise(const struct setting_name *name, struct span value, struct writer *w)
{
	int error = normalise(name, value, w);

	return error ? error : w->failed ? -EINVAL : 0;
}

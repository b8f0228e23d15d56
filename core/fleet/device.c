/* SPDX-License-Identifier: MIT */
#include "core/fleet/device.h"

#include <errno.h>

static const char *const state_names[] = {
	[DEVICE_NEW] = "new",	      [DEVICE_CLAIMED] = "claimed", [DEVICE_NOTIFIED] = "notified",
	[DEVICE_FETCHED] = "fetched", [DEVICE_STALE] = "stale",	    [DEVICE_BLOCKED] = "blocked",
};

static const char *const identified_by_names[] = {
	[IDENTIFIED_BY_NOTHING] = "nothing",
	[IDENTIFIED_BY_NEIGHBOUR] = "neighbour",
	[IDENTIFIED_BY_FRAME] = "frame",
	[IDENTIFIED_BY_ADDRESS] = "address",
	[IDENTIFIED_BY_KEY] = "key",
	[IDENTIFIED_BY_REQUEST_URI] = "request_uri",
	[IDENTIFIED_BY_INSTANCE] = "sip_instance",
	[IDENTIFIED_BY_FROM] = "from",
	[IDENTIFIED_BY_TO] = "to",
	[IDENTIFIED_BY_CONTACT] = "contact",
	[IDENTIFIED_BY_USER_AGENT] = "user_agent",
	[IDENTIFIED_BY_EVENT] = "event",
	[IDENTIFIED_BY_FILE_NAME] = "file_name",
	[IDENTIFIED_BY_CERTIFICATE] = "certificate",
};

static const char *const certainty_names[] = {
	[CERTAINTY_NONE] = "none",
	[CERTAINTY_SPOOFED] = "spoofed?",
	[CERTAINTY_UNIDENTIFIED] = "unidentified",
	[CERTAINTY_CLAIMED] = "claimed",
	[CERTAINTY_SEEN] = "seen",
	[CERTAINTY_CONFIRMED] = "confirmed",
	[CERTAINTY_PROVEN] = "proven",
};

static const char *const resync_names[] = {
	[RESYNC_NONE] = "none",
	[RESYNC_WAITING] = "waiting",
	[RESYNC_SENT] = "sent",
	[RESYNC_ACKNOWLEDGED] = "acknowledged",
	[RESYNC_DONE] = "done",
	[RESYNC_NO_ANSWER] = "no answer",
	[RESYNC_REFUSED] = "refused",
	[RESYNC_NOT_FETCHED] = "acknowledged but did not fetch",
	[RESYNC_NO_ADDRESS] = "no address",
	[RESYNC_UNSUPPORTED] = "not supported",
	[RESYNC_INTERRUPTED] = "interrupted",
};

static const char *const form_names[] = {
	[FORM_DEFAULT] = "default",
	[FORM_RFC] = "rfc",
	[FORM_PRINT] = "print",
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static int parse_name(const char *const *list, size_t count, struct span name, size_t *index)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal(name, span_text(list[i]))) {
			*index = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *device_state_name(enum device_state state)
{
	return (size_t)state < COUNT(state_names) ? state_names[state] : "";
}

const char *device_identified_by_name(enum device_identified_by by)
{
	return (size_t)by < COUNT(identified_by_names) ? identified_by_names[by] : "";
}

const char *device_certainty_name(enum device_certainty certainty)
{
	return (size_t)certainty < COUNT(certainty_names) ? certainty_names[certainty] : "";
}

const char *device_resync_name(enum device_resync resync)
{
	return (size_t)resync < COUNT(resync_names) ? resync_names[resync] : "";
}

const char *notify_form_name(enum notify_form form)
{
	return (size_t)form < COUNT(form_names) ? form_names[form] : "";
}

int device_state_parse(struct span name, enum device_state *state)
{
	size_t index;

	if (parse_name(state_names, COUNT(state_names), name, &index) != 0) {
		return -EINVAL;
	}
	*state = (enum device_state)index;
	return 0;
}

int device_identified_by_parse(struct span name, enum device_identified_by *by)
{
	size_t index;

	if (parse_name(identified_by_names, COUNT(identified_by_names), name, &index) != 0) {
		return -EINVAL;
	}
	*by = (enum device_identified_by)index;
	return 0;
}

int device_certainty_parse(struct span name, enum device_certainty *certainty)
{
	size_t index;

	if (parse_name(certainty_names, COUNT(certainty_names), name, &index) != 0) {
		return -EINVAL;
	}
	*certainty = (enum device_certainty)index;
	return 0;
}

int device_resync_parse(struct span name, enum device_resync *resync)
{
	size_t index;

	if (parse_name(resync_names, COUNT(resync_names), name, &index) != 0) {
		return -EINVAL;
	}
	*resync = (enum device_resync)index;
	return 0;
}

int notify_form_parse(struct span name, enum notify_form *form)
{
	size_t index;

	if (parse_name(form_names, COUNT(form_names), name, &index) != 0) {
		return -EINVAL;
	}
	*form = (enum notify_form)index;
	return 0;
}

bool device_text_is_plain(struct span text, size_t size)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!ascii_is_alnum(text.data[i]) && !memchr(" ._+()/:-", text.data[i], 9)) {
			return false;
		}
	}
	return text.length > 0 && text.length < size;
}

bool device_vendor_is_legal(struct span vendor)
{
	for (size_t i = 0; i < vendor.length; i++) {
		char c = vendor.data[i];

		if (!ascii_is_digit(c) && (c < 'a' || c > 'z')) {
			return false;
		}
	}
	return vendor.length < device_vendor_size;
}

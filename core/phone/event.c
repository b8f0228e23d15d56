/* SPDX-License-Identifier: MIT */
#include "core/phone/event.h"

enum { sends_max = 16, effects_bytes_max = 256 * 1024 };

static const char *const names[phone_event_kind_count] = {
	[PHONE_EVENT_SUBSCRIBE_SENT] = "subscribe_sent",
	[PHONE_EVENT_RESPONSE] = "response",
	[PHONE_EVENT_NOTIFY] = "notify",
	[PHONE_EVENT_IGNORED] = "ignored",
	[PHONE_EVENT_DOWNLOAD] = "download",
	[PHONE_EVENT_FIRMWARE] = "firmware",
	[PHONE_EVENT_CONFIG] = "config",
	[PHONE_EVENT_APPLIED] = "applied",
	[PHONE_EVENT_FAILED] = "failed",
	[PHONE_EVENT_NEXT_CHECK] = "next_check",
};

int phone_effects_init(struct phone_effects *effects)
{
	effects->event_count = 0;
	effects->events_lost = 0;
	return effects_init(&effects->wire, sends_max, effects_bytes_max);
}

void phone_effects_reset(struct phone_effects *effects)
{
	effects->event_count = 0;
	effects_reset(&effects->wire);
}

void phone_effects_free(struct phone_effects *effects)
{
	effects_free(&effects->wire);
}

static bool keep(struct phone_effects *effects, struct span *text)
{
	struct span copy;

	if (text->length == 0) {
		return true;
	}
	copy = arena_copy(&effects->wire.arena, *text);
	*text = copy;
	return copy.data != NULL;
}

void phone_effects_add(struct phone_effects *effects, struct phone_event event)
{
	if (effects->event_count == phone_events_max || !keep(effects, &event.url) ||
	    !keep(effects, &event.text)) {
		effects->events_lost++;
		return;
	}
	effects->events[effects->event_count] = event;
	effects->event_count++;
}

const char *phone_event_name(enum phone_event_kind kind)
{
	return kind < phone_event_kind_count ? names[kind] : "unknown";
}

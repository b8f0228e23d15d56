/* SPDX-License-Identifier: MIT */
#include "programs/bellhop-agent/show.h"

#include "core/base/time.h"
#include "core/phone/config_file.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

enum { line_size = 4096 };

static const struct {
	enum phone_effect effect;
	const char *name;
} effect_names[] = {
	{PHONE_EFFECT_REBOOT, "reboot"},       {PHONE_EFFECT_VOIP, "telephony"},
	{PHONE_EFFECT_INTERFACE, "interface"}, {PHONE_EFFECT_LOG, "log"},
	{PHONE_EFFECT_CLOCK, "clock"},
};

/* ---- JSON ---- */

static void set_text(json_t *object, const char *key, struct span text)
{
	if (!span_is_empty(text)) {
		/* NULL for what is not UTF-8, which no event holds: core escapes it. */
		json_object_set_new(object, key, json_stringn(text.data, text.length));
	}
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_time(json_t *object, const char *key, uint64_t utc_ms)
{
	char buffer[time_rfc3339_size];
	struct writer w = writer_over(buffer, sizeof(buffer));

	time_write_rfc3339(&w, utc_ms);
	set_text(object, key, writer_span(&w));
}

static void set_change(json_t *object, const struct phone_event *event)
{
	json_t *effects = json_array();

	for (size_t i = 0; i < sizeof(effect_names) / sizeof(effect_names[0]); i++) {
		if (event->effects & effect_names[i].effect) {
			json_array_append_new(effects, json_string(effect_names[i].name));
		}
	}
	set_number(object, "changed", event->changed_count);
	json_object_set_new(object, "effects", effects);
	json_object_set_new(object, "reboot", json_boolean(event->effects & PHONE_EFFECT_REBOOT));
}

/* Under the name that fits what the text is. */
static const char *text_key(enum phone_event_kind kind)
{
	return kind == PHONE_EVENT_FIRMWARE ? "version"
	       : kind == PHONE_EVENT_CONFIG ? "first_changed"
					    : "text";
}

static void show_json(const struct phone_event *event, uint64_t utc_ms)
{
	json_t *object = json_object();
	char peer[endpoint_text_size];

	json_object_set_new(object, "event", json_string(phone_event_name(event->kind)));
	set_time(object, "time", utc_ms);
	if (address_is_set(event->peer.address)) {
		endpoint_text(event->peer, peer);
		set_text(object, "peer", span_text(peer));
	}
	if (event->attempt > 0) {
		set_number(object, "attempt", event->attempt);
	}
	if (event->status > 0) {
		set_number(object, "status", event->status);
	}
	set_text(object, "form", span_text(event->form));
	set_text(object, "url", event->url);
	if (event->kind == PHONE_EVENT_DOWNLOAD) {
		set_number(object, "bytes", event->bytes);
		json_object_set_new(object, "ok", json_boolean(event->reason == NULL));
	}
	if (event->kind == PHONE_EVENT_CONFIG || event->kind == PHONE_EVENT_APPLIED) {
		set_change(object, event);
	}
	set_text(object, "reason", span_text(event->reason));
	set_text(object, text_key(event->kind), event->text);
	if (event->utc_s > 0) {
		set_time(object, "at", (uint64_t)event->utc_s * 1000);
	}
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* ---- for people ---- */

static void add(struct writer *w, const char *before, struct span text)
{
	if (!span_is_empty(text)) {
		writer_text(w, before);
		writer_escaped(w, text, line_size / 8);
	}
}

static void add_number(struct writer *w, const char *before, uint64_t number, const char *behind)
{
	writer_text(w, before);
	writer_unsigned(w, number);
	writer_text(w, behind);
}

static void add_change(struct writer *w, const struct phone_event *event)
{
	add_number(w, " ", event->changed_count, " changed");
	for (size_t i = 0; i < sizeof(effect_names) / sizeof(effect_names[0]); i++) {
		if (event->effects & effect_names[i].effect) {
			add(w, " +", span_text(effect_names[i].name));
		}
	}
}

static void show_line(const struct phone_event *event)
{
	char buffer[line_size];
	struct writer w = writer_over(buffer, sizeof(buffer));
	bool has_peer = address_is_set(event->peer.address);

	writer_text(&w, phone_event_name(event->kind));
	if (has_peer) {
		writer_text(&w, event->kind == PHONE_EVENT_SUBSCRIBE_SENT ? " to " : " from ");
		endpoint_write(&w, event->peer);
	}
	if (event->attempt > 0) {
		add_number(&w, " attempt ", event->attempt, "");
	}
	add(&w, " ", event->url);
	if (event->status > 0) {
		add_number(&w, event->kind == PHONE_EVENT_NOTIFY ? " answered " : " ",
			   event->status, "");
	}
	if (event->kind == PHONE_EVENT_DOWNLOAD && !event->reason) {
		add_number(&w, " ", event->bytes, " bytes");
	}
	if (event->kind == PHONE_EVENT_CONFIG || event->kind == PHONE_EVENT_APPLIED) {
		add_change(&w, event);
	}
	add(&w, " form=", span_text(event->form));
	add(&w, " ", span_text(event->reason));
	add(&w, event->kind == PHONE_EVENT_FIRMWARE ? " " : ": ", event->text);
	if (event->utc_s > 0) {
		writer_text(&w, " at ");
		time_write_rfc3339(&w, (uint64_t)event->utc_s * 1000);
	}
	printf("%.*s\n", (int)w.length, w.data);
}

void show_event(const struct show *show, const struct phone_event *event, uint64_t utc_ms)
{
	if (show->is_json) {
		show_json(event, utc_ms);
	} else {
		show_line(event);
	}
	fflush(stdout);
}

void show_message(const struct show *show, struct endpoint from, struct endpoint to,
		  struct span bytes)
{
	FILE *stream = show->is_json ? stderr : stdout;
	char sender[endpoint_text_size];
	char receiver[endpoint_text_size];
	struct span rest = bytes;

	if (!show->has_messages) {
		return;
	}
	endpoint_text(from, sender);
	endpoint_text(to, receiver);
	fprintf(stream, "\n---- %s -> %s, %zu bytes ----\n", sender, receiver, bytes.length);
	while (rest.data && rest.length > 0) {
		struct span line = span_cut(&rest, '\n');

		if (line.length > 0 && line.data[line.length - 1] == '\r') {
			line.length--;
		}
		for (size_t i = 0; i < line.length; i++) {
			unsigned char c = (unsigned char)line.data[i];

			if (c >= 0x20 && c < 0x7f) {
				fputc(c, stream);
			} else {
				fprintf(stream, "\\x%02x", c);
			}
		}
		fputc('\n', stream);
	}
	fputs("----\n", stream);
	fflush(stream);
}

void show_problem(const char *format, ...)
{
	va_list arguments;

	fputs("bellhop-agent: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

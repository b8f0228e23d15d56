/* SPDX-License-Identifier: MIT */
#include "core/phone/round.h"

#include <errno.h>

void round_begin_config(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	if (!phone->discovery.has_config) {
		round_finish(phone, NULL, "", now_ms, effects);
		return;
	}
	if (!round_fetch(phone, &phone->discovery.config, PHONE_FILE_CONFIG)) {
		round_finish(phone, "url_refused", "the URL of the configuration is too long",
			     now_ms, effects);
		return;
	}
	phone->state = PHONE_CONFIG;
}

/*
 * The include's own URL, or a name beside the configuration; on the configuration's server only: a
 * file must not send the phone round the network. `buffer` holds what `*url` points into.
 */
static bool include_url(const struct phone *phone, char *buffer, size_t size, struct phone_url *url)
{
	struct writer w = writer_over(buffer, size);

	if (span_search(phone->include.url, SPAN("://")) == phone->include.url.length) {
		phone_url_write(&w, &phone->discovery.config, PHONE_FILE_CONFIG,
				&phone->options.identity);
		w.length = span_find(writer_span(&w), '?');
		while (w.length > 0 && w.data[w.length - 1] != '/') {
			w.length--;
		}
	}
	writer_put(&w, phone->include.url);
	return !w.failed && phone_url_parse_file(writer_span(&w), PHONE_FILE_CONFIG, url) == 0 &&
	       phone_url_same_server(url, &phone->discovery.config);
}

static void begin_include(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	char buffer[phone_url_size];
	struct phone_url url;

	if (phone->include_count == phone_config_includes_max) {
		round_finish(phone, "include_limit", "the configuration includes more than 8 files",
			     now_ms, effects);
		return;
	}
	phone->include_count++;
	if (!include_url(phone, buffer, sizeof(buffer), &url) ||
	    !round_fetch(phone, &url, PHONE_FILE_CONFIG)) {
		round_finish(phone, "include_refused",
			     "the configuration includes a file that is not on its own server",
			     now_ms, effects);
	}
}

static void refuse_line(struct phone *phone, int error, unsigned line, uint64_t now_ms,
			struct phone_effects *effects)
{
	char text[96];
	struct writer w = writer_over(text, sizeof(text));

	if (error == -ENOMEM) {
		round_finish(phone, "no_memory", "no memory for the configuration", now_ms,
			     effects);
		return;
	}
	writer_text(&w, error == -E2BIG ? "the configuration is too large, line "
					: "the configuration is not name=value, line ");
	writer_unsigned(&w, line);
	writer_terminate(&w);
	round_finish(phone, "config_refused", text, now_ms, effects);
}

/* audiocodes.md 3.5: a file for another model is never applied. */
static bool is_for_this_model(const struct phone *phone, const struct phone_config *config)
{
	struct span type = phone_config_get(config, "system/type");

	return type.data == NULL || span_equal_nocase(type, phone->options.identity.model);
}

static void applied(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	phone_effects_add(effects,
			  (struct phone_event){.kind = PHONE_EVENT_APPLIED,
					       .changed_count = phone->change.changed_count,
					       .effects = phone->change.effects});
	round_finish(phone, NULL, "", now_ms, effects);
}

/* Hands the merged settings to the shell; nothing to do when nothing changed. */
static void begin_store(struct phone *phone, const struct phone_config *merged, uint64_t now_ms,
			struct phone_effects *effects)
{
	char *buffer;
	struct writer w;

	phone_effects_add(effects,
			  (struct phone_event){.kind = PHONE_EVENT_CONFIG,
					       .changed_count = phone->change.changed_count,
					       .effects = phone->change.effects,
					       .text = phone->change.first_changed});
	if (phone->change.changed_count == 0) {
		applied(phone, now_ms, effects);
		return;
	}
	/* No larger than what could be read back at the next start. */
	buffer = arena_allocate(&phone->arena, phone_config_bytes_max);
	w = writer_over(buffer, buffer ? phone_config_bytes_max : 0);
	phone_config_write(&w, merged);
	if (w.failed) {
		round_finish(phone, "config_refused", "the settings would grow too large", now_ms,
			     effects);
		return;
	}
	round_new_task(phone, PHONE_TASK_STORE, PHONE_FILE_CONFIG);
	phone->task.text = writer_span(&w);
	phone->task.effects = phone->change.effects;
	phone->state = PHONE_CONFIG_STORE;
}

static void use_config(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	struct phone_config incoming;
	struct phone_config merged;
	unsigned line = 0;
	int error;

	if (phone_config_find_include(phone->config_text, &phone->include) == 0) {
		begin_include(phone, now_ms, effects);
		return;
	}
	error = phone_config_parse(phone->config_text, &phone->arena, &incoming, &line);
	if (error != 0) {
		refuse_line(phone, error, line, now_ms, effects);
		return;
	}
	if (incoming.count == 0) {
		round_finish(phone, "config_refused", "the configuration is empty", now_ms,
			     effects);
		return;
	}
	if (!is_for_this_model(phone, &incoming)) {
		round_finish(phone, "other_model",
			     "system/type of the configuration is another model", now_ms, effects);
		return;
	}
	error = phone_config_merge(&phone->settings, &incoming, &phone->arena, &merged,
				   &phone->change);
	if (error != 0) {
		refuse_line(phone, error, 0, now_ms, effects);
		return;
	}
	begin_store(phone, &merged, now_ms, effects);
}

/* Puts what was fetched in the place of its include line, or makes it the text itself. */
static int take_text(struct phone *phone, struct span bytes)
{
	struct span text = phone->config_text;
	size_t size = text.length + bytes.length + 1;
	char *buffer;
	struct writer w;

	if (size > phone_config_bytes_max + 1) {
		return -E2BIG;
	}
	buffer = arena_allocate(&phone->arena, size);
	if (!buffer) {
		return -ENOMEM;
	}
	w = writer_over(buffer, size);
	if (phone->include_count > 0) {
		phone_config_splice(&w, text, &phone->include, bytes);
	} else {
		writer_put(&w, bytes);
	}
	phone->config_text = writer_span(&w);
	return 0;
}

void round_take_config(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		       struct phone_effects *effects)
{
	char text[phone_url_size + 64];
	struct writer w = writer_over(text, sizeof(text) - 1);
	int error;

	if (change->error != 0) {
		writer_put(&w, phone->task.url_public);
		writer_text(&w, ": ");
		writer_text(&w, round_download_failure(change->error));
		writer_terminate(&w);
		round_finish(phone, change->error == -ENOENT ? "config_absent" : "download_failed",
			     text, now_ms, effects);
		return;
	}
	error = take_text(phone, change->bytes);
	if (error != 0) {
		refuse_line(phone, error, 0, now_ms, effects);
		return;
	}
	use_config(phone, now_ms, effects);
}

void round_take_stored(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		       struct phone_effects *effects)
{
	char text[192];
	struct writer w = writer_over(text, sizeof(text) - 1);
	unsigned line;
	int error = change->error;

	if (error == 0) {
		error = phone_take_settings(phone, phone->task.text, &line);
	}
	if (error != 0) {
		writer_text(&w, "the settings could not be stored");
		if (!span_is_empty(change->text)) {
			writer_text(&w, ": ");
			writer_put(&w, change->text);
		}
		writer_terminate(&w);
		round_finish(phone, "store_failed", text, now_ms, effects);
		return;
	}
	applied(phone, now_ms, effects);
}

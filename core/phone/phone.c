/* SPDX-License-Identifier: MIT */
#include "core/phone/round.h"

#include <errno.h>
#include <stdlib.h>

static int copy_name(char name[name_size], struct span given, const char *otherwise)
{
	struct span value = span_is_empty(given) ? span_text(otherwise) : given;

	return span_to_text(value, name, name_size) == 0 ? 0 : -EINVAL;
}

/* The options belong to the caller for this call only. */
static int copy_options(struct phone *phone, const struct phone_options *options)
{
	struct phone_identity *identity = &phone->options.identity;
	struct span type = phone_config_get(&phone->settings, "system/type");
	struct span model = span_is_empty(options->identity.model) ? type : options->identity.model;

	phone->options = *options;
	if (options->dhcp.count > phone_dhcp_options_max ||
	    copy_name(phone->model, model, "440HD") != 0 ||
	    copy_name(phone->version, options->identity.version, "2.2.2") != 0) {
		return -EINVAL;
	}
	for (size_t i = 0; i < options->dhcp.count; i++) {
		if (span_to_text(options->dhcp.options[i].value, phone->option_values[i],
				 option_value_size) != 0) {
			return -EINVAL;
		}
		phone->options.dhcp.options[i].value = span_text(phone->option_values[i]);
	}
	if (span_to_text(options->fingerprint, phone->fingerprint, sizeof(phone->fingerprint)) !=
	    0) {
		return -EINVAL;
	}
	identity->model = span_text(phone->model);
	identity->version = span_text(phone->version);
	return 0;
}

static int init_subscriber(struct phone *phone)
{
	struct subscriber_options options = {
		.identity = phone->options.identity,
		.local = phone->options.local,
		.target = phone->options.target,
		.interface = phone->options.interface,
		.allowed = phone->options.allowed,
		.allowed_count = phone->options.allowed_count,
		.message = phone->options.message,
		.takes_orders = !phone->options.is_once,
	};

	return subscriber_init(&phone->subscriber, &options, phone->options.random);
}

/* Reads a copy of `text` into the arena that is not in use, and makes it the one in use. */
int phone_take_settings(struct phone *phone, struct span text, unsigned *line)
{
	unsigned next = 1 - phone->settings_in;
	struct arena *arena = &phone->settings_arena[next];
	struct phone_config config;
	struct span copy;
	int error;

	arena_reset(arena);
	copy = arena_copy(arena, text);
	if (!copy.data) {
		return -ENOMEM;
	}
	error = phone_config_parse(copy, arena, &config, line);
	if (error == 0) {
		phone->settings = config;
		phone->settings_in = next;
	}
	return error;
}

int phone_new(struct phone **phone, const struct phone_options *options, struct span settings,
	      unsigned *line)
{
	struct phone *made = calloc(1, sizeof(*made));
	int error;

	if (!made) {
		return -ENOMEM;
	}
	made->wake_ms = UINT64_MAX;
	arena_init(&made->arena, round_bytes_max);
	arena_init(&made->settings_arena[0], settings_bytes_max);
	arena_init(&made->settings_arena[1], settings_bytes_max);
	error = phone_take_settings(made, settings, line);
	if (error == 0) {
		error = copy_options(made, options);
		if (error == 0) {
			error = init_subscriber(made);
		}
		if (error == -EINVAL) {
			*line = 0;
		}
	}
	if (error != 0) {
		phone_free(made);
		return error;
	}
	*phone = made;
	return 0;
}

void phone_free(struct phone *phone)
{
	if (phone) {
		arena_free(&phone->arena);
		arena_free(&phone->settings_arena[0]);
		arena_free(&phone->settings_arena[1]);
		free(phone);
	}
}

static void tell_download(const struct phone *phone, const struct phone_change *change,
			  struct phone_effects *effects)
{
	phone_effects_add(effects,
			  (struct phone_event){
				  .kind = PHONE_EVENT_DOWNLOAD,
				  .reason = change->error != 0
						    ? round_download_failure(change->error)
						    : NULL,
				  .url = phone->task.url_public,
				  .status = change->status,
				  .bytes = change->byte_count,
				  .text = change->error != 0 ? change->text : (struct span){0},
			  });
}

static const char *subscriber_sentence(const struct subscriber *subscriber)
{
	static const struct {
		const char *failure;
		const char *sentence;
	} sentences[] = {
		{"no_answer", "nobody answered the SUBSCRIBE within 5 s"},
		{"no_notify", "a server answered the SUBSCRIBE but its NOTIFY did not come"},
		{"refused", "a server refused the SUBSCRIBE"},
		{"no_url", "the NOTIFY ended the subscription without a URL"},
		{"url_refused", "the URL of the NOTIFY cannot be used"},
		{"too_long", "the SUBSCRIBE does not fit"},
	};

	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (strcmp(sentences[i].failure, subscriber->failure) == 0) {
			return sentences[i].sentence;
		}
	}
	return "";
}

/* Both files from one URL, as SIP and DHCP give it. */
static void use_learned(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	struct discovery *discovery = &phone->discovery;

	if (phone_url_parse(span_make(phone->learned, phone->learned_length), &discovery->config) !=
	    0) {
		round_finish(phone, "url_refused", "the URL cannot be used", now_ms, effects);
		return;
	}
	discovery->firmware = discovery->config;
	discovery->has_firmware = true;
	discovery->has_config = true;
	round_begin_files(phone, now_ms, effects);
}

static void look_at_subscriber(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	struct subscriber *subscriber = &phone->subscriber;

	if (phone->state != PHONE_SUBSCRIBING) {
		return;
	}
	if (subscriber->state == SUBSCRIBER_DONE) {
		memcpy(phone->learned, subscriber->url, subscriber->url_length);
		phone->learned_length = subscriber->url_length;
		use_learned(phone, now_ms, effects);
	} else if (subscriber->state == SUBSCRIBER_FAILED) {
		round_finish(phone, subscriber->failure, subscriber_sentence(subscriber), now_ms,
			     effects);
	}
}

static void discovery_failed(struct phone *phone, const char *problem, int error, uint64_t now_ms,
			     struct phone_effects *effects)
{
	char text[128];
	struct writer w = writer_over(text, sizeof(text) - 1);

	writer_text(&w, problem);
	writer_text(&w, error == -ENODATA	    ? ": empty"
			: error == -EPROTONOSUPPORT ? ": unknown scheme"
						    : ": cannot be used");
	writer_terminate(&w);
	round_finish(phone, "discovery_failed", text, now_ms, effects);
}

static void begin_round(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	const char *problem = "";
	int error;

	arena_reset(&phone->arena);
	phone->config_text = (struct span){0};
	phone->include_count = 0;
	phone->change = (struct phone_config_change){0};
	phone->task.kind = PHONE_TASK_NONE;
	phone->wake_ms = UINT64_MAX;
	/* A URL of SIP serves every period; after a power-up the phone asks again (6.6). */
	if (phone->is_power_up) {
		phone->learned_length = 0;
	}
	phone->is_power_up = false;
	error = discovery_decide(&phone->settings, &phone->options.dhcp, &phone->discovery,
				 &problem);
	if (error != 0) {
		discovery_failed(phone, problem, error, now_ms, effects);
	} else if (phone->discovery.source == DISCOVERY_DISABLED) {
		round_finish(phone, "disabled", "provisioning/method is Disable", now_ms, effects);
	} else if (phone->discovery.source != DISCOVERY_SIP) {
		round_begin_files(phone, now_ms, effects);
	} else if (phone->learned_length > 0) {
		use_learned(phone, now_ms, effects);
	} else {
		phone->state = PHONE_SUBSCRIBING;
		subscriber_start(&phone->subscriber, phone->options.random, now_ms, effects);
		look_at_subscriber(phone, now_ms, effects);
	}
}

static void start(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	struct phone_schedule schedule;

	phone->is_power_up = true;
	if (phone->options.is_once) {
		begin_round(phone, now_ms, effects);
		return;
	}
	phone_schedule_read(&phone->settings, &schedule);
	phone->wake_ms = now_ms + phone_schedule_wait_ms(&schedule, phone->options.random);
	phone->state = PHONE_WAITING;
	if (phone->wake_ms > now_ms) {
		phone_effects_add(effects,
				  (struct phone_event){.kind = PHONE_EVENT_NEXT_CHECK,
						       .reason = "random_time",
						       .utc_s =
							       round_utc_s(phone, phone->wake_ms)});
	}
	phone_expire(phone, now_ms, effects);
}

static void task_done(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		      struct phone_effects *effects)
{
	if (phone->task.kind == PHONE_TASK_NONE || change->task_number != phone->task.number) {
		return;
	}
	if (phone->task.kind == PHONE_TASK_FETCH) {
		tell_download(phone, change, effects);
	}
	switch (phone->state) {
	case PHONE_FIRMWARE_HEAD:
		round_take_firmware_head(phone, change, now_ms, effects);
		break;
	case PHONE_FIRMWARE_IMAGE:
		round_take_firmware_image(phone, change, now_ms, effects);
		break;
	case PHONE_FIRMWARE_BURN:
		round_take_burnt(phone, change, now_ms, effects);
		break;
	case PHONE_CONFIG:
		round_take_config(phone, change, now_ms, effects);
		break;
	case PHONE_CONFIG_STORE:
		round_take_stored(phone, change, now_ms, effects);
		break;
	case PHONE_IDLE:
	case PHONE_WAITING:
	case PHONE_SUBSCRIBING:
		break;
	}
}

/* What it is ordered while it is busy it does afterwards; to restart is more than to look again. */
static void look_at_order(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	enum subscriber_order order = phone->subscriber.order;

	phone->subscriber.order = SUBSCRIBER_ORDER_NONE;
	if (order == SUBSCRIBER_ORDER_NONE) {
		return;
	}
	if (phone->state != PHONE_WAITING && phone->state != PHONE_IDLE) {
		phone->order = order > phone->order ? order : phone->order;
	} else if (order == SUBSCRIBER_ORDER_REBOOT) {
		round_reboot(phone, now_ms, effects);
	} else {
		begin_round(phone, now_ms, effects);
	}
}

void phone_receive(struct phone *phone, const struct packet *packet, uint64_t now_ms,
		   struct phone_effects *effects)
{
	subscriber_receive(&phone->subscriber, packet, now_ms, effects);
	look_at_subscriber(phone, now_ms, effects);
	look_at_order(phone, now_ms, effects);
}

void phone_expire(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	if (phone->state == PHONE_WAITING && now_ms >= phone->wake_ms) {
		begin_round(phone, now_ms, effects);
		return;
	}
	subscriber_expire(&phone->subscriber, now_ms, effects);
	look_at_subscriber(phone, now_ms, effects);
}

uint64_t phone_next_wake(const struct phone *phone)
{
	return phone->state == PHONE_SUBSCRIBING ? subscriber_next_wake(&phone->subscriber)
						 : phone->wake_ms;
}

void phone_change(struct phone *phone, const struct phone_change *change, uint64_t now_ms,
		  struct phone_effects *effects)
{
	switch (change->kind) {
	case PHONE_CHANGE_START:
		start(phone, now_ms, effects);
		break;
	case PHONE_CHANGE_CHECK:
		if (phone->state == PHONE_WAITING || phone->state == PHONE_IDLE) {
			begin_round(phone, now_ms, effects);
		}
		break;
	case PHONE_CHANGE_TASK_DONE:
		task_done(phone, change, now_ms, effects);
		break;
	case PHONE_CHANGE_CLOCK:
		phone->clock_ms = now_ms;
		phone->utc_ms = change->utc_ms;
		phone->utc_offset_s = change->utc_offset_s;
		break;
	}
}

const struct phone_task *phone_task(const struct phone *phone)
{
	return phone->task.kind == PHONE_TASK_NONE ? NULL : &phone->task;
}

enum phone_state phone_state(const struct phone *phone)
{
	return phone->state;
}

const struct phone_round *phone_last_round(const struct phone *phone)
{
	return &phone->round;
}

const struct phone_config *phone_settings(const struct phone *phone)
{
	return &phone->settings;
}

const struct phone_identity *phone_identity(const struct phone *phone)
{
	return &phone->options.identity;
}

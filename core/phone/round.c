/* SPDX-License-Identifier: MIT */
#include "core/phone/round.h"

#include <errno.h>

int64_t round_utc_s(const struct phone *phone, uint64_t now_ms)
{
	return (int64_t)((phone->utc_ms + (now_ms - phone->clock_ms)) / 1000);
}

/* The reboot that a changed setting asks for is a power-up: the phone looks again after it. */
static void plan_reboot(struct phone *phone, uint64_t now_ms, struct phone_event *event)
{
	struct phone_schedule schedule;
	uint64_t wait_ms;

	phone_schedule_read(&phone->settings, &schedule);
	wait_ms = phone_schedule_wait_ms(&schedule, phone->options.random);
	phone->wake_ms = now_ms + (wait_ms > phone_reboot_ms ? wait_ms : phone_reboot_ms);
	phone->is_power_up = true;
	event->reason = "reboot";
}

static void plan_period(struct phone *phone, uint64_t now_ms, struct phone_event *event)
{
	struct phone_schedule schedule;
	int64_t now_s = round_utc_s(phone, now_ms);
	int64_t next_s;

	phone_schedule_read(&phone->settings, &schedule);
	if (phone_schedule_next(&schedule, now_s, phone->utc_offset_s, &next_s) != 0) {
		event->reason = "powerup";
		return;
	}
	phone->wake_ms = now_ms + (uint64_t)(next_s - now_s) * 1000 +
			 phone_schedule_wait_ms(&schedule, phone->options.random);
}

static void plan_next(struct phone *phone, bool is_reboot, uint64_t now_ms,
		      struct phone_effects *effects)
{
	struct phone_event event = {.kind = PHONE_EVENT_NEXT_CHECK};

	phone->wake_ms = UINT64_MAX;
	phone->is_power_up = false;
	if (phone->options.is_once) {
		return;
	}
	if (is_reboot || phone->order == SUBSCRIBER_ORDER_REBOOT) {
		plan_reboot(phone, now_ms, &event);
	} else if (phone->order == SUBSCRIBER_ORDER_CHECK) {
		phone->wake_ms = now_ms;
		event.reason = "check_sync";
	} else {
		plan_period(phone, now_ms, &event);
	}
	phone->order = SUBSCRIBER_ORDER_NONE;
	if (phone->wake_ms != UINT64_MAX) {
		event.utc_s = round_utc_s(phone, phone->wake_ms);
	}
	phone_effects_add(effects, event);
}

void round_reboot(struct phone *phone, uint64_t now_ms, struct phone_effects *effects)
{
	phone->state = PHONE_WAITING;
	plan_next(phone, true, now_ms, effects);
}

/* Ends the round: `failure` NULL when the phone is configured. */
void round_finish(struct phone *phone, const char *failure, const char *text, uint64_t now_ms,
		  struct phone_effects *effects)
{
	struct writer w = writer_over(phone->round.text, sizeof(phone->round.text));
	bool is_reboot = !failure && (phone->change.effects & PHONE_EFFECT_REBOOT);

	phone->state = PHONE_WAITING;
	phone->task.kind = PHONE_TASK_NONE;
	phone->round.number++;
	phone->round.is_configured = failure == NULL;
	phone->round.failure = failure;
	writer_put(&w, span_slice(span_text(text), 0, sizeof(phone->round.text) - 1));
	writer_terminate(&w);
	if (failure) {
		/* Whoever answered next time may know better. */
		phone->learned_length = 0;
		phone_effects_add(effects,
				  (struct phone_event){.kind = PHONE_EVENT_FAILED,
						       .reason = failure,
						       .text = span_text(phone->round.text)});
	}
	plan_next(phone, is_reboot, now_ms, effects);
}

void round_new_task(struct phone *phone, enum phone_task_kind kind, enum phone_file file)
{
	phone->task = (struct phone_task){
		.kind = kind,
		.file = file,
		.number = phone->task.number + 1,
	};
}

/* Asks the shell for a file. False when its URL cannot be written out. */
bool round_fetch(struct phone *phone, const struct phone_url *url, enum phone_file file)
{
	struct writer w = writer_over(phone->url, sizeof(phone->url));
	struct writer public = writer_over(phone->url_public, sizeof(phone->url_public));

	phone_url_write(&w, url, file, &phone->options.identity);
	phone_url_write_public(&public, url, file, &phone->options.identity);
	if (w.failed || public.failed) {
		return false;
	}
	round_new_task(phone, PHONE_TASK_FETCH, file);
	phone->task.url = writer_span(&w);
	phone->task.url_public = writer_span(&public);
	phone->task.bytes_max = phone_config_bytes_max;
	return true;
}

const char *round_download_failure(int error)
{
	switch (-error) {
	case ENOENT:
		return "absent";
	case ETIMEDOUT:
		return "timeout";
	case ECONNREFUSED:
	case EHOSTUNREACH:
		return "unreachable";
	case EFBIG:
		return "too_large";
	case EACCES:
		return "refused";
	case EKEYREJECTED:
		return "certificate";
	default:
		return "failed";
	}
}
